"""The text of a COCO file in pieces that seem to begin and end between two records."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow.errors import InputError
from predarrow.report import Problem

if TYPE_CHECKING:
    from predarrow_engine.coco import Gap

_TAIL = 1 << 14
_GAP = re.compile(rb"\}(?=[ \t\r\n]*,[ \t\r\n]*\{)")

Bytes = npt.NDArray[np.uint8]
_NONE: Bytes = np.zeros(0, np.uint8)


class Text(NamedTuple):
    """Some of the file."""

    data: Bytes
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


def pieces(read: Callable[[Bytes], Text], gaps: Sequence[Gap | None], *, is_lines: bool) -> Iterator[Piece]:
    """Give a file's text, cut where one record seems to end and another to begin.

    Args:
        read: gives the bytes that it is called with, and behind them what follows in the file; nothing does where the
            file ends. May raise an InputError with one problem, which then is the last piece.
        gaps: one; a piece that begins at a cut seems to begin there. Asked when it is given.
        is_lines: every record ends with a line.
    """
    text, is_cut, problem = Text(_NONE, 0), False, None
    try:
        text = read(_NONE)
        while True:
            cut = cut_of(text.data, is_lines)
            rest = text.data[cut:] if cut else _NONE
            following = read(rest)
            if following.data.size == rest.size:
                break
            yield Piece(text._replace(data=text.data[: cut or None]), False, gaps[0] if is_cut else None)
            text, is_cut = following, cut > 0
    except InputError as error:
        (problem,) = error.problems
    yield Piece(text, problem is None, gaps[0] if is_cut else None)
    if problem is not None:
        yield Piece(Text(_NONE, text.read), True, None, problem)


def cut_of(data: Bytes, is_lines: bool) -> int:
    """Give where the last gap between two records seems to begin, 0 where there seems to be none."""
    for size in (_TAIL, data.size):
        first = max(data.size - size, 0)
        tail = data[first:].tobytes()
        end = len(tail)
        while (end := tail.rfind(b"\n" if is_lines else b"}", 0, end)) >= 0:
            if is_lines or _GAP.match(tail, end):
                return first + end + 1
    return 0
