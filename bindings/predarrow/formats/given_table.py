"""The table that a writer is given: its batches, and their columns in the prediction table's types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from predarrow.errors import InputError
from predarrow.reader import PredictionReader
from predarrow.report import Code, Problem
from predarrow.table import SCHEMA


def given_batches(table: Any) -> Iterator[pa.RecordBatch]:
    """Give the batches of a table, cut as they are.

    Args:
        table: anything with `__arrow_c_stream__` or `__arrow_c_array__`.

    Raises:
        InputError: something else. What a `PredictionReader` raises comes out while it is read.
    """
    if isinstance(table, PredictionReader):  # as it is: through a stream its errors would be Arrow's
        return iter(table)
    if not hasattr(table, "__arrow_c_stream__"):
        if not hasattr(table, "__arrow_c_array__"):
            raise _no_table(f"must speak Arrow's stream interface, got {type(table).__name__}")
        table = pa.table(table)
    return iter(pa.RecordBatchReader.from_stream(table))


def given_columns(batch: pa.RecordBatch, names: Sequence[str], needed: Sequence[str]) -> dict[str, pa.Array]:
    """Give columns of a batch in the prediction table's types, full of nulls where they are missing.

    Args:
        batch: rows with columns of the prediction table's names, in types that can be cast; others may be there.
        names: columns to give, in this order.
        needed: those of them that must be there, and have no nulls where the prediction table's have none.

    Raises:
        InputError: a needed column is missing, there twice or null, or a column cannot be cast.
    """
    present = batch.schema.names
    if missing := [name for name in needed if present.count(name) != 1]:
        raise _no_table(f"must have one column {missing[0]}, got {', '.join(present) or 'none'}")
    try:
        columns = {name: _cast(batch, name) for name in names}
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        raise _no_table(f"must have the prediction table's types, got {error}") from None
    for name in needed:
        if columns[name].null_count and not SCHEMA.field(name).nullable:
            raise _no_table(f"column {name} must not be null")
    return columns


def _cast(batch: pa.RecordBatch, name: str) -> pa.Array:
    type_ = SCHEMA.field(name).type
    return batch[name].cast(type_) if name in batch.schema.names else pa.nulls(batch.num_rows, type_)


def _no_table(message: str) -> InputError:
    return InputError([Problem("table", None, "", Code.BAD_TABLE, message)])
