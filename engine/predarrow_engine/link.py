"""Runs -> boundaries: every vertical boundary edge learns which one follows it.

A node is the vertical edge at one end of a run: node 2r is run r's left edge, walked down, and node 2r + 1
its right edge, walked up, so that a region lies on the left hand of its boundary. Two neighbouring rows are
merged once, left to right. For each pair of touching runs with one label (upper u, lower l) one splice rule
does everything, whatever the shape:

    next[slot(u)] = next[right(l)];  next[right(l)] = right(u);  slot(u) = right(l)

where slot(u), the node whose successor below u is still open, starts as left(u), and next[right(l)] starts
as left(l). When u ends, next[slot(u)] = right(u). The number of labels appears nowhere.

         u             u = upper run, l, m = lower runs of the same label
    ┌─────────┐        left(u) -> left(l)      (slot(u) was left(u))
    │         │        right(l) -> left(m)     (slot(u) was right(l))
    ├──┐   ┌──┤        right(m) -> right(u)    (u ended)
     l       m

Straight edges are joined at once, so that the walk meets corners only: a left edge under a left edge hands on
its chain's first node (`head`), a right edge under a right edge copies the successor above.

Runs that touch at a corner only are noted as `contacts`. Where boundaries are to be 8-connected they are spliced
by the same rule; where they are 4-connected, `parts.py` puts 8-connected components together afterwards.

Method: the run-based contour following that the README's benchmarks compare with OpenCV; no union-find.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import kernel
from predarrow_engine._simd_link import PAIRS, REACH, link_alike
from predarrow_engine.link_noise import is_noise, link_noise
from predarrow_engine.runs import HALF, ONE, Runs

TWO = np.uint64(2)
THREE = np.uint64(3)
_PAIRS = np.uint64(PAIRS)


class Links(NamedTuple):
    """How the boundary edges of n_runs runs hang together, with room for more."""

    successor: npt.NDArray[np.uint32]
    """(2 * n_runs,) the node after each node; undefined for left edges that are not a head"""
    head: npt.NDArray[np.uint32]
    """(n_runs,) first node of the chain of straight left edges that ends in the run's"""
    tops: npt.NDArray[np.uint32]
    """(2 * n_runs,) runs whose right edge is followed by a left edge: what a ring can start from"""
    contacts: npt.NDArray[np.uint64]
    """(2 * n_runs,) upper << 32 | lower: runs of one label that touch at a corner only"""


