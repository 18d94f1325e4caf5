"""Regions -> batches of the prediction table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import UNSET

from predarrow.buffers import numbers_array, text_array
from predarrow.classes import Texts as Choices
from predarrow.formats.json_text import json_text
from predarrow.formats.label_studio import forms
from predarrow.formats.label_studio.collect import Collected
from predarrow.formats.label_studio.given import Ints
from predarrow.formats.label_studio.regions import Region, scored
from predarrow.formats.label_studio.row_texts import Line, row_texts
from predarrow.formats.label_studio.texts import Others, Teller, entries_text, head_of, is_plain, shared_members
from predarrow.formats.label_studio.values import Piece, pieces_of
from predarrow.formats.openlabel.wire import string_text
from predarrow.table import SCHEMA, bbox_array, record_batch

ODD_SCORE = "score beyond 0 to 1"
_ATTRIBUTES = SCHEMA.get_field_index("attributes")
_MOST = 2**31 - 1


def batch_of(
    collected: Collected, image_sizes: Mapping[str, tuple[int, int]], threshold: int, teller: Teller
) -> pa.RecordBatch | None:
    """Give regions as a batch of the prediction table, None where none is left.

    Args:
        collected: regions; those that are refused are told in its problems.
        image_sizes: height and width by data unit.
        threshold: of masks.
        teller: of the file.
    """
    if not collected.regions:
        return None
    pieces = pieces_of(collected, sizes_of(collected, image_sizes), threshold)
    batches: list[pa.RecordBatch] = []
    lines: list[Line] = []
    for piece in pieces:
        rows = [row for row, owner in enumerate(piece.owners) if not piece.given.refusals.bad[owner]]
        if rows:
            rows_of = _Rows(collected, piece, rows)
            batches.append(rows_of.batch())
            lines += rows_of.lines(teller)
    if not lines:
        return None
    order = np.argsort(np.array([line.region for line in lines], np.int64), kind="stable")
    batch = batches[0] if len(batches) == 1 else pa.concat_batches(batches).take(numbers_array(order))
    column = text_array(row_texts([lines[place] for place in order.tolist()], collected))
    return batch.set_column(_ATTRIBUTES, batch.schema.field(_ATTRIBUTES), column)


def sizes_of(collected: Collected, image_sizes: Mapping[str, tuple[int, int]]) -> Ints:
    """Give (n, 2) height and width of each region's image; 0 where not known, -1 where they do not hold."""
    units = [image_sizes.get(task.data_unit) or (0, 0) for task in collected.tasks] if image_sizes else []
    sizes = np.zeros((len(collected.regions), 2), np.int64)
    pairs = [_told_size(region) for region in collected.regions]
    told = np.array(pairs, np.float64).reshape(-1, 2)
    good = (told >= 1) & (told <= _MOST) & (told == np.floor(told))
    is_known = np.isfinite(told).all(axis=1)
    sizes[is_known] = np.where(good, told, -1)[is_known].astype(np.int64)
    if units:
        for place in np.flatnonzero(~is_known).tolist():
            sizes[place] = units[collected.predictions[collected.regions[place].prediction].task]
    return sizes


_UNKNOWN = (float("nan"), float("nan"))


def _told_size(region: Region) -> tuple[float, float]:
    """Give the height and width that a region tells, NaN where it does not."""
    results = [part.result for part in region.parts] if region.parts else (region.main,)
    for result in results:
        width, height = result.original_width, result.original_height
        if width is not UNSET and width is not None and height is not UNSET and height is not None:
            return height, width
    return _UNKNOWN


