"""Ellipses against Shapely's affine circles and a pixel by pixel twin."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine.ellipses import cover, outlines, run_lengths
from tests import naive_geometry as naive

_CIRCLE = shapely.Polygon([(math.cos(t), math.sin(t)) for t in np.linspace(0, 2 * math.pi, 4000, endpoint=False)])

_axes = st.one_of(st.floats(0.1, 3), st.floats(3, 100))
_angles = st.one_of(st.sampled_from([0.0, 90.0, 180.0, 270.0, 725.5]), st.floats(-360, 720))
_ellipses = st.tuples(st.floats(-50, 50), st.floats(-50, 50), _axes, _axes)
Ellipse = tuple[float, float, float, float]


def _shape(ellipse: Ellipse, degrees: float) -> shapely.Polygon:
    x, y, a, b = ellipse
    turned = shapely.affinity.rotate(shapely.affinity.scale(_CIRCLE, a, b, origin=(0, 0)), degrees, origin=(0, 0))
    return shapely.affinity.translate(turned, x, y)


def _along(line: shapely.Geometry) -> npt.NDArray[np.object_]:
    points: npt.NDArray[np.object_] = shapely.line_interpolate_point(line, np.linspace(0, 1, 500), normalized=True)
    return points


@settings(max_examples=60)
@given(_ellipses, _angles, st.sampled_from([2.0, 0.25, 0.01]))
def test_outlines_stay_within_the_tolerance(ellipse: Ellipse, degrees: float, tolerance: float) -> None:
    found = outlines(np.array([ellipse]), np.array([degrees]), tolerance)
    ring = shapely.Polygon(np.stack((found.x, found.y), 1)).exterior
    true = _shape(ellipse, degrees).exterior
    limit = tolerance + 1e-4  # float32, and Shapely's circle of 4,000 vertices
    assert shapely.distance(_along(ring), true).max() <= limit
    assert shapely.distance(_along(true), ring).max() <= limit


@pytest.mark.parametrize(("radius", "tolerance"), [(5, 0.25), (60, 0.25), (300, 0.25), (1000, 0.01), (3, 0.5)])
def test_a_circle_has_no_vertex_too_many(radius: float, tolerance: float) -> None:
    n = len(outlines(np.array([[0, 0, radius, radius]], np.float64), np.zeros(1), tolerance).x)
    share = tolerance / radius
    best = next(k for k in range(4, 10**6) if (1 + share) * math.cos(math.pi / k) >= 1 - share)
    assert n == best


@settings(max_examples=60)
@given(_ellipses, _angles)
def test_areas_are_kept(ellipse: Ellipse, degrees: float) -> None:
    found = outlines(np.array([ellipse]), np.array([degrees]), max(ellipse[2:]) / 100)
    area = shapely.Polygon(np.stack((found.x, found.y), 1)).area
    assert area == pytest.approx(math.pi * ellipse[2] * ellipse[3], rel=0.006)


@settings(max_examples=60)
@given(_ellipses, _angles)
def test_cover(ellipse: Ellipse, degrees: float) -> None:
    found = cover(np.array([ellipse]), np.array([degrees]))[:, 0]
    np.testing.assert_allclose(found, _shape(ellipse, degrees).bounds, atol=1e-4)


@settings(max_examples=60)
@given(st.lists(st.tuples(_ellipses, _angles, st.integers(1, 24), st.integers(1, 24)), min_size=1, max_size=3))
def test_run_lengths(items: list[tuple[Ellipse, float, int, int]]) -> None:
    counts, offsets = run_lengths(
        np.array([ellipse for ellipse, *_ in items]),
        np.array([degrees for _, degrees, *_ in items]),
        np.array([size for *_, height, width in items for size in [(height, width)]]),
    )
    for row, (ellipse, degrees, height, width) in enumerate(items):
        runs = counts[offsets[row] : offsets[row + 1]].tolist()
        assert all(run > 0 for run in runs[1:])
        found = naive.decoded(runs, height, width)
        inner, outer = (naive.ellipse_mask((*ellipse[:2], *axes), degrees, height, width) for axes in _around(ellipse))
        assert (inner <= found).all()
        assert (found <= outer).all()


def _around(ellipse: Ellipse) -> list[tuple[float, float]]:
    """Give the semi-axes a little shorter and longer: a centre on the border may be either way by its rounding."""
    return [(ellipse[2] * factor, ellipse[3] * factor) for factor in (1 - 1e-9, 1 + 1e-9)]


@pytest.mark.parametrize("axes", [(0.0, 0.0), (5.0, 0.0), (0.0, 5.0)])
def test_nothing_is_inside_of_no_axes(axes: tuple[float, float]) -> None:
    ellipse, angle = np.array([(5.5, 5.5, *axes)]), np.zeros(1)
    counts, offsets = run_lengths(ellipse, angle, np.array([[11, 11]]))
    assert (counts.tolist(), offsets.tolist()) == ([121], [0, 1])
    assert len(outlines(ellipse, angle, 0.25).x) >= 4


def test_no_ellipse() -> None:
    none, size = np.empty((0, 4)), np.empty((0, 2), np.int64)
    assert outlines(none, np.empty(0), 0.25).offsets.tolist() == [0]
    assert run_lengths(none, np.empty(0), size)[1].tolist() == [0]
    assert cover(none, np.empty(0)).shape == (4, 0)


def test_what_is_no_ellipse_is_refused() -> None:
    good = np.array([[5.0, 5.0, 2.0, 1.0]])
    for place, value in ((0, np.nan), (1, np.inf), (2, -1.0), (3, np.nan)):
        bad = good.copy()
        bad[0, place] = value
        with pytest.raises(ValueError, match="finite"):
            cover(bad, np.zeros(1))
    with pytest.raises(ValueError, match="finite"):
        cover(good, np.array([np.nan]))
    for tolerance in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="tolerance"):
            outlines(good, np.zeros(1), tolerance)
    with pytest.raises(ValueError, match="vertices"):
        outlines(np.array([[0, 0, 1e9, 1e9]]), np.zeros(1), 1e-12)
