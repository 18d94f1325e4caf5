"""Rows of several prediction sets as one stream, those of a data unit together, each with its model version."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.buffers import bools_of, numbers_array, text_array
from predarrow.export_rows import set_rows
from predarrow.project import Project
from predarrow.table import SCHEMA

Ints = npt.NDArray[np.int64]

COLUMNS = [name for name in SCHEMA.names if name not in ("feature_hash", "source")]
"""Columns of a set that are read."""

_UNIT, _ATTRIBUTES = COLUMNS.index("data_unit"), COLUMNS.index("attributes")
_KEY = '"model_version"'


class _Versioned(msgspec.Struct):
    """What of a row's attributes is looked at."""

    model_version: Any = None


_decode = msgspec.json.Decoder(_Versioned).decode


def merged_sets(project: Project, names: Sequence[str]) -> pa.RecordBatchReader:
    """Give the rows of sets in the order of data units, and of these in the sets' order.

    A row's model version is that in its attributes, else its set's name. Memory holds a batch of each set.

    Args:
        project: has the sets.
        names: of the sets.

    Raises:
        ProjectError: no such set.
    """
    streams = [set_rows(project, name, None, COLUMNS) for name in names]
    schema = pa.schema([SCHEMA.field(name) for name in COLUMNS], SCHEMA.metadata)
    return pa.RecordBatchReader.from_batches(
        schema, _merged([_Stream(rows, name) for rows, name in zip(streams, names, strict=True)])
    )


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
                attributes = with_version(rows.column(_ATTRIBUTES), self._name)
                self._waiting.append(rows.set_column(_ATTRIBUTES, SCHEMA.field("attributes"), attributes))
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
            yield from _together([batch for _, batch in taken], numbers, len(streams))
        if before is None:
            return
        for stream in streams:
            if stream.last() == before:
                stream.read()


def _together(batches: list[pa.RecordBatch], numbers: Ints, n_sets: int) -> list[pa.RecordBatch]:
    """Give rows by data unit, those of one by set: first the sets that tell its task, as others' rows are of it too.

    Args:
        batches: of all sets.
        numbers: (n,) of each row's set.
        n_sets: how many there are.
    """
    table = pa.Table.from_batches(batches).combine_chunks()
    (units,) = table.column(_UNIT).chunks
    codes = np.from_dlpack(pc.rank(units, tiebreaker="dense").cast(pa.int64()))
    tells = np.zeros((codes.max() + 1, n_sets), np.bool_)
    rows = _rows_with_task(table.column(_ATTRIBUTES).combine_chunks())
    tells[codes[rows], numbers[rows]] = True
    order = np.lexsort((np.where(tells[codes, numbers], numbers, numbers + n_sets), codes))
    return list(table.take(numbers_array(order)).to_batches())


def _rows_with_task(attributes: pa.StringArray) -> Ints:
    """Give the rows that tell a task of Label Studio."""
    may_tell = bools_of(pc.fill_null(pc.match_substring(attributes, '"task"'), False))
    rows = [row for row in np.flatnonzero(may_tell).tolist() if "task" in _kept(attributes[row].as_py())]
    return np.array(rows, np.int64)


def _kept(attributes: str) -> dict[str, Any]:
    kept = json.loads(attributes).get("label_studio")
    return kept if isinstance(kept, dict) else {}


def with_version(attributes: pa.StringArray, name: str) -> pa.StringArray:
    """Give attributes with a model version, that of the set where they have none.

    Args:
        attributes: JSON objects; null for none.
        name: of the set.
    """
    own = f"{_KEY}:{json.dumps(name)}"
    return text_array([_versioned(text, own, name) for text in attributes.to_pylist()])


def _versioned(text: str | None, own: str, name: str) -> str:
    if text is None:
        return f"{{{own}}}"
    if _KEY not in text:
        rest = text.lstrip().removeprefix("{").lstrip()
        return f"{{{own}{'' if rest.startswith('}') else ','}{rest}"
    if _decode(text).model_version is not None:
        return text
    members = json.loads(text)
    return json.dumps(members | {"model_version": name}, ensure_ascii=False, separators=(",", ":"))
