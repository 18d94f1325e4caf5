"""Rotations in space: quaternions from Euler angles and yaws, and back.

A quaternion is (qx, qy, qz, qw), the scalar last, and turns an object's own axes into those of the frame: v' = q v q*.
q and -q are the same rotation. Angles are radians, right-handed: positive about z turns x towards y.

Euler angles are (rx, ry, rz), always in this order, about x, y and z. What differs is which turn comes first:

    ZYX    R = Rz Ry Rx    about z, then the new y, then the new x (ISO 8855's yaw, pitch and roll); the same as about
                           the fixed x, then y, then z
    XYZ    R = Rx Ry Rz    about x, then the new y, then the new z (three.js's and Encord's "XYZ")

One follows from the other: XYZ of (rx, ry, rz) is ZYX of (rx, -ry, rz) with qy negated. With halves of angles, ZYX is

    w - y = k cos(rx + rz)/2    x + z = k sin(rx + rz)/2    k = sqrt2 cos(ry/2 + pi/4)
    w + y = l cos(rx - rz)/2    x - z = l sin(rx - rz)/2    l = sqrt2 sin(ry/2 + pi/4)

and four arctangents take it back, for quaternions of any length and without the loss of digits that an arcsine has
(the idea of Bernardes and Viollet, "Quaternion to Euler angles conversion", PLOS ONE 2022). Where ry is a quarter turn,
only the sum or only the difference of rx and rz means something; the other is taken as 0, or as what rounding left of
it, and the angles are still those of the very rotation.
"""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine.rle_text import fixed

Floats = npt.NDArray[np.float64]

_U = np.uint64


class Order(StrEnum):
    """Which of three turns comes first."""

    ZYX = "zyx"
    """About z, the new y, the new x: ISO 8855's yaw, pitch and roll."""
    XYZ = "xyz"
    """About x, the new y, the new z: three.js's."""


class Axis(StrEnum):
    """An axis of the frame."""

    Y = "y"
    Z = "z"


def norms(quaternions: npt.ArrayLike) -> Floats:
    """Give the lengths of quaternions.

    Args:
        quaternions: (n, 4) qx, qy, qz, qw.

    Returns:
        (n,) float64, NaN where a number is NaN; free of overflow.

    Raises:
        ValueError: another shape.
    """
    rows = _cast(quaternions, 4)
    out = np.empty(len(rows))
    _norms(rows, out)
    return out


def normalised(quaternions: npt.ArrayLike) -> Floats:
    """Give quaternions of length 1 in the direction of others; NaN where a length is 0 or not finite. See `norms`."""
    rows = _cast(quaternions, 4)
    lengths = norms(rows)
    lengths[lengths == 0] = np.nan
    with np.errstate(invalid="ignore"):
        result: Floats = rows / lengths[:, np.newaxis]
    return result


def from_euler(angles: npt.ArrayLike, order: Order) -> Floats:
    """Give Euler angles as quaternions.

    Args:
        angles: (n, 3) rx, ry, rz, radians.
        order: which turn comes first.

    Returns:
        (n, 4) float64 qx, qy, qz, qw, of length 1; NaN where an angle is not finite.

    Raises:
        ValueError: another shape.
    """
    rows = _cast(angles, 3)
    out = np.empty((len(rows), 4))
    _from_euler(rows, _sign(order), out)
    return out


def to_euler(quaternions: npt.ArrayLike, order: Order) -> Floats:
    """Give quaternions of any length but 0 as Euler angles.

    Args:
        quaternions: (n, 4) qx, qy, qz, qw.
        order: which turn comes first.

    Returns:
        (n, 3) float64 rx, ry, rz, radians, rx and rz from -pi to pi, ry from -pi/2 to pi/2.

    Raises:
        ValueError: another shape.
    """
    rows = _cast(quaternions, 4)
    out = np.empty((len(rows), 3))
    _to_euler(rows, _sign(order), out)
    return out


