from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow import statistics
from predarrow.statistics import COLUMNS, ClassCount, Counted, count_predictions
from predarrow.table import SCHEMA

Row = tuple[str, int, str, float | None]

_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["", "a", "b", "ä.png"]),
        st.sampled_from([0, 1, 2**31 - 1]),
        st.sampled_from(["car", "", "Größe"]),
        st.none() | st.sampled_from([0.0, 0.25, 1.0, -2.0]),
    ),
    max_size=30,
)


def _batch(rows: Sequence[Row], encoded: bool = False) -> pa.RecordBatch:
    schema = pa.schema([SCHEMA.field(name) for name in COLUMNS])
    batch = pa.RecordBatch.from_pylist([dict(zip(COLUMNS, row, strict=True)) for row in rows], schema)
    if encoded:
        place = batch.schema.get_field_index("class_name")
        batch = batch.set_column(place, "class_name", batch["class_name"].dictionary_encode())
    return batch


def _naive(rows: Sequence[Row]) -> Counted:
    classes = []
    for name in {row[2] for row in rows}:
        of_class = [row for row in rows if row[2] == name]
        known = [row[3] for row in of_class if row[3] is not None]
        mean = fsum(known) / len(known) if known else None
        classes.append(ClassCount(name, len(of_class), len({row[:2] for row in of_class}), mean))
    return Counted(
        len(rows), len({row[:2] for row in rows}), sorted(classes, key=lambda line: (-line.predictions, line.name))
    )


@given(st.lists(_ROWS, max_size=5), st.booleans())
def test_counts_are_those_of_all_rows(parts: list[list[Row]], encoded: bool) -> None:
    counted = count_predictions(_batch(part, encoded) for part in parts)
    assert counted == _naive([row for part in parts for row in part])


def test_pairs_are_joined_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every image has each class in several batches: what is kept must not grow with them."""
    monkeypatch.setattr(statistics, "_PENDING_ROWS", 4)
    joined: list[int] = []
    concatenate = pa.concat_tables

    def note(tables: list[pa.Table]) -> Any:
        joined.append(sum(table.num_rows for table in tables))
        return concatenate(tables)

    monkeypatch.setattr(pa, "concat_tables", note)
    rows: list[Row] = [(unit, frame, name, 0.5) for unit in "ab" for frame in range(3) for name in ("x", "y")]
    counted = count_predictions(_batch(rows) for _ in range(50))
    assert counted == _naive(rows * 50)
    assert max(joined) < 5 * len(rows)
