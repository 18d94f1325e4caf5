"""Every odd record and file of COCO, and what becomes of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from predarrow.errors import InputError
from predarrow.formats.coco.annotations import write_coco_annotations
from predarrow.formats.coco.read import read_coco
from predarrow.formats.coco.write import write_coco_results
from predarrow.report import Code
from tests.corpus import corpus_path

_BOX = {"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "score": 0.5}
_SHAPE = {"image_id": 1, "category_id": 2, "score": 0.5}


def _write(tmp_path: Path, document: Any, name: str = "file.json") -> Path:
    path = tmp_path / name
    path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
    return path


def _read(tmp_path: Path, document: Any, **options: Any) -> pa.Table:
    return read_coco(_write(tmp_path, document), **options).read_all()


def _text(**changes: str) -> bytes:
    """A list with the text of one record, of which the values of some keys are other texts."""
    members = {key: json.dumps(value) for key, value in _BOX.items()} | changes
    return ("[{" + ",".join(f'"{key}":{value}' for key, value in members.items()) + "}]").encode()


@pytest.mark.parametrize(
    ("given", "data_unit"),
    [("42", "42"), ("42.0", "42"), ('"42"', "42"), ('"042"', "042"), ('"a\\u00fc/b.jpg"', "aü/b.jpg"), ("-3", "-3")],
)
def test_ids_are_kept(tmp_path: Path, given: str, data_unit: str) -> None:
    table = _read(tmp_path, _text(image_id=given, category_id=given))
    assert (table["data_unit"].to_pylist(), table["class_name"].to_pylist()) == ([data_unit], [data_unit])


def test_nested_lists_and_dictionaries(tmp_path: Path) -> None:
    table = _read(tmp_path, [[_BOX, _BOX], [], [{**_BOX, "image_id": 2}]])
    assert (table["data_unit"].to_pylist(), table["row"].to_pylist()) == (["1", "1", "2"], [0, 1, 2])
    assert _read(tmp_path, {"annotations": [_BOX, _BOX]}).num_rows == 2
    with pytest.raises(InputError, match=r"file.json: \$\[2\]\[1\].bbox: must have four numbers"):
        _read(tmp_path, [[_BOX], [], [_BOX, {**_BOX, "bbox": [1]}]])


@pytest.mark.parametrize("score", [None, "null"])
def test_no_score(tmp_path: Path, score: str | None) -> None:
    record = _text(score=score) if score else json.dumps([{k: v for k, v in _BOX.items() if k != "score"}]).encode()
    assert _read(tmp_path, record)["confidence"].to_pylist() == [None]
    assert _read(tmp_path, record, default_confidence=0.25)["confidence"].to_pylist() == [0.25]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"image_id": "null"}, ".image_id: must be a whole number or text, got null"),
        ({"image_id": "1.5"}, ".image_id: must be a whole number or text, got 1.5"),
        ({"image_id": '"\\ud800"'}, ".image_id: must be text that UTF-8 can hold"),
        ({"category_id": "[1]"}, ".category_id: must be a whole number or text, got [1]"),
        ({"category_id": "true"}, ".category_id: must be a whole number or text, got true"),
        ({"score": '"0.5"'}, '.score: must be a finite number, null or not there, got "0.5"; write it without quotes'),
        ({"score": "NaN"}, ".score: must be a finite number, null or not there, got NaN"),
        ({"score": "1e999"}, ".score: must be a finite number, null or not there, got 1e999"),
        ({"bbox": "[1,2,3]"}, ".bbox: must have four numbers (x, y, width, height), got 3: [1,2,3]"),
        ({"bbox": "[1,2,3,4,5]"}, ".bbox: must have four numbers (x, y, width, height), got 5: [1,2,3,4,5]"),
        ({"bbox": '[1,2,"3",4]'}, ".bbox[2]: must be a number, got '3'; write it without quotes"),
        ({"bbox": "[1,2,3,null]"}, ".bbox[3]: must be a number, got null"),
        ({"bbox": "[1,NaN,3,4]"}, ".bbox[1]: must be finite, got nan"),
        ({"bbox": "[1,2,-3,4]"}, ".bbox[2]: width must be at least 0 (a box is x, y, width, height), got -3.0"),
        ({"bbox": "[1,2,3,-4]"}, ".bbox[3]: height must be at least 0 (a box is x, y, width, height), got -4.0"),
        ({"bbox": "[1e308,2,1e308,4]"}, ".bbox: corners must be finite"),
        (
            {"bbox": '{"x": 1}'},
            '.bbox: must be a list of four numbers (x, y, width, height), null or not there, got {"x',
        ),
        ({"bbox": "[]"}, ": must have a bbox, a segmentation or keypoints, got none of them"),
        ({"bbox": "null"}, ": must have a bbox, a segmentation or keypoints, got none of them"),
        (
            {"keypoints": "[1,2]"},
            ".keypoints: must have three numbers for each point (x, y, visibility), got 2 numbers",
        ),
        ({"keypoints": '[1,2,"2"]'}, ".keypoints: must be a list of numbers x, y, visibility for each point"),
        ({"keypoints": "[1,Infinity,2]"}, ".keypoints[1]: must be a finite 32-bit number, got inf"),
    ],
)
def test_records_that_are_refused(tmp_path: Path, changes: dict[str, str], told: str) -> None:
    path = _write(tmp_path, _text(**changes))
    with pytest.raises(InputError) as caught:
        read_coco(path).read_all()
    assert str(caught.value).startswith(f"{path}: $[0]{told}")
    reader = read_coco(path, on_error="skip")
    assert reader.read_all().num_rows == 0
    assert [problem.row for problem in reader.report.problems] == [0]


@pytest.mark.parametrize(
    ("segmentation", "told"),
    [
        ([[1, 2, 3, 4, 5, 6, 7]], "[0]: must be x, y of at least three vertices, an even number of numbers, got 7"),
        ([[0, 0, 3, 0, 3, 3], [1, 2, 3, 4]], "[1]: must be x, y of at least three vertices"),
        ([1, 2, 3, 4], ": must be x, y of at least three vertices"),
        ([[]], "[0]: must be x, y of at least three vertices"),
        ([[0, 0, 3, "0", 3, 3]], "[0][3]: must be a number, got '0'"),
        ([[0, 0, 3, 1e39, 3, 3]], "[0][3]: must be a finite 32-bit number, got 1e+39"),
        ([0, 0, 3, 0, 3, float("nan")], "[5]: must be a finite 32-bit number, got nan"),
        ([[0, 0, 3, 0, 3, 3], 5], "[1]: must be a list of x, y as its neighbours, got 5"),
        ("text", ": must be polygons or run lengths, got 'text'; COCO has lists of x, y"),
        ({"size": [4], "counts": "9"}, ".size: must be two whole numbers (height, width), got [4]"),
        ({"size": [3, 3]}, ".counts: must be COCO's text of run lengths, or a list of them, got null"),
        ({"size": [3, 3], "counts": [1, 2.5]}, ".counts[1]: must be a whole number, got 2.5"),
        ({"size": [3, 3], "counts": [4, -1, 6]}, ".counts[1]: must not be negative"),
        ({"size": [3, 3], "counts": [4, 1]}, ".counts: must sum to 9 (height 3 * width 3), got 5"),
        ({"size": [3, 4], "counts": "9"}, ".counts: must sum to 12 (height 3 * width 4), got 9"),
        ({"size": [3, 3], "counts": ""}, ".counts: must sum to 9 (height 3 * width 3), got 0"),
        ({"size": [30, 30], "counts": "T"}, ".counts: must end with a whole number, got one that breaks off at byte 0"),
        ({"size": [3, 3], "counts": "4~"}, ".counts: must be characters '0' to 'o', got b'~' at byte 1"),
        ({"size": [3, 3], "counts": "9O"}, ".counts: must not be negative, got a negative count at byte 1"),
        ({"size": [3, 3], "counts": "b'9'"}, ".counts: must be COCO's run lengths as text, got a Python bytes literal"),
        ({"size": [-3, 3], "counts": "9"}, ".size: height and width must be at least 0"),
        ({"size": [2**31, 2**31], "counts": "9"}, ".size: height and width must be at least 0, and 4294967295 pixels"),
    ],
)
def test_segmentations_that_are_refused(tmp_path: Path, segmentation: Any, told: str) -> None:
    path = _write(tmp_path, [{**_SHAPE, "segmentation": segmentation}])
    with pytest.raises(InputError) as caught:
        read_coco(path, polygons=True).read_all()
    assert str(caught.value).startswith(f"{path}: $[0].segmentation{told}")


@pytest.mark.parametrize("nothing", [None, []])
def test_nothing_is_as_if_it_were_not_there(tmp_path: Path, nothing: Any) -> None:
    (row,) = _read(tmp_path, [{**_BOX, "segmentation": nothing, "keypoints": nothing}]).to_pylist()
    assert (row["kind"], row["polygon"], row["keypoints"], row["mask"]) == ("bbox", None, None, None)
    (row,) = _read(tmp_path, [{**_SHAPE, "bbox": nothing, "segmentation": [0, 0, 3, 0, 3, 3]}]).to_pylist()
    assert (row["kind"], row["bbox"]["xmax"]) == ("polygon", 3)


def test_flat_polygon_of_the_page(tmp_path: Path) -> None:
    numbers = [508, 559, 512, 555, 517, 554, 520, 548, 527, 542, 531, 540, 538, 540, 553, 562]
    (row,) = _read(tmp_path, [{**_SHAPE, "segmentation": numbers, "iscrowd": False}]).to_pylist()
    assert [number for point in row["polygon"][0][0] for number in point.values()] == numbers
    assert row["attributes"] == '{"iscrowd":false}'


def test_boxes_without_an_area_are_kept(tmp_path: Path) -> None:
    table = _read(tmp_path, [{**_BOX, "bbox": [5, 6, 0, 0]}])
    assert list(table["bbox"][0].as_py().values()) == [5, 6, 5, 6]


def test_relative_boxes_are_refused_unless_told(tmp_path: Path) -> None:
    records = [{**_BOX, "bbox": [0.1, 0.2, 0.3, 0.4]}, {**_BOX, "bbox": [0, 0, 1, 1]}]
    with pytest.raises(InputError, match='which looks relative; give box_unit="relative"') as caught:
        _read(tmp_path, records)
    assert [problem.row for problem in caught.value.problems] == [None]
    assert _read(tmp_path, records, box_unit="pixel").num_rows == 2
    assert _read(tmp_path, [*records, _BOX]).num_rows == 3
    assert _read(tmp_path, [{**_BOX, "bbox": [0, 0, 1, 1]}]).num_rows == 1


def test_first_vertices_that_are_repeated(tmp_path: Path) -> None:
    rings: list[list[float]] = [[1, 2, 3, 4, 9, 9, 1, 2], [1, 2, 3, 4, 1, 2], [1, 2.5, 3, 4, 1, 2.5]]
    table = _read(tmp_path, [{**_SHAPE, "segmentation": [ring]} for ring in rings])
    kept = [[number for point in part[0][0] for number in point.values()] for part in table["polygon"].to_pylist()]
    assert kept == [rings[0][:6], *rings[1:]]  # with two vertices it would be no ring, and could not be written again
    write_coco_results(table, tmp_path / "again.json")
    assert read_coco(tmp_path / "again.json").read_all()["polygon"].equals(table["polygon"])


def test_masks_without_a_pixel_are_kept(tmp_path: Path) -> None:
    path = _write(tmp_path, [{**_SHAPE, "segmentation": {"size": [3, 3], "counts": "9"}}])
    reader = read_coco(path, polygons=True)
    (row,) = reader.read_all().to_pylist()
    assert (row["bbox"], row["polygon"], row["mask"]["counts"]) == (None, None, b"9")
    assert reader.report.flagged == {"mask without a pixel": 1}


def test_what_run_lengths_have_beside_is_kept_and_comes_back(tmp_path: Path) -> None:
    segmentations: list[dict[str, Any]] = [
        {"origin": "sam", "size": [3, 3], "counts": "9", "steps": [1, 2.5]},
        {"size": [3, 3], "counts": [4, 5], "ümlaut": None},
        {"size": [3, 3], "counts": "9"},
    ]
    records = [{**_SHAPE, "segmentation": segmentation} for segmentation in segmentations]
    records[1]["source"] = "b"
    table = _read(tmp_path, records)
    kept = [json.loads(text) if text else None for text in table["attributes"].to_pylist()]
    assert kept == [
        {"segmentation": {"origin": "sam", "steps": [1, 2.5]}},
        {"source": "b", "segmentation": {"ümlaut": None}},
        None,
    ]
    write_coco_results(table, tmp_path / "again.json")
    again = json.loads((tmp_path / "again.json").read_text("utf-8"))
    assert again[0]["segmentation"] == segmentations[0]
    assert again[1]["segmentation"].keys() == segmentations[1].keys()
    assert again[2]["segmentation"] == segmentations[2]
    write_coco_annotations(table, tmp_path / "annotations.json")
    annotations = json.loads((tmp_path / "annotations.json").read_text("utf-8"))["annotations"]
    assert annotations[0]["segmentation"] == segmentations[0]


def test_masks_must_be_of_their_images_size(tmp_path: Path) -> None:
    record = {**_SHAPE, "segmentation": {"size": [3, 3], "counts": "9"}}
    images = [{"id": 1, "file_name": "a.jpg", "height": 3, "width": 4}]
    with pytest.raises(InputError, match=r"annotations\[0\].segmentation.size: must be \[3, 4\] as its image is"):
        _read(tmp_path, {"images": images, "annotations": [record]})


def test_images_and_categories_that_are_not_listed(tmp_path: Path) -> None:
    document = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": 3, "name": "car"}],
        "annotations": [_BOX, {**_BOX, "image_id": 9}],
    }
    reader = read_coco(_write(tmp_path, document), on_error="skip")
    assert reader.read_all()["class_name"].to_pylist() == ["2"]
    assert reader.report.flagged == {"category that is not listed, called by its id": 1}
    (problem,) = reader.report.problems
    assert (problem.code, problem.pointer) == (Code.UNKNOWN_DATA_UNIT, "$.annotations[1].image_id")
    assert problem.message == "must be the id of an image that is listed, got '9'"


@pytest.mark.parametrize(
    ("lists", "told"),
    [
        ({"images": {}}, "$.images: must be a list"),
        ({"images": [5]}, "$.images[0]: must be an object"),
        ({"images": [{"file_name": "a"}]}, "$.images[0].id: must be a whole number or text, got nothing"),
        ({"images": [{"id": 1}]}, "$.images[0].file_name: must be text that is not empty, got nothing"),
        ({"images": [{"id": 1, "file_name": "a", "width": 0}]}, "$.images[0]: height and width: must be whole numbers"),
        ({"images": [{"id": 1, "file_name": n} for n in "ab"]}, "$.images[1].id: must stand for one image, got 1"),
        ({"categories": [{"id": 1}]}, "$.categories[0].name: must be text, got nothing"),
        ({"categories": [{"id": 1, "name": n} for n in "ab"]}, "$.categories[1].id: must stand for one category"),
        (
            {"categories": [{"id": 1, "name": "a", "keypoints": 5}]},
            "$.categories[0].keypoints: must be a list of names",
        ),
        ({"categories": [None]}, "$.categories[0]: must be an object, got None"),
    ],
)
def test_lists_that_do_not_hold(tmp_path: Path, lists: dict[str, Any], told: str) -> None:
    path = _write(tmp_path, {**lists, "annotations": [_BOX]})
    with pytest.raises(InputError) as caught:
        read_coco(path).read_all()
    assert str(caught.value).startswith(f"{path}: {told}")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "byte 0 (line 1): JSON must go on: the file breaks off"),
        (b'[{"image_id": 1', "byte 15 (line 1): JSON must go on: the file breaks off"),
        (b'[{"image_id": 1,\n "bbox" 2}]', "byte 25 (line 2): JSON must have a colon behind the key"),
        (b"5", 'byte 0 (line 1): must be a list of results, or an object with a list "annotations"'),
        (b"[] []", "byte 3 (line 1): JSON must end here"),
        (b'[{"image_id": "\xff"}]', "byte 15 (line 1): JSON must be UTF-8"),
        (b"{}", '$: must be a list of results, or an object with a list "annotations", got an object without one'),
        (b'{"annotations": {}}', '$: must be a list of results, or an object with a list "annotations"'),
        (b"[5]", "$[0]: must be an object with image_id and category_id, got 5"),
    ],
)
def test_files_that_are_no_coco(tmp_path: Path, content: bytes, told: str) -> None:
    path = _write(tmp_path, content)
    with pytest.raises(InputError) as caught:
        read_coco(path).read_all()
    assert str(caught.value).startswith(f"{path}: {told}")


def test_what_stands_before_a_flaw_is_read(tmp_path: Path) -> None:
    path = _write(tmp_path, json.dumps([_BOX, _BOX]).encode()[:-1] + b", {5}]")
    reader = read_coco(path, on_error="skip")
    assert reader.read_all().num_rows == 2
    (problem,) = reader.report.problems
    assert (problem.code, problem.row) == (Code.DAMAGED, None)


def test_lines_tell_where_they_are(tmp_path: Path) -> None:
    text = f"{json.dumps(_BOX)}\n\n{json.dumps({**_BOX, 'score': 'x'})}\n"
    with pytest.raises(InputError, match=r"file.jsonl: line 3: \$.score: must be a finite number"):
        read_coco(_write(tmp_path, text.encode(), "file.jsonl")).read_all()


def test_packed_files_that_break_off(tmp_path: Path) -> None:
    packed = gzip.compress(json.dumps([_BOX] * 9999).encode())
    with pytest.raises(InputError, match=r"file\.json\.gz: must be a whole gzip file"):
        read_coco(_write(tmp_path, packed[: len(packed) // 2], "file.json.gz")).read_all()
    with pytest.raises(InputError, match=r"file\.json\.gz: must be a whole gzip file"):
        read_coco(_write(tmp_path, b"\x1f\x8b not packed", "file.json.gz")).read_all()


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"image_id": 1, "caption": "a cat"}, "got caption: captions are no predictions of objects"),
        (
            {"image_id": 1, "file_name": "a.png", "segments_info": []},
            "got segments_info: panoptic segments stand in PNG",
        ),
        (
            {"video_id": 1, "category_id": 1, "score": 0.5, "segmentations": [None]},
            "got segmentations: masks of all frames of a video are not read; give each frame a record of its own",
        ),
        (
            {
                "image_id": 1,
                "category_id": 1,
                "score": 0.5,
                "rbox": [1, 2, 3, 4, 0.5],
                "poly": [1, 2, 3, 4, 5, 6, 7, 8],
            },
            "got rbox: boxes with an angle are not read; give their corners as segmentation",
        ),
    ],
)
def test_other_formats_are_refused_whole(tmp_path: Path, record: dict[str, Any], told: str) -> None:
    reader = read_coco(_write(tmp_path, [record, record]), on_error="skip")
    assert reader.read_all().num_rows == 0
    (problem,) = reader.report.problems
    assert (problem.code, problem.row) == (Code.UNSUPPORTED, None)
    assert told in str(problem)


def test_real_files_of_other_formats() -> None:
    with pytest.raises(InputError, match="panoptic segments stand in PNG files"):
        read_coco(corpus_path("coco_annotations", "datumaro_panoptic_val.json")).read_all()
    with pytest.raises(InputError, match="got an object without one"):
        read_coco(corpus_path("coco_panoptic", "images_info_examples.json")).read_all()
