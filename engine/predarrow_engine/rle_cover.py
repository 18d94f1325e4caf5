"""COCO's compressed run lengths -> whether they fill their mask, how many pixels are inside, and their cover.

A string is taken where each of its characters is one of COCO's 64, its last number ends, no run is negative and all
runs together are height * width pixels; then the mask is known to decode. No pixel is painted for it: a run of pixels
inside goes from one place to another down the columns, and its ends tell which rows and columns it covers.

    begin = 5 -> column 1, row 1      a run in one column covers rows row(begin) to row(end)
    end = 11  -> column 2, row 2      one in more of them covers all rows: it reached the bottom and went on at the top

Source: `rleFrString` and `rleToBbox` of COCO's maskApi.c (P. Dollár, T.-Y. Lin). Slow twin: tests/naive_rle.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, inline, kernel
from predarrow_engine._simd_runs import LEAST_HEIGHT, cover_runs
from predarrow_engine._simd_runs import PIXEL_LIMIT as QUICK_LIMIT
from predarrow_engine.rle_numbers import EDGE, SPARE, read_numbers
from predarrow_engine.rle_text import OK, PIXEL_LIMIT, TOO_LARGE, RunLengths, fixed, pixels, read_string
from predarrow_engine.runs import ONE, ZERO


class Covers(NamedTuple):
    """What run lengths of n masks say about them."""

    area: npt.NDArray[np.int64]
    """(n,) pixels inside; -1 where the string is none of a mask of its size"""
    bbox: npt.NDArray[np.float64]
    """(4, n) xmin, ymin, xmax, ymax in pixels, x right, y down; NaN for an empty mask and where area is -1"""
    flaw: npt.NDArray[np.uint8]
    """(n,) what is wrong with the string: `rle_text.OK` ... `rle_text.TOO_LARGE`"""
    place: npt.NDArray[np.int64]
    """(n,) where, as in `rle_text.RunLengths`"""
    total: npt.NDArray[np.int64]
    """(n,) sum of the runs, as there"""


def covers(
    counts: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.signedinteger[Any]],
    sizes: npt.NDArray[np.int64],
    limit: int = PIXEL_LIMIT,
) -> Covers:
    """Give areas and covers of masks from their compressed run lengths; bytes of any kind do no harm.

    Args:
        counts: (n_bytes,) the strings, one after the other.
        offsets: (n + 1,) int32 or int64, ascending, first byte of each.
        sizes: (n, 2) height and width of each.
        limit: pixels of the largest mask that is taken, up to 2**32 - 1.
    """
    n = len(sizes)
    flaws = np.zeros(n, np.uint8), np.zeros(n, np.int64), np.zeros(n, np.int64)
    result = Covers(np.full(n, -1, np.int64), np.full((4, n), np.nan), *flaws)
    runs = np.empty(SPARE + (int(np.diff(offsets).max()) if n else 0), np.uint32)
    _measure_strings(fixed(counts), fixed(offsets), fixed(sizes), min(limit, PIXEL_LIMIT), runs, result)
    return result


def covers_of_runs(runs: RunLengths, sizes: npt.NDArray[np.int64]) -> Covers:
    """Give areas and covers of masks from run lengths as `rle_text` gives them.

    Args:
        runs: from `rle_text.from_strings` or `from_counts`, with their flaws.
        sizes: (n, 2) height and width of each, as they were given there.
    """
    n = len(sizes)
    result = Covers(np.full(n, -1, np.int64), np.full((4, n), np.nan), runs.flaw, runs.place, runs.total)
    _measure_runs(fixed(runs.counts), fixed(runs.offsets), fixed(sizes), fixed(runs.flaw), result.area, result.bbox)
    return result


@kernel
def _measure_strings(
    strings: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.signedinteger[Any]],
    sizes: npt.NDArray[np.int64],
    limit: int,
    runs: npt.NDArray[np.uint32],
    result: Covers,
) -> None:
    edge = np.zeros(EDGE, np.uint8)
    for i in range(np.uint64(result.area.size)):
        size, height = pixels(sizes, i, limit), np.int64(sizes[i, 0])
        if size < 0:
            result.flaw[i] = TOO_LARGE
            continue
        begin, end = np.int64(offsets[i]), np.int64(offsets[i + ONE])
        n = read_numbers(strings, begin, end, runs.ctypes.data, edge)
        read = read_string(strings, begin, end, size, runs, 0, n)
        result.total[i], result.flaw[i], result.place[i] = read.total, read.flaw, read.place
        if read.flaw != OK:
            continue
        if read.n_counts > 1 and LEAST_HEIGHT <= height and size <= QUICK_LIMIT:
            first = np.int64(runs[ZERO])
            area, top, bottom, shortest, last = cover_runs(runs.ctypes.data + 4, read.n_counts - 1, first, height)
            if shortest > 0:
                result.area[i] = area
                result.bbox[0, i], result.bbox[1, i] = first // height, top
                result.bbox[2, i], result.bbox[3, i] = (last - 1) // height + 1, bottom
                continue
        cover(runs, np.int64(0), np.int64(read.n_counts), height, i, result.area, result.bbox)


@kernel
def _measure_runs(
    counts: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    flaw: npt.NDArray[np.uint8],
    area: npt.NDArray[np.int64],
    bbox: npt.NDArray[np.float64],
) -> None:
    for i in range(np.uint64(area.size)):
        if flaw[i] == OK:
            cover(counts, np.int64(offsets[i]), np.int64(offsets[i + ONE]), np.int64(sizes[i, 0]), i, area, bbox)


@inline
def cover(
    counts: npt.NDArray[np.uint32],
    begin: Index,
    end: Index,
    height: np.int64,
    i: Index,
    area: npt.NDArray[np.int64],
    bbox: npt.NDArray[np.float64],
) -> None:
    """Write area and cover of the mask whose counts are counts[begin:end], and fill it, into column i."""
    low, high = height, np.int64(0)
    inside, place, y = np.int64(0), np.int64(0), np.int64(0)
    first, last = np.int64(-1), np.int64(0)
    for k in range(np.uint64(begin), np.uint64(max(end - 1, begin)), np.uint64(2)):
        gap, run = np.int64(counts[k]), np.int64(counts[k + ONE])
        place += gap + run
        y += gap
        if y >= height + height:  # rare, as most gaps end in the next column: a subtraction, no division
            y %= height
        y -= height if y >= height else np.int64(0)
        if run == 0:
            continue
        first = place - run if first < 0 else first
        last = place
        inside += run
        until = y + run
        low = min(low, np.int64(0) if until > height else y)
        high = max(high, min(until, height))
        y = until
    area[i] = inside
    if inside > 0:
        bbox[0, i], bbox[1, i] = first // height, low
        bbox[2, i], bbox[3, i] = (last - 1) // height + 1, high
