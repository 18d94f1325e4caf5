from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow import parts
from predarrow import project as project_module
from predarrow.errors import ProjectError
from predarrow.project import HISTORY_SCHEMA, Project
from predarrow.report import Code, Problem, Report
from predarrow.table import SCHEMA
from tests.project_data import batch, classes, new_project, part_files, stream, tables


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "project")


def test_create_and_open(project: Project) -> None:
    again = Project(str(project.path))
    assert again.name == project.path.name == "project"
    assert again.ontology == project.ontology
    assert again.data_units.table.equals(project.data_units.table)
    assert again.data_units.row(1)[:5] == ("b.jpg", "b.jpg", "image", 5, 8)
    assert again.sets() == []
    header = json.loads((project.path / "project.json").read_text())
    assert header["format_version"] == 1
    assert datetime.now(UTC) - datetime.fromisoformat(header["created"]) < timedelta(minutes=1)
    assert repr(again) == f"<Project 'project' at {project.path}>"


def test_create_in_an_empty_folder_with_a_name(project: Project, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    made = Project.create(tmp_path / "empty", ontology=project.ontology, data_units=project.data_units, name="Straße 1")
    assert Project(made.path).name == "Straße 1"
    assert {path.name for path in tmp_path.iterdir()} == {"project", "empty"}


def test_create_refuses_what_is_there(project: Project, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (project.path, tmp_path / "file"):
        with pytest.raises(ProjectError, match="must be a new or empty folder"):
            Project.create(path, ontology=project.ontology, data_units=project.data_units)


def test_create_where_nothing_can_be_made(project: Project) -> None:
    with pytest.raises(ProjectError, match="/proc/project: cannot be created: "):
        Project.create("/proc/project", ontology=project.ontology, data_units=project.data_units)


def test_a_failed_create_leaves_nothing(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(project_module, "_write_contents", fail)
    with pytest.raises(ProjectError, match="cannot be created: No space left"):
        Project.create(tmp_path / "new", ontology=project.ontology, data_units=project.data_units)
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "is no project: project.json is missing; make one with `predarrow init`"),
        ("{", "must be JSON with format_version and name"),
        ("[]", "must be JSON with format_version and name"),
        ('{"name": "a"}', "must be JSON with format_version and name"),
        ('{"name": "a", "format_version": "1"}', "format_version must be a number"),
        ('{"name": "a", "format_version": 2}', "format version must be at most 1, got 2; upgrade with"),
    ],
)
def test_folders_that_are_no_project(tmp_path: Path, header: str | None, message: str) -> None:
    if header is not None:
        (tmp_path / "project.json").write_text(header)
    with pytest.raises(ProjectError, match=message):
        Project(tmp_path)


