from __future__ import annotations

import errno
from pathlib import Path

import cv2
import pytest

from predarrow.demo import CLASSES, run_demo
from predarrow.errors import OutputError, PredarrowError
from predarrow.project import Project


def test_demo_makes_imports_and_draws(tmp_path: Path) -> None:
    result = run_demo(tmp_path / "demo")
    assert set(result.counts) == set(CLASSES)
    assert result.result.rows == result.counts.total() > 100
    assert Project(result.project).scan().read_all().num_rows == result.result.rows
    picture = cv2.imread(str(result.picture))
    assert picture is not None
    assert picture.std() > 20
    assert len(list((tmp_path / "demo" / "predictions").glob("*.png"))) == result.n_masks == 12


def test_demo_is_the_same_each_time(tmp_path: Path) -> None:
    first = run_demo(tmp_path / "a")
    again = run_demo(tmp_path / "a")
    assert again.counts == first.counts


def test_demo_deletes_nothing_of_others(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(PredarrowError, match="must be a new or empty folder, or one that the demo made"):
        run_demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_demo_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(PredarrowError, match=r"mine\.txt: must be a new or empty folder"):
        run_demo(tmp_path / "mine.txt")
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_a_demo_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"demo: cannot be written: No space left on device"):
        run_demo(tmp_path / "demo")
