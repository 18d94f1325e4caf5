"""Label image -> runs: the only pass over the pixels.

A run is a stretch of one row with one label. Every row is covered by its runs, background included, and is
closed by a sentinel whose x is the width, so that run r spans [x(r), x(r + 1)) and the last run of a row
needs no special case.

    xy      (n_runs, 2) int32   x and y of each run's first pixel
    label   (n_runs,) uint32    its label
    rows    (height + 1,) int64 first run of each row; a row's last entry is its sentinel
"""

from __future__ import annotations

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

UNROLLED = 2
"""Changes that are taken from a block without asking whether there are so many (1.8 in a street's block)."""


@kernel
def scan(
    labels: npt.NDArray[np.unsignedinteger],
    packed: npt.NDArray[np.uint64],
    label: npt.NDArray[np.uint32],
    rows: npt.NDArray[np.int64],
    block: npt.NDArray[np.int32],
    changed: npt.NDArray[np.uint64],
) -> int:
    """Write the runs of labels and give their number, sentinels included; -1 where they do not fit.

    Args:
        labels: (height, width) uint8, uint16 or uint32, contiguous, width > 0.
        packed: (capacity,) out, y << 32 | x: the little-endian form of xy.
        label: (capacity,) out.
        rows: (height + 1,) out.
        block, changed: (width // 64 + 1,) scratch: the blocks of a row that have changes, and which.
    """
    height, width = labels.shape
    flat = labels.reshape(-1)
    address = labels.ctypes.data
    itemsize = labels.itemsize
    capacity = packed.size - width - 2 - UNROLLED  # one row always fits, so it is asked once a row
    last_block = width - 1 - LANES  # where 65 items are left; negative in narrow images
    all_ones = ~np.uint64(0)
    n = 0
    for y in range(height):
        if n > capacity:
            return -1
        rows[y] = n
        high = np.uint64(y) << np.uint64(32)
        base = y * width
        row = address + base * itemsize
        packed[n] = high
        label[n] = flat[base]
        n += 1
        # Two steps, since a branch at every block is mispredicted wherever there is a boundary: list the blocks
        # that have one, without a branch, then take them apart.
        n_blocks = 0
        x = 0
        while x < last_block + LANES and last_block >= 0:
            start = min(x, last_block)
            if itemsize == 1:
                changes = changes_u8(row + start)
            elif itemsize == 2:
                changes = changes_u16(row + 2 * start)
            else:
                changes = changes_u32(row + 4 * start)
            changes &= all_ones << np.uint64(x - start)  # the last block overlaps the one before it
            block[n_blocks] = start + 1
            changed[n_blocks] = changes
            n_blocks += changes != np.uint64(0)
            x += LANES
        for b in range(n_blocks):
            changes = changed[b]
            n_changes = count_ones(changes)
            for k in range(UNROLLED):  # without a branch; what is too much is written over
                at = block[b] + (count_trailing_zeros(changes) & 63)
                packed[n + k] = high | np.uint64(at)
                label[n + k] = flat[base + at]
                changes &= changes - np.uint64(1)
            for k in range(UNROLLED, n_changes):
                at = block[b] + count_trailing_zeros(changes)
                packed[n + k] = high | np.uint64(at)
                label[n + k] = flat[base + at]
                changes &= changes - np.uint64(1)
            n += n_changes
        if last_block < 0:
            for at in range(1, width):
                if flat[base + at] != flat[base + at - 1]:
                    packed[n] = high | np.uint64(at)
                    label[n] = flat[base + at]
                    n += 1
        packed[n] = high | np.uint64(width)
        label[n] = 0
        n += 1
    rows[height] = n
    return n
