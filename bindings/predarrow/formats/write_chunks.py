"""The table that is written, cut into chunks that hold whole data units: label rows, tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.given_table import given_batches, given_columns

CHUNK_ROWS = 16_384
_NEEDED = ("data_unit", "frame", "class_name", "kind")
COLUMNS = (
    *("data_unit", "frame", "object_id", "feature_hash", "class_name", "kind", "confidence", "bbox", "rotation"),
    *("polygon", "keypoints", "mask", "cuboid", "stream", "attributes", "image_height", "image_width", "row"),
)
"""Columns of the table that are looked at."""


def chunks_of(table: Any, columns: Sequence[str] = COLUMNS) -> Iterator[pa.RecordBatch]:
    """Give the rows of a table in chunks of some thousand, or of one data unit that has more.

    Args:
        table: predictions with `__arrow_c_stream__`; rows of a data unit one after the other.
        columns: of the table that are looked at, data_unit first.

    Raises:
        InputError: no Arrow table, or one without the columns.
    """
    pending: list[pa.RecordBatch] = []
    n_pending, last = 0, None
    for batch in _slices(table, columns):
        units = batch.column(0)
        changes = np.flatnonzero(pc.not_equal(units[1:], units[:-1]).to_numpy(zero_copy_only=False)) + 1
        cut = int(changes[-1]) if changes.size else 0
        begins_new = last is not None and units[0].as_py() != last
        last = units[-1].as_py()
        if (cut or begins_new) and n_pending + cut >= CHUNK_ROWS:
            yield pa.concat_batches([*pending, batch.slice(0, cut)])
            batch = batch.slice(cut)
            pending, n_pending = [], 0
        pending.append(batch)
        n_pending += batch.num_rows
    if pending:
        yield pa.concat_batches(pending)


def _slices(table: Any, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Give batches of some thousand rows in the table's types."""
    for batch in given_batches(table):
        columns = given_columns(batch, names, _NEEDED)
        whole = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
        for first in range(0, batch.num_rows, CHUNK_ROWS):
            yield whole.slice(first, CHUNK_ROWS)
