"""Boxes, rotated boxes, cuboids and points as columns of the prediction table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.buffers import numbers_array, text_array
from predarrow.formats.openlabel.geometries import GeometryRefusals, Given
from predarrow.formats.openlabel.wire import Numbers
from predarrow.formats.write_text import text_of
from predarrow.refusals import Refusals
from predarrow.report import Code
from predarrow.table import CUBOID, KEYPOINTS

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

UNIT = 1e-4
"""How far a quaternion's length may be from 1: some write their numbers with a few digits only."""

_DECIMALS = 7
_N_CUBOID = 10
_WHOLE = 2.0**24  # whole numbers below are the same in 32 bits


@dataclass(slots=True)
class Shaped:
    """Rows of geometries of one type."""

    kinds: str | list[str]
    """Of all rows, or of each"""
    columns: dict[str, Any]
    """By the table's names, other than bbox"""
    corners: Floats
    """(4, m) pixels; NaN where there is nothing to cover"""
    owner: Ints
    """(m,) each row's geometry; of several the first"""
    inner: dict[int, str] = field(default_factory=dict)
    """By row, members of the attribute "openlabel" as JSON text; a list for each would cost the garbage collector"""
    class_names: list[str] | None = None
    """(m,) where they are not those of the objects"""
    rowless: list[int] = field(default_factory=list)
    """Geometries without a row: images of nothing but background"""


def boxes(given: Given) -> Shaped:
    """Give bbox, [cx, cy, w, h], as boxes."""
    values = numbers(given.values, (4,), given.refusals)
    corners = corners_of(values, given.refusals)
    rows = np.flatnonzero(~come_back(values, corners) & ~given.refusals.bad).tolist()
    return Shaped("bbox", {}, corners, np.arange(given.n), {row: _val(given, row) for row in rows})


def rotated_boxes(given: Given) -> Shaped:
    """Give rbbox, [cx, cy, w, h, alpha], as boxes before they are rotated, and degrees clockwise."""
    values = numbers(given.values, (5,), given.refusals)
    corners = corners_of(values[:, :4], given.refusals)
    with np.errstate(over="ignore"):
        degrees = np.degrees(values[:, 4])
    rule = "the angle must be finite in degrees, too"
    given.refusals.add(~np.isfinite(degrees), Code.BAD_NUMBER, "/val/4", lambda row: f"{rule}, got {values[row, 4]}")
    columns = {"rotation": degrees}
    rows = np.flatnonzero(~given.refusals.bad).tolist()
    return Shaped("rotated_bbox", columns, corners, np.arange(given.n), {row: _val(given, row) for row in rows})


def cuboids(given: Given) -> Shaped:
    """Give cuboids of 10 numbers as they stand, and those of 9 with quaternions of their Euler angles (ZYX)."""
    from predarrow_engine.cuboids import from_euler

    refusals = given.refusals
    values = numbers(given.values, (_N_CUBOID, 9), refusals)
    is_euler = np.fromiter((len(each) == 9 for each in given.values), np.bool_, given.n)
    values[is_euler] = from_euler(values[is_euler, :9])
    check_cuboids(values, given.values, refusals)
    inner = {row: _val(given, row) for row in np.flatnonzero(is_euler & ~refusals.bad).tolist()}
    return Shaped("cuboid", {"cuboid": cuboid_column(values)}, np.full((4, given.n), np.nan), np.arange(given.n), inner)


def check_cuboids(values: Floats, told: Sequence[Numbers] | Floats, refusals: Refusals) -> None:
    """Refuse cuboids, (n, 10), whose quaternion is none of a rotation, and those without a size.

    Args:
        told: (n,) the numbers that stand in the file.
    """
    from predarrow_engine.cuboids import norms

    lengths = norms(values)
    rule = "qx, qy, qz and qw must be a quaternion of length 1"

    def words(row: int) -> str:
        return f"{rule}, got {list(told[row][3:7])} of length {lengths[row]:.6g}"

    refusals.add(np.asarray(~(abs(lengths - 1) <= UNIT)), Code.BAD_ROTATION, "/val/3", words)
    sizes = values[:, 7:]

    def size(row: int) -> str:
        return f"the three sizes must be above 0, got {sizes[row].tolist()}"

    refusals.add(np.asarray(~(sizes > 0).all(axis=1)), Code.BAD_SIZE, "/val", size)


def cuboid_column(values: Floats) -> pa.StructArray:
    """Give (n, 10) numbers as a column."""
    leaves = [numbers_array(np.ascontiguousarray(leaf)) for leaf in values.T]
    return pa.Array.from_buffers(CUBOID, len(values), [None], children=leaves)


