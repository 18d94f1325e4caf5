"""The bits of Label Studio's brushes -> run lengths along the rows; the form stands in `brush.py`.

All sizes and the bits of a value are taken from the header. A pixel is known once its alpha is: values 0 to j - 1 tell
the first j // 4 pixels, and a repeated value that ends at value j tells those that were not known before.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, helper, inline, kernel
from predarrow_engine._simd_bits import load_bits
from predarrow_engine.brush_write import HEADER_BITS
from predarrow_engine.rle_text import pixels
from predarrow_engine.runs import ONE, ZERO

OK, TOO_LARGE, NO_HEADER, WORD_SIZE, WRONG_NUMBER, TRUNCATED, OVERRUN = range(7)
"""What is wrong with a brush: nothing; a size with more pixels than the limit, or with a side below 0; fewer than 53
bits; values of more than 8 bits; `num` that is not height * width * 4; bytes that end before `num` values are out; a
chunk with more values than are left."""

_MOST_WORD = 8
_OPAQUE = 255
_THREE, _TWELVE, _FIFTEEN = np.uint64(3), np.uint64(12), np.uint64(15)
_FIFTY_NINE, _SIXTY_THREE, _SIXTY_FOUR = np.uint64(59), np.uint64(63), np.uint64(64)


class Chunks(NamedTuple):
    """What was found in n brushes."""

    flaw: npt.NDArray[np.uint8]
    """(n,) what is wrong: OK ... OVERRUN"""
    place: npt.NDArray[np.int64]
    """(n,) byte in which the chunk with the flaw begins; 0 for flaws of size and header, and where none is"""
    number: npt.NDArray[np.int64]
    """(n,) `num`, values in all, as the header tells it; 0 for TOO_LARGE and NO_HEADER"""
    word_size: npt.NDArray[np.int64]
    """(n,) bits of a value; 0 for TOO_LARGE and NO_HEADER"""
    partial: npt.NDArray[np.int64]
    """(n,) pixels whose alpha is neither 0 nor 255, as those at the edge of a stroke drawn by hand: which of them are
    inside is the threshold's word"""
    highest: npt.NDArray[np.int64]
    """(n,) the largest alpha; 0 for a mask without pixels"""
    spare: npt.NDArray[np.int64]
    """(n,) bytes behind the one in which the last chunk ends, less one of zeros, which some encoders write"""


class _Found(NamedTuple):
    """What was found in one brush."""

    flaw: Index
    place: Index
    number: Index
    word_size: Index
    partial: Index
    highest: Index
    spare: Index


def read_chunks(
    values: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.signedinteger[Any]],
    sizes: npt.NDArray[np.int64],
    threshold: int,
    limit: int,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64], Chunks]:
    """Give run lengths along the rows, (n + 1,) first one of each, and what was found; see `brush.decode`.

    A brush that has a flaw has no run lengths.

    Args:
        values, offsets, sizes: contiguous and read-only.
    """
    n = len(sizes)
    # 4 bits a count at least: of a pixel in a chunk that repeats nothing, with values of one bit.
    n_counts = int((2 * np.diff(offsets).astype(np.int64)).sum()) + 2 * n
    counts, row_offsets = np.empty(n_counts, np.uint32), np.zeros(n + 1, np.int64)
    chunks = Chunks(np.zeros(n, np.uint8), *(np.zeros(n, np.int64) for _ in range(6)))
    n_counts = _read(values, offsets, sizes, threshold, limit, counts, row_offsets, chunks)
    return counts[:n_counts], row_offsets, chunks


@kernel
def _read(
    values: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.signedinteger[Any]],
    sizes: npt.NDArray[np.int64],
    threshold: int,
    limit: int,
    counts: npt.NDArray[np.uint32],
    row_offsets: npt.NDArray[np.int64],
    chunks: Chunks,
) -> int:
    """Read brushes; give the number of counts."""
    n = ZERO
    for i in range(np.uint64(chunks.flaw.size)):
        size = pixels(sizes, i, limit)
        if size < 0:
            chunks.flaw[i] = TOO_LARGE
        else:
            end, found = _read_one(values, np.int64(offsets[i]), np.int64(offsets[i + ONE]), size, threshold, counts, n)
            chunks.flaw[i], chunks.place[i] = found.flaw, found.place
            chunks.number[i], chunks.word_size[i] = found.number, found.word_size
            chunks.partial[i], chunks.highest[i], chunks.spare[i] = found.partial, found.highest, found.spare
            if found.flaw == OK:
                n = end
        row_offsets[i + ONE] = np.int64(n)
    return int(np.int64(n))


