"""Rows -> one OpenLABEL file: frame by frame, then what is told once.

Members of a JSON object have no order, so that frames are written as they come, and objects and streams when all of
them are known. Memory holds one frame and the objects.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import msgspec

from predarrow.formats.openlabel.images import BACKGROUND, names_by_value
from predarrow.formats.openlabel.write_attributes import Members
from predarrow.formats.openlabel.write_members import Geometry
from predarrow.formats.openlabel.write_rows import Row
from predarrow.formats.openlabel.write_rules import FileRules
from predarrow.formats.write_file import Sink

_VERSION = "1.0.0"
_encode = msgspec.json.Encoder().encode


class Document:
    """One file that is being written.

    Args:
        sink: takes its bytes.
        name: for `metadata`, unless what was kept of it has a name; None where the file's name tells it.
        rules: of the file.
    """

    def __init__(self, sink: Sink, name: str | None, rules: FileRules) -> None:
        self.rules = rules
        self._sink = sink
        self._name = name
        self._has_frames = False
        self._file: Members | None = None
        self._waiting: list[tuple[int, Any]] = []
        self._objects: dict[str, tuple[str, str]] = {}  # name and class
        self._kept_objects: dict[
            str, bytes
        ] = {}  # as text: dictionaries would take thrice the memory, and time to collect
        self._static: dict[str, Members] = {}
        self._sink.write(b'{"openlabel":{')

    def keep_file(self, kept: Members) -> None:
        """Take what was kept of the file, where it is the first."""
        if self._file is None:
            self._file = dict(kept)
            frames = self._file.pop("frames", {})
            self.rules.tell_streams(kept.get("streams", {}))
            self._waiting = sorted(((int(key), frame) for key, frame in frames.items()), reverse=True)

    @property
    def backgrounds(self) -> frozenset[int]:
        """Values of an image's pixels that are no object: those that its ontologies call so, and 0."""
        values = {0}
        ontologies = (self._file or {}).get("ontologies")
        for ontology in ontologies.values() if isinstance(ontologies, dict) else ():
            named = ontology.get("classifications") if isinstance(ontology, dict) else None
            values |= {value for value, name in (names_by_value(named) or {}).items() if name == BACKGROUND}
        return frozenset(values)

    def keep_object(self, uid: str, kept: Members) -> None:
        """Take what was kept of an object, where it is the first."""
        if uid not in self._kept_objects:
            self._kept_objects[uid] = _encode(kept)

    def add_object(self, uid: str, row: Row) -> None:
        """Take the object of a row, named by its class, or by its id where that is not its uid."""
        if uid not in self._objects:
            is_told = row.object_id is not None and uid != row.object_id
            self._objects[uid] = str(row.object_id) if is_told else row.class_name, row.class_name

    def add_static(self, uid: str, geometries: list[Geometry]) -> None:
        """Take geometries that stand in the object at the root."""
        data = self._static.setdefault(uid, {})
        for geometry in geometries:
            data.setdefault(geometry.type, []).append(geometry.members)

    def write_frame(self, number: int, frame: Members) -> None:
        """Write a frame, those before it that have no rows first."""
        while self._waiting and self._waiting[-1][0] < number:
            self._write_frame(*self._waiting.pop())
        self._write_frame(number, frame)

    def finish(self) -> None:
        """Write the rest."""
        while self._waiting:
            self._write_frame(*self._waiting.pop())
        if self._has_frames:
            self._sink.write(b"\n},\n")
        file = self._file or {}
        metadata = dict(file.pop("metadata", {}))
        if self._name is not None and "name" not in metadata:
            metadata["name"] = self._name
        file["metadata"] = {"schema_version": _VERSION, **metadata}
        if added := self._added_streams(file):
            file["streams"] = {**file.get("streams", {}), **added}
        objects: Members = dict(file.pop("objects", {}))
        self._sink.write(_encode(file)[1:-1])
        separator = b',\n"objects":{\n'
        for uid in self._objects.keys() & objects.keys():  # which have rows by now
            kept = objects.pop(uid) or {}
            self.keep_object(uid, {name: value for name, value in kept.items() if name != "type"})
        for uid, members in chain(objects.items(), map(self._object, self._objects)):
            self._sink.write(separator + _encode(uid) + b":" + _encode(members))
            separator = b",\n"
        self._sink.write(b"\n}}}\n" if objects or self._objects else b"}}\n")

    def _object(self, uid: str) -> tuple[str, Members]:
        name, class_name = self._objects[uid]
        kept = self._kept_objects.get(uid, b"{}")
        members: Members = {"name": name, "type": class_name} | msgspec.json.decode(kept)
        if uid in self._static:
            members["object_data"] = merged(members.get("object_data") or {}, self._static[uid])
        return uid, members

    def _added_streams(self, file: Members) -> dict[str, Members]:
        known = file.get("streams", {})
        return {name: {"type": kind} for name, kind in self.rules.streams.items() if name not in known}

    def _write_frame(self, number: int, frame: Any) -> None:
        self._sink.write(b",\n" if self._has_frames else b'\n"frames":{\n')
        self._sink.write(b'"%d":' % number + _encode(frame))
        self._has_frames = True


def merged(data: Members, more: Members) -> Members:
    """Give an object's data with further elements behind those of their type."""
    return data | {name: [*data.get(name, ()), *elements] for name, elements in more.items()}
