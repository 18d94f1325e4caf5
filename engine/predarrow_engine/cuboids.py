"""Cuboids from one convention to another: which way the frame's and the object's own axes run, and what sizes mean.

A cuboid is ten numbers: x, y, z, qx, qy, qz, qw and three sizes. The quaternion turns the object's own axes into the
frame's. Sizes are taken in the table's order, its seventh, eighth and ninth column ("width", "length", "height"):

    convention   frame             own axes            sizes along           (x, y, z) is
    openlabel    x y z             forward left up     own x, own y, own z   the centre
    kognic       x y z             right forward up    own x, own y, own z   the centre
    encord       x y z             forward left up     own y, own x, own z   the centre
    kitti        -y -z x           forward down left   own z, own x, own y   the middle of the bottom face

"openlabel" is ISO 8855, zero heading along +x: an OpenLABEL file's sx, sy, sz as they stand, so that its "width" is
the size along the heading. "kognic" has its zero heading along +y, with the width on x and the length on y; a turn by
+90 degrees about own z and an exchange of sx and sy make it ISO 8855, as Kognic's page on OpenLABEL says (Rotation of
cuboids). "encord" has ISO 8855's axes and the names that belong to them. "kitti" is the rectified camera's frame,
x right, y down, z forward, where the others have x forward, y left, z up; rotation_y turns about the frame's y.

The frames share their origin: what lies between a lidar and a camera is a calibration, which no convention knows.

With B the turn of frames and A that of own axes, a rotation R becomes B R A', so a quaternion q becomes b q a*, which
is one matrix of 0, 1 and sqrt(1/2) over its four numbers. A way there and back is the same within 2 ulp of the largest
number, a centre within 2 ulp of the largest of itself and the height; quaternions keep their lengths.
"""

from __future__ import annotations

import math
from enum import StrEnum
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine import rotations
from predarrow_engine._jit import Index, inline, kernel
from predarrow_engine.rle_text import fixed
from predarrow_engine.rotations import Axis, Floats, Order

N_NUMBERS = 10

_U = np.uint64


class Convention(StrEnum):
    """Which way axes run, and what sizes and position mean."""

    OPENLABEL = "openlabel"
    """ISO 8855: heading along own +x; sizes sx, sy, sz."""
    KOGNIC = "kognic"
    """Heading along own +y; sizes sx, sy, sz: width, length, height."""
    ENCORD = "encord"
    """Width, length and height along own y, x and z."""
    KITTI = "kitti"
    """The camera's frame; (x, y, z) is the middle of the bottom face."""


class Conversion(NamedTuple):
    """From one convention to another, as `conversion` gives it."""

    turn: Floats
    """(4, 4) what a quaternion is multiplied by"""
    axes: npt.NDArray[np.int64]
    """(3,) which of the position's numbers stands in x, y, z, from 1; negative where it is negated"""
    sizes: npt.NDArray[np.int64]
    """(3,) which of the ten numbers stands in each size"""
    lift: float
    """Heights along own y from the position to the centre, before the turn"""
    drop: float
    """Heights along own y from the centre to the position, after the turn"""


class _Form(NamedTuple):
    """How a convention lies to ISO 8855."""

    frame: tuple[float, float, float, float]
    """b: turns ISO 8855's frame into the convention's"""
    own: tuple[float, float, float, float]
    """a: turns ISO 8855's own axes into the convention's"""
    axes: tuple[int, int, int]
    sizes: tuple[int, int, int]
    """Places of the sizes along forward, left and up"""
    bottom: float
    """Heights along own y from the centre to (x, y, z)"""


_HALF = math.sqrt(0.5)
_NONE = (0.0, 0.0, 0.0, 1.0)
_FORMS = {
    Convention.OPENLABEL: _Form(_NONE, _NONE, (1, 2, 3), (7, 8, 9), 0.0),
    Convention.KOGNIC: _Form(_NONE, (0.0, 0.0, _HALF, _HALF), (1, 2, 3), (8, 7, 9), 0.0),
    Convention.ENCORD: _Form(_NONE, _NONE, (1, 2, 3), (8, 7, 9), 0.0),
    Convention.KITTI: _Form((0.5, -0.5, 0.5, 0.5), (_HALF, 0.0, 0.0, _HALF), (-2, -3, 1), (8, 7, 9), 0.5),
}
_EXACT = np.array([0.0, 0.5, _HALF, 1.0])


