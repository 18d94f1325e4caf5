"""Prediction tables as Encord's label rows: a JSON list of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from predarrow.data_units import DataUnits
from predarrow.errors import InputError, PredarrowError
from predarrow.formats.encord.write_answers import check_answers
from predarrow.formats.encord.write_checks import check
from predarrow.formats.encord.write_documents import Piece, documents
from predarrow.formats.encord.write_headers import Makers
from predarrow.formats.encord.write_ontology import check_ontology
from predarrow.formats.encord.write_rows import Gatherer
from predarrow.formats.write_chunks import chunks_of
from predarrow.formats.write_file import new_file
from predarrow.ontology import Ontology
from predarrow.pipeline import run, worker_count
from predarrow.reader import OnError
from predarrow.refusals import Refusals
from predarrow.report import Report
from predarrow.sources import StrPath


class LabelRowWriteResult(NamedTuple):
    """What was written."""

    label_rows: int
    rows: int
    report: Report
    """Rows that were refused, and in `flagged` what was left out of those that were written."""


def write_label_rows(
    table: Any,
    path: StrPath,
    *,
    ontology: Ontology,
    data_units: DataUnits | Any | None = None,
    portable: bool = False,
    overwrite: bool = False,
    on_error: OnError = "raise",
    workers: int | None = None,
) -> LabelRowWriteResult:
    """Write predictions as Encord's label rows, which its SDK takes (`LabelRowV2.from_labels_dict`): a JSON list.

    There is one label row a data unit. One that `read_label_rows` read comes back as it was: what it says of itself,
    hashes, times, people, and coordinates to the last digit where the columns were not changed. Without one, a label
    row is made of the data unit: an image, or a video where rows are on other frames than 0, or what `data_units`
    says. Coordinates are the shortest decimals that read back as the same pixels. Name, colour and value of objects
    are the ontology's. Answers are those of the attributes `answers` and `dynamic`; frames with equal dynamic answers
    become ranges, as do the frames of a classification, which has one confidence: frames of another confidence become
    another one. An object without an id gets one that follows from its data unit, frame and row.

    Label rows that are made here also have what older SDKs ask for (classifications on frames, `trackHash`), so that
    versions 0.1.190 to 0.1.211 read them.

    Memory holds a label row, or some thousand rows, and their text in pieces. The file appears when it is whole.

    Args:
        table: predictions with `__arrow_c_stream__` in the prediction table's schema, the rows of a data unit one after
            the other.
        path: file to write; gzip where its name ends in .gz.
        ontology: whose classes the rows are of: by feature_hash, without one by class_name and kind.
        data_units: title, kind, size, number of frames, frame rate and place of data units, by id.
        portable: write what older SDKs ask for in label rows that were read, too.
        overwrite: replace the file.
        on_error: "raise" writes nothing where a row cannot be held and raises one error that tells them all;
            "skip" leaves such rows out and tells of them in the report.

        workers: number of threads; by default PREDARROW_NUM_THREADS, else the cores.

    Raises:
        InputError: a row that a label row cannot hold: of a class that the ontology does not have, or of another
            shape; in an image of unknown size; with values that do not hold; rows in another order; a table without
            the columns.
        OutputError: the file exists, or cannot be written.
        PredarrowError: an option that does not hold.
    """
    if on_error not in ("raise", "skip"):
        raise PredarrowError(f'on_error: must be "raise" or "skip", got {on_error!r}')
    if not isinstance(ontology, Ontology):
        raise PredarrowError(f"ontology: must be an Ontology, got {type(ontology).__name__}")
    if data_units is not None and not isinstance(data_units, DataUnits):
        data_units = DataUnits.from_table(data_units)
    writer = _Writer(ontology, data_units, portable=portable, raises=on_error == "raise")
    report = writer.report
    with new_file(Path(path), overwrite=overwrite) as sink:
        is_first = True
        sink.write(b"[")
        pieces = ([piece] for batch in chunks_of(table) for piece in writer.pieces(batch))
        for text in run(pieces, lambda chunk: chunk[0](), workers=worker_count(workers)):
            sink.write(text[1:] if is_first else text)
            is_first = False
        sink.write(b"\n]\n")
        if report.problems and on_error == "raise":
            raise InputError(report.problems)
    report.flagged = Counter({what: count for what, count in report.flagged.items() if count})
    return LabelRowWriteResult(report.sources, report.imported, report)


class _Writer:
    """Chunks -> label rows."""

    def __init__(self, ontology: Ontology, known: DataUnits | None, *, portable: bool, raises: bool) -> None:
        self._ontology = ontology
        self._portable = portable
        self._raises = raises
        self._gatherer = Gatherer(ontology, Makers(known))
        self._n_rows = 0
        self.report = Report()

    def pieces(self, batch: pa.RecordBatch) -> Iterator[Piece]:
        """Give what makes the text of a batch's label rows; those whose rows are all refused are left out."""
        refusals = Refusals(np.arange(self._n_rows, self._n_rows + batch.num_rows))
        self._n_rows += batch.num_rows
        report = self.report
        rows = self._gatherer.rows(batch, refusals, report.flagged)
        check(rows, refusals, report.flagged)
        check_ontology(rows, self._ontology, refusals)
        check_answers(rows, refusals)
        report.problems += sorted(refusals.problems, key=lambda problem: problem.row or 0)
        if report.problems and self._raises:
            return
        good = rows.take(~refusals.bad)
        if len(good):
            made = documents(good, self._ontology, report.flagged, self._portable)
            report.imported += len(good)
            report.sources += made.n_label_rows
            yield from made.pieces
