"""The parts of OpenLABEL files that are read as they are written, and the two codings that they are read from.

Files are cut into parts that are not read further, and each kind of part is read at once for many rows: of 4.4 MB with
10,000 boxes, the cuts take 15 ms and the numbers and attributes 24 ms, where `json.loads` takes 280. A part with a key
that is not known is read again key by key.

Files that are JSON are read as JSON; those with NaN or infinity, which Python writes and JSON does not have, go through
MessagePack, which has both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import msgspec
from msgspec import Raw, Struct

from predarrow.formats.flaws import Flaw
from predarrow.formats.json_text import json_text
from predarrow.report import Code

ABSENT = Raw()
"""In place of a member that is not there."""

Members = dict[str, Raw]


class Geometry(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What geometries of every type have, and the members that most of them have."""

    name: str
    val: Raw
    attributes: Raw = ABSENT
    coordinate_system: Raw = ABSENT
    uid: Raw = ABSENT
    mode: Raw = ABSENT
    closed: Raw = ABSENT
    mime_type: Raw = ABSENT
    encoding: Raw = ABSENT


MORE = ("coordinate_system", "uid", "mode", "closed", "mime_type", "encoding")
"""Members of a geometry other than name, val and attributes."""


class Number(Struct, forbid_unknown_fields=True, gc=False):
    """A numeric attribute."""

    name: str
    val: float


class Text(Struct, forbid_unknown_fields=True, gc=False):
    """A text attribute."""

    name: str
    val: str


class Attributes(Struct, forbid_unknown_fields=True, gc=False):
    """Attributes of a geometry, as most geometries of predictions have them."""

    num: tuple[Number, ...] = ()
    text: tuple[Text, ...] = ()


class RootObject(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """An object at the root."""

    name: Raw = ABSENT
    type: str
    object_data: Raw = ABSENT
    object_data_pointers: Raw = ABSENT
    frame_intervals: Raw = ABSENT
    ontology_uid: Raw = ABSENT
    coordinate_system: Raw = ABSENT
    resource_uid: Raw = ABSENT


OBJECT_MEMBERS = tuple(name for name in RootObject.__struct_fields__ if name != "type")

Numbers = tuple[float, ...]

Data = dict[str, tuple[Raw, ...]]
"""An object's data by type. Tuples of what holds nothing else are let go by the garbage collector, lists are not."""


class FrameObject(Struct, forbid_unknown_fields=True, gc=False):
    """An object on a frame."""

    object_data: Data | None = None


class Codec:
    """How parts are read, one coding for all of them.

    Args:
        package: `msgspec.json` or `msgspec.msgpack`.
        text: gives a part as JSON text.
        join: gives parts as one list.
    """

    def __init__(self, package: ModuleType, text: Callable[[Raw], str], join: Callable[[Sequence[Raw]], bytes]) -> None:
        decoder = package.Decoder
        self.text = text
        self.join = join
        self._any: Callable[[Raw], Any] = decoder().decode
        self.string: Callable[[Raw], str] = decoder(str).decode
        self.document: Callable[[bytes], dict[str, Members]] = decoder(dict[str, Members]).decode
        self.members: Callable[[bytes | Raw], Members] = decoder(Members).decode
        self.data: Callable[[Raw], Data] = decoder(Data).decode
        self.objects: Callable[[Raw], dict[str, FrameObject]] = decoder(dict[str, FrameObject]).decode
        self.root_objects: Callable[[Raw], dict[str, RootObject]] = decoder(dict[str, RootObject]).decode
        self.root_object: Callable[[Raw], RootObject] = decoder(RootObject).decode
        self.numbers: Callable[[Raw], Numbers] = decoder(Numbers).decode
        self.many_numbers: Callable[[bytes], list[Numbers]] = decoder(list[Numbers]).decode
        self.many_strings: Callable[[bytes], list[str]] = decoder(list[str]).decode
        self.geometries: Callable[[bytes], list[Geometry]] = decoder(list[Geometry]).decode
        self.many_attributes: Callable[[bytes], list[Attributes]] = decoder(list[Attributes]).decode

    def any(self, raw: Raw) -> Any:
        """Give a part as plain values.

        Raises:
            Flaw: a number of more digits than Python takes, or lists too deep.
        """
        try:
            return self._any(raw)
        except msgspec.DecodeError:  # 1e999, which is infinite to Python
            pass
        try:
            return json.loads(bytes(raw))
        except (ValueError, RecursionError) as error:
            raise Flaw(Code.DAMAGED, "", "must be JSON that can be read", told=str(error)) from None


def _json_text(raw: Raw) -> str:
    return bytes(raw).decode()


def _json_list(parts: Sequence[Raw]) -> bytes:
    return b"[" + b",".join(parts) + b"]"


def _msgpack_text(raw: Raw) -> str:
    return json_text(msgspec.msgpack.decode(raw))


def _msgpack_list(parts: Sequence[Raw]) -> bytes:
    return b"\xdd" + len(parts).to_bytes(4, "big") + b"".join(parts)


JSON = Codec(msgspec.json, _json_text, _json_list)
MESSAGE_PACK = Codec(msgspec.msgpack, _msgpack_text, _msgpack_list)
