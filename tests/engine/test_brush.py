"""Label Studio's brushes against their slow twin and the SDK's encoder and decoder."""

from __future__ import annotations

import itertools
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine import brush, rle_text
from predarrow_engine import brush_read as read
from predarrow_engine._jit import kernel
from predarrow_engine._simd_bits import load_bits, store_bits
from predarrow_engine.rle import encode as encode_coco
from tests import naive_brush as naive
from tests import naive_rle
from tests.images import SPECIAL, voronoi
from tests.naive_brush import Chunk

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

shapes = st.tuples(st.integers(1, 9), st.integers(1, 9))
any_mask = shapes.flatmap(lambda shape: hnp.arrays(np.bool_, shape))


def joined(texts: list[bytes]) -> tuple[Bytes, npt.NDArray[np.int64]]:
    return np.frombuffer(b"".join(texts), np.uint8), np.cumsum([0, *map(len, texts)])


def split(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.signedinteger[Any]]) -> list[bytes]:
    return [data[begin:end].tobytes() for begin, end in itertools.pairwise(offsets.tolist())]


def sizes_of(masks: list[Mask]) -> npt.NDArray[np.int64]:
    return np.array([mask.shape for mask in masks], np.int64).reshape(-1, 2)


def encode(masks: list[Mask]) -> list[bytes]:
    found = brush.encode(*joined([naive_rle.to_string(naive_rle.counts(mask)) for mask in masks]), sizes_of(masks))
    assert not found.flaw.any()
    return split(found.values, found.offsets)


def check(masks: list[Mask]) -> None:
    """Masks of any sizes: their bytes are the twin's, and give the masks back."""
    found = encode(masks)
    assert found == [naive.encode(mask) for mask in masks]
    back = brush.decode(*joined(found), sizes_of(masks))
    assert not back.chunks.flaw.any()
    assert split(back.counts, back.offsets) == [naive_rle.to_string(naive_rle.counts(mask)) for mask in masks]
    assert back.chunks.number.tolist() == [4 * mask.size for mask in masks]
    assert back.chunks.highest.tolist() == [255 * mask.any() for mask in masks]
    assert not back.chunks.partial.any()
    assert not back.chunks.spare.any()
    assert (back.chunks.word_size == 8).all()


@settings(max_examples=100)
@given(st.lists(any_mask, max_size=4))
def test_any_masks(masks: list[Mask]) -> None:
    check(masks)


@pytest.mark.parametrize("name", SPECIAL)
def test_special_masks(name: str) -> None:
    image = SPECIAL[name]()
    check([image != 0, image == 0, image == 1, image.T != 0])


@pytest.mark.parametrize("pixels", [1, 2, 3, 4, 5, 64, 65, 16384, 16385, 20000, 32768, 32769, 50000])
def test_runs_at_the_bounds_of_chunks(pixels: int) -> None:
    mask = np.zeros((1, pixels + 3), np.bool_)
    mask[:, :pixels] = True
    check([mask, ~mask, mask[:, :pixels], ~mask[:, :pixels]])


def test_bytes_written_by_hand() -> None:
    found = encode([np.array([[False, True, True]]), np.ones((8, 8), np.bool_), np.ones((100, 200), np.bool_)])
    assert list(found[0]) == [0, 0, 0, 12, 57, 27, 252, 96, 19, 255, 128]
    assert [len(each) for each in found[1:]] == [10, 14]


def test_a_stream_that_ends_with_a_byte_is_followed_by_one_of_zeros() -> None:
    mask = np.repeat(np.arange(7) % 2 == 0, [1, 3, 1, 1, 1, 1, 1]).reshape(1, -1)
    (found,) = encode([mask])
    n_bits = 53 + 6 * 14 + 15  # a run of 12 values takes a bit more than the others
    assert n_bits % 8 == 0
    assert len(found) == n_bits // 8 + 1
    assert found == naive.encode(mask)


def test_masks_without_pixels() -> None:
    found = brush.encode(*joined([b"0", b"0"]), np.array([[0, 5], [4, 0]]))
    assert split(found.values, found.offsets) == [naive.pack([], 0)] * 2
    back = brush.decode(found.values, found.offsets, np.array([[0, 5], [4, 0]]))
    assert split(back.counts, back.offsets) == [b"0", b"0"]
    none = brush.decode(*joined([]), np.empty((0, 2), np.int64))
    assert (none.counts.size, none.offsets.tolist()) == (0, [0])


@settings(max_examples=200)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.integers(1, 6))
def test_runs_of_no_length(lengths: list[int], width: int) -> None:
    lengths.append(-sum(lengths) % width)
    mask = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(-1, width)
    values, _ = brush.encode_rows(np.array(lengths, np.uint32), np.array([0, len(lengths)]), sizes_of([mask]))
    assert values.tobytes() == naive.encode(mask)


