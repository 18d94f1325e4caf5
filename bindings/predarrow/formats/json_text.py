"""Values as JSON text, as files of every format have it."""

from __future__ import annotations

import json
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any

string_text: Callable[[str], str] = encode_basestring
"""Gives a text of whole characters as JSON text; a tenth of the time of `json_text`."""


def json_text(value: Any) -> str:
    """Give a value as JSON text.

    Raises:
        ValueError: a number that is not finite, half a character.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text.encode()
    return text


def members_text(members: dict[str, str]) -> str:
    """Give members of an object whose values are JSON text, with commas between."""
    return ",".join([f"{string_text(name)}:{text}" for name, text in members.items()])


def object_text(members: dict[str, str]) -> str:
    """Give an object of members whose values are JSON text."""
    return "{" + members_text(members) + "}"
