"""The text of a COCO file in pieces that seem to begin and end between two records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from predarrow.errors import InputError
from predarrow.report import Problem

if TYPE_CHECKING:
    from predarrow_engine.coco import Gap

_TAIL = 1 << 14
_GAP = re.compile(rb"\}(?=[ \t\r\n]*,[ \t\r\n]*\{)")


class Text(NamedTuple):
    """Some of the file."""

    data: bytes
    read: int
    """Bytes of the file that are read, packed."""


class Piece(NamedTuple):
    """Text that may begin between two records."""

    text: Text
    is_last: bool
    gap: Gap | None
    """Where it seems to begin; None where that is not known."""
    problem: Problem | None = None
    """Why the file cannot be read on; there is no text then."""


def pieces(texts: Iterable[Text], gaps: Sequence[Gap | None], *, is_lines: bool) -> Iterator[Piece]:
    """Give a file's text, cut where one record seems to end and another to begin.

    Args:
        texts: may raise an InputError with one problem, which then is the last piece.
        gaps: one; a piece that begins at a cut seems to begin there. Asked when it is given.
        is_lines: every record ends with a line.
    """
    rest, is_cut, problem = b"", False, None
    text = Text(b"", 0)
    try:
        for following in texts:
            if text.data:
                cut = _cut(text.data, is_lines)
                data = b"".join([rest, memoryview(text.data)[: cut or None]])
                yield Piece(Text(data, text.read), False, gaps[0] if is_cut else None)
                rest, is_cut = text.data[cut:] if cut else b"", cut > 0
            text = following
    except InputError as error:
        (problem,) = error.problems
    yield Piece(Text(rest + text.data, text.read), problem is None, gaps[0] if is_cut else None)
    if problem is not None:
        yield Piece(Text(b"", text.read), True, None, problem)


def _cut(data: bytes, is_lines: bool) -> int:
    """Give where the last gap between two records seems to begin, 0 where there seems to be none."""
    if is_lines:
        return data.rfind(b"\n") + 1
    for tail in (_TAIL, len(data)):
        gaps = list(_GAP.finditer(data, max(len(data) - tail, 0)))
        if gaps:
            return gaps[-1].start() + 1
    return 0
