"""Boxes from any layout and unit to any other, at the speed of a copy.

An axis of a box is a pair (p, q): lowest and highest coordinate (XYXY), lowest and size (XYWH), or centre and size
(CXCYWH). Every conversion is one linear form per axis,

    p' = a p + b q        q' = c p + d q        each factor 0, 1 or a half, so that products are exact

    from \\ to    XYXY                     XYWH                CXCYWH
    XYXY         p, q                     p, q - p            p/2 + q/2, q - p
    XYWH         p, p + q                 p, q                p + q/2, q
    CXCYWH       p - q/2, p + q/2         p - q/2, q          p, q

and one scale per axis, multiply and then divide by what the image's whole side is in either unit: 1 (relative),
100 (percent), its length (pixel). So 100 % of any length is that length exactly. The linear form is taken in the
coarser unit (pixel, then percent, then relative), where numbers are often whole: of 1000 pixels, 0.1 + 0.2 ends at
300, not at 300.00000000000006.

Limits: arithmetic is in the boxes' own type, and each operation rounds once. A scale to relative values and back
gives the same number within 1 ulp; between percent and pixels, where it is two operations each way, within 2 ulp (in
36 million trials). A form and its inverse give the same number where sum and difference are exact, as of whole and
half pixels below 2^21 (float32) or 2^50 (float64), else within 1 ulp of the largest number on the box's axis: the far
edge of a box that is tiny beside its position cannot hold the digits of its size. Numbers so small or so large that a
product leaves the type's range are not given back.
Nothing is hidden: NaN stays NaN and a negative size stays negative; `judge` tells. A factor of 0 is no term, so an
infinite size leaves the lowest coordinate alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from predarrow_engine import box_kernels
from predarrow_engine.box_kernels import NEGATIVE_SIZE, NOISE, NOT_FINITE, OK, OUTSIDE, ZERO_SIZE

__all__ = [
    "FLAWS",
    "NEGATIVE_SIZE",
    "NOISE",
    "NOT_FINITE",
    "OK",
    "OUTSIDE",
    "ZERO_SIZE",
    "Columns",
    "Conversion",
    "Layout",
    "Sizes",
    "Unit",
    "bad_sides",
    "conversion",
    "convert",
    "convert_columns",
    "judge",
    "sizes_array",
    "to_corners",
]

FLAWS = (NOT_FINITE, NEGATIVE_SIZE, OUTSIDE, ZERO_SIZE)
"""All codes but OK, from the worst."""

Sizes: TypeAlias = npt.ArrayLike
Columns: TypeAlias = Sequence[npt.NDArray[Any]] | npt.NDArray[Any]


class Layout(StrEnum):
    """What the four numbers of a box are; x right, y down."""

    XYXY = "xyxy"
    """Left, top, right, bottom."""
    XYWH = "xywh"
    """Left, top, width, height."""
    CXCYWH = "cxcywh"
    """Centre x, centre y, width, height."""

    KITTI = XYXY
    """KITTI's corners (left, top, right, bottom), in pixels."""
    OPENLABEL = CXCYWH
    """OpenLABEL's `bbox` (centre, size), in pixels."""


class Unit(StrEnum):
    """Unit of all four numbers."""

    PIXEL = "pixel"
    PERCENT = "percent"
    """Hundredths of the image's width and height, 0 to 100."""
    RELATIVE = "relative"
    """Shares of the image's width and height, 0 to 1."""


_COARSENESS = {Unit.RELATIVE: 0, Unit.PERCENT: 1, Unit.PIXEL: 2}
_WHOLE = {Unit.RELATIVE: 1.0, Unit.PERCENT: 100.0, Unit.PIXEL: 1.0}
"""The image's side in a unit; of pixels, what its length is multiplied by."""

_FORMS = {
    (Layout.XYXY, Layout.XYWH): (1.0, 0.0, -1.0, 1.0),
    (Layout.XYXY, Layout.CXCYWH): (0.5, 0.5, -1.0, 1.0),
    (Layout.XYWH, Layout.XYXY): (1.0, 0.0, 1.0, 1.0),
    (Layout.XYWH, Layout.CXCYWH): (1.0, 0.5, 0.0, 1.0),
    (Layout.CXCYWH, Layout.XYXY): (1.0, -0.5, 1.0, 0.5),
    (Layout.CXCYWH, Layout.XYWH): (1.0, -0.5, 0.0, 1.0),
}
"""a, b, c, d; any other pair stays as it is."""


