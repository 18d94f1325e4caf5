"""What COCO's records must be, and the words for those that are not: types, numbers of numbers, finite numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow.formats.coco.text import BlockText
from predarrow.refusals import Refusals, shown
from predarrow.report import Code, Problem

if TYPE_CHECKING:
    from predarrow_engine.coco import CocoRecords
    from predarrow_engine.coco_columns import Ids

Bools = npt.NDArray[np.bool_]

_BOX = "x, y, width, height"
_LEAST_NUMBERS = 6  # of a polygon: three vertices
_FLOAT32_MAX = float(np.finfo(np.float32).max)


class Block(NamedTuple):
    """Some records of a file and where they stand in it."""

    data: BlockText
    records: CocoRecords
    source: str
    """The file's path."""
    first: int
    """Records of the file before these."""
    pointer: Callable[[int], str]
    """Gives the place of a record of the block in the file."""
    n_records: int | None = None
    """Records that are rows; None for all."""

    def text(self, span: npt.NDArray[np.int32]) -> str:
        """Give a piece of the file for a message, shortened; nothing for an empty one."""
        start, end = span.tolist()
        if start == end:
            return "nothing"
        text = " ".join(self.data[start : min(end, start + 400)].decode(errors="replace").split())
        return text if len(text) <= 80 else text[:79] + "…"


class RecordRefusals(Refusals):
    """Refused records of a block, and silently those that are no rows; pointers are keys, such as `.bbox[2]`."""

    def __init__(self, block: Block) -> None:
        super().__init__(np.arange(block.first, block.first + block.records.kind.size))
        self._block = block
        self.bad[self.rows.size if block.n_records is None else block.n_records :] = True

    def add_one(self, row: int, code: Code, pointer: str, message: str) -> None:
        """Refuse one record of the block."""
        place = self._block.pointer(row) + pointer
        self.problems.append(Problem(self._block.source, int(self.rows[row]), place, code, message))
        self.bad[row] = True


def check_records(block: Block, refusals: Refusals) -> None:
    """Refuse what is no object, and ids that are none."""
    from predarrow_engine.coco_columns import INT, STRING, WHOLE

    records = block.records
    refusals.add(
        records.kind != 0,
        Code.BAD_VALUE,
        "",
        lambda row: f"must be an object with image_id and category_id, got {block.text(records.span[row])}",
    )
    for name, ids in (("image_id", records.image_id), ("category_id", records.category_id)):
        is_id = (ids.kind == INT) | (ids.kind == WHOLE) | (ids.kind == STRING)
        refusals.add(~is_id, Code.BAD_VALUE, f".{name}", _id_words(block, ids))


def _id_words(block: Block, ids: Ids) -> Callable[[int], str]:
    words = _words("must be a whole number or text", block, ids.span)

    def told(row: int) -> str:
        text = block.text(ids.span[row])
        is_whole = text.removeprefix("-").isdecimal()
        return f"{words(row)}; write whole numbers of more than 64 bits as text" if is_whole else words(row)

    return told


def check_scores(block: Block, refusals: Refusals) -> Bools:
    """Refuse scores that are no finite number; give which records have one."""
    from predarrow_engine.coco_columns import MISSING, NULL, NUMBER, STRING

    score = block.records.score
    has_score = (score.kind == NUMBER) & np.isfinite(score.value)
    is_text = score.kind == STRING
    rule = "must be a finite number, null or not there"
    got = _words(rule, block, score.span)
    refusals.add(is_text, Code.BAD_NUMBER, ".score", lambda row: f"{got(row)}; write it without quotes")
    is_other = ~has_score & (score.kind != MISSING) & (score.kind != NULL)
    refusals.add(is_other, Code.BAD_NUMBER, ".score", got)
    result: Bools = has_score
    return result


