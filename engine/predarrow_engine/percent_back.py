"""Pixels -> the percents that `percent`'s formulas turn into the very same pixels.

Candidates are tried in turn, and the first that gives the pixel is taken:

    decimals     they lie further apart than all the roundings together, so at most one gives the pixel, the one nearest
                 to the quotient, or the next one. Of a pixel that is settled they have 12 digits: more could be in
                 reach of a computed one; else 15
    computed     x / size * 100 and x * 100 / size of the settled pixel x, as the editor and tools do it; the first
                 always gives it
    float32      as models give them: the quotient as a float32, in percent or as a fraction
    neighbours   of the quotient

A vertex is a float32, and its decimals have 6 to 9 digits. Whole and half pixels are taken to be exact, as traced
outlines are: theirs is what a float64 would get.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine.percent_pixels import ROUNDINGS, is_settled, pixel_of, settled
from predarrow_engine.relative import POWERS, nearest_decimal, neighbour, room_for

_Floats = npt.NDArray[np.float64]

_TOP, _TOP_SETTLED = 1e15, 1e12
_TOP32, _N_TOPS32 = 1e6, 4  # digits of a float32: 6 to 9
_MOST_PLACES = np.uint64(22)
_N_CANDIDATES = 12


@inline
def _candidate(at: int, pixel: float, simple: float, size: float, places: np.uint64) -> float:
    """Give candidate number `at` for a pixel, or for an extent in pixels, that is settled as `simple`."""
    quotient = pixel * 100.0 / size
    if at == 0:
        return nearest_decimal(quotient, places)
    if at == 1:
        decimal = nearest_decimal(quotient, places)
        return nearest_decimal(quotient + (quotient - decimal), places)  # the next one, on the quotient's side
    if at == 2:
        return float(np.float64(np.float32(quotient)))
    if at == 3:
        return float(np.float64(np.float32(pixel / size))) * 100.0
    if at == 4:
        return simple / size * 100.0
    if at == 5:
        return simple * 100.0 / size
    if at == 6:
        return pixel / size * 100.0
    return neighbour(quotient, at - 7)


@inline
def _top(simple: float) -> float:
    return _TOP_SETTLED if is_settled(simple) else _TOP


@inline
def _places32(percent: float) -> np.uint64:
    """Give the decimal places that a percent of 6 digits has: 4 from 10 on."""
    e = 4
    while e < 22 and percent * POWERS[np.uint64(e + 1)] < _TOP32:
        e += 1
    while e > 0 and percent * POWERS[np.uint64(e)] >= _TOP32:
        e -= 1
    return np.uint64(e)


@inline
def percent_of(pixel: float, size: float) -> float:
    """Give the percent of one pixel."""
    places = room_for(abs(pixel * 100.0 / size), _top(pixel))
    for at in range(_N_CANDIDATES):
        percent = _candidate(at, pixel, pixel, size, places)
        if pixel_of(percent, size) == pixel:
            return percent
    return pixel * 100.0 / size


@inline
def extent_of(high: float, low: float, size: float) -> float:
    """Give the percent of one extent, from its sides in pixels."""
    extent = high - low
    # The sides' roundings decide which digits can be told, so their size does, not the extent's.
    largest = max(abs(low), abs(high))
    simple = settled(extent, largest * ROUNDINGS)
    places = room_for(largest * 100.0 / size, _top(simple))
    for at in range(_N_CANDIDATES):
        percent = _candidate(at, extent, simple, size, places)
        if low + pixel_of(percent, size) == high:
            return percent
    return extent * 100.0 / size


@kernel
def nearest_percents(pixels: _Floats, size: _Floats, found: _Floats) -> None:
    """Write percents; see `percent.shortest`."""
    for i in range(np.uint64(found.size)):
        found[i] = percent_of(pixels[i], size[i])


@kernel
def nearest_percents32(pixels: npt.NDArray[np.float32], size: _Floats, found: _Floats) -> None:
    """Write percents of float32 numbers; see `percent.shortest`."""
    for i in range(np.uint64(found.size)):
        pixel = pixels[i]
        wide = np.float64(pixel)
        if 2.0 * wide == np.floor(2.0 * wide):
            found[i] = percent_of(wide, size[i])
            continue
        quotient = wide * 100.0 / size[i]
        found[i] = quotient
        places = _places32(abs(quotient))
        for _ in range(_N_TOPS32):
            decimal = nearest_decimal(quotient, min(places, _MOST_PLACES))
            places += np.uint64(1)
            # What is settled is rarely another float32, and takes longer to tell.
            if np.float32(decimal * size[i] / 100.0) == pixel and np.float32(pixel_of(decimal, size[i])) == pixel:
                found[i] = decimal
                break


@kernel
def nearest_extents(high: _Floats, percent_low: _Floats, size: _Floats, found: _Floats) -> None:
    """Write extents; see `percent.shortest_extent`."""
    for i in range(np.uint64(found.size)):
        found[i] = extent_of(high[i], pixel_of(percent_low[i], size[i]), size[i])


@kernel
def nearest_rounds(low: _Floats, high: _Floats, size: _Floats, centre: _Floats, radius: _Floats) -> None:
    """Write centres and radii; see `percent.shortest_round`."""
    for i in range(np.uint64(centre.size)):
        largest = max(abs(low[i]), abs(high[i]))
        middle, reach = 0.5 * low[i] + 0.5 * high[i], 0.5 * high[i] - 0.5 * low[i]
        simple = settled(middle, largest * ROUNDINGS), settled(reach, largest * ROUNDINGS)
        size_in_percent = largest * 100.0 / size[i]
        places = room_for(size_in_percent, _top(simple[0])), room_for(size_in_percent, _top(simple[1]))
        centre[i], radius[i] = middle * 100.0 / size[i], reach * 100.0 / size[i]
        for at in range(_N_CANDIDATES * _N_CANDIDATES):
            first = _candidate(at % _N_CANDIDATES, middle, simple[0], size[i], places[0])
            second = _candidate(at // _N_CANDIDATES, reach, simple[1], size[i], places[1])
            wide, far = pixel_of(first, size[i]), pixel_of(second, size[i])
            if wide - far == low[i] and wide + far == high[i]:
                centre[i], radius[i] = first, second
                break
