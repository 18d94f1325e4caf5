"""float64 -> the shortest decimal that reads back equal, as JSON text: Schubfach.

    value = c * 2**q            every decimal between the middles to its neighbours reads back as it:
    -----|-------(------*------)-------|-----      (4c - 2) * 2**(q - 2)   to   (4c + 2) * 2**(q - 2)

10**k is the power of ten just below the width of that interval, so one or two of its multiples are inside, and at most
one multiple of 10**(k + 1), which is shorter. Both ends and the value are scaled by 10**-k with 128 bits, rounded to
odd, which tells all that has to be compared (Raffaello Giulietti, "The Schubfach way to render doubles", 2020, section
9; 617 powers are enough for every number). Where two decimals are equally short, the nearer one is taken, as `repr`
does.

What is written is what Arrow writes: `0.0001`, `1`, `-0`, `1e-7`, `1.5e+10`; digits with a dot from 1e-6 to below 1e10.
Sixteen digits become two words with three multiplications each, the way back of `numbers.eight_digits`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, inline, kernel
from predarrow_engine._simd_text import high_product, leading_zeros, load_byte, load_word, store
from predarrow_engine.numbers import digit_bytes
from predarrow_engine.rle_text import STRING_LIMIT, fixed

MOST_BYTES = 24
"""Of a decimal: `-2.2250738585072014e-308`."""
ROOM = 48
"""Bytes from where a decimal is written that may be written to."""

_U = np.uint64
_ZERO, _ONE, _TWO, _FOUR, _TEN = _U(0), _U(1), _U(2), _U(4), _U(10)
_FRACTION, _EXPONENT = _U(2**52 - 1), _U(0x7FF)
_SIGN = _U(63)
_LOWEST, _HIGHEST = -292, 324

_E8, _E16 = _U(10**8), _U(10**16)
_POWERS = np.array([10**e for e in range(18)], np.uint64)
_DIGITS = 17
_ASCII = _U(0x3030303030303030)
_NOUGHTS = _U(0x3030303030302E30)
"""`0.000000`, the first byte lowest."""
_DOT, _MINUS, _PLUS, _LETTER_E, _NOUGHT = (np.uint8(ord(letter)) for letter in ".-+e0")

_FIRST_PLAIN, _FIRST_LARGE = -5, 11
"""Places of the dot before the first digit from and below which there is no exponent."""


def _leading_bits(exponent: int) -> int:
    """Give the first 128 bits of 10**exponent, rounded up."""
    power: int = 10 ** abs(exponent)
    if exponent >= 0:
        shift = power.bit_length() - 128
        return -(-power >> shift) if shift > 0 else power << -shift
    shift = power.bit_length() + 127
    bits = -(-(1 << shift) // power)
    return bits if bits < 1 << 128 else -(-(1 << (shift - 1)) // power)


_TENS_BITS = [_leading_bits(e) for e in range(_LOWEST, _HIGHEST + 1)]
_TENS_HIGH = np.array([bits >> 64 for bits in _TENS_BITS], np.uint64)
_TENS_LOW = np.array([bits & (2**64 - 1) for bits in _TENS_BITS], np.uint64)


@inline
def _to_odd(at: np.uint64, scaled: np.uint64) -> np.uint64:
    """Give the product of a number and a power of ten without its lower 128 bits, rounded to odd."""
    low = scaled * _TENS_HIGH[at]
    carried = high_product(scaled, _TENS_LOW[at])
    low += carried
    high = high_product(scaled, _TENS_HIGH[at]) + _U(low < carried)
    return high | _U(low > _ONE)


@inline
def shortest(bits: np.uint64) -> tuple[np.uint64, int]:
    """Give m and e of the decimal m * 10**e, m perhaps with zeros at its end, of a finite float64's bits, not 0."""
    fraction = bits & _FRACTION
    exponent = (bits >> _U(52)) & _EXPONENT
    c = fraction | (_U(exponent != _ZERO) << _U(52))
    q = np.int64(max(exponent, _ONE)) - 1075
    is_closer = _U(fraction == _ZERO) & _U(exponent > _ONE)  # the lower neighbour is only half as far
    is_odd = c & _ONE
    k = (q * 1262611 - np.int64(is_closer) * 524031) >> 22
    shift = _U(q + ((-k * 1741647) >> 19) + 1)
    at = _U(-k - _LOWEST)
    middle = _FOUR * c
    lower = _to_odd(at, (middle - _TWO + is_closer) << shift) + is_odd
    value = _to_odd(at, middle << shift)
    upper = _to_odd(at, (middle + _TWO) << shift) - is_odd
    below = value >> _TWO
    short = below // _TEN
    if short > _ZERO:
        down = lower <= _U(40) * short
        up = _U(40) * (short + _ONE) <= upper
        if down != up:
            return short + _U(up), int(k + 1)
    down = lower <= _FOUR * below
    up = _FOUR * (below + _ONE) <= upper
    if down == up:
        half = _FOUR * below + _TWO
        up = value > half or (value == half and (below & _ONE) != _ZERO)
    return below + _U(up), int(k)


