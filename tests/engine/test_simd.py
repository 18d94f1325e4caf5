"""The scan's vector instructions against NumPy, in memory that ends where they must stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

from predarrow_engine import _simd as simd
from predarrow_engine.trace import Tracer
from tests.guarded import guarded

pytestmark = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT),  # type: ignore[attr-defined]  # set when Numba is imported
    reason="LLVM code has no Python form",
)

DTYPES = (np.uint8, np.uint16, np.uint32)


def compiled(function: Any) -> Callable[..., int]:
    """Give a Python function that calls an intrinsic."""
    result: Callable[..., int] = numba.njit(lambda *arguments: function(*arguments))
    return result


def at_the_end(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give a copy that ends where readable memory ends."""
    return guarded(np.frombuffer(values.tobytes(), np.uint8)).view(values.dtype).reshape(values.shape)


@pytest.mark.parametrize("dtype", DTYPES)
def test_changes_are_numpys(dtype: type[np.unsignedinteger[Any]]) -> None:
    function = compiled(simd.changes)
    for seed in range(50):
        rng = np.random.default_rng(seed)
        values = rng.integers(0, 2 + seed % 3, simd.LANES + 1).astype(dtype)
        values *= np.iinfo(dtype).max // 4  # a change may be in any byte
        kept = at_the_end(values)
        expected = sum(1 << int(i) for i in np.flatnonzero(values[:-1] != values[1:]))
        assert function(kept.ctypes.data, values[0]) == expected


def test_trailing_zeros_are_counted() -> None:
    zeros = compiled(simd.count_trailing_zeros)
    for bits in (0, 1, 2, 3, 1 << 63, (1 << 64) - 1, 0b1011000, 0xF0F0 << 40):
        assert zeros(np.uint64(bits)) == ((bits & -bits).bit_length() - 1 if bits else 64)


def test_what_cannot_be_fetched_is_no_fault() -> None:
    fetch = compiled(simd.prefetch)
    values = at_the_end(np.arange(100, dtype=np.uint8))
    for address in (values.ctypes.data, values.ctypes.data + values.size, 0, -64):
        fetch(address)
    assert values.tolist() == list(range(100))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 2, 63, 64, 65, 66, 127, 128, 129, 130, 193, 200])
def test_no_scan_reads_behind_an_image(dtype: type[np.unsignedinteger[Any]], width: int) -> None:
    image = np.random.default_rng(width).integers(0, 3, (3, width)).astype(dtype)
    tracer = Tracer()
    tracer.add(at_the_end(image))
    tracer.add(image)
    outlines = tracer.take()
    half = outlines.image_offsets[1]
    assert np.array_equal(outlines.first[:half], outlines.first[half:])
    assert np.array_equal(outlines.area[:half], outlines.area[half:])
