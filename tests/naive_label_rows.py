"""Slow, readable twin of `read_label_rows`: a label row as `json` gives it -> rows of the prediction table.

Only rows that hold are taken. Geometry that is kept in `attributes` because columns round is not made here: the tests
look at it on its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tests import naive_rle

KINDS = {
    "bounding_box": "bbox",
    "rotatable_bounding_box": "rotated_bbox",
    "polygon": "polygon",
    "polyline": "polyline",
    "point": "keypoints",
    "skeleton": "skeleton",
    "bitmask": "bitmask",
    "cuboid": "cuboid",
    "cuboid_2d": "cuboid_2d",
    "circle": "circle",
    "ellipse": "ellipse",
}
VISIBILITIES = {"invisible": 0, "occluded": 1, "visible": 2, "selfOccluded": 3, None: None}
GEOMETRY = (
    *("boundingBox", "rotatableBoundingBox", "polygon", "polygons", "polyline", "point", "skeleton", "bitmask"),
    *("cuboid", "cuboid_2d", "circle", "ellipse"),
)
TIMES = ("createdAt", "createdBy", "lastEditedAt", "lastEditedBy")
SPANS = ("audio", "time_series", "plain_text")

Json = dict[str, Any]


def table_rows(label_row: Json) -> list[Json]:
    """Give the rows of a label row in the table's order, without null columns; attributes are not text yet."""
    rows = [*_objects(label_row), *_spans(label_row), *_classifications(label_row)]
    rows.sort(key=lambda row: (row["frame"], row["row"]))
    if rows:
        kept = rows[0]["attributes"].setdefault("encord", {})
        kept["label_row"] = _kept(label_row)
        on_frames = any(frame.get("classifications") for _, frame, _ in frames(label_row))
        if on_frames or '"trackHash"' in json.dumps(label_row.get("object_actions")):
            kept["portable"] = True
    seen: set[str] = set()
    for row in rows:
        once = row.pop("once")
        if once and row["object_id"] not in seen:
            row["attributes"].setdefault("encord", {})["object"] = once
        seen.add(row["object_id"])
        row["data_unit"] = label_row["data_hash"]
        if not row["attributes"]:
            del row["attributes"]
    return rows


def _kept(label_row: Json) -> Json:
    labels = ("data_units", "object_answers", "object_actions", "classification_answers")
    kept = {key: value for key, value in label_row.items() if key not in labels}
    kept["data_units"] = {}
    for key, unit in label_row["data_units"].items():
        kept["data_units"][key] = {name: value for name, value in unit.items() if name != "labels"}
        others = {frame: rest for frame, rest in _frame_members(unit["labels"]) if rest}
        if others:
            kept["data_units"][key]["labels"] = others.get(None, others)
    return kept


def _frame_members(labels: Json) -> Iterator[tuple[str | None, Json]]:
    frames = {None: labels} if "objects" in labels else labels
    for key, frame in frames.items():
        yield key, {name: value for name, value in frame.items() if name not in ("objects", "classifications")}


def frames(label_row: Json) -> Iterator[tuple[int, Json, Json]]:
    """Give frame number, labels and data unit of each frame as they are written."""
    for unit in label_row["data_units"].values():
        labels = unit.get("labels") or {}
        if "objects" in labels:
            yield int(unit["data_sequence"]), labels, unit
        else:
            for key, frame in labels.items():
                yield int(key), frame, unit


def _objects(label_row: Json) -> Iterator[Json]:
    number = 0
    for frame, labels, unit in frames(label_row):
        for item in labels.get("objects", []):
            row = {
                "frame": frame,
                "row": number,
                "object_id": item["objectHash"],
                "feature_hash": item["featureHash"],
                "class_name": item.get("name") or item["featureHash"],
                "kind": KINDS[item["shape"]],
                "confidence": _confidence(item),
                **_geometry(item, unit),
            }
            row["attributes"] = _members(item) | row.get("attributes", {})
            _answer(label_row, row, frame)
            if unit.get("height") and unit.get("width"):
                row |= {"image_height": unit["height"], "image_width": unit["width"]}
            number += 1
            yield row


