"""Rows of whole label rows -> their JSON, in pieces that are written as they are made.

    {"label_hash": ..., "object_answers": {...}, ..., "data_units": {"a": {..., "labels": {"103": {"objects": [   glue
    {"name": ..., "boundingBox": {...}}                                                                          object
    ,                                                                                                              glue
    {"name": ..., "boundingBox": {...}}                                                                          object
    ],"classifications": []},"104": {"objects": [                                                                  glue

What stands between objects is put in front of them when their own text is made, some thousand objects at a time, which
stay in the processor's cache: 35 MB of text that are copied once more at each level take twice as long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow.buffers import text_array
from predarrow.formats.encord.write_answers import finished_actions, object_actions, object_answers
from predarrow.formats.encord.write_classes import CLASSIFICATION
from predarrow.formats.encord.write_classifications import classifications
from predarrow.formats.encord.write_headers import Header, Unit
from predarrow.formats.encord.write_objects import object_text
from predarrow.formats.encord.write_pieces import Placed
from predarrow.formats.encord.write_rows import SPANS, Rows
from predarrow.formats.json_text import json_text
from predarrow.ontology import Ontology

Ints = npt.NDArray[np.int64]

_BLOCK_ROWS = 8192
_BLOCK_BYTES = 1 << 28  # of text, as far as can be told: Arrow's have 2 GiB at most


Piece = Callable[[], bytes | memoryview]


class Written(NamedTuple):
    """Label rows as text."""

    n_label_rows: int
    pieces: Iterator[Piece]
    """Make the text, each label row behind a comma and a line's end."""


def documents(rows: Rows, ontology: Ontology, flags: Counter[str], portable: bool) -> Written:
    """Give label rows; those without a row are left out.

    Args:
        rows: none of them refused.
        ontology: whose skeleton templates tell how points look.
        flags: told of what is written otherwise.
        portable: whether to write for older SDKs what was read, too.
    """
    is_class = rows.are(CLASSIFICATION)
    labels, answers = rows.take(~is_class), rows.take(is_class)
    is_portable = [header is not None and (portable or header.is_portable) for header in rows.headers]
    found = classifications(answers, len(is_portable), flags)
    objects = labels.take(~labels.are(*SPANS))
    shown = answers.take(np.array(is_portable)[answers.owner] & ~answers.is_global)
    on_frame = [
        text for text, owner in zip(found.on_frame, answers.owner.tolist(), strict=True) if text and is_portable[owner]
    ]
    frames = _frames(objects, shown, on_frame)
    told = object_answers(labels, len(is_portable))
    actions = finished_actions(objects, object_actions(objects, len(is_portable)), is_portable)
    glue = _Glue(len(objects))
    owners = np.unique(rows.owner).tolist()
    for owner in owners:
        header = rows.headers[owner]
        if header is not None:
            answered = f'"classification_answers":{{{",".join(found.entries[owner])}}}'
            glue.add(
                f',\n{{{header.text},"object_answers":{told[owner]},{answered},"object_actions":{actions[owner]}'
                ',"data_units":{'
            )
            _add_units(header, frames.of(owner), glue)
            glue.add("}}")
    return Written(len(owners), _pieces(objects, glue, ontology))


class _Frame(NamedTuple):
    """The labels of a frame."""

    number: int
    name: str
    """As labels of frames are named."""
    begin: int
    end: int
    """Its objects."""
    classifications: str


_NO_FRAME = _Frame(0, "", 0, 0, "")


class _Frames:
    """Frames by label row."""

    def __init__(self, frames: list[_Frame], starts: Ints) -> None:
        self._frames = frames
        self._starts = starts

    def of(self, owner: int) -> list[_Frame]:
        """Give those of one label row."""
        return self._frames[self._starts[owner] : self._starts[owner + 1]]


