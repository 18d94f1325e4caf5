"""Runs -> components in the order and the form that the options ask for: link, walk, cut, join, number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine.center import center_bound, mark_encord_active, write_center_columns
from predarrow_engine.columns import write_edge_columns
from predarrow_engine.link import Links, link
from predarrow_engine.lone import find_lone
from predarrow_engine.order import Order, gather_groups, gather_holes, order_parts
from predarrow_engine.outlines import Columns, Options, Sizes
from predarrow_engine.parts import cut, join, number_runs
from predarrow_engine.runs import Runs
from predarrow_engine.walk import Rings, Walked, mark_swallowed, walk
from predarrow_engine.workspace import cut_up


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
    memory: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64], left_out: npt.NDArray[np.uint32], options: Options
) -> npt.NDArray[np.bool_]:
    """Give which 8-connected components the options keep, areas aside, whatever outlines are to be made of them."""
    runs, links, rings, _ = cut_up(memory, rows)
    n_tops, _ = link(runs, True, links)
    n_rings, n_components, _ = walk(runs, left_out, links, n_tops, rings)
    return _judge(runs, links, rings, n_rings, n_components, options)


@kernel
def number_four_connected(
    memory: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64], left_out: npt.NDArray[np.uint32]
) -> npt.NDArray[np.uint32]:
    """Give (n_runs + 1,) labels that tell each 4-connected component from all others; 0 where it is left out."""
    runs, links, rings, _ = cut_up(memory, rows)
    n_tops, _ = link(runs, False, links)
    walk(runs, left_out, links, n_tops, rings)
    number = np.zeros(runs.rows[runs.rows.size - 1] + 1, np.uint32)
    number_runs(runs, links, rings, number)
    return number


@inline
def _parts(
    runs: Runs, links: Links, rings: Rings, walked: Walked, n_contacts: int, options: Options, order: Order
) -> tuple[int, int, bool]:
    """Cut what touches itself and join what touches; give the number of rings and parts, and whether that was."""
    if n_contacts == 0 or options.center:
        return walked.n_rings, walked.n_components, False
    for component in range(np.uint64(walked.n_components)):
        order.parent[component] = component
    visits = np.empty(2 * n_contacts, np.uint64)
    joined, n_corners = join(runs, links, rings, n_contacts, options.eight, order.parent, visits)
    n_rings = walked.n_rings
    n_parts = walked.n_components
    if n_corners > 0:
        n_rings, n_parts = cut(rings, walked, np.sort(visits[: 2 * n_corners]), options.fill, order.parent)
    joined |= n_parts > walked.n_components
    if joined:
        gather_groups(rings, walked.n_components, n_parts, order)
    return n_rings, n_parts, joined


@kernel
def trace_runs(
    memory: npt.NDArray[np.uint64],
    rows: npt.NDArray[np.int64],
    labels: npt.NDArray[np.uint32],
    left_out: npt.NDArray[np.uint32],
    keep: npt.NDArray[np.bool_],
    options: Options,
    width: int,
    signed: bool,
    columns: Columns,
    sizes: Sizes,
) -> tuple[bool, tuple[int, int, int, int]]:
    """Append the components of an image's runs to columns, in one call that is free of the GIL.

    Args:
        memory, rows: workspace (`workspace.cut_up`), with the runs of the image in it.
        labels: those that are to be told apart, from `number_four_connected`; empty for the runs' own.
        left_out: which of them are not traced.
        keep: from `judge_whole`, or empty where that is to be found here.
        options: see `trace.Tracer`.
        width: of the image; signed: whether labels are int32 in disguise.
        columns: out; sizes: how much of them is used.

    Returns:
        Whether there was room, and the `Sizes` that are used then; without room nothing is written, and they are how
        much room there must be. As a plain tuple: see `_jit.kernel`.
    """
    runs, links, rings, order = cut_up(memory, rows)
    linked = Runs(runs.packed, runs.xy, labels if labels.size else runs.label, rows)
    # An edge outline whose holes are kept is 4-connected parts: these stay valid where corners touch.
    n_tops, n_contacts = link(linked, options.center or options.fill, links)
    n_lone = 0
    if not (options.center or options.fill or options.encord_active):
        joining = n_contacts if options.eight else 0
        n_lone, n_tops = find_lone(linked, left_out, links, n_tops, joining, options.min_area, rings)
    else:
        rings.top_lone[:n_tops] = 0
    walked = walk(linked, left_out, links, n_tops, rings)
    if keep.size == 0 and (options.fill or options.encord_active):
        keep = _judge(runs, links, rings, walked.n_rings, walked.n_components, options)
    n_rings, n_parts, joined = _parts(runs, links, rings, walked, n_contacts, options, order)
    holes = n_rings > n_parts and not options.fill
    if holes:
        gather_holes(rings, n_rings, order.next_ring)
    if options.center:
        bound = center_bound(rings, walked.n_rings, options.every)
    else:  # what is cut keeps its vertices: two an edge
        bound = 2 * walked.n_edges + 4 * n_lone
    needed = Sizes(
        sizes.vertices + bound,
        sizes.rings + n_rings + n_lone,
        sizes.parts + n_parts + n_lone,
        sizes.components + walked.n_components + n_lone,
    )
    if (
        needed.vertices > columns.x.size
        or needed.rings >= columns.ring_offsets.size
        or needed.parts >= columns.part_offsets.size
        or needed.components >= columns.component_offsets.size
        or needed.components > columns.value.size
    ):
        return False, (needed.vertices, needed.rings, needed.parts, needed.components)
    n_groups = order_parts(rings, walked.n_components, n_parts, n_lone, joined, keep, options.min_area, order)
    if options.center:
        after = write_center_columns(runs, rings, order, n_groups, holes, options.every, width, signed, columns, sizes)
    else:
        after = write_edge_columns(runs, rings, order, n_groups, holes, width, signed, columns, sizes)
    return True, (after.vertices, after.rings, after.parts, after.components)
