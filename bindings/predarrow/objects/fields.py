"""Fields of many objects as columns; what is of another type is refused."""

from __future__ import annotations

from array import array
from contextlib import suppress
from operator import attrgetter
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from predarrow.refusals import Refusals, shown
from predarrow.report import Code

BOX_FIELDS = ("x", "y", "w", "h", "theta")

box_fields = attrgetter(*BOX_FIELDS, "unit")
"""Gives a box's fields; those of many boxes, one after the other, are what `boxes` takes."""

_N_FIELDS = len(BOX_FIELDS) + 1
_RULES = {"q": "must be a whole number", "d": "must be a number"}
_NO_NUMBER = (TypeError, ValueError, OverflowError, RuntimeError)  # text, a signalling NaN, too large, a whole tensor


def texts(values: list[Any], pointer: str, refusals: Refusals) -> list[str]:
    """Give values that must all be text, empty where one is not."""
    if set(map(type, values)) == {str}:
        return values
    is_text = np.array([isinstance(value, str) for value in values])
    refusals.add(~is_text, Code.BAD_VALUE, pointer, lambda row: f"must be text, got {shown(values[row])}")
    return [value if isinstance(value, str) else "" for value in values]


def numbers(
    values: list[Any], typecode: Literal["q", "d"], pointer: str, refusals: Refusals
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
    """Give (n,) int64 ("q") or float64 ("d") values, and where None stood (None for nowhere).

    Python's arrays take whatever is a number (NumPy's and torch's scalars as well) and refuse text; booleans, which
    they would take, are refused as well.
    """
    try:
        if bool not in set(map(type, values)):
            return np.frombuffer(array(typecode, values), typecode), None
    except _NO_NUMBER:
        pass
    result = np.zeros(len(values), typecode)
    is_missing = np.zeros(len(values), np.bool_)
    is_wrong = np.zeros(len(values), np.bool_)
    for row, value in enumerate(values):
        if value is None:
            is_missing[row] = True
            continue
        try:
            result[row] = array(typecode, [value])[0]
            is_wrong[row] = isinstance(value, bool)
        except _NO_NUMBER:
            is_wrong[row] = True
    refusals.add(is_wrong, Code.BAD_VALUE, pointer, lambda row: f"{_RULES[typecode]}, got {shown(values[row])}")
    return result, is_missing


def confidences(values: list[Any], refusals: Refusals) -> Any:
    """Give the confidence column: finite numbers as they are, None as null."""
    import pyarrow as pa

    result, is_missing = numbers(values, "d", "confidence", refusals)
    refusals.add(
        ~np.isfinite(result), Code.BAD_VALUE, "confidence", lambda row: f"must be a finite number, got {values[row]}"
    )
    return pa.array(result, pa.float64(), mask=is_missing)


def track_ids(values: list[Any], refusals: Refusals) -> Any:
    """Give the object_id column: texts, and whole numbers as text; None is null."""
    import pyarrow as pa

    types = set(map(type, values))
    if types == {type(None)}:
        return pa.nulls(len(values), pa.string())
    if types <= {str, type(None)}:
        with suppress(UnicodeEncodeError):
            return pa.array(values, pa.string())
    is_wrong = np.array([not _is_track_id(value) for value in values])
    pointer = "object.track_id"
    rule = "must be text or a whole number"
    refusals.add(is_wrong, Code.BAD_VALUE, pointer, lambda row: f"{rule}, got {shown(values[row])}")
    pairs = zip(values, is_wrong.tolist(), strict=True)
    return pa.array([None if value is None or bad else str(value) for value, bad in pairs], pa.string())


def boxes(values: list[Any], refusals: Refusals) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Give (n, 5) float64, x, y, w, h and theta as they were given, and (n,) whether they are relative.

    Args:
        values: `box_fields` of n boxes, one after the other.
        refusals: of n rows.
    """
    result = np.empty((len(values) // _N_FIELDS, len(BOX_FIELDS)))
    for place, name in enumerate(BOX_FIELDS):
        result[:, place], is_missing = numbers(values[place::_N_FIELDS], "d", f"object.data.{name}", refusals)
        if is_missing is not None:
            refusals.add(is_missing, Code.BAD_VALUE, f"object.data.{name}", "must be a number, got None")
    return result, units(values[_N_FIELDS - 1 :: _N_FIELDS], refusals)


def units(values: list[Any], refusals: Refusals) -> npt.NDArray[np.bool_]:
    """Give (n,) whether each unit is "relative" rather than "pixel"."""
    known = [value if isinstance(value, str) else None for value in values]  # not an array, which equals many things
    is_relative = np.array([value == "relative" for value in known], np.bool_)
    if not is_relative.all():
        is_wrong = ~is_relative & np.array([value != "pixel" for value in known], np.bool_)
        rule = 'must be "relative" or "pixel"'
        refusals.add(is_wrong, Code.BAD_VALUE, "object.data.unit", lambda row: f"{rule}, got {shown(values[row])}")
    return is_relative


def _is_track_id(value: Any) -> bool:
    if not isinstance(value, str | int | np.integer | None) or isinstance(value, bool):
        return False
    try:
        str(value).encode()
    except ValueError:  # surrogates, of file names that are not UTF-8; thousands of digits
        return False
    return True
