"""Results of detection libraries as prediction rows. They are read by their attributes; none is imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TypedDict, Unpack

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.classes import Classes
from predarrow.errors import InputError
from predarrow.models.arrays import as_array, as_column, bad_array, scalar, shape
from predarrow.models.detections import from_detections
from predarrow.models.instance_masks import MaskForm, from_masks
from predarrow.refusals import shown
from predarrow.report import Code, Problem, Report
from predarrow.table import SCHEMA

_ROW = SCHEMA.get_field_index("row")

_RECTANGLE_NOISE = 1e-3
_SUPERVISION = ("xyxy", "mask", "confidence", "class_id", "tracker_id")


class InstanceOptions(TypedDict, total=False):
    """How masks become predictions; see `from_masks`."""

    threshold: float
    """Of float masks (default 0.5: these libraries give probabilities, or 0 and 1 as floats)."""
    form: MaskForm
    """"polygon" (default) or "rle"."""
    outline: Literal["edge", "center"]
    """Of polygons: along pixel edges (default), or OpenCV's vertices."""
    holes: Literal["keep", "fill"]
    """Of polygons: kept (default) or filled."""
    min_area: int
    """Masks of fewer pixels are left out (default 0: empty ones alone)."""


def from_torchvision(
    outputs: Sequence[Mapping[str, Any]] | Mapping[str, Any],
    image_ids: Any,
    *,
    classes: Classes | None = None,
    frames: Any = 0,
    image_sizes: Any = None,
    report: Report | None = None,
    **options: Unpack[InstanceOptions],
) -> pa.Table:
    """Give what a torchvision detection model gave for a batch of images as prediction rows.

    Args:
        outputs: one mapping per image, or that of one image: boxes (n, 4) "xyxy" in pixels, labels (n,), scores (n,)
            and, of Mask R-CNN, masks (n, 1, height, width) probabilities; a target's masks (n, height, width), and no
            scores, do as well. With masks, the rows are the masks (and boxes their covers), else the boxes.
        image_ids: one text or whole number per image.
        classes: names by number.
        frames: one per image, or one for all.
        image_sizes: height and width of all images, or one per image; masks know theirs.
        report: counts what is left out by rule.
        options: see `InstanceOptions`.

    Raises:
        InputError: an output without boxes or labels, another number of masks than of boxes, or what
            `from_detections` and `from_masks` raise.
        TypeError: an option that there is not.
    """
    check_names(options)
    outputs = [outputs] if isinstance(outputs, Mapping) else as_list(outputs, "outputs", "one mapping per image")
    for i, output in enumerate(outputs):
        if not isinstance(output, Mapping):
            raise bad_array(f"outputs[{i}]", "must be a mapping with boxes and labels", shown(output))
        for name in ("boxes", "labels"):
            if name not in output:
                raise bad_array(f"outputs[{i}]", "must have boxes and labels", f"{', '.join(map(str, output))}")
    ids, frames = per_image(image_ids, len(outputs), "image_ids"), per_image(frames, len(outputs), "frames", one=True)
    for name in ("scores", "masks"):
        if 0 < sum(name in output for output in outputs) < len(outputs):
            i = next(i for i, output in enumerate(outputs) if name not in output)
            got = ", ".join(map(str, outputs[i]))
            raise bad_array(f"outputs[{i}]", f"must have {name}, as others of the batch do", got)
    if not outputs or "masks" not in outputs[0]:
        scores = [output["scores"] for output in outputs if "scores" in output] or None
        boxes, labels = ([output[name] for output in outputs] for name in ("boxes", "labels"))
        return from_detections(
            boxes, scores, labels, ids, classes=classes, frames=frames, image_sizes=image_sizes, report=report
        )
    tables = []
    for i, output in enumerate(outputs):
        masks = _without_channel(output["masks"])
        if len(masks) != len(output["boxes"]):
            rule = f"must have shape ({len(output['boxes'])}, height, width), a mask for each box"
            raise bad_array(f"outputs[{i}].masks", rule, shape(masks))
        with named(f"outputs[{i}]"):
            tables.append(
                mask_rows(
                    masks,
                    options,
                    scores=output.get("scores"),
                    labels=output["labels"],
                    data_unit=ids[i],
                    frame=frames[i],
                    classes=classes,
                    report=report,
                )
            )
    return joined(tables, [len(output["boxes"]) for output in outputs])


