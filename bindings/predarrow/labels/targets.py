"""Which class and which kind of shape a geometry is for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from predarrow.errors import OntologyError
from predarrow.labels.boxes import Boxes
from predarrow.labels.cuboids import Cuboids
from predarrow.labels.encord_forms import ENCORD
from predarrow.labels.geometries import Bitmask, Circle, Cuboid, Cuboid2D, Ellipse, Point, Polyline, Skeleton
from predarrow.labels.masks import Masks
from predarrow.labels.points import Keypoints
from predarrow.labels.shapes import Shapes
from predarrow.labels.vertices import Vertices
from predarrow.objects.predictions import BoundingBox, Polygon
from predarrow.ontology import Ontology, OntologyObject
from predarrow.refusals import shown

SHAPES: dict[str, type] = {
    "bounding_box": BoundingBox,
    "rotatable_bounding_box": BoundingBox,
    "ellipse": Ellipse,
    "circle": Circle,
    "polygon": Polygon,
    "polyline": Polyline,
    "cuboid_2d": Cuboid2D,
    "point": Point,
    "skeleton": Skeleton,
    "bitmask": Bitmask,
    "cuboid": Cuboid,
}
"""The geometry that fits a class, by the class's shape"""

_OWN = frozenset(SHAPES.values())


class Meant(NamedTuple):
    """What a feature and a geometry of one Python type are."""

    feature: OntologyObject
    convert: Callable[[Any], Any] | None
    """Gives this package's geometry from Encord's"""


def meant_by(ontology: Ontology, feature: Any, geometry: Any) -> Meant:
    """Give the class that is meant, and how the geometry becomes one of this package's.

    Args:
        ontology: of the project.
        feature: featureNodeHash or name of a class, or the class itself (Encord's `Object` will do); where classes
            of several shapes share the name, it is the one that the geometry fits.
        geometry: one of `SHAPES`' types, or of Encord's coordinates.

    Raises:
        OntologyError: no such class, or one of another shape.
    """
    type_, convert = type(geometry), None
    if type_ not in _OWN and type_.__name__ in ENCORD:
        type_, convert = ENCORD[type_.__name__]
    fitting = [shape for shape, fit in SHAPES.items() if fit is type_]
    if convert is not None and type_ is BoundingBox:  # Encord has a class for each
        fitting = ["rotatable_bounding_box" if hasattr(geometry, "theta") else "bounding_box"]
    found = _class(ontology, feature, fitting)
    if found.shape not in SHAPES:
        rule = "must be a class of objects that have a place in an image or a scene"
        raise OntologyError(f"feature: {rule}, got {found.name!r} of shape {found.shape}")
    if found.shape not in fitting:
        rule = f"must be a {SHAPES[found.shape].__name__} for {found.name!r}, a class of shape {found.shape}"
        raise OntologyError(f"geometry: {rule}, got {shown(geometry)}")
    return Meant(found, convert)


def shapes_of(ontology: Ontology, feature: OntologyObject) -> Shapes:
    """Give what gathers the shapes of a class, empty."""
    match feature.shape:
        case "bounding_box":
            return Boxes("bbox")
        case "rotatable_bounding_box":
            return Boxes("rotated_bbox")
        case "ellipse" | "circle":
            return Boxes(feature.shape)
        case "polygon" | "polyline" | "cuboid_2d":
            return Vertices(feature.shape)
        case "point":
            return Keypoints("keypoints")
        case "skeleton":
            return Keypoints("skeleton", _template_names(ontology, feature))
        case "bitmask":
            return Masks()
        case _:
            return Cuboids()


def hash_of(feature: Any) -> Any:
    """Give the featureNodeHash of a class of this package's or Encord's, and what is none as it is."""
    for name in ("feature_hash", "feature_node_hash"):
        if isinstance(found := getattr(feature, name, None), str):
            return found
    return feature


def _template_names(ontology: Ontology, feature: OntologyObject) -> Sequence[str] | None:
    for template in ontology.templates:
        if template.feature_hash == feature.feature_hash:
            return [point.name for point in template.points]
    return None


def _class(ontology: Ontology, feature: Any, fitting: list[str]) -> OntologyObject:
    key = hash_of(feature)
    for item in ontology.objects:
        if item.feature_hash == key:
            return item
    if key is not feature:
        return ontology.object_by_hash(key)
    if not isinstance(feature, str):
        raise OntologyError(f"feature: must be the name or featureNodeHash of a class, got {shown(feature)}")
    chosen = [item for item in ontology.objects if item.name == feature and item.shape in fitting]
    return chosen[0] if len(chosen) == 1 else ontology.object_by_name(feature)
