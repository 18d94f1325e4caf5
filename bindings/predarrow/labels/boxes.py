"""Boxes, ellipses and circles: five numbers each."""

from __future__ import annotations

import struct
from functools import partial
from operator import attrgetter
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from predarrow.labels.shapes import Bools, Floats, Ints, Shapes, is_relative, taken
from predarrow.objects.checks import check_relative, check_relative_boxes, check_size_known
from predarrow.objects.shapes import ShapeError
from predarrow.refusals import Refusals, shown
from predarrow.report import Code
from predarrow.table import bbox_array

_FIELDS = {
    "bbox": ("x", "y", "w", "h", "theta"),
    "rotated_bbox": ("x", "y", "w", "h", "theta"),
    "ellipse": ("x", "y", "rx", "ry", "theta"),
    "circle": ("x", "y", "r", "stretch", "theta"),
}
_pack = struct.Struct("6d").pack
_ROW = 6 * 8


class Boxes(Shapes):
    """Shapes of one of four kinds that a box and an angle hold."""

    def __init__(self, kind: Literal["bbox", "rotated_bbox", "ellipse", "circle"]) -> None:
        self.kind = kind
        self._names = _FIELDS[kind]
        self._fields = attrgetter(*self._names, "unit")
        self._data = bytearray()

    def add(self, geometry: Any) -> int:
        """Keep a `BoundingBox`, `Ellipse` or `Circle`."""
        x, y, a, b, theta, unit = self._fields(geometry)
        place = len(self._data) // _ROW
        try:
            self._data += _pack(x, y, a, b, theta, unit == "relative" or is_relative(unit))
        except (struct.error, TypeError, OverflowError):
            for name, value in zip(self._names, (x, y, a, b, theta), strict=True):
                _check_number(name, value)
            raise
        return place

    def add_array(self, boxes: Floats, relative: bool) -> Ints:
        """Keep (n, 5) boxes as the five fields hold them, and give their places."""
        first = len(self._data) // _ROW
        rows = np.empty((len(boxes), 6))
        rows[:, :5], rows[:, 5] = boxes, relative
        self._data += rows.tobytes()
        return np.arange(first, first + len(boxes))

    def columns(self, sizes: Ints, refusals: Refusals) -> dict[str, Any]:
        """Give bbox, of the shape before it is rotated, and rotation (circles that are round have none)."""
        rows = taken(self._data, np.float64).reshape(-1, 6)
        values, relative = rows[:, :5], rows[:, 5] != 0
        self._check(values, relative, refusals)
        check_size_known(relative, sizes, refusals)
        scale = np.where(relative[:, None], sizes, 1)
        with np.errstate(invalid="ignore", over="ignore"):
            corners = self._corners(values, scale[:, 1], scale[:, 0])
        refusals.add(
            ~np.asarray(np.isfinite(corners).all(0)),
            Code.BAD_BOX,
            "",
            lambda row: f"must have finite corners in pixels, got {corners[:, row].tolist()}",
        )
        theta = values[:, 4]
        has_none = np.full(len(rows), self.kind == "bbox")
        if self.kind == "circle":
            has_none = theta == 0
        return {"bbox": bbox_array(corners), "rotation": pa.array(theta, pa.float64(), mask=has_none)}

    def _check(self, values: Floats, relative: Bools, refusals: Refusals) -> None:
        for place, name in enumerate(self._names):
            given = values[:, place]
            refusals.add(~np.isfinite(given), Code.BAD_NUMBER, name, partial(_told, "must be a finite number", given))
            if place in (2, 3):
                refusals.add(~(given > 0), Code.BAD_BOX, name, partial(_told, "must be greater than 0", given))
        if self.kind in ("bbox", "rotated_bbox"):
            if self.kind == "bbox":
                rule, theta = "must be 0 in a class of boxes that are not rotatable", values[:, 4]
                refusals.add(theta != 0, Code.BAD_VALUE, "theta", partial(_told, rule, theta))
            check_relative_boxes(values, relative, refusals)
        else:
            hint = f'{self.kind.capitalize()}(..., unit="pixel")'
            check_relative(relative, "the centre", values[:, :2], hint, refusals)

    def _corners(self, values: Floats, width: Floats, height: Floats) -> Floats:
        from predarrow_engine.relative import far_side, sides, to_pixels

        x, y, a, b, _ = values.T
        if self.kind in ("bbox", "rotated_bbox"):
            left, top = to_pixels(x, width), to_pixels(y, height)
            return np.stack([left, top, far_side(left, a, width), far_side(top, b, height)])
        across = to_pixels(a, width) if self.kind == "circle" else height
        (left, right), (top, bottom) = sides(x, a, width, width), sides(y, b, height, across)
        return np.stack([left, top, right, bottom])


def _check_number(name: str, value: Any) -> None:
    try:
        struct.pack("d", value)
    except (struct.error, TypeError, OverflowError):
        raise ShapeError(name, f"must be a number, got {shown(value)}") from None


def _told(rule: str, given: Floats, row: int) -> str:
    return f"{rule}, got {given[row]}"