@cache
def conversion(source: str, target: str) -> Conversion:
    """Give the conversion from one convention to another; each a `Convention` or its text.

    Raises:
        ValueError: no such convention.
    """
    to_iso, from_iso = _FORMS[Convention(source)], _FORMS[Convention(target)]
    left = _times(from_iso.frame, _conjugate(to_iso.frame))
    right = _times(to_iso.own, _conjugate(from_iso.own))
    units: list[_Quaternion] = [(1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), _NONE]
    turn = np.array([_times(_times(left, unit), right) for unit in units]).T
    nearest = _EXACT[np.abs(np.abs(turn)[..., np.newaxis] - _EXACT).argmin(axis=-1)]
    back = [0, 0, 0]
    for place, axis in enumerate(to_iso.axes):
        back[abs(axis) - 1] = (place + 1) * (1 if axis > 0 else -1)
    axes = [back[abs(axis) - 1] * (1 if axis > 0 else -1) for axis in from_iso.axes]
    sizes = dict(zip(from_iso.sizes, to_iso.sizes, strict=True))
    order = [sizes[place] for place in range(7, N_NUMBERS)]
    moves = to_iso.bottom != from_iso.bottom
    return Conversion(
        fixed(np.copysign(nearest, turn)),
        fixed(np.array(axes, np.int64)),
        fixed(np.array(order, np.int64)),
        0.0 - to_iso.bottom if moves else 0.0,
        from_iso.bottom if moves else 0.0,
    )


def convert(cuboids: npt.ArrayLike, how: Conversion) -> Floats:
    """Give cuboids in another convention.

    Args:
        cuboids: (n, 10) x, y, z, qx, qy, qz, qw and the three sizes; never written to.
        how: what to do.

    Returns:
        (n, 10) float64, new. Numbers are computed and not judged: what is NaN stays so.

    Raises:
        ValueError: another shape.
    """
    rows = _cast(cuboids, N_NUMBERS)
    out = np.empty_like(rows)
    _convert(rows, how.turn, how.axes, how.sizes, how.lift, how.drop, out)
    return out


def norms(cuboids: npt.ArrayLike) -> Floats:
    """Give the lengths of the quaternions of (n, 10) cuboids, (n,); see `rotations.norms`."""
    return rotations.norms(_cast(cuboids, N_NUMBERS)[:, 3:7])


def normalised(cuboids: npt.ArrayLike) -> Floats:
    """Give (n, 10) cuboids with quaternions of length 1; see `rotations.normalised`."""
    rows = _cast(cuboids, N_NUMBERS)
    return _with_rotation(rows, rotations.normalised(rows[:, 3:7]))


def from_euler(cuboids: npt.ArrayLike, order: Order = Order.ZYX) -> Floats:
    """Give cuboids with Euler angles as such with quaternions.

    Args:
        cuboids: (n, 9) x, y, z, rx, ry, rz (radians) and three sizes, as OpenLABEL's cuboids of nine numbers.
        order: which turn comes first; OpenLABEL's frames are ISO 8855's, which has ZYX.

    Returns:
        (n, 10) float64; NaN for the quaternion where an angle is not finite.

    Raises:
        ValueError: another shape.
    """
    rows = _cast(cuboids, 9)
    return _with_rotation(rows, rotations.from_euler(rows[:, 3:6], order))


def to_euler(cuboids: npt.ArrayLike, order: Order = Order.ZYX) -> Floats:
    """Give (n, 10) cuboids as (n, 9) with Euler angles; see `from_euler` and `rotations.to_euler`."""
    rows = _cast(cuboids, N_NUMBERS)
    return _with_rotation(rows, rotations.to_euler(rows[:, 3:7], order))


