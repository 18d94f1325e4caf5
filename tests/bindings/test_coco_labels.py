from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from predarrow.coco_label_mappings import FrameIndex, category_mapping_by_name, image_mapping_by_title
from predarrow.coco_labels import import_coco_labels
from predarrow.data_units import DataUnits
from predarrow.errors import InputError, OntologyError, PredarrowError
from predarrow.ontology import Ontology
from predarrow.painting import to_label_mask
from predarrow.project import Project
from predarrow.report import Code
from tests import naive_rle

_SHAPES = {
    "cat": "bounding_box",
    "turned": "rotatable_bounding_box",
    "area": "polygon",
    "bits": "bitmask",
    "man": "skeleton",
    "line": "polyline",
}
_KITTY = {"id": 1, "file_name": "cutekitty.jpg", "height": 480, "width": 640}
_PUPPY = {"id": 2, "file_name": "cutepuppy.jpg", "height": 480, "width": 640}
_FLAT = [508, 559, 512, 555, 517, 554, 520, 548, 527, 542, 531, 540, 538, 540, 553, 562]
_FRAMES = {1: FrameIndex("u1"), 2: FrameIndex("u2", 3)}
_RING = np.array([[0, 1, 1, 1], [0, 1, 0, 1], [0, 1, 1, 1]], np.uint8)
_COUNTS = naive_rle.counts(_RING)
_BOX = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    nodes = [{"featureNodeHash": key, "name": f"a {key}", "shape": shape} for key, shape in _SHAPES.items()]
    nodes += [{"featureNodeHash": f"dog-{shape}", "name": "Dog", "shape": shape} for shape in ("polygon", "bitmask")]
    units: dict[str, list[Any]] = {
        "id": ["u1", "u2", "u3", "u4"],
        "title": ["cutekitty.jpg", "film.mp4", "twin.jpg", "twin.jpg"],
        "kind": ["image", "video", "image", "image"],
        "n_frames": [1, 10, 1, 1],
        "width": [None, 640, None, None],
        "height": [None, 480, None, None],
    }
    ontology = Ontology.from_dict({"objects": nodes, "classifications": []})
    return Project.create(tmp_path / "project", ontology=ontology, data_units=DataUnits.from_table(units))


def _labels(*annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"images": [_KITTY, _PUPPY], "annotations": list(annotations), "categories": [], **more}


def _rows(project: Project, *names: str) -> list[dict[str, Any]]:
    table = project.scan("labels", columns=list(names) or None).read_all()
    return [{key: value for key, value in row.items() if value is not None} for row in table.to_pylist()]


def _one(project: Project, feature_hash: str, **members: Any) -> dict[str, Any]:
    """Import one annotation, give its row."""
    import_coco_labels(project, _labels(_BOX | members), {1: feature_hash}, _FRAMES)
    (row,) = _rows(project)
    return row


def test_the_page_s_boxes_are_imported(project: Project) -> None:
    labels = _labels(
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [246, 251, 153, 159], "area": 1234.56, "iscrowd": False},
        {"id": 2, "image_id": 2, "category_id": 2, "bbox": [220, 236, 76, 64], "area": 5678.90, "iscrowd": True},
        info={},
    )
    before = copy.deepcopy(labels)
    result = import_coco_labels(project, labels, {1: "cat", 2: "cat"}, _FRAMES)
    assert (result.rows, result.version, labels == before) == (2, 0, True)
    first, second = _rows(project)
    assert first == {
        "data_unit": "u1",
        "frame": 0,
        "feature_hash": "cat",
        "class_name": "a cat",
        "kind": "bbox",
        "bbox": {"xmin": 246, "ymin": 251, "xmax": 399, "ymax": 410},
        "image_height": 480,
        "image_width": 640,
        "attributes": '{"id": 1, "area": 1234.56, "iscrowd": false}',
        "source": "labels",
        "row": 0,
    }
    assert (second["data_unit"], second["frame"], json.loads(second["attributes"])["iscrowd"]) == ("u2", 3, True)


