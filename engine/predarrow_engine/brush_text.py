"""Bytes <-> the JSON text of a list of numbers from 0 to 255, many lists at once: `[0,0,0,12,57]`.

Written without blanks. Read in blocks of 64 bytes: commas tell where numbers end, and the three bytes in front of one
are its digits; a single blank, as Python's `json` writes it behind a comma, counts as a leading zero. What this quick
way finds odd is read again byte by byte, which takes all blanks of JSON and says what is wrong, and where.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, helper, inline, kernel
from predarrow_engine._simd import LANES, count_trailing_zeros
from predarrow_engine._simd_text import below, equal, load_word, store
from predarrow_engine.rle_text import fixed
from predarrow_engine.runs import ALL, ONE, ZERO

OK, NO_LIST, NO_NUMBER, NO_BYTE, NO_COMMA, CUT, TRAILING = range(7)
"""What is wrong with a list: nothing; it does not begin with a bracket; something that is no whole number; a whole
number below 0 or above 255; no comma or bracket behind a number; no end; something behind its end."""

_BLANK, _TAB, _LINE, _RETURN, _COMMA, _OPEN, _CLOSE, _ZERO, _NINE, _MINUS = b" \t\n\r,[]09-"


def _texts_of_bytes() -> npt.NDArray[np.uint32]:
    """Give the text of each byte and a comma as a little-endian word, for `_write`."""
    texts = [f"{value},".encode().ljust(4, b"\0") for value in range(256)]
    return np.frombuffer(b"".join(texts), "<u4").astype(np.uint32)


_TEXTS = _texts_of_bytes()
_WORD = 4
_AHEAD = LANES + 4  # bytes from a block's first that the quick way may look at
_TOP = np.uint64(LANES - 1)
_THREE, _EIGHT, _SIXTEEN = np.uint64(3), np.uint64(8), np.uint64(16)
_TEN, _HUNDRED, _FIFTEEN = np.uint64(10), np.uint64(100), np.uint64(15)
_THREE_DIGITS = np.uint64(0x0F0F0F)


class Lists(NamedTuple):
    """Bytes of n lists, and what was wrong with their text."""

    values: npt.NDArray[np.uint8]
    """(n_values,) the bytes of all lists, one after the other; none of a list that has a flaw"""
    offsets: npt.NDArray[np.int64]
    """(n + 1,) first byte of each"""
    flaw: npt.NDArray[np.uint8]
    """(n,) OK ... TRAILING"""
    item: npt.NDArray[np.int64]
    """(n,) 0-based item of the list with the flaw; 0 where none is"""
    place: npt.NDArray[np.int64]
    """(n,) byte of the text where the flaw is; its length where something is missing at the end, 0 where none is"""


def to_texts(
    values: npt.NDArray[np.uint8], offsets: npt.NDArray[np.signedinteger[Any]]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Give lists of bytes as JSON, `[0,0,0,12]`: (n_bytes,) one after the other, and (n + 1,) first byte of each.

    Args:
        values: (n_values,) of all lists, one after the other.
        offsets: (n + 1,) int32 or int64, ascending, first value of each.
    """
    n = max(len(offsets) - 1, 0)
    n_values = int(offsets[-1] - offsets[0]) if n else 0
    texts, ends = np.empty(4 * n_values + 2 * n + _WORD, np.uint8), np.zeros(n + 1, np.int64)
    n_bytes = _write(fixed(values), fixed(offsets), texts, ends)
    return texts[:n_bytes].copy(), ends


def from_texts(texts: npt.NDArray[np.uint8], offsets: npt.NDArray[np.signedinteger[Any]]) -> Lists:
    """Give the bytes of lists in JSON; text of any kind does no harm.

    Args:
        texts: (n_bytes,) UTF-8, one after the other.
        offsets: (n + 1,) int32 or int64, ascending, first byte of each.
    """
    n = max(len(offsets) - 1, 0)
    room = (int(offsets[-1] - offsets[0]) + n) // 2 if n else 0  # a value has a digit, and a comma or a bracket
    result = Lists(
        np.empty(room + 1, np.uint8), np.zeros(n + 1, np.int64), np.zeros(n, np.uint8), *np.zeros((2, n), np.int64)
    )
    n_values = _read(fixed(texts), fixed(offsets), result)
    return result._replace(values=result.values[:n_values])


