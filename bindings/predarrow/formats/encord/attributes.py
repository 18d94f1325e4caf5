"""The column `attributes`: JSON texts put together from members, each made once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from predarrow.formats.encord.wire import json_text

BASE = ("createdAt", "createdBy", "lastEditedAt", "lastEditedBy", "manualAnnotation")
"""Members of an object on a frame that nearly all have."""

Key = tuple[str | None, str | None, str | None, str | None, bool | None]


class Bases(dict[Key, str]):
    """Members without braces, by the values of `BASE`; what is null, or manual as by default, is left out."""

    def __missing__(self, key: Key) -> str:
        """Make one."""
        parts = [
            f'"{name}":{json_text(value)}' for name, value in zip(BASE[:4], key[:4], strict=True) if value is not None
        ]
        if key[4] is False:
            parts.append('"manualAnnotation":false')
        text = ",".join(parts)
        if len(self) < 1 << 16:
            self[key] = text
        return text


class Members:
    """Members of the attributes of n rows."""

    def __init__(self, bases: Sequence[str]) -> None:
        self._bases = bases
        self._more: dict[int, list[str]] = {}
        self._encord: dict[int, list[str]] = {}

    def add(self, row: int, text: str) -> None:
        """Add a member, `"name":value`, to a row."""
        self._more.setdefault(row, []).append(text)

    def add_encord(self, row: int, text: str) -> None:
        """Add a member of the attribute "encord" to a row."""
        self._encord.setdefault(row, []).append(text)

    def texts(self) -> list[str | None]:
        """Give the JSON texts, None where there is no member."""
        braced = {base: f"{{{base}}}" if base else None for base in set(self._bases)}
        result: list[str | None] = list(map(braced.__getitem__, self._bases))
        for row in self._more.keys() | self._encord.keys():
            parts = [self._bases[row]] if self._bases[row] else []
            parts += self._more.get(row, ())
            if row in self._encord:
                parts.append(f'"encord":{{{",".join(self._encord[row])}}}')
            result[row] = f"{{{','.join(parts)}}}"
        return result


def member(name: str, value: Any) -> str:
    """Give a member as JSON text.

    Raises:
        ValueError: a number that is not finite, half a character.
    """
    return f"{json_text(name)}:{json_text(value)}"
