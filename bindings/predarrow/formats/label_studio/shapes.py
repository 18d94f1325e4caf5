"""Values of one geometry -> columns in pixels; those that do not hold are refused.

Every function takes n regions of one geometry and gives columns of as many rows; what it gives for a refused one has no
meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from predarrow.formats.flaws import Flaw
from predarrow.formats.geometry_columns import cover, keypoint_column, polygon_column
from predarrow.formats.label_studio import forms
from predarrow.formats.label_studio.given import Floats, Given, Ints, Shaped
from predarrow.formats.label_studio.wire import ABSENT, any_of, members_of, text_of
from predarrow.report import Code


def sides(sizes: Ints) -> tuple[Floats, Floats]:
    """Give widths and heights as floats; 1 where they are not known."""
    known = np.maximum(sizes, 1).astype(np.float64)
    return np.ascontiguousarray(known[:, 1]), np.ascontiguousarray(known[:, 0])


def finite(given: Given, pixels: Floats) -> None:
    """Refuse regions whose coordinates, (k, n), are not finite."""
    wrong = np.asarray(~np.isfinite(pixels).all(axis=0))
    given.refusals.add(wrong, Code.BAD_NUMBER, ".value", "coordinates must be finite in pixels, got larger ones")


def boxes(given: Given) -> Shaped:
    """Give rectangles; those that are rotated as rotated boxes, about their centres."""
    values = given.numbers("x", "y", "width", "height", "rotation")
    return boxes_of(given, values, given.lacks("rotation"))


def boxes_of(given: Given, values: Floats, lacks_rotation: Sequence[int]) -> Shaped:
    """Give rectangles, (5, n) x, y, width, height and rotation."""
    from predarrow_engine.percent import corners as corners_of
    from predarrow_engine.percent import shortest_boxes

    width, height = sides(given.sizes)
    corners = corners_of(np.ascontiguousarray(values[:4]), values[4], width, height)
    finite(given, np.concatenate([corners, values[4:]]))

    def words(row: int) -> str:
        return f"width and height must not be negative, got {values[2, row]:g} and {values[3, row]:g}"

    given.refusals.add(np.asarray((values[2:4] < 0).any(axis=0)), Code.BAD_BOX, ".value", words)
    back = shortest_boxes(corners, values[4], width, height)
    lost = np.flatnonzero((back != values[:4]).any(axis=0) & ~given.refusals.bad)
    shaped = Shaped("bbox", corners=corners)
    if values[4].any():
        shaped.kinds = ["rotated_bbox" if degrees else "bbox" for degrees in values[4].tolist()]
        shaped.columns["rotation"] = rotations(values[4])
    for row, x, y, w, h in zip(lost.tolist(), *values[:4, lost].tolist(), strict=True):
        shaped.kept[row] = f'"x":{x!r},"y":{y!r},"width":{w!r},"height":{h!r}'
    shaped.lack(lacks_rotation, "rotation")
    return shaped


def rotations(degrees: Floats) -> Any:
    """Give rotations as a column, null where there is none."""
    from predarrow.buffers import numbers_array

    return numbers_array(degrees, is_valid=degrees != 0)


def ellipses(given: Given) -> Shaped:
    """Give ellipses as the boxes of their axes before they are rotated."""
    values = given.numbers("x", "y", "radiusX", "radiusY", "rotation")
    from predarrow_engine import percent

    width, height = sides(given.sizes)
    left, right = percent.sides(values[0], values[2], width)
    top, bottom = percent.sides(values[1], values[3], height)
    corners = np.stack([left, top, right, bottom])
    finite(given, np.concatenate([corners, values[4:]]))

    def words(row: int) -> str:
        return f"radiusX and radiusY must not be negative, got {values[2, row]:g} and {values[3, row]:g}"

    given.refusals.add(np.asarray((values[2:4] < 0).any(axis=0)), Code.BAD_VALUE, ".value", words)
    (x, across), (y, down) = (
        percent.shortest_round(left, right, width),
        percent.shortest_round(top, bottom, height),
    )
    back = np.stack([x, y, across, down])
    shaped = Shaped("ellipse", {"rotation": np.ascontiguousarray(values[4])}, corners)
    lost = np.flatnonzero((back != values[:4]).any(axis=0) & ~given.refusals.bad)
    for row, *numbers in zip(lost.tolist(), *values[:4, lost].tolist(), strict=True):
        shaped.kept[row] = '"x":{!r},"y":{!r},"radiusX":{!r},"radiusY":{!r}'.format(*numbers)
    shaped.lack(given.lacks("rotation"), "rotation")
    return shaped


def keypoints(given: Given) -> Shaped:
    """Give points, one each, without a name."""
    from predarrow_engine.percent import shortest

    values = given.numbers("x", "y")
    width, height = sides(given.sizes)
    x, y = (_single(axis, side) for axis, side in zip(values, (width, height), strict=True))
    finite(given, np.stack([x, y]).astype(np.float64))
    column = keypoint_column([None] * given.n, x, y, [-1] * given.n, np.ones(given.n, np.int64))
    shaped = Shaped("keypoints", {"keypoints": column}, np.stack([x, y, x, y]).astype(np.float64))
    back = shortest(x, width), shortest(y, height)
    lost = (back[0] != values[0]) | (back[1] != values[1])
    for row in np.flatnonzero(lost & ~given.refusals.bad).tolist():
        shaped.kept[row] = '"x":{!r},"y":{!r}'.format(*values[:, row].tolist())
    for row, value in enumerate(given.values):
        if value.width is ABSENT:
            continue
        size = any_of(value.width)
        if not isinstance(size, int | float) or isinstance(size, bool):
            given.refusals.add_flaw(row, Flaw(Code.BAD_NUMBER, ".value.width", "must be a number", size))
        shaped.attributes[row] = f'"keypoint_width":{text_of(value.width)}'
    shaped.lack([row for row, value in enumerate(given.values) if value.width is ABSENT], "width")
    return shaped


def _single(values: Floats, side: Floats) -> npt.NDArray[np.float32]:
    from predarrow_engine.percent import to_pixels

    with np.errstate(over="ignore"):
        result: npt.NDArray[np.float32] = to_pixels(values, side).astype(np.float32)
    return result


def polygons(given: Given) -> Shaped:
    """Give polygons of one ring each."""
    rings = [value.points for value in given.values]
    counts = np.fromiter(map(len, rings), np.int64, given.n)
    flat = np.fromiter(chain.from_iterable(chain.from_iterable(rings)), np.float64, 2 * int(counts.sum()))
    shaped = rings_of(given, flat.reshape(-1, 2), counts, 3)
    shaped.kinds = "polygon"
    shaped.lack(given.lacks("closed"), "closed")
    for row, value in enumerate(given.values):
        if value.closed is False:
            shaped.keep(row, '"closed":false')
    return shaped


def rings_of(given: Given, vertices: Floats, counts: Ints, least: int) -> Shaped:
    """Give rings or lines; those with fewer vertices than `least` are refused.

    Args:
        vertices: (m, 2) percent.
        counts: (n,) vertices of each.
    """
    from predarrow_engine.percent import shortest

    def words(row: int) -> str:
        return f"must have at least {least} vertices, got {counts[row]}"

    given.refusals.add(counts < least, Code.BAD_VALUE, ".value", words)
    owner = np.repeat(np.arange(given.n), counts)
    width, height = (np.repeat(side, counts) for side in sides(given.sizes))
    percent = np.ascontiguousarray(vertices[:, 0]), np.ascontiguousarray(vertices[:, 1])
    x, y = _single(percent[0], width), _single(percent[1], height)
    is_lost = (shortest(x, width) != percent[0]) | (shortest(y, height) != percent[1])
    wrong = np.zeros(given.n, np.bool_)
    wrong[owner[~np.isfinite(x + y)]] = True
    given.refusals.add(wrong, Code.BAD_NUMBER, ".value", "coordinates must be finite in pixels, got larger ones")
    ones = np.ones(given.n, np.int64)
    offsets = np.zeros(given.n + 1, np.int32)
    np.cumsum(counts, out=offsets[1:])
    shaped = Shaped("polygon", {"polygon": polygon_column(x, y, counts, ones, ones)}, cover(x, y, offsets))
    lost = np.zeros(given.n, np.bool_)
    lost[owner[is_lost]] = True
    if given.shape == forms.POLYGON:
        for row in np.flatnonzero(lost & ~given.refusals.bad).tolist():
            points = members_of(given.regions[row].main.value)["points"]  # six times as quick as from the numbers
            shaped.kept[row] = f'"points":{text_of(points)}'
    return shaped


class Vertex(Struct, gc=False):
    """A vertex of a vector, the part of it that columns hold."""

    x: float
    y: float


def vectors(given: Given) -> Shaped:
    """Give vectors, closed ones as polygons, open ones as polylines; what vertices have further is kept."""
    import msgspec

    rings: list[list[Vertex]] = []
    for row, value in enumerate(given.values):
        try:
            rings.append(msgspec.json.decode(value.vertices, type=list[Vertex]))
        except msgspec.DecodeError as error:
            rule = f'must be a list of {{"x", "y", …}} ({error})'
            given.refusals.add_flaw(row, Flaw(Code.BAD_VALUE, ".value.vertices", rule, any_of(value.vertices)))
            rings.append([])
    flat = np.array([(vertex.x, vertex.y) for ring in rings for vertex in ring], np.float64)
    closed = given.bools("closed")
    counts = np.fromiter(map(len, rings), np.int64, given.n)
    shaped = rings_of(given, flat.reshape(-1, 2), counts, 2)
    given.refusals.add(
        np.array(closed) & (counts < 3), Code.BAD_VALUE, ".value", "must have at least 3 vertices, got 2"
    )
    shaped.kinds = ["polygon" if each else "polyline" for each in closed]
    shaped.lack(given.lacks("closed"), "closed")
    for row, value in enumerate(given.values):
        shaped.keep(row, f'"vertices":{text_of(value.vertices)}')
        if value.closed is False:
            shaped.keep(row, '"closed":false')
    return shaped
