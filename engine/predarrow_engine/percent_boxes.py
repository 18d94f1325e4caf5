"""Sides of boxes in pixels -> percents of boxes that are rotated about their top-left corners.

A box with an angle keeps its unrotated form about the centre, so four sides are four sums of what its percents gave:

    xmin = (x + (u cos - v sin)) - u      u, v half the width and height; xmax with + u; the same for y

Width, height and the corner are taken from the sides and settled. What they were, but for the sums' roundings, is
looked for among short numbers first, then among decimals of more and more digits, then in the corner's neighbourhood.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, inline, kernel
from predarrow_engine.percent_back import extent_of, percent_of
from predarrow_engine.percent_pixels import ROUNDINGS, is_settled, pixel_of, settled
from predarrow_engine.relative import nearest_decimal, neighbour, room_for
from predarrow_engine.rotated import turn

_Floats = npt.NDArray[np.float64]
_Four = tuple[float, float, float, float]

_TOPS = (1e4, 1e6, 1e8, 1e10, 1e12, 1e13, 1e14)
_N_NEIGHBOURS = 5


@inline
def turned_sides(x: float, y: float, width: float, height: float, cosine: float, sine: float) -> _Four:
    """Give xmin, ymin, xmax and ymax, unrotated about the centre, of a box that is rotated about (x, y)."""
    u, v = 0.5 * width, 0.5 * height
    cx, cy = x + (u * cosine - v * sine), y + (u * sine + v * cosine)
    return cx - u, cy - v, cx + u, cy + v


@kernel
def nearest_boxes(sides: _Floats, degrees: _Floats, widths: _Floats, heights: _Floats, found: _Floats) -> None:
    """Write boxes; see `percent.shortest_boxes`."""
    for i in range(np.uint64(degrees.size)):
        box = sides[0, i], sides[1, i], sides[2, i], sides[3, i]
        if degrees[i] == 0.0:
            percents = _upright(box, widths[i], heights[i])
        else:
            percents = _turned(box, degrees[i], widths[i], heights[i])
        found[0, i], found[1, i], found[2, i], found[3, i] = percents


@helper
def _upright(box: _Four, width: float, height: float) -> _Four:
    x, y = percent_of(box[0], width), percent_of(box[1], height)
    return x, y, extent_of(box[2], pixel_of(x, width), width), extent_of(box[3], pixel_of(y, height), height)


@inline
def _fits(percents: _Four, box: _Four, width: float, height: float, cosine: float, sine: float) -> bool:
    x, y = pixel_of(percents[0], width), pixel_of(percents[1], height)
    sides = turned_sides(x, y, pixel_of(percents[2], width), pixel_of(percents[3], height), cosine, sine)
    return sides[0] == box[0] and sides[1] == box[1] and sides[2] == box[2] and sides[3] == box[3]


@helper
def _turned(box: _Four, degrees: float, width: float, height: float) -> _Four:
    cosine, sine = turn(degrees)
    u, v = 0.5 * box[2] - 0.5 * box[0], 0.5 * box[3] - 0.5 * box[1]
    x = 0.5 * box[0] + 0.5 * box[2] - (u * cosine - v * sine)
    y = 0.5 * box[1] + 0.5 * box[3] - (u * sine + v * cosine)
    # A rotation brings one axis' roundings to both.
    largest = max(max(abs(box[0]), abs(box[2])), max(abs(box[1]), abs(box[3])))
    reach = 2.0 * largest * ROUNDINGS
    across, down = settled(2.0 * u, reach), settled(2.0 * v, reach)
    corner = settled(x, reach), settled(y, reach)
    if is_settled(corner[0]) and is_settled(corner[1]) and is_settled(across) and is_settled(down):
        first, second = percent_of(corner[0], width), percent_of(corner[1], height)
        short = first, second, percent_of(across, width), percent_of(down, height)
        if _fits(short, box, width, height, cosine, sine):
            return short
    exact = x * 100.0 / width, y * 100.0 / height, across * 100.0 / width, down * 100.0 / height
    for top in _TOPS:
        places = room_for(largest * 100.0 / width, top), room_for(largest * 100.0 / height, top)
        first, second = nearest_decimal(exact[0], places[0]), nearest_decimal(exact[1], places[1])
        decimal = first, second, nearest_decimal(exact[2], places[0]), nearest_decimal(exact[3], places[1])
        if _fits(decimal, box, width, height, cosine, sine):
            return decimal
    extents = percent_of(across, width), percent_of(down, height)
    for at in range(_N_NEIGHBOURS * _N_NEIGHBOURS):
        first, second = neighbour(exact[0], at % _N_NEIGHBOURS), neighbour(exact[1], at // _N_NEIGHBOURS)
        near = first, second, extents[0], extents[1]
        if _fits(near, box, width, height, cosine, sine):
            return near
    return exact
