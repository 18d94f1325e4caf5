"""One value of a COCO record -> its columns: ids, numbers, boxes and other lists of numbers."""

from __future__ import annotations

import numpy as np

from predarrow_engine._jit import helper, inline, part
from predarrow_engine._simd_text import load_byte, load_int, load_short, store
from predarrow_engine.coco_columns import (
    BAD_LIST,
    BOOL,
    EXPECTED_COMMA,
    INT,
    LIST,
    NOT_FINITE,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    WHOLE,
)
from predarrow_engine.coco_slots import (
    BOX_COUNT,
    BOX_KIND,
    BOX_SPAN,
    BOX_VALUES,
    PENDING,
    POINTS,
    POINTS_KIND,
    POINTS_OFFSETS,
    POINTS_SPAN,
    ROOM_FOR,
    flat,
    get,
)
from predarrow_engine.json_scan import (
    CLOSE_LIST,
    COMMA,
    INCOMPLETE,
    LETTER_F,
    LETTER_N,
    LETTER_T,
    MINUS,
    NOT_A_NUMBER,
    OPEN_LIST,
    OPEN_OBJECT,
    QUOTE,
    ROOM,
    SHORT,
    UNSETTLED,
    WHOLE_NUMBER,
    after_blanks,
    after_value,
    begins_number,
    constants,
    flaw,
    number,
)

BOX_SIZE = constants(5, 6)[0]
"""Numbers of a box that are kept."""
OTHER_ITEM = -3
"""A list has something that is no number."""

_U = np.uint64
_EXACT = 2.0**53
_END = 2.0**63


@inline
def put_span(target: int, row: int, start: int, end: int) -> None:
    """Write a span."""
    store(target + 8 * row, np.int32(start))
    store(target + 8 * row + 4, np.int32(end))


@inline
def no_room(slots: int, which: int) -> int:
    """Note which array is full."""
    store(slots + 8 * SHORT, np.int64(which))
    return ROOM


@helper
def put_pending(slots: int, column: int, index: int, start: int, end: int) -> int:
    """Note a number for `float` to settle; give ROOM where there is none for it."""
    n = get(slots, PENDING)
    if n >= get(slots, PENDING + ROOM_FOR):
        return no_room(slots, PENDING)
    target = flat(slots, PENDING) + 32 * n
    store(target, np.int64(column))
    store(target + 8, np.int64(index))
    store(target + 16, np.int64(start))
    store(target + 24, np.int64(end))
    store(slots + 8 * PENDING, np.int64(n + 1))
    return 0


@helper
def drop_pending(slots: int, column: int, first: int) -> None:
    """Forget what was noted for one column from an index on: something else stands there now."""
    n, base, kept = get(slots, PENDING), flat(slots, PENDING), 0
    for i in range(n):
        source, target = base + 32 * i, base + 32 * kept
        if load_int(source) == column and load_int(source + 8) >= first:
            continue
        for shift in range(0, 32, 8):
            store(target + shift, load_int(source + shift))
        kept += 1
    store(slots + 8 * PENDING, np.int64(kept))


@inline
def kind_at(byte: int) -> int:
    """Give the kind of a value from its first byte; NUMBER of every number, NaN too."""
    if byte == QUOTE:
        return STRING
    if byte == OPEN_OBJECT:
        return OBJECT
    if byte == OPEN_LIST:
        return LIST
    if byte == LETTER_N:
        return NULL
    return BOOL if byte in (LETTER_T, LETTER_F) else NUMBER


@helper
def exact_int(address: int, start: int, end: int) -> tuple[int, bool]:
    """Give the value of a whole number, and whether it fits int64."""
    negative = load_byte(address + start) == MINUS
    value = _U(0)
    if end - start - negative > 19:
        return 0, False
    for at in range(start + negative, end):
        value = value * _U(10) + _U(load_byte(address + at) - 48)
    if value > _U(2**63 - 1) + _U(negative):
        return 0, False
    return int(np.int64(_U(0) - value) if negative else np.int64(value)), True


@part
def _whole(address: int, start: int, stop: int, value: float, form: int) -> tuple[int, int]:
    """Give the kind and the value of a number as an id."""
    if form == WHOLE_NUMBER:
        if abs(value) < _EXACT:
            return INT, int(value)
        exact, fits = exact_int(address, start, stop)
        return (INT if fits else NUMBER), exact
    if form == NOT_A_NUMBER:
        return NOT_FINITE, 0
    if form != UNSETTLED and -_END <= value < _END and value == np.floor(value):
        return WHOLE, int(value)
    return NUMBER, 0


