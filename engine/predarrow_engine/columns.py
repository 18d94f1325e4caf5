"""Rings -> Arrow's flat columns: vertices and three levels of offsets, component by component.

Rings come in the raster order of their first pixel; columns want them by component, outline first. So the parts of each
group of joined components are counted, and then each goes to its place; a part's holes hang in a list on its outline.
Where nothing is joined or cut, there is nothing to count; where nothing has a hole, there is no list.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, kernel
from predarrow_engine._simd import prefetch_near
from predarrow_engine._simd_corners import EDGES, write_corners
from predarrow_engine.link import THREE, TWO
from predarrow_engine.outlines import Columns, Sizes
from predarrow_engine.runs import HALF, LOW, ONE, ZERO, Runs
from predarrow_engine.walk import Rings

_NONE = np.int64(-1)
_AT_ONCE = np.uint64(EDGES)
_AHEAD = np.uint64(64)
"""Rings that are fetched before they are written: those of a group are rows apart (noise 9 ms instead of 16).

By their place in the order: the next so many by number, as `walk` does it, gain half.
"""


class Order(NamedTuple):
    """Workspace for n_runs runs: what follows what."""

    parent: npt.NDArray[np.int32]
    """(3 * n_runs,) from `parts.join` and `parts.cut`: an earlier part of each part's group, or itself"""
    places: npt.NDArray[np.int32]
    """(3 * n_runs,) number of parts in the group of each first component, then where its next one goes, or -1"""
    listed: npt.NDArray[np.int32]
    """(3 * n_runs,) parts that are not the first of their group, then outlines of parts that are kept, by group"""
    next_ring: npt.NDArray[np.int32]
    """(3 * n_runs,) the next ring of the same part, -1 after the last"""
    group_first: npt.NDArray[np.int32]
    """(n_runs,) first component of each group that is kept"""
    ring_order: npt.NDArray[np.int32]
    """(3 * n_runs,) rings that are kept, by group and part, outlines first"""


@kernel
def gather_groups(rings: Rings, n_components: int, n_parts: int, order: Order) -> None:
    """Count the parts of each group at its first component, which gets the group's area and box.

    Args:
        rings: area and box in and out.
        n_components: parts from there on are from `parts.cut`.
        order: parent in; parent, then the group's first component, and places out.
    """
    parent, places, listed = order.parent, order.places, order.listed
    area, xmin, xmax, ymax = rings.area, rings.xmin, rings.xmax, rings.ymax
    n_listed = np.uint64(0)
    for i in range(np.uint64(n_parts)):
        root = np.uint64(parent[np.uint64(parent[i])])  # an earlier part's is final
        parent[i] = root
        places[i] = 0
        places[root] += 1
        listed[n_listed] = i
        n_listed += np.uint64((root != i) & (i < np.uint64(n_components)))
    for k in range(n_listed):
        part = np.uint64(listed[k])
        root = np.uint64(parent[part])
        area[root] += area[part]
        xmin[root] = min(xmin[root], xmin[part])
        xmax[root] = max(xmax[root], xmax[part])
        ymax[root] = max(ymax[root], ymax[part])


@kernel
def gather_holes(rings: Rings, n_rings: int, next_ring: npt.NDArray[np.int32]) -> None:
    """List the holes of each part behind its outline."""
    ring_part, part_ring = rings.ring_part, rings.part_ring
    next_ring[:n_rings] = -1
    for i in range(np.uint64(n_rings)):
        ring = np.uint64(n_rings) - ONE - i
        outline = np.uint64(part_ring[np.uint64(ring_part[ring])])
        if ring != outline:
            next_ring[ring] = next_ring[outline]
            next_ring[outline] = ring


