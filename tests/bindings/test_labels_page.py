"""Every example of Encord's page on importing labels: each type of label on an image and tracked, one and three."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import Mock

import numpy as np
import pytest

import predarrow
from predarrow.formats.encord.write import write_label_rows
from predarrow.labels.row import LabelRow
from predarrow.project import Project
from tests import naive_rle
from tests.label_project import CLASSES, attributes, label_project, saved

IMAGE, VIDEO = (60, 40), (96, 54)
CHERRIES, BLUEBERRIES = "Cherries_video.mp4", "Blueberries_video.mp4"


class Example(NamedTuple):
    """What the page imports of one class."""

    image: str
    video: str
    one: tuple[int, ...]
    """Frames of the single object that is tracked"""
    three: tuple[tuple[int, ...], ...]
    """Frames of the three that are"""


PAGE = {
    "Cherry": Example("cherry_001.png", CHERRIES, (103, 104, 105), ((103, 104, 105), (206, 207, 208), (313, 315, 317))),
    "Other type of fruit": Example(
        "apple_001.png", CHERRIES, (120, 121, 122), ((120, 121, 122), (222, 224, 226), (321, 323, 325))
    ),
    "Persimmon": Example(
        "persimmon_001.jpg", CHERRIES, (143, 144, 145), ((153, 154, 155), (242, 244, 246), (343, 345, 347))
    ),
    "Branch": Example(
        "persimmon_001.jpg", CHERRIES, (146, 147, 148), ((246, 247, 248), (346, 347, 348), (446, 447, 448))
    ),
    "Pedicel": Example(
        "blueberry_003.jpg", BLUEBERRIES, (143, 144, 145), ((143, 144, 145), (242, 244, 246), (343, 345, 347))
    ),
    "Blueberry": Example(
        "blueberry_003.jpg", BLUEBERRIES, (156, 157, 159), ((156, 157, 158), (256, 258, 259), (355, 357, 359))
    ),
    "Strawberry": Example(
        "strawberries_10.jpg", CHERRIES, (163, 164, 165), ((173, 174, 175), (183, 184, 185), (193, 194, 195))
    ),
}

Size = tuple[int, int]


def geometry(name: str, step: int, size: Size) -> Any:
    """Give the step-th geometry of a class; each is another."""
    at = 0.1 + step / 16  # sums of powers of two would hide a wrong order of operations
    match name:
        case "Cherry":
            return predarrow.BoundingBox(at, 0.2, 0.25, 0.3)
        case "Other type of fruit":
            return predarrow.BoundingBox(at, 0.2, 0.25, 0.3, theta=10.0 * step)
        case "Persimmon":
            return predarrow.Polygon([[at, 0.1], [0.9, 0.2], [0.4, 0.7]])
        case "Branch":
            return predarrow.Polyline([[at, 0.1], [0.9, 0.2], [0.4, 0.7], [at, 0.1]])
        case "Pedicel":
            return predarrow.Point(at, 0.3)
        case "Blueberry":
            return predarrow.Bitmask(mask(step, size))
        case _:
            return predarrow.Skeleton({"a": (at, 0.1), "b": (0.9, 0.2, "occluded"), "c": (0.4, 0.7, "invisible")})


def mask(step: int, size: Size) -> Any:
    """Give the step-th mask; the first is of the whole image, as on the page."""
    pixels = np.zeros((size[1], size[0]), np.bool_)
    pixels[step:, 3 * step :] = True
    return pixels


def expected(name: str, step: int, size: Size) -> dict[str, Any]:
    """Give the columns of the step-th geometry."""
    w, h = size
    at = (0.1 + step / 16) * w
    points = [(at, 0.1 * h), (0.9 * w, 0.2 * h), (0.4 * w, 0.7 * h)]
    vertices = [{"x": float(np.float32(x)), "y": float(np.float32(y))} for x, y in points]
    match name:
        case "Cherry" | "Other type of fruit":
            box = {"xmin": at, "ymin": 0.2 * h, "xmax": at + 0.25 * w, "ymax": 0.2 * h + 0.3 * h}
            return {"bbox": box, "rotation": 10.0 * step if name != "Cherry" else None}
        case "Persimmon":
            return {"polygon": [[vertices]]}
        case "Branch":
            return {"polygon": [[[*vertices, vertices[0]]]]}
        case "Pedicel":
            point = {"x": float(np.float32(at)), "y": float(np.float32(0.3 * h))}
            return {"keypoints": [{"name": None, **point, "visibility": 2}]}
        case "Blueberry":
            return {
                "mask": {"height": h, "width": w, "counts": naive_rle.to_string(naive_rle.counts(mask(step, size)))}
            }
        case _:
            named = zip("abc", vertices, (2, 1, 0), strict=True)
            return {"keypoints": [{"name": key, **place, "visibility": seen} for key, place, seen in named]}


def theirs(name: str, step: int, size: Size) -> Any:
    """Give the step-th geometry of a class as the SDK's."""
    from encord.objects import coordinates as c
    from encord.objects.bitmask import BitmaskCoordinates

    at = 0.1 + step / 16
    points = [c.PointCoordinate(x=x, y=y) for x, y in ((at, 0.1), (0.9, 0.2), (0.4, 0.7))]
    box = {"top_left_x": at, "top_left_y": 0.2, "width": 0.25, "height": 0.3}
    match name:
        case "Cherry":
            return c.BoundingBoxCoordinates(**box)
        case "Other type of fruit":
            return c.RotatableBoundingBoxCoordinates(**box, theta=10.0 * step)
        case "Persimmon":
            return c.PolygonCoordinates(points)
        case "Branch":
            return c.PolylineCoordinates([*points, points[0]])
        case "Pedicel":
            return c.PointCoordinate(x=at, y=0.3)
        case "Blueberry":
            return BitmaskCoordinates(mask(step, size))
        case _:
            seen = (c.Visibility.VISIBLE, c.Visibility.OCCLUDED, c.Visibility.INVISIBLE)
            named = zip("abc", points, seen, strict=True)
            joints = [c.SkeletonCoordinate(x=p.x, y=p.y, name=key, visibility=word) for key, p, word in named]
            return c.SkeletonCoordinates(values=joints, name="Strawberry")


