"""Prediction tables as COCO panoptic segmentations: one RGB PNG an image, and one JSON of what its colours are."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.errors import InputError, PredarrowError
from predarrow.formats.coco.write import CocoWriteResult
from predarrow.formats.coco.write_extras import Extra, extras_of
from predarrow.formats.coco.write_ids import CategoryNumbers, Image, ImageIds, ImageNumbers
from predarrow.formats.coco.write_masks import masks_of
from predarrow.formats.coco.write_rows import RESULT_OUTLINES, Rows, batches_of, outline_flags, rows_of
from predarrow.formats.png_write import rgb_png
from predarrow.formats.staging import explained, staged
from predarrow.reader import OnError
from predarrow.refusals import Refusals
from predarrow.report import Code, Report
from predarrow.sources import StrPath

Overlap = Literal["refuse", "confidence"]

_KEYS = ("category_id", "bbox", "score")
_OWN = ("id", "area", "iscrowd")
_HIDDEN = "segment left out: others of higher confidence cover it"
_CUT = "segment cut where others of higher confidence cover it"

Ids = npt.NDArray[np.uint32]


def write_coco_panoptic(
    table: Any,
    folder: StrPath,
    *,
    stuff: Collection[str] = (),
    overlap: Overlap = "refuse",
    image_ids: ImageIds | None = None,
    category_ids: Mapping[str, int] | None = None,
    overwrite: bool = False,
    on_error: OnError = "raise",
) -> CocoWriteResult:
    """Write masks and polygons as COCO panoptic segmentations: `panoptic.json`, and a PNG an image beside it.

    A pixel's colour is the id of its segment, red + 256 green + 65536 blue, 0 where there is none; ids run from 1 in
    each image. A segment has id, category_id, area and bbox (of what is painted), iscrowd, score where the row has a
    confidence, and the row's other attributes. A pixel is in a polygon where its centre is. The PNG has the data
    unit's name, `<stem>.png`, or `<stem>__<frame>.png` for other frames than 0. Ids of images and categories are as in
    `write_coco_results`. Memory holds one image and the JSON.

    Args:
        table: predictions with `__arrow_c_stream__` in the prediction table's schema, the rows of a data unit's frame
            one after the other, with image_height and image_width or masks.
        folder: new or empty, unless `overwrite`.
        stuff: names of classes that are no things (sky, grass): `isthing` is 0.
        overlap: "refuse" refuses a row on whose pixels an earlier one lies; "confidence" gives pixels to the row of
            the higher confidence (rows without have the lowest), of equal ones to the first.
        image_ids: id by data unit, or by (data unit, frame).
        category_ids: id by class name; all of them become categories.
        overwrite: replace files of the same name; others in the folder stay.
        on_error: "raise" writes nothing where a row cannot be held and raises one error that tells them all;
            "skip" leaves such rows out and tells of them in the report.

    Raises:
        InputError: a row without a mask or polygon, of an image of unknown or other size, on pixels of another; a data
            unit that is no file name, or whose rows do not stand together; a table without the columns.
        OutputError: the folder is not empty, or cannot be written to.
        PredarrowError: an option that does not hold.
    """
    if on_error not in ("raise", "skip"):
        raise PredarrowError(f'on_error: must be "raise" or "skip", got {on_error!r}')
    if overlap not in ("refuse", "confidence"):
        raise PredarrowError(f'overlap: must be "refuse" or "confidence", got {overlap!r}')
    images, categories = ImageNumbers(image_ids), CategoryNumbers(category_ids, is_unique=True)
    with staged(Path(folder), overwrite) as staging:
        writer = _Panoptic(staging, images, categories, overlap)
        for batch in _by_image(batches_of(table)):
            writer.add(batch)
        if writer.report.problems and on_error == "raise":
            raise InputError(writer.report.problems)
        things = [
            {"id": number, "name": name, "supercategory": "", "isthing": int(name not in stuff)}
            for name, number in categories.ids.items()
        ]
        content = {"info": {}, "images": writer.images, "annotations": writer.annotations, "categories": things}
        with explained(staging):
            (staging / "panoptic.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return CocoWriteResult(writer.report.imported, writer.report, images.ids, categories.ids)


def _by_image(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Give the rows of one data unit and frame at a time, as they stand together."""
    pending: list[pa.RecordBatch] = []
    last: Image | None = None
    for batch in batches:
        keys = rows_of(batch, Refusals(np.arange(batch.num_rows))).columns  # whose columns are there, of their types
        units = keys["data_unit"].to_pylist()
        frames = keys["frame"].to_pylist()
        begin = 0
        for row, image in enumerate(map(Image, units, frames)):
            if image != last and last is not None:
                pending.append(batch.slice(begin, row - begin))
                yield _merged(pending)
                pending, begin = [], row
            last = image
        pending.append(batch.slice(begin))
    if last is not None:
        yield _merged(pending)


