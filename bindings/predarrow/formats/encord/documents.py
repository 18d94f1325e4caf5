"""Where label rows come from: JSON files, folders of them, and dictionaries in memory."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from predarrow.formats.encord.codec import JSON, MESSAGE_PACK, Codec, TypedRow
from predarrow.refusals import shown
from predarrow.report import Code, Problem

MEMORY = "label rows"
"""What errors call label rows that are given as dictionaries."""

PADDING = 128
"""Bytes behind a file's that scanners may look at."""

Bytes = npt.NDArray[np.uint8]

_BEGINNING = 4096
_FEW = 1 << 12
_GZIP = b"\x1f\x8b"
_RULE = "must be a label row or a list of them"


class Given(msgspec.Struct, gc=False):
    """One label row, not read yet."""

    source: str
    pointer: str
    raw: msgspec.Raw | None
    codec: Codec
    typed: TypedRow | None = None
    """In place of `raw`, where the row is read as far as its labels."""
    buffer: Bytes | None = None
    """What it lies in, with PADDING bytes behind all rows."""


class Document(NamedTuple):
    """The label rows of one file."""

    rows: list[Given]
    problems: list[Problem]
    n_bytes: int


def documents(files: Iterable[str]) -> Iterator[Document]:
    """Give the label rows of files, one file at a time."""
    for file in files:
        try:
            data = _content(file)
        except OSError as error:
            message = f"must be a file that can be read, got {error.strerror or error}"
            yield Document([], [Problem(file, None, "", Code.UNREADABLE, message)], 0)
        except (EOFError, zlib.error) as error:
            message = f"must be a whole gzip stream, got a damaged one: {error}"
            yield Document([], [Problem(file, None, "", Code.DAMAGED, message)], 0)
        else:
            yield _document(data, file)


def _content(file: str) -> Bytes:
    """Give a file's bytes and padding.

    In NumPy's array, which is not filled with zeros first and lies in few large pages: 35 MB are read in 9 to 14 ms,
    into a bytearray in 26.
    """
    with Path(file).open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        data = np.empty(size + PADDING, np.uint8)
        n = stream.readinto(data.data[:size])
        rest = stream.read()  # a pipe has no size, and a file may grow
    if not rest and data[: min(n, 2)].tobytes() != _GZIP:
        data[n : n + PADDING] = 0
        return data[: n + PADDING]
    content = data[:n].tobytes() + rest
    return np.frombuffer((gzip.decompress(content) if content[:2] == _GZIP else content) + bytes(PADDING), np.uint8)


def _is_ascii(data: Bytes) -> bool:
    if data.size < _FEW:
        return data.tobytes().isascii()
    words, rest = data[: data.size // 8 * 8].view(np.uint64), data[data.size // 8 * 8 :]
    return not int(np.bitwise_or.reduce(words)) & 0x8080808080808080 and rest.tobytes().isascii()


def _document(buffer: Bytes, source: str) -> Document:
    size = len(buffer) - PADDING
    data = buffer.data[3 if buffer[:3].tobytes() == b"\xef\xbb\xbf" else 0 : size]
    if not _is_ascii(buffer):  # what is only carried along is not looked at later
        try:
            str(buffer.data, "utf-8")
        except UnicodeDecodeError as error:
            problem = Problem(source, None, f"byte {error.start}", Code.BAD_TEXT, "must be UTF-8")
            return Document([], [problem], 0)
    begin = bytes(data[:_BEGINNING]).lstrip(b" \t\r\n")[:1]
    try:
        if begin == b"{":
            row = msgspec.json.decode(data, type=msgspec.Raw)
            return Document([Given(source, "$", row, JSON, buffer=buffer)], [], size)
        if begin == b"[":
            return Document(_listed(data, source, buffer), [], size)
    except (msgspec.DecodeError, RecursionError):
        pass
    return _by_python(bytes(data), source)


def _listed(data: memoryview, source: str, buffer: Bytes) -> list[Given]:
    try:
        rows = JSON.typed_rows(data)
    except msgspec.DecodeError:  # a row that has to be read level by level
        return [Given(source, f"$[{place}]", raw, JSON, buffer=buffer) for place, raw in enumerate(JSON.rows(data))]
    return [Given(source, f"$[{place}]", None, JSON, row, buffer) for place, row in enumerate(rows)]


def _by_python(data: bytes, source: str) -> Document:
    try:
        value = json.loads(data)
    except json.JSONDecodeError as error:
        problem = Problem(
            source, None, f"line {error.lineno} column {error.colno}", Code.DAMAGED, f"must be JSON: {error.msg}"
        )
    except (RecursionError, ValueError) as error:  # numbers of thousands of digits
        problem = Problem(source, None, "$", Code.DAMAGED, f"must be JSON that can be read: {error}")
    else:
        if isinstance(value, dict | list):
            return memory_document(value, source)._replace(n_bytes=len(data))
        problem = Problem(source, None, "$", Code.BAD_VALUE, f"{_RULE}, got {shown(value)}")
    return Document([], [problem], 0)


def memory_document(value: Mapping[str, Any] | Sequence[Any], source: str = MEMORY) -> Document:
    """Give the label rows of a list of dictionaries, or of one; they are not changed."""
    is_one = isinstance(value, Mapping)
    problems: list[Problem] = []
    rows: list[Given] = []
    n_bytes = 0
    encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode
    for place, each in enumerate([value] if is_one else value):
        pointer = "$" if is_one else f"$[{place}]"
        try:
            data = encode(each)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            code = Code.BAD_TEXT if isinstance(error, UnicodeError) else Code.BAD_VALUE
            message = f"must hold what JSON can hold: {error}"
            problems.append(Problem(source, None, pointer, code, message))
            continue
        rows.append(Given(source, pointer, msgspec.Raw(data), MESSAGE_PACK))
        n_bytes += len(data)
    return Document(rows, problems, n_bytes)


def _plain(value: Any) -> Any:
    """Give what stands for a value that is none of JSON's."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a value of type {type(value).__name__}")
