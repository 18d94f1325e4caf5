"""Batches of whole data units -> rows that hold, each with the form of its results and its place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.encord.write_distinct import distinct
from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio.write_attributes import Notes, notes_of
from predarrow.formats.label_studio.write_checks import Outside, check
from predarrow.formats.label_studio.write_controls import PAINTED
from predarrow.formats.label_studio.write_forms import NO_FORM, Form
from predarrow.formats.label_studio.write_suit import Suit, Wanted
from predarrow.geometry.masks import to_masks
from predarrow.refusals import Refusals
from predarrow.report import Code

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

AS_MASK = "polygon of several rings written as a mask"
_LEARNT = ("data_unit", "frame", "class_name", "kind", "polygon", "attributes")


@dataclass(slots=True)
class Rows:
    """Rows of whole data units."""

    columns: dict[str, pa.Array]
    sizes: npt.NDArray[np.float64]
    """(n, 2) height and width of each row's image; 0 where not known"""
    notes: Notes
    unit: Ints
    """(n,) number of each row's data unit, ascending"""
    form: Ints
    """(n,) each row's place in `forms`"""
    forms: list[Form]

    def __len__(self) -> int:
        return len(self.unit)

    def take(self, chosen: Ints) -> Rows:
        """Give chosen rows."""
        if chosen.size == len(self) and (chosen == np.arange(len(self))).all():
            return self
        columns = {name: column.take(pa.array(chosen)) for name, column in self.columns.items()}
        notes = self.notes.take(chosen)
        return Rows(columns, self.sizes[chosen], notes, self.unit[chosen], self.form[chosen], self.forms)


