"""Answers, ranges and classifications of label rows: what they become, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from predarrow import Ontology, read_label_rows
from predarrow.formats.encord.answers import NO_COORDINATES, NO_OBJECT
from predarrow.formats.encord.ranges import OVERLAPPING
from predarrow.formats.encord.timeless import NO_FRAME, NOT_IN_RANGE
from predarrow.ontology import checklist, classification, numeric, object_class, option, radio, skeleton_template, text
from predarrow.report import Code
from tests.label_rows import as_twin, box_label, image_row, problems_of, video_row
from tests.naive_label_rows import table_rows

Json = dict[str, Any]

YES_NO = [option("yes", feature_hash="yes"), option("no", feature_hash="no")]
MARKS = [option("a", feature_hash="a"), option("b", feature_hash="b")]
ONTOLOGY = Ontology.build(
    [
        object_class(
            "Cherry",
            "bounding_box",
            [
                radio("Ripe?", YES_NO, feature_hash="ripe"),
                checklist("Marks", MARKS, feature_hash="marks"),
                numeric("Weight", feature_hash="weight"),
                text("Note", dynamic=True, feature_hash="note"),
            ],
            feature_hash="class",
        )
    ],
    [
        classification(radio("Day?", [option("yes", feature_hash="day")], feature_hash="root"), feature_hash="Day"),
        classification(text("Place", feature_hash="place"), is_global=True, feature_hash="Place"),
    ],
)


def chosen(*hashes: str) -> list[Json]:
    return [{"name": each, "value": each, "featureHash": each} for each in hashes]


def answer(feature_hash: str, value: Any, **more: Any) -> Json:
    named = {"name": feature_hash, "value": feature_hash, "featureHash": feature_hash, "manualAnnotation": True}
    return named | {"answers": value} | more


def answered(*answers: Any, frames: tuple[int, ...] = (3,), actions: Any = (), **members: Any) -> Json:
    row = video_row({frame: [box_label("a")] for frame in frames}, **members)
    row["object_answers"]["a"]["classifications"] = list(answers)
    if actions:
        row["object_actions"] = {"a": {"objectHash": "a", "actions": list(actions)}}
    return row


def classified(*answers: Any, key: str = "c", **members: Any) -> Json:
    entry = {"classificationHash": key, "featureHash": "Day", "classifications": list(answers), "range": [[3, 5]]}
    return video_row({3: [box_label("a")]}, classification_answers={key: entry | members})


def attributes_of(row: Json, **options: Any) -> list[Json]:
    table = read_label_rows(row, **options).read_all()
    assert as_twin(table, row) == table_rows(row)
    return [json.loads(text or "{}") for text in table["attributes"].to_pylist()]


ANSWERS: list[tuple[Any, Code, str, str]] = [
    (3, Code.BAD_VALUE, "", "must be an object, got 3"),
    (answer("", "x"), Code.BAD_VALUE, ".featureHash", "must be a text that is not empty"),
    (answer("none", "x"), Code.BAD_ANSWER, ".featureHash", "an attribute that is not dynamic of 'Cherry', got 'none'"),
    (answer("note", "x"), Code.BAD_ANSWER, ".featureHash", "not dynamic of 'Cherry', got 'note'"),
    (answer("ripe", []), Code.BAD_ANSWER, ".answers", "must be a list of one option, got 0 options"),
    (answer("ripe", chosen("yes", "no")), Code.BAD_ANSWER, ".answers", "must be a list of one option, got 2 options"),
    (answer("ripe", chosen("maybe")), Code.BAD_ANSWER, ".answers[0].featureHash", "of 'Ripe?', got 'maybe'"),
    (answer("ripe", "yes"), Code.BAD_ANSWER, ".answers", "must be a list of one option, got 'yes'"),
    (answer("ripe", [3]), Code.BAD_VALUE, ".answers[0]", "must be an object, got 3"),
    (answer("ripe", None), Code.BAD_ANSWER, ".answers", "a list of options, text or a number, got None"),
    (answer("ripe", True), Code.BAD_ANSWER, ".answers", "got True"),
    (answer("marks", chosen("c")), Code.BAD_ANSWER, ".answers[0].featureHash", "an option of 'Marks'"),
    (answer("weight", "7"), Code.BAD_ANSWER, ".answers", "must be a finite number, got '7'"),
    (answer("weight", math.nan), Code.BAD_NUMBER, ".answers", "must be a finite number, got nan"),
    (answer("weight", chosen("a")), Code.BAD_ANSWER, ".answers", "must be a finite number"),
]


@pytest.mark.parametrize(("given", "code", "pointer", "words"), ANSWERS)
def test_answers_that_do_not_hold_leave_their_object_out(
    given: Any, code: Code, pointer: str, words: str, tmp_path: Path
) -> None:
    good = answer("ripe" if "weight" in str(given) else "weight", chosen("yes") if "weight" in str(given) else 1)
    row = answered(good, given, frames=(3, 4))
    [problem] = problems_of(row, tmp_path, ontology=ONTOLOGY)
    assert (problem.code, problem.row) == (code, 0)
    assert problem.pointer == f"$[0].object_answers.a.classifications[1]{pointer}"
    assert words in problem.message
    assert read_label_rows(row, ontology=ONTOLOGY, on_error="skip").read_all().num_rows == 0


def test_an_attribute_is_answered_once_unless_it_is_a_checklist(tmp_path: Path) -> None:
    row = answered(answer("ripe", chosen("yes")), answer("ripe", chosen("no")))
    [problem] = problems_of(row, tmp_path, ontology=ONTOLOGY)
    assert "once, unless it is a checklist, got a second answer to 'ripe'" in problem.message
    row = answered(answer("weight", 1), answer("weight", 2))
    assert [each.code for each in problems_of(row, tmp_path)] == [Code.BAD_ANSWER]


def test_answers_that_need_an_ontology_to_be_judged_are_taken_without_one() -> None:
    row = answered(answer("none", []), answer("ripe", chosen("yes", "no")), answer("weight", "7"))
    assert attributes_of(row)[0]["answers"] == row["object_answers"]["a"]["classifications"]


@pytest.mark.parametrize("place", ["object_answers", "object_actions"])
@pytest.mark.parametrize("named", ["b", None, 3])
def test_answers_of_another_object_leave_theirs_out(place: str, named: Any, tmp_path: Path) -> None:
    """The SDK takes the hash of spans from one and of others from the other."""
    row = answered(actions=[answer("note", "x", dynamic=True, range=[[3, 3]])])
    row[place]["a"]["objectHash"] = named
    [problem] = problems_of(row, tmp_path)
    assert (problem.code, problem.pointer) == (Code.BAD_VALUE, f"$[0].{place}.a.objectHash")
    assert problem.message == f"must be 'a', the entry's key, got {named!r}"


def test_a_checklist_with_an_entry_for_each_option_is_one_answer() -> None:
    row = answered(answer("marks", chosen("a")), answer("weight", 0.1), answer("marks", chosen("b")), frames=(3, 7))
    for each in attributes_of(row):
        assert each["answers"] == [answer("marks", chosen("a", "b")), answer("weight", 0.1)]


def test_dynamic_answers_stand_on_their_frames() -> None:
    actions = [
        answer("note", "in", dynamic=True, range=[[3, 4], [9, 9]], shouldPropagate=False, trackHash="t"),
        answer("note", "out", dynamic=True, range=[[7, 7]], shouldPropagate=True),
    ]
    found = attributes_of(answered(frames=(3, 4, 7, 9), actions=actions))
    assert [each["dynamic"][0]["answers"] for each in found] == ["in", "in", "out", "in"]
    assert "trackHash" not in found[0]["dynamic"][0]
    assert [each["dynamic"][0].get("shouldPropagate") for each in found] == [None, None, True, None]
    assert "object" not in found[0]["encord"]


def test_ranges_where_the_object_is_not_are_flagged_and_kept() -> None:
    actions = [answer("note", "x", dynamic=True, range=[[0, 50]], shouldPropagate=False)]
    row = answered(frames=(9, 3), actions=actions)
    assert attributes_of(row)[0]["encord"]["object"] == {"object_actions": {"actions": actions}}
    reader = read_label_rows(row)
    reader.read_all()
    assert reader.report.flagged == {NO_COORDINATES: 1}


def test_dynamic_checklists_are_put_together_on_each_frame() -> None:
    actions = [
        answer("many", chosen("a"), dynamic=True, range=[[3, 4]]),
        answer("many", chosen("b"), dynamic=True, range=[[4, 5]]),
    ]
    found = attributes_of(answered(frames=(3, 4, 5), actions=actions))
    options = [[each["featureHash"] for each in row["dynamic"][0]["answers"]] for row in found]
    assert options == [["a"], ["a", "b"], ["b"]]


ACTIONS: list[tuple[Any, Code, str, str]] = [
    (3, Code.BAD_VALUE, "[0]", "must be an object"),
    (
        answer("note", "x", range=[[5, 3]]),
        Code.FRAME_RANGE,
        "[0].range[0]",
        "not end before it starts, got [5, 3]",
    ),
    (answer("note", "x", range=[[3]]), Code.BAD_VALUE, "[0].range[0]", "two whole numbers, start and end"),
    (answer("note", "x", range=[[True, 3]]), Code.BAD_VALUE, "[0].range[0]", "two whole numbers"),
    (answer("note", "x", range=[[-1, 3]]), Code.FRAME_RANGE, "[0].range[0]", "must lie in 0 to"),
    (answer("note", "x"), Code.BAD_VALUE, "[0].range", "must be a list of ranges, got None"),
    (answer("ripe", chosen("yes"), range=[[3, 3]]), Code.BAD_ANSWER, "[0].featureHash", "of a dynamic attribute"),
    (answer("note", 3, range=[[3, 3]]), Code.BAD_ANSWER, "[0].answers", "must be text, got 3"),
]


@pytest.mark.parametrize(("given", "code", "pointer", "words"), ACTIONS)
def test_dynamic_answers_that_do_not_hold(given: Any, code: Code, pointer: str, words: str, tmp_path: Path) -> None:
    [problem] = problems_of(answered(actions=[given]), tmp_path, ontology=ONTOLOGY)
    assert (problem.code, problem.pointer) == (code, f"$[0].object_actions.a.actions{pointer}")
    assert words in problem.message


def test_two_answers_to_a_dynamic_text_on_one_frame_are_refused(tmp_path: Path) -> None:
    actions = [answer("note", word, range=[[3, 4 + place]]) for place, word in enumerate("xy")]
    [problem] = problems_of(answered(actions=actions), tmp_path)
    assert problem.pointer == "$[0].object_actions.a.actions[1]"


def test_what_an_object_has_once_stands_on_its_first_row() -> None:
    row = answered(frames=(9, 3))
    row["object_answers"]["a"]["objectNumber"] = 7
    found = attributes_of(row)
    assert found[0]["encord"]["object"] == {"objectNumber": 7}
    assert "encord" not in found[1]


def test_answers_without_an_object_are_left_out_and_flagged() -> None:
    row = answered()
    row["object_answers"]["gone"] = {"objectHash": "gone", "classifications": [answer("weight", 1)]}
    reader = read_label_rows(row)
    assert reader.read_all().num_rows == 1
    assert reader.report.flagged == {NO_OBJECT: 1}


def test_a_classification_has_a_row_for_each_frame() -> None:
    row = classified(answer("root", chosen("day")), confidence=0.25, createdBy="a@b.com", manualAnnotation=False)
    row["classification_answers"]["c"]["range"] = [[3, 5], [9, 9]]
    found = attributes_of(row)
    assert [each.get("createdBy") for each in found[1:]] == ["a@b.com"] * 4
    assert found[1]["manualAnnotation"] is False
    table = read_label_rows(row, ontology=ONTOLOGY).read_all()
    assert table["frame"].to_pylist() == [3, 3, 4, 5, 9]
    assert table["class_name"].to_pylist() == ["Cherry", *["Day?"] * 4]
    assert table["row"].to_pylist() == [0, 1, 1, 1, 1]


def test_global_classifications_have_one_row() -> None:
    row = classified(answer("place", "Bonn"), featureHash="Place", range=[])
    assert attributes_of(row)[0]["global"] is True
    assert read_label_rows(row, ontology=ONTOLOGY).read_all()["frame"].to_pylist() == [0, 3]
    with_range = classified(answer("place", "Bonn"), featureHash="Place", range=[[2, 3]])
    table = read_label_rows(with_range, ontology=ONTOLOGY).read_all()
    first = json.loads(table["attributes"][0].as_py())
    assert (table["frame"][0].as_py(), first["global"]) == (0, True)
    assert first["encord"]["object"] == {"range": [[2, 3]]}


def test_a_classification_on_no_frame_is_counted() -> None:
    reader = read_label_rows(classified(range=[]), ontology=ONTOLOGY)
    assert reader.read_all().num_rows == 1
    assert reader.report.skipped == {NO_FRAME: 1}


def test_older_rows_have_classifications_on_frames() -> None:
    row = video_row({3: [box_label("a")], 4: []})
    for frame, confidence in (("3", 0.25), ("4", None)):
        entry = {"classificationHash": "c", "featureHash": "Day", "name": "Day?", "value": "day?", "createdBy": frame}
        row["data_units"]["video"]["labels"][frame]["classifications"] = [entry | {"confidence": confidence}]
    row["classification_answers"] = {"c": {"classificationHash": "c", "classifications": [answer("x", "y")]}}
    found = attributes_of(row)
    assert [each.get("createdBy") for each in found[1:]] == ["3", "4"]
    table = read_label_rows(row).read_all()
    assert table["confidence"].to_pylist() == [0.5, 0.25, 1.0]
    assert table["class_name"].to_pylist() == ["Cherry", "Day?", "Day?"]
    row["classification_answers"] = {}
    assert read_label_rows(row).read_all()["frame"].to_pylist() == [3, 3, 4]


def test_ranges_win_over_entries_on_frames() -> None:
    row = classified(answer("x", "y"))
    entry = {"classificationHash": "c", "featureHash": "Day", "name": "Day?", "value": "day?", "confidence": 0.5}
    row["data_units"]["video"]["labels"] |= {frame: {"objects": [], "classifications": [entry]} for frame in ("4", "8")}
    reader = read_label_rows(row)
    assert reader.read_all()["frame"].to_pylist() == [3, 3, 4, 5]
    assert reader.report.flagged == {NOT_IN_RANGE: 1}


def test_ranges_that_overlap_are_joined_and_kept() -> None:
    row = classified(range=[[5, 6], [3, 5]])
    reader = read_label_rows(row)
    table = reader.read_all()
    assert table["frame"].to_pylist() == [3, 3, 4, 5, 6]
    assert json.loads(table["attributes"][1].as_py())["encord"]["object"] == {"range": [[5, 6], [3, 5]]}
    assert reader.report.flagged == {OVERLAPPING: 1}


CLASSIFICATIONS: list[tuple[Json, Code, str, str]] = [
    ({"featureHash": None}, Code.BAD_VALUE, ".featureHash", "must be a text"),
    ({"featureHash": "Dax"}, Code.UNKNOWN_CLASS, ".featureHash", "one of the ontology's classifications, got 'Dax'"),
    ({"classificationHash": "d"}, Code.BAD_VALUE, ".classificationHash", "must be 'c', the entry's key, got 'd'"),
    ({"range": [[5, 3]]}, Code.FRAME_RANGE, ".range[0]", "must not end before it starts"),
    ({"range": [[3, 100]]}, Code.FRAME_RANGE, ".range[0]", "must lie in 0 to 99, got [3, 100]"),
    ({"range": 3}, Code.BAD_VALUE, ".range", "must be a list of ranges"),
    ({"confidence": "1"}, Code.BAD_NUMBER, ".confidence", "must be a finite number, got '1'"),
    ({"createdAt": 3}, Code.BAD_VALUE, ".createdAt", "must be text, got 3"),
    ({"manualAnnotation": 3}, Code.BAD_VALUE, ".manualAnnotation", "must be true or false"),
    ({"classifications": 3}, Code.BAD_VALUE, ".classifications", "must be a list of answers"),
    ({"classifications": [answer("root", [])]}, Code.BAD_ANSWER, ".classifications[0].answers", "one option"),
    ({"classifications": [answer("place", "x")]}, Code.BAD_ANSWER, ".classifications[0].featureHash", "of 'Day?'"),
]


@pytest.mark.parametrize(("change", "code", "pointer", "words"), CLASSIFICATIONS)
def test_classifications_that_do_not_hold(change: Json, code: Code, pointer: str, words: str, tmp_path: Path) -> None:
    [problem] = problems_of(classified(**change), tmp_path, ontology=ONTOLOGY)
    assert (problem.code, problem.row) == (code, 1)
    assert problem.pointer == f"$[0].classification_answers.c{pointer}"
    assert words in problem.message


def test_a_classification_stands_once_on_a_frame(tmp_path: Path) -> None:
    row = classified()
    first = row["classification_answers"]["c"]
    row["classification_answers"]["d"] = first | {"classificationHash": "d", "range": [[0, 2], [5, 9]]}
    [problem] = problems_of(row, tmp_path)
    assert problem.pointer == "$[0].classification_answers.d.range"
    assert "got 'Day' again on frames 5 to 9" in problem.message
    row["classification_answers"]["d"]["range"] = [[0, 2], [6, 9]]
    assert not problems_of(row, tmp_path)


def test_ranges_of_more_frames_than_fit_are_not_made(tmp_path: Path) -> None:
    row = classified(range=[[0, 2**31 - 1]])
    del row["data_units"]["video"]["data_fps"]
    [problem] = problems_of(row, tmp_path)
    assert problem.code == Code.TOO_MANY_FRAMES


@pytest.mark.parametrize("entry", [3, {"classificationHash": 3}, {}])
def test_classifications_on_frames_must_hold(entry: Any, tmp_path: Path) -> None:
    row = image_row([box_label("a")])
    row["data_units"]["image"]["labels"]["classifications"] = [entry]
    [problem] = problems_of(row, tmp_path)
    assert problem.pointer == "$[0].data_units.image.labels.classifications[0]"
    assert (problem.row, problem.code) == (1, Code.BAD_VALUE)


def audio_row(**members: Any) -> Json:
    entry = {"objectHash": "s", "featureHash": "noise", "shape": "audio", "name": "Noise", "classifications": []}
    row = image_row([], "sound", data_type="audio")
    row["data_units"]["sound"] = {"data_hash": "sound", "data_type": "audio/wav", "labels": {}}
    row["object_answers"] = {"s": entry | {"range": [[0, 50], [99, 700]]} | members}
    return row


def test_spans_keep_their_ranges_as_they_are() -> None:
    assert attributes_of(audio_row(objectNumber=3))[0]["ranges"] == [[0, 50], [99, 700]]
    nodes = [{"start": {"xpath": "/p", "offset": 1}, "end": {"xpath": "/p", "offset": 5}}]
    html = audio_row(range=[], range_html=nodes, shape="text")
    html["data_type"] = "plain_text"
    assert attributes_of(html)[0]["ranges"] == nodes


SPANS: list[tuple[Json, str, str]] = [
    ({"range": []}, ".range", "must have at least one range, got none"),
    ({"range": [[5, 3]]}, ".range[0]", "must not end before it starts"),
    ({"range": None}, ".range", "must be a list of ranges"),
    ({"range_html": [3]}, ".range_html", "must be a list of ranges"),
    ({"shape": "polygon"}, ".shape", "must be one of audio, time_range, text, got 'polygon'"),
    ({"featureHash": 3}, ".featureHash", "must be a text"),
    ({"objectHash": "t"}, ".objectHash", "must be 's', the entry's key, got 't'"),
    ({"name": 3}, ".name", "must be text"),
]


@pytest.mark.parametrize(("change", "pointer", "words"), SPANS)
def test_spans_that_do_not_hold(change: Json, pointer: str, words: str, tmp_path: Path) -> None:
    [problem] = problems_of(audio_row(**change), tmp_path)
    assert problem.pointer == f"$[0].object_answers.s{pointer}"
    assert words in problem.message


def test_classes_must_be_the_ontologys(tmp_path: Path) -> None:
    row = video_row({3: [box_label("a") | {"featureHash": "clas"}]})
    [problem] = problems_of(row, tmp_path, ontology=ONTOLOGY)
    assert (problem.code, problem.pointer[-12:]) == (Code.UNKNOWN_CLASS, ".featureHash")
    assert "'clas'; did you mean 'class'?" in problem.message
    [problem] = problems_of(audio_row(), tmp_path, ontology=ONTOLOGY)
    assert problem.code == Code.UNKNOWN_CLASS


def test_shapes_must_be_those_of_their_classes(tmp_path: Path) -> None:
    item = {"shape": "polygon", "polygons": [[[0, 0, 1, 0, 1, 1]]]}
    row = image_row([{key: value for key, value in box_label().items() if key != "boundingBox"} | item])
    [problem] = problems_of(row, tmp_path, ontology=ONTOLOGY)
    assert "must be bounding_box, as the class 'Cherry' is in the ontology, got 'polygon'" in problem.message


def test_skeletons_have_their_templates_points(tmp_path: Path) -> None:
    ontology = Ontology.build(
        [object_class("Body", "skeleton", feature_hash="class")],
        templates={"Body": skeleton_template("Body", {"top": (0, 0), "tip": (1, 1)})},
    )
    joints = {str(i): {"x": 0.5, "y": 0.5, "name": name} for i, name in enumerate(["tip", "top"])}
    item = {key: value for key, value in box_label().items() if key != "boundingBox"} | {"shape": "skeleton"}
    assert not problems_of(image_row([item | {"skeleton": joints}]), tmp_path, ontology=ontology)
    del joints["1"]
    [problem] = problems_of(image_row([item | {"skeleton": joints}]), tmp_path, ontology=ontology)
    assert "must have the points of the class's template, top, tip, got tip" in problem.message