class Conversion(NamedTuple):
    """From one layout and unit to another, as `conversion` gives it."""

    plans: dict[np.dtype[Any], npt.NDArray[Any]]
    """By the boxes' type; see `box_kernels`."""
    needs_size: bool
    """Whether the image's size matters: between pixels and percent or relative values."""


@cache
def conversion(source: str, target: str, source_unit: str = Unit.PIXEL, target_unit: str = Unit.PIXEL) -> Conversion:
    """Give the conversion from one layout and unit to another; each a member of `Layout` or `Unit`, or its text.

    Raises:
        ValueError: no such layout or unit.
    """
    layouts, units = (Layout(source), Layout(target)), (Unit(source_unit), Unit(target_unit))
    form = _FORMS.get(layouts, (1.0, 0.0, 0.0, 1.0))
    scale = (1.0, 1.0) if units[0] == units[1] else (_WHOLE[units[1]], _WHOLE[units[0]])
    after = _COARSENESS[units[0]] > _COARSENESS[units[1]]
    needs_size = units[0] != units[1] and Unit.PIXEL in units
    plan = np.array([*form, after, *scale, needs_size * (-1.0 if after else 1.0)])
    return Conversion({dtype: _read_only(plan.astype(dtype)) for dtype in (_FLOAT32, _FLOAT64)}, needs_size)


