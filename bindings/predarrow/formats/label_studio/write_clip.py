"""Polygons cut at the border of their image: what is left of each ring inside.

Source: I. Sutherland and G. Hodgman, Reentrant Polygon Clipping, 1974. Where a ring leaves the image and comes back,
its parts stay joined along the border, as one ring.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.table import POLYGON

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def clipped_polygons(column: pa.ListArray, chosen: Bools, sizes: Floats) -> tuple[pa.ListArray, Bools]:
    """Give a polygon column with some of its rows clipped, and which of these have nothing left, (n,).

    Args:
        column: (n,) of the prediction table.
        chosen: (n,) rows to clip.
        sizes: (n, 2) height and width of each row's image.
    """
    places = np.flatnonzero(chosen)
    is_lost = np.zeros(len(chosen), np.bool_)
    rows: list[Any] = []
    for place, parts in zip(places.tolist(), column.take(pa.array(places)).to_pylist(), strict=True):
        height, width = sizes[place]
        kept = [[_vertices(clipped_ring(_array(ring), width, height)) for ring in part] for part in parts]
        kept = [[ring for ring in part if ring] for part in kept if part[0]]  # holes go with their outline
        is_lost[place] = not kept
        rows.append(kept)
    order = np.arange(len(chosen))
    order[places] = len(chosen) + np.arange(places.size)
    return pa.concat_arrays([column, pa.array(rows, POLYGON)]).take(pa.array(order)), is_lost


def clipped_ring(ring: Floats, width: float, height: float) -> Floats:
    """Give what is left of a ring, (n, 2) x and y, in an image; fewer than three vertices are none."""
    for axis, side in ((0, width), (1, height)):
        for limit, sign in ((0.0, 1.0), (side, -1.0)):
            ring = _half(ring, axis, limit, sign)
    return ring if len(ring) >= 3 else ring[:0]


def _half(ring: Floats, axis: int, limit: float, sign: float) -> Floats:
    """Give what is left on one side of a line across an axis."""
    if not len(ring):
        return ring
    before = np.roll(ring, 1, axis=0)
    is_in, was_in = sign * (ring[:, axis] - limit) >= 0, sign * (before[:, axis] - limit) >= 0
    crosses = is_in != was_in
    step = ring[:, axis] - before[:, axis]
    share = np.divide(limit - before[:, axis], step, out=np.zeros(len(ring)), where=crosses)
    crossing = before + share[:, None] * (ring - before)
    crossing[:, axis] = limit
    found = np.stack([crossing, ring], axis=1).reshape(-1, 2)
    left: Floats = found[np.stack([crosses, is_in], axis=1).ravel()]
    return left


def _array(ring: list[dict[str, float]]) -> Floats:
    return np.array([(vertex["x"], vertex["y"]) for vertex in ring], np.float64).reshape(-1, 2)


def _vertices(ring: Floats) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in ring.tolist()]
