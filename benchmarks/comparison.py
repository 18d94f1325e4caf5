"""What a comparison is: ours and the peers on one kind of data, and how results are held equal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.digests import Digest


@dataclass(frozen=True)
class Data:
    """What contenders get."""

    text: str
    n: int
    """How many units one round of a full report has."""
    items: Callable[[int, int, Path], list[Any]]
    """Takes the number of units, a divisor of their size (1: full) and an empty folder; gives what contenders take one
    by one."""
    unit: str = "images"


@dataclass(frozen=True)
class Contender:
    """One way to do the work."""

    name: str
    run: Callable[[Any], Any]
    """Takes one item of the data."""
    digest: Callable[[Any], Digest] | None = None
    """What of its result can be held against another's; None: not comparable, `note` says why."""
    target: float | None = None
    """How many times as long as ours it should take."""
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """Ours against the peers on one kind of data."""

    name: str
    data: Data
    ours: Contender
    peers: Sequence[Contender]
    rounds: int = 15
    """At most; fewer where a peer takes long, or all together take longer than the report gives them."""
