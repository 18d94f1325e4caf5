"""Distinct keys of rows, in the order in which they come: by a hash, as sorting takes ten times as long."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]


class Distinct(NamedTuple):
    """What is distinct among n keys."""

    first: Ints
    """(m,) where each is first, ascending."""
    which: Ints
    """(n,) each key's place among them."""


def distinct(keys: Ints) -> Distinct:
    """Give the distinct ones of (n,) keys."""
    encoded = pa.array(keys).dictionary_encode()
    which = encoded.indices.to_numpy().astype(np.int64)
    first = np.empty(len(encoded.dictionary), np.int64)
    first[which[::-1]] = np.arange(which.size)[::-1]
    return Distinct(first, which)
