"""Encord's label rows: every object on a frame, and every classification, becomes one prediction.

What is read, and what becomes of odd input, stands in `predarrow.formats.encord`.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from predarrow.buffers import numbers_array
from predarrow.errors import PredarrowError
from predarrow.formats.encord.chunk import Done, Match, converted
from predarrow.formats.encord.columns import Ints
from predarrow.formats.encord.documents import Document, Given, documents, memory_document
from predarrow.formats.encord.labels import Place
from predarrow.formats.encord.rows import LabelRow, label_row, read_frames
from predarrow.formats.encord.rules import Rules
from predarrow.formats.encord.scanned import scan_rows
from predarrow.formats.flaws import Flaw
from predarrow.formats.json_files import find_files
from predarrow.ontology import Ontology
from predarrow.ordering import WINDOW_BYTES, Keyed, keys, sorted_parts
from predarrow.pipeline import Progress, run, worker_count
from predarrow.reader import OnError, Part, PredictionReader
from predarrow.refusals import shown
from predarrow.report import Code, Problem, Report
from predarrow.sources import StrPath
from predarrow.table import SCHEMA

LabelRows: TypeAlias = StrPath | Sequence[StrPath] | Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""One label row as a dictionary, a list of them, or files of either."""

_CHUNK_BYTES = 8 << 20
_CHUNK_ROWS = 4096

_ROW = SCHEMA.get_field_index("row")


def read_label_rows(
    label_rows: LabelRows,
    *,
    ontology: Ontology | Mapping[str, Any] | StrPath | None = None,
    on_error: OnError = "raise",
    workers: int | None = None,
    progress: Progress | None = None,
) -> PredictionReader:
    """Give the labels of Encord's label rows, one row for each object on a frame and each classification on a frame.

    data_unit is the row's data_hash, also of an image group, whose images are its frames. Coordinates are pixels;
    object_id is the objectHash or classificationHash, feature_hash the featureHash, class_name the ontology's name,
    else the label's, else the featureHash; confidence is 1 where Encord has none. What columns do not hold stands in
    `attributes`, so that `write_label_rows` gives the label rows back. row is the label's number in its file. Rows are
    sorted by (data_unit, frame, row) within 128 MiB at a time; a label row's rows stand together.

    Args:
        label_rows: a .json or .json.gz file, a folder of them (walked through) or several; one label row as a
            dictionary, as `LabelRowV2.to_encord_dict` and the platform's JSON export give it, or a list of them.
        ontology: an `Ontology`, its structure, or a JSON file of that; classes, shapes and answers must be its own.
        on_error: "raise" raises one error in the end that tells all refused labels; "skip" leaves each refused label
            out (a label row only where it does not hold as a whole) and tells of it in the reader's `report`.
        workers: threads; None takes PREDARROW_NUM_THREADS, else the cores. Results do not depend on it.
        progress: called with the number of label rows done and of those that are known of so far.

    Raises:
        InputError: nothing to read; further problems are raised when the reader is read.
        OntologyError: an ontology that does not hold.
        PredarrowError: an option that does not hold.
    """
    rules = Rules(opened_ontology(ontology))
    parts = label_row_parts(given_documents(label_rows), rules, as_it_is, workers=workers, progress=progress)
    return PredictionReader(parts, on_error=on_error)


def opened_ontology(ontology: Ontology | Mapping[str, Any] | StrPath | None) -> Ontology | None:
    """Give an ontology that is given in one of its forms.

    Raises:
        OntologyError: it does not hold.
    """
    if ontology is None or isinstance(ontology, Ontology):
        return ontology
    if isinstance(ontology, Mapping):
        return Ontology.from_dict(ontology)
    if isinstance(ontology, str | os.PathLike):
        return Ontology.read(Path(ontology))
    raise PredarrowError(f"ontology: must be an Ontology, its structure or a file, got {shown(ontology)}")


def given_documents(label_rows: LabelRows) -> Iterable[Document]:
    """Give label rows that are given in one of their forms, file by file.

    Raises:
        InputError: nothing there.
        PredarrowError: none of those forms.
    """
    if isinstance(label_rows, str | os.PathLike):
        return documents(find_files(label_rows))
    if isinstance(label_rows, Mapping):
        return iter([memory_document(label_rows)])
    given: Any = label_rows
    if not isinstance(given, Sequence) or isinstance(given, bytes | bytearray):
        rule = "must be a path, a label row (a dictionary) or a list of either"
        raise PredarrowError(f"label_rows: {rule}, got {shown(label_rows)}")
    if given and all(isinstance(each, str | os.PathLike) for each in given):
        return documents(find_files(given))
    return iter([memory_document(given)])


def as_it_is(row: LabelRow) -> Place:
    """Place a label row's labels by its own hash."""
    return Place(row, row.data_hash, None, row.n_frames)


def label_row_parts(
    given: Iterable[Document],
    rules: Rules,
    match: Match,
    *,
    workers: int | None,
    progress: Progress | None,
) -> Iterator[Part]:
    """Give label rows as parts of a reader, sorted within 128 MiB.

    Args:
        given: label rows, file by file.
        rules: what their ontology says.
        match: tells where a label row belongs.
        workers, progress: see `read_label_rows`.

    Raises:
        PredarrowError: workers that do not hold.
    """
    chunks = _Chunks(given)
    n_workers = worker_count(workers)

    def function(chunk: Sequence[Given]) -> Done:
        with _no_collector():
            return _converted(chunk, rules, match)

    def told(done: int, total: int) -> None:
        if progress is not None:
            progress(done, chunks.n_rows)

    def parts() -> Iterator[Part]:
        results = run(chunks, function, workers=n_workers, progress=told)
        yield from sorted_parts(_windows(results, chunks), window_bytes=0)

    return parts()


