"""Files of predictions: how many there are, and what is said of their columns in the log: bounds that hold, or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from predarrow import parts
from predarrow.errors import ProjectError
from predarrow.parts import Statistics
from tests.project_data import batch, new_project, part_files, stream


@pytest.mark.parametrize(
    ("columns", "bounds"),
    [
        ({"confidence": pa.array([0.5, None, 0.25])}, (0.25, 0.5)),
        ({"confidence": pa.array([0.5, float("nan"), 0.25])}, None),
        ({"confidence": pa.array([0.5, float("inf"), 0.25])}, None),
        ({"confidence": pa.array([None] * 3, pa.float64())}, None),
    ],
)
def test_statistics_of_confidence(columns: dict[str, Any], bounds: tuple[float, float] | None) -> None:
    statistics = Statistics()
    statistics.add(pa.Table.from_batches([batch(3, **columns)]))
    found = json.loads(statistics.to_json())
    assert (found["minValues"].get("confidence"), found["maxValues"].get("confidence")) == (bounds or (None, None))
    assert found["numRecords"] == 3
    assert found["nullCount"]["confidence"] == columns["confidence"].null_count


def test_statistics_of_long_texts_are_bounds() -> None:
    statistics = Statistics()
    low, high = "a" * 100, "z" * 100
    statistics.add(pa.Table.from_batches([batch(2, data_unit=pa.array([low, high]))]))
    found = json.loads(statistics.to_json())
    assert found["minValues"]["data_unit"] <= low
    assert found["maxValues"]["data_unit"] >= high
    assert len(found["maxValues"]["data_unit"]) < 100


def test_a_part_that_disappears_before_the_commit(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project")

    def vacuumed() -> Iterator[pa.RecordBatch]:
        yield from stream(100, rows=200)
        for path in (project.path / "predictions" / "default").glob("part-*.parquet"):
            path.unlink()

    project.commit(stream(1, "old"), set_name="other")
    parts_before = parts.FILE_BYTES
    parts.FILE_BYTES = 1
    try:
        with pytest.raises(ProjectError, match="was removed before the commit; import again"):
            project.commit(vacuumed())
    finally:
        parts.FILE_BYTES = parts_before
    assert project.sets() == ["other"]


def test_large_imports_make_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = new_project(tmp_path / "project")
    monkeypatch.setattr(parts, "FILE_BYTES", 1)
    project.commit(stream(300, rows=100))
    names = sorted(part_files(project))
    assert len(names) > 1
    assert [name[-13:] for name in names] == [f"{index:05d}.parquet" for index in range(len(names))]
    found = project.scan().read_all()
    assert found["row"].to_pylist() == list(range(30_000)), "the order is kept over files"
