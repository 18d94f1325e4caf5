"""What a batch of predictions has for COCO, and which of its rows COCO cannot hold.

mask                        -> segmentation: run lengths
polygon without holes       -> segmentation: lists of coordinates
polygon with holes          -> segmentation: run lengths, as COCO's lists of coordinates have no holes
ellipse, circle             -> segmentation: lists of coordinates of an outline; a rotated box's corners likewise, where
                               the format has no place for its rotation; their bbox is then the upright cover
cuboid in an image          -> segmentation: its front face
keypoints                   -> keypoints
box, and the cover of all   -> bbox
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.given_table import given_batches, given_columns
from predarrow.formats.write_text import Bools, Floats
from predarrow.geometry import covers, to_polygons
from predarrow.geometry.polygons import NO_DEPTH
from predarrow.refusals import Refusals
from predarrow.report import Code

BATCH_ROWS = 16_384

_NEEDED = ("data_unit", "frame", "class_name", "kind")
COLUMNS = (
    *("data_unit", "frame", "object_id", "class_name", "kind", "confidence", "bbox", "rotation", "polygon"),
    *("keypoints", "mask", "stream", "attributes", "image_height", "image_width"),
)
"""Columns of the table that are looked at."""

ROUND = ("ellipse", "circle")
"""Kinds of which COCO holds an outline only."""

_HELD = ("bbox", "rotated_bbox", "polygon", "bitmask", "keypoints", "skeleton", "cuboid_2d", *ROUND)
_FRONT, _TURNED = "cuboid_2d", "rotated_bbox"
RESULT_OUTLINES = (_TURNED, *ROUND)
"""Kinds of which results hold an outline only, as they have no rotation."""


@dataclass
class Rows:
    """Rows of one batch; `filter` leaves out those that are refused."""

    columns: dict[str, pa.Array]
    boxes: Floats
    """(4, n) xmin, ymin, xmax, ymax; NaN for none"""
    has_box: Bools
    has_mask: Bools
    has_polygon: Bools
    """of those without a mask"""
    has_holes: Bools
    has_keypoints: Bools

    def __len__(self) -> int:
        return len(self.has_box)

    def filter(self, chosen: Bools) -> Rows:
        """Give the rows that are chosen."""
        if chosen.all():
            return self
        mask = pa.array(chosen)
        columns = {name: column.filter(mask) for name, column in self.columns.items()}
        flags = (self.has_box, self.has_mask, self.has_polygon, self.has_holes, self.has_keypoints)
        return Rows(columns, self.boxes[:, chosen], *(flag[chosen] for flag in flags))


def batches_of(table: Any) -> Iterator[pa.RecordBatch]:
    """Give the batches of a table, a piece of some thousand rows at a time.

    Raises:
        InputError: no Arrow table.
    """
    for batch in given_batches(table):
        for first in range(0, batch.num_rows, BATCH_ROWS):
            yield batch.slice(first, BATCH_ROWS)


def rows_of(batch: pa.RecordBatch, refusals: Refusals, outlined: Collection[str] = ()) -> Rows:
    """Give a batch's rows; those whose values do not hold are refused.

    Args:
        batch: of predictions.
        refusals: of as many rows.
        outlined: kinds of which an outline and its cover are written, without their rotation.

    Raises:
        InputError: a table without the columns, or with others than the prediction table's types.
    """
    columns = given_columns(batch, COLUMNS, _NEEDED)
    frames = columns["frame"].to_numpy()
    refusals.add(frames < 0, Code.FRAME_RANGE, "frame", lambda row: f"must be at least 0, got {frames[row]}")
    score = columns["confidence"].fill_null(0.0).to_numpy()
    refusals.add(~np.isfinite(score), Code.BAD_NUMBER, "confidence", lambda row: f"must be finite, got {score[row]}")
    boxes, has_box = _boxes(columns["bbox"], refusals)
    _outline(columns, boxes, outlined, refusals)
    has_mask = _bools(columns["mask"].is_valid())
    is_area = _bools(pc.is_in(columns["kind"], pa.array(_HELD)))  # a polyline's polygon is none
    has_polygon, has_holes = _polygons(columns["polygon"], is_area & ~has_mask, refusals)
    has_keypoints = _keypoints(columns["keypoints"], refusals)
    return Rows(columns, boxes, has_box, has_mask, has_polygon, has_holes, has_keypoints)


def flags_of(rows: Rows) -> Iterator[tuple[str, int]]:
    """Give what of rows COCO has no place for, with the number of rows."""
    kinds = rows.columns["kind"].filter(pc.invert(pc.is_in(rows.columns["kind"], pa.array(_HELD))))
    for item in kinds.value_counts().to_pylist():
        yield f"{item['values']} left out: only its box is written", item["counts"]
    if n_fronts := int(_is_kind(rows, _FRONT).sum()):
        yield NO_DEPTH, n_fronts
    if n_streams := len(rows) - rows.columns["stream"].null_count:
        yield "stream left out: COCO has no camera or lidar id", n_streams


def outline_flags(rows: Rows) -> Iterator[tuple[str, int]]:
    """Give which kinds of rows became outlines, with the number of rows."""
    is_outlined = _bools(rows.columns["polygon"].is_valid())
    for kind, how in ((_TURNED, "its corners"), *((kind, "a polygon within 0.25 pixels of it") for kind in ROUND)):
        if n_rows := int((is_outlined & _is_kind(rows, kind)).sum()):
            yield f"{kind} written as {how}, with the upright box around it", n_rows


def _is_kind(rows: Rows, kind: str) -> Bools:
    return _bools(pc.equal(rows.columns["kind"], kind))


def is_rotated(rows: Rows) -> Bools:
    """Give which boxes are rotated."""
    is_turned: Bools = rows.columns["rotation"].fill_null(0.0).to_numpy() != 0
    return is_turned


def _boxes(column: pa.StructArray, refusals: Refusals) -> tuple[Floats, Bools]:
    sides = column.flatten()  # null where the box is
    boxes = np.stack([side.fill_null(np.nan).to_numpy() for side in sides])
    has_box = _bools(column.is_valid())
    left, top, right, bottom = boxes
    is_good = np.isfinite(boxes).all(0) & (left <= right) & (top <= bottom)
    rule = "corners must be finite and in order"
    refusals.add(has_box & ~is_good, Code.BAD_BOX, "bbox", lambda row: f"{rule}, got {boxes[:, row].tolist()}")
    return boxes, has_box


def _outline(columns: dict[str, pa.Array], boxes: Floats, outlined: Collection[str], refusals: Refusals) -> None:
    """Give rows of some kinds their outline as polygon and its cover as box, in place of their box and rotation."""
    rotation = columns["rotation"].fill_null(0.0).to_numpy()
    is_finite = np.isfinite(rotation)
    rule = "must be finite"
    refusals.add(~is_finite, Code.BAD_NUMBER, "rotation", lambda row: f"{rule}, got {rotation[row]}")
    is_chosen = (
        _bools(pc.is_in(columns["kind"], pa.array(list(outlined), pa.string()))) & ~np.isnan(boxes[0]) & ~refusals.bad
    )
    is_chosen &= (rotation != 0) | _bools(pc.is_in(columns["kind"], pa.array(ROUND)))
    boxed = {name: columns[name] for name in ("kind", "bbox", "rotation")}
    none = pa.scalar(None, pa.float64())
    columns["rotation"] = pc.if_else(pa.array(is_finite & ~is_chosen), columns["rotation"], none)
    if not is_chosen.any():
        return
    chosen = pa.array(is_chosen)
    table = pa.table(boxed).filter(chosen)
    polygons, cover = (make(table).column.combine_chunks() for make in (to_polygons, covers))
    order = np.where(is_chosen, np.cumsum(is_chosen) - 1, len(cover) + np.arange(len(rotation)))
    columns["polygon"] = pa.concat_arrays([polygons, columns["polygon"]]).take(order)
    boxes[:, is_chosen] = [side.to_numpy() for side in cover.flatten()]


def _polygons(column: pa.ListArray, chosen: Bools, refusals: Refusals) -> tuple[Bools, Bools]:
    """Tell which of the chosen rows have a polygon, and which of these one with holes."""
    n_rows = len(column)
    has_polygon = chosen & _bools(column.is_valid())
    if not has_polygon.any():
        return has_polygon, has_polygon
    parts = column.flatten()
    row_of_part = np.repeat(np.arange(n_rows), _lengths(column))
    n_rings = _lengths(parts)
    rings = parts.flatten()
    row_of_ring = np.repeat(row_of_part, n_rings)
    n_vertices = _lengths(rings)
    vertices = rings.flatten()
    row_of_vertex = np.repeat(row_of_ring, n_vertices)
    is_bad = np.bincount(row_of_part, minlength=n_rows) == 0
    is_bad[row_of_part[n_rings == 0]] = True
    is_bad[row_of_ring[n_vertices < 3]] = True
    for axis in ("x", "y"):
        is_bad[row_of_vertex[~np.isfinite(vertices.field(axis).to_numpy(zero_copy_only=False))]] = True
    rule = "must have parts of rings of at least 3 vertices, all of them finite"
    refusals.add(has_polygon & is_bad, Code.BAD_TABLE, "polygon", rule)
    has_holes = np.zeros(n_rows, np.bool_)
    has_holes[row_of_part[n_rings > 1]] = True
    return has_polygon, has_holes & has_polygon


def _keypoints(column: pa.ListArray, refusals: Refusals) -> Bools:
    has_keypoints = _bools(column.is_valid())
    points = column.flatten()
    row_of_point = np.repeat(np.arange(len(column)), _lengths(column))
    is_bad = np.zeros(len(column), np.bool_)
    for axis in ("x", "y"):
        is_bad[row_of_point[~np.isfinite(points.field(axis).fill_null(np.nan).to_numpy(zero_copy_only=False))]] = True
    refusals.add(is_bad, Code.BAD_TABLE, "keypoints", "x and y must be finite")
    return has_keypoints


def _lengths(lists: pa.ListArray) -> npt.NDArray[np.int32]:
    lengths: npt.NDArray[np.int32] = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    return lengths


def _bools(column: pa.Array) -> Bools:
    values: Bools = column.to_numpy(zero_copy_only=False)
    return values
