"""Boxes in 3D scenes."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np

from predarrow.formats.encord.columns import cuboid_column
from predarrow.labels.shapes import Ints, Shapes, numbers, taken
from predarrow.objects.shapes import ShapeError
from predarrow.refusals import Refusals, shown


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
        position, orientation, size = np.split(taken(self._values, np.float64).reshape(-1, 9), 3, axis=1)
        return {"cuboid": cuboid_column(position, orientation, size)}
