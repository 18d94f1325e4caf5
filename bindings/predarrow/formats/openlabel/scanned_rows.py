"""Frames of boxes or cuboids, scanned -> a batch of the prediction table, without an object for each geometry.

What comes out is what `file_rows` gives. Frames that have anything else, or a geometry that is refused, are left to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Raw

from predarrow.buffers import numbers_array, text_array
from predarrow.classes import Texts
from predarrow.formats.flaws import Flaw
from predarrow.formats.json_text import string_text
from predarrow.formats.openlabel.document import Document, FileFrame
from predarrow.formats.openlabel.frames import Collected, FrameRest, Group, external_id
from predarrow.formats.openlabel.geometries import given
from predarrow.formats.openlabel.places import ClassOf, Match, Place
from predarrow.formats.openlabel.rules import (
    CONVENTIONS,
    UNKNOWN_STREAM,
    Dialect,
    Streams,
    is_unknown,
    stream_flaw,
)
from predarrow.formats.openlabel.scanned import ScannedObjects, distinct_texts, texts_of
from predarrow.formats.openlabel.scanned_attributes import First, attributes, first_of, rows_of
from predarrow.formats.openlabel.shapes import check_cuboids, come_back, corners_of, cuboid_column
from predarrow.formats.openlabel.wire import JSON, Members
from predarrow.refusals import Refusals
from predarrow.table import bbox_array, record_batch

if TYPE_CHECKING:
    from predarrow_engine.openlabel_frames import Frames
    from predarrow_engine.openlabel_objects import Found

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]


class Context(NamedTuple):
    """What rows of a file are made with."""

    document: Document
    dialect: Dialect
    match: Match
    class_of: Callable[[str, str], ClassOf | Flaw]
    streams: Streams
    first_type: str | None
    """Type of the file's first geometry, where there was one before and all must be of it"""
    n: int
    """Geometries before"""


class ScannedRows(NamedTuple):
    """The rows of some frames."""

    kind: str
    batch: pa.RecordBatch
    first: First
    rowless: dict[str, str]
    """Frames without rows as JSON text, by their keys"""
    flagged: Counter[str]
    seen: Bools
    """(n_objects,) objects that rows belong to so far"""


class _Unusual(Exception):
    """What only the general way reads; never leaves this module."""


def scanned_rows(frames: Sequence[FileFrame], objects: ScannedObjects, context: Context) -> ScannedRows | None:
    """Give the rows of frames; None where they have to be read the general way."""
    from predarrow_engine.json_plain import PADDING
    from predarrow_engine.openlabel_frames import scan
    from predarrow_engine.openlabel_objects import ALL_FOUND, find

    raws = [frame.raw for frame in frames]
    offsets = np.zeros(len(raws) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, raws), np.int64, len(raws)), out=offsets[1:])
    data = np.frombuffer(b"".join([*raws, bytes(PADDING)]), np.uint8)
    scanned = scan(data, offsets)
    if scanned is None:
        return None
    on = np.repeat(np.arange(len(frames)), np.diff(scanned.counts, prepend=0))
    seen = objects.seen.copy()
    found = find(objects.objects, seen, data, scanned.spans[:, 0], scanned.entries, on)
    if found.status != ALL_FOUND:
        return None
    try:
        return _Chunk(frames, data, scanned, found, on, objects, context).rows(seen)
    except (_Unusual, Flaw):
        return None


