"""Vertices written four edges at a time against one by one, in memory that ends where they must stop."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

from predarrow_engine._simd_corners import EDGES, write_corners
from predarrow_engine.columns import write_edge_columns
from predarrow_engine.outlines import Sizes
from predarrow_engine.trace import Tracer
from tests.guarded import guarded
from tests.workspace import arrays_of

_write: Any = numba.njit(
    lambda edges, edge, x, y, vertex: write_corners(
        edges.ctypes.data, np.uint64(edge), x.ctypes.data, y.ctypes.data, np.uint64(vertex)
    )
)


def at_the_end(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return guarded(np.frombuffer(values.tobytes(), np.uint8)).view(values.dtype)


@pytest.mark.parametrize("limit", [100, 2**24, 2**31])
def test_vertices_of_a_few_edges_and_nothing_else(limit: int) -> None:
    rng = np.random.default_rng(limit)
    for edge in range(4):
        for vertex in range(4):
            xy = rng.integers(0, limit, (2, edge + EDGES + 1)).astype(np.uint64)
            x = at_the_end(np.full(vertex + 2 * EDGES, -1, np.float32))
            y = at_the_end(np.full(vertex + 1 + 2 * EDGES, -1, np.float32))
            _write(at_the_end(xy[1] << np.uint64(32) | xy[0]), edge, x, y, vertex)
            corners = xy.astype(np.float32)
            assert x.tolist() == [-1] * vertex + corners[0, edge:-1].repeat(2).tolist()
            assert y.tolist() == [-1] * (vertex + 1) + corners[1, edge + 1 :].repeat(2).tolist()


@pytest.mark.parametrize("spare", [0, 1, 2 * EDGES, 2 * EDGES + 1, 100])
def test_rings_end_with_their_columns(spare: int) -> None:
    tracer = Tracer()
    for seed in range(10):
        image = np.random.default_rng(seed).integers(0, 2 + seed % 3, (12, 4 + 3 * seed)).astype(np.uint8)
        tracer.add(image)
        wanted = tracer.take()  # what was walked is in the workspace still
        runs, _, rings, order = arrays_of(tracer._work, tracer._work.runs(*image.shape))
        n = len(wanted.ring_offsets) - 1
        # Groups are closed by what comes before the end: all lone runs.
        closed = (g + int(rings.lone_before[first]) == len(wanted.value) for g, first in enumerate(order.group_first))
        n_groups = list(islice(closed, len(wanted.value) + 1)).index(True)
        n_edges = int(rings.ring_end[: n - len(wanted.value) + n_groups].max(initial=0))
        short = rings._replace(edges=at_the_end(rings.edges[: n_edges + spare // 2]))
        x, y = (at_the_end(np.full(len(wanted.x) + spare, np.nan, np.float32)) for _ in "xy")
        columns = tracer._out.columns._replace(x=x, y=y)
        holes = n >= len(wanted.part_offsets)
        used = write_edge_columns(
            runs, short, order, n_groups, holes, image.shape[1], False, columns, Sizes(0, 0, 0, 0)
        )
        assert used == (len(wanted.x), n, len(wanted.part_offsets) - 1, len(wanted.value))
        assert np.array_equal(x[: len(wanted.x)], wanted.x)
        assert np.array_equal(y[: len(wanted.y)], wanted.y)
        assert np.array_equal(columns.ring_offsets[: n + 1], wanted.ring_offsets)
