"""Comparisons with the converter of Label Studio's SDK: tasks with predictions, and brushes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_masks

import predarrow
from benchmarks.comparison import Comparison, Contender, Data
from benchmarks.data import SEED
from benchmarks.digests import Digest
from predarrow_engine import brush

_HEIGHT, _WIDTH = 480, 640
_N_CLASSES = 80
_PER_IMAGE = 10
_N_POINTS = 20


class Drawn(NamedTuple):
    """Masks of one size in the forms that contenders take."""

    masks: npt.NDArray[np.uint8]
    """(n, height, width) 0 and 255"""
    counts: npt.NDArray[np.uint8]
    """COCO's compressed strings, one after the other."""
    offsets: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    values: npt.NDArray[np.uint8]
    """Bytes of their brushes, one after the other."""
    places: npt.NDArray[np.int64]
    lists: list[list[int]]
    """The same as Label Studio's JSON has them."""


def coco_annotations(n_images: int, folder: Path, *, with_polygons: bool) -> list[Path]:
    """Write a COCO annotation file with ten boxes an image, with two decimals, or with polygons of 20 points, too."""
    rng = np.random.default_rng(SEED)
    n = n_images * _PER_IMAGE
    corners = rng.uniform(1, (_WIDTH - 120, _HEIGHT - 120), (n, 2)).round(2)
    sides = rng.uniform(4, 110, (n, 2)).round(2)
    angles = np.linspace(0, 2 * np.pi, _N_POINTS, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], 1)
    radius = rng.uniform(0.2, 0.5, (n, _N_POINTS, 1))
    rings = (corners[:, None] + sides[:, None] * (0.5 + radius * circle)).round(2).reshape(n, -1).tolist()
    boxes = np.concatenate([corners, sides], 1).tolist()
    classes = rng.integers(1, _N_CLASSES + 1, n).tolist()
    records = [
        {
            "id": k + 1,
            "image_id": k // _PER_IMAGE + 1,
            "category_id": classes[k],
            "bbox": boxes[k],
            "area": 1.0,
            "iscrowd": 0,
            "segmentation": [rings[k]] if with_polygons else [],
        }
        for k in range(n)
    ]
    images = [
        {"id": k, "width": _WIDTH, "height": _HEIGHT, "file_name": f"{k:012d}.jpg"} for k in range(1, n_images + 1)
    ]
    categories = [{"id": k, "name": f"class {k}"} for k in range(1, _N_CLASSES + 1)]
    path = folder / "coco.json"
    path.write_text(json.dumps({"images": images, "annotations": records, "categories": categories}))
    return [path]


def drawn(n: int, side: int) -> list[Drawn]:
    """Give masks of smooth blobs, about half of the pixels inside."""
    rng = np.random.default_rng(SEED)
    random = [rng.random((side, side), np.float32) for _ in range(n)]
    blurred = [np.asarray(cv2.GaussianBlur(noise, (0, 0), 6), np.float32) for noise in random]
    masks = np.stack([np.where(noise > np.median(noise), np.uint8(255), np.uint8(0)) for noise in blurred])
    rles = coco_masks.encode(np.asfortranarray((masks > 0).astype(np.uint8).transpose(1, 2, 0)))
    counts = [rle["counts"] for rle in rles]
    flat, offsets = np.frombuffer(b"".join(counts), np.uint8), np.cumsum([0, *map(len, counts)])
    sizes = np.tile([side, side], (n, 1))
    made = brush.encode(flat, offsets, sizes)
    lists = [made.values[begin:end].tolist() for begin, end in pairwise(made.offsets.tolist())]
    return [Drawn(masks, flat, offsets, sizes, made.values, made.offsets, lists)]


def written(path: Path) -> Path:
    """Read COCO's file and write tasks with predictions."""
    made = path.with_name("by_predarrow.json")
    predarrow.write_label_studio(predarrow.read_coco(path, workers=1), made, overwrite=True)
    return made


def _converted(path: Path) -> Path:
    made = path.with_name("by_the_sdk.json")
    convert = import_module("label_studio_sdk.converter.imports.coco").convert_coco_to_ls
    convert(str(path), str(made), out_type="predictions")
    return made


