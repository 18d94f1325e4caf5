"""Components that touch themselves at corners -> parts and rings that are valid polygons.

A boundary may come back to a corner where two pixels of its region touch. OGC's simple features forbid that in
a ring, and let the parts of a multipolygon touch there. So

    8-connected components are 4-connected ones (their parts) put together at the corner contacts, and
    a ring that visits a corner twice is cut there: each loop is a ring of its own.

At such a corner two edges start or two edges end, so a loop is a stretch of the ring's edges: no vertex is added or
lost. A loop around the region is an outline, one around what lies outside is a hole.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, inline, kernel
from predarrow_engine.link import TWO, Links
from predarrow_engine.runs import HALF, LOW, ONE, Runs
from predarrow_engine.walk import EDGE, Rings, Walked, chain, component_of, edge_behind


@kernel
def number_runs(runs: Runs, links: Links, rings: Rings, number: npt.NDArray[np.uint32]) -> None:
    """Write component + 1 of each run, 0 where its label is left out and at sentinels; number: (n_runs,) out."""
    rows = runs.rows
    for y in range(rows.size - 1):
        sentinel = rows[y + 1] - 1
        for r in range(rows[y], sentinel):
            number[r] = component_of(links, rings, chain(links, r)) + 1
        number[sentinel] = 0


@inline
def _root(parent: npt.NDArray[np.int32], component: int) -> int:
    while parent[component] != component:
        parent[component] = parent[parent[component]]
        component = int(np.int64(parent[component]))
    return component


@kernel
def join(
    runs: Runs,
    links: Links,
    rings: Rings,
    n_contacts: int,
    eight: bool,
    parent: npt.NDArray[np.int32],
    visits: npt.NDArray[np.uint64],
) -> tuple[bool, int]:
    """Join components at their contacts; note where a ring comes by one corner twice.

    Args:
        runs, links, rings: of one image.
        eight: whether contacts join components.
        parent: (n_components,) in (each its own) and out: a component of the same group, never a later one.
        visits: (2 * n_contacts,) out, two for each such corner: edge << 33 | side << 32 | corner's number, where
            the corner lies before the edge: where it starts (side 1) or where the edge before it ends (side 0).

    Returns:
        Whether components were joined, and how many corners there are.
    """
    n_corners = 0
    joined = False
    for i in range(np.uint64(n_contacts)):
        upper = links.contacts[i] >> HALF
        lower = links.contacts[i] & LOW
        a = component_of(links, rings, chain(links, upper))
        if a < 0:  # a label that is left out
            continue
        b = component_of(links, rings, chain(links, lower))
        if a != b:
            if eight:
                a = _root(parent, a)
                b = _root(parent, b)
                parent[max(a, b)] = min(a, b)
                joined = True
            continue
        if (
            runs.packed[lower] & LOW == runs.packed[upper + ONE] & LOW
        ):  # the lower run lies right: both edges start here
            side = ONE
            first = np.uint64(links.successor[TWO * upper + ONE]) & EDGE
            second = np.uint64(links.successor[TWO * lower]) & EDGE
        else:  # two edges end here, these follow
            side = np.uint64(0)
            first = np.uint64(edge_behind(links, rings, chain(links, upper)))
            second = np.uint64(edge_behind(links, rings, TWO * lower + ONE))
        if rings.edge_ring[first] == rings.edge_ring[second]:
            visits[2 * n_corners] = (first << ONE | side) << np.uint64(32) | np.uint64(n_corners)
            visits[2 * n_corners + 1] = (second << ONE | side) << np.uint64(32) | np.uint64(n_corners)
            n_corners += 1
    return joined, n_corners


@inline
def _copy_edges(
    source: npt.NDArray[np.uint64], begin: Index, end: Index, target: npt.NDArray[np.uint64], at: Index
) -> int:
    """Copy source[begin:end] to target[at:] and give the end there."""
    count = np.uint64(end) - np.uint64(begin)
    for i in range(count):
        target[np.uint64(at) + i] = source[np.uint64(begin) + i]
    return int(np.int64(np.uint64(at) + count))


@inline
def _area(edges: npt.NDArray[np.uint64], begin: Index, end: Index) -> int:
    """Give the area of the ring edges[begin:end], negative for a hole."""
    first = np.uint64(begin)
    last = np.uint64(end) - ONE
    area = np.int64(edges[last] & LOW) * (np.int64(edges[last] >> HALF) - np.int64(edges[first] >> HALF))
    for i in range(first, last):
        area += np.int64(edges[i] & LOW) * (np.int64(edges[i] >> HALF) - np.int64(edges[i + ONE] >> HALF))
    return int(area)


@kernel
def cut(
    rings: Rings,
    walked: Walked,
    visits: npt.NDArray[np.uint64],
    fill: bool,
    part_component: npt.NDArray[np.int32],
) -> tuple[int, int]:
    """Cut rings where they come by a corner twice; give the number of rings and parts.

    The first loop that has the ring's sense replaces the ring. More loops are added behind: an outline as a new
    part of the component, a hole to the ring's part.

    Args:
        rings: in and out; walked: from `walk.walk`.
        visits: (2 * n_corners,) from `join`, ascending: along each ring, the loops nest like brackets.
        fill: whether holes are left out: theirs are passed over, and those cut from an outline get part -1.
        part_component: (n_components + n_corners,) out: the component of each part that is added.
    """
    edges, edge_ring, ring_part, part_ring = rings.edges, rings.edge_ring, rings.ring_part, rings.part_ring
    ring_begin, ring_end = rings.ring_begin, rings.ring_end
    n_rings, n_parts, n_edges = walked
    depth_at = np.empty(visits.size // 2, np.int64)
    depth_at[:] = -1
    stack: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
    i = 0
    while i < visits.size:
        ring = edge_ring[np.int64(visits[i] >> np.uint64(33))]
        part = ring_part[ring]
        begin = np.int64(ring_begin[ring])
        end = np.int64(ring_end[ring])
        is_outline = ring == part_ring[part]
        if stack.size < end - begin:
            stack = np.empty(2 * (end - begin), np.uint64)
        placed = False
        depth = 0
        copied = begin
        while True:
            low = 0
            until = end
            last = i == visits.size or np.int64(visits[i] >> np.uint64(33)) >= end
            if not last:
                until = np.int64(visits[i] >> np.uint64(33))
                corner = np.int64(visits[i] & np.uint64(0xFFFFFFFF))
                i += 1
            depth = _copy_edges(edges, copied, until, stack, depth)
            copied = until
            if not last:
                low = depth_at[corner]
                if low < 0:
                    depth_at[corner] = depth
                    continue
            if fill and not is_outline:
                depth = low
                if last:
                    break
                continue
            start = n_edges
            n_edges = _copy_edges(stack, low, depth, edges, n_edges)
            depth = low
            area = _area(edges, start, n_edges)
            if (area > 0) == is_outline and not placed:
                placed = True
                target = ring
            else:
                target = n_rings
                n_rings += 1
                ring_part[target] = part
                if fill and area < 0:
                    ring_part[target] = -1
                if area > 0:
                    ring_part[target] = n_parts
                    part_ring[n_parts] = target
                    part_component[n_parts] = part
                    n_parts += 1
            ring_begin[target] = start
            ring_end[target] = n_edges
            if last:
                break
    return n_rings, n_parts
