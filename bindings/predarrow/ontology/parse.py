"""Encord's structure JSON into nodes, each checked where it stands.

    {"objects": [{"id": "1", "name", "shape", "color", "featureNodeHash", "required", "archived", "attributes": [...]}],
     "classifications": [{"id": "1", "featureNodeHash", "level": "global", "attributes": [one]}],
     "skeleton_templates": [{"template": {"name", "skeleton": {"0": {"x", "y", "name", ...}}, "skeletonEdges", ...}}]}
    attribute   {"id": "1.1", "name", "type", "featureNodeHash", "required", "archived", "dynamic", "options": [...]}
    option      {"id": "1.1.1", "label", "value", "featureNodeHash", "archived", "options": [attributes]}

Names, labels, shapes, types and hashes must be there; the rest may be absent or null. Ids must be dotted numbers, but
need not begin with their parent's: Encord's own files have some that do not, and nothing is looked up by them. Hashes
stand once among objects, among classifications, among the attributes of one class or classification at any depth, and
among the options of one attribute; that two classes share an attribute's hash is allowed, as in Encord's own files.
Keys that are not named here, archived nodes and later shapes are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from predarrow.errors import OntologyError
from predarrow.ontology.checks import Node, flag, mapping, members, number, once, one_of, some, text, text_or
from predarrow.ontology.nodes import (
    ATTRIBUTE_TYPES,
    Attribute,
    Classification,
    OntologyObject,
    Option,
    SkeletonPoint,
    SkeletonTemplate,
    option_value,
)
from predarrow.refusals import shown

MAX_DEPTH = 7
"""Attributes in each other, the outermost counted: the limit that Encord documents."""

_ID = re.compile(r"[0-9]{1,18}")
_DOTTED = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})*")
_HASH = "featureNodeHash"


class Nodes(NamedTuple):
    """What an ontology holds."""

    objects: tuple[OntologyObject, ...]
    classifications: tuple[Classification, ...]
    templates: tuple[SkeletonTemplate, ...]


def parsed(structure: Node, where: str) -> Nodes:
    """Give the nodes of a structure.

    Args:
        structure: the JSON.
        where: the file, for messages.

    Raises:
        OntologyError: something in it does not hold.
    """
    root = f"{where}: $"
    if not isinstance(structure.get("objects"), list | tuple):
        raise OntologyError(f"{root}.objects: must be a list of object classes, got {_instead(structure)}")
    objects = members(structure, "objects", root)
    classifications = members(structure, "classifications", root)
    templates = [
        (mapping(node.get("template"), f"{place}.template"), f"{place}.template")
        for node, place in members(structure, "skeleton_templates", root)
    ]
    nodes = Nodes(
        tuple(_object(node, place) for node, place in objects),
        tuple(_classification(node, place) for node, place in classifications),
        tuple(_template(node, place) for node, place in templates),
    )
    for key, found in (("objects", objects), ("classifications", classifications)):
        once([(node[_HASH], place) for node, place in found], _HASH, f"{root}.{key}")
    for what in ("name", "feature_hash"):
        values = [getattr(template, what) for template in nodes.templates]
        pointers = [place for _, place in templates]
        once(
            zip(values, pointers, strict=True), what.replace("feature_", "feature_node_"), f"{root}.skeleton_templates"
        )
    return nodes


def _instead(structure: Node) -> str:
    objects = structure.get("objects")
    if objects is not None:
        return type(objects).__name__
    inside = [key for key, value in structure.items() if isinstance(value, Mapping) and "objects" in value]
    hint = f"; give what stands in {inside[0]!r}" if inside else ""
    return f"the keys {some([str(key) for key in structure])}{hint}"


def _object(node: Node, where: str) -> OntologyObject:
    _check_id(node, where, _ID, "a number as text")
    feature_hash, name, shape = (text(node, key, where) for key in (_HASH, "name", "shape"))
    flag(node, "archived", where)
    color = text_or(node, "color", where)
    attributes = _attributes(node, "attributes", where, top=True)
    _attributes_once(node, where)
    return OntologyObject(feature_hash, name, shape, color, flag(node, "required", where), attributes)


def _classification(node: Node, where: str) -> Classification:
    _check_id(node, where, _ID, "a number as text")
    feature_hash = text(node, _HASH, where)
    level = text_or(node, "level", where)
    attributes = _attributes(node, "attributes", where)
    if len(attributes) != 1:
        raise OntologyError(f"{where}.attributes: must hold one attribute, got {len(attributes)}")
    _attributes_once(node, where)
    return Classification(feature_hash, attributes[0].name, attributes[0], level == "global")


def _attributes(node: Node, key: str, where: str, depth: int = 1, *, top: bool = False) -> tuple[Attribute, ...]:
    found = members(node, key, where)
    if found and depth > MAX_DEPTH:
        raise OntologyError(f"{where}.{key}: must be nested at most {MAX_DEPTH} levels deep, got more")
    return tuple(_attribute(child, place, depth, top) for child, place in found)


def _attribute(node: Node, where: str, depth: int, top: bool) -> Attribute:
    _check_id(node, where, _DOTTED, "numbers joined by dots, as text")
    feature_hash, name = text(node, _HASH, where), text(node, "name", where)
    kind = one_of(text(node, "type", where), ATTRIBUTE_TYPES, f"{where}.type")
    required, dynamic, _ = (flag(node, key, where) for key in ("required", "dynamic", "archived"))
    if dynamic and not top:
        raise OntologyError(f"{where}.dynamic: must be false but at the top level of objects, got true")
    found = members(node, "options", where)
    if found and kind in ("text", "numeric"):
        raise OntologyError(f"{where}.options: must not be there, as the type is {kind}, got {len(found)}")
    options = tuple(_option(child, place, depth, kind) for child, place in found)
    once([(child[_HASH], place) for child, place in found], _HASH, f"{where}.options")
    return Attribute(feature_hash, name, kind, required, dynamic, options)


def _option(node: Node, where: str, depth: int, kind: str) -> Option:
    _check_id(node, where, _DOTTED, "numbers joined by dots, as text")
    feature_hash, label = text(node, _HASH, where), text(node, "label", where)
    flag(node, "archived", where)
    attributes = _attributes(node, "options", where, depth + 1)
    if attributes and kind == "checklist":
        raise OntologyError(f"{where}.options: must not be there in a checklist, got {len(attributes)}")
    return Option(feature_hash, label, text_or(node, "value", where, option_value(label)), attributes)


def _attributes_once(owner: Node, where: str) -> None:
    places: list[tuple[str, str]] = []
    _collect_hashes(owner, "attributes", where, places)
    once(places, _HASH, f"{where}.attributes")


def _collect_hashes(node: Node, key: str, where: str, places: list[tuple[str, str]]) -> None:
    for child, place in members(node, key, where):
        places.append((child[_HASH], place))
        for option, below in members(child, "options", place):
            _collect_hashes(option, "options", below, places)


def _check_id(node: Node, where: str, form: re.Pattern[str], rule: str) -> None:
    value = node.get("id")
    if value is not None and not (isinstance(value, str) and form.fullmatch(value)):
        raise OntologyError(f"{where}.id: must be {rule}, got {shown(value)}")


def _template(node: Node, where: str) -> SkeletonTemplate:
    # Versions of the SDK wrote the hash in three ways, the edges and the points' hashes in two.
    feature_hash = text_or(node, "feature_node_hash", where) or text_or(node, _HASH, where)
    skeleton = mapping(node.get("skeleton"), f"{where}.skeleton")
    keys = sorted(skeleton, key=lambda key: _whole(key, f"{where}.skeleton"))
    points = tuple(_point(mapping(skeleton[key], f"{where}.skeleton.{key}"), f"{where}.skeleton.{key}") for key in keys)
    name = "skeletonEdges" if "skeletonEdges" in node else "skeleton_edges"
    edges = _edges(node.get(name), {key: place for place, key in enumerate(keys)}, f"{where}.{name}")
    return SkeletonTemplate(feature_hash, text(node, "name", where), points, edges)


def _point(node: Node, where: str) -> SkeletonPoint:
    feature_hash = text_or(node, "featureHash", where) or text_or(node, "feature_hash", where)
    color, value = text_or(node, "color", where), text_or(node, "value", where)
    return SkeletonPoint(
        text(node, "name", where), feature_hash, color, value, number(node, "x", where), number(node, "y", where)
    )


def _edges(value: Any, places: Mapping[str, int], where: str) -> tuple[tuple[int, int], ...]:
    if value is None:
        return ()
    edges = []
    for start, ends in mapping(value, where).items():
        for end in mapping(ends, f"{where}.{start}"):
            if start not in places or end not in places:
                missing = start if start not in places else end
                raise OntologyError(f"{where}.{start}.{end}: must join two points of the skeleton, got {missing!r}")
            edges.append((places[start], places[end]))
    return tuple(edges)


def _whole(key: Any, where: str) -> int:
    if not isinstance(key, str) or not _ID.fullmatch(key):
        raise OntologyError(f"{where}: must have whole numbers as keys, got {shown(key)}")
    return int(key)
