"""The columns of KITTI records that are KITTI's own: 3-D box and attributes, both ways.

A record's 3-D box stands in `cuboid`: metres in the rectified camera's frame (x right, y down, z forward); x, y and z
are the middle of its *bottom* face, the quaternion is that of a rotation by rotation_y about the y axis. It is null
where height, width and length carry nothing: all three are 0, or all -1 or all -1000, which KITTI writes for what is
not there. What such a record has in their place is told by rotation_y, 0 with zeros and else KITTI's own numbers;
where it is neither, the attributes have it as `dimensions` (height, width, length) and `location` (x, y, z).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.buffers import numbers_array, text_array, validity
from predarrow.formats.kitti.problems import KittiText
from predarrow.table import BBOX, CUBOID, constant_column

if TYPE_CHECKING:
    from predarrow_engine.kitti import KittiRows

NOT_GIVEN = (-1.0, -1.0, -1.0, -1000.0, -1000.0, -1000.0)
"""KITTI's height, width, length, x, y and z of a result without a 3-D box; its rotation_y is -10."""
ZEROS = (0.0,) * 6

_ABSENT = (0.0, -1.0, -1000.0)
_ALPHA, _ROTATION_Y = 2, 13
_STEPS = ((100, 629), (10_000, 31_417))
"""Steps in a unit of an angle, and how many of them are looked up: to 2 pi and to pi."""
_MANY = 1 << 12  # angles: to look them up takes less than to make the larger table
_FEW = 64


def has_cuboid(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Tell which records have a 3-D box.

    Args:
        numbers: (14, n) the numbers of KITTI records, in KITTI's order.
    """
    height = numbers[7]
    absent = (height == _ABSENT[0]) | (height == _ABSENT[1]) | (height == _ABSENT[2])
    result: npt.NDArray[np.bool_] = ~(absent & (height == numbers[8]) & (height == numbers[9]))
    return result


def box_column(numbers: npt.NDArray[np.float64]) -> pa.Array:
    """Give the boxes as a bbox column, without a copy (`bbox_array` makes one of numbers that have room behind them).

    Args:
        numbers: (14, n) the numbers of KITTI records, in KITTI's order.
    """
    children = [numbers_array(column) for column in numbers[3:7]]
    return pa.Array.from_buffers(BBOX, numbers.shape[1], [None], children=children)


def cuboid_column(numbers: npt.NDArray[np.float64], given: npt.NDArray[np.bool_]) -> pa.Array:
    """Give the 3-D boxes as a cuboid column, without a copy: quaternions take the place of alpha and rotation_y.

    Args:
        numbers: (14, n) the numbers of KITTI records, in KITTI's order.
        given: (n,) false where the row is null.
    """
    _turn(numbers[_ROTATION_Y], numbers[_ALPHA])
    zeros = constant_column(given.size, "rotation", 0.0)
    qw, height, width, length, x, y, z, qy = (numbers_array(numbers[place]) for place in (_ALPHA, *range(7, 14)))
    children = [x, y, z, zeros, qy, zeros, qw, width, length, height]
    return pa.Array.from_buffers(CUBOID, given.size, [validity(given)], children=children)


def attribute_column(
    text: KittiText,
    rows: KittiRows,
    chosen: npt.NDArray[np.int64],
    numbers: npt.NDArray[np.float64],
    given: npt.NDArray[np.bool_],
) -> pa.Array:
    """Give the attributes of chosen records as JSON texts: the source's own digits wherever JSON allows them.

    Args:
        text: what the records were parsed from.
        rows: all records.
        chosen: (n,) places in `rows`.
        numbers: (14, n) the chosen records' numbers, in KITTI's order.
        given: (n,) false where a record has no 3-D box.
    """
    from predarrow_engine.kitti_text import attributes

    offsets, data = attributes(np.frombuffer(text.data, np.uint8), rows, chosen)
    column = pa.StringArray.from_buffers(chosen.size, pa.py_buffer(offsets), pa.py_buffer(data))
    if given.all():
        return column
    odd = ~given & ~_is_told(numbers)
    if not odd.any():
        return column
    texts = column.filter(numbers_array(odd)).to_pylist()
    told = [_with_numbers(json, values) for json, values in zip(texts, numbers[7:13, odd].T.tolist(), strict=True)]
    return pc.replace_with_mask(column, numbers_array(odd), text_array(told))


def absent_numbers(rotation_y: float) -> tuple[float, ...]:
    """Give height, width, length, x, y and z of a record without a 3-D box whose attributes tell none."""
    return ZEROS if rotation_y == 0 else NOT_GIVEN


def _turn(angles: npt.NDArray[np.float64], cosines: npt.NDArray[np.float64]) -> None:
    """Write the sine of half of each angle in its place, and the cosine to `cosines`.

    They are looked up where all angles have two decimals, as KITTI's own, or four, as those of many detectors: 4 or 5
    ns an angle instead of 18.
    """
    size = np.abs(angles)
    largest = float(size.max(initial=0.0))
    for scale, n_steps in _STEPS if size.size >= _MANY else ():
        fits = largest * scale + 0.5 < n_steps and _steps(size[:_FEW], scale) is not None
        if fits and (steps := _steps(size, scale)) is not None:
            places = steps.astype(np.intp)
            for known, out in zip(_half_turns(scale, n_steps), (size, cosines), strict=True):
                known.take(places, out=out, mode="clip")  # all are there, and "raise" would copy them once more
            np.copysign(size, angles, out=angles)
            return
    halves = np.divide(angles, 2, out=size)
    np.cos(halves, out=cosines)
    np.sin(halves, out=angles)


def _steps(angles: npt.NDArray[np.float64], scale: int) -> npt.NDArray[np.float64] | None:
    """Give the whole numbers that are the angles once divided by the scale; None where there is one that is not."""
    steps = np.rint(angles * scale)
    return steps if np.array_equal(steps / scale, angles) else None


@cache
def _half_turns(scale: int, n_steps: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    halves = np.arange(n_steps) / scale / 2
    return np.sin(halves), np.cos(halves)


def _is_told(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    expected = np.where(numbers[_ROTATION_Y] == 0, np.array([ZEROS]).T, np.array([NOT_GIVEN]).T)
    result: npt.NDArray[np.bool_] = (numbers[7:13] == expected).all(axis=0)
    return result


def _with_numbers(json: str, values: list[float]) -> str:
    told = f'"dimensions":{values[:3]},"location":{values[3:]},'.replace(" ", "")
    head, mark, tail = json.partition('"convention":"kitti",')
    return head + mark + told + tail
