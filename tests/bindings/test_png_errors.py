"""Every way in which a PNG file can be wrong has its own error, and no wrong file reaches memory it should not."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import numba
import numpy as np
import pytest
from PIL import Image

from predarrow.errors import InputError
from predarrow.formats.png import PngDecoder
from predarrow.report import Code
from tests import naive_png
from tests.corpus import corpus_path
from tests.naive_png import SIGNATURE, chunk, header

pytestmark = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT),  # type: ignore[attr-defined]  # set when Numba is imported
    reason="LLVM code has no Python form",
)

_IMAGE = np.arange(40, dtype=np.uint8).reshape(5, 8)
_FILE = naive_png.encode(_IMAGE)
_STREAM = zlib.compress(naive_png.filtered(_IMAGE, 8))
_IHDR, _IDAT, _IEND = header(8, 5), chunk(b"IDAT", _STREAM), chunk(b"IEND")
_PLTE = chunk(b"PLTE", bytes(6))


def _file(*chunks: bytes) -> bytes:
    return SIGNATURE + b"".join(chunks)


def _with_stream(stream: bytes) -> bytes:
    return _file(_IHDR, chunk(b"IDAT", stream), _IEND)


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def _rows(*filters: int, row_bytes: int = 8) -> bytes:
    return zlib.compress(b"".join(bytes([kind]) + bytes(row_bytes) for kind in filters))


_WRONG = {
    "empty": (b"", Code.NOT_PNG, "", "must be a PNG file, got an empty file"),
    "text": (b"hello, this is no image", Code.NOT_PNG, "byte 0", "begins with 68 65 6c"),
    "JPEG": (b"\xff\xd8\xff\xe0" + bytes(40), Code.NOT_PNG, "byte 0", "got a JPEG with this name"),
    "LFS": (b"version https://git-lfs.github.com/spec/v1", Code.NOT_PNG, "byte 0", "Git LFS pointer"),
    "half a signature": (SIGNATURE[:5], Code.DAMAGED, "", "in the PNG signature, after 5 bytes"),
    "text mode": (_FILE.replace(b"\r\n", b"\n"), Code.DAMAGED, "byte 0", "text mode"),
    "signature only": (SIGNATURE, Code.DAMAGED, "byte 8", "breaks off in its header, after 8 bytes"),
    "half a header": (_FILE[:30], Code.DAMAGED, "byte 8", "breaks off in its header, after 30 bytes"),
    "no header": (_file(_IDAT, _IEND), Code.DAMAGED, "byte 8", "first chunk must be IHDR with 13 bytes, got b'IDAT'"),
    "Apple": (_file(chunk(b"CgBI", bytes(4)), _IHDR, _IDAT, _IEND), Code.DAMAGED, "byte 8", "Apple"),
    "header CRC": (_flipped(_FILE, 17), Code.DAMAGED, "byte 8", "CRC of chunk IHDR"),
    "depth": (_file(header(8, 5, 3), _IDAT, _IEND), Code.DAMAGED, "byte 24", "colour type 0 with bit depth 3"),
    "colour": (_file(header(8, 5, 8, 5), _IDAT, _IEND), Code.DAMAGED, "byte 24", "colour type 5 with bit depth 8"),
    "palette depth": (_file(header(8, 5, 16, 3), _IDAT), Code.DAMAGED, "byte 24", "type 3 with bit depth 16"),
    "no width": (_file(header(0, 5), _IDAT, _IEND), Code.DAMAGED, "byte 16", "must be positive, got 0 x 5"),
    "no height": (_file(header(8, 0), _IDAT, _IEND), Code.DAMAGED, "byte 16", "must be positive, got 8 x 0"),
    "negative": (_file(header(2**31, 5), _IDAT), Code.DAMAGED, "byte 16", "must be positive, got 2147483648"),
    "compression": (_file(header(8, 5, 8, 0, (1, 0, 0)), _IDAT), Code.DAMAGED, "byte 26", "got 1, 0 and 0"),
    "filter method": (_file(header(8, 5, 8, 0, (0, 1, 0)), _IDAT), Code.DAMAGED, "byte 26", "got 0, 1 and 0"),
    "interlace": (_file(header(8, 5, 8, 0, (0, 0, 2)), _IDAT), Code.DAMAGED, "byte 26", "got 0, 0 and 2"),
    "RGB": (_file(header(8, 5, 8, 2), _IDAT), Code.UNSUPPORTED, "byte 25", 'got RGB; name the decoder, rgb="panoptic"'),
    "16-bit RGB": (_file(header(8, 5, 16, 2), _IDAT), Code.UNSUPPORTED, "byte 24", "got 16-bit RGB"),
    "grey alpha": (_file(header(8, 5, 8, 4), _IDAT), Code.UNSUPPORTED, "byte 25", "no alpha channel"),
    "RGB alpha": (_file(header(8, 5, 8, 6), _IDAT), Code.UNSUPPORTED, "byte 25", "no alpha channel"),
    "cut": (_FILE[:60], Code.DAMAGED, "byte 33", "chunk IDAT must have"),
    "cut in CRC": (_FILE[:-14], Code.DAMAGED, "byte 33", "chunk IDAT must have"),
    "cut before IEND": (_FILE[:-12], Code.DAMAGED, f"byte {len(_FILE) - 12}", "without its last chunk (IEND)"),
    "cut in IEND": (_FILE[:-5], Code.DAMAGED, f"byte {len(_FILE) - 12}", "in the head of a chunk"),
    "data CRC": (_flipped(_FILE, 50), Code.DAMAGED, "byte 33", "CRC of chunk IDAT must be 0x"),
    "stored CRC": (_flipped(_FILE, len(_FILE) - 1), Code.DAMAGED, f"byte {len(_FILE) - 12}", "CRC of chunk IEND"),
    "ancillary CRC": (
        _file(_IHDR, _flipped(chunk(b"gAMA", bytes(4)), 9), _IDAT, _IEND),
        Code.DAMAGED,
        "byte 33",
        "CRC of chunk gAMA",
    ),
    "chunk name": (_file(_IHDR, b"\0\1\0\0\0\0\0\0", _IDAT), Code.DAMAGED, "byte 37", "must be four letters"),
    "critical chunk": (_file(_IHDR, chunk(b"ABCD"), _IDAT, _IEND), Code.UNSUPPORTED, "byte 33", "chunk b'ABCD'"),
    "second header": (_file(_IHDR, _IHDR, _IDAT, _IEND), Code.DAMAGED, "byte 33", "got a second one"),
    "no data": (_file(_IHDR, _IEND), Code.DAMAGED, "byte 33", "without image data (no IDAT chunk)"),
    "split data": (
        _file(_IHDR, chunk(b"IDAT", _STREAM[:9]), chunk(b"tEXt", b"a\0b"), chunk(b"IDAT", _STREAM[9:]), _IEND),
        Code.DAMAGED,
        "byte 69",
        "IDAT chunks must follow each other",
    ),
    "no palette": (_file(header(8, 5, 8, 3), _IDAT, _IEND), Code.DAMAGED, "", "must have a palette"),
    "late palette": (
        _file(header(8, 5, 8, 3), _IDAT, _PLTE, _IEND),
        Code.DAMAGED,
        f"byte {33 + len(_IDAT)}",
        "before the image data",
    ),
    "two palettes": (_file(header(8, 5, 8, 3), _PLTE, _PLTE, _IDAT), Code.DAMAGED, "byte 51", "one palette"),
    "palette of 4 bytes": (
        _file(header(8, 5, 8, 3), chunk(b"PLTE", bytes(4)), _IDAT),
        Code.DAMAGED,
        "byte 33",
        "1 to 256 colours of 3 bytes, got 4 bytes",
    ),
    "palette of 257": (
        _file(header(8, 5, 8, 3), chunk(b"PLTE", bytes(771)), _IDAT),
        Code.DAMAGED,
        "byte 33",
        "got 771 bytes",
    ),
    "empty data": (_with_stream(b""), Code.DAMAGED, "byte 16", "0 compressed bytes cannot hold"),
    "no deflate": (
        _with_stream(b"\x12" * 30),
        Code.DAMAGED,
        "IDAT",
        "no valid deflate stream (incorrect header check)",
    ),
    "dictionary": (_with_stream(b"\x78\xbb" + bytes(30)), Code.DAMAGED, "IDAT", "no valid deflate stream"),
    "wrong code": (_with_stream(b"\x78\x9c\x07" + bytes(30)), Code.DAMAGED, "IDAT", "invalid block type"),
    "Adler": (_with_stream(_STREAM[:-1] + b"\0"), Code.DAMAGED, "IDAT", "checksum (Adler-32) is wrong"),
    "no Adler": (_with_stream(_STREAM[:-4]), Code.DAMAGED, "IDAT", "breaks off before its checksum"),
    "cut stream": (_with_stream(_STREAM[:20]), Code.DAMAGED, "IDAT", "image data breaks off after"),
    "too little": (_with_stream(_rows(0, 0, 0, 0)), Code.DAMAGED, "IDAT", "must have 45 bytes, got 36"),
    "too much": (_with_stream(_rows(0, 0, 0, 0, 0, 0)), Code.DAMAGED, "IDAT", "must have 45 bytes, got more"),
    "behind the stream": (_with_stream(_STREAM + b"abc"), Code.DAMAGED, "IDAT", "end with its stream, got 3 more"),
    "filter": (_with_stream(_rows(0, 1, 2, 9, 0)), Code.DAMAGED, "row 3", "filter must be 0 to 4, got 9"),
}


@pytest.mark.parametrize("name", _WRONG)
def test_each_fault_has_its_own_error(name: str) -> None:
    data, code, pointer, message = _WRONG[name]
    with pytest.raises(InputError) as caught:
        PngDecoder().decode(data, "a/mask.png")
    (problem,) = caught.value.problems
    assert (problem.source, problem.row, problem.code, problem.pointer) == ("a/mask.png", None, code, pointer)
    assert message in problem.message
    assert str(caught.value).startswith("a/mask.png: ")


def test_messages_are_distinct() -> None:
    texts = []
    for data, _, _, _ in _WRONG.values():
        with pytest.raises(InputError) as caught:
            PngDecoder().decode(data, "")
        texts.append(str(caught.value))
    assert len(set(texts)) == len(texts)


def test_a_bad_filter_in_an_interlaced_file_names_its_pass() -> None:
    rows = bytearray(naive_png.filtered(_IMAGE, 8, interlaced=True))
    rows[2 + 2] = 7  # 8 x 5: passes 1 and 2 have one row of one pixel, pass 3 one row of two
    data = _file(header(8, 5, 8, 0, (0, 0, 1)), chunk(b"IDAT", zlib.compress(bytes(rows))), _IEND)
    with pytest.raises(InputError, match=r"pass 3 of 7, row 0: .*got 7"):
        PngDecoder().decode(data, "")


def test_what_follows_the_end_is_left_alone() -> None:
    assert np.array_equal(PngDecoder().decode(_FILE + b"appended", ""), _IMAGE)


def _peak_of_refusal(data: bytes, decoder: PngDecoder, match: str) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=match):
            decoder.decode(data, "")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_bombs_are_refused_before_memory_is_taken() -> None:
    PngDecoder().decode(_FILE, "")  # compiles
    huge = _file(header(65535, 65535), _IDAT, _IEND)
    assert _peak_of_refusal(huge, PngDecoder(), "at most 268435456 pixels, got 65535 x 65535") < 100_000
    assert _peak_of_refusal(huge, PngDecoder(max_pixels=2**40), "cannot hold") < 100_000
    wide = _file(header(2**31 - 1, 2**31 - 1, 8, 2), _IDAT, _IEND)
    assert _peak_of_refusal(wide, PngDecoder(rgb="panoptic", max_pixels=2**62), "cannot hold") < 100_000


def test_a_stream_that_expands_beyond_the_header_is_cut_off() -> None:
    PngDecoder().decode(_FILE, "")
    bomb = _with_stream(zlib.compress(bytes(50_000_000), 9))
    assert _peak_of_refusal(bomb, PngDecoder(), "must have 45 bytes, got more") < 300_000


def test_max_pixels_is_the_largest_size_that_is_read() -> None:
    assert PngDecoder(max_pixels=40).decode(_FILE, "").shape == (5, 8)
    with pytest.raises(InputError, match="at most 39 pixels, got 8 x 5; raise max_pixels") as caught:
        PngDecoder(max_pixels=39).decode(_FILE, "")
    assert caught.value.problems[0].code is Code.TOO_LARGE


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("jpeg_renamed_love.png", Code.NOT_PNG, "got a JPEG with this name"),
        ("tv_heapbof_7bytes.png", Code.DAMAGED, "signature must be"),
        ("tv_sigsegv.png", Code.UNSUPPORTED, "alpha"),
        ("zero_bytes.png", Code.NOT_PNG, "empty file"),
    ],
)
def test_real_damaged_files(name: str, code: Code, message: str) -> None:
    data = corpus_path("masks", "bad", name).read_bytes()
    with pytest.raises(InputError, match=message) as caught:
        PngDecoder().decode(data, name)
    assert caught.value.problems[0].code is code


def _resealed(data: bytes) -> bytes:
    """Give a file with its chunks' CRCs put right, as far as its chunks can be walked."""
    out = bytearray(data)
    at = 8
    while at + 12 <= len(out):
        (length,) = struct.unpack_from(">I", out, at)
        if at + 12 + length > len(out):
            break
        struct.pack_into(">I", out, at + 8 + length, zlib.crc32(out[at + 4 : at + 8 + length]))
        at += 12 + length
    return bytes(out)


