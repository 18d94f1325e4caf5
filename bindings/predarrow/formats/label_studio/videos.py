"""Sequences of a video -> one box for each of their entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Raw

from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio.given import Given, Ints, RegionRefusals, Shaped
from predarrow.formats.label_studio.shapes import boxes_of
from predarrow.formats.label_studio.wire import (
    ABSENT,
    Entry,
    Members,
    entry_of,
    joined,
    many_entries,
    members_decoded,
    members_of,
    members_text,
    text_of,
)
from predarrow.report import Code

NOT_ASCENDING = "sequence whose frames do not ascend"

_LAST_FRAME = 2**31


class _EntryRefusals(RegionRefusals):
    """Refuses the region of an entry that is refused.

    Args:
        regions: those of the regions.
        owner: (n,) each entry's region.
        places: (n,) its place in the sequence.
    """

    def __init__(self, regions: RegionRefusals, owner: Ints, places: Sequence[int]) -> None:
        super().__init__(regions.rows[owner], "", str, [])
        self._regions = regions
        self._owner = owner
        self._places = places

    def add_one(self, row: int, code: Code, pointer: str, message: str) -> None:
        """Refuse the region of an entry."""
        where = f".value.sequence[{self._places[row]}]{pointer.removeprefix('.value')}"
        self._regions.add_one(int(self._owner[row]), code, where, message)
        self.bad |= self._regions.bad[self._owner]


def sequences(given: Given) -> Shaped:
    """Give the entries of sequences as boxes, rotated boxes where they are rotated; frames from 0."""
    entries: list[Entry] = []
    extras: dict[int, Members] = {}
    owner: list[int] = []
    places: list[int] = []
    for row, value in enumerate(given.values):
        try:
            found = [] if given.refusals.bad[row] else _entries(value.sequence, len(entries), extras)
        except Flaw as flaw:
            given.refusals.add_flaw(row, flaw)
            continue
        if not found and not given.refusals.bad[row]:
            where = ".value.sequence"
            given.refusals.add_flaw(row, Flaw(Code.BAD_VALUE, where, "must have at least one entry", told="none"))
        if any(one.frame >= other.frame for one, other in pairwise(found)):
            given.flagged[NOT_ASCENDING] += 1
        entries += found
        owner += [row] * len(found)
        places += range(len(found))
    owners = np.array(owner, np.int64)
    refusals = _EntryRefusals(given.refusals, owners, places)
    regions: Sequence[Any] = entries  # only counted
    inner = replace(given, regions=regions, values=entries, sizes=given.sizes[owners], refusals=refusals)
    shaped = boxes_of(inner, inner.numbers("x", "y", "width", "height", "rotation"), inner.lacks("rotation"))
    shaped.owner = owners
    shaped.frames = np.fromiter((entry.frame - 1 for entry in entries), np.int64, len(entries))
    shaped.lack(inner.lacks("enabled"), "enabled")
    for row, entry in enumerate(entries):
        _keep(row, entry, extras.get(row, {}), shaped)
    return shaped


def _entries(raws: tuple[Raw, ...], first: int, extras: dict[int, Members]) -> list[Entry]:
    """Give the entries of a sequence; members that are not known go to `extras`, by row.

    Raises:
        Flaw: an entry that does not hold.
    """
    try:
        found = many_entries(joined(raws))
    except msgspec.DecodeError:
        found = [_entry(raw, place, first + place, extras) for place, raw in enumerate(raws)]
    for place, entry in enumerate(found):
        if not 1 <= entry.frame <= _LAST_FRAME:
            where = f".value.sequence[{place}].frame"
            raise Flaw(Code.FRAME_RANGE, where, f"must be a whole number from 1 to {_LAST_FRAME}", entry.frame)
    return found


def _entry(raw: Raw, place: int, row: int, extras: dict[int, Members]) -> Entry:
    try:
        return entry_of(raw)
    except msgspec.DecodeError:
        pass
    where = f".value.sequence[{place}]"
    try:
        members = members_of(raw)
    except msgspec.DecodeError:
        raise Flaw(Code.BAD_VALUE, where, "must be an object", text_of(raw)) from None
    if "vertices" in members:
        rule = "must be a box, x, y, width and height, as vectors that move have no column"
        raise Flaw(Code.UNSUPPORTED, where, rule, told="vertices")
    entry, rest = members_decoded(Entry, members, where)
    if rest:
        extras[row] = rest
    found: Entry = entry
    return found


def _keep(row: int, entry: Entry, extra: Members, shaped: Shaped) -> None:
    """Keep what columns do not hold of an entry."""
    if entry.time is not ABSENT:
        shaped.keep(row, f'"time":{text_of(entry.time)}')
    if entry.enabled is False:
        shaped.keep(row, '"enabled":false')
    if entry.score is None:
        shaped.keep(row, '"score":null')
    elif entry.score is not UNSET:
        shaped.entry_scores[row] = entry.score
    shaped.keep(row, members_text(extra))
