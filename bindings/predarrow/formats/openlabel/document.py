"""OpenLABEL files, cut into frames, objects and what else they have."""

from __future__ import annotations

import gzip
import json
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from predarrow.formats.flaws import Flaw
from predarrow.formats.openlabel.pointers import pointer
from predarrow.formats.openlabel.scanned import LEAST_BYTES, ScannedObjects, scan_objects
from predarrow.formats.openlabel.wire import JSON, MESSAGE_PACK, Codec, Members, RootObject
from predarrow.refusals import shown
from predarrow.report import Code, Problem
from predarrow.sources import read_bytes

SCHEMA_VERSION = "1.0.0"
ROOT = "openlabel"
GEOMETRIES = ("bbox", "rbbox", "cuboid", "poly2d", "point2d", "image")
"""Those that become rows."""

_KEY = re.compile("[0-9]+")
_LAST_FRAME = 2**31 - 1
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")


class FileFrame(NamedTuple):
    """A frame, not read further."""

    number: int
    key: str
    raw: Raw


class _Root(NamedTuple):
    """Objects at the root."""

    objects: dict[str, RootObject]
    extras: dict[str, Members]
    has_geometries: bool
    problems: list[Problem]


@dataclass
class Document:
    """One file."""

    source: str
    codec: Codec
    name: str
    """What its metadata call it, else its name without extension."""
    members: Members
    """Those of `openlabel`, without frames and objects"""
    frames: list[FileFrame]
    """By number"""
    scanned: ScannedObjects | None
    """Objects at the root, where they were scanned"""
    frame_problems: list[Problem]
    root: _Root | None
    """Objects at the root, where they were not"""
    raw_objects: Raw | None

    @property
    def objects(self) -> dict[str, RootObject]:
        """Objects at the root; where they were scanned, they are read when they are first asked for."""
        if self.root is None:
            self.root = _objects(self.raw_objects, self.codec, self.source)
        return self.root.objects

    @property
    def object_extras(self) -> dict[str, Members]:
        """By object, members that are not known."""
        return self.root.extras if self.root is not None else {}

    @property
    def has_root_geometries(self) -> bool:
        """Whether `objects` may have geometries that become rows."""
        return self.root is not None and self.root.has_geometries

    @property
    def problems(self) -> list[Problem]:
        """Objects and frames that do not hold."""
        return [*(self.root.problems if self.root is not None else ()), *self.frame_problems]


def read_document(source: str) -> Document:
    """Read a file, .json or gzip of that.

    Raises:
        Flaw: it cannot be read, or is no OpenLABEL file of version 1.0.0.
    """
    data = _content(source).removeprefix(b"\xef\xbb\xbf")
    try:
        data.isascii() or data.decode()  # what is only carried along is not looked at later
        if b"\\" in data and b"\\u" in data and _HALF_CHARACTER.search(data):
            msgspec.json.decode(data)
        if b"\n" in data:
            data = msgspec.json.format(data, indent=-1)
        return _document(data, JSON, source)
    except UnicodeDecodeError as error:
        raise Flaw(Code.BAD_TEXT, "", "must be UTF-8", told=f"other bytes at byte {error.start}") from None
    except msgspec.ValidationError as error:
        raise Flaw(Code.BAD_VALUE, "", f'must be {{"{ROOT}": {{…}}}}', told=str(error)) from None
    except (msgspec.DecodeError, RecursionError):  # among others NaN, which Python writes and JSON does not have
        data = _by_python(data)
    return _document(data, MESSAGE_PACK, source)


def _content(source: str) -> bytes:
    try:
        data = read_bytes(source)
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except OSError as error:
        rule = "must be a file that can be read"
        raise Flaw(Code.UNREADABLE, "", rule, told=error.strerror or str(error)) from None
    except (EOFError, zlib.error) as error:
        raise Flaw(Code.DAMAGED, "", "must be a whole gzip stream", told=f"a damaged one: {error}") from None


def _by_python(data: bytes) -> bytes:
    """Give JSON with NaN or infinite numbers as MessagePack.

    Raises:
        Flaw: it is none, or such a number stands outside of the geometries of rows.
    """
    try:
        value = json.loads(data)
        for place in _not_finite(value, ()):
            if not _is_geometry(place):
                raise Flaw(Code.BAD_NUMBER, pointer(*place), "numbers must be finite", told="one that is not")
        return msgspec.msgpack.encode(value)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise Flaw(Code.DAMAGED, where, "must be JSON", told=error.msg) from None
    except UnicodeError:
        raise Flaw(Code.BAD_TEXT, "", "must be text that UTF-8 can hold", told="half a character") from None
    except (RecursionError, ValueError, OverflowError, TypeError) as error:  # numbers of thousands of digits
        raise Flaw(Code.DAMAGED, "", "must be JSON that can be read", told=str(error)) from None