def _frames(objects: Rows, answers: Rows, texts: Sequence[str]) -> _Frames:
    """Give the frames on which there are objects, or classifications.

    Args:
        objects: on frames.
        answers: rows of classifications that stand on their frames.
        texts: (n,) of those.
    """
    keys = np.concatenate([np.stack([each.owner, each.frame, each.lane]) for each in (objects, answers)], axis=1)
    order = np.lexsort(keys[::-1]) if len(answers) else np.arange(len(objects))
    is_first = np.ones(order.size, np.bool_)
    is_first[1:] = (np.diff(keys[:, order]) != 0).any(axis=0)
    which = np.empty(order.size, np.int64)
    which[order] = np.cumsum(is_first) - 1
    owner, frame, _ = keys[:, order[is_first]]
    begins = np.searchsorted(which[: len(objects)], np.arange(len(owner) + 1)).tolist()
    listed: dict[int, list[str]] = {}
    for place, text in zip(which[len(objects) :].tolist(), texts, strict=True):
        listed.setdefault(place, []).append(text)
    names = _names(objects, frame, begins)
    told = [",".join(listed[i]) if i in listed else "" for i in range(len(names))] if listed else [""] * len(names)
    found = list(map(_Frame._make, zip(frame.tolist(), names, begins[:-1], begins[1:], told, strict=True)))
    return _Frames(found, np.searchsorted(owner, np.arange(len(objects.headers) + 1)))


def _names(objects: Rows, frame: Ints, begins: list[int]) -> list[str]:
    names = [str(number) for number in frame.tolist()]
    if objects.lane.any():
        streams = objects.columns["stream"].to_pylist()
        for place, (begin, end) in enumerate(pairwise(begins)):
            if begin < end and objects.lane[begin]:
                names[place] = f"{streams[begin]}#{names[place]}"
    return names


class _Glue:
    """What stands in front of each object, and behind the last.

    Args:
        n: how many objects there are.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._parts: list[str] = []
        self._places: list[int] = []
        self._texts: list[str] = []

    def add(self, text: str) -> None:
        """Add text behind what is there."""
        self._parts.append(text)

    def add_objects(self, before: str, begin: int, end: int, after: str) -> None:
        """Add objects, none of which was added before, and what stands around them."""
        self._parts.append(before)
        if begin < end:
            self._places.append(begin)
            self._texts.append("".join(self._parts))
            self._parts.clear()
        self._parts.append(after)

    def of(self, begin: int, end: int) -> Placed:
        """Give what stands in front of each of some objects."""
        first, last = np.searchsorted(self._places, [begin, end]).tolist()
        texts = text_array(["," if self._texts else "", *self._texts[first:last]])
        which = np.zeros(end - begin, np.int64)
        which[np.array(self._places[first:last], np.int64) - begin] = np.arange(1, last - first + 1)
        return Placed(texts, which)

    def end(self) -> str:
        """Give what stands behind the last one."""
        return "".join(self._parts)


def _pieces(objects: Rows, glue: _Glue, ontology: Ontology) -> Iterator[Piece]:
    n = len(objects)
    size = 8 * sum(column.nbytes for column in objects.columns.values()) // max(n, 1) + 400
    step = max(1, min(_BLOCK_ROWS, _BLOCK_BYTES // size))
    for begin in range(0, n, step):
        end = min(begin + step, n)
        yield partial(object_text, glue.of(begin, end), objects.slice(begin, end), ontology)
    yield glue.end().encode


def _add_units(header: Header, frames: list[_Frame], glue: _Glue) -> None:
    by_number = {frame.number: frame for frame in frames} if header.is_image else {}
    units = sorted(header.units, key=lambda unit: unit.frame)
    for place, unit in enumerate(units):
        separator = "," if place else ""
        glue.add(f'{separator}{json_text(unit.key)}:{{{unit.text}{"," if unit.text else ""}"labels":{{')
        if header.is_image:
            frame = by_number.get(unit.frame, _NO_FRAME)
            more = "".join(f",{json_text(name)}:{bytes(raw).decode()}" for name, raw in unit.others.items())
            after = f'],"classifications":[{frame.classifications}]{more}'
            glue.add_objects('"objects":[', frame.begin, frame.end, after)
        elif not header.is_span:
            _add_frames(frames, unit, glue)
        glue.add("}}")


def _add_frames(frames: list[_Frame], unit: Unit, glue: _Glue) -> None:
    separator = ""
    for frame in frames:
        name = json_text(frame.name) if "#" in frame.name else f'"{frame.name}"'
        more = bytes(unit.others[frame.name])[1:-1].decode() if frame.name in unit.others else ""
        more = f",{more}" if more.strip() else ""
        after = f'],"classifications":[{frame.classifications}]{more}}}'
        glue.add_objects(f'{separator}{name}:{{"objects":[', frame.begin, frame.end, after)
        separator = ","
    for name in unit.others.keys() - {frame.name for frame in frames}:
        more = bytes(unit.others[name])[1:-1].decode()
        glue.add(
            f'{separator}{json_text(name)}:{{"objects":[],"classifications":[]{"," if more.strip() else ""}{more}}}'
        )
        separator = ","
