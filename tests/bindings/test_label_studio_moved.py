"""Regions that were read from one project, written for the controls of another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from predarrow import check_label_studio, read_label_studio, write_label_studio

_IMAGE = '<Image name="img" value="$image"/>'
_CAR = '<Label value="Car" alias="car-1"/>'
_SIZE = {"original_width": 640, "original_height": 480, "image_rotation": 90}

_CONFIGS = {
    "image": f'<View><RectangleLabels name="r" toName="img">{_CAR}</RectangleLabels>'
    f'<VectorLabels name="v" toName="img">{_CAR}</VectorLabels>'
    f'<Choices name="c" toName="img" perRegion="true"><Choice value="yes" alias="y"/></Choices>{_IMAGE}</View>',
    "text": '<View><Labels name="label" toName="text"><Label value="ORG"/></Labels><Text name="text" value="$text"/>'
    '<TextArea name="entity" toName="text" perRegion="true"/></View>',
    "video": '<View><Video name="vid" value="$video"/><VideoRectangle name="vr" toName="vid"/>'
    '<Labels name="l" toName="vid"><Label value="Car"/></Labels></View>',
}


def _result(type_: str, to_name: str, value: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"id": "a", "from_name": f"old {type_}", "to_name": to_name, "type": type_, "value": value, **members}


def _to(name: str, to_name: str, result: dict[str, Any], **value: Any) -> dict[str, Any]:
    return {**result, "from_name": name, "to_name": to_name, "value": {**result["value"], **value}}


_BOX = {"x": 1.5, "y": 2, "width": 30, "height": 4}
_RECTANGLE = _result("rectanglelabels", "image", {**_BOX, "rectanglelabels": ["Car"]}, origin="manual", **_SIZE)
_ANSWER = _result("choices", "image", {**_BOX, "choices": ["yes"]}, **_SIZE)
_BEZIER = {"isBezier": True, "controlPoint1": {"x": 1, "y": 2}, "controlPoint2": {"x": 3, "y": 4}}
_VERTICES = [{"id": "1", "x": 1, "y": 2}, {"id": "2", "x": 30, "y": 2.5, "prevPointId": "1", **_BEZIER}]
_VECTOR = _result("vectorlabels", "image", {"vertices": _VERTICES, "closed": False, "vectorlabels": ["Car"]}, **_SIZE)
_SPAN = _result("labels", "text", {"start": 135, "end": 144, "text": "motorbike", "labels": ["ORG"]})
_NOTE = _result("textarea", "text", {"start": 135, "end": 144, "text": ["yay"]})
_ENTRIES = [
    {"frame": 1, "time": 0.04, "enabled": True, **_BOX, "rotation": 0},
    {"frame": 5, "time": 0.2, "enabled": False, **_BOX, "rotation": 10},
]
_SEQUENCE = {"framesCount": 10, "duration": 1.5, "sequence": _ENTRIES, "labels": ["Car"]}
_VIDEO = _result("videorectangle", "video", _SEQUENCE, original_width=640, original_height=480)

_MOVED = {
    "box": ("image", [_RECTANGLE], [_to("r", "img", _RECTANGLE, rectanglelabels=["car-1"])]),
    "box with an answer": (
        "image",
        [_RECTANGLE, _ANSWER],
        [_to("r", "img", _RECTANGLE, rectanglelabels=["car-1"]), _to("c", "img", _ANSWER, choices=["y"])],
    ),
    "path": ("image", [_VECTOR], [_to("v", "img", _VECTOR, vectorlabels=["car-1"])]),
    "span": ("text", [_SPAN, _NOTE], [_to("label", "text", _SPAN), _to("entity", "text", _NOTE)]),
    "sequence": ("video", [_VIDEO], [_to("vr", "vid", _VIDEO)]),
}


@pytest.mark.parametrize("name", _MOVED)
def test_all_that_was_kept_goes_to_a_control_of_the_same_type(name: str, tmp_path: Path) -> None:
    config, given, wanted = _MOVED[name]
    data = {"image": "a.jpg", "text": "a motorbike", "video": "a.mp4"}
    (tmp_path / "tasks.json").write_text(
        json.dumps([{"data": {config: data[config]}, "predictions": [{"score": 0.5, "result": given}]}])
    )
    table = read_label_studio(tmp_path / "tasks.json").read_all()
    result = write_label_studio(table, tmp_path / "again.json", config=_CONFIGS[config])
    (task,) = json.loads((tmp_path / "again.json").read_bytes())
    assert task["predictions"] == [{"score": 0.5, "result": wanted}]
    assert check_label_studio(tmp_path / "again.json", _CONFIGS[config]).problems == []
    moved = "region put to another control, as the config lacks the one that it came from"
    assert result.report.flagged == {moved: 1}


def test_a_region_goes_to_a_control_of_another_type_by_its_columns(tmp_path: Path) -> None:
    box = {**_RECTANGLE, "id": 5}
    (tmp_path / "tasks.json").write_text(json.dumps([{"data": {"image": "a"}, "predictions": [{"result": [box]}]}]))
    config = f'<View>{_IMAGE}<Rectangle name="r" toName="img"/><Labels name="l" toName="img">{_CAR}</Labels></View>'
    table = read_label_studio(tmp_path / "tasks.json").read_all()
    write_label_studio(table, tmp_path / "again.json", config=config)
    (task,) = json.loads((tmp_path / "again.json").read_bytes())
    results = task["predictions"][0]["result"]
    assert [(each["id"], each["from_name"], each["type"]) for each in results] == [
        ("5", "r", "rectangle"),
        ("5", "l", "labels"),
    ]
    assert results[1]["value"] == {**_BOX, "rotation": 0, "labels": ["car-1"]}
