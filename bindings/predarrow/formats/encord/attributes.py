"""The column `attributes`: JSON texts put together from members, each made once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Raw

from predarrow.buffers import numbers_array, text_array, validity
from predarrow.formats.json_text import json_text

BASE = ("createdAt", "createdBy", "lastEditedAt", "lastEditedBy", "manualAnnotation")
"""Members of an object on a frame that nearly all have."""
NOT_MANUAL = '"manualAnnotation":false'

Key = tuple[str | None, str | None, str | None, str | None, bool | None]
K = TypeVar("K")
Buffer = bytes | Raw


class Places(dict[K, int]):
    """Numbers of keys, in the order in which they are first asked for."""

    def __missing__(self, key: K) -> int:
        """Give the next number."""
        place = self[key] = len(self)
        return place

    def of(self, keys: Iterable[K], n: int) -> npt.NDArray[np.int64]:
        """Give the number of each of n keys."""
        return np.fromiter(map(self.__getitem__, keys), np.int64, n)


def base_text(key: Key) -> str:
    """Give the members of `BASE` without braces; what is null, or manual as by default, is left out."""
    parts = [f'"{name}":{json_text(value)}' for name, value in zip(BASE, key[:4], strict=False) if value is not None]
    if key[4] is False:
        parts.append(NOT_MANUAL)
    return ",".join(parts)


class _Common(NamedTuple):
    chosen: npt.NDArray[np.bool_]
    texts: pa.StringArray
    """(n,) whatever where a row is not chosen"""
    before: bytes
    after: bytes


class Members:
    """Members of the attributes of n rows.

    Args:
        bases: distinct texts of `base_text`.
        codes: (n,) which of them each row has.
    """

    def __init__(self, bases: pa.StringArray, codes: npt.NDArray[np.int64]) -> None:
        self._code = codes
        self._bases = bases
        offsets = np.frombuffer(bases.buffers()[1], np.int32, len(bases) + 1)
        self._is_empty: npt.NDArray[np.bool_] = np.diff(offsets) == 0
        self._more: dict[int, list[str]] = {}
        self._encord: dict[int, list[str]] = {}
        self._common: _Common | None = None

    def add(self, row: int, text: str) -> None:
        """Add a member, `"name":value`, to a row."""
        self._more.setdefault(row, []).append(text)

    def add_encord(self, row: int, text: str) -> None:
        """Add a member of the attribute "encord" to a row."""
        self._encord.setdefault(row, []).append(text)

    def set_common(
        self, chosen: npt.NDArray[np.bool_], texts: Sequence[Buffer], before: bytes = b"", after: bytes = b""
    ) -> None:
        """Set the first member of the attribute "encord" of many rows.

        Args:
            chosen: (n,)
            texts: as many as rows are chosen.
            before, after: what stands around each of them.
        """
        lengths = np.zeros(chosen.size + 1, np.int64)
        lengths[1:][chosen] = np.fromiter(map(len, texts), np.int64, len(texts))
        offsets = np.cumsum(lengths).astype(np.int32)
        column = pa.StringArray.from_buffers(chosen.size, pa.py_buffer(offsets), pa.py_buffer(b"".join(texts)))
        self._common = _Common(chosen, column, before, after)

    def set_common_column(
        self, chosen: npt.NDArray[np.bool_], texts: pa.StringArray, before: bytes = b"", after: bytes = b""
    ) -> None:
        """Set the first member of the attribute "encord" of many rows, from texts of all rows."""
        some = texts if chosen.all() else pc.if_else(numbers_array(chosen), texts, "")
        self._common = _Common(chosen, some, before, after)

    def column(self) -> pa.StringArray:
        """Give the JSON texts, null where there is no member."""
        column = self._plain() if self._common is None else self._with_common(self._common)
        rows = sorted(self._more.keys() | self._encord.keys())
        if not rows:
            return column
        chosen = np.zeros(self._code.size, np.bool_)
        chosen[rows] = True
        return pc.replace_with_mask(column, numbers_array(chosen), text_array(self._special(rows)))

    def _plain(self) -> pa.StringArray:
        column = _joined("{", self._bases, "}").take(numbers_array(self._code))
        return self._without_empty(column, np.ones(self._code.size, np.bool_))

    def _with_common(self, common: _Common) -> pa.StringArray:
        chosen = common.chosen
        comma = text_array(["", ","]).take(numbers_array((~self._is_empty).astype(np.int64)))
        before = _joined("{", self._bases, comma, '"encord":{' + common.before.decode())
        bases = pa.concat_arrays([_joined("{", self._bases, "}"), before])
        heads = bases.take(numbers_array(self._code + len(self._bases) * chosen))
        end = common.after.decode() + "}}"
        ends = end if chosen.all() else text_array(["", end]).take(numbers_array(chosen.astype(np.int64)))
        return self._without_empty(_joined(heads, common.texts, ends), ~chosen)

    def _without_empty(self, column: pa.StringArray, chosen: npt.NDArray[np.bool_]) -> pa.StringArray:
        """Give a column with null in place of those chosen rows that have no member."""
        empty = self._is_empty[self._code] & chosen
        if not empty.any():
            return column
        buffers = column.buffers()
        return pa.StringArray.from_buffers(len(column), buffers[1], buffers[2], validity(~empty))

    def _special(self, rows: list[int]) -> list[str | None]:
        common: dict[int, str] = {}
        if self._common is not None:
            chosen, texts, before, after = self._common
            for row in rows:
                if chosen[row]:
                    common[row] = before.decode() + texts[row].as_py() + after.decode()
        result: list[str | None] = []
        for row in rows:
            base = self._bases[int(self._code[row])].as_py()
            parts = [base] if base else []
            parts += self._more.get(row, ())
            encord = [common[row]] if row in common else []
            encord += self._encord.get(row, ())
            if encord:
                parts.append(f'"encord":{{{",".join(encord)}}}')
            result.append(f"{{{','.join(parts)}}}")
        return result


def _joined(*pieces: pa.StringArray | str) -> pa.StringArray:
    """Give texts one after the other, row by row, as `write_text.joined` does without asking for pandas."""
    scalars = [text_array([piece])[0] if isinstance(piece, str) else piece for piece in (*pieces, "")]
    return pc.binary_join_element_wise(*scalars)


def member(name: str, value: Any) -> str:
    """Give a member as JSON text.

    Raises:
        ValueError: a number that is not finite, half a character.
    """
    return f"{json_text(name)}:{json_text(value)}"
