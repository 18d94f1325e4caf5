"""Ellipses: cover, outline within a tolerance, run lengths.

Pixels, x right, y down; an ellipse is its centre, its semi-axes a and b, and the angle of a, degrees clockwise on
screen. A circle has a = b. With c and s the angle's cosine and sine, it reaches

    X = sqrt(a^2 c^2 + b^2 s^2)        Y = sqrt(a^2 s^2 + b^2 c^2)

from its centre, and in the column at u from the centre it spans

    v = u c s (a^2 - b^2) / X^2  +-  a b sqrt(X^2 - u^2) / X^2.

An outline has n vertices at equal steps of the eccentric anomaly, on an ellipse that is 1 + g times as large. On the
unit circle such a ring runs between 1 + g and (1 + g) cos(pi / n), and the circle's image stretches distances by the
longer semi-axis r at most. So the ring stays within a tolerance of r t where g <= t and (1 + g) cos(pi / n) >= 1 - t,
for which

    n >= pi / (2 atan sqrt t)          as cos(2 atan sqrt t) = (1 - t) / (1 + t)

vertices are enough, and fewer are not, on a circle. (On a long ellipse unequal steps could do with fewer.) Of the g
that are then left, the one is taken that gives the ring the ellipse's area, 1 + g = sqrt(2 pi / n / sin(2 pi / n)), or
the nearest one to it. Rounding to float32 comes on top.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine.rle_fill import check_sizes, first_centre
from predarrow_engine.rle_polygons import write_runs
from predarrow_engine.rle_sets import Counts
from predarrow_engine.rle_text import fixed
from predarrow_engine.rotated import turn
from predarrow_engine.runs import ONE

LEAST_VERTICES = 4
MOST_VERTICES = 2**31 - 1
"""Of all outlines together: Arrow's lists count in 32 bits."""

_U = np.uint64


class Rings(NamedTuple):
    """Outlines, one a row."""

    x: npt.NDArray[np.float32]
    """(n_vertices,) pixels, x right, y down; clockwise on screen from the end of the first semi-axis on"""
    y: npt.NDArray[np.float32]
    offsets: npt.NDArray[np.int32]
    """(n + 1,) first vertex of each"""


def outlines(ellipses: npt.NDArray[np.float64], degrees: npt.NDArray[np.float64], tolerance: float) -> Rings:
    """Give polygons that run along ellipses, no further from them than a tolerance.

    Args:
        ellipses: (n, 4) centre x and y and the semi-axes a and b, pixels, finite, semi-axes not negative.
        degrees: (n,) of a, clockwise on screen, finite.
        tolerance: pixels, positive; 0.25 takes 8 vertices for a radius of 5 pixels, 25 for one of 60.

    Raises:
        ValueError: a number out of its range, or more than 2**31 - 1 vertices in all.
    """
    rows, angles = _cast(ellipses, degrees)
    if not (math.isfinite(tolerance) and tolerance > 0):
        raise ValueError(f"tolerance must be positive and finite, got {tolerance}")
    n_vertices = vertex_counts(ellipses, tolerance)
    if n_vertices.sum() > MOST_VERTICES:
        raise ValueError(f"outlines have at most {MOST_VERTICES} vertices in all, got {n_vertices.sum():.0f}")
    offsets = np.zeros(len(angles) + 1, np.int64)
    np.cumsum(n_vertices, out=offsets[1:])
    x, y = np.empty(offsets[-1], np.float32), np.empty(offsets[-1], np.float32)
    _draw(rows, angles, fixed(_shares(ellipses, tolerance)), fixed(offsets), x, y)
    return Rings(x, y, offsets.astype(np.int32))


def vertex_counts(ellipses: npt.NDArray[np.float64], tolerance: float) -> npt.NDArray[np.float64]:
    """Give the number of vertices, (n,) float64 as it may be large, that `outlines` makes for each ellipse."""
    n_vertices: npt.NDArray[np.float64] = np.ceil(np.pi / (2 * np.arctan(np.sqrt(_shares(ellipses, tolerance)))))
    return np.maximum(n_vertices, LEAST_VERTICES)


def _shares(ellipses: npt.NDArray[np.float64], tolerance: float) -> npt.NDArray[np.float64]:
    """Give the tolerance as a share of the longer semi-axis, at most 1."""
    longest = np.maximum(ellipses[:, 2], ellipses[:, 3])
    shares: npt.NDArray[np.float64] = np.ones(len(longest))
    np.divide(tolerance, longest, out=shares, where=longest > tolerance)
    return shares


