"""Records of COCO on their way to rows of the prediction table: classes, images, what is refused of them, columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.borders import OnOutside
from predarrow.buffers import numbers_array
from predarrow.classes import LEFT_OUT, Texts
from predarrow.formats.coco.boxes import BoxUnit, bbox_column
from predarrow.formats.coco.ids import are_all_numbers, distinct_ids, distinct_numbers, id_texts
from predarrow.formats.coco.names import NO_CATEGORIES, Categories, Chooser, Images, Told
from predarrow.formats.coco.outlines import outlines
from predarrow.formats.coco.shapes import merged
from predarrow.formats.coco.text import BlockText
from predarrow.refusals import Refusals
from predarrow.report import EMPTY_MASK, Code, Report
from predarrow.table import constant_column, record_batch

if TYPE_CHECKING:
    from predarrow.formats.coco.masks import Masks
    from predarrow_engine.coco_columns import Ids

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

KINDS = ("bbox", "polygon", "bitmask", "keypoints")
BBOX, POLYGON, BITMASK, KEYPOINTS = range(len(KINDS))

_NOT_LISTED = "category that is not listed, called by its id"


class CocoOptions(NamedTuple):
    """How records become rows."""

    images: Images | None = None
    """None takes ids as data units."""
    categories: Categories = NO_CATEGORIES
    chooser: Chooser = Chooser(NO_CATEGORIES.choose)
    polygons: bool = False
    """Whether run lengths are outlined, too."""
    box_unit: BoxUnit | None = None
    """None is pixels, and boxes that look relative are refused."""
    default_confidence: float | None = None
    on_outside: OnOutside | None = None
    """None does not look whether boxes lie in their images."""


class Rows:
    """Records of a block: each step refuses some.

    Args:
        image_id, category_id: (n,) of the records.
        data: what they were scanned from.
        refusals: of the records.
        options: how they become rows.
    """

    def __init__(
        self, image_id: Ids, category_id: Ids, data: BlockText | bytes, refusals: Refusals, options: CocoOptions
    ) -> None:
        self.image_id, self.category_id, self.data = image_id, category_id, data
        self.refusals, self.options = refusals, options
        self.report = Report()
        self.columns: dict[str, Any] = {}
        self.n = refusals.rows.size
        self.kinds: Ints = np.broadcast_to(np.int64(BBOX), self.n)
        """(n,) places in KINDS."""
        self.sizes: Ints = np.broadcast_to(np.int64(0), (self.n, 2))
        """(n, 2) height and width of images, 0 where unknown."""
        self.left_out: Bools = np.zeros(self.n, np.bool_)
        self.flags: dict[str, Bools] = {}
        self.masks: Masks | None = None

    @property
    def keep(self) -> Bools:
        """(n,) records that become rows."""
        return ~self.refusals.bad & ~self.left_out

    def choose_classes(self) -> None:
        """Class names of categories, which may depend on the kind of row."""
        keys, places = distinct_ids(self.category_id, self.data)
        self._refuse_ids(places, ".category_id")
        self.category_keys, self.category_places = keys, places
        if not keys:
            return
        which = _within(places)
        if _is_one(self.kinds):
            kind = KINDS[self.kinds[0]]
            categories = [(key, kind) for key in keys]
        else:
            chosen, which = distinct_numbers(which * len(KINDS) + self.kinds)
            categories = [(keys[number // len(KINDS)], KINDS[number % len(KINDS)]) for number in chosen.tolist()]
        classes = self.options.chooser.classes(categories)
        self._refuse_told(classes.told, which, ".category_id")
        if classes.are_left_out.any():
            self.left_out = classes.are_left_out[which] & ~self.refusals.bad
            if n_left_out := int(self.left_out.sum()):
                self.report.skipped[LEFT_OUT] += n_left_out
        if classes.are_unlisted.any():
            self.flags[_NOT_LISTED] = classes.are_unlisted[which]
        self.columns["class_name"] = classes.names.take(which)
        if classes.feature_hashes is not None:
            self.columns["feature_hash"] = classes.feature_hashes.take(which)

    def place_images(self) -> None:
        """Data units, frames and sizes."""
        images = self.options.images
        if images is None:
            if (texts := id_texts(self.image_id)) is not None:
                self.columns["data_unit"] = texts
                return
            keys, places = distinct_ids(self.image_id, self.data)
            self._refuse_ids(places, ".image_id")
            if keys:
                self.columns["data_unit"] = Texts(keys).take(_within(places))
            return
        where = self._find(images)
        self._refuse_told(images.flaws, where, ".image_id")
        if images.frames.size:
            where = _within(where)
            self.columns["data_unit"] = images.data_units.take(where)
            self.columns["frame"] = images.frames[where]
            self.sizes = images.sizes[where].astype(np.int64)

    def _find(self, images: Images) -> Ints:
        """Give the place of each record's image, -1 for those that are refused."""
        ids, rule = self.image_id, images.rule
        if images.numbers is not None and are_all_numbers(ids):
            numbers, which = distinct_numbers(ids.value)
            known = images.numbers.find(numbers)
            where = known[which]
            if (known < 0).any():
                self.refusals.add(
                    where < 0, Code.UNKNOWN_DATA_UNIT, ".image_id", lambda row: f"{rule}, got {str(ids.value[row])!r}"
                )
            return where
        keys, places = distinct_ids(ids, self.data)
        self._refuse_ids(places, ".image_id")
        known = np.array([images.places.get(key, -1) for key in keys], np.int64)
        where = known[places] if keys else places
        is_unknown = (where < 0) & (places >= 0)
        self.refusals.add(
            is_unknown, Code.UNKNOWN_DATA_UNIT, ".image_id", lambda row: f"{rule}, got {keys[places[row]]!r}"
        )
        return where

    def take_mask_sizes(self) -> None:
        """Run lengths must be of their image's size, which they tell where it is not known."""
        if self.masks is None:
            return
        has, own = self.sizes, self.masks.sizes
        if not has.any():
            self.sizes = own
            return

        def words(row: int) -> str:
            return f"must be [{has[row][0]}, {has[row][1]}] as its image is, got {own[row].tolist()}"

        differs = ((has != own) & (has > 0)).any(axis=1) & self.masks.is_mask
        self.refusals.add(differs, Code.SIZE_MISMATCH, ".segmentation.size", words)
        self.sizes = np.where(has == 0, own, has)

    def look_at_masks(self) -> None:
        """Flag masks without a pixel, and outline the others where that was asked for."""
        if self.masks is None:
            return
        self.flags[EMPTY_MASK] = self.masks.is_mask & np.isnan(self.masks.shaped.cover[0])
        if self.options.polygons and self.masks.runs is not None:
            drawn = outlines(self.masks.runs, self.masks.sizes, self.refusals)
            self.columns["polygon"] = merged(self.columns.get("polygon"), drawn)

    def flag(self) -> None:
        """Count what is odd about the records that are left."""
        for what, where in self.flags.items():
            if n_flagged := int((where & self.keep).sum()):
                self.report.flagged[what] += n_flagged

    def batch(
        self, corners: Floats, confidence: Any, attributes: Callable[[Ints], Any] | None, source: str
    ) -> pa.RecordBatch:
        """Give the records that are left, in the file's order.

        Args:
            corners: (4, n) pixels, NaN without a box.
            confidence: (n,) a column, or None.
            attributes: gives the column of chosen records; None where none has any.
            source: the file.
        """
        columns = {**self.columns, "confidence": confidence, "bbox": bbox_column(corners), "row": self.refusals.rows}
        columns["kind"] = KINDS[self.kinds[0]] if _is_one(self.kinds) else Texts(KINDS).take(self.kinds)
        for side, name in enumerate(("image_height", "image_width")):
            sizes = self.sizes[:, side]
            if not _is_one(sizes) or sizes[0]:
                columns[name] = numbers_array(sizes.astype(np.int32), is_valid=sizes != 0)
        n, keep = self.n, self.keep
        if attributes is not None or not keep.all():
            chosen = np.flatnonzero(keep)
            n = chosen.size
            if n < self.n:
                columns = {name: _taken(column, chosen) for name, column in columns.items()}
            columns["attributes"] = None if attributes is None else attributes(chosen)
        columns["source"] = _SOURCE.rows(n, source)
        columns.setdefault("frame", 0)
        return record_batch(n, columns)

    def _refuse_ids(self, places: Ints, pointer: str) -> None:
        if places.min(initial=0) < 0:
            rule = "must be text that UTF-8 can hold, got half a character"
            self.refusals.add(places < 0, Code.BAD_TEXT, pointer, rule)

    def _refuse_told(self, told: Any, which: Ints, pointer: str) -> None:
        """Refuse the records of each place that something is told of."""
        if not told:
            return
        by_code: dict[Code, Bools] = {}
        for place in np.unique(which).tolist():
            if place in told:
                by_code.setdefault(told[place][0], np.zeros(which.size, np.bool_))[which == place] = True
        for code, where in by_code.items():
            self.refusals.add(where, code, pointer, _second(told, which))


