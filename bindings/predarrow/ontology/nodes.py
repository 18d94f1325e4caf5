"""The nodes of an ontology: classes, classifications, attributes, options and skeleton templates.

    object "Cherry" (bounding_box)              classification "Fruit?"
    └── attribute "Ripe?" (radio)               └── attribute "Fruit?" (radio), one and no more
        ├── option "yes"                            └── ...
        └── option "no"
            └── attribute "Why?" (text)

A node's hash is its `featureNodeHash`, which labels refer to. All are immutable and equal where their fields are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

SHAPES = (
    "bounding_box",
    "rotatable_bounding_box",
    "polygon",
    "polyline",
    "point",
    "skeleton",
    "bitmask",
    "cuboid",
    "cuboid_2d",
    "circle",
    "ellipse",
    "segmentation",
    "audio",
    "time_range",
    "text",
)
"""Encord's names for what objects are in images, videos, scenes, sound and text."""

ATTRIBUTE_TYPES = ("radio", "checklist", "text", "numeric")
"""Encord's names for how attributes are answered: one option, any number of them, a text, a number."""


class Option(NamedTuple):
    """What may be chosen for a radio or checklist attribute."""

    feature_hash: str
    label: str
    """What people see."""
    value: str
    """What programs are given: by default the label in lower case, with `_` for spaces."""
    attributes: tuple[Attribute, ...] = ()
    """Further attributes that are asked where this option is chosen; only those of radio attributes have any."""


class Attribute(NamedTuple):
    """A question about an object or a whole frame."""

    feature_hash: str
    name: str
    type: str
    """One of `ATTRIBUTE_TYPES`."""
    required: bool = False
    dynamic: bool = False
    """Whether each frame has an answer of its own: attributes of objects at the top level only."""
    options: tuple[Option, ...] = ()
    """Of radio and checklist attributes."""


class OntologyObject(NamedTuple):
    """A class of objects."""

    feature_hash: str
    name: str
    shape: str
    """One of `SHAPES`, or a shape that Encord added later."""
    color: str = ""
    """As the ontology writes it, `#RRGGBB`; empty where it has none."""
    required: bool = False
    attributes: tuple[Attribute, ...] = ()


class Classification(NamedTuple):
    """A question about whole frames, or a whole video."""

    feature_hash: str
    name: str
    """That of its attribute, as classifications have no name of their own."""
    attribute: Attribute
    """The root attribute; its hash is another than the classification's."""
    is_global: bool
    """Whether one answer holds for the whole data unit rather than for frames."""


class SkeletonPoint(NamedTuple):
    """A named point of a skeleton template."""

    name: str
    feature_hash: str
    """Empty where the template has none."""
    color: str
    value: str
    x: float
    """In the template's own units, right of its left side."""
    y: float
    """In the template's own units, below its top."""


class SkeletonTemplate(NamedTuple):
    """The points that skeletons of a class have, and which of them are joined."""

    feature_hash: str
    """That of the class of shape skeleton whose template it is; empty where the template has none."""
    name: str
    points: tuple[SkeletonPoint, ...]
    edges: tuple[tuple[int, int], ...]
    """Pairs of places in `points`."""


Owner = OntologyObject | Classification
"""What attributes stand under."""


def attributes_of(owner: Owner) -> tuple[Attribute, ...]:
    """Give the attributes at the top level of a class or a classification."""
    return (owner.attribute,) if isinstance(owner, Classification) else owner.attributes


class Below(NamedTuple):
    """An attribute and where it stands."""

    attribute: Attribute
    option: Option | None = None
    """The option that must be chosen for it to be asked; None at the top level."""
    parent: Attribute | None = None
    """The attribute that `option` belongs to."""


def every_attribute(
    attributes: Iterable[Attribute], option: Option | None = None, parent: Attribute | None = None
) -> Iterator[Below]:
    """Give attributes and those nested in their options, each before those below it."""
    for attribute in attributes:
        yield Below(attribute, option, parent)
        for each in attribute.options:
            yield from every_attribute(each.attributes, each, attribute)


def plain_value(title: str) -> str:
    """Give what Encord calls the value of a class or attribute: its name in lower case, `_` for spaces."""
    return title.lower().replace(" ", "_")


def option_value(label: str) -> str:
    """Give Encord's default value of an option: lower case, `_` for whatever is white."""
    return re.sub(r"\s", "_", label).lower()
