"""Answers, words, spans and moving boxes of tables: taken by a real Label Studio, shown, and read from it again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import predarrow
from tests.acceptance.browser import Editor
from tests.acceptance.journey import check_opens, push
from tests.acceptance.made import MADE
from tests.acceptance.server import Server
from tests.acceptance.told import VIDEO_SIZES

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif("PREDARROW_ACCEPTANCE" not in os.environ, reason="run by tests/acceptance/run"),
]

_COLUMNS = ["frame", "object_id", "class_name", "kind", "confidence", "bbox", "rotation"]


@pytest.mark.parametrize("name", MADE)
def test_what_was_made_comes_back(name: str, server: Server, editor: Editor, folder: Path) -> None:
    made = MADE[name]
    path = folder / f"{name}.json"
    result = predarrow.write_label_studio(made.table(), path, config=made.config)
    assert result.rows == len(made.rows)
    config = made.config if result.config is None else result.config.read_text(encoding="utf-8")
    assert config is not None

    arrived = push(server, path, config, name)
    check_opens(editor, arrived)
    editor.screenshot(name)

    answer = folder / f"{name}-answer.json"
    answer.write_text(json.dumps(server.tasks(arrived.project)), encoding="utf-8")
    given, again = made.table(), predarrow.read_label_studio(answer, image_sizes=VIDEO_SIZES).read_all()
    assert again.select(_COLUMNS).to_pylist() == given.select(_COLUMNS).to_pylist()
    for row, other in zip(_attributes(given), _attributes(again), strict=True):
        assert {name: other.get(name) for name in row} == row


def _attributes(table: pa.Table) -> list[dict[str, Any]]:
    return [json.loads(text or "{}") for text in table["attributes"].to_pylist()]
