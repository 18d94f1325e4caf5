"""Boundaries -> rings: follow the successors from every local top, in raster order.

A run whose right edge is followed by a left edge is a top of a ring. Where that left edge is its own, and
nobody came by yet, the run is the first of a new component and the ring its outline. Where it is another
run's, the ring is a hole, and its component is the one whose ring has the first run's left edge.

A ring is its vertical edges: edge i goes from corner (x[i], y[i]) to (x[i], y[i + 1]), the level on which the next
edge starts. So a ring of m edges has 2 m vertices, (x[0], y[0]), (x[0], y[1]), (x[1], y[1]), (x[1], y[2]) …; an
outline starts at its first pixel's top-left corner, a hole at its own first pixel's.

A node that was walked needs its successor no more: its edge's number takes that place, so that one array less is
read and cleared.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, inline, kernel
from predarrow_engine._simd import prefetch, prefetch_near
from predarrow_engine.link import TWO, Links
from predarrow_engine.runs import HALF, LOW, ONE, Runs

WALKED = np.uint64(1 << 31)
"""Bit of `Links.successor` at nodes that were walked: the others are their edge's number. Nodes have 30 bits."""
EDGE = WALKED - ONE
TOUCHES = np.uint64(1 << 31)
"""Bit of `Links.head` at runs that touch another one of their label at a corner, once `lone.find_lone` was called."""
_HEAD = TOUCHES - ONE

_AHEAD = np.uint64(1 << 14)
"""Runs that are fetched before rings reach them: walks jump from row to row, so each step waited for memory
(4096 x 4096 with 286,000 runs: 1.3 ms instead of 4.4)."""
_LINE = np.uint64(8)
"""Runs in a cache line of nodes, or of `Runs.packed`."""


class Rings(NamedTuple):
    """Rings and components of n_runs runs, with room for the rings that `parts.cut` adds."""

    edges: npt.NDArray[np.uint64]
    """(4 * n_runs,) y << 32 | x where each vertical edge starts, ring by ring"""
    edge_ring: npt.NDArray[np.int32]
    """(2 * n_runs,) ring of each edge that was walked"""
    ring_begin: npt.NDArray[np.int32]
    """(3 * n_runs,) first edge of each ring"""
    ring_end: npt.NDArray[np.int32]
    """(3 * n_runs,) the edge after its last"""
    ring_part: npt.NDArray[np.int32]
    """(3 * n_runs,) part of each ring, -1 for none; until rings are cut, each component is a part"""
    part_ring: npt.NDArray[np.int32]
    """(3 * n_runs,) outline of each part"""
    first_run: npt.NDArray[np.int32]
    """(n_runs,) first run of each component"""
    lone: npt.NDArray[np.int32]
    """(n_runs,) runs that are components by themselves, in raster order"""
    lone_before: npt.NDArray[np.int32]
    """(n_runs,) how many of these come before each component"""
    top_lone: npt.NDArray[np.int32]
    """(n_runs,) how many come before each top"""
    area: npt.NDArray[np.int64]
    """(n_runs,) pixels of each component"""
    xmin: npt.NDArray[np.int32]
    """(n_runs,) of each component; its ymin is its first run's y"""
    xmax: npt.NDArray[np.int32]
    """(n_runs,)"""
    ymax: npt.NDArray[np.int32]
    """(n_runs,)"""


class Walked(NamedTuple):
    """How much was walked."""

    n_rings: int
    n_components: int
    n_edges: int


@inline
def chain(links: Links, run: Index) -> int:
    """Give the first node of the chain of left edges that ends in a run's."""
    return int(np.int64(np.uint64(links.head[run]) & _HEAD))


@inline
def component_of(links: Links, rings: Rings, node: int) -> int:
    """Give the component of a node that can be walked, -1 where it was not."""
    mark = np.uint64(links.successor[node])
    return int(np.int64(rings.ring_part[rings.edge_ring[mark & EDGE]])) if mark & WALKED else -1


@inline
def edge_behind(links: Links, rings: Rings, node: int) -> int:
    """Give the edge that follows on a node whose ring was walked, though it may have passed the node by."""
    mark = np.uint64(links.successor[node])
    if not mark & WALKED:  # a straight right edge: the chain's first node has the same successor
        return int(np.int64(np.uint64(links.successor[mark]) & EDGE))
    following = np.int64(mark & EDGE) + 1
    ring = rings.edge_ring[following - 1]
    return int(following if following < rings.ring_end[ring] else np.int64(rings.ring_begin[ring]))


