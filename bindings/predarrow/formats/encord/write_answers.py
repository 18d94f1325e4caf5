"""Answers of objects: `object_answers`, one entry an object, and `object_actions`, dynamic ones with their frames."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Raw

from predarrow.formats.encord.ranges import runs_of
from predarrow.formats.encord.write_classes import CLASSIFICATION, Feature
from predarrow.formats.encord.write_notes import Note
from predarrow.formats.encord.write_rows import SPANS, Rows
from predarrow.formats.json_text import json_text
from predarrow.formats.write_distinct import distinct
from predarrow.formats.write_text import joined, quoted
from predarrow.refusals import Refusals
from predarrow.report import Code

Ints = npt.NDArray[np.int64]

_NONE = -1
_OWN = ("objectHash", "classifications")
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode


class Objects:
    """The objects of label rows, each once.

    Args:
        rows: of objects, on frames or ranges.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        once = distinct(rows.owner * (int(rows.code.max(initial=0)) + 1) + rows.code)
        self.of_row = once.which
        """(n,) each row's object, by first row"""
        self.first = once.first
        """(n_objects,) first row of each"""

    def answers(self) -> Ints:
        """(n,) a number for each text of static answers; -1 where a row has none."""
        numbers: dict[str, int] = {}
        of_item = [_NONE] * len(self.rows.notes.items)
        for place, note in enumerate(self.rows.notes.items):
            text = note.answers
            if text is not None:
                of_item[place] = numbers.setdefault(text, len(numbers))
        return np.array(of_item, np.int64)[self.rows.notes.code]


def check_answers(rows: Rows, refusals: Refusals) -> None:
    """Refuse rows of objects whose answers are others than on their frames before."""
    if not any(note.item.answers for note in rows.notes.items):
        return
    chosen = np.flatnonzero(~refusals.bad & ~rows.are(CLASSIFICATION))
    objects = Objects(rows.take(chosen))
    answers = objects.answers()
    told = answers != _NONE
    if not told.any():
        return
    own = np.full(len(objects.first), _NONE)
    own[objects.of_row[told][::-1]] = answers[told][::-1]
    differs = told & (answers != own[objects.of_row])
    message = "an object must have the same static answers on all of its frames, got others than before"
    for place in np.flatnonzero(differs).tolist():
        refusals.add_one(int(chosen[place]), Code.BAD_VALUE, "attributes", message)


def object_answers(rows: Rows, n_label_rows: int) -> list[str]:
    """Give each label row's `object_answers` as JSON text.

    Args:
        rows: of objects, none of them refused.
        n_label_rows: how many label rows there are.
    """
    objects = Objects(rows)
    texts = [note.answers or "[]" for note in rows.notes.items]
    answers = objects.answers()
    row_of = objects.first.copy()  # the first row that tells answers
    told = np.flatnonzero(answers != _NONE)
    row_of[objects.of_row[told][::-1]] = told[::-1]
    listed = pa.array(texts, pa.string()).take(pa.array(rows.notes.code[row_of]))
    ids = quoted(rows.ids.take(pa.array(objects.first)))
    more = _further(rows, objects)
    entries = joined(ids, ':{"classifications":', listed, more, ',"objectHash":', ids, "}")
    offsets = np.searchsorted(rows.owner[objects.first], np.arange(n_label_rows + 1)).astype(np.int32)
    inside = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), entries), ",")
    whole: list[str] = joined("{", inside, "}").to_pylist()
    return whole


def _further(rows: Rows, objects: Objects) -> pa.StringArray | str:
    """Give what else the entries of objects have, each member behind a comma."""
    once = _kept_entries(rows, objects) if rows.notes.has("object").any() else {}
    is_span = rows.are(*SPANS)[objects.first]
    if not once and not is_span.any():
        return ""
    texts = [""] * len(objects.first)
    for place, members in once.items():
        texts[place] = "".join(
            f",{json_text(name)}:{bytes(raw).decode()}" for name, raw in members.items() if name != "object_actions"
        )
    for place in np.flatnonzero(is_span).tolist():
        row = int(objects.first[place])
        note, feature = rows.notes.of(row), rows.features.found[rows.features.chosen[row]]
        texts[place] += _span(note, feature, float(rows.confidence[row]))
    return pa.array(texts, pa.string())


def _kept_entries(rows: Rows, objects: Objects) -> dict[int, dict[str, Raw]]:
    """Give what attributes kept of objects' entries, by object."""
    result: dict[int, dict[str, Raw]] = {}
    for row in np.flatnonzero(rows.notes.has("object")).tolist():
        encord = rows.notes.of(row).item.encord
        if encord is not None:
            members = {name: raw for name, raw in encord.object.items() if name not in _OWN}
            result.setdefault(int(objects.of_row[row]), members)
    return result


def _span(note: Note, feature: Feature, confidence: float) -> str:
    """Give the members of a span, each behind a comma."""
    item = note.item
    ranges = bytes(item.ranges).decode()
    key = "range_html" if ranges.lstrip("[ ").startswith("{") else "range"
    text = f',{feature.head}{note.meta("ranges", is_entry=True)},"{key}":{ranges}'
    if key == "range_html":
        text += ',"range":[]'
    return text if confidence == 1.0 else f'{text},"confidence":{confidence!r}'


