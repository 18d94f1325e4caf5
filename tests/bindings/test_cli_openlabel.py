from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from predarrow.cli.app import run
from predarrow.data_units import DataUnits
from predarrow.ontology import Ontology, object_class
from predarrow.project import Project
from tests.openlabel_documents import UID, box, cuboid, document, objects, one
from tests.openlabel_files import accepted

Captured = pytest.CaptureFixture[str]

UNITS: dict[str, list[Any]] = {
    "id": ["u1", "u2"],
    "title": ["drive.mp4", "yard.png"],
    "kind": ["video", "image"],
    "width": [100, 200],
    "height": [50, 100],
    "n_frames": [10, 1],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two OpenLABEL files and a project, which is the current one."""
    monkeypatch.chdir(tmp_path)
    ontology = Ontology.build([object_class("car", "bounding_box")], [])
    Project.create(tmp_path / "project", ontology=ontology, data_units=DataUnits.from_table(UNITS))
    frames = {key: {"objects": objects(bbox=[box()])} for key in ("0", "7")}
    (tmp_path / "labels").mkdir()
    for title, given in (("drive.mp4", document(frames)), ("yard.png", one(bbox=[box(5.0, 5.0, 2.0, 2.0)]))):
        (tmp_path / "labels" / f"{title}.json").write_text(json.dumps(given))
    return tmp_path


def _json(capsys: Captured) -> Any:
    return json.loads(capsys.readouterr().out)


def test_import_and_export(folder: Path, capsys: Captured) -> None:
    assert run(["import", "openlabel", "project", "labels", "--class", "PassengerCar=car", "--json"]) == 0
    result = _json(capsys)
    expected = {"version": 0, "rows": 3, "sources": 2, "rejected": 0, "set": "default"}
    assert {key: result[key] for key in expected} == expected
    rows = Project("project").scan("default").read_all()
    assert set(rows["class_name"].to_pylist()) == {"car"}
    assert run(["export", "openlabel", "project", "out", "--json"]) == 0
    result = _json(capsys)
    assert (result["files"], result["rows"], result["path"]) == (2, 3, "out")
    files = {path.name: accepted(path.read_bytes()) for path in (folder / "out").iterdir()}
    assert {name: list(openlabel["frames"]) for name, openlabel in files.items()} == {
        "drive.json": ["0", "7"],
        "yard.json": ["0"],
    }
    assert files["drive.json"]["objects"][UID]["type"] == "car"
    assert run(["import", "openlabel", "project", "out", "--class", "car=car", "--set", "again"]) == 0
    assert "3 predictions from 2 files" in capsys.readouterr().out
    again = Project("project").scan("again").read_all()
    for name in ("data_unit", "frame", "object_id", "bbox", "confidence", "stream"):
        assert again[name].to_pylist() == rows[name].to_pylist(), name


def test_export_tells(folder: Path, capsys: Captured) -> None:
    assert run(["import", "openlabel", "project", "labels", "--class", "PassengerCar=car"]) == 0
    capsys.readouterr()
    assert run(["export", "openlabel", "project", "one.json"]) == 1
    assert "a file holds one data unit" in capsys.readouterr().err
    assert not (folder / "one.json").exists()
    assert run(["export", "openlabel", "project", "one.json", "--on-error", "skip"]) == 3
    out = capsys.readouterr().out
    assert re.fullmatch(r"2 predictions in 1 file in .+ s\nwritten to one.json\n", out)
    assert run(["export", "openlabel", "project", "out"]) == 0
    assert run(["export", "openlabel", "project", "out"]) == 1
    assert "new or empty folder" in capsys.readouterr().err
    assert run(["export", "openlabel", "project", "out", "--overwrite", "--version", "0", "--dialect", "asam"]) == 0
    assert run(["export", "openlabel", "project", "new", "--set", "none", "--mixed"]) == 1


def test_convert_and_validate(folder: Path, capsys: Captured) -> None:
    assert run(["convert", "openlabel", "labels", "o.parquet"]) == 0
    assert "3 predictions from 2 files" in capsys.readouterr().out
    assert pq.read_table("o.parquet").num_rows == 3
    mixed = one(bbox=[box()], cuboid=[cuboid()])
    (folder / "mixed.json").write_text(json.dumps(mixed))
    assert run(["validate", "openlabel", "labels"]) == 0
    assert "0 refused" in capsys.readouterr().out
    assert run(["validate", "openlabel", "mixed.json", "--json"]) == 3
    (problem,) = _json(capsys)["problems"]
    assert (problem["code"], problem["source"]) == ("mixed_geometries", "mixed.json")
    assert problem["pointer"].startswith("/openlabel/frames/0/objects/")
    assert run(["validate", "openlabel", "mixed.json", "--dialect", "asam"]) == 0
    assert run(["validate", "openlabel", "mixed.json", "--mixed"]) == 0
    capsys.readouterr()
    assert run(["convert", "openlabel", "mixed.json", "m.parquet", "--on-error", "skip"]) == 3
    assert pq.read_table("m.parquet").num_rows == 1


@pytest.mark.parametrize("classes", [["a"], ["=b"], ["a=b", "a=c"], ["a=c", "b=c"]])
def test_wrong_usage(folder: Path, classes: list[str]) -> None:
    options = [word for each in classes for word in ("--class", each)]
    assert run(["import", "openlabel", "project", "labels", *options]) == 2
