from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from predarrow import InputError, push_label_studio
from predarrow.errors import OutputError
from tests.label_studio_pushes import ALL, names, push, quick_double, task
from tests.label_studio_server import CONFIG, TOKEN, Double, Fault, running_double


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    with quick_double(monkeypatch) as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([task(number) for number in range(5)], indent=1))
    return path


def test_all_at_once_and_never_again(double: Double, file: Path) -> None:
    told: list[tuple[int, int]] = []
    result = push(double, file, progress=lambda done, total: told.append((done, total)))
    assert (result.project_id, result.tasks, result.predictions, result.done_before) == (1, 5, 5, 0)
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert double.tasks[1] == json.loads(file.read_text())
    assert set(double.tokens) == {f"Token {TOKEN}"}
    again = push(double, file, batch_tasks=3)
    assert (again.tasks, again.done_before) == (0, 5)
    assert double.n_imports == 3
    content = json.loads(file.read_text())
    file.write_text(json.dumps([*content, task(0), task(9)]))  # one that is there already, as a second one
    added = push(double, file)
    assert (added.tasks, added.done_before) == (2, 5)
    assert names(double) == [*ALL, "0.png", "9.png"]


def test_tasks_in_memory_have_no_journal(double: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert push(double, [task(0)]).tasks == 1
    assert push(double, [task(0)]).tasks == 1
    assert push(double, []).tasks == 0
    assert names(double) == ["0.png", "0.png"]
    assert list(tmp_path.iterdir()) == []


def test_batches_by_bytes(double: Double, file: Path) -> None:
    assert push(double, file, batch_tasks=500, batch_bytes=1).tasks == 5
    assert double.n_imports == 5


def test_folders_lines_and_answers_of_the_api(double: Double, tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps({"tasks": [task(0), task(1)]}))
    (folder / "b.json").write_text(json.dumps(task(2)))
    assert push(double, folder).tasks == 3
    assert names(double) == ALL[:3]
    assert (tmp_path / "shards.pushed").is_file()
    lines = tmp_path / "more.jsonl"
    lines.write_text("\n".join(json.dumps(task(number)) for number in (3, 4)))
    assert push(double, lines).tasks == 2
    assert names(double) == ALL


@pytest.mark.parametrize(
    "fault", [Fault(400), Fault(413), Fault(401), Fault(301, b"", headers={"location": "http://x"})]
)
def test_goes_on_behind_a_refusal(double: Double, file: Path, fault: Fault) -> None:
    double.faults[1] = fault
    with pytest.raises(OutputError, match=f"status {fault.status}"):
        push(double, file)
    assert names(double) == ALL[:2]
    result = push(double, file)
    assert (result.tasks, result.done_before) == (3, 2)
    assert names(double) == ALL


@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("hangs_up", [False, True])
def test_goes_on_where_an_answer_was_lost(double: Double, file: Path, is_after: bool, hangs_up: bool) -> None:
    """Whether the tasks had arrived or not: none is missing, and none is there twice."""
    double.faults[1] = Fault(502, b"<html>", is_after=is_after, hangs_up=hangs_up)
    with pytest.raises(OutputError, match="may have arrived"):
        push(double, file)
    result = push(double, file)
    assert (result.tasks, result.done_before) == ((1, 4) if is_after else (3, 2))
    assert names(double) == ALL


_FAULTS = (
    st.builds(Fault, st.sampled_from([400, 413, 500, 502]), is_after=st.booleans(), hangs_up=st.booleans()) | st.none()
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_FAULTS, max_size=6), st.lists(st.integers(1, 3), min_size=7, max_size=7))
def test_every_task_arrives_once(double: Double, tmp_path: Path, faults: list[Fault | None], sizes: list[int]) -> None:
    """Whatever goes wrong, and however large batches are in later runs."""
    project = double.add_project()
    path = tmp_path / f"{project}.json"
    path.write_text(json.dumps([task(number) for number in range(5)]))
    known = {place: fault for place, fault in enumerate(faults) if fault is not None and fault.status >= 500}
    known |= {
        place: Fault(fault.status) for place, fault in enumerate(faults) if fault is not None and place not in known
    }
    double.faults = {double.n_imports + place: fault for place, fault in known.items()}
    n_done = 0
    for size in sizes:
        try:
            result = push(double, path, project_id=project, batch_tasks=size)
        except OutputError:
            continue
        n_done += 1
        assert result.tasks + result.done_before == 5
        assert names(double, project) == ALL
        if n_done == 2:
            break
    assert n_done


