"""Where an object is: one class for each of Encord's shapes, beside `BoundingBox` and `Polygon`.

Objects only hold what they are given and never change it. Relative x are shares of the image's width, relative y of
its height; pixels count from the image's top-left corner; x to the right, y down in both. Angles are degrees clockwise,
measured in pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from predarrow.objects.predictions import Unit


@dataclass(frozen=True, slots=True, eq=False)
class Polyline:
    """An open line.

    Attributes:
        points: (n, 2) x and y, n at least 2.
        unit: "relative" (values in [0, 1]) or "pixel".
    """

    points: Any
    unit: Unit = "relative"


@dataclass(frozen=True, slots=True)
class Point:
    """A single point; a "keypoint" in Encord's editor.

    Attributes:
        x, y: its place.
        unit: "relative" (values in [0, 1]) or "pixel".
    """

    x: float
    y: float
    unit: Unit = "relative"


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """Named points of a template; an "object primitive" in Encord's editor.

    Attributes:
        points: `(x, y)` or `(x, y, visibility)` by the name of each point of the ontology's template, all of them.
            Visibility is "visible" (where it is left out), "invisible", "occluded", "selfOccluded", or None where
            it is not known. Points that are invisible may lie outside the image.
        unit: "relative" (values in [0, 1]) or "pixel".
    """

    points: Mapping[str, Sequence[Any]]
    unit: Unit = "relative"


@dataclass(frozen=True, slots=True, eq=False)
class Bitmask:
    """A mask of the whole image.

    Attributes:
        mask: (height, width) bools, or 0 and 1; or COCO's compressed run lengths, down the columns, as
            `{"size": [height, width], "counts": text or bytes}`. An array is encoded at once, so it may be used again.
    """

    mask: Any


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse, perhaps rotated.

    Attributes:
        x, y: its centre.
        rx, ry: its half axes before it is rotated, greater than 0; relative ones to the image's width and height.
        theta: degrees clockwise about the centre.
        unit: "relative" (the centre in [0, 1]) or "pixel".
    """

    x: float
    y: float
    rx: float
    ry: float
    theta: float = 0.0
    unit: Unit = "relative"


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle in pixels, perhaps stretched along its second axis.

    Attributes:
        x, y: its centre.
        r: its radius, greater than 0; a relative one to the image's width.
        stretch: length of the second half axis, in radii, greater than 0.
        theta: degrees clockwise about the centre, of a circle that is stretched.
        unit: "relative" (the centre in [0, 1]) or "pixel".
    """

    x: float
    y: float
    r: float
    stretch: float = 1.0
    theta: float = 0.0
    unit: Unit = "relative"


@dataclass(frozen=True, slots=True)
class Cuboid:
    """A box in a 3D scene, in the scene's units and axes.

    Attributes:
        position: x, y and z of its centre.
        orientation: Euler angles about x, y and z in radians: it is turned about z first, then y, then x (three.js's
            order "XYZ", which Encord has).
        size: its lengths along its own x, y and z axes, greater than 0.
    """

    position: Sequence[float]
    orientation: Sequence[float]
    size: Sequence[float]


@dataclass(frozen=True, slots=True, eq=False)
class Cuboid2D:
    """A prism in an image: a front face, and either a vanishing point (perspective) or an offset (isometric).

    Attributes:
        front: (n, 2) corners of the front face, n at least 3.
        vanishing_point: x and y of the point that the back face recedes to.
        scale_ratio: size of the back face in front faces, with a vanishing point; at least 0.
        offset: x and y from the front face to the back face.
        unit: "relative" (the front face in [0, 1]) or "pixel"; also of the vanishing point and the offset.
    """

    front: Any
    vanishing_point: Sequence[float] | None = None
    scale_ratio: float | None = None
    offset: Sequence[float] | None = None
    unit: Unit = "relative"
