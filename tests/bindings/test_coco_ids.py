"""Columns of COCO's ids as text: number by number, and by the distinct ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow.classes import Texts
from predarrow.formats.coco.ids import distinct_ids, id_texts
from predarrow_engine.coco_columns import INT, STRING, WHOLE, Ids

_NOWHERE = np.zeros((0, 2), np.int32)


def _numbers(values: list[int], kind: int = INT) -> Ids:
    return Ids(np.full(len(values), kind, np.uint8), np.array(values, np.int64), _NOWHERE)


@given(st.lists(st.integers(0, 10**8 - 1), min_size=1), st.sampled_from([INT, WHOLE]))
def test_numbers_are_the_texts_of_the_distinct_ones(values: list[int], kind: int) -> None:
    ids = _numbers(values, kind)
    texts = id_texts(ids)
    keys, places = distinct_ids(ids, b"")
    assert texts is not None
    texts.validate(full=True)
    assert texts.equals(Texts(keys).take(places))


@pytest.mark.parametrize("other", [-1, 10**8, -(2**63), 2**63 - 1])
def test_a_number_of_more_digits_or_below_zero_is_left_to_the_distinct_ones(other: int) -> None:
    assert id_texts(_numbers([5, other, 7])) is None


def test_texts_among_numbers_are_left_to_the_distinct_ones() -> None:
    kinds = np.array([INT, STRING], np.uint8)
    assert id_texts(Ids(kinds, np.array([5, 0], np.int64), np.array([[0, 0], [0, 3]], np.int32))) is None
    assert id_texts(_numbers([])) is None
