"""A small double of a Label Studio server: projects that take tasks, and ways to go wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "s3cret-t0ken-0123456789"

CONFIG = """<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="box" toName="image"><Label value="Car"/><Label value="Tree"/></RectangleLabels>
</View>"""


@dataclass
class Fault:
    """What becomes of one request: a status and body instead, before or after the tasks are taken."""

    status: int = 500
    body: bytes = b'{"detail": "no"}'
    is_after: bool = False
    """Whether the tasks were taken all the same"""
    hangs_up: bool = False
    """Whether no answer comes at all"""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Double:
    """The server's state."""

    url: str = ""
    projects: dict[int, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[int, list[Any]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each request"""
    tokens: list[str] = field(default_factory=list)
    faults: dict[int, Fault] = field(default_factory=dict)
    """By the number of the import request, from 0"""
    get_faults: list[Fault] = field(default_factory=list)
    """Of the next requests for a project"""
    n_imports: int = 0
    drops_predictions: bool = False
    is_queueing: bool = False
    """Whether imports are only queued, as in other editions"""
    is_asleep: bool = False
    """Whether what is queued is never taken"""
    access: str = ""
    """What a refresh token is exchanged for"""

    def add_project(self, config: str = CONFIG, title: str = "Cars") -> int:
        """Make a project."""
        number = len(self.projects) + 1
        self.projects[number] = {"id": number, "title": title, "label_config": config}
        self.tasks[number] = []
        return number

    def ids(self, project: int) -> list[Any]:
        """Give the `data` of the tasks of a project."""
        return [task["data"] for task in self.tasks[project]]


class _Handler(BaseHTTPRequestHandler):
    double: Double

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def do_GET(self) -> None:
        self._note()
        if self.double.get_faults:
            self._fail(self.double.get_faults.pop(0))
            return
        number = self._project()
        if number is None:
            self._answer(404, {"detail": "Not found."})
        else:
            n_tasks = len(self.double.tasks[number])
            self._answer(200, {**self.double.projects[number], "task_number": n_tasks})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self._note()
        if self.path.rstrip("/") == "/api/projects":
            made = self.double.add_project(body["label_config"], body["title"])
            self._answer(201, {**self.double.projects[made], "task_number": 0})
            return
        if self.path.rstrip("/") == "/api/token/refresh":
            self._answer(200, {"access": self.double.access})
            return
        fault = self.double.faults.get(self.double.n_imports)
        self.double.n_imports += 1
        if fault is not None and not fault.is_after:
            self._fail(fault)
            return
        number = self._project()
        if number is None:
            self._answer(404, {"detail": "Not found."})
            return
        self.double.tasks[number] += [] if self.double.is_asleep else body
        n_predictions = sum(len(task.get("predictions", [])) for task in body)
        if fault is not None:
            self._fail(fault)
        elif self.double.is_queueing:
            self._answer(201, {"import": 5})
        else:
            counts = {"task_count": len(body), "annotation_count": 0}
            told = 0 if self.double.drops_predictions else n_predictions
            self._answer(201, {**counts, "prediction_count": told})

    def _note(self) -> None:
        self.double.requests.append((self.command, self.path))
        self.double.tokens.append(self.headers["authorization"] or "")

    def _project(self) -> int | None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        number = int(parts[2])
        return number if number in self.double.projects else None

    def _fail(self, fault: Fault) -> None:
        if fault.hangs_up:
            self.close_connection = True
            return
        self.send_response(fault.status)
        for name, value in fault.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(fault.body)))
        self.end_headers()
        self.wfile.write(fault.body)

    def _answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running_double() -> Iterator[Double]:
    """Give a server on a port of this machine that takes requests until the block ends."""
    double = Double()
    handler = type("Handler", (_Handler,), {"double": double})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    double.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
