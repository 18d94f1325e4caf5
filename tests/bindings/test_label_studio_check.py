"""Checks of Label Studio's tasks: each rule by what it refuses and where it says so."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from predarrow import Code, InputError, LabelingConfig, PredarrowError, Report, check_label_studio
from tests.label_studio_samples import PNG_URL, STROKE, TAGS, config_of, data_of, result_of

LABELS = ["Car", "Tree"]

Result = dict[str, Any]


def report_of(tags: list[str], results: list[Any], **data: Any) -> Report:
    """Check one prediction against a config of controls c0, c1, …"""
    task = {"data": {**data_of(tags), **data}, "predictions": [{"result": results}]}
    return check_label_studio([task], config_of(tags, LABELS))


def refusal_of(tags: list[str], results: list[Any]) -> tuple[Code, str, str]:
    """Give code, pointer within `result` and message of the only problem."""
    (problem,) = report_of(tags, results).problems
    assert problem.source == "tasks"
    assert problem.row == 0
    return problem.code, problem.pointer.removeprefix("$[0].predictions[0].result"), problem.message


def changed(tag: str, **value: Any) -> Result:
    """Give a result of control c0 with members of its value set."""
    result = result_of(tag, "c0", LABELS)
    result["value"].update(value)
    return result


def lacking(tag: str, name: str) -> Result:
    """Give a result of control c0 without a member of its value."""
    result = result_of(tag, "c0", LABELS)
    del result["value"][name]
    return result


def brush(height: int, width: int, rle: list[int]) -> Result:
    result = changed("BrushLabels", rle=rle)
    return {**result, "original_height": height, "original_width": width}


# What Label Studio's own check passes and its editor does not bear.
@pytest.mark.parametrize(
    ("results", "code", "pointer", "told"),
    [
        ([lacking("KeyPointLabels", "width")], Code.BAD_VALUE, "[0].value", "without it the editor draws nothing"),
        ([changed("RectangleLabels", x="12.5")], Code.BAD_NUMBER, "[0].value.x", "must be a number, got '12.5'"),
        ([{**changed("RectangleLabels"), "id": 5}], Code.BAD_VALUE, "[0].id", "must be a text"),
        ([{**changed("RectangleLabels"), "type": "RectangleLabels"}], Code.WRONG_CONTROL, "[0].type", "small letters"),
        ([changed("RectangleLabels")] * 2, Code.DUPLICATE_ID, "[1].id", "the editor keeps one of them"),
        ([brush(1, 4, STROKE)], Code.SIZE_MISMATCH, "[0].value.rle", "1 x 4 x 4 = 16 values, got 12"),
        ([brush(1, 2, STROKE)], Code.SIZE_MISMATCH, "[0].value.rle", "1 x 2 x 4 = 8 values, got 12"),
        ([brush(1, 3, STROKE[:-2])], Code.DAMAGED, "[0].value.rle[", "must hold 12 values, got bytes that end before"),
        ([brush(1, 3, STROKE[:5])], Code.DAMAGED, "[0].value.rle", "must have a header of 7 bytes, got 5"),
        ([brush(1, 3, [*STROKE[:9], 128, 128])], Code.INVISIBLE_MASK, "[0].value.rle", "1 cannot be seen"),
        ([changed("RectangleLabels", x=-5)], Code.OUTSIDE_IMAGE, "[0].value.x", "must be at least 0, got -5"),
        ([changed("RectangleLabels", width=-5)], Code.BAD_SIZE, "[0].value.width", "must be above 0, got -5"),
        ([changed("RectangleLabels", height=0)], Code.BAD_SIZE, "[0].value.height", "must be above 0, got 0"),
        ([changed("PolygonLabels", points=[[1, 2], [3, 4]])], Code.BAD_VALUE, "[0].value.points", "at least, got 2"),
        ([changed("PolygonLabels", points=[])], Code.BAD_VALUE, "[0].value.points", "at least, got 0"),
        ([{**changed("RectangleLabels"), "score": 97}], Code.BAD_CONFIDENCE, "[0].score", "0 to 1, got 97"),
    ],
)
def test_what_the_editor_breaks_on_is_refused(results: list[Result], code: Code, pointer: str, told: str) -> None:
    tags = [next(tag for tag in TAGS if tag.lower() == results[0]["type"].lower())]
    found = refusal_of(tags, copy.deepcopy(results))
    assert found[0] is code
    assert found[1].startswith(pointer)
    assert told in found[2]


@pytest.mark.parametrize(
    ("tags", "result", "code", "pointer"),
    [
        (["RectangleLabels"], changed("RectangleLabels", x=350), Code.BAD_NUMBER, "[0].value.x"),
        (
            ["RectangleLabels"],
            changed("RectangleLabels", rectanglelabels=["Bus"]),
            Code.UNKNOWN_CLASS,
            "[0].value.rect",
        ),
        (["RectangleLabels"], changed("RectangleLabels", rectanglelabels="Car"), Code.BAD_VALUE, "[0].value.rect"),
        (["RectangleLabels"], changed("RectangleLabels", rotation=361), Code.BAD_NUMBER, "[0].value.rotation"),
        (["RectangleLabels"], changed("RectangleLabels", c0={"x": 1}), Code.BAD_VALUE, "[0].value.c0"),
        (["RectangleLabels"], {**changed("RectangleLabels"), "from_name": "c9"}, Code.UNKNOWN_CONTROL, "[0].from_name"),
        (["RectangleLabels"], {**changed("RectangleLabels"), "to_name": "c9"}, Code.UNKNOWN_CONTROL, "[0].to_name"),
        (["RectangleLabels"], {**changed("RectangleLabels"), "type": "choices"}, Code.WRONG_CONTROL, "[0].type"),
        (["RectangleLabels"], {**changed("RectangleLabels"), "value": []}, Code.BAD_VALUE, "[0].value"),
        (["RectangleLabels"], {**changed("RectangleLabels"), "item_index": -1}, Code.BAD_NUMBER, "[0].item_index"),
        (["RectangleLabels"], {**changed("RectangleLabels"), "readonly": 1}, Code.BAD_VALUE, "[0].readonly"),
        (
            ["RectangleLabels"],
            {**changed("RectangleLabels"), "original_width": 0},
            Code.BAD_NUMBER,
            "[0].original_width",
        ),
        (["Labels"], changed("Labels", start=1.5), Code.BAD_NUMBER, "[0].value.start"),
        (["Labels"], changed("Labels", start=3, end=1), Code.BAD_VALUE, "[0].value"),
        (["TimeSeriesLabels"], lacking("TimeSeriesLabels", "instant"), Code.BAD_VALUE, "[0].value"),
        (["TimelineLabels"], changed("TimelineLabels", ranges=[]), Code.BAD_VALUE, "[0].value.ranges"),
        (["VideoRectangle"], changed("VideoRectangle", sequence=[]), Code.BAD_VALUE, "[0].value.sequence"),
        (["VideoRectangle"], changed("VideoRectangle", framesCount=-1), Code.BAD_NUMBER, "[0].value.framesCount"),
        (["Rating"], changed("Rating", rating=6), Code.BAD_NUMBER, "[0].value.rating"),
        (["TextArea"], changed("TextArea", text="one"), Code.BAD_VALUE, "[0].value.text"),
        (["Choices"], changed("Choices", choices=["Bus"]), Code.UNKNOWN_CLASS, "[0].value.choices[0]"),
        (["Taxonomy"], changed("Taxonomy", taxonomy=[["Car", "Bus"]]), Code.UNKNOWN_CLASS, "[0].value.taxonomy[0][1]"),
        (["EllipseLabels"], changed("EllipseLabels", radiusX=51), Code.BAD_NUMBER, "[0].value.radiusX"),
        (["VectorLabels"], changed("VectorLabels", vertices=[{"x": 1}]), Code.BAD_VALUE, "[0].value.vertices[0]"),
        (["PolygonLabels"], changed("PolygonLabels", points=[[1, 2], [3, 4], [5, 101]]), Code.BAD_NUMBER, "[0].value."),
        (["Bitmask"], changed("Bitmask", imageDataURL="data:image/png;base64,AAAA"), Code.NOT_PNG, "[0].value."),
        (["Bitmask"], changed("Bitmask", imageDataURL="https://a/b.png"), Code.NOT_PNG, "[0].value.imageDataURL"),
        (["Bitmask"], changed("Bitmask", imageDataURL=PNG_URL[:-24]), Code.DAMAGED, "[0].value.imageDataURL"),
        (["Bitmask"], {**changed("Bitmask"), "original_width": 4}, Code.SIZE_MISMATCH, "[0].value.imageDataURL"),
        (["Brush"], changed("Brush", rle=[0, 256]), Code.BAD_NUMBER, "[0].value.rle[1]"),
        (["Brush"], changed("Brush", format="png"), Code.BAD_VALUE, "[0].value.format"),
    ],
)
def test_values_that_do_not_hold_are_refused(tags: list[str], result: Result, code: Code, pointer: str) -> None:
    found = refusal_of(tags, [copy.deepcopy(result)])
    assert found[0] is code
    assert found[1].startswith(pointer)


@pytest.mark.parametrize(
    ("tags", "result", "flag"),
    [
        (["RectangleLabels"], changed("RectangleLabels", x=90), "region that reaches beyond the image"),
        (["RectangleLabels"], changed("RectangleLabels", x=-5, rotation=30), "region that reaches beyond the image"),
        (["RectangleLabels"], changed("RectangleLabels", rectanglelabels=[]), "region without a label"),
        (["RectangleLabels"], changed("RectangleLabels", score=0.5), "score in value, which annotations do not keep"),
        (
            ["RectangleLabels"],
            {**changed("RectangleLabels"), "parentID": "none"},
            "parentID of a region that is not there",
        ),
        (["Choices"], changed("Choices", choices=["Car", "Tree"]), "several choices where the control takes one"),
        (["Labels"], changed("Labels", end=300), "span that ends beyond its text"),
        (["Labels"], changed("Labels", text="Bob"), "span whose text is not what stands there"),
        (["Labels"], changed("Labels", start=3, text=""), "span of no characters"),
        (["VideoRectangle"], changed("VideoRectangle", framesCount=1.0), None),
        (["VideoRectangle"], changed("VideoRectangle", framesCount=0), None),
        (["VideoVector"], changed("VideoVector", framesCount=2), "frame beyond framesCount"),
        (
            ["Brush"],
            changed("Brush", rle=[*STROKE[:9], 191, 128]),
            "mask with values between transparent and opaque",
        ),
        (["Taxonomy"], changed("Taxonomy", taxonomy=[["Car", "Tree"]]), "path that the taxonomy does not have"),
    ],
)
def test_what_is_odd_is_flagged(tags: list[str], result: Result, flag: str | None) -> None:
    report = report_of(tags, [copy.deepcopy(result)])
    assert (report.problems, report.imported) == ([], 1)
    assert dict(report.flagged) == ({} if flag is None else {flag: 1})


def test_masks_without_the_image_s_size_are_read_by_their_own() -> None:
    result = changed("Brush")
    del result["original_width"]
    assert dict(report_of(["Brush"], [result]).flagged) == {"mask that does not tell the size of its image": 1}
    for rle, code in (
        ([255] * 20, Code.SIZE_MISMATCH),
        ([64, 0, 0, 0, 57, 27, 252, 96], Code.DAMAGED),
        ([1], Code.DAMAGED),
    ):
        result["value"]["rle"] = rle
        assert refusal_of(["Brush"], [result])[0] is code


def test_many_masks_of_one_task_are_flagged() -> None:
    masks = [{**changed("Brush"), "id": str(number)} for number in range(101)]
    assert report_of(["Brush"], masks[:100]).flagged == {}
    (flag,) = report_of(["Brush"], masks).flagged
    assert "more than 100 masks" in flag


def test_spans_count_whole_characters() -> None:
    words = "\U0001f600\U0001f600 Hello"
    report = report_of(["Labels"], [changed("Labels", start=3, end=8, text="Hello")], text=words)
    assert (report.problems, report.flagged) == ([], {})


def test_one_id_has_one_geometry() -> None:
    tags = ["Rectangle", "Polygon"]
    results = [result_of("Rectangle", "c0", LABELS), {**result_of("Polygon", "c1", LABELS), "id": "r-c0"}]
    code, pointer, message = refusal_of(tags, results)
    assert (code, pointer) == (Code.DUPLICATE_ID, "[1].id")
    assert "a second one, polygon, for 'r-c0'" in message


def test_labels_of_a_video_s_boxes_are_those_of_its_labels() -> None:
    config = (
        '<View><Video name="video" value="$video"/><VideoRectangle name="c0" toName="video"/>'
        '<Labels name="l" toName="video"><Label value="Car"/></Labels></View>'
    )
    for label, codes in (("Car", []), ("Bus", [Code.UNKNOWN_CLASS])):
        task = {"data": {"video": "a"}, "predictions": [{"result": [changed("VideoRectangle", labels=[label])]}]}
        assert [problem.code for problem in check_label_studio([task], config).problems] == codes


def test_relations_need_regions_that_hold() -> None:
    regions = [result_of("Rectangle", "c0", LABELS), {**changed("Rectangle", width=0), "id": "b"}]
    relation = {"type": "relation", "from_id": "r-c0", "to_id": "r-c0", "direction": "bi"}
    assert report_of(["Rectangle"], [relation, regions[0]]).problems == []
    for change, pointer in (({"to_id": "b"}, ".to_id"), ({"direction": "up"}, ".direction"), ({"to_id": []}, ".to_id")):
        problems = report_of(["Rectangle"], [*regions, {**relation, **change}]).problems
        assert [problem.code for problem in problems] == [Code.BAD_SIZE, Code.BAD_RELATION]
        assert problems[1].pointer == f"$[0].predictions[0].result[2]{pointer}"


@pytest.mark.parametrize(
    ("task", "code", "pointer"),
    [
        (5, Code.BAD_VALUE, "$[0]"),
        ({"predictions": []}, Code.BAD_VALUE, "$[0]"),
        ({"data": "a.jpg"}, Code.BAD_VALUE, "$[0].data"),
        ({"data": {"picture": "a"}}, Code.MISSING_DATA, "$[0].data"),
        ({"data": {"image": "a"}, "predictions": None}, Code.BAD_VALUE, "$[0].predictions"),
        ({"data": {"image": "a"}, "predictions": [{}]}, Code.BAD_VALUE, "$[0].predictions[0]"),
        ({"data": {"image": "a"}, "annotations": [{"result": None}]}, Code.BAD_VALUE, "$[0].annotations[0].result"),
        ({"data": {"image": "a"}, "completions": [{"result": [1]}]}, Code.BAD_VALUE, "$[0].completions[0].result[0]"),
        (
            {"data": {"image": "a"}, "predictions": [{"result": [], "score": 2}]},
            Code.BAD_CONFIDENCE,
            "$[0].predictions",
        ),
        ({"result": [1], "task": 5}, Code.BAD_VALUE, "$[0].result[0]"),
    ],
)
def test_tasks_that_do_not_hold_are_refused(task: Any, code: Code, pointer: str) -> None:
    (problem,) = check_label_studio([task, {"data": {"image": "b"}}], config_of(["Rectangle"], [])).problems
    assert problem.code is code
    assert problem.pointer.startswith(pointer)


def test_bare_ids_of_predictions_tell_the_way_out() -> None:
    (problem,) = check_label_studio([{"data": {}, "predictions": [7]}]).problems
    assert problem.pointer == "$[0].predictions[0]"
    assert "fields=all" in problem.message


def test_data_may_hold_members_of_members() -> None:
    config = '<View><Image name="image" value="$image.url"/><Rectangle name="c0" toName="image"/></View>'
    assert check_label_studio([{"data": {"image": {"url": "a"}}}], config).problems == []


def test_without_a_config_names_and_labels_are_anyone_s() -> None:
    results = [{**result_of(tag, f"c{number}", ["no label"]), "id": str(number)} for number, tag in enumerate(TAGS)]
    report = check_label_studio([{"data": {}, "predictions": [{"result": results}]}])
    assert (report.problems, report.imported, report.flagged) == ([], len(TAGS), {})
    odd = {"from_name": "a", "to_name": "b", "type": "new", "value": {}}
    assert dict(check_label_studio([{"result": [odd]}]).flagged) == {"type that is not known": 1}


def test_files_of_every_form_are_checked(tmp_path: Path) -> None:
    config = LabelingConfig.parse(config_of(["Rectangle"], []))
    good = {"data": {"image": "a"}, "predictions": [{"result": [result_of("Rectangle", "c0", [])]}]}
    bad = {"data": {"image": "b"}, "predictions": [{"result": [changed("Rectangle", x=101)]}]}
    place = ".predictions[0].result[0].value.x"
    forms = {
        "list.json": (json.dumps([good, bad]), f"$[1]{place}"),
        "one.json": (json.dumps(bad, indent=1), f"${place}"),
        "answer.json": (json.dumps({"tasks": [good, good, bad]}), f"$.tasks[2]{place}"),
        "lines.jsonl": (json.dumps(good) + "\n\n" + json.dumps(bad) + "\n", f"line 3: ${place}"),
        "bare.json": (
            json.dumps([good["predictions"], bad["predictions"]][1]),
            f"$[0]{place[len('.predictions[0]') :]}",
        ),
    }
    for name, (text, pointer) in forms.items():
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        report = check_label_studio(file, config)
        assert [(problem.source, problem.pointer) for problem in report.problems] == [(str(file), pointer)]
        assert report.sources == 1
    packed = tmp_path / "packed.json.gz"
    packed.write_bytes(gzip.compress(forms["list.json"][0].encode()))
    assert [problem.row for problem in check_label_studio([packed, tmp_path / "one.json"], config).problems] == [1, 0]


def test_files_that_cannot_be_read_are_told_and_the_others_checked(tmp_path: Path) -> None:
    for name, text in (("a.json", "[{"), ("b.json", "[NaN]"), ("c.jsonl", "")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    done: list[tuple[int, int]] = []
    report = check_label_studio(tmp_path, progress=lambda count, total: done.append((count, total)))
    assert [Path(problem.source).name for problem in report.problems] == ["a.json", "b.json"]
    assert (report.sources, done) == (3, [(1, 3), (2, 3), (3, 3)])
    assert check_label_studio(tmp_path / "none.json").problems[0].code is Code.UNREADABLE


def test_what_is_neither_files_nor_tasks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PredarrowError, match="put one task into a list"):
        check_label_studio({"data": {}})  # type: ignore[arg-type]  # what it is about
    with pytest.raises(PredarrowError, match=r"must be paths, or a list of tasks, got 5$"):
        check_label_studio(5)  # type: ignore[arg-type]  # likewise
    assert check_label_studio([]) == Report(sources=1)
    mixed = check_label_studio(["a.json", {}])  # type: ignore[arg-type]  # likewise
    assert [problem.pointer for problem in mixed.problems] == ["$[0]", "$[1]"]
    with pytest.raises(InputError, match="must hold at least one file"):
        check_label_studio(tmp_path)
    with pytest.raises(InputError, match="must be XML"):
        check_label_studio([{"data": {}}], "<View>")


def test_numbers_beyond_all_bounds_are_refused() -> None:
    for number in (float("nan"), float("inf"), -float("inf"), 10**400, -(10**400), True, None):
        assert refusal_of(["Rectangle"], [changed("Rectangle", x=number)])[1] == "[0].value.x"
