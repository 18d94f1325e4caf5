"""Each vector function against NumPy, with canaries around what it may write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

from predarrow_engine import _simd_png as simd

pytestmark = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT),  # type: ignore[attr-defined]  # set when Numba is imported
    reason="LLVM code has no Python form",
)

_CANARY = 0xA5
_PAD = 80
_SEEDS = range(20)


def _sample(seed: int) -> npt.NDArray[np.uint8]:
    """Give 64 bytes: dense noise, or mostly zeros."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 256, simd.BLOCK, dtype=np.uint8)
    values[rng.random(simd.BLOCK) < (seed % 4) / 3] = 0
    return values


def _compiled(function: Any, n_addresses: int) -> Callable[..., Any]:
    """Give a Python function that calls an intrinsic with the addresses of arrays, then with numbers."""
    forms = {
        1: lambda a, *rest: function(np.int64(a.ctypes.data), *rest),
        2: lambda a, b, *rest: function(np.int64(a.ctypes.data), np.int64(b.ctypes.data), *rest),
        3: lambda a, b, c: function(np.int64(a.ctypes.data), np.int64(b.ctypes.data), np.int64(c.ctypes.data)),
    }
    compiled: Callable[..., Any] = numba.njit(forms[n_addresses])
    return compiled


def _written(call: Callable[..., Any], *arguments: Any) -> tuple[npt.NDArray[np.uint8], Any]:
    """Call with a target between canaries; give the 64 bytes that were written, and the result."""
    memory = np.full(simd.BLOCK + 2 * _PAD, _CANARY, np.uint8)
    result = call(memory[_PAD : _PAD + simd.BLOCK], *arguments)
    assert (memory[:_PAD] == _CANARY).all()
    assert (memory[_PAD + simd.BLOCK :] == _CANARY).all()
    return memory[_PAD : _PAD + simd.BLOCK], result


def _swapped(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return values.reshape(-1, 2)[:, ::-1].reshape(-1)


def _bits(flags: npt.NDArray[np.bool_]) -> int:
    return sum(1 << i for i, flag in enumerate(flags.tolist()) if flag)


def test_bytes_are_loaded_and_stored_alone() -> None:
    values = _sample(0)
    load = _compiled(simd.load_u8, 1)
    assert [load(values[i:]) for i in range(simd.BLOCK)] == values.tolist()
    store = _compiled(simd.store_u8, 1)
    written, _ = _written(lambda target, value: store(target[3:], value), 0x1FF)
    assert written[3] == 0xFF
    assert (np.delete(written, 3) == _CANARY).all()


def test_words_are_loaded_from_any_address() -> None:
    values = _sample(0)
    load = _compiled(simd.load_u64, 1)
    for i in range(simd.BLOCK - 7):
        assert load(values[i:]) == int.from_bytes(values[i : i + 8].tobytes(), "little")


@pytest.mark.parametrize("value", [None, 0, 1, 255])
def test_sums_of_the_checksum(value: int | None) -> None:
    sums = _compiled(simd.adler_sums, 1)
    rng = np.random.default_rng(0)
    for _ in range(5):
        values = rng.integers(0, 256, simd.SUMMED, dtype=np.uint8)
        if value is not None:
            values[:] = value
        both = int(sums(values))
        assert both & 0xFFFFFFFF == values.sum(dtype=np.int64)
        assert both >> 32 == (values * np.arange(simd.SUMMED, 0, -1)).sum()


def test_first_set_of_every_bit_and_of_none() -> None:
    first = numba.njit(lambda bits: simd.first_set(bits))
    assert [first(np.uint64(1 << i)) for i in range(64)] == list(range(64))
    assert first(np.uint64(0b1011000)) == 3
    assert first(np.uint64(0)) == 64


def test_masks_say_which_bytes_are_not_zero_or_differ() -> None:
    nonzero, differs = _compiled(simd.nonzero, 1), _compiled(simd.differs, 2)
    for seed in _SEEDS:
        one, other = _sample(seed), _sample(seed + 1)
        other[::3] = one[::3]
        assert nonzero(one) == _bits(one != 0)
        assert differs(one, other) == _bits(one != other)


def test_copies_and_sums() -> None:
    copy, copy_swapped = _compiled(simd.copy, 2), _compiled(simd.copy_swapped, 2)
    add, add_swapped = _compiled(simd.add, 3), _compiled(simd.add_swapped, 3)
    for seed in _SEEDS:
        one, other = _sample(seed), _sample(seed + 1)
        assert np.array_equal(_written(copy, one)[0], one)
        assert np.array_equal(_written(copy_swapped, one)[0], _swapped(one))
        assert np.array_equal(_written(add, one, other)[0], one + other)
        assert np.array_equal(_written(add_swapped, one, other)[0], _swapped(one) + other)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_fill_repeats_a_pixel(width: int) -> None:
    fill = _compiled({1: simd.fill_1, 2: simd.fill_2, 3: simd.fill_3}[width], 1)
    for seed in _SEEDS:
        pixel = _sample(seed)[:width]
        written, _ = _written(fill, int.from_bytes(pixel.tobytes(), "little"))
        assert np.array_equal(written, np.resize(pixel, simd.BLOCK))


@pytest.mark.parametrize("width", [1, 2])
def test_prefix_sum_continues_from_the_left_pixel(width: int) -> None:
    prefix_sum = _compiled({1: simd.prefix_sum_1, 2: simd.prefix_sum_2_swapped}[width], 2)
    for seed in _SEEDS:
        values, left = _sample(seed), _sample(seed + 100)[:width]
        residuals = _swapped(values) if width == 2 else values
        expected = np.cumsum(np.vstack([left, residuals.reshape(-1, width)]), axis=0, dtype=np.uint8)[1:]
        written, last = _written(prefix_sum, values, int.from_bytes(left.tobytes(), "little"))
        assert np.array_equal(written, expected.reshape(-1))
        assert last == int.from_bytes(expected[-1].tobytes(), "little")
