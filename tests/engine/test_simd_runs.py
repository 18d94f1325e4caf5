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
def read_block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    if request.param == "one by one":
        monkeypatch.setattr(simd, "_compressed", simd._one_by_one)

    @numba.njit
    def read(text: npt.NDArray[np.uint8], ends: np.uint64, target: Ints) -> None:
        simd.read_block(text.ctypes.data + 3, ends, target.ctypes.data)

    return read


def test_numbers_of_a_block_and_nothing_beyond_it(read_block: Any) -> None:
    rng = np.random.default_rng(5)
    for lengths in ([1], [2], [3], [4], [1, 2], [1, 2, 3, 4]):
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


def test_the_last_four_characters_of_a_long_number(read_block: Any) -> None:
    text = b"0" * 3 + b"ooooo0" * 10 + b"oooo"
    target = np.zeros(64, np.int32)
    read_block(np.frombuffer(text + b"\0", np.uint8), np.uint64(sum(1 << at for at in range(5, 60, 6))), target)
    assert target[:10].tolist() == [2**15 - 1] * 10


@numba.njit
def _measure(numbers: Ints, n: int, first: int, height: int) -> Any:
    return simd.measure_runs(numbers.ctypes.data, n, first, height)


def _differences(lengths: list[int]) -> Ints:
    """Give numbers in memory that ends where the last of them may be looked at."""
    before = [0, 0, *lengths]
    numbers = [length - before[at] for at, length in enumerate(lengths)]
    room = -(-len(numbers) // 32) * 32
    kept = guarded(np.full(4 * room, 255, np.uint8)).view(np.int32)
    kept[: len(numbers)] = numbers
    return kept


@pytest.mark.parametrize("n", [1, 2, 3, 16, 31, 32, 33, 63, 64, 65, 97, 200])
@pytest.mark.parametrize("height", [16, 17, 480, 5000])
def test_what_runs_come_to(n: int, height: int) -> None:
    rng = np.random.default_rng((n, height))
    for _ in range(20):
        lengths = rng.integers(1, 2 ** int(rng.integers(1, 14)), n).tolist()
        first = int(rng.integers(0, 3 * height))
        ends = np.cumsum([first, *lengths])
        runs = [(int(ends[k]), lengths[k]) for k in range(0, n, 2)]
        rows = [(0, height) if s % height + r > height else (s % height, s % height + r) for s, r in runs]
        wanted = simd.Measured(
            sum(lengths[::2]),
            min(row[0] for row in rows),
            max(row[1] for row in rows),
            min(lengths[::2]),
            sum(runs[-1]),
            int(np.bitwise_or.reduce([*lengths, *ends[2::2].tolist(), int(ends[-1])])),
            int(ends[-1]),
        )
        assert simd.Measured(*_measure(_differences(lengths), n, first, height)) == wanted


@pytest.mark.parametrize("height", [16, 17, 31, 480, 481, 1023, 4096, 99991])
def test_rows_are_exact_up_to_the_limit(height: int) -> None:
    borders = np.arange(0, simd.PIXEL_LIMIT - 1, height)
    for first in {*borders[:50], *borders[-50:], *np.random.default_rng(height).choice(borders, 400)}:
        for place in range(max(int(first) - 1, 0), min(int(first) + 2, simd.PIXEL_LIMIT)):
            found = simd.Measured(*_measure(np.ones(32, np.int32), 1, place, height))
            assert (found.top, found.bottom) == (place % height, place % height + 1)


@pytest.mark.parametrize("at", [0, 1, 31, 32, 40])
@pytest.mark.parametrize("value", [-1, -(2**29), 2**29 - 1, 2**24])
def test_what_no_mask_has_is_told(at: int, value: int) -> None:
    lengths = [5] * 41
    lengths[at] = value
    found = simd.Measured(*_measure(_differences(lengths), len(lengths), 0, 100))
    assert found.all_bits >= 2**24
