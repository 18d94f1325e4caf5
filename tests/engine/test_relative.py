"""Relative numbers back from pixels: the same number, or one that gives the same pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow_engine.relative import far_side, shortest, shortest_extent, shortest_round, sides, to_pixels
from tests import naive_geometry as naive

_sizes = st.integers(1, 20000).map(float)


def _decimal(digits: int, lowest: int = -6) -> st.SearchStrategy[float]:
    """Give decimals of up to so many significant digits, below 10."""
    whole = st.integers(-(10**digits) + 1, 10**digits - 1)
    return st.builds(lambda k, e: float(f"{k}e{e}"), whole, st.integers(lowest - digits, 1 - digits))


def _one(value: float) -> npt.NDArray[np.float64]:
    return np.array([value])


def _same(found: npt.NDArray[Any], expected: npt.NDArray[Any]) -> None:
    np.testing.assert_array_equal(found, expected, strict=True)


@given(_decimal(15), _sizes)
def test_decimals_of_15_digits_come_back_from_float64(number: float, size: float) -> None:
    _same(shortest(to_pixels(_one(number), size), size), _one(number))


@given(_decimal(6), _sizes)
def test_decimals_of_6_digits_come_back_from_float32(number: float, size: float) -> None:
    pixels = to_pixels(_one(number), size).astype(np.float32)
    found = shortest(pixels, size)
    _same(to_pixels(found, size).astype(np.float32), pixels)
    exact = to_pixels(_one(number), size)
    if (2 * pixels != np.floor(2 * pixels)).all() or (exact == pixels).all():
        _same(found, _one(number))


@given(st.floats(-10, 10), _sizes)
def test_any_number_comes_back_as_one_that_gives_its_pixel(number: float, size: float) -> None:
    pixels = to_pixels(_one(number), size)
    rounded = pixels.astype(np.float32)
    if not number or abs(pixels[0]) > np.finfo(np.float32).tiny:
        _same(to_pixels(shortest(pixels, size), size), pixels)
        _same(to_pixels(shortest(rounded, size), size).astype(np.float32), rounded)


@given(st.floats(1e-6, 2e4), _sizes)
def test_as_its_twin(pixel: float, size: float) -> None:
    expected = naive.shortest(pixel, size, 15, lambda number: number * size)
    _same(shortest(_one(pixel), size), _one(expected))


@given(st.floats(2.0**-20, 2e4, width=32), _sizes)
def test_as_its_twin_in_float32(pixel: float, size: float) -> None:
    is_exact = (2 * pixel).is_integer()
    digits = 15 if is_exact else 9
    expected = naive.shortest(pixel, size, digits, lambda x: x * size if is_exact else float(np.float32(x * size)))
    _same(shortest(_one(pixel).astype(np.float32), size), _one(expected))


def test_whole_pixels_come_back_as_their_quotients() -> None:
    size = 1920.0
    pixels = np.arange(1921, dtype=np.float64)
    is_exact = to_pixels(pixels / size, size) == pixels
    assert is_exact.mean() > 0.85
    _same(shortest(pixels[is_exact], size), pixels[is_exact] / size)
    _same(shortest(pixels[is_exact].astype(np.float32), size), pixels[is_exact] / size)


@given(_decimal(6, -2), st.integers(0, 10**6).map(lambda k: k / 10**6), _sizes)
def test_extents_come_back(low: float, extent: float, size: float) -> None:
    pixels = to_pixels(_one(low), size)
    found = shortest_extent(far_side(pixels, _one(extent), size), _one(low), size)
    _same(found, _one(extent))


@given(st.floats(-2, 2), st.floats(0, 2), _sizes)
def test_any_extent_comes_back_as_one_that_gives_its_side(low: float, extent: float, size: float) -> None:
    pixels = to_pixels(_one(low), size)
    high = far_side(pixels, _one(extent), size)
    relative_low = shortest(pixels, size)
    _same(to_pixels(relative_low, size), pixels)
    _same(far_side(pixels, shortest_extent(high, relative_low, size), size), high)


@given(_decimal(6, -2), st.integers(0, 10**6).map(lambda k: k / 10**6), _sizes, st.floats(0.1, 20000))
def test_centres_and_radii_come_back(centre: float, radius: float, size: float, radius_size: float) -> None:
    low, high = sides(_one(centre), _one(radius), size, radius_size)
    found = shortest_round(low, high, size, radius_size)
    _same(np.stack(sides(*found, size, radius_size)), np.stack((low, high)))
    if (
        radius * radius_size < 100 * abs(centre) * size or not centre
    ):  # else the sides hold fewer of the centre's digits
        _same(found[0], _one(centre))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_stays_none(value: float) -> None:
    for dtype in (np.float32, np.float64):
        _same(shortest(_one(value).astype(dtype), 100.0), _one(value))
    assert not np.isfinite(shortest_extent(_one(value), _one(0.5), 100.0)).any()
    assert not np.isfinite(np.stack(shortest_round(_one(value), _one(value), 100.0, 100.0))[0]).any()


def test_each_number_has_its_own_scale() -> None:
    sizes = np.array([100.0, 3000.0, 7.0])
    numbers = np.array([0.25, 0.333, -1.5])
    _same(shortest(to_pixels(numbers, sizes), sizes), numbers)
    _same(shortest(np.empty(0), np.empty(0)), np.empty(0))


def test_zero() -> None:
    zero = _one(0.0)
    _same(shortest(zero, 10.0), zero)
    _same(shortest_extent(_one(2.5), _one(0.25), 10.0), zero)
    _same(np.stack(shortest_round(_one(2.5), _one(2.5), 10.0, 10.0)), np.array([[0.25], [0.0]]))
