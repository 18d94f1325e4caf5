"""A real Label Studio on 127.0.0.1 in a folder of its own: start, ask, stop."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

USER = "acceptance@example.com"

_STRICT = "fflag_feat_utc_210_prediction_validation_15082025"
"""The switch without which this version stores any prediction, or drops it, and answers 201 to both."""

_PATIENCE = 180.0
"""Seconds for a start: 3 with a database that is there, 46 measured for the first, with two busy cores."""


class ServerError(RuntimeError):
    """The server did not start, or refused; `status` is that of HTTP, 0 where there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Server:
    """A running Label Studio.

    Attributes:
        url: its address, without a slash at the end.
        token: of its only user; not shown.
        password: of the same.
        log: file with what it printed.
    """

    url: str
    token: str = field(repr=False)
    password: str = field(repr=False)
    log: Path

    def ask(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """Give the answer of the API to a GET, or to a POST of `body`, as JSON.

        Raises:
            ServerError: it answered with a status of 400 or more.
        """
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            words = error.read().decode(errors="replace")[:2000]
            raise ServerError(f"{path}: {error.code}: {words}", error.code) from error

    def tasks(self, project: int) -> list[dict[str, Any]]:
        """Give a project's tasks with their predictions, as they were imported."""
        answer = self.ask(f"/api/tasks?project={project}&fields=all&page_size=1000")
        tasks: list[dict[str, Any]] = answer["tasks"]
        return sorted(tasks, key=lambda task: int(task["id"]))


@contextmanager
def running(cache: Path, folder: Path) -> Iterator[Server]:
    """Run a Label Studio whose data stand in `folder`, and stop it.

    The first start makes the database, which takes half a minute: it is kept in `cache` for the next ones.

    Raises:
        ServerError: the program is not there, stopped, or gave no answer in three minutes.
    """
    template = cache / "database"
    if not template.is_dir():
        fresh = cache / "database-new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        for name in ("token", "password"):
            (fresh / name).write_text(secrets.token_hex(20), encoding="utf-8")
        with _running(fresh, folder / "first-start.log"):
            pass
        fresh.rename(template)
    data = folder / "data"
    shutil.copytree(template, data)
    with _running(data, folder / "server.log") as server:
        yield server


@contextmanager
def _running(data: Path, log: Path) -> Iterator[Server]:
    program = Path(sys.executable).with_name("label-studio")
    if not program.is_file():
        raise ServerError(f"{program}: must be there: run tests/acceptance/run, which installs it")
    token, password = ((data / name).read_text(encoding="utf-8") for name in ("token", "password"))
    port = _free_port()
    server = Server(f"http://127.0.0.1:{port}", token, password, log)
    # Bound to 127.0.0.1: the default is every interface.
    command = [str(program), "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]
    command.append("--enable-legacy-api-token")
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env=_environment(data, server), stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait(server, process)
        yield server
    finally:
        _stop(process)


def _environment(data: Path, server: Server) -> dict[str, str]:
    own = {
        "BASE_DATA_DIR": str(data),
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",  # there is a default: not set would not be off
        "FRONTEND_SENTRY_DSN": "",
        "ENABLE_LEGACY_API_TOKEN": "true",
        "USERNAME": USER,
        "PASSWORD": server.password,
        "USER_TOKEN": server.token,
        "DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "HOST": server.url,
        "DEBUG": "false",
    }
    return {**os.environ, **{f"LABEL_STUDIO_{name}": value for name, value in own.items()}, _STRICT: "true"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise ServerError(f"{server.log}: the server must not stop by itself, got exit code {process.returncode}")
        try:
            with urllib.request.urlopen(server.url + "/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise ServerError(f"{server.log}: the server must answer within {_PATIENCE:.0f} seconds")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
