"""A ring of a polygon, a list of numbers in JSON -> its vertices as 32-bit floats.

Nearly all rings are plain: numbers without exponents, all commas with one blank behind them, or none. Of those the
places of the commas are written down, 64 bytes at a time, and the texts between them become floats eight at a time, of
which each is looked at whether it is a number: 2.5 ns a number, one after the other as `json_scan.number` has it 12.5
(in a loop over the same text 5.1, but there a processor foresees how long numbers are). All other rings are read that
way.
"""

from __future__ import annotations

import numpy as np

from predarrow_engine._jit import helper, inline
from predarrow_engine._simd_text import (
    BLOCK,
    LANES,
    count_bits,
    equal,
    first_bit,
    load_byte,
    load_int,
    load_single,
    short_points,
    store,
)
from predarrow_engine.coco_columns import EXPECTED_COMMA
from predarrow_engine.coco_slots import (
    COORDINATES,
    ORDINATES,
    RING_FLAGS,
    RING_LENGTHS,
    RINGS,
    ROOM_FOR,
    SCRATCH,
    flat,
    get,
)
from predarrow_engine.coco_values import OTHER_ITEM, no_room
from predarrow_engine.json_scan import (
    CLOSE_LIST,
    COMMA,
    INCOMPLETE,
    ROOM,
    UNSETTLED,
    after_blanks,
    begins_number,
    constants,
    flaw,
    number,
)

FAR, UNDECIDED, CLOSED = 1, 2, 4
"""What is told of a ring: a number that 32-bit floats do not hold; one that is left for `float` to settle; the last
vertex repeats the first one, and is left out."""

_CHUNK = 256
"""Numbers of a ring that are found before they are read."""
_AT_ONCE = 10
"""Commas that are written down for 64 bytes, whether there are as many or not: hardly ever more."""
_READ_BEHIND = 10
"""Bytes behind 64 that may be read: a comma, a blank and a word."""
N_SCRATCH = 1 + _CHUNK + BLOCK + _AT_ONCE
"""Words of memory that a kernel needs for this: where the numbers of a chunk end, and as many more as are written."""
_SPACE = constants(32, 33)[0]

_U = np.uint64
_ONE = _U(1)
_EVERY = _U(0xFFFFFFFFFFFFFFFF)
_FLOAT32_MAX = float(np.finfo(np.float32).max)
LEAST = 8
"""Numbers of a ring that may repeat its first vertex, so that three are left without it."""


@inline
def _bytes_of(here: int, wide: np.uint64, follows: np.uint64) -> tuple[np.uint64, np.uint64, int, np.uint64]:
    """Look at 64 bytes of a ring.

    Args:
        here: address of the first.
        wide: all bits where a blank stands behind each comma, else none.
        follows: 1 where the byte before is a comma.

    Returns:
        Bits of the bytes that end a number; of blanks where there should be none and the other way round, up to the
        ring's end; how many bytes come before that; and `follows` for the next 64.
    """
    comma, close = equal(here, COMMA), equal(here, CLOSE_LIST)
    inside = (close - _ONE) & ~close
    end = (comma & inside) | (close & (~close + _ONE))
    odd = (equal(here, _SPACE) ^ (comma << _ONE | follows)) & wide
    return end, odd & inside, first_bit(close), comma >> _U(63)


@inline
def _write_places(target: int, base: int, bits: np.uint64) -> None:
    """Write the places of bits to an address, and some words behind them."""
    for i in range(_AT_ONCE):
        store(target + 8 * i, base + first_bit(bits))
        bits &= bits - _ONE
    target += 8 * _AT_ONCE
    while bits:
        store(target, base + first_bit(bits))
        bits &= bits - _ONE
        target += 8


