"""The rows of one file: geometries of all types in their order, and what stands beside them in the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from predarrow.buffers import numbers_array, text_array
from predarrow.formats.flaws import Flaw
from predarrow.formats.json_text import object_text, string_text
from predarrow.formats.openlabel.columns import Piece, batch_of, heads_of, inner_of, piece_of
from predarrow.formats.openlabel.document import ROOT, Document, FileFrame
from predarrow.formats.openlabel.frames import Collected, collect_frames, external_id, object_text_of
from predarrow.formats.openlabel.geometries import Given, given
from predarrow.formats.openlabel.images import images
from predarrow.formats.openlabel.object_confidences import take_object_confidences
from predarrow.formats.openlabel.places import Classes, ClassOf, Match, Place
from predarrow.formats.openlabel.pointers import pointer
from predarrow.formats.openlabel.polygons import polygons
from predarrow.formats.openlabel.rules import (
    CONVENTIONS,
    Dialect,
    check_one_type,
    check_single_cuboids,
    check_static,
    check_streams,
    streams_of,
)
from predarrow.formats.openlabel.scanned_attributes import First
from predarrow.formats.openlabel.scanned_rows import Context, ScannedRows, scanned_rows
from predarrow.formats.openlabel.shapes import Shaped, boxes, cuboids, points, rotated_boxes
from predarrow.formats.openlabel.wire import Data
from predarrow.reader import Part
from predarrow.report import Code, Problem, Report
from predarrow.table import SCHEMA

NO_ROWS = "OpenLABEL file without a geometry that has a column"
"""What a report calls files that give no row."""

NO_COLUMN = "without a column, kept in attributes"

_MAKERS: dict[str, Callable[[Given], Shaped]] = {
    "bbox": boxes,
    "rbbox": rotated_boxes,
    "cuboid": cuboids,
    "poly2d": polygons,
    "point2d": points,
}
_ATTRIBUTES = SCHEMA.get_field_index("attributes")


class FileRows:
    """The rows of one file, made chunk by chunk.

    Args:
        document: the file.
        dialect: which checks are made.
        match: tells where frames belong.
        classes: tells what classes are.
        mixed: whether geometries of several types may stand in the file, whatever the dialect.
    """

    def __init__(self, document: Document, dialect: Dialect, match: Match, classes: Classes, *, mixed: bool) -> None:
        self._document = document
        self._dialect: Dialect = dialect
        self._is_mixed = mixed or dialect != "kognic"
        self._match = match
        self._classes = classes
        self._streams = streams_of(document)
        self._report = Report(problems=list(document.problems))
        self._first_type: str | None = None
        self._found: dict[tuple[str, str], ClassOf | Flaw] = {}
        self._root_data: dict[str, Data] = {}
        self._seen: set[str] = set()
        self._rowless_frames: dict[str, str] = {}
        self._told: set[str] = set()
        self._first: First | None = None
        self._batches: list[pa.RecordBatch] = []
        self.n = 0
        """How many geometries there were so far"""

    def add_frames(self, frames: Sequence[FileFrame]) -> None:
        """Add the geometries of some frames."""
        objects = self._document.scanned
        if objects is None:
            self.add(collect_frames(self._document, frames, self.n))
            return
        first_type = None if self._is_mixed else self._first_type
        context = Context(self._document, self._dialect, self._match, self._class_of, self._streams, first_type, self.n)
        scanned = scanned_rows(frames, objects, context)
        if scanned is not None:
            self._add_scanned(scanned)
            objects.seen = scanned.seen
        else:
            self._seen |= objects.seen_uids()
            self.add(collect_frames(self._document, frames, self.n))
            objects.see(self._seen)

    def _add_scanned(self, scanned: ScannedRows) -> None:
        if not self._batches:
            self._first = scanned.first
        self._first_type = self._first_type or scanned.kind
        self._batches.append(scanned.batch)
        self._rowless_frames |= scanned.rowless
        self._report.flagged += scanned.flagged
        self.n += scanned.batch.num_rows

    def add(self, collected: Collected) -> None:
        """Add the geometries of some frames, or of the root."""
        self._report.problems += collected.problems
        self._flag(collected)
        pieces = []
        for type_, group in sorted(collected.groups.items(), key=lambda item: item[1].numbers[:1]):
            if collected.is_root:
                for uid in group.uids:
                    self._root_data.setdefault(uid, {})
            if not group.raws:
                continue
            found, others = given(type_, group, collected, self._report.problems)
            for row in others:
                self._keep(collected, type_, row, found, group.raws[row], group.frames[row], group.uids[row])
            take_object_confidences(found, collected)
            if found.n:
                pieces.append(self._piece(found, collected))
        self.n += collected.n
        places = self._places(collected, pieces)
        chosen = [piece for each in pieces if (piece := each.without_refused()).n]
        if chosen:
            self._add_rows(collected, chosen, places)
        elif not collected.is_root:
            self._keep_frames(collected, set())

    def done(self) -> Part:
        """Give all rows; what the file has beside them goes to the first one."""
        if not self._batches:
            if not self._report.problems:
                self._report.skipped[NO_ROWS] += 1
            return Part([], self._report)
        if self._first is not None:
            inner = _joined(self._first.inner, f'"file":{self._file_text()}')
            text = f'{self._first.begin},"openlabel":{{{inner}}}}}'
            batch = self._batches[0]
            column = pa.concat_arrays([text_array([text]), batch.column(_ATTRIBUTES).slice(1)])
            self._batches[0] = batch.set_column(_ATTRIBUTES, batch.schema.field(_ATTRIBUTES), column)
        return Part(self._batches, self._report)

    def _flag(self, collected: Collected) -> None:
        for rest in collected.rests:
            for each in rest.objects.values():
                for type_, raws in each.data.items():
                    if raws and type_ not in ("num", "text", "boolean"):
                        self._report.flagged[f"{type_} {NO_COLUMN}"] += len(raws)

    def _keep(self, collected: Collected, type_: str, row: int, found: Given, raw: Any, frame: int, uid: str) -> None:
        """Keep a geometry without a column with its frame or root object."""
        try:
            found.codec.text(raw)
        except ValueError:
            where = collected.where(frame, uid) + pointer("object_data", type_)
            message = "numbers must be finite, got one that is not"
            self._report.problems.append(Problem(self._document.source, None, where, Code.BAD_NUMBER, message))
            return
        self._report.flagged[f"{type_} {NO_COLUMN}"] += 1
        if collected.is_root:
            self._root_data[uid][type_] = (*self._root_data[uid].get(type_, ()), raw)
        else:
            collected.rests[frame].add(uid, type_, raw)

    def _piece(self, found: Given, collected: Collected) -> Piece:
        """Give the rows of geometries of one type, checked."""
        self._first_type = self._first_type or found.type
        if self._dialect == "kognic":
            if collected.is_root:
                check_static(found)
            if not self._is_mixed:
                check_one_type(found, self._first_type)
            check_single_cuboids(found)
        check_streams(found, self._streams, self._dialect, self._report.flagged)
        if found.type == "image":
            shaped = images(found, self._document)
        else:
            shaped = _MAKERS[found.type](found)
        group = found.group
        for row in shaped.rowless:
            self._keep(collected, found.type, row, found, group.raws[row], group.frames[row], group.uids[row])
        return piece_of(found, shaped, self._document, self._class_of)

    def _class_of(self, type_: str, kind: str) -> ClassOf | Flaw:
        key = type_, kind
        if key not in self._found:
            try:
                self._found[key] = self._classes(type_, kind)
            except Flaw as flaw:
                self._found[key] = flaw
        return self._found[key]

    def _places(self, collected: Collected, pieces: Sequence[Piece]) -> dict[int, Place]:
        """Give the places of the frames that have geometries; those of frames without one are refused."""
        places: dict[int, Place] = {}
        for number in sorted({frame for piece in pieces for frame in piece.given.group.frames}):
            frame = collected.frames[number]
            external = None if collected.is_root else external_id(collected.rests[number], self._document.codec)
            try:
                places[number] = self._match(self._document, frame, external)
            except Flaw as flaw:
                if flaw.message not in self._told:  # once of a file, not of each of its frames
                    self._told.add(flaw.message)
                    where = pointer(ROOT, "frames", frame.key) + flaw.pointer
                    problem = Problem(self._document.source, None, where, flaw.code, flaw.message)
                    self._report.problems.append(problem)
                for piece in pieces:
                    piece.given.refusals.bad |= np.array(piece.given.group.frames) == number
        return places

    def _add_rows(self, collected: Collected, pieces: Sequence[Piece], places: dict[int, Place]) -> None:
        order = np.argsort(np.concatenate([piece.numbers for piece in pieces]), kind="stable")
        batches = [batch_of(piece, self._document.source, places, self._streams.sizes) for piece in pieces]
        batch = batches[0] if len(batches) == 1 else pa.concat_batches(batches).take(numbers_array(order))
        rows = _texts_of(pieces, order.tolist())
        self._add_object_members(rows)
        if collected.is_root:
            for row in range(len(rows.begins)):
                rows.inner[row] = _joined(rows.inner.get(row, ""), '"root":true')
        else:
            self._keep_frames(collected, set(rows.frames))
            self._add_frame_members(collected, rows)
        if not self._batches:
            self._first = First(rows.begins[0], rows.inner.get(0, ""))
        texts = [begin + "}" for begin in rows.begins]
        for row, inner in rows.inner.items():
            texts[row] = f'{rows.begins[row]},"openlabel":{{{inner}}}}}'
        column = text_array(texts)
        self._batches.append(batch.set_column(_ATTRIBUTES, batch.schema.field(_ATTRIBUTES), column))

    def _add_object_members(self, rows: _Texts) -> None:
        """Add root objects to the first rows of theirs, and conventions to cuboids."""
        convention = f',"convention":"{CONVENTIONS[self._dialect]}"'
        for row, uid in enumerate(rows.uids):
            if uid not in self._seen:
                self._seen.add(uid)
                data = self._root_data.get(uid)
                rows.begins[row] += ',"object":' + object_text_of(uid, self._document, data, self._type_of(rows, row))
            if rows.is_cuboid[row]:
                rows.begins[row] += convention

    def _type_of(self, rows: _Texts, row: int) -> str:
        """Give the type of a row's object as a member where its class, an ontology's, is another."""
        type_ = self._document.objects[rows.uids[row]].type
        return "" if rows.named[row] in (None, type_) else f'"type":{string_text(type_)}'

    def _keep_frames(self, collected: Collected, with_rows: set[int]) -> None:
        """Keep frames without rows for the file's first row."""
        for number, rest in enumerate(collected.rests):
            if number not in with_rows:
                text = rest.text(self._document.codec, has_rows=False)
                self._rowless_frames[collected.frames[number].key] = text or "{}"

    def _add_frame_members(self, collected: Collected, rows: _Texts) -> None:
        """Add what frames have beside geometries to the first rows on them."""
        seen: set[int] = set()
        for row, frame in enumerate(rows.frames):
            if frame not in seen:
                seen.add(frame)
                text = collected.rests[frame].text(self._document.codec, has_rows=True)
                if text is not None:
                    rows.inner[row] = _joined(rows.inner.get(row, ""), f'"frame":{text}')

    def _file_text(self) -> str:
        document = self._document
        members = {name: document.codec.text(raw) for name, raw in document.members.items()}
        if self._rowless_frames:
            members["frames"] = object_text(self._rowless_frames)
        objects = {}
        scanned = document.scanned
        if scanned is not None and scanned.seen.all():
            return object_text(members)
        if scanned is not None:
            self._seen |= scanned.seen_uids()
        for uid, item in document.objects.items():
            if uid not in self._seen:
                type_ = f'"type":{string_text(item.type)}'
                objects[uid] = object_text_of(uid, document, self._root_data.get(uid), type_)
        if objects:
            members["objects"] = object_text(objects)
        return object_text(members)


