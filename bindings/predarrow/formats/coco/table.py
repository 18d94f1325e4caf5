"""Scanned COCO records as prediction batches; records that do not hold are refused one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from predarrow.buffers import numbers_array
from predarrow.formats.coco import checks as coco_checks
from predarrow.formats.coco import shapes as coco_shapes
from predarrow.formats.coco.attributes import attribute_column
from predarrow.formats.coco.boxes import corners_of, judge_borders
from predarrow.formats.coco.checks import Block, RecordRefusals
from predarrow.formats.coco.masks import masks
from predarrow.formats.coco.rows import BBOX, BITMASK, KEYPOINTS, POLYGON, CocoOptions, Ints, Rows
from predarrow.formats.coco.shapes import Shaped
from predarrow.reader import Part
from predarrow.report import Code

_CONFIDENCES = "keypoints with another number than a visibility of 0, 1 or 2, kept in attributes"


def part(block: Block, options: CocoOptions) -> Part:
    """Give records as a batch, and a problem for each that is refused."""
    table = _Table(block, options)
    table.check()
    table.place_images()
    table.take_mask_sizes()
    table.choose_classes()
    table.make_boxes()
    table.flag()
    report = table.report
    report.problems.extend(sorted(table.refusals.problems, key=lambda problem: problem.row or 0))
    return Part([table.whole()] if table.keep.any() else [], report)


class _Table(Rows):
    """Records of every kind."""

    def __init__(self, block: Block, options: CocoOptions) -> None:
        records = block.records
        super().__init__(records.image_id, records.category_id, block.data, RecordRefusals(block), options)
        self.block, self.records = block, records

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
        self.kinds = np.select([self.has_points, is_mask, is_polygon], [KEYPOINTS, BITMASK, POLYGON], BBOX)
        self.covers: list[npt.NDArray[np.float64]] = []
        if is_polygon.any():
            self._add("polygon", coco_shapes.polygons(block, is_polygon & ~refusals.bad, ~self.has_box))
        if is_mask.any():
            self.masks = masks(block, refusals, wants_runs=self.options.polygons)
            self._add("mask", self.masks.shaped)

    def _add(self, name: str, shaped: Shaped) -> None:
        self.columns[name] = shaped.column
        self.covers.append(shaped.cover)

    def make_boxes(self) -> None:
        """Boxes of the file in pixels, else covers; outlines of run lengths; keypoints."""
        options, refusals = self.options, self.refusals
        if self.has_points.any():
            known = self.category_keys or [""]  # where no record has one, all are refused
            keys = [known[place] for place in np.maximum(self.category_places, 0).tolist()]
            has_points = self.has_points & ~refusals.bad
            points = coco_shapes.keypoints(self.block, has_points, options.categories.keypoints, keys)
            self._add("keypoints", points)
            self.flags[_CONFIDENCES] = coco_shapes.has_confidences(self.block, has_points)
        self.look_at_masks()
        corners = corners_of(self.block, self.has_box, options.box_unit, self.sizes, refusals)
        for cover in self.covers:
            corners = np.where(np.isnan(corners[0]), cover, corners)
        if options.on_outside is not None:
            is_box = self.kinds == BBOX
            corners = judge_borders(
                corners, is_box, self.sizes, options.on_outside, self.left_out, refusals, self.report
            )
        self.corners = corners

    def whole(self) -> Any:
        """Give the batch of the records that are left."""
        return self.batch(self.corners, self._confidence(), self._attributes, self.block.source)

    def _attributes(self, chosen: Ints) -> Any:
        return attribute_column(self.block, chosen, self.flags.get(_CONFIDENCES))

    def _confidence(self) -> Any:
        default, has_score, score = self.options.default_confidence, self.has_score, self.records.score.value
        if has_score.all():
            return score
        if default is not None:
            return np.where(has_score, score, default)
        return numbers_array(score, is_valid=has_score) if has_score.any() else None
