"""KITTI label and result files in one buffer -> columns.

Nearly every line is words parted by single blanks: one comparison of 64 bytes finds all the blanks of a block, so
the numbers of a line do not wait for one another, and a number of up to 8 bytes is a word of text whose dot is
shifted out. Whatever looks otherwise is read once more by `kitti_line.py`, which knows all the rules.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, inline, kernel
from predarrow_engine._simd_text import BLOCK, below, first_bit, load_byte
from predarrow_engine.kitti_line import (
    BAD_FIELD_COUNT,
    BAD_FRAME,
    BAD_NUMBER,
    BAD_QUOTE,
    LABEL,
    MAX_FIELDS,
    MIXED_FIELD_COUNT,
    N_NUMBERS,
    NO_NAME,
    OK,
    RESULT,
    TRACKING,
    TRACKING_RESULT,
    UNKNOWN_COLUMN_ORDER,
    Fields,
    new_fields,
    read_line,
)
from predarrow_engine.kitti_names import Names, add_name, find_name, is_plain, new_names
from predarrow_engine.numbers import NUMBER, UNDECIDED, parse_number, short_number

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
_LF, _CR, _SPACE, _LETTERS = 10, 13, 32, 65
_UNKNOWN = 255
_MAX_BLANKS = 5 * BLOCK
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
    """(3, n) where the text of truncated begins, and where that of rotation_y begins and ends, from place on"""
    names: list[bytes]
    """distinct class names in the order of their first appearance, without quotes"""


class _Columns(NamedTuple):
    """`KittiRows` for a kernel, and what the kernel leaves open."""

    file: npt.NDArray[np.int32]
    line: npt.NDArray[np.int32]
    code: npt.NDArray[np.uint8]
    place: npt.NDArray[np.int64]
    n_fields: npt.NDArray[np.int32]
    layout: npt.NDArray[np.uint8]
    name: npt.NDArray[np.int32]
    numbers: npt.NDArray[np.float64]
    score: npt.NDArray[np.float64]
    frame: npt.NDArray[np.int64]
    track: npt.NDArray[np.int64]
    dont_care: npt.NDArray[np.bool_]
    tokens: npt.NDArray[np.int32]


class _State(NamedTuple):
    """Workspace."""

    fields: Fields
    names: Names
    ends: npt.NDArray[np.int64]
    """(_MAX_BLANKS + 1,) where the words of a plain line end"""
    undecided: npt.NDArray[np.int64]
    """(m, 4) row, number (14 is the score), start, end"""
    n_undecided: npt.NDArray[np.int64]
    """(1,)"""


@inline
def _word_ends(address: int, at: int, readable: int, ends: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Write where the words of a plain line end; give how many blanks it has, -1 where it is not plain, and its end.

    At least 8 bytes can be read from its end on.
    """
    n = _U(0)
    for base in range(at, at + _MAX_BLANKS, BLOCK):
        if base + BLOCK + 8 > readable:
            return -1, at
        control = below(address + base, _SPACE)
        blanks = below(address + base, _SPACE + 1) ^ control
        stop = first_bit(control)
        blanks &= ~control & (control - _ONE)  # what comes before the line's end
        while blanks:
            ends[n] = base + first_bit(blanks)
            blanks &= blanks - _ONE
            n += _ONE
        if stop < BLOCK:
            ends[n] = base + stop
            return np.int64(n), base + stop
    return -1, at


@inline
def _plain_number(address: int, start: int, end: int, readable: int) -> tuple[float, bool]:
    value, is_short = short_number(address, start, end)
    if is_short:
        return value, True
    value, status = parse_number(address, start, end, readable)
    return value, status == NUMBER


