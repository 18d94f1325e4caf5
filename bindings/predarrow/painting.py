"""Polygons of one image -> its label mask: the way back from `from_label_mask`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.errors import PredarrowError
from predarrow.options import whole_number
from predarrow.reader import PredictionReader
from predarrow.refusals import shown
from predarrow.table import PolygonColumns, polygon_columns

_IMAGE = ("data_unit", "frame")
_COLUMNS = (*_IMAGE, "class_name", "polygon")
_LARGEST = 2**32 - 1
_NUMBER = re.compile("-?[0-9]+")


def to_label_mask(
    table: Any,
    *,
    values: Mapping[str, int] | None = None,
    height: int | None = None,
    width: int | None = None,
    background: int = 0,
) -> npt.NDArray[np.unsignedinteger]:
    """Give the label mask of one image's polygons: exactly the one that edge outlines were traced from.

    A pixel belongs to a polygon if its centre lies in it, holes left open; later rows are painted over earlier
    ones. Contours through pixel centres (`outline="center"`) do not cover their border pixels.

    Args:
        table: prediction rows of one data unit and frame: a table, a batch, or anything with
            `__arrow_c_stream__`.
        values: pixel value by class name; without it the class names must be numbers, as masks without
            `classes` have them.
        height, width: pixels; where they are not given, the rows' image_height and image_width.
        background: value where no polygon is.

    Returns:
        (height, width) uint8, uint16 or uint32, the smallest that holds the values.

    Raises:
        PredarrowError: no prediction table, rows of several images, without a polygon, of unknown size, or whose
            value is none from 0 to 4294967295.

    >>> from predarrow import from_label_mask
    >>> mask = np.array([[0, 7, 7], [7, 0, 7]], np.uint8)
    >>> to_label_mask(from_label_mask(mask)).tolist()
    [[0, 7, 7], [7, 0, 7]]
    """
    from predarrow_engine.raster import rasterize

    rows = _rows(table)
    shape = (_size(rows, "image_height", height), _size(rows, "image_width", width))
    images = rows.select(_IMAGE).group_by(list(_IMAGE)).aggregate([])
    if images.num_rows > 1:
        raise PredarrowError(f"to_label_mask: must be rows of one image, got {images.num_rows} images; filter them")
    ground = whole_number("background", background, 0, _LARGEST)
    painted = _values(rows, values)
    mask = np.full(shape, ground, np.min_scalar_type(max(int(painted.max(initial=0)), ground)))
    if rows.num_rows:
        x, y, ring_offsets, part_offsets, row_offsets = _polygons(rows)
        rasterize(x, y, ring_offsets, part_offsets, row_offsets, painted, mask)
    return mask


def _rows(table: Any) -> pa.Table:
    if isinstance(table, PredictionReader):  # as it is: through a stream its errors would be Arrow's
        table = table.read_all()
    try:
        rows = pa.table(table)
    except (TypeError, ValueError) as error:  # Arrow's own errors are ValueErrors
        raise PredarrowError(f"to_label_mask: must be a table of predictions, got {shown(table)} ({error})") from None
    if missing := [name for name in _COLUMNS if name not in rows.column_names]:
        raise PredarrowError(f"to_label_mask: must have the columns {', '.join(_COLUMNS)}, got no {missing[0]}")
    return rows


def _size(rows: pa.Table, name: str, given: int | None) -> int:
    if given is not None:
        return whole_number(name.removeprefix("image_"), given, 0)
    known = rows[name].unique().to_pylist()
    if len(known) != 1 or known[0] is None:
        raise PredarrowError(f"to_label_mask: {name} must be one known size, got {known}; give height and width")
    size: int = known[0]
    return size


def _values(rows: pa.Table, values: Mapping[str, int] | None) -> npt.NDArray[np.int64]:
    given: object = values
    if given is not None and not isinstance(given, Mapping):
        raise PredarrowError(f"values: must be a mapping from class names to pixel values, got {shown(given)}")
    names = rows["class_name"].combine_chunks().dictionary_encode()
    by_name = []
    for name in names.dictionary.to_pylist():
        value = values.get(name) if values is not None else int(name) if _NUMBER.fullmatch(name) else None
        if value is None:
            raise PredarrowError(f"to_label_mask: class {name!r} must have a pixel value; give it in values=")
        by_name.append(whole_number(f"value of class {name!r}", value, 0, _LARGEST))
    result: npt.NDArray[np.int64] = np.array(by_name, np.int64)[names.indices.to_numpy()]
    return result


def _polygons(rows: pa.Table) -> PolygonColumns:
    column = rows["polygon"]
    if column.null_count:
        row = pc.index(column.is_null(), True).as_py()
        raise PredarrowError(f"to_label_mask: row {row}: must have a polygon, got none")
    polygons = polygon_columns(column)
    if not (np.isfinite(polygons.x).all() and np.isfinite(polygons.y).all()):
        raise PredarrowError("to_label_mask: vertices must be finite numbers")
    return polygons
