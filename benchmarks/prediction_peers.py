"""What people do today with KITTI text, boxes and instance masks, each as one plain function on one thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
from pycocotools import mask as coco_masks

Boxes = npt.NDArray[np.floating]
Masks = npt.NDArray[np.uint8]

_BOX = slice(4, 8)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.txt"))


def read_only(folder: Path) -> list[bytes]:
    """Read every file of a folder, and nothing else."""
    found = []
    for path in _files(folder):
        with open(path, "rb") as file:  # noqa: PTH123 - the plainest way is what is timed
            found.append(file.read())
    return found


def split_lines(folder: Path) -> list[tuple[str, str, list[float]]]:
    """Give title, class and numbers of every line of a folder of KITTI files, by `split` and `float`."""
    rows = []
    for path in _files(folder):
        with open(path) as file:  # noqa: PTH123
            for line in file:
                name, *numbers = line.split()
                rows.append((path.stem, name, [float(number) for number in numbers]))
    return rows


def pandas_files(folder: Path) -> list[Any]:
    """Read every KITTI file of a folder with pandas (optional extra `bench`): Encord Active's way."""
    import pandas

    return [(path.stem, pandas.read_csv(path, sep=" ", header=None)) for path in _files(folder)]


def pandas_file(path: Path, threads: int = 1) -> Any:
    """Read one KITTI file with pandas' C reader; pandas takes a thread for each core if it is let."""
    import pandas

    with pandas.option_context("mode.max_threads", threads):
        return pandas.read_csv(path, sep=" ", header=None)


def pandas_file_on_two_threads(path: Path) -> Any:
    """Read one KITTI file with pandas as it comes, where there are two cores."""
    return pandas_file(path, 2)


def arrow_csv(path: Path) -> pa.Table:
    """Read one KITTI file with pyarrow's CSV reader, on one thread."""
    return pyarrow.csv.read_csv(
        path,
        read_options=pyarrow.csv.ReadOptions(autogenerate_column_names=True, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(delimiter=" "),
    )


def stack_corners(boxes: Boxes) -> Boxes:
    """Turn centres into corners by columns and `np.stack`, as most scripts do."""
    x, y, width, height = boxes.T
    corners: Boxes = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)
    return corners


def torchvision_corners() -> Callable[[Boxes], Any]:
    """Give torchvision's `box_convert` on one thread, where it is installed."""
    import torch
    from torchvision.ops import box_convert

    torch.set_num_threads(1)
    return lambda boxes: box_convert(torch.from_numpy(boxes), "cxcywh", "xyxy")


def contours(masks: Masks) -> list[Sequence[npt.NDArray[np.int32]]]:
    """Trace each mask with `cv2.findContours`."""
    return [cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)[0] for mask in masks]


def coco_encode(masks: Masks) -> list[dict[str, Any]]:
    """Encode masks as COCO's run lengths with pycocotools, which takes columns first."""
    encoded: list[dict[str, Any]] = coco_masks.encode(np.asfortranarray(masks.transpose(1, 2, 0)))
    return encoded


def box_of(numbers: Sequence[float]) -> tuple[float, ...]:
    """Give the corners among a KITTI line's numbers (those behind its class)."""
    return tuple(numbers[3:7])


def frame_boxes(frame: Any) -> list[tuple[str, tuple[float, ...]]]:
    """Give class and corners of each row of a KITTI file that pandas read."""
    return [(row[0], tuple(float(value) for value in row[_BOX])) for row in frame.itertuples(index=False)]