@helper
def _longer_numbers(
    address: int, ends: int, gap: int, end: int, slots: int, x: int, y: int, longer: np.uint64
) -> tuple[np.uint64, int]:
    """Read those of eight numbers that are longer than eight bytes; give those that are none, and FAR, UNDECIDED."""
    told = 0
    while longer:
        i = first_bit(longer)
        stop, value, form = number(address, load_int(ends + 8 * i) + gap, end, slots)
        if stop != load_int(ends + 8 * i + 8):
            return longer, told
        told |= (0 if abs(value) <= _FLOAT32_MAX else FAR) | (UNDECIDED if form == UNSETTLED else 0)
        store((y if i & 1 else x) + 4 * (i >> 1), np.float32(value))
        longer &= longer - _ONE
    return longer, told


@inline
def _read_numbers(address: int, n: int, gap: int, end: int, slots: int, ends: int, x: int, y: int) -> tuple[bool, int]:
    """Write n numbers whose ends are known; tell whether all are numbers, and FAR, UNDECIDED."""
    told = 0
    for i in range(LANES):  # the others of the last eight: text that may be read
        store(ends + 8 * (n + 1 + i), load_int(ends + 8 * n))
    for i in range(0, n, LANES):
        bits = ~short_points(address, ends + 8 * i, gap, x + 2 * i, y + 2 * i)
        bits &= _U(0xFF) >> _U(LANES - min(n - i, LANES))
        if bits != _U(0):
            bits, more = _longer_numbers(address, ends + 8 * i, gap, end, slots, x + 2 * i, y + 2 * i, bits)
            told |= more
            if bits != _U(0):
                return False, told
    return True, told


@helper
def _is_closed(address: int, start: int, gap: int, end: int, slots: int, last: int) -> bool:
    """Tell whether the two numbers behind the ends at `last` are those at `start`."""
    stop, first_x, _ = number(address, start, end, slots)
    _, first_y, _ = number(address, stop + gap, end, slots)
    _, last_x, _ = number(address, load_int(last) + gap, end, slots)
    _, last_y, _ = number(address, load_int(last + 8) + gap, end, slots)
    return last_x == first_x and last_y == first_y


@inline
def _has_ends_alike(n: int, x: int, y: int) -> bool:
    if n < LEAST or n & 1 == 1:
        return False
    last = 4 * ((n >> 1) - 1)
    return (load_single(x) == load_single(x + last)) & (load_single(y) == load_single(y + last))


@inline
def _keep_rest(ends: int, n: int, n_rest: int) -> None:
    """Move what is known of the last of n numbers to the front, so that eight are always read together."""
    for i in range(LANES):
        store(ends + 8 * i, load_int(ends + 8 * (n - n_rest + i)))


@helper
def _plain_ring(address: int, start: int, end: int, slots: int, x: int, y: int, room: int) -> tuple[int, int, int]:
    """Write the numbers of the list whose bracket is before `start`.

    Gives where it stops, INCOMPLETE where it is not plain or the block ends too early, ROOM where there is none; how
    many numbers there are; FAR, UNDECIDED and CLOSED.
    """
    ends, at = get(slots, SCRATCH), start
    wide, gap = (_EVERY, 2) if _has_blanks(address, at, end) else (_U(0), 1)
    store(ends, at - gap)
    n, n_read, told, stop, odd, follows = 0, 0, 0, BLOCK, _U(0), _U(0)
    while stop == BLOCK:
        if at + BLOCK + _READ_BEHIND > end:
            return INCOMPLETE, 0, 0
        found, more, stop, follows = _bytes_of(address + at, wide, follows)
        odd |= more
        _write_places(ends + 8 * (n + 1), at, found)
        n, at = n + count_bits(found), at + BLOCK
        if stop == BLOCK and n < _CHUNK:
            continue
        n_rest = n & (LANES - 1) if stop == BLOCK else 0
        if odd != _U(0):
            return INCOMPLETE, 0, 0
        if n_read + n + LANES > 2 * room:
            return ROOM, 0, 0
        good, flags = _read_numbers(address, n - n_rest, gap, end, slots, ends, x + 2 * n_read, y + 2 * n_read)
        if not good:
            return INCOMPLETE, 0, 0
        if stop == BLOCK:
            _keep_rest(ends, n, n_rest)
        told, n_read, n = told | flags, n_read + n - n_rest, (n_rest if stop == BLOCK else n)
    if _has_ends_alike(n_read, x, y) and _is_closed(address, start, gap, end, slots, ends + 8 * (n - 2)):
        told |= CLOSED
    return at - BLOCK + stop + 1, n_read, told


