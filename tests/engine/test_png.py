"""The filters against the naive twin, in memory that ends where the arrays end."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

from predarrow_engine import png, png_samples, png_stream
from tests import naive_png
from tests.guarded import guarded

_COMPILED = not numba.config.DISABLE_JIT  # type: ignore[attr-defined]  # set when Numba is imported
needs_jit = pytest.mark.skipif(not _COMPILED, reason="LLVM code has no Python form")

_UNFILTER: dict[int, Any] = {1: png.unfilter_1, 2: png.unfilter_2, 3: png.unfilter_3}
_PIXELS = (1, 2, 3, 5, 15, 16, 21, 22, 31, 32, 33, 42, 43, 63, 64, 65, 85, 127, 128, 129, 200)
_FILTERS = ((0,), (1,), (2,), (3,), (4,), (4, 2, 1, 3, 0), (2, 4), (1, 4))
_CANARY = 0xA5


def _rows(kind: str, width: int, pixels: int, n_rows: int, seed: int) -> list[bytes]:
    """Give rows of pixels of `width` bytes: areas as in a mask, areas with speckles, or noise."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (n_rows, pixels, width), dtype=np.uint8)
    if kind == "noise":
        return [row.tobytes() for row in image]
    colours = rng.integers(0, 256, (5, width), dtype=np.uint8)
    colours[:, 0] = colours[0, 0]  # a byte that stays while another changes
    cells = rng.integers(0, 5, (n_rows // 3 + 1, pixels // 12 + 1)).repeat(3, 0).repeat(12, 1)
    areas = colours[cells[:n_rows, :pixels]]
    speckled = rng.random((n_rows, pixels)) < (0.05 if kind == "speckled" else 0.0)
    areas[speckled] = image[speckled]
    return [row.tobytes() for row in areas]


def _unfiltered(raw: bytes, width: int, row_bytes: int, n_rows: int) -> tuple[int, bytes]:
    """Run the kernel in guarded memory; give its code and the rows."""
    origin = row_bytes + 7
    image = guarded(np.full(origin + n_rows * row_bytes + png.MARGIN, _CANARY, np.uint8))
    image[7:origin] = 0
    code = _UNFILTER[width](_read_only(guarded(np.frombuffer(raw, np.uint8))), image, origin, row_bytes, n_rows)
    assert (image[:7] == _CANARY).all()
    assert not image[7:origin].any()
    return code, image[origin : origin + n_rows * row_bytes].tobytes()


def _read_only(array: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    array.flags.writeable = False
    return array


def _in_memory_order(row: bytes | bytearray, width: int) -> bytes:
    return np.frombuffer(row, ">u2").astype("<u2").tobytes() if width == 2 else bytes(row)


@needs_jit
@pytest.mark.parametrize("kinds", _FILTERS)
@pytest.mark.parametrize("content", ["areas", "speckled", "noise"])
@pytest.mark.parametrize("width", [1, 2, 3])
def test_filters_are_undone_exactly(width: int, content: str, kinds: tuple[int, ...]) -> None:
    for seed, pixels in enumerate(_PIXELS):
        rows = _rows(content, width, pixels, 11, seed)
        raw = naive_png.filter_rows(rows, kinds, width)
        assert naive_png.unfilter(raw, pixels * width, 11, width) == rows
        code, rebuilt = _unfiltered(raw, width, pixels * width, 11)
        assert code == png.DONE
        assert rebuilt == b"".join(_in_memory_order(row, width) for row in rows), f"{pixels} pixels"


@needs_jit
@pytest.mark.parametrize("width", [1, 2, 3])
def test_residuals_that_no_encoder_writes(width: int) -> None:
    rng = np.random.default_rng(width)
    for pixels in _PIXELS:
        raw = rng.integers(0, 256, (9, 1 + pixels * width), dtype=np.uint8)
        raw[rng.random(raw.shape) < 0.7] = 0
        raw[:, 0] = rng.integers(0, 5, 9)
        expected = naive_png.unfilter(raw.tobytes(), pixels * width, 9, width)
        code, rebuilt = _unfiltered(raw.tobytes(), width, pixels * width, 9)
        assert code == png.DONE
        assert rebuilt == b"".join(_in_memory_order(row, width) for row in expected), f"{pixels} pixels"


@needs_jit
def test_a_filter_above_4_is_told_by_its_row() -> None:
    rows = _rows("areas", 1, 70, 6, 0)
    raw = bytearray(naive_png.filter_rows(rows, (4,), 1))
    raw[4 * 71] = 5
    code, rebuilt = _unfiltered(bytes(raw), 1, 70, 6)
    assert code == 4
    assert rebuilt[: 4 * 70] == b"".join(rows[:4])


@needs_jit
def test_arrays_that_are_too_small_are_left_alone() -> None:
    raw = _read_only(np.zeros(10 * 11, np.uint8))
    enough = 10 + 100 + png.MARGIN
    assert png.unfilter_1(raw, np.zeros(enough, np.uint8), 10, 10, 10) == png.DONE
    for image_bytes, origin, row_bytes, n_rows in (
        (enough - 1, 10, 10, 10),
        (enough, 9, 10, 10),
        (enough, 10, 10, 11),
        (enough, 10, 10, -1),
        (enough, 10, 0, 10),
        (enough, -1, 10, 10),
    ):
        image = np.full(image_bytes, _CANARY, np.uint8)
        assert png.unfilter_1(raw, image, origin, row_bytes, n_rows) == png.UNFIT
        assert (image == _CANARY).all()
    assert png.unfilter_3(raw, np.zeros(enough, np.uint8), 10, 10, 10) == png.UNFIT, "10 is not a multiple of 3"


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_packed_samples_are_spread_unscaled(bits: int) -> None:
    rng = np.random.default_rng(bits)
    for width in (1, 2, 3, 7, 8, 9, 15, 16, 17, 64, 65):
        samples = rng.integers(0, 1 << bits, (3, width), dtype=np.uint8)
        rows = naive_png.filtered(samples, bits)
        row_bytes = len(rows) // 3  # with the filter byte, which is skipped as if it were the origin
        packed = np.frombuffer(rows, np.uint8)
        out = np.full(3 * width, _CANARY, np.uint8)
        assert png_samples.unpack(packed.copy(), 1, row_bytes, bits, width, out) == png.UNFIT
        packed = np.append(packed, 0).astype(np.uint8)
        assert png_samples.unpack(packed, 1, row_bytes, bits, width, out) == png.DONE
        assert np.array_equal(out.reshape(3, width), samples)


def test_unpack_refuses_depths_that_are_not_packed() -> None:
    for bits in (0, 3, 8):
        assert png_samples.unpack(np.zeros(8, np.uint8), 0, 1, bits, 1, np.zeros(1, np.uint8)) == png.UNFIT


def test_colours_become_ids_and_values() -> None:
    rgb = np.array([1, 2, 3, 255, 255, 255, 0, 0, 0, 1, 2, 3], np.uint8)
    ids = np.empty(4, np.uint32)
    assert png_samples.pack_colours(rgb, ids) == png.DONE
    assert ids.tolist() == [1 + 2 * 256 + 3 * 65536, 2**24 - 1, 0, 1 + 2 * 256 + 3 * 65536]
    assert png_samples.pack_colours(rgb[:-1], ids) == png.UNFIT

    colours = np.sort(ids[:3])
    assert png_samples.map_colours(ids, colours, np.array([7, 2**32 - 1, 9], np.uint32)) == png.DONE
    assert ids.tolist() == [2**32 - 1, 9, 7, 2**32 - 1]


def test_an_unknown_colour_is_told_by_its_pixel() -> None:
    colours, values = np.array([3, 5], np.uint32), np.array([0, 1], np.uint32)
    for unknown in (0, 4, 6):
        ids = np.array([3, 5, 5, unknown, 3], np.uint32)
        assert png_samples.map_colours(ids, colours, values) == 3
    assert png_samples.map_colours(ids, colours, values[:1]) == png.UNFIT


@needs_jit
def test_each_kernel_has_one_signature() -> None:
    from predarrow.formats.png import PngDecoder

    for decoder in (PngDecoder(rgb="panoptic"), PngDecoder(rgb={(0, 0, 0): 1})):
        for depth, colour in ((8, 0), (16, 0), (2, 0), (8, 2), (4, 3)):
            for interlaced in (False, True):
                image = np.zeros((9, 9, 3) if colour == 2 else (9, 9), np.uint16)
                file = naive_png.encode(image, depth, colour, interlaced=interlaced)
                for data in (file, memoryview(file), memoryview(bytearray(file))):
                    decoder.decode(data, "")
    kernels = (*_UNFILTER.values(), png_samples.unpack, png_samples.pack_colours, png_samples.map_colours)
    kernels = (*kernels, png_stream.decode_1, png_stream.decode_2, png_stream.decode_3)
    assert [len(kernel.signatures) for kernel in kernels] == [1] * 9
