from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from predarrow.coco_imports import import_coco_predictions
from predarrow.data_units import DataUnits
from predarrow.errors import InputError, OntologyError, PredarrowError
from predarrow.ontology import Ontology
from predarrow.project import Project
from predarrow.report import Code
from tests.coco_project import BOX, MASK, POLYGON, coco_project, write_json, write_predictions

_BY_ID = {"dogs": 18, "dogp": 18, "perp": 1}
_NAMES = {18: "dog", 1: "person"}
_IMAGES = {1: "u1", 2: "u2"}


def _rows(project: Project, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in project.scan(columns=list(columns)).read_all().to_pylist()]


def test_the_seeds_folder(tmp_path: Path) -> None:
    project = coco_project(tmp_path / "project")
    path = write_predictions(tmp_path / "predictions")
    result = import_coco_predictions(project, path)
    assert (result.version, result.rows, result.report.flagged) == (0, 3, {})
    assert _rows(project, "data_unit", "row", "class_name", "feature_hash", "kind", "confidence") == [
        ("u1", 1, "dog", "dogs", "bbox", 0.5),
        ("u2", 0, "dog", "dogp", "polygon", 1.0),
        ("u2", 2, "person", "perp", "bitmask", 0.25),
    ]
    table = project.scan().read_all()
    assert len(table["polygon"][1].as_py()) == 2
    assert table["mask"][2].as_py()["height"] == 80
    assert (table["image_height"].to_pylist(), table["image_width"].to_pylist()) == ([80] * 3, [100] * 3)
    (version,) = project.history().to_pylist()
    assert (version["operation"], version["rows"]) == ("import coco", 3)
    assert import_coco_predictions(str(project.path), str(path), mode="append", polygons=True).rows == 3
    assert [polygon is None for (polygon,) in _rows(project, "polygon")].count(True) == 3


@pytest.mark.parametrize(
    ("mapping", "categories"),
    [
        ({"dogs": "dog", "dogp": "dog", "perp": "person"}, _NAMES),
        (
            {"dogs": "dog", "dogp": 18, "person": "person"},
            {"categories": [{"id": i, "name": n} for i, n in _NAMES.items()]},
        ),
        ({"dogs": "18", "dogp": "18", "perp": "1"}, None),
        (_BY_ID, None),
    ],
)
def test_mappings_of_names_and_ids(tmp_path: Path, mapping: dict[str, Any], categories: Any) -> None:
    if mapping.get("dogp") == 18 and mapping["dogs"] == "dog":  # the name is asked first
        mapping = {**mapping, "dogp": "dog"}
    project = coco_project(tmp_path / "project")
    path = write_json(tmp_path / "file.json", [BOX, POLYGON, MASK])
    import_coco_predictions(project, path, mapping, _IMAGES, categories=categories)
    assert [row[0] for row in _rows(project, "feature_hash")] == ["dogs", "dogp", "perp"]


class _Frame(NamedTuple):
    data_unit: str
    frame: int


@pytest.mark.parametrize("target", [["v", 3], _Frame("v", 3), {"data_unit": "video.mp4", "frame": 3}])
def test_frames_of_the_mapping(tmp_path: Path, target: Any) -> None:
    project = coco_project(tmp_path / "project")
    path = write_json(tmp_path / "file.json", [BOX])
    import_coco_predictions(project, path, _BY_ID, {1: target})
    assert _rows(project, "data_unit", "frame") == [("v", 3)]


def test_images_that_the_file_lists(tmp_path: Path) -> None:
    project = coco_project(tmp_path / "project")
    images = [{"id": 1, "file_name": "train/000000000001.jpg"}, {"id": 2, "file_name": "000000000002"}]
    path = write_json(tmp_path / "file.json", {"images": images, "annotations": [BOX, POLYGON, MASK]})
    assert import_coco_predictions(project, path, _BY_ID).rows == 3
    assert [row[0] for row in _rows(project, "data_unit")] == ["u1", "u2", "u2"]
    results = write_json(tmp_path / "results.json", [BOX, POLYGON, MASK])
    assert import_coco_predictions(project, results, _BY_ID, images=path).rows == 3
    with pytest.raises(OntologyError, match="must map image ids to data units, found no such file; put it beside"):
        import_coco_predictions(project, results, _BY_ID)


