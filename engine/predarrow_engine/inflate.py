"""Deflate streams unpacked block by block, and the checksum behind them.

Formats: RFC 1950 (zlib: two bytes of header, Adler-32 at the end) and RFC 1951 (deflate).

The idea. Nearly all bytes of a label mask come from matches (98 %; most are 258 bytes of one value or of the row
above), so a match is copied 64 bytes at a time, and what is around it is kept short. Nothing here says what is
wrong with a stream: that is left to zlib, which gets every stream that is not taken.

Safety. All addresses are absolute. A stream is read from its start up to `huffman.SPARE` bytes behind its end.
Unpacked bytes are written up to `SPARE` bytes behind the place where writing was to stop; a match never reaches
back beyond the oldest byte.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from predarrow_engine import _simd_png as simd
from predarrow_engine._jit import helper, inline
from predarrow_engine.huffman import (
    DISTANCES,
    END_OF_BLOCK,
    LITERAL,
    LITERALS,
    LONG,
    NO_CODE,
    SPECIAL,
    Bits,
    CodeMemory,
    bits_of,
    entry_of,
    long_entry,
    low,
    number,
    position,
    read_codes,
    refilled,
    without,
)

_LITERALS_A_LOOK = 2  # 4 would fit, and gain nothing
_MATCH_SPARE = 5 * simd.BLOCK
SPARE = _LITERALS_A_LOOK + 2 * simd.BLOCK + _MATCH_SPARE  # 2 blocks: a period that was doubled, to 127 at most
"""Bytes that may be written behind the place where `unpacked` was told to stop."""
WINDOW = 32768
"""Farthest distance of a match."""

END, FULL, DAMAGED = 0, 1, 2
"""What ended the unpacking: the end of a block, the end of the memory, or no valid stream."""

_STORED, _FIXED, _DYNAMIC = 0, 1, 2
_ADLER = 65521


class Stream(NamedTuple):
    """Where a stream is read, and in which block."""

    bits: Bits
    state: int
    """`END` before a block, `FULL` inside of one."""
    kind: int
    """0 stored, 1 fixed codes, 2 codes of its own."""
    is_last: bool
    n_left: int
    """Bytes of a stored block that are still to be copied."""


@inline
def has_zlib_header(start: int, stop: int) -> bool:
    """Say whether a stream begins with deflate's method, a window of at most 32 KB and no dictionary."""
    if stop - start < 2:
        return False
    method = simd.load_u8(start)
    flags = simd.load_u8(start + 1)
    is_whole: bool = (method << 8 | flags) % 31 == 0
    return is_whole and method & 15 == 8 and method >> 4 <= 7 and flags & 0x20 == 0


@inline
def begun(start: int) -> Stream:
    """Give a stream before its first block."""
    return Stream(Bits(np.uint64(0), 0, start + 2), END, _STORED, False, 0)


@helper
def opened(bits: Bits, stop: int, codes: CodeMemory) -> Stream:
    """Read the head of a block, its codes into `codes`; the state is `FULL` or `DAMAGED`."""
    if position(bits) > stop:
        return Stream(bits, DAMAGED, _STORED, False, 0)
    bits = refilled(bits, stop)
    is_last = low(bits.word, 1) == 1
    kind = low(bits.word, 3) >> 1
    bits = without(bits, 3)
    is_good = False
    n_left = 0
    if kind == _STORED:
        at = position(bits)
        if at + 4 <= stop:
            sizes = simd.load_u64(at)
            n_left = low(sizes, 16)
            bits = Bits(np.uint64(0), 0, at + 4)
            is_good = low(sizes >> np.uint64(16), 16) == n_left ^ 0xFFFF and at + 4 + n_left <= stop
    elif kind <= _DYNAMIC:
        is_good, bits = read_codes(bits, stop, kind == _FIXED, codes)
    return Stream(bits, FULL if is_good else DAMAGED, kind, is_last, n_left)


@helper
def _copy_stored(source: int, stop: int, out: int, n: int) -> None:
    end = out + n
    while out < end and source + simd.BLOCK <= stop:
        simd.copy(out, source)
        out += simd.BLOCK
        source += simd.BLOCK
    while out < end:
        simd.store_u8(out, simd.load_u8(source))
        out += 1
        source += 1


@inline
def _copy_match(out: int, distance: int, length: int) -> None:
    """Repeat what stands `distance` before. Up to 126 + `_MATCH_SPARE` bytes are written.

    Beyond 64 bytes nearly all have 258, so all is written then: no branches that depend on the length.
    """
    source = out - distance
    if distance == 1:
        value = simd.load_u8(source)
        simd.fill_1(out, value)
        if length > simd.BLOCK:
            for k in range(simd.BLOCK, _MATCH_SPARE, simd.BLOCK):
                simd.fill_1(out + k, value)
        return
    end = out + length
    while distance < simd.BLOCK and out < end:  # what stands between source and out repeats, so twice as far will do
        simd.copy(out, source)
        out += distance
        distance *= 2
    if out < end:
        simd.copy(out, source)
        if out + simd.BLOCK < end:
            for k in range(simd.BLOCK, _MATCH_SPARE, simd.BLOCK):
                simd.copy(out + k, source + k)


