"""Outlines straight from run lengths against those of the decoded masks."""

from __future__ import annotations

from itertools import product
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine import rle_shapes
from predarrow_engine.rle_shapes import RunLengthTracer
from predarrow_engine.trace import Tracer
from tests import naive_rle
from tests.images import SPECIAL, voronoi

Mask = npt.NDArray[Any]
OPTIONS: list[dict[str, Any]] = [
    {"outline": outline, "holes": holes} for outline, holes in product(("edge", "center"), ("keep", "fill"))
]
TRACERS = [(RunLengthTracer(**options), options) for options in OPTIONS]


def flat(masks: list[Mask]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give counts, offsets and sizes of masks."""
    counts = [naive_rle.counts(mask) for mask in masks]
    sizes = np.array([mask.shape for mask in masks], np.int64).reshape(-1, 2)
    return np.array([c for mask in counts for c in mask], np.uint32), np.cumsum([0, *map(len, counts)]), sizes


def check(masks: list[Mask]) -> None:
    """Each option gives what tracing the decoded masks one by one gives."""
    for tracer, options in TRACERS:
        found = tracer.trace_counts(*flat(masks))
        single = Tracer(**options)
        for mask in masks:
            single.add(mask != 0)
        wanted = single.take()
        for ours, theirs in zip(found[:4], wanted[:4], strict=True):
            assert np.array_equal(ours, theirs)
        assert np.array_equal(found.mask_offsets, wanted.component_offsets[wanted.image_offsets])
        assert found.area.tolist() == [np.count_nonzero(mask) for mask in masks]
        boxes = [naive_rle.bbox(mask) for mask in masks]
        assert np.array_equal(found.bbox, np.array(boxes, np.float64).reshape(-1, 4).T, equal_nan=True)


shapes = st.tuples(st.integers(1, 10), st.integers(1, 12))
any_mask = shapes.flatmap(
    lambda shape: hnp.arrays(np.bool_, shape) | hnp.arrays(np.bool_, shape, elements=st.just(True), fill=st.just(False))
)


@settings(max_examples=200)
@given(st.lists(any_mask, max_size=4))
def test_any_masks(masks: list[Mask]) -> None:
    check(masks)


@pytest.mark.parametrize("name", SPECIAL)
def test_special_masks(name: str) -> None:
    image = SPECIAL[name]()
    check([image != 0, image == 0, image.T == 1, image > 1])


def test_masks_that_outgrow_the_workspace() -> None:
    noise = np.random.default_rng(1).random((150, 400)) < 0.5
    check([noise, voronoi(90, 70, 9, 2, 1), noise.T])


def test_masks_without_counts_or_pixels() -> None:
    check([])
    check([np.zeros((0, 5)), np.zeros((4, 0)), np.ones((2, 2))])
    found = RunLengthTracer().trace_counts(np.array([0, 1], np.uint32), np.array([0, 0, 2]), np.array([[7, 7], [1, 1]]))
    assert found.mask_offsets.tolist() == [0, 0, 1]
    assert found.area.tolist() == [0, 1]


def test_what_cannot_be_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    tracer = RunLengthTracer()
    with pytest.raises(ValueError, match="counts of mask 1 must sum to 4"):
        tracer.trace_counts(np.array([1, 3], np.uint32), np.array([0, 1, 2]), np.array([[1, 1], [2, 2]]))
    with pytest.raises(ValueError, match=r"at most 16777216 pixels, got 16777217"):
        tracer.trace_counts(np.array([2**24 + 1], np.uint32), np.array([0, 1]), np.array([[2**24 + 1, 1]]))
    monkeypatch.setattr(rle_shapes, "ROW_LIMIT", 20)
    with pytest.raises(ValueError, match="at most 20 pixels, got 21"):
        tracer.trace_counts(np.array([21], np.uint32), np.array([0, 1]), np.array([[21, 1]]))
