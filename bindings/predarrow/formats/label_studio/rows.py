"""Regions -> batches of the prediction table."""

from __future__ import annotations

from collections.abc import Mapping
from operator import index
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import UNSET

from predarrow.buffers import numbers_array, text_array
from predarrow.classes import Texts as Choices
from predarrow.errors import PredarrowError
from predarrow.formats.json_text import json_text, string_text
from predarrow.formats.label_studio import forms
from predarrow.formats.label_studio.collect import Collected
from predarrow.formats.label_studio.given import Ints
from predarrow.formats.label_studio.regions import Region, scored
from predarrow.formats.label_studio.row_texts import Lines, row_texts
from predarrow.formats.label_studio.texts import Others, Teller, entries_text, head_of, is_plain, shared_members
from predarrow.formats.label_studio.values import Piece, pieces_of
from predarrow.refusals import shown
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
    lines = Lines()
    for piece in pieces:
        rows = [row for row, owner in enumerate(piece.owners) if not piece.given.refusals.bad[owner]]
        if rows:
            rows_of = _Rows(collected, piece, rows)
            batches.append(rows_of.batch())
            rows_of.add_lines(lines, teller)
    if not batches:
        return None
    batch = batches[0]
    if len(batches) > 1:
        order = np.argsort(np.array(lines.regions, np.int64), kind="stable")
        batch = pa.concat_batches(batches).take(numbers_array(order))
        lines = lines.take(order.tolist())
    column = text_array(row_texts(lines, collected))
    return batch.set_column(_ATTRIBUTES, batch.schema.field(_ATTRIBUTES), column)


def sizes_of(collected: Collected, image_sizes: Mapping[str, tuple[int, int]]) -> Ints:
    """Give (n, 2) height and width of each region's image; 0 where not known, -1 where they do not hold."""
    regions = collected.regions
    try:
        told = np.array([(region.main.original_height, region.main.original_width) for region in regions], np.float64)
    except TypeError:  # some are not there
        told = np.array([_told_size(region) for region in regions], np.float64)
    is_known = np.asarray(np.isfinite(told).all(axis=1))
    sizes = np.where((told >= 1) & (told <= _MOST) & (told == np.floor(told)), told, -1).astype(np.int64)
    sizes[~is_known] = 0
    if image_sizes and not is_known.all():
        units = [_given_size(image_sizes, task.data_unit) for task in collected.tasks]
        for place in np.flatnonzero(~is_known).tolist():
            sizes[place] = units[collected.predictions[regions[place].prediction].task]
    return sizes


def _given_size(image_sizes: Mapping[str, tuple[int, int]], data_unit: str) -> tuple[int, int]:
    """Give the height and width of a data unit's image; 0 where they are not known.

    Raises:
        PredarrowError: they do not hold.
    """
    size = image_sizes.get(data_unit)
    if size is None:
        return 0, 0
    try:
        height, width = map(index, size)
    except (TypeError, ValueError):
        height, width = -1, -1
    if not (0 < height <= _MOST and 0 < width <= _MOST):
        rule = "must be (height, width) in whole pixels above 0"
        raise PredarrowError(f"image_sizes: {data_unit}: {rule}, got {shown(size)}")
    return height, width


_UNKNOWN = (float("nan"), float("nan"))


