"""JSON text -> where its values end, on raw addresses: blanks, strings, numbers, literals, and whole values.

Every function takes the address of a block, where to begin and where the block ends, and gives where it stopped: a
byte of the block, or a negative number: INCOMPLETE where the block ends first, ROOM where an array of the caller is
full, or a flaw (`flaw`), whose place is kept in the caller's slots. Nothing behind the end is read: eight or 64 bytes
are looked at together only where so many are left. What is taken is what Python's `json` takes: RFC 8259, and NaN,
Infinity and -Infinity; nothing else.

A string is looked at in steps of 64 bytes, four comparisons each. A number of up to seven bytes (`348.26`) is one
word: the first byte that is no digit is its dot or its end, the second one its end. Rings of polygons, which have many
numbers one behind the other, are read eight numbers at a time in `coco_rings.py`.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from predarrow_engine._jit import helper, inline, part
from predarrow_engine._simd_text import (
    BLOCK,
    below,
    equal,
    first_bit,
    first_byte,
    load_byte,
    load_int,
    load_word,
    store,
)
from predarrow_engine.coco_columns import (
    BAD_NUMBER,
    BAD_STRING,
    EXPECTED_COLON,
    EXPECTED_COMMA,
    EXPECTED_KEY,
    EXPECTED_VALUE,
    TOO_DEEP,
)
from predarrow_engine.numbers import (
    MAX_DIGITS,
    UNDECIDED,
    ZEROS,
    digits,
    exponent_of,
    other_than_digits,
    parse_number,
    scaled,
    short_decimal,
    short_whole,
)


def constants(start: int, end: int, step: int = 1) -> list[int]:
    """Give whole numbers as kernels are to see them: NumPy's, as Numba compiles a function anew for each literal."""
    return cast(list[int], [np.int64(value) for value in range(start, end, step)])


INCOMPLETE, ROOM = -1, -2
_FLAW = -16

PLACE, HAS_HIGH, SHORT, DEPTHS = constants(0, 4)
"""Slots that these functions know: the place of a flaw, whether a byte above 127 was met, which array is full, and
the address of MAX_DEPTH bytes."""
MAX_DEPTH = 512
"""Lists and objects in one another."""

DECIMAL, WHOLE_NUMBER, UNSETTLED, NOT_A_NUMBER = range(4)
"""Forms of numbers: with a dot or an exponent, without, left for `float` to settle, and NaN or Infinity."""

_OUTERMOST = constants(0, 1)[0]

QUOTE, COMMA, MINUS, DOT, COLON = 34, 44, 45, 46, 58
OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT = 91, 92, 93, 123, 125
LETTER_F, LETTER_N, LETTER_T, LETTER_U = 102, 110, 116, 117
CAPITAL_I, CAPITAL_N = 73, 78

_U = np.uint64
_ONE = _U(1)
DOT_WORD, E_WORD = _U(0x1E), _U(0x75)
"""A dot, and an e of either case with bit 0x20 set, XOR "0"."""
_TRUE, _FALS, _NULL = _U(0x65757274), _U(0x736C6166), _U(0x6C6C756E)
_INFINITY = _U(0x7974696E69666E49)


@inline
def flaw(slots: int, code: int, place: int) -> int:
    """Note the place of a flaw; give what tells of it."""
    store(slots + 8 * PLACE, np.int64(place))
    return _FLAW - code


def code_of(stop: int) -> int:
    """Give the code that `flaw` was told; 0 where it is no flaw."""
    return max(_FLAW - stop, 0)


@helper
def _after_many_blanks(address: int, at: int, end: int) -> int:
    while at < end:
        if at + BLOCK <= end:
            here = address + at
            others = ~(equal(here, 32) | equal(here, 10) | equal(here, 13) | equal(here, 9))
            at += first_bit(others)
            if others != _U(0):
                return at
        else:
            byte = load_byte(address + at)
            if byte not in (32, 10, 13, 9):
                return at
            at += 1
    return at


@inline
def after_blanks(address: int, at: int, end: int) -> int:
    """Give the first byte from `at` on that is no blank; `end` where there is none."""
    if at + 1 < end:
        if load_byte(address + at) > 32:
            return at
        if load_byte(address + at) == 32 and load_byte(address + at + 1) > 32:
            return at + 1
    return _after_many_blanks(address, at, end)


@inline
def is_hex(byte: int) -> bool:
    """Tell whether a byte is a hexadecimal digit."""
    return 48 <= byte <= 57 or 97 <= (byte | 32) <= 102


