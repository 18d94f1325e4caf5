"""Polygons and boxes -> run lengths, pixel by pixel those of pycocotools.

COCO rounds vertices to a fifth of a pixel and walks along each edge in such steps, one at a time along its longer side.
Where the walk passes the centre line of a pixel column, the column's value changes, from the row on whose centre is
not above the walk. Only these places are looked for here: along an edge, the step at which a line is passed is
computed, not searched for, so the cost follows the columns that a polygon spans and not its length in fifths.

    fifths      0 1 2 3 4 | 5 6 7 8 9     column 0 has its centre at 2: passed between 2 and 3
    in column   ----0----   ----1----     row y has its centre at 5 y + 2: a walk at fifth v is above row (v + 2) // 5

Source: `rleFrPoly` and `rleFrBbox` of COCO's maskApi.c (P. Dollár, T.-Y. Lin). Oracle: pycocotools.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, helper, inline, kernel
from predarrow_engine.rle_text import OK, PIXEL_LIMIT, TOO_LARGE, RunLengths, fixed, pixels
from predarrow_engine.runs import ONE

COORDINATE_LIMIT = 2**28
"""Coordinates are below, either way: COCO counts fifths in 32 bits."""

BAD_COORDINATE = TOO_LARGE + 1
"""Flaw of a polygon beside those of `rle_text`: a coordinate that is not finite, or not below the limit."""


def from_polygons(
    xy: npt.NDArray[np.float64], offsets: npt.NDArray[np.signedinteger[Any]], sizes: npt.NDArray[np.int64]
) -> RunLengths:
    """Give the run lengths of polygons, one mask each: those of `pycocotools.mask.frPyObjects`.

    Several polygons of one object are put together by `rle_sets.union`.

    Args:
        xy: (n_vertices, 2) pixels, x right, y down, a pixel's corner at whole numbers.
        offsets: (n + 1,) int32 or int64, ascending, first vertex of each polygon. Without vertices it is empty.
        sizes: (n, 2) height and width of each mask.

    Returns:
        Flaws are TOO_LARGE and BAD_COORDINATE, with the vertex (counted from the polygon's first) as their place.
    """
    n = len(sizes)
    offsets = fixed(np.asarray(offsets, np.int64))
    flaws = np.zeros(n, np.uint8), np.zeros(n, np.int64), np.zeros(n, np.int64)
    result = RunLengths(np.empty(0, np.uint32), np.zeros(n + 1, np.int64), *flaws)
    counts = _draw(fixed(np.asarray(xy, np.float64)), offsets, fixed(sizes), result)
    return result._replace(counts=counts)


def from_boxes(xywh: npt.NDArray[np.float64], sizes: npt.NDArray[np.int64]) -> RunLengths:
    """Give the run lengths of boxes, one mask each: those of `pycocotools.mask.frPyObjects`.

    Args:
        xywh: (n, 4) left, top, width and height, pixels.
        sizes: (n, 2) height and width of each mask.

    Returns:
        As `from_polygons`.
    """
    x, y, width, height = np.asarray(xywh, np.float64).reshape(-1, 4).T
    right, bottom = x + width, y + height
    corners = np.stack([x, y, x, bottom, right, bottom, right, y], axis=1).reshape(-1, 2)
    return from_polygons(corners, np.arange(0, len(corners) + 1, 4), sizes)


@kernel
def _draw(
    xy: npt.NDArray[np.float64], offsets: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], result: RunLengths
) -> npt.NDArray[np.uint32]:
    counts = np.empty(max(1024, 4 * xy.shape[0]), np.uint32)
    places = np.empty(1024, np.int64)
    n = np.int64(0)
    for i in range(np.uint64(result.flaw.size)):
        size = pixels(sizes, i, PIXEL_LIMIT)
        begin, end = offsets[i], offsets[i + ONE]
        result.flaw[i] = OK if size >= 0 else TOO_LARGE
        for vertex in range(begin, end):
            x, y = xy[vertex]
            if not (abs(x) < COORDINATE_LIMIT and abs(y) < COORDINATE_LIMIT) and result.flaw[i] == OK:
                result.flaw[i], result.place[i] = BAD_COORDINATE, vertex - begin
        if result.flaw[i] == OK:
            height, width = np.int64(sizes[i, 0]), np.int64(sizes[i, 1])
            n_places = np.int64(0)
            for vertex in range(begin, end):
                if places.size < n_places + width + 1:
                    grown = np.empty(2 * (n_places + width + 1), np.int64)
                    grown[:n_places] = places[:n_places]
                    places = grown
                following = vertex + 1 if vertex + 1 < end else begin
                n_places = _pass_edge(xy[vertex], xy[following], height, width, places, n_places)
            places[n_places] = size
            if counts.size < n + n_places + 1:
                more = np.empty(2 * (n + n_places + 1), np.uint32)
                more[:n] = counts[:n]
                counts = more
            changes = places[: n_places + 1]
            changes.sort()
            n = write_runs(changes, counts, n)
            result.total[i] = size
        result.offsets[i + ONE] = n
    return counts[:n]


@inline
def _fifths(coordinate: float) -> int:
    """Give a coordinate as COCO rounds it, which below 0 is up."""
    return int(5.0 * coordinate + 0.5)


@helper
def _pass_edge(
    one: npt.NDArray[np.float64],
    other: npt.NDArray[np.float64],
    height: Index,
    width: Index,
    places: npt.NDArray[np.int64],
    n: Index,
) -> np.int64:
    """Append where an edge passes centre lines of columns, in pixels down the columns; give their number then."""
    x0, y0, x1, y1 = _fifths(one[0]), _fifths(one[1]), _fifths(other[0]), _fifths(other[1])
    if x0 == x1:
        return np.int64(n)
    dx, dy = abs(x1 - x0), abs(y1 - y0)
    if (dx >= dy and x0 > x1) or (dx < dy and y0 > y1):
        x0, y0, x1, y1 = x1, y1, x0, y0
    left, right = min(x0, x1), max(x0, x1)
    slope = (y1 - y0) / dx if dx >= dy else (x1 - x0) / dy
    first = max(0, (left + 2) // 5)  # the first column whose line, 5 x + 2, is not left of the edge
    last = min(width - 1, (right - 3) // 5)  # and the last one that the edge goes beyond
    for x in range(first, last + 1):
        line = 5 * x + 2
        if dx >= dy:
            step = line - x0
            v = min(int(y0 + slope * step + 0.5), int(y0 + slope * (step + 1) + 0.5))
        else:
            v = y0 + _step_beyond(x0, slope, line, dy) - 1
        places[n] = x * height + min(max((v + 2) // 5, 0), height)
        n += 1
    return np.int64(n)


@inline
def _step_beyond(x0: int, slope: float, line: int, n_steps: int) -> int:
    """Give the first step from x0 on that is beyond a line, or has come back from there, where there is one.

    The quotient may be off by its rounding; the comparisons are COCO's own numbers, so they decide.
    """
    rises = slope > 0.0
    step = min(max(int((line + 0.5 - x0) / slope), 1), n_steps)
    while step > 1 and (int(x0 + slope * (step - 1) + 0.5) > line) == rises:
        step -= 1
    while step < n_steps and (int(x0 + slope * step + 0.5) > line) != rises:
        step += 1
    return step


@helper
def write_runs(changes: npt.NDArray[np.int64], counts: npt.NDArray[np.uint32], n: np.int64) -> np.int64:
    """Append the runs between ascending places; two changes at one place are none."""
    begin = n
    last = np.int64(0)
    at = np.uint64(0)
    while at < np.uint64(changes.size):
        length = changes[at] - last
        last = changes[at]
        at += ONE
        if length > 0 or n == begin:
            counts[n] = length
            n += 1
        elif at < np.uint64(changes.size):
            counts[n - 1] += np.uint32(changes[at] - last)
            last = changes[at]
            at += ONE
    return n
