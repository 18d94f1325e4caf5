"""Prediction tables as a COCO data set: images, categories and annotations in one JSON object."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.errors import InputError, OutputError, PredarrowError
from predarrow.formats.coco.text import has_lines
from predarrow.formats.coco.write import HOLES, CocoWriteResult, Geometries, geometries, refuse_empty
from predarrow.formats.coco.write_extras import Extra, extras_of, number_of
from predarrow.formats.coco.write_ids import CategoryNumbers, ImageIds, ImageNumbers
from predarrow.formats.coco.write_masks import masks_of
from predarrow.formats.coco.write_rows import ROUND, Rows, batches_of, flags_of, is_rotated, outline_flags, rows_of
from predarrow.formats.write_file import JsonList, Sink, copy, new_file, spooled
from predarrow.formats.write_text import joined, text_of, where
from predarrow.reader import OnError
from predarrow.refusals import Refusals, shown
from predarrow.report import Code, Report
from predarrow.sources import StrPath

_KEYS = ("image_id", "category_id", "segmentation", "keypoints", "bbox", "score")
_OWN = ("id", "area", "iscrowd", "num_keypoints")
_ROTATED = "rotation written as an attribute, which COCO's tools do not look at"
_NO_SIZE = "image of unknown size, without width and height"

Ints = npt.NDArray[np.int64]


def write_coco_annotations(
    table: Any,
    path: StrPath,
    *,
    image_ids: ImageIds | None = None,
    category_ids: Mapping[str, int] | None = None,
    overwrite: bool = False,
    on_error: OnError = "raise",
) -> CocoWriteResult:
    """Write labels or predictions as a COCO data set, which `pycocotools.coco.COCO` loads; gzip for a name in .gz.

    An annotation has id, image_id, category_id, what the row holds (segmentation, keypoints and num_keypoints, bbox),
    area, iscrowd, and score where the row has a confidence; then its attributes as they are. `id`, `area`, `iscrowd`
    and `num_keypoints` are those of the attributes that the reader keeps; else ids run from 1, the area is that of the
    mask, the polygon or the box, and iscrowd is 0. Either all rows have an `id` or none. An object's id is written as
    track_id, a rotation as `attributes.rotation` beside the unrotated box, as Encord does.

    An image's file_name is its data unit. Frames of data units that have others than frame 0 are
    `videos/<data unit>/<frame>.jpg` with the data unit as `video_title`, as Encord writes them. Width and height are
    the rows'. Ids, numbers, masks and polygons are as in `write_coco_results`. Memory holds some thousand rows and the
    images; annotations pass through a nameless file in the same folder, as images stand before them.

    Args:
        table: predictions with `__arrow_c_stream__` in the prediction table's schema, in any order.
        path: file to write.
        image_ids: id by data unit, or by (data unit, frame).
        category_ids: id by class name; all of them become categories.
        overwrite: replace the file.
        on_error: "raise" writes nothing where a row cannot be held and raises one error that tells them all;
            "skip" leaves such rows out and tells of them in the report.

    Raises:
        InputError: a row that COCO cannot hold, values that do not hold, a table without the columns.
        OutputError: the file exists, cannot be written, or has a name of JSON Lines.
        PredarrowError: an option that does not hold.
    """
    if on_error not in ("raise", "skip"):
        raise PredarrowError(f'on_error: must be "raise" or "skip", got {on_error!r}')
    images, categories = ImageNumbers(image_ids), CategoryNumbers(category_ids, is_unique=True)
    writer = _Annotations(images, categories)
    path = Path(path)
    if has_lines(path):
        raise OutputError(f"{path}: must not have a name of JSON Lines, as a data set is one JSON object")
    with new_file(path, overwrite=overwrite) as sink, spooled(path) as spool:
        records = JsonList(spool)
        for batch in batches_of(table):
            records.add(writer.records(batch))
        if writer.report.problems and on_error == "raise":
            raise InputError(writer.report.problems)
        _write(sink, writer.image_records(), writer.category_records(), spool)
    return CocoWriteResult(writer.report.imported, writer.report, images.ids, categories.ids)


def _write(sink: Sink, images: Iterable[str], categories: Iterable[str], annotations: IO[bytes]) -> None:
    sink.write(b'{"info":{},\n"images":[\n' + ",\n".join(images).encode())
    sink.write(b'\n],\n"categories":[\n' + ",\n".join(categories).encode() + b'\n],\n"annotations":[')
    copy(annotations, sink)
    sink.write(b"\n]}\n")


class _Annotations:
    """Batches -> records of annotations, images and categories."""

    def __init__(self, images: ImageNumbers, categories: CategoryNumbers) -> None:
        self._images, self._categories = images, categories
        self._sizes: dict[int, tuple[int, int]] = {}
        self._points: dict[str, list[str]] = {}
        self._has_ids: bool | None = None
        self._ids: set[int] = set()
        self._n_rows = 0
        self.report = Report(sources=1)

    def records(self, batch: pa.RecordBatch) -> pa.StringArray:
        """Give the annotations of the rows that are not refused, each behind a comma and a line's end."""
        refusals = Refusals(np.arange(self._n_rows, self._n_rows + batch.num_rows))
        self._n_rows += batch.num_rows
        rows = rows_of(batch, refusals, ROUND)
        refuse_empty(rows, None, refusals)
        _refuse_points(rows, refusals)
        image = self._images.of(rows.columns["data_unit"], rows.columns["frame"], refusals)
        category = self._categories.of(rows.columns["class_name"], refusals)
        self._note_sizes(rows, image, refusals)
        flags: Counter[str] = Counter()
        extras = extras_of(rows, _KEYS, _OWN, refusals, flags)
        masks = masks_of(rows, rows.has_holes, refusals)
        number = self._numbers(extras, refusals)
        good = ~refusals.bad
        self.report.problems += sorted(refusals.problems, key=lambda found: found.row or 0)
        self.report.imported += int(good.sum())
        if not good.any():
            return pa.array([], pa.string())
        extras = [extra for extra, is_good in zip(extras, good, strict=True) if is_good]
        rows.columns["mask"] = masks.column
        rows = rows.filter(good)
        self._note_points(rows)
        further, area = pa.array([extra.further for extra in extras], pa.string()), masks.area[good]
        found = geometries(rows, rows.has_holes, area, further, flags, all_boxes=True, default_visibility=False)
        flags[HOLES] += int(rows.has_holes.sum())
        flags[_ROTATED] += int(is_rotated(rows).sum())
        flags.update(dict(flags_of(rows)))
        flags.update(dict(outline_flags(rows)))
        self.report.flagged.update({what: count for what, count in flags.items() if count})
        head = (',\n{"id":', text_of(number[good]), ',"image_id":', text_of(image[good]))
        middle = (',"category_id":', text_of(category[good]), found.segmentation, found.keypoints)
        return joined(*head, *middle, _counts(rows, extras), found.bbox, *_tail(rows, extras, found), "}")

    def image_records(self) -> Iterable[str]:
        """Give the images, in the order they came in."""
        videos = {image.data_unit for image in self._images.ids if image.frame}
        for image, number in self._images.ids.items():
            height, width = self._sizes.get(number, (0, 0))
            record: dict[str, Any] = {"id": number, "file_name": image.data_unit}
            if image.data_unit in videos:
                record["file_name"] = f"videos/{image.data_unit}/{image.frame}.jpg"
                record["video_title"] = image.data_unit
            if height:
                record |= {"width": width, "height": height}
            else:
                self.report.flagged[_NO_SIZE] += 1
            yield _dumped(record)

    def category_records(self) -> Iterable[str]:
        """Give the categories, in the order they came in."""
        for name, number in self._categories.ids.items():
            record: dict[str, Any] = {"id": number, "name": name, "supercategory": ""}
            if name in self._points:
                record |= {"keypoints": self._points[name], "skeleton": []}
            yield _dumped(record)

    def _numbers(self, extras: list[Extra], refusals: Refusals) -> Ints:
        """Give the annotations' ids: those of the attributes where the first row has one, else running ones."""
        good = np.flatnonzero(~refusals.bad).tolist()
        if self._has_ids is None and good:
            self._has_ids = "id" in extras[good[0]].own
        numbers = np.zeros(len(extras), np.int64)
        numbers[good] = np.arange(self.report.imported + 1, self.report.imported + 1 + len(good))
        for row in good:
            own = extras[row].own.get("id")
            if not self._has_ids:
                if own is not None:
                    rule = "must have an id in all rows or, as in the first, in none"
                    refusals.add_one(row, Code.CANNOT_HOLD, "attributes", f"{rule}, got {shown(own)}")
            elif isinstance(own, bool) or not isinstance(own, int) or not 0 <= own < 2**63 or own in self._ids:
                rule = "must have an id as the first row has, a whole number of at least 0 that stands once"
                hint = "take them out of the attributes to have annotations numbered"
                refusals.add_one(row, Code.CANNOT_HOLD, "attributes", f"{rule}, got {shown(own)}; {hint}")
            else:
                self._ids.add(own)
                numbers[row] = own
        return numbers

    def _note_sizes(self, rows: Rows, image: Ints, refusals: Refusals) -> None:
        """Remember images' sizes; rows that tell another one are refused."""
        sizes = _sizes(rows)
        known = np.flatnonzero((sizes > 0).all(1) & (image >= 0) & ~refusals.bad)
        distinct, first, place = np.unique(image[known], return_index=True, return_inverse=True)
        for number, row in zip(distinct.tolist(), known[first].tolist(), strict=True):
            self._sizes.setdefault(number, (int(sizes[row, 0]), int(sizes[row, 1])))
        told = np.array([self._sizes[number] for number in distinct.tolist()]).reshape(-1, 2)
        differs = np.zeros(len(rows), np.bool_)
        differs[known] = (told[place] != sizes[known]).any(1)

        def why(row: int) -> str:
            height, width = self._sizes[int(image[row])]
            return f"must be {width} x {height} as in the image's first row, got {sizes[row, 1]} x {sizes[row, 0]}"

        refusals.add(differs, Code.SIZE_MISMATCH, "image_height", why)

    def _note_points(self, rows: Rows) -> None:
        """Remember the names of each class's keypoints."""
        if not rows.has_keypoints.any():
            return
        names = rows.columns["class_name"].to_pylist()
        for row in np.flatnonzero(rows.has_keypoints).tolist():
            if names[row] not in self._points:
                points = [point["name"] for point in rows.columns["keypoints"][row].as_py()]
                if None not in points:
                    self._points[names[row]] = points


