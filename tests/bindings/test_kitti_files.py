"""Which files `read_kitti` reads, and in which order and chunks."""

from __future__ import annotations

import math
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from predarrow.errors import InputError, PredarrowError
from predarrow.formats.kitti import pieces as kitti_pieces
from predarrow.formats.kitti import read as kitti
from predarrow.formats.kitti import small_files
from predarrow.formats.kitti import table as kitti_table
from predarrow.formats.kitti.read import read_kitti
from predarrow.report import Code
from predarrow.sources import KITTI_FILE_NAME_REGEX, PNG_FILE_NAME_REGEX, STANDARD_SUFFIXES, Source, split_name
from tests.kitti_files import LABEL, RESULT, write

_BOX = "0 0 0 1 2 3 4 0 0 0 0 0 0 0"


@pytest.mark.parametrize(
    ("name", "title", "frame"),
    [
        ("example_video__0.csv", "example_video", 0),
        ("a__b__3.txt", "a__b", 3),
        ("a__3__x.txt", "a__3__x", 0),
        ("000__0001.txt", "000", 1),
        ("img.jpg__5.txt", "img.jpg", 5),
        ("__7.txt", "__7", 0),
        ("v__-1.txt", "v__-1", 0),
        ("A.TXT", "A", 0),
        ("a.Csv", "a", 0),
    ],
)
def test_names(tmp_path: Path, name: str, title: str, frame: int) -> None:
    (row,) = read_kitti(write(tmp_path / name, LABEL).parent).read_all().to_pylist()
    assert (row["data_unit"], row["frame"]) == (title, frame)


_NAME = st.text("aA_0123.7٣ \u017f\n", max_size=8)
_SUFFIX = st.sampled_from([".txt", ".TXT", ".csv", ".cSv", ".c\u017fv", ".png", ".PnG", ".txt\n", "", "."])


@given(_NAME, _SUFFIX, st.sampled_from(sorted(STANDARD_SUFFIXES)))
@example("a___7", ".txt", KITTI_FILE_NAME_REGEX)
@example("__7__8", ".png", PNG_FILE_NAME_REGEX)
@example("a__", ".txt", KITTI_FILE_NAME_REGEX)
def test_names_are_split_as_the_standard_patterns_do(stem: str, suffix: str, pattern: str) -> None:
    compiled = re.compile(pattern)
    expected = compiled.match(stem + suffix)
    split = split_name(stem + suffix, compiled, STANDARD_SUFFIXES[pattern])
    assert split == (expected and (expected["data_unit_title"], expected["frame"]))


def test_a_folder_is_walked_and_other_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("b.txt", "deep/a__10.csv", "a__9.txt", "._b.txt"):
        write(tmp_path / name, LABEL)
    write(tmp_path / "ontology_mapping.json", "{}")
    write(tmp_path / "notes.md", "x")
    reader = read_kitti(tmp_path)
    table = reader.read_all()
    assert table["data_unit"].to_pylist() == ["a", "a", "b"]
    assert table["frame"].to_pylist() == [9, 10, 0]
    assert reader.report.skipped == {"hidden file": 1}
    assert reader.report.sources == 3
    with pytest.raises(InputError, match="at least one file whose name matches"):
        read_kitti(write(tmp_path / "none" / "a.json", "{}").parent)


@pytest.mark.parametrize(
    "names",
    [
        ("a.txt", "b.txt", "c.csv"),
        ("a.txt", "b/a.txt", "b/b/c.txt"),
        ("a/a.txt", "b.txt", "b/c.txt"),
        ("line\nbreak/a.txt", "line\nbreak/b.txt"),
    ],
)
@pytest.mark.parametrize("end", ["", "/", "//"])
def test_files_are_read_wherever_they_lie(tmp_path: Path, names: tuple[str, ...], end: str) -> None:
    for place, name in enumerate(names):
        write(tmp_path / name, LABEL.replace("Car", f"Car{place}"))
    table = read_kitti(f"{tmp_path}{end}").read_all()
    told = {row["class_name"]: row["source"] for row in table.to_pylist()}
    assert {name: Path(source) for name, source in told.items()} == {
        f"Car{place}": tmp_path / name for place, name in enumerate(names)
    }


