"""Results of rows and entries of sequences -> their JSON."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.label_studio.write_forms import FormResult
from predarrow.formats.label_studio.write_geometry import TEXTS, Part
from predarrow.formats.label_studio.write_kept import kept_texts
from predarrow.formats.label_studio.write_rows import Rows
from predarrow.formats.write_distinct import distinct
from predarrow.formats.write_text import joined, quoted, text_of

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Items:
    """What stands in lists, in order: results, and entries of sequences."""

    rows: Rows
    owner: Ints
    """(m,) each item's row"""
    code: Ints
    """(m,) its place in `results`; -1 for an entry"""
    results: list[FormResult]
    entries: dict[int, str]
    """By item, members of entries that are not geometry, each behind a comma"""

    def texts(self, begin: int, end: int, glue: pa.StringArray) -> pa.StringArray:
        """Give items, each behind what stands in front of it.

        Args:
            begin, end: of them.
            glue: (end - begin,) that is it.
        """
        owner, code = self.owner[begin:end], self.code[begin:end]
        once: Ints = owner
        which: Ints = np.arange(owner.size)
        if owner.size > 1 and not (np.diff(owner) > 0).all():
            once, which = np.unique(owner, return_inverse=True)
        rows = self.rows.take(once)
        geometry = geometry_texts(rows)
        if not (which == np.arange(owner.size)).all():
            geometry = geometry.take(pa.array(which))
        is_entry = code < 0
        if is_entry.any():
            return self._with_entries(begin, rows, which, code, geometry, glue)
        return _result_texts(rows, which, code, self.results, geometry, glue)

    def _with_entries(
        self, begin: int, rows: Rows, which: Ints, code: Ints, geometry: pa.StringArray, glue: pa.StringArray
    ) -> pa.StringArray:
        places = np.flatnonzero(code < 0)
        more = pa.array([self.entries[begin + place] for place in places.tolist()], pa.string())
        entries = joined(glue.take(pa.array(places)), "{", geometry.take(pa.array(places)), more, "}")
        others = np.flatnonzero(code >= 0)
        chosen = pa.array(others)
        results = _result_texts(
            rows, which[others], code[others], self.results, geometry.take(chosen), glue.take(chosen)
        )
        back = np.empty(code.size, np.int64)
        back[np.concatenate([places, others])] = np.arange(code.size)
        return pa.concat_arrays([entries, results]).take(pa.array(back))


def _result_texts(
    rows: Rows,
    which: Ints,
    code: Ints,
    results: list[FormResult],
    geometry: pa.StringArray,
    glue: pa.StringArray,
) -> pa.StringArray:
    used, code = np.unique(code, return_inverse=True)
    chosen = [results[place] for place in used.tolist()]
    picked = _Picker(chosen, which, code, len(rows))
    score = score_texts(rows)
    value_scores = picked.texts(score, "scores_value")
    end = "}" if value_scores is None else ""
    tails = [("," if each.has_geometry and each.tail else "") + each.tail + end for each in chosen]
    pieces = [glue, "{", picked.texts(id_texts(rows), "has_id"), _heads(rows, which, code, chosen)]
    pieces += [picked.of_items(geometry, "has_geometry"), pa.array(tails, pa.string()).take(pa.array(code))]
    pieces += [] if value_scores is None else [value_scores, "}"]
    pieces.append(picked.texts(score, "has_score"))
    if rows.notes.others is not None:
        meta = joined(',"meta":', rows.notes.others)  # null where there is none
        pieces.append(picked.texts(meta.fill_null(""), "has_meta"))
    return joined(*[piece for piece in pieces if piece is not None], "}")


def _heads(rows: Rows, which: Ints, code: Ints, results: list[FormResult]) -> pa.StringArray:
    """Give members of results up to their value: few sorts of results in images of few sizes."""
    sizes = rows.sizes.astype(np.int64)
    size = distinct(sizes[:, 0] << 32 | sizes[:, 1])
    once = distinct(code * size.first.size + size.which[which])
    texts = []
    for item in once.first.tolist():
        result = results[code[item]]
        height, width = sizes[which[item]].tolist()
        sides = (f',"original_width":{width}' if result.has_width and width else "") + (
            f',"original_height":{height}' if result.has_height and height else ""
        )
        texts.append(f'{result.head}{sides},"value":{{')
    return pa.array(texts, pa.string()).take(pa.array(once.which))


class _Picker:
    """Texts of rows -> texts of items, empty where their result has none."""

    def __init__(self, results: list[FormResult], which: Ints, code: Ints, n_rows: int) -> None:
        self._results = results
        self._which = None if which.size == n_rows and (which == np.arange(n_rows)).all() else which
        self._code = code

    def texts(self, texts: pa.StringArray | None, flag: str) -> pa.StringArray | None:
        """Give texts of rows in items whose result has a flag; None where none has."""
        if texts is None or not any(getattr(each, flag) for each in self._results):
            return None
        texts = texts if self._which is None else texts.take(pa.array(self._which))
        return self.of_items(texts, flag)

    def of_items(self, texts: pa.StringArray, flag: str) -> pa.StringArray | None:
        """Give texts of items whose result has a flag; None where none has."""
        flags = np.array([getattr(each, flag) for each in self._results], np.bool_)
        if flags.all():
            return texts
        return pc.if_else(pa.array(flags[self._code]), texts, "") if flags.any() else None


def id_texts(rows: Rows) -> pa.StringArray | None:
    """Give ids of regions as members with a comma behind, empty where there is none; None for none at all."""
    column = rows.columns["object_id"]
    if column.null_count == len(column):
        return None
    texts = joined('"id":', quoted(column.fill_null("")), ",")
    return pc.if_else(column.is_valid(), texts, "") if column.null_count else texts


def score_texts(rows: Rows) -> pa.StringArray | None:
    """Give confidences as members behind a comma, empty where there is none; None for none at all."""
    column = rows.columns["confidence"]
    if column.null_count == len(column):
        return None
    return joined(',"score":', text_of(column)).fill_null("")


def geometry_texts(rows: Rows) -> pa.StringArray:
    """Give members of each row's geometry, empty where it has none."""
    shapes = np.array([form.shape for form in rows.forms])[rows.form]
    found, places = [], []
    for shape in sorted(set(shapes.tolist())):
        chosen = np.flatnonzero(shapes == shape)
        found.append(_of_shape(rows if chosen.size == len(rows) else rows.take(chosen), shape))
        places.append(chosen)
    if len(found) == 1:
        return found[0]
    back = np.empty(len(rows), np.int64)
    back[np.concatenate(places)] = np.arange(len(rows))
    return pa.concat_arrays(found).take(pa.array(back))


def _of_shape(rows: Rows, shape: str) -> pa.StringArray:
    if not shape:
        return pa.repeat(pa.scalar("", pa.string()), len(rows))
    has_default = np.array([form.has_default for form in rows.forms], np.bool_)[rows.form]
    part = Part(rows.columns, rows.sizes, has_default)
    texts = TEXTS[shape](part)
    if all(form.overrides is None for form in rows.forms):
        return texts
    return kept_texts(texts, shape, [rows.forms[form].overrides for form in rows.form.tolist()], part)
