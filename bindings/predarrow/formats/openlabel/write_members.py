"""A row's geometries as they are written: name, value, attributes, and what was kept of others."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import msgspec

from predarrow.formats.openlabel.write_attributes import Elements, Lifted, Members, elements_of
from predarrow.formats.openlabel.write_geometry import Shape
from predarrow.formats.openlabel.write_rows import Row

_CLOSE = 1e-9
_CLOSE_32 = 1e-6  # of vertices, which the table has as 32-bit floats


class Geometry(NamedTuple):
    """An element of a list in `object_data`."""

    type: str
    members: Members


def geometries_of(row: Row, polygon_id: str) -> list[Geometry]:
    """Give the geometries of a row, one for each of its shapes.

    Args:
        row: one that is not refused.
        polygon_id: joins the rings of a polygon that has several, where what was kept of them does not.
    """
    item, shapes = row.item, row.shapes
    kept = item.openlabel
    name = row.class_name if item.name is None else item.name
    lifted = Lifted(row.confidence, row.stream)
    if len(shapes) == 1:
        return [_geometry(shapes[0], name, kept.val, kept.geometry, elements_of(item, lifted))]
    if len(kept.rings) == len(shapes):
        return [_ring(row, shape, dict(ring)) for shape, ring in zip(shapes, kept.rings, strict=True)]
    elements = elements_of(item, lifted)
    return [
        _geometry(shape, name, None, kept.geometry, _joined(elements, polygon_id, is_hole=bool(shape.is_hole)))
        for shape in shapes
    ]


def _ring(row: Row, shape: Shape, ring: Members) -> Geometry:
    name, val, attributes = ring.pop("name", row.class_name), ring.pop("val", None), ring.pop("attributes", {})
    item = msgspec.structs.replace(
        row.item, attributes=attributes, openlabel=msgspec.structs.replace(row.item.openlabel, geometry=ring)
    )
    return _geometry(shape, name, val, ring, elements_of(item, Lifted(row.confidence, row.stream)))


def _joined(elements: Elements, polygon_id: str, *, is_hole: bool) -> Elements:
    told = {"text": ("polygon_id", polygon_id), "boolean": ("is_hole", is_hole)}
    more: Elements = {}
    for kind, (name, val) in told.items():
        others = [element for element in elements.get(kind, ()) if element.get("name") != name]
        more[kind] = [*others, {"name": name, "val": val}]
    return elements | more


def _geometry(shape: Shape, name: str, kept_val: Any, more: Members, elements: Elements) -> Geometry:
    members = {"name": name, **more, **shape.members}
    if kept_val is not None and "val" in shape.members and _agrees(shape, kept_val):
        members["val"] = kept_val
    if elements:
        members["attributes"] = elements
    return Geometry(shape.type, members)


def _agrees(shape: Shape, kept: Any) -> bool:
    """Tell whether a value that was kept is what the columns have, up to what they could not hold."""
    made = shape.members["val"]
    if not isinstance(kept, list) or not all(isinstance(number, float | int) for number in kept):
        return False
    if shape.type == "cuboid" and len(kept) == 9:
        kept = _with_quaternion(kept)
        if sum(one * other for one, other in zip(kept[3:7], made[3:7], strict=True)) < 0:  # the same rotation
            kept = [*kept[:3], *(-number for number in kept[3:7]), *kept[7:]]
    if len(kept) != len(made):
        return False
    close = _CLOSE_32 if shape.type in ("poly2d", "point2d") else _CLOSE
    return all(map(partial(math.isclose, rel_tol=close, abs_tol=_CLOSE), kept, made))


def _with_quaternion(numbers: list[float]) -> list[float]:
    from predarrow_engine.cuboids import from_euler

    converted: list[float] = from_euler([numbers])[0].tolist()
    return converted