@kernel
def order_rings(
    rings: Rings,
    n_components: int,
    n_parts: int,
    order: Order,
    joined: bool,
    holes: bool,
    keep: npt.NDArray[np.bool_],
    min_area: int,
    columns: Columns,
    sizes: Sizes,
) -> Sizes:
    """Append the offsets of all parts and components that are kept, and give how many there are then.

    Without a branch that depends on what is joined: a list of each group's parts takes 17 ms for noise, not 13.

    Args:
        rings: as `gather_groups` left them.
        n_parts: of all components; as many as these where nothing is joined.
        order: group_first and ring_order out, from 0.
        joined: whether `gather_groups` counted parts; holes: whether `gather_holes` made lists.
        keep: (number of groups,) at least, which to keep; all where it is empty.
        min_area: groups of fewer pixels are left out.
        columns: out, with room; sizes: how much of them is used.
    """
    parent, places, outlines, next_ring = order.parent, order.places, order.listed, order.next_ring
    group_first, ring_order = order.group_first, order.ring_order
    area, part_ring = rings.area, rings.part_ring
    part_offsets, component_offsets = columns.part_offsets, columns.component_offsets
    n_kept = n_groups = number = np.uint64(0)
    for c in range(np.uint64(n_components)):
        is_first = not joined or np.uint64(parent[c]) == c
        number += np.uint64(is_first)
        wanted = is_first & (area[c] >= min_area) & (keep.size == 0 or keep[number - ONE])
        n_of_it = np.uint64(places[c]) if joined else ONE
        places[c] = n_kept if wanted else _NONE
        n_kept += n_of_it if wanted else ZERO
        group_first[n_groups] = c
        n_groups += np.uint64(wanted)
        component_offsets[n_groups + np.uint64(sizes.components)] = n_kept + np.uint64(sizes.parts)
    for part in range(np.uint64(n_parts)):
        root = np.uint64(parent[part]) if joined else part
        place = np.int64(places[root])
        if place >= 0:
            outlines[np.uint64(place)] = part_ring[part]
            places[root] = place + 1
    n_rings = np.uint64(0)
    for k in range(n_kept):
        ring = np.int64(outlines[k])
        while ring >= 0:
            ring_order[n_rings] = ring
            n_rings += ONE
            ring = np.int64(next_ring[np.uint64(ring)]) if holes else _NONE
        part_offsets[k + ONE + np.uint64(sizes.parts)] = n_rings + np.uint64(sizes.rings)
    return Sizes(
        sizes.vertices,
        sizes.rings + int(np.int64(n_rings)),
        sizes.parts + int(np.int64(n_kept)),
        sizes.components + int(np.int64(n_groups)),
    )


@kernel
def write_edge_rings(rings: Rings, order: Order, n_rings: int, columns: Columns, sizes: Sizes) -> int:
    """Append rings along pixel edges in order; give the number of vertices then.

    Args:
        rings: from `walk.walk` or `parts.cut`; order: from `order_rings`, with n_rings in it.
        columns: x, y and ring_offsets out, with room; sizes: how much of them is used.
    """
    edges, ring_begin, ring_end, ring_order = rings.edges, rings.ring_begin, rings.ring_end, order.ring_order
    x, y, ring_offsets = columns.x, columns.y, columns.ring_offsets
    edges_address, x_address, y_address = edges.ctypes.data, x.ctypes.data, y.ctypes.data
    # Up to EDGES edges too many are looked at, and their vertices written, which the next ring writes again.
    edge_limit = np.uint64(max(0, edges.size - EDGES))
    vertex_limit = np.uint64(max(0, min(x.size, y.size) - 2 * EDGES))
    n = np.uint64(sizes.vertices)
    offset_at = np.uint64(sizes.rings) + ONE
    begin_address, end_address = ring_begin.ctypes.data, ring_end.ctypes.data
    last = np.uint64(n_rings) - ONE
    for i in range(np.uint64(n_rings)):
        far = np.int64(np.uint64(ring_order[min(i + TWO * _AHEAD, last)]) << TWO)
        prefetch_near(begin_address + far)
        prefetch_near(end_address + far)
        near = np.uint64(ring_begin[np.uint64(ring_order[min(i + _AHEAD, last)])])
        prefetch_near(edges_address + np.int64(near << THREE))
        ring = np.uint64(ring_order[i])
        begin = np.uint64(ring_begin[ring])
        end = np.uint64(ring_end[ring])
        stop = n + TWO * (end - begin)
        if end < edge_limit and stop < vertex_limit:
            vertex = n
            for edge in range(begin, end, _AT_ONCE):
                write_corners(edges_address, np.uint64(edge), x_address, y_address, vertex)
                vertex += TWO * _AT_ONCE
        else:
            _write_one_by_one(edges, begin, end, x, y, n)
        first_y = np.float32(np.int32(edges[begin] >> HALF))
        y[n] = first_y
        y[stop - ONE] = first_y
        n = stop
        ring_offsets[offset_at + i] = n
    return int(np.int64(n))


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


@kernel
def write_components(
    runs: Runs, rings: Rings, order: Order, n_groups: int, width: int, signed: bool, columns: Columns, sizes: Sizes
) -> None:
    """Append each group's value, area, box and first pixel; they are its first component's.

    Args:
        runs, rings, order: of one image of this width; signed: whether labels are int32 in disguise.
        columns: out, with room; sizes: how much of them is used.
    """
    packed, label = runs.packed, runs.label
    first_run, group_first = rings.first_run, order.group_first
    area, xmin, xmax, ymax = rings.area, rings.xmin, rings.xmax, rings.ymax
    values, areas, bbox, firsts = columns.value, columns.area, columns.bbox, columns.first
    used = np.uint64(sizes.components)
    for g in range(np.uint64(n_groups)):
        c = np.uint64(group_first[g])
        run = np.uint64(first_run[c])
        value = np.int64(label[run])
        corner = packed[run]
        at = used + g
        values[at] = np.int64(np.int32(value)) if signed else value
        areas[at] = area[c]
        bbox[0, at] = xmin[c]
        bbox[1, at] = np.int32(corner >> HALF)
        bbox[2, at] = xmax[c]
        bbox[3, at] = ymax[c]
        firsts[at] = np.int64(corner >> HALF) * width + np.int64(corner & LOW)
