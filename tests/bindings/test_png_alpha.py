"""Alpha of PNG files, against Pillow."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from zlib_ng import zlib_ng

from predarrow import Code, InputError
from predarrow.formats.png_alpha import read_alpha
from predarrow.formats.png_chunks import _CHUNK, _CRC  # to damage files


def _png(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def _pixels(height: int, width: int, channels: int, seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    random = np.random.default_rng(seed)
    smooth = np.cumsum(random.integers(-2, 3, (height, width, channels)), axis=1)  # so that all filters are chosen
    noise = random.integers(0, 256, (height, width, channels))
    return np.where(random.random((height, 1, 1)) < 0.7, smooth, noise).astype(np.uint8)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (40, 37)])
def test_alpha_is_that_of_pillow(mode: str, size: tuple[int, int]) -> None:
    for seed in range(5):
        pixels = _pixels(*size, len(mode), seed)
        alpha = read_alpha(_png(Image.fromarray(pixels, mode)), "")
        assert alpha.dtype == np.uint8
        np.testing.assert_array_equal(alpha, pixels[..., -1])


@pytest.mark.parametrize("n_colours", [2, 200])
def test_palettes_have_transparent_colours(n_colours: int) -> None:
    indices = np.random.default_rng(1).integers(0, n_colours, (20, 30)).astype(np.uint8)
    image = Image.fromarray(indices, "P")
    image.putpalette(list(range(256)) * 3)
    transparency = bytes([255, 0, 128][: min(3, n_colours)])
    alphas = np.full(256, 255)
    alphas[: len(transparency)] = list(transparency)
    np.testing.assert_array_equal(read_alpha(_png(image, transparency=transparency), ""), alphas[indices])


def _header(height: int, width: int, depth: int, colour: int, rows: bytes, interlace: int = 0) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return _CHUNK.pack(len(data), name) + data + _CRC.pack(zlib_ng.crc32(name + data))

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    header = chunk(b"IHDR", size + bytes([depth, colour, 0, 0, interlace]))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib_ng.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("mode", ["1", "L", "I;16"])
def test_grey_with_a_transparent_value(mode: str) -> None:
    inside = np.add.outer(np.arange(13), np.arange(11)) % 3 > 0
    image = Image.fromarray(inside) if mode == "1" else Image.fromarray(inside.astype("<u2" if "16" in mode else "u1"))
    assert image.mode == mode
    np.testing.assert_array_equal(read_alpha(_png(image, transparency=0), ""), np.where(inside, 255, 0))


def test_sixteen_bits_stay() -> None:
    rows = b"\0" + bytes([9, 9, 1, 2, 9, 9, 255, 254]) + b"\2" + bytes([0, 0, 0, 1, 0, 0, 0, 2])
    alpha = read_alpha(_header(2, 2, 16, 4, rows), "")
    assert alpha.tolist() == [[258, 65534], [259, 65280]]


def test_what_has_no_alpha_is_refused() -> None:
    for image in (Image.new("L", (3, 2)), Image.new("RGB", (3, 2)), Image.new("P", (3, 2))):
        with pytest.raises(InputError, match="transparent colours") as error:
            read_alpha(_png(image), "")
        assert error.value.problems[0].code == Code.UNSUPPORTED


def test_what_does_not_hold_is_refused() -> None:
    with pytest.raises(InputError, match="interlaced"):
        read_alpha(_header(1, 1, 8, 6, bytes(5), interlace=1), "")
    with pytest.raises(InputError, match="row 1: a row's filter must be 0 to 4, got 7"):
        read_alpha(_header(2, 1, 8, 6, bytes(5) + b"\7" + bytes(4)), "")
    with pytest.raises(InputError, match="must have 10 bytes"):
        read_alpha(_header(2, 1, 8, 6, bytes(5)), "")
    with pytest.raises(InputError, match="at most 3 pixels"):
        read_alpha(_header(2, 2, 8, 6, bytes(18)), "", max_pixels=3)
