"""What a record of COCO has beside COCO's own keys: attributes, track ids, rotations."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection
from typing import Any, NamedTuple

from predarrow.formats.coco.names import is_utf8
from predarrow.formats.coco.write_rows import Rows
from predarrow.refusals import Refusals, shown
from predarrow.report import Code


class Extra(NamedTuple):
    """Of one row."""

    text: str
    """members of a JSON object, each behind a comma"""
    own: dict[str, Any]
    """attributes that have a place of their own in the record"""
    further: str = ""
    """members of the mask's object beside size and counts, each behind a comma"""


NOTHING = Extra("", {})


def extras_of(
    rows: Rows, keys: Collection[str], own: Collection[str], refusals: Refusals, flags: Counter[str]
) -> list[Extra]:
    """Give what each row's record has beside the keys of its format.

    An object's id is written as `track_id`, a box's rotation in degrees as `attributes.rotation`, as Encord does.

    Args:
        rows: of a batch.
        keys: those that the format writes itself; attributes of such a name are left out.
        own: attributes to give by name instead.
        refusals: told of attributes that are no JSON object.
        flags: told of attributes that are left out.
    """
    names = ("attributes", "object_id", "rotation")
    columns = [rows.columns[name] for name in names]
    if all(column.null_count == len(column) for column in columns):
        return [NOTHING] * len(rows)
    result = []
    for row, (text, object_id, rotation) in enumerate(zip(*(column.to_pylist() for column in columns), strict=True)):
        try:
            attributes = _loaded(text)
            if object_id is not None:
                attributes.setdefault("track_id", object_id)
            if rotation:
                _rotate(attributes, rotation)
            taken = {key: attributes.pop(key) for key in own if key in attributes}
            further = attributes.pop("segmentation") if rows.has_mask[row] and _is_further(attributes) else {}
            clashes = [attributes.pop(key) for key in keys if key in attributes]
            result.append(Extra(_members(attributes), taken, _members(further)))
        except (ValueError, RecursionError) as error:
            refusals.add_one(row, Code.BAD_TABLE, "attributes", f"must be a JSON object, got {shown(text)} ({error})")
            result.append(NOTHING)
            continue
        if clashes:
            flags["attribute left out that has the name of one of COCO's keys"] += len(clashes)
    return result


def number_of(value: Any) -> float | None:
    """Give a number that is finite and not a bool, else None."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and math.isfinite(value) else None


def _is_further(attributes: dict[str, Any]) -> bool:
    """Tell whether there are members for the mask's object, none of which it has already."""
    found = attributes.get("segmentation")
    return isinstance(found, dict) and not found.keys() & {"size", "counts"}


def _members(values: dict[str, Any]) -> str:
    """Give the members of a JSON object, each behind a comma."""
    members = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))[1:-1]
    if not is_utf8(members):  # half a character, which JSON can escape
        members = json.dumps(values, allow_nan=False, separators=(",", ":"))[1:-1]
    return f",{members}" if members else ""


def _loaded(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    loaded = json.loads(text)
    if not isinstance(loaded, dict):
        raise ValueError(f"a JSON {type(loaded).__name__}")
    return loaded


def _rotate(attributes: dict[str, Any], rotation: float) -> None:
    """Write the rotation where Encord has it, beside what stands there."""
    there = attributes.get("attributes", {})
    if not isinstance(there, dict):
        raise ValueError("its key 'attributes' must be an object, to take the rotation")
    attributes["attributes"] = there | {"rotation": rotation}
