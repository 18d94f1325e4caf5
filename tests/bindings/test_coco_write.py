from __future__ import annotations

import contextlib
import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from predarrow.errors import InputError, OutputError, PredarrowError
from predarrow.formats.coco.annotations import write_coco_annotations
from predarrow.formats.coco.read import read_coco
from predarrow.formats.coco.write import write_coco_results
from predarrow.formats.masks import from_label_mask
from predarrow.formats.write_text import sizes_between
from predarrow.report import Code
from predarrow.table import SCHEMA
from tests.corpus import corpus_path
from tests.naive_rle import decode

_BOX = {"xmin": 1.0, "ymin": 2.0, "xmax": 4.5, "ymax": 4.0}
_SQUARE = [[[{"x": 1, "y": 1}, {"x": 3.25, "y": 1}, {"x": 3.25, "y": 3}, {"x": 1, "y": 3}]]]
_HOLE = [{"x": 1.5, "y": 1.5}, {"x": 2, "y": 1.5}, {"x": 2, "y": 2}]
_STRING = coco_mask.encode(np.asfortranarray(np.eye(4, 5, dtype=np.uint8)))["counts"]
_MASK = {"height": 4, "width": 5, "counts": _STRING}
_POINTS = [{"name": "nose", "x": 1.5, "y": 2, "visibility": 2}, {"name": "eye", "x": 0, "y": 0, "visibility": 0}]


def _table(*rows: dict[str, Any]) -> pa.Table:
    plain = {"data_unit": "7", "frame": 0, "class_name": "3", "kind": "bbox", "bbox": _BOX, "confidence": 0.5}
    return pa.Table.from_pylist([plain | row for row in rows], SCHEMA)


def _written(path: Path, table: Any, **options: Any) -> Any:
    write_coco_results(table, path, overwrite=True, **options)
    return json.loads(path.read_text())


def _results_table(records: list[dict[str, Any]]) -> pa.Table:
    """Records of results as rows, the slow way."""
    rows = []
    for record in records:
        row: dict[str, Any] = {"data_unit": str(record["image_id"]), "class_name": str(record["category_id"])}
        row |= {"confidence": record["score"], "bbox": None}
        if "bbox" in record:
            x, y, w, h = record["bbox"]
            row["bbox"] = {"xmin": x, "ymin": y, "xmax": x + w, "ymax": y + h}
        if "segmentation" in record:
            height, width = record["segmentation"]["size"]
            counts = record["segmentation"]["counts"].encode()
            row |= {"kind": "bitmask", "mask": {"height": height, "width": width, "counts": counts}}
        rows.append(row)
    return _table(*rows)


def _stats(truth: Path, results: Path, kind: str) -> list[float]:
    with contextlib.redirect_stdout(io.StringIO()):
        data = COCO(str(truth))
        evaluation = COCOeval(data, data.loadRes(str(results)), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(value) for value in evaluation.stats]


@pytest.mark.parametrize(("kind", "precision"), [("bbox", 0.5046), ("segm", 0.3195)])
def test_average_precision_of_what_is_written_is_that_of_the_original(
    tmp_path: Path, kind: str, precision: float
) -> None:
    truth = corpus_path("coco_annotations", "instances_val2014_100.json")
    original = corpus_path("coco_results", f"instances_val2014_fake{kind}100_results.json")
    records = json.loads(original.read_text())
    assert _written(tmp_path / "a.json", _results_table(records)) == records
    stats = _stats(truth, tmp_path / "a.json", kind)
    assert stats == _stats(truth, original, kind)
    assert round(stats[0], 4) == precision


