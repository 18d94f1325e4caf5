"""Answers as people write them, as Encord's entries, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow.errors import OntologyError
from predarrow.ontology import (
    Ontology,
    checklist,
    classification,
    numeric,
    object_class,
    option,
    radio,
    text,
)
from predarrow.ontology.answers import Encoded, decoded, encoded

ONTOLOGY = Ontology.build(
    [
        object_class(
            "Cherry",
            "bounding_box",
            [
                radio(
                    "Fruit?",
                    [
                        option("Red", [text("Note", feature_hash="note1", required=True)], feature_hash="red"),
                        option("Blue", [text("Note", feature_hash="note2")], value="b", feature_hash="blue"),
                        option("b", value="B", feature_hash="bee"),
                    ],
                    feature_hash="fruit",
                ),
                checklist("Marks", ["spot", "cut", "hole"], feature_hash="marks"),
                numeric("Big Size", feature_hash="size", required=True),
                radio(
                    "Pose", [option("up", [text("How", feature_hash="how")]), "down"], dynamic=True, feature_hash="pose"
                ),
            ],
            feature_hash="cherry",
        ),
        object_class("Plum", "polygon", [numeric("Big Size", feature_hash="size"), text("Note", feature_hash="note9")]),
    ],
    [classification(radio("Rain", ["yes", "no"], feature_hash="rain"))],
)
CHERRY, PLUM = ONTOLOGY.objects


def entry(name: str, feature_hash: str, answers: Any) -> dict[str, Any]:
    value = name.lower().replace(" ", "_")
    return {"name": name, "value": value, "featureHash": feature_hash, "answers": answers, "manualAnnotation": True}


def test_each_type() -> None:
    given = {"Fruit?": "Red", "Note": "n", "Marks": ("hole", "spot"), "Big Size": 3, "pose": "down"}
    marks = ONTOLOGY.attribute_by_hash("marks").options
    checked = [{"name": each.label, "value": each.value, "featureHash": each.feature_hash} for each in marks[::2]]
    down = ONTOLOGY.attribute_by_hash("pose").options[1]
    assert encoded(CHERRY, given, complete=True) == Encoded(
        [
            entry("Big Size", "size", 3),
            entry("Marks", "marks", checked),
            entry("Note", "note1", "n"),
            entry("Fruit?", "fruit", [{"name": "Red", "value": "red", "featureHash": "red"}]),
        ],
        [entry("Pose", "pose", [{"name": "down", "value": "down", "featureHash": down.feature_hash}])],
    )
    assert encoded(CHERRY, {}) == Encoded([], [])
    assert encoded(ONTOLOGY.classifications[0], {"Rain": "no"}).static[0]["featureHash"] == "rain"


@pytest.mark.parametrize("value", ["Blue", "blue", CHERRY.attributes[0].options[1]])
def test_an_option_by_label_hash_or_itself(value: Any) -> None:
    assert encoded(CHERRY, {"fruit": value}).static[0]["answers"][0]["featureHash"] == "blue"


def test_the_same_name_below_two_options() -> None:
    for chosen, note in (("Red", "note1"), ("Blue", "note2")):
        made = encoded(CHERRY, {"Fruit?": chosen, "Note": "x"})
        assert made.static[0]["featureHash"] == note
        assert decoded(CHERRY, made.static) == {"Fruit?": chosen, note: "x"}
    assert decoded(PLUM, [entry("Note", "note9", "x")]) == {"Note": "x"}


def test_numbers() -> None:
    for value, as_json in ((np.int64(7), 7), (np.float32(0.5), 0.5), (-0.0, -0.0), (10**300, 10**300)):
        made = encoded(CHERRY, {"Big Size": value}).static[0]["answers"]
        assert (made, type(made)) == (as_json, type(as_json))


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([], "answers: must be a mapping of attributes to answers, got []"),
        ({"Fruit": "Red"}, "answers: must name attributes of 'Cherry', got 'Fruit'; did you mean 'Fruit?'?"),
        ({"x": 1}, "got 'x'; there are Fruit?, Note, Marks, Big Size, Pose, How"),
        ({3: 1}, "answers: must name attributes of 'Cherry', got 3; there are"),
        ({"Fruit?": "Rde"}, "answers: 'Fruit?': must be an option, got 'Rde'; did you mean 'Red'?"),
        ({"Fruit?": "?"}, "answers: 'Fruit?': must be an option, got '?'; there are Red, Blue, b"),
        ({"Fruit?": "b"}, "must be one option, got 'b', which blue and bee are; give the hash"),
        ({"Fruit?": True}, "answers: 'Fruit?': must be an option (Red, Blue, b), got True"),
        ({"Fruit?": ["Red"]}, "must be an option (Red, Blue, b), got ['Red']"),
        ({"Fruit?": np.zeros(2)}, "must be an option (Red, Blue, b), got array"),
        ({"Fruit?": PLUM.attributes[0]}, "must be an option (Red, Blue, b), got Attribute("),
        ({"Fruit?": "Red", "fruit": "Red"}, "answers: 'Fruit?': must be answered once, got its hash 'fruit' as well"),
        ({"Note": "x"}, "answers: 'Note': must be answered only where 'Red' is chosen for 'Fruit?', got 'x'"),
        ({"Fruit?": "Blue", "note1": "x"}, "must be answered only where 'Red' is chosen for 'Fruit?', got 'x'"),
        (
            {"Pose": "up", "How": "x"},
            "'How': must not be answered, as it stands below 'Pose', which is dynamic, got 'x'",
        ),
        ({"Marks": "spot"}, "answers: 'Marks': must be a list of options (spot, cut, hole), got 'spot'"),
        ({"Marks": {"spot": False}}, "must be a list of options (spot, cut, hole), got {'spot': False}"),
        ({"Marks": ["spot", "SPOT"]}, "answers: 'Marks': must be an option, got 'SPOT'; did you mean 'spot'?"),
        ({"Marks": ["spot", "spot"]}, "answers: 'Marks': must name each option once, got ['spot', 'spot']"),
        ({"Fruit?": "Red", "Note": 3}, "answers: 'Note': must be a text, got 3"),
        ({"Fruit?": "Red", "Note": None}, "answers: 'Note': must be a text, got None"),
        ({"Fruit?": "Red", "Note": "\ud800"}, "answers: 'Note': must be Unicode text, got '\\ud800'"),
        ({"Big Size": "3"}, "answers: 'Big Size': must be a finite number, got '3'"),
        ({"Big Size": False}, "answers: 'Big Size': must be a finite number, got False"),
        ({"Big Size": float("nan")}, "answers: 'Big Size': must be a finite number, got nan"),
        ({"Big Size": 10**400}, "answers: 'Big Size': must be a finite number, got 1000"),
    ],
)
def test_answers_that_do_not_hold(answers: Any, message: str) -> None:
    with pytest.raises(OntologyError) as caught:
        encoded(CHERRY, answers)
    assert message in str(caught.value)


def test_a_name_that_two_asked_attributes_have() -> None:
    twice = [text("Note", feature_hash="a"), text("Note", feature_hash="b")]
    owner = Ontology.build([object_class("Cherry", "point", twice)]).objects[0]
    with pytest.raises(
        OntologyError, match="answers: 'Note': must name one attribute, got several; name them by their"
    ):
        encoded(owner, {"Note": "x"})
    with pytest.raises(OntologyError, match="answers: 'Note': must be answered once, got its hash 'a' as well"):
        encoded(owner, {"a": "x", "Note": "y"})
    assert decoded(owner, encoded(owner, {"a": "x", "b": "y"}).static) == {"a": "x", "b": "y"}


def test_what_is_required_where_it_is_asked() -> None:
    assert encoded(CHERRY, {"Fruit?": "Blue", "size": 1}, complete=True).static
    for answers, name in (({"Fruit?": "Red", "size": 1}, "Note"), ({"Fruit?": "Blue"}, "Big Size")):
        assert encoded(CHERRY, answers).static
        with pytest.raises(
            OntologyError, match=f"'{name}': must be answered, as the ontology requires it, got nothing"
        ):
            encoded(CHERRY, answers, complete=True)


def test_the_editors_forms() -> None:
    marks = CHERRY.attributes[1]
    one, two = ({"featureHash": each.feature_hash} for each in marks.options[:2])
    entries: list[dict[str, Any]] = [
        {"featureHash": "marks", "answers": [one]},
        {"featureHash": "fruit", "answers": []},  # what is left of an answer that was taken back
        {"featureHash": "marks", "answers": [two, one]},
    ]
    assert decoded(ONTOLOGY, entries) == decoded(CHERRY, entries) == {"Marks": ["spot", "cut"]}


def test_the_class_is_found_that_has_every_attribute() -> None:
    note = {"featureHash": "note9", "answers": "x"}
    size = {"featureHash": "size", "answers": 2}
    assert decoded(ONTOLOGY, [size, note]) == {"Big Size": 2, "Note": "x"}
    assert decoded(ONTOLOGY, [size]) == {"Big Size": 2}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["x"], "answers[0]: must be an object, got 'x'"),
        ([{"answers": 1}], "answers[0].featureHash: must be a text, got None"),
        (
            [{"featureHash": "siez", "answers": 1}],
            "answers[0].featureHash: must be the hash of an attribute of 'Cherry'",
        ),
        ([{"featureHash": "size", "answers": "1"}], "answers[0].answers: must be a finite number, got '1'"),
        ([{"featureHash": "size"}], "answers[0].answers: must be a finite number, got None"),
        ([{"featureHash": "size", "answers": 1}] * 2, "answers[1]: must answer 'Big Size' once, got it twice"),
        ([{"featureHash": "note1", "answers": []}], "answers[0].answers: must be a text, got []"),
        ([{"featureHash": "marks", "answers": "spot"}], "answers[0].answers: must be a list of options, got 'spot'"),
        ([{"featureHash": "fruit", "answers": [{}]}], "answers[0].answers[0].featureHash: must be a text, got None"),
        ([{"featureHash": "fruit", "answers": ["red"]}], "answers[0].answers[0]: must be an object, got 'red'"),
        (
            [{"featureHash": "fruit", "answers": [{"featureHash": "rde"}]}],
            "answers[0].answers[0].featureHash: must be the hash of an option of 'Fruit?', got 'rde'; did you mean",
        ),
        (
            [{"featureHash": "fruit", "answers": [{"featureHash": "red"}, {"featureHash": "blue"}]}],
            "answers[0].answers: must be one option, as 'Fruit?' is radio, got 2",
        ),
    ],
)
def test_entries_that_do_not_hold(entries: Any, message: str) -> None:
    with pytest.raises(OntologyError) as caught:
        decoded(CHERRY, entries)
    assert message in str(caught.value)


def test_an_attribute_that_no_class_has() -> None:
    with pytest.raises(OntologyError, match="no attribute has the featureNodeHash 'siez'; did you mean 'size'"):
        decoded(ONTOLOGY, [{"featureHash": "siez", "answers": 1}])


_JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["red", "spot", "Note", "fruit", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["featureHash", "answers", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_KEYS = st.sampled_from(["Fruit?", "fruit", "Note", "note1", "Marks", "Big Size", "Pose", "How", "x"])


@given(st.dictionaries(_KEYS, _JUNK, max_size=3))
def test_whatever_is_answered_comes_back_or_is_refused(answers: dict[str, Any]) -> None:
    try:
        made = encoded(CHERRY, answers)
    except OntologyError:
        return
    assert encoded(CHERRY, decoded(CHERRY, [*made.static, *made.dynamic])) == made


@given(st.lists(_JUNK | st.fixed_dictionaries({"featureHash": st.sampled_from(["fruit", "size"]), "answers": _JUNK})))
def test_whatever_entries_are_there_are_taken_or_refused(entries: list[Any]) -> None:
    for source in (ONTOLOGY, CHERRY):
        try:
            plain = decoded(source, entries)
        except OntologyError:
            continue
        assert set(plain) <= {"Fruit?", "Big Size"}
