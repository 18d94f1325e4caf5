"""Masks of single objects that a model gave, in memory, as prediction rows: one row a mask."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.classes import Classes
from predarrow.errors import InputError, PredarrowError
from predarrow.models.arrays import arrow, as_array, bad_array, finite_numbers, frame_numbers, shape, texts
from predarrow.models.labels import class_column, keep_named
from predarrow.options import one_of, whole_number
from predarrow.pipeline import Spares
from predarrow.refusals import shown
from predarrow.report import EMPTY_MASK, Code, Problem, Report
from predarrow.table import MASK, SCHEMA, bbox_array, polygon_array, record_batch

if TYPE_CHECKING:
    from predarrow_engine.instances import InstanceTracer
    from predarrow_engine.rle import Encoded

MaskForm = Literal["polygon", "rle"]

SMALL = "mask with fewer pixels than min_area"


def from_masks(
    masks: Any,
    *,
    scores: Any = None,
    labels: Any = None,
    data_unit: str | int = "",
    frame: int = 0,
    classes: Classes | None = None,
    object_ids: Any = None,
    threshold: float | None = None,
    form: MaskForm = "polygon",
    outline: Literal["edge", "center"] = "edge",
    holes: Literal["keep", "fill"] = "keep",
    min_area: int = 0,
    report: Report | None = None,
) -> pa.Table:
    """Give the masks that a model gave for one image as prediction rows, in their order: one row a mask.

    A mask of several pieces is one polygon of several parts. A mask without a pixel is left out, as there is nothing
    to match, draw or export; `row` is the place among the masks given, so the gap shows, and `report` counts it.

    Arrays may be of any library (NumPy, torch, JAX, anything with DLPack or `__array__`, lists) and are not changed.

    Args:
        masks: (n, height, width) booleans or whole numbers (what is not 0 is inside), or floats with a threshold.
        scores: (n,) finite, kept as they are; None where the model gives none.
        labels: (n,) whole numbers or names, or one for all; None for a model that knows no classes (then 1).
        data_unit: text or number of the image.
        frame: of a video; 0 for a single image.
        classes: names by number; None for a name leaves the class out.
        object_ids: (n,) texts or whole numbers, None where a mask has none.
        threshold: of float masks, probabilities or logits: a pixel above it is inside. There is no default, as 0.5
            is right for the one and 0 for the other.
        form: "polygon" (kind polygon) or "rle" (kind bitmask: COCO's compressed run lengths).
        outline: of polygons: "edge" follows pixel edges, "center" gives OpenCV's vertices.
        holes: of polygons: "keep" or "fill".
        min_area: masks of fewer pixels, all pieces together, are left out.
        report: counts what is left out by rule.

    Raises:
        InputError: shapes that do not fit, NaN, scores that are not finite, classes without a name.
        PredarrowError: an option that does not hold.
        OntologyError: `classes` that do not hold.

    >>> from_masks(np.eye(2, dtype=bool)[None], scores=[0.9], labels=["line"])["bbox"][0].as_py()
    {'xmin': 0.0, 'ymin': 0.0, 'xmax': 2.0, 'ymax': 2.0}
    """
    for name, value, allowed in (
        ("form", form, ("polygon", "rle")),
        ("outline", outline, ("edge", "center")),
        ("holes", holes, ("keep", "fill")),
    ):
        one_of(name, value, allowed)
    if form == "rle" and (outline, holes) != ("edge", "keep"):
        raise PredarrowError(f"form: outline and holes are of polygons, got form 'rle' with {outline!r}, {holes!r}")
    min_area = whole_number("min_area", min_area, 0)
    values = _mask_array(masks, threshold)
    n, height, width = values.shape
    classed = class_column(labels, classes, n)
    columns: dict[str, Any] = {
        "data_unit": texts(data_unit, n, "data_unit"),
        "frame": frame_numbers(frame, n, "frame"),
        "class_name": classed.names,
        "image_height": height,
        "image_width": width,
        "row": arrow(np.arange(n)),
    }
    if scores is not None:
        columns["confidence"] = arrow(finite_numbers(scores, n, "scores"))
    if object_ids is not None:
        columns["object_id"] = texts(object_ids, n, "object_ids", nullable=True)
    pixels = _binary(values, threshold)
    shapes = _run_lengths(pixels) if form == "rle" else _polygons(pixels, outline, holes)
    batch = record_batch(n, columns | shapes.columns)
    kept = shapes.area >= max(1, min_area)
    if not kept.all():
        if report is not None:
            n_empty = int(np.count_nonzero(shapes.area == 0))
            n_small = n - int(np.count_nonzero(kept)) - n_empty
            report.skipped += Counter({EMPTY_MASK: n_empty, SMALL: n_small})  # which drops what is 0
        batch = batch.filter(pa.array(kept))
        classed = classed.filtered(kept)
    return pa.Table.from_batches([keep_named(batch, classed, report)], SCHEMA)


class _Shapes(NamedTuple):
    """Masks in the form that was asked for."""

    columns: dict[str, Any]
    """kind, bbox, and polygon or mask"""
    area: npt.NDArray[np.int64]
    """(n,) pixels of each"""


def _mask_array(masks: Any, threshold: float | None) -> npt.NDArray[Any]:
    values = as_array(masks, "masks")
    if values.size == 0 and values.ndim < 3 and len(values) == 0:
        return np.zeros((0, 0, 0), np.bool_)
    if values.ndim != 3:
        hint = "; give one mask as mask[None]" if values.ndim == 2 else ""
        raise bad_array("masks", "must have shape (n, height, width)", f"{shape(values)}{hint}")
    if values.dtype.kind not in "buif":
        raise bad_array("masks", "must be booleans or numbers", values.dtype)
    is_float = values.dtype.kind == "f"
    if is_float and threshold is None:
        hint = "give threshold (0.5 for probabilities, 0 for logits)"
        raise bad_array("masks", "must be booleans or whole numbers", f"{values.dtype}; {hint}")
    if not is_float and threshold is not None:
        raise bad_array("threshold", "must be None where masks are no floats", f"{threshold} with {values.dtype}")
    if threshold is not None and not (isinstance(threshold, int | float | np.number) and math.isfinite(threshold)):
        raise PredarrowError(f"threshold: must be a finite number, got {shown(threshold)}")
    return values


def _binary(masks: npt.NDArray[Any], threshold: float | None) -> npt.NDArray[np.uint8]:
    """Give masks as (n, height, width) contiguous bytes, 0 outside; those of bytes are not copied."""
    if masks.dtype in (np.bool_, np.uint8):
        return np.ascontiguousarray(masks).view(np.uint8)
    if threshold is None:
        return np.asarray(masks != 0).view(np.uint8)
    from predarrow_engine.threshold import above

    inside = np.empty(masks.shape, np.uint8)
    kind: type[np.floating[Any]] = np.float64 if masks.dtype == np.float64 else np.float32  # float16 becomes float32
    with np.errstate(over="ignore"):  # what float32 does not reach is beyond all its values
        limit = kind(threshold)
    for i, mask in enumerate(masks):
        values: npt.NDArray[Any] = np.ascontiguousarray(mask, kind).reshape(-1)
        values.flags.writeable = False
        n_nan = above(values, limit, inside[i].reshape(-1))
        if n_nan:
            message = f"must not be NaN, got {n_nan} NaN of {values.size} pixels"
            raise InputError([Problem(f"masks[{i}]", i, "", Code.BAD_NUMBER, message)])
    return inside


_SPARES: Spares[InstanceTracer] = Spares(lambda tracer: tracer.room <= 1 << 20)
"""Kept between calls; of their memory, 250 bytes a run, only what masks needed is ever touched."""


def _polygons(pixels: npt.NDArray[np.uint8], outline: Any, holes: Any) -> _Shapes:
    from predarrow_engine.instances import InstanceTracer

    with _SPARES.lend((outline, holes), lambda: InstanceTracer(outline=outline, holes=holes)) as tracer:
        try:
            traced = tracer.trace(pixels)
        except ValueError as error:
            raise InputError([Problem("masks", None, "", Code.TOO_LARGE, str(error))]) from None
    polygon = polygon_array(traced.x, traced.y, traced.ring_offsets, traced.part_offsets, traced.mask_offsets)
    return _Shapes({"kind": "polygon", "bbox": bbox_array(traced.bbox), "polygon": polygon}, traced.area)


def _run_lengths(pixels: npt.NDArray[np.uint8]) -> _Shapes:
    from predarrow_engine.rle import encode

    try:
        encoded = encode(pixels)
    except ValueError as error:
        raise InputError([Problem("masks", None, "", Code.TOO_LARGE, str(error))]) from None
    return _Shapes(
        {"kind": "bitmask", "bbox": bbox_array(encoded.bbox), "mask": mask_array(encoded, *pixels.shape[1:])},
        encoded.area,
    )


def mask_array(encoded: Encoded, height: int, width: int) -> pa.Array:
    """Give the run lengths of n masks of one size as a mask column, without a copy."""
    n = len(encoded.area)
    counts = pa.Array.from_buffers(pa.binary(), n, [None, pa.py_buffer(encoded.offsets), pa.py_buffer(encoded.counts)])
    sides = [arrow(np.full(n, side, np.int32)) for side in (height, width)]
    return pa.Array.from_buffers(MASK, n, [None], children=[*sides, counts])