def _encoded(masks: Drawn) -> brush.Brushes:
    return brush.encode(masks.counts, masks.offsets, masks.sizes)


def _decoded(masks: Drawn) -> brush.Masks:
    return brush.decode(masks.values, masks.places, masks.sizes)


def _sdk_encoded(masks: Drawn) -> list[list[int]]:
    encode = import_module("label_studio_sdk.converter.brush").mask2rle
    return [encode(mask) for mask in masks.masks]


def _sdk_decoded(masks: Drawn) -> list[Any]:
    decode = import_module("label_studio_sdk.converter.brush").decode_rle
    return [decode(values) for values in masks.lists]


def _of_brushes(made: brush.Brushes) -> Digest:
    return {"brushes": [tuple(made.values[begin:end].tolist()) for begin, end in pairwise(made.offsets.tolist())]}


def _of_lists(lists: Iterable[list[int]]) -> Digest:
    return {"brushes": [tuple(values) for values in lists]}


def _of_masks(made: brush.Masks) -> Digest:
    return {"masks": [made.counts[begin:end].tobytes() for begin, end in pairwise(made.offsets.tolist())]}


def _of_values(decoded: list[Any]) -> Digest:
    """Give COCO's run lengths of the four values of each pixel; those of a square image."""
    alphas = [np.asarray(values, np.uint8)[3::4] for values in decoded]
    masks = [alpha.reshape(round(alpha.size**0.5), -1) // 255 for alpha in alphas]
    return {"masks": [coco_masks.encode(np.asfortranarray(mask))["counts"] for mask in masks]}


def _of_tasks(path: Path) -> Digest:
    """Give rectangles by label to nine decimals of a percent, polygons to the hundredth of a pixel that they had."""
    boxes, rings = [], []
    for task in json.loads(path.read_text()):
        for prediction in task["predictions"]:
            for region in prediction["result"]:
                value = region["value"]
                if region["type"] == "rectanglelabels":
                    sides = (value[name] for name in ("x", "y", "width", "height"))
                    boxes.append((*value["rectanglelabels"], *(round(side, 9) for side in sides)))
                else:
                    points = [(x * _WIDTH / 100, y * _HEIGHT / 100) for x, y in value["points"]]
                    rings.append((*value["polygonlabels"], *(round(place, 2) for point in points for place in point)))
    return {"rings": rings} if rings else {"boxes": boxes}


def _with_sdk(*contenders: Contender) -> Sequence[Contender]:
    return contenders if find_spec("label_studio_sdk") else ()


_BLOBS = Data("3 masks 1024x1024 of smooth blobs", 3, lambda n, shrink, _: drawn(n, 1024 // shrink), "masks")


def _images(what: str, *, with_polygons: bool) -> Data:
    def items(_: int, shrink: int, folder: Path) -> list[Path]:
        return coco_annotations(10_000 // shrink**3, folder, with_polygons=with_polygons)

    return Data(f"COCO annotations of 10,000 images with {what}", 1, items, "files")


_CONVERTER = Contender("label-studio-sdk, convert_coco_to_ls", _converted, _of_tasks, 10)

LABEL_STUDIO: Sequence[Comparison] = (
    Comparison(
        "label-studio-boxes",
        _images("10 boxes each", with_polygons=False),
        Contender("predarrow", written, _of_tasks),
        _with_sdk(_CONVERTER),
        rounds=3,
    ),
    Comparison(
        "label-studio-polygons",
        _images("10 polygons of 20 points each", with_polygons=True),
        Contender("predarrow", written, _of_tasks),
        _with_sdk(_CONVERTER),
        rounds=2,  # it takes the converter a quarter of a minute
    ),
    Comparison(
        "brush-encode",
        _BLOBS,
        Contender("predarrow", _encoded, _of_brushes),
        _with_sdk(Contender("label-studio-sdk, mask2rle", _sdk_encoded, _of_lists, 80, "from pixels")),
    ),
    Comparison(
        "brush-decode",
        _BLOBS,
        Contender("predarrow", _decoded, _of_masks),
        _with_sdk(Contender("label-studio-sdk, decode_rle", _sdk_decoded, _of_values, 200, "from a list")),
    ),
)
