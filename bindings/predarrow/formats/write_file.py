"""A file of a format that is written piece by piece, and appears when it is whole."""

from __future__ import annotations

import gzip
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

import pyarrow as pa

from predarrow.errors import OutputError
from predarrow.formats.staging import explained

_LEVEL = 6  # of gzip: level 9 takes three times as long and saves 1 % of results


class Sink(Protocol):
    """What takes bytes."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Take them."""


def check_new(path: Path, *, overwrite: bool) -> None:
    """Refuse a name that is taken.

    Raises:
        OutputError: the file exists and `overwrite` is false, or it is a folder, a device or a pipe.
    """
    if not path.exists() or (overwrite and path.is_file()):
        return
    if path.is_file():
        got = "one that exists; overwrite=True (--overwrite) replaces it"
    else:  # renamed over, /dev/null would be a file from then on
        got = "a folder" if path.is_dir() else "a device or pipe"
    raise OutputError(f"{path}: must be a new file, got {got}")


def opened(path: Path, stack: ExitStack, *, packed: bool) -> IO[bytes]:
    """Give a file to write to, through gzip where it is packed; the stack closes it."""
    file: IO[bytes] = stack.enter_context(path.open("wb"))
    if packed:  # without name and time: the same rows give the same bytes
        file = stack.enter_context(
            gzip.GzipFile("", "wb", compresslevel=_LEVEL, fileobj=file, mtime=0)  # type: ignore[arg-type] # is one
        )
    return file


@contextmanager
def new_file(path: Path, *, overwrite: bool) -> Iterator[Sink]:
    """Give a sink whose bytes have that name when the block ends well; gzip where the name ends in .gz.

    Raises:
        OutputError: the file exists and `overwrite` is false, or it cannot be written.
    """
    check_new(path, overwrite=overwrite)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with explained(path), ExitStack() as stack:
            yield opened(temporary, stack, packed=path.suffix.lower() == ".gz")
        with explained(path):
            temporary.replace(path)
    finally:
        with suppress(OSError):  # it has its name, or there is no such folder
            temporary.unlink()


@contextmanager
def spooled(path: Path) -> Iterator[IO[bytes]]:
    """Give a nameless file in the folder of another, for bytes that come before what must stand in front of them."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    with explained(path), ExitStack() as stack:
        file = stack.enter_context(temporary.open("w+b"))
        temporary.unlink()
        yield file


def copy(source: IO[bytes], sink: Sink) -> None:
    """Write all of a spooled file."""
    source.seek(0)
    shutil.copyfileobj(source, sink, 1 << 20)


class JsonList:
    """Records as the items of a JSON list, one a line, or as JSON Lines.

    Args:
        sink: takes the bytes; what stands before and behind the items is the caller's.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._is_first = True

    def add(self, records: pa.StringArray) -> None:
        """Write records, each of which begins with ",\\n", or with "\\n" in JSON Lines."""
        if not len(records):
            return
        _, offsets, data = records.buffers()
        ends = memoryview(offsets).cast("i")
        text = memoryview(data)[ends[records.offset] : ends[records.offset + len(records)]]
        self._sink.write(text[1:] if self._is_first else text)
        self._is_first = False
