"""A project is made of an ontology and data units, and of nothing that looks like them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from predarrow.data_units import DataUnits
from predarrow.errors import ProjectError
from predarrow.ontology import Ontology
from predarrow.project import Project


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ontology": ["car"]}, r"ontology: must be an Ontology, got list; Ontology\.read or"),
        ({"data_units": {"id": ["a"]}}, r"data_units: must be DataUnits, got dict; DataUnits\.from_table"),
        ({"name": 5}, "name: must be a text, got 5"),
    ],
)
def test_something_else_is_refused_before_a_folder_is_made(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    contents: dict[str, Any] = {
        "ontology": Ontology.from_classes(["car"]),
        "data_units": DataUnits.from_table({"id": ["a"]}),
    }
    with pytest.raises(ProjectError, match=message):
        Project.create(tmp_path / "project", **(contents | given))
    assert not (tmp_path / "project").exists()
