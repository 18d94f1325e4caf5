"""Parts and lone runs -> Arrow's flat columns: vertices, three levels of offsets and what is told of each component."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, helper, inline, kernel
from predarrow_engine._simd import prefetch_near
from predarrow_engine._simd_corners import EDGES, write_corners
from predarrow_engine.link import THREE, TWO
from predarrow_engine.lone import fetch
from predarrow_engine.order import Order
from predarrow_engine.outlines import Columns, Sizes
from predarrow_engine.runs import HALF, LOW, ONE, ZERO, Runs
from predarrow_engine.walk import Rings

_FOUR = np.uint64(4)
_NONE = np.int64(-1)
_AT_ONCE = np.uint64(EDGES)
_AHEAD = np.uint64(64)
"""Rings that are fetched before they are written: those of a group are rows apart (noise 9 ms instead of 16).

By their place in the order: the next so many by number, as `walk` does it, gain half.
"""


class Extent(NamedTuple):
    """A component's pixels and the cover of these, in pixels."""

    area: Index
    xmin: Index
    xmax: Index
    ymax: Index


@kernel
def write_edge_columns(
    runs: Runs,
    rings: Rings,
    order: Order,
    n_groups: int,
    holes: bool,
    width: int,
    signed: bool,
    columns: Columns,
    sizes: Sizes,
) -> Sizes:
    """Append groups along pixel edges, and lone runs between them; give how much of the columns is used then.

    One loop, as columns that are filled from two sides are fetched twice (noise 18 ms; parts, groups and lone runs each
    in a loop of its own 22 ms). What else is in it counts: with contours through pixel centres it took 25 ms.

    Args:
        runs: of an image of this width; signed: whether labels are int32 in disguise.
        rings: from `walk.walk` or `parts.cut`; order: from `order.order_parts`, with n_groups.
        holes: whether `order.gather_holes` made lists.
        columns: out, with room; sizes: how much of them is used.
    """
    packed, label = runs.packed, runs.label
    lone, lone_before, first_run = rings.lone, rings.lone_before, rings.first_run
    area, xmin, xmax, ymax = rings.area, rings.xmin, rings.xmax, rings.ymax
    outlines, places, next_ring, group_first = order.outlines, order.places, order.next_ring, order.group_first
    edges, ring_begin, ring_end = rings.edges, rings.ring_begin, rings.ring_end
    x, y, ring_offsets = columns.x, columns.y, columns.ring_offsets
    edges_address, x_address, y_address = edges.ctypes.data, x.ctypes.data, y.ctypes.data
    packed_address, label_address = packed.ctypes.data, label.ctypes.data
    begin_address, end_address = ring_begin.ctypes.data, ring_end.ctypes.data
    # Up to EDGES edges too many are looked at, and their vertices written, which the next ring writes again.
    edge_limit = np.uint64(max(0, edges.size - EDGES))
    vertex_limit = np.uint64(max(0, min(x.size, y.size) - 2 * EDGES))
    part_offsets, component_offsets = columns.part_offsets, columns.component_offsets
    n_vertices, n_rings = np.uint64(sizes.vertices), np.uint64(sizes.rings)
    n_parts, n_components = np.uint64(sizes.parts), np.uint64(sizes.components)
    part = i = ZERO
    last_part = np.uint64(max(1, places[np.uint64(group_first[n_groups - 1])]) - 1) if n_groups else ZERO
    for g in range(np.uint64(n_groups) + ONE):
        first = np.uint64(group_first[g])
        until = np.uint64(lone_before[first])
        while i < until:
            run = np.uint64(lone[i])
            fetch(packed_address, run, THREE)
            fetch(label_address, run, TWO)
            corner, opposite = packed[run], packed[run + ONE] + (ONE << HALF)
            _write_rectangle(corner, opposite, x, y, n_vertices)
            left, right = np.int32(corner & LOW), np.int32(opposite & LOW)
            extent = Extent(right - left, left, right, np.int32(opposite >> HALF))
            write_facts(corner, label[run], extent, width, signed, columns, n_components)
            i += ONE
            n_vertices += _FOUR
            n_rings += ONE
            n_parts += ONE
            n_components += ONE
            ring_offsets[n_rings] = n_vertices
            part_offsets[n_parts] = n_rings
            component_offsets[n_components] = n_parts
        if g == np.uint64(n_groups):
            break
        parts_end = np.uint64(places[first])
        while part < parts_end:
            far = np.int64(np.uint64(outlines[min(part + TWO * _AHEAD, last_part)]) << TWO)
            prefetch_near(begin_address + far)
            prefetch_near(end_address + far)
            near = np.uint64(ring_begin[np.uint64(outlines[min(part + _AHEAD, last_part)])])
            prefetch_near(edges_address + np.int64(near << THREE))
            ring = np.int64(outlines[part])
            part += ONE
            while ring >= 0:
                begin = np.uint64(ring_begin[np.uint64(ring)])
                end = np.uint64(ring_end[np.uint64(ring)])
                stop = n_vertices + TWO * (end - begin)
                if end < edge_limit and stop < vertex_limit:
                    vertex = n_vertices
                    for edge in range(begin, end, _AT_ONCE):
                        write_corners(edges_address, np.uint64(edge), x_address, y_address, vertex)
                        vertex += TWO * _AT_ONCE
                else:
                    _write_one_by_one(edges, begin, end, x, y, n_vertices)
                first_y = np.float32(np.int32(edges[begin] >> HALF))
                y[n_vertices] = first_y
                y[stop - ONE] = first_y
                n_vertices = stop
                n_rings += ONE
                ring_offsets[n_rings] = n_vertices
                ring = np.int64(next_ring[np.uint64(ring)]) if holes else _NONE
            n_parts += ONE
            part_offsets[n_parts] = n_rings
        run = np.uint64(first_run[first])
        extent = Extent(area[first], xmin[first], xmax[first], ymax[first])
        write_facts(packed[run], label[run], extent, width, signed, columns, n_components)
        n_components += ONE
        component_offsets[n_components] = n_parts
    return Sizes(int(np.int64(n_vertices)), int(np.int64(n_rings)), int(np.int64(n_parts)), int(np.int64(n_components)))