def _confidence(item: Json) -> float:
    value = item.get("confidence")
    return 1.0 if value is None else float(value)


def _members(item: Json) -> Json:
    """Give who made a label when, and what is not known."""
    known = {"name", "color", "value", "shape", "confidence", "objectHash", "featureHash", *GEOMETRY}
    usual = (*TIMES, "manualAnnotation", "isDeleted", "reviews")
    members = {
        key: value for key, value in item.items() if key not in known and (value is not None or key not in usual)
    }
    if members.get("manualAnnotation") is True:
        del members["manualAnnotation"]
    if members.get("reviews") == []:
        del members["reviews"]
    return members


def _answer(label_row: Json, row: Json, frame: int) -> None:
    entry = (label_row.get("object_answers") or {}).get(row["object_id"], {})
    actions = (label_row.get("object_actions") or {}).get(row["object_id"], {}).get("actions", [])
    if entry.get("classifications"):
        row["attributes"]["answers"] = _together(entry["classifications"])
    on = [action for action in actions if any(start <= frame <= end for start, end in action["range"])]
    if on:
        left_out = {"dynamic", "range", "trackHash"}
        dynamic = [{key: value for key, value in action.items() if key not in left_out} for action in on]
        for each in dynamic:
            if each.get("shouldPropagate") is False:
                del each["shouldPropagate"]
        row["attributes"]["dynamic"] = _together(dynamic)
    row["once"] = {key: value for key, value in entry.items() if key not in ("objectHash", "classifications")}
    if not all(_comes_back(label_row, row["object_id"], action["range"]) for action in actions):
        row["once"]["object_actions"] = {"actions": actions}


def _comes_back(label_row: Json, object_hash: str, ranges: Sequence[Sequence[int]]) -> bool:
    """Tell whether ranges are those of the frames that follow each other on which the object is, in order."""
    on = {
        frame
        for frame, labels, _ in frames(label_row)
        if any(item["objectHash"] == object_hash for item in labels.get("objects", []))
    }
    inside = [frame for frame in sorted(on) if any(start <= frame <= end for start, end in ranges)]
    runs: list[list[int]] = []
    for frame in inside:
        if runs and runs[-1][1] == frame - 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    return runs == [list(pair) for pair in ranges]


def _together(answers: Sequence[Json]) -> list[Json]:
    """Give answers, those to one checklist as one."""
    result: dict[str, Json] = {}
    for answer in answers:
        key = answer["featureHash"]
        if key in result:
            result[key] = {**result[key], "answers": [*result[key]["answers"], *answer["answers"]]}
        else:
            result[key] = answer
    return list(result.values())


def _spans(label_row: Json) -> Iterator[Json]:
    if label_row["data_type"] not in SPANS:
        return
    for number, (key, item) in enumerate(label_row["object_answers"].items()):
        left_out = {"objectHash", "featureHash", "classifications", "range", "range_html"}
        left_out |= {"name", "color", "shape", "value", "confidence", *TIMES, "manualAnnotation"}
        attributes = {name: value for name, value in _members(item).items() if name in (*TIMES, "manualAnnotation")}
        attributes["ranges"] = item.get("range_html", item.get("range"))
        if item["classifications"]:
            attributes["answers"] = _together(item["classifications"])
        yield {
            "frame": 0,
            "row": number,
            "object_id": key,
            "feature_hash": item["featureHash"],
            "class_name": item.get("name") or item["featureHash"],
            "kind": "span",
            "confidence": _confidence(item),
            "attributes": attributes,
            "once": {name: value for name, value in item.items() if name not in left_out},
        }


