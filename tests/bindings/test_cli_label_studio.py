from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import predarrow.label_studio_server as server_module
from predarrow.cli.app import run
from predarrow.data_units import DataUnits
from predarrow.ontology import Ontology, object_class
from predarrow.project import Project
from tests.label_studio_server import CONFIG, TOKEN, Double, Fault, running_double

Captured = pytest.CaptureFixture[str]

UNITS: dict[str, list[Any]] = {
    "id": ["u1", "u2"],
    "title": ["a.png", "b.png"],
    "width": [100, 200],
    "height": [50, 100],
}


def box(number: int, label: str = "Car", **members: Any) -> dict[str, Any]:
    value: dict[str, Any] = {"x": 10 + number, "y": 10, "width": 10, "height": 10, "rotation": 0}
    value["rectanglelabels"] = [label]
    region: dict[str, Any] = {"id": f"r{number}", "from_name": "box", "to_name": "image", "type": "rectanglelabels"}
    return region | {"original_width": 100, "original_height": 50, "score": 0.5, "value": value} | members


def tasks() -> list[dict[str, Any]]:
    """Give two tasks with predictions of two models."""
    first = {"image": "https://host/a.png"}
    second = {"image": "https://host/b.png"}
    size = {"original_width": 200, "original_height": 100}
    one = [{"model_version": name, "result": [box(number)]} for number, name in enumerate(("one", "two"))]
    two = [{"model_version": "two", "result": [box(2, "Tree", **size)]}]
    return [{"id": 1, "data": first, "predictions": one}, {"id": 2, "data": second, "predictions": two}]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with tasks, a labelling configuration and a project, which is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    ontology = Ontology.build([object_class(name, "bounding_box") for name in ("car", "tree")], [])
    Project.create(tmp_path / "project", ontology=ontology, data_units=DataUnits.from_table(UNITS))
    (tmp_path / "tasks.json").write_text(json.dumps(tasks()))
    (tmp_path / "config.xml").write_text(CONFIG)
    return tmp_path


CLASSES = ["--class", "Car=car", "--class", "Tree=tree"]
IMPORT = ["import", "label-studio", "project", "tasks.json", *CLASSES]


def _json(capsys: Captured) -> Any:
    return json.loads(capsys.readouterr().out)


def test_import_and_export(folder: Path, capsys: Captured) -> None:
    assert run([*IMPORT, "--json"]) == 0
    result = _json(capsys)
    expected = {"sets": {"one": 0, "two": 0}, "rows": 3, "sources": 1, "rejected": 0}
    assert {key: result[key] for key in expected} == expected
    assert run(["export", "label-studio", "project", "out.json", "--json"]) == 0
    result = _json(capsys)
    expected = {"paths": ["out.json"], "config": "out.xml", "tasks": 2, "rows": 3}
    assert {key: result[key] for key in expected} == expected
    written = json.loads((folder / "out.json").read_text())
    assert [[each["model_version"] for each in task["predictions"]] for task in written] == [["one", "two"], ["two"]]
    assert run(["validate", "label-studio", "out.json", "--config", "out.xml"]) == 0
    capsys.readouterr()
    again = ["import", "label-studio", "project", "out.json", "--class", "car=car", "--class", "tree=tree"]
    assert run([*again, "--set", "again"]) == 0
    out = capsys.readouterr().out
    assert re.fullmatch(r"3 predictions from 1 file in .+ s\nset 'again' of project is at version 0\n", out)
    assert run(["import", "label-studio", "project", "tasks.json", *CLASSES, "--set", "two", "--append"]) == 0
    assert Project("project").scan("two").read_all().num_rows == 5


def test_export_of_chosen_sets(folder: Path, capsys: Captured) -> None:
    assert run(IMPORT) == 0
    capsys.readouterr()
    command = ["export", "label-studio", "project", "out.json", "--set", "one", "--url", "https://x/{data_unit}"]
    assert run(command) == 0
    out = capsys.readouterr().out
    assert re.match(r"1 prediction in 1 task in 1 file in .+ s\n", out)
    assert out.endswith("written to out.json\nlabelling configuration in out.xml\n")
    assert run(command) == 1
    assert run([*command, "--overwrite", "--set", "two"]) == 0
    (folder / "other.xml").write_text(CONFIG.replace("Car", "car").replace("Tree", "bush"))
    refused = ["export", "label-studio", "project", "new.json", "--config", "other.xml"]
    assert run(refused) == 1
    assert "tree" in capsys.readouterr().err
    assert run([*refused, "--on-error", "skip"]) == 3
    assert not (folder / "new.xml").exists()
    assert run(["export", "label-studio", "project", "none.json", "--set", "none"]) == 1
    assert "no prediction set 'none'" in capsys.readouterr().err


