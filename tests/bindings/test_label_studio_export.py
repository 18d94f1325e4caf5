from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from predarrow import (
    check_label_studio,
    export_label_studio_predictions,
    import_label_studio_predictions,
    write_label_studio,
)
from predarrow.data_units import DataUnits
from predarrow.errors import PredarrowError
from predarrow.ontology import Ontology, object_class
from predarrow.project import Project
from tests.project_data import batch

UNITS: dict[str, list[Any]] = {"id": ["u1", "u2", "u3"], "title": ["a.png", "b.png", "drive.mp4"]}
UNITS |= {"kind": ["image", "image", "video"], "width": [200] * 3, "height": [100] * 3, "n_frames": [1, 1, 10]}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    ontology = Ontology.build([object_class("Car", "bounding_box"), object_class("Ring", "polygon")], [])
    return Project.create(tmp_path / "project", ontology=ontology, data_units=DataUnits.from_table(UNITS))


def box(id_: str) -> dict[str, Any]:
    value = {"x": 4.98, "y": 10, "width": 10, "height": 33.3, "rotation": 0, "rectanglelabels": ["Car"]}
    region: dict[str, Any] = {"id": id_, "from_name": "box", "to_name": "image", "type": "rectanglelabels"}
    return region | {"original_width": 200, "original_height": 100, "image_rotation": 0, "score": 0.5, "value": value}


def moving(id_: str, *frames: int) -> dict[str, Any]:
    entry = {"x": 10, "y": 10, "width": 10, "height": 10, "rotation": 0, "enabled": True, "time": 0.5}
    value: dict[str, Any] = {"framesCount": 10, "duration": 1}
    value |= {"sequence": [entry | {"frame": frame} for frame in frames], "labels": ["Car"]}
    return {"id": id_, "from_name": "b", "to_name": "video", "type": "videorectangle", "score": 0.25, "value": value}


def task(number: int, data: dict[str, Any], **predictions: list[Any]) -> dict[str, Any]:
    """Give a task with a prediction of each model version."""
    made = [{"model_version": name, "score": 0.5, "result": results} for name, results in predictions.items()]
    return {"id": number, "data": data, "meta": {"n": number}, "predictions": made}


def taken(project: Project, tasks: list[Any], **options: Any) -> None:
    path = project.path.parent / "tasks.json"
    path.write_text(json.dumps(tasks))
    mapping = {"Car": "Car", "Ring": "Ring"}
    import_label_studio_predictions(project, path, mapping, **options)


def given_back(project: Project, **options: Any) -> list[dict[str, Any]]:
    path = project.path.parent / "out.json"
    export_label_studio_predictions(project, path, overwrite=True, **options)
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


A, B, VIDEO = {"image": "https://host/a.png", "more": [1, 2.50]}, {"image": "b.png"}, {"video": "drive.mp4"}

CASES = {
    "two versions": [task(1, A, one=[box("r1"), box("r2")], two=[box("r3")]), task(2, B, two=[box("r4")])],
    "an image in two tasks": [
        task(1, A, one=[box("r1")], two=[box("r2")]),
        task(2, A, one=[box("r3")], two=[box("r4")]),
        task(3, B, one=[box("r5")], two=[box("r6")]),
    ],
    "the very same task twice": [task(1, A, one=[box("r1")], two=[box("r2")])] * 2,
    "each version in another task": [task(1, A, one=[box("r1")]), task(2, A, two=[box("r2")])],
    "sequences": [task(5, VIDEO, one=[moving("v1", 1, 5), moving("v2", 2)], two=[moving("v3", 1, 2, 9)])],
    "sequences in two tasks": [
        task(5, VIDEO, one=[moving("v1", 3, 5)], two=[moving("v2", 1, 9)]),
        task(6, VIDEO, one=[moving("v3", 1, 4)], two=[moving("v4", 2)]),
    ],
}


