"""Runs -> boundaries where neighbouring rows have little in common: images that are mostly noise.

What `link.py` says holds here too. There, each step asks what is next to the pair of runs at hand, and in noise the
answer is anything: most of the time went into branches that were mispredicted. Here each turn takes the steps, up to
eight, in which both runs end at the same x, then the one behind them in which one run ends before the other, with no
branch at all: 3.4 ns a run of noise, not 6.0; sixteen steps are no quicker. Where much is alike it is slower (upright
stripes, one pixel wide: 0.20 ms, not 0.15; noise of two labels, half of whose pixels begin a run: 0.54 ms, not 0.46).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, inline, part
from predarrow_engine._simd_link import PAIRS, REACH, link_level
from predarrow_engine.runs import ONE, ZERO, Runs

if TYPE_CHECKING:
    from predarrow_engine.link import Links

TWO = np.uint64(2)
_STEPS = np.uint64(PAIRS)


@inline
def is_noise(runs: Runs, links: Links) -> bool:
    """Tell whether more than 5 pixels of 8 begin a run, and there is the room that `link_level` needs."""
    packed, _, label, rows = runs
    successor, head, tops, contacts = links
    height = rows.size - 1
    n_runs = rows[height]
    pairs = min(successor.size, tops.size, contacts.size) // 2
    width = np.int64(np.uint32(packed[rows[1] - 1]))
    return bool(8 * n_runs > 5 * height * width) and n_runs + REACH <= min(packed.size, label.size, head.size, pairs)


@inline
def _either(first: np.uint64, second: np.uint64, choice: np.uint64) -> np.uint64:
    """Give the first where the choice is 1, the second where it is 0; LLVM makes no branch of it."""
    return second ^ ((first ^ second) & (ZERO - choice))


@helper
def link_noise(runs: Runs, links: Links, n_tops: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Link every row to the next, as `link.link` does, and give the number of tops and of contacts.

    Args:
        runs: for which `is_noise` holds.
        links: in and out: the first row's; corner contacts are not passed.
        n_tops: so far.
    """
    rows = runs.rows
    n_contacts = ZERO
    for y in range(rows.size - 2):
        u = np.uint64(rows[y])
        low = np.uint64(rows[y + 1])
        # As if nothing were below. What is written later replaces it, so what ends level writes it no more.
        for r in range(u, low - ONE):
            links.successor[np.uint64(links.head[r])] = TWO * r + ONE
        n_tops, n_contacts = _link_row(runs, links, u, low, n_tops, n_contacts)
    return n_tops, n_contacts


@part
def _link_row(
    runs: Runs, links: Links, u: np.uint64, low: np.uint64, n_tops: np.uint64, n_contacts: np.uint64
) -> tuple[np.uint64, np.uint64]:
    """Link the row that begins with run u to the one that begins with run low."""
    packed, _, label, _ = runs
    successor, head, tops, contacts = links
    width = np.uint32(packed[low - ONE])
    same = np.uint64(label[u] == label[low])
    head[low] = _either(np.uint64(head[u]), TWO * low, same)
    slot = _either(TWO * low + ONE, np.uint64(head[u]), same)
    pending = _either(TWO * u + ONE, TWO * low, same)
    while True:
        n, up, down, free, n_tops, n_contacts = link_level(
            packed.ctypes.data,
            label.ctypes.data,
            successor.ctypes.data,
            head.ctypes.data,
            tops.ctypes.data,
            contacts.ctypes.data,
            u,
            low,
            pending,
            n_tops,
            n_contacts,
            width,
        )
        # Of a run that is lower no left edge's successor is read before it is written.
        successor[_either(slot, TWO * low, free)] = TWO * u + ONE
        u += n
        low += n
        some = np.uint64(n != ZERO)
        same = np.uint64(label[u] == label[low])
        slot = _either(_either(TWO * low + ONE, np.uint64(head[u]), same), slot, some)
        pending = _either(_either(TWO * u + ONE, TWO * low, same), pending, some)
        if (n < _STEPS) & ((up | down) == ZERO):
            break
        u, low, slot, pending, n_tops = _end_one(label, links, u, low, slot, pending, up, down, n_tops)
    if label[u] == label[low]:
        successor[TWO * low + ONE] = successor[TWO * u + ONE]
    else:
        successor[slot] = TWO * u + ONE
        successor[TWO * low + ONE] = pending
        tops[n_tops] = low
        n_tops += ~pending & ONE
    return n_tops, n_contacts


@part
def _end_one(
    label: npt.NDArray[np.uint32],
    links: Links,
    u: np.uint64,
    low: np.uint64,
    slot: np.uint64,
    pending: np.uint64,
    up: np.uint64,
    down: np.uint64,
    n_tops: np.uint64,
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64, np.uint64]:
    """Let the upper run end where up is 1, the lower one where down is 1, neither where both are 0.

    Gives u, low, slot, pending and n_tops. What is written where nothing ends is written again before it is read.
    """
    successor, head, tops, _ = links
    right = TWO * low + ONE
    successor[_either(slot, right, up)] = _either(TWO * u + ONE, pending, up)
    tops[n_tops] = low
    n_tops += down & ~pending
    head[low + ONE] = TWO * low + TWO
    u += up
    low += down
    slot = _either(np.uint64(head[u]), slot, up)
    pending = _either(TWO * low, pending, down)
    same = np.uint64(label[u] == label[low]) & (up | down)
    successor[slot] = pending
    tops[n_tops] = slot >> ONE
    n_tops += same & slot & ~pending
    slot = _either(TWO * low + ONE, slot, same)
    pending = _either(TWO * u + ONE, pending, same)
    return u, low, slot, pending, n_tops
