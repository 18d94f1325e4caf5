"""What the geometry of label rows comes to in columns, and cuboids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import numbers_array
from predarrow.table import CUBOID

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Shaped(NamedTuple):
    """The geometry of objects of one shape."""

    columns: dict[str, Any]
    """By the table's names, other than bbox"""
    corners: Floats
    """(4, n) pixels; NaN where there is nothing to cover"""
    is_exact: Bools
    """(n,) whether the columns give the very numbers of the source back"""
    kept: Mapping[int, list[str]] = {}
    """By row, further members of the attribute "encord", as JSON text."""


def cuboid_column(position: Floats, orientation: Floats, size: Floats) -> pa.Array:
    """Give cuboids as a column; width is the size along their own y, length along x, height along z.

    Args:
        position, size: (n, 3) x, y and z.
        orientation: (n, 3) radians: turned about z first, then y, then x (three.js's order "XYZ").
    """
    (ca, cb, cc), (sa, sb, sc) = np.cos(orientation.T / 2), np.sin(orientation.T / 2)
    leaves = [
        *position.T,
        sa * cb * cc + ca * sb * sc,
        ca * sb * cc - sa * cb * sc,
        ca * cb * sc + sa * sb * cc,
        ca * cb * cc - sa * sb * sc,
        *(size[:, axis] for axis in (1, 0, 2)),
    ]
    children = [numbers_array(np.ascontiguousarray(leaf)) for leaf in leaves]
    return pa.Array.from_buffers(CUBOID, len(position), [None], children=children)
