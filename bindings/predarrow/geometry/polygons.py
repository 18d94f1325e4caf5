"""Any geometry as polygons."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from predarrow.errors import PredarrowError
from predarrow.geometry.conversion import Converted, Maker, Rows, converted
from predarrow.geometry.shapes import corners_of, polygons_of, runs_of, turned_of
from predarrow.objects.checks import Floats
from predarrow.report import EMPTY_MASK, Code
from predarrow.table import POLYGON, polygon_array

NO_DEPTH = "cuboid_2d without its depth"
"""What is lost where a cuboid in an image becomes its front face."""


def to_polygons(table: Any, *, tolerance: float = 0.25) -> Converted:
    """Give the geometry of a table's rows as a polygon column.

    ```
    bbox, rotated_bbox   its four corners
    polygon              as it is
    ellipse, circle      a ring of the ellipse's area that is nowhere further than the tolerance from it
    bitmask              its outline along pixel edges with holes, which gives the mask back
    cuboid_2d            its front face; its depth is lost
    all others           null: they have no area in the image
    ```

    Rings run clockwise on screen from the top-left corner or the end of the first axis. Vertices are rounded to
    float32, which comes on top of the tolerance.

    Args:
        table: predictions with `__arrow_c_stream__` or `__arrow_c_array__` in the prediction table's schema.
        tolerance: pixels, for ellipses and circles; a circle with a radius of 60 pixels has 25 vertices at 0.25.

    Raises:
        InputError: no such table, or a geometry that does not hold: a number that is not finite, a box with its right
            before its left, a mask that does not decode.
        PredarrowError: a tolerance that is not positive and finite.
    """
    if not isinstance(tolerance, int | float) or not (0 < tolerance < math.inf):
        raise PredarrowError(f"tolerance: must be a positive number of pixels, got {tolerance!r}")
    round_ = partial(_ellipses, tolerance=float(tolerance))
    makers: dict[str, Maker] = {
        "bbox": _boxes,
        "rotated_bbox": _turned,
        "polygon": _as_they_are,
        "ellipse": round_,
        "circle": round_,
        "bitmask": _outlines,
        "cuboid_2d": _fronts,
    }
    return converted(table, makers, POLYGON, "polygon")


def _boxes(rows: Rows) -> pa.Array:
    left, top, right, bottom = corners_of(rows)
    return _quads(np.stack([left, top, right, top, right, bottom, left, bottom], axis=1))


def _turned(rows: Rows) -> pa.Array:
    from predarrow_engine.rotated import corner_points

    boxes, degrees = turned_of(rows)
    return _quads(corner_points(boxes, degrees).reshape(-1, 8))


def _quads(corners: Floats) -> pa.Array:
    """Give (n, 8) x and y of four corners as polygons."""
    x, y = corners.reshape(-1, 2).astype(np.float32).T
    return _rings(x, y, 4 * np.arange(len(corners) + 1))


def _rings(x: Any, y: Any, offsets: Any) -> pa.Array:
    """Give polygons of one ring each."""
    one_each = np.arange(len(offsets), dtype=np.int32)
    return polygon_array(x, y, offsets, one_each, one_each)


def _as_they_are(rows: Rows) -> pa.Array:
    polygons_of(rows)
    return rows.columns["polygon"]


def _fronts(rows: Rows) -> pa.Array:
    rows.lost[NO_DEPTH] += rows.n
    return _as_they_are(rows)


def _ellipses(rows: Rows, tolerance: float) -> pa.Array:
    from predarrow_engine.ellipses import MOST_VERTICES, outlines, vertex_counts

    turned = turned_of(rows)
    n_vertices = np.cumsum(vertex_counts(turned.ellipses, tolerance))
    rule = f"outlines of a table must have at most {MOST_VERTICES} vertices in all; give a larger tolerance"
    is_much = n_vertices > MOST_VERTICES
    rows.refusals.add(is_much, Code.TOO_LARGE, "column bbox", lambda row: f"{rule}, got {n_vertices[row]:.0f}")
    if is_much.any():
        return pa.nulls(rows.n, POLYGON)
    return _rings(*outlines(turned.ellipses, turned.degrees, tolerance))


def _outlines(rows: Rows) -> pa.Array:
    from predarrow.formats.coco.outlines import outlines

    column = outlines(*runs_of(rows), rows.refusals)
    if column.null_count:
        rows.lost[EMPTY_MASK] += column.null_count
    return column
