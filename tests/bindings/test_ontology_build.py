"""Ontologies made in code: stable hashes, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from predarrow.errors import OntologyError
from predarrow.ontology import (
    Attribute,
    Ontology,
    Option,
    checklist,
    classification,
    numeric,
    object_class,
    option,
    radio,
    skeleton_template,
    text,
)


def test_json() -> None:
    ontology = Ontology.build(
        [
            object_class("Cherry", "bounding_box", [radio("Ripe?", ["Yes", "no no"], dynamic=True)], color="#AA0000"),
            object_class("Strawberry", "skeleton", required=True, feature_hash="straw"),
        ],
        [classification(text("Note"), is_global=True)],
        {"Strawberry": skeleton_template("Triangle", {"top": (0.5, 0), "left": (0, 2)}, [("top", "left")])},
    )
    cherry, note = ontology.object_by_name("Cherry").feature_hash, ontology.classifications[0].feature_hash
    ripe, root = ontology.objects[0].attributes[0], ontology.classifications[0].attribute.feature_hash
    options = [each.feature_hash for each in ripe.options]
    common = {"archived": False, "required": False}
    off = {"archived": False}
    assert ontology.to_dict() == {
        "objects": [
            {"id": "1", "name": "Cherry", "color": "#AA0000", "shape": "bounding_box", "featureNodeHash": cherry}
            | common
            | {
                "attributes": [
                    {
                        "id": "1.1",
                        "name": "Ripe?",
                        "type": "radio",
                        "featureNodeHash": ripe.feature_hash,
                        "dynamic": True,
                    }
                    | common
                    | {
                        "options": [
                            {"id": "1.1.1", "label": "Yes", "value": "yes", "featureNodeHash": options[0]} | off,
                            {"id": "1.1.2", "label": "no no", "value": "no_no", "featureNodeHash": options[1]} | off,
                        ]
                    }
                ]
            },
            {"id": "2", "name": "Strawberry", "color": "#875692", "shape": "skeleton", "featureNodeHash": "straw"}
            | off
            | {"required": True},
        ],
        "classifications": [
            {
                "id": "1",
                "featureNodeHash": note,
                "level": "global",
                "attributes": [
                    {"id": "1.1", "name": "Note", "type": "text", "featureNodeHash": root, "dynamic": False} | common
                ],
            }
        ],
        "skeleton_templates": [{"template": _template(ontology)}],
    }
    assert cherry == Ontology.from_classes(["Cherry"], shape="bounding_box").objects[0].feature_hash
    hashes = [cherry, note, ripe.feature_hash, root, *options]
    assert [len(each) for each in hashes] == [8] * 6
    assert len(set(hashes)) == 6


def _template(ontology: Ontology) -> dict[str, Any]:
    top, left = (point.feature_hash for point in ontology.template_by_hash("straw").points)
    return {
        "name": "Triangle",
        "width": 0.5,
        "height": 2,
        "skeleton": {
            "0": {"x": 0.5, "y": 0, "name": "top", "color": "#000000", "value": "top", "featureHash": top},
            "1": {"x": 0, "y": 2, "name": "left", "color": "#000000", "value": "left", "featureHash": left},
        },
        "skeletonEdges": {"0": {"1": {"color": "#000000"}}},
        "feature_node_hash": "straw",
        "shape": "skeleton",
    }


def test_hashes_depend_on_names_and_places_alone() -> None:
    ripe, size = radio("Ripe?", ["yes", option("no", [text("Why?")])]), numeric("Size")
    one = Ontology.build([object_class("a", "polygon", [ripe, size]), object_class("b", "polygon", [ripe])])
    other = Ontology.build([object_class("b", "polygon", [ripe]), object_class("a", "polygon", [size, ripe])])
    for name in "ab":
        assert set(one.object_by_name(name).attributes) == set(other.object_by_name(name).attributes)
    assert one.objects[0].attributes[0] != one.objects[1].attributes[0]
    again = Ontology.build(one.objects, one.classifications)
    assert again == one


def test_given_hashes_are_kept() -> None:
    given = checklist("m", [option("x", value="X", feature_hash="o")], feature_hash="a", required=True)
    ontology = Ontology.build([], [classification(given, feature_hash="c")])
    assert ontology.attribute_by_hash("a") == Attribute("a", "m", "checklist", True, False, (Option("o", "x", "X"),))
    assert ontology.classification_by_hash("c").attribute == given


def test_template_by_the_hash_of_its_class() -> None:
    twins = [object_class("s", "skeleton", feature_hash=key) for key in ("one", "two")]
    template = skeleton_template("t", {"a": (1, 2)})
    assert Ontology.build(twins, templates={"two": template}).template_by_hash("two").points[0].y == 2
    with pytest.raises(
        OntologyError, match="class of shape skeleton, got 's', which stands for 2 of them; give a hash"
    ):
        Ontology.build(twins, templates={"s": template})


def wrong(value: Any) -> Any:
    """Give what a caller may pass though the types forbid it."""
    return value


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: object_class("a", "box"), r"^shape: must be one of bounding_box, .*, got 'box'"),
        (lambda: object_class("", "polygon"), r"^name: must be a text that is not empty, got ''"),
        (lambda: object_class("\ud800", "polygon"), r"^name: must be Unicode text"),
        (
            lambda: object_class("a", "polygon", wrong(["b"])),
            r"^attributes\[0\]: must be what radio, checklist, text or numeric ",
        ),
        (lambda: object_class("a", "polygon", wrong(text("b"))), r"^attributes: must be a list, got Attribute\("),
        (lambda: skeleton_template("t", {"a": (0, 10**400)}), r"^points: a: must be \(x, y\), got \(0, 1000"),
        (lambda: classification(wrong(option("a"))), r"^attribute\[0\]: must be what radio, .* gives, got Option\("),
        (lambda: radio("a", "yes"), r"^options: must be a list, got the text 'yes'"),
        (lambda: radio("a", ["yes", ""]), r"^label: must be a text that is not empty"),
        (lambda: checklist("a", wrong([3])), r"^options\[0\]: must be what option gives, got 3"),
        (lambda: skeleton_template("t", wrong({"a": (1, 2, 3)})), r"^points: a: must be \(x, y\), got \(1, 2, 3\)"),
        (lambda: skeleton_template("t", wrong({"a": "xy"})), r"^points: a: must be \(x, y\), got 'xy'"),
        (
            lambda: skeleton_template("t", {"left": (0, 0)}, [("left", "lift")]),
            r"^edges: .*'lift'; did you mean 'left'\?",
        ),
        (lambda: Ontology.build(wrong(["car"])), r"^objects\[0\]: must be what object_class gives, got 'car'"),
        (
            lambda: Ontology.build([], wrong(["car"])),
            r"^classifications\[0\]: must be what classification gives, got 'car'",
        ),
        (
            lambda: Ontology.build([], [], wrong({"s": "t"})),
            r"^templates\[0\]: must be what skeleton_template gives, got 't'",
        ),
        (
            lambda: Ontology.build([object_class("s", "polygon")], templates={"s": skeleton_template("t", {})}),
            r"^templates: must stand by the name of a class of shape skeleton, got 's'; there are none",
        ),
        (
            lambda: Ontology.build([], [classification(radio("a", [option("b", [text("c", dynamic=True)])]))]),
            r"^ontology: \$\.classifications\[0\]\.attributes\[0\]\.options\[0\]\.options\[0\]\.dynamic: must be false",
        ),
        (
            lambda: Ontology.build([object_class("a", "polygon", [text("b"), numeric("b")])]),
            r"^ontology: \$\.objects\[0\]\.attributes: each featureNodeHash must stand once",
        ),
        (
            lambda: Ontology.build([], [], {}).object_by_name("a"),
            r"^ontology: no object has the name 'a'; there are none",
        ),
    ],
)
def test_what_does_not_hold(make: Callable[[], object], message: str) -> None:
    with pytest.raises(OntologyError, match=message):
        make()
