"""Slow, readable twin of the KITTI kernels: lines, fields and numbers with Python's own `split` and `float`.

What a line may look like is written down here once more, in plain words of code; `predarrow_engine.kitti` says it
in prose. Both give the same `KittiRows`.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LABEL, RESULT, TRACKING, TRACKING_RESULT = range(4)
(
    OK,
    BAD_FIELD_COUNT,
    MIXED_FIELD_COUNT,
    BAD_NUMBER,
    UNKNOWN_COLUMN_ORDER,
    BAD_QUOTE,
    BAD_FRAME,
    NO_NAME,
) = range(8)
MAX_FIELDS = 64
N_NUMBERS = 14

_BOM = b"\xef\xbb\xbf"
_NUMBER = re.compile(rb"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE)
_DIGITS = re.compile(rb"[+-]?\d+")
_WHOLE = re.compile(rb"[+-]?\d+(?:\.0*)?")
_JSON_NUMBER = re.compile(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_QUOTED_AFTER = re.compile(rb"[ \t]*(?:[+-]?\d+(?:[ \t]*,[ \t]*|[ \t]+)[+-]?\d+(?:[ \t]*,[ \t]*|[ \t]+))?(?=[\"'])")
_COMMA = re.compile(rb"[ \t]*,[ \t]*")
_GAP = re.compile(rb"[ \t]+")
_GAP_OR_COMMA = re.compile(_COMMA.pattern + b"|" + _GAP.pattern)
_NO_WORDS = {b"na", b"n/a", b"none", b"null", b"nil"}


class KittiRows(NamedTuple):
    """Same fields as `predarrow_engine.kitti.KittiRows`."""

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
    names: list[bytes]


class _Field(NamedTuple):
    start: int
    text: bytes
    quoted: bool = False

    @property
    def is_number(self) -> bool:
        return not self.quoted and _NUMBER.fullmatch(self.text) is not None

    @property
    def is_digits(self) -> bool:
        return not self.quoted and _DIGITS.fullmatch(self.text) is not None

    @property
    def could_be_a_number(self) -> bool:
        """A mangled or missing number, rather than a further word of a name."""
        return self.is_number or self.text[:1] in b"0123456789+-.?" or self.text.lower() in _NO_WORDS


class _Refused(Exception):
    def __init__(self, code: int, place: int, n_fields: int) -> None:
        self.code, self.place, self.n_fields = code, place, n_fields


class _Record(NamedTuple):
    layout: int
    name: bytes
    place: int
    n_fields: int
    frame: int
    track: int
    numbers: list[_Field]


def lines_of(content: bytes, start: int) -> list[tuple[int, bytes]]:
    """Give (place, bytes without their end) of every line; lines end with LF, CR LF or CR."""
    matches = re.finditer(rb"([^\r\n]*)(\r\n|\r|\n|\Z)", content)
    return [(start + match.start(), match[1]) for match in matches if match[0]]


def _quoted_name(line: bytes, place: int) -> tuple[int, int] | None:
    """Give where a quoted name begins and ends (after its quote); None without."""
    before = _QUOTED_AFTER.match(line)
    if before is None:
        return None
    start = before.end()
    end = line.find(line[start : start + 1], start + 1) + 1
    if end == 0:
        raise _Refused(BAD_QUOTE, place + start, 0)
    return start, end


def _fields(line: bytes, place: int) -> tuple[list[_Field], bool]:
    """Give a line's fields, and whether commas part them: where it has more commas than gaps without one."""
    quoted = _quoted_name(line, place)
    bare = line if quoted is None else line[: quoted[0]] + b"x" * (quoted[1] - quoted[0]) + line[quoted[1] :]
    end = len(bare.rstrip(b" \t"))
    start = len(bare) - len(bare.lstrip(b" \t"))
    has_comma = [b"," in match.group() for match in _GAP_OR_COMMA.finditer(bare, start, end)]
    by_comma = sum(has_comma) > len(has_comma) - sum(has_comma)
    fields = []
    for match in (_COMMA if by_comma else _GAP).finditer(bare, start, end):
        fields.append((start, match.start()))
        start = match.end()
    fields.append((start, end))
    if quoted is not None and quoted not in fields:
        raise _Refused(BAD_QUOTE, place + quoted[0], 0)
    return [_Field(place + a, line[a:b], (a, b) == quoted) for a, b in fields], by_comma


def _name_field(fields: list[_Field], by_comma: bool) -> tuple[int, int]:
    """Give which fields are the name: the first and the one after the last. Raises `_Refused`."""
    n = len(fields)
    count = _Refused(BAD_FIELD_COUNT, fields[0].start, n)
    if n > MAX_FIELDS:
        raise count
    quoted = [i for i, field in enumerate(fields) if field.quoted]
    one = 0 if n in (15, 16) else 2 if n in (17, 18) else None
    if quoted or by_comma:
        if one is None or (quoted and quoted != [one]) or (one == 2 and fields[2].is_number):
            raise count
        are_whole = not quoted and all(_WHOLE.fullmatch(field.text) for field in fields[:2])
        if n == 15 and are_whole and (fields[1].is_digits or not fields[0].is_digits):
            raise _Refused(UNKNOWN_COLUMN_ORDER, fields[0].start, n)
        return one, one + 1
    n_words = n
    while n_words and fields[n_words - 1].is_number:
        n_words -= 1
    tracking = n > 3 and fields[0].is_number and fields[1].is_number and not fields[2].is_number
    if n - n_words in (14, 15) and n_words > 1:
        first = 2 if tracking else 0
        if not fields[first].is_number and not any(f.could_be_a_number for f in fields[first + 1 : n_words]):
            return first, n_words
        if not tracking and fields[0].is_number:
            raise count
    if one == 0:
        return 0, 1
    if one == 2 and tracking:
        return 2, 3
    raise count


