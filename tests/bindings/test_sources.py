from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow.errors import InputError, PredarrowError
from predarrow.report import Code
from predarrow.resolve import resolve
from predarrow.sources import CHUNK_BYTES, CHUNK_FILES, Found, Source, chunked, find_sources, read_bytes, sort_key
from tests.mask_files import mask_project, unit, write_mask


def _touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def _read(found: Found, root: Path) -> list[tuple[str, int | None, str]]:
    return [(s.data_unit, s.frame, os.path.relpath(s.path, root)) for s in found.sources]


@pytest.mark.parametrize(
    ("name", "title", "frame"),
    [
        ("image.png", "image", None),
        ("image.PNG", "image", None),
        ("video__7.png", "video", 7),
        ("video__007.png", "video", 7),
        ("a__b__3.png", "a__b", 3),
        ("a__3__x.png", "a__3__x", None),
        ("img.jpg__5.png", "img.jpg", 5),
        ("v__-1.png", "v__-1", None),
        ("__7.png", "__7", None),
        ("ümläut 1.png", "ümläut 1", None),
        ("v__٣.png", "v", 3),
    ],
)
def test_names(tmp_path: Path, name: str, title: str, frame: int | None) -> None:
    found = find_sources(_touch(tmp_path, name))
    assert _read(found, tmp_path) == [(title, frame, name)]


def test_folders_are_walked_and_sources_sorted(tmp_path: Path) -> None:
    _touch(tmp_path, "b.png", "z/a__10.png", "z/y/a__9.png", "a__2.png", "notes.txt", "ontology_mapping.json")
    found = find_sources(tmp_path)
    assert _read(found, tmp_path) == [
        ("a", 2, "a__2.png"),
        ("a", 9, "z/y/a__9.png"),
        ("a", 10, "z/a__10.png"),
        ("b", None, "b.png"),
    ]
    assert found.skipped == {}


@pytest.mark.parametrize("further", [(), ("notes.md",), ("é.png",), ("a__2.png",), ("x/b.png",), ("x/0.PNG", "c.PNG")])
def test_plain_names_together_are_what_they_are_one_by_one(tmp_path: Path, further: tuple[str, ...]) -> None:
    names = [*further, "b.png", "a.png", "a-b.png", "a b.png", "a.b.png", "a.png.png"]
    found = find_sources(_touch(tmp_path, *names))
    one_by_one = [find_sources(tmp_path / name).sources[0] for name in names if name.lower().endswith(".png")]
    assert list(found.sources) == sorted(one_by_one, key=sort_key)
    assert list(found.sources[1:3]) == sorted(one_by_one, key=sort_key)[1:3]


def test_hidden_files_are_left_out_and_counted(tmp_path: Path) -> None:
    _touch(tmp_path, "a.png", "._a.png", ".ipynb_checkpoints/a.png")
    found = find_sources(tmp_path)
    assert len(found.sources) == 1
    assert found.skipped == {"hidden file": 1}
    assert find_sources(tmp_path / "._a.png").sources[0].data_unit == "._a"


def test_linked_folders_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    _touch(tmp_path / "other", "b.png")
    _touch(tmp_path / "root" / "inner", "a.png")
    (tmp_path / "root" / "link").symlink_to(tmp_path / "other")
    (tmp_path / "root" / "inner" / "up").symlink_to(tmp_path / "root")
    assert [s.data_unit for s in find_sources(tmp_path / "root").sources] == ["a", "b"]


def test_files_given_one_by_one(tmp_path: Path) -> None:
    _touch(tmp_path, "b.png", "a.png")
    found = find_sources([tmp_path / "b.png", str(tmp_path / "a.png")])
    assert [s.data_unit for s in found.sources] == ["a", "b"]
    for again in (str(tmp_path / "b.png"), f"{tmp_path}/./b.png", str(tmp_path)):
        with pytest.raises(InputError, match=r"b\.png: a file may be named once"):
            find_sources([tmp_path / "b.png", again])


def test_own_pattern(tmp_path: Path) -> None:
    _touch(tmp_path, "x_12.png", "y.png")
    found = find_sources(tmp_path, r"(?P<data_unit_title>x)_(?P<frame>\d+)\.png")
    assert _read(found, tmp_path) == [("x", 12, "x_12.png")]
    assert found.skipped == {"file name does not match": 1}
    without_frame = find_sources(tmp_path, r"(?P<data_unit_title>.+)\.png")
    assert [(s.data_unit, s.frame) for s in without_frame.sources] == [("x_12", 0), ("y", 0)]


