"""Columns -> rows of text, one after the other: constant text, texts of a column or of a short list, and numbers.

    "{"      class           confidence   ","      ids          pieces of every row
    {        "name":"car"    0.5          ,        a            row 0
    {        "name":"bus"    1            ,        b            row 1

One pass writes all: each piece of text made on its own and then joined, as Arrow does, takes five times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, inline, kernel
from predarrow_engine._simd_text import BLOCK, copy_block, load_byte, load_int, load_short, load_word, store
from predarrow_engine.decimals import MOST_BYTES, ROOM, put_decimal

_Bytes = npt.NDArray[np.uint8]
_Ints = npt.NDArray[np.int64]

_CONSTANT, _TEXTS, _NUMBERS = range(3)
_KIND, _DATA, _OFFSETS, _CODES, _CHOSEN, _SKIPPED = range(6)


class Texts(NamedTuple):
    """A column of texts, or a list of them that rows take theirs from."""

    data: _Bytes
    """UTF-8"""
    offsets: npt.NDArray[np.int32]
    """First byte of each text, and the end of the last"""
    skipped: int = 0
    """Bytes left out at both ends of each text"""


class Piece(NamedTuple):
    """What stands at one place of every row."""

    content: bytes | Texts | npt.NDArray[np.float64]
    """The same for all; texts; finite numbers, as `decimals` writes them"""
    codes: _Ints | None = None
    """(n,) which of the texts or numbers a row has; None takes them in their order"""
    chosen: npt.NDArray[np.bool_] | None = None
    """(n,) which rows have the piece; codes of others may be anything"""


def rows(n: int, pieces: Sequence[Piece]) -> _Bytes:
    """Give (n_bytes,) the text of n rows.

    Args:
        n: how many rows there are.
        pieces: of each row, in their order.
    """
    table = np.zeros((len(pieces), 6), np.int64)
    kept = [_describe(piece, row, n) for piece, row in zip(pieces, table, strict=True)]
    size = sum(most for most, _ in kept)
    out = np.empty(size + ROOM, np.uint8)
    return out[: _rows(n, table, out)]


def _describe(piece: Piece, row: _Ints, n: int) -> tuple[int, list[npt.NDArray[np.generic]]]:
    """Write what a kernel is to know of a piece; give how many bytes it has at most, and arrays to be kept alive."""
    kept: list[npt.NDArray[np.generic]] = []

    def address(array: npt.NDArray[np.generic]) -> int:
        kept.append(np.ascontiguousarray(array))
        return int(kept[-1].ctypes.data)

    content = piece.content
    if piece.codes is not None:
        row[_CODES] = address(piece.codes.astype(np.int64, copy=False))
    if piece.chosen is not None:
        row[_CHOSEN] = address(piece.chosen)
    if isinstance(content, bytes):
        row[_KIND], row[_DATA], row[_OFFSETS] = _CONSTANT, address(np.frombuffer(content, np.uint8)), len(content)
        return n * len(content), kept
    if isinstance(content, np.ndarray):
        row[_KIND], row[_DATA] = _NUMBERS, address(content)
        return n * MOST_BYTES, kept
    row[_KIND], row[_SKIPPED] = _TEXTS, content.skipped
    row[_DATA], row[_OFFSETS] = address(content.data), address(content.offsets)
    if piece.codes is None:
        return int(content.offsets[n] - content.offsets[0]), kept
    lengths, codes = np.diff(content.offsets), piece.codes if piece.chosen is None else piece.codes[piece.chosen]
    return int(lengths[codes].sum(dtype=np.int64)), kept


@inline
def copy_bytes(source: int, size: int, target: int) -> int:
    """Copy bytes, none but these read and none but these written; give where they end."""
    at = 0
    while at + BLOCK <= size:
        copy_block(target + at, source + at)
        at += BLOCK
    while at + 8 <= size:
        store(target + at, load_word(source + at))
        at += 8
    while at < size:
        store(target + at, np.uint8(load_byte(source + at)))
        at += 1
    return target + size


@helper
def _put(piece: int, row: int, target: int) -> int:
    """Write the piece of a row; give where it ends."""
    chosen = load_int(piece + 8 * _CHOSEN)
    if chosen != 0 and load_byte(chosen + row) == 0:
        return target
    kind, data = load_int(piece + 8 * _KIND), load_int(piece + 8 * _DATA)
    if kind == _CONSTANT:
        return copy_bytes(data, load_int(piece + 8 * _OFFSETS), target)
    codes = load_int(piece + 8 * _CODES)
    place = load_int(codes + 8 * row) if codes != 0 else row
    if kind == _NUMBERS:
        return put_decimal(target, load_word(data + 8 * place))
    offsets, skipped = load_int(piece + 8 * _OFFSETS), load_int(piece + 8 * _SKIPPED)
    begin, end = load_short(offsets + 4 * place), load_short(offsets + 4 * place + 4)
    return copy_bytes(data + begin + skipped, max(end - begin - 2 * skipped, 0), target)


@kernel
def _rows(n: int, table: npt.NDArray[np.int64], out: _Bytes) -> int:
    first, pieces = int(np.int64(out.ctypes.data)), int(np.int64(table.ctypes.data))
    end, target = pieces + 48 * table.shape[0], first
    for row in range(n):
        piece = pieces
        while piece < end:
            target = _put(piece, row, target)
            piece += 48
    return target - first
