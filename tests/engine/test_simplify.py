"""Simplified rings against a recursive twin and GEOS."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine.outlines import Outlines
from predarrow_engine.simplify import simplify, simplify_rings
from predarrow_engine.trace import Tracer
from tests.images import SPECIAL, Image, label_images, voronoi
from tests.naive_trace import as_lists

Point = tuple[float, float]


def scattered(n: int, seed: int) -> list[Point]:
    """Points in general position: where two distances tie, the last bit of each library decides."""
    points = np.random.default_rng(seed).uniform(-9, 9, (n, 2)).astype(np.float32).astype(float)
    return [(x, y) for x, y in points.tolist()]


def ring_of(points: list[Point], tolerance: float) -> list[Point]:
    x, y = np.array(points, np.float32).T
    keep = np.zeros(len(points), np.bool_)
    offsets = simplify_rings(
        np.ascontiguousarray(x), np.ascontiguousarray(y), np.array([0, len(points)], np.int32), tolerance, keep
    )
    assert offsets.tolist() == [0, int(keep.sum())]
    return [point for point, kept in zip(points, keep, strict=True) if kept]


def trace(image: Image) -> Outlines:
    tracer = Tracer()
    tracer.add(image)
    return tracer.take()


@given(st.integers(4, 60), st.integers(0, 2**32), st.sampled_from([0.0, 0.5, 1.0, 2.5, 6.0, 12.0]))
@settings(max_examples=300)
def test_rings_are_geos_wherever_three_vertices_are_left(n: int, seed: int, tolerance: float) -> None:
    points = scattered(n, seed)
    ours = ring_of(points, tolerance)
    theirs = shapely.simplify(shapely.LineString([*points, points[0]]), tolerance, preserve_topology=False)
    expected = list(theirs.coords)[:-1]
    if len(expected) >= 3:
        assert ours == expected
    else:
        assert len(ours) == 3
        assert set(expected) <= set(ours)


@given(label_images(max_side=16), st.floats(0, 5))
@settings(max_examples=100)
def test_nothing_that_goes_is_farther_than_the_tolerance(image: Image, tolerance: float) -> None:
    before = trace(image)
    after = simplify(before, tolerance)
    for old, new in zip(as_lists(before), as_lists(after), strict=True):
        for old_part, new_part in zip(old, new, strict=True):
            for old_ring, new_ring in zip(old_part, new_part, strict=True):
                assert len(new_ring) >= 3
                assert new_ring[0] == old_ring[0]
                boundary = shapely.LinearRing(new_ring)
                farthest = max(boundary.distance(shapely.Point(vertex)) for vertex in old_ring)
                assert farthest <= tolerance + 1e-6


@pytest.mark.parametrize("name", SPECIAL)
def test_without_tolerance_edge_outlines_stay_as_they_are(name: str) -> None:
    before = trace(SPECIAL[name]())
    assert as_lists(simplify(before, 0)) == as_lists(before)


def test_rings_of_less_than_four_vertices_stay() -> None:
    tracer = Tracer(outline="center")
    tracer.add(np.array([[1, 0, 1, 1, 1], [0, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]], np.uint8))
    before = tracer.take()
    assert as_lists(simplify(before, 50)) == as_lists(before)


def test_fewer_vertices_and_the_same_tables() -> None:
    before = trace(voronoi(120, 200, 30, 5, 3))
    after = simplify(before, 1.5)
    assert after.x.size < before.x.size / 3
    assert after.x.dtype == np.float32
    assert after.ring_offsets.dtype == np.int32
    unchanged: list[tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]] = [
        (before.part_offsets, after.part_offsets),
        (before.value, after.value),
        (before.area, after.area),
    ]
    assert all(np.array_equal(a, b) for a, b in unchanged)


@pytest.mark.parametrize("tolerance", [-1.0, float("nan"), float("inf")])
def test_the_tolerance_is_checked(tolerance: float) -> None:
    with pytest.raises(ValueError, match="tolerance must be"):
        simplify(trace(SPECIAL["seed drawing"]()), tolerance)
