"""Geometry columns -> the geometries of OpenLABEL's `object_data`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.openlabel.write_numbers import centres, radians_of
from predarrow.formats.write_text import text_of
from predarrow.geometry.conversion import Rows
from predarrow.geometry.shapes import corners_of, runs_of, turned_of
from predarrow.refusals import Refusals
from predarrow.report import Code
from predarrow.table import polygon_columns

ABSOLUTE = "MODE_POLY2D_ABSOLUTE"

_WITH_AREA = ("ellipse", "circle", "cuboid_2d")
_HINT = "; predarrow.to_polygons(table) gives polygons of it"


class Mask(NamedTuple):
    """Run lengths, down the columns."""

    counts: npt.NDArray[np.uint32]
    height: int
    width: int


class Shape(NamedTuple):
    """One geometry, without what it is called and its attributes."""

    type: str
    """Its list in `object_data`: "bbox", "cuboid", ..."""
    members: dict[str, Any]
    """`val`, and what its type asks for beside it."""
    is_hole: bool | None = None
    """Of the rings of polygons that have several."""
    mask: Mask | None = None
    """What an image is painted from, which then has no `val`."""


def shapes_of(columns: dict[str, pa.Array], refusals: Refusals) -> list[list[Shape]]:
    """Give the geometries of rows: one each, of a polygon one for each ring; none of rows that are refused.

    Args:
        columns: of the prediction table, as `tables.checks` lets them pass.
        refusals: of as many rows; told of kinds that OpenLABEL has no geometry for.
    """
    shapes: list[list[Shape]] = [[] for _ in refusals.bad]
    kinds = columns["kind"].dictionary_encode()
    places = kinds.indices.to_numpy(zero_copy_only=False)
    for place, kind in enumerate(kinds.dictionary.to_pylist()):
        chosen = np.flatnonzero((places == place) & ~refusals.bad)
        if not chosen.size:
            continue
        if kind not in _MAKERS:
            where = np.zeros(len(shapes), np.bool_)
            where[chosen] = True
            rule = f"must be a kind that OpenLABEL has ({', '.join(_MAKERS)}), got {kind}"
            rule += _HINT if kind in _WITH_AREA else ""
            refusals.add(where, Code.CANNOT_HOLD, "kind", rule)
            continue
        part = Refusals(refusals.rows[chosen])
        rows = Rows({name: column.take(pa.array(chosen)) for name, column in columns.items()}, part, Counter())
        made = _MAKERS[kind](rows)
        refusals.problems += part.problems
        refusals.bad[chosen] |= part.bad
        for row, shape, is_bad in zip(chosen.tolist(), made, part.bad.tolist(), strict=True):
            shapes[row] = [] if is_bad else shape
    return shapes


def _boxes(rows: Rows) -> list[list[Shape]]:
    corners = corners_of(rows)
    _refuse_flat(rows, corners)
    rotation = rows.columns["rotation"].fill_null(0.0).to_numpy(zero_copy_only=False)
    rule = "must not be rotated for a bbox: a rotated_bbox is written as rbbox"
    rows.refusals.add(rotation != 0, Code.CANNOT_HOLD, "rotation", lambda row: f"{rule}, got {rotation[row]} degrees")
    return [[Shape("bbox", {"val": list(numbers)})] for numbers in _centred(corners)]


def _turned_boxes(rows: Rows) -> list[list[Shape]]:
    degrees, corners = turned_of(rows).degrees, corners_of(rows)
    _refuse_flat(rows, corners)
    with_angle = zip(_centred(corners), radians_of(degrees).tolist(), strict=True)
    return [[Shape("rbbox", {"val": [*numbers, angle]})] for numbers, angle in with_angle]


def _refuse_flat(rows: Rows, corners: Any) -> None:
    """Refuse boxes without an area, which no reader of OpenLABEL takes."""
    is_flat = (corners[0] == corners[2]) | (corners[1] == corners[3])
    rule = "must be wider and higher than 0 for OpenLABEL"
    rows.refusals.add(is_flat, Code.BAD_SIZE, "column bbox", lambda row: f"{rule}, got {corners[:, row].tolist()}")


def _centred(corners: Any) -> zip[tuple[float, ...]]:
    (x, width), (y, height) = centres(corners[0], corners[2]), centres(corners[1], corners[3])
    return zip(*(axis.tolist() for axis in (x, y, width, height)), strict=True)


def _polygons(rows: Rows) -> list[list[Shape]]:
    polygons = polygon_columns(pa.chunked_array([rows.columns["polygon"]]))
    rings = _rings(rows)
    shapes = []
    ends = polygons.part_offsets.tolist()
    base = ends[0]
    for first, last in zip(polygons.row_offsets[:-1].tolist(), polygons.row_offsets[1:].tolist(), strict=True):
        row = []
        for begin, end in zip(ends[first:last], ends[first + 1 : last + 1], strict=True):
            row += [_poly2d(rings[ring - base], is_hole=ring > begin) for ring in range(begin, end)]
        shapes.append(row if len(row) > 1 else [shape._replace(is_hole=None) for shape in row])
    return shapes


def _poly2d(val: list[float], *, is_hole: bool | None, closed: bool = True) -> Shape:
    return Shape("poly2d", {"val": val, "mode": ABSOLUTE, "closed": closed}, is_hole)


def _polylines(rows: Rows) -> list[list[Shape]]:
    counts = np.array([sum(map(len, parts)) for parts in rows.columns["polygon"].to_pylist()])
    rule = "must be one part of one ring for a polyline"
    rows.refusals.add(counts != 1, Code.BAD_VALUE, "column polygon", lambda row: f"{rule}, got {counts[row]} rings")
    places = (np.cumsum(counts) - counts).tolist()
    rings = [*_rings(rows), []]
    lengths = np.array([len(rings[place]) // 2 for place in places])
    least = "must have at least 2 vertices for OpenLABEL"
    rows.refusals.add(lengths < 2, Code.CANNOT_HOLD, "column polygon", lambda row: f"{least}, got {lengths[row]}")
    return [[_poly2d(rings[place], is_hole=None, closed=False)] for place in places]


def _rings(rows: Rows) -> list[list[float]]:
    """Give x and y in turn of all rings, the shortest decimals that are the same 32-bit floats."""
    rings = rows.columns["polygon"].flatten().flatten()
    vertices = rings.flatten()
    axes = [pc.cast(text_of(axis), pa.float64()).to_numpy() for axis in vertices.flatten()]
    ends = 2 * np.cumsum(pc.list_value_length(rings).to_numpy())
    return [ring.tolist() for ring in np.split(np.stack(axes, 1).ravel(), ends[:-1])] if len(rings) else []


def _points(rows: Rows) -> list[list[Shape]]:
    column = rows.columns["keypoints"]
    counts = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    rule = "must be one point for OpenLABEL's point2d"
    rows.refusals.add(counts != 1, Code.CANNOT_HOLD, "keypoints", lambda row: f"{rule}, got {counts[row]}")
    shapes = []
    for row, points in enumerate(column.to_pylist()):
        x, y = (points[0]["x"], points[0]["y"]) if counts[row] == 1 else (None, None)
        if x is None or y is None or not np.isfinite([x, y]).all():
            if not rows.refusals.bad[row]:
                rows.refusals.add_one(row, Code.BAD_NUMBER, "keypoints", f"x and y must be finite, got {x} and {y}")
            shapes.append([Shape("point2d", {})])
        else:
            shapes.append([Shape("point2d", {"val": [_decimal(x), _decimal(y)]})])
    return shapes


def _decimal(number: float) -> float:
    return float(str(np.float32(number)))


def _masks(rows: Rows) -> list[list[Shape]]:
    masks = runs_of(rows)
    shapes = []
    for row, (height, width) in enumerate(masks.sizes.tolist()):
        counts = masks.runs.counts[slice(*masks.runs.offsets[row : row + 2].tolist())]
        members = {"mime_type": "image/png", "encoding": "base64"}
        shapes.append([Shape("image", members, mask=Mask(counts, height, width))])
    return shapes


def _cuboids(rows: Rows) -> list[list[Shape]]:
    numbers = [field.fill_null(np.nan).to_numpy(zero_copy_only=False) for field in rows.columns["cuboid"].flatten()]
    values = np.stack(numbers, 1)
    is_lost = np.isnan(values).any(axis=1)
    hint = "0, 0, 0, 1 is no rotation"
    rows.refusals.add(is_lost, Code.CANNOT_HOLD, "cuboid", f"must have a quaternion for OpenLABEL, got null; {hint}")
    return [[Shape("cuboid", {"val": row})] for row in values.tolist()]


_MAKERS: Mapping[str, Callable[[Rows], list[list[Shape]]]] = {
    "bbox": _boxes,
    "rotated_bbox": _turned_boxes,
    "polygon": _polygons,
    "polyline": _polylines,
    "keypoints": _points,
    "bitmask": _masks,
    "cuboid": _cuboids,
}
