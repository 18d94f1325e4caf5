"""One way for every kind: write, push to the server, read back, open in the editor."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import predarrow
from tests.acceptance.browser import Editor
from tests.acceptance.meaning import differences
from tests.acceptance.server import Server


@dataclass(frozen=True)
class Arrived:
    """Tasks that a server took and gives back.

    Attributes:
        project: its number.
        tasks: as they were sent.
        numbers: what the server calls them, in the same order.
    """

    project: int
    tasks: list[dict[str, Any]]
    numbers: list[int]


def push(server: Server, path: Path, config: str, title: str) -> Arrived:
    """Push a file of tasks to a new project."""
    title += " of predarrow"  # a title must have three characters
    project = predarrow.push_label_studio(
        path, url=server.url, token=server.token, title=title, config=config
    ).project_id
    return check_arrived(server, path, project)


def check_arrived(server: Server, path: Path, project: int) -> Arrived:
    """Give a file's tasks that were pushed to a project; what the server gives back is what was sent."""
    sent = json.loads(path.read_bytes())
    got = server.tasks(project)
    assert [task["data"] for task in got] == [task["data"] for task in sent]
    for task, other in zip(sent, got, strict=True):
        ours, theirs = (list(map(_told, each["predictions"])) for each in (task, other))
        assert ours == theirs, f"sent {ours}, got {theirs}"
    return Arrived(project, sent, [task["id"] for task in got])


def _told(prediction: dict[str, Any]) -> dict[str, Any]:
    told = {"model_version": "undefined", "score": None, **prediction}  # what the server says where nothing is said
    return {name: told[name] for name in ("result", "score", "model_version")}


def check_opens(editor: Editor, arrived: Arrived, place: int = 0) -> None:
    """Open a task: the annotation that the editor makes of its last prediction means the same, without a fault."""
    results = editor.open(arrived.project, arrived.numbers[place])
    assert not editor.faults, editor.faults
    told = differences(arrived.tasks[place]["predictions"][-1]["result"], results)
    assert not told, told
