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


def whole_number(name: str, value: Any, least: int | None = None, most: int | None = None) -> int:
    """Give an option's whole number.

    Raises:
        PredarrowError: it is none, below the least or above the most.
    """
    try:
        number = index(value)
    except TypeError:
        number = None
    if number is None or (least is not None and number < least) or (most is not None and number > most):
        bounds = "" if least is None else f" of at least {least}" if most is None else f" from {least} to {most}"
        raise PredarrowError(f"{name}: must be a whole number{bounds}, got {shown(value)}")
    return number
