"""What is said of a prediction file's columns in the log: bounds that hold, or none."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from predarrow.parts import Statistics
from tests.project_data import batch


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
