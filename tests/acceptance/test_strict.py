"""The tests themselves: the server refuses what is wrong, and what the editor changed is told."""

from __future__ import annotations

import copy
import os
from typing import Any

import pytest

from tests.acceptance.meaning import differences
from tests.acceptance.server import Server, ServerError
from tests.acceptance.told import TOLD

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif("PREDARROW_ACCEPTANCE" not in os.environ, reason="run by tests/acceptance/run"),
]


def _changed(name: str, **members: Any) -> list[dict[str, Any]]:
    tasks = copy.deepcopy(TOLD[name].tasks(name))
    tasks[0]["predictions"][0]["result"][0] |= members
    return tasks


def test_server_refuses_what_is_wrong(server: Server) -> None:
    config = TOLD["readonly"].config
    project = server.ask("/api/projects", {"title": "strict", "label_config": config})["id"]
    for members in ({"from_name": "box2"}, {"type": "choices"}, {"value": {"x": 350, "rectanglelabels": ["Ort"]}}):
        with pytest.raises(ServerError) as refused:
            server.ask(f"/api/projects/{project}/import", _changed("readonly", **members))
        assert refused.value.status == 400
    assert server.tasks(project) == []


@pytest.mark.parametrize("name", TOLD)
def test_other_meanings_are_told(name: str) -> None:
    sent = TOLD[name].result
    assert differences(sent, sent) == []
    assert differences(sent, [{**result, "origin": "prediction"} for result in sent]) == []
    assert differences(sent, sent[1:]) != []
    assert differences(sent[1:], sent) != []
    for key in sent[0]:
        assert differences(sent, [{name: value for name, value in sent[0].items() if name != key}, *sent[1:]]) != []
    assert differences(sent, [{**sent[0], "value": {}}, *sent[1:]]) != []
