"""Streams unpacked by the engine against zlib, in memory that ends where the arrays end."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

from predarrow_engine import inflate, png, png_stream
from tests import naive_png
from tests.guarded import guarded

pytestmark = pytest.mark.skipif(
    bool(numba.config.DISABLE_JIT),  # type: ignore[attr-defined]  # set when Numba is imported
    reason="LLVM code has no Python form",
)

_DECODE: dict[int, Any] = {1: png_stream.decode_1, 2: png_stream.decode_2, 3: png_stream.decode_3}
_CANARY = 0xA5
_LEAST_WINDOW = inflate.WINDOW + inflate.SPARE + png.MARGIN + 1


def _decoded(
    stream: bytes, row_bytes: int, n_rows: int, width: int = 1, window: int | None = None
) -> tuple[int, bytes]:
    """Run the kernel in guarded memory, the stream's spare bytes being garbage; give its code and the rows."""
    data = guarded(np.frombuffer(stream + b"\xff" * png_stream.SPARE_IN, np.uint8))
    data.flags.writeable = False
    size = window if window is not None else png_stream.window_bytes(row_bytes, n_rows)
    memory = guarded(np.full(max(size, row_bytes + _LEAST_WINDOW), _CANARY, np.uint8))
    origin = row_bytes + 7
    image = guarded(np.full(origin + n_rows * row_bytes + png.MARGIN, _CANARY, np.uint8))
    code = _DECODE[width](data, 0, len(stream), memory, image, origin, row_bytes, n_rows)
    assert (image[:7] == _CANARY).all()
    return code, image[origin : origin + n_rows * row_bytes].tobytes()


def _raw_rows(content: str, row_bytes: int, n_rows: int, seed: int) -> bytes:
    """Give rows with a filter byte 0 each."""
    rng = np.random.default_rng(seed)
    n = row_bytes * n_rows
    flat: npt.NDArray[Any]
    if content == "noise":
        flat = rng.integers(0, 256, n)
    elif content == "areas":
        flat = rng.integers(0, 9, n // 40 + 1).repeat(40)[:n]
    elif content == "periods":  # every distance from 1 to 70
        pieces = [np.resize(rng.integers(0, 256, k), 7 * k + 40) for k in range(1, 71)]
        flat = np.resize(np.concatenate(pieces), n)
    else:  # one value is twice as frequent as the next, so codes have up to 15 bits
        flat = np.minimum(rng.geometric(0.5, n), 255) * 7 % 256
    raw = np.zeros((n_rows, 1 + row_bytes), np.uint8)
    raw[:, 1:] = flat.reshape(n_rows, row_bytes)
    return raw.tobytes()


def _plain_rows(raw: bytes, row_bytes: int) -> bytes:
    return np.frombuffer(raw, np.uint8).reshape(-1, 1 + row_bytes)[:, 1:].tobytes()


_STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED)


@pytest.mark.parametrize("content", ["noise", "areas", "periods", "skewed"])
@pytest.mark.parametrize("strategy", _STRATEGIES)
def test_every_kind_of_block(content: str, strategy: int) -> None:
    raw = _raw_rows(content, 499, 500, strategy)  # 250,000 bytes: several windows of the least size
    for level in (0, 1, 6, 9):
        compressor = zlib.compressobj(level, zlib.DEFLATED, 15, 9, strategy)
        stream = compressor.compress(raw) + compressor.flush()
        for window in (_LEAST_WINDOW, None):
            code, rows = _decoded(stream, 499, 500, window=window)
            assert code == png.DONE
            assert rows == _plain_rows(raw, 499)


@pytest.mark.parametrize("bits", range(9, 16))
def test_windows_and_flushes(bits: int) -> None:
    raw = _raw_rows("areas", 130, 900, bits)
    compressor = zlib.compressobj(6, zlib.DEFLATED, bits, 1)
    stream = b""
    for k, at in enumerate(range(0, len(raw), 5000)):  # blocks of every size, empty ones among them
        stream += compressor.compress(raw[at : at + 5000])
        stream += compressor.flush((zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_BLOCK)[k % 3])
    stream += compressor.flush()
    code, rows = _decoded(stream, 130, 900)
    assert code == png.DONE
    assert rows == _plain_rows(raw, 130)


