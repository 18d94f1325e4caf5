"""Run lengths along the rows -> the bits of Label Studio's brushes; the form stands in `brush.py`.

A run of 4 L values takes the smallest size that holds it, which the number of bits of 4 L - 1 tells; one of more than
65,536 values is cut, and its rest takes 16 bits, too. Bits gather at the top of a word; all of its bytes are written,
and as many kept as are full, so no branch asks how many.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine._simd_bits import store_bits
from predarrow_engine._simd_text import leading_zeros
from predarrow_engine.runs import ONE, ZERO

HEADER_BITS = 53

_HEADER = np.uint64((7 << 16 | 0x237F) << 11)
_WORD = 8  # bytes that a store writes, of which some are written again
_SIZES = np.array([3, 3, 3, 3, 4, 8, 8, 8, 8, 16, 16, 16, 16, 16, 16, 16, 16], np.uint64)  # by bits of length - 1
_HEADS = np.array([4, 4, 4, 4, 5, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7], np.uint64)  # repeat, and which size
_LONGEST = np.uint64(65_536)  # values of the longest chunk
_LONG_HEAD, _LONG_SIZE = np.uint64(7), np.uint64(16)
_INSIDE = np.uint64(255)
_VALUE_BITS, _HEAD_BITS = np.uint64(8), np.uint64(3)
_TWO, _THREE, _SEVEN, _SIXTY_FOUR = np.uint64(2), np.uint64(3), np.uint64(7), np.uint64(64)


def write_brushes(
    counts: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], n_pixels: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Give the bytes of brushes and (n + 1,) first byte of each; see `brush.encode_rows`.

    Args:
        counts, offsets: contiguous and read-only.
        n_pixels: (n,) of each mask, at most 2**30 - 1 where it has counts.

    Raises:
        ValueError: counts of a mask that are not its pixels.
    """
    n = len(n_pixels)
    # A run takes 27 bits at most, one more for each 65,536 values, and nothing is touched beyond what is written.
    n_chunks = len(counts) + int((4 * n_pixels[np.diff(offsets) > 0] // 65_536).sum())
    values = np.empty((27 * n_chunks) // 8 + 9 * n + _WORD, np.uint8)
    ends = np.zeros(n + 1, np.int64)
    wrong = _write(counts, offsets, n_pixels, values, ends)
    if wrong >= 0:
        raise ValueError(f"counts of mask {wrong} must sum to {n_pixels[wrong]} (height * width)")
    return values[: ends[n]].copy(), ends


@kernel
def _write(
    counts: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    n_pixels: npt.NDArray[np.int64],
    values: npt.NDArray[np.uint8],
    ends: npt.NDArray[np.int64],
) -> int:
    """Write brushes; give the first mask whose counts are not its pixels, -1 where none is."""
    address = values.ctypes.data
    at = 0
    for i in range(n_pixels.size):
        begin, end = np.uint64(offsets[i]), np.uint64(offsets[i + 1])
        if begin != end:
            total = np.int64(0)
            for k in range(begin, end):
                total += np.int64(counts[k])
            if total != n_pixels[i]:
                return int(i)
            at = _write_one(counts, begin, end, total, address, at)
        ends[i + 1] = at
    return -1


@inline
def _write_one(
    counts: npt.NDArray[np.uint32], begin: np.uint64, end: np.uint64, total: np.int64, address: int, at: int
) -> int:
    """Write the brush of counts[begin:end], so many pixels in all, to byte `at`; give where it ends."""
    store_bits(address + at, np.uint64(total) << np.uint64(34) | _HEADER)
    at += 6
    held, n_held = _HEADER << np.uint64(48), np.uint64(HEADER_BITS - 48)
    k = begin
    is_inside = False
    while k < end:
        n_values = np.uint64(counts[k]) << np.uint64(2)
        while k + _TWO < end and counts[k + ONE] == 0:  # a run of no length: what is on either side is one run
            k += _TWO
            n_values += np.uint64(counts[k]) << np.uint64(2)
        value = _INSIDE if is_inside else ZERO
        if n_values > _LONGEST:
            while n_values > _LONGEST:
                at, held, n_held = _append(_LONG_HEAD, _LONG_SIZE, _LONGEST, value, address, at, held, n_held)
                n_values -= _LONGEST
            at, held, n_held = _append(_LONG_HEAD, _LONG_SIZE, n_values, value, address, at, held, n_held)
        elif n_values != ZERO:
            n_bits = _SIXTY_FOUR - leading_zeros(n_values - ONE)
            at, held, n_held = _append(_HEADS[n_bits], _SIZES[n_bits], n_values, value, address, at, held, n_held)
        k += ONE
        is_inside = not is_inside
    store_bits(address + at, held)  # with zeros behind it, and a whole byte of them where no bit is held
    return at + 1


@inline
def _append(
    head: np.uint64,
    size: np.uint64,
    n_values: np.uint64,
    value: np.uint64,
    address: int,
    at: int,
    held: np.uint64,
    n_held: np.uint64,
) -> tuple[int, np.uint64, np.uint64]:
    """Append a chunk to the bits that are held, fewer than 8, and write full bytes; give what is held then."""
    chunk = (head << size | (n_values - ONE)) << _VALUE_BITS | value
    n_held += _HEAD_BITS + size + _VALUE_BITS
    held |= chunk << (_SIXTY_FOUR - n_held)
    store_bits(address + at, held)
    n_full = n_held >> _THREE
    return at + int(np.int64(n_full)), held << (n_full << _THREE), n_held & _SEVEN
