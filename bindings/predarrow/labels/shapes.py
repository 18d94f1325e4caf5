"""What shapes of every kind have in common while they are gathered: flat numbers, and columns in the end."""

from __future__ import annotations

from array import array
from math import isfinite
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from predarrow.objects.shapes import ShapeError
from predarrow.refusals import Refusals, shown

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Shapes(Protocol):
    """Shapes of one kind: numbers and not objects, which the garbage collector would look through again and again."""

    kind: str
    """As the prediction table has it"""

    def add(self, geometry: Any) -> int:
        """Keep a shape and give its place, or keep nothing of it.

        Raises:
            ShapeError: a shape that does not hold.
        """

    def columns(self, sizes: Ints, refusals: Refusals) -> dict[str, Any]:
        """Give the columns that only this kind has, in pixels; shapes that do not hold are refused.

        Args:
            sizes: (n, 2) height and width of each shape's image, 0 where they are not known.
            refusals: of n rows.
        """


def taken(gathered: bytearray | array[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Give a copy of gathered numbers, (n,): a view would keep what was gathered from growing on."""
    return np.frombuffer(gathered, dtype).copy()


def is_relative(unit: Any) -> bool:
    """Tell whether a shape's unit is "relative" rather than "pixel".

    Raises:
        ShapeError: it is neither.
    """
    if unit == "relative":
        return True
    if unit == "pixel":
        return False
    raise ShapeError("unit", f'must be "relative" or "pixel", got {shown(unit)}')


def points(given: Any, least: int, pointer: str = "points") -> Floats:
    """Give points as a new (n, 2) array.

    Args:
        given: nested sequences, or anything with `__array__`.
        least: number of points.
        pointer: names them in errors.

    Raises:
        ShapeError: not numbers in that form, or too few.
    """
    xy = numbers(given, pointer)
    if xy.ndim != 2 or xy.shape[1] != 2:
        raise ShapeError(pointer, f"must be (n, 2) x and y, got shape {xy.shape}")
    if len(xy) < least:
        raise ShapeError(pointer, f"must be at least {least}, got {len(xy)}")
    return xy


def numbers(given: Any, pointer: str) -> Floats:
    """Give numbers of any shape as a new array.

    Raises:
        ShapeError: no numbers.
    """
    try:
        values = np.asarray(given)
    except (ValueError, TypeError, RuntimeError) as error:  # ragged lists, tensors of another device
        raise ShapeError(pointer, f"must be numbers: {error}") from None
    if values.dtype.kind not in "iuf":
        raise ShapeError(pointer, f"must be numbers, got {shown(given)}")
    return np.array(values, np.float64)


def pair(given: Any, pointer: str) -> tuple[float, float]:
    """Give x and y of one finite point.

    Raises:
        ShapeError: no two finite numbers.
    """
    if type(given) is tuple and len(given) == 2:
        x, y = given
        if type(x) is float and type(y) is float and isfinite(x) and isfinite(y):
            return x, y  # a tenth of the time of an array
    values = numbers(given, pointer)
    if values.shape != (2,) or not np.isfinite(values).all():
        raise ShapeError(pointer, f"must be two finite numbers x and y, got {shown(given)}")
    return float(values[0]), float(values[1])
