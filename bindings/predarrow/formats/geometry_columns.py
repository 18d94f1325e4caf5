"""Flat numbers as the nested columns of the prediction table, and the boxes that cover them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import numbers_array, offsets_of, text_array
from predarrow.table import KEYPOINTS, MASK, polygon_array

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def cover(x: npt.NDArray[Any], y: npt.NDArray[Any], offsets: npt.NDArray[np.int32]) -> Floats:
    """Give the (4, n) boxes around n runs of vertices, NaN around none."""
    result = np.full((4, offsets.size - 1), np.nan)
    filled = np.flatnonzero(np.diff(offsets) > 0)
    if filled.size:
        starts = offsets[filled]
        edges = [reduce.reduceat(axis, starts) for reduce in (np.minimum, np.maximum) for axis in (x, y)]
        result[:, filled] = edges
    return result


def polygon_column(
    x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], rings: Ints, parts: Ints, rows: Ints
) -> pa.Array:
    """Give vertices as a polygon column.

    Args:
        x, y: of all vertices.
        rings: vertices of each ring.
        parts: rings of each part.
        rows: parts of each row.
    """
    return polygon_array(x, y, offsets_of(rings), offsets_of(parts), offsets_of(rows))


def keypoint_column(
    names: Sequence[str | None],
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.float32],
    visibility: Sequence[int],
    counts: npt.ArrayLike,
) -> pa.Array:
    """Give points as a keypoint column.

    Args:
        names: of all points.
        x, y: of all points, in pixels.
        visibility: of all points; -1 is null.
        counts: points of each row.
    """
    seen = np.array(visibility, np.int8)
    leaves = [text_array(names), numbers_array(x), numbers_array(y), numbers_array(seen, is_valid=seen >= 0)]
    points = pa.Array.from_buffers(KEYPOINTS.value_type, x.size, [None], children=leaves)
    offsets = offsets_of(counts)
    return pa.Array.from_buffers(KEYPOINTS, offsets.size - 1, [None, pa.py_buffer(offsets)], children=[points])


def mask_column(sizes: Ints, strings: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int32]) -> pa.Array:
    """Give run lengths as a mask column; sizes are (n, 2) height and width."""
    sides = [numbers_array(np.ascontiguousarray(side), pa.int32()) for side in sizes.T]
    data = [None, pa.py_buffer(offsets), pa.py_buffer(strings)]
    counts = pa.Array.from_buffers(pa.binary(), len(sizes), data)
    return pa.Array.from_buffers(MASK, len(sizes), [None], children=[*sides, counts])
