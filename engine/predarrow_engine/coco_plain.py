"""Results that all are written alike: ids, the four numbers of a box and a score, the same text between them.

Programs write every result with the same keys in the same order and the same blanks. What stands between the numbers
is learnt from two results that were read; each such text is one comparison of up to 64 bytes, and the numbers go to
columns of the very length. Where anything else is met, `coco.py` reads the block, which knows every rule.

    ,{"image_id":42,"category_id":18,"bbox":[258.15,41.29,348.26,243.78],"score":0.236},{"image_id":42, ...
    ----BEGIN-----  -------0------   ----1---      2     3      4      -----5-----     ------BETWEEN---
                                                                                       - CLOSE
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, inline, kernel
from predarrow_engine._simd_digits import digits_before, not_digits
from predarrow_engine._simd_text import (
    BLOCK,
    count_bits,
    equal,
    first_bit,
    first_byte,
    load_byte,
    load_float,
    load_int,
    load_word,
    store,
    unequal,
)
from predarrow_engine.coco_columns import INT, LIST, NUMBER, CocoRecords
from predarrow_engine.json_scan import CLOSE_OBJECT, DOT, DOT_WORD, MINUS, WHOLE_NUMBER, number
from predarrow_engine.numbers import (
    MAX_DIGITS,
    ZEROS,
    long_decimal,
    other_than_digits,
    short_decimal,
    short_whole,
)

_N_VALUES = 7
_N_FLOATS = 5
_IMAGE, _CATEGORY, _X, _Y, _WIDTH, _HEIGHT, _SCORE = range(_N_VALUES)
_BETWEEN, _BEGIN, _CLOSE = range(_N_VALUES - 1, _N_VALUES + 2)
_BOX_NUMBER = re.compile(rb"[^\[\], \t\r\n]+")

_U = np.uint64
_ONE = _U(1)
_EXACT = 2.0**53
_EXACT_DIGITS = 15
_LONGEST_ROW = _N_VALUES * (2 * MAX_DIGITS + BLOCK)
"""More bytes than `_quick_row` looks at: of each number a sign, up to 19 digits and a dot, and 64 behind it."""

Empty: TypeAlias = Callable[[int], npt.NDArray[np.float64]]


class Form(NamedTuple):
    """How all results are written."""

    texts: npt.NDArray[np.uint8]
    """(9 * 64,) what stands between their numbers, between two of them, before one, and behind one"""
    lengths: npt.NDArray[np.int64]
    """(9,) of the texts, each less than 64"""
    places: npt.NDArray[np.int64]
    """(7,) which number comes first, second, ...: of image_id, category_id, x, y, width, height and score"""


class PlainRecords(NamedTuple):
    """n results that were read, whose boxes have finite corners and sides of at least 0."""

    image_id: npt.NDArray[np.int64]
    category_id: npt.NDArray[np.int64]
    corners: npt.NDArray[np.float64]
    """(4, n) x, y, x + width, y + height"""
    score: npt.NDArray[np.float64]
    """(n,) finite"""


def form_of(data: npt.NDArray[np.uint8], records: CocoRecords, *, lines: bool) -> Form | None:
    """Give how the records of a block seem to be written; None where they are no plain results.

    Args:
        data: what they were read from.
        records: those of a block.
        lines: of JSON Lines.
    """
    if not _are_plain(records):
        return None
    begin, end, following, stop = records.span[:2].ravel().tolist()
    text = data[:stop].tobytes()
    spans = [(*column.span[0].tolist(), place) for column, place in zip(records[3:5], (_IMAGE, _CATEGORY), strict=True)]
    spans.append((*records.score.span[0].tolist(), _SCORE))
    spans += [(*span, _X + axis) for axis, span in enumerate(box_spans(text, records))]
    starts, ends, places = zip(*sorted(spans), strict=True)
    close, again = following if lines else end, following + starts[0] - begin
    cuts = [*zip(ends, (*starts[1:], again), strict=True), (close, again), (ends[-1], close)]
    texts = [text[start:stop] for start, stop in cuts]
    if max(map(len, texts)) >= BLOCK:
        return None
    return Form(*padded(texts), np.array(places))


def padded(texts: list[bytes]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Give texts of less than 64 bytes with 64 bytes each, and their lengths."""
    whole = b"".join(text.ljust(BLOCK, b"\0") for text in texts)
    return np.frombuffer(whole, np.uint8), np.array(list(map(len, texts)), np.int64)


