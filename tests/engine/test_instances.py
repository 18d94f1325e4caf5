"""Outlines of many masks at once against those of each mask alone."""

from __future__ import annotations

from itertools import product
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine import instances
from predarrow_engine.instances import InstanceTracer
from predarrow_engine.trace import Tracer
from tests import naive_rle
from tests.images import SPECIAL

Masks = npt.NDArray[np.uint8]
OPTIONS: list[dict[str, Any]] = [
    {"outline": outline, "holes": holes} for outline, holes in product(("edge", "center"), ("keep", "fill"))
]
TRACERS = [(InstanceTracer(**options), options) for options in OPTIONS]


def check(masks: Masks) -> None:
    """Each option gives what tracing the masks one by one gives; areas and boxes are those of the pixels."""
    before = masks.copy()
    for tracer, options in TRACERS:
        found = tracer.trace(masks)
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
    assert np.array_equal(masks, before)


def stacks() -> st.SearchStrategy[Masks]:
    """Give masks around the width of a block, dense ones, sparse ones and empty ones."""
    widths = st.one_of(st.integers(1, 12), st.sampled_from([63, 64, 65, 127, 128, 130]))
    shapes = st.tuples(st.integers(1, 4), st.integers(1, 12), widths)
    return shapes.flatmap(
        lambda shape: st.one_of(
            hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 255])),
            hnp.arrays(np.uint8, shape, elements=st.just(1), fill=st.just(0)),
        )
    )


@settings(max_examples=200)
@given(stacks())
def test_any_masks(masks: Masks) -> None:
    check(masks)


@pytest.mark.parametrize("name", SPECIAL)
def test_special_masks(name: str) -> None:
    image = SPECIAL[name]()
    check(np.stack([image != 0, image == 0, image == 1, image > 1, image != 0]).astype(np.uint8))


def test_no_masks_and_masks_without_pixels() -> None:
    check(np.zeros((0, 4, 5), np.uint8))
    check(np.zeros((3, 4, 5), np.uint8))
    assert InstanceTracer().trace(np.zeros((2, 0, 5), np.uint8)).mask_offsets.tolist() == [0, 0, 0]


def test_noise_that_outgrows_the_workspace() -> None:
    check((np.random.default_rng(1).random((3, 150, 400)) < 0.5).astype(np.uint8))


def test_more_rows_than_a_vertex_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "ROW_LIMIT", 20)
    with pytest.raises(ValueError, match="at most 20 rows in all, got 3 x 7"):
        InstanceTracer().trace(np.zeros((3, 7, 5), np.uint8))
