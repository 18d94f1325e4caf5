"""Tasks of a file -> predictions and regions, not read further."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio.documents import BARE_HINT, LISTS, Entry
from predarrow.formats.label_studio.forms import ON_IMAGES, SEQUENCE, SHAPES
from predarrow.formats.label_studio.regions import Region, regions_of
from predarrow.formats.label_studio.units import Naming
from predarrow.formats.label_studio.wire import Members, any_of, many_members, members_text, parts_of, score_of
from predarrow.report import Code, Problem

What = Literal["all", "predictions", "annotations"]
WHAT: tuple[What, ...] = ("all", "predictions", "annotations")

NOT_ASKED = "predictions that were not asked for"
NOT_ASKED_ANNOTATIONS = "annotations that were not asked for"
NO_ROWS_TASK = "task without a row"
NO_ROWS = "prediction or annotation without a row"
TEXT_SCORE = "score of a prediction that is text"

_LISTS: dict[What, tuple[str, ...]] = {"all": LISTS, "predictions": LISTS[:1], "annotations": LISTS[1:]}


class Task(Struct, gc=False):
    """A task with at least one region."""

    entry: Entry
    data_unit: str
    lists: tuple[str, ...]
    """Those whose entries are read"""
    rowless: dict[str, list[tuple[int, Raw]]]
    """Entries without a region, by place, of lists that have such or are empty"""
    others: tuple[str, ...] = ()
    """Lists that were not asked for"""
    has_sequence: bool = False


class Prediction(Struct, gc=False):
    """A prediction or annotation with at least one region."""

    task: int
    of_list: str
    """"predictions", "annotations" or "completions\""""
    place: int
    """In its list"""
    pointer: str
    members: Members
    """Without result, and without a model_version that is text"""
    rowless: list[tuple[int, Raw]]
    """Results without a row, by place"""
    model_version: str | None
    score: float | None


@dataclass(slots=True)
class Collected:
    """Some tasks of a file."""

    source: str
    first: int
    """Number of the first region in the file"""
    tasks: list[Task] = field(default_factory=list)
    predictions: list[Prediction] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)

    def where(self, region: Region, place: int | None = None) -> str:
        """Give the place of a region's result in its file."""
        return f"{self.predictions[region.prediction].pointer}.result[{region.place if place is None else place}]"


def collect(source: str, entries: Sequence[Entry], what: What, naming: Naming, first: int) -> Collected:
    """Give the predictions and regions of tasks; what does not hold is told in its problems.

    Raises:
        Flaw: predictions as bare numbers.
    """
    found = Collected(source, first)
    for entry in entries:
        if entry.is_task:
            _add_task(found, entry, what, naming)
        elif what == "annotations":
            found.skipped[NOT_ASKED] += 1
        else:
            task = Task(entry, "", (), {})
            _add_named(found, task, [("predictions", 0, entry.pointer, entry.members)], naming)
    return found


def _add_task(found: Collected, entry: Entry, what: What, naming: Naming) -> None:
    asked = _LISTS[what]
    _count_others(found, entry, asked)
    named = []
    lists = tuple(name for name in asked if name in entry.members and bytes(entry.members[name]) != b"null")
    for name in lists:
        pointer = f"{entry.pointer}.{name}"
        for place, members in enumerate(_predictions(entry.members[name], name, pointer)):
            named.append((name, place, f"{pointer}[{place}]", members))
    rowless: dict[str, list[tuple[int, Raw]]] = {name: [] for name in lists}
    for name, *_ in named:
        rowless.pop(name, None)
    others = tuple(name for name in LISTS if name in entry.members and name not in asked)
    _add_named(found, Task(entry, "", lists, rowless, others), named, naming)


def _count_others(found: Collected, entry: Entry, asked: tuple[str, ...]) -> None:
    for name in LISTS:
        raw = entry.members.get(name)
        if name in asked or raw is None:
            continue
        try:
            n = len(parts_of(raw))
        except msgspec.DecodeError:
            n = 0
        if n:
            found.skipped[NOT_ASKED if name == "predictions" else NOT_ASKED_ANNOTATIONS] += n


