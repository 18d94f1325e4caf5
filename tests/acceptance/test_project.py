"""Two sets of a project: exported, pushed by the command line, shown, and imported again from the server's answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

import predarrow
from predarrow.data_units import DataUnits
from predarrow.ontology import Ontology, object_class
from predarrow.project import Project
from tests.acceptance.browser import Editor
from tests.acceptance.journey import Arrived, check_arrived, check_opens
from tests.acceptance.server import Server

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif("PREDARROW_ACCEPTANCE" not in os.environ, reason="run by tests/acceptance/run"),
]

_NAMES = {"plane": "plane"}
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_COLUMNS = ["data_unit", "object_id", "class_name", "kind", "confidence", "bbox"]


def _project(path: Path) -> Project:
    units = DataUnits.from_table({"id": ["sample.jpg"], "width": [600], "height": [403]})
    ontology = Ontology.build([object_class("plane", "bounding_box")], [])
    return Project.create(path, ontology=ontology, data_units=units)


def _planes(name: str, n: int) -> pa.Table:
    shared = {"data_unit": "sample.jpg", "frame": 0, "class_name": "plane", "kind": "bbox", "confidence": 0.5}
    rows = [
        {
            **shared,
            "row": i,
            "object_id": f"{name}-{i}",
            "bbox": dict(zip(_SIDES, (60, 80.6, 120 + 30 * i, 161.2), strict=True)),
        }
        for i in range(n)
    ]
    return pa.Table.from_pylist(rows, schema=predarrow.SCHEMA)


def test_sets_come_back_from_the_server(server: Server, editor: Editor, folder: Path) -> None:
    project = _project(folder / "project")
    for name, n in {"one": 2, "two": 1}.items():
        predarrow.import_predictions(project, _planes(name, n), set_name=name)
    path = folder / "sets.json"
    written = predarrow.export_label_studio_predictions(project, path, url="/static/samples/{data_unit}")
    assert written.config is not None

    command = [sys.executable, "-c", "from predarrow.cli import main; main()", "push", "label-studio", str(path)]
    command += ["--url", server.url, "--title", "two sets", "--config", str(written.config), "--json"]
    environment = {**os.environ, "LABEL_STUDIO_API_KEY": server.token}
    said = []
    for _ in range(2):  # the second run finds everything sent
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert server.token not in done.stdout + done.stderr
        said.append(json.loads(done.stdout))
    assert [(each["tasks"], each["done_before"]) for each in said] == [(1, 0), (0, 1)]
    assert server.token not in (folder / "sets.json.pushed").read_text(encoding="utf-8")

    arrived: Arrived = check_arrived(server, path, said[0]["project_id"])
    assert [each["model_version"] for each in arrived.tasks[0]["predictions"]] == ["one", "two"]
    check_opens(editor, arrived)
    editor.screenshot("sets")

    answer = folder / "sets-answer.json"
    answer.write_text(json.dumps(server.tasks(arrived.project)), encoding="utf-8")
    again = _project(folder / "project-again")
    predarrow.import_label_studio_predictions(again, answer, _NAMES)
    assert again.sets() == project.sets() == ["one", "two"]
    for name in project.sets():
        ours, theirs = (each.scan(name, columns=_COLUMNS).read_all().to_pylist() for each in (project, again))
        assert ours == theirs
