"""Label Studio's regions in the columns of the prediction table."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from predarrow import LabelingConfig, read_label_studio
from predarrow_engine import rle
from predarrow_engine.brush import encode
from tests.label_studio_tasks import data_url

Json = dict[str, Any]
SIZE = {"original_width": 200, "original_height": 100}


def result(type_: str, value: Any, **members: Any) -> Json:
    return {"id": "r", "from_name": "control", "to_name": "media", "type": type_, "value": value, **members}


def read(tmp_path: Path, results: list[Json], data: Any = None, **options: Any) -> list[Json]:
    """Give the rows of one prediction."""
    task = {"data": {"media": "https://x/a.jpg"} if data is None else data, "predictions": [{"result": results}]}
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([task]))
    table = read_label_studio(path, **options).read_all()
    rows: list[Json] = table.to_pylist()
    for row in rows:
        row["attributes"] = json.loads(row["attributes"])
    return rows


def one(tmp_path: Path, *results: Json, **options: Any) -> Json:
    (row,) = read(tmp_path, list(results), **options)
    return row


BOX = {"x": 10, "y": 20, "width": 30, "height": 40}


def test_boxes_are_corners_in_pixels(tmp_path: Path) -> None:
    row = one(tmp_path, result("rectanglelabels", {**BOX, "rectanglelabels": ["Car"]}, score=0.5, **SIZE))
    assert row["kind"] == "bbox"
    assert row["bbox"] == {"xmin": 20.0, "ymin": 20.0, "xmax": 80.0, "ymax": 60.0}
    assert (row["data_unit"], row["frame"], row["object_id"], row["class_name"]) == ("https://x/a.jpg", 0, "r", "Car")
    assert (row["confidence"], row["image_height"], row["image_width"], row["row"]) == (0.5, 100, 200, 0)


def test_boxes_turn_about_their_corner_in_pixels(tmp_path: Path) -> None:
    row = one(tmp_path, result("rectangle", {**BOX, "rotation": 90}, **SIZE))
    assert (row["kind"], row["rotation"]) == ("rotated_bbox", 90.0)
    # Width 60 points down from (20, 20), height 40 to the left: the centre is (0, 50).
    assert row["bbox"] == {"xmin": -30.0, "ymin": 30.0, "xmax": 30.0, "ymax": 70.0}


def test_ellipses_have_their_centre(tmp_path: Path) -> None:
    row = one(
        tmp_path, result("ellipselabels", {"x": 50, "y": 50, "radiusX": 10, "radiusY": 5, "rotation": 30}, **SIZE)
    )
    assert (row["kind"], row["rotation"], row["class_name"]) == ("ellipse", 30.0, "")
    assert row["bbox"] == {"xmin": 80.0, "ymin": 45.0, "xmax": 120.0, "ymax": 55.0}


def test_polygons_and_lines(tmp_path: Path) -> None:
    points = [[0, 0], [50, 0], [50, 50]]
    row = one(tmp_path, result("polygonlabels", {"points": points, "polygonlabels": ["a", "b"]}, **SIZE))
    assert row["polygon"] == [[[{"x": 0.0, "y": 0.0}, {"x": 100.0, "y": 0.0}, {"x": 100.0, "y": 50.0}]]]
    assert (row["kind"], row["class_name"], row["attributes"]["labels"]) == ("polygon", "a", ["a", "b"])
    vertices = [{"id": str(x), "x": x, "y": y, "isBezier": False} for x, y in points]
    kinds = [
        one(tmp_path, result("vectorlabels", {"vertices": vertices, **closed}, **SIZE))["kind"]
        for closed in ({}, {"closed": False}, {"closed": True})
    ]
    assert kinds == ["polyline", "polyline", "polygon"]


def test_keypoints_keep_their_width(tmp_path: Path) -> None:
    row = one(tmp_path, result("keypointlabels", {"x": 50, "y": 10, "width": 0.5, "keypointlabels": ["nose"]}, **SIZE))
    assert row["keypoints"] == [{"name": None, "x": 100.0, "y": 10.0, "visibility": None}]
    assert (row["class_name"], row["attributes"]["keypoint_width"]) == ("nose", 0.5)


PIXELS = np.zeros((100, 200), np.bool_)
PIXELS[10:20, 30:50] = True
PIXELS[12:15, 33:40] = False


def brush(alpha: np.ndarray[Any, Any]) -> list[int]:
    """Give an image as run lengths of literal bytes and repeated ones: what a hand-drawn stroke may have."""
    values = np.repeat(alpha.ravel(), 4)
    bits = [f"{values.size:032b}", "00111", "0010", "0011", "0111", "1111"]
    edges = np.flatnonzero(np.diff(values)) + 1
    for run in np.split(values, edges):
        for start in range(0, run.size, 65536):
            piece = run[start : start + 65536]
            bits.append(f"111{piece.size - 1:016b}{piece[0]:08b}")
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return [int(text[place : place + 8], 2) for place in range(0, len(text), 8)]


@pytest.mark.parametrize("form", ["rle", "url"])
def test_masks_are_alpha_from_the_threshold(tmp_path: Path, form: str) -> None:
    alpha = np.where(PIXELS, 255, 0).astype(np.uint8)
    alpha[0, :5] = [1, 100, 127, 128, 254]
    if form == "rle":
        given = result("brushlabels", {"format": "rle", "rle": brush(alpha), "brushlabels": ["a"]}, **SIZE)
    else:
        given = result("bitmasklabels", {"imageDataURL": data_url(alpha), "bitmasklabels": ["a"]}, **SIZE)
    for threshold in (1, 128, 255):
        row = one(tmp_path, given, threshold=threshold)
        assert (row["kind"], row["mask"]["height"], row["mask"]["width"]) == ("bitmask", 100, 200)
        assert row["mask"]["counts"] == rle.encode(alpha >= threshold).counts.tobytes()
    assert row["bbox"] == {"xmin": 30.0, "ymin": 10.0, "xmax": 50.0, "ymax": 20.0}
    path = tmp_path / "tasks.json"
    reader = read_label_studio(path)
    assert reader.read_all().num_rows == 1
    assert reader.report.flagged == {"mask with values between transparent and opaque, cut at the threshold": 1}


def test_images_tell_their_size_themselves(tmp_path: Path) -> None:
    url = data_url(np.where(PIXELS, 255, 0).astype(np.uint8))
    row = one(tmp_path, result("bitmask", {"imageDataURL": url}))
    assert (row["image_height"], row["image_width"]) == (100, 200)
    assert row["mask"]["counts"] == rle.encode(PIXELS).counts.tobytes()


def test_sequences_are_one_row_for_each_entry(tmp_path: Path) -> None:
    entries = [
        {"frame": 1, "time": 0.04, "enabled": True, "rotation": 0, **BOX},
        {"frame": 5, "time": 0.2, "enabled": False, "rotation": 45, "score": 0.25, **BOX},
    ]
    value = {"framesCount": 9, "duration": 0.4, "sequence": entries, "labels": ["Car"]}
    rows = read(tmp_path, [result("videorectangle", value, score=0.75, **SIZE)])
    assert [(row["frame"], row["kind"], row["confidence"]) for row in rows] == [
        (0, "bbox", 0.75),
        (4, "rotated_bbox", 0.25),
    ]
    assert {row["class_name"] for row in rows} == {"Car"}
    kept = [row["attributes"]["label_studio"] for row in rows]
    assert kept[0]["sequence"] == {"framesCount": 9, "duration": 0.4}
    assert "sequence" not in kept[1]
    assert kept[1]["at"] == [0, 0, 0]
    assert kept[1]["value"] == {"time": 0.2, "enabled": False}


@pytest.mark.parametrize(
    ("type_", "value", "ranges"),
    [
        ("labels", {"start": 4, "end": 9, "text": "Hello"}, [[4, 9]]),
        ("labels", {"start": 1.5, "end": 2.25, "channel": 0}, [[1.5, 2.25]]),
        ("labels", {"start": "4", "end": "9"}, [{"start": "4", "end": "9"}]),
        (
            "hypertextlabels",
            {"start": "/p[1]", "end": "/p[1]", "startOffset": 1, "endOffset": 2},
            [{"start": "/p[1]", "end": "/p[1]", "startOffset": 1, "endOffset": 2}],
        ),
        ("timelinelabels", {"ranges": [{"start": 1, "end": 5}, {"start": 7, "end": 7}]}, [[1, 5], [7, 7]]),
        ("timeserieslabels", {"start": 9, "end": 4, "instant": False}, [{"start": 9, "end": 4}]),
    ],
)
def test_spans_have_ranges(tmp_path: Path, type_: str, value: Json, ranges: list[Any]) -> None:
    row = one(tmp_path, result(type_, {**value, type_: ["PER"]}))
    assert (row["kind"], row["class_name"], row["attributes"]["ranges"]) == ("span", "PER", ranges)
    assert row["image_width"] is None
    assert row["bbox"] is None


@pytest.mark.parametrize(
    ("type_", "value", "attribute"),
    [
        ("choices", {"choices": ["a"]}, {"choices": ["a"]}),
        ("taxonomy", {"taxonomy": [["a", "b"]]}, {"taxonomy": [["a", "b"]]}),
        ("rating", {"rating": 4}, {"rating": 4}),
        ("textarea", {"text": ["so"]}, {"text": ["so"]}),
        ("pairwise", {"selected": "left"}, {"selected": "left"}),
        ("ranker", {"ranker": {"a": ["1"]}}, {"ranker": {"a": ["1"]}}),
        ("chatmessage", {"role": "user", "content": "so"}, {"chatmessage": {"role": "user", "content": "so"}}),
    ],
)
def test_controls_of_the_whole_task_are_classifications(
    tmp_path: Path, type_: str, value: Json, attribute: Json
) -> None:
    row = one(tmp_path, result(type_, value))
    assert (row["kind"], row["class_name"]) == ("classification", "control")
    assert attribute.items() <= row["attributes"].items()


def test_results_of_one_id_are_one_region(tmp_path: Path) -> None:
    geometry = {**BOX, "rotation": 0}
    row = one(
        tmp_path,
        result("rectangle", geometry, score=0.5, **SIZE),
        result("labels", {**geometry, "labels": ["Text"]}, score=0.5, **SIZE),
        result("textarea", {**geometry, "text": ["one", "two"]}, **SIZE),
    )
    assert (row["kind"], row["class_name"], row["attributes"]["text"]) == ("bbox", "Text", ["one", "two"])
    types = [each["type"] for each in row["attributes"]["label_studio"]["results"]]
    assert types == ["rectangle", "labels", "textarea"]
    assert row["attributes"]["label_studio"]["results"][2]["without"] == ["score"]


def test_transcriptions_of_spans_join_them(tmp_path: Path) -> None:
    named = result("labels", {"start": 135, "end": 144, "text": "motorbike", "labels": ["ORG"]})
    row = one(tmp_path, named, result("textarea", {"start": 135, "end": 144, "text": ["yay"]}))
    assert (row["kind"], row["class_name"], row["attributes"]["text"]) == ("span", "ORG", ["yay"])
    assert row["attributes"]["label_studio"]["value"] == {"text": "motorbike"}


@pytest.mark.parametrize(
    ("region", "value", "prediction", "wanted"),
    [
        (0.5, 0.25, 0.125, (0.5, None)),
        (None, 0.25, 0.125, (0.25, "value")),
        (None, None, 0.125, (0.125, "prediction")),
        (None, None, None, (None, None)),
    ],
)
def test_scores_stand_in_three_places(
    tmp_path: Path, region: float | None, value: float | None, prediction: float | None, wanted: Any
) -> None:
    scored = {} if value is None else {"score": value}
    given = result("labels", {"start": 1, "end": 2, "labels": ["a"], **scored})
    if region is not None:
        given["score"] = region
    path = tmp_path / "tasks.json"
    path.write_text(
        json.dumps([{"data": {"media": "a.wav"}, "predictions": [{"result": [given], "score": prediction}]}])
    )
    (row,) = read_label_studio(path).read_all().to_pylist()
    kept = json.loads(row["attributes"])["label_studio"]
    assert (row["confidence"], kept.get("score")) == wanted


CONFIG = '<View><Image name="media" value="$url"/><Choices name="c" toName="media"><Choice value="a"/></Choices></View>'


@pytest.mark.parametrize(
    ("data", "options", "wanted"),
    [
        ({"media": "https://x/a.jpg", "other": "b"}, {}, "https://x/a.jpg"),
        ({"url": "https://x/a.jpg"}, {}, "https://x/a.jpg"),
        ({"url": "a.jpg", "media": "b.jpg"}, {"data_key": "url"}, "a.jpg"),
        ({"url": "a.jpg", "media": "b.jpg"}, {"config": CONFIG}, "a.jpg"),
        ({"url": "a.jpg", "media": "b.jpg"}, {"config": LabelingConfig.parse(CONFIG)}, "a.jpg"),
        ({"media": "two\nlines"}, {}, "7"),
        ({"media": "x" * 2049}, {}, "7"),
        ({"media": 5}, {}, "7"),
    ],
)
def test_data_units_are_media(tmp_path: Path, data: Json, options: Json, wanted: str) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(
        json.dumps({"id": 7, "data": data, "predictions": [{"result": [result("choices", {"choices": ["a"]})]}]})
    )
    (name,) = read_label_studio(path, **options).read_all()["data_unit"].to_pylist()
    assert name == wanted


def test_texts_to_be_labelled_are_no_names(tmp_path: Path) -> None:
    row = one(tmp_path, result("labels", {"start": 0, "end": 3, "text": "The"}), data={"media": "The cat"})
    assert row["data_unit"] == "task 0"


def _envelopes() -> list[tuple[str, Any]]:
    results = [result("choices", {"choices": ["a"]})]
    task = {"data": {"media": "a.jpg"}, "predictions": [{"result": results}]}
    return [
        ("tasks.json", json.dumps([task])),
        ("tasks.json", json.dumps(task, indent=2)),
        ("tasks.json", json.dumps({"tasks": [task], "total": 1})),
        ("tasks.jsonl", json.dumps(task) + "\n\n" + json.dumps({"data": {"media": "b.jpg"}}) + "\n"),
        ("tasks.json", "\ufeff" + json.dumps([task])),
    ]


@pytest.mark.parametrize(("name", "text"), _envelopes())
@pytest.mark.parametrize("is_packed", [False, True])
def test_every_envelope_gives_the_same(tmp_path: Path, name: str, text: str, is_packed: bool) -> None:
    data = gzip.compress(text.encode()) if is_packed else text.encode()
    (tmp_path / f"{name}{'.gz' if is_packed else ''}").write_bytes(data)
    table = read_label_studio(tmp_path).read_all()
    assert table.select(["data_unit", "kind", "class_name"]).to_pylist() == [
        {"data_unit": "a.jpg", "kind": "classification", "class_name": "control"}
    ]


def test_predictions_may_stand_alone(tmp_path: Path) -> None:
    path = tmp_path / "predictions.json"
    each = {"model_version": "one", "result": [result("choices", {"choices": ["a"]})]}
    path.write_text(json.dumps([{"id": 1, "task": 12, **each}, each]))
    assert read_label_studio(path).read_all()["data_unit"].to_pylist() == ["12", "task 1"]


def test_what_chooses_lists(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    entry = {"result": [result("choices", {"choices": ["a"]})]}
    task = {"data": {"media": "a.jpg"}, "predictions": [entry], "annotations": [entry, entry], "completions": [entry]}
    path.write_text(json.dumps([task]))

    def lists(what: Any) -> list[str]:
        texts = read_label_studio(path, what=what).read_all()["attributes"].to_pylist()
        return [json.loads(text)["label_studio"].get("list", "predictions") for text in texts]

    assert lists("predictions") == ["predictions"]
    assert lists("annotations") == ["annotations", "annotations", "completions"]
    assert lists("all") == ["predictions", "annotations", "annotations", "completions"]
    reader = read_label_studio(path, what="predictions")
    assert reader.read_all().num_rows == 1
    assert reader.report.skipped == {"annotations that were not asked for": 3}


def test_sizes_come_from_outside_where_regions_tell_none(tmp_path: Path) -> None:
    sizes = {"https://x/a.jpg": (100, 200)}
    row = one(tmp_path, result("rectangle", BOX), image_sizes=sizes)
    assert (row["bbox"]["xmax"], row["image_height"], row["image_width"]) == (80.0, 100, 200)
    row = one(tmp_path, result("rectangle", BOX, original_width=400, original_height=100), image_sizes=sizes)
    assert (row["bbox"]["xmax"], row["image_width"]) == (160.0, 400)


def test_workers_do_not_matter(tmp_path: Path) -> None:
    given = result("rectanglelabels", {**BOX, "rectanglelabels": ["Car"]}, **SIZE)
    for number in range(40):
        task = {"data": {"media": f"{39 - number}.jpg"}, "predictions": [{"result": [given]}]}
        (tmp_path / f"{number:02}.json").write_text(json.dumps([task]))
    one_worker, two = (read_label_studio(tmp_path, workers=workers).read_all() for workers in (1, 2))
    assert one_worker.equals(two)
    names = one_worker["data_unit"].to_pylist()
    assert names == sorted(names)
    assert len(names) == 40


def test_nothing_is_a_table_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text("[]")
    assert read_label_studio(path).read_all().num_rows == 0
    path.write_text(json.dumps([{"data": {"media": "a.jpg"}, "predictions": []}]))
    reader = read_label_studio(path)
    assert isinstance(reader.read_all(), pa.Table)
    assert reader.report.skipped == {"task without a row": 1}


def test_brushes_of_the_editor_have_literal_chunks_too(tmp_path: Path) -> None:
    counts = rle.encode(PIXELS).counts
    plain = encode(counts, np.array([0, counts.size]), np.array([[100, 200]])).values.tolist()
    row = one(tmp_path, result("brush", {"format": "rle", "rle": plain}, **SIZE))
    assert row["mask"]["counts"] == counts.tobytes()


def test_predictions_of_two_models_and_an_image(tmp_path: Path) -> None:
    shared = {"image_rotation": 0, "original_width": 600, "original_height": 403, "to_name": "image"}
    box = {"rotation": 0, "x": 4.98, "y": 12.82, "width": 32.52, "height": 44.91, "rectanglelabels": ["Airplane"]}
    results = [
        {**shared, "id": "result1", "type": "rectanglelabels", "from_name": "label", "value": box},
        {
            "id": "result3",
            "type": "choices",
            "from_name": "choice",
            "to_name": "image",
            "value": {"choices": ["Airbus"]},
        },
    ]
    models = [
        {"model_version": name, "score": score, "result": results} for name, score in (("one", 0.5), ("two", 0.25))
    ]
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([{"data": {"image": "/static/samples/sample.jpg"}, "predictions": models}]))
    rows = read_label_studio(path).read_all().to_pylist()
    told = [(row["kind"], row["class_name"], row["confidence"]) for row in rows]
    assert told == [
        ("bbox", "Airplane", 0.5),
        ("classification", "choice", 0.5),
        ("bbox", "Airplane", 0.25),
        ("classification", "choice", 0.25),
    ]
    attributes = [json.loads(row["attributes"]) for row in rows]
    assert [each["model_version"] for each in attributes] == ["one", "one", "two", "two"]
    assert [each["label_studio"].get("prediction") for each in attributes] == [
        {"score": 0.5},
        None,
        {"score": 0.25},
        None,
    ]
    assert attributes[1]["choices"] == ["Airbus"]
