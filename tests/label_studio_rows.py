"""Rows of prediction tables, written as Label Studio's tasks and judged."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from predarrow import LabelStudioWriteResult, write_label_studio
from predarrow.table import SCHEMA

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the peer, while it is imported
    interface = pytest.importorskip("label_studio_sdk.label_interface.interface", reason="the peer is not installed")

BOX = {"xmin": 10.0, "ymin": 20.0, "xmax": 110.0, "ymax": 70.0}
RING = [{"x": 1.0, "y": 2.0}, {"x": 101.5, "y": 3.0}, {"x": 50.0, "y": 80.25}]
HOLE = [{"x": 45.0, "y": 20.0}, {"x": 55.0, "y": 20.0}, {"x": 50.0, "y": 30.0}]


def row(kind: str, **values: Any) -> dict[str, Any]:
    """Give a row in an image of 200 x 100 pixels."""
    base = {"data_unit": "a.jpg", "frame": 0, "class_name": "Car", "kind": kind}
    return {**base, "image_height": 100, "image_width": 200, **values}


def table(*rows: dict[str, Any]) -> pa.Table:
    """Give rows as a prediction table."""
    return pa.Table.from_pylist([{"row": place, **each} for place, each in enumerate(rows)], SCHEMA)


def mask(height: int = 100, width: int = 200) -> dict[str, Any]:
    """Give a mask of a ring."""
    from predarrow_engine.rle import encode

    y, x = np.mgrid[:height, :width]
    far = np.hypot(y - height / 2, x - width / 2)
    return {"height": height, "width": width, "counts": encode((far < 30) & (far > 12)).counts.tobytes()}


KINDS: dict[str, dict[str, Any]] = {
    "bbox": row("bbox", bbox=BOX, confidence=0.25, object_id="r1"),
    "rotated_bbox": row("rotated_bbox", bbox=BOX, rotation=30.0),
    "polygon": row("polygon", polygon=[[RING]]),
    "polyline": row("polyline", polygon=[[RING]]),
    "ellipse": row("ellipse", bbox=BOX, rotation=-12.5),
    "keypoints": row("keypoints", keypoints=[{"name": None, "x": 7.5, "y": 8.0, "visibility": None}]),
    "bitmask": row("bitmask", mask=mask()),
    "span": row("span", attributes='{"ranges":[[3,9]]}', image_height=None, image_width=None),
    "classification": row("classification", class_name="good", image_height=None, image_width=None),
    "text": row("bbox", bbox=BOX, attributes='{"text":["AB 12"]}'),
    "no class": row("bbox", bbox=BOX, class_name=""),
    "no class, ring": row("polygon", polygon=[[RING]], class_name=""),
    "two labels": row("bbox", bbox=BOX, attributes='{"labels":["Car","Red"]}'),
    "flags": row("bbox", bbox=BOX, attributes='{"readonly":true,"hidden":false,"item_index":0,"meta":{"a":1}}'),
}


def written(result: LabelStudioWriteResult) -> list[Any]:
    """Give the tasks of all files."""
    return [task for path in result.paths for task in json.loads(path.read_bytes())]


def refused_by_sdk(result: LabelStudioWriteResult) -> list[str]:
    """Give what Label Studio's own check finds."""
    assert result.config is not None
    judge = interface.LabelInterface(result.config.read_text())
    predictions = [each for task in written(result) for each in task["predictions"]]
    return [error for each in predictions for error in judge.validate_prediction(each, return_errors=True)]


def write(rows: pa.Table, folder: Path, **options: Any) -> LabelStudioWriteResult:
    """Write a table."""
    return write_label_studio(rows, folder / "tasks.json", overwrite=True, **options)


def results_of(result: LabelStudioWriteResult) -> list[Any]:
    """Give the results of the only prediction."""
    ((prediction,),) = [task["predictions"] for task in written(result)]
    results: list[Any] = prediction["result"]
    return results
