"""The README's examples run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

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
    """Working folder with two images, their masks of the classes 1 and 2, and a mapping."""
    monkeypatch.chdir(tmp_path)
    for name in ("images", "predictions"):
        Path(name).mkdir()
    for k in range(2):
        mask = np.zeros((40, 60), np.uint8)
        mask[5:20, 5:30] = 1
        mask[25:35, 10 + k : 50] = 2
        Image.fromarray(mask).save(f"predictions/street_{k}.png")
        Image.fromarray(mask * 90).save(f"images/street_{k}.png")
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_masks_in_python(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = _blocks("Masks in Python", "python")
    names: dict[str, object] = {}
    exec(block, names)
    printed = capsys.readouterr().out
    assert printed.count("class_name") == 3
    assert "imported 4 predictions" in printed


@pytest.mark.usefixtures("folder")
def test_projects_in_python(capsys: pytest.CaptureFixture[str]) -> None:
    block = _blocks("Projects", "python")[0]
    names: dict[str, object] = {}
    exec(block, names)
    assert "imported 4 predictions" in capsys.readouterr().out
    assert getattr(names["table"], "num_rows", None) == 2


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
