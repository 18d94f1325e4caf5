"""What an `ObjectDetection` holds, in one form: a box, rings of a polygon, or a mask."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow.objects.predictions import BoundingBox, Format, ObjectDetection, Polygon
from predarrow.refusals import shown

POINTER = "object.data"

_BOX_FIELDS = ("x", "y", "w", "h", "theta", "unit")
_LEAST_POINTS = 3
_MOST_LEVELS = 4
_RULE_POLYGON = "must be (n, 2) points of one ring, or parts of rings of such points"


class ShapeError(Exception):
    """Data that is not what its format says; never leaves the import."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


class Rings(NamedTuple):
    """A polygon's rings, copied, none of them closed."""

    xy: list[npt.NDArray[np.float64]]
    """(n, 2) x and y of each ring, n at least 3"""
    rings: list[int]
    """Number of rings of each part"""
    unit: Any
    """As it was given"""


Mask = npt.NDArray[np.uint8] | npt.NDArray[np.bool_]
"""(height, width), 0 and 1; not copied where it had this form."""


def shape_of(detection: ObjectDetection) -> BoundingBox | Rings | Mask:
    """Give an object's data in the form of its format.

    Raises:
        ShapeError: an unknown format, or data that is not of that format.
    """
    format_, data = detection.format, detection.data
    if not isinstance(format_, str) or format_ not in list(Format):
        rule = f"must be one of {', '.join(Format)}"
        raise ShapeError("object.format", f"{rule}, got {shown(format_)}")
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ShapeError(POINTER, f"text must be JSON: {error}, got {shown(data)}") from None
    if format_ == Format.BOUNDING_BOX:
        return _box(data)
    return _mask(data) if format_ == Format.MASK else _polygon(data)


def _box(data: Any) -> BoundingBox:
    if isinstance(data, BoundingBox):
        return data
    if isinstance(data, Mapping):
        if strange := [key for key in data if key not in _BOX_FIELDS]:
            raise ShapeError(POINTER, f"must have the fields {', '.join(_BOX_FIELDS)} only, got {shown(strange[0])}")
        if missing := [key for key in _BOX_FIELDS[:4] if key not in data]:
            raise ShapeError(POINTER, f"must have the fields x, y, w and h, got no {missing[0]}")
        return BoundingBox(**data)
    values = _array(data, "iuf")
    if values.shape not in ((4,), (5,)):
        raise ShapeError(POINTER, f"must be a BoundingBox, or x, y, w, h and perhaps theta, got shape {values.shape}")
    return BoundingBox(*values.tolist())


def _polygon(data: Any) -> Rings | Mask:
    if isinstance(data, Polygon):
        return _rings(data.points, data.unit)
    if isinstance(data, BoundingBox | Mapping):
        raise ShapeError(POINTER, f"{_RULE_POLYGON}, got {shown(data)}")
    if hasattr(data, "__array__"):
        data = _array(data, "biuf")
        if data.ndim == 2 and data.shape[1] == 2 and data.dtype.kind in "biu":
            raise ShapeError(
                POINTER,
                f"(n, 2) {data.dtype} may be points or a mask 2 pixels wide; "
                "give points as floats or Polygon(points), a mask with format 'mask'",
            )
    if _depth(data) == 2 and (values := _array(data, "biuf")).shape[1] != 2:
        if not _is_binary(values):
            raise ShapeError(POINTER, f"{_RULE_POLYGON}, or a mask of 0 and 1, got shape {values.shape}")
        return _mask(values)
    return _rings(data, "relative")


def _rings(points: Any, unit: Any) -> Rings:
    if hasattr(points, "__array__"):
        points = _array(points, "iuf")
    depth = _depth(points)
    if depth == 2:
        return Rings([_ring(points, POINTER)], [1], unit)
    if depth != 4:
        raise ShapeError(POINTER, f"{_RULE_POLYGON} (2 or 4 levels), got {depth} levels: {shown(points)}")
    xy: list[npt.NDArray[np.float64]] = []
    rings: list[int] = []
    for i, part in enumerate(points):
        if not isinstance(part, Sequence | np.ndarray) or not len(part):
            raise ShapeError(f"{POINTER}[{i}]", f"a part must have at least one ring, got {shown(part)}")
        xy += [_ring(ring, f"{POINTER}[{i}][{j}]") for j, ring in enumerate(part)]
        rings.append(len(part))
    return Rings(xy, rings, unit)


def _ring(points: Any, pointer: str) -> npt.NDArray[np.float64]:
    values = _array(points, "iuf", pointer)
    if values.ndim != 2 or values.shape[1] != 2:
        raise ShapeError(pointer, f"a ring must be (n, 2) points, got shape {values.shape}")
    n = len(values)
    if n > 1 and values[0, 0] == values[-1, 0] and values[0, 1] == values[-1, 1]:
        n -= 1  # rings are open in the table
    if n < _LEAST_POINTS:
        raise ShapeError(
            pointer, f"a ring must have at least {_LEAST_POINTS} points, the first one counted once, got {n}"
        )
    return np.array(values[:n], np.float64)


def _mask(data: Any) -> Mask:
    values = _array(data, "biuf")
    if values.ndim != 2 or not values.size:
        raise ShapeError(POINTER, f"a mask must be (height, width), got shape {values.shape}")
    if not _is_binary(values):
        hint = "; make it one with mask > threshold" if values.dtype.kind == "f" else "; make it one with mask > 0"
        got = f"values from {values.min()} to {values.max()}"
        raise ShapeError(POINTER, f"a mask must hold 0 and 1 only, got {got}{hint}")
    return values if values.dtype in (np.bool_, np.uint8) else values.astype(np.uint8)


def _is_binary(values: npt.NDArray[Any]) -> bool:
    if values.dtype.kind in "bu":
        return not values.size or int(values.max()) <= 1
    return bool(((values == 0) | (values == 1)).all())


def _array(data: Any, kinds: str, pointer: str = POINTER) -> npt.NDArray[Any]:
    try:
        values = np.asarray(data)
    except (ValueError, TypeError, OverflowError, RuntimeError) as error:  # ragged lists, tensors of another device
        raise ShapeError(pointer, f"must be an array of numbers: {error}") from None
    if values.dtype.kind not in kinds:
        raise ShapeError(pointer, f"must be an array of numbers, got {shown(data)}")
    is_masked: Callable[[object], bool] = np.ma.is_masked  # untyped in NumPy 2.2
    if is_masked(data):
        raise ShapeError(pointer, "must have no masked numbers, got some; fill them, as with array.filled(0)")
    return values


def _depth(data: Any) -> int:
    """Count the levels of nested sequences and array dimensions, along the first items; 5 may be more."""
    depth = 0
    while not hasattr(data, "ndim") and depth <= _MOST_LEVELS:
        if isinstance(data, str | bytes) or not isinstance(data, Sequence):
            return depth
        depth += 1
        if not data:
            return depth
        data = data[0]
    return depth + int(getattr(data, "ndim", 0))
