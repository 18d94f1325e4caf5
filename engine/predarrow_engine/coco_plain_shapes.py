"""Annotations that all are written alike: ids, polygons and a box or run lengths, perhaps a score.

As `coco_plain.py` reads results: the text between the values is the same in all of them, and is learnt from two records
that were read (`coco_shapes_form.py`). Values that have no column (`id`, `area`, `iscrowd`, unknown keys) are copied as
they stand.

    , {"segmentation": [[1.5, …]], "area": 702.1, "iscrowd": 0, "image_id": 7, "bbox": [473.1, …], "id": 1768}, {"seg…
    ---behind the last one--     ----0----     -----1------  …                                   …           -----

Rings are read by `coco_rings.py`, run lengths by `coco_runs.py`. Where anything else is met, `coco.py` reads the block,
which knows every rule.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine import memory
from predarrow_engine._jit import helper, inline, kernel, part
from predarrow_engine._simd_text import BLOCK, copy_block, load_byte, load_float, load_int, store, unequal
from predarrow_engine.coco_plain import close_side, is_text
from predarrow_engine.coco_rings import CLOSED, FAR, UNDECIDED, read_ring
from predarrow_engine.coco_runs import MARGIN, copy_runs
from predarrow_engine.coco_shapes_form import CATEGORY, HEIGHT, IMAGE, KEPT, RINGS, RUNS, SCORE, ShapesForm, X
from predarrow_engine.json_scan import (
    CLOSE_LIST,
    COMMA,
    OPEN_LIST,
    ROOM,
    WHOLE_NUMBER,
    after_blanks,
    after_value,
    begins_number,
    constants,
    number,
)

_OTHER = constants(-3, -2)[0]
"""Something that is read by every rule."""
_N_TABLES = 5
(_N_ROWS, _N_RINGS, _N_VERTICES, _N_TEXT, _N_RUNS) = constants(0, _N_TABLES)
"""Slots: how many items there are, of records that were read as a whole."""
_NOW, _ROOM_FOR, _COLUMNS = constants(_N_TABLES, 4 * _N_TABLES, _N_TABLES)
"""Added to one of those: how many there are with the record that is being read, how many there is room for; and the
first slot of the addresses of columns."""
(_VALUES, _ROW_RINGS, _ROW_TEXTS, _ROW_RUNS, _RING_OFFSETS, _X, _Y, _TEXT, _RUNS, _SPANS, _PLACE, _N_SLOTS) = (
    *constants(_COLUMNS, _COLUMNS + 1),
    *constants(_COLUMNS + RINGS, _COLUMNS + RINGS + 11),
)
"""Addresses: of the columns of IMAGE ... SCORE, of the others, and of spans of values to be copied; the place in the
text behind the last record that was read."""
_OF_TABLE: tuple[tuple[int, int, type[np.generic], int], ...] = (
    *((slot, 0, np.int64, 0) for slot in range(_VALUES, _VALUES + X)),
    *((slot, 0, np.float64, 0) for slot in range(_VALUES + X, _VALUES + RINGS)),
    *((slot, 0, np.int32, 1) for slot in (_ROW_RINGS, _ROW_TEXTS, _ROW_RUNS)),
    (_RING_OFFSETS, 1, np.int32, 1),
    (_X, 2, np.float32, 0),
    (_Y, 2, np.float32, 0),
    (_TEXT, 3, np.uint8, 0),
    (_RUNS, 4, np.uint8, 0),
)
"""Slot of a column, its table, its type, and 1 for offsets."""
_LEAST_NUMBERS = 6  # of a polygon: three vertices
_MARGIN = 1.05
_SPARE = 1024
"""Items that there is room for at least: what is written at once fits in."""

_U = np.uint64
_ONE = _U(1)
_EXACT = 2.0**53


class PlainShapes(NamedTuple):
    """n annotations that were read; boxes are finite, with sides of at least 0.

    All have one polygon or more and a box, or all have a text of run lengths.
    """

    image_id: npt.NDArray[np.int64]
    category_id: npt.NDArray[np.int64]
    corners: npt.NDArray[np.float64] | None
    """(4, n) x, y, x + width, y + height; None without boxes"""
    score: npt.NDArray[np.float64] | None
    """(n,) finite; None without"""
    rings: npt.NDArray[np.int32]
    """(n + 1,) into ring_offsets"""
    ring_offsets: npt.NDArray[np.int32]
    """(n_rings + 1,) into x and y"""
    x: npt.NDArray[np.float32]
    """as `coco_columns.Segmentations` has it"""
    y: npt.NDArray[np.float32]
    text_offsets: npt.NDArray[np.int32]
    """(n + 1,) into text"""
    text: npt.NDArray[np.uint8]
    """JSON objects of the values without a column; empty where there are none"""
    size: npt.NDArray[np.int64] | None
    """(n, 2) height and width of masks; None of polygons"""
    run_offsets: npt.NDArray[np.int32]
    """(n + 1,) into runs"""
    runs: npt.NDArray[np.uint8]
    """characters '0' to 'o', as `coco_columns.Segmentations` has them in text"""


@inline
def _get(to: int, slot: int) -> int:
    return load_int(to + 8 * slot)


@inline
def _set(to: int, slot: int, value: int) -> None:
    store(to + 8 * slot, np.int64(value))


@inline
def _stands(address: int, at: int, end: int, text: int, length: int) -> bool:
    """Tell whether a text stands at `at`."""
    if at + BLOCK <= end:
        return bool((unequal(address + at, text) & ((_ONE << _U(length)) - _ONE)) == _U(0))
    return is_text(address, at, end, text, length)


@part
def _put_number(address: int, at: int, end: int, slots: int, to: int, place: int) -> int:
    """Write the number at `at` to a column; give its end, or _OTHER."""
    if at >= end:
        return _OTHER
    row = _get(to, _N_ROWS)
    stop, value, form = number(address, at, end, slots)
    target = _get(to, _VALUES + place) + 8 * row
    if place >= X:
        store(target, value)
        return stop if form <= WHOLE_NUMBER else _OTHER
    store(target, np.int64(value))
    return stop if form == WHOLE_NUMBER and abs(value) < _EXACT else _OTHER


@part
def _put_rings(address: int, at: int, end: int, slots: int, to: int) -> int:
    """Append the rings of the list at `at`; give its end, ROOM or _OTHER."""
    n, first, room = _get(to, _N_RINGS), _get(to, _N_VERTICES), _get(to, _N_VERTICES + _ROOM_FOR)
    if at >= end or load_byte(address + at) != OPEN_LIST:
        return _OTHER
    byte = COMMA
    while byte != CLOSE_LIST:
        at = after_blanks(address, at + 1, end)
        if at >= end or load_byte(address + at) != OPEN_LIST or n >= _get(to, _N_RINGS + _ROOM_FOR):
            return ROOM if n >= _get(to, _N_RINGS + _ROOM_FOR) else _OTHER
        x, y = _get(to, _X) + 4 * first, _get(to, _Y) + 4 * first
        at, n_numbers, told = read_ring(address, at + 1, end, slots, x, y, room - first)
        if at < 0 or n_numbers < _LEAST_NUMBERS or n_numbers & 1 or told & (FAR | UNDECIDED):
            return ROOM if at == ROOM else _OTHER
        first += (n_numbers >> 1) - (told == CLOSED)
        n += 1
        store(_get(to, _RING_OFFSETS) + 4 * n, np.int32(first))
        at = after_blanks(address, at, end)
        byte = load_byte(address + at) if at < end else COMMA
        if byte != COMMA and byte != CLOSE_LIST:
            return _OTHER
    _set(to, _N_RINGS + _NOW, n)
    _set(to, _N_VERTICES + _NOW, first)
    return at + 1


@helper
def _put_runs(address: int, at: int, end: int, to: int) -> int:
    """Append the run lengths at `at`; give where they end, ROOM or _OTHER."""
    first = _get(to, _N_RUNS)
    at, n = copy_runs(address, at, end, _get(to, _RUNS) + first, _get(to, _N_RUNS + _ROOM_FOR) - MARGIN - first)
    _set(to, _N_RUNS + _NOW, first + n)
    return at if at >= 0 or at == ROOM else _OTHER


@part
def _note_value(address: int, at: int, end: int, slots: int, span: int) -> int:
    """Write the span of the value at `at`; give its end."""
    if at < end and begins_number(load_byte(address + at)):
        stop, _, _ = number(address, at, end, slots)
    else:
        stop = after_value(address, at, end, slots)
    store(span, np.int64(at))
    store(span + 8, np.int64(stop))
    return stop


@inline
def _copy(target: int, source: int, length: int, readable: int) -> None:
    """Copy bytes, and some more; `readable` bytes may be read."""
    at = 0
    while at < length:
        if at + BLOCK <= readable:
            copy_block(target + at, source + at)
            at += BLOCK
        else:
            store(target + at, np.uint8(load_byte(source + at)))
            at += 1


@part
def _put_text(address: int, end: int, to: int, names: int, name_lengths: npt.NDArray[np.int64]) -> bool:
    """Append a record's object of values that are copied; tell whether there was room."""
    base, n, room = _get(to, _TEXT), _get(to, _N_TEXT), _get(to, _N_TEXT + _ROOM_FOR) - 3 * BLOCK
    n_kept = name_lengths.size - 1
    for k in range(n_kept):
        span = _get(to, _SPANS) + 16 * k
        start, length = load_int(span), load_int(span + 8) - load_int(span)
        if n + length > room:
            return False
        copy_block(base + n, names + BLOCK * k)
        n += name_lengths[_U(k)]
        _copy(base + n, address + start, length, end - start)
        n += length
    if n_kept:
        copy_block(base + n, names + BLOCK * n_kept)
        n += 1
    _set(to, _N_TEXT + _NOW, n)
    return True