def test_flaws_of_coco_strings_are_told() -> None:
    strings = [b"04", b"0!", b"05", b"0", b"13"]
    sizes = np.array([[2, 2], [2, 2], [2, 2], [2**15, 2**15], [2, 2]])
    found = brush.encode(*joined(strings), sizes)
    flaws = [rle_text.OK, rle_text.BAD_CHARACTER, rle_text.WRONG_SUM, rle_text.TOO_LARGE, rle_text.OK]
    assert found.flaw.tolist() == flaws
    assert found.place.tolist()[1:3] == [1, 1]
    assert [len(each) for each in split(found.values, found.offsets)] == [9, 0, 0, 0, 11]


def test_refused_arguments() -> None:
    counts, offsets = np.array([3], np.uint32), np.array([0, 1])
    with pytest.raises(ValueError, match=r"counts of mask 0 must sum to 4 \(height \* width\)"):
        brush.encode_rows(counts, offsets, np.array([[2, 2]]))
    with pytest.raises(ValueError, match=r"at most 1073741823 pixels, got \[32768, 32768\]"):
        brush.encode_rows(counts, offsets, np.array([[2**15, 2**15]]))
    for threshold in (0, 256):
        with pytest.raises(ValueError, match=f"1 to 255, got {threshold}"):
            brush.decode(*joined([]), np.empty((0, 2), np.int64), threshold)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, tuple[int, int]]:
    """Give a brush of any chunks, header sizes and values, and its size."""
    height, width = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    word_size = draw(st.sampled_from([8, 8, 8, 1, 2, 7]))
    sizes = draw(st.just(naive.SIZES) | st.tuples(*[st.integers(1, 16)] * 4))
    words = st.integers(0, 2**word_size - 1) | st.sampled_from([0, 2**word_size - 1])
    chunks, left = [], 4 * height * width
    while left:
        which = draw(st.integers(0, 3))
        length = draw(st.integers(1, min(left, 2 ** sizes[which])))
        repeats = draw(st.booleans())
        n_values = 1 if repeats else length
        chunks.append(Chunk(which, length, tuple(draw(st.lists(words, min_size=n_values, max_size=n_values))), repeats))
        left -= length
    tail = draw(st.sampled_from([b"", b"", b"\0", b"\0\0", b"\7", b"\0\7\7"]))
    return naive.pack(chunks, 4 * height * width, word_size, sizes) + tail, (height, width)


@settings(max_examples=100)
@given(st.lists(streams(), max_size=2), st.integers(1, 255))
def test_any_chunks(given_streams: list[tuple[bytes, tuple[int, int]]], threshold: int) -> None:
    sizes = np.array([size for _, size in given_streams], np.int64).reshape(-1, 2)
    found = brush.decode(*joined([data for data, _ in given_streams]), sizes, threshold)
    assert not found.chunks.flaw.any()
    strings = split(found.counts, found.offsets)
    for row, (data, (height, width)) in enumerate(given_streams):
        mask = naive.decode(data, height, width, threshold)
        assert strings[row] == naive_rle.to_string(naive_rle.counts(mask))
        unpacked = naive.unpack(data, height * width)
        alpha = np.array(unpacked.values[3::4])
        assert found.chunks.partial[row] == ((alpha > 0) & (alpha < 255)).sum()
        assert found.chunks.highest[row] == alpha.max()
        assert found.chunks.spare[row] == unpacked.spare
        assert found.chunks.word_size[row] == data[4] // 8 + 1


@settings(max_examples=150)
@given(streams(), st.integers(0, 10**6), st.integers(0, 255), st.integers(0, 40), st.booleans())
def test_damaged_bytes_do_no_harm(
    stream: tuple[bytes, tuple[int, int]], at: int, byte: int, cut: int, is_between: bool
) -> None:
    data, (height, width) = stream
    damaged = bytearray(data)
    damaged[max(at % len(data), 4)] = byte
    del damaged[len(damaged) - min(cut, len(damaged)) :]
    others = [naive.encode(np.ones((3, 3), np.bool_))] if is_between else []
    sizes = np.array([*[[3, 3]] * len(others), [height, width], *[[3, 3]] * len(others)])
    found = brush.decode(*joined([*others, bytes(damaged), *others]), sizes)
    expected = naive.unpack(bytes(damaged), height * width)
    row = len(others)
    assert (found.chunks.flaw[row], found.chunks.place[row]) == (expected.flaw, expected.place)
    strings = split(found.counts, found.offsets)
    assert strings[:row] + strings[row + 1 :] == [naive_rle.to_string([0, 9])] * 2 * len(others)
    if expected.flaw == read.OK:
        mask = naive.decode(bytes(damaged), height, width)
        assert strings[row] == naive_rle.to_string(naive_rle.counts(mask))
    else:
        assert strings[row] == b""


