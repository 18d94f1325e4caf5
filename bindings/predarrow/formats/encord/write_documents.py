"""Rows of whole label rows -> one JSON document each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.coco.write_text import joined
from predarrow.formats.encord.wire import json_text
from predarrow.formats.encord.write_answers import finished_actions, object_actions, object_answers
from predarrow.formats.encord.write_classes import CLASSIFICATION
from predarrow.formats.encord.write_classifications import classifications
from predarrow.formats.encord.write_headers import Header, Unit
from predarrow.formats.encord.write_objects import object_texts
from predarrow.formats.encord.write_rows import Rows, is_object
from predarrow.ontology import Ontology

Ints = npt.NDArray[np.int64]

_EMPTY = b'"objects":[],"classifications":[]'
_MOST_BYTES = 1 << 29  # of one array of texts: Arrow's have 2 GiB at most


def documents(rows: Rows, ontology: Ontology, flags: Counter[str], portable: bool) -> list[bytes]:
    """Give label rows; those without a row are left out.

    Args:
        rows: none of them refused.
        ontology: whose skeleton templates tell how points look.
        flags: told of what is written otherwise.
        portable: whether to write for older SDKs what was read, too.
    """
    n = len(rows.headers)
    is_portable = [header is not None and (portable or header.is_made) for header in rows.headers]
    is_class = rows.shapes == CLASSIFICATION
    labels, answers = rows.take(~is_class), rows.take(is_class)
    found = classifications(answers, n, flags)
    on_frames = labels.take(is_object(labels))
    frames = _Frames(on_frames, ontology, answers, found.on_frame, is_portable)
    told = object_answers(labels, n)
    actions = finished_actions(on_frames, object_actions(on_frames, n), is_portable)
    result = []
    for owner in np.unique(rows.owner).tolist():
        header = rows.headers[owner]
        if header is not None:
            answered = b"{" + ",".join(found.entries[owner]).encode() + b"}"
            parts = (
                *(b"{", header.text.encode(), b',"object_answers":', told[owner], b',"classification_answers":'),
                *(answered, b',"object_actions":', actions[owner], b',"data_units":{'),
                *(b",".join(_units(header, frames.of(owner))), b"}}"),
            )
            result.append(b"".join(parts))
    return result


class _Frames:
    """The labels of frames, as text: members of each frame without braces.

    Args:
        objects: on frames.
        ontology: for skeletons.
        answers: rows of classifications.
        on_frame: (n,) what those have on their frames.
        is_portable: of each label row, whether they stand there.
    """

    def __init__(
        self, objects: Rows, ontology: Ontology, answers: Rows, on_frame: Sequence[str], is_portable: Sequence[bool]
    ) -> None:
        shown = np.array([bool(text) for text in on_frame], np.bool_) & np.array(is_portable)[answers.owner]
        others = answers.take(shown)
        texts = pa.array([text for text, each in zip(on_frame, shown.tolist(), strict=True) if each], pa.string())
        keys = [np.stack([each.owner, each.frame, each.lane]) for each in (objects, others)]
        (self._owner, self._frame, self._lane), which = _distinct(np.concatenate(keys, axis=1))
        n_objects, numbers = len(objects), np.arange(len(self._owner) + 1)
        order = np.argsort(which[n_objects:], kind="stable")
        classes = _lists(texts.take(pa.array(order)), np.searchsorted(which[n_objects:][order], numbers))
        first = np.searchsorted(which[:n_objects], numbers)
        self._texts: list[bytes] = []
        for begin, end in _blocks(objects, first):
            block = objects.take(np.arange(first[begin], first[end]))
            listed = _lists(object_texts(block, ontology), first[begin : end + 1] - first[begin])
            part = joined('"objects":', listed, ',"classifications":', classes[begin:end])
            self._texts += part.cast(pa.binary()).to_pylist()
        self._starts = np.searchsorted(self._owner, np.arange(len(is_portable) + 1))
        self._lane_names = _lane_names(objects) if self._lane.any() else {}

    def of(self, owner: int) -> dict[str, bytes]:
        """Give the frames of a label row by their names."""
        begin, end = self._starts[owner], self._starts[owner + 1]
        names = [str(frame) for frame in self._frame[begin:end].tolist()]
        if self._lane_names:
            lanes = [self._lane_names.get(lane) for lane in self._lane[begin:end].tolist()]
            names = [name if lane is None else f"{lane}#{name}" for lane, name in zip(lanes, names, strict=True)]
        return dict(zip(names, self._texts[begin:end], strict=True))


def _distinct(keys: Ints) -> tuple[Ints, Ints]:
    """Give distinct columns of (k, n) keys in their order, and each one's place among them."""
    order = np.lexsort(keys[::-1])
    ordered = keys[:, order]
    is_first = np.ones(order.size, np.bool_)
    is_first[1:] = (np.diff(ordered) != 0).any(axis=0)
    which = np.empty(order.size, np.int64)
    which[order] = np.cumsum(is_first) - 1
    return ordered[:, is_first], which


def _lane_names(objects: Rows) -> dict[int, str]:
    streams = objects.columns["stream"].to_pylist()
    return {lane: stream for lane, stream in zip(objects.lane.tolist(), streams, strict=True) if lane}


def _lists(texts: pa.StringArray, starts: npt.NDArray[np.int64]) -> pa.StringArray:
    """Give JSON lists of texts."""
    lists = pa.ListArray.from_arrays(pa.array(starts, pa.int32()), texts)
    return joined("[", pc.binary_join(lists, ","), "]")


def _blocks(objects: Rows, first: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Give runs of frames whose texts have room in one array.

    Args:
        objects: by frame.
        first: (n_frames + 1,) first object of each.
    """
    n_frames = len(first) - 1
    size = 8 * sum(column.nbytes for column in objects.columns.values()) + 400 * len(objects)
    n_blocks = size // _MOST_BYTES + 1
    edges = np.searchsorted(first, np.linspace(0, len(objects), n_blocks + 1).astype(np.int64))
    edges[0], edges[-1] = 0, n_frames
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if begin < end:
            yield begin, end


def _units(header: Header, frames: dict[str, bytes]) -> Iterator[bytes]:
    for unit in header.units:
        if header.is_image:
            labels = frames.get(str(unit.frame), _EMPTY) + _others(unit)
        elif header.is_span:
            labels = b""
        else:
            labels = b",".join(_named(unit, frames))
        yield f'{json_text(unit.key)}:{{{unit.text}{"," if unit.text else ""}"labels":{{'.encode() + labels + b"}}"


def _others(unit: Unit) -> bytes:
    """Give what else an image has beside labels, each member behind a comma."""
    return b"".join(f",{json_text(name)}:".encode() + bytes(raw) for name, raw in unit.others.items())


def _named(unit: Unit, frames: dict[str, bytes]) -> Iterator[bytes]:
    """Give frames by their names, with what was kept of them."""
    if not unit.others:
        for name, text in frames.items():
            yield b"%b:{%b}" % (json_text(name).encode(), text)
        return
    for name in dict.fromkeys([*frames, *unit.others]):
        more = bytes(unit.others[name])[1:-1] if name in unit.others else b""
        text = frames.get(name, _EMPTY)
        yield b"%b:{%b%b%b}" % (json_text(name).encode(), text, b"," if more.strip() else b"", more)