def from_supervision(
    detections: Any,
    image_id: str | int,
    *,
    classes: Classes | None = None,
    frame: int = 0,
    image_size: tuple[int, int] | None = None,
    report: Report | None = None,
    **options: Unpack[InstanceOptions],
) -> pa.Table:
    """Give `supervision.Detections` of one image as prediction rows: masks, rotated boxes or boxes.

    Args:
        detections: xyxy in pixels, and where they are there mask, confidence, class_id, tracker_id (the object id),
            data["class_name"] and data["xyxyxyxy"] (corners of rotated boxes).
        image_id: text or whole number of the image.
        classes: names by class_id; by default data["class_name"], else the number as text.
        frame: of a video.
        image_size: height and width in pixels; masks know theirs.
        report: counts what is left out by rule.
        options: see `InstanceOptions`.

    Raises:
        InputError: what `from_detections` and `from_masks` raise; four corners that are no rectangle.
        TypeError: an option that there is not.
    """
    check_names(options)
    if not all(hasattr(detections, name) for name in _SUPERVISION):
        raise bad_array("detections", f"must have {', '.join(_SUPERVISION)}", shown(detections))
    data = getattr(detections, "data", None) or {}
    labels = data.get("class_name") if classes is None else None
    labels = detections.class_id if labels is None else labels
    scores, ids = detections.confidence, detections.tracker_id
    common = {"classes": classes, "object_ids": ids, "report": report}
    if detections.mask is not None:
        return mask_rows(
            as_array(detections.mask, "mask"),
            options,
            scores=scores,
            labels=labels,
            data_unit=image_id,
            frame=frame,
            **common,
        )
    if data.get("xyxyxyxy") is not None and len(detections.xyxy):
        boxes, degrees = _rectangles(as_array(data["xyxyxyxy"], "xyxyxyxy"))
        common |= {"box_format": "cxcywh", "rotations": degrees}
    else:
        boxes = detections.xyxy
    return from_detections(boxes, scores, labels, image_id, frames=frame, image_sizes=image_size, **common)


def check_names(options: InstanceOptions) -> None:
    """See that there are such options: where there are no masks nobody else looks at them.

    Raises:
        TypeError: an option that there is not.
    """
    if unknown := options.keys() - InstanceOptions.__annotations__.keys():
        raise TypeError(f"no such option: {', '.join(sorted(unknown))}")


def as_list(values: Any, where: str, what: str) -> list[Any]:
    """Give what must be iterable as a list."""
    if not isinstance(values, Iterable):
        raise bad_array(where, f"must be {what}", shown(values))
    return list(values)


@contextmanager
def named(where: str) -> Iterator[None]:
    """Name the image in the problems of its arrays: `outputs[3].masks[0]`."""
    try:
        yield
    except InputError as error:
        raise InputError([found._replace(source=f"{where}.{found.source}") for found in error.problems]) from None


def mask_rows(masks: Any, options: InstanceOptions, **columns: Any) -> pa.Table:
    """Give `from_masks` of a library's masks, with the threshold that its floats have."""
    values = as_array(masks, "masks")
    threshold = options.get("threshold", 0.5) if values.dtype.kind == "f" else None
    chosen: dict[str, Any] = {**options, "threshold": threshold}
    return from_masks(values, **chosen, **columns)


def per_image(values: Any, n: int, where: str, *, one: bool = False) -> list[Any]:
    """Give one value per image as a list; a single one does for one image, and with `one` for all."""
    single = scalar(values)
    if single is not None and (one or n == 1):
        return [single] * n
    entries = [] if single is not None or values is None else as_column(values, where).to_pylist()
    if len(entries) != n:
        got = repr(values) if single is not None or values is None else len(entries)
        raise bad_array(where, f"must have {n} entries, one for each image", got)
    return entries


def joined(tables: Sequence[pa.Table], counts: Sequence[int]) -> pa.Table:
    """Give the rows of images as one table; `row` goes on from image to image.

    Args:
        tables: one per image.
        counts: how many predictions each image had, those left out among them.
    """
    first = np.concatenate([[0], np.cumsum(counts)]).tolist()
    return pa.concat_tables(
        [shift_rows(table, by) for table, by in zip(tables, first, strict=False)] or [SCHEMA.empty_table()]
    )


def shift_rows(table: pa.Table, by: int) -> pa.Table:
    """Give rows whose `row` is so much higher; null stays null."""
    return table.set_column(_ROW, SCHEMA.field(_ROW), pc.add(table["row"], by)) if by else table


def _without_channel(masks: Any) -> npt.NDArray[Any]:
    """Give (n, 1, height, width) as (n, height, width)."""
    values = as_array(masks, "masks")
    return values[:, 0] if values.ndim == 4 and values.shape[1] == 1 else values


def _rectangles(corners: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give (n, 4, 2) corners, one after the other around each rectangle, as (n, 4) centres and sizes, and degrees."""
    if corners.ndim != 3 or corners.shape[1:] != (4, 2):
        raise bad_array("xyxyxyxy", "must have shape (n, 4, 2)", shape(corners))
    a, b, c, d = np.moveaxis(corners.astype(np.float64), 1, 0)
    along, down = b - a, d - a
    size = np.hypot(*np.moveaxis(along, -1, 0)), np.hypot(*np.moveaxis(down, -1, 0))
    noise = _RECTANGLE_NOISE * np.maximum(1, np.maximum(*size))
    is_skewed = np.abs(a + c - b - d).max(1) > noise
    is_skewed |= np.abs((along * down).sum(1)) > noise * np.maximum(1, np.minimum(*size))
    problems = []
    for row in np.flatnonzero(is_skewed).tolist():
        message = f"must be the corners of a rectangle, got {corners[row].tolist()}"
        problems.append(Problem(f"xyxyxyxy[{row}]", row, "", Code.BAD_BOX, message))
    if problems:
        raise InputError(problems)
    boxes = np.column_stack([(a + b + c + d) / 4, *size])
    return boxes, np.degrees(np.arctan2(along[:, 1], along[:, 0]))
