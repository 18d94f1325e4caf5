"""What is written, held against Encord's own SDK; without a connection."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from predarrow.data_units import DataUnits
from predarrow.formats.encord.read import read_label_rows
from predarrow.formats.encord.write import write_label_rows
from predarrow.ontology import Ontology
from predarrow.table import SCHEMA
from tests import encord_rows

pytest.importorskip("encord")

Row = dict[str, Any]

_MADE = (encord_rows.image_row, encord_rows.group_row, encord_rows.video_row)
_ALL = (*_MADE, encord_rows.audio_row, encord_rows.text_row)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was asked for")

    monkeypatch.setattr(socket, "socket", refuse)


def ontology() -> Ontology:
    return Ontology.from_dict(encord_rows.structure())


def written(table: Any, path: Path, **options: Any) -> list[Row]:
    write_label_rows(table, path / "rows.json", ontology=ontology(), overwrite=True, **options)
    rows: list[Row] = json.loads((path / "rows.json").read_text("utf-8"))
    return rows


def through_the_table(rows: Row | list[Row], path: Path, **options: Any) -> list[Row]:
    return written(read_label_rows(rows, ontology=ontology()).read_all(), path, **options)


def plain(row: Mapping[str, Any]) -> Row:
    """Give a label row as the newest SDK writes it: without what only older ones ask for."""
    result = encord_rows.comparable(row)
    for entry in result["object_actions"].values():
        for action in entry["actions"]:
            action.pop("trackHash", None)
    for unit in result["data_units"].values():
        labels = unit["labels"]
        frames = [labels] if "objects" in labels else list(labels.values())
        for frame in frames:
            frame["classifications"] = []
        if "objects" not in labels:
            unit["labels"] = {name: frame for name, frame in labels.items() if frame["objects"]}
    return result


@pytest.mark.parametrize("make", _ALL)
@pytest.mark.parametrize("seed", range(3))
def test_rows_of_the_sdk_come_back_equal(make: Callable[[int], Row], seed: int, tmp_path: Path) -> None:
    given = make(seed)
    (row,) = through_the_table(given, tmp_path)
    assert encord_rows.comparable(row) == encord_rows.comparable(given)


def test_many_rows_of_the_sdk_come_back_equal(tmp_path: Path) -> None:
    given = [make(seed) for seed in range(3) for make in _ALL]
    rows = {row["data_hash"]: encord_rows.comparable(row) for row in through_the_table(given, tmp_path)}
    assert rows == {row["data_hash"]: encord_rows.comparable(row) for row in given}


@pytest.mark.parametrize("make", _ALL)
def test_the_sdk_takes_what_is_written_for_older_ones(make: Callable[[int], Row], tmp_path: Path) -> None:
    given = make(7)
    (row,) = through_the_table(given, tmp_path, portable=True)
    assert encord_rows.comparable(encord_rows.rewritten(row)) == encord_rows.comparable(given)
    if make is encord_rows.video_row:
        assert all(action["trackHash"] for entry in row["object_actions"].values() for action in entry["actions"])
        on_frame = row["data_units"]["video-7"]["labels"]["195"]["classifications"]
        assert [entry["classificationHash"] for entry in on_frame] == [f"answer_{i}" for i in range(4)]
        assert on_frame[0].keys() >= {"createdBy", "createdAt", "featureHash", "name", "value", "confidence"}
    assert plain(row) == plain(given)


@pytest.mark.parametrize("make", _MADE)
def test_written_rows_read_as_the_same_table(make: Callable[[int], Row], tmp_path: Path) -> None:
    first = read_label_rows(make(5), ontology=ontology()).read_all()
    rows = written(first, tmp_path, portable=True)
    second = read_label_rows([encord_rows.rewritten(row) for row in rows], ontology=ontology()).read_all()
    # the SDK turns the actions round at each writing, and with them the dynamic answers of a frame
    names = [name for name in SCHEMA.names if name not in ("source", "attributes")]
    assert second.select(names).equals(first.select(names))


def test_platform_exports_are_written_so_that_the_sdk_takes_them(tmp_path: Path) -> None:
    given = encord_rows.image_row(3)
    exported = {key: value for key, value in given.items() if key != "branch_name"}
    exported |= {"is_image_sequence": False, "video_link": None, "is_valid": True}
    table = read_label_rows([exported], ontology=ontology()).read_all()
    result = write_label_rows(table, tmp_path / "rows.json", ontology=ontology())
    (row,) = json.loads((tmp_path / "rows.json").read_text("utf-8"))
    assert encord_rows.comparable(row) == encord_rows.comparable(exported | {"branch_name": "main"})
    assert encord_rows.comparable(encord_rows.rewritten(row)) == encord_rows.comparable(given)
    assert result.report.flagged["label row without branch_name written with main, as Encord's SDK asks for one"] == 1


_BOX = {"xmin": 8.0, "ymin": 3.5, "xmax": 21.25, "ymax": 30.0}
_RING = [{"x": 1.0, "y": 2.0}, {"x": 30.0, "y": 2.5}, {"x": 7.25, "y": 33.0}]
_HOLE = [{"x": 5.0, "y": 5.0}, {"x": 9.0, "y": 5.0}, {"x": 7.0, "y": 9.0}]
_JOINTS = [
    {"name": name, "x": 4.0 * i, "y": 9.5, "visibility": seen}
    for i, (name, seen) in enumerate([("top", 2), ("left", 1), ("right", None)])
]
_CRATE = {"front": [0.1, 0.1, 0.5, 0.1, 0.5, 0.5], "offset": {"x": 0.1, "y": -0.1}}
_FRONT = [{"x": x * 64, "y": y * 37} for x, y in ((0.1, 0.1), (0.5, 0.1), (0.5, 0.5))]
_MASK = {"height": 37, "width": 64, "counts": b"d08;2bS1"}

_SHAPES: list[Row] = [
    {"class_name": "Box", "kind": "bbox", "bbox": _BOX, "confidence": 0.25},
    {"class_name": "Box", "kind": "bbox", "bbox": _BOX, "object_id": 'track "42" é\\'},
    {"class_name": "Other type of fruit", "kind": "rotated_bbox", "bbox": _BOX, "rotation": -725.5},
    {"class_name": "Other type of fruit", "kind": "bbox", "bbox": _BOX},
    {"class_name": "Area", "kind": "polygon", "polygon": [[_RING, _HOLE], [_HOLE]]},
    {"class_name": "Branch", "kind": "polyline", "polygon": [[_RING[:2]]]},
    {"class_name": "Pedicel", "kind": "keypoints", "keypoints": _JOINTS[:1]},
    {"class_name": "Triangle", "kind": "skeleton", "keypoints": _JOINTS},
    {"class_name": "Ring", "kind": "circle", "bbox": _BOX, "rotation": 30.0},
    {"class_name": "Egg", "kind": "ellipse", "bbox": _BOX},
    {
        "class_name": "Crate",
        "kind": "cuboid_2d",
        "polygon": [[_FRONT]],
        "attributes": {"encord": {"coordinates": {"cuboid_2d": _CRATE}}},
    },
]


def _mask_row() -> Row:
    import numpy as np

    from predarrow_engine.rle import encode

    pixels = np.random.default_rng(3).random((37, 64)) < 0.4
    counts = encode(pixels.astype(np.uint8)).counts.tobytes()
    return {"class_name": "Berry", "kind": "bitmask", "mask": {"height": 37, "width": 64, "counts": counts}}


def table_of(rows: list[Row]) -> pa.Table:
    whole = []
    for number, row in enumerate(rows):
        made = {"data_unit": "unit", "frame": 0, "image_height": 37, "image_width": 64, "row": number} | row
        if isinstance(made.get("attributes"), dict):
            made["attributes"] = json.dumps(made["attributes"], ensure_ascii=False)
        whole.append(made)
    return pa.Table.from_pylist(whole, SCHEMA)


def test_predictions_of_every_kind_become_rows_that_the_sdk_takes(tmp_path: Path) -> None:
    (row,) = written(table_of([*_SHAPES, _mask_row()]), tmp_path)
    back = encord_rows.rewritten(row)
    for made in (row, back):
        for label in made["data_units"]["unit"]["labels"]["objects"]:
            for name in ("createdAt", "lastEditedAt"):  # the SDK's is the present
                label.pop(name, None)
    assert back == row
    objects = row["data_units"]["unit"]["labels"]["objects"]
    assert len({label["objectHash"] for label in objects}) == len(_SHAPES) + 1
    assert [label["shape"] for label in objects[:2]] == ["bounding_box"] * 2
    assert objects[0]["confidence"] == 0.25
    assert objects[0]["boundingBox"] == {"x": 0.125, "y": 3.5 / 37, "w": 13.25 / 64, "h": 26.5 / 37}
    assert objects[1]["objectHash"] == 'track "42" é\\'
    assert objects[7]["skeleton"]["0"] == {
        "x": 0.0,
        "y": 9.5 / 37,
        "name": "top",
        "color": "#00FF00",
        "featureHash": "point_0_",
        "value": "top",
        "visibility": "visible",
    }


def test_predictions_read_back_as_they_were(tmp_path: Path) -> None:
    given = table_of([*_SHAPES, _mask_row()])
    rows = written(given, tmp_path)
    back = read_label_rows([encord_rows.rewritten(rows[0])], ontology=ontology()).read_all()
    names = ["data_unit", "frame", "class_name", "bbox", "polygon", "keypoints", "mask", "image_height", "row"]
    one, other = given.select(names).to_pylist(), back.select(names).to_pylist()
    for before, after in zip(one, other, strict=True):
        if before["bbox"] is None:
            after["bbox"] = None  # the reader gives each shape its cover
    one[6]["keypoints"][0]["name"] = None  # a point of its own has none
    assert other == one


def test_answers_of_predictions_are_the_sdks(tmp_path: Path) -> None:
    from predarrow.ontology.answers import encoded

    known = ontology()
    box, fruit = known.object_by_name("Box"), known.classification_by_name("Many types of fruit?")
    up, down = (encoded(box, {"Pose": pose, "Speed": 3}).dynamic for pose in ("Up", "Down"))
    static = encoded(box, {"Ripe": "Yes", "How": "so", "Marks": ["Hole", "Spot"]}).static
    tracked: list[Row] = [
        {"frame": frame, "object_id": "a", "class_name": "Box", "kind": "bbox", "bbox": _BOX,
         "attributes": {"answers": static, "dynamic": dynamic}}
        for frame, dynamic in ((3, up), (4, up), (5, down), (9, up))
    ]  # fmt: skip
    answered: list[Row] = [
        {"frame": frame, "object_id": "b", "class_name": "Many types of fruit?", "kind": "classification",
         "confidence": score, "attributes": {"answers": encoded(fruit, {"Many types of fruit?": ["Kiwi"]}).static}}
        for frame, score in ((3, 0.5), (4, 0.5), (5, 0.75), (20, 0.5))
    ]  # fmt: skip
    everywhere: Row = {
        "class_name": "Usable",
        "kind": "classification",
        "object_id": "c",
        "attributes": {"global": True},
    }
    rows = sorted([*tracked, *answered, everywhere], key=lambda row: row.get("frame", 0))
    (row,) = written(table_of(rows), tmp_path)
    assert row["data_type"] == "video"
    back = encord_rows.rewritten(row)
    assert {key: len(entry["actions"]) for key, entry in back["object_actions"].items()} == {"a": 3}
    by_range = {str(action["range"]): action for action in back["object_actions"]["a"]["actions"]}
    assert by_range["[[3, 5], [9, 9]]"]["answers"] == 3
    assert by_range["[[3, 4], [9, 9]]"]["answers"][0]["name"] == "Up"
    assert by_range["[[5, 5]]"]["answers"][0]["name"] == "Down"
    assert back["object_answers"]["a"] == row["object_answers"]["a"]
    ranges = {key: (entry["range"], entry["confidence"]) for key, entry in back["classification_answers"].items()}
    others = {key for key in ranges if key not in ("b", "c")}
    assert ranges["b"] == ([[3, 4], [20, 20]], 0.5)
    assert ranges["c"] == ([], 1.0)
    assert [ranges[key] for key in others] == [([[5, 5]], 0.75)]


def test_data_units_tell_what_a_row_is_of(tmp_path: Path) -> None:
    units = DataUnits.from_table(
        {
            "id": ["clip", "group", "i0", "i1", "photo"],
            "title": ["Clip.mp4", "Group", "a.png", "b.jpg", "Photo.png"],
            "kind": ["video", "img_group", "image", "image", "image"],
            "width": [64, None, 64, 10, 64],
            "height": [37, None, 37, 20, 37],
            "n_frames": [400, None, 1, 1, 1],
            "fps": [30.0, None, None, None, None],
            "uri": ["s3://b/Clip.mp4", None, None, None, None],
            "group": [None, None, "group", "group", None],
            "sequence": [None, None, 0, 1, None],
        }
    )
    box: Row = {"class_name": "Box", "kind": "bbox", "bbox": {"xmin": 1.0, "ymin": 2.0, "xmax": 5.0, "ymax": 7.0}}
    unknown: Row = {"image_height": None, "image_width": None}
    rows: list[Row] = [
        {"data_unit": "clip", "frame": 0} | box | unknown,
        {"data_unit": "group", "frame": 1} | box | unknown,
        {"data_unit": "photo"} | box,
    ]
    clip, group, photo = written(table_of(rows), tmp_path, data_units=units)
    assert (clip["data_type"], group["data_type"], photo["data_type"]) == ("video", "img_group", "image")
    assert clip["data_units"]["clip"] | {"labels": {}} == {
        "data_hash": "clip",
        "data_title": "Clip.mp4",
        "data_link": "s3://b/Clip.mp4",
        "data_type": "video/mp4",
        "data_sequence": 0,
        "width": 64,
        "height": 37,
        "labels": {},
        "data_fps": 30.0,
        "data_duration": 400 / 30,
    }
    assert group["data_units"]["i1"]["labels"]["objects"][0]["boundingBox"] == {"x": 0.1, "y": 0.1, "w": 0.4, "h": 0.25}
    assert group["data_units"]["i0"]["labels"] == {"objects": [], "classifications": []}
    for row in (clip, group, photo):
        back = encord_rows.rewritten(row)
        assert back["data_units"].keys() == row["data_units"].keys()
        assert list(back["object_answers"]) == list(row["object_answers"])
