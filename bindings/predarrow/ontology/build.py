"""The nodes of an ontology made in code, from a few words each; `Ontology.build` joins them.

A node's hash may be given. Where it is not, it is empty until the ontology is built (see `predarrow.ontology.compose`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

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
    option_value,
)
from predarrow.refusals import shown

T = TypeVar("T")

POINT_COLOR = "#000000"


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
        feature_hash, _title(name, "name"), shape, color, required, given_nodes(attributes, Attribute, "attributes")
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
    root = given_nodes([attribute], Attribute, "attribute")[0]
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
    return Option(feature_hash, label, value or option_value(label), given_nodes(attributes, Attribute, "attributes"))


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


def _options(options: Sequence[str | Option]) -> tuple[Option, ...]:
    if isinstance(options, str):
        raise OntologyError(f"options: must be a list, got the text {options!r}")
    return given_nodes([option(each) if isinstance(each, str) else each for each in options], Option, "options")


def given_nodes(values: Sequence[T], kind: type[T], what: str) -> tuple[T, ...]:
    """Give nodes of one kind.

    Raises:
        OntologyError: something else is among them.
    """
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
    return SkeletonPoint(name, "", POINT_COLOR, name, x, y)
