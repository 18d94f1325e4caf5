"""Ontologies that Encord's SDK makes, and the nodes that predarrow must find in them; no connection is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from predarrow.ontology import Attribute, Classification, OntologyObject, Option, SkeletonPoint, SkeletonTemplate

if TYPE_CHECKING:
    from encord.objects import OntologyStructure

_WORDS = ("ripe", "Größe", "Sort", "a b", "Why?", "Color ", "日本", "_")


def sdk_structure(seed: int) -> OntologyStructure:
    """Give an ontology with objects of every shape, classifications, nested attributes and skeletons."""
    from encord.objects import OntologyStructure, Shape
    from encord.objects.classification import OntologyClassificationLevel
    from encord.objects.skeleton_template import SkeletonTemplate

    rng = Random(seed)
    made = OntologyStructure()
    for number, shape in enumerate(Shape):
        thing = made.add_object(f"{rng.choice(_WORDS)} {number}", shape)
        thing.required, thing.archived = rng.random() < 0.5, rng.random() < 0.5
        for _ in range(rng.randrange(4)):
            _add_attribute(rng, thing.add_attribute, 1, {"dynamic": rng.random() < 0.4})
    for _ in range(4):
        level = rng.choice([None, OntologyClassificationLevel.GLOBAL])
        _add_attribute(rng, made.add_classification(level=level).add_attribute, 1, {})
    edges = {"0": {"1": {"color": "#00FF00"}}}
    for name in ("Line", "Loose"):
        points = {
            str(i): {"x": i / 3, "y": 1, "name": f"p{i}", "featureHash": f"h{i}" if i else None} for i in range(2)
        }
        given = {"name": name, "width": 1, "height": 1, "skeleton": points, "skeletonEdges": edges}
        template = SkeletonTemplate.from_dict(given)
        if name == "Line":
            made.add_skeleton_object("Joined", template)
        else:
            made.add_skeleton_template(template)
    return made


def _add_attribute(rng: Random, add: Callable[..., Any], depth: int, more: dict[str, Any]) -> None:
    from encord.objects import ChecklistAttribute, RadioAttribute, TextAttribute
    from encord.objects.attributes import NumericAttribute

    kind = rng.choice([RadioAttribute, RadioAttribute, ChecklistAttribute, TextAttribute, NumericAttribute])
    made = add(kind, f"{rng.choice(_WORDS)}{rng.randrange(10**6)}", required=rng.random() < 0.5, **more)
    made.archived = rng.random() < 0.2
    if kind in (RadioAttribute, ChecklistAttribute):
        for number in range(rng.randrange(4)):
            option = made.add_option(f"{rng.choice(_WORDS)}\t{number}", value=rng.choice([None, f"v{number}"]))
            option.archived = rng.random() < 0.2
            if kind is RadioAttribute and depth < 7:
                for _ in range(rng.choice((0, 1, 1, 2))):
                    _add_attribute(rng, option.add_nested_attribute, depth + 1, {})


def nodes(structure: OntologyStructure) -> tuple[Any, Any, Any]:
    """Give objects, classifications and templates as predarrow's nodes."""
    objects = tuple(
        OntologyObject(
            thing.feature_node_hash,
            thing.name,
            thing.shape.value,
            thing.color,
            thing.required,
            attributes(thing.attributes),
        )
        for thing in structure.objects
    )
    classifications = tuple(
        Classification(thing.feature_node_hash, thing.title, attributes(thing.attributes)[0], thing.is_global)
        for thing in structure.classifications
    )
    return objects, classifications, tuple(_template(each) for each in structure.skeleton_templates.values())


def attributes(given: Sequence[Any]) -> tuple[Attribute, ...]:
    """Give attributes of the SDK as predarrow's."""
    return tuple(
        Attribute(
            each.feature_node_hash,
            each.name,
            each.get_property_type().value,
            each.required,
            each.dynamic,
            tuple(Option(o.feature_node_hash, o.label, o.value, attributes(o.attributes)) for o in each.options),
        )
        for each in given
    )


def _template(given: Any) -> SkeletonTemplate:
    keys = sorted(given.skeleton, key=int)
    points = tuple(
        SkeletonPoint(p.name, p.feature_hash or "", p.color, p.value, p.x, p.y)
        for p in (given.skeleton[key] for key in keys)
    )
    edges = tuple((keys.index(a), keys.index(b)) for a, ends in given.skeleton_edges.items() for b in ends)
    return SkeletonTemplate(given.feature_node_hash, given.name, points, edges)