def by_number(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give tasks by their id: those of one video come by the frames of their first boxes."""
    return sorted(tasks, key=lambda each: int(each["id"]))


@pytest.mark.parametrize("case", CASES)
def test_sets_become_predictions_again(project: Project, case: str) -> None:
    taken(project, CASES[case])
    assert project.sets() == ["one", "two"]
    assert by_number(given_back(project)) == CASES[case]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["one", "two"])
def test_each_set_tells_its_tasks(project: Project, case: str, name: str) -> None:
    taken(project, CASES[case])
    expected = [
        given | {"predictions": predictions}
        for given in CASES[case]
        if (predictions := [each for each in given["predictions"] if each["model_version"] == name])
    ]
    assert by_number(given_back(project, sets=name)) == expected


_PREDICTIONS = st.lists(st.tuples(st.sampled_from(["one", "two", "three"]), st.integers(1, 3)), min_size=1, max_size=4)
_TASKS = st.lists(st.tuples(st.sampled_from([A, B]), _PREDICTIONS), min_size=1, max_size=5)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_TASKS)
def test_tasks_with_any_predictions(project: Project, drawn: list[Any]) -> None:
    """Tasks come by data unit, their predictions by set; they are as they were."""
    tasks = []
    for number, (data, predictions) in enumerate(drawn):
        made = task(number, data)
        for place, (name, n_boxes) in enumerate(predictions):
            results = [box(f"{number}-{place}-{n}") for n in range(n_boxes)]
            made["predictions"].append({"model_version": name, "score": place / 4, "result": results})
        tasks.append(made)
    taken(project, tasks)
    sets = sorted({name for _, predictions in drawn for name, _ in predictions})
    expected = [each | {"predictions": sorted(each["predictions"], key=_version)} for each in tasks]
    back = given_back(project, sets=sets)
    assert [each["data"] for each in back] == sorted((each["data"] for each in tasks), key=lambda data: data is B)
    assert by_number(back) == expected


def _version(prediction: dict[str, Any]) -> str:
    return str(prediction["model_version"])


def test_the_order_of_sets_is_that_of_predictions(project: Project) -> None:
    (given, _) = taken_case = CASES["two versions"]
    taken(project, taken_case)
    back = given_back(project, sets=["two", "one"])
    assert [each["model_version"] for each in back[0]["predictions"]] == ["two", "one"]
    assert back[0] == given | {"predictions": given["predictions"][::-1]}


def test_sets_of_other_origin_join_the_task(project: Project) -> None:
    taken(project, [task(7, A, one=[box("r1")])])
    columns: dict[str, Any] = {"image_width": 200, "image_height": 100, "confidence": 0.75}
    project.commit(
        [batch(2, data_unit=unit, class_name="Ring", **columns) for unit in ("u1", "u2")], set_name="a-model"
    )
    first, second = given_back(project)
    assert (first["id"], first["data"]) == (7, A)
    assert [each["model_version"] for each in first["predictions"]] == ["one", "a-model"]
    assert second["data"] == {"image": "b.png"}
    assert [len(each["result"]) for each in second["predictions"]] == [2]
    assert {each["score"] for each in second["predictions"][0]["result"]} == {0.75}
    out = project.path.parent / "out.json"
    assert check_label_studio(out, out.with_suffix(".xml")).problems == []


def test_sequences_of_two_files(project: Project) -> None:
    """Both stood in the first prediction of the first task: they become two."""
    for name, id_ in (("x", "v1"), ("y", "v2")):
        taken(project, [task(9, VIDEO, **{name: [moving(id_, 1, 5)]})])
    (back,) = given_back(project)
    assert back == task(9, VIDEO, x=[moving("v1", 1, 5)], y=[moving("v2", 1, 5)])


def test_a_project_without_sets(project: Project) -> None:
    with pytest.raises(PredarrowError, match="must have at least one prediction set, got none"):
        export_label_studio_predictions(project, project.path.parent / "out.json")


def test_one_set_without_versions(project: Project) -> None:
    columns: dict[str, Any] = {"image_width": 200, "image_height": 100}
    project.commit([batch(1, data_unit="u2", class_name="Ring", **columns)], set_name="model-a")
    (back,) = given_back(project, url="https://host/images/{data_unit}")
    assert back["data"] == {"image": "https://host/images/b.png"}
    assert [each["model_version"] for each in back["predictions"]] == ["model-a"]


def test_progress(project: Project) -> None:
    taken(project, CASES["two versions"])
    told: list[tuple[int, int]] = []
    given_back(project, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (4, 4)


def test_rows_that_were_appended(project: Project) -> None:
    taken(project, [task(1, B, one=[box("r1")]), task(2, A, one=[box("r2")])])
    taken(project, [task(3, A, one=[box("r3")]), task(4, B, one=[box("r4")])], mode="append")
    found = [[result["id"] for result in each["predictions"][0]["result"]] for each in given_back(project)]
    assert sorted(map(tuple, found)) == [("r1",), ("r2",), ("r3",), ("r4",)]


def test_a_project_is_a_table_to_the_writer(project: Project) -> None:
    taken(project, [task(1, {"image": "a.png"}, one=[box("r1")], two=[box("r2"), box("r3")])])
    exported = given_back(project)
    path = project.path.parent / "written.json"
    result = write_label_studio(project, path)
    assert (result.tasks, result.rows) == (1, 3)
    assert json.loads(path.read_text()) == exported
    assert [each["model_version"] for each in exported[0]["predictions"]] == ["one", "two"]
    with pytest.raises(PredarrowError, match="model_version: must be None for a project, whose sets name it, got 'x'"):
        write_label_studio(project, path, model_version="x", overwrite=True)
    assert json.loads(path.read_text()) == exported
