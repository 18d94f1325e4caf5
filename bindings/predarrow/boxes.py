"""Boxes from one layout and unit to another, and what is wrong with them: arrays and Arrow columns."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from predarrow.errors import InputError, PredarrowError
from predarrow.report import Code, Problem
from predarrow_engine import boxes as engine

BoxLayout = Literal["xyxy", "xywh", "cxcywh", "kitti", "openlabel"]
BoxUnit = Literal["pixel", "percent", "relative"]
BoxFlaw = Literal["not_finite", "negative_size", "zero_size", "outside"]

_FLOAT32 = np.dtype(np.float32)
_FLOAT64 = np.dtype(np.float64)

_LAYOUTS = {str(layout): layout for layout in engine.Layout} | {
    "kitti": engine.Layout.KITTI,
    "openlabel": engine.Layout.OPENLABEL,
}
_NUMBERS = (int, float)
_LARGE = 1e9  # from 1 to here a side is finite and positive in either type
_PIXELS_ONLY = ("kitti", "openlabel")
_FLAWS = {
    "not_finite": engine.NOT_FINITE,
    "negative_size": engine.NEGATIVE_SIZE,
    "zero_size": engine.ZERO_SIZE,
    "outside": engine.OUTSIDE,
}


def convert_boxes(
    boxes: Any,
    source: BoxLayout,
    target: BoxLayout,
    *,
    source_unit: BoxUnit = "pixel",
    target_unit: BoxUnit = "pixel",
    image_size: Any = None,
    out: npt.NDArray[Any] | None = None,
) -> Any:
    """Give boxes in another layout and unit, in the form in which they came.

    Layouts: "xyxy" (left, top, right, bottom), "xywh" (left, top, width, height), "cxcywh" (centre, width, height);
    "kitti" is xyxy and "openlabel" cxcywh, both in pixels. Units: "pixel", "percent" (0 to 100 of the image's width
    or height) and "relative" (0 to 1). Origin at the image's top-left corner, x right, y down. Formulas and how
    exactly they come back stand in `predarrow_engine.boxes`. Numbers are computed and not judged: NaN stays NaN, a
    negative width stays negative; `check_boxes` refuses them.

    Args:
        boxes: (n, 4), or (4,) for one: NumPy, anything with DLPack or `__array__` (torch on the CPU is not copied),
            lists. float32 stays float32 and float64 stays float64; integers become float64, float16 float32. Or an
            Arrow array, or chunks of it: a struct with the layout's fields (xmin, ymin, xmax, ymax; x, y, w, h or x,
            y, width, height; cx, cy, w, h), or a list or fixed-size list of four numbers. Null boxes stay null.
        source, target: layouts.
        source_unit, target_unit: units.
        image_size: height and width in pixels, (2,) for all or (n, 2) a row each; needed between pixels and the
            other units, else not looked at.
        out: where to write the result: a contiguous array of the result's shape and type, maybe `boxes` itself
            (in place). Without it, the caller's array is never changed.

    Returns:
        `out`, or a new array; for Arrow a new column of the same form, a struct with fields xmin, ymin, xmax, ymax
        (the type of a table's bbox column, where the numbers are float64), x, y, w, h or cx, cy, w, h.

    Raises:
        InputError: arrays or columns of another form; missing sizes, or sizes that are not finite and positive;
            each with its place, such as `image_size[17]`.
        PredarrowError: no such layout or unit.

    >>> convert_boxes([50, 50, 20, 10], "cxcywh", "xyxy", source_unit="percent", image_size=(480, 640))
    array([256., 216., 384., 264.])
    """
    conversion = _conversion(source, target, source_unit, target_unit)
    if type(boxes) is not np.ndarray:
        if is_arrow(boxes):
            from predarrow.box_columns import convert_column

            if out is not None:
                raise PredarrowError("out: must be None for Arrow columns, which cannot be changed")
            return convert_column(boxes, _LAYOUTS[source], _LAYOUTS[target], conversion, image_size)
        boxes = _array(boxes)
    if boxes.dtype is not _FLOAT32 and boxes.dtype is not _FLOAT64:
        boxes = floats(boxes, "boxes")
    _check_shape(boxes)
    sizes = checked_sizes(image_size, boxes.size // 4, boxes.dtype) if conversion.needs_size else None
    if out is None:
        out = np.empty(boxes.shape, boxes.dtype)
    else:
        boxes = _apart(boxes, out)
    engine.convert(boxes, out, conversion, sizes)
    return out


def check_boxes(
    boxes: Any,
    layout: BoxLayout,
    *,
    unit: BoxUnit = "pixel",
    image_size: Any = None,
    refuse: BoxFlaw | Iterable[BoxFlaw] = ("not_finite", "negative_size"),
) -> None:
    """Refuse boxes that have a flaw which is not allowed, all of them in one error.

    Args:
        boxes, layout, unit, image_size: see `convert_boxes`; null boxes of an Arrow column pass.
        refuse: one or more of "not_finite" (NaN or infinite), "negative_size", "zero_size", and "outside" (an edge is
            beyond the image by more than a millionth of its side, so that float noise is not; needs image_size). A
            box is told of once, with the first of not_finite, negative_size, outside, zero_size that is refused.

    Raises:
        InputError: boxes with such a flaw, each with its index, or what `convert_boxes` refuses.
        PredarrowError: no such layout, unit or flaw.

    >>> check_boxes([[0, 0, 5, 5], [9, 0, 7, 5]], "xyxy")
    Traceback (most recent call last):
    predarrow.errors.InputError: boxes[1]: width must not be negative, got -2.0 of (9.0, 0.0, 7.0, 5.0)
    """
    flaws = [refuse] if isinstance(refuse, str) else list(refuse)
    if unknown := [flaw for flaw in flaws if flaw not in _FLAWS]:
        raise PredarrowError(f"refuse: must be of {', '.join(_FLAWS)}, got {', '.join(map(str, unknown))}")
    needs_size = _conversion(layout, "xyxy", unit, "pixel").needs_size or "outside" in flaws
    rows, is_null = _rows(boxes, layout)
    sizes = checked_sizes(image_size, rows.size // 4, _FLOAT64) if needs_size else None
    corners = engine.to_corners(rows.reshape(-1, 4), _LAYOUTS[layout], unit, sizes)
    codes = engine.judge(corners, sizes, [_FLAWS[flaw] for flaw in flaws])
    codes[is_null] = engine.OK
    if (bad := np.flatnonzero(codes)).size:
        raise InputError([_flaw(row, int(codes[row]), corners, rows) for row in bad.tolist()])


def _rows(boxes: Any, layout: BoxLayout) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Give boxes as (n, 4) or (4,), and which are null."""
    if is_arrow(boxes):
        from predarrow.box_columns import rows_of_column

        return rows_of_column(boxes, _LAYOUTS[layout])
    rows = floats(_array(boxes), "boxes")
    _check_shape(rows)
    return rows, np.zeros(rows.size // 4, np.bool_)


def _check_shape(boxes: npt.NDArray[Any]) -> None:
    if boxes.ndim not in (1, 2) or boxes.shape[-1] != 4:
        raise _refused("boxes", f"must have shape (n, 4) or (4,), got {boxes.shape}")


def _flaw(row: int, code: int, corners: npt.NDArray[np.float64], rows: npt.NDArray[Any]) -> Problem:
    place = f"boxes[{row}]" if rows.ndim == 2 else "boxes"
    kind = Code.OUTSIDE_IMAGE if code == engine.OUTSIDE else Code.BAD_BOX
    return Problem(place, row, "", kind, _told(code, corners[:, row], rows.reshape(-1, 4)[row].tolist()))


def _told(code: int, corners: npt.NDArray[np.float64], box: list[float]) -> str:
    """Word a flaw of a box; sizes are told in pixels."""
    of = f"of ({', '.join(map(str, box))})"
    if code == engine.NOT_FINITE:
        return f"numbers must be finite, got ({', '.join(map(str, box))})"
    left, top, right, bottom = corners.tolist()
    if code == engine.OUTSIDE:
        return f"must lie in the image, got corners ({left}, {top}, {right}, {bottom}) {of}"
    sizes = {"width": right - left, "height": bottom - top}
    if code == engine.NEGATIVE_SIZE:
        name = min(sizes, key=sizes.__getitem__)
        return f"{name} must not be negative, got {sizes[name]} {of}"
    return f"{'width' if sizes['width'] == 0 else 'height'} must be positive, got 0.0 {of}"


@cache
def _conversion(source: str, target: str, source_unit: str, target_unit: str) -> engine.Conversion:
    for side, layout, unit in (("source", source, source_unit), ("target", target, target_unit)):
        if layout not in _LAYOUTS:
            raise PredarrowError(f"{side}: must be one of {', '.join(_LAYOUTS)}, got {layout!r}")
        if unit not in set(engine.Unit):
            raise PredarrowError(f"{side}_unit: must be one of {', '.join(engine.Unit)}, got {unit!r}")
        if layout in _PIXELS_ONLY and unit != engine.Unit.PIXEL:
            hint = f"name the layout {str(_LAYOUTS[layout])!r} for other units"
            raise PredarrowError(f"{side}_unit: must be pixel for {layout}, got {unit!r}; {hint}")
    return engine.conversion(_LAYOUTS[source], _LAYOUTS[target], source_unit, target_unit)


def is_arrow(values: Any) -> bool:
    """Tell whether values are an Arrow array or chunks of one, of any library."""
    return hasattr(values, "__arrow_c_array__") or hasattr(values, "__arrow_c_stream__")


def _array(values: Any) -> npt.NDArray[Any]:
    from predarrow.models.arrays import as_array

    return np.asarray(as_array(values, "boxes"))  # no matrix, no masked array without masks


def floats(array: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    """Give numbers as native float32 (from float16, too) or float64 (from integers, too), a copy only if needed.

    Raises:
        InputError: other numbers, or none.
    """
    if array.dtype.kind == "f" and array.dtype.itemsize <= 8:
        return array.astype(np.float64 if array.dtype.itemsize == 8 else np.float32, copy=False)
    if array.dtype.kind in "iu":
        return array.astype(np.float64)
    raise _refused(where, f"must be float32, float64 or integers, got {array.dtype}")


def checked_sizes(image_size: Any, n_rows: int, dtype: npt.DTypeLike) -> Any:
    """Give image sizes as the engine takes them: height and width, (2,) for all or (n_rows, 2).

    Raises:
        InputError: none, another shape, or sides that are not finite and positive.
    """
    if type(image_size) is tuple and len(image_size) == 2:  # at once: a single box is converted in as little time
        height, width = image_size
        if type(height) in _NUMBERS and type(width) in _NUMBERS and 1 <= height < _LARGE and 1 <= width < _LARGE:
            return image_size
    if image_size is None:
        what = "between pixels and other units, and to tell what is outside"
        raise _refused("image_size", f"must be (height, width) {what}, got None")
    from predarrow.models.arrays import as_array

    array = as_array(image_size, "image_size")
    if array.shape not in ((2,), (n_rows, 2)):
        raise _refused("image_size", f"must be (height, width) or have shape ({n_rows}, 2), got shape {array.shape}")
    if array.dtype.kind not in "iuf":
        raise _refused("image_size", f"must be numbers, got {array.dtype}")
    flat = engine.sizes_array(array, n_rows, dtype)
    if (bad := engine.bad_sides(flat)).size:
        raise InputError([_bad_size(row, array) for row in np.unique(bad // 2).tolist()])
    return flat.reshape(array.shape)


def _bad_size(row: int, sizes: npt.NDArray[Any]) -> Problem:
    place = f"image_size[{row}]" if sizes.ndim == 2 else "image_size"
    height, width = sizes.reshape(-1, 2)[row].tolist()
    message = f"height and width must be finite and positive, got {height} and {width}"
    return Problem(place, row, "", Code.BAD_NUMBER, message)


def _apart(boxes: npt.NDArray[Any], out: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give boxes that are `out`, or share no memory with it.

    Raises:
        InputError: an array that cannot hold the result.
    """
    if not isinstance(out, np.ndarray) or out.dtype != boxes.dtype or out.shape != boxes.shape:
        got = f"{out.dtype} of shape {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise _refused("out", f"must be a NumPy array of {boxes.dtype} of shape {boxes.shape}, got {got}")
    if not (out.flags.c_contiguous and out.flags.writeable):
        raise _refused("out", f"must be contiguous and writeable, got strides {out.strides}, {out.flags.writeable=}")
    if out is boxes or not np.may_share_memory(boxes, out):
        return boxes
    is_same = boxes.flags.c_contiguous and boxes.ctypes.data == out.ctypes.data
    return out if is_same else boxes.copy()


def _refused(where: str, message: str) -> InputError:
    return InputError([Problem(where, None, "", Code.BAD_ARRAY, message)])
