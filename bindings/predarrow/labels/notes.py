"""What a label has in the attributes column: answers, and what no column holds of a geometry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from predarrow.errors import OntologyError
from predarrow.labels.geometries import Cuboid, Cuboid2D
from predarrow.labels.shapes import is_relative, pair, points
from predarrow.objects.shapes import ShapeError
from predarrow.ontology import Classification, OntologyObject
from predarrow.ontology.nodes import attributes_of, every_attribute
from predarrow.refusals import shown

Entries = list[dict[str, Any]]


def classification_answers(classification: Classification, answers: Any) -> Entries:
    """Give a classification's answers as Encord's entries.

    Args:
        classification: what is answered.
        answers: an option (label, value or hash), a list of options for a checklist, a text or a number; or a mapping
            of these by the names or hashes of the attribute and of those nested in it.

    Raises:
        OntologyError: answers that the ontology does not offer, or none.
    """
    from predarrow.ontology.answers import encoded

    given = answers if isinstance(answers, Mapping) else {classification.attribute.feature_hash: answers}
    found = encoded(classification, given).static
    if not found:
        raise OntologyError(f"answers: must answer {classification.name!r}, got {shown(answers)}")
    return found


def joined(feature: OntologyObject, known: Entries, added: Entries) -> Entries:
    """Give an object's answers and further ones, in the order of Encord's label rows: against the ontology's.

    Args:
        feature: the object's class.
        known: answers that it has.
        added: further ones, perhaps some of them again.

    Raises:
        OntologyError: an attribute that was answered otherwise.
    """
    by_hash = {entry["featureHash"]: entry for entry in known}
    for entry in added:
        if by_hash.setdefault(entry["featureHash"], entry) != entry:
            rule = f"must be one answer to {entry['name']!r} for an object"
            raise OntologyError(f"answers: {rule}, got {shown(entry['answers'])} after another one")
    every = [below.attribute.feature_hash for below in every_attribute(attributes_of(feature))]
    return [by_hash[key] for key in reversed(every) if key in by_hash]


def geometry_note(geometry: Any, height: int, width: int) -> dict[str, Any]:
    """Give what the writer of label rows needs of a geometry beside the columns, mostly nothing.

    Args:
        geometry: of this package's.
        height, width: of the image, 0 where they are not known.

    Raises:
        ShapeError: a geometry that does not hold.
    """
    if isinstance(geometry, Cuboid):
        kept = {name: list(map(float, getattr(geometry, name))) for name in ("position", "orientation", "size")}
        return {"convention": "encord", "encord": {"coordinates": {"cuboid": kept}}}
    if isinstance(geometry, Cuboid2D):
        return {"encord": {"coordinates": {"cuboid_2d": _prism(geometry, height, width)}}}
    return {}


def _prism(geometry: Cuboid2D, height: int, width: int) -> dict[str, Any]:
    is_perspective = geometry.vanishing_point is not None and geometry.scale_ratio is not None
    given = (geometry.vanishing_point, geometry.scale_ratio, geometry.offset)
    if given != ((*given[:2], None) if is_perspective else (None, None, geometry.offset)) or given == (None,) * 3:
        rule = "must have either vanishing_point and scale_ratio, or offset"
        raise ShapeError("", f"{rule}, got {', '.join(map(shown, given))}")
    front = _relative(geometry, points(geometry.front, 3, "front"), height, width)
    kept: dict[str, Any] = {"front": front.ravel().tolist()}
    name, place = ("vanishingPoint", geometry.vanishing_point) if is_perspective else ("offset", geometry.offset)
    (x, y), *_ = _relative(geometry, np.array([pair(place, name)]), height, width).tolist()
    kept[name] = {"x": x, "y": y}
    if is_perspective:
        ratio = geometry.scale_ratio
        if not isinstance(ratio, int | float) or not 0 <= ratio < float("inf"):
            raise ShapeError("scale_ratio", f"must be a finite number of at least 0, got {shown(ratio)}")
        kept["scaleRatio"] = ratio
    return kept


def _relative(geometry: Cuboid2D, xy: Any, height: int, width: int) -> Any:
    from predarrow_engine.relative import shortest

    if is_relative(geometry.unit):
        return xy
    if not height or not width:
        raise ShapeError("", "needs its image's size, got none; give the data unit its width and height")
    return np.stack([shortest(np.ascontiguousarray(xy[:, axis]), size) for axis, size in ((0, width), (1, height))], 1)
