"""Results of boxes, or annotations with polygons or run lengths, that are all written alike, as a prediction batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import empty, numbers_array
from predarrow.formats.coco.boxes import judge_borders
from predarrow.formats.coco.masks import masks_of_texts
from predarrow.formats.coco.rows import BBOX, BITMASK, POLYGON, CocoOptions, Floats, Ints, Rows
from predarrow.reader import Part
from predarrow.refusals import Refusals
from predarrow.table import SCHEMA, polygon_array

if TYPE_CHECKING:
    from predarrow_engine.coco_plain import PlainRecords
    from predarrow_engine.coco_plain_shapes import PlainShapes


_OFTEN = 1 << 15
"""Rows of a block, or less: the last ones are shorter, and take the numbers of those before."""


def plain_part(records: PlainRecords | PlainShapes, options: CocoOptions, source: str) -> Part | None:
    """Give records as a batch, its rows from 0; None where one is refused: the scan of every rule has words for it.

    Args:
        records: in pixels.
        options: how they become rows.
        source: the file.
    """
    from predarrow_engine.coco_columns import INT, Ids
    from predarrow_engine.coco_plain_shapes import PlainShapes

    n = records.image_id.size
    kind = np.broadcast_to(np.uint8(INT), n)
    nowhere = np.zeros((0, 2), np.int32)
    rows = Rows(
        Ids(kind, records.image_id, nowhere),
        Ids(kind, records.category_id, nowhere),
        b"",
        Refusals(_numbered(n)),
        options,
    )
    shapes = records if isinstance(records, PlainShapes) else None
    corners = records.corners if shapes is None else _take_shapes(rows, shapes)
    if corners is None:
        return None
    rows.place_images()
    rows.take_mask_sizes()
    rows.choose_classes()
    rows.look_at_masks()
    if options.on_outside is not None:
        is_box = rows.kinds == BBOX
        corners = judge_borders(
            corners, is_box, rows.sizes, options.on_outside, rows.left_out, rows.refusals, rows.report
        )
    if rows.refusals.bad.any():
        return None
    rows.flag()
    if rows.left_out.all():
        return Part([], rows.report)
    confidence = options.default_confidence if records.score is None else records.score
    attributes = None if shapes is None or not shapes.text.size else _attributes(shapes)
    return Part([rows.batch(corners, confidence, attributes, source)], rows.report)


def _take_shapes(rows: Rows, shapes: PlainShapes) -> Floats | None:
    """Add the column of polygons or masks; give boxes, else covers, None where a mask has a flaw."""
    if shapes.size is None:
        rows.kinds = np.broadcast_to(np.int64(POLYGON), rows.n)
        rows.columns["polygon"] = _polygons(shapes)
        return shapes.corners
    found = masks_of_texts(shapes.runs, shapes.run_offsets, shapes.size, wants_runs=rows.options.polygons)
    if found is None:
        return None
    rows.kinds = np.broadcast_to(np.int64(BITMASK), rows.n)
    rows.columns["mask"] = found.shaped.column
    rows.masks = found
    return found.shaped.cover if shapes.corners is None else shapes.corners


def _polygons(shapes: PlainShapes) -> pa.Array:
    """Give polygons as a column, each ring a part of its own."""
    n_rings = shapes.ring_offsets.size - 1
    parts = _kept_parts(1 << n_rings.bit_length())[: n_rings + 1]
    return polygon_array(shapes.x, shapes.y, shapes.ring_offsets, parts, shapes.rings)


def _attributes(shapes: PlainShapes) -> Callable[[Ints], pa.Array]:
    n, data = shapes.image_id.size, [None, pa.py_buffer(shapes.text_offsets), pa.py_buffer(shapes.text)]
    column = pa.Array.from_buffers(pa.string(), n, data)
    return lambda chosen: column if chosen.size == n else column.take(numbers_array(chosen))


def _numbered(n: int) -> npt.NDArray[np.int64]:
    return _kept(1 << max(n, _OFTEN).bit_length())[:n]


_kept = lru_cache(maxsize=1)(np.arange)


@lru_cache(maxsize=1)
def _kept_parts(n: int) -> npt.NDArray[np.int32]:
    return np.arange(n + 1, dtype=np.int32)


def moved(part: Part, first: int) -> Part:
    """Give a part whose rows are `first` further on."""
    return Part([_moved(batch, first) for batch in part.batches], part.report)


def _moved(batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
    place = SCHEMA.get_field_index("row")
    rows = np.frombuffer(batch.column(place).buffers()[1], np.int64, batch.num_rows)
    return batch.set_column(
        place, SCHEMA.field(place), numbers_array(np.add(rows, first, out=empty(rows.size, np.int64)))
    )