@inline
def _has_blanks(address: int, at: int, end: int) -> bool:
    """Tell whether there is a blank in the first 64 bytes of a ring."""
    if at + BLOCK > end:
        return False
    close = equal(address + at, CLOSE_LIST)
    return bool(equal(address + at, _SPACE) & (close - _ONE) & ~close != _U(0))


@helper
def _any_ring(address: int, at: int, end: int, slots: int, x: int, y: int, room: int) -> tuple[int, int, int]:
    """Write the numbers of the list whose bracket is before `at`, whatever they look like.

    Gives where it stops, or OTHER_ITEM; how many numbers there are; FAR, UNDECIDED and CLOSED.
    """
    n, told = 0, 0
    first_x, first_y, before, value = 0.0, 0.0, 0.0, 0.0
    at = after_blanks(address, at, end)
    if at < end and load_byte(address + at) == CLOSE_LIST:
        return at + 1, 0, 0
    while at < end:
        if not begins_number(load_byte(address + at)):
            return OTHER_ITEM, n, told
        before = value
        stop, value, form = number(address, at, end, slots)
        if stop < 0:
            return stop, n, told
        if n >= 2 * room:
            return ROOM, n, told
        told |= (0 if abs(value) <= _FLOAT32_MAX else FAR) | (UNDECIDED if form == UNSETTLED else 0)
        store((y if n & 1 else x) + 4 * (n >> 1), np.float32(value))
        if n < 2:
            first_x, first_y = first_y, value
        n += 1
        at = after_blanks(address, stop, end)
        if at >= end:
            break
        byte = load_byte(address + at)
        if byte == CLOSE_LIST:
            is_closed = n >= LEAST and n & 1 == 0 and before == first_x and value == first_y
            return at + 1, n, told | (CLOSED if is_closed else 0)
        if byte != COMMA:
            return flaw(slots, EXPECTED_COMMA, at), n, told
        at = after_blanks(address, at + 1, end)
    return INCOMPLETE, n, told


@inline
def read_ring(address: int, at: int, end: int, slots: int, x: int, y: int, room: int) -> tuple[int, int, int]:
    """Write the numbers of the list whose bracket is before `at` to x and y in turn.

    Gives where it stops, OTHER_ITEM, or ROOM where there are more than twice `room`; how many numbers there are, of
    which an odd last one counts for nothing; FAR, UNDECIDED and CLOSED.
    """
    stop, n, told = _plain_ring(address, at, end, slots, x, y, room)
    if stop == INCOMPLETE:
        stop, n, told = _any_ring(address, at, end, slots, x, y, room)
    return stop, n, told


@helper
def put_ring(address: int, at: int, end: int, slots: int) -> int:
    """Append the list at `at` as a ring; give where it stops, or OTHER_ITEM."""
    row, first = get(slots, RINGS), get(slots, COORDINATES)
    if row >= get(slots, RINGS + ROOM_FOR):
        return no_room(slots, RINGS)
    room = get(slots, COORDINATES + ROOM_FOR) - first
    x, y = flat(slots, COORDINATES) + 4 * first, get(slots, ORDINATES) + 4 * first
    stop, n, told = read_ring(address, at + 1, end, slots, x, y, room)
    if stop == ROOM:
        return no_room(slots, COORDINATES)
    if stop < 0:
        return stop
    first += (n >> 1) - (told & (CLOSED | UNDECIDED) == CLOSED)
    store(get(slots, RING_LENGTHS) + 4 * row, np.int32(n))
    store(get(slots, RING_FLAGS) + row, np.uint8(told))
    store(flat(slots, RINGS) + 4 * (row + 1), np.int32(first))
    store(slots + 8 * RINGS, np.int64(row + 1))
    store(slots + 8 * COORDINATES, np.int64(first))
    return stop
