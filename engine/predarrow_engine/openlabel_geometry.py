"""One geometry of OpenLABEL -> spans and numbers; see `openlabel_frames`."""

from __future__ import annotations

import numpy as np

from predarrow_engine import openlabel_keys as keys
from predarrow_engine._jit import helper, inline, part
from predarrow_engine._simd_text import load_byte, load_int, store
from predarrow_engine.json_plain import LIST_END, OBJECT_END, after_item, after_plain, skip
from predarrow_engine.json_scan import (
    CLOSE_LIST,
    CLOSE_OBJECT,
    DECIMAL,
    MINUS,
    OPEN_LIST,
    OPEN_OBJECT,
    QUOTE,
    UNSETTLED,
    WHOLE_NUMBER,
    after_value,
    begins_number,
    constants,
    number,
)
from predarrow_engine.openlabel_keys import key_among, keyed

UID, NAME, VAL, STREAM, WHOLE = range(5)
"""Columns of spans; the name's with its quotes."""

SPANS, NUMBERS, FLAGS = constants(4, 7)
"""Slots: addresses of the arrays that are written."""
N_SPANS, N_NUMBERS = 5, 11
_SPAN_BYTES, _NUMBER_BYTES = 8 * 2 * N_SPANS, 8 * N_NUMBERS
_WHOLE_DIGITS = 15
_ZERO = constants(0, 1)[0]
_NEEDED = (1 << keys.LABEL) | (1 << keys.VALUE)


@inline
def put_span(slots: int, row: int, column: int, start: int, end: int) -> None:
    """Write a span of a row."""
    target = load_int(slots + 8 * SPANS) + _SPAN_BYTES * row + 16 * column
    store(target, np.int64(start))
    store(target + 8, np.int64(end))


@inline
def _put_number(slots: int, row: int, column: int, value: float) -> None:
    store(load_int(slots + 8 * NUMBERS) + _NUMBER_BYTES * row + 8 * column, value)


@inline
def _leave(slots: int, row: int) -> None:
    """Leave a geometry to the caller."""
    store(load_int(slots + 8 * FLAGS) + row, np.int8(1))


@helper
def after_geometry(address: int, at: int, end: int, slots: int, row: int, width: int) -> int:
    """Take the geometry at `at`; give its end, -1 where it has another form."""
    start, seen = at, _ZERO
    store(load_int(slots + 8 * FLAGS) + row, np.int8(0))
    _put_number(slots, row, 0, 1.0)
    put_span(slots, row, STREAM, -1, -1)
    at = skip(address, at + 1, end)
    while at < end and load_byte(address + at) == QUOTE:
        at, key = keyed(address, at, end, slots, keys.LABEL, keys.ATTRIBUTES)
        if at < 0 or (key >= 0 and seen & (1 << key)):
            return -1
        value = at
        if key >= 0:
            seen |= 1 << key
            at = _member(address, value, end, slots, row, key, width)
        if key != keys.VALUE and (at < 0 or key < 0):
            _leave(slots, row)
            at = after_value(address, value, end, slots)
        if at >= 0:
            at = after_item(address, at, end, OBJECT_END)
        if at < 0:
            return -1
    if at >= end or load_byte(address + at) != CLOSE_OBJECT or seen & _NEEDED != _NEEDED:
        return -1
    put_span(slots, row, WHOLE, start, at + 1)
    return at + 1


@part
def _member(address: int, at: int, end: int, slots: int, row: int, key: int, width: int) -> int:
    """Take name, val or attributes; give their end, -1 where they have another form."""
    start = at
    if key == keys.VALUE:
        at = _numbers(address, at, end, slots, row, width)
        put_span(slots, row, VAL, start, at)
        return at
    if key == keys.ATTRIBUTES:
        at = _attributes(address, at, end, slots, row)
    else:
        at = after_plain(address, at + 1, end, slots) if load_byte(address + at) == QUOTE else -1
        put_span(slots, row, NAME, start, at)
    return at


