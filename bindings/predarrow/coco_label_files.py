"""A COCO data set as Python's objects: read from its file, its lists, its ids."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from predarrow.errors import InputError, PredarrowError
from predarrow.formats.coco.names import id_text
from predarrow.refusals import shown
from predarrow.report import Code, Problem
from predarrow.sources import StrPath

_GZIP = b"\x1f\x8b"


def read_labels(labels: Mapping[str, Any] | StrPath) -> tuple[Mapping[str, Any], str]:
    """Give a data set and what to call it in errors.

    Raises:
        InputError: a file that cannot be read, or is no JSON object.
        PredarrowError: neither a mapping nor a path.
    """
    if isinstance(labels, Mapping):
        return labels, "labels"
    try:
        path = Path(labels)
    except TypeError:
        raise PredarrowError(f"labels: must be a data set or its file, got {type(labels).__name__}") from None
    where = str(path)
    try:
        content = path.read_bytes()
        loaded = json.loads(gzip.decompress(content) if content.startswith(_GZIP) else content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise refused("", Code.DAMAGED, f"must be a whole gzip file, got {error}", where) from None
    except OSError as error:
        got = error.strerror or error
        raise refused("", Code.UNREADABLE, f"must be a file that can be read, got {got}", where) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise refused(place, Code.DAMAGED, f"must be JSON, got {error.msg}", where) from None
    except (ValueError, RecursionError) as error:  # no UTF-8, or lists in lists without end
        raise refused("", Code.DAMAGED, f"must be JSON, got {error}", where) from None
    if not isinstance(loaded, dict):
        hint = "; results are read by import_coco_predictions" if isinstance(loaded, list) else ""
        raise refused("$", Code.BAD_VALUE, f"must be an object with annotations, got {shown(loaded)}{hint}", where)
    return loaded, where


def listed_records(data: Mapping[str, Any], member: str, where: str) -> list[Mapping[str, Any]]:
    """Give a list of objects in a data set.

    Raises:
        InputError: there is none, or something else in it.
    """
    records = data.get(member)
    if not isinstance(records, list):
        raise refused(f"$.{member}", Code.BAD_VALUE, f"must be a list of objects, got {shown(records)}", where)
    for place, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise refused(f"$.{member}[{place}]", Code.BAD_VALUE, f"must be an object, got {shown(record)}", where)
    return records


def records_by_id(data: Mapping[str, Any], member: str, where: str) -> dict[str, tuple[int, Mapping[str, Any]]]:
    """Give the place and object of each id of such a list; ids are texts, the same for 1, 1.0 and "1".

    Raises:
        InputError: there is no such list, an id that is none, or one that stands for two different objects.
    """
    found: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for place, record in enumerate(listed_records(data, member, where)):
        value = record.get("id")
        key = id_text(value)
        if key is None:
            rule = "must be a whole number or a text"
            raise refused(f"$.{member}[{place}].id", Code.BAD_VALUE, f"{rule}, got {shown(value)}", where)
        first, same = found.setdefault(key, (place, record))
        if same != record:
            rule = f"must stand for one of {member}"
            got = f"{shown(value)}, which $.{member}[{first}] has, too"
            raise refused(f"$.{member}[{place}].id", Code.BAD_VALUE, f"{rule}, got {got}", where)
    return found


def refused(pointer: str, code: Code, message: str, where: str) -> InputError:
    """Give the error of a data set of which nothing can be read."""
    return InputError([Problem(where, None, pointer, code, message)])
