"""Bitmasks: run lengths along the rows -> down the columns, without a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from predarrow.buffers import offsets_of
from predarrow.formats.encord import wire
from predarrow.formats.encord.columns import Bools, Floats, Ints, Shaped
from predarrow.formats.encord.flaws import PartRefusals
from predarrow.formats.geometry_columns import mask_column
from predarrow.refusals import shown
from predarrow.report import Code

if TYPE_CHECKING:
    from predarrow_engine.rle_text import RunLengths

_LONGEST = 2**31 - 1


def bitmasks(objects: Sequence[wire.BitmaskObject], sizes: Floats, refusals: PartRefusals) -> Shaped:
    """Give masks; their sizes must be the images' where these are known (above 0)."""
    from predarrow_engine import rle_text
    from predarrow_engine.rle_cover import covers_of_runs
    from predarrow_engine.rle_rows import to_columns

    given = [item.bitmask for item in objects]
    own = _sizes(given, sizes, refusals)
    texts = [mask.rleString.encode("utf-8", "replace") for mask in given]
    offsets = offsets_of([len(text) for text in texts])
    strings = np.frombuffer(b"".join(texts) or b"\0", np.uint8)
    rows = rle_text.from_strings(strings, offsets, own)
    for row in np.flatnonzero((rows.flaw != rle_text.OK) & ~refusals.bad).tolist():
        refusals.add_one(row, Code.BAD_VALUE, ".bitmask.rleString", _flaw(rows, row, given[row]))
    counts, count_offsets = to_columns(rows.counts, rows.offsets, np.where((rows.flaw == 0)[:, None], own, 0))
    columns = rows._replace(counts=counts, offsets=count_offsets)
    written, places = rle_text.to_strings(counts, count_offsets)
    is_exact = _come_back(rows, strings, offsets) & np.array([mask.top == 0 and mask.left == 0 for mask in given])
    return Shaped({"mask": mask_column(own, written, places)}, covers_of_runs(columns, own).bbox, is_exact)


def _sizes(given: Sequence[wire.Bitmask], images: Floats, refusals: PartRefusals) -> Ints:
    """Give the masks' own height and width, 0 of those that are refused."""
    sides = [(mask.height, mask.width) for mask in given]
    for row, (height, width) in enumerate(sides):
        if not (0 < height <= _LONGEST and 0 < width <= _LONGEST):
            rule = f"height and width must be whole numbers from 1 to {_LONGEST}"
            refusals.add_one(row, Code.BAD_VALUE, ".bitmask", f"{rule}, got {shown(height)} and {shown(width)}")
            sides[row] = 0, 0
    own = np.array(sides, np.int64).reshape(-1, 2)
    differs = (images > 0).all(axis=1) & (own != images).any(axis=1)

    def words(row: int) -> str:
        height, width = images[row].astype(np.int64).tolist()
        return f"must be {height} x {width} (height x width) as the image is, got {own[row, 0]} x {own[row, 1]}"

    refusals.add(differs, Code.SIZE_MISMATCH, ".bitmask", words)
    own[refusals.bad] = 0
    return own


def _come_back(rows: RunLengths, strings: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int32]) -> Bools:
    """Tell which strings are those that their own run lengths are written as, zero lengths inside left out."""
    from predarrow_engine import rle_text

    written, places = rle_text.to_strings(rows.counts, rows.offsets)
    n = rows.flaw.size
    result: Bools = np.diff(places) == np.diff(offsets)
    pairs = zip(offsets[:-1].tolist(), offsets[1:].tolist(), places[:-1].tolist(), places[1:].tolist(), strict=True)
    for row, (begin, end, first, last) in enumerate(pairs):
        if result[row]:
            result[row] = strings[begin:end].tobytes() == written[first:last].tobytes()
    inner = rows.counts == 0
    inner[rows.offsets[:-1][rows.offsets[:-1] < inner.size]] = False  # a mask may begin inside
    result[np.repeat(np.arange(n), np.diff(rows.offsets))[inner]] = False
    return result


def _flaw(rows: RunLengths, row: int, mask: wire.Bitmask) -> str:
    """Word what is wrong with run lengths."""
    from predarrow_engine import rle_text

    flaw, place, total = int(rows.flaw[row]), int(rows.place[row]), int(rows.total[row])
    if flaw == rle_text.WRONG_SUM:
        size = f"height {mask.height} * width {mask.width}"
        return f"must sum to {mask.height * mask.width} ({size}), got {total}"
    if flaw == rle_text.TOO_LARGE:
        return f"must be of {rle_text.PIXEL_LIMIT} pixels at most, got {mask.height} x {mask.width}"
    if flaw == rle_text.NEGATIVE_COUNT:
        return f"must not be negative, got a negative run at byte {place}"
    if flaw == rle_text.BAD_CHARACTER:
        return f"must be characters '0' to 'o', got another at byte {place}"
    if flaw == rle_text.TRUNCATED:
        return f"must end with a whole number, got one that breaks off at byte {place}"
    return f"must be numbers of at most 60 bits, got a longer one at byte {place}"
