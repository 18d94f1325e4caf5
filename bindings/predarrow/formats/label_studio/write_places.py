"""Which task and which prediction of it each row belongs to, and their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from predarrow.formats.label_studio.documents import LISTS
from predarrow.formats.label_studio.write_attributes import Note
from predarrow.formats.label_studio.write_rows import Rows
from predarrow.formats.write_distinct import distinct

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Group:
    """A prediction or annotation."""

    task: int
    list_name: str
    model_version: str | None
    place: int
    """In its list, as far as is known; else in the order they come"""
    note: Note | None = None
    """Attributes of the row that tells of it"""


@dataclass(slots=True)
class Places:
    """Where rows belong."""

    order: Ints
    """(n,) rows by task, list, prediction and place in it"""
    group: Ints
    """(n,) each row's prediction, a place in `groups`"""
    groups: list[Group]
    region: Ints | None
    """(n,) each row's region in its prediction, where rows tell; -1 where one does not"""
    units: list[int]
    """By task, its data unit's number"""
    tasks: list[Note | None]
    """By task, attributes of the row that tells of it"""


def by_source(rows: Rows) -> Rows:
    """Give rows of whole data units, those of one file together where Label Studio's tasks of several have one.

    Their numbers in their files, which they are sorted by, say nothing of rows of other files.
    """
    if all(note.kept is None for note in rows.notes.items):
        return rows
    source = sources_of(rows)
    has_changed = (np.diff(source) != 0) & (np.diff(rows.unit) == 0)
    return rows.take(np.lexsort((source, rows.unit))) if has_changed.any() else rows


def sources_of(rows: Rows) -> Ints:
    """Give (n,) a number for each row's file, in the order they come."""
    encoded = rows.columns["source"].dictionary_encode("encode")
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False), np.int64)


def places_of(rows: Rows) -> Places:
    """Give where rows of whole data units belong, those of one file together; see `by_source`."""
    items = rows.notes.items
    if all(note.kept is None for note in items):
        return _made_places(rows)
    versions: dict[tuple[str, str | None], int] = {}
    keys = np.array([versions.setdefault(_key(note), len(versions)) for note in items], np.int64)[rows.notes.code]
    has_task = _have(items, "task")[rows.notes.code]
    has_prediction = _have(items, "prediction")[rows.notes.code]
    has_at = _have(items, "at")[rows.notes.code]
    walk = _Walk(rows, list(versions), has_task, has_prediction)
    if has_at.any():
        for row in range(len(rows)):
            walk.add(row, row + 1, int(keys[row]))
    else:
        is_first = has_task | has_prediction
        is_first[:1] = True
        is_first[1:] |= (np.diff(rows.unit) != 0) | (np.diff(keys) != 0) | (np.diff(walk.source) != 0)
        starts = np.flatnonzero(is_first)
        ends = [*starts[1:].tolist(), len(rows)]
        for begin, end, key in zip(starts.tolist(), ends, keys[starts].tolist(), strict=True):
            walk.add(begin, end, key)
    return walk.places()


def _made_places(rows: Rows) -> Places:
    """Give where rows belong that were not read from Label Studio: a prediction for each model version of a unit."""
    versions: dict[str | None, int] = {}
    keys = np.array([versions.setdefault(note.model_version, len(versions)) for note in rows.notes.items], np.int64)
    keys = rows.unit * len(versions) + keys[rows.notes.code]
    once = distinct(keys)
    order = np.arange(len(rows)) if (np.diff(once.which) >= 0).all() else np.argsort(once.which, kind="stable")
    unit, task = np.unique(rows.unit[once.first], return_inverse=True)
    names = list(versions)
    told = [names[key] for key in (keys[once.first] % len(versions)).tolist()]
    groups = [
        Group(number, "predictions", name, place)
        for place, (number, name) in enumerate(zip(task.tolist(), told, strict=True))
    ]
    return Places(order, once.which, groups, None, unit.tolist(), [None] * unit.size)