def test_the_page_s_polygons_are_imported(project: Project) -> None:
    page = {"segmentation": _FLAT, "area": 1234.56, "iscrowd": False}
    labels = _labels(*[{"id": i, "image_id": i, "category_id": i} | page for i in (1, 2)])
    result = import_coco_labels(project, labels, {"1": "area", "2": "dog-polygon"}, {"1": _FRAMES[1], "2": _FRAMES[2]})
    assert dict(result.report.flagged) == {"box beyond the image": 1}  # of the film, whose size is known
    for row in _rows(project):
        ((ring,),) = row["polygon"]
        assert [value for vertex in ring for value in (vertex["x"], vertex["y"])] == _FLAT
        assert row["bbox"] == {"xmin": 508, "ymin": 540, "xmax": 553, "ymax": 562}


def test_a_file_is_read_as_its_content(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "labels.json.gz"
    path.write_bytes(gzip.compress(json.dumps(_labels(_BOX)).encode()))
    assert import_coco_labels(project, path, {1: "cat"}, _FRAMES, set_name="other").rows == 1
    (tmp_path / "a.json").write_text("{\n]")
    with pytest.raises(InputError, match=r"a\.json: line 2 column 1"):
        import_coco_labels(project, tmp_path / "a.json", {1: "cat"}, _FRAMES)
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(InputError, match="import_coco_predictions"):
        import_coco_labels(project, tmp_path / "a.json", {1: "cat"}, _FRAMES)
    with pytest.raises(InputError, match=r"none\.json: must be a file that can be read, got No such file"):
        import_coco_labels(project, tmp_path / "none.json", {1: "cat"}, _FRAMES)


def test_polygons_of_several_lists_are_one_label(project: Project) -> None:
    rings = [[0, 0, 4, 0, 4, 4], [10, 10, 14, 10, 14, 14, 10, 10]]
    row = _one(project, "area", segmentation=rings)
    assert [[len(ring) for ring in part] for part in row["polygon"]] == [[3], [3]]
    assert row["bbox"]["xmax"] == 4


@pytest.mark.parametrize("segmentation", [None, []])
def test_a_polygon_without_segmentation_is_its_box(project: Project, segmentation: Any) -> None:
    labels = _labels(_BOX | {"segmentation": segmentation})
    result = import_coco_labels(project, labels, {1: "area"}, _FRAMES)
    (row,) = _rows(project)
    assert [(vertex["x"], vertex["y"]) for vertex in row["polygon"][0][0]] == [(1, 2), (1, 6), (4, 6), (4, 2)]
    assert dict(result.report.flagged) == {"polygon made of its box, as there is no segmentation": 1}


@pytest.mark.parametrize("counts", [_COUNTS, naive_rle.to_string(_COUNTS).decode()])
@pytest.mark.parametrize("feature_hash", ["area", "bits"])
def test_run_lengths_are_kept_exactly(tmp_path: Path, counts: Any, feature_hash: str) -> None:
    ontology = Ontology.from_dict(
        {"objects": [{"featureNodeHash": key, "name": key, "shape": _SHAPES[key]} for key in ("area", "bits")]}
    )
    project = Project.create(tmp_path / "p", ontology=ontology, data_units=DataUnits.from_table({"id": ["u1"]}))
    annotation = _BOX | {"bbox": None, "segmentation": {"size": [3, 4], "counts": counts}}
    labels = {"annotations": [annotation], "images": [{"id": 1, "height": 3, "width": 4}]}
    import_coco_labels(project, labels, {1: feature_hash}, {1: FrameIndex("u1")})
    (row,) = _rows(project)
    assert np.array_equal(naive_rle.decode(row["mask"]["counts"], 3, 4), _RING)
    assert row["bbox"] == {"xmin": 1, "ymin": 0, "xmax": 4, "ymax": 3}
    if feature_hash == "area":
        assert np.array_equal(to_label_mask(project.scan("labels"), values={"area": 1}), _RING)


def test_tracks_rotation_and_confidence_are_kept(project: Project) -> None:
    members = {"attributes": {"track_id": 7, "rotation": 30.5}, "score": 0.25}
    annotations = [_BOX | members | {"id": i, "image_id": 2} for i in (1, 2)]
    annotations.append(_BOX | {"image_id": 2, "instance_id": "x", "rotation": 3})
    import_coco_labels(project, _labels(*annotations), {1: "turned"}, _FRAMES, confidence_field_name="score")
    rows = _rows(project, "kind", "object_id", "rotation", "confidence")
    seven = {"kind": "rotated_bbox", "object_id": "7", "rotation": 30.5, "confidence": 0.25}
    assert rows == [seven, seven, {"kind": "rotated_bbox", "object_id": "x", "rotation": 3}]


def test_keypoints_have_their_category_s_names(project: Project) -> None:
    categories = [{"id": 1, "name": "man", "keypoints": ["nose", "eye"]}]
    labels = _labels(_BOX | {"keypoints": [1, 2, 2, 0, 0, 0]}, categories=categories)
    import_coco_labels(project, labels, {1: "man"}, _FRAMES)
    (row,) = _rows(project, "kind", "keypoints")
    assert [(point["name"], point["x"], point["visibility"]) for point in row["keypoints"]] == [
        ("nose", 1, 2),
        ("eye", 0, 0),
    ]


def test_what_a_class_has_no_place_for_is_told(project: Project) -> None:
    result = import_coco_labels(project, _labels(_BOX | {"segmentation": [_FLAT]}), {1: "cat"}, _FRAMES)
    assert dict(result.report.flagged) == {"segmentation left out: its class is a bounding_box": 1}


def test_a_mapping_leaves_out_on_purpose(project: Project) -> None:
    labels = _labels(_BOX, _BOX | {"category_id": 2.0}, _BOX | {"image_id": 2})
    result = import_coco_labels(project, labels, {1: "cat", 2: None}, {1: _FRAMES[1], 2: None})
    assert result.rows == 1
    assert dict(result.report.skipped) == {"category or image that the mapping leaves out": 2}


@pytest.mark.parametrize(
    ("feature_hash", "members", "code", "words"),
    [
        ("cat", {"bbox": [1, 2, 3]}, Code.BAD_BOX, r"\.bbox: must be x, y, width and height"),
        ("cat", {"bbox": [1, 2, -3, 4]}, Code.BAD_BOX, r"\.bbox\[2\]: must be at least 0, got -3"),
        ("cat", {"bbox": [1, "2", 3, 4]}, Code.BAD_NUMBER, r"\.bbox\[1\]: must be a finite number, got '2'"),
        ("cat", {"category_id": 9}, Code.UNKNOWN_CLASS, r"\.category_id"),
        ("cat", {"category_id": None}, Code.BAD_VALUE, r"\.category_id"),
        ("cat", {"image_id": 9}, Code.UNKNOWN_DATA_UNIT, r"\.image_id"),
        ("cat", {"image_id": 5}, Code.FRAME_RANGE, r"\.image_id: must be a frame of 'film.mp4'"),
        ("cat", {"image_id": 6}, Code.UNKNOWN_DATA_UNIT, r"\.image_id: must be a FrameIndex"),
        ("cat", {"image_id": 7}, Code.UNKNOWN_DATA_UNIT, r"\.image_id: must be the id or title"),
        ("cat", {"image_id": 8}, Code.SIZE_MISMATCH, r"\.image_id: must be 480"),
        ("cat", {"x": float("nan")}, Code.BAD_VALUE, "members that JSON holds"),
        (
            "area",
            {"segmentation": [[1, 2, 3, 4]]},
            Code.BAD_VALUE,
            r"\.segmentation\[0\]: must be x and y of at least 3",
        ),
        ("area", {"segmentation": [1, 2, 3, 4, 5, 6, 7]}, Code.BAD_VALUE, r"\.segmentation: .* got 7 numbers"),
        ("area", {"segmentation": "x"}, Code.BAD_VALUE, "lists of coordinates or run lengths"),
        ("area", {"segmentation": {"size": [3, 4], "counts": [12]}}, Code.BAD_VALUE, "a pixel inside"),
        ("bits", {"segmentation": [_FLAT]}, Code.BAD_VALUE, "run lengths"),
        ("bits", {"segmentation": {"size": [3, 4], "counts": [11]}}, Code.BAD_VALUE, r"counts: must sum to"),
        (
            "bits",
            {"segmentation": {"size": [3, 4], "counts": "b'12'"}},
            Code.BAD_VALUE,
            "got a Python bytes literal: write",
        ),
        ("bits", {"segmentation": {"size": [3], "counts": []}}, Code.BAD_VALUE, r"\.size"),
        ("bits", {"segmentation": {"size": [3, 4], "counts": 12}}, Code.BAD_VALUE, r"\.counts"),
        ("man", {"keypoints": [1, 2]}, Code.BAD_VALUE, r"\.keypoints"),
        ("man", {"keypoints": [1, 2, 3]}, Code.BAD_VALUE, r"\.keypoints\[2\]"),
        ("turned", {"attributes": {"rotation": "3"}}, Code.BAD_NUMBER, r"\.attributes\.rotation"),
    ],
)
def test_what_does_not_hold_is_refused_with_its_place(
    project: Project, feature_hash: str, members: dict[str, Any], code: Code, words: str
) -> None:
    frames: dict[int, Any] = _FRAMES | {5: FrameIndex("u2", 10), 6: "u1", 7: FrameIndex("u9"), 8: FrameIndex("u2")}
    images = [_KITTY, {"id": 8, "height": 481, "width": 640}]
    labels = {"images": images, "annotations": [_BOX | {"category_id": 0}, _BOX | members]}
    with pytest.raises(InputError, match=r"labels: \$\.annotations\[1\]" + ".*" + words) as error:
        import_coco_labels(project, labels, {0: "cat", 1: feature_hash}, frames)
    assert [problem.code for problem in error.value.problems] == [code]
    assert project.sets() == []
    result = import_coco_labels(project, labels, {0: "cat", 1: feature_hash}, frames, on_error="skip")
    assert (result.rows, result.report.rejected) == (1, 1)


def test_mappings_must_hold(project: Project) -> None:
    with pytest.raises(OntologyError, match="category_id_to_feature_hash: 1: "):
        import_coco_labels(project, _labels(), {1: "none"}, {})
    with pytest.raises(OntologyError, match="of shape polyline"):
        import_coco_labels(project, _labels(), {1: "line"}, {})
    with pytest.raises(PredarrowError, match="must stand once"):
        import_coco_labels(project, _labels(), {1: "cat", "1": "area"}, {})
    with pytest.raises(InputError, match=r"\$\.annotations: must be a list"):
        import_coco_labels(project, {}, {}, {})


def test_categories_are_matched_by_name(project: Project) -> None:
    categories = [
        {"id": 1, "name": "a cat"},
        {"id": 2, "name": "Dog", "supercategory": "bitmask"},
        {"id": 3, "name": "unknown"},
    ]
    assert category_mapping_by_name(project, {"categories": categories}) == {1: "cat", 2: "dog-bitmask"}
    with pytest.raises(OntologyError, match=r"\$\.categories\[0\]\.name"):
        category_mapping_by_name(project, {"categories": [{"id": 2, "name": "Dog", "supercategory": "animal"}]})


def test_images_are_matched_by_title(project: Project) -> None:
    images = [
        {"id": 1, "file_name": "folder/cutekitty.jpg"},
        {"id": 2, "file_name": "videos/u2/7.jpg", "video_title": "film.mp4"},
        {"id": 3, "file_name": "images/x.jpg", "image_title": "cutekitty"},
        {"id": 4, "file_name": "unknown.jpg"},
    ]
    expected = {1: FrameIndex("u1"), 2: FrameIndex("u2", 7), 3: FrameIndex("u1")}
    assert image_mapping_by_title(project, {"images": images}) == expected
    found = image_mapping_by_title(project, {"images": images}, lambda image: image["file_name"].split("/")[0])
    assert found == {}
    assert image_mapping_by_title(project, {"images": images[3:]}, lambda _: FrameIndex("u2", 2)) == {
        4: FrameIndex("u2", 2)
    }
    for image, words in (({"file_name": "twin.jpg"}, "u3, u4"), ({"video_title": "film", "file_name": "a"}, "number")):
        with pytest.raises(InputError, match=words):
            image_mapping_by_title(project, {"images": [{"id": 1} | image]})
