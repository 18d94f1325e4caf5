"""Send tasks with predictions to a Label Studio server, in batches, and go on where a run broke off."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from predarrow.errors import InputError, OutputError, PredarrowError
from predarrow.options import whole_number
from predarrow.pipeline import Progress
from predarrow.refusals import shown
from predarrow.report import Report
from predarrow.sources import StrPath

if TYPE_CHECKING:
    from predarrow.label_studio_batches import Task
    from predarrow.label_studio_journal import Journal
    from predarrow.label_studio_server import Server

_LONGEST_WAIT = 86_400.0
_TITLE = (3, 50)  # characters that Label Studio's server takes


class LabelStudioPushResult(NamedTuple):
    """What a push came to."""

    project_id: int
    tasks: int
    """Sent by this run"""
    predictions: int
    """Of these tasks"""
    done_before: int
    """Tasks that earlier runs had sent, as the journal tells"""
    report: Report
    """Of the checks: what is odd about the tasks, in `flagged`"""


def push_label_studio(
    tasks: StrPath | Sequence[Mapping[str, Any]],
    *,
    url: str,
    token: str | None = None,
    project_id: int | None = None,
    title: str | None = None,
    config: StrPath | None = None,
    batch_tasks: int = 500,
    batch_bytes: int = 20_000_000,
    timeout: float = 600.0,
    progress: Progress | None = None,
) -> LabelStudioPushResult:
    """Send tasks with their predictions to a project of a Label Studio server, through Label Studio's own SDK.

    All tasks are checked first (`check_label_studio`, by the project's labelling configuration): nothing is sent where
    one does not hold, as the server would store much of what its editor cannot open. Tasks go in batches; each must
    come back with as many tasks and predictions as were sent. Of files a journal beside them (`<name>.pushed`) tells
    what was sent to which project: run again after an error, only the rest is sent. Where a batch's answer was lost,
    the project's number of tasks tells whether it arrived; wait until the server is done with it before you go on.

    Args:
        tasks: a .json, .json.gz or .jsonl file of tasks, a folder of them, or tasks in memory (these have no journal).
        url: of the server: "https://labels.example.com".
        token: of a user of the server; None takes the environment's LABEL_STUDIO_API_KEY. Never told or kept.
        project_id: of the project to send to; or
        title: of a project to make, of 3 to 50 characters. A run that goes on sends to the one that it made.
        config: labelling configuration of the project to make, a file or its text.
        batch_tasks: the most tasks in a request.
        batch_bytes: the most bytes in a request, where it has several tasks.
        timeout: seconds to wait for an answer.
        progress: called with the number of tasks done and of all.

    Raises:
        InputError: files that cannot be read, or tasks or a configuration that do not hold.
        OutputError: the server refuses, cannot be reached, or took less than was sent; or the journal cannot be
            written.
        PredarrowError: an option that does not hold, no token, or label-studio-sdk is not installed.
    """
    from predarrow.formats.label_studio.check import check_label_studio
    from predarrow.formats.label_studio.config import LabelingConfig
    from predarrow.label_studio_batches import Tasks, batches, without
    from predarrow.label_studio_server import Server

    _check_options(project_id, title, config, batch_tasks, batch_bytes, timeout)
    xml = None if config is None else LabelingConfig.read(config).text
    given = Tasks(tasks)
    with Server(url, token, timeout) as server, _journal(tasks, server.url) as journal:
        number = project_id if title is None else journal.made(title)
        project = None if number is None else server.project(number)
        report = check_label_studio(tasks, xml if project is None else project.config)
        if report.problems:
            raise InputError(report.problems)
        if project is None:
            project = server.new_project(str(title), str(xml))
            journal.note_made(str(title), project.id)
        sender = _Sender(server, journal, project.id)
        sender.settle(project.n_tasks)
        digests, done = Counter(task.digest for task in given), journal.done(project.id)
        n_tasks, n_before = digests.total(), (digests & done).total()
        for batch in batches(without(iter(given), done), batch_tasks, batch_bytes):
            sender.send(batch)
            if progress is not None:
                progress(n_before + sender.n_tasks, n_tasks)
    return LabelStudioPushResult(project.id, sender.n_tasks, sender.n_predictions, n_before, report)


class _Sender:
    """Sends batches to a project, and notes what became of them."""

    def __init__(self, server: Server, journal: Journal, project_id: int) -> None:
        self._server = server
        self._journal = journal
        self._project = project_id
        self.n_tasks = 0
        self.n_predictions = 0

    def settle(self, n_tasks: int) -> None:
        """Find out what became of a batch whose sending was broken off.

        Args:
            n_tasks: that the project has now.

        Raises:
            OutputError: others have changed the project since.
        """
        for batch in self._journal.open_batches(self._project):
            after = batch.before + len(batch.tasks)
            if n_tasks not in (batch.before, after):
                rule = f"must have {batch.before} or {after} tasks, to tell whether a batch that broke off has arrived"
                hint = (
                    f'look for its tasks there, then add the line {{"done": {batch.number}}} to the journal where they '
                    f'are, {{"lost": {batch.number}}} where they are not'
                )
                raise OutputError(f"{self._where}: {rule}, got {n_tasks}; {hint}")
            self._journal.end(batch.number, has_arrived=n_tasks == after)

    def send(self, batch: Sequence[Task]) -> None:
        """Send a batch.

        Raises:
            OutputError: it did not arrive, or not whole, or nobody knows.
        """
        from predarrow.label_studio_server import ServerError

        values = [task.value() for task in batch]
        n_predictions = sum(len(value.get("predictions") or ()) for value in values)
        before = self._server.project(self._project).n_tasks
        number = self._journal.begin(self._project, before, [task.digest for task in batch])
        try:
            taken = self._server.send(self._project, values)
        except ServerError as error:
            if not error.is_certain:
                hint = "the batch may have arrived: wait until the server is done, then run again"
                raise OutputError(f"{error}; {hint}") from None
            self._journal.end(number, has_arrived=False)
            raise
        if taken.tasks is None:  # it is only queued, as other editions than Community do
            if not self._server.wait_for(self._project, before + len(batch)):
                hint = "wait until the server is done, then run again"
                raise OutputError(f"{self._where}: must take {len(batch)} tasks, got fewer in time; {hint}")
        elif taken.tasks != len(batch):
            raise OutputError(f"{self._where}: must take {len(batch)} tasks, got {taken.tasks}")
        self._journal.end(number, has_arrived=True)
        if taken.predictions not in (None, n_predictions):
            raise OutputError(f"{self._where}: must take {n_predictions} predictions, got {taken.predictions}")
        self.n_tasks += len(batch)
        self.n_predictions += n_predictions

    @property
    def _where(self) -> str:
        return f"{self._server.url}: project {self._project}"


def _check_options(
    project_id: int | None,
    title: str | None,
    config: StrPath | None,
    batch_tasks: int,
    batch_bytes: int,
    timeout: float,
) -> None:
    whole_number("batch_tasks", batch_tasks, 1)
    whole_number("batch_bytes", batch_bytes, 1)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < _LONGEST_WAIT:
        raise PredarrowError(f"timeout: must be seconds above 0, less than a day, got {shown(timeout)}")
    if (project_id is None) == (title is None) or (title is None) != (config is None):
        given = {"project_id": project_id, "title": title, "config": config}
        got = ", ".join(name for name, value in given.items() if value is not None) or "none"
        raise PredarrowError(f"project_id: must be given, or title and config of a project to make, got {got}")
    if project_id is not None:
        whole_number("project_id", project_id, 1)
    if title is not None and not (isinstance(title, str) and _TITLE[0] <= len(title.strip()) <= _TITLE[1]):
        raise PredarrowError(f"title: must have {_TITLE[0]} to {_TITLE[1]} characters, got {shown(title)}")


@contextmanager
def _journal(tasks: StrPath | Sequence[Mapping[str, Any]], url: str) -> Iterator[Journal]:
    from predarrow.label_studio_journal import Journal, opened_journal

    if isinstance(tasks, str | os.PathLike):
        with opened_journal(Path(tasks).absolute(), url) as journal:
            yield journal
    else:
        yield Journal(url)
