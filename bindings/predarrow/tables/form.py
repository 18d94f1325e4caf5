"""Tables of other libraries in the form of the prediction table: names, types, columns that are missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import types as t

from predarrow.errors import InputError
from predarrow.project_index import close
from predarrow.reader import PredictionReader
from predarrow.refusals import SOURCE
from predarrow.report import Code, Problem
from predarrow.table import SCHEMA, SCHEMA_VERSION

_NEEDED = ("data_unit", "frame", "kind")
_VERSION = b"predarrow.schema_version"
_PANDAS_INDEX = "__index_level_0__"  # which pandas gives rows that were filtered or sorted


class Batches(NamedTuple):
    """Record batches and their schema."""

    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]


def as_batches(predictions: Any) -> Batches | None:
    """Give the batches of anything that speaks Arrow's C interfaces; None for what does not.

    Raises:
        InputError: Arrow data that is no table.
    """
    if isinstance(predictions, PredictionReader | pa.RecordBatchReader):  # errors of theirs come out as they are
        return Batches(predictions.schema, predictions)
    try:
        if hasattr(predictions, "__arrow_c_stream__"):
            reader = pa.RecordBatchReader.from_stream(predictions)
            return Batches(reader.schema, reader)
        if hasattr(predictions, "__arrow_c_array__"):
            batch = pa.record_batch(predictions)
            return Batches(batch.schema, [batch])
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError) as error:
        raise bad_table("", f"must be a table or record batches: {error}") from error
    return None


def bad_table(pointer: str, message: str) -> InputError:
    """Give the error of a table that does not hold as a whole."""
    return InputError([Problem(SOURCE, None, pointer, Code.BAD_TABLE, message)])


def check_schema(schema: pa.Schema) -> None:
    """See that a schema can become the prediction table's without a loss.

    Raises:
        InputError: a column that is missing, unknown, there twice or of another type, or another schema version.
    """
    names = schema.names
    version = (schema.metadata or {}).get(_VERSION)
    if version is not None and version != str(SCHEMA_VERSION).encode():
        raise bad_table("", f"schema version must be {SCHEMA_VERSION}, got {version.decode(errors='replace')}")
    for name in names:
        if name == _PANDAS_INDEX:
            continue
        if name not in SCHEMA.names:
            hint = close(name.lower(), SCHEMA.names) or "; drop it, or keep it as JSON in attributes"
            raise bad_table(f"column {name}", f"must be a column of the prediction table{hint}")
        if names.count(name) > 1:
            raise bad_table(f"column {name}", f"must stand once, got it {names.count(name)} times")
        if not _loses_nothing(schema.field(name).type, SCHEMA.field(name).type):
            raise bad_table(f"column {name}", f"must be {SCHEMA.field(name).type}, got {schema.field(name).type}")
    for name in _NEEDED:
        if name not in names:
            hint = "; it is 0 for single images" if name == "frame" else ""
            raise bad_table(f"column {name}", f"must be there, got {', '.join(names) or 'no columns'}{hint}")
    if not {"class_name", "feature_hash"} & set(names):
        raise bad_table("column class_name", f"must be there, or feature_hash, got {', '.join(names)}")


def columns_of(batch: pa.RecordBatch, n_rows: int) -> dict[str, pa.Array]:
    """Give a batch's columns in the prediction table's types, those that are missing as null.

    Args:
        batch: in a schema that `check_schema` lets pass.
        n_rows: of the batch.

    Raises:
        InputError: a value that its column's type cannot hold, or text that is not UTF-8.
    """
    columns = {}
    for field in SCHEMA:
        if field.name not in batch.schema.names:
            columns[field.name] = pa.nulls(n_rows, field.type)
            continue
        try:
            columns[field.name] = _cast(batch.column(field.name), field.type)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise bad_table(f"column {field.name}", f"must be {field.type}: {error}") from error
    return columns


def _cast(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    column.validate(full=True)  # it may come from anywhere, and wrong offsets would crash
    if column.type == wanted:
        return column
    if isinstance(column, pa.ExtensionArray):
        return _cast(column.storage, wanted)
    if isinstance(column, pa.DictionaryArray):  # of Polars' string views: those Arrow cannot cast
        return column.dictionary.cast(wanted).take(column.indices)
    return column.cast(wanted)


def sliced(batches: Iterable[pa.RecordBatch], max_rows: int) -> Iterator[pa.RecordBatch]:
    """Give the same rows in batches of at most `max_rows`."""
    for batch in batches:
        for first in range(0, batch.num_rows, max_rows):
            yield batch.slice(first, max_rows)


def _loses_nothing(given: pa.DataType, wanted: pa.DataType) -> bool:
    """Tell whether values of a type can be cast; a number that does not fit is then refused by the cast.

    Whole numbers may be floats: pandas has them as such where some are null. Vertices are rounded to 32-bit floats,
    as everywhere.
    """
    if given == wanted or t.is_null(given):
        return True
    if isinstance(given, pa.BaseExtensionType):
        return _loses_nothing(given.storage_type, wanted)
    if t.is_dictionary(given):
        return _loses_nothing(given.value_type, wanted)
    if t.is_list(wanted):
        is_list = t.is_list(given) or t.is_large_list(given) or t.is_fixed_size_list(given)
        return is_list and _loses_nothing(given.value_type, wanted.value_type)
    if t.is_struct(wanted):
        return t.is_struct(given) and _same_fields(given, wanted)
    if t.is_string(wanted):
        return bool(t.is_large_string(given) or t.is_string_view(given))
    if t.is_binary(wanted):
        return bool(t.is_large_binary(given) or t.is_binary_view(given))
    return bool(t.is_floating(given) or t.is_integer(given))


def _same_fields(given: pa.StructType, wanted: pa.StructType) -> bool:
    pairs = [(given.field(i), wanted.field(i)) for i in range(min(given.num_fields, wanted.num_fields))]
    return given.num_fields == wanted.num_fields and all(
        one.name == other.name and _loses_nothing(one.type, other.type) for one, other in pairs
    )
