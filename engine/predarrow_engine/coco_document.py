"""A COCO document, block by block: which list we are in, and what its items are.

Only whole items are taken: where a block ends inside one, the caller gives it once more with more text behind it. So
between two calls nothing is kept but a few numbers, and a value at the top that is no list is the longest text that
has to be at hand at once. Lists without columns are gone through item by item too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, inline, kernel, part
from predarrow_engine._simd_text import load_byte, store
from predarrow_engine.coco_columns import (
    ANNOTATIONS,
    CATEGORIES,
    EXPECTED_COMMA,
    EXPECTED_KEY,
    EXTRA_DATA,
    IMAGES,
    NO_LIST,
    UNREAD,
    VIDEOS,
)
from predarrow_engine.coco_keys import KEY_ANNOTATIONS, KEY_CATEGORIES, KEY_IMAGES, KEY_VIDEOS, any_key
from predarrow_engine.coco_objects import close_image, close_row, put_image, put_record, undo_image, undo_row
from predarrow_engine.coco_slots import (
    BEGUN,
    CONSUMED,
    INDEX,
    INNER,
    KIND,
    OBJECTS,
    OUTER,
    PENDING,
    PHASE,
    PICTURE_KIND,
    PICTURE_SPAN,
    PICTURES,
    POSITION,
    RECORDS,
    ROOM_FOR,
    SECTION,
    SPAN,
    TOP,
    WANTED,
    flat,
    get,
)
from predarrow_engine.coco_values import kind_at, no_room, put_span
from predarrow_engine.json_scan import (
    CLOSE_LIST,
    CLOSE_OBJECT,
    COMMA,
    INCOMPLETE,
    OPEN_LIST,
    OPEN_OBJECT,
    QUOTE,
    after_blanks,
    after_colon,
    after_value,
    begins_number,
    constants,
    flaw,
)
from predarrow_engine.json_skim import after_items

START, FIRST_KEY, AFTER_MEMBER, FIRST_ITEM, AFTER_ITEM, DONE, LINE = constants(0, 7)
"""What comes next: the document; the first key of the dictionary or its end; a comma or the end of it; the first item
of a list or its end; a comma or the end of it; nothing; a line of JSON Lines."""
_MARK_SIZE = 3
_IN_LIST, _IN_OBJECT, _SKIMMED = 0, 8, 16
"""Added to SECTION where the list stands in a dictionary, and where it is not looked at."""
SKIM = 8
"""Added to a section's bit in WANTED: its list is not looked at."""


@inline
def _set(slots: int, slot: int, value: int) -> None:
    store(slots + 8 * slot, np.int64(value))


@helper
def _after_item(address: int, at: int, end: int, slots: int) -> int:
    """Give the end of the value at `at`; of a number that the block's end may have cut, INCOMPLETE."""
    stop = after_value(address, at, end, slots)
    if stop == end and begins_number(load_byte(address + at)) and get(slots, PHASE) != LINE:
        return INCOMPLETE
    return stop


@helper
def _record(address: int, at: int, end: int, slots: int) -> int:
    """Make a row of the item at `at`; give where it stops."""
    row = get(slots, RECORDS)
    if row >= get(slots, RECORDS + ROOM_FOR):
        return no_room(slots, RECORDS)
    n_pending, byte = get(slots, PENDING), load_byte(address + at)
    if byte == OPEN_OBJECT:
        stop = put_record(address, at, end, slots, row)
    else:
        stop = _after_item(address, at, end, slots)
        store(get(slots, KIND) + row, np.uint8(kind_at(byte)))
    if stop < 0:
        undo_row(slots, row, n_pending)
        return stop
    put_span(get(slots, SPAN), row, at, stop)
    outer = get(slots, OUTER)
    put_span(get(slots, POSITION), row, outer, get(slots, INNER if outer else INDEX))
    close_row(slots, row)
    _set(slots, RECORDS, row + 1)
    return stop