def _classifications(label_row: Json) -> Iterator[Json]:
    number = sum(len(labels.get("objects", [])) for _, labels, _ in frames(label_row))
    if label_row["data_type"] in SPANS:
        number += len(label_row["object_answers"])
    on_frames: dict[str, list[tuple[int, Json]]] = {}
    for frame, labels, _ in frames(label_row):
        for entry in labels.get("classifications", []):
            on_frames.setdefault(entry["classificationHash"], []).append((frame, entry))
    answers = label_row.get("classification_answers") or {}
    sizes = {frame: unit for frame, _, unit in frames(label_row)}
    last = list(label_row["data_units"].values())[-1] if len(label_row["data_units"]) == 1 else {}
    for offset, key in enumerate(dict.fromkeys([*answers, *on_frames])):
        entry = answers.get(key, {})
        entries = on_frames.get(key, [])
        if entry.get("range") is None or (entry["range"] == [] and entries):
            places = entries
        elif entry["range"]:
            places = [(frame, entry) for start, end in entry["range"] for frame in range(start, end + 1)]
        else:
            places = [(0, entry)]
        known = {"classificationHash", "featureHash", "classifications", "range", "confidence", *TIMES}
        known |= {"manualAnnotation"}
        for frame, members in places:
            attributes = {
                name: value for name, value in _members(members).items() if name in (*TIMES, "manualAnnotation")
            }
            if entry.get("range") == [] and not entries:
                attributes["global"] = True
            if entry.get("classifications"):
                attributes["answers"] = _together(entry["classifications"])
            row = {
                "frame": frame,
                "row": number + offset,
                "object_id": key,
                "feature_hash": entry.get("featureHash") or members["featureHash"],
                "class_name": (entries[0][1].get("name") if entries else None) or entry["featureHash"],
                "kind": "classification",
                "confidence": _confidence(members),
                "attributes": attributes,
                "once": {
                    name: value
                    for name, value in entry.items()
                    if name not in known and value is not None and value not in ({}, [])
                },
            }
            unit = sizes.get(frame, last)
            if unit.get("height") and unit.get("width"):
                row |= {"image_height": unit["height"], "image_width": unit["width"]}
            yield row


def _geometry(item: Json, unit: Json) -> Json:
    shape = item["shape"]
    width, height = float(unit.get("width") or 0), float(unit.get("height") or 0)
    if shape in ("bounding_box", "rotatable_bounding_box"):
        box = item["boundingBox" if shape == "bounding_box" else "rotatableBoundingBox"]
        left, top = box["x"] * width, box["y"] * height
        made: Json = {"bbox": _box(left, top, left + box["w"] * width, top + box["h"] * height)}
        return made | ({"rotation": box["theta"]} if "theta" in box else {})
    if shape in ("circle", "ellipse"):
        return _round(item[shape], shape, width, height)
    if shape in ("polygon", "polyline", "cuboid_2d"):
        parts = _parts(item)
        scaled = [[_scaled(ring, width, height) for ring in part] for part in parts]
        made = {"polygon": scaled, "bbox": _cover([point for part in scaled for ring in part for point in ring])}
        heights = [point["z"] for point in _points(item["polyline"]) if "z" in point] if shape == "polyline" else []
        return made | ({"attributes": {"encord": {"z": heights}}} if heights else {})
    if shape in ("point", "skeleton"):
        return _keypoints(item, width, height)
    if shape == "bitmask":
        return _mask(item["bitmask"])
    cuboid = item["cuboid"]
    x, y, z = cuboid["position"]
    values = {"x": x, "y": y, "z": z, **_quaternion(cuboid["orientation"])}
    length, across, up = cuboid["size"]
    values |= {"width": across, "length": length, "height": up}
    return {"cuboid": same_turn(values), "attributes": {"convention": "encord"}}


def _box(*corners: float) -> Json:
    return dict(zip(("xmin", "ymin", "xmax", "ymax"), map(float, corners), strict=True))


