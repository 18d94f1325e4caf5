"""Values of options, or one line that says what they must be."""

from __future__ import annotations

from operator import index
from typing import Any

from predarrow.errors import PredarrowError
from predarrow.refusals import shown


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    """Give an option's value.

    Raises:
        PredarrowError: it is none of those that are allowed.
    """
    if value not in allowed:
        raise PredarrowError(f"{name}: must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value


def whole_number(name: str, value: Any, least: int | None = None) -> int:
    """Give an option's whole number.

    Raises:
        PredarrowError: it is none, or below the least.
    """
    try:
        number = index(value)
    except TypeError:
        number = None
    if number is None or (least is not None and number < least):
        rule = "a whole number" if least is None else f"a whole number of at least {least}"
        raise PredarrowError(f"{name}: must be {rule}, got {shown(value)}")
    return number