class _Chunk:
    """Geometries on their way to rows."""

    def __init__(
        self,
        frames: Sequence[FileFrame],
        data: Bytes,
        scanned: Frames,
        found: Found,
        on: Ints,
        objects: ScannedObjects,
        context: Context,
    ) -> None:
        self._frames, self._data, self._scanned, self._found, self._on = frames, data, scanned, found, on
        self._objects, self._context = objects, context
        self._kind = "cuboid" if scanned.is_cuboid else "bbox"
        self._n = len(scanned.unread)
        self._confidences, self._values = scanned.confidences, scanned.values
        self._begins: dict[int, str] = {}
        self._geometries: dict[int, str] = {}
        self._flagged: Counter[str] = Counter()
        self._has_rows = np.zeros(len(frames), np.bool_)
        self._has_rows[on] = True

    def rows(self, seen: Bools) -> ScannedRows:
        """Give the rows.

        Raises:
            _Unusual, Flaw: something that only the general way reads.
        """
        from predarrow_engine.openlabel_geometry import UID
        from predarrow_engine.openlabel_texts import BEGIN, FRAME, GEOMETRY

        self._check_type()
        names, codes = self._named_streams()
        self._read_unread(names, codes)
        columns: dict[str, Any] = {
            "object_id": texts_of(self._data, self._scanned.spans[:, UID]),
            "kind": self._kind,
            "confidence": self._confidences,
            "source": self._context.document.source,
            "row": np.arange(self._context.n, self._context.n + self._n),
            **self._shape(),
            **self._classes(),
            **self._stream(names, codes),
        }
        rests = self._rests()
        columns |= self._placed(rests, names, codes)
        members = [(row, BEGIN, text) for row, text in self._begins.items()]
        members += [(row, GEOMETRY, text) for row, text in self._geometries.items()]
        members += [(row, FRAME, f'"frame":{text}') for row, text in self._frame_texts(rests)]
        convention = CONVENTIONS[self._context.dialect] if self._scanned.is_cuboid else None
        rows = rows_of(self._data, self._scanned, self._found, self._lost, members, convention)
        columns["attributes"] = attributes(rows, self._objects.objects)
        first = first_of(rows, self._objects.objects)
        return ScannedRows(self._kind, record_batch(self._n, columns), first, self._rowless(rests), self._flagged, seen)

    def _check_type(self) -> None:
        is_other = self._context.first_type not in (None, self._kind)
        is_single = self._context.dialect == "kognic" and self._scanned.is_cuboid
        if is_other or (is_single and not np.diff(self._scanned.entries).all()):
            raise _Unusual

    def _named_streams(self) -> tuple[list[str | None], Ints]:
        """Give the streams that geometries name, and which of them each one does."""
        from predarrow_engine.openlabel_geometry import STREAM

        return distinct_texts(self._data, self._scanned.spans[:, STREAM])

    def _read_unread(self, names: list[str | None], codes: Ints) -> None:
        """Read geometries with more than the scanner knows the general way."""
        from predarrow_engine.openlabel_geometry import WHOLE

        rows = np.flatnonzero(self._scanned.unread).tolist()
        if not rows:
            return
        spans = self._scanned.spans[rows, WHOLE].tolist()
        n = len(rows)
        raws = [Raw(self._data[start:end].tobytes()) for start, end in spans]
        group = Group(raws, [""] * n, [0] * n, [0] * n, list(range(n)))
        found, others = given(self._kind, group, Collected(self._context.document, self._frames, False, 0), [])
        if others or found.refusals.problems or any(len(each) != self._values.shape[1] for each in found.values):
            raise _Unusual
        self._values[rows] = found.values
        self._confidences[rows] = found.confidences
        known = {name: code for code, name in enumerate(names)}
        for place, (row, item) in enumerate(zip(rows, found.items, strict=True)):
            self._begins[row] = string_text(item.name) + found.kept.get(place, "")
            codes[row] = known.setdefault(found.streams[place], len(known))
            if place in found.more:
                self._geometries[row] = f'"geometry":{found.more[place]}'
        names[:] = known

    def _shape(self) -> dict[str, Any]:
        values, refusals = self._values, Refusals(np.arange(self._n))
        self._lost: Bools = np.zeros(self._n, np.bool_)
        columns: dict[str, Any] = {}
        if not np.isfinite(values).all():
            raise _Unusual
        if self._scanned.is_cuboid:
            check_cuboids(values, values, refusals)
            columns["cuboid"] = cuboid_column(values)
        else:
            corners = corners_of(values, refusals)
            self._lost = ~come_back(values, corners)
            columns["bbox"] = bbox_array(corners)
        if refusals.bad.any():
            raise _Unusual
        return columns

    def _classes(self) -> dict[str, Any]:
        types = self._objects.type_of[self._found.objects]
        used, firsts = np.unique(types, return_index=True)
        used = used[np.argsort(firsts)]
        classes = [self._context.class_of(self._objects.types[type_], self._kind) for type_ in used.tolist()]
        taken = [each for each in classes if not isinstance(each, Flaw)]
        if len(taken) < len(classes):
            raise _Unusual
        places = np.zeros(len(self._objects.types), np.int64)
        places[used] = np.arange(used.size)
        columns = {"class_name": Texts([each.name for each in taken]).take(places[types])}
        hashes = [each.feature_hash for each in taken]
        if any(each is not None for each in hashes):
            columns["feature_hash"] = Texts(hashes).take(places[types])
        return columns

    def _stream(self, names: Sequence[str | None], codes: Ints) -> dict[str, Any]:
        counts = np.bincount(codes, minlength=len(names))
        used = np.flatnonzero(counts).tolist()
        for code in used:
            name = names[code]
            if self._context.dialect == "asam":
                if is_unknown(name, self._context.streams):
                    self._flagged[UNKNOWN_STREAM] += int(counts[code])
            elif stream_flaw(name, self._kind, self._context.streams) is not None:
                raise _Unusual
        if len(used) == 1:
            return {"stream": names[used[0]]}
        if None in (names[code] for code in used):
            return {"stream": text_array([names[code] for code in codes.tolist()])}
        return {"stream": Texts(names).take(codes)}

    def _rests(self) -> list[FrameRest]:
        """Give what frames have beside geometries."""
        nothing = FrameRest({}, True)
        result = []
        for frame, has_more, has_rows in zip(
            self._frames, self._scanned.has_more.tolist(), self._has_rows.tolist(), strict=True
        ):
            if has_more or not has_rows:
                members: Members = JSON.members(frame.raw)
                has_objects = members.pop("objects", None) is not None
                result.append(FrameRest(members, has_objects))
            else:
                result.append(nothing)
        return result

    def _placed(self, rests: Sequence[FrameRest], names: Sequence[str | None], codes: Ints) -> dict[str, Any]:
        """Give the columns that frames and streams tell."""
        document, match, sizes = self._context.document, self._context.match, self._context.streams.sizes
        places: list[Place] = [
            match(document, self._frames[number], external_id(rests[number], JSON))
            for number in np.flatnonzero(self._has_rows).tolist()
        ]
        which = (np.cumsum(self._has_rows) - 1)[self._on]
        units = [place.data_unit for place in places]
        columns: dict[str, Any] = {
            "data_unit": units[0] if len(set(units)) == 1 else Texts(units).take(which),
            "frame": np.array([place.frame for place in places], np.int32)[which],
        }
        if self._scanned.is_cuboid or (not sizes and all(place.size is None for place in places)):
            return columns
        nothing = 0, 0
        of_frames = np.array([place.size or nothing for place in places], np.int32)[which]
        of_streams = np.array([sizes.get(name or "", nothing) for name in names], np.int32)[codes]
        sides = np.where(of_frames > 0, of_frames, of_streams)
        is_known = np.array(sides[:, 0] > 0)
        for axis, name in enumerate(("image_height", "image_width")):
            columns[name] = numbers_array(np.ascontiguousarray(sides[:, axis]), is_valid=is_known)
        return columns

    def _frame_texts(self, rests: Sequence[FrameRest]) -> Iterator[tuple[int, str]]:
        """Give what frames have beside geometries as JSON text, each with its first row."""
        firsts = np.concatenate([[0], self._scanned.counts[:-1]]).tolist()
        for number in np.flatnonzero(self._has_rows & self._scanned.has_more).tolist():
            text = rests[number].text(JSON, has_rows=True)
            if text is not None:
                yield firsts[number], text

    def _rowless(self, rests: Sequence[FrameRest]) -> dict[str, str]:
        numbers = np.flatnonzero(~self._has_rows).tolist()
        return {self._frames[number].key: rests[number].text(JSON, has_rows=False) or "{}" for number in numbers}
