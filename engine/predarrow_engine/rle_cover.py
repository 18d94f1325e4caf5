"""COCO's compressed run lengths -> whether they fill their mask, how many pixels are inside, and their cover.

A string is taken where each of its characters is one of COCO's 64, its last number ends, no run is negative and all
runs together are height * width pixels; then the mask is known to decode. Nothing is decoded for it: a run of pixels
inside goes from one place to another down the columns, and its ends tell which rows and columns it covers.

    begin = 5 -> column 1, row 1      a run in one column covers rows row(begin) to row(end)
    end = 11  -> column 2, row 2      one in more of them covers all rows: it reached the bottom and went on at the top

Source: `rleFrString` and `rleToBbox` of COCO's maskApi.c (P. Dollár, T.-Y. Lin). Slow twin: tests/naive_rle.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel

_MOST_BITS = 60  # of one number: more would leave 64


class Covers(NamedTuple):
    """What run lengths of n masks say about them."""

    area: npt.NDArray[np.int64]
    """(n,) pixels inside; -1 where the string is none of a mask of its size"""
    bbox: npt.NDArray[np.float64]
    """(4, n) xmin, ymin, xmax, ymax in pixels, x right, y down; NaN for an empty mask and where area is -1"""


def covers(counts: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int32], sizes: npt.NDArray[np.int64]) -> Covers:
    """Give areas and covers of masks from their compressed run lengths.

    Args:
        counts: (n_bytes,) contiguous, the strings, one after the other.
        offsets: (n + 1,) contiguous, first byte of each.
        sizes: (n, 2) contiguous, height and width of each, 0 to 2**31 - 1.
    """
    n = len(sizes)
    result = Covers(np.empty(n, np.int64), np.full((4, n), np.nan))
    counts, offsets, sizes = counts.view(), offsets.view(), sizes.view()
    counts.flags.writeable = offsets.flags.writeable = sizes.flags.writeable = False
    _measure(counts, offsets, sizes, *result)
    return result


@kernel
def _measure(
    counts: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int32],
    sizes: npt.NDArray[np.int64],
    area: npt.NDArray[np.int64],
    bbox: npt.NDArray[np.float64],
) -> None:
    for i in range(area.size):
        height, width = sizes[i]
        area[i], low_x, low_y, high_x, high_y = _cover(counts, offsets[i], offsets[i + 1], height, width)
        if area[i] > 0:
            bbox[0, i], bbox[1, i], bbox[2, i], bbox[3, i] = low_x, low_y, high_x, high_y


@inline
def _cover(counts: npt.NDArray[np.uint8], at: int, end: int, height: int, width: int) -> tuple[int, int, int, int, int]:
    """Give area, xmin, ymin, xmax and ymax of the mask whose string is counts[at:end]; area -1 for none."""
    low_x, low_y, high_x, high_y = width, height, 0, 0
    size = height * width
    area, begin, before, before_that = 0, 0, 0, 0
    k = 0
    while at < end:
        run, at = _number(counts, at, end)
        if at < 0:
            return -1, 0, 0, 0, 0
        if k > 2:
            run += before_that
        if run < 0 or run > size - begin:
            return -1, 0, 0, 0, 0
        if run and k & 1:
            area += run
            left, top = divmod(begin, height)
            right, bottom = divmod(begin + run - 1, height)
            low_x, high_x = min(low_x, left), right + 1
            if left == right:
                low_y, high_y = min(low_y, top), max(high_y, bottom + 1)
            else:
                low_y, high_y = 0, height
        begin += run
        before_that, before = before, run
        k += 1
    return (area if begin == size else -1), low_x, low_y, high_x, high_y


@inline
def _number(counts: npt.NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Give the number whose first character is counts[at], and where it ends; -1 for that where it does not."""
    value, shift = 0, 0
    more = True
    while more:
        if at == end or shift == _MOST_BITS:
            return 0, -1
        bits = int(counts[at]) - 48
        if bits < 0 or bits > 63:
            return 0, -1
        value |= (bits & 0x1F) << shift
        shift += 5
        more = bits & 0x20 != 0
        if not more and bits & 0x10:
            value -= 1 << shift
        at += 1
    return value, at
