"""Rows of a prediction table -> what a labelling config for them must have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from predarrow.formats.given_table import given_columns
from predarrow.formats.label_studio.fitting_wants import (
    AUDIO,
    IMAGE,
    TEXT,
    VIDEO,
    Want,
    Wants,
    object_of,
    variable_of,
)
from predarrow.formats.label_studio.tags import TAGS

Bools = npt.NDArray[np.bool_]

_NAMES = ("data_unit", "frame", "class_name", "kind", "polygon", "attributes")
_TOLD = ("data_unit", "class_name", "kind")
_NEEDED = (*_TOLD, "frame")
_ANSWERS = {tag.label_key: type_ for type_, tag in TAGS.items() if tag.is_answer and tag.label_key is not None}
_KNOWN = f'"(?:label_studio|labels|ranges|{"|".join(_ANSWERS)})"'
_TYPES = {
    "bbox": "rectangle",
    "rotated_bbox": "rectangle",
    "polygon": "polygon",
    "polyline": "vector",
    "ellipse": "ellipse",
    "circle": "ellipse",
    "keypoints": "keypoint",
}
_SUFFIXES = {
    IMAGE: ("avif", "bmp", "gif", "jpeg", "jpg", "png", "svg", "tif", "tiff", "webp"),
    AUDIO: ("aac", "flac", "m4a", "mp3", "ogg", "wav"),
    VIDEO: ("avi", "m4v", "mkv", "mov", "mp4", "webm"),
}
_MEDIA = {suffix: tag for tag, suffixes in _SUFFIXES.items() for suffix in suffixes}


class _Entry(Struct, gc=False):
    """A result of a row that was read from Label Studio."""

    from_name: str
    to_name: str
    type: str
    value: dict[str, Any] = {}


class _Kept(Struct, gc=False):
    """What only Label Studio has, as far as configs are made of it."""

    task: dict[str, Any] | None = None
    results: tuple[_Entry, ...] = ()
    sequence: dict[str, Any] | None = None


class _Attributes(Struct, gc=False):
    """The attributes that say what a config must have."""

    labels: tuple[str, ...] | None = None
    choices: Any = None
    taxonomy: Any = None
    text: Any = None
    rating: Any = None
    number: Any = None
    datetime: Any = None
    selected: Any = None
    ranker: Any = None
    chatmessage: Any = None
    ranges: Any = None
    label_studio: _Kept | None = None

    def answers(self) -> dict[str, Any]:
        """Give the answers by the type of their control."""
        found = {type_: getattr(self, key, None) for key, type_ in _ANSWERS.items()}
        return {type_: value for type_, value in found.items() if value is not None}


_NOTHING = _Attributes()
_decode = msgspec.json.Decoder(_Attributes).decode


class _Row(Struct, gc=False):
    """Rows of one kind, class and place, and with the same attributes."""

    data_unit: str
    kind: str
    class_name: str
    is_moving: bool
    """Whether their data unit has a frame after its first"""
    has_holes: bool
    attributes: _Attributes


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
        for row in _rows(columns, is_moving):
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

    def _add_kept(self, row: _Row, kept: _Kept) -> None:
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
                want.labels.update(dict.fromkeys(_labels(row)))
            elif entry.type == "videorectangle" and _labels(row):
                self._of_video(want.to_name).labels.update(dict.fromkeys(_labels(row)))
            self._place(row, entry)

    def _of_video(self, to_name: tuple[str, ...]) -> Want:
        """Give the control that has the labels of boxes that move."""
        return self.wants.want("labels", VIDEO, to_name=to_name)

    def _place(self, row: _Row, entry: _Entry) -> None:
        names = entry.to_name.split(",")
        default = _medium_of_span(row) if row.kind == "span" and entry.type == "labels" else None
        tag = object_of(entry.type, default, is_named=True)
        if tag is not None:
            self.wants.place(names, tag)
        for name in names:
            variable = None if self._data is None else variable_of(self._data, row.data_unit, name)
            if variable is not None:
                self.wants.variables.setdefault(name, variable)
            if row.kind == "classification" and name not in self.wants.objects:
                self.wants.guesses.setdefault(name, guess(row.data_unit, is_task=self._data is not None))

    def _add_answers(self, row: _Row) -> None:
        """Want controls for answers about a whole task."""
        medium = self.wants.any_object() or (VIDEO if row.is_moving else guess(row.data_unit, is_task=False))
        answers = row.attributes.answers()
        if not answers:  # the class is the answer
            self.wants.want("choices", medium).add_answer([row.class_name])
        for type_, value in answers.items():
            self.wants.want(type_, object_of(type_, medium) or medium, name=row.class_name).add_answer(value)

    def _add_region(self, row: _Row) -> None:
        """Want controls for regions and what is said about them; kinds that Label Studio has not are left out."""
        labels = _labels(row)
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
            medium = object_of(shape, _medium_of_span(row)) or TEXT
        else:
            type_ = f"{shape}labels" if labels else shape
        if labels or row.kind == "span":
            self.wants.want(type_, medium).labels.update(dict.fromkeys(labels))
        elif shape != "videorectangle":
            self.wants.want(type_, medium)
        for answer, value in row.attributes.answers().items():
            self.wants.want(answer, medium, is_per_region=True).add_answer(value)

    def _shape(self, row: _Row) -> str | None:
        """Give the bare geometry's type; None of what Label Studio has no control for."""
        if row.kind == "span":
            return _span_type(row)
        shape = self._masks if row.kind == "bitmask" else _TYPES.get(row.kind)
        if row.kind == "polygon" and row.has_holes and self._holes != "refuse":
            shape = self._holes
        if shape == "rectangle" and (row.is_moving or self.wants.shows(VIDEO)):  # some have a first frame alone
            return "videorectangle"
        return None if row.is_moving else shape


