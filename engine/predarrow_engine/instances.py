"""Masks of single objects -> their outlines, all masks in one pass and two kernel calls.

The masks are traced as one label image: one below the other, each with a label of its own, so that nothing joins
across them, and without the rows above and below its object. Only the runs are made of such an image (`runs.Runs`),
never the image. Vertices are moved back to their masks in the end.

    masks        ....   .##.        runs   row 0   .11.   rows 1 and 2 of mask 1
                 .##.   .#..               row 1   .1..
                 .#..   ....               row 2   .22.   rows 0 and 1 of mask 2
                                           row 3   .2..

20 masks of 512 x 512 with objects of 30 to 240 pixels across: 0.20 ms, one `Tracer.add` each 0.69 ms, OpenCV 0.74 ms.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine._simd import LANES, count_trailing_zeros
from predarrow_engine._simd_png import nonzero
from predarrow_engine.outlines import Outlines
from predarrow_engine.runs import ALL, ONE, ZERO, Runs
from predarrow_engine.trace import Tracer

ROW_LIMIT = 2**24  # float32 has every whole number up to there


class Instances(NamedTuple):
    """Outlines of n masks: mask -> parts -> rings -> vertices, as in `outlines.Outlines`."""

    x: npt.NDArray[np.float32]
    """(n_vertices,)"""
    y: npt.NDArray[np.float32]
    """(n_vertices,)"""
    ring_offsets: npt.NDArray[np.int32]
    """(n_rings + 1,) first vertex of each ring"""
    part_offsets: npt.NDArray[np.int32]
    """(n_parts + 1,) first ring of each part"""
    mask_offsets: npt.NDArray[np.int32]
    """(n + 1,) first part of each mask"""
    area: npt.NDArray[np.int64]
    """(n,) pixels that are not 0"""
    bbox: npt.NDArray[np.float64]
    """(4, n) xmin, ymin, xmax, ymax of their cover in pixels, x right, y down; NaN for an empty mask"""


class Placed(NamedTuple):
    """Where masks lie in the image that is traced, and what a pass over them tells."""

    rows: npt.NDArray[np.int64]
    """(n + 1,) first row of each mask's object there"""
    area: npt.NDArray[np.int64]
    """(n,)"""
    bbox: npt.NDArray[np.float64]
    """(4, n)"""


class InstanceTracer(Tracer):
    """Traces masks of single objects. Holds the workspace, so keep one for each thread and use it again.

    Args:
        outline, holes: see `Tracer`.
    """

    def __init__(self, *, outline: Literal["edge", "center"] = "edge", holes: Literal["keep", "fill"] = "keep") -> None:
        super().__init__(outline=outline, holes=holes)

    def trace(self, masks: npt.NDArray[np.uint8]) -> Instances:
        """Give the outlines of masks.

        Args:
            masks: (n, height, width) contiguous; a pixel that is not 0 is inside.

        Raises:
            ValueError: more than 2**24 rows of pixels in all, 2**29 runs, or 2**31 - 1 vertices.
        """
        n, height, _ = masks.shape
        if n * height > ROW_LIMIT:
            raise ValueError(f"masks have at most {ROW_LIMIT} rows in all, got {n} x {height}; trace fewer at a time")
        pixels = masks.view()
        pixels.flags.writeable = False
        placed = Placed(np.zeros(n + 1, np.int64), np.zeros(n, np.int64), np.full((4, n), np.nan))
        if pixels.size:
            self._trace_stacked(pixels, placed)
        outlines = self.take()
        mask_offsets = np.empty(n + 1, np.int32)
        move_back(outlines, placed, mask_offsets)
        return Instances(*outlines[:4], mask_offsets, placed.area, placed.bbox)

    def _trace_stacked(self, pixels: npt.NDArray[np.uint8], placed: Placed) -> None:
        n, height, width = pixels.shape
        while True:
            runs = self._work.runs(n * height, width)
            n_rows = _scan_masks(pixels, runs, placed)
            if n_rows >= 0:
                break
            self._work.grow()
        if n_rows:
            self._trace(runs._replace(rows=runs.rows[: n_rows + 1]), width, False)


