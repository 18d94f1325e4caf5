"""The prediction table: one row per prediction per frame, the same for every format.

Coordinates are pixels from the image's top-left corner, x right, y down: pixel (row r, column c) covers
[c, c+1] x [r, r+1]. Boxes are corners. Polygons are parts -> rings -> vertices (GeoArrow's separated
multipolygon): the first ring of a part is its outline, the others are holes, none repeats its first vertex.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

SCHEMA_VERSION = 1

BBOX = pa.struct([pa.field(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")])
VERTEX = pa.struct([pa.field("x", pa.float32(), nullable=False), pa.field("y", pa.float32(), nullable=False)])
POLYGON = pa.list_(pa.list_(pa.list_(VERTEX)))
KEYPOINTS = pa.list_(
    pa.struct([("name", pa.string()), ("x", pa.float32()), ("y", pa.float32()), ("visibility", pa.int8())])
)
MASK = pa.struct([("height", pa.int32()), ("width", pa.int32()), ("counts", pa.binary())])
CUBOID = pa.struct(
    [(name, pa.float64()) for name in ("x", "y", "z", "qx", "qy", "qz", "qw", "width", "length", "height")]
)

SCHEMA = pa.schema(
    [
        pa.field("data_unit", pa.string(), nullable=False),
        pa.field("frame", pa.int32(), nullable=False),
        pa.field("object_id", pa.string()),
        pa.field("feature_hash", pa.string()),
        pa.field("class_name", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("confidence", pa.float64()),
        pa.field("bbox", BBOX),
        pa.field("rotation", pa.float64()),
        pa.field("polygon", POLYGON),
        pa.field("keypoints", KEYPOINTS),
        pa.field("mask", MASK),
        pa.field("cuboid", CUBOID),
        pa.field("stream", pa.string()),
        pa.field("attributes", pa.string()),
        pa.field("image_height", pa.int32()),
        pa.field("image_width", pa.int32()),
        pa.field("source", pa.string()),
        pa.field("row", pa.int64()),
    ],
    metadata={"predarrow.schema_version": str(SCHEMA_VERSION)},
)
"""Schema of every prediction table, version 1."""

SORT_KEYS = ("data_unit", "frame", "row")


def record_batch(n_rows: int, columns: Mapping[str, Any]) -> pa.RecordBatch:
    """Give a batch of `n_rows` in the table's schema; columns that are not named are null.

    Args:
        n_rows: number of rows.
        columns: arrays, or scalars that hold for every row, by column name.

    Raises:
        KeyError: a name that is no column of the schema.
    """
    if unknown := set(columns) - set(SCHEMA.names):
        raise KeyError(f"no such columns: {sorted(unknown)}")
    return pa.record_batch([_column(n_rows, field, columns.get(field.name)) for field in SCHEMA], schema=SCHEMA)


def _column(n_rows: int, field: pa.Field, value: Any) -> pa.Array:
    if value is None:
        return pa.nulls(n_rows, field.type)
    if isinstance(value, pa.Array):
        return value if value.type == field.type else value.cast(field.type)
    if isinstance(value, np.ndarray):
        return pa.array(value, field.type)
    return pa.repeat(pa.scalar(value, field.type), n_rows)


def polygon_array(
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.float32],
    ring_offsets: npt.NDArray[np.int32],
    part_offsets: npt.NDArray[np.int32],
    row_offsets: npt.NDArray[np.int32],
) -> pa.Array:
    """Give flat vertices and offsets as a polygon column, without a copy.

    Args:
        x, y: (n_vertices,) pixels.
        ring_offsets: (n_rings + 1,) first vertex of each ring.
        part_offsets: (n_parts + 1,) first ring of each part.
        row_offsets: (n_rows + 1,) first part of each row.
    """
    vertices = pa.StructArray.from_arrays([pa.array(x), pa.array(y)], fields=list(VERTEX))
    column = vertices
    for offsets in (ring_offsets, part_offsets, row_offsets):
        column = pa.ListArray.from_arrays(pa.array(offsets), column)
    return column


def bbox_array(corners: npt.NDArray[np.float64]) -> pa.Array:
    """Give boxes as a bbox column.

    Args:
        corners: (4, n_rows) xmin, ymin, xmax and ymax in pixels, each contiguous.
    """
    return pa.StructArray.from_arrays([pa.array(values) for values in corners], fields=list(BBOX))
