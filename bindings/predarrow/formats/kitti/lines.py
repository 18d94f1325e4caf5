"""One prediction row as one line of a KITTI file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from predarrow.formats.kitti.columns import NOT_GIVEN, absent_numbers
from predarrow.report import Code

_OWN = ("truncated", "occluded", "alpha", "rotation_y")
_UNKNOWN: dict[str, float] = {"truncated": -1, "occluded": -1, "alpha": -10, "rotation_y": -10}
"""What KITTI writes where nothing is known."""
_WORDS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
_BOXES = {"bbox", "rotated_bbox", "cuboid"}
_NO_NAME = re.compile(r"[\n\r\0]")
_QUOTED = re.compile(r"[ \t,\"']|\A\ufeff")
_ANGLE_NOISE = 1e-9
_EXACT = 2**53


class BadRow(Exception):
    """A row that a KITTI line cannot hold."""

    def __init__(self, code: Code, column: str, message: str) -> None:
        super().__init__(message)
        self.code, self.column, self.message = code, column, message


class Line(NamedTuple):
    """A line without its end."""

    text: str
    """Up to the score."""
    score: str | None
    left_out: list[str]
    """What of the row the line has no place for."""


def kitti_line(row: tuple[Any, ...]) -> Line:
    """Give a row's line.

    Args:
        row: data_unit, frame, object_id, class_name, kind, confidence, rotation, stream, attributes, the four corners
            of the bbox, the ten numbers of the cuboid.

    Raises:
        BadRow: the row cannot be held.
    """
    _, frame, object_id, class_name, kind, confidence, rotation, stream, attributes = row[:9]
    if frame < 0:
        raise BadRow(Code.FRAME_RANGE, "frame", f"must be at least 0, got {frame}")
    name = _name(class_name)
    box = _box(row[9:13], rotation, kind)
    own, is_all = _attributes(attributes)
    solid, rotation_y = _solid(row[13:23], own)
    if confidence is not None and not math.isfinite(confidence):
        raise BadRow(Code.BAD_NUMBER, "confidence", f"must be finite, got {confidence}")
    left_out = {
        "object_id left out: object results have no track id": object_id is not None,
        "stream left out: object results have no camera or lidar id": stream is not None,
        f"{kind} left out: only its box is written": kind is not None and kind not in _BOXES,
        "attributes left out that KITTI has no field for": not is_all,
    }
    seen = (own.get(key, _UNKNOWN[key]) for key in _OWN[:3])
    text = " ".join([name, *map(repr, (*seen, *box, *solid, rotation_y))])
    score = None if confidence is None else repr(confidence)
    return Line(text, score, [what for what, is_left_out in left_out.items() if is_left_out])


def _name(name: str) -> str:
    if not name or _NO_NAME.search(name):
        rule = "must be one line of text that is not empty, without NUL"
        raise BadRow(Code.CANNOT_HOLD, "class_name", f"{rule}, got {name!r}")
    if not _QUOTED.search(name):
        return name
    quote = '"' if '"' not in name else "'"
    if quote in name:
        raise BadRow(Code.CANNOT_HOLD, "class_name", f"must not have both kinds of quotes, got {name!r}")
    return f"{quote}{name}{quote}"


def _box(corners: tuple[float | None, ...], rotation: float | None, kind: str | None) -> tuple[float, ...]:
    if None in corners:
        rule = "must have a box with four corners, which is all that KITTI holds in the image"
        raise BadRow(Code.CANNOT_HOLD, "bbox", f"{rule}, got a {kind or 'row'} without one")
    left, top, right, bottom = box = tuple(corner for corner in corners if corner is not None)
    if not all(map(math.isfinite, box)) or right < left or bottom < top:
        raise BadRow(Code.BAD_BOX, "bbox", f"corners must be finite and in order, got {box}")
    if rotation:
        rule = "must not be rotated, as KITTI has upright boxes only"
        raise BadRow(Code.CANNOT_HOLD, "rotation", f"{rule}, got {rotation} degrees; write its cover's corners instead")
    return box


def _attributes(text: str | None) -> tuple[dict[str, Any], bool]:
    """Numbers that `read_kitti` kept, with "convention" where they are KITTI's; and whether that is all there is."""
    if not text:
        return {}, True
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRow(Code.BAD_TABLE, "attributes", f"must be JSON, got {error}") from None
    if not isinstance(loaded, dict):
        raise BadRow(Code.BAD_TABLE, "attributes", f"must be a JSON object, got {type(loaded).__name__}")
    known: dict[str, Any] = {}
    if loaded.get("convention") == "kitti":
        known = {"convention": "kitti"}
        known |= {key: number for key in _OWN if (number := _number(loaded.get(key))) is not None}
        if (solid := _triples(loaded.get("dimensions"), loaded.get("location"))) is not None:
            known["solid"] = solid
    left_out = {key for key in loaded.keys() - known.keys() if loaded[key] is not None}
    return known, not left_out - ({"dimensions", "location"} if "solid" in known else set())


def _triples(*triples: Any) -> list[float | None] | None:
    """Six numbers from lists of three; None where they are anything else."""
    if not all(isinstance(triple, list) and len(triple) == 3 for triple in triples):
        return None
    numbers = [_number(value) for triple in triples for value in triple]
    return None if None in numbers else numbers


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return _WORDS.get(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) <= _EXACT else _as_float(value)


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of over 308 digits
        return math.inf if value > 0 else -math.inf


def _solid(cuboid: tuple[float | None, ...], own: Mapping[str, Any]) -> tuple[tuple[float, ...], float]:
    """Height, width, length, x, y, z; and rotation_y."""
    rotation_y: float | None = own.get("rotation_y")
    if all(value is None for value in cuboid):
        if "solid" in own:
            return tuple(own["solid"]), _UNKNOWN["rotation_y"] if rotation_y is None else rotation_y
        return (NOT_GIVEN, _UNKNOWN["rotation_y"]) if rotation_y is None else (absent_numbers(rotation_y), rotation_y)
    if "convention" not in own:
        rule = "must be in KITTI's convention"
        hint = 'name it in the attributes, {"convention": "kitti"}, once the numbers are KITTI\'s'
        raise BadRow(Code.CANNOT_HOLD, "cuboid", f"{rule}, got one in another or an unknown one; {hint}")
    values = [value for value in cuboid if value is not None and math.isfinite(value)]
    if len(values) != len(cuboid):
        raise BadRow(Code.BAD_NUMBER, "cuboid", f"must have ten finite numbers, got {cuboid}")
    x, y, z, qx, qy, qz, qw, width, length, height = values
    return (height, width, length, x, y, z), _rotation_y(qx, qy, qz, qw, rotation_y)


def _rotation_y(qx: float, qy: float, qz: float, qw: float, told: float | None) -> float:
    """Angle of the quaternion: the one that the attributes tell, to the last digit, where it is the same."""
    if abs(qx) > _ANGLE_NOISE or abs(qz) > _ANGLE_NOISE:
        rule = "must be rotated about the y axis only, as KITTI's boxes are"
        raise BadRow(Code.CANNOT_HOLD, "cuboid", f"{rule}, got qx {qx} and qz {qz}")
    if told is not None and math.isfinite(told):
        same = abs(math.sin(told / 2) - qy) < _ANGLE_NOISE and abs(math.cos(told / 2) - qw) < _ANGLE_NOISE
        if same:
            return told
    return math.remainder(2 * math.atan2(qy, qw), 2 * math.pi)
