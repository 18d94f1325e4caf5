"""Encord's labels of bounding boxes as JSON -> spans and numbers: the form that its SDK writes, and nothing else.

text   {"7": {"objects": [{"objectHash": "a", ..., "boundingBox": {"h": 0.1, ...}}, ...], "classifications": []}, ...}
       or the value of one frame alone, for an image
span   first byte of a text's content, and the one after its last; -1 for null or a member that is not there

Keys that are not known or stand twice, escapes in texts, other shapes and classifications end the scan: such rows have
to be read with every rule. What is taken is JSON, and each object has its hashes, its shape and its box.

"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, inline, kernel
from predarrow_engine._simd_text import load_byte, load_int, store
from predarrow_engine.json_plain import LIST_END, OBJECT_END, after_item, after_plain, colon, skip
from predarrow_engine.json_scan import (
    CLOSE_LIST,
    CLOSE_OBJECT,
    DECIMAL,
    LETTER_F,
    LETTER_N,
    LETTER_T,
    OPEN_LIST,
    OPEN_OBJECT,
    QUOTE,
    UNSETTLED,
    WHOLE_NUMBER,
    begins_number,
    constants,
    number,
)
from predarrow_engine.label_keys import (
    BOX,
    CONFIDENCE_KEY,
    FEATURE,
    MANUAL,
    OBJECT,
    OBJECTS,
    REVIEWS,
    SHAPE,
    after_flag,
    frame_key,
    is_bounding_box,
    is_null,
    object_key,
)
from predarrow_engine.rle_text import fixed

X, Y, W, H, CONFIDENCE = range(5)
"""Columns of numbers."""
NOT_GIVEN = -1
"""Where a span begins of what is not there, and the value of a flag that is not."""

_SPANS, _NUMBERS, _MANUALS, _GUESSES = constants(4, 8)
_SLOTS = 24
_SPAN_BYTES, _NUMBER_BYTES = 8 * 2 * 8, 5 * 8
_LEAST_OBJECT = 90  # bytes: of an object with empty texts
_LEAST_FRAME = 5

_NEEDED = (1 << OBJECT) | (1 << FEATURE) | (1 << BOX) | (1 << SHAPE)

_MOST_KEYS = 16
_ZERO = constants(0, 1)[0]


class Labels(NamedTuple):
    """Objects and frames of several texts, one after the other."""

    spans: npt.NDArray[np.int64]
    """(n, 8, 2) OBJECT, ..., EDITED_BY, and the whole of the BOX"""
    numbers: npt.NDArray[np.float64]
    """(n, 5) X, Y, W, H and CONFIDENCE; NaN for a confidence that is null or not there, and for a number of so many
    digits that Python has to settle it"""
    manual: npt.NDArray[np.int8]
    """(n,) 0 or 1"""
    keys: npt.NDArray[np.int64]
    """(n_frames, 2) spans of the frames' keys"""
    counts: npt.NDArray[np.int64]
    """(n_frames,) objects of each frame and all before it"""
    texts: npt.NDArray[np.int64]
    """(n_frames,) which text"""


def scan(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], by_frame: npt.NDArray[np.bool_]) -> Labels | None:
    """Give the labels of texts; None where one of them has another form.

    Args:
        data: (n_bytes,) UTF-8, the texts one after the other, and PADDING bytes.
        offsets: (n_texts + 1,) first byte of each; the first text may begin anywhere.
        by_frame: (n_texts,) whether a text has frames by their keys, or is one.
    """
    size = int(offsets[-1] - offsets[0])
    n, n_frames = size // _LEAST_OBJECT + 1, size // _LEAST_FRAME + len(by_frame) + 1
    room = Labels(
        np.empty((n, 8, 2), np.int64),
        np.empty((n, 5)),
        np.empty(n, np.int8),
        np.empty((n_frames, 2), np.int64),
        np.empty(n_frames, np.int64),
        np.empty(n_frames, np.int64),
    )
    found = np.zeros(2, np.int64)
    if not _scan(fixed(data), fixed(offsets), fixed(by_frame), room, np.zeros(_SLOTS, np.int64), found):
        return None
    n, n_frames = found.tolist()
    frames = room.keys[:n_frames], room.counts[:n_frames], room.texts[:n_frames]
    return Labels(room.spans[:n], room.numbers[:n], room.manual[:n], *frames)