def _whole(field: _Field, low: int, high: int, n_fields: int) -> int:
    value = float(field.text) if _WHOLE.fullmatch(field.text) else float("nan")
    if not low <= value <= high:
        raise _Refused(BAD_FRAME, field.start, n_fields)
    return int(value)


def _record(line: bytes, place: int) -> _Record:
    """Read one line that is not blank. Raises `_Refused`."""
    fields, by_comma = _fields(line, place)
    n = len(fields)
    first, after = _name_field(fields, by_comma)
    last = fields[after - 1]
    name = line[fields[first].start - place : last.start - place + len(last.text)]
    name = name[1:-1] if fields[first].quoted else name
    if not name:
        raise _Refused(NO_NAME, fields[first].start, n)
    frame, track = 0, -1
    if first == 2:
        frame = _whole(fields[0], 0, 2**31 - 1, n)
        track = _whole(fields[1], 1 - 2**53, 2**53 - 1, n)
    numbers = fields[after:]
    for field in numbers:
        if not field.is_number:
            raise _Refused(BAD_NUMBER, field.start, n)
    layout = first + len(numbers) - N_NUMBERS
    return _Record(layout, name, fields[0].start, n, frame, track, numbers)


def parse(data: npt.NDArray[np.uint8], file_offsets: npt.NDArray[np.int64]) -> KittiRows:
    """Read many files that lie one after the other in one buffer."""
    rows: list[tuple[object, ...]] = []
    numbers: list[list[float]] = []
    names: dict[bytes, int] = {}
    content = data.tobytes()
    for file in range(len(file_offsets) - 1):
        start, end = int(file_offsets[file]), int(file_offsets[file + 1])
        layout = None
        if content.startswith(_BOM, start, end):
            start += len(_BOM)
        for line, (place, text) in enumerate(lines_of(content[start:end], start), 1):
            if not text.strip(b" \t"):
                continue
            try:
                record = _record(text, place)
                layout = record.layout if layout is None else layout
                if record.layout != layout:
                    raise _Refused(MIXED_FIELD_COUNT, record.place, record.n_fields)
            except _Refused as why:
                rows.append((file, line, why.code, why.place, why.n_fields, 0, -1, np.nan, 0, -1, False, (0, 0, 0, 0)))
                numbers.append([np.nan] * N_NUMBERS)
                continue
            values = [float(field.text) for field in record.numbers]
            rows.append(
                (
                    *(file, line, OK, record.place, record.n_fields, record.layout),
                    names.setdefault(record.name, len(names)),
                    values[N_NUMBERS] if len(values) > N_NUMBERS else np.nan,
                    *(record.frame, record.track, record.name.lower() == b"dontcare"),
                    (
                        record.numbers[0].start - record.place,
                        record.numbers[2].start - record.place + len(record.numbers[2].text),
                        record.numbers[13].start - record.place,
                        record.numbers[13].start - record.place + len(record.numbers[13].text),
                    ),
                )
            )
            numbers.append(values[:N_NUMBERS])
    return _columns(rows, numbers, list(names))


def _columns(rows: list[tuple[object, ...]], numbers: list[list[float]], names: list[bytes]) -> KittiRows:
    types = (np.int32, np.int32, np.uint8, np.int64, np.int32, np.uint8, np.int32)
    types += (np.float64, np.int64, np.int64, np.bool_, np.int32)  # type: ignore[assignment]  # of another length
    columns = list(zip(*rows, strict=True)) or [()] * len(types)
    file, line, code, place, n_fields, layout, name, score, frame, track, dont_care, tokens = (
        np.array(column, kind) for column, kind in zip(columns, types, strict=True)
    )
    table = np.array(numbers, np.float64).reshape(-1, N_NUMBERS).T.copy()
    spans = tokens.reshape(-1, 4).T.copy()
    return KittiRows(
        *(file, line, code, place, n_fields, layout, name, table, score, frame, track, dont_care, spans, names)
    )


def attributes(data: npt.NDArray[np.uint8], rows: KittiRows, chosen: npt.NDArray[np.int64]) -> list[str]:
    """Give the JSON text of chosen rows, with the numbers as the source wrote them where JSON allows."""
    content = data.tobytes()
    texts = []
    for i in chosen.tolist():
        start = int(rows.place[i])
        begin, seen, last, end = (start + int(token) for token in rows.tokens[:, i])
        first = re.split(rb"[ \t,]+", content[begin:seen])
        found = {"alpha": first[2], "occluded": first[1], "rotation_y": content[last:end], "truncated": first[0]}
        items = {key: json_number(token) for key, token in found.items()} | {"convention": '"kitti"'}
        texts.append("{" + ",".join(f'"{key}":{items[key]}' for key in sorted(items)) + "}")
    return texts


def json_number(token: bytes) -> str:
    """Give a number's text verbatim where it is JSON, else the shortest that is; words for inf and nan."""
    if _JSON_NUMBER.fullmatch(token):
        return token.decode()
    value = float(token)
    return json.dumps(value if np.isfinite(value) else str(value))
