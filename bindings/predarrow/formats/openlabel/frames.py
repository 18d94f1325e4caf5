"""Frames and root objects -> their geometries by type, and what else they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

import msgspec
from msgspec import Raw

from predarrow.formats.flaws import Flaw
from predarrow.formats.json_text import object_text, string_text
from predarrow.formats.openlabel.document import GEOMETRIES, ROOT, Document, FileFrame
from predarrow.formats.openlabel.pointers import pointer
from predarrow.formats.openlabel.wire import ABSENT, JSON, OBJECT_MEMBERS, Codec, Data, FrameObject, Members, RootObject
from predarrow.report import Code, Problem

_ROWS = frozenset(GEOMETRIES)
_members_of = attrgetter(*OBJECT_MEMBERS)
_BEGINS = tuple(f'"{name}":' for name in OBJECT_MEMBERS)


class Group(NamedTuple):
    """Geometries of one type, not read further; all lists are of the same length."""

    raws: list[Raw]
    uids: list[str]
    frames: list[int]
    """Place of each one's frame among the chunk's"""
    places: list[int]
    """Place of each one in its list"""
    numbers: list[int]
    """Number of each one in its file"""


class ObjectRest(NamedTuple):
    """What an object on a frame has beside geometries that are rows."""

    data: Data
    members: Members
    """Those other than `object_data`"""
    has_data: bool


@dataclass(slots=True)
class FrameRest:
    """What a frame has beside geometries that are rows."""

    members: Members
    """Those other than `objects`"""
    has_objects: bool
    objects: dict[str, ObjectRest] = field(default_factory=dict)

    def add(self, uid: str, type_: str, raw: Raw) -> None:
        """Keep a geometry that has no column."""
        rest = self.objects.setdefault(uid, ObjectRest({}, {}, True))
        rest.data[type_] = (*rest.data.get(type_, ()), raw)

    def text(self, codec: Codec, *, has_rows: bool) -> str | None:
        """Give it as JSON text; None where there is nothing but the geometries.

        Raises:
            ValueError: a number that is not finite.
        """
        members = {name: codec.text(raw) for name, raw in self.members.items()}
        if self.objects or (self.has_objects and not has_rows):
            members["objects"] = object_text({uid: _text(rest, codec) for uid, rest in self.objects.items()})
        return object_text(members) if members or not has_rows else None


def external_id(rest: FrameRest, codec: Codec) -> str | None:
    """Give a frame's external_id, None where it has none."""
    raw = rest.members.get("frame_properties")
    value = None if raw is None else codec.any(raw)
    external = value.get("external_id") if isinstance(value, dict) else None
    return external if isinstance(external, str) and external else None


def _text(rest: ObjectRest, codec: Codec) -> str:
    members = {name: codec.text(raw) for name, raw in rest.members.items()}
    if rest.has_data:
        members["object_data"] = _data_text(rest.data, codec)
    return object_text(members)


def _data_text(data: Data, codec: Codec) -> str:
    return object_text({type_: f"[{','.join(map(codec.text, raws))}]" for type_, raws in data.items()})


@dataclass(slots=True)
class Collected:
    """The geometries of some frames, or of the root."""

    document: Document
    frames: Sequence[FileFrame]
    """Those that rows stand on; of geometries at the root the one that they are put on"""
    is_root: bool
    first: int
    """Number of the first geometry"""
    groups: dict[str, Group] = field(default_factory=dict)
    rests: list[FrameRest] = field(default_factory=list)
    """Of each frame, none of the root"""
    problems: list[Problem] = field(default_factory=list)
    n: int = 0

    def where(self, frame: int, uid: str) -> str:
        """Give the place of an object."""
        if self.is_root:
            return pointer(ROOT, "objects", uid)
        return pointer(ROOT, "frames", self.frames[frame].key, "objects", uid)

    def add_singles(self, frame: int, objects: dict[str, FrameObject]) -> bool:
        """Add the geometries of a frame whose objects have one each, all of one type, as nearly all frames have them.

        Returns:
            Whether the frame is such a one; else nothing is added. Object by object takes four times as long.
        """
        if len(self.groups) != 1 or not objects.keys() <= self.document.objects.keys():
            return False
        (type_, group) = next(iter(self.groups.items()))
        datas = [item.object_data or {} for item in objects.values()]
        lists = [data.get(type_, ()) for data in datas]
        if any(len(data) != 1 for data in datas) or any(len(raws) != 1 for raws in lists):
            return False
        n = len(lists)
        group.raws.extend([raws[0] for raws in lists])
        group.uids.extend(objects)
        group.frames.extend([frame] * n)
        group.places.extend([0] * n)
        group.numbers.extend(range(self.first + self.n, self.first + self.n + n))
        self.n += n
        return True

    def add(self, frame: int, uid: str, data: Data) -> Data:
        """Add an object's geometries; give the rest of its data."""
        rest: Data = {}
        for type_, raws in data.items():
            if type_ not in _ROWS or not raws:
                rest[type_] = raws
                continue
            group = self.groups.get(type_)
            if group is None:
                group = self.groups[type_] = Group([], [], [], [], [])
            for place, raw in enumerate(raws):
                group.raws.append(raw)
                group.uids.append(uid)
                group.frames.append(frame)
                group.places.append(place)
                group.numbers.append(self.first + self.n)
                self.n += 1
        return rest

    def refuse(self, flaw: Flaw) -> None:
        """Refuse a whole object or frame."""
        self.problems.append(Problem(self.document.source, None, flaw.pointer, flaw.code, flaw.message))