@inline
def _put_digits(target: int, digits: np.uint64) -> int:
    """Write a number of 17 digits; give how many of them there are before the zeros at its end."""
    first = digits // _E16
    rest = digits - first * _E16
    upper = rest // _E8
    high, low = digit_bytes(upper), digit_bytes(rest - upper * _E8)
    store(target, np.uint8(first) + _NOUGHT)
    store(target + 1, high | _ASCII)
    store(target + 9, low | _ASCII)
    if low != _ZERO:
        return 17 - int(np.int64(leading_zeros(low)) >> 3)
    return 9 - int(np.int64(leading_zeros(high)) >> 3)


@helper
def _put_exponent(target: int, n: int, exponent: int) -> int:
    """Put a dot behind the first of n digits written one byte further on, and an exponent; give where it ends."""
    store(target, np.uint8(load_byte(target + 1)))
    at = target + 1
    if n > 1:
        store(at, _DOT)
        at += n
    store(at, _LETTER_E)
    store(at + 1, _PLUS if exponent > 0 else _MINUS)
    at += 2
    exponent = abs(exponent)
    if exponent >= 100:
        store(at, np.uint8(exponent // 100) + _NOUGHT)
        at += 1
    if exponent >= 10:
        store(at, np.uint8(exponent // 10 % 10) + _NOUGHT)
        at += 1
    store(at, np.uint8(exponent % 10) + _NOUGHT)
    return at + 1


@inline
def put_decimal(target: int, bits: np.uint64) -> int:
    """Write the number with these bits, which is finite, as text; give where it ends. See ROOM."""
    store(target, _MINUS)
    target += int(np.int64(bits >> _SIGN))
    if bits << _ONE == _ZERO:
        store(target, _NOUGHT)
        return target + 1
    digits, exponent = shortest(bits)
    size = int(np.int64(_U(64) - leading_zeros(digits)) * 1233 >> 12)
    size += int(digits >= _POWERS[_U(size)])
    digits *= _POWERS[_U(_DIGITS - size)]
    dot = size + exponent  # digits before it
    if dot <= 0:
        if dot < _FIRST_PLAIN:
            return _put_exponent(target, _put_digits(target + 1, digits), dot - 1)
        store(target, _NOUGHTS)
        at = target + 2 - dot
        return at + _put_digits(at, digits)
    n = _put_digits(target + 1, digits)
    if dot >= _FIRST_LARGE:
        return _put_exponent(target, n, dot - 1)
    for i in range(dot):
        store(target + i, np.uint8(load_byte(target + i + 1)))
    if n <= dot:
        return target + dot
    store(target + dot, _DOT)
    return target + n + 1


@kernel
def _texts(values: npt.NDArray[np.float64], ends: npt.NDArray[np.int64], out: npt.NDArray[np.uint8]) -> int:
    source, first = int(np.int64(values.ctypes.data)), int(np.int64(out.ctypes.data))
    target = first
    for i in range(np.uint64(values.size)):
        target = put_decimal(target, load_word(source + int(np.int64(i)) * 8))
        ends[i + _ONE] = target - first
    return target - first


def texts(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Give numbers as text: (n + 1,) first byte of each, and (n_bytes,) bytes.

    Args:
        values: (n,) finite.

    Raises:
        ValueError: more than 2**31 - 1 bytes.
    """
    ends = np.zeros(len(values) + 1, np.int64)
    out = np.empty(MOST_BYTES * len(values) + ROOM, np.uint8)
    size = _texts(fixed(values), ends, out)
    if size > STRING_LIMIT:
        raise ValueError(f"texts of a column hold at most {STRING_LIMIT} bytes, got {size}; take fewer")
    return ends.astype(np.int32), out[:size]
