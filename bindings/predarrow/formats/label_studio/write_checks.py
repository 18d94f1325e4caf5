"""Which rows Label Studio cannot hold, whatever the labelling config.

Rows that were read from Label Studio are held to what can be written at all: what is odd about them was odd there.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.label_studio.write_clip import clipped_polygons
from predarrow.formats.label_studio.write_geometry import corners_of
from predarrow.formats.label_studio.write_rings import line_flaws
from predarrow.refusals import Refusals, shown
from predarrow.report import Code
from predarrow.table import bbox_array
from predarrow.tables.checks import check_polygons, check_present

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Outside = Literal["refuse", "clip"]
Columns = dict[str, pa.Array]

BEYOND = "region beyond the image, as it was read"
TURNED = "rotated box or ellipse that reaches beyond the image"
CLIPPED = "region clipped at the image's border"

_BOXES = ("bbox", "rotated_bbox", "ellipse", "circle")
_ROTATED = ("rotated_bbox", "ellipse", "circle")
_MOST_DEGREES = 360  # of Label Studio's own check, which knows no least
_IN_IMAGE = (*_BOXES, "polygon", "polyline", "keypoints")
_SLACK = 1e-8  # of a side: what rounding leaves of a box at the border
_HINT = 'on_outside="clip" (--on-outside clip) cuts boxes and polygons at the border'


def check(
    columns: Columns, sizes: Floats, is_kept: Bools, outside: Outside, refusals: Refusals, flags: Counter[str]
) -> None:
    """Refuse rows whose values do not hold; clip those beyond their image where that is asked for.

    Args:
        columns: of whole data units; bbox and polygon are replaced where rows are clipped.
        sizes: (n, 2) height and width of their images, 0 where not known.
        is_kept: (n,) rows that were read from Label Studio.
        outside: what becomes of rows beyond their image.
        refusals: of as many rows.
        flags: told of what is odd.
    """
    _check_scores(columns, refusals)
    check_present(columns, refusals)
    rotation = columns["rotation"].fill_null(0.0).to_numpy(zero_copy_only=False)
    _check_rotation(columns, rotation, is_kept, refusals)
    in_image = _are(columns, *_IN_IMAGE)
    hint = "give the table image_height and image_width"
    message = f"the image's size must be known, as Label Studio has percentages of it, got none; {hint}"
    refusals.add(in_image & (sizes <= 0).any(axis=1), Code.SIZE_UNKNOWN, "image_height", message)
    covers = check_polygons(columns, refusals)
    for several, is_wrong in line_flaws(columns):
        refusals.add(is_wrong, Code.CANNOT_HOLD, "polygon", several)
    boxes = _check_boxes(columns, is_kept, refusals)
    if boxes is not None:
        _check_corners(columns, boxes, rotation, sizes, is_kept, refusals)
    points = _check_points(columns, refusals)
    _check_masks(columns, sizes, refusals)
    for is_shape, found in (
        (_are(columns, *_BOXES), boxes),
        (_are(columns, "polygon", "polyline"), covers),
        (_are(columns, "keypoints"), points),
    ):
        if found is not None and (is_shape & ~refusals.bad).any():
            _judge(columns, found, is_shape & ~refusals.bad, sizes, is_kept, outside, refusals, flags)


def _check_scores(columns: Columns, refusals: Refusals) -> None:
    scores = columns["confidence"].fill_null(0.0).to_numpy(zero_copy_only=False)
    rule = "must be from 0 to 1 in Label Studio"
    hint = "bring scores of another scale to it first"
    is_odd = ~((scores >= 0) & (scores <= 1))
    refusals.add(is_odd, Code.BAD_CONFIDENCE, "confidence", lambda row: f"{rule}, got {scores[row]}; {hint}")


def _check_rotation(columns: Columns, rotation: Floats, is_kept: Bools, refusals: Refusals) -> None:
    rule = "must be finite"
    refusals.add(~np.isfinite(rotation), Code.BAD_NUMBER, "rotation", lambda row: f"{rule}, got {rotation[row]}")
    is_over = _are(columns, *_ROTATED) & (rotation > _MOST_DEGREES) & ~is_kept
    most, hint = f"must be at most {_MOST_DEGREES} in Label Studio", f"{_MOST_DEGREES} less is the same angle"
    refusals.add(is_over, Code.BAD_NUMBER, "rotation", lambda row: f"{most}, got {rotation[row]}; {hint}")


def _check_corners(
    columns: Columns, boxes: Floats, rotation: Floats, sizes: Floats, is_kept: Bools, refusals: Refusals
) -> None:
    """Refuse rotated boxes whose own top left corner, which Label Studio tells, lies right of or below the image."""
    from predarrow_engine.percent import shortest_boxes

    rows = np.flatnonzero(_are(columns, "rotated_bbox") & (rotation != 0) & ~is_kept & ~refusals.bad)
    if not rows.size:
        return
    height, width = (np.ascontiguousarray(side) for side in sizes[rows].T)
    x, y, *_ = shortest_boxes(boxes[:, rows], rotation[rows], width, height)
    is_over = np.zeros(len(rotation), np.bool_)
    is_over[rows] = (x > 100) | (y > 100)
    percents = dict(zip(rows.tolist(), zip(x.tolist(), y.tolist(), strict=True), strict=True))

    def words(row: int) -> str:
        rule = "its top left corner, rotated, must be at most 100 percent of the image's width and height"
        got = "{:g} and {:g}".format(*percents[row])
        return f"{rule}, got {got}; rotated by 180 degrees more or less it has another one"

    refusals.add(is_over, Code.OUTSIDE_IMAGE, "bbox", words)


def _check_boxes(columns: Columns, is_kept: Bools, refusals: Refusals) -> Floats | None:
    """Refuse boxes that are none; give them, (4, n)."""
    is_box = _are(columns, *_BOXES)
    if not is_box.any():
        return None
    boxes = corners_of(columns["bbox"])
    left, top, right, bottom = boxes
    is_good = np.isfinite(boxes).all(axis=0) & (left <= right) & (top <= bottom)
    rule = "corners must be finite and in order"
    refusals.add(is_box & ~is_good, Code.BAD_BOX, "bbox", lambda row: f"{rule}, got {boxes[:, row].tolist()}")
    is_flat = (left == right) | (top == bottom)
    size = "must have a width and a height above 0, as the editor needs it"
    refusals.add(
        is_box & is_flat & ~is_kept, Code.BAD_SIZE, "bbox", lambda row: f"{size}, got {boxes[:, row].tolist()}"
    )
    return boxes


def _check_points(columns: Columns, refusals: Refusals) -> Floats | None:
    """Refuse points that are not finite; give their covers, (4, n), NaN for none."""
    is_point = _are(columns, "keypoints")
    if not is_point.any():
        return None
    column = columns["keypoints"]
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    first = np.cumsum(lengths) - lengths
    points = np.full((2, len(column)), np.nan)
    has_one = lengths == 1
    for place, name in enumerate(("x", "y")):
        values = column.flatten().field(name).fill_null(np.nan).to_numpy(zero_copy_only=False)
        points[place, has_one] = values[first[has_one]]
    refusals.add(
        is_point & ~has_one, Code.CANNOT_HOLD, "keypoints", lambda row: f"must be one point, got {lengths[row]}"
    )
    is_finite = np.isfinite(points).all(axis=0)
    refusals.add(is_point & ~is_finite, Code.BAD_TABLE, "keypoints", "x and y must be finite")
    covers: Floats = np.concatenate([points, points])
    return covers


def _check_masks(columns: Columns, sizes: Floats, refusals: Refusals) -> None:
    """Refuse masks that do not decode, or are of another size than their image."""
    from predarrow_engine.brush import PIXEL_LIMIT
    from predarrow_engine.rle_cover import covers

    is_mask = _are(columns, "bitmask") & ~refusals.bad
    if not is_mask.any():
        return
    masks = columns["mask"].filter(pa.array(is_mask))
    height, width, counts = masks.flatten()
    own = np.stack([side.fill_null(-1).to_numpy().astype(np.int64) for side in (height, width)], 1)
    flat = pa.concat_arrays([counts.fill_null(b"")])  # begins with its first string
    _, offsets, data = flat.buffers()
    text = np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
    found = covers(text, np.frombuffer(offsets, np.int32, len(flat) + 1, 4 * flat.offset), np.maximum(own, 0))
    places = np.flatnonzero(is_mask)
    is_bad = (found.area < 0) | (own <= 0).any(axis=1) | (counts.null_count > 0)
    rule = "must have height, width and COCO's compressed run lengths of so many pixels"
    for which in np.flatnonzero(is_bad).tolist():
        row = int(places[which])
        refusals.add_one(row, Code.BAD_TABLE, "mask", f"{rule}, got {shown(masks[which].as_py())}")
    wanted = sizes[places].astype(np.int64)
    differs = ~is_bad & (wanted > 0).all(axis=1) & (wanted != own).any(axis=1)
    for which in np.flatnonzero(differs).tolist():
        rule = "must be {} x {} (height x width) as the image is".format(*wanted[which])
        message = "{}, got {} x {}".format(rule, *own[which])
        refusals.add_one(int(places[which]), Code.SIZE_MISMATCH, "mask", message)
    is_large = ~is_bad & ~differs & (own.prod(axis=1) > PIXEL_LIMIT)
    for which in np.flatnonzero(is_large).tolist():
        message = f"must have at most {PIXEL_LIMIT} pixels, got {own[which].prod()}"
        refusals.add_one(int(places[which]), Code.TOO_LARGE, "mask", message)


def _judge(
    columns: Columns,
    covers: Floats,
    chosen: Bools,
    sizes: Floats,
    is_kept: Bools,
    outside: Outside,
    refusals: Refusals,
    flags: Counter[str],
) -> None:
    """Refuse or clip what is beyond its image.

    Args:
        covers: (4, n) of one shape, NaN for none.
        chosen: (n,) rows of that shape.
    """
    height, width = sizes.T
    slack = _SLACK * np.stack([width, height, width, height])
    low, high = covers[:2], covers[2:]
    sides = np.stack([width, height])
    with np.errstate(invalid="ignore"):
        is_beyond = chosen & ((low < -slack[:2]) | (high > sides + slack[2:]) | (high - low > sides)).any(axis=0)
    if not is_beyond.any():
        return
    flags[BEYOND] += int((is_beyond & is_kept).sum())
    is_beyond &= ~is_kept
    is_turned = is_beyond & (_are(columns, "rotated_bbox", "ellipse", "circle"))
    centre = (low + high) / 2
    holds = ((centre >= 0) & (centre <= sides) & (high - low <= sides)).all(axis=0)
    flags[TURNED] += int((is_turned & holds).sum())
    is_wrong = (is_turned & ~holds) | (is_beyond & _are(columns, "polyline", "keypoints"))
    is_left = is_beyond & ~is_turned & ~is_wrong
    if outside == "clip":
        _clip(columns, covers, is_left, sizes, refusals, flags)
    else:
        is_wrong |= is_left

    def words(row: int) -> str:
        got = [round(float(side), 3) for side in covers[:, row]]
        return f"must be inside the image of {width[row]:g} x {height[row]:g} pixels, got {got}; {_HINT}"

    refusals.add(is_wrong, Code.OUTSIDE_IMAGE, "bbox", words)


def _clip(
    columns: Columns, covers: Floats, chosen: Bools, sizes: Floats, refusals: Refusals, flags: Counter[str]
) -> None:
    """Cut boxes and polygons at the image's border; those wholly beyond it are refused."""
    if not chosen.any():
        return
    sides = np.stack([sizes[:, 1], sizes[:, 0]])
    inside = np.concatenate([np.clip(half, 0, sides) for half in (covers[:2], covers[2:])])
    is_gone = chosen & ((inside[0] >= inside[2]) | (inside[1] >= inside[3]))
    rule = "must not be wholly beyond the image"
    refusals.add(is_gone, Code.OUTSIDE_IMAGE, "bbox", lambda row: f"{rule}, got {covers[:, row].tolist()}")
    chosen = chosen & ~is_gone
    is_polygon = chosen & _are(columns, "polygon")
    if is_polygon.any():
        columns["polygon"], is_lost = clipped_polygons(columns["polygon"], is_polygon, sizes)
        refusals.add(is_lost, Code.OUTSIDE_IMAGE, "polygon", f"{rule}, got nothing inside")
        chosen = chosen & ~is_lost
    is_box = chosen & _are(columns, "bbox")
    if is_box.any():
        boxes = np.where(is_box, inside, corners_of(columns["bbox"]))
        has_box = columns["bbox"].is_valid()
        columns["bbox"] = pc.if_else(has_box, bbox_array(np.nan_to_num(boxes)), columns["bbox"])
    flags[CLIPPED] += int(chosen.sum())


def _are(columns: Columns, *kinds: str) -> Bools:
    found: Bools = pc.is_in(columns["kind"], pa.array(kinds)).to_numpy(zero_copy_only=False)
    return found
