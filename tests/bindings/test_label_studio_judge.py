"""Checks against Label Studio's own: what it refuses is refused, and every kind that it takes is taken."""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from predarrow import LabelingConfig, check_label_studio
from tests.label_studio_samples import TAGS, config_of, data_of, result_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the peer, while it is imported
    interface = pytest.importorskip("label_studio_sdk.label_interface.interface", reason="the peer is not installed")

LABELS = ["Car", 'a "b" & <c>', "naïve, 車", "labels"]
_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 5, 100.5, 101, 360.5, 1e300, 10**400, "12.5", "", "left", "Car", "no label", "c0", "r-c0"),
    *([], [5], ["Car"], ["no label"], [["Car"]], [["Car", "no"]], [1, 2], [[1, 2], [3, 4], [5, 101]], [0, 256], [[]]),
    *({}, {"x": 5}, {"c0": {"x": 1}}, [{}], [{"start": 1, "end": "a"}], [{"x": 1, "y": 2, "frame": 1}], 0.5, "\ud800"),
)


def places_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the paths of all members and items."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield (*path, key)
        yield from places_of(value[key], (*path, key))


@st.composite
def configs(draw: st.DrawFn) -> list[str]:
    return draw(st.lists(st.sampled_from(TAGS), min_size=1, max_size=5))


def mutated(data: st.DataObject, prediction: dict[str, Any]) -> dict[str, Any]:
    """Give a prediction with one to three changes anywhere in it."""
    prediction = copy.deepcopy(prediction)
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(places_of(prediction))
        if not places:
            break
        *path, last = data.draw(st.sampled_from(places))
        holder: Any = prediction
        for key in path:
            holder = holder[key]
        change = data.draw(st.sampled_from(("set", "remove", "repeat", "rename")))
        if change == "set":
            holder[last] = copy.deepcopy(data.draw(st.sampled_from(_VALUES)))
        elif change == "remove":
            del holder[last]
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[last]))
        else:
            holder[data.draw(st.sampled_from(("x", "value", "labels", "c0", "c1", "type", "id")))] = holder.pop(last)
    return prediction


