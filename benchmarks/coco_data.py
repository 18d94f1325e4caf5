"""COCO results, and masks as run lengths, to measure on: made from a seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_masks

from benchmarks.data import SEED

_N_IMAGES, _HEIGHT, _WIDTH = 5000, 480, 640


class Results(NamedTuple):
    """A results file, and an annotation file with the images and categories that it speaks of."""

    path: Path
    annotations: Path


class Encoded(NamedTuple):
    """Masks of one size as pycocotools has them, and as the engine takes them."""

    rles: list[dict[str, Any]]
    strings: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]


def _annotations(folder: Path) -> Path:
    path = folder / "annotations.json"
    lists: dict[str, Any] = {"images": _images(_N_IMAGES), "categories": _categories(), "annotations": []}
    path.write_text(json.dumps(lists))
    return path


def _images(n: int) -> list[dict[str, Any]]:
    return [{"id": k, "width": _WIDTH, "height": _HEIGHT, "file_name": f"{k:012d}.jpg"} for k in range(1, n + 1)]


def _categories() -> list[dict[str, Any]]:
    return [{"id": k, "name": f"class {k}"} for k in range(1, 81)]


def boxes(n: int, folder: Path, digits: Literal["short", "long"]) -> list[Results]:
    """Write n results of boxes: two decimals, or all digits of a 32-bit number, as detectors write them."""
    rng = np.random.default_rng(SEED)
    images = np.sort(rng.integers(1, _N_IMAGES + 1, n)).tolist()
    categories = rng.integers(1, 81, n).tolist()
    numbers = rng.uniform(1, 300, (n, 4)).astype(np.float32)
    scores = rng.random(n).astype(np.float32)
    if digits == "short":
        rows = [",".join([f"{v:.2f}" for v in row]) for row in numbers.tolist()]
        texts = [f"{score:.3f}" for score in scores.tolist()]
    else:
        rows = [", ".join(map(repr, row)) for row in numbers.tolist()]
        texts = list(map(repr, scores.tolist()))
    path = folder / "results.json"
    with path.open("w") as file:
        file.write("[")
        for start in range(0, n, 10_000):
            some = slice(start, start + 10_000)
            chosen = zip(images[some], categories[some], rows[some], texts[some], strict=True)
            file.write("," if start else "")
            file.write(
                ",".join(
                    [f'{{"image_id":{i},"category_id":{c},"bbox":[{box}],"score":{s}}}' for i, c, box, s in chosen]
                )
            )
        file.write("]")
    return [Results(path, _annotations(folder))]


def polygons(n: int, folder: Path, n_images: int) -> list[Results]:
    """Write n annotations of polygons, about 900 bytes each, with their images and categories.

    There are 4,096 polygons of 3 to some 200 points with two decimals; each annotation has one of them, every tenth
    one another one, too.
    """
    rng = np.random.default_rng(SEED)
    rings, boxes = _rings(rng, 4096)
    chosen = rng.integers(0, len(rings), n).tolist()
    path = folder / f"polygons_{n}.json"
    with path.open("w") as file:
        file.write(json.dumps({"info": {"year": 2024}, "images": _images(n_images)})[:-1])
        file.write(', "annotations": [')
        for start in range(0, n, 10_000):
            records = []
            for k in range(start, min(start + 10_000, n)):
                ring = chosen[k]
                parts = rings[ring] if k % 10 else f"{rings[ring]}, {rings[ring - 1]}"
                ids = f'"image_id": {1 + k % n_images}, "category_id": {1 + k % 80}, "id": {k + 1}'
                rest = f'"area": {k % 9973}.25, "iscrowd": 0, "bbox": {boxes[ring]}'
                records.append(f'{{"segmentation": [{parts}], {rest}, {ids}}}')
            file.write((", " if start else "") + ", ".join(records))
        file.write(f'], "categories": {json.dumps(_categories())}}}')
    return [Results(path, path)]


def _rings(rng: np.random.Generator, n: int) -> tuple[list[str], list[str]]:
    """Give rings around random places as JSON, and the boxes that cover them."""
    rings, boxes = [], []
    for n_points in (rng.gamma(2, 22, n).astype(int) + 3).tolist():
        angles = np.sort(rng.uniform(0, 2 * np.pi, n_points))
        radius = rng.uniform(5, 100) * (1 + rng.normal(0, 0.05, n_points))
        middle = rng.uniform(100, (_WIDTH - 100, _HEIGHT - 100))
        points = (middle + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)).round(2)
        corner = points.min(0)
        rings.append(json.dumps(points.ravel().tolist()))
        boxes.append(json.dumps([*corner.tolist(), *(points.max(0) - corner).round(2).tolist()]))
    return rings, boxes


def masks(n: int, height: int = _HEIGHT, width: int = _WIDTH) -> npt.NDArray[np.uint8]:
    """Masks of objects with a ragged border, (n, height, width) zeros and ones."""
    rng = np.random.default_rng(SEED)
    found = np.zeros((n, height, width), np.uint8)
    angles = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    for mask in found:
        radius = height * rng.uniform(0.05, 0.4)
        ring = radius * (1 + 0.1 * np.sin(5 * angles + rng.uniform(0, 6)) + rng.normal(0, 0.03, angles.size))
        points = np.stack([np.cos(angles), np.sin(angles)], 1) * ring[:, None] + rng.uniform(0.2, 0.8, 2) * (
            width,
            height,
        )
        cv2.fillPoly(mask, [points.round().astype(np.int32)], 1)
    return found


def encoded(n: int, height: int = _HEIGHT, width: int = _WIDTH) -> Encoded:
    """Give masks as run lengths."""
    rles = coco_masks.encode(np.asfortranarray(masks(n, height, width).transpose(1, 2, 0)))
    counts = [rle["counts"] for rle in rles]
    offsets = np.cumsum([0, *map(len, counts)])
    return Encoded(rles, np.frombuffer(b"".join(counts), np.uint8), offsets, np.tile([height, width], (n, 1)))


def run_lengths(n: int, folder: Path) -> list[Results]:
    """Write n results of masks."""
    rng = np.random.default_rng(SEED)
    rles = [{"size": rle["size"], "counts": rle["counts"].decode()} for rle in encoded(min(n, 500)).rles]
    records = [
        {"image_id": int(image), "category_id": 1 + k % 80, "segmentation": rles[k % len(rles)], "score": float(score)}
        for k, (image, score) in enumerate(zip(np.sort(rng.integers(1, _N_IMAGES + 1, n)), rng.random(n), strict=True))
    ]
    path = folder / "results.json"
    path.write_text(json.dumps(records))
    return [Results(path, _annotations(folder))]
