"""Real files of Label Studio through a project: out comes what reading and writing them without one gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from predarrow import (
    export_label_studio_predictions,
    import_label_studio_predictions,
    read_label_studio,
    write_label_studio,
)
from predarrow.data_units import DataUnits
from predarrow.ontology import Ontology, classification, object_class, radio
from predarrow.project import Project
from predarrow.project_index import KIND_SHAPES
from tests.corpus import corpus_path

_CONFIGS = "_label_config"


def _project(path: Path, rows: pa.Table) -> Project:
    """Make a project with a class for each label and shape of the rows."""
    labels = sorted(set(zip(rows["class_name"].to_pylist(), rows["kind"].to_pylist(), strict=True)))
    pairs = dict.fromkeys((name or "none", KIND_SHAPES[kind][0]) for name, kind in labels if kind != "classification")
    answers = dict.fromkeys(name for name, kind in labels if kind == "classification")
    ontology = Ontology.build(
        [object_class(name, shape) for name, shape in pairs],
        [classification(radio(name, ["any"])) for name in answers],
    )
    ids = sorted(set(rows["data_unit"].to_pylist()))
    units: dict[str, list[Any]] = {"id": ids, "kind": ["video"] * len(ids), "n_frames": [10**6] * len(ids)}
    return Project.create(path, ontology=ontology, data_units=DataUnits.from_table(units))


def _tasks(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return sorted(found, key=lambda task: json.dumps(task, sort_keys=True))


def test_files_through_a_project(tmp_path: Path) -> None:
    n_rows = 0
    files = [path for path in sorted(corpus_path("label_studio").iterdir()) if _CONFIGS not in path.name]
    for number, file in enumerate(files):
        folder = tmp_path / str(number)
        folder.mkdir()
        rows = read_label_studio(file, on_error="skip").read_all()
        project = _project(folder / "project", rows)
        mapping = {each.feature_hash: "" if each.name == "none" else each.name for each in project.ontology.objects}
        options: dict[str, Any] = {"set_name": "all", "what": "all", "on_error": "skip"}
        result = import_label_studio_predictions(project, file, mapping, **options)
        assert result.rows == rows.num_rows, file.name
        n_rows += result.rows
        if not result.rows or "colliding" in file.name:  # whose control is named as its object is: no config has that
            continue
        export_label_studio_predictions(project, folder / "out.json")
        write_label_studio(rows, folder / "plain.json", model_version="all")
        assert _tasks(folder / "out.json") == _tasks(folder / "plain.json"), file.name
    assert n_rows
