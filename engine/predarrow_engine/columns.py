"""Rings -> Arrow's flat columns: vertices and three levels of offsets, component by component.

Rings come in the raster order of their first pixel; columns want them by component, outline first. Two counting
sorts (parts by component, rings by part) give the order, one pass copies the vertices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine.link import TWO
from predarrow_engine.outlines import Columns, Sizes
from predarrow_engine.runs import ONE, Runs
from predarrow_engine.walk import Rings


class Order(NamedTuple):
    """Workspace for n_runs runs: which component goes where."""

    parent: npt.NDArray[np.int32]
    """(n_runs,) from `parts.join`: each component's own number or an earlier one of its group"""
    group: npt.NDArray[np.int32]
    """(n_runs,) number of each component's group, -1 where it is left out"""
    group_first: npt.NDArray[np.int32]
    """(n_runs,) first component of each group"""
    part_group: npt.NDArray[np.int32]
    """(3 * n_runs,) component of each part, then its group"""
    part_start: npt.NDArray[np.int32]
    """(n_runs + 1,) first part of each group"""
    part_order: npt.NDArray[np.int32]
    """(3 * n_runs,) parts by group"""
    part_place: npt.NDArray[np.int32]
    """(3 * n_runs,) where each part stands in part_order, -1 where it does not"""
    ring_start: npt.NDArray[np.int32]
    """(3 * n_runs + 1,) first ring of each part"""
    ring_order: npt.NDArray[np.int32]
    """(3 * n_runs,) rings by part, the outline first"""


@inline
def _stable_order(
    keys: npt.NDArray[np.int32], n: int, start: npt.NDArray[np.int32], n_keys: int, order: npt.NDArray[np.int32]
) -> None:
    """Counting sort: order[start[k]:start[k + 1]] are the i < n with keys[i] == k >= 0, ascending."""
    start[: n_keys + 1] = 0
    for i in range(np.uint64(n)):
        key = keys[i]
        if key >= 0:
            start[np.uint64(key) + ONE] += 1
    total = np.int32(0)
    for k in range(ONE, np.uint64(n_keys + 1)):  # start[k] becomes where key k - 1 begins, and grows to its end
        count = start[k]
        start[k] = total
        total += count
    for i in range(np.uint64(n)):
        key = keys[i]
        if key >= 0:
            at = np.uint64(key) + ONE
            order[np.uint64(start[at])] = i
            start[at] += 1


@kernel
def number_groups(rings: Rings, n_components: int, keep: npt.NDArray[np.bool_], min_area: int, order: Order) -> int:
    """Number the joined components in the order of their first pixels; give how many there are.

    Args:
        rings: a group's area and box come back at its first component.
        keep: (number of groups,) at least, which to keep; all where it is empty.
        min_area: groups of fewer pixels are left out.
        order: parent in; group, group_first out.
    """
    parent, group, group_first = order.parent, order.group, order.group_first
    area, box = rings.area, rings.box
    for c in range(np.uint64(n_components)):
        root = np.uint64(parent[np.uint64(parent[c])])  # an earlier component's is final
        if root != c:
            parent[c] = root
            area[root] += area[c]
            box[root, 0] = min(box[root, 0], box[c, 0])
            box[root, 1] = min(box[root, 1], box[c, 1])
            box[root, 2] = max(box[root, 2], box[c, 2])
            box[root, 3] = max(box[root, 3], box[c, 3])
    n_groups = np.uint64(0)
    n_joined = np.uint64(0)
    for c in range(np.uint64(n_components)):
        root = np.uint64(parent[c])
        if root != c:
            group[c] = group[root]
        else:
            kept = area[c] >= min_area and (keep.size == 0 or keep[n_joined])
            group[c] = n_groups if kept else np.int32(-1)
            group_first[n_groups] = c
            n_groups += np.uint64(kept)
            n_joined += ONE
    return int(np.int64(n_groups))


