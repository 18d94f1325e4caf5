"""Covers of run lengths against the encoder, a slow twin and pycocotools; strings of no mask."""

from __future__ import annotations

from itertools import accumulate, pairwise

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from predarrow_engine.rle import encode
from predarrow_engine.rle_cover import Covers, covers, covers_of_runs
from predarrow_engine.rle_text import OK, from_strings
from tests import naive_rle
from tests.guarded import guarded
from tests.images import voronoi


def covers_of(strings: list[bytes], *sizes: tuple[int, int]) -> Covers:
    data = np.frombuffer(b"".join(strings), np.uint8)
    offsets = np.array([0, *accumulate(map(len, strings))], np.int32)
    return covers(data, offsets, np.array(sizes * (len(strings) if len(sizes) == 1 else 1), np.int64).reshape(-1, 2))


@settings(max_examples=200)
@given(hnp.arrays(np.bool_, st.tuples(st.integers(0, 3), st.integers(1, 12), st.integers(1, 80))))
def test_they_are_the_encoders(masks: np.ndarray[tuple[int, int, int], np.dtype[np.bool_]]) -> None:
    encoded = encode(masks)
    found = covers(encoded.counts, encoded.offsets, np.full((len(masks), 2), masks.shape[1:], np.int64))
    assert np.array_equal(found.area, encoded.area)
    assert np.array_equal(found.bbox, encoded.bbox, equal_nan=True)


def check_by_counts(strings: list[bytes], sizes: list[tuple[int, int]]) -> Covers:
    """Covers of strings, in memory that ends with them, are those of their counts, flaws too."""
    data = guarded(np.frombuffer(b"".join(strings), np.uint8))
    offsets, sides = np.array([0, *accumulate(map(len, strings))]), np.array(sizes, np.int64)
    found, wanted = covers(data, offsets, sides), covers_of_runs(from_strings(data, offsets, sides), sides)
    assert np.array_equal(found.bbox, wanted.bbox, equal_nan=True)
    kept = [covers._replace(bbox=covers.bbox[:0]) for covers in (found, wanted)]
    assert [array.tolist() for array in kept[0]] == [array.tolist() for array in kept[1]]
    return found


runs = st.integers(1, 40) | st.integers(0, 3000) | st.sampled_from([15, 16, 511, 512, 2**14, 2**19 - 1, 2**19, 2**22])


@settings(max_examples=300)
@given(st.lists(st.lists(runs, min_size=1, max_size=150), min_size=1, max_size=4), st.integers(1, 700))
def test_any_runs_in_masks_of_any_height(masks: list[list[int]], height: int) -> None:
    for lengths in masks:
        lengths[-1] += -sum(lengths) % height
    sizes = [(height, sum(lengths) // height) for lengths in masks]
    found = check_by_counts([naive_rle.to_string(lengths) for lengths in masks], sizes)
    assert found.area.tolist() == [sum(lengths[1::2]) for lengths in masks]


@pytest.mark.parametrize("height", [480, 2**12, 2**12 + 1])
def test_masks_at_the_limit_of_the_quick_way(height: int) -> None:
    for n_pixels in (2**24 - height, 2**24, 2**24 + height):
        width = n_pixels // height
        lengths = [height, *[height // 2 + 1, height - height // 2 - 1] * (width - 2), 0, height]
        for some in (lengths, [*lengths[:-2], height], [0, height * width]):
            check_by_counts([naive_rle.to_string(some)], [(height, width)])


def test_changed_bytes() -> None:
    masks = np.stack([voronoi(30, 37, 12, 2, seed) for seed in range(8)])
    encoded = encode(masks)
    strings = [encoded.counts[a:b].tobytes() for a, b in pairwise(encoded.offsets)]
    rng = np.random.default_rng(11)
    for _ in range(300):
        changed = [bytearray(string) for string in strings]
        for string in changed:
            string[rng.integers(0, len(string))] = rng.integers(44, 116)
        check_by_counts([bytes(string) for string in changed], [(30, 37)] * len(changed))


def is_mask(string: bytes, size: int) -> bool:
    """Tell, by the slow twin, whether a string is one of a mask of so many pixels."""
    if any(not 48 <= character < 112 for character in string) or (string and (string[-1] - 48) & 0x20):
        return False
    lengths = naive_rle.from_string(string)
    return all(length >= 0 for length in lengths) and sum(lengths) == size


characters = st.integers(48, 111) | st.sampled_from([0, 47, 112, 255])
numbers = st.lists(st.integers(0, 9), max_size=8).map(naive_rle.to_string)


@settings(max_examples=500)
@given(st.lists(characters, max_size=8).map(bytes) | numbers, st.integers(1, 6), st.integers(1, 6))
@example(b"", 1, 1)
@example(b"1P", 1, 1)
@example(b"100O1O1", 2, 2)
def test_any_string(string: bytes, height: int, width: int) -> None:
    found = covers_of([string], (height, width))
    ((area,), (box,)) = found.area.tolist(), found.bbox.T.tolist()
    assert (found.flaw[0] == OK) == (area >= 0)
    if not is_mask(string, height * width):
        assert area == -1
        assert np.isnan(box).all()
        return
    mask = naive_rle.decode(string, height, width)
    assert area == np.count_nonzero(mask)
    assert np.array_equal(box, naive_rle.bbox(mask), equal_nan=True)


def test_sizes_at_the_limit() -> None:
    side = 2**31 - 1
    whole = naive_rle.to_string([0, side * side])
    found = covers_of([whole, b"o" * 13, naive_rle.to_string([2**62])], (side, side))
    assert found.area.tolist() == [-1, -1, -1]  # more than 60 bits: no image has so many pixels
    row = naive_rle.to_string([1, side - 1])
    assert covers_of([row], (1, side)).bbox.T.tolist() == [[1, 0, side, 1]]
    assert covers_of([row], (side, 1)).bbox.T.tolist() == [[0, 1, 1, side]]


def test_nothing() -> None:
    assert covers_of([], (1, 1)).area.tolist() == []
    assert covers_of([b"", b"0", b"1"], (0, 5)).area.tolist() == [0, 0, -1]


def test_pycocotools_gives_the_same() -> None:
    peer = pytest.importorskip("pycocotools.mask")
    masks = np.random.default_rng(3).random((20, 30, 40)) < 0.002
    theirs = peer.encode(np.asfortranarray(masks.transpose(1, 2, 0).astype(np.uint8)))
    found = covers_of([entry["counts"] for entry in theirs], (30, 40))
    assert found.area.tolist() == peer.area(theirs).tolist()
    x, y, width, height = peer.toBbox(theirs).T
    inside = found.area > 0
    assert np.array_equal(found.bbox[:, inside], np.stack([x, y, x + width, y + height])[:, inside])
