"""PNG's filters undone, 64 bytes at a time.

A filtered row is one filter byte and `row_bytes` residuals. Each byte x is rebuilt from its residual and
three neighbours, all modulo 256 (PNG specification, third edition, section 9):

    c b     b above, a one pixel to the left, c above a
    a x     filters: 0 none, 1 sub (a), 2 up (b), 3 average ((a + b) // 2), 4 Paeth (that of a, b, c that is
            nearest to a + b - c, the first of them at a tie); what lies outside of the image is 0

The idea. A decoder that goes byte by byte waits for x before it can start with the next byte, 5 ms for a
1024 x 2048 mask. But a label mask is made of areas, so nearly all residuals are 0, and then the Paeth filter
says one of two things over whole stretches:

    a == c  the prediction is b, so x = b, and a == c holds at the next pixel too: the row above is copied
            up to the first residual that is not 0;
    b == c  the prediction is a: a is repeated up to the first residual that is not 0 or the first pixel
            where the row above changes.

Both are done 64 bytes at a time. "Sub" is a prefix sum and "up" an addition of vectors. "Average" stays a
loop: encoders hardly choose it for masks (20 of 16,022 rows in a collection of real ones).

Safety. Vector functions take raw addresses. A block is read from the residuals only where 64 bytes are left
in `raw`, else byte by byte. Blocks written may run over the end of a row by up to 63 bytes into the next one,
which is written later, or into the `MARGIN` that `image` must have behind its last row. Values of more than
one byte are written for a little-endian machine.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine import _simd_png as simd
from predarrow_engine._jit import inline, kernel

MARGIN = simd.BLOCK
"""Bytes that `image` must have behind the last row."""

DONE = -1
"""All rows, or all pixels, are in place."""
UNFIT = -2
"""The arrays are too small for what was asked for; nothing was written."""

_BLOCK = simd.BLOCK

_NONE, _SUB, _UP, _AVERAGE, _PAETH = range(5)


@inline
def _pixel(address: int, width: int) -> int:
    pixel: int = simd.load_u8(address)
    if width > 1:
        pixel |= simd.load_u8(address + 1) << 8
    if width > 2:
        pixel |= simd.load_u8(address + 2) << 16
    return pixel


@inline
def _residual(address: int, width: int) -> int:
    if width == 2:
        pair: int = simd.load_u8(address) << 8 | simd.load_u8(address + 1)
        return pair
    return _pixel(address, width)


@inline
def _put(address: int, pixel: int, width: int) -> None:
    simd.store_u8(address, pixel)
    if width > 1:
        simd.store_u8(address + 1, pixel >> 8)
    if width > 2:
        simd.store_u8(address + 2, pixel >> 16)


@inline
def _fill(target: int, pixel: int, width: int) -> None:
    if width == 1:
        simd.fill_1(target, pixel)
    elif width == 2:
        simd.fill_2(target, pixel)
    else:
        simd.fill_3(target, pixel)


@inline
def _sum_of_bytes(first: int, second: int, width: int) -> int:
    total = (first + second) & 0xFF
    if width > 1:
        total |= ((first >> 8) + (second >> 8) & 0xFF) << 8
    if width > 2:
        total |= ((first >> 16) + (second >> 16) & 0xFF) << 16
    return total


@inline
def _paeth(a: int, b: int, c: int) -> int:
    distance = abs(b - c)
    to_b = abs(a - c)
    to_c = abs(a - c + b - c)
    nearest = b if to_b < distance else a
    return c if to_c < min(distance, to_b) else nearest


@inline
def _paeth_of_bytes(a: int, b: int, c: int, width: int) -> int:
    pixel = _paeth(a & 0xFF, b & 0xFF, c & 0xFF)
    if width > 1:
        pixel |= _paeth(a >> 8 & 0xFF, b >> 8 & 0xFF, c >> 8 & 0xFF) << 8
    if width > 2:
        pixel |= _paeth(a >> 16 & 0xFF, b >> 16 & 0xFF, c >> 16 & 0xFF) << 16
    return pixel


@inline
def _none_row(row: int, raw: int, last: int, row_bytes: int, width: int) -> None:
    i = 0
    while i < row_bytes and raw + i <= last:
        if width == 2:
            simd.copy_swapped(row + i, raw + i)
        else:
            simd.copy(row + i, raw + i)
        i += _BLOCK
    step = 2 if width == 2 else 1  # bytes stand alone here, and i need not be at a pixel of 3
    while i < row_bytes:
        _put(row + i, _residual(raw + i, step), step)
        i += step


@inline
def _sub_row(row: int, raw: int, last: int, row_bytes: int, width: int) -> None:
    left = 0
    i = 0
    while i < row_bytes:
        if raw + i <= last:
            stop = simd.nonzero(raw + i)
            if stop == 0:
                _fill(row + i, left, width)
                i += _BLOCK // width * width
                continue
            if width == 1:
                left = simd.prefix_sum_1(row + i, raw + i, left)
                i += _BLOCK
                continue
            if width == 2:
                left = simd.prefix_sum_2_swapped(row + i, raw + i, left)
                i += _BLOCK
                continue
            _fill(row + i, left, width)
            i += simd.first_set(stop) // width * width
            if i >= row_bytes:
                break
        left = _sum_of_bytes(left, _residual(raw + i, width), width)
        _put(row + i, left, width)
        i += width


@inline
def _up_row(row: int, raw: int, last: int, row_bytes: int, width: int) -> None:
    above = row - row_bytes
    i = 0
    while i < row_bytes and raw + i <= last:
        if width == 2:
            simd.add_swapped(row + i, raw + i, above + i)
        else:
            simd.add(row + i, raw + i, above + i)
        i += _BLOCK
    step = 2 if width == 2 else 1
    while i < row_bytes:
        _put(row + i, _sum_of_bytes(_pixel(above + i, step), _residual(raw + i, step), step), step)
        i += step


@inline
def _average_row(row: int, raw: int, row_bytes: int, width: int) -> None:
    above = row - row_bytes
    for i in range(min(width, row_bytes)):
        at = raw + (i ^ 1 if width == 2 else i)
        simd.store_u8(row + i, simd.load_u8(at) + (simd.load_u8(above + i) >> 1))
    for i in range(width, row_bytes):
        at = raw + (i ^ 1 if width == 2 else i)
        mean = simd.load_u8(row + i - width) + simd.load_u8(above + i) >> 1
        simd.store_u8(row + i, simd.load_u8(at) + mean)


@inline
def _copy_above(row: int, raw: int, last: int, i: int, row_bytes: int, width: int) -> int:
    """Copy the row above up to the first residual; give the place where it ended."""
    above = row - row_bytes
    while i < row_bytes and raw + i <= last:
        simd.copy(row + i, above + i)
        stop = simd.nonzero(raw + i)
        if stop:
            zeros: int = simd.first_set(stop)
            return i + zeros // width * width
        i += _BLOCK // width * width
    return i


@inline
def _repeat(row: int, raw: int, last: int, i: int, row_bytes: int, pixel: int, width: int) -> int:
    """Repeat a pixel up to the first residual or change in the row above; give the place where it ended."""
    above = row - row_bytes
    while i < row_bytes and raw + i <= last:
        _fill(row + i, pixel, width)
        stop = simd.nonzero(raw + i) | simd.differs(above + i, above + i - width)
        if stop:
            zeros: int = simd.first_set(stop)
            return i + zeros // width * width
        i += _BLOCK // width * width
    return i


@inline
def _paeth_row(row: int, raw: int, last: int, row_bytes: int, width: int) -> None:
    above = row - row_bytes
    a = 0
    c = 0
    i = 0
    while i < row_bytes:
        if a == c:
            start = i
            i = _copy_above(row, raw, last, i, row_bytes, width)
            if i >= row_bytes:
                break
            if i > start:
                a = c = _pixel(above + i - width, width)
        elif _pixel(above + i, width) == c:
            i = _repeat(row, raw, last, i, row_bytes, a, width)
            if i >= row_bytes:
                break
        b = _pixel(above + i, width)
        a = _sum_of_bytes(_paeth_of_bytes(a, b, c, width), _residual(raw + i, width), width)
        c = b
        _put(row + i, a, width)
        i += width


@inline
def unfilter_rows(raw: int, last: int, row: int, row_bytes: int, n_rows: int, width: int) -> int:
    """Rebuild rows at addresses; give `DONE`, or the number of the first row whose filter byte is above 4.

    Args:
        raw: address of the first row's filter byte.
        last: last address from which a block may be read.
        row: address of the first row; the row above must stand before it, `MARGIN` bytes behind the last one.
        row_bytes: bytes of a row, without its filter byte.
        n_rows: number of rows.
        width: bytes of a pixel, a constant.
    """
    for y in range(n_rows):
        start = raw + y * (row_bytes + 1)
        kind = simd.load_u8(start)
        if kind == _PAETH:
            _paeth_row(row, start + 1, last, row_bytes, width)
        elif kind == _UP:
            _up_row(row, start + 1, last, row_bytes, width)
        elif kind == _SUB:
            _sub_row(row, start + 1, last, row_bytes, width)
        elif kind == _NONE:
            _none_row(row, start + 1, last, row_bytes, width)
        elif kind == _AVERAGE:
            _average_row(row, start + 1, row_bytes, width)
        else:
            return y
        row += row_bytes
    return DONE


@inline
def address(array: npt.NDArray[np.uint8]) -> int:
    """Give an array's address, signed: an unsigned address and a signed offset make a float."""
    return int(np.int64(array.ctypes.data))


