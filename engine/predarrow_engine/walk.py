"""Boundaries -> rings: follow the successors from every local top, in raster order.

A run whose right edge is followed by a left edge is a top of a ring. Where that left edge is its own, and
nobody came by yet, the run is the first of a new component and the ring its outline. Where it is another
run's, the ring is a hole, and its component is the one whose ring has the first run's left edge.

A ring is its vertical edges: edge i goes from corner (x[i], y[i]) to (x[i], y[i + 1]), the level on which the next
edge starts. So a ring of m edges has 2 m vertices, (x[0], y[0]), (x[0], y[1]), (x[1], y[1]), (x[1], y[2]) …; an
outline starts at its first pixel's top-left corner, a hole at its own first pixel's.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import kernel
from predarrow_engine.link import ONE, TWO


@kernel
def walk(
    xy: npt.NDArray[np.int32],
    label: npt.NDArray[np.uint32],
    n_runs: int,
    tops: npt.NDArray[np.uint32],
    left_out: npt.NDArray[np.uint32],
    successor: npt.NDArray[np.uint32],
    head: npt.NDArray[np.uint32],
    owner: npt.NDArray[np.uint32],
    edges: npt.NDArray[np.int32],
    ring_edges: npt.NDArray[np.int32],
    ring_part: npt.NDArray[np.int32],
    origin: npt.NDArray[np.int32],
    area: npt.NDArray[np.int64],
    box: npt.NDArray[np.int32],
) -> tuple[int, int, int]:
    """Write all rings and components; give the number of rings, components and edges.

    Args:
        xy, label, n_runs: runs, as `runs.scan` gives them.
        tops: runs that a ring can start from, from `link.link`.
        left_out: labels that are not traced (background, void).
        successor, head: from `link.link`.
        owner: (n_runs + 1,) out, ring + 1 at each left edge that is a chain's first, 0 elsewhere.
        edges: (2 * n_runs, 2) out, x and y where each vertical edge starts, ring by ring.
        ring_edges: (n_runs, 2) out, first edge of each ring and the one after its last.
        ring_part: (n_runs,) out, component of each ring.
        origin: (n_runs, 2) out, first run and outline (a ring) of each component.
        area: (n_runs,) out, pixels of each component.
        box: (n_runs, 4) out, xmin, ymin, xmax, ymax of each component.
    """
    n_edges = np.uint64(0)
    n_rings = 0
    n_components = 0
    nobody = np.uint64(n_runs)
    owner[:n_runs] = 0
    for i in range(tops.size):
        r = np.uint64(tops[i])
        first = np.uint64(successor[TWO * r + ONE])
        if owner[first >> ONE] != 0:  # an earlier top of this ring
            continue
        value = label[r]
        skip = False
        for k in range(left_out.size):
            skip |= value == left_out[k]
        if skip:
            continue
        is_outline = first >> ONE == r
        component = n_components if is_outline else ring_part[owner[head[r] >> ONE] - ONE]
        ring_edges[n_rings, 0] = n_edges
        ring_part[n_rings] = component
        n_rings += 1
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
            n_edges += ONE
            signed_area += last_x * (y - last_y)
            last_x = np.int64(x)
            last_y = np.int64(y)
            xmin = min(xmin, x)
            xmax = max(xmax, x)
            ymax = max(ymax, y)
            left = (node & ONE) - ONE  # all ones or none; what a right edge owns goes where nobody reads it
            owner[(node >> ONE & left) | (nobody & ~left)] = n_rings
            node = np.uint64(successor[node])
            if node == first:
                break
        ring_edges[n_rings - 1, 1] = n_edges
        pixels = -(signed_area + last_x * (edges[ring_edges[n_rings - 1, 0], 1] - last_y))
        if is_outline:
            origin[component, 0] = r
            origin[component, 1] = n_rings - 1
            area[component] = pixels
            box[component, 0] = xmin
            box[component, 1] = ymin
            box[component, 2] = xmax
            box[component, 3] = ymax
            n_components += 1
        else:
            area[component] += pixels
    return n_rings, n_components, int(n_edges)


@kernel
def mark_swallowed(
    xy: npt.NDArray[np.int32],
    label: npt.NDArray[np.uint32],
    successor: npt.NDArray[np.uint32],
    owner: npt.NDArray[np.uint32],
    ring_part: npt.NDArray[np.int32],
    origin: npt.NDArray[np.int32],
    n_components: int,
    keep: npt.NDArray[np.bool_],
) -> None:
    """Clear keep for components that lie in a hole of a component of the same label.

    They are what `cv2.findContours(RETR_EXTERNAL)` passes over and what a filled outline covers. The ring at the
    right end of the nearest run of the label to the left tells: if it is a hole, the component lies in it; if
    it is an outline, the component lies beside that one and shares its fate.

    Args:
        keep: (n_components,) in and out; the others as `walk` left them.
    """
    for component in range(n_components):
        r = origin[component, 0]
        y = xy[r, 1]
        left = r - 1
        while left >= 0 and xy[left, 1] == y and label[left] != label[r]:
            left -= 1
        if left < 0 or xy[left, 1] != y:
            continue
        node = np.int64(successor[2 * left + 1])
        while node & 1:
            node = np.int64(successor[node])
        ring = np.int64(owner[node >> 1]) - 1
        around = ring_part[ring]
        if ring != origin[around, 1] or not keep[around]:
            keep[component] = False