@kernel
def link(runs: Runs, eight: bool, links: Links) -> tuple[int, int]:
    """Write links and give the number of tops and of contacts.

    Indices are unsigned, which spares Numba's test for negative ones: 62 us instead of 147 us for a street of
    1024 x 2048, branch-free where rows are alike. Eight such pairs at a time: 69 us instead of 97 on a busier day.

    Args:
        runs: as `runs.scan` gives them.
        eight: whether boundaries pass corner contacts as 8-connected ones do.
        links: out.
    """
    packed, _, label, rows = runs
    successor, head, tops, contacts = links
    packed_address = packed.ctypes.data
    label_address = label.ctypes.data
    successor_address = successor.ctypes.data
    head_address = head.ctypes.data
    within_reach = np.uint64(max(0, min(packed.size, label.size, successor.size // 2, head.size) - REACH))
    height = rows.size - 1
    width = np.uint32(packed[rows[1] - 1])
    n_tops = np.uint64(0)
    n_contacts = np.uint64(0)
    for r in range(rows[1] - 1):
        successor[2 * r + 1] = 2 * r
        head[r] = 2 * r
        tops[n_tops] = r
        n_tops += ONE
    begin = 0
    if not eight and is_noise(runs, links):
        n_tops, n_contacts = link_noise(runs, links, n_tops)
        begin = height - 1
    for y in range(begin, height - 1):
        u = np.uint64(rows[y])
        low = np.uint64(rows[y + 1])
        upper_end = np.uint32(packed[u + ONE])
        lower_end = np.uint32(packed[low + ONE])
        paired = label[u] == label[low]
        if paired:
            head[low] = head[u]
            slot = TWO * low + ONE
            pending = TWO * u + ONE
        else:
            head[low] = TWO * low
            slot = np.uint64(head[u])
            pending = TWO * low
        while True:
            # What nearly every boundary is: the same two labels above and below, moved a little, and the next
            # boundaries beyond both. One branch, nearly always taken, for up to eight of them.
            next_upper_end = np.uint32(packed[u + TWO])
            next_lower_end = np.uint32(packed[low + TWO])
            if (
                paired
                & (label[u + ONE] == label[low + ONE])
                & (max(upper_end, lower_end) < min(next_upper_end, next_lower_end))
                & (low < within_reach)
            ):
                steps = link_alike(packed_address, label_address, successor_address, head_address, u, low)
                # All eight are a branch of their own, which loads what follows: it is then begun before the number is
                # known (Voronoi cells 4096 x 4096: 0.56 ms, not 0.62).
                if steps == _PAIRS:
                    u += _PAIRS
                    low += _PAIRS
                    upper_end = np.uint32(packed[u + ONE])
                    lower_end = np.uint32(packed[low + ONE])
                else:
                    u += steps
                    low += steps
                    upper_end = np.uint32(packed[u + ONE])
                    lower_end = np.uint32(packed[low + ONE])
                slot = TWO * low + ONE
                pending = TWO * u + ONE
                continue
            if upper_end != lower_end:  # without branches, by masks: no quicker (argmax 0.75 ms, not 0.74)
                if upper_end < lower_end:
                    successor[slot] = TWO * u + ONE
                    u += ONE
                    slot = np.uint64(head[u])
                    upper_end = next_upper_end
                else:
                    successor[TWO * low + ONE] = pending
                    tops[n_tops] = low
                    n_tops += ONE - (pending & ONE)
                    low += ONE
                    head[low] = TWO * low
                    pending = TWO * low
                    lower_end = next_lower_end
                paired = label[u] == label[low]
                if paired:
                    successor[slot] = pending
                    tops[n_tops] = slot >> ONE
                    n_tops += slot & ~pending & ONE
                    pending = TWO * u + ONE
                    slot = TWO * low + ONE
                continue
            next_pending = TWO * low + TWO
            next_slot = np.uint64(0)
            if paired:  # a straight right edge
                successor[TWO * low + ONE] = successor[TWO * u + ONE]
                if upper_end == width:
                    break
                next_slot = np.uint64(head[u + ONE])
            else:
                if upper_end < width:
                    next_slot = np.uint64(head[u + ONE])
                    if label[u] == label[low + ONE]:
                        contacts[n_contacts] = u << HALF | (low + ONE)
                        n_contacts += ONE
                        if eight:
                            successor[slot] = next_pending
                            tops[n_tops] = slot >> ONE
                            n_tops += slot & ONE
                            next_pending = TWO * u + ONE
                            slot = TWO * low + THREE
                    if label[u + ONE] == label[low]:
                        contacts[n_contacts] = (u + ONE) << HALF | low
                        n_contacts += ONE
                        if eight:
                            successor[next_slot] = pending
                            pending = TWO * u + THREE
                            next_slot = TWO * low + ONE
                successor[slot] = TWO * u + ONE
                successor[TWO * low + ONE] = pending
                tops[n_tops] = low
                n_tops += ONE - (pending & ONE)
                if upper_end == width:
                    break
            u += ONE
            low += ONE
            paired = label[u] == label[low]
            if paired:  # a straight left edge
                head[low] = head[u]
                slot = TWO * low + ONE
                pending = TWO * u + ONE
            else:
                head[low] = TWO * low
                slot = next_slot
                pending = next_pending
            upper_end = next_upper_end
            lower_end = next_lower_end
    for r in range(rows[height - 1], rows[height] - 1):
        successor[head[r]] = 2 * r + 1
    return int(np.int64(n_tops)), int(np.int64(n_contacts))