@contextmanager
def _no_collector() -> Iterator[None]:
    """Keep the garbage collector from looking through the process's objects while label rows make a million.

    Labels hold no circles, so there is nothing to find; it takes a third of the time of label rows of one box each.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Chunks:
    """Label rows in chunks of some MiB, and the problems of files met on the way."""

    def __init__(self, given: Iterable[Document]) -> None:
        self._given = given
        self.n_rows = 0
        self.report = Report()

    def __iter__(self) -> Iterator[Sequence[Given]]:
        pending: list[Given] = []
        n_bytes = 0.0
        for document in self._given:
            self.report.sources += 1
            self.report.problems += document.problems
            self.n_rows += len(document.rows)
            each = document.n_bytes / max(len(document.rows), 1)
            for row in document.rows:
                pending.append(row)
                n_bytes += each
                if n_bytes >= _CHUNK_BYTES or len(pending) >= _CHUNK_ROWS:
                    yield pending
                    pending, n_bytes = [], 0.0
        if pending:
            yield pending

    def take_report(self) -> Report:
        """Give what was met since the last time."""
        report, self.report = self.report, Report()
        return report


def _converted(chunk: Sequence[Given], rules: Rules, match: Match) -> Done:
    rows: list[LabelRow] = []
    problems: list[Problem] = []
    for given in chunk:
        try:
            rows.append(label_row(given))
        except Flaw as flaw:
            problems.append(_refused(given.source, given.pointer, flaw))
    scanned = scan_rows(rows)
    if scanned is None:
        rows = [row for row in rows if _has_frames(row, problems)]
    done = converted(rows, rules, match, scanned)
    done.report.problems[:0] = problems
    return done


def _has_frames(row: LabelRow, problems: list[Problem]) -> bool:
    try:
        read_frames(row)
    except Flaw as flaw:
        problems.append(_refused(row.source, row.pointer, flaw))
        return False
    return True


def _refused(source: str, pointer: str, flaw: Flaw) -> Problem:
    return Problem(source, None, pointer + flaw.pointer, flaw.code, flaw.message)


class _Window(NamedTuple):
    batch: pa.RecordBatch
    owner: Ints
    data_units: Sequence[str]


def _windows(results: Iterable[Done], chunks: _Chunks) -> Iterator[tuple[list[Keyed], Report]]:
    """Give what is held together with the place of each row in the order of data units, frames and rows."""
    window: list[_Window] = []
    n_bytes = 0
    counted = _Counted()
    for done in results:
        report = chunks.take_report()
        report.add(done.report)
        batch, owner = counted.numbered(done, report)
        if batch is not None:
            window.append(_Window(batch, owner, done.data_units))
            n_bytes += batch.nbytes
        if n_bytes >= WINDOW_BYTES:
            yield _keyed(window), report
            window, n_bytes = [], 0
        else:
            yield [], report
    yield _keyed(window), chunks.take_report()


def _keyed(window: Sequence[_Window]) -> list[Keyed]:
    names = sorted({name for each in window for name in each.data_units})
    ranks = {name: rank for rank, name in enumerate(names)}
    result = []
    for batch, owner, data_units in window:
        rank = np.array([ranks[name] for name in data_units], np.int64)[owner]
        frames = batch.column("frame").to_numpy().astype(np.int64)
        result.append(Keyed(batch, keys(rank, frames)))
    return result


class _Counted:
    """Numbers labels through their files, and leaves out further label rows of a data unit."""

    def __init__(self) -> None:
        self._source = ""
        self._n_labels = 0
        self._seen: dict[str, str] = {}

    def numbered(self, done: Done, report: Report) -> tuple[pa.RecordBatch | None, Ints]:
        """Give a chunk's rows with their numbers in their files, and the label row of each."""
        base = self._begin(done)
        is_new = np.array([self._is_new(place, done, report) for place in range(len(done.data_units))], np.bool_)
        batch, owner = done.batch, done.owner
        if base:
            report.problems[:] = [
                problem._replace(row=problem.row + base)
                if problem.row is not None and problem.source == done.labels[0][0]
                else problem
                for problem in report.problems
            ]
        if batch is None:
            return None, owner
        if base:
            continued = np.array([source == done.labels[0][0] for source, _ in done.where])[owner]
            numbers = batch.column(_ROW).to_numpy() + np.where(continued, base, 0)
            batch = batch.set_column(_ROW, batch.schema.field(_ROW), numbers_array(numbers))
        if not is_new.all():
            chosen = np.flatnonzero(is_new[owner])
            batch, owner = batch.take(numbers_array(chosen)), owner[chosen]
        return batch, owner

    def _begin(self, done: Done) -> int:
        """Give the number of the first label of the chunk's first file."""
        if not done.labels:
            return 0
        source = done.labels[0][0]
        base = self._n_labels if source == self._source else 0
        self._source, n_last = done.labels[-1]
        self._n_labels = n_last + (base if len(done.labels) == 1 else 0)
        return base

    def _is_new(self, place: int, done: Done, report: Report) -> bool:
        data_unit, (source, pointer) = done.data_units[place], done.where[place]
        before = self._seen.setdefault(data_unit, f"{source}: {pointer}")
        if before == f"{source}: {pointer}":
            return True
        rule = f"must be the only label row of the data unit {data_unit!r}, got {before} as well"
        hint = "read one branch at a time"
        report.problems.append(Problem(source, None, pointer, Code.DUPLICATE_SOURCE, f"{rule}; {hint}"))
        return False