def test_import_tells(folder: Path, capsys: Captured) -> None:
    assert run(["import", "label-studio", "project", "tasks.json", "--class", "Car=car"]) == 1
    assert "got 'Tree'" in capsys.readouterr().err
    assert run(["import", "label-studio", "project", "tasks.json", "--class", "Car=car", "--on-error", "skip"]) == 3
    captured = capsys.readouterr()
    assert "set 'two' of project is at version 0" in captured.out
    assert "refused: " in captured.err
    empty = folder / "empty.json"
    empty.write_text(json.dumps([{"data": {"image": "a.png"}, "predictions": []}]))
    assert run(["import", "label-studio", "project", "empty.json", *CLASSES]) == 0
    assert "no predictions, so no set was changed" in capsys.readouterr().out


@pytest.mark.parametrize("classes", [["a"], ["="], ["a=b", "a=c"], ["a=c", "b=c"]])
def test_wrong_usage(folder: Path, classes: list[str]) -> None:
    options = [word for each in classes for word in ("--class", each)]
    assert run(["import", "label-studio", "project", "tasks.json", *options]) == 2


def test_labels_with_an_equals_sign(folder: Path) -> None:
    (folder / "odd.json").write_text(json.dumps(tasks()[:1]).replace('"Car"', '"a=b"'))
    assert run(["import", "label-studio", "project", "odd.json", "--class", "a=b=car"]) == 0
    content = tasks()[:1]
    for prediction in content[0]["predictions"]:
        prediction["result"][0] |= {"from_name": "plain", "type": "rectangle"}
        del prediction["result"][0]["value"]["rectanglelabels"]
    (folder / "plain.json").write_text(json.dumps(content))
    assert run(["import", "label-studio", "project", "plain.json", "--class", "=car"]) == 0


def test_convert_and_validate(folder: Path, capsys: Captured) -> None:
    assert run(["convert", "label-studio", "tasks.json", "t.parquet"]) == 0
    assert "3 predictions from 1 file" in capsys.readouterr().out
    assert pq.read_table("t.parquet")["class_name"].to_pylist() == ["Car", "Car", "Tree"]
    assert run(["convert", "label-studio", "tasks.json", "none.parquet", "--what", "annotations"]) == 0
    assert pq.read_table("none.parquet").num_rows == 0
    assert run(["validate", "label-studio", "tasks.json", "--config", "config.xml"]) == 0
    assert capsys.readouterr().out.endswith("3 results from 1 file, 0 refused\n")
    content = tasks()
    content[1]["predictions"][0]["result"][0]["value"]["x"] = "12.5"
    (folder / "odd.json").write_text(json.dumps(content))
    assert run(["validate", "label-studio", "odd.json", "--config", "config.xml", "--json"]) == 3
    (problem,) = _json(capsys)["problems"]
    assert problem["source"] == "odd.json"
    assert problem["pointer"] == "$[1].predictions[0].result[0].value.x"
    assert run(["validate", "label-studio", "odd.json", "--config", "none.xml"]) == 1


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    monkeypatch.setattr(server_module, "_PAUSES", ())
    with running_double() as running:
        running.add_project()
        yield running


def test_push(folder: Path, double: Double, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["push", "label-studio", "tasks.json", "--url", double.url, "--project", "1", "--batch-tasks", "1"]
    assert run(command) == 1
    assert "token: must be that of a user of the server, got none; set LABEL_STUDIO_API_KEY" in capsys.readouterr().err
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", TOKEN)
    double.faults[1] = Fault(400, json.dumps({"detail": f"not {TOKEN}"}).encode())
    assert run(command) == 1
    captured = capsys.readouterr()
    assert "status 400, got not ***" in captured.err
    assert TOKEN not in captured.err + captured.out
    assert run([*command, "--json"]) == 0
    result = _json(capsys)
    expected = {"project_id": 1, "tasks": 1, "predictions": 1, "done_before": 1, "rejected": 0}
    assert {key: result[key] for key in expected} == expected
    assert double.tasks[1] == tasks()


def test_push_to_a_new_project(folder: Path, double: Double, capsys: Captured) -> None:
    command = ["push", "label-studio", "tasks.json", "--url", double.url, "--token", TOKEN]
    assert run([*command, "--title", "Mine", "--config", "config.xml"]) == 0
    out = capsys.readouterr().out
    place = re.escape(double.url)
    assert re.fullmatch(rf"2 tasks with 3 predictions sent in .+ s\nin project 2 of {place}\n", out)
    assert run([*command, "--title", "Mine", "--config", "config.xml"]) == 0
    assert "0 tasks with 0 predictions sent" in capsys.readouterr().out
    assert run([*command, "--title", "Mine"]) == 1
    assert run(["push", "label-studio", "tasks.json", "--token", TOKEN]) == 2
    assert TOKEN not in capsys.readouterr().err
