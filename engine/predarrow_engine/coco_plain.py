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
from predarrow_engine._simd_text import (
    BLOCK,
    count_bits,
    equal,
    first_byte,
    load_byte,
    load_float,
    load_word,
    store,
    unequal,
)
from predarrow_engine.coco_columns import INT, LIST, NUMBER, CocoRecords
from predarrow_engine.json_scan import CLOSE_OBJECT, DECIMAL, DOT_WORD, E_WORD, MINUS, WHOLE_NUMBER, number
from predarrow_engine.numbers import (
    MAX_DIGITS,
    ZEROS,
    digits,
    eight_digits,
    other_than_digits,
    scaled,
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
    box = _BOX_NUMBER.finditer(text, *records.bbox.span[0].tolist())
    spans += [(*number.span(), _X + axis) for axis, number in enumerate(box)]
    starts, ends, places = zip(*sorted(spans), strict=True)
    close, again = following if lines else end, following + starts[0] - begin
    cuts = [*zip(ends, (*starts[1:], again), strict=True), (close, again), (ends[-1], close)]
    lengths = np.array([stop - start for start, stop in cuts])
    if lengths.max() >= BLOCK:
        return None
    texts = b"".join(text[start:stop].ljust(BLOCK, b"\0") for start, stop in cuts)
    return Form(np.frombuffer(texts, np.uint8), lengths, np.array(places))


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
def _long_decimal(
    address: int, start: int, end: int, slots: int, dot: int, whole: np.uint64, negative: bool
) -> tuple[int, float, int]:
    """Read the number at `start` from its dot on; what stands before it is known."""
    at, mantissa = digits(address, dot + 1, end, end, whole)
    n = at - dot - 1
    if 0 < n <= MAX_DIGITS - (dot - start) and at < end and load_byte(address + at) | 32 != 101:
        value = scaled(mantissa, -n)
        return at, (-value if negative else value), DECIMAL
    return number(address, start, end, slots)


@inline
def _number(address: int, start: int, end: int, slots: int) -> tuple[int, float, int]:
    """Read the number at `start` as `json_scan.number` does, long ones without a second look at their beginning."""
    if start + 9 <= end:
        at, word = start, load_word(address + start)
        negative = word & _U(0xFF) == _U(MINUS)
        if negative:
            at += 1
            word = load_word(address + at)
        word ^= ZEROS
        others = other_than_digits(word)
        n_whole = first_byte(others)
        leading_zero = (word & _U(0xFF) == _U(0)) & (n_whole > 1)
        if 0 < n_whole < 8 and not leading_zero:
            stop = (word >> _U(8 * n_whole)) & _U(0xFF)
            if stop == DOT_WORD:
                n = first_byte(others & (others - _ONE))
                if n == 8:
                    whole = eight_digits(word << _U(64 - 8 * n_whole))
                    return _long_decimal(address, start, end, slots, at + n_whole, whole, negative)
                if n > n_whole + 1 and (word >> _U(8 * n)) & _U(0xFF) | _U(0x20) != E_WORD:
                    value = short_decimal(word, n_whole, n)
                    return at + n, (-value if negative else value), DECIMAL
            elif stop | _U(0x20) != E_WORD:
                value = short_whole(word, n_whole)
                return at + n_whole, (-value if negative else value), WHOLE_NUMBER
    return number(address, start, end, slots)


@helper
def _is_text(address: int, at: int, end: int, text: int, length: int) -> bool:
    """Tell whether a text stands at `at`, byte by byte: near the end of a block."""
    same = at + length <= end
    for i in range(length if same else 0):
        same &= load_byte(address + at + i) == load_byte(text + i)
    return same


@inline
def _stands(address: int, at: int, end: int, text: int, length: int) -> bool:
    """Tell whether a text stands at `at`."""
    if at + BLOCK <= end:
        return bool((unequal(address + at, text) & ((_ONE << _U(length)) - _ONE)) == _U(0))
    return _is_text(address, at, end, text, length)


@inline
def _store(ids: int, values: int, room: int, row: int, place: int, value: float, form: int) -> bool:
    """Write a number to its column; tell whether it is one that this one may have."""
    if place >= _X:
        store(values + 8 * (room * (place - _X) + row), value)
        return form <= WHOLE_NUMBER
    store(ids + 8 * (room * place + row), np.int64(value))
    return form == WHOLE_NUMBER and abs(value) < _EXACT


@inline
def _close_row(values: int, room: int, row: int) -> bool:
    """Make a box's size its far corner; tell whether all of the row holds."""
    good = abs(load_float(values + 8 * (4 * room + row))) < np.inf
    for axis in range(2):
        low, high = values + 8 * (room * axis + row), values + 8 * (room * (axis + 2) + row)
        size = load_float(high)
        edge = load_float(low) + size
        store(high, edge)
        good &= (size >= 0.0) & (abs(edge) < np.inf)
    return good


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
    to_ids, to_values, room = ids.ctypes.data, values.ctypes.data, ids.shape[1]
    at, which = 0, _BEGIN
    for row in range(room):
        for k in range(_N_VALUES):
            if not _stands(address, at, end, text + BLOCK * which, lengths[which]):
                return 0
            at, value, form = _number(address, at + lengths[which], end, slots)
            if at < 0 or not _store(to_ids, to_values, room, row, places[k], value, form):
                return 0
            which = k
        if not _close_row(to_values, room, row):
            return 0
    if not _stands(address, at, end, text + BLOCK * _CLOSE, lengths[_CLOSE]):
        return 0
    return int(at + lengths[_CLOSE])


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
