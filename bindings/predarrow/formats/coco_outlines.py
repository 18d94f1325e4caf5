"""Outlines of COCO's run lengths along pixel edges, with their holes: the polygon that gives the same mask back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.formats.coco_shapes import shaped_polygons
from predarrow.table import PolygonColumns

if TYPE_CHECKING:
    from predarrow_engine.instances import Instances
    from predarrow_engine.rle_text import RunLengths

_PIXELS = 1 << 24
"""Of masks that are decoded at a time."""


def outlines(runs: RunLengths, sizes: npt.NDArray[np.int64], chosen: npt.NDArray[np.bool_]) -> pa.Array:
    """Give the outlines of chosen masks as a polygon column, null for the others and for masks without a pixel.

    Args:
        runs: of n records.
        sizes: (n, 2) height and width of each.
        chosen: (n,) those to give.
    """
    rows = np.flatnonzero(chosen)
    pieces = list(_traced(runs, sizes, rows))
    n_parts = np.zeros(chosen.size, np.int64)
    n_parts[rows] = np.concatenate([np.diff(piece.mask_offsets) for piece in pieces] or [n_parts[:0]])
    columns = PolygonColumns(
        np.concatenate([piece.x for piece in pieces] or [np.empty(0, np.float32)]),
        np.concatenate([piece.y for piece in pieces] or [np.empty(0, np.float32)]),
        _one_after_the_other([piece.ring_offsets for piece in pieces]),
        _one_after_the_other([piece.part_offsets for piece in pieces]),
        np.concatenate([[0], np.cumsum(n_parts)]).astype(np.int32),
    )
    return shaped_polygons(columns, n_parts > 0).column


def _traced(runs: RunLengths, sizes: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> Iterator[Instances]:
    """Trace masks that stand together and are of one size at a time."""
    from predarrow_engine.instances import InstanceTracer
    from predarrow_engine.rle_decode import decode

    tracer = InstanceTracer()
    ends = np.cumsum(np.diff(runs.offsets)[rows])
    offsets = np.concatenate([[0], ends])
    begin = 0
    while begin < rows.size:
        height, width = sizes[rows[begin]].tolist()
        last = begin + 1
        while last < rows.size and (sizes[rows[last]] == (height, width)).all():
            if (last + 1 - begin) * height * width > _PIXELS:
                break
            last += 1
        own = offsets[begin : last + 1] - offsets[begin]
        counts = np.concatenate([runs.counts[slice(*runs.offsets[row : row + 2].tolist())] for row in rows[begin:last]])
        yield tracer.trace(decode(counts, own, height, width))
        begin = last


def _one_after_the_other(offsets: list[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
    """Give offsets of pieces as those of all of them together."""
    lengths = [np.diff(piece) for piece in offsets]
    return np.concatenate([[0], np.cumsum(np.concatenate(lengths or [np.empty(0, np.int32)]))]).astype(np.int32)
