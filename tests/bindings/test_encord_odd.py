"""Label rows that do not hold: each rule with its code and place, from a file and from memory."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from predarrow import read_label_rows
from predarrow.report import EMPTY_MASK, Code
from tests import naive_rle
from tests.label_rows import box, box_label, image_row, label, problems_of, video_row

Json = dict[str, Any]

FULL = naive_rle.to_string([0, 32 * 64]).decode()
EMPTY = naive_rle.to_string([32 * 64]).decode()


def polygon(parts: Any = None, outline: Any = None) -> Json:
    given = {"polygons": parts, "polygon": outline}
    return label("polygon", {key: value for key, value in given.items() if value is not None})


def bitmask(height: Any = 32, width: Any = 64, rle: Any = FULL, **more: Any) -> Json:
    given = {"top": 0, "left": 0, "height": height, "width": width, "rleString": rle}
    return label("bitmask", {"bitmask": given | more})


def rotatable(**given: Any) -> Json:
    return label("rotatable_bounding_box", {"rotatableBoundingBox": box() | {"theta": 10.0} | given})


def skeleton(**given: Any) -> Json:
    joints = {"0": {"x": 0.5, "y": 0.5, "name": "top"}, "1": {"x": 0.5, "y": 0.25, "name": "tip"} | given}
    return label("skeleton", {"skeleton": joints})


def circle(**given: Any) -> Json:
    return label("circle", {"circle": {"x": 0.5, "y": 0.5, "r": 0.1} | given})


def flat_cuboid(**given: Any) -> Json:
    front = [0.1, 0.1, 0.5, 0.1, 0.5, 0.5]
    return label("cuboid_2d", {"cuboid_2d": {"front": front} | given})


def cuboid(**given: Any) -> Json:
    values = {"position": [0.0, 0.0, 0.0], "orientation": [0.0, 0.0, 0.0], "size": [1.0, 1.0, 1.0]}
    return label("cuboid", {"cuboid": values | given})


RING = [0.1, 0.1, 0.5, 0.1, 0.5, 0.5]
POINTS = {"0": {"x": 0.1, "y": 0.2}, "1": {"x": 0.3, "y": 0.2}, "2": {"x": 0.3, "y": 0.5}}

OBJECTS: list[tuple[Any, Code, str, str]] = [
    (3, Code.BAD_VALUE, "", "must be an object, got 3"),
    (box_label() | {"shape": "segmentation"}, Code.UNSUPPORTED, ".shape", "got 'segmentation'"),
    (box_label() | {"shape": None}, Code.BAD_VALUE, ".shape", "got None"),
    (box_label() | {"objectHash": ""}, Code.BAD_VALUE, ".objectHash", "must not be empty"),
    (box_label() | {"objectHash": 7}, Code.BAD_VALUE, ".objectHash", "must be text, got 7"),
    (box_label() | {"featureHash": None}, Code.BAD_VALUE, ".featureHash", "must be text, got None"),
    (box_label() | {"featureHash": ""}, Code.BAD_VALUE, ".featureHash", "must not be empty"),
    (box_label() | {"confidence": "0.5"}, Code.BAD_NUMBER, ".confidence", "got '0.5'"),
    (box_label() | {"confidence": math.nan}, Code.BAD_NUMBER, ".confidence", "finite number, got nan"),
    (box_label() | {"createdAt": 3}, Code.BAD_VALUE, ".createdAt", "must be text or null, got 3"),
    (box_label() | {"manualAnnotation": "no"}, Code.BAD_VALUE, ".manualAnnotation", "true or false or null"),
    (box_label() | {"event": "delete"}, Code.UNSUPPORTED, ".event", "must be a label on a frame"),
    (box_label() | {"polygon": POINTS}, Code.BAD_VALUE, "", "must have boundingBox only"),
    (box_label() | {"boundingBox": None}, Code.BAD_VALUE, "", "must have boundingBox, as its shape is bounding_box"),
    (label("polygon", {"boundingBox": box()}), Code.BAD_VALUE, "", "must have polygon or polygons only"),
    (label("bounding_box", {}), Code.BAD_VALUE, "", "must have boundingBox, as"),
    (box_label(x="0.5"), Code.BAD_NUMBER, ".boundingBox.x", "must be a number, got '0.5'"),  # type: ignore[arg-type]
    (box_label(x=True), Code.BAD_NUMBER, ".boundingBox.x", "must be a number, got True"),
    (box_label(y=math.nan), Code.BAD_NUMBER, ".boundingBox.y", "must be a finite number, got nan"),
    (box_label(w=math.inf), Code.BAD_NUMBER, ".boundingBox.w", "got inf"),
    (box_label(w=0.0), Code.BAD_BOX, ".boundingBox.w", "must be greater than 0, got 0.0"),
    (box_label(h=-0.5), Code.BAD_BOX, ".boundingBox.h", "must be greater than 0, got -0.5"),
    (box_label(x=1e308, w=1e308), Code.BAD_BOX, "", "corners must be finite in pixels"),
    (label("bounding_box", {"boundingBox": {"x": 0, "y": 0, "w": 1}}), Code.BAD_VALUE, ".boundingBox", "must have h"),
    (label("bounding_box", {"boundingBox": [0, 0, 1, 1]}), Code.BAD_VALUE, ".boundingBox", "must be object, got [0"),
    (rotatable(theta=None), Code.BAD_NUMBER, ".rotatableBoundingBox.theta", "must be a number, got None"),
    (rotatable(theta=math.inf), Code.BAD_NUMBER, ".rotatableBoundingBox.theta", "got inf"),
    (circle(r=0), Code.BAD_BOX, ".circle.r", "must be greater than 0"),
    (circle(stretch=-1.0), Code.BAD_BOX, ".circle.stretch", "must be greater than 0"),
    (label("ellipse", {"ellipse": {"x": 0, "y": 0, "rx": 1}}), Code.BAD_VALUE, ".ellipse", "must have ry"),
    (polygon([[[*RING, 0.5]]]), Code.BAD_VALUE, ".polygons[0][0]", "even count, got 7 numbers"),
    (polygon([[RING], [[0.1, 0.1, 0.5, 0.5]]]), Code.BAD_VALUE, ".polygons[1][0]", "at least 3 vertices"),
    (polygon([[[0.1, 0.1, 0.5, 0.5, 0.1, 0.1]]]), Code.BAD_VALUE, ".polygons[0][0]", "counted once, got 2"),
    (polygon([[RING], []]), Code.BAD_VALUE, ".polygons[1]", "must have at least one ring"),
    (polygon([], {}), Code.BAD_VALUE, ".polygon", "must have vertices, got none"),
    (polygon([["0.1"]]), Code.BAD_VALUE, ".polygons[0][0]", "must be a list, got '0.1'"),
    (polygon([[[*RING, 0.5, "1"]]]), Code.BAD_NUMBER, ".polygons[0][0][7]", "must be a number, got '1'"),
    (polygon([[[*RING, 0.5, math.nan]]]), Code.BAD_NUMBER, ".polygons", "must be a finite number"),
    (polygon([[[*RING, 0.5, 1e300]]]), Code.BAD_NUMBER, ".polygons", "in pixels of 32 bits"),
    (polygon(None, {"0": {"x": 0.1}}), Code.BAD_VALUE, ".polygon.0", "must have x and y"),
    (polygon(None, {"a": {"x": 0.1, "y": 0.1}}), Code.BAD_VALUE, ".polygon", "keys must be whole numbers, got 'a'"),
    (polygon(None, POINTS | {"1": {"x": None, "y": 0.2}}), Code.BAD_NUMBER, ".polygon.1.x", "a number, got None"),
    (label("polyline", {"polyline": {}}), Code.BAD_VALUE, ".polyline", "must have vertices, got none"),
    (
        label("polyline", {"polyline": POINTS | {"1": {"x": 0.1, "y": 0.1, "z": 1.0}}}),
        Code.BAD_VALUE,
        ".polyline",
        "z on all points or on none, got 1 with z",
    ),
    (label("point", {"point": {"1": {"x": 0.1, "y": 0.1}}}), Code.BAD_VALUE, ".point", 'with the key "0"'),
    (label("point", {"point": {"0": {"x": 0.1}}}), Code.BAD_VALUE, ".point.0", "must have x and y"),
    (label("point", {"point": {"0": {"x": 0.1, "y": math.inf}}}), Code.BAD_NUMBER, ".point.0.y", "got inf"),
    (skeleton(visibility="hidden"), Code.BAD_VALUE, ".skeleton.1.visibility", "got 'hidden'"),
    (skeleton(name=None), Code.BAD_VALUE, ".skeleton.1.name", "must be text, got None"),
    (skeleton(x=math.nan), Code.BAD_NUMBER, ".skeleton.1.x", "got nan"),
    (label("skeleton", {"skeleton": {}}), Code.BAD_VALUE, ".skeleton", "must have points, got none"),
    (bitmask(rle="0o1"), Code.BAD_VALUE, ".bitmask.rleString", "must sum to 2048 (height 32 * width 64), got 63"),
    (bitmask(rle=""), Code.BAD_VALUE, ".bitmask.rleString", "must sum to 2048"),
    (bitmask(rle="0 1"), Code.BAD_VALUE, ".bitmask.rleString", "must be characters '0' to 'o'"),
    (bitmask(rle="0ooo"), Code.BAD_VALUE, ".bitmask.rleString", "must end with a whole number"),
    (bitmask(rle=FULL + "é"), Code.BAD_VALUE, ".bitmask.rleString", "must be characters"),
    (bitmask(rle=7), Code.BAD_VALUE, ".bitmask.rleString", "must be text, got 7"),
    (bitmask(height=31), Code.SIZE_MISMATCH, ".bitmask", "must be 32 x 64 (height x width) as the image is, got 31"),
    (bitmask(height=-1), Code.BAD_VALUE, ".bitmask", "from 1 to"),
    (bitmask(height=10**12), Code.BAD_VALUE, ".bitmask", "from 1 to"),
    (cuboid(size=[1.0, 0.0, 1.0]), Code.BAD_BOX, ".cuboid.size", "must be greater than 0"),
    (cuboid(position=[1.0, math.nan, 1.0]), Code.BAD_NUMBER, ".cuboid.position", "three finite numbers"),
    (cuboid(position=[1.0, 2.0]), Code.BAD_VALUE, ".cuboid.position", "of length 3"),
    (flat_cuboid(), Code.BAD_VALUE, ".cuboid_2d", "must have vanishingPoint and scaleRatio, or offset, got none"),
    (flat_cuboid(vanishingPoint={"x": 0, "y": 0}), Code.BAD_VALUE, ".cuboid_2d", "got vanishingPoint"),
    (flat_cuboid(offset={"x": 0}), Code.BAD_VALUE, ".cuboid_2d.offset", "must be finite x and y"),
    (flat_cuboid(offset={"x": 0, "y": 0}, front=[0.1, 0.1]), Code.BAD_VALUE, ".cuboid_2d.front", "at least 3 vertices"),
]


@pytest.mark.parametrize(("item", "code", "pointer", "words"), OBJECTS)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_objects_that_do_not_hold_are_left_out(item: Any, code: Code, pointer: str, words: str, tmp_path: Path) -> None:
    good = box_label("good")
    [problem] = problems_of(image_row([good, item, box_label("last")]), tmp_path)
    assert (problem.code, problem.row) == (code, 1)
    assert problem.pointer == f"$[0].data_units.image.labels.objects[1]{pointer}"
    assert words in problem.message
    reader = read_label_rows(image_row([good, item, box_label("last")]), on_error="skip")
    assert reader.read_all()["object_id"].to_pylist() == ["good", "last"]


def test_numbers_beyond_floats_are_refused_where_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    text = json.dumps(image_row([box_label("a", x=0.123), box_label("b")]))
    for number in ("1e999", "9" * 5000):
        file.write_text(text.replace("0.123", number))
        reader = read_label_rows(file, on_error="skip")
        assert reader.read_all()["object_id"].to_pylist() == ["b"]
        assert reader.report.problems[0].code in (Code.BAD_NUMBER, Code.DAMAGED)


def test_the_place_in_a_video_names_the_frame(tmp_path: Path) -> None:
    row = video_row({7: [box_label("a")], 12: [box_label("a"), box_label("b", w=-1.0)]})
    [problem] = problems_of(row, tmp_path)
    assert str(problem._replace(source="rows.json")) == (
        "rows.json: $[0].data_units.video.labels.12.objects[1].boundingBox.w: must be greater than 0, got -1.0"
    )


ROWS: list[tuple[Callable[[Json], Any], Code, str, str]] = [
    (lambda row: row.pop("data_hash"), Code.BAD_VALUE, "$[0]", "must be a label row, with data_hash"),
    (lambda row: row.pop("data_units"), Code.BAD_VALUE, "$[0]", "with data_units"),
    (lambda row: row.update(data_hash=3), Code.BAD_VALUE, "$[0].data_hash", "a text that is not empty, got 3"),
    (lambda row: row.update(data_type=None), Code.BAD_VALUE, "$[0].data_type", "got None"),
    (lambda row: row.update(data_units=[]), Code.BAD_VALUE, "$[0].data_units", "must be an object of data units"),
    (lambda row: row["data_units"].update(video=3), Code.BAD_VALUE, "$[0].data_units.video", "must be an object"),
    (lambda row: row.update(object_answers=[]), Code.BAD_VALUE, "$[0].object_answers", "must be an object, got []"),
    (lambda row: row["object_answers"].update(a=3), Code.BAD_VALUE, "$[0].object_answers.a", "must be an object"),
    (lambda row: unit(row).update(width="640"), Code.BAD_VALUE, "$[0].data_units.video.width", "number of pixels"),
    (lambda row: unit(row).update(height=-1), Code.BAD_VALUE, "$[0].data_units.video.height", "got -1"),
    (lambda row: unit(row).update(width=math.nan), Code.BAD_VALUE, "$[0].data_units.video.width", "got nan"),
    (lambda row: unit(row).update(labels=3), Code.BAD_VALUE, "$[0].data_units.video.labels", "must be an object"),
    (lambda row: unit(row)["labels"].update({"5": []}), Code.BAD_VALUE, "$[0].data_units.video.labels.5", "an object"),
    (
        lambda row: unit(row)["labels"]["3"].update(objects=3),
        Code.BAD_VALUE,
        "$[0].data_units.video.labels.3.objects",
        "must be a list",
    ),
    (
        lambda row: row["data_units"].update(other=dict(unit(row))),
        Code.UNSUPPORTED,
        "$[0].data_units",
        "must be one data unit where labels stand by frames, got 2",
    ),
]


def unit(row: Json) -> Json:
    found: Json = row["data_units"]["video"]
    return found


@pytest.mark.parametrize(("change", "code", "pointer", "words"), ROWS)
def test_label_rows_that_do_not_hold_are_one_problem(
    change: Callable[[Json], Any], code: Code, pointer: str, words: str, tmp_path: Path
) -> None:
    row = video_row({3: [box_label("a"), box_label("b")]})
    change(row)
    [problem] = problems_of(row, tmp_path)
    assert (problem.code, problem.row, problem.pointer) == (code, None, pointer)
    assert words in problem.message


@pytest.mark.parametrize("key", ["-1", "1.5", "x", "", "99999999999", "\u0661", "100", "003"])
def test_frames_that_are_none_are_refused(key: str, tmp_path: Path) -> None:
    row = video_row({3: [box_label("a")]})
    unit(row)["labels"][key] = {"objects": [box_label("b"), box_label("c")], "classifications": []}
    problems = problems_of(row, tmp_path)
    assert [problem.code for problem in problems] == [Code.FRAME_RANGE] * 2
    assert problems[1].pointer == f"$[0].data_units.video.labels.{key}.objects[1]"


def test_frames_are_not_judged_where_their_number_is_not_known() -> None:
    row = video_row({2**31 - 1: [box_label("a")]})
    del unit(row)["data_fps"]
    assert read_label_rows(row).read_all()["frame"].to_pylist() == [2**31 - 1]


@pytest.mark.parametrize("sequence", ["x", -1, 1.5, "99999999999", True])
def test_places_in_a_group_must_be_whole_numbers(sequence: Any, tmp_path: Path) -> None:
    row = image_row([box_label()], data_type="img_group")
    row["data_units"]["image"]["data_sequence"] = sequence
    [problem] = problems_of(row, tmp_path)
    assert problem.pointer == "$[0].data_units.image.data_sequence"


def test_places_in_a_group_stand_once(tmp_path: Path) -> None:
    row = image_row([box_label()], data_type="img_group")
    row["data_units"]["other"] = dict(row["data_units"]["image"])
    [problem] = problems_of(row, tmp_path)
    assert "a data_sequence of its own, got 0 for image and other" in problem.message


def test_relative_coordinates_need_a_size_but_masks_and_cuboids_do_not(tmp_path: Path) -> None:
    row = image_row([box_label("a"), bitmask() | {"objectHash": "b"}, cuboid() | {"objectHash": "c"}])
    row["data_units"]["image"] |= {"width": None, "height": 0}
    [problem] = problems_of(row, tmp_path)
    assert (problem.code, problem.row) == (Code.SIZE_UNKNOWN, 0)


def test_an_object_stands_once_on_a_frame_and_has_one_class(tmp_path: Path) -> None:
    other = {"featureHash": "other"}
    row = video_row({3: [box_label("a"), box_label("a")], 4: [box_label("a"), box_label("b") | other]})
    [twice] = problems_of(row, tmp_path)
    assert (twice.row, "must stand once on a frame, got 'a'" in twice.message) == (1, True)
    row = video_row({3: [box_label("a")], 4: [box_label("a") | other, box_label("b")]})
    [changed] = problems_of(row, tmp_path)
    assert changed.pointer.endswith("labels.4.objects[0].featureHash")
    assert "must have one class, got 'other' after 'class'" in changed.message


def test_empty_masks_are_flagged() -> None:
    reader = read_label_rows(image_row([bitmask(rle=EMPTY), box_label("b")]))
    assert reader.read_all()["bbox"].is_null().to_pylist() == [True, False]
    assert reader.report.flagged == {EMPTY_MASK: 1}


def test_polygons_win_over_an_outline_that_differs_and_both_are_kept() -> None:
    table = read_label_rows(image_row([polygon([[RING]], POINTS)])).read_all()
    assert table["polygon"][0].as_py()[0][0][0]["x"] == pytest.approx(6.4)
    kept = json.loads(table["attributes"][0].as_py())["encord"]["coordinates"]
    assert kept == {"polygons": [[RING]], "polygon": POINTS}


def test_keys_of_geometry_that_are_not_known_are_kept() -> None:
    for item in (
        label("bounding_box", {"boundingBox": box() | {"later": 1}}),
        circle(later={"a": None}),
        skeleton(later=1),
        bitmask(later=1),
    ):
        kept = json.loads(read_label_rows(image_row([item])).read_all()["attributes"][0].as_py())
        key = next(key for key in ("boundingBox", "circle", "skeleton", "bitmask") if key in item)
        assert kept["encord"]["coordinates"] == {key: item[key]}
