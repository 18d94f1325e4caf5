"""KITTI's text files, `<title>[__<frame>].txt` or `.csv`: every line becomes one prediction.

Labels (15 fields), results (16, with a score), and KITTI tracking's labels and results, which begin with a frame and
a track id. What a line may look like stands in `predarrow_engine.kitti`.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from time import perf_counter
from typing import NamedTuple

import numpy as np

from predarrow.classes import TextClasses, text_classes
from predarrow.errors import PredarrowError
from predarrow.formats.kitti import pieces as kitti_pieces
from predarrow.formats.kitti.problems import KittiText
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
_CHUNK_BYTES = 16 << 20
_SMALL = 1 << 16
_SLOW = 0.02  # seconds for a chunk: 512 files in the page cache take 2 to 4 ms
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0)


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


_open, _read, _seek, _close = os.open, os.read, os.lseek, os.close  # an attribute less to look up, 7,481 times


class _Done(NamedTuple):
    part: Part
    left: Sequence[Source]
    """Files of the chunk that are not read yet, as they are large, or those before were together."""


class _KittiFiles:
    """Chunks of files -> batches and problems. Called in many threads."""

    def __init__(self, names: TextClasses | None, options: KittiOptions) -> None:
        self._names = names
        self._options = options
        self._turn = threading.Lock()

    def __call__(self, chunk: Sequence[Source]) -> _Done:
        from predarrow_engine.kitti import parse
        from predarrow_engine.memory import steady_malloc

        steady_malloc()
        problems: list[Problem] = []
        read, texts = self._read(chunk, problems)
        offsets = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(text) for text in texts], out=offsets[1:])
        text = KittiText(texts[0] if len(texts) == 1 else b"".join(texts), offsets)
        rows = parse(np.frombuffer(text.data, np.uint8), offsets)
        result = part(rows, text, read, self._names, self._options)
        result.report.sources += len(problems)
        result.report.problems.extend(problems)
        return _Done(result, chunk[len(read) + len(problems) :])

    def pieces(self, source: Source) -> Iterator[Part]:
        """Give what one large file comes to."""
        return kitti_pieces.pieces(source, self._names, self._options)

    def _read(self, chunk: Sequence[Source], problems: list[Problem]) -> tuple[Sequence[Source], list[bytes]]:
        """Files from the start of the chunk, until they are large enough together.

        One thread reads at a time: threads that read small files together wait for the interpreter's lock after
        every call (7,481 files in 16 threads on 2 cores: 124 ms, in turns 79). Where files come slowly, from a cold
        disk or a network, waiting for them is what takes the time, and the turn is given up.
        """
        texts: list[bytes] = []
        failed: set[int] = set()
        size = 0
        paths = chunk.path if isinstance(chunk, PlainSources) else [source.path for source in chunk]
        folder, names = _from_folder(paths)
        has_turn = len(chunk) > 1 and self._turn.acquire()
        latest = perf_counter() + _SLOW
        try:
            for place, name in enumerate(names):
                if size >= _CHUNK_BYTES:
                    break
                try:
                    content = _content(name, folder)
                except OSError as error:
                    message = f"must be a file that can be read, got {error.strerror or error}"
                    problems.append(Problem(paths[place], None, "", Code.UNREADABLE, message))
                    failed.add(place)
                    continue
                if content is None:
                    break
                texts.append(content)
                size += len(content)
                if has_turn and perf_counter() > latest:
                    self._turn.release()
                    has_turn = False
        finally:
            if has_turn:
                self._turn.release()
            if folder is not None:
                _close(folder)
        read = chunk[: len(texts) + len(failed)]
        return [read[place] for place in range(len(read)) if place not in failed] if failed else read, texts


def _from_folder(paths: Sequence[str]) -> tuple[int | None, Sequence[str]]:
    """Give the folder that all files lie in, opened, and their paths from there on; or None, and the paths as they are.

    To open a file so takes a tenth less time.
    """
    head = paths[0][: paths[0].rfind("/") + 1]
    text = "\n".join(paths)
    if len(paths) == 1 or not head or "//" in text or text.count("\n") >= len(paths) or _open not in os.supports_dir_fd:
        return None, paths
    names = text[len(head) :].split(f"\n{head}")
    if len(names) < len(paths):
        return None, paths
    try:
        return _open(head, os.O_RDONLY), names
    except OSError:  # a folder that may be passed through, not listed
        return None, paths


def _content(path: str, folder: int | None) -> bytes | None:
    """Give a file's bytes, None for a large one.

    Its length tells whether all of it was read, in less time than a read beyond the end. What has none, or another
    (a pipe, a device), is read until nothing comes, as it gives less at a time.
    """
    # No faster: names as bytes, readv into one buffer, one call that closes 64 files. Without the proof 0.4 us less of
    # 5, but some network file systems give less than is there, and a line's end may stand there by chance.
    handle = _open(path, _FLAGS, dir_fd=folder)
    try:
        data = _read(handle, _SMALL)
        try:
            size = _seek(handle, 0, os.SEEK_END)
            if size == len(data):
                return data
            if size > kitti_pieces.LARGE:
                return None
            _seek(handle, len(data), os.SEEK_SET)
        except OSError:
            pass
        parts = [data]
        while more := _read(handle, kitti_pieces.LARGE):
            parts.append(more)
        return b"".join(parts)
    finally:
        _close(handle)
