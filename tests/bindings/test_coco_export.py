from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from predarrow.cli.app import run
from predarrow.errors import PredarrowError, ProjectError
from predarrow.exports import export_coco_predictions
from predarrow.project import Project
from predarrow.table import SCHEMA
from tests.project_data import batch, new_project

_BOX = {"xmin": 1, "ymin": 1, "xmax": 3, "ymax": 4}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = new_project(tmp_path / "project")
    boxes = pa.array([_BOX] * 2, SCHEMA.field("bbox").type)
    columns = {"kind": "bbox", "bbox": boxes, "confidence": 0.5, "polygon": None}
    made.commit([batch(2, data_unit="b.jpg", **columns)])
    made.commit([batch(2, data_unit="a.jpg", class_name="tree", first_row=2, **columns)], mode="append")
    return made


def test_results_of_a_set_are_written_by_title(project: Project, tmp_path: Path) -> None:
    result = export_coco_predictions(project, tmp_path / "a.json", image_ids={"a.jpg": 10, "b.jpg": 11})
    records = json.loads((tmp_path / "a.json").read_text())
    assert [(record["image_id"], record["category_id"]) for record in records] == [(10, 1), (10, 1), (11, 2), (11, 2)]
    assert records[0]["bbox"] == [1, 1, 2, 3]
    assert result.category_ids == {"tree": 1, "car": 2}


def test_forms_and_sets_must_be_there(project: Project, tmp_path: Path) -> None:
    with pytest.raises(PredarrowError, match="form"):
        export_coco_predictions(project, tmp_path / "a.json", form="x")  # type: ignore[arg-type] # what is tried
    with pytest.raises(ProjectError, match="no prediction set"):
        export_coco_predictions(project, tmp_path / "a.json", set_name="none")


def test_the_command_writes_and_tells(project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "a.json"
    ids = tmp_path / "ids.json"
    ids.write_text('{"car": 7, "tree": 8}')
    arguments = ["export", "coco", str(project.path), str(target), "--as", "annotations"]
    assert run([*arguments, "--category-ids", str(ids), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["images"], told["category_ids"]) == (4, 2, {"car": 7, "tree": 8})
    assert [image["file_name"] for image in json.loads(target.read_text())["images"]] == ["a.jpg", "b.jpg"]
    assert run(arguments) == 1
    assert "overwrite" in capsys.readouterr().err
    assert run(["export", "coco", str(project.path), str(tmp_path / "folder"), "--as", "panoptic"]) == 1
    assert "must have a mask or a polygon" in capsys.readouterr().err
    ids.write_text("[]")
    assert run([*arguments, "--category-ids", str(ids)]) == 2
    assert "must be a JSON object" in capsys.readouterr().err


def test_panoptic_rows_that_overlap_are_cut_where_asked_for(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ring = [{"x": x, "y": y} for x, y in ((1, 1), (3, 1), (3, 4), (1, 4))]
    polygons = pa.array([[[ring]]] * 2, SCHEMA.field("polygon").type)
    columns = {"polygon": polygons, "confidence": pa.array([0.25, 0.5]), "image_height": 6, "image_width": 7}
    project.commit([batch(2, data_unit="b.jpg", **columns)])
    arguments = ["export", "coco", str(project.path)]
    panoptic = [*arguments, str(tmp_path / "folder"), "--as", "panoptic"]
    assert run(panoptic) == 1
    assert 'overlap="confidence" decides between them' in capsys.readouterr().err
    assert run([*panoptic, "--overlap", "confidence"]) == 0
    (told,) = json.loads((tmp_path / "folder" / "panoptic.json").read_text())["annotations"]
    assert [(segment["score"], segment["area"]) for segment in told["segments_info"]] == [(0.5, 6)]
    assert run([*arguments, str(tmp_path / "a.json"), "--overlap", "confidence"]) == 1
    assert 'overlap: must be "refuse" but for panoptic segmentations' in capsys.readouterr().err
