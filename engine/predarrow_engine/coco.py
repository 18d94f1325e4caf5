"""COCO results, annotation files and JSON Lines -> columns, block by block.

Text becomes columns without an object for each value in between: keys are compared eight bytes at a time, numbers are
read as words of text (`json_scan.py`, `numbers.py`), strings are searched 64 bytes at a time. What the columns are
stands in `coco_columns.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine import coco_slots as s
from predarrow_engine.coco_columns import (
    ANNOTATIONS,
    BAD_UTF8,
    CATEGORIES,
    IMAGES,
    LIST,
    OK,
    POLYGONS,
    TRUNCATED,
    VIDEOS,
    WHOLE,
    CocoBlock,
    CocoImages,
    CocoRecords,
)
from predarrow_engine.coco_document import AFTER_ITEM, DONE, LINE, SKIM, START, scan_block
from predarrow_engine.coco_plain import Empty, Form, PlainRecords, read_plain
from predarrow_engine.coco_plain_shapes import PlainShapes, read_shapes
from predarrow_engine.coco_rings import FAR, LEAST, N_SCRATCH, UNDECIDED
from predarrow_engine.coco_room import Room
from predarrow_engine.coco_shapes_form import ShapesForm
from predarrow_engine.json_scan import DEPTHS, HAS_HIGH, MAX_DEPTH, PLACE, ROOM, SHORT, code_of

__all__ = ["CocoBlock", "CocoImages", "CocoRecords", "CocoScanner", "Gap"]

_MAX_SIZE = 2**31 - 1
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_IDS = (
    *(s.IMAGE_ID, s.CATEGORY_ID, s.ID),
    *(s.PICTURE_ID, s.PICTURE_WIDTH, s.PICTURE_HEIGHT, s.PICTURE_FILE_NAME),
)
_SECTION = 7
_NUMBERS = (s.SCORE, s.AREA, s.ISCROWD)


class Gap(NamedTuple):
    """Where a scanner stands between two items of a list, or two lines."""

    phase: int
    section: int


class CocoScanner:
    """Reads one document, a block at a time.

    It is JSON as Python's `json` takes it (NaN and Infinity too, a byte order mark in front), UTF-8, lists and
    objects in up to 512 others. At the top there is a list of records, with lists of records in it perhaps, or a
    dictionary; its lists `annotations`, `images`, `categories` and `videos` are read, all else is passed over. With
    `lines` every line is a record.

    Args:
        lines: JSON Lines: values with line ends between them.
        wanted: lists that are read: ANNOTATIONS (results too), IMAGES, CATEGORIES, VIDEOS. Those that are not are
            passed over, and not looked at but for their being well-formed.
        skimmed: lists that are passed over without being looked at, many times as fast: for text that is read once
            more, as what is no JSON there is not found out.
    """

    def __init__(
        self,
        *,
        lines: bool = False,
        wanted: Iterable[int] = (ANNOTATIONS, IMAGES, CATEGORIES, VIDEOS),
        skimmed: Iterable[int] = (),
    ) -> None:
        self._depths = np.zeros(MAX_DEPTH, np.uint8)
        self._slots = np.zeros(s.N_SLOTS, np.int64)
        self._slots[DEPTHS] = self._depths.ctypes.data
        self._scratch = np.zeros(N_SCRATCH, np.int64)
        self._slots[s.SCRATCH] = self._scratch.ctypes.data
        self._slots[s.PHASE] = LINE if lines else START
        self._slots[s.WANTED] = sum(1 << bit for bit in {*wanted, *(SKIM + section for section in skimmed)})
        self._rates: npt.NDArray[np.float64] = np.zeros(s.N_TABLES)

    @property
    def gap(self) -> Gap | None:
        """Where it stands, if that is between two items of a list that is in no other, or between two lines."""
        phase, section, outer = self._slots[[s.PHASE, s.SECTION, s.OUTER]].tolist()
        return Gap(phase, section) if phase == LINE or (phase == AFTER_ITEM and not outer) else None

    def at(self, gap: Gap) -> CocoScanner:
        """Give another scanner that stands in a gap, to read what comes behind it before this one comes there."""
        other = CocoScanner()
        other._slots[[s.WANTED, s.PHASE, s.SECTION, s.BEGUN]] = self._slots[s.WANTED], *gap, 1
        other._rates = self._rates
        return other

    def follow(self, before: CocoScanner, block: CocoBlock | None) -> None:
        """Take the place of a scanner that stands where this one stood before it read its first block.

        Args:
            before: has the items of the list so far, which positions of records are counted from.
            block: what this one read; its positions are made right. Plain records have none.
        """
        n_items = before._slots[s.INDEX]
        opened = () if block is None else block.top[block.top[:, 3] == LIST, 2].tolist()
        if not opened:
            self._slots[s.INDEX] += n_items
            if self._slots[s.OUTER]:
                self._slots[s.OUTER] += n_items
        if block is None:
            return
        spans = block.records.span
        n_first = np.searchsorted(spans[:, 0], opened[0]) if opened else len(spans)  # of the list that it began in
        outer, inner = block.records.position[:n_first].T
        inner[outer == 0] += n_items
        outer[outer > 0] += n_items

    def scan(self, data: npt.NDArray[np.uint8], *, last: bool) -> CocoBlock:
        """Give the records that lie in a block as a whole; the bytes behind them begin the next block.

        A block may be cut anywhere. Where nothing of it was read and it is not the last one, the next one has to be
        longer: a record, or a value at the top that is no list, lies in one block.

        Args:
            data: (n_bytes,) uint8, contiguous: what was not read of the block before, and what follows it.
            last: nothing follows.

        Raises:
            ValueError: data of another type or shape, or of more than 2**31 - 1 bytes.
        """
        data = _cast(data)
        slots = self._slots
        begun = slots.copy()
        slots[HAS_HIGH] = slots[s.CONSUMED] = 0
        room = Room(slots, self._rates, data.size)
        while (stop := scan_block(data, slots, int(slots[s.CONSUMED]), last)) == ROOM:
            room.grow(int(slots[SHORT]), data.size)
        code, place = code_of(stop), int(slots[PLACE])
        if code == OK and last and (stop < 0 or slots[s.PHASE] not in (DONE, LINE)):
            code, place = TRUNCATED, data.size
        consumed = int(slots[s.CONSUMED])
        if slots[HAS_HIGH] and (flaw := _flaw_of_text(data[:consumed])) is not None:
            slots[:] = begun
            return self.scan(data[:flaw], last=False)._replace(code=BAD_UTF8, place=flaw)
        self._rates = np.maximum(self._rates / 2, room.rates())
        _settle(data, room)
        return CocoBlock(
            code=code,
            place=place if code else 0,
            consumed=consumed,
            records=room.records(),
            images=room.images(),
            objects=room.flat(s.OBJECTS),
            top=room.flat(s.TOP),
        )

    def scan_plain(
        self, data: npt.NDArray[np.uint8], form: Form | ShapesForm, empty: Empty, *, last: bool
    ) -> PlainRecords | PlainShapes | None:
        """Give the records of a whole block that begins in a gap, where all are written in one form; else None.

        Where it is None, this scanner stands nowhere any more.

        Args:
            data, last: as in `scan`; the block ends in a gap or as the document does.
            form: of records that were read before.
            empty: gives room for so many numbers, which results of boxes are kept in.
        """
        data, slots = _cast(data), self._slots
        if slots[s.SECTION] & _SECTION != ANNOTATIONS:
            return None
        slots[HAS_HIGH] = 0
        found: PlainRecords | PlainShapes | None
        if isinstance(form, ShapesForm):
            found, end = read_shapes(data, form, slots)
        else:
            found, end = read_plain(data, form, slots, empty)
        if found is None or not end:
            return None
        slots[s.RECORDS : s.RECORDS + 2 * s.N_TABLES] = 0  # no room for anything else
        slots[s.INDEX] += found.image_id.size
        stop = scan_block(data, slots, end, last)
        is_whole = stop >= 0 and not slots[HAS_HIGH] and not (last and slots[s.PHASE] not in (DONE, LINE))
        return found if is_whole else None


def _cast(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if data.dtype != np.uint8 or data.ndim != 1 or data.size > _MAX_SIZE:
        raise ValueError(f"data must be up to {_MAX_SIZE} uint8, of one dimension")
    data = np.ascontiguousarray(data).view()
    data.flags.writeable = False
    return data


def _flaw_of_text(data: npt.NDArray[np.uint8]) -> int | None:
    """Give the first byte that is not UTF-8."""
    try:
        str(memoryview(data), "utf-8")  # type: ignore[arg-type]  # NumPy's arrays are buffers
    except UnicodeDecodeError as error:
        return error.start
    return None


def _settle(data: npt.NDArray[np.uint8], room: Room) -> None:
    """Ask `float` for the numbers that kernels could not decide."""
    for column, index, start, end in room.flat(s.PENDING).tolist():
        value = float(data[start:end].tobytes())
        if column in _IDS:
            if value.is_integer() and -(2.0**63) <= value < 2.0**63:
                room.columns[column][index], room.columns[column + 1][index] = WHOLE, int(value)
        elif column in _NUMBERS:
            room.columns[column + 1][index] = value
        elif column == s.BOX_VALUES:
            room.columns[column].reshape(-1)[index] = value
        else:
            room.flat(column)[index] = value
    flags = room.columns[s.RING_FLAGS][: room.slots[s.RINGS]]
    for ring in np.flatnonzero(flags & UNDECIDED).tolist():
        _settle_ring(data, room, ring)


def _settle_ring(data: npt.NDArray[np.uint8], room: Room, ring: int) -> None:
    """Ask `float` for all numbers of a ring; leave its last vertex out where it repeats the first."""
    shapes = room.records().segmentation
    row = int(np.searchsorted(shapes.rings, ring, side="right")) - 1
    start, end = shapes.span[row].tolist()
    numbers = json.loads(data[start:end].tobytes(), parse_int=float)
    if shapes.kind[row] == POLYGONS:
        numbers = numbers[ring - shapes.rings[row]]
    first, last = shapes.ring_offsets[ring : ring + 2].tolist()
    for axis, values in enumerate((shapes.x, shapes.y)):
        with np.errstate(over="ignore"):
            values[first:last] = numbers[axis : 2 * (last - first) : 2]
    is_far = not all(abs(number) <= _FLOAT32_MAX for number in numbers)
    room.columns[s.RING_FLAGS][ring] = FAR if is_far else 0
    if len(numbers) >= LEAST and len(numbers) % 2 == 0 and numbers[:2] == numbers[-2:]:
        for values in (shapes.x, shapes.y):
            values[last - 1 : -1] = values[last:]
        shapes.ring_offsets[ring + 1 :] -= 1
        room.slots[s.COORDINATES] -= 1
