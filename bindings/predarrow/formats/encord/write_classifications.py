"""Classifications: `classification_answers`, one entry an instance with its frames, and entries on frames."""

from __future__ import annotations

import json
from collections import Counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow.formats.encord.ranges import ranges_of, runs_of
from predarrow.formats.encord.write_answers import stable_hash
from predarrow.formats.encord.write_notes import Note
from predarrow.formats.encord.write_rows import Rows
from predarrow.formats.flaws import Flaw
from predarrow.formats.json_text import json_text

Ints = npt.NDArray[np.int64]

_OWN = ("classificationHash", "featureHash", "classifications", "confidence")

SPLIT = "classification written as several, as Encord has one confidence and one answer for all of its frames"


class Classifications(NamedTuple):
    """Classifications of label rows."""

    entries: list[list[str]]
    """Of each label row, members of `classification_answers`."""
    on_frame: list[str]
    """(n,) what stands on each row's frame for SDKs before 0.1.204; "" of those of the whole data unit."""


class _Instance(NamedTuple):
    """Rows that one entry holds."""

    rows: Ints
    object_id: str


def classifications(rows: Rows, n_label_rows: int, flags: Counter[str]) -> Classifications:
    """Give the classifications of label rows.

    Args:
        rows: of classifications, none of them refused.
        n_label_rows: how many label rows there are.
        flags: told of those that are written as several.
    """
    result = Classifications([[] for _ in range(n_label_rows)], [""] * len(rows))
    if not len(rows):
        return result
    for instance in _instances(rows, flags):
        first = int(instance.rows[0])
        note, feature = rows.notes.of(first), rows.features.found[rows.features.chosen[first]]
        key = json_text(instance.object_id)
        confidence = repr(float(rows.confidence[first]))
        pairs = [] if feature.is_global else runs_of(rows.frame[instance.rows])
        kept = _kept(rows, instance.rows, is_global=feature.is_global)
        members = {
            "classifications": note.answers or "[]",
            "classificationHash": key,
            "featureHash": json_text(feature.feature_hash),
            "spaces": "{}",
            "range": json_text(pairs),
            "confidence": confidence,
        }
        text = ",".join(f"{json_text(name)}:{value}" for name, value in (members | kept).items())
        result.entries[int(rows.owner[first])].append(f"{key}:{{{text}{note.meta('global', is_entry=True)}}}")
        if not feature.is_global:
            meta = note.meta()
            entry = f'{{{feature.head},"classificationHash":{key},"confidence":{confidence}{meta}}}'
            for row in instance.rows.tolist():
                result.on_frame[row] = entry
    return result


def _instances(rows: Rows, flags: Counter[str]) -> list[_Instance]:
    """Give rows that one entry holds: of one object id, confidence, and everything that attributes tell."""
    told = _told(rows.notes.items)
    notes = np.array([told[place] for place in range(len(told))], np.int64)[rows.notes.code]
    _, score = np.unique(rows.confidence, return_inverse=True)
    keys = (rows.owner, rows.code, score, notes, rows.features.chosen)
    order = np.lexsort((rows.frame, *keys[::-1]))
    begins = np.zeros(order.size, np.bool_)
    begins[:1] = True
    for key in keys:
        begins[1:] |= np.diff(key[order]) != 0
    groups = np.split(order, np.flatnonzero(begins)[1:])
    place = rows.columns["row"].fill_null(0).to_numpy()
    groups.sort(key=lambda group: (int(place[group[0]]), int(group[0])))  # as they were written where they come from
    seen: dict[tuple[int, int], int] = {}
    result = []
    for group in groups:
        first = int(group[0])
        object_id = rows.ids[first].as_py()
        number = seen.setdefault((int(rows.owner[first]), int(rows.code[first])), 0)
        seen[int(rows.owner[first]), int(rows.code[first])] += 1
        if number:
            flags[SPLIT] += 1
            object_id = stable_hash(object_id, str(number))
        result.append(_Instance(group, object_id))
    return result


def _told(items: list[Note]) -> list[int]:
    """Give a number for what each note tells beside what is kept of its first row."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(f"{note.meta()}\0{note.answers}", len(numbers)) for note in items]


def _kept(rows: Rows, own: Ints, *, is_global: bool) -> dict[str, str]:
    """Give further members of the entry that attributes kept; ranges only where they are still of these frames."""
    for row in own[rows.notes.has("object")[own]].tolist():
        encord = rows.notes.of(row).item.encord
        if encord is None:
            continue
        members = {name: bytes(raw).decode() for name, raw in encord.object.items() if name not in _OWN}
        if "range" in members and not _tells(members["range"], [] if is_global else rows.frame[own], is_global):
            del members["range"]
        return members
    return {}


def _tells(kept: str, frames: npt.ArrayLike, is_global: bool) -> bool:
    """Tell whether ranges as their source wrote them are of these frames; any are of the whole data unit."""
    try:
        pairs = ranges_of(json.loads(kept), ".range").pairs
    except Flaw:
        return False
    return is_global or pairs == runs_of(np.asarray(frames, np.int64))
