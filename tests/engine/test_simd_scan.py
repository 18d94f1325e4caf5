"""Runs that begin within 64 pixels, in both forms, against plain Python, in memory that ends where they must stop."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

from predarrow_engine import _simd_scan as simd
from predarrow_engine._simd import LANES
from predarrow_engine.runs import Runs, scan
from tests.guarded import guarded
from tests.images import stripes


def at_the_end(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return guarded(np.frombuffer(values.tobytes(), np.uint8)).view(values.dtype)


@pytest.fixture(params=["compressed", "one by one"])
def put_runs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the function, compiled in one of its forms."""
    if request.param == "one by one":
        monkeypatch.setattr(simd, "has_compress", lambda _: False)

    @numba.njit
    def call(
        marked: np.uint64,
        pixels: npt.NDArray[Any],
        first: np.uint64,
        packed: npt.NDArray[np.uint64],
        label: npt.NDArray[np.uint32],
    ) -> None:
        simd.put_runs(marked, pixels.ctypes.data, first, packed.ctypes.data, label.ctypes.data, pixels[0])

    return call


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_runs_of_a_block_and_nothing_beyond_them(put_runs: Any, dtype: type[np.unsignedinteger[Any]]) -> None:
    rng = np.random.default_rng(4)
    for n in [*range(1, LANES + 1), *range(1, 12)]:
        places = np.sort(rng.choice(LANES, n, replace=False))
        pixels = rng.integers(0, 2**32, LANES).astype(dtype)
        first = int(rng.integers(0, 2**62))
        packed = at_the_end(np.zeros(n + simd.TURN - 1, np.uint64))
        label = at_the_end(np.zeros(n + simd.TURN - 1, np.uint32))
        marked = np.uint64(sum(1 << int(place) for place in places))
        put_runs(marked, at_the_end(pixels), np.uint64(first), packed, label)
        assert packed[:n].tolist() == [first + int(place) for place in places]
        assert label[:n].tolist() == pixels[places].tolist()


@numba.njit
def _scan(labels: npt.NDArray[Any], runs: Runs, block: npt.NDArray[np.int32], changed: npt.NDArray[np.uint64]) -> int:
    return int(scan(labels, runs, block, changed))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_no_scan_reads_or_writes_behind_its_arrays(dtype: type[np.unsignedinteger[Any]]) -> None:
    rng = np.random.default_rng(6)
    for width in (3, 65, 66, 130, 400):
        image = rng.integers(0, 3, (4, width)) if width < 400 else stripes(width)
        y, x = np.nonzero(np.diff(image, axis=1, prepend=-1))
        labels = at_the_end(image.astype(dtype)).reshape(image.shape)
        labels.flags.writeable = False
        n, found = x.size + len(image), -1
        room = n
        while found < 0:  # it asks for more than it may need
            assert room < n + width + 20
            packed, label = at_the_end(np.zeros(room, np.uint64)), at_the_end(np.zeros(room, np.uint32))
            rows = np.zeros(len(image) + 1, np.int64)
            runs = Runs(packed, packed.view(np.int32).reshape(-1, 2), label, rows)
            blocks = width // LANES + 2
            scratch = at_the_end(np.zeros(blocks, np.int32)), at_the_end(np.zeros(blocks, np.uint64))
            found = _scan(labels, runs, *scratch)
            room += 1
        assert found == n == rows[-1]
        real = np.delete(np.arange(n), rows[1:] - 1)
        assert packed[real].tolist() == (y << 32 | x).tolist()
        assert label[real].tolist() == image[y, x].tolist()
        assert packed[rows[1:] - 1].tolist() == [row << 32 | width for row in range(len(image))]