@inline
def write_facts(
    corner: np.uint64, label: np.uint32, extent: Extent, width: int, signed: bool, columns: Columns, at: np.uint64
) -> None:
    """Write a component's value, extent and first pixel; corner and label are its first run's."""
    value = np.int64(label)
    top = np.int32(corner >> HALF)
    columns.value[at] = np.int64(np.int32(value)) if signed else value
    columns.area[at] = extent.area
    columns.bbox[0, at] = extent.xmin
    columns.bbox[1, at] = top
    columns.bbox[2, at] = extent.xmax
    columns.bbox[3, at] = extent.ymax
    columns.first[at] = np.int64(top) * width + np.int64(corner & LOW)


@inline
def _write_rectangle(
    corner: np.uint64, opposite: np.uint64, x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], vertex: np.uint64
) -> None:
    """Write the four vertices of a rectangle from its top-left to its bottom-right corner, each y << 32 | x."""
    left, right = np.float32(np.int32(corner & LOW)), np.float32(np.int32(opposite & LOW))
    top, bottom = np.float32(np.int32(corner >> HALF)), np.float32(np.int32(opposite >> HALF))
    x[vertex] = left
    x[vertex + ONE] = left
    x[vertex + TWO] = right
    x[vertex + THREE] = right
    y[vertex] = top
    y[vertex + ONE] = bottom
    y[vertex + TWO] = bottom
    y[vertex + THREE] = top


@helper
def _write_one_by_one(
    edges: npt.NDArray[np.uint64],
    begin: np.uint64,
    end: np.uint64,
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.float32],
    vertex: np.uint64,
) -> None:
    """Write the vertices of a ring but for the y of its first and last one."""
    for edge in range(begin, end):
        corner = edges[edge]
        x_here = np.float32(np.int32(corner & LOW))
        y_here = np.float32(np.int32(corner >> HALF))
        x[vertex] = x_here
        x[vertex + ONE] = x_here
        if edge > begin:
            y[vertex - ONE] = y_here
            y[vertex] = y_here
        vertex += TWO
