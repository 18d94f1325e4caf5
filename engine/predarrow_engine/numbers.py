"""Decimal text -> float64, to the bit what Python's `float` gives.

Digits are read eight at a time (a word of text becomes a number with three multiplications), which gives an integer
m and an exponent e with value m * 10**e. Three ways lead to the nearest float64:

- m <= 2**53 and |e| <= 22: m and 10**|e| are exact, so one multiplication or division rounds once
  (Clinger, "How to read floating point numbers accurately", 1990).
- up to 19 digits: m times the leading 128 bits of 5**e decides the rounding (Lemire, "Number parsing at a gigabyte
  per second", 2021, after Eisel). The lower half of the product is always computed: shortest float32 texts need it
  every second time, and the branch costs more than the multiplication.
- more digits: the first 19 as m and as m + 1. Where both round alike, that is the value; where not (about once in
  2,000 texts of 20 random digits) the number is left UNDECIDED, for `float` to settle outside the kernel.

What is taken: a sign, digits with or without a dot, an exponent; `inf`, `infinity`, `nan` in any case. Not taken,
though `float` would: underscores and surrounding blanks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, inline, kernel
from predarrow_engine._simd_digits import digits_before
from predarrow_engine._simd_text import as_float, first_byte, high_product, leading_zeros, load_byte, load_word

NUMBER, NO_NUMBER, UNDECIDED = 0, 1, 2
"""What `parse_number` says of a text."""

_U = np.uint64
_ONE = _U(1)
ZEROS = _U(0x3030303030303030)
_SEVENS = _U(0x7F7F7F7F7F7F7F7F)
_CARRY = _U(0x7676767676767676)
_TOPS = _U(0x8080808080808080)
_DIGITS = _U(0x0F0F0F0F0F0F0F0F)
_PAIRS = _U(0x00FF00FF00FF00FF)
_FOURS = _U(0x0000FFFF0000FFFF)
_E4 = _U(10**4)
_HUNDREDS, _TENS = _U(0x0000007F0000007F), _U(0x000F000F000F000F)

_EXACT = _U(2**53)
MAX_DIGITS = 19
_FAR = 2**50
"""Exponents end here: further than any text is long, so that 0.000…1e… comes out right."""

_LOWEST, _HIGHEST = -342, 308
_POWERS = np.array([10.0**e for e in range(23)])
_DECIMALS = np.array([*(10.0 ** (7 - at) for at in range(8)), 1.0])
"""Divisor where the dot was byte 0 to 7 of eight, or nowhere."""
_WHOLE_POWERS = np.array([10**e for e in range(9)], np.uint64)


def _leading_bits(exponent: int) -> int:
    """Give the first 128 bits of 5**exponent, rounded down, but up where a tie can be told by it (-27 to -1)."""
    power: int = 5 ** abs(exponent)
    if exponent < 0:
        return (1 << (power.bit_length() + 127)) // power + (exponent >= -27)
    shift = 128 - power.bit_length()
    return power << shift if shift >= 0 else power >> -shift


_FIVES = [_leading_bits(e) for e in range(_LOWEST, _HIGHEST + 1)]
_FIVES_HIGH = np.array([bits >> 64 for bits in _FIVES], np.uint64)
_FIVES_LOW = np.array([bits & (2**64 - 1) for bits in _FIVES], np.uint64)

_N_TIES = 5
"""So many digits after a dot, or more, are never exactly between two float64."""
_AFTER = range(-_LOWEST, -_LOWEST - MAX_DIGITS - 1, -1)
_AFTER_HIGH, _AFTER_LOW = _FIVES_HIGH[_AFTER], _FIVES_LOW[_AFTER]
"""The bits of 5**-n for n digits after a dot."""
_AFTER_POWER = np.array([((-217706 * n) >> 16) + 63 + 1022 for n in range(MAX_DIGITS + 1)], np.uint64)


@inline
def other_than_digits(word: np.uint64) -> np.uint64:
    """Give a word whose bytes have their top bit set where a byte of text XOR "00000000" is no digit."""
    return (((word & _SEVENS) + _CARRY) | word) & _TOPS


@inline
def eight_digits(word: np.uint64) -> np.uint64:
    """Give the number of eight digits: a word of text XOR "00000000", the first digit lowest."""
    pairs = ((word & _DIGITS) * _U(2561)) >> _U(8)
    fours = ((pairs & _PAIRS) * _U(6553601)) >> _U(16)
    return _U(((fours & _FOURS) * _U(42949672960001)) >> _U(32))


@inline
def digit_bytes(number: np.uint64) -> np.uint64:
    """Give eight digits, the first one in the lowest byte, as numbers from 0 to 9: the way back of `eight_digits`."""
    upper = number // _E4
    both = upper | ((number - upper * _E4) << _U(32))
    hundreds = ((both * _U(10486)) >> _U(20)) & _HUNDREDS
    pairs = hundreds | ((both - hundreds * _U(100)) << _U(16))
    tens = ((pairs * _U(103)) >> _U(10)) & _TENS
    return tens | ((pairs - tens * _U(10)) << _U(8))


@inline
def short_whole(word: np.uint64, n: int) -> float:
    """Give the number of the first n digits, 1 to 8, of a word of text XOR "00000000"."""
    return float(np.int64(eight_digits(word << _U(64 - 8 * n))))


@inline
def short_decimal(word: np.uint64, n_whole: int, n: int) -> float:
    """Give the number of such a word's first n bytes, 3 to 7: digits, of which n_whole stand before the dot."""
    low = word & ((_ONE << _U(8 * n_whole)) - _ONE)
    high = (word >> _U(8 * n_whole + 8)) << _U(8 * n_whole)
    whole = eight_digits((low | high) << _U(72 - 8 * n))
    return float(float(np.int64(whole)) / _POWERS[_U(n - n_whole - 1)])


