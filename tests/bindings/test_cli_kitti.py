from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from predarrow.cli.app import run
from predarrow.project import Project
from tests.kitti_files import DONTCARE, LABEL, SEED, kitti_project, write, write_mapping

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with KITTI files, a mapping and a project in it, which is the current one."""
    monkeypatch.chdir(tmp_path)
    project = kitti_project(tmp_path / "project")
    write(tmp_path / "labels" / "example_image.txt", SEED)
    write(tmp_path / "labels" / "example_video__2.csv", SEED)
    write_mapping(tmp_path / "labels", project)
    return tmp_path


def _json(capsys: Captured) -> Any:
    return json.loads(capsys.readouterr().out)


def test_import_convert_export(folder: Path, capsys: Captured) -> None:
    assert run(["import", "kitti", "project", "labels", "--json"]) == 0
    result = _json(capsys)
    expected = {"version": 0, "rows": 6, "sources": 2, "rejected": 0, "flagged": {}, "skipped": {}}
    assert {key: result[key] for key in expected} == expected
    assert run(["export", "kitti", "project", "out", "--json"]) == 0
    result = _json(capsys)
    assert (result["files"], result["rows"], result["path"]) == (2, 6, "out")
    assert sorted(path.name for path in Path("out").iterdir()) == ["example_image.txt", "example_video__2.txt"]
    assert run(["convert", "kitti", "out", "out.parquet"]) == 0
    assert re.fullmatch(r"6 predictions from 2 files in .+ s\nwritten to out.parquet\n", capsys.readouterr().out)
    assert pq.read_table("out.parquet").num_rows == 6
    assert run(["export", "kitti", "project", "out"]) == 1
    assert "must be a new or empty folder" in capsys.readouterr().err
    assert run(["export", "kitti", "project", "out", "--overwrite", "--version", "0", "--set", "default"]) == 0
    assert "6 predictions in 2 files" in capsys.readouterr().out


def test_import_options(folder: Path, capsys: Captured) -> None:
    write(folder / "labels" / "example_image.txt", f"{LABEL}\nCar 0 0 0 -9 1 20 20 0 0 0 0 0 0 0\n{DONTCARE}")
    command = "import kitti project labels/example_image.txt --class Car=car --set b --default-confidence 0.5"
    assert run([*command.split(), "--on-outside", "clip"]) == 0
    out = capsys.readouterr().out
    assert "skipped 1: DontCare" in out
    assert "flagged 1: box clipped to the image" in out
    assert "set 'b' of project is at version 0" in out
    table = Project("project").scan("b").read_all()
    assert table["confidence"].to_pylist() == [0.5, 0.5]
    assert table["bbox"][1].as_py()["xmin"] == 0
    command = "import kitti project labels/example_image.txt --class Car=car --class DontCare=cyclist --append --set b"
    assert run([*command.split(), "--keep-dontcare", "--workers", "1"]) == 0
    assert Project("project").scan("b").read_all().num_rows == 5
    assert run(["import", "kitti", "project", "labels", "--file-name-regex", r"(?P<data_unit_title>x)\.txt"]) == 1


def test_convert_with_classes(folder: Path, capsys: Captured) -> None:
    write(folder / "classes.json", '{"car": "a", "cyclist": null}')
    command = ["convert", "kitti", "labels", "o.parquet", "--class", "classes.json", "--class", "pedestrian="]
    assert run([*command, "--json"]) == 0
    result = _json(capsys)
    assert (result["rows"], result["skipped"]) == (2, {"class is mapped to None": 4})
    assert set(pq.read_table("o.parquet")["class_name"].to_pylist()) == {"a"}


def test_a_file_of_the_source_is_not_replaced(folder: Path, capsys: Captured) -> None:
    path = folder / "labels" / "example_image.txt"
    before = path.read_bytes()
    (folder / "link.parquet").symlink_to(path)
    for target in ("labels/example_image.txt", "link.parquet"):
        assert run(["convert", "kitti", "labels", target]) == 2
        assert f"must be another file than SOURCE, got {target}" in " ".join(capsys.readouterr().err.split())
    assert path.read_bytes() == before
    for _ in range(2):
        assert run(["convert", "kitti", "labels", "labels/table.parquet"]) == 0
    assert run(["convert", "kitti", "labels", "labels/new.arrow"]) == 0


def test_validate_tells_and_writes_nothing(folder: Path, capsys: Captured) -> None:
    before = sorted(folder.rglob("*"))
    assert run(["validate", "kitti", "labels"]) == 0
    out, err = capsys.readouterr()
    assert out == "6 predictions from 2 files, 0 refused\n"
    assert err == ""
    assert sorted(folder.rglob("*")) == before
    write(folder / "labels" / "bad.txt", f"{LABEL}\nCar 1 2\n{DONTCARE}")
    assert run(["validate", "kitti", "labels"]) == 3
    out, err = capsys.readouterr()
    assert out == "7 predictions from 3 files, 1 refused\nskipped 1: DontCare\n"
    assert re.fullmatch(r"refused: labels/bad\.txt: line 2: must have 15 fields .+ got 3: 'Car 1 2'\n", err)
    assert run(["validate", "kitti", "labels", "--json", "--class", "Car=", "--workers", "2"]) == 3
    result = _json(capsys)
    assert {problem["code"] for problem in result["problems"]} == {"field_count", "unknown_class"}
    assert (result["rejected"], result["skipped"]) == (7, {"DontCare": 1, "class is mapped to None": 1})
    assert run(["validate", "kitti", "labels/bad.txt"]) == 3
    assert capsys.readouterr().out.startswith("1 prediction from 1 file, 1 refused\n")


def test_rejects_are_3(folder: Path, capsys: Captured) -> None:
    write(folder / "labels" / "stranger.txt", SEED)
    assert run(["import", "kitti", "project", "labels"]) == 1
    assert Project("project").sets() == []
    assert run(["import", "kitti", "project", "labels", "--on-error", "skip"]) == 3
    write(folder / "labels" / "stranger.txt", "x")
    assert run(["convert", "kitti", "labels", "o.parquet"]) == 1
    assert run(["convert", "kitti", "labels", "o.parquet", "--on-error", "skip"]) == 3


@pytest.mark.parametrize(
    "command",
    [
        "validate",
        "validate kitti",
        "export kitti project",
        "import kitti project",
        "import kitti project labels --on-outside crop",
        "import kitti project labels --class Car",
        "import kitti project labels --class =car",
        "import kitti project labels --class Car= ",
        "import kitti project labels --class Car=car --class Van=car",
        "import kitti project labels --class Car=car --class Car=van",
        "import kitti project labels --class Car=car --ontology-mapping labels/ontology_mapping.json",
        "convert kitti labels o.parquet --class labels/example_image.txt",
        "convert kitti labels o.parquet --class list.json",
        "convert kitti labels o.parquet --class deep.json",
    ],
)
def test_wrong_usage_is_2(folder: Path, command: str, capsys: Captured) -> None:
    write(folder / "list.json", "[1]")
    write(folder / "deep.json", "[" * 100_000)
    assert run(command.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Usage" in err


@pytest.mark.parametrize(
    "command",
    [
        "validate kitti nowhere",
        "validate kitti project/project.json",
        "export kitti nowhere out",
        "export kitti project out",
        "import kitti nowhere labels",
        "import kitti project nowhere",
        "import kitti project labels --class none.json",
        "convert kitti labels missing/o.parquet",
    ],
)
def test_failing_is_1_with_a_line(folder: Path, command: str, capsys: Captured) -> None:
    write(folder / "none.json", "{}")
    assert run(command.split()) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
