"""Label Studio files: every region of a prediction or annotation becomes one row.

What is read, and what becomes of odd input, stands in `predarrow.formats.label_studio`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from predarrow.errors import PredarrowError
from predarrow.formats.json_files import find_files, read_files
from predarrow.formats.label_studio.collect import WHAT, What, collect
from predarrow.formats.label_studio.config import LabelingConfig
from predarrow.formats.label_studio.documents import Entry, entries_of
from predarrow.formats.label_studio.rows import batch_of
from predarrow.formats.label_studio.texts import Teller
from predarrow.formats.label_studio.units import Naming
from predarrow.options import one_of, whole_number
from predarrow.ordering import sorted_by_name
from predarrow.pipeline import Progress
from predarrow.reader import OnError, Part, PredictionReader
from predarrow.report import Report
from predarrow.sources import StrPath

_CHUNK_BYTES = 8 << 20  # of tasks, that become one batch
SUFFIXES = (".json", ".json.gz", ".jsonl", ".jsonl.gz")


def read_label_studio(
    path: StrPath | Sequence[StrPath],
    *,
    config: LabelingConfig | StrPath | None = None,
    data_key: str | None = None,
    what: What = "all",
    image_sizes: Mapping[str, tuple[int, int]] | None = None,
    threshold: int = 128,
    on_error: OnError = "raise",
    workers: int | None = None,
    progress: Progress | None = None,
) -> PredictionReader:
    """Give the predictions and annotations of Label Studio files, one row for each region.

    data_unit is the task's media, the text in its `data` under the key of the object that its results are for: the one
    that `config` tells, else `data_key`, else that of the object's name (to_name), else the only one that is text;
    where that is a text to be labelled rather than an address, or there is none, the task's id, else "task <place>".
    frame is 0, in videos Label Studio's number less 1. class_name is the region's label, of a control of the whole task
    the control's name. confidence is the region's score, else that in its value, else the prediction's. Coordinates are
    pixels, boxes corners, rotated ones about their centres in degrees clockwise. What columns do not hold stands in
    `attributes`, so that `write_label_studio` gives the tasks back. row is the region's number in its file. Rows are
    sorted by (data_unit, frame, row) within 128 MiB at a time.

    Args:
        path: a .json or .jsonl file, or gzip of these, a folder of them (walked through) or several.
        config: the labelling config, read or as XML text or a file: tells under which key of `data` the media stands.
        data_key: that key itself.
        what: "predictions" or "annotations" alone (with these go completions, their old name), or both.
        image_sizes: (height, width) in pixels by data unit, for regions that do not tell the size of their image.
        threshold: of masks: 1 to 255, the least alpha that is inside.
        on_error: "raise" raises one error in the end that tells all refused regions; "skip" leaves each refused region
            out and tells of it in the reader's `report`.
        workers: threads; None takes PREDARROW_NUM_THREADS, else the cores. Results do not depend on it.
        progress: called with the number of files done and of all files.

    Raises:
        InputError: nothing to read; further problems are raised when the reader is read.
        PredarrowError: an option that does not hold.
    """
    one_of("what", what, WHAT)
    if not 1 <= whole_number("threshold", threshold) <= 255:
        raise PredarrowError(f"threshold: must be 1 to 255, got {threshold}")
    naming = Naming(
        config if config is None or isinstance(config, LabelingConfig) else LabelingConfig.read(config), data_key
    )
    options = _Options(what, naming, {} if image_sizes is None else image_sizes, threshold)

    def read(file: str) -> Part:
        return _file(file, options)

    parts = read_files(find_files(path, SUFFIXES), read, workers=workers, progress=progress)
    return PredictionReader(sorted_by_name(parts), on_error=on_error)


class _Options(NamedTuple):
    what: What
    naming: Naming
    image_sizes: Mapping[str, tuple[int, int]]
    threshold: int


def _file(file: str, options: _Options) -> Part:
    """Give a file's rows.

    Raises:
        Flaw: it does not hold as a whole.
    """
    batches: list[pa.RecordBatch] = []
    report = Report()
    teller = Teller()
    first = 0
    for entries in _chunks(entries_of(file)):
        found = collect(file, entries, options.what, options.naming, first)
        first += len(found.regions)
        batch = batch_of(found, options.image_sizes, options.threshold, teller)
        if batch is not None:
            batches.append(batch)
        report.problems += found.problems
        report.skipped.update(found.skipped)
        report.flagged.update(found.flagged)
    return Part(batches, report)


def _chunks(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    chunk: list[Entry] = []
    n_bytes = 0
    for entry in entries:
        chunk.append(entry)
        n_bytes += sum(map(len, entry.members.values()))
        if n_bytes >= _CHUNK_BYTES:
            yield chunk
            chunk, n_bytes = [], 0
    if chunk:
        yield chunk
