"""One line of KITTI text, whatever it looks like -> its fields, and what they mean.

Lines of single blanks and short numbers never come here (`kitti.py` has them), so this part is written for its rules
rather than for speed: they stand in `kitti.parse`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, inline
from predarrow_engine._simd_text import load_byte
from predarrow_engine.numbers import NO_NUMBER, parse_number

OK, BAD_FIELD_COUNT, MIXED_FIELD_COUNT, BAD_NUMBER, UNKNOWN_COLUMN_ORDER, BAD_QUOTE, BAD_FRAME, NO_NAME = range(8)
"""Codes of records: read, or why not."""
LABEL, RESULT, TRACKING, TRACKING_RESULT = range(4)
"""Layouts: 14 numbers, 15 with a score; the same after frame and track."""
MAX_FIELDS = 64
"""A line of more is refused."""
N_NUMBERS = 14
N_SEEN = 3
"""Numbers before the box: truncated, occluded and alpha."""

_TAB, _SPACE, _QUOTE, _PLUS, _APOSTROPHE, _COMMA, _MINUS, _DOT = 9, 32, 34, 43, 39, 44, 45, 46
_FRAME_END = 2.0**31
_TRACK_END = 2.0**53


class Fields(NamedTuple):
    """Workspace: the first MAX_FIELDS fields of a line."""

    start: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    status: npt.NDArray[np.uint8]
    """what `parse_number` says; NO_NUMBER for a quoted field"""


class Record(NamedTuple):
    """What a line says."""

    code: int
    place: int
    """of the offending field, else of the first one"""
    n_fields: int
    layout: int
    name_start: int
    """without its quote"""
    name_end: int
    first_number: int
    """field"""


def new_fields() -> Fields:
    """Make a workspace."""
    places = np.empty((2, MAX_FIELDS), np.int64)
    return Fields(places[0], places[1], np.empty(MAX_FIELDS), np.empty(MAX_FIELDS, np.uint8))


@inline
def _is_blank(byte: int) -> bool:
    return byte in (_SPACE, _TAB)


@inline
def _is_digit(byte: int) -> bool:
    return 48 <= byte <= 57


@inline
def _after_blanks(address: int, at: int, end: int) -> int:
    while at < end and _is_blank(load_byte(address + at)):
        at += 1
    return at


@inline
def _before_blanks(address: int, start: int, at: int) -> int:
    while at > start and _is_blank(load_byte(address + at - 1)):
        at -= 1
    return at


@inline
def _after_digits(address: int, at: int, end: int) -> int:
    """Skip a sign and digits; give -1 where there are no digits."""
    if at < end and (load_byte(address + at) == _MINUS or load_byte(address + at) == _PLUS):
        at += 1
    start = at
    while at < end and _is_digit(load_byte(address + at)):
        at += 1
    return at if at > start else -1


@helper
def _is_whole(address: int, start: int, end: int) -> bool:
    """Tell whether a text is a whole number: digits, then perhaps a dot and zeros."""
    at = _after_digits(address, start, end)
    if at >= 0 and at < end and load_byte(address + at) == _DOT:
        at += 1
        while at < end and load_byte(address + at) == 48:
            at += 1
    return at == end


@helper
def _find_quote(address: int, start: int, end: int) -> int:
    """Give where a quote opens at the line's start or after two whole numbers; -1 where none does."""
    at = start
    for n_before in range(3):
        if n_before != 1 and (load_byte(address + at) == _QUOTE or load_byte(address + at) == _APOSTROPHE):
            return at
        after = _after_digits(address, at, end)
        at = _after_blanks(address, after, end)
        if after < 0 or at == end:
            return -1
        if load_byte(address + at) == _COMMA:
            at = _after_blanks(address, at + 1, end)
        elif at == after:
            return -1
        if at == end:
            return -1
    return -1


@helper
def _has_commas(address: int, start: int, end: int, quote: int, quote_end: int) -> bool:
    """Tell whether commas part a line: it has more of them than gaps without one."""
    n_commas, n_gaps, at = 0, 0, start
    while at < end:
        if at == quote:
            at = quote_end
            continue
        first, n_here = at, 0
        while at < end and (_is_blank(load_byte(address + at)) or load_byte(address + at) == _COMMA):
            n_here += load_byte(address + at) == _COMMA
            at += 1
        n_commas += n_here
        n_gaps += at > first and n_here == 0
        at += at == first
    return n_commas > n_gaps


@helper
def _split(
    address: int, start: int, end: int, quote: int, quote_end: int, by_comma: bool, fields: Fields
) -> tuple[int, int]:
    """Write the fields of a line without blanks at its ends; give their number and which is quoted, else -1."""
    n, at, quoted = 0, start, -1
    while True:
        first = at
        while at < end:
            byte = load_byte(address + at)
            if at == quote:
                at = quote_end
            elif byte == _COMMA if by_comma else _is_blank(byte):
                break
            else:
                at += 1
        last = _before_blanks(address, first, at)
        if first == quote and last == quote_end:
            quoted = n
        if n < MAX_FIELDS:
            fields.start[n], fields.end[n] = first, last
            if quoted == n:
                fields.value[n], fields.status[n] = np.nan, NO_NUMBER
            else:
                fields.value[n], fields.status[n] = parse_number(address, first, last, last)
        n += 1
        if at >= end:
            return n, quoted
        at = _after_blanks(address, at + 1, end)


