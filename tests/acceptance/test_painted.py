"""A mask that is painted in Label Studio's editor: read, and sent to it again as a prediction."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

import predarrow
from tests import naive_rle
from tests.acceptance.browser import Editor
from tests.acceptance.drawings import overlap
from tests.acceptance.journey import check_opens, push
from tests.acceptance.media import write_white
from tests.acceptance.server import Server

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif("PREDARROW_ACCEPTANCE" not in os.environ, reason="run by tests/acceptance/run"),
]

_LEAST = 0.97
_CONFIG = (
    '<View><Image name="image" value="$image"/><BrushLabels name="mask" toName="image"><Label value="car"/>'
    "</BrushLabels></View>"
)
_PLACES = [(0.3, 0.3), (0.7, 0.3), (0.7, 0.4), (0.3, 0.4), (0.3, 0.5), (0.45, 0.5), (0.45, 0.65), (0.3, 0.65)]


def test_painted_mask_is_read_and_shown_again(
    server: Server, editor: Editor, folder: Path, media: str, figures: dict[str, float]
) -> None:
    from label_studio_sdk.converter.brush import decode_rle

    write_white(folder / "media" / "painted.png", 400, 800)
    task = {"data": {"image": f"{media}/painted.png"}}
    project = server.ask("/api/projects", {"title": "painted here", "label_config": _CONFIG})["id"]
    server.ask(f"/api/projects/{project}/import", [task])
    assert editor.open(project, server.tasks(project)[0]["id"]) == []
    (result,) = results = editor.paint(_PLACES)
    painted = folder / "painted-annotation.json"
    painted.write_text(json.dumps([{**task, "annotations": [{"result": results}]}]), encoding="utf-8")

    reader = predarrow.read_label_studio(painted)
    table = reader.read_all()
    (mask,) = table["mask"].to_pylist()
    found = naive_rle.decode(mask["counts"], mask["height"], mask["width"])
    alpha = decode_rle(result["value"]["rle"]).reshape(400, 800, 4)[..., 3]
    assert np.unique(alpha).size > 2  # it is painted with smooth edges
    np.testing.assert_array_equal(found, alpha >= 128)
    figures["painted"] = overlap(editor.drawn("painted"), found)
    assert figures["painted"] >= _LEAST

    again = folder / "painted.json"
    rows = table.to_pylist()
    for row in rows:
        row["attributes"] = None  # a prediction of ours, and no annotation
    written = predarrow.write_label_studio(table.from_pylist(rows, schema=table.schema), again, config=_CONFIG)
    assert written.rows == 1
    check_opens(editor, arrived := push(server, again, _CONFIG, "painted"))
    assert arrived.tasks[0]["data"] == task["data"]
    figures["painted again"] = overlap(editor.drawn("painted-again"), found)
    assert figures["painted again"] >= _LEAST
