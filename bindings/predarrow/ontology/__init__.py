"""Ontologies: the classes, attributes and classifications that a project's predictions belong to.

Encord's structure JSON, `{"objects": [...], "classifications": [...], "skeleton_templates": [...]}`, is read, checked
and written as it came (`Ontology.read`, `.from_dict`, `.write`); an ontology is also built in code:

    Ontology.build(
        [object_class("Cherry", "bounding_box", [radio("Ripe?", ["yes", "no"], dynamic=True)])],
        [classification(radio("Blueberry or cherry?", ["Blueberry", "Cherry"]))],
    )

`predarrow.ontology.answers` gives answers Encord's form and takes them from it.
"""

from predarrow.ontology.build import (
    checklist,
    classification,
    numeric,
    object_class,
    option,
    radio,
    skeleton_template,
    text,
)
from predarrow.ontology.nodes import (
    ATTRIBUTE_TYPES,
    SHAPES,
    Attribute,
    Classification,
    OntologyObject,
    Option,
    SkeletonPoint,
    SkeletonTemplate,
)
from predarrow.ontology.structure import Ontology

__all__ = [
    "ATTRIBUTE_TYPES",
    "SHAPES",
    "Attribute",
    "Classification",
    "Ontology",
    "OntologyObject",
    "Option",
    "SkeletonPoint",
    "SkeletonTemplate",
    "checklist",
    "classification",
    "numeric",
    "object_class",
    "option",
    "radio",
    "skeleton_template",
    "text",
]
