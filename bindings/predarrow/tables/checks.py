"""Rules that rows of a table must keep: numbers, boxes, polygons, masks, attributes."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.objects.checks import Bools, Floats, Ints, flag_outside
from predarrow.objects.columns import cover_of
from predarrow.refusals import Refusals, shown
from predarrow.report import EMPTY_MASK, Code, Report
from predarrow.table import bbox_array

Columns = dict[str, pa.Array]
"""The prediction table's columns by name."""

HOLDERS = {
    "bbox": "bbox",
    "rotated_bbox": "bbox",
    "polygon": "polygon",
    "polyline": "polygon",
    "keypoints": "keypoints",
    "skeleton": "keypoints",
    "bitmask": "mask",
    "ellipse": "bbox",
    "circle": "bbox",
    "cuboid": "cuboid",
    "cuboid_2d": "polygon",
    "span": "attributes",
}
"""The column that must not be null in rows of a kind."""

ODD_CONFIDENCE = "confidence beyond 0 to 1"
"""Flag of confidences that are no share of 1: some models give scores of their own scale."""

_TURNED = ("rotated_bbox", "ellipse", "circle")  # whose bbox is that of the shape before it is rotated
_LEAST_VERTICES = {"polygon": 3, "polyline": 1}


def check_present(columns: Columns, refusals: Refusals) -> None:
    """Refuse rows whose kind needs a column that is null."""
    kinds = columns["kind"].fill_null("")
    for kind, name in HOLDERS.items():
        column = columns[name]
        if column.null_count:
            is_kind = _bools(pc.equal(kinds, kind))
            is_null = _bools(column.is_null())
            refusals.add(is_kind & is_null, Code.BAD_TABLE, f"column {name}", f"must not be null for a {kind}")
    rotation = columns["rotation"]
    if rotation.null_count:
        is_lost = _bools(pc.and_(pc.equal(kinds, "rotated_bbox"), rotation.is_null()))
        refusals.add(is_lost, Code.BAD_TABLE, "column rotation", "must not be null for a rotated_bbox")


def check_numbers(columns: Columns, refusals: Refusals) -> None:
    """Refuse confidences and rotations that are not finite, and rows in their source that are negative."""
    for name in ("confidence", "rotation"):
        column = columns[name]
        if column.null_count == len(column):
            continue
        values = column.fill_null(0.0).to_numpy(zero_copy_only=False)
        _refuse(~np.isfinite(values), name, "must be a finite number or null", values, refusals)
    rows = columns["row"].fill_null(0).to_numpy(zero_copy_only=False)
    _refuse(rows < 0, "row", "must be at least 0 or null", rows, refusals)


def flag_confidences(columns: Columns, refusals: Refusals, report: Report) -> None:
    """Count confidences that are no share of 1, which are kept as they are."""
    values = columns["confidence"].fill_null(0.0).to_numpy(zero_copy_only=False)
    if n_odd := int((~refusals.bad & ((values < 0) | (values > 1))).sum()):
        report.flagged[ODD_CONFIDENCE] += n_odd


def checked_boxes(columns: Columns, covers: Floats | None, sizes: Ints, refusals: Refusals, report: Report) -> pa.Array:
    """Give the bbox column, filled where it is null and a cover is known; bad boxes are refused.

    Args:
        columns: of the prediction table.
        covers: (4, n) of polygons, masks and keypoints, NaN where there is none; None for none at all.
        sizes: (n, 2) height and width, 0 where unknown.
        refusals: of as many rows.
        report: told of boxes beyond their images.
    """
    from predarrow_engine.boxes import NEGATIVE_SIZE, NOT_FINITE, judge

    column = columns["bbox"]
    is_null = _bools(column.is_null())
    if is_null.all() and covers is None:
        return column
    corners = np.stack([side.fill_null(np.nan).to_numpy(zero_copy_only=False) for side in column.flatten()])
    if covers is not None and is_null.any():
        is_filled = is_null & ~np.isnan(covers[0])
        corners[:, is_filled] = covers[:, is_filled]
        is_null &= ~is_filled
    codes = judge(corners)

    def words(row: int) -> str:
        return f"must be finite, right and bottom not before left and top, got {corners[:, row].tolist()}"

    is_bad = ((codes == NOT_FINITE) | (codes == NEGATIVE_SIZE)) & ~is_null
    refusals.add(is_bad, Code.BAD_BOX, "column bbox", words)
    rotation = columns["rotation"].fill_null(0.0).to_numpy(zero_copy_only=False)
    is_turned = _bools(pc.is_in(columns["kind"], pa.array(_TURNED))) & (rotation != 0)
    flag_outside("box", np.where(is_null, 0.0, corners), sizes, refusals, is_turned, report)
    if not is_null.any():
        return bbox_array(corners)
    fields = [pa.array(side, pa.float64()) for side in corners]
    return pa.StructArray.from_arrays(fields, fields=list(column.type), mask=pa.array(is_null))