def test_files_given_by_odd_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    odd = f"{tmp_path}//c.txt"  # were it taken from the folder on, it would be /c.txt
    paths = [str(tmp_path / "a.txt"), odd, "b.txt", f"{tmp_path}/x/../d.txt"]
    write(tmp_path / "x" / "e.txt", "")
    for path in paths:
        write(Path(path), RESULT)
    assert sorted(read_kitti(paths).read_all()["source"].to_pylist()) == sorted(paths)
    assert read_kitti(["a.txt", "b.txt"]).read_all().num_rows == 2
    assert read_kitti([paths[0], odd]).read_all()["data_unit"].to_pylist() == ["a", "c"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", LABEL)
    (tmp_path / "b.txt").symlink_to(tmp_path / "nowhere")
    write(tmp_path / "c.txt", LABEL)
    reader = read_kitti(tmp_path, on_error="skip")
    assert reader.read_all()["data_unit"].to_pylist() == ["a", "c"]
    assert [(p.code, p.source) for p in reader.report.problems] == [(Code.UNREADABLE, str(tmp_path / "b.txt"))]
    assert reader.report.sources == 3


def _many(folder: Path, n_files: int = 60) -> Path:
    for number in range(n_files):
        lines = [RESULT.replace("Car", name) for name in ("Car", "Van", "Tram")][: number % 4]
        write(folder / f"v__{number}.txt", "\n".join(lines))
    write(folder / "v__61.txt", "Car\n" + RESULT)
    return folder


@pytest.mark.parametrize("chunk_bytes", [1, 400, 1 << 24])
@pytest.mark.parametrize("workers", [1, 3])
def test_rows_do_not_depend_on_chunks_or_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int, workers: int
) -> None:
    _many(tmp_path)
    expected = read_kitti(tmp_path, workers=1, on_error="skip").read_all()
    monkeypatch.setattr(small_files, "_CHUNK_BYTES", chunk_bytes)
    monkeypatch.setattr(kitti, "_CHUNK_FILES", 7)
    monkeypatch.setattr(small_files, "_SMALL", 50)  # so that larger files are read in two steps
    monkeypatch.setattr(kitti_table, "_BATCH_ROWS", 2)
    done: list[tuple[int, int]] = []
    reader = read_kitti(tmp_path, workers=workers, on_error="skip", progress=lambda *numbers: done.append(numbers))
    batches = list(reader)
    assert max(batch.num_rows for batch in batches) == 2
    assert pa.Table.from_batches(batches).equals(expected)
    assert (reader.report.sources, reader.report.rejected) == (61, 1)
    assert done[-1] == (61, 61)
    assert expected.num_rows == 15 * 6 + 1


def _large(kind: str) -> bytes:
    """Text of several pieces with what may go wrong at their seams; every kind begins with a good record, but one."""
    label = RESULT.rsplit(" ", 1)[0]
    tracking = [f"{frame} 3 {label}" for frame in (5, 4, 3, 2, 1, 0)]
    lines = {
        "plain": [RESULT.replace("Car", f"Car{number}") for number in range(40)],
        "blank": [RESULT, "", "", *["", RESULT] * 20, "", "", ""],
        "bad": [RESULT, *["Car 1 2", RESULT, label, RESULT.replace("Car", "DontCare"), RESULT + " x"] * 8],
        "bad first": ["Car 1 2", *[RESULT] * 12],
        "mark within": [RESULT, *["\ufeff" + RESULT, RESULT] * 6],
        "tracking": tracking * 4,
        "long": [RESULT, "Car " + "1" * 3000, RESULT],
        "other layout": [label, *[RESULT] * 12, label],
    }[kind]
    return "\n".join(lines).encode()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize(
    "kind", ["plain", "blank", "bad", "bad first", "mark within", "tracking", "long", "other layout"]
)
def test_a_large_file_in_pieces_is_what_it_is_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, end: bytes
) -> None:
    text = _large(kind).replace(b"\n", end)
    for number, data in enumerate((text, text + end, b"\xef\xbb\xbf" + text, b"")):
        write(tmp_path / f"{number}.txt", data)
    whole = read_kitti(tmp_path, on_error="skip")
    expected = whole.read_all()
    monkeypatch.setattr(kitti_pieces, "LARGE", 300)
    monkeypatch.setattr(kitti_pieces, "_PIECE", 300)
    monkeypatch.setattr(kitti_pieces, "_HEAD", 150)
    monkeypatch.setattr(small_files, "_SMALL", 10)
    for workers in (1, 2):
        reader = read_kitti(tmp_path, on_error="skip", workers=workers)
        assert reader.read_all().to_pylist() == expected.to_pylist()
        assert reader.report == whole.report


