"""Tasks of Label Studio checked before they are sent.

Label Studio takes predictions by default as they are, and its strict check passes some that its editor breaks on. Here
both are refused: what `LabelInterface.validate_prediction` of label_studio_sdk 2.1.2 refuses, and

| what | what the editor would do |
|---|---|
| a key point without `width` | draws nothing, loses the geometry |
| a number as text | takes the region for a value of the whole task |
| an `id` that is no text | breaks |
| a type in capitals | loses the region |
| one id for two regions, or for two geometries | keeps one |
| a brush of another size, or that breaks off | breaks, or shows a wrong picture |
| a mask of values 0 and 1 | shows nothing |
| a box left of or above the image, sizes of 0 or below, fewer than 3 vertices | stores it as is |
| a score of a region beyond 0 to 1 | stores it as is |

What it does nothing wrong with, or what nobody tried, is flagged: regions that reach beyond the image, regions without
a label, several choices where one is asked for, more than 100 masks, spans that are not in their text.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from predarrow.errors import PredarrowError
from predarrow.formats.flaws import Flaw
from predarrow.formats.json_files import find_files
from predarrow.formats.label_studio.check_tasks import check_task
from predarrow.formats.label_studio.config import LabelingConfig
from predarrow.formats.label_studio.documents import entries_of
from predarrow.formats.label_studio.read import SUFFIXES
from predarrow.formats.label_studio.wire import any_of
from predarrow.pipeline import Progress
from predarrow.refusals import shown
from predarrow.report import Problem, Report
from predarrow.sources import StrPath

_GIVEN = "tasks"


def check_label_studio(
    tasks: StrPath | Sequence[StrPath] | Sequence[Mapping[str, Any]],
    config: StrPath | LabelingConfig | None = None,
    *,
    progress: Progress | None = None,
) -> Report:
    """Tell what Label Studio or its editor would not take of tasks with predictions or annotations, and why.

    A problem's row is the task's 0-based place in its file, its pointer the very place:
    `$[3].predictions[0].result[7].value.x`. A result has one problem at most, its first.

    Args:
        tasks: .json, .json.gz or .jsonl files, a folder of them, or tasks (or predictions) as dictionaries.
        config: the labelling config: a file, XML that begins with `<`, or one that was read. Without it names, labels
            and what the data must have are not checked.
        progress: called with the number of files done and of all files.

    Returns:
        A report: sources are files, imported are results that hold, relations aside.

    Raises:
        InputError: the config cannot be read or does not hold, or nothing to check.
        PredarrowError: tasks that are neither paths nor dictionaries.
    """
    if config is not None and not isinstance(config, LabelingConfig):
        config = LabelingConfig.read(config)
    given: Any = tasks
    if not _is_path(given) and not (isinstance(given, Sequence) and given and all(map(_is_path, given))):
        return _check_given(given, config)
    report = Report()
    files = find_files(given, SUFFIXES)
    for done, file in enumerate(files):
        _check_file(file, config, report)
        if progress is not None:
            progress(done + 1, len(files))
    return report


def _is_path(given: Any) -> bool:
    return isinstance(given, str | os.PathLike)


def _check_given(tasks: Any, config: LabelingConfig | None) -> Report:
    if not isinstance(tasks, Sequence):
        hint = "; put one task into a list" if isinstance(tasks, Mapping) else ""
        raise PredarrowError(f"tasks: must be paths, or a list of tasks, got {shown(tasks)}{hint}")
    report = Report(sources=1)
    for number, task in enumerate(tasks):
        check_task(task, f"$[{number}]", _GIVEN, number, config, report)
    return report


def _check_file(file: str, config: LabelingConfig | None, report: Report) -> None:
    report.sources += 1
    try:
        for entry in entries_of(file):
            task = {name: any_of(raw) for name, raw in entry.members.items()}
            check_task(task, entry.pointer, file, entry.place, config, report)
    except Flaw as flaw:
        report.problems.append(Problem(file, None, flaw.pointer, flaw.code, flaw.message))
