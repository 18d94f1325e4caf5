from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import click
import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from predarrow.cli import main
from predarrow.cli.app import app, run
from predarrow.cli.mask_options import PRESETS as PRESET_NAMES
from predarrow.cli.output import progress_bar, write_table
from predarrow.errors import CommitConflictError
from predarrow.formats import masks
from predarrow.formats.masks import PRESETS, MaskFileOptions
from predarrow.project import Project
from predarrow.reader import PredictionReader
from tests.mask_files import mask_project, write_mapping, write_mask

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with images, masks, a mapping and a project in it, which is the current one."""
    monkeypatch.chdir(tmp_path)
    project = mask_project(tmp_path / "project")
    write_mask(tmp_path / "masks" / "image.png")
    write_mask(tmp_path / "masks" / "video__2.png")
    write_mapping(tmp_path / "masks", project)
    return tmp_path


def _json(capsys: Captured) -> Any:
    return json.loads(capsys.readouterr().out)


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        found += _commands(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
    return found


@pytest.mark.parametrize("command", _commands(app), ids=" ".join)
def test_every_command_has_help_with_examples_that_parse(command: tuple[str, ...], capsys: Captured) -> None:
    assert run([*command, "--help"]) == 0
    text = capsys.readouterr().out
    examples = re.findall(r"^ +predarrow (.+)$", text, re.MULTILINE)
    assert examples
    for example in examples:
        words = example.split()
        assert tuple(words[: len(command)]) == command
        found: click.Command = app
        for name in command:
            assert isinstance(found, click.Group)
            found = found.commands[name]
        found.make_context("predarrow", words[len(command) :])  # raises where an option does not exist


def test_from_images_to_a_picture(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_mask(tmp_path / "images" / "a.jpg", np.full((8, 19, 3), 90, np.uint8))
    write_mask(tmp_path / "predictions" / "a.png")
    assert run(["init", "project", "--images", "images", "--classes", "pedestrian, cyclist"]) == 0
    assert "1 data units, 2 classes" in capsys.readouterr().out
    command = ["import", "masks", "project", "predictions", "--class", "1=pedestrian", "--class", "2=cyclist"]
    assert run(command) == 0
    out, err = capsys.readouterr()
    assert "3 predictions from 1 file in" in out
    assert err == ""
    assert run(["stats", "project"]) == 0
    assert "3 predictions in 1 images" in capsys.readouterr().out
    assert run(["show", "project", "--output", "overlay.png"]) == 0
    assert cv2.imread("overlay.png") is not None


def test_import_json(folder: Path, capsys: Captured) -> None:
    assert run(["import", "masks", "project", "masks", "--json"]) == 0
    result = _json(capsys)
    assert {key: result[key] for key in ("version", "rows", "sources", "rejected")} == {
        "version": 0,
        "rows": 6,
        "sources": 2,
        "rejected": 0,
    }
    run(["import", "masks", "project", "masks/image.png", "--append", "--set", "default", "--json"])
    assert _json(capsys)["version"] == 1
    assert Project("project").scan().read_all().num_rows == 9


def test_history_restore_and_vacuum(folder: Path, capsys: Captured) -> None:
    for source in ("masks", "masks/image.png"):
        run(["import", "masks", "project", source])
    capsys.readouterr()
    assert run(["history", "project", "--json"]) == 0
    assert [version["rows"] for version in _json(capsys)["versions"]] == [3, 6]
    assert run(["history", "project"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == [
        "version",
        "time",
        "(UTC)",
        "operation",
        "rows",
        "details",
    ]
    assert run(["restore", "project", "0", "--json"]) == 0
    assert _json(capsys) == {"set": "default", "version": 2, "restored": 0}
    assert run(["vacuum", "project", "--keep-versions", "1", "--dry-run", "--json"]) == 0
    assert len(_json(capsys)["files"]) == 1
    assert run(["restore", "project", "77"]) == 1
    assert run(["restore", "project", "last"]) == 2


def test_a_class_named_twice_is_refused(folder: Path, capsys: Captured) -> None:
    assert run(["import", "masks", "project", "masks", "--class", "1=pedestrian", "--class", "01=cyclist"]) == 2
    assert "--class: must name each class once, got 1 twice" in capsys.readouterr().err


def test_stats_json_counts_by_class(folder: Path, capsys: Captured) -> None:
    run(["import", "masks", "project", "masks"])
    capsys.readouterr()
    run(["stats", "project", "--json"])
    assert _json(capsys) == {
        "predictions": 6,
        "images": 2,
        "classes": [
            {"name": "pedestrian", "predictions": 4, "images": 2, "mean_confidence": 1.0},
            {"name": "cyclist", "predictions": 2, "images": 2, "mean_confidence": 1.0},
        ],
    }


def test_convert_writes_one_parquet_file(folder: Path, capsys: Captured) -> None:
    (folder / "classes.json").write_text('{"1": "a", "2": null}')
    command = ["convert", "masks", "masks", "out.parquet", "--class", "classes.json", "--holes", "fill", "--json"]
    assert run(command) == 0
    result = _json(capsys)
    assert (result["rows"], result["skipped"]) == (4, {"class is mapped to None": 2})
    assert set(pq.read_table("out.parquet")["class_name"].to_pylist()) == {"a"}
    assert run(["stats", "out.parquet"]) == 0
    assert run(["show", "out.parquet", "--output", "p.png", "--limit", "1"]) == 0
    assert cv2.imread("p.png") is not None


def test_every_mask_option_arrives(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    read = masks.read_masks

    def note(path: Path, **arguments: Any) -> PredictionReader:
        given.update(arguments)
        return read(path)

    monkeypatch.setattr(masks, "read_masks", note)
    command = "convert masks masks o.parquet --background none --void 255 --void 254 --outline center --holes fill"
    command += " --connectivity 4 --min-area 3 --simplify 0.5 --rgb panoptic --max-classes 9 --max-pixels 99"
    command += " --workers 2"
    assert run([*command.split(), "--on-error", "skip", "--file-name-regex", "(?P<data_unit_title>.*)"]) == 0
    given.pop("progress")
    assert given == {
        "background": None,
        "void": (255, 254),
        "outline": "center",
        "holes": "fill",
        "connectivity": 4,
        "min_area": 3,
        "simplify": 0.5,
        "rgb": "panoptic",
        "max_classes": 9,
        "max_pixels": 99,
        "workers": 2,
        "on_error": "skip",
        "file_name_regex": "(?P<data_unit_title>.*)",
        "classes": None,
    }
    named = {"approximation", "encord_active"}  # of Python only, and a flag
    assert set(MaskFileOptions.__annotations__) - named <= set(given)


def test_colours_are_read_from_a_file(folder: Path, capsys: Captured) -> None:
    (folder / "masks" / "image.png").unlink()
    cv2.imwrite("masks/image.png", np.full((2, 3, 3), (0, 128, 255), np.uint8))  # blue, green, red
    (folder / "colours.json").write_text('{"#FF8000": 7, "#000000": 0}')
    assert run(["convert", "masks", "masks/image.png", "o.parquet"]) == 1
    assert "(--rgb)" in capsys.readouterr().err
    assert run(["convert", "masks", "masks/image.png", "o.parquet", "--rgb", "colours.json"]) == 0
    assert pq.read_table("o.parquet")["class_name"].to_pylist() == ["7"]


def test_presets_are_the_librarys() -> None:
    assert set(PRESET_NAMES) == set(PRESETS)


def test_preset_with_an_exception(folder: Path, capsys: Captured) -> None:
    write_mask(folder / "voc" / "a.png", np.array([[0, 1, 255, 7]], np.uint8))
    run(["convert", "masks", "voc", "o.parquet", "--preset", "voc", "--json"])
    assert _json(capsys)["rows"] == 2
    run(["convert", "masks", "voc", "o.parquet", "--preset", "voc", "--background", "7", "--json"])
    assert _json(capsys)["rows"] == 2
    assert pq.read_table("o.parquet")["class_name"].to_pylist() == ["0", "1"]


@pytest.mark.parametrize(
    "command",
    [
        "",
        "import",
        "nonsense",
        "import masks project",
        "import masks project masks --outline inside",
        "import masks project masks --background x",
        "import masks project masks --class one",
        "import masks project masks --class deep.json",
        "import masks project masks --class twice.json",
        "import masks project masks --class 1=a --class one.json",
        "import masks project masks --rgb deep.json",
        "import masks project masks --rgb one.json",
        "import masks project masks --rgb colours.json",
        "import masks project masks --rgb COCO",
        "import masks project masks --class 1=pedestrian --ontology-mapping masks/ontology_mapping.json",
        "init p",
        "init p --images a --data-units b --classes c",
        "init p --images masks --classes ,",
        "stats project --version x",
        "show project --data-unit nobody",
    ],
)
def test_wrong_usage_is_2(folder: Path, command: str, capsys: Captured) -> None:
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "twice.json").write_text('{"1": "a", "1": "b"}')
    (folder / "one.json").write_text('{"1": "b"}')
    (folder / "colours.json").write_text('{"#0000ff": 1, "#0000FF": 2}')
    assert run(command.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Usage" in err


@pytest.mark.parametrize(
    "command",
    [
        "import masks nowhere masks",
        "import masks project nowhere --ontology-mapping masks/ontology_mapping.json",
        "import masks project project",
        "stats project",
        "history project --set nobody",
        "show project",
        "stats masks/image.png",
        "stats project/data_units.parquet",
        "convert masks masks missing/out.parquet",
        "init project --images masks --classes a",
    ],
)
def test_failing_is_1_with_a_line_and_no_traceback(folder: Path, command: str, capsys: Captured) -> None:
    assert run(command.split()) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1


def test_rejects_are_3(folder: Path, capsys: Captured) -> None:
    (folder / "masks" / "video__1.png").write_bytes(b"no")
    assert run(["import", "masks", "project", "masks"]) == 1
    assert Project("project").sets() == []
    capsys.readouterr()
    assert run(["import", "masks", "project", "masks", "--on-error", "skip"]) == 3
    out, err = capsys.readouterr()
    assert "6 predictions from 3 files" in out
    assert re.fullmatch(r"refused: masks/video__1\.png: .+\n", err)
    assert run(["convert", "masks", "masks", "o.parquet", "--on-error", "skip", "--json"]) == 3
    (problem,) = _json(capsys)["problems"]
    assert (problem["code"], problem["source"]) == ("not_png", "masks/video__1.png")


def test_a_commit_conflict_is_4(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def conflict(*arguments: object, **options: object) -> int:
        raise CommitConflictError("others were first")

    monkeypatch.setattr(Project, "commit", conflict)
    assert run(["import", "masks", "project", "masks"]) == 4
    assert capsys.readouterr().err == "error: others were first\n"


_INTERRUPTED = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in a shell's background is started to ignore it
from predarrow.formats.png import PngDecoder
opened = PngDecoder.open

def slow(self, data, source):
    print("decoding", flush=True)
    time.sleep(0.2)
    return opened(self, data, source)

PngDecoder.open = slow
from predarrow.cli.app import run
sys.exit(run(["import", "masks", "project", "masks", "--workers", sys.argv[1]]))
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_leaves_the_project_as_it_was(folder: Path, workers: str) -> None:
    run(["import", "masks", "project", "masks"])
    before = Project("project").scan().read_all()
    for frame in (0, 1, 3, 4):
        write_mask(folder / "masks" / f"video__{frame}.png")
    command = [sys.executable, "-c", _INTERRUPTED, workers]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=folder) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "decoding\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, "interrupted: nothing was committed")
    project = Project("project")
    assert project.history().num_rows == 1
    assert project.scan().read_all().equals(before)
    assert run(["import", "masks", "project", "masks/image.png"]) == 0


def test_ctrl_c_before_there_is_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    class Half:
        @property
        def run(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "predarrow.cli.app", cast(ModuleType, Half()))
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 130


def test_the_installed_command_ends_quietly_when_nobody_reads(folder: Path) -> None:
    code = "import sys; sys.argv = ['predarrow', 'history', 'project']; from predarrow.cli import main; main()"
    run(["import", "masks", "project", "masks"])
    command = f'{sys.executable} -c "{code}" | true'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=folder, check=True)
    assert done.stderr == ""


def test_progress_is_silent_where_there_is_no_terminal(capsys: Captured) -> None:
    with progress_bar("masks") as progress:
        progress(1, 2)
    assert capsys.readouterr() == ("", "")


def test_progress_shows_rate_and_eta_on_a_terminal(folder: Path) -> None:
    """Through a real terminal: rich decides by what it is connected to."""
    import pty

    code = (
        "import time\nfrom predarrow.cli.output import progress_bar\n"
        "with progress_bar('masks') as progress:\n"
        "    for done in range(16):\n        time.sleep(0.12)\n        progress(done, 16)\n"
    )
    parent, child = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "100"}
    with subprocess.Popen([sys.executable, "-c", code], stderr=child, env=environment) as process:
        os.close(child)
        chunks = []
        while True:
            try:
                chunks.append(os.read(parent, 65536))
            except OSError:  # the other end is closed
                break
        assert process.wait() == 0
    os.close(parent)
    text = b"".join(chunks).decode()
    assert re.search(r"masks .+ \d+/16 \d+/s \d:\d\d:\d\d", text)
    assert not re.search(r"\x1b\[\d*;?3\dm", text)  # no colours


def test_tables_are_aligned() -> None:
    assert write_table(["name", "n"], [["a", 1], ["long", 1234]]) == ["name      n", "a         1", "long  1,234"]
    assert write_table(["name"], []) == ["name"]
