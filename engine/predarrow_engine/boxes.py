"""Boxes from any layout and unit to any other, at the speed of a copy.

An axis of a box is a pair (p, q): lowest and highest coordinate (XYXY), lowest and size (XYWH), or centre and size
(CXCYWH). KITTI's left, top, right, bottom is XYXY in pixels, OpenLABEL's bbox is CXCYWH in pixels. Every conversion
is one linear form per axis,

    p' = a p + b q        q' = c p + d q        a, b, c, d of `_FORMS`: 0, 1 or a half, so that products are exact

    from \\ to    XYXY                     XYWH                CXCYWH
    XYXY         p, q                     p, q - p            p/2 + q/2, q - p
    XYWH         p, p + q                 p, q                p + q/2, q
    CXCYWH       p - q/2, p + q/2         p - q/2, q          p, q

and one scale, v multiplied and then divided (0.1 of 640 pixels is v * 640, a percentage v * 640 / 100), so that
100 % of any size is that size exactly. The linear form is taken in the coarser of the two units (pixel, then percent,
then relative): 0.1 + 0.2 of 1000 pixels ends at 300, not at 300.00000000000006.

Limits: arithmetic is in the boxes' own type. Each product, quotient and sum rounds once, so a scale comes back within
1 ulp between relative and the others, within 2 ulp between percent and pixels. A corner comes back within 1 ulp of
the larger of the box's coordinates (a size that is far smaller than its position loses the digits that the sum cannot
hold). A factor of 0 is no term at all: an infinite or NaN size leaves the other number alone.
Nothing is hidden: NaN stays NaN, a negative size stays negative; `judge` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel

Floats: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Sizes: TypeAlias = npt.NDArray[Any] | Sequence[int] | Sequence[float]


class Layout(IntEnum):
    """What the four numbers of a box are; x right, y down."""

    XYXY = 0
    """Left, top, right, bottom."""
    XYWH = 1
    """Left, top, width, height."""
    CXCYWH = 2
    """Centre x, centre y, width, height."""


class Unit(IntEnum):
    """Unit of all four numbers, the coarsest last."""

    RELATIVE = 0
    """Shares of the image's width and height, 0 to 1."""
    PERCENT = 1
    """Hundredths of the image's width and height, 0 to 100."""
    PIXEL = 2


OK = 0
"""Code of `judge`: a box of finite numbers and positive size, in the image where that is known."""
NOT_FINITE = 1
"""Code of `judge`: a coordinate is NaN or infinite."""
NEGATIVE_SIZE = 2
"""Code of `judge`: the right or bottom edge lies before the left or top one."""
ZERO_SIZE = 3
"""Code of `judge`: width or height is 0."""
OUTSIDE = 4
"""Code of `judge`: an edge lies outside the image by more than float noise; told of a box of zero size, too."""

_NOISE = 1e-6

_FORMS = {
    (Layout.XYXY, Layout.XYWH): (1.0, 0.0, -1.0, 1.0),
    (Layout.XYXY, Layout.CXCYWH): (0.5, 0.5, -1.0, 1.0),
    (Layout.XYWH, Layout.XYXY): (1.0, 0.0, 1.0, 1.0),
    (Layout.XYWH, Layout.CXCYWH): (1.0, 0.5, 0.0, 1.0),
    (Layout.CXCYWH, Layout.XYXY): (1.0, -0.5, 1.0, 0.5),
    (Layout.CXCYWH, Layout.XYWH): (1.0, -0.5, 0.0, 1.0),
}
"""a, b, c, d; a pair that is not named stays as it is."""

_WHOLE = {Unit.RELATIVE: 1.0, Unit.PERCENT: 100.0, Unit.PIXEL: 1.0}
"""What the whole image's side is in a unit; pixels have the side itself, which multiplies this."""


