"""Rows of whole data units -> their tasks as JSON, in pieces that are written as they are made.

    ,{"data": {"image": "a.jpg"}, "predictions": [{"model_version": "one", "result": [     glue
    {"id": "r1", "from_name": …, "value": {"x": …}}                                        item
    ,                                                                                      glue
    {"id": "r2", …}                                                                        item
    ]}]}                                                                                   glue

What stands between items is put in front of them when their own text is made, some thousand at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.formats.json_text import json_text, members_text
from predarrow.formats.label_studio.check_masks import MANY_MASKS, MOST_MASKS
from predarrow.formats.label_studio.config import root_of
from predarrow.formats.label_studio.write_attributes import Note, texts_of
from predarrow.formats.label_studio.write_forms import Form
from predarrow.formats.label_studio.write_items import Items
from predarrow.formats.label_studio.write_places import Group, Places, places_of
from predarrow.formats.label_studio.write_rows import Rows
from predarrow.formats.label_studio.write_videos import Unit, sequence_units

Ints = npt.NDArray[np.int64]

_BLOCK_ROWS = 8192
_BLOCK_BYTES = 1 << 26  # of columns and text, as far as can be told


class Text(NamedTuple):
    """A piece of tasks."""

    text: memoryview
    begins: Ints
    """Where in it tasks begin"""


Piece = Callable[[], Text]


class Options(NamedTuple):
    """How tasks are made of rows."""

    addresses: Callable[[list[str]], list[str]]
    """Data units -> addresses"""
    model_version: str | None
    frame_rate: Callable[[str], float]
    """Frames a second of the video of a name"""
    shown: tuple[str, ...]
    """Members that a task's data must have, where a config was given"""


class Written(NamedTuple):
    """Tasks as text."""

    n_tasks: int
    pieces: Iterator[Piece]


def tasks_of(rows: Rows, options: Options, flags: Counter[str]) -> Written:
    """Give the tasks of rows, none of which is refused."""
    places = places_of(rows)
    builder = _Builder(rows.take(places.order), places, options)
    flags[MANY_MASKS] += builder.n_with_many_masks()
    builder.build()
    flags.update(builder.lacking())
    return Written(len(places.units), builder.pieces())


