"""Rules for the geometry of regions: what Label Studio's own check asks for, and what its editor needs beyond.

Percent are of the image's width and height. The bounds at 100 and of radii at 50 are Label Studio's; sizes above 0,
three vertices and a key point's width are the editor's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio.check_members import (
    PERCENT,
    Object,
    number,
    objects,
    optional_bool,
    optional_number,
    optional_text,
    optional_whole,
    whole,
)
from predarrow.formats.label_studio.tags import Shape
from predarrow.report import Code

BEYOND = "region that reaches beyond the image"

_SLACK = 1e-6  # percent: what rounding leaves of a box at the border, a hundredth of a pixel of a million
_LAST_FRAME = 2**31 - 1

Flagged = Counter[str]


def check_rectangle(value: Object, place: str, flagged: Flagged) -> None:
    """Refuse boxes beyond 100 percent, left of or above the image, or without a size."""
    turn = optional_number(value, "rotation", place, most=360)
    is_beyond = _is_beyond(value, place)
    if not turn:  # it turns about the top left corner, which may then lie outside
        _check_inside(value, place)
    if is_beyond:
        flagged[BEYOND] += 1


def _is_beyond(value: Object, place: str) -> bool:
    """Tell whether a box reaches beyond the image before it is turned; refuse one that has no place or size."""
    x, y = (number(value, name, place, most=100, hint=PERCENT) for name in ("x", "y"))
    width, height = (_size(value, name, place, 100) for name in ("width", "height"))
    return min(x, y) < -_SLACK or x + width > 100 + _SLACK or y + height > 100 + _SLACK


def _size(value: Object, name: str, place: str, most: float) -> float:
    size = number(value, name, place, most=most, hint=PERCENT)
    if size <= 0:
        raise Flaw(Code.BAD_SIZE, f"{place}.{name}", "must be above 0", value[name])
    return size


def _check_inside(value: Object, place: str) -> None:
    for name in ("x", "y"):
        if value[name] < -_SLACK:
            raise Flaw(Code.OUTSIDE_IMAGE, f"{place}.{name}", "must be at least 0", value[name])


def _check_point(value: Object, place: str) -> None:
    for name in ("x", "y"):
        number(value, name, place, most=100, hint=PERCENT)
    _check_inside(value, place)


def check_ellipse(value: Object, place: str, _: Flagged) -> None:
    """Refuse ellipses whose centre is outside, or with radii of nothing or over 50 percent."""
    _check_point(value, place)
    for name in ("radiusX", "radiusY"):
        _size(value, name, place, 50)
    optional_number(value, "rotation", place, most=360)


def check_keypoint(value: Object, place: str, _: Flagged) -> None:
    """Refuse points outside, and without the width that the editor draws them with."""
    _check_point(value, place)
    if "width" not in value:
        hint = "without it the editor draws nothing"
        told = ", ".join(value)
        raise Flaw(Code.BAD_VALUE, place, f'must have "width", in percent of the image\'s width: {hint}', told=told)
    _size(value, "width", place, 100)


def check_polygon(value: Object, place: str, _: Flagged) -> None:
    """Refuse polygons of fewer than three vertices, and vertices outside."""
    points = value.get("points")
    if not isinstance(points, list) or len(points) < 3:
        told = f"{len(points)}" if isinstance(points, list) else None
        rule = "must be a list of 3 points [x, y] at least"
        raise Flaw(Code.BAD_VALUE, f"{place}.points", rule, points, told=told)
    for index, point in enumerate(points):
        if not isinstance(point, list | tuple) or len(point) != 2:
            raise Flaw(Code.BAD_VALUE, f"{place}.points[{index}]", "must be [x, y]", point)
        for axis, coordinate in enumerate(point):
            kind = type(coordinate)
            if (kind is not float and kind is not int) or not -_SLACK <= coordinate <= 100:
                rule = "must be a number of 0 to 100" + PERCENT
                raise Flaw(Code.BAD_NUMBER, f"{place}.points[{index}][{axis}]", rule, coordinate)
    optional_bool(value, "closed", place)


def check_vector(value: Object, place: str, flagged: Flagged) -> None:
    """Refuse vectors without vertices, or with vertices that have no place."""
    for index, vertex in enumerate(objects(value, "vertices", place)):
        at = f"{place}.vertices[{index}]"
        x, y = number(vertex, "x", at), number(vertex, "y", at)
        if not (0 <= x <= 100 and 0 <= y <= 100):
            flagged["vertex beyond the image"] += 1
        for name in ("id", "prevPointId"):
            optional_text(vertex, name, at)
        optional_bool(vertex, "isBezier", at)
    optional_bool(value, "closed", place)


def check_ocr(value: Object, place: str, flagged: Flagged) -> None:
    """Refuse boxes of text as boxes, and what else they have in other types."""
    check_rectangle(value, place, flagged)
    optional_text(value, "ocrtext", place)
    optional_whole(value, "pageIndex", place, 0)


def check_video_rectangle(value: Object, place: str, flagged: Flagged) -> None:
    """Refuse sequences without an entry, and entries without frame, time or box."""
    n_frames = whole(value, "framesCount", place, 0)
    number(value, "duration", place, least=0)
    for entry, at in _entries(value, place, n_frames, flagged):
        number(entry, "time", at)
        optional_number(entry, "rotation", at)
        if _is_beyond(entry, at):
            flagged[BEYOND] += 1


def check_video_vector(value: Object, place: str, flagged: Flagged) -> None:
    """Refuse sequences without an entry, and entries without frame or vertices."""
    n_frames = optional_whole(value, "framesCount", place, 0)
    optional_number(value, "duration", place)
    for entry, at in _entries(value, place, n_frames, flagged):
        optional_number(entry, "time", at)
        check_vector(entry, at, flagged)


def _entries(value: Object, place: str, n_frames: int | None, flagged: Flagged) -> list[tuple[dict[str, Any], str]]:
    """Give a sequence's entries and their places, their frames checked."""
    frames: set[int] = set()
    result = []
    for index, entry in enumerate(objects(value, "sequence", place)):
        at = f"{place}.sequence[{index}]"
        frame = whole(entry, "frame", at, 1, _LAST_FRAME)
        optional_bool(entry, "enabled", at)
        if frame in frames:
            flagged["frame twice in one sequence"] += 1
        if n_frames and frame > n_frames:
            flagged["frame beyond framesCount"] += 1
        frames.add(frame)
        result.append((entry, at))
    return result


def check_timeline(value: Object, place: str, _: Flagged) -> None:
    """Refuse timelines without a range, and ranges that end before they start."""
    for index, entry in enumerate(objects(value, "ranges", place)):
        at = f"{place}.ranges[{index}]"
        check_order(number(entry, "start", at), number(entry, "end", at), at)
        optional_bool(entry, "enabled", at)


def check_order(start: float, end: float, place: str) -> None:
    """Refuse what ends before it starts."""
    if start > end:
        raise Flaw(Code.BAD_VALUE, place, "start must not be after end", told=f"{start:g} and {end:g}")


ShapeRule = Callable[[Object, str, Flagged], None]

SHAPES: Mapping[Shape, ShapeRule] = {
    "rectangle": check_rectangle,
    "polygon": check_polygon,
    "ellipse": check_ellipse,
    "keypoint": check_keypoint,
    "vector": check_vector,
    "ocr": check_ocr,
    "videorectangle": check_video_rectangle,
    "videovector": check_video_vector,
    "timeline": check_timeline,
}
"""Rules by shape; masks and spans need more than their value."""
