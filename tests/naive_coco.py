"""Slow, readable twin of the COCO scanner: Python's own `json`, one value after the other.

Gives what `predarrow_engine.coco.CocoScanner` gives for a whole file at once. Bytes are looked at as Latin-1, so that
places in the text are places in the file.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine import coco_columns as c
from predarrow_engine.coco_columns import (
    Boxes,
    CocoBlock,
    CocoImages,
    CocoRecords,
    Ids,
    Lists,
    Members,
    Numbers,
    Segmentations,
)

_LISTS = {"annotations": c.ANNOTATIONS, "images": c.IMAGES, "categories": c.CATEGORIES, "videos": c.VIDEOS}
_BLANKS = re.compile(r"[ \t\n\r]*")
_N_BOX = 5
_FLOAT32_MAX = float(np.finfo(np.float32).max)


class Token(str):
    """The text of a number, or NaN, Infinity, -Infinity."""


class Value(NamedTuple):
    """A value of JSON, and where it stands."""

    start: int
    end: int
    value: Any


_DECODER = json.JSONDecoder(parse_int=Token, parse_float=Token, parse_constant=Token)


def _blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    assert found
    return found.end()


def _value(text: str, at: int) -> Value:
    at = _blanks(text, at)
    value, end = _DECODER.raw_decode(text, at)
    return Value(at, end, value)


def elements(text: str, at: int) -> Iterator[Value]:
    """Give the items of the well-formed list at `at`."""
    at = _blanks(text, at + 1)
    while text[at] != "]":
        item = _value(text, at)
        yield item
        at = _blanks(text, item.end)
        at = _blanks(text, at + 1) if text[at] == "," else at


def members(text: str, at: int) -> Iterator[tuple[Value, Value]]:
    """Give the keys and values of the well-formed object at `at`."""
    at = _blanks(text, at + 1)
    while text[at] != "}":
        key = _value(text, at)
        value = _value(text, _blanks(text, key.end) + 1)
        yield key, value
        at = _blanks(text, value.end)
        at = _blanks(text, at + 1) if text[at] == "," else at


def kind_of(value: Any) -> int:
    """Give MISSING ... OBJECT for a value as `_DECODER` gives it."""
    if isinstance(value, Token):
        if not math.isfinite(float(value)) and value.lstrip("-")[0] in "NI":
            return c.NOT_FINITE
        if re.fullmatch(r"-?\d+", value):
            return c.INT if len(value) < 21 and -(2**63) <= int(value) < 2**63 else c.NUMBER
        number = float(value)
        return c.WHOLE if number.is_integer() and -(2.0**63) <= number < 2.0**63 else c.NUMBER
    if value is None:
        return c.NULL
    if isinstance(value, bool):
        return c.BOOL
    return c.STRING if isinstance(value, str) else c.LIST if isinstance(value, list) else c.OBJECT


def _plain_kind(value: Any) -> int:
    """Give `kind_of`, NUMBER of whatever is a number."""
    return c.NUMBER if isinstance(value, Token) else kind_of(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, Token)


def _is_int(value: Any) -> bool:
    return isinstance(value, Token) and kind_of(value) == c.INT


def _are(test: Callable[[Any], bool], values: Any) -> bool:
    return isinstance(values, list) and all(test(value) for value in values)


_Record = dict[str, Value]


def _spans(values: list[Value | None]) -> npt.NDArray[np.int32]:
    return np.array([(v.start, v.end) if v else (0, 0) for v in values], np.int32).reshape(-1, 2)


def _kinds(values: list[Value | None], kind: Callable[[Any], int] = kind_of) -> npt.NDArray[np.uint8]:
    return np.array([kind(v.value) if v else c.MISSING for v in values], np.uint8)


def _ids(records: list[_Record], key: str) -> Ids:
    values = [record.get(key) for record in records]
    kinds = _kinds(values)
    numbers = [
        (int(v.value) if kind == c.INT else int(float(v.value))) if v and kind in (c.INT, c.WHOLE) else 0
        for v, kind in zip(values, kinds, strict=True)
    ]
    return Ids(kinds, np.array(numbers, np.int64), _spans(values))


def _numbers(records: list[_Record], key: str) -> Numbers:
    values = [record.get(key) for record in records]
    kinds = _kinds(values)
    kinds[(kinds == c.INT) | (kinds == c.WHOLE)] = c.NUMBER
    numbers = [float(v.value) if v and (_is_number(v.value) or isinstance(v.value, bool)) else 0.0 for v in values]
    return Numbers(kinds, np.array(numbers, np.float64), _spans(values))


def _offsets(lengths: list[int]) -> npt.NDArray[np.int32]:
    return np.cumsum([0, *lengths], dtype=np.int32)


def _lists(records: list[_Record], key: str) -> Lists:
    values = [record.get(key) for record in records]
    kinds = _kinds(values, _plain_kind)
    kept: list[list[Token]] = []
    for i, value in enumerate(values):
        good = value is not None and _are(_is_number, value.value)
        kept.append(value.value if good and value else [])
        if kinds[i] == c.LIST and not good:
            kinds[i] = c.BAD_LIST
    flat = np.array([float(x) for numbers in kept for x in numbers], np.float64)
    return Lists(kinds, _spans(values), _offsets([len(numbers) for numbers in kept]), flat)


def _boxes(records: list[_Record]) -> Boxes:
    values = [record.get("bbox") for record in records]
    kinds = _kinds(values, _plain_kind)
    n_values = np.zeros(len(records), np.int32)
    numbers = np.zeros((len(records), _N_BOX))
    for i, value in enumerate(values):
        if value is None or kinds[i] != c.LIST:
            continue
        bad = [at for at, item in enumerate(value.value) if not _is_number(item)]
        if bad:
            kinds[i], n_values[i] = c.BAD_LIST, bad[0]
            continue
        n_values[i] = len(value.value)
        for at, item in enumerate(value.value[:_N_BOX]):
            numbers[i, at] = float(item)
    return Boxes(kinds, _spans(values), n_values, numbers)


class _Shape(NamedTuple):
    """A segmentation."""

    kind: int
    rings: list[list[Token]]
    size: list[Token]
    text: bytes
    counts: list[Token]
    has_further: bool = False


def _shape(value: Any, text: str) -> _Shape:
    if isinstance(value, dict):
        size, counts = value.get("size"), value.get("counts")
        further = bool(value.keys() - {"size", "counts"})
        if isinstance(size, list) and len(size) == 2 and _are(_is_int, size):
            if isinstance(counts, str) and not _is_number(counts):
                return _Shape(c.RLE, [], size, text.encode("utf-8", "surrogatepass"), [], further)
            if isinstance(counts, list) and _are(_is_int, counts):
                return _Shape(c.COUNTS, [], size, b"", counts, further)
    elif isinstance(value, list) and value:
        if _are(_is_number, value):
            return _Shape(c.FLAT, [value], [], b"", [])
        if _are(lambda ring: _are(_is_number, ring), value):
            return _Shape(c.POLYGONS, value, [], b"", [])
    kind = c.NULL_SEGMENTATION if value is None else c.EMPTY if value == [] else c.OTHER
    return _Shape(kind, [], [], b"", [])


def _counts_text(text: str, segmentation: Value) -> str:
    """Give the text of `counts` as UTF-8 would have it, not Latin-1."""
    whole = json.loads(text[segmentation.start : segmentation.end].encode("latin-1").decode("utf-8"))
    counts = whole.get("counts") if isinstance(whole, dict) else ""
    return counts if isinstance(counts, str) else ""


def _open(ring: list[float]) -> list[tuple[float, float]]:
    """Give the vertices of a ring, without the last one where that repeats the first."""
    points = list(zip(ring[0::2], ring[1::2], strict=False))
    is_closed = len(points) > 3 and len(ring) % 2 == 0 and points[0] == points[-1]
    return points[:-1] if is_closed else points


def _singles(numbers: list[float]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return np.array(numbers, np.float64).astype(np.float32)


def _segmentations(records: list[_Record], text: str) -> Segmentations:
    values = [record.get("segmentation") for record in records]
    nothing = _Shape(c.NO_SEGMENTATION, [], [], b"", [])
    shapes = [_shape(value.value, _counts_text(text, value)) if value else nothing for value in values]
    rings = [[float(number) for number in ring] for shape in shapes for ring in shape.rings]
    points = [_open(ring) for ring in rings]
    return Segmentations(
        kind=np.array([shape.kind for shape in shapes], np.uint8),
        has_further=np.array([shape.has_further for shape in shapes], np.bool_),
        span=_spans(values),
        rings=_offsets([len(shape.rings) for shape in shapes]),
        ring_lengths=np.array([len(ring) for ring in rings], np.int32),
        has_far=np.array([any(not abs(number) <= _FLOAT32_MAX for number in ring) for ring in rings], np.bool_),
        ring_offsets=_offsets([len(ring) for ring in points]),
        x=_singles([x for ring in points for x, _ in ring]),
        y=_singles([y for ring in points for _, y in ring]),
        size=np.array([[int(x) for x in shape.size] or [0, 0] for shape in shapes], np.int64).reshape(-1, 2),
        text_offsets=_offsets([len(shape.text) for shape in shapes]),
        text=np.frombuffer(b"".join(shape.text for shape in shapes), np.uint8),
        count_offsets=_offsets([len(shape.counts) for shape in shapes]),
        counts=np.array([int(x) for shape in shapes for x in shape.counts], np.int64),
    )


class _Table:
    """Objects of one kind."""

    def __init__(self, known: Collection[str]) -> None:
        self.known = known
        self.spans: list[tuple[int, int]] = []
        self.kinds: list[int] = []
        self.positions: list[tuple[int, int]] = []
        self.records: list[_Record] = []
        self.others: list[list[tuple[int, int, int, int]]] = []

    def add(self, text: str, item: Value, position: tuple[int, int] = (0, 0)) -> None:
        kind = _plain_kind(item.value)
        record: _Record = {}
        others: list[tuple[int, int, int, int]] = []
        for key, value in members(text, item.start) if kind == c.OBJECT else ():
            if key.value in self.known:
                record[key.value] = value
            else:
                others.append((key.start, key.end, value.start, value.end))
        self.spans.append((item.start, item.end))
        self.kinds.append(c.MISSING if kind == c.OBJECT else kind)
        self.positions.append(position)
        self.records.append(record)
        self.others.append(others)

    def members(self) -> Members:
        flat = [spans for record in self.others for spans in record]
        return Members(_offsets([len(record) for record in self.others]), np.array(flat, np.int32).reshape(-1, 4))


_RECORD_KEYS = ("image_id", "category_id", "id", "score", "area", "iscrowd", "bbox", "segmentation", "keypoints")


class _Document:
    """What was met so far."""

    def __init__(self) -> None:
        self.records = _Table(_RECORD_KEYS)
        self.images = _Table(("id", "width", "height", "file_name"))
        self.objects: list[tuple[int, int, int]] = []
        self.top: list[tuple[int, int, int, int]] = []

    def add_results(self, text: str, at: int) -> None:
        for i, item in enumerate(elements(text, at)):
            if isinstance(item.value, list):
                for j, inner in enumerate(elements(text, item.start)):
                    self.records.add(text, inner, (i + 1, j))
            else:
                self.records.add(text, item, (0, i))

    def add_top(self, text: str, at: int, wanted: Collection[int]) -> None:
        for key, value in members(text, at):
            kind = _plain_kind(value.value)
            self.top.append((key.start, key.end, value.start, kind))
            section = _LISTS.get(key.value, c.UNREAD)
            if kind != c.LIST or section == c.UNREAD or section not in wanted:
                continue
            if section == c.ANNOTATIONS:
                self.add_results(text, value.start)
                continue
            for item in elements(text, value.start):
                if section == c.IMAGES:
                    self.images.add(text, item)
                else:
                    self.objects.append((section, item.start, item.end))

    def block(self, text: str, code: int, place: int) -> CocoBlock:
        table = self.records
        rows = table.records
        records = CocoRecords(
            span=np.array(table.spans, np.int32).reshape(-1, 2),
            kind=np.array(table.kinds, np.uint8),
            position=np.array(table.positions, np.int32).reshape(-1, 2),
            image_id=_ids(rows, "image_id"),
            category_id=_ids(rows, "category_id"),
            id=_ids(rows, "id"),
            score=_numbers(rows, "score"),
            area=_numbers(rows, "area"),
            iscrowd=_numbers(rows, "iscrowd"),
            bbox=_boxes(rows),
            segmentation=_segmentations(rows, text),
            keypoints=_lists(rows, "keypoints"),
            others=table.members(),
        )
        entries = self.images.records
        images = CocoImages(
            span=np.array(self.images.spans, np.int32).reshape(-1, 2),
            kind=np.array(self.images.kinds, np.uint8),
            id=_ids(entries, "id"),
            width=_ids(entries, "width"),
            height=_ids(entries, "height"),
            file_name=_ids(entries, "file_name"),
            others=self.images.members(),
        )
        objects = np.array(self.objects, np.int32).reshape(-1, 3)
        top = np.array(self.top, np.int32).reshape(-1, 4)
        return CocoBlock(code, place, len(text), records, images, objects, top)


def _text_flaw(data: bytes) -> tuple[int, int]:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return c.BAD_UTF8, error.start
    return c.OK, 0


def flaw(data: bytes) -> tuple[int, int]:
    """Give OK, BAD_UTF8 or EXPECTED_VALUE (for whatever makes it no JSON), and where."""
    code, place = _text_flaw(data)
    if code:
        return code, place
    try:
        _DECODER.decode(data.decode("latin-1"))
    except json.JSONDecodeError as error:
        return c.EXPECTED_VALUE, error.pos
    return c.OK, 0


def scan(
    data: bytes, *, lines: bool = False, wanted: Collection[int] = (c.ANNOTATIONS, c.IMAGES, c.CATEGORIES, c.VIDEOS)
) -> CocoBlock:
    """Give the columns of a whole file; of one that is not well-formed nothing but a code and a rough place.

    Args:
        data: JSON, or with `lines` one value a line.
        lines: JSON Lines.
        wanted: lists of a dictionary to be read.
    """
    document = _Document()
    mark = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    text = " " * mark + data[mark:].decode("latin-1")
    if lines:
        code, place = _text_flaw(data)
        return document.block(text, code, place) if code else _scan_lines(text, document)
    code, place = flaw(b" " * mark + data[mark:])
    at = _blanks(text, 0)
    if code == c.OK and text[at] == "[":
        if c.ANNOTATIONS in wanted:
            document.add_results(text, at)
    elif code == c.OK and text[at] == "{":
        document.add_top(text, at, wanted)
    elif code == c.OK:
        code, place = c.NO_LIST, at
    return document.block(text, code, place)


def _scan_lines(text: str, document: _Document) -> CocoBlock:
    """Read values with a line end behind each but the last."""
    at = _blanks(text, 0)
    while at < len(text):
        try:
            item = _value(text, at)
        except json.JSONDecodeError as error:
            return document.block(text, c.EXPECTED_VALUE, error.pos)
        at = _blanks(text, item.end)
        if at < len(text) and "\n" not in text[item.end : at]:
            return document.block(text, c.EXTRA_DATA, at)
        document.records.add(text, item)
    return document.block(text, c.OK, 0)