def check_boxes(block: Block, refusals: Refusals) -> Bools:
    """Refuse boxes that are not four finite numbers with sides of at least 0; give which records have one.

    An empty list is no box.
    """
    from predarrow_engine.coco_columns import BAD_LIST, LIST, MISSING, NULL

    bbox = block.records.bbox
    if not (bbox.kind != MISSING).any():
        return np.zeros(bbox.kind.size, np.bool_)
    kind, n_values, sides = bbox.kind, bbox.n_values, bbox.values[:, 2:4]
    is_finite = np.isfinite(bbox.values[:, :4])
    if (kind == LIST).all() and (n_values == 4).all() and is_finite.all() and (sides >= 0).all():
        return np.ones(kind.size, np.bool_)

    def item(row: int) -> tuple[str, str]:
        items = json.loads(block.data[slice(*bbox.span[row].tolist())])
        at = int(n_values[row])
        hint = "; write it without quotes" if isinstance(items[at], str) else ""
        return f".bbox[{at}]", f"must be a number, got {json_text(items[at])}{hint}"

    for row in np.flatnonzero((kind == BAD_LIST) & ~refusals.bad).tolist():
        refusals.add_one(row, Code.BAD_BOX, *item(row))
    is_other = (kind != LIST) & (kind != BAD_LIST) & (kind != MISSING) & (kind != NULL)
    rule = f"must be a list of four numbers ({_BOX}), null or not there"
    refusals.add(is_other, Code.BAD_BOX, ".bbox", _words(rule, block, bbox.span))
    has_box: Bools = (kind == LIST) & (n_values > 0)
    refusals.add(
        has_box & (n_values != 4),
        Code.BAD_BOX,
        ".bbox",
        lambda row: f"must have four numbers ({_BOX}), got {n_values[row]}: {block.text(bbox.span[row])}",
    )
    for place in range(4):
        words = _values("must be finite", bbox.values[:, place])
        refusals.add(has_box & ~is_finite[:, place], Code.BAD_BOX, f".bbox[{place}]", words)
    for place, name in ((2, "width"), (3, "height")):
        values = bbox.values[:, place]
        words = _values(f"{name} must be at least 0 (a box is {_BOX})", values)
        refusals.add(has_box & (values < 0), Code.BAD_BOX, f".bbox[{place}]", words)
    return has_box


def check_keypoints(block: Block, refusals: Refusals) -> Bools:
    """Refuse keypoints that are not finite numbers by threes; give which records have some."""
    from predarrow_engine.coco_columns import LIST, MISSING, NULL

    points = block.records.keypoints
    if not (points.kind != MISSING).any():
        return np.zeros(points.kind.size, np.bool_)
    rule = "must be a list of numbers x, y, visibility for each point, null or not there"
    is_other = (points.kind != LIST) & (points.kind != MISSING) & (points.kind != NULL)
    refusals.add(is_other, Code.BAD_VALUE, ".keypoints", _words(rule, block, points.span))
    counts = np.diff(points.offsets)
    rule = "must have three numbers for each point (x, y, visibility)"
    refusals.add(counts % 3 != 0, Code.BAD_VALUE, ".keypoints", lambda row: f"{rule}, got {counts[row]} numbers")
    for row, at in _not_finite(points.values, points.offsets):
        if not refusals.bad[row]:
            got = points.values[points.offsets[row] + at]
            refusals.add_one(row, Code.BAD_NUMBER, f".keypoints[{at}]", f"must be a finite 32-bit number, got {got}")
    has_points: Bools = counts > 0
    return has_points


