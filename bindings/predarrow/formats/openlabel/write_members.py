"""A row's geometries as they are written: name, value, attributes, and what was kept of others."""

from __future__ import annotations

import math
from functools import partial
from itertools import accumulate
from typing import Any, NamedTuple

import msgspec

from predarrow.formats.openlabel.write_attributes import Elements, Lifted, Members, elements_of
from predarrow.formats.openlabel.write_geometry import Shape
from predarrow.formats.openlabel.write_rows import Row

RELATIVE = "MODE_POLY2D_RELATIVE"

_N_EULER = 9
_CLOSE = 1e-9
_CLOSE_32 = 1e-6  # of vertices, which the table has as 32-bit floats


class Geometry(NamedTuple):
    """An element of a list in `object_data`."""

    type: str
    members: Members


def geometries_of(row: Row, polygon_id: str, default: float) -> list[Geometry]:
    """Give the geometries of a row, one for each of its shapes.

    Args:
        row: one that is not refused.
        polygon_id: joins the rings of a polygon that has several, where what was kept of them does not.
        default: the confidence that readers take where the geometry tells none.
    """
    item, shapes = row.item, row.shapes
    kept = item.openlabel
    name = row.class_name if item.name is None else item.name
    lifted = Lifted(row.confidence, row.stream, default)
    if len(shapes) == 1:
        return [_geometry(shapes[0], name, kept.val, kept.geometry, elements_of(item, lifted))]
    if len(kept.rings) == len(shapes):
        return _rings(row, kept.rings, lifted)
    elements = elements_of(item, lifted)
    return [
        _geometry(shape, name, None, kept.geometry, _joined(elements, polygon_id, is_hole=bool(shape.is_hole)))
        for shape in shapes
    ]


def _rings(row: Row, rings: list[Members], lifted: Lifted) -> list[Geometry]:
    """Give rings as they were kept; their attributes, too, where those of the first agree with the columns."""
    made = [_ring_elements(row, ring, lifted) for ring in rings]
    if made[0] == rings[0].get("attributes"):
        made = [ring.get("attributes", {}) for ring in rings]
    geometries = []
    for shape, ring, elements in zip(row.shapes, rings, made, strict=True):
        more = {name: value for name, value in ring.items() if name not in ("name", "val", "attributes")}
        geometries.append(_geometry(shape, ring.get("name", row.class_name), ring.get("val"), more, elements))
    return geometries


def _ring_elements(row: Row, ring: Members, lifted: Lifted) -> Elements:
    more = msgspec.structs.replace(row.item.openlabel, geometry=ring)
    item = msgspec.structs.replace(row.item, attributes=ring.get("attributes", {}), openlabel=more)
    return elements_of(item, lifted)


def _joined(elements: Elements, polygon_id: str, *, is_hole: bool) -> Elements:
    told = {"text": ("polygon_id", polygon_id), "boolean": ("is_hole", is_hole)}
    more: Elements = {}
    for kind, (name, val) in told.items():
        others = [element for element in elements.get(kind, ()) if element.get("name") != name]
        more[kind] = [*others, {"name": name, "val": val}]
    return elements | more


def _geometry(shape: Shape, name: str, kept: Any, more: Members, elements: Elements) -> Geometry:
    members = {"name": name} | more | {"name": name} | shape.members
    members.pop("attributes", None)
    if kept is not None and "val" in shape.members and _agrees(shape, kept, more):
        members["val"] = kept
        if "mode" in more:
            members["mode"] = more["mode"]
    if elements:
        members["attributes"] = elements
    return Geometry(shape.type, members)


def _agrees(shape: Shape, kept: Any, more: Members) -> bool:
    """Tell whether a value that was kept is what the columns have, up to what they could not hold."""
    made = shape.members["val"]
    if not isinstance(kept, list) or not all(isinstance(number, float | int) for number in kept):
        return False
    if shape.type == "cuboid" and len(kept) == _N_EULER:
        kept = _with_quaternion(kept)
    elif shape.type == "poly2d":
        kept = _vertices(kept, more)
    if len(kept) != len(made):
        return False
    close = _CLOSE_32 if shape.type in ("poly2d", "point2d") else _CLOSE
    return all(map(partial(math.isclose, rel_tol=close, abs_tol=_CLOSE), kept, made))


def _vertices(kept: list[float], more: Members) -> list[float]:
    """Give the vertices of a poly2d as the table has them: absolute, the first one once."""
    x, y = kept[::2], kept[1::2]
    if more.get("mode") == RELATIVE:
        x, y = list(accumulate(x)), list(accumulate(y))
    if more.get("closed") and len(x) > 2 and (x[0], y[0]) == (x[-1], y[-1]):
        x, y = x[:-1], y[:-1]
    return [number for vertex in zip(x, y, strict=False) for number in vertex]


def _with_quaternion(numbers: list[float]) -> list[float]:
    from predarrow_engine.cuboids import from_euler

    converted: list[float] = from_euler([numbers])[0].tolist()
    return converted
