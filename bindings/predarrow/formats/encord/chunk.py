"""Label rows -> one batch of the prediction table, and what is to be reported of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.formats.encord.attributes import member
from predarrow.formats.encord.columns import Ints
from predarrow.formats.encord.kept import kept_text
from predarrow.formats.encord.labels import FrameLabels, Place
from predarrow.formats.encord.object_rows import ObjectRows
from predarrow.formats.encord.rows import LabelRow, check_units, is_portable
from predarrow.formats.encord.rules import Rules
from predarrow.formats.encord.scanned import ScannedBoxes
from predarrow.formats.encord.timeless_rows import Row, labels_of, timeless_batch, timeless_rows
from predarrow.formats.flaws import Flaw
from predarrow.report import Code, Problem, Report

NO_LABELS = "label row without label"
SPACES = "labels of spaces, kept in attributes and not read"

_NEVER = np.iinfo(np.int64).max

Match = Callable[[LabelRow], Place]
"""Tells where a label row belongs, or raises a `Flaw`."""


class Done(NamedTuple):
    """What label rows came to."""

    batch: pa.RecordBatch | None
    """Rows as they are written, classifications after objects; None without any"""
    owner: Ints
    """(n,) the label row of each row, as its place among `data_units`"""
    data_units: list[str]
    where: list[tuple[str, str]]
    """File and place in it of each label row"""
    labels: list[tuple[str, int]]
    """Files and how many labels they have here, refused ones included"""
    report: Report


def converted(rows: Sequence[LabelRow], rules: Rules, match: Match, scanned: ScannedBoxes | None = None) -> Done:
    """Give label rows as rows of the prediction table.

    Args:
        rows: of one or more files; labels are numbered from 0 in each.
        rules: what their ontology says.
        match: tells where a label row belongs.
        scanned: their boxes, where they were scanned.
    """
    report = Report()
    places, counts = _placed(rows, match, report)
    if scanned is not None and len(places) < len(rows):
        kept = {id(place.row) for place in places}
        chosen = np.array([id(row) in kept for row in rows], np.bool_)
        scanned = scanned.taken(np.repeat(chosen, [sum(group.n for group in row.groups) for row in rows]))
    labels = FrameLabels(places, scanned)
    others = timeless_rows(places, rules, report)
    objects = ObjectRows(labels, rules, report.flagged) if labels.n else None
    _add_label_rows(places, labels, objects, others, report)
    batches: list[pa.RecordBatch] = []
    owners: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    if objects is not None:
        objects.finish()
        batches.append(objects.batch())
        owners.append(labels.owner[~labels.refusals.bad])
    if others:
        batch, owner = timeless_batch(others, places)
        batches.append(batch)
        owners.append(owner)
    report.problems += labels.refusals.problems
    sources = {source: place for place, source in enumerate(counts)}
    report.problems.sort(key=lambda problem: (sources[problem.source], -1 if problem.row is None else problem.row))
    owner = np.concatenate(owners)
    where = [(place.row.source, place.row.pointer) for place in places]
    data_units = [place.data_unit for place in places]
    return Done(_whole(batches) if owner.size else None, owner, data_units, where, list(counts.items()), report)


def _placed(rows: Sequence[LabelRow], match: Match, report: Report) -> tuple[list[Place], dict[str, int]]:
    """Give the places of label rows that have one, and the number of labels by file."""
    places: list[Place] = []
    counts: dict[str, int] = {}
    for row in rows:
        first, timeless = counts.get(row.source, 0), labels_of(row)
        counts[row.source] = first + sum(group.n for group in row.groups) + len(timeless)
        try:
            check_units(row)
            if _has_space_labels(row):
                report.flagged[SPACES] += 1
            place = match(row)
            place.first, place.timeless = first, timeless
            places.append(place)
        except Flaw as flaw:
            report.problems.append(Problem(row.source, None, row.pointer + flaw.pointer, flaw.code, flaw.message))
    return places, counts


def _whole(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)


def _has_space_labels(row: LabelRow) -> bool:
    """Tell whether the row has children (of data groups) with labels of their own."""
    raw = row.member("spaces")
    if len(raw) <= 2:  # none, or an empty object
        return False
    spaces = row.codec.any(raw)
    return isinstance(spaces, dict) and any(isinstance(each, dict) and each.get("labels") for each in spaces.values())


def _add_label_rows(
    places: Sequence[Place],
    labels: FrameLabels,
    objects: ObjectRows | None,
    others: Sequence[Row],
    report: Report,
) -> None:
    """Add what label rows have beside labels to the first of the table rows of each."""
    first = np.full(len(places), _NEVER)
    keys = (labels.frame << 32) | labels.number
    kept = np.flatnonzero(~labels.refusals.bad)
    np.minimum.at(first, labels.owner[kept], keys[kept])
    is_earlier: dict[int, Row] = {}
    for row in others:
        key = (int(row.item.frames[0]) << 32) | row.number
        if key < first[row.place]:
            first[row.place] = key
            is_earlier[row.place] = row
    starts = kept[keys[kept] == first[labels.owner[kept]]]
    for number in starts.tolist():
        if objects is not None:
            objects.members.add_encord(number, _label_row(places[int(labels.owner[number])], report))
    for place, row in is_earlier.items():
        texts = [row.item.once, _label_row(places[place], report)]
        row.item.once = ",".join(filter(None, texts))
    if n_without := int((first == _NEVER).sum()):
        report.flagged[NO_LABELS] += n_without


def _label_row(place: Place, report: Report) -> str:
    row = place.row
    try:
        text = f'"label_row":{kept_text(row)}'
    except (ValueError, TypeError) as error:
        rule = f"must be JSON of finite numbers and whole characters: {error}"
        report.problems.append(Problem(row.source, None, row.pointer, Code.BAD_VALUE, rule))
        text = f'"label_row":{{{member("data_hash", row.data_hash)}}}'
    return f'{text},"portable":true' if is_portable(row) else text