def check_segmentations(block: Block, refusals: Refusals) -> None:
    """Refuse segmentations of no known form, and polygons that are none."""
    from predarrow_engine.coco_columns import FLAT, NO_SEGMENTATION, OTHER

    shapes = block.records.segmentation
    if not (shapes.kind != NO_SEGMENTATION).any():
        return
    for row in np.flatnonzero((shapes.kind == OTHER) & ~refusals.bad).tolist():
        pointer, message = segmentation_flaw(json.loads(block.data[slice(*shapes.span[row].tolist())]))
        refusals.add_one(row, Code.BAD_VALUE, f".segmentation{pointer}", message)
    counts = shapes.ring_lengths
    for row, ring, place in _rings(block, (counts % 2 != 0) | (counts < _LEAST_NUMBERS), refusals):
        rule = "must be x, y of at least three vertices, an even number of numbers"
        refusals.add_one(row, Code.BAD_VALUE, place, f"{rule}, got {counts[ring]}")
    for row, ring, place in _rings(block, shapes.has_far, refusals):
        value = json.loads(block.data[slice(*shapes.span[row].tolist())], parse_int=float)
        numbers = value if shapes.kind[row] == FLAT else value[ring - shapes.rings[row]]
        at = next(at for at, number in enumerate(numbers) if not abs(number) <= _FLOAT32_MAX)
        message = f"must be a finite 32-bit number, got {numbers[at]}"
        refusals.add_one(row, Code.BAD_NUMBER, f"{place}[{at}]", message)


def _rings(block: Block, which: Bools, refusals: Refusals) -> Iterator[tuple[int, int, str]]:
    """Give record, ring and place of the first of these rings in each record that is not refused."""
    from predarrow_engine.coco_columns import FLAT

    shapes = block.records.segmentation
    for ring in np.flatnonzero(which).tolist():
        row = int(np.searchsorted(shapes.rings, ring, side="right")) - 1
        if not refusals.bad[row]:
            place = "" if shapes.kind[row] == FLAT else f"[{ring - shapes.rings[row]}]"
            yield row, ring, f".segmentation{place}"


def segmentation_flaw(value: Any) -> tuple[str, str]:
    """Give the place in a segmentation of no known form, and what should stand there."""
    if isinstance(value, Mapping):
        size, counts = value.get("size"), value.get("counts")
        if not isinstance(size, list) or len(size) != 2 or not all(type(side) is int for side in size):
            return ".size", f"must be two whole numbers (height, width), got {json_text(size)}"
        if isinstance(counts, list):
            at = next((at for at, count in enumerate(counts) if type(count) is not int), 0)
            return f".counts[{at}]", f"must be a whole number, got {json_text(counts[at])}"
        return ".counts", f"must be COCO's text of run lengths, or a list of them, got {json_text(counts)}"
    if isinstance(value, list):
        for at, ring in enumerate(value):
            if not isinstance(ring, list):
                if any(isinstance(other, list) for other in value):
                    return f"[{at}]", f"must be a list of x, y as its neighbours, got {json_text(ring)}"
                if not _is_number(ring):
                    return f"[{at}]", f"must be a number, or a list of x, y, got {json_text(ring)}"
                continue
            for place, number in enumerate(ring):
                if not _is_number(number):
                    return f"[{at}][{place}]", f"must be a number, got {json_text(number)}"
    hint = '; COCO has lists of x, y, or {"size": [height, width], "counts": …}'
    return "", f"must be polygons or run lengths, got {json_text(value)}{hint}"


def json_text(value: Any) -> str:
    """Give a value for a message as JSON has it; None where nothing stands there, too."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else shown(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _not_finite(values: npt.NDArray[np.float64], offsets: npt.NDArray[np.int32]) -> list[tuple[int, int]]:
    """Give list and place in it of all numbers that 32-bit floats do not hold."""
    bad = np.flatnonzero(~(np.abs(values) <= _FLOAT32_MAX))
    if not bad.size:
        return []
    lists = np.searchsorted(offsets, bad, side="right") - 1
    return list(zip(lists.tolist(), (bad - offsets[lists]).tolist(), strict=True))


def _words(rule: str, block: Block, spans: npt.NDArray[np.int32]) -> Callable[[int], str]:
    return lambda row: f"{rule}, got {block.text(spans[row])}"


def _values(rule: str, values: npt.NDArray[np.float64]) -> Callable[[int], str]:
    return lambda row: f"{rule}, got {values[row]}"
