"""The frame objects of many label rows, flat: what each is, where it stands, and whether it holds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pyarrow.compute as pc
from msgspec import Struct

from predarrow.classes import Texts
from predarrow.formats.encord.columns import Bools, Floats, Ints
from predarrow.formats.encord.facts import Facts, ObjectFacts
from predarrow.formats.encord.frames import Group
from predarrow.formats.encord.objects import Extra
from predarrow.formats.encord.rows import LabelRow, Unit
from predarrow.formats.encord.rules import Rules
from predarrow.formats.encord.scanned import ScannedBoxes
from predarrow.formats.encord.wire import SkeletonObject
from predarrow.formats.flaws import Flaw
from predarrow.refusals import Refusals
from predarrow.report import Code, Problem

_ENDLESS = 2**31  # frames
_DENSE = 8


class Place(Struct, gc=False):
    """Where the labels of a label row belong."""

    row: LabelRow
    data_unit: str
    size: tuple[int, int] | None
    """Height and width where the row does not tell them; None where that is not known."""
    n_frames: int | None
    first: int = 0
    """Number of the row's first label among all of its chunk."""
    timeless: Sequence[Any] = ()
    """Labels that stand on no single frame."""

    def size_of(self, unit: Unit) -> tuple[int, int]:
        """Give height and width of one of its data units, 0 where unknown."""
        return (unit.height, unit.width) if unit.height else self.size or (0, 0)


class ObjectRefusals(Refusals):
    """Refused objects; pointers are keys of the object, such as `.boundingBox.x`."""

    def __init__(self, labels: FrameLabels) -> None:
        super().__init__(labels.number)
        self._labels = labels

    def add_one(self, row: int, code: Code, pointer: str, message: str) -> None:
        """Refuse one object."""
        where = self._labels.pointer(row) + pointer
        source = self._labels.places[int(self._labels.owner[row])].row.source
        self.problems.append(Problem(source, int(self.rows[row]), where, code, message))
        self.bad[row] = True


class FrameLabels:
    """Frame objects of label rows, in the order in which they are written.

    Args:
        places: the label rows.
        scanned: their boxes, where they were scanned; then no group has objects.
    """

    def __init__(self, places: Sequence[Place], scanned: ScannedBoxes | None = None) -> None:
        self.places = places
        self.groups: list[Group] = []
        owner: list[int] = []
        base: list[int] = []
        for number, place in enumerate(places):
            first = place.first
            for group in place.row.groups:
                self.groups.append(group)
                owner.append(number)
                base.append(first)
                first += group.n
        counts = np.array([len(group.places) for group in self.groups], np.int64)
        self.objects: list[Any] = list(chain.from_iterable(group.objects for group in self.groups))
        self.scanned = scanned
        self.facts: Facts = ObjectFacts(self.objects) if scanned is None else scanned
        self.group = np.repeat(np.arange(counts.size), counts)
        self._begin = np.cumsum(counts) - counts
        self.place_in_frame = np.arange(self.group.size) - self._begin[self.group]
        for number, group in enumerate(self.groups):
            if group.n != counts[number]:
                begin = self._begin[number]
                self.place_in_frame[begin : begin + counts[number]] = group.places
        self._owners = owner
        self.owner = np.array(owner, np.int64)[self.group]
        """(n,) each object's label row, as its place in `places`"""
        self._base = np.array(base, np.int64)
        self.number = self._base[self.group] + self.place_in_frame
        """(n,) each object's number among all labels of the chunk"""
        self.frame = np.array([group.frame for group in self.groups], np.int64)[self.group]
        self.starts = np.searchsorted(self.owner, np.arange(len(places) + 1))
        """(n_rows + 1,) first object of each label row"""
        self.refusals = ObjectRefusals(self)
        self._refuse_groups()
        self._refuse_frames()

    @property
    def n(self) -> int:
        """How many objects there are, without those that could not be read."""
        return self.facts.n

    def pointer(self, row: int) -> str:
        """Give an object's place in its file."""
        return self._pointer(int(self.group[row]), int(self.place_in_frame[row]))

    def _pointer(self, number: int, place: int) -> str:
        row = self.places[self._owners[number]].row
        group = self.groups[number]
        key = "" if group.key is None else f".{group.key}"
        return f"{row.pointer}.data_units.{row.units[group.unit].key}.labels{key}.objects[{place}]"

    def _refuse_groups(self) -> None:
        """Refuse objects that could not be read, and those of frames that do not hold."""
        for number, group in enumerate(self.groups):
            for place, flaw in group.flaws:
                where = self._pointer(number, place) + flaw.pointer
                source = self.places[self._owners[number]].row.source
                label = int(self._base[number]) + place
                self.refusals.problems.append(Problem(source, label, where, flaw.code, flaw.message))
            if group.flaw is not None:
                begin = int(self._begin[number])
                for row in range(begin, begin + len(group.places)):
                    self.refusals.add_one(row, group.flaw.code, group.flaw.pointer, group.flaw.message)

    def _refuse_frames(self) -> None:
        """Refuse objects on frames that their data unit does not have, where their number is known."""
        known = [_ENDLESS if place.n_frames is None else place.n_frames for place in self.places]
        n_frames = np.array(known, np.int64)[self.owner]

        def words(row: int) -> str:
            return f"must be on a frame of the data unit, which are 0 to {n_frames[row] - 1}, got {self.frame[row]}"

        self.refusals.add(self.frame >= n_frames, Code.FRAME_RANGE, "", words)

    @cached_property
    def streams(self) -> list[str | None] | None:
        """(n,) None where no object has one."""
        streams = [group.stream for group in self.groups]
        if not any(streams):
            return None
        return [streams[number] for number in self.group.tolist()]

    @cached_property
    def extras(self) -> dict[int, Extra]:
        """By row, what objects have beside their type's fields."""
        return {
            int(self._begin[number]) + place: extra
            for number, group in enumerate(self.groups)
            if group.extras
            for place, extra in group.extras.items()
        }

    @cached_property
    def sizes(self) -> Floats:
        """(n, 2) height and width of the objects' images, 0 where unknown."""
        rows = []
        for place in self.places:
            sizes = [place.size_of(unit) for unit in place.row.units]
            rows += [sizes[group.unit] for group in place.row.groups]
        return np.array(rows, np.float64).reshape(-1, 2)[self.group]

    @cached_property
    def ids(self) -> list[str]:
        """(n,) hashes of the objects."""
        found: list[str] = self.facts.ids.to_pylist()
        return found

    def feature_hash(self, row: int) -> str:
        """Give the featureHash of an object."""
        keys, codes = self.facts.classes
        return keys[int(codes[row])][0]