def object_actions(rows: Rows, n_label_rows: int) -> list[dict[str, list[str]]]:
    """Give the actions of each label row by object, as JSON texts.

    Args:
        rows: of objects on frames, none of them refused.
        n_label_rows: how many label rows there are.
    """
    result: list[dict[str, list[str]]] = [{} for _ in range(n_label_rows)]
    if not any(note.item.dynamic for note in rows.notes.items):
        return result
    objects = Objects(rows)
    ids = rows.ids.take(pa.array(objects.first)).to_pylist()
    owners = rows.owner[objects.first].tolist()
    for place, entry, frames in _runs(rows, objects):
        listed = result[owners[place]].setdefault(ids[place], [])
        ranges = json.dumps([list(pair) for pair in runs_of(frames)], separators=(",", ":"))
        listed.append(f'{entry[:-1]},"dynamic":true,"range":{ranges}')
    return result


def _runs(rows: Rows, objects: Objects) -> Iterator[tuple[int, str, Ints]]:
    """Give each object's dynamic answers in the order in which they come, with the frames on which they hold."""
    numbers: dict[bytes, int] = {}
    of_item = [[numbers.setdefault(bytes(raw), len(numbers)) for raw in note.item.dynamic] for note in rows.notes.items]
    counts = np.array([len(each) for each in of_item])[rows.notes.code]
    flat = np.array([number for code in rows.notes.code.tolist() for number in of_item[code]], np.int64)
    owner = np.repeat(objects.of_row, counts)
    frame = np.repeat(rows.frame, counts)
    _, first, which = np.unique(owner * len(numbers) + flat, return_index=True, return_inverse=True)
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which))
    texts = [raw.decode() for raw in numbers]
    for group in np.argsort(first).tolist():
        begin = int(ends[group - 1]) if group else 0
        frames = np.unique(frame[order[begin : ends[group]]])
        yield int(owner[first[group]]), texts[flat[first[group]]], frames


def finished_actions(rows: Rows, actions: Sequence[dict[str, list[str]]], is_portable: Sequence[bool]) -> list[str]:
    """Give each label row's `object_actions` as JSON text.

    Args:
        rows: of objects, none of them refused.
        actions: see `object_actions`.
        is_portable: of each label row, whether to write what SDKs before 0.1.200 ask for.
    """
    kept = _kept_actions(rows, len(actions))
    result = []
    for by_object, others, portable in zip(actions, kept, is_portable, strict=True):
        entries = []
        for key in dict.fromkeys([*by_object, *others]):
            name, other = json_text(key), others.get(key, _NO_ACTIONS)
            texts = by_object.get(key, []) if other.actions is None else other.actions
            inside = ",".join(_action(text, key, portable) for text in texts)
            entries.append(f'{name}:{{"actions":[{inside}],"objectHash":{name}{other.more}}}')
        result.append(f"{{{','.join(entries)}}}")
    return result


def _action(text: str, key: str, is_portable: bool) -> str:
    more = "" if '"shouldPropagate":' in text else ',"shouldPropagate":false'
    if is_portable and '"trackHash":' not in text:
        more += f',"trackHash":"{stable_hash(key, text)}"'
    return f"{text}{more}}}"


def stable_hash(*parts: str) -> str:
    """Give 8 characters that follow from texts."""
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=6).digest()
    return base64.urlsafe_b64encode(digest).decode()


class _KeptActions(NamedTuple):
    """What attributes kept of an object's entry in `object_actions`."""

    actions: list[str] | None
    """As their source wrote them, without the closing brace; None where frames give them back."""
    more: str
    """Further members, each behind a comma."""


_NO_ACTIONS = _KeptActions(None, "")


class _Held(msgspec.Struct, gc=False):
    """What is needed of a kept action; other members are passed over."""

    featureHash: str
    answers: Any
    range: list[tuple[int, int]]


_decode_held = msgspec.json.Decoder(list[_Held]).decode


def _kept_actions(rows: Rows, n_label_rows: int) -> list[dict[str, _KeptActions]]:
    """Give what attributes kept of `object_actions`, by object; actions only where they still hold."""
    result: list[dict[str, _KeptActions]] = [{} for _ in range(n_label_rows)]
    if not rows.notes.has("object").any():
        return result
    objects = Objects(rows)
    for place, members in _kept_entries(rows, objects).items():
        try:
            kept = _decode_members(members.get("object_actions", b"{}"))
        except msgspec.ValidationError:
            continue
        listed = kept.pop("actions", None)
        more = "".join(
            f",{json_text(name)}:{bytes(raw).decode()}" for name, raw in kept.items() if name != "objectHash"
        )
        texts = None
        if listed is not None and _hold(listed, rows, np.flatnonzero(objects.of_row == place)):
            texts = [bytes(raw).decode().rstrip()[:-1] for raw in _decode_list(listed)]
        if texts is not None or more:
            first = int(objects.first[place])
            result[int(rows.owner[first])][rows.ids[first].as_py()] = _KeptActions(texts, more)
    return result


def _hold(kept: Raw, rows: Rows, own: Ints) -> bool:
    """Tell whether actions give the dynamic answers of an object's rows."""
    try:
        actions = _decode_held(kept)
    except msgspec.ValidationError:
        return False
    for row in own.tolist():
        frame = int(rows.frame[row])
        given: dict[str, Any] = {}
        for action in actions:
            if any(start <= frame <= end for start, end in action.range):
                before = given.get(action.featureHash)
                both = isinstance(before, list) and isinstance(action.answers, list)
                given[action.featureHash] = [*before, *action.answers] if both and before else action.answers
        here = [json.loads(bytes(raw)) for raw in rows.notes.of(row).item.dynamic]
        if {answer["featureHash"]: answer["answers"] for answer in here} != given:
            return False
    return True