@inline
def _bits(values: npt.NDArray[np.uint8], bit: np.int64) -> np.uint64:
    """Give at least the 57 bits from one on, highest first; zeros behind the last byte."""
    byte = int(bit >> 3)
    if byte + 8 <= values.size:
        return load_bits(values.ctypes.data + byte) << np.uint64(bit & 7)
    return _last_bits(values, byte) << np.uint64(bit & 7)


@helper
def _last_bits(values: npt.NDArray[np.uint8], byte: int) -> np.uint64:
    word = ZERO
    for at in range(byte, byte + 8):
        word = word << np.uint64(8)
        if at < values.size:
            word |= np.uint64(values[np.uint64(at)])
    return word


@inline
def _header(values: npt.NDArray[np.uint8], begin: np.int64, end: np.int64, size: int) -> tuple[_Found, np.uint64]:
    """Give what the header tells, and the sizes of lengths, 4 bits each, less one, the last one lowest."""
    if 8 * (end - begin) < HEADER_BITS:
        return _Found(NO_HEADER, 0, 0, 0, 0, 0, 0), ZERO
    word = _bits(values, 8 * begin)
    number = np.int64(word >> np.uint64(32))
    word_size = np.int64((word >> np.uint64(27)) & np.uint64(31)) + 1
    flaw = WRONG_NUMBER if number != 4 * size else (WORD_SIZE if word_size > _MOST_WORD else OK)
    return _Found(flaw, 0, number, word_size, 0, 0, 0), word >> np.uint64(11)


@helper
def _read_one(
    values: npt.NDArray[np.uint8],
    begin: np.int64,
    end: np.int64,
    size: int,
    threshold: int,
    counts: npt.NDArray[np.uint32],
    first: np.uint64,
) -> tuple[np.uint64, _Found]:
    """Write the counts of values[begin:end] from counts[first] on; give where they end, and what was found."""
    found, length_sizes = _header(values, begin, end, size)
    if found.flaw != OK:
        return first, found
    number, word_size = np.int64(found.number), np.int64(found.word_size)
    bit, last_bit, n = 8 * begin + HEADER_BITS, 8 * end, first
    at, run, is_inside = np.int64(0), np.int64(0), False  # values so far; pixels of the run that is open
    partial, highest = np.int64(0), np.int64(0)  # as plain numbers: in a tuple they take half as long again
    while at < number:
        chunk, (is_repeat, length, bit) = bit, _chunk(values, bit, length_sizes)
        n_words = 1 if is_repeat else length
        stop = bit + n_words * word_size
        if stop > last_bit or at + length > number:
            flaw = TRUNCATED if stop > last_bit else OVERRUN
            return first, _Found(flaw, (chunk >> 3) - begin, number, word_size, 0, 0, 0)
        step = length if is_repeat else np.int64(1)
        for _ in range(n_words):
            alpha = np.int64(_bits(values, bit) >> (_SIXTY_FOUR - np.uint64(word_size)))
            bit += word_size
            known, at = at >> 2, at + step
            n_new = (at >> 2) - known
            if n_new > 0:
                if (alpha >= threshold) != is_inside:
                    counts[n] = np.uint32(run)
                    n += ONE
                    run, is_inside = np.int64(0), not is_inside
                run += n_new
                partial += n_new if 0 < alpha < _OPAQUE else 0
                highest = max(highest, alpha)
    counts[n] = np.uint32(run)
    return n + ONE, _Found(OK, 0, number, word_size, partial, highest, _spare(values, bit, end))


@inline
def _chunk(values: npt.NDArray[np.uint8], bit: np.int64, length_sizes: np.uint64) -> tuple[bool, np.int64, np.int64]:
    """Give whether the chunk at a bit repeats its value, its length, and the bit where its values begin."""
    word = _bits(values, bit)
    length_size = ((length_sizes >> (_TWELVE - (word >> _FIFTY_NINE & _TWELVE))) & _FIFTEEN) + ONE
    length = (word << _THREE) >> (_SIXTY_FOUR - length_size)
    return word >> _SIXTY_THREE != ZERO, np.int64(length) + 1, bit + 3 + np.int64(length_size)


@inline
def _spare(values: npt.NDArray[np.uint8], bit: np.int64, end: np.int64) -> int:
    """Give how many bytes stand behind the one in which the last chunk ends before a bit, less one of zeros."""
    follows = (bit + 7) >> 3
    if follows < end and values[np.uint64(follows)] == 0:
        follows += 1
    return int(end - follows)
