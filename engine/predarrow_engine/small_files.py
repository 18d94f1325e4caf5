"""Bytes of many small files, one behind the other, without a Python object for each.

The one place in the engine where files are touched: to open, read and close one takes 4.1 us in a kernel, 5.2 through
Python. Which files, and what to do about one that is not read, the caller decides.
"""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import kernel
from predarrow_engine._system import close, open_at, read, seek

IS_THERE = sys.platform in ("linux", "darwin") and sys.maxsize > 2**32
"""Whether the system has the calls that `read_files` makes, with the types that `_system.py` tells."""

UNOPENED = -1
FULL = -2


@kernel
def read_files(
    folder: int,
    paths: npt.NDArray[np.uint8],
    path_offsets: npt.NDArray[np.int64],
    flags: int,
    from_end: int,
    small: int,
    limit: int,
    out: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
) -> tuple[int, int, int]:
    """Read files one after the other, up to the first that cannot be opened, or whose end one read did not prove.

    A file is complete where its length is what one read gave. The length of what has none (a pipe, a device) and of
    what tells another one is not that, nor is that of what is too large.

    Args:
        folder: descriptor of the folder that paths begin in.
        paths: bytes of the paths, each with a NUL behind it, and no other one.
        path_offsets: (n,) where each path begins.
        flags: to open files with, `os.O_RDONLY` and others.
        from_end: `os.SEEK_END`.
        small: bytes to ask for.
        limit: no file is begun where so many bytes lie in `out`, nor where there is no room for `small` bytes more.
        out: (room,) what the files hold.
        offsets: (n + 1,) the first tells where to begin in `out`; behind it, where each file ends.

    Returns:
        How many files were read; n where all were. Else a descriptor of the next one, which the caller closes, of which
        as many bytes as the third number says were read to its place; or UNOPENED; or FULL.
    """
    paths_address, out_address = paths.ctypes.data, out.ctypes.data
    for i in range(path_offsets.size):
        at = offsets[i]
        if at >= limit or at + small > out.size:
            return i, FULL, 0
        handle = open_at(folder, paths_address + path_offsets[i], flags)
        if handle < 0:
            return i, UNOPENED, 0
        n_bytes = read(handle, out_address + at, small)
        if n_bytes < 0 or seek(handle, 0, from_end) != n_bytes:
            return i, handle, max(n_bytes, 0)
        close(handle)
        offsets[i + 1] = at + n_bytes
    return path_offsets.size, FULL, 0
