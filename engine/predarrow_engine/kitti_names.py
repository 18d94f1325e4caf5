"""Distinct class names in order of first appearance: a hash table over spans of the text."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, inline
from predarrow_engine._simd_text import load_byte, load_int, load_word
from predarrow_engine.numbers import NO_NUMBER, parse_number

_U = np.uint64
_MIX = _U(0x9E3779B97F4A7C15)
_COMMA = 44
_DONT_CARE = np.frombuffer(b"dontcare", np.uint8)


class Names(NamedTuple):
    """Workspace for at most n names."""

    slots: npt.NDArray[np.int64]
    """(power of two > n,) number of a name plus 1, 0 where free"""
    start: npt.NDArray[np.int64]
    """(n,)"""
    length: npt.NDArray[np.int64]
    """(n,)"""
    dont_care: npt.NDArray[np.bool_]
    """(n,) the name is DontCare, in any case"""
    plain: npt.NDArray[np.bool_]
    """(n,) neither a number nor with a comma: blanks around it tell where it ends"""
    n_names: npt.NDArray[np.int64]
    """(1,) how many there are"""


class Table(NamedTuple):
    """Addresses of what a search needs."""

    slots: int
    last_slot: int
    start: int
    length: int


@inline
def table_of(names: Names) -> Table:
    """Give the addresses of a workspace, which stays where it is."""
    return Table(names.slots.ctypes.data, names.slots.size - 1, names.start.ctypes.data, names.length.ctypes.data)


def new_names(n: int) -> Names:
    """Make a workspace; what stays unused costs no memory."""
    slots = np.zeros(2 << n.bit_length(), np.int64)
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


@helper
def _is_plain(address: int, start: int, end: int) -> bool:
    """Tell whether a name is neither a number nor has a comma: then blanks around it tell where it ends."""
    plain = parse_number(address, start, end, end)[1] == NO_NUMBER
    for at in range(start, end):
        plain = plain and load_byte(address + at) != _COMMA
    return plain


@helper
def add_name(address: int, start: int, end: int, slot: int, names: Names) -> int:
    """Add the name from start to end in the free slot that `find_name` gave; give its number."""
    n, n_names = end - start, int(names.n_names[0])
    names.slots[slot] = n_names + 1
    names.start[n_names], names.length[n_names] = start, n
    names.plain[n_names] = _is_plain(address, start, end)
    names.dont_care[n_names] = n == 8
    for i in range(min(n, 8)):
        byte = load_byte(address + start + i)
        byte += 32 if 65 <= byte <= 90 else 0
        names.dont_care[n_names] &= byte == _DONT_CARE[i]
    names.n_names[0] += 1
    return n_names


@inline
def _first_slot(address: int, start: int, n: int, readable: int) -> int:
    mixed = _U(n)
    for at in range(0, n, 8):
        mixed = (mixed ^ _chunk(address, start + at, n - at, readable)) * _MIX
        mixed ^= mixed >> _U(32)
    return np.int64(mixed >> _U(1))  # type: ignore[return-value]  # an int to a kernel


@inline
def _is_same(address: int, start: int, n: int, other: int, n_other: int, readable: int) -> bool:
    """Tell whether the texts of n bytes at start and of n_other bytes at other are the same."""
    same = n == n_other
    at = 0
    while same and at < n:
        same = _chunk(address, start + at, n - at, readable) == _chunk(address, other + at, n - at, readable)
        at += 8
    return same


@inline
def find_name(address: int, start: int, end: int, readable: int, table: Table) -> tuple[int, int]:
    """Give the number of the name from start to end, -1 where it is new, and its slot."""
    n = end - start
    slot = _first_slot(address, start, n, readable) & table.last_slot
    name = load_int(table.slots + 8 * slot) - 1
    while name >= 0 and not _is_same(
        address, start, n, load_int(table.start + 8 * name), load_int(table.length + 8 * name), readable
    ):
        slot = (slot + 1) & table.last_slot
        name = load_int(table.slots + 8 * slot) - 1
    return name, slot
