"""Escapes of JSON strings -> bytes of UTF-8. Whether they are well-formed is known from `json_scan.after_escape`."""

from __future__ import annotations

import numpy as np

from predarrow_engine._jit import helper, inline
from predarrow_engine._simd_text import load_byte, store

_BACKSLASH, _LETTER_U = 92, 117
MAX_POINT_BYTES = 4


@inline
def escaped_byte(letter: int) -> int:
    """Give what a backslash and this letter stand for, which is not u."""
    if letter == 98:
        return 8
    if letter == 102:
        return 12
    if letter == 110:
        return 10
    if letter == 114:
        return 13
    return 9 if letter == 116 else letter


@helper
def _unit(address: int, at: int) -> int:
    """Give the number of four hexadecimal digits."""
    value = 0
    for i in range(4):
        byte = load_byte(address + at + i)
        value = 16 * value + (byte - 48 if byte < 65 else (byte | 32) - 87)
    return value


@helper
def escaped_point(address: int, at: int, end: int) -> tuple[int, int]:
    r"""Read `\\uXXXX` at `at`, with a second one behind it where both are one character; give that and where it stops.

    Half of a pair alone is given as it is.
    """
    point = _unit(address, at + 2)
    at += 6
    if 0xD800 <= point < 0xDC00 and at + 6 <= end and _is_unit(address, at):
        low = _unit(address, at + 2)
        if 0xDC00 <= low < 0xE000:
            return 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00), at + 6
    return point, at


@inline
def _is_unit(address: int, at: int) -> bool:
    """Tell whether an escape in hexadecimal digits stands at `at`."""
    good = load_byte(address + at) == _BACKSLASH and load_byte(address + at + 1) == _LETTER_U
    for i in range(2, 6):
        byte = load_byte(address + at + i)
        good &= 48 <= byte <= 57 or 97 <= (byte | 32) <= 102
    return good


@helper
def put_point(base: int, n: int, point: int) -> int:
    """Write a character as UTF-8 to base + n; give where it ends, up to MAX_POINT_BYTES further."""
    if point < 0x80:
        store(base + n, np.uint8(point))
        return n + 1
    size = 2 if point < 0x800 else 3 if point < 0x10000 else 4
    for i in range(size - 1, 0, -1):
        store(base + n + i, np.uint8(0x80 | (point & 0x3F)))
        point >>= 6
    store(base + n, np.uint8((0xF00 >> size) & 0xFF | point))
    return n + size
