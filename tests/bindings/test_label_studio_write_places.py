"""Which controls rows go to, which rows are refused, and what becomes of those beyond their image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from predarrow import InputError, check_label_studio, read_label_studio
from tests.label_studio_rows import (
    BOX,
    HOLE,
    KINDS,
    RING,
    interface,
    mask,
    refused_by_sdk,
    results_of,
    row,
    table,
    write,
    written,
)

CONFIG = """<View>
  <Image name="img" value="$photo"/>
  <Rectangle name="box" toName="img"/>
  <Labels name="what" toName="img"><Label value="Person"/><Label value="Car" alias="automobile"/></Labels>
  <TextArea name="words" toName="img" perRegion="true"/>
  <PolygonLabels name="ring" toName="img"><Label value="Lake &amp; sea"/></PolygonLabels>
  <BitmaskLabels name="paint" toName="img"><Label value="Car"/></BitmaskLabels>
  <Choices name="how" toName="img"><Choice value="good"/><Choice value="bad"/></Choices>
  <Rating name="stars" toName="img"/>
</View>"""

AT_THE_RIGHT = {"xmin": 180.0, "ymin": 20.0, "xmax": 199.0, "ymax": 40.0}
POINT = [{"name": None, "x": 7.5, "y": 8.0, "visibility": None}]


def test_rows_go_to_the_controls_of_a_config(tmp_path: Path) -> None:
    rows = [
        row("bbox", bbox=BOX, attributes='{"text":["AB"]}'),
        row("polygon", polygon=[[RING]], class_name="Lake & sea"),
        row("bitmask", mask=mask()),
        row("classification", class_name="how", attributes='{"choices":["bad"]}'),
        row("classification", class_name="stars", attributes='{"rating":4}'),
        row("classification", class_name="good"),
    ]
    result = write(table(*rows), tmp_path, config=CONFIG)
    assert result.config is None
    found = results_of(result)
    names = ["box", "what", "words", "ring", "paint", "how", "stars", "how"]
    assert [each["from_name"] for each in found] == names
    assert {each["id"] for each in found[:3]} == {"row-0"}
    assert found[1]["value"]["labels"] == ["automobile"]
    assert found[2]["value"]["text"] == ["AB"]
    assert found[2]["value"]["x"] == 5
    assert "imageDataURL" in found[4]["value"]
    assert found[6]["value"] == {"rating": 4}
    assert found[7]["value"] == {"choices": ["good"]}
    assert written(result)[0]["data"] == {"photo": "a.jpg"}
    assert interface.LabelInterface(CONFIG).validate_prediction({"result": found}, return_errors=True) == []


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        (row("bbox", bbox=BOX, class_name="Cat"), "class_name: must be a label of the config's box"),
        (row("ellipse", bbox=BOX), "kind: the config must have a control for it"),
        (row("classification", class_name="ugly"), "must be a label of the config's how"),
        (row("classification", class_name="x", attributes='{"number":1}'), "must have a control for 'number'"),
        (row("cuboid_2d", polygon=[[RING]]), "kind: Label Studio has boxes"),
    ],
)
def test_what_the_config_lacks_is_refused(odd: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        write(table(odd), tmp_path, config=CONFIG)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        (row("bbox", bbox=BOX, image_width=None), "image_height: the image's size must be known"),
        (row("bbox", bbox=BOX | {"xmax": 201.0}), "must be inside the image of 200 x 100 pixels"),
        (row("bbox", bbox=BOX | {"xmax": 10.0}), "must have a width and a height above 0"),
        (row("bbox", bbox=BOX | {"xmax": 5.0}), "corners must be finite and in order"),
        (row("bbox", bbox=None), "must not be null for a bbox"),
        (row("bbox", bbox=BOX, confidence=97.0), "confidence: must be from 0 to 1"),
        (row("bbox", bbox=BOX, attributes="[]"), "attributes: must be a JSON object"),
        (row("bbox", bbox=BOX, attributes='{"a":1}{"b":2}'), "attributes: must be a JSON object"),
        (row("bbox", bbox=BOX, attributes='{"label_studio":{"prediction":{"results":5}}}'), "attributes: must be"),
        (row("bbox", bbox=BOX, frame=-1), "frame: must be at least 0"),
        (row("polygon", polygon=[[RING, HOLE]]), "a polygon must be one ring in Label Studio"),
        (row("polygon", polygon=[[RING[:2]]]), "at least 3 vertices"),
        (row("polygon", polygon=[[[*RING[:2], {"x": 9.0, "y": 101.0}]]]), "must be inside the image"),
        (row("bitmask", mask=mask(50, 50)), "must be 100 x 200"),
        (row("bitmask", mask=mask() | {"counts": b"~"}), "run lengths"),
        (row("keypoints", keypoints=[{"name": None, "x": 300.0, "y": 1.0}]), "must be inside the image"),
        (row("rotated_bbox", bbox=BOX | {"xmin": -300.0}, rotation=3.0), "must be inside the image"),
        (row("span", attributes='{"ranges":[]}'), "must have one range"),
        (row("polygon", polygon=[[RING]], frame=3), "only boxes, spans and answers can be on frames"),
        (row("rotated_bbox", bbox=BOX, rotation=361.0), "rotation: must be at most 360 in Label Studio, got 361.0"),
        (row("ellipse", bbox=BOX, rotation=1e6), "rotation: must be at most 360"),
        (row("rotated_bbox", bbox=AT_THE_RIGHT, rotation=135.0), "at most 100 percent of .*, got 101"),
        (row("rotated_bbox", bbox=AT_THE_RIGHT, rotation=135.0, frame=2), "must be at most 100 percent"),
        (row("polyline", polygon=[[RING[:1]]]), "a line must have at least 2 vertices, got 1"),
        (row("polyline", polygon=[[RING], [RING[:2]]]), "a polyline must be one line in Label Studio, got several"),
        (row("keypoints", keypoints=POINT, attributes='{"keypoint_width":0}'), "keypoint_width: must be above 0"),
        (row("keypoints", keypoints=POINT, attributes='{"keypoint_width":101}'), "keypoint_width: must be 0 to 100"),
        (row("keypoints", keypoints=POINT, attributes='{"keypoint_width":"3"}'), "keypoint_width: must be a number"),
    ],
)
def test_what_label_studio_cannot_hold_is_refused(odd: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        write(table(odd), tmp_path)
    good = row("bbox", bbox=BOX, data_unit="b.jpg")
    result = write(table(odd, good), tmp_path, on_error="skip")
    assert (result.rows, result.tasks, result.report.rejected) == (1, 1, 1)
    assert result.report.problems[0].row == 0


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ("[[5,1]]", r"attributes.ranges\[0\]: start must not be after end, got 5 and 1"),
        ("[[1,2],[5,3]]", r"attributes.ranges\[1\]: start must not be after end"),
        ('[["a",1]]', r"attributes.ranges\[0\].start: must be a number, got 'a'"),
        ("[[-1,1]]", r"attributes.ranges\[0\].start: must be at least 0, got -1"),
    ],
)
def test_spans_whose_place_does_not_hold_are_refused(ranges: str, message: str, tmp_path: Path) -> None:
    whole = "[[1,5],[6,7]]" if "],[" in ranges else "[[1,5]]"  # those of a timeline are of a video
    odd, good = (row("span", attributes=f'{{"ranges":{text}}}') for text in (ranges, whole))
    with pytest.raises(InputError, match=message):
        write(table(odd), tmp_path)
    result = write(table(good, odd), tmp_path, on_error="skip")
    assert (result.rows, result.report.rejected) == (1, 1)


def test_what_is_just_within_label_studios_rules_is_written(tmp_path: Path) -> None:
    rows = table(
        row("rotated_bbox", bbox=BOX, rotation=360.0),
        row("rotated_bbox", bbox=AT_THE_RIGHT, rotation=-45.0),  # as the refused one, turned by 180 degrees
        row("ellipse", bbox=BOX, rotation=-1e6),
        row("polyline", polygon=[[RING[:2]]]),
        row("polyline", polygon=[[RING]]),
        row("keypoints", keypoints=POINT, attributes='{"keypoint_width":100}'),
    )
    result = write(rows, tmp_path)
    assert refused_by_sdk(result) == []
    assert result.config is not None
    assert not check_label_studio(result.paths[0], result.config).problems
    assert read_label_studio(result.paths[0]).read_all()["rotation"].to_pylist()[:3] == [360.0, -45.0, -1e6]


def test_a_span_without_a_class_has_an_empty_list_of_labels(tmp_path: Path) -> None:
    named, bare = (row("span", class_name=name, attributes='{"ranges":[[1,5]]}') for name in ("Car", ""))
    result = write(table(named, bare), tmp_path)
    assert [each["value"]["labels"] for each in results_of(result)] == [["Car"], []]
    assert refused_by_sdk(result) == []
    assert result.config is not None
    assert not check_label_studio(result.paths[0], result.config).problems
    assert read_label_studio(result.paths[0]).read_all()["class_name"].to_pylist() == ["Car", ""]


def test_boxes_and_polygons_are_clipped_where_that_is_asked_for(tmp_path: Path) -> None:
    rows = [
        row("bbox", bbox=BOX | {"xmin": -5.0, "ymax": 130.0}),
        row("polygon", polygon=[[[{"x": -10.0, "y": 0.0}, {"x": 20.0, "y": 0.0}, {"x": 20.0, "y": 50.0}]]]),
    ]
    result = write(table(*rows), tmp_path, on_outside="clip")
    box, ring = (each["value"] for each in results_of(result))
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 20, 55, 80)
    assert sorted(map(tuple, ring["points"])) == [(0, 0), (0, pytest.approx(50 / 3)), (10, 0), (10, 50)]
    assert result.report.flagged["region clipped at the image's border"] == 2
    gone = row("bbox", bbox={"xmin": 300.0, "ymin": 0.0, "xmax": 310.0, "ymax": 5.0})
    with pytest.raises(InputError, match="must not be wholly beyond the image"):
        write(table(gone), tmp_path, on_outside="clip")


@pytest.mark.parametrize("holes", ["brush", "bitmask"])
def test_polygons_with_holes_become_masks_where_that_is_asked_for(holes: str, tmp_path: Path) -> None:
    from predarrow.geometry import to_masks

    rows = table(row("polygon", polygon=[[RING, HOLE]]), KINDS["polygon"])
    result = write(rows, tmp_path, holes=holes)
    assert refused_by_sdk(result) == []
    back = read_label_studio(result.paths[0]).read_all()
    assert back["kind"].to_pylist() == ["bitmask", "polygon"]
    assert back["mask"][0].as_py() == to_masks(rows).column[0].as_py()


def test_tasks_without_a_member_that_the_config_shows_are_told(tmp_path: Path) -> None:
    config = CONFIG.replace("<Rectangle ", '<Text name="words2" value="$page.caption"/><Rectangle ', 1)
    rows = table(row("bbox", bbox=BOX), row("bbox", bbox=BOX, data_unit="b.jpg"))
    result = write(rows, tmp_path, config=config)
    (told,) = result.report.flagged.items()
    assert told == ("task without 'page.caption', which the config shows: Label Studio does not take it", 2)
    assert len(check_label_studio(result.paths[0], config).problems) == 2
    assert not write(rows, tmp_path, config=CONFIG).report.flagged
    tasks = [{**task, "data": {**task["data"], "page": {"caption": "so"}}} for task in written(result)]
    (tmp_path / "whole.json").write_text(json.dumps(tasks))
    again = read_label_studio(tmp_path / "whole.json", config=config).read_all()
    assert not write(again, tmp_path, config=config).report.flagged
    other = write(rows, tmp_path, config=CONFIG, data_key="url")
    assert list(other.report.flagged.values()) == [2]


def test_spans_of_texts_that_are_not_known_are_told(tmp_path: Path) -> None:
    rows = table(*(row("span", attributes='{"ranges":[[1,5]]}', data_unit=name) for name in ("a.txt", "b.txt")))
    made = write(rows, tmp_path)
    assert made.report.flagged == {
        "span of a text that no column has: the data unit is written in its place": 2,
    }
    config = (
        '<View><Text name="text" value="$text" valueType="url"/>'
        '<Labels name="l" toName="text"><Label value="Car"/></Labels></View>'
    )
    assert not write(rows, tmp_path, config=config, url="https://host/{data_unit}").report.flagged
    words = {"start": 1, "end": 2, "text": "b", "labels": ["Car"]}
    result = {"id": "a", "from_name": "l", "to_name": "text", "type": "labels", "value": words}
    (tmp_path / "words.json").write_text(json.dumps([{"data": {"text": "a b"}, "predictions": [{"result": [result]}]}]))
    known = read_label_studio(tmp_path / "words.json").read_all()
    assert not write(known, tmp_path).report.flagged
