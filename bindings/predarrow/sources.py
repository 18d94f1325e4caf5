"""Which file belongs to which data unit and frame: `<data_unit_title>[__<frame>].png`, or `.txt` and `.csv`.

The convention is that of Encord Active's importers: folders are walked through, the pattern is matched
against the file's name, and `example_video__7.png` speaks for frame 7 of `example_video`.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, overload

from predarrow.errors import InputError, PredarrowError
from predarrow.report import Code, Problem

PNG_FILE_NAME_REGEX = r"^(?P<data_unit_title>.*?)(?:__(?P<frame>\d+))?\.(?i:png)$"
KITTI_FILE_NAME_REGEX = r"^(?P<data_unit_title>.*?)(?:__(?P<frame>\d+))?\.(?i:txt|csv)$"

STANDARD_SUFFIXES = {PNG_FILE_NAME_REGEX: (".png",), KITTI_FILE_NAME_REGEX: (".txt", ".csv")}
"""Suffixes of the standard patterns, in lower case, each of four characters."""

CHUNK_FILES = 64
CHUNK_BYTES = 1 << 20  # some 20 street-like masks; with a quarter of it two threads are 1.4 times one, not 1.7
_CHUNKS = 16  # at least, so that few files are shared among the cores as well
_SMALLEST_BYTES = 1 << 18  # 10 such masks, or 70 palette files of 854 x 480: a chunk's table takes 0.2 to 0.4 ms

_MAX_FRAME = 2**31 - 1
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe is empty: none waits for it

StrPath = str | os.PathLike[str]


class Source(NamedTuple):
    """One file and what it speaks for."""

    path: str
    data_unit: str
    """Title in the file's name, or the project's id once resolved."""
    frame: int | None
    """None where the name gives none."""
    height: int | None = None
    """Rows that the image must have; None where that is unknown."""
    width: int | None = None
    n_frames: int | None = None
    """Frames that the data unit has; None where that is unknown."""


class PlainSources(Sequence[Source]):
    """Files of which no more than path and title are known, in two columns: as tuples they take 0.8 us a file more."""

    def __init__(self, path: Sequence[str], data_unit: Sequence[str]) -> None:
        """Take the columns."""
        self.path = path
        self.data_unit = data_unit

    def __len__(self) -> int:
        """Give the number of files."""
        return len(self.path)

    @overload
    def __getitem__(self, place: int) -> Source: ...
    @overload
    def __getitem__(self, place: slice) -> PlainSources: ...
    def __getitem__(self, place: int | slice) -> Source | PlainSources:
        """Give one file, or some."""
        if isinstance(place, slice):
            return PlainSources(self.path[place], self.data_unit[place])
        return Source(self.path[place], self.data_unit[place], None)


class Found(NamedTuple):
    """Files of an import in the order of the table: data unit, frame, path."""

    sources: Sequence[Source]
    problems: list[Problem]
    skipped: dict[str, int]
    """Files of the format left out by rule, by the rule's name."""


def find_sources(
    path: StrPath | Sequence[StrPath],
    file_name_regex: str = PNG_FILE_NAME_REGEX,
    *,
    suffixes: Sequence[str] = STANDARD_SUFFIXES[PNG_FILE_NAME_REGEX],
) -> Found:
    """Give the files under `path` whose name the pattern matches, sorted by data unit, frame and path.

    Args:
        path: a folder (walked through, links followed), one file, or several files. Files and folders
            whose name begins with a dot are left out unless they are named here.
        file_name_regex: pattern for file names with a group `data_unit_title` and, unless every file is
            frame 0, a group `frame`.
        suffixes: those of the format, four characters each, in lower case: its files are counted where they
            are left out.

    Raises:
        InputError: nothing there, no file that the pattern matches, or a name given twice.
        PredarrowError: a pattern that is none or that lacks the group `data_unit_title`.
    """
    pattern = compile_pattern(file_name_regex)
    standard = STANDARD_SUFFIXES.get(file_name_regex)
    sources: list[Source] = []
    problems: list[Problem] = []
    skipped: dict[str, int] = {}
    others = 0
    titles: list[str] = []
    plain: list[str] = []  # paths, by title
    for files, names in _files(path, suffixes, skipped):
        if standard is not None and (of_all := _plain_titles(files, names, standard)):
            titles.extend(of_all)
            plain.extend(files)
            continue
        for file, name in zip(files, names, strict=True):
            if standard is not None and name[-4:].lower() in standard and "__" not in name and _is_plain(file):
                titles.append(name[:-4])
                plain.append(file)
                continue
            parts = split_name(name, pattern, standard)
            if parts is None:
                others += 1
                if name[-4:].lower() in suffixes:
                    _count(skipped, "file name does not match")
            else:
                _add(sources, problems, file, name, *parts)
    plain_sources = _sorted(titles, plain)
    if not sources and not problems and not titles:
        raise InputError([_nothing_found(path, pattern, others)])
    if titles and not sources:
        return Found(plain_sources, problems, skipped)
    return Found(sorted([*sources, *plain_sources], key=sort_key), problems, skipped)


