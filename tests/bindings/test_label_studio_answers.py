"""Answers in attributes of other formats: what no control would take is not written as its answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from predarrow import Code, InputError, PredarrowError, check_label_studio, read_label_studio, write_label_studio
from predarrow.table import SCHEMA
from tests import label_studio_rows as rows

_META = "answer about a region written to its meta, as the config has no control per region that takes it"
_HEADER = (
    '<View><Image name="i" value="$image"/><RectangleLabels name="r" toName="i"><Label value="Car"/></RectangleLabels>'
)


def _written(tmp_path: Path, kind: str, attributes: Any, **options: Any) -> tuple[list[Any], Any]:
    row = rows.row(kind, bbox=rows.BOX if kind == "bbox" else None, attributes=json.dumps(attributes))
    result = write_label_studio(rows.table(row), tmp_path / "tasks.json", **options)
    config = options.get("config", result.config)
    assert check_label_studio(tmp_path / "tasks.json", config).problems == []
    (task,) = json.loads((tmp_path / "tasks.json").read_bytes())
    return task["predictions"][0]["result"], result.report.flagged


@pytest.mark.parametrize("key", ["text", "choices"])
@pytest.mark.parametrize("kind", ["bbox", "classification"])
def test_one_text_is_a_list_of_one(key: str, kind: str, tmp_path: Path) -> None:
    results, flagged = _written(tmp_path, kind, {key: "AB 12"})
    assert results[-1]["value"][key] == ["AB 12"]
    assert flagged == {}


@pytest.mark.parametrize(
    "attributes",
    [{"rating": "good"}, {"number": "7a"}, {"text": 5}, {"taxonomy": "a"}, {"datetime": 5}, {"choices": 5}],
)
def test_an_answer_of_another_type(attributes: dict[str, Any], tmp_path: Path) -> None:
    results, flagged = _written(tmp_path, "bbox", attributes)
    assert [each["type"] for each in results] == ["rectanglelabels"]
    assert results[0]["meta"] == attributes
    assert flagged == {_META: 1}
    with pytest.raises(InputError, match=rf"attributes\.{next(iter(attributes))}: must") as caught:
        write_label_studio(
            rows.table(rows.row("classification", attributes=json.dumps(attributes))), tmp_path / "other.json"
        )
    assert caught.value.problems[0].code in (Code.BAD_VALUE, Code.BAD_NUMBER)


@pytest.mark.parametrize(
    ("attributes", "meta"),
    [
        ({"parent": 5}, {"parentID": 5}),
        ({"readonly": "yes", "hidden": True}, {"readonly": "yes"}),
        ({"item_index": True, "meta": {"a": 1}}, {"item_index": True, "a": 1}),
        ({"parent": "r", "hidden": False, "item_index": 0}, None),
    ],
)
def test_members_of_a_region_of_another_type(attributes: dict[str, Any], meta: Any, tmp_path: Path) -> None:
    results, _ = _written(tmp_path, "bbox", attributes)
    assert results[0].get("meta") == meta
    assert ("hidden" in results[0]) == ("hidden" in attributes)


def test_a_rating_beyond_the_control_s(tmp_path: Path) -> None:
    config = f'{_HEADER}<Rating name="stars" toName="i" maxRating="3" perRegion="true"/></View>'
    results, flagged = _written(tmp_path, "bbox", {"rating": 4}, config=config)
    assert results[0]["meta"] == {"rating": 4}
    assert flagged == {_META: 1}
    (tmp_path / "tasks.json").unlink()
    results, flagged = _written(tmp_path, "bbox", {"rating": 3}, config=config)
    assert results[1]["value"]["rating"] == 3
    assert flagged == {}


def test_boxes_in_videos_tell_the_size_of_their_frames(tmp_path: Path) -> None:
    given = rows.table(*(rows.row("bbox", bbox=rows.BOX, object_id="a", frame=frame) for frame in (3, 4)))
    write_label_studio(given, tmp_path / "tasks.json")
    found = read_label_studio(tmp_path / "tasks.json").read_all()
    assert found.select(["frame", "bbox", "image_width"]) == given.select(["frame", "bbox", "image_width"])


def test_no_rows_have_no_config(tmp_path: Path) -> None:
    result = write_label_studio(SCHEMA.empty_table(), tmp_path / "tasks.json")
    assert (result.tasks, result.config, json.loads((tmp_path / "tasks.json").read_bytes())) == (0, None, [])
    assert not (tmp_path / "tasks.xml").exists()


@pytest.mark.parametrize("name", ["tasks.jsonl", "tasks.JSONL.gz", "tasks.xml"])
def test_names_of_other_files(name: str, tmp_path: Path) -> None:
    with pytest.raises(PredarrowError, match=r"path: must be of a JSON file.*got"):
        write_label_studio(rows.table(), tmp_path / name)
    assert not list(tmp_path.iterdir())
