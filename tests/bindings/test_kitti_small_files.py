"""Many small KITTI files: read by a kernel or one by one, they come to the same."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow.formats.kitti import pieces as kitti_pieces
from predarrow.formats.kitti import small_files
from predarrow.formats.kitti.read import read_kitti
from predarrow.formats.kitti.small_files import SmallFiles, read_small
from predarrow.report import Code
from predarrow_engine.small_files import IS_THERE
from tests.kitti_files import LABEL, RESULT, write

pytestmark = pytest.mark.skipif(not IS_THERE, reason="the system lacks the calls")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

_NAMES = ("a.txt", "ü 1.txt", "名.txt", os.fsdecode(b"\xff.txt"), "deep/b.txt", "line\nbreak.txt")


def _told(files: SmallFiles) -> tuple[bytes, list[int], dict[int, tuple[int | None, str | None]], int]:
    errors = {place: (error.errno, error.strerror) for place, error in files.failed.items()}
    return bytes(files.text.data), files.text.file_offsets.tolist(), errors, files.n_seen


def _same(paths: Sequence[str]) -> SmallFiles:
    """Give what was read by a kernel, which is what is read one by one, and what stands in the files."""
    files = read_small(paths)
    assert isinstance(files.text.data, memoryview)
    assert _told(files) == _told(small_files._one_by_one(paths))
    seen = [Path(path) for place, path in enumerate(paths[: files.n_seen]) if place not in files.failed]
    assert bytes(files.text.data) == b"".join(path.read_bytes() for path in seen)
    return files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of files of many kinds, most of them by several sizes."""
    path = tmp_path_factory.mktemp("files")
    for size in (0, 1, 99, 100, 101, 300, 1000, 2000):
        write(path / f"{size}.txt", bytes(range(256)) * 8 if size == 2000 else b"x" * size)
    for name in _NAMES:
        write(path / name, os.fsencode(name))
    (path / "folder.txt").mkdir()
    (path / "dangling.txt").symlink_to(path / "nowhere")
    return path


_ANY = st.sampled_from(
    [
        *(f"{size}.txt" for size in (0, 1, 99, 100, 101, 300, 1000, 2000)),
        *_NAMES,
        "folder.txt",
        "dangling.txt",
        "gone.txt",
    ]
)


@given(
    names=st.lists(_ANY, min_size=2, max_size=40),
    small=st.sampled_from([1, 100, 1 << 16]),
    large=st.sampled_from([500, 1 << 20]),
    chunk_bytes=st.sampled_from([1, 700, 1 << 24]),
    at_once=st.sampled_from([1, 3, 64]),
    expected=st.sampled_from([0, 1 << 10]),
)
def test_files_read_by_a_kernel_are_those_read_one_by_one(
    folder: Path, names: list[str], small: int, large: int, chunk_bytes: int, at_once: int, expected: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_files, "_SMALL", small)
        patch.setattr(small_files, "_CHUNK_BYTES", chunk_bytes)
        patch.setattr(small_files, "_AT_ONCE", at_once)
        patch.setattr(small_files, "_EXPECTED", expected)
        patch.setattr(kitti_pieces, "LARGE", large)
        _same([f"{folder}/{name}" for name in names])


@pytest.mark.parametrize("head", ["{0}/", "{0}//", "{0}/deep/../", ""])
def test_paths_of_every_form_are_opened_by_the_kernel(folder: Path, monkeypatch: pytest.MonkeyPatch, head: str) -> None:
    monkeypatch.chdir(folder)
    paths = [head.format(folder) + name for name in _NAMES]
    odd = f"{folder}//99.txt"  # were it taken from the folder on, it would be /99.txt
    for some in (paths, paths[::-1], [*paths, f"{folder}/1.txt"], ["1.txt", *paths], [paths[4], *paths], [*paths, odd]):
        expected = _told(_same(some))
        with monkeypatch.context() as patch:
            patch.setattr(small_files, "_content", None)  # which is not asked
            assert _told(read_small(some)) == expected


def test_a_path_that_no_system_has(folder: Path) -> None:
    with pytest.raises(ValueError, match="embedded null byte"):
        read_small([f"{folder}/1.txt", f"{folder}/1\0.txt"])


def test_more_files_than_are_read_in_a_call(tmp_path: Path) -> None:
    paths = [str(write(tmp_path / f"{number}.txt", str(number))) for number in range(200)]
    assert bytes(_same(paths).text.data) == "".join(map(str, range(200))).encode()
    Path(paths[64]).unlink()
    Path(paths[199]).unlink()
    assert list(_same(paths).failed) == [64, 199]