@lru_cache(maxsize=256)
def _plan(
    source: Layout,
    target: Layout,
    source_unit: Unit,
    target_unit: Unit,
    height: float,
    width: float,
    dtype: np.dtype[np.float32] | np.dtype[np.float64],
) -> Floats:
    """Give a, b, c, d, then multiplier and divisor of x and of y, whether they come after, what a row's side does.

    The last is 1 where a row's own side multiplies, -1 where it divides, 0 where no side matters.
    """
    form = _FORMS.get((source, target), (1.0, 0.0, 0.0, 1.0))
    scales: list[float] = []
    for side in (width, height):
        scales.append(1.0 if source_unit == target_unit else _whole(target_unit, side))
        scales.append(1.0 if source_unit == target_unit else _whole(source_unit, side))
    finer = source_unit > target_unit
    uses = needs_size(source_unit, target_unit) * (-1.0 if finer else 1.0)
    plan = np.array([*form, *scales, float(finer), uses], dtype)
    plan.flags.writeable = False
    return plan


def _whole(unit: Unit, side: float) -> float:
    return side if unit == Unit.PIXEL else _WHOLE[unit]


def needs_size(source_unit: Unit, target_unit: Unit) -> bool:
    """Tell whether a conversion between these units asks for the image's size."""
    return source_unit != target_unit and Unit.PIXEL in (source_unit, target_unit)


@inline
def _axis(p: Any, q: Any, form: Any, multiplier: Any, divisor: Any) -> Any:
    """Give one axis of a box in the target's layout and unit."""
    a, b, c, d, after = form
    if not after:
        p = p * multiplier / divisor
        q = q * multiplier / divisor
    first = a * p + b * q if b != 0.0 else p
    second = c * p + d * q if c != 0.0 else q
    if after:
        first = first * multiplier / divisor
        second = second * multiplier / divisor
    return first, second


@inline
def _with_side(plan: Any, side: Any) -> Any:
    """Give multiplier and divisor of an axis whose image side is a row's own."""
    return (plan[4] * side, plan[5]) if plan[9] > 0 else (plan[4], plan[5] * side)


@kernel
def _corners(boxes: Floats, corners: npt.NDArray[np.float64], plan: npt.NDArray[np.float64], sizes: Floats) -> None:
    """Write flat rows of four as flat columns; sizes is empty where the plan holds the one size."""
    n = np.uint64(boxes.size) // np.uint64(4)
    form = (plan[0], plan[1], plan[2], plan[3], plan[8] != 0.0)
    x_scale = (plan[4], plan[5])
    y_scale = (plan[6], plan[7])
    for i in range(n):
        k = np.uint64(4) * np.uint64(i)
        if sizes.size:
            x_scale = _with_side(plan, sizes[np.uint64(2) * np.uint64(i) + np.uint64(1)])
            y_scale = _with_side(plan, sizes[np.uint64(2) * np.uint64(i)])
        left, right = _axis(np.float64(boxes[k]), np.float64(boxes[k + np.uint64(2)]), form, x_scale[0], x_scale[1])
        top, bottom = _axis(
            np.float64(boxes[k + np.uint64(1)]), np.float64(boxes[k + np.uint64(3)]), form, y_scale[0], y_scale[1]
        )
        corners[i] = left
        corners[n + i] = top
        corners[n + n + i] = right
        corners[n + n + n + i] = bottom


@kernel
def _judge(corners: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64], codes: npt.NDArray[np.uint8]) -> None:
    """Write a code for each box of flat columns; sizes are empty (not known), or height and width, once or per row."""
    n = np.uint64(codes.size)
    per_row = sizes.size > 2
    for i in range(n):
        left, top, right, bottom = corners[i], corners[n + i], corners[n + n + i], corners[n + n + n + i]
        code = OK
        if right - left == 0.0 or bottom - top == 0.0:
            code = ZERO_SIZE
        if sizes.size:
            at = np.uint64(2) * np.uint64(i) if per_row else np.uint64(0)
            height, width = sizes[at], sizes[at + np.uint64(1)]
            over_x = max(-left, right - width)
            over_y = max(-top, bottom - height)
            if over_x > _NOISE * width or over_y > _NOISE * height:
                code = OUTSIDE
        if right < left or bottom < top:
            code = NEGATIVE_SIZE
        # A sum of products with 0 is 0 exactly where all are finite
        if not (left * 0.0 + top * 0.0 + right * 0.0 + bottom * 0.0 == 0.0):
            code = NOT_FINITE
        codes[i] = np.uint8(code)


