from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from predarrow import InputError, OntologyError, PredarrowError, import_label_studio_predictions
from predarrow.data_units import DataUnits
from predarrow.label_studio_imports import LabelStudioImportResult
from predarrow.ontology import Ontology, classification, object_class, radio
from predarrow.project import Project
from predarrow.report import Code

MAPPING = {"box-hash": "Car", "tree": "Tree", "ring": "Car"}
UNITS: dict[str, list[Any]] = {
    "id": ["u1", "u2", "u3", "u4", "u5"],
    "title": ["a.png", "My car.png", "drive.mp4", "c.png", "c.png"],
    "kind": ["image", "image", "video", "image", "image"],
    "width": [200, None, 100, 10, 10],
    "height": [100, None, 50, 10, 10],
    "n_frames": [1, 1, 10, 1, 1],
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    objects = [
        object_class("car", "bounding_box", feature_hash="box-hash"),
        object_class("ring", "polygon", feature_hash="ring-hash"),
        object_class("tree", "bitmask", feature_hash="tree-hash"),
    ]
    answers = [
        classification(radio("weather", ["sun", "rain"]), feature_hash="weather-hash"),
        classification(radio("Time of day", ["day", "night"]), feature_hash="time-hash"),
    ]
    ontology = Ontology.build(objects, answers)
    return Project.create(tmp_path / "project", ontology=ontology, data_units=DataUnits.from_table(UNITS))


def box(label: str | None = "Car", size: tuple[int, int] | None = (200, 100), **members: Any) -> dict[str, Any]:
    """Give a region of 20 x 10 pixels at (20, 10), `size` being width and height."""
    value: dict[str, Any] = {"x": 10, "y": 10, "width": 10, "height": 10, "rotation": 0}
    region: dict[str, Any] = {"id": "r1", "from_name": "box", "to_name": "image", "value": value}
    if label is None:
        region["type"] = "rectangle"
    else:
        region["type"] = "rectanglelabels"
        value["rectanglelabels"] = [label]
    if size is not None:
        region |= {"original_width": size[0], "original_height": size[1], "image_rotation": 0}
    return region | members


def ring(label: str = "Car") -> dict[str, Any]:
    points = [[10, 10], [50, 10], [10, 50]]
    value = {"points": points, "closed": True, "polygonlabels": [label]}
    return box(None) | {"id": "r2", "from_name": "ring", "type": "polygonlabels", "value": value}


def choice(control: str = "weather") -> dict[str, Any]:
    value = {"choices": ["sun"]}
    return {"id": "c1", "from_name": control, "to_name": "image", "type": "choices", "value": value}


def task(*results: Any, image: str = "https://host/1f0c2ab9-a.png", version: str | None = "one") -> dict[str, Any]:
    made: dict[str, Any] = {"result": list(results), "score": 0.5}
    if version is not None:
        made["model_version"] = version
    return {"data": {"image": image}, "predictions": [made]}


def imported(project: Project, tasks: Any, mapping: Any = MAPPING, **options: Any) -> LabelStudioImportResult:
    path = project.path.parent / "tasks.json"
    path.write_text(json.dumps(tasks))
    return import_label_studio_predictions(project, path, mapping, **options)


def rows(project: Project, set_name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = project.scan(set_name).read_all().to_pylist()
    return found


def test_rows_have_the_projects_names(project: Project) -> None:
    tasks = [task(box(), ring(), choice(), choice("when")), task(box(size=(50, 20)), image="My%20car.png")]
    result = imported(project, tasks, MAPPING | {"Time of day": "when"})
    assert (result.versions, result.rows, result.report.problems) == ({"one": 0}, 5, [])
    found = rows(project, "one")
    assert [(row["data_unit"], row["frame"], row["kind"], row["class_name"], row["feature_hash"]) for row in found] == [
        ("u1", 0, "bbox", "car", "box-hash"),
        ("u1", 0, "polygon", "ring", "ring-hash"),
        ("u1", 0, "classification", "weather", "weather-hash"),
        ("u1", 0, "classification", "Time of day", "time-hash"),
        ("u2", 0, "bbox", "car", "box-hash"),
    ]
    assert found[0]["bbox"] == {"xmin": 20.0, "ymin": 10.0, "xmax": 40.0, "ymax": 20.0}
    assert [(row["image_width"], row["image_height"]) for row in found] == [(200, 100)] * 4 + [(50, 20)]
    assert {row["confidence"] for row in found} == {0.5}


def test_regions_without_a_label(project: Project) -> None:
    assert imported(project, [task(box(None), ring())], {"car": "", "ring": "Car"}).rows == 2
    assert [row["class_name"] for row in rows(project, "one")] == ["car", "ring"]
    with pytest.raises(OntologyError, match="a category must stand for one class"):
        imported(project, [task(box(None))], {"car": "", "box-hash": ""})


def test_sizes_come_from_the_project(project: Project) -> None:
    result = imported(project, [task(box(size=None))])
    assert result.rows == 1
    (row,) = rows(project, "one")
    assert row["bbox"] == {"xmin": 20.0, "ymin": 10.0, "xmax": 40.0, "ymax": 20.0}
    with pytest.raises(InputError, match="size"):
        imported(project, [task(box(size=None), image="My car.png")])  # whose size nobody knows


def test_each_model_version_is_a_set(project: Project) -> None:
    both = task(box())
    both["predictions"] += [
        {"result": [box(id="r5")], "model_version": "two/é"},
        {"result": [box(id="r6")]},
        {"result": [box(id="r7")], "model_version": None},
    ]
    result = imported(project, [both, task(box(), image="My car.png", version="two/é")])
    assert result.versions == {"one": 0, "two__": 0, "default": 0}
    assert result.rows == 5
    assert result.report.flagged["model version 'two/é', which became the set 'two__'"] == 2
    assert [row["object_id"] for row in rows(project, "default")] == ["r6", "r7"]
    assert [row["data_unit"] for row in rows(project, "two__")] == ["u1", "u2"]
    attributes = json.loads(rows(project, "two__")[0]["attributes"])
    assert attributes["model_version"] == "two/é"
    history = project.history("two__").to_pylist()
    assert (history[0]["operation"], history[0]["rows"]) == ("import label studio", 2)
    again = imported(project, [task(box(), version="one")], mode="append")
    assert again.versions == {"one": 1}
    assert len(rows(project, "one")) == 2
    assert imported(project, [task(box(), version="one")]).versions == {"one": 2}
    assert len(rows(project, "one")) == 1
    assert len(rows(project, "default")) == 2
    report = project.report("one", 2)
    assert json.loads(report.schema.metadata[b"predarrow.report"])["imported"] == 1


def test_one_set_for_all(project: Project) -> None:
    result = imported(project, [task(box()), task(box(), version="two")], set_name="mine")
    assert (result.versions, result.rows) == ({"mine": 0}, 2)
    assert project.sets() == ["mine"]


def test_versions_that_would_share_a_set(project: Project) -> None:
    tasks = [task(box(), version="a/b"), task(box(), version="a b")]
    with pytest.raises(PredarrowError, match=r"must each give a set of its own, got 'a b' and 'a/b'.*set_name"):
        imported(project, tasks)
    assert project.sets() == []


def test_annotations_and_predictions(project: Project) -> None:
    both = task(box()) | {"annotations": [{"id": 1, "result": [box(id="a1"), box(id="a2")]}]}
    assert imported(project, [both]).versions == {"one": 0}
    assert imported(project, [both], what="annotations").versions == {"default": 0}
    assert len(rows(project, "default")) == 2
    assert imported(project, [both], what="all", set_name="all").rows == 3


def test_nothing_to_import(project: Project) -> None:
    result = imported(project, [task()])
    assert (result.versions, result.rows) == ({}, 0)
    assert imported(project, [task()], set_name="mine").versions == {"mine": 0}


def test_rows_come_in_the_projects_order(project: Project) -> None:
    imported(project, [task(box(), image="My car.png"), task(box()), task(box(id="r9"), image="My car.png")])
    found = rows(project, "one")
    assert [(row["data_unit"], row["object_id"]) for row in found] == [("u1", "r1"), ("u2", "r1"), ("u2", "r9")]


def _video(*frames: int) -> dict[str, Any]:
    entry = {"x": 10, "y": 10, "width": 10, "height": 10, "rotation": 0, "enabled": True, "time": 0}
    value: dict[str, Any] = {
        "framesCount": 10,
        "duration": 1,
        "sequence": [entry | {"frame": frame} for frame in frames],
    }
    return {
        "id": "v",
        "from_name": "b",
        "to_name": "video",
        "type": "videorectangle",
        "value": value | {"labels": ["Car"]},
    }


def test_frames(project: Project) -> None:
    assert imported(project, [{**task(_video(1, 10)), "data": {"video": "/d/drive.mp4"}}]).rows == 2
    assert [(row["data_unit"], row["frame"]) for row in rows(project, "one")] == [("u3", 0), ("u3", 9)]
    with pytest.raises(InputError, match=r"must be a frame of 'drive.mp4', which are 1 to 10, got 11"):
        imported(project, [{**task(_video(1, 11)), "data": {"video": "/d/drive.mp4"}}])


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (task(box(), image="b.png"), Code.UNKNOWN_DATA_UNIT, "must be of a data unit of the project"),
        (task(box(), image="x/c.png"), Code.AMBIGUOUS_DATA_UNIT, "got 'c.png', which 2 have"),
        (task(box("Boat")), Code.UNKNOWN_CLASS, "must be of a class whose label the mapping names, got 'Boat'"),
        (task(box(None)), Code.UNKNOWN_CLASS, "got a region without a label"),
        (task(box("Tree")), Code.UNKNOWN_CLASS, "class of shape bounding_box or rotatable_bounding_box"),
        (task(choice("mood")), Code.UNKNOWN_CLASS, "got 'mood'"),
        (task(box(size=(201, 100))), Code.SIZE_MISMATCH, "must be 200 x 100 (width x height) as the data unit is"),
        (task(box(size=(100, 200))), Code.SIZE_MISMATCH, "got 100 x 200; is the image turned by its EXIF orientation?"),
    ],
)
def test_refused(project: Project, given: Any, code: Code, words: str) -> None:
    good = task(box(id="good"))
    with pytest.raises(InputError) as raised:
        imported(project, [good, given])
    (problem,) = raised.value.problems
    assert problem.code == code
    assert words in problem.message
    assert problem.source.endswith("tasks.json")
    assert problem.pointer.startswith("region 1, ")
    assert project.sets() == []
    result = imported(project, [good, given], on_error="skip")
    assert (result.versions, result.rows, result.report.rejected) == ({"one": 0}, 1, 1)
    assert project.report("one", 0).num_rows == 1


