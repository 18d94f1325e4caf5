"""Rotated boxes: corners, axis-aligned cover, and from one pivot to the other.

Pixels, x right, y down; degrees, clockwise on screen. With y down, the usual rotation matrix turns clockwise:

    (u, v) -> (u cos - v sin, u sin + v cos)

A box is its unrotated form and an angle. About its centre, as the table has it, the form is cx, cy, w, h, and a corner
lies at the centre plus the turned (+-w/2, +-h/2). About its top-left corner, as Label Studio has it, the form is
x, y, w, h, where (x, y) is that corner, which the rotation does not move; the centre lies at (x, y) plus the turned
(w/2, h/2).

Rotation is in pixel space: percent and relative boxes are brought to pixels first (`boxes.convert`), as an angle means
nothing where x and y have different units.

Angles are brought to -45 ... 45 degrees and a number of quarter turns in exact arithmetic before sine and cosine are
taken, so that quarter turns are exact and an angle of any size is as good as the same one below 360.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel


def corner_points(boxes: npt.ArrayLike, degrees: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Give the corners of boxes that are rotated about their centres.

    Args:
        boxes: (n, 4) cx, cy, w, h in pixels.
        degrees: (n,) or one for all, clockwise on screen.

    Returns:
        (n, 4, 2) float64 x and y in pixels: what was the top-left corner before the rotation, then top-right,
        bottom-right and bottom-left. NaN where a number or an angle is not finite.

    Raises:
        ValueError: shapes that do not hold.
    """
    rows, angles = _cast(boxes, degrees)
    points = np.empty((len(angles), 4, 2))
    _corner_points(rows, angles, points.reshape(-1))
    return points


def cover(boxes: npt.ArrayLike, degrees: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Give the smallest axis-aligned boxes around boxes that are rotated about their centres.

    Args:
        boxes: (n, 4) cx, cy, w, h in pixels.
        degrees: (n,) or one for all, clockwise on screen.

    Returns:
        (4, n) float64 xmin, ymin, xmax and ymax in pixels, as `boxes.to_corners` gives them.

    Raises:
        ValueError: shapes that do not hold.
    """
    rows, angles = _cast(boxes, degrees)
    corners = np.empty((4, len(angles)))
    _cover(rows, angles, corners.reshape(-1))
    return corners


def centre_from_top_left(boxes: npt.ArrayLike, degrees: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Give boxes that are rotated about their top-left corners as boxes rotated about their centres.

    Args:
        boxes: (n, 4) x, y, w, h in pixels, (x, y) the corner that the rotation leaves in place.
        degrees: (n,) or one for all, clockwise on screen; they hold for the result, too.

    Returns:
        (n, 4) float64 cx, cy, w, h in pixels.

    Raises:
        ValueError: shapes that do not hold.
    """
    return _moved(boxes, degrees, 0.5)


def top_left_from_centre(boxes: npt.ArrayLike, degrees: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Give boxes that are rotated about their centres as boxes rotated about their top-left corners.

    The inverse of `centre_from_top_left`, within 1 ulp of the largest of the numbers.

    Args:
        boxes: (n, 4) cx, cy, w, h in pixels.
        degrees: (n,) or one for all, clockwise on screen; they hold for the result, too.

    Returns:
        (n, 4) float64 x, y, w, h in pixels, (x, y) the corner that the rotation leaves in place.

    Raises:
        ValueError: shapes that do not hold.
    """
    return _moved(boxes, degrees, -0.5)


def _moved(boxes: npt.ArrayLike, degrees: npt.ArrayLike, share: float) -> npt.NDArray[np.float64]:
    rows, angles = _cast(boxes, degrees)
    moved = np.empty((len(angles), 4))
    _move(rows, angles, share, moved.reshape(-1))
    return moved


def _cast(boxes: npt.ArrayLike, degrees: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give boxes flat and an angle for each, contiguous and read-only."""
    rows = np.asarray(boxes, np.float64)
    if rows.ndim != 2 or rows.shape[1] != 4:
        raise ValueError(f"boxes must have shape (n, 4), got {rows.shape}")
    angles = np.asarray(degrees, np.float64)
    if angles.shape not in ((), (len(rows),)):
        raise ValueError(f"degrees must be one number or have shape ({len(rows)},), got {angles.shape}")
    flat, each = rows.ravel(), np.ascontiguousarray(np.broadcast_to(angles, len(rows))).view()
    flat.setflags(write=False)
    each.setflags(write=False)
    return flat, each


@inline
def turn(degrees: float) -> tuple[float, float]:
    """Give cosine and sine."""
    if not math.isfinite(degrees):
        return math.nan, math.nan
    below = np.fmod(degrees, 360.0)
    quarters = math.floor(below / 90.0 + 0.5)
    rest = (below - 90.0 * quarters) * (math.pi / 180.0)
    cosine, sine = math.cos(rest), math.sin(rest)
    turn = int(quarters) & 3
    if turn == 1:
        return -sine, cosine
    if turn == 2:
        return -cosine, -sine
    if turn == 3:
        return sine, -cosine
    return cosine, sine


@kernel
def _corner_points(
    boxes: npt.NDArray[np.float64], degrees: npt.NDArray[np.float64], points: npt.NDArray[np.float64]
) -> None:
    """Write eight numbers a box."""
    for i in range(np.uint64(degrees.size)):
        k = np.uint64(4) * np.uint64(i)
        to = np.uint64(8) * np.uint64(i)
        cx, cy = boxes[k], boxes[k + np.uint64(1)]
        u, v = 0.5 * boxes[k + np.uint64(2)], 0.5 * boxes[k + np.uint64(3)]
        cosine, sine = turn(degrees[i])
        for corner in range(np.uint64(4)):
            du = u if corner == 1 or corner == 2 else -u
            dv = v if corner >= 2 else -v
            points[to] = cx + (du * cosine - dv * sine)
            points[to + np.uint64(1)] = cy + (du * sine + dv * cosine)
            to += np.uint64(2)


@kernel
def _cover(boxes: npt.NDArray[np.float64], degrees: npt.NDArray[np.float64], corners: npt.NDArray[np.float64]) -> None:
    """Write four columns, one after the other."""
    n = np.uint64(degrees.size)
    for i in range(n):
        k = np.uint64(4) * np.uint64(i)
        cx, cy = boxes[k], boxes[k + np.uint64(1)]
        u, v = abs(0.5 * boxes[k + np.uint64(2)]), abs(0.5 * boxes[k + np.uint64(3)])
        cosine, sine = turn(degrees[i])
        reach_x = u * abs(cosine) + v * abs(sine)
        reach_y = u * abs(sine) + v * abs(cosine)
        corners[i] = cx - reach_x
        corners[n + i] = cy - reach_y
        corners[n + n + i] = cx + reach_x
        corners[n + n + n + i] = cy + reach_y


@kernel
def _move(
    boxes: npt.NDArray[np.float64], degrees: npt.NDArray[np.float64], share: float, moved: npt.NDArray[np.float64]
) -> None:
    """Write boxes whose first two numbers are moved by a share of their turned diagonal."""
    for i in range(np.uint64(degrees.size)):
        k = np.uint64(4) * np.uint64(i)
        w, h = boxes[k + np.uint64(2)], boxes[k + np.uint64(3)]
        u, v = share * w, share * h
        cosine, sine = turn(degrees[i])
        moved[k] = boxes[k] + (u * cosine - v * sine)
        moved[k + np.uint64(1)] = boxes[k + np.uint64(1)] + (u * sine + v * cosine)
        moved[k + np.uint64(2)] = w
        moved[k + np.uint64(3)] = h
