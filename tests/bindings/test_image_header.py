"""Sizes from headers, on files that Pillow and OpenCV wrote and on some written by hand."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from predarrow.errors import InputError
from predarrow.image_header import read_image_size, sniff
from predarrow.report import Code
from tests import naive_png
from tests.corpus import corpus_path

_SIZES = ((1, 1), (7, 300), (301, 5), (640, 480))
_EXTENSIONS = ("png", "jpg", "gif", "bmp", "webp", "tif")


@pytest.mark.parametrize("extension", _EXTENSIONS)
@pytest.mark.parametrize("size", _SIZES)
def test_files_of_pillow(extension: str, size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / f"a.{extension}"
    for mode in ("L", "RGB"):
        Image.new(mode, size).save(path)
        assert read_image_size(path) == size
        assert read_image_size(str(path)) == size


@pytest.mark.parametrize("extension", ["png", "jpg", "bmp", "webp", "tif"])
def test_files_of_opencv(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{extension}"
    cv2.imwrite(str(path), np.zeros((30, 41, 3), np.uint8))
    assert read_image_size(path) == (41, 30)


@pytest.mark.parametrize(
    ("extension", "options"),
    [
        ("jpg", {"progressive": True}),
        ("jpg", {"exif": b"Exif\0\0" + bytes(60_000), "comment": b"c" * 60_000}),
        ("webp", {"lossless": True}),
        ("webp", {"exif": b"Exif\0\0" + bytes(100)}),
        ("tif", {"compression": "tiff_lzw"}),
        ("tif", {"big_tiff": True}),
    ],
)
def test_variants(extension: str, options: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / f"a.{extension}"
    noise = np.random.default_rng(0).integers(0, 256, (33, 57, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path, **options)  # type: ignore[arg-type]  # each format has its own options
    assert read_image_size(path) == (57, 33)


def test_only_the_header_is_needed(tmp_path: Path) -> None:
    for extension in ("png", "gif", "bmp", "webp", "jpg"):
        buffer = io.BytesIO()
        Image.new("L", (90, 40)).save(buffer, {"jpg": "jpeg"}.get(extension, extension))
        path = tmp_path / f"a.{extension}"
        path.write_bytes(buffer.getvalue()[: 250 if extension == "jpg" else 40])
        assert read_image_size(path) == (90, 40)


def test_bitmaps_from_top_to_bottom_and_of_os2(tmp_path: Path) -> None:
    path = tmp_path / "a.bmp"
    path.write_bytes(b"BM" + bytes(12) + struct.pack("<Iii", 40, 20, -30))
    assert read_image_size(path) == (20, 30)
    path.write_bytes(b"BM" + bytes(12) + struct.pack("<IHH", 12, 20, 30) + bytes(8))
    assert read_image_size(path) == (20, 30)


def _tiff(order: str, kind: str, big: bool) -> bytes:
    letter, code = {"short": ("H", 3), "long": ("I", 4), "long8": ("Q", 16)}[kind]
    place = 8 if big else 4
    n_type, entry = ("Q", "HHQ") if big else ("H", "HHI")
    magic = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "H", 43 if big else 42)
    start = struct.pack(order + "HHQ", 8, 0, 16) if big else struct.pack(order + "I", 8)
    entries = [
        struct.pack(order + entry, tag, code, 1) + struct.pack(order + letter, value).ljust(place, b"\0")
        for tag, value in ((254, 0), (256, 500), (257, 400))
    ]
    return magic + start + struct.pack(order + n_type, 3) + b"".join(entries)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "big"), [("short", False), ("long", False), ("short", True), ("long8", True)])
def test_tiff_in_both_byte_orders(order: str, kind: str, big: bool, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(_tiff(order, kind, big))
    assert read_image_size(tmp_path / "a.tif") == (500, 400)


def test_marker_padding_in_a_jpeg(tmp_path: Path) -> None:
    frame = b"\xff\xff\xff\xc0" + struct.pack(">HBHHB", 11, 8, 40, 90, 1) + bytes(3)
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8" + b"\xff\x01" + frame)
    assert read_image_size(tmp_path / "a.jpg") == (90, 40)


def _named(folder: Path, data: bytes) -> Path:
    path = folder / "image"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (b"", Code.UNSUPPORTED, "must be PNG, JPEG, GIF, BMP, WebP, TIFF, got an empty file"),
        (b"no image at all", Code.UNSUPPORTED, "got bytes 6e 6f 20 69"),
        (b"%PDF-1.7", Code.UNSUPPORTED, "got PDF"),
        (b"version https://git-lfs.github.com/spec/v1\n", Code.UNSUPPORTED, "got Git LFS pointer"),
        (b"\x89PNG\r\n\x1a\n" + bytes(24), Code.UNSUPPORTED, "must begin with the chunk IHDR"),
        (naive_png.SIGNATURE + naive_png.header(0, 4), Code.UNSUPPORTED, "must be positive, got 0 x 4"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", Code.DAMAGED, "breaks off"),
        (b"GIF89a\1", Code.DAMAGED, "breaks off"),
        (b"BM" + bytes(9), Code.DAMAGED, "breaks off"),
        (b"RIFF\0\0\0\0WEBPVP9 " + bytes(20), Code.UNSUPPORTED, "chunk VP8, VP8L or VP8X, got b'VP9 '"),
        (b"RIFF\0\0\0\0WEBPVP8 " + bytes(20), Code.UNSUPPORTED, "key frame"),
        (b"II*\0\xff\xff\xff\x7f", Code.DAMAGED, "breaks off"),
        (b"II*\0\x08\0\0\0\0\0", Code.UNSUPPORTED, "must name ImageWidth"),
        (b"II+\0\x08\0\0\0" + b"\xff" * 8, Code.UNSUPPORTED, "no directory at byte"),
        (b"\xff\xd8\xff\xe0\0\x10" + bytes(5), Code.DAMAGED, "breaks off"),
        (b"\xff\xd8\xff\xe0\0\x02\0\0", Code.UNSUPPORTED, "must begin with 0xff, got 0x00 at byte 6"),
        (b"\xff\xd8\xff\xda\0\x02", Code.UNSUPPORTED, "no frame header"),
        (b"\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\x05\x01", Code.UNSUPPORTED, "must be positive, got 5 x 0"),
    ],
)
def test_headers_that_say_no_size(data: bytes, code: Code, message: str, tmp_path: Path) -> None:
    path = _named(tmp_path, data)
    with pytest.raises(InputError) as caught:
        read_image_size(path)
    (problem,) = caught.value.problems
    assert (problem.source, problem.code) == (str(path), code)
    assert message in problem.message


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(InputError, match="cannot be read") as caught:
            read_image_size(path)
        assert caught.value.problems[0].code is Code.UNREADABLE


def test_any_cut_gives_a_size_or_an_error(tmp_path: Path) -> None:
    for extension in _EXTENSIONS:
        path = tmp_path / f"a.{extension}"
        Image.new("RGB", (90, 40)).save(path)
        data = path.read_bytes()
        for length in range(min(len(data), 400)):
            path.write_bytes(data[:length])
            try:
                size = read_image_size(path)
            except InputError:
                continue
            assert size == (90, 40)


def test_formats_that_are_named_though_not_read() -> None:
    assert sniff(b"\0\0\0\x1cftypavif" + bytes(20)) == "AVIF or HEIC"
    assert sniff(b"PK\3\4") == "ZIP archive"
    assert sniff(b"anything else") is None


def test_real_files_against_pillow() -> None:
    for path in sorted(corpus_path("masks").rglob("*.png")):
        if path.parent.name == "bad" and path.name != "jpeg_renamed_love.png":
            continue
        with Image.open(path) as image:
            assert read_image_size(path) == image.size
