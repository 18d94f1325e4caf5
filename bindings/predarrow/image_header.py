"""Width and height of an image from its header, without decoding it: PNG, JPEG, GIF, BMP, WebP, TIFF.

Sizes are those that are stored: an orientation in the EXIF data is not applied. Formats: PNG (W3C, third
edition, 11.2.1), JPEG (ITU-T T.81, B.2), GIF 89a (18), BMP (BITMAPCOREHEADER, BITMAPINFOHEADER), WebP
(RFC 9649, 2), TIFF 6.0 (2) and BigTIFF.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from predarrow.errors import InputError
from predarrow.report import Code, Problem

_HEAD = 32  # bytes: enough for every signature, and for the size in all formats but JPEG and TIFF
_WIDTH_TAG, _HEIGHT_TAG = 256, 257
_TIFF_TYPES = {3: "H", 4: "I", 16: "Q"}  # SHORT, LONG, LONG8

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)
_OTHERS = (
    (b"version https://git-lfs", "Git LFS pointer (the file itself was not fetched)"),
    (b"%PDF", "PDF"),
    (b"PK\3\4", "ZIP archive"),
    (b"\x1f\x8b", "gzip file"),
    (b"\x93NUMPY", "NumPy array (.npy)"),
    (b"\x89HDF", "HDF5 file"),
    (b"PAR1", "Parquet file"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"<svg", "SVG"),
    (b"<!DOCTYPE", "HTML page"),
    (b"<html", "HTML page"),
    (b"<?xml", "XML file"),
)


class _Unreadable(Exception):
    """Why a header does not say the size; becomes an InputError that names the file."""


def sniff(head: bytes) -> str | None:
    """Give the name of the format that a file's first bytes (32 are enough) belong to, None where unknown."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp" and head[8:11] in (b"avi", b"hei", b"mif", b"hev"):
        return "AVIF or HEIC"
    known = (name for signature, name in _SIGNATURES + _OTHERS if head.startswith(signature))
    return next(known, None)


def read_image_size(path: str | Path) -> tuple[int, int]:
    """Give (width, height) in pixels of a PNG, JPEG, GIF, BMP, WebP or TIFF file; only its header is read.

    Raises:
        InputError: the file cannot be opened, is none of these formats, or its header breaks off.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(_HEAD)
            kind = sniff(head)
            reader = _READERS.get(kind or "")
            if reader is None:
                raise _Unreadable(f"must be {', '.join(_READERS)}, got {kind or _described(head)}")
            size = reader(file, head)
            if min(size) <= 0:
                raise _Unreadable(f"{kind} header: width and height must be positive, got {size[0]} x {size[1]}")
            return size
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError([Problem(str(path), None, "", Code.UNREADABLE, f"cannot be read: {reason}")]) from error
    except _Unreadable as error:
        raise InputError([Problem(str(path), None, "", Code.UNSUPPORTED, str(error))]) from error
    except struct.error as error:
        raise InputError([Problem(str(path), None, "", Code.DAMAGED, "the image's header breaks off")]) from error


def _described(head: bytes) -> str:
    return f"bytes {head[:8].hex(' ')}" if head else "an empty file"


def _png(file: BinaryIO, head: bytes) -> tuple[int, int]:
    if head[12:16] != b"IHDR":
        raise _Unreadable(f"PNG must begin with the chunk IHDR, got {head[12:16]!r}")
    width, height = struct.unpack_from(">II", head, 16)
    return width, height


def _gif(file: BinaryIO, head: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", head, 6)
    return width, height


def _bmp(file: BinaryIO, head: bytes) -> tuple[int, int]:
    (header_bytes,) = struct.unpack_from("<I", head, 14)
    if header_bytes == 12:
        width, height = struct.unpack_from("<HH", head, 18)
        return width, height
    width, height = struct.unpack_from("<ii", head, 18)
    return width, abs(height)  # a negative height says that rows go from top to bottom


def _webp(file: BinaryIO, head: bytes) -> tuple[int, int]:
    chunk = head[12:16]
    if chunk == b"VP8 ":
        if head[23:26] != b"\x9d\x01\x2a":
            raise _Unreadable("WebP: the lossy image must begin with a key frame")
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    if chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8X":
        low_width, high_width, low_height, high_height = struct.unpack_from("<HBHB", head, 24)
        return (low_width | high_width << 16) + 1, (low_height | high_height << 16) + 1
    raise _Unreadable(f"WebP must begin with a chunk VP8, VP8L or VP8X, got {chunk!r}")


def _jpeg(file: BinaryIO, head: bytes) -> tuple[int, int]:
    """Walk the segments up to the frame header, which may lie behind a thumbnail of many kilobytes."""
    file.seek(2)
    while True:
        (prefix, marker) = struct.unpack(">BB", file.read(2))
        if prefix != 0xFF:
            raise _Unreadable(f"JPEG: a marker must begin with 0xff, got 0x{prefix:02x} at byte {file.tell() - 2}")
        if marker == 0xFF:  # padding before a marker
            file.seek(-1, 1)
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:  # no length follows
            continue
        elif marker in (0xD9, 0xDA):
            raise _Unreadable("JPEG: no frame header before the image data")
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            _, _, height, width = struct.unpack(">HBHH", file.read(7))
            return width, height
        else:
            (length,) = struct.unpack(">H", file.read(2))
            file.seek(max(length, 2) - 2, 1)


def _tiff(file: BinaryIO, head: bytes) -> tuple[int, int]:
    """Look both tags up in the first directory (the first page)."""
    order = "<" if head[:2] == b"II" else ">"
    big = head[2 if order == "<" else 3] == 0x2B
    (directory,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
    if directory > 2**62:
        raise _Unreadable(f"TIFF: no directory at byte {directory}")
    file.seek(directory)
    (n_entries,) = struct.unpack(order + ("Q" if big else "H"), file.read(8 if big else 2))
    entry_bytes = 20 if big else 12
    size = {}
    for _ in range(min(n_entries, 4096)):
        entry = file.read(entry_bytes)
        tag, kind = struct.unpack_from(order + "HH", entry)
        if tag in (_WIDTH_TAG, _HEIGHT_TAG) and kind in _TIFF_TYPES:
            (size[tag],) = struct.unpack_from(order + _TIFF_TYPES[kind], entry, entry_bytes - (8 if big else 4))
    if len(size) < 2:
        raise _Unreadable("TIFF: the first directory must name ImageWidth and ImageLength")
    return size[_WIDTH_TAG], size[_HEIGHT_TAG]


_READERS: dict[str, Callable[[BinaryIO, bytes], tuple[int, int]]] = {
    "PNG": _png,
    "JPEG": _jpeg,
    "GIF": _gif,
    "BMP": _bmp,
    "WebP": _webp,
    "TIFF": _tiff,
}
