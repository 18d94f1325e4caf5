"""Components of a single run: found before anything is walked, and written straight from the runs.

Such a run is a rectangle of one row; all about it stands in the runs. Noise is made of them (four components in five
with 19 classes): to write down their rings and read these again took half of its time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine._simd import prefetch_near
from predarrow_engine.link import THREE, TWO, Links
from predarrow_engine.runs import HALF, LOW, ONE, ZERO, Runs
from predarrow_engine.walk import TOUCHES, Rings

_AHEAD = np.uint64(128)
"""Runs that are fetched before they are looked at: for the gaps between them, the machine does not by itself (to read
all of noise takes 1.3 ms, not 4.1)."""


@kernel
def find_lone(
    runs: Runs,
    left_out: npt.NDArray[np.uint32],
    links: Links,
    n_tops: int,
    n_contacts: int,
    min_area: int,
    rings: Rings,
) -> tuple[int, int]:
    """List the runs that are components by themselves, and leave the other tops; give the number of both.

    Without a branch, as one run in five is another one (noise 4 ms, not 7, before the other tops were listed, too).

    Args:
        runs, left_out: as `walk.walk` takes them.
        links: from `link.link`; tops in and out, and `head` is marked (`walk.TOUCHES`) at runs that have contacts.
        n_contacts: of those that join components; 0 where corners do not.
        min_area: shorter runs are left out.
        rings: lone out, and top_lone: how many of them come before each top that is left.
    """
    packed, _, label, _ = runs
    successor, head, tops, contacts = links
    lone, top_lone = rings.lone, rings.top_lone
    for i in range(np.uint64(n_contacts)):
        head[contacts[i] >> HALF] |= TOUCHES
        head[contacts[i] & LOW] |= TOUCHES
    successor_address, head_address, label_address = successor.ctypes.data, head.ctypes.data, label.ctypes.data
    n_lone = n_others = ZERO
    for i in range(np.uint64(n_tops)):
        run = np.uint64(tops[i])
        fetch(successor_address, run, THREE)
        fetch(head_address, run, TWO)
        fetch(label_address, run, TWO)
        left, right = TWO * run, TWO * run + ONE
        whole = (successor[right] == left) & (successor[left] == right) & (head[run] == left)
        wanted = min_area <= 1 or np.int64((packed[run + ONE] - packed[run]) & LOW) >= min_area
        for k in range(left_out.size):
            wanted &= label[run] != left_out[k]
        lone[n_lone] = run
        tops[n_others] = run
        top_lone[n_others] = n_lone
        n_lone += np.uint64(whole & wanted)
        n_others += np.uint64(not whole)
    return int(np.int64(n_lone)), int(np.int64(n_others))


@inline
def fetch(address: int, run: np.uint64, size: np.uint64) -> None:
    """Fetch what an array has for a run further on, of 2**size bytes each."""
    prefetch_near(address + np.int64((run + _AHEAD) << size))
