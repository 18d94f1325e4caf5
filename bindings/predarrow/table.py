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

from predarrow.buffers import TEXT_LIMIT, numbers_array, text_array

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
PLACES = {name: place for place, name in enumerate(SCHEMA.names)}
"""Place of each column in the schema."""
_FLOAT32 = pa.float32()
_FLOAT64 = pa.float64()
_F4, _I4 = np.dtype(np.float32), np.dtype(np.int32)
_ARRAYS = (pa.Array, np.ndarray)
_FEW = 1 << 9
_MANY = 1 << 16
_SHORT = 8  # characters of a text that is worth its memory


def record_batch(n_rows: int, columns: Mapping[str, Any]) -> pa.RecordBatch:
    """Give a batch of `n_rows` in the table's schema; columns that are not named are null.

    Args:
        n_rows: number of rows.
        columns: arrays, or scalars that hold for every row, by column name.

    Raises:
        KeyError: a name that is no column of the schema.
    """
    return pa.RecordBatch.from_arrays(columns_in_order(n_rows, columns), schema=SCHEMA)


def columns_in_order(n_rows: int, columns: Mapping[str, Any]) -> list[pa.Array]:
    """Give a batch's columns in the schema's order; arguments and errors are those of `record_batch`."""
    result: list[pa.Array | None] = list(_few_nulls(n_rows)) if n_rows <= _FEW else [None] * len(_TYPES)
    for name, value in columns.items():
        if name not in PLACES:
            raise KeyError(f"no such columns: {sorted(columns.keys() - PLACES.keys())}")
        place = PLACES[name]
        if isinstance(value, _ARRAYS):
            result[place] = _column(value, _TYPES[place])
        elif value is not None:
            result[place] = _constant(n_rows, place, value)
    return [_constant(n_rows, place, None) if one is None else one for place, one in enumerate(result)]


def _column(values: pa.Array | npt.NDArray[Any], type_: pa.DataType) -> pa.Array:
    if isinstance(values, np.ndarray):
        return numbers_array(values, type_)
    return values if values.type == type_ else values.cast(type_)


Value = str | float | None
"""Of all rows of a column; None is null."""


def _repeat(n_rows: int, place: int, value: Value) -> pa.Array:
    """Give the column at a place of the schema, with one value in all rows."""
    type_ = _TYPES[place]
    if value is None:
        return pa.nulls(n_rows, type_)
    if not (isinstance(value, str) and pa.types.is_string(type_)):
        one = np.array([value])
        if type(value) is int and pa.types.is_signed_integer(type_) and value.bit_length() < type_.bit_width:
            one = one.astype(type_.to_pandas_dtype())  # Arrow's cast would take 30 ms to load in a new process
        return pa.repeat(numbers_array(one, type_)[0], n_rows)
    text = value.encode()
    if len(text) * n_rows > TEXT_LIMIT:
        return pa.repeat(text_array([value])[0], n_rows)
    offsets = np.arange(0, len(text) * n_rows + 1, len(text), np.int32) if text else np.zeros(n_rows + 1, np.int32)
    return pa.StringArray.from_buffers(n_rows, pa.py_buffer(offsets), pa.py_buffer(text * n_rows))


# Made anew, the null and constant columns of one mask's rows cost 70 us, more than all others together. Kept ones of
# the very length cost nothing, slices of longer ones 0.5 us each.
_few = lru_cache(maxsize=256)(_repeat)
_many = lru_cache(maxsize=64)(_repeat)


@lru_cache(maxsize=128)
def _few_nulls(n_rows: int) -> tuple[pa.Array, ...]:
    return tuple([_repeat(n_rows, place, None) for place in range(len(_TYPES))])


def constant_column(n_rows: int, name: str, value: Value) -> pa.Array:
    """Give a column of the schema with one value in all rows."""
    return _constant(n_rows, PLACES[name], value)


def _constant(n_rows: int, place: int, value: Value) -> pa.Array:
    if n_rows <= _FEW:
        return _few(n_rows, place, value)
    if n_rows <= _MANY and not (isinstance(value, str) and len(value) > _SHORT):
        return _many(1 << n_rows.bit_length(), place, value).slice(0, n_rows)
    return _repeat(n_rows, place, value)


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
    # From buffers: half the time of StructArray.from_arrays and ListArray.from_arrays, which infer and check.
    make, n = pa.Array.from_buffers, len(x)
    coordinates = [make(_FLOAT32, n, [None, _buffer(values, _F4)]) for values in (x, y)]
    vertices = make(VERTEX, n, [None], children=coordinates)
    rings = make(_RING, len(ring_offsets) - 1, [None, _buffer(ring_offsets, _I4)], children=[vertices])
    parts = make(_PART, len(part_offsets) - 1, [None, _buffer(part_offsets, _I4)], children=[rings])
    return make(POLYGON, len(row_offsets) - 1, [None, _buffer(row_offsets, _I4)], children=[parts])


def bbox_array(corners: npt.NDArray[np.float64]) -> pa.Array:
    """Give boxes as a bbox column.

    Args:
        corners: (4, n_rows) xmin, ymin, xmax and ymax in pixels.
    """
    make, n_rows = pa.Array.from_buffers, corners.shape[1]
    rows = np.ascontiguousarray(corners, np.float64)
    children = [make(_FLOAT64, n_rows, [None, pa.py_buffer(row)]) for row in rows]
    return make(BBOX, n_rows, [None], children=children)


def _buffer(values: npt.NDArray[Any], dtype: np.dtype[Any]) -> pa.Buffer:
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
