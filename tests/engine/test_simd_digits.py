"""Digits of long numbers against plain Python."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from predarrow_engine import _simd_digits as simd
from tests.guarded import guarded


@numba.njit
def _not_digits(data: npt.NDArray[np.uint8]) -> Any:
    return simd.not_digits(data.ctypes.data)


@numba.njit
def _digits_before(data: npt.NDArray[np.uint8], n: int, n_after: int) -> Any:
    return simd.digits_before(data.ctypes.data + data.size, n, n_after)


def _array(text: bytes) -> npt.NDArray[np.uint8]:
    return guarded(np.frombuffer(text, np.uint8))


def test_what_is_no_digit() -> None:
    for first in range(0, 256, simd.WIDTH):
        text = bytes(range(first, first + simd.WIDTH))
        expected = sum(1 << place for place, byte in enumerate(text) if not 48 <= byte <= 57)
        assert _not_digits(_array(text)) == expected


@given(
    before=st.binary(min_size=simd.WIDTH + 1, max_size=simd.WIDTH + 1),
    digits=st.text("0123456789", min_size=1, max_size=19),
    place=st.integers(0, 19),
)
def test_digits_before_a_place(before: bytes, digits: str, place: int) -> None:
    assert _digits_before(_array(before + digits.encode()), len(digits), len(digits) + place) == int(digits)
    n_after = min(place, len(digits) - 1)
    text = f"{digits[: len(digits) - n_after]}.{digits[len(digits) - n_after :]}" if n_after else digits
    assert _digits_before(_array(before + text.encode()), len(digits), n_after or len(digits)) == int(digits)
