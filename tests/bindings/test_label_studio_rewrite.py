"""Label Studio's tasks, read and written again, are what they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from predarrow import read_label_studio, write_label_studio
from predarrow.table import SCHEMA
from tests import label_studio_tasks
from tests.corpus import corpus_path
from tests.label_studio_same import check_same, with_rows


def _again(table: pa.Table, folder: Path, **options: Any) -> list[Any]:
    """Write a table, and give the tasks."""
    result = write_label_studio(table, folder / "again.json", overwrite=True, **options)
    return [task for path in result.paths for task in json.loads(path.read_bytes())]


def _task(*results: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"data": {"image": "a.jpg"}, "predictions": [{"result": list(results), **members}]}


_BOX_VALUE = {"x": 1.5, "y": 2, "width": 30, "height": 4, "rotation": 0, "rectanglelabels": ["Car"]}


def _box(id_: str, **members: Any) -> dict[str, Any]:
    names = {"id": id_, "from_name": "box", "to_name": "image", "type": "rectanglelabels"}
    return {**names, "original_width": 640, "original_height": 480, "value": _BOX_VALUE, **members}


_PLACE = {"x": 10, "y": 20, "width": 5, "height": 6, "rotation": 12}
_SIZE = {"original_width": 640, "original_height": 480}
_TIME = {"ranges": [{"start": 1, "end": 5}]}
_MOVES = {"sequence": [{"frame": frame, "enabled": True, "time": 0.5, **_PLACE} for frame in (1, 4)], "framesCount": 9}

TASKS: dict[str, Any] = {
    "box": _task(_box("a")),
    "nulls": _task(
        _box("a", score=None, meta=None, parentID=None, value={**_BOX_VALUE, "rotation": None}),
        _box("b", readonly=None, item_index=None, value={**_BOX_VALUE, "rectanglelabels": None}),
    ),
    "order": _task(_box("b"), {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"}, _box("a")),
    "rest of a task": {"id": 7, "meta": {"a": [1]}, "annotations": [], **_task(_box("a"), score=0.5, id=3)},
    "two lists": {
        "annotations": [{"id": 1, "completed_by": 5, "result": [_box("a")]}, {"id": 2, "result": []}],
        "predictions": [{"model_version": "one", "result": [_box("a", score=0.25)]}, {"result": []}],
        "data": {"image": "a.jpg", "other": 1},
    },
    "labels of an answer": _task(
        {"id": "a", "from_name": "n", "to_name": "image", "type": "number", "value": {"number": 1}},
        {"id": "a", "from_name": "l", "to_name": "image", "type": "labels", "value": {"number": 1, "labels": ["Car"]}},
    ),
    "answer about a time": _task(
        {"id": "a", "from_name": "c", "to_name": "video", "type": "choices", "value": {"choices": ["x"], **_TIME}},
    ),
    "answer about what moves": _task(
        {"id": "a", "from_name": "c", "to_name": "video", "type": "choices", "value": {"choices": ["x"], **_MOVES}}
        | _SIZE,
    ),
    "models": {
        "data": {"image": "a.jpg"},
        "predictions": [{"model_version": name, "result": [_box("a")]} for name in ("one", "two", "one")],
    },
    "ocr": _task(
        {"id": "a", "from_name": "r", "to_name": "image", "type": "rectangle", **_SIZE, "value": _PLACE},
        {
            "id": "a",
            "from_name": "l",
            "to_name": "image",
            "type": "labels",
            **_SIZE,
            "value": {**_PLACE, "labels": ["T"]},
        },
        {
            "id": "a",
            "from_name": "t",
            "to_name": "image",
            "type": "textarea",
            **_SIZE,
            "value": {**_PLACE, "text": ["x"]},
        },
    ),
    "parts apart": _task(
        {"id": "a", "from_name": "r", "to_name": "image", "type": "rectangle", **_SIZE, "value": _PLACE},
        _box("b"),
        {
            "id": "a",
            "from_name": "t",
            "to_name": "image",
            "type": "textarea",
            **_SIZE,
            "value": {**_PLACE, "text": ["x"]},
        },
    ),
    "members": _task(_box("a", readonly=True, hidden=False, parentID="p", meta={"text": ["n"]}, odd=[1, {"b": None}])),
    "no rotation": _task(_box("a", value={"x": 1, "y": 2, "width": 3, "height": 4, "rectanglelabels": []})),
    "sequence": {
        "data": {"video": "0.mp4"},
        "predictions": [
            {
                "model_version": "m",
                "result": [
                    {
                        "id": id_,
                        "from_name": "box",
                        "to_name": "video",
                        "type": "videorectangle",
                        "value": {
                            "framesCount": 9,
                            "duration": 0.3,
                            "labels": ["Car"],
                            "sequence": [
                                {**_PLACE, "frame": frame, "time": frame / 30, "enabled": frame < 5}
                                for frame in (1, 3, 5)
                            ],
                        },
                    }
                    for id_ in ("a", "b")
                ],
            }
        ],
    },
}
_CAPITALS = json.dumps(TASKS["sequence"]).replace("videorectangle", "VideoRectangle")
TASKS["sequence of a type in capitals"] = json.loads(_CAPITALS)


@pytest.mark.parametrize("name", TASKS)
def test_tasks_are_written_as_they_were_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([TASKS[name], _task(_box("z"))]))
    table = read_label_studio(path, image_sizes={"0.mp4": (480, 640)}).read_all()
    check_same(_again(table, tmp_path), [TASKS[name], _task(_box("z"))])


@settings(  # without shrinking, which takes minutes of such large inputs
    max_examples=60,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(entries=label_studio_tasks.FILES)
def test_any_tasks_are_written_as_they_were_read(entries: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(entries))
    table = read_label_studio(path, workers=1).read_all()
    check_same(_again(table, tmp_path), with_rows(entries))


@pytest.mark.parametrize(
    "name",
    [
        "ls_text_with_2_predictions",
        "sdk_test_export_coco_data",
        "sdk_test_export_csv_csv_test2",
        "sdk_test_export_csv_csv_test_colliding_keys_mixed",
        "sdk_test_export_doclang_data",
        "sdk_test_export_json_min_data",
        "sdk_test_export_yolo_data_keypoints",
        "sdk_test_export_yolo_data_polygons",
    ],
)
def test_real_files_are_written_as_they_were_read(name: str, tmp_path: Path) -> None:
    path = corpus_path("label_studio", f"{name}.json")
    pages = {f"https://example.com/pages/page-{number}.png": (1000, 800) for number in (1, 2)}
    table = read_label_studio(path, image_sizes=pages).read_all()
    check_same(_again(table, tmp_path), with_rows(json.loads(path.read_text())))


def test_a_task_of_lists_alone_comes_back(tmp_path: Path) -> None:
    tasks = [{"predictions": [{"result": [_box("a")]}], "annotations": [{"result": [_box("a")]}]}]
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(tasks))
    check_same(_again(read_label_studio(path).read_all(), tmp_path), tasks)


def test_a_class_that_was_renamed_is_written_with_its_new_name(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([TASKS["box"]]))
    table = read_label_studio(path).read_all()
    renamed = table.set_column(table.schema.get_field_index("class_name"), "class_name", pa.array(["Bus"]))
    ((result,),) = [each["result"] for task in _again(renamed, tmp_path) for each in task["predictions"]]
    assert result["value"]["rectanglelabels"] == ["Bus"]


def test_rows_of_another_project_go_to_the_controls_of_this_one(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([TASKS["box"]]))
    control = '<RectangleLabels name="r" toName="i"><Label value="Car"/></RectangleLabels>'
    config = f'<View><Image name="i" value="$image"/>{control}</View>'
    result = write_label_studio(read_label_studio(path), tmp_path / "again.json", config=config)
    ((found,),) = [each["result"] for task in json.loads(result.paths[0].read_bytes()) for each in task["predictions"]]
    assert (found["from_name"], found["to_name"]) == ("r", "i")
    assert result.report.flagged == {"region put to another control, as the config lacks the one that it came from": 1}


def test_geometry_that_was_changed_is_written_as_it_is_now(tmp_path: Path) -> None:
    ring = {"points": [[1 / 3, 2 / 7], [30.123456789, 3], [4, 50.987654321]], "closed": True, "polygonlabels": ["Car"]}
    boxes = [_box("a", value={"x": 1.1, "y": 0.7, "width": 33.333, "height": 0.1 + 0.2, "rectanglelabels": ["Car"]})]
    boxes.append({**_box("b"), "from_name": "ring", "type": "polygonlabels", "value": ring})
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([_task(*boxes)]))
    table = read_label_studio(path).read_all()
    check_same(_again(table, tmp_path), [_task(*boxes)])
    rows = table.to_pylist()
    rows[0]["bbox"]["xmin"] += 1
    rows[1]["polygon"][0][0][0]["x"] += 1
    ((changed,),) = [task["predictions"] for task in _again(pa.Table.from_pylist(rows, table.schema), tmp_path)]
    first, second = (each["value"] for each in changed["result"])
    assert first["x"] == pytest.approx(1.1 + 100 / 640)
    assert "rotation" not in first
    assert second["points"][0] == pytest.approx([1 / 3 + 100 / 640, 2 / 7], rel=1e-6)


def test_predictions_alone_are_written_with_what_they_have_beside(tmp_path: Path) -> None:
    relation = {"type": "relation", "from_id": "a", "to_id": "a", "direction": "left"}
    predictions = [{"task": n, "id": n, "score": 0.5, "result": [_box("a"), relation]} for n in (7, 8)]
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps(predictions))
    tasks = _again(read_label_studio(path).read_all(), tmp_path)
    check_same([task["predictions"] for task in tasks], [[each] for each in predictions])


def test_a_box_without_rotation_that_is_turned_now(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([_task(_box("a", value={**_BOX_VALUE, "rotation": None}))]))
    (row,) = read_label_studio(path).read_all().to_pylist()
    row |= {"kind": "rotated_bbox", "rotation": 30.0}
    ((found,),) = [task["predictions"][0]["result"] for task in _again(pa.Table.from_pylist([row], SCHEMA), tmp_path)]
    assert found["value"]["rotation"] == 30
