"""Rings -> Arrow's flat columns: vertices and three levels of offsets, component by component.

Rings come in the raster order of their first pixel; columns want them by component, outline first. Two counting
sorts (parts by component, rings by part) give the order, one pass copies the vertices.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel


@inline
def _stable_order(
    keys: npt.NDArray[np.int32], n: int, start: npt.NDArray[np.int32], order: npt.NDArray[np.int32]
) -> None:
    """Counting sort: order[start[k]:start[k + 1]] are the i < n with keys[i] == k >= 0, ascending.

    start has an entry more than there are keys and comes in as zeros.
    """
    n_keys = start.size - 1
    for i in range(n):
        if keys[i] >= 0:
            start[keys[i] + 1] += 1
    for k in range(n_keys):
        start[k + 1] += start[k]
    for i in range(n):
        if keys[i] >= 0:
            order[start[keys[i]]] = i
            start[keys[i]] += 1
    for k in range(n_keys, 0, -1):
        start[k] = start[k - 1]
    start[0] = 0


@kernel
def number_groups(
    parent: npt.NDArray[np.int32],
    area: npt.NDArray[np.int64],
    box: npt.NDArray[np.int32],
    keep: npt.NDArray[np.bool_],
    min_area: int,
    group: npt.NDArray[np.int32],
    group_first: npt.NDArray[np.int32],
) -> int:
    """Number the joined components in the order of their first pixels; give how many there are.

    Args:
        parent: (n_components,) from `parts.join`: each component's own number or an earlier one of its group.
        area, box: of each component; a group's sum and cover come back at its first component.
        keep: (number of groups,) at least, which to keep.
        min_area: groups of fewer pixels are left out.
        group: (n_components,) out, number of each component's group, -1 where it is left out.
        group_first: (n_components,) out, first component of each group.
    """
    n_components = parent.size
    for c in range(n_components):
        root = parent[c]
        while parent[root] != root:
            root = parent[root]
        parent[c] = root
        if root != c:
            area[root] += area[c]
            box[root, 0] = min(box[root, 0], box[c, 0])
            box[root, 1] = min(box[root, 1], box[c, 1])
            box[root, 2] = max(box[root, 2], box[c, 2])
            box[root, 3] = max(box[root, 3], box[c, 3])
    n_groups = 0
    n_joined = 0
    for c in range(n_components):
        group[c] = -1
        if parent[c] != c:
            group[c] = group[parent[c]]
            continue
        if keep[n_joined] and area[c] >= min_area:
            group[c] = n_groups
            group_first[n_groups] = c
            n_groups += 1
        n_joined += 1
    return n_groups


@kernel
def order_rings(
    ring_part: npt.NDArray[np.int32],
    n_rings: int,
    part_group: npt.NDArray[np.int32],
    part_start: npt.NDArray[np.int32],
    part_order: npt.NDArray[np.int32],
    part_rank: npt.NDArray[np.int32],
    ring_start: npt.NDArray[np.int32],
    ring_order: npt.NDArray[np.int32],
) -> int:
    """Order parts by group and rings by part; give how many parts are in a group.

    Args:
        ring_part: (n_rings,) part of each ring, -1 for none; comes back as the part's rank.
        part_group: (n_parts,) group of each part, -1 for none.
        part_start: (n_groups + 1,) zeros in; out: first part of each group.
        part_order: (n_parts,) out: parts by group.
        part_rank: (n_parts,) scratch.
        ring_start: (n_parts + 1,) zeros in; out: first ring of each part, by the part's rank.
        ring_order: (n_rings,) out: rings by rank of their part, in order of number within it.
    """
    n_parts = part_group.size
    _stable_order(part_group, n_parts, part_start, part_order)
    n_ordered = int(part_start[part_start.size - 1])
    part_rank[:n_parts] = -1
    for rank in range(n_ordered):
        part_rank[part_order[rank]] = rank
    for ring in range(n_rings):
        if ring_part[ring] >= 0:
            ring_part[ring] = part_rank[ring_part[ring]]
    _stable_order(ring_part, n_rings, ring_start, ring_order)
    return n_ordered


@kernel
def edge_bound(ring_edges: npt.NDArray[np.int32], rings: npt.NDArray[np.int32]) -> int:
    """Give the number of vertices of rings along pixel edges: two an edge."""
    n = 0
    for i in range(rings.size):
        n += ring_edges[rings[i], 1] - ring_edges[rings[i], 0]
    return 2 * n


@kernel
def write_edge_rings(
    edges: npt.NDArray[np.int32],
    ring_edges: npt.NDArray[np.int32],
    ring_order: npt.NDArray[np.int32],
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.float32],
    n_vertices: int,
    ring_offsets: npt.NDArray[np.int32],
) -> int:
    """Append rings along pixel edges in the given order; give the number of vertices.

    Args:
        edges, ring_edges: from `walk.walk` or `parts.cut`.
        ring_order: (n,) rings to write.
        x, y: out, from n_vertices on; room for two vertices an edge.
        ring_offsets: (n,) out, end of each ring.
    """
    for i in range(ring_order.size):
        begin = ring_edges[ring_order[i], 0]
        n_edges = ring_edges[ring_order[i], 1] - begin
        for k in range(n_edges):
            at = n_vertices + 2 * k
            x[at] = edges[begin + k, 0]
            x[at + 1] = edges[begin + k, 0]
            y[at] = edges[begin + k, 1]
            y[at - 1 if k > 0 else n_vertices + 2 * n_edges - 1] = edges[begin + k, 1]
        n_vertices += 2 * n_edges
        ring_offsets[i] = n_vertices
    return n_vertices


@kernel
def write_components(
    packed: npt.NDArray[np.uint64],
    label: npt.NDArray[np.uint32],
    width: int,
    signed: bool,
    origin: npt.NDArray[np.int32],
    area: npt.NDArray[np.int64],
    box: npt.NDArray[np.int32],
    group_first: npt.NDArray[np.int32],
    value_out: npt.NDArray[np.int64],
    area_out: npt.NDArray[np.int64],
    bbox_out: npt.NDArray[np.float64],
    first_out: npt.NDArray[np.int64],
) -> None:
    """Write value, area, box and first pixel of each group, which are those of its first component.

    Args:
        packed, label: runs; width of the image; signed: whether labels are int32 in disguise.
        origin, area, box: of each component; group_first: (n_groups,).
        value_out, area_out, first_out: (n_groups,) out; bbox_out: (4, n_groups) out.
    """
    for g in range(group_first.size):
        c = group_first[g]
        run = origin[c, 0]
        value = np.int64(label[run])
        value_out[g] = np.int64(np.int32(value)) if signed else value
        area_out[g] = area[c]
        for k in range(4):
            bbox_out[k, g] = box[c, k]
        at = packed[run]
        first_out[g] = np.int64(at >> np.uint64(32)) * width + np.int64(at & np.uint64(0xFFFFFFFF))


@kernel
def shift_offsets(starts: npt.NDArray[np.int32], base: int, offsets: npt.NDArray[np.int32]) -> None:
    """Write starts[1:] + base to offsets."""
    for i in range(offsets.size):
        offsets[i] = starts[i + 1] + base
