"""The door for arrays of any library, and for what a model says of each row: scores, ids, frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.errors import InputError
from predarrow.refusals import shown
from predarrow.report import Code, Problem

_ARROW_TYPES = {np.dtype(name): getattr(pa, name)() for name in ("int32", "int64", "float64")}
_FRAME_LIMIT = 2**31
_LISTED_VALUES = 6
_RULE_COLUMN = "must be texts, or whole numbers of 64 bits, all of one kind"
_RULE_UTF8 = "must be text that UTF-8 can hold (file names that are not UTF-8 come with surrogates)"


def bad_array(where: str, rule: str, got: object) -> InputError:
    """Word the refusal of an array as a whole."""
    return InputError([Problem(where, None, "", Code.BAD_ARRAY, f"{rule}, got {got}")])


def as_array(values: Any, where: str, rule: str = "must be an array of numbers") -> npt.NDArray[Any]:
    """Give an array of any library as NumPy's, without a copy where its memory can be shared.

    Takes NumPy, DLPack (torch, JAX, CuPy, Arrow …), `__array__` and lists. A torch tensor is detached and fetched from
    its device, where it has one; bfloat16, which NumPy does not have but JAX adds to it, becomes float32.

    Args:
        values: the array; the result may share its memory and must not be written to.
        where: what to call it in errors.
        rule: what it must be, for errors.

    Raises:
        InputError: nothing that NumPy takes as an array, or one with masked values.
    """
    if type(values) is np.ndarray:
        return _widened(values)
    is_masked: Callable[[object], bool] = np.ma.is_masked  # untyped in NumPy 2.2
    if is_masked(values):
        raise bad_array(where, "must have no masked numbers", "some; fill them, as with array.filled(0)")
    reason: Exception | None = None
    try:
        for name in ("detach", "cpu"):
            method = getattr(values, name, None)
            values = values if method is None else method()
    except RuntimeError as error:  # a tensor without data
        raise bad_array(where, rule, f"{shown(values)} ({error})") from None
    # Arrow's own arrays warn of NumPy's way to ask for DLPack, and refuse it where values are null.
    is_shared = hasattr(values, "__dlpack__") and not isinstance(values, pa.Array)
    for take in (np.from_dlpack, np.asarray) if is_shared else (np.asarray,):
        try:
            array: npt.NDArray[Any] = take(values)
        except (BufferError, OverflowError, RuntimeError, TypeError, ValueError) as error:
            reason = error
        else:
            if array.dtype == object:
                break
            return _widened(array)
    widened = getattr(values, "float", None)
    if reason is not None and widened is not None and "bfloat16" in str(getattr(values, "dtype", "")):
        return as_array(widened(), where)
    raise bad_array(where, rule, shown(values) if reason is None else f"{shown(values)} ({reason})")


def _widened(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give bfloat16 of the package ml_dtypes, which NumPy takes for bytes, as float32."""
    return array.astype(np.float32) if array.dtype.kind == "V" and array.dtype.name == "bfloat16" else array


def per_row(values: Any, n_rows: int, where: str) -> npt.NDArray[Any]:
    """Give one value a row as an array.

    Raises:
        InputError: not of shape (n_rows,).
    """
    array = as_array(values, where)
    if array.shape != (n_rows,):
        if array.size == 0 and n_rows == 0:
            return array.reshape(0)
        raise bad_array(where, f"must have shape ({n_rows},), one value for each prediction", shape(array))
    return array


def whole_numbers(values: Any, n_rows: int, where: str) -> npt.NDArray[np.int64]:
    """Give one whole number a row.

    Raises:
        InputError: another shape, or no integers that fit 64 bits.
    """
    array = per_row(values, n_rows, where)
    if array.dtype.kind not in "iu" and array.size:
        raise bad_array(where, "must be whole numbers", array.dtype)
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise bad_array(where, "must be whole numbers of 64 bits with a sign", array.max())
    return array.astype(np.int64, copy=False)


def indexed(where: str, row: int) -> str:
    """Give a row's place in an array, for errors."""
    return f"{where}[{row}]"


Place = Callable[[str, int], str]
"""Words the place of a row in an argument, given its name and the row."""


def finite_numbers(values: Any, n_rows: int, where: str, place: Place = indexed) -> npt.NDArray[np.float64]:
    """Give one finite number a row.

    Raises:
        InputError: another shape, no numbers, NaN or infinite ones (told with their places).
    """
    array = per_row(values, n_rows, where)
    if array.dtype.kind not in "fiu" and array.size:
        raise bad_array(where, "must be numbers", array.dtype)
    numbers = array.astype(np.float64)  # a copy, as the caller may use the array again
    bad = ~np.isfinite(numbers)
    if bad.any():
        rule = "must be a finite number, got"
        rows = np.flatnonzero(bad).tolist()
        raise InputError(
            [Problem(place(where, row), row, "", Code.BAD_NUMBER, f"{rule} {numbers[row]}") for row in rows]
        )
    return numbers


