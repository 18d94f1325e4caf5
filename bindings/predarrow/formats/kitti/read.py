"""KITTI's text files, `<title>[__<frame>].txt` or `.csv`: every line becomes one prediction.

Labels (15 fields), results (16, with a score), and KITTI tracking's labels and results, which begin with a frame and
a track id. What a line may look like stands in `predarrow_engine.kitti`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from typing import NamedTuple

import numpy as np

from predarrow.classes import TextClasses, text_classes
from predarrow.errors import PredarrowError
from predarrow.formats.kitti import pieces as kitti_pieces
from predarrow.formats.kitti.small_files import read_small
from predarrow.formats.kitti.table import KittiOptions, part
from predarrow.pipeline import Progress, run, worker_count
from predarrow.reader import OnError, Part, PredictionReader
from predarrow.refusals import shown
from predarrow.report import Code, Problem, Report
from predarrow.sources import (
    KITTI_FILE_NAME_REGEX,
    STANDARD_SUFFIXES,
    Found,
    PlainSources,
    Source,
    StrPath,
    compile_pattern,
    evenly,
    find_sources,
)

SUFFIXES = STANDARD_SUFFIXES[KITTI_FILE_NAME_REGEX]

_CHUNK_FILES = 2048  # 16 ms of work; with half of it a chunk's table shows (7 %)


def read_kitti(
    path: StrPath | Sequence[StrPath],
    *,
    classes: Mapping[str, str | None] | None = None,
    workers: int | None = None,
    on_error: OnError = "raise",
    file_name_regex: str = KITTI_FILE_NAME_REGEX,
    default_confidence: float | None = None,
    keep_dontcare: bool = False,
    progress: Progress | None = None,
) -> PredictionReader:
    """Give the predictions of KITTI label, result and tracking files, one for each line.

    data_unit and frame come from the file's name; in tracking files the frame is each row's own, and object_id its
    track id (null for KITTI's -1). class_name is the file's, verbatim; kind is bbox, the box its corners in pixels
    as they stand; confidence the score. The 3-D box stands in `cuboid` (see `formats.kitti.columns`), truncated,
    occluded, alpha and rotation_y in `attributes`. row is the record's place in its file, blank lines not counted.
    Rows are sorted by (data_unit, frame, row).

    Args:
        path: a folder (walked through), one file, or several.
        classes: names to give, by the files' class names; None for a name leaves the class out (counted in the
            report), a class that is not named is a problem of its record. Without `classes` names are kept.
        workers: threads; None takes PREDARROW_NUM_THREADS, else the cores. Results do not depend on it.
        on_error: "raise" raises one error in the end that tells all refused records; "skip" leaves each refused
            record out (a file only where it cannot be read, or its frames contradict each other) and tells of
            it in the reader's `report`.
        file_name_regex: pattern with the group data_unit_title and perhaps frame.
        default_confidence: of rows without a score; None leaves it null.
        keep_dontcare: give regions of the class DontCare as rows instead of counting them as skipped.
        progress: called with the number of files done and of all files.

    Raises:
        InputError: nothing to read; further problems are raised when the reader is read.
        OntologyError: `classes` is no mapping of text.
        PredarrowError: an option that does not hold.
    """
    names = None if classes is None else text_classes(classes)
    found = find_sources(path, file_name_regex, suffixes=SUFFIXES)
    options = kitti_options(file_name_regex, default_confidence, keep_dontcare)
    return read_found(found, names, options, workers=workers, on_error=on_error, progress=progress)


def kitti_options(file_name_regex: str, default_confidence: float | None, keep_dontcare: bool) -> KittiOptions:
    """Give options for reading that are checked.

    Raises:
        PredarrowError: a pattern or a confidence that does not hold.
    """
    has_frame = "frame" in compile_pattern(file_name_regex).groupindex
    if default_confidence is None:
        return KittiOptions(None, keep_dontcare, has_frame)
    given: object = default_confidence
    try:
        confidence = float(given) if isinstance(given, Real) else math.nan
    except OverflowError:
        confidence = math.inf
    if isinstance(given, bool) or not math.isfinite(confidence):
        raise PredarrowError(f"default_confidence: must be a finite number or None, got {shown(given)}")
    return KittiOptions(confidence, keep_dontcare, has_frame)


def read_found(
    found: Found,
    names: TextClasses | None,
    options: KittiOptions,
    *,
    workers: int | None,
    on_error: OnError,
    progress: Progress | None,
) -> PredictionReader:
    """Give the predictions of files that are found, and perhaps resolved, already; see `read_kitti`."""
    report = Report(sources=len(found.problems), problems=list(found.problems))
    report.skipped.update(found.skipped)
    parts = _parts(found.sources, _KittiFiles(names, options), worker_count(workers), progress)
    return PredictionReader(parts, report=report, on_error=on_error)


def _parts(sources: Sequence[Source], function: _KittiFiles, workers: int, progress: Progress | None) -> Iterator[Part]:
    """Parts in order; what a chunk left unread is read file by file, by all workers, before the next chunk.

    Of these, files that are read in pieces are read here, one after the other.
    """
    chunks = evenly(sources, _CHUNK_FILES)
    for done in run(chunks, function, workers=workers, total=len(sources), progress=progress):
        yield done.part
        for one in run(([source] for source in done.left), function, workers=workers):
            yield one.part
            for source in one.left:
                yield from function.pieces(source)


class _Done(NamedTuple):
    part: Part
    left: Sequence[Source]
    """Files of the chunk that are not read yet, as they are large, or those before were together."""


class _KittiFiles:
    """Chunks of files -> batches and problems. Called in many threads."""

    def __init__(self, names: TextClasses | None, options: KittiOptions) -> None:
        self._names = names
        self._options = options

    def __call__(self, chunk: Sequence[Source]) -> _Done:
        from predarrow_engine.kitti import parse
        from predarrow_engine.memory import steady_malloc

        steady_malloc()
        paths = chunk.path if isinstance(chunk, PlainSources) else [source.path for source in chunk]
        text, failed, n_seen = read_small(paths)
        read = chunk[:n_seen]
        if failed:
            read = [source for place, source in enumerate(read) if place not in failed]
        rows = parse(np.frombuffer(text.data, np.uint8), text.file_offsets)
        result = part(rows, text, read, self._names, self._options)
        result.report.sources += len(failed)
        for place, error in failed.items():
            message = f"must be a file that can be read, got {error.strerror or error}"
            result.report.problems.append(Problem(paths[place], None, "", Code.UNREADABLE, message))
        return _Done(result, chunk[n_seen:])

    def pieces(self, source: Source) -> Iterator[Part]:
        """Give what one large file comes to."""
        return kitti_pieces.pieces(source, self._names, self._options)