@inline
def _nearest(mantissa: np.uint64, exponent: int) -> float:
    """Give the float64 nearest to mantissa * 10**exponent, a tie to the even one (Eisel and Lemire)."""
    if mantissa == _U(0) or exponent < _LOWEST:
        return 0.0
    if exponent > _HIGHEST:
        return np.inf
    zeros = leading_zeros(mantissa)
    mantissa <<= zeros
    at = _U(exponent - _LOWEST)
    low = mantissa * _FIVES_HIGH[at]
    carried = high_product(mantissa, _FIVES_LOW[at])
    low += carried
    high = high_product(mantissa, _FIVES_HIGH[at]) + _U(low < carried)
    upper = high >> _U(63)
    shift = upper + _U(9)
    bits = high >> shift  # 54 of them: one more than a float64 has
    power = ((217706 * exponent) >> 16) + 63 + np.int64(upper) - np.int64(zeros) + 1023
    if power <= 0:
        if power < -62:
            return 0.0
        bits >>= _U(1 - power)
        return as_float((bits + (bits & _ONE)) >> _ONE)  # a carry into bit 52 is the smallest normal number
    if low <= _ONE and -4 <= exponent <= 23 and (bits & _U(3)) == _ONE and (bits << shift) == high:
        bits -= _ONE  # exactly between two, where the lower one is even
    bits = (bits + (bits & _ONE)) >> _ONE
    # bit 52 is always set, so adding raises the exponent by one; a carry into bit 53 raises it by one more
    bits += _U(power - 1) << _U(52)
    return as_float(min(bits, _U(0x7FF0000000000000)))


@inline
def scaled(mantissa: np.uint64, exponent: int) -> float:
    """Give the float64 nearest to mantissa * 10**exponent."""
    if mantissa <= _EXACT:
        if -22 <= exponent <= 0:
            return float(mantissa) / float(_POWERS[_U(-exponent)])
        if 0 < exponent <= 22:
            return float(mantissa) * float(_POWERS[_U(exponent)])
    return _nearest(mantissa, exponent)


