"""Vertices as frame objects write them: `{"0": {"x": …, "y": …}, "1": …}`, a list of such points, or flat numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from predarrow.formats.encord.wire import Point, Points
from predarrow.formats.flaws import Flaw
from predarrow.report import Code

_KEYS: list[str] = [str(number) for number in range(64)]


def in_order(given: Mapping[str, Any], pointer: str) -> tuple[list[Any], bool]:
    """Give the values of keys that are numbers, by their numbers, and whether these are 0, 1, 2, …

    Raises:
        Flaw: a key that is no whole number.
    """
    n = len(given)
    if list(given) == (_KEYS[:n] if n <= len(_KEYS) else [str(number) for number in range(n)]):
        return list(given.values()), True
    for key in given:
        if not (key.isascii() and key.isdecimal()):
            raise Flaw(Code.BAD_VALUE, pointer, "keys must be whole numbers", key)
    numbers = sorted(given, key=int)
    return [given[key] for key in numbers], all(key == str(place) for place, key in enumerate(numbers))


def flat_points(given: Points | None, pointer: str) -> tuple[list[float], bool]:
    """Give x and y of points in turn, and whether they are written as the SDK writes them.

    Raises:
        Flaw: keys that are no numbers, a point without x and y, or with anything else.
    """
    if not given:
        return [], False
    points, is_plain = (given, False) if isinstance(given, list) else in_order(given, pointer)
    values: list[float] = []
    for place, point in enumerate(points):
        if len(point) != 2 or "x" not in point or "y" not in point:
            raise Flaw(Code.BAD_VALUE, f"{pointer}.{place}", "must have x and y and nothing else", sorted(point))
        values += point["x"], point["y"]
    return values, is_plain


def solid_points(given: Points, pointer: str) -> tuple[list[float], list[float], bool]:
    """Give x and y of points in turn, z of each where they have one, and whether they are written as the SDK does.

    Raises:
        Flaw: see `flat_points`; z on some points only.
    """
    points: Sequence[Point]
    points, is_plain = (given, False) if isinstance(given, list) else in_order(given, pointer)
    heights = [point["z"] for point in points if "z" in point]
    if not heights:
        return (*_swapped(flat_points(given, pointer), []),)
    if len(heights) != len(points):
        raise Flaw(Code.BAD_VALUE, pointer, "must have z on all points or on none", told=f"{len(heights)} with z")
    plane = {str(place): {key: point[key] for key in point if key != "z"} for place, point in enumerate(points)}
    values, _ = flat_points(plane, pointer)
    return values, heights, is_plain


def _swapped(found: tuple[list[float], bool], heights: list[float]) -> tuple[list[float], list[float], bool]:
    return found[0], heights, found[1]
