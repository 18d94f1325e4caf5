"""Tables of one geometry each, and which pixels it should cover."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import predarrow
from predarrow.table import SCHEMA
from tests import naive_rle

SIZES = {"tall.png": (1000, 600), "wide.png": (600, 1200)}
"""Height and width of the white images by name: what is mistaken about the two axes shows in one of them. Both are
larger than the editor's place for them: it shows smaller ones larger or as they are, with outlines as thick."""

_KEYPOINT_WIDTH = 20.0
"""In percent of the image's width: Label Studio draws a disc with this as its radius."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Drawing:
    """A geometry, the same in parts of the image's sides in each of `SIZES`.

    Attributes:
        kind: of the table's rows. Masks are those of `ring_mask`.
        type: of the results that they become.
        box: left, top, right and bottom in parts of the image's sides; of a keypoint its place twice.
        degrees: clockwise.
        rings: in parts of the image's sides, the outline first.
        options: of `write_label_studio`.
    """

    kind: str
    type: str
    box: tuple[float, float, float, float] = (0.2, 0.25, 0.7, 0.65)
    degrees: float | None = None
    rings: tuple[tuple[tuple[float, float], ...], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def table(self) -> pa.Table:
        """Give a row for each image."""
        rows = [self._row(name, *size) for name, size in SIZES.items()]
        return pa.Table.from_pylist([{"row": i, **row} for i, row in enumerate(rows)], schema=SCHEMA)

    def _row(self, name: str, height: int, width: int) -> dict[str, Any]:
        row: dict[str, Any] = {"data_unit": name, "frame": 0, "object_id": f"{self.kind}-1", "kind": self.kind}
        row |= {"class_name": 'Zoë & "Co" <1>', "confidence": 0.8125, "image_height": height, "image_width": width}
        left, top, right, bottom = self.box
        if self.kind == "keypoints":
            point = {"name": None, "x": left * width, "y": top * height, "visibility": None}
            more = {"keypoint_width": _KEYPOINT_WIDTH}
            return {**row, "keypoints": [point], "attributes": json.dumps(more)}
        if self.kind == "polygon":
            rings = [[{"x": x * width, "y": y * height} for x, y in ring] for ring in self.rings]
            return {**row, "polygon": [rings]}
        if self.kind == "bitmask":
            counts = naive_rle.to_string(naive_rle.counts(ring_mask(height, width)))
            return {**row, "mask": {"height": height, "width": width, "counts": counts}}
        box = {"xmin": left * width, "ymin": top * height, "xmax": right * width, "ymax": bottom * height}
        return {**row, "bbox": box, "rotation": self.degrees}

    def masks(self) -> list[Mask]:
        """Give the pixels that each row should cover, (height, width)."""
        table = self.table()
        if self.kind == "keypoints":
            table = _discs(table)
        column = predarrow.to_masks(table).column
        return [naive_rle.decode(mask["counts"], mask["height"], mask["width"]) for mask in column.to_pylist()]


def ring_mask(height: int, width: int) -> Mask:
    """Give a ring that is not round, not in the middle, and has a notch: no turn and no mirror image is the same."""
    y, x = np.mgrid[:height, :width] + 0.5
    distance = np.hypot((x / width - 0.45) / 0.3, (y / height - 0.55) / 0.35)
    result: Mask = (distance < 1) & (distance > 0.5) & ~((x / width < 0.3) & (y / height < 0.45))
    return result


def _discs(table: pa.Table) -> pa.Table:
    """Give the discs that Label Studio draws for points."""
    rows = table.to_pylist()
    for row in rows:
        (point,) = row["keypoints"]
        radius = _KEYPOINT_WIDTH / 100 * row["image_width"]
        corners = (point["x"] - radius, point["y"] - radius, point["x"] + radius, point["y"] + radius)
        row |= {"kind": "ellipse", "keypoints": None, "rotation": None}
        row["bbox"] = dict(zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


_CONCAVE = ((0.1, 0.1), (0.9, 0.2), (0.5, 0.45), (0.8, 0.9), (0.15, 1 / 1.3))
_HOLE = ((0.3, 0.3), (0.25, 0.6), (0.45, 0.55))

DRAWINGS: Mapping[str, Drawing] = {
    "rectangle": Drawing("bbox", "rectanglelabels"),
    "rotated-30": Drawing("rotated_bbox", "rectanglelabels", degrees=30.0),
    "rotated-minus-30": Drawing("rotated_bbox", "rectanglelabels", (0.4, 0.4, 0.8, 0.65), degrees=-30.0),
    "rotated-297": Drawing("rotated_bbox", "rectanglelabels", (0.35, 0.3, 0.7, 0.65), degrees=297.0),
    "polygon": Drawing("polygon", "polygonlabels", rings=(_CONCAVE,)),
    "polygon-hole-brush": Drawing("polygon", "brushlabels", rings=(_CONCAVE, _HOLE), options={"holes": "brush"}),
    "polygon-hole-bitmask": Drawing("polygon", "bitmasklabels", rings=(_CONCAVE, _HOLE), options={"holes": "bitmask"}),
    "ellipse": Drawing("ellipse", "ellipselabels"),
    "ellipse-35": Drawing("ellipse", "ellipselabels", degrees=35.0),
    "keypoint": Drawing("keypoints", "keypointlabels", (0.6, 0.4, 0.6, 0.4)),
    "brush": Drawing("bitmask", "brushlabels"),
    "bitmask": Drawing("bitmask", "bitmasklabels", options={"masks": "bitmask"}),
}
"""By name; those with options are written as something else than their kind's own."""


def overlap(one: Mask, other: Mask) -> float:
    """Give the pixels of both masks as a part of the pixels of either; NaN where there are none."""
    either = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / either if either else math.nan
