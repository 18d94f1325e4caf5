"""Encord's own coordinate objects -> the shapes of this package, told by the names of their classes.

So a script that was written for Encord's SDK keeps its geometry; the SDK itself is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from predarrow.labels.geometries import Bitmask, Circle, Cuboid, Cuboid2D, Ellipse, Point, Polyline, Skeleton
from predarrow.objects.predictions import BoundingBox, Polygon
from predarrow.objects.shapes import ShapeError
from predarrow.refusals import shown


def from_box(given: Any) -> BoundingBox:
    """Give a `BoundingBoxCoordinates` or `RotatableBoundingBoxCoordinates` as a box."""
    theta = getattr(given, "theta", 0.0)
    return BoundingBox(given.top_left_x, given.top_left_y, given.width, given.height, theta)


def from_polygon(given: Any) -> Polygon:
    """Give a `PolygonCoordinates` with all its parts and holes."""
    return Polygon([[_points(ring) for ring in part] for part in given.polygons])


def from_polyline(given: Any) -> Polyline:
    """Give a `PolylineCoordinates` of an image."""
    return Polyline(_points(given.values))


def from_point(given: Any) -> Point:
    """Give a `PointCoordinate`."""
    return Point(given.x, given.y)


def from_skeleton(given: Any) -> Skeleton:
    """Give a `SkeletonCoordinates`; colours, hashes and values of its points are the template's."""
    points = {point.name: (point.x, point.y, _text(point.visibility)) for point in given.values}
    if len(points) < len(given.values):
        names = [point.name for point in given.values]
        twice = next(name for name in names if names.count(name) > 1)
        raise ShapeError("points", f"must each have a name of its own, got {twice!r} twice")
    return Skeleton(points)


def from_circle(given: Any) -> Circle:
    """Give a `CircleCoordinates`."""
    return Circle(given.center_x, given.center_y, given.radius, given.stretch, given.theta)


def from_ellipse(given: Any) -> Ellipse:
    """Give an `EllipseCoordinates`."""
    return Ellipse(given.center_x, given.center_y, given.rx, given.ry, given.theta)


def from_cuboid(given: Any) -> Cuboid:
    """Give a `CuboidCoordinates`."""
    return Cuboid(given.position, given.orientation, given.size)


def from_cuboid_2d(given: Any) -> Cuboid2D:
    """Give a `Cuboid2DPerspectiveCoordinates` or `Cuboid2DIsometricCoordinates`."""
    front = _points(given.front)
    if hasattr(given, "offset"):
        return Cuboid2D(front, offset=(given.offset.x, given.offset.y))
    return Cuboid2D(front, (given.vanishing_point.x, given.vanishing_point.y), given.scale_ratio)


def from_bitmask(given: Any) -> Bitmask:
    """Give a `BitmaskCoordinates`, whose run lengths go along the rows, with those down the columns."""
    from predarrow_engine.rle_rows import to_columns
    from predarrow_engine.rle_text import from_strings, to_strings

    found = given.to_dict()
    height, width, text = found["height"], found["width"], found["rleString"].encode()
    along_rows = np.array([[width, height]], np.int64)
    runs = from_strings(np.frombuffer(text, np.uint8), np.array([0, len(text)]), along_rows)
    if runs.flaw[0]:
        rule = f"must be Encord's run lengths of {width} x {height} pixels"
        raise ShapeError("rleString", f"{rule}, got {shown(found['rleString'])}")
    strings, _ = to_strings(*to_columns(runs.counts, runs.offsets, along_rows[:, ::-1]))
    return Bitmask({"size": [height, width], "counts": strings.tobytes()})


ENCORD: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "BitmaskCoordinates": (Bitmask, from_bitmask),
    "BoundingBoxCoordinates": (BoundingBox, from_box),
    "CircleCoordinates": (Circle, from_circle),
    "Cuboid2DIsometricCoordinates": (Cuboid2D, from_cuboid_2d),
    "Cuboid2DPerspectiveCoordinates": (Cuboid2D, from_cuboid_2d),
    "CuboidCoordinates": (Cuboid, from_cuboid),
    "EllipseCoordinates": (Ellipse, from_ellipse),
    "PointCoordinate": (Point, from_point),
    "PolygonCoordinates": (Polygon, from_polygon),
    "PolylineCoordinates": (Polyline, from_polyline),
    "RotatableBoundingBoxCoordinates": (BoundingBox, from_box),
    "SkeletonCoordinates": (Skeleton, from_skeleton),
}
"""By the name of Encord's class: the shape it is, and what gives it"""


def _points(points: Sequence[Any]) -> list[tuple[Any, Any]]:
    if any(hasattr(point, "z") for point in points):
        raise ShapeError("points", "must lie in an image (x and y), got points of a scene (with z)")
    return [(point.x, point.y) for point in points]


def _text(visibility: Any) -> Any:
    return None if visibility is None else getattr(visibility, "value", visibility)
