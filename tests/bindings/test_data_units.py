from __future__ import annotations

import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from predarrow.data_units import SCHEMA, DataUnit, DataUnits
from predarrow.errors import InputError
from predarrow.report import Code


def png(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def test_defaults() -> None:
    units = DataUnits.from_table({"id": ["x/a.jpg", "v"], "kind": [None, "video"]})
    assert units.table.schema.equals(SCHEMA)
    assert units.row(0) == DataUnit("x/a.jpg", "a.jpg", "image", None, None, 1, None, None, None, None)
    assert units.row(1) == DataUnit("v", "v", "video", None, None, None, None, None, None, None)
    assert len(units) == 2
    assert repr(units) == "<DataUnits: 2>"
    with pytest.raises(IndexError):
        units.row(2)


def test_other_types_and_columns() -> None:
    ids = pa.array(["007", "8"]).dictionary_encode()
    table = pa.table({"n_frames": [3.0, None], "id": ids, "colour": [1, 2], "kind": ["video", "image"]})
    units = DataUnits.from_table(table)
    assert units.table["id"].to_pylist() == ["007", "8"]
    assert units.table["n_frames"].to_pylist() == [3, 1]
    assert units.table.column_names == SCHEMA.names


def test_empty_table() -> None:
    units = DataUnits.from_table({"id": pa.array([], pa.string())})
    assert len(units) == 0
    assert units.find("a") == []


def test_titles_are_found_with_and_without_extension() -> None:
    titles = ["a.jpg", "a.png", "b.jpg", "b", "c.tar.jpg", ".hidden", "x/d.jpg"]
    units = DataUnits.from_table({"id": [str(index) for index in range(7)], "title": titles})
    assert units.find("a.jpg") == [0]
    assert units.find("a") == [0, 1]
    assert units.find("b") == [3], "the full title wins"
    assert units.find("c.tar") == [4]
    assert units.find("c") == []
    assert units.find(".hidden") == [5]
    assert units.find("x/d") == [6]
    assert units.find("d.jpg") == []
    assert units.find("") == []


def test_same_title_twice() -> None:
    units = DataUnits.from_table({"id": ["1", "2"], "title": ["a.jpg", "a.jpg"]})
    assert units.find("a.jpg") == units.find("a") == [0, 1]
    assert units.by_id("2") == 1
    assert units.by_id("a.jpg") is None


def test_csv_and_parquet(tmp_path: Path) -> None:
    (tmp_path / "units.csv").write_text('title,id,width,height,fps,extra\nnull,007,640,480,,1\n"a,b",NA,,,29.97,2\n')
    units = DataUnits.read(tmp_path / "units.csv")
    assert units.table["id"].to_pylist() == ["007", "NA"]
    assert units.table["title"].to_pylist() == ["null", "a,b"]
    assert units.row(0).width == 640
    assert units.row(1)[3:7] == (None, None, 1, 29.97)
    pq.write_table(units.table, tmp_path / "units.parquet")
    assert DataUnits.read(tmp_path / "units.parquet").table == units.table


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"title": ["a"]}, "units: must have a column 'id', got title"),
        ({"id": ["a"], "heigth": [3]}, "column heigth: no such column; did you mean 'height'"),
        ({"id": ["a", "b", "a"]}, "row 2: column id: each id must stand once, got 'a' in row 0 as well"),
        ({"id": ["a", None]}, "row 1: column id: must not be empty"),
        ({"id": ["a"], "title": [""]}, "row 0: column title: must not be empty"),
        ({"id": ["a", "b"], "width": [3, 0]}, "row 1: column width: must be greater than 0, got 0"),
        ({"id": ["a"], "fps": [float("nan")]}, "row 0: column fps: must be greater than 0, got nan"),
        ({"id": ["a"], "height": ["tall"]}, "column height: must be int32: "),
        ({"id": ["a"], "width": [2**40]}, "column width: must be int32: "),
        ({"id": ["a"], "width": [0.5]}, "column width: must be int32: "),
        ({"id": [["a"]]}, "column id: must be string: "),
        ({"id": ["a"], "width": [1, 2]}, "must be a table: "),
        (3, "must be a table: "),
    ],
)
def test_tables_that_do_not_hold(columns: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        DataUnits.from_table(columns, where="units")
    assert caught.value.problems[0].code == Code.BAD_TABLE


def test_column_that_stands_twice() -> None:
    table = pa.table([["a"], ["b"]], names=["id", "id"])
    with pytest.raises(InputError, match="each column must stand once, got id, id"):
        DataUnits.from_table(table)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("units.csv", b"id,width\na,wide\n", "units.csv: .*wide"),
        ("units.csv", b"", "units.csv: .*[Ee]mpty"),
        ("units.parquet", b"PAR1 or not", "units.parquet: "),
        ("units.json", b"{}", "units.json: must be a .csv or .parquet file, got '.json'"),
    ],
)
def test_files_that_do_not_hold(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        DataUnits.read(tmp_path / name)


@pytest.mark.parametrize("name", ["none.csv", "none.parquet"])
def test_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be read") as caught:
        DataUnits.read(tmp_path / name)
    assert caught.value.problems[0].code == Code.UNREADABLE


def test_folder_of_images(tmp_path: Path) -> None:
    for name, size in {"b/2.PNG": (3, 4), "b/10.png": (5, 6), "a.png": (7, 8), ".c/x.png": (1, 1)}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(png(*size))
    (tmp_path / "b" / "readme.txt").write_text("no image")
    (tmp_path / "b" / "._2.png").write_text("what a file manager leaves")
    units = DataUnits.scan_folder(tmp_path)
    assert units.table.select(["id", "title", "kind", "width", "height", "n_frames"]).to_pylist() == [
        {"id": "a.png", "title": "a.png", "kind": "image", "width": 7, "height": 8, "n_frames": 1},
        {"id": "b/10.png", "title": "10.png", "kind": "image", "width": 5, "height": 6, "n_frames": 1},
        {"id": "b/2.PNG", "title": "2.PNG", "kind": "image", "width": 3, "height": 4, "n_frames": 1},
    ]
    assert Path(units.row(1).uri or "").read_bytes() == png(5, 6)


def test_folder_with_unreadable_images_names_them_all(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(1, 1))
    for name in ("b.png", "c.jpg"):
        (tmp_path / name).write_bytes(b"no image")
    with pytest.raises(InputError) as caught:
        DataUnits.scan_folder(tmp_path)
    assert [Path(problem.source).name for problem in caught.value.problems] == ["b.png", "c.jpg"]


def test_folder_without_images(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must hold images") as caught:
        DataUnits.scan_folder(tmp_path)
    assert caught.value.problems[0].code == Code.NO_SOURCES
    shutil.rmtree(tmp_path)
    with pytest.raises(InputError, match="must be a folder"):
        DataUnits.scan_folder(tmp_path)
