"""Douglas-Peucker simplification of rings, with a tolerance in pixels.

A ring is held at its first vertex and at the one farthest from it. Between two vertices that stay, the vertex
farthest from the segment stays if it is farther than the tolerance, and so on in both halves. So no vertex that
goes was farther than the tolerance from the segment that replaces it. A ring keeps three vertices at least, and no
ring goes, however small. Rings are simplified one by one: neighbours may come to overlap, and a ring may come to
cross itself, as with any such method.

Source: D. Douglas and T. Peucker, "Algorithms for the reduction of the number of points required to represent a
digitized line or its caricature", The Canadian Cartographer 10 (1973).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import Index, inline, kernel
from predarrow_engine.outlines import Outlines


def simplify(outlines: Outlines, tolerance: float) -> Outlines:
    """Give the outlines with fewer vertices, everything else unchanged.

    Args:
        outlines: of any kind; vertices that stay are bit for bit the same.
        tolerance: pixels, finite and not negative; 0 takes only vertices in the middle of straight edges.

    Raises:
        ValueError: no such tolerance.
    """
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise ValueError(f"the tolerance must be a finite number of pixels from 0 on, got {tolerance}")
    keep = np.zeros(outlines.x.size, np.bool_)
    ring_offsets = simplify_rings(outlines.x, outlines.y, outlines.ring_offsets, float(tolerance), keep)
    return outlines._replace(x=outlines.x[keep], y=outlines.y[keep], ring_offsets=ring_offsets)


@inline
def _distance2(px: float, py: float, ax: float, ay: float, bx: float, by: float) -> float:
    """Give the squared distance of p from the segment a-b."""
    dx = bx - ax
    dy = by - ay
    length2 = dx * dx + dy * dy
    share = 0.0
    if length2 > 0.0:
        share = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / length2))
    ex = ax + share * dx - px
    ey = ay + share * dy - py
    return ex * ex + ey * ey


@kernel
def simplify_rings(
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.float32],
    ring_offsets: npt.NDArray[np.int32],
    tolerance: float,
    keep: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int32]:
    """Find which vertices stay, and give the offsets of the rings of those.

    Args:
        x, y: (n_vertices,) pixels; ring_offsets: (n_rings + 1,).
        tolerance: pixels.
        keep: (n_vertices,) out, false.

    Returns:
        (n_rings + 1,).
    """
    limit = tolerance * tolerance
    offsets = np.zeros(ring_offsets.size, np.int32)
    stack = np.empty((64, 2), np.int64)
    for ring in range(ring_offsets.size - 1):
        begin = np.int64(ring_offsets[ring])
        end = np.int64(ring_offsets[ring + 1])
        if end - begin <= 3:
            keep[begin:end] = True
            offsets[ring + 1] = offsets[ring] + (end - begin)
            continue
        far = _farthest(x, y, begin, end, begin, begin, begin)[0]
        keep[begin] = keep[far] = True
        n_kept = np.int64(2)
        stack[0, 0], stack[0, 1] = begin, far
        stack[1, 0], stack[1, 1] = far, end  # end stands for the first vertex again
        depth = 2
        while depth > 0:
            depth -= 1
            a = stack[depth, 0]
            b = stack[depth, 1]
            at, distance2 = _farthest(x, y, a + 1, b, a, b if b < end else begin, a)
            if distance2 > limit:
                keep[at] = True
                n_kept += 1
                if depth + 2 > stack.shape[0]:
                    grown = np.empty((2 * stack.shape[0], 2), np.int64)
                    grown[:depth] = stack[:depth]
                    stack = grown
                stack[depth, 0], stack[depth, 1] = a, at
                stack[depth + 1, 0], stack[depth + 1, 1] = at, b
                depth += 2
        if n_kept == 2:
            one, one_distance2 = _farthest(x, y, begin + 1, far, begin, far, begin)
            other, other_distance2 = _farthest(x, y, far + 1, end, begin, far, begin)
            keep[one if one_distance2 >= other_distance2 else other] = True
            n_kept = np.int64(3)
        offsets[ring + 1] = offsets[ring] + n_kept
    return offsets


@inline
def _farthest(
    x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], begin: Index, end: Index, a: Index, b: Index, at: Index
) -> tuple[Index, float]:
    """Give the first of the vertices begin … end - 1 that are farthest from the segment a-b, and how far squared."""
    most = -1.0
    for i in range(begin, end):
        distance2 = _distance2(
            np.float64(x[i]), np.float64(y[i]), np.float64(x[a]), np.float64(y[a]), np.float64(x[b]), np.float64(y[b])
        )
        if distance2 > most:
            most = distance2
            at = i
    return at, most
