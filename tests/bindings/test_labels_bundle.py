"""Labels of many data units in one commit, and beside what a set has already."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from predarrow import BoundingBox, CommitConflictError, Ellipse, InputError, LabelRow, Point, Project
from predarrow.exports import export_label_rows
from predarrow.formats.encord.read import read_label_rows
from predarrow.labels import saving
from tests.label_project import attributes, label_project, saved

BOX = BoundingBox(0.1, 0.2, 0.25, 0.3)
CHERRIES, BLUEBERRIES = "Cherries_video.mp4", "Blueberries_video.mp4"


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    return label_project(tmp_path / "project")


def _places(project: Project) -> list[tuple[Any, ...]]:
    rows = saved(project, ["data_unit", "frame", "object_id"])
    return sorted(tuple(row.values()) for row in rows)


def _label(row: LabelRow, *object_ids: str, frames: Any = 0) -> None:
    for object_id in object_ids:
        row.add_object("Cherry", BOX, frames=frames, object_id=object_id)


def test_one_commit_for_all_rows(project: Project) -> None:
    with project.bundle() as bundle:
        for title in (CHERRIES, BLUEBERRIES, "cherry_001.png"):
            _label(bundle.label_row(title), "a", "b")
        assert project.sets() == []
    assert bundle.result is not None
    assert (bundle.result.rows, bundle.result.version) == (6, 0)
    (commit,) = project.history("labels").to_pylist()
    assert (commit["operation"], commit["rows"]) == ("save labels", 6)
    assert project.report("labels", 0).num_rows == 0


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_exception_commits_nothing(project: Project, error: type[BaseException]) -> None:
    bundle = project.bundle()

    def stop() -> None:
        with bundle:
            _label(bundle.label_row(CHERRIES), "a")
            raise error

    with pytest.raises(error):
        stop()
    assert project.sets() == []
    with bundle:
        _label(bundle.label_row(CHERRIES), "b")
    assert _places(project) == [("id-5", 0, "b")]


def test_wrong_label_commits_nothing(project: Project) -> None:
    bundle = project.bundle()
    _label(bundle.label_row(CHERRIES), "a")
    bundle.label_row(BLUEBERRIES).add_object("Pedicel", Point(1.5, 0), frames=3)
    place = r"label row 'Blueberries_video.mp4': frame 3: Pedicel: '.*': points must"
    with pytest.raises(InputError, match=place), bundle:
        pass
    assert project.sets() == []


def test_bundle_of_nothing(project: Project) -> None:
    with project.bundle() as bundle:
        pass
    assert bundle.result is not None
    assert bundle.result.rows == 0


def test_labels_are_added_to_the_sets(project: Project) -> None:
    for name, title in (("a", CHERRIES), ("b", BLUEBERRIES), ("c", CHERRIES)):
        with project.bundle() as bundle:
            _label(bundle.label_row(title), name)
    assert _places(project) == [("id-5", 0, "a"), ("id-5", 0, "c"), ("id-6", 0, "b")]
    assert project.history("labels").num_rows == 3


def test_track_goes_on_in_another_session(project: Project) -> None:
    row = project.label_row(CHERRIES)
    object_id = row.add_object("Cherry", BOX)
    row.save()
    row = project.label_row(CHERRIES)
    row.add_object("Cherry", BOX, frames=1, object_id=object_id)
    row.save()
    assert _places(project) == [("id-5", 0, object_id), ("id-5", 1, object_id)]


def test_saved_object_stands_once_on_a_frame(project: Project) -> None:
    row = project.label_row(CHERRIES)
    _label(row, "a", "b", frames=range(5))
    row.save()
    _label(row, "a", frames=range(5, 9))
    row.save()
    _label(row, "b", frames=[5, 9])
    _label(row, "a", frames=[9, 7])
    with pytest.raises(InputError, match="frame 7: Cherry: 'a': must have one geometry on a frame") as raised:
        row.save()
    assert len(raised.value.problems) == 1
    other = project.label_row(BLUEBERRIES)
    _label(other, "a", "b", frames=range(9))  # of another data unit
    assert other.save().rows == 18


def test_saved_object_keeps_its_class(project: Project) -> None:
    row = project.label_row(CHERRIES)
    _label(row, "a")
    row.save()
    row.add_object("Egg", Ellipse(0.5, 0.5, 0.1, 0.1), frames=[1, 2], object_id="a")
    with pytest.raises(InputError, match="frame 1: Egg: 'a': must be of the class that it was saved with") as raised:
        row.save()
    assert len(raised.value.problems) == 1


def test_saved_classification_is_answered_once(project: Project) -> None:
    row = project.label_row(CHERRIES)
    row.add_classification("Many types of fruit?", ["Apple"], frames=range(5))
    row.save()
    row.add_classification("Blueberry or cherry?", "Cherry", frames=range(5))
    row.add_classification("Many types of fruit?", ["Kiwi"], frames=[6, 4])
    with pytest.raises(InputError, match=r"frame 4: Many types of fruit\?: '.*': must be answered once") as raised:
        row.save()
    assert len(raised.value.problems) == 1
    other = project.label_row(BLUEBERRIES)
    other.add_classification("Many types of fruit?", ["Kiwi"], frames=4)
    assert other.save().rows == 1


def test_overwrite_replaces_the_units_of_the_bundle(project: Project) -> None:
    with project.bundle() as bundle:
        for title in (CHERRIES, BLUEBERRIES, "cherry_001.png"):
            _label(bundle.label_row(title), "a", "b")
    with project.bundle(overwrite=True) as bundle:
        _label(bundle.label_row(CHERRIES), "b", "c")
        bundle.label_row("cherry_001.png")
    assert bundle.result is not None
    assert (bundle.result.rows, bundle.result.version) == (2, 1)
    assert _places(project) == [("id-5", 0, "b"), ("id-5", 0, "c"), ("id-6", 0, "a"), ("id-6", 0, "b")]
    project.restore(0, "labels")
    assert len(_places(project)) == 6


def test_row_overwrites_once(project: Project) -> None:
    """What a row saved itself stays when it is saved again."""
    row = project.label_row(CHERRIES, overwrite=True)
    _label(row, "a")
    assert row.save().version == 0
    row = project.label_row(CHERRIES, overwrite=True)
    _label(row, "b")
    row.save()
    _label(row, "c")
    row.save()
    assert _places(project) == [("id-5", 0, "b"), ("id-5", 0, "c")]
    _label(row, "b")
    with pytest.raises(InputError, match="'b': must have one geometry"):
        row.save()


class _Intruder:
    """Commits labels of another data unit while a bundle reads the set."""

    def __init__(self, project: Project, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.n_commits = 0
        real = saving._others

        def others(project_: Project, *rest: Any) -> Any:
            yield from real(project_, *rest)
            if self.n_commits < times:
                self.n_commits += 1
                row = project.label_row(BLUEBERRIES)
                _label(row, f"intruder {self.n_commits}")
                row.save()

        monkeypatch.setattr(saving, "_others", others)


def test_others_commits_are_not_lost(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with project.bundle() as bundle:
        _label(bundle.label_row(CHERRIES), "a")
        _label(bundle.label_row(BLUEBERRIES), "b")
    intruder = _Intruder(project, 2, monkeypatch)
    row = project.label_row(CHERRIES, overwrite=True)
    _label(row, "c")
    assert row.save().version == 3
    assert intruder.n_commits == 2
    ids = [place[2] for place in _places(project)]
    assert ids == ["c", "b", "intruder 1", "intruder 2"]


def test_others_commit_again_and_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with project.bundle() as bundle:
        _label(bundle.label_row(CHERRIES), "a")
    _Intruder(project, 99, monkeypatch)
    row = project.label_row(CHERRIES, overwrite=True)
    _label(row, "c")
    with pytest.raises(CommitConflictError, match="others committed first"):
        row.save()
    assert "c" not in [place[2] for place in _places(project)]
    assert len(row) == 1


def test_first_version_of_a_set_is_not_lost(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process makes the set after a bundle that overwrites has seen none."""
    real = saving._checked
    is_first = [True]

    def checked(*given: Any) -> Any:
        if is_first.pop() if is_first else False:
            row = project.label_row(BLUEBERRIES)
            _label(row, "b")
            row.save()
        return real(*given)

    monkeypatch.setattr(saving, "_checked", checked)
    row = project.label_row(CHERRIES, overwrite=True)
    _label(row, "a")
    row.save()
    assert _places(project) == [("id-5", 0, "a"), ("id-6", 0, "b")]


