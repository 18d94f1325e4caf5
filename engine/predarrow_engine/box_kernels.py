"""Loops over boxes: rows of four numbers, or columns; into another array, or in place.

What they compute stands in `boxes`. A plan is one array of the boxes' type: a, b, c, d of the linear form, whether
the scale comes after it, multiplier and divisor of the scale, and what the image's side does to it (1 multiplies,
-1 divides, 0 nothing). Sizes are flat: height and width once, or of each row in turn; sides likewise, of one axis.

Each kernel has the loop twice, once for one size and once for a size per row, and writing in place is a kernel of its
own: with both in one loop, or with one array given twice, LLVM no longer turns rows of four into vectors, and
1 M boxes take 7.6 ms instead of 1.0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel

OK = 0
"""A box of finite numbers and positive size, in the image where that is known."""
NOT_FINITE = 1
"""A coordinate is NaN or infinite."""
NEGATIVE_SIZE = 2
"""The right or bottom edge lies before the left or top one."""
ZERO_SIZE = 3
"""Width or height is 0."""
OUTSIDE = 4
"""An edge lies outside the image by more than float noise; told of a box of zero size, too."""

NOISE = 1e-6
"""Share of an image's side by which an edge may pass it."""

_ONE = np.uint64(1)
_TWO = np.uint64(2)
_THREE = np.uint64(3)
_FOUR = np.uint64(4)


@inline
def _form(plan: Any) -> Any:
    return plan[0], plan[1], plan[2], plan[3], plan[4] != 0.0


@inline
def _scale(plan: Any, side: Any) -> Any:
    """Give multiplier and divisor along an axis of an image."""
    return (plan[5] * side if plan[7] > 0.0 else plan[5]), (plan[6] * side if plan[7] < 0.0 else plan[6])


@inline
def _axis(p: Any, q: Any, form: Any, scale: Any) -> Any:
    """Give one axis of a box in the target's layout and unit."""
    a, b, c, d, after = form
    multiplier, divisor = scale
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
def _row(boxes: Any, out: Any, i: Any, form: Any, x_scale: Any, y_scale: Any) -> None:
    k = _FOUR * np.uint64(i)
    left, right = _axis(boxes[k], boxes[k + _TWO], form, x_scale)
    top, bottom = _axis(boxes[k + _ONE], boxes[k + _THREE], form, y_scale)
    out[k] = left
    out[k + _ONE] = top
    out[k + _TWO] = right
    out[k + _THREE] = bottom


@kernel
def rows(boxes: npt.NDArray[Any], out: npt.NDArray[Any], plan: npt.NDArray[Any], sizes: npt.NDArray[Any]) -> None:
    """Convert flat rows of four into another array, which shares no memory with them."""
    n = np.uint64(out.size) // _FOUR
    form = _form(plan)
    if sizes.size == 2:
        x_scale, y_scale = _scale(plan, sizes[1]), _scale(plan, sizes[0])
        for i in range(n):
            _row(boxes, out, i, form, x_scale, y_scale)
    else:
        for i in range(n):
            k = _TWO * np.uint64(i)
            _row(boxes, out, i, form, _scale(plan, sizes[k + _ONE]), _scale(plan, sizes[k]))


@kernel
def rows_in_place(boxes: npt.NDArray[Any], plan: npt.NDArray[Any], sizes: npt.NDArray[Any]) -> None:
    """Convert flat rows of four where they are."""
    n = np.uint64(boxes.size) // _FOUR
    form = _form(plan)
    if sizes.size == 2:
        x_scale, y_scale = _scale(plan, sizes[1]), _scale(plan, sizes[0])
        for i in range(n):
            _row(boxes, boxes, i, form, x_scale, y_scale)
    else:
        for i in range(n):
            k = _TWO * np.uint64(i)
            _row(boxes, boxes, i, form, _scale(plan, sizes[k + _ONE]), _scale(plan, sizes[k]))


@kernel
def axis(
    p: npt.NDArray[Any],
    q: npt.NDArray[Any],
    out_p: npt.NDArray[Any],
    out_q: npt.NDArray[Any],
    plan: npt.NDArray[Any],
    sides: npt.NDArray[Any],
) -> None:
    """Convert the two columns of one axis into two others, which share no memory with them."""
    form = _form(plan)
    if sides.size == 1:
        scale = _scale(plan, sides[0])
        for i in range(np.uint64(p.size)):
            out_p[i], out_q[i] = _axis(p[i], q[i], form, scale)
    else:
        for i in range(np.uint64(p.size)):
            out_p[i], out_q[i] = _axis(p[i], q[i], form, _scale(plan, sides[i]))


