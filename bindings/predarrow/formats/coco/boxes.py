"""COCO's boxes, x, y, width, height, as corners in pixels: units, what looks relative, what lies beyond the image."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.borders import FLAGS, NOISE, OnOutside, borders_of, outside_rule
from predarrow.buffers import numbers_array, validity
from predarrow.formats.coco.checks import Block
from predarrow.refusals import Refusals
from predarrow.report import Code, Problem, Report
from predarrow.table import BBOX, bbox_array

BoxUnit = Literal["pixel", "relative", "percent"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

RELATIVE = "boxes must be in pixels, got x, y, width and height from 0 to 1 in all of them, which looks relative"
"""Rule for boxes that `look_relative`, and what was met."""


def relative_boxes(block: Block) -> Problem | None:
    """Word that all boxes of a block look relative: all lie in 0 to 1, and not all numbers are whole."""
    from predarrow_engine.coco_columns import LIST

    bbox = block.records.bbox
    if not look_relative(bbox.values[(bbox.kind == LIST) & (bbox.n_values == 4), :4]):
        return None
    hint = 'give box_unit="relative" with the images\' sizes, or box_unit="pixel" if they are pixels'
    return Problem(block.source, None, "bbox", Code.BAD_BOX, f"{RELATIVE}; {hint}")


def look_relative(xywh: Floats) -> bool:
    """Tell whether all of (n, 4) boxes lie in 0 to 1, and not all numbers are whole; none do not."""
    if not xywh.size or not ((xywh >= 0) & (xywh <= 1 + NOISE)).all():
        return False
    is_within = (xywh[:, :2] + xywh[:, 2:] <= 1 + NOISE).all()
    return bool(is_within and not (xywh == np.floor(xywh)).all())


def corners_of(
    block: Block, has_box: Bools, unit: BoxUnit | None, sizes: npt.NDArray[np.int64], refusals: Refusals
) -> Floats:
    """Give (4, n) corners in pixels, NaN without a box.

    Args:
        block: its boxes are four finite numbers where not refused.
        has_box: (n,)
        unit: of the boxes; None is pixels.
        sizes: (n, 2) height and width, 0 where unknown.
        refusals: of as many rows.
    """
    from predarrow_engine.boxes import Layout, Unit, to_corners

    values = block.records.bbox.values[:, :4]
    corners: Floats = np.full((4, has_box.size), np.nan)
    if not has_box.any():
        return corners
    chosen = has_box
    if unit in ("relative", "percent"):
        message = f"{unit} boxes need the image's size, got none; give images with height and width"
        refusals.add(has_box & (sizes == 0).any(axis=1), Code.SIZE_UNKNOWN, ".bbox", message)
        chosen = has_box & ~refusals.bad
    with np.errstate(over="ignore", invalid="ignore"):  # what comes out as no number is refused below
        if chosen.all():
            corners = to_corners(values, Layout.XYWH, unit or Unit.PIXEL, sizes)
        else:
            corners[:, chosen] = to_corners(values[chosen], Layout.XYWH, unit or Unit.PIXEL, sizes[chosen])
    is_far = chosen & ~np.isfinite(corners).all(axis=0)
    refusals.add(is_far, Code.BAD_BOX, ".bbox", lambda row: f"corners must be finite, got {corners[:, row].tolist()}")
    return corners


def bbox_column(corners: Floats) -> pa.Array:
    """Give (4, n) corners as a bbox column, null where they are NaN."""
    is_given = ~np.isnan(corners[0])
    column = bbox_array(corners)
    if is_given.all():
        return column
    children = [numbers_array(side) for side in np.nan_to_num(corners)]
    return pa.Array.from_buffers(BBOX, len(column), [validity(is_given)], children=children)


def judge_borders(
    corners: Floats,
    is_box: Bools,
    sizes: npt.NDArray[np.int64],
    on_outside: OnOutside,
    left_out: Bools,
    refusals: Refusals,
    report: Report,
) -> Floats:
    """Flag, clip or refuse what lies beyond its image by more than a millionth of its side; give the boxes, (4, n).

    Only boxes of `is_box` are clipped; images of unknown size, 0, hold every box.
    """
    borders = borders_of(sizes.T[::-1])
    outside = borders.are_passed(corners) & ~left_out

    def words(row: int) -> str:
        rule = outside_rule(on_outside, sizes[row, 1], sizes[row, 0])
        return f"{rule}, got left, top, right, bottom {corners[:, row].tolist()}"

    if on_outside == "reject":
        refusals.add(outside, Code.OUTSIDE_IMAGE, "", words)
    if on_outside == "clip":
        is_beyond = outside & is_box & borders.are_missed(corners)
        refusals.add(is_beyond, Code.OUTSIDE_IMAGE, ".bbox", words)
    is_clipped = outside & is_box & (on_outside == "clip") & ~refusals.bad
    is_kept = outside & ~refusals.bad & ~is_clipped
    for what, where in ((FLAGS["clip"], is_clipped), (FLAGS["keep"], is_kept)):
        if n_flagged := int(where.sum()):
            report.flagged[what] += n_flagged
    if not is_clipped.any():
        return corners
    return np.where(is_clipped, borders.clipped(corners), corners)
