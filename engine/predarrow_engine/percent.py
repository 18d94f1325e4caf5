"""Percent of an image's size <-> pixels, as Label Studio has it, so that the same percents go back.

One formula each way, all in float64:

    pixel       percent * size / 100, settled: see `percent_pixels`
    far side    low + the extent's pixels
    sides       the centre's pixels - the radius' pixels, and +
    corners     a box's percents and angle: (x, y) is the top-left corner, which the rotation leaves in place; all are
                brought to pixels first, as an angle means nothing in percents (`rotated`), then to the centre

The size is not divided by 100 first: that would round what all percents of an image share, 29 / 100 * 100 is
28.999999999999996. Back, the percent is looked for that these formulas turn into the very pixels that are stored
(`percent_back`).

Source: the formula of Label Studio's documentation, `pixel / size * 100`, the other way round.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import kernel
from predarrow_engine.percent_back import nearest_extents, nearest_percents, nearest_percents32, nearest_rounds
from predarrow_engine.percent_boxes import nearest_boxes, turned_sides
from predarrow_engine.percent_pixels import pixel_of
from predarrow_engine.rle_text import fixed
from predarrow_engine.rotated import turn

_Floats = npt.NDArray[np.float64]
_Scale = npt.NDArray[np.float64] | float


def to_pixels(percent: _Floats, size: _Scale) -> _Floats:
    """Give percents, (n,) float64, in pixels: (n,) float64; `size` is the image's width or height, (n,) or one."""
    pixels = np.empty(len(percent))
    _pixels(fixed(percent), _each(size, percent), pixels)
    return pixels


def far_side(low: _Floats, extent: _Floats, size: _Scale) -> _Floats:
    """Give the higher side in pixels, (n,) float64, of what has a lower side and an extent.

    Args:
        low: (n,) the lower side in pixels, as `to_pixels` gives it.
        extent: (n,) width or height in percent.
        size: (n,) or one for all: the image's width or height.
    """
    return low + to_pixels(extent, size)


def sides(centre: _Floats, radius: _Floats, size: _Scale) -> tuple[_Floats, _Floats]:
    """Give the lower and the higher side in pixels, two (n,) float64, of what has a centre and a radius in percent."""
    middle, reach = to_pixels(centre, size), to_pixels(radius, size)
    return middle - reach, middle + reach


def corners(boxes: _Floats, degrees: _Floats, widths: _Floats, heights: _Floats) -> _Floats:
    """Give boxes in percent, rotated about their top-left corners, as their unrotated forms about their centres.

    Args:
        boxes: (4, n) x, y, width and height in percent. Extents below 0 stay below 0.
        degrees: (n,) clockwise on screen; they hold for the result, too. Where they are 0, sides are those of
            `to_pixels` and `far_side`.
        widths, heights: (n,) of the image in pixels.

    Returns:
        (4, n) float64 xmin, ymin, xmax and ymax in pixels, x right, y down; NaN where a number is not finite.
    """
    found = np.empty(boxes.shape)
    _corners(fixed(boxes), fixed(degrees), fixed(widths), fixed(heights), found)
    return found


def shortest(pixels: npt.NDArray[np.floating[Any]], size: _Scale) -> _Floats:
    """Give the percent that `to_pixels` turns into the very same pixel: a short one, or the one that tools compute.

    Decimals of up to 12 significant digits come back the same from float64, up to 6 from float32; so do
    `x / size * 100` of pixels x that are float32 numbers or have up to six places (from float32: in halves), and
    nearly all float32 numbers (from float64). Pixels that have up to six places or are float32 numbers are what their
    percents give again.

    Args:
        pixels: (n,) float32 or float64.
        size: (n,) or one for all: the image's width or height, positive.

    Returns:
        (n,) float64; the plain quotient where no number near it gives the pixel, or one is not finite.
    """
    found = np.empty(len(pixels))
    if pixels.dtype == np.float32:
        nearest_percents32(fixed(pixels), _each(size, found), found)
    else:
        nearest_percents(fixed(np.asarray(pixels, np.float64)), _each(size, found), found)
    return found


def shortest_extent(high: _Floats, percent_low: _Floats, size: _Scale) -> _Floats:
    """Give the extent in percent that `far_side` turns into the very same higher side; see `shortest`.

    Args:
        high: (n,) the higher side in pixels.
        percent_low: (n,) the lower side, as `shortest` gave it.
        size: (n,) or one for all: the image's width or height, positive.
    """
    found = np.empty(len(high))
    nearest_extents(fixed(high), fixed(percent_low), _each(size, found), found)
    return found


def shortest_round(low: _Floats, high: _Floats, size: _Scale) -> tuple[_Floats, _Floats]:
    """Give centre and radius in percent that `sides` turns into the very same sides; see `shortest`.

    Args:
        low, high: (n,) sides in pixels.
        size: (n,) or one for all: the image's width or height, positive.
    """
    centre, radius = np.empty(len(low)), np.empty(len(low))
    nearest_rounds(fixed(low), fixed(high), _each(size, low), centre, radius)
    return centre, radius


def shortest_boxes(sides: _Floats, degrees: _Floats, widths: _Floats, heights: _Floats) -> _Floats:
    """Give boxes in percent, rotated about their top-left corners, that `corners` turns into the very same sides.

    Where the angle is 0 they are what `shortest` and `shortest_extent` give. Others come back as those do, but decimals
    of up to about 10 digits only; what no such box was may be off by some units in the last place.

    Args:
        sides: (4, n) xmin, ymin, xmax and ymax in pixels, unrotated about the centre.
        degrees: (n,) clockwise on screen.
        widths, heights: (n,) of the image in pixels, positive.

    Returns:
        (4, n) float64 x, y, width and height in percent.
    """
    found = np.empty(sides.shape)
    nearest_boxes(fixed(sides), fixed(degrees), fixed(widths), fixed(heights), found)
    return found


def _each(size: _Scale, like: _Floats) -> _Floats:
    return fixed(np.broadcast_to(np.asarray(size, np.float64), like.shape))


@kernel
def _pixels(percent: _Floats, size: _Floats, pixels: _Floats) -> None:
    for i in range(np.uint64(pixels.size)):
        pixels[i] = pixel_of(percent[i], size[i])


@kernel
def _corners(boxes: _Floats, degrees: _Floats, widths: _Floats, heights: _Floats, found: _Floats) -> None:
    for i in range(np.uint64(degrees.size)):
        x, width = pixel_of(boxes[0, i], widths[i]), pixel_of(boxes[2, i], widths[i])
        y, height = pixel_of(boxes[1, i], heights[i]), pixel_of(boxes[3, i], heights[i])
        if degrees[i] == 0.0:
            found[0, i], found[1, i], found[2, i], found[3, i] = x, y, x + width, y + height
        else:
            found[0, i], found[1, i], found[2, i], found[3, i] = turned_sides(x, y, width, height, *turn(degrees[i]))