@part
def _close_row(to: int, has_score: bool, has_box: bool) -> bool:
    """Make a box's size its far corner; tell whether all numbers hold."""
    row = 8 * _get(to, _N_ROWS)
    good = not has_score or abs(load_float(_get(to, _VALUES + SCORE) + row)) < np.inf
    if not has_box:
        return good
    for axis in range(2):
        good &= close_side(_get(to, _VALUES + X + axis) + row, _get(to, _VALUES + X + 2 + axis) + row)
    return good


@inline
def _keep_row(to: int, at: int) -> None:
    """Count the record that was read, and what it has."""
    row = _get(to, _N_ROWS) + 1
    n_rings, n_text, n_runs = _get(to, _N_RINGS + _NOW), _get(to, _N_TEXT + _NOW), _get(to, _N_RUNS + _NOW)
    store(_get(to, _ROW_RINGS) + 4 * row, np.int32(n_rings))
    store(_get(to, _ROW_TEXTS) + 4 * row, np.int32(n_text))
    store(_get(to, _ROW_RUNS) + 4 * row, np.int32(n_runs))
    _set(to, _N_RINGS, n_rings)
    _set(to, _N_TEXT, n_text)
    _set(to, _N_RUNS, n_runs)
    _set(to, _N_ROWS, row)
    _set(to, _N_VERTICES, _get(to, _N_VERTICES + _NOW))
    _set(to, _PLACE, at)


