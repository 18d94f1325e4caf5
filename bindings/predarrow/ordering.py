"""Prediction rows into the table's order, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.buffers import bools_of, numbers_array, text_array
from predarrow.reader import Part
from predarrow.report import Report
from predarrow.table import SCHEMA

WINDOW_BYTES = 128 << 20
"""Some 600,000 boxes. Three times as much is held while a window is sorted."""

_ROW = SCHEMA.get_field_index("row")
_LAST = np.iinfo(np.int64).max


class Keyed(NamedTuple):
    """A batch and the order of its rows."""

    batch: pa.RecordBatch
    keys: npt.NDArray[np.int64]
    """(n,) place of the data unit among all, times 2**32, plus the frame"""


def keys(ranks: npt.NDArray[np.int64], frames: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Give the order of rows by data unit and frame.

    Args:
        ranks: (n,) place of each row's data unit among all.
        frames: (n,) 0 to 2**31 - 1.
    """
    return ranks << 32 | frames


def sorted_parts(parts: Iterable[tuple[list[Keyed], Report]], *, window_bytes: int = WINDOW_BYTES) -> Iterator[Part]:
    """Give rows sorted by data unit, frame and row, a window at a time; ties stay in the order they came in.

    What fits one window comes out sorted as a whole, and so does what came sorted. Of more that is not, each window
    is sorted for itself.

    Args:
        parts: batches with their keys, and what is to be reported of them.
        window_bytes: of Arrow data in a window.
    """
    window: list[Keyed] = []
    n_bytes = 0
    for keyed, report in parts:
        window += keyed
        n_bytes += sum(item.batch.nbytes for item in keyed)
        yield Part([], report)
        if n_bytes >= window_bytes:
            yield Part(_sorted(window), Report())
            window, n_bytes = [], 0
    yield Part(_sorted(window), Report())


def sorted_by_name(parts: Iterable[Part]) -> Iterator[Part]:
    """Give rows as `sorted_parts` does, a window at a time, by the names of their data units; parts keep their reports.

    Args:
        parts: batches of the prediction table, and what is to be reported of them.
    """
    return sorted_parts(_windows(parts), window_bytes=0)


def _windows(parts: Iterable[Part]) -> Iterator[tuple[list[Keyed], Report]]:
    window: list[pa.RecordBatch] = []
    n_bytes = 0
    for batches, report in parts:
        window += batches
        n_bytes += sum(batch.nbytes for batch in batches)
        if n_bytes >= WINDOW_BYTES:
            yield _keyed(window), report
            window, n_bytes = [], 0
        else:
            yield [], report
    yield _keyed(window), Report()


def _keyed(window: Sequence[pa.RecordBatch]) -> list[Keyed]:
    """Give the order of rows of one window: data units by name."""
    units = [pc.unique(batch.column("data_unit")) for batch in window]
    wanted = text_array(sorted({name.as_py() for each in units for name in each}))
    result = []
    for batch in window:
        ranks = np.from_dlpack(pc.index_in(batch.column("data_unit"), value_set=wanted)).astype(np.int64)
        result.append(Keyed(batch, keys(ranks, np.from_dlpack(batch.column("frame")).astype(np.int64))))
    return result


def _sorted(window: list[Keyed]) -> list[pa.RecordBatch]:
    batches = [item.batch for item in window if item.batch.num_rows]
    if not batches:
        return []
    key = np.concatenate([item.keys for item in window])
    row = np.concatenate([_rows(item.batch) for item in window])
    step = np.diff(key)
    if bool(((step > 0) | ((step == 0) & (np.diff(row) >= 0))).all()):
        return batches
    order = numbers_array(np.lexsort((row, key)))
    table = pa.Table.from_batches(batches, SCHEMA)
    columns = [
        pa.nulls(len(column), column.type) if column.null_count == len(column) else column.combine_chunks().take(order)
        for column in table.columns
    ]
    return list(pa.Table.from_arrays(columns, schema=SCHEMA).to_batches())


def _rows(batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
    """Give the column of rows, the greatest number where there is none."""
    column = batch.column(_ROW)
    rows = np.full(len(column), _LAST, np.int64)
    rows[bools_of(column.is_valid())] = np.from_dlpack(column.drop_null())
    return rows
