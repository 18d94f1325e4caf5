"""Labels that cannot stand beside each other: an object twice on a frame, a question answered twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.labels.shapes import Bools, Ints
from predarrow.labels.sheet import NONE, Labels, Sheet, labels_of
from predarrow.ordering import keys
from predarrow.project_index import ProjectIndex

SAVED_COLUMNS = ("data_unit", "frame", "object_id", "feature_hash", "kind")

_OBJECT = "must have one geometry on a frame, got a second one"
_ANSWER = "must be answered once on a frame, got a second answer"


class Overlap(NamedTuple):
    """A label that cannot stand beside another."""

    number: int
    """Its running number in the sheet"""
    message: str


class _Placed(NamedTuple):
    """Labels, n columns each."""

    object: Ints
    """Place among the sheet's objects, NONE where it is not there"""
    unit: Ints
    feature: Ints
    """Place among the sheet's features, NONE where it is not there"""
    frame: Ints
    is_answer: Bools
    """Whether it is a classification's"""


def overlaps(sheet: Sheet, index: ProjectIndex, saved: pa.Table | None = None) -> list[Overlap]:
    """Give the labels of a sheet that overlap an earlier one; with saved labels, those that overlap these.

    Args:
        sheet: what was gathered.
        index: of the project.
        saved: `SAVED_COLUMNS` of what a set has of the same data units.
    """
    number, mine = _mine(sheet)
    if saved is None:
        found = [Overlap(at, _OBJECT) for at in _repeated(number, keys(mine.object, mine.frame))]
        answered = number[mine.is_answer]
        return found + [Overlap(at, _ANSWER) for at in _repeated(answered, _answers(sheet, mine))]
    other = _saved(sheet, index, mine, saved)
    again = np.isin(keys(mine.object, mine.frame), keys(other.object, other.frame))
    answered = number[mine.is_answer][np.isin(_answers(sheet, mine), _answers(sheet, other))]
    is_known = other.object != NONE
    changed = np.unique(other.object[is_known & (_classes(sheet)[other.object] != other.feature)])
    return [
        *(Overlap(at, _OBJECT) for at in number[again].tolist()),
        *(Overlap(at, _ANSWER) for at in answered.tolist()),
        *(Overlap(int(number[mine.object == at][0]), "must be of the class that it was saved with") for at in changed),
    ]


def _mine(sheet: Sheet) -> tuple[Ints, _Placed]:
    groups = [labels_of(group) for group in sheet.every_group()]
    labels = Labels(*(np.concatenate(columns) for columns in zip(*groups, strict=True)))
    is_answer = np.arange(len(labels.number)) >= len(labels.number) - len(groups[-1].number)
    return labels.number, _Placed(labels.object, labels.unit, _classes(sheet)[labels.object], labels.frame, is_answer)


def _classes(sheet: Sheet) -> Ints:
    """Give the place of each object's class among the features."""
    return np.frombuffer(sheet.object_features, np.int64)


def _saved(sheet: Sheet, index: ProjectIndex, mine: _Placed, saved: pa.Table) -> _Placed:
    units = _mapped(saved["data_unit"], lambda key: index.units[key])
    hashes = {feature_hash: place for (feature_hash, _), place in sheet.features.items()}
    features = _mapped(saved["feature_hash"], lambda key: hashes.get(key, NONE))
    unit_of = np.zeros(len(sheet.object_ids), np.int64)
    unit_of[mine.object] = mine.unit
    ids = pa.array(sheet.object_ids, pa.string()).dictionary_encode()
    code = pc.fill_null(pc.index_in(saved["object_id"], value_set=ids.dictionary), NONE).to_numpy().astype(np.int64)
    n = len(ids.dictionary) + 1
    known = unit_of * n + ids.indices.to_numpy()
    order = np.argsort(known)
    wanted = np.where(code == NONE, NONE, units * n + code)
    at = np.minimum(np.searchsorted(known, wanted, sorter=order), max(len(order) - 1, 0))
    objects = np.where(known[order[at]] == wanted, order[at], NONE) if len(order) else np.full(len(saved), NONE)
    is_answer = pc.equal(saved["kind"], "classification").to_numpy()
    return _Placed(objects, units, features, saved["frame"].to_numpy().astype(np.int64), is_answer)


def _answers(sheet: Sheet, labels: _Placed) -> Ints:
    """Give a number for each answer to a classification of the sheet, the same for the same unit, class and frame."""
    where = labels.is_answer & (labels.feature != NONE)
    return keys(labels.unit[where] * len(sheet.features) + labels.feature[where], labels.frame[where])


def _repeated(numbers: Ints, values: Ints) -> list[int]:
    """Give the numbers of values that stood before."""
    first = np.unique(values, return_index=True)[1]
    again = np.ones(len(values), np.bool_)
    again[first] = False
    repeated: list[int] = numbers[again].tolist()
    return repeated


def _mapped(column: pa.ChunkedArray, place: Callable[[Any], int]) -> Ints:
    """Give the place of each value of a column."""
    encoded = pc.dictionary_encode(column.combine_chunks(), "encode")
    places = np.array([place(value) for value in encoded.dictionary.to_pylist()], np.int64)
    result: Ints = places[encoded.indices.to_numpy()]
    return result
