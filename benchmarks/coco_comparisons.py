"""Comparisons on COCO results and run lengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import predarrow
from benchmarks import coco_data as data
from benchmarks import coco_peers as peers
from benchmarks.comparison import Comparison, Contender, Data
from benchmarks.digests import Digest
from predarrow_engine import rle_decode, rle_rows, rle_text
from predarrow_engine.instances import Instances
from predarrow_engine.rle_cover import Covers, covers
from predarrow_engine.rle_shapes import RunLengthTracer

Masks = npt.NDArray[np.uint8]

N_POLYGONS = 330_000
"""Annotations in a file of 300 MB."""
N_IMAGES = 40_000
"""Images that they are of."""


def _read(results: data.Results) -> pa.Table:
    return predarrow.read_coco(results.path, workers=1).read_all()


def _of_table(table: pa.Table) -> Digest:
    scores = zip(table["data_unit"].to_pylist(), table["confidence"].to_pylist(), strict=True)
    return {"scores": [(int(image), score) for image, score in scores]}


def _read_on_two_threads(results: data.Results) -> pa.Table:
    return predarrow.read_coco(results.path, workers=2).read_all()


def _of_polygons(table: pa.Table) -> Digest:
    """Give the image, the number of rings and of points, and the box of each annotation."""
    names, polygons = table["data_unit"].to_pylist(), table["polygon"].to_pylist()
    shapes = [(len(parts), sum(len(ring) for part in parts for ring in part)) for parts in polygons]
    boxes = zip(*(column.to_pylist() for column in table["bbox"].combine_chunks().flatten()), strict=True)
    return {"annotations": [(name, *shape, *box) for name, shape, box in zip(names, shapes, boxes, strict=True)]}


def _of_hotcoco(found: Any) -> Digest:
    content = found.dataset
    names = {image["id"]: image["file_name"] for image in content["images"]}
    annotations = []
    for record in content["annotations"]:
        (x, y, w, h), rings = record["bbox"], record["segmentation"]
        n_points = sum(len(ring) for ring in rings) // 2
        annotations.append((names[record["image_id"]], len(rings), n_points, x, y, x + w, y + h))
    return {"annotations": annotations}


def _of_columns(columns: dict[str, npt.NDArray[Any]]) -> Digest:
    return {"scores": list(zip(columns["image_id"].tolist(), columns["score"].tolist(), strict=True))}


def _of_arrow(table: pa.Table) -> Digest:
    return _of_columns({name: np.asarray(table[name]) for name in ("image_id", "score")})


def _of_coco(results: Any) -> Digest:
    return {"scores": [(record["image_id"], record["score"]) for record in results.dataset["annotations"]]}


def _decode(masks: data.Encoded) -> Masks:
    runs = rle_text.from_strings(masks.strings, masks.offsets, masks.sizes)
    height, width = masks.sizes[0].tolist()
    return rle_decode.decode(runs.counts, runs.offsets, height, width)


def _covers(masks: data.Encoded) -> Covers:
    return covers(masks.strings, masks.offsets, masks.sizes)


def _outlines() -> Callable[[data.Encoded], Instances]:
    tracer = RunLengthTracer()

    def run(masks: data.Encoded) -> Instances:
        runs = rle_text.from_strings(masks.strings, masks.offsets, masks.sizes)
        return tracer.trace_counts(runs.counts, runs.offsets, masks.sizes)

    return run


def _rows(masks: data.Encoded) -> npt.NDArray[np.uint32]:
    runs = rle_text.from_strings(masks.strings, masks.offsets, masks.sizes)
    return rle_rows.to_rows(runs.counts, runs.offsets, masks.sizes)[0]


def _rows_by_pixels(masks: data.Encoded) -> npt.NDArray[np.int64]:
    """Turn run lengths by way of pixels: pycocotools and NumPy."""
    found = []
    for mask in peers.decode(masks).transpose(2, 0, 1):
        flat = np.ascontiguousarray(mask).reshape(-1)
        changes = np.flatnonzero(np.diff(flat, prepend=0))
        found.append(np.diff(changes, prepend=0, append=flat.size))
    return np.concatenate(found)


def _of_pixels(masks: Masks) -> Digest:
    return {"pixels": [masks.tobytes()]}


def _of_peer_pixels(masks: Masks) -> Digest:
    return _of_pixels(np.ascontiguousarray(masks.transpose(2, 0, 1)))


def _of_covers(found: Covers) -> Digest:
    return {"areas": found.area.tolist(), "boxes": [tuple(box) for box in found.bbox.T.tolist()]}


def _of_areas(found: tuple[list[int], npt.NDArray[np.float64]]) -> Digest:
    boxes = found[1]
    return {"areas": found[0], "boxes": [(x, y, x + w, y + h) for x, y, w, h in boxes.tolist()]}


def _of_instances(found: Instances) -> Digest:
    return {"boxes": [tuple(box) for box in found.bbox.T.tolist()]}


def _of_contours(found: list[Any]) -> Digest:
    points = [np.concatenate([ring.reshape(-1, 2) for ring in rings]) for rings in found]
    return {"boxes": [(*map(float, p.min(0)), *map(float, p.max(0) + 1)) for p in points]}


def _of_counts(counts: npt.NDArray[Any]) -> Digest:
    return {"counts": counts.tolist()}


def _results(text: str, digits: Literal["short", "long"]) -> Data:
    def items(n: int, shrink: int, folder: Path) -> list[data.Results]:
        return data.boxes(1_000_000 // shrink**4, folder, digits)

    return Data(text, 1, items, "files")


def _masks(text: str, n: int, height: int = 480, width: int = 640) -> Data:
    return Data(text, 1, lambda _, shrink, __: [data.encoded(max(2, n // shrink), height, width)], "calls")


def _optional(package: str, make: Callable[[], Contender]) -> Sequence[Contender]:
    return (make(),) if find_spec(package) else ()


def _readers(*, has_boxes: bool, hotcoco: float, load_res: float | None) -> Sequence[Contender]:
    found = [Contender("pycocotools loadRes", peers.load_res(), _of_coco, load_res)]
    found += _optional(
        "hotcoco", lambda: Contender("hotcoco load_res, one thread", peers.hotcoco(), None, hotcoco, "not columns")
    )
    if has_boxes:
        found += _optional(
            "duckdb", lambda: Contender("DuckDB read_json, two threads", peers.duckdb_json, _of_arrow, 2.5)
        )
        found += _optional("msgspec", lambda: Contender("msgspec and NumPy", peers.msgspec_columns(), _of_columns, 5))
    return found


SHORT = _results("1,000,000 boxes of two decimals, JSON", "short")
LONG = _results("1,000,000 boxes of all digits, JSON", "long")
POLYGONS = Data(
    "annotation file of 300 MB with polygons",
    1,
    lambda _, shrink, folder: data.polygons(N_POLYGONS // shrink**4, folder, N_IMAGES // shrink**3),
    "files",
)
RUN_LENGTHS = Data(
    "50,000 masks as run lengths, JSON",
    1,
    lambda _, shrink, folder: data.run_lengths(50_000 // shrink**3, folder),
    "files",
)
MASKS = _masks("200 masks 480x640", 200)
MANY = _masks("5,000 masks 480x640", 5000)
LARGE = _masks("20 masks 1080x1920", 20, 1080, 1920)

COCO: Sequence[Comparison] = (
    Comparison(
        "coco-boxes",
        SHORT,
        Contender("predarrow", _read, _of_table),
        _readers(has_boxes=True, hotcoco=2.5, load_res=20),
    ),
    Comparison(
        "coco-digits",
        LONG,
        Contender("predarrow", _read, _of_table),
        _readers(has_boxes=True, hotcoco=2.5, load_res=20),
    ),
    Comparison(
        "coco-two-threads",
        SHORT,
        Contender("predarrow, two threads", _read_on_two_threads, _of_table),
        (Contender("predarrow, one thread", _read, _of_table, 1.6),),  # DuckDB's threads are busy after it has answered
    ),
    Comparison(
        "coco-polygons",
        POLYGONS,
        Contender("predarrow", _read, _of_polygons),
        _optional(
            "hotcoco",
            lambda: Contender("hotcoco COCO, one thread", peers.hotcoco_annotations, _of_hotcoco, 2, "not columns"),
        ),
        rounds=7,
    ),
    Comparison(
        "coco-masks",
        RUN_LENGTHS,
        Contender("predarrow", _read, _of_table),
        _readers(has_boxes=False, hotcoco=3, load_res=None),
    ),
    Comparison(
        "rle-decode",
        MASKS,
        Contender("predarrow", _decode, _of_pixels),
        (Contender("pycocotools decode", peers.decode, _of_peer_pixels, 12),),
    ),
    Comparison(
        "rle-area-box",
        MANY,
        Contender("predarrow", _covers, _of_covers),
        (Contender("pycocotools area and toBbox", peers.area_and_box, _of_areas, 3),),
    ),
    Comparison(
        "rle-polygons",
        MASKS,
        Contender("predarrow", _outlines(), _of_instances),
        (Contender("pycocotools decode, cv2.findContours", peers.contours, _of_contours, 15),),
    ),
    Comparison(
        "rle-rows",
        LARGE,
        Contender("predarrow", _rows, _of_counts),
        (Contender("pycocotools decode, NumPy", _rows_by_pixels, _of_counts, None, "by pixels"),),
    ),
)