@helper
def put_id(address: int, at: int, end: int, slots: int, column: int, row: int) -> int:
    """Write the value at `at` to a group of `Ids`; give where it stops."""
    byte = load_byte(address + at)
    kind, value = NUMBER, 0
    if begins_number(byte):
        stop, approximate, form = number(address, at, end, slots)
        if stop < 0:
            return stop
        kind, value = _whole(address, at, stop, approximate, form)
        if form == UNSETTLED and put_pending(slots, column, row, at, stop) < 0:
            return ROOM
    else:
        kind = kind_at(byte)
        stop = after_value(address, at, end, slots)
        if stop < 0:
            return stop
    store(get(slots, column) + row, np.uint8(kind))
    store(get(slots, column + 1) + 8 * row, np.int64(value))
    put_span(get(slots, column + 2), row, at, stop)
    return stop


@helper
def put_number(address: int, at: int, end: int, slots: int, column: int, row: int) -> int:
    """Write the value at `at` to a group of `Numbers`; give where it stops."""
    byte = load_byte(address + at)
    value = 0.0
    if begins_number(byte):
        stop, value, form = number(address, at, end, slots)
        if stop < 0:
            return stop
        kind = NOT_FINITE if form == NOT_A_NUMBER else NUMBER
        if form == UNSETTLED and put_pending(slots, column, row, at, stop) < 0:
            return ROOM
    else:
        kind = kind_at(byte)
        stop = after_value(address, at, end, slots)
        if stop < 0:
            return stop
        value = 1.0 if byte == LETTER_T else 0.0
    store(get(slots, column) + row, np.uint8(kind))
    store(get(slots, column + 1) + 8 * row, value)
    put_span(get(slots, column + 2), row, at, stop)
    return stop


@helper
def _numbers(
    address: int, at: int, end: int, slots: int, target: int, first: int, room: int, column: int
) -> tuple[int, int]:
    """Write the items of the list whose bracket is at `at` to target[first:], as many as there is room for.

    Gives where the list stops, or OTHER_ITEM, and how many items were met.
    """
    n = 0
    at = after_blanks(address, at + 1, end)
    if at < end and load_byte(address + at) == CLOSE_LIST:
        return at + 1, 0
    while at < end:
        if not begins_number(load_byte(address + at)):
            return OTHER_ITEM, n
        stop, value, form = number(address, at, end, slots)
        if stop < 0:
            return stop, n
        if n < room:
            store(target + 8 * (first + n), value)
            if form == UNSETTLED and put_pending(slots, column, first + n, at, stop) < 0:
                return ROOM, n
        elif column != BOX_VALUES:
            return no_room(slots, column), n
        n += 1
        at = after_blanks(address, stop, end)
        if at >= end:
            break
        byte = load_byte(address + at)
        if byte == CLOSE_LIST:
            return at + 1, n
        if byte != COMMA:
            return flaw(slots, EXPECTED_COMMA, at), n
        at = after_blanks(address, at + 1, end)
    return INCOMPLETE, n


@helper
def put_numbers(address: int, at: int, end: int, slots: int, which: int) -> int:
    """Append the list at `at` to a flat array of float64; give where it stops, or OTHER_ITEM."""
    first = get(slots, which)
    room = get(slots, which + ROOM_FOR) - first
    stop, n = _numbers(address, at, end, slots, flat(slots, which), first, room, which)
    store(slots + 8 * which, np.int64(first + n))
    return stop


@part
def put_box(address: int, at: int, end: int, slots: int, row: int) -> int:
    """Write the value at `at` to `Boxes`; give where it stops."""
    kind, n = kind_at(load_byte(address + at)), 0
    first, values = BOX_SIZE * row, get(slots, BOX_VALUES)
    stop = OTHER_ITEM
    if kind == LIST:
        stop, n = _numbers(address, at, end, slots, values, first, BOX_SIZE, BOX_VALUES)
    kept = n
    if stop == OTHER_ITEM:
        kind, kept = (BAD_LIST if kind == LIST else kind), 0
        drop_pending(slots, BOX_VALUES, first)
        stop = after_value(address, at, end, slots)
    if stop < 0:
        return stop
    for i in range(kept, BOX_SIZE):
        store(values + 8 * (first + i), 0.0)
    store(get(slots, BOX_KIND) + row, np.uint8(kind))
    store(get(slots, BOX_COUNT) + 4 * row, np.int32(n))
    put_span(get(slots, BOX_SPAN), row, at, stop)
    return stop


@part
def put_points(address: int, at: int, end: int, slots: int, row: int) -> int:
    """Write the value at `at` to the keypoints; give where it stops."""
    first = load_short(get(slots, POINTS_OFFSETS) + 4 * row)
    kind, stop = kind_at(load_byte(address + at)), OTHER_ITEM
    if kind == LIST:
        stop = put_numbers(address, at, end, slots, POINTS)
    if stop == OTHER_ITEM:
        kind = BAD_LIST if kind == LIST else kind
        drop_pending(slots, POINTS, first)
        store(slots + 8 * POINTS, np.int64(first))
        stop = after_value(address, at, end, slots)
    if stop < 0:
        return stop
    store(get(slots, POINTS_KIND) + row, np.uint8(kind))
    put_span(get(slots, POINTS_SPAN), row, at, stop)
    return stop
