"""The README's examples run as they stand."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def _blocks(section: str, language: str) -> list[str]:
    """Code of a language under a heading, up to the next one of the same level."""
    text = README.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working folder with two images, their masks of the classes 1 and 2, and KITTI labels."""
    monkeypatch.chdir(tmp_path)
    for name in ("images", "predictions", "labels"):
        Path(name).mkdir()
    for k in range(2):
        mask = np.zeros((40, 60), np.uint8)
        mask[5:20, 5:30] = 1
        mask[25:35, 10 + k : 50] = 2
        Image.fromarray(mask).save(f"predictions/street_{k}.png")
        Image.fromarray(mask * 90).save(f"images/street_{k}.png")
        Path(f"labels/street_{k}.txt").write_text(f"car 0.00 0 0.00 {k} 2.50 30 40 0 0 0 0 0 0 0 0.{k}\n")
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_masks_in_python(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = _blocks("Masks in Python", "python")
    names: dict[str, object] = {}
    exec(block, names)
    printed = capsys.readouterr().out
    assert printed.count("class_name") == 3
    assert "imported 4 predictions" in printed


def test_kitti(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = _blocks("KITTI", "python")
    exec(block, {})
    assert "imported 2 predictions" in capsys.readouterr().out
    assert sorted(path.name for path in (folder / "labels-again").iterdir()) == ["street_0.txt", "street_1.txt"]


def test_coco(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    annotation = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 3.5, 4], "area": 14.0, "iscrowd": 0}
    images = [{"id": 7, "width": 60, "height": 40, "file_name": "street_0.png"}]
    labels = {"images": images, "categories": [{"id": 3, "name": "car"}], "annotations": [annotation]}
    (folder / "annotations.json").write_text(json.dumps(labels))
    (block,) = _blocks("COCO", "python")
    exec(block, {})
    assert "'class_name': 'car', 'kind': 'bbox'" in capsys.readouterr().out
    assert json.loads((folder / "again.json").read_text())["annotations"][0]["bbox"] == [1, 2, 3.5, 4]


def test_label_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reading, authoring = _blocks("Encord", "python")
    exec(authoring, {})
    label_rows = (folder / "fruit.json").read_text()
    assert label_rows.count("objectHash") > 5
    (folder / "label_rows.json").write_text(label_rows)
    (folder / "fruit" / "ontology.json").rename(folder / "ontology.json")
    exec(reading, {})
    assert "imported 10 predictions" in capsys.readouterr().out
    assert json.loads((folder / "again.json").read_text()) == json.loads(label_rows)


def test_openlabel(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = {"num": [{"name": "confidence", "val": 0.85}], "text": [{"name": "stream", "val": "lidar"}]}
    cuboid = {"name": "a", "val": [2, -18, 0.3, 0, 0, 0, 1, 1.8, 4.1, 1.4], "attributes": told}
    scene = {
        "metadata": {"schema_version": "1.0.0"},
        "streams": {"lidar": {"type": "lidar"}},
        "objects": {"7": {"name": "a", "type": "Car"}},
        "frames": {"0": {"objects": {"7": {"object_data": {"cuboid": [cuboid]}}}}},
    }
    (folder / "scene.json").write_text(json.dumps({"openlabel": scene}))
    (block,) = _blocks("OpenLABEL", "python")
    names: dict[str, Any] = {}
    exec(block, names)
    assert "'class_name': 'Car', 'kind': 'cuboid', 'stream': 'lidar', 'confidence': 0.85" in capsys.readouterr().out
    named = scene | {"metadata": {"schema_version": "1.0.0", "name": "scene"}}
    assert json.loads((folder / "scene-again.json").read_text())["openlabel"] == named
    (cuboid,) = names["turned"]["cuboid"].to_pylist()
    assert (cuboid["width"], cuboid["length"]) == (4.1, 1.8)


def test_label_studio(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = [{"id": 7, "width": 60, "height": 40, "file_name": "street 0.png"}]
    lists = {"images": images, "categories": [{"id": 3, "name": "car"}], "annotations": []}
    (folder / "annotations.json").write_text(json.dumps(lists))
    result = {"image_id": 7, "category_id": 3, "bbox": [1.5, 2, 30, 4], "score": 0.5}
    (folder / "results.json").write_text(json.dumps([result]))
    (block,) = _blocks("Label Studio", "python")
    names: dict[str, Any] = {}
    exec(block, names)
    printed = capsys.readouterr().out
    assert "1 tasks.xml" in printed
    assert "refused 0" in printed
    assert names["again"]["bbox"].equals(names["table"]["bbox"])
    (task,) = json.loads((folder / "tasks.json").read_text())
    assert task["data"] == {"image": "/data/local-files/?d=images/street%200.png"}


def test_from_a_model() -> None:
    (block,) = _blocks("From a model", "python")
    names: dict[str, Any] = {}
    exec(block, names)
    assert [names[name].num_rows for name in ("table", "polygons", "run_lengths")] == [4, 2, 2]
    assert names["corners"].shape == (2, 4)


@pytest.mark.usefixtures("folder")
def test_projects_in_python(capsys: pytest.CaptureFixture[str]) -> None:
    first, objects = _blocks("Projects", "python")
    names: dict[str, Any] = {}
    exec(first, names)
    assert "imported 4 predictions" in capsys.readouterr().out
    assert names["table"].num_rows == 2
    exec(objects, names)
    sets = {name: names["project"].scan(name).read_all().num_rows for name in names["project"].sets()}
    assert sets == {"copy": 4, "default": 4, "objects": 1}


def test_command_line(folder: Path) -> None:
    (block,) = _blocks("Command line", "sh")
    for line in block.splitlines():
        command, *arguments = shlex.split(line, comments=True)
        assert command == "predarrow"
        done = subprocess.run(
            [Path(sys.executable).with_name("predarrow"), *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            env=os.environ | {"NO_COLOR": "1"},
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert (folder / "overlay.png").stat().st_size > 0
    assert (folder / "masks.parquet").stat().st_size > 0
    assert len(list((folder / "results").iterdir())) == 2
