"""Columns of whole numbers as text: ids, without a table of the distinct ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import kernel
from predarrow_engine._simd_text import first_byte, store
from predarrow_engine.numbers import ZEROS, digit_bytes

ROOM = 8
"""Bytes behind the texts that are written to: texts are written eight bytes at a time."""
LARGEST = 10**8 - 1

_EIGHT = np.uint64(8)
_LAST = np.uint64(1 << 56)
"""The last of eight digits, which is one even of zero."""


@kernel
def number_texts(values: npt.NDArray[np.int64], out_offsets: npt.NDArray[np.int32], out: npt.NDArray[np.uint8]) -> int:
    """Write whole numbers as text, without zeros in front, and give the number of bytes.

    Args:
        values: (n,) from 0 to LARGEST.
        out_offsets: (n + 1,) out, where each text begins and the last one ends.
        out: out; as long as the texts, and ROOM.
    """
    target, size, before, text, n_digits = out.ctypes.data, 0, np.int64(-1), np.uint64(0), 0
    for i in range(np.uint64(values.size)):
        if values[i] != before:  # results stand image by image
            before = values[i]
            digits = digit_bytes(np.uint64(before))
            n_zeros = first_byte(digits | _LAST)
            text, n_digits = (digits | ZEROS) >> (_EIGHT * np.uint64(n_zeros)), 8 - n_zeros
        out_offsets[i] = size
        store(target + size, text)  # what is written too far is written again by the next one
        size += n_digits
    out_offsets[np.uint64(values.size)] = size
    return size
