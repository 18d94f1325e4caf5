"""A frame object as plain values -> one of `wire`, and what that does not have; or why it does not hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec

from predarrow.formats.encord import wire
from predarrow.formats.flaws import Flaw
from predarrow.report import Code

_BY_SHAPE: dict[str, type[wire.FrameObject]] = {str(item.__struct_config__.tag): item for item in wire.OBJECTS}
_GEOMETRY = frozenset(key for item in wire.OBJECTS for key in item.keys)
_COMMON = frozenset(wire.FrameObject.__struct_fields__)
_PLACE = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")


S = TypeVar("S", bound=msgspec.Struct)


class Extra(NamedTuple):
    """What an object has beside what its type in `wire` holds."""

    members: dict[str, Any]
    """Keys that are not known."""
    coordinates: dict[str, Any] | None
    """The geometry as it stands, where it has keys that are not known."""


class Found(NamedTuple):
    """An object, and what its type does not hold."""

    item: wire.FrameObject
    extra: Extra | None


def read_object(given: Any) -> Found | Flaw:
    """Give a frame object, or why it does not hold."""
    try:
        return _read(given)
    except Flaw as flaw:
        return flaw


def _read(given: Any) -> Found:
    if not isinstance(given, dict):
        raise Flaw(Code.BAD_VALUE, "", "must be an object", given)
    shape = given.get("shape")
    type_ = _BY_SHAPE.get(shape) if isinstance(shape, str) else None
    if type_ is None:
        rule = f"must be one of {', '.join(_BY_SHAPE)}"
        code = Code.UNSUPPORTED if isinstance(shape, str) and shape else Code.BAD_VALUE
        raise Flaw(code, ".shape", rule, shape)
    if given.get("event") == "delete":
        rule = "must be a label on a frame"
        raise Flaw(Code.UNSUPPORTED, ".event", rule, told="the end of an object in a continuous scene")
    known: dict[str, Any] = {"shape": shape}
    members: dict[str, Any] = {}
    for key, value in given.items():
        if key in type_.keys or key in _COMMON:
            known[key] = value
        elif key in _GEOMETRY and value is not None:
            rule = f"must have {' or '.join(type_.keys)} only, as its shape is {shape}"
            raise Flaw(Code.BAD_VALUE, "", rule, told=key)
        elif key != "shape":
            members[str(key)] = value
    geometry = {key: known[key] for key in type_.keys if key in known}
    if all(value is None for value in geometry.values()):
        rule = f"must have {' or '.join(type_.keys)}, as its shape is {shape}"
        others = ", ".join(sorted(key for key in _GEOMETRY & given.keys() if given[key] is not None)) or "none"
        raise Flaw(Code.BAD_VALUE, "", rule, told=others)
    coordinates = None
    for key, value in geometry.items():
        known[key] = _pruned(key, value)
        if known[key] != value:
            coordinates = geometry
    if type_ is wire.BoxObject:  # read later, with others
        known["boundingBox"] = msgspec.Raw(msgspec.msgpack.encode(geometry["boundingBox"]))
        coordinates = None
    item: wire.FrameObject = _convert(known, type_)
    return Found(item, Extra(members, coordinates) if members or coordinates else None)


def read_part(key: str, type_: type[S], given: Any) -> tuple[S, bool]:
    """Give the geometry under a key, and whether it has no keys that are not known.

    Raises:
        Flaw: it does not hold.
    """
    pruned = _pruned(key, given)
    try:
        return _convert(pruned, type_), pruned == given
    except Flaw as flaw:
        flaw.pointer = f".{key}{flaw.pointer}"
        raise


def _convert(given: Any, type_: type[S]) -> S:
    try:
        return msgspec.convert(given, type_)
    except msgspec.ValidationError as error:
        raise _flaw(str(error), given) from None


def _flaw(text: str, given: Any) -> Flaw:
    """Word what msgspec told: its place, and the value that is there."""
    found = _PLACE.search(text)
    pointer, rule = (found[1], text[: found.start()]) if found else ("", text)
    if rule.startswith("Object missing required field"):
        missing = rule.rsplit("`", 2)[-2]
        return Flaw(Code.BAD_VALUE, pointer, f"must have {missing}", told="none")
    values: list[tuple[str, Any]] = [("", given)]
    for step in _STEP.finditer(pointer):
        values = [inner for at, value in values for inner in _inside(value, step, at)]
    wanted = rule.removeprefix("Expected ").split(", got ")[0].replace("`", "")
    bad = [(at, value) for at, value in values if not _is_wanted(value, wanted)] or values or [(pointer, None)]
    is_number = wanted.startswith(("float", "int"))
    return Flaw(Code.BAD_NUMBER if is_number else Code.BAD_VALUE, bad[0][0], f"must be {_named(wanted)}", bad[0][1])


def _inside(value: Any, step: re.Match[str], at: str) -> list[tuple[str, Any]]:
    name, index = step[1], step[2]
    if name is not None:
        return [(f"{at}.{name}", value[name])] if isinstance(value, Mapping) and name in value else []
    if index is not None:
        return [(f"{at}[{index}]", value[int(index)])] if isinstance(value, list | tuple) else []
    if isinstance(value, Mapping):
        return [(f"{at}.{key}", inner) for key, inner in value.items()]
    return [(f"{at}[{place}]", inner) for place, inner in enumerate(value)] if isinstance(value, list | tuple) else []


_TYPES: dict[str, tuple[type, ...]] = {
    "float": (int, float),
    "int": (int,),
    "str": (str,),
    "bool": (bool,),
    "object": (dict,),
    "array": (list, tuple),
    "null": (type(None),),
}
_NAMES = {"float": "a number", "int": "a whole number", "str": "text", "bool": "true or false", "array": "a list"}


def _is_wanted(value: Any, wanted: str) -> bool:
    names = wanted.split(" | ")
    if isinstance(value, bool):
        return "bool" in names
    return any(isinstance(value, _TYPES.get(name, ())) for name in names)


def _named(wanted: str) -> str:
    return " or ".join(_NAMES.get(name, name) for name in wanted.split(" | "))


_INNER: dict[str, frozenset[str]] = {
    "boundingBox": frozenset(wire.Box.__struct_fields__),
    "rotatableBoundingBox": frozenset(wire.RotatableBox.__struct_fields__),
    "circle": frozenset(wire.Circle.__struct_fields__),
    "ellipse": frozenset(wire.Ellipse.__struct_fields__),
    "bitmask": frozenset(wire.Bitmask.__struct_fields__),
    "cuboid": frozenset(wire.Cuboid.__struct_fields__),
    "cuboid_2d": frozenset(wire.Cuboid2D.__struct_fields__),
    "skeleton": frozenset(wire.Joint.__struct_fields__),
}


def _pruned(key: str, value: Any) -> Any:
    """Give a geometry without the keys that are not known."""
    known = _INNER.get(key)
    if known is None or not isinstance(value, dict):
        return value
    if key == "skeleton":
        return {name: _only(joint, known) for name, joint in value.items()}
    return _only(value, known)


def _only(value: Any, known: frozenset[str]) -> Any:
    return {name: inner for name, inner in value.items() if name in known} if isinstance(value, dict) else value
