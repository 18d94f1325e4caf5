"""Which rows a label row cannot hold, or Encord would take without seeing that they do not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Raw

from predarrow.formats.encord.wire import ABSENT
from predarrow.formats.encord.write_classes import CLASSIFICATION
from predarrow.formats.encord.write_geometry import corners_of, runs_of
from predarrow.formats.encord.write_kept import kept_object
from predarrow.formats.encord.write_rows import NO_CONFIDENCE, SPANS, Rows
from predarrow.formats.write_distinct import distinct
from predarrow.refusals import Refusals, shown
from predarrow.report import Code

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_SIZELESS = ("cuboid", "bitmask", *SPANS, CLASSIFICATION)
_COLUMNS = {
    **dict.fromkeys(("bounding_box", "rotatable_bounding_box", "circle", "ellipse"), "bbox"),
    **dict.fromkeys(("polygon", "polyline", "cuboid_2d"), "polygon"),
    **dict.fromkeys(("point", "skeleton"), "keypoints"),
    "bitmask": "mask",
    "cuboid": "cuboid",
}
_KEPT = {"z": ("polyline", "point"), "points": ("skeleton",)}
_decode_ranges = msgspec.json.Decoder(list[tuple[int, int] | dict[str, Any]]).decode
_LEAST = {"polygon": 3, "cuboid_2d": 3, "polyline": 1}
_VISIBLE = 3


def check(rows: Rows, refusals: Refusals, flags: Counter[str]) -> None:
    """Refuse rows.

    Args:
        rows: of a batch.
        refusals: of as many rows.
        flags: told of what is left out of rows that are written.
    """
    confidence = rows.confidence
    refusals.add(
        ~np.isfinite(confidence), Code.BAD_NUMBER, "confidence", lambda row: f"must be finite, got {confidence[row]}"
    )
    shapes = rows.shapes
    needs_size = rows.are(*(shape for shape in shapes if shape not in _SIZELESS))
    hint = "give the table image_height and image_width, or data_units with width and height"
    message = f"must be known, as label rows have relative coordinates, got none; {hint}"
    refusals.add(needs_size & (rows.sizes <= 0).any(axis=1), Code.SIZE_UNKNOWN, "image_height", message)
    for shape in shapes:
        if shape in _COLUMNS:
            _check_shape(rows, shape, np.flatnonzero(rows.are(shape) & ~refusals.bad), refusals)
    _check_spans(rows, refusals)
    _check_identities(rows, refusals)
    _flag(rows, ~refusals.bad, flags)


def _check_shape(rows: Rows, shape: str, chosen: Ints, refusals: Refusals) -> None:
    if not chosen.size:
        return
    name = _COLUMNS[shape]
    column = rows.columns[name] if chosen.size == len(rows) else rows.columns[name].take(pa.array(chosen))
    is_missing = column.is_null().to_numpy(zero_copy_only=False)
    part = _Part(chosen, refusals, name)
    part.refuse(is_missing, Code.CANNOT_HOLD, f"must be given, as a {shape} is made of it, got null")
    if name == "bbox":
        _check_boxes(column, shape, rows, part)
    elif name == "polygon":
        _check_rings(column, shape, part)
    elif name == "keypoints":
        _check_points(column, shape, part)
    elif name == "mask":
        _check_masks(column, rows.sizes[chosen], part)
    else:
        _check_cuboids(column, part)
    _check_kept(rows, shape, column, part)


def _check_kept(rows: Rows, shape: str, column: pa.Array, part: _Part) -> None:
    """Refuse rows whose attributes do not hold what columns have no place for."""
    notes = rows.notes if len(part.chosen) == len(rows) else rows.notes.take(part.chosen)
    if shape == "cuboid_2d":
        texts = notes.coordinates().to_pylist()
        holds = [bool(text) and kept_object(text, shape) is not None for text in texts]
        message = "must have the back face in attributes.encord.coordinates, got none"
        part.refuse(~np.array(holds, np.bool_), Code.CANNOT_HOLD, message, "attributes")
    elif shape == "cuboid":
        named = np.array([note.item.convention == "encord" for note in notes.items])[notes.code]
        message = 'must be in Encord\'s convention, as attributes tell it: {"convention": "encord"}, got another'
        part.refuse(~named & ~notes.has("coordinates"), Code.CANNOT_HOLD, message, "attributes")
    for name in ("z", "points"):
        places = np.flatnonzero(notes.has(name)).tolist()
        if not places or shape not in _KEPT[name]:
            continue
        counts = _lengths(column.flatten().flatten() if shape == "polyline" else column)
        wrong = np.zeros(len(column), np.bool_)
        wrong[[place for place in places if len(getattr(notes.of(place).item.encord, name)) != counts[place]]] = True
        part.refuse(wrong, Code.BAD_TABLE, f"must be as many as there are points, got others in {name}", "attributes")


class _Part:
    """Refuses some of the rows."""

    def __init__(self, chosen: Ints, refusals: Refusals, pointer: str) -> None:
        self.chosen = chosen
        self._refusals = refusals
        self._pointer = pointer

    def refuse(self, where: Bools, code: Code, message: str | Callable[[int], str], pointer: str = "") -> None:
        """Refuse rows by their places among the chosen."""
        for place in np.flatnonzero(where).tolist():
            row = int(self.chosen[place])
            if not self._refusals.bad[row]:
                text = message if isinstance(message, str) else message(place)
                self._refusals.add_one(row, code, pointer or self._pointer, text)


def _check_boxes(column: pa.StructArray, shape: str, rows: Rows, part: _Part) -> None:
    left, top, right, bottom = corners = corners_of(column)
    holds = np.isfinite(corners).all(axis=0) & (left < right) & (top < bottom)
    rule = "corners must be finite, and right and bottom beyond left and top"
    part.refuse(~holds, Code.BAD_BOX, lambda place: f"{rule}, got {corners[:, place].tolist()}")
    rotation = rows.columns["rotation"].fill_null(0.0).to_numpy()[part.chosen]
    part.refuse(
        ~np.isfinite(rotation), Code.BAD_NUMBER, lambda place: f"must be finite, got {rotation[place]}", "rotation"
    )
    if shape == "bounding_box":
        rule = "must not be rotated, as the class is of shape bounding_box"
        hint = "use a class of shape rotatable_bounding_box, or write predarrow.geometry.covers"
        part.refuse(
            rotation != 0, Code.CANNOT_HOLD, lambda place: f"{rule}, got {rotation[place]} degrees; {hint}", "rotation"
        )


def _check_rings(column: pa.ListArray, shape: str, part: _Part) -> None:
    """Refuse polygons without parts, parts without rings, short rings; lines and faces of several rings."""
    n = len(column)
    parts = column.flatten()
    row_of_part = np.repeat(np.arange(n), _lengths(column))
    n_rings = _lengths(parts)
    rings = parts.flatten()
    row_of_ring = np.repeat(row_of_part, n_rings)
    n_vertices = _lengths(rings)
    row_of_vertex = np.repeat(row_of_ring, n_vertices)
    is_bad = np.bincount(row_of_part, minlength=n) == 0
    is_bad[row_of_part[n_rings == 0]] = True
    is_bad[row_of_ring[n_vertices < _LEAST[shape]]] = True
    if shape != "polygon":
        is_bad |= np.bincount(row_of_ring, minlength=n) != 1
    vertices = rings.flatten()
    for axis in ("x", "y"):
        is_bad[row_of_vertex[~np.isfinite(vertices.field(axis).to_numpy(zero_copy_only=False))]] = True
    what = "parts of rings" if shape == "polygon" else "one part of one ring"
    rule = f"must be {what} of at least {_LEAST[shape]} vertices, all of them finite"
    part.refuse(is_bad, Code.BAD_VALUE, lambda place: f"{rule}, got {shown(column[place].as_py())}")


def _check_points(column: pa.ListArray, shape: str, part: _Part) -> None:
    n = len(column)
    counts = _lengths(column)
    points = column.flatten()
    owner = np.repeat(np.arange(n), counts)
    is_bad = counts != 1 if shape == "point" else counts < 1
    for axis in ("x", "y"):
        values = points.field(axis).fill_null(np.nan).to_numpy(zero_copy_only=False)
        is_bad[owner[~np.isfinite(values)]] = True
    if shape == "skeleton":
        seen = points.field("visibility").fill_null(0).to_numpy(zero_copy_only=False)
        is_bad[owner[(seen < 0) | (seen > _VISIBLE)]] = True
        is_bad[owner[points.field("name").is_null().to_numpy(zero_copy_only=False)]] = True
        rule = "must be points with names, finite x and y, and a visibility of 0 to 3 or none"
    else:
        rule = "must be one point of finite x and y, as the class is of shape point"
    part.refuse(is_bad, Code.BAD_VALUE, lambda place: f"{rule}, got {shown(column[place].as_py())}")


def _check_masks(column: pa.StructArray, images: npt.NDArray[np.float64], part: _Part) -> None:
    runs, sizes = runs_of(column)
    is_bad = (runs.flaw != 0) | (sizes <= 0).any(axis=1)
    rule = "must have height, width and COCO's compressed run lengths of so many pixels"
    part.refuse(is_bad, Code.BAD_VALUE, lambda place: f"{rule}, got {shown(column[place].as_py())}")
    differs = (images > 0).all(axis=1) & (images != sizes).any(axis=1)

    def words(place: int) -> str:
        height, width = images[place].astype(np.int64).tolist()
        return f"must be {height} x {width} (height x width) as the image is, got {sizes[place, 0]} x {sizes[place, 1]}"

    part.refuse(differs, Code.SIZE_MISMATCH, words)


def _check_cuboids(column: pa.StructArray, part: _Part) -> None:
    values = np.stack([field.fill_null(np.nan).to_numpy(zero_copy_only=False) for field in column.flatten()])
    is_bad = ~np.isfinite(values).all(axis=0) | ~(values[7:] > 0).all(axis=0)
    rule = "must be finite, width, length and height greater than 0"
    part.refuse(is_bad, Code.BAD_VALUE, lambda place: f"{rule}, got {shown(column[place].as_py())}")


def _check_spans(rows: Rows, refusals: Refusals) -> None:
    is_span, is_class = rows.are(*SPANS), rows.are(CLASSIFICATION)
    in_span_row = np.array([header is not None and header.is_span for header in rows.headers])[rows.owner]
    rule = "must lie on ranges, as the data unit is sound or text"
    refusals.add(in_span_row & ~is_span & ~is_class, Code.CANNOT_HOLD, "kind", f"{rule}, got an object of a frame")
    rule = "must be an object of a frame, as the data unit has frames"
    refusals.add(is_span & ~in_span_row, Code.CANNOT_HOLD, "kind", f"{rule}, got a span")
    if is_span.any():
        has_ranges = np.array([_is_ranges(note.item.ranges) for note in rows.notes.items])[rows.notes.code]
        message = "must have ranges, [[start, end], ...], got none that hold"
        refusals.add(is_span & ~has_ranges, Code.CANNOT_HOLD, "attributes", message)
    everywhere = rows.is_global
    if is_class.any():
        told = np.array([note.item.is_global for note in rows.notes.items])[rows.notes.code]
        rule = "must be of a frame, as its classification is not global in the ontology"
        refusals.add(is_class & told & ~everywhere, Code.CANNOT_HOLD, "attributes", f"{rule}, got global")
        frame = rows.frame
        rule = "must be 0, as its classification is of the whole data unit"
        refusals.add(everywhere & (frame > 0), Code.FRAME_RANGE, "frame", lambda row: f"{rule}, got {frame[row]}")


def _is_ranges(raw: Raw) -> bool:
    """Tell whether ranges are [[start, end], ...], or places in HTML."""
    try:
        ranges = _decode_ranges(raw) if raw is not ABSENT else []
    except msgspec.DecodeError:
        return False
    return bool(ranges) and all(isinstance(each, dict) or each[0] <= each[1] for each in ranges)


def _check_identities(rows: Rows, refusals: Refusals) -> None:
    """Refuse objects that stand twice on a frame or are of two classes, and classifications answered twice."""
    is_empty = pc.equal(rows.ids, "").to_numpy(zero_copy_only=False)
    refusals.add(is_empty, Code.BAD_VALUE, "object_id", "must not be empty, got ''")
    is_class = rows.are(CLASSIFICATION)
    objects, answers = np.flatnonzero(~refusals.bad & ~is_class), np.flatnonzero(~refusals.bad & is_class)
    ids, chosen = rows.columns["object_id"], rows.features.chosen
    repeated = _repeated(rows, rows.frame, rows.code, objects)
    rule = "an object must stand once on a frame"
    _Part(objects, refusals, "object_id").refuse(
        repeated, Code.BAD_VALUE, lambda place: f"{rule}, got {ids[int(objects[place])].as_py()!r} a second time"
    )
    if len(rows.features.found) > 1:
        once = distinct(rows.owner[objects] * (int(rows.code.max(initial=0)) + 1) + rows.code[objects])
        differs = chosen[objects] != chosen[objects][once.first][once.which]
        names = rows.columns["class_name"]
        rule = "an object must have one class"

        def words(place: int) -> str:
            row, first = int(objects[place]), int(objects[once.first[once.which[place]]])
            return f"{rule}, got {names[row].as_py()!r} after {names[first].as_py()!r} for {ids[row].as_py()!r}"

        _Part(objects, refusals, "feature_hash").refuse(differs, Code.BAD_VALUE, words)
    twice = _repeated(rows, np.where(rows.is_global, -1, rows.frame), chosen, answers)
    rule = "a frame must have each classification once"
    _Part(answers, refusals, "class_name").refuse(
        twice,
        Code.BAD_VALUE,
        lambda place: f"{rule}, got {rows.columns['class_name'][int(answers[place])].as_py()!r} a second time",
    )


def _repeated(rows: Rows, frame: Ints, code: Ints, chosen: Ints) -> Bools:
    """Tell which of the chosen rows have label row, frame and code of one before them."""
    if not chosen.size:
        return np.zeros(0, np.bool_)
    places = np.stack([rows.owner, frame, rows.lane])[:, chosen]
    changes = (np.diff(places) != 0).any(axis=0)
    if (np.diff(places[0]) * (1 << 32) + np.diff(places[1]) < 0).any():  # those of the whole data unit
        changes[:] = True
        place = distinct(places[0] * (1 << 32) + places[1]).which
    else:
        place = np.append(0, np.cumsum(changes))
    once = distinct(place * (int(code.max(initial=0)) + 1) + code[chosen])
    repeated: Bools = np.arange(chosen.size) != once.first[once.which]
    return repeated


def _flag(rows: Rows, good: Bools, flags: Counter[str]) -> None:
    flags[NO_CONFIDENCE] += int((rows.columns["confidence"].is_null().to_numpy(zero_copy_only=False) & good).sum())
    streams = rows.columns["stream"]
    if streams.null_count < len(streams):
        has_stream = streams.is_valid().to_numpy(zero_copy_only=False)
        in_scene = np.array([header is not None and header.data_type == "scene" for header in rows.headers])
        flags["stream left out: label rows have no camera or lidar id"] += int(
            (has_stream & good & ~in_scene[rows.owner]).sum()
        )
    for name in ("mask", "cuboid", "keypoints"):
        column = rows.columns[name]
        if column.null_count < len(column):
            uses = [shape for shape, used in _COLUMNS.items() if used == name]
            is_spare = column.is_valid().to_numpy(zero_copy_only=False) & ~rows.are(*uses)
            flags[f"{name} left out of objects of another shape"] += int((is_spare & good).sum())


def _lengths(lists: pa.ListArray) -> npt.NDArray[np.int32]:
    lengths: npt.NDArray[np.int32] = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    return lengths