@kernel
def _scan(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    by_frame: npt.NDArray[np.bool_],
    room: Labels,
    memory: npt.NDArray[np.int64],
    found: npt.NDArray[np.int64],
) -> bool:
    """Write the labels, and how many objects and frames there are; give whether all texts have the form.

    Args:
        memory: (_SLOTS,) zeros to work in; Numba would give up its own as soon as the address is taken.
    """
    address = data.ctypes.data
    slots = memory.ctypes.data
    store(slots + 8 * _SPANS, np.int64(room.spans.ctypes.data))
    store(slots + 8 * _NUMBERS, np.int64(room.numbers.ctypes.data))
    store(slots + 8 * _MANUALS, np.int64(room.manual.ctypes.data))
    n, n_frames = _ZERO, _ZERO
    for text in range(by_frame.size):
        at, end = int(offsets[text]), int(offsets[text + 1])
        at = skip(address, at, end)
        if by_frame[text]:
            at, n_frames, n = _frames(address, at, end, slots, room, n_frames, n, text)
        else:
            room.keys[n_frames, 0] = room.keys[n_frames, 1] = NOT_GIVEN
            at, n = _frame(address, at, end, slots, n)
            n_frames = _put_frame(room, n_frames, n, text)
        if at < 0 or skip(address, at, end) != end:
            return False
    found[0], found[1] = n, n_frames
    return True


@helper
def _frames(
    address: int, at: int, end: int, slots: int, room: Labels, n_frames: int, n: int, text: int
) -> tuple[int, int, int]:
    """Take the frames at `at` with their keys; give their end, -1 where they have another form, and both numbers."""
    if at >= end or load_byte(address + at) != OPEN_OBJECT:
        return -1, n_frames, n
    at = skip(address, at + 1, end)
    while 0 <= at < end and load_byte(address + at) == QUOTE:
        stop = after_plain(address, at + 1, end, slots)
        if stop < 0:
            return -1, n_frames, n
        room.keys[n_frames, 0], room.keys[n_frames, 1] = at + 1, stop - 1
        at = colon(address, stop, end, slots)
        if at >= 0:
            at, n = _frame(address, at, end, slots, n)
            n_frames = _put_frame(room, n_frames, n, text)
        if at >= 0:
            at = after_item(address, at, end, OBJECT_END)
    if at < 0 or at >= end or load_byte(address + at) != CLOSE_OBJECT:
        return -1, n_frames, n
    return at + 1, n_frames, n


@inline
def _put_frame(room: Labels, n_frames: int, n: int, text: int) -> int:
    """Write a frame with n objects in it and all before; give how many frames there are."""
    room.counts[n_frames], room.texts[n_frames] = n, text
    return n_frames + 1


@helper
def _frame(address: int, at: int, end: int, slots: int, n: int) -> tuple[int, int]:
    """Take the frame at `at`; give its end, -1 where it has another form, and how many objects there are."""
    seen = 0
    if at >= end or load_byte(address + at) != OPEN_OBJECT:
        return -1, n
    at = skip(address, at + 1, end)
    while at < end and load_byte(address + at) == QUOTE:
        stop = after_plain(address, at + 1, end, slots)
        key = frame_key(address, at + 1, stop - 1) if stop >= 0 else -1
        if key < 0 or seen & (1 << key):
            return -1, n
        seen |= 1 << key
        at = colon(address, stop, end, slots)
        if at < 0 or load_byte(address + at) != OPEN_LIST:
            return -1, n
        at = skip(address, at + 1, end)
        while key == OBJECTS and at < end and load_byte(address + at) == OPEN_OBJECT:
            at = _object(address, at, end, slots, n)
            n += 1
            if at >= 0:
                at = after_item(address, at, end, LIST_END)
            if at < 0:
                return -1, n
        if at >= end or load_byte(address + at) != CLOSE_LIST:
            return -1, n
        at = after_item(address, at + 1, end, OBJECT_END)
        if at < 0:
            return -1, n
    if at >= end or load_byte(address + at) != CLOSE_OBJECT:
        return -1, n
    return at + 1, n


