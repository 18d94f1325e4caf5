"""Run lengths -> outlines of their masks, straight from the runs: no pixel is painted or looked at.

Runs down the columns become runs along the rows (`rle_rows.py`), which are what the tracer works on (`runs.Runs`).
Masks lie one below the other, each with a label of its own, as in `instances.py`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, helper, kernel
from predarrow_engine.instances import ROW_LIMIT, Instances, InstanceTracer, Placed, move_back
from predarrow_engine.rle_cover import cover
from predarrow_engine.rle_rows import Work, find_spans, is_room, pixels_of, sort_changes, work_for
from predarrow_engine.rle_text import fixed
from predarrow_engine.runs import ONE, ZERO, Runs

_MORE_RUNS = -1
_TOO_MANY_ROWS = -2
_WRONG_SUM = -3


class RunLengthTracer(InstanceTracer):
    """Traces run lengths. Holds the workspace, so keep one for each thread and use it again.

    Args:
        outline, holes: see `trace.Tracer`.
    """

    def trace_counts(
        self, counts: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
    ) -> Instances:
        """Give the outlines of masks: what `trace` gives for the decoded ones, which may differ in size here.

        Args:
            counts, offsets: as in `rle_text.RunLengths`. A mask without counts has no outline.
            sizes: (n, 2) height and width of each, not negative.

        Raises:
            ValueError: counts of a mask that are not height * width pixels; a side above 2**24; more than 2**24 rows
                with pixels in all, 2**29 runs, or 2**31 - 1 vertices.
        """
        n = len(sizes)
        placed = Placed(np.zeros(n + 1, np.int64), np.zeros(n, np.int64), np.full((4, n), np.nan))
        if n and sizes.size:
            self._trace_counts(fixed(counts), fixed(offsets), fixed(sizes), placed)
        outlines = self.take()
        mask_offsets = np.empty(n + 1, np.int32)
        move_back(outlines, placed, mask_offsets)
        return Instances(*outlines[:4], mask_offsets, placed.area, placed.bbox)

    def _trace_counts(
        self,
        counts: npt.NDArray[np.uint32],
        offsets: npt.NDArray[np.int64],
        sizes: npt.NDArray[np.int64],
        placed: Placed,
    ) -> None:
        if sizes.max() > ROW_LIMIT:
            raise ValueError(f"sides of masks are at most {ROW_LIMIT} pixels, got {sizes.max()}")
        width = int(sizes[:, 1].max())
        rows = np.empty(min(int(sizes[:, 0].sum()), ROW_LIMIT) + 1, np.int64)
        while True:
            runs = self._work.runs(0, width)._replace(rows=rows)
            n_rows, wrong = _place_masks(counts, offsets, sizes, width, runs, placed)
            if n_rows == _WRONG_SUM:
                raise ValueError(f"counts of mask {wrong} must sum to {sizes[wrong].prod()} (height * width)")
            if n_rows == _TOO_MANY_ROWS:
                raise ValueError(f"masks have pixels in at most {ROW_LIMIT} rows in all; trace fewer at a time")
            if n_rows != _MORE_RUNS:
                break
            self._work.grow()
        if n_rows:
            self._trace(runs._replace(rows=rows[: n_rows + 1]), width, False)


@kernel
def _place_masks(
    counts: npt.NDArray[np.uint32],
    offsets: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    full_width: int,
    runs: Runs,
    placed: Placed,
) -> tuple[int, int]:
    """Write the runs of the rows that masks have pixels in; give the number of rows, or what is wrong and where."""
    changes = np.empty(1024, np.uint32)
    work = work_for(0, 0, 0)
    n_runs = ZERO
    n_rows = 0
    for i in range(sizes.shape[0]):
        height, width = sizes[i, 0], sizes[i, 1]
        begin, end = offsets[i], offsets[i + 1]
        placed.rows[i] = n_rows
        placed.area[i] = 0
        if begin == end:
            continue
        if pixels_of(counts, begin, end) != height * width:
            return _WRONG_SUM, i
        cover(counts, begin, end, height, np.uint64(i), placed.area, placed.bbox)
        if placed.area[i] == 0:
            continue
        top, bottom = np.int64(placed.bbox[1, i]), np.int64(placed.bbox[3, i])
        if n_rows + bottom - top > ROW_LIMIT:
            return _TOO_MANY_ROWS, i
        if not is_room(work, height, width, end - begin):
            work = work_for(height, width, 2 * (end - begin))
        n_spans, n_changes = find_spans(counts, begin, height, width, work)
        if changes.size < n_changes:
            changes = np.empty(2 * n_changes, np.uint32)
        sort_changes(work, n_spans, changes)
        # Each row has up to two runs more than changes, and a sentinel; kernels look a few runs behind the last one.
        if np.int64(n_runs) + n_changes + 3 * (bottom - top) + 8 > runs.packed.size:
            return _MORE_RUNS, i
        n_runs = _write_runs(work, changes, top, bottom, np.uint32(i + 1), width, full_width, runs, n_rows, n_runs)
        n_rows += int(bottom - top)
    runs.rows[n_rows] = n_runs
    placed.rows[sizes.shape[0]] = n_rows
    return n_rows, 0


@helper
def _write_runs(
    work: Work,
    changes: npt.NDArray[np.uint32],
    top: Index,
    bottom: Index,
    mask_label: np.uint32,
    width: Index,
    full_width: Index,
    runs: Runs,
    n_rows: Index,
    n_runs: np.uint64,
) -> np.uint64:
    """Append the runs of a mask's rows from top to bottom, in rows of full width; give their number then."""
    packed, label = runs.packed, runs.label
    row = np.uint64(n_rows)
    for y in range(np.uint64(top), np.uint64(bottom)):
        runs.rows[row] = n_runs
        high = row << np.uint64(32)
        c, end = np.uint64(work.starts[y]), np.uint64(work.ends[y])
        is_inside = c < end and changes[c] == 0
        if is_inside:
            c += ONE
        packed[n_runs] = high
        label[n_runs] = mask_label if is_inside else np.uint32(0)
        n_runs += ONE
        while c < end:
            is_inside = not is_inside
            packed[n_runs] = high | np.uint64(changes[c])
            label[n_runs] = mask_label if is_inside else np.uint32(0)
            n_runs += ONE
            c += ONE
        if is_inside and width < full_width:
            packed[n_runs] = high | np.uint64(width)
            label[n_runs] = 0
            n_runs += ONE
        packed[n_runs] = high | np.uint64(full_width)
        label[n_runs] = 0
        n_runs += ONE
        row += ONE
    return n_runs
