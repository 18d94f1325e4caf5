"""What is wrong with a KITTI record, in words: code, field, message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow.borders import OnOutside, outside_rule
from predarrow.report import Code
from predarrow.sources import Source

if TYPE_CHECKING:
    from predarrow_engine.kitti import KittiRows

FIELDS = (
    *("truncated", "occluded", "alpha", "left", "top", "right", "bottom"),
    *("height", "width", "length", "x", "y", "z", "rotation_y", "score"),
)
"""KITTI's names of the numbers after the class name; labels have no score."""

Told = tuple[Code, str, str]
"""Code, field (empty for the line) and message."""

_N_FIELDS = (15, 16, 17, 18)  # by layout
_LAYOUTS = (
    *("15 fields (label)", "16 fields (result)"),
    *("17 fields (tracking label)", "18 fields (tracking result)"),
)
_NUL = "; it has NUL bytes, as UTF-16 and damaged files do"
_SHOWN = 40
_LOOKED_AT = 1 << 12  # bytes before a field: more than a line has
_SEPARATOR = re.compile(rb"[ \t]*,[ \t]*|[ \t]+")
_COMMA = re.compile(rb"[ \t]*,[ \t]*")
_GAP = re.compile(rb"[ \t]+")
_LINE_END = re.compile(rb"[\r\n]")


class KittiText(NamedTuple):
    """Text of several files, one after the other."""

    data: bytes | bytearray | memoryview
    file_offsets: npt.NDArray[np.int64]
    """(n_files + 1,) first byte of each file."""


def line_problem(rows: KittiRows, text: KittiText, record: int, layouts: npt.NDArray[np.uint8]) -> Told:
    """Word why a line could not be parsed.

    Args:
        rows: all records.
        text: what they were parsed from.
        record: place in `rows`.
        layouts: those of the files' first records, see `first_layouts`.
    """
    from predarrow_engine import kitti

    code = int(rows.code[record])
    is_first, by_comma, fields = _fields_from(text, rows, record)
    got, line = _printable(fields[0]), _printable((b"," if by_comma else b" ").join(fields))
    n_fields = int(rows.n_fields[record])
    has_nul = _NUL if any(b"\0" in field for field in fields) else ""
    if code == kitti.BAD_FIELD_COUNT:
        rule = "must have 15 fields (label), 16 (result), or 17 or 18 that begin with frame and track id"
        words = "; write a class name of several words in quotes"
        hint = has_nul or (words if n_fields > _N_FIELDS[0] and not by_comma else "")
        return Code.FIELD_COUNT, "", f"{rule}, with a number in each after the class name, got {n_fields}: {line}{hint}"
    if code == kitti.MIXED_FIELD_COUNT:
        expected = _LAYOUTS[layouts[rows.file[record]]]
        return Code.FIELD_COUNT, "", f"must have {expected} as the lines before have, got {n_fields}: {line}"
    if code == kitti.UNKNOWN_COLUMN_ORDER:
        rule = "columns must be in KITTI's order, the class name first or after frame and track id"
        hint = "a comma file that begins with two whole numbers is AB3DMOT's (frame, type, box, score, …): reorder it"
        return Code.COLUMN_ORDER, "", f"{rule}, got {got}; {hint}"
    if code == kitti.BAD_QUOTE:
        return Code.BAD_TEXT, "class", f"a quoted name must end with its quote and a separator, got {got}"
    if code == kitti.NO_NAME:
        return Code.BAD_TEXT, "class", "must be a name, got an empty one"
    if code == kitti.BAD_FRAME and is_first:
        return Code.FRAME_RANGE, "frame", f"must be a whole number from 0 to {2**31 - 1}, got {got}"
    if code == kitti.BAD_FRAME:
        return Code.BAD_NUMBER, "track id", f"must be a whole number of less than 2**53 in size, got {got}"
    return Code.BAD_NUMBER, _field_name(n_fields, len(fields)), _no_number(got) + has_nul


