"""KITTI import in the manner of Encord Active: what its importer does to each file, in our own words.

It follows the behaviour of the last release, v0.1.84: each file through `pandas.read_csv` with a space between fields,
each row as a dictionary, boxes divided by the image's size and checked to lie in it. Left out, in its favour: a
database connection a file, and pydantic, whose place plain dataclasses take.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COLUMNS = [
    "class_name",
    "truncation",
    "occlusion",
    "alpha",
    "xmin",
    "ymin",
    "xmax",
    "ymax",
    "height",
    "width",
    "length",
]
_COLUMNS += ["location_x", "location_y", "location_z", "rotation_y"]
_WIDTH, _HEIGHT = 1242, 375


@dataclass
class BoundingBox:
    """A box relative to its image: top-left corner, height and width."""

    x: float
    y: float
    h: float
    w: float

    def __post_init__(self) -> None:
        if not all(0 <= value <= 1 for value in (self.x, self.y, self.h, self.w)):
            raise ValueError(f"a box must lie in its image, got {self}")


@dataclass
class BoxPrediction:
    """One object: where it was seen, what it is, and its box."""

    data_unit: str
    frame: int
    confidence: float
    feature_hash: str
    box: BoundingBox


def import_kitti_folder(folder: Path) -> list[BoxPrediction]:
    """Give every row of every KITTI result file in a folder."""
    import pandas

    hashes = {"Car": "a", "Pedestrian": "b", "Cyclist": "c"}
    predictions: list[BoxPrediction] = []
    for path in sorted(folder.glob("**/*")):
        if path.suffix.lower() not in (".txt", ".csv"):
            continue
        rows = pandas.read_csv(path, sep=" ", header=None)
        extra = [f"undefined_{k}" for k in range(rows.shape[1] - len(_COLUMNS))]
        rows.columns = pandas.Index([*_COLUMNS, *extra])
        predictions += [_prediction(path.stem, row, hashes) for row in rows.to_dict("records")]
    return predictions


def _prediction(title: str, row: dict[Any, Any], hashes: dict[str, str]) -> BoxPrediction:
    width, height = row["xmax"] - row["xmin"], row["ymax"] - row["ymin"]
    box = BoundingBox(row["xmin"] / _WIDTH, row["ymin"] / _HEIGHT, height / _HEIGHT, width / _WIDTH)
    return BoxPrediction(title, 0, row["undefined_0"], hashes[row["class_name"]], box)
