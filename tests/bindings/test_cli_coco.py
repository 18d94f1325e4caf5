from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from predarrow.cli.app import run
from predarrow.project import Project
from tests.coco_project import BOX, MASK, coco_project, write_json, write_predictions

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a COCO file, mappings and a project in it, which is the current one."""
    monkeypatch.chdir(tmp_path)
    coco_project(tmp_path / "project")
    write_predictions(tmp_path / "predictions")
    return tmp_path


def _json(capsys: Captured) -> Any:
    return json.loads(capsys.readouterr().out)


def test_import(folder: Path, capsys: Captured) -> None:
    assert run(["import", "coco", "project", "predictions/predictions.json", "--json"]) == 0
    result = _json(capsys)
    expected = {"version": 0, "rows": 3, "set": "default", "sources": 1, "rejected": 0, "flagged": {}}
    assert {key: result[key] for key in expected} == expected
    command = "import coco project predictions/predictions.json --append --polygons --workers 1 --on-outside reject"
    assert run(command.split()) == 0
    out = capsys.readouterr().out
    assert re.fullmatch(r"3 predictions in .+ s\nset 'default' of project is at version 1\n", out)
    assert Project("project").scan().read_all().num_rows == 6


def test_import_with_classes(folder: Path, capsys: Captured) -> None:
    write_json(folder / "names.json", {"categories": [{"id": 1, "name": "person"}], "annotations": []})
    write_json(folder / "results.json", [MASK])
    write_json(folder / "images.json", {"2": "u2"})
    command = "import coco project results.json --image-mapping images.json --set b --class"
    assert run([*command.split(), "1=person"]) == 0
    assert run([*command.split(), "person=person", "--categories", "names.json", "--ontology-mapping", "x.json"]) == 2
    assert "two ways to say the same" in capsys.readouterr().err
    assert run([*command.split(), "person=person", "--categories", "names.json"]) == 0
    assert run([*command.split(), "person"]) == 2
    assert "must be COCO=NAME" in capsys.readouterr().err
    assert Project("project").scan("b").read_all()["feature_hash"].to_pylist() == ["perp"]


def test_convert(folder: Path, capsys: Captured) -> None:
    write_json(folder / "results.json", [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}])
    assert run(["convert", "coco", "results.json", "out.parquet", "--default-confidence", "0.5", "--json"]) == 0
    assert _json(capsys)["rows"] == 1
    assert pq.read_table("out.parquet")["confidence"].to_pylist() == [0.5]
    assert run(["stats", "out.parquet"]) == 0
    assert "1 predictions in 1 images" in capsys.readouterr().out
    assert run(["convert", "coco", "none.json", "out.parquet"]) == 1
    assert "none.json: must be a file that can be read" in capsys.readouterr().err


def test_validate_tells_and_writes_nothing(folder: Path, capsys: Captured) -> None:
    before = sorted(folder.rglob("*"))
    assert run(["validate", "coco", "predictions/predictions.json"]) == 0
    assert capsys.readouterr().out == "3 predictions, 0 refused\n"
    assert sorted(folder.rglob("*")) == before
    write_json(folder / "bad.json", [BOX, {**BOX, "bbox": [1, 2, 3]}, {**BOX, "bbox": [0.1, 0.1, 0.1, 0.1]}])
    assert run(["validate", "coco", "bad.json"]) == 3
    out, err = capsys.readouterr()
    assert out == "2 predictions, 1 refused\n"
    assert err.startswith("refused: bad.json: $[1].bbox: must have four numbers")
    assert run(["validate", "coco", "bad.json", "--box-unit", "percent", "--json"]) == 3
    assert _json(capsys)["rejected"] == 3


def test_a_source_is_not_replaced(folder: Path, capsys: Captured) -> None:
    path = write_json(folder / "results.json", [BOX])
    (folder / "link.parquet").symlink_to(path)
    for target in ("results.json", "./results.json", "link.parquet"):
        assert run(["convert", "coco", "results.json", target]) == 2
        assert f"must be another file than SOURCE, got {Path(target)}" in " ".join(capsys.readouterr().err.split())
    assert json.loads(path.read_text()) == [BOX]
