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

from predarrow_engine._jit import inline, kernel

_HASH = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: Fibonacci hashing


@kernel
def number_runs(
    head: npt.NDArray[np.uint32],
    owner: npt.NDArray[np.uint32],
    ring_part: npt.NDArray[np.int32],
    rows: npt.NDArray[np.int64],
    number: npt.NDArray[np.uint32],
) -> None:
    """Write component + 1 of each run, 0 where its label is left out.

    Args:
        head: from `link.link`; owner, ring_part: from `walk.walk`; rows: from `runs.scan`.
        number: (n_runs,) out.
    """
    for y in range(rows.size - 1):
        sentinel = rows[y + 1] - 1
        for r in range(rows[y], sentinel):
            ring = np.int64(owner[head[r] >> 1])
            number[r] = ring_part[ring - 1] + 1 if ring > 0 else 0
        number[sentinel] = 0


@kernel
def join(
    xy: npt.NDArray[np.int32],
    contacts: npt.NDArray[np.uint32],
    n_contacts: int,
    head: npt.NDArray[np.uint32],
    owner: npt.NDArray[np.uint32],
    ring_part: npt.NDArray[np.int32],
    eight: bool,
    parent: npt.NDArray[np.int32],
    pinched: npt.NDArray[np.bool_],
    corners: npt.NDArray[np.uint64],
) -> int:
    """Join components at their contacts and give the number of corners where one touches itself.

    Args:
        xy: runs; contacts, head from `link.link`; owner, ring_part from `walk.walk`.
        eight: whether contacts join components.
        parent: (n_components,) in (each its own) and out: a component of the same group, never a later one.
        pinched: (n_components,) in (False) and out: whether the component touches itself.
        corners: (n_contacts,) out, y << 32 | x of each corner where a component touches itself.
    """
    n_corners = 0
    for i in range(n_contacts):
        upper = np.int64(contacts[i, 0])
        lower = np.int64(contacts[i, 1])
        ring = np.int64(owner[head[upper] >> 1])
        if ring == 0:  # a label that is left out
            continue
        a = ring_part[ring - 1]
        b = ring_part[np.int64(owner[head[lower] >> 1]) - 1]
        if a == b:
            x = xy[lower, 0] if xy[lower, 0] == xy[upper + 1, 0] else xy[upper, 0]
            corners[n_corners] = np.uint64(xy[lower, 1]) << np.uint64(32) | np.uint64(x)
            n_corners += 1
            pinched[a] = True
        if a == b or not eight:
            continue
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        parent[max(a, b)] = min(a, b)
    return n_corners


@inline
def _slot(table: npt.NDArray[np.uint64], key: np.uint64) -> int:
    """Give the place of key in an open-addressing table whose size is a power of two, or of its free place."""
    mask = table.size - 1
    at = int((key * _HASH) >> np.uint64(32)) & mask
    while table[at] != key and table[at] != np.uint64(0):
        at = (at + 1) & mask
    return at


@inline
def _copy_loop(
    stack: npt.NDArray[np.int32],
    low: int,
    depth: int,
    edges: npt.NDArray[np.int32],
    n_edges: int,
) -> tuple[int, int]:
    """Append the edges stack[low:depth] as a ring; give the number of edges and the ring's area (holes < 0)."""
    first_y = edges[stack[low], 1]
    area = 0
    for i in range(low, depth):
        x = edges[stack[i], 0]
        y = edges[stack[i], 1]
        next_y = edges[stack[i + 1], 1] if i + 1 < depth else first_y
        area -= int(x) * int(next_y - y)
        edges[n_edges, 0] = x
        edges[n_edges, 1] = y
        n_edges += 1
    return n_edges, area


@kernel
def cut(
    corners: npt.NDArray[np.uint64],
    pinched: npt.NDArray[np.bool_],
    fill: bool,
    origin: npt.NDArray[np.int32],
    edges: npt.NDArray[np.int32],
    n_edges: int,
    ring_edges: npt.NDArray[np.int32],
    ring_part: npt.NDArray[np.int32],
    n_rings: int,
    part_component: npt.NDArray[np.int32],
    n_parts: int,
    row_has_corner: npt.NDArray[np.bool_],
    table: npt.NDArray[np.uint64],
    seen: npt.NDArray[np.int64],
    stack: npt.NDArray[np.int32],
) -> tuple[int, int]:
    """Cut the rings of pinched components at the corners they visit twice; give the number of rings and parts.

    The first loop that has the ring's sense replaces the ring. More loops are added behind: an outline as a new
    part of the component, a hole to the ring's part.

    Args:
        corners, pinched: from `join`. A corner is never 0: nothing touches at the image's own corner.
        origin, edges, ring_edges, ring_part: from `walk.walk`, with room for n_edges edges and corners.size
            rings more.
        fill: whether holes are left out: theirs are passed over, and those cut from an outline get part -1.
        part_component: (n_parts + corners.size,) in and out; the first n_parts are the components themselves.
        row_has_corner: (height + 1,) False, scratch: few rows have one, which spares most look-ups.
        table: (power of two > corners.size,) zeros, scratch.
        seen: (table.size, 2) -1, scratch: the ring that came by a corner, and the stack's depth then.
        stack: (n_edges,) scratch.
    """
    for i in range(corners.size):
        table[_slot(table, corners[i])] = corners[i]
        row_has_corner[corners[i] >> np.uint64(32)] = True
    for ring in range(n_rings):
        part = ring_part[ring]
        is_outline = ring == origin[part, 1]
        if not pinched[part] or (fill and not is_outline):
            continue
        begin = ring_edges[ring, 0]
        end = ring_edges[ring, 1]
        placed = False
        depth = 0
        for visit in range(2 * begin, 2 * end + 1):  # both ends of each edge, then what is left
            edge = visit >> 1
            low = 0
            if visit < 2 * end:
                following = edge + (visit & 1)
                y = edges[following if following < end else begin, 1]
                if visit & 1:
                    stack[depth] = edge
                    depth += 1
                if not row_has_corner[y]:
                    continue
                at = _slot(table, np.uint64(y) << np.uint64(32) | np.uint64(edges[edge, 0]))
                if table[at] == np.uint64(0):
                    continue
                if seen[at, 0] != ring:
                    seen[at, 0] = ring
                    seen[at, 1] = depth
                    continue
                low = seen[at, 1]
            start = n_edges
            n_edges, area = _copy_loop(stack, low, depth, edges, n_edges)
            depth = low
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
                    part_component[n_parts] = part_component[part]
                    n_parts += 1
            ring_edges[target, 0] = start
            ring_edges[target, 1] = n_edges
    return n_rings, n_parts
