"""One large KITTI file, piece by piece: memory follows the piece, and what is worked on stays in the cache."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from predarrow.classes import TextClasses
from predarrow.formats.kitti.problems import KittiText
from predarrow.formats.kitti.table import TRACKING, Begun, KittiOptions, part
from predarrow.reader import Part
from predarrow.report import Code, Problem, Report
from predarrow.sources import Source
from predarrow.table import constant_column

LARGE = 8 << 20
"""Bytes from which a file is read in pieces: some 80,000 lines."""

# On memory that was used before, a million lines take 205 ms, with pieces of 1 MiB 285, of 4 MiB 190, of 8 MiB 210. In
# a process whose memory is new, as it is in most programs, 4 MiB take 440 and this 335: the system clears huge pages.
_PIECE = 2 << 20

_LINE_END = re.compile(rb"\r\n|[\r\n]")
_HEAD = 1 << 16
"""Bytes in which the first record is looked for."""


def pieces(source: Source, names: TextClasses | None, options: KittiOptions) -> Iterator[Part]:
    """Give what a file comes to, a part for each piece: the same rows and problems as in one.

    Read whole are files of the tracking layouts, whose rows are to be sorted by frame, and files that do not begin with
    a record that can be read, which tells what the others must be.
    """
    begun: Begun | None = None
    try:
        for text in _texts(source):
            result, begun = _piece(text, source, names, options, begun)
            yield result
            if any(problem.row is None for problem in result.report.problems):  # the file is refused
                return
    except OSError as error:
        message = f"must be a file that can be read, got {error.strerror or error}"
        problem = Problem(source.path, None, "", Code.UNREADABLE, message)
        yield Part([], Report(sources=0 if begun else 1, problems=[problem]))


def _texts(source: Source) -> Iterator[KittiText]:
    """Give a file's text, cut behind ends of lines, in memory that is used again for the next piece.

    Raises:
        OSError: from the operating system.
    """
    with Path(source.path).open("rb", buffering=0) as file:
        head = file.read(_HEAD)
        if not _may_be_cut(head):
            whole = head + file.readall()
            yield _text(whole, len(whole))
            return
        buffer = bytearray(_PIECE)
        buffer[: len(head)] = head
        n = len(head)
        while True:
            read = file.readinto(memoryview(buffer)[n:]) or 0
            n += read
            if read and n < len(buffer):
                continue
            cut = buffer.rfind(b"\n", 0, n) + 1 if read else n
            if cut:
                yield _text(buffer, cut)
            if not read:
                return
            rest = buffer[cut:n]
            if not cut:  # a line that is longer than the memory
                buffer = buffer + bytes(len(buffer))
            n = len(rest)
            buffer[:n] = rest


def _text(data: bytes | bytearray, n_bytes: int) -> KittiText:
    return KittiText(data, np.array([0, n_bytes]))


def _may_be_cut(head: bytes) -> bool:
    from predarrow_engine.kitti import OK, parse

    first = parse(np.frombuffer(head, np.uint8), np.array([0, len(head)]))
    return bool(first.code.size and first.code[0] == OK and first.layout[0] < TRACKING)


def _piece(
    text: KittiText, source: Source, names: TextClasses | None, options: KittiOptions, begun: Begun | None
) -> tuple[Part, Begun]:
    from predarrow_engine.kitti import parse

    data, n_bytes = text.data, int(text.file_offsets[1])
    array = np.frombuffer(data, np.uint8)
    rows = parse(array, text.file_offsets) if begun is None else parse(array, text.file_offsets, begun.layout)
    result = part(rows, text, [source], names, options, begun)
    n_rows = rows.code.size
    lines, at = (int(rows.line[-1]) - 1, int(rows.place[-1])) if n_rows else (0, 0)
    lines += len(_LINE_END.findall(data, at, n_bytes))
    if begun is not None:
        return result, begun._replace(lines=begun.lines + lines, rows=begun.rows + n_rows)
    texts = {"data_unit": source.data_unit, "source": source.path}
    shared = {name: constant_column(2 * n_rows, name, text) for name, text in texts.items()}
    return result, Begun(int(rows.layout[0]) if n_rows else 0, lines, n_rows, shared)
