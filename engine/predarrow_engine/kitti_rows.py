"""Records -> columns: what kernels write, and the way for lines of every kind."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine import memory
from predarrow_engine._jit import Index, helper, inline
from predarrow_engine._simd_text import load_byte
from predarrow_engine.kitti_line import MIXED_FIELD_COUNT, N_NUMBERS, N_SEEN, OK, TRACKING, Fields, Record, read_line
from predarrow_engine.kitti_names import Names, add_name, find_name, table_of
from predarrow_engine.kitti_plain import CR, LF
from predarrow_engine.numbers import UNDECIDED

UNKNOWN = 255
"""The layout of a file that had no record so far."""


class Columns(NamedTuple):
    """`KittiRows` without its names, for a kernel."""

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


class Targets(NamedTuple):
    """Addresses of columns."""

    code: int
    place: int
    n_fields: int
    layout: int
    name: int
    numbers: int
    stride: int
    score: int
    frame: int
    track: int
    tokens: int
    tokens_stride: int


class State(NamedTuple):
    """Workspace."""

    fields: Fields
    names: Names
    ends: npt.NDArray[np.int64]
    """(MAX_ENDS,) where the words of a plain line end"""
    values: npt.NDArray[np.float64]
    """(2 * LANES,) numbers of a plain line"""
    undecided: npt.NDArray[np.int64]
    """(m, 4) numbers for `float` to settle: row, number (14 is the score), start, end"""
    n_undecided: npt.NDArray[np.int64]
    """(1,) how many there are, which may be more than there is room for"""


_ROW: dict[str, tuple[type[np.generic], tuple[int, ...]]] = {
    **dict.fromkeys(("place", "frame", "track"), (np.int64, ())),
    "score": (np.float64, ()),
    **dict.fromkeys(("file", "line", "n_fields", "name"), (np.int32, ())),
    "tokens": (np.int32, (4,)),
    **dict.fromkeys(("code", "layout"), (np.uint8, ())),
    "dont_care": (np.bool_, ()),
}
"""Type and number of what each column but `numbers` has for a row, the widest ones first."""


def new_columns(n: int) -> Columns:
    """Make columns of n rows on two blocks of memory: the numbers, which tables go on to use, and the rest."""
    sizes = {name: np.dtype(kind).itemsize * math.prod(shape) * n for name, (kind, shape) in _ROW.items()}
    block, end, columns = memory.empty(sum(sizes.values()), np.uint8), 0, {}
    for name, (kind, shape) in _ROW.items():
        end += sizes[name]
        columns[name] = block[end - sizes[name] : end].view(kind).reshape(*shape, n)
    return Columns(numbers=memory.empty((N_NUMBERS, n), np.float64), **columns)


@inline
def targets_of(columns: Columns) -> Targets:
    """Give the addresses of columns, which stay where they are."""
    return Targets(
        columns.code.ctypes.data,
        columns.place.ctypes.data,
        columns.n_fields.ctypes.data,
        columns.layout.ctypes.data,
        columns.name.ctypes.data,
        columns.numbers.ctypes.data,
        columns.numbers.strides[0],
        columns.score.ctypes.data,
        columns.frame.ctypes.data,
        columns.track.ctypes.data,
        columns.tokens.ctypes.data,
        columns.tokens.strides[0],
    )


@inline
def _refuse(row: Index, code: int, place: int, n_fields: int, columns: Columns) -> None:
    columns.code[row], columns.place[row], columns.n_fields[row], columns.layout[row] = code, place, n_fields, 0
    columns.name[row], columns.dont_care[row] = -1, False
    columns.score[row], columns.frame[row], columns.track[row] = np.nan, 0, -1
    columns.numbers[:, row] = np.nan
    columns.tokens[:, row] = 0


@inline
def _write_numbers(row: Index, record: Record, columns: Columns, state: State) -> None:
    fields, undecided = state.fields, state.undecided
    columns.score[row] = np.nan
    for i in range(record.n_fields - record.first_number):
        field = record.first_number + i
        if i < N_NUMBERS:
            columns.numbers[i, row] = fields.value[field]
        else:
            columns.score[row] = fields.value[field]
        if fields.status[field] == UNDECIDED:
            at = state.n_undecided[0]
            if at < undecided.shape[0]:
                undecided[at, 0], undecided[at, 1] = row, i
                undecided[at, 2], undecided[at, 3] = fields.start[field], fields.end[field]
            state.n_undecided[0] += 1


@inline
def _write(row: Index, record: Record, name: int, columns: Columns, state: State) -> None:
    start, end, value = state.fields.start, state.fields.end, state.fields.value
    first, last = record.first_number, record.first_number + N_NUMBERS - 1
    tracked = record.layout >= TRACKING
    columns.code[row], columns.place[row], columns.n_fields[row] = OK, record.place, record.n_fields
    columns.layout[row], columns.name[row], columns.dont_care[row] = record.layout, name, state.names.dont_care[name]
    columns.frame[row] = np.int64(value[0]) if tracked else 0
    columns.track[row] = np.int64(value[1]) if tracked else -1
    columns.tokens[0, row] = start[first] - record.place
    columns.tokens[1, row] = end[first + N_SEEN - 1] - record.place
    columns.tokens[2, row] = start[last] - record.place
    columns.tokens[3, row] = end[last] - record.place


@helper
def any_line(
    address: int, at: int, end: int, readable: int, layout: int, row: Index, columns: Columns, state: State
) -> tuple[int, bool]:
    """Read the line at `at`, whatever it looks like; give where it stops, and whether it is a record."""
    stop = at
    while stop < end and load_byte(address + stop) != LF and load_byte(address + stop) != CR:
        stop += 1
    record = read_line(address, at, stop, state.fields)
    if record.code != OK:
        _refuse(row, record.code, record.place, record.n_fields, columns)
    elif record.n_fields == 0:
        return stop, False
    elif layout != UNKNOWN and layout != record.layout:
        _refuse(row, MIXED_FIELD_COUNT, record.place, record.n_fields, columns)
    else:
        name, slot = find_name(address, record.name_start, record.name_end, readable, table_of(state.names))
        if name < 0:
            name = add_name(address, record.name_start, record.name_end, slot, state.names)
        _write(row, record, name, columns, state)
        _write_numbers(row, record, columns, state)
    return stop, True