@inline
def _looked_up(bits: Bits, stop: int, codes: CodeMemory) -> tuple[Bits, int]:
    bits = refilled(bits, stop)
    return bits, entry_of(codes, LITERALS, bits.word)


@inline
def _symbols(bits: Bits, stop: int, codes: CodeMemory, out: int, oldest: int, limit: int) -> tuple[int, Bits, int]:
    bits, entry = _looked_up(bits, stop, codes)
    while out <= limit:
        if entry & LITERAL:
            for _ in range(_LITERALS_A_LOOK):
                simd.store_u8(out, entry >> 16)
                out += 1
                bits = without(bits, bits_of(entry))
                entry = entry_of(codes, LITERALS, bits.word)
                if not entry & LITERAL:
                    break
            bits = refilled(bits, stop)
            if entry & LITERAL:
                continue
        if entry & SPECIAL:
            if entry & LONG:
                entry = long_entry(codes, LITERALS, bits.word)
            if entry & LITERAL:
                simd.store_u8(out, entry >> 16)
                out += 1
                bits, entry = _looked_up(without(bits, bits_of(entry)), stop, codes)
                continue
            if entry & NO_CODE:
                return DAMAGED, bits, out
            if entry & END_OF_BLOCK:
                return END, without(bits, bits_of(entry)), out
        length = number(entry, bits.word)
        bits = without(bits, bits_of(entry))
        entry = entry_of(codes, DISTANCES, bits.word)
        if entry & LONG:
            entry = long_entry(codes, DISTANCES, bits.word)
        distance = number(entry, bits.word)
        bits = without(bits, bits_of(entry))
        if entry & NO_CODE or distance > out - oldest:
            return DAMAGED, bits, out
        bits, entry = _looked_up(bits, stop, codes)  # before the copy, whose length is hard to foresee
        _copy_match(out, distance, length)
        out += length
    return FULL, bits, out


@inline
def unpacked(stream: Stream, stop: int, codes: CodeMemory, out: int, oldest: int, limit: int) -> tuple[Stream, int]:
    """Unpack up to the end of a block, or until `out` is behind `limit`.

    Args:
        stream: where to go on, in an opened block.
        stop: address behind the stream.
        codes: those of the block.
        out: address of the next unpacked byte.
        oldest: address of the first unpacked byte that is still in place: `WINDOW` before `out`, or the very first.
        limit: address up to which a symbol may begin; up to `SPARE` bytes behind it are written.

    Returns:
        The stream, its state `END`, `FULL` or `DAMAGED`; the address behind what was unpacked.
    """
    if stream.kind == _STORED:
        n = min(stream.n_left, limit + 1 - out)
        _copy_stored(stream.bits.at, stop, out, n)
        bits = Bits(np.uint64(0), 0, stream.bits.at + n)
        n_left = stream.n_left - n
        return Stream(bits, FULL if n_left else END, _STORED, stream.is_last, n_left), out + n
    state, bits, out = _symbols(stream.bits, stop, codes, out, oldest, limit)
    return Stream(bits, state, stream.kind, stream.is_last, 0), out


class Sums(NamedTuple):
    """The sums of Adler-32, modulo 65521."""

    first: int
    """1 + all bytes."""
    second: int
    """All values that `first` has had."""
    at: int
    """Address behind the bytes that are summed."""


@helper
def summed(sums: Sums, end: int) -> Sums:
    """Carry the sums on over whole kilobytes."""
    first, second, at = sums
    while end - at >= simd.SUMMED:
        both = simd.adler_sums(at)
        second = (second + simd.SUMMED * first + low(both >> np.uint64(32), 32)) % _ADLER
        first = (first + low(both, 32)) % _ADLER
        at += simd.SUMMED
    return Sums(first, second, at)


@helper
def is_checksum(sums: Sums, end: int, bits: Bits, stop: int) -> bool:
    """Say whether a stream ends with the checksum of all bytes up to `end`, and with nothing behind it."""
    at = position(bits)
    if at + 4 != stop:
        return False
    first = sums.first
    second = sums.second
    for address in range(sums.at, end):
        first = (first + simd.load_u8(address)) % _ADLER
        second = (second + first) % _ADLER
    stored = 0
    for k in range(4):
        stored = stored << 8 | simd.load_u8(at + k)
    return stored == (second << 16 | first)
