"""Polygons -> run lengths, by the rule that a pixel belongs where its centre lies.

The masks are those of `raster.rasterize`, but no pixel is painted: each edge passes the centre lines of the columns
that it spans; the rows where it does, sorted down the columns, are where the mask changes. So the cost follows the
columns that a polygon spans. Rings of a part switch the inside on and off, so holes stay open; parts are put together.

A centre on a boundary belongs to the right and lower side, to the right one where the two differ: as if the centre
were moved a little to the right and by far less down. Right of it, an edge that goes down runs below the centre:

    centre on an edge that goes \\ is above it; on one that goes / or - below it

Outlines along pixel edges never meet a centre, and give back the mask that they came from. COCO's own rule, which
rounds to fifths of a pixel, is in `rle_polygons.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, helper, inline, kernel
from predarrow_engine.rle_polygons import write_runs
from predarrow_engine.rle_sets import Counts, union
from predarrow_engine.rle_text import PIXEL_LIMIT, fixed
from predarrow_engine.runs import ONE

SIDE_LIMIT = 2**24
"""Pixels of a mask's longest side."""


def from_outlines(
    x: npt.NDArray[np.floating[Any]],
    y: npt.NDArray[np.floating[Any]],
    ring_offsets: npt.NDArray[np.int32],
    part_offsets: npt.NDArray[np.int32],
    row_offsets: npt.NDArray[np.int32],
    sizes: npt.NDArray[np.int64],
) -> Counts:
    """Give the run lengths of polygons, one mask a row; what lies outside the mask is cut off.

    Args:
        x, y: (n_vertices,) float32 or float64, finite, pixels, x right, y down, a pixel's corner at whole numbers.
        ring_offsets, part_offsets, row_offsets: nested as in `outlines.Outlines`; a row without parts gets no counts.
        sizes: (n_rows, 2) height and width of each mask.

    Raises:
        ValueError: a vertex that is not finite, or a size that `check_sizes` refuses.
    """
    check_sizes(sizes)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("vertices must be finite")
    n_parts = np.diff(row_offsets)
    first, last = int(row_offsets[0]), int(row_offsets[-1])
    of_part = fixed(np.repeat(sizes, n_parts, axis=0))
    offsets = np.zeros(len(of_part) + 1, np.int64)
    counts = _fill(
        fixed(np.asarray(x, np.float64)),
        fixed(np.asarray(y, np.float64)),
        fixed(ring_offsets),
        fixed(part_offsets[first : last + 1]),
        of_part,
        offsets,
    )
    groups = row_offsets.astype(np.int64) - first
    return (counts, offsets[groups]) if (n_parts <= 1).all() else union(counts, offsets, groups)


def check_sizes(sizes: npt.NDArray[np.int64]) -> None:
    """See that masks have sides that run lengths can be made for.

    Raises:
        ValueError: sides that are not 1 to 2**24, or more than 2**32 - 1 pixels.
    """
    if len(sizes) and (sizes.min() < 1 or sizes.max() > SIDE_LIMIT or sizes.prod(1).max() > PIXEL_LIMIT):
        raise ValueError(f"masks must have sides of 1 to {SIDE_LIMIT} and at most {PIXEL_LIMIT} pixels")


@inline
def first_centre(edge: float, limit: Index) -> int:
    """Give the first pixel whose centre is not before edge, from 0 to limit."""
    return math.ceil(min(max(edge - 0.5, 0.0), float(limit)))


@inline
def _first_beyond(edge: float, limit: Index) -> int:
    """Give the first pixel whose centre is beyond edge, from 0 to limit."""
    return min(math.floor(min(max(edge - 0.5, -1.0), float(limit))) + 1, int(limit))


@kernel
def _fill(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    ring_offsets: npt.NDArray[np.int32],
    part_offsets: npt.NDArray[np.int32],
    sizes: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64],
) -> npt.NDArray[np.uint32]:
    """Give the runs of each part."""
    counts = np.empty(1024, np.uint32)
    places = np.empty(1024, np.int64)
    n = np.int64(0)
    for part in range(np.uint64(sizes.shape[0])):
        height, width = sizes[part, 0], sizes[part, 1]
        n_places = np.int64(0)
        for ring in range(np.uint64(part_offsets[part]), np.uint64(part_offsets[part + ONE])):
            begin, end = np.uint64(ring_offsets[ring]), np.uint64(ring_offsets[ring + ONE])
            for vertex in range(begin, end):
                following = vertex + ONE if vertex + ONE < end else begin
                first = first_centre(min(x[vertex], x[following]), width)
                last = first_centre(max(x[vertex], x[following]), width)
                if places.size < n_places + (last - first) + 1:
                    grown = np.empty(2 * (n_places + (last - first) + 1), np.int64)
                    grown[:n_places] = places[:n_places]
                    places = grown
                n_places = _pass_edge(
                    x[vertex], y[vertex], x[following], y[following], first, last, height, places, n_places
                )
        places[n_places] = height * width
        if counts.size < n + n_places + 1:
            more = np.empty(2 * (n + n_places + 1), np.uint32)
            more[:n] = counts[:n]
            counts = more
        changes = places[: n_places + 1]
        changes.sort()
        n = write_runs(changes, counts, n)
        offsets[part + ONE] = n
    return counts[:n]


@helper
def _pass_edge(
    x0: float,
    y0: float,
    x1: float,
    y1: float,
    first: Index,
    last: Index,
    height: Index,
    places: npt.NDArray[np.int64],
    n: Index,
) -> np.int64:
    """Append where an edge passes the centre lines of columns, in pixels down the columns; give their number then."""
    goes_down = (x1 > x0) == (y1 > y0) and y0 != y1
    for column in range(first, last):
        at = y0 + (column + 0.5 - x0) * (y1 - y0) / (x1 - x0)
        row = _first_beyond(at, height) if goes_down else first_centre(at, height)
        places[n] = column * height + row
        n += 1
    return np.int64(n)
