"""Geometries of one type -> what they hold and what their attributes tell; those that do not hold are refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from msgspec import Raw

from predarrow.formats.flaws import Flaw
from predarrow.formats.json_text import object_text
from predarrow.formats.openlabel.attributes import NOTHING, Told, all_told
from predarrow.formats.openlabel.frames import Collected, Group
from predarrow.formats.openlabel.pointers import pointer
from predarrow.formats.openlabel.wire import ABSENT, MORE, Codec, Geometry, Members
from predarrow.refusals import Refusals
from predarrow.report import Code, Problem

_CHAIN_CODES = ("MODE_POLY2D_SRF6DCC", "MODE_POLY2D_RS6FCC")
_more_of = attrgetter(*MORE)
_NOTHING_MORE = (ABSENT,) * len(MORE)
_KNOWN = ("name", "val", "attributes", *MORE)


class GeometryRefusals(Refusals):
    """Refused geometries of one type; pointers begin at the geometry."""

    def __init__(self, group: Group, type_: str, collected: Collected, problems: list[Problem]) -> None:
        super().__init__(np.array(group.numbers, np.int64))
        self.problems = problems
        self._group = group
        self._type = type_
        self._collected = collected

    def where(self, row: int) -> str:
        """Give a geometry's place in its file."""
        group = self._group
        place = self._collected.where(group.frames[row], group.uids[row])
        return place + pointer("object_data", self._type, group.places[row])

    def add_one(self, row: int, code: Code, pointer: str, message: str) -> None:
        """Refuse one geometry."""
        where = self.where(row) + pointer
        self.problems.append(Problem(self._collected.document.source, int(self.rows[row]), where, code, message))
        self.bad[row] = True

    def add_flaw(self, row: int, flaw: Flaw) -> None:
        """Refuse one geometry for a flaw."""
        self.add_one(row, flaw.code, flaw.pointer, flaw.message)


@dataclass(slots=True)
class Given:
    """Geometries of one type that could be read."""

    type: str
    group: Group
    items: Sequence[Geometry]
    values: Sequence[Any]
    """(n,) the `val` of each: numbers, of images text"""
    confidences: list[float]
    streams: list[str | None]
    """(n,) each one's attribute `stream`, else its coordinate_system"""
    others: dict[int, Told | Flaw]
    """Of those with further attributes"""
    kept: dict[int, str]
    """Members of the row's attributes, each after a comma, by row"""
    more: dict[int, str]
    """Further members as a JSON object, by row"""
    refusals: GeometryRefusals
    codec: Codec

    @property
    def n(self) -> int:
        """How many there are, refused ones included."""
        return len(self.items)

    def told(self, row: int) -> Told:
        """Give what further attributes of a geometry tell."""
        told = self.others.get(row, NOTHING)
        return told if isinstance(told, Told) else NOTHING


def given(type_: str, group: Group, collected: Collected, problems: list[Problem]) -> tuple[Given, list[int]]:
    """Read geometries.

    Returns:
        Those that could be read, and the places in the group of those that have no column.
    """
    codec = collected.document.codec
    refusals = GeometryRefusals(group, type_, collected, problems)
    items, extras = _read(group.raws, codec, refusals)
    values, others = _values(type_, items, codec, refusals)
    if None in values:
        rows = [row for row, value in enumerate(values) if value is not None]
        items, values = [items[row] for row in rows], [values[row] for row in rows]
        extras = {place: extras[row] for place, row in enumerate(rows) if row in extras}
        group = _chosen(group, rows)
        refusals = GeometryRefusals(group, type_, collected, problems)
    more, systems = _members_beside(items, extras, codec, refusals)
    told = all_told([item.attributes for item in items], systems, codec)
    kept = {}
    for row, each in told.others.items():
        if isinstance(each, Told):
            kept[row] = each.kept
        elif not refusals.bad[row]:
            refusals.add_flaw(row, each)
    return Given(type_, group, items, values, *told, kept, more, refusals, codec), others


