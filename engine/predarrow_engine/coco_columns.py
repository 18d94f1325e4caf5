"""Columns of COCO's records: what the kernels of `coco.py` write and their callers read.

All spans and places are byte numbers in the block that was scanned; the span of a value is its whole JSON text (of a
string with its quotes), the span of a key as well. Where a kind is MISSING, what stands beside it is 0.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Spans: TypeAlias = npt.NDArray[np.int32]
"""(n, 2) first byte, and one behind the last."""

(
    OK,
    EXPECTED_VALUE,
    EXPECTED_KEY,
    EXPECTED_COLON,
    EXPECTED_COMMA,
    BAD_STRING,
    BAD_NUMBER,
    TOO_DEEP,
    TRUNCATED,
    EXTRA_DATA,
    NO_LIST,
    BAD_UTF8,
) = range(12)
"""Codes of a block: well-formed, or the first flaw. EXPECTED_COMMA: neither a comma nor the end of a list or object;
BAD_STRING: a control character or an unknown escape; TRUNCATED: the text ends too early; EXTRA_DATA: something behind
the document, or two objects on a line of JSON Lines; NO_LIST: the document is neither a list nor an object."""

MISSING, NULL, INT, WHOLE, NUMBER, NOT_FINITE, STRING, BOOL, LIST, OBJECT, BAD_LIST = range(11)
"""Kinds of values. INT: a whole number without dot and exponent that fits int64; WHOLE: one with them, as 42.0;
NOT_FINITE: NaN, Infinity and -Infinity as Python writes them; BAD_LIST: a list with something that is no number."""

NO_SEGMENTATION, NULL_SEGMENTATION, EMPTY, POLYGONS, FLAT, RLE, COUNTS, OTHER = range(8)
FURTHER = 64  # added to RLE and COUNTS on the way, where the object has members beside size and counts
"""Kinds of segmentations: no such key, null, [], a list of lists of numbers, a list of numbers, a text of run
lengths, a list of them, anything else (a size that is not two integers, a ring with a text in it ...)."""

ANNOTATIONS, IMAGES, CATEGORIES, VIDEOS, UNREAD = range(5)
"""Lists at the top of a dictionary: `annotations` (and a whole results list), `images`, `categories`, `videos`,
and every other one."""


class Ids(NamedTuple):
    """Whole numbers or texts of n records."""

    kind: npt.NDArray[np.uint8]
    """(n,) NUMBER where it is no whole number or does not fit int64"""
    value: npt.NDArray[np.int64]
    """(n,) where kind is INT or WHOLE, else 0"""
    span: Spans


class Numbers(NamedTuple):
    """Numbers of n records."""

    kind: npt.NDArray[np.uint8]
    """(n,) NUMBER for all finite numbers"""
    value: npt.NDArray[np.float64]
    """(n,) where kind is NUMBER (infinite where the text is too large, as 1e999) or NOT_FINITE, 1 for true; else 0"""
    span: Spans


class Lists(NamedTuple):
    """A list of numbers in each of n records; NaN and Infinity count as numbers."""

    kind: npt.NDArray[np.uint8]
    """(n,) LIST, BAD_LIST, or the kind of what stands there instead"""
    span: Spans
    offsets: npt.NDArray[np.int32]
    """(n + 1,) into values; nothing of a BAD_LIST is kept"""
    values: npt.NDArray[np.float64]


class Boxes(NamedTuple):
    """The key `bbox` of n records."""

    kind: npt.NDArray[np.uint8]
    """(n,) LIST, BAD_LIST, or the kind of what stands there instead"""
    span: Spans
    n_values: npt.NDArray[np.int32]
    """(n,) how many numbers a LIST has; the index of the first item of a BAD_LIST that is no number"""
    values: npt.NDArray[np.float64]
    """(n, 5) the first five of them, as they stand in the file: x, y, width, height; 0 where there are fewer"""


class Segmentations(NamedTuple):
    """The key `segmentation` of n records."""

    kind: npt.NDArray[np.uint8]
    """(n,) NO_SEGMENTATION ... OTHER"""
    has_further: npt.NDArray[np.bool_]
    """(n,) RLE and COUNTS that have members beside size and counts"""
    span: Spans
    rings: npt.NDArray[np.int32]
    """(n + 1,) into ring_offsets: those of record i begin at rings[i]; POLYGONS and FLAT have some"""
    ring_lengths: npt.NDArray[np.int32]
    """(n_rings,) how many numbers a ring has in the file: perhaps an odd number, or none"""
    has_far: npt.NDArray[np.bool_]
    """(n_rings,) where one of them is NaN, or too large for a 32-bit float"""
    ring_offsets: npt.NDArray[np.int32]
    """(n_rings + 1,) into x and y"""
    x: npt.NDArray[np.float32]
    """as in the file; of three vertices or more without the last one where that repeats the first"""
    y: npt.NDArray[np.float32]
    size: npt.NDArray[np.int64]
    """(n, 2) height, width of RLE and COUNTS, else 0"""
    text_offsets: npt.NDArray[np.int32]
    """(n + 1,) into text"""
    text: npt.NDArray[np.uint8]
    """the counts of RLE without JSON's escapes, as UTF-8"""
    count_offsets: npt.NDArray[np.int32]
    """(n + 1,) into counts"""
    counts: npt.NDArray[np.int64]
    """the counts of COUNTS"""


class Members(NamedTuple):
    """The keys of n records that have no column, in the order of the file, a repeated one repeatedly."""

    offsets: npt.NDArray[np.int32]
    """(n + 1,) into spans"""
    spans: npt.NDArray[np.int32]
    """(m, 4) where the key begins and ends, where its value begins and ends"""


class CocoRecords(NamedTuple):
    """n results or annotations in the order of the file. Of a key that is given twice the last value counts."""

    span: Spans
    kind: npt.NDArray[np.uint8]
    """(n,) 0 for an object; else what the list has in its place, and all columns are MISSING"""
    position: npt.NDArray[np.int32]
    """(n, 2) 0 and the index in the list; for results in a list inside the list: one more than the index of that list,
    and the index in it; 0 and 0 in JSON Lines"""
    image_id: Ids
    category_id: Ids
    id: Ids
    score: Numbers
    area: Numbers
    iscrowd: Numbers
    bbox: Boxes
    segmentation: Segmentations
    keypoints: Lists
    others: Members


class CocoImages(NamedTuple):
    """n entries of `images` in the order of the file."""

    span: Spans
    kind: npt.NDArray[np.uint8]
    """(n,) as in `CocoRecords`"""
    id: Ids
    width: Ids
    height: Ids
    file_name: Ids
    others: Members


class CocoBlock(NamedTuple):
    """What one block of a file says."""

    code: int
    """OK or the first flaw; what stands before it was read"""
    place: int
    """byte in the block of the flaw; 0 without"""
    consumed: int
    """bytes that were read; the others begin the next block"""
    records: CocoRecords
    images: CocoImages
    objects: npt.NDArray[np.int32]
    """(k, 3) entries of `categories` and `videos`: CATEGORIES or VIDEOS, and their span"""
    top: npt.NDArray[np.int32]
    """(t, 4) keys of the dictionary at the top that were met: where the key begins and ends, where its value begins,
    and that one's kind (STRING, LIST, ...)"""
