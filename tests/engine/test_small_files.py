"""Files that a kernel reads, against Python's own calls."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine.small_files import FULL, IS_THERE, UNOPENED, read_files
from tests import naive_files as naive
from tests.guarded import guarded

pytestmark = pytest.mark.skipif(not IS_THERE, reason="the system lacks the calls")

_SIZES = (0, 1, 7, 63, 64, 65, 100)
_ODD = (b"gone.txt", b"folder", b"", b"folder/x", b"loop", b"n" * 300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Give a folder with files of many sizes, told by their names, and others that cannot be read, opened."""
    path = tmp_path_factory.mktemp("files")
    for size in _SIZES:
        (path / f"{size}.txt").write_bytes(bytes(range(1, size + 1)))
    (path / "folder").mkdir()
    (path / "folder" / "ü 100.txt").write_bytes(b"deep")
    (path / "loop").symlink_to(path / "loop")
    handle = os.open(path, os.O_RDONLY)
    yield handle
    os.close(handle)


def _read(
    folder: int, paths: Sequence[bytes], *, small: int, limit: int, room: int, first: int
) -> tuple[int, list[bytes], bytes]:
    """Give what the kernel read, as the twin does; what it may not touch lies beyond memory, or was not changed."""
    text = guarded(np.frombuffer(b"".join(path + b"\0" for path in paths), np.uint8))
    text.flags.writeable = False
    starts = np.append(0, np.cumsum([len(path) + 1 for path in paths]))[:-1]
    out = guarded(np.full(room, 0xAA, np.uint8))
    offsets: npt.NDArray[np.int64] = np.full(len(paths) + 1, -1)
    offsets[0] = first
    n, handle, n_begun = read_files(folder, text, starts, os.O_RDONLY, os.SEEK_END, small, limit, out, offsets)
    end = int(offsets[n])
    assert (offsets[n + 1 :] == -1).all()
    assert (out[:first] == 0xAA).all()
    assert (out[end + n_begun :] == 0xAA).all()
    contents = [out[offsets[i] : offsets[i + 1]].tobytes() for i in range(n)]
    begun = out[end : end + n_begun].tobytes()
    if handle >= 0:
        os.close(handle)
        return naive.NOT_PROVEN, contents, begun
    assert handle in (UNOPENED, FULL)
    full = naive.COMPLETE if n == len(paths) else naive.FULL
    return naive.UNOPENED if handle == UNOPENED else full, contents, begun


_PLAIN = st.sampled_from([b"%d.txt" % size for size in _SIZES] + ["folder/ü 100.txt".encode()])


@settings(max_examples=300)
@given(
    paths=st.lists(_PLAIN, max_size=12).flatmap(
        lambda plain: st.permutations([*plain, *_ODD[: len(plain) % 3]]) | st.just(plain) | st.just([*plain, *_ODD])
    ),
    small=st.sampled_from([1, 8, 64, 65, 66, 200]),
    limit=st.sampled_from([0, 1, 100, 101, 10_000]),
    room=st.sampled_from([0, 64, 65, 128, 300, 5000]),
    first=st.sampled_from([0, 1, 60]),
)
def test_files_are_read_as_python_reads_them(
    folder: int, paths: list[bytes], small: int, limit: int, room: int, first: int
) -> None:
    first = min(first, room)
    expected = naive.read_files(folder, paths, small=small, limit=limit, room=room, first=first)
    assert _read(folder, paths, small=small, limit=limit, room=room, first=first) == expected


@pytest.mark.parametrize("name", _ODD)
def test_one_that_cannot_be_read_ends_it_at_its_place(folder: int, name: bytes) -> None:
    end, contents, begun = _read(folder, [b"7.txt", name, b"1.txt"], small=64, limit=1000, room=1000, first=0)
    assert (contents, begun) == ([bytes(range(1, 8))], b"")
    assert end == (naive.NOT_PROVEN if name in (b"folder",) else naive.UNOPENED)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_descriptors_are_closed_and_what_has_no_length_is_handed_on(folder: int) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    paths = [*[b"%d.txt" % size for size in _SIZES] * 20, b"/proc/self/stat"]
    end, contents, begun = _read(folder, paths, small=200, limit=10_000, room=10_000, first=0)
    assert (end, len(contents)) == (naive.NOT_PROVEN, 140)
    assert begun.startswith(b"%d (" % os.getpid())
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_pipe_keeps_what_was_read_of_it(folder: int, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    both = os.open(tmp_path / "pipe", os.O_RDWR)  # so that neither end waits for the other
    try:
        os.write(both, b"0123456789")
        path = os.fsencode(tmp_path / "pipe")
        expected = naive.NOT_PROVEN, [b"\1"], b"01234567"
        assert _read(folder, [b"1.txt", path, b"7.txt"], small=8, limit=100, room=100, first=0) == expected
        assert os.read(both, 100) == b"89"
    finally:
        os.close(both)
