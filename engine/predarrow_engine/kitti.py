"""KITTI label and result files in one buffer -> columns.

Nearly every line is words parted by single blanks: one comparison of 64 bytes finds all the blanks of a block, so
the numbers of a line do not wait for one another, and a number of up to 8 bytes is a word of text whose dot is
shifted out. Whatever looks otherwise is read once more by `kitti_line.py`, which knows all the rules.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine._simd_text import (
    BLOCK,
    LANES,
    count_bits,
    equal,
    load_byte,
    load_float,
    load_int,
    load_word,
    store,
)
from predarrow_engine.kitti_line import (
    BAD_FIELD_COUNT,
    BAD_FRAME,
    BAD_NUMBER,
    BAD_QUOTE,
    LABEL,
    MAX_FIELDS,
    MIXED_FIELD_COUNT,
    N_NUMBERS,
    N_SEEN,
    NO_NAME,
    OK,
    RESULT,
    TRACKING,
    TRACKING_RESULT,
    UNKNOWN_COLUMN_ORDER,
    new_fields,
)
from predarrow_engine.kitti_names import Names, Table, find_name, new_names, table_of
from predarrow_engine.kitti_plain import CR, LF, MAX_ENDS, has_score, plain_name, plain_numbers, plain_track, word_ends
from predarrow_engine.kitti_rows import UNKNOWN, Columns, State, Targets, any_line, new_columns, targets_of

__all__ = [
    "BAD_FIELD_COUNT",
    "BAD_FRAME",
    "BAD_NUMBER",
    "BAD_QUOTE",
    "LABEL",
    "MAX_FIELDS",
    "MIXED_FIELD_COUNT",
    "NO_NAME",
    "NUMBER_NAMES",
    "OK",
    "RESULT",
    "TRACKING",
    "TRACKING_RESULT",
    "UNKNOWN_COLUMN_ORDER",
    "KittiRows",
    "parse",
]

NUMBER_NAMES = (
    *("truncated", "occluded", "alpha", "left", "top", "right", "bottom"),
    *("height", "width", "length", "x", "y", "z", "rotation_y"),
)
"""Rows of `KittiRows.numbers`."""

_U = np.uint64
_ONE = _U(1)
_SETTLED_AT_ONCE = 64
"""Undecided numbers whose places are kept: where there are more, all is parsed once more with room for them."""


class KittiRows(NamedTuple):
    """n records, read or refused, in the order of the text. Where code is not OK, what lies behind it is empty."""

    file: npt.NDArray[np.int32]
    """(n,) index of the file"""
    line: npt.NDArray[np.int32]
    """(n,) in the file, the first is 1; blank lines count"""
    code: npt.NDArray[np.uint8]
    """(n,) OK, or why the record is refused"""
    place: npt.NDArray[np.int64]
    """(n,) byte in data: of the offending field, else of the record's first one"""
    n_fields: npt.NDArray[np.int32]
    """(n,) fields met, a quoted name being one; 0 where a quote is not closed"""
    layout: npt.NDArray[np.uint8]
    """(n,) LABEL, RESULT, TRACKING or TRACKING_RESULT"""
    name: npt.NDArray[np.int32]
    """(n,) index into names, -1 without"""
    numbers: npt.NDArray[np.float64]
    """(14, n) as in `NUMBER_NAMES`, units of the source (pixels, metres, radians); NaN without"""
    score: npt.NDArray[np.float64]
    """(n,) NaN where the layout has none"""
    frame: npt.NDArray[np.int64]
    """(n,) 0 where the layout has none"""
    track: npt.NDArray[np.int64]
    """(n,) -1 where the layout has none"""
    dont_care: npt.NDArray[np.bool_]
    """(n,) the class is DontCare, in any case"""
    tokens: npt.NDArray[np.int32]
    """(4, n) where truncated's text begins and alpha's ends, where rotation_y's begins and ends, from place on"""
    names: list[bytes]
    """distinct class names in the order of their first appearance, without quotes"""