class _SourceColumn:
    """A column that all batches of a file share, as long as the longest so far.

    Where each length had its own, the shorter batches at a file's begin and end took the place of the longer one's: to
    make it again cost 1,500 page faults in a new thread, 10 of 110 ms of two threads that read boxes.
    """

    _kept: tuple[str, pa.Array] | None = None

    def rows(self, n: int, source: str) -> pa.Array:
        """Give a column of n rows."""
        kept = self._kept
        if kept is None or kept[0] != source or len(kept[1]) < n:
            kept = self._kept = source, constant_column(1 << n.bit_length(), "source", source)
        return kept[1].slice(0, n)


_SOURCE = _SourceColumn()


def _is_one(values: Ints) -> bool:
    """Tell whether rows, at least one, have one number; where it is broadcast, it is not looked for in each of them."""
    return values.strides[0] == 0 or bool((values == values[0]).all())


def _within(places: Ints) -> Ints:
    """Give places, the first one where there is none."""
    return places if places.min(initial=0) >= 0 else np.maximum(places, 0)


def _second(told: dict[int, Told], which: Ints) -> Callable[[int], str]:
    return lambda row: told[int(which[row])][1]


def _taken(column: Any, chosen: Ints) -> Any:
    if isinstance(column, np.ndarray):
        return column[chosen]
    return column.take(numbers_array(chosen)) if isinstance(column, pa.Array) else column
