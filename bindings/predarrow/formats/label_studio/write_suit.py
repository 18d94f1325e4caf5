"""The labelling config that rows are written for: one that is given, or one that grows with them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import msgspec
import pyarrow as pa
from msgspec import UNSET, structs

from predarrow.errors import InputError
from predarrow.formats.flaws import Flaw
from predarrow.formats.json_text import json_text
from predarrow.formats.label_studio.config import LabelingConfig, MediaObject
from predarrow.formats.label_studio.fitting import Fitting
from predarrow.formats.label_studio.label_config import config_text
from predarrow.formats.label_studio.write_attributes import Note, Result
from predarrow.formats.label_studio.write_controls import Answer, Choice, Controls, named, no_label
from predarrow.formats.label_studio.write_forms import Form, kept_form, made_form
from predarrow.report import Code

OTHER_CONTROL = "region put to another control, as the config lacks the one that it came from"
NO_CONTROL = "answer about a region written to its meta, as the config has no control per region that takes it"
NO_TEXT = "span of a text that no column has: the data unit is written in its place"

_FRAME_RATE = 24.0


class Wanted(NamedTuple):
    """Rows that become the same."""

    kind: str
    class_name: str
    note: Note
    is_moving: bool
    """Whether their data unit has several frames"""

    @property
    def labels(self) -> tuple[str, ...] | None:
        """Their labels: the class first, which may have another name by now; None for none.

        The class of an answer is its control.
        """
        kept = self.note.labels
        if self.kind == "classification":
            return kept
        if kept is None:
            return (self.class_name,) if self.class_name else None
        return (self.class_name, *kept[1:]) if self.class_name else kept


class Suit:
    """Gives the form of rows.

    Args:
        config: the labelling config; None for one that fits the rows.
        data_key: of the config that is made.
        masks, holes: the shapes that masks and polygons of several rings go to.
    """

    def __init__(self, config: LabelingConfig | None, data_key: str | None, masks: str, holes: str) -> None:
        self._masks, self._holes = masks, holes
        self._data_key = data_key
        self._fitting = Fitting(masks, holes) if config is None else None
        self._are_kept = True
        self._unfit: InputError | None = None
        self._controls = Controls(config or LabelingConfig("", {}, {}), masks, holes)

    @property
    def made(self) -> str | None:
        """The config that was made, as XML; None where one was given, there are no rows, or none fits them all."""
        return None if self._fitting is None or self._unfit is not None else self._controls.config.text or None

    @property
    def unfit(self) -> InputError | None:
        """Why no config fits rows that were read from Label Studio."""
        return self._unfit

    def learn(self, rows: pa.RecordBatch, *, are_kept: bool) -> None:
        """Make room for rows of whole data units in the config that is made.

        Args:
            rows: of the table.
            are_kept: whether all of them were read from Label Studio. These need no config to be written.

        Raises:
            InputError: no config can be made for them.
        """
        if self._fitting is None or not rows.num_rows:
            return
        self._are_kept = self._are_kept and are_kept
        try:
            if self._unfit is not None:
                raise self._unfit
            self._fitting.add(rows)
            text = config_text(self._fitting.finish(), self._data_key)
        except InputError as error:
            if not self._are_kept:
                raise
            self._unfit = error
            return
        if text != self._controls.config.text:
            self._controls = Controls(LabelingConfig.parse(text), self._masks, self._holes)

    def form(self, wanted: Wanted, n_rows: int, flags: Counter[str]) -> Form:
        """Give what rows become.

        Args:
            wanted: the rows.
            n_rows: how many they are.
            flags: told of what is odd.

        Raises:
            Flaw: the config has no place for them.
        """
        form = self._form(wanted, n_rows, flags)
        shown = self._controls.shown(form.to_name)
        key = self._data_key or (form.to_name if shown is None else shown.variable)
        if key is None:
            rule = f'the config\'s object {form.to_name!r} must show a member of the data, `value="$name"`'
            raise Flaw(Code.BAD_CONFIG, "data_unit", f"{rule}; data_key= names the member", told="none")
        is_listed = shown is not None and "valueList" in shown.attributes
        return replace(form, data_key=key, is_listed=is_listed)

    def frame_rate(self, name: str) -> float:
        """Give the frames a second of the video of a name, as far as the config tells; 24 as the editor assumes."""
        shown = self._controls.shown(name)
        given = {} if shown is None else {key.lower(): text for key, text in shown.attributes.items()}
        try:
            rate = float(given.get("framerate", _FRAME_RATE))
        except ValueError:  # a member of the data
            return _FRAME_RATE
        return rate if 0 < rate < float("inf") else _FRAME_RATE

    def _form(self, wanted: Wanted, n_rows: int, flags: Counter[str]) -> Form:
        note = wanted.note
        if note.kept is not None and note.is_kept:
            if self._fits(wanted):
                return kept_form(wanted.kind, wanted.labels, note, note.kept)
            flags[OTHER_CONTROL] += n_rows
        if wanted.kind == "classification":
            choice = self._controls.task(wanted.class_name, note)
        else:
            choice = self._controls.region(wanted.kind, wanted.labels, note, is_moving=wanted.is_moving)
        if choice.left:
            flags[NO_CONTROL] += n_rows
        moved = _moved(choice, note)
        if moved is not None and moved.kept is not None:
            labels = None if wanted.labels is None else _labels(choice)
            return kept_form(wanted.kind, labels, moved, moved.kept)
        shown = self._controls.shown(choice.answers[0].to_name)
        is_text = shown is not None and shown.type == "text" and not _is_url(shown)
        if choice.shape == "span" and is_text and not note.is_kept:
            flags[NO_TEXT] += n_rows
        return made_form(choice, note, shown)

    def _fits(self, wanted: Wanted) -> bool:
        """Tell whether the controls that rows came from are the config's.

        Raises:
            Flaw: they are, but lack a label.
        """
        if self._fitting is not None:
            return True
        config = self._controls.config
        for result in wanted.note.results:
            control = config.controls.get(result.entry.from_name)
            if control is None or control.type != result.entry.type.lower():
                return False
            has_labels = wanted.kind != "classification" and control.type.endswith("labels")
            if has_labels and wanted.labels is not None and named(control, wanted.labels) is None:
                raise no_label([control], config, wanted.labels)
        return True


def _is_url(shown: MediaObject) -> bool:
    """Tell whether what an object shows is fetched from the address in the task."""
    return shown.attributes.get("valueType") == "url"


def _moved(choice: Choice, note: Note) -> Note | None:
    """Give attributes whose results are of the controls of a choice, with all that is kept of them.

    None where the controls are of other types, or something is kept that only the old ones have.
    """
    answers = {each.control.type: each for each in choice.answers}
    types = [each.entry.type for each in note.results]
    if len(answers) != len(choice.answers) or sorted(types) != sorted(answers):
        return None
    if any(each.entry.value is not UNSET or each.more.keys() & _ODD for each in note.results):
        return None
    results = tuple(_renamed(each, answers[each.entry.type]) for each in note.results)
    values = {each.key: each.value for each in choice.answers if each.key is not None}
    own = {key: values.get(key, text) for key, text in note.answers.items()}
    return replace(note, results=results, answers=own)


_ODD = frozenset({"id", "score"})  # kept where they are no text and no number, which the editor breaks on


def _renamed(result: Result, answer: Answer) -> Result:
    to_name = msgspec.Raw(json_text(answer.to_name).encode())
    return replace(result, entry=structs.replace(result.entry, from_name=answer.control.name, to_name=to_name))


def _labels(choice: Choice) -> tuple[str, ...] | None:
    """Give labels as the controls of a choice call them."""
    for each in choice.answers:
        if each.key is not None and each.key.endswith("labels"):
            return tuple(_decode_texts(each.value))
    return None


_decode_texts = msgspec.json.Decoder(list[str]).decode
