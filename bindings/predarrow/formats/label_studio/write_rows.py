"""Batches of whole data units -> rows that hold, each with the form of its results and its place."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.label_studio.write_attributes import Notes, notes_of
from predarrow.formats.label_studio.write_checks import Outside, check
from predarrow.formats.label_studio.write_forms import Form
from predarrow.formats.label_studio.write_ids import check_ids, fill_ids
from predarrow.formats.label_studio.write_rings import has_rings, paint
from predarrow.formats.label_studio.write_sorts import Sorts
from predarrow.formats.label_studio.write_suit import Suit
from predarrow.refusals import Refusals
from predarrow.report import Code

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


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
        """Give chosen rows; without a copy where they stand together."""
        n = chosen.size
        if n and (chosen == np.arange(chosen[0], chosen[0] + n)).all():
            begin = int(chosen[0])
            if n == len(self):
                return self
            columns = {name: column.slice(begin, n) for name, column in self.columns.items()}
        else:
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
        self._sorts = Sorts(suit)
        self._holes = holes
        self._outside: Outside = outside
        self._seen: set[str] = set()

    def rows(self, columns: dict[str, pa.Array], refusals: Refusals, flags: Counter[str]) -> Rows:
        """Give the rows of a batch.

        Args:
            columns: of `write_chunks.chunks_of`, geometry as Label Studio has it.
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
            paint(columns, refusals, flags)
        form, forms = self._sorts.forms(columns, kinds, unit, notes, refusals, flags)
        columns["object_id"] = fill_ids(columns["object_id"], form, forms, refusals.rows)
        check_ids(columns, unit, notes, refusals)
        return Rows(columns, sizes, notes, unit, form, forms)

    def _refuse_again(self, names: list[str], unit: Ints, refusals: Refusals) -> None:
        own = set(names)
        if len(own) == len(names) and not own & self._seen:
            self._seen |= own
            return
        hint = 'sort the table by ("data_unit", "frame", "row")'
        for number, name in enumerate(names):
            if name in self._seen:
                message = f"rows of a data unit must stand together, got {name!r} again; {hint}"
                refusals.add(unit == number, Code.DUPLICATE_SOURCE, "data_unit", message)
            self._seen.add(name)


def _side(column: pa.Array) -> npt.NDArray[np.float64]:
    side: npt.NDArray[np.float64] = column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
    return side
