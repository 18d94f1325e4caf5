"""Geometry as its source wrote it, where the table kept it and its columns were not changed since.

What was kept is converted as the reader does, and must give the very columns; else the columns are written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.formats.encord import wire
from predarrow.formats.encord.columns import Shaped
from predarrow.formats.encord.flaws import PartRefusals
from predarrow.formats.encord.objects import Found, read_object
from predarrow.formats.encord.shapes import SHAPES
from predarrow.formats.encord.write_geometry import Part, corners_of
from predarrow.formats.encord.write_vertices import flat_rings
from predarrow.refusals import Refusals

Bools = npt.NDArray[np.bool_]

_TYPES: dict[str, type[wire.FrameObject]] = {str(item.__struct_config__.tag): item for item in wire.OBJECTS}
_MISSING: dict[str, Any] = {"objectHash": "-", "featureHash": "-"}


def _decoder(type_: type[wire.FrameObject]) -> msgspec.json.Decoder[Any]:
    """Give what reads the geometry of a type alone."""
    fields: list[Any] = [
        (field.name, field.type) if field.required else (field.name, field.type, field.default)
        for field in msgspec.structs.fields(type_)
        if field.name in type_.keys
    ]
    return msgspec.json.Decoder(msgspec.defstruct("Geometry", fields, forbid_unknown_fields=True))


_DECODERS = {shape: _decoder(type_) for shape, type_ in _TYPES.items()}


def kept_texts(part: Part, shape: str) -> tuple[Bools, list[str]]:
    """Give which rows have kept geometry that stands in place of their columns, and its members as JSON text."""
    chosen = part.notes.has("coordinates")
    if not chosen.any():
        return chosen, []
    texts = [_text(part, place) for place in np.flatnonzero(chosen).tolist()]
    objects = [kept_object(text, shape) for text in texts]
    holds = np.array([each is not None for each in objects])
    chosen[chosen] = holds
    texts = [text for text, each in zip(texts, holds.tolist(), strict=True) if each]
    same = _give_the_columns([each for each in objects if each is not None], shape, part, chosen)
    chosen[chosen] = same
    inside = [text[1:-1] for text, each in zip(texts, same.tolist(), strict=True) if each]
    return chosen, inside


def _text(part: Part, place: int) -> str:
    """Give the kept geometry of a row; empty where there is none."""
    kept = part.notes.of(place).item.encord
    return "" if kept is None else bytes(kept.coordinates).decode()


def kept_object(text: str, shape: str) -> wire.FrameObject | None:
    """Give an object with kept geometry; None where it does not hold."""
    type_ = _TYPES[shape]
    try:
        given = _DECODERS[shape].decode(text)
        return type_(**_MISSING, **{key: getattr(given, key) for key in type_.keys})
    except msgspec.ValidationError:
        loose = json.loads(text)
    if not isinstance(loose, dict) or not loose.keys() <= set(type_.keys):
        return None
    found = read_object({"shape": shape, **_MISSING, **loose})
    return found.item if isinstance(found, Found) else None


def _give_the_columns(objects: Sequence[Any], shape: str, part: Part, chosen: Bools) -> Bools:
    """Tell which objects the reader turns into their rows' columns."""
    n = len(objects)
    if not n:
        return np.zeros(0, np.bool_)
    refusals = PartRefusals(Refusals(np.arange(n)), np.arange(n))
    sizes = np.where(part.sizes[chosen] > 0, part.sizes[chosen], 1.0)
    shaped: Shaped = SHAPES[_TYPES[shape]][1](objects, sizes, refusals)
    same: Bools = ~refusals.bad
    mask = pa.array(chosen)
    names = [name for name in shaped.columns if name != "rotation"]
    for name in names:
        same &= _equal(shaped.columns[name], part.columns[name].filter(mask))
    if not names:
        same &= (shaped.corners == corners_of(part.columns["bbox"].filter(mask))).all(axis=0)
    if "rotation" in shaped.columns:
        rotation = part.columns["rotation"].filter(mask).fill_null(0.0).to_numpy(zero_copy_only=False)
        same &= np.nan_to_num(shaped.columns["rotation"]) == rotation
    return same


def _equal(one: pa.Array, other: pa.Array) -> Bools:
    if one.equals(other):
        return np.ones(len(one), np.bool_)
    return np.array([a == b for a, b in zip(one.to_pylist(), other.to_pylist(), strict=True)], np.bool_)


def flat_cuboid_texts(part: Part) -> list[str]:
    """Give cuboids in images: the front face of the columns, the rest as it was kept."""
    chosen, texts = kept_texts(part, "cuboid_2d")
    unchanged = iter(texts)
    result = []
    for place, (is_same, front) in enumerate(zip(chosen.tolist(), flat_rings(part), strict=True)):
        if is_same:
            result.append(next(unchanged))
        else:
            members = json.loads(_text(part, place))["cuboid_2d"] | {"front": front}
            result.append(f'"cuboid_2d":{wire.json_text(members)}')
    return result
