"""Geometries of one type -> what they hold and what their attributes tell; those that do not hold are refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Raw

from predarrow.formats.openlabel.attributes import Told, many_told
from predarrow.formats.openlabel.flaws import Flaw, pointer
from predarrow.formats.openlabel.frames import Collected, Group
from predarrow.formats.openlabel.wire import ABSENT, MORE, Codec, Members, Numbers, Picture, object_text
from predarrow.refusals import Refusals
from predarrow.report import Code, Problem

_CHAIN_CODES = ("MODE_POLY2D_SRF6DCC", "MODE_POLY2D_RS6FCC")
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
    items: Sequence[Any]
    """(n,) `Numbers` or `Picture`"""
    told: Sequence[Told]
    systems: Sequence[str | None]
    """(n,) each one's coordinate_system"""
    more: dict[int, str]
    """Further members as a JSON object, by row"""
    refusals: GeometryRefusals
    codec: Codec

    @property
    def n(self) -> int:
        """How many there are, refused ones included."""
        return len(self.items)


def given(type_: str, group: Group, collected: Collected, problems: list[Problem]) -> tuple[Given, list[int]]:
    """Read geometries.

    Returns:
        Those that could be read, and the places in the group of those that have no column.
    """
    codec = collected.document.codec
    refusals = GeometryRefusals(group, type_, collected, problems)
    items, extras, others = _read(type_, group.raws, codec, refusals)
    texts = {row: _more(item, extras.get(row), codec) for row, item in enumerate(items) if item is not None}
    systems = [None if item is None else _system(item, codec) for item in items]
    attributes = [ABSENT if item is None else item.attributes for item in items]
    told: list[Told] = []
    for row, each in enumerate(many_told(attributes, systems, codec)):
        if isinstance(each, Flaw):
            if not refusals.bad[row]:
                refusals.add_flaw(row, each)
            told.append(Told())
        else:
            told.append(each)
    return _chosen(type_, group, collected, items, told, systems, texts, refusals), others


def _chosen(
    type_: str,
    group: Group,
    collected: Collected,
    items: Sequence[Any],
    told: Sequence[Told],
    systems: Sequence[str | None],
    texts: dict[int, str | Flaw],
    refusals: GeometryRefusals,
) -> Given:
    for row, text in texts.items():
        if isinstance(text, Flaw) and not refusals.bad[row]:
            refusals.add_flaw(row, text)
    more = {row: text for row, text in texts.items() if text and isinstance(text, str)}
    is_lost = [item is None or is_bad for item, is_bad in zip(items, refusals.bad.tolist(), strict=True)]
    codec = collected.document.codec
    if not any(is_lost):
        return Given(type_, group, items, told, systems, more, refusals, codec)
    rows = [row for row, lost in enumerate(is_lost) if not lost]
    part = Group(*([each[row] for row in rows] for each in group))
    more = {place: more[row] for place, row in enumerate(rows) if row in more}
    kept = GeometryRefusals(part, type_, collected, refusals.problems)
    values = [[each[row] for row in rows] for each in (items, told, systems)]
    return Given(type_, part, values[0], values[1], values[2], more, kept, codec)


def _read(
    type_: str, raws: Sequence[Raw], codec: Codec, refusals: GeometryRefusals
) -> tuple[list[Any], dict[int, Members], list[int]]:
    """Give geometries, None in place of those without a column and of refused ones; further members; the former."""
    many: Callable[[bytes], list[Any]] = codec.many_pictures if type_ == "image" else codec.many_numbers
    try:
        return many(codec.join(raws)), {}, []
    except msgspec.DecodeError:
        pass
    items: list[Any] = []
    extras: dict[int, Members] = {}
    others: list[int] = []
    for row, raw in enumerate(raws):
        try:
            items += many(codec.join([raw]))
        except msgspec.DecodeError:
            item = None
            try:
                item, extras[row] = _read_one(type_, raw, codec)
                if item is None:
                    others.append(row)
            except Flaw as flaw:
                refusals.add_flaw(row, flaw)
            items.append(item)
    return items, extras, others


def _read_one(type_: str, raw: Raw, codec: Codec) -> tuple[Numbers | Picture | None, Members]:
    """Give a geometry and the members that are not known; None for one without a column."""
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
    if _has_no_column(type_, known, codec):
        return None, {}
    wanted = "text" if type_ == "image" else "numbers"
    try:
        if type_ == "image":
            return Picture(**{**known, "val": codec.string(known["val"])}), members
        return Numbers(**{**known, "val": codec.numbers(known["val"])}), members
    except msgspec.DecodeError as error:
        raise Flaw(Code.BAD_NUMBER, "/val", f"must be {wanted}", told=str(error)) from None


def _has_no_column(type_: str, known: dict[str, Any], codec: Codec) -> bool:
    """Tell whether it is a cuboid that is null, or a polygon as a chain code."""
    if type_ == "cuboid":
        return bytes(known["val"]) in (b"null", b"\xc0")
    if type_ != "poly2d" or "mode" not in known:
        return False
    return codec.any(known["mode"]) in _CHAIN_CODES


def _system(item: Numbers | Picture, codec: Codec) -> str | None:
    raw = item.coordinate_system
    if not raw:
        return None
    value = codec.any(raw)
    return value if isinstance(value, str) else None


def _more(item: Numbers | Picture, extra: Members | None, codec: Codec) -> str | Flaw:
    """Give members other than name, val and attributes as a JSON object, empty text where there are none."""
    members = {name: raw for name in MORE if (raw := getattr(item, name)) is not ABSENT}
    if extra:
        members |= extra
    if not members:
        return ""
    try:
        return object_text({name: codec.text(raw) for name, raw in members.items()})
    except ValueError:
        return Flaw(Code.BAD_NUMBER, "", "numbers must be finite", told="one that is not")