@given(table=tables(), split=st.integers(1, 3))
@settings(max_examples=30)
def test_what_is_scanned_is_what_was_committed(table: pa.Table, split: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = new_project(Path(folder) / "project")
        assert project.commit(table.to_batches(max_chunksize=split)) == 0
        found = project.scan().read_all()
        found.validate(full=True)
        assert found.schema.equals(SCHEMA, check_metadata=True)
        assert found.equals(table)
        for unit in set(table["data_unit"].to_pylist()):
            expected = table.filter(pc.equal(table["data_unit"], unit))
            assert project.scan(data_unit=unit).read_all().equals(expected)
        for class_name in set(table["class_name"].to_pylist()):
            expected = table.filter(pc.equal(table["class_name"], class_name))
            assert project.scan(class_name=[class_name, "' OR 1=1 --"]).read_all().equals(expected)


def some_rows() -> pa.Table:
    batches = [
        batch(3, data_unit=unit, class_name=name, frame=frame, confidence=confidence, first_row=3 * index)
        for index, (unit, name, frame, confidence) in enumerate(
            [
                ("a.jpg", "car", 0, 0.9),
                ('it\'s "b".jpg', "tree", 0, 0.5),
                ("v.mp4", "car", 3, 0.25),
                ("v.mp4", "tree", 4, None),
            ]
        )
    ]
    return pa.Table.from_batches(batches)


@pytest.mark.parametrize("one_file_each", [False, True])
@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        ({}, range(12)),
        ({"data_unit": "a.jpg"}, range(3)),
        ({"data_unit": 'it\'s "b".jpg'}, range(3, 6)),
        ({"data_unit": "b.jpg"}, ()),
        ({"data_unit": ["v.mp4", "a.jpg", "a.jpg", "none"]}, [0, 1, 2, *range(6, 12)]),
        ({"data_unit": []}, ()),
        ({"data_unit": "v.mp4", "frame": 4}, range(9, 12)),
        ({"frame": [0, 3]}, range(9)),
        ({"frame": range(3, 9)}, range(6, 12)),
        ({"class_name": [None, "tree"]}, [3, 4, 5, 9, 10, 11]),
        ({"class_name": ("tree", "car"), "min_confidence": 0.5}, range(6)),
        ({"min_confidence": 0.25}, range(9)),
        ({"min_confidence": 0.95}, ()),
        ({"frame": pa.scalar(4).as_py(), "min_confidence": 0.0}, ()),
    ],
)
def test_filters(
    project: Project, monkeypatch: pytest.MonkeyPatch, filters: dict[str, Any], rows: Any, one_file_each: bool
) -> None:
    table = some_rows()
    if one_file_each:
        for rows_of_one in table.to_batches():
            project.commit([rows_of_one], mode="append")
        expected_order = "row"
    else:
        project.commit(table.to_batches())
        expected_order = ""
    found = project.scan(**filters).read_all()
    if expected_order:
        found = found.sort_by(expected_order)
    assert found.equals(table.take(list(rows)) if len(rows) else SCHEMA.empty_table())


def test_files_without_matching_rows_are_not_opened(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "FILE_BYTES", 1)
    project.commit(stream(400, rows=100))
    files = project._set("default").parts()
    assert len(files) > 2
    for part in files[1:]:
        part.path.write_bytes(b"not to be read")
    assert project.scan(data_unit="0003.jpg").read_all().num_rows == 100
    assert project.scan(data_unit="0000.jpg", frame=7).read_all().num_rows == 0
    with pytest.raises(ProjectError, match="is damaged, or no file of predictions"):
        project.scan(data_unit="0399.jpg").read_all()


def test_columns(project: Project) -> None:
    table = some_rows()
    project.commit(table.to_batches())
    found = project.scan(columns=["row", "class_name"], data_unit="a.jpg").read_all()
    assert found.equals(table.select(["row", "class_name"]).slice(0, 3))
    assert project.scan(columns=["bbox"]).schema.names == ["bbox"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"columns": ["class"]}, "columns: no such column 'class'; there are data_unit, frame"),
        ({"columns": []}, "columns: must name at least one column"),
        ({"columns": ["row", "row"]}, "columns: must name at least one column, each once"),
        ({"frame": "3"}, "frame: must be one or more int32 values, got '3'"),
        ({"frame": 2**40}, "frame: must be one or more int32 values"),
        ({"min_confidence": "0.5"}, "min_confidence: must be a number, got '0.5'"),
        ({"min_confidence": float("nan")}, "min_confidence: must be a number, got nan"),
        ({"data_unit": 3}, "data_unit: must be one or more string values, got 3"),
        ({"version": 7}, "version must be 0 to 0, got 7"),
        ({"version": -1}, "version must be 0 to 0, got -1"),
        ({"set_name": "none"}, "no prediction set 'none'; there are: default; choose one by set_name= \\(--set\\)"),
        ({"set_name": "../default"}, "set name: must be up to 100 letters"),
    ],
)
def test_scans_that_cannot_be(project: Project, arguments: dict[str, Any], message: str) -> None:
    project.commit([batch(1)])
    with pytest.raises(ProjectError, match=message):
        project.scan(**arguments)


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/x", "a\\b", ".hidden", "a b", "ä", "a\n", "x" * 101])
def test_set_names_that_are_refused(project: Project, name: str) -> None:
    with pytest.raises(ProjectError, match="set name: "):
        project.commit([batch(1)], set_name=name)
    assert project.sets() == []


