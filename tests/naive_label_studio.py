"""Rows of Label Studio's regions -> tasks, one by one, as `predarrow.formats.label_studio` tells it.

The slow twin of the writer, for rows that `read_label_studio` made of one file: whatever was in it must come back.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from predarrow_engine import percent
from predarrow_engine.brush import encode

CONTROLS = {
    "choices": "choices",
    "taxonomy": "taxonomy",
    "rating": "rating",
    "number": "number",
    "datetime": "datetime",
    "textarea": "text",
    "pairwise": "selected",
    "ranker": "ranker",
}
SHARED = {"readonly": "readonly", "hidden": "hidden", "parent": "parentID", "meta": "meta", "item_index": "item_index"}

Json = dict[str, Any]


def entries_of(table: pa.Table) -> list[Json]:
    """Give the tasks of a table, or the predictions that stand alone."""
    entries: list[Json] = []
    task: Json | None = None
    results: list[Any] = []
    finish: dict[int, tuple[list[Any], list[Any]]] = {}

    def put(target: list[Any], places: list[Any]) -> None:
        finish.setdefault(id(target), (target, []))[1].extend(places)

    for region in _regions(table):
        first = region[0]
        kept = first["kept"]
        if "task" in kept:
            task = json.loads(json.dumps(kept["task"]))
            entries.append(task)
            task.update({name: [] for name in kept.get("rowless", {})})
            for name in kept.get("rowless", {}):
                put(task[name], kept["rowless"][name])
        if "prediction" in kept:
            prediction = dict(kept["prediction"])
            rowless = prediction.pop("results", [])
            if "model_version" in first["attributes"]:
                prediction["model_version"] = first["attributes"]["model_version"]
            prediction["result"] = results = []
            put(results, rowless)
            if task is None:
                entries.append(prediction)
            else:
                task.setdefault(kept.get("list", "predictions"), []).append(prediction)
        pairs = _results(region)
        results += [each for at, each in pairs if at is None]
        put(results, [(at, each) for at, each in pairs if at is not None])
    for target, places in finish.values():
        for place, item in sorted(places, key=lambda each: each[0]):
            target.insert(place, item)
    return entries


def _regions(table: pa.Table) -> list[list[Json]]:
    """Give the rows of each region, in the file's order."""
    regions: dict[int, list[Json]] = {}
    for row in table.to_pylist():
        row["attributes"] = json.loads(row["attributes"])
        row["kept"] = row["attributes"]["label_studio"]
        regions.setdefault(row["row"], []).append(row)
    return [regions[number] for number in sorted(regions)]


def _results(region: list[Json]) -> list[tuple[int | None, Json]]:
    first = region[0]
    attributes, kept = first["attributes"], first["kept"]
    shared: Json = {}
    if first["object_id"] is not None:
        shared["id"] = first["object_id"]
    if first["confidence"] is not None and "score" not in kept:
        shared["score"] = first["confidence"]
    if first["image_width"] is not None:
        shared |= {"original_width": first["image_width"], "original_height": first["image_height"]}
    shared |= {there: attributes[here] for here, there in SHARED.items() if here in attributes}
    geometry = _geometry(region)
    labelled = _labelled(kept["results"])
    found = []
    answers = {name: attributes[name] for name in (*CONTROLS.values(), "chatmessage") if name in attributes}
    for place, each in enumerate(kept["results"]):
        entry = dict(each)
        at, lacking = entry.pop("at", None), entry.pop("without", [])
        result = {name: value for name, value in shared.items() if name not in lacking}
        type_ = entry["type"].lower()
        if "value" not in entry:
            own = CONTROLS.get(type_)
            value = dict(geometry)
            if type_ == "chatmessage":
                value = answers.pop("chatmessage")
            elif own is not None and own in answers:
                value[own] = answers.pop(own)
            if place == labelled and (labels := _labels(first)) is not None:
                value[type_ if type_.endswith("labels") else "labels"] = labels
            result["value"] = value
        found.append((at, result | entry))
    return found


