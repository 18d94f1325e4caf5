"""PNG's filters undone for pixels with alpha, byte by byte (PNG specification, third edition, section 9).

    c b     b above, a one pixel to the left, c above a; x is rebuilt from its residual, modulo 256
    a x     filters: 0 none, 1 sub (a), 2 up (b), 3 average ((a + b) // 2), 4 Paeth (that of a, b, c that is
            nearest to a + b - c, the first of them at a tie); what lies outside of the image is 0

A pixel's bytes depend on bytes of the same channel alone, so only those of alpha are rebuilt. That leaves a quarter of
the work, where the label masks' way (`png.py`) would rebuild all four channels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, kernel
from predarrow_engine.rle_text import fixed

DONE = -1
"""All rows are in place."""


def unfilter_alpha(rows: npt.NDArray[np.uint8], alpha: npt.NDArray[np.uint8], step: int) -> int:
    """Rebuild the alpha of filtered rows.

    Args:
        rows: (height, 1 + width * step) a filter byte and the residuals, for each row.
        alpha: (height, width * k) is filled with the last k bytes of each pixel, k = 1 or 2.
        step: bytes of a pixel.

    Returns:
        `DONE`, or the row whose filter is none of the five.
    """
    return _unfilter(fixed(rows), alpha, step)


@kernel
def _unfilter(rows: npt.NDArray[np.uint8], alpha: npt.NDArray[np.uint8], step: int) -> int:
    height, n_bytes = alpha.shape
    width = (rows.shape[1] - 1) // step
    k = n_bytes // max(width, 1)
    for y in range(height):
        if rows[y, 0] > 4:
            return y
        for i in range(n_bytes):
            residual = rows[y, 1 + (i // k) * step + step - k + i % k]
            a = int(alpha[y, i - k]) if i >= k else 0
            b = int(alpha[y - 1, i]) if y > 0 else 0
            c = int(alpha[y - 1, i - k]) if y > 0 and i >= k else 0
            alpha[y, i] = np.uint8((int(residual) + _prediction(int(rows[y, 0]), a, b, c)) & 255)
    return DONE


@helper
def _prediction(filter_: int, a: int, b: int, c: int) -> int:
    if filter_ == 0:
        return 0
    if filter_ == 1:
        return a
    if filter_ == 2:
        return b
    if filter_ == 3:
        return (a + b) >> 1
    from_a, from_b, from_c = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    if from_a <= from_b and from_a <= from_c:
        return a
    return b if from_b <= from_c else c
