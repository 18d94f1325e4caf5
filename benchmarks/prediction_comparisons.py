"""Comparisons on KITTI text, boxes, and masks of single objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import predarrow
from benchmarks import prediction_data as data
from benchmarks import prediction_peers as peers
from benchmarks.comparison import Comparison, Contender, Data
from benchmarks.digests import Digest
from benchmarks.peer_encord_active_kitti import BoxPrediction, import_kitti_folder
from predarrow_engine.kitti import KittiRows, parse

Boxes = npt.NDArray[np.float32]


def _read_kitti(path: Path) -> pa.Table:
    return predarrow.read_kitti(path, workers=1).read_all()


def _parse_kitti(path: Path) -> KittiRows:
    """Read a file and parse it into columns of numbers, without the table that `read_kitti` makes of them."""
    text = np.fromfile(path, np.uint8)
    return parse(text, np.array([0, text.size]))


def _of_rows(rows: KittiRows) -> Digest:
    names = [rows.names[name].decode() for name in rows.name.tolist()]
    return {"boxes": [("0", name, tuple(box)) for name, box in zip(names, rows.numbers[3:7].T.tolist(), strict=True)]}


def _corners(table: pa.Table) -> list[tuple[float, ...]]:
    columns = table["bbox"].combine_chunks().flatten()
    return list(zip(*(column.to_pylist() for column in columns), strict=True))


def _of_table(table: pa.Table) -> Digest:
    titles, names = table["data_unit"].to_pylist(), table["class_name"].to_pylist()
    return {"boxes": list(zip(titles, names, _corners(table), strict=True))}


def _of_lines(rows: Sequence[tuple[str, str, list[float]]]) -> Digest:
    return {"boxes": [(title, name, peers.box_of(numbers)) for title, name, numbers in rows]}


def _of_frames(frames: Sequence[tuple[str, Any]]) -> Digest:
    return {"boxes": [(title, *row) for title, frame in frames for row in peers.frame_boxes(frame)]}


def _of_csv(table: pa.Table) -> Digest:
    columns = [table.column(k).to_pylist() for k in (4, 5, 6, 7)]
    return {"boxes": [("0", *row) for row in zip(table.column(0).to_pylist(), zip(*columns, strict=True), strict=True)]}


def _of_count(predictions: Sequence[BoxPrediction]) -> Digest:
    return {"titles": [prediction.data_unit for prediction in predictions]}


def _of_titles(table: pa.Table) -> Digest:
    return {"titles": table["data_unit"].to_pylist()}


def _of_boxes(boxes: Any) -> Digest:
    return {"boxes": [tuple(row) for row in np.asarray(boxes).tolist()]}


def _in_place() -> Callable[[Boxes], Boxes]:
    """Give a function that converts into memory that it keeps."""
    kept: dict[tuple[int, ...], Boxes] = {}

    def run(boxes: Boxes) -> Boxes:
        out = kept.setdefault(boxes.shape, np.empty_like(boxes))
        result: Boxes = predarrow.convert_boxes(boxes, "cxcywh", "xyxy", out=out)
        return result

    return run


def _converted(boxes: Boxes) -> Boxes:
    result: Boxes = predarrow.convert_boxes(boxes, "cxcywh", "xyxy")
    return result


def _polygons(masks: peers.Masks) -> pa.Table:
    return predarrow.from_masks(masks)


def _run_lengths(masks: peers.Masks) -> pa.Table:
    return predarrow.from_masks(masks, form="rle")


def _of_contours(rings: Sequence[Sequence[npt.NDArray[np.int32]]]) -> Digest:
    points = [np.concatenate([ring.reshape(-1, 2) for ring in mask]) for mask in rings]
    return {"boxes": [(*map(float, p.min(0)), *map(float, p.max(0) + 1)) for p in points]}


def _of_masks(table: pa.Table) -> Digest:
    return {"boxes": _corners(table), "counts": [mask and mask["counts"] for mask in table["mask"].to_pylist()]}


def _of_encoded(encoded: Sequence[dict[str, Any]]) -> Digest:
    return {"counts": [mask["counts"] for mask in encoded]}


def _kitti_files(text: str, n: int, lines: float) -> Data:
    return Data(text, n, lambda n, shrink, folder: data.kitti_folder(max(3, n // shrink), folder, lines=lines), "files")


def _instances(n: int, shrink: int, _: Path) -> list[peers.Masks]:
    return [data.instances(20, 512 // shrink, image=k) for k in range(n)]


def _with_pandas(*contenders: Contender) -> Sequence[Contender]:
    return contenders if find_spec("pandas") else ()


def _with_torchvision(target: float | None) -> Sequence[Contender]:
    if not find_spec("torchvision"):
        return ()
    return (Contender("torchvision box_convert", peers.torchvision_corners(), _of_boxes, target),)


def _boxes(name: str, source: Data, ours: Contender, stack: float | None, torchvision: float | None) -> Comparison:
    others = (
        Contender("columns and np.stack", peers.stack_corners, _of_boxes, stack),
        Contender("copy of the array", np.copy, None, None, "no conversion"),
        *_with_torchvision(torchvision),
    )
    return Comparison(name, source, ours, others)


KITTI = _kitti_files("7,481 KITTI results of about 5 lines", 7481, 5)
KITTI_ENCORD = _kitti_files("1,000 KITTI results of about 10 lines", 1000, 10)
KITTI_LINES = Data(
    "one KITTI file of 1,000,000 lines",
    1,
    lambda _, shrink, folder: data.kitti_file(1_000_000 // shrink**4, folder),
    "files",
)
MILLION = Data("1,000,000 boxes, float32", 1, lambda _, shrink, __: [data.boxes(1_000_000 // shrink**4)], "calls")
ONE_BOX = Data("one box, float32", 200, lambda n, _, __: [data.boxes(1)] * n, "calls")
MASKS_512 = Data("20 masks of objects 512x512", 10, _instances, "calls")

PREDICTIONS: Sequence[Comparison] = (
    Comparison(
        "kitti-files",
        KITTI,
        Contender("predarrow", _read_kitti, _of_table),
        (
            Contender("open and read alone", peers.read_only, None, 1, "nothing parsed"),
            Contender("split and float", peers.split_lines, _of_lines, 3),
            *_with_pandas(Contender("pandas.read_csv", peers.pandas_files, _of_frames, 80)),
        ),
    ),
    Comparison(
        "kitti-lines",
        KITTI_LINES,
        Contender("predarrow", _read_kitti, _of_table),
        (
            Contender("pyarrow.csv", peers.arrow_csv, _of_csv, 2.5),
            *_with_pandas(
                Contender("pandas.read_csv, one thread", peers.pandas_file, None, 1.4, "checked file by file above"),
                Contender("pandas.read_csv, two threads", peers.pandas_file_on_two_threads, None, None, "the same"),
            ),
        ),
    ),
    Comparison(
        "kitti-numbers",
        KITTI_LINES,
        Contender("predarrow's kernel", _parse_kitti, _of_rows),
        (
            Contender("pyarrow.csv", peers.arrow_csv, _of_csv),
            *_with_pandas(
                Contender("pandas.read_csv, one thread", peers.pandas_file, None, None, "checked file by file above")
            ),
        ),
    ),
    Comparison(
        "kitti-encord-active",
        KITTI_ENCORD,
        Contender("predarrow", _read_kitti, _of_titles),
        _with_pandas(Contender("Encord Active's algorithm", import_kitti_folder, _of_count, 100)),
    ),
    _boxes("boxes-out", MILLION, Contender("predarrow", _in_place(), _of_boxes), 6, 7),
    _boxes("boxes-new", MILLION, Contender("predarrow", _converted, _of_boxes), None, None),
    _boxes("boxes-one", ONE_BOX, Contender("predarrow", _converted, _of_boxes), 1, None),
    Comparison(
        "masks-polygons",
        MASKS_512,
        Contender("predarrow", _polygons, _of_masks),
        (Contender("cv2.findContours", peers.contours, _of_contours, 1),),
    ),
    Comparison(
        "masks-rle",
        MASKS_512,
        Contender("predarrow", _run_lengths, _of_masks),
        (Contender("pycocotools encode", peers.coco_encode, _of_encoded, 5),),
    ),
)
