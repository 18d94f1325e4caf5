"""The key `segmentation` of a COCO record -> rings, texts of run lengths, lists of them."""

from __future__ import annotations

import numpy as np

from predarrow_engine._jit import helper, inline, part
from predarrow_engine._simd_runs import keep_marked
from predarrow_engine._simd_text import BLOCK, below, count_bits, equal, first_bit, load_byte, load_short, store
from predarrow_engine.coco_columns import (
    COUNTS,
    EMPTY,
    EXPECTED_COMMA,
    EXPECTED_KEY,
    FLAT,
    FURTHER,
    NULL_SEGMENTATION,
    OTHER,
    POLYGONS,
    RLE,
)
from predarrow_engine.coco_keys import KEY_COUNTS, KEY_SIZE, runs_key
from predarrow_engine.coco_rings import put_ring
from predarrow_engine.coco_runs import backslashes
from predarrow_engine.coco_slots import (
    COORDINATES,
    COUNT_VALUES,
    RINGS,
    ROOM_FOR,
    SHAPE_COUNTS,
    SHAPE_KIND,
    SHAPE_RINGS,
    SHAPE_SIZE,
    SHAPE_SPAN,
    SHAPE_TEXT,
    TEXT,
    flat,
    get,
)
from predarrow_engine.coco_values import OTHER_ITEM, exact_int, no_room, put_span
from predarrow_engine.json_scan import (
    BACKSLASH,
    CLOSE_LIST,
    CLOSE_OBJECT,
    COMMA,
    HAS_HIGH,
    INCOMPLETE,
    LETTER_N,
    LETTER_U,
    OPEN_LIST,
    OPEN_OBJECT,
    QUOTE,
    WHOLE_NUMBER,
    after_blanks,
    after_colon,
    after_escape,
    after_string,
    after_value,
    begins_number,
    constants,
    flaw,
    number,
)
from predarrow_engine.json_text import MAX_POINT_BYTES, escaped_byte, escaped_point, put_point
from predarrow_engine.runs import ONE, ZERO

_N_SIZE = constants(2, 3)[0]


@helper
def forget_shape(slots: int, row: int) -> None:
    """Take back what a record's segmentation wrote so far."""
    rings = load_short(get(slots, SHAPE_RINGS) + 4 * row)
    store(slots + 8 * RINGS, np.int64(rings))
    store(slots + 8 * COORDINATES, np.int64(load_short(flat(slots, RINGS) + 4 * rings)))
    _forget_runs(slots, row)


@inline
def _forget_runs(slots: int, row: int) -> None:
    store(slots + 8 * TEXT, np.int64(load_short(get(slots, SHAPE_TEXT) + 4 * row)))
    store(slots + 8 * COUNT_VALUES, np.int64(load_short(get(slots, SHAPE_COUNTS) + 4 * row)))
    store(get(slots, SHAPE_SIZE) + 16 * row, np.int64(0))
    store(get(slots, SHAPE_SIZE) + 16 * row + 8, np.int64(0))


@part
def _put_rings(address: int, at: int, end: int, slots: int) -> int:
    """Append the lists in the list whose first one is at `at`; give where the outer one stops, or OTHER_ITEM."""
    while at < end:
        if load_byte(address + at) != OPEN_LIST:
            return OTHER_ITEM
        at = put_ring(address, at, end, slots)
        if at < 0:
            return at
        at = after_blanks(address, at, end)
        if at >= end:
            return INCOMPLETE
        byte = load_byte(address + at)
        if byte == CLOSE_LIST:
            return at + 1
        if byte != COMMA:
            return flaw(slots, EXPECTED_COMMA, at)
        at = after_blanks(address, at + 1, end)
    return INCOMPLETE


@part
def _put_text(address: int, at: int, end: int, slots: int) -> int:
    """Append the string whose opening quote stands before `at`, without escapes; give its end."""
    base, n, room = flat(slots, TEXT), get(slots, TEXT), get(slots, TEXT + ROOM_FOR) - 2 * BLOCK - MAX_POINT_BYTES
    while at < end:
        if n > room:
            return no_room(slots, TEXT)
        if at + BLOCK <= end:
            dropped, odd = backslashes(address + at)
            stops = equal(address + at, QUOTE) | below(address + at, 32) | odd
            before = (stops - ONE) & ~stops
            keep_marked(base + n, address + at, ~dropped)
            n += count_bits(before & ~dropped)
            if ~below(address + at, 128) & before != ZERO:
                store(slots + 8 * HAS_HIGH, np.int64(1))
            if stops == ZERO:  # a branch, as in `copy_runs`
                at += BLOCK
                continue
            at += first_bit(stops)
        byte = load_byte(address + at)
        if byte == QUOTE:
            store(slots + 8 * TEXT, np.int64(n))
            return at + 1
        if byte == BACKSLASH:
            start = at
            at = after_escape(address, at, end, slots)
            if at < 0:
                return at
            if load_byte(address + start + 1) == LETTER_U:
                point, at = escaped_point(address, start, end)
                n = put_point(base, n, point)
                continue
            byte = escaped_byte(load_byte(address + start + 1))
        elif byte < 32:
            return after_string(address, at, end, slots)  # which tells the flaw
        else:
            at += 1
            if byte > 127:
                store(slots + 8 * HAS_HIGH, np.int64(1))
        store(base + n, np.uint8(byte))
        n += 1
    return INCOMPLETE