def from_yaw(cuboids: npt.ArrayLike, convention: str) -> Floats:
    """Give cuboids that turn about the vertical only as such with quaternions.

    Args:
        cuboids: (n, 7) x, y, z, yaw (radians) and three sizes.
        convention: whose the yaw is: about the frame's z, and KITTI's rotation_y about its y.

    Returns:
        (n, 10) float64; NaN for the quaternion where a yaw is not finite.

    Raises:
        ValueError: another shape, or no such convention.
    """
    rows = _cast(cuboids, 7)
    return _with_rotation(rows, rotations.from_yaw(rows[:, 3], vertical(convention)))


def to_yaw(cuboids: npt.ArrayLike, convention: str) -> tuple[Floats, Floats]:
    """Give (n, 10) cuboids as (n, 7) with yaws, and (n,) how far each leans, radians; see `rotations.to_yaw`."""
    rows = _cast(cuboids, N_NUMBERS)
    yaw, lean = rotations.to_yaw(rows[:, 3:7], vertical(convention))
    return _with_rotation(rows, yaw[:, np.newaxis]), lean


def vertical(convention: str) -> Axis:
    """Give the frame's axis that runs up or down.

    Raises:
        ValueError: no such convention.
    """
    return Axis.Y if Convention(convention) is Convention.KITTI else Axis.Z


def _with_rotation(rows: Floats, rotation: Floats) -> Floats:
    return np.concatenate([rows[:, :3], rotation, rows[:, -3:]], axis=1)


def _cast(values: npt.ArrayLike, n_numbers: int) -> Floats:
    rows = np.asarray(values, np.float64)
    if rows.ndim != 2 or rows.shape[1] != n_numbers:
        raise ValueError(f"cuboids must have shape (n, {n_numbers}), got {rows.shape}")
    return fixed(rows)


_Quaternion = tuple[float, float, float, float]


def _conjugate(q: _Quaternion) -> _Quaternion:
    return -q[0], -q[1], -q[2], q[3]


def _times(p: _Quaternion, q: _Quaternion) -> _Quaternion:
    """Give Hamilton's product, scalars last."""
    (a, b, c, d), (x, y, z, w) = p, q
    return (
        d * x + a * w + b * z - c * y,
        d * y - a * z + b * w + c * x,
        d * z + a * y - b * x + c * w,
        d * w - a * x - b * y - c * z,
    )


@inline
def _own_y(x: float, y: float, z: float, w: float) -> tuple[float, float, float]:
    """Give the object's own y axis in the frame, of length 1 whatever the quaternion's."""
    square = x * x + y * y + z * z + w * w
    return 2.0 * (x * y - w * z) / square, (w * w + y * y - (x * x + z * z)) / square, 2.0 * (y * z + w * x) / square


@inline
def _lift(rows: Floats, i: Index, heights: float) -> tuple[float, float, float]:
    """Give the position, moved by some heights along own y."""
    x, y, z = rows[i, 0], rows[i, 1], rows[i, 2]
    if heights != 0.0:  # a quaternion that is none leaves the position alone where it can
        u, v, w = _own_y(rows[i, 3], rows[i, 4], rows[i, 5], rows[i, 6])
        far = heights * rows[i, 9]
        x, y, z = x + far * u, y + far * v, z + far * w
    return x, y, z


@kernel
def _convert(
    rows: Floats,
    turn: Floats,
    axes: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    lift: float,
    drop: float,
    out: Floats,
) -> None:
    for i in range(_U(len(rows))):
        x, y, z = _lift(rows, i, lift)
        for k in range(_U(3)):
            axis = abs(axes[k])
            value = x if axis == 1 else (y if axis == 2 else z)
            out[i, k] = value if axes[k] > 0 else -value
            out[i, _U(7) + k] = rows[i, _U(sizes[k])]
        for k in range(_U(4)):
            total = 0.0
            for m in range(_U(4)):
                total += turn[k, m] * rows[i, _U(3) + m]
            out[i, _U(3) + k] = total
        out[i, 0], out[i, 1], out[i, 2] = _lift(out, i, drop)
