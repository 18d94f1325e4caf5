"""Slow, readable twin of cuboids: what a cuboid is in space, whatever its convention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

Floats = npt.NDArray[np.float64]

CONVENTIONS = ("openlabel", "kognic", "encord", "kitti")


class Solid(NamedTuple):
    """A cuboid in ISO 8855's frame: x forward, y left, z up."""

    centre: Floats
    half_axes: Floats
    """(3, 3) from the centre to the middles of the front, left and top faces"""


def solid(cuboid: Sequence[float] | Floats, convention: str) -> Solid:
    """Give what ten numbers mean."""
    numbers = np.asarray(cuboid, np.float64)
    position, (width, length, height) = numbers[:3], numbers[7:]
    own = Rotation.from_quat(numbers[3:7])
    x, y, z = own.apply(np.eye(3))
    if convention == "openlabel":
        return Solid(position, np.array([x * width, y * length, z * height]) / 2)
    if convention == "encord":
        return Solid(position, np.array([x * length, y * width, z * height]) / 2)
    if convention == "kognic":
        return Solid(position, np.array([y * length, -x * width, z * height]) / 2)
    half_axes = np.array([x * length, z * width, -y * height]) / 2
    centre = position + half_axes[2]
    return Solid(_from_camera(centre), np.array([_from_camera(axis) for axis in half_axes]))


def kitti_corners(location: Floats, width: float, length: float, height: float, rotation_y: float) -> Floats:
    """Give the eight corners as KITTI's development kit draws them, in the camera's frame."""
    x = np.array([1, 1, -1, -1, 1, 1, -1, -1]) * length / 2
    y = np.array([0, 0, 0, 0, -1, -1, -1, -1]) * height
    z = np.array([1, -1, -1, 1, 1, -1, -1, 1]) * width / 2
    cosine, sine = np.cos(rotation_y), np.sin(rotation_y)
    turn = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    corners: Floats = (turn @ np.array([x, y, z])).T + location
    return corners


def corners(given: Solid) -> Floats:
    """Give the eight corners, in ISO 8855's frame."""
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
    result: Floats = given.centre + signs @ given.half_axes
    return result


def _from_camera(point: Floats) -> Floats:
    right, down, forward = point
    return np.array([forward, -right, -down])