@helper
def _could_be_a_number(address: int, start: int, end: int) -> bool:
    """Tell whether a word could be a mangled or missing number rather than a further word of a name."""
    byte = load_byte(address + start)
    if _is_digit(byte) or byte in (_PLUS, _MINUS, _DOT, 63):
        return True
    key = 0
    if end - start <= 4:
        for at in range(start, end):
            byte = load_byte(address + at)
            key = key << 8 | (byte + 32 if 65 <= byte <= 90 else byte)
    # na, n/a, none, null, nil
    return key == 0x6E61 or key == 0x6E2F61 or key == 0x6E6F6E65 or key == 0x6E756C6C or key == 0x6E696C


@helper
def _name_words(address: int, n: int, fields: Fields) -> tuple[int, int]:
    """Give the fields of the name where blanks part the line: the first and the one after the last; -1 if unclear."""
    status = fields.status
    n_words = n
    while n_words > 0 and status[n_words - 1] != NO_NUMBER:
        n_words -= 1
    tracking = n > 3 and status[0] != NO_NUMBER and status[1] != NO_NUMBER and status[2] == NO_NUMBER
    if (n - n_words == N_NUMBERS or n - n_words == N_NUMBERS + 1) and n_words > 1:
        first = 2 if tracking else 0
        clear = status[first] == NO_NUMBER
        for i in range(first + 1, n_words):
            number = status[i] != NO_NUMBER
            clear = clear and not number and not _could_be_a_number(address, fields.start[i], fields.end[i])
        if clear:
            return first, n_words
        if not tracking and status[0] != NO_NUMBER:
            return -1, -1
    if n == 15 or n == 16:
        return 0, 1
    if (n == 17 or n == 18) and tracking:
        return 2, 3
    return -1, -1


@helper
def _meaning(address: int, n: int, quoted: int, by_comma: bool, fields: Fields) -> Record:
    """Tell what a line's fields mean."""
    start, end, status = fields.start, fields.end, fields.status
    place = start[0]
    refused = Record(BAD_FIELD_COUNT, place, n, 0, 0, 0, 0)
    if n > MAX_FIELDS:
        return refused
    if quoted >= 0 or by_comma:
        first = 0 if n == 15 or n == 16 else 2
        after = first + 1
        if n < 15 or n > 18 or (quoted >= 0 and quoted != first) or (first == 2 and status[2] != NO_NUMBER):
            return refused
        if n == 15 and quoted < 0 and _are_codes(address, fields):
            return Record(UNKNOWN_COLUMN_ORDER, place, n, 0, 0, 0, 0)
    else:
        first, after = _name_words(address, n, fields)
        if first < 0:
            return refused
    cut = 1 if quoted >= 0 else 0
    name_start, name_end = start[first] + cut, end[after - 1] - cut
    if name_start == name_end:
        return Record(NO_NAME, start[first], n, 0, 0, 0, 0)
    for i in range(first):
        limit = _FRAME_END if i == 0 else _TRACK_END
        low = 0.0 if i == 0 else 1.0 - limit
        if not (_is_whole(address, start[i], end[i]) and low <= fields.value[i] < limit):
            return Record(BAD_FRAME, start[i], n, 0, 0, 0, 0)
    for i in range(after, n):
        if status[i] == NO_NUMBER:
            return Record(BAD_NUMBER, start[i], n, 0, 0, 0, 0)
    return Record(OK, place, n, first + n - after - N_NUMBERS, name_start, name_end, after)


@helper
def _are_codes(address: int, fields: Fields) -> bool:
    """Tell whether the first two fields are whole numbers that could be a frame and a code: both as such are written.

    A class named by digits alone may stand before `0.00`, as it may before any truncation.
    """
    start, end = fields.start, fields.end
    if not (_is_whole(address, start[0], end[0]) and _is_whole(address, start[1], end[1])):
        return False
    return _only_digits(address, start[1], end[1]) or not _only_digits(address, start[0], end[0])


@helper
def _only_digits(address: int, start: int, end: int) -> bool:
    return _after_digits(address, start, end) == end


@helper
def read_line(address: int, start: int, end: int, fields: Fields) -> Record:
    """Give what the line from start to end says; 0 fields where it is blank, or where a quote goes wrong."""
    start = _after_blanks(address, start, end)
    end = _before_blanks(address, start, end)
    if start == end:
        return Record(OK, start, 0, 0, 0, 0, 0)
    quote = _find_quote(address, start, end)
    quote_end = quote + 1
    if quote >= 0:
        while quote_end < end and load_byte(address + quote_end) != load_byte(address + quote):
            quote_end += 1
        if quote_end == end:
            return Record(BAD_QUOTE, quote, 0, 0, 0, 0, 0)
        quote_end += 1
    by_comma = _has_commas(address, start, end, quote, quote_end)
    n, quoted = _split(address, start, end, quote, quote_end, by_comma, fields)
    if quote >= 0 and quoted < 0:
        return Record(BAD_QUOTE, quote, 0, 0, 0, 0, 0)
    return _meaning(address, n, quoted, by_comma, fields)