def box_spans(text: bytes, records: CocoRecords) -> list[tuple[int, int]]:
    """Give the spans of the numbers of the first record's box, which is a list."""
    return [number.span() for number in _BOX_NUMBER.finditer(text, *records.bbox.span[0].tolist())]


def _are_plain(records: CocoRecords) -> bool:
    has_others = [column.kind.any() for column in (records.id, records.area, records.iscrowd, records.keypoints)]
    kinds = ((records.image_id, INT), (records.category_id, INT), (records.score, NUMBER), (records.bbox, LIST))
    return (
        records.kind.size > 1
        and not (records.kind.any() or records.position[:, 0].any() or records.others.spans.size or any(has_others))
        and not records.segmentation.kind.any()
        and all((column.kind == kind).all() for column, kind in kinds)
        and bool((records.bbox.n_values == 4).all())
    )


@inline
def _decimal(here: int, word: np.uint64, others: np.uint64, n_whole: int) -> tuple[int, float]:
    """Give how long a decimal of n_whole digits and a dot is, and its value; 0 where it is not read here."""
    n = first_byte(others & (others - _ONE))
    if n < 8:
        return (n if n > n_whole + 1 else 0), short_decimal(word, n_whole, n)
    stops = not_digits(here)
    n = first_bit(stops & (stops - _ONE))
    if n > MAX_DIGITS + 1 or n == n_whole + 1:
        return 0, 0.0
    return n, long_decimal(here + n, n - 1, n - n_whole - 1)


@inline
def _whole(here: int, word: np.uint64, n: int) -> tuple[int, float]:
    """Give how long a whole number is that has n digits in its first eight bytes, and its value; 0 as `_decimal`."""
    if n < 8:
        return n, short_whole(word, n)
    n = first_bit(not_digits(here))
    if n > _EXACT_DIGITS or load_byte(here + n) == DOT:
        return 0, 0.0
    return n, float(np.int64(digits_before(here + n, n, n)))


@inline
def _quick_row(
    address: int, at: int, text: int, lengths: int, places: int, ids: int, values: int, room: int, row: int
) -> int:
    """Read a row of usual numbers, its first one at `at`; give where the next row's is, or 0.

    What follows a number is known, so that no exponent is looked for.
    """
    # The places of all numbers first, 64 bytes at a time, then the seven of a row at once: 41 ns a row of two decimals
    # where this takes 47, but 135 where this takes 65 of all digits. Two halves of a block in turns, so that one's next
    # place is found while the other's is waited for: 45 and 66.
    here = address + at
    for k in range(_N_VALUES):
        word = load_word(here)
        negative = word & _U(0xFF) == _U(MINUS)
        if negative:
            here += 1
            word = load_word(here)
        word ^= ZEROS
        others = other_than_digits(word)
        n, place = first_byte(others), load_int(places + 8 * k)
        leading_zero = (word & _U(0xFF) == _U(0)) & (n > 1)
        is_decimal = n < 8 and (word >> _U(8 * n)) & _U(0xFF) == DOT_WORD
        if n == 0 or leading_zero or (is_decimal and place < _X):
            return 0
        n, value = _decimal(here, word, others, n) if is_decimal else _whole(here, word, n)
        value = -value if negative else value
        if place < _X:
            store(ids + 8 * (room * place + row), np.int64(value))
        else:
            store(values + 8 * (room * (place - _X) + row), value)
        here += n
        length = load_int(lengths + 8 * k)
        differs = unequal(here, text + BLOCK * k) & ((_ONE << _U(length)) - _ONE)
        if n == 0 or differs != _U(0):
            return 0
        here += length
    return here - address if _close_row(values, room, row) else 0


@helper
def is_text(address: int, at: int, end: int, text: int, length: int) -> bool:
    """Tell whether a text stands at `at`, byte by byte: near the end of a block."""
    same = at + length <= end
    for i in range(length if same else 0):
        same &= load_byte(address + at + i) == load_byte(text + i)
    return same