def frame_numbers(values: Any, n_rows: int, where: str) -> int | npt.NDArray[np.int32]:
    """Give the frame of all rows, or of each.

    Raises:
        InputError: another shape, no whole numbers, or one below 0 or beyond 32 bits.
    """
    if isinstance(values, int) and not isinstance(values, bool) and 0 <= values < _FRAME_LIMIT:
        return values
    one = scalar(values)
    frames = whole_numbers(values if one is None else [one], n_rows if one is None else 1, where)
    outside = (frames < 0) | (frames >= _FRAME_LIMIT)
    if outside.any():
        raise bad_array(where, f"must be from 0 to {_FRAME_LIMIT - 1}", frames[outside][0])
    return frames.astype(np.int32) if one is None else int(frames[0])


def scalar(values: Any) -> Any:
    """Give a single number or text as Python has it, None where there are more (or none)."""
    if isinstance(values, (str, int, float)):
        return values
    if getattr(values, "ndim", None) == 0 and hasattr(values, "item"):
        return values.item()
    return None


def texts(values: Any, n_rows: int, where: str, *, nullable: bool = False) -> str | pa.Array:
    """Give one text for all rows, or one a row; whole numbers become text.

    Args:
        values: a text or whole number; or n_rows of them in a list or array.
        n_rows: number of rows.
        where: what to call it in errors.
        nullable: whether a row may have none.

    Raises:
        InputError: another number of values, neither texts nor whole numbers, or missing ones.
    """
    if isinstance(values, str):
        if not (values.isascii() or _is_utf8(values)):
            raise bad_array(where, _RULE_UTF8, repr(values))
        return values
    one = scalar(values)
    column = as_column([one] if one is not None else values, where)
    if not len(column):
        column = pa.array([], pa.string())
    elif _becomes_text(column.type) or (nullable and pa.types.is_null(column.type)):
        column = column.cast(pa.string())
    if not pa.types.is_string(column.type):
        raise bad_array(where, "must be texts or whole numbers", f"{column.type}: {_some(column)}")
    if column.null_count and not nullable:
        row = column.is_null().index(True).as_py()
        raise InputError([Problem(f"{where}[{row}]", row, "", Code.BAD_ARRAY, "must be text or a number, got none")])
    if one is not None:
        return str(column[0].as_py())
    if len(column) != n_rows:
        raise bad_array(where, f"must have {n_rows} values, one for each prediction, or be one for all", len(column))
    return column


def as_column(values: Any, where: str) -> pa.Array:
    """Give texts or numbers as an Arrow array of the type that they have, categories as what they stand for.

    Raises:
        InputError: neither a list nor an array, or values of mixed types.
    """
    column = _column(values, where)
    if not isinstance(column, pa.DictionaryArray):
        return column
    known = column.dictionary
    if pa.types.is_string_view(known.type):  # Polars': Arrow cannot take them
        known = known.cast(pa.string())
    return known.take(column.indices)


def _column(values: Any, where: str) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    if hasattr(values, "__arrow_c_stream__"):  # pyarrow's chunks, Polars, pandas
        return pa.chunked_array(values).combine_chunks()
    try:
        if isinstance(values, (list, tuple)):
            try:
                return pa.array(values)
            except (pa.ArrowInvalid, pa.ArrowTypeError):
                if any(isinstance(value, str) for value in values):
                    raise
                return pa.array(as_array(values, where, _RULE_COLUMN))  # scalars of another library, perhaps
        if _holds_objects(values):
            return pa.array(np.asarray(values).tolist())
        array = as_array(values, where, _RULE_COLUMN)
        if array.ndim == 1 and array.dtype.kind in "iu" and array.dtype != np.uint64:
            return arrow(array.astype(np.int64))
        return pa.array(array)
    except UnicodeError:  # in lists when they are encoded, in NumPy's texts when they are decoded
        row = next(row for row, value in enumerate(values) if isinstance(value, str) and not _is_utf8(value))
        raise bad_array(f"{where}[{row}]", _RULE_UTF8, repr(str(values[row]))) from None
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        raise bad_array(where, _RULE_COLUMN, error) from None


def _holds_objects(values: Any) -> bool:
    """Whether NumPy has an array as one of objects: texts of its own, indices and categories of pandas."""
    dtype = getattr(values, "dtype", None)
    is_foreign = not isinstance(dtype, np.dtype) and hasattr(values, "__array__") and not hasattr(values, "__dlpack__")
    return str(dtype) == "object" or is_foreign


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def arrow(values: npt.NDArray[Any]) -> pa.Array:
    """Give (n,) int32, int64 or float64 as an Arrow array that shares their memory.

    `pa.array` looks for pandas at every call where it is not installed: 15 us, as much as a small column's work.
    """
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(_ARROW_TYPES[values.dtype], len(values), [None, buffer])


def shape(array: npt.NDArray[Any]) -> str:
    """Give an array's shape as errors tell it."""
    return str(tuple(array.shape))


def _becomes_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_))


def _some(column: pa.Array) -> str:
    values = column.slice(0, _LISTED_VALUES).to_pylist()
    return ", ".join(map(repr, values)) + (" …" if len(column) > len(values) else "")
