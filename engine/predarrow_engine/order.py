"""Rings and parts -> the order of Arrow's flat columns: group by group, outline first.

Rings come in the raster order of their first pixel; columns want them by component. So the parts of each group of
joined components are counted, and then each goes to its place; a part's holes hang in a list on its outline. Where
nothing is joined or cut, there is nothing to count; where nothing has a hole, there is no list.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import kernel
from predarrow_engine.runs import ONE, ZERO
from predarrow_engine.walk import Rings

_NONE = np.int64(-1)


class Order(NamedTuple):
    """Workspace for n_runs runs: what follows what."""

    parent: npt.NDArray[np.int32]
    """(3 * n_runs,) from `parts.join` and `parts.cut`: an earlier part of each part's group, or itself"""
    places: npt.NDArray[np.int32]
    """(3 * n_runs,) number of parts in the group of each first component, then where its next one goes, or -1"""
    outlines: npt.NDArray[np.int32]
    """(3 * n_runs,) parts that are not the first of their group, then outlines of parts that are kept, by group"""
    next_ring: npt.NDArray[np.int32]
    """(3 * n_runs,) the next ring of the same part, -1 after the last"""
    group_first: npt.NDArray[np.int32]
    """(n_runs,) first component of each group that is kept"""


@kernel
def gather_groups(rings: Rings, n_components: int, n_parts: int, order: Order) -> None:
    """Count the parts of each group at its first component, which gets the group's area and box.

    Args:
        rings: area and box in and out.
        n_components: parts from there on are from `parts.cut`.
        order: parent in; parent, then the group's first component, and places out.
    """
    parent, places, listed = order.parent, order.places, order.outlines
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
def order_parts(
    rings: Rings,
    n_components: int,
    n_parts: int,
    n_lone: int,
    joined: bool,
    keep: npt.NDArray[np.bool_],
    min_area: int,
    order: Order,
) -> int:
    """Put the outlines of all parts that are kept in order, and give the number of their groups.

    Without a branch that depends on what is joined: a list of each group's parts takes 17 ms for noise, not 13.

    Args:
        rings: as `gather_groups` left them.
        n_parts: of all components; as many as these where nothing is joined.
        n_lone: of the runs in `rings.lone`.
        joined: whether `gather_groups` counted parts.
        keep: (number of groups,) at least, which to keep; all where it is empty.
        min_area: groups of fewer pixels are left out.
        order: parent and places in; group_first, closed by n_components, and outlines out, and in places where each
            group's outlines end.
    """
    parent, places, outlines, group_first = order.parent, order.places, order.outlines, order.group_first
    area, part_ring = rings.area, rings.part_ring
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
    group_first[n_groups] = n_components  # what comes before the end
    rings.lone_before[n_components] = n_lone
    for part in range(np.uint64(n_parts)):
        root = np.uint64(parent[part]) if joined else part
        place = np.int64(places[root])
        if place >= 0:
            outlines[np.uint64(place)] = part_ring[part]
            places[root] = place + 1
    return int(np.int64(n_groups))
