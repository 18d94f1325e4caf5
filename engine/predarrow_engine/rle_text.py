"""COCO's compressed strings <-> run lengths, many masks at once, whatever the bytes.

A string is a row of numbers, low bits first, 5 a character: 48 + bits, + 32 where more follow; the last one's bit 16
is the sign. From the fourth number on, each is the difference to the one two before it.

    "62304"    6 2 3 0 4 -> counts 6 2 3 2 7     0 + 2, 4 + 3; zeros first, down the columns: 4 pixels inside of 20

Numbers are read many at a time (`rle_numbers.py`). What that finds odd is read again byte by byte, which says what is
wrong, and where.

Source: `rleFrString` and `rleToString` of COCO's maskApi.c (P. Dollár, T.-Y. Lin). Slow twin: tests/naive_rle.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, helper, inline, kernel
from predarrow_engine._simd_runs import add_up
from predarrow_engine.rle_numbers import EDGE, SPARE, read_numbers
from predarrow_engine.runs import ONE, ZERO

OK, BAD_CHARACTER, TRUNCATED, LONG_NUMBER, NEGATIVE_COUNT, WRONG_SUM, TOO_LARGE = range(7)
"""What is wrong with run lengths: nothing; a byte that is none of COCO's 64; no end of the last number; a number of
more than 60 bits; a run below 0; runs that are not height * width pixels in all; a size with more pixels than the
limit, or with a side below 0."""

PIXEL_LIMIT = 2**32 - 1
"""Pixels of the largest mask: runs count in 32 bits."""
STRING_LIMIT = 2**31 - 1
"""Bytes of strings in all: Arrow's binary counts in 32 bits."""

_MOST_BITS = 60


class RunLengths(NamedTuple):
    """Run lengths of n masks, zeros first, then ones, and so on; and what was wrong with them."""

    counts: npt.NDArray[np.uint32]
    """(n_counts,) pixels down the columns; none of a mask that has a flaw"""
    offsets: npt.NDArray[np.int64]
    """(n + 1,) first count of each mask"""
    flaw: npt.NDArray[np.uint8]
    """(n,) OK, BAD_CHARACTER, ..., TOO_LARGE"""
    place: npt.NDArray[np.int64]
    """(n,) byte of the string (of counts: number of the count) where the flaw begins; its length where something is
    missing at the end, 0 without a flaw and for TOO_LARGE"""
    total: npt.NDArray[np.int64]
    """(n,) sum of all runs; where there is a flaw other than WRONG_SUM, of those before it. One run above 2**32 - 1
    ends the sum, and is in it."""


def from_strings(
    strings: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.signedinteger[Any]],
    sizes: npt.NDArray[np.int64],
    limit: int = PIXEL_LIMIT,
) -> RunLengths:
    """Give the run lengths of compressed strings; bytes of any kind do no harm.

    Args:
        strings: (n_bytes,) one after the other.
        offsets: (n + 1,) int32 or int64, ascending, first byte of each.
        sizes: (n, 2) height and width of each.
        limit: pixels of the largest mask that is taken, up to 2**32 - 1; asked before its string is read.
    """
    result = _room(len(sizes), SPARE + (int(offsets[-1] - offsets[0]) if len(offsets) else 0))
    n = _read_strings(fixed(strings), fixed(offsets), fixed(sizes), min(limit, PIXEL_LIMIT), result)
    return result._replace(counts=result.counts[:n])


def from_counts(
    counts: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    limit: int = PIXEL_LIMIT,
) -> RunLengths:
    """Give run lengths that were not compressed, checked as those of strings are.

    Args:
        counts: (n_counts,) any numbers.
        offsets: (n + 1,) ascending, first count of each mask.
        sizes, limit: see `from_strings`.
    """
    result = _room(len(sizes), int(offsets[-1] - offsets[0]) if len(offsets) else 0)
    n = _check_counts(fixed(counts), fixed(offsets), fixed(sizes), min(limit, PIXEL_LIMIT), result)
    return result._replace(counts=result.counts[:n])


