"""Alpha of PNG files: what is opaque in an image, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from predarrow.formats.png_chunks import (
    GREY,
    GREY_ALPHA,
    MAX_PIXELS,
    PALETTE,
    RGB_ALPHA,
    check_promise,
    check_size,
    inflate,
    read_header,
    read_stream,
    refuse,
)
from predarrow.report import Code

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_CHANNELS = {GREY_ALPHA: 2, RGB_ALPHA: 4}
_FIRST_CHUNK = 33  # behind the header


def read_alpha(data: bytes, source: str, *, max_pixels: int = MAX_PIXELS) -> npt.NDArray[Any]:
    """Give the alpha of a PNG file, (height, width) uint8, or uint16 where it has 16 bits.

    Args:
        data: the file. Grey or RGB with alpha, a palette with transparent colours, or grey with a transparent one.
        source: the file's name, for errors.
        max_pixels: larger images are refused before memory is taken for them.

    Raises:
        InputError: damaged, too large, without alpha, or interlaced with alpha.
    """
    import numpy as np

    header = read_header(data, source)
    check_size(header, max_pixels, source)
    if header.colour_type == PALETTE:
        return _of_palette(data, source, max_pixels)
    if header.colour_type == GREY and _transparency(data):
        return _of_grey(data, source, max_pixels)
    if header.colour_type not in _CHANNELS:
        refuse(source, "byte 25", Code.UNSUPPORTED, "must have an alpha channel, or transparent colours, got neither")
    if header.interlaced:
        refuse(source, "byte 28", Code.UNSUPPORTED, "must not be interlaced where it has alpha, got Adam7")
    stream = read_stream(data, header, source)
    check_promise(header, stream, source)
    rows = np.frombuffer(inflate(stream, header, source), np.uint8).reshape(header.height, -1)
    n_bytes = header.bit_depth // 8
    alpha = np.empty((header.height, header.width * n_bytes), np.uint8)

    from predarrow_engine.png_alpha import DONE, unfilter_alpha

    row = unfilter_alpha(rows, alpha, n_bytes * _CHANNELS[header.colour_type])
    if row != DONE:
        refuse(source, f"row {row}", Code.DAMAGED, f"a row's filter must be 0 to 4, got {rows[row, 0]}")
    return alpha if n_bytes == 1 else alpha.view(">u2").astype(np.uint16)


def _of_palette(data: bytes, source: str, max_pixels: int) -> npt.NDArray[np.uint8]:
    import numpy as np

    from predarrow.formats.png import PngDecoder

    indices = PngDecoder(max_pixels=max_pixels).decode(data, source)
    alphas = np.full(256, 255, np.uint8)
    told = _transparency(data)
    if not told:
        refuse(source, "byte 25", Code.UNSUPPORTED, "must have transparent colours (a chunk tRNS), got none")
    alphas[: len(told)] = np.frombuffer(told, np.uint8)[:256]
    found: npt.NDArray[np.uint8] = alphas[indices]
    return found


def _of_grey(data: bytes, source: str, max_pixels: int) -> npt.NDArray[np.uint8]:
    import numpy as np

    from predarrow.formats.png import PngDecoder

    values = PngDecoder(max_pixels=max_pixels).decode(data, source)
    found: npt.NDArray[np.uint8] = np.where(values == int.from_bytes(_transparency(data)[:2], "big"), 0, 255)
    return found.astype(np.uint8)


def _transparency(data: bytes) -> bytes:
    """Give the content of chunk tRNS of a file whose chunks were checked."""
    at = _FIRST_CHUNK
    while data[at + 4 : at + 8] not in (b"IEND", b"tRNS", b""):
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    is_found = data[at + 4 : at + 8] == b"tRNS"
    return data[at + 8 : at + 8 + int.from_bytes(data[at : at + 4], "big")][:256] if is_found else b""