@pytest.mark.parametrize("pattern", [r"(?P<title>.*)\.png", "(", r".*\.png"])
def test_a_pattern_must_hold(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(PredarrowError, match="file_name_regex"):
        find_sources(_touch(tmp_path, "a.png"), pattern)


def test_nothing_found_is_an_error(tmp_path: Path) -> None:
    _touch(tmp_path, "a.txt", "b.json")
    with pytest.raises(InputError, match="got 2 other files") as caught:
        find_sources(tmp_path)
    assert caught.value.problems[0].code is Code.NO_SOURCES
    with pytest.raises(InputError, match="nothing there"):
        find_sources(tmp_path / "missing")


def test_a_frame_that_the_table_cannot_hold(tmp_path: Path) -> None:
    found = find_sources(_touch(tmp_path, f"v__{2**31}.png", f"v__{2**31 - 1}.png", "v__1631441453299504000.png"))
    assert [s.frame for s in found.sources] == [2**31 - 1]
    assert [problem.code for problem in found.problems] == [Code.FRAME_RANGE] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")).write_bytes(b"x")
    found = find_sources(tmp_path)
    assert found.sources == []
    assert found.problems[0].code is Code.UNREADABLE
    assert found.problems[0].source.endswith("\\xff.png")


@given(st.lists(st.integers(0, 1_200_000), max_size=1100))
def test_chunks_keep_the_order_and_their_bounds(sizes: list[int]) -> None:
    from unittest.mock import patch

    sources = [Source(str(number), "u", number) for number in range(len(sizes))]
    with patch("predarrow.sources._size", lambda path: sizes[int(path)]):
        chunks = list(chunked(sources))
    assert [source for chunk in chunks for source in chunk] == sources
    for chunk in chunks:
        assert 0 < len(chunk) <= CHUNK_FILES
        assert sum(sizes[int(source.path)] for source in chunk[:-1]) < CHUNK_BYTES


def _runs(n_files: int, file_bytes: int) -> list[int]:
    from unittest.mock import patch

    with patch("predarrow.sources._size", lambda path: file_bytes):
        return [len(chunk) for chunk in chunked([Source("f", "u", 0)] * n_files)]


def test_few_files_are_cut_into_runs_for_two_threads() -> None:
    assert _runs(64, 24_000) == [6, 13, 13, 13, 13, 6]
    assert _runs(400, 3_800) == [29, 57, 57, 57, 57, 57, 57, 29]
    assert _runs(10, 24_000) == [10]
    assert _runs(11, 24_000) == [5, 6]
    assert _runs(70, 0) == [64, 6]
    assert _runs(3, 2_000_000) == [1, 1, 1]
    assert _runs(1100, 3_800) == [64] * 17 + [12]


@given(st.integers(1, 1023), st.integers(1, 100_000))
def test_runs_of_few_files_are_alike(n_files: int, file_bytes: int) -> None:
    runs = _runs(n_files, file_bytes)
    assert sum(runs) == n_files
    assert len(runs) == 1 or len(runs) % 2 == 0
    whole = runs[1:-1]
    if whole:
        assert max(whole) - min(whole) <= 1
        assert max(abs(2 * half - whole[0]) for half in (runs[0], runs[-1])) <= 2
    assert abs(runs[0] - runs[-1]) <= 1


def test_bytes_of_a_file(tmp_path: Path) -> None:
    data = os.urandom(100_000)
    (tmp_path / "f").write_bytes(data)
    assert read_bytes(str(tmp_path / "f")) == data
    (tmp_path / "empty").touch()
    assert read_bytes(str(tmp_path / "empty")) == b""


def test_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    code = f"from predarrow.sources import read_bytes; print(read_bytes({str(tmp_path / 'pipe.png')!r}))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout == "b''\n"


UNITS = (
    unit("u1", "image.jpg"),
    unit("u2", "video.mp4", "video", 5),
    unit("u3", "twin.jpg"),
    unit("u4", "twin.png"),
    unit("u5", "odd__7.jpg"),
    unit("u6", "open", "video", None, None),
    unit("u7", "same.jpg"),
    unit("u8", "same.jpg"),
)


def _resolve(tmp_path: Path, *names: str) -> Found:
    folder = tmp_path / "masks"
    for name in names:
        write_mask(folder / name)
    return resolve(find_sources(folder), mask_project(tmp_path / "project", *UNITS).data_units)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("image.png", ("u1", 0)),
        ("image.jpg.png", ("u1", 0)),
        ("image__0.png", ("u1", 0)),
        ("video__4.png", ("u2", 4)),
        ("video.mp4__4.png", ("u2", 4)),
        ("twin.png.png", ("u4", 0)),
        ("odd__7.png", ("u5", 0)),
        ("odd__7__0.png", ("u5", 0)),
        ("open__99.png", ("u6", 99)),
        ("open.png", ("u6", 0)),
    ],
)
def test_titles_find_their_data_unit(tmp_path: Path, name: str, expected: tuple[str, int]) -> None:
    found = _resolve(tmp_path, name)
    assert [(s.data_unit, s.frame) for s in found.sources] == [expected]
    assert found.problems == []


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("stranger.png", Code.UNKNOWN_DATA_UNIT, "got 'stranger'"),
        (
            "twin.png",
            Code.AMBIGUOUS_DATA_UNIT,
            "(u3, u4); write the whole title in the file's name: twin.jpg or twin.png",
        ),
        ("same.png", Code.AMBIGUOUS_DATA_UNIT, "(u7, u8); tell them apart with file_path_to_data_unit_func"),
        ("video.png", Code.FRAME_RANGE, "5 frames"),
        ("video__5.png", Code.FRAME_RANGE, "0 to 4, got 5"),
        ("image__1.png", Code.FRAME_RANGE, "0 to 0, got 1"),
    ],
)
def test_what_does_not_match_is_told(tmp_path: Path, name: str, code: Code, text: str) -> None:
    found = _resolve(tmp_path, name)
    assert found.sources == []
    (problem,) = found.problems
    assert (problem.code, problem.source) == (code, str(tmp_path / "masks" / name))
    assert text in problem.message


