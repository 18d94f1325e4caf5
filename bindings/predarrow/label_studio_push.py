"""Send tasks with predictions to a Label Studio server, in batches, and go on where a run broke off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from predarrow.pipeline import Progress
from predarrow.report import Report
from predarrow.sources import StrPath

if TYPE_CHECKING:
    from predarrow.formats.label_studio.config import LabelingConfig

TOKEN_VARIABLE = "LABEL_STUDIO_API_KEY"


class LabelStudioPushResult(NamedTuple):
    """What a push came to."""

    project_id: int
    tasks: int
    """Sent by this run."""
    predictions: int
    """Of these tasks."""
    done_before: int
    """Tasks that earlier runs had sent, as the journal tells."""
    report: Report
    """Of the checks: what is odd about the tasks, in `flagged`."""


def push_label_studio(
    tasks: StrPath | Sequence[Mapping[str, Any]],
    *,
    url: str,
    token: str | None = None,
    project_id: int | None = None,
    title: str | None = None,
    config: LabelingConfig | StrPath | None = None,
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
    the project's number of tasks tells whether it arrived.

    Args:
        tasks: a .json, .json.gz or .jsonl file of tasks, a folder of them, or tasks in memory (these have no journal).
        url: of the server: "https://labels.example.com".
        token: of a user of the server; None takes the environment's LABEL_STUDIO_API_KEY. Never told or kept.
        project_id: of the project to send to; or
        title: of a project to make with `config`, of 3 to 50 characters. A run that goes on sends to the one it made.
        config: labelling configuration, a file or its text; None takes the project's.
        batch_tasks: the most tasks in a request.
        batch_bytes: the most bytes in a request, where it has several tasks.
        timeout: seconds to wait for an answer.
        progress: called with the number of tasks done and of all.

    Raises:
        InputError: files that cannot be read, or tasks that do not hold.
        OutputError: the server refuses, cannot be reached, or took less than was sent; or the journal cannot be
            written.
        PredarrowError: an option that does not hold, no token, or label-studio-sdk is not installed.
    """
    raise AssertionError