def test_sets_are_apart(project: Project) -> None:
    project.commit([batch(1, class_name="a")], set_name="yolo-v8.1")
    project.commit([batch(2, class_name="b")], set_name="0")
    project.commit([batch(3, class_name="c")], set_name="0")
    assert project.sets() == Project(project.path).sets() == ["0", "yolo-v8.1"]
    assert classes(project, "yolo-v8.1") == {"a": 1}
    assert classes(project, "0") == {"c": 3}


def test_an_import_replaces_or_adds(project: Project) -> None:
    assert project.commit([batch(2, class_name="a")]) == 0
    assert project.commit([batch(3, class_name="b")]) == 1
    assert classes(project) == {"b": 3}
    assert project.commit([batch(4, class_name="c")], mode="append") == 2
    assert classes(project) == {"b": 3, "c": 4}
    assert project.commit([]) == 3
    assert classes(project) == {}
    assert project.scan().read_all().equals(SCHEMA.empty_table())
    assert [classes(project, version=version) for version in range(3)] == [{"a": 2}, {"b": 3}, {"b": 3, "c": 4}]
    with pytest.raises(ProjectError, match="mode: must be 'overwrite' or 'append', got 'add'"):
        project.commit([], mode="add")  # type: ignore[arg-type]  # what a caller may do


def test_a_first_import_without_rows(project: Project) -> None:
    assert project.commit([]) == 0
    assert project.sets() == ["default"]
    assert project.scan().read_all().num_rows == 0


def test_another_process_is_seen(project: Project) -> None:
    other = Project(project.path)
    project.commit([batch(2)])
    assert classes(other) == {"car": 2}
    project.commit([batch(3)])
    assert classes(other) == {"car": 3}


def test_a_reader_keeps_its_version(project: Project) -> None:
    project.commit(stream(5, "a"))
    reader = project.scan()
    project.commit(stream(2, "b"))
    assert set(reader.read_all()["class_name"].to_pylist()) == {"a"}


def test_history(project: Project) -> None:
    project.commit([batch(2)], operation="import masks", details={"folder": "a 'b' \"c\" é 𠀀"})
    project.commit([batch(1)], mode="append")
    project.restore(0)
    history = project.history()
    assert history.schema.equals(HISTORY_SCHEMA)
    assert history["version"].to_pylist() == [2, 1, 0]
    assert history["operation"].to_pylist() == ["restore", "import", "import masks"]
    assert history["rows"].to_pylist() == [2, 3, 2]
    assert [json.loads(text) for text in history["details"].to_pylist()] == [
        {"version": "0"},
        {},
        {"folder": "a 'b' \"c\" é 𠀀"},
    ]
    assert abs(history["time"].to_pylist()[0] - datetime.now(UTC)) < timedelta(minutes=1)


def test_restore_and_import_again(project: Project) -> None:
    project.commit([batch(2, class_name="a")])
    project.commit([batch(3, class_name="b")])
    assert project.restore(0) == 2
    assert classes(project) == {"a": 2}
    assert project.restore(2) == 2, "it is the last version already"
    assert project.commit([batch(4, class_name="c")]) == 3
    assert project.restore(1) == 4
    assert project.commit([batch(1, class_name="d")], mode="append") == 5
    assert classes(project) == {"b": 3, "d": 1}


def test_restore_what_is_not_there(project: Project) -> None:
    with pytest.raises(ProjectError, match="no prediction set 'default'; there are: none yet"):
        project.restore(0)
    project.commit([batch(1)])
    with pytest.raises(ProjectError, match="version must be 0 to 0, got 4"):
        project.restore(4)


