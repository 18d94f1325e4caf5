"""Boxes in Arrow columns: structs of four numbers, lists and fixed-size lists of four."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.boxes import checked_sizes, floats
from predarrow.errors import InputError
from predarrow.report import Code, Problem
from predarrow_engine.boxes import Conversion, Layout, convert, convert_columns

_NAMES = {
    Layout.XYXY: (("xmin", "ymin", "xmax", "ymax"),),
    Layout.XYWH: (("x", "y", "w", "h"), ("x", "y", "width", "height")),
    Layout.CXCYWH: (("cx", "cy", "w", "h"),),
}
"""Fields that a struct may have; the first are those that it is written with."""


def convert_column(values: Any, source: Layout, target: Layout, conversion: Conversion, image_size: Any) -> pa.Array:
    """Give a column of boxes in another layout and unit, in the same form; see `predarrow.convert_boxes`.

    Args:
        values: Arrow array, chunks of one, or anything with Arrow's PyCapsule interface.
        source, target: layouts, for the names of a struct's fields.
        conversion: what to do.
        image_size: height and width, (2,) for all or (n, 2) a row each; None where they do not matter.

    Raises:
        InputError: a column of another form, or with null numbers; bad sizes.
    """
    column = _column(values)
    sizes: Any = checked_sizes(image_size, len(column), np.float64) if conversion.needs_size else None
    whole = not isinstance(column, pa.ChunkedArray)
    converted, begin = [], 0
    for chunk in [column] if whole else column.chunks:
        per_row = np.ndim(sizes) == 2
        own = sizes[begin : begin + len(chunk)] if per_row else sizes
        if pa.types.is_struct(column.type):
            converted.append(_struct(chunk, source, target, conversion, own, begin))
        else:
            converted.append(_list(chunk, conversion, own, begin))
        begin += len(chunk)
    if whole:
        return converted[0]
    return pa.chunked_array(converted) if converted else _empty_like(column, source, target, conversion)


def rows_of_column(values: Any, layout: Layout) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Give a column of boxes as (n, 4) float32 or float64, anything where it is null, and (n,) where it is.

    Raises:
        InputError: a column of another form, or with null numbers.
    """
    column = _column(values)
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    is_null = array.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_struct(array.type):
        return np.stack(_struct_columns(array, layout, 0), axis=1), is_null
    given = _list_rows(array, 0)
    rows = np.zeros((len(array), 4), given.dtype)
    rows[~is_null] = given
    return rows, is_null


def _column(values: Any) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        column = values
    elif hasattr(values, "__arrow_c_array__"):
        column = pa.array(values)
    else:
        column = pa.chunked_array(values)
    types = pa.types
    if types.is_struct(column.type) or types.is_list(column.type) or types.is_large_list(column.type):
        return column
    if types.is_fixed_size_list(column.type) and column.type.list_size == 4:
        return column
    raise _refused("", f"must be a struct or a list of four numbers, got {column.type}")


def _struct(
    chunk: pa.StructArray, source: Layout, target: Layout, conversion: Conversion, sizes: Any, begin: int
) -> pa.StructArray:
    columns = _struct_columns(chunk, source, begin)
    out = [np.empty_like(column) for column in columns]
    convert_columns(columns, out, conversion, sizes)
    mask = chunk.is_null() if chunk.null_count else None
    return pa.StructArray.from_arrays([pa.array(column) for column in out], _NAMES[target][0], mask=mask)


def _struct_columns(chunk: pa.StructArray, layout: Layout, begin: int) -> list[npt.NDArray[Any]]:
    """Give a struct's four fields in the layout's order, of one type, without a copy where there are no nulls."""
    given = {field.name for field in chunk.type}
    names = next((names for names in _NAMES[layout] if given == set(names)), None)
    if names is None or chunk.type.num_fields != 4:
        rule = " or ".join(f"({', '.join(names)})" for names in _NAMES[layout])
        raise _refused("", f"must have the fields {rule} for {layout}, got {chunk.type}")
    columns = []
    for name in names:
        field = chunk.field(name)
        _check_nulls(field, chunk, name, begin)
        columns.append(_numbers(field))
    dtype = np.result_type(*columns)
    return [np.ascontiguousarray(column, dtype) for column in columns]


def _check_nulls(field: pa.Array, chunk: pa.StructArray, name: str, begin: int) -> None:
    """Refuse numbers that are null in boxes that are not."""
    if not field.null_count:
        return
    row = pc.index(pc.and_(field.is_null(), chunk.is_valid()), True).as_py()
    if row >= 0:
        raise _refused(f"[{begin + row}]", f"{name} must be a number, got null")


def _list(chunk: pa.Array, conversion: Conversion, sizes: Any, begin: int) -> pa.Array:
    rows = _list_rows(chunk, begin)
    is_null = chunk.is_null().to_numpy(zero_copy_only=False) if chunk.null_count else None
    if is_null is not None and np.ndim(sizes) == 2:
        sizes = sizes[~is_null]
    converted = np.empty_like(rows)
    convert(rows, converted, conversion, sizes)
    mask = None if is_null is None else pa.array(is_null)
    if pa.types.is_fixed_size_list(chunk.type):
        if is_null is not None:
            given, converted = converted, np.zeros((len(chunk), 4), rows.dtype)
            converted[~is_null] = given
        return pa.FixedSizeListArray.from_arrays(pa.array(converted.reshape(-1)), 4, mask=mask)
    lengths = np.full(len(chunk), 4) if is_null is None else np.where(is_null, 0, 4)
    is_large = pa.types.is_large_list(chunk.type)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64 if is_large else np.int32)
    kind = pa.LargeListArray if is_large else pa.ListArray
    return kind.from_arrays(pa.array(offsets), pa.array(converted.reshape(-1)), mask=mask)


def _list_rows(chunk: pa.Array, begin: int) -> npt.NDArray[Any]:
    """Give the lists that are not null as (m, 4), contiguous."""
    values = chunk.flatten()  # skips what lies under null lists
    if not pa.types.is_fixed_size_list(chunk.type):
        lengths = pc.list_value_length(chunk)
        row = pc.index(pc.not_equal(lengths, 4), True).as_py()
        if row >= 0:
            raise _refused(f"[{begin + row}]", f"must hold 4 numbers, got {lengths[row].as_py()}")
    if values.null_count:
        at = pc.index(values.is_null(), True).as_py()
        row = np.flatnonzero(chunk.is_valid().to_numpy(zero_copy_only=False))[at // 4]
        raise _refused(f"[{begin + row}]", "must hold 4 numbers, got null")
    return np.ascontiguousarray(_numbers(values)).reshape(-1, 4)


def _numbers(values: pa.Array) -> npt.NDArray[Any]:
    if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
        raise _refused("", f"must hold floats or integers, got {values.type}")
    if values.null_count and pa.types.is_integer(values.type):
        values = values.cast(pa.float64())
    return floats(values.to_numpy(zero_copy_only=False), "boxes")


def _empty_like(column: pa.ChunkedArray, source: Layout, target: Layout, conversion: Conversion) -> pa.ChunkedArray:
    """Give what a column without chunks becomes."""
    empty = pa.array([], column.type)
    is_struct = pa.types.is_struct(column.type)
    whole = _struct(empty, source, target, conversion, (1, 1), 0) if is_struct else _list(empty, conversion, (1, 1), 0)
    return pa.chunked_array([], whole.type)


def _refused(place: str, message: str) -> InputError:
    row = int(place[1:-1]) if place else None
    return InputError([Problem(f"boxes{place}", row, "", Code.BAD_BOX if place else Code.BAD_ARRAY, message)])
