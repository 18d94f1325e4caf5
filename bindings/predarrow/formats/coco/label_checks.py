"""What a value of one annotation of a COCO data set must be, read as Python's objects."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from predarrow.formats.coco.names import is_utf8
from predarrow.refusals import shown
from predarrow.report import Code


class BadLabel(Exception):
    """An annotation that does not hold."""

    def __init__(self, code: Code, pointer: str, message: str) -> None:
        super().__init__(message)
        self.code, self.pointer, self.message = code, pointer, message


def number_of(value: Any, pointer: str) -> float:
    """Give a finite number.

    Raises:
        BadLabel: it is none.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        number = float(value) if is_number else math.nan
    except OverflowError:  # a whole number of over 308 digits
        number = math.inf
    if not math.isfinite(number):
        raise BadLabel(Code.BAD_NUMBER, pointer, f"must be a finite number, got {shown(value)}")
    return number


def is_side(value: Any) -> bool:
    """Tell whether a value is a number of pixels that the table can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31


def json_of(members: Mapping[str, Any]) -> str:
    """Give a JSON object; half a character, which UTF-8 cannot hold, stands in it as JSON's escape.

    Raises:
        BadLabel: JSON cannot hold it.
    """
    try:
        text = json.dumps(members, ensure_ascii=False, allow_nan=False)
        return text if is_utf8(text) else json.dumps(members, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadLabel(Code.BAD_VALUE, "", f"must have members that JSON holds, got {error}") from None
