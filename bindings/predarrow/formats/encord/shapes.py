"""Frame objects of one shape -> columns in pixels; those whose geometry does not hold are refused.

Every function takes n objects of one type of `wire`, (n, 2) height and width of their images as floats, and n refusals.
Where a size is not known it is 0 for bitmasks and cuboids, which can do without; other objects are refused before and
have 1 in its place. What a function gives for a refused object has no meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from predarrow.formats.encord import wire
from predarrow.formats.encord.boxes import boxes, circles, ellipses, rotatable_boxes
from predarrow.formats.encord.columns import Floats, Shaped
from predarrow.formats.encord.cuboids import cuboids
from predarrow.formats.encord.flaws import PartRefusals
from predarrow.formats.encord.joints import point_objects, skeletons
from predarrow.formats.encord.masks import bitmasks
from predarrow.formats.encord.rings import flat_cuboids, polygons, polylines

SHAPES: dict[type, tuple[str, Callable[[Any, Floats, PartRefusals], Shaped]]] = {
    wire.BoxObject: ("bbox", boxes),
    wire.RotatableBoxObject: ("rotated_bbox", rotatable_boxes),
    wire.PolygonObject: ("polygon", polygons),
    wire.PolylineObject: ("polyline", polylines),
    wire.PointObject: ("keypoints", point_objects),
    wire.SkeletonObject: ("skeleton", skeletons),
    wire.BitmaskObject: ("bitmask", bitmasks),
    wire.CuboidObject: ("cuboid", cuboids),
    wire.Cuboid2DObject: ("cuboid_2d", flat_cuboids),
    wire.CircleObject: ("circle", circles),
    wire.EllipseObject: ("ellipse", ellipses),
}
"""Kind in the table, and how it is made, by the type of frame object."""