@inline
def fits(image: npt.NDArray[np.uint8], origin: int, row_bytes: int, n_rows: int, width: int) -> bool:
    """Say whether an image has memory for the rows, for the row above them, and for `MARGIN`."""
    if row_bytes < width or row_bytes % width or n_rows < 0:
        return False
    return origin >= row_bytes and origin + n_rows * row_bytes + MARGIN <= image.size


@inline
def _unfilter(
    raw: npt.NDArray[np.uint8],
    image: npt.NDArray[np.uint8],
    origin: int,
    row_bytes: int,
    n_rows: int,
    width: int,
) -> int:
    if not fits(image, origin, row_bytes, n_rows, width) or raw.size < n_rows * (row_bytes + 1):
        return UNFIT
    start = address(raw)
    return unfilter_rows(start, start + raw.size - _BLOCK, address(image) + origin, row_bytes, n_rows, width)


@kernel
def unfilter_1(
    raw: npt.NDArray[np.uint8], image: npt.NDArray[np.uint8], origin: int, row_bytes: int, n_rows: int
) -> int:
    """Rebuild rows whose filters work on single bytes: 8-bit samples, indices, and packed samples.

    Args:
        raw: (n_rows * (row_bytes + 1),) uint8, filtered rows as they come from the inflated stream.
        image: uint8, written from `origin` on, row by row without gaps. The `row_bytes` before `origin` are
            the row above the first one: zeros at the top of an image. `MARGIN` bytes behind the last row
            are overwritten.
        origin: offset in `image` of the first row's first byte.
        row_bytes: bytes of a row, without its filter byte.
        n_rows: number of rows.

    Returns:
        `DONE`, or the number of the first row whose filter byte is above 4 (rows before it are in place).
    """
    return _unfilter(raw, image, origin, row_bytes, n_rows, 1)


@kernel
def unfilter_2(
    raw: npt.NDArray[np.uint8], image: npt.NDArray[np.uint8], origin: int, row_bytes: int, n_rows: int
) -> int:
    """Rebuild rows of 16-bit samples, as `unfilter_1`; in `image` the low byte comes first."""
    return _unfilter(raw, image, origin, row_bytes, n_rows, 2)


@kernel
def unfilter_3(
    raw: npt.NDArray[np.uint8], image: npt.NDArray[np.uint8], origin: int, row_bytes: int, n_rows: int
) -> int:
    """Rebuild rows of 8-bit RGB pixels, as `unfilter_1`."""
    return _unfilter(raw, image, origin, row_bytes, n_rows, 3)