@helper
def _object(address: int, at: int, end: int, slots: int, row: int) -> int:
    """Take the object whose brace is at `at`; give its end, -1 where it has another form."""
    spans = load_int(slots + 8 * _SPANS) + _SPAN_BYTES * row
    for column in range(2 * (BOX + 1)):
        store(spans + 8 * column, np.int64(NOT_GIVEN))
    store(load_int(slots + 8 * _NUMBERS) + _NUMBER_BYTES * row + 8 * CONFIDENCE, np.nan)
    store(load_int(slots + 8 * _MANUALS) + row, np.int8(NOT_GIVEN))
    seen, place = 0, 0
    at = skip(address, at + 1, end)
    while at < end and load_byte(address + at) == QUOTE and place < _MOST_KEYS:
        stop = after_plain(address, at + 1, end, slots)
        key = object_key(address, at + 1, stop - 1, slots + 8 * (_GUESSES + place)) if stop >= 0 else -1
        if key < 0 or seen & (1 << key):
            return -1
        seen |= 1 << key
        place += 1
        at = colon(address, stop, end, slots)
        if at < 0:
            return -1
        at = _member(address, at, end, slots, row, key)
        if at < 0:
            return -1
        at = after_item(address, at, end, OBJECT_END)
        if at < 0:
            return -1
    if at >= end or load_byte(address + at) != CLOSE_OBJECT or seen & _NEEDED != _NEEDED:
        return -1
    return at + 1


@inline
def _put_span(slots: int, row: int, column: int, start: int, end: int) -> None:
    target = load_int(slots + 8 * _SPANS) + _SPAN_BYTES * row + 16 * column
    store(target, np.int64(start))
    store(target + 8, np.int64(end))


@helper
def _member(address: int, at: int, end: int, slots: int, row: int, key: int) -> int:
    """Take the value of a key; give its end, -1 where it has another form."""
    byte = load_byte(address + at)
    if key == BOX:
        return _box(address, at, end, slots, row)
    if key == CONFIDENCE_KEY and begins_number(byte):
        stop, value, form = number(address, at, end, slots)
        store(load_int(slots + 8 * _NUMBERS) + _NUMBER_BYTES * row + 8 * CONFIDENCE, value)
        return stop if form in (DECIMAL, WHOLE_NUMBER) else -1
    if byte == QUOTE:
        stop = after_plain(address, at + 1, end, slots)
        if stop < 0 or key > SHAPE:
            return -1
        if key < BOX:
            _put_span(slots, row, key, at + 1, stop - 1)
        elif key == SHAPE:
            return stop if is_bounding_box(address, at + 1, stop - 1) else -1
        return stop
    if key == MANUAL and byte in (LETTER_T, LETTER_F):
        store(load_int(slots + 8 * _MANUALS) + row, np.int8(byte == LETTER_T))
        return after_flag(address, at)
    if key == REVIEWS and byte == OPEN_LIST:
        at = skip(address, at + 1, end)
        return at + 1 if at < end and load_byte(address + at) == CLOSE_LIST else -1
    is_needed = key in (OBJECT, FEATURE, SHAPE)
    return at + 4 if byte == LETTER_N and not is_needed and is_null(address, at) else -1


@helper
def _box(address: int, at: int, end: int, slots: int, row: int) -> int:
    """Take a box; give its end, -1 where it is not x, y, w and h, each once."""
    if load_byte(address + at) != OPEN_OBJECT:
        return -1
    start, seen = at, 0
    numbers = load_int(slots + 8 * _NUMBERS) + _NUMBER_BYTES * row
    at = skip(address, at + 1, end)
    while at + 3 < end and load_byte(address + at) == QUOTE and load_byte(address + at + 2) == QUOTE:
        letter = load_byte(address + at + 1)
        column = X if letter == 120 else Y if letter == 121 else W if letter == 119 else H if letter == 104 else -1
        if column < 0 or seen & (1 << column):
            return -1
        seen |= 1 << column
        at = colon(address, at + 3, end, slots)
        if at < 0 or not begins_number(load_byte(address + at)):
            return -1
        at, value, form = number(address, at, end, slots)
        if at < 0 or form not in (DECIMAL, WHOLE_NUMBER, UNSETTLED):
            return -1
        store(numbers + 8 * column, value if form != UNSETTLED else np.nan)
        at = after_item(address, at, end, OBJECT_END)
        if at < 0:
            return -1
    if at >= end or load_byte(address + at) != CLOSE_OBJECT or seen != 15:
        return -1
    _put_span(slots, row, BOX, start, at + 1)
    return at + 1
