"""Boxes in 3D scenes."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
import pyarrow as pa

from predarrow.labels.shapes import Floats, Ints, Shapes, numbers, taken
from predarrow.objects.shapes import ShapeError
from predarrow.refusals import Refusals, shown
from predarrow.table import CUBOID


class Cuboids(Shapes):
    """Boxes in 3D scenes, nine numbers each."""

    kind = "cuboid"

    def __init__(self) -> None:
        self._values = array("d")

    def add(self, geometry: Any) -> int:
        """Keep a `Cuboid`."""
        found = []
        for name in ("position", "orientation", "size"):
            given = getattr(geometry, name)
            values = numbers(given, name)
            if values.shape != (3,) or not np.isfinite(values).all():
                raise ShapeError(name, f"must be three finite numbers, got {shown(given)}")
            found += values.tolist()
        if min(found[6:]) <= 0:
            raise ShapeError("size", f"must be greater than 0, got {shown(geometry.size)}")
        self._values.extend(found)
        return len(self._values) // 9 - 1

    def columns(self, sizes: Ints, refusals: Refusals) -> dict[str, Any]:
        """Give the cuboid column, in the scene's axes."""
        x, y, z, a, b, c, along_x, along_y, along_z = taken(self._values, np.float64).reshape(-1, 9).T
        quaternion = _quaternions(a, b, c)
        leaves = [x, y, z, *quaternion, along_y, along_x, along_z]
        return {"cuboid": pa.StructArray.from_arrays(list(map(pa.array, leaves)), fields=list(CUBOID))}


def _quaternions(a: Floats, b: Floats, c: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Give qx, qy, qz and qw of turns about x, y and z: the product of the three turns' quaternions, x first."""
    halves = np.stack([a, b, c]) / 2
    (ca, cb, cc), (sa, sb, sc) = np.cos(halves), np.sin(halves)
    return (
        sa * cb * cc + ca * sb * sc,
        ca * sb * cc - sa * cb * sc,
        ca * cb * sc + sa * sb * cc,
        ca * cb * cc - sa * sb * sc,
    )
