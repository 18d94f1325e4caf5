"""Masks -> COCO's compressed run lengths, areas and boxes, in one pass over the pixels.

COCO counts pixels down the columns, masks lie in memory by rows. Turning them costs more than the whole rest, and is
not needed: a column's runs begin where a pixel differs from the one above it (its first pixel from the last one of
the column before), so two neighbouring rows are compared 64 columns at a time, and only the few places that differ
are sorted by column.

    rows        #..#       row 0 against the bottom row moved right by one,
    in memory   ##.#       every other row against the one above it
                .###    -> starts of runs: (x, y) = (0, 0) (0, 2) (1, 1) (2, 2) (2, 3) (3, 0) …

    counts      0, 2, 2, … : zeros first, then ones, and so on; the string holds each count less the one two before
                it, 5 bits a character, lowest first, 0x20 where more follow, plus 48.

Source: `rleEncode` and `rleToString` of COCO's maskApi.c (P. Dollár, T.-Y. Lin). Slow twin: tests/naive_rle.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, inline, kernel
from predarrow_engine._simd import LANES, count_trailing_zeros
from predarrow_engine._simd_png import nonzero
from predarrow_engine.rle_text import STRING_LIMIT, write_number
from predarrow_engine.runs import ALL, ONE, ZERO

_LONGEST = 13  # characters of a count of 63 bits
_FIRST_STARTS = 1 << 14


class Encoded(NamedTuple):
    """Run lengths of n masks, with what they say about them."""

    counts: npt.NDArray[np.uint8]
    """(n_bytes,) COCO's compressed strings, one after the other"""
    offsets: npt.NDArray[np.int32]
    """(n + 1,) first byte of each"""
    area: npt.NDArray[np.int64]
    """(n,) pixels that are not 0"""
    bbox: npt.NDArray[np.float64]
    """(4, n) xmin, ymin, xmax, ymax of their cover in pixels, x right, y down; NaN for an empty mask"""


class _Scratch(NamedTuple):
    """What one mask needs while it is encoded."""

    starts: npt.NDArray[np.uint64]
    """(capacity,) y << 32 | x of each run's first pixel, row by row"""
    ordered: npt.NDArray[np.uint32]
    """(capacity,) y of each, column by column"""
    columns: npt.NDArray[np.uint32]
    """(width,) how many starts each column has, then where they end in `ordered`"""


def encode(masks: npt.NDArray[Any]) -> Encoded:
    """Give masks as COCO's compressed run lengths, bit by bit those of `pycocotools.mask.encode`.

    Args:
        masks: (n, height, width) or one (height, width), bool or uint8; a pixel that is not 0 is inside. Contiguous
            ones are not copied.

    Raises:
        ValueError: another shape or dtype, or strings of more than 2**31 - 1 bytes.
    """
    if masks.ndim not in (2, 3) or masks.dtype not in (np.bool_, np.uint8):
        raise ValueError(f"masks are (n, height, width) bool or uint8, got {masks.shape} {masks.dtype}")
    pixels = np.ascontiguousarray(masks if masks.ndim == 3 else masks[None]).view(np.uint8)
    pixels.flags.writeable = False
    n, height, width = pixels.shape
    offsets = np.zeros(n + 1, np.int32)
    area = np.zeros(n, np.int64)
    bbox = np.full((4, n), np.nan)
    room = max(_FIRST_STARTS, 2 * width)
    scratch = _scratch(room, width)
    counts = np.empty(4 * room, np.uint8)
    done = 0
    while True:
        done = _encode_masks(pixels, done, scratch, counts, offsets, area, bbox)
        if done == n:
            return Encoded(counts[: offsets[n]].copy(), offsets, area, bbox)
        if counts.size == STRING_LIMIT:
            raise ValueError(f"the strings of masks hold at most {STRING_LIMIT} bytes; encode fewer masks at a time")
        # Either the starts or the strings had no room: a mask that is all noise has as many starts as pixels.
        room = min(2 * room, height * width + width + 1)
        scratch = _scratch(room, width)
        grown = np.empty(min(2 * counts.size + _LONGEST * room, STRING_LIMIT), np.uint8)
        grown[: offsets[done]] = counts[: offsets[done]]
        counts = grown


def _scratch(room: int, width: int) -> _Scratch:
    return _Scratch(np.empty(room, np.uint64), np.empty(room, np.uint32), np.empty(width, np.uint32))


@kernel
def _encode_masks(
    masks: npt.NDArray[np.uint8],
    first: int,
    scratch: _Scratch,
    counts: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int32],
    area: npt.NDArray[np.int64],
    bbox: npt.NDArray[np.float64],
) -> int:
    """Encode the masks from `first` on; give the number of the first that did not fit, else of all."""
    n, height, width = masks.shape
    for i in range(first, n):
        scratch.columns[:] = 0
        n_starts = _find_starts(masks[i], scratch) if height and width else 0
        if n_starts < 0 or counts.size - offsets[i] < _LONGEST * (n_starts + 1):
            return i
        _sort_by_column(scratch, n_starts, width)
        offsets[i + 1] = _write_counts(scratch, height, width, counts, offsets[i])
        if n_starts:
            area[i] = _measure(scratch, height, width, bbox, i)
    return int(n)


