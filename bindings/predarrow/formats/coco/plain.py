"""Results of boxes that are all written alike, as a prediction batch."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import empty, numbers_array
from predarrow.formats.coco.boxes import judge_borders
from predarrow.formats.coco.rows import CocoOptions, Rows
from predarrow.reader import Part
from predarrow.refusals import Refusals
from predarrow.table import SCHEMA

if TYPE_CHECKING:
    from predarrow_engine.coco_plain import PlainRecords


def plain_part(records: PlainRecords, options: CocoOptions, source: str) -> Part | None:
    """Give results as a batch, its rows from 0; None where one is refused: the scan of every rule has words for it.

    Args:
        records: in pixels.
        options: how they become rows.
        source: the file.
    """
    from predarrow_engine.coco_columns import INT, Ids

    n = records.score.size
    kind = np.broadcast_to(np.uint8(INT), n)
    nowhere = np.zeros((0, 2), np.int32)
    rows = Rows(
        Ids(kind, records.image_id, nowhere),
        Ids(kind, records.category_id, nowhere),
        b"",
        Refusals(_numbered(n)),
        options,
    )
    rows.place_images()
    rows.choose_classes()
    corners = records.corners
    if options.on_outside is not None:
        is_box = np.ones(n, np.bool_)
        corners = judge_borders(
            corners, is_box, rows.sizes, options.on_outside, rows.left_out, rows.refusals, rows.report
        )
    if rows.refusals.bad.any():
        return None
    rows.flag()
    if rows.left_out.all():
        return Part([], rows.report)
    return Part([rows.batch(corners, records.score, None, source)], rows.report)


def _numbered(n: int) -> npt.NDArray[np.int64]:
    return _kept(1 << n.bit_length())[:n]


_kept = lru_cache(maxsize=1)(np.arange)


def moved(part: Part, first: int) -> Part:
    """Give a part whose rows are `first` further on."""
    return Part([_moved(batch, first) for batch in part.batches], part.report)


def _moved(batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
    place = SCHEMA.get_field_index("row")
    rows = np.frombuffer(batch.column(place).buffers()[1], np.int64, batch.num_rows)
    return batch.set_column(
        place, SCHEMA.field(place), numbers_array(np.add(rows, first, out=empty(rows.size, np.int64)))
    )