@pytest.mark.parametrize(
    ("images", "code", "message"),
    [
        ({1: "u9"}, Code.UNKNOWN_DATA_UNIT, "must be of a data unit of the project, got 'u9'"),
        ({2: "u2"}, Code.UNKNOWN_DATA_UNIT, "must be the id of an image that the mapping or the list of images has"),
        ({1: "v"}, Code.FRAME_RANGE, "must be of one of the 5 frames of 'video.mp4', got none"),
        ({1: ["v", 5]}, Code.FRAME_RANGE, "must be of a frame of 'video.mp4', which are 0 to 4, got 5"),
        ({1: ["u1", 1]}, Code.FRAME_RANGE, "must be of a frame of '000000000001.jpg', which are 0 to 0, got 1"),
    ],
)
def test_images_that_do_not_match(tmp_path: Path, images: dict[int, Any], code: Code, message: str) -> None:
    project = coco_project(tmp_path / "project")
    path = write_json(tmp_path / "file.json", [BOX])
    result = import_coco_predictions(project, path, _BY_ID, images, on_error="skip")
    (problem,) = result.report.problems
    assert (result.rows, problem.code, problem.pointer) == (0, code, "$[0].image_id")
    assert problem.message.startswith(message)


@pytest.mark.parametrize(
    ("mapping", "record", "message"),
    [
        ({"perp": 1}, BOX, "must be a category that the mapping names, got 18; map it to a class"),
        ({"perp": "person"}, BOX, "must be a category that the mapping names, got 18; the mapping has names"),
        ({"dogp": 18}, BOX, "must be mapped to a class of shape bounding_box or rotatable_bounding_box"),
        (
            {"dogs": 18},
            POLYGON,
            "must be mapped to a class of shape polygon or bitmask, as the record is of kind polygon",
        ),
    ],
)
def test_categories_that_do_not_match(tmp_path: Path, mapping: Any, record: Any, message: str) -> None:
    project = coco_project(tmp_path / "project")
    path = write_json(tmp_path / "file.json", [record])
    with pytest.raises(InputError) as caught:
        import_coco_predictions(project, path, mapping, _IMAGES)
    (problem,) = caught.value.problems
    assert (problem.code, problem.pointer) == (Code.UNKNOWN_CLASS, "$[0].category_id")
    assert problem.message.startswith(message)
    assert project.sets() == []


def test_categories_left_out(tmp_path: Path) -> None:
    project = coco_project(tmp_path / "project")
    path = write_predictions(tmp_path / "predictions")
    result = import_coco_predictions(project, path, categories={18: None})
    assert (result.rows, result.report.skipped) == (1, {"class is mapped to None": 2})


