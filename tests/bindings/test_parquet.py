from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given

from predarrow.errors import OutputError
from predarrow.formats.write_file import check_new
from predarrow.parquet import ROW_GROUP_BYTES, ROW_GROUP_ROWS, new_parquet_file, row_groups, write_parquet
from predarrow.table import SCHEMA, record_batch
from tests.project_data import batch, stream, tables


@given(tables())
def test_what_is_read_is_what_was_written(table: pa.Table) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        assert write_parquet(table.to_batches(), path) == table.num_rows
        found = pq.read_table(path).cast(SCHEMA)
    found.validate(full=True)
    assert found.equals(table)


def test_options_of_the_file(tmp_path: Path) -> None:
    confidences = pa.array([0.5] * 1000)
    write_parquet([batch(1000, confidence=confidences)], tmp_path / "rows.parquet")
    metadata = pq.read_metadata(tmp_path / "rows.parquet")
    assert metadata.metadata is None, "no ARROW:schema"
    group = metadata.row_group(0)
    columns = {group.column(index).path_in_schema: group.column(index) for index in range(group.num_columns)}
    assert {column.compression for column in columns.values()} == {"ZSTD"}
    vertex = columns["polygon.list.element.list.element.list.element.x"]
    for column in (vertex, columns["confidence"], columns["bbox.xmin"]):
        assert "BYTE_STREAM_SPLIT" in column.encodings
        assert not column.has_dictionary_page
    assert columns["data_unit"].has_dictionary_page
    assert (columns["data_unit"].statistics.min, columns["confidence"].statistics.max) == ("a.jpg", 0.5)
    assert vertex.statistics is None
    required = [metadata.schema.column(index) for index in range(len(metadata.schema))]
    assert {column.path for column in required if column.max_definition_level == 0} == {
        "data_unit",
        "frame",
        "class_name",
        "kind",
    }


@pytest.mark.parametrize("batch_rows", [1, 777, ROW_GROUP_ROWS, 50_000])
def test_row_groups_are_full_whatever_the_batches(batch_rows: int) -> None:
    rows = record_batch(60_000, {"data_unit": "a", "frame": 0, "class_name": "b", "kind": "c"})
    batches = (
        rows.slice(first, batch_rows) for first in range(0, rows.num_rows if batch_rows > 1 else 300, batch_rows)
    )
    groups = list(row_groups(batches, ROW_GROUP_ROWS, ROW_GROUP_BYTES))
    assert sum(group.num_rows for group in groups) == (60_000 if batch_rows > 1 else 300)
    before = 0
    for group in groups[:-1]:
        enough = min(max(before, ROW_GROUP_BYTES) // 4, ROW_GROUP_BYTES)
        assert group.num_rows == ROW_GROUP_ROWS or enough * 0.9 < group.nbytes <= ROW_GROUP_BYTES * 1.1
        before += group.nbytes


def test_the_first_row_groups_are_smaller() -> None:
    masks = pa.array([{"height": 1, "width": 1, "counts": b"0" * 30_000}] * 4, SCHEMA.field("mask").type)
    groups = list(row_groups([batch(4, mask=masks)] * 50, ROW_GROUP_ROWS, 400_000))
    rows = [group.num_rows for group in groups]
    assert rows == sorted(rows)
    assert (rows[:4], rows[-1], sum(rows)) == ([4] * 4, 16, 200)


def test_row_groups_of_large_rows_are_small() -> None:
    masks = pa.array(
        [{"height": 1, "width": 1, "counts": b"0" * (ROW_GROUP_BYTES // 2)}] * 5, SCHEMA.field("mask").type
    )
    groups = list(row_groups([batch(5, mask=masks)], ROW_GROUP_ROWS, ROW_GROUP_BYTES))
    assert [group.num_rows for group in groups] == [1, 1, 1, 2], "the last two pass the limit by a few bytes"


@pytest.mark.parametrize(("n_bytes", "rows"), [(24_000, [10] * 4 + [20] * 3), (30_000, [10] * 4 + [13, 13, 14, 13, 7])])
def test_a_batch_that_nearly_fits_is_not_cut(n_bytes: int, rows: list[int]) -> None:
    masks = pa.array([{"height": 1, "width": 1, "counts": b"0" * n_bytes}] * 10, SCHEMA.field("mask").type)
    groups = list(row_groups([batch(10, mask=masks)] * 10, ROW_GROUP_ROWS, 400_000))
    assert [group.num_rows for group in groups] == rows
    assert max(group.nbytes for group in groups) <= 500_000


def test_no_batches_make_a_file_without_rows(tmp_path: Path) -> None:
    assert write_parquet([], tmp_path / "rows.parquet") == 0
    assert write_parquet([batch(0)], tmp_path / "more.parquet") == 0
    assert pq.read_table(tmp_path / "rows.parquet").cast(SCHEMA).equals(SCHEMA.empty_table())


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    def most_allocated(n_batches: int) -> int:
        most, before = 0, pa.total_allocated_bytes()

        def watched() -> Iterator[pa.RecordBatch]:
            nonlocal most
            for rows in stream(n_batches, rows=1000):
                most = max(most, pa.total_allocated_bytes() - before)
                yield rows

        write_parquet(watched(), tmp_path / "rows.parquet")
        return most

    assert most_allocated(900) < 1.5 * most_allocated(300)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write_parquet([batch(3)], path)

    def failing() -> Iterator[pa.RecordBatch]:
        yield batch(4)
        raise OSError("the source is gone")

    with pytest.raises(OSError, match="the source is gone"):
        write_parquet(failing(), path)
    assert pq.read_metadata(path).num_rows == 3
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"none/rows.parquet: cannot be written: .*[Nn]o such file"):
        write_parquet([batch(1)], tmp_path / "none" / "rows.parquet")


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, got in ((pipe, "a device or pipe"), (tmp_path, "a folder")):
        with pytest.raises(OutputError, match=f"must be a file to write, got {got}"):
            write_parquet([], path)
        with pytest.raises(OutputError, match=f"must be a new file, got {got}"):
            check_new(path, overwrite=True)
    assert pipe.is_fifo()


def test_a_null_that_is_not_allowed(tmp_path: Path) -> None:
    rows = batch(2, data_unit=pa.array(["a", None]))
    with pytest.raises(OutputError, match="'data_unit' is declared non-nullable but contains nulls"):
        write_parquet([rows], tmp_path / "rows.parquet")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_behind_a_group_that_cannot_be(tmp_path: Path) -> None:
    good = pa.Table.from_batches([batch(2)], SCHEMA)
    bad = pa.Table.from_batches([batch(2, data_unit=pa.array(["a", None]))], SCHEMA)

    def write() -> None:
        with new_parquet_file(tmp_path / "rows.parquet") as file:
            for group in (good, bad, good):
                file.write(group)

    with pytest.raises(OutputError, match="'data_unit' is declared non-nullable but contains nulls"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_another_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="must have the prediction table's schema"):
        write_parquet([pa.record_batch({"a": [1]})], tmp_path / "rows.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_a_name() -> None:
    with pytest.raises(OutputError, match="must be the name of a file"):
        write_parquet([], "")
