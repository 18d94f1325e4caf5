"""Unions, intersections and overlaps of run lengths, run by run: no pixel is painted.

Two masks of one size are gone through together, from one end of a run of either to the next.

Source: `rleMerge` and `rleIou` of COCO's maskApi.c (P. Dollár, T.-Y. Lin). Oracle: pycocotools.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, helper, inline, kernel
from predarrow_engine.rle_cover import cover
from predarrow_engine.rle_rows import pixels_of
from predarrow_engine.rle_text import fixed
from predarrow_engine.runs import ONE

Counts = tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]
"""Counts of n masks and (n + 1,) first count of each."""


def union(counts: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], groups: npt.NDArray[np.int64]) -> Counts:
    """Give the union of each group of masks: what `pycocotools.mask.merge` gives.

    Args:
        counts, offsets: as in `rle_text.RunLengths`. A mask without counts makes its group one without.
        groups: (n_groups + 1,) ascending, first mask of each group. A group of no mask gets no counts.

    Raises:
        ValueError: masks of a group that have not as many pixels.
    """
    return _merge(counts, offsets, groups, False)


def intersection(
    counts: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], groups: npt.NDArray[np.int64]
) -> Counts:
    """Give the intersection of each group of masks: `pycocotools.mask.merge` with `intersect`; see `union`."""
    return _merge(counts, offsets, groups, True)


def _merge(
    counts: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], groups: npt.NDArray[np.int64], both: bool
) -> Counts:
    merged_offsets = np.zeros(len(groups), np.int64)
    wrong = np.full(1, -1, np.int64)
    merged = _merge_groups(fixed(counts), fixed(offsets), fixed(groups), both, merged_offsets, wrong)
    if wrong[0] >= 0:
        raise ValueError(f"masks of group {wrong[0]} must have as many pixels as each other")
    return merged, merged_offsets


def iou(
    detections: Counts, truths: Counts, is_crowd: npt.NDArray[np.bool_], height: int, width: int
) -> npt.NDArray[np.float64]:
    """Give the overlap of each detection with each ground truth: `pycocotools.mask.iou`, bit by bit.

    It is the intersection's area by the union's; by the detection's where the truth is a crowd.

    Args:
        detections: m masks; truths: n masks.
        is_crowd: (n,)
        height, width: of all of them.

    Returns:
        (m, n) 0 to 1.

    Raises:
        ValueError: counts of a mask that are not height * width pixels.
    """
    one, other = [fixed(array) for array in detections], [fixed(array) for array in truths]
    result = np.zeros((len(one[1]) - 1, len(other[1]) - 1))
    if not _overlap(one[0], one[1], other[0], other[1], fixed(is_crowd.astype(np.bool_)), height, width, result):
        raise ValueError(f"counts of each mask must sum to {height * width} (height * width)")
    return result


@kernel
def _merge_groups(
    counts: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    both: bool,
    merged_offsets: npt.NDArray[np.int64],
    wrong: npt.NDArray[np.int64],
) -> npt.NDArray[np.uint32]:
    """Give the merged counts; the first group whose masks differ in pixels is written to wrong (1,)."""
    # Each merge of two has no more runs than both together, so a group has no more than its masks.
    result = np.empty(counts.size + groups.size, np.uint32)
    before = np.empty(0, np.uint32)
    n = np.int64(0)
    for g in range(groups.size - 1):
        merged = n
        for i in range(groups[g], groups[g + 1]):
            begin, end = offsets[i], offsets[i + 1]
            if i == groups[g]:
                result[n : n + end - begin] = counts[begin:end]
                merged = n + end - begin
                continue
            if begin == end or merged == n:
                merged = n
                break
            if pixels_of(result, n, merged) != pixels_of(counts, begin, end):
                wrong[0] = g
                return result[:0]
            if before.size < merged - n:
                before = np.empty(2 * (merged - n), np.uint32)
            before[: merged - n] = result[n:merged]
            merged = _merge_two(before[: merged - n], counts[begin:end], both, result, n)
        n = merged
        merged_offsets[g + 1] = n
    return result[:n]


@helper
def _merge_two(
    one: npt.NDArray[np.uint32], other: npt.NDArray[np.uint32], both: bool, result: npt.NDArray[np.uint32], n: Index
) -> np.int64:
    """Write the counts of two masks of one size, put together, to result[n:]; give where they end."""
    at = np.uint64(n)
    i, j = ONE, ONE
    a, b = np.int64(one[0]), np.int64(other[0])
    in_one, in_other, inside = False, False, False
    run = np.int64(0)
    left = True
    while left:
        step = min(a, b)
        run += step
        a -= step
        b -= step
        while a == 0 and i < np.uint64(one.size):
            a = np.int64(one[i])
            i += ONE
            in_one = not in_one
        while b == 0 and j < np.uint64(other.size):
            b = np.int64(other[j])
            j += ONE
            in_other = not in_other
        was, inside = inside, (in_one and in_other) if both else (in_one or in_other)
        left = bool(a + b > 0)
        if inside != was or not left:
            result[at] = run
            at += ONE
            run = np.int64(0)
    return np.int64(at)


@kernel
def _overlap(
    one: npt.NDArray[np.uint32],
    one_offsets: npt.NDArray[np.int64],
    other: npt.NDArray[np.uint32],
    other_offsets: npt.NDArray[np.int64],
    is_crowd: npt.NDArray[np.bool_],
    height: int,
    width: int,
    result: npt.NDArray[np.float64],
) -> bool:
    """Write the overlaps; give whether all masks are of the size."""
    m, n = result.shape
    size = np.int64(height) * np.int64(width)
    area, box = np.zeros(m + n, np.int64), np.zeros((4, m + n), np.float64)
    for i in range(m + n):
        flat, offsets, at = (one, one_offsets, i) if i < m else (other, other_offsets, i - m)
        if pixels_of(flat, offsets[at], offsets[at + 1]) != size:
            return False
        cover(flat, offsets[at], offsets[at + 1], np.int64(height), i, area, box)
    for d in range(m):
        first = one[one_offsets[d] : one_offsets[d + 1]]
        for t in range(n):
            apart = box[0, m + t] >= box[2, d] or box[0, d] >= box[2, m + t]
            if apart or box[1, m + t] >= box[3, d] or box[1, d] >= box[3, m + t]:
                continue
            common = _common(first, other[other_offsets[t] : other_offsets[t + 1]])
            whole = area[d] if is_crowd[t] else area[d] + area[m + t] - common
            if common > 0:
                result[d, t] = common / whole
    return True


@inline
def _common(one: npt.NDArray[np.uint32], other: npt.NDArray[np.uint32]) -> int:
    """Give the number of pixels in both of two masks of one size."""
    common = np.int64(0)
    i, j = ONE, ONE
    n_one, n_other = np.uint64(one.size), np.uint64(other.size)
    if n_one < np.uint64(2) or n_other < np.uint64(2):
        return 0
    one_begin, other_begin = np.int64(one[0]), np.int64(other[0])
    one_end, other_end = one_begin + np.int64(one[1]), other_begin + np.int64(other[1])
    while True:
        until = min(one_end, other_end)
        common += max(until - max(one_begin, other_begin), np.int64(0))
        if one_end == until:
            if i + np.uint64(2) >= n_one:
                break
            one_begin = one_end + np.int64(one[i + ONE])
            one_end = one_begin + np.int64(one[i + np.uint64(2)])
            i += np.uint64(2)
        else:
            if j + np.uint64(2) >= n_other:
                break
            other_begin = other_end + np.int64(other[j + ONE])
            other_end = other_begin + np.int64(other[j + np.uint64(2)])
            j += np.uint64(2)
    return int(common)