def test_boxes_beyond_their_image(tmp_path: Path) -> None:
    project = coco_project(tmp_path / "project")
    records = [
        {**BOX, "bbox": [-10, 0, 30, 40]},
        {**BOX, "bbox": [0, 0, 100.00005, 80]},
        {**BOX, "bbox": [100, 0, 1, 1]},
    ]
    path = write_json(tmp_path / "file.json", records)
    kept = import_coco_predictions(project, path, _BY_ID, _IMAGES)
    assert (kept.rows, kept.report.flagged) == (3, {"box beyond the image": 2})
    clipped = import_coco_predictions(project, path, _BY_ID, _IMAGES, on_outside="clip", on_error="skip")
    assert (clipped.rows, clipped.report.flagged) == (2, {"box clipped to the image": 1})
    assert [row[0]["xmin"] for row in _rows(project, "bbox")] == [0, 0]
    rejected = import_coco_predictions(project, path, _BY_ID, _IMAGES, on_outside="reject", on_error="skip")
    assert rejected.rows == 1
    assert {problem.code for problem in rejected.report.problems} == {Code.OUTSIDE_IMAGE}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ontology_mapping": {"dogs": 1.5}}, "ontology_mapping: dogs: must be a category's name or id, got 1.5"),
        ({"ontology_mapping": {"none": 1}}, "ontology_mapping: none: must be the featureNodeHash"),
        ({"ontology_mapping": {}}, "ontology_mapping: must name at least one class"),
        ({"ontology_mapping": {"dogp": 1, "perp": 1}}, "a category must stand for one class of a shape, got 1 for dog"),
        ({"image_mapping": {1.5: "u1"}}, "image_mapping: 1.5: must be an image's id"),
        ({"image_mapping": {1: "u1", "1": "u2"}}, "image_mapping: '1': must be an image's id"),
        ({"image_mapping": {1: 5}}, "image_mapping: 1: must be the id of a data unit"),
        ({"image_mapping": {1: ["v", "0"]}}, "image_mapping: 1: must be the id of a data unit"),
        ({"image_mapping": "none.json"}, "none.json: must be a JSON object of image id: data unit, found no such file"),
        ({"image_mapping": 5}, "image_mapping: must be a mapping or a JSON file, got int"),
        ({"on_outside": "crop"}, "on_outside: must be one of 'keep', 'clip', 'reject', got 'crop'"),
    ],
)
def test_arguments_that_do_not_hold(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    project = coco_project(tmp_path / "project")
    path = write_predictions(tmp_path / "predictions")
    with pytest.raises(PredarrowError) as caught:
        import_coco_predictions(project, path, **arguments)
    assert message in str(caught.value)
    assert project.sets() == []


def test_mappings_that_are_not_there(tmp_path: Path) -> None:
    project = coco_project(tmp_path / "project")
    path = write_json(tmp_path / "file.json", [BOX])
    with pytest.raises(OntologyError, match=r"ontology_mapping\.json: must be a JSON object of featureNodeHash: value"):
        import_coco_predictions(project, path)
    (tmp_path / "image_mapping.json").write_text("[]")
    with pytest.raises(
        OntologyError, match=r"image_mapping\.json: must be a JSON object of image id: data unit, got list"
    ):
        import_coco_predictions(project, path, _BY_ID)


def test_a_file_that_breaks_off_changes_nothing(tmp_path: Path) -> None:
    project = coco_project(tmp_path / "project")
    path = write_predictions(tmp_path / "predictions")
    import_coco_predictions(project, path)
    path.write_text(json.dumps([BOX])[:-1])
    with pytest.raises(InputError, match="the file breaks off"):
        import_coco_predictions(project, path)
    assert len(_rows(project, "row")) == 3


def test_mappings_as_the_page_prints_them_are_told_apart_from_json(tmp_path: Path) -> None:
    """With comments behind a hash, and with numbers as keys."""
    project = coco_project(tmp_path / "project")
    path = write_predictions(tmp_path / "predictions")
    hint = "; JSON has no comments, and its keys stand in double quotes"
    pages = (
        ("ontology", '{\n  # featureNodeHash: class_name\n  "dogs": "dog"\n}'),
        ("image", '{\n  1: "u1",\n  2: "u2"\n}'),
    )
    for name, text in pages:
        mapping = tmp_path / "mapping.json"
        mapping.write_text(text)
        arguments: dict[str, Any] = {f"{name}_mapping": mapping}
        with pytest.raises(OntologyError, match=f"mapping.json: must be a JSON object, got .*line 2 column 3.*{hint}"):
            import_coco_predictions(project, path, **arguments)


def test_images_that_are_listed_with_other_sizes_are_refused(tmp_path: Path) -> None:
    project = coco_project(tmp_path / "project")
    names = {1: f"{1:012d}.jpg", 2: f"{2:012d}.jpg"}
    images = [{"id": key, "file_name": name, "width": 100, "height": 80} for key, name in names.items()]
    document = {"images": images, "annotations": [BOX, POLYGON], "categories": [{"id": 18, "name": "dog"}]}
    path = write_json(tmp_path / "file.json", document)
    mapping = {"dogs": "dog", "dogp": "dog"}
    assert import_coco_predictions(project, path, mapping).rows == 2
    images[1]["height"] = 160
    write_json(path, document)
    with pytest.raises(InputError) as caught:
        import_coco_predictions(project, path, mapping)
    rule = "must be of an image of 100 x 80 pixels as its data unit is"
    assert str(caught.value) == f"{path}: $.annotations[1].image_id: {rule}, got '{names[2]}' of 100 x 160"
    assert [problem.code for problem in caught.value.problems] == [Code.SIZE_MISMATCH]
    assert import_coco_predictions(project, path, mapping, {1: "u1", 2: "u2"}).rows == 2


def test_sizes_that_the_project_does_not_know_are_those_of_the_list(tmp_path: Path) -> None:
    thing = {"featureNodeHash": "dogs", "name": "dog", "shape": "bounding_box"}
    units = DataUnits.from_table({"id": ["u"], "title": ["a.jpg"], "kind": ["image"], "n_frames": [1]})
    project = Project.create(tmp_path / "p", ontology=Ontology.from_dict({"objects": [thing]}), data_units=units)
    images = {"images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}]}
    path = write_json(tmp_path / "file.json", [BOX])
    import_coco_predictions(project, path, {"dogs": 18}, images=images)
    (row,) = project.scan().read_all().to_pylist()
    assert (row["image_width"], row["image_height"]) == (100, 80)
