"""Nodes into Encord's structure JSON, key by key what Encord's SDK writes for the same structure.

A hash that is not given depends on the names above the node and its own, so that the same nodes have the same hashes
in every project; it has 8 characters, as Encord's.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from predarrow.errors import OntologyError
from predarrow.ontology.build import POINT_COLOR, given_nodes
from predarrow.ontology.checks import near_or_all
from predarrow.ontology.nodes import (
    Attribute,
    Classification,
    OntologyObject,
    Option,
    SkeletonPoint,
    SkeletonTemplate,
)
from predarrow.refusals import shown

Json = dict[str, Any]

# Kelly's colours of maximum contrast, without white and black: neighbours in an overlay stay apart.
_COLORS = (
    *("#F3C300", "#875692", "#F38400", "#A1CAF1", "#BE0032", "#C2B280", "#848482", "#008856", "#E68FAC", "#0067A5"),
    *("#F99379", "#604E97", "#F6A600", "#B3446C", "#DCD300", "#882D17", "#8DB600", "#654522", "#E25822", "#2B3D26"),
)


def structure_json(
    objects: Sequence[OntologyObject],
    classifications: Sequence[Classification] = (),
    templates: Mapping[str, SkeletonTemplate] | None = None,
) -> Json:
    """Give the structure JSON of nodes; what is wrong with them is found when it is read."""
    objects = given_nodes(objects, OntologyObject, "objects")
    classifications = given_nodes(classifications, Classification, "classifications")
    given_nodes([*(templates or {}).values()], SkeletonTemplate, "templates")
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
        edges.setdefault(str(start), {})[str(end)] = {"color": POINT_COLOR}
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


def _extent(values: Sequence[float]) -> float:
    return max(values, default=0.0) - min(values, default=0.0)