def _round(given: Json, shape: str, width: float, height: float) -> Json:
    x, y = given["x"] * width, given["y"] * height
    if shape == "ellipse":
        across, down = given["rx"] * width, given["ry"] * height
        return {"bbox": _box(x - across, y - down, x + across, y + down), "rotation": given.get("theta", 0.0)}
    across = given["r"] * width
    down = given.get("stretch", 1.0) * across
    turned = {"rotation": given["theta"]} if given.get("theta", 0.0) else {}
    return {"bbox": _box(x - across, y - down, x + across, y + down), **turned}


def _points(given: Any) -> list[Json]:
    """Give points by their numbers."""
    if isinstance(given, Mapping):
        return [given[key] for key in sorted(given, key=int)]
    return list(given or [])


def _parts(item: Json) -> list[list[list[float]]]:
    if item["shape"] == "cuboid_2d":
        return [[item["cuboid_2d"]["front"]]]
    if item["shape"] == "polygon" and item.get("polygons"):
        return [[ring[:-2] if ring[:2] == ring[-2:] else ring for ring in part] for part in item["polygons"]]
    points = _points(item[item["shape"]])
    ring = [value for point in points for value in (point["x"], point["y"])]
    return [[ring[:-2] if item["shape"] == "polygon" and len(ring) > 2 and ring[:2] == ring[-2:] else ring]]


def _scaled(ring: Sequence[float], width: float, height: float) -> list[Json]:
    pairs = zip(ring[::2], ring[1::2], strict=True)
    return [{"x": float(np.float32(x * width)), "y": float(np.float32(y * height))} for x, y in pairs]


def _cover(points: Sequence[Json]) -> Json:
    xs, ys = [point["x"] for point in points], [point["y"] for point in points]
    return _box(min(xs), min(ys), max(xs), max(ys))


def _keypoints(item: Json, width: float, height: float) -> Json:
    points = _points(item[item["shape"]])
    made = []
    for point in points:
        [place] = _scaled([point["x"], point["y"]], width, height)
        flags = [flag for flag in ("invisible", "occluded", "selfOccluded", "visible") if point.get(flag)]
        word = flags[0] if flags else point.get("visibility")
        seen = 2 if item["shape"] == "point" else VISIBILITIES[word]
        made.append({"name": point.get("name"), **place, "visibility": seen})
    encord: Json = {}
    if item["shape"] == "point" and "z" in points[0]:
        encord["z"] = [points[0]["z"]]
    rest = [
        {key: point[key] for key in ("color", "featureHash", "value") if point.get(key) is not None} for point in points
    ]
    if item["shape"] == "skeleton" and any(rest):
        encord["points"] = rest
    return {"keypoints": made, "bbox": _cover(made), **({"attributes": {"encord": encord}} if encord else {})}


def _mask(given: Json) -> Json:
    height, width = given["height"], given["width"]
    pixels = naive_rle.decode(given["rleString"].encode(), width, height).T  # along the rows
    counts = naive_rle.to_string(naive_rle.counts(pixels))
    made: Json = {"mask": {"height": height, "width": width, "counts": counts}}
    return made | ({"bbox": _box(*naive_rle.bbox(pixels))} if pixels.any() else {})


def _quaternion(angles: Sequence[float]) -> Json:
    """Give the rotation about x after that about y after that about z, by matrices."""
    a, b, c = angles
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    from scipy.spatial.transform import Rotation

    values: npt.NDArray[np.float64] = Rotation.from_matrix(about_x @ about_y @ about_z).as_quat()
    return dict(zip(("qx", "qy", "qz", "qw"), values.tolist(), strict=True))


def same_turn(cuboid: Json) -> Json:
    """Give a cuboid with its quaternion to 9 digits, of the two that are the same turn the one with qw at least 0."""
    names = ("qx", "qy", "qz", "qw")
    sign = -1 if cuboid["qw"] < 0 else 1
    return {key: round(sign * value, 9) + 0.0 if key in names else value for key, value in cuboid.items()}
