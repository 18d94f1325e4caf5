"""Distinct class names in order of first appearance: a hash table over spans of the text."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, inline
from predarrow_engine._simd_text import load_byte, load_word
from predarrow_engine.numbers import NO_NUMBER, parse_number

_U = np.uint64
_MIX = _U(0x9E3779B97F4A7C15)
_COMMA = 44
_DONT_CARE = np.frombuffer(b"dontcare", np.uint8)


class Names(NamedTuple):
    """Workspace for at most n names."""

    slots: npt.NDArray[np.int32]
    """(power of two > n,) number of a name plus 1, 0 where free"""
    start: npt.NDArray[np.int64]
    """(n,)"""
    length: npt.NDArray[np.int64]
    """(n,)"""
    dont_care: npt.NDArray[np.bool_]
    """(n,) the name is DontCare, in any case"""
    plain: npt.NDArray[np.bool_]
    """(n,) see `is_plain`"""
    n_names: npt.NDArray[np.int64]
    """(1,) how many there are"""


def new_names(n: int) -> Names:
    """Make a workspace; what stays unused costs no memory."""
    slots = np.zeros(2 << n.bit_length(), np.int32)
    start, length = np.empty((2, n), np.int64)
    dont_care, plain = np.empty((2, n), np.bool_)
    return Names(slots, start, length, dont_care, plain, np.zeros(1, np.int64))


@inline
def _chunk(address: int, at: int, n: int, readable: int) -> np.uint64:
    """Give up to 8 bytes of n as a word, zeros behind them."""
    if at + 8 <= readable:
        word = load_word(address + at)
        return word if n >= 8 else word & ((_U(1) << _U(8 * n)) - _U(1))
    word = _U(0)
    for i in range(min(n, 8)):
        word |= _U(load_byte(address + at + i)) << _U(8 * i)
    return word


@inline
def _same(address: int, first: int, second: int, n: int, readable: int) -> bool:
    for i in range(0, n, 8):
        if _chunk(address, first + i, n - i, readable) != _chunk(address, second + i, n - i, readable):
            return False
    return True


@helper
def is_plain(address: int, start: int, end: int) -> bool:
    """Tell whether a name is neither a number nor has a comma: then blanks around it tell where it ends."""
    plain = parse_number(address, start, end, end)[1] == NO_NUMBER
    for at in range(start, end):
        plain = plain and load_byte(address + at) != _COMMA
    return plain


@helper
def add_name(address: int, start: int, end: int, slot: np.uint64, names: Names) -> int:
    """Add the name from start to end in the free slot that `find_name` gave; give its number."""
    n, n_names = end - start, int(names.n_names[0])
    names.slots[slot] = n_names + 1
    names.start[n_names], names.length[n_names] = start, n
    names.plain[n_names] = is_plain(address, start, end)
    names.dont_care[n_names] = n == 8
    for i in range(min(n, 8)):
        byte = load_byte(address + start + i)
        byte += 32 if 65 <= byte <= 90 else 0
        names.dont_care[n_names] &= byte == _DONT_CARE[i]
    names.n_names[0] += 1
    return n_names


@inline
def find_name(address: int, start: int, end: int, readable: int, names: Names) -> tuple[int, np.uint64]:
    """Give the number of the name from start to end, -1 where it is new, and its slot."""
    n = end - start
    mixed = _U(n)
    for i in range(0, n, 8):
        mixed = (mixed ^ _chunk(address, start + i, n - i, readable)) * _MIX
        mixed ^= mixed >> _U(32)
    last = _U(names.slots.size - 1)
    slot = mixed & last
    while names.slots[slot] != 0:
        at = _U(names.slots[slot] - 1)
        if names.length[at] == n and _same(address, names.start[at], start, n, readable):
            return np.int64(at), slot
        slot = (slot + _U(1)) & last
    return -1, slot
