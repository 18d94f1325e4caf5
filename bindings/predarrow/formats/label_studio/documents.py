"""Files of Label Studio: their tasks, or predictions alone, not read further."""

from __future__ import annotations

import gzip
import json
import math
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio.wire import Members, any_of, many_members, members_of, parts_of
from predarrow.report import Code
from predarrow.sources import read_bytes

LISTS = ("predictions", "annotations", "completions")
"""Lists of a task whose entries have results."""

BARE_HINT = (
    "the JSON export lists only numbers; take GET /api/tasks?project=…&fields=all, GET /api/predictions?project=…, "
    'or an export snapshot with {"predictions": {"only_id": false}}'
)
"""What to do about predictions as bare numbers."""

_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")
_RULE = 'must be tasks, {"data": …, "predictions": […]}, or predictions, {"result": […]}'


class Entry(NamedTuple):
    """A task, or a prediction that stands alone."""

    place: int
    pointer: str
    members: Members

    @property
    def is_task(self) -> bool:
        """Whether it is a task."""
        return "data" in self.members or any(name in self.members for name in LISTS)


def entries_of(source: str) -> list[Entry]:
    """Give the tasks of a file, .json or .jsonl or gzip of these.

    Raises:
        Flaw: it cannot be read, or has none.
    """
    data = _content(source).removeprefix(b"\xef\xbb\xbf")
    try:
        data.isascii() or data.decode()  # what is only carried along is not looked at later
    except UnicodeDecodeError as error:
        raise Flaw(Code.BAD_TEXT, "", "must be UTF-8", told=f"other bytes at byte {error.start}") from None
    is_lines = source.lower().removesuffix(".gz").endswith(".jsonl")
    entries = list(_lines(data)) if is_lines else _document(data)
    for entry in entries:
        if not entry.is_task and "result" not in entry.members:
            got = ", ".join(list(entry.members)[:5]) or "{}"
            raise Flaw(Code.BAD_VALUE, entry.pointer, _RULE, told=f"an object with {got}")
        if entry.is_task is not entries[0].is_task:
            rule = "a file must have tasks, or predictions alone"
            raise Flaw(Code.BAD_VALUE, entry.pointer, rule, told="both")
    return entries


def _content(source: str) -> bytes:
    try:
        data = read_bytes(source)
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Flaw(Code.DAMAGED, "", "must be a whole gzip stream", told=f"a damaged one: {error}") from None
    except OSError as error:
        rule = "must be a file that can be read"
        raise Flaw(Code.UNREADABLE, "", rule, told=error.strerror or str(error)) from None


def _lines(data: bytes) -> Iterator[Entry]:
    for number, line in enumerate(data.split(b"\n")):
        if not line.strip():
            continue
        root = f"line {number + 1}: $"
        try:
            _check(line)
            yield Entry(number, root, members_of(line))
        except msgspec.ValidationError:
            raise Flaw(Code.BAD_VALUE, root, _RULE, any_of(line)) from None
        except (msgspec.DecodeError, RecursionError):
            raise _not_json(line, f"line {number + 1}: ") from None


def _document(data: bytes) -> list[Entry]:
    try:
        _check(data)
        if b"\n" in data:  # what is carried along should not bring its line breaks
            data = msgspec.json.format(data, indent=-1)
        return _cut(data)
    except (msgspec.DecodeError, RecursionError) as error:
        if isinstance(error, msgspec.ValidationError):
            raise
        raise _not_json(data, "") from None


def _check(data: bytes) -> None:
    """Look for half characters, which are not looked for in what is only carried along."""
    if b"\\u" in data and _HALF_CHARACTER.search(data):
        msgspec.json.decode(data)


def _cut(data: bytes) -> list[Entry]:
    try:
        return _entries(many_members(data), "$")
    except msgspec.ValidationError:
        pass
    try:
        whole = members_of(data)
    except msgspec.ValidationError:
        return _one_by_one(Raw(data), "$")
    if "tasks" in whole and "data" not in whole:
        return _one_by_one(whole["tasks"], "$.tasks")
    return [Entry(0, "$", whole)]


def _entries(found: Sequence[Members], root: str) -> list[Entry]:
    return [Entry(place, f"{root}[{place}]", members) for place, members in enumerate(found)]


def _one_by_one(raw: Raw, root: str) -> list[Entry]:
    """Give the entries of a list; the first that is no object is told."""
    try:
        parts = parts_of(raw)
    except msgspec.ValidationError:
        raise Flaw(Code.BAD_VALUE, root, _RULE, any_of(raw)) from None
    found = []
    for place, part in enumerate(parts):
        try:
            found.append(members_of(part))
        except msgspec.ValidationError:
            raise Flaw(Code.BAD_VALUE, f"{root}[{place}]", _RULE, any_of(part)) from None
    return _entries(found, root)


def _not_json(data: bytes, where: str) -> Flaw:
    """Word why something is no JSON."""
    try:
        place = next(_not_finite(json.loads(data), "$"), None)
    except json.JSONDecodeError as error:
        at = f"{where}line {error.lineno} column {error.colno}"
        return Flaw(Code.DAMAGED, at, "must be JSON", told=error.msg)
    except UnicodeError:
        return Flaw(Code.BAD_TEXT, where, "must be text that UTF-8 can hold", told="half a character")
    except (RecursionError, ValueError) as error:  # numbers of thousands of digits
        return Flaw(Code.DAMAGED, where, "must be JSON that can be read", told=str(error))
    if place is not None:
        return Flaw(Code.BAD_NUMBER, where + place, "numbers must be finite", told="one that is not")
    return Flaw(Code.BAD_TEXT, where, "must be text that UTF-8 can hold", told="half a character")


def _not_finite(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _not_finite(each, f"{place}.{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _not_finite(each, f"{place}[{number}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield place
