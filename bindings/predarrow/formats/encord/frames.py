"""The labels of one data unit, frame by frame: as they are decoded, or looked at key by key where that failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from predarrow.formats.encord import wire
from predarrow.formats.encord.codec import Frame
from predarrow.formats.encord.objects import Extra, Found, read_object
from predarrow.formats.flaws import Flaw
from predarrow.report import Code

if TYPE_CHECKING:
    from predarrow.formats.encord.rows import LabelRow, Unit

_LAST_FRAME = 2**31 - 1
_NO_EXTRAS: dict[int, Extra] = {}
_NO_OTHERS: dict[str, Any] = {}


class Group(Struct, gc=False):
    """The labels of one frame."""

    unit: int
    """Place among the row's data units."""
    key: str | None
    """As the frame is written; None of an image."""
    frame: int
    stream: str | None
    objects: Sequence[wire.FrameObject]
    classifications: Sequence[Any]
    n: int
    """Objects that stand there, with those that do not hold."""
    places: Sequence[int]
    """Of `objects` among those that stand there."""
    flaws: Sequence[tuple[int, Flaw]] = ()
    """Place and reason of those that do not hold."""
    flaw: Flaw | None = None
    """Why the frame as a whole does not hold."""
    extras: dict[int, Extra] = _NO_EXTRAS
    """By place in `objects`, what the decoded object does not have."""
    others: dict[str, Any] = _NO_OTHERS
    """Further members of the frame."""


def typed_groups(labels: Any, place: int, unit: Unit, row: LabelRow) -> list[Group]:
    """Give the groups of labels that were decoded."""
    if not labels:
        return []
    if isinstance(labels, Frame):
        return [_typed(labels, place, None, unit, row)]
    return [_typed(frame, place, key, unit, row) for key, frame in labels.items()]


def _typed(frame: Frame, place: int, key: str | None, unit: Unit, row: LabelRow) -> Group:
    number, stream, flaw = _frame(key, unit, row)
    objects = frame.objects
    n = len(objects)
    others = _NO_OTHERS if frame.metadata is wire.ABSENT else {"metadata": frame.metadata}
    return Group(place, key, number, stream, objects, frame.classifications, n, range(n), flaw=flaw, others=others)


def scanned_group(key: str | None, place: int, unit: Unit, row: LabelRow, n: int) -> Group:
    """Give a group of objects that are scanned, and stand elsewhere."""
    number, stream, flaw = _frame(key, unit, row)
    return Group(place, key, number, stream, (), (), n, range(n), flaw=flaw)


def groups_of(labels: Any, place: int, unit: Unit, row: LabelRow) -> list[Group]:
    """Give the groups of labels as plain values; objects that do not hold are told.

    Raises:
        Flaw: what should hold frames or labels does not.
    """
    pointer = f".data_units.{unit.key}.labels"
    return [_loose(frame, key, place, unit, row) for key, frame in _frames(labels, pointer)]


def _frames(labels: Any, pointer: str) -> Iterator[tuple[str | None, Any]]:
    if labels is None:
        return
    if not isinstance(labels, dict):
        raise Flaw(Code.BAD_VALUE, pointer, "must be an object", labels)
    if isinstance(labels.get("objects"), list) or isinstance(labels.get("classifications"), list):
        yield None, labels
        return
    for key, frame in labels.items():
        if key in ("objects", "classifications") and frame is None:
            continue
        if not isinstance(frame, dict):
            raise Flaw(Code.BAD_VALUE, f"{pointer}.{key}", "must be an object", frame)
        yield str(key), frame


def _loose(frame: dict[str, Any], key: str | None, place: int, unit: Unit, row: LabelRow) -> Group:
    number, stream, flaw = _frame(key, unit, row)
    lists: dict[str, list[Any]] = {}
    for name in ("objects", "classifications"):
        given = frame.get(name)
        if given is not None and not isinstance(given, list):
            at = "" if key is None else f".{key}"
            raise Flaw(Code.BAD_VALUE, f".data_units.{unit.key}.labels{at}.{name}", "must be a list", given)
        lists[name] = given or []
    objects: list[wire.FrameObject] = []
    places: list[int] = []
    flaws: list[tuple[int, Flaw]] = []
    extras: dict[int, Extra] = {}
    for i, item in enumerate(lists["objects"]):
        found = read_object(item)
        if isinstance(found, Found):
            if found.extra is not None:
                extras[len(objects)] = found.extra
            objects.append(found.item)
            places.append(i)
        else:
            flaws.append((i, found))
    others = {name: value for name, value in frame.items() if name not in lists}
    n = len(lists["objects"])
    return Group(place, key, number, stream, objects, lists["classifications"], n, places, flaws, flaw, extras, others)


def _frame(key: str | None, unit: Unit, row: LabelRow) -> tuple[int, str | None, Flaw | None]:
    """Give a frame's number and stream, and what is wrong with it."""
    if key is None:
        return unit.frame, None, None
    text, stream = key, None
    if row.data_type == "scene" and "#" in key:  # images of a scene
        stream, _, text = key.rpartition("#")
    if not (text.isascii() and text.isdecimal()) or len(text) > 10 or int(text) > _LAST_FRAME:
        rule = f"a frame must be a whole number from 0 to {_LAST_FRAME}"
        return 0, stream, Flaw(Code.FRAME_RANGE, "", rule, key)
    number = int(text)
    if text != str(number):
        return number, stream, Flaw(Code.FRAME_RANGE, "", "a frame must be written without zeros in front", key)
    return number, stream, None
