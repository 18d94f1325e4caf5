"""Room for the columns of one block, which grows where it is full.

Rows are made of zeros, which cost nothing until they are written to: a column that a file does not have takes no
memory. How many rows and items there were for each byte of the blocks before tells how many the next one needs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from predarrow_engine import coco_slots as s
from predarrow_engine.coco_columns import (
    FURTHER,
    Boxes,
    CocoImages,
    CocoRecords,
    Ids,
    Lists,
    Members,
    Numbers,
    Segmentations,
)
from predarrow_engine.coco_rings import FAR
from predarrow_engine.coco_values import BOX_SIZE

_SPARE = 1024
"""Items that there is room for at least: a block of text, and what an escape may add to it, fit in."""
_MARGIN = 1.05

_Column = tuple[int, type[np.generic], tuple[int, ...], int]


def _group(slot: int, kind: type[np.generic]) -> list[_Column]:
    return [(slot, np.uint8, (), 0), (slot + 1, kind, (), 0), (slot + 2, np.int32, (2,), 0)]


def _offsets(*slots: int) -> list[_Column]:
    return [(slot, np.int32, (), 1) for slot in slots]


_ROWS: dict[int, list[_Column]] = {
    s.RECORDS: [
        *(column for slot in (s.IMAGE_ID, s.CATEGORY_ID, s.ID) for column in _group(slot, np.int64)),
        *(column for slot in (s.SCORE, s.AREA, s.ISCROWD) for column in _group(slot, np.float64)),
        *((slot, np.int32, (2,), 0) for slot in (s.SPAN, s.POSITION, s.BOX_SPAN, s.SHAPE_SPAN, s.POINTS_SPAN)),
        *((slot, np.uint8, (), 0) for slot in (s.KIND, s.BOX_KIND, s.SHAPE_KIND, s.POINTS_KIND)),
        (s.BOX_COUNT, np.int32, (), 0),
        (s.BOX_VALUES, np.float64, (BOX_SIZE,), 0),
        (s.SHAPE_SIZE, np.int64, (2,), 0),
        *_offsets(s.SHAPE_RINGS, s.SHAPE_TEXT, s.SHAPE_COUNTS, s.POINTS_OFFSETS, s.OTHERS_OFFSETS),
    ],
    s.PICTURES: [
        *(
            column
            for slot in (s.PICTURE_ID, s.PICTURE_WIDTH, s.PICTURE_HEIGHT, s.PICTURE_FILE_NAME)
            for column in _group(slot, np.int64)
        ),
        (s.PICTURE_SPAN, np.int32, (2,), 0),
        (s.PICTURE_KIND, np.uint8, (), 0),
        *_offsets(s.PICTURE_OTHERS_OFFSETS),
    ],
}
_FLAT: dict[int, tuple[type[np.generic], tuple[int, ...], int]] = {
    s.OBJECTS: (np.int32, (3,), 0),
    s.TOP: (np.int32, (4,), 0),
    s.RINGS: (np.int32, (), 1),
    s.COORDINATES: (np.float32, (), 0),
    s.TEXT: (np.uint8, (), 0),
    s.COUNT_VALUES: (np.int64, (), 0),
    s.POINTS: (np.float64, (), 0),
    s.OTHERS: (np.int32, (4,), 0),
    s.PICTURE_OTHERS: (np.int32, (4,), 0),
    s.PENDING: (np.int64, (4,), 0),
}
"""Columns of each table, and the flat arrays: type, shape of an item, and 1 for offsets."""


_BESIDE: dict[int, list[_Column]] = {
    s.RINGS: [(s.RING_LENGTHS, np.int32, (), 0), (s.RING_FLAGS, np.uint8, (), 0)],
    s.COORDINATES: [(s.ORDINATES, np.float32, (), 0)],
}
"""Columns beside flat arrays, with as many items."""


def _columns_of(which: int) -> list[_Column]:
    if which in _ROWS:
        return _ROWS[which]
    return [(s.FLAT_COLUMNS - s.OBJECTS + which, *_FLAT[which]), *_BESIDE.get(which, ())]


class Room:
    """Columns of a block, and the slots that tell kernels where they are.

    Args:
        slots: (N_SLOTS,) int64.
        rates: (N_TABLES,) items for each byte of the block that are to be expected.
        size: of the block, bytes.
    """

    def __init__(self, slots: npt.NDArray[np.int64], rates: npt.NDArray[np.float64], size: int) -> None:
        self.slots = slots
        self.columns: dict[int, npt.NDArray[Any]] = {}
        slots[s.RECORDS : s.RECORDS + s.N_TABLES] = 0
        for which, rate in zip((*_ROWS, *_FLAT), rates.tolist(), strict=True):
            self._make(which, _SPARE + int(_MARGIN * rate * size))

    def _make(self, which: int, room: int) -> None:
        """Give a table or a flat array room for more items, and keep those that there are."""
        n = int(self.slots[which])
        make = np.zeros if which in _ROWS else np.empty
        for slot, kind, shape, extra in _columns_of(which):
            column = make((room + extra, *shape), kind)
            before = self.columns.get(slot)
            if before is not None:
                column[: n + extra] = before[: n + extra]
            elif extra:
                column[0] = 0
            self.columns[slot] = column
            self.slots[slot] = column.ctypes.data
        self.slots[which + s.ROOM_FOR] = room

    def grow(self, which: int, size: int) -> None:
        """Make room where there is none.

        Args:
            which: table or flat array that is full.
            size: of the block, bytes; what was read of it tells how much more there will be.
        """
        room, consumed = int(self.slots[which + s.ROOM_FOR]), int(self.slots[s.CONSUMED])
        expected = int(_MARGIN * room * size / max(consumed, size // 64, 1))
        self._make(which, max(2 * room, expected))

    def rates(self) -> npt.NDArray[np.float64]:
        """Give the items for each byte that was read."""
        counts = self.slots[s.RECORDS : s.RECORDS + s.N_TABLES]
        return counts / max(int(self.slots[s.CONSUMED]), 1)

    def flat(self, which: int) -> npt.NDArray[Any]:
        """Give what a flat array holds."""
        return self.columns[s.FLAT_COLUMNS - s.OBJECTS + which][: self.slots[which] + (which == s.RINGS)]

    def ids(self, slot: int, n: int) -> Ids:
        """Give a group of n ids."""
        return Ids._make(self.columns[slot + part][:n] for part in range(3))

    def _numbers(self, slot: int, n: int) -> Numbers:
        return Numbers._make(self.columns[slot + part][:n] for part in range(3))

    def _shapes(self, n: int) -> Segmentations:
        columns = self.columns
        return Segmentations(
            kind=columns[s.SHAPE_KIND][:n] % FURTHER,
            has_further=columns[s.SHAPE_KIND][:n] >= FURTHER,
            span=columns[s.SHAPE_SPAN][:n],
            rings=columns[s.SHAPE_RINGS][: n + 1],
            ring_lengths=columns[s.RING_LENGTHS][: self.slots[s.RINGS]],
            has_far=columns[s.RING_FLAGS][: self.slots[s.RINGS]] & FAR != 0,
            ring_offsets=self.flat(s.RINGS),
            x=self.flat(s.COORDINATES),
            y=columns[s.ORDINATES][: self.slots[s.COORDINATES]],
            size=columns[s.SHAPE_SIZE][:n],
            text_offsets=columns[s.SHAPE_TEXT][: n + 1],
            text=self.flat(s.TEXT),
            count_offsets=columns[s.SHAPE_COUNTS][: n + 1],
            counts=self.flat(s.COUNT_VALUES),
        )

    def records(self) -> CocoRecords:
        """Give the records."""
        n, columns = int(self.slots[s.RECORDS]), self.columns
        return CocoRecords(
            span=columns[s.SPAN][:n],
            kind=columns[s.KIND][:n],
            position=columns[s.POSITION][:n],
            image_id=self.ids(s.IMAGE_ID, n),
            category_id=self.ids(s.CATEGORY_ID, n),
            id=self.ids(s.ID, n),
            score=self._numbers(s.SCORE, n),
            area=self._numbers(s.AREA, n),
            iscrowd=self._numbers(s.ISCROWD, n),
            bbox=Boxes(*(columns[slot][:n] for slot in (s.BOX_KIND, s.BOX_SPAN, s.BOX_COUNT, s.BOX_VALUES))),
            segmentation=self._shapes(n),
            keypoints=Lists(
                columns[s.POINTS_KIND][:n],
                columns[s.POINTS_SPAN][:n],
                columns[s.POINTS_OFFSETS][: n + 1],
                self.flat(s.POINTS),
            ),
            others=Members(columns[s.OTHERS_OFFSETS][: n + 1], self.flat(s.OTHERS)),
        )

    def images(self) -> CocoImages:
        """Give the images."""
        n, columns = int(self.slots[s.PICTURES]), self.columns
        return CocoImages(
            span=columns[s.PICTURE_SPAN][:n],
            kind=columns[s.PICTURE_KIND][:n],
            id=self.ids(s.PICTURE_ID, n),
            width=self.ids(s.PICTURE_WIDTH, n),
            height=self.ids(s.PICTURE_HEIGHT, n),
            file_name=self.ids(s.PICTURE_FILE_NAME, n),
            others=Members(columns[s.PICTURE_OTHERS_OFFSETS][: n + 1], self.flat(s.PICTURE_OTHERS)),
        )
