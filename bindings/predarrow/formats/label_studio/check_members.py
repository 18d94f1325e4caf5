"""Members of the file's objects, as the checks ask for them: each gives the value or raises a `Flaw`.

`place` is the pointer of the object that has the member, from the result: `.value`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from predarrow.formats.flaws import Flaw
from predarrow.report import Code

Object = Mapping[str, Any]

PERCENT = "; coordinates are percent of the image: 100 * pixels / size"

_EXACT = 2**53
_LARGEST = 1.7e308


def needed(given: Object, name: str, place: str) -> Any:
    """Give a member that must be there."""
    if name not in given:
        raise Flaw(Code.BAD_VALUE, place, f'must have "{name}"', told=f"only {', '.join(given) or 'nothing'}")
    return given[name]


def number(
    given: Object, name: str, place: str, *, least: float = -math.inf, most: float = math.inf, hint: str = ""
) -> float:
    """Give a number that must be there, finite, and from `least` to `most`."""
    value: Any = given.get(name)
    kind = type(value)
    if kind is not float and kind is not int:
        raise Flaw(Code.BAD_NUMBER, f"{place}.{name}", "must be a number", needed(given, name, place))
    if not least <= value <= most or abs(value) > _LARGEST:
        raise Flaw(Code.BAD_NUMBER, f"{place}.{name}", _bounds(least, most) + hint, value)
    return float(value)


def _bounds(least: float, most: float) -> str:
    if math.isinf(least):
        return "must be finite" if math.isinf(most) else f"must be at most {most:.16g}"
    return f"must be at least {least:.16g}" if math.isinf(most) else f"must be {least:.16g} to {most:.16g}"


def optional_number(given: Object, name: str, place: str, *, most: float = math.inf) -> float | None:
    """Give a number that may be missing or null."""
    return None if given.get(name) is None else number(given, name, place, most=most)


def whole(given: Object, name: str, place: str, least: int, most: int = _EXACT) -> int:
    """Give a whole number that must be there; 3.0 is one."""
    value = number(given, name, place, least=least, most=most)
    if not value.is_integer():
        raise Flaw(Code.BAD_NUMBER, f"{place}.{name}", "must be a whole number", given[name])
    return int(value)


def optional_whole(given: Object, name: str, place: str, least: int) -> int | None:
    """Give a whole number that may be missing or null."""
    return None if given.get(name) is None else whole(given, name, place, least)


def text(given: Object, name: str, place: str) -> str:
    """Give a text that must be there."""
    value = needed(given, name, place)
    if not is_text(value):
        raise Flaw(Code.BAD_VALUE, f"{place}.{name}", "must be a text", value)
    return str(value)


def optional_text(given: Object, name: str, place: str) -> str | None:
    """Give a text that may be missing or null."""
    return None if given.get(name) is None else text(given, name, place)


def optional_bool(given: Object, name: str, place: str) -> bool | None:
    """Give true or false, which may be missing or null."""
    value = given.get(name)
    if value is not None and value is not True and value is not False:
        raise Flaw(Code.BAD_VALUE, f"{place}.{name}", "must be true or false", value)
    return value


def objects(given: Object, name: str, place: str) -> list[dict[str, Any]]:
    """Give a list of objects that must be there, one at least."""
    value = needed(given, name, place)
    if not isinstance(value, list) or not value:
        raise Flaw(Code.BAD_VALUE, f"{place}.{name}", "must be a list of one object at least", value)
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise Flaw(Code.BAD_VALUE, f"{place}.{name}[{index}]", "must be an object", item)
    return value


def texts(given: Object, name: str, place: str) -> list[str]:
    """Give a list of texts that must be there."""
    value = needed(given, name, place)
    if not isinstance(value, list):
        raise Flaw(Code.BAD_VALUE, f"{place}.{name}", "must be a list of texts", value)
    check_texts(value, f"{place}.{name}")
    return value


def check_texts(items: list[Any], place: str) -> None:
    """Refuse what is no text in a list."""
    for index, item in enumerate(items):
        if not is_text(item):
            raise Flaw(Code.BAD_VALUE, f"{place}[{index}]", "must be a text", item)


def is_text(value: Any) -> bool:
    """Tell whether a value is a text of whole characters."""
    if not isinstance(value, str):
        return False
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:  # half a character, which Label Studio refuses
        return False
    return True
