"""RGB and grey images, and masks, as PNG files."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREYSCALE, _TRUECOLOUR, _INDEXED = 0, 2, 3
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


def mask_png(mask: npt.NDArray[np.uint8]) -> bytes:
    """Give a mask as a PNG file of one bit a pixel, black inside and transparent outside, as `rgb_png` does.

    Args:
        mask: (height, width) 0 outside.

    Source: PNG specification, third edition, sections 11.2.2 and 11.3.1.1.
    """
    palette = _chunk(b"PLTE", bytes(6)) + _chunk(b"tRNS", b"\x00\xff")
    return _png(np.packbits(mask, axis=1), mask.shape[1], _INDEXED, 1, palette)


def _png(rows: npt.NDArray[np.uint8], width: int, colour_type: int, depth: int = 8, palette: bytes = b"") -> bytes:
    height, n_bytes = rows.shape
    filtered = np.empty((height, 1 + n_bytes), np.uint8)
    filtered[:, 0] = _UP
    filtered[:1, 1:] = rows[:1]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    data = zlib.compress(filtered.tobytes(), _LEVEL)
    return b"".join([_SIGNATURE, _chunk(b"IHDR", header), palette, _chunk(b"IDAT", data), _chunk(b"IEND", b"")])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