def test_files_that_go_after_they_were_found(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d", "e"):
        write(tmp_path / f"{name}.txt", LABEL)
    reader = read_kitti(tmp_path, on_error="skip")
    (tmp_path / "b.txt").unlink()
    (tmp_path / "d.txt").unlink()
    (tmp_path / "d.txt").mkdir()
    assert reader.read_all()["data_unit"].to_pylist() == ["a", "c", "e"]
    assert [(problem.source, problem.code, problem.message) for problem in reader.report.problems] == [
        (f"{tmp_path}/{name}.txt", Code.UNREADABLE, f"must be a file that can be read, got {error}")
        for name, error in (("b", "No such file or directory"), ("d", "Is a directory"))
    ]


def test_a_folder_that_goes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / "in" / f"{name}.txt", LABEL)
    reader = read_kitti(tmp_path / "in", on_error="skip")
    (tmp_path / "in").rename(tmp_path / "away")
    assert reader.read_all().num_rows == 0
    assert [problem.code for problem in reader.report.problems] == [Code.UNREADABLE] * 2


def test_a_large_one_among_small_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kitti_pieces, "LARGE", 1 << 17)
    for place in range(8):
        write(tmp_path / f"{place}.txt", (RESULT + "\n") * (2000 if place in (2, 3, 6) else place))
    for workers in (1, 2):
        rows = read_kitti(tmp_path, workers=workers).read_all()["data_unit"].to_pylist()
        assert [rows.count(str(place)) for place in range(8)] == [0, 1, 2000, 2000, 4, 5, 2000, 7]
        assert rows == sorted(rows)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_pipe_among_files(tmp_path: Path, place: int) -> None:
    for name in ("0", "1", "2"):
        write(tmp_path / f"{name}.txt", RESULT)
    (tmp_path / f"{place}.txt").unlink()
    os.mkfifo(tmp_path / f"{place}.txt")

    def feed() -> None:
        with (tmp_path / f"{place}.txt").open("w", buffering=1) as pipe:
            for _ in range(3):
                pipe.write(RESULT + "\n")

    thread = threading.Thread(target=feed)
    thread.start()
    rows = read_kitti(tmp_path, workers=1).read_all()["data_unit"].to_pylist()
    thread.join()
    assert [rows.count(name) for name in ("0", "1", "2")] == [
        3 if name == str(place) else 1 for name in ("0", "1", "2")
    ]


def test_a_file_that_grows_is_read_from_its_beginning_on(tmp_path: Path) -> None:
    paths = [str(write(tmp_path / f"{name}.txt", "")) for name in "ab"]
    ended = threading.Event()

    def grow() -> None:
        with (tmp_path / "b.txt").open("ab", buffering=0) as file:
            for number in range(20_000):
                file.write(b"%08d" % number)
                if ended.is_set():
                    return

    thread = threading.Thread(target=grow)
    thread.start()
    read = [bytes(read_small(paths).text.data) for _ in range(100)]
    ended.set()
    thread.join()
    whole = (tmp_path / "b.txt").read_bytes()
    assert all(whole.startswith(text) for text in read)
    assert [len(text) for text in read] == sorted(map(len, read))


@on_linux
def test_files_of_no_length(folder: Path) -> None:
    files = _same([f"{folder}/1.txt", "/proc/version", "/dev/null", f"{folder}/99.txt"])
    offsets = files.text.file_offsets
    assert bytes(files.text.data[offsets[1] : offsets[2]]) == Path("/proc/version").read_bytes()
    assert np.diff(offsets).tolist()[2:] == [0, 99]


@contextmanager
def _descriptors(n: int) -> Iterator[None]:
    """Leave so many descriptors to this process, and see that it has none more in the end."""
    import resource

    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(n + 1)]
    for handle in held:
        os.close(handle)
    before = _n_descriptors()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (held[-1], hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert _n_descriptors() == before


def _n_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@on_linux
@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_descriptors(tmp_path: Path, n: int) -> None:
    paths = [str(write(tmp_path / f"{number:03}.txt", "x" * number)) for number in range(300)]
    read_small(paths)
    with _descriptors(n):
        files = read_small(paths)
    errors = [error.strerror for error in files.failed.values()]
    assert errors == ([] if n == 2 else ["Too many open files"] * 300)


@on_linux
def test_no_descriptor_is_left_open(folder: Path) -> None:
    names = ["1.txt", "folder.txt", "dangling.txt", "2000.txt", "/proc/version", "99.txt"]
    read_small(paths := [name if name[0] == "/" else f"{folder}/{name}" for name in names] * 20)
    with _descriptors(3):
        assert len(read_small(paths).failed) == 40


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system lacks timers")
def test_a_signal_comes_through_where_a_file_keeps_waiting(folder: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "b.txt")  # nobody ever writes to it

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    read_small(paths := [f"{folder}/1.txt", f"{folder}/99.txt"])
    former = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            read_small([*paths, str(tmp_path / "b.txt"), *paths])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