@part
def _image(address: int, at: int, end: int, slots: int) -> int:
    """Make a row of the item at `at`; give where it stops."""
    row = get(slots, PICTURES)
    if row >= get(slots, PICTURES + ROOM_FOR):
        return no_room(slots, PICTURES)
    n_pending, byte = get(slots, PENDING), load_byte(address + at)
    if byte == OPEN_OBJECT:
        stop = put_image(address, at, end, slots, row)
    else:
        stop = _after_item(address, at, end, slots)
        store(get(slots, PICTURE_KIND) + row, np.uint8(kind_at(byte)))
    if stop < 0:
        undo_image(slots, row, n_pending)
        return stop
    put_span(get(slots, PICTURE_SPAN), row, at, stop)
    close_image(slots, row)
    _set(slots, PICTURES, row + 1)
    return stop


@part
def _object(address: int, at: int, end: int, slots: int, section: int) -> int:
    """Note the span of the item at `at`; give where it stops."""
    n = get(slots, OBJECTS)
    if n >= get(slots, OBJECTS + ROOM_FOR):
        return no_room(slots, OBJECTS)
    stop = _after_item(address, at, end, slots)
    if stop >= 0:
        target = flat(slots, OBJECTS) + 12 * n
        store(target, np.int32(section))
        put_span(target + 4, 0, at, stop)
        _set(slots, OBJECTS, n + 1)
    return stop


@part
def _item(address: int, at: int, end: int, slots: int) -> int:
    """Take the item of a list at `at`, or go into it where it is a list of results; give where to go on."""
    section = get(slots, SECTION) & 7
    if section == ANNOTATIONS:
        if load_byte(address + at) == OPEN_LIST and get(slots, OUTER) == 0:
            _set(slots, OUTER, get(slots, INDEX) + 1)
            _set(slots, INNER, 0)
            _set(slots, PHASE, FIRST_ITEM)
            return at + 1
        stop = _record(address, at, end, slots)
    elif section == IMAGES:
        stop = _image(address, at, end, slots)
    elif section != UNREAD:
        stop = _object(address, at, end, slots, section)
    elif get(slots, SECTION) & _SKIMMED and load_byte(address + at) in (OPEN_LIST, OPEN_OBJECT):
        stop, _ = after_items(address, at, end)
        if stop == at:
            stop = _after_item(address, at, end, slots)
    else:
        stop = _after_item(address, at, end, slots)
    if stop >= 0:
        counter = INNER if get(slots, OUTER) else INDEX
        _set(slots, counter, get(slots, counter) + 1)
        _set(slots, PHASE, AFTER_ITEM)
    return stop


@inline
def _close_list(slots: int) -> None:
    if get(slots, OUTER):
        _set(slots, OUTER, 0)
        _set(slots, INDEX, get(slots, INDEX) + 1)
        _set(slots, PHASE, AFTER_ITEM)
    else:
        _set(slots, PHASE, AFTER_MEMBER if get(slots, SECTION) & _IN_OBJECT else DONE)


@inline
def _open_list(slots: int, section: int, where: int) -> None:
    wanted = get(slots, WANTED) >> section
    _set(slots, SECTION, (section if wanted & 1 else UNREAD) + where + (_SKIMMED if wanted >> SKIM & 1 else 0))
    _set(slots, INDEX, 0)
    _set(slots, PHASE, FIRST_ITEM)


@inline
def _section_of(key: int) -> int:
    if key == KEY_ANNOTATIONS:
        return ANNOTATIONS
    if key == KEY_IMAGES:
        return IMAGES
    if key == KEY_CATEGORIES:
        return CATEGORIES
    return VIDEOS if key == KEY_VIDEOS else UNREAD