def cover(ellipses: npt.NDArray[np.float64], degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give the smallest axis-aligned boxes around ellipses; see `outlines`.

    Returns:
        (4, n) float64 xmin, ymin, xmax and ymax in pixels.

    Raises:
        ValueError: a number out of its range.
    """
    rows, angles = _cast(ellipses, degrees)
    corners = np.empty((4, len(angles)))
    _cover(rows, angles, corners)
    return corners


def run_lengths(
    ellipses: npt.NDArray[np.float64], degrees: npt.NDArray[np.float64], sizes: npt.NDArray[np.int64]
) -> Counts:
    """Give the run lengths of ellipses: of the pixels whose centres lie in them; what lies outside the mask is cut off.

    Args:
        ellipses, degrees: see `outlines`.
        sizes: (n, 2) height and width of each mask.

    Raises:
        ValueError: a number out of its range, or a size that `rle_fill.check_sizes` refuses.
    """
    rows, angles = _cast(ellipses, degrees)
    check_sizes(sizes)
    offsets = np.zeros(len(angles) + 1, np.int64)
    counts = _fill(rows, angles, fixed(sizes), offsets)
    return counts, offsets


def _cast(
    ellipses: npt.NDArray[np.float64], degrees: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    if not (np.isfinite(ellipses).all() and np.isfinite(degrees).all() and (ellipses[:, 2:] >= 0).all()):
        raise ValueError("centres, semi-axes and angles must be finite, semi-axes at least 0")
    return fixed(np.asarray(ellipses, np.float64)), fixed(np.asarray(degrees, np.float64))


@inline
def _reach(a: float, b: float, cosine: float, sine: float) -> float:
    return math.sqrt((a * cosine) ** 2 + (b * sine) ** 2)


@kernel
def _cover(
    ellipses: npt.NDArray[np.float64], degrees: npt.NDArray[np.float64], corners: npt.NDArray[np.float64]
) -> None:
    for i in range(_U(degrees.size)):
        x, y, a, b = ellipses[i]
        cosine, sine = turn(degrees[i])
        wide, high = _reach(a, b, cosine, sine), _reach(b, a, cosine, sine)
        corners[0, i], corners[1, i], corners[2, i], corners[3, i] = x - wide, y - high, x + wide, y + high


@kernel
def _draw(
    ellipses: npt.NDArray[np.float64],
    degrees: npt.NDArray[np.float64],
    share: npt.NDArray[np.float64],
    offsets: npt.NDArray[np.int64],
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.float32],
) -> None:
    for i in range(_U(degrees.size)):
        centre_x, centre_y, a, b = ellipses[i]
        cosine, sine = turn(degrees[i])
        begin, end = _U(offsets[i]), _U(offsets[i + ONE])
        step = 2.0 * math.pi / (end - begin)
        scale = min(math.sqrt(step / math.sin(step)), 1.0 + share[i])
        for k in range(end - begin):
            u, v = a * scale * math.cos(step * k), b * scale * math.sin(step * k)
            x[begin + k] = centre_x + (u * cosine - v * sine)
            y[begin + k] = centre_y + (u * sine + v * cosine)


@kernel
def _fill(
    ellipses: npt.NDArray[np.float64],
    degrees: npt.NDArray[np.float64],
    sizes: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64],
) -> npt.NDArray[np.uint32]:
    counts = np.empty(1024, np.uint32)
    places = np.empty(1024, np.int64)
    n = np.int64(0)
    for i in range(_U(degrees.size)):
        x, y, a, b = ellipses[i]
        height, width = sizes[i, 0], sizes[i, 1]
        cosine, sine = turn(degrees[i])
        reach = _reach(a, b, cosine, sine)
        first, last = first_centre(x - reach, width), first_centre(x + reach, width)
        most = 2 * (last - first) + 1
        if places.size < most:
            places = np.empty(2 * most, np.int64)
        n_places = 0
        for column in range(first, last):
            u = column + 0.5 - x
            middle = y + u / reach * (cosine * sine) * (a * a - b * b) / reach
            half = a / reach * b * math.sqrt(max((1.0 - u / reach) * (1.0 + u / reach), 0.0))
            places[n_places] = column * height + first_centre(middle - half, height)
            places[n_places + 1] = column * height + first_centre(middle + half, height)
            n_places += 2
        places[n_places] = height * width
        if counts.size < n + most:
            more = np.empty(2 * (n + most), np.uint32)
            more[:n] = counts[:n]
            counts = more
        n = write_runs(places[: n_places + 1], counts, n)
        offsets[i + ONE] = n
    return counts[:n]
