"""Rows by what they become: those of one kind and class with the same attributes are one sort."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio.write_attributes import NOTHING, Notes
from predarrow.formats.label_studio.write_forms import NO_FORM, Form
from predarrow.formats.label_studio.write_suit import Suit, Wanted
from predarrow.formats.write_distinct import Distinct, distinct
from predarrow.refusals import Refusals

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_LEARNT = ("data_unit", "frame", "class_name", "kind", "polygon", "attributes")


class Sorts:
    """Gives forms of rows; those of rows without attributes are kept.

    Args:
        suit: the controls that rows go to.
    """

    def __init__(self, suit: Suit) -> None:
        self._suit = suit
        self._known: dict[tuple[str, str, bool], Form] = {}

    def forms(
        self,
        columns: dict[str, pa.Array],
        kinds: pa.StringArray,
        unit: Ints,
        notes: Notes,
        refusals: Refusals,
        flags: Counter[str],
    ) -> tuple[Ints, list[Form]]:
        """Give (n,) the place of each row's form, and the forms; rows that the config has no place for are refused.

        Args:
            columns: of rows of whole data units.
            kinds: (n,) as they were given.
            unit: (n,) number of each row's data unit.
            notes: attributes.
            refusals: of as many rows.
            flags: told of what is odd.
        """
        once, moving = _sorted_out(columns, unit, notes, refusals)
        sorts: list[tuple[int, Wanted]] = []
        for number, row in enumerate(once.first.tolist()):
            if not refusals.bad[row]:
                kind, class_name = columns["kind"][row].as_py(), columns["class_name"][row].as_py()
                sorts.append((number, Wanted(kind, class_name, notes.of(row), bool(moving[unit[row]]))))
        new = [number for number, wanted in sorts if not self._is_known(wanted) and not wanted.note.follows]
        first = once.first[new]
        are_kept = all(notes.of(row).is_kept for row in first.tolist())
        self._suit.learn(_taken(columns | {"kind": kinds}, first, moving[unit[first]]), are_kept=are_kept)
        counts = np.bincount(once.which, minlength=once.first.size).tolist()
        forms = [NO_FORM] * once.first.size
        for number, wanted in sorts:
            try:
                forms[number] = self._form(wanted, counts[number], flags)
            except Flaw as flaw:
                refusals.add(once.which == number, flaw.code, flaw.pointer, flaw.message)
        return once.which, forms

    def _is_known(self, wanted: Wanted) -> bool:
        return wanted.note is NOTHING and _key(wanted) in self._known

    def _form(self, wanted: Wanted, n_rows: int, flags: Counter[str]) -> Form:
        if wanted.note is not NOTHING or wanted.kind == "classification":  # these are on what their address tells
            return self._suit.form(wanted, n_rows, flags)
        if _key(wanted) not in self._known:
            self._known[_key(wanted)] = self._suit.form(wanted, n_rows, flags)
        return self._known[_key(wanted)]


def _taken(columns: dict[str, pa.Array], first: Ints, moving: Bools) -> pa.RecordBatch:
    """Give the first row of each sort, on a later frame where its data unit has such."""
    chosen = pa.array(first, pa.int64())
    taken = {name: columns[name].take(chosen) for name in _LEARNT}
    taken["frame"] = pa.array(moving.astype(np.int32))
    return pa.RecordBatch.from_pydict(taken)


def _sorted_out(columns: dict[str, pa.Array], unit: Ints, notes: Notes, refusals: Refusals) -> tuple[Distinct, Bools]:
    """Give the sorts of rows that are not refused, and by data unit whether it has several frames."""
    kinds, classes = (columns[name].dictionary_encode() for name in ("kind", "class_name"))
    moving = np.zeros(unit[-1] + 1 if unit.size else 0, np.bool_)
    moving[unit[columns["frame"].to_numpy() > 0]] = True
    key = notes.code * len(classes.dictionary) + classes.indices.to_numpy()
    key = (key * len(kinds.dictionary) + kinds.indices.to_numpy()) * 2 + moving[unit]
    return distinct(np.where(refusals.bad, -1, key)), moving


def _key(wanted: Wanted) -> tuple[str, str, bool]:
    return wanted.kind, wanted.class_name, wanted.is_moving
