"""Scanned COCO records as prediction batches; records that do not hold are refused one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.borders import OnOutside
from predarrow.buffers import bools_of, numbers_array
from predarrow.classes import LEFT_OUT, Texts
from predarrow.formats.coco import checks as coco_checks
from predarrow.formats.coco import shapes as coco_shapes
from predarrow.formats.coco.attributes import attribute_column
from predarrow.formats.coco.boxes import BoxUnit, bbox_column, corners_of, judge_borders
from predarrow.formats.coco.checks import Block, RecordRefusals
from predarrow.formats.coco.ids import are_numbers, distinct_ids, distinct_numbers
from predarrow.formats.coco.masks import Masks, masks
from predarrow.formats.coco.names import NO_CATEGORIES, Categories, ChooseClass, Images, Told
from predarrow.formats.coco.outlines import outlines
from predarrow.formats.coco.shapes import Shaped
from predarrow.reader import Part
from predarrow.report import EMPTY_MASK, Code, Report
from predarrow.table import record_batch

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

KINDS = ("bbox", "polygon", "bitmask", "keypoints")
_BBOX, _POLYGON, _BITMASK, _KEYPOINTS = range(len(KINDS))

NOT_LISTED = "category that is not listed, called by its id"
CONFIDENCES = "keypoints with another number than a visibility of 0, 1 or 2, kept in attributes"


class CocoOptions(NamedTuple):
    """How records become rows."""

    images: Images | None = None
    """None takes ids as data units."""
    categories: Categories = NO_CATEGORIES
    choose: ChooseClass = NO_CATEGORIES.choose
    polygons: bool = False
    """Whether run lengths are outlined, too."""
    box_unit: BoxUnit | None = None
    """None is pixels, and boxes that look relative are refused."""
    default_confidence: float | None = None
    on_outside: OnOutside | None = None
    """None does not look whether boxes lie in their images."""


def part(block: Block, options: CocoOptions) -> Part:
    """Give records as a batch, and a problem for each that is refused."""
    table = _Table(block, options)
    table.check()
    table.place_images()
    table.choose_classes()
    table.make_boxes()
    table.flag()
    report = table.report
    report.problems.extend(sorted(table.refusals.problems, key=lambda problem: problem.row or 0))
    return Part([table.batch()] if table.keep.any() else [], report)


class _Table:
    """Records on their way to rows: each step refuses some."""

    def __init__(self, block: Block, options: CocoOptions) -> None:
        self.block, self.options = block, options
        self.records = block.records
        self.refusals = RecordRefusals(block)
        self.report = Report()
        self.columns: dict[str, Any] = {}
        self.left_out: Bools = np.zeros(block.records.kind.size, np.bool_)
        self.flags: dict[str, Bools] = {}

    @property
    def keep(self) -> Bools:
        """(n,) records that become rows."""
        return ~self.refusals.bad & ~self.left_out

    def check(self) -> None:
        """Types, numbers and shapes; what kind of row each record is."""
        from predarrow_engine.coco_columns import COUNTS, FLAT, POLYGONS, RLE

        block, refusals, shapes = self.block, self.refusals, self.records.segmentation
        coco_checks.check_records(block, refusals)
        self.has_score = coco_checks.check_scores(block, refusals)
        self.has_box = coco_checks.check_boxes(block, refusals)
        self.has_points = coco_checks.check_keypoints(block, refusals)
        coco_checks.check_segmentations(block, refusals)
        is_polygon = (shapes.kind == POLYGONS) | (shapes.kind == FLAT)
        is_mask = (shapes.kind == RLE) | (shapes.kind == COUNTS)
        nothing = ~(self.has_box | self.has_points | is_polygon | is_mask)
        rule = "must have a bbox, a segmentation or keypoints, got none of them"
        refusals.add(nothing, Code.BAD_VALUE, "", rule)
        self.kinds = np.select([self.has_points, is_mask, is_polygon], [_KEYPOINTS, _BITMASK, _POLYGON], _BBOX)
        self.covers: list[npt.NDArray[np.float64]] = []
        self.masks: Masks | None = None
        if is_polygon.any():
            self._add("polygon", coco_shapes.polygons(block, is_polygon & ~refusals.bad, ~self.has_box))
        if is_mask.any():
            self.masks = masks(block, refusals, wants_runs=self.options.polygons)
            self._add("mask", self.masks.shaped)

    def _add(self, name: str, shaped: Shaped) -> None:
        self.columns[name] = shaped.column
        self.covers.append(shaped.cover)

    def choose_classes(self) -> None:
        """Class names of categories, which may depend on the kind of row."""
        keys, places = distinct_ids(self.records.category_id, self.block.data)
        self._refuse_ids(places, ".category_id")
        self.category_keys, self.category_places = keys, places
        if not keys:
            return
        chosen, which = distinct_numbers(np.maximum(places, 0) * len(KINDS) + self.kinds)
        choices = [self.options.choose(keys[number // len(KINDS)], KINDS[number % len(KINDS)]) for number in chosen]
        told = {place: choice.told for place, choice in enumerate(choices) if choice.told is not None}
        self._refuse_told(told, which, ".category_id")
        self.left_out = np.array([choice.name is None and choice.told is None for choice in choices])[which]
        self.left_out &= ~self.refusals.bad
        if n_left_out := int(self.left_out.sum()):
            self.report.skipped[LEFT_OUT] += n_left_out
        self.flags[NOT_LISTED] = np.array([not choice.is_listed for choice in choices])[which]
        self.columns["class_name"] = Texts([choice.name for choice in choices]).take(which)
        hashes = [choice.feature_hash for choice in choices]
        if any(text is not None for text in hashes):
            self.columns["feature_hash"] = Texts(hashes).take(which)

    def place_images(self) -> None:
        """Data units, frames and sizes; run lengths must be of their image's size."""
        images, ids = self.options.images, self.records.image_id
        self.sizes: Ints = np.zeros((ids.kind.size, 2), np.int64)
        if images is None:
            keys, places = distinct_ids(ids, self.block.data)
            self._refuse_ids(places, ".image_id")
            if keys:
                self.columns["data_unit"] = Texts(keys).take(np.maximum(places, 0))
        else:
            where = self._find(images)
            self._refuse_told(images.flaws, where, ".image_id")
            if images.frames.size:
                where = np.maximum(where, 0)
                self.columns["data_unit"] = images.data_units.take(where)
                self.columns["frame"] = images.frames[where]
                self.sizes = images.sizes[where].astype(np.int64)
        if self.masks is not None:
            self._take_mask_sizes(self.masks.sizes)

    def _find(self, images: Images) -> Ints:
        """Give the place of each record's image, -1 for those that are refused."""
        ids, rule = self.records.image_id, images.rule
        if images.numbers is not None and are_numbers(ids).all():
            where = images.numbers.find(ids.value)
            self.refusals.add(
                where < 0, Code.UNKNOWN_DATA_UNIT, ".image_id", lambda row: f"{rule}, got {str(ids.value[row])!r}"
            )
            return where
        keys, places = distinct_ids(ids, self.block.data)
        self._refuse_ids(places, ".image_id")
        known = np.array([images.places.get(key, -1) for key in keys], np.int64)
        where = known[places] if keys else places
        is_unknown = (where < 0) & (places >= 0)
        self.refusals.add(
            is_unknown, Code.UNKNOWN_DATA_UNIT, ".image_id", lambda row: f"{rule}, got {keys[places[row]]!r}"
        )
        return where

    def _take_mask_sizes(self, own: Ints) -> None:
        is_mask = bools_of(self.columns["mask"].is_valid())
        has = self.sizes

        def words(row: int) -> str:
            return f"must be [{has[row][0]}, {has[row][1]}] as its image is, got {own[row].tolist()}"

        differs = ((has != own) & (has > 0)).any(axis=1) & is_mask
        self.refusals.add(differs, Code.SIZE_MISMATCH, ".segmentation.size", words)
        self.sizes = np.where((has == 0) & is_mask[:, None], own, has)

    def make_boxes(self) -> None:
        """Boxes of the file in pixels, else covers; outlines of run lengths; keypoints."""
        options, refusals = self.options, self.refusals
        if self.has_points.any():
            known = self.category_keys or [""]  # where no record has one, all are refused
            keys = [known[place] for place in np.maximum(self.category_places, 0).tolist()]
            has_points = self.has_points & ~refusals.bad
            points = coco_shapes.keypoints(self.block, has_points, options.categories.keypoints, keys)
            self._add("keypoints", points)
            self.flags[CONFIDENCES] = coco_shapes.has_confidences(self.block, has_points)
        if self.masks is not None:
            is_mask = bools_of(self.columns["mask"].is_valid())
            self.flags[EMPTY_MASK] = is_mask & np.isnan(self.masks.shaped.cover[0])
            if options.polygons and self.masks.runs is not None:
                drawn = outlines(self.masks.runs, self.masks.sizes, refusals)
                self.columns["polygon"] = coco_shapes.merged(self.columns.get("polygon"), drawn)
        corners = corners_of(self.block, self.has_box, options.box_unit, self.sizes, refusals)
        for cover in self.covers:
            corners = np.where(np.isnan(corners[0]), cover, corners)
        if options.on_outside is not None:
            is_box = self.kinds == _BBOX
            corners = judge_borders(
                corners, is_box, self.sizes, options.on_outside, self.left_out, refusals, self.report
            )
        self.corners = corners

    def flag(self) -> None:
        """Count what is odd about the records that are left."""
        for what, where in self.flags.items():
            if n_flagged := int((where & self.keep).sum()):
                self.report.flagged[what] += n_flagged

    def batch(self) -> pa.RecordBatch:
        """Give the records that are left, in the file's order."""
        keep = self.keep
        chosen = np.flatnonzero(keep)
        columns = {**self.columns, **self._confidence()}
        columns["bbox"] = bbox_column(self.corners)
        columns["kind"] = KINDS[self.kinds[0]] if (self.kinds == self.kinds[0]).all() else Texts(KINDS).take(self.kinds)
        for side, name in enumerate(("image_height", "image_width")):
            sizes = self.sizes[:, side]
            if sizes.any():
                columns[name] = numbers_array(sizes.astype(np.int32), is_valid=sizes != 0)
        columns["row"] = self.refusals.rows
        if not keep.all():
            columns = {name: _taken(column, chosen) for name, column in columns.items()}
        columns["attributes"] = attribute_column(self.block, chosen, self.flags.get(CONFIDENCES))
        columns["source"] = self.block.source
        columns.setdefault("frame", 0)
        return record_batch(chosen.size, columns)

    def _confidence(self) -> dict[str, Any]:
        default, has_score, score = self.options.default_confidence, self.has_score, self.records.score.value
        if has_score.all():
            return {"confidence": score}
        if default is not None:
            return {"confidence": np.where(has_score, score, default)}
        return {"confidence": numbers_array(score, is_valid=has_score)} if has_score.any() else {}

    def _refuse_ids(self, places: Ints, pointer: str) -> None:
        self.refusals.add(places < 0, Code.BAD_TEXT, pointer, "must be text that UTF-8 can hold, got half a character")

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


def _second(told: dict[int, Told], which: Ints) -> Callable[[int], str]:
    return lambda row: told[int(which[row])][1]


def _taken(column: Any, chosen: Ints) -> Any:
    if isinstance(column, np.ndarray):
        return column[chosen]
    return column.take(numbers_array(chosen)) if isinstance(column, pa.Array) else column
