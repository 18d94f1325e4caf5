"""Which frames a label is on."""

from __future__ import annotations

from collections.abc import Iterable
from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt

from predarrow.refusals import shown

MOST_FRAMES = 1 << 24
"""Of one call: a longer range is a mistake rather than a label."""

_RULE = "must be a frame, a range or a sequence of frames"


class FrameError(Exception):
    """Frames that do not hold; never leaves the labels."""


def frames_of(given: Any, last: int) -> int | npt.NDArray[np.int64]:
    """Give one frame, or (n,) frames.

    Args:
        given: a whole number; a `range`, or Encord's `Range`, whose end is one of its frames; any iterable of these.
        last: greatest frame that there is.

    Raises:
        FrameError: none of those, no frames, or a frame that is not there.
    """
    if isinstance(given, int | np.integer) and not isinstance(given, bool):
        _check(int(given), int(given), last)
        return int(given)
    frames = _many(given, last)
    if not frames.size:
        raise FrameError(f"{_RULE}, got none: {shown(given)}")
    _check(int(frames.min()), int(frames.max()), last)
    return frames


def _many(given: Any, last: int) -> npt.NDArray[np.int64]:
    if (ends := _ends(given)) is not None:
        return _ranged(*ends, last)
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise FrameError(f"{_RULE}, got {shown(given)}")
    listed = given if hasattr(given, "__array__") else list(given)
    if isinstance(listed, list) and any(_ends(item) is not None for item in listed):
        parts = [frames_of(item, last) for item in listed]
        return np.concatenate([np.atleast_1d(np.asarray(part, np.int64)) for part in parts])
    try:
        frames = np.asarray(listed)
    except (ValueError, TypeError, RuntimeError) as error:
        raise FrameError(f"{_RULE}: {error}") from None
    if frames.ndim != 1 or (frames.size and frames.dtype.kind not in "iu"):
        raise FrameError(f"{_RULE}, got {shown(given)}")
    return frames.astype(np.int64)


def _ends(given: Any) -> tuple[int, int, int] | None:
    """Give start, stop and step of what is a range."""
    if isinstance(given, range):
        return given.start, given.stop, given.step
    if type(given).__name__ != "Range":
        return None
    try:
        return index(given.start), index(given.end) + 1, 1
    except (AttributeError, TypeError):
        raise FrameError(f"{_RULE}, got {shown(given)}") from None


def _ranged(start: int, stop: int, step: int, last: int) -> npt.NDArray[np.int64]:
    frames = range(start, stop, step)
    if not frames:
        return np.empty(0, np.int64)
    _check(min(frames[0], frames[-1]), max(frames[0], frames[-1]), last)
    if len(frames) > MOST_FRAMES:
        raise FrameError(f"must be at most {MOST_FRAMES} frames at once, got {len(frames)}")
    return np.arange(start, stop, step)


def _check(low: int, high: int, last: int) -> None:
    if low < 0 or high > last:
        raise FrameError(f"must be 0 to {last}, got {low if low < 0 else high}")