@kernel
def axis_in_place(p: npt.NDArray[Any], q: npt.NDArray[Any], plan: npt.NDArray[Any], sides: npt.NDArray[Any]) -> None:
    """Convert the two columns of one axis where they are."""
    form = _form(plan)
    if sides.size == 1:
        scale = _scale(plan, sides[0])
        for i in range(np.uint64(p.size)):
            p[i], q[i] = _axis(p[i], q[i], form, scale)
    else:
        for i in range(np.uint64(p.size)):
            p[i], q[i] = _axis(p[i], q[i], form, _scale(plan, sides[i]))


@inline
def _column(boxes: Any, corners: Any, n: Any, i: Any, form: Any, x_scale: Any, y_scale: Any) -> None:
    k = _FOUR * np.uint64(i)
    left, right = _axis(np.float64(boxes[k]), np.float64(boxes[k + _TWO]), form, x_scale)
    top, bottom = _axis(np.float64(boxes[k + _ONE]), np.float64(boxes[k + _THREE]), form, y_scale)
    corners[i] = left
    corners[n + i] = top
    corners[n + n + i] = right
    corners[n + n + n + i] = bottom


@kernel
def columns_of_rows(
    boxes: npt.NDArray[Any],
    corners: npt.NDArray[np.float64],
    plan: npt.NDArray[np.float64],
    sizes: npt.NDArray[np.float64],
) -> None:
    """Convert flat rows of four into four columns, one after the other in one array."""
    n = np.uint64(boxes.size) // _FOUR
    form = _form(plan)
    if sizes.size == 2:
        x_scale, y_scale = _scale(plan, sizes[1]), _scale(plan, sizes[0])
        for i in range(n):
            _column(boxes, corners, n, i, form, x_scale, y_scale)
    else:
        for i in range(n):
            k = _TWO * np.uint64(i)
            _column(boxes, corners, n, i, form, _scale(plan, sizes[k + _ONE]), _scale(plan, sizes[k]))


@inline
def _is_beyond(edge: Any, side: Any) -> Any:
    return (-edge > NOISE * side) | (edge - side > NOISE * side)


@inline
def _code(corners: Any, n: Any, i: Any, height: Any, width: Any, wanted: Any) -> Any:
    left, top, right, bottom = corners[i], corners[n + i], corners[n + n + i], corners[n + n + n + i]
    zero, negative, outside, not_finite = wanted
    code = OK
    if zero & ((right == left) | (bottom == top)):
        code = ZERO_SIZE
    beyond = _is_beyond(left, width) | _is_beyond(right, width) | _is_beyond(top, height) | _is_beyond(bottom, height)
    if outside & beyond:
        code = OUTSIDE
    if negative & ((right < left) | (bottom < top)):
        code = NEGATIVE_SIZE
    if not_finite & (left * 0.0 + top * 0.0 + right * 0.0 + bottom * 0.0 != 0.0):  # NaN, unless all four are finite
        code = NOT_FINITE
    return np.uint8(code)


@kernel
def codes(
    corners: npt.NDArray[np.float64],
    sizes: npt.NDArray[np.float64],
    is_wanted: npt.NDArray[np.bool_],
    result: npt.NDArray[np.uint8],
) -> None:
    """Write the worst code that is wanted of each box of four columns; an infinite image holds every box."""
    n = np.uint64(result.size)
    wanted = (is_wanted[ZERO_SIZE], is_wanted[NEGATIVE_SIZE], is_wanted[OUTSIDE], is_wanted[NOT_FINITE])
    if sizes.size == 2:
        for i in range(n):
            result[i] = _code(corners, n, i, sizes[0], sizes[1], wanted)
    else:
        for i in range(n):
            k = _TWO * np.uint64(i)
            result[i] = _code(corners, n, i, sizes[k], sizes[k + _ONE], wanted)


@kernel
def n_bad_sides(sides: npt.NDArray[Any]) -> np.int64:
    """Count the sides that are not finite and positive."""
    n = np.int64(0)
    for i in range(np.uint64(sides.size)):
        n += np.int64(not (0.0 < sides[i] < np.inf))
    return n
