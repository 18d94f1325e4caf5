from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from predarrow.cli.app import run
from predarrow.cli.contents import head_of, json_contents
from predarrow.errors import InputError
from predarrow.formats.coco.read import read_coco
from tests.coco_project import coco_project, write_json

Captured = pytest.CaptureFixture[str]

RESULTS = [
    {"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4], "score": 0.5},
    {"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4], "score": 0.75},
    {"image_id": 2, "category_id": 8, "bbox": [1, 2, 3, 4]},
]
COUNTED = {
    "predictions": 3,
    "images": 2,
    "classes": [
        {"name": "7", "predictions": 2, "images": 1, "mean_confidence": 0.625},
        {"name": "8", "predictions": 1, "images": 1, "mean_confidence": None},
    ],
}
LABEL_ROW = {"data_hash": "x", "data_type": "image", "data_units": {"x": {"labels": {}}}, "object_answers": {}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _json(capsys: Captured) -> Any:
    return json.loads(capsys.readouterr().out)


def _write(folder: Path, name: str) -> None:
    """Write the three results as a file of the kind that its name tells."""
    write_json(folder / "results.json", RESULTS)
    table = read_coco(folder / "results.json").read_all()
    if name == "annotations.json":
        write_json(folder / name, {"info": {}, "annotations": [{"id": i} | row for i, row in enumerate(RESULTS)]})
    elif name == "nested.json":
        write_json(folder / name, [[], RESULTS[:2], RESULTS[2:]])
    elif name == "lines.jsonl":
        (folder / name).write_text("\n".join(json.dumps(row) for row in RESULTS))
    elif name == "packed.json.gz":
        (folder / name).write_bytes(gzip.compress((folder / "results.json").read_bytes()))
    elif name == "table.parquet":
        assert run(["convert", "coco", "results.json", name]) == 0
    elif name == "file.arrow":
        with pa.ipc.new_file(name, table.schema) as file:
            file.write_table(table)
    elif name == "stream.arrows":
        place = table.schema.get_field_index("class_name")
        table = table.set_column(place, "class_name", table["class_name"].dictionary_encode())
        with pa.ipc.new_stream(name, table.schema) as stream:
            stream.write_table(table)


@pytest.mark.parametrize(
    "name",
    [
        "results.json",
        "annotations.json",
        "nested.json",
        "lines.jsonl",
        "packed.json.gz",
        "table.parquet",
        "file.arrow",
        "stream.arrows",
    ],
)
def test_files_of_every_kind_are_counted(folder: Path, name: str, capsys: Captured) -> None:
    _write(folder, name)
    capsys.readouterr()
    assert run(["stats", name, "--json"]) == 0
    result = _json(capsys)
    assert {key: result[key] for key in COUNTED} == COUNTED
    assert run(["stats", name]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "3 predictions in 2 images",
        "class  predictions  images  mean confidence",
        "7                2       1  0.62",
        "8                1       1",
    ]


def test_label_rows_are_counted(folder: Path, capsys: Captured) -> None:
    entry = {"featureHash": "f", "classifications": [], "range": [[2, 4]]}
    row = {"data_hash": "v", "data_type": "video", "data_units": {"v": {"labels": {}}}}
    write_json(folder / "rows" / "a.json", row | {"classification_answers": {"c": entry}})
    for command in ("stats rows/a.json", "stats rows --format encord"):
        assert run([*command.split(), "--json"]) == 0
        result = _json(capsys)
        assert (result["predictions"], result["images"], result["sources"]) == (3, 3, 1)
        assert [line["name"] for line in result["classes"]] == ["f"]
    assert run(["stats", "rows"]) == 1
    assert "of a folder of label rows say --format encord" in capsys.readouterr().err


def test_what_is_refused_is_told(folder: Path, capsys: Captured) -> None:
    write_json(folder / "results.json", [*RESULTS, RESULTS[0] | {"bbox": [1]}])
    assert run(["stats", "results.json", "--json"]) == 3
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert {key: result[key] for key in COUNTED} == COUNTED
    assert (result["sources"], result["rejected"], result["problems"][0]["row"]) == (1, 1, 3)
    assert err.startswith("refused: results.json: $[3].bbox: must have four numbers")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "got a list without a record"),
        (" {} ", "got an object without keys"),
        ('{"annotations": [], "data_units": {}}', "got an object with the keys annotations, data_units"),
        ('{"openlabel": {"annotations": []}}', "got an object with the keys openlabel"),
        ('[{"id": 1, "annotations": [], "data": {"image_id": 2}}]', "got a list of objects with the keys id, annot"),
    ],
)
def test_what_does_not_tell_must_be_named(folder: Path, text: str, told: str, capsys: Captured) -> None:
    (folder / "file.json").write_text(text)
    assert run(["stats", "file.json"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: file.json: must tell by its first keys whether it is COCO or Encord's label rows")
    assert told in err
    assert "--format" in err


def test_a_format_that_is_named_is_taken(folder: Path, capsys: Captured) -> None:
    (folder / "empty.json").write_text("[]")
    for form in ("coco", "encord"):
        assert run(["stats", "empty.json", "--format", form]) == 0
        assert capsys.readouterr().out == "0 predictions in 0 images\n"
    write_json(folder / "results.json", RESULTS)
    assert run(["stats", "results.json", "--format", "encord"]) == 3
    assert "must be a label row" in capsys.readouterr().err
    assert run(["stats", "results.json", "--format", "kitti"]) == 2


def test_options_of_projects_are_refused_for_files(folder: Path, capsys: Captured) -> None:
    coco_project(folder / "project")
    write_json(folder / "results.json", RESULTS)
    for command in ("results.json --set default", "results.json --version 0", "project --format coco --set default"):
        assert run(["stats", *command.split()]) == 2
        assert "is of a project, not of a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("none.json", None, "must be a file that can be read, got No such file"),
        ("ontology.json", b'{"objects": [], "classifications": []}', "must hold predictions, got an ontology"),
        ("text.txt", b"car 0.5", "got another kind of file"),
        ("zero.json", b"", "got another kind of file"),
        ("cut.json.gz", gzip.compress(b"[" + b" " * 99, mtime=0)[:20], "must be a whole gzip file"),
        ("odd.parquet", b"PAR1 and no more", "must be a"),
        ("odd.arrow", b"ARROW1\0\0 and no more", "must be a"),
    ],
)
def test_wrong_files_fail_with_one_line(
    folder: Path, name: str, content: bytes | None, told: str, capsys: Captured
) -> None:
    if content is not None:
        (folder / name).write_bytes(content)
    assert run(["stats", name]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {name}: ")
    assert told in err
    assert len(err.splitlines()) == 1


def test_other_tables_are_refused(folder: Path, capsys: Captured) -> None:
    _write(folder, "results.json")
    table = read_coco(folder / "results.json").read_all()
    odd = {
        "bare.arrow": (table.select(["data_unit", "frame"]), "must be a prediction table, got one without object_id"),
        "text.arrow": (table.set_column(1, "frame", [["x", "y", "z"]]), "must have the prediction table's types"),
    }
    for name, (made, told) in odd.items():
        with pa.ipc.new_file(name, made.schema) as file:
            file.write_table(made)
        assert run(["stats", name]) == 1
        err = capsys.readouterr().err
        assert err.startswith(f"error: {name}: ")
        assert told in err


def _forms(folder: Path, content: bytes) -> tuple[str, ...] | None:
    path = folder / "file.json"
    path.write_bytes(content)
    contents = json_contents(path, head_of(path))
    return None if contents is None else contents.forms


@pytest.mark.parametrize(
    ("content", "forms"),
    [
        (json.dumps(RESULTS).encode(), ("coco",)),
        (json.dumps(RESULTS[0]).encode(), ("coco",)),
        (b'\xef\xbb\xbf \r\n{"info": {"data_hash": 1}, "images" :[]}', ("coco",)),
        (b'{"annot\\u0061tions": []}', ("coco",)),
        (json.dumps([LABEL_ROW]).encode(), ("encord",)),
        (json.dumps(LABEL_ROW).encode(), ("encord",)),
        (b'{"objects": [{"image_id": 1}]}', ("ontology",)),
        (b'[{"objects": []}]', ()),
        (b'[{"a": {"image_id": 1}, "b": "data_hash", "c": ["image_id"]}]', ()),
        (b'{"a": "\\"data_hash\\": {[", "images": []}', ("coco",)),
        (b'{"a": "cut off, \\"data_hash\\": 1, "', ()),
        (b'{"a": }}]] "data_hash": 1', ()),
        (b"null", None),
        (b"\xff\xfe[\0]\0", None),
    ],
)
def test_keys_at_the_top_tell_the_form(folder: Path, content: bytes, forms: tuple[str, ...] | None) -> None:
    assert _forms(folder, content) == forms


def test_only_the_beginning_is_read(folder: Path) -> None:
    long = json.dumps({"info": "x" * 300_000, "images": []}).encode()
    assert _forms(folder, long) == ()
    assert _forms(folder, b'{"images": [], ' + long[1:]) == ("coco",)
    assert len(head_of(folder / "file.json")) == 1 << 18
    with pytest.raises(InputError, match="must be a file that can be read"):
        head_of(folder)


def test_show_takes_arrow_files(folder: Path, capsys: Captured) -> None:
    _write(folder, "file.arrow")
    assert run(["show", "file.arrow", "--data-unit", "1"]) == 2
    assert "are of a project, not of a file" in capsys.readouterr().err