@part
def _member(address: int, at: int, end: int, slots: int) -> int:
    """Take the key at `at` with its value, or go into it where it is a list; give where to go on."""
    n = get(slots, TOP)
    if n >= get(slots, TOP + ROOM_FOR):
        return no_room(slots, TOP)
    if load_byte(address + at) != QUOTE:
        return flaw(slots, EXPECTED_KEY, at)
    key, key_end = any_key(address, at + 1, end, slots)
    value = after_colon(address, key_end, end, slots)
    if value < 0:
        return value
    byte = load_byte(address + value)
    if byte == OPEN_LIST:
        _open_list(slots, _section_of(key), _IN_OBJECT)
        stop = value + 1
    else:
        stop = _after_item(address, value, end, slots)
        if stop < 0:
            return stop
        _set(slots, PHASE, AFTER_MEMBER)
    target = flat(slots, TOP) + 16 * n
    put_span(target, 0, at, key_end)
    put_span(target, 1, value, kind_at(byte))
    _set(slots, TOP, n + 1)
    return stop


@inline
def _mark(address: int, end: int) -> int:
    """Give the length of a byte order mark."""
    if (
        end >= _MARK_SIZE
        and load_byte(address) == 0xEF
        and load_byte(address + 1) == 0xBB
        and load_byte(address + 2) == 0xBF
    ):
        return _MARK_SIZE
    return 0


@part
def _start(address: int, at: int, slots: int) -> int:
    byte = load_byte(address + at)
    if byte == OPEN_LIST:
        _open_list(slots, ANNOTATIONS, _IN_LIST)
    elif byte == OPEN_OBJECT:
        _set(slots, PHASE, FIRST_KEY)
    else:
        return flaw(slots, NO_LIST, at)
    return at + 1


@part
def _line(address: int, at: int, end: int, slots: int, last: bool) -> int:
    """Make a row of the value at `at`, behind which its line must end; give where to go on."""
    row, n_pending = get(slots, RECORDS), get(slots, PENDING)
    stop = _record(address, at, end, slots)
    if stop < 0:
        return stop
    while stop < end and load_byte(address + stop) in (32, 9, 13):
        stop += 1
    if stop < end:
        if load_byte(address + stop) == 10:
            return stop + 1
        stop = flaw(slots, EXTRA_DATA, stop)
    elif last:
        return stop
    else:
        stop = INCOMPLETE
    _set(slots, RECORDS, row)
    undo_row(slots, row, n_pending)
    return stop


@part
def _step(address: int, at: int, end: int, slots: int, last: bool) -> int:
    """Take what stands at `at`, which is no blank; give where to go on."""
    phase, byte = get(slots, PHASE), load_byte(address + at)
    if phase == LINE:
        return _line(address, at, end, slots, last)
    if phase == START:
        return _start(address, at, slots)
    if phase == DONE:
        return flaw(slots, EXTRA_DATA, at)
    in_list = phase in (FIRST_ITEM, AFTER_ITEM)
    if byte == (CLOSE_LIST if in_list else CLOSE_OBJECT):
        if in_list:
            _close_list(slots)
        else:
            _set(slots, PHASE, DONE)
        return at + 1
    if phase in (AFTER_ITEM, AFTER_MEMBER):
        if byte != COMMA:
            return flaw(slots, EXPECTED_COMMA, at)
        at = after_blanks(address, at + 1, end)
        if at >= end:
            return INCOMPLETE
    if in_list:
        return _item(address, at, end, slots)
    return _member(address, at, end, slots)


@kernel
def scan_block(data: npt.NDArray[np.uint8], state: npt.NDArray[np.int64], begin: int, last: bool) -> int:
    """Read a block from `begin` on; give its end, INCOMPLETE, ROOM, or a flaw."""
    address, end, slots = data.ctypes.data, data.size, state.ctypes.data
    at = begin
    if not get(slots, BEGUN):
        if end < _MARK_SIZE and not last:
            return INCOMPLETE
        at = _mark(address, end)
        _set(slots, BEGUN, 1)
    stop = at
    while stop >= 0:
        at = after_blanks(address, stop, end)
        _set(slots, CONSUMED, at)
        if at >= end:
            break
        stop = _step(address, at, end, slots, last)
    return stop