def _told_size(region: Region) -> tuple[float, float]:
    """Give the height and width that a region tells, NaN where it does not."""
    for result in [part.result for part in region.parts] if region.parts else (region.main,):
        height, width = result.original_height, result.original_width
        if isinstance(height, float) and isinstance(width, float):
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
        self._labels = self._all_labels()
        self._scores, self._score_places = self._told_scores()

    def _final_sizes(self) -> Ints:
        shaped, given = self._piece.shaped, self._piece.given
        if shaped.sizes is not None:
            return shaped.sizes[self._rows]
        return given.sizes[self._owners]

    def _all_labels(self) -> list[tuple[str, ...] | None]:
        found: list[Any] = [self._piece.labels[owner] for owner in self._owners]
        for number, labels in enumerate(found):
            if labels is UNSET:
                others = self._others.get(self._owners[number])
                found[number] = None if others is None else others.labels
        return found

    def _told_scores(self) -> tuple[list[float | None], list[str]]:
        """Give confidences, and where they are told: empty for the region itself."""
        scores: list[Any] = [scored(region) if region.parts else region.main.score for region in self._regions]
        places = [""] * len(scores)
        entry_scores = self._piece.shaped.entry_scores
        for number, score in enumerate(scores):
            if score is None or score is UNSET or entry_scores:
                scores[number], places[number] = self._other_score(number, None if score is UNSET else score)
        odd = sum([1 for score in scores if score is not None and not 0 <= score <= 1])
        if odd:
            self._collected.flagged[ODD_SCORE] += odd
        return scores, places

    def _other_score(self, number: int, score: float | None) -> tuple[float | None, str]:
        """Give a row's confidence where the region may not tell it, and where it is told."""
        own = self._piece.shaped.entry_scores.get(self._rows[number])
        if own is not None:
            return own, "sequence"
        if score is not None:
            return score, ""
        own = self._piece.scores.get(self._owners[number])
        if own is not None:
            return own, "value"
        own = self._collected.predictions[self._regions[number].prediction].score
        return own, "" if own is None else "prediction"

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

    def add_lines(self, lines: Lines, teller: Teller) -> None:
        """Add what attributes are made of."""
        has_size = np.asarray((self._sizes > 0).all(axis=1)).tolist()
        results = []
        beside = []
        for number, region in enumerate(self._regions):
            is_scored = not self._score_places[number] and self._scores[number] is not None
            if is_plain(region, is_scored):
                head, text = teller.tell(region, has_size=has_size[number])
            else:
                head, text = self._tell(number, self._owners[number], is_scored)
            results.append(text)
            beside.append(head)
        inner = self._inner()
        if self._piece.given.shape == forms.SEQUENCE:
            self._tell_sequences(results, inner)
        lines.regions += self._places
        lines.results += results
        lines.inner += inner
        lines.heads += [own + head for own, head in zip(self._heads(), beside, strict=True)]

    def _tell_sequences(self, results: list[str], inner: list[str]) -> None:
        """Leave the results to the first row of each sequence, with what its value has further."""
        seen: set[int] = set()
        for number, owner in enumerate(self._owners):
            if owner in seen:
                results[number] = ""
            else:
                inner[number] += f',"sequence":{{{self._piece.shaped.heads.get(owner, "")}}}'
            seen.add(owner)

    def _tell(self, number: int, owner: int, is_scored: bool) -> tuple[str, str]:
        """Give attributes that results share, and the list of results, of a region that is not plain."""
        region, others = self._regions[number], self._others.get(owner)
        height, width = self._sizes[number].tolist()
        shared = shared_members(region, (height, width), self._scores[number] if is_scored else None)
        return head_of(shared), entries_text(region, shared, {} if others is None else others.values)

    def _heads(self) -> list[str]:
        """Give the rows' own attributes, each with a comma behind."""
        is_answer = self._piece.given.shape == forms.CONTROL  # its class is the control, not a label
        heads = [
            ""
            if labels is None or (len(labels) == 1 and labels[0] and not is_answer)
            else f'"labels":{json_text(list(labels))},'
            for labels in self._labels
        ]
        answers, own = self._piece.answers, self._piece.shaped.attributes
        if not answers and not own and not self._others:
            return heads
        for number, (row, owner) in enumerate(zip(self._rows, self._owners, strict=True)):
            others = self._others.get(owner)
            texts = answers.get(owner, {}) if others is None else others.answers
            heads[number] += members(texts)
            if row in own:
                heads[number] += f"{own[row]},"
        return heads

    def _inner(self) -> list[str]:
        """Give members of `label_studio` that values and confidences tell, each with a comma before."""
        kept, without = self._piece.shaped.kept, self._piece.shaped.without
        inner = [""] * len(self._rows)
        if kept:
            inner = [f',"value":{{{kept[row]}}}' if row in kept else "" for row in self._rows]
        for number, (row, place) in enumerate(zip(self._rows, self._score_places, strict=True)):
            if row in without:
                inner[number] += f',"without":{json_text(without[row])}'
            if place:
                inner[number] += f',"score":"{place}"'
        return inner


def members(texts: Mapping[str, str]) -> str:
    """Give members of a JSON object, each with a comma behind."""
    return "".join([f"{string_text(name)}:{text}," for name, text in texts.items()])


def _taken(column: Any, chosen: Ints | None) -> Any:
    if chosen is None:
        return column
    return column[chosen] if isinstance(column, np.ndarray) else column.take(numbers_array(chosen))