def to_strings(
    counts: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """Give compressed strings, byte for byte pycocotools', as (n_bytes,) bytes and (n + 1,) first byte of each.

    Args:
        counts, offsets: as in `RunLengths`.

    Raises:
        ValueError: more than 2**31 - 1 bytes.
    """
    counts, offsets = fixed(counts), fixed(offsets)
    ends = np.zeros(len(offsets), np.int64)
    n_bytes = _measure_strings(counts, offsets, ends)
    if n_bytes > STRING_LIMIT:
        raise ValueError(f"the strings of masks hold at most {STRING_LIMIT} bytes, got {n_bytes}; take fewer at a time")
    strings = np.empty(n_bytes, np.uint8)
    _write_strings(counts, offsets, strings)
    return strings, ends.astype(np.int32)


def fixed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give an array as kernels take it: contiguous and read-only, without a copy where it is contiguous."""
    array = np.ascontiguousarray(array).view()
    array.flags.writeable = False
    return array


def _room(n: int, n_counts: int) -> RunLengths:
    return RunLengths(
        np.empty(n_counts, np.uint32),
        np.zeros(n + 1, np.int64),
        np.zeros(n, np.uint8),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
    )


class Read(NamedTuple):
    """What one string turned out to be."""

    n_counts: Index
    total: Index
    flaw: Index
    place: Index


@inline
def pixels(sizes: npt.NDArray[np.int64], i: Index, limit: int) -> int:
    """Give height * width of mask i; -1 where that is above a limit of up to 2**32 - 1, or a side below 0."""
    height, width = np.int64(sizes[i, 0]), np.int64(sizes[i, 1])
    if height < 0 or width < 0 or (height > 0 and width > limit // height):
        return -1
    return int(height * width)


@kernel
def _read_strings(
    strings: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.signedinteger[Any]],
    sizes: npt.NDArray[np.int64],
    limit: int,
    result: RunLengths,
) -> int:
    edge = np.zeros(EDGE, np.uint8)
    at = 0
    for i in range(np.uint64(result.flaw.size)):
        size = pixels(sizes, i, limit)
        if size < 0:
            result.flaw[i] = TOO_LARGE
        else:
            begin, end = np.int64(offsets[i]), np.int64(offsets[i + ONE])
            n = read_numbers(strings, begin, end, result.counts.ctypes.data + 4 * at, edge)
            read = read_string(strings, begin, end, size, result.counts, at, n)
            result.total[i], result.flaw[i], result.place[i] = read.total, read.flaw, read.place
            if read.flaw == OK:
                at += read.n_counts
        result.offsets[i + ONE] = at
    return at


@inline
def read_string(
    strings: npt.NDArray[np.uint8],
    begin: Index,
    end: Index,
    size: Index,
    counts: npt.NDArray[np.uint32],
    at: Index,
    n: Index,
) -> Read:
    """Make counts[at:] those of strings[begin:end], a mask of so many pixels.

    Args:
        n: numbers of the string that stand in counts[at:] (`rle_numbers.read_numbers`), -1 where it has something odd.
    """
    if n > 0 and _add_up(counts, at, n) == size:
        return Read(n, size, OK, 0)
    return _read_carefully(strings, begin, end, size, counts, at)


@inline
def _add_up(counts: npt.NDArray[np.uint32], at: Index, n: Index) -> np.int64:
    """Make counts of n differences; give their sum, -1 where one is below 0 or not below 2**31."""
    first = np.int64(np.int32(counts[np.uint64(at)]))
    if n == 1:
        return first
    bits, rest = add_up(counts.ctypes.data + 4 * at + 4, n - 1)
    if (first | bits) >> 31 != 0:
        return np.int64(-1)
    if bits * n <= PIXEL_LIMIT:
        return np.int64(first + rest)
    total = np.int64(0)
    for k in range(np.uint64(at), np.uint64(at + n)):
        total += np.int64(counts[k])
    return total


@helper
def _read_carefully(
    strings: npt.NDArray[np.uint8], begin: Index, end: Index, size: Index, counts: npt.NDArray[np.uint32], at: Index
) -> Read:
    """Do as `read_string` does, byte by byte, which tells what is wrong."""
    start, k = begin, 0
    total: Index = np.int64(0)
    before: Index = np.int64(0)
    before_that: Index = np.int64(0)
    over = -1  # where the sum went above the size
    while start < end:
        value, follows = _number(strings, start, end)
        if follows < 0:
            return Read(k, total, -follows, value - begin)
        if k > 2:
            value += before_that
        if value < 0:
            return Read(k, total, NEGATIVE_COUNT, start - begin)
        total += value
        if total > size and over < 0:
            over = start - begin
        if value > PIXEL_LIMIT:
            break
        counts[np.uint64(at + k)] = value
        before_that, before = before, value
        start = follows
        k += 1
    if over >= 0 or total != size:
        return Read(k, total, WRONG_SUM, over if over >= 0 else end - begin)
    return Read(k, total, OK, 0)


@helper
def _number(strings: npt.NDArray[np.uint8], start: Index, end: Index) -> tuple[Index, Index]:
    """Give the number that begins at `start`, and where it ends; where it has a flaw, its place and minus the flaw."""
    value, shift = np.int64(0), np.int64(0)
    at = start
    while at < end:
        bits = np.int64(strings[np.uint64(at)]) - 48
        if bits < 0 or bits > 63:
            return at, -BAD_CHARACTER
        if shift == _MOST_BITS:
            return start, -LONG_NUMBER
        value |= (bits & 0x1F) << shift
        shift += 5
        at += 1
        if bits & 0x20 == 0:
            return (value - ((bits & 0x10) << (shift - 4))), at
    return start, -TRUNCATED


@kernel
def _check_counts(
    counts: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    limit: int,
    result: RunLengths,
) -> int:
    at = 0
    for i in range(np.uint64(result.flaw.size)):
        size = pixels(sizes, i, limit)
        begin, end = np.int64(offsets[i]), np.int64(offsets[i + ONE])
        over = np.int64(-1) if size >= 0 else np.int64(0)
        total = np.int64(0)
        flaw = OK if size >= 0 else TOO_LARGE
        for k in range(begin, end if size >= 0 else begin):
            value = np.int64(counts[np.uint64(k)])
            if value < 0:
                flaw, over = NEGATIVE_COUNT, np.int64(k - begin)
                break
            total += min(value, np.int64(2**62) - total)
            if total > size and over < 0:
                flaw, over = WRONG_SUM, k - begin
            if value > PIXEL_LIMIT:
                break
            result.counts[np.uint64(at + k - begin)] = value
        if flaw == OK and total != size:
            flaw, over = WRONG_SUM, end - begin
        result.total[i], result.flaw[i], result.place[i] = total, flaw, max(over, np.int64(0))
        if flaw == OK:
            at += int(end - begin)
        result.offsets[i + ONE] = at
    return at


@inline
def _difference(counts: npt.NDArray[np.uint32], begin: Index, k: Index) -> np.int64:
    """Give the number that stands for count k of the mask whose counts begin at `begin`."""
    value = np.int64(counts[np.uint64(k)])
    return np.int64(value - np.int64(counts[np.uint64(k - 2)])) if k - begin > 2 else value


@kernel
def _measure_strings(
    counts: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> int:
    """Write where each string ends, and give how many bytes there are."""
    n = np.int64(0)
    for i in range(np.uint64(ends.size - 1)):
        begin = np.int64(offsets[i])
        for k in range(begin, np.int64(offsets[i + ONE])):
            value = _difference(counts, begin, k)
            value ^= value >> 63
            n += 1
            while value > 15:
                value >>= 5
                n += 1
        ends[i + ONE] = n
    return int(n)


@kernel
def _write_strings(
    counts: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], strings: npt.NDArray[np.uint8]
) -> None:
    n = ZERO
    for i in range(np.uint64(offsets.size - 1)):
        begin = np.int64(offsets[i])
        for k in range(begin, np.int64(offsets[i + ONE])):
            n = write_number(strings, n, _difference(counts, begin, k))


@inline
def write_number(strings: npt.NDArray[np.uint8], n: Index, value: Index) -> np.uint64:
    """Write a number at strings[n]; give where it ends."""
    at = np.uint64(n)
    more = True
    while more:
        bits = value & 0x1F
        value >>= 5
        more = value != (-1 if bits & 0x10 else 0)
        strings[at] = bits + 48 + (0x20 if more else 0)
        at += ONE
    return at
