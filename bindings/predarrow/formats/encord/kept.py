"""What a label row has beside labels, as JSON text for the attribute "encord"."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Raw

from predarrow.formats.encord.codec import JSON, Codec, TypedRow
from predarrow.formats.encord.codec import Unit as TypedUnit
from predarrow.formats.encord.frames import Group
from predarrow.formats.encord.rows import LabelRow, Unit
from predarrow.formats.encord.wire import ABSENT
from predarrow.formats.json_text import json_text

_LABELS = ("object_answers", "classification_answers", "object_actions", "labels", "data_units")
_READ = ("data_hash", "data_type")
_ROW_NAMES = tuple(name for name in TypedRow.__struct_fields__ if name not in _LABELS + _READ)
_UNIT_NAMES = tuple(name for name in TypedUnit.__struct_fields__ if name not in _LABELS)
_row_values = attrgetter(*_ROW_NAMES)
_unit_values = attrgetter(*_UNIT_NAMES)


def kept_text(row: LabelRow) -> str:
    """Give a label row's own members, and those of its data units without their labels.

    Raises:
        ValueError: a number that is not finite, half a character.
    """
    members, codec = row.members, row.codec
    pieces: list[Any] = [b"{"]
    if isinstance(members, dict):
        _add(pieces, list(map(_key, members)), members.values(), codec)
    else:
        pieces += b'"data_hash":', _encode(row.data_hash), b',"data_type":', _encode(row.data_type), b","
        _add(pieces, _ROW_KEYS, _row_values(members), codec)
    pieces.append(b'"data_units":{')
    for place, unit in enumerate(row.units):
        pieces += b"," if place else b"", _key(unit.key), b"{"
        _add_unit(pieces, unit, [group for group in row.groups if group.others and group.unit == place], codec)
        pieces.append(b"}")
    pieces.append(b"}}")
    text = b"".join(pieces)
    return (msgspec.json.format(text, indent=-1) if b"\n" in text else text).decode()


def _add_unit(pieces: list[Any], unit: Unit, groups: list[Group], codec: Codec) -> None:
    members = unit.members
    begin = len(pieces)
    if isinstance(members, dict):
        others = {name: raw for name, raw in members.items() if name != "labels"}
        _add(pieces, list(map(_key, others)), others.values(), codec)
    else:
        _add(pieces, _UNIT_KEYS, _unit_values(members), codec)
    if groups:
        pieces += _key("labels"), b"{"
        for group in groups:
            pieces += (_key(group.key), b"{") if group.key is not None else ()
            _add(pieces, list(map(_key, group.others)), group.others.values(), codec)
            pieces[-1] = b"},"
            if group.key is None:
                pieces[-1] = b","
        pieces[-1] = pieces[-1][:-1]
        pieces += b"}", b","
    if len(pieces) > begin:
        pieces.pop()  # the last comma


def _add(pieces: list[Any], keys: Any, values: Any, codec: Codec) -> None:
    """Add members, each with a comma behind it."""
    is_json = codec is JSON
    for key, value in zip(keys, values, strict=True):
        if value is ABSENT:
            continue
        pieces.append(key)
        if is_json and type(value) is Raw:
            pieces.append(value)
        else:
            text = codec.text(value) if isinstance(value, Raw) else json_text(value)
            pieces.append(text.encode())
        pieces.append(b",")


_encode = msgspec.json.Encoder().encode


def _key(name: str) -> bytes:
    return _encode(name) + b":"


_ROW_KEYS = [_key(name) for name in _ROW_NAMES]
_UNIT_KEYS = [_key(name) for name in _UNIT_NAMES]