@kernel
def _write(
    values: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.signedinteger[Any]],
    texts: npt.NDArray[np.uint8],
    ends: npt.NDArray[np.int64],
) -> int:
    """Write lists; give the number of bytes."""
    address = texts.ctypes.data
    at = 0
    for i in range(np.uint64(ends.size - 1)):
        begin, end = np.uint64(offsets[i]), np.uint64(offsets[i + ONE])
        texts[np.uint64(at)] = _OPEN
        at += 1
        for k in range(begin, end):
            value = np.uint64(values[k])
            store(address + at, _TEXTS[value])
            at += 2 + int(value > np.uint64(9)) + int(value > np.uint64(99))
        at -= int(begin < end)  # the last comma
        texts[np.uint64(at)] = _CLOSE
        at += 1
        ends[i + ONE] = at
    return at


@kernel
def _read(texts: npt.NDArray[np.uint8], offsets: npt.NDArray[np.signedinteger[Any]], result: Lists) -> int:
    """Read lists; give the number of values."""
    n = ZERO
    for i in range(np.uint64(result.flaw.size)):
        begin, end = np.int64(offsets[i]), np.int64(offsets[i + ONE])
        place, stop = _read_quickly(texts, begin, end, result.values, n)
        if place < end:
            flaw, place, stop = _read_items(texts, place, end, result.values, stop)
        else:
            flaw, place, stop = _read_carefully(texts, begin, end, result.values, n)
        if flaw == OK:
            n = stop
        else:
            result.flaw[i], result.place[i], result.item[i] = flaw, place - begin, np.int64(stop - n)
        result.offsets[i + ONE] = np.int64(n)
    return int(np.int64(n))


@inline
def _after_blanks(texts: npt.NDArray[np.uint8], at: np.int64, end: np.int64) -> np.int64:
    while at < end:
        byte = texts[np.uint64(at)]
        if byte != _BLANK and byte != _LINE and byte != _RETURN and byte != _TAB:
            break
        at += 1
    return at


@inline
def _value_before(place: int, length: np.uint64) -> np.int64:
    """Give the number of up to three digits in front of an address, a blank among so many bytes counting as a zero."""
    unused = (_THREE - min(length, _THREE)) << _THREE  # bits of what stands in front of the number
    word = (load_word(place - 3) & _THREE_DIGITS) >> unused << unused
    return np.int64((word & _FIFTEEN) * _HUNDRED + (word >> _EIGHT & _FIFTEEN) * _TEN + (word >> _SIXTEEN))


