"""Run lengths of COCO's records as the mask column of the prediction table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import numbers_array, validity
from predarrow.formats.coco.checks import Block
from predarrow.formats.coco.shapes import Shaped
from predarrow.refusals import Refusals
from predarrow.report import Code
from predarrow.table import MASK

if TYPE_CHECKING:
    from predarrow_engine.rle_cover import Covers
    from predarrow_engine.rle_text import RunLengths

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


class Masks(NamedTuple):
    """Run lengths of a block's records."""

    shaped: Shaped
    runs: RunLengths | None
    """(n,) decoded, where that was asked for; a record without run lengths has no counts"""
    sizes: Ints
    """(n, 2) height and width, 0 for a record without run lengths"""
    is_mask: Bools
    """(n,) records with run lengths that hold"""


def masks(block: Block, refusals: Refusals, *, wants_runs: bool) -> Masks:
    """Give the run lengths of records as canonical strings; those with a flaw are refused."""
    taken = None if wants_runs else _as_they_are(block, refusals)
    return _written_again(block, refusals) if taken is None else taken


def masks_of_texts(
    text: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int32], sizes: Ints, *, wants_runs: bool
) -> Masks | None:
    """Give the run lengths of records that all have a text as canonical strings; None where one has a flaw.

    Args:
        text, offsets, sizes: as in `coco_columns.Segmentations`.
        wants_runs: whether to decode them, too.
    """
    from predarrow_engine import rle_text
    from predarrow_engine.rle_canonical import are_canonical
    from predarrow_engine.rle_cover import covers, covers_of_runs

    is_mask = np.ones(len(sizes), np.bool_)
    if not wants_runs:
        found = covers(text, offsets, sizes)
        if found.flaw.any():
            return None
        if are_canonical(text, offsets).all():
            return Masks(_shaped(sizes, is_mask, text, offsets, found), None, sizes, is_mask)
    runs = rle_text.from_strings(text, offsets, sizes)
    if runs.flaw.any():
        return None
    shaped = _shaped(sizes, is_mask, *rle_text.to_strings(runs.counts, runs.offsets), covers_of_runs(runs, sizes))
    return Masks(shaped, runs, sizes, is_mask)


def _as_they_are(block: Block, refusals: Refusals) -> Masks | None:
    """Take the file's own strings, where all of them are canonical; half the time, as no count is kept."""
    from predarrow_engine.coco_columns import COUNTS, RLE
    from predarrow_engine.rle_canonical import are_canonical
    from predarrow_engine.rle_cover import covers
    from predarrow_engine.rle_text import OK

    shapes = block.records.segmentation
    is_text = shapes.kind == RLE
    if (shapes.kind == COUNTS).any():
        return None
    found = covers(shapes.text, shapes.text_offsets, _sizes(block, is_text))
    is_mask = is_text & (found.flaw == OK)
    if not are_canonical(shapes.text, shapes.text_offsets)[is_mask].all():
        return None
    _refuse_flaws(block, found, refusals)
    sizes = _sizes(block, is_mask)
    return Masks(_shaped(sizes, is_mask, shapes.text, shapes.text_offsets, found), None, sizes, is_mask)


def _written_again(block: Block, refusals: Refusals) -> Masks:
    from predarrow_engine import rle_text
    from predarrow_engine.coco_columns import COUNTS, RLE
    from predarrow_engine.rle_cover import covers_of_runs

    shapes = block.records.segmentation
    is_text, is_list = shapes.kind == RLE, shapes.kind == COUNTS
    runs = rle_text.from_strings(shapes.text, shapes.text_offsets, _sizes(block, is_text))
    if is_list.any():
        counts = rle_text.from_counts(shapes.counts, shapes.count_offsets.astype(np.int64), _sizes(block, is_list))
        runs = _joined(runs, counts)
    _refuse_flaws(block, runs, refusals)
    is_mask = (is_text | is_list) & (runs.flaw == rle_text.OK)
    sizes = _sizes(block, is_mask)
    strings, offsets = rle_text.to_strings(runs.counts, runs.offsets)
    return Masks(_shaped(sizes, is_mask, strings, offsets, covers_of_runs(runs, sizes)), runs, sizes, is_mask)


