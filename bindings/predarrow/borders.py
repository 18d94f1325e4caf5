"""What lies beyond its image: how far it may, and what becomes of it."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

OnOutside = Literal["keep", "clip", "reject"]

NOISE = 1e-6
"""Share of an image's width or height by which something may pass its border and still be inside: what floats come to
is not outside."""
FLAGS: dict[OnOutside, str] = {"keep": "box beyond the image", "clip": "box clipped to the image", "reject": ""}

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class Borders(NamedTuple):
    """Borders of the images of n boxes; images of unknown size hold every box."""

    low: Floats
    """(2, n) left and top"""
    high: Floats
    """(2, n) right and bottom"""

    def are_passed(self, corners: Floats) -> Bools:
        """Tell which boxes, (4, n) corners, pass a border by more than noise."""
        start, end, noise = corners[:2], corners[2:], NOISE * self.high
        return _either((start < self.low - noise) | (end > self.high + noise))

    def are_missed(self, corners: Floats) -> Bools:
        """Tell which boxes lie wholly outside, so that nothing would be left of them."""
        return _either((corners[2:] <= self.low) | (corners[:2] >= self.high))

    def clipped(self, corners: Floats) -> Floats:
        """Give boxes cut to their images, (4, n)."""
        return np.concatenate([np.clip(corners[:2], self.low, self.high), np.clip(corners[2:], self.low, self.high)])


def _either(both: Bools) -> Bools:
    across: Bools = both[0]
    down: Bools = both[1]
    return across | down


def borders_of(sides: npt.NDArray[np.number]) -> Borders:
    """Give the borders of images.

    Args:
        sides: (2, n) width and height, 0 where unknown.
    """
    high = np.where(sides > 0, sides, np.inf)
    return Borders(np.where(np.isinf(high), -np.inf, 0), high)


def outside_rule(on_outside: OnOutside, width: int | None, height: int | None) -> str:
    """Word what a box must do that is refused."""
    image = f"the image, {width} x {height} pixels"
    return f"must lie in {image}" if on_outside == "reject" else f"must overlap {image}, to be clipped to it"
