"""Rings along pixel edges -> OpenCV's contours through pixel centres.

The contour is the sequence of the region's pixels that the boundary passes on its left hand, repeats left out.
An edge of n pixels makes n - 1 steps in its own direction; from edge to edge the pixel stays (the boundary turns
around it) or is the diagonal neighbour (it turns inwards). That is Suzuki and Abe's border following (1985), which
`cv2.findContours` does per class: same pixels, same start, same sense.

    outlines start at the region's first pixel, holes at the pixel left of the hole's first one
    "simple" keeps the pixels where the direction changes (CHAIN_APPROX_SIMPLE), "none" all (CHAIN_APPROX_NONE)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine.columns import Extent, write_facts
from predarrow_engine.order import Order
from predarrow_engine.outlines import Columns, Sizes
from predarrow_engine.runs import HALF, LOW, Runs
from predarrow_engine.walk import Rings


@inline
def contour(
    edges: npt.NDArray[np.uint64],
    begin: int,
    end: int,
    is_outline: bool,
    every: bool,
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.float32],
    n: int,
) -> int:
    """Append the contour of the ring edges[begin:end] from n on; give the number of vertices."""
    start = n
    last = end - 1
    if is_outline:
        at_x = np.int64(edges[begin] & LOW)
        at_y = np.int64(edges[begin] >> HALF)
    else:  # where the last vertical edge, which goes up, ends
        at_x = np.int64(edges[last] & LOW) - 1
        at_y = np.int64(edges[begin] >> HALF)
    start_x = at_x
    start_y = at_y
    first_direction = np.int64(-1)
    direction = np.int64(-1)
    n_sides = 2 * (end - begin)
    for i in range(n_sides + 1):
        side = i if is_outline else i - 1 if i > 0 else n_sides - 1
        if i == n_sides:  # back to the start
            to_x = end_x = start_x
            to_y = end_y = start_y
        else:
            k = begin + (side >> 1)
            following = k + 1 if k < last else begin
            x0 = np.int64(edges[k] & LOW)
            y1 = np.int64(edges[following] >> HALF)
            if side & 1:  # along a row, at y1
                x1 = np.int64(edges[following] & LOW)
                to_y = end_y = y1 - 1 if x1 > x0 else y1
                to_x = x0 if x1 > x0 else x0 - 1
                end_x = x1 - 1 if x1 > x0 else x1
            else:  # along a column, at x0
                y0 = np.int64(edges[k] >> HALF)
                to_x = end_x = x0 if y1 > y0 else x0 - 1
                to_y = y0 if y1 > y0 else y0 - 1
                end_y = y1 - 1 if y1 > y0 else y1
        for leg in range(2):  # the diagonal into the edge, then along it
            if leg == 1:
                to_x = end_x
                to_y = end_y
            steps = max(abs(to_x - at_x), abs(to_y - at_y))
            if steps == 0:
                continue
            step_x = (to_x - at_x) // steps
            step_y = (to_y - at_y) // steps
            towards = 3 * step_y + step_x + 4
            if first_direction < 0:
                first_direction = towards
            if every:
                for j in range(steps):
                    x[n] = at_x + j * step_x
                    y[n] = at_y + j * step_y
                    n += 1
            elif towards != direction:
                x[n] = at_x
                y[n] = at_y
                n += 1
            direction = towards
            at_x = to_x
            at_y = to_y
    if n == start:  # one pixel
        x[n] = at_x
        y[n] = at_y
        n += 1
    elif not every and direction == first_direction:  # the start is no corner
        n -= 1
        for j in range(start, n):
            x[j] = x[j + 1]
            y[j] = y[j + 1]
    return n


@kernel
def write_center_columns(
    runs: Runs,
    rings: Rings,
    order: Order,
    n_groups: int,
    holes: bool,
    every: bool,
    width: int,
    signed: bool,
    columns: Columns,
    sizes: Sizes,
) -> Sizes:
    """Append groups as contours through pixel centres; give how much of the columns is used then.

    Args:
        runs, order, n_groups, holes, width, signed, columns, sizes: as `columns.write_edge_columns` takes them.
        rings: 8-connected ones from `walk.walk`, not cut.
        every: all pixels (CHAIN_APPROX_NONE) rather than corners (CHAIN_APPROX_SIMPLE).
    """
    n, n_rings, n_parts, n_components = sizes
    part = 0
    for g in range(n_groups):
        first = order.group_first[g]
        while part < order.places[first]:
            outline = ring = order.outlines[part]
            while ring >= 0:
                begin, end = rings.ring_begin[ring], rings.ring_end[ring]
                n = contour(rings.edges, begin, end, ring == outline, every, columns.x, columns.y, n)
                n_rings += 1
                columns.ring_offsets[n_rings] = n
                ring = order.next_ring[ring] if holes else np.int32(-1)
            part += 1
            n_parts += 1
            columns.part_offsets[n_parts] = n_rings
        run = rings.first_run[first]
        extent = Extent(rings.area[first], rings.xmin[first], rings.xmax[first], rings.ymax[first])
        write_facts(runs.packed[run], runs.label[run], extent, width, signed, columns, np.uint64(n_components))
        n_components += 1
        columns.component_offsets[n_components] = n_parts
    return Sizes(n, n_rings, n_parts, n_components)


@kernel
def center_bound(rings: Rings, n_rings: int, every: bool) -> int:
    """Give a number of vertices that the contours of the rings cannot exceed together.

    A side makes at most one straight and one diagonal stretch; with every pixel kept, as many as it is long.
    """
    edges = rings.edges
    bound = 0
    for ring in range(n_rings):
        begin = rings.ring_begin[ring]
        end = rings.ring_end[ring]
        bound += 4 * (end - begin) + 1
        if every:
            for k in range(begin, end):
                following = k + 1 if k + 1 < end else begin
                bound += abs(np.int64(edges[following] >> HALF) - np.int64(edges[k] >> HALF))
                bound += abs(np.int64(edges[following] & LOW) - np.int64(edges[k] & LOW))
    return bound


@kernel
def mark_encord_active(rings: Rings, n_components: int, bound: int, keep: npt.NDArray[np.bool_]) -> None:
    """Clear keep for components that Encord Active's mask importer leaves out.

    It keeps contours (CHAIN_APPROX_SIMPLE) of at least three points and an area, through the centres, of at
    least 4.

    Args:
        rings: 8-connected ones from `walk.walk`.
        bound: from `center_bound`.
        keep: (n_components,) in and out.
    """
    x = np.empty(bound, np.float32)
    y = np.empty(bound, np.float32)
    for component in range(n_components):
        ring = rings.part_ring[component]
        n = contour(rings.edges, rings.ring_begin[ring], rings.ring_end[ring], True, False, x, y, 0)
        doubled = 0.0
        for i in range(n):
            j = i + 1 if i + 1 < n else 0
            doubled += np.float64(x[i]) * np.float64(y[j]) - np.float64(x[j]) * np.float64(y[i])
        if n < 3 or abs(doubled) < 8.0:
            keep[component] = False