def test_a_file_that_is_refused_is_refused_once_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kitti_pieces, "LARGE", 300)
    monkeypatch.setattr(kitti_pieces, "_PIECE", 300)
    monkeypatch.setattr(small_files, "_SMALL", 10)
    write(tmp_path / "a.txt", "\n".join([RESULT] * 20))
    source = Source(str(tmp_path / "a.txt"), "a", None, n_frames=3)
    parts = list(kitti_pieces.pieces(source, None, kitti_table.KittiOptions()))
    assert [problem.code for part in parts for problem in part.report.problems] == [Code.FRAME_RANGE]
    assert sum(part.report.sources for part in parts) == 1
    gone = list(kitti_pieces.pieces(source._replace(path="gone"), None, kitti_table.KittiOptions()))
    assert [(part.report.sources, part.report.problems[0].code) for part in gone] == [(1, Code.UNREADABLE)]


def test_what_comes_bit_by_bit_is_read_to_its_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")

    def write_slowly() -> None:
        with (tmp_path / "a.txt").open("w") as pipe:
            for _ in range(4):
                pipe.write(RESULT + "\n")
                pipe.flush()
                time.sleep(0.02)

    thread = threading.Thread(target=write_slowly)
    thread.start()
    assert read_kitti(tmp_path, workers=1).read_all().num_rows == 4
    thread.join()


@pytest.mark.parametrize("confidence", [10**400, True, math.nan, "1"])
def test_a_default_confidence_that_is_none(tmp_path: Path, confidence: Any) -> None:
    write(tmp_path / "a.txt", LABEL)
    with pytest.raises(PredarrowError, match="default_confidence: must be a finite number or None, got"):
        read_kitti(tmp_path, default_confidence=confidence)


def test_a_default_confidence_of_numpy(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", LABEL)
    table = read_kitti(tmp_path, default_confidence=cast(float, np.float32(0.5))).read_all()
    assert table["confidence"].to_pylist() == [0.5]


@pytest.mark.parametrize("path", [None, b"x", [1], 5])
def test_a_path_that_is_none(path: Any) -> None:
    with pytest.raises(PredarrowError, match="path: must be a folder, a file or a list of them, got"):
        read_kitti(path)


def test_a_pattern_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(PredarrowError, match="file_name_regex: must be a text, got 5"):
        read_kitti(tmp_path, file_name_regex=cast(str, 5))


def test_all_problems_come_in_the_files_order(tmp_path: Path) -> None:
    bad = ["Car 1", f"Car {_BOX}", f"Van {_BOX}", f"Car {_BOX}".replace("1", "nan"), f"Car {_BOX}".replace("1", "9")]
    for name in ("b", "a"):
        write(tmp_path / f"{name}.txt", "\n".join(bad))
    reader = read_kitti(tmp_path, classes={"Car": "car"}, on_error="skip")
    assert reader.read_all().num_rows == 2
    told = [(Path(p.source).name, p.row, p.pointer) for p in reader.report.problems]
    pointers = ["line 1", "line 3, class", "line 4, left", "line 5, box"]
    assert told == [(f"{name}.txt", int(p[5]) - 1, p) for name in "ab" for p in pointers]


def test_a_reader_speaks_arrows_stream(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", RESULT)
    assert pa.table(read_kitti(tmp_path)).equals(read_kitti(tmp_path).read_all())
