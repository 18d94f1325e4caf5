"""Each function on words and addresses against plain Python."""

from __future__ import annotations

import struct
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

from predarrow_engine import _simd_text as simd
from tests.guarded import guarded

_WORDS = [0, 1, 2, 0x80, 0x100, 2**31, 2**32 - 1, 2**63, 2**64 - 1, 0x3FF0000000000000, 0xFFF0000000000001]


@numba.njit
def _of_word(word: np.uint64) -> Any:
    counts = simd.leading_zeros(word), simd.count_bits(word)
    return simd.first_bit(word), simd.first_byte(word), *counts, simd.as_float(word)


@numba.njit
def _high_product(first: np.uint64, second: np.uint64) -> Any:
    return simd.high_product(first, second)


@numba.njit
def _compare(data: npt.NDArray[np.uint8], limit: int) -> Any:
    return simd.below(data.ctypes.data, limit), simd.equal(data.ctypes.data, limit)


@numba.njit
def _loads(data: npt.NDArray[np.uint8]) -> Any:
    address = data.ctypes.data
    return simd.load_byte(address), simd.load_word(address), simd.load_int(address), simd.load_float(address)


@numba.njit
def _store(data: npt.NDArray[np.uint8], value: Any) -> None:
    simd.store(data.ctypes.data + 8, value)


@numba.njit
def _load_short(data: npt.NDArray[np.uint8]) -> Any:
    return simd.load_short(data.ctypes.data)


@numba.njit
def _load_single(data: npt.NDArray[np.uint8]) -> Any:
    return simd.load_single(data.ctypes.data)


@numba.njit
def _copy_block(target: npt.NDArray[np.uint8], source: npt.NDArray[np.uint8]) -> Any:
    simd.copy_block(target.ctypes.data + 1, source.ctypes.data)


def test_bits_are_counted() -> None:
    count = numba.njit(lambda bits: simd.count_bits(bits))
    assert [count(np.uint64(bits)) for bits in (0, 1, 2**63, 0xF0F, 2**64 - 1)] == [0, 1, 1, 8, 64]
    for bits in (0, 1, 2, 3, 1 << 63, (1 << 64) - 1, 0b1011000, 0xF0F0 << 40):
        assert count(np.uint64(bits)) == bits.bit_count()


@pytest.mark.parametrize("word", _WORDS)
def test_bits_of_a_word(word: int) -> None:
    lowest = (word & -word).bit_length() - 1 if word else 64
    bit, byte, zeros, ones, value = _of_word(np.uint64(word))
    assert (bit, byte, zeros, ones) == (lowest, lowest // 8, 64 - word.bit_length(), word.bit_count())
    assert struct.pack("d", value)[:6] == struct.pack("Q", word)[:6]  # a signalling NaN may come back quiet


@pytest.mark.parametrize("first", _WORDS)
@pytest.mark.parametrize("second", _WORDS)
def test_high_half_of_a_product(first: int, second: int) -> None:
    assert _high_product(np.uint64(first), np.uint64(second)) == first * second >> 64


@pytest.mark.parametrize("limit", [1, 32, 33, 128, 255])
def test_bytes_against_a_limit(limit: int) -> None:
    data = np.random.default_rng(limit).integers(0, 256, simd.BLOCK, dtype=np.uint8)
    data[:4] = [0, limit - 1, limit, 255]
    below, equal = _compare(guarded(data), limit)
    assert below == sum(1 << i for i, byte in enumerate(data.tolist()) if byte < limit)
    assert equal == sum(1 << i for i, byte in enumerate(data.tolist()) if byte == limit)


def test_loads_read_no_further_than_their_type() -> None:
    data = guarded(np.array([0xFE, 1, 2, 3, 4, 5, 6, 0x80], np.uint8))
    content = data.tobytes()
    assert _loads(data) == (
        0xFE,
        *struct.unpack("Q", content),
        *struct.unpack("q", content),
        *struct.unpack("d", content),
    )


@pytest.mark.parametrize("value", [-(2**31), -7, 0, 2**31 - 1])
def test_a_short_has_a_sign_and_four_bytes(value: int) -> None:
    assert _load_short(guarded(np.frombuffer(struct.pack("i", value), np.uint8))) == value


@pytest.mark.parametrize("value", [-2.5, 0.1, 1e38])
def test_a_single_has_four_bytes(value: float) -> None:
    assert _load_single(guarded(np.frombuffer(struct.pack("f", value), np.uint8))) == np.float32(value)


def test_a_block_is_64_bytes_and_no_more() -> None:
    source = np.random.default_rng(3).integers(0, 256, simd.BLOCK, dtype=np.uint8)
    target = np.full(simd.BLOCK + 2, 0xA5, np.uint8)
    _copy_block(target, guarded(source))
    assert target.tobytes() == b"\xa5" + source.tobytes() + b"\xa5"


@pytest.mark.parametrize("value", [np.uint8(7), np.int32(-7), np.int64(-7), np.uint64(7), np.float64(-0.5)])
def test_store_writes_as_many_bytes_as_the_type_has(value: np.generic) -> None:
    memory = np.full(24, 0xA5, np.uint8)
    _store(memory, value)
    assert memory.tobytes() == b"\xa5" * 8 + value.tobytes() + b"\xa5" * (16 - value.nbytes)


@numba.njit
def _unequal(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> Any:
    return simd.unequal(first.ctypes.data, second.ctypes.data)


def test_bytes_that_differ() -> None:
    first, second = np.random.default_rng(5).integers(0, 3, (2, simd.BLOCK), dtype=np.uint8)
    second[-1] = 1 - first[-1] // 2
    expected = sum(1 << i for i in range(simd.BLOCK) if first[i] != second[i])
    assert _unequal(guarded(first), guarded(second)) == expected
    assert _unequal(guarded(first), first) == 0


@numba.njit
def _prefetch(address: int) -> Any:
    simd.prefetch(address)
    return address + 1


@pytest.mark.parametrize("address", [0, -1, 2**62])
def test_prefetch_takes_any_address(address: int) -> None:
    assert _prefetch(address) == address + 1