@helper
def after_escape(address: int, at: int, end: int, slots: int) -> int:
    """Give the end of the escape whose backslash is at `at`."""
    if at + 1 >= end:
        return INCOMPLETE
    byte = load_byte(address + at + 1)
    if byte == LETTER_U:
        for i in range(at + 2, at + 6):
            if i >= end:
                return INCOMPLETE
            if not is_hex(load_byte(address + i)):
                return flaw(slots, BAD_STRING, at)
        return at + 6
    if byte in (QUOTE, BACKSLASH, 47, 98, LETTER_F, LETTER_N, 114, LETTER_T):
        return at + 2
    return flaw(slots, BAD_STRING, at)


@inline
def text_run(address: int, at: int, slots: int) -> int:
    """Give how many of 64 bytes come before a quote, backslash or control character; note bytes above 127."""
    here = address + at
    stops = equal(here, QUOTE) | equal(here, BACKSLASH) | below(here, 32)
    before = (stops - _ONE) & ~stops
    if ~below(here, 128) & before != _U(0):
        store(slots + 8 * HAS_HIGH, np.int64(1))
    return first_bit(stops)


@helper
def after_string(address: int, at: int, end: int, slots: int) -> int:
    """Give the end of the string whose opening quote stands before `at`."""
    while at < end:
        if at + BLOCK <= end:
            n = text_run(address, at, slots)
            at += n
            if n == BLOCK:
                continue
        byte = load_byte(address + at)
        if byte == QUOTE:
            return at + 1
        if byte == BACKSLASH:
            at = after_escape(address, at, end, slots)
            if at < 0:
                return at
            continue
        if byte < 32:
            return flaw(slots, BAD_STRING, at)
        if byte > 127:
            store(slots + 8 * HAS_HIGH, np.int64(1))
        at += 1
    return INCOMPLETE


@helper
def _constant(address: int, at: int, end: int, slots: int) -> tuple[int, float, int]:
    """Read NaN, Infinity or -Infinity; give its end and value."""
    start = at
    negative = load_byte(address + at) == MINUS
    at += negative
    if at >= end:
        return INCOMPLETE, 0.0, NOT_A_NUMBER
    if load_byte(address + at) == CAPITAL_I:
        if at + 8 > end:
            return INCOMPLETE, 0.0, NOT_A_NUMBER
        if load_word(address + at) == _INFINITY:
            return at + 8, (-np.inf if negative else np.inf), NOT_A_NUMBER
    elif load_byte(address + at) == CAPITAL_N and not negative:
        if at + 3 > end:
            return INCOMPLETE, 0.0, NOT_A_NUMBER
        if load_byte(address + at + 1) == 97 and load_byte(address + at + 2) == CAPITAL_N:
            return at + 3, np.nan, NOT_A_NUMBER
    return flaw(slots, BAD_NUMBER, start), 0.0, NOT_A_NUMBER


@helper
def _is_cut(address: int, at: int, end: int) -> bool:
    """Tell whether a number that stops at `at` lacks digits because the block ends there."""
    if at < end and load_byte(address + at) | 32 == 101:
        at += 1
        at += at < end and load_byte(address + at) in (43, MINUS)
    return at >= end


@helper
def _any_number(address: int, start: int, end: int, slots: int) -> tuple[int, float, int]:
    """Read a number of any length; give its end, value and form."""
    negative = load_byte(address + start) == MINUS
    begin = start + negative
    at, mantissa = digits(address, begin, end, end, _U(0))
    n, form, exponent, given = at - begin, WHOLE_NUMBER, 0, 0
    if n == 0:
        return _constant(address, start, end, slots)
    good = n == 1 or load_byte(address + begin) != 48
    if at < end and load_byte(address + at) == DOT:
        dot, form = at + 1, DECIMAL
        at, mantissa = digits(address, dot, end, end, mantissa)
        exponent = dot - at
        n -= exponent
        good &= exponent < 0
    if at < end and load_byte(address + at) | 32 == 101:
        form = DECIMAL
        after, given = exponent_of(address, at + 1, end)
        good &= after >= 0
        at = max(after, at)
    if not good:
        return (INCOMPLETE if _is_cut(address, at, end) else flaw(slots, BAD_NUMBER, start)), 0.0, form
    if n > MAX_DIGITS:
        value, status = parse_number(address, start, at, end)
        return at, value, (UNSETTLED if status == UNDECIDED else form)
    value = scaled(mantissa, exponent + given)
    return at, (-value if negative else value), form