def _labelled(results: list[Json]) -> int | None:
    """Give which result has the region's labels."""
    free = [place for place, each in enumerate(results) if "value" not in each]
    named = [place for place in free if results[place]["type"].lower().endswith("labels")]
    others = [place for place in free if results[place]["type"].lower() not in CONTROLS]
    return next(iter(named + others), None)


def _labels(row: Json) -> list[str] | None:
    if "labels" in row["attributes"]:
        labels: list[str] = row["attributes"]["labels"]
        return labels
    if row["kind"] == "classification" or not row["class_name"]:
        return None
    return [row["class_name"]]


def _geometry(region: list[Json]) -> Json:
    first = region[0]
    if "sequence" in first["kept"]:
        entries = []
        for row in region:
            entry = {"frame": row["frame"] + 1, **_value(row, {"enabled": True})}
            if row["kept"].get("score") == "sequence":
                entry["score"] = row["confidence"]
            entries.append(entry)
        return {**first["kept"]["sequence"], "sequence": entries}
    value = _value(first, {})
    if first["kept"].get("score") == "value":
        value["score"] = first["confidence"]
    return value


def _value(row: Json, value: Json) -> Json:
    kind = row["kind"]
    size = row["image_width"], row["image_height"]
    if kind in ("bbox", "rotated_bbox"):
        value |= _box(row, *size)
    elif kind == "ellipse":
        box = row["bbox"]
        x, across = percent.shortest_round(_one(box["xmin"]), _one(box["xmax"]), size[0])
        y, down = percent.shortest_round(_one(box["ymin"]), _one(box["ymax"]), size[1])
        value |= {"x": x[0], "y": y[0], "radiusX": across[0], "radiusY": down[0], "rotation": row["rotation"]}
    elif kind in ("polygon", "polyline"):
        ring = [(vertex["x"], vertex["y"]) for vertex in row["polygon"][0][0]]
        value |= {"points": [[_single(x, size[0]), _single(y, size[1])] for x, y in ring], "closed": True}
    elif kind == "keypoints":
        (point,) = row["keypoints"]
        value |= {"x": _single(point["x"], size[0]), "y": _single(point["y"], size[1])}
        value |= {"width": row["attributes"].get("keypoint_width", 1)}
    elif kind == "bitmask":
        value |= _mask(row)
    elif kind == "span":
        value |= _span(row)
    for name in row["kept"].get("without", []):
        value.pop(name)
    if "vertices" in row["kept"].get("value", {}):
        value.pop("points")
    found: Json = value | row["kept"].get("value", {})
    return found


def _box(row: Json, width: int, height: int) -> Json:
    degrees = row["rotation"] or 0
    sides = np.array([[row["bbox"][name]] for name in ("xmin", "ymin", "xmax", "ymax")])
    numbers = percent.shortest_boxes(sides, _one(degrees), _one(width), _one(height))
    return dict(zip(("x", "y", "width", "height"), numbers[:, 0].tolist(), strict=True)) | {"rotation": degrees}


def _mask(row: Json) -> Json:
    mask = row["mask"]
    if row["kept"]["results"][0]["type"].startswith("bitmask"):
        return {"imageDataURL": "…"}
    counts = np.frombuffer(mask["counts"], np.uint8)
    brushes = encode(counts, np.array([0, counts.size]), np.array([[mask["height"], mask["width"]]]))
    return {"format": "rle", "rle": brushes.values.tolist()}


def _span(row: Json) -> Json:
    ranges = [
        dict(zip(("start", "end"), each, strict=True)) if isinstance(each, list) else each
        for each in row["attributes"]["ranges"]
    ]
    if row["kept"]["results"][0]["type"] == "timelinelabels":
        return {"ranges": ranges}
    return dict(chain.from_iterable(each.items() for each in ranges))


def _one(value: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([value], np.float64)


def _single(value: float, size: int) -> float:
    found: float = percent.shortest(np.array([value], np.float32), float(size))[0]
    return found
