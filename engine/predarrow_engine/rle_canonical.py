"""Whether COCO's compressed strings are written in as few characters as they can be.

Such a string is, byte for byte, what its run lengths are written as again. A number has a character too many where its
last one is 0 behind one whose highest of 5 bits is 0, or all ones behind one whose highest bit is 1: the sign would be
the same without it. Slow twin: tests/naive_rle.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, inline, kernel
from predarrow_engine._simd import LANES
from predarrow_engine._simd_text import below
from predarrow_engine.rle_text import fixed
from predarrow_engine.runs import ALL, ONE, ZERO

_LAST_LANE = np.uint64(LANES - 1)


def are_canonical(strings: npt.NDArray[np.uint8], offsets: npt.NDArray[np.signedinteger[Any]]) -> npt.NDArray[np.bool_]:
    """Tell which strings are what `rle_text.to_strings` gives for their counts.

    Args:
        strings, offsets: see `rle_text.from_strings`. A string with a flaw may be told to be either.
    """
    canonical = np.empty(max(len(offsets) - 1, 0), np.bool_)
    _compare(fixed(strings), fixed(offsets), canonical)
    return canonical


@kernel
def _compare(
    strings: npt.NDArray[np.uint8], offsets: npt.NDArray[np.signedinteger[Any]], canonical: npt.NDArray[np.bool_]
) -> None:
    for i in range(np.uint64(canonical.size)):
        canonical[i] = _is_canonical(strings, np.int64(offsets[i]), np.int64(offsets[i + ONE]))


@inline
def _is_canonical(strings: npt.NDArray[np.uint8], begin: Index, end: Index) -> bool:
    address = strings.ctypes.data
    stop = min(end, strings.size - LANES + 1)
    at = begin
    low, high = ZERO, ZERO  # characters that more follow, with a highest bit of 0 or of 1
    while at < stop:
        place = address + at
        last, low_or_last = below(place, 80), below(place, 96)
        behind_low = (low_or_last & ~last) << ONE | low >> _LAST_LANE
        behind_high = ~low_or_last << ONE | high >> _LAST_LANE
        spare = (below(place, 49) & ~below(place, 48) & behind_low) | (last & ~below(place, 79) & behind_high)
        if spare & (ALL >> np.uint64(LANES - min(LANES, end - at))) != ZERO:
            return False
        low, high = low_or_last & ~last, ~low_or_last
        at += LANES
    for i in range(np.uint64(max(at, begin + 1)), np.uint64(end)):
        before, byte = strings[i - ONE], strings[i]
        if (byte == 48 and 80 <= before < 96) or (byte == 79 and before >= 96):
            return False
    return True
