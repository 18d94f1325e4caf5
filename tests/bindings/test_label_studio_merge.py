from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import predarrow.label_studio_merge as merge_module
from predarrow.data_units import DataUnits
from predarrow.errors import PredarrowError, ProjectError
from predarrow.label_studio_exports import export_label_studio_predictions
from predarrow.label_studio_kept import with_version
from predarrow.label_studio_merge import merged_sets
from predarrow.label_studio_sets import set_name_of
from predarrow.ontology import Ontology
from predarrow.project import Project
from tests.project_data import batch

UNITS = [f"{number}.png" for number in range(6)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    units = DataUnits.from_table({"id": UNITS})
    folder = tmp_path_factory.mktemp("merge") / "p"
    return Project.create(folder, ontology=Ontology.from_classes(["car"]), data_units=units)


def _attributes(*values: Any) -> pa.Array:
    return pa.array([value if value is None else json.dumps(value) for value in values], pa.string())


@settings(max_examples=15)
@given(st.data())
def test_all_rows_come_by_data_unit_and_set(project: Project, data: st.DataObject) -> None:
    counts = st.lists(st.integers(0, 3), min_size=len(UNITS), max_size=len(UNITS))
    drawn = {name: data.draw(counts) for name in ("b", "a", "c")}
    for name, numbers in drawn.items():
        rows = [batch(n, data_unit=unit) for unit, n in zip(UNITS, numbers, strict=True) if n]
        project.commit(rows, set_name=name)
    table = merged_sets(project, list(drawn)).read_all()
    expected = [
        (unit, name, row)
        for place, unit in enumerate(UNITS)
        for name, numbers in drawn.items()
        for row in range(numbers[place])
    ]
    versions = [json.loads(text)["model_version"] for text in table["attributes"].to_pylist()]
    units, numbers = table["data_unit"].to_pylist(), table["row"].to_pylist()
    assert list(zip(units, versions, numbers, strict=True)) == expected


def test_data_units_longer_than_batches(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows(name: str) -> pa.RecordBatchReader:
        pieces = [batch(2, data_unit=unit, first_row=first) for unit in ("0.png", "1.png") for first in (0, 2, 4)]
        table = pa.Table.from_batches(pieces).select(merge_module.COLUMNS)
        return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=1))

    monkeypatch.setattr(merge_module, "set_rows", lambda project, name, version, columns: rows(name))
    table = merged_sets(project, ["a", "b"]).read_all()
    numbers = list(range(6))
    assert table["row"].to_pylist() == numbers * 4
    assert table["data_unit"].to_pylist() == ["0.png"] * 12 + ["1.png"] * 12


def test_the_set_that_tells_the_task_comes_first(project: Project) -> None:
    plain = _attributes(None, {"label_studio": {}, "text": ['"task"']})
    telling = _attributes({"label_studio": {"task": {"id": 7}}}, {"model_version": "own"})
    project.commit([batch(2, data_unit=unit, attributes=plain) for unit in UNITS[:2]], set_name="a")
    project.commit([batch(2, data_unit="1.png", attributes=telling)], set_name="b")
    project.commit([batch(1, data_unit="1.png")], set_name="c")
    table = merged_sets(project, ["a", "b", "c"]).read_all()
    assert table["data_unit"].to_pylist() == ["0.png"] * 2 + ["1.png"] * 5
    versions = [json.loads(text)["model_version"] for text in table["attributes"].to_pylist()]
    assert versions == ["a", "a", "b", "own", "a", "a", "c"]


def test_model_versions() -> None:
    given = [None, "{}", " { } ", '{"a":1}', '{"a":"\\"model_version\\":"}', '{"a":{"model_version":"x"}}']
    own = ['{"model_version":"one"}', '{"model_version": null, "b":1.10}', '{"b":2,"model_version":5}']
    name = 'a"b é'
    found = [json.loads(with_version(text, name)) for text in [*given, *own]]
    assert [each["model_version"] for each in found] == [name] * 6 + ["one", name, 5]
    without = [{key: value for key, value in each.items() if key != "model_version"} for each in found]
    assert without[:4] == [{}, {}, {}, {"a": 1}]
    assert without[4:6] == [{"a": '"model_version":'}, {"a": {"model_version": "x"}}]
    assert without[7:] == [{"b": 1.1}, {"b": 2}]


@pytest.mark.parametrize(
    ("version", "name"),
    [
        (None, "default"),
        ("one", "one"),
        ("yolo-v8.1_x", "yolo-v8.1_x"),
        ("my model/é", "my_model__"),
        ("", "v"),
        ("-x", "v-x"),
        ("_", "v_"),
        ("x" * 200, "x" * 100),
        ("-" * 200, "v" + "-" * 99),
    ],
)
def test_names_of_sets(project: Project, version: str | None, name: str) -> None:
    assert set_name_of(version) == name
    assert project.last_version(name) >= -1  # which refuses names that a set cannot have


@pytest.mark.parametrize("sets", [[], ["a", "a"]])
def test_sets_that_are_none(project: Project, sets: list[str], tmp_path: Path) -> None:
    with pytest.raises(PredarrowError, match=r"^sets: must name at least one"):
        export_label_studio_predictions(project, tmp_path / "x.json", sets=sets)


def test_sets_that_are_not_there(project: Project, tmp_path: Path) -> None:
    for sets in ("nothing", ["nothing", "neither"]):
        with pytest.raises(ProjectError, match="nothing"):
            export_label_studio_predictions(project, tmp_path / "x.json", sets=sets)
