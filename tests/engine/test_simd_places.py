"""Places of set bits, in both forms, against plain Python."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

from predarrow_engine import _simd_places as simd
from tests.guarded import guarded


@pytest.fixture(params=["compressed", "one by one"])
def put(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a compiled call in each form."""
    if request.param == "one by one":
        monkeypatch.setattr(simd, "has_compress", lambda _: False)

    @numba.njit
    def call(bits: np.uint64, first: int, target: npt.NDArray[np.int64]) -> None:
        simd.put_places(bits, first, target.ctypes.data)

    return call


def _words() -> list[int]:
    rng = np.random.default_rng(5)
    words = [0, 1, 1 << 63, 2**64 - 1, 2**16 - 1, 2**17 - 1, 2**63 - 1, 0x5555555555555555]
    return words + [sum(1 << int(place) for place in rng.choice(64, n, replace=False)) for n in range(65)]


@pytest.mark.parametrize("first", [0, -64, 2**40 + 3])
def test_places_of_set_bits_and_nothing_beyond_their_room(put: Any, first: int) -> None:
    for word in _words():
        room = 16 if word.bit_count() <= 16 else 64
        target = guarded(np.full(8 * room, 255, np.uint8)).view(np.int64)
        put(np.uint64(word), first, target)
        wanted = [first + place for place in range(64) if word >> place & 1]
        assert target[: len(wanted)].tolist() == wanted
