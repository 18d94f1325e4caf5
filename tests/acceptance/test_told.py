"""Tasks that people wrote: read, written again, taken by a real Label Studio, and shown by its editor."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import predarrow
from tests.acceptance.browser import Editor
from tests.acceptance.journey import check_opens, push
from tests.acceptance.server import Server
from tests.acceptance.told import TOLD, VIDEO_SIZES

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif("PREDARROW_ACCEPTANCE" not in os.environ, reason="run by tests/acceptance/run"),
]


@pytest.mark.parametrize("name", TOLD)
def test_what_people_wrote_comes_back(name: str, server: Server, editor: Editor, folder: Path) -> None:
    tasks = TOLD[name].tasks(name)
    given, written = folder / f"{name}-given.json", folder / f"{name}.json"
    given.write_text(json.dumps(tasks), encoding="utf-8")
    table = predarrow.read_label_studio(given, image_sizes=VIDEO_SIZES).read_all()

    predarrow.write_label_studio(table, written, config=TOLD[name].config)
    assert json.loads(written.read_bytes()) == tasks

    arrived = push(server, written, TOLD[name].config, name)
    check_opens(editor, arrived)
    editor.screenshot(name)