def _sizes(block: Block, is_chosen: Bools) -> Ints:
    sizes = block.records.segmentation.size
    return sizes if is_chosen.all() else np.where(is_chosen[:, None], sizes, 0)


def _shaped(
    sizes: Ints, is_mask: Bools, strings: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int32], found: Covers
) -> Shaped:
    counts = pa.Array.from_buffers(pa.binary(), is_mask.size, [None, pa.py_buffer(offsets), pa.py_buffer(strings)])
    sides = [numbers_array(side, pa.int32()) for side in sizes.T]
    column = pa.Array.from_buffers(MASK, is_mask.size, [validity(is_mask)], children=[*sides, counts])
    return Shaped(column, found.bbox if is_mask.all() else np.where(is_mask, found.bbox, np.nan))


def _refuse_flaws(block: Block, found: RunLengths | Covers, refusals: Refusals) -> None:
    for row in np.flatnonzero((found.flaw != 0) & ~refusals.bad).tolist():
        refusals.add_one(row, Code.BAD_VALUE, *run_length_flaw(block, found, row))


def _joined(texts: RunLengths, lists: RunLengths) -> RunLengths:
    """Give the run lengths of records of which each has one kind at most."""
    lengths = [np.diff(runs.offsets) for runs in (texts, lists)]
    offsets = np.concatenate([[0], np.cumsum(lengths[0] + lengths[1])])
    counts = np.empty(offsets[-1], np.uint32)
    for runs, own in zip((texts, lists), lengths, strict=True):
        counts[np.repeat(offsets[:-1] - runs.offsets[:-1], own) + np.arange(runs.counts.size)] = runs.counts
    is_list = texts.flaw == 0  # or neither has a flaw
    return texts._replace(
        counts=counts,
        offsets=offsets,
        flaw=np.where(is_list, lists.flaw, texts.flaw),
        place=np.where(is_list, lists.place, texts.place),
        total=np.where(is_list, lists.total, texts.total),
    )


def run_length_flaw(block: Block, runs: RunLengths | Covers, row: int) -> tuple[str, str]:
    """Give the place of a flaw in a record's run lengths, and what should stand there."""
    from predarrow_engine.coco_columns import COUNTS

    shapes = block.records.segmentation
    text = shapes.text[slice(*shapes.text_offsets[row : row + 2].tolist())].tobytes()
    is_list = shapes.kind[row] == COUNTS
    at = int(runs.flaw[row]), int(runs.place[row]), int(runs.total[row])
    return flaw_words(*at, shapes.size[row].tolist(), None if is_list else text)


def flaw_words(flaw: int, place: int, total: int, size: Sequence[int], text: bytes | None) -> tuple[str, str]:
    """Give the place of a flaw in run lengths, and what should stand there.

    Args:
        flaw, place, total: as in `rle_text.RunLengths`.
        size: height and width.
        text: the run lengths; None where they are a list.
    """
    from predarrow_engine import rle_text

    height, width = size
    if flaw == rle_text.TOO_LARGE:
        limit = f"at least 0, and {rle_text.PIXEL_LIMIT} pixels at most"
        return ".segmentation.size", f"height and width must be {limit}, got {height} and {width}"
    if text is None:
        where, at = f".segmentation.counts[{place}]", f"count {place}"
    else:
        where, at = ".segmentation.counts", f"byte {place}"
    if flaw == rle_text.WRONG_SUM:
        rule = f"must sum to {height * width} (height {height} * width {width})"
        return ".segmentation.counts", f"{rule}, got {total}"
    if flaw == rle_text.NEGATIVE_COUNT:
        return where, f"must not be negative, got a negative count at {at}"
    text = text or b""
    if text[:2] in (b"b'", b'b"'):
        hint = 'a Python bytes literal: write counts.decode("ascii") to the file'
        return where, f"must be COCO's run lengths as text, got {hint}"
    if flaw == rle_text.BAD_CHARACTER:
        return where, f"must be characters '0' to 'o', got {text[place : place + 1]!r} at {at}"
    if flaw == rle_text.TRUNCATED:
        return where, f"must end with a whole number, got one that breaks off at {at}"
    return where, f"must be numbers of at most 60 bits, got a longer one at {at}"