@pytest.mark.parametrize(
    "mapping",
    [
        {},
        {"car": 5, "boat": "Boat"},
        {"weather": 5},
        {"weather": "when", "Time of day": "when"},
        {"car": "Car", "box-hash": "Car"},
        None,
    ],
)
def test_mappings_that_do_not_hold(project: Project, mapping: Any) -> None:
    if mapping == {}:
        assert imported(project, [task(choice())], {}).rows == 1  # answers need none
        with pytest.raises(InputError, match="got 'Car'"):
            imported(project, [task(box())], {})
        return
    with pytest.raises(OntologyError):
        imported(project, [task(box())], mapping)


@pytest.mark.parametrize("options", [{"mode": "add"}, {"what": "tasks"}, {"threshold": 0}, {"on_error": "ignore"}])
def test_options_that_do_not_hold(project: Project, options: Any) -> None:
    with pytest.raises(PredarrowError):
        imported(project, [task(box())], **options)
    assert project.sets() == []


def test_paths_that_are_none(project: Project, tmp_path: Path) -> None:
    given: Any = 5
    with pytest.raises(PredarrowError, match=r"^path: must be the path"):
        import_label_studio_predictions(project, given, MAPPING)
    with pytest.raises(InputError):
        import_label_studio_predictions(project, tmp_path / "nowhere.json", MAPPING)


def test_files_that_break_off_change_nothing(project: Project) -> None:
    path = project.path.parent / "folder"
    path.mkdir()
    (path / "a.json").write_text(json.dumps([task(box())]))
    (path / "b.json").write_text('[{"data": {"image": "a.png"}, "predictions": [{"result": [')
    with pytest.raises(InputError, match=r"b\.json"):
        import_label_studio_predictions(project, path, MAPPING)
    assert project.sets() == []
    result = import_label_studio_predictions(project, path, MAPPING, on_error="skip")
    assert (result.versions, result.report.sources) == ({"one": 0}, 2)
