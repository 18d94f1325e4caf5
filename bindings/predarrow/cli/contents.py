"""What a file holds, told by what stands in it and never by a guess.

A JSON file is told by the keys at its top: those of its object, or of the objects in its list. Only its beginning is
read, since all formats have telling keys there; what tells nothing has to be named by the user.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from pathlib import Path
from typing import Literal, NamedTuple

from predarrow.errors import InputError
from predarrow.report import Code, Problem

Form = Literal["coco", "encord", "ontology"]
TableKind = Literal["Parquet", "Arrow file", "Arrow stream"]

_HEAD_BYTES = 1 << 18
_GZIP = b"\x1f\x8b"
_MAGIC: dict[bytes, TableKind] = {
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow file",
    b"\xff\xff\xff\xff": "Arrow stream",
}
_LINES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
_LABEL_ROW = frozenset(
    ("label_hash", "data_hash", "data_units", "object_answers", "object_actions", "classification_answers")
)
_RESULT = frozenset(("image_id", "category_id"))
_OF_OBJECT: dict[Form, frozenset[str]] = {
    "coco": _RESULT | {"annotations", "images", "categories"},
    "encord": _LABEL_ROW,
    "ontology": frozenset(("objects", "classifications", "skeleton_templates")),
}
_OF_LIST: dict[Form, frozenset[str]] = {"coco": _RESULT, "encord": _LABEL_ROW}
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\]]', re.DOTALL)
_COLON = re.compile(rb"[ \t\r\n]*:")


class Contents(NamedTuple):
    """What the beginning of a JSON file tells."""

    forms: tuple[Form, ...]
    """Those whose keys stand there."""
    told: str
    """What stands there, for errors."""


def table_kind(head: bytes) -> TableKind | None:
    """Give what kind of table begins like this; None of what is none."""
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


def head_of(path: Path) -> bytes:
    """Give the first 256 KiB of a file, unpacked where it is gzip.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as raw:
            is_packed = raw.read(2) == _GZIP
        with gzip.open(path) if is_packed else path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _refused(path, Code.DAMAGED, f"must be a whole gzip file, got {error}") from None
    except OSError as error:
        reason = error.strerror or error
        raise _refused(path, Code.UNREADABLE, f"must be a file that can be read, got {reason}") from None


def json_contents(path: Path, head: bytes) -> Contents | None:
    """Give what a JSON file tells of itself; None where it is no JSON.

    Args:
        path: whose name tells JSON Lines.
        head: its first bytes, see `head_of`.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] not in (b"{", b"["):
        return None
    if path.name.lower().endswith(_LINES):
        return Contents(("coco",), "lines")
    is_list = text.startswith(b"[")
    keys = _top_keys(text)
    marks = _OF_LIST if is_list else _OF_OBJECT
    forms = tuple(form for form, marking in marks.items() if marking.intersection(keys))
    some = ", ".join(keys[:6]) + (", …" if len(keys) > 6 else "")
    if not keys:
        return Contents((), "a list without a record" if is_list else "an object without keys")
    return Contents(forms, f"{'a list of objects' if is_list else 'an object'} with the keys {some}")


def _top_keys(text: bytes) -> list[str]:
    """Give the distinct keys of the object at the top, or of those in the list (of lists) at the top."""
    keys: dict[str, None] = {}
    openers = bytearray()
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in b"{[":
            openers += token
        elif token in b"}]":
            del openers[-1:]
        elif token == b'"':  # a text that is cut off
            break
        elif openers.endswith(b"{") and openers.count(b"{") == 1 and _COLON.match(text, match.end()):
            keys[_text(token)] = None
    return list(keys)


def _text(token: bytes) -> str:
    try:
        return str(json.loads(token))
    except ValueError:  # not well-formed, which a reader tells with its place
        return token.decode(errors="replace")


def _refused(path: Path, code: Code, message: str) -> InputError:
    return InputError([Problem(str(path), None, "", code, message)])