@inline
def _after_mark(address: int, at: int, end: int) -> int:
    """Skip a byte order mark."""
    if end - at >= 3 and load_byte(address + at) == 0xEF:
        if load_byte(address + at + 1) == 0xBB and load_byte(address + at + 2) == 0xBF:
            at += 3
    return at


@inline
def _after_line(address: int, stop: int, end: int) -> int:
    """Give where the line begins that follows the one which stops at LF, CR LF, CR or the file's end."""
    at = stop + 1
    return at + (at < end and load_byte(address + stop) == CR and load_byte(address + at) == LF)


@inline
def _write_plain(row: int, place: int, layout: int, name: int, ends: int, out: Targets) -> None:
    """Write what a plain line has beside its numbers and its name's flag."""
    store(out.code + row, np.uint8(OK))
    store(out.place + 8 * row, place)
    store(out.n_fields + 4 * row, np.int32(layout + N_NUMBERS + 1))
    store(out.layout + row, np.uint8(layout))
    store(out.name + 4 * row, np.int32(name))
    tokens, last = out.tokens + 4 * row, ends + 8 * N_NUMBERS
    store(tokens, np.int32(load_int(ends) + 1 - place))
    store(tokens + out.tokens_stride, np.int32(load_int(ends + 8 * N_SEEN) - place))
    store(tokens + 2 * out.tokens_stride, np.int32(load_int(last - 8) + 1 - place))
    store(tokens + 3 * out.tokens_stride, np.int32(load_int(last) - place))


@inline
def _plain_line(
    address: int,
    at: int,
    end: int,
    readable: int,
    layout: int,
    row: int,
    ends: int,
    values: int,
    out: Targets,
    table: Table,
) -> tuple[int, int]:
    """Read a plain line at `at`; give where it stops, -1 where it is not plain, and its name, -1 where that is new."""
    n, stop = word_ends(address, at, readable, ends)
    found, name = n - N_NUMBERS, -1
    if LABEL <= found <= TRACKING_RESULT and stop < end and layout in (UNKNOWN, found):
        start, after = plain_name(address, at, stop, ends, found)
        if start < after:
            name, _ = find_name(address, start, after, readable, table)
    if name < 0:
        return -1, -1
    frame, track = plain_track(address, at, ends, found)
    store(out.frame + 8 * row, frame)
    store(out.track + 8 * row, track)
    ends += 16 if found >= TRACKING else 0
    plain = plain_numbers(address, N_NUMBERS + has_score(found), readable, ends, values) and frame >= 0
    for i in range(N_NUMBERS):
        store(out.numbers + 8 * row + i * out.stride, load_word(values + 8 * i))
    store(out.score + 8 * row, load_float(values + 8 * N_NUMBERS) if has_score(found) else np.nan)
    _write_plain(row, at, found, name, ends, out)
    return (stop if plain else -1), name


@kernel
def _parse(
    data: npt.NDArray[np.uint8], file_offsets: npt.NDArray[np.int64], known: int, columns: Columns, state: State
) -> int:
    """Write the records of all files; give how many there are."""
    address, readable, row = data.ctypes.data, data.size, 0
    ends, out, names, table = state.ends.ctypes.data, targets_of(columns), state.names, table_of(state.names)
    values = state.values.ctypes.data
    plain, dont_care = names.plain, names.dont_care
    for file in range(_U(file_offsets.size - 1)):
        end = file_offsets[file + _ONE]
        at = file_offsets[file]
        if known == UNKNOWN:
            at = _after_mark(address, at, end)
        layout, line = known, 0
        while at < end:
            line += 1
            is_record = True
            # With the words of the next line found first, so that numbers need not wait for their ends: 76 ns, not 63.
            stop, name = _plain_line(address, at, end, readable, layout, row, ends, values, out, table)
            if stop >= 0 and plain[_U(name)]:
                columns.dont_care[_U(row)] = dont_care[_U(name)]
            else:
                stop, is_record = any_line(address, at, end, readable, layout, row, columns, state)
            if is_record:
                columns.file[_U(row)], columns.line[_U(row)] = file, line
                if columns.code[_U(row)] == OK:
                    layout = int(columns.layout[_U(row)])
                row += 1
            at = _after_line(address, stop, end)
    return row


