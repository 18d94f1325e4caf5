"""What geometries have beside the table's columns -> JSON objects, put together from spans.

{"name": "a" (kept), "object": {"name": ..., "object_data": ...} (convention),
 "openlabel": {"geometry": ..., "val": ..., "frame": ...}}

All but the name is where it is given.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, kernel
from predarrow_engine.json_scan import constants
from predarrow_engine.openlabel_objects import N_MEMBERS, TYPE, Objects
from predarrow_engine.rle_text import STRING_LIMIT, fixed
from predarrow_engine.text_rows import copy_bytes

_MEMBERS = (
    *("name", "type", "object_data", "object_data_pointers", "frame_intervals"),
    *("ontology_uid", "coordinate_system", "resource_uid"),
)
_WORDS = [f',"{name}":' for name in _MEMBERS] + ['{"name":', ',"object":{', "}", ',"openlabel":{', '"val":', ","]
_HEAD, _OBJECT, _CLOSE, _OPENLABEL, _VAL, _COMMA = constants(N_MEMBERS, N_MEMBERS + 6)
_LITERALS = np.frombuffer("".join(_WORDS).encode(), np.uint8)
_MARKS = np.cumsum([0, *map(len, _WORDS)])
_ZERO = constants(0, 1)[0]

BEGIN, GEOMETRY, FRAME = range(3)
"""Columns of `Rows.extra`."""


class Rows(NamedTuple):
    """What n texts are made of."""

    data: npt.NDArray[np.uint8]
    names: npt.NDArray[np.int64]
    """(n, 2) spans of names in data, with quotes"""
    vals: npt.NDArray[np.int64]
    """(n, 2) spans of `val` in data; empty where it is not given"""
    objects: npt.NDArray[np.int64]
    """(n,) numbers of objects that are given, -1 for none"""
    text: npt.NDArray[np.uint8]
    """What extra spans stand in"""
    extra: npt.NDArray[np.int64]
    """(n, 3, 2) BEGIN: the name and what follows it, instead of that in data; GEOMETRY and FRAME: members of
    `openlabel`; empty where there is none"""
    convention: npt.NDArray[np.int64]
    """(2,) span in text of a member of every row"""


def texts(rows: Rows, objects: Objects) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Give (n + 1,) the first byte of each text, and (n_bytes,) the texts.

    Raises:
        ValueError: more than 2**31 - 1 bytes.
    """
    rows = Rows(*[fixed(array) for array in rows])
    ends = np.zeros(len(rows.names) + 1, np.int64)
    _write(rows, objects, _LITERALS, _MARKS, ends, np.empty(0, np.uint8))
    if ends[-1] > STRING_LIMIT:
        raise ValueError(f"texts of a column hold at most {STRING_LIMIT} bytes, got {ends[-1]}; take fewer")
    out = np.empty(ends[-1], np.uint8)
    _write(rows, objects, _LITERALS, _MARKS, ends, out)
    return ends.astype(np.int32), out


@helper
def _put(target: int, n: int, source: int, size: int) -> int:
    """Write a piece behind n bytes; give where it ends. Without a target, which is 0, it is only counted."""
    if target != 0:
        copy_bytes(source, size, target + n)
    return n + size


@kernel
def _write(
    rows: Rows,
    objects: Objects,
    literals: npt.NDArray[np.uint8],
    marks: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    out: npt.NDArray[np.uint8],
) -> None:
    """Write the texts and their ends; without room in `out` only the ends."""
    target = out.ctypes.data if out.size else 0
    data, text, words = rows.data.ctypes.data, rows.text.ctypes.data, literals.ctypes.data
    n = _ZERO
    for row in range(rows.names.shape[0]):
        n = _put(target, n, words + marks[_HEAD], marks[_HEAD + 1] - marks[_HEAD])
        begin, begin_end = rows.extra[row, BEGIN, 0], rows.extra[row, BEGIN, 1]
        if begin_end > begin:
            n = _put(target, n, text + begin, begin_end - begin)
        else:
            n = _put(target, n, data + rows.names[row, 0], rows.names[row, 1] - rows.names[row, 0])
        if rows.objects[row] >= 0:
            n = _put_object(target, n, objects, rows.objects[row], words, marks)
        n = _put(target, n, text + rows.convention[0], rows.convention[1] - rows.convention[0])
        n = _put_openlabel(target, n, rows, row, words, marks)
        n = _put(target, n, words + marks[_CLOSE], marks[_CLOSE + 1] - marks[_CLOSE])
        ends[row + 1] = n


@helper
def _put_object(target: int, n: int, objects: Objects, row: int, words: int, marks: npt.NDArray[np.int64]) -> int:
    """Write the member with an object's members other than its type."""
    n = _put(target, n, words + marks[_OBJECT], marks[_OBJECT + 1] - marks[_OBJECT])
    source = objects.data.ctypes.data
    is_first = 1
    for k in range(N_MEMBERS):
        start, end = objects.spans[row, k, 0], objects.spans[row, k, 1]
        if start >= 0 and k != TYPE:
            n = _put(target, n, words + marks[k] + is_first, marks[k + 1] - marks[k] - is_first)  # without the comma
            n = _put(target, n, source + start, end - start)
            is_first = 0
    return _put(target, n, words + marks[_CLOSE], marks[_CLOSE + 1] - marks[_CLOSE])


@helper
def _put_openlabel(target: int, n: int, rows: Rows, row: int, words: int, marks: npt.NDArray[np.int64]) -> int:
    """Write the member with the geometry's members, `val` and what belongs to the frame, if any is there."""
    n_geometry = rows.extra[row, GEOMETRY, 1] - rows.extra[row, GEOMETRY, 0]
    n_val = rows.vals[row, 1] - rows.vals[row, 0]
    n_frame = rows.extra[row, FRAME, 1] - rows.extra[row, FRAME, 0]
    if n_geometry + n_val + n_frame == 0:
        return n
    data, text = rows.data.ctypes.data, rows.text.ctypes.data
    n = _put(target, n, words + marks[_OPENLABEL], marks[_OPENLABEL + 1] - marks[_OPENLABEL])
    n = _put(target, n, text + rows.extra[row, GEOMETRY, 0], n_geometry)
    if n_geometry > 0 and n_val + n_frame > 0:
        n = _put(target, n, words + marks[_COMMA], marks[_COMMA + 1] - marks[_COMMA])
    if n_val > 0:
        n = _put(target, n, words + marks[_VAL], marks[_VAL + 1] - marks[_VAL])
        n = _put(target, n, data + rows.vals[row, 0], n_val)
        if n_frame > 0:
            n = _put(target, n, words + marks[_COMMA], marks[_COMMA + 1] - marks[_COMMA])
    n = _put(target, n, text + rows.extra[row, FRAME, 0], n_frame)
    return _put(target, n, words + marks[_CLOSE], marks[_CLOSE + 1] - marks[_CLOSE])