@inline
def _plain_line(
    address: int, at: int, end: int, readable: int, layout: int, row: np.uint64, columns: _Columns, state: _State
) -> int:
    """Read a line of single blanks at `at`; give where it ends, or -1 where it is to be read by `read_line`."""
    ends = state.ends
    n, stop = _word_ends(address, at, readable, ends)
    found = n - N_NUMBERS
    if found < LABEL or found > TRACKING_RESULT or stop >= end or (layout != _UNKNOWN and layout != found):
        return -1
    last = load_byte(address + stop)
    first = _U(2 if found >= TRACKING else 0)
    name_start, name_end = (ends[_ONE] + 1 if found >= TRACKING else at), ends[first]
    if (last != _LF and last != _CR) or name_start == name_end or load_byte(address + name_start) < _LETTERS:
        return -1
    frame, track = 0, -1
    if found >= TRACKING:
        frame, track = _plain_whole(address, at, ends[_U(0)]), _plain_whole(address, ends[_U(0)] + 1, ends[_ONE])
        if frame < 0 or track < -1:
            return -1
    for i in range(_U(N_NUMBERS)):
        value, good = _plain_number(address, ends[first + i] + 1, ends[first + i + _ONE], readable)
        columns.numbers[i, row] = value
        if not good:
            return -1
    score = np.nan
    if found & RESULT:
        score, good = _plain_number(address, ends[_U(n - 1)] + 1, stop, readable)
        if not good:
            return -1
    name, slot = find_name(address, name_start, name_end, readable, state.names)
    if name < 0:
        if not is_plain(address, name_start, name_end):
            return -1
        name = add_name(address, name_start, name_end, slot, state.names)
    elif not state.names.plain[_U(name)]:
        return -1
    columns.code[row], columns.place[row], columns.n_fields[row], columns.layout[row] = OK, at, n + 1, found
    columns.name[row], columns.dont_care[row] = name, state.names.dont_care[_U(name)]
    columns.score[row], columns.frame[row], columns.track[row] = score, frame, track
    columns.tokens[_U(0), row] = ends[first] + 1 - at
    columns.tokens[_ONE, row] = ends[first + _U(N_NUMBERS - 1)] + 1 - at
    columns.tokens[_U(2), row] = ends[first + _U(N_NUMBERS)] - at
    return stop


@inline
def _plain_whole(address: int, start: int, end: int) -> int:
    """Give the value of up to 8 digits, perhaps with a minus; -2 for all else, and for what is less than -1."""
    value, is_short = short_number(address, start, end)
    whole = np.int64(value)
    return whole if is_short and whole >= -1 and whole == value else -2


@inline
def _refuse(row: np.uint64, code: int, place: int, n_fields: int, columns: _Columns) -> None:
    columns.code[row], columns.place[row], columns.n_fields[row], columns.layout[row] = code, place, n_fields, 0
    columns.name[row], columns.dont_care[row] = -1, False
    columns.score[row], columns.frame[row], columns.track[row] = np.nan, 0, -1
    columns.numbers[:, row] = np.nan
    columns.tokens[:, row] = 0


@helper
def _any_line(
    address: int, at: int, end: int, readable: int, layout: int, row: np.uint64, columns: _Columns, state: _State
) -> tuple[int, bool]:
    """Read a line at `at`, whatever it looks like; give where it ends, and whether it is a record."""
    stop = at
    while stop < end and load_byte(address + stop) != _LF and load_byte(address + stop) != _CR:
        stop += 1
    fields = state.fields
    record = read_line(address, at, stop, fields)
    if record.code != OK:
        _refuse(row, record.code, record.place, record.n_fields, columns)
        return stop, True
    if record.n_fields == 0:
        return stop, False
    if layout != _UNKNOWN and layout != record.layout:
        _refuse(row, MIXED_FIELD_COUNT, record.place, record.n_fields, columns)
        return stop, True
    name, slot = find_name(address, record.name_start, record.name_end, readable, state.names)
    if name < 0:
        name = add_name(address, record.name_start, record.name_end, slot, state.names)
    first = record.first_number
    columns.code[row], columns.place[row], columns.n_fields[row] = OK, record.place, record.n_fields
    columns.layout[row], columns.name[row], columns.dont_care[row] = record.layout, name, state.names.dont_care[name]
    tracked = record.layout >= TRACKING
    columns.frame[row] = np.int64(fields.value[0]) if tracked else 0
    columns.track[row] = np.int64(fields.value[1]) if tracked else -1
    columns.score[row] = np.nan
    for i in range(record.n_fields - first):
        value, status = fields.value[first + i], fields.status[first + i]
        if i < N_NUMBERS:
            columns.numbers[i, row] = value
        else:
            columns.score[row] = value
        if status == UNDECIDED:
            at_entry = state.n_undecided[0]
            if at_entry < state.undecided.shape[0]:
                entry = state.undecided[at_entry]
                entry[0], entry[1], entry[2], entry[3] = row, i, fields.start[first + i], fields.end[first + i]
            state.n_undecided[0] += 1
    columns.tokens[0, row] = fields.start[first] - record.place
    columns.tokens[1, row] = fields.start[first + N_NUMBERS - 1] - record.place
    columns.tokens[2, row] = fields.end[first + N_NUMBERS - 1] - record.place
    return stop, True