@inline
def _read_quickly(
    texts: npt.NDArray[np.uint8], begin: np.int64, end: np.int64, values: npt.NDArray[np.uint8], n: np.uint64
) -> tuple[np.int64, np.uint64]:
    """Write the first values of texts[begin:end]; give the place of the next item, `end` for what is odd, and its n."""
    if end - begin < 2 or texts[np.uint64(begin)] != _OPEN:
        return end, n
    address, last = texts.ctypes.data, end - 1
    stop = min(last, np.int64(texts.size - _AHEAD + 1))  # a block that begins from here on is left to the careful way
    # The first number has no three bytes in front of its comma for certain.
    flaw, value, start = _number(texts, begin + 1, last)
    if flaw != OK or texts[np.uint64(start)] != _COMMA:
        return end, n
    values[n], n, start = np.uint8(value), n + ONE, start + 1
    digits, twos, threes, zeros, commas = ZERO, ZERO, ZERO, ZERO, ONE << _TOP
    block, too_large = start, np.int64(0)
    while block < stop:
        place = int(address + block)
        mask = ALL >> np.uint64(LANES - min(np.int64(LANES), last - block))
        comma, blank, zero = equal(place, _COMMA), equal(place, _BLANK), equal(place, _ZERO)
        digit = below(place, _NINE + 1) & ~below(place, _ZERO)
        after_digit = digit << ONE | digits >> _TOP
        two = digit & after_digit
        three = two & (two << ONE | twos >> _TOP)
        lone_zero = zero & ~after_digit
        odd = ~(comma | blank | digit) | (comma & ~after_digit) | (blank & ~(comma << ONE | commas >> _TOP))
        odd |= (three & (three << ONE | threes >> _TOP)) | (digit & (lone_zero << ONE | zeros >> _TOP))
        if odd & mask != ZERO:
            return end, n
        digits, twos, threes, zeros, commas = digit, two, three, lone_zero, comma
        comma &= mask
        while comma != ZERO:
            at = block + np.int64(count_trailing_zeros(comma))
            comma &= comma - ONE
            value = _value_before(int(address + at), np.uint64(at - start))
            too_large |= value >> 8
            values[n] = np.uint8(value)
            n += ONE
            start = at + 1
        block += LANES
    return (start if too_large == 0 else end), n


@helper
def _read_carefully(
    texts: npt.NDArray[np.uint8], begin: np.int64, end: np.int64, values: npt.NDArray[np.uint8], n: np.uint64
) -> tuple[Index, np.int64, np.uint64]:
    """Write the values of texts[begin:end] from values[n] on; give the flaw, its place, and where the values end."""
    at = _after_blanks(texts, begin, end)
    if at == end:
        return CUT, end, n
    if texts[np.uint64(at)] != _OPEN:
        return NO_LIST, at, n
    at = _after_blanks(texts, at + 1, end)
    if at < end and texts[np.uint64(at)] == _CLOSE:
        at = _after_blanks(texts, at + 1, end)
        return (OK if at == end else TRAILING), at, n
    return _read_items(texts, at, end, values, n)


@helper
def _read_items(
    texts: npt.NDArray[np.uint8], at: np.int64, end: np.int64, values: npt.NDArray[np.uint8], n: np.uint64
) -> tuple[Index, np.int64, np.uint64]:
    """Write values from an item on, as `_read_carefully` does."""
    while True:
        number = at = _after_blanks(texts, at, end)
        flaw, value, at = _number(texts, at, end)
        if flaw != OK:
            return flaw, at if flaw == CUT else number, n
        values[n] = np.uint8(value)
        at = _after_blanks(texts, at, end)
        if at == end:
            return CUT, end, n
        byte = texts[np.uint64(at)]
        if byte != _CLOSE and byte != _COMMA:
            return NO_COMMA, at, n
        n += ONE
        at += 1
        if byte == _CLOSE:
            at = _after_blanks(texts, at, end)
            return (OK if at == end else TRAILING), at, n


@inline
def _number(texts: npt.NDArray[np.uint8], at: np.int64, end: np.int64) -> tuple[Index, np.int64, np.int64]:
    """Give the flaw of the number at a place, its value, and the place behind it."""
    if at == end:
        return CUT, np.int64(0), end
    is_negative = texts[np.uint64(at)] == _MINUS
    at += np.int64(is_negative)
    first, value = at, np.int64(0)
    while at < end:
        byte = texts[np.uint64(at)]
        if byte < _ZERO or byte > _NINE:
            break
        value = min(10 * value + np.int64(byte - _ZERO), np.int64(1000))
        at += 1
    if at == end:
        return CUT, value, end
    byte = texts[np.uint64(at)]
    has_zero = at > first + 1 and texts[np.uint64(first)] == _ZERO  # JSON has no number that begins with one
    if at == first or has_zero or byte == ord(".") or byte == ord("e") or byte == ord("E"):
        return NO_NUMBER, value, at
    return (NO_BYTE if value > 255 or (is_negative and value > 0) else OK), value, at
