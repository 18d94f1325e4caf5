"""Several files with tasks of the same media, or of texts without a name: no row goes to another file's task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from predarrow import (
    export_label_studio_predictions,
    import_label_studio_predictions,
    read_label_studio,
    write_label_studio,
)
from predarrow.data_units import DataUnits
from predarrow.ontology import Ontology, object_class
from predarrow.project import Project

Json = dict[str, Any]
SIZE = {"original_width": 200, "original_height": 100}
UNITS: dict[str, list[Any]] = {"id": ["u1", "u2"], "title": ["a.png", "drive.mp4"], "kind": ["image", "video"]}
UNITS |= {"width": [200, 200], "height": [100, 100], "n_frames": [1, 10]}
MAPPING = {"Car": "Car"}


def box(id_: str) -> Json:
    value = {"x": 5, "y": 10, "width": 10, "height": 30, "rotation": 0, "rectanglelabels": ["Car"]}
    region: Json = {"id": id_, "from_name": "box", "to_name": "image", "type": "rectanglelabels", **SIZE}
    return region | {"image_rotation": 0, "value": value}


def moving(id_: str, *frames: int) -> Json:
    entry = {"x": 10, "y": 10, "width": 10, "height": 10, "rotation": 0, "enabled": True, "time": 0.5}
    value: Json = {"framesCount": 10, "duration": 1, "sequence": [entry | {"frame": frame} for frame in frames]}
    region: Json = {"id": id_, "from_name": "b", "to_name": "video", "type": "videorectangle", **SIZE}
    return region | {"value": value | {"labels": ["Car"]}}


def words(id_: str, start: int) -> Json:
    value = {"start": start, "end": start + 2, "text": "on", "labels": ["Car"]}
    return {"id": id_, "from_name": "label", "to_name": "text", "type": "labels", "value": value}


def task(version: str, data: Json, *results: Json, **members: Any) -> Json:
    prediction = {"model_version": version, "score": 0.5, "result": list(results)}
    return {**members, "data": data, "predictions": [prediction]}


IMAGE, VIDEO = {"image": "a.png"}, {"video": "drive.mp4"}
FILES: dict[str, list[list[Json]]] = {
    "images": [
        [task("one", IMAGE, box("a"), box("b"), box("c"), id=1), task("one", IMAGE, box("d"), id=2)],
        [task("one", IMAGE, box("e"), box("f"), id=7)],
    ],
    "videos": [
        [task("one", VIDEO, moving("a", 1, 5, 9), moving("b", 2), id=1)],
        [task("one", VIDEO, moving("a", 2, 5, 8), id=7), task("two", VIDEO, moving("a", 3), id=8)],
    ],
    "texts": [
        [task("one", {"text": "a text on one"}, words("a", 7), words("b", 8))],
        [task("one", {"text": "a text on two"}, words("a", 7)), task("two", {"text": "on"}, words("b", 0))],
    ],
}


def given(folder: Path, files: list[list[Json]]) -> Path:
    folder.mkdir()
    for place, tasks in enumerate(files):
        (folder / f"{place}.json").write_text(json.dumps(tasks))
    return folder


def sorted_tasks(tasks: list[Json]) -> list[str]:
    return sorted(json.dumps(each, sort_keys=True) for each in tasks)


@pytest.mark.parametrize("name", FILES)
def test_tasks_of_several_files_come_back_as_they_were(name: str, tmp_path: Path) -> None:
    table = read_label_studio(given(tmp_path / "tasks", FILES[name])).read_all()
    by_number = table.sort_by([(column, "ascending") for column in ("data_unit", "frame", "row", "source")])
    for rows in (table, by_number):
        write_label_studio(rows, tmp_path / "again.json", overwrite=True)
        found = json.loads((tmp_path / "again.json").read_text())
        assert sorted_tasks(found) == sorted_tasks([each for tasks in FILES[name] for each in tasks])


@pytest.mark.parametrize("is_appended", [False, True])
@pytest.mark.parametrize("set_name", ["all", None])
@pytest.mark.parametrize("name", ["images", "videos"])
def test_tasks_of_several_files_come_back_from_a_project(
    name: str, set_name: str | None, is_appended: bool, tmp_path: Path
) -> None:
    ontology = Ontology.build([object_class("Car", "bounding_box")], [])
    project = Project.create(tmp_path / "project", ontology=ontology, data_units=DataUnits.from_table(UNITS))
    folder = given(tmp_path / "tasks", FILES[name])
    import_label_studio_predictions(project, folder / "0.json" if is_appended else folder, MAPPING, set_name=set_name)
    if is_appended:
        import_label_studio_predictions(project, folder / "1.json", MAPPING, set_name=set_name, mode="append")
    export_label_studio_predictions(project, tmp_path / "again.json")
    found = json.loads((tmp_path / "again.json").read_text())
    assert sorted_tasks(found) == sorted_tasks([each for tasks in FILES[name] for each in tasks])


def test_sets_of_other_files_are_predictions_of_one_task(tmp_path: Path) -> None:
    ontology = Ontology.build([object_class("Car", "bounding_box")], [])
    project = Project.create(tmp_path / "project", ontology=ontology, data_units=DataUnits.from_table(UNITS))
    one, two = (task(version, IMAGE, box("a"), box("b"), id=1) for version in ("one", "two"))
    import_label_studio_predictions(project, given(tmp_path / "tasks", [[one], [two]]), MAPPING)
    export_label_studio_predictions(project, tmp_path / "again.json")
    found = json.loads((tmp_path / "again.json").read_text())
    assert found == [{**one, "predictions": [*one["predictions"], *two["predictions"]]}]