@kernel
def _parse(data: npt.NDArray[np.uint8], file_offsets: npt.NDArray[np.int64], columns: _Columns, state: _State) -> int:
    address, readable = data.ctypes.data, data.size
    row = _U(0)
    for file in range(_U(file_offsets.size - 1)):
        at, end = file_offsets[file], file_offsets[file + _ONE]
        if end - at >= 3 and load_byte(address + at) == 0xEF:
            if load_byte(address + at + 1) == 0xBB and load_byte(address + at + 2) == 0xBF:
                at += 3
        layout, line = _UNKNOWN, 0
        while at < end:
            line += 1
            stop, is_record = _plain_line(address, at, end, readable, layout, row, columns, state), True
            if stop < 0:
                stop, is_record = _any_line(address, at, end, readable, layout, row, columns, state)
            if is_record:
                columns.file[row], columns.line[row] = file, line
                if columns.code[row] == OK:
                    layout = np.int64(columns.layout[row])
                row += _ONE
            at = stop + 1
            if at < end and load_byte(address + stop) == _CR and load_byte(address + at) == _LF:
                at += 1
    return np.int64(row)


@kernel
def _count_lines(data: npt.NDArray[np.uint8], file_offsets: npt.NDArray[np.int64]) -> int:
    """Give how many lines there are at most."""
    n = file_offsets.size
    for at in range(_U(data.size)):
        n += (data[at] == _LF) | (data[at] == _CR)
    return n


def _empty_columns(n: int) -> _Columns:
    return _Columns(
        file=np.empty(n, np.int32),
        line=np.empty(n, np.int32),
        code=np.empty(n, np.uint8),
        place=np.empty(n, np.int64),
        n_fields=np.empty(n, np.int32),
        layout=np.empty(n, np.uint8),
        name=np.empty(n, np.int32),
        numbers=np.empty((N_NUMBERS, n)),
        score=np.empty(n),
        frame=np.empty(n, np.int64),
        track=np.empty(n, np.int64),
        dont_care=np.empty(n, np.bool_),
        tokens=np.empty((3, n), np.int32),
    )


def parse(data: npt.NDArray[np.uint8], file_offsets: npt.NDArray[np.int64]) -> KittiRows:
    """Read many files that lie one after the other in one buffer.

    A file may begin with a UTF-8 byte order mark. Lines end with LF, CR LF or CR; blank ones give no record. Fields
    are parted by runs of blanks and tabs, or by commas (blanks around them are no part of a field) where a line has
    more commas than gaps without one. Numbers are what `numbers.parse_number` takes, with `float`'s value.

    Args:
        data: (n_bytes,) uint8, contiguous.
        file_offsets: (n_files + 1,) int64, ascending: file i is data[file_offsets[i]:file_offsets[i + 1]].

    Raises:
        ValueError: arrays of another type or shape, or offsets that leave the data.
    """
    data, file_offsets = _cast(data, file_offsets)
    columns = _empty_columns(_count_lines(data, file_offsets))
    room = _SETTLED_AT_ONCE
    while True:
        state = _State(
            new_fields(),
            new_names(columns.file.size),
            np.empty(_MAX_BLANKS + 1, np.int64),
            np.empty((room, 4), np.int64),
            np.zeros(1, np.int64),
        )
        n = _parse(data, file_offsets, columns, state)
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