def _encoded(depth: int, colour: int, interlaced: bool, level: int) -> bytes:
    image = _IMAGE % (1 << min(depth, 6))
    return naive_png.encode(image, depth, colour, kinds=(4, 2, 1, 3), interlaced=interlaced, level=level)


def _mutate(rng: np.random.Generator, n: int) -> None:
    """Change bytes at random, half of the times with CRCs put right: an InputError or an image, nothing else."""
    seeds = [
        _encoded(depth, colour, interlaced, level)
        for depth, colour in ((1, 3), (4, 0), (8, 0), (8, 3), (16, 0))
        for interlaced in (False, True)
        for level in (0, 6)
    ]
    decoder = PngDecoder(rgb="panoptic", max_pixels=2**20)
    n_images = 0
    for _ in range(n):
        data = bytearray(seeds[rng.integers(len(seeds))])
        for at in rng.integers(8, len(data), rng.integers(1, 4)):
            data[at] = rng.integers(256)
        if rng.random() < 0.1:
            del data[rng.integers(8, len(data)) :]
        file = bytes(data) if rng.random() < 0.5 else _resealed(bytes(data))
        try:
            image = decoder.decode(file, "x")
        except InputError:
            continue
        n_images += 1
        with Image.open(io.BytesIO(file)) as opened:
            assert opened.size == image.shape[::-1]
    assert n_images, "no change left a readable file, so nothing was decoded"


def test_changed_bytes_give_an_error_or_an_image() -> None:
    _mutate(np.random.default_rng(0), 3_000)


@pytest.mark.slow
def test_changed_bytes_give_an_error_or_an_image_at_length() -> None:
    _mutate(np.random.default_rng(1), 300_000)