def to_corners(
    boxes: Floats, layout: Layout, unit: Unit = Unit.PIXEL, sizes: Sizes | None = None
) -> npt.NDArray[np.float64]:
    """Give boxes as columns of corners in pixels, as the table's bbox column takes them.

    Args:
        boxes: (n, 4) float32 or float64, in `layout` and `unit`; never written to.
        layout: of the four numbers.
        unit: of the four numbers.
        sizes: height and width in pixels, (2,) for all or (n, 2) a row each, positive; may be None for pixels.

    Returns:
        (4, n) float64, contiguous: xmin, ymin, xmax and ymax in pixels, computed in float64.

    Raises:
        ValueError: shapes that do not hold, or relative or percent boxes without sizes.
    """
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes must have shape (n, 4), got {boxes.shape}")
    height, width, rows = 1.0, 1.0, _NO_SIZES
    if needs_size(unit, Unit.PIXEL):
        if sizes is None:
            raise ValueError("percent and relative boxes need the size of their image: give height and width")
        rows = sizes_array(sizes, len(boxes))
        if rows.size == 2:
            height, width, rows = float(rows[0]), float(rows[1]), _NO_SIZES
    corners = np.empty((4, len(boxes)))
    plan = _plan(layout, Layout.XYXY, unit, Unit.PIXEL, height, width, _FLOAT64)
    _corners(_read_only(boxes), corners.reshape(-1), plan, rows)
    return corners


def judge(corners: npt.NDArray[np.float64], sizes: Sizes | None = None) -> npt.NDArray[np.uint8]:
    """Give what is wrong with each box, the worst where it is more than one thing.

    From the worst: NOT_FINITE, NEGATIVE_SIZE, OUTSIDE, ZERO_SIZE, OK. Which of them a caller refuses is its own
    policy; one that does not look at OUTSIDE leaves `sizes` out.

    Args:
        corners: (4, n) float64: xmin, ymin, xmax, ymax in pixels; never written to.
        sizes: height and width in pixels, (2,) for all or (n, 2) a row each. An edge is outside where it is beyond
            the image by more than a millionth of its side: float noise is not.

    Returns:
        (n,) uint8, codes of this module.

    Raises:
        ValueError: shapes that do not hold.
    """
    if corners.ndim != 2 or len(corners) != 4:
        raise ValueError(f"corners must have shape (4, n), got {corners.shape}")
    codes = np.empty(corners.shape[1], np.uint8)
    rows = _NO_SIZES if sizes is None else sizes_array(sizes, codes.size)
    _judge(_read_only(np.asarray(corners, np.float64)), rows, codes)
    return codes


def sizes_array(sizes: Sizes, n_rows: int) -> npt.NDArray[np.float64]:
    """Give sizes flat, contiguous and read-only: height and width once, or of each row in turn.

    Raises:
        ValueError: neither (2,) nor (n_rows, 2).
    """
    values = np.asarray(sizes, np.float64)
    if values.shape != (2,) and values.shape != (n_rows, 2):
        raise ValueError(f"sizes must be (height, width) or have shape ({n_rows}, 2), got shape {values.shape}")
    return _read_only(values)


def _read_only(values: Any) -> Any:
    """Give a flat, contiguous, read-only view, so that a kernel has one signature a type."""
    flat = np.ascontiguousarray(values).reshape(-1)
    flat.flags.writeable = False
    return flat


_FLOAT64 = np.dtype(np.float64)
_NO_SIZES: npt.NDArray[np.float64] = _read_only(np.empty(0))