def points(given: Given) -> Shaped:
    """Give point2d, [x, y], as one keypoint each, without a name."""
    values = numbers(given.values, (2,), given.refusals)
    x, y = (np.ascontiguousarray(axis) for axis in to_float32(values, np.arange(given.n), given.refusals).T)
    nothing = numbers_array(np.zeros(given.n, np.int8), is_valid=np.zeros(given.n, np.bool_))
    leaves = [text_array([None] * given.n), numbers_array(x), numbers_array(y), nothing]
    flat = pa.Array.from_buffers(KEYPOINTS.value_type, given.n, [None], children=leaves)
    offsets = np.arange(given.n + 1, dtype=np.int32)
    column = pa.Array.from_buffers(KEYPOINTS, given.n, [None, pa.py_buffer(offsets)], children=[flat])
    corners = np.stack([x, y, x, y]).astype(np.float64)
    lost = ~is_decimal(values.ravel()).reshape(-1, 2).all(axis=1) & ~given.refusals.bad
    inner = {row: _val(given, row) for row in np.flatnonzero(lost).tolist()}
    return Shaped("keypoints", {"keypoints": column}, corners, np.arange(given.n), inner)


def numbers(lists: Sequence[Numbers], counts: tuple[int, ...], refusals: GeometryRefusals) -> Floats:
    """Give `val` as (n, counts[0]); another count of numbers, or one that is not finite, is refused (and 1)."""
    lengths = set(map(len, lists))
    if not lengths <= set(counts):
        told = " or ".join(map(str, counts))
        for row, each in enumerate(lists):
            if len(each) not in counts:
                refusals.add_one(row, Code.BAD_VALUE, "/val", f"must be {told} numbers, got {len(each)}")
    if lengths != {counts[0]}:
        ones = (1.0,) * counts[0]
        lists = [(each + ones)[: counts[0]] if len(each) in counts else ones for each in lists]
    values = np.fromiter(chain.from_iterable(lists), np.float64, counts[0] * len(lists)).reshape(-1, counts[0])
    is_good = np.isfinite(values)
    if not is_good.all():
        for row in np.flatnonzero(~is_good.all(axis=1)).tolist():
            place = int(np.flatnonzero(~is_good[row])[0])
            if not refusals.bad[row]:
                message = f"numbers must be finite, got {values[row, place]}"
                refusals.add_one(row, Code.BAD_NUMBER, f"/val/{place}", message)
        values[~is_good] = 1.0
    return values


def to_float32(values: Floats, owner: Ints, refusals: GeometryRefusals) -> npt.NDArray[np.float32]:
    """Give vertices, (n, 2), as the table has them; those beyond its type are refused.

    Args:
        owner: (n,) each one's geometry.
    """
    with np.errstate(over="ignore"):
        result: npt.NDArray[np.float32] = values.astype(np.float32)
    for row in np.unique(owner[~np.isfinite(result).all(axis=1)]).tolist():
        if not refusals.bad[row]:
            refusals.add_one(row, Code.BAD_NUMBER, "/val", "numbers must be finite in 32 bits, too, got larger ones")
    return result


def is_decimal(values: Floats) -> Bools:
    """Tell which numbers are the shortest decimals of their 32-bit floats, so that those give them back."""
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    result: Bools = (values == np.rint(values)) & (abs(values) < _WHOLE)
    left = np.flatnonzero(~result & np.isfinite(single))
    if left.size:
        texts = text_of(numbers_array(single[left]))
        result[left] = np.from_dlpack(pc.cast(texts, pa.float64())) == values[left]
    return result


def corners_of(values: Floats, refusals: Refusals) -> Floats:
    """Give (4, n) corners of (n, 4) boxes, [cx, cy, w, h]; those without a size are refused."""
    from predarrow_engine.boxes import Layout, to_corners

    def words(row: int) -> str:
        return f"width and height must be above 0, got {values[row, 2]} and {values[row, 3]}"

    refusals.add(np.asarray(~(values[:, 2:4] > 0).all(axis=1)), Code.BAD_SIZE, "/val", words)
    with np.errstate(over="ignore", invalid="ignore"):
        corners = to_corners(np.ascontiguousarray(values), Layout.OPENLABEL)
    rule = "corners must be finite numbers"
    refusals.add(
        np.asarray(~np.isfinite(corners).all(axis=0)), Code.BAD_BOX, "/val", lambda row: f"{rule}, got {values[row]}"
    )
    return corners


def come_back(values: Floats, corners: Floats) -> Bools:
    """Tell which boxes have so few decimals that no others have these corners, so that the writer finds them."""
    result = np.ones(len(values), np.bool_)
    for axis in (0, 1):
        low, high = corners[axis], corners[axis + 2]
        with np.errstate(over="ignore", invalid="ignore"):
            centre, size = low + 0.5 * (high - low), high - low
        wanted = values[:, axis], values[:, axis + 2]
        found = np.zeros(len(values), np.bool_)
        for decimals in range(_DECIMALS):
            left = np.flatnonzero(~found)
            if not left.size:
                break
            with np.errstate(over="ignore"):
                near = [np.round(each[left], decimals) for each in (centre, size)]
            found[left] = (near[0] == wanted[0][left]) & (near[1] == wanted[1][left])
        result &= found
    return result


def _val(given: Given, row: int) -> str:
    return f'"val":{given.codec.text(given.items[row].val)}'
