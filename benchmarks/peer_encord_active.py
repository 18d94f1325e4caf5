"""Mask import in the manner of Encord Active: what its importer does to each file, in our own words.

The package itself cannot be installed beside current libraries (it pins NumPy < 1.24, pydantic < 2 and one
old OpenCV), so this follows the behaviour of its last release, v0.1.84: a full-frame comparison per class,
outer contours only, those with fewer than 3 points or an area under 4 dropped, and for every object a mask of
the whole frame, checked to hold zeros and ones only and kept in memory until all files are done. Left out, in
its favour: one database connection a file, pydantic's models and the conversion to RLE afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image


@dataclass
class MaskPrediction:
    """One object: where it was seen, what it is, and its mask over the whole frame."""

    data_unit: str
    value: int
    confidence: float
    mask: npt.NDArray[np.uint8]
    """(height, width), zeros and ones."""

    def __post_init__(self) -> None:
        if not np.logical_or(self.mask == 0, self.mask == 1).all():
            raise ValueError(f"{self.data_unit}: mask must hold 0 and 1 only")


def import_folder(folder: Path) -> list[MaskPrediction]:
    """Give every object of every mask in a folder."""
    predictions: list[MaskPrediction] = []
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as image:
            labels = np.asarray(image)
        for value in np.unique(labels):
            if value != 0:
                predictions += _objects(path.stem, labels, int(value))
    return predictions


def _objects(data_unit: str, labels: npt.NDArray[Any], value: int) -> list[MaskPrediction]:
    of_class = np.zeros(labels.shape, np.uint8)
    of_class[labels == value] = 1
    contours, _ = cv2.findContours(of_class, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    kept = [contour for contour in contours if len(contour) >= 3 and cv2.contourArea(contour) >= 4]
    objects: list[MaskPrediction] = []
    for contour in kept:
        mask = np.zeros(labels.shape, np.uint8)
        cv2.fillPoly(mask, [contour], 1)
        objects.append(MaskPrediction(data_unit, value, 1.0, mask))
    return objects
