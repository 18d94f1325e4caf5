"""Crashes, races and failures of prediction sets, with real processes where they matter."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import deltalake.transaction
import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from predarrow import store
from predarrow.errors import CommitConflictError, ProjectError
from predarrow.project import Project
from tests import project_runs
from tests.project_data import classes, new_project, part_files, stream

SPAWN = multiprocessing.get_context("spawn")  # a fork after Delta was loaded may hang


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "project")


def in_process(target: Callable[..., None], *args: Any) -> int:
    process = SPAWN.Process(target=target, args=args)
    process.start()
    process.join(60)
    assert process.exitcode is not None, "still running"
    return process.exitcode


def _use_in_a_fork(project: Project, connection: Any) -> None:
    for set_name in ("default", "other"):
        with pytest.raises(ProjectError) as caught:
            project.commit(stream(1, "new"), set_name=set_name)
        connection.send(str(caught.value))
    with pytest.raises(ProjectError, match="must not be used in a fork"):
        project.last_version()
    with pytest.raises(ProjectError) as caught:
        Project(project.path).scan()
    connection.send(str(caught.value))
    connection.send(classes(project))


def test_forks_of_a_process_that_used_delta_are_refused(project: Project) -> None:
    project.commit(stream(2, "old"))
    assert classes(project) == {"old": 200}
    before = part_files(project)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    worker = context.Process(target=_use_in_a_fork, args=(project, sender))
    worker.start()
    sender.close()
    told = [receiver.recv() for _ in range(3)]
    assert all(f"a fork of {os.getpid()}; start workers with" in message for message in told), told
    assert receiver.recv() == {"old": 200}, "what the parent had read is known without Delta"
    worker.join()
    assert worker.exitcode == 0
    assert part_files(project) == before
    assert project.sets() == ["default"]


@pytest.mark.parametrize("first", [True, False], ids=["first import", "second import"])
@pytest.mark.parametrize("moment", ["0", "5", "before rename", "before commit"])
def test_a_kill_before_the_commit_leaves_the_last_version(project: Project, moment: str, first: bool) -> None:
    if not first:
        project.commit(stream(3, "old"))
    before = part_files(project)
    assert in_process(project_runs.killed_import, str(project.path), moment) == -9
    assert project.sets() == ([] if first else ["default"])
    if not first:
        assert classes(Project(project.path)) == {"old": 300}
    orphans = part_files(project) - before
    assert bool(orphans) == (moment != "0")
    assert project.vacuum() == [], "they may belong to a run that is at work"
    assert set(project.vacuum(orphan_hours=0)) == orphans
    assert part_files(project) == before
    assert project.commit(stream(2, "new")) == (0 if first else 1)
    assert classes(project) == {"new": 200}


@pytest.mark.parametrize("first", [True, False], ids=["first import", "second import"])
def test_a_kill_after_the_commit_leaves_the_new_version(project: Project, first: bool) -> None:
    if not first:
        project.commit(stream(3, "old"))
    assert in_process(project_runs.killed_import, str(project.path), "after commit") == -9
    assert classes(project) == {"new": 100 * project_runs.N_BATCHES}
    assert project.history()["operation"].to_pylist() == (["new"] if first else ["new", "import"])
    assert len(project.vacuum(keep_versions=1, orphan_hours=0)) == (0 if first else 1)


def check_kills_at_any_moment(project: Project, n_kills: int) -> None:
    for number in range(n_kills):
        process = SPAWN.Process(target=project_runs.endless_imports, args=(str(project.path),))
        process.start()
        until = time.monotonic() + 30
        target = project.history().num_rows + 2 if project.sets() else 2
        while not project.sets() or project.history().num_rows < target:
            assert time.monotonic() < until, "no import in 30 seconds"
            time.sleep(0.01)
        time.sleep(0.007 * number)
        process.kill()
        process.join()
        history = project.history()
        for version in history["version"].to_pylist()[:3]:
            found = classes(Project(project.path), version=version)
            assert found in ({"one": 100 * project_runs.N_BATCHES}, {"two": 200 * project_runs.N_BATCHES})
    project.vacuum(keep_versions=1, orphan_hours=0)
    assert part_files(project) == {part.path.name for part in project._set("default").parts()}


def test_kills_at_some_moments(project: Project) -> None:
    check_kills_at_any_moment(project, 3)


@pytest.mark.slow
def test_kills_at_many_moments(project: Project) -> None:
    check_kills_at_any_moment(project, 60)


@pytest.mark.parametrize("mode", ["overwrite", "append"])
def test_two_processes_importing_at_once(project: Project, mode: Literal["overwrite", "append"]) -> None:
    n_imports = 6
    barrier, results = SPAWN.Barrier(2), SPAWN.Queue()
    processes = [
        SPAWN.Process(
            target=project_runs.racing_imports, args=(str(project.path), name, n_imports, mode, barrier, results)
        )
        for name in ("a", "b")
    ]
    for process in processes:
        process.start()
    reported = [results.get(timeout=60) for _ in range(2 * n_imports)]
    for process in processes:
        process.join()
    by_version = {version: name for name, version in reported if version is not None}
    assert sorted(by_version) == list(range(project.history().num_rows)), "a version for each success, none lost"
    assert len(by_version) == sum(version is not None for _, version in reported)
    for version, name in by_version.items():
        if mode == "overwrite":
            assert classes(project, version=version) == {name: 300}
        else:
            done = [by_version[earlier] for earlier in range(version + 1)]
            expected = {name: 300 * done.count(name) for name in set(done)}
            assert classes(project, version=version) == expected
    rows = project.history()["rows"].to_pylist()[::-1]
    assert rows == ([300] * len(rows) if mode == "overwrite" else [300 * (i + 1) for i in range(len(rows))])


def foreign_commit(project: Project) -> None:
    """Commit without this package, and so without its lock."""
    folder = project.path / "predictions" / "default"
    # the oldest one: the others belong to the commit that is to come second
    project_file = min(folder.glob("part-*.parquet"), key=lambda path: path.stat().st_mtime_ns)
    (folder / f"foreign-{time.monotonic_ns()}.parquet").write_bytes(project_file.read_bytes())
    name = max(path.name for path in folder.glob("foreign-*"))
    action = deltalake.transaction.AddAction(name, (folder / name).stat().st_size, {}, 0, True, '{"numRecords": 100}')
    table = DeltaTable(str(folder))
    ORIGINAL(table, [action], "overwrite", table.schema())


ORIGINAL = DeltaTable.create_write_transaction


@pytest.fixture
def contended(project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Project]:
    """Make another commit come first, so many times."""

    def contend(times: int) -> Project:
        left = iter(range(times))

        def slow(table: DeltaTable, *args: Any, **kwargs: Any) -> None:
            if next(left, None) is not None:
                foreign_commit(project)
            ORIGINAL(table, *args, **kwargs)

        project.commit(stream(1, "old"))
        monkeypatch.setattr(DeltaTable, "create_write_transaction", slow)
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        return project

    return contend


def test_a_commit_that_comes_second_tries_again(contended: Callable[[int], Project]) -> None:
    project = contended(2)
    assert project.commit(stream(2, "new")) == 3
    assert classes(project) == {"new": 200}
    assert project.history()["operation"].to_pylist() == ["import", "write", "write", "import"]
    assert project.history()["rows"].to_pylist() == [200, None, None, 100]
    assert project.commit(stream(1, "more"), mode="append") == 4
    assert classes(project) == {"new": 200, "more": 100}


def test_a_commit_that_always_comes_second_gives_up(contended: Callable[[int], Project]) -> None:
    project = contended(1000)
    before = part_files(project)
    with pytest.raises(CommitConflictError, match="other processes committed first in each of 8 attempts"):
        project.commit(stream(2, "new"))
    assert part_files(project) == before
    assert classes(project) == {"old": 100}, "what the other commits say"


def test_a_first_commit_that_comes_second_tries_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    original = deltalake.transaction.create_table_with_add_actions

    def slow(folder: str, *args: Any, **kwargs: Any) -> None:
        monkeypatch.undo()
        rival = store.PredictionSet(Path(folder))
        monkeypatch.setattr(rival, "_locked", contextlib.nullcontext)
        rival.commit(stream(1, "rival"), mode="overwrite", operation="import", details={})
        original(folder, *args, **kwargs)

    monkeypatch.setattr(deltalake.transaction, "create_table_with_add_actions", slow)
    assert project.commit(stream(2, "new")) == 1
    assert classes(project) == {"new": 200}
    assert classes(project, version=0) == {"rival": 100}


@pytest.mark.parametrize("first", [True, False], ids=["first import", "second import"])
@pytest.mark.parametrize("mode", ["overwrite", "append"])
def test_a_commit_while_the_batches_are_made(
    project: Project, mode: Literal["overwrite", "append"], first: bool
) -> None:
    def overtaken() -> Iterator[pa.RecordBatch]:
        yield from stream(2, "new")
        Project(project.path).commit(stream(1, "rival"), mode="append")

    if not first:
        project.commit(stream(1, "old"))
    assert project.commit(overtaken(), mode=mode) == (1 if first else 2)
    others = {"rival": 100} if first else {"rival": 100, "old": 100}
    expected = {"new": 200} | (others if mode == "append" else {})
    assert classes(project) == expected
    assert project.history()["rows"][0].as_py() == sum(expected.values())


def test_a_set_that_cannot_be_opened_before_its_batches_are_made(project: Project) -> None:
    project.commit(stream(1, "old"))
    log = project.path / "predictions" / "default" / "_delta_log" / f"{0:020d}.json"
    whole = log.read_text()

    def mended() -> Iterator[pa.RecordBatch]:
        yield from stream(2, "new")
        log.write_text(whole)

    log.write_text("{")
    with pytest.raises(ProjectError, match="predictions/default: cannot be opened: ") as caught:
        project.commit(stream(1, "lost"))
    assert len(str(caught.value).splitlines()) == 1  # without Delta's stack
    assert project.commit(mended()) == 1
    assert classes(project) == {"new": 200}


def test_another_set_in_the_folders_place(project: Project, tmp_path: Path) -> None:
    other = Project.create(tmp_path / "other", ontology=project.ontology, data_units=project.data_units)
    for each, name in ((project, "old"), (other, "other")):
        each.commit(stream(1, "first"))
        each.commit(stream(1, name))
    folder = project.path / "predictions" / "default"
    shutil.rmtree(folder)
    shutil.move(other.path / "predictions" / "default", folder)
    assert project.last_version() == 1
    assert project.commit(stream(2, "new"), mode="append") == 2
    assert classes(project) == {"other": 100, "new": 200}
    shutil.rmtree(folder)
    assert project.last_version() == -1
    assert project.commit(stream(1, "new")) == 0


def test_commits_of_one_project_in_two_threads(project: Project) -> None:
    with ThreadPoolExecutor(2) as pool:
        versions = list(pool.map(lambda _: project.commit(stream(1, "row"), mode="append"), range(8)))
    assert sorted(versions) == list(range(8))
    assert classes(project) == {"row": 800}


def test_a_stale_handle_is_refused(project: Project) -> None:
    project.commit(stream(1, "old"))
    table = project._set("default")._open()
    project.commit(stream(2, "new"))
    properties = store._properties("stale", 0, {}, None)
    with pytest.raises(CommitFailedError):
        table.create_write_transaction([], "overwrite", table.schema(), commit_properties=properties)
    assert classes(project) == {"new": 200}


@pytest.mark.parametrize("error", [KeyboardInterrupt, KeyError, MemoryError])
def test_batches_that_end_in_an_error(project: Project, error: type[BaseException]) -> None:
    def failing() -> Iterator[pa.RecordBatch]:
        yield from stream(200, "new", rows=500)
        raise error("boom")

    project.commit(stream(2, "old"))
    before = part_files(project)
    with pytest.raises(error, match="boom"):
        project.commit(failing())
    assert part_files(project) == before
    assert project.history().num_rows == 1
    assert classes(project) == {"old": 200}


@pytest.mark.parametrize("first", [True, False], ids=["first import", "second import"])
def test_an_interrupt_just_after_the_commit_keeps_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    def interrupted(original: Callable[..., None]) -> Callable[..., None]:
        def call(*args: Any, **kwargs: Any) -> None:
            original(*args, **kwargs)
            raise KeyboardInterrupt

        return call

    if not first:
        project.commit(stream(1, "old"))
    monkeypatch.setattr(DeltaTable, "create_write_transaction", interrupted(ORIGINAL))
    original = deltalake.transaction.create_table_with_add_actions
    monkeypatch.setattr(deltalake.transaction, "create_table_with_add_actions", interrupted(original))
    with pytest.raises(KeyboardInterrupt):
        project.commit(stream(2, "new"))
    assert classes(project) == {"new": 200}


def test_a_full_disk(project: Project) -> None:
    project.commit(stream(2, "old"))
    before, results = part_files(project), SPAWN.Queue()
    assert in_process(project_runs.import_with_small_files_only, str(project.path), 20_000, results) == 0
    message = results.get(timeout=60)
    assert "cannot be written: " in message
    assert "File too large" in message
    assert part_files(project) == before
    assert classes(project) == {"old": 200}


def test_a_log_that_cannot_be_written(project: Project) -> None:
    project.commit(stream(2, "old"))
    results = SPAWN.Queue()
    assert in_process(project_runs.import_with_small_files_only, str(project.path), 0, results) == 0
    assert "cannot be written: " in results.get(timeout=60)
    assert classes(project) == {"old": 200}


def test_a_commits_error_stands_in_one_line(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:  # what deltalake 1.6 raises where the disk is full
        raise OSError(
            "Generic LocalFileSystem error\n   ↳ Unable to copy data to file\n    ↳ No space left on device\n\n"
        )

    monkeypatch.setattr(store.PredictionSet, "_commit_once", fail)
    with pytest.raises(ProjectError) as told:
        project.commit(stream(2, "new"))
    causes = "Generic LocalFileSystem error: Unable to copy data to file: No space left on device"
    assert str(told.value).endswith(f"default: cannot be committed to: {causes}")


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    """Give up root's right to write everywhere, for a while."""
    user = os.geteuid()
    os.seteuid(65534 if user == 0 else user)
    try:
        yield
    finally:
        os.seteuid(user)


