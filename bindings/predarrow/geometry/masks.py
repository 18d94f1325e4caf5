"""Any geometry as masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from predarrow.buffers import numbers_array, validity
from predarrow.geometry.conversion import Converted, Maker, Rows, converted
from predarrow.geometry.polygons import NO_DEPTH
from predarrow.geometry.shapes import corners_of, polygons_of, runs_of, sizes_of, turned_of
from predarrow.objects.checks import Bools, Floats, Ints
from predarrow.report import EMPTY_MASK, Code
from predarrow.table import MASK

if TYPE_CHECKING:
    from predarrow_engine.rle_sets import Counts


def to_masks(table: Any) -> Converted:
    """Give the geometry of a table's rows as a mask column: COCO's compressed run lengths of the whole image.

    A pixel is inside where its centre is, holes left out, parts put together; what lies beyond the image is cut off.
    So outlines along pixel edges give back the very mask that they were traced from, and boxes, rotated boxes,
    ellipses and circles are exact, without a polygon between. (COCO's tools round polygons to a fifth of a pixel
    instead.)

    ```
    bbox, rotated_bbox, polygon, ellipse, circle   their pixels, in an image of image_height and image_width
    bitmask                                        as it is
    cuboid_2d                                      its front face; its depth is lost
    all others                                     null: they have no area in the image
    ```

    Rows in images of unknown size are null, and told. Masks without a pixel are given, and told.

    Args:
        table: predictions with `__arrow_c_stream__` or `__arrow_c_array__` in the prediction table's schema.

    Raises:
        InputError: no such table, or a geometry that does not hold: a number that is not finite, a box with its right
            before its left, a mask that does not decode, an image with a side above 2**24 or 2**32 pixels.
    """
    makers: dict[str, Maker] = {
        "bbox": _boxes,
        "rotated_bbox": _turned,
        "polygon": _polygons,
        "ellipse": _ellipses,
        "circle": _ellipses,
        "bitmask": _as_they_are,
        "cuboid_2d": _fronts,
    }
    return converted(table, makers, MASK, "mask")


def _boxes(rows: Rows) -> pa.Array:
    left, top, right, bottom = corners_of(rows)
    return _quads(rows, np.stack([left, top, right, top, right, bottom, left, bottom], axis=1))


def _turned(rows: Rows) -> pa.Array:
    from predarrow_engine.rotated import corner_points

    boxes, degrees = turned_of(rows)
    return _quads(rows, corner_points(boxes, degrees).reshape(-1, 8))


def _quads(rows: Rows, corners: Floats) -> pa.Array:
    """Fill (n, 8) x and y of four corners."""
    from predarrow_engine.rle_fill import from_outlines

    x, y = corners.reshape(-1, 2).T
    one_each = np.arange(len(corners) + 1, dtype=np.int32)
    sizes, is_known = _checked_sizes(rows)
    return _column(rows, from_outlines(x, y, 4 * one_each, one_each, one_each, sizes), sizes, is_known)


def _polygons(rows: Rows) -> pa.Array:
    from predarrow_engine.rle_fill import from_outlines

    polygons = polygons_of(rows)
    sizes, is_known = _checked_sizes(rows)
    return _column(rows, from_outlines(*polygons, sizes), sizes, is_known)


def _fronts(rows: Rows) -> pa.Array:
    rows.lost[NO_DEPTH] += rows.n
    return _polygons(rows)


def _ellipses(rows: Rows) -> pa.Array:
    from predarrow_engine.ellipses import run_lengths

    turned = turned_of(rows)
    sizes, is_known = _checked_sizes(rows)
    return _column(rows, run_lengths(turned.ellipses, turned.degrees, sizes), sizes, is_known)


def _as_they_are(rows: Rows) -> pa.Array:
    runs, _ = runs_of(rows)
    _tell_empty(rows, runs.offsets)
    return rows.columns["mask"]


def _checked_sizes(rows: Rows) -> tuple[Ints, Bools]:
    """Give (n, 2) sizes, 1 where not known, and whether they are; those that are too large are refused."""
    from predarrow_engine.rle_fill import SIDE_LIMIT
    from predarrow_engine.rle_text import PIXEL_LIMIT

    sizes = sizes_of(rows)
    is_known: Bools = np.all(sizes > 0, axis=1)
    is_large: Bools = (sizes.max(axis=1, initial=0) > SIDE_LIMIT) | (sizes.prod(axis=1) > PIXEL_LIMIT)
    rule = f"a mask must have at most {SIDE_LIMIT} pixels a side, and {PIXEL_LIMIT} in all"
    rows.refusals.add(
        is_large, Code.TOO_LARGE, "column image_height", lambda row: f"{rule}, got {sizes[row, 1]} x {sizes[row, 0]}"
    )
    return np.where((is_known & ~is_large)[:, None], sizes, 1), is_known


def _column(rows: Rows, runs: Counts, sizes: Ints, is_known: Bools) -> pa.Array:
    """Give masks of images of known size as a column."""
    from predarrow_engine.rle_text import to_strings

    has_mask = is_known & (np.diff(runs[1]) > 0)
    if n_unknown := int((~is_known).sum()):
        rows.lost[f"{rows.columns['kind'][0].as_py()} in an image of unknown size"] += n_unknown
    _tell_empty(rows, runs[1], is_known)
    strings, offsets = to_strings(*runs)
    counts = pa.Array.from_buffers(pa.binary(), rows.n, [None, pa.py_buffer(offsets), pa.py_buffer(strings)])
    sides = [numbers_array(np.ascontiguousarray(side), pa.int32()) for side in sizes.T]
    return pa.Array.from_buffers(MASK, rows.n, [validity(has_mask)], children=[*sides, counts])


def _tell_empty(rows: Rows, offsets: Ints, is_known: Bools | None = None) -> None:
    """Count masks without a pixel, which are one run."""
    is_empty = np.diff(offsets) == 1
    if n_empty := int((is_empty if is_known is None else is_empty & is_known).sum()):
        rows.lost[EMPTY_MASK] += n_empty
