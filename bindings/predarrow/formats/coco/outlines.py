"""Outlines of COCO's run lengths along pixel edges, with their holes: the polygon that gives the same mask back."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import offsets_of
from predarrow.formats.coco.shapes import polygon_column
from predarrow.refusals import Refusals
from predarrow.report import Code
from predarrow.table import PolygonColumns

if TYPE_CHECKING:
    from predarrow_engine.rle_text import RunLengths

_ROWS = 1 << 23
"""Rows of pixels of the masks that are traced at a time."""


def outlines(runs: RunLengths, sizes: npt.NDArray[np.int64], refusals: Refusals) -> pa.Array:
    """Give the outlines of masks as a polygon column, null without a pixel; masks too large to trace are refused.

    Args:
        runs: of n records; some may have none.
        sizes: (n, 2) height and width of each.
        refusals: of as many rows.
    """
    from predarrow_engine.instances import ROW_LIMIT
    from predarrow_engine.rle_shapes import RunLengthTracer

    is_large: npt.NDArray[np.bool_] = np.any(sizes > ROW_LIMIT, axis=1)
    rule = f"height and width must be at most {ROW_LIMIT} for an outline"
    given: npt.NDArray[np.int64] = sizes
    refusals.add(is_large, Code.TOO_LARGE, ".segmentation.size", lambda row: f"{rule}, got {given[row].tolist()}")
    sizes = np.where(is_large[:, None], 0, sizes)
    lengths = np.where(is_large, 0, np.diff(runs.offsets))
    counts = runs.counts if not is_large.any() else runs.counts[np.repeat(~is_large, np.diff(runs.offsets))]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    group = np.cumsum(sizes[:, 0]) // _ROWS
    cuts = [0, *(np.flatnonzero(np.diff(group)) + 1).tolist(), len(sizes)]
    tracer = RunLengthTracer()
    pieces = [
        tracer.trace_counts(counts, offsets[first : last + 1], sizes[first:last]) for first, last in pairwise(cuts)
    ]
    columns = PolygonColumns(
        np.concatenate([piece.x for piece in pieces]),
        np.concatenate([piece.y for piece in pieces]),
        offsets_of(np.concatenate([np.diff(piece.ring_offsets) for piece in pieces])),
        offsets_of(np.concatenate([np.diff(piece.part_offsets) for piece in pieces])),
        offsets_of(np.concatenate([np.diff(piece.mask_offsets) for piece in pieces])),
    )
    return polygon_column(columns, np.diff(columns.row_offsets) > 0)