def numbers(coordinates: Any) -> list[float]:
    """Give all numbers of the SDK's coordinates; of a mask its pixels, of a skeleton its visibilities as well."""
    if hasattr(coordinates, "to_numpy_array"):
        pixels: list[float] = coordinates.to_numpy_array().astype(float).ravel().tolist()
        return pixels
    if type(coordinates).__name__ == "SkeletonCoordinates":
        words = ["visible", "occluded", "invisible"]
        joints = [(ord(each.name), each.x, each.y, words.index(each.visibility.value)) for each in coordinates.values]
        return [float(number) for joint in joints for number in joint]
    return _flat(coordinates.to_dict())


def _flat(value: Any) -> list[float]:
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return [number for item in items for number in _flat(item)]
    return [float(value)]


def _sdk_rows(project: Project) -> list[Any]:
    """Write the labels as label rows and give them as the SDK's, which must take them and give them back."""
    objects = pytest.importorskip("encord.objects")
    storage = pytest.importorskip("encord.orm.storage")
    path = project.path.parent / "rows.json"
    table = project.scan("labels")
    write_label_rows(table, path, ontology=project.ontology, data_units=project.data_units)
    structure = objects.OntologyStructure.from_dict(project.ontology.to_dict())
    result = []
    for written in json.loads(path.read_text("utf-8")):
        given: dict[str, Any] = dict(zip(("width", "height"), IMAGE, strict=True)) | {"file_size": 1}
        made: Any = storage.CustomerProvidedImageMetadata(mime_type="image/png", **given)
        if written["data_type"] == "video":
            given |= dict(zip(("width", "height"), VIDEO, strict=True))
            made = storage.CustomerProvidedVideoMetadata(mime_type="video/mp4", fps=25.0, duration=20.0, **given)
        row = objects.LabelRowV2.from_media_metadata(Mock(structure=structure), made)
        row.from_labels_dict(written)
        result.append(row)
    return result


KINDS = {
    "bounding_box": "bbox",
    "rotatable_bounding_box": "rotated_bbox",
    "point": "keypoints",
    **{shape: shape for shape in ("polygon", "polyline", "bitmask", "skeleton")},
}


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    return label_project(tmp_path / "project")


