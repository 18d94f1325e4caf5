"""Arrow arrays by their buffers: of NumPy's arrays and of lists of text, and back.

`pa.array`, `pa.scalar` and `to_numpy` ask whether a value is one of pandas, and import it for that where it is
installed: 0.25 s and 35 MB at the first call, a fifth of the time of a program that reads one mask. Files are read
without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bools = npt.NDArray[np.bool_]

TEXT_LIMIT = 2**31 - 1
"""Bytes of a column of text, whose offsets have 32 bits."""
_SMALL = 1 << 14  # bytes


def numbers_array(
    values: npt.NDArray[Any], type_: pa.DataType | None = None, *, is_valid: Bools | None = None
) -> pa.Array:
    """Give numbers or booleans as an array, as `pa.array` does; contiguous numbers of the very type are not copied.

    Args:
        values: (n,) integers, floats or booleans of the machine's byte order.
        type_: of numbers or booleans, that of `values` by default.
        is_valid: (n,) false where a row is null.

    Raises:
        pa.ArrowInvalid: a number that the type cannot hold.
        pa.ArrowTypeError: values or a type of something else.
    """
    if values.dtype.kind not in "biuf":
        raise pa.ArrowTypeError(f"must be numbers, got {values.dtype}")
    data = _bits(values) if values.dtype == np.bool_ else pa.py_buffer(np.ascontiguousarray(values))
    valid = None if is_valid is None else validity(is_valid)
    array = pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), values.size, [valid, data])
    if type_ is None or array.type == type_:
        return array
    if not pa.types.is_primitive(type_):  # numbers could become text unseen
        raise pa.ArrowTypeError(f"must be a type of numbers, got {type_}")
    return array.cast(type_)


def empty(n: int, dtype: type[np.generic] = np.float64) -> npt.NDArray[Any]:
    """Give an array to be filled, a large one in Arrow's memory.

    That keeps what is freed, where NumPy's goes back to the system: 40 MB anew are 22 ms of page faults, or 2.
    """
    size = np.dtype(dtype).itemsize * n
    return np.frombuffer(pa.allocate_buffer(size), dtype) if size > _SMALL else np.empty(n, dtype)


def text_array(texts: Sequence[str | None]) -> pa.StringArray:
    """Give texts as an array; None is null.

    Raises:
        UnicodeEncodeError: half a character.
        pa.ArrowInvalid: more than 2 GiB of text.
    """
    has_nulls = None in texts
    given = [text or "" for text in texts] if has_nulls else cast(Sequence[str], texts)
    whole = "".join(given)
    pieces = given if whole.isascii() else [text.encode() for text in given]
    offsets = np.zeros(len(given) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, pieces), np.int64, len(given)), out=offsets[1:])
    if offsets[-1] > TEXT_LIMIT:
        raise pa.ArrowInvalid(f"a column of text must fit {TEXT_LIMIT} bytes, got {offsets[-1]}")
    valid = validity(np.array([text is not None for text in texts])) if has_nulls else None
    data = [valid, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(whole.encode())]
    return pa.Array.from_buffers(pa.string(), len(given), data)


def validity(is_valid: Bools) -> pa.Buffer | None:
    """Give Arrow's bits for rows that are not null; None where none is."""
    return None if is_valid.all() else _bits(is_valid)


def offsets_of(lengths: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Give where lists of these lengths begin, and where the last one ends."""
    sizes = np.asarray(lengths, np.int64)
    offsets = np.zeros(sizes.size + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    return offsets.astype(np.int32)


def bools_of(column: pa.BooleanArray) -> Bools:
    """Give a column of booleans without nulls as an array."""
    values: Bools = np.from_dlpack(column.cast(pa.uint8())).view(np.bool_)
    return values


def _bits(values: Bools) -> pa.Buffer:
    return pa.py_buffer(np.packbits(values, bitorder="little"))


def flat_text(column: pa.StringArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Give the bytes that texts are among, and (n + 1,) where each begins, without a copy."""
    _, offsets, data = column.buffers()
    text = np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
    return text, np.frombuffer(offsets, np.int32, len(column) + 1, 4 * column.offset)