@kernel
def order_rings(rings: Rings, n_rings: int, n_parts: int, n_groups: int, order: Order) -> tuple[int, int]:
    """Order parts by group and rings by part; give how many parts and rings are in the order.

    Args:
        rings: `ring_part` in; it comes back as the part's place.
        order: group and part_group (components) in; part_start, part_order, ring_start, ring_order out.
    """
    group, part_group, part_place = order.group, order.part_group, order.part_place
    ring_part, ring_start, ring_order = rings.ring_part, order.ring_start, order.ring_order
    for part in range(np.uint64(n_parts)):
        part_group[part] = group[np.uint64(part_group[part])]
    _stable_order(part_group, n_parts, order.part_start, n_groups, order.part_order)
    n_ordered = int(np.int64(order.part_start[n_groups]))
    if n_rings == n_parts:  # a ring each, in the same order: no holes, as in noise, where this is half the time
        for i in range(np.uint64(n_ordered)):
            ring_start[i] = i
            ring_order[i] = order.part_order[i]
        ring_start[n_ordered] = n_ordered
        return n_ordered, n_ordered
    part_place[:n_parts] = -1
    for i in range(np.uint64(n_ordered)):
        part_place[np.uint64(order.part_order[i])] = i
    for ring in range(np.uint64(n_rings)):
        if ring_part[ring] >= 0:
            ring_part[ring] = part_place[np.uint64(ring_part[ring])]
    _stable_order(ring_part, n_rings, ring_start, n_ordered, ring_order)
    return n_ordered, int(np.int64(ring_start[n_ordered]))


@kernel
def edge_bound(rings: Rings, order: Order, n_rings: int) -> int:
    """Give the number of vertices of the first n_rings rings in order along pixel edges: two an edge."""
    n = 0
    for i in range(np.uint64(n_rings)):
        ring = np.uint64(order.ring_order[i])
        n += int(rings.ring_edges[ring, 1] - rings.ring_edges[ring, 0])
    return 2 * n


@inline
def write_edge_rings(rings: Rings, order: Order, n_rings: int, columns: Columns, sizes: Sizes) -> int:
    """Append rings along pixel edges in order; give the number of vertices then.

    Args:
        rings: from `walk.walk` or `parts.cut`; order: from `order_rings`, with n_rings in it.
        columns: x, y and ring_offsets out, with room; sizes: how much of them is used.
    """
    edges, ring_edges, ring_order = rings.edges, rings.ring_edges, order.ring_order
    x, y, ring_offsets = columns.x, columns.y, columns.ring_offsets
    n = np.uint64(sizes.vertices)
    offset_at = np.uint64(sizes.rings) + ONE
    for i in range(np.uint64(n_rings)):
        ring = np.uint64(ring_order[i])
        begin = np.uint64(ring_edges[ring, 0])
        last = np.uint64(ring_edges[ring, 1]) - ONE
        y[n] = edges[begin, 1]
        for k in range(begin, last):
            x[n] = edges[k, 0]
            x[n + ONE] = edges[k, 0]
            y[n + ONE] = edges[k + ONE, 1]
            y[n + TWO] = edges[k + ONE, 1]
            n += TWO
        x[n] = edges[last, 0]
        x[n + ONE] = edges[last, 0]
        y[n + ONE] = edges[begin, 1]
        n += TWO
        ring_offsets[offset_at + i] = n
    return int(np.int64(n))


@inline
def write_components(
    runs: Runs, rings: Rings, order: Order, added: Sizes, width: int, signed: bool, columns: Columns, sizes: Sizes
) -> None:
    """Append each group's parts, value, area, box and first pixel; the last four are its first component's.

    Args:
        runs, rings, order: of one image of this width; signed: whether labels are int32 in disguise.
        added: how much is in the order.
        columns: out, with room; sizes: how much of them is used.
    """
    for i in range(np.uint64(added.parts)):
        columns.part_offsets[np.uint64(sizes.parts) + i + ONE] = order.ring_start[i + ONE] + sizes.rings
    for g in range(np.uint64(added.components)):
        at = np.uint64(sizes.components) + g
        columns.component_offsets[at + ONE] = order.part_start[g + ONE] + sizes.parts
        c = np.uint64(order.group_first[g])
        run = np.uint64(rings.origin[c, 0])
        value = np.int64(runs.label[run])
        columns.value[at] = np.int64(np.int32(value)) if signed else value
        columns.area[at] = rings.area[c]
        for k in range(4):
            columns.bbox[k, at] = rings.box[c, k]
        columns.first[at] = np.int64(runs.xy[run, 1]) * width + runs.xy[run, 0]
