"""Rotated boxes against complex numbers and Shapely's affine rotation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine import rotated
from tests import naive_boxes

Box = tuple[float, float, float, float]

boxes = st.tuples(*[st.floats(-2000, 2000), st.floats(-2000, 2000), st.floats(0, 3000), st.floats(0, 3000)])
angles = st.one_of(st.sampled_from([0.0, 30.0, 45.0, 90.0, 180.0, 270.0, 360.0, -90.0, 1e6]), st.floats(-720, 720))
NEAR = 1e-9


def size_of(box: Box) -> float:
    return 1 + max(map(abs, box))


@settings(max_examples=300)
@given(box=boxes, degrees=angles)
def test_corners_agree_with_the_twin_and_shapely(box: Box, degrees: float) -> None:
    cx, cy, w, h = box
    points = rotated.corner_points([box], degrees)[0]
    np.testing.assert_allclose(points, naive_boxes.rotated_corners(box, degrees), rtol=0, atol=NEAR * size_of(box))
    upright = shapely.LineString(
        [(cx - w / 2, cy - h / 2), (cx + w / 2, cy - h / 2), (cx + w / 2, cy + h / 2), (cx - w / 2, cy + h / 2)]
    )
    # counter-clockwise with y up is clockwise with y down
    turned = shapely.affinity.rotate(upright, degrees, origin=(cx, cy))
    np.testing.assert_allclose(points, shapely.get_coordinates(turned), rtol=0, atol=NEAR * size_of(box))
    cover = rotated.cover([box], degrees)
    np.testing.assert_allclose(cover[:, 0], turned.bounds, rtol=0, atol=NEAR * size_of(box))


@settings(max_examples=300)
@given(box=boxes, degrees=angles)
def test_about_the_top_left_corner(box: Box, degrees: float) -> None:
    """Label Studio's box: the corner (x, y) stays where it is."""
    x, y, w, h = box
    centred = rotated.centre_from_top_left([box], degrees)
    points = rotated.corner_points(centred, degrees)[0]
    upright = shapely.LineString([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
    turned = shapely.affinity.rotate(upright, degrees, origin=(x, y))
    np.testing.assert_allclose(points, shapely.get_coordinates(turned), rtol=0, atol=NEAR * size_of(box))
    assert centred[0, 2:].tolist() == [w, h]


@settings(max_examples=300)
@given(box=boxes, degrees=angles)
def test_pivots_come_back(box: Box, degrees: float) -> None:
    there = rotated.centre_from_top_left([box], degrees)
    back = rotated.top_left_from_centre(there, degrees)
    ulp = np.spacing(max(map(abs, (*box, *there[0].tolist()))))
    assert (np.abs(back[0] - box) <= ulp).all()


@settings(max_examples=100)
@given(box=boxes, turns=st.integers(-9, 9))
def test_quarter_turns_are_exact(box: Box, turns: int) -> None:
    cx, cy, w, h = box
    reach_x, reach_y = (h / 2, w / 2) if turns % 2 else (w / 2, h / 2)
    expected = [cx - reach_x, cy - reach_y, cx + reach_x, cy + reach_y]
    assert rotated.cover([box], 90.0 * turns)[:, 0].tolist() == expected
    ring = [
        (expected[0], expected[1]),
        (expected[2], expected[1]),
        (expected[2], expected[3]),
        (expected[0], expected[3]),
    ]
    points = rotated.corner_points([box], 90.0 * turns)[0].tolist()
    assert points == [list(ring[(i + turns) % 4]) for i in range(4)]


def test_a_rendered_example_of_label_studio() -> None:
    """A rectangle at 50 %, 20 % of 800 x 400 pixels, 200 x 160 pixels, turned by 30 degrees: its cover."""
    centred = rotated.centre_from_top_left([[400.0, 80.0, 200.0, 160.0]], 30.0)
    left, top, right, bottom = rotated.cover(centred, 30.0)[:, 0]
    assert left == pytest.approx(400 - 160 * math.sin(math.radians(30)))
    assert top == pytest.approx(80)
    assert right == pytest.approx(400 + 200 * math.cos(math.radians(30)))
    assert bottom == pytest.approx(80 + 200 * math.sin(math.radians(30)) + 160 * math.cos(math.radians(30)))


def test_one_angle_for_all_or_one_each() -> None:
    rows = np.random.default_rng(0).uniform(0, 100, (50, 4))
    rows.flags.writeable = False
    degrees = np.linspace(0, 360, 50)
    many = rotated.cover(rows, degrees)
    assert many.shape == (4, 50)
    for i in range(50):
        np.testing.assert_array_equal(many[:, i], rotated.cover(rows[i : i + 1], degrees[i])[:, 0])
    points = rotated.corner_points(rows, degrees)
    np.testing.assert_allclose(points.min(axis=1).T, many[:2], rtol=0, atol=1e-12 * 1e3)
    np.testing.assert_allclose(points.max(axis=1).T, many[2:], rtol=0, atol=1e-12 * 1e3)
    assert degrees.flags.writeable


@pytest.mark.parametrize("degrees", [math.nan, math.inf])
def test_an_angle_that_is_none(degrees: float) -> None:
    assert np.isnan(rotated.corner_points([[1.0, 2.0, 3.0, 4.0]], degrees)).all()
    assert np.isnan(rotated.cover([[1.0, 2.0, 3.0, 4.0]], degrees)).all()


def test_none_and_wrong_shapes() -> None:
    assert rotated.corner_points(np.empty((0, 4)), []).shape == (0, 4, 2)
    assert rotated.cover(np.empty((0, 4)), 3.0).shape == (4, 0)
    with pytest.raises(ValueError, match=r"shape \(n, 4\), got \(4,\)"):
        rotated.cover([1.0, 2.0, 3.0, 4.0], 0.0)
    with pytest.raises(ValueError, match=r"shape \(2,\), got \(3,\)"):
        rotated.cover(np.ones((2, 4)), [1.0, 2.0, 3.0])
