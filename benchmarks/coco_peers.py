"""What people read COCO results with, each as one plain function on one thread unless it says so."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Callable
from types import GenericAlias
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO

from benchmarks.coco_data import Encoded, Results

os.environ.setdefault("RAYON_NUM_THREADS", "1")  # hotcoco's threads: two take six tenths of the time of one


def load_res() -> Callable[[Results], Any]:
    """Give pycocotools' `loadRes`, its data set being loaded beforehand."""
    kept: dict[Any, Any] = {}

    def run(results: Results) -> Any:
        with contextlib.redirect_stdout(io.StringIO()):
            if results.annotations not in kept:
                kept[results.annotations] = COCO(str(results.annotations))
            return kept[results.annotations].loadRes(str(results.path))

    return run


def hotcoco() -> Callable[[Results], Any]:
    """Give hotcoco's `load_res` (optional extra `bench`), its data set being loaded beforehand."""
    from hotcoco import COCO as HotCoco

    kept: dict[Any, Any] = {}

    def run(results: Results) -> Any:
        if results.annotations not in kept:
            kept[results.annotations] = HotCoco(str(results.annotations))
        return kept[results.annotations].load_res(str(results.path))

    return run


def hotcoco_annotations(annotations: Results) -> Any:
    """Read an annotation file with hotcoco (optional extra `bench`)."""
    from hotcoco import COCO as HotCoco

    return HotCoco(str(annotations.path))


def duckdb_json(results: Results) -> pa.Table:
    """Read with DuckDB (optional extra `bench`) into Arrow, on two threads."""
    import duckdb

    connection = duckdb.connect(config={"threads": 2})
    found: pa.Table = connection.sql(f"SELECT * FROM read_json('{results.path}')").to_arrow_table()
    return found


def msgspec_columns() -> Callable[[Results], dict[str, npt.NDArray[Any]]]:
    """Give a reader by msgspec (optional extra `bench`): typed objects, then a NumPy column of each field."""
    import msgspec

    box = tuple[float, float, float, float]
    fields = [("image_id", int), ("category_id", int), ("bbox", box), ("score", float)]
    decoder: Any = msgspec.json.Decoder(GenericAlias(list, (msgspec.defstruct("Record", fields),)))

    def run(results: Results) -> dict[str, npt.NDArray[Any]]:
        records = decoder.decode(results.path.read_bytes())
        return {
            "image_id": np.array([record.image_id for record in records]),
            "category_id": np.array([record.category_id for record in records]),
            "bbox": np.array([record.bbox for record in records]),
            "score": np.array([record.score for record in records]),
        }

    return run


def decode(masks: Encoded) -> npt.NDArray[np.uint8]:
    """Decode run lengths with pycocotools, all at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own, of NumPy 2
        found: npt.NDArray[np.uint8] = coco_masks.decode(masks.rles)
    return found


def area_and_box(masks: Encoded) -> tuple[list[int], npt.NDArray[np.float64]]:
    """Give areas and boxes with pycocotools, whose `area` breaks off above 255 masks with NumPy 2."""
    areas = [int(coco_masks.area(rle)) for rle in masks.rles]
    return areas, coco_masks.toBbox(masks.rles)


def contours(masks: Encoded) -> list[Any]:
    """Decode run lengths with pycocotools and trace each mask with OpenCV."""
    decoded = decode(masks)
    found = []
    for k in range(decoded.shape[2]):
        mask = np.ascontiguousarray(decoded[:, :, k])
        found.append(cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)[0])
    return found
