"""What a set has of the data units that labels are added to, and what cannot stand beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.labels.notes import Entries
from predarrow.labels.overlaps import ANSWERED_TWICE, TWICE, Overlap, Placed, answer_keys, placed
from predarrow.labels.shapes import Ints
from predarrow.labels.sheet import NONE, Sheet
from predarrow.ordering import keys
from predarrow.project_index import ProjectIndex

COLUMNS = ("data_unit", "frame", "object_id", "feature_hash", "kind", "attributes")

_CLASS = "must be of the class that it was saved with"
_ANSWERS = "must have the answers that it was saved with, or none given"


class Saved:
    """Saved labels beside those of a sheet.

    Args:
        table: `COLUMNS` of the set's rows.
        sheet: what is added.
        index: of the project.
    """

    def __init__(self, table: pa.Table, sheet: Sheet, index: ProjectIndex) -> None:
        self._sheet = sheet
        self._number, self._mine = placed(sheet)
        self._other = self._placed(table, index)
        self.answers = self._answers(table["attributes"])
        """Answers of objects that were saved and go on, by their places in the sheet"""

    def overlaps(self) -> list[Overlap]:
        """Give the labels of the sheet that cannot stand beside saved ones."""
        mine, other, number = self._mine, self._other, self._number
        again = np.isin(keys(mine.object, mine.frame), keys(other.object, other.frame))
        is_answered = np.isin(answer_keys(self._sheet, mine), answer_keys(self._sheet, other))
        classes = np.frombuffer(self._sheet.object_features, np.int64)
        is_known = other.object != NONE
        is_changed = is_known & (classes[np.where(is_known, other.object, 0)] != other.feature) if len(classes) else []
        given = self._sheet.answers
        differ = [at for at, had in self.answers.items() if at in given and _values(given[at]) != _values(had)]
        return [
            *(Overlap(at, TWICE) for at in number[again].tolist()),
            *(Overlap(at, ANSWERED_TWICE) for at in number[mine.is_answer][is_answered].tolist()),
            *(self._first(at, _CLASS) for at in np.unique(other.object[is_changed]).tolist()),
            *(self._first(at, _ANSWERS) for at in differ),
        ]

    def _first(self, owner: int, message: str) -> Overlap:
        return Overlap(int(self._number[self._mine.object == owner].min()), message)

    def _placed(self, table: pa.Table, index: ProjectIndex) -> Placed:
        sheet, mine = self._sheet, self._mine
        units = _mapped(table["data_unit"], lambda key: index.units[key])
        hashes = {feature_hash: place for (feature_hash, _), place in sheet.features.items()}
        features = _mapped(table["feature_hash"], lambda key: hashes.get(key, NONE))
        ids = pa.array(sheet.object_ids, pa.string()).dictionary_encode()
        code = pc.fill_null(pc.index_in(table["object_id"], value_set=ids.dictionary), NONE).to_numpy()
        unit_of = np.zeros(len(sheet.object_ids), np.int64)
        unit_of[mine.object] = mine.unit
        n_ids = len(ids.dictionary)
        objects = _found(unit_of * n_ids + ids.indices.to_numpy(), np.where(code == NONE, NONE, units * n_ids + code))
        is_answer = pc.equal(table["kind"], "classification").to_numpy()
        return Placed(objects, units, features, table["frame"].to_numpy().astype(np.int64), is_answer)

    def _answers(self, attributes: pa.ChunkedArray) -> dict[int, Entries]:
        rows = np.flatnonzero((self._other.object != NONE) & attributes.is_valid().to_numpy())
        encoded = attributes.take(pa.array(rows)).combine_chunks().dictionary_encode()
        had = [json.loads(text).get("answers") for text in encoded.dictionary.to_pylist()]
        pairs = np.unique(np.stack([self._other.object[rows], encoded.indices.to_numpy()]), axis=1)
        return {owner: had[place] for owner, place in pairs.T.tolist() if had[place]}


def _values(answers: Entries) -> dict[Any, Any]:
    return {entry.get("featureHash"): entry.get("answers") for entry in answers}


def _found(known: Ints, wanted: Ints) -> Ints:
    """Give the place of each number among those that are known, NONE where it is not there."""
    if not len(known):
        return np.full(len(wanted), NONE)
    order = np.argsort(known)
    at = order[np.minimum(np.searchsorted(known, wanted, sorter=order), len(known) - 1)]
    return np.where(known[at] == wanted, at, NONE)


def _mapped(column: pa.ChunkedArray, place: Callable[[Any], int]) -> Ints:
    """Give the place of each value of a column."""
    encoded = pc.dictionary_encode(column.combine_chunks(), "encode")
    places = np.array([place(value) for value in encoded.dictionary.to_pylist()], np.int64)
    result: Ints = places[encoded.indices.to_numpy()]
    return result
