"""What a dialect asks of geometries beyond the standard's schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from predarrow.formats.openlabel.document import Document
from predarrow.formats.openlabel.geometries import Given
from predarrow.report import Code

Dialect = Literal["kognic", "asam"]

DIALECTS = ("kognic", "asam")
CONVENTIONS: Mapping[str, str] = {"kognic": "kognic", "asam": "openlabel"}
"""What the cuboids' convention is called in the table, by dialect."""

UNKNOWN_STREAM = "stream or coordinate system that the file does not list"

_HINT = 'dialect="asam" takes it'
_MIXED_HINT = "mixed=True (--mixed) takes it"
_CAMERA = "camera"
_SOLID = ("lidar", "radar", "other")


class Streams(NamedTuple):
    """The streams of a file."""

    types: dict[str, str | None]
    sizes: dict[str, tuple[int, int]]
    """Height and width, where they are told"""
    systems: frozenset[str]
    """Names of coordinate systems"""


def streams_of(document: Document) -> Streams:
    """Give the streams of a file; what is none is left out."""
    given = _dictionary(document, "streams")
    types: dict[str, str | None] = {}
    sizes: dict[str, tuple[int, int]] = {}
    for name, stream in given.items():
        if not isinstance(stream, dict):
            continue
        type_ = stream.get("type")
        types[name] = type_ if isinstance(type_, str) else None
        size = _size(stream.get("stream_properties"))
        if size is not None:
            sizes[name] = size
    return Streams(types, sizes, frozenset(_dictionary(document, "coordinate_systems")))


def _dictionary(document: Document, name: str) -> dict[str, Any]:
    raw = document.members.get(name)
    value = None if raw is None else document.codec.any(raw)
    return value if isinstance(value, dict) else {}


def _size(properties: Any) -> tuple[int, int] | None:
    """Give height and width of a camera's images, where its properties or its intrinsics tell both."""
    if not isinstance(properties, dict):
        return None
    for holder in (properties, *(each for each in properties.values() if isinstance(each, dict))):
        for names in (("height", "width"), ("height_px", "width_px")):
            sides = tuple(holder.get(name) for name in names)
            if all(isinstance(side, int) and not isinstance(side, bool) and 0 < side < 2**31 for side in sides):
                return int(sides[0] or 0), int(sides[1] or 0)
    return None


def check_streams(given: Given, streams: Streams, dialect: Dialect, flagged: Counter[str]) -> None:
    """Refuse geometries whose stream is missing, unknown or of another type; flag unknown ones for "asam"."""
    named = given.streams
    for name in set(named):
        if dialect == "asam":
            if is_unknown(name, streams):
                flagged[UNKNOWN_STREAM] += named.count(name)
            continue
        flaw = stream_flaw(name, given.type, streams)
        if flaw is not None:
            where = np.fromiter((each == name for each in named), np.bool_, len(named))
            given.refusals.add(where, flaw[0], "/attributes/text", flaw[1])


def is_unknown(name: str | None, streams: Streams) -> bool:
    """Tell whether a stream is named that the file does not list."""
    return name is not None and name not in streams.types and name not in streams.systems


def stream_flaw(name: str | None, type_: str, streams: Streams) -> tuple[Code, str] | None:
    """Give why Kognic refuses geometries of a type in a stream, None where it does not."""
    if name is None:
        rule = 'must name its stream: a text attribute "stream", or coordinate_system'
        return Code.NO_STREAM, f"{rule}, got none; {_HINT}"
    if name not in streams.types:
        known = ", ".join(list(streams.types)[:5]) or "none"
        return Code.UNKNOWN_STREAM, f"stream must be one of the file's ({known}), got {name!r}; {_HINT}"
    is_solid = type_ == "cuboid"
    wanted = _SOLID if is_solid else (_CAMERA,)
    if streams.types[name] not in wanted:
        rule = f"a {type_} must be in a stream of type {' or '.join(wanted)}"
        return Code.WRONG_STREAM, f"{rule}, got {name!r} of type {streams.types[name]}; {_HINT}"
    return None


def check_one_type(given: Given, first_type: str) -> None:
    """Refuse geometries of another type than the file's first."""
    if given.type != first_type:
        rule = f"a prediction must have geometries of one type, {first_type} as its first"
        every = np.ones(given.n, np.bool_)
        given.refusals.add(every, Code.MIXED_GEOMETRIES, "", f"{rule}, got {given.type}; {_MIXED_HINT}")


def check_static(given: Given) -> None:
    """Refuse geometries at the root."""
    rule = "a geometry must stand under a frame"
    every = np.ones(given.n, np.bool_)
    given.refusals.add(every, Code.STATIC_GEOMETRY, "", f"{rule}, got one in the root's objects; {_HINT}")


def check_single_cuboids(given: Given) -> None:
    """Refuse second cuboids of an object on a frame."""
    if given.type != "cuboid":
        return
    pairs = list(zip(given.group.frames, given.group.uids, strict=True))
    if len(set(pairs)) == len(pairs):
        return
    seen: set[tuple[int, str]] = set()
    repeated = np.zeros(given.n, np.bool_)
    for row, pair in enumerate(pairs):
        repeated[row] = pair in seen
        seen.add(pair)
    rule = "an object must have one cuboid on a frame"
    given.refusals.add(repeated, Code.DUPLICATE_GEOMETRY, "", f"{rule}, got a second one; {_HINT}")
