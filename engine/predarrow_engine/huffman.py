"""The codes of a deflate stream: bits taken from it, tables made of code lengths, symbols looked up.

Format: RFC 1951, sections 3.2.2 to 3.2.7. Where the RFC says nothing, zlib's rules hold: no code may have too many
symbols, and none too few, but that literals or distances may have a single symbol of one bit, or distances none.

The codes of a block lie in one array of `CODES_SIZE` uint32. (Seven arrays in tuples took Numba two seconds more.)
A code is known by its place there, `LITERALS` or `DISTANCES`:

    0      table, an entry for each pattern of `TABLE_BITS` bits, the first bit lowest
    1024   number of symbols of each length, 0 to 15
    1040   entries of the symbols without their code's length, in the order of the codes

Behind the codes, from `_LENGTHS` on, stand the lengths of all symbols' codes. A table gives a symbol, its extra bits
and its length at one look; longer codes (1 symbol in 2**TABLE_BITS) are found bit by bit.

    entry    31..16  literal, or least length or distance
             15..12  what it is: literal, end of block, longer code, no code
             11..8   bits of the code
              7..0   bits of the code and of what follows it

Bits come from a word of 64 that is filled up to 56 at least, which is enough for a length and a distance
(15 + 5 + 15 + 13 bits). It is filled from 8 bytes at an address that stops at the stream's end, where `SPARE` bytes
must be readable; a caller sees by `position` that more bits were taken than there are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine import _simd_png as simd
from predarrow_engine._jit import helper, inline

SPARE = 8
"""Bytes that must be readable behind a stream."""

TABLE_BITS = 10

LITERAL, END_OF_BLOCK, LONG, NO_CODE = 0x8000, 0x4000, 0x2000, 0x1000
SPECIAL = END_OF_BLOCK | LONG | NO_CODE

_COUNTS = 1 << TABLE_BITS
_SYMBOLS = _COUNTS + 16
_LONGEST = 15
_N_LITERALS, _N_DISTANCES, _N_LENGTHS = 288, 32, 19
_CODE_SIZE = _SYMBOLS + _N_LITERALS
LITERALS = 0
DISTANCES = _CODE_SIZE
_LENGTHS = 2 * _CODE_SIZE
CODES_SIZE = _LENGTHS + _N_LITERALS + _N_DISTANCES


def _ranges(n_codes: int, n_each: int, least: int, n: int) -> npt.NDArray[np.uint32]:
    """Give entries of symbols that stand for ranges of 2**extra numbers, of `n` symbols the first `n_codes`.

    The first `2 * n_each` have no extra bits, then these grow by one every `n_each` symbols (section 3.2.5).
    """
    entries = np.full(n, NO_CODE, np.uint32)
    for k in range(n_codes):
        extra = max(0, k // n_each - 1)
        entries[k] = least << 16 | extra
        least += 1 << extra
    return entries


def _entries() -> npt.NDArray[np.uint32]:
    """Give the entries, without a code, of literals and lengths, of distances, and of code lengths."""
    literals = np.arange(256, dtype=np.uint32) << 16 | LITERAL
    lengths = _ranges(28, 4, 3, _N_LITERALS - 257)
    lengths[285 - 257] = 258 << 16  # the one that is out of line
    code_lengths = np.arange(_N_LENGTHS, dtype=np.uint32) << 16
    end = np.array([END_OF_BLOCK], np.uint32)
    return np.concatenate([literals, end, lengths, _ranges(30, 2, 1, _N_DISTANCES), code_lengths])


_ENTRIES = _entries()
_FIXED_LENGTHS = np.repeat(np.array([8, 9, 7, 8, 5], np.uint8), (144, 112, 24, 8, 32))
_LENGTH_ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15], np.uint8)


CodeMemory = npt.NDArray[np.uint32]
"""(`CODES_SIZE`,) the codes of a block."""


class Bits(NamedTuple):
    """Where a stream is read."""

    word: np.uint64
    """Bits that come next, the first lowest."""
    n: int
    """How many of them count."""
    at: int
    """Address of the byte behind these."""


@inline
def refilled(bits: Bits, stop: int) -> Bits:
    """Give at least 56 bits; those behind the address `stop` are anything."""
    word = bits.word | simd.load_u64(min(bits.at, stop)) << np.uint64(bits.n)
    return Bits(word, bits.n | 56, bits.at + (63 - bits.n >> 3))


@inline
def without(bits: Bits, n: int) -> Bits:
    """Take n bits away."""
    return Bits(bits.word >> np.uint64(n), bits.n - n, bits.at)


@inline
def low(word: np.uint64, n: int) -> int:
    """Give the lowest n bits of a word as a number."""
    return int(np.int64(word & ((np.uint64(1) << np.uint64(n)) - np.uint64(1))))


@inline
def position(bits: Bits) -> int:
    """Give the address of the first byte of which no bit was taken."""
    return bits.at - (bits.n >> 3)


@inline
def entry_of(codes: CodeMemory, code: int, word: np.uint64) -> int:
    """Give the entry of the code that a word begins with; `LONG` where the table has none."""
    return int(np.int64(codes[np.uint64(code) + (word & np.uint64(_COUNTS - 1))]))


@helper
def long_entry(codes: CodeMemory, code: int, word: np.uint64) -> int:
    """Give the entry of a code of any length, `NO_CODE` where there is none."""
    value = 0
    first = 0
    k = code + _SYMBOLS
    for length in range(1, _LONGEST + 1):
        value |= low(word >> np.uint64(length - 1), 1)
        count = int(np.int64(codes[code + _COUNTS + length]))
        if value < first + count:
            return int(np.int64(codes[k + value - first])) + length * 0x101
        k += count
        first = first + count << 1
        value <<= 1
    return NO_CODE


@inline
def bits_of(entry: int) -> int:
    """Give the bits that a code and what follows it take."""
    return entry & 0xFF


@inline
def number(entry: int, word: np.uint64) -> int:
    """Give the number that an entry and the extra bits behind its code stand for."""
    length = entry >> 8 & 15
    return (entry >> 16) + low(word >> np.uint64(length), bits_of(entry) - length)


@inline
def _variable(n: int) -> int:
    """Give a number that is no literal: Numba would compile a function anew for each one that it is called with."""
    return int(np.int64(n))


@helper
def _count(codes: CodeMemory, code: int, start: int, n: int, may_lack: int) -> bool:
    """Count the lengths; say whether they make a code."""
    counts = code + _COUNTS
    for length in range(_LONGEST + 1):
        codes[counts + length] = 0
    for i in range(start, start + n):
        codes[counts + np.int64(codes[i])] += 1
    n_codes = n - int(np.int64(codes[counts]))
    free = 1
    for length in range(1, _LONGEST + 1):
        free = 2 * free - int(np.int64(codes[counts + length]))
        if free < 0:
            return False
    if free == 0:
        return True
    for i in range(code, code + _COUNTS):
        codes[i] = NO_CODE
    return may_lack == 1 and n_codes == int(np.int64(codes[counts + 1]))


@helper
def _sort(codes: CodeMemory, code: int, start: int, n: int, alphabet: int) -> None:
    """Put the symbols in the order of their codes."""
    k = code + _SYMBOLS
    for length in range(1, _LONGEST + 1):
        left = int(np.int64(codes[code + _COUNTS + length]))
        i = 0
        while left > 0 and i < n:
            if codes[start + i] == length:
                codes[k] = _ENTRIES[alphabet + i]
                k += 1
                left -= 1
            i += 1


@helper
def _build(codes: CodeMemory, code: int, start: int, n: int, alphabet: int, may_lack: int) -> bool:
    """Make a code of the `n` lengths from `start` on, of symbols from `alphabet` on; False where they make none."""
    if not _count(codes, code, start, n, may_lack):
        return False
    _sort(codes, code, start, n, alphabet)
    pattern = 0  # a code's bits, the first lowest
    k = code + _SYMBOLS
    for length in range(1, _LONGEST + 1):
        for _ in range(codes[code + _COUNTS + length]):
            if length <= TABLE_BITS:
                for j in range(code + pattern, code + _COUNTS, 1 << length):
                    codes[j] = codes[k] + length * 0x101
            else:
                codes[code + (pattern & _COUNTS - 1)] = LONG
            bit = 1 << length - 1
            while pattern & bit:
                bit >>= 1
            pattern = (pattern & bit - 1) | bit
            k += 1
    return True


@helper
def _read_lengths(bits: Bits, stop: int, codes: CodeMemory, n: int) -> tuple[bool, Bits]:
    """Read `n` code lengths, which are coded themselves; False where a repetition has no length or runs over."""
    k = 0
    while k < n:
        bits = refilled(bits, stop)
        entry = entry_of(codes, DISTANCES, bits.word)
        bits = without(bits, bits_of(entry))
        symbol = entry >> 16
        value = symbol
        times = 1
        if symbol >= 16:
            if symbol == 16 and k == 0:
                return False, bits
            value = int(np.int64(codes[_LENGTHS + k - 1])) if symbol == 16 else 0
            extra = 2 if symbol == 16 else 3 if symbol == 17 else 7
            times = low(bits.word, extra) + (11 if symbol == 18 else 3)
            bits = without(bits, extra)
        if k + times > n:
            return False, bits
        for _ in range(times):
            codes[_LENGTHS + k] = value
            k += 1
    return True, bits


@helper
def read_codes(bits: Bits, stop: int, is_fixed: bool, codes: CodeMemory) -> tuple[bool, Bits]:
    """Make the codes of a block of type 1 (fixed) or 2; False where they are damaged."""
    lengths = _variable(_LENGTHS)
    n_literals = _N_LITERALS
    n_distances = _N_DISTANCES
    if is_fixed:
        for k in range(_N_LITERALS + _N_DISTANCES):
            codes[_LENGTHS + k] = _FIXED_LENGTHS[k]
    else:
        bits = refilled(bits, stop)
        n_literals = low(bits.word, 5) + 257
        n_distances = low(bits.word >> np.uint64(5), 5) + 1
        n_lengths = low(bits.word >> np.uint64(10), 4) + 4
        bits = without(bits, 14)
        if n_literals > 286 or n_distances > 30:
            return False, bits
        for k in range(_N_LENGTHS):
            codes[_LENGTHS + k] = 0
        for k in range(n_lengths):
            bits = refilled(bits, stop)
            codes[_LENGTHS + _LENGTH_ORDER[k]] = low(bits.word, 3)
            bits = without(bits, 3)
        alphabet = _variable(_N_LITERALS + _N_DISTANCES)
        # the memory of the distances' code is free until the lengths are read
        if not _build(codes, _variable(DISTANCES), lengths, _variable(_N_LENGTHS), alphabet, _variable(0)):
            return False, bits
        is_good, bits = _read_lengths(bits, stop, codes, n_literals + n_distances)
        if not is_good or codes[_LENGTHS + 256] == 0:
            return False, bits
    if not _build(codes, _variable(LITERALS), lengths, n_literals, _variable(0), _variable(1)):
        return False, bits
    alphabet = _variable(_N_LITERALS)
    return _build(codes, _variable(DISTANCES), lengths + n_literals, n_distances, alphabet, _variable(1)), bits