def _chosen(group: Group, rows: Sequence[int]) -> Group:
    return Group(
        [group.raws[row] for row in rows],
        [group.uids[row] for row in rows],
        [group.frames[row] for row in rows],
        [group.places[row] for row in rows],
        [group.numbers[row] for row in rows],
    )


def _members_beside(
    items: Sequence[Geometry], extras: dict[int, Members], codec: Codec, refusals: GeometryRefusals
) -> tuple[dict[int, str], list[str | None]]:
    """Give members other than name, val and attributes as a JSON object, by row, and coordinate systems."""
    more: dict[int, str] = {}
    systems: list[str | None] = [None] * len(items)
    for row, values in enumerate(map(_more_of, items)):
        if values == _NOTHING_MORE and row not in extras:
            continue
        members = {name: raw for name, raw in zip(MORE, values, strict=True) if raw} | extras.get(row, {})
        system = codec.any(members["coordinate_system"]) if "coordinate_system" in members else None
        systems[row] = system if isinstance(system, str) else None
        try:
            if members:
                more[row] = object_text({name: codec.text(raw) for name, raw in members.items()})
        except ValueError:
            refusals.add_one(row, Code.BAD_NUMBER, "", "numbers must be finite, got one that is not")
    return more, systems


def _read(raws: Sequence[Raw], codec: Codec, refusals: GeometryRefusals) -> tuple[list[Geometry], dict[int, Members]]:
    """Give geometries, and members that are not known; those that do not hold are refused."""
    try:
        return codec.geometries(codec.join(raws)), {}
    except msgspec.DecodeError:
        pass
    items: list[Geometry] = []
    extras: dict[int, Members] = {}
    for row, raw in enumerate(raws):
        try:
            items += codec.geometries(codec.join([raw]))
        except msgspec.DecodeError:
            try:
                item, extras[row] = _read_one(raw, codec)
            except Flaw as flaw:
                refusals.add_flaw(row, flaw)
                item = Geometry(name="", val=ABSENT)
            items.append(item)
    return items, extras


def _read_one(raw: Raw, codec: Codec) -> tuple[Geometry, Members]:
    """Give a geometry and the members that are not known."""
    try:
        members = codec.members(raw)
    except msgspec.DecodeError:
        raise Flaw(Code.BAD_VALUE, "", "must be an object", told="another value") from None
    known: dict[str, Any] = {name: members.pop(name) for name in _KNOWN if name in members}
    try:
        known["name"] = codec.string(known["name"])
    except (KeyError, msgspec.DecodeError):
        raise Flaw(Code.BAD_VALUE, "/name", "must be there, and text", told="no text") from None
    if "val" not in known:
        raise Flaw(Code.BAD_VALUE, "/val", "must be there", told="none")
    return Geometry(**known), members


def _values(
    type_: str, items: Sequence[Geometry], codec: Codec, refusals: GeometryRefusals
) -> tuple[list[Any], list[int]]:
    """Give `val` of each, None of those that are refused or have no column; and the places of the latter."""
    is_text = type_ == "image"
    many: Callable[[bytes], list[Any]] = codec.many_strings if is_text else codec.many_numbers
    if not refusals.bad.any():
        try:
            return many(codec.join([item.val for item in items])), []
        except msgspec.DecodeError:
            pass
    values: list[Any] = []
    others: list[int] = []
    for row, item in enumerate(items):
        value = None
        try:
            if not refusals.bad[row]:
                value = codec.string(item.val) if is_text else codec.numbers(item.val)
        except msgspec.DecodeError as error:
            if _has_no_column(type_, item, codec):
                others.append(row)
            else:
                rule = f"must be {'text' if is_text else 'numbers'}"
                refusals.add_one(row, Code.BAD_NUMBER, "/val", f"{rule}, got: {error}")
        values.append(value)
    return values, others


def _has_no_column(type_: str, item: Geometry, codec: Codec) -> bool:
    """Tell whether it is a cuboid that is null, or a polygon as a chain code."""
    if type_ == "cuboid":
        return bytes(item.val) in (b"null", b"\xc0")
    return type_ == "poly2d" and bool(item.mode) and codec.any(item.mode) in _CHAIN_CODES
