"""Prediction tables for libraries with a geometry type of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.table import polygon_columns


def to_shapely(table: Any) -> npt.NDArray[np.object_]:
    """Give the polygons as Shapely multipolygons, in pixels, y down; None where a row has none.

    Asks for the extra: `pip install predarrow[shapely]`.

    Args:
        table: prediction rows: a table, a batch, or anything with `__arrow_c_stream__`.

    >>> from predarrow import from_label_mask
    >>> to_shapely(from_label_mask(np.eye(2, dtype=np.uint8)))[0].area
    2.0
    """
    import shapely

    column = pa.table(table)["polygon"]
    x, y, ring_offsets, part_offsets, row_offsets = polygon_columns(column)
    lengths = np.diff(ring_offsets)
    has_vertices = lengths > 0
    closed_offsets = np.concatenate([[0], np.cumsum(lengths + has_vertices)])
    # a ring is closed by its first vertex
    source = np.arange(closed_offsets[-1]) - np.repeat(np.cumsum(has_vertices) - has_vertices, lengths + has_vertices)
    source[closed_offsets[1:][has_vertices] - 1] = ring_offsets[:-1][has_vertices]
    coordinates = np.column_stack([x, y]).astype(np.float64)[source]
    polygons: npt.NDArray[np.object_] = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON, coordinates, (closed_offsets, part_offsets, row_offsets)
    )
    polygons[column.is_null().to_numpy()] = None
    return polygons