def collect_root(document: Document) -> Collected:
    """Give the geometries in root objects; they are put on the first frame."""
    frame = document.frames[0] if document.frames else FileFrame(0, "0", ABSENT)
    collected = Collected(document, [frame], True, 0)
    for uid, item in document.objects.items():
        if item.object_data:
            try:
                data = _data(item.object_data, document.codec, pointer(ROOT, "objects", uid, "object_data"))
            except Flaw as flaw:
                collected.refuse(flaw)
            else:
                collected.add(0, uid, {type_: raws for type_, raws in data.items() if type_ in _ROWS})
    return collected


def collect_frames(document: Document, frames: Sequence[FileFrame], first: int) -> Collected:
    """Give the geometries of frames; objects that do not hold are refused."""
    collected = Collected(document, frames, False, first)
    codec = document.codec
    for number, frame in enumerate(frames):
        where = pointer(ROOT, "frames", frame.key)
        try:
            members = codec.members(frame.raw)
        except msgspec.DecodeError:
            collected.refuse(Flaw(Code.BAD_VALUE, where, "must be an object", told=_shown(frame.raw, codec)))
            collected.rests.append(FrameRest({}, False))
            continue
        raw = members.pop("objects", None)
        rest = FrameRest(members, raw is not None)
        collected.rests.append(rest)
        if raw is None:
            continue
        try:
            objects = codec.objects(raw)
        except msgspec.DecodeError:
            _add_one_by_one(collected, number, raw, rest)
            continue
        if not collected.add_singles(number, objects):
            for uid, item in objects.items():
                _add(collected, number, uid, item.object_data, {}, rest)
    return collected


def _add(collected: Collected, number: int, uid: str, data: Data | None, members: Members, frame: FrameRest) -> None:
    if uid not in collected.document.objects:
        rule = f"an object on a frame must be in {pointer(ROOT, 'objects')}, which tells its class"
        collected.refuse(Flaw(Code.UNKNOWN_OBJECT, collected.where(number, uid), rule, uid))
        return
    rest = collected.add(number, uid, data) if data else {}
    if rest or members or not (data and any(data.values())):
        frame.objects[uid] = ObjectRest(rest, members, data is not None)


def _add_one_by_one(collected: Collected, number: int, raw: Raw, rest: FrameRest) -> None:
    """Add objects of which some have members that are not known, or do not hold."""
    codec = collected.document.codec
    frame = collected.frames[number]
    try:
        objects = codec.members(raw)
    except msgspec.DecodeError:
        where = pointer(ROOT, "frames", frame.key, "objects")
        collected.refuse(Flaw(Code.BAD_VALUE, where, "must be an object", told=_shown(raw, codec)))
        return
    for uid, each in objects.items():
        where = collected.where(number, uid)
        try:
            members = codec.members(each)
            given = members.pop("object_data", None)
            data = None if given is None else _data(given, codec, f"{where}/object_data")
        except msgspec.DecodeError:
            collected.refuse(Flaw(Code.BAD_VALUE, where, "must be an object", told=_shown(each, codec)))
        except Flaw as flaw:
            collected.refuse(flaw)
        else:
            _add(collected, number, uid, data, members, rest)


def _data(raw: Raw, codec: Codec, where: str) -> Data:
    """Give an object's data.

    Raises:
        Flaw: they are no lists by type.
    """
    try:
        return codec.data(raw)
    except msgspec.DecodeError:
        rule = "must be lists by type of data"
        raise Flaw(Code.BAD_VALUE, where, rule, told=_shown(raw, codec)) from None


def _shown(raw: Raw, codec: Codec) -> str:
    text = bytes(raw)[:60].decode(errors="replace")
    return text if bytes(raw)[:1] < b"\x80" else "another value"


def object_text_of(uid: str, document: Document, kept: Data | None, type_: str = "") -> str:
    """Give a root object as JSON text.

    Args:
        uid: the object's.
        document: its file.
        kept: where it has geometries, those that are no rows.
        type_: the member `type` as JSON text; it stands without one where this is empty.

    Raises:
        ValueError: a number that is not finite.
    """
    codec, item = document.codec, document.objects[uid]
    if codec is JSON and kept is None and not type_ and not document.object_extras and _is_usual(item):
        return f'{{"name":{str(item.name, "utf-8")},"object_data":{str(item.object_data, "utf-8")}}}'
    texts = [type_] if type_ else []
    texts += [begin + codec.text(raw) for begin, raw in zip(_BEGINS, _members_of(item), strict=True) if raw]
    if kept is not None:
        data = {type_: raws for type_, raws in codec.data(item.object_data).items() if type_ not in _ROWS or not raws}
        texts = [text for text in texts if not text.startswith('"object_data":')]
        texts.append(f'"object_data":{_data_text({**data, **kept}, codec)}')
    for name, raw in document.object_extras.get(uid, {}).items():
        texts.append(f"{string_text(name)}:{codec.text(raw)}")
    return f"{{{','.join(texts)}}}"


def _is_usual(item: RootObject) -> bool:
    """Tell whether an object has name and data alone; their text takes a fifth of the time of others'."""
    others = item.object_data_pointers or item.frame_intervals or item.ontology_uid
    return bool(item.name and item.object_data) and not (others or item.coordinate_system or item.resource_uid)
