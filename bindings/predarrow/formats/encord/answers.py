"""Answers of objects: static ones on each row of the object, dynamic ones on the frames of their ranges."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from predarrow.formats.encord.attributes import Members, member
from predarrow.formats.encord.flaws import check_key
from predarrow.formats.encord.labels import FrameLabels, Place
from predarrow.formats.encord.ranges import OVERLAPPING, Ranges, ranges_of, runs_of
from predarrow.formats.encord.rules import Entry, Rules, joined
from predarrow.formats.flaws import Flaw
from predarrow.report import Code, Problem

if TYPE_CHECKING:
    from predarrow.formats.encord.rows import LabelRow
    from predarrow.ontology import OntologyObject

NO_OBJECT = "answers of an object that is on no frame, left out"
NO_COORDINATES = "dynamic answer on frames where its object is not, kept in attributes"

_KNOWN = frozenset({"objectHash", "classifications"})
_ACTION = frozenset({"dynamic", "range", "trackHash"})


class _Action(NamedTuple):
    entry: Entry
    ranges: Ranges
    pointer: str


class ObjectAnswers:
    """Adds the answers of label rows to the attributes of their objects.

    Args:
        labels: the objects.
        rules: what their ontology says.
        members: the attributes of as many rows.
        flagged: counts what is odd.
    """

    def __init__(self, labels: FrameLabels, rules: Rules, members: Members, flagged: Counter[str]) -> None:
        self._labels = labels
        self._rules = rules
        self._members = members
        self._flagged = flagged
        self._firsts: list[tuple[list[int], str]] = []

    def add(self) -> None:
        """Add static and dynamic answers; objects whose answers do not hold are refused."""
        for number, place in enumerate(self._labels.places):
            row = place.row
            if row.is_span:
                continue
            asked = [
                key
                for key, entry in row.object_answers.items()
                if entry.get("classifications") or len(entry) > 2 or entry.get("objectHash", key) != key
            ]
            asked += [key for key in row.object_actions if key not in set(asked)]
            begin, end = self._labels.starts[number : number + 2].tolist()
            if asked or len(row.object_answers) > end - begin:
                self._add_row(place, asked, begin, end)

    def add_firsts(self) -> None:
        """Add what an object has once to the first of its rows that are left."""
        labels = self._labels
        for rows, text in self._firsts:
            left = [row for row in rows if not labels.refusals.bad[row]]
            if left:
                self._members.add_encord(min(left, key=lambda row: (labels.frame[row], row)), text)

    def _add_row(self, place: Place, asked: list[str], begin: int, end: int) -> None:
        row = place.row
        rows: dict[str, list[int]] = {}
        for number, key in enumerate(self._labels.ids[begin:end], begin):
            rows.setdefault(key, []).append(number)
        if not any(group.flaws for group in row.groups) and (strays := _strays(row, rows)):
            self._flagged[NO_OBJECT] += strays
        for key in asked:
            if key not in rows:
                continue
            try:
                self._add_object(place, key, rows[key])
            except Flaw as flaw:
                self._refuse(place, rows[key], flaw)

    def _refuse(self, place: Place, rows: list[int], flaw: Flaw) -> None:
        refusals = self._labels.refusals
        left = [row for row in rows if not refusals.bad[row]]
        if left:
            where = place.row.pointer + flaw.pointer
            number = int(self._labels.number[left[0]])
            refusals.problems.append(Problem(place.row.source, number, where, flaw.code, flaw.message))
            refusals.bad[left] = True

    def _add_object(self, place: Place, key: str, rows: list[int]) -> None:
        answers = place.row.object_answers.get(key, {})
        item = self._rules.known(self._labels.feature_hash(rows[0]))
        pointer = f".object_answers.{key}"
        check_key(answers, "objectHash", key, pointer)
        entries = self._rules.answers(answers.get("classifications") or [], item, f"{pointer}.classifications")
        kept = {name: value for name, value in answers.items() if name not in _KNOWN}
        try:
            text = member("answers", entries) if entries else ""
            kept |= self._add_actions(place, key, rows)
            first = member("object", kept) if kept else ""
        except ValueError as error:
            raise Flaw(Code.BAD_VALUE, pointer, "must be JSON of finite numbers and whole characters", error) from None
        if text:
            for row in rows:
                self._members.add(row, text)
        if first:
            self._firsts.append((rows, first))

    def _add_actions(self, place: Place, key: str, rows: list[int]) -> dict[str, Any]:
        """Add dynamic answers, and give them where their ranges would not come back."""
        given = place.row.object_actions.get(key, {})
        check_key(given, "objectHash", key, f".object_actions.{key}")
        pointer = f".object_actions.{key}.actions"
        listed = given.get("actions")
        kept = {name: value for name, value in given.items() if name not in ("objectHash", "actions")}
        item = self._rules.known(self._labels.feature_hash(rows[0]))
        actions = self._actions(listed if listed is not None else [], item, pointer)
        frames = self._labels.frame[rows]
        order = np.argsort(frames, kind="stable")
        ordered = frames[order]
        on: dict[int, list[int]] = {}
        comes_back = True
        for number, action in enumerate(actions):
            inside: list[np.ndarray[Any, Any]] = []
            for start, end in action.ranges.pairs:
                low, high = np.searchsorted(ordered, [start, end + 1]).tolist()
                inside.append(order[low:high])
            found = np.concatenate(inside) if inside else order[:0]
            for each in found.tolist():
                on.setdefault(each, []).append(number)
            comes_back &= action.ranges.is_plain and runs_of(np.unique(frames[found])) == action.ranges.pairs
            if found.size < action.ranges.n_frames:
                self._flagged[NO_COORDINATES] += 1
            if not action.ranges.is_plain:
                self._flagged[OVERLAPPING] += 1
        texts: dict[tuple[int, ...], str] = {}
        for each, numbers in on.items():
            which = tuple(numbers)
            if which not in texts:
                texts[which] = member("dynamic", self._together([actions[number] for number in numbers], item))
            self._members.add(rows[each], texts[which])
        if not comes_back:
            kept["actions"] = listed
        return {"object_actions": kept} if kept else {}

    def _actions(self, given: Any, item: OntologyObject | None, pointer: str) -> list[_Action]:
        if not isinstance(given, list):
            raise Flaw(Code.BAD_VALUE, pointer, "must be a list", given)
        actions = []
        for number, entry in enumerate(given):
            at = f"{pointer}[{number}]"
            for checked in self._rules.answers([entry], item, pointer, dynamic=True):
                ranges = ranges_of(checked.get("range"), f"{at}.range")
                answer = {name: value for name, value in checked.items() if name not in _ACTION}
                if answer.get("shouldPropagate") is False:
                    del answer["shouldPropagate"]
                actions.append(_Action(answer, ranges, at))
        return actions

    def _together(self, actions: list[_Action], item: OntologyObject | None) -> list[Entry]:
        """Give the answers on one frame, those to one checklist as one."""
        result: dict[str, Entry] = {}
        for action in actions:
            key = action.entry["featureHash"]
            if key in result:
                result[key] = joined(result[key], action.entry, self._rules.attribute(item, key), action.pointer)
            else:
                result[key] = action.entry
        return list(result.values())


def _strays(row: LabelRow, rows: dict[str, list[int]]) -> int:
    """Count the objects that are answered for and stand on no frame."""
    return sum(key not in rows for key in row.object_answers.keys() | row.object_actions.keys())