class Gatherer:
    """Batches of whole data units -> rows.

    Args:
        suit: the controls that rows go to.
        outside: what becomes of geometry beyond its image.
        holes: whether polygons of several rings are refused, or what they become.
    """

    def __init__(self, suit: Suit, outside: Outside, holes: str) -> None:
        self._suit = suit
        self._holes = holes
        self._outside: Outside = outside
        self._seen: set[str] = set()

    def rows(self, columns: dict[str, pa.Array], refusals: Refusals, flags: Counter[str]) -> Rows:
        """Give the rows of a batch.

        Args:
            columns: of `encord.write_chunks.chunks_of`, geometry as Label Studio has it.
            refusals: of as many rows; told of those that do not hold.
            flags: told of what is odd about the others.
        """
        units = columns["data_unit"]
        is_new = np.ones(len(units), np.bool_)
        is_new[1:] = pc.not_equal(units[1:], units[:-1]).to_numpy(zero_copy_only=False)
        unit = np.cumsum(is_new) - 1
        self._refuse_again(units.filter(pa.array(is_new)).to_pylist(), unit, refusals)
        notes = notes_of(columns["attributes"], refusals)
        sizes = np.stack([_side(columns[name]) for name in ("image_height", "image_width")], 1)
        frames = columns["frame"].to_numpy()
        refusals.add(frames < 0, Code.FRAME_RANGE, "frame", lambda row: f"must be at least 0, got {frames[row]}")
        is_kept = np.array([note.is_kept for note in notes.items], np.bool_)[notes.code]
        if self._holes == "refuse":
            hint = 'holes="brush" or "bitmask" (--holes) writes it as a mask'
            rule = f"a polygon must be one ring in Label Studio, got several; {hint}"
            refusals.add(has_rings(columns), Code.CANNOT_HOLD, "polygon", rule)
        check(columns, sizes, is_kept, self._outside, refusals, flags)
        kinds = columns["kind"]
        if self._holes != "refuse":
            _painted(columns, refusals, flags)
        form, forms = self._forms(columns, kinds, unit, notes, refusals, flags)
        return Rows(columns, sizes, notes, unit, form, forms)

    def _refuse_again(self, names: list[str], unit: Ints, refusals: Refusals) -> None:
        hint = 'sort the table by ("data_unit", "frame", "row")'
        for number, name in enumerate(names):
            if name in self._seen:
                message = f"rows of a data unit must stand together, got {name!r} again; {hint}"
                refusals.add(unit == number, Code.DUPLICATE_SOURCE, "data_unit", message)
            self._seen.add(name)

    def _forms(
        self,
        columns: dict[str, pa.Array],
        kinds: pa.StringArray,
        unit: Ints,
        notes: Notes,
        refusals: Refusals,
        flags: Counter[str],
    ) -> tuple[Ints, list[Form]]:
        """Give the form of each row; rows that the config has no place for are refused.

        Args:
            kinds: (n,) as they were given.
        """
        painted, classes = (columns[name].dictionary_encode() for name in ("kind", "class_name"))
        moving = np.zeros(unit[-1] + 1 if unit.size else 0, np.bool_)
        moving[unit[columns["frame"].to_numpy() > 0]] = True
        key = notes.code * len(classes.dictionary) + classes.indices.to_numpy()
        key = (key * len(painted.dictionary) + painted.indices.to_numpy()) * 2 + moving[unit]
        once = distinct(np.where(refusals.bad, -1, key))
        first = once.first[~refusals.bad[once.first]]
        self._learn(columns | {"kind": kinds}, first, moving[unit[first]], notes)
        counts = np.bincount(once.which, minlength=once.first.size).tolist()
        forms = [NO_FORM] * once.first.size
        for number, row in enumerate(once.first.tolist()):
            if refusals.bad[row]:
                continue
            kind, class_name = (columns[name][row].as_py() for name in ("kind", "class_name"))
            try:
                wanted = Wanted(kind, class_name, notes.of(row), bool(moving[unit[row]]))
                forms[number] = self._suit.form(wanted, counts[number], flags)
            except Flaw as flaw:
                refusals.add(once.which == number, flaw.code, flaw.pointer, flaw.message)
        return once.which, forms

    def _learn(self, columns: dict[str, pa.Array], first: Ints, moving: Bools, notes: Notes) -> None:
        """Let the config that is made have room for rows, given by the first of each sort."""
        is_told = np.array([note.follows for note in notes.items], np.bool_)[notes.code[first]]
        chosen = pa.array(first[~is_told])
        taken = {name: columns[name].take(chosen) for name in _LEARNT}
        taken["frame"] = pa.array(moving[~is_told].astype(np.int32))
        self._suit.learn(pa.RecordBatch.from_pydict(taken))


def _side(column: pa.Array) -> npt.NDArray[np.float64]:
    side: npt.NDArray[np.float64] = column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
    return side


def _painted(columns: dict[str, pa.Array], refusals: Refusals, flags: Counter[str]) -> None:
    """Make polygons of several rings masks."""
    is_painted = has_rings(columns) & ~refusals.bad
    if not is_painted.any():
        return
    chosen = pa.array(is_painted)
    table = pa.table(columns).filter(chosen)
    found = to_masks(table).column.combine_chunks()
    order = np.where(is_painted, len(is_painted) + np.cumsum(is_painted) - 1, np.arange(len(is_painted)))
    columns["mask"] = pa.concat_arrays([columns["mask"], found]).take(pa.array(order))
    columns["kind"] = pc.if_else(chosen, PAINTED, columns["kind"])
    flags[AS_MASK] += int(is_painted.sum())


def has_rings(columns: dict[str, pa.Array]) -> Bools:
    """Tell which polygons have several rings."""
    column = columns["polygon"]
    is_polygon: Bools = pc.equal(columns["kind"], "polygon").to_numpy(zero_copy_only=False)
    if not is_polygon.any() or column.null_count == len(column):
        return np.zeros(len(is_polygon), np.bool_)
    n_parts = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    n_rings = pc.list_value_length(column.flatten()).fill_null(0).to_numpy(zero_copy_only=False)
    owner = np.repeat(np.arange(len(column)), n_parts)
    several: Bools = np.bincount(owner, n_rings, len(column)) > 1
    return several & is_polygon
