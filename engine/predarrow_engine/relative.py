"""Relative coordinates <-> pixels, so that what came as decimals goes back as the same decimals.

One formula each way, all in float64; each operation rounds once:

    to_pixels   pixel = relative * scale                      and to float32 where vertices are stored
    far_side    high  = low + extent * scale                  low as `to_pixels` gives it
    sides       low   = centre * scale - radius * radius_scale
                high  = centre * scale + radius * radius_scale

Back, the number is looked for that these formulas turn into the very pixels that are stored. Most often it is a
decimal of few digits: a tool rounded it. Decimals of 15 digits (6 for a float32) lie further apart than all the
roundings together, so at most one of them gives the pixel, and it is the one nearest to the quotient. With fewer digits
it is the same number, with zeros behind it. So one try tells. Where it does not fit, the quotient does (a tool
divided), or one of its neighbours.

A float32 has room for 7 to 9 digits more or less, and these are tried in turn; but whole and half pixels are taken to
be exact, as traced outlines are, so theirs is what a float64 would get.

    k / 10**e   the nearest float64 to the decimal, as k < 2**53 and e <= 22 are exact (Clinger, 1990)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, inline, kernel
from predarrow_engine.rle_text import fixed

_Floats = npt.NDArray[np.float64]

POWERS = np.array([10.0**e for e in range(23)])
_TOP64 = 1e15
_TOP32 = (1e6, 1e7, 1e8, 1e9)


def to_pixels(relative: npt.NDArray[np.float64], scale: npt.NDArray[np.float64] | float) -> _Floats:
    """Give relative coordinates, (n,) float64, in pixels: (n,) float64; `scale` is the image's width or height."""
    return relative * scale


def far_side(
    low: npt.NDArray[np.float64], extent: npt.NDArray[np.float64], scale: npt.NDArray[np.float64] | float
) -> _Floats:
    """Give the higher side in pixels of boxes with a relative extent, (n,) float64.

    Args:
        low: (n,) the lower side in pixels, as `to_pixels` gives it.
        extent: (n,) relative width or height.
        scale: the image's width or height.
    """
    return low + extent * scale


def sides(
    centre: npt.NDArray[np.float64],
    radius: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64] | float,
    radius_scale: npt.NDArray[np.float64] | float,
) -> tuple[_Floats, _Floats]:
    """Give the lower and the higher side in pixels, (n,) float64, of what has a centre and a radius.

    Args:
        centre: (n,) relative to `scale`.
        radius: (n,) relative to `radius_scale`.
        scale: the image's width or height.
        radius_scale: the same for an ellipse; other numbers for a circle's second axis (its radius in pixels).
    """
    middle, reach = centre * scale, radius * radius_scale
    return middle - reach, middle + reach


def shortest(pixels: npt.NDArray[np.floating[Any]], scale: npt.NDArray[np.float64] | float) -> _Floats:
    """Give the relative coordinate with the fewest digits that `to_pixels` turns into the very same pixel.

    Decimals of up to 15 significant digits come back the same from float64, up to 6 from float32 (but where they end at
    a whole or half pixel only by rounding); so do quotients of float64 or whole pixels and the scale, mostly.

    Args:
        pixels: (n,) float32 or float64.
        scale: (n,) or one for all: the image's width or height, positive.

    Returns:
        (n,) float64; the plain quotient where no number gives the pixel, or a number is not finite.
    """
    result = np.empty(len(pixels))
    scales = fixed(np.broadcast_to(np.asarray(scale, np.float64), pixels.shape))
    if pixels.dtype == np.float32:
        _shortest32(fixed(pixels), scales, result)
    else:
        _shortest64(fixed(np.asarray(pixels, np.float64)), scales, result)
    return result


def shortest_extent(
    high: npt.NDArray[np.float64],
    relative_low: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64] | float,
) -> _Floats:
    """Give the relative extent with the fewest digits that `far_side` turns into the very same higher side.

    Args:
        high: (n,) the higher side in pixels.
        relative_low: (n,) the lower side, as `shortest` gave it.
        scale: (n,) or one for all: the image's width or height, positive.

    Returns:
        (n,) float64; the plain quotient where no number gives the side, or a number is not finite.
    """
    result = np.empty(len(high))
    scales = fixed(np.broadcast_to(np.asarray(scale, np.float64), high.shape))
    _shortest_extent(fixed(np.asarray(high, np.float64)), fixed(relative_low), scales, result)
    return result