def test_asks_where_nobody_can_tell(double: Double, file: Path) -> None:
    double.faults[0] = Fault(504, is_after=True)
    with pytest.raises(OutputError, match="may have arrived"):
        push(double, file)
    double.tasks[1].append(task(77))
    with pytest.raises(OutputError, match=r"must have 0 or 2 tasks.*got 3; .*\{\"done\": 0\}"):
        push(double, file)
    journal = file.with_name("tasks.json.pushed")
    journal.write_text(journal.read_text() + '{"done": 0}\n')
    assert push(double, file).tasks == 3
    assert names(double) == ["0.png", "1.png", "77.png", "2.png", "3.png", "4.png"]


def test_waits_where_the_server_is_busy(double: Double, file: Path) -> None:
    double.faults = {0: Fault(429), 1: Fault(429)}
    double.get_faults = [Fault(503, b"busy"), Fault(hangs_up=True)]
    assert push(double, file).tasks == 5
    assert names(double) == ALL
    double.get_faults = [Fault(500)] * 3
    with pytest.raises(OutputError, match="status 500"):
        push(double, file)


def test_imports_that_are_queued(double: Double, file: Path) -> None:
    double.is_queueing = True
    assert push(double, file).tasks == 5


def test_imports_that_stay_queued(double: Double, file: Path) -> None:
    double.is_queueing = double.is_asleep = True
    with pytest.raises(OutputError, match="must take 2 tasks, got fewer in time"):
        push_label_studio(file, url=double.url, token=TOKEN, project_id=1, batch_tasks=2, timeout=0.3)
    double.is_asleep = False
    assert push(double, file).tasks == 5
    assert names(double) == ALL


def test_tells_what_the_server_dropped(double: Double, file: Path) -> None:
    double.drops_predictions = True
    with pytest.raises(OutputError, match="must take 2 predictions, got 0"):
        push(double, file)
    double.drops_predictions = False
    assert push(double, file).tasks == 3


def test_a_new_project(double: Double, file: Path, tmp_path: Path) -> None:
    (tmp_path / "config.xml").write_text(CONFIG)
    options: dict[str, Any] = {"project_id": None, "title": "Mine & yours", "config": tmp_path / "config.xml"}
    double.faults[1] = Fault(400)
    with pytest.raises(OutputError):
        push(double, file, **options)
    result = push(double, file, **options)  # goes on with the project that was made
    assert (result.project_id, result.tasks, result.done_before) == (2, 3, 2)
    assert double.projects[2] == {"id": 2, "title": "Mine & yours", "label_config": CONFIG}
    assert names(double, 2) == ALL
    assert push(double, file).tasks == 5  # to another one


def test_nothing_is_sent_where_a_task_does_not_hold(double: Double, file: Path) -> None:
    content = json.loads(file.read_text())
    content[3]["predictions"][0]["result"][0]["value"]["rectanglelabels"] = ["Boat"]
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match="Boat"):
        push(double, file)
    (tmp := file.with_name("config.xml")).write_text(CONFIG)
    with pytest.raises(InputError, match="Boat"):
        push(double, file, project_id=None, title="New", config=tmp)
    assert not [path for method, path in double.requests if method == "POST"]


def test_one_push_at_a_time(double: Double, file: Path) -> None:
    def within(done: int, total: int) -> None:
        with pytest.raises(OutputError, match="another one at work"):
            push(double, file)

    assert push(double, file, progress=within).tasks == 5


def test_a_journal_that_a_kill_cut_off(double: Double, file: Path) -> None:
    push(double, file)
    journal = file.with_name("tasks.json.pushed")
    whole = journal.read_bytes()
    lines = whole.splitlines(keepends=True)
    journal.write_bytes(whole[:-5])  # of {"done":2}: it was sent, which the project tells
    assert push(double, file).tasks == 0
    assert journal.read_bytes() == whole
    journal.write_bytes(b"".join(lines[:-2]) + lines[-2][:-9])  # of the batch's line: it was never sent
    del double.tasks[1][4:]
    assert push(double, file).tasks == 1
    assert names(double) == ALL
    journal.write_bytes(b"{}\n")
    with pytest.raises(OutputError, match=r"tasks.json.pushed: line 1: must be a journal"):
        push(double, file)


def test_a_journal_of_another_server(double: Double, file: Path) -> None:
    push(double, file)
    with running_double() as other:
        other.add_project()
        assert push(other, file).tasks == 5