@kernel
def _read(
    data: npt.NDArray[np.uint8],
    texts: npt.NDArray[np.uint8],
    lengths: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
    names: npt.NDArray[np.uint8],
    name_lengths: npt.NDArray[np.int64],
    state: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
) -> int:
    """Fill the columns; give where the last record ends, ROOM or _OTHER."""
    address, end, text, slots, to = (
        data.ctypes.data,
        data.size,
        texts.ctypes.data,
        state.ctypes.data,
        columns.ctypes.data,
    )
    n, has_score, has_box = places.size, False, False
    at = _get(to, _PLACE)
    while _stands(address, at, end, text + BLOCK * n, lengths[_U(n)]):
        if _get(to, _N_ROWS) >= _get(to, _N_ROWS + _ROOM_FOR):
            return ROOM
        at += lengths[_U(n)]
        for k in range(n):
            place = places[_U(k)]
            if place == RINGS:
                at = _put_rings(address, at, end, slots, to)
            elif place == RUNS:
                at = _put_runs(address, at, end, to)
            elif place < RINGS:
                has_score |= place == SCORE
                has_box |= place == X
                at = _put_number(address, at, end, slots, to, place)
            else:
                at = _note_value(address, at, end, slots, _get(to, _SPANS) + 16 * (place - KEPT))
            if at < 0 or not _stands(address, at, end, text + BLOCK * k, lengths[_U(k)]):
                return ROOM if at == ROOM else _OTHER
            at += lengths[_U(k)]
        if not _close_row(to, has_score, has_box):
            return _OTHER
        if not _put_text(address, end, to, names.ctypes.data, name_lengths):
            return ROOM
        _keep_row(to, at)
    return int(at)


