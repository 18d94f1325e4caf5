"""Run lengths of masks against a slow twin and pycocotools."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine.rle import Encoded, encode
from tests import naive_rle
from tests.images import SPECIAL, voronoi

Masks = npt.NDArray[Any]


def strings(encoded: Encoded) -> list[bytes]:
    data, offsets = encoded.counts.tobytes(), encoded.offsets.tolist()
    return [data[a:b] for a, b in pairwise(offsets)]


def check(masks: Masks) -> None:
    """The strings are the twin's, decode to the masks, and areas and boxes are those of the pixels."""
    before = masks.copy()
    encoded = encode(masks)
    assert np.array_equal(masks, before)
    assert encoded.offsets[0] == 0
    assert encoded.offsets[-1] == encoded.counts.size
    found = strings(encoded)
    assert len(found) == len(masks)
    for mask, string, area, box in zip(masks, found, encoded.area, encoded.bbox.T, strict=True):
        assert string == naive_rle.to_string(naive_rle.counts(mask))
        assert np.array_equal(naive_rle.decode(string, *mask.shape), mask != 0)
        assert area == np.count_nonzero(mask)
        assert np.array_equal(box, naive_rle.bbox(mask), equal_nan=True)


def shapes() -> st.SearchStrategy[tuple[int, int, int]]:
    """Give shapes around the width of a block, and of one row or column."""
    widths = st.one_of(st.integers(1, 12), st.sampled_from([63, 64, 65, 127, 128, 130]))
    return st.tuples(st.integers(1, 3), st.integers(1, 12), widths)


def masks() -> st.SearchStrategy[Masks]:
    return shapes().flatmap(
        lambda shape: st.one_of(
            hnp.arrays(np.bool_, shape),
            hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 0, 1, 255])),
            hnp.arrays(np.bool_, shape, elements=st.just(True), fill=st.just(False)),
        )
    )


@settings(max_examples=300)
@given(masks())
def test_any_masks(masks: Masks) -> None:
    check(masks)


@pytest.mark.parametrize("name", SPECIAL)
def test_special_masks(name: str) -> None:
    image = SPECIAL[name]()
    check(np.stack([image, image == 1, image != 0, image == 0]))


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (200, 1), (64, 64), (3, 65)])
def test_empty_and_full(shape: tuple[int, int], value: int) -> None:
    check(np.full((2, *shape), value, np.uint8))


def test_one_column_that_ends_at_the_bottom() -> None:
    mask = np.zeros((1, 5, 4), np.bool_)
    mask[0, 3:, 1] = True
    check(mask)
    mask[0, 0, 2] = True  # the same run goes on at the top of the next column
    check(mask)


def test_noise_that_outgrows_the_first_buffers() -> None:
    noise = np.random.default_rng(1).random((3, 300, 400)) < 0.5
    check(noise)
    check(np.indices((1, 200, 300)).sum(0) % 2 == 1)


def test_one_mask_or_none() -> None:
    mask = np.eye(70, dtype=np.bool_)
    assert strings(encode(mask)) == strings(encode(mask[None]))
    assert encode(np.empty((0, 5, 5), np.bool_)).offsets.tolist() == [0]
    assert strings(encode(np.empty((2, 0, 5), np.uint8))) == [b"0", b"0"]
    assert strings(encode(np.empty((1, 5, 0), np.uint8))) == [b"0"]


def test_masks_that_are_not_contiguous_or_read_only() -> None:
    image = voronoi(90, 130, 12, 2, 3)
    turned = np.stack([image, 1 - image], axis=2).transpose(2, 0, 1)
    assert strings(encode(turned)) == strings(encode(np.ascontiguousarray(turned)))
    fixed = image.copy()
    fixed.flags.writeable = False
    assert strings(encode(fixed)) == strings(encode(image))
    writable = image.copy()
    encode(writable)
    assert writable.flags.writeable


@pytest.mark.parametrize("bad", [np.zeros(3, np.bool_), np.zeros((2, 3), np.int64), np.zeros((1, 1, 2, 2), np.uint8)])
def test_other_arrays_are_refused(bad: Masks) -> None:
    with pytest.raises(ValueError, match="masks are"):
        encode(bad)


@settings(max_examples=100)
@given(masks())
def test_pycocotools_gives_the_same(masks: Masks) -> None:
    peer = pytest.importorskip("pycocotools.mask")
    ours = encode(masks)
    theirs = peer.encode(np.asfortranarray((masks != 0).transpose(1, 2, 0).astype(np.uint8)))
    assert strings(ours) == [entry["counts"] for entry in theirs]
    assert ours.area.tolist() == peer.area(theirs).tolist()
    x, y, width, height = peer.toBbox(theirs).T
    found = ours.area > 0
    assert np.array_equal(ours.bbox[:, found], np.stack([x, y, x + width, y + height])[:, found])
