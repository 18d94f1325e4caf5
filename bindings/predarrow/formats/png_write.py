"""RGB and grey images as PNG files."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREYSCALE, _TRUECOLOUR = 0, 2
_UP = 2
_LEVEL = 6


def rgb_png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Give an image as a PNG file, rows filtered by "up": what flat areas are best kept by.

    Args:
        pixels: (height, width, 3) red, green and blue.

    Source: PNG specification, third edition, sections 5, 9.2 and 11.2.1.
    """
    height, width, _ = pixels.shape
    return _png(pixels.reshape(height, 3 * width), width, _TRUECOLOUR)


def grey_png(pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> bytes:
    """Give an image of one channel as a PNG file of 8 or 16 bits, as `rgb_png` does.

    Args:
        pixels: (height, width) grey levels.
    """
    depth = 8 * pixels.itemsize
    rows = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">")).view(np.uint8)
    return _png(rows, pixels.shape[1], _GREYSCALE, depth)


def _png(rows: npt.NDArray[np.uint8], width: int, colour_type: int, depth: int = 8) -> bytes:
    height, n_bytes = rows.shape
    filtered = np.empty((height, 1 + n_bytes), np.uint8)
    filtered[:, 0] = _UP
    filtered[:1, 1:] = rows[:1]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    data = zlib.compress(filtered.tobytes(), _LEVEL)
    return b"".join([_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", data), _chunk(b"IEND", b"")])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