def test_two_files_for_one_frame_are_both_refused(tmp_path: Path) -> None:
    found = _resolve(tmp_path, "image.png", "sub/image.jpg.png", "video__1.png")
    assert [(s.data_unit, s.frame) for s in found.sources] == [("u2", 1)]
    assert [problem.code for problem in found.problems] == [Code.DUPLICATE_SOURCE] * 2
    assert "sub/image.jpg.png as well" in found.problems[0].message


def test_a_function_may_tell_the_data_unit(tmp_path: Path) -> None:
    for name in ("x1.png", "x2.png", "x3.png"):
        write_mask(tmp_path / "masks" / name)
    answers: dict[str, tuple[str, int | None]] = {"x1": ("u2", 3), "x2": ("u1", None), "x3": ("nobody", 0)}
    data_units = mask_project(tmp_path / "project", *UNITS).data_units
    found = find_sources(tmp_path / "masks")
    resolved = resolve(found, data_units, file_path_to_data_unit_func=lambda path: answers[path.stem])
    assert [(s.data_unit, s.frame) for s in resolved.sources] == [("u1", 0), ("u2", 3)]
    assert [problem.code for problem in resolved.problems] == [Code.UNKNOWN_DATA_UNIT]


@pytest.mark.parametrize(
    ("answer", "code", "text"),
    [
        (None, Code.UNKNOWN_DATA_UNIT, r"must give an id and a frame \(a whole number or None\), got None"),
        ("u1", Code.UNKNOWN_DATA_UNIT, "must give an id and a frame .* got 'u1'"),
        (("u1", 0, 0), Code.UNKNOWN_DATA_UNIT, r"must give an id and a frame .* got \('u1', 0, 0\)"),
        (("u1", "0"), Code.UNKNOWN_DATA_UNIT, "must give an id and a frame"),
        (("u1", 0.0), Code.UNKNOWN_DATA_UNIT, "must give an id and a frame"),
        (([], 0), Code.UNKNOWN_DATA_UNIT, r"must be the id of a data unit of the project, got \[\]"),
        (("u6", 2**31), Code.FRAME_RANGE, "0 to 2147483647, got 2147483648"),
        (("u6", -1), Code.FRAME_RANGE, "0 to 2147483647, got -1"),
    ],
)
def test_what_a_function_may_not_tell(tmp_path: Path, answer: Any, code: Code, text: str) -> None:
    write_mask(tmp_path / "masks" / "x.png")
    data_units = mask_project(tmp_path / "project", *UNITS).data_units
    found = resolve(find_sources(tmp_path / "masks"), data_units, file_path_to_data_unit_func=lambda path: answer)
    assert found.sources == []
    (problem,) = found.problems
    assert (problem.code, problem.source) == (code, str(tmp_path / "masks" / "x.png"))
    assert re.search(text, problem.message)


def test_a_function_that_is_none_is_refused(tmp_path: Path) -> None:
    write_mask(tmp_path / "masks" / "image.png")
    data_units = mask_project(tmp_path / "project", *UNITS).data_units
    function: Any = "u1"
    message = "file_path_to_data_unit_func: must be a function of a path, or None, got 'u1'"
    with pytest.raises(PredarrowError, match=message):
        resolve(find_sources(tmp_path / "masks"), data_units, file_path_to_data_unit_func=function)
