"""Frames of OpenLABEL with boxes or cuboids -> spans and numbers: the form of Kognic's predictions.

frame     {"objects": {"uid": {"object_data": {"bbox": [geometry, ...]}}, ...}, "frame_properties": ...}
geometry  {"name": "a", "val": [cx, cy, w, h], "attributes": {"num": [{"name": "confidence", "val": 0.5}],
           "text": [{"name": "stream", "val": "b"}]}}
span      first byte of what it names, and the one after its last; -1 for what is not there

Members stand in any order. Objects with further members or data, geometries of two types, escapes in uids and other
counts of numbers end the scan: such frames have to be read with every rule. Further members and attributes of a
geometry, and numbers that only Python settles, are left to the caller, who is given the geometry's span; so are further
members of a frame. What is taken is JSON as far as it is looked at: whole texts have to be known as JSON.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine import openlabel_keys as keys
from predarrow_engine._jit import helper, inline, kernel, part
from predarrow_engine._simd_text import load_byte, load_int, store
from predarrow_engine.json_plain import LIST_END, OBJECT_END, after_item, after_plain, colon, skip
from predarrow_engine.json_scan import (
    CLOSE_LIST,
    CLOSE_OBJECT,
    DEPTHS,
    MAX_DEPTH,
    OPEN_LIST,
    OPEN_OBJECT,
    QUOTE,
    after_value,
    constants,
)
from predarrow_engine.openlabel_geometry import (
    FLAGS,
    N_NUMBERS,
    N_SPANS,
    NUMBERS,
    SPANS,
    UID,
    after_geometry,
    put_span,
)
from predarrow_engine.openlabel_keys import keyed
from predarrow_engine.rle_text import fixed

_ENTRIES, _TYPE, _ENTRY, _HAS_MORE = constants(7, 11)
_SLOTS = 12
_LEAST_GEOMETRY = 24  # bytes
_N_BOX, _N_CUBOID = constants(4, 5) + constants(10, 11)
_ZERO = constants(0, 1)[0]
_NOTHING = constants(-1, 0)[0]


class Frames(NamedTuple):
    """n geometries of one type on m frames, in the order of the text."""

    is_cuboid: bool
    spans: npt.NDArray[np.int64]
    """(n, 5, 2) UID, NAME, VAL, STREAM and WHOLE"""
    confidences: npt.NDArray[np.float64]
    """(n,) 1 where none is told"""
    values: npt.NDArray[np.float64]
    """(n, 4) or (n, 10)"""
    unread: npt.NDArray[np.bool_]
    """(n,) geometries that have to be read by the caller"""
    entries: npt.NDArray[np.int64]
    """(n,) number of the object that each one belongs to, counted over all frames"""
    counts: npt.NDArray[np.int64]
    """(m,) geometries of each frame and all before it"""
    has_more: npt.NDArray[np.bool_]
    """(m,) frames with members other than `objects`"""


class _Room(NamedTuple):
    spans: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.float64]
    flags: npt.NDArray[np.bool_]
    entries: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    has_more: npt.NDArray[np.bool_]


def scan(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Frames | None:
    """Give the geometries of frames; None where one of them has another form, or none has a geometry.

    Args:
        data: (n_bytes,) UTF-8, the frames one after the other, and `json_plain.PADDING` bytes.
        offsets: (m + 1,) first byte of each.
    """
    n, m = int(offsets[-1]) // _LEAST_GEOMETRY + 1, len(offsets) - 1
    room = _Room(
        np.empty((n, N_SPANS, 2), np.int64),
        np.empty((n, N_NUMBERS)),
        np.empty(n, np.bool_),
        np.empty(n, np.int64),
        np.empty(m, np.int64),
        np.empty(m, np.bool_),
    )
    type_ = _scan(fixed(data), fixed(offsets), room, np.zeros(_SLOTS, np.int64), np.empty(MAX_DEPTH, np.uint8))
    if type_ < 0:
        return None
    n = int(room.counts[-1])
    is_cuboid = type_ == keys.CUBOID
    width = _N_CUBOID if is_cuboid else _N_BOX
    numbers = room.numbers[:n]
    return Frames(
        is_cuboid=is_cuboid,
        spans=room.spans[:n],
        confidences=np.ascontiguousarray(numbers[:, 0]),
        values=np.ascontiguousarray(numbers[:, 1 : width + 1]),
        unread=room.flags[:n],
        entries=room.entries[:n],
        counts=room.counts,
        has_more=room.has_more,
    )


@kernel
def _scan(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    room: _Room,
    memory: npt.NDArray[np.int64],
    depths: npt.NDArray[np.uint8],
) -> int:
    """Write the geometries; give their type, -1 where a frame has another form or none has a geometry.

    Args:
        memory, depths: to work in; Numba would give up its own ones as soon as their addresses are taken.
    """
    address = data.ctypes.data
    slots = memory.ctypes.data
    store(slots + 8 * DEPTHS, np.int64(depths.ctypes.data))
    store(slots + 8 * SPANS, np.int64(room.spans.ctypes.data))
    store(slots + 8 * NUMBERS, np.int64(room.numbers.ctypes.data))
    store(slots + 8 * FLAGS, np.int64(room.flags.ctypes.data))
    store(slots + 8 * _ENTRIES, np.int64(room.entries.ctypes.data))
    store(slots + 8 * _TYPE, _NOTHING)
    n = _ZERO
    for frame in range(offsets.size - 1):
        at, end = int(offsets[frame]), int(offsets[frame + 1])
        store(slots + 8 * _HAS_MORE, _ZERO)
        at, n = _frame(address, skip(address, at, end), end, slots, n)
        if at < 0 or skip(address, at, end) != end:
            return -1
        room.counts[frame], room.has_more[frame] = n, load_int(slots + 8 * _HAS_MORE) != 0
    return load_int(slots + 8 * _TYPE)


@part
def _frame(address: int, at: int, end: int, slots: int, n: int) -> tuple[int, int]:
    """Take the frame at `at`; give its end, -1 where it has another form, and how many geometries there are."""
    is_met = False
    if at >= end or load_byte(address + at) != OPEN_OBJECT:
        return -1, n
    at = skip(address, at + 1, end)
    while at < end and load_byte(address + at) == QUOTE:
        at, key = keyed(address, at, end, slots, keys.OBJECTS, keys.OBJECTS)
        is_objects = key >= 0
        if at < 0 or (is_objects and is_met):
            return -1, n
        if is_objects:
            is_met = True
            at, n = _objects(address, at, end, slots, n)
        else:
            store(slots + 8 * _HAS_MORE, np.int64(1))
            at = after_value(address, at, end, slots)
        if at >= 0:
            at = after_item(address, at, end, OBJECT_END)
        if at < 0:
            return -1, n
    if at >= end or load_byte(address + at) != CLOSE_OBJECT:
        return -1, n
    return at + 1, n


@part
def _objects(address: int, at: int, end: int, slots: int, n: int) -> tuple[int, int]:
    """Take a frame's objects; give their end, -1 where they have another form, and how many geometries there are."""
    if load_byte(address + at) != OPEN_OBJECT:
        return -1, n
    at = skip(address, at + 1, end)
    while at < end and load_byte(address + at) == QUOTE:
        stop = after_plain(address, at + 1, end, slots)
        if stop < 0:
            return -1, n
        uid, first = at + 1, n
        at, n = _object(address, colon(address, stop, end, slots), end, slots, n)
        entry = load_int(slots + 8 * _ENTRY)
        store(slots + 8 * _ENTRY, entry + 1)
        for row in range(first, n):
            put_span(slots, row, UID, uid, stop - 1)
            store(load_int(slots + 8 * _ENTRIES) + 8 * row, entry)
        if at >= 0:
            at = after_item(address, at, end, OBJECT_END)
        if at < 0:
            return -1, n
    if at >= end or load_byte(address + at) != CLOSE_OBJECT:
        return -1, n
    return at + 1, n