def check_polygons(columns: Columns, refusals: Refusals) -> Floats | None:
    """Refuse polygons with rings that are too short, not finite or null; give covers, (4, n), NaN for no polygon.

    None where the column has no polygon at all.
    """
    column = columns["polygon"]
    n_rows = len(column)
    if column.null_count == n_rows:
        return None
    kinds = columns["kind"].fill_null("")
    least = np.where(_bools(pc.equal(kinds, "polyline")), _LEAST_VERTICES["polyline"], _LEAST_VERTICES["polygon"])
    of_row = _bools(column.is_valid())
    level: Any = column
    owner = np.arange(n_rows)  # row of the table of each list of this level
    for what in ("part", "ring", "vertex"):
        lengths = pc.list_value_length(level).fill_null(0).to_numpy(zero_copy_only=False)
        shortest = least[owner] if what == "vertex" else 1
        too_short = np.zeros(n_rows, np.bool_)
        too_short[owner[(lengths < shortest) & of_row[owner]]] = True
        refusals.add(too_short, Code.BAD_TABLE, "column polygon", partial(_too_short, what, least))
        owner = np.repeat(owner, lengths)
        level = level.flatten()
    return _covers(level, owner, n_rows, refusals)


def _too_short(what: str, least: Ints, row: int) -> str:
    if what == "vertex":
        return f"each ring must have at least {least[row]} {'vertex' if least[row] == 1 else 'vertices'}"
    return f"must have parts of rings, none of them null, got no {what} in one"


def _covers(vertices: pa.Array, owner: Ints, n_rows: int, refusals: Refusals) -> Floats:
    covers = np.full((4, n_rows), np.nan)
    if not len(vertices):
        return covers
    x, y = (axis.to_numpy(zero_copy_only=False) for axis in vertices.flatten())
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    covers[:, owner[first]] = cover_of(x, y, first)
    is_bad = np.zeros(n_rows, np.bool_)
    is_bad[owner[first]] = ~np.isfinite(covers[:, owner[first]]).all(0)
    refusals.add(is_bad, Code.BAD_TABLE, "column polygon", "vertices must be finite 32-bit floats")
    return covers


def check_masks(columns: Columns, sizes: Ints, refusals: Refusals, report: Report) -> Floats | None:
    """Refuse masks that are incomplete, of another size than their image, or do not decode; give covers, (4, n).

    Covers are NaN for no mask; None where the column has no mask at all. Bitmasks without a pixel are left out by rule.
    """
    from predarrow_engine.rle_cover import covers

    column = columns["mask"]
    if column.null_count == len(column):
        return None
    is_valid = _bools(column.is_valid())
    heights, widths, counts = column.flatten()
    is_incomplete = np.zeros(len(column), np.bool_)
    for field in (heights, widths, counts):
        is_incomplete |= _bools(field.is_null())
    message = "height, width and counts must not be null"
    refusals.add(is_valid & is_incomplete, Code.BAD_TABLE, "column mask", message)
    own = np.stack([side.fill_null(0).to_numpy() for side in (heights, widths)], 1).astype(np.int64, order="C")
    differs = ((sizes != own) & (sizes > 0) | (own <= 0)).any(1)

    def other_size(row: int) -> str:
        (height, width), (has_height, has_width) = sizes[row], own[row]
        return f"must be {width} x {height} pixels as its data unit is, got {has_width} x {has_height}"

    def no_mask(row: int) -> str:
        height, width = own[row]
        got = shown(counts[row].as_py())
        return f"counts must be COCO's compressed run lengths of {width} x {height} pixels, got {got}"

    refusals.add(is_valid & differs, Code.SIZE_MISMATCH, "column mask", other_size)
    strings, offsets = _flat(counts)
    found = covers(strings, offsets, np.maximum(own, 0))
    refusals.add(is_valid & (found.area < 0), Code.BAD_TABLE, "column mask", no_mask)
    is_empty = is_valid & (found.area == 0) & ~refusals.bad & _bools(pc.equal(columns["kind"].fill_null(""), "bitmask"))
    if is_empty.any():
        report.skipped[EMPTY_MASK] += int(is_empty.sum())
        refusals.bad |= is_empty
    return found.bbox


def _flat(strings: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Give the bytes of a binary column and (n + 1,) where each row's begin."""
    _, offsets, data = strings.buffers()
    flat = np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
    return flat, np.frombuffer(offsets, np.int32, len(strings) + 1, 4 * strings.offset)


def check_attributes(columns: Columns, refusals: Refusals) -> None:
    """Refuse attributes that are no JSON object."""
    column = columns["attributes"]
    if column.null_count == len(column):
        return
    encoded = column.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    wrong = [place for place, text in enumerate(texts) if not _is_json_object(text)]
    if wrong:
        places = encoded.indices.fill_null(-1).to_numpy()
        rule = "must be a JSON object or null"
        is_bad = np.isin(places, wrong)
        refusals.add(
            is_bad, Code.BAD_TABLE, "column attributes", lambda row: f"{rule}, got {shown(texts[places[row]])}"
        )


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _refuse(where: Bools, name: str, rule: str, values: npt.NDArray[Any], refusals: Refusals) -> None:
    refusals.add(where, Code.BAD_TABLE, f"column {name}", lambda row: f"{rule}, got {values[row]}")


def _bools(column: pa.Array) -> Bools:
    values: Bools = column.to_numpy(zero_copy_only=False)
    return values