def _labels(row: _Row) -> tuple[str, ...]:
    if row.attributes.labels is not None:
        return row.attributes.labels
    return (row.class_name,) if row.class_name else ()


def _rows(columns: Mapping[str, pa.Array], is_moving: Bools) -> Iterator[_Row]:
    """Give one row for each kind, class, place and attributes; attributes that say nothing here are as none."""
    texts = columns["attributes"]
    is_known = pc.match_substring_regex(texts, _KNOWN).fill_null(False)
    known = pc.if_else(is_known, texts, pa.scalar(None, pa.string())).dictionary_encode()
    code = known.indices.fill_null(-1).to_numpy().astype(np.int64) + 1
    for name in ("kind", "class_name"):
        encoded = columns[name].dictionary_encode()
        code = code * len(encoded.dictionary) + encoded.indices.to_numpy()
    has_holes = _has_holes(columns)
    code = code * len(_SUFFIXES) + _media_of(columns)
    _, first = np.unique((code * 2 + is_moving) * 2 + has_holes, return_index=True)
    chosen = np.sort(first)
    units, classes, kinds = (columns[name].take(pa.array(chosen)).to_pylist() for name in _TOLD)
    notes = [_NOTHING if text is None else _decoded(text) for text in known.take(pa.array(chosen)).to_pylist()]
    flags = (each[chosen].tolist() for each in (is_moving, has_holes))
    for unit, class_name, kind, note, moves, holes in zip(units, classes, kinds, notes, *flags, strict=True):
        yield _Row(unit, kind, class_name, moves, holes, note)


def _media_of(columns: Mapping[str, pa.Array]) -> npt.NDArray[np.int64]:
    """Give numbers of what data units are by their address, of answers; 0 for regions."""
    is_answer = pc.equal(columns["kind"], "classification")
    units = pc.if_else(is_answer, columns["data_unit"], pa.scalar(None, pa.string())).dictionary_encode()
    order = {tag: place for place, tag in enumerate(_SUFFIXES)}
    found = [order.get(guess(unit, is_task=False), 0) for unit in units.dictionary.to_pylist()]
    places = np.array([*found, 0], np.int64)
    result: npt.NDArray[np.int64] = places[units.indices.fill_null(len(found)).to_numpy()]
    return result


def _decoded(text: str) -> _Attributes:
    try:
        return _decode(text)
    except (msgspec.DecodeError, RecursionError):  # attributes of another format, or told where rows are written
        return _NOTHING


def _has_holes(columns: Mapping[str, pa.Array]) -> Bools:
    """Tell which polygons have more than one ring."""
    column = columns["polygon"]
    if column.null_count == len(column):
        return np.zeros(len(column), np.bool_)
    n_rings = pc.list_value_length(pc.list_flatten(column))
    owner = pc.list_parent_indices(column).to_numpy()
    result: Bools = np.bincount(owner, n_rings.fill_null(0).to_numpy(), len(column)) > 1
    return result


def _span_type(row: _Row) -> str:
    """Give the type of a span's results: by its ranges, numbers or places in HTML or a dialogue."""
    ranges = row.attributes.ranges
    first = ranges[0] if isinstance(ranges, list) and ranges else None
    if isinstance(first, dict) and isinstance(first.get("start"), str):
        return "paragraphlabels" if first["start"].isdecimal() else "hypertextlabels"
    return "timelinelabels" if row.is_moving or (isinstance(ranges, list) and len(ranges) > 1) else "labels"


def _medium_of_span(row: _Row) -> str:
    """Give what a span of numbers is on: characters are whole numbers, seconds need not be."""
    ranges = row.attributes.ranges
    ends = [end for item in ranges if isinstance(item, list) for end in item] if isinstance(ranges, list) else []
    is_sound = guess(row.data_unit, is_task=False) == AUDIO or any(isinstance(end, float) for end in ends)
    return AUDIO if is_sound else TEXT


def guess(data_unit: str, *, is_task: bool) -> str:
    """Give what a data unit may be, by the end of its address; without one a text where it is a whole task's."""
    address = data_unit.partition("?")[0]
    suffix = address.rpartition(".")[2].lower()
    return _MEDIA.get(suffix, TEXT if is_task and "/" not in address else IMAGE)