@inline
def _store(ids: int, values: int, room: int, row: int, place: int, value: float, form: int) -> bool:
    """Write a number to its column; tell whether it is one that this one may have."""
    if place >= _X:
        store(values + 8 * (room * (place - _X) + row), value)
        return form <= WHOLE_NUMBER
    store(ids + 8 * (room * place + row), np.int64(value))
    return form == WHOLE_NUMBER and abs(value) < _EXACT


@inline
def close_side(low: int, high: int) -> bool:
    """Make the size at `high` the far edge of a side that begins with what is at `low`; tell whether both hold."""
    size = load_float(high)
    edge = load_float(low) + size
    store(high, edge)
    return bool((size >= 0.0) & (abs(edge) < np.inf))


@inline
def _close_row(values: int, room: int, row: int) -> bool:
    """Make a box's size its far corner; tell whether all of the row holds."""
    good = abs(load_float(values + 8 * (4 * room + row))) < np.inf
    for axis in range(2):
        good &= close_side(values + 8 * (room * axis + row), values + 8 * (room * (axis + 2) + row))
    return good


@helper
def _any_row(
    address: int,
    at: int,
    end: int,
    slots: int,
    text: int,
    lengths: int,
    places: int,
    ids: int,
    values: int,
    room: int,
    row: int,
) -> int:
    """Do what `_quick_row` does for all numbers, and near the ends of a block; of the last row give where it ends."""
    for k in range(_N_VALUES):
        at, value, form = number(address, at, end, slots)
        if at < 0 or not _store(ids, values, room, row, load_int(places + 8 * k), value, form):
            return 0
        which = _CLOSE if k == _BETWEEN and row == room - 1 else k
        length = load_int(lengths + 8 * which)
        if not is_text(address, at, end, text + BLOCK * which, length):
            return 0
        at += length
    return at if _close_row(values, room, row) else 0


@kernel
def _read(
    data: npt.NDArray[np.uint8],
    texts: npt.NDArray[np.uint8],
    lengths: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
    ids: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    state: npt.NDArray[np.int64],
) -> int:
    """Fill the columns; give where the last result ends, 0 where something else stands in their way."""
    address, end, text, slots = data.ctypes.data, data.size, texts.ctypes.data, state.ctypes.data
    of_texts, to = lengths.ctypes.data, places.ctypes.data
    to_ids, to_values, room = ids.ctypes.data, values.ctypes.data, ids.shape[1]
    at = lengths[_BEGIN]
    if not is_text(address, 0, end, text + BLOCK * _BEGIN, at):
        return 0
    for row in range(room):
        after = 0
        if at >= BLOCK and at + _LONGEST_ROW <= end:
            after = _quick_row(address, at, text, of_texts, to, to_ids, to_values, room, row)
        if after == 0:
            after = _any_row(address, at, end, slots, text, of_texts, to, to_ids, to_values, room, row)
        if after == 0:
            return 0
        at = after
    return int(at)


@kernel
def _n_objects(data: npt.NDArray[np.uint8]) -> int:
    """Count the brackets that close one."""
    address, n, at = data.ctypes.data, 0, 0
    while at + BLOCK <= data.size:
        n += int(count_bits(equal(address + at, CLOSE_OBJECT)))
        at += BLOCK
    while at < data.size:
        n += load_byte(address + at) == CLOSE_OBJECT
        at += 1
    return n


def read_plain(
    data: npt.NDArray[np.uint8], form: Form, state: npt.NDArray[np.int64], empty: Empty
) -> tuple[PlainRecords, int]:
    """Give the results of a text that begins where one ends, and where the last one ends; 0 where others are met.

    Args:
        data: (n_bytes,) uint8, contiguous.
        form: how they are written.
        state: slots of `json_scan.py`.
        empty: gives room for so many numbers.
    """
    n = _n_objects(data)
    ids, values = empty(_X * n).reshape(_X, n).view(np.int64), empty(_N_FLOATS * n).reshape(_N_FLOATS, n)
    end = _read(data, *form, ids, values, state)
    return PlainRecords(ids[_IMAGE], ids[_CATEGORY], values[:4], values[4]), end
