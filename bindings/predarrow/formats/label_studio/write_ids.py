"""Ids of regions: given where one is needed, and each once in a prediction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.label_studio.write_attributes import Notes
from predarrow.formats.label_studio.write_forms import Form
from predarrow.formats.write_distinct import distinct
from predarrow.formats.write_text import joined, text_of
from predarrow.refusals import Refusals
from predarrow.report import Code

Ints = npt.NDArray[np.int64]


def fill_ids(column: pa.StringArray, form: Ints, forms: list[Form], numbers: Ints) -> pa.StringArray:
    """Give ids to rows without one that become several results, which are a region by their id alone.

    Args:
        column: (n,) object ids.
        form: (n,) each row's place in `forms`.
        forms: what rows become.
        numbers: (n,) each row's number in the table.
    """
    if not column.null_count or all(len(each.results) < 2 for each in forms):
        return column
    needs = np.array([each.is_made and len(each.results) > 1 for each in forms], np.bool_)[form]
    return pc.if_else(pc.and_(column.is_null(), pa.array(needs)), joined("row-", text_of(numbers)), column)


def check_ids(columns: dict[str, pa.Array], unit: Ints, notes: Notes, refusals: Refusals) -> None:
    """Refuse regions with the id of another one of their prediction, of which the editor keeps one.

    Rows that were read from Label Studio are left as they were.

    Args:
        columns: of rows.
        unit: (n,) number of each row's data unit.
        notes: attributes.
        refusals: of as many rows.
    """
    ids = columns["object_id"]
    if ids.null_count == len(ids):
        return
    is_kept = np.array([note.is_kept for note in notes.items], np.bool_)[notes.code]
    chosen = np.flatnonzero(ids.is_valid().to_numpy(zero_copy_only=False) & ~refusals.bad & ~is_kept)
    if not chosen.size:
        return
    versions: dict[str | None, int] = {}
    version = np.array([versions.setdefault(note.model_version, len(versions)) for note in notes.items], np.int64)
    encoded = ids.dictionary_encode()
    key = encoded.indices.fill_null(0).to_numpy().astype(np.int64)
    for more in (unit, version[notes.code], columns["frame"].to_numpy().astype(np.int64)):
        key = distinct(key * (int(more.max()) + 1) + more).which
    once = distinct(key[chosen])
    is_again = np.ones(chosen.size, np.bool_)
    is_again[once.first] = False
    wrong = np.zeros(len(ids), np.bool_)
    wrong[chosen[is_again]] = True
    rule = "must be that of one region in a task's prediction (and frame), as the editor keeps one of them"
    refusals.add(wrong, Code.BAD_VALUE, "object_id", lambda row: f"{rule}, got {ids[row].as_py()!r} again")
