"""The boxes that cover geometries of any kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.buffers import numbers_array, validity
from predarrow.geometry.conversion import Converted, Maker, Rows, converted
from predarrow.geometry.shapes import corners_of, polygons_of, runs_of, turned_of
from predarrow.objects.checks import Floats
from predarrow.objects.columns import cover_of
from predarrow.report import EMPTY_MASK
from predarrow.table import BBOX


def covers(table: Any) -> Converted:
    """Give the smallest upright box around the geometry of a table's rows, as a bbox column.

    It differs from the table's own bbox where that is the box before it is rotated, as of rotated boxes, ellipses and
    circles, and where it is null.

    ```
    bbox                            as it is
    rotated_bbox, ellipse, circle   around the rotated shape
    polygon, polyline, cuboid_2d    around all vertices
    keypoints, skeleton             around all points but those that COCO calls not labelled: at 0, 0 with visibility 0
    bitmask                         around its pixels
    all others                      null: they have no place in the image
    ```

    Args:
        table: predictions with `__arrow_c_stream__` or `__arrow_c_array__` in the prediction table's schema.

    Raises:
        InputError: no such table, or a geometry that does not hold: a number that is not finite, a box with its right
            before its left, a mask that does not decode.
    """
    makers: dict[str, Maker] = {
        "bbox": _boxes,
        "rotated_bbox": _turned,
        "ellipse": _ellipses,
        "circle": _ellipses,
        "polygon": _polygons,
        "polyline": _polygons,
        "cuboid_2d": _polygons,
        "keypoints": _keypoints,
        "skeleton": _keypoints,
        "bitmask": _masks,
    }
    return converted(table, makers, BBOX, "box")


def _boxes(rows: Rows) -> pa.Array:
    corners_of(rows)
    return rows.columns["bbox"]


def _turned(rows: Rows) -> pa.Array:
    from predarrow_engine.rotated import cover

    return _column(cover(*turned_of(rows)))


def _ellipses(rows: Rows) -> pa.Array:
    from predarrow_engine.ellipses import cover

    turned = turned_of(rows)
    return _column(cover(turned.ellipses, turned.degrees))


def _polygons(rows: Rows) -> pa.Array:
    polygons = polygons_of(rows)
    first = polygons.ring_offsets[polygons.part_offsets[polygons.row_offsets]]
    return _column(_around(polygons.x, polygons.y, np.repeat(np.arange(rows.n), np.diff(first)), rows.n))


def _keypoints(rows: Rows) -> pa.Array:
    points = rows.columns["keypoints"]
    owner = np.repeat(np.arange(rows.n), pc.list_value_length(points).to_numpy(zero_copy_only=False))
    _, *axes, visibility = points.flatten().flatten()
    x, y = (axis.fill_null(np.nan).to_numpy(zero_copy_only=False) for axis in axes)
    is_labelled = visibility.fill_null(1).to_numpy(zero_copy_only=False) != 0
    chosen = np.isfinite(x) & np.isfinite(y) & (is_labelled | (x != 0) | (y != 0))
    return _column(_around(x[chosen], y[chosen], owner[chosen], rows.n))


def _around(x: Any, y: Any, owner: Any, n_rows: int) -> Floats:
    """Give (4, n_rows) covers of points, NaN without one; `owner` tells the row of each, ascending."""
    corners = np.full((4, n_rows), np.nan)
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    if first.size:
        corners[:, owner[first]] = cover_of(x, y, first)
    return corners


def _masks(rows: Rows) -> pa.Array:
    from predarrow_engine.rle_cover import covers_of_runs

    corners = covers_of_runs(*runs_of(rows)).bbox
    if n_empty := int((np.isnan(corners[0]) & ~rows.refusals.bad).sum()):
        rows.lost[EMPTY_MASK] += n_empty
    return _column(corners)


def _column(corners: Floats) -> pa.Array:
    """Give (4, n) corners as a column, null where they are NaN."""
    sides = [numbers_array(np.ascontiguousarray(side)) for side in corners]
    return pa.Array.from_buffers(BBOX, corners.shape[1], [validity(~np.isnan(corners[0]))], children=sides)
