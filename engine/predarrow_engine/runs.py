"""Label image -> runs: the only pass over the pixels.

A run is a stretch of one row with one label. Every row is covered by its runs, background included, and is
closed by a sentinel whose x is the width, so that run r spans [x(r), x(r + 1)) and the last run of a row
needs no special case.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import kernel
from predarrow_engine._simd import (
    LANES,
    changes_u8,
    changes_u16,
    changes_u32,
    count_ones,
    count_trailing_zeros,
)

ONE = np.uint64(1)
ZERO = np.uint64(0)
ALL = ~ZERO
LAST_LANE = np.uint64(LANES - 1)
UNROLLED = 2
"""Changes that are taken from a block without asking whether there are so many (1.8 in a street's block)."""


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


@kernel
def scan(
    labels: npt.NDArray[np.unsignedinteger],
    runs: Runs,
    block: npt.NDArray[np.int32],
    changed: npt.NDArray[np.uint64],
) -> int:
    """Write the runs of labels and give their number, sentinels included; -1 where they do not fit.

    Args:
        labels: (height, width) uint8, uint16 or uint32, contiguous, width > 0.
        runs: out; room for one row at least.
        block, changed: (width // 64 + 1,) scratch: the blocks of a row that have changes, and which.
    """
    height, width = labels.shape
    packed, _, label, rows = runs
    flat = labels.reshape(-1)
    address = labels.ctypes.data
    itemsize = labels.itemsize
    last_block = width - 1 - LANES  # where 65 items are left; negative in narrow images
    capacity = np.uint64(packed.size - width - 2 - UNROLLED)  # one row always fits, so it is asked once a row
    n = np.uint64(0)
    for y in range(height):
        if n > capacity:
            return -1
        rows[y] = n
        high = np.uint64(y) << np.uint64(32)
        base = np.uint64(y) * np.uint64(width)
        packed[n] = high
        label[n] = flat[base]
        n += ONE
        # Two steps, since a branch at every block is mispredicted wherever there is a boundary: list the blocks
        # that have one, without a branch, then take them apart.
        row = address + y * width * itemsize
        n_blocks = np.uint64(0)
        x = 0
        while x < last_block + LANES and last_block >= 0:
            start = min(x, last_block)
            if itemsize == 1:
                changes = changes_u8(row + start)
            elif itemsize == 2:
                changes = changes_u16(row + 2 * start)
            else:
                changes = changes_u32(row + 4 * start)
            changes &= ALL << np.uint64(x - start)  # the last block overlaps the one before it
            block[n_blocks] = start + 1
            changed[n_blocks] = changes
            n_blocks += np.uint64(changes != ZERO)
            x += LANES
        for b in range(n_blocks):
            changes = changed[b]
            start_at = np.uint64(block[b])
            n_changes = count_ones(changes)
            for k in range(UNROLLED):  # without a branch; what is too much is written over
                at = start_at + (count_trailing_zeros(changes) & LAST_LANE)
                packed[n + np.uint64(k)] = high | at
                label[n + np.uint64(k)] = flat[base + at]
                changes &= changes - ONE
            for more in range(np.uint64(UNROLLED), n_changes):
                at = start_at + count_trailing_zeros(changes)
                packed[n + more] = high | at
                label[n + more] = flat[base + at]
                changes &= changes - ONE
            n += n_changes
        if last_block < 0:
            for at_pixel in range(ONE, np.uint64(width)):
                if flat[base + at_pixel] != flat[base + at_pixel - ONE]:
                    packed[n] = high | at_pixel
                    label[n] = flat[base + at_pixel]
                    n += ONE
        packed[n] = high | np.uint64(width)
        label[n] = 0
        n += ONE
    rows[height] = n
    return int(np.int64(n))
