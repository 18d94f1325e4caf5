"""PNG by the letter of its specification, byte by byte: the slow twin of the decoder, and an encoder."""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

SIGNATURE = b"\x89PNG\r\n\x1a\n"
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(name: bytes, content: bytes = b"") -> bytes:
    """Give a chunk with its length and CRC."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def header(
    width: int, height: int, depth: int = 8, colour: int = 0, methods: tuple[int, int, int] = (0, 0, 0)
) -> bytes:
    """Give the chunk IHDR; methods are compression, filter, interlace."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, *methods))


def predict(kind: int, a: int, b: int, c: int) -> int:
    """Give a filter's prediction from left, above, above left."""
    if kind == 4:
        p = a + b - c
        return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
    return (0, a, b, (a + b) // 2)[kind]


def unfilter(raw: bytes, row_bytes: int, n_rows: int, distance: int) -> list[bytearray]:
    """Rebuild rows; distance is the bytes from a pixel to the next, at least 1."""
    above = bytearray(row_bytes)
    rows = []
    for y in range(n_rows):
        line = raw[y * (row_bytes + 1) : (y + 1) * (row_bytes + 1)]
        row = bytearray(row_bytes)
        for i in range(row_bytes):
            a, c = (row[i - distance], above[i - distance]) if i >= distance else (0, 0)
            row[i] = (line[1 + i] + predict(line[0], a, above[i], c)) % 256
        rows.append(row)
        above = row
    return rows


def filter_rows(rows: Sequence[bytes | bytearray], kinds: Iterable[int], distance: int) -> bytes:
    """Give filtered rows, each with the filter that `kinds` names (repeated from the start at its end)."""
    above = bytes(len(rows[0])) if rows else b""
    out = bytearray()
    for row, kind in zip(rows, itertools.cycle(kinds), strict=False):
        out.append(kind)
        for i in range(len(row)):
            a, c = (row[i - distance], above[i - distance]) if i >= distance else (0, 0)
            out.append((row[i] - predict(kind, a, above[i], c)) % 256)
        above = bytes(row)
    return bytes(out)


def _unpack(row: bytes | bytearray, width: int, depth: int, channels: int) -> list[int]:
    bits = "".join(f"{byte:08b}" for byte in row)
    return [int(bits[i * depth : (i + 1) * depth], 2) for i in range(width * channels)]


def _pack(samples: Sequence[int], depth: int) -> bytes:
    bits = "".join(f"{sample:0{depth}b}" for sample in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def _passes(width: int, height: int, interlaced: bool) -> list[tuple[int, int, int, int]]:
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    return [(x, y, dx, dy) for x, y, dx, dy in passes if x < width and y < height]


def decode(data: bytes) -> npt.NDArray[Any]:
    """Give the stored samples of an undamaged PNG file: (height, width) or (height, width, channels)."""
    width, height, depth, colour, _, _, interlace = struct.unpack_from(">IIBBBBB", data, 16)
    at = 8
    stream = b""
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IDAT":
            stream += data[at + 8 : at + 8 + length]
        at += 12 + length
    raw = zlib.decompress(stream)
    channels = CHANNELS[colour]
    image = np.zeros((height, width, channels), np.uint16 if depth == 16 else np.uint8)
    for x, y, dx, dy in _passes(width, height, bool(interlace)):
        columns, n_rows = len(range(x, width, dx)), len(range(y, height, dy))
        row_bytes = (columns * depth * channels + 7) // 8
        rows = unfilter(raw, row_bytes, n_rows, max(1, depth * channels // 8))
        raw = raw[n_rows * (row_bytes + 1) :]
        for r, row in enumerate(rows):
            image[y + r * dy, x::dx] = np.reshape(_unpack(row, columns, depth, channels), (columns, channels))
    return image[:, :, 0] if channels == 1 else image


def filtered(image: npt.NDArray[Any], depth: int, kinds: Iterable[int] = (0,), interlaced: bool = False) -> bytes:
    """Give the filtered rows of samples, (height, width) or (height, width, channels), of all passes."""
    height, width = image.shape[:2]
    channels = image.size // (height * width)
    out = b""
    for x, y, dx, dy in _passes(width, height, interlaced):
        rows = [_pack([int(s) for s in row.reshape(-1)], depth) for row in image[y::dy, x::dx]]
        out += filter_rows(rows, kinds, max(1, depth * channels // 8))
    return out


def encode(
    image: npt.NDArray[Any],
    depth: int = 8,
    colour: int = 0,
    *,
    kinds: Iterable[int] = (0,),
    interlaced: bool = False,
    before: bytes = b"",
    n_idat: int = 1,
    level: int = 6,
) -> bytes:
    """Give samples as a PNG file.

    Args:
        image: (height, width) or (height, width, channels) samples.
        depth, colour: bits a sample and colour type; a palette image gets 256 colours.
        kinds: filters of the rows, repeated.
        interlaced: by Adam7.
        before: further chunks before the image data.
        n_idat: how many chunks the stream is cut into.
        level: zlib's.
    """
    height, width = image.shape[:2]
    stream = zlib.compress(filtered(image, depth, kinds, interlaced), level)
    cuts = [len(stream) * i // n_idat for i in range(n_idat + 1)]
    idat = b"".join(chunk(b"IDAT", stream[a:b]) for a, b in itertools.pairwise(cuts))
    palette = chunk(b"PLTE", bytes(range(256)) * 3) if colour == 3 else b""
    ihdr = header(width, height, depth, colour, (0, 0, int(interlaced)))
    return SIGNATURE + ihdr + palette + before + idat + chunk(b"IEND")
