"""PNG files of every legal kind against the naive decoder, Pillow and OpenCV."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numba
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from predarrow.errors import InputError, PredarrowError
from predarrow.formats.png import PngDecoder, read_header, read_png
from predarrow.report import Code
from tests import naive_png
from tests.corpus import corpus_path

pytestmark = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT),  # type: ignore[attr-defined]  # set when Numba is imported
    reason="LLVM code has no Python form",
)

_KINDS = [(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (1, 3), (2, 3), (4, 3), (8, 3), (8, 2)]  # depth, colour


def _ids(rgb: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    weights = np.array([1, 256, 65536], np.uint32)
    ids: npt.NDArray[np.uint32] = rgb.astype(np.uint32) @ weights
    return ids


def _random_image(rng: np.random.Generator, height: int, width: int, depth: int, colour: int) -> npt.NDArray[Any]:
    """Give areas with speckles, all sample values possible."""
    channels = (3,) if colour == 2 else ()
    dtype = np.uint16 if depth == 16 else np.uint8
    palette = rng.integers(0, 1 << depth, (6, *channels), dtype=dtype)
    cells = rng.integers(0, 6, (height // 4 + 1, width // 9 + 1)).repeat(4, 0).repeat(9, 1)[:height, :width]
    image = palette[cells]
    speckled = rng.random((height, width)) < 0.04
    image[speckled] = rng.integers(0, 1 << depth, image.shape, dtype=dtype)[speckled]
    return image


@pytest.mark.parametrize("interlaced", [False, True], ids=["plain", "interlaced"])
@pytest.mark.parametrize(("depth", "colour"), _KINDS)
def test_every_kind_gives_the_stored_values(depth: int, colour: int, interlaced: bool) -> None:
    rng = np.random.default_rng(depth * 10 + colour)
    decoder = PngDecoder(rgb="panoptic")
    for height, width in ((1, 1), (1, 70), (70, 1), (2, 3), (5, 5), (9, 64), (17, 133)):
        image = _random_image(rng, height, width, depth, colour)
        kinds = rng.integers(0, 5, 7).tolist()
        data = naive_png.encode(image, depth, colour, kinds=kinds, interlaced=interlaced, n_idat=1 + width % 3)
        assert np.array_equal(naive_png.decode(data), image)
        decoded = decoder.decode(data, "")
        assert decoded.dtype == (np.uint32 if colour == 2 else np.uint16 if depth == 16 else np.uint8)
        assert np.array_equal(decoded, _ids(image) if colour == 2 else image), (height, width, kinds)


@settings(max_examples=60)
@given(st.data())
def test_any_size_filters_and_level(data: st.DataObject) -> None:
    depth, colour = data.draw(st.sampled_from(_KINDS))
    height, width = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 150))
    image = _random_image(np.random.default_rng(data.draw(st.integers(0, 999))), height, width, depth, colour)
    file = naive_png.encode(
        image,
        depth,
        colour,
        kinds=data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=4)),
        interlaced=data.draw(st.booleans()),
        n_idat=data.draw(st.integers(1, 4)),
        level=data.draw(st.integers(0, 9)),
    )
    expected = naive_png.decode(file)
    assert np.array_equal(PngDecoder(rgb="panoptic").decode(file, ""), _ids(expected) if colour == 2 else expected)


def _drawn(seed: int, dtype: type[np.unsignedinteger[Any]]) -> npt.NDArray[Any]:
    rng = np.random.default_rng(seed)
    image = np.zeros((180, 301), dtype)
    for value in rng.integers(1, np.iinfo(dtype).max, 12):
        centre, radius = rng.integers(0, 300, 2).tolist(), int(rng.integers(3, 60))
        cv2.circle(image, centre, radius, int(value), -1)
    return image


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_files_of_pillow_and_opencv(dtype: type[np.unsignedinteger[Any]], tmp_path: Path) -> None:
    for seed in range(6):
        image = _drawn(seed, dtype)
        Image.fromarray(image).save(tmp_path / "pillow.png", optimize=seed % 2 == 0)
        cv2.imwrite(str(tmp_path / "opencv.png"), image)
        for name in ("pillow.png", "opencv.png"):
            decoded = read_png(tmp_path / name)
            assert decoded.dtype == dtype
            assert np.array_equal(decoded, image)


def test_a_palette_gives_its_indices_whatever_its_transparency(tmp_path: Path) -> None:
    indices = _drawn(3, np.uint8) % 200
    height, width = indices.shape
    image = Image.frombytes("P", (width, height), indices.tobytes())
    image.putpalette(np.random.default_rng(0).integers(0, 256, 768, dtype=np.uint8).tobytes())
    image.save(tmp_path / "palette.png", transparency=bytes(range(200)))
    assert np.array_equal(read_png(tmp_path / "palette.png"), indices)
    grey = naive_png.encode(indices, before=naive_png.chunk(b"tRNS", b"\0\5"))
    assert np.array_equal(PngDecoder().decode(grey, ""), indices)


def test_indices_without_a_colour_are_values_too() -> None:
    file = naive_png.encode(np.array([[200, 3]], np.uint8), 8, 3)
    palette = naive_png.chunk(b"PLTE", bytes(range(256)) * 3)
    short = file.replace(palette, naive_png.chunk(b"PLTE", bytes(6)))
    assert PngDecoder().decode(short, "").tolist() == [[200, 3]]


def test_of_an_animation_the_default_image_is_read(tmp_path: Path) -> None:
    frames = [Image.fromarray(_drawn(seed, np.uint8)) for seed in range(3)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    assert np.array_equal(read_png(tmp_path / "a.png"), _drawn(0, np.uint8))


def test_rgb_through_a_colour_map() -> None:
    image = np.array([[[1, 2, 3], [255, 0, 9]], [[255, 0, 9], [0, 0, 0]]], np.uint8)
    file = naive_png.encode(image, 8, 2)
    for values, dtype in (((4, 5, 255), np.uint8), ((4, 5, 256), np.uint16), ((4, 5, 2**32 - 1), np.uint32)):
        colours = dict(zip([(1, 2, 3), (255, 0, 9), (0, 0, 0)], values, strict=True))
        for data in (file, naive_png.encode(image, 8, 2, interlaced=True)):
            decoded = PngDecoder(rgb=colours).decode(data, "")
            assert decoded.dtype == dtype
            assert decoded.tolist() == [[4, 5], [5, values[2]]]


def test_a_colour_outside_of_the_map_is_named_with_its_place() -> None:
    file = naive_png.encode(np.array([[[1, 2, 3]], [[7, 8, 9]]], np.uint8), 8, 2)
    with pytest.raises(InputError, match=r"m\.png: x 0, y 1: .*got \(7, 8, 9\)") as caught:
        PngDecoder(rgb={(1, 2, 3): 1}).decode(file, "m.png")
    assert caught.value.problems[0].code is Code.UNKNOWN_CLASS


@pytest.mark.parametrize(
    "colours", [{}, {(0, 0): 1}, {(0, 0, 256): 1}, {(0, -1, 0): 1}, {(0, 0, 0): -1}, {(0, 0, 0): 2**32}]
)
def test_colour_maps_out_of_range_are_refused(colours: Any) -> None:
    with pytest.raises(PredarrowError, match="colour map: "):
        PngDecoder(rgb=colours)


def test_a_decoder_is_used_again_and_its_array_is_a_view() -> None:
    decoder = PngDecoder(rgb="panoptic")
    rng = np.random.default_rng(0)
    images = [_random_image(rng, h, w, d, c) for h, w, d, c in ((40, 90, 16, 0), (3, 3, 8, 0), (30, 200, 8, 2))]
    files = [
        naive_png.encode(i, d, c, kinds=(4, 2)) for i, (d, c) in zip(images, ((16, 0), (8, 0), (8, 2)), strict=True)
    ]
    for turn in (0, 1, 2, 1, 0, 2):
        expected = _ids(images[turn]) if turn == 2 else images[turn]
        assert np.array_equal(decoder.decode(memoryview(files[turn]), ""), expected)
    first = decoder.decode(files[0], "")
    assert np.shares_memory(first, decoder.decode(files[0], ""))
    assert first.flags.c_contiguous


def test_files_in_one_size_after_an_interlaced_one_that_took_more_memory() -> None:
    rng = np.random.default_rng(0)
    decoder = PngDecoder()
    small = [_random_image(rng, 20, 30, 8, 0) for _ in range(3)]
    large = _random_image(rng, 90, 400, 8, 0)
    for image, interlaced in ((small[0], False), (large, True), (small[1], False), (small[2], False)):
        assert np.array_equal(decoder.decode(naive_png.encode(image, interlaced=interlaced), ""), image)


def test_the_engine_takes_every_file_that_is_not_interlaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("predarrow.formats.png.inflate", lambda *_: pytest.fail("was left to the slow way"))
    decoder = PngDecoder(rgb="panoptic")
    rng = np.random.default_rng(0)
    for depth, colour in _KINDS:
        for level in range(10):
            image = _random_image(rng, 40, 60, depth, colour)
            file = naive_png.encode(image, depth, colour, kinds=(0, 1, 2, 3, 4), level=level, n_idat=1 + level % 3)
            expected = _ids(image) if colour == 2 else image
            assert np.array_equal(decoder.decode(file, ""), expected)


def test_what_only_the_slow_way_takes_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    image = _drawn(0, np.uint8)
    file = naive_png.encode(image, kinds=(4, 2))
    decoder = PngDecoder()
    decoder.decode(file, "")
    layout = decoder._layout
    assert layout is not None
    monkeypatch.setattr(decoder, "_layout", layout._replace(decode=lambda *_: -3))
    assert np.array_equal(decoder.decode(file, ""), image)


def test_read_png_gives_an_array_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(naive_png.encode(np.eye(5, dtype=np.uint8)))
    image = read_png(tmp_path / "a.png")
    assert image.flags.owndata
    assert image.flags.writeable


def test_read_png_of_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.png: cannot be read: No such file") as caught:
        read_png(tmp_path / "none.png")
    assert caught.value.problems[0].code is Code.UNREADABLE


def test_header() -> None:
    file = naive_png.encode(np.zeros((3, 7), np.uint8), 4, 3, interlaced=True)
    assert read_header(file) == (7, 3, 4, 3, True)
    assert read_header(file[:33]) == (7, 3, 4, 3, True)


def _corpus_files() -> list[Path]:
    files = sorted(corpus_path("masks").rglob("*.png"))
    return [file for file in files if file.parent.name != "bad"]


def test_real_files_against_pillow() -> None:
    compared = 0
    decoder = PngDecoder(rgb="panoptic")
    for file in _corpus_files():
        data = file.read_bytes()
        header = read_header(data)
        if header.colour_type in (4, 6):
            with pytest.raises(InputError, match="alpha"):
                decoder.decode(data, file.name)
            continue
        with Image.open(io.BytesIO(data)) as opened:
            expected = np.asarray(opened)
        if header.colour_type == 2:
            expected = _ids(expected)
        elif header.colour_type == 0 and header.bit_depth in (2, 4):
            expected = expected // (255 // ((1 << header.bit_depth) - 1))  # Pillow scales
        assert np.array_equal(decoder.decode(data, file.name), expected), file
        compared += 1
    assert compared > 30


def test_small_real_files_against_the_naive_decoder() -> None:
    decoder = PngDecoder(rgb="panoptic")
    for file in _corpus_files():
        data = file.read_bytes()
        header = read_header(data)
        if header.colour_type in (4, 6) or header.width * header.height > 10_000:
            continue
        expected = naive_png.decode(data)
        assert np.array_equal(decoder.decode(data, ""), _ids(expected) if header.colour_type == 2 else expected)