def shortest_round(
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64] | float,
    radius_scale: npt.NDArray[np.float64] | float,
) -> tuple[_Floats, _Floats]:
    """Give centre and radius with the fewest digits that `sides` turns into the very same sides.

    Args:
        low, high: (n,) sides in pixels.
        scale, radius_scale: (n,) or one for all, positive; see `sides`.

    Returns:
        Two (n,) float64; the plain quotients where no numbers near them give the sides, or a number is not finite.
    """
    centre, radius = np.empty(len(low)), np.empty(len(low))
    low, high = (fixed(np.asarray(side, np.float64)) for side in (low, high))
    scales, radius_scales = (
        fixed(np.broadcast_to(np.asarray(each, np.float64), low.shape)) for each in (scale, radius_scale)
    )
    _shortest_round(low, high, scales, radius_scales, centre, radius)
    return centre, radius


@inline
def room_for(size: float, top: float) -> np.uint64:
    """Give the decimal places, 0 to 22, that a number of this size has room for below 10**digits."""
    e = 15
    while e < 22 and size * POWERS[np.uint64(e)] * 10.0 < top:
        e += 1
    while e > 0 and size * POWERS[np.uint64(e)] >= top:
        e -= 1
    return np.uint64(e)


@inline
def nearest_decimal(value: float, places: np.uint64) -> float:
    """Give the nearest decimal with so many places."""
    return float(np.rint(value * POWERS[places]) / POWERS[places])


@inline
def neighbour(value: float, at: int) -> float:
    """Give a number's neighbour: 0 itself, 1 and 2 next to it, 3 and 4 beyond these."""
    for _ in range((at + 1) // 2):
        value = np.nextafter(value, np.inf if at % 2 else -np.inf)
    return value


@helper
def _one(pixel: float, scale: float) -> float:
    quotient = pixel / scale
    decimal = nearest_decimal(quotient, room_for(abs(quotient), _TOP64))
    if decimal * scale == pixel:
        return decimal
    for at in range(5):
        value = neighbour(quotient, at)
        if value * scale == pixel:
            return value
    return quotient


@kernel
def _shortest64(pixels: npt.NDArray[np.float64], scale: npt.NDArray[np.float64], result: _Floats) -> None:
    for i in range(np.uint64(pixels.size)):
        result[i] = _one(pixels[i], scale[i])


@kernel
def _shortest32(pixels: npt.NDArray[np.float32], scale: npt.NDArray[np.float64], result: _Floats) -> None:
    for i in range(np.uint64(pixels.size)):
        pixel = pixels[i]
        twice = 2.0 * np.float64(pixel)
        if twice == np.floor(twice):
            result[i] = _one(np.float64(pixel), scale[i])
            continue
        quotient = np.float64(pixel) / scale[i]
        result[i] = quotient
        for top in _TOP32:
            decimal = nearest_decimal(quotient, room_for(abs(quotient), top))
            if np.float32(decimal * scale[i]) == pixel:
                result[i] = decimal
                break


@kernel
def _shortest_extent(
    high: npt.NDArray[np.float64],
    relative_low: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    result: _Floats,
) -> None:
    for i in range(np.uint64(high.size)):
        low = relative_low[i] * scale[i]
        quotient = (high[i] - low) / scale[i]
        # The sides' roundings decide which digits can be told, so their size does, not the extent's.
        places = room_for(max(abs(low), abs(high[i])) / scale[i], _TOP64)
        extent = nearest_decimal(quotient, places)
        if low + extent * scale[i] != high[i]:
            extent = quotient
            for at in range(5):
                value = neighbour(quotient, at)
                if low + value * scale[i] == high[i]:
                    extent = value
                    break
        result[i] = extent


@kernel
def _shortest_round(
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    radius_scale: npt.NDArray[np.float64],
    centre: _Floats,
    radius: _Floats,
) -> None:
    for i in range(np.uint64(low.size)):
        middle = (0.5 * low[i] + 0.5 * high[i]) / scale[i]
        reach = (0.5 * high[i] - 0.5 * low[i]) / radius_scale[i]
        size = max(abs(low[i]), abs(high[i]))
        decimals = (
            nearest_decimal(middle, room_for(size / scale[i], _TOP64)),
            nearest_decimal(reach, room_for(size / radius_scale[i], _TOP64)),
        )
        centre[i], radius[i] = decimals
        if _gives(decimals[0] * scale[i], decimals[1] * radius_scale[i], low[i], high[i]):
            continue
        centre[i], radius[i] = middle, reach
        for at in range(25):
            values = neighbour(middle, at % 5), neighbour(reach, at // 5)
            if _gives(values[0] * scale[i], values[1] * radius_scale[i], low[i], high[i]):
                centre[i], radius[i] = values
                break


@inline
def _gives(middle: float, reach: float, low: float, high: float) -> bool:
    return middle - reach == low and middle + reach == high
