"""Rows of a table, kind by kind, into one column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from predarrow.errors import InputError
from predarrow.formats.given_table import given_batches, given_columns
from predarrow.objects.checks import Bools, Ints
from predarrow.refusals import Refusals
from predarrow.report import Problem
from predarrow.tables.checks import HOLDERS

_COLUMNS = ("kind", "bbox", "rotation", "polygon", "keypoints", "mask", "image_height", "image_width")


class Converted(NamedTuple):
    """A column for the rows of a table, and what it does not hold."""

    column: pa.ChunkedArray
    """(n_rows,) in the table's batches; null where a row has no such form"""
    lost: dict[str, int]
    """Number of rows by what of them is lost, as a report's `flagged` tells it."""


class Rows(NamedTuple):
    """Rows of one kind whose geometry is there."""

    columns: dict[str, pa.Array]
    refusals: Refusals
    """Of as many rows."""
    lost: Counter[str]
    """Is told what is lost."""

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.columns["kind"])


Maker = Callable[[Rows], pa.Array]
"""Gives the column of rows of one kind, null where a row has no such form."""


def converted(table: Any, makers: Mapping[str, Maker], type_: pa.DataType, what: str) -> Converted:
    """Give a column for the rows of a table, made kind by kind.

    Args:
        table: see `to_polygons`.
        makers: by kind.
        type_: of the column.
        what: names it, in what is lost.

    Raises:
        InputError: no table, or rows that a maker refuses.
    """
    lost: Counter[str] = Counter()
    problems: list[Problem] = []
    chunks = []
    n_rows = 0
    for batch in given_batches(table):
        columns = given_columns(batch, _COLUMNS, ("kind",))
        chunks.append(_column(columns, n_rows, makers, type_, what, lost, problems))
        n_rows += batch.num_rows
    if problems:
        raise InputError(sorted(problems, key=lambda found: found.row or 0))
    return Converted(pa.chunked_array(chunks, type_), dict(lost))


def _column(
    columns: dict[str, pa.Array],
    first: int,
    makers: Mapping[str, Maker],
    type_: pa.DataType,
    what: str,
    lost: Counter[str],
    problems: list[Problem],
) -> pa.Array:
    n = len(columns["kind"])
    kinds = columns["kind"].dictionary_encode()
    places = kinds.indices.to_numpy()
    order = np.full(n, -1)
    pieces: list[pa.Array] = []
    n_made = 0
    for place, kind in enumerate(kinds.dictionary.to_pylist()):
        rows = _there(columns, kind, places == place, kind in makers, what, lost)
        if rows.size:
            chosen = columns if rows.size == n else {name: column.take(rows) for name, column in columns.items()}
            refusals = Refusals(first + rows)
            pieces.append(makers[kind](Rows(chosen, refusals, lost)))
            problems += refusals.problems
            order[rows] = np.arange(n_made, n_made + rows.size)
            n_made += rows.size
    if len(pieces) == 1 and n_made == n:
        return pieces[0]
    order[order < 0] = n_made
    return pa.concat_arrays([*pieces, pa.nulls(1, type_)]).take(order)


def _there(
    columns: dict[str, pa.Array], kind: str, of_kind: Bools, has_form: bool, what: str, lost: Counter[str]
) -> Ints:
    """Give the rows of a kind that can be converted, and tell of the others."""
    rows = np.flatnonzero(of_kind)
    if not has_form:
        lost[f"{kind} has no {what}"] += rows.size
        return rows[:0]
    holder = columns[HOLDERS[kind]]
    if holder.null_count:
        is_there = holder.is_valid().to_numpy(zero_copy_only=False)[rows]
        if n_missing := int((~is_there).sum()):
            lost[f"{kind} without its {HOLDERS[kind]}"] += n_missing
        rows = rows[is_there]
    return rows
