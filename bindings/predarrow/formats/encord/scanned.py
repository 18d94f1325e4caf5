"""Boxes of label rows that are scanned without an object for each, where rows have nothing but what the SDK writes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import numbers_array
from predarrow.formats.encord.attributes import BASE, NOT_MANUAL
from predarrow.formats.encord.codec import JSON
from predarrow.formats.encord.columns import Floats, Ints
from predarrow.formats.encord.documents import PADDING
from predarrow.formats.encord.facts import ClassKey
from predarrow.formats.encord.frames import scanned_group
from predarrow.formats.encord.rows import IMAGE_TYPES, LabelRow, labels_of_unit
from predarrow.formats.encord.wire import ABSENT, Box, BoxObject

if TYPE_CHECKING:
    from predarrow_engine.label_rows import Labels

LEAST_BYTES = 1 << 18
"""Of labels that are scanned: those below are read as quickly as the scanner is loaded."""

_NULL = b"null"


class ScannedBoxes:
    """Facts of boxes, and their geometry.

    Args:
        data: (n_bytes,) the texts that they were scanned from, and padding.
        labels: what was found in them.
    """

    def __init__(self, data: npt.NDArray[np.uint8], labels: Labels) -> None:
        self._data = data
        self._labels = labels
        self.n = len(labels.manual)

    def taken(self, chosen: npt.NDArray[np.bool_]) -> ScannedBoxes:
        """Give some of the boxes."""
        labels = self._labels
        few = labels._replace(spans=labels.spans[chosen], numbers=labels.numbers[chosen], manual=labels.manual[chosen])
        return ScannedBoxes(self._data, few)

    @property
    def types(self) -> Sequence[type]:
        """See `facts.Facts`."""
        return list(repeat(BoxObject, self.n))

    @cached_property
    def ids(self) -> pa.StringArray:
        """See `facts.Facts`."""
        from predarrow_engine.label_keys import OBJECT

        codes, firsts = self._ids
        return self._texts(self._labels.spans[firsts, OBJECT]).take(numbers_array(codes))

    @property
    def id_codes(self) -> Ints:
        """See `facts.Facts`."""
        return self._ids[0]

    @cached_property
    def _ids(self) -> tuple[Ints, Ints]:
        from predarrow_engine.label_keys import OBJECT

        return self._distinct(OBJECT, OBJECT + 1)

    @cached_property
    def classes(self) -> tuple[list[ClassKey], Ints]:
        """See `facts.Facts`."""
        from predarrow_engine.label_keys import FEATURE, NAME

        codes, firsts = self._distinct(FEATURE, NAME + 1)
        rows = firsts.tolist()
        keys: list[ClassKey] = [(self._text(row, FEATURE) or "", self._text(row, NAME), BoxObject) for row in rows]
        return keys, codes

    @cached_property
    def bases(self) -> tuple[pa.StringArray, Ints]:
        """See `facts.Facts`: texts in the file are put together as they are, which have no escapes."""
        from predarrow_engine.label_keys import CREATED_AT, EDITED_BY
        from predarrow_engine.label_texts import members

        manual = self._labels.manual
        codes, firsts = self._distinct(CREATED_AT, EDITED_BY + 1, manual)
        spans = self._labels.spans[firsts, CREATED_AT : EDITED_BY + 1]
        offsets, texts = members(self._data, spans, BASE[:4], manual[firsts] == 0, NOT_MANUAL)
        return pa.StringArray.from_buffers(firsts.size, pa.py_buffer(offsets), pa.py_buffer(texts)), codes

    @cached_property
    def confidences(self) -> Floats:
        """See `facts.Facts`."""
        from predarrow_engine.label_rows import CONFIDENCE

        given = self._labels.numbers[:, CONFIDENCE]
        return np.where(np.isnan(given), 1.0, given)

    @cached_property
    def values(self) -> Floats:
        """(4, n) x, y, w and h."""
        from predarrow_engine.label_keys import BOX
        from predarrow_engine.label_rows import H

        numbers = np.ascontiguousarray(self._labels.numbers[:, : H + 1].T)
        for row in np.flatnonzero(np.isnan(numbers).any(axis=0)).tolist():  # digits that only Python settles
            start, end = self._labels.spans[row, BOX].tolist()
            box = msgspec.json.decode(self._data[start:end].tobytes(), type=Box)
            numbers[:, row] = box.x, box.y, box.w, box.h
        return numbers

    @cached_property
    def texts(self) -> pa.StringArray:
        """(n,) boxes as they are written."""
        from predarrow_engine.label_keys import BOX

        return self._texts(self._labels.spans[:, BOX])

    def _texts(self, spans: Ints) -> pa.StringArray:
        from predarrow_engine.spans import gather

        offsets, texts = gather(self._data, spans)
        return pa.StringArray.from_buffers(len(spans), pa.py_buffer(offsets), pa.py_buffer(texts))

    def _text(self, row: int, column: int) -> str | None:
        start, end = self._labels.spans[row, column].tolist()
        return None if start < 0 else self._data[start:end].tobytes().decode()

    def _distinct(self, first: int, end: int, flags: npt.NDArray[np.int8] | None = None) -> tuple[Ints, Ints]:
        from predarrow_engine.spans import distinct

        flags = np.zeros(self.n, np.int8) if flags is None else flags
        return distinct(self._data, self._labels.spans, flags, first, end)


def scan_rows(rows: Sequence[LabelRow]) -> ScannedBoxes | None:
    """Give the boxes of label rows, and add the rows' frames; None where a label has more than the scanner knows.

    Args:
        rows: without frames so far.
    """
    units = [
        (row, place, labels_of_unit(unit))
        for row in rows
        for place, unit in enumerate(row.units)
        if labels_of_unit(unit) is not ABSENT
    ]
    texts: list[Any] = [text for _, _, text in units]
    if sum(map(len, texts)) < LEAST_BYTES or any(row.codec is not JSON or row.is_span for row in rows):
        return None
    if _NULL in map(bytes, (text for text in texts if len(text) == len(_NULL))):
        return None
    from predarrow_engine.label_rows import scan

    data, offsets = _together(texts, units[0][0].buffer)
    labels = scan(data, offsets, np.array([row.data_type not in IMAGE_TYPES for row, _, _ in units], np.bool_))
    if labels is None:
        return None
    texts_of_frames = labels.texts.tolist()
    keys = [None if start < 0 else data[start:end].tobytes().decode() for start, end in labels.keys.tolist()]
    places = list(zip(texts_of_frames, keys, strict=True))
    if len(set(places)) < len(places):  # of two that are the same the later one holds, as in every JSON library
        return None
    counts = np.diff(labels.counts, prepend=0).tolist()
    for (text, key), count in zip(places, counts, strict=True):
        row, place, _ = units[text]
        row.groups.append(scanned_group(key, place, row.units[place], row, count))
    return ScannedBoxes(data, labels)


def _together(texts: Sequence[msgspec.Raw], buffer: npt.NDArray[np.uint8] | None) -> tuple[npt.NDArray[np.uint8], Ints]:
    """Give texts one after the other with padding, and where each begins; one of many MiB is not copied."""
    if len(texts) == 1 and buffer is not None:
        begin = _address(texts[0]) - buffer.ctypes.data
        return buffer, np.array([begin, begin + len(texts[0])])
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    return np.frombuffer(b"".join([*texts, bytes(PADDING)]), np.uint8), offsets


def _address(text: msgspec.Raw) -> int:
    return np.frombuffer(text, np.uint8).ctypes.data
