"""What the COCO kernels know between two calls, and where their columns are: one array of int64.

Its first slots are those of `json_scan.py`. A table of n rows, or a flat array, has three: how many items it has, how
many there is room for, and (one for each of its columns) addresses. So a kernel takes one argument however many
columns there are, and its helpers take one number.
"""

from __future__ import annotations

from predarrow_engine._jit import inline
from predarrow_engine._simd_text import load_int
from predarrow_engine.json_scan import constants

(PHASE, SECTION, INDEX, OUTER, INNER, WANTED, BEGUN, CONSUMED) = constants(4, 12)
"""The document: what comes next, which list we are in, its items so far, one more than the index of the inner list we
are in and the items of that one so far, lists that are read (bits), whether the file's first bytes were seen; how
many bytes of the block were read."""

(RECORDS, PICTURES, OBJECTS, TOP, RINGS, COORDINATES, TEXT, COUNT_VALUES, POINTS, OTHERS, PICTURE_OTHERS, PENDING) = (
    constants(12, 24)
)
"""How many there are: rows of both tables, and items of flat arrays."""
N_TABLES = PENDING + 1 - RECORDS
ROOM_FOR = N_TABLES
"""Added to one of those: how many there is room for."""

COLUMNS = PENDING + 1 + N_TABLES
"""The first address of a column. Groups of ids and numbers have kind, value and span."""
IMAGE_ID, CATEGORY_ID, ID, SCORE, AREA, ISCROWD = constants(COLUMNS, COLUMNS + 18, 3)
(
    SPAN,
    KIND,
    POSITION,
    BOX_KIND,
    BOX_SPAN,
    BOX_COUNT,
    BOX_VALUES,
    SHAPE_KIND,
    SHAPE_SPAN,
    SHAPE_RINGS,
    SHAPE_SIZE,
    SHAPE_TEXT,
    SHAPE_COUNTS,
    POINTS_KIND,
    POINTS_SPAN,
    POINTS_OFFSETS,
    OTHERS_OFFSETS,
) = constants(COLUMNS + 18, COLUMNS + 35)
PICTURE_ID, PICTURE_WIDTH, PICTURE_HEIGHT, PICTURE_FILE_NAME = constants(COLUMNS + 35, COLUMNS + 47, 3)
PICTURE_SPAN, PICTURE_KIND, PICTURE_OTHERS_OFFSETS = constants(COLUMNS + 47, COLUMNS + 50)
FLAT_COLUMNS = COLUMNS + 50
"""Addresses of the flat arrays, OBJECTS to PENDING."""
RING_LENGTHS, RING_FLAGS, ORDINATES = constants(
    FLAT_COLUMNS + PENDING + 1 - OBJECTS, FLAT_COLUMNS + PENDING + 4 - OBJECTS
)
"""Addresses of what stands beside RINGS and COORDINATES: numbers in the file and what is told of them; y."""
SCRATCH = RING_FLAGS + 2
"""Address of `coco_rings.N_SCRATCH` words."""
N_SLOTS = SCRATCH + 1


@inline
def flat(slots: int, which: int) -> int:
    """Give the address of a flat array, OBJECTS to PENDING."""
    return load_int(slots + 8 * (FLAT_COLUMNS - OBJECTS + which))


@inline
def get(slots: int, slot: int) -> int:
    """Give a slot."""
    return load_int(slots + 8 * slot)
