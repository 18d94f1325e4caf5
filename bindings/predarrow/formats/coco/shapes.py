"""Polygons, run lengths and keypoints of COCO's records as the columns of the prediction table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.buffers import numbers_array, text_array, validity
from predarrow.formats.coco.checks import Block
from predarrow.refusals import Refusals
from predarrow.report import Code
from predarrow.table import KEYPOINTS, MASK, PolygonColumns, polygon_array

if TYPE_CHECKING:
    from predarrow_engine.rle_text import RunLengths

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_MOST_VISIBLE = 2


class Shaped(NamedTuple):
    """A column and the boxes that cover what is in it."""

    column: pa.Array
    """(n,) null where there is nothing"""
    cover: Floats
    """(4, n) xmin, ymin, xmax, ymax in pixels; NaN where there is nothing to cover"""


def polygons(block: Block, is_polygon: Bools) -> Shaped:
    """Give the polygons of records, each ring a part of its own; a first vertex repeated at the end is left out.

    Args:
        block: all of its rings have whole vertices where `is_polygon`.
        is_polygon: (n,) records to give.
    """
    shapes = block.records.segmentation
    lengths = np.diff(shapes.ring_offsets)
    n_rings = np.where(is_polygon, np.diff(shapes.rings), 0)
    coordinates = shapes.coordinates
    if n_rings.sum() < lengths.size:
        is_kept = np.repeat(is_polygon, np.diff(shapes.rings))
        coordinates = coordinates[np.repeat(is_kept, lengths)]
        lengths = lengths[is_kept]
    x, y = coordinates[0::2], coordinates[1::2]
    offsets = offsets_of(lengths // 2)
    if lengths.size:
        first, last = offsets[:-1], offsets[1:] - 1
        is_closed = (x[first] == x[last]) & (y[first] == y[last])
        if is_closed.any():
            stays = np.ones(x.size, np.bool_)
            stays[last[is_closed]] = False
            x, y, offsets = x[stays], y[stays], offsets_of(lengths // 2 - is_closed)
    columns = PolygonColumns(
        x.astype(np.float32),
        y.astype(np.float32),
        offsets,
        np.arange(lengths.size + 1, dtype=np.int32),
        offsets_of(n_rings),
    )
    return shaped_polygons(columns, is_polygon)


def shaped_polygons(columns: PolygonColumns, is_polygon: Bools) -> Shaped:
    """Give flat polygons as a column, null where there is none, with their covers."""
    first = columns.ring_offsets[columns.part_offsets[columns.row_offsets]]
    cover = np.full((4, is_polygon.size), np.nan)
    filled = np.flatnonzero(np.diff(first) > 0)
    if filled.size:
        starts = first[filled]
        edges = [
            reduce.reduceat(axis, starts) for reduce in (np.minimum, np.maximum) for axis in (columns.x, columns.y)
        ]
        cover[:, filled] = np.stack(edges)
    array = polygon_array(*columns)
    if not is_polygon.all():
        array = pa.Array.from_buffers(
            array.type, len(array), [validity(is_polygon), array.buffers()[1]], children=[array.values]
        )
    return Shaped(array, cover)


class Masks(NamedTuple):
    """Run lengths of a block's records."""

    shaped: Shaped
    runs: RunLengths
    """(n,) decoded; a record without run lengths has no counts"""
    sizes: npt.NDArray[np.int64]
    """(n, 2) height and width, 0 for a record without run lengths"""