def test_folders_that_must_not_be_written() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        project = new_project(Path(folder) / "project")
        project.commit(stream(2, "old"))
        ontology, data_units = project.ontology, project.data_units
        set_folder = project.path / "predictions" / "default"
        for path in (set_folder, set_folder.parent, project.path):
            path.chmod(0o555)
        with without_privileges():
            assert classes(Project(project.path)) == {"old": 200}
            with pytest.raises(ProjectError, match=r"cannot be written: .*Permission denied"):
                project.commit(stream(1, "new"))
            with pytest.raises(ProjectError, match="predictions/other: cannot be created: Permission denied"):
                project.commit(stream(1, "new"), set_name="other")
            with pytest.raises(ProjectError, match=r"cannot be cleared: .*Permission denied"):
                project.vacuum()
            with pytest.raises(ProjectError, match="project/new: cannot be created: Permission denied"):
                Project.create(project.path / "new", ontology=ontology, data_units=data_units)
        assert classes(project) == {"old": 200}
        for path in (project.path, set_folder.parent, set_folder):
            path.chmod(0o755)


def test_a_set_folder_that_cannot_be_made(project: Project) -> None:
    (project.path / "predictions").rmdir()
    (project.path / "predictions").write_text("in the way")
    with pytest.raises(ProjectError, match="predictions/default: cannot be created: "):
        project.commit(stream(1))
