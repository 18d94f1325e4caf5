"""One label row: what it says of itself, its data units and their frames; labels are not looked at yet."""

from __future__ import annotations

import math
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Raw, Struct

from predarrow.formats.encord.codec import Codec, Entries, TypedRow
from predarrow.formats.encord.documents import Given
from predarrow.formats.encord.frames import Group, groups_of, typed_groups
from predarrow.formats.encord.wire import ABSENT
from predarrow.formats.flaws import Flaw
from predarrow.report import Code

SPAN_TYPES = frozenset({"audio", "time_series", "plain_text"})
"""Data types whose objects lie on ranges, in `object_answers`."""

IMAGE_TYPES = frozenset({"image", "img_group"})
"""Data types whose labels stand in their data units without a frame."""
_LABELS = ("data_units", "object_answers", "classification_answers", "object_actions")
_LAST_FRAME = 2**31 - 1
_MOST_PIXELS = 2**31 - 1


class Unit(Struct, gc=False):
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
    """As they stand: those of `codec.Unit`, or a dictionary."""


class LabelRow(Struct, gc=False):
    """A label row whose labels are still as they are written.

    A struct, and not a data class, that the garbage collector does not look at: a hundred thousand of them, and of
    units and groups, take it longer than all else.
    """

    source: str
    pointer: str
    data_hash: str
    title: str
    data_type: str
    members: Any
    """Those of the row itself: those of `codec.TypedRow`, or a dictionary without labels."""
    codec: Codec
    units: list[Unit]
    groups: list[Group]
    """The frames of all units, in the order in which they are written."""
    object_answers: Entries
    classification_answers: Entries
    object_actions: Entries
    buffer: npt.NDArray[np.uint8] | None = None
    """What it lies in; see `Given`."""

    @property
    def is_span(self) -> bool:
        """Whether objects lie on ranges rather than on frames."""
        return self.data_type in SPAN_TYPES

    @property
    def n_frames(self) -> int | None:
        """How many frames there are; None where that is not known."""
        if len(self.units) > 1 or (self.units and self.data_type in IMAGE_TYPES):
            return max(unit.frame for unit in self.units) + 1
        return self.units[0].n_frames if self.units else None

    def member(self, name: str) -> Raw:
        """Give one of the row's own members, `wire.ABSENT` where it is not there."""
        found: Raw = self.members.get(name, ABSENT) if isinstance(self.members, dict) else getattr(self.members, name)
        return found


def is_portable(row: LabelRow) -> bool:
    """Tell whether a label row has what only older SDKs ask for: classifications on frames, hashes of tracks."""
    entries = [entry.get("actions") for entry in row.object_actions.values()]
    actions = [action for each in entries if isinstance(each, list) for action in each if isinstance(action, dict)]
    return any(group.classifications for group in row.groups) or any("trackHash" in action for action in actions)


def label_row(given: Given) -> LabelRow:
    """Give a label row whose labels are not looked at yet.

    Raises:
        Flaw: the row, one of its data units or what it says of answers does not hold.
    """
    typed = given.typed
    if typed is None and given.raw is not None:
        try:
            typed = given.codec.typed_row(given.raw)
        except msgspec.DecodeError:
            row, units = _loose(given, given.raw)
    if typed is not None:
        row, units = _typed(given, typed)
    is_image = row.data_type in IMAGE_TYPES
    for key, members in units.items():
        row.units.append(_unit(row, key, members, is_image))
    return row


def _typed(given: Given, typed: TypedRow) -> tuple[LabelRow, dict[str, Any]]:
    for name in ("data_hash", "data_type"):
        if not getattr(typed, name):
            raise Flaw(Code.BAD_VALUE, f".{name}", "must be a text that is not empty", "")
    title = "" if typed.data_title is ABSENT else given.codec.any(typed.data_title)
    answers = typed.object_answers, typed.classification_answers, typed.object_actions
    row = LabelRow(
        given.source,
        given.pointer,
        typed.data_hash,
        title if isinstance(title, str) else "",
        typed.data_type,
        typed,
        given.codec,
        [],
        [],
        *answers,
        given.buffer,
    )
    return row, {**typed.data_units}


def _loose(given: Given, raw: Raw) -> tuple[LabelRow, dict[str, Any]]:
    """Read a row level by level, as something in it is not as usual."""
    codec = given.codec
    try:
        members = codec.row(raw)
    except msgspec.DecodeError:
        raise Flaw(Code.BAD_VALUE, "", "must be a label row", codec.any(raw)) from None
    texts = {name: _text(members, name, codec) for name in ("data_hash", "data_type")}
    if "data_units" not in members:
        raise Flaw(Code.BAD_VALUE, "", "must be a label row, with data_units", sorted(members))
    title = codec.any(members["data_title"]) if "data_title" in members else ""
    objects, classifications, actions = [
        _entries(members[name], codec, f".{name}") if name in members else {} for name in _LABELS[1:]
    ]
    units = _loose_units(members["data_units"], codec)
    others = {key: raw for key, raw in members.items() if key not in _LABELS}
    title = title if isinstance(title, str) else ""
    row = LabelRow(
        given.source,
        given.pointer,
        texts["data_hash"],
        title,
        texts["data_type"],
        others,
        codec,
        [],
        [],
        objects,
        classifications,
        actions,
    )
    return row, units


