"""Rows of a prediction table as labelling configs are made of them: one for many that are alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from predarrow.formats.label_studio.fitting_wants import AUDIO, IMAGE, TEXT, VIDEO
from predarrow.formats.label_studio.forms import ANSWERS

Bools = npt.NDArray[np.bool_]

_TOLD = ("data_unit", "class_name", "kind")
_KNOWN = f'"(?:label_studio|labels|ranges|{"|".join(ANSWERS)})"'
_SUFFIXES = {
    IMAGE: ("avif", "bmp", "gif", "jpeg", "jpg", "png", "svg", "tif", "tiff", "webp"),
    AUDIO: ("aac", "flac", "m4a", "mp3", "ogg", "wav"),
    VIDEO: ("avi", "m4v", "mkv", "mov", "mp4", "webm"),
}
_MEDIA = {suffix: tag for tag, suffixes in _SUFFIXES.items() for suffix in suffixes}


class Entry(Struct, gc=False):
    """A result of a row that was read from Label Studio."""

    from_name: str
    to_name: str
    type: str
    value: dict[str, Any] = {}


class Kept(Struct, gc=False):
    """What only Label Studio has, as far as configs are made of it."""

    task: dict[str, Any] | None = None
    results: tuple[Entry, ...] = ()
    sequence: dict[str, Any] | None = None


class Attributes(Struct, gc=False):
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
    label_studio: Kept | None = None

    def answers(self) -> dict[str, Any]:
        """Give the answers by the type of their control."""
        found = {type_: getattr(self, key) for key, type_ in ANSWERS.items()}
        return {type_: value for type_, value in found.items() if value is not None}


_NOTHING = Attributes()
_decode = msgspec.json.Decoder(Attributes).decode


class Row(Struct, gc=False):
    """Rows of one kind, class and place, and with the same attributes."""

    data_unit: str
    kind: str
    class_name: str
    is_moving: bool
    """Whether their data unit has a frame after its first"""
    has_holes: bool
    attributes: Attributes

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels; none for rows without a class."""
        if self.attributes.labels is not None:
            return self.attributes.labels
        return (self.class_name,) if self.class_name else ()


def rows_of(columns: Mapping[str, pa.Array], is_moving: Bools) -> Iterator[Row]:
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
        yield Row(unit, kind, class_name, moves, holes, note)


def _media_of(columns: Mapping[str, pa.Array]) -> npt.NDArray[np.int64]:
    """Give numbers of what data units are by their address, of answers and spans; 0 for others."""
    is_told = pc.is_in(columns["kind"], pa.array(["classification", "span"]))
    units = pc.if_else(is_told, columns["data_unit"], pa.scalar(None, pa.string())).dictionary_encode()
    order = {tag: place for place, tag in enumerate(_SUFFIXES)}
    found = [order.get(guess(unit, is_task=False), 0) for unit in units.dictionary.to_pylist()]
    places = np.array([*found, 0], np.int64)
    result: npt.NDArray[np.int64] = places[units.indices.fill_null(len(found)).to_numpy()]
    return result


def _decoded(text: str) -> Attributes:
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


def span_type(row: Row) -> str:
    """Give the type of a span's results: by its ranges, numbers or places in HTML or a dialogue."""
    ranges = row.attributes.ranges
    first = ranges[0] if isinstance(ranges, list) and ranges else None
    if isinstance(first, dict) and isinstance(first.get("start"), str):
        return "paragraphlabels" if first["start"].isdecimal() else "hypertextlabels"
    return "timelinelabels" if row.is_moving or (isinstance(ranges, list) and len(ranges) > 1) else "labels"


def medium_of_span(row: Row) -> str:
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
