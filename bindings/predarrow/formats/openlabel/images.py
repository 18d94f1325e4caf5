"""Images of masks, PNG files in base64: one bitmask for each value."""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow.errors import InputError
from predarrow.formats.flaws import Flaw
from predarrow.formats.geometry_columns import mask_column
from predarrow.formats.openlabel.document import ROOT, Document
from predarrow.formats.openlabel.geometries import Given
from predarrow.formats.openlabel.pointers import pointer
from predarrow.formats.openlabel.shapes import Shaped
from predarrow.report import Code

BACKGROUND = "_background"
"""The class of pixels that are no object, as Kognic calls it; value 0 without a name, too."""

MAX_VALUES = 4096
"""Distinct values that an image may have: of more, it is no mask."""


class _Mask(NamedTuple):
    value: int
    sizes: tuple[int, int]
    counts: npt.NDArray[np.uint8]
    corners: npt.NDArray[np.float64]


def images(given: Given, document: Document) -> Shaped:
    """Give images as one bitmask for each value but the background's; classes are those of the object's ontology."""
    owner: list[int] = []
    masks: list[_Mask] = []
    names: list[str] = []
    inner: dict[int, str] = {}
    rowless: list[int] = []
    for row, item in enumerate(given.items):
        if given.refusals.bad[row]:
            continue
        uid = given.group.uids[row]
        try:
            classes = classifications(document, uid)
            found = _masks(given, row, classes)
        except Flaw as flaw:
            given.refusals.add_flaw(row, flaw)
            continue
        if not found:
            rowless.append(row)
        for number, mask in enumerate(found):
            value = f'"value":{mask.value}'
            inner[len(owner)] = f'"val":{given.codec.text(item.val)},{value}' if number == 0 else value
            owner.append(row)
            masks.append(mask)
            names.append(document.objects[uid].type if classes is None else classes[mask.value])
    sizes = np.array([mask.sizes for mask in masks], np.int64).reshape(-1, 2)
    offsets = np.zeros(len(masks) + 1, np.int32)
    np.cumsum([mask.counts.size for mask in masks], out=offsets[1:])
    strings = np.concatenate([np.empty(0, np.uint8), *(mask.counts for mask in masks)])
    corners = np.array([mask.corners for mask in masks]).reshape(-1, 4).T
    columns = {"mask": mask_column(sizes, strings, offsets)}
    return Shaped("bitmask", columns, corners, np.array(owner, np.int64), inner, names, rowless)


def classifications(document: Document, uid: str) -> dict[int, str] | None:
    """Give the classes of an object's ontology by pixel value, None where it has none.

    Raises:
        Flaw: they do not hold.
    """
    codec = document.codec
    raw = document.members.get("ontologies")
    ontologies = codec.any(raw) if raw is not None else None
    if not isinstance(ontologies, dict):
        return None
    own = document.objects[uid].ontology_uid
    key = codec.any(own) if own else None
    if key is None:
        keys = [key for key, each in ontologies.items() if isinstance(each, dict) and "classifications" in each]
        key = keys[0] if len(keys) == 1 else None
    ontology = ontologies.get(key) if isinstance(key, str) else None
    named = ontology.get("classifications") if isinstance(ontology, dict) else None
    if named is None:
        return None
    found = names_by_value(named)
    if found is None:
        where = pointer(ROOT, "ontologies", str(key), "classifications")
        rule = f'{where} must be pixel values by class name, as {{"road": 1}}, or names by value, each once'
        raise Flaw(Code.BAD_VALUE, "", rule, named)
    return found


def names_by_value(named: Any) -> dict[int, str] | None:
    """Give an ontology's class names by pixel value, None where they do not hold.

    Args:
        named: values by name, as on Kognic's page, or names by value.
    """
    if not isinstance(named, dict):
        return None
    if all(type(value) is int and value >= 0 for value in named.values()):
        found = {value: name for name, value in named.items()}
    elif all(value.isdecimal() and isinstance(name, str) for value, name in named.items()):
        found = {int(value): name for value, name in named.items()}
    else:
        return None
    return found if len(found) == len(named) else None


def _masks(given: Given, row: int, classes: dict[int, str] | None) -> list[_Mask]:
    from predarrow_engine.rle import encode

    pixels = _pixels(given, row)
    height, width = pixels.shape
    values = [int(value) for value in np.unique(pixels)]
    if len(values) > MAX_VALUES:
        rule = f"must have at most {MAX_VALUES} distinct values, as a mask has"
        raise Flaw(Code.TOO_MANY_CLASSES, "/val", rule, told=str(len(values)))
    masks = []
    for value in values:
        name = None if classes is None else classes.get(value)
        if name == BACKGROUND or (name is None and value == 0):
            continue
        if classes is not None and name is None:
            rule = "pixel values must be among the ontology's classifications"
            raise Flaw(Code.UNKNOWN_CLASS, "/val", rule, value)
        encoded = encode(pixels == value)
        masks.append(_Mask(value, (height, width), encoded.counts, encoded.bbox[:, 0]))
    return masks


def _pixels(given: Given, row: int) -> npt.NDArray[Any]:
    from predarrow.formats.png import PngDecoder

    item = given.items[row]
    codec = given.codec
    kind = codec.any(item.mime_type) if item.mime_type else "image/png"
    coding = codec.any(item.encoding) if item.encoding else "base64"
    if kind != "image/png":
        raise Flaw(Code.UNSUPPORTED, "/mime_type", 'must be "image/png"', kind)
    if coding != "base64":
        raise Flaw(Code.UNSUPPORTED, "/encoding", 'must be "base64"', coding)
    try:
        data = base64.b64decode(given.values[row], validate=True)
    except (binascii.Error, ValueError) as error:
        raise Flaw(Code.DAMAGED, "/val", "must be base64", told=f"other text: {error}") from None
    try:
        return PngDecoder().decode(data, "")
    except InputError as error:
        problem = error.problems[0]
        rule, _, got = problem.message.partition(", got ")
        told = got.partition("; ")[0] or "another"  # what is hinted at are options of folders of masks
        raise Flaw(problem.code, "/val", f"must be a PNG file of a mask: {rule}", told=told) from None