def _joined(members: str, member: str) -> str:
    return f"{members},{member}" if members else member


class _Texts(NamedTuple):
    """What rows' attributes are made of, row by row."""

    begins: list[str]
    inner: dict[int, str]
    """Members of the attribute `openlabel`, of rows that have any"""
    uids: list[str]
    frames: list[int]
    is_cuboid: list[bool]
    named: list[str | None]
    """Classes that ontologies tell"""


def _texts_of(pieces: Sequence[Piece], order: list[int]) -> _Texts:
    """Give what attributes are made of, in an order of the pieces' rows."""
    begins: list[str] = []
    inner: dict[int, str] = {}
    uids: list[str] = []
    frames: list[int] = []
    is_cuboid: list[bool] = []
    named: list[str | None] = []
    for piece in pieces:
        group, owners = piece.given.group, piece.owners
        inner |= {len(begins) + place: members for place, members in inner_of(piece).items()}
        begins += heads_of(piece)
        uids += [group.uids[owner] for owner in owners]
        frames += [group.frames[owner] for owner in owners]
        is_cuboid += [piece.given.type == "cuboid"] * piece.n
        names = piece.shaped.class_names
        named += [names[row] for row in piece.rows.tolist()] if names is not None else [None] * piece.n
    if len(pieces) == 1 and order == sorted(order):
        return _Texts(begins, inner, uids, frames, is_cuboid, named)
    return _Texts(
        [begins[place] for place in order],
        {row: inner[place] for row, place in enumerate(order) if place in inner},
        [uids[place] for place in order],
        [frames[place] for place in order],
        [is_cuboid[place] for place in order],
        [named[place] for place in order],
    )