class Classes(NamedTuple):
    """The classes of objects."""

    names: Texts
    hashes: Texts
    chosen: Ints
    """(n,) each object's, as its place in both."""

    @property
    def n(self) -> int:
        """How many classes there are."""
        return len(self.names.array)


def classes_of(labels: FrameLabels, rules: Rules) -> Classes:
    """Give the classes of objects; those that the ontology does not have, or has with another shape, are refused."""
    keys, chosen = labels.facts.classes
    told: dict[int, Flaw] = {}
    found: list[str] = []
    for place, (feature_hash, name, type_) in enumerate(keys):
        try:
            found.append(_class_name(feature_hash, name, type_, rules))
        except Flaw as flaw:
            found.append("")
            told[place] = flaw
    for place, reason in told.items():
        labels.refusals.add(chosen == place, reason.code, reason.pointer, reason.message)
    return Classes(Texts(found), Texts([key[0] for key in keys]), chosen)


def _class_name(feature_hash: str, name: str | None, type_: Any, rules: Rules) -> str:
    if not feature_hash:
        raise Flaw(Code.BAD_VALUE, ".featureHash", "must not be empty", feature_hash)
    item = rules.object(feature_hash)
    if item is None:
        return name or feature_hash
    shape = type_.__struct_config__.tag
    if item.shape != shape:
        rule = f"must be {item.shape}, as the class {item.name!r} is in the ontology"
        raise Flaw(Code.BAD_VALUE, ".shape", rule, shape)
    return item.name


def check_joints(labels: FrameLabels, rules: Rules) -> None:
    """Refuse skeletons whose points are not those of their class's template, where that is known."""
    if not rules.has_ontology or SkeletonObject not in set(labels.facts.types):
        return
    for row, item in enumerate(labels.objects):
        if type(item) is not SkeletonObject or labels.refusals.bad[row]:
            continue
        wanted = rules.joints(item.featureHash)
        names = [joint.name for joint in item.skeleton.values()]
        if wanted is not None and sorted(names) != sorted(wanted):
            rule = f"must have the points of the class's template, {', '.join(wanted)}"
            labels.refusals.add_one(row, Code.BAD_VALUE, ".skeleton", f"{rule}, got {', '.join(names)}")


def check_identities(labels: FrameLabels, classes: Classes) -> None:
    """Refuse an object that stands twice on a frame, or that has two classes."""
    codes = labels.facts.id_codes
    n_ids = int(codes.max(initial=0)) + 1
    empty = pc.equal(labels.facts.ids, "").to_numpy(zero_copy_only=False)
    labels.refusals.add(empty, Code.BAD_VALUE, ".objectHash", "must not be empty, got ''")
    rule = "an object must stand once on a frame"
    labels.refusals.add(
        _repeated(labels.group * n_ids + codes),
        Code.BAD_VALUE,
        ".objectHash",
        lambda row: f"{rule}, got {labels.ids[row]!r} a second time",
    )
    if classes.n > 1:
        _check_classes(labels, classes, labels.owner * n_ids + codes)


def _repeated(values: Ints) -> Bools:
    """Tell which values stood before."""
    repeated = np.zeros(values.size, np.bool_)
    if int(values.max(initial=0)) < _DENSE * values.size and np.bincount(values).max() <= 1:  # a tenth of the time
        return repeated
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    repeated[order[1:][ordered[1:] == ordered[:-1]]] = True
    return repeated


def _check_classes(labels: FrameLabels, classes: Classes, objects: Ints) -> None:
    """Refuse objects whose class is another than where they are first."""
    _, first, which = np.unique(objects, return_index=True, return_inverse=True)
    hashes = classes.hashes.array.to_pylist()
    own = np.array([hashes.index(each) for each in hashes], np.int64)[classes.chosen]
    rule = "an object must have one class"

    def words(row: int) -> str:
        before = hashes[int(classes.chosen[first[which[row]]])]
        return f"{rule}, got {hashes[int(classes.chosen[row])]!r} after {before!r} for {labels.ids[row]!r}"

    labels.refusals.add(own != own[first][which], Code.BAD_VALUE, ".featureHash", words)