def _merged(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    table = pa.Table.from_batches(batches).combine_chunks()
    return table.to_batches()[0]


class _Drawn(NamedTuple):
    """Segments of one image."""

    ids: Ids
    """(height, width)"""
    segments: list[tuple[int, int]]
    """row and id of each that has a pixel"""


class _Panoptic:
    """Images -> PNG files in a folder, and records of them."""

    def __init__(self, folder: Path, images: ImageNumbers, categories: CategoryNumbers, overlap: Overlap) -> None:
        self._folder, self._images, self._categories, self._overlap = folder, images, categories, overlap
        self._names: set[str] = set()
        self._n_rows = 0
        self.images: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []
        self.report = Report(sources=1)

    def add(self, batch: pa.RecordBatch) -> None:
        """Write the rows of one image."""
        refusals = Refusals(np.arange(self._n_rows, self._n_rows + batch.num_rows))
        self._n_rows += batch.num_rows
        rows = rows_of(batch, refusals, RESULT_OUTLINES)
        kinds = rows.columns["kind"]
        refusals.add(
            ~(rows.has_mask | rows.has_polygon),
            Code.CANNOT_HOLD,
            "mask",
            lambda row: f"must have a mask or a polygon, got a {kinds[row]} without one",
        )
        image = self._images.of(rows.columns["data_unit"], rows.columns["frame"], refusals)
        category = self._categories.of(rows.columns["class_name"], refusals)
        name = self._name(rows, refusals)
        masks = masks_of(rows, rows.has_polygon, refusals)
        extras = extras_of(rows, _KEYS, _OWN, refusals, self.report.flagged)
        size = _size(masks.column, refusals)
        if size is not None and name is not None and not refusals.bad.all():
            drawn = self._drawn(rows, masks.column, size, refusals)
            self._write(name, int(image[0]), rows, size, drawn, category, extras)
            self.report.flagged.update(dict(outline_flags(rows.filter(~refusals.bad))))
        self.report.problems += sorted(refusals.problems, key=lambda found: found.row or 0)

    def _name(self, rows: Rows, refusals: Refusals) -> str | None:
        data_unit, frame = rows.columns["data_unit"][0].as_py(), rows.columns["frame"][0].as_py()
        stem = PurePosixPath(data_unit).stem
        name = f"{stem}.png" if not frame else f"{stem}__{frame}.png"
        everywhere = np.ones(len(rows), np.bool_)
        if not stem or stem[0] == "." or set(data_unit) & {"/", "\\", "\0"}:
            rule = "must be a name that a file can have, without separators and not beginning with a dot"
            refusals.add(everywhere, Code.CANNOT_HOLD, "data_unit", f"{rule}, got {data_unit!r}")
            return None
        if name in self._names:
            rule = "rows of an image must stand together, and images have different names"
            refusals.add(everywhere, Code.DUPLICATE_SOURCE, "data_unit", f"{rule}, got {name} again")
            return None
        self._names.add(name)
        return name

    def _drawn(self, rows: Rows, masks: pa.StructArray, size: tuple[int, int], refusals: Refusals) -> _Drawn:
        """Paint segments over each other, the first of those that are to be seen last."""
        ids: Ids = np.zeros(size, np.uint32)
        order = np.flatnonzero(~refusals.bad)
        if self._overlap == "confidence":
            score = rows.columns["confidence"].fill_null(-np.inf).to_numpy()
            order = order[np.argsort(-score[order], kind="stable")]
        segments: list[tuple[int, int]] = []
        for row in order.tolist():
            inside = _decoded(masks[row].as_py())
            free = inside & (ids == 0)
            if not free.any() and self._overlap == "confidence":
                self.report.flagged[_HIDDEN] += 1
                continue
            is_cut = bool((inside & ~free).any())
            if is_cut and self._overlap == "refuse":
                other = next(of for of, number in segments if number == ids[inside & ~free][0])
                rule = 'must not lie on pixels of another row; overlap="confidence" decides between them'
                got = f"row {refusals.rows[other]} on {int((inside & ~free).sum())} of its pixels"
                refusals.add_one(row, Code.CANNOT_HOLD, "mask", f"{rule}, got {got}")
                continue
            if not free.any():
                refusals.add_one(row, Code.CANNOT_HOLD, "mask", "must have a pixel inside, got none")
                continue
            self.report.flagged.update([_CUT] if is_cut else [])
            segments.append((row, len(segments) + 1))
            ids[free] = len(segments)
        return _Drawn(ids, segments)

    def _write(
        self,
        name: str,
        image: int,
        rows: Rows,
        size: tuple[int, int],
        drawn: _Drawn,
        category: npt.NDArray[np.int64],
        extras: list[Extra],
    ) -> None:
        pixels = np.stack([drawn.ids & 255, drawn.ids >> 8 & 255, drawn.ids >> 16], -1).astype(np.uint8)
        with explained(self._folder):
            (self._folder / name).write_bytes(rgb_png(pixels))
        data_unit = rows.columns["data_unit"][0].as_py()
        scores = rows.columns["confidence"].to_pylist()
        infos = []
        for row, number in sorted(drawn.segments):
            info: dict[str, Any] = {"id": number, "category_id": int(category[row]), **_measured(drawn.ids == number)}
            info["iscrowd"] = extras[row].own.get("iscrowd", 0)
            if scores[row] is not None:
                info["score"] = scores[row]
            infos.append(info | json.loads(f"{{{extras[row].text[1:]}}}"))
        self.images.append({"id": image, "file_name": data_unit, "width": size[1], "height": size[0]})
        self.annotations.append({"image_id": image, "file_name": name, "segments_info": infos})
        self.report.imported += len(infos)


def _size(masks: pa.StructArray, refusals: Refusals) -> tuple[int, int] | None:
    """Give the one size of an image's masks; rows of another than the first's are refused."""
    good = np.flatnonzero(~refusals.bad)
    if not good.size:
        return None
    sizes = np.stack([pc.struct_field(masks, name).fill_null(0).to_numpy() for name in ("height", "width")], 1)
    height, width = sizes[good[0]].tolist()
    differs = (sizes != (height, width)).any(1)
    refusals.add(
        differs,
        Code.SIZE_MISMATCH,
        "mask",
        lambda row: f"must be {width} x {height} as the image's first, got {sizes[row, 1]} x {sizes[row, 0]}",
    )
    return height, width


def _decoded(mask: dict[str, Any]) -> npt.NDArray[np.bool_]:
    from predarrow_engine.rle_decode import decode
    from predarrow_engine.rle_text import from_strings

    text = np.frombuffer(mask["counts"], np.uint8)
    sizes = np.array([[mask["height"], mask["width"]]], np.int64)
    runs = from_strings(text, np.array([0, len(text)]), sizes)
    inside: npt.NDArray[np.bool_] = decode(runs.counts, runs.offsets, mask["height"], mask["width"])[0] != 0
    return inside


def _measured(inside: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Give area and bbox of pixels."""
    columns, rows = np.flatnonzero(inside.any(0)), np.flatnonzero(inside.any(1))
    left, top = int(columns[0]), int(rows[0])
    box = [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top]
    return {"area": int(np.count_nonzero(inside)), "bbox": box}
