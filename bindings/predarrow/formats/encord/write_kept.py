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

from predarrow.buffers import flat_text
from predarrow.formats.encord import wire
from predarrow.formats.encord.columns import Shaped
from predarrow.formats.encord.flaws import PartRefusals
from predarrow.formats.encord.objects import Found, read_object
from predarrow.formats.encord.shapes import SHAPES
from predarrow.formats.encord.write_geometry import Part, corners_of
from predarrow.formats.encord.write_vertices import flat_rings
from predarrow.formats.json_text import json_text
from predarrow.refusals import Refusals

Bools = npt.NDArray[np.bool_]

_TYPES: dict[str, type[wire.FrameObject]] = {str(item.__struct_config__.tag): item for item in wire.OBJECTS}
_BOXES = {
    "bounding_box": ("boundingBox", ("x", "y", "w", "h")),
    "rotatable_bounding_box": ("rotatableBoundingBox", ("x", "y", "w", "h", "theta")),
}
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


def kept_texts(part: Part, shape: str) -> tuple[Bools, pa.StringArray]:
    """Give which rows have kept geometry that stands in place of their columns, and (n,) what was kept, JSON objects.

    Args:
        part: rows of the shape.
        shape: Encord's name of it.
    """
    chosen = part.notes.has("coordinates")
    if not chosen.any():
        return chosen, pa.array([], pa.string())
    texts = part.notes.coordinates()
    same, is_odd = _plain_boxes(texts, part, shape) if shape in _BOXES else (np.zeros(chosen.size, np.bool_), chosen)
    odd = np.flatnonzero(is_odd & chosen)
    if odd.size:
        same[odd] = _same(part.take(odd), shape, texts.take(pa.array(odd)).to_pylist())
    return same, texts


def _plain_boxes(texts: pa.StringArray, part: Part, shape: str) -> tuple[Bools, Bools]:
    """Give which boxes give their rows' columns, and which have other members than numbers."""
    from predarrow_engine.json_tails import numbers_of
    from predarrow_engine.relative import far_side, to_pixels

    values, fits = numbers_of(*flat_text(texts), *_BOXES[shape])
    x, y, w, h, *theta = values.T
    with np.errstate(invalid="ignore", over="ignore"):
        left, top = to_pixels(x, part.width), to_pixels(y, part.height)
        sides = np.stack([left, top, far_side(left, w, part.width), far_side(top, h, part.height)])
    same = fits & (sides == corners_of(part.columns["bbox"])).all(axis=0)
    if theta:
        same &= theta[0] == part.columns["rotation"].fill_null(0.0).to_numpy(zero_copy_only=False)
    return same, ~fits


def _same(part: Part, shape: str, texts: Sequence[str]) -> Bools:
    """Tell which texts hold geometry that the reader turns into the columns of their rows."""
    objects = [kept_object(text, shape) for text in texts]
    holds = np.array([each is not None for each in objects], np.bool_)
    given = [each for each in objects if each is not None]
    holds[holds] = _give_the_columns(given, shape, part.take(np.flatnonzero(holds)))
    return holds


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


def _give_the_columns(objects: Sequence[Any], shape: str, part: Part) -> Bools:
    """Tell which objects the reader turns into their rows' columns."""
    n = len(objects)
    if not n:
        return np.zeros(0, np.bool_)
    refusals = PartRefusals(Refusals(np.arange(n)), np.arange(n))
    shaped: Shaped = SHAPES[_TYPES[shape]][1](objects, np.where(part.sizes > 0, part.sizes, 1.0), refusals)
    same: Bools = ~refusals.bad
    names = [name for name in shaped.columns if name != "rotation"]
    for name in names:
        same &= _equal(shaped.columns[name], part.columns[name])
    if not names:
        same &= (shaped.corners == corners_of(part.columns["bbox"])).all(axis=0)
    if "rotation" in shaped.columns:
        rotation = part.columns["rotation"].fill_null(0.0).to_numpy(zero_copy_only=False)
        same &= np.nan_to_num(shaped.columns["rotation"]) == rotation
    return same


def _equal(one: pa.Array, other: pa.Array) -> Bools:
    if one.equals(other):
        return np.ones(len(one), np.bool_)
    return np.array([a == b for a, b in zip(one.to_pylist(), other.to_pylist(), strict=True)], np.bool_)


def flat_cuboid_texts(part: Part) -> list[str]:
    """Give cuboids in images: the front face of the columns, the rest as it was kept."""
    chosen, texts = kept_texts(part, "cuboid_2d")
    result = []
    for is_same, front, text in zip(chosen.tolist(), flat_rings(part), texts.to_pylist(), strict=True):
        if is_same:
            result.append(text[1:-1])
        else:
            members = json.loads(text)["cuboid_2d"] | {"front": front}
            result.append(f'"cuboid_2d":{json_text(members)}')
    return result
