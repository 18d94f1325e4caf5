"""Rows of several prediction sets as one stream, those of a data unit together, each with its model version.

Sets that came from the same tasks each tell them, and where their rows stood there: here a task is told once, in front
of all its rows, and no two sets have rows in one prediction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET

from predarrow.buffers import numbers_array, text_array
from predarrow.export_rows import set_rows
from predarrow.label_studio_kept import NOTHING, Kept, Place, attributes_of, with_place, with_version
from predarrow.project import Project
from predarrow.table import SCHEMA

Ints = npt.NDArray[np.int64]

COLUMNS = [name for name in SCHEMA.names if name != "feature_hash"]
"""Columns of a set that are read."""

_GIVEN = [name for name in COLUMNS if name != "source"]
"""Columns of the merged rows, which stand as if they were of one file."""
_UNIT, _ATTRIBUTES, _SOURCE = (COLUMNS.index(name) for name in ("data_unit", "attributes", "source"))
_KEY = '"label_studio"'


def merged_sets(project: Project, names: Sequence[str]) -> pa.RecordBatchReader:
    """Give the rows of sets in the order of data units, of these by task, and of these in the sets' order.

    A row's model version is that in its attributes, else its set's name. Memory holds a batch of each set.

    Args:
        project: has the sets.
        names: of the sets.

    Raises:
        ProjectError: no such set.
    """
    streams = [_Stream(set_rows(project, name, None, COLUMNS), name) for name in names]
    schema = pa.schema([SCHEMA.field(name) for name in _GIVEN], SCHEMA.metadata)
    return pa.RecordBatchReader.from_batches(schema, _merged(streams))


class _Stream:
    """Rows of one set that wait for those of the others.

    Args:
        rows: in the order of data units.
        name: of the set.
    """

    def __init__(self, rows: pa.RecordBatchReader, name: str) -> None:
        self._rows = iter(rows)
        self._name = name
        self._waiting: list[pa.RecordBatch] = []
        self._is_over = False
        self.read()

    def read(self) -> None:
        """Read a further batch."""
        for batch in self._rows:
            if batch.num_rows:
                rows = batch.select(COLUMNS)
                texts = [with_version(text, self._name) for text in rows.column(_ATTRIBUTES).to_pylist()]
                self._waiting.append(_with_attributes(rows, texts))
                return
        self._is_over = True

    def last(self) -> str | None:
        """Give the data unit of the last row that was read; None where all was."""
        if self._is_over:
            return None
        return str(self._waiting[-1].column(_UNIT)[-1].as_py())

    def taken(self, before: str | None) -> list[pa.RecordBatch]:
        """Give and forget the rows of data units before one; None for all."""
        if before is None:
            taken, self._waiting = self._waiting, []
            return taken
        taken, kept = [], []
        for batch in self._waiting:
            n = int(pc.sum(pc.less(batch.column(_UNIT), before)).as_py())
            taken += [batch.slice(0, n)] if n else []
            kept += [batch.slice(n)] if n < batch.num_rows else []
        self._waiting = kept
        return taken


def _merged(streams: Sequence[_Stream]) -> Iterator[pa.RecordBatch]:
    while True:
        lasts = [last for stream in streams if (last := stream.last()) is not None]
        before = min(lasts, default=None)
        taken = [(number, batch) for number, stream in enumerate(streams) for batch in stream.taken(before)]
        if taken:
            numbers = np.concatenate([np.full(batch.num_rows, number) for number, batch in taken])
            yield _together([batch for _, batch in taken], numbers, len(streams))
        if before is None:
            return
        for stream in streams:
            if stream.last() == before:
                stream.read()


def _together(batches: list[pa.RecordBatch], numbers: Ints, n_sets: int) -> pa.RecordBatch:
    """Give rows of whole data units by data unit, task and set.

    Args:
        batches: of all sets, one set after the other.
        numbers: (n,) of each row's set.
        n_sets: how many there are.
    """
    whole = pa.concat_batches(batches)
    units = np.from_dlpack(pc.rank(whole.column(_UNIT), tiebreaker="dense").cast(pa.int64()))
    texts: list[str] = whole.column(_ATTRIBUTES).to_pylist()
    sources: list[str | None] = whole.column(_SOURCE).to_pylist()
    kept = {row: attributes_of(text).label_studio for row, text in enumerate(texts) if _KEY in text}
    places = np.zeros(len(texts), np.int64)
    if kept:
        order = np.lexsort((numbers, units))
        for rows in np.split(order, np.flatnonzero(np.diff(units[order])) + 1):
            given = [
                _Row(row, int(numbers[row]), sources[row], kept.get(row, NOTHING.label_studio)) for row in rows.tolist()
            ]
            _DataUnit(given, n_sets).place(texts, places)
        whole = _with_attributes(whole, texts)
    return whole.select(_GIVEN).take(numbers_array(np.lexsort((numbers, places, units))))


class _Row(NamedTuple):
    row: int
    set: int
    source: str | None
    kept: Kept

    @property
    def told_as(self) -> tuple[int, str | None, int | None]:
        """By what rows find their task: their set and file, and the task's number there where they tell it."""
        return self.set, self.source, None if self.kept.at is None else self.kept.at.task


class _DataUnit:
    """Rows of one data unit, and which task each is of.

    A row that tells no task is of the one that its set told last of its file; where it has a place in that, of the one
    with that number; else of the first one.

    Args:
        rows: one set after the other.
        n_sets: how many sets there are.
    """

    def __init__(self, rows: list[_Row], n_sets: int) -> None:
        self._rows = rows
        self._n_sets = n_sets
        self._told: dict[int, _Row] = {}
        """By task, the row that tells it"""
        self._tasks: dict[tuple[int, str | None, int | None], int] = {}
        """By set, file and its number there"""
        self._task_of = self._find()

    def place(self, texts: list[str], places: Ints) -> None:
        """Fill in the rows' places, ascending by task, and change attributes of rows that stand elsewhere then."""
        for each, task in zip(self._rows, self._task_of, strict=True):
            teller = self._told.get(task or 0)
            is_behind = task is None or teller is None or teller.set != each.set
            places[each.row] = 2 * (task or 0) + is_behind
            at = each.kept.at
            tells_again = each.kept.task is not UNSET and teller != each
            if at is not None or tells_again:
                new = None if at is None else Place(task or 0, at.prediction * self._n_sets + each.set, at.result)
                texts[each.row] = with_place(texts[each.row], new, tells_task=not tells_again)

    def _find(self) -> list[int | None]:
        numbers: dict[tuple[bytes, int], int] = {}
        n_told: Counter[tuple[int, bytes]] = Counter()
        found: list[int | None] = []
        for each in self._rows:
            if each.kept.task is not UNSET:
                text = bytes(each.kept.task)
                again = n_told[each.set, text]  # a file may have the very same task twice
                n_told[each.set, text] += 1
                number = self._tasks[each.told_as] = numbers.setdefault((text, again), len(numbers))
                self._told.setdefault(number, each)
            found.append(self._tasks.get(each.told_as))
        return [
            task if each.kept.at is None else self._tasks.get(each.told_as)
            for each, task in zip(self._rows, found, strict=True)
        ]


def _with_attributes(rows: pa.RecordBatch, texts: list[str]) -> pa.RecordBatch:
    return rows.set_column(_ATTRIBUTES, SCHEMA.field("attributes"), text_array(texts))