def sort_key(source: Source) -> tuple[str, int, str]:
    """Order of the prediction table."""
    return source.data_unit, source.frame or 0, source.path


def compile_pattern(file_name_regex: str) -> re.Pattern[str]:
    """Give the pattern compiled.

    Raises:
        PredarrowError: not a regular expression, or one without the group `data_unit_title`.
    """
    if not isinstance(file_name_regex, str):
        raise PredarrowError(f"file_name_regex: must be a text, got {file_name_regex!r}")
    try:
        pattern = re.compile(file_name_regex)
    except re.error as error:
        raise PredarrowError(
            f"file_name_regex: must be a regular expression, got {file_name_regex!r}: {error}"
        ) from None
    if "data_unit_title" not in pattern.groupindex:
        raise PredarrowError(
            f"file_name_regex: must have a group (?P<data_unit_title>…), got {file_name_regex!r}; "
            "a group (?P<frame>…) is optional"
        )
    return pattern


def split_name(
    name: str, pattern: re.Pattern[str], standard: Sequence[str] | None = None
) -> tuple[str, str | None] | None:
    """Give the title and the digits of the frame in a file's name, None where it does not match.

    Args:
        name: of the file, without its folder.
        pattern: with the group `data_unit_title`.
        standard: suffixes of the pattern where it is one of the standard patterns: names in ASCII are then
            split by hand, in a third of the time.
    """
    if standard is None or not name.isascii() or "\n" in name:
        match = pattern.match(name)
        if match is None:
            return None
        title = match["data_unit_title"]
        if "frame" in pattern.groupindex:
            return title, match["frame"]
        return title or name[: name.rfind(".")], "0"
    if name[-4:].lower() not in standard:
        return None
    stem = name[:-4]
    title, mark, digits = stem.rpartition("__")
    return (title, digits) if mark and digits.isdigit() else (stem, None)


def chunked(sources: Sequence[Source]) -> Iterator[list[Source]]:
    """Cut sources into runs of 64 files or 1 MiB, whatever comes first; few into an even number of runs alike.

    The cut depends on the files alone, never on the number of workers, so that batches do not either. Where the last
    run was what was left, two threads had 34 and 30 of 64 street masks, 208 and 192 of 400 palette files. The first and
    the last of the few are half as large: threads that do the same at the same time wait for each other's Python (7 %).
    """
    sizes: Iterable[int] = (_size(source.path) for source in sources)
    n_bytes, n_left, end = 0, 0.0, math.inf
    if len(sources) < _CHUNKS * CHUNK_FILES:
        sizes = list(sizes)
        n_bytes = sum(sizes)
        n_left = _few_chunks(len(sources), n_bytes) - 1.0  # whole ones; what is left is the last
        end = n_bytes / n_left / 2 if n_bytes and n_left else math.inf
    chunk: list[Source] = []
    done = size = 0
    for source, file_bytes in zip(sources, sizes, strict=True):
        chunk.append(source)
        size += file_bytes
        done += file_bytes
        if len(chunk) == CHUNK_FILES or size >= CHUNK_BYTES or (size > 0 and done + file_bytes / 2 >= end):
            yield chunk
            n_left -= 0.5 if done == size else 1
            chunk, size = [], 0
            end = done + (n_bytes - done) / n_left if n_bytes and n_left > 1 else math.inf
    if chunk:
        yield chunk


