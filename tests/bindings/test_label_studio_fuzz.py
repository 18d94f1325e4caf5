"""Files of Label Studio with members and bytes changed at random: rows, or problems that tell where."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from predarrow import read_label_studio
from tests.label_studio_samples import PNG_URL, STROKE

SIZE = {"original_width": 3, "original_height": 1}
BOX = {"x": 1, "y": 2, "width": 3, "height": 4}
ODD: list[Any] = [
    *(None, True, 5, -1, 1e308, float("inf"), 2**70, 0.5, "", "x", "5", [], {}, [1], {"a": 1}, [[1, 2]]),
]
KEYS = ("at", "value", "x", "score", "id", "labels", "type", "result", "without", "original_width")


def _result(number: int, type_: str, value: Any, **members: Any) -> dict[str, Any]:
    return {"id": f"r{number // 2}", "from_name": "c", "to_name": "m", "type": type_, "value": value, **members}


RESULTS = [
    _result(0, "rectanglelabels", {**BOX, "rotation": 9, "rectanglelabels": ["a"]}, score=0.5, **SIZE),
    _result(1, "textarea", {**BOX, "rotation": 9, "text": ["so"]}, **SIZE),
    _result(2, "brush", {"format": "rle", "rle": STROKE}, **SIZE),
    _result(4, "videorectangle", {"sequence": [{"frame": 1, **BOX}, {"frame": 3, **BOX}], "labels": ["a"]}, **SIZE),
    _result(6, "labels", {"start": 1, "end": 2, "labels": ["a"]}),
    _result(8, "timelinelabels", {"ranges": [{"start": 1, "end": 2}]}),
    _result(10, "vector", {"vertices": [{"x": 1, "y": 2}, {"x": 1, "y": 3}]}, **SIZE),
    _result(12, "bitmask", {"imageDataURL": PNG_URL}),
    _result(14, "polygon", {"points": [[1, 2], [3, 4], [5, 7]], "closed": True}, **SIZE),
    _result(16, "choices", {"choices": ["a"]}, meta={"text": ["so"]}),
    {"type": "relation", "from_id": "r0", "to_id": "r1"},
]
TASK = {"id": 1, "data": {"m": "a.jpg"}, "predictions": [{"score": 0.5, "model_version": "one", "result": RESULTS}]}
TASKS = [TASK, {**TASK, "annotations": [{"id": 4, "result": RESULTS[:3]}], "predictions": []}]


def _changed(value: Any, chance: random.Random) -> Any:
    """Give a value with something in it taken away, doubled, added or made another."""
    share = chance.random()
    if isinstance(value, dict) and value and share < 0.97:
        changed = dict(value)
        key = chance.choice(list(value))
        if share < 0.1:
            del changed[key]
        elif share < 0.15:
            changed[chance.choice(KEYS)] = chance.choice(ODD)
        else:
            changed[key] = _changed(value[key], chance)
        return changed
    if isinstance(value, list) and value and share < 0.97:
        place = chance.randrange(len(value))
        item = value[place]
        return [*value[:place], *([] if share < 0.1 else [_changed(item, chance)]), *value[place + 1 :]]
    return chance.choice(ODD)


def _broken(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    if chance.random() < 0.5:
        return data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
    return data[:place] + data[place + chance.randrange(1, 9) :]


def _check(path: Path) -> None:
    reader = read_label_studio(path, on_error="skip", workers=1, image_sizes={"a.jpg": (1, 3)})
    table = reader.read_all()
    table.validate(full=True)
    for text in table["attributes"].to_pylist():
        json.loads(text)
    assert table.num_rows or reader.report.problems or reader.report.skipped or path.read_bytes().strip() == b"[]"
    for problem in reader.report.problems:
        assert problem.message


@pytest.mark.parametrize("seed", range(4))
def test_changed_members(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "tasks.json"
    for _ in range(100):
        value: Any = TASKS
        for _ in range(chance.randrange(1, 4)):
            value = _changed(value, chance)
        path.write_text(json.dumps(value))
        _check(path)


@pytest.mark.parametrize("seed", range(2))
def test_changed_bytes(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "tasks.json"
    for _ in range(100):
        data = json.dumps(TASKS).encode()
        for _ in range(chance.randrange(1, 4)):
            data = _broken(data, chance)
        path.write_bytes(data)
        _check(path)
