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

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import kernel


@kernel
def link(
    xy: npt.NDArray[np.int32],
    label: npt.NDArray[np.uint32],
    rows: npt.NDArray[np.int64],
    eight: bool,
    successor: npt.NDArray[np.int32],
    head: npt.NDArray[np.int32],
    contacts: npt.NDArray[np.int32],
) -> int:
    """Write each node's successor and give the number of contacts.

    Args:
        xy, label, rows: runs, as `runs.scan` gives them.
        eight: whether runs that touch at a corner belong together.
        successor: (2 * n_runs,) out, the next node; undefined for left edges that are not a head.
        head: (n_runs,) out, first node of the chain of straight left edges that ends in the run's.
        contacts: (2 * n_runs, 2) out, runs of one label that touch at a corner only: upper, lower.
    """
    height = rows.size - 1
    width = xy[rows[1] - 1, 0]
    n_contacts = 0
    for r in range(rows[1] - 1):
        successor[2 * r + 1] = 2 * r
        head[r] = 2 * r
    for y in range(1, height + 1):
        successor[2 * rows[y] - 1] = 1  # a sentinel's edges are nobody's: odd, so the walk passes by
    for y in range(height - 1):
        u = rows[y]
        low = rows[y + 1]
        upper_end = xy[u + 1, 0]
        lower_end = xy[low + 1, 0]
        if label[u] == label[low]:
            head[low] = head[u]
            slot = np.int32(2 * low + 1)
            pending = np.int32(2 * u + 1)
        else:
            head[low] = 2 * low
            slot = head[u]
            pending = np.int32(2 * low)
        while True:
            if upper_end < lower_end:
                successor[slot] = 2 * u + 1
                u += 1
                slot = head[u]
                upper_end = xy[u + 1, 0]
                if label[u] == label[low]:
                    successor[slot] = pending
                    pending = np.int32(2 * u + 1)
                    slot = np.int32(2 * low + 1)
            elif lower_end < upper_end:
                successor[2 * low + 1] = pending
                low += 1
                head[low] = 2 * low
                pending = np.int32(2 * low)
                lower_end = xy[low + 1, 0]
                if label[u] == label[low]:
                    successor[slot] = pending
                    pending = np.int32(2 * u + 1)
                    slot = np.int32(2 * low + 1)
            else:
                if label[u] == label[low]:  # a straight right edge: both ends meet
                    successor[2 * low + 1] = successor[2 * u + 1]
                    if upper_end == width:
                        break
                    next_slot = head[u + 1]
                    next_pending = np.int32(2 * low + 2)
                else:
                    next_slot = head[u + 1]
                    next_pending = np.int32(2 * low + 2)
                    if upper_end < width:
                        if label[u] == label[low + 1]:
                            contacts[n_contacts, 0] = u
                            contacts[n_contacts, 1] = low + 1
                            n_contacts += 1
                            if eight:
                                successor[slot] = next_pending
                                next_pending = np.int32(2 * u + 1)
                                slot = np.int32(2 * low + 3)
                        if label[u + 1] == label[low]:
                            contacts[n_contacts, 0] = u + 1
                            contacts[n_contacts, 1] = low
                            n_contacts += 1
                            if eight:
                                successor[next_slot] = pending
                                pending = np.int32(2 * u + 3)
                                next_slot = np.int32(2 * low + 1)
                    successor[slot] = 2 * u + 1
                    successor[2 * low + 1] = pending
                    if upper_end == width:
                        break
                u += 1
                low += 1
                if label[u] == label[low]:  # a straight left edge
                    head[low] = head[u]
                    slot = np.int32(2 * low + 1)
                    pending = np.int32(2 * u + 1)
                else:
                    head[low] = 2 * low
                    slot = next_slot
                    pending = next_pending
                upper_end = xy[u + 1, 0]
                lower_end = xy[low + 1, 0]
    for r in range(rows[height - 1], rows[height] - 1):
        successor[head[r]] = 2 * r + 1
    return n_contacts