def test_flaws_are_told() -> None:
    four = Chunk(0, 4, (255,), True)
    streams = {
        read.OK: naive.pack([four], 4),
        read.NO_HEADER: naive.pack([], 4)[:6],
        read.WRONG_NUMBER: naive.pack([four], 8),
        read.WORD_SIZE: naive.pack([Chunk(0, 4, (300,), True)], 4, 9),
        read.TRUNCATED: naive.pack([four], 4)[:-1],
        read.OVERRUN: naive.pack([Chunk(0, 5, (255,), True)], 4),
    }
    found = brush.decode(*joined(list(streams.values())), np.ones((len(streams), 2), np.int64)).chunks
    assert found.flaw.tolist() == list(streams)
    assert found.number.tolist() == [4, 0, 8, 4, 4, 4]
    assert found.word_size.tolist() == [8, 0, 8, 9, 8, 8]
    assert found.place.tolist() == [0, 0, 0, 0, 6, 6]


def test_no_room_is_made_for_what_the_header_claims() -> None:
    sizes = np.array([[2**15, 2**15 - 1], [2**15, 2**15], [-1, 4], [1, 5]])
    number = 4 * 2**15 * (2**15 - 1)
    found = brush.decode(*joined([naive.pack([Chunk(3, 2**16, (255,), True)], number)] * 4), sizes, limit=2**40)
    assert found.chunks.flaw.tolist() == [read.TRUNCATED, read.TOO_LARGE, read.TOO_LARGE, read.WRONG_NUMBER]
    assert found.chunks.place.tolist() == [10, 0, 0, 0]
    limited = brush.decode(*joined([naive.pack([Chunk(0, 8, (255,), True)], 8)]), np.array([[1, 2]]), limit=1)
    assert limited.chunks.flaw.tolist() == [read.TOO_LARGE]


def test_alpha_alone_counts() -> None:
    pixels = [(255, 255, 255, 0), (0, 0, 0, 255), (1, 2, 3, 127), (9, 9, 9, 128)]
    data = naive.pack([Chunk(1, 16, tuple(value for pixel in pixels for value in pixel), False)], 16)
    found = [brush.decode(*joined([data]), np.array([[1, 4]]), threshold) for threshold in (128, 1, 255)]
    masks = [naive_rle.decode(each.counts.tobytes(), 1, 4)[0].tolist() for each in found]
    assert masks == [[False, True, False, True], [False, True, True, True], [False, True, False, False]]
    assert [each.chunks.partial.tolist() for each in found] == [[2]] * 3


def test_sdk_agrees() -> None:
    peer = pytest.importorskip("label_studio_sdk.converter.brush", reason="the SDK is not installed")
    noise = np.random.default_rng(1).random((67, 41)) < 0.5
    blobs = voronoi(180, 230, 12, 2, 1) == 1
    masks = [noise, blobs, ~blobs, blobs.T, np.zeros((300, 400), np.bool_), np.ones((300, 400), np.bool_)]
    found = encode(masks)
    for mask, data in zip(masks, found, strict=True):
        assert list(data) == peer.mask2rle(mask.astype(np.uint8) * 255)
        alpha = peer.decode_rle(list(data)).reshape(*mask.shape, 4)[:, :, 3]
        assert np.array_equal(alpha, mask * np.uint8(255))


def test_sdk_agrees_about_soft_edges() -> None:
    peer = pytest.importorskip("label_studio_sdk.converter.brush", reason="the SDK is not installed")
    across, down = np.meshgrid(np.arange(41), np.arange(33))
    soft = np.clip(20 * (13 - np.hypot(across - 20, down - 16)), 0, 255).astype(np.uint8)
    hard_alpha = np.stack([soft // 2, soft // 3, 255 - soft, soft], 2)  # channels that disagree: literal chunks, too
    for values in (np.repeat(soft.ravel(), 4), hard_alpha.ravel()):
        data = bytes(peer.encode_rle(values))
        for threshold in (1, 128, 255):
            found = brush.decode(*joined([data]), np.array([soft.shape]), threshold)
            assert found.counts.tobytes() == encode_coco(soft >= threshold).counts.tobytes()
            assert found.chunks.partial.tolist() == [((soft > 0) & (soft < 255)).sum()]


@kernel
def _reverse(source: Bytes, target: Bytes) -> None:
    store_bits(target.ctypes.data, load_bits(source.ctypes.data))


def test_words_have_their_first_byte_highest() -> None:
    @kernel
    def word_of(source: Bytes) -> np.uint64:
        return load_bits(source.ctypes.data)

    data = np.arange(1, 9, dtype=np.uint8)
    assert int(word_of(data)) == int.from_bytes(data.tobytes(), "big")
    copied = np.zeros(8, np.uint8)
    _reverse(data, copied)
    assert copied.tolist() == data.tolist()
