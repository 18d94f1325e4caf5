"""A COCO file, .json, .json.gz or .jsonl, block by block: memory follows the block, not the file."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from predarrow.errors import InputError
from predarrow.report import Code, Problem

if TYPE_CHECKING:
    from predarrow_engine.coco import CocoBlock

BLOCK_BYTES = 2 << 20
"""300,000 boxes, 25 MB: 104 ms; with 8 MiB, whose columns leave the cache, 119; with 256 KiB 170."""

_GZIP = b"\x1f\x8b"
_LINES = (".jsonl", ".ndjson")
_HEAD = 1 << 12


class Scanned(NamedTuple):
    """A piece of a file and what stands in it."""

    data: bytes
    block: CocoBlock
    offset: int
    """Bytes of the file before it, unpacked."""
    read: int
    """Bytes of the file that are read, packed."""


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
        except (OSError, EOFError, zlib.error) as error:
            raise InputError([self.unreadable(error)]) from None
        self.is_dictionary = not self.is_lines and head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")[:1] == b"{"
        """Whether the document is an object, with the list under "annotations"."""

    def scan(self, wanted: Collection[int], block_bytes: int = BLOCK_BYTES) -> Iterator[Scanned]:
        """Give the file piece by piece.

        Args:
            wanted: lists of a dictionary to be read: ANNOTATIONS, IMAGES, CATEGORIES.
            block_bytes: least size of a piece but the last.

        Raises:
            InputError: the file cannot be read on, or is no JSON; what stands before is given.
        """
        from predarrow_engine.coco import CocoScanner
        from predarrow_engine.coco_columns import BAD_UTF8

        scanner = CocoScanner(lines=self.is_lines, wanted=wanted)
        offset, rest, size = 0, b"", block_bytes
        try:
            with closing(self._open()) as file:
                while True:
                    more = file.read(size)
                    data = rest + more
                    block = scanner.scan(np.frombuffer(data, np.uint8), last=not more)
                    if block.code != BAD_UTF8:
                        yield Scanned(data, block, offset, self._position(file))
                    if block.code:
                        raise InputError([self._flaw(block.code, offset + block.place)])
                    if not more:
                        return
                    offset += block.consumed
                    rest = data[block.consumed :]
                    size = block_bytes if block.consumed else 2 * len(data)  # a record longer than the block
        except (OSError, EOFError, zlib.error) as error:
            raise InputError([self.unreadable(error)]) from None

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
            c.EXTRA_DATA: "must end here, got more; name a file with an object on each line .jsonl",
            c.NO_LIST: 'must be a list of results, or an object with a list "annotations"',
            c.BAD_UTF8: "must be UTF-8",
        }
        where = Code.BAD_VALUE if code == c.NO_LIST else Code.BAD_TEXT if code == c.BAD_UTF8 else Code.DAMAGED
        pointer = f"byte {place} (line {self.line_of(place)})"
        return Problem(self.path, None, pointer, where, f"{'' if code == c.NO_LIST else 'JSON '}{rules[code]}")


def value_of(data: bytes, start: int, end: int) -> Any:
    """Give a JSON value, None for an empty span."""
    if end - start > 2 and data[start : start + 1] == b'"' and b"\\" not in data[start:end]:
        return data[start + 1 : end - 1].decode()
    return json.loads(data[start:end]) if end > start else None
