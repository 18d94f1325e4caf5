"""A COCO file, .json, .json.gz or .jsonl, block by block: memory follows the block, not the file."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeVar, overload

import numpy as np
import numpy.typing as npt

from predarrow.errors import InputError
from predarrow.formats.coco.pieces import Bytes, Piece, Text, pieces
from predarrow.formats.coco.plain_results import Finish, Plain, PlainResults
from predarrow.formats.coco.text import BlockText
from predarrow.pipeline import run
from predarrow.report import Code, Problem
from predarrow_engine import memory

if TYPE_CHECKING:
    from predarrow_engine.coco import CocoBlock, CocoScanner, Gap

T = TypeVar("T")

BLOCK_BYTES = 4 << 20
"""1,000,000 boxes, 84 MB: 104 ms, and 120 with 2 MiB, 132 with 1 MiB; on two threads 109, 125 and 131 of both."""
_MASKS = 1 << 13
"""Masks that a longer block is to have. 50,000 run lengths of 1 kB: 100 ms with 8 MiB, with 2 MiB 145."""
_MASK_BLOCKS = 2
"""Blocks that are one then at most."""
_SAMPLE = 1 << 16

_NONE: Bytes = np.zeros(0, np.uint8)
_GZIP = b"\x1f\x8b"
_LINES = (".jsonl", ".ndjson")
_HEAD = 1 << 12


class Scanned(NamedTuple):
    """A piece of a file and what stands in it."""

    data: BlockText
    block: CocoBlock
    offset: int
    """Bytes of the file before it, unpacked."""
    read: int
    """Bytes of the file that are read, packed."""


class _Ahead(NamedTuple):
    """What a piece holds, if it begins where it seems to."""

    scanner: CocoScanner
    block: CocoBlock | None
    """None of plain results."""
    plain: Plain[Any] | None = None


class CocoFile:
    """One file, to be scanned once or twice.

    Args:
        path: the file; gzip is told by its content, JSON Lines by the name (.jsonl, .ndjson, perhaps with .gz).

    Raises:
        InputError: no file that can be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        name = path.lower().removesuffix(".gz")
        self.is_lines = name.endswith(_LINES)
        try:
            with Path(path).open("rb") as raw:
                self._is_packed = raw.read(2) == _GZIP
                self.size = raw.seek(0, 2)
            with closing(self._open()) as file:
                head = file.read(_HEAD)
        except _flaws_of_reading() as error:
            raise InputError([self.unreadable(error)]) from None
        self.is_dictionary = not self.is_lines and head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")[:1] == b"{"
        """Whether the document is an object, with the list under "annotations"."""

    @overload
    def scan(
        self, wanted: Collection[int], block_bytes: int = ..., *, skimmed: Collection[int] = ..., workers: int = ...
    ) -> Iterator[Scanned]: ...
    @overload
    def scan(
        self,
        wanted: Collection[int],
        block_bytes: int = ...,
        *,
        skimmed: Collection[int] = ...,
        workers: int = ...,
        finish: Finish[T],
    ) -> Iterator[Scanned | Plain[T]]: ...
    def scan(
        self,
        wanted: Collection[int],
        block_bytes: int = BLOCK_BYTES,
        *,
        skimmed: Collection[int] = (),
        workers: int = 1,
        finish: Finish[Any] | None = None,
    ) -> Iterator[Scanned | Plain[Any]]:
        """Give the file piece by piece, the same ones whatever the number of threads.

        Pieces are cut where one record seems to end and another to begin, so that threads can read them before those
        in front are read. What they find is taken where the piece in front ends in just such a gap; else the piece is
        read once more, behind what was left of that one.

        Args:
            wanted: lists of a dictionary to be read: ANNOTATIONS, IMAGES, CATEGORIES.
            block_bytes: read at a time, up to twice as much where most records have masks; a longer record makes a
                longer piece.
            skimmed: lists that are passed over without being looked at, see `CocoScanner`.
            workers: threads that read, the caller's one of them.
            finish: called in such a thread with the records of a piece that all are plain results, written alike as
                those of a piece before; what it gives comes in place of the piece, but for None.

        Raises:
            InputError: the file cannot be read on, or is no JSON; what stands before is given.
        """
        from predarrow_engine.coco import CocoScanner

        gaps: list[Gap | None] = [None]  # where the piece that was read last ended
        results = PlainResults(finish, is_lines=self.is_lines)

        def ahead(chunk: Sequence[Piece]) -> tuple[Piece, _Ahead | None]:
            (piece,) = chunk
            if piece.gap is None:
                return piece, None
            data, other = piece.text.data, scanner.at(piece.gap)
            if plain := results.read(other, data, piece):
                return piece, _Ahead(other, None, plain)
            if workers == 1:
                return piece, None
            other = scanner.at(piece.gap)
            return piece, _Ahead(other, other.scan(data, last=piece.is_last))

        scanner = CocoScanner(lines=self.is_lines, wanted=wanted, skimmed=skimmed)
        given = self._pieces(block_bytes, gaps)
        # The first piece alone: how it is written, and where it ends, is what the others are read ahead by.
        first, begun = next(given), None
        other = CocoScanner(lines=self.is_lines, wanted=wanted, skimmed=skimmed)
        if (halves := results.begin(other, first)) is not None:
            first, head, following = halves
            begun, given = _Ahead(other, head), chain([following], given)
        offset, rest, least = 0, _NONE, 0
        for piece, found in chain([(first, begun)], run(([piece] for piece in given), ahead, workers=workers)):
            if piece.problem is not None:
                raise InputError([piece.problem])
            data = np.concatenate([rest, piece.text.data]) if rest.size else piece.text.data
            block = None
            if found is not None and not rest.size and scanner.gap == piece.gap:
                found.scanner.follow(scanner, found.block)
                scanner, block, plain = found
                if plain is not None:
                    yield plain
                    offset += len(data)
                    gaps[0] = scanner.gap
                    continue
            elif len(data) < least and not piece.is_last:
                rest = data
                continue
            if block is None:
                block = scanner.scan(data, last=piece.is_last)
            results.learn(data, block)
            yield Scanned(BlockText(data), block, offset, piece.text.read)
            if block.code:
                raise InputError([self._flaw(block.code, offset + block.place)])
            offset += block.consumed
            rest = data[block.consumed :]
            least = 0 if block.consumed else 2 * len(data)  # a record longer than the piece
            gaps[0] = scanner.gap

    def _pieces(self, block_bytes: int, gaps: Sequence[Gap | None]) -> Iterator[Piece]:
        size = block_bytes

        def read(rest: Bytes) -> Text:
            nonlocal size
            data = memory.empty(rest.size + size, np.uint8)
            data[: rest.size] = rest
            try:
                data = data[: rest.size + file.readinto(data[rest.size :])]
            except _flaws_of_reading() as error:
                raise InputError([self.unreadable(error)]) from None
            text = Text(data, self._position(file))
            size = self._size(text, block_bytes)
            return text

        try:
            with closing(self._open()) as file:
                yield from pieces(read, gaps, is_lines=self.is_lines)
        except OSError as error:
            raise InputError([self.unreadable(error)]) from None

    def _size(self, text: Text, block_bytes: int) -> int:
        """Give how many bytes are to be read next: fewer near the end, for threads to end at about the same time."""
        sample = text.data[:_SAMPLE].tobytes()
        n_masks = sample.count(b'"counts"')
        size = block_bytes
        if n_masks and 2 * n_masks > sample.count(b'"image_id"'):
            size = max(size, min(_MASKS * len(sample) // n_masks, _MASK_BLOCKS * size, self.size // 8))
        return size if self._is_packed else min(size, max((self.size - text.read) // 2, block_bytes // 4))

    def end(self, size: int) -> bytes:
        """Give the last bytes of the file; none of one that is packed."""
        if self._is_packed:
            return b""
        with closing(self._open()) as file:
            file.seek(-min(size, self.size), 2)
            data: bytes = file.read()
        return data

    def line_of(self, place: int) -> int:
        """Give the line, from 1, of a byte of the unpacked file."""
        line = 1
        with closing(self._open()) as file:
            while place > 0 and (data := file.read(min(place, BLOCK_BYTES))):
                line += data.count(b"\n")
                place -= len(data)
        return line

    def unreadable(self, error: Exception) -> Problem:
        """Word that the file cannot be read."""
        if not isinstance(error, OSError) or error.errno is None:  # not the system, but what unpacks
            return Problem(self.path, None, "", Code.DAMAGED, f"must be a whole gzip file, got {error}")
        reason = getattr(error, "strerror", None) or error
        return Problem(self.path, None, "", Code.UNREADABLE, f"must be a file that can be read, got {reason}")

    def _open(self) -> Any:
        if not self._is_packed:
            return Path(self.path).open("rb", buffering=0)
        from zlib_ng import gzip_ng

        return gzip_ng.open(self.path, "rb")  # type: ignore[no-untyped-call]  # its signature is not annotated in full

    def _position(self, file: Any) -> int:
        raw: BinaryIO = file.fileobj if self._is_packed else file
        return raw.tell()

    def _flaw(self, code: int, place: int) -> Problem:
        from predarrow_engine import coco_columns as c

        rules = {
            c.EXPECTED_VALUE: "must have a value here",
            c.EXPECTED_KEY: "must have a key in quotes here",
            c.EXPECTED_COLON: "must have a colon behind the key",
            c.EXPECTED_COMMA: "must have a comma here, or end the list or object",
            c.BAD_STRING: "must not have control characters or unknown escapes in a string",
            c.BAD_NUMBER: "must have a number of JSON here",
            c.TOO_DEEP: "must not be nested that deep",
            c.TRUNCATED: "must go on: the file breaks off",
            c.EXTRA_DATA: "must have an object on each line, got more behind one"
            if self.is_lines
            else "must end here, got more; name a file with an object on each line .jsonl",
            c.NO_LIST: 'must be a list of results, or an object with a list "annotations"',
            c.BAD_UTF8: "must be UTF-8",
        }
        where = Code.BAD_VALUE if code == c.NO_LIST else Code.BAD_TEXT if code == c.BAD_UTF8 else Code.DAMAGED
        pointer = f"byte {place} (line {self.line_of(place)})"
        return Problem(self.path, None, pointer, where, f"{'' if code == c.NO_LIST else 'JSON '}{rules[code]}")


def _flaws_of_reading() -> tuple[type[Exception], ...]:
    """Give what is raised by a file that cannot be read or unpacked: zlib-ng's error is not that of zlib."""
    from zlib_ng import zlib_ng

    return OSError, EOFError, zlib_ng.error  # type: ignore[return-value]  # its stub declares an instance, not a class


def value_of(data: BlockText | bytes, start: int, end: int) -> Any:
    """Give a JSON value, None for an empty span."""
    if end - start > 2 and data[start : start + 1] == b'"' and b"\\" not in data[start:end]:
        return data[start + 1 : end - 1].decode()
    return json.loads(data[start:end]) if end > start else None


def texts_of(data: BlockText, spans: npt.NDArray[np.int32]) -> list[str]:
    """Give JSON strings one behind the other, of which none is empty, as `value_of` gives them."""
    from predarrow_engine.spans import gather

    if not len(spans) or b"\\" in data[int(spans[0, 0]) : int(spans[-1, 1])]:
        return [value_of(data, start, end) for start, end in spans.tolist()]
    _, quoted = gather(data.array, spans.astype(np.int64))
    return quoted.tobytes().decode()[1:-1].split('""')  # `to_numpy` of an Arrow array loads pandas: 0.25 s, 35 MB
