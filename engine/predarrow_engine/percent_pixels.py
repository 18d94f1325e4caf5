"""One percent of one size in pixels: the formula of `percent`, for its kernels.

    pixel = percent * size / 100, settled

Both steps round, as did those that made the percent: of pixel 7 in a width of 29, a tool makes 7 / 29 * 100, which is
7.000000000000001 pixels again. What a number is but for such roundings is known where a number of few digits lies as
near as they reach: a decimal with six places, or a float32, as models give them. Then it is that one. By chance alone,
one number in 500,000 around 1,000 has such a neighbour.
"""

from __future__ import annotations

import numpy as np

from predarrow_engine._jit import inline

ROUNDINGS = 2.0**-50
"""What a number may be off, of its size: four roundings reach half as far."""

_PER_PIXEL = 1e6
_LARGEST = 2.0**31  # beyond, six places are finer than a float64


@inline
def settled(value: float, off: float) -> float:
    """Give the decimal with six places, or the float32, that a number is but for roundings; else the number.

    Args:
        off: how far roundings reach.
    """
    if not abs(value) < _LARGEST:
        return value
    decimal = float(np.rint(value * _PER_PIXEL) / _PER_PIXEL)
    if abs(decimal - value) <= off:
        return decimal
    single = float(np.float64(np.float32(value)))
    return single if abs(single - value) <= off else value


@inline
def is_settled(value: float) -> bool:
    """Tell whether a number is a decimal with six places or a float32."""
    return bool(
        abs(value) < _LARGEST and (np.rint(value * _PER_PIXEL) / _PER_PIXEL == value or np.float32(value) == value)
    )


@inline
def pixel_of(percent: float, size: float) -> float:
    """Give a percent of a size in pixels."""
    pixel = percent * size / 100.0
    return settled(pixel, abs(pixel) * ROUNDINGS)
