from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from predarrow.errors import InputError
from predarrow.formats.coco.annotations import write_coco_annotations
from predarrow.formats.coco.panoptic import write_coco_panoptic
from predarrow.formats.coco.write import write_coco_results
from predarrow.formats.given_table import given_batches, given_columns
from predarrow.formats.kitti.write import write_kitti
from predarrow.report import Code
from predarrow.table import SCHEMA

_ROW = {
    "data_unit": "a",
    "frame": 0,
    "class_name": "Car",
    "kind": "bbox",
    "confidence": 0.5,
    "bbox": {"xmin": 1.0, "ymin": 2.0, "xmax": 3.0, "ymax": 4.0},
}
_TABLE = pa.Table.from_pylist([_ROW], SCHEMA)


class _Array:
    """A library's batch that speaks the interface of arrays only."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> Any:
        return _TABLE.to_batches()[0].__arrow_c_array__(requested_schema)


@pytest.mark.parametrize("write", [write_kitti, write_coco_results, write_coco_annotations, write_coco_panoptic])
@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("rows", "must speak Arrow's stream interface, got str"),
        (_TABLE.select(["bbox"]), "must have one column data_unit, got bbox"),
        (pa.table({"frame": [1]}), "must have one column data_unit, got frame"),
        (_TABLE.append_column("frame", _TABLE["frame"]), "must have one column frame, got data_unit, frame"),
        (_TABLE.set_column(1, "frame", pa.array(["x"])), "must have the prediction table's types, got "),
        (_TABLE.set_column(4, "class_name", pa.nulls(1)), "column class_name must not be null"),
    ],
)
def test_all_writers_refuse_the_same(write: Callable[..., Any], table: Any, told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"^table: .*{told}") as caught:
        write(table, tmp_path / "out")
    assert [problem.code for problem in caught.value.problems] == [Code.BAD_TABLE]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_kitti, write_coco_results])
@pytest.mark.parametrize("table", [_TABLE, _TABLE.to_reader(), _TABLE.to_batches()[0], _Array()])
def test_all_writers_take_the_same(write: Callable[..., Any], table: Any, tmp_path: Path) -> None:
    if isinstance(table, pa.RecordBatchReader):  # is read once
        table = _TABLE.to_reader()
    assert write(table, tmp_path / "out").rows == 1


def test_batches_are_cut_as_they_are() -> None:
    table = pa.concat_tables([_TABLE, pa.concat_tables([_TABLE] * 2).combine_chunks()])
    assert [batch.num_rows for batch in given_batches(table)] == [1, 2]


def test_columns_are_cast_and_missing_ones_null() -> None:
    table = _TABLE.select(["bbox", "frame", "data_unit"]).set_column(1, "frame", pa.array([7.0]))
    columns = given_columns(table.to_batches()[0], ("frame", "rotation", "bbox"), ("frame",))
    assert list(columns) == ["frame", "rotation", "bbox"]
    assert [column.type for column in columns.values()] == [SCHEMA.field(name).type for name in columns]
    assert [column.to_pylist() for column in columns.values()] == [[7], [None], [_ROW["bbox"]]]


def test_a_needed_column_may_be_null_where_the_schema_says_so() -> None:
    batch = _TABLE.set_column(7, "bbox", pa.nulls(1)).to_batches()[0]
    assert given_columns(batch, ("data_unit", "bbox"), ("data_unit", "bbox"))["bbox"].null_count == 1
