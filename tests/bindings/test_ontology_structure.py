"""Every node of the structure JSON is checked where it stands; what is not known is left as it came."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow.errors import OntologyError, OutputError
from predarrow.ontology import Attribute, Classification, Ontology, OntologyObject, Option, SkeletonPoint
from predarrow.ontology.parse import MAX_DEPTH

WHY = {"id": "1.1.1.1", "name": "Why?", "type": "text", "featureNodeHash": "why", "required": True}
YES = {"id": "1.1.1", "label": "Yes", "value": "y", "featureNodeHash": "yes", "options": [WHY]}
NO = {"id": "1.1.2", "label": "No, never", "featureNodeHash": "no", "archived": True}
RIPE = {
    "id": "1.1",
    "name": "Ripe?",
    "type": "radio",
    "featureNodeHash": "ripe",
    "required": False,
    "options": [YES, NO],
}
MARKS = {
    "id": "1.2",
    "name": "Marks",
    "type": "checklist",
    "featureNodeHash": "marks",
    "required": None,
    "dynamic": True,
    "options": [{"id": "1.2.1", "label": "Spot", "value": "", "featureNodeHash": "spot"}],
}
RAIN = {"id": "9.1", "name": "Rain", "type": "numeric", "featureNodeHash": "rain", "required": False, "options": []}
POINTS = {
    "10": {"x": 1, "y": 0.5, "name": "b", "feature_hash": "pb"},
    "2": {"x": 0, "y": 0.25, "name": "a", "color": "#000000", "value": "A", "featureHash": "pa"},
}
STRUCTURE: dict[str, Any] = {
    "objects": [
        {"id": "1", "name": "Cherry", "shape": "bounding_box", "featureNodeHash": "o1", "attributes": [RIPE, MARKS]},
        {
            "id": "2",
            "name": "Berry",
            "shape": "skeleton",
            "featureNodeHash": "o2",
            "color": "#ff0000",
            "required": True,
        },
        # Encord's own files share attributes among classes, and have ids that do not begin with their class's.
        {
            "id": "3",
            "name": "Plum",
            "shape": "hologram",
            "featureNodeHash": "o3",
            "attributes": [RIPE | {"x": {"y": 1}}],
        },
    ],
    "classifications": [
        {"id": "1", "featureNodeHash": "c1", "attributes": [RAIN], "level": "global"},
        {"id": "2", "featureNodeHash": "o1", "attributes": [WHY], "level": "later"},
    ],
    "skeleton_templates": [
        {
            "template": {
                "name": "Line",
                "skeleton": POINTS,
                "skeletonEdges": {"2": {"10": {"color": "#000000"}}},
                "feature_node_hash": "o2",
            }
        },
        {"template": {"name": "Old", "skeleton": {}, "featureNodeHash": "o9"}, "more": 1},
        {"template": {"name": "Loose", "skeleton": {}, "skeleton_edges": {}}},
    ],
    "later": [{"a": None}],
}


def test_nodes() -> None:
    ontology = Ontology.from_dict(STRUCTURE)
    assert ontology.to_dict() == STRUCTURE
    why = Attribute("why", "Why?", "text", required=True)
    yes, no = Option("yes", "Yes", "y", (why,)), Option("no", "No, never", "no,_never")
    ripe = Attribute("ripe", "Ripe?", "radio", options=(yes, no))
    marks = Attribute("marks", "Marks", "checklist", dynamic=True, options=(Option("spot", "Spot", ""),))
    rain = Attribute("rain", "Rain", "numeric")
    assert ontology.objects == (
        OntologyObject("o1", "Cherry", "bounding_box", attributes=(ripe, marks)),
        OntologyObject("o2", "Berry", "skeleton", color="#ff0000", required=True),
        OntologyObject("o3", "Plum", "hologram", attributes=(ripe,)),
    )
    assert ontology.classifications == (
        Classification("c1", "Rain", rain, is_global=True),
        Classification("o1", "Why?", why, is_global=False),
    )
    line, old, loose = ontology.templates
    assert line.points == (SkeletonPoint("a", "pa", "#000000", "A", 0, 0.25), SkeletonPoint("b", "pb", "", "", 1, 0.5))
    assert (line.feature_hash, line.name, line.edges) == ("o2", "Line", ((0, 1),))
    assert (old.feature_hash, loose.feature_hash, loose.edges) == ("o9", "", ())


def test_lookups() -> None:
    ontology = Ontology.from_dict(STRUCTURE)
    cherry, _, plum = ontology.objects
    assert ontology.object_by_hash("o1") is cherry
    assert ontology.classification_by_hash("o1").name == "Why?"
    assert ontology.classification_by_name("Rain").feature_hash == "c1"
    assert ontology.template_by_hash("o2").name == "Line"
    assert ontology.attribute_by_hash("ripe") == cherry.attributes[0]  # shared, but the same in both classes
    assert ontology.attribute_by_hash("why", owner=cherry).required
    assert ontology.option_by_hash("no", owner=plum).label == "No, never"
    assert ontology.owners_of("ripe") == (cherry, plum)
    assert ontology.owners_of("why") == (cherry, plum, ontology.classifications[1])


@pytest.mark.parametrize(
    ("method", "key", "message"),
    [
        ("classification_by_hash", "c12", "no classification has the featureNodeHash 'c12'; did you mean 'c1'?"),
        ("classification_by_name", "Snow", "no classification has the name 'Snow'; there are Rain, Why?"),
        ("template_by_hash", "o1", "no skeleton template has the feature_node_hash 'o1'; there are o2, o9"),
        ("attribute_by_hash", "mark", "no attribute has the featureNodeHash 'mark'; did you mean 'marks'?"),
        ("template_by_hash", "", "no skeleton template has the feature_node_hash ''; there are o2, o9"),
        ("option_by_hash", "", "no option has the featureNodeHash ''; there are yes, no, spot"),
        ("owners_of", "sigh", "no attribute has the featureNodeHash 'sigh'; there are ripe, why, marks, rain"),
    ],
)
def test_what_is_not_there(method: str, key: str, message: str) -> None:
    with pytest.raises(OntologyError) as caught:
        getattr(Ontology.from_dict(STRUCTURE), method)(key)
    assert str(caught.value) == f"ontology: {message}"


def test_what_stands_for_several() -> None:
    structure = _changed(["objects", 2, "attributes", 0, "dynamic"], True)
    structure["objects"][2]["attributes"][0]["options"][1] |= {"label": "Never"}
    structure["classifications"].append(STRUCTURE["classifications"][0] | {"featureNodeHash": "c2"})
    ontology = Ontology.from_dict(structure)
    assert [ontology.attribute_by_hash("ripe", owner=owner).dynamic for owner in ontology.owners_of("ripe")] == [0, 1]
    cases = {
        "2 attributes have the featureNodeHash 'ripe': 'Ripe?' of 'Cherry', 'Ripe?' of": "attribute_by_hash ripe",
        "2 options have the featureNodeHash 'no': 'No, never' of 'Ripe?' of 'Cherry', 'Never' of": "option_by_hash no",
        "2 classifications have the name 'Rain': c1, c2": "classification_by_name Rain",
    }
    for message, call in cases.items():
        method, key = call.split()
        with pytest.raises(OntologyError, match=r"^ontology: \d ") as caught:
            getattr(ontology, method)(key)
        assert message in str(caught.value)
    with pytest.raises(
        OntologyError, match="no attribute has the featureNodeHash 'marks' below 'Plum'; there are ripe"
    ):
        ontology.attribute_by_hash("marks", owner=ontology.objects[2])


_BAD: list[tuple[list[str | int], Any, str]] = [
    (["objects", 0, "id"], 1, "$.objects[0].id: must be a number as text, got 1"),
    (["objects", 0, "id"], "1.1", "$.objects[0].id: must be a number as text, got '1.1'"),
    (["objects", 0, "id"], "9" * 5000, "$.objects[0].id: must be a number as text, got '9999"),
    (["objects", 0, "color"], 7, "$.objects[0].color: must be a text, got 7"),
    (["objects", 0, "required"], "yes", "$.objects[0].required: must be true or false, got 'yes'"),
    (["objects", 0, "name"], "\ud800", "$.objects[0].name: must be Unicode text, got '\\ud800'"),
    (["objects", 0, "attributes"], {}, "$.objects[0].attributes: must be a list, got dict"),
    (["objects", 0, "attributes", 1], None, "$.objects[0].attributes[1]: must be an object, got NoneType"),
    (
        ["objects", 0, "attributes", 0, "id"],
        "1.",
        "attributes[0].id: must be numbers joined by dots, as text, got '1.'",
    ),
    (
        ["objects", 0, "attributes", 0, "type"],
        "radoi",
        "$.objects[0].attributes[0].type: must be one of radio, checklist, text, numeric, got 'radoi'; "
        "did you mean 'radio'?",
    ),
    (
        ["objects", 0, "attributes", 0, "type"],
        "text",
        "attributes[0].options: must not be there, as the type is text, got 2",
    ),
    (
        ["objects", 0, "attributes", 0, "type"],
        "checklist",
        "$.objects[0].attributes[0].options[0].options: must not be there in a checklist, got 1",
    ),
    (["objects", 0, "attributes", 0, "featureNodeHash"], None, "[0].featureNodeHash: must be a text that is not empty"),
    (
        ["objects", 0, "attributes", 0, "options", 0, "options", 0, "dynamic"],
        True,
        "options[0].options[0].dynamic: must be false but at the top level of objects, got true",
    ),
    (
        ["objects", 0, "attributes", 0, "options", 1, "label"],
        "",
        "options[1].label: must be a text that is not empty, got ''",
    ),
    (["objects", 0, "attributes", 0, "options", 1, "value"], 1, "options[1].value: must be a text, got 1"),
    (["objects", 0, "attributes", 0, "options", 1, "archived"], 1, "options[1].archived: must be true or false, got 1"),
    (
        ["objects", 0, "attributes", 0, "options", 1, "featureNodeHash"],
        "yes",
        "$.objects[0].attributes[0].options: each featureNodeHash must stand once, got 'yes' twice: "
        "$.objects[0].attributes[0].options[0] and $.objects[0].attributes[0].options[1]",
    ),
    (
        ["objects", 0, "attributes", 1, "featureNodeHash"],
        "why",
        "$.objects[0].attributes: each featureNodeHash must stand once, got 'why' twice: "
        "$.objects[0].attributes[0].options[0].options[0] and $.objects[0].attributes[1]",
    ),
    (["objects", 2, "featureNodeHash"], "o1", "$.objects: each featureNodeHash must stand once, got 'o1' twice"),
    (["classifications", 0, "attributes"], [], "$.classifications[0].attributes: must hold one attribute, got 0"),
    (["classifications", 0, "attributes"], None, "$.classifications[0].attributes: must hold one attribute, got 0"),
    (
        ["classifications", 0, "attributes"],
        [RAIN, WHY],
        "$.classifications[0].attributes: must hold one attribute, got 2",
    ),
    (
        ["classifications", 0, "attributes", 0, "dynamic"],
        True,
        "[0].dynamic: must be false but at the top level of objects",
    ),
    (["classifications", 0, "level"], 3, "$.classifications[0].level: must be a text, got 3"),
    (
        ["classifications", 0, "featureNodeHash"],
        "o1",
        "$.classifications: each featureNodeHash must stand once, got 'o1'",
    ),
    (["skeleton_templates", 0], {}, "$.skeleton_templates[0].template: must be an object, got NoneType"),
    (
        ["skeleton_templates", 1, "template", "name"],
        "Line",
        "$.skeleton_templates: each name must stand once, got 'Line'",
    ),
    (
        ["skeleton_templates", 0, "template", "feature_node_hash"],
        "o9",
        "$.skeleton_templates: each feature_node_hash must stand once, got 'o9' twice: "
        "$.skeleton_templates[0].template and $.skeleton_templates[1].template",
    ),
    (["skeleton_templates", 0, "template", "skeleton"], None, "[0].template.skeleton: must be an object, got NoneType"),
    (
        ["skeleton_templates", 0, "template", "skeleton"],
        {"a": {}},
        ".skeleton: must have whole numbers as keys, got 'a'",
    ),
    (
        ["skeleton_templates", 0, "template", "skeleton", "2", "x"],
        float("nan"),
        ".skeleton.2.x: must be a finite number",
    ),
    (["skeleton_templates", 0, "template", "skeleton", "2", "y"], 10**400, ".skeleton.2.y: must be a finite number"),
    (["skeleton_templates", 0, "template", "skeleton", "2", "y"], True, ".y: must be a finite number, got True"),
    (
        ["skeleton_templates", 0, "template", "skeletonEdges", "2"],
        {"3": {}},
        "$.skeleton_templates[0].template.skeletonEdges.2.3: must join two points of the skeleton, got '3'",
    ),
    (["skeleton_templates", 0, "template", "skeletonEdges", "2"], [], ".skeletonEdges.2: must be an object, got list"),
]


@pytest.mark.parametrize(("place", "value", "message"), _BAD)
def test_nodes_that_do_not_hold(place: list[str | int], value: Any, message: str) -> None:
    with pytest.raises(OntologyError) as caught:
        Ontology.from_dict(_changed(place, value))
    assert str(caught.value).startswith("ontology: $.")
    assert message in str(caught.value)


def test_structure_inside_another() -> None:
    with pytest.raises(OntologyError, match=r"got the keys title, editor; give what stands in 'editor'"):
        Ontology.from_dict({"title": "Fruit", "editor": STRUCTURE})


def test_depth() -> None:
    assert Ontology.from_dict(_deep(MAX_DEPTH)).owners_of(f"a{MAX_DEPTH}")
    with pytest.raises(OntologyError, match=r"\.options\[0\]\.options: must be nested at most 7 levels deep, got more"):
        Ontology.from_dict(_deep(MAX_DEPTH + 1))


def test_depth_beyond_recursion(tmp_path: Path) -> None:
    for levels in (900, 100_000):
        (tmp_path / "a.json").write_text('{"objects": [], "later": ' + "[" * levels + "]" * levels + "}")
        with pytest.raises(OntologyError, match=r"a.json: \$: must not be nested hundreds of levels deep"):
            Ontology.read(tmp_path / "a.json")


def test_what_is_not_unicode_survives_where_it_is_not_known(tmp_path: Path) -> None:
    structure = {"objects": [], "é": "\ud800"}
    Ontology.from_dict(structure).write(tmp_path / "a.json")
    assert Ontology.read(tmp_path / "a.json").to_dict() == structure


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"none/a.json: cannot be written: No such file or directory"):
        Ontology.from_dict(STRUCTURE).write(tmp_path / "none" / "a.json")


def test_copies_are_equal() -> None:
    ontology = Ontology.from_dict(STRUCTURE)
    for other in (copy.deepcopy(ontology), pickle.loads(pickle.dumps(ontology))):
        assert other == ontology
        assert other.attribute_by_hash("marks") == ontology.attribute_by_hash("marks")


_PATHS = [place for place, _, _ in _BAD]
_JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(st.sampled_from(_PATHS), _JUNK)
def test_whatever_stands_there_is_taken_as_it_is_or_refused(place: list[str | int], value: Any) -> None:
    structure = _changed(place, value)
    refused = ""
    try:
        taken = Ontology.from_dict(structure).to_dict()
    except OntologyError as error:
        refused = str(error)
    assert refused.startswith("ontology: $") if refused else json.dumps(taken) == json.dumps(structure)


def _changed(place: list[str | int], value: Any) -> dict[str, Any]:
    structure: dict[str, Any] = json.loads(json.dumps(STRUCTURE))  # deepcopy would leave shared nodes shared
    node: Any = structure
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    return structure


def _deep(levels: int) -> dict[str, Any]:
    attributes: list[Any] = []
    for level in range(levels, 0, -1):
        option = {"label": "o", "featureNodeHash": f"o{level}", "options": attributes}
        options = {"options": [option]} if attributes else {}
        attributes = [{"name": "a", "type": "radio", "featureNodeHash": f"a{level}", **options}]
    return {"objects": [], "classifications": [{"featureNodeHash": "c", "attributes": attributes}]}