class _Builder:
    """Lays out items and what stands between them.

    Args:
        rows: in the order of `places`.
        places: where they belong.
        options: how tasks are made.
    """

    def __init__(self, rows: Rows, places: Places, options: Options) -> None:
        self._rows = rows
        self._places = places
        self._options = options
        self._group = places.group[places.order]
        self._region = None if places.region is None else places.region[places.order]
        self._waiting: list[dict[str, list[tuple[int, msgspec.Raw]]]] = []
        """By task and list, entries without a row"""
        self._results = [result for form in rows.forms for result in form.results]
        counts = np.array([len(form.results) for form in rows.forms], np.int64)
        self._first = np.zeros(len(rows) + 1, np.int64)
        """(n + 1,) first result of each row, among those of all rows"""
        np.cumsum(counts[rows.form], out=self._first[1:])
        self._owner = np.repeat(np.arange(len(rows)), counts[rows.form])
        base = np.cumsum(counts) - counts
        self._code = np.arange(self._owner.size) - np.repeat(self._first[:-1] - base[rows.form], counts[rows.form])
        is_odd = [form.is_sequence or any(each.at is not None for each in form.results) for form in rows.forms]
        self._is_odd = np.array(is_odd, np.bool_)[rows.form]
        self._parts: list[str] = []
        self._at: list[int] = []
        self._texts: list[str] = []
        self._begins: list[int] = []
        """Items that are the first of their task"""
        self._before: list[int] = []
        """Bytes in front of each of them that are of the task before"""
        self._spans: list[tuple[Ints, Ints]] = []
        self._entries: dict[int, str] = {}
        self._keys: Counter[str] = Counter()
        """Of tasks that were not read, the member with the address"""
        self._n = 0

    def n_with_many_masks(self) -> int:
        """Count tasks with more masks than the editor opens."""
        is_mask = np.array([form.shape in ("brush", "bitmask") for form in self._rows.forms], np.bool_)[self._rows.form]
        if not is_mask.any():
            return 0
        task = np.array([group.task for group in self._places.groups], np.int64)[self._group]
        return int((np.bincount(task[is_mask]) > MOST_MASKS).sum())

    def lacking(self) -> Counter[str]:
        """Count the tasks that were laid out without a member that the config shows: only the address is known."""
        return Counter(
            {
                f"task without {name!r}, which the config shows: Label Studio does not take it": count
                for key, count in self._keys.items()
                for name in self._options.shown
                if key not in (name, root_of(name))
            }
        )

    def build(self) -> None:
        """Lay out all tasks."""
        groups = self._places.groups
        is_made = all(group.note is None and group.list_name == "predictions" for group in groups)
        if is_made and len(groups) == len(self._places.units) and not (any(self._places.tasks) or self._is_odd.any()):
            self._build_plain()
            return
        self._waiting = [_rowless(note) for note in self._places.tasks]
        bounds = np.searchsorted(self._group, np.arange(len(groups) + 1)).tolist()
        heads = self._heads()
        has_odd = np.zeros(len(groups), np.bool_)
        has_odd[self._group[self._is_odd]] = True
        task, name = -1, ""
        n_listed = 0
        for number, (begin, end) in enumerate(pairwise(bounds)):
            group = groups[number]
            if group.task != task:
                if task >= 0:
                    self._close_task(task, name, n_listed)
                self._begins.append(self._n)
                self._before.append(len("".join(self._parts).encode()))
                self._add(heads[group.task])
                task, name = group.task, ""
            if group.list_name != name:
                if name:
                    self._close_list(task, name, n_listed)
                glue = (
                    "" if not name and heads[task].endswith("{") else ","
                )  # a task may have had nothing but its lists
                name, n_listed = group.list_name, 0
                self._add(f"{glue}{json_text(name)}:[")
            n_listed = self._add_rowless(task, name, n_listed)
            self._add(("," if n_listed else "") + self._group_head(group))
            self._add_results(group, begin, end, has_odd=bool(has_odd[number]))
            self._add("]}")
            n_listed += 1
        if task >= 0:
            self._close_task(task, name, n_listed)

    def _build_plain(self) -> None:
        """Lay out tasks of one prediction each that were not read from Label Studio."""
        starts = np.searchsorted(self._group, np.arange(len(self._places.groups)))
        self._begins = self._at = self._first[starts].tolist()
        heads: dict[str | None, str] = {}
        for group in self._places.groups:
            if group.model_version not in heads:
                heads[group.model_version] = f',"predictions":[{self._group_head(group)}'
        pairs = zip(self._heads(), self._places.groups, strict=True)
        self._texts = [f"]}}]}}{head}{heads[group.model_version]}" for head, group in pairs]
        self._texts[0] = self._texts[0].removeprefix("]}]}")
        self._before = [0, *[len("]}]}")] * (len(starts) - 1)]
        self._parts = ["]}]}"]
        self._spans.append((self._owner, self._code))
        self._n = self._owner.size

    def _heads(self) -> list[str]:
        """Give the beginning of each task, without its lists."""
        tasks = np.array([group.task for group in self._places.groups], np.int64)
        first = np.searchsorted(self._group, np.searchsorted(tasks, np.arange(len(self._places.units))))
        units = self._rows.columns["data_unit"].take(pa.array(first)).to_pylist()
        addresses = self._options.addresses(units)
        keys = [
            f',\n{{"data":{{{json_text(form.data_key)}:{"[" if form.is_listed else ""}' for form in self._rows.forms
        ]
        ends = ["]}" if form.is_listed else "}" for form in self._rows.forms]
        forms = self._rows.form[first].tolist()
        heads = [f"{keys[form]}{address}{ends[form]}" for form, address in zip(forms, addresses, strict=True)]
        for task, note in enumerate(self._places.tasks):
            if note is not None and note.kept is not None and note.kept.task is not None:
                heads[task] = ",\n{" + members_text(texts_of(note.kept.task))
            else:
                self._keys[self._rows.forms[forms[task]].data_key] += 1
        return heads

    def _group_head(self, group: Group) -> str:
        version = group.model_version
        if version is None and group.list_name == "predictions":
            version = self._options.model_version
        members = {} if version is None else {"model_version": json_text(version)}
        kept = None if group.note is None else group.note.kept
        if kept is not None and kept.prediction is not None:
            own = texts_of(kept.prediction)
            own.pop("results", None)
            members |= own
        return f'{{{members_text(members)}{"," if members else ""}"result":['

    def _add_results(self, group: Group, begin: int, end: int, *, has_odd: bool) -> None:
        others = others_of(group)
        if others or has_odd:
            self._add_units(ordered(self._units(begin, end), others))
        else:
            self._put(int(self._first[begin]), int(self._first[end]))

    def _units(self, begin: int, end: int) -> Iterator[Unit]:
        """Give the results of a prediction's rows; those of a sequence are one."""
        rows = self._rows
        regions: dict[Any, list[int]] = {}
        for row in range(begin, end):
            form = rows.forms[rows.form[row]]
            if form.is_sequence:
                regions.setdefault(self._region_key(row), []).append(row)
        for row in range(begin, end):
            form = rows.forms[rows.form[row]]
            if not form.is_sequence:
                first = int(self._first[row])
                for place, each in enumerate(form.results):
                    yield Unit(each.at, place == 0, result=first + place)
            elif regions[self._region_key(row)][0] == row:
                yield from sequence_units(rows, regions[self._region_key(row)], int(self._first[row]), self._rate(form))

    def _region_key(self, row: int) -> Any:
        """Give what entries of one sequence share."""
        if self._region is not None and self._region[row] >= 0:
            return int(self._region[row])
        object_id = self._rows.columns["object_id"][row].as_py()
        return (row,) if object_id is None else object_id

    def _rate(self, form: Form) -> float:
        return self._options.frame_rate(form.to_name)

    def _add_units(self, units: Iterator[Unit | str]) -> None:
        for place, unit in enumerate(units):
            if isinstance(unit, str):
                self._add(("," if place else "") + unit)
            elif unit.result is not None:
                self._separate(place)
                self._put(unit.result, unit.result + 1)
            else:
                self._add(("," if place else "") + unit.head)
                for at, (row, text) in enumerate(zip(unit.rows, unit.entries, strict=True)):
                    self._separate(at)
                    self._entries[self._n] = text
                    self._flush()
                    self._spans.append((np.array([row]), np.array([-1])))
                    self._n += 1
                self._add(unit.tail)

    def _separate(self, place: int) -> None:
        """Put a comma in front of an item that is not the first in its list, where other text goes there, too."""
        if place and self._parts:
            self._parts.append(",")

    def _add(self, text: str) -> None:
        self._parts.append(text)

    def _put(self, begin: int, end: int) -> None:
        """Add results, by their numbers among those of all rows."""
        if begin < end:
            self._flush()
            self._spans.append((self._owner[begin:end], self._code[begin:end]))
            self._n += end - begin

    def _flush(self) -> None:
        """Let the text so far stand in front of the next item."""
        if self._parts:
            self._at.append(self._n)
            self._texts.append("".join(self._parts))
            self._parts = []

    def _add_rowless(self, task: int, name: str, n_listed: int, *, is_end: bool = False) -> int:
        """Add entries of a list that have no row, those whose place has come; give how many there are then."""
        waiting = self._waiting[task].get(name, [])
        while waiting and (is_end or waiting[0][0] <= n_listed):
            self._add(("," if n_listed else "") + bytes(waiting.pop(0)[1]).decode())
            n_listed += 1
        return n_listed

    def _close_list(self, task: int, name: str, n_listed: int) -> None:
        self._add_rowless(task, name, n_listed, is_end=True)
        self._add("]")
        self._waiting[task].pop(name, None)

    def _close_task(self, task: int, name: str, n_listed: int) -> None:
        self._close_list(task, name, n_listed)
        for other, entries in self._waiting[task].items():
            texts = ",".join(bytes(raw).decode() for _, raw in entries)
            self._add(f",{json_text(other)}:[{texts}]")
        self._add("}")

    def pieces(self) -> Iterator[Piece]:
        """Give what makes the text."""
        rows = self._rows
        if len(self._spans) == 1:
            ((owner, code),) = self._spans
        else:
            owner, code = (np.concatenate([span[at] for span in self._spans]) for at in (0, 1))
        items = Items(rows, owner, code, self._results, self._entries)
        size = 12 * sum(column.nbytes for column in rows.columns.values()) // max(len(rows), 1) + 400
        step = max(1, min(_BLOCK_ROWS, _BLOCK_BYTES // size))
        begins, before = np.array(self._begins, np.int64), np.array(self._before, np.int64)
        for begin in range(0, self._n, step):
            end = min(begin + step, self._n)
            first, last = np.searchsorted(begins, [begin, end]).tolist()
            told = begins[first:last] - begin, before[first:last]
            yield partial(_block, items, begin, end, self._glue(begin, end), *told)
        yield partial(Text, memoryview("".join(self._parts).encode()), np.empty(0, np.int64))

    def _glue(self, begin: int, end: int) -> pa.StringArray:
        """Give what stands in front of each of some items."""
        first, last = np.searchsorted(self._at, [begin, end]).tolist()
        texts = pa.array([",", *self._texts[first:last]], pa.string())
        which = np.zeros(end - begin, np.int64)
        which[np.array(self._at[first:last], np.int64) - begin] = np.arange(1, last - first + 1)
        return texts.take(pa.array(which))


def _rowless(note: Note | None) -> dict[str, list[tuple[int, msgspec.Raw]]]:
    """Give a task's entries without a row, by list."""
    kept = None if note is None else note.kept
    return {} if kept is None else {name: sorted(entries, key=_place) for name, entries in kept.rowless.items()}


def _place(entry: tuple[int, msgspec.Raw]) -> int:
    return entry[0]


def _block(items: Items, begin: int, end: int, glue: pa.StringArray, begins: Ints, before: Ints) -> Text:
    texts = items.texts(begin, end, glue)
    _, offsets, data = texts.buffers()
    places = np.frombuffer(offsets, np.int32, len(texts) + 1, 4 * texts.offset)
    text = memoryview(data)[int(places[0]) : int(places[-1])]
    return Text(text, places[begins].astype(np.int64) - places[0] + before)


def others_of(group: Group) -> list[tuple[int, str]]:
    """Give results of a prediction that have no row, by their places."""
    kept = None if group.note is None else group.note.kept
    raw = None if kept is None or kept.prediction is None else kept.prediction.get("results")
    return [] if raw is None else [(place, bytes(text).decode()) for place, text in _decode_placed(raw)]


_decode_placed = msgspec.json.Decoder(list[tuple[int, msgspec.Raw]]).decode


def ordered(units: Iterator[Unit], others: list[tuple[int, str]]) -> Iterator[Unit | str]:
    """Give results in their places: those that have one there, the others where there is room, in their order."""
    told: list[tuple[int, Unit | str]] = list(others)
    free: list[Unit] = []
    last: int | None = None  # where the result before stands, where it has a place of its own
    for unit in units:
        place = unit.at if unit.at is not None else None if unit.is_first or last is None else last + 1
        last = place
        if place is None:
            free.append(unit)
        else:
            told.append((place, unit))
    told.sort(key=lambda pair: pair[0])
    n, at, used = len(told) + len(free), 0, 0
    for place in range(n):
        if at < len(told) and (told[at][0] <= place or used == len(free)):
            yield told[at][1]
            at += 1
        else:
            yield free[used]
            used += 1
