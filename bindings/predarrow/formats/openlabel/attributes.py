"""Attributes of geometries: confidence, stream and what Kognic reserves, and the others as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from predarrow.formats.flaws import Flaw
from predarrow.formats.json_text import json_text
from predarrow.formats.openlabel.wire import Attributes, Codec
from predarrow.report import Code

DEFAULT_CONFIDENCE = 1.0

_LISTS = ("num", "text", "boolean", "vec")
_PLAIN = {"name", "val"}
CONFIDENCES = (("num", "confidence"), ("num", "score"), ("vec", "confidence"), ("vec", "score"))
"""How the confidence is spelled, the first one that is there counting."""


class Told(NamedTuple):
    """What unusual attributes of a geometry tell."""

    confidence: float = DEFAULT_CONFIDENCE
    stream: str | None = None
    kept: str = ""
    """Members of the row's attributes, each after a comma"""
    is_hole: bool = False
    polygon_id: str | None = None


NOTHING = Told()


class AllTold(NamedTuple):
    """What the attributes of n geometries tell."""

    confidences: list[float]
    streams: list[str | None]
    others: dict[int, Told | Flaw]
    """Of those that have others than a confidence and a stream, or that do not hold"""


def all_told(raws: Sequence[Raw], systems: Sequence[str | None], codec: Codec) -> AllTold:
    """Give what attributes tell.

    Args:
        raws: of each geometry, empty where it has none.
        systems: of each geometry, its coordinate_system, which is its stream where the attributes tell none.
        codec: of the file.
    """
    confidences: list[float] = []
    streams: list[str | None] = []
    others: dict[int, Told | Flaw] = {}
    known: dict[tuple[bytes, str | None], Told | Flaw] = {}  # many are the same: a stream and a confidence of 1
    for row, (item, system) in enumerate(zip(_usual(raws, codec), systems, strict=True)):
        if item is not None and len(item.text) == 1 and len(item.num) == 1:
            number, text = item.num[0], item.text[0]
            is_named = number.name == "confidence" and text.name == "stream"
            if is_named and 0 <= number.val < DEFAULT_CONFIDENCE and text.val != system:
                confidences.append(number.val)
                streams.append(text.val)
                continue
        key = bytes(raws[row]), system
        found = known.get(key)
        if found is None:
            found = known[key] = _told_or_flaw(raws[row], system, codec)
        if found is not NOTHING:
            others[row] = found
        told = NOTHING if isinstance(found, Flaw) else found
        confidences.append(told.confidence)
        streams.append(system if told.stream is None else told.stream)
    return AllTold(confidences, streams, others)


def _usual(raws: Sequence[Raw], codec: Codec) -> Sequence[Attributes | None]:
    """Give attributes read at once, None where they are not the usual ones."""
    nothing = Raw(b"{}" if codec.join(()) == b"[]" else b"\x80")
    try:
        return codec.many_attributes(codec.join([raw or nothing for raw in raws]))
    except msgspec.DecodeError:
        pass
    result: list[Attributes | None] = []
    for raw in raws:
        try:
            result += codec.many_attributes(codec.join([raw or nothing]))
        except msgspec.DecodeError:
            result.append(None)
    return result


def _told_or_flaw(raw: Raw, system: str | None, codec: Codec) -> Told | Flaw:
    try:
        return _told(raw, system, codec) if raw else NOTHING
    except Flaw as flaw:
        return flaw


def _told(raw: Raw, system: str | None, codec: Codec) -> Told:
    value = codec.any(raw)
    if not isinstance(value, dict):
        raise Flaw(Code.BAD_VALUE, "/attributes", "must be lists by type", value)
    for type_, entries in value.items():
        if type_ in _LISTS:
            _check_entries(entries, type_)
    confidence = _confidence(value)
    stream = _one(value, "text", "stream", str)
    interpolated = _one(value, "boolean", "interpolated", bool)
    lifted = {("boolean", "interpolated")}
    if confidence != DEFAULT_CONFIDENCE and not any(_places(value, *other) for other in CONFIDENCES[1:]):
        lifted.add(("num", "confidence"))
    if stream != system:
        lifted.add(("text", "stream"))
    rest = {type_: _without(entries, type_, lifted) for type_, entries in value.items()}
    rest = {type_: entries for type_, entries in rest.items() if entries or not value[type_]}
    kept = "" if interpolated is None else f',"interpolated":{json_text(interpolated)}'
    try:
        kept += f',"attributes":{json_text(rest)}' if rest else ""
    except ValueError:
        raise Flaw(Code.BAD_NUMBER, "/attributes", "numbers must be finite", told="one that is not") from None
    hole = _one(value, "boolean", "is_hole", bool)
    return Told(confidence, stream, kept, hole is True, _one(value, "text", "polygon_id", str))


