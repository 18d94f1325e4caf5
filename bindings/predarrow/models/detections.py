"""Boxes that a model gave, in memory, as prediction rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.classes import Classes
from predarrow.errors import InputError
from predarrow.models.arrays import arrow, bad_array, finite_numbers, texts
from predarrow.models.box_rows import BoxRows
from predarrow.models.labels import class_column, keep_named
from predarrow.options import one_of
from predarrow.report import Code, Problem, Report
from predarrow.table import SCHEMA, bbox_array, record_batch

if TYPE_CHECKING:
    from predarrow_engine.boxes import Layout, Unit

BoxFormat = Literal["xyxy", "xywh", "cxcywh"]
BoxUnit = Literal["pixel", "percent", "relative"]


class DetectionOptions(TypedDict, total=False):
    """What a batch of boxes may come with; see `from_detections`."""

    image_sizes: Any
    object_ids: Any
    frames: Any
    rotations: Any


def from_detections(
    boxes: Any,
    scores: Any,
    labels: Any,
    image_ids: Any,
    *,
    box_format: BoxFormat = "xyxy",
    box_unit: BoxUnit = "pixel",
    image_sizes: Any = None,
    classes: Classes | None = None,
    object_ids: Any = None,
    frames: Any = 0,
    rotations: Any = None,
    report: Report | None = None,
) -> pa.Table:
    """Give the boxes that a model gave as prediction rows, in their order: kind bbox, corners in pixels.

    Arrays may be of any library (NumPy, torch, JAX, anything with DLPack or `__array__`, lists) and are not changed.
    A batch is given as one list of boxes per image, [(n1, 4), (n2, 4), …]; then scores, labels, object_ids and
    rotations are lists of the same lengths, image_ids, frames and image_sizes have one entry per image.

    Args:
        boxes: (n, 4) in box_format and box_unit; x right, y down. Width and height may be 0, not negative.
        scores: (n,) finite, kept as they are; None where the model gives none.
        labels: (n,) whole numbers or names, or one for all; None for a model that knows no classes (then 1).
        image_ids: (n,) texts or whole numbers, or one for all; the table's data_unit.
        box_format: "xyxy" (left, top, right, bottom), "xywh" (left, top, width, height) or "cxcywh" (centre).
        box_unit: "pixel", "percent" (0 to 100) or "relative" (0 to 1); the last two need image_sizes.
        image_sizes: height and width in pixels: (2,) for all, (n, 2), or a mapping by image id.
        classes: names by number; None for a name leaves the class out.
        object_ids: (n,) texts or whole numbers, None where a box has none: one object over frames has one id.
        frames: (n,) or one for all.
        rotations: (n,) degrees, clockwise on screen, about the box's centre; kind is then rotated_bbox and
            boxes are as they were before they were turned.
        report: counts what is left out by rule.

    Raises:
        InputError: shapes that do not fit, values that are not finite, a negative width or height, classes
            without a name; each with its place, such as `boxes[17]`.
        PredarrowError: an option that does not hold.
        OntologyError: `classes` that do not hold.

    >>> from_detections([[10, 20, 30, 60]], [0.9], ["car"], "000000.png")["bbox"][0].as_py()
    {'xmin': 10.0, 'ymin': 20.0, 'xmax': 30.0, 'ymax': 60.0}
    """
    from predarrow_engine.boxes import to_corners

    layout, unit = _layout(box_format), _unit(box_unit)
    rows = BoxRows(boxes)
    classed = class_column(rows.joined(labels, "labels"), classes, rows.n, rows.place)
    columns: dict[str, Any] = {"data_unit": rows.per_image(image_ids, "image_ids"), "class_name": classed.names}
    sizes = rows.sizes(image_sizes, image_ids)
    if unit != _unit("pixel") and sizes is None:
        hint = f'give image_sizes, or box_unit="pixel"; box_unit is {box_unit!r}'
        raise bad_array("image_sizes", "must be the height and width of each image", f"None; {hint}")
    corners = to_corners(rows.boxes, layout, unit, sizes)
    _check(rows, corners)
    columns |= {"kind": "bbox", "bbox": bbox_array(corners), "row": arrow(np.arange(rows.n))}
    if scores is not None:
        columns["confidence"] = arrow(finite_numbers(rows.joined(scores, "scores"), rows.n, "scores", rows.place))
    if object_ids is not None:
        columns["object_id"] = texts(rows.joined(object_ids, "object_ids"), rows.n, "object_ids", nullable=True)
    if rotations is not None:
        columns["kind"] = "rotated_bbox"
        turned = rows.joined(rotations, "rotations")
        columns["rotation"] = arrow(finite_numbers(turned, rows.n, "rotations", rows.place))
    columns["frame"] = rows.frames(frames)
    columns |= _size_columns(sizes)
    batch = keep_named(record_batch(rows.n, columns), classed, report)
    return pa.Table.from_batches([batch], SCHEMA)


def _check(rows: BoxRows, corners: npt.NDArray[np.float64]) -> None:
    from predarrow_engine.boxes import NEGATIVE_SIZE, NOT_FINITE, judge

    codes = judge(corners)
    bad = (codes == NOT_FINITE) | (codes == NEGATIVE_SIZE)
    if not bad.any():
        return
    rules = {
        NOT_FINITE: "must be finite numbers",
        NEGATIVE_SIZE: "must not have a negative width or height (is box_format right?)",
    }
    problems = []
    for row in np.flatnonzero(bad).tolist():
        message = f"{rules[int(codes[row])]}, got {rows.boxes[row].tolist()}"
        problems.append(Problem(rows.place("boxes", row), row, "", Code.BAD_BOX, message))
    raise InputError(problems)


def _size_columns(sizes: npt.NDArray[np.int64] | None) -> dict[str, Any]:
    if sizes is None:
        return {}
    if sizes.ndim == 1:
        return {"image_height": int(sizes[0]), "image_width": int(sizes[1])}
    return {name: arrow(sizes[:, i].astype(np.int32)) for i, name in enumerate(("image_height", "image_width"))}


def _layout(box_format: str) -> Layout:
    from predarrow_engine.boxes import Layout

    return Layout[one_of("box_format", box_format, get_args(BoxFormat)).upper()]


def _unit(box_unit: str) -> Unit:
    from predarrow_engine.boxes import Unit

    return Unit[one_of("box_unit", box_unit, get_args(BoxUnit)).upper()]
