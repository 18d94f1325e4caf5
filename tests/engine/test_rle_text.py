"""Strings and counts of run lengths against the slow twin and pycocotools; bytes of no mask."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pycocotools import mask as peer

from predarrow_engine.rle import encode
from predarrow_engine.rle_cover import covers, covers_of_runs
from predarrow_engine.rle_text import (
    BAD_CHARACTER,
    LONG_NUMBER,
    NEGATIVE_COUNT,
    OK,
    TOO_LARGE,
    TRUNCATED,
    WRONG_SUM,
    RunLengths,
    from_counts,
    from_strings,
    to_strings,
)
from tests import naive_rle
from tests.guarded import guarded
from tests.images import voronoi

Size = tuple[int, int]


def offsets_of(lengths: list[int]) -> npt.NDArray[np.int64]:
    return np.array([0, *accumulate(lengths)], np.int64)


def read(strings: list[bytes], sizes: list[Size], limit: int = 2**32 - 1) -> RunLengths:
    data = np.frombuffer(b"".join(strings), np.uint8)
    runs = from_strings(data, offsets_of([*map(len, strings)]), np.array(sizes, np.int64).reshape(-1, 2), limit)
    narrow = from_strings(
        data, offsets_of([*map(len, strings)]).astype(np.int32), np.array(sizes, np.int64).reshape(-1, 2), limit
    )
    assert [array.tolist() for array in runs] == [array.tolist() for array in narrow]
    return runs


def check(strings: list[bytes], sizes: list[Size]) -> None:
    """Each string alone, and all of them in a row, give what the slow twin gives."""
    runs = read(strings, sizes)
    wanted = [naive_rle.read(string, *size) for string, size in zip(strings, sizes, strict=True)]
    assert [*zip(runs.flaw.tolist(), runs.place.tolist(), runs.total.tolist(), strict=True)] == [
        (found.flaw, found.place, found.total) for found in wanted
    ]
    kept = [found.lengths if found.flaw == OK else [] for found in wanted]
    assert runs.offsets.tolist() == offsets_of([*map(len, kept)]).tolist()
    assert runs.counts.tolist() == [count for lengths in kept for count in lengths]
    again, offsets = to_strings(runs.counts, runs.offsets)
    assert again.tobytes() == b"".join(map(naive_rle.to_string, kept))
    assert np.diff(offsets).tolist() == [len(naive_rle.to_string(lengths)) for lengths in kept]


lengths = st.lists(st.integers(0, 40) | st.sampled_from([15, 16, 31, 32, 511, 512, 2**20]), min_size=1, max_size=120)


@settings(max_examples=200)
@given(st.lists(lengths, max_size=4))
def test_any_lengths(masks: list[list[int]]) -> None:
    strings = [naive_rle.to_string(mask) for mask in masks]
    check(strings, [(1, sum(mask)) for mask in masks])
    check([string[:-1] for string in strings], [(sum(mask), 1) for mask in masks])
    for mask, string in zip(masks, strings, strict=True):
        counted = from_counts(np.array(mask, np.int64), offsets_of([len(mask)]), np.array([[sum(mask), 1]]))
        assert counted.flaw.tolist() == [OK]
        assert counted.counts.tolist() == mask
        theirs = peer.frPyObjects({"counts": mask, "size": [sum(mask), 1]}, sum(mask), 1)
        assert theirs["counts"] == string


characters = st.integers(48, 111) | st.sampled_from([0, 47, 48, 79, 80, 111, 112, 255])


@settings(max_examples=600)
@given(st.lists(st.lists(characters, max_size=12).map(bytes), min_size=1, max_size=30), st.integers(0, 40))
@example([b""], 0)
@example([b"1P"], 1)
@example([b"o" * 12 + b"O"], 1)
@example([b"o" * 12 + b"P"], 1)
@example([b"P" * 12 + b"0"], 1)
def test_any_bytes(strings: list[bytes], width: int) -> None:
    check(strings, [(1, width)] * len(strings))
    check([*strings, b"0" * 100], [(1, width)] * len(strings) + [(3, 5)])


def mutated(n: int, seed: int) -> None:
    """Change bytes of real strings at random: the same flaws as the slow twin's, or the same counts."""
    rng = np.random.default_rng(seed)
    encoded = encode(np.stack([voronoi(30, 37, 12, 2, s) for s in range(8)]))
    for _ in range(n // 64):
        data = np.tile(encoded.counts, 8)
        offsets = offsets_of([*np.tile(np.diff(encoded.offsets), 8).tolist()])
        places = rng.integers(0, data.size, 80)
        data[places] = np.where(rng.random(80) < 0.7, rng.integers(48, 112, 80), rng.integers(0, 256, 80))
        strings = [data[a:b].tobytes() for a, b in pairwise(offsets)]
        cut = rng.integers(0, len(strings))
        strings[cut] = strings[cut][: rng.integers(0, len(strings[cut]) + 1)]
        check(strings, [(30, 37)] * len(strings))


def test_nothing_is_read_behind_the_strings() -> None:
    encoded = encode(np.stack([voronoi(30, 37, 12, 2, s) for s in range(4)]))
    sizes = np.array([[30, 37]] * 4)
    whole = from_strings(encoded.counts, encoded.offsets, sizes)
    for shift in range(80):
        string = guarded(encoded.counts[shift:])
        found = from_strings(string, np.maximum(encoded.offsets - shift, 0), sizes)
        assert found.flaw[1:].tolist() == [OK] * 3
        assert found.counts[found.offsets[1] :].tolist() == whole.counts[whole.offsets[1] :].tolist()


def test_changed_bytes() -> None:
    mutated(2_000, 1)


@pytest.mark.slow
def test_many_changed_bytes() -> None:
    mutated(1_000_000, 2)


@pytest.mark.parametrize("before", [0, 100])
@pytest.mark.parametrize("after", [0, 100])
@pytest.mark.parametrize(
    ("string", "size", "flaw", "place", "total"),
    [
        (b"62304", (5, 4), OK, 0, 20),
        (b"9", (3, 3), OK, 0, 9),
        (b"09", (3, 3), OK, 0, 9),
        (b"0", (0, 0), OK, 0, 0),
        (b"", (0, 7), OK, 0, 0),
        (b"", (1, 1), WRONG_SUM, 0, 0),
        (b"6230", (5, 4), WRONG_SUM, 4, 13),
        (b"62314", (5, 4), WRONG_SUM, 4, 21),
        (b"623T", (5, 4), TRUNCATED, 3, 11),
        (b"62 04", (5, 4), BAD_CHARACTER, 2, 8),
        (b"62304p", (5, 4), BAD_CHARACTER, 5, 20),
        (b"6230T", (5, 4), TRUNCATED, 4, 13),
        (b"62L04", (5, 4), NEGATIVE_COUNT, 2, 8),
        (b"6" + b"P" * 12 + b"0", (5, 4), LONG_NUMBER, 1, 6),
        (b"62304", (-5, -4), TOO_LARGE, 0, 0),
        (b"62304", (2**40, 2**40), TOO_LARGE, 0, 0),
    ],
)
def test_flaws(string: bytes, size: Size, flaw: int, place: int, total: int, before: int, after: int) -> None:
    around = [b"9"] * before, [b"9"] * after
    sizes = [(3, 3)] * before + [size] + [(3, 3)] * after
    runs = read([*around[0], string, *around[1]], sizes)
    assert (runs.flaw[before], runs.place[before], runs.total[before]) == (flaw, place, total)
    assert np.count_nonzero(runs.flaw) == (flaw != OK)
    data = np.frombuffer(b"".join([*around[0], string, *around[1]]), np.uint8)
    offsets = offsets_of([1] * before + [len(string)] + [1] * after)
    wanted = covers(data, offsets, np.array(sizes, np.int64))
    found = covers_of_runs(runs, np.array(sizes, np.int64))
    assert [repr(array.tolist()) for array in found] == [repr(array.tolist()) for array in wanted]


def test_runs_of_more_than_32_bits() -> None:
    huge = naive_rle.to_string([2**32])
    runs = read([huge, naive_rle.to_string([2**32 - 1]), huge + b"1"], [(2**16, 2**16 - 1)] + [(1, 2**32 - 1)] * 2)
    assert runs.flaw.tolist() == [WRONG_SUM, OK, WRONG_SUM]
    assert runs.counts.tolist() == [2**32 - 1]
    assert runs.total.tolist() == [2**32, 2**32 - 1, 2**32]


def test_a_limit_of_pixels() -> None:
    assert read([b"9", b"9", b":"], [(3, 3), (9, 1), (2, 5)], 9).flaw.tolist() == [OK, OK, TOO_LARGE]


@pytest.mark.parametrize(
    ("counts", "flaw", "place", "total"),
    [
        ([6, 2, 3, 2, 7], OK, 0, 20),
        ([], WRONG_SUM, 0, 0),
        ([6, -2, 3], NEGATIVE_COUNT, 1, 6),
        ([30, -2, 3], NEGATIVE_COUNT, 1, 30),
        ([6, 2, 13], WRONG_SUM, 2, 21),
        ([6, 2], WRONG_SUM, 2, 8),
        ([6, 2**62, 2**62], WRONG_SUM, 1, 2**62),
    ],
)
def test_counts_with_flaws(counts: list[int], flaw: int, place: int, total: int) -> None:
    data = np.array([9, *counts, 9], np.int64)
    sizes = np.array([[3, 3], [5, 4], [3, 3]])
    runs = from_counts(data, offsets_of([1, len(counts), 1]), sizes)
    assert (runs.flaw.tolist(), runs.place[1], runs.total[1]) == ([OK, flaw, OK], place, total)
    assert runs.counts.tolist() == [9, *(counts if flaw == OK else []), 9]
    too_large = from_counts(data, offsets_of([1, len(counts), 1]), sizes, 19)
    assert too_large.flaw.tolist() == [OK, TOO_LARGE, OK]


def test_nothing() -> None:
    runs = read([], [])
    assert runs.offsets.tolist() == [0]
    strings, offsets = to_strings(runs.counts, runs.offsets)
    assert (strings.size, offsets.tolist()) == (0, [0])
