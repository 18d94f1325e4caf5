"""One result, annotation or image of COCO -> its row."""

from __future__ import annotations

import numpy as np

from predarrow_engine._jit import helper, inline, part
from predarrow_engine._simd_text import load_byte, load_short, store
from predarrow_engine.coco_columns import EXPECTED_COMMA, EXPECTED_KEY
from predarrow_engine.coco_keys import (
    KEY_BBOX,
    KEY_FILE_NAME,
    KEY_ID,
    KEY_ISCROWD,
    KEY_KEYPOINTS,
    KEY_SCORE,
    KEY_SEGMENTATION,
    KEY_WIDTH,
    image_key,
    record_key,
)
from predarrow_engine.coco_shapes import forget_shape, put_shape
from predarrow_engine.coco_slots import (
    BOX_VALUES,
    IMAGE_ID,
    OTHERS,
    OTHERS_OFFSETS,
    PENDING,
    PICTURE_ID,
    PICTURE_OTHERS,
    PICTURE_OTHERS_OFFSETS,
    POINTS,
    POINTS_OFFSETS,
    ROOM_FOR,
    SHAPE_COUNTS,
    SHAPE_RINGS,
    SHAPE_TEXT,
    TEXT,
    flat,
    get,
)
from predarrow_engine.coco_slots import COUNT_VALUES as COUNT_ITEMS
from predarrow_engine.coco_slots import RINGS as RING_ITEMS
from predarrow_engine.coco_values import (
    BOX_SIZE,
    drop_pending,
    no_room,
    put_box,
    put_id,
    put_number,
    put_points,
    put_span,
)
from predarrow_engine.json_scan import (
    CLOSE_OBJECT,
    COMMA,
    INCOMPLETE,
    QUOTE,
    after_blanks,
    after_colon,
    after_value,
    flaw,
)

_GROUP = 3
"""Columns of a group of ids or numbers."""


@helper
def put_other(address: int, key: int, key_end: int, at: int, end: int, slots: int, which: int) -> int:
    """Append the spans of a key without a column and of its value at `at`; give where that stops."""
    n = get(slots, which)
    if n >= get(slots, which + ROOM_FOR):
        return no_room(slots, which)
    stop = after_value(address, at, end, slots)
    target = flat(slots, which)
    put_span(target, 2 * n, key, key_end)
    put_span(target, 2 * n + 1, at, stop)
    store(slots + 8 * which, np.int64(n + 1))
    return stop


@inline
def after_member(address: int, at: int, end: int, slots: int) -> tuple[int, bool]:
    """Step over the comma or the bracket behind a value of an object; give where to go on, and whether it closed."""
    if at < 0:
        return at, False
    at = after_blanks(address, at, end)
    if at >= end:
        return INCOMPLETE, False
    byte = load_byte(address + at)
    if byte == CLOSE_OBJECT:
        return at + 1, True
    if byte != COMMA:
        return flaw(slots, EXPECTED_COMMA, at), False
    return after_blanks(address, at + 1, end), False


@part
def _forget(slots: int, key: int, row: int) -> None:
    """Take back what an earlier value of the same key left behind."""
    if key < KEY_BBOX:
        drop_pending(slots, IMAGE_ID + _GROUP * key, row)
    elif key == KEY_BBOX:
        drop_pending(slots, BOX_VALUES, BOX_SIZE * row)
    elif key == KEY_SEGMENTATION:
        forget_shape(slots, row)
    else:
        first = load_short(get(slots, POINTS_OFFSETS) + 4 * row)
        drop_pending(slots, POINTS, first)
        store(slots + 8 * POINTS, np.int64(first))


@part
def _put_known(address: int, key: int, at: int, end: int, slots: int, row: int) -> int:
    if key == KEY_BBOX:
        return put_box(address, at, end, slots, row)
    if key < KEY_SCORE:
        return put_id(address, at, end, slots, IMAGE_ID + _GROUP * key, row)
    if key <= KEY_ISCROWD:
        return put_number(address, at, end, slots, IMAGE_ID + _GROUP * key, row)
    if key == KEY_SEGMENTATION:
        return put_shape(address, at, end, slots, row)
    return put_points(address, at, end, slots, row)