@helper
def _numbers(address: int, at: int, end: int, slots: int, row: int, width: int) -> int:
    """Take a list of numbers; give its end, -1 where there are more or fewer than `width`."""
    if load_byte(address + at) != OPEN_LIST:
        return -1
    at = skip(address, at + 1, end)
    for column in range(1, width + 1):
        if at >= end or not begins_number(load_byte(address + at)):
            return -1
        stop, value, form = number(address, at, end, slots)
        if stop < 0 or form not in (DECIMAL, WHOLE_NUMBER, UNSETTLED):
            return -1
        is_short = form == WHOLE_NUMBER and stop - at <= _WHOLE_DIGITS
        if not (form == DECIMAL or (is_short and (value != 0.0 or load_byte(address + at) != MINUS))):
            _leave(slots, row)
        if not np.isfinite(value):
            _leave(slots, row)
        _put_number(slots, row, column, value)
        at = after_item(address, stop, end, LIST_END)
        if at < 0:
            return -1
    return at + 1 if at < end and load_byte(address + at) == CLOSE_LIST else -1


@helper
def _attributes(address: int, at: int, end: int, slots: int, row: int) -> int:
    """Take a confidence below 1 and a stream, or one of them; give the end, -1 where there is anything else."""
    seen = _ZERO
    if load_byte(address + at) != OPEN_OBJECT:
        return -1
    at = skip(address, at + 1, end)
    while at < end and load_byte(address + at) == QUOTE:
        at, key = keyed(address, at, end, slots, keys.NUM, keys.TEXT)
        if at < 0 or key < 0 or seen & (1 << key):
            return -1
        seen |= 1 << key
        if load_byte(address + at) != OPEN_LIST:
            return -1
        at = skip(address, at + 1, end)
        if at >= end or load_byte(address + at) != OPEN_OBJECT:
            return -1
        at = _entry(address, at, end, slots, row, key)
        if at >= 0:
            at = skip(address, at, end)
        if at < 0 or at >= end or load_byte(address + at) != CLOSE_LIST:
            return -1
        at = after_item(address, at + 1, end, OBJECT_END)
        if at < 0:
            return -1
    return at + 1 if at < end and load_byte(address + at) == CLOSE_OBJECT else -1


@part
def _entry(address: int, at: int, end: int, slots: int, row: int, kind: int) -> int:
    """Take the attribute at `at`, which is the confidence or the stream; give its end, -1 for another one."""
    seen = _ZERO
    wanted = keys.CONFIDENCE if kind == keys.NUM else keys.STREAM
    at = skip(address, at + 1, end)
    while at < end and load_byte(address + at) == QUOTE:
        at, key = keyed(address, at, end, slots, keys.LABEL, keys.VALUE)
        if at < 0 or key < 0 or seen & (1 << key):
            return -1
        seen |= 1 << key
        start, byte = at, load_byte(address + at)
        if key == keys.VALUE and kind == keys.NUM:
            at = _confidence(address, at, end, slots, row) if begins_number(byte) else -1
        else:
            at = after_plain(address, at + 1, end, slots) if byte == QUOTE else -1
            if at >= 0 and key == keys.VALUE:
                put_span(slots, row, STREAM, start + 1, at - 1)
            elif at >= 0 and key_among(address, start + 1, at - 1, wanted, wanted) < 0:
                return -1
        if at >= 0:
            at = after_item(address, at, end, OBJECT_END)
        if at < 0:
            return -1
    is_good = at < end and load_byte(address + at) == CLOSE_OBJECT and seen == _NEEDED
    return at + 1 if is_good else -1


@part
def _confidence(address: int, at: int, end: int, slots: int, row: int) -> int:
    """Take a confidence from 0 to below 1; give its end, -1 for another one."""
    stop, value, form = number(address, at, end, slots)
    is_good = form in (DECIMAL, WHOLE_NUMBER) and 0.0 <= value < 1.0 and load_byte(address + at) != MINUS
    _put_number(slots, row, 0, value)
    return stop if is_good else -1