def test_annotations_come_back_as_they_were(tmp_path: Path) -> None:
    data = json.loads(corpus_path("coco_annotations", "instances_val2014_100.json").read_text())
    images = {image["id"]: image for image in data["images"]}
    names = {category["id"]: category["name"] for category in data["categories"]}
    rows = []
    for record in data["annotations"]:
        image, segmentation = images[record["image_id"]], record["segmentation"]
        x, y, w, h = record["bbox"]
        own = {key: record[key] for key in ("id", "area", "iscrowd")}
        row: dict[str, Any] = {"data_unit": image["file_name"], "class_name": names[record["category_id"]]}
        row |= {"bbox": {"xmin": x, "ymin": y, "xmax": x + w, "ymax": y + h}, "confidence": None}
        row |= {"attributes": json.dumps(own), "image_height": image["height"], "image_width": image["width"]}
        if isinstance(segmentation, list):
            rings = [[{"x": ring[i], "y": ring[i + 1]} for i in range(0, len(ring), 2)] for ring in segmentation]
            row |= {"kind": "polygon", "polygon": [[ring] for ring in rings]}
        else:
            string = coco_mask.frPyObjects(segmentation, *segmentation["size"])["counts"]
            row |= {"kind": "bitmask", "mask": {"height": image["height"], "width": image["width"], "counts": string}}
        rows.append(row)
    image_ids = {image["file_name"]: number for number, image in images.items()}
    category_ids = {name: number for number, name in names.items()}
    path = tmp_path / "a.json.gz"
    result = write_coco_annotations(_table(*rows), path, image_ids=image_ids, category_ids=category_ids)
    again = json.loads(gzip.decompress(path.read_bytes()))
    assert [_without_masks(record) for record in again["annotations"]] == [
        _without_masks(record) for record in data["annotations"]
    ]
    assert {image["id"]: image["file_name"] for image in again["images"]}.items() <= {
        number: image["file_name"] for number, image in images.items()
    }.items()
    assert result.category_ids == category_ids
    assert (result.rows, dict(result.report.flagged)) == (len(rows), {})


def _without_masks(record: dict[str, Any]) -> dict[str, Any]:
    segmentation = record["segmentation"]
    if isinstance(segmentation, list):
        return record
    counts = segmentation["counts"]
    if isinstance(counts, list):
        counts = coco_mask.frPyObjects(segmentation, *segmentation["size"])["counts"].decode()
    return record | {"segmentation": {"size": segmentation["size"], "counts": counts}}


def test_records_have_what_rows_hold(tmp_path: Path) -> None:
    table = _table(
        {},
        {"kind": "polygon", "polygon": _SQUARE, "object_id": "t1"},
        {"kind": "bitmask", "mask": _MASK},
        {"kind": "keypoints", "keypoints": _POINTS, "attributes": '{"area": 2.50, "x": null}'},
    )
    head = {"image_id": 7, "category_id": 3}
    tail = {"bbox": [1, 2, 3.5, 2], "score": 0.5}
    assert _written(tmp_path / "a.json", table) == [
        head | tail,
        head | tail | {"segmentation": [[1, 1, 3.25, 1, 3.25, 3, 1, 3]], "track_id": "t1"},
        head | tail | {"segmentation": {"size": [4, 5], "counts": _STRING.decode()}},
        head | tail | {"keypoints": [1.5, 2, 2, 0, 0, 0], "area": 2.5, "x": None},
    ]


def test_a_file_that_begins_with_a_mask_has_masks_only(tmp_path: Path) -> None:
    size: dict[str, Any] = {"image_height": 4, "image_width": 5}
    rows: list[dict[str, Any]] = [{"kind": "bitmask", "mask": _MASK}, {"kind": "polygon", "polygon": _SQUARE} | size]
    result = write_coco_results(_table(*rows), tmp_path / "a.json")
    records = json.loads((tmp_path / "a.json").read_text())
    assert [sorted(record) for record in records] == [["category_id", "image_id", "score", "segmentation"]] * 2
    assert decode(records[1]["segmentation"]["counts"].encode(), 4, 5).sum() == 4
    assert dict(result.report.flagged) == {"polygon written as a mask, as the file's first record is one": 1}


@pytest.mark.parametrize(
    ("kind", "keys"), [("bbox", {"bbox"}), ("segm", {"segmentation"}), ("keypoints", {"keypoints"})]
)
def test_one_kind_is_written_on_request(tmp_path: Path, kind: str, keys: set[str]) -> None:
    table = _table({"kind": "bitmask", "mask": _MASK, "keypoints": _POINTS})
    (record,) = _written(tmp_path / "a.json", table, kind=kind)
    assert record.keys() == {"image_id", "category_id", "score"} | keys


