"""Encord's SDK reads the ontologies that predarrow writes, and predarrow those of the SDK, both without a loss."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from predarrow.ontology import (
    SHAPES,
    Ontology,
    checklist,
    classification,
    numeric,
    object_class,
    option,
    radio,
    skeleton_template,
    text,
)
from predarrow.ontology.answers import decoded, encoded
from predarrow.ontology.nodes import Owner, attributes_of, every_attribute
from tests import encord_ontologies, encord_rows

if TYPE_CHECKING:
    from encord.objects import OntologyStructure

sdk = pytest.importorskip("encord.objects")

SEEDS = range(12)


def ours(structure: OntologyStructure) -> Ontology:
    return Ontology.from_dict(structure.to_dict())


@pytest.mark.parametrize("seed", SEEDS)
def test_structures_that_the_sdk_makes(seed: int) -> None:
    structure = encord_ontologies.sdk_structure(seed)
    ontology = ours(structure)
    assert ontology.to_dict() == structure.to_dict()
    assert (ontology.objects, ontology.classifications, ontology.templates) == encord_ontologies.nodes(structure)
    owners: list[Owner] = [*ontology.objects, *ontology.classifications]
    for owner in owners:
        for attribute, _, _ in every_attribute(attributes_of(owner)):
            assert ontology.attribute_by_hash(attribute.feature_hash) == attribute
            assert ontology.owners_of(attribute.feature_hash) == (owner,)
            for each in attribute.options:
                assert ontology.option_by_hash(each.feature_hash) == each


def test_structure_of_the_label_rows() -> None:
    structure = encord_rows.sdk_structure()
    assert Ontology.from_dict(encord_rows.structure()).objects == ours(structure).objects


def test_structure_that_is_built() -> None:
    deep = text("Why?")
    for level in range(6):
        deep = radio(f"level {level}", ["no", option("yes", [deep])], required=True)
    ontology = Ontology.build(
        [object_class(f"an {shape}", shape) for shape in SHAPES]
        + [
            object_class(
                "Cherry",
                "bounding_box",
                [
                    radio("Ripe?", ["yes", "no"], dynamic=True),
                    checklist("Marks", ["spot", option("Cut  Ä", value="c", feature_hash="cut")]),
                    numeric("Weight", required=True),
                    deep,
                ],
                color="#123456",
                required=True,
                feature_hash="cherry",
            )
        ],
        [classification(deep, is_global=True), classification(checklist("Many types of fruit?", ["apple", "kiwi"]))],
        {"an skeleton": skeleton_template("Triangle", {"a": (0, 0.25), "b": (0.235, 0.25)}, [("a", "b"), ("b", "a")])},
    )
    structure = sdk.OntologyStructure.from_dict(ontology.to_dict())
    assert structure.to_dict() == ontology.to_dict()
    assert (ontology.objects, ontology.classifications, ontology.templates) == encord_ontologies.nodes(structure)
    template = structure.skeleton_templates["Triangle"]
    assert template.feature_node_hash == ontology.object_by_name("an skeleton").feature_hash
    assert (template.width, template.height, template.required_vertices) == (0.235, 0, {"a", "b"})


@pytest.mark.parametrize("label", ["a  b", "A\tb\u00a0ß\n", "İ"])
def test_values_that_are_not_given(label: str) -> None:
    structure = sdk.OntologyStructure()
    root = structure.add_classification().add_attribute(sdk.RadioAttribute, "a")
    ontology = Ontology.build([], [classification(radio("a", [label]))])
    assert ontology.classifications[0].attribute.options[0].value == root.add_option(label).value


def test_structure_from_classes() -> None:
    for shape in SHAPES:
        ontology = Ontology.from_classes(["Kirsche", "日本"], shape=shape)
        assert sdk.OntologyStructure.from_dict(ontology.to_dict()).to_dict() == ontology.to_dict()


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_of_objects(seed: int) -> None:
    structure = encord_ontologies.sdk_structure(seed)
    ontology, rng = ours(structure), Random(seed)
    n_answers = 0
    for owner, thing in zip(ontology.objects, structure.objects, strict=True):
        instance: Any = thing.create_instance()
        given: dict[str, Any] = {}
        _answer(rng, instance, thing.attributes, given)
        made = encoded(owner, given)
        made.static.reverse()  # as the SDK does when it writes a label row
        made.dynamic.reverse()
        static = [each.to_encord_dict() for each in instance._get_all_static_answers() if each.is_answered()]
        dynamic = [each.to_encord_dict(ranges) for each, ranges in instance._get_all_dynamic_answers()]
        for each in dynamic:
            assert (each.pop("dynamic"), each.pop("range"), each.pop("shouldPropagate")) == (True, [[3, 3]], False)
        assert made.static == static
        assert made.dynamic == sorted(dynamic, key=lambda each: _place(owner, each["featureHash"]))
        again: Any = thing.create_instance()
        again.set_answer_from_list(made.static)
        assert [each.to_encord_dict() for each in again._get_all_static_answers() if each.is_answered()] == static
        for source in (owner, ontology):
            same = encoded(owner, decoded(source, static) | decoded(source, dynamic))
            assert (same.static[::-1], same.dynamic[::-1]) == made
        n_answers += len(static) + len(dynamic)
    assert n_answers > 5


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_of_classifications(seed: int) -> None:
    structure = encord_ontologies.sdk_structure(seed)
    ontology, rng = ours(structure), Random(seed)
    for owner, thing in zip(ontology.classifications, structure.classifications, strict=True):
        instance: Any = thing.create_instance()
        given: dict[str, Any] = {}
        _answer(rng, instance, thing.attributes, given)
        static = [each.to_encord_dict() for each in instance.get_all_static_answers() if each.is_answered()]
        made = encoded(owner, given)
        assert (made.static[::-1], made.dynamic) == (static, [])
        assert encoded(owner, decoded(ontology, static)) == made


def test_answers_in_label_rows() -> None:
    ontology = Ontology.from_dict(encord_rows.structure())
    row = encord_rows.video_row()
    box = ontology.object_by_name("Box")
    static = row["object_answers"]["Box_b"]["classifications"]
    plain = {"Ripe": "Yes", "How": 'so "so"\n', "Marks": ["Cut, ä", "Hole"], "Weight": 0.1}
    assert decoded(ontology, static) == plain
    assert encoded(box, plain).static == static
    actions = row["object_actions"]["Box_b"]["actions"]
    there = {"Pose": "Up", "Remark": "ja", "Signs": ["Right"]}
    assert decoded(box, [each for each in actions if [313, 313] in each["range"]]) == there
    for entry in row["classification_answers"].values():
        owner = ontology.classification_by_hash(entry["featureHash"])
        answers = entry["classifications"]
        assert encoded(owner, decoded(owner, answers)).static == answers
    assert decoded(ontology, []) == {}


def _answer(rng: Random, instance: Any, attributes: Any, given: dict[str, Any]) -> None:
    """Answer some attributes of an object or classification in the SDK, and in `given` as people write it."""
    for attribute in rng.sample(list(attributes), len(attributes)):
        kind = attribute.get_property_type().value
        options = list(attribute.options)
        # The SDK takes two dynamic checklists without options for one.
        if rng.random() < 0.2 or (kind in ("radio", "checklist") and not options):
            continue
        value: Any = {"text": "sehr\n", "numeric": rng.choice([3, -0.5])}.get(kind)
        plain = value
        if kind == "radio":
            value = rng.choice(options)
            plain = rng.choice([value.label, value.feature_node_hash])
        elif kind == "checklist":
            value = rng.sample(options, rng.randrange(len(options) + 1))
            plain = [rng.choice([each.label, each.value, each.feature_node_hash]) for each in value]
        frames: Mapping[str, Any] = {"frames": 3} if attribute.dynamic else {}
        instance.set_answer(value, attribute=attribute, **frames)
        given[rng.choice([attribute.name, attribute.feature_node_hash])] = plain
        if kind == "radio" and not attribute.dynamic:
            _answer(rng, instance, value.attributes, given)


def _place(owner: Any, feature_hash: str) -> int:
    return [each.feature_hash for each in owner.attributes].index(feature_hash)
