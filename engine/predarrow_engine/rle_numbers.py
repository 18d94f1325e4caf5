"""COCO's compressed strings -> the numbers in them as they stand there, which are differences from the fourth on.

A number ends where a byte is below 80, so 64 bytes are compared at a time, and the 4 bytes that end in each such place
are made a number, all at once: 0.2 ns a number where all of the 64 have up to 2 characters, else 0.5. Longer ones,
differences of half a million pixels, are read byte by byte. A string with anything odd is left to `rle_text.py`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, helper, inline
from predarrow_engine._simd import count_trailing_zeros
from predarrow_engine._simd_runs import BLOCK, read_block, read_short
from predarrow_engine._simd_text import below, count_bits, store
from predarrow_engine.runs import ALL, ONE, ZERO

SPARE = BLOCK
"""Numbers that there is to be room for behind those of a string."""
EDGE = 8 + BLOCK + 8
"""Bytes of a block's copy, with those before and behind it."""

_BEFORE = 8
_LONGEST = 6  # characters: 30 bits
_TWO, _THREE, _FOUR = np.uint64(2), np.uint64(3), np.uint64(4)
_TOP = np.uint64(BLOCK)


@inline
def read_numbers(
    strings: npt.NDArray[np.uint8], begin: Index, end: Index, numbers: Index, edge: npt.NDArray[np.uint8]
) -> np.int64:
    """Write the numbers of strings[begin:end] as int32; give how many, -1 where something is odd.

    Args:
        numbers: address of end - begin + SPARE int32.
        edge: (EDGE,) scratch, zeros at first.
    """
    if begin == end or strings[np.uint64(end - 1)] >= 80 or (begin > 0 and strings[np.uint64(begin - 1)] >= 80):
        return np.int64(-1)
    n = np.int64(0)
    before, odd = ZERO, ZERO  # bytes of the block before that more follow
    block = begin
    while block < end:
        inside = _BEFORE <= block < strings.size - BLOCK
        place = strings.ctypes.data + block if inside else _copied(strings, block, edge)
        mask = ALL >> np.uint64(BLOCK - min(BLOCK, end - block))
        below_80 = below(place, 80)
        ends, more = below_80 & mask, ~below_80
        odd |= (below(place, 48) | ~below(place, 112)) & mask
        long = ends & _moved(more, before, ONE) & _moved(more, before, _TWO)
        if long == ZERO:
            read_short(place, ends, numbers + 4 * n)
        else:
            long &= _moved(more, before, _THREE) & _moved(more, before, _FOUR)
            read_block(place, ends, numbers + 4 * n)
            if long != ZERO:
                odd |= _read_long(strings, begin, block, ends, long, numbers + 4 * n)
        n += count_bits(ends)
        before = more
        block += BLOCK
    return n if odd == ZERO else np.int64(-1)


@inline
def _moved(bits: np.uint64, before: np.uint64, by: np.uint64) -> np.uint64:
    return bits << by | before >> (_TOP - by)


@helper
def _copied(strings: npt.NDArray[np.uint8], block: Index, edge: npt.NDArray[np.uint8]) -> int:
    """Copy a block that begins or ends where the strings do, and the bytes before it; give its address."""
    for at in range(block - _BEFORE, min(block + BLOCK, strings.size)):
        edge[np.uint64(at - block + _BEFORE)] = strings[np.uint64(at)] if at >= 0 else 0
    return int(edge.ctypes.data + _BEFORE)


@helper
def _read_long(
    strings: npt.NDArray[np.uint8], begin: Index, block: Index, ends: np.uint64, long: np.uint64, numbers: Index
) -> np.uint64:
    """Write the numbers of a block that are marked as long to their places; give 0, or 1 where one is too long."""
    while long != ZERO:
        place = count_trailing_zeros(long)
        long &= long - ONE
        at = block + np.int64(place)
        value = np.int64(strings[np.uint64(at)]) - 48
        value -= (value & 0x10) << 1  # the sign
        n_characters = 1
        while at > begin and strings[np.uint64(at - 1)] >= 80:
            at -= 1
            n_characters += 1
            value = value << 5 | ((np.int64(strings[np.uint64(at)]) - 48) & 0x1F)
        if n_characters > _LONGEST:
            return ONE
        store(numbers + 4 * count_bits(ends & ((ONE << place) - ONE)), np.int32(value))
    return ZERO
