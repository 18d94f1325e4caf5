"""Which class or classification of the ontology each row is of, and whether that can hold the row's geometry."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.errors import OntologyError
from predarrow.formats.json_text import json_text
from predarrow.formats.write_distinct import distinct
from predarrow.ontology import Classification, Ontology, OntologyObject
from predarrow.ontology.nodes import plain_value
from predarrow.refusals import Refusals
from predarrow.report import Code

SHAPES: dict[str, tuple[str, ...]] = {
    "bbox": ("bounding_box", "rotatable_bounding_box"),
    "rotated_bbox": ("rotatable_bounding_box",),
    "polygon": ("polygon",),
    "polyline": ("polyline",),
    "keypoints": ("point",),
    "skeleton": ("skeleton",),
    "bitmask": ("bitmask",),
    "ellipse": ("ellipse",),
    "circle": ("circle",),
    "cuboid": ("cuboid",),
    "cuboid_2d": ("cuboid_2d",),
    "span": ("audio", "time_range", "text"),
}
"""By kind, the shapes of the classes that hold it; the first one is looked for by name."""

CLASSIFICATION = "classification"
_CONVERSIONS = {"polygon": "to_polygons", "bitmask": "to_masks", "bounding_box": "covers"}


class Feature(NamedTuple):
    """A class or classification."""

    feature_hash: str
    shape: str
    """"classification" of one that is none of objects."""
    is_global: bool
    head: str
    """Members name, value and featureHash as JSON text without braces; of objects also color and shape."""


class Features(NamedTuple):
    """The features of rows."""

    found: list[Feature]
    chosen: npt.NDArray[np.int64]
    """(n,) each row's, as its place in `found`; -1 where it is refused."""


def features_of(columns: dict[str, pa.Array], ontology: Ontology, refusals: Refusals) -> Features:
    """Give the features of rows: by feature_hash, else by class_name and kind.

    Args:
        columns: feature_hash, class_name and kind among them.
        ontology: that label rows refer to.
        refusals: told of rows whose class is not there, or cannot hold their kind.
    """
    names = ("feature_hash", "class_name", "kind")
    encoded = [columns[name].dictionary_encode() for name in names]
    texts = [[*each.dictionary.to_pylist(), None] for each in encoded]
    codes = [each.indices.fill_null(len(each.dictionary)).to_numpy().astype(np.int64) for each in encoded]
    keys = (codes[0] * len(texts[1]) + codes[1]) * len(texts[2]) + codes[2]
    first, which = distinct(keys)
    found: dict[Feature, int] = {}
    chosen = np.full(len(first), -1)
    for place, row in enumerate(first.tolist()):
        feature_hash, name, kind = (text[code[row]] for text, code in zip(texts, codes, strict=True))
        feature = _feature(ontology, feature_hash, str(name), str(kind))
        if isinstance(feature, Feature):
            chosen[place] = found.setdefault(feature, len(found))
        else:
            refusals.add(which == place, *feature)
    return Features(list(found), chosen[which])


def _feature(ontology: Ontology, feature_hash: str | None, name: str, kind: str) -> Feature | tuple[Code, str, str]:
    """Give a feature, or code, column and message of why there is none."""
    if kind != CLASSIFICATION and kind not in SHAPES:
        known = ", ".join([*SHAPES, CLASSIFICATION])
        return Code.CANNOT_HOLD, "kind", f"must be one that label rows have, one of {known}, got {kind!r}"
    column = "class_name" if feature_hash is None else "feature_hash"
    try:
        if kind == CLASSIFICATION:
            return _of_classification(_classification(ontology, feature_hash, name))
        item = _object(ontology, feature_hash, name, kind)
    except OntologyError as error:
        return Code.UNKNOWN_CLASS, column, str(error)
    if item.shape not in SHAPES[kind]:
        return Code.CANNOT_HOLD, "kind", _mismatch(item, kind)
    return _of_object(item)


def _classification(ontology: Ontology, feature_hash: str | None, name: str) -> Classification:
    if feature_hash is None:
        return ontology.classification_by_name(name)
    return ontology.classification_by_hash(feature_hash)


def _object(ontology: Ontology, feature_hash: str | None, name: str, kind: str) -> OntologyObject:
    if feature_hash is not None:
        return ontology.object_by_hash(feature_hash)
    same = [item for item in ontology.objects if item.name == name]
    for shape in SHAPES[kind]:
        if any(item.shape == shape for item in same):
            return ontology.object_by_name(name, shape=shape)
    return ontology.object_by_name(name)


def _mismatch(item: OntologyObject, kind: str) -> str:
    rule = f"must be one that a {item.shape} is, as the class {item.name!r} is in the ontology, got {kind!r}"
    if kind == "rotated_bbox" and item.shape == "bounding_box":
        return f"{rule}; give the ontology a class of shape rotatable_bounding_box, or write predarrow.geometry.covers"
    if item.shape in _CONVERSIONS and kind != "span":
        return f"{rule}; predarrow.geometry.{_CONVERSIONS[item.shape]} converts it"
    wanted = SHAPES[kind][0]
    return f"{rule}; give the ontology a class of shape {wanted}"


def _of_object(item: OntologyObject) -> Feature:
    members = {
        "name": item.name,
        "color": item.color,
        "shape": item.shape,
        "value": plain_value(item.name),
        "featureHash": item.feature_hash,
    }
    return Feature(item.feature_hash, item.shape, False, _members(members))


def _of_classification(item: Classification) -> Feature:
    members = {"name": item.name, "value": plain_value(item.name), "featureHash": item.feature_hash}
    return Feature(item.feature_hash, CLASSIFICATION, item.is_global, _members(members))


def _members(members: dict[str, Any]) -> str:
    return json_text(members)[1:-1]
