"""Boundaries -> rings: follow the successors from every local top, in raster order.

A run whose right edge is followed by a left edge is a top of a ring. Where that left edge is its own, and
nobody came by yet, the run is the first of a new component and the ring its outline. Where it is another
run's, the ring is a hole, and its component is the one whose ring has the first run's left edge.

A ring is its vertical edges: edge i goes from corner (x[i], y[i]) to (x[i], y[i + 1]), the level on which the next
edge starts. So a ring of m edges has 2 m vertices, (x[0], y[0]), (x[0], y[1]), (x[1], y[1]), (x[1], y[2]) …; an
outline starts at its first pixel's top-left corner, a hole at its own first pixel's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine.link import TWO, Links
from predarrow_engine.runs import ONE, ZERO, Runs


class Rings(NamedTuple):
    """Rings and components of n_runs runs, with room for the rings that `parts.cut` adds."""

    place: npt.NDArray[np.uint32]
    """(2 * n_runs,) edge number + 1 of each node that was walked, 0 elsewhere"""
    edges: npt.NDArray[np.int32]
    """(4 * n_runs, 2) x and y where each vertical edge starts, ring by ring"""
    edge_ring: npt.NDArray[np.int32]
    """(2 * n_runs,) ring of each edge that was walked"""
    ring_edges: npt.NDArray[np.int32]
    """(3 * n_runs, 2) first edge of each ring and the one after its last"""
    ring_part: npt.NDArray[np.int32]
    """(3 * n_runs,) part of each ring, -1 for none; until rings are cut, each component is a part"""
    origin: npt.NDArray[np.int32]
    """(n_runs, 2) first run of each component, and its outline's number"""
    area: npt.NDArray[np.int64]
    """(n_runs,) pixels of each component"""
    box: npt.NDArray[np.int32]
    """(n_runs, 4) xmin, ymin, xmax, ymax of each component"""


class Walked(NamedTuple):
    """How much was walked."""

    n_rings: int
    n_components: int
    n_edges: int


@inline
def component_of(rings: Rings, node: int) -> int:
    """Give the component of a node that was walked, -1 where it was not."""
    place = np.int64(rings.place[node])
    return int(np.int64(rings.ring_part[rings.edge_ring[place - 1]])) if place > 0 else -1


@kernel
def walk(runs: Runs, left_out: npt.NDArray[np.uint32], links: Links, n_tops: int, rings: Rings) -> Walked:
    """Write all rings and components.

    Args:
        runs: as `runs.scan` gives them.
        left_out: labels that are not traced (background, void).
        links, n_tops: from `link.link`.
        rings: out.
    """
    _, xy, label, rows = runs
    successor, head, tops, _ = links
    place, edges, edge_ring, ring_edges, ring_part, origin, area, box = rings
    n_edges = ZERO
    n_rings = ZERO
    n_components = 0
    place[: 2 * rows[rows.size - 1]] = 0
    for i in range(np.uint64(n_tops)):
        r = np.uint64(tops[i])
        first = np.uint64(successor[TWO * r + ONE])
        if place[first] != 0:  # an earlier top of this ring
            continue
        value = label[r]
        skip = False
        for k in range(left_out.size):
            skip |= value == left_out[k]
        if skip:
            continue
        is_outline = first == TWO * r
        component = n_components if is_outline else component_of(rings, head[r])
        begin = n_edges
        node = first
        xmin = xmax = xy[r, 0]
        ymin = ymax = xy[r, 1]
        last_x = np.int64(0)
        last_y = np.int64(ymin)
        signed_area = np.int64(0)  # integral of x dy, the region on the left hand: minus its pixels
        while True:
            run = (node + ONE) >> ONE
            x = xy[run, 0]
            y = xy[run, 1] + np.int32(node & ONE)
            edges[n_edges, 0] = x
            edges[n_edges, 1] = y
            edge_ring[n_edges] = n_rings
            n_edges += ONE
            place[node] = n_edges
            node = np.uint64(successor[node])
            signed_area += last_x * (y - last_y)
            last_x = np.int64(x)
            last_y = np.int64(y)
            xmin = min(xmin, x)
            xmax = max(xmax, x)
            ymax = max(ymax, y)
            if node == first:
                break
        pixels = -(signed_area + last_x * (edges[begin, 1] - last_y))
        ring_edges[n_rings, 0] = begin
        ring_edges[n_rings, 1] = n_edges
        ring_part[n_rings] = component
        if is_outline:
            at = np.uint64(component)
            origin[at, 0] = r
            origin[at, 1] = n_rings
            area[at] = pixels
            box[at, 0] = xmin
            box[at, 1] = ymin
            box[at, 2] = xmax
            box[at, 3] = ymax
            n_components += 1
        else:
            area[component] += pixels
        n_rings += ONE
    return Walked(int(np.int64(n_rings)), n_components, int(np.int64(n_edges)))


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
        r = rings.origin[component, 0]
        y = xy[r, 1]
        left = r - 1
        while left >= 0 and xy[left, 1] == y and label[left] != label[r]:
            left -= 1
        if left < 0 or xy[left, 1] != y:
            continue
        node = links.successor[2 * left + 1]
        ring = rings.edge_ring[np.int64(rings.place[node]) - 1]
        around = rings.ring_part[ring]
        if ring != rings.origin[around, 1] or not keep[around]:
            keep[component] = False
