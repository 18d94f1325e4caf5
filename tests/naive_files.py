"""What reading many small files comes to, by Python's own calls."""

from __future__ import annotations

import os
from collections.abc import Sequence

COMPLETE, NOT_PROVEN, UNOPENED, FULL = range(4)


def read_files(
    folder: int, paths: Sequence[bytes], *, small: int, limit: int, room: int, first: int
) -> tuple[int, list[bytes], bytes]:
    """Read files up to the first that cannot be taken.

    Args:
        folder: descriptor of the folder that the paths begin in.
        paths: of the files.
        small: bytes that are read of one.
        limit: bytes from which no file is begun.
        room: for how many bytes there is place.
        first: bytes that lie there already.

    Returns:
        Why it ended, what the files hold that were read, and what was read of the next.
    """
    contents: list[bytes] = []
    for path in paths:
        n_bytes = first + sum(map(len, contents))
        if n_bytes >= limit or n_bytes + small > room:
            return FULL, contents, b""
        try:
            handle = os.open(path, os.O_RDONLY, dir_fd=folder)
        except OSError:
            return UNOPENED, contents, b""
        try:
            content = os.read(handle, small)
            if os.fstat(handle).st_size != len(content):
                return NOT_PROVEN, contents, content
        except OSError:
            return NOT_PROVEN, contents, b""
        finally:
            os.close(handle)
        contents.append(content)
    return COMPLETE, contents, b""