def _text(given: dict[str, Raw], name: str, codec: Codec) -> str:
    if name not in given:
        raise Flaw(Code.BAD_VALUE, "", f"must be a label row, with {name}", sorted(given))
    value = codec.any(given[name])
    if not isinstance(value, str) or not value:
        raise Flaw(Code.BAD_VALUE, f".{name}", "must be a text that is not empty", value)
    return value


def _entries(raw: Raw, codec: Codec, pointer: str) -> Entries:
    try:
        return codec.entries(raw)
    except msgspec.DecodeError:
        value = codec.any(raw)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Flaw(Code.BAD_VALUE, pointer, "must be an object", value)
    for key, entry in value.items():
        if not isinstance(entry, dict):
            raise Flaw(Code.BAD_VALUE, f"{pointer}.{key}", "must be an object", entry)
    return {str(key): entry for key, entry in value.items()}


def _loose_units(raw: Raw, codec: Codec) -> dict[str, Any]:
    try:
        return {**codec.units(raw)}
    except msgspec.DecodeError:
        value = codec.any(raw)
    if not isinstance(value, dict):
        raise Flaw(Code.BAD_VALUE, ".data_units", "must be an object of data units by their hashes", value)
    for key, unit in value.items():
        if not isinstance(unit, dict):
            raise Flaw(Code.BAD_VALUE, f".data_units.{key}", "must be an object", unit)
    raise Flaw(Code.BAD_VALUE, ".data_units", "keys must be text", list(value))


def labels_of_unit(unit: Unit) -> Raw:
    """Give a data unit's labels, `wire.ABSENT` where it has none."""
    members = unit.members
    found: Raw = members.get("labels", ABSENT) if isinstance(members, dict) else members.labels
    return found


def read_frames(row: LabelRow) -> None:
    """Add the frames of a label row's data units, with their labels.

    Raises:
        Flaw: what should hold frames or labels does not.
    """
    codec = row.codec
    is_image = row.data_type in IMAGE_TYPES
    for place, unit in enumerate(row.units):
        raw = labels_of_unit(unit)
        if raw is ABSENT:
            continue
        try:
            labels = codec.frame(raw) if is_image else codec.frames(raw)
        except msgspec.DecodeError:
            row.groups += groups_of(codec.any(raw), place, unit, row)
        else:
            row.groups += typed_groups(labels, place, unit, row)


def _unit(row: LabelRow, key: str, members: Any, is_image: bool) -> Unit:
    width, height, sequence, fps, duration = _sizes(members)
    pointer = f".data_units.{key}"
    read = row.codec.any
    sides = [
        0 if raw is ABSENT else _side(read(raw), pointer, name) for name, raw in (("height", height), ("width", width))
    ]
    frame, n_frames = 0, None
    if is_image:
        frame, n_frames = 0 if sequence is ABSENT else _sequence(read(sequence), pointer), 1
    elif row.data_type == "video" and fps is not ABSENT and duration is not ABSENT:
        n_frames = _frame_count(read(fps), read(duration))
    if 0 in sides:
        sides = [0, 0]
    return Unit(key, sides[0], sides[1], frame, n_frames, members)


_SIZES = ("width", "height", "data_sequence", "data_fps", "data_duration")
_typed_sizes = attrgetter(*_SIZES)


def _sizes(members: Any) -> Any:
    if isinstance(members, dict):
        return [members.get(name, ABSENT) for name in _SIZES]
    return _typed_sizes(members)


def _side(value: Any, pointer: str, name: str) -> int:
    if value is None:
        return 0
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= _MOST_PIXELS or value != int(value):
        rule = "must be a whole number of pixels, or 0 or null where unknown"
        raise Flaw(Code.BAD_VALUE, f"{pointer}.{name}", rule, value)
    return int(value)


def _sequence(value: Any, pointer: str) -> int:
    if value is None:
        return 0
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value) if len(value) < 11 else -1
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LAST_FRAME:
        rule = f"must be a whole number from 0 to {_LAST_FRAME}"
        raise Flaw(Code.BAD_VALUE, f"{pointer}.data_sequence", rule, value)
    return value


def _frame_count(fps: Any, duration: Any) -> int | None:
    """Give a video's number of frames, as the SDK reckons it."""
    for value in (fps, duration):
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
            return None
    count = fps * duration
    return math.ceil(count) if count <= _LAST_FRAME else None


def check_units(row: LabelRow) -> None:
    """Check that the frames of several data units can be told apart.

    Raises:
        Flaw: they cannot.
    """
    if len(row.units) < 2:
        return
    if row.data_type not in IMAGE_TYPES:
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
