"""An ontology made in code: nodes from a few words, and the structure JSON that Encord's SDK writes for them.

A node's hash may be given. Where it is not, it depends on the names above the node and its own, so that the same
nodes have the same hashes in every project; it has 8 characters, as Encord's.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from predarrow.errors import OntologyError
from predarrow.ontology.checks import near_or_all, one_of, writable
from predarrow.ontology.nodes import (
    SHAPES,
    Attribute,
    Classification,
    OntologyObject,
    Option,
    SkeletonPoint,
    SkeletonTemplate,
    plain_value,
)
from predarrow.refusals import shown

Json = dict[str, Any]
T = TypeVar("T")

# Kelly's colours of maximum contrast, without white and black: neighbours in an overlay stay apart.
_COLORS = (
    *("#F3C300", "#875692", "#F38400", "#A1CAF1", "#BE0032", "#C2B280", "#848482", "#008856", "#E68FAC", "#0067A5"),
    *("#F99379", "#604E97", "#F6A600", "#B3446C", "#DCD300", "#882D17", "#8DB600", "#654522", "#E25822", "#2B3D26"),
)
_POINT_COLOR = "#000000"


def object_class(
    name: str,
    shape: str,
    attributes: Sequence[Attribute] = (),
    *,
    color: str = "",
    required: bool = False,
    feature_hash: str = "",
) -> OntologyObject:
    """Give a class of objects.

    Args:
        name: what people call it.
        shape: one of `SHAPES`.
        attributes: see `radio`, `checklist`, `text` and `numeric`.
        color: `#RRGGBB`; by default one that differs from those of the classes around it.
        required: whether Encord's editor asks for one.
        feature_hash: by default one that depends on name and shape.

    Raises:
        OntologyError: no such shape, or a name that is empty.
    """
    one_of(shape, SHAPES, "shape")
    return OntologyObject(
        feature_hash, _title(name, "name"), shape, color, required, _given(attributes, Attribute, "attributes")
    )


def classification(attribute: Attribute, *, is_global: bool = False, feature_hash: str = "") -> Classification:
    """Give a classification of frames.

    Args:
        attribute: what is asked, see `radio`, `checklist`, `text` and `numeric`; its name is the classification's.
        is_global: whether one answer holds for a whole data unit.
        feature_hash: by default one that depends on the name.

    Raises:
        OntologyError: `attribute` is none.
    """
    root = _given([attribute], Attribute, "attribute")[0]
    return Classification(feature_hash, root.name, root, is_global)


def radio(
    name: str,
    options: Sequence[str | Option],
    *,
    required: bool = False,
    dynamic: bool = False,
    feature_hash: str = "",
) -> Attribute:
    """Give an attribute that is answered by one option.

    Args:
        name: the question.
        options: labels, or what `option` gives.
        required: whether Encord's editor asks for an answer.
        dynamic: whether each frame has an answer of its own; attributes of objects only, not nested ones.
        feature_hash: by default one that depends on what it stands under and on the name.

    Raises:
        OntologyError: a name or label that is empty.
    """
    return Attribute(feature_hash, _title(name, "name"), "radio", required, dynamic, _options(options))


def checklist(
    name: str,
    options: Sequence[str | Option],
    *,
    required: bool = False,
    dynamic: bool = False,
    feature_hash: str = "",
) -> Attribute:
    """Give an attribute that is answered by any number of options; arguments as of `radio`."""
    return Attribute(feature_hash, _title(name, "name"), "checklist", required, dynamic, _options(options))


def text(name: str, *, required: bool = False, dynamic: bool = False, feature_hash: str = "") -> Attribute:
    """Give an attribute that is answered by a text; arguments as of `radio`."""
    return Attribute(feature_hash, _title(name, "name"), "text", required, dynamic)


def numeric(name: str, *, required: bool = False, dynamic: bool = False, feature_hash: str = "") -> Attribute:
    """Give an attribute that is answered by a number; arguments as of `radio`."""
    return Attribute(feature_hash, _title(name, "name"), "numeric", required, dynamic)


def option(label: str, attributes: Sequence[Attribute] = (), *, value: str = "", feature_hash: str = "") -> Option:
    """Give an option of a radio or checklist attribute.

    Args:
        label: what people see.
        attributes: what is asked further where it is chosen; options of radio attributes only.
        value: what programs are given; by default the label in lower case with `_` for spaces.
        feature_hash: by default one that depends on what it stands under and on the label.

    Raises:
        OntologyError: a label that is empty.
    """
    _title(label, "label")
    return Option(feature_hash, label, value or plain_value(label), _given(attributes, Attribute, "attributes"))


def skeleton_template(
    name: str, points: Mapping[str, tuple[float, float]], edges: Sequence[tuple[str, str]] = ()
) -> SkeletonTemplate:
    """Give a template of skeletons; `Ontology.build` ties it to its class.

    Args:
        name: of the template.
        points: (x, y) by the point's name, x right, y down, in units of the template's own.
        edges: pairs of names of points that are joined.

    Raises:
        OntologyError: a point that is not two numbers, or an edge to a point that is not there.
    """
    _title(name, "name")
    made = tuple(_point(point, place) for point, place in points.items())
    places = {point: place for place, point in enumerate(points)}
    for start, end in edges:
        for point in (start, end):
            if point not in places:
                rule = f"must join points of {name!r}"
                raise OntologyError(f"edges: {rule}, got {shown(point)}{near_or_all(str(point), list(places))}")
    return SkeletonTemplate("", name, made, tuple((places[start], places[end]) for start, end in edges))


def structure(
    objects: Sequence[OntologyObject],
    classifications: Sequence[Classification] = (),
    templates: Mapping[str, SkeletonTemplate] | None = None,
) -> Json:
    """Give the structure JSON of nodes; what is wrong with them is found when it is read."""
    objects = _given(objects, OntologyObject, "objects")
    classifications = _given(classifications, Classification, "classifications")
    _given([*(templates or {}).values()], SkeletonTemplate, "templates")
    made = [_object_json(node, number) for number, node in enumerate(objects, 1)]
    return {
        "objects": made,
        "classifications": [_classification_json(node, number) for number, node in enumerate(classifications, 1)],
        "skeleton_templates": [
            {"template": _template_json(template, _skeleton_hash(made, name))}
            for name, template in (templates or {}).items()
        ],
    }


def _object_json(node: OntologyObject, number: int) -> Json:
    feature_hash = node.feature_hash or _stable_hash(node.shape, node.name)
    made: Json = {
        "id": str(number),
        "name": node.name,
        "color": node.color or _COLORS[(number - 1) % len(_COLORS)],
        "shape": node.shape,
        "featureNodeHash": feature_hash,
        "required": node.required,
        "archived": False,
    }
    if node.attributes:
        made["attributes"] = _attributes_json(node.attributes, str(number), feature_hash)
    return made


def _classification_json(node: Classification, number: int) -> Json:
    feature_hash = node.feature_hash or _stable_hash("classification", node.name)
    level = {"level": "global"} if node.is_global else {}
    attributes = _attributes_json([node.attribute], str(number), feature_hash)
    return {"id": str(number), "featureNodeHash": feature_hash, **level, "attributes": attributes}


def _attributes_json(nodes: Sequence[Attribute], above: str, parent_hash: str) -> list[Json]:
    return [_attribute_json(node, f"{above}.{number}", parent_hash) for number, node in enumerate(nodes, 1)]


def _attribute_json(node: Attribute, place: str, parent_hash: str) -> Json:
    feature_hash = node.feature_hash or _stable_hash(parent_hash, node.name)
    made: Json = {
        "id": place,
        "name": node.name,
        "type": node.type,
        "featureNodeHash": feature_hash,
        "required": node.required,
        "archived": False,
        "dynamic": node.dynamic,
    }
    if node.options:
        made["options"] = [_option_json(each, f"{place}.{i}", feature_hash) for i, each in enumerate(node.options, 1)]
    return made


def _option_json(node: Option, place: str, parent_hash: str) -> Json:
    feature_hash = node.feature_hash or _stable_hash(parent_hash, node.label)
    made: Json = {
        "id": place,
        "label": node.label,
        "value": node.value,
        "featureNodeHash": feature_hash,
        "archived": False,
    }
    if node.attributes:
        made["options"] = _attributes_json(node.attributes, place, feature_hash)
    return made


def _template_json(node: SkeletonTemplate, class_hash: str) -> Json:
    edges: dict[str, Json] = {}
    for start, end in node.edges:
        edges.setdefault(str(start), {})[str(end)] = {"color": _POINT_COLOR}
    return {
        "name": node.name,
        "width": _extent([point.x for point in node.points]),
        "height": _extent([point.y for point in node.points]),
        "skeleton": {str(i): _point_json(point, class_hash) for i, point in enumerate(node.points)},
        "skeletonEdges": edges,
        "feature_node_hash": class_hash,
        "shape": "skeleton",
    }


def _point_json(node: SkeletonPoint, class_hash: str) -> Json:
    feature_hash = node.feature_hash or _stable_hash(class_hash, node.name)
    return {
        "x": node.x,
        "y": node.y,
        "name": node.name,
        "color": node.color,
        "value": node.value,
        "featureHash": feature_hash,
    }


def _skeleton_hash(objects: Sequence[Json], name: str) -> str:
    skeletons = [node for node in objects if node["shape"] == "skeleton"]
    found = [node for node in skeletons if name in (node["name"], node["featureNodeHash"])]
    if len(found) != 1:
        names = [node["name"] for node in skeletons]
        several = f", which stands for {len(found)} of them; give a hash"
        hint = several if found else near_or_all(str(name), names)
        raise OntologyError(f"templates: must stand by the name of a class of shape skeleton, got {shown(name)}{hint}")
    return str(found[0]["featureNodeHash"])


def _stable_hash(above: str, name: str) -> str:
    """Give 8 characters that depend on what a node stands under and on its name."""
    digest = hashlib.sha256(f"{above}\0{name}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:6]).decode()


def _options(options: Sequence[str | Option]) -> tuple[Option, ...]:
    if isinstance(options, str):
        raise OntologyError(f"options: must be a list, got the text {options!r}")
    return _given([option(each) if isinstance(each, str) else each for each in options], Option, "options")


def _given(values: Sequence[T], kind: type[T], what: str) -> tuple[T, ...]:
    if isinstance(values, kind):  # a node is a tuple, too
        raise OntologyError(f"{what}: must be a list, got {shown(values)}")
    for place, value in enumerate(values):
        if not isinstance(value, kind):
            maker = _MAKERS[kind.__name__]
            raise OntologyError(f"{what}[{place}]: must be what {maker} gives, got {shown(value)}")
    return tuple(values)


_MAKERS = {
    "OntologyObject": "object_class",
    "Classification": "classification",
    "Attribute": "radio, checklist, text or numeric",
    "Option": "option",
    "SkeletonTemplate": "skeleton_template",
}


def _title(value: str, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise OntologyError(f"{what}: must be a text that is not empty, got {shown(value)}")
    return writable(value, what)


def _point(name: str, place: tuple[float, float]) -> SkeletonPoint:
    _title(name, "points")
    try:
        x, y = (float(part) for part in place)
    except (TypeError, ValueError, OverflowError) as error:
        raise OntologyError(f"points: {name}: must be (x, y), got {shown(place)}") from error
    return SkeletonPoint(name, "", _POINT_COLOR, name, x, y)


def _extent(values: Sequence[float]) -> float:
    return max(values, default=0.0) - min(values, default=0.0)
