"""Objects at the root of OpenLABEL files -> spans of their members, and a table that finds them by their uids.

text      {"uid": {"name": "a", "type": "b", "object_data": {"text": [...], ...}, ...}, ...}

Members that are not known or stand twice, escapes in uids and types, geometries, an object without a type, and a uid
that stands twice end the scan: such objects have to be read with every rule.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine import openlabel_keys as keys
from predarrow_engine._jit import helper, kernel
from predarrow_engine._simd_text import load_byte, load_word, store
from predarrow_engine.json_plain import OBJECT_END, after_item, after_plain, colon, skip
from predarrow_engine.json_scan import (
    CLOSE_OBJECT,
    DEPTHS,
    MAX_DEPTH,
    OPEN_LIST,
    OPEN_OBJECT,
    QUOTE,
    after_value,
    constants,
)
from predarrow_engine.openlabel_keys import keyed
from predarrow_engine.rle_text import fixed
from predarrow_engine.spans import are_equal

UID, TYPE = 8, int(keys.TYPE)
"""Columns of spans, without quotes; the others, members as they stand, are in the order of `openlabel_keys`."""
N_MEMBERS = 8

ALL_FOUND, UNKNOWN, TWICE = range(3)

_N_SPANS = N_MEMBERS + 1
_LEAST_OBJECT = 14  # bytes
_SLOTS = 8
_ZERO, _U = constants(0, 1)[0], np.uint64
_ONE = np.uint64(1)
_HALF = np.uint64(32)
_PRIME = np.uint64(0x9E3779B97F4A7C15)


class Objects(NamedTuple):
    """n objects, and where their uids stand in a table of hashes."""

    data: npt.NDArray[np.uint8]
    spans: npt.NDArray[np.int64]
    """(n, 9, 2) members and UID; -1 for what is not there"""
    table: npt.NDArray[np.int64]
    """(2**k,) numbers of objects, -1 where there is none"""


class Found(NamedTuple):
    """Which objects geometries belong to."""

    status: int
    """ALL_FOUND, or UNKNOWN, TWICE: a uid is not known, or stands twice on a frame"""
    objects: npt.NDArray[np.int64]
    """(n,)"""
    is_first: npt.NDArray[np.bool_]
    """(n,) whether the object was not met before"""


def scan(data: npt.NDArray[np.uint8], n_bytes: int) -> Objects | None:
    """Give the objects of a text; None where it has another form.

    Args:
        data: UTF-8, and `json_plain.PADDING` bytes.
        n_bytes: of the text.
    """
    data = fixed(data)
    spans: npt.NDArray[np.int64] = np.empty((n_bytes // _LEAST_OBJECT + 1, _N_SPANS, 2), np.int64)
    n = _scan(data, n_bytes, spans, np.zeros(_SLOTS, np.int64), np.empty(MAX_DEPTH, np.uint8))
    if n < 0:
        return None
    table = np.full(1 << (2 * n).bit_length(), -1, np.int64)
    spans = spans[:n].copy()
    return Objects(data, spans, table) if _fill(data, fixed(spans), table) else None


def find(
    objects: Objects,
    seen: npt.NDArray[np.bool_],
    data: npt.NDArray[np.uint8],
    uids: npt.NDArray[np.int64],
    entries: npt.NDArray[np.int64],
    frames: npt.NDArray[np.int64],
) -> Found:
    """Give the objects of geometries.

    Args:
        objects: those of the file.
        seen: (n_objects,) in and out: which were met so far.
        data: what the uids stand in.
        uids: (n, 2) spans.
        entries: (n,) ascending: which object on its frame each geometry belongs to.
        frames: (n,) ascending.
    """
    found, is_first = np.empty(len(uids), np.int64), np.empty(len(uids), np.bool_)
    last = np.full((len(objects.spans), 2), -1, np.int64)
    status = _find(objects, fixed(data), fixed(uids), fixed(entries), fixed(frames), seen, last, found, is_first)
    return Found(status, found, is_first)


@kernel
def _scan(
    data: npt.NDArray[np.uint8],
    end: int,
    spans: npt.NDArray[np.int64],
    memory: npt.NDArray[np.int64],
    depths: npt.NDArray[np.uint8],
) -> int:
    """Write the spans of objects; give how many there are, -1 where the text has another form.

    Args:
        memory, depths: to work in, see `openlabel_frames`.
    """
    address = data.ctypes.data
    slots = memory.ctypes.data
    store(slots + 8 * DEPTHS, np.int64(depths.ctypes.data))
    n = _ZERO
    at = skip(address, _ZERO, end)
    if at >= end or load_byte(address + at) != OPEN_OBJECT:
        return -1
    at = skip(address, at + 1, end)
    while at < end and load_byte(address + at) == QUOTE:
        stop = after_plain(address, at + 1, end, slots)
        if stop < 0:
            return -1
        spans[n] = -1
        spans[n, UID, 0], spans[n, UID, 1] = at + 1, stop - 1
        at = _object(address, colon(address, stop, end, slots), end, slots, spans, n)
        n += 1
        if at >= 0:
            at = after_item(address, at, end, OBJECT_END)
        if at < 0:
            return -1
    is_good = at < end and load_byte(address + at) == CLOSE_OBJECT and skip(address, at + 1, end) == end
    return n if is_good else -1


@helper
def _object(address: int, at: int, end: int, slots: int, spans: npt.NDArray[np.int64], n: int) -> int:
    """Take the members of an object; give its end, -1 where it has another form."""
    if at < 0 or load_byte(address + at) != OPEN_OBJECT:
        return -1
    at = skip(address, at + 1, end)
    while at < end and load_byte(address + at) == QUOTE:
        start, key = keyed(address, at, end, slots, keys.NAME, keys.RESOURCE)
        if start < 0 or key < 0 or spans[n, key, 0] >= 0:
            return -1
        if key == keys.DATA:
            at = _data(address, start, end, slots)
        elif key == keys.TYPE:
            at = after_plain(address, start + 1, end, slots) if load_byte(address + start) == QUOTE else -1
        else:
            at = after_value(address, start, end, slots)
        is_text = key == keys.TYPE
        spans[n, key, 0], spans[n, key, 1] = start + is_text, at - is_text
        if at >= 0:
            at = after_item(address, at, end, OBJECT_END)
        if at < 0:
            return -1
    is_good = at < end and load_byte(address + at) == CLOSE_OBJECT and spans[n, keys.TYPE, 0] >= 0
    return at + 1 if is_good else -1


@helper
def _data(address: int, at: int, end: int, slots: int) -> int:
    """Take data of an object, which are lists by type, none of geometries; give their end, -1 for others."""
    if load_byte(address + at) != OPEN_OBJECT:
        return -1
    at = skip(address, at + 1, end)
    while at < end and load_byte(address + at) == QUOTE:
        at, key = keyed(address, at, end, slots, keys.BBOX, keys.IMAGE)
        if at < 0 or key >= 0 or load_byte(address + at) != OPEN_LIST:
            return -1
        at = after_value(address, at, end, slots)
        if at >= 0:
            at = after_item(address, at, end, OBJECT_END)
        if at < 0:
            return -1
    return at + 1 if at < end and load_byte(address + at) == CLOSE_OBJECT else -1


@helper
def _slot(address: int, at: int, end: int, mask: np.uint64) -> np.uint64:
    """Give the first place of a uid in the table: its bytes mixed, eight at a time, those behind it left out."""
    value = _U(end - at) * _PRIME
    while at < end:
        word = load_word(address + at)
        if end - at < 8:
            word &= (_ONE << _U(8 * (end - at))) - _ONE
        value = (value ^ word) * _PRIME
        value ^= value >> _HALF
        at += 8
    return ((value * _PRIME) >> _HALF) & mask


@kernel
def _fill(data: npt.NDArray[np.uint8], spans: npt.NDArray[np.int64], table: npt.NDArray[np.int64]) -> bool:
    """Enter the uids; give whether each stands once."""
    address, mask = data.ctypes.data, _U(table.size - 1)
    for n in range(spans.shape[0]):
        start, end = spans[n, UID, 0], spans[n, UID, 1]
        at = _slot(address, start, end, mask)
        while table[at] >= 0:
            other = table[at]
            size = spans[other, UID, 1] - spans[other, UID, 0]
            if size == end - start and are_equal(address, start, spans[other, UID, 0], size):
                return False
            at = (at + _ONE) & mask
        table[at] = n
    return True


@kernel
def _find(
    objects: Objects,
    data: npt.NDArray[np.uint8],
    uids: npt.NDArray[np.int64],
    entries: npt.NDArray[np.int64],
    frames: npt.NDArray[np.int64],
    seen: npt.NDArray[np.bool_],
    last: npt.NDArray[np.int64],
    found: npt.NDArray[np.int64],
    is_first: npt.NDArray[np.bool_],
) -> int:
    """Write the objects of geometries; give ALL_FOUND, or what is not so.

    Args:
        last: (n_objects, 2) the frame and the entry that each one was met in last.
    """
    _, spans, table = objects
    address, known, mask = data.ctypes.data, objects.data.ctypes.data, _U(table.size - 1)
    for row in range(uids.shape[0]):
        start, end = uids[row, 0], uids[row, 1]
        at = _slot(address, start, end, mask)
        while True:
            n = table[at]
            if n < 0:
                return UNKNOWN
            size = spans[n, UID, 1] - spans[n, UID, 0]
            if size == end - start and are_equal(_ZERO, address + start, known + spans[n, UID, 0], size):
                break
            at = (at + _ONE) & mask
        if last[n, 0] == frames[row] and last[n, 1] != entries[row]:
            return TWICE
        last[n, 0], last[n, 1] = frames[row], entries[row]
        found[row], is_first[row] = n, not seen[n]
        seen[n] = True
    return ALL_FOUND