@lru_cache(maxsize=1024)
def _one_size(height: float, width: float, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    return _read_only(np.array((height, width), dtype))


def convert(boxes: npt.NDArray[Any], out: npt.NDArray[Any], conversion: Conversion, sizes: Sizes | None = None) -> None:
    """Write boxes in another layout and unit.

    Args:
        boxes: (4,) or (n, 4) float32 or float64, contiguous; not written to unless it is `out`.
        out: contiguous, of the same shape and type: `boxes` itself (in place), or memory that shares nothing with it.
        conversion: what to do.
        sizes: height and width in pixels, (2,) for all or (n, 2) a row each, finite and positive; looked at only
            where the conversion needs them.

    Raises:
        ValueError: sizes that are missing or of a wrong shape.
    """
    dtype = boxes.dtype
    rows = _sizes_of(sizes, boxes.size // 4, dtype) if conversion.needs_size else _NO_MATTER[dtype]
    flat = out if out.ndim == 1 else out.reshape(-1)
    if out is boxes:
        box_kernels.rows_in_place(flat, conversion.plans[dtype], rows)
    else:
        box_kernels.rows(_read_only(boxes), flat, conversion.plans[dtype], rows)


def convert_columns(columns: Columns, out: Columns, conversion: Conversion, sizes: Sizes | None = None) -> None:
    """Write boxes that lie in four columns in another layout and unit.

    Args:
        columns: four (n,) columns, or (4, n): the numbers in the layout's order, all float32 or all float64,
            contiguous; not written to unless they are `out`.
        out: likewise: `columns` itself (in place), or memory that shares nothing with it.
        conversion, sizes: see `convert`.

    Raises:
        ValueError: see `convert`.
    """
    dtype = columns[0].dtype
    plan = conversion.plans[dtype]
    rows = _sizes_of(sizes, columns[0].size, dtype) if conversion.needs_size else _NO_MATTER[dtype]
    for p, q in ((0, 2), (1, 3)):
        sides = _read_only(rows[1 - p :: 2])  # height comes first
        if out is columns:
            box_kernels.axis_in_place(out[p], out[q], plan, sides)
        else:
            box_kernels.axis(_read_only(columns[p]), _read_only(columns[q]), out[p], out[q], plan, sides)


def to_corners(
    boxes: npt.NDArray[Any], layout: str, unit: str = Unit.PIXEL, sizes: Sizes | None = None
) -> npt.NDArray[np.float64]:
    """Give boxes as columns of corners in pixels, as the table's bbox column takes them.

    Args:
        boxes: (n, 4) float32 or float64, of any strides, in `layout` and `unit`; never written to.
        layout: a `Layout` or its text.
        unit: a `Unit` or its text.
        sizes: height and width in pixels, (2,) for all or (n, 2) a row each, finite and positive; looked at only
            for percent and relative boxes.

    Returns:
        (4, n) float64, contiguous: xmin, ymin, xmax and ymax in pixels, computed in float64.

    Raises:
        ValueError: no such layout or unit, boxes of a wrong shape or type, sizes of a wrong shape or missing.
    """
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes must have shape (n, 4), got {boxes.shape}")
    if boxes.dtype not in _NO_MATTER:
        raise ValueError(f"boxes must be float32 or float64, got {boxes.dtype}")
    to_pixels = conversion(layout, Layout.XYXY, unit, Unit.PIXEL)
    rows = _sizes_of(sizes, len(boxes), _FLOAT64) if to_pixels.needs_size else _NO_MATTER[_FLOAT64]
    corners = np.empty((4, len(boxes)))
    box_kernels.columns_of_rows(_read_only(boxes), corners.reshape(-1), to_pixels.plans[_FLOAT64], rows)
    return corners


def judge(
    corners: npt.NDArray[np.float64], sizes: Sizes | None = None, among: Collection[int] = FLAWS
) -> npt.NDArray[np.uint8]:
    """Give what is wrong with each box, the worst where it is more than one thing, OK where it is nothing.

    Args:
        corners: (4, n) float64: xmin, ymin, xmax, ymax in pixels; never written to.
        sizes: height and width in pixels, (2,) for all or (n, 2) a row each; without them no box is OUTSIDE. An edge
            is outside where it passes the image by more than `NOISE` of its side.
        among: the codes that are looked for; `FLAWS` has all, from the worst.

    Returns:
        (n,) uint8, codes of this module.

    Raises:
        ValueError: shapes that do not hold.
    """
    if corners.ndim != 2 or len(corners) != 4:
        raise ValueError(f"corners must have shape (4, n), got {corners.shape}")
    result = np.empty(corners.shape[1], np.uint8)
    rows = _ENDLESS if sizes is None else _sizes_of(sizes, result.size, _FLOAT64)
    wanted = np.zeros(len(FLAWS) + 1, np.bool_)
    wanted[list(among)] = True
    box_kernels.codes(_read_only(np.asarray(corners, np.float64)), rows, wanted, result)
    return result


def sizes_array(sizes: Sizes, n_rows: int, dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    """Give sizes flat, contiguous and read-only: height and width once, or of each row in turn.

    Raises:
        ValueError: neither (2,) nor (n_rows, 2).
    """
    values = np.asarray(sizes, dtype)
    if values.shape != (2,) and values.shape != (n_rows, 2):
        raise ValueError(f"sizes must be (height, width) or have shape ({n_rows}, 2), got shape {values.shape}")
    return _read_only(values)


def bad_sides(sizes: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Give the places of the sides that are not finite and positive in a flat array of sizes."""
    if box_kernels.n_bad_sides(sizes) == 0:
        return np.empty(0, np.intp)
    return np.flatnonzero(~(np.isfinite(sizes) & (sizes > 0)))


def _sizes_of(sizes: Sizes | None, n_rows: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    if sizes is None:
        raise ValueError("between pixels and percent or relative values the image's height and width are needed")
    if isinstance(sizes, tuple) and len(sizes) == 2 and isinstance(sizes[0], int | float):
        return _one_size(sizes[0], sizes[1], dtype)
    return sizes_array(sizes, n_rows, dtype)


def _read_only(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give a flat, contiguous, read-only view, so that a kernel has one signature a type."""
    flat = values.ravel()  # with setflags, half the time of ascontiguousarray, reshape and flags.writeable
    flat.setflags(write=False)
    return flat


_FLOAT32: np.dtype[Any] = np.dtype(np.float32)
_FLOAT64: np.dtype[Any] = np.dtype(np.float64)
_NO_MATTER = {dtype: _read_only(np.ones(2, dtype)) for dtype in (_FLOAT32, _FLOAT64)}
_ENDLESS = _read_only(np.full(2, np.inf))
