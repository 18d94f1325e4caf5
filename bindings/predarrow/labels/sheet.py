"""Labels of any number of data units as columns that grow, until they are batches of the prediction table."""

from __future__ import annotations

import base64
import json
import os
from array import array
from collections.abc import Callable, Mapping
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from predarrow.classes import Texts
from predarrow.labels.boxes import Boxes
from predarrow.labels.notes import Entries
from predarrow.labels.shapes import Floats, Ints, Shapes
from predarrow.labels.targets import hash_of, meant_by, shapes_of
from predarrow.ontology import Classification, Ontology, OntologyObject
from predarrow.refusals import Refusals
from predarrow.report import Problem
from predarrow.table import record_batch

if TYPE_CHECKING:
    from predarrow.project_index import ProjectIndex

NONE = -1
pack = Struct("=6qd").pack
"""Gives a label's row: two thirds of the time that arrays' `extend` and `append` take"""
_POOL = 512


class Group:
    """Labels of one kind, and the shapes that they point at."""

    __slots__ = ("rows", "shapes")

    def __init__(self, shapes: Shapes | None) -> None:
        self.shapes = shapes
        """None for classifications"""
        self.rows = bytearray()
        """As `pack` gives them"""


class Labels(NamedTuple):
    """The columns of a group."""

    number: Ints
    unit: Ints
    frame: Ints
    object: Ints
    note: Ints
    shape: Ints
    confidence: Floats


_ROW = np.dtype({"names": Labels._fields, "formats": ["i8"] * 6 + ["f8"]})


class Target(NamedTuple):
    """Where the labels of a class go whose geometries are of one Python type."""

    feature: OntologyObject
    place: int
    """Of the class among the sheet's features"""
    group: Group
    add: Callable[[Any], int]
    """Keeps a geometry, Encord's as well, and gives its place among the group's shapes"""
    convert: Callable[[Any], Any] | None
    """Gives this package's geometry from Encord's"""
    is_noted: bool
    """Whether columns do not hold all of the geometry"""


class Sheet:
    """Labels of one bundle.

    Args:
        ontology: of the project.
    """

    def __init__(self, ontology: Ontology) -> None:
        self.ontology = ontology
        self.n_labels = 0
        self.groups: dict[tuple[str, str], Group] = {}
        """By shape, skeletons also by class"""
        self.classifications = Group(None)
        self.object_ids: list[str] = []
        self.object_features = array("q")
        """Each object's place among the features"""
        self.answers: dict[int, Entries] = {}
        """Static answers by object, as Encord's label rows have them"""
        self.notes: list[dict[str, Any]] = []
        """What else a label has in its attributes"""
        self.features: dict[tuple[str, str], int] = {}
        """Places of classes and classifications, by featureNodeHash and name"""
        self.targets: dict[tuple[Any, type], Target] = {}
        self._ids: list[str] = []

    def target(self, feature: Any, geometry: Any) -> Target:
        """Give where a geometry goes.

        Raises:
            OntologyError: no such class, or one of another shape.
        """
        key = feature if isinstance(feature, str) else hash_of(feature)
        try:
            return self.targets[key, type(geometry)]
        except (KeyError, TypeError):  # not met before; a feature that is nothing of the kind
            meant = meant_by(self.ontology, feature, geometry)
        found = meant.feature
        group = self.group(found)
        is_noted = found.shape in ("cuboid", "cuboid_2d")
        assert group.shapes is not None
        place = self.feature(found.feature_hash, found.name)
        add, convert = group.shapes.add, meant.convert
        if convert is not None:
            add = partial(_converted, convert, add)
        made = Target(found, place, group, add, convert, is_noted)
        self.targets[key, type(geometry)] = made
        return made

    def group(self, feature: OntologyObject) -> Group:
        """Give the group of a class, made where it is not there: one for each shape, and for each skeleton."""
        key = (feature.shape, feature.feature_hash if feature.shape == "skeleton" else "")
        if key not in self.groups:
            self.groups[key] = Group(shapes_of(self.ontology, feature))
        return self.groups[key]

    def every_group(self) -> list[Group]:
        """Give the groups, that of classifications last."""
        return [*self.groups.values(), self.classifications]

    def classification(self, feature: Any) -> Classification:
        """Give a classification by name or featureNodeHash, or the one that is given.

        Raises:
            OntologyError: no such classification.
        """
        key = hash_of(feature)
        for found in self.ontology.classifications:
            if found.feature_hash == key:
                return found
        if key is not feature or not isinstance(key, str):
            return self.ontology.classification_by_hash(key)
        return self.ontology.classification_by_name(key)

    def feature(self, feature_hash: str, name: str) -> int:
        """Give the place of a class or classification among the features."""
        return self.features.setdefault((feature_hash, name), len(self.features))

    def new_object(self, object_id: str, feature: int) -> int:
        """Give the place of a new object."""
        self.object_ids.append(object_id)
        self.object_features.append(feature)
        return len(self.object_ids) - 1

    def new_objects(self, object_ids: list[str], feature: int) -> range:
        """Give the places of new objects."""
        first = len(self.object_ids)
        self.object_ids += object_ids
        self.object_features.extend([feature] * len(object_ids))
        return range(first, len(self.object_ids))

    def add_boxes(self, target: Target, boxes: Floats, relative: bool) -> Ints:
        """Keep (n, 5) boxes and give their places among the shapes of their group."""
        shapes = target.group.shapes
        assert isinstance(shapes, Boxes)  # as the target is that of a box
        return shapes.add_array(boxes, relative)

    def add_labels(self, group: Group, columns: tuple[int | Ints, ...], confidences: Floats) -> None:
        """Keep n labels: unit, frame, object, note and shape, one number for all or (n,) each."""
        n = len(confidences)
        rows = np.empty(n, _ROW)
        every = (np.arange(self.n_labels, self.n_labels + n), *columns, confidences)
        for name, column in zip(Labels._fields, every, strict=True):
            rows[name] = column
        group.rows += rows.tobytes()
        self.n_labels += n

    def note(self, note: dict[str, Any]) -> int:
        """Give the place of a note, NONE where it is empty."""
        if not note:
            return NONE
        self.notes.append(note)
        return len(self.notes) - 1

    def new_ids(self, n: int) -> list[str]:
        """Give random ids of 8 characters, as Encord's: 48 bits from the operating system.

        Random and not counted, so that what a later session or another process adds has other ids.
        """
        text = base64.urlsafe_b64encode(os.urandom(6 * n))
        ids: list[str] = np.frombuffer(text, "S8").astype(str).tolist()
        return ids

    def new_id(self) -> str:
        """Give one of `new_ids`."""
        if not self._ids:
            self._ids = self.new_ids(_POOL)
        return self._ids.pop()


