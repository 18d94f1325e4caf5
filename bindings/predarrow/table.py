"""The prediction table: one row per prediction per frame, the same for every format.

Coordinates are pixels from the image's top-left corner, x right, y down: pixel (row r, column c) covers
[c, c+1] x [r, r+1]. Boxes are corners. Polygons are parts -> rings -> vertices (GeoArrow's separated
multipolygon): the first ring of a part is its outline, the others are holes, none repeats its first vertex.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import numbers_array, text_array

SCHEMA_VERSION = 1

BBOX = pa.struct([pa.field(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")])
VERTEX = pa.struct([pa.field("x", pa.float32(), nullable=False), pa.field("y", pa.float32(), nullable=False)])
_RING = pa.list_(VERTEX)
_PART = pa.list_(_RING)
POLYGON = pa.list_(_PART)
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

_TYPES = [field.type for field in SCHEMA]
_PLACES = {name: place for place, name in enumerate(SCHEMA.names)}
_FLOAT32 = pa.float32()
_FLOAT64 = pa.float64()
_ARRAYS = (pa.Array, np.ndarray)


def record_batch(n_rows: int, columns: Mapping[str, Any]) -> pa.RecordBatch:
    """Give a batch of `n_rows` in the table's schema; columns that are not named are null.

    Args:
        n_rows: number of rows.
        columns: arrays, or scalars that hold for every row, by column name.

    Raises:
        KeyError: a name that is no column of the schema.
    """
    if not _PLACES.keys() >= columns.keys():
        raise KeyError(f"no such columns: {sorted(columns.keys() - _PLACES.keys())}")
    arrays = {name: value for name, value in columns.items() if isinstance(value, _ARRAYS)}
    constants = tuple([(name, columns.get(name)) for name in _PLACES if name not in arrays])
    result = list(_constants(n_rows, constants))
    for name, values in arrays.items():
        place = _PLACES[name]
        result[place] = _column(values, _TYPES[place])
    return pa.RecordBatch.from_arrays(result, schema=SCHEMA)


def _column(values: pa.Array | npt.NDArray[Any], type_: pa.DataType) -> pa.Array:
    if isinstance(values, np.ndarray):
        return numbers_array(values, type_)
    return values if values.type == type_ else values.cast(type_)


Constants = tuple[tuple[str, str | float | None], ...]


def _constant_columns(n_rows: int, constants: Constants) -> list[pa.Array | None]:
    """Give the columns in the schema's order, None for those that are not constant."""
    columns: list[pa.Array | None] = [None] * len(_PLACES)
    for name, value in constants:
        columns[_PLACES[name]] = _repeat(n_rows, _TYPES[_PLACES[name]], value)
    return columns


# Made anew, the null and constant columns of one mask's rows cost 70 us, more than all others together. Kept ones of
# the very length cost nothing, slices of longer ones 10 us.
_kept_whole = lru_cache(maxsize=128)(_constant_columns)
_kept_longer = lru_cache(maxsize=4)(_constant_columns)


def _constants(n_rows: int, constants: Constants) -> list[pa.Array | None]:
    if n_rows <= 1 << 9:
        return _kept_whole(n_rows, constants)
    if n_rows <= 1 << 16:
        longer = _kept_longer(1 << n_rows.bit_length(), constants)
        return [None if column is None else column.slice(0, n_rows) for column in longer]
    return _constant_columns(n_rows, constants)


def _repeat(n_rows: int, type_: pa.DataType, value: str | float | None) -> pa.Array:
    if value is None:
        return pa.nulls(n_rows, type_)
    if isinstance(value, str) and pa.types.is_string(type_):
        one = text_array([value])
    else:
        one = numbers_array(np.array([value]), type_)
    return pa.repeat(one[0], n_rows)


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
    coordinates = [_leaf(_FLOAT32, len(x), _buffer(values, np.float32)) for values in (x, y)]
    column = pa.Array.from_buffers(VERTEX, len(x), [None], children=coordinates)
    for type_, offsets in ((_RING, ring_offsets), (_PART, part_offsets), (POLYGON, row_offsets)):
        column = _leaf(type_, len(offsets) - 1, _buffer(offsets, np.int32), [column])
    return column


def bbox_array(corners: npt.NDArray[np.float64]) -> pa.Array:
    """Give boxes as a bbox column.

    Args:
        corners: (4, n_rows) xmin, ymin, xmax and ymax in pixels.
    """
    n_rows = corners.shape[1]
    children = [_leaf(_FLOAT64, n_rows, _buffer(column, np.float64)) for column in corners]
    return pa.Array.from_buffers(BBOX, n_rows, [None], children=children)


# From buffers: half the time of StructArray.from_arrays and ListArray.from_arrays, which infer and check.
def _leaf(type_: pa.DataType, length: int, data: pa.Buffer, children: list[pa.Array] | None = None) -> pa.Array:
    return pa.Array.from_buffers(type_, length, [None, data], children=children)


def _buffer(values: npt.NDArray[Any], dtype: type[np.number[Any]]) -> pa.Buffer:
    return pa.py_buffer(np.ascontiguousarray(values, dtype))


class PolygonColumns(NamedTuple):
    """Flat vertices and offsets of a polygon column, as `polygon_array` takes them."""

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.float32]
    ring_offsets: npt.NDArray[np.int32]
    part_offsets: npt.NDArray[np.int32]
    row_offsets: npt.NDArray[np.int32]


def polygon_columns(column: pa.ChunkedArray) -> PolygonColumns:
    """Give a polygon column as flat, read-only arrays; a row that is null has no parts.

    One chunk is not copied. Offsets of a slice start where the slice does.
    """
    nested = column.combine_chunks()
    offsets = []
    for _ in range(3):
        offsets.append(nested.offsets.to_numpy())
        nested = nested.values
    x, y = (np.ascontiguousarray(nested.field(axis).to_numpy(), np.float32) for axis in ("x", "y"))
    for values in (x, y):
        values.flags.writeable = False
    return PolygonColumns(x, y, *reversed(offsets))
