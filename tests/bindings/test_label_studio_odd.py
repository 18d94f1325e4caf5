"""Odd files of Label Studio: what is refused, and what is taken and told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from predarrow import Code, InputError, PredarrowError, read_label_studio
from tests.corpus import corpus_path
from tests.label_studio_tasks import data_url

Json = dict[str, Any]
SIZE = {"original_width": 200, "original_height": 100}
BOX = {"x": 10, "y": 20, "width": 30, "height": 40}
STROKE = [0, 0, 0, 12, 57, 27, 252, 96, 19, 255, 128]
"""A brush of height 1 and width 3: 0, 255, 255."""
SMALL = {"original_width": 3, "original_height": 1}


def result(type_: str, value: Any, **members: Any) -> Json:
    return {"id": "r", "from_name": "control", "to_name": "media", "type": type_, "value": value, **members}


GOOD = result("rectangle", BOX, **SIZE)


def written(tmp_path: Path, entries: Any) -> Path:
    path = tmp_path / "tasks.json"
    path.write_text(entries if isinstance(entries, str) else json.dumps(entries))
    return path


def task(*results: Any, **members: Any) -> Json:
    return {"data": {"media": "a.jpg"}, "predictions": [{"result": list(results)}], **members}


REFUSED: list[tuple[Any, Code, str]] = [
    (result("rectangle", BOX), Code.SIZE_UNKNOWN, ""),
    (result("rectangle", BOX, original_width=0, original_height=5), Code.BAD_VALUE, ""),
    (result("rectangle", BOX, original_width=5.5, original_height=5), Code.BAD_VALUE, ""),
    (result("rectangle", BOX, original_width="5", original_height=5), Code.BAD_VALUE, ".original_width"),
    (result("rectangle", {**BOX, "x": "12.5"}, **SIZE), Code.BAD_NUMBER, ".value.x"),
    (result("rectangle", {**BOX, "width": None}, **SIZE), Code.BAD_NUMBER, ".value.width"),
    (result("rectangle", {"x": 1, "y": 2, "width": 3}, **SIZE), Code.BAD_VALUE, ".value.height"),
    (result("rectangle", {**BOX, "width": -5}, **SIZE), Code.BAD_BOX, ".value"),
    (result("rectangle", {**BOX, "x": 1e308}, **SIZE), Code.BAD_NUMBER, ".value"),
    (result("rectangle", 5, **SIZE), Code.BAD_VALUE, ".value"),
    (result("rectanglelabels", {**BOX, "rectanglelabels": "Car"}, **SIZE), Code.BAD_VALUE, ".value.rectanglelabels"),
    (result("polygon", {"points": [[1, 2], [3, 4]]}, **SIZE), Code.BAD_VALUE, ".value"),
    (result("polygon", {"points": []}, **SIZE), Code.BAD_VALUE, ".value"),
    (result("polygon", {"points": [[1, 2, 3]]}, **SIZE), Code.BAD_VALUE, ".value.points"),
    (result("polygon", {"points": [[1, 1e300], [3, 4], [5, 6]]}, **SIZE), Code.BAD_NUMBER, ".value"),
    (result("ellipse", {"x": 1, "y": 2, "radiusX": -1, "radiusY": 2}, **SIZE), Code.BAD_VALUE, ".value"),
    (result("keypoint", {"x": 1, "y": 2, "width": "1"}, **SIZE), Code.BAD_NUMBER, ".value.width"),
    (result("vector", {"vertices": [{"x": 1}, {"x": 2, "y": 3}]}, **SIZE), Code.BAD_VALUE, ".value.vertices"),
    (result("vector", {"vertices": [{"x": 1, "y": 1}]}, **SIZE), Code.BAD_VALUE, ".value"),
    (
        result("vector", {"vertices": [{"x": 1, "y": 1}, {"x": 2, "y": 3}], "closed": True}, **SIZE),
        Code.BAD_VALUE,
        ".value",
    ),
    (result("brush", {"format": "rle", "rle": STROKE}, **SIZE), Code.SIZE_MISMATCH, ".value.rle"),
    (result("brush", {"format": "rle", "rle": STROKE[:9]}, **SMALL), Code.DAMAGED, ".value.rle[8]"),
    (result("brush", {"format": "rle", "rle": STROKE[:4]}, **SMALL), Code.DAMAGED, ".value.rle"),
    (
        result("brush", {"format": "rle", "rle": [*STROKE[:4], 121, *STROKE[5:]]}, **SMALL),
        Code.UNSUPPORTED,
        ".value.rle",
    ),
    (result("brush", {"format": "rle", "rle": [300]}, **SMALL), Code.BAD_VALUE, ".value.rle[0]"),
    (result("brush", {"format": "rle", "rle": "abc"}, **SMALL), Code.BAD_VALUE, ".value.rle"),
    (result("brush", {"format": "png", "rle": STROKE}, **SMALL), Code.UNSUPPORTED, ".value.format"),
    (result("bitmask", {"imageDataURL": "https://x/a.png"}), Code.NOT_PNG, ".value.imageDataURL"),
    (result("bitmask", {"imageDataURL": "data:image/png;base64,!"}), Code.DAMAGED, ".value.imageDataURL"),
    (result("bitmask", {"imageDataURL": "data:image/png;base64,AAAA"}), Code.NOT_PNG, ".value.imageDataURL"),
    (
        result("bitmask", {"imageDataURL": data_url(np.ones((2, 2), np.uint8))}, **SMALL),
        Code.SIZE_MISMATCH,
        ".value.imageDataURL",
    ),
    (
        result("videorectangle", {"sequence": [{"frame": 0, **BOX}]}, **SIZE),
        Code.FRAME_RANGE,
        ".value.sequence[0].frame",
    ),
    (
        result("videorectangle", {"sequence": [{"frame": "1", **BOX}]}, **SIZE),
        Code.BAD_NUMBER,
        ".value.sequence[0].frame",
    ),
    (
        result("videorectangle", {"sequence": [{"frame": 1, **BOX}, {"frame": 2, **BOX, "height": -1}]}, **SIZE),
        Code.BAD_BOX,
        ".value.sequence[1]",
    ),
    (result("videorectangle", {"sequence": []}, **SIZE), Code.BAD_VALUE, ".value.sequence"),
    (
        result("videovector", {"sequence": [{"frame": 1, "vertices": [{"x": 1, "y": 2}]}]}, **SIZE),
        Code.UNSUPPORTED,
        ".value.sequence[0]",
    ),
    (result("timelinelabels", {"ranges": []}), Code.BAD_VALUE, ".value.ranges"),
    (result("timelinelabels", {"ranges": [5]}), Code.BAD_VALUE, ".value.ranges[0]"),
    (result("choices", ["a"]), Code.BAD_VALUE, ".value"),
    (result("rectangle", BOX, score="high", **SIZE), Code.BAD_CONFIDENCE, ".score"),
    (result("rectangle", BOX, at=5, **SIZE), Code.CANNOT_HOLD, ".at"),
    ({"type": "choices", "value": {}, "to_name": "media"}, Code.BAD_VALUE, ".from_name"),
    ({"type": 5, "value": {}, "to_name": "media", "from_name": "control"}, Code.BAD_VALUE, ".type"),
    ({"type": "choices", "to_name": "media", "from_name": "control"}, Code.BAD_VALUE, ".value"),
    ("choices", Code.BAD_VALUE, ""),
]


@pytest.mark.parametrize(("given", "code", "where"), REFUSED)
def test_odd_regions_are_refused_alone(tmp_path: Path, given: Any, code: Code, where: str) -> None:
    path = written(tmp_path, [task(), task({**GOOD, "id": "good"}, given)])
    reader = read_label_studio(path, on_error="skip")
    assert reader.read_all()["object_id"].to_pylist() == ["good"]
    (problem,) = reader.report.problems
    assert (problem.source, problem.code) == (str(path), code)
    assert problem.pointer == f"$[1].predictions[0].result[1]{where}"
    assert ", got " in problem.message
    with pytest.raises(InputError, match=r"\$\[1\]"):
        read_label_studio(path).read_all()


FILES: list[tuple[str, Code, str]] = [
    ("", Code.DAMAGED, "line 1 column 1"),
    ("[{]", Code.DAMAGED, "line 1 column 3"),
    ("5", Code.BAD_VALUE, "$"),
    ("[5]", Code.BAD_VALUE, "$[0]"),
    ('{"labels": 5}', Code.BAD_VALUE, "$"),
    ('{"tasks": 5}', Code.BAD_VALUE, "$.tasks"),
    ('[{"data": {}, "predictions": [{"result": [], "score": NaN}]}]', Code.BAD_NUMBER, "$[0].predictions[0].score"),
    ('[{"data": {"a": "\\ud800"}, "predictions": []}]', Code.BAD_TEXT, ""),
    ("[" * 100_000, Code.DAMAGED, ""),
    (json.dumps([task(GOOD), {"result": [GOOD]}]), Code.BAD_VALUE, "$[1]"),
    (json.dumps([task(GOOD, predictions=[5, 6])]), Code.BAD_VALUE, "$[0].predictions[0]"),
    (json.dumps([task(GOOD, predictions={"a": 5})]), Code.BAD_VALUE, "$[0].predictions"),
]


@pytest.mark.parametrize(("text", "code", "where"), FILES)
def test_odd_files_are_refused_whole(tmp_path: Path, text: str, code: Code, where: str) -> None:
    reader = read_label_studio(written(tmp_path, text), on_error="skip")
    assert reader.read_all().num_rows == 0
    (problem,) = reader.report.problems
    assert (problem.code, problem.pointer) == (code, where)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_bytes(b'[{"data": {"a": "\xff"}}]')
    with pytest.raises(InputError, match="UTF-8"):
        read_label_studio(path).read_all()
    path.write_bytes(b"\x1f\x8b damaged")
    with pytest.raises(InputError, match="gzip"):
        read_label_studio(path).read_all()
    with pytest.raises(InputError, match="can be read"):
        read_label_studio(tmp_path / "none.json").read_all()
    with pytest.raises(InputError, match="path: must be at least one file or folder, got an empty list"):
        read_label_studio([])


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (result("rectangle", BOX), 'must have "original_width" and .* got neither'),
        (result("rectangle", BOX, original_width=640), "image_sizes= .* got original_width 640 alone"),
        (result("rectangle", BOX, original_width=0, original_height=5.5), "above 0, got 0 and 5.5"),
        (result("rectanglelabels", {**BOX, "rectanglelabels": "Car"}, **SIZE), "a list of texts, got 'Car'"),
        (result("polygon", {"points": [[1, 2], [3, 4], [5]]}, **SIZE), r"a list of points \[x, y\], got"),
    ],
)
def test_errors_say_what_is_asked_for(tmp_path: Path, entry: Json, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_label_studio(written(tmp_path, [task(entry)])).read_all()


@pytest.mark.parametrize("size", [(50,), (5.5, 5), (0, 5), (-1, 5), "ab", 7, (2**31, 5)])
def test_image_sizes_that_do_not_hold(tmp_path: Path, size: Any) -> None:
    path = written(tmp_path, [task(result("rectangle", BOX))])
    with pytest.raises(PredarrowError, match=r"image_sizes: a\.jpg: must be \(height, width\) .*, got "):
        read_label_studio(path, image_sizes={"a.jpg": size}).read_all()
    sizes: Any = {"a.jpg": (np.int64(5), 7)}
    found = read_label_studio(path, image_sizes=sizes).read_all()
    assert (found["image_height"].to_pylist(), found["image_width"].to_pylist()) == ([5], [7])


def test_bare_numbers_tell_which_export_to_take(tmp_path: Path) -> None:
    path = written(tmp_path, [task(predictions=[7], annotations=[{"result": [GOOD]}])])
    with pytest.raises(InputError, match=r"fields=all.*only_id.*annotations.*got 7"):
        read_label_studio(path).read_all()
    assert read_label_studio(path, what="annotations").read_all().num_rows == 1


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        ({"result": "Airbus"}, ".result"),
        ({"result": None}, ".result"),
        ({"model_version": "a"}, ".result"),
        ({"result": [], "score": "high"}, ".score"),
        ({"result": [], "score": True}, ".score"),
    ],
)
def test_odd_predictions_are_refused_alone(tmp_path: Path, entry: Json, where: str) -> None:
    path = written(tmp_path, [task(predictions=[{"result": [GOOD]}, entry])])
    reader = read_label_studio(path, on_error="skip")
    assert reader.read_all().num_rows == 1
    (problem,) = reader.report.problems
    assert problem.pointer == f"$[0].predictions[1]{where}"


def test_media_that_cannot_be_told_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, [task(GOOD, data={"a": "1.jpg", "b": "2.jpg"}), task(GOOD, data=5), task(GOOD)])
    reader = read_label_studio(path, on_error="skip")
    assert reader.read_all().num_rows == 1
    codes = [(problem.code, problem.pointer) for problem in reader.report.problems]
    assert codes == [(Code.AMBIGUOUS_DATA_UNIT, "$[0].data"), (Code.BAD_VALUE, "$[1].data")]
    assert "data_key=" in reader.report.problems[0].message
    with pytest.raises(InputError, match="'c'"):
        read_label_studio(path, data_key="c").read_all()


FLAGGED: list[tuple[list[Json], str]] = [
    ([{**GOOD, "id": 5}], "id that is no text"),
    ([{**GOOD, "type": "Rectangle"}], "type that is not in small letters"),
    ([{**GOOD, "type": "box"}], ""),
    ([result("novelty", {"novelty": 5})], "type that is not known, kept in attributes"),
    ([{**GOOD, "score": 97}], "score beyond 0 to 1"),
    ([{**GOOD, "score": "0.5"}], "score that is text"),
    ([GOOD, GOOD], "geometries with an id that another geometry of the prediction has"),
]


@pytest.mark.parametrize(("results", "told"), FLAGGED)
def test_odd_regions_that_are_taken(tmp_path: Path, results: list[Json], told: str) -> None:
    reader = read_label_studio(written(tmp_path, [task(*results)]))
    assert reader.read_all().num_rows == len(results)
    assert reader.report.flagged == ({told: 1} if told else {})


def test_sequences_out_of_order_are_told(tmp_path: Path) -> None:
    entries = [{"frame": 5, **BOX}, {"frame": 2, **BOX}]
    reader = read_label_studio(written(tmp_path, [task(result("videorectangle", {"sequence": entries}, **SIZE))]))
    assert reader.read_all()["frame"].to_pylist() == [1, 4]
    assert reader.report.flagged == {"sequence whose frames do not ascend": 1}


def test_odd_numbers_are_kept_as_they_are(tmp_path: Path) -> None:
    path = written(tmp_path, [task({**GOOD, "id": 5, "score": "0.5"})])
    (row,) = read_label_studio(path).read_all().to_pylist()
    assert (row["object_id"], row["confidence"]) == ("5", 0.5)
    (entry,) = json.loads(row["attributes"])["label_studio"]["results"]
    assert (entry["id"], entry["score"]) == (5, "0.5")


def test_relations_stay_with_their_prediction(tmp_path: Path) -> None:
    relation = {"type": "relation", "from_id": "r", "to_id": "s", "direction": "right"}
    (row,) = read_label_studio(written(tmp_path, [task(GOOD, relation)])).read_all().to_pylist()
    assert json.loads(row["attributes"])["label_studio"]["prediction"] == {"results": [[1, relation]]}


PAGE: list[tuple[str, list[Json]]] = [
    ("keypoint of a control called rect", [result("keypointlabels", {"x": 1, "y": 2, "width": 3}, **SIZE)]),
    (
        "span of a control that the config lacks",
        [
            result("labels", {"start": 135, "end": 144, "text": "motorbike", "labels": ["ORG"]}),
            result("textarea", {"start": 135, "end": 144, "text": ["yay"]}),
        ],
    ),
]


@pytest.mark.parametrize(("name", "results"), PAGE)
def test_controls_that_configs_lack_are_read(tmp_path: Path, name: str, results: list[Json]) -> None:
    assert name
    config = '<View><Image name="media" value="$media"/><RectangleLabels name="other" toName="media"/></View>'
    assert read_label_studio(written(tmp_path, [task(*results)]), config=config).read_all().num_rows == 1


@pytest.mark.parametrize(
    "options", [{"what": "all of it"}, {"threshold": 0}, {"threshold": 256}, {"threshold": 0.5}, {"workers": 0}]
)
def test_odd_options(tmp_path: Path, options: Any) -> None:
    path = written(tmp_path, [task(GOOD)])
    with pytest.raises(PredarrowError, match=next(iter(options))):
        read_label_studio(path, **options)


def test_a_file_of_a_config_is_no_file_of_tasks() -> None:
    path = corpus_path("label_studio", "sdk_test_export_json_min_label_config_repeater.json")
    with pytest.raises(InputError, match="must be tasks"):
        read_label_studio(path).read_all()
