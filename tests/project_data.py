"""Prediction rows, random and made, for the tests of files and projects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from predarrow.data_units import DataUnits
from predarrow.ontology import Ontology
from predarrow.project import Project
from predarrow.table import SCHEMA, record_batch


def values(type_: pa.DataType) -> st.SearchStrategy[Any]:
    """Give values that Arrow type holds, None left to the caller."""
    if pa.types.is_list(type_):
        return st.lists(_nullable(type_.value_field), max_size=3)
    if pa.types.is_struct(type_):
        fields = [type_.field(index) for index in range(type_.num_fields)]
        return st.fixed_dictionaries({field.name: _nullable(field) for field in fields})
    if pa.types.is_integer(type_):
        limit = 2 ** (type_.bit_width - 1)
        return st.integers(-limit, limit - 1)
    if pa.types.is_floating(type_):
        return st.floats(width=32 if type_ == pa.float32() else 64, allow_nan=False)
    if pa.types.is_binary(type_):
        return st.binary(max_size=4)
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


def _nullable(field: pa.Field) -> st.SearchStrategy[Any]:
    return st.none() | values(field.type) if field.nullable else values(field.type)


def tables(max_rows: int = 4) -> st.SearchStrategy[pa.Table]:
    """Give prediction tables with every column, nulls at every level that allows them."""
    row = st.fixed_dictionaries({field.name: _nullable(field) for field in SCHEMA})
    return st.lists(row, max_size=max_rows).map(lambda rows: pa.Table.from_pylist(rows, SCHEMA))


def batch(
    n_rows: int, *, data_unit: str = "a.jpg", class_name: str = "car", first_row: int = 0, **columns: Any
) -> pa.RecordBatch:
    """Give rows of one data unit and class, numbered."""
    rows = pa.array(range(first_row, first_row + n_rows), pa.int64())
    polygon = [[[{"x": 0, "y": 0}, {"x": 1, "y": 0}, {"x": row % 7, "y": 1}]] for row in range(n_rows)]
    return record_batch(
        n_rows,
        {"data_unit": data_unit, "frame": 0, "class_name": class_name, "kind": "polygon", "row": rows}
        | {"polygon": pa.array([[rings] for rings in polygon], SCHEMA.field("polygon").type)}
        | columns,
    )


def stream(n_batches: int, class_name: str = "car", rows: int = 100) -> Iterator[pa.RecordBatch]:
    """Give batches of one class, each of another data unit."""
    for index in range(n_batches):
        yield batch(rows, data_unit=f"{index:04d}.jpg", class_name=class_name, first_row=index * rows)


def new_project(path: Path) -> Project:
    """Make a project with three images and two classes."""
    units = DataUnits.from_table({"id": ["a.jpg", "b.jpg", "c.jpg"], "width": [4, 5, 6], "height": [7, 8, 9]})
    return Project.create(path, ontology=Ontology.from_classes(["car", "tree"]), data_units=units)


def classes(project: Project, set_name: str = "default", version: int | None = None) -> dict[str, int]:
    """Give the number of rows of each class of a version."""
    table = project.scan(set_name, columns=["class_name"], version=version).read_all()
    return {item["values"]: item["counts"] for item in table["class_name"].value_counts().to_pylist()}


def part_files(project: Project, set_name: str = "default") -> set[str]:
    """Give the names of all data files that lie in a set's folder, adopted or not."""
    return {path.name for path in (project.path / "predictions" / set_name).glob("*part-*")}
