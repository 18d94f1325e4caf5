"""Boxes, polygons and masks of many objects -> the columns of the prediction table that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.classes import Texts
from predarrow.objects import checks, fields
from predarrow.objects.checks import Floats, Ints
from predarrow.objects.shapes import POINTER, Mask, Rings
from predarrow.project_index import ProjectIndex
from predarrow.refusals import Refusals
from predarrow.report import EMPTY_MASK, Code, Report
from predarrow.table import MASK, bbox_array, polygon_array

_BOX_KINDS = ("bbox", "rotated_bbox")


def box_columns(
    boxes: list[Any], sizes: Ints, classes: Ints, index: ProjectIndex, refusals: Refusals, report: Report
) -> dict[str, Any]:
    """Give kind, bbox and rotation of boxes, given by their `fields.box_fields` one after the other, checked.

    A class of rotatable boxes gives rotated boxes, whose bbox is the box before it is rotated about its centre.
    """
    from predarrow_engine.boxes import Layout, Unit, to_corners

    values, is_relative = fields.boxes(boxes, refusals)
    checks.check_box_numbers(values, refusals)
    checks.check_size_known(is_relative, sizes, refusals)
    checks.check_relative_boxes(values, is_relative, refusals)
    is_rotatable = index.fits("rotated_bbox")[classes]
    is_turned = values[:, 4] != 0
    checks.check_class("rotated_bbox", is_turned, classes, index, refusals)
    checks.check_class("bbox", ~is_turned, classes, index, refusals)
    corners = np.zeros((4, len(values)))
    for unit, chosen in ((Unit.RELATIVE, is_relative), (Unit.PIXEL, ~is_relative)):
        chosen = chosen & ~refusals.bad
        if chosen.any():
            corners[:, chosen] = to_corners(values[chosen, :4], Layout.XYWH, unit, sizes[chosen])
    checks.check_corners(corners, refusals)
    checks.flag_outside("box", corners, sizes, refusals, is_turned, report)
    return {
        "kind": Texts(_BOX_KINDS).take(is_rotatable.astype(np.int64)),
        "bbox": bbox_array(corners),
        "rotation": pa.array(values[:, 4], pa.float64(), mask=~is_rotatable),
    }


def polygon_columns(
    shapes: Sequence[Rings], sizes: Ints, classes: Ints, index: ProjectIndex, refusals: Refusals, report: Report
) -> dict[str, Any]:
    """Give kind, polygon and the bbox that covers it, checked."""
    every = np.ones(len(shapes), np.bool_)
    checks.check_class("polygon", every, classes, index, refusals)
    rings = list(chain.from_iterable(shape.xy for shape in shapes))
    ring_offsets = _offsets(list(map(len, rings)))
    part_offsets = _offsets(list(chain.from_iterable(shape.rings for shape in shapes)))
    row_offsets = _offsets([len(shape.rings) for shape in shapes])
    first = ring_offsets[part_offsets[row_offsets]]
    xy = np.concatenate(rings)
    is_relative = fields.units([shape.unit for shape in shapes], refusals)
    checks.check_size_known(is_relative, sizes, refusals)
    ends = np.hstack([reduce.reduceat(xy, first[:-1]) for reduce in (np.minimum, np.maximum)])
    checks.check_relative(is_relative, "points", ends, 'Polygon(points, unit="pixel")', refusals)
    scale = np.where(is_relative[:, None], sizes[:, ::-1], 1)
    with np.errstate(over="ignore", invalid="ignore"):  # what comes out as no number is refused below
        x, y = (xy * np.repeat(scale, np.diff(first), axis=0)).T.astype(np.float32)
    cover = cover_of(x, y, first[:-1])
    refusals.add(
        np.any(~np.isfinite(cover), axis=0),
        Code.BAD_VALUE,
        POINTER,
        lambda row: f"points must be finite 32-bit floats, got {ends[row].min()} to {ends[row].max()}",
    )
    checks.flag_outside("polygon", cover, sizes, refusals, ~every, report)
    return {
        "kind": "polygon",
        "polygon": polygon_array(x, y, ring_offsets, part_offsets, row_offsets),
        "bbox": bbox_array(cover),
    }


def cover_of(x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], first: npt.NDArray[Any]) -> Floats:
    """Give (4, n) xmin, ymin, xmax, ymax of vertices, n times those from `first` to the next one, at least one."""
    edges = [reduce.reduceat(axis, first) for reduce in (np.minimum, np.maximum) for axis in (x, y)]
    return np.stack(edges).astype(np.float64)


def _offsets(counts: list[int]) -> npt.NDArray[np.int32]:
    return np.concatenate([np.zeros(1, np.int32), np.cumsum(counts, dtype=np.int32)])


class EncodedMask(NamedTuple):
    """A mask as COCO's run lengths."""

    height: int
    width: int
    counts: bytes
    bbox: Floats
    """(4,) cover in pixels"""


def encoded(mask: Mask) -> EncodedMask:
    """Give a mask as COCO's run lengths: a copy that is a hundredth of its size."""
    from predarrow_engine.rle import encode

    result = encode(mask)
    height, width = mask.shape
    return EncodedMask(height, width, result.counts.tobytes(), result.bbox[:, 0])


def mask_columns(
    masks: Sequence[EncodedMask], sizes: Ints, classes: Ints, index: ProjectIndex, refusals: Refusals, report: Report
) -> dict[str, Any]:
    """Give kind, mask and the bbox that covers it, checked; masks without a pixel are left out by rule."""
    checks.check_class("bitmask", np.ones(len(masks), np.bool_), classes, index, refusals)
    own = np.array([(mask.height, mask.width) for mask in masks])

    def words(row: int) -> str:
        (height, width), (has_height, has_width) = sizes[row], own[row]
        return f"must be {width} x {height} pixels as its data unit is, got {has_width} x {has_height}"

    refusals.add(((sizes != own) & (sizes > 0)).any(1), Code.SIZE_MISMATCH, POINTER, words)
    corners = np.stack([mask.bbox for mask in masks], 1)
    is_empty = np.isnan(corners[0]) & ~refusals.bad
    if is_empty.any():
        report.skipped[EMPTY_MASK] += int(is_empty.sum())
        refusals.bad |= is_empty
    heights, widths = (pa.array(column, pa.int32()) for column in own.T)
    counts = pa.array([mask.counts for mask in masks], pa.binary())
    return {
        "kind": "bitmask",
        "mask": pa.StructArray.from_arrays([heights, widths, counts], fields=list(MASK)),
        "bbox": bbox_array(corners),
        "image_height": heights,
        "image_width": widths,
    }