def _converted(convert: Callable[[Any], Any], add: Callable[[Any], int], geometry: Any) -> int:
    return add(convert(geometry))


def labels_of(group: Group) -> Labels:
    """Give a group's columns."""
    rows = np.frombuffer(group.rows, _ROW)
    return Labels(*(np.ascontiguousarray(rows[name]) for name in Labels._fields))


def batches(
    sheet: Sheet, index: ProjectIndex, sizes_of: Callable[[Labels], Ints], saved_answers: Mapping[int, Entries]
) -> list[tuple[pa.RecordBatch, list[Problem]]]:
    """Give a batch in the prediction table's schema for each group, and what is wrong with its shapes.

    Args:
        sheet: what was gathered.
        index: of the project.
        sizes_of: gives (n, 2) height and width of each label's image, 0 where they are not known.
        saved_answers: by object, those that it was saved with before.
    """
    names, hashes = (Texts([pair[place] for pair in sheet.features]) for place in (1, 0))
    ids = Texts(sheet.object_ids)
    features = np.frombuffer(sheet.object_features, np.int64)
    answers = sheet.answers | dict(saved_answers)
    result = []
    for group in sheet.every_group():
        if not group.rows:
            continue
        labels = labels_of(group)
        sizes = sizes_of(labels)
        columns, problems = _shape_columns(group, labels, sizes)
        feature = features[labels.object]
        columns |= {
            "kind": "classification" if group.shapes is None else group.shapes.kind,
            "data_unit": index.ids.take(labels.unit),
            "frame": labels.frame.astype(np.int32),
            "object_id": ids.take(labels.object),
            "feature_hash": hashes.take(feature),
            "class_name": names.take(feature),
            "confidence": labels.confidence,
            "attributes": _attributes(sheet, answers, labels),
            "image_height": pa.array(sizes[:, 0], pa.int32(), mask=sizes[:, 0] == 0),
            "image_width": pa.array(sizes[:, 1], pa.int32(), mask=sizes[:, 1] == 0),
            "row": labels.number,
        }
        result.append((record_batch(len(labels.number), columns), problems))
    return result


def _shape_columns(group: Group, labels: Labels, sizes: Ints) -> tuple[dict[str, Any], list[Problem]]:
    if group.shapes is None:
        return {}, []
    first = np.flatnonzero(np.diff(labels.shape, prepend=NONE))  # labels of one shape stand side by side
    refusals = Refusals(labels.number[first])
    columns = group.shapes.columns(sizes[first], refusals)
    if len(first) < len(labels.shape):
        chosen = pa.array(labels.shape)
        columns = {name: column.take(chosen) for name, column in columns.items()}
    return columns, refusals.problems


def _attributes(sheet: Sheet, given: Mapping[int, Entries], labels: Labels) -> pa.Array:
    """Give the column of JSON texts: an object's answers, and a label's note."""
    answers = np.full(len(sheet.object_ids), NONE)
    answers[list(given)] = np.arange(len(given))
    listed = list(given.values())
    n_notes = len(sheet.notes) + 1
    found, place = np.unique((answers[labels.object] + 1) * n_notes + labels.note + 1, return_inverse=True)
    texts: list[str | None] = []
    for answer, note in (divmod(pair, n_notes) for pair in found.tolist()):
        members = ({"answers": listed[answer - 1]} if answer else {}) | (sheet.notes[note - 1] if note else {})
        texts.append(json.dumps(members, ensure_ascii=False, separators=(",", ":")) if members else None)
    if texts == [None]:
        return pa.nulls(len(place), pa.string())
    return pa.array(texts, pa.string()).take(pa.array(place))