def from_yaw(yaw: npt.ArrayLike, axis: Axis) -> Floats:
    """Give turns about one axis of the frame as quaternions.

    Args:
        yaw: (n,) radians.
        axis: what they turn about.

    Returns:
        (n, 4) float64 qx, qy, qz, qw, of length 1; NaN where an angle is not finite.
    """
    half = np.asarray(yaw, np.float64) / 2
    out = np.zeros((half.size, 4))
    with np.errstate(invalid="ignore"):
        out[:, _PLACE[axis]], out[:, 3] = np.sin(half), np.cos(half)
    return out


def to_yaw(quaternions: npt.ArrayLike, axis: Axis) -> tuple[Floats, Floats]:
    """Give the turn about one axis of the frame, and how far the object's own such axis leans away from it.

    Args:
        quaternions: (n, 4) qx, qy, qz, qw, of any length but 0.
        axis: y or z.

    Returns:
        (n,) float64 yaws, radians from -pi to pi, and (n,) float64 leans, radians from 0 to pi. Where a lean is not 0,
        the yaw is that of the nearest rotation about the axis.

    Raises:
        ValueError: another shape.
    """
    rows = _cast(quaternions, 4)
    yaw, lean = np.empty(len(rows)), np.empty(len(rows))
    _to_yaw(rows, _PLACE[axis], yaw, lean)
    return yaw, lean


_PLACE = {Axis.Y: 1, Axis.Z: 2}


def _sign(order: Order) -> float:
    return 1.0 if Order(order) is Order.ZYX else -1.0


def _cast(values: npt.ArrayLike, n_columns: int) -> Floats:
    rows = np.asarray(values, np.float64)
    if rows.ndim != 2 or rows.shape[1] != n_columns:
        raise ValueError(f"must have shape (n, {n_columns}), got {rows.shape}")
    return fixed(rows)


@inline
def length(x: float, y: float, z: float, w: float) -> float:
    """Give the length of a quaternion."""
    square = x * x + y * y + z * z + w * w
    if 1e-200 < square < 1e200:
        return math.sqrt(square)
    return math.hypot(math.hypot(x, y), math.hypot(z, w))  # three times the time, but free of overflow


@inline
def _wrapped(angle: float) -> float:
    """Bring an angle from -2 pi ... 2 pi to -pi ... pi."""
    if angle > math.pi:
        return angle - 2.0 * math.pi
    if angle < -math.pi:
        return angle + 2.0 * math.pi
    return angle


@kernel
def _norms(quaternions: Floats, out: Floats) -> None:
    for i in range(_U(out.size)):
        x, y, z, w = quaternions[i]
        out[i] = length(x, y, z, w)


@kernel
def _from_euler(angles: Floats, sign: float, out: Floats) -> None:
    for i in range(_U(len(angles))):
        a, b, c = 0.5 * angles[i, 0], 0.5 * sign * angles[i, 1], 0.5 * angles[i, 2]
        ca, cb, cc = math.cos(a), math.cos(b), math.cos(c)
        sa, sb, sc = math.sin(a), math.sin(b), math.sin(c)
        out[i, 0] = sa * cb * cc - ca * sb * sc
        out[i, 1] = sign * (ca * sb * cc + sa * cb * sc)
        out[i, 2] = ca * cb * sc - sa * sb * cc
        out[i, 3] = ca * cb * cc + sa * sb * sc


@kernel
def _to_euler(quaternions: Floats, sign: float, out: Floats) -> None:
    for i in range(_U(len(quaternions))):
        x, y, z, w = quaternions[i]
        y *= sign
        half_sum, half_difference = math.atan2(x + z, w - y), math.atan2(x - z, w + y)
        quarter_on = math.atan2(math.hypot(x - z, w + y), math.hypot(x + z, w - y))
        out[i, 0] = _wrapped(half_sum + half_difference)
        out[i, 1] = sign * (2.0 * quarter_on - 0.5 * math.pi)
        out[i, 2] = _wrapped(half_sum - half_difference)


@kernel
def _to_yaw(quaternions: Floats, place: int, yaw: Floats, lean: Floats) -> None:
    for i in range(_U(yaw.size)):
        x, y, z, w = quaternions[i]
        own, across = (y, z) if place == 1 else (z, y)
        yaw[i] = _wrapped(2.0 * math.atan2(own, w))
        lean[i] = 2.0 * math.atan2(math.hypot(x, across), math.hypot(own, w))