def test_masks_with_holes_come_back_through_pycocotools(tmp_path: Path) -> None:
    mask = np.random.default_rng(1).integers(0, 3, (40, 30)).astype(np.uint8)
    table = from_label_mask(mask, data_unit="5", classes={1: "1", 2: "2"})
    for write in (write_coco_results, write_coco_annotations):
        write(table, tmp_path / "a.json", overwrite=True)
        loaded = json.loads((tmp_path / "a.json").read_text())
        records = loaded if isinstance(loaded, list) else loaded["annotations"]
        painted = np.zeros_like(mask)
        for record in records:
            found = record["segmentation"]
            if isinstance(found, list):
                counts = coco_mask.merge(coco_mask.frPyObjects(found, 40, 30))["counts"]
            else:
                counts = found["counts"].encode()
            painted += decode(counts, 40, 30) * np.uint8(record["category_id"])
        assert np.array_equal(painted, mask)


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        ([{"confidence": None}], Code.CANNOT_HOLD, "confidence"),
        ([{"confidence": float("nan")}], Code.BAD_NUMBER, "finite"),
        ([{"rotation": 30.0}], Code.CANNOT_HOLD, "30.0 degrees"),
        ([{"rotation": float("inf"), "kind": "rotated_bbox"}], Code.BAD_NUMBER, "rotation: must be finite"),
        ([{"bbox": None}], Code.CANNOT_HOLD, "got a bbox without one"),
        ([{"bbox": _BOX | {"xmax": 0.0}}], Code.BAD_BOX, "in order"),
        ([{"frame": 2}], Code.CANNOT_HOLD, "image_ids"),
        ([{}, {"data_unit": "a.jpg"}], Code.CANNOT_HOLD, "'a.jpg' frame 0"),
        ([{}, {"class_name": "car"}], Code.UNKNOWN_CLASS, "category_ids"),
        ([{"kind": "bitmask", "mask": _MASK | {"counts": b"zz"}}], Code.BAD_TABLE, "run lengths"),
        ([{"kind": "polygon", "polygon": [[*_SQUARE[0], _HOLE]]}], Code.SIZE_UNKNOWN, "image_height"),
        ([{"kind": "polygon", "polygon": [[_HOLE[:2]]]}], Code.BAD_TABLE, "3 vertices"),
        ([{"attributes": "[1]"}], Code.BAD_TABLE, "JSON object"),
        ([{"keypoints": [{"x": None, "y": 1, "visibility": 1}]}], Code.BAD_TABLE, "x and y"),
    ],
)
def test_what_results_cannot_hold_is_refused(
    tmp_path: Path, rows: list[dict[str, Any]], code: Code, words: str
) -> None:
    with pytest.raises(InputError, match=words) as error:
        write_coco_results(_table(*rows), tmp_path / "a.json")
    assert [problem.code for problem in error.value.problems] == [code]
    assert list(tmp_path.iterdir()) == []
    result = write_coco_results(_table(*rows, {"data_unit": "8"}), tmp_path / "a.json", on_error="skip")
    assert (result.rows, result.report.rejected) == (len(rows), 1)


def test_ids_follow_the_first_name_or_are_told(tmp_path: Path) -> None:
    table = _table({"data_unit": "b.jpg", "class_name": "car"}, {"data_unit": "7", "class_name": "3"}, {"frame": 4})
    result = write_coco_results(table, tmp_path / "a.json")
    assert result.image_ids == {("b.jpg", 0): 1, ("7", 0): 2, ("7", 4): 3}
    assert result.category_ids == {"car": 1, "3": 2}
    again = write_coco_results(table, tmp_path / "b.json", image_ids=result.image_ids, category_ids={"car": 9, "3": 9})
    assert [record["category_id"] for record in json.loads((tmp_path / "b.json").read_text())] == [9, 9, 9]
    assert again.image_ids == result.image_ids
    with pytest.raises(InputError, match="image_ids"):
        write_coco_results(table, tmp_path / "c.json", image_ids={"7": 1})


