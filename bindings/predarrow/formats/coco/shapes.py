"""Polygons, run lengths and keypoints of COCO's records as the columns of the prediction table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.buffers import numbers_array, offsets_of, text_array, validity
from predarrow.formats.coco.checks import Block
from predarrow.table import KEYPOINTS, PolygonColumns, polygon_array

if TYPE_CHECKING:
    pass

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_MOST_VISIBLE = 2


class Shaped(NamedTuple):
    """A column and the boxes that cover what is in it."""

    column: pa.Array
    """(n,) null where there is nothing"""
    cover: Floats
    """(4, n) xmin, ymin, xmax, ymax in pixels; NaN where there is nothing to cover"""


def polygons(block: Block, is_polygon: Bools, needs_cover: Bools) -> Shaped:
    """Give the polygons of records, each ring a part of its own.

    Args:
        block: all of its rings have whole vertices where `is_polygon`.
        is_polygon: (n,) records to give.
        needs_cover: (n,) records without a box; where none of them has a polygon, covers are NaN.
    """
    shapes = block.records.segmentation
    x, y, offsets, n_rings = shapes.x, shapes.y, shapes.ring_offsets, np.diff(shapes.rings)
    if n_rings[~is_polygon].any():
        is_kept, lengths = np.repeat(is_polygon, n_rings), np.diff(offsets)
        are_kept = np.repeat(is_kept, lengths)
        x, y, offsets = x[are_kept], y[are_kept], offsets_of(lengths[is_kept])
        n_rings = np.where(is_polygon, n_rings, 0)
    parts = np.arange(offsets.size, dtype=np.int32)
    columns = PolygonColumns(x, y, offsets, parts, offsets_of(n_rings))
    cover = _cover(columns) if (is_polygon & needs_cover).any() else np.full((4, is_polygon.size), np.nan)
    return Shaped(polygon_column(columns, is_polygon), cover)


def _cover(columns: PolygonColumns) -> Floats:
    """(4, n) what polygons lie in, NaN without a vertex."""
    first = columns.ring_offsets[columns.part_offsets[columns.row_offsets]]
    cover = np.full((4, first.size - 1), np.nan)
    filled = np.flatnonzero(np.diff(first) > 0)
    if filled.size:
        starts = first[filled]
        edges = [
            reduce.reduceat(axis, starts) for reduce in (np.minimum, np.maximum) for axis in (columns.x, columns.y)
        ]
        cover[:, filled] = np.stack(edges)
    return cover


def polygon_column(columns: PolygonColumns, is_polygon: Bools) -> pa.Array:
    """Give flat polygons as a column, null where there is none."""
    array = polygon_array(*columns)
    if is_polygon.all():
        return array
    return pa.Array.from_buffers(
        array.type, len(array), [validity(is_polygon), array.buffers()[1]], children=[array.values]
    )


def keypoints(block: Block, has_points: Bools, names: Mapping[str, Sequence[str]], categories: Sequence[str]) -> Shaped:
    """Give the keypoints of records; a point that COCO calls not labelled, (0, 0, 0), is in no cover.

    Visibility is null where the file has another number than 0, 1 or 2, such as a confidence.

    Args:
        block: its keypoints are finite, three numbers each.
        has_points: (n,) records to give.
        names: of points, by the category's id; used where there are as many as points.
        categories: (n,) ids as text.
    """
    points = block.records.keypoints
    lengths = np.where(has_points, np.diff(points.offsets), 0)
    kept = points.values
    if lengths.sum() < kept.size:
        kept = kept[np.repeat(has_points, np.diff(points.offsets))]
    x, y, visibility = kept.reshape(-1, 3).T
    offsets = offsets_of(lengths // 3)
    cover = np.full((4, has_points.size), np.nan)
    is_placed = (x != 0) | (y != 0) | (visibility != 0)
    owner = np.repeat(np.arange(has_points.size), lengths // 3)[is_placed]
    rows, starts = np.unique(owner, return_index=True)
    if rows.size:
        axes = x[is_placed].astype(np.float32), y[is_placed].astype(np.float32)
        cover[:, rows] = [reduce.reduceat(axis, starts) for reduce in (np.minimum, np.maximum) for axis in axes]
    is_flag = np.isin(visibility, range(_MOST_VISIBLE + 1))
    children = [
        _point_names(names, categories, offsets),
        numbers_array(x.astype(np.float32)),
        numbers_array(y.astype(np.float32)),
        numbers_array(np.where(is_flag, visibility, 0).astype(np.int8), is_valid=is_flag),
    ]
    values = pa.StructArray.from_arrays(children, fields=list(KEYPOINTS.value_type))
    column = pa.Array.from_buffers(
        KEYPOINTS, has_points.size, [validity(has_points), pa.py_buffer(offsets)], children=[values]
    )
    return Shaped(column, cover)


def has_confidences(block: Block, has_points: Bools) -> Bools:
    """Tell which records have keypoints whose third number is no visibility of 0, 1 or 2."""
    points = block.records.keypoints
    result = np.zeros(has_points.size, np.bool_)
    numbers = np.arange(points.values.size)
    owner = np.repeat(np.arange(has_points.size), np.diff(points.offsets))
    is_third = (numbers - points.offsets[owner]) % 3 == 2
    is_odd = is_third & ~np.isin(points.values, range(_MOST_VISIBLE + 1))
    result[owner[is_odd]] = True
    return result & has_points


def _point_names(
    names: Mapping[str, Sequence[str]], categories: Sequence[str], offsets: npt.NDArray[np.int32]
) -> pa.Array:
    n_points = np.diff(offsets)
    if not names:
        return pa.nulls(int(offsets[-1]), pa.string())
    flat = [name for key in names for name in names[key]]
    starts = dict(zip(names, np.cumsum([0, *map(len, names.values())]).tolist()[:-1], strict=True))
    first = [
        starts[key] if key in names and len(names[key]) == n else -1
        for key, n in zip(categories, n_points.tolist(), strict=True)
    ]
    of_row = np.repeat(np.array(first, np.int64), n_points)
    places = np.arange(of_row.size) - np.repeat(offsets[:-1], n_points) + of_row
    return text_array(flat).take(numbers_array(places, is_valid=of_row >= 0))


def merged(first: pa.Array | None, second: pa.Array | None) -> pa.Array | None:
    """Give the first column, the second where that is null."""
    if first is None or second is None:
        return second if first is None else first
    return pc.coalesce(first, second)