def test_kill_leaves_what_was_there(project: Project) -> None:
    with project.bundle() as bundle:
        _label(bundle.label_row(CHERRIES), "a")
    script = (
        "import os, signal, sys\n"
        "from predarrow import BoundingBox, Project\n"
        "with Project(sys.argv[1]).bundle(overwrite=True) as bundle:\n"
        "    bundle.label_row('Cherries_video.mp4').add_object('Cherry', BoundingBox(0, 0, 1, 1))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, os.fspath(project.path)], check=False, timeout=60)
    assert done.returncode == -9
    assert _places(project) == [("id-5", 0, "a")]


def test_ids_are_distinct(project: Project) -> None:
    row = project.label_row(CHERRIES)
    ids = [row.add_object("Cherry", BOX, frames=frame) for frame in range(300)]
    ids += row.add_boxes("Cherry", np.tile([0.1, 0.1, 0.5, 0.5], (2000, 1)))
    ids += [row.add_classification("Many types of fruit?", [], frames=frame) for frame in range(5)]
    assert len(set(ids)) == len(ids) == len(row)
    assert {len(object_id) for object_id in ids} == {8}
    row.save()
    assert {place[2] for place in _places(project)} == set(ids)


def test_labels_and_predictions_are_apart(project: Project) -> None:
    _label(row := project.label_row(CHERRIES), "a")
    row.save()
    _label(row := project.label_row(CHERRIES, set_name="default"), "b")
    row.save()
    assert project.sets() == ["default", "labels"]


def test_saved_object_keeps_its_answers(project: Project) -> None:
    """They stand on further frames too, so that all rows of an object say the same; others are refused."""
    row = project.label_row(CHERRIES)
    row.add_object("Cherry", BOX, object_id="a", answers={"Ripe": "No", "Why": "grün", "Pose": "Up"})
    row.add_object("Cherry", BOX, object_id="b")
    row.save()
    row.add_object("Cherry", BOX, frames=1, object_id="a")
    row.save()
    row.add_object("Cherry", BOX, frames=2, object_id="a", answers={"Why": "grün", "Ripe": "No"})
    row.add_object("Cherry", BOX, frames=1, object_id="b", answers={"Pose": "Up"})
    row.add_object("Cherry", BOX, frames=2, object_id="b", answers={"Weight": 3})
    row.save()
    row.add_object("Cherry", BOX, frames=3, object_id="b")
    row.save()
    row.add_object("Cherry", BOX, frames=4, object_id="a", answers={"Ripe": "Yes"})
    with pytest.raises(InputError, match="frame 4: Cherry: 'a': must have the answers that it was saved with"):
        row.save()
    found = {(item["object_id"], item["frame"]): attributes(item) for item in saved(project)}
    assert found["a", 1] == found["a", 2] == {"answers": found["a", 0]["answers"]}
    assert "answers" not in found["b", 0]
    assert [found["b", frame]["answers"][0]["answers"] for frame in (1, 2, 3)] == [3, 3, 3]
    path = project.path.parent / "rows.json"
    export_label_rows(project, path)
    assert read_label_rows(path, ontology=project.ontology).read_all().num_rows == 7
