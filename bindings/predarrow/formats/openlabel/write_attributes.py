"""The column `attributes` -> what a geometry, its object, its frame and its file have beside numbers."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from predarrow.formats.openlabel.attributes import CONFIDENCES, DEFAULT_CONFIDENCE

Members = dict[str, Any]
Elements = dict[str, Any]
"""Lists of name and val by type; what stands under other names is written as it is."""
FrameKey = Annotated[str, Meta(pattern="^[0-9]+$")]


class _Number(Struct):
    val: float
    name: str = ""


class _Text(Struct):
    val: str
    name: str = ""


class _Boolean(Struct):
    val: bool
    name: str = ""


class _Vector(Struct):
    val: list[float | str]
    name: str = ""


class _Lists(Struct):
    num: list[_Number] = []
    text: list[_Text] = []
    boolean: list[_Boolean] = []
    vec: list[_Vector] = []


class Kept(Struct, forbid_unknown_fields=True, gc=False):
    """The attribute "openlabel": what only OpenLABEL has."""

    geometry: Members = {}
    val: list[float] | str | None = None
    value: int | None = None
    type: str | None = None
    rings: list[Members] = []
    root: bool = False
    frame: Members | None = None
    file: Members | None = None


class _Geometry(Struct):
    name: str = ""
    coordinate_system: str = ""
    attributes: _Lists = msgspec.field(default_factory=_Lists)


class _Object(Struct):
    object_data: dict[str, list[Members]] | None = None


class _Frame(Struct):
    objects: dict[str, _Object] | None = None


class _File(Struct):
    metadata: Members = {}
    streams: Members = {}
    objects: dict[str, Members | None] = {}
    frames: dict[FrameKey, Any] = {}


class Attributes(Struct, forbid_unknown_fields=True, gc=False):
    """Attributes that OpenLABEL has a place for."""

    name: str | None = None
    interpolated: bool | None = None
    attributes: Elements = {}
    object: Members | None = None
    convention: str | None = None
    openlabel: Kept = msgspec.field(default_factory=Kept)


NOTHING = Attributes()

_KNOWN = frozenset(Attributes.__struct_fields__)
_decode = msgspec.json.Decoder(Attributes).decode


def attributes_of(text: str | None, flags: Counter[str]) -> Attributes:
    """Give a row's attributes.

    Args:
        text: a JSON object; None for nothing.
        flags: told of attributes that OpenLABEL has no place for.

    Raises:
        msgspec.DecodeError: no JSON, or attributes of another form than OpenLABEL's.
        RecursionError: lists as deep.
    """
    if text is None:
        return NOTHING
    try:
        item = _decode(text)
    except msgspec.ValidationError:
        members = msgspec.json.decode(text)
        if not isinstance(members, dict) or members.keys() <= _KNOWN:
            raise
        for name in sorted(members.keys() - _KNOWN):
            flags[f"attribute left out that OpenLABEL has no place for: {name}"] += 1
        item = msgspec.convert({name: value for name, value in members.items() if name in _KNOWN}, Attributes)
    _check(item)
    return item


def _check(item: Attributes) -> None:
    """See that what is looked into has OpenLABEL's form.

    Raises:
        msgspec.ValidationError: it has not.
    """
    if item.attributes:
        msgspec.convert(item.attributes, _Lists)
    kept = item.openlabel
    if kept.geometry:
        msgspec.convert(kept.geometry, _Geometry)
    if kept.rings:
        msgspec.convert(kept.rings, list[_Geometry])
    forms: tuple[tuple[Members | None, Any], ...] = (item.object, _Object), (kept.frame, _Frame), (kept.file, _File)
    for given, form in forms:
        if given is not None:
            msgspec.convert(given, form)


class Lifted(NamedTuple):
    """What columns of the table tell of a geometry, and OpenLABEL among its attributes."""

    confidence: float | None
    stream: str | None
    default: float = DEFAULT_CONFIDENCE
    """The confidence that readers take where the geometry tells none"""


def elements_of(item: Attributes, lifted: Lifted) -> Elements:
    """Give the `attributes` of a geometry: those that were kept, with the numbers and names of the columns.

    The confidence that readers take where none is told is not written unless it was told before.
    """
    lists = _Lists.__struct_fields__
    elements = {kind: list(values) if kind in lists else values for kind, values in item.attributes.items()}
    _put_confidence(elements, lifted)
    named = item.openlabel.geometry.get("coordinate_system")
    stream = None if lifted.stream == named and not _places(elements, "text", "stream") else lifted.stream
    _put(elements, "text", "stream", stream)
    if item.interpolated is not None:
        _put(elements, "boolean", "interpolated", item.interpolated)
    return elements


def _put_confidence(elements: Elements, lifted: Lifted) -> None:
    confidence = lifted.confidence
    for kind, name in CONFIDENCES:
        places = _places(elements, kind, name)
        if places and (kind == "num" or len(elements[kind][places[0]]["val"]) == 1):
            val = confidence if kind == "num" or confidence is None else [confidence]
            return _put(elements, kind, name, val)
    if confidence is not None and confidence != lifted.default:
        _put(elements, "num", "confidence", confidence)
    return None


def _places(elements: Elements, kind: str, name: str) -> list[int]:
    return [place for place, element in enumerate(elements.get(kind, ())) if element.get("name") == name]


def _put(elements: Elements, kind: str, name: str, value: Any) -> None:
    """Set the first element of that name, remove it where the value is None, add one where there is none."""
    places = _places(elements, kind, name)
    if not places and value is not None:
        elements.setdefault(kind, []).append({"name": name, "val": value})
    elif places and value is None:
        del elements[kind][places[0]]
        if not elements[kind]:
            del elements[kind]
    elif places and elements[kind][places[0]]["val"] != value:
        elements[kind][places[0]] = {**elements[kind][places[0]], "val": value}