class _Room:
    """Columns, and the slots that tell the kernel where they are.

    Args:
        n_kept: values of a record that are copied.
        counts: items that are to be expected.
    """

    def __init__(self, n_kept: int, counts: npt.NDArray[np.float64]) -> None:
        self.slots = np.zeros(_N_SLOTS, np.int64)
        self._columns = dict[int, npt.NDArray[Any]]()
        self._spans = np.zeros(2 * n_kept, np.int64)
        self.slots[_SPANS] = self._spans.ctypes.data
        self.grow(counts)

    def grow(self, counts: npt.NDArray[np.float64]) -> None:
        """Give tables room for so many items, and keep those that there are."""
        self.slots[_ROOM_FOR : _ROOM_FOR + _N_TABLES] = _SPARE + (_MARGIN * counts).astype(np.int64)
        for slot, table, kind, extra in _OF_TABLE:
            n, room = self.slots[[table, _ROOM_FOR + table]] + extra
            column = memory.empty(int(room), kind)
            before = self._columns.get(slot)
            if before is not None:
                column[:n] = before[:n]
            elif extra:
                column[0] = 0
            self._columns[slot] = column
            self.slots[slot] = column.ctypes.data

    def column(self, slot: int) -> npt.NDArray[Any]:
        """Give what a column holds."""
        table, extra = next((table, extra) for other, table, _, extra in _OF_TABLE if other == slot)
        return self._columns[slot][: self.slots[table] + extra]


def read_shapes(
    data: npt.NDArray[np.uint8], form: ShapesForm, state: npt.NDArray[np.int64]
) -> tuple[PlainShapes | None, int]:
    """Give the annotations of a text that begins where one ends, and where the last one ends; None and 0 for others.

    Args:
        data: (n_bytes,) uint8, contiguous.
        form: how they are written.
        state: slots of `json_scan.py` and `coco_rings.py`.
    """
    room = _Room(form.name_lengths.size - 1, form.rates * data.size)
    while (end := _read(data, *form[:5], state, room.slots)) == ROOM:
        n_read = max(int(room.slots[_PLACE]), data.size // 64)
        rooms = room.slots[_ROOM_FOR : _ROOM_FOR + _N_TABLES].astype(np.float64)
        room.grow(np.maximum(rooms * min(data.size / n_read, 2.0), 1.25 * rooms))
    if end <= 0:
        return None, 0
    form.rates[:] = room.slots[:_N_TABLES] / data.size
    values, places = [room.column(_VALUES + place) for place in range(RINGS)], form.places
    found = PlainShapes(
        image_id=values[IMAGE],
        category_id=values[CATEGORY],
        corners=np.stack(values[X:SCORE]) if X in places else None,
        score=values[SCORE] if SCORE in places else None,
        rings=room.column(_ROW_RINGS),
        ring_offsets=room.column(_RING_OFFSETS),
        x=room.column(_X),
        y=room.column(_Y),
        text_offsets=room.column(_ROW_TEXTS),
        text=room.column(_TEXT),
        size=np.stack(values[HEIGHT:X], axis=1) if RUNS in places else None,
        run_offsets=room.column(_ROW_RUNS),
        runs=room.column(_RUNS),
    )
    return found, end
