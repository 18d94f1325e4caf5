"""Rules for tasks, predictions and annotations around their results."""

from __future__ import annotations

import re
from typing import Any

from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio.check_members import is_text, needed
from predarrow.formats.label_studio.check_results import Task, check_results
from predarrow.formats.label_studio.check_values import check_score
from predarrow.formats.label_studio.config import LabelingConfig, root_of
from predarrow.formats.label_studio.documents import BARE_HINT, LISTS
from predarrow.report import Code, Report


def check_task(given: Any, place: str, source: str, number: int, config: LabelingConfig | None, report: Report) -> None:
    """Add what does not hold in a task, or in a prediction that stands alone, to a report.

    Args:
        given: the task, as plain values of JSON.
        place: its pointer.
        source: what its file is called.
        number: its 0-based place there.
        config: what its results are checked against.
        report: gets its problems.
    """
    task = Task(source, number, {}, config, report)
    try:
        if not isinstance(given, dict):
            raise Flaw(Code.BAD_VALUE, "", "a task must be an object", given)
        if "data" not in given and "result" in given:
            _check_prediction(given, place, task)
            return
        data = needed(given, "data", "")
        if not isinstance(data, dict):
            raise Flaw(Code.BAD_VALUE, ".data", "must be an object", data)
    except Flaw as flaw:
        task.refuse(place, flaw)
        return
    task = task._replace(data=data)
    _check_data(place, task)
    for name in LISTS:
        if name in given:
            _check_list(given[name], f"{place}.{name}", task)


def _check_data(place: str, task: Task) -> None:
    """Refuse data without what the config shows."""
    for variable in () if task.config is None else task.config.variables:
        if variable not in task.data and root_of(variable) not in task.data:
            rule = f"must have {variable!r}, which the labelling config shows"
            flaw = Flaw(Code.MISSING_DATA, ".data", rule, told=f"only {', '.join(task.data) or 'nothing'}")
            task.refuse(place, flaw)


def _check_list(given: Any, place: str, task: Task) -> None:
    if not isinstance(given, list):
        task.refuse(place, Flaw(Code.BAD_VALUE, "", "must be a list", given))
        return
    for index, prediction in enumerate(given):
        _check_prediction(prediction, f"{place}[{index}]", task)


def _check_prediction(given: Any, place: str, task: Task) -> None:
    try:
        if not isinstance(given, dict):
            is_bare = isinstance(given, int) and not isinstance(given, bool)
            raise Flaw(Code.BAD_VALUE, "", "must be an object" + (f"; {BARE_HINT}" if is_bare else ""), given)
        results = needed(given, "result", "")
        if not isinstance(results, list):
            raise Flaw(Code.BAD_VALUE, ".result", "must be a list", results)
        _check_members(given, task.report)
    except Flaw as flaw:
        task.refuse(place, flaw)
        return
    check_results(results, f"{place}.result", task)


def _check_members(given: dict[str, Any], report: Report) -> None:
    score = given.get("score")
    if isinstance(score, str) and re.fullmatch(r"[0-9]*\.?[0-9]+", score) and float(score) <= 1:
        report.flagged["score of a prediction as text"] += 1
    elif score is not None:
        check_score(given)
    if "model_version" in given and not is_text(given["model_version"]):
        report.flagged["model version that is no text"] += 1
