"""Whole numbers as a column of text against Python's `str`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predarrow_engine.number_texts import LARGEST, ROOM, number_texts

_BORDERS = [number for power in range(9) for number in (10**power - 1, 10**power) if number <= LARGEST]
_NUMBERS = st.one_of(st.sampled_from(_BORDERS), st.integers(0, LARGEST), st.integers(0, 300))


@given(st.lists(st.tuples(_NUMBERS, st.integers(1, 3)), max_size=40))
def test_as_str(runs: list[tuple[int, int]]) -> None:
    numbers = [number for number, n in runs for _ in range(n)]
    expected = list(map(str, numbers))
    offsets = np.full(len(numbers) + 1, -1, np.int32)
    whole = np.full(sum(map(len, expected)) + ROOM + 1, 255, np.uint8)
    size = number_texts(np.array(numbers, np.int64), offsets, whole[:-1])
    text = whole[:size].tobytes().decode()
    assert text == "".join(expected)
    assert [text[start:end] for start, end in pairwise(offsets)] == expected
    assert whole[-1] == 255