def masks(block: Block, refusals: Refusals) -> Masks:
    """Give the run lengths of records as canonical strings; those with a flaw are refused."""
    from predarrow_engine import rle_text
    from predarrow_engine.coco_columns import COUNTS, RLE
    from predarrow_engine.rle_cover import covers_of_runs

    shapes = block.records.segmentation
    is_text, is_list = shapes.kind == RLE, shapes.kind == COUNTS
    runs = rle_text.from_strings(shapes.text, shapes.text_offsets, np.where(is_text[:, None], shapes.size, 0))
    if is_list.any():
        sizes = np.where(is_list[:, None], shapes.size, 0)
        runs = _joined(runs, rle_text.from_counts(shapes.counts, shapes.count_offsets.astype(np.int64), sizes))
    for row in np.flatnonzero((runs.flaw != rle_text.OK) & ~refusals.bad).tolist():
        refusals.add_one(row, Code.BAD_VALUE, *run_length_flaw(block, runs, row))
    strings, offsets = rle_text.to_strings(runs.counts, runs.offsets)
    is_mask = (is_text | is_list) & (runs.flaw == rle_text.OK)
    sizes = np.where(is_mask[:, None], shapes.size, 0)
    counts = pa.Array.from_buffers(pa.binary(), is_mask.size, [None, pa.py_buffer(offsets), pa.py_buffer(strings)])
    sides = [numbers_array(side, pa.int32()) for side in sizes.T]
    column = pa.Array.from_buffers(MASK, is_mask.size, [validity(is_mask)], children=[*sides, counts])
    return Masks(Shaped(column, covers_of_runs(runs, sizes).bbox), runs, sizes)


def _joined(texts: RunLengths, lists: RunLengths) -> RunLengths:
    """Give the run lengths of records of which each has one kind at most."""
    lengths = [np.diff(runs.offsets) for runs in (texts, lists)]
    offsets = np.concatenate([[0], np.cumsum(lengths[0] + lengths[1])])
    counts = np.empty(offsets[-1], np.uint32)
    for runs, own in zip((texts, lists), lengths, strict=True):
        counts[np.repeat(offsets[:-1] - runs.offsets[:-1], own) + np.arange(runs.counts.size)] = runs.counts
    is_list = texts.flaw == 0  # or neither has a flaw
    return texts._replace(
        counts=counts,
        offsets=offsets,
        flaw=np.where(is_list, lists.flaw, texts.flaw),
        place=np.where(is_list, lists.place, texts.place),
        total=np.where(is_list, lists.total, texts.total),
    )


def run_length_flaw(block: Block, runs: RunLengths, row: int) -> tuple[str, str]:
    """Give the place of a flaw in a record's run lengths, and what should stand there."""
    from predarrow_engine import rle_text
    from predarrow_engine.coco_columns import COUNTS

    shapes = block.records.segmentation
    height, width = shapes.size[row].tolist()
    flaw, place = int(runs.flaw[row]), int(runs.place[row])
    if flaw == rle_text.TOO_LARGE:
        limit = f"at least 0, and {rle_text.PIXEL_LIMIT} pixels at most"
        return ".segmentation.size", f"height and width must be {limit}, got {height} and {width}"
    if shapes.kind[row] == COUNTS:
        where, at = f".segmentation.counts[{place}]", f"count {place}"
    else:
        where, at = ".segmentation.counts", f"byte {place}"
    if flaw == rle_text.WRONG_SUM:
        rule = f"must sum to {height * width} (height {height} * width {width})"
        return ".segmentation.counts", f"{rule}, got {runs.total[row]}"
    if flaw == rle_text.NEGATIVE_COUNT:
        return where, f"must not be negative, got a negative count at {at}"
    text = shapes.text[slice(*shapes.text_offsets[row : row + 2].tolist())].tobytes()
    if text[:2] in (b"b'", b'b"'):
        hint = 'a Python bytes literal: write counts.decode("ascii") to the file'
        return where, f"must be COCO's run lengths as text, got {hint}"
    if flaw == rle_text.BAD_CHARACTER:
        return where, f"must be characters '0' to 'o', got {text[place : place + 1]!r} at {at}"
    if flaw == rle_text.TRUNCATED:
        return where, f"must end with a whole number, got one that breaks off at {at}"
    return where, f"must be numbers of at most 60 bits, got a longer one at {at}"


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


def offsets_of(lengths: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Give where lists of these lengths begin, and where the last one ends."""
    result = np.zeros(lengths.size + 1, np.int32)
    np.cumsum(lengths, out=result[1:])
    return result


def merged(first: pa.Array | None, second: pa.Array | None) -> pa.Array | None:
    """Give the first column, the second where that is null."""
    if first is None or second is None:
        return second if first is None else first
    return pc.coalesce(first, second)
