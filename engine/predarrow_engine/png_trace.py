"""PNG streams of label masks -> outlines of all of them, in one call that is free of the GIL.

A call for each mask would do the same; but a thread that comes back from a kernel waits until no other thread runs
Python, so that two threads were 1.4 to 1.6 times one on street masks of 2 Mpx, and small masks spent half of their
time between kernels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import kernel
from predarrow_engine.components import trace_runs
from predarrow_engine.outlines import Columns, Options, Sizes
from predarrow_engine.png import DONE
from predarrow_engine.png_stream import decode_1
from predarrow_engine.workspace import scan_image

ALL = 0
"""Every stream is traced, or `limit` is reached."""
REFUSED = 1
"""The stream is damaged: it is for a slower decoder to say how."""
MORE_RUNS = 2
"""The image has more runs than there is room for."""
MORE_ROOM = 3
"""The columns must have the room that the sizes tell."""


class Streams(NamedTuple):
    """Compressed streams of 8-bit images of one size, not interlaced."""

    data: npt.NDArray[np.uint8]
    """All streams, each with `png_stream.SPARE_IN` bytes or more behind it."""
    places: npt.NDArray[np.int64]
    """(n, 2) where each starts and stops"""


class Canvas(NamedTuple):
    """Memory for one image of a size."""

    window: npt.NDArray[np.uint8]
    """`png_stream.window_bytes` or more"""
    pixels: npt.NDArray[np.uint8]
    """room for the rows, what is before and what is behind them, as `png_stream.decode_1` asks"""
    samples: npt.NDArray[np.uint8]
    """(height, width) read-only view of `pixels`"""
    origin: int
    """Offset in `pixels` of the first row."""


@kernel
def trace_streams(
    streams: Streams,
    canvas: Canvas,
    memory: npt.NDArray[np.uint64],
    rows: npt.NDArray[np.int64],
    left_out: npt.NDArray[np.uint32],
    options: Options,
    columns: Columns,
    sizes: Sizes,
    first: int,
    limit: int,
    ends: npt.NDArray[np.int64],
) -> tuple[int, int, tuple[int, int, int, int], tuple[int, int, int, int]]:
    """Unpack and trace streams one after the other, and append their components to columns.

    Args:
        streams, canvas: of images of one size.
        memory, rows: workspace (`workspace.cut_up`).
        left_out, options, columns, sizes: as in `components.trace_runs`; not for options that look at the
            components of an image beforehand.
        first: the stream to begin with.
        limit: no further stream is begun with more vertices than that in the columns.
        ends: (n,) out: components in the columns behind each image.

    Returns:
        Number of the stream that comes next, why it was not traced, how much of the columns is used, and how
        much of them it needs (after MORE_ROOM), both as plain tuples (see `_jit.kernel`).
    """
    used = (sizes.vertices, sizes.rings, sizes.parts, sizes.components)
    height, width = canvas.samples.shape
    labels = np.empty(0, np.uint32)
    keep = np.empty(0, np.bool_)
    n = streams.places.shape[0]
    i = first
    while i < n and used[0] <= limit:
        start, stop = streams.places[i, 0], streams.places[i, 1]
        code = decode_1(streams.data, start, stop, canvas.window, canvas.pixels, canvas.origin, width, height)
        if code != DONE:
            return i, REFUSED, used, used
        if scan_image(canvas.samples, memory, rows) < 0:
            return i, MORE_RUNS, used, used
        fits, after = trace_runs(memory, rows, labels, left_out, keep, options, width, False, columns, Sizes(*used))
        if not fits:
            return i, MORE_ROOM, used, after
        used = after
        ends[i] = used[3]
        i += 1
    return i, ALL, used, used
