"""What was sent to which Label Studio project: a file beside the tasks, so that a push can go on.

A JSON object a line, each on the disk before the next step is taken:

    {"made": 7, "url": "https://…", "title": "Cars"}                          a project that was made
    {"batch": 0, "url": "https://…", "project": 7, "before": 120, "tasks": ["5f…", …]}   about to be sent
    {"done": 0}                                                               it arrived
    {"lost": 0}                                                               it did not

`tasks` are digests of the tasks' bytes, `before` how many tasks the project had. A batch without `done` or `lost` was
broken off while it was sent. The file never has the token.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from predarrow.errors import OutputError
from predarrow.formats.staging import explained

SUFFIX = ".pushed"


class Batch(NamedTuple):
    """A batch that was about to be sent."""

    number: int
    before: int
    """Tasks that the project had"""
    tasks: tuple[str, ...]
    """Digests"""


class Journal:
    """The journal of one push, of one server.

    Args:
        url: of the server.
        file: lines to read and to add to; None keeps nothing.
        name: of the file, for errors.
    """

    def __init__(self, url: str, file: IO[bytes] | None = None, name: str = "") -> None:
        self._url = url
        self._file = file
        self._name = name
        self._n_batches = 0
        self._made: dict[str, int] = {}
        self._sent: dict[int, dict[int, Batch]] = {}
        self._ends: dict[int, str] = {}
        if file is not None:
            self._read(file)

    def made(self, title: str) -> int | None:
        """Give the project that was made with a title."""
        return self._made.get(title)

    def done(self, project_id: int) -> Counter[str]:
        """Give how often tasks arrived in a project, by their digest."""
        batches = self._sent.get(project_id, {}).values()
        return Counter(task for batch in batches if self._ends.get(batch.number) == "done" for task in batch.tasks)

    def open_batches(self, project_id: int) -> list[Batch]:
        """Give the batches of which nobody knows whether they arrived."""
        return [batch for batch in self._sent.get(project_id, {}).values() if batch.number not in self._ends]

    def note_made(self, title: str, project_id: int) -> None:
        """Note that a project was made."""
        self._made[title] = project_id
        self._write({"made": project_id, "url": self._url, "title": title})

    def begin(self, project_id: int, before: int, tasks: Sequence[str]) -> int:
        """Note that a batch is about to be sent; give its number."""
        number = self._n_batches
        self._n_batches += 1
        self._sent.setdefault(project_id, {})[number] = Batch(number, before, tuple(tasks))
        line = {"batch": number, "url": self._url, "project": project_id, "before": before, "tasks": list(tasks)}
        self._write(line)
        return number

    def end(self, number: int, *, has_arrived: bool) -> None:
        """Note what became of a batch."""
        word = "done" if has_arrived else "lost"
        self._ends[number] = word
        self._write({word: number})

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is None:
            return
        with explained(Path(self._name)):
            self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def _read(self, file: IO[bytes]) -> None:
        content = file.read()
        whole = content.rpartition(b"\n")[0]
        for number, text in enumerate(whole.split(b"\n") if whole else []):
            try:
                self._take(json.loads(text))
            except (ValueError, KeyError, TypeError) as error:
                rule = "must be a journal of a push; remove it to send everything"
                raise OutputError(f"{self._name}: line {number + 1}: {rule}, got {error}") from None
        file.seek(len(whole) + 1 if whole else 0)  # a line that a kill cut off is written over
        file.truncate()

    def _take(self, line: dict[str, Any]) -> None:
        if "batch" in line:
            batch = Batch(int(line["batch"]), int(line["before"]), tuple(map(str, line["tasks"])))
            self._n_batches = batch.number + 1
            if line["url"] == self._url:
                self._sent.setdefault(int(line["project"]), {})[batch.number] = batch
        elif "made" in line:
            if line["url"] == self._url:
                self._made[str(line["title"])] = int(line["made"])
        else:
            ((word, number),) = line.items()
            if word not in ("done", "lost"):
                raise ValueError(f"{word!r}")
            self._ends[int(number)] = word


@contextmanager
def opened_journal(path: Path, url: str) -> Iterator[Journal]:
    """Give the journal of a file or folder of tasks, which no other push may have open.

    Raises:
        OutputError: it cannot be written or is none, or another push is at work.
    """
    name = path.with_name(path.name + SUFFIX)
    with explained(name):
        file = name.open("a+b")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OutputError(f"{name}: must be of one push at a time, got another one at work") from None
        file.seek(0)
        yield Journal(url, file, str(name))
