"""Tasks that are pushed to the double of a Label Studio server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import predarrow.label_studio_server as server_module
from predarrow import push_label_studio
from predarrow.label_studio_push import LabelStudioPushResult
from tests.label_studio_server import TOKEN, Double, running_double


@contextmanager
def quick_double(monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    """Give a double with one project, which is asked again without long waits."""
    monkeypatch.setattr(server_module, "_PAUSES", (0.01, 0.01))
    monkeypatch.setattr(server_module, "_POLL", 0.01)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    with running_double() as running:
        running.add_project()
        yield running


def task(number: int, **members: Any) -> dict[str, Any]:
    """Give a task with one prediction of one box."""
    value: dict[str, Any] = {"x": 4.98, "y": 1, "width": 30.1, "height": 5, "rotation": 0, "rectanglelabels": ["Car"]}
    region: dict[str, Any] = {
        "id": f"r{number}",
        "from_name": "box",
        "to_name": "image",
        "type": "rectanglelabels",
        "value": value,
    }
    region |= {"original_width": 100, "original_height": 50, "score": 0.5}
    predictions = [{"model_version": "one", "score": 0.5, "result": [region]}]
    return {"data": {"image": f"{number}.png"}, "predictions": predictions, **members}


def push(double: Double, tasks: Any, **options: Any) -> LabelStudioPushResult:
    """Push tasks to its first project, two at a time where nothing else is said."""
    given = {"project_id": 1, "batch_tasks": 2} | options
    return push_label_studio(tasks, url=double.url, token=TOKEN, timeout=5, **given)


def names(double: Double, project: int = 1) -> list[str]:
    """Give the images of the tasks of a project."""
    return [data["image"] for data in double.ids(project)]


ALL = [f"{number}.png" for number in range(5)]
"""Images of the first five tasks."""