def test_a_match_reaches_back_over_the_whole_window() -> None:
    noise = np.random.default_rng(0).integers(0, 256, 32768 - 262, dtype=np.uint8).tobytes()  # zlib's farthest match
    raw = b"\0" + noise * 9
    stream = zlib.compress(raw, 9)
    assert len(stream) < 2 * len(noise)
    code, rows = _decoded(stream, len(raw) - 1, 1)
    assert code == png.DONE
    assert rows == raw[1:]
    row_bytes = 22
    raw = b"".join(b"\0" + bytes([k % 256] * row_bytes) for k in range(9)) + bytes(9 * 10_000)
    raw = raw[: len(raw) // 23 * 23]
    code, rows = _decoded(zlib.compress(raw), 22, len(raw) // 23, window=_LEAST_WINDOW)
    assert code == png.DONE


def _stored(content: bytes, is_last: bool = False) -> bytes:
    return struct.pack("<BHH", is_last, len(content), len(content) ^ 0xFFFF) + content


def _fixed_block(literals: bytes, distance: int) -> bytes:
    """Give a block of literals below 144 and a match of 258 bytes, then an empty block, which ends at a whole byte."""
    code = sum(distance > 1 << k for k in range(1, 15)) * 2  # of the first distance of a pair
    extra = max(0, code // 2 - 1)
    least = distance if code < 4 else (1 << extra + 1) + 1
    if code < 4:
        code = distance - 1
    elif distance - least >= 1 << extra:
        code, least = code + 1, least + (1 << extra)
    bits = "010" + "".join(f"{48 + value:08b}" for value in literals) + f"{0b11000000 + 5:08b}{code:05b}"
    bits += f"{distance - least:0{extra}b}"[::-1] if extra else ""
    bits += "0000000" + "000"
    bits += "0" * (-len(bits) % 8)
    return int(bits[::-1], 2).to_bytes(len(bits) // 8, "little") + b"\0\0\xff\xff"


def test_a_match_at_the_end_of_the_window_stays_inside() -> None:
    noise = np.random.default_rng(0).integers(0, 5, 2 * _LEAST_WINDOW, dtype=np.uint8).tobytes()  # filters anywhere
    window = _LEAST_WINDOW + 99
    limit = window - inflate.SPARE
    for distance in (*range(1, 70), 126, 127, 128, 200, 300, 5000):
        for n_before, n_literals in ((limit - 1, 0), (limit, 0), (limit, 1), (limit, 3), (limit, 4), (limit - 4, 5)):
            deflated = _stored(noise[:n_before]) + _fixed_block(noise[:n_literals], distance)
            n_behind = -(n_before + n_literals + 258) % 100
            deflated += _stored(noise[:n_behind], is_last=True)
            raw = zlib.decompress(deflated, -15)
            assert len(raw) % 100 == 0
            stream = b"\x78\x01" + deflated + struct.pack(">I", zlib.adler32(raw))
            assert _decoded(stream, 99, len(raw) // 100, window=window)[0] == png.DONE, f"distance {distance}"


@pytest.mark.parametrize("n_bytes", [2, 3, 1023, 1024, 1025, 1026, 2047, 2048, 2049, 70_001])
@pytest.mark.parametrize("value", [0, 255])
def test_the_checksum_of_any_length(n_bytes: int, value: int) -> None:
    raw = b"\0" + bytes([value]) * (n_bytes - 1)
    stream = zlib.compress(raw)
    assert _decoded(stream, n_bytes - 1, 1) == (png.DONE, raw[1:])
    for k in range(1, 5):
        wrong = stream[:-k] + bytes([stream[-k] ^ 1]) + stream[len(stream) - k + 1 :]
        assert _decoded(wrong, n_bytes - 1, 1)[0] == png_stream.REFUSED


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("kinds", [(0,), (1,), (2,), (3,), (4,), (4, 2, 1, 3, 0)])
def test_rows_are_unfiltered_across_windows(width: int, kinds: tuple[int, ...]) -> None:
    rng = np.random.default_rng(width)
    rows = [np.repeat(rng.integers(0, 256, 25 * width), 21).astype(np.uint8).tobytes() for _ in range(100)]
    row_bytes = len(rows[0])
    stream = zlib.compress(naive_png.filter_rows(rows, kinds, width))
    code, rebuilt = _decoded(stream, row_bytes, 100, width, window=row_bytes + _LEAST_WINDOW)
    assert code == png.DONE
    expected = b"".join(rows)
    assert rebuilt == (np.frombuffer(expected, ">u2").astype("<u2").tobytes() if width == 2 else expected)


def test_what_is_not_the_whole_stream_is_refused() -> None:
    raw = _raw_rows("areas", 99, 50, 0)
    stream = zlib.compress(raw)
    assert _decoded(stream, 99, 50)[0] == png.DONE
    for n_rows in (49, 51):
        assert _decoded(stream, 99, n_rows)[0] == png_stream.REFUSED
    assert _decoded(stream + b"\0", 99, 50)[0] == png_stream.REFUSED
    for n in range(len(stream)):
        assert _decoded(stream[:n], 99, 50)[0] == png_stream.REFUSED, f"{n} bytes"
    for kind in (5, 255):
        filtered = bytearray(raw)
        filtered[30 * 100] = kind
        assert _decoded(zlib.compress(bytes(filtered)), 99, 50)[0] == png_stream.REFUSED


def test_a_bomb_stops_at_the_promised_size() -> None:
    assert _decoded(zlib.compress(bytes(20_000_000)), 99, 50)[0] == png_stream.REFUSED


@pytest.mark.parametrize("first", range(256))
def test_headers_are_those_that_zlib_takes(first: int) -> None:
    body = zlib.compress(bytes(12))[2:]
    for second in (0x01, 0x20, 0x5E, 0x9C, 0xDA, 31 - first * 256 % 31):
        stream = bytes([first, second]) + body
        code, _ = _decoded(stream, 11, 1)
        try:
            zlib.decompress(stream)
            assert code == png.DONE
        except zlib.error:
            assert code == png_stream.REFUSED


def test_arrays_that_are_too_small_are_left_alone() -> None:
    raw = _raw_rows("areas", 10, 10, 0)
    stream = np.frombuffer(zlib.compress(raw) + bytes(png_stream.SPARE_IN), np.uint8)
    stop = stream.size - png_stream.SPARE_IN
    window, enough = _LEAST_WINDOW, 10 + 100 + png.MARGIN
    good = (0, stop, window, enough, 10, 10, 10)

    def run(*sizes: int) -> int:
        memory = np.full(sizes[2], _CANARY, np.uint8)
        image = np.full(sizes[3], _CANARY, np.uint8)
        code: int = png_stream.decode_1(stream, *sizes[:2], memory, image, *sizes[4:])
        if code == png.UNFIT:
            assert (image == _CANARY).all()
            assert (memory == _CANARY).all()
        return code

    assert run(*good) == png.DONE
    for k, wrong in enumerate((-1, stop + 1, window - 1, enough - 1, 9, 0, -1)):
        assert run(*good[:k], wrong, *good[k + 1 :]) == png.UNFIT, f"argument {k}"
    assert run(stop, stop - 1, *good[2:]) == png.UNFIT
    image = np.zeros(enough, np.uint8)
    assert png_stream.decode_3(stream, 0, stop, np.zeros(window, np.uint8), image, 10, 10, 10) == png.UNFIT


def _expected(deflated: bytes) -> bytes | None:
    """Give what zlib makes of a deflate stream that is all there, None where it is damaged."""
    inflater = zlib.decompressobj(-15)
    try:
        out = inflater.decompress(deflated, 1 << 20)
    except zlib.error:
        return None
    return out if inflater.eof and not inflater.unused_data else None


def _compare_changed(n: int, seed: int) -> None:
    """Change streams, put the checksum right, and hold the verdict and the bytes against zlib's."""
    rng = np.random.default_rng(seed)
    seeds = []
    for content in ("noise", "areas", "periods", "skewed"):
        for strategy in _STRATEGIES:
            compressor = zlib.compressobj(int(rng.integers(0, 10)), zlib.DEFLATED, -15, 9, strategy)
            raw = _raw_rows(content, int(rng.integers(30, 2000)), 1, strategy)
            seeds.append(compressor.compress(raw) + compressor.flush())
    n_taken = n_refused = 0
    for _ in range(n):
        deflated = bytearray(seeds[rng.integers(len(seeds))])
        head = min(len(deflated), 60 if rng.random() < 0.7 else 1 << 20)  # the codes stand at the beginning
        for at in rng.integers(0, head, rng.integers(1, 4)):
            deflated[at] ^= 1 << rng.integers(8)
        out = _expected(bytes(deflated))
        if out is None or len(out) < 2:
            code, _ = _decoded(b"\x78\x9c" + bytes(deflated) + b"\0\0\0\1", 64, 1)
            assert code == png_stream.REFUSED
            n_refused += 1
            continue
        stream = b"\x78\x9c" + bytes(deflated) + struct.pack(">I", zlib.adler32(out))
        code, rows = _decoded(stream, len(out) - 1, 1)
        if out[0] > 4:
            assert code == png_stream.REFUSED
            continue
        assert code == png.DONE
        assert rows == bytes(naive_png.unfilter(out, len(out) - 1, 1, 1)[0])
        n_taken += 1
    assert min(n_taken, n_refused) > n // 50


def test_changed_streams_are_taken_or_refused_as_by_zlib() -> None:
    _compare_changed(4_000, 0)


@pytest.mark.slow
def test_changed_streams_are_taken_or_refused_as_by_zlib_at_length() -> None:
    _compare_changed(400_000, 1)
