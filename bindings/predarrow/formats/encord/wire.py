"""Encord's frame objects as they are written, and the two codings that label rows are read from.

Each shape has a type of its own with every key that Encord writes, so that an object with a key that is not known, or
of another shape, is not taken by mistake: it is read again key by key (`tolerant`).

Files are JSON. Rows in memory go through MessagePack, which holds NaN and infinity, where JSON has null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
from msgspec import Raw, Struct

Point = dict[str, float]
Points = dict[str, Point] | list[Point]
ABSENT = Raw()
"""In place of a member that is not there."""


class FrameObject(Struct, kw_only=True, forbid_unknown_fields=True, gc=False, tag_field="shape"):
    """What objects of every shape have; the ontology's `name`, `color` and `value` may differ from it."""

    keys: ClassVar[tuple[str, ...]]
    """Those of the geometry."""

    objectHash: str
    featureHash: str
    name: str | None = None
    color: str | None = None
    value: str | None = None
    confidence: float | None = None
    createdAt: str | None = None
    createdBy: str | None = None
    lastEditedAt: str | None = None
    lastEditedBy: str | None = None
    manualAnnotation: bool | None = None
    isDeleted: bool | None = None
    reviews: list[Any] | None = None


class Box(Struct, forbid_unknown_fields=True, gc=False):
    """Top-left corner and size, relative to the image's."""

    x: float
    y: float
    w: float
    h: float


class RotatableBox(Struct, forbid_unknown_fields=True, gc=False):
    """A box before it is rotated about its centre, and degrees clockwise on screen."""

    x: float
    y: float
    w: float
    h: float
    theta: float


class Circle(Struct, forbid_unknown_fields=True, gc=False):
    """Centre; radius relative to the width; second half axis in radii; degrees clockwise in pixels."""

    x: float
    y: float
    r: float
    stretch: float = 1.0
    theta: float = 0.0


class Ellipse(Struct, forbid_unknown_fields=True, gc=False):
    """Centre; half axes relative to width and height; degrees clockwise in pixels."""

    x: float
    y: float
    rx: float
    ry: float
    theta: float = 0.0


class Bitmask(Struct, forbid_unknown_fields=True, gc=False):
    """Run lengths along the rows, in COCO's characters, of the whole image."""

    height: int
    width: int
    rleString: str
    top: int = 0
    left: int = 0


class Joint(Struct, forbid_unknown_fields=True, gc=False, omit_defaults=True):
    """A point of a skeleton; the editor has flags instead of `visibility`."""

    x: float
    y: float
    name: str
    color: str | None = None
    featureHash: str | None = None
    value: str | None = None
    visibility: str | None = None
    visible: bool | None = None
    invisible: bool | None = None
    occluded: bool | None = None
    selfOccluded: bool | None = None


class Cuboid(Struct, forbid_unknown_fields=True, gc=False):
    """Centre, Euler angles in radians and size, in the scene's units."""

    position: tuple[float, float, float]
    orientation: tuple[float, float, float]
    size: tuple[float, float, float]


class Cuboid2D(Struct, forbid_unknown_fields=True, gc=False, omit_defaults=True):
    """Corners of the front face, and what tells the back face."""

    front: list[float]
    vanishingPoint: Point | None = None
    scaleRatio: float | None = None
    offset: Point | None = None


class BoxObject(FrameObject, tag="bounding_box"):
    """A bounding box."""

    keys = ("boundingBox",)
    boundingBox: Raw
    """A `Box`, read with many others at once; nearly all that files hold, and kept as it is as often as not."""


class RotatableBoxObject(FrameObject, tag="rotatable_bounding_box"):
    """A rotatable bounding box."""

    keys = ("rotatableBoundingBox",)
    rotatableBoundingBox: RotatableBox


class PolygonObject(FrameObject, tag="polygon"):
    """Parts of rings in `polygons`; the first outline alone in `polygon`, all that older rows have."""

    keys = ("polygon", "polygons")
    polygon: Points | None = None
    polygons: list[list[list[float]]] | None = None


class PolylineObject(FrameObject, tag="polyline"):
    """A polyline; z on all of its points or on none."""

    keys = ("polyline",)
    polyline: Points


class PointObject(FrameObject, tag="point"):
    """A point, with the key "0"."""

    keys = ("point",)
    point: dict[str, Point]


class SkeletonObject(FrameObject, tag="skeleton"):
    """A skeleton."""

    keys = ("skeleton",)
    skeleton: dict[str, Joint]


class BitmaskObject(FrameObject, tag="bitmask"):
    """A bitmask."""

    keys = ("bitmask",)
    bitmask: Bitmask


class CuboidObject(FrameObject, tag="cuboid"):
    """A cuboid in a scene."""

    keys = ("cuboid",)
    cuboid: Cuboid


class Cuboid2DObject(FrameObject, tag="cuboid_2d"):
    """A cuboid in an image."""

    keys = ("cuboid_2d",)
    cuboid_2d: Cuboid2D


class CircleObject(FrameObject, tag="circle"):
    """A circle."""

    keys = ("circle",)
    circle: Circle


class EllipseObject(FrameObject, tag="ellipse"):
    """An ellipse."""

    keys = ("ellipse",)
    ellipse: Ellipse


OBJECTS = (
    BoxObject,
    RotatableBoxObject,
    PolygonObject,
    PolylineObject,
    PointObject,
    SkeletonObject,
    BitmaskObject,
    CuboidObject,
    Cuboid2DObject,
    CircleObject,
    EllipseObject,
)
AnyObject = (
    BoxObject
    | RotatableBoxObject
    | PolygonObject
    | PolylineObject
    | PointObject
    | SkeletonObject
    | BitmaskObject
    | CuboidObject
    | Cuboid2DObject
    | CircleObject
    | EllipseObject
)


_JSON_BOXES = msgspec.json.Decoder(list[Box])
_MESSAGE_PACK_BOXES = msgspec.msgpack.Decoder(list[Box])


def is_json(raw: Raw) -> bool:
    """Tell whether a value is JSON: all others in MessagePack but small whole numbers begin above ASCII."""
    return bytes(memoryview(raw)[:1]) < b"\x80"


def many_boxes(texts: Sequence[Raw]) -> list[Box]:
    """Give boxes of one coding.

    Raises:
        msgspec.DecodeError: one that does not hold, or of another coding.
    """
    if not texts or is_json(texts[0]):
        return _JSON_BOXES.decode(b"[" + b",".join(texts) + b"]")
    return _MESSAGE_PACK_BOXES.decode(b"\xdd" + len(texts).to_bytes(4, "big") + b"".join(texts))