def _not_finite(value: Any, place: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _not_finite(each, (*place, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _not_finite(each, (*place, number))
    elif isinstance(value, float) and not math.isfinite(value):
        yield place


def _is_geometry(place: tuple[str | int, ...]) -> bool:
    """Tell whether a place is in a geometry that becomes a row, where it is refused alone."""
    inside = place[3:] if place[1:2] == ("frames",) else place[1:]
    return inside[:1] == ("objects",) and inside[2:3] == ("object_data",) and inside[3:4] in {(g,) for g in GEOMETRIES}


def _document(data: bytes, codec: Codec, source: str) -> Document:
    members = _root(data, codec)
    metadata = _object(members.get("metadata"), codec, ROOT, "metadata")
    version = codec.any(metadata["schema_version"]) if "schema_version" in metadata else None
    if version != SCHEMA_VERSION:
        where = pointer(ROOT, "metadata", "schema_version")
        raise Flaw(Code.BAD_VALUE, where, f'must be "{SCHEMA_VERSION}"', version)
    _object(members.get("streams"), codec, ROOT, "streams")
    name = codec.any(metadata["name"]) if "name" in metadata else None
    problems: list[Problem] = []
    raw = members.pop("objects", None)
    is_large = codec is JSON and raw is not None and len(data) >= LEAST_BYTES
    scanned = scan_objects(raw) if is_large and raw is not None else None
    root = _objects(raw, codec, source) if scanned is None else None
    frames = _frames(members.pop("frames", None), codec, source, problems)
    called = name if isinstance(name, str) and name else _stem(source)
    return Document(source, codec, called, members, frames, scanned, problems, root, raw)


def _root(data: bytes, codec: Codec) -> Members:
    """Give the members of `openlabel`."""
    try:
        root = codec.document(data)
        if root.keys() == {ROOT}:
            return root[ROOT]
    except msgspec.ValidationError:
        pass
    try:
        given = codec.members(data)
    except msgspec.ValidationError:
        got = shown(data[:40].decode(errors="replace"))
        raise Flaw(Code.BAD_VALUE, "", f'must be an object, {{"{ROOT}": …}}', told=got) from None
    if given.keys() != {ROOT}:
        got = ", ".join(sorted(given)[:5]) or "none"
        raise Flaw(Code.BAD_VALUE, "", f'must have one key, "{ROOT}"', told=got)
    return _object(given[ROOT], codec, ROOT)


def _names_geometries(data: bytes) -> bool:
    return any(f'"{type_}"'.encode() in data for type_ in GEOMETRIES)


def _stem(source: str) -> str:
    name = Path(source).name
    for suffix in (".gz", ".json"):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            name = name[: -len(suffix)]
    return name


def _object(raw: Raw | None, codec: Codec, *place: str) -> Members:
    """Give a part's members, none where it is not there."""
    if raw is None:
        return {}
    try:
        return codec.members(raw)
    except msgspec.ValidationError:
        raise Flaw(Code.BAD_VALUE, pointer(*place), "must be an object", codec.any(raw)) from None


def _frames(raw: Raw | None, codec: Codec, source: str, problems: list[Problem]) -> list[FileFrame]:
    frames: dict[int, FileFrame] = {}
    for key, each in _object(raw, codec, ROOT, "frames").items():
        where = pointer(ROOT, "frames", key)
        if not _KEY.fullmatch(key) or len(key) > 20 or int(key) > _LAST_FRAME:
            rule = f"a frame's key must be a whole number from 0 to {_LAST_FRAME}"
            problems.append(Problem(source, None, where, Code.BAD_VALUE, f"{rule}, got {shown(key)}"))
        elif (other := frames.get(int(key))) is not None:
            rule = "a frame must be there once"
            problems.append(
                Problem(source, None, where, Code.BAD_VALUE, f"{rule}, got {shown(key)} and {shown(other.key)}")
            )
        else:
            frames[int(key)] = FileFrame(int(key), key, each)
    return [frames[number] for number in sorted(frames)]


def _objects(raw: Raw | None, codec: Codec, source: str) -> _Root:
    if raw is None:
        return _Root({}, {}, False, [])
    has_geometries = codec is not JSON or _names_geometries(bytes(raw))
    try:
        return _Root(codec.root_objects(raw), {}, has_geometries, [])
    except msgspec.ValidationError:
        pass
    objects: dict[str, RootObject] = {}
    extras: dict[str, Members] = {}
    problems: list[Problem] = []
    for uid, each in _object(raw, codec, ROOT, "objects").items():
        where = pointer(ROOT, "objects", uid)
        try:
            members = _object(each, codec, ROOT, "objects", uid)
            known = {name: members.pop(name) for name in RootObject.__struct_fields__ if name in members}
            if "type" not in known:
                raise Flaw(Code.BAD_VALUE, f"{where}/type", "must be there, it is the class", told="none")
            try:
                class_name = codec.string(known.pop("type"))
            except msgspec.ValidationError:
                raise Flaw(Code.BAD_VALUE, f"{where}/type", "must be text", told="another value") from None
        except Flaw as flaw:
            problems.append(Problem(source, None, flaw.pointer, flaw.code, flaw.message))
            continue
        objects[uid] = RootObject(type=class_name, **known)
        if members:
            extras[uid] = members
    return _Root(objects, extras, has_geometries, problems)
