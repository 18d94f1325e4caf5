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
from predarrow_engine._simd import LANES, changes_u8, changes_u16, changes_u32, count_trailing_zeros


@kernel
def scan(
    labels: npt.NDArray[np.unsignedinteger],
    packed: npt.NDArray[np.uint64],
    label: npt.NDArray[np.uint32],
    rows: npt.NDArray[np.int64],
) -> int:
    """Write the runs of labels and give their number, sentinels included; -1 where they do not fit.

    Args:
        labels: (height, width) uint8, uint16 or uint32, contiguous, width > 0.
        packed: (capacity,) out, y << 32 | x: the little-endian form of xy.
        label: (capacity,) out.
        rows: (height + 1,) out.
    """
    height, width = labels.shape
    capacity = packed.size - width - 1  # one row always fits, so it is asked once a row
    itemsize = labels.itemsize
    n = 0
    for y in range(height):
        if n > capacity:
            return -1
        rows[y] = n
        row = labels[y]
        address = row.ctypes.data
        high = np.uint64(y) << np.uint64(32)
        packed[n] = high
        label[n] = row[0]
        n += 1
        x = 0
        while x + LANES < width:  # item x + 64 is the last one read
            if itemsize == 1:
                changes = changes_u8(address + x)
            elif itemsize == 2:
                changes = changes_u16(address + 2 * x)
            else:
                changes = changes_u32(address + 4 * x)
            while changes:
                at = np.uint64(x + 1) + count_trailing_zeros(changes)
                packed[n] = high | at
                label[n] = row[at]
                n += 1
                changes &= changes - np.uint64(1)
            x += LANES
        for at_tail in range(x + 1, width):
            if row[at_tail] != row[at_tail - 1]:
                packed[n] = high | np.uint64(at_tail)
                label[n] = row[at_tail]
                n += 1
        packed[n] = high | np.uint64(width)
        label[n] = 0
        n += 1
    rows[height] = n
    return n
