"""The text of a COCO file: which form it has, and blocks of it, of which little is looked at once columns are made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt


def has_lines(path: str | Path) -> bool:
    """Tell whether a file's name says that it is JSON Lines: .jsonl or .ndjson, perhaps with .gz behind it."""
    return str(path).lower().removesuffix(".gz").endswith((".jsonl", ".ndjson"))


class BlockText:
    """Text whose slices are bytes.

    The whole is not made bytes: their memory is always new, which took 7 % of the time of a file of masks.

    Args:
        array: (n,) its bytes; not to be changed.
    """

    def __init__(self, array: npt.NDArray[np.uint8]) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, where: slice) -> bytes:
        return self.array[where].tobytes()