@kernel
def walk(runs: Runs, left_out: npt.NDArray[np.uint32], links: Links, n_tops: int, rings: Rings) -> Walked:
    """Write all rings and components.

    Args:
        runs: as `runs.scan` gives them.
        left_out: labels that are not traced (background, void).
        links, n_tops: from `link.link`; successors of nodes that are walked become WALKED | edge.
        rings: out; top_lone, as `lone.find_lone` left it, in, unless tops are as `link.link` gave them.
    """
    packed, _, label, rows = runs
    successor, _, tops, _ = links
    edges, edge_ring, ring_begin, ring_end, ring_part, part_ring = rings[:6]
    first_run, _, lone_before, top_lone, area, xmin, xmax, ymax = rings[6:]
    nodes_address = successor.ctypes.data
    runs_address = packed.ctypes.data
    n_runs = np.uint64(rows[rows.size - 1])
    fetched = np.uint64(0)
    n_edges = np.uint64(0)
    n_rings = np.uint64(0)
    n_components = np.uint64(0)
    for i in range(np.uint64(n_tops)):
        r = np.uint64(tops[i])
        ahead = min(r + _AHEAD, n_runs)
        while fetched < ahead:
            prefetch(nodes_address + np.int64(fetched << np.uint64(3)))
            prefetch(runs_address + np.int64(fetched << np.uint64(3)))
            fetched += _LINE
        first = np.uint64(successor[TWO * r + ONE])
        if first & WALKED:  # an earlier top of this ring
            continue
        second = np.uint64(successor[first])
        if second & WALKED:
            continue
        value = label[r]
        skip = False
        for k in range(left_out.size):
            skip |= value == left_out[k]
        if skip:
            continue
        is_outline = first == TWO * r
        component = n_components if is_outline else np.uint64(component_of(links, rings, chain(links, r)))
        ring_begin[n_rings] = n_edges
        if is_outline & (np.uint64(successor[second]) == first):  # a rectangle: noise 22 ms, not 27
            corner = packed[r]
            opposite = packed[(second + ONE) >> ONE] + (ONE << HALF)
            edges[n_edges] = corner
            edges[n_edges + ONE] = opposite
            edge_ring[n_edges] = edge_ring[n_edges + ONE] = n_rings
            successor[first] = WALKED | n_edges
            successor[second] = WALKED | (n_edges + ONE)
            n_edges += TWO
            low_x = np.int64(corner & LOW)
            high_x = np.int64(opposite & LOW)
            high_y = np.int64(opposite >> HALF)
            pixels = (high_x - low_x) * (high_y - np.int64(corner >> HALF))
        else:
            start_y = np.int64(packed[(first + ONE) >> ONE] >> HALF) + np.int64(first & ONE)
            node = first
            low_x = high_x = np.int64(packed[r] & LOW)
            high_y = np.int64(0)
            last_x = np.int64(0)
            last_y = start_y
            signed_area = np.int64(0)  # integral of x dy, the region on the left hand: minus its pixels
            while True:  # box and area in a loop of their own, over the edges: argmax 0.82 ms, not 0.76
                corner = packed[(node + ONE) >> ONE] + ((node & ONE) << HALF)
                following = np.uint64(successor[node])
                # The node behind the next two, if the border goes on as it comes (a street's walk takes 45 us, not 49).
                ahead_of_it = TWO * (following - node) + following
                prefetch_near(nodes_address + np.int64(ahead_of_it << TWO))
                successor[node] = WALKED | n_edges
                edges[n_edges] = corner
                edge_ring[n_edges] = n_rings
                n_edges += ONE
                x = np.int64(corner & LOW)
                y = np.int64(corner >> HALF)
                signed_area += last_x * (y - last_y)
                last_x = x
                last_y = y
                low_x = min(low_x, x)
                high_x = max(high_x, x)
                high_y = max(high_y, y)
                node = following
                if node == first:
                    break
            pixels = -(signed_area + last_x * (start_y - last_y))
        ring_end[n_rings] = n_edges
        ring_part[n_rings] = component
        if is_outline:
            part_ring[component] = n_rings
            first_run[component] = r
            lone_before[component] = top_lone[i]
            area[component] = pixels
            xmin[component] = low_x
            xmax[component] = high_x
            ymax[component] = high_y
            n_components += ONE
        else:
            area[component] += pixels
        n_rings += ONE
    return Walked(int(np.int64(n_rings)), int(np.int64(n_components)), int(np.int64(n_edges)))


@kernel
def mark_swallowed(runs: Runs, links: Links, rings: Rings, n_components: int, keep: npt.NDArray[np.bool_]) -> None:
    """Clear keep for components that lie in a hole of a component of the same label.

    They are what `cv2.findContours(RETR_EXTERNAL)` passes over and what a filled outline covers. The ring at the
    right end of the nearest run of the label to the left tells: if it is a hole, the component lies in it; if
    it is an outline, the component lies beside that one and shares its fate.

    Args:
        keep: (n_components,) in and out; the others as `walk` left them.
    """
    _, xy, label, _ = runs
    for component in range(n_components):
        r = rings.first_run[component]
        y = xy[r, 1]
        left = r - 1
        while left >= 0 and xy[left, 1] == y and label[left] != label[r]:
            left -= 1
        if left < 0 or xy[left, 1] != y:
            continue
        ring = rings.edge_ring[edge_behind(links, rings, 2 * left + 1)]
        around = rings.ring_part[ring]
        if ring != rings.part_ring[around] or not keep[around]:
            keep[component] = False
