"""Small label rows made by hand, and what a read table says in the form of the slow twin."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from predarrow import InputError, read_label_rows
from predarrow.report import Problem
from tests.naive_label_rows import GEOMETRY, frames, same_turn

Json = dict[str, Any]

TIME = "Tue, 02 Jan 2024 03:04:05 UTC"


def box(x: float = 0.25, y: float = 0.5, w: float = 0.25, h: float = 0.125) -> Json:
    """Give a bounding box."""
    return {"h": h, "w": w, "x": x, "y": y}


def label(shape: str, geometry: Json, object_hash: str = "track", feature_hash: str = "class") -> Json:
    """Give a frame object as the SDK writes it."""
    return {
        "name": "Cherry",
        "color": "#D33115",
        "shape": shape,
        "value": "cherry",
        "createdAt": TIME,
        "createdBy": "a@b.com",
        "confidence": 0.5,
        "objectHash": object_hash,
        "featureHash": feature_hash,
        "manualAnnotation": True,
        **geometry,
    }


def box_label(object_hash: str = "track", **given: float) -> Json:
    """Give a frame object with a bounding box."""
    return label("bounding_box", {"boundingBox": box(**given)}, object_hash)


def image_row(objects: Sequence[Json], data_hash: str = "image", **members: Any) -> Json:
    """Give the label row of an image, 64 x 32 (width x height)."""
    unit = _unit(data_hash, "image/png") | {"labels": {"objects": list(objects), "classifications": []}}
    return _row(data_hash, "image", {data_hash: unit}, members)


def group_row(images: Sequence[Sequence[Json]], data_hash: str = "group", **members: Any) -> Json:
    """Give the label row of a group of images."""
    units = {}
    for place, objects in enumerate(images):
        key = f"{data_hash}/{place}"
        labels = {"objects": list(objects), "classifications": []}
        units[key] = _unit(key, "image/png") | {"data_sequence": str(place), "labels": labels}
    return _row(data_hash, "img_group", units, members)


def video_row(objects: Mapping[int, Sequence[Json]], data_hash: str = "video", **members: Any) -> Json:
    """Give the label row of a video of 100 frames."""
    labels = {str(frame): {"objects": list(each), "classifications": []} for frame, each in objects.items()}
    unit = _unit(data_hash, "video/mp4") | {"labels": labels, "data_duration": 4.0, "data_fps": 25.0}
    return _row(data_hash, "video", {data_hash: unit}, members)


def _unit(data_hash: str, data_type: str) -> Json:
    return {
        "data_hash": data_hash,
        "data_title": f"{data_hash}.png",
        "data_link": "",
        "data_type": data_type,
        "data_sequence": 0,
        "width": 64,
        "height": 32,
    }


def _row(data_hash: str, data_type: str, units: Json, members: Json) -> Json:
    hashes = {
        item["objectHash"]: {"objectHash": item["objectHash"], "classifications": []}
        for unit in units.values()
        for frame in ([unit["labels"]] if "objects" in unit["labels"] else unit["labels"].values())
        for item in frame["objects"]
        if isinstance(item, dict) and "objectHash" in item
    }
    return {
        "label_hash": f"label of {data_hash}",
        "branch_name": "main",
        "created_at": TIME,
        "last_edited_at": TIME,
        "data_hash": data_hash,
        "dataset_hash": "dataset",
        "dataset_title": "Früchte",
        "data_title": f"{data_hash}.png",
        "data_type": data_type,
        "annotation_task_status": "QUEUED",
        "is_shadow_data": False,
        "object_answers": hashes,
        "classification_answers": {},
        "object_actions": {},
        "label_status": "LABEL_IN_PROGRESS",
        "data_units": units,
        "spaces": {},
    } | members


def as_twin(table: pa.Table, label_row: Json) -> list[Json]:
    """Give a table in the form of the twin, and check geometry that it kept against the source.

    Args:
        table: read from the label row alone.
        label_row: as `json` gives it.
    """
    sources = [item for _, labels, _ in frames(label_row) for item in labels.get("objects", [])]
    rows = []
    for found in table.to_pylist():
        row = {name: value for name, value in found.items() if value is not None and name != "source"}
        if "attributes" in row:
            row["attributes"] = json.loads(row["attributes"])
            kept = row["attributes"].get("encord", {}).pop("coordinates", None)
            if kept is not None:
                source = sources[row["row"]]
                assert kept == {key: _whole(key, source[key]) for key in GEOMETRY if source.get(key) is not None}
                if not row["attributes"]["encord"]:
                    del row["attributes"]["encord"]
                if not row["attributes"]:
                    del row["attributes"]
        if "cuboid" in row:
            row["cuboid"] = same_turn(row["cuboid"])
        rows.append(row)
    return rows


def _whole(key: str, geometry: Any) -> Any:
    """Give geometry with the members that may be left out."""
    if key == "circle":
        return {"stretch": 1.0, "theta": 0.0} | geometry
    return {"theta": 0.0} | geometry if key == "ellipse" else geometry


def problems_of(label_row: Any, folder: Path, **options: Any) -> list[Problem]:
    """Give the problems of a label row, the same from a file and from memory."""
    memory = read_label_rows([label_row], on_error="skip", **options)
    rows = memory.read_all()
    rows.validate(full=True)
    file = folder / "rows.json"
    file.write_text(json.dumps([label_row]))
    reader = read_label_rows(file, on_error="skip", **options)
    assert reader.read_all().num_rows == rows.num_rows
    found = [problem._replace(source="") for problem in reader.report.problems]
    assert found == [problem._replace(source="") for problem in memory.report.problems]
    if found:
        with pytest.raises(InputError):
            read_label_rows(label_row, **options).read_all()
    return found