@pytest.mark.parametrize("options", [{"kind": "box"}, {"on_error": "x"}, {"image_ids": {"a": True}}])
def test_odd_options_are_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(PredarrowError, match=next(iter(options))):
        write_coco_results(_table({}), tmp_path / "a.json", **options)


def test_files_are_new_or_replaced_on_request(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(OutputError, match="overwrite"):
        write_coco_results(_table({}), path)
    with pytest.raises(InputError):
        write_coco_results(_table({"confidence": None}), path, overwrite=True)
    assert path.read_text() == "old"
    assert _written(path, _table()) == []
    with pytest.raises(OutputError, match=r"no folder/a\.json: cannot be written: No such file"):
        write_coco_results(_table({}), tmp_path / "no folder" / "a.json")


_DECIMALS = st.integers(-(10**6), 10**6).map(lambda number: number / 100)


@given(st.lists(st.tuples(_DECIMALS, st.integers(0, 10**6).map(lambda number: number / 100)), min_size=1))
def test_widths_of_two_decimals_come_back(boxes: list[tuple[float, float]]) -> None:
    low, size = np.array(boxes).T
    found, is_exact = sizes_between(low, low + size)
    assert np.array_equal(low + found, low + size)
    assert is_exact.all()
    assert all(len(repr(a)) <= len(repr(b)) for a, b in zip(found.tolist(), size.tolist(), strict=True))


@given(st.lists(st.tuples(*[st.floats(0, 1e6)] * 2), min_size=1))
def test_any_width_of_boxes_in_the_image_is_exact(boxes: list[tuple[float, float]]) -> None:
    low, size = np.array(boxes).T
    found, is_exact = sizes_between(low, low + size)
    assert is_exact.all()
    assert np.array_equal(low + found, low + size)


_NUMBER = st.floats(-1e30, 1e30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_NUMBER, st.floats(-(2.0**99), 2.0**99, width=32))
def test_any_number_comes_back_equal(tmp_path: Path, score: float, x: float) -> None:
    polygon = [[[{"x": x, "y": 1}, {"x": 0, "y": 1}, {"x": 0, "y": 2}]]]
    table = _table({"confidence": score, "kind": "polygon", "polygon": polygon})
    (record,) = _written(tmp_path / "a.json", table)
    assert record["score"] == score
    assert np.float32(record["segmentation"][0][0]) == np.float32(x)


def test_annotations_tell_images_categories_and_areas(tmp_path: Path) -> None:
    size: dict[str, Any] = {"image_height": 4, "image_width": 5, "confidence": None}
    rows: list[dict[str, Any]] = [
        {"data_unit": "a.jpg", "class_name": "car"} | size,
        {"data_unit": "film.mp4", "frame": 2, "class_name": "car", "kind": "polygon", "polygon": _SQUARE * 2},
        {"data_unit": "a.jpg", "class_name": "man", "kind": "keypoints", "keypoints": _POINTS} | size,
        {"data_unit": "a.jpg", "class_name": "car", "kind": "rotated_bbox", "rotation": 30.0} | size,
    ]
    path = tmp_path / "a.json"
    result = write_coco_annotations(_table(*rows), path)
    loaded = json.loads(path.read_text())
    assert loaded["images"] == [
        {"id": 1, "file_name": "a.jpg", "width": 5, "height": 4},
        {"id": 2, "file_name": "videos/film.mp4/2.jpg", "video_title": "film.mp4"},
    ]
    assert loaded["categories"] == [
        {"id": 1, "name": "car", "supercategory": ""},
        {"id": 2, "name": "man", "supercategory": "", "keypoints": ["nose", "eye"], "skeleton": []},
    ]
    found = [(item["id"], item["image_id"], item["area"], item.get("score")) for item in loaded["annotations"]]
    assert found == [(1, 1, 7, None), (2, 2, 9, 0.5), (3, 1, 7, None), (4, 1, 7, None)]
    assert loaded["annotations"][2]["num_keypoints"] == 1
    assert loaded["annotations"][3]["attributes"] == {"rotation": 30.0}
    assert dict(result.report.flagged) == {
        "image of unknown size, without width and height": 1,
        "rotation written as an attribute, which COCO's tools do not look at": 1,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        data = COCO(str(path))
    assert data.getImgIds(catIds=[2]) == [1]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"attributes": '{"id": 1}'}, {"attributes": '{"id": 1}'}], "stands once"),
        ([{"attributes": '{"id": 1}'}, {}], "stands once"),
        ([{}, {"attributes": '{"id": 1}'}], "in none"),
        ([{"attributes": '{"id": "1"}'}], "whole number"),
        ([{"image_height": 4, "image_width": 5}, {"image_height": 5, "image_width": 5}], "must be 5 x 4"),
        ([{"kind": "keypoints", "keypoints": [_POINTS[0] | {"visibility": None}]}], "visibility"),
        ([{"kind": "keypoints", "keypoints": _POINTS, "bbox": None}], "area"),
    ],
)
def test_what_annotations_cannot_hold_is_refused(tmp_path: Path, rows: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        write_coco_annotations(_table(*rows), tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


def test_keypoints_of_results_need_no_visibility(tmp_path: Path) -> None:
    table = _table({"kind": "keypoints", "keypoints": [_POINTS[0] | {"visibility": None}]})
    result = write_coco_results(table, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text())[0]["keypoints"] == [1.5, 2, 1]
    assert dict(result.report.flagged) == {"keypoint without a visibility written with 1, as COCO asks of results": 1}


def test_keypoints_keep_their_polygon(tmp_path: Path) -> None:
    (record,) = _written(tmp_path / "a.json", _table({"kind": "keypoints", "keypoints": _POINTS, "polygon": _SQUARE}))
    assert {"keypoints", "segmentation", "bbox"} <= record.keys()
    with pytest.raises(InputError, match="polyline without one"):
        write_coco_results(_table({"kind": "polyline", "polygon": _SQUARE}), tmp_path / "b.json", kind="segm")


@pytest.mark.parametrize(
    "name",
    [
        "coco_results/instances_val2014_fakesegm100_results.json",
        "coco_results/person_keypoints_val2014_fakekeypoints100_results.json",
        "coco_results/mmdet_persons_bbox.json",
        "coco_results/fce_dt_dataset.json",
        "coco_annotations/instances_val2014_100.json",
        "coco_annotations/fce_gt_dataset.json",
        "coco_annotations/labelformat_instances.json",
        "coco_annotations/datumaro_person_keypoints_val.json",
    ],
)
def test_what_was_read_is_written_and_read_again(tmp_path: Path, name: str) -> None:
    table = read_coco(corpus_path(*name.split("/"))).read_all()
    write = write_coco_results if name.startswith("coco_results") else write_coco_annotations
    result = write(table, tmp_path / "a.json")
    again = read_coco(tmp_path / "a.json").read_all()
    assert _comparable(again) == _comparable(table)
    assert dict(result.report.flagged) == {}


def _comparable(table: pa.Table) -> list[dict[str, Any]]:
    """Rows with their attributes as values, without the names of files."""
    rows = table.drop_columns(["source"]).to_pylist()
    return [row | {"attributes": json.loads(row["attributes"] or "{}")} for row in rows]


@pytest.mark.parametrize("name", ["o.jsonl", "o.jsonl.gz", "O.NDJSON"])
@pytest.mark.parametrize("n", [0, 1, 5000])
def test_results_are_lines_where_the_name_says_so(tmp_path: Path, name: str, n: int) -> None:
    records = [{"image_id": i, "category_id": 1, "bbox": [i, 2, 3, 4], "score": 0.5, "a": "é,\n"} for i in range(n)]
    (tmp_path / "in.json").write_text(json.dumps(records, ensure_ascii=False), "utf-8")
    table = read_coco(tmp_path / "in.json").read_all()
    write_coco_results(table, tmp_path / name)
    content = (tmp_path / name).read_bytes()
    lines = (gzip.decompress(content) if name.endswith(".gz") else content).decode().splitlines()
    assert [json.loads(line) for line in lines if line] == records
    assert read_coco(tmp_path / name).read_all().drop(["source"]).equals(table.drop(["source"]))
    with pytest.raises(OutputError, match="must not have a name of JSON Lines, as a data set is one JSON object"):
        write_coco_annotations(table, tmp_path / f"a{name}")
