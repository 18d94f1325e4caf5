"""The tracer's workspace: one block of memory, which kernels cut into their arrays themselves.

To give a kernel all of them, 40 arrays, takes 9 us, and 12 to 19 us after an image that drove all else from the caches;
14 arrays, the block among them, take 4 and 6 us.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine.link import Links
from predarrow_engine.order import Order
from predarrow_engine.runs import Runs, scan
from predarrow_engine.walk import Rings

RUN_LIMIT = 2**29  # edges are numbered in 32 bits, and there are at most four a run
RUN_BYTES = 224
"""That all arrays together take for a run."""

_SHARES = RUN_BYTES // 4
_PIXELS_A_RUN = 64  # to begin with: a street has 100, noise 1
_SLACK = 8  # runs that kernels may look at or write behind the last one


class Work(NamedTuple):
    """Scratch arrays for n runs."""

    runs: Runs
    links: Links
    rings: Rings
    order: Order


@inline
def _share(memory: npt.NDArray[np.uint64], first: int, count: int) -> npt.NDArray[np.uint64]:
    """Give shares of the memory, each 4 bytes a run."""
    words = memory.size // _SHARES
    return memory[first * words : (first + count) * words]


@inline
def _runs(memory: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64]) -> Runs:
    packed = _share(memory, 0, 2)
    return Runs(packed, packed.view(np.int32).reshape(-1, 2), _share(memory, 2, 1).view(np.uint32), rows)


@inline
def cut_up(memory: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64]) -> Work:
    """Give the arrays that lie in the memory.

    Args:
        memory: (28 * n_runs,) for an even number of runs.
        rows: (height + 1,) see `runs.Runs`.
    """
    return Work(
        _runs(memory, rows),
        Links(
            successor=_share(memory, 3, 2).view(np.uint32),
            head=_share(memory, 5, 1).view(np.uint32),
            tops=_share(memory, 6, 2).view(np.uint32),
            contacts=_share(memory, 8, 4),
        ),
        Rings(
            edges=_share(memory, 12, 8),
            edge_ring=_share(memory, 20, 2).view(np.int32),
            ring_begin=_share(memory, 22, 3).view(np.int32),
            ring_end=_share(memory, 25, 3).view(np.int32),
            ring_part=_share(memory, 28, 3).view(np.int32),
            part_ring=_share(memory, 31, 3).view(np.int32),
            first_run=_share(memory, 34, 1).view(np.int32),
            lone=_share(memory, 35, 1).view(np.int32),
            lone_before=_share(memory, 36, 1).view(np.int32),
            top_lone=_share(memory, 37, 1).view(np.int32),
            area=_share(memory, 38, 2).view(np.int64),
            xmin=_share(memory, 40, 1).view(np.int32),
            xmax=_share(memory, 41, 1).view(np.int32),
            ymax=_share(memory, 42, 1).view(np.int32),
        ),
        Order(
            parent=_share(memory, 43, 3).view(np.int32),
            places=_share(memory, 46, 3).view(np.int32),
            outlines=_share(memory, 49, 3).view(np.int32),
            next_ring=_share(memory, 52, 3).view(np.int32),
            group_first=_share(memory, 55, 1).view(np.int32),
        ),
    )


@kernel
def scan_image(
    labels: npt.NDArray[np.unsignedinteger], memory: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64]
) -> int:
    """Write the runs of labels and give their number, as `runs.scan` does."""
    # What is linked and walked later has no use for its room yet. With all arrays cut, not these alone, 9 us more.
    block, changed = _share(memory, 8, 1).view(np.int32), _share(memory, 12, 2)
    return int(scan(labels, _runs(memory, rows), block, changed))


class Workspace:
    """Scratch memory for some runs, used again from image to image; pages that are not touched cost no memory."""

    def __init__(self) -> None:
        self.rows = np.empty(0, np.int64)
        self._allocate(4096)

    def _allocate(self, n: int) -> None:
        self._ready: dict[tuple[int, int], Runs] = {}
        # An odd number of cache lines more than a power of 2: else all arrays meet in the same places of the caches
        # (the walk of noise takes 32 ms, not 28).
        self.room = min(-(-n // 1024) * 1024 + 592, RUN_LIMIT)
        self.memory = np.empty(RUN_BYTES // 8 * self.room, np.uint64)

    def runs(self, height: int, width: int) -> Runs:
        """Give room for the runs of an image of a size; `grow` where it turns out too small.

        Its arrays lie in `memory`, but for the rows.
        """
        if ready := self._ready.get((height, width)):
            return ready
        if self.rows.size < height + 1:
            self.rows = np.empty(height + 1, np.int64)
        wanted = max(width + _SLACK, height * width // _PIXELS_A_RUN)
        if self.room < wanted:
            self._allocate(2 * wanted)
        packed = self.memory[: self.room]
        label = self.memory[self.room :].view(np.uint32)[: self.room]
        runs = Runs(packed, packed.view(np.int32).reshape(-1, 2), label, self.rows[: height + 1])
        self._ready = {(height, width): runs}  # images mostly have the same size as the one before
        return runs

    def grow(self) -> None:
        """Take room for twice as many runs.

        Raises:
            ValueError: there is room for as many as can be numbered.
        """
        if self.room >= RUN_LIMIT:
            raise ValueError(f"a label image has at most {RUN_LIMIT} runs, got more; trace it in tiles")
        self._allocate(2 * self.room)

    def scan(self, image: npt.NDArray[np.unsignedinteger]) -> Runs:
        """Give the runs of an image, valid until the next one."""
        while True:
            runs = self.runs(*image.shape)
            if scan_image(image, self.memory, runs.rows) >= 0:
                return runs
            self.grow()
