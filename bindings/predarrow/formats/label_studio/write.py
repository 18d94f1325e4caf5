"""Prediction tables as Label Studio's tasks with predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from predarrow.buffers import text_array
from predarrow.errors import InputError, PredarrowError
from predarrow.formats.label_studio.config import LabelingConfig
from predarrow.formats.label_studio.write_places import by_source
from predarrow.formats.label_studio.write_points import single_points
from predarrow.formats.label_studio.write_rows import Gatherer
from predarrow.formats.label_studio.write_shards import Shards, Target, shards
from predarrow.formats.label_studio.write_suit import Suit
from predarrow.formats.label_studio.write_tasks import Options, Piece, tasks_of
from predarrow.formats.write_chunks import COLUMNS, chunks_of
from predarrow.formats.write_file import check_new
from predarrow.formats.write_text import quoted
from predarrow.label_studio_set_rows import rows_of_sets
from predarrow.options import one_of, whole_number
from predarrow.pipeline import Progress, run, worker_count
from predarrow.project import Project
from predarrow.reader import OnError
from predarrow.refusals import Refusals
from predarrow.report import Report
from predarrow.sources import StrPath

MaskForm = Literal["brush", "bitmask"]
Holes = Literal["refuse", "brush", "bitmask"]
OnOutside = Literal["refuse", "clip"]

_COLUMNS = (*COLUMNS, "source")
_LEAST_BYTES = 1024
_LONG = "task larger than max_bytes, in a file of its own"


class LabelStudioWriteResult(NamedTuple):
    """What was written."""

    tasks: int
    rows: int
    report: Report
    """Rows that were refused, and in `flagged` what is odd about those that were written."""
    paths: list[Path]
    """Files of tasks: the one that was asked for, or `<stem>-00001.json` and so on."""
    config: Path | None
    """The labelling config that was made, `<stem>.xml`; None where one was given."""


def write_label_studio(
    table: Any,
    path: StrPath,
    *,
    config: LabelingConfig | StrPath | None = None,
    data_key: str | None = None,
    url: str = "{data_unit}",
    model_version: str | None = None,
    masks: MaskForm = "brush",
    holes: Holes = "refuse",
    on_outside: OnOutside = "refuse",
    max_bytes: int | None = 200_000_000,
    overwrite: bool = False,
    on_error: OnError = "raise",
    progress: Progress | None = None,
) -> LabelStudioWriteResult:
    """Write predictions as Label Studio's tasks, a JSON list that its import takes, with a labelling config for them.

    There is one task a data unit, and one prediction in it for each `model_version`. A row is one region, or one answer
    for the whole task; attributes as `predarrow.formats.label_studio` tells them become members and further results of
    a region, those of other formats its `meta`. Percentages are the shortest decimals that read back as the same
    pixels. Rows that `read_label_studio` read come back as they were, where the columns were not changed since.

    Boxes on several frames of a data unit are a sequence in a video for each object_id, and shown on these frames only.
    Several keypoints are regions of one point each below the row's box. Circles are ellipses. Confidences stand at
    regions. Memory holds some thousand rows, or those of a data unit, and their text. All files appear when they are
    whole.

    Args:
        table: predictions with `__arrow_c_stream__` in the prediction table's schema, the rows of a data unit one after
            the other; or a `Project`, all of whose sets are written as `export_label_studio_predictions` does.
        path: file to write; gzip where its name ends in .gz.
        config: the labelling config, its XML or a file: rows go to its controls by geometry and label, and one whose
            label it lacks is refused. None makes one that fits, and writes it as `<stem>.xml`.
        data_key: member of the task's `data` for the address; by default the one that the config's object shows.
        url: address of a data unit. "{data_unit}" alone is the data unit as it is; with text around it, the data
            unit is percent-encoded.
        model_version: of rows that do not tell one themselves, in `attributes`. Of a project it is the set's name.
        masks: "brush" writes masks as run lengths, "bitmask" as PNG images.
        holes: polygons of several rings, which Label Studio has none of: "refuse" them, or write the mask that they
            are as "brush" or "bitmask".
        on_outside: boxes, polygons, ellipses and points beyond the image: "refuse" them, or "clip" those that
            are not rotated at its border.
        max_bytes: of a file, before it is packed; where all tasks take more, they become files `<stem>-00001.json` and
            so on. None for one file.
        overwrite: replace the files.
        on_error: "raise" writes nothing where a row cannot be held and raises one error that tells them all;
            "skip" leaves such rows out and tells of them in the report.
        progress: called with the number of rows done, and of all rows where the table tells it, else 0.

    Raises:
        InputError: a row that Label Studio cannot hold: in an image of unknown size, beyond the image, with a
            confidence beyond 0 to 1, of a label that the config lacks, of a kind that it has no control for; rows in
            another order; a table without the columns; a config that does not hold.
        OutputError: a file exists, or cannot be written.
        PredarrowError: an option that does not hold.
    """
    if isinstance(table, Project):
        if model_version is not None:
            rule = "must be None for a project, whose sets name it"
            raise PredarrowError(f"model_version: {rule}, got {model_version!r}")
        of_sets = rows_of_sets(table, None)
        table, model_version, progress = of_sets.rows, of_sets.model_version, of_sets.progress(progress)
    one_of("masks", masks, ("brush", "bitmask"))
    one_of("holes", holes, ("refuse", "brush", "bitmask"))
    one_of("on_outside", on_outside, ("refuse", "clip"))
    one_of("on_error", on_error, ("raise", "skip"))
    _check_options(url, max_bytes)
    given = None if config is None else config if isinstance(config, LabelingConfig) else LabelingConfig.read(config)
    target = Target.of(Path(path))
    suit = Suit(given, data_key, masks, holes)
    if given is None:
        check_new(target.config, overwrite=overwrite)
    shown = () if given is None else given.variables
    options = Options(Addresses(url), model_version, suit.frame_rate, shown)
    writer = _Writer(Gatherer(suit, on_outside, holes), options, raises=on_error == "raise")
    with shards(target, max_bytes, overwrite=overwrite) as files:
        report = _fill(files, table, writer, progress, raises=on_error == "raise")
        report.flagged[_LONG] += files.n_long
        report.flagged[f"no labelling config is written: {suit.unfit}"] += suit.unfit is not None
        report.flagged = Counter({what: count for what, count in report.flagged.items() if count})
        paths, beside = files.publish(suit.made, overwrite=overwrite)
    return LabelStudioWriteResult(writer.n_tasks, report.imported, report, paths, beside)


def _fill(files: Shards, table: Any, writer: _Writer, progress: Progress | None, *, raises: bool) -> Report:
    """Write all tasks of a table.

    Raises:
        InputError: where it `raises`, rows that were refused.
    """
    total = table.num_rows if isinstance(table, pa.Table | pa.RecordBatch) else 0
    pieces = ([piece] for chunk in chunks_of(table, _COLUMNS) for piece in writer.pieces(chunk, progress, total))
    for text in run(pieces, lambda chunk: chunk[0](), workers=worker_count(None)):
        files.add(*text)
    if writer.report.problems and raises:
        raise InputError(writer.report.problems)
    files.finish()
    return writer.report


def _check_options(url: str, max_bytes: int | None) -> None:
    if max_bytes is not None:
        whole_number("max_bytes", max_bytes, _LEAST_BYTES)
    if "{data_unit}" not in url:
        raise PredarrowError(f'url: must have "{{data_unit}}" in it, got {url!r}')


class Addresses:
    """Data units -> their addresses, as JSON.

    Args:
        url: with "{data_unit}" in it.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, units: list[str]) -> list[str]:
        """Give the addresses of data units."""
        if self._url != "{data_unit}":
            units = [self._url.replace("{data_unit}", quote(unit)) for unit in units]
        texts: list[str] = quoted(text_array(units)).to_pylist()
        return texts


class _Writer:
    """Chunks -> tasks."""

    def __init__(self, gatherer: Gatherer, options: Options, *, raises: bool) -> None:
        self._gatherer = gatherer
        self._options = options
        self._raises = raises
        self._n_rows = 0
        self.n_tasks = 0
        self.report = Report()

    def pieces(self, batch: pa.RecordBatch, progress: Progress | None, total: int) -> Iterator[Piece]:
        """Give what makes the text of a chunk's tasks; those whose rows are all refused are left out."""
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        columns, numbers = single_points(columns, self._n_rows, self.report.flagged)
        self._n_rows += batch.num_rows
        refusals = Refusals(numbers)
        rows = self._gatherer.rows(columns, refusals, self.report.flagged)
        self.report.problems += sorted(refusals.problems, key=lambda problem: problem.row or 0)
        if not (self.report.problems and self._raises):
            good = by_source(rows.take(np.flatnonzero(~refusals.bad)))
            if len(good):
                made = tasks_of(good, self._options, self.report.flagged)
                self.n_tasks += made.n_tasks
                self.report.imported += batch.num_rows - len({problem.row for problem in refusals.problems})
                yield from made.pieces
        if progress is not None:
            progress(self._n_rows, total)