@inline
def long_decimal(end: int, n: int, n_after: int) -> float:
    """Give the value of n digits with a dot in front of the last n_after of them.

    `_nearest` for what most numbers are: no branch, and no rule for what cannot be.

    Args:
        end: address behind the last digit; 33 bytes in front of it are read.
        n: 2 to 19; where n_after is less than 5, up to 15.
        n_after: 1 to n - 1.
    """
    mantissa = digits_before(end, n, n_after)
    at = _U(n_after)
    if n_after < _N_TIES:
        return float(float(np.int64(mantissa)) / _POWERS[at])
    zeros = leading_zeros(mantissa)
    scaled_up = mantissa << (zeros & _U(63))
    low = scaled_up * _AFTER_HIGH[at]
    carried = high_product(scaled_up, _AFTER_LOW[at])
    low += carried
    high = high_product(scaled_up, _AFTER_HIGH[at]) + _U(low < carried)
    upper = high >> _U(63)
    bits = high >> (upper + _U(9))
    bits = (bits + (bits & _ONE)) >> _ONE
    bits += (_AFTER_POWER[at] + upper - zeros) << _U(52)
    return as_float(bits if mantissa != _U(0) else _U(0))


@inline
def digits(address: int, at: int, end: int, readable: int, number: np.uint64) -> tuple[int, np.uint64]:
    """Append the digits from `at` to a number; give where they end. The number wraps around after 19 of them."""
    while at + 8 <= readable:
        word = load_word(address + at) ^ ZEROS
        others = other_than_digits(word)
        n = min(first_byte(others), end - at)
        if n < 8:
            if n > 0:
                number = number * _WHOLE_POWERS[_U(n)] + eight_digits(word << _U(64 - 8 * n))
            return at + n, number
        number = number * _U(100_000_000) + eight_digits(word)
        at += 8
    while at < end:
        digit = load_byte(address + at) - 48
        if digit < 0 or digit > 9:
            break
        number = number * _U(10) + _U(digit)
        at += 1
    return at, number


@inline
def exponent_of(address: int, at: int, end: int) -> tuple[int, int]:
    """Read what follows an `e`; give where it ends, or -1 where it has no digits, and its value."""
    negative = False
    if at < end:
        sign = load_byte(address + at)
        negative = sign == 45
        if sign == 45 or sign == 43:
            at += 1
    start, value = at, 0
    while at < end:
        digit = load_byte(address + at) - 48
        if digit < 0 or digit > 9:
            break
        value = min(value * 10 + digit, _FAR)
        at += 1
    return (at if at > start else -1), (-value if negative else value)


@helper
def _long_number(address: int, start: int, end: int, exponent: int) -> tuple[float, int]:
    """Give the value of digits with or without a dot, of which there are too many for a uint64, and its status."""
    first = _U(0)
    n, after_dot, dropped = 0, False, False
    for at in range(start, end):
        digit = load_byte(address + at) - 48
        if digit < 0:
            after_dot = True
            continue
        if n < MAX_DIGITS:
            first = first * _U(10) + _U(digit)
            n += first != _U(0)
            exponent -= after_dot
        else:
            dropped |= digit != 0
            exponent += not after_dot
    value = scaled(first, exponent)
    if dropped and value != scaled(first + _ONE, exponent):
        return value, UNDECIDED
    return value, NUMBER


@helper
def _word(address: int, start: int, end: int) -> tuple[float, int]:
    """Give the value of `inf`, `infinity` or `nan` and NUMBER, else NO_NUMBER."""
    key = _U(0)
    if end - start == 3 or end - start == 8:
        for i in range(end - start):
            key |= _U(load_byte(address + start + i) | 32) << _U(8 * i)
    if key == _U(0x666E69) or key == _U(0x7974696E69666E69):
        return np.inf, NUMBER
    return np.nan, NUMBER if key == _U(0x6E616E) else NO_NUMBER