@kernel
def _scan_masks(masks: npt.NDArray[np.uint8], runs: Runs, placed: Placed) -> int:
    """Write the runs of the rows that masks have pixels in; give the number of rows, -1 where runs do not fit."""
    n, _, width = masks.shape
    capacity = np.uint64(runs.packed.size - width - 2)  # one row always fits, so it is asked once a row
    n_runs = ZERO
    n_rows = 0
    for i in range(n):
        mask = masks[i].reshape(-1)
        first, last = _occupied(mask)
        placed.rows[i] = n_rows
        placed.area[i] = 0
        if first == mask.size:
            continue
        top = first // width
        bottom = last // width + 1
        left, right = width, 0
        for y in range(top, bottom):
            if n_runs > capacity:
                return -1
            runs.rows[n_rows] = n_runs
            begin = n_runs
            n_runs = _scan_row(mask, y, width, np.uint64(n_rows << 32), np.uint32(i + 1), runs, n_runs)
            n_rows += 1
            for r in range(begin, n_runs - ONE):  # the last is the sentinel
                if runs.label[r]:
                    x, end = runs.xy[r, 0], runs.xy[r + ONE, 0]
                    placed.area[i] += end - x
                    left = min(left, x)
                    right = max(right, end)
        placed.bbox[0, i], placed.bbox[1, i], placed.bbox[2, i], placed.bbox[3, i] = left, top, right, bottom
    runs.rows[n_rows] = n_runs
    placed.rows[n] = n_rows
    return n_rows


@inline
def _occupied(mask: npt.NDArray[np.uint8]) -> tuple[int, int]:
    """Give the first and the last place of a flat mask that is not 0; its size and 0 where there is none."""
    address = mask.ctypes.data
    size = mask.size
    first = 0
    while first + LANES <= size and nonzero(address + first) == ZERO:
        first += LANES
    while first < size and mask[np.uint64(first)] == 0:
        first += 1
    if first == size:
        return size, 0
    end = size
    while end - LANES > first and nonzero(address + end - LANES) == ZERO:
        end -= LANES
    while mask[np.uint64(end - 1)] == 0:
        end -= 1
    return first, end - 1


@inline
def _scan_row(
    mask: npt.NDArray[np.uint8], y: int, width: int, high: np.uint64, label: np.uint32, runs: Runs, n_runs: np.uint64
) -> np.uint64:
    """Append the runs of one row of a flat mask, sentinel included; give their number then."""
    packed, labels = runs.packed, runs.label
    base = np.uint64(y * width)
    is_inside = mask[base] != 0
    packed[n_runs] = high
    labels[n_runs] = label if is_inside else np.uint32(0)
    n_runs += ONE
    last_block = width - LANES  # negative in narrow masks, which have no block
    address = mask.ctypes.data + y * width
    carried = ONE if is_inside else ZERO
    x = 0
    while x < width and last_block >= 0:
        block = min(x, last_block)  # the last one begins in the one before: what is known is shifted out
        bits = nonzero(address + block) >> np.uint64(x - block)
        differs = (bits ^ ((bits << ONE) | carried)) & (ALL >> np.uint64(LANES - min(LANES, width - x)))
        carried = bits >> np.uint64(LANES - 1)
        while differs != ZERO:
            is_inside = not is_inside
            packed[n_runs] = high | (np.uint64(x) + count_trailing_zeros(differs))
            labels[n_runs] = label if is_inside else np.uint32(0)
            n_runs += ONE
            differs &= differs - ONE
        x += LANES
    if last_block < 0:
        for at in range(ONE, np.uint64(width)):
            if (mask[base + at] != 0) != is_inside:
                is_inside = not is_inside
                packed[n_runs] = high | at
                labels[n_runs] = label if is_inside else np.uint32(0)
                n_runs += ONE
    packed[n_runs] = high | np.uint64(width)
    labels[n_runs] = 0
    return n_runs + ONE


@kernel
def move_back(outlines: Outlines, placed: Placed, mask_offsets: npt.NDArray[np.int32]) -> None:
    """Move vertices from the image that was traced to their masks, and write each mask's first part."""
    y, ring_offsets, part_offsets = outlines.y, outlines.ring_offsets, outlines.part_offsets
    component_offsets, value = outlines.component_offsets, outlines.value
    component = ZERO
    for i in range(np.uint64(mask_offsets.size - 1)):
        mask_offsets[i] = component_offsets[component]
        begin = component
        while component < np.uint64(value.size) and value[component] == np.int64(i) + 1:
            component += ONE
        if component > begin:
            first = ring_offsets[np.uint64(part_offsets[np.uint64(component_offsets[begin])])]
            last = ring_offsets[np.uint64(part_offsets[np.uint64(component_offsets[component])])]
            shift = np.float32(placed.bbox[1, i] - placed.rows[i])
            for v in range(np.uint64(first), np.uint64(last)):
                y[v] += shift
    mask_offsets[mask_offsets.size - 1] = component_offsets[component]