def _single(row: LabelRow, name: str, frames: tuple[int, ...], first: int, size: Size) -> str:
    """Add one object that moves from frame to frame."""
    object_id: str | None = None
    for step, frame in enumerate(frames, first):
        object_id = row.add_object(
            name, geometry(name, step, size), frames=frame, object_id=object_id, confidence=0.5 + step / 32
        )
    assert object_id is not None
    return object_id


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("case", ["one on an image", "one tracked", "three on an image", "three tracked"])
def test_example(project: Project, name: str, case: str) -> None:
    example = PAGE[name]
    is_image = case.endswith("image")
    size = IMAGE if is_image else VIDEO
    if is_image:
        tracks: tuple[tuple[int, ...], ...] = ((0,),) * (3 if case.startswith("three") else 1)
    else:
        tracks = example.three if case.startswith("three") else (example.one,)
    labels = project.label_row(example.image if is_image else example.video)
    ids = [_single(labels, name, frames, 3 * place, size) for place, frames in enumerate(tracks)]
    assert len(set(ids)) == len(tracks)
    assert all(len(object_id) == 8 for object_id in ids)
    result = labels.save()
    n = sum(map(len, tracks))
    assert (result.rows, result.version, result.report.problems) == (n, 0, [])

    rows = project.scan("labels").read_all().to_pylist()
    found = {(row["object_id"], row["frame"]): row for row in rows}
    assert len(found) == n
    unit = labels.data_unit
    for place, (object_id, frames) in enumerate(zip(ids, tracks, strict=True)):
        for step, frame in enumerate(frames, 3 * place):
            row = found[object_id, frame]
            columns = expected(name, step, size)
            assert {key: row[key] for key in columns} == columns
            assert row["confidence"] == 0.5 + step / 32
            assert (row["kind"], row["class_name"]) == (KINDS[CLASSES[name]], name)
            assert row["feature_hash"] == project.ontology.object_by_name(name).feature_hash
            assert (row["data_unit"], row["image_width"], row["image_height"]) == (unit.id, *size)
            assert row["attributes"] is None
            assert row["bbox"] is not None

    (label_row,) = _sdk_rows(project)
    instances = {instance.object_hash: instance for instance in label_row.get_object_instances()}
    assert instances.keys() == set(ids)
    for place, (object_id, frames) in enumerate(zip(ids, tracks, strict=True)):
        annotations = instances[object_id].get_annotations()
        assert [annotation.frame for annotation in annotations] == list(frames)
        for step, annotation in enumerate(annotations, 3 * place):
            assert numbers(annotation.coordinates) == pytest.approx(numbers(theirs(name, step, size)), abs=1e-6)
            assert annotation.confidence == 0.5 + step / 32


CLASSIFICATIONS: dict[str, tuple[str, Any, list[str]]] = {
    "radio": ("Blueberry or cherry?", "Blueberry", ["Blueberry"]),
    "checklist": ("Many types of fruit?", ["Apple", "Kiwi"], ["Apple", "Kiwi"]),
}


@pytest.mark.parametrize("kind", CLASSIFICATIONS)
@pytest.mark.parametrize("frames", [0, range(193, 198)], ids=["image", "range"])
def test_classification(project: Project, kind: str, frames: Any) -> None:
    feature, given, chosen = CLASSIFICATIONS[kind]
    labels = project.label_row("blueberry_003.jpg" if frames == 0 else BLUEBERRIES)
    object_id = labels.add_classification(feature, given, frames=frames)
    labels.save()
    rows = project.scan("labels").read_all().to_pylist()
    assert [row["frame"] for row in rows] == ([0] if frames == 0 else [193, 194, 195, 196, 197])
    for row in rows:
        assert (row["object_id"], row["kind"], row["class_name"]) == (object_id, "classification", feature)
        (answer,) = attributes(row)["answers"]
        assert [option["name"] for option in answer["answers"]] == chosen
        assert answer["name"] == feature
    (label_row,) = _sdk_rows(project)
    (instance,) = label_row.get_classification_instances()
    wanted = [(0, 0)] if frames == 0 else [(193, 197)]
    assert instance.classification_hash == object_id
    assert [(found.start, found.end) for found in instance.range_list] == wanted
    answers = instance.get_answer()
    assert [option.label for option in (answers if isinstance(answers, list) else [answers])] == chosen


def test_bulk(project: Project) -> None:
    """More than a thousand operations, on several data units, in one bundle."""
    units = ["cherry_001.png", CHERRIES, BLUEBERRIES]
    with project.bundle() as bundle:
        for step in range(1200):
            name = ("Cherry", "Persimmon", "Pedicel", "Blueberry")[step % 4]
            unit = units[step % 3]
            size = IMAGE if unit == units[0] else VIDEO
            frame = 0 if unit == units[0] else step // 3
            bundle.label_row(unit).add_object(name, geometry(name, step % 8, size), frames=frame)
        assert project.sets() == []
    assert bundle.result is not None
    assert bundle.result.rows == 1200
    assert project.history("labels").num_rows == 1
    table = project.scan("labels").read_all()
    assert sorted(table["row"].to_pylist()) == list(range(1200))
    for row in saved(
        project, ["row", "data_unit", "frame", "kind", "bbox", "polygon", "keypoints", "mask", "rotation"]
    ):
        step = row["row"]
        name = ("Cherry", "Persimmon", "Pedicel", "Blueberry")[step % 4]
        columns = expected(name, step % 8, IMAGE if step % 3 == 0 else VIDEO)
        assert {key: row[key] for key in columns} == columns
    order = [(row["data_unit"], row["frame"], row["row"]) for row in saved(project, ["data_unit", "frame", "row"])]
    assert order == sorted(order)
