"""One label row: what it says of itself, its data units and their frames; labels are not looked at yet."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from predarrow.formats.encord import wire
from predarrow.formats.encord.documents import Given
from predarrow.formats.encord.flaws import Flaw
from predarrow.formats.encord.frames import Group, groups_of, typed_groups
from predarrow.formats.encord.wire import ABSENT, Codec
from predarrow.report import Code

SPAN_TYPES = frozenset({"audio", "time_series", "plain_text"})
"""Data types whose objects lie on ranges, in `object_answers`."""

_IMAGE_TYPES = frozenset({"image", "img_group"})
_LABELS = ("data_units", "object_answers", "classification_answers", "object_actions")
_LAST_FRAME = 2**31 - 1
_MOST_PIXELS = 2**31 - 1

Entries = dict[str, dict[str, Any]]


class Unit(NamedTuple):
    """An image, a video or whatever else is labelled."""

    key: str
    height: int
    """0 where it is not known."""
    width: int
    frame: int
    """Of an image in its group, 0 of others."""
    n_frames: int | None
    """None where it is not known."""
    members: Any
    """As they stand: those of `wire.ImageUnit` and `wire.FramesUnit`, or a dictionary."""


@dataclass(slots=True)
class LabelRow:
    """A label row whose labels are still as they are written."""

    source: str
    pointer: str
    data_hash: str
    title: str
    data_type: str
    members: dict[str, msgspec.Raw]
    """Those of the row itself that hold no labels."""
    codec: Codec
    units: list[Unit] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    """The frames of all units, in the order in which they are written."""
    object_answers: Entries = field(default_factory=dict)
    classification_answers: Entries = field(default_factory=dict)
    object_actions: Entries = field(default_factory=dict)

    @property
    def is_span(self) -> bool:
        """Whether objects lie on ranges rather than on frames."""
        return self.data_type in SPAN_TYPES

    @property
    def n_frames(self) -> int | None:
        """How many frames there are; None where that is not known."""
        if len(self.units) > 1 or (self.units and self.data_type in _IMAGE_TYPES):
            return max(unit.frame for unit in self.units) + 1
        return self.units[0].n_frames if self.units else None


def label_row(found: Given) -> LabelRow:
    """Give a label row whose labels are not looked at yet.

    Raises:
        Flaw: the row, one of its data units or what it says of answers does not hold.
    """
    given, codec = found.members, found.codec
    data_hash = _text(given, "data_hash", codec)
    data_type = _text(given, "data_type", codec)
    if "data_units" not in given:
        raise Flaw(Code.BAD_VALUE, "", "must be a label row, with data_units", sorted(given))
    title = codec.any(given["data_title"]) if "data_title" in given else ""
    members = {key: raw for key, raw in given.items() if key not in _LABELS}
    row = LabelRow(
        found.source, found.pointer, data_hash, title if isinstance(title, str) else "", data_type, members, codec
    )
    for name in _LABELS[1:]:
        if name in given:
            setattr(row, name, _entries(given[name], codec, f".{name}"))
    _add_units(row, given["data_units"])
    return row


def _text(given: dict[str, msgspec.Raw], name: str, codec: Codec) -> str:
    if name not in given:
        raise Flaw(Code.BAD_VALUE, "", f"must be a label row, with {name}", sorted(given))
    value = codec.any(given[name])
    if not isinstance(value, str) or not value:
        raise Flaw(Code.BAD_VALUE, f".{name}", "must be a text that is not empty", value)
    return value


def _entries(raw: msgspec.Raw, codec: Codec, pointer: str) -> Entries:
    try:
        return codec.entries(raw)
    except msgspec.ValidationError:
        value = codec.any(raw)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Flaw(Code.BAD_VALUE, pointer, "must be an object", value)
    for key, entry in value.items():
        if not isinstance(entry, dict):
            raise Flaw(Code.BAD_VALUE, f"{pointer}.{key}", "must be an object", entry)
    return {str(key): entry for key, entry in value.items()}


def _add_units(row: LabelRow, raw: msgspec.Raw) -> None:
    codec = row.codec
    is_image = row.data_type in _IMAGE_TYPES
    units: dict[str, Any]
    try:
        units = codec.image_units(raw) if is_image else codec.frames_units(raw)
    except msgspec.ValidationError:
        units = _loose_units(codec.any(raw), codec, raw)
    for key, members in units.items():
        unit = _unit(row, key, members, is_image)
        row.units.append(unit)
        row.groups += _groups(row, unit)
    if len(row.units) > 1:
        _check_several(row)


def _loose_units(value: Any, codec: Codec, raw: msgspec.Raw) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Flaw(Code.BAD_VALUE, ".data_units", "must be an object of data units by their hashes", value)
    for key, unit in value.items():
        if not isinstance(unit, dict):
            raise Flaw(Code.BAD_VALUE, f".data_units.{key}", "must be an object", unit)
        if not isinstance(key, str) or not all(isinstance(name, str) for name in unit):
            raise Flaw(Code.BAD_VALUE, f".data_units.{key}", "keys must be text", [key, *unit])
    return codec.units(raw)


def _groups(row: LabelRow, unit: Unit) -> list[Group]:
    place = len(row.units) - 1
    if not isinstance(unit.members, dict):
        return typed_groups(unit.members.labels, place, unit, row)
    if "labels" not in unit.members:
        return []
    return groups_of(row.codec.any(unit.members["labels"]), place, unit, row)


def _unit(row: LabelRow, key: str, members: Any, is_image: bool) -> Unit:
    pointer = f".data_units.{key}"

    def value(name: str) -> Any:
        raw = members.get(name, ABSENT) if isinstance(members, dict) else getattr(members, name)
        return None if raw is ABSENT else row.codec.any(raw)

    sides = [_side(value(name), f"{pointer}.{name}") for name in ("height", "width")]
    frame, n_frames = 0, None
    if is_image:
        frame, n_frames = _sequence(value("data_sequence"), f"{pointer}.data_sequence"), 1
    elif row.data_type == "video":
        n_frames = _frame_count(value("data_fps"), value("data_duration"))
    height, width = sides if all(sides) else (0, 0)
    return Unit(key, height, width, frame, n_frames, members)


def _side(value: Any, pointer: str) -> int:
    if value is None:
        return 0
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= _MOST_PIXELS or value != int(value):
        raise Flaw(Code.BAD_VALUE, pointer, "must be a whole number of pixels, or 0 or null where unknown", value)
    return int(value)


def _sequence(value: Any, pointer: str) -> int:
    if value is None:
        return 0
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value) if len(value) < 11 else -1
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LAST_FRAME:
        raise Flaw(Code.BAD_VALUE, pointer, f"must be a whole number from 0 to {_LAST_FRAME}", value)
    return value


def _frame_count(fps: Any, duration: Any) -> int | None:
    """Give a video's number of frames, as the SDK reckons it."""
    for value in (fps, duration):
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
            return None
    count = fps * duration
    return math.ceil(count) if count <= _LAST_FRAME else None