@kernel
def _count_lines(data: npt.NDArray[np.uint8], file_offsets: npt.NDArray[np.int64]) -> int:
    """Give how many lines there are at most."""
    address, n, at = data.ctypes.data, file_offsets.size, 0
    while at + BLOCK <= data.size:
        n += count_bits(equal(address + at, LF) | equal(address + at, CR))
        at += BLOCK
    for rest in range(_U(at), _U(data.size)):
        n += (data[rest] == LF) | (data[rest] == CR)
    return n


def parse(data: npt.NDArray[np.uint8], file_offsets: npt.NDArray[np.int64], layout: int = UNKNOWN) -> KittiRows:
    """Read many files that lie one after the other in one buffer.

    A file may begin with a UTF-8 byte order mark. Lines end with LF, CR LF or CR; blank ones give no record. Fields
    are parted by runs of blanks and tabs, or by commas (blanks around them are no part of a field) where a line has
    more commas than gaps without one. Numbers are what `numbers.parse_number` takes, with `float`'s value.

    A record is a class name and 14 or 15 numbers, perhaps after frame (0 to 2**31 - 1) and track (less than 2**53 in
    size), which are digits, perhaps with a dot and zeros. The numbers are counted from the right, so a name of several
    words is taken where blanks part the fields, unless its first word is a number or a later one could be a mangled or
    missing one (a digit, sign, dot or `?` in front; NA, N/A, None, null, nil): then it needs quotes. A name of one word
    may be anything. A quote, of either kind, opens a name at the line's beginning or after two whole numbers; it is
    not doubled or escaped inside. Fifteen fields between commas of which the first two are whole numbers are not in
    KITTI's order (AB3DMOT's has frame, type code, box, score) and refused, unless the first is quoted, or is digits
    alone before a number with a dot. All records of a file have the layout of its first good one.

    Args:
        data: (n_bytes,) uint8, contiguous.
        file_offsets: (n_files + 1,) int64, ascending: file i is data[file_offsets[i]:file_offsets[i + 1]].
        layout: where data goes on with files that were begun, the layout of their first good record.

    Raises:
        ValueError: arrays of another type or shape, or offsets that leave the data.
    """
    data, file_offsets = _cast(data, file_offsets)
    columns = new_columns(_count_lines(data, file_offsets))
    room = _SETTLED_AT_ONCE
    while True:
        state = State(
            new_fields(),
            new_names(columns.file.size),
            np.empty(MAX_ENDS, np.int64),
            np.empty(2 * LANES),
            np.empty((room, 4), np.int64),
            np.zeros(1, np.int64),
        )
        n = _parse(data, file_offsets, layout, columns, state)
        room = int(state.n_undecided[0])
        if room <= state.undecided.shape[0]:
            break
    for row, number, start, end in state.undecided[:room].tolist():
        column = columns.numbers[number] if number < N_NUMBERS else columns.score
        column[row] = float(data[start:end].tobytes())
    return KittiRows._make([*(column[..., :n] for column in columns), _name_list(data, state.names)])


def _cast(
    data: npt.NDArray[np.uint8], file_offsets: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    if data.dtype != np.uint8 or data.ndim != 1 or file_offsets.dtype != np.int64 or file_offsets.ndim != 1:
        raise ValueError("data must be uint8 and file_offsets int64, both of one dimension")
    if (
        not file_offsets.size
        or file_offsets[0] < 0
        or file_offsets[-1] > data.size
        or (np.diff(file_offsets) < 0).any()
    ):
        raise ValueError(f"file_offsets must ascend from 0 to at most {data.size}")
    data, file_offsets = np.ascontiguousarray(data).view(), np.ascontiguousarray(file_offsets).view()
    data.flags.writeable = file_offsets.flags.writeable = False
    return data, file_offsets


def _name_list(data: npt.NDArray[np.uint8], names: Names) -> list[bytes]:
    n = int(names.n_names[0])
    spans = zip(names.start[:n].tolist(), names.length[:n].tolist(), strict=True)
    return [data[start : start + length].tobytes() for start, length in spans]
