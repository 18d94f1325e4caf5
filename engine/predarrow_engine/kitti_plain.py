"""The plain line of KITTI text: words parted by single blanks or tabs, numbers mostly short.

One comparison of 64 bytes finds all blanks of a block, so the numbers of a line do not wait for one another. All
works on addresses: arrays given to these functions would have their references counted at every line, which took
60 % of the time.
"""

from __future__ import annotations

import numpy as np

from predarrow_engine._jit import helper, inline
from predarrow_engine._simd_places import put_places
from predarrow_engine._simd_text import (
    BLOCK,
    LANES,
    below,
    count_bits,
    equal,
    first_bit,
    load_byte,
    load_int,
    short_numbers,
    store,
)
from predarrow_engine.kitti_line import RESULT, TRACKING
from predarrow_engine.numbers import NUMBER, parse_number, short_number

SPARE = 4
"""Times that a line's end is written, so that 16 texts can be read where only 14 are numbers."""
MAX_ENDS = 5 * BLOCK + SPARE
"""Room for the word ends of a line of five blocks; longer ones are not plain."""
LF, CR = 10, 13
_TAB, _SPACE, _MINUS, _DOT, _LETTERS = 9, 32, 45, 46, 65
_ONE = np.uint64(1)


@inline
def word_ends(address: int, at: int, readable: int, ends: int) -> tuple[int, int]:
    """Write where the words of a line end to the address `ends`; give how many blanks it has, and where it stops.

    0 blanks where the line is not plain. At least 8 bytes can be read after its stop.
    """
    n, stop, base = 0, BLOCK, at - BLOCK
    while stop == BLOCK and n < 4 * BLOCK and base + 2 * BLOCK + 9 <= readable:
        base += BLOCK
        tabs = equal(address + base, _TAB)
        control = below(address + base, _SPACE) ^ tabs
        blanks = equal(address + base, _SPACE) | tabs
        stop = first_bit(control)
        blanks &= ~control & (control - _ONE)  # what comes before the line's end
        put_places(blanks, base, ends + 8 * n)
        n += count_bits(blanks)
    for i in range(SPARE):
        store(ends + 8 * (n + i), base + stop)
    return (n if stop < BLOCK else 0), base + stop


@inline
def plain_name(address: int, at: int, stop: int, ends: int, layout: int) -> tuple[int, int]:
    """Give where the name of a plain line begins and ends; nothing where it does not begin with a letter.

    A line with a quote, a leading blank is none of these.
    """
    start = load_int(ends + 8) + 1 if layout >= TRACKING else at
    end = load_int(ends + 16) if layout >= TRACKING else load_int(ends)
    last = load_byte(address + stop)
    plain = load_byte(address + start) >= _LETTERS and last in (LF, CR)
    return start, (end if plain else start)


@helper
def _longer_number(address: int, start: int, end: int, readable: int) -> tuple[float, bool]:
    value, status = parse_number(address, start, end, readable)
    return value, status == NUMBER


@inline
def plain_numbers(address: int, n: int, readable: int, ends: int, values: int) -> bool:
    """Write n <= 16 numbers to the address `values`, where 16 have room; tell whether all are numbers.

    The first begins after ends[0]; so do as many texts as there are lanes, and what they hold does not matter.
    """
    short = short_numbers(address, ends, values)
    short |= short_numbers(address, ends + 8 * LANES, values + 8 * LANES) << np.uint64(LANES)
    wanted = (_ONE << np.uint64(n)) - _ONE
    longer = wanted & ~short
    good = True
    while longer:
        at = 8 * first_bit(longer)
        value, is_number = _longer_number(address, load_int(ends + at) + 1, load_int(ends + at + 8), readable)
        store(values + at, value)
        good &= is_number
        longer &= longer - _ONE
    return good


@inline
def _plain_whole(address: int, start: int, end: int) -> int:
    """Give the value of up to 8 digits, or of -1; -2 for all else."""
    value, is_short = short_number(address, start, end)
    whole = int(value)
    digits = load_byte(address + start) != _MINUS and load_byte(address + start) != _DOT
    return whole if is_short and whole == value and (digits or (whole == -1 and end - start == 2)) else -2


@inline
def plain_track(address: int, at: int, ends: int, layout: int) -> tuple[int, int]:
    """Give frame and track of a plain line, 0 and -1 without; a frame below 0 where they are odd."""
    if layout < TRACKING:
        return 0, -1
    frame = _plain_whole(address, at, load_int(ends))
    track = _plain_whole(address, load_int(ends) + 1, load_int(ends + 8))
    return (frame if track >= -1 else -2), track


@inline
def has_score(layout: int) -> bool:
    """Tell whether a layout ends with a score."""
    return layout & RESULT != 0