@inline
def parse_number(address: int, start: int, end: int, readable: int) -> tuple[float, int]:
    """Give the value of the text from start to end, and NUMBER, NO_NUMBER or UNDECIDED (`float` is to settle it).

    Args:
        address: of the bytes' first one.
        start: where the text begins.
        end: where it ends; nothing behind it has a part in the result.
        readable: from end on; bytes before it may be read, which is quicker than one by one.
    """
    at = start
    sign = load_byte(address + at) if at < end else 0
    if sign == 45 or sign == 43:
        at += 1
    begin = at
    at, mantissa = digits(address, at, end, readable, _U(0))
    n = at - begin
    exponent = 0
    if at < end and load_byte(address + at) == 46:
        dot = at + 1
        at, mantissa = digits(address, dot, end, readable, mantissa)
        exponent = dot - at
        n -= exponent
    digits_end = at
    given = 0
    if at < end and n > 0 and load_byte(address + at) | 32 == 101:
        at, given = exponent_of(address, at + 1, end)
    if n == 0:
        value, status = _word(address, begin, end)
    elif at != end:
        value, status = np.nan, NO_NUMBER
    elif n > MAX_DIGITS:
        value, status = _long_number(address, begin, digits_end, given)
    else:
        value, status = scaled(mantissa, exponent + given), NUMBER
    return (-value if sign == 45 else value), status


@inline
def short_number(address: int, start: int, end: int) -> tuple[float, bool]:
    """Give the value of digits, perhaps with a minus and a dot, of up to 8 bytes after the sign; False for all else.

    No branch, so a column of mixed whole and decimal numbers costs no more than one of a kind. It reads 9 bytes from
    start on, whatever the text's length.
    """
    negative = load_byte(address + start) == 45
    start += negative
    n = end - start
    word = (load_word(address + start) ^ ZEROS) << (_U(64 - 8 * n) & _U(63))  # the last digit in the top byte
    others = other_than_digits(word)
    dot = others >> _U(7)
    before = dot - _ONE
    has_dot = others != _U(0)
    one_dot = ((others & (others - _ONE)) == _U(0)) & ((word & (dot * _U(0xFF))) == dot * _U(0x1E))
    digits = (word & before) << (_U(has_dot) << _U(3)) | (word & ~(before | dot * _U(0xFF)))
    value = float(np.int64(eight_digits(digits))) / _DECIMALS[_U(first_byte(others))]
    return (-value if negative else value), (_U(n - 1) < _U(8)) & one_dot & (n > np.int64(has_dot))


@kernel
def _parse_all(
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    status: npt.NDArray[np.uint8],
) -> int:
    address, n_undecided = data.ctypes.data, 0
    for i in range(values.size):
        values[i], found = parse_number(address, offsets[i], offsets[i + 1], data.size)
        status[i] = found
        n_undecided += found == UNDECIDED
    return n_undecided


def parse_numbers(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Give the value of every text, and whether it is a number; NaN where not.

    Args:
        data: (n_bytes,) the texts, one after the other.
        offsets: (n + 1,) where each begins, ascending, from 0 to n_bytes.

    Raises:
        ValueError: offsets that leave the data or go back.
    """
    if offsets.size == 0 or offsets[0] < 0 or offsets[-1] > data.size or (np.diff(offsets) < 0).any():
        raise ValueError(f"offsets must ascend from 0 to at most {data.size}")
    values = np.empty(offsets.size - 1)
    status = np.empty(values.size, np.uint8)
    if _parse_all(data, offsets, values, status):
        for i in np.flatnonzero(status == UNDECIDED).tolist():
            values[i] = float(data[offsets[i] : offsets[i + 1]].tobytes())
    return values, status != NO_NUMBER
