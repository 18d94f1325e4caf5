"""Masks from run lengths against the masks that these came from."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as peer

from predarrow_engine import memory
from predarrow_engine.rle import encode
from predarrow_engine.rle_decode import decode
from predarrow_engine.rle_text import from_strings
from tests.guarded import guarded
from tests.images import SPECIAL, voronoi

Masks = npt.NDArray[Any]


def check(masks: Masks) -> None:
    encoded = encode(masks)
    _, height, width = masks.shape
    runs = from_strings(encoded.counts, encoded.offsets, np.tile(np.array([height, width], np.int64), (len(masks), 1)))
    found = decode(runs.counts, runs.offsets, height, width)
    assert np.array_equal(found, masks != 0)
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    assert found.flags.writeable


shapes = st.tuples(
    st.integers(0, 3), st.integers(0, 12), st.integers(0, 12) | st.sampled_from([63, 64, 65, 127, 128, 129, 200])
)


@settings(max_examples=300)
@given(
    shapes.flatmap(
        lambda shape: hnp.arrays(np.bool_, shape) | hnp.arrays(np.bool_, shape, elements=st.just(True), fill=st.just(0))
    )
)
def test_any_masks(masks: Masks) -> None:
    check(masks)


@pytest.mark.parametrize("name", SPECIAL)
def test_special_masks(name: str) -> None:
    image = SPECIAL[name]()
    check(np.stack([image, image == 1, image != 0, image == 0]))


@pytest.mark.parametrize("width", [1, 63, 64, 65, 191, 192, 193, 250])
def test_covers_at_each_side_of_rows(width: int) -> None:
    mask = np.zeros((4, 40, width), np.uint8)
    mask[0, 3:20, : width // 2] = 1
    mask[1, 3:20, width // 2 :] = 1
    mask[2, :, width // 3 : width // 3 + 2] = 1
    mask[3] = voronoi(40, width, 9, 2, 1)
    check(mask)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # the peer's
@settings(max_examples=100)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.integers(1, 9))
def test_runs_of_no_length(lengths: list[int], height: int) -> None:
    lengths.append(-sum(lengths) % height)
    width = sum(lengths) // height
    theirs = peer.decode([peer.frPyObjects({"counts": lengths, "size": [height, width]}, height, width)])[..., 0]
    ours = decode(np.array(lengths, np.uint32), np.array([0, len(lengths)]), height, width)
    assert np.array_equal(ours[0], theirs)


def test_counts_of_another_size_are_refused_and_none_are_an_empty_mask() -> None:
    counts, offsets = np.array([2, 4, 2, 5], np.uint32), np.array([0, 2, 2, 4])
    with pytest.raises(ValueError, match="counts of mask 2 must sum to 6"):
        decode(counts, offsets, 2, 3)
    assert decode(counts, offsets[:3], 2, 3)[:, 0].tolist() == [[0, 1, 1], [0, 0, 0]]


def test_memory_that_is_used_again() -> None:
    counts, offsets = np.array([2, 3, 1], np.uint32), np.array([0, 3])
    out = np.full((1, 2, 3), 7, np.uint8)
    assert decode(counts, offsets, 2, 3, out) is out
    assert out.tolist() == [[[0, 1, 1], [0, 1, 0]]]
    others: list[Masks] = [
        out[0],
        out.astype(np.int8),
        np.zeros((1, 3, 2), np.uint8),
        np.zeros((1, 2, 6), np.uint8)[..., ::2],
    ]
    for wrong in others:
        with pytest.raises(ValueError, match=r"out is \(1, 2, 3\) uint8, contiguous"):
            decode(counts, offsets, 2, 3, wrong)


@pytest.mark.parametrize("width", [1, 63, 64, 65, 130])
def test_nothing_is_written_behind_the_masks(width: int) -> None:
    masks = np.stack([voronoi(20, width, 9, 2, seed) for seed in range(3)])
    encoded = encode(masks)
    runs = from_strings(encoded.counts, encoded.offsets, np.array([[20, width]] * 3))
    out = guarded(np.zeros(masks.size, np.uint8)).reshape(masks.shape)
    assert np.array_equal(decode(runs.counts, runs.offsets, 20, width, out), masks)


def test_memory_that_was_used_before_leaves_no_trace() -> None:
    memory.release()
    masks = np.zeros((3, 700, 801), np.uint8)
    masks[0, 100:300, 5:700] = masks[2, 699, 800] = 1
    used = memory.empty(masks.shape, np.uint8)
    used.fill(7)
    address = used.ctypes.data
    del used
    encoded = encode(masks)
    runs = from_strings(encoded.counts, encoded.offsets, np.tile(np.array([700, 801], np.int64), (3, 1)))
    found = decode(runs.counts, runs.offsets, 700, 801)
    assert found.ctypes.data == address
    assert np.array_equal(found, masks)
