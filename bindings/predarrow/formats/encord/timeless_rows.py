"""Classifications and spans of label rows as rows of the prediction table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from predarrow.buffers import numbers_array, text_array
from predarrow.classes import Texts
from predarrow.formats.encord.columns import Floats, Ints
from predarrow.formats.encord.labels import Place
from predarrow.formats.encord.object_rows import ODD_CONFIDENCE, size_columns
from predarrow.formats.encord.rows import LabelRow
from predarrow.formats.encord.rules import Rules
from predarrow.formats.encord.timeless import FrameEntry, Timeless, Timelesses
from predarrow.formats.flaws import Flaw
from predarrow.report import Code, Problem, Report
from predarrow.table import record_batch


class Label(NamedTuple):
    """A label of a label row that stands on no single frame, not read yet."""

    pointer: str
    read: Callable[[Timelesses], list[Timeless]]


class Row(NamedTuple):
    """A label of a chunk that stands on no single frame."""

    place: int
    """Its label row's."""
    number: int
    """Among all labels of the chunk."""
    item: Timeless


def labels_of(row: LabelRow) -> list[Label]:
    """Give the labels of a label row that stand on no single frame, in the order in which they are written."""
    result: list[Label] = []
    is_known = not (row.classification_answers or row.is_span)
    if is_known and not any(group.classifications for group in row.groups):
        return result
    if row.is_span:
        for key, entry in row.object_answers.items():
            result.append(Label(f".object_answers.{key}", partial(_span, key, entry)))
    on_frames: dict[str, list[FrameEntry]] = {}
    for group in row.groups:
        for place, entry in enumerate(group.classifications):
            frame = "" if group.key is None else f".{group.key}"
            pointer = f".data_units.{row.units[group.unit].key}.labels{frame}.classifications[{place}]"
            named = entry.get("classificationHash") if isinstance(entry, dict) else None
            if group.flaw is not None:
                result.append(Label(pointer, partial(_flawed, group.flaw)))
            elif not isinstance(entry, dict) or not isinstance(named, str) or not named:
                flaw = Flaw(Code.BAD_VALUE, "", "must be an object with a classificationHash", entry)
                result.append(Label(pointer, partial(_flawed, flaw)))
            else:
                on_frames.setdefault(named, []).append(FrameEntry(group.frame, entry, pointer))
    for key in dict.fromkeys([*row.classification_answers, *on_frames]):
        given = row.classification_answers.get(key)
        frames = on_frames.get(key, [])
        pointer = frames[0].pointer if given is None else f".classification_answers.{key}"
        result.append(Label(pointer, partial(_classification, key, given or {}, frames)))
    return result


def _span(key: str, entry: dict[str, Any], reader: Timelesses) -> list[Timeless]:
    return reader.span(key, entry)


def _classification(key: str, entry: dict[str, Any], on_frames: list[FrameEntry], reader: Timelesses) -> list[Timeless]:
    return reader.classification(key, entry, on_frames)


def _flawed(flaw: Flaw, reader: Timelesses) -> list[Timeless]:
    raise flaw


def timeless_rows(places: Sequence[Place], rules: Rules, report: Report) -> list[Row]:
    """Give the labels of label rows that stand on no single frame; those that do not hold are told."""
    result: list[Row] = []
    reader = Timelesses(rules, report.flagged, report.skipped)
    for number, place in enumerate(places):
        row = place.row
        if not place.timeless:
            continue
        reader.begin(place.n_frames, sum(len(group.places) for group in row.groups))
        first = place.first + sum(group.n for group in row.groups)
        for label, (pointer, read) in enumerate(place.timeless, first):
            try:
                result += [Row(number, label, item) for item in read(reader)]
            except Flaw as flaw:
                where = row.pointer + pointer + flaw.pointer
                report.problems.append(Problem(row.source, label, where, flaw.code, flaw.message))
            except (ValueError, TypeError) as error:  # of values that are only carried along
                rule = f"must be JSON of finite numbers and whole characters: {error}"
                report.problems.append(Problem(row.source, label, row.pointer + pointer, Code.BAD_VALUE, rule))
    is_odd = [not 0 <= each.item.confidence <= 1 for each in result]
    if any(is_odd):
        report.flagged[ODD_CONFIDENCE] += sum(is_odd)
    return result


def timeless_batch(rows: Sequence[Row], places: Sequence[Place]) -> tuple[pa.RecordBatch, Ints]:
    """Give one row for each frame of each label, and the label row of each."""
    lengths = np.array([row.item.frames.size for row in rows], np.int64)
    which = np.repeat(np.arange(lengths.size), lengths)
    owner = np.array([row.place for row in rows], np.int64)[which]
    frames = np.concatenate([row.item.frames for row in rows])
    items = [row.item for row in rows]
    columns: dict[str, Any] = {
        "frame": frames,
        "attributes": _attributes(items, which, (np.cumsum(lengths) - lengths).tolist()),
        "row": np.array([row.number for row in rows], np.int64)[which],
        "confidence": np.array([item.confidence for item in items])[which],
        "data_unit": Texts([place.data_unit for place in places]).take(owner),
        "source": Texts([place.row.source for place in places]).take(owner),
        **size_columns(_sizes(places, owner, frames)),
    }
    for name in ("kind", "object_id", "feature_hash", "class_name"):
        columns[name] = Texts([getattr(item, name) for item in items]).take(which)
    return record_batch(which.size, columns), owner


def _attributes(items: Sequence[Timeless], which: Ints, firsts: Sequence[int]) -> pa.Array:
    texts: list[str | None] = [f"{{{item.text}}}" if item.text else None for item in items]
    shown = which.copy()
    for item, first in zip(items, firsts, strict=True):
        if item.once:
            shown[first] = len(texts)
            texts.append("{" + ",".join(filter(None, [item.text, f'"encord":{{{item.once}}}'])) + "}")
    return text_array(texts).take(numbers_array(shown))


def _sizes(places: Sequence[Place], owner: Ints, frames: Ints) -> Floats:
    """Give (n, 2) height and width of the images on which labels are, 0 where unknown."""
    sizes = np.zeros((owner.size, 2))
    for number in np.unique(owner).tolist():
        units = places[number].row.units
        rows = np.flatnonzero(owner == number)
        given = {unit.frame: places[number].size_of(unit) for unit in units}
        if len(units) == 1:
            sizes[rows] = next(iter(given.values()))
        elif units:
            sizes[rows] = [given.get(frame, (0, 0)) for frame in frames[rows].tolist()]
    return sizes
