"""Polygons -> label mask, by the rule that a pixel belongs where its centre lies.

Each edge crosses the centre lines of the rows that it spans; sorted by x, the crossings of a row switch the inside on
and off (even-odd over all rings of a component, so holes stay open). A centre exactly on a boundary belongs to the
right and lower side. Outlines along pixel edges never meet a centre: they give back the mask that they came from.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel


@inline
def _first_center(edge: float, limit: int) -> int:
    """Give the first pixel whose centre is not before edge, from 0 to limit."""
    return math.ceil(min(max(edge - 0.5, 0.0), float(limit)))


@inline
def _crossings(
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.float32],
    ring_offsets: npt.NDArray[np.int32],
    ring: int,
    width: int,
    height: int,
    write: bool,
    row_end: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
) -> None:
    """Count a ring's crossings in row_end[row + 1], or write them to columns and move row_end[row] on."""
    begin = ring_offsets[ring]
    end = ring_offsets[ring + 1]
    for i in range(begin, end):
        j = i + 1 if i + 1 < end else begin
        x0, y0, x1, y1 = np.float64(x[i]), np.float64(y[i]), np.float64(x[j]), np.float64(y[j])
        if y0 == y1:
            continue
        for row in range(_first_center(min(y0, y1), height), _first_center(max(y0, y1), height)):
            if write:
                at = x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)
                columns[row_end[row]] = _first_center(at, width)
                row_end[row] += 1
            else:
                row_end[row + 1] += 1


@kernel
def rasterize(
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.float32],
    ring_offsets: npt.NDArray[np.int32],
    part_offsets: npt.NDArray[np.int32],
    component_offsets: npt.NDArray[np.int32],
    value: npt.NDArray[np.int64],
    mask: npt.NDArray[np.integer],
) -> None:
    """Paint components into a mask, later ones over earlier ones; what lies outside is cut off.

    Args:
        x, y, ring_offsets, part_offsets, component_offsets: as in `outlines.Outlines`; vertices are finite.
        value: (n_components,) what to paint.
        mask: (height, width) in and out.
    """
    height, width = mask.shape
    row_end = np.zeros(height + 1, np.int64)
    columns = np.empty(64, np.int64)
    for component in range(value.size):
        first_ring = part_offsets[component_offsets[component]]
        last_ring = part_offsets[component_offsets[component + 1]]
        if first_ring == last_ring:
            continue
        ymin = ymax = y[ring_offsets[first_ring]]
        for i in range(ring_offsets[first_ring], ring_offsets[last_ring]):
            ymin = min(ymin, y[i])
            ymax = max(ymax, y[i])
        top = _first_center(ymin, height)
        bottom = _first_center(ymax, height)
        row_end[top : bottom + 1] = 0
        for ring in range(first_ring, last_ring):
            _crossings(x, y, ring_offsets, ring, width, height, False, row_end, columns)
        for row in range(top, bottom):
            row_end[row + 1] += row_end[row]
        if columns.size < row_end[bottom]:
            columns = np.empty(2 * row_end[bottom], np.int64)
        for ring in range(first_ring, last_ring):
            _crossings(x, y, ring_offsets, ring, width, height, True, row_end, columns)
        start = np.int64(0)
        for row in range(top, bottom):
            end = row_end[row]
            crossed = columns[start:end]
            crossed.sort()
            for k in range(0, end - start - 1, 2):
                mask[row, crossed[k] : crossed[k + 1]] = value[component]
            start = end