def _check_several(row: LabelRow) -> None:
    if row.data_type not in _IMAGE_TYPES:
        if any(group.key is not None for group in row.groups):
            rule = "must be one data unit where labels stand by frames"
            raise Flaw(Code.UNSUPPORTED, ".data_units", rule, told=str(len(row.units)))
        return
    seen: dict[int, str] = {}
    for unit in row.units:
        if seen.setdefault(unit.frame, unit.key) != unit.key:
            rule = "each image must have a data_sequence of its own"
            got = f"{unit.frame} for {seen[unit.frame]} and {unit.key}"
            raise Flaw(Code.BAD_VALUE, ".data_units", rule, told=got)


def kept_text(row: LabelRow) -> str:
    """Give what the row has beside labels as JSON text, for the attribute "encord".

    Raises:
        ValueError: a number that is not finite, half a character.
    """
    parts = [f"{_key(name)}:{row.codec.text(raw)}" for name, raw in row.members.items()]
    units = [f"{_key(unit.key)}:{{{_unit_text(row, place, unit)}}}" for place, unit in enumerate(row.units)]
    parts.append(f'"data_units":{{{",".join(units)}}}')
    return "{" + ",".join(parts) + "}"


def _unit_text(row: LabelRow, place: int, unit: Unit) -> str:
    members = unit.members
    if not isinstance(members, dict):
        members = {name: getattr(members, name) for name in members.__struct_fields__}
    parts = [
        f"{_key(name)}:{row.codec.text(raw)}" for name, raw in members.items() if name != "labels" and raw is not ABSENT
    ]
    others = {group.key: group.others for group in row.groups if group.unit == place and group.others}
    if others:
        texts = [
            text if key is None else f"{_key(key)}:{{{text}}}"
            for key, text in ((key, _members(each, row.codec)) for key, each in others.items())
        ]
        parts.append(f'"labels":{{{",".join(texts)}}}')
    return ",".join(parts)


def _members(values: dict[str, Any], codec: Codec) -> str:
    texts = (
        codec.text(value) if isinstance(value, msgspec.Raw) else wire.json_text(value) for value in values.values()
    )
    return ",".join(f"{_key(name)}:{text}" for name, text in zip(values, texts, strict=True))


_PLAIN: dict[str, str] = {}


def _key(name: str) -> str:
    """Give a key as JSON text; those of every row are kept."""
    text = _PLAIN.get(name)
    if text is None:
        text = wire.json_text(name)
        if len(_PLAIN) < 256:
            _PLAIN[name] = text
    return text
