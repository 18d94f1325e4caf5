"""The text of many small KITTI files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow.formats.kitti import pieces as kitti_pieces
from predarrow.formats.kitti.problems import KittiText

_CHUNK_BYTES = 16 << 20
_SMALL = 1 << 16
_EXPECTED = 1 << 10  # bytes of a file, in the memory at first: KITTI's own have 450
_AT_ONCE = 64  # files in a call: for so many Ctrl-C waits, in a slow folder too
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class SmallFiles(NamedTuple):
    """What the first of some files hold."""

    text: KittiText
    """Of those that could be read."""
    failed: dict[int, OSError]
    """Why others could not, by their places."""
    n_seen: int
    """How many both are. The next file is large, or those before it are together."""


def read_small(paths: Sequence[str]) -> SmallFiles:
    """Give the text of files, from the first one on, until they are large enough together."""
    from predarrow_engine.small_files import IS_THERE

    if len(paths) == 1 or not IS_THERE:
        return _one_by_one(paths)
    names, folder = _from_folder(paths)
    if names.count("\0") > len(paths):  # no path of the system
        return _one_by_one(paths)
    try:
        handle = os.open(folder or ".", os.O_RDONLY)
    except OSError:  # a folder that may be passed through, not listed
        return _one_by_one(paths)
    try:
        return _together(paths, os.fsencode(names), handle)
    finally:
        os.close(handle)


def _from_folder(paths: Sequence[str]) -> tuple[str, str]:
    """Give paths with a NUL behind each, from the folder on in which all files lie, and that folder; "" without one.

    To open a file so takes a tenth less time.
    """
    folder = paths[0][: paths[0].rfind("/") + 1]
    text = "\0".join([*paths, ""])
    if folder and "//" not in text:
        names = text[len(folder) :].replace(f"\0{folder}", "\0")
        if len(text) - len(names) == len(paths) * len(folder):
            return names, folder
    return text, ""


def _one_by_one(paths: Sequence[str]) -> SmallFiles:
    texts: list[bytes] = []
    failed: dict[int, OSError] = {}
    offsets = [0]
    for place, path in enumerate(paths):
        content = _content(path) if offsets[-1] < _CHUNK_BYTES else None
        if content is None:
            break
        if isinstance(content, OSError):
            failed[place] = content
        else:
            texts.append(content)
            offsets.append(offsets[-1] + len(content))
    data = texts[0] if len(texts) == 1 else b"".join(texts)
    return SmallFiles(KittiText(data, np.array(offsets)), failed, len(texts) + len(failed))


def _together(paths: Sequence[str], names: bytes, folder: int) -> SmallFiles:
    """Read files by a kernel; one at which it stops is read here, where errors and signals come out, then it goes on.

    Readers need not take turns, as they did for the interpreter's lock: 7,481 files in two threads take 33 ms, in turns
    and through Python 58, in one thread 52 and 60.
    """
    from predarrow_engine import memory
    from predarrow_engine.small_files import FULL, UNOPENED, read_files

    text = np.frombuffer(names, np.uint8)
    starts = np.append(0, np.flatnonzero(text == 0)[:-1] + 1)
    out = memory.empty(len(paths) * _EXPECTED + _SMALL, np.uint8)
    offsets = np.zeros(len(paths) + 1, np.int64)
    failed: dict[int, OSError] = {}
    n = 0  # files in `out`
    while (place := n + len(failed)) < len(paths) and offsets[n] < _CHUNK_BYTES:
        some = starts[place : place + _AT_ONCE]
        out = _with_room(out, offsets[n], _SMALL)
        places = offsets[n : n + some.size + 1]
        read, handle, n_begun = read_files(folder, text, some, _FLAGS, os.SEEK_END, _SMALL, _CHUNK_BYTES, out, places)
        n += read
        if handle == FULL:
            continue
        place += read
        at = int(offsets[n])
        content = _content(paths[place], None if handle == UNOPENED else handle, bytes(out.data[at : at + n_begun]))
        if content is None:
            break
        if isinstance(content, OSError):
            failed[place] = content
            continue
        n += 1
        offsets[n] = at + len(content)
        out = _with_room(out, at, len(content))
        out[at : offsets[n]] = np.frombuffer(content, np.uint8)
    return SmallFiles(KittiText(out.data[: offsets[n]], offsets[: n + 1]), failed, n + len(failed))


def _with_room(out: npt.NDArray[np.uint8], n_bytes: int, n_more: int) -> npt.NDArray[np.uint8]:
    """Give memory that has room for more behind what lies in it."""
    from predarrow_engine import memory

    if n_bytes + n_more <= out.size:
        return out
    larger = memory.empty(max(2 * out.size, n_bytes + n_more), np.uint8)
    larger[:n_bytes] = out[:n_bytes]
    return larger


def _content(path: str, handle: int | None = None, begun: bytes = b"") -> bytes | OSError | None:
    """Give a file's bytes, None for a large one, or why it cannot be read.

    Its length tells whether all of it was read, in less time than a read beyond the end. What has none, or another
    (a pipe, a device), is read until nothing comes, as it gives less at a time.

    Args:
        path: of the file.
        handle: a descriptor, which is closed, where it is open already.
        begun: what was read from it, if anything.
    """
    # Without the proof 0.4 us less of 4, but some network file systems give less than is there, and a line's end may
    # stand there by chance.
    try:
        if handle is None:
            handle = os.open(path, _FLAGS)
        try:
            return _rest(handle, begun or os.read(handle, _SMALL))
        finally:
            os.close(handle)
    except OSError as error:
        return error


def _rest(handle: int, data: bytes) -> bytes | None:
    try:
        size = os.lseek(handle, 0, os.SEEK_END)
        if size == len(data):
            return data
        if size > kitti_pieces.LARGE:
            return None
        os.lseek(handle, len(data), os.SEEK_SET)
    except OSError:
        pass
    parts = [data]
    while more := os.read(handle, kitti_pieces.LARGE):
        parts.append(more)
    return b"".join(parts)
