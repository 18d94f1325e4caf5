"""Polygons, polylines and front faces of prisms: vertices."""

from __future__ import annotations

from array import array
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from predarrow.labels.geometries import Cuboid2D
from predarrow.labels.shapes import Bools, Floats, Ints, Shapes, is_relative, points, taken
from predarrow.objects.checks import check_relative, check_size_known
from predarrow.objects.predictions import Format, ObjectDetection
from predarrow.objects.shapes import Rings, ShapeError, shape_of
from predarrow.refusals import Refusals
from predarrow.report import Code
from predarrow.table import polygon_array

_WORDS = {"polygon": "Polygon", "polyline": "Polyline", "cuboid_2d": "Cuboid2D"}


class Vertices(Shapes):
    """Shapes of one of three kinds that rings of vertices hold."""

    def __init__(self, kind: Literal["polygon", "polyline", "cuboid_2d"]) -> None:
        self.kind = kind
        self._xy = bytearray()
        self._vertices, self._rings, self._parts = array("i"), array("i"), array("i")
        self._relative = bytearray()

    def add(self, geometry: Any) -> int:
        """Keep a `Polygon`, `Polyline` or `Cuboid2D`."""
        relative = is_relative(geometry.unit)
        if self.kind == "polygon":
            found = shape_of(ObjectDetection(Format.POLYGON, geometry, ""))
            if not isinstance(found, Rings):
                raise ShapeError("points", "must be points, got a mask")
            rings, parts = found.xy, found.rings
        elif isinstance(geometry, Cuboid2D):
            rings, parts = [points(geometry.front, 3, "front")], [1]
        else:
            rings, parts = [points(geometry.points, 2)], [1]
        for xy in rings:
            self._xy += xy.tobytes()
            self._vertices.append(len(xy))
        self._rings.extend(parts)
        self._parts.append(len(parts))
        self._relative.append(relative)
        return len(self._parts) - 1

    def columns(self, sizes: Ints, refusals: Refusals) -> dict[str, Any]:
        """Give the polygon column."""
        from predarrow_engine.relative import to_pixels

        xy = taken(self._xy, np.float64).reshape(-1, 2)
        relative = taken(self._relative, np.bool_)
        ring_offsets, part_offsets, row_offsets = map(_offsets, (self._vertices, self._rings, self._parts))
        first = ring_offsets[part_offsets[row_offsets]]
        check_size_known(relative, sizes, refusals)
        self._check(xy, first, relative, refusals)
        scale = np.where(relative[:, None], sizes, 1)
        counts = np.diff(first)
        with np.errstate(invalid="ignore", over="ignore"):
            x, y = (to_pixels(xy[:, axis], np.repeat(scale[:, 1 - axis], counts)).astype(np.float32) for axis in (0, 1))
        return {"polygon": polygon_array(x, y, ring_offsets, part_offsets, row_offsets)}

    def _check(self, xy: Floats, first: npt.NDArray[np.int32], relative: Bools, refusals: Refusals) -> None:
        ends = np.hstack([reduce.reduceat(xy, first[:-1]) for reduce in (np.minimum, np.maximum)])
        limit = np.finfo(np.float32).max
        wrong = ~(np.abs(ends) <= limit).all(1)
        words = "points must be finite 32-bit floats"
        refusals.add(wrong, Code.BAD_NUMBER, "", lambda row: f"{words}, got {ends[row].min()} to {ends[row].max()}")
        check_relative(relative, "points", ends, f'{_WORDS[self.kind]}(..., unit="pixel")', refusals)


def _offsets(counts: array[int]) -> npt.NDArray[np.int32]:
    return np.concatenate([np.zeros(1, np.int32), np.cumsum(taken(counts, np.int32), dtype=np.int32)])
