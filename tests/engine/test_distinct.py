"""Distinct numbers and their places against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow_engine.distinct import distinct

_INTS = st.one_of(st.integers(-5, 5), st.integers(-(2**62), 2**62), st.sampled_from([-(2**63), 2**63 - 1]))


@given(st.lists(st.tuples(_INTS, st.integers(1, 4)), max_size=40))
def test_as_numpy(runs: list[tuple[int, int]]) -> None:
    values = np.array([value for value, n in runs for _ in range(n)], np.int64)
    places = np.full(values.size, -1, np.int64)
    numbers = distinct(values, places)
    expected, inverse = np.unique(values, return_inverse=True)
    np.testing.assert_array_equal(numbers, expected)
    np.testing.assert_array_equal(places, inverse)


@pytest.mark.parametrize("step", [1, 3, 4567])
def test_rows_image_by_image(step: int) -> None:
    values = np.repeat(np.arange(100, 3000), 7)[::-1] * step
    places = np.empty(values.size, np.int64)
    numbers = distinct(values, places)
    np.testing.assert_array_equal(numbers, np.arange(100, 3000) * step)
    np.testing.assert_array_equal(numbers[places], values)