@helper
def number(address: int, start: int, end: int, slots: int) -> tuple[int, float, int]:
    """Read the number at `start`, which is a digit, a minus, N or I; give its end, value and form."""
    if start + 9 <= end:
        negative = load_byte(address + start) == MINUS
        at = start + negative
        word = load_word(address + at) ^ ZEROS
        others = other_than_digits(word)
        n_whole = first_byte(others)
        leading_zero = (word & _U(0xFF) == _U(0)) & (n_whole > 1)
        if 0 < n_whole < 8 and not leading_zero:
            stop = (word >> _U(8 * n_whole)) & _U(0xFF)
            if stop == DOT_WORD:
                n = first_byte(others & (others - _ONE))
                is_exponent = n == 8 or (word >> _U(8 * n)) & _U(0xFF) | _U(0x20) == E_WORD
                if n > n_whole + 1 and not is_exponent:
                    value = short_decimal(word, n_whole, n)
                    return at + n, (-value if negative else value), DECIMAL
            elif stop | _U(0x20) != E_WORD:
                value = short_whole(word, n_whole)
                return at + n_whole, (-value if negative else value), WHOLE_NUMBER
    return _any_number(address, start, end, slots)


@inline
def begins_number(byte: int) -> bool:
    """Tell whether a value that begins with this byte is a number, NaN or Infinity."""
    return 48 <= byte <= 57 or byte in (MINUS, CAPITAL_N, CAPITAL_I)


@helper
def _after_literal(address: int, at: int, end: int, slots: int) -> int:
    """Give the end of true, false or null."""
    byte = load_byte(address + at)
    if byte not in (LETTER_T, LETTER_F, LETTER_N):
        return flaw(slots, EXPECTED_VALUE, at)
    length = 5 if byte == LETTER_F else 4
    if at + length > end:
        return INCOMPLETE
    word = _U(0)
    for i in range(4):
        word |= _U(load_byte(address + at + i)) << _U(8 * i)
    if word in (_TRUE, _NULL) or (word == _FALS and load_byte(address + at + 4) == 101):
        return at + length
    return flaw(slots, EXPECTED_VALUE, at)


@part
def after_scalar(address: int, at: int, end: int, slots: int) -> int:
    """Give the end of the string, number or literal at `at`."""
    byte = load_byte(address + at)
    if byte == QUOTE:
        return after_string(address, at + 1, end, slots)
    if begins_number(byte):
        stop, _, _ = number(address, at, end, slots)
        return stop
    return _after_literal(address, at, end, slots)


@inline
def after_colon(address: int, at: int, end: int, slots: int) -> int:
    """Give where the value begins whose key ends at `at`, which may be negative."""
    if at < 0:
        return at
    at = after_blanks(address, at, end)
    if at >= end:
        return INCOMPLETE
    if load_byte(address + at) != COLON:
        return flaw(slots, EXPECTED_COLON, at)
    at = after_blanks(address, at + 1, end)
    return at if at < end else INCOMPLETE


@inline
def _after_key(address: int, at: int, end: int, slots: int) -> int:
    """Give where the value begins whose key is at `at`."""
    if at >= end:
        return INCOMPLETE
    if load_byte(address + at) != QUOTE:
        return flaw(slots, EXPECTED_KEY, at)
    return after_colon(address, after_string(address, at + 1, end, slots), end, slots)


@helper
def _descend(address: int, at: int, end: int, slots: int, depth: int) -> tuple[int, int]:
    """Go into lists and objects until a scalar or something empty has been read; give its end and the depth."""
    depths = load_int(slots + 8 * DEPTHS)
    while 0 <= at < end:
        opened = load_byte(address + at)
        if opened != OPEN_LIST and opened != OPEN_OBJECT:
            return after_scalar(address, at, end, slots), depth
        if depth == MAX_DEPTH:
            return flaw(slots, TOO_DEEP, at), depth
        at = after_blanks(address, at + 1, end)
        if at < end and load_byte(address + at) == opened + 2:
            return at + 1, depth
        store(depths + depth, np.uint8(opened))
        depth += 1
        if opened == OPEN_OBJECT:
            at = _after_key(address, at, end, slots)
    return min(at, INCOMPLETE), depth


@helper
def after_value(address: int, at: int, end: int, slots: int) -> int:
    """Give the end of the value at `at`, whatever it is."""
    depths = load_int(slots + 8 * DEPTHS)
    at, depth = _descend(address, at, end, slots, _OUTERMOST)
    while at >= 0 and depth > 0:
        at = after_blanks(address, at, end)
        if at >= end:
            return INCOMPLETE
        byte, opened = load_byte(address + at), load_byte(depths + depth - 1)
        if byte == COMMA:
            at = after_blanks(address, at + 1, end)
            if opened == OPEN_OBJECT:
                at = _after_key(address, at, end, slots)
            at, depth = _descend(address, at, end, slots, depth)
        elif byte == opened + 2:
            at += 1
            depth -= 1
        else:
            return flaw(slots, EXPECTED_COMMA, at)
    return at