@inline
def _find_starts(mask: npt.NDArray[np.uint8], scratch: _Scratch) -> int:
    """Write where runs down the columns start, row by row; give their number, -1 where they do not fit.

    Args:
        mask: (height, width) contiguous, neither of them 0.
        scratch: columns are 0.
    """
    height, width = mask.shape
    starts, columns = scratch.starts, scratch.columns
    flat = mask.reshape(-1)
    address = mask.ctypes.data
    bottom = np.uint64((height - 1) * width)
    last_block = width - LANES  # negative in narrow masks, which have no block
    capacity = np.uint64(starts.size)
    n = ZERO
    before = False
    for at in range(np.uint64(width)):  # row 0 follows the bottom of the column before
        inside = flat[at] != 0
        if inside != before:
            starts[n] = at
            columns[at] += np.uint32(1)
            n += ONE
        before = flat[bottom + at] != 0
    for y in range(1, height):
        if n + np.uint64(width) > capacity:
            return -1
        high = np.uint64(y << 32)
        row = address + y * width
        x = 0
        while x < width and last_block >= 0:
            block = min(x, last_block)  # the last one begins in the one before: what is known is masked out
            differs = (nonzero(row + block) ^ nonzero(row + block - width)) & (ALL << np.uint64(x - block))
            while differs != ZERO:
                column = np.uint64(block) + count_trailing_zeros(differs)
                starts[n] = high | column
                columns[column] += np.uint32(1)
                n += ONE
                differs &= differs - ONE
            x += LANES
        if last_block < 0:
            base = np.uint64(y * width)
            for at in range(np.uint64(width)):
                if (flat[base + at] != 0) != (flat[base + at - np.uint64(width)] != 0):
                    starts[n] = high | at
                    columns[at] += np.uint32(1)
                    n += ONE
    return int(np.int64(n))


@inline
def _sort_by_column(scratch: _Scratch, n_starts: int, width: int) -> None:
    """Counting sort: `ordered` gets each start's y, `columns[x]` becomes where column x ends in it."""
    starts, ordered, columns = scratch.starts, scratch.ordered, scratch.columns
    total = np.uint32(0)
    for x in range(np.uint64(width)):
        count = columns[x]
        columns[x] = total
        total += count
    for i in range(np.uint64(n_starts)):
        x = starts[i] & np.uint64(0xFFFFFFFF)
        ordered[np.uint64(columns[x])] = starts[i] >> np.uint64(32)
        columns[x] += np.uint32(1)


@inline
def _write_counts(scratch: _Scratch, height: int, width: int, counts: npt.NDArray[np.uint8], at: int) -> int:
    """Write the string of a mask from `at` on; give where it ends."""
    ordered, columns = scratch.ordered, scratch.columns
    n = np.uint64(at)
    begin = 0  # of the run that is open, in pixels down the columns
    last = 0
    last_but_one = 0
    k = 0
    i = ZERO
    for x in range(np.uint64(width)):
        end = np.uint64(columns[x])
        while i < end:
            here = int(np.int64(x)) * height + int(np.int64(ordered[i]))
            n = write_number(counts, n, here - begin - (last_but_one if k > 2 else 0))
            last_but_one = last
            last = here - begin
            begin = here
            k += 1
            i += ONE
    return int(np.int64(write_number(counts, n, height * width - begin - (last_but_one if k > 2 else 0))))


@inline
def _measure(scratch: _Scratch, height: int, width: int, bbox: npt.NDArray[np.float64], at: Index) -> int:
    """Write the cover of a mask that is not empty into column `at`, and give its number of pixels."""
    ordered, columns = scratch.ordered, scratch.columns
    low_x, low_y, high_x, high_y = width, height, 0, 0
    area = 0
    inside = False
    begin_x, begin_y = 0, 0
    i = ZERO
    for column in range(np.uint64(width)):
        x = int(np.int64(column))
        end = np.uint64(columns[column])
        while i < end:
            y = int(np.int64(ordered[i]))
            if inside:  # the run before ends here: in this column, or at the bottom of the one before
                area += (x - begin_x) * height + y - begin_y
                high_x = x + 1 if y > 0 else x
                if high_x - begin_x > 1:
                    low_y = 0
                low_y = min(low_y, begin_y)
                high_y = max(high_y, y if x == begin_x else height)
            else:
                begin_x, begin_y = x, y
                low_x = min(low_x, x)
            inside = not inside
            i += ONE
    if inside:
        area += (width - begin_x) * height - begin_y
        low_y = 0 if width - begin_x > 1 else min(low_y, begin_y)
        high_x, high_y = width, height
    bbox[0, at], bbox[1, at], bbox[2, at], bbox[3, at] = low_x, low_y, high_x, high_y
    return area
