"""Run lengths turned from columns to rows and back, against turning the pixels."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine.rle_rows import to_columns, to_rows
from tests import naive_rle
from tests.images import SPECIAL, voronoi

Masks = npt.NDArray[Any]


def flat(counts: list[list[int]]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    offsets = np.cumsum([0, *map(len, counts)])
    return np.array([count for mask in counts for count in mask], np.uint32), offsets


def check(masks: list[Masks]) -> None:
    """Masks of any sizes: both ways give what the pixels give."""
    sizes = np.array([mask.shape for mask in masks], np.int64).reshape(-1, 2)
    columns = flat([naive_rle.counts(mask) for mask in masks])
    rows = flat([naive_rle.counts(mask.T) for mask in masks])
    for found, wanted in ((to_rows(*columns, sizes), rows), (to_columns(*rows, sizes), columns)):
        assert [array.tolist() for array in found] == [array.tolist() for array in wanted]


shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))
any_mask = shapes.flatmap(
    lambda shape: hnp.arrays(np.bool_, shape) | hnp.arrays(np.bool_, shape, elements=st.just(True), fill=st.just(False))
)


@settings(max_examples=300)
@given(st.lists(any_mask, max_size=4))
def test_any_masks(masks: list[Masks]) -> None:
    check(masks)


@pytest.mark.parametrize("name", SPECIAL)
def test_special_masks(name: str) -> None:
    image = SPECIAL[name]()
    check([image != 0, image == 0, image == 1, image.T != 0])


def test_masks_that_outgrow_the_first_buffers() -> None:
    stripes = np.zeros((600, 500), np.bool_)
    stripes[:, ::2] = True
    check([stripes, voronoi(90, 70, 9, 2, 1), stripes.T])


@settings(max_examples=200)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.integers(1, 6))
def test_runs_of_no_length(lengths: list[int], height: int) -> None:
    lengths.append(-sum(lengths) % height)
    width = sum(lengths) // height
    mask = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(width, height).T
    counts, _ = to_rows(*flat([lengths]), np.array([[height, width]]))
    assert counts.tolist() == naive_rle.counts(mask.T)


def test_masks_without_counts_or_pixels() -> None:
    counts, offsets = to_rows(*flat([[], [0], [2, 1], []]), np.array([[4, 4], [0, 3], [3, 1], [1, 1]]))
    assert (counts.tolist(), offsets.tolist()) == ([0, 2, 1], [0, 0, 1, 3, 3])
    with pytest.raises(ValueError, match="counts of mask 1 must sum to 4"):
        to_rows(*flat([[1], [3]]), np.array([[1, 1], [2, 2]]))
