"""Rows of a prediction table -> what a labelling config for them must have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.given_table import given_columns
from predarrow.formats.label_studio.fitting_rows import (
    Bools,
    Entry,
    Kept,
    Row,
    guess,
    medium_of_span,
    rows_of,
    span_type,
)
from predarrow.formats.label_studio.fitting_wants import (
    IMAGE,
    TEXT,
    VIDEO,
    Wants,
    object_of,
    variable_of,
)
from predarrow.formats.label_studio.forms import OF_KIND
from predarrow.formats.label_studio.tags import TAGS

_NAMES = ("data_unit", "frame", "class_name", "kind", "polygon", "attributes")
_NEEDED = ("data_unit", "frame", "class_name", "kind")


class Fitting:
    """Collects what a labelling config must have for all rows of a table, batch by batch.

    Args:
        masks: "brush" or "bitmask": what masks become.
        holes: likewise for polygons of several rings; "refuse" where they are not written.
    """

    def __init__(self, masks: str = "brush", holes: str = "refuse") -> None:
        self.wants = Wants()
        self._masks = masks
        self._holes = holes
        self._held: list[dict[str, pa.Array]] = []
        self._held_unit: str | None = None
        self._is_moving = False
        self._data: dict[str, Any] | None = None
        self._data_unit: str | None = None
        self._placeless: dict[str, None] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows in; those of a data unit stand one after the other.

        Raises:
            InputError: a batch without the prediction table's columns, or rows that no config can be made for.
        """
        if not batch.num_rows:
            return
        columns = given_columns(batch, _NAMES, _NEEDED)
        units = columns["data_unit"]
        if units[0].as_py() != self._held_unit:
            self._let_go()
        changes = 1 + np.flatnonzero(pc.not_equal(units[1:], units[:-1]).to_numpy(zero_copy_only=False))
        starts, ends = [0, *changes.tolist()], [*changes.tolist(), batch.num_rows]
        is_later = pc.greater(columns["frame"], 0).to_numpy(zero_copy_only=False)
        is_moving = np.repeat(np.logical_or.reduceat(is_later, starts), np.subtract(ends, starts))
        last = starts[-1]
        if self._held_unit is not None and len(starts) > 1:  # its last rows are here
            is_moving[: ends[0]] |= self._is_moving
            self._is_moving = bool(is_moving[0])
            self._let_go()
        if last:
            self._take({name: column[:last] for name, column in columns.items()}, is_moving[:last])
        self._held_unit = units[last].as_py()
        self._is_moving |= bool(is_moving[-1])
        self._held.append({name: column[last:] for name, column in columns.items()})

    def finish(self) -> Wants:
        """Give what is needed for all rows."""
        self._let_go()
        if self._placeless:
            self.wants.want("labels", self.wants.any_object() or TEXT).labels.update(self._placeless)
        return self.wants

    def _let_go(self) -> None:
        """Take in the rows that waited for the end of their data unit."""
        for columns in self._held:
            self._take(columns, np.full(len(columns["kind"]), self._is_moving))
        self._held, self._held_unit, self._is_moving = [], None, False

    def _take(self, columns: Mapping[str, pa.Array], is_moving: Bools) -> None:
        for row in rows_of(columns, is_moving):
            kept = row.attributes.label_studio
            if row.data_unit != self._data_unit:
                self._data, self._data_unit = None, row.data_unit
            if kept is not None and kept.task is not None:
                data = kept.task.get("data")
                self._data = data if isinstance(data, dict) else None
            if kept is not None and kept.results:
                self._add_kept(row, kept)
            elif row.kind == "classification":
                self._add_answers(row)
            else:
                self._add_region(row)

    def _add_kept(self, row: Row, kept: Kept) -> None:
        """Want the very controls that results were of."""
        is_region = row.kind != "classification"
        for entry in kept.results:
            tag = TAGS.get(entry.type)
            if tag is None:
                continue
            is_answer = tag.is_answer
            want = self.wants.name(entry.from_name, entry.type, entry.to_name, is_per_region=is_region and is_answer)
            if is_answer:
                want.add_answer(entry.value.get(tag.label_key or "", row.attributes.answers().get(entry.type)))
            elif tag.label_key is not None and entry.type != "videorectangle":
                want.labels.update(dict.fromkeys(row.labels))
            elif entry.type == "videorectangle" and row.labels:
                beside = self.wants.want("labels", VIDEO, to_name=want.to_name)
                beside.labels.update(dict.fromkeys(row.labels))
            self._place(row, entry)

    def _place(self, row: Row, entry: Entry) -> None:
        names = entry.to_name.split(",")
        default = medium_of_span(row) if row.kind == "span" and entry.type == "labels" else None
        tag = object_of(entry.type, default, is_named=True)
        if tag is not None:
            self.wants.place(names, tag)
        for name in names:
            variable = None if self._data is None else variable_of(self._data, row.data_unit, name)
            if variable is not None:
                self.wants.variables.setdefault(name, variable)
            if row.kind == "classification" and name not in self.wants.objects:
                self.wants.guesses.setdefault(name, guess(row.data_unit, is_task=self._data is not None))

    def _add_answers(self, row: Row) -> None:
        """Want controls for answers about a whole task."""
        medium = self.wants.any_object() or (VIDEO if row.is_moving else guess(row.data_unit, is_task=False))
        answers = row.attributes.answers()
        if not answers:  # the class is the answer
            self.wants.want("choices", medium).add_answer([row.class_name])
        for type_, value in answers.items():
            self.wants.want(type_, object_of(type_, medium) or medium, name=row.class_name).add_answer(value)

    def _add_region(self, row: Row) -> None:
        """Want controls for regions and what is said about them; kinds that Label Studio has not are left out."""
        labels = row.labels
        shape = self._shape(row)
        if shape is None:
            return
        medium = IMAGE
        if shape == "videorectangle":
            self.wants.want(shape, VIDEO)
            medium, type_ = VIDEO, "labels"
        elif row.kind == "span":
            type_ = shape
            if not row.attributes.ranges:  # refused where it is written, but not for want of a control
                self._placeless.update(dict.fromkeys(labels))
                return
            medium = object_of(shape, medium_of_span(row)) or TEXT
        else:
            type_ = f"{shape}labels" if labels else shape
        if labels or row.kind == "span":
            self.wants.want(type_, medium).labels.update(dict.fromkeys(labels))
        elif shape != "videorectangle":
            self.wants.want(type_, medium)
        for answer, value in row.attributes.answers().items():
            self.wants.want(answer, medium, is_per_region=True).add_answer(value)

    def _shape(self, row: Row) -> str | None:
        """Give the bare geometry's type; None of what Label Studio has no control for."""
        if row.kind == "span":
            return span_type(row)
        shape = self._masks if row.kind == "bitmask" else OF_KIND.get(row.kind)
        if row.kind == "polygon" and row.has_holes and self._holes != "refuse":
            shape = self._holes
        if shape == "rectangle" and (row.is_moving or self.wants.shows(VIDEO)):  # some have a first frame alone
            return "videorectangle"
        return None if row.is_moving else shape
