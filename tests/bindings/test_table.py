"""Batches in the prediction table's schema, against Arrow's own way to make the same columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow.formats.masks import from_label_mask
from predarrow.table import SCHEMA, bbox_array, polygon_array, record_batch

_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "data_unit": st.text(max_size=12),
    "frame": st.integers(0, 2**31 - 1),
    "class_name": st.text("añ道", max_size=3),
    "confidence": st.none() | st.floats(0, 1),
    "image_height": st.none() | st.integers(0, 9),
    "source": st.none() | st.text(max_size=12),
    "row": st.integers(0, 2**40),
}


@settings(max_examples=60)
@given(st.sampled_from([0, 1, 2, 17, 511, 512, 513, 3000]), st.fixed_dictionaries({}, optional=_VALUES))
def test_one_value_for_all_rows_is_arrows_column_of_it(n_rows: int, columns: dict[str, Any]) -> None:
    batch = record_batch(n_rows, columns)
    batch.validate(full=True)
    for field in SCHEMA:
        value = columns.get(field.name)
        assert batch[field.name].equals(pa.array([value] * n_rows, field.type)), field.name


@pytest.mark.parametrize("n_rows", [512, 513, 1 << 16, (1 << 16) + 1])
def test_kept_columns_are_of_their_batch_only(n_rows: int) -> None:
    for name, other in (("a", "b"), ("a" * 9, "b" * 9)):
        batches = [record_batch(n, {"data_unit": text}) for n in (n_rows, n_rows - 1) for text in (name, other)]
        assert [batch.num_rows for batch in batches] == [n_rows, n_rows, n_rows - 1, n_rows - 1]
        assert [batch["data_unit"].unique().to_pylist() for batch in batches] == [[name], [other]] * 2
        assert all(batch["polygon"].null_count == batch["source"].null_count == batch.num_rows for batch in batches)


def test_columns_that_there_are_not_are_refused() -> None:
    with pytest.raises(KeyError, match=r"no such columns: \['boxes', 'name'\]"):
        record_batch(1, {"name": "a", "boxes": 1, "data_unit": "b"})


def test_shapes_of_other_types_and_layouts_are_converted() -> None:
    corners = np.arange(16, dtype=np.float32).reshape(4, 4)[:, ::2]
    assert [list(box.values()) for box in bbox_array(corners).to_pylist()] == corners.T.tolist()  # type: ignore[arg-type]  # what is tested
    x, y = np.arange(8.0)[::2], np.arange(4)
    one = np.array([0, 1])
    column = polygon_array(x, y, np.array([0, 4]), one, one)  # type: ignore[arg-type]  # what is tested
    column.validate(full=True)
    assert [(vertex["x"], vertex["y"]) for vertex in column.to_pylist()[0][0][0]] == [(0, 0), (2, 1), (4, 2), (6, 3)]


@pytest.mark.parametrize("n", [1, 16, 17, 400])
def test_masks_of_one_value_name_it_in_each_row(n: int) -> None:
    mask = np.zeros((2, 2 * n), np.int32)
    for value in (1, 255, 256, -7):
        mask[0, ::2] = value
        table = from_label_mask(mask, data_unit=f"{n} of {value}")
        table.validate(full=True)
        assert table["class_name"].to_pylist() == [str(value)] * n
        assert table["data_unit"].unique().to_pylist() == [f"{n} of {value}"]
        assert table["row"].to_pylist() == [*range(n)]
    mask[0, 0] = 3
    assert from_label_mask(mask)["class_name"].to_pylist() == ["3"] + ["-7"] * (n - 1)