def first_layouts(rows: KittiRows, n_files: int, known: int | None) -> npt.NDArray[np.uint8]:
    """Give the layout of each file's first record that could be parsed, 0 where none could.

    Args:
        rows: all records.
        n_files: how many files they are from.
        known: the layout, where the files began before these records.

    Returns:
        (n_files,)
    """
    layouts = np.full(n_files, known or 0, np.uint8)
    if known is not None:
        return layouts
    read = np.flatnonzero(rows.code == 0)
    files, first = np.unique(rows.file[read], return_index=True)
    layouts[files] = rows.layout[read[first]]
    return layouts


def number_problem(rows: KittiRows, record: int) -> Told:
    """Word that a number is not finite."""
    numbers = [*rows.numbers[:, record].tolist(), float(rows.score[record])]
    field = next(place for place in range(3, len(FIELDS)) if not np.isfinite(numbers[place]))
    return Code.BAD_BOX if field < 7 else Code.BAD_NUMBER, FIELDS[field], f"must be finite, got {numbers[field]}"


def box_problem(rows: KittiRows, record: int) -> Told:
    """Word that a box's corners are not in order."""
    rule = "right must not be less than left, nor bottom less than top"
    hint = "x, y, width and height are no KITTI box"
    return Code.BAD_BOX, "box", f"{rule}, got {_box(rows, record)}; {hint}"


def class_problem(name: bytes) -> Told:
    """Word that a class name is unknown, or no text."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return Code.BAD_TEXT, "class", f"must be UTF-8, got {_printable(name)}; save the file as UTF-8"
    if b"\0" in name:
        return Code.BAD_TEXT, "class", f"must be text, got {_printable(name)}{_NUL}"
    rule = "must be a class that the mapping names"
    hint = "map it to a class, or leave it out: with read_kitti by None, with `predarrow convert` by NAME="
    return Code.UNKNOWN_CLASS, "class", f"{rule}, got {text!r}; {hint}"


def outside_problem(rows: KittiRows, record: int, source: Source, on_outside: OnOutside) -> Told:
    """Word that a box lies beyond its image, wholly so where it would be clipped."""
    rule = outside_rule(on_outside, source.width, source.height)
    return Code.OUTSIDE_IMAGE, "box", f"{rule}, got {_box(rows, record)}"


def _no_number(got: str) -> str:
    hint = "; write a point, not a comma, before decimals" if re.fullmatch(r"'[+-]?\d+,\d+'", got) else ""
    return f"must be a number, got {got}{hint}"


def _fields_from(text: KittiText, rows: KittiRows, record: int) -> tuple[bool, bool, list[bytes]]:
    """Fields of a record's line from the one that is to blame; whether that is the first, and commas part them."""
    place, file = int(rows.place[record]), rows.file[record]
    file_start, file_end = text.file_offsets[file : file + 2].tolist()
    line_end = _LINE_END.search(text.data, place, file_end)
    end = file_end if line_end is None else line_end.start()
    start = max(file_start, place - _LOOKED_AT)
    before = bytes(text.data[start:place])
    before = before[max(before.rfind(b"\n"), before.rfind(b"\r")) + 1 :]
    after = bytes(text.data[place:end])
    parted_by = _SEPARATOR.findall(before + after)
    commas = sum(b"," in separator for separator in parted_by)
    by_comma = commas > len(parted_by) - commas  # as the kernel takes them
    is_first = not before.strip(b" \t\xef\xbb\xbf")
    return is_first, by_comma, (_COMMA if by_comma else _GAP).split(after.rstrip(b" \t"))


def _field_name(n_fields: int, n_left: int) -> str:
    has_score = n_fields % 2 == 0
    place = len(FIELDS) - (not has_score) - n_left
    return FIELDS[place] if n_fields in _N_FIELDS and place >= 0 else f"field {n_fields - n_left + 1}"


def _box(rows: KittiRows, record: int) -> str:
    left, top, right, bottom = rows.numbers[3:7, record].tolist()
    return f"left {left}, top {top}, right {right}, bottom {bottom}"


def _printable(field: bytes) -> str:
    text = field.decode(errors="backslashreplace")
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