def _refuse_points(rows: Rows, refusals: Refusals) -> None:
    """Refuse keypoints without a visibility, and those that have no area."""
    points = rows.columns["keypoints"]
    has_none = np.zeros(len(rows), np.bool_)
    if rows.has_keypoints.any():
        lengths = pc.list_value_length(points).fill_null(0).to_numpy(zero_copy_only=False)
        row_of_point = np.repeat(np.arange(len(rows)), lengths)
        is_null = points.flatten().field("visibility").is_null().to_numpy(zero_copy_only=False)
        has_none[row_of_point[is_null]] = True
    refusals.add(has_none, Code.CANNOT_HOLD, "keypoints", "must have a visibility (0, 1 or 2) each, got null")
    without = rows.has_keypoints & ~(rows.has_box | rows.has_mask | rows.has_polygon)
    refusals.add(without, Code.CANNOT_HOLD, "bbox", "must be given with keypoints, as annotations have an area")


def _sizes(rows: Rows) -> Ints:
    """(n, 2) height and width of rows' images, 0 where unknown: the table's, else those of masks."""
    masks = rows.columns["mask"].flatten()
    columns = [
        pc.coalesce(rows.columns[name], own, pa.scalar(0, pa.int32())).to_numpy()
        for name, own in zip(("image_height", "image_width"), masks[:2], strict=True)
    ]
    return np.stack(columns, 1).astype(np.int64)