def _key(note: Note) -> tuple[str, str | None]:
    return ("predictions" if note.kept is None else note.kept.list_name, note.model_version)


def _have(items: list[Note], name: str) -> Bools:
    return np.array([note.kept is not None and getattr(note.kept, name) is not None for note in items], np.bool_)


class _Walk:
    """Runs of rows -> tasks and predictions."""

    def __init__(self, rows: Rows, versions: list[tuple[str, str | None]], has_task: Bools, has_told: Bools) -> None:
        self._rows = rows
        self.source = sources_of(rows)
        """(n,) number of each row's file"""
        self._versions = versions
        self._has_task, self._has_told = has_task, has_told
        self._group = np.zeros(len(rows), np.int64)
        self._region = np.full(len(rows), -1, np.int64)
        self._groups: list[Group] = []
        self._units: list[int] = []
        self._tasks: list[Note | None] = []
        self._last = -1, -1
        """Data unit and file of the last task that further rows go to"""
        self._told_tasks: dict[tuple[int, int, int], int] = {}
        self._told_groups: dict[tuple[int, str, int], int] = {}
        self._open: dict[int, int] = {}
        """By key, the prediction of the last task that further rows go to"""

    def add(self, begin: int, end: int, key: int) -> None:
        """Take rows that belong together."""
        note = self._rows.notes.of(begin)
        at = None if note.kept is None else note.kept.at
        list_name, version = self._versions[key]
        unit, source = int(self._rows.unit[begin]), int(self.source[begin])
        if at is not None:
            group = self._told((unit, source), list_name, version, at)
            self._region[begin:end] = at[2]
        else:
            if self._last != (unit, source) or self._has_task[begin]:
                self._new_task(unit)
                self._last = unit, source
            found = None if self._has_told[begin] else self._open.get(key)
            group = self._new_group(len(self._units) - 1, list_name, version, None) if found is None else found
            self._open[key] = group
        if self._has_task[begin]:
            self._tasks[self._groups[group].task] = note
        if self._has_told[begin]:
            self._groups[group].note = note
        self._group[begin:end] = group

    def _told(self, of: tuple[int, int], list_name: str, version: str | None, at: tuple[int, int, int]) -> int:
        key = (*of, at[0])
        task = self._told_tasks.get(key)
        if task is None:
            task = self._told_tasks[key] = self._new_task(of[0])
            self._last = of
        group = self._told_groups.get((task, list_name, at[1]))
        if group is None:
            group = self._new_group(task, list_name, version, at[1])
            self._told_groups[task, list_name, at[1]] = group
        return group

    def _new_task(self, unit: int) -> int:
        self._units.append(unit)
        self._tasks.append(None)
        self._open = {}
        return len(self._units) - 1

    def _new_group(self, task: int, list_name: str, version: str | None, place: int | None) -> int:
        number = len(self._groups)
        self._groups.append(Group(task, list_name, version, number if place is None else place))
        return number

    def places(self) -> Places:
        """Give what was found."""
        ranks = sorted(range(len(self._groups)), key=lambda number: self._rank(self._groups[number]))
        rank = np.empty(len(ranks), np.int64)
        rank[ranks] = np.arange(len(ranks))
        keys = rank[self._group]
        is_told = bool((self._region >= 0).any())
        if is_told:
            frame = self._rows.columns["frame"].to_numpy()
            order = np.lexsort((frame, self._region, keys))
        elif (np.diff(keys) >= 0).all():
            order = np.arange(len(keys))
        else:
            order = np.argsort(keys, kind="stable")
        groups = [self._groups[number] for number in ranks]
        region = self._region if is_told else None
        return Places(order, keys, groups, region, self._units, self._tasks)

    @staticmethod
    def _rank(group: Group) -> tuple[int, int, int]:
        return group.task, LISTS.index(group.list_name) if group.list_name in LISTS else 0, group.place