class _Rows:
    """Rows of one piece.

    Args:
        collected: all regions.
        piece: some of them.
        rows: those of the piece that are taken.
    """

    def __init__(self, collected: Collected, piece: Piece, rows: list[int]) -> None:
        self._collected = collected
        self._piece = piece
        self._rows = rows
        owners = piece.owners
        self._owners = [owners[row] for row in rows]
        self._regions = [piece.given.regions[owner] for owner in self._owners]
        self._places = [piece.members[owner] for owner in self._owners]
        self._sizes = self._final_sizes()
        self._others = {
            owner: Others(region, piece.labels[owner] is not UNSET, dict(piece.answers.get(owner, {})))
            for owner, region in zip(self._owners, self._regions, strict=True)
            if len(region.parts) > 1
        }
        self._labels = [self._labels_of(owner) for owner in self._owners]
        self._scores, self._score_places = self._told_scores()

    def _final_sizes(self) -> Ints:
        shaped, given = self._piece.shaped, self._piece.given
        if shaped.sizes is not None:
            return shaped.sizes[self._rows]
        return given.sizes[self._owners]

    def _labels_of(self, owner: int) -> tuple[str, ...] | None:
        labels = self._piece.labels[owner]
        if labels is not UNSET:
            found: tuple[str, ...] = labels
            return found
        others = self._others.get(owner)
        return None if others is None else others.labels

    def _told_scores(self) -> tuple[list[float | None], list[str]]:
        """Give confidences, and where they are told: empty for the region itself."""
        piece, predictions = self._piece, self._collected.predictions
        scores: list[float | None] = []
        places: list[str] = []
        for row, owner, region in zip(self._rows, self._owners, self._regions, strict=True):
            place = ""
            score = piece.shaped.entry_scores.get(row)
            if score is not None:
                place = "sequence"
            elif (score := scored(region)) is None:
                score = piece.scores.get(owner)
                place = "value"
                if score is None:
                    score = predictions[region.prediction].score
                    place = "" if score is None else "prediction"
            scores.append(score)
            places.append(place)
        odd = sum(1 for score in scores if score is not None and not 0 <= score <= 1)
        if odd:
            self._collected.flagged[ODD_SCORE] += odd
        return scores, places

    def batch(self) -> pa.RecordBatch:
        """Give them as a batch, without attributes."""
        piece, shaped, collected = self._piece, self._piece.shaped, self._collected
        n = len(self._rows)
        chosen = None if n == len(piece.owners) else np.array(self._rows, np.int64)
        tasks = np.array([collected.predictions[region.prediction].task for region in self._regions], np.int64)
        kinds = shaped.kinds if isinstance(shaped.kinds, str) else text_array([shaped.kinds[row] for row in self._rows])
        confidences = np.array([np.nan if score is None else score for score in self._scores], np.float64)
        columns: dict[str, Any] = {name: _taken(column, chosen) for name, column in shaped.columns.items()}
        columns |= {
            "data_unit": Choices([task.data_unit for task in collected.tasks]).take(tasks),
            "frame": np.zeros(n, np.int32) if shaped.frames is None else shaped.frames[self._rows].astype(np.int32),
            "object_id": text_array([region.main.id or None for region in self._regions]),
            "class_name": text_array(self._class_names()),
            "kind": kinds,
            "confidence": numbers_array(confidences, is_valid=np.asarray(~np.isnan(confidences))),
            "source": collected.source,
            "row": np.array(self._places, np.int64) + collected.first,
        }
        if shaped.corners is not None:
            columns["bbox"] = bbox_array(np.ascontiguousarray(shaped.corners[:, self._rows]))
        is_known = np.asarray((self._sizes > 0).all(axis=1))
        if is_known.any():
            for axis, name in enumerate(("image_height", "image_width")):
                side = np.ascontiguousarray(self._sizes[:, axis].astype(np.int32))
                columns[name] = numbers_array(side, is_valid=is_known)
        return record_batch(n, columns)

    def _class_names(self) -> list[str]:
        if self._piece.given.shape == forms.CONTROL:
            return [region.main.from_name for region in self._regions]
        return [labels[0] if labels else "" for labels in self._labels]

    def lines(self, teller: Teller) -> list[Line]:
        """Give what attributes are made of."""
        seen: set[int] = set()
        has_size = np.asarray((self._sizes > 0).all(axis=1)).tolist()
        found = []
        for number, row in enumerate(self._rows):
            owner, region = self._owners[number], self._regions[number]
            is_first = owner not in seen
            seen.add(owner)
            is_scored = self._score_places[number] == "" and self._scores[number] is not None
            if is_plain(region, is_scored):
                head, results = teller.results(region, has_size=has_size[number])
            else:
                size = tuple(self._sizes[number].tolist())
                shared = shared_members(region, size, self._scores[number] if is_scored else None)
                others = self._others.get(owner)
                head, results = head_of(shared), entries_text(region, shared, {} if others is None else others.values)
            head = self._head(number, row, owner) + head
            inner = self._inner(number, row, owner, is_first)
            is_entry = self._piece.given.shape == forms.SEQUENCE
            found.append(Line(self._places[number], head, inner, results if is_first else "", is_entry))
        return found

    def _head(self, number: int, row: int, owner: int) -> str:
        """Give the row's own attributes, each with a comma behind."""
        labels, head = self._labels[number], ""
        if labels is not None and (len(labels) != 1 or not labels[0]):
            head = f'"labels":{json_text(list(labels))},'
        others = self._others.get(owner)
        answers = self._piece.answers.get(owner) if others is None else others.answers
        if answers:
            head += members(answers)
        own = self._piece.shaped.attributes.get(row)
        return head if own is None else f"{head}{own},"

    def _inner(self, number: int, row: int, owner: int, is_first: bool) -> str:
        """Give members of `label_studio` that the value and the confidence tell, each with a comma before."""
        shaped = self._piece.shaped
        inner = f',"value":{{{shaped.kept[row]}}}' if row in shaped.kept else ""
        if row in shaped.without:
            inner += f',"without":{json_text(shaped.without[row])}'
        if self._score_places[number]:
            inner += f',"score":"{self._score_places[number]}"'
        if is_first and self._piece.given.shape == forms.SEQUENCE:
            inner += f',"sequence":{{{shaped.heads.get(owner, "")}}}'
        return inner


def members(texts: Mapping[str, str]) -> str:
    """Give members of a JSON object, each with a comma behind."""
    return "".join([f"{string_text(name)}:{text}," for name, text in texts.items()])


def _taken(column: Any, chosen: Ints | None) -> Any:
    if chosen is None:
        return column
    return column[chosen] if isinstance(column, np.ndarray) else column.take(numbers_array(chosen))
