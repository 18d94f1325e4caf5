from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from predarrow import InputError, PredarrowError, push_label_studio
from predarrow.errors import OutputError
from predarrow.label_studio_server import Server, checked_url
from tests.label_studio_pushes import push, quick_double, task
from tests.label_studio_server import CONFIG, TOKEN, Double, Fault


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    with quick_double(monkeypatch) as running:
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([task(number) for number in range(5)], indent=1))
    return path


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


@pytest.mark.parametrize(
    "content", ["", "[", "{}", "[1]", '[{"data": {}, "predictions": [5]}]', '[{"id": 1, "task": 2, "result": []}]']
)
def test_files_that_are_no_tasks(double: Double, tmp_path: Path, content: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(content)
    with pytest.raises(InputError):
        push(double, path)
    assert double.n_imports == 0


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
