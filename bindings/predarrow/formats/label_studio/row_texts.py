"""The column `attributes` of rows in their order: what only the first row of a task or prediction has goes to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from predarrow.formats.label_studio.collect import Collected
from predarrow.formats.label_studio.regions import Region
from predarrow.formats.label_studio.wire import members_text, text_of
from predarrow.formats.openlabel.wire import string_text


class Line(NamedTuple):
    """What a row's attributes are made of, before it is known which rows are first."""

    region: int
    head: str
    """Attributes, each with a comma behind"""
    inner: str
    """Members of the attribute `label_studio`, each with a comma before"""
    results: str
    is_entry: bool
    """Whether it is an entry of a sequence"""


def row_texts(lines: Sequence[Line], collected: Collected) -> list[str]:
    """Give attributes of rows in their order; the first of a task and of a prediction tell of these."""
    versions = [_version(prediction.model_version) for prediction in collected.predictions]
    lists = ["" if each.of_list == "predictions" else f',"list":"{each.of_list}"' for each in collected.predictions]
    regions = collected.regions
    texts = []
    last_prediction, last_task = -1, -1
    for line in lines:
        number = regions[line.region].prediction
        inner = lists[number]
        if number != last_prediction:
            inner = _prediction_text(collected, number) + inner
            task = collected.predictions[number].task
            if task != last_task:
                inner = _task_text(collected, task) + inner
            last_prediction, last_task = number, task
        if line.results:
            inner += f',"results":{line.results}'
        inner += line.inner
        if collected.tasks[last_task].has_sequence:
            inner += _at(collected, regions[line.region])
        texts.append(f'{{{line.head}{versions[number]}"label_studio":{{{inner[1:]}}}}}')
    return texts


def _version(model_version: str | None) -> str:
    return "" if model_version is None else f'"model_version":{string_text(model_version)},'


def _task_text(collected: Collected, number: int) -> str:
    task = collected.tasks[number]
    if not task.entry.is_task:
        return ""
    beside = {
        name: raw for name, raw in task.entry.members.items() if name not in task.lists and name not in task.others
    }
    text = f',"task":{{{members_text(beside)}}}'
    if not task.rowless:
        return text
    lists = [f'"{name}":{_places(entries)}' for name, entries in task.rowless.items()]
    return f'{text},"rowless":{{{",".join(lists)}}}'


def _prediction_text(collected: Collected, number: int) -> str:
    prediction = collected.predictions[number]
    inside = [members_text(prediction.members)] if prediction.members else []
    if prediction.rowless:
        inside.append(f'"results":{_places(prediction.rowless)}')
    return f',"prediction":{{{",".join(inside)}}}'


def _places(entries: Sequence[tuple[int, Any]]) -> str:
    return "[" + ",".join([f"[{place},{text_of(raw)}]" for place, raw in entries]) + "]"


def _at(collected: Collected, region: Region) -> str:
    prediction = collected.predictions[region.prediction]
    place = region.parts[0].place if region.parts else region.place
    return f',"at":[{collected.tasks[prediction.task].entry.place},{prediction.place},{place}]'
