"""How annotations are written that all are written alike: what stands between their values, learnt from two of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._simd_text import BLOCK
from predarrow_engine.coco_columns import INT, LIST, MISSING, NUMBER, POLYGONS, RLE, CocoRecords
from predarrow_engine.coco_plain import box_spans, padded

IMAGE, CATEGORY, HEIGHT, WIDTH, X, SCORE, RINGS, RUNS, KEPT = 0, 1, 2, 3, 4, 8, 9, 10, 11
"""Places of values: both ids, the size of a mask, four numbers of a box, a score, polygons, a text of run lengths
without its quotes, and the first of those that are copied."""

_RUN_LENGTHS = re.compile(
    rb"""\{\s*(?:
    "size"\s*:\s*\[\s*([-\d]+)\s*,\s*([-\d]+)\s*\]\s*,\s*"counts"\s*:\s*"([0-o]*)" |
    "counts"\s*:\s*"([0-o]*)"\s*,\s*"size"\s*:\s*\[\s*([-\d]+)\s*,\s*([-\d]+)\s*\]
    )\s*\}""",
    re.VERBOSE,
)
_SHAPES = ((POLYGONS, LIST), (RLE, LIST), (RLE, MISSING))
"""Kinds of segmentations and boxes that are known."""
_OF_RUN_LENGTHS = HEIGHT, WIDTH, RUNS, RUNS, HEIGHT, WIDTH


class ShapesForm(NamedTuple):
    """How all annotations are written; texts have 64 bytes each."""

    texts: npt.NDArray[np.uint8]
    """((n + 1) * 64,) what stands behind each of n values, and before the first one"""
    lengths: npt.NDArray[np.int64]
    """(n + 1,) of the texts, each less than 64"""
    places: npt.NDArray[np.int64]
    """(n,) which value comes first, second, ...: IMAGE ... KEPT + k - 1"""
    names: npt.NDArray[np.uint8]
    """((k + 1) * 64,) what is written before each of k values that are copied, and behind the last one"""
    name_lengths: npt.NDArray[np.int64]
    """(k + 1,) of the names, each less than 64"""
    rates: npt.NDArray[np.float64]
    """(5,) records, rings, vertices, bytes of attributes and of run lengths for each byte of text: what to expect, kept
    up to date"""


def shapes_form_of(data: npt.NDArray[np.uint8], records: CocoRecords, *, lines: bool) -> ShapesForm | None:
    """Give how the annotations of a block seem to be written.

    None where they have neither polygons and boxes nor texts of run lengths.

    Args:
        data: what they were read from.
        records: those of a block.
        lines: of JSON Lines.
    """
    if not _are_plain(records):
        return None
    begin, end, following, stop = records.span[:2].ravel().tolist()
    text = data[:stop].tobytes()
    shape = list(_shape(text, records))
    if not shape:
        return None
    kept = list(_kept(text, records))
    spans = shape + [(*span, KEPT + k) for k, (_, span) in enumerate(kept)]
    spans += list(_known(text, records))
    starts, ends, places = zip(*sorted(spans), strict=True)
    close, again = following if lines else end, following + starts[0] - begin
    cuts = [*zip(ends, (*starts[1:], close), strict=True), (close, again)]
    names = [(b"," if k else b"{") + name + b":" for k, (name, _) in enumerate(kept)] + [b"}"]
    texts = [text[start:stop] for start, stop in cuts]
    if max(map(len, (*texts, *names))) >= BLOCK:
        return None
    size, shapes = int(records.span[-1, 1] - begin), records.segmentation
    n = records.kind.size
    counts = [n, shapes.ring_offsets.size - 1, shapes.x.size, n * _text_size(kept), shapes.text.size]
    return ShapesForm(*padded(texts), np.array(places), *padded(names), np.array(counts) / size)


def _are_plain(records: CocoRecords) -> bool:
    shapes, n = records.segmentation, records.kind.size
    if n < 2:
        return False
    shape, box = shapes.kind[0], records.bbox.kind[0]
    kinds = ((records.image_id, INT), (records.category_id, INT), (records.bbox, box), (shapes, shape))
    alike = [column.kind for column in (records.id, records.area, records.iscrowd, records.score)]
    return (
        (shape, box) in _SHAPES
        and not (records.kind.any() or records.position[:, 0].any() or records.keypoints.kind.any())
        and not shapes.has_further.any()
        and all((column.kind == kind).all() for column, kind in kinds)
        and all(((kind == MISSING) == (kind[0] == MISSING)).all() for kind in alike)
        and records.score.kind[0] in (MISSING, NUMBER)
        and (box == MISSING or bool((records.bbox.n_values == 4).all()))
        and bool((np.diff(records.others.offsets) == records.others.offsets[1]).all())
    )


def _shape(text: bytes, records: CocoRecords) -> Iterator[tuple[int, int, int]]:
    """Give the spans of what the first record's segmentation is read by, and their places; nothing of an odd one."""
    span = records.segmentation.span[0].tolist()
    if records.segmentation.kind[0] == POLYGONS:
        yield (*span, RINGS)
    elif found := _RUN_LENGTHS.fullmatch(text, *span):
        for group, place in enumerate(_OF_RUN_LENGTHS, 1):
            if found[group] is not None:
                yield (*found.span(group), place)


def _known(text: bytes, records: CocoRecords) -> Iterator[tuple[int, int, int]]:
    """Give the spans of a record's other values that have columns, and their places."""
    for column, place in ((records.image_id, IMAGE), (records.category_id, CATEGORY)):
        yield (*column.span[0].tolist(), place)
    if records.score.kind[0] != MISSING:
        yield (*records.score.span[0].tolist(), SCORE)
    for axis, span in enumerate(box_spans(text, records)):
        yield (*span, X + axis)


def _kept(text: bytes, records: CocoRecords) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Give the names, in quotes, and the spans of a record's values that have no column."""
    for name, column in ((b'"id"', records.id), (b'"area"', records.area), (b'"iscrowd"', records.iscrowd)):
        if column.kind[0] != MISSING:
            yield name, tuple(column.span[0].tolist())
    for key, key_end, start, stop in records.others.spans[: records.others.offsets[1]].tolist():
        yield text[key:key_end], (start, stop)


def _text_size(kept: list[tuple[bytes, tuple[int, int]]]) -> int:
    return sum(len(name) + 2 + stop - start for name, (start, stop) in kept)
