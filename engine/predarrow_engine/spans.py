"""Spans of one text: which of them are equal, and their bytes as a column.

Equal spans are found by a table of hashes with open addressing, and compared byte by byte, so that they are equal
indeed. A row's key may be several spans and a number.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, helper, inline, kernel
from predarrow_engine._simd_text import load_byte, load_word, prefetch
from predarrow_engine.rle_text import STRING_LIMIT, fixed
from predarrow_engine.text_rows import copy_bytes

_U = np.uint64
_ONE = np.uint64(1)
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_FEW = 2047
_AHEAD = 16
"""Rows whose spans are loaded before they are looked at: labels lie 350 bytes apart, so that each one has to be waited
for: 242 ns a row for three keys without it, 115 with it. (Three keys some thousand rows at a time: no gain.)"""


def distinct(
    data: npt.NDArray[np.uint8],
    spans: npt.NDArray[np.int64],
    flags: npt.NDArray[np.int8],
    first: int = 0,
    end: int | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give which of the distinct keys each row has, and the first row of each key.

    Args:
        data: (n_bytes,) with at least 8 bytes behind the last span.
        spans: (n, k, 2) first byte and the one after the last; both -1 for one that is not there.
        flags: (n,) further part of the keys.
        first, end: which of the k spans are the keys; by default all.

    Returns:
        (n,) numbers of keys, and (n_keys,) rows; keys are numbered as they are met.
    """
    codes = np.empty(len(spans), np.int64)
    firsts = np.empty(len(spans), np.int64)
    n = -1
    for size in (_FEW, max(2 * len(spans), 2)):  # a table for few keys stays in the cache
        if n < 0:
            bits = size.bit_length()
            table = np.full(1 << bits, -1, np.int64)
            keys = _Keys(fixed(data), fixed(spans), fixed(flags), first, spans.shape[1] if end is None else end)
            n = _distinct(keys, table, np.uint64(64 - bits), codes, firsts)
    return codes, firsts[:n]


def gather(
    data: npt.NDArray[np.uint8], spans: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Give spans one after the other as (n + 1,) first byte of each and (n_bytes,) bytes.

    Args:
        data: (n_bytes,)
        spans: (n, 2) first byte and the one after the last; both -1 for none, which comes out empty.

    Raises:
        ValueError: more than 2**31 - 1 bytes.
    """
    ends = np.zeros(len(spans) + 1, np.int64)
    np.cumsum(spans[:, 1] - spans[:, 0], out=ends[1:])
    if ends[-1] > STRING_LIMIT:
        raise ValueError(f"texts of a column hold at most {STRING_LIMIT} bytes, got {ends[-1]}; take fewer")
    out = np.empty(ends[-1], np.uint8)
    _gather(fixed(data), fixed(spans), out)
    return ends.astype(np.int32), out


@kernel
def _gather(data: npt.NDArray[np.uint8], spans: npt.NDArray[np.int64], out: npt.NDArray[np.uint8]) -> None:
    source, target = int(np.int64(data.ctypes.data)), int(np.int64(out.ctypes.data))
    for i in range(spans.shape[0]):
        if i + _AHEAD < spans.shape[0]:
            prefetch(source + spans[i + _AHEAD, 0])
        target = copy_bytes(source + spans[i, 0], spans[i, 1] - spans[i, 0], target)


@helper
def _hash(address: int, start: Index, end: Index, seed: np.uint64) -> np.uint64:
    """Mix the bytes of a span, eight at a time, into a seed."""
    value = (seed ^ _U(end - start)) * _PRIME
    at = start
    while at + 8 <= end:
        value = (value ^ load_word(address + at)) * _PRIME
        value ^= value >> _HALF
        at += 8
    if at < end:
        word = load_word(address + at) & ((_ONE << _U(8 * (end - at))) - _ONE)
        value = (value ^ word) * _PRIME
        value ^= value >> _HALF
    return value


@helper
def are_equal(address: int, a: Index, b: Index, n: Index) -> bool:
    """Tell whether n bytes are the same at two places."""
    k = 0
    while k + 8 <= n:
        if load_word(address + a + k) != load_word(address + b + k):
            return False
        k += 8
    while k < n:
        if load_byte(address + a + k) != load_byte(address + b + k):
            return False
        k += 1
    return True


class _Keys(NamedTuple):
    """Keys of n rows; see `distinct`."""

    data: npt.NDArray[np.uint8]
    spans: npt.NDArray[np.int64]
    flags: npt.NDArray[np.int8]
    first: int
    end: int


@inline
def _are_same(keys: _Keys, a: Index, b: Index) -> bool:
    """Tell whether the keys of two rows are the same."""
    address, spans = keys.data.ctypes.data, keys.spans
    if keys.flags[a] != keys.flags[b]:
        return False
    for k in range(keys.first, keys.end):
        size = spans[a, k, 1] - spans[a, k, 0]
        if size != spans[b, k, 1] - spans[b, k, 0] or (spans[a, k, 0] < 0) != (spans[b, k, 0] < 0):
            return False
        if not are_equal(address, spans[a, k, 0], spans[b, k, 0], size):
            return False
    return True


@kernel
def _distinct(
    keys: _Keys,
    table: npt.NDArray[np.int64],
    shift: np.uint64,
    codes: npt.NDArray[np.int64],
    firsts: npt.NDArray[np.int64],
) -> int:
    """Write codes and first rows; give how many keys there are, -1 where the table is too small."""
    address, spans = keys.data.ctypes.data, keys.spans
    n = np.int64(0)
    mask = _U(table.size - 1)
    for i in range(spans.shape[0]):
        if i + _AHEAD < spans.shape[0]:
            for k in range(keys.first, keys.end):
                prefetch(address + spans[i + _AHEAD, k, 0])
        if i > 0 and _are_same(keys, i, i - 1):  # as labels of a frame mostly are, in a third of the time
            codes[i] = codes[i - 1]
            continue
        value = _U(np.int64(keys.flags[i]))
        for k in range(keys.first, keys.end):
            value = _hash(address, spans[i, k, 0], spans[i, k, 1], value)
        at = (value * _PRIME) >> shift
        while True:
            code = table[at]
            if code < 0:
                if 2 * n >= table.size:
                    return -1
                code = n
                table[at] = n
                firsts[n] = i
                n += 1
                break
            if _are_same(keys, i, firsts[code]):
                break
            at = (at + _ONE) & mask
        codes[i] = code
    return int(n)