def test_vacuum_keeps_versions(project: Project) -> None:
    for count in range(1, 5):
        project.commit([batch(count)])
    before = part_files(project)
    assert project.vacuum() == [], "a week is kept"
    would = project.vacuum(keep_versions=2, dry_run=True)
    assert len(would) == 2
    assert part_files(project) == before
    assert project.vacuum(keep_versions=2) == would
    assert part_files(project) == before - set(would)
    assert [classes(project, version=version) for version in (2, 3)] == [{"car": 3}, {"car": 4}]
    with pytest.raises(ProjectError, match="version 1 cannot be read any more: 1 of its 1 files are gone"):
        project.scan(version=1)
    with pytest.raises(ProjectError, match="version 0 cannot be read any more"):
        project.restore(0)
    assert project.vacuum(keep_hours=0) != []
    assert classes(project) == {"car": 4}
    assert len(part_files(project)) == 1
    assert project.commit([batch(7)]) == 4


def test_vacuum_keeps_what_was_last_within_the_time(project: Project) -> None:
    project.commit([batch(1)])
    project.commit([batch(2)])
    time.sleep(0.6)
    project.commit([batch(3)])
    removed = project.vacuum(keep_hours=0.3 / 3600)
    assert len(removed) == 1
    assert [classes(project, version=version) for version in (1, 2)] == [{"car": 2}, {"car": 3}]


def test_vacuum_keeps_restored_files(project: Project) -> None:
    project.commit([batch(1)])
    project.commit([batch(2)])
    project.restore(0)
    assert len(project.vacuum(keep_versions=1)) == 1
    assert classes(project) == {"car": 1}


def test_vacuum_leaves_other_files_alone(project: Project) -> None:
    project.commit([batch(1)])
    foreign = project.path / "predictions" / "default" / "notes.parquet"
    foreign.write_text("mine")
    assert project.vacuum(keep_versions=1, orphan_hours=0) == []
    assert foreign.exists()
    with pytest.raises(ProjectError, match="no prediction set 'none'"):
        project.vacuum("none")


def test_report(project: Project) -> None:
    report = Report(sources=3, imported=2)
    report.skipped["DontCare"] = 4
    report.flagged["box beyond the image"] = 1
    report.problems.append(Problem("a.png", 3, "value 7", Code.UNKNOWN_CLASS, "must be mapped"))
    version = project.commit([batch(2)], report=report)
    found = project.report("default", version)
    assert found.to_pylist() == report.table().to_pylist()
    assert json.loads(found.schema.metadata[b"predarrow.report"]) == {
        "sources": 3,
        "imported": 2,
        "skipped": {"DontCare": 4},
        "flagged": {"box beyond the image": 1},
        "rejected": 1,
    }
    with pytest.raises(ProjectError, match="no report was kept with version 1"):
        project.report("default", project.commit([batch(1)]))


def test_a_report_that_cannot_be_written(project: Project) -> None:
    (project.path / "reports" / "default").write_text("in the way")
    with pytest.raises(ProjectError, match=r"cannot be written .*; the import itself is in place"):
        project.commit([batch(2)], report=Report())
    assert classes(project) == {"car": 2}


def test_more_than_a_hundred_versions(project: Project) -> None:
    for count in range(105):  # Delta writes a checkpoint after each hundred
        project.commit([batch(1 + count % 3)])
    assert list((project.path / "predictions" / "default" / "_delta_log").glob("*.checkpoint.parquet"))
    again = Project(project.path)
    assert classes(again) == {"car": 1 + 104 % 3}
    assert classes(again, version=50) == {"car": 1 + 50 % 3}
    assert again.history()["rows"].to_pylist() == [1 + count % 3 for count in reversed(range(105))]


def test_scan_of_one_data_unit_is_quick(project: Project) -> None:
    project.commit(stream(2000, rows=100))
    project.scan(data_unit="0000.jpg").read_all()
    best = min(_seconds(project, f"{index:04d}.jpg") for index in range(0, 2000, 100))
    assert best < 0.03, "milliseconds: one row group out of many"


def _seconds(project: Project, data_unit: str) -> float:
    start = time.perf_counter()
    assert project.scan(data_unit=data_unit).read_all().num_rows == 100
    return time.perf_counter() - start


def test_importing_the_module_is_cheap() -> None:
    code = (
        "import sys, predarrow.project\n"
        "heavy = {'deltalake', 'pyarrow.dataset', 'pyarrow.parquet', 'numba', 'cv2'}\n"
        "print(*(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout.strip() == b""