def refused_by_peer(judge: Any, prediction: dict[str, Any]) -> set[int]:
    """Give the places of the results that the peer refuses; -1 where it names none.

    A region whose id is a list or whose type is an object breaks its check of others, which it then refuses, too, as
    it does relations to these.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydantic's, of values that are not what it serialises
        errors = judge.validate_prediction(prediction, return_errors=True)
    flat = [text for error in errors for text in (error if isinstance(error, list) else [error])]  # of relations, lists
    if any("Error validating" in error for error in flat):
        flat = [error for error in flat if "not found in regions" not in error]
    found = (re.match(r"(?:Region|Relation) (\d+)(?!.*Error validating)", error) for error in flat)
    return {-1 if match is None else int(match.group(1)) for match in found}


def refused_by_us(tags: list[str], prediction: dict[str, Any]) -> set[int]:
    """Give the same of our checks; every place where the prediction as a whole is refused."""
    report = check_label_studio([{"data": data_of(tags), "predictions": [prediction]}], config_of(tags, LABELS))
    found = [re.match(r"\$\[0\]\.predictions\[0\]\.result\[(\d+)\]", problem.pointer) for problem in report.problems]
    places = {int(match.group(1)) for match in found if match is not None}
    if None in found:
        places.update(range(100))
    return places | {-1} if found else places


@pytest.mark.parametrize("tag", TAGS)
def test_a_result_of_every_control_is_taken_by_both(tag: str) -> None:
    config = config_of([tag], LABELS)
    prediction = {"result": [result_of(tag, "c0", LABELS)], "score": 0.5, "model_version": "one"}
    assert interface.LabelInterface(config).validate_prediction(prediction, return_errors=True) == []
    report = check_label_studio([{"data": data_of([tag]), "predictions": [prediction]}], config)
    assert (report.problems, report.imported, dict(report.flagged)) == ([], 1, {})


@settings(max_examples=400)
@given(st.data(), configs())
def test_what_the_peer_refuses_is_refused(data: st.DataObject, tags: list[str]) -> None:
    config = config_of(tags, LABELS)
    judge = interface.LabelInterface(config)
    results = [result_of(tag, f"c{number}", LABELS) for number, tag in enumerate(tags)]
    relation = {"type": "relation", "from_id": "r-c0", "to_id": "r-c0", "direction": "right"}
    prediction = mutated(data, {"result": [*results, relation], "score": 0.5})
    refused = refused_by_peer(judge, prediction)
    assume(refused)
    assert refused <= refused_by_us(tags, prediction)


@settings(max_examples=60)
@given(st.data(), configs().filter(lambda tags: "Pairwise" not in tags))  # of which the peer's generator asks for two
def test_what_the_peer_makes_up_is_judged_no_milder(data: st.DataObject, tags: list[str]) -> None:
    config = config_of(tags, LABELS)
    judge = interface.LabelInterface(config)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        task = judge.generate_complete_sample_task()
    assume(task and task["predictions"])
    prediction = mutated(data, task["predictions"][0])
    refused = refused_by_peer(judge, prediction)
    assume(refused)
    assert refused <= refused_by_us(tags, prediction)


@pytest.mark.parametrize("shape", ["Rectangle", "Polygon", "Ellipse", "KeyPoint", "Brush", "Bitmask", "Vector"])
def test_labels_with_the_id_of_a_geometry_are_taken_by_both(shape: str) -> None:
    config = config_of([shape], LABELS).replace(
        "</View>",
        '<Labels name="label" toName="image"><Label value="Car"/></Labels><TextArea name="text" toName="image"'
        ' perRegion="true"/></View>',
    )
    bare = result_of(shape, "c0", LABELS)
    labels = {**bare, "from_name": "label", "type": "labels", "value": {**bare["value"], "labels": ["Car"]}}
    text = {**bare, "from_name": "text", "type": "textarea", "value": {**bare["value"], "text": ["one"]}}
    judge = interface.LabelInterface(config)
    for results, is_whole in (([bare, labels, text], True), ([labels], False), ([bare, {**labels, "id": "b"}], False)):
        prediction = {"result": results}
        report = check_label_studio([{"data": {"image": "a"}, "predictions": [prediction]}], config)
        assert judge.validate_prediction(prediction) is is_whole
        assert (report.problems == []) is is_whole
    assert report.flagged == {}


def test_labels_and_a_geometry_as_one_result_are_taken_by_both() -> None:
    config = (
        '<View><Video name="video" value="$video"/><VideoVector name="vector" toName="video"/>'
        '<Labels name="label" toName="video"><Label value="Car"/></Labels></View>'
    )
    judge = interface.LabelInterface(config)
    value = {"sequence": [{"frame": 1, "vertices": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}]}
    for labels, is_whole in ((["Car"], True), (["Bus"], False), ([], False)):
        result = {"from_name": "label", "to_name": "video", "type": "videovectorlabels"}
        prediction = {"result": [{**result, "value": {**value, "videovectorlabels": labels}}]}
        report = check_label_studio([{"data": {"video": "a"}, "predictions": [prediction]}], config)
        assert judge.validate_prediction(prediction) is is_whole
        assert (report.problems == []) is is_whole


@settings(max_examples=100)
@example(["Chat", "Labels", "Taxonomy"])
@given(configs())
def test_controls_and_labels_are_the_peers(tags: list[str]) -> None:
    config = config_of(tags, LABELS)
    ours, judge = LabelingConfig.parse(config), interface.LabelInterface(config)
    assert {control.name: (control.type, list(control.to_name)) for control in ours.controls.values()} == {
        control.name: (control.tag.lower(), control.to_name) for control in judge.controls
    }
    assert {name: set(control.label_names) for name, control in ours.controls.items()} == {
        control.name: set(control.labels or ()) for control in judge.controls
    }
    assert {each.name: each.value for each in ours.objects.values()} == {
        each.name: each.value for each in judge.objects
    }
