"""COCO's compressed run lengths <-> the run lengths of Label Studio's brush, many masks at once.

A brush's list of bytes is one stream of bits, the highest bit of each byte first:

    32 bits  num: values in all = height * width * 4       5 bits  bits of a value - 1: 7
    4 x 4 bits  the four sizes of a length - 1: 2, 3, 7, 15, so 3, 4, 8 and 16 bits
    then chunks until there are num values:
        1 bit  repeat      2 bits  which of the sizes      so many bits  length - 1
        repeat = 1: one value, length times                repeat = 0: length values

and zeros up to the next byte. A value is a byte of a pixel's red, green, blue and alpha, pixels row by row; the editor
shows alpha. So a run of L pixels is a run of 4 L equal values:

    .##  height 1, width 3      num = 12 | 7 | 2 3 7 15 | 1 0 4-1 value 0 | 1 0 8-1 value 255 | zeros
                                0 0 0 12  57 27 252  96 19  255 128

COCO counts down the columns, so runs are turned from columns to rows and back (`rle_rows`); no pixel is painted.

Source: `encode_rle` of label-studio-sdk's converter, `decode` of @thi.ng/rle-pack (K. Schmidt), which the editor has.
Slow twin: tests/naive_brush.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine.brush_read import Chunks, read_chunks
from predarrow_engine.brush_write import write_brushes
from predarrow_engine.rle_rows import to_columns, to_rows
from predarrow_engine.rle_text import fixed, from_strings, to_strings

PIXEL_LIMIT = 2**30 - 1
"""Pixels of the largest mask: a brush counts four values a pixel in 32 bits."""


class Brushes(NamedTuple):
    """Brushes of n masks, and what was wrong with the masks."""

    values: npt.NDArray[np.uint8]
    """(n_bytes,) the bytes of all brushes, one after the other; none of a mask that has a flaw"""
    offsets: npt.NDArray[np.int64]
    """(n + 1,) first byte of each"""
    flaw: npt.NDArray[np.uint8]
    """(n,) what is wrong with COCO's string: `rle_text.OK` ... `rle_text.TOO_LARGE`"""
    place: npt.NDArray[np.int64]
    """(n,) where, as in `rle_text.RunLengths`"""
    total: npt.NDArray[np.int64]
    """(n,) sum of its runs, as there"""


class Masks(NamedTuple):
    """Masks of n brushes, and what was found in the brushes."""

    counts: npt.NDArray[np.uint8]
    """(n_bytes,) COCO's compressed strings, one after the other; none of a brush that has a flaw"""
    offsets: npt.NDArray[np.int32]
    """(n + 1,) first byte of each"""
    chunks: Chunks
    """what was found, a row each: see there"""


def encode(
    counts: npt.NDArray[np.uint8], offsets: npt.NDArray[np.signedinteger[Any]], sizes: npt.NDArray[np.int64]
) -> Brushes:
    """Give brushes of masks, byte for byte those of label-studio-sdk's `mask2rle`; pixels inside have 255, others 0.

    That writes a whole byte of zeros behind a stream that ends with a byte, and so does this.

    Args:
        counts: (n_bytes,) COCO's compressed strings, one after the other.
        offsets: (n + 1,) int32 or int64, ascending, first byte of each.
        sizes: (n, 2) height and width of each; more than 2**30 - 1 pixels are a flaw.
    """
    runs = from_strings(counts, offsets, sizes, PIXEL_LIMIT)
    rows, row_offsets = to_rows(runs.counts, runs.offsets, sizes)
    values, ends = encode_rows(rows, row_offsets, sizes)
    return Brushes(values, ends, runs.flaw, runs.place, runs.total)


def encode_rows(
    counts: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Give brushes from run lengths along the rows, as `rle_rows.to_rows` gives them: bytes and (n + 1,) offsets.

    Args:
        counts, offsets: pixels outside first, then inside, and so on; a mask without counts gets no byte.
        sizes: (n, 2) height and width of each, at most 2**30 - 1 pixels.

    Raises:
        ValueError: a mask that is larger, or counts that are not its pixels.
    """
    n_pixels = sizes[:, 0] * sizes[:, 1]
    is_wrong = (np.diff(offsets) > 0) & ((sizes < 0).any(1) | (n_pixels > PIXEL_LIMIT))
    if is_wrong.any():
        raise ValueError(f"a brush has at most {PIXEL_LIMIT} pixels, got {sizes[is_wrong][0].tolist()}")
    return write_brushes(fixed(counts), fixed(offsets), fixed(n_pixels))


def decode(
    values: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.signedinteger[Any]],
    sizes: npt.NDArray[np.int64],
    threshold: int = 128,
    limit: int = PIXEL_LIMIT,
) -> Masks:
    """Give masks of brushes; bytes of any kind do no harm.

    Only alpha is looked at, as in the editor. No memory follows a number in the bytes: masks grow with the chunks that
    are really there.

    Args:
        values: (n_bytes,) the bytes of all brushes, one after the other.
        offsets: (n + 1,) int32 or int64, ascending, first byte of each.
        sizes: (n, 2) height and width of each.
        threshold: 1 to 255; a pixel is inside where its alpha is at least that.
        limit: pixels of the largest mask that is taken, up to 2**30 - 1.

    Raises:
        ValueError: another threshold, or strings of more than 2**31 - 1 bytes.
    """
    if not 1 <= threshold <= 255:
        raise ValueError(f"a threshold is 1 to 255, got {threshold}")
    read = read_chunks(fixed(values), fixed(offsets), fixed(sizes), threshold, min(limit, PIXEL_LIMIT))
    columns, column_offsets = to_columns(*read[:2], sizes)
    return Masks(*to_strings(columns, column_offsets), read[2])