def _counts(rows: Rows, extras: list[Extra]) -> pa.StringArray:
    """Give the member num_keypoints of rows that have keypoints."""
    chosen = np.flatnonzero(rows.has_keypoints).tolist()
    texts = []
    for row, points in zip(chosen, rows.columns["keypoints"].take(pa.array(chosen, pa.int64())), strict=True):
        own = extras[row].own.get("num_keypoints")
        count = sum(point["visibility"].as_py() > 0 for point in points.values) if own is None else own
        texts.append(f',"num_keypoints":{_dumped(count)}')
    return where(rows.has_keypoints, pa.array(texts, pa.string()))


def _tail(rows: Rows, extras: list[Extra], found: Geometries) -> tuple[pa.StringArray | str, ...]:
    """Give the members behind the geometries: area, iscrowd, score and all that is COCO's not."""
    is_mask = rows.has_mask | rows.has_holes
    area = np.where(is_mask, found.mask_area, np.where(rows.has_polygon, _polygon_areas(rows), found.sizes.prod(0)))
    areas = text_of(np.nan_to_num(area)).to_pylist() if any(extra.own for extra in extras) else None
    area_text, crowd_text = text_of(np.nan_to_num(area)), pa.repeat(pa.scalar("0", pa.string()), len(rows))
    if areas is not None:
        told = [number_of(extra.own.get("area")) for extra in extras]
        area_text = pa.array([text if own is None else _dumped(own) for text, own in zip(areas, told, strict=True)])
        crowd_text = pa.array([_dumped(extra.own.get("iscrowd", 0)) for extra in extras])
    confidence = rows.columns["confidence"]
    is_scored = confidence.is_valid().to_numpy(zero_copy_only=False)
    score = where(is_scored, joined(',"score":', text_of(confidence.drop_null())))
    extra_text = pa.array([extra.text for extra in extras], pa.string())
    return ',"area":', area_text, ',"iscrowd":', crowd_text, score, extra_text


def _polygon_areas(rows: Rows) -> npt.NDArray[np.float64]:
    """(n,) pixels in polygons without holes, the sum of their parts; 0 for rows without."""
    areas = np.zeros(len(rows))
    chosen = np.flatnonzero(rows.has_polygon & ~rows.has_holes)
    if not chosen.size:
        return areas
    parts = rows.columns["polygon"].take(pa.array(chosen))
    rings = parts.flatten().flatten()
    owner = np.repeat(chosen, parts.value_lengths().to_numpy())
    vertices = rings.flatten()
    x, y = (vertices.field(axis).to_numpy().astype(np.float64) for axis in ("x", "y"))
    begin = rings.offsets.to_numpy()[:-1] - rings.offsets[0].as_py()
    after = np.arange(1, len(x) + 1)
    after[np.append(begin[1:], len(x)) - 1] = begin
    np.add.at(areas, owner, np.abs(np.add.reduceat(x * y[after] - x[after] * y, begin)) / 2)
    return areas


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
