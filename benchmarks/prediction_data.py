"""KITTI text, boxes and instance masks to measure on: made from a seed, all different."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.data import SEED

Boxes = npt.NDArray[np.float32]

_CLASSES = ("Car", "Pedestrian", "Cyclist")


def _lines(rng: np.random.Generator, n: int) -> list[str]:
    """Give n lines of KITTI results as detectors write them: 16 fields, two decimals."""
    left, top = rng.uniform(0, 1100, n), rng.uniform(100, 300, n)
    numbers = np.stack(
        [
            rng.uniform(-3, 3, n),
            left,
            top,
            left + rng.uniform(5, 140, n),
            top + rng.uniform(5, 75, n),
            *rng.uniform(0.5, 4, (3, n)),
            rng.uniform(-30, 30, n),
            rng.uniform(1, 2, n),
            rng.uniform(3, 80, n),
            rng.uniform(-3, 3, n),
            rng.uniform(0.1, 1, n),
        ],
        axis=1,
    )
    names = rng.integers(len(_CLASSES), size=n)
    return [
        f"{_CLASSES[name]} -1 -1 " + " ".join([f"{value:.2f}" for value in row])
        for name, row in zip(names.tolist(), numbers.tolist(), strict=True)
    ]


def kitti_folder(n: int, folder: Path, *, lines: float = 5.0) -> list[Path]:
    """Write n files of about `lines` lines each; give the folder."""
    rng = np.random.default_rng(SEED)
    counts = np.maximum(1, rng.poisson(lines, n))
    text = _lines(rng, int(counts.sum()))
    for number, (end, count) in enumerate(zip(np.cumsum(counts).tolist(), counts.tolist(), strict=True)):
        (folder / f"{number:06d}.txt").write_text("\n".join(text[end - count : end]) + "\n", encoding="ascii")
    return [folder]


def kitti_file(n: int, folder: Path) -> list[Path]:
    """Write one file of n lines; give its path."""
    path = folder / "0.txt"
    path.write_text("\n".join(_lines(np.random.default_rng(SEED), n)) + "\n", encoding="ascii")
    return [path]


def boxes(n: int) -> Boxes:
    """Boxes as (n, 4) centre x, centre y, width, height in pixels."""
    rng = np.random.default_rng(SEED)
    return np.concatenate([rng.uniform(0, 1000, (n, 2)), rng.uniform(1, 200, (n, 2))], axis=1).astype(np.float32)


def instances(n: int, size: int = 512, *, image: int = 0) -> npt.NDArray[np.uint8]:
    """Masks of n objects, (n, size, size) zeros and ones: blobs of many sizes with a wavy border, some with a hole."""
    rng = np.random.default_rng((SEED, image))
    masks = np.zeros((n, size, size), np.uint8)
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    for mask in masks:
        radius = size * rng.uniform(0.03, 0.3)
        wave = 1 + 0.15 * np.sin(rng.integers(2, 9) * angles + rng.uniform(0, 6)) + rng.normal(0, 0.02, angles.size)
        centre = rng.uniform(radius, size - radius, 2)
        ring = centre + (radius * wave)[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
        cv2.fillPoly(mask, [ring.round().astype(np.int32)], 1)
        if rng.random() < 0.3:
            cv2.circle(mask, (int(centre[0]), int(centre[1])), int(radius / 4), 0, -1)
    return masks


def detections(n_images: int, n_boxes: int) -> dict[str, Any]:
    """What a detector gives for a batch: boxes, scores and labels an image, and the images' ids."""
    rng = np.random.default_rng(SEED)
    corners = [rng.uniform(0, 500, (n_boxes, 4)).astype(np.float32) for _ in range(n_images)]
    for box in corners:
        box[:, 2:] += box[:, :2]
    return {
        "boxes": corners,
        "scores": [rng.random(n_boxes).astype(np.float32) for _ in range(n_images)],
        "labels": [rng.integers(1, 80, n_boxes) for _ in range(n_images)],
        "image_ids": [f"image {k}" for k in range(n_images)],
    }
