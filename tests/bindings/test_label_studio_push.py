from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import predarrow.label_studio_server as server_module
from predarrow import InputError, PredarrowError, push_label_studio
from predarrow.errors import OutputError
from predarrow.label_studio_push import LabelStudioPushResult
from predarrow.label_studio_server import Server, checked_url
from tests.label_studio_server import CONFIG, TOKEN, Double, Fault, running_double


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    monkeypatch.setattr(server_module, "_PAUSES", (0.01, 0.01))
    monkeypatch.setattr(server_module, "_POLL", 0.01)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    with running_double() as running:
        running.add_project()
        yield running


def task(number: int, **members: Any) -> dict[str, Any]:
    """Give a task with one prediction of one box."""
    value: dict[str, Any] = {"x": 4.98, "y": 1, "width": 30.1, "height": 5, "rotation": 0, "rectanglelabels": ["Car"]}
    region: dict[str, Any] = {
        "id": f"r{number}",
        "from_name": "box",
        "to_name": "image",
        "type": "rectanglelabels",
        "value": value,
    }
    region |= {"original_width": 100, "original_height": 50, "score": 0.5}
    predictions = [{"model_version": "one", "score": 0.5, "result": [region]}]
    return {"data": {"image": f"{number}.png"}, "predictions": predictions, **members}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([task(number) for number in range(5)], indent=1))
    return path


def push(double: Double, tasks: Any, **options: Any) -> LabelStudioPushResult:
    given = {"project_id": 1, "batch_tasks": 2} | options
    return push_label_studio(tasks, url=double.url, token=TOKEN, timeout=5, **given)


def names(double: Double, project: int = 1) -> list[str]:
    return [data["image"] for data in double.ids(project)]


ALL = [f"{number}.png" for number in range(5)]


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


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


@pytest.mark.parametrize(
    "content", ["", "[", "{}", "[1]", '[{"data": {}, "predictions": [5]}]', '[{"id": 1, "task": 2, "result": []}]']
)
def test_files_that_are_no_tasks(double: Double, tmp_path: Path, content: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(content)
    with pytest.raises(InputError):
        push(double, path)
    assert double.n_imports == 0


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


def test_the_token_is_told_nowhere(double: Double, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", TOKEN)
    double.faults[0] = Fault(400, json.dumps({"detail": f"Token {TOKEN} of {TOKEN} Bearer abc.def"}).encode())
    with pytest.raises(OutputError) as raised:
        push_label_studio(file, url=double.url, project_id=1)
    error: BaseException | None = raised.value
    assert "***" in str(error)
    assert "abc.def" not in str(error)
    assert TOKEN not in str(error) + repr(error) + repr(Server(double.url, TOKEN, 1).__dict__)
    assert error is not None
    assert error.__suppress_context__
    push_label_studio(file, url=double.url, project_id=1)
    assert set(double.tokens) == {f"Token {TOKEN}"}
    assert TOKEN not in file.with_name("tasks.json.pushed").read_text()


def web_token(seconds: int, kind: str) -> str:
    """Give a JSON web token that expires in that time."""
    parts = {"alg": "HS256", "typ": "JWT"}, {"exp": int(time.time()) + seconds, "token_type": kind}
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*texts, "c2lnbmVk"])


@pytest.mark.filterwarnings("ignore:The `parse_obj` method:DeprecationWarning")  # the SDK calls it
def test_web_tokens(double: Double, file: Path) -> None:
    refresh, double.access = web_token(1000, "refresh"), web_token(500, "access")
    double.faults[0] = Fault(400, f"for {double.access} and {refresh}".encode())
    with pytest.raises(OutputError, match=r"got for \*\*\* and \*\*\*"):
        push_label_studio(file, url=double.url, token=refresh, project_id=1)
    assert push_label_studio(file, url=double.url, token=refresh, project_id=1).tasks == 5
    assert f"Bearer {double.access}" in double.tokens
    old = web_token(-1000, "refresh")
    with pytest.raises(OutputError, match=r"status 401.*has expired") as raised:
        push_label_studio(file, url=double.url, token=old, project_id=1)
    assert old not in str(raised.value)


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "ä", f"{TOKEN}\n{TOKEN}"])
def test_tokens_that_are_none(double: Double, file: Path, token: str) -> None:
    with pytest.raises(PredarrowError, match=r"^token: must be ") as raised:
        push_label_studio(file, url=double.url, token=token, project_id=1)
    assert TOKEN not in str(raised.value)
    assert not double.requests


@pytest.mark.parametrize("url", ["", "x", "ftp://x", "http://", "http://[", "http://u:pass@x", "http://x?a=1", None])
def test_urls_that_are_none(file: Path, url: Any) -> None:
    with pytest.raises(PredarrowError, match=r"^url: must be the address of a server") as raised:
        push_label_studio(file, url=url, token=TOKEN, project_id=1)
    assert "pass" not in str(raised.value)


def test_urls() -> None:
    assert checked_url("https://labels.example.com/ls/") == "https://labels.example.com/ls"


@pytest.mark.parametrize(
    "options",
    [
        {"project_id": None},
        {"title": "New"},
        {"config": CONFIG},
        {"project_id": None, "title": "New"},
        {"project_id": None, "title": "ab", "config": CONFIG},
        {"project_id": 0},
        {"project_id": "1"},
        {"batch_tasks": 0},
        {"batch_bytes": 0.5},
    ],
)
def test_options_that_do_not_hold(double: Double, file: Path, options: dict[str, Any]) -> None:
    with pytest.raises(PredarrowError):
        push(double, file, **options)
    assert not double.requests


@pytest.mark.parametrize("tasks", [5, {"data": {}}, [5], "nowhere.json"])
def test_tasks_that_are_none(double: Double, tasks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PredarrowError):
        push(double, tasks)
    assert double.n_imports == 0


def test_without_the_sdk(double: Double, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "label_studio_sdk", None)
    with pytest.raises(PredarrowError, match=r"pip install 'predarrow\[label-studio\]'"):
        push(double, file)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            b'{"detail": "No", "validation_errors": {"title": ["Short.", "Odd."], "a": {"b": 1}}}',
            "No: title: Short., Odd., a: b: 1",
        ),
        (b'{"detail": "No", "validation_errors": null}', "No"),
        (b'["odd"]', "['odd']"),
        (b"<html>\n x", "<html> x"),
        (b"", "no words"),
        (b"x" * 5000, "x" * 599 + "…"),
    ],
)
def test_what_the_server_says(double: Double, file: Path, body: bytes, words: str) -> None:
    double.faults[0] = Fault(400, body)
    with pytest.raises(OutputError) as raised:
        push(double, file)
    assert str(raised.value) == f"{double.url}: refused with status 400, got {words}"


def test_servers_that_are_none(double: Double, file: Path) -> None:
    with pytest.raises(OutputError, match=r"status 404.*is there such a project"):
        push(double, file, project_id=9)
    double.get_faults = [Fault(200, b"<html>Hello</html>")]
    with pytest.raises(OutputError, match="Hello"):
        push(double, file)
    double.get_faults = [Fault(200, b'{"ok": true}')]
    with pytest.raises(OutputError, match="must answer as Label Studio's API does"):
        push(double, file)
    double.url = "http://127.0.0.1:9"
    with pytest.raises(OutputError, match="cannot be reached"):
        push(double, file)
