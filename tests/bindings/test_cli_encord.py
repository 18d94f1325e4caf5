from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from predarrow.cli.app import run
from predarrow.data_units import DataUnits
from predarrow.ontology import Ontology, classification, object_class, radio
from predarrow.project import Project
from tests.coco_project import write_json

Captured = pytest.CaptureFixture[str]

ONTOLOGY = Ontology.build(
    [object_class("Cherry", "bounding_box"), object_class("Branch", "polyline")],
    [classification(radio("Ripe?", ["yes", "no"]))],
)
CHERRY = ONTOLOGY.object_by_name("Cherry")


def _label_row(data_hash: str, n_boxes: int = 1) -> dict[str, Any]:
    boxes = [
        {
            "objectHash": f"box_{i}",
            "featureHash": CHERRY.feature_hash,
            "name": CHERRY.name,
            "color": CHERRY.color,
            "value": "cherry",
            "shape": "bounding_box",
            "confidence": 0.5,
            "boundingBox": {"x": 0.25, "y": 0.25, "w": 0.5, "h": 0.1},
            "createdAt": "Tue, 02 Jan 2024 03:04:05 UTC",
            "createdBy": "a@b.com",
            "manualAnnotation": True,
        }
        for i in range(n_boxes)
    ]
    unit = {
        "data_hash": data_hash,
        "data_title": f"{data_hash}.png",
        "data_type": "image/png",
        "data_sequence": "0",
        "width": 40,
        "height": 20,
        "labels": {"objects": boxes, "classifications": []},
    }
    answers = {f"box_{i}": {"objectHash": f"box_{i}", "classifications": []} for i in range(n_boxes)}
    return {
        "label_hash": f"label of {data_hash}",
        "branch_name": "main",
        "data_hash": data_hash,
        "data_title": f"{data_hash}.png",
        "data_type": "image",
        "data_units": {data_hash: unit},
        "object_answers": answers,
        "classification_answers": {},
        "object_actions": {},
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with label rows, an ontology and a project in it, which is the current one."""
    monkeypatch.chdir(tmp_path)
    units: dict[str, list[Any]] = {"id": ["a", "b"], "title": ["a.png", "b.png"], "width": [40] * 2, "height": [20] * 2}
    Project.create(tmp_path / "project", ontology=ONTOLOGY, data_units=DataUnits.from_table(units))
    ONTOLOGY.write(tmp_path / "ontology.json")
    write_json(tmp_path / "rows.json", [_label_row("a"), _label_row("b", 2)])
    (tmp_path / "rows").mkdir()
    for name in "ab":
        write_json(tmp_path / "rows" / f"{name}.json", _label_row(name))
    return tmp_path


def _json(capsys: Captured) -> Any:
    return json.loads(capsys.readouterr().out)


def test_import(folder: Path, capsys: Captured) -> None:
    assert run(["import", "encord", "project", "rows.json", "--json"]) == 0
    result = _json(capsys)
    expected = {"version": 0, "rows": 3, "set": "labels", "sources": 1, "rejected": 0, "flagged": {}}
    assert {key: result[key] for key in expected} == expected
    assert run(["import", "encord", "project", "rows", "--append", "--workers", "1"]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r"2 predictions from 2 files in .+ s\nset 'labels' of project is at version 1\n", out)
    assert err == ""
    assert Project("project").scan("labels").read_all().num_rows == 5
    assert run(["stats", "project", "--set", "labels"]) == 0
    assert capsys.readouterr().out.startswith("5 predictions in 2 images\n")


def test_import_of_what_does_not_hold(folder: Path, capsys: Captured) -> None:
    write_json(folder / "odd.json", [_label_row("a"), _label_row("c")])
    assert run(["import", "encord", "project", "odd.json"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert re.match(r"error: odd\.json: \$\[1\]: must be of a data unit of the project", err)
    assert Project("project").sets() == []
    assert run(["import", "encord", "project", "odd.json", "--on-error", "skip", "--set", "b", "--json"]) == 3
    out, err = capsys.readouterr()
    (problem,) = json.loads(out)["problems"]
    assert (problem["code"], problem["source"], problem["pointer"]) == ("unknown_data_unit", "odd.json", "$[1]")
    assert err.startswith("refused: odd.json: $[1]: ")
    assert Project("project").sets() == ["b"]


def test_export_gives_the_label_rows_back(folder: Path, capsys: Captured) -> None:
    run(["import", "encord", "project", "rows.json"])
    run(["import", "encord", "project", "rows/a.json", "--set", "default"])
    capsys.readouterr()
    assert run(["export", "encord", "project", "back.json"]) == 0
    out = capsys.readouterr().out
    assert re.fullmatch(r"3 predictions of set 'labels' in 2 label rows in .+ s\nwritten to back\.json\n", out)
    assert json.loads((folder / "back.json").read_text()) == [_label_row("a"), _label_row("b", 2)]
    assert run(["export", "encord", "project", "back.json", "--set", "default"]) == 1
    assert "--overwrite" in capsys.readouterr().err
    command = "export encord project back.json --set default --version 0 --overwrite --portable --json"
    assert run(command.split()) == 0
    result = _json(capsys)
    assert (result["path"], result["set"], result["rows"], result["label_rows"]) == ("back.json", "default", 1, 1)
    assert len(json.loads((folder / "back.json").read_text())) == 1


def test_export_takes_predictions_where_there_are_no_labels(folder: Path, capsys: Captured) -> None:
    run(["import", "encord", "project", "rows/b.json", "--set", "default"])
    capsys.readouterr()
    assert run(["export", "encord", "project", "back.json.gz"]) == 0
    assert "1 prediction of set 'default' in 1 label row in" in capsys.readouterr().out
    assert json.loads(gzip.decompress((folder / "back.json.gz").read_bytes())) == [_label_row("b")]


def test_export_tells_what_a_label_row_cannot_hold(folder: Path, capsys: Captured) -> None:
    write_json(folder / "coco.json", [{"image_id": "a.png", "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}] * 2)
    write_json(folder / "images.json", {"a.png": "a"})
    command = "import coco project coco.json --class 1=Cherry --image-mapping images.json"
    assert run(command.split()) == 0
    table = Project("project").scan().read_all()
    kinds = table.set_column(table.schema.get_field_index("kind"), "kind", [["bbox", "polygon"]]).cast(table.schema)
    Project("project").commit(kinds.to_batches())
    capsys.readouterr()
    assert run(["export", "encord", "project", "out.json"]) == 1
    assert not (folder / "out.json").exists()
    assert capsys.readouterr().out == ""
    assert run(["export", "encord", "project", "out.json", "--on-error", "skip"]) == 3
    out, err = capsys.readouterr()
    assert out.startswith("1 prediction of set 'default' in 1 label row in")
    assert err.startswith("refused: ")
    assert len(err.splitlines()) == 1


def test_convert(folder: Path, capsys: Captured) -> None:
    nameless = _label_row("a")
    del nameless["data_units"]["a"]["labels"]["objects"][0]["name"]
    write_json(folder / "nameless.json", nameless)
    for options, name in (([], CHERRY.feature_hash), (["--ontology", "ontology.json"], "Cherry")):
        assert run(["convert", "encord", "nameless.json", "out.parquet", *options, "--json"]) == 0
        result = _json(capsys)
        assert (result["path"], result["rows"], result["rejected"]) == ("out.parquet", 1, 0)
        assert pq.read_table("out.parquet")["class_name"].to_pylist() == [name]
    write_json(folder / "rows" / "c.json", [1])
    assert run(["convert", "encord", "rows", "skipped.parquet"]) == 1
    assert not (folder / "skipped.parquet").exists()
    assert run(["convert", "encord", "rows", "skipped.parquet", "--on-error", "skip"]) == 3
    assert pq.read_table("skipped.parquet").num_rows == 2
    assert "refused: rows/c.json: $[0]: must be a label row" in capsys.readouterr().err


def test_validate_label_rows(folder: Path, capsys: Captured) -> None:
    before = sorted(folder.rglob("*"))
    assert run(["validate", "encord", "rows.json"]) == 0
    assert capsys.readouterr().out == "label rows: 3 predictions from 1 file, 0 refused\n"
    assert run(["validate", "encord", "rows", "--ontology", "ontology.json", "--json"]) == 0
    result = _json(capsys)
    assert (result["form"], result["imported"], result["sources"]) == ("label rows", 2, 2)
    assert sorted(folder.rglob("*")) == before
    Ontology.from_classes(["other"]).write(folder / "other.json")
    assert run(["validate", "encord", "rows.json", "--ontology", "other.json"]) == 3
    out, err = capsys.readouterr()
    assert out.startswith("label rows: 0 predictions from 1 file, 3 refused\n")
    assert err.startswith("refused: rows.json: $[0].data_units.a.labels.objects[0]")
    write_json(folder / "coco.json", [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}])
    assert run(["validate", "encord", "coco.json"]) == 3
    assert "must be a label row, with data_hash" in capsys.readouterr().err


def test_validate_an_ontology(folder: Path, capsys: Captured) -> None:
    assert run(["validate", "encord", "ontology.json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ontology: classes 2, classifications 1, templates 0"
    assert [line.split() for line in lines[1:]] == [
        ["featureNodeHash", "name", "shape"],
        *([node.feature_hash, node.name, node.shape] for node in ONTOLOGY.objects),
        [ONTOLOGY.classifications[0].feature_hash, "Ripe?", "classification"],
    ]
    structure = ONTOLOGY.to_dict()
    structure["objects"][1]["featureNodeHash"] = structure["objects"][0]["featureNodeHash"]
    write_json(folder / "twice.json", structure)
    assert run(["validate", "encord", "twice.json", "--json"]) == 3
    result = _json(capsys)
    assert (result["form"], result["rejected"]) == ("ontology", 1)
    assert result["problems"][0]["message"].startswith("$.objects: each featureNodeHash must stand once")


def test_init_takes_encords_ontology(folder: Path, capsys: Captured) -> None:
    assert run(["init", "new", "--data-units", "project/data_units.parquet", "--ontology", "ontology.json"]) == 0
    assert "2 data units, 2 classes, 1 classifications\n" in capsys.readouterr().out
    assert Project("new").ontology == ONTOLOGY
    command = "init other --data-units project/data_units.parquet --ontology rows/a.json"
    assert run(command.split()) == 1
    assert capsys.readouterr().err.startswith("error: rows/a.json: $.objects: must be a list of object classes, got ")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("import encord nowhere rows.json", 1),
        ("import encord project nowhere.json", 1),
        ("import encord project ontology.json", 1),
        ("import encord project", 2),
        ("import encord project rows.json --workers 0", 2),
        ("convert encord nowhere.json o.parquet", 1),
        ("convert encord rows.json nowhere/o.parquet", 1),
        ("convert encord rows.json o.parquet --ontology rows.json", 1),
        ("convert encord rows.json rows", 2),
        ("validate encord nowhere.json", 1),
        ("validate encord rows.json --ontology nowhere.json", 1),
        ("validate encord ontology.json --ontology ontology.json", 2),
        ("export encord nowhere o.json", 1),
        ("export encord project o.json", 1),
        ("export encord project o.json --set nobody", 1),
        ("export encord project rows", 2),
    ],
)
def test_what_fails_is_one_line(folder: Path, command: str, code: int, capsys: Captured) -> None:
    assert run(command.split()) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert len([line for line in err.splitlines() if line.startswith(("error: ", "Error: "))]) == 1
    assert code == 2 or len(err.splitlines()) == 1
    assert not list(folder.glob("o.*"))
