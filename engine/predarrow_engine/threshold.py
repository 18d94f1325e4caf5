"""Scores of pixels -> which of them are inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import kernel


@kernel
def above(values: npt.NDArray[np.floating[Any]], threshold: np.floating[Any], inside: npt.NDArray[np.uint8]) -> int:
    """Write 1 where a value is above the threshold, 0 elsewhere; give how many are NaN, in the same pass.

    Args:
        values: (n,) float32 or float64, contiguous and read-only.
        threshold: of their type, as NumPy and torch compare with a Python number.
        inside: (n,) out.
    """
    n_nan = 0
    for i in range(np.uint64(values.size)):
        value = values[i]
        inside[i] = value > threshold
        n_nan += value != value
    return n_nan
