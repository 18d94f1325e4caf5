"""Geometry of tables: written with a config of ours, taken by a real Label Studio, and drawn where it should be."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pytest

import predarrow
from tests.acceptance.browser import Editor
from tests.acceptance.drawings import DRAWINGS, SIZES, overlap
from tests.acceptance.journey import Arrived, check_opens, push
from tests.acceptance.media import write_white
from tests.acceptance.server import Server

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif("PREDARROW_ACCEPTANCE" not in os.environ, reason="run by tests/acceptance/run"),
]

_LEAST = 0.97
"""Intersection over union. Label Studio's own outline is a pixel wide on the screen, half of it outside."""


@pytest.fixture(scope="module")
def images(media: str, folder: Path) -> str:
    """Give the address of white images for data units of `SIZES`."""
    for name, size in SIZES.items():
        write_white(folder / "media" / name, *size)
    return media + "/{data_unit}"


@pytest.mark.parametrize("name", DRAWINGS)
def test_geometry_is_drawn_where_it_is(
    name: str, server: Server, editor: Editor, folder: Path, images: str, figures: dict[str, float]
) -> None:
    drawing = DRAWINGS[name]
    path = folder / f"{name}.json"
    result = predarrow.write_label_studio(drawing.table(), path, url=images, model_version="model 1", **drawing.options)
    assert result.config is not None
    arrived = push(server, path, result.config.read_text(encoding="utf-8"), name)
    types = [result["type"] for task in arrived.tasks for result in task["predictions"][0]["result"]]
    assert types == [drawing.type] * len(SIZES)

    for place, (image, mask) in enumerate(zip(SIZES, drawing.masks(), strict=True)):
        check_opens(editor, arrived, place)
        drawn = editor.drawn(f"{name}-{image.removesuffix('.png')}")
        figures[f"{name} {image}"] = overlap(drawn, mask)
        assert figures[f"{name} {image}"] >= _LEAST
    if not drawing.options:
        check_reads_back(server, arrived, drawing.table(), folder / f"{name}-answer.json")


def check_reads_back(server: Server, arrived: Arrived, table: pa.Table, path: Path) -> None:
    """Read what the server's API gives: all that the table that was written has, but for where its media are."""
    path.write_text(json.dumps(server.tasks(arrived.project)), encoding="utf-8")
    again = predarrow.read_label_studio(path).read_all()
    names = [address.rpartition("/")[2] for address in again["data_unit"].to_pylist()]
    again = again.set_column(0, again.schema.field(0), pa.array(names))
    for row, other in zip(table.to_pylist(), again.to_pylist(), strict=True):
        given = {name: value for name, value in row.items() if value is not None and name != "attributes"}
        box = given.pop("bbox", None)  # not every rotated one has percents that give its last digits back
        assert box is None or other["bbox"] == pytest.approx(box, abs=1e-9)
        assert {name: other[name] for name in given} == given


def test_a_mirror_image_is_told() -> None:
    """The comparison itself can fail: each mask is unlike its own mirror image and the one turned about."""
    for drawing in DRAWINGS.values():
        for mask in drawing.masks():
            if drawing.kind in ("polygon", "bitmask", "rotated_bbox"):
                assert overlap(mask, mask[::-1]) < _LEAST
                assert overlap(mask, mask[:, ::-1]) < _LEAST
            wide = cv2.resize(mask.T.astype(np.uint8), mask.shape[::-1], interpolation=cv2.INTER_NEAREST) != 0
            assert overlap(mask, wide) < _LEAST
