"""What data frames and databases make of the prediction table's columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from predarrow.errors import InputError
from predarrow.import_objects import import_predictions
from predarrow.project import Project
from tests.object_project import box, object_project, thing


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    return object_project(tmp_path / "project")


@pytest.fixture(name="table")
def _table(project: Project) -> pa.Table:
    """Give what is stored of a box and a mask."""
    import_predictions(project, [box(track_id="t"), thing("mask", np.eye(100, 200, dtype=np.uint8), "bits")])
    return project.scan().read_all()


def _with(table: pa.Table, name: str, column: Any) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)


def _floats(type_: pa.DataType) -> pa.DataType:
    """Give whole numbers as pandas has them where some are null."""
    if pa.types.is_struct(type_):
        return pa.struct([(field.name, _floats(field.type)) for field in type_])
    return pa.float64() if pa.types.is_integer(type_) else type_


def test_a_filtered_pandas_frame(project: Project, table: pa.Table) -> None:
    names = ("frame", "mask", "image_height", "image_width", "row")
    frame = table.cast(
        pa.schema([(field.name, _floats(field.type) if field.name in names else field.type) for field in table.schema])
    )
    import_predictions(project, frame.append_column("__index_level_0__", pa.array([7, 3])))
    assert project.scan().read_all().equals(table)


@pytest.mark.parametrize(("value", "got"), [(0.5, "0.5"), (float("nan"), "nan")])
def test_a_float_that_is_no_whole_number(project: Project, table: pa.Table, value: float, got: str) -> None:
    with pytest.raises(InputError, match=f"^predictions: column frame: must be int32: Float value {got}"):
        import_predictions(project, _with(table, "frame", pa.array([0.0, value])))
    assert len(project.history()) == 1


def test_categories_of_polars(project: Project, table: pa.Table) -> None:
    for name in ("data_unit", "class_name", "kind", "object_id"):
        encoded = table[name].combine_chunks().dictionary_encode()
        views = encoded.dictionary.cast(pa.string_view())
        table = _with(table, name, pa.DictionaryArray.from_arrays(encoded.indices.cast(pa.uint32()), views))
    import_predictions(project, table)
    assert project.scan(columns=["kind", "object_id"]).read_all().to_pylist() == [
        {"kind": "bbox", "object_id": "t"},
        {"kind": "bitmask", "object_id": None},
    ]


def test_extension_types_are_what_they_store(project: Project, table: pa.Table) -> None:
    stored = pa.array(['{"a": 1}', None], pa.large_string())
    opaque = pa.ExtensionArray.from_storage(pa.opaque(pa.large_string(), "JSON", "DuckDB"), stored)
    import_predictions(project, _with(table, "attributes", opaque))
    assert project.scan().read_all()["attributes"].to_pylist() == stored.to_pylist()
    with pytest.raises(InputError, match="column confidence: must be double, got extension"):
        import_predictions(project, _with(table, "confidence", opaque))


@pytest.mark.parametrize("name", ["data_unit", "object_id", "class_name", "attributes"])
def test_text_that_is_not_utf8(project: Project, table: pa.Table, name: str) -> None:
    offsets = pa.py_buffer(np.array([0, 2, 2], np.int32))
    latin = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"\xe9\xff")])
    with pytest.raises(InputError, match=f"^predictions: column {name}: must be string: Invalid UTF8"):
        import_predictions(project, _with(table, name, latin))
    assert len(project.history()) == 1
