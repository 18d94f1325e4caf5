"""What rows that came from Label Studio keep of their task, in `attributes`; see `predarrow.formats.label_studio`."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

_LABEL_STUDIO, _VERSION = "label_studio", "model_version"


class Place(NamedTuple):
    """Where a row stood in its file."""

    task: int
    prediction: int
    """In its list"""
    result: int


class Kept(Struct, frozen=True):
    """What of `label_studio` is looked at."""

    task: Raw | UnsetType = UNSET
    at: Place | None = None


class Attributes(Struct, frozen=True):
    """What of a row's attributes is looked at."""

    model_version: Any = None
    label_studio: Kept = Kept()


NOTHING = Attributes()

_decode = msgspec.json.Decoder(Attributes).decode
_members = msgspec.json.Decoder(dict[str, Raw]).decode
_encode = msgspec.json.encode


def attributes_of(text: str | None) -> Attributes:
    """Give what is looked at of a row's attributes; `label_studio` of another form is passed over."""
    if text is None:
        return NOTHING
    try:
        return _decode(text)
    except msgspec.ValidationError:
        return Attributes(json.loads(text).get(_VERSION))


def with_task(text: str, task: Raw) -> str:
    """Give attributes that tell a row's task."""
    members = _members(text)
    kept = _members(members.get(_LABEL_STUDIO, Raw(b"{}")))
    members[_LABEL_STUDIO] = Raw(_encode({"task": task, **kept}))
    return _encode(members).decode()


def with_place(text: str, at: Place | None, *, tells_task: bool) -> str:
    """Give attributes of a row that stands elsewhere.

    Args:
        text: the attributes.
        at: the new place; None for rows that have none.
        tells_task: whether the row goes on telling its task, and that task's entries without a row.
    """
    members = _members(text)
    kept = _members(members[_LABEL_STUDIO])
    if at is not None:
        kept["at"] = Raw(_encode(at))
    if not tells_task:
        kept.pop("task", None)
        kept.pop("rowless", None)
    members[_LABEL_STUDIO] = Raw(_encode(kept))
    return _encode(members).decode()


def with_version(text: str | None, version: str) -> str:
    """Give attributes with a model version, this one where they have none."""
    if text is None:
        return _encode({_VERSION: version}).decode()
    if f'"{_VERSION}"' in text and attributes_of(text).model_version is not None:
        return text
    members = _members(text)
    members.pop(_VERSION, None)
    return _encode({_VERSION: version, **members}).decode()
