"""COCO's compressed strings <-> run lengths, many masks at once, whatever the bytes.

A string is a row of numbers, low bits first, 5 a character: 48 + bits, + 32 where more follow; the last one's bit 16
is the sign. From the fourth number on, each is the difference to the one two before it.

    "62304"    6 2 3 0 4 -> counts 6 2 3 2 7     0 + 2, 4 + 3; zeros first, down the columns: 4 pixels inside of 20

A number ends where a byte is below 80, so 64 bytes are compared at a time, and where numbers begin is known before the
one in front is read: 2.4 ns a number. What the quick way finds odd is read again byte by byte, which says what is
wrong, and where.

Source: `rleFrString` and `rleToString` of COCO's maskApi.c (P. Dollár, T.-Y. Lin). Slow twin: tests/naive_rle.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, helper, inline, kernel
from predarrow_engine._simd import LANES, count_trailing_zeros
from predarrow_engine._simd_text import below, load_word
from predarrow_engine.runs import ALL, ONE, ZERO

OK, BAD_CHARACTER, TRUNCATED, LONG_NUMBER, NEGATIVE_COUNT, WRONG_SUM, TOO_LARGE = range(7)
"""What is wrong with run lengths: nothing; a byte that is none of COCO's 64; no end of the last number; a number of
more than 60 bits; a run below 0; runs that are not height * width pixels in all; a size with more pixels than the
limit, or with a side below 0."""

PIXEL_LIMIT = 2**32 - 1
"""Pixels of the largest mask: runs count in 32 bits."""
STRING_LIMIT = 2**31 - 1
"""Bytes of strings in all: Arrow's binary counts in 32 bits."""

_MOST_BITS = 60
_FOUR, _EIGHT = np.uint64(4), np.uint64(8)
_FIVE_BITS = np.uint64(0x1F1F1F1F1F1F1F1F)
_BIT_4 = np.uint64(0x1010101010101010)
_AHEAD = LANES + 8  # bytes from a block's first that the quick way may look at


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
    result = _room(len(sizes), int(offsets[-1] - offsets[0]) if len(offsets) else 0)
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
    at = 0
    for i in range(np.uint64(result.flaw.size)):
        size = pixels(sizes, i, limit)
        if size < 0:
            result.flaw[i] = TOO_LARGE
        else:
            read = read_string(strings, np.int64(offsets[i]), np.int64(offsets[i + ONE]), size, result.counts, at)
            result.total[i], result.flaw[i], result.place[i] = read.total, read.flaw, read.place
            if read.flaw == OK:
                at += read.n_counts
        result.offsets[i + ONE] = at
    return at


@inline
def read_string(
    strings: npt.NDArray[np.uint8], begin: Index, end: Index, size: Index, counts: npt.NDArray[np.uint32], at: Index
) -> Read:
    """Write the counts of strings[begin:end], a mask of so many pixels, to counts[at:], where end - begin have room."""
    address = strings.ctypes.data
    stop = min(end, strings.size - _AHEAD + 1)  # a block that begins from here on is left to the careful way
    # The first number is none of those that others are differences to: nothing is added to the third.
    total, start = _number(strings, begin, end)
    if start < 0 or total < 0 or total > size:
        return _read_carefully(strings, begin, begin, end, size, 0, 0, 0, 0, counts, at)
    n = np.uint64(at)
    counts[n] = np.uint32(total)
    n += ONE
    block = start  # start: of the number that is open
    before, before_that, odd = np.int64(0), np.int64(0), np.int64(0)
    while block < stop:
        mask = ALL >> np.uint64(LANES - min(LANES, end - block))
        ends = below(address + block, 80) & mask
        wrong = (below(address + block, 48) | ~below(address + block, 112)) & mask
        odd |= np.int64(wrong != ZERO)
        while ends != ZERO:
            last = block + np.int64(count_trailing_zeros(ends))
            ends &= ends - ONE
            word = load_word(address + start)
            length = np.uint64(last - start + 1)
            start = last + 1
            if length <= _FOUR:
                value = _four_characters(word, length)
            else:
                odd |= np.int64(length > _EIGHT)
                value = _eight_characters(word, min(length, _EIGHT))
            value += before_that
            odd |= value >> 32  # below 0, or above 32 bits
            total += value
            counts[n] = np.uint32(value)
            before_that = before
            before = value
            n += ONE
        block += LANES
    n_counts = int(np.int64(n)) - at
    if odd == 0 and start == end and total == size:
        return Read(n_counts, total, OK, 0)
    if odd != 0 or total > size:
        return _read_carefully(strings, begin, begin, end, size, 0, 0, 0, 0, counts, at)
    return _read_carefully(strings, begin, start, end, size, n_counts, before_that, before, total, counts, at)


@inline
def _four_characters(word: np.uint64, length: np.uint64) -> np.int64:
    """Give the number of up to 4 characters that a word begins with: nearly all are."""
    low = (word & np.uint64(0x1F)) | ((word >> np.uint64(3)) & np.uint64(0x3E0))
    high = ((word >> np.uint64(6)) & np.uint64(0x7C00)) | ((word >> np.uint64(9)) & np.uint64(0xF8000))
    return _signed((low | high) ^ np.uint64(0x84210), length)  # 48 has the bit of 16 set, and that of 32


@inline
def _eight_characters(word: np.uint64, length: np.uint64) -> np.int64:
    """Give the number of up to 8 characters that a word begins with."""
    groups = (word ^ _BIT_4) & _FIVE_BITS
    groups = (groups & np.uint64(0x001F001F001F001F)) | ((groups & np.uint64(0x1F001F001F001F00)) >> np.uint64(3))
    groups = (groups & np.uint64(0x000003FF000003FF)) | ((groups & np.uint64(0x03FF000003FF0000)) >> np.uint64(6))
    return _signed((groups & np.uint64(0x000FFFFF)) | ((groups >> np.uint64(32)) << np.uint64(20)), length)


@inline
def _signed(bits: np.uint64, length: np.uint64) -> np.int64:
    """Give the number in the lowest bits, 5 a character; those above are another's."""
    unused = np.uint64(64) - np.uint64(5) * length
    return np.int64(np.int64(bits << unused) >> np.int64(unused))


@helper
def _read_carefully(
    strings: npt.NDArray[np.uint8],
    begin: Index,
    start: Index,
    end: Index,
    size: Index,
    k: Index,
    before_that: Index,
    before: Index,
    total: Index,
    counts: npt.NDArray[np.uint32],
    at: Index,
) -> Read:
    """Read strings[begin:end] from `start` on, where k numbers with such a total came before."""
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


@inline
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
