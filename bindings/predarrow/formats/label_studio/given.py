"""Regions of one geometry, and what becomes of them in columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio.regions import Region
from predarrow.refusals import Refusals
from predarrow.report import Code, Problem

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class RegionRefusals(Refusals):
    """Refused regions of one geometry; pointers begin at the result.

    Args:
        numbers: (n,) each region's number in its file.
        source: the file.
        where: gives the place of a region's result.
        problems: to which they are added.
    """

    def __init__(self, numbers: Ints, source: str, where: Callable[[int], str], problems: list[Problem]) -> None:
        super().__init__(numbers)
        self.problems = problems
        self._source = source
        self._where = where

    def add_one(self, row: int, code: Code, pointer: str, message: str) -> None:
        """Refuse one region; what was refused before stays as it was told."""
        if not self.bad[row]:
            problem = Problem(self._source, int(self.rows[row]), self._where(row) + pointer, code, message)
            self.problems.append(problem)
            self.bad[row] = True

    def add_flaw(self, row: int, flaw: Flaw) -> None:
        """Refuse one region for a flaw."""
        self.add_one(row, flaw.code, flaw.pointer, flaw.message)


@dataclass(slots=True)
class Given:
    """Regions of one geometry whose labels have one name."""

    shape: str
    regions: Sequence[Region]
    values: Sequence[Any]
    """(n,) of `wire.value_type`"""
    sizes: Ints
    """(n, 2) height and width; 0 where not known, which only bitmasks and spans may have"""
    refusals: RegionRefusals
    threshold: int
    flagged: Counter[str]

    @property
    def n(self) -> int:
        """How many there are, refused ones included."""
        return len(self.regions)

    def numbers(self, *names: str) -> Floats:
        """Give at least two members, (k, n); what is not there is 0."""
        k, n = len(names), len(self.values)
        try:
            flat = np.fromiter(chain.from_iterable(map(attrgetter(*names), self.values)), np.float64, k * n)
        except TypeError:  # some are not there
            return np.array([_numbers(self.values, name) for name in names], np.float64).reshape(k, n)
        return np.ascontiguousarray(flat.reshape(n, k).T)

    def bools(self, name: str) -> list[bool]:
        """Tell where a member is true; one that is not there is not."""
        return [getattr(value, name) is True for value in self.values]

    def lacks(self, name: str) -> list[int]:
        """Give the rows without a member."""
        return [row for row, value in enumerate(self.values) if getattr(value, name) is UNSET]


def _numbers(values: Sequence[Any], name: str) -> list[float]:
    found = [getattr(value, name) for value in values]
    return [0.0 if each is UNSET else each for each in found] if UNSET in found else found


@dataclass(slots=True)
class Shaped:
    """Rows of regions of one geometry."""

    kinds: str | list[str]
    """Of all rows, or of each"""
    columns: dict[str, Any] = field(default_factory=dict)
    """By the table's names, other than bbox"""
    corners: Floats | None = None
    """(4, m) pixels; NaN where there is nothing to cover, None where no row has any"""
    kept: dict[int, str] = field(default_factory=dict)
    """By row, members of the value that columns do not give back, as JSON text"""
    without: dict[int, list[str]] = field(default_factory=dict)
    """By row, members of the value that it lacks"""
    attributes: dict[int, str] = field(default_factory=dict)
    """By row, attributes, as JSON text"""
    owner: Ints | None = None
    """(m,) each row's region, where these are not the same"""
    entry_scores: dict[int, float] = field(default_factory=dict)
    """By row, the confidence of an entry of a sequence"""
    frames: Ints | None = None
    """(m,) where these are not 0"""
    heads: dict[int, str] = field(default_factory=dict)
    """By row, what only a sequence's first row has: further members of its value, as JSON text"""
    sizes: Ints | None = None
    """(m, 2) where they are not those given"""

    def keep(self, row: int, text: str) -> None:
        """Add members to what is kept of a value."""
        if text:
            self.kept[row] = f"{self.kept[row]},{text}" if row in self.kept else text

    def lack(self, rows: Sequence[int], name: str) -> None:
        """Tell that values of rows lack a member."""
        for row in rows:
            self.without.setdefault(row, []).append(name)