def _predictions(raw: Raw, name: str, pointer: str) -> list[Members]:
    try:
        return many_members(raw)
    except msgspec.DecodeError:
        value = any_of(raw)
    if not isinstance(value, list):
        raise Flaw(Code.BAD_VALUE, pointer, "must be a list", value)
    place = next(place for place, each in enumerate(value) if not isinstance(each, dict))
    rule = 'must be an object, {"result": […]}'
    if isinstance(value[place], int):
        rule = f"{rule}; {BARE_HINT}"
        if name == "predictions":
            rule += ', or read annotations alone with what="annotations" (--what annotations)'
    raise Flaw(Code.BAD_VALUE, f"{pointer}[{place}]", rule, value[place])


def _add_named(found: Collected, task: Task, named: Sequence[tuple[str, int, str, Members]], naming: Naming) -> None:
    """Add a task's predictions and regions where it has any."""
    regions: list[Region] = []
    predictions: list[Prediction] = []
    n_problems = len(found.problems)
    for name, place, pointer, members in named:
        n_before = len(found.problems)
        prediction = _prediction(found, len(found.tasks), name, place, pointer, members)
        if prediction is None:
            continue
        new = _regions(found, prediction, members, len(found.predictions) + len(predictions))
        if new:
            predictions.append(prediction)
            regions += new
        elif len(found.problems) == n_before:
            found.skipped[NO_ROWS] += 1
            task.rowless.setdefault(name, []).append((place, Raw(_object(members))))
    if not regions:
        if len(found.problems) == n_problems:
            found.skipped[NO_ROWS_TASK] += 1
        return
    try:
        _name(task, regions, naming)
    except Flaw as flaw:
        found.problems.append(Problem(found.source, None, flaw.pointer, flaw.code, flaw.message))
        return
    found.tasks.append(task)
    found.predictions += predictions
    found.regions += regions


def _object(members: Members) -> bytes:
    return f"{{{members_text(members)}}}".encode()


def _prediction(
    found: Collected, task: int, name: str, place: int, pointer: str, members: Members
) -> Prediction | None:
    """Give a prediction without regions yet; None where its score does not hold."""
    beside = {key: raw for key, raw in members.items() if key != "result"}
    version = any_of(beside["model_version"]) if "model_version" in beside else None
    if isinstance(version, str):
        del beside["model_version"]
    try:
        value = any_of(beside["score"]) if "score" in beside else None
        score = score_of(value)
    except Flaw as flaw:
        found.problems.append(Problem(found.source, None, pointer + flaw.pointer, flaw.code, flaw.message))
        return None
    if isinstance(value, str):
        found.flagged[TEXT_SCORE] += 1
    model_version = version if isinstance(version, str) else None
    return Prediction(task, name, place, pointer, beside, [], model_version, score)


def _regions(found: Collected, prediction: Prediction, members: Members, number: int) -> list[Region]:
    try:
        if "result" not in members:
            raise Flaw(Code.BAD_VALUE, ".result", "must be there, a list of results", told="none")
        new = regions_of(members["result"], number, found.flagged)
    except Flaw as flaw:
        where = prediction.pointer + flaw.pointer
        found.problems.append(Problem(found.source, None, where, flaw.code, flaw.message))
        return []
    prediction.rowless = new.rowless
    for place, told in new.flaws:
        where = f"{prediction.pointer}.result[{place}]{told.pointer}"
        found.problems.append(Problem(found.source, None, where, told.code, told.message))
    return new.regions


def _may_move(region: Region) -> bool:
    """Tell whether a region may have a sequence: by its type, or whatever that is by its value."""
    main = region.main
    shape = SHAPES.get(main.type)
    return shape == SEQUENCE or (shape not in ON_IMAGES and b'"sequence"' in bytes(main.value))


def _name(task: Task, regions: Sequence[Region], naming: Naming) -> None:
    to_names = list(dict.fromkeys(region.main.to_name for region in regions))
    types = {region.main.type for region in regions}
    is_text = bool(types & {"hypertextlabels", "paragraphlabels"})
    if "labels" in types and not is_text:
        is_text = any(region.main.type == "labels" and b'"text"' in bytes(region.main.value) for region in regions)
    task.data_unit = naming.data_unit(task.entry, to_names, is_text)
    task.has_sequence = any(map(_may_move, regions))
