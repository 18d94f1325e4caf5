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

from predarrow.errors import InputError
from predarrow.formats.encord.wire import JSON, MESSAGE_PACK, Codec, Row
from predarrow.refusals import shown
from predarrow.report import Code, Problem
from predarrow.sources import StrPath

MEMORY = "label rows"
"""What errors call label rows that are given as dictionaries."""

_SUFFIXES = (".json", ".json.gz")
_RULE = "must be a label row or a list of them"


class Given(NamedTuple):
    """One label row, not read further."""

    source: str
    pointer: str
    members: Row
    codec: Codec


class Document(NamedTuple):
    """The label rows of one file."""

    rows: list[Given]
    problems: list[Problem]
    n_bytes: int


def find_files(path: StrPath | Sequence[StrPath]) -> list[str]:
    """Give JSON files: one, several, or those in a folder and below, by path.

    Raises:
        InputError: nothing there, or no such file.
    """
    if not isinstance(path, str | os.PathLike):
        return [file for each in path for file in find_files(each)]
    root = os.fspath(path)
    if not os.path.isdir(root):  # noqa: PTH112 - as `sources` has it
        return [root]
    found: list[str] = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        plain = (name for name in names if name.lower().endswith(_SUFFIXES) and not name.startswith("."))
        found += [os.path.join(folder, name) for name in plain]  # noqa: PTH118
    if not found:
        rule = f"must hold at least one file that ends in {' or '.join(_SUFFIXES)}, got none"
        raise InputError([Problem(root, None, "", Code.NO_SOURCES, rule)])
    return sorted(found)


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


def _content(file: str) -> bytes:
    data = Path(file).read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def _document(data: bytes, source: str) -> Document:
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.isascii():  # what is only carried along is not looked at later
        try:
            data.decode()
        except UnicodeDecodeError as error:
            problem = Problem(source, None, f"byte {error.start}", Code.BAD_TEXT, "must be UTF-8")
            return Document([], [problem], 0)
    try:
        return _split(JSON.document(data), source, JSON, len(data))
    except msgspec.ValidationError:
        pass
    except (msgspec.DecodeError, RecursionError):  # among others NaN, which Python writes and JSON does not have
        return _by_python(data, source)
    try:
        rows = JSON.rows(data)
    except msgspec.ValidationError:
        got = shown(data[:40].decode(errors="replace"))
        return Document([], [Problem(source, None, "$", Code.BAD_VALUE, f"{_RULE}, got {got}")], 0)
    except (msgspec.DecodeError, RecursionError):
        return _by_python(data, source)
    return _one_by_one(rows, source, JSON, len(data))


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


def _split(found: list[Row] | Row, source: str, codec: Codec, n_bytes: int) -> Document:
    if isinstance(found, dict):
        return Document([Given(source, "$", found, codec)], [], n_bytes)
    rows = [Given(source, f"$[{place}]", row, codec) for place, row in enumerate(found)]
    return Document(rows, [], n_bytes)


def _one_by_one(rows: Sequence[msgspec.Raw | None], source: str, codec: Codec, n_bytes: int) -> Document:
    given: list[Given] = []
    problems: list[Problem] = []
    for place, raw in enumerate(rows):
        if raw is None:
            continue
        pointer = f"$[{place}]"
        try:
            given.append(Given(source, pointer, codec.row(raw), codec))
        except msgspec.ValidationError:
            message = f"must be a label row, got {codec.text(raw)[:40]}"
            problems.append(Problem(source, None, pointer, Code.BAD_VALUE, message))
    return Document(given, problems, n_bytes)


def memory_document(value: Mapping[str, Any] | Sequence[Any], source: str = MEMORY) -> Document:
    """Give the label rows of a list of dictionaries, or of one; they are not changed."""
    is_one = isinstance(value, Mapping)
    problems: list[Problem] = []
    rows: list[msgspec.Raw | None] = []
    n_bytes = 0
    encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode
    for place, each in enumerate([value] if is_one else value):
        try:
            data = encode(each)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            code = Code.BAD_TEXT if isinstance(error, UnicodeError) else Code.BAD_VALUE
            message = f"must hold what JSON can hold: {error}"
            problems.append(Problem(source, None, "$" if is_one else f"$[{place}]", code, message))
            rows.append(None)
            continue
        rows.append(msgspec.Raw(data))
        n_bytes += len(data)
    document = _one_by_one(rows, source, MESSAGE_PACK, n_bytes)
    given = [document.rows[0]._replace(pointer="$")] if is_one and document.rows else document.rows
    return Document(given, problems + document.problems, n_bytes)


def _plain(value: Any) -> Any:
    """Give what stands for a value that is none of JSON's."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a value of type {type(value).__name__}")