@inline
def _only_member(address: int, at: int, end: int, slots: int, first: int, last: int) -> tuple[int, int]:
    """Give where the value of the object's one member begins, -1 where it is none of the keys, and the key."""
    if at < 0 or load_byte(address + at) != OPEN_OBJECT:
        return -1, -1
    at = skip(address, at + 1, end)
    if at >= end or load_byte(address + at) != QUOTE:
        return -1, -1
    at, key = keyed(address, at, end, slots, first, last)
    return (at if key >= 0 else -1), key


@helper
def _after_only(address: int, at: int, end: int) -> int:
    """Give the end of the object whose one member ends at `at`; -1 where there is another one."""
    at = skip(address, at, end)
    return at + 1 if at < end and load_byte(address + at) == CLOSE_OBJECT else -1


@part
def _object(address: int, at: int, end: int, slots: int, n: int) -> tuple[int, int]:
    """Take an object's geometries; give its end, -1 where it has another form, and how many there are in all."""
    at, _ = _only_member(address, at, end, slots, keys.DATA, keys.DATA)
    at, key = _only_member(address, at, end, slots, keys.BBOX, keys.CUBOID)
    type_ = load_int(slots + 8 * _TYPE)
    if at < 0 or load_byte(address + at) != OPEN_LIST or (type_ >= 0 and key != type_):
        return -1, n
    store(slots + 8 * _TYPE, np.int64(key))
    width = _N_BOX if key == keys.BBOX else _N_CUBOID
    first = n
    at = skip(address, at + 1, end)
    while at < end and load_byte(address + at) == OPEN_OBJECT:
        at = after_geometry(address, at, end, slots, n, width)
        n += 1
        if at >= 0:
            at = after_item(address, at, end, LIST_END)
        if at < 0:
            return -1, n
    if at >= end or load_byte(address + at) != CLOSE_LIST or n == first:
        return -1, n
    at = _after_only(address, at + 1, end)
    return (_after_only(address, at, end) if at >= 0 else -1), n
