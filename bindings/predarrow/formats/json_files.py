"""Files of JSON: one, several, or those of a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from predarrow.errors import InputError
from predarrow.formats.flaws import Flaw
from predarrow.pipeline import Progress, run, worker_count
from predarrow.reader import Part
from predarrow.report import Code, Problem, Report
from predarrow.sources import StrPath

_SUFFIXES = (".json", ".json.gz")
_FILES = 16  # that a thread takes at a time; one file stays with one thread


def find_files(path: StrPath | Sequence[StrPath], suffixes: tuple[str, ...] = _SUFFIXES) -> list[str]:
    """Give JSON files: one, several, or those in a folder and below, by path.

    Args:
        path: files, taken whatever their names are, and folders.
        suffixes: of the files in folders, in small letters.

    Raises:
        InputError: nothing there.
    """
    if not isinstance(path, str | os.PathLike):
        if not path:
            rule = "must be at least one file or folder, got an empty list"
            raise InputError([Problem("path", None, "", Code.NO_SOURCES, rule)])
        return [file for each in path for file in find_files(each, suffixes)]
    root = os.fspath(path)
    if not os.path.isdir(root):  # noqa: PTH112 - as `sources` has it
        return [root]
    found: list[str] = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        plain = (name for name in names if name.lower().endswith(suffixes) and not name.startswith("."))
        found += [os.path.join(folder, name) for name in plain]  # noqa: PTH118
    if not found:
        rule = f"must hold at least one file that ends in {' or '.join(suffixes)}, got none"
        raise InputError([Problem(root, None, "", Code.NO_SOURCES, rule)])
    return sorted(found)


def read_files(
    files: Sequence[str], read: Callable[[str], Part], *, workers: int | None, progress: Progress | None
) -> Iterator[Part]:
    """Give what files came to, in their order; one that does not hold as a whole is told in the report.

    Args:
        files: at least one.
        read: gives a file's rows, or raises a `Flaw`; called in several threads.
        workers: threads; None takes PREDARROW_NUM_THREADS, else the cores.
        progress: called with the number of files done and of all files.

    Raises:
        PredarrowError: workers that do not hold.
    """

    def part(chunk: Sequence[str]) -> Part:
        batches: list[pa.RecordBatch] = []
        report = Report(sources=len(chunk))
        for file in chunk:
            try:
                done = read(file)
            except Flaw as flaw:
                report.problems.append(Problem(file, None, flaw.pointer, flaw.code, flaw.message))
            else:
                batches += done.batches
                report.add(done.report)
        return Part(batches, report)

    n_workers = worker_count(workers)
    size = min(_FILES, -(-len(files) // n_workers))
    chunks = (files[first : first + size] for first in range(0, len(files), size))
    return run(chunks, part, workers=min(n_workers, len(files)), total=len(files), progress=progress)
