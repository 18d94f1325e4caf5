"""Label image -> runs: the only pass over the pixels.

A run is a stretch of one row with one label. Every row is covered by its runs, background included, and is
closed by a sentinel whose x is the width, so that run r spans [x(r), x(r + 1)) and the last run of a row
needs no special case.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline
from predarrow_engine._simd import LANES, changes
from predarrow_engine._simd_scan import TURN, put_runs
from predarrow_engine._simd_text import count_bits

ZERO = np.uint64(0)
ONE = np.uint64(1)
ALL = ~ZERO
HALF = np.uint64(32)
"""Bits of x, below those of y."""
LOW = np.uint64(0xFFFFFFFF)
_PACKED_BYTES, _LABEL_BYTES = 8, 4


class Runs(NamedTuple):
    """Runs of one image, sentinels included, with room for more."""

    packed: npt.NDArray[np.uint64]
    """(capacity,) y << 32 | x of each run's first pixel"""
    xy: npt.NDArray[np.int32]
    """(capacity, 2) the same as x and y, where the machine is little-endian"""
    label: npt.NDArray[np.uint32]
    """(capacity,) its label"""
    rows: npt.NDArray[np.int64]
    """(height + 1,) first run of each row; the run before the next row's first is the row's sentinel"""


@inline
def scan(
    labels: npt.NDArray[np.unsignedinteger],
    runs: Runs,
    block: npt.NDArray[np.int32],
    changed: npt.NDArray[np.uint64],
) -> int:
    """Write the runs of labels and give their number, sentinels included; -1 where they do not fit.

    Args:
        labels: (height, width) uint8, uint16 or uint32, contiguous, width > 0.
        runs: out; it has room to write 7 numbers that mean nothing behind the last run.
        block, changed: (width // 64 + 2,) or more, scratch: the blocks of a row that have changes, and which.
    """
    height, width = labels.shape
    packed, _, label, rows = runs
    flat = labels.reshape(-1)
    address = labels.ctypes.data
    packed_address = packed.ctypes.data
    label_address = label.ctypes.data
    itemsize = labels.itemsize
    last_block = width - 1 - LANES  # where 65 pixels are left; negative in narrow images
    capacity = min(packed.size, label.size) - (width + 1 + TURN)  # asked once a row, for as many runs as it may have
    n = ZERO
    for y in range(height):
        if np.int64(n) > capacity:
            return -1
        rows[y] = n
        high = np.uint64(y) << np.uint64(32)
        base = np.uint64(y) * np.uint64(width)
        packed[n] = high
        label[n] = flat[base]
        n += ONE
        # Two steps, since a branch at every block is mispredicted wherever there is a boundary: list the blocks that
        # have one, without a branch, then take them apart, eight runs at a time (street 94 us; all blocks in one step
        # 119 us; with the pixels behind each shifted in, not loaded, 95 us; runs one by one, four at least, 97 us, and
        # Voronoi cells 1.10 ms, not 0.86, argmax 356 us, not 163).
        # An image that is in no cache takes 120 us, as long as only reading it: fetching ahead, by lines or by pages,
        # gains nothing (119 to 164 us), and linking each row at once 9 % in a street, but loses 11 % in Voronoi cells.
        row = address + y * width * itemsize
        n_blocks = ZERO
        x = 0
        while x <= last_block:
            differs = changes(row + x * itemsize, flat[base])
            block[n_blocks] = x + 1
            changed[n_blocks] = differs
            n_blocks += np.uint64(differs != ZERO)
            x += LANES
        if last_block >= 0:  # the last pixels, with the end of the block before
            differs = changes(row + last_block * itemsize, flat[base]) & (ALL << np.uint64(x - last_block - 1) << ONE)
            block[n_blocks] = last_block + 1
            changed[n_blocks] = differs
            n_blocks += np.uint64(differs != ZERO)
        for b in range(n_blocks):
            differs = changed[b]
            first = np.uint64(block[b])
            put_runs(
                differs,
                row + np.int64(first) * itemsize,
                high | first,
                packed_address + np.int64(n) * _PACKED_BYTES,
                label_address + np.int64(n) * _LABEL_BYTES,
                flat[base],
            )
            n += np.uint64(count_bits(differs))
        if last_block < 0:
            for pixel in range(ONE, np.uint64(width)):
                if flat[base + pixel] != flat[base + pixel - ONE]:
                    packed[n] = high | pixel
                    label[n] = flat[base + pixel]
                    n += ONE
        packed[n] = high | np.uint64(width)
        label[n] = 0
        n += ONE
    rows[height] = n
    return int(np.int64(n))