@helper
def close_row(slots: int, row: int) -> None:
    """Write where the flat arrays stand behind a record."""
    store(get(slots, SHAPE_RINGS) + 4 * (row + 1), np.int32(get(slots, RING_ITEMS)))
    store(get(slots, SHAPE_TEXT) + 4 * (row + 1), np.int32(get(slots, TEXT)))
    store(get(slots, SHAPE_COUNTS) + 4 * (row + 1), np.int32(get(slots, COUNT_ITEMS)))
    store(get(slots, POINTS_OFFSETS) + 4 * (row + 1), np.int32(get(slots, POINTS)))
    store(get(slots, OTHERS_OFFSETS) + 4 * (row + 1), np.int32(get(slots, OTHERS)))


@helper
def undo_row(slots: int, row: int, n_pending: int) -> None:
    """Take back what a record that was not finished wrote to flat arrays."""
    forget_shape(slots, row)
    store(slots + 8 * POINTS, np.int64(load_short(get(slots, POINTS_OFFSETS) + 4 * row)))
    store(slots + 8 * OTHERS, np.int64(load_short(get(slots, OTHERS_OFFSETS) + 4 * row)))
    store(slots + 8 * PENDING, np.int64(n_pending))


@part
def put_record(address: int, at: int, end: int, slots: int, row: int) -> int:
    """Write the object at `at`; give where it stops."""
    seen, closed = 0, False
    at = after_blanks(address, at + 1, end)
    if at < end and load_byte(address + at) == CLOSE_OBJECT:
        return at + 1
    while at < end:
        if at < 0 or closed:
            return at
        if load_byte(address + at) != QUOTE:
            return flaw(slots, EXPECTED_KEY, at)
        key, key_end = record_key(address, at + 1, end, slots)
        value = after_colon(address, key_end, end, slots)
        if value < 0:
            return value
        if key > KEY_KEYPOINTS:
            stop = put_other(address, at, key_end, value, end, slots, OTHERS)
        else:
            if seen >> key & 1:
                _forget(slots, key, row)
            seen |= 1 << key
            stop = _put_known(address, key, value, end, slots, row)
        at, closed = after_member(address, stop, end, slots)
    return at if closed else INCOMPLETE


@inline
def _image_column(key: int) -> int:
    """Give the group of a key, -1 without."""
    if key == KEY_ID:
        return PICTURE_ID
    if KEY_WIDTH <= key <= KEY_FILE_NAME:
        return PICTURE_ID + _GROUP * (key - KEY_WIDTH + 1)
    return -1


@part
def put_image(address: int, at: int, end: int, slots: int, row: int) -> int:
    """Write the object at `at`; give where it stops."""
    closed = False
    at = after_blanks(address, at + 1, end)
    if at < end and load_byte(address + at) == CLOSE_OBJECT:
        return at + 1
    while at < end:
        if at < 0 or closed:
            return at
        if load_byte(address + at) != QUOTE:
            return flaw(slots, EXPECTED_KEY, at)
        key, key_end = image_key(address, at + 1, end, slots)
        value = after_colon(address, key_end, end, slots)
        if value < 0:
            return value
        column = _image_column(key)
        if column < 0:
            stop = put_other(address, at, key_end, value, end, slots, PICTURE_OTHERS)
        else:
            drop_pending(slots, column, row)
            stop = put_id(address, value, end, slots, column, row)
        at, closed = after_member(address, stop, end, slots)
    return at if closed else INCOMPLETE


@helper
def close_image(slots: int, row: int) -> None:
    """Write where the flat array stands behind an image."""
    store(get(slots, PICTURE_OTHERS_OFFSETS) + 4 * (row + 1), np.int32(get(slots, PICTURE_OTHERS)))


@helper
def undo_image(slots: int, row: int, n_pending: int) -> None:
    """Take back what an image that was not finished wrote to flat arrays."""
    store(slots + 8 * PICTURE_OTHERS, np.int64(load_short(get(slots, PICTURE_OTHERS_OFFSETS) + 4 * row)))
    store(slots + 8 * PENDING, np.int64(n_pending))
