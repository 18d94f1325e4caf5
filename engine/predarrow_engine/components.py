"""Runs -> components in the order and the form that the options ask for: link, walk, cut, join, number."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine.center import center_bound, mark_encord_active, write_center_rings
from predarrow_engine.columns import (
    Order,
    edge_bound,
    number_groups,
    order_rings,
    write_components,
    write_edge_rings,
)
from predarrow_engine.link import Links, link
from predarrow_engine.outlines import Columns, Sizes
from predarrow_engine.parts import cut, join, number_runs
from predarrow_engine.runs import Runs
from predarrow_engine.walk import Rings, Walked, mark_swallowed, walk


class Options(NamedTuple):
    """What `trace.Tracer` explains, as numbers."""

    center: bool
    eight: bool
    fill: bool
    every: bool
    encord_active: bool
    min_area: int


@inline
def _judge(
    runs: Runs, links: Links, rings: Rings, n_rings: int, n_components: int, options: Options
) -> npt.NDArray[np.bool_]:
    """Give which components are kept: those in a hole are not, nor is what Encord Active leaves out, if asked."""
    keep = np.empty(n_components, np.bool_)
    keep[:] = True
    mark_swallowed(runs, links, rings, n_components, keep)
    if options.encord_active:
        mark_encord_active(rings, n_components, center_bound(rings, n_rings, False), keep)
    return keep


@kernel
def judge_whole(
    runs: Runs, links: Links, rings: Rings, left_out: npt.NDArray[np.uint32], options: Options
) -> npt.NDArray[np.bool_]:
    """Give which 8-connected components the options keep, areas aside, whatever outlines are to be made of them."""
    n_tops, _ = link(runs, True, links)
    n_rings, n_components, _ = walk(runs, left_out, links, n_tops, rings)
    return _judge(runs, links, rings, n_rings, n_components, options)


@kernel
def number_four_connected(
    runs: Runs, links: Links, rings: Rings, left_out: npt.NDArray[np.uint32]
) -> npt.NDArray[np.uint32]:
    """Give (n_runs + 1,) labels that tell each 4-connected component from all others; 0 where it is left out."""
    n_tops, _ = link(runs, False, links)
    walk(runs, left_out, links, n_tops, rings)
    number = np.zeros(runs.rows[runs.rows.size - 1] + 1, np.uint32)
    number_runs(runs, links, rings, number)
    return number


@inline
def _parts(
    runs: Runs, links: Links, rings: Rings, walked: Walked, n_contacts: int, options: Options, order: Order
) -> tuple[int, int]:
    """Cut what touches itself and join what touches; give the number of rings and parts."""
    for component in range(np.uint64(walked.n_components)):
        order.parent[component] = component
        order.part_group[component] = component
    if n_contacts == 0 or options.center:
        return walked.n_rings, walked.n_components
    visits = np.empty(2 * n_contacts, np.uint64)
    n_corners = join(runs, links, rings, n_contacts, options.eight, order.parent, visits)
    if n_corners == 0:
        return walked.n_rings, walked.n_components
    return cut(rings, walked, np.sort(visits[: 2 * n_corners]), options.fill, order.part_group)


@kernel
def trace_runs(
    runs: Runs,
    linked: Runs,
    links: Links,
    rings: Rings,
    order: Order,
    left_out: npt.NDArray[np.uint32],
    keep: npt.NDArray[np.bool_],
    options: Options,
    width: int,
    signed: bool,
    columns: Columns,
    sizes: Sizes,
) -> tuple[bool, Sizes]:
    """Append the components of an image's runs to columns, in one call that is free of the GIL.

    Args:
        runs: from `runs.scan`.
        linked: the same with the labels that are to be told apart: their own, or `number_four_connected`.
        links, rings, order: workspace.
        left_out: labels of `linked` that are not traced.
        keep: from `judge_whole`, or empty where that is to be found here.
        options: see `trace.Tracer`.
        width: of the image; signed: whether labels are int32 in disguise.
        columns: out; sizes: how much of them is used.

    Returns:
        Whether there was room, and how much is used then; without room nothing is written, and it is how much
        room there must be.
    """
    # An edge outline whose holes are kept is 4-connected parts: these stay valid where corners touch.
    n_tops, n_contacts = link(linked, options.center or (options.eight and options.fill), links)
    walked = walk(linked, left_out, links, n_tops, rings)
    if keep.size == 0 and (options.fill or options.encord_active):
        keep = _judge(runs, links, rings, walked.n_rings, walked.n_components, options)
    n_rings, n_parts = _parts(runs, links, rings, walked, n_contacts, options, order)
    if options.fill:
        for ring in range(walked.n_rings):
            part = rings.ring_part[ring]
            if part >= 0 and rings.origin[part, 1] != ring:
                rings.ring_part[ring] = -1
    n_groups = number_groups(rings, walked.n_components, keep, options.min_area, order)
    n_parts, n_rings = order_rings(rings, n_rings, n_parts, n_groups, order)
    if options.center:
        bound = center_bound(rings, walked.n_rings, options.every)
    else:
        bound = edge_bound(rings, order, n_rings)
    vertices = sizes.vertices + bound
    after = Sizes(vertices, sizes.rings + n_rings, sizes.parts + n_parts, sizes.components + n_groups)
    if (
        after.vertices > columns.x.size
        or after.rings >= columns.ring_offsets.size
        or after.parts >= columns.part_offsets.size
        or after.components >= columns.component_offsets.size
        or after.components > columns.value.size
    ):
        return False, after
    if options.center:
        vertices = write_center_rings(rings, order, n_parts, options.every, columns, sizes)
    else:
        vertices = write_edge_rings(rings, order, n_rings, columns, sizes)
    write_components(runs, rings, order, Sizes(bound, n_rings, n_parts, n_groups), width, signed, columns, sizes)
    return True, Sizes(vertices, after.rings, after.parts, after.components)
