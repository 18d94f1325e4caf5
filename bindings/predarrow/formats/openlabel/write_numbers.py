"""Numbers of the table -> the numbers that OpenLABEL has in their place, such that reading gives the table's back.

The table has corners where OpenLABEL has a centre and a size, and degrees where it has radians. Several numbers give
the same corners; of those the one with the fewest decimals is most likely what was read. Where none gives them, the
nearest is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_DECIMALS = range(7)
_MOST_DECIMALS = range(7, 19)  # of 0.01 and more, what 17 digits can be


def centres(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Give centre and size of boxes along one axis; `centre - size / 2` is `low` wherever two such numbers exist.

    Args:
        low, high: (n,) left and right, or top and bottom, finite.
    """
    centre, size = low + 0.5 * (high - low), high - low
    left = np.arange(low.size)
    for middle, length in _pairs(centre, size):
        c, s = middle(centre[left]), length(size[left])
        fits = (c - 0.5 * s == low[left]) & (c + 0.5 * s == high[left])
        centre[left[fits]], size[left[fits]] = c[fits], s[fits]
        left = left[~fits]
        if not left.size:
            break
    return centre, size


def radians_of(degrees: Floats) -> Floats:
    """Give angles whose degrees are those given, wherever such a number exists.

    Args:
        degrees: (n,) finite.
    """
    angles = np.radians(degrees)
    left = np.arange(degrees.size)
    for rounded in (*map(_rounding, _DECIMALS), *map(_rounding, _MOST_DECIMALS), *_NEIGHBOURS):
        found = rounded(angles[left])
        fits = np.degrees(found) == degrees[left]
        angles[left[fits]] = found[fits]
        left = left[~fits]
        if not left.size:
            break
    return angles


_Rule = Callable[[Floats], Floats]


def _rounding(decimals: int) -> _Rule:
    return lambda values: np.round(values, decimals)


_NEIGHBOURS: tuple[_Rule, ...] = (
    lambda values: values,
    lambda values: np.nextafter(values, -np.inf),
    lambda values: np.nextafter(values, np.inf),
)


def _pairs(centre: Floats, size: Floats) -> Iterator[tuple[_Rule, _Rule]]:
    """Give rules for the centre and the size, the plainest numbers first."""
    for decimals in _DECIMALS:
        yield _rounding(decimals), _rounding(decimals)
    few = [_rounding(decimals) for decimals in _DECIMALS]
    for rule in few:  # a size that is a difference of corners has all its digits, its centre few
        for neighbour in _NEIGHBOURS:
            yield rule, neighbour
            yield neighbour, rule
    for decimals in _MOST_DECIMALS:
        yield _rounding(decimals), _rounding(decimals)
    for one in _NEIGHBOURS:
        for other in _NEIGHBOURS:
            yield one, other
