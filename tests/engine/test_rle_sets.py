"""Unions, intersections and overlaps of run lengths, bit by bit those of pycocotools."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as peer

from predarrow_engine.rle_sets import Counts, intersection, iou, union
from predarrow_engine.rle_text import to_strings
from tests import naive_rle
from tests.images import voronoi

Masks = npt.NDArray[Any]


def flat(masks: Masks) -> Counts:
    counts = [naive_rle.counts(mask) for mask in masks]
    return np.array([c for mask in counts for c in mask], np.uint32), np.cumsum([0, *map(len, counts)])


def objects(masks: Masks) -> list[dict[str, Any]]:
    return [{"size": [*mask.shape], "counts": naive_rle.to_string(naive_rle.counts(mask))} for mask in masks]


def strings(counts: Counts) -> list[bytes]:
    data, offsets = to_strings(*counts)
    return [data[offsets[i] : offsets[i + 1]].tobytes() for i in range(len(offsets) - 1)]


def check(masks: Masks, cut: int) -> None:
    groups = np.array([0, cut, len(masks)])
    theirs = objects(masks)
    parts = [theirs[:cut], theirs[cut:]]
    for ours, both in ((union, False), (intersection, True)):
        wanted = [peer.merge(part, both)["counts"] if part else b"" for part in parts]
        assert strings(ours(*flat(masks), groups)) == wanted
    n = len(masks) - cut
    for crowd in (np.zeros(n, np.bool_), np.ones(n, np.bool_), np.arange(n) % 2 == 0):
        found = iou(flat(masks[:cut]), flat(masks[cut:]), crowd, *masks.shape[1:])
        assert found.shape == (cut, n)
        if cut and n:
            assert found.tolist() == peer.iou(*parts, crowd.astype(np.uint8).tolist()).tolist()


shapes = st.tuples(st.integers(1, 6), st.integers(1, 9), st.integers(1, 9))
any_masks = shapes.flatmap(
    lambda shape: hnp.arrays(np.bool_, shape) | hnp.arrays(np.bool_, shape, elements=st.just(True), fill=st.just(False))
)


@settings(max_examples=300)
@given(any_masks, st.integers(0, 6))
def test_any_masks(masks: Masks, cut: int) -> None:
    check(masks, min(cut, len(masks)))


def test_larger_masks() -> None:
    masks = np.stack([voronoi(60, 80, 12, 3, seed) == seed % 3 for seed in range(12)])
    masks[4] = masks[7] = False
    masks[5] = masks[8] = True
    check(masks, 6)


def test_runs_of_no_length() -> None:
    counts = np.array([1, 2, 0, 2, 0, 1, 3, 0, 2, 2], np.uint32)  # 1 2 0 2 0 1 -> pixels 1 to 5; 3 0 2 2 -> 5 to 6
    offsets = np.array([0, 6, 10])
    counts[6:10] = 2, 0, 2, 2
    assert union(counts, offsets, np.array([0, 2]))[0].tolist() == [1, 5]
    assert intersection(counts, offsets, np.array([0, 2]))[0].tolist() == [4, 2]


def test_masks_of_different_sizes_and_without_counts() -> None:
    counts, offsets = np.array([4, 2, 3], np.uint32), np.array([0, 1, 3, 3])
    with pytest.raises(ValueError, match="masks of group 1 must have as many pixels"):
        union(counts, offsets, np.array([0, 0, 2]))
    merged, merged_offsets = union(counts, offsets, np.array([0, 1, 3]))
    assert (merged.tolist(), merged_offsets.tolist()) == ([4], [0, 1, 1])
    one = counts[:1], offsets[:2]
    with pytest.raises(ValueError, match="counts of each mask must sum to 5"):
        iou(one, one, np.zeros(1, np.bool_), 1, 5)
