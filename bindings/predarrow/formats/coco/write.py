"""Prediction tables as COCO results: one JSON list, or JSON Lines, one object a prediction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from predarrow.errors import InputError, PredarrowError
from predarrow.formats.coco.text import has_lines
from predarrow.formats.coco.write_extras import extras_of
from predarrow.formats.coco.write_ids import CategoryNumbers, Image, ImageIds, ImageNumbers
from predarrow.formats.coco.write_masks import masks_of
from predarrow.formats.coco.write_rows import (
    RESULT_OUTLINES,
    Rows,
    batches_of,
    flags_of,
    is_rotated,
    outline_flags,
    rows_of,
)
from predarrow.formats.write_file import JsonList, new_file
from predarrow.formats.write_text import (
    Bools,
    box_text,
    joined,
    keypoint_text,
    mask_text,
    polygon_text,
    sizes_between,
    text_of,
    where,
)
from predarrow.reader import OnError
from predarrow.refusals import Refusals
from predarrow.report import Code, Report
from predarrow.sources import StrPath

Kind = Literal["bbox", "segm", "keypoints"]

_KEYS = ("image_id", "category_id", "bbox", "segmentation", "keypoints", "score")
_NO_WIDTH = "box whose right or bottom side no width or height gives to the last digit"
HOLES = "polygon with holes written as a mask: COCO's polygons have none"
"""Flag of polygons that COCO has no other place for."""
_PAINTED = "polygon written as a mask, as the file's first record is one"
_OTHER_KIND = "record of another kind than the first, which pycocotools takes for that of all"
_VISIBILITY = "keypoint without a visibility written with 1, as COCO asks of results"


class CocoWriteResult(NamedTuple):
    """What was written."""

    rows: int
    report: Report
    """Rows that were refused, and in `flagged` what was left out of those that were written."""
    image_ids: dict[Image, int]
    """By (data unit, frame), in the order they came in; can be given as `image_ids`."""
    category_ids: dict[str, int]
    """By class name; can be given as `category_ids`."""


def write_coco_results(
    table: Any,
    path: StrPath,
    *,
    kind: Kind | None = None,
    image_ids: ImageIds | None = None,
    category_ids: Mapping[str, int] | None = None,
    overwrite: bool = False,
    on_error: OnError = "raise",
) -> CocoWriteResult:
    """Write predictions as COCO results, a JSON list that pycocotools' loadRes takes; gzip where the name ends in .gz.

    Where the name ends in .jsonl (or .ndjson, or one of these and .gz), records are lines instead of items of a list.
    A record has image_id, category_id, score and what the row holds: bbox, segmentation, keypoints; then its
    attributes as they are, and its object id as track_id. Masks are COCO's compressed run lengths, exactly; polygons
    are lists of coordinates, those with holes run lengths, for which the image's size must be known. Rotated boxes,
    ellipses and circles are written as their outlines, with the upright boxes around them; the report tells. Where the
    first record is a mask or has keypoints, masks and keypoints come without a bbox, as in COCO's own results: there
    pycocotools takes areas from masks, and a bbox in the first record would make the file one of boxes. Polygons in a
    file that begins with a mask are written as masks.

    Image ids are the data units where these are whole numbers, else running numbers from 1 in the order they come in;
    the first data unit decides for all. So it is with category ids and class names. Numbers are the shortest decimals
    that read back equal; a box's width is the shortest that gives its right side. Memory holds some thousand rows.
    The file appears when it is whole.

    Args:
        table: predictions with `__arrow_c_stream__` in the prediction table's schema, in any order.
        path: file to write.
        kind: "bbox" writes boxes only, "segm" and "keypoints" refuse rows without such; None writes what rows hold.
        image_ids: id by data unit, or by (data unit, frame).
        category_ids: id by class name.
        overwrite: replace the file.
        on_error: "raise" writes nothing where a row cannot be held and raises one error that tells them all;
            "skip" leaves such rows out and tells of them in the report.

    Raises:
        InputError: a row that COCO cannot hold: without a confidence, without a geometry, of several frames
            without `image_ids`; values that do not hold; a table without the columns.
        OutputError: the file exists, or cannot be written.
        PredarrowError: an option that does not hold.
    """
    if kind not in (None, "bbox", "segm", "keypoints"):
        raise PredarrowError(f'kind: must be "bbox", "segm", "keypoints" or None, got {kind!r}')
    if on_error not in ("raise", "skip"):
        raise PredarrowError(f'on_error: must be "raise" or "skip", got {on_error!r}')
    images, categories = ImageNumbers(image_ids), CategoryNumbers(category_ids, is_unique=False)
    path = Path(path)
    before, between, behind = (b"", "\n", b"\n") if has_lines(path) else (b"[", ",\n", b"\n]\n")
    writer = _Results(kind, images, categories, between)
    with new_file(path, overwrite=overwrite) as sink:
        records = JsonList(sink)
        sink.write(before)
        for batch in batches_of(table):
            records.add(writer.records(batch))
        sink.write(behind)
        if writer.report.problems and on_error == "raise":
            raise InputError(writer.report.problems)
    return CocoWriteResult(writer.report.imported, writer.report, images.ids, categories.ids)


class Geometries(NamedTuple):
    """Members of records, empty where a row has none, with what they say about the rows."""

    segmentation: pa.StringArray
    keypoints: pa.StringArray
    bbox: pa.StringArray
    mask_area: Any
    """(n,) pixels of masks"""
    sizes: Any
    """(2, n) widths and heights of boxes, NaN for none"""


class _Results:
    """Batches -> records; remembers of which kind the first was."""

    def __init__(self, kind: Kind | None, images: ImageNumbers, categories: CategoryNumbers, between: str) -> None:
        self._kind, self._between = kind, between
        self._images, self._categories = images, categories
        self._first: str | None = None
        self._n_rows = 0
        self.report = Report(sources=1)

    def records(self, batch: pa.RecordBatch) -> pa.StringArray:
        """Give the records of the rows that are not refused, each behind what stands between two of them."""
        refusals = Refusals(np.arange(self._n_rows, self._n_rows + batch.num_rows))
        self._n_rows += batch.num_rows
        rows = _only(self._kind, rows_of(batch, refusals, RESULT_OUTLINES))
        self._refuse(rows, refusals)
        image = self._images.of(rows.columns["data_unit"], rows.columns["frame"], refusals)
        category = self._categories.of(rows.columns["class_name"], refusals)
        flags: Counter[str] = Counter()
        extras = extras_of(rows, _KEYS, (), refusals, flags)
        if self._first is None and not refusals.bad.all():
            self._first = _form(rows)[int(np.flatnonzero(~refusals.bad)[0])]
        with_box = self._first in ("bbox", "polygon")
        painted = rows.has_holes if with_box else rows.has_polygon
        masks = masks_of(rows, painted, refusals)
        good = ~refusals.bad
        self.report.problems += sorted(refusals.problems, key=lambda found: found.row or 0)
        self.report.imported += int(good.sum())
        if not good.any():
            return pa.array([], pa.string())
        extras = [extra for extra, is_good in zip(extras, good, strict=True) if is_good]
        rows.columns["mask"] = masks.column
        rows, painted = rows.filter(good), painted[good]
        further = pa.array([extra.further for extra in extras], pa.string())
        found = geometries(rows, painted, masks.area[good], further, flags, all_boxes=with_box, default_visibility=True)
        self._flag(rows, painted, flags, with_box)
        score = text_of(rows.columns["confidence"])
        head = (f'{self._between}{{"image_id":', text_of(image[good]), ',"category_id":', text_of(category[good]))
        return joined(*head, *found[:3], ',"score":', score, pa.array([extra.text for extra in extras]), "}")

    def _refuse(self, rows: Rows, refusals: Refusals) -> None:
        has_no_score = rows.columns["confidence"].is_null().to_numpy(zero_copy_only=False)
        hint = "labels are written by write_coco_annotations"
        message = f"must be given, as results have a score, got null; {hint}"
        refusals.add(has_no_score, Code.CANNOT_HOLD, "confidence", message)
        rotation = rows.columns["rotation"]
        rule = "must not be rotated but for a rotated_bbox, an ellipse or a circle"
        refusals.add(
            is_rotated(rows) & (_form(rows) == "bbox"),
            Code.CANNOT_HOLD,
            "rotation",
            lambda row: f"{rule}, got {rotation[row]} degrees",
        )
        refuse_empty(rows, self._kind, refusals)

    def _flag(self, rows: Rows, painted: Bools, flags: Counter[str], with_box: bool) -> None:
        flags[HOLES] += int((painted & rows.has_holes).sum())
        flags[_PAINTED] += int((painted & ~rows.has_holes).sum())
        first = "bbox" if self._first == "bbox" else self._first
        form = _form(rows)
        as_segmentation = {"mask", "polygon"}
        is_same = np.isin(form, list(as_segmentation)) if first in as_segmentation else form == first
        flags[_OTHER_KIND] += 0 if with_box and first == "bbox" else int((~is_same).sum())
        flags.update(dict(flags_of(rows)) if self._kind is None else {})
        flags.update(dict(outline_flags(rows)))
        self.report.flagged.update({what: count for what, count in flags.items() if count})


def refuse_empty(rows: Rows, kind: Kind | None, refusals: Refusals) -> None:
    """Refuse rows without what is to be written."""
    needed = {
        None: (rows.has_box | rows.has_mask | rows.has_polygon | rows.has_keypoints, "a box, a mask, a polygon"),
        "bbox": (rows.has_box, "a box"),
        "segm": (rows.has_mask | rows.has_polygon, "a mask or a polygon"),
        "keypoints": (rows.has_keypoints, "keypoints"),
    }
    has_any, what = needed[kind]
    kinds = rows.columns["kind"]
    column = {None: "bbox", "bbox": "bbox", "segm": "mask", "keypoints": "keypoints"}[kind]
    message = f"must have {what} to be written" + ("" if kind is None else f" as {kind!r}")
    refusals.add(~has_any, Code.CANNOT_HOLD, column, lambda row: f"{message}, got a {kinds[row]} without one")


def geometries(
    rows: Rows,
    painted: Bools,
    area: Any,
    further: pa.StringArray,
    flags: Counter[str],
    *,
    all_boxes: bool,
    default_visibility: bool,
) -> Geometries:
    """Give the members segmentation, keypoints and bbox of records.

    Args:
        rows: of which none is refused; painted polygons are in the column of masks.
        painted: (n,) rows whose polygon is written as a mask.
        area: (n,) pixels of masks.
        further: (n,) what masks' objects have beside size and counts.
        flags: told of what is not exact.
        all_boxes: write boxes of rows that have a mask or keypoints, too.
        default_visibility: write a visibility that is null as 1.
    """
    is_mask, is_polygon = rows.has_mask | painted, rows.has_polygon & ~painted
    chosen = pa.array(is_mask)
    mask = mask_text(rows.columns["mask"].filter(chosen), further.filter(chosen))
    segmentation = joined(
        where(is_mask, joined(',"segmentation":', mask)),
        where(
            is_polygon, joined(',"segmentation":', polygon_text(rows.columns["polygon"].filter(pa.array(is_polygon))))
        ),
    )
    points = rows.columns["keypoints"].filter(pa.array(rows.has_keypoints))
    if default_visibility:
        points = _with_visibility(points, flags)
    keypoints = where(rows.has_keypoints, joined(',"keypoints":', keypoint_text(points)))
    left, top, right, bottom = rows.boxes
    sizes = np.full((2, len(rows)), np.nan)
    has_box = rows.has_box if all_boxes else rows.has_box & ~is_mask & ~rows.has_keypoints
    is_exact = np.ones(len(rows), np.bool_)
    for i, (low, high) in enumerate(((left, right), (top, bottom))):
        sizes[i, has_box], fits = sizes_between(low[has_box], high[has_box])
        is_exact[has_box] &= fits
    flags[_NO_WIDTH] += int((~is_exact).sum())
    sides = (left, top, *sizes)
    bbox = where(has_box, joined(',"bbox":', box_text(*(side[has_box] for side in sides))))
    return Geometries(segmentation, keypoints, bbox, area, sizes)


def _with_visibility(points: pa.ListArray, flags: Counter[str]) -> pa.ListArray:
    fields = points.flatten()
    missing = fields.field("visibility").null_count if len(fields) else 0
    if not missing:
        return points
    flags[_VISIBILITY] += missing
    columns = [fields.field("name"), fields.field("x"), fields.field("y"), fields.field("visibility").fill_null(1)]
    filled = pa.StructArray.from_arrays(columns, fields=list(fields.type))
    offsets = points.offsets.to_numpy()
    return pa.ListArray.from_arrays(pa.array(offsets - offsets[0], pa.int32()), filled)


def _form(rows: Rows) -> Any:
    """(n,) what kind of record a row becomes, as its first key decides it for pycocotools."""
    chosen = [rows.has_mask | rows.has_holes, rows.has_polygon, rows.has_keypoints]
    return np.select(chosen, ["mask", "polygon", "keypoints"], "bbox")


def _only(kind: Kind | None, rows: Rows) -> Rows:
    """Give rows without the geometries that are not asked for."""
    if kind is None:
        return rows
    no = np.zeros(len(rows), np.bool_)
    if kind == "keypoints":
        return replace(rows, has_mask=no, has_polygon=no, has_holes=no)
    if kind == "segm":
        return replace(rows, has_keypoints=no)
    return replace(rows, has_mask=no, has_polygon=no, has_holes=no, has_keypoints=no)
