"""Inclusive ranges of frames, `[[start, end], …]`, counted before anything is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow.formats.flaws import Flaw
from predarrow.report import Code

MOST_ROWS = 1 << 24
"""Rows of one label row: a range may promise two thousand million in a few characters."""

OVERLAPPING = "ranges that overlap or touch, joined; kept in attributes"
"""What a report calls them."""

_LAST = 2**31 - 1


class Ranges(NamedTuple):
    """Ranges in ascending order that do not touch."""

    pairs: list[tuple[int, int]]
    is_plain: bool
    """Whether they were so before."""

    @property
    def n_frames(self) -> int:
        """How many frames they have."""
        return sum(end - start + 1 for start, end in self.pairs)

    def frames(self) -> npt.NDArray[np.int64]:
        """Give each frame, ascending."""
        if not self.pairs:
            return np.empty(0, np.int64)
        return np.concatenate([np.arange(start, end + 1) for start, end in self.pairs])


def ranges_of(given: Any, pointer: str, n_frames: int | None = None) -> Ranges:
    """Give ranges that hold, those that overlap together.

    Args:
        given: `[[start, end], …]`, both of them inside.
        pointer: of the list.
        n_frames: that there are, where it is known.

    Raises:
        Flaw: no pairs of whole numbers, a range that ends before it starts, or that ends after the last frame.
    """
    if not isinstance(given, list | tuple):
        raise Flaw(Code.BAD_VALUE, pointer, "must be a list of ranges", given)
    pairs = [_pair(each, f"{pointer}[{place}]", n_frames) for place, each in enumerate(given)]
    together = _together(pairs)
    return Ranges(together, together == pairs)


def _pair(given: Any, pointer: str, n_frames: int | None) -> tuple[int, int]:
    is_pair = isinstance(given, list | tuple) and len(given) == 2
    if not is_pair or not all(isinstance(value, int) and not isinstance(value, bool) for value in given):
        raise Flaw(Code.BAD_VALUE, pointer, "must be two whole numbers, start and end", given)
    start, end = given
    if start > end:
        raise Flaw(Code.FRAME_RANGE, pointer, "must not end before it starts", given)
    last = _LAST if n_frames is None else n_frames - 1
    if start < 0 or end > last:
        raise Flaw(Code.FRAME_RANGE, pointer, f"must lie in 0 to {last}", given)
    return start, end


def _together(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Give ranges in ascending order, joined where they overlap or follow each other."""
    result: list[tuple[int, int]] = []
    for start, end in sorted(pairs):
        if result and start <= result[-1][1] + 1:
            result[-1] = result[-1][0], max(end, result[-1][1])
        else:
            result.append((start, end))
    return result


def runs_of(frames: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Give ascending frames as ranges of those that follow each other."""
    if not frames.size:
        return []
    breaks = np.flatnonzero(np.diff(frames) != 1)
    starts = frames[np.append(0, breaks + 1)].tolist()
    ends = frames[np.append(breaks, frames.size - 1)].tolist()
    return list(zip(starts, ends, strict=True))
