"""The column `attributes` of rows in their order: what only the first row of a task or prediction has goes to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from predarrow.formats.json_text import string_text
from predarrow.formats.label_studio.collect import Collected
from predarrow.formats.label_studio.regions import Region
from predarrow.formats.label_studio.wire import members_text, text_of


@dataclass(slots=True)
class Lines:
    """What attributes are made of, row by row, before it is known which rows are first."""

    regions: list[int] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    """Attributes, each with a comma behind"""
    inner: list[str] = field(default_factory=list)
    """Members of the attribute `label_studio`, each with a comma before"""
    results: list[str] = field(default_factory=list)
    """The region's results, empty where another row has them"""

    def take(self, order: Sequence[int]) -> Lines:
        """Give rows in an order."""
        texts = ([column[place] for place in order] for column in (self.heads, self.inner, self.results))
        return Lines([self.regions[place] for place in order], *texts)


def row_texts(lines: Lines, collected: Collected) -> list[str]:
    """Give attributes of rows in their order; the first of a task and of a prediction tell of these."""
    versions = [_version(prediction.model_version) for prediction in collected.predictions]
    lists = ["" if each.of_list == "predictions" else f',"list":"{each.of_list}"' for each in collected.predictions]
    regions = collected.regions
    texts = []
    last_prediction, last_task = -1, -1
    columns = zip(lines.regions, lines.heads, lines.inner, lines.results, strict=True)
    for place, head, own, results in columns:
        number = regions[place].prediction
        inner = lists[number]
        if number != last_prediction:
            inner = _prediction_text(collected, number) + inner
            task = collected.predictions[number].task
            if task != last_task:
                inner = _task_text(collected, task) + inner
            last_prediction, last_task = number, task
        if results:
            inner += f',"results":{results}'
        inner += own
        if collected.tasks[last_task].has_sequence:
            inner += _at(collected, regions[place])
        texts.append(f'{{{head}{versions[number]}"label_studio":{{{inner[1:]}}}}}')
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
