"""What of a result can be held against another's, whatever its form.

A digest maps a property to its values in any order: `count` (one number), `boxes` (value, xmin, ymin, xmax,
ymax of each component, in pixel edges), `areas` (value, pixels of each component). Two results agree when the
properties that both have are equal. Results of folders put the file's number before the value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.peer_encord_active import MaskPrediction
from benchmarks.peers import Contours
from predarrow_engine.outlines import Outlines

Digest = dict[str, list[Any]]
Mask = npt.NDArray[Any]


def differences(one: Digest, other: Digest) -> list[str]:
    """Say what differs between two results; raise ValueError where they share no property at all."""
    shared = sorted(one.keys() & other.keys())
    if not shared:
        raise ValueError(f"nothing to compare between {sorted(one)} and {sorted(other)}")
    found: list[str] = []
    for name in shared:
        extra, missing = Counter(one[name]) - Counter(other[name]), Counter(other[name]) - Counter(one[name])
        if extra or missing:
            found.append(f"{name}: only here {list(extra)[:3]}, only there {list(missing)[:3]}")
    return found


def of_outlines(outlines: Outlines) -> Digest:
    """Digest of traced outlines."""
    values = [int(value) for value in outlines.value]
    return {
        "count": [len(values)],
        "boxes": [(value, *(int(v) for v in box)) for value, box in zip(values, outlines.bbox.T, strict=True)],
        "areas": list(zip(values, (int(area) for area in outlines.area), strict=True)),
    }


def of_contours(classes: Sequence[Contours]) -> Digest:
    """Digest of OpenCV's contours by class: its outer rings are the components."""
    boxes: list[tuple[int, ...]] = []
    for value, rings, hierarchy in classes:
        if hierarchy is None:
            continue
        for ring, (_, _, _, parent) in zip(rings, hierarchy[0], strict=True):
            if parent < 0:
                x, y, width, height = cv2.boundingRect(ring)
                boxes.append((value, x, y, x + width, y + height))
    return {"count": [len(boxes)], "boxes": boxes}


def of_geojson(polygons: Sequence[tuple[dict[str, Any], float]]) -> Digest:
    """Digest of GDAL's polygons: outer ring less holes, in pixel edges."""
    areas: list[tuple[int, int]] = []
    for polygon, value in polygons:
        outer, *holes = (abs(_shoelace(np.asarray(ring))) for ring in polygon["coordinates"])
        areas.append((int(value), round(outer - sum(holes))))
    return {"count": [len(areas)], "areas": areas}


def _shoelace(ring: Mask) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2


def of_labels(labels: Mask) -> Digest:
    """Digest of an image of component numbers, 0 for background."""
    return {"count": [int(labels.max())]}


def of_pixels(image: Mask) -> Digest:
    """Digest of a decoded image: its samples."""
    return {"shape": list(image.shape), "bytes": [image.tobytes()]}


def of_files(files: Sequence[Sequence[Contours]]) -> Digest:
    """Digest of OpenCV's contours, file by file."""
    boxes = [(number, *box) for number, classes in enumerate(files) for box in of_contours(classes)["boxes"]]
    return {"count": [len(boxes)], "boxes": boxes}


def of_table(table: pa.Table) -> Digest:
    """Digest of a prediction table read from files named by their number."""
    corners = table["bbox"].combine_chunks().flatten()
    boxes = zip(
        (int(unit) for unit in table["data_unit"].to_pylist()),
        (int(name) for name in table["class_name"].to_pylist()),
        *(column.to_numpy().astype(int).tolist() for column in corners),
        strict=True,
    )
    return {"count": [table.num_rows], "boxes": list(boxes)}


def of_table_values(table: pa.Table) -> Digest:
    """Digest of a prediction table without its geometry, for peers with another idea of a box."""
    return {"values": [(unit, value) for unit, value, *_ in of_table(table)["boxes"]]}


def of_mask_predictions(predictions: Sequence[MaskPrediction]) -> Digest:
    """Digest of Encord-Active-like objects: file and value of each."""
    return {"values": [(int(p.data_unit), p.value) for p in predictions]}
