"""Slow twin of percents in pixels, written to be read."""

from __future__ import annotations

import numpy as np

LARGEST = 2.0**31


def pixel(percent: float, size: float) -> float:
    """Give a percent of a size in pixels, or the short number that it is but for roundings."""
    value = percent * size / 100
    if abs(value) < LARGEST:
        for short in (float(np.rint(value * 1e6) / 1e6), float(np.float32(value))):
            if abs(short - value) <= abs(value) * 2.0**-50:
                return short
    return value