def _check_entries(entries: Any, type_: str) -> None:
    rule = 'must be a list of {"name", "val"}'
    if not isinstance(entries, list):
        raise Flaw(Code.BAD_VALUE, f"/attributes/{type_}", rule, entries)
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict) or "val" not in entry or not isinstance(entry.get("name", ""), str):
            raise Flaw(Code.BAD_VALUE, f"/attributes/{type_}/{place}", rule, entry)


def _confidence(value: dict[str, Any]) -> float:
    """Give the confidence: num `confidence`, else num `score`, else vec `confidence` of one number."""
    for type_, name in CONFIDENCES:
        places = _places(value, type_, name)
        if not places:
            continue
        where = f"/attributes/{type_}/{places[0]}/val"
        number = value[type_][places[0]]["val"]
        if type_ == "vec":
            if not isinstance(number, list) or len(number) != 1:
                continue
            number, where = number[0], f"{where}/0"
        if len(places) > 1:
            raise Flaw(Code.BAD_CONFIDENCE, where, "the confidence must be told once", told=f"{len(places)} times")
        return checked_confidence(number, where)
    for type_ in ("text", "boolean"):
        if places := _places(value, type_, "confidence"):
            where = f"/attributes/{type_}/{places[0]}"
            got = value[type_][places[0]]["val"]
            raise Flaw(Code.BAD_CONFIDENCE, where, "the confidence must be a num attribute", got)
    return DEFAULT_CONFIDENCE


def object_confidence(data: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Give where an object's data on a frame tell its confidence, num or a vec of one number, and what they tell."""
    for type_ in ("num", "vec"):
        entries = data.get(type_)
        for place, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict) and entry.get("name") == "confidence" and "val" in entry:
                val = entry["val"]
                if type_ == "num":
                    return f"/num/{place}/val", val
                if isinstance(val, list) and len(val) == 1:
                    return f"/vec/{place}/val/0", val[0]
    return None


def tells_confidence(raw: Raw, codec: Codec) -> bool:
    """Tell whether attributes of a geometry have a confidence of their own."""
    value = codec.any(raw) if raw else {}
    return any(_places(value, *spelling) for spelling in CONFIDENCES)


def checked_confidence(number: Any, where: str) -> float:
    """Give a confidence.

    Raises:
        Flaw: it is none.
    """
    if not is_number(number) or not 0 <= number <= 1:
        raise Flaw(Code.BAD_CONFIDENCE, where, "the confidence must be a number from 0 to 1", number)
    return float(number)


def is_number(value: Any) -> bool:
    """Tell whether a value is a number, which true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _places(value: dict[str, Any], type_: str, name: str) -> list[int]:
    return [place for place, entry in enumerate(value.get(type_, ())) if entry.get("name") == name]


def _one(value: dict[str, Any], type_: str, name: str, wanted: type) -> Any:
    """Give the value of the attribute of a name, None where there is none.

    Raises:
        Flaw: it is there twice, or of another type.
    """
    places = _places(value, type_, name)
    if not places:
        return None
    where = f"/attributes/{type_}/{places[0]}"
    if len(places) > 1:
        raise Flaw(Code.BAD_VALUE, where, f"{name} must be told once", told=f"{len(places)} times")
    found = value[type_][places[0]]["val"]
    if not isinstance(found, wanted):
        rule = f"{name} must be {'text' if wanted is str else 'true or false'}"
        raise Flaw(Code.BAD_VALUE, f"{where}/val", rule, found)
    return found


def _without(entries: Any, type_: str, lifted: set[tuple[str, str]]) -> Any:
    """Give attributes without those that columns or keys of the row hold as they are."""
    if type_ not in _LISTS:
        return entries
    return [entry for entry in entries if (type_, entry.get("name")) not in lifted or entry.keys() != _PLAIN]
