"""Percents in pixels and back, as Label Studio has them: the same percent, or one that gives the same pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow_engine import percent
from predarrow_engine.percent import corners, far_side, shortest, shortest_boxes, shortest_extent, shortest_round, sides
from predarrow_engine.percent import to_pixels as pixels_of
from predarrow_engine.rotated import centre_from_top_left
from tests import naive_percent as naive

Floats = npt.NDArray[np.float64]

_sizes = st.integers(1, 20000).map(float)
_RNG = np.random.default_rng(5)
_N = 4000


def _decimal(digits: int) -> st.SearchStrategy[float]:
    """Give decimals of up to so many significant digits, up to 100."""
    return st.builds(lambda k, e: float(f"{k}e{e}"), st.integers(0, 10**digits), st.integers(-digits - 2, 2 - digits))


def _one(value: float) -> Floats:
    return np.array([value])


def _same(found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> None:
    np.testing.assert_array_equal(found, expected, strict=True)


@given(st.floats(-200, 200) | _decimal(4), _sizes)
def test_pixels_as_the_twin_has_them(number: float, size: float) -> None:
    _same(pixels_of(_one(number), size), _one(naive.pixel(number, size)))


@given(_decimal(12), _sizes)
def test_decimals_of_12_digits_come_back(number: float, size: float) -> None:
    _same(shortest(pixels_of(_one(number), size), size), _one(number))


@given(_decimal(6), _sizes)
def test_decimals_of_6_digits_come_back_from_float32(number: float, size: float) -> None:
    pixels = pixels_of(_one(number), size).astype(np.float32)
    found = shortest(pixels, size)
    _same(pixels_of(found, size).astype(np.float32), pixels)
    if pixels[0] % 0.5 or pixels_of(_one(number), size)[0] == pixels[0]:
        _same(found, _one(number))


@given(st.floats(-150, 150), _sizes)
def test_any_percent_comes_back_as_one_that_gives_its_pixel(number: float, size: float) -> None:
    pixels = pixels_of(_one(number), size)
    if not number or abs(pixels[0]) > np.finfo(np.float32).tiny:
        _same(pixels_of(shortest(pixels, size), size), pixels)
        rounded = pixels.astype(np.float32)
        _same(pixels_of(shortest(rounded, size), size).astype(np.float32), rounded)


@given(st.integers(0, 2**31) | st.integers(0, 2**40), _sizes, st.sampled_from([1.0, 0.5, 1e-3, 1e-6]))
def test_short_pixels_come_back(whole: int, size: float, step: float) -> None:
    """Of a model or a file of another format: whole pixels, halves, decimals; and so do float32 numbers."""
    pixel = round(min(whole * step, 2e5), 6)
    for exact in (pixel, float(np.float32(pixel))):
        _same(pixels_of(shortest(_one(exact), size), size), _one(exact))


def test_percents_that_tools_compute_are_whole_pixels_and_come_back() -> None:
    size = _RNG.integers(1, 5000, _N).astype(float)
    pixel = np.floor(_RNG.random(_N) * size)
    for computed in (pixel / size * 100, pixel * 100 / size, 100 * (pixel / size), pixel / (size / 100)):
        _same(pixels_of(computed, size), pixel)
    came_back = shortest(pixel, size) == pixel / size * 100
    assert came_back.mean() > 0.99
    _same(shortest(pixel.astype(np.float32), size), shortest(pixel, size))


def test_percents_of_float32_come_back() -> None:
    size = _RNG.integers(1, 5000, _N).astype(float)
    fraction = _RNG.random(_N).astype(np.float32)
    for number in (fraction.astype(np.float64) * 100, (fraction * np.float32(100)).astype(np.float64)):
        found = shortest(pixels_of(number, size), size)
        assert (found == number).mean() > 0.97  # others have a decimal of 15 digits that gives the same pixel
        _same(pixels_of(found, size), pixels_of(number, size))


def test_all_percents_are_the_size_itself() -> None:
    size: Floats = np.arange(1, 30000).astype(np.float64)
    _same(pixels_of(np.full(size.size, 100.0), size), size)
    assert np.any(size / 100 * 100 != size)
    _same(shortest(size, size), np.full(size.size, 100.0))


@given(_decimal(10), _decimal(10), _sizes)
def test_extents_of_few_digits_come_back(low: float, extent: float, size: float) -> None:
    pixels = pixels_of(_one(low), size)
    high = far_side(pixels, _one(extent), size)
    back = shortest_extent(high, shortest(pixels, size), size)
    _same(far_side(pixels, back, size), high)
    if abs(extent) > 1e-9 * abs(low):
        assert back[0] == pytest.approx(extent, rel=1e-12, abs=1e-12 * abs(low))


@given(_decimal(9), _decimal(9), _sizes)
def test_centres_and_radii_of_few_digits_come_back(centre: float, radius: float, size: float) -> None:
    low, high = sides(_one(centre), _one(radius), size)
    back = shortest_round(low, high, size)
    _same(np.stack(sides(*back, size)), np.stack([low, high]))


def test_round_shapes_come_back() -> None:
    size = _RNG.integers(100, 5000, _N).astype(float)
    for digits in (2, 5):
        centre, radius = np.round(_RNG.random((2, _N)) * 50, digits)
        back = shortest_round(*sides(centre, radius, size), size)
        _same(np.stack(back), np.stack([centre, radius]))


def _given_boxes() -> tuple[Floats, Floats, Floats]:
    """Give boxes in pixels, (4, n) x, y, width and height, and sizes of their images."""
    widths, heights = _RNG.integers(100, 5000, (2, _N)).astype(float)
    x, y = np.floor(_RNG.random(_N) * widths), np.floor(_RNG.random(_N) * heights)
    across, down = np.floor(_RNG.random(_N) * (widths - x)) + 1, np.floor(_RNG.random(_N) * (heights - y)) + 1
    return np.stack([x, y, across, down]), widths, heights


@pytest.mark.parametrize("degrees", [np.zeros(_N), _RNG.random(_N) * 360, np.round(_RNG.random(_N) * 720 - 360)])
def test_boxes_come_back(degrees: Floats) -> None:
    boxes, widths, heights = _given_boxes()
    scale = np.stack([widths, heights, widths, heights])
    computed = boxes / scale * 100
    found = shortest_boxes(corners(computed, degrees, widths, heights), degrees, widths, heights)
    assert (found == computed).all(0).mean() > 0.99
    _same(corners(found, degrees, widths, heights), corners(computed, degrees, widths, heights))
    for digits in (2, 4, 8):
        decimals = np.round(computed, digits)
        found = shortest_boxes(corners(decimals, degrees, widths, heights), degrees, widths, heights)
        _same(found, decimals)


@pytest.mark.parametrize("step", [1.0, 0.01])
def test_boxes_of_other_formats_come_back(step: float) -> None:
    boxes, widths, heights = _given_boxes()
    low = np.round(boxes[:2] * step, 2)
    given_sides = np.concatenate([low, low + np.round(boxes[2:] * step, 2)])
    upright = np.zeros(_N)
    found = shortest_boxes(given_sides, upright, widths, heights)
    _same(corners(found, upright, widths, heights), given_sides)


def test_any_rotated_box_comes_back_nearly() -> None:
    low, extents, degrees = _RNG.random((2, _N)) * 900, _RNG.random((2, _N)) * 900, _RNG.random(_N) * 360
    given_sides = np.concatenate([low, low + extents])
    widths, heights = np.full(_N, 1920.0), np.full(_N, 1080.0)
    found = corners(shortest_boxes(given_sides, degrees, widths, heights), degrees, widths, heights)
    np.testing.assert_allclose(found, given_sides, rtol=0, atol=1e-11)


def test_rotation_is_about_the_top_left_corner_in_pixels() -> None:
    """Of reference pictures drawn by the editor: 800 x 400, a box rotated by 30 degrees."""
    box, degrees = np.array([[40.0], [20.0], [25.0], [30.0]]), _one(30)
    found = corners(box, degrees, _one(800), _one(400))
    ((cx, cy, w, h),) = centre_from_top_left(np.array([[320.0, 80.0, 200.0, 120.0]]), degrees)
    np.testing.assert_allclose(found[:, 0], [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], rtol=1e-15)
    quarter = corners(box, _one(90), _one(800), _one(400))
    assert quarter[:, 0].tolist() == [160, 120, 360, 240]


def test_extents_below_0_and_numbers_that_are_none() -> None:
    box = np.array([[50.0, np.nan], [50.0, 1.0], [-10.0, 1.0], [-20.0, 1.0]])
    for degrees in (0.0, 90.0):
        found = corners(box, np.full(2, degrees), np.full(2, 200.0), np.full(2, 100.0))
        assert np.isnan(found[0, 1])
        if degrees == 0:
            assert found[:, 0].tolist() == [100, 50, 80, 30]
            _same(shortest_boxes(found, np.zeros(2), np.full(2, 200.0), np.full(2, 100.0))[:, 0], box[:, 0])
    assert np.isnan(shortest(_one(np.nan), 5)).all()
    assert np.isnan(shortest(_one(np.nan).astype(np.float32), 5)).all()
    _same(shortest(_one(np.inf), 5), _one(np.inf))


@pytest.mark.parametrize("function", [percent.shortest, percent.to_pixels])
def test_one_size_for_all_or_one_each(function: Callable[..., Floats]) -> None:
    numbers = np.array([1.5, 20.0, 33.3])
    _same(function(numbers, 640), function(numbers, np.full(3, 640.0)))
    assert function(np.empty(0), np.empty(0)).size == 0