def _few_chunks(n_files: int, n_bytes: int) -> int:
    """Give the number of runs for so many files: at least 16 where that leaves 256 KiB to each, one or an even one."""
    share = min(max(_SMALLEST_BYTES, n_bytes // _CHUNKS), CHUNK_BYTES)
    n_full = max(-(-n_files // CHUNK_FILES), -(-n_bytes // CHUNK_BYTES))
    n_chunks = max(-(-n_bytes // share), n_full + 1 if n_full > 1 else 1)  # two of them are half as large
    return n_chunks + n_chunks % 2 if n_chunks > 1 else 1


def evenly(sources: Sequence[Source], n_files: int) -> Iterator[Sequence[Source]]:
    """Cut sources into runs of `n_files`, whatever their bytes.

    For small files: asking the system for a file's size takes 2.3 us, more than half of reading it.
    """
    for first in range(0, len(sources), n_files):
        yield sources[first : first + n_files]


def read_bytes(path: str) -> bytes:
    """Give a file's bytes. Half the time of `open(path, "rb").read()` on small files.

    Raises:
        OSError: from the operating system.
    """
    handle = os.open(path, _READ)
    try:
        size = os.fstat(handle).st_size
        data = os.read(handle, size)
        while len(data) < size and (more := os.read(handle, size - len(data))):
            data += more
        return data
    finally:
        os.close(handle)


def _files(
    path: StrPath | Sequence[StrPath], suffixes: Sequence[str], skipped: dict[str, int]
) -> Iterator[tuple[list[str], list[str]]]:
    """Paths and names of all candidates, folder by folder."""
    if not isinstance(path, str | os.PathLike):
        seen: set[str] = set()
        if not isinstance(path, Sequence) or not all(isinstance(one, str | os.PathLike) for one in path):
            raise PredarrowError(f"path: must be a folder, a file or a list of them, got {path!r:.80}")
        for one in path:
            for paths, names in _files(os.fspath(one), suffixes, skipped):
                for file in paths:
                    if (key := os.path.normpath(file)) in seen:
                        message = "a file may be named once, by itself or by its folder, got it twice"
                        raise InputError([Problem(file, None, "", Code.DUPLICATE_SOURCE, message)])
                    seen.add(key)
                yield paths, names
        return
    root = os.fspath(path)
    if os.path.isdir(root):  # noqa: PTH112 - plain strings: a Path per file costs 3 us
        yield from _walk(root, suffixes, skipped)
    elif os.path.exists(root):  # noqa: PTH110
        yield [root], [os.path.basename(root)]  # noqa: PTH119
    else:
        raise InputError([Problem(root, None, "", Code.UNREADABLE, "must be a folder or a file, found nothing there")])


def _walk(root: str, suffixes: Sequence[str], skipped: dict[str, int]) -> Iterator[tuple[list[str], list[str]]]:
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            scan = os.scandir(folder)
        except OSError as error:
            message = f"must be a folder that can be read, got {error.strerror}"
            raise InputError([Problem(folder, None, "", Code.UNREADABLE, message)]) from None
        with scan:
            entries = list(scan)
        shown = [entry for entry in entries if entry.name[0] != "."]
        if len(shown) < len(entries):
            for entry in entries:
                if entry.name[0] == "." and entry.name[-4:].lower() in suffixes:  # ._image.png of macOS among them
                    _count(skipped, "hidden file")
        files = [entry for entry in shown if not entry.is_dir()]
        yield [entry.path for entry in files], [entry.name for entry in files]
        if len(files) < len(shown):
            inner = [entry for entry in shown if entry.is_dir()]
            folders.extend([one.path for one in inner if not (one.is_symlink() and _leads_back(one.path))])


def _leads_back(link: str) -> bool:
    """Whether a linked folder is one of those that it lies in, so that the walk would never end."""
    target = os.path.realpath(link)
    parent = os.path.realpath(os.path.dirname(link))  # noqa: PTH120
    return os.path.commonpath([target, parent]) == target


def _add(sources: list[Source], problems: list[Problem], file: str, name: str, title: str, digits: str | None) -> None:
    if not title:  # `__7.png` names no title, so the whole stem is one
        title, digits = name[: name.rfind(".")], None
    frame = None
    if digits is not None:
        frame = int(digits) if digits.isdecimal() else -1
        if not 0 <= frame <= _MAX_FRAME:
            message = (
                f"a frame must be a whole number from 0 to {_MAX_FRAME}, got {digits!r}; "
                "where the number is part of the title, give a file_name_regex without the group frame"
            )
            problems.append(Problem(_printable(file), None, "file name", Code.FRAME_RANGE, message))
            return
    if not file.isascii() and _printable(file) != file:
        message = "a file name must be UTF-8, got other bytes"
        problems.append(Problem(_printable(file), None, "file name", Code.UNREADABLE, message))
        return
    sources.append(Source(file, title, frame))


def _plain_titles(files: Sequence[str], names: Sequence[str], standard: Sequence[str]) -> list[str] | None:
    """Titles of a folder's files, by one look at all, where all are ASCII with one standard suffix and no frame."""
    text = "\n".join([*names, ""])
    if names and text.isascii() and "__" not in text and _is_plain(files[0]):
        for suffix in standard:
            end = f"{suffix}\n"
            if text.count(end) == len(names) == text.count("\n"):
                return text[: -len(end)].split(end)
    return None


def _sorted(titles: Sequence[str], files: Sequence[str]) -> PlainSources:
    """Sources by title and path."""
    by_title = dict(zip(titles, files, strict=True))
    if len(by_title) == len(titles):
        ordered = sorted(titles)
        return PlainSources([by_title[title] for title in ordered], ordered)
    pairs = sorted(zip(titles, files, strict=True))
    return PlainSources([file for _, file in pairs], [title for title, _ in pairs])


def _is_plain(file: str) -> bool:
    return file.isascii() and "\n" not in file


def _printable(text: str) -> str:
    """Text that UTF-8 can hold; bytes of a name that is none are written as `\\xff`."""
    return os.fsencode(text).decode(errors="backslashreplace")


def _nothing_found(path: StrPath | Sequence[StrPath], pattern: re.Pattern[str], others: int) -> Problem:
    where = os.fspath(path) if isinstance(path, str | os.PathLike) else f"{len(path)} paths"
    message = f"must hold at least one file whose name matches {pattern.pattern!r}, got {others} other files"
    return Problem(where, None, "", Code.NO_SOURCES, message)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - as above
    except OSError:
        return 0  # the reader words the error


def _count(skipped: dict[str, int], rule: str) -> None:
    skipped[rule] = skipped.get(rule, 0) + 1
