"""A PNG's compressed stream turned into rows, in one pass through memory that stays in the cache.

The stream is unpacked into a window of some hundred kilobytes. Whenever that is full, its bytes are summed up, its
whole rows are unfiltered into the image, and what later rows and matches need is moved to its start:

    window   | begun row, or 32 KB for matches | unpacked next ... | spare |
             floor                             out                 limit

An inflater that gives all rows of an image at once takes fresh memory for them, for which threads wait for each
other; what was measured stands in `predarrow.formats.png`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine import _simd_png as simd
from predarrow_engine import huffman, inflate
from predarrow_engine._jit import helper, inline, kernel
from predarrow_engine.inflate import Sums
from predarrow_engine.png import DONE, UNFIT, address, fits, unfilter_rows

REFUSED = -3
"""The stream is damaged, holds fewer or more bytes than the rows take, or a filter byte is above 4."""

SPARE_IN = huffman.SPARE
"""Bytes that must be readable behind a stream."""

_USUAL_WINDOW = 1 << 18
_SPARE = inflate.SPARE + simd.BLOCK


class _Window(NamedTuple):
    """What has been done with the unpacked bytes."""

    out: int
    """Address behind the last byte."""
    raw: int
    """Address of the filter byte of the first row that is not in the image."""
    row: int
    """Number of this row."""
    sums: Sums
    n_moved: int
    """Bytes by which everything was moved so far."""


class _Image(NamedTuple):
    start: int
    """Address of the first row."""
    row_bytes: int
    n_rows: int


def window_bytes(row_bytes: int, n_rows: int) -> int:
    """Give the size of the window for an image: at least half of it is free after a move, if one is needed.

    128 KB to 4 MB took the same time within 5 %.
    """
    whole = n_rows * (row_bytes + 1) + _SPARE
    return max(min(whole, _USUAL_WINDOW), 2 * (max(row_bytes + 1, inflate.WINDOW) + _SPARE))


@helper
def _drained(window: _Window, floor: int, last: int, image: _Image, width: int) -> tuple[bool, _Window]:
    """Sum and unfilter what is whole; move the rest to the start of the window. False for a filter above 4."""
    out = window.out
    sums = inflate.summed(window.sums, out)
    line = image.row_bytes + 1
    n_rows = min((out - window.raw) // line, image.n_rows - window.row)
    row = image.start + window.row * image.row_bytes
    is_good = unfilter_rows(window.raw, last, row, image.row_bytes, n_rows, width) == DONE
    raw = window.raw + n_rows * line
    shift = max(0, min(raw, out - inflate.WINDOW) - floor)
    if shift:
        for at in range(floor + shift, out, simd.BLOCK):
            simd.copy(at - shift, at)
    sums = Sums(sums.first, sums.second, sums.at - shift)
    return is_good, _Window(out - shift, raw - shift, window.row + n_rows, sums, window.n_moved + shift)


@inline
def _holds_stream(data: npt.NDArray[np.uint8], start: int, stop: int) -> bool:
    return 0 <= start <= stop <= data.size - SPARE_IN


@inline
def _holds_row(memory: npt.NDArray[np.uint8], row_bytes: int) -> bool:
    return memory.size > max(row_bytes + 1, inflate.WINDOW) + _SPARE


@inline
def _clear(start: int, end: int) -> None:
    for at in range(start, end):
        simd.store_u8(at, 0)


def _decoder(width: int) -> Any:
    """Give the kernel for pixels of `width` bytes.

    Not an inlined function with three callers: each level of inlining is one more compilation of all that is in it.
    """

    def decode(
        data: npt.NDArray[np.uint8],
        start: int,
        stop: int,
        memory: npt.NDArray[np.uint8],
        pixels: npt.NDArray[np.uint8],
        origin: int,
        row_bytes: int,
        n_rows: int,
    ) -> int:
        if not fits(pixels, origin, row_bytes, n_rows, width):
            return UNFIT
        if not _holds_stream(data, start, stop) or not _holds_row(memory, row_bytes):
            return UNFIT
        start += address(data)
        stop += address(data)
        if not inflate.has_zlib_header(start, stop):
            return REFUSED
        image = _Image(address(pixels) + origin, row_bytes, n_rows)
        _clear(image.start - row_bytes, image.start)
        floor = address(memory)
        last = floor + memory.size - simd.BLOCK
        limit = floor + memory.size - inflate.SPARE
        n_bytes = n_rows * (row_bytes + 1)
        stream = inflate.begun(start)
        codes = np.empty(huffman.CODES_SIZE, np.uint32)
        window = _Window(floor, floor, 0, Sums(1, 0, floor), 0)
        out = floor
        is_over = False
        while not is_over:
            if stream.state == inflate.END:
                stream = inflate.opened(stream.bits, stop, codes)
            if stream.state == inflate.FULL:
                stream, out = inflate.unpacked(stream, stop, codes, out, floor, limit)
            if stream.state == inflate.DAMAGED:
                return REFUSED
            is_over = stream.is_last and stream.state == inflate.END
            if is_over or out > limit:
                window = _Window(out, window.raw, window.row, window.sums, window.n_moved)
                is_good, window = _drained(window, floor, last, image, width)
                out = window.out
                if not is_good or window.n_moved + out - floor > n_bytes:
                    return REFUSED
        is_whole = window.n_moved + out - floor == n_bytes
        is_right = inflate.is_checksum(window.sums, out, stream.bits, stop)
        return DONE if is_whole and is_right else REFUSED

    # Kernels of one name share a file of the cache, where two processes that compile them may mix them up.
    decode.__name__ = decode.__qualname__ = f"decode_{width}"
    return kernel(decode)


decode_1 = _decoder(1)
"""(data, start, stop, memory, pixels, origin, row_bytes, n_rows) -> code

Unpack and unfilter the rows of an image that is not interlaced and whose filters work on single bytes (8-bit
samples, indices, packed samples); check all of the stream.

Args:
    data: uint8, with the compressed stream and `SPARE_IN` bytes or more behind it.
    start, stop: the stream's place in `data`.
    memory: uint8, `window_bytes(row_bytes)` or more, overwritten.
    pixels: uint8, written from `origin` on, row by row without gaps. The `row_bytes` before `origin` and the
        `png.MARGIN` bytes behind the last row are overwritten.
    origin: offset in `pixels` of the first row's first byte.
    row_bytes: bytes of a row, without its filter byte.
    n_rows: number of rows.

Returns:
    `DONE`, `REFUSED` (it is for a slower decoder to say why), or `UNFIT`.
"""
decode_2 = _decoder(2)
"""As `decode_1`, for 16-bit samples; in `pixels` the low byte comes first."""
decode_3 = _decoder(3)
"""As `decode_1`, for 8-bit RGB."""
