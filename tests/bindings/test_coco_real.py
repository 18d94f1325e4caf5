"""Real COCO files, read as Python's json reads them, row by row."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as peer

from predarrow.formats.coco.read import read_coco
from tests.corpus import corpus_path, corpus_root

_TAKEN = {"image_id", "category_id", "bbox", "score", "segmentation", "keypoints"}


def _files() -> list[str]:
    root = corpus_root()
    folders = ("coco_results", "coco_annotations", "coco_panoptic")
    found = [path for folder in folders for path in (root / folder).glob("*.json")] if root else []
    names = sorted("/".join(path.parts[-2:]) for path in found)
    return [name for name in names if not name.endswith(("panoptic_val.json", "images_info_examples.json"))]


def _names(document: Any) -> tuple[dict[Any, str], dict[Any, str]]:
    if isinstance(document, list):
        return {}, {}
    images = {image["id"]: image["file_name"] for image in document.get("images", [])}
    return images, {category["id"]: category["name"] for category in document.get("categories", [])}


def _corners(record: Any) -> list[float] | None:
    """The corners of the file, else the cover as pycocotools has it; None for keypoints."""
    if record.get("bbox"):
        x, y, width, height = record["bbox"]
        return [x, y, x + width, y + height]
    segmentation = record.get("segmentation")
    if isinstance(segmentation, dict) and isinstance(segmentation["counts"], str):
        x, y, width, height = peer.toBbox({**segmentation, "counts": segmentation["counts"].encode()})
        return [x, y, x + width, y + height]
    return None


def _rings(polygon: Any) -> list[list[float]]:
    return [[number for point in ring for number in (point["x"], point["y"])] for part in polygon for ring in part]


def _open(ring: list[float]) -> list[float]:
    numbers: list[float] = np.array(ring, np.float32).tolist()
    return numbers[:-2] if ring[:2] == ring[-2:] else numbers


@pytest.mark.skipif(not _files(), reason="no folder of real files: set PREDARROW_CORPUS")
@pytest.mark.parametrize("name", _files())
def test_same_as_json(name: str) -> None:
    path = corpus_path(*name.split("/"))
    document = json.loads(path.read_text())
    images, categories = _names(document)
    records = document if isinstance(document, list) else document["annotations"]
    rows = read_coco(path).read_all().to_pylist()
    assert len(rows) == len(records)
    for place, (row, record) in enumerate(zip(rows, records, strict=True)):
        assert row["row"] == place
        assert row["data_unit"] == images.get(record["image_id"], str(record["image_id"]))
        assert row["class_name"] == categories.get(record["category_id"], str(record["category_id"]))
        assert row["confidence"] == record.get("score")
        if (corners := _corners(record)) is not None:
            assert list(row["bbox"].values()) == corners
        rest = {key: value for key, value in record.items() if key not in _TAKEN}
        assert (json.loads(row["attributes"]) if row["attributes"] else {}) == rest
        _same_shapes(row, record)


def _same_shapes(row: Any, record: Any) -> None:
    segmentation, points = record.get("segmentation"), record.get("keypoints")
    if isinstance(segmentation, dict) and isinstance(segmentation["counts"], str):
        assert row["mask"]["counts"] == segmentation["counts"].encode()
    elif isinstance(segmentation, dict):
        expected = peer.frPyObjects(segmentation, *segmentation["size"])
        assert row["mask"]["counts"] == expected["counts"]
    elif segmentation:
        rings = segmentation if isinstance(segmentation[0], list) else [segmentation]
        assert _rings(row["polygon"]) == [_open(ring) for ring in rings]
    if points:
        given = [number for p in row["keypoints"] for number in (p["x"], p["y"], p["visibility"])]
        assert given == np.array(points, np.float32).tolist()


def test_outlines_give_the_masks_back() -> None:
    path = corpus_path("coco_results", "instances_val2014_fakesegm100_results.json")
    table = read_coco(path, polygons=True).read_all()
    areas = []
    for polygon in table["polygon"].to_pylist():
        doubled = 0.0
        for ring in (ring for part in polygon for ring in part):
            x, y = np.array([point["x"] for point in ring]), np.array([point["y"] for point in ring])
            doubled += float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))  # holes turn the other way
        areas.append(abs(doubled) / 2)
    masks = [{"size": [mask["height"], mask["width"]], "counts": mask["counts"]} for mask in table["mask"].to_pylist()]
    assert areas == [int(peer.area(mask)) for mask in masks]
