"""Numbers of run lengths at addresses, in both forms, and what runs come to, against plain Python."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

from predarrow_engine import _simd_runs as simd
from tests import naive_rle
from tests.guarded import guarded

Ints = npt.NDArray[np.int32]


@pytest.fixture(params=["compressed", "one by one"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "one by one":
        monkeypatch.setattr(simd, "has_compress", lambda _: False)


def reader(read: Any) -> Any:
    """Compile a call, in the form of the test."""

    @numba.njit
    def call(text: npt.NDArray[np.uint8], ends: np.uint64, target: Ints) -> None:
        read(text.ctypes.data + 3, ends, target.ctypes.data)

    return call


SOME, SHORT = ([1], [2], [3], [4], [1, 2], [1, 2, 3, 4]), ([1], [2], [1, 2], [1, 1, 1, 2])


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("name", ["read_block", "read_short"])
def test_numbers_of_a_block_and_nothing_beyond_it(name: str) -> None:
    read_block = reader(getattr(simd, name))
    rng = np.random.default_rng(5)
    for lengths in SOME if name == "read_block" else SHORT:
        for first in range(4):
            wanted, text = [], b"\0\0\0" if first == 0 else b"O0O"
            while len(text) < 67 + first:
                length = int(rng.choice(lengths))
                value = int(rng.integers(-(16 * 32 ** (length - 1)), 16 * 32 ** (length - 1)))
                text += naive_rle.to_string([value]).ljust(1, b"0")
                wanted.append(value)
            block = text[:67]
            ends = sum(1 << at for at, byte in enumerate(block[3:]) if byte < 80)
            target = guarded(np.zeros(256, np.uint8)).view(np.int32)
            read_block(guarded(np.frombuffer(block + b"\0", np.uint8)), np.uint64(ends), target)
            n = ends.bit_count()
            assert target[:n].tolist() == wanted[:n]


@pytest.mark.usefixtures("form")
def test_the_last_four_characters_of_a_long_number() -> None:
    read_block = reader(simd.read_block)
    text = b"0" * 3 + b"ooooo0" * 10 + b"oooo"
    target = np.zeros(64, np.int32)
    read_block(np.frombuffer(text + b"\0", np.uint8), np.uint64(sum(1 << at for at in range(5, 60, 6))), target)
    assert target[:10].tolist() == [2**15 - 1] * 10


def keeper() -> Any:
    """Compile a call, in the form of the test."""

    @numba.njit
    def keep(target: npt.NDArray[np.uint8], source: npt.NDArray[np.uint8], marked: np.uint64) -> None:
        simd.keep_marked(target.ctypes.data, source.ctypes.data, marked)

    return keep


@pytest.mark.usefixtures("form")
def test_marked_bytes_are_kept() -> None:
    keep = keeper()
    rng = np.random.default_rng(7)
    source = guarded(np.arange(simd.BLOCK, dtype=np.uint8))
    for share in (0, 0.02, 0.5, 0.98, 1):
        for _ in range(50):
            are_kept = rng.random(simd.BLOCK) < share
            target = guarded(np.zeros(2 * simd.BLOCK, np.uint8))
            keep(target, source, np.uint64(sum(1 << int(place) for place in np.flatnonzero(are_kept))))
            assert np.array_equal(target[: are_kept.sum()], source[are_kept])


@numba.njit
def _add_up(numbers: Ints, n: int) -> Any:
    return simd.add_up(numbers.ctypes.data, n)


@numba.njit
def _cover(counts: Ints, n: int, first: int, height: int) -> Any:
    return simd.cover_runs(counts.ctypes.data, n, first, height)


def kept(numbers: list[int], lanes: int) -> Ints:
    """Give numbers in memory that ends where the last of them may be looked at."""
    room = -(-len(numbers) // lanes) * lanes
    whole = guarded(np.full(4 * room, 255, np.uint8)).view(np.int32)
    whole[: len(numbers)] = numbers
    return whole


LENGTHS = [1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 200]


@pytest.mark.parametrize("n", LENGTHS)
def test_differences_to_the_one_two_before_are_added_up(n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(20):
        wanted = rng.integers(0, 2 ** int(rng.integers(1, 32)), n).tolist()
        before = [0, 0, *wanted]
        numbers = kept([(a - b + 2**31) % 2**32 - 2**31 for a, b in zip(wanted, before, strict=False)], simd.LANES)
        assert tuple(_add_up(numbers, n)) == (int(np.bitwise_or.reduce(wanted)), sum(wanted) % 2**32)
        assert numbers[:n].tolist() == wanted


@pytest.mark.parametrize("at", [0, 1, 15, 16, 31, 32, 40])
@pytest.mark.parametrize("value", [-1, -(2**29), -(2**30)])
def test_a_number_below_0_is_told(at: int, value: int) -> None:
    wanted = [5] * 41
    wanted[at] = value
    bits, _ = _add_up(kept([a - b for a, b in zip(wanted, [0, 0, *wanted], strict=False)], simd.LANES), len(wanted))
    assert bits >= 2**31


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("height", [16, 17, 480, 5000])
def test_what_runs_cover(n: int, height: int) -> None:
    rng = np.random.default_rng((n, height))
    for _ in range(20):
        lengths = rng.integers(1, 2 ** int(rng.integers(1, 14)), n).tolist()
        first = int(rng.integers(0, 3 * height))
        ends = np.cumsum([first, *lengths])
        runs = [(int(ends[k]), lengths[k]) for k in range(0, n, 2)]
        rows = [(0, height) if s % height + r > height else (s % height, s % height + r) for s, r in runs]
        wanted = simd.Covered(
            sum(lengths[::2]),
            min(row[0] for row in rows),
            max(row[1] for row in rows),
            min(lengths[::2]),
            sum(runs[-1]),
        )
        assert simd.Covered(*_cover(kept(lengths, 2 * simd.LANES), n, first, height)) == wanted


@pytest.mark.parametrize("height", [16, 17, 31, 480, 481, 1023, 4096, 99991])
def test_rows_are_exact_up_to_the_limit(height: int) -> None:
    borders = np.arange(0, simd.PIXEL_LIMIT - 1, height)
    for first in {*borders[:50], *borders[-50:], *np.random.default_rng(height).choice(borders, 400)}:
        for place in range(max(int(first) - 1, 0), min(int(first) + 2, simd.PIXEL_LIMIT)):
            found = simd.Covered(*_cover(np.ones(32, np.int32), 1, place, height))
            assert (found.top, found.bottom) == (place % height, place % height + 1)
