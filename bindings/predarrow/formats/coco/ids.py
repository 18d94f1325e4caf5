"""Columns of COCO's ids as the few distinct ones, and which of them each record has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import empty
from predarrow.formats.coco.names import is_utf8
from predarrow.formats.coco.text import BlockText

if TYPE_CHECKING:
    from predarrow_engine.coco_columns import Ids


class Distinct(NamedTuple):
    """Ids of n records."""

    keys: list[str]
    """Each id once, as text: 42.0 is "42"."""
    places: npt.NDArray[np.int64]
    """(n,) place of each record's id among the keys, -1 where it has none"""


def are_numbers(ids: Ids) -> npt.NDArray[np.bool_]:
    """Tell which ids are whole numbers."""
    from predarrow_engine.coco_columns import INT, WHOLE

    result: npt.NDArray[np.bool_] = (ids.kind == INT) | (ids.kind == WHOLE)
    return result


def are_all_numbers(ids: Ids) -> bool:
    """Tell whether all ids are whole numbers; where their kind is broadcast, it is not looked at in each of them."""
    return bool(are_numbers(ids if ids.kind.strides[0] else ids._replace(kind=ids.kind[:1])).all())


def id_texts(ids: Ids) -> pa.Array | None:
    """Give ids as a column of text, None where one of them is no whole number from 0 to below 10**8.

    Boxes of 84 MB: 91 ms, and 96 by the distinct ids and their texts, which hold the GIL.
    """
    from predarrow_engine.number_texts import LARGEST, ROOM, number_texts

    if not ids.value.size or not are_all_numbers(ids):
        return None
    largest = int(ids.value.view(np.uint64).max())  # negative ones are beyond all others
    if largest > LARGEST:
        return None
    n = ids.value.size
    offsets, data = empty(n + 1, np.int32), empty(n * len(str(largest)) + ROOM, np.uint8)
    size = number_texts(ids.value, offsets, data)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(data[:size]))


def distinct_ids(ids: Ids, data: BlockText | bytes) -> Distinct:
    """Give ids as text, each once.

    Args:
        ids: of n records.
        data: what they were scanned from.
    """
    from predarrow_engine.coco_columns import STRING

    if are_all_numbers(ids):
        values, places = distinct_numbers(ids.value)
        return Distinct(list(map(str, values.tolist())), places)
    is_number = are_numbers(ids)
    places = np.full(ids.kind.size, -1, np.int64)
    values, places[is_number] = distinct_numbers(ids.value[is_number])
    keys = list(map(str, values.tolist()))
    rows = np.flatnonzero(ids.kind == STRING)
    if rows.size:
        known = {key: place for place, key in enumerate(keys)}
        by_text: dict[bytes, int] = {}
        for row, (start, end) in zip(rows.tolist(), ids.span[rows].tolist(), strict=True):
            raw = data[start:end]
            place = by_text.get(raw)
            if place is None:
                place = by_text[raw] = _place(raw, known)
            places[row] = place
        keys = list(known)
    return Distinct(keys, places)


def distinct_numbers(values: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give what `np.unique` gives with its inverse."""
    from predarrow_engine.distinct import distinct

    places = empty(values.size, np.int64)
    return distinct(values, places), places


def _place(raw: bytes, known: dict[str, int]) -> int:
    """Give the place of a JSON string among the known ids, -1 for one that UTF-8 cannot hold."""
    text = json.loads(raw)
    return known.setdefault(text, len(known)) if is_utf8(text) else -1