@part
def _int_at(address: int, at: int, end: int, slots: int) -> tuple[int, int]:
    """Read an integer that fits int64; give where it stops, or OTHER_ITEM, and its value."""
    if not begins_number(load_byte(address + at)):
        return OTHER_ITEM, 0
    stop, value, form = number(address, at, end, slots)
    if stop < 0:
        return stop, 0
    if form != WHOLE_NUMBER:
        return OTHER_ITEM, 0
    exact, fits = int(value), True
    if abs(value) >= 2.0**53:
        exact, fits = exact_int(address, at, stop)
    return (stop if fits else OTHER_ITEM), exact


@helper
def _put_ints(address: int, at: int, end: int, slots: int, target: int, room: int) -> tuple[int, int]:
    """Write the integers of the list at `at`; give where it stops, or OTHER_ITEM, and how many there are.

    There may be more than there is room for; they are not written.
    """
    n = 0
    at = after_blanks(address, at + 1, end)
    if at < end and load_byte(address + at) == CLOSE_LIST:
        return at + 1, 0
    while at < end:
        stop, value = _int_at(address, at, end, slots)
        if stop < 0:
            return stop, n
        if n < room:
            store(target + 8 * n, np.int64(value))
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


@part
def _put_counts(address: int, at: int, end: int, slots: int) -> tuple[int, int]:
    """Append the value at `at` to the texts or the lists of run lengths; give where it stops, and RLE … OTHER."""
    byte = load_byte(address + at)
    if byte == QUOTE:
        return _put_text(address, at + 1, end, slots), RLE
    if byte == OPEN_LIST:
        first = get(slots, COUNT_VALUES)
        room = get(slots, COUNT_VALUES + ROOM_FOR) - first
        stop, n = _put_ints(address, at, end, slots, flat(slots, COUNT_VALUES) + 8 * first, room)
        if stop != OTHER_ITEM:
            if n > room:
                stop = no_room(slots, COUNT_VALUES)
            store(slots + 8 * COUNT_VALUES, np.int64(first + min(n, room)))
            return stop, COUNTS
    return after_value(address, at, end, slots), OTHER


@part
def _put_size(address: int, at: int, end: int, slots: int, row: int) -> tuple[int, bool]:
    """Write the value at `at` as a size; give where it stops, and whether it is two integers."""
    stop, n = OTHER_ITEM, 0
    if load_byte(address + at) == OPEN_LIST:
        stop, n = _put_ints(address, at, end, slots, get(slots, SHAPE_SIZE) + 16 * row, _N_SIZE)
    if stop == OTHER_ITEM:
        return after_value(address, at, end, slots), False
    return stop, n == 2


@part
def _put_runs(address: int, at: int, end: int, slots: int, row: int) -> tuple[int, int]:
    """Write the object at `at`; give where it stops, and RLE, COUNTS or OTHER, FURTHER added for members beside."""
    kind, has_size, further = OTHER, False, 0
    at = after_blanks(address, at + 1, end)
    if at < end and load_byte(address + at) == CLOSE_OBJECT:
        return at + 1, OTHER
    while at < end:
        if load_byte(address + at) != QUOTE:
            return flaw(slots, EXPECTED_KEY, at), OTHER
        key, at = runs_key(address, at + 1, end, slots)
        at = after_colon(address, at, end, slots)
        if at < 0:
            return at, OTHER
        if key == KEY_SIZE:
            at, has_size = _put_size(address, at, end, slots, row)
        elif key == KEY_COUNTS:
            store(slots + 8 * TEXT, np.int64(load_short(get(slots, SHAPE_TEXT) + 4 * row)))
            store(slots + 8 * COUNT_VALUES, np.int64(load_short(get(slots, SHAPE_COUNTS) + 4 * row)))
            at, kind = _put_counts(address, at, end, slots)
        else:
            at, further = after_value(address, at, end, slots), FURTHER
        if at < 0:
            return at, OTHER
        at = after_blanks(address, at, end)
        if at >= end:
            break
        byte = load_byte(address + at)
        if byte == CLOSE_OBJECT:
            return at + 1, (kind + further if has_size and kind != OTHER else OTHER)
        if byte != COMMA:
            return flaw(slots, EXPECTED_COMMA, at), OTHER
        at = after_blanks(address, at + 1, end)
    return INCOMPLETE, OTHER


@part
def _put_list(address: int, at: int, end: int, slots: int) -> tuple[int, int]:
    """Write the list at `at`; give where it stops, or OTHER_ITEM, and EMPTY, POLYGONS or FLAT."""
    first = after_blanks(address, at + 1, end)
    if first >= end:
        return INCOMPLETE, OTHER
    byte = load_byte(address + first)
    if byte == CLOSE_LIST:
        return first + 1, EMPTY
    if byte == OPEN_LIST:
        return _put_rings(address, first, end, slots), POLYGONS
    return put_ring(address, at, end, slots), FLAT


@part
def put_shape(address: int, at: int, end: int, slots: int, row: int) -> int:
    """Write the value at `at` to `Segmentations`; give where it stops."""
    byte, kind, stop = load_byte(address + at), OTHER, OTHER_ITEM
    if byte == OPEN_LIST:
        stop, kind = _put_list(address, at, end, slots)
    elif byte == OPEN_OBJECT:
        stop, kind = _put_runs(address, at, end, slots, row)
    elif byte == LETTER_N:
        kind = NULL_SEGMENTATION
    if stop == OTHER_ITEM:
        kind = kind if kind == NULL_SEGMENTATION else OTHER
        stop = after_value(address, at, end, slots)
    if stop < 0:
        return stop
    if kind == OTHER:
        forget_shape(slots, row)
    store(get(slots, SHAPE_KIND) + row, np.uint8(kind))
    put_span(get(slots, SHAPE_SPAN), row, at, stop)
    return stop
