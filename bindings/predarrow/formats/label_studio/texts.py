"""What regions have beside geometry, as JSON text for the column `attributes`."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from msgspec import UNSET, Raw

from predarrow.formats.json_text import json_text, object_text, string_text
from predarrow.formats.label_studio import forms
from predarrow.formats.label_studio.regions import Part, Region
from predarrow.formats.label_studio.wire import ABSENT, Result, any_of, number_text, text_of

_ALIKE = ("from_name", "to_name", "type", "image_rotation", "origin", "readonly", "hidden", "parentID", "item_index")
_alike_of = attrgetter(*_ALIKE)
_MOST_KEPT = 10_000

Texts = dict[str, str]


class Teller:
    """Gives what regions have beside geometry; the same texts are made once."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], tuple[str, str]] = {}

    def tell(self, region: Region, *, has_size: bool) -> tuple[str, str]:
        """Give attributes that results share, each with a comma behind, and the list of results.

        Args:
            region: with one result as it should be, see `is_plain`.
            has_size: whether the columns have a size.
        """
        result = region.main
        key = (_alike_of(result), has_size and result.original_width is UNSET)
        found = self._kept.get(key)
        if found is None:
            shared = {name: text for name in forms.SHARED if (text := _text(getattr(result, name)))}
            members = _own(result)
            if key[1]:
                members["without"] = '["original_width","original_height"]'
            found = head_of(shared), f"[{object_text(members)}]"
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = found
        return found


def _text(value: Any) -> str:
    """Give a member as JSON text, nothing where it is not there."""
    if value is UNSET:
        return ""
    return text_of(value) if isinstance(value, Raw) else json_text(value)


def is_plain(region: Region, is_scored: bool) -> bool:
    """Tell whether a region has one result, whose members are all as columns give them back."""
    result = region.main
    return (
        not region.parts
        and result.meta is ABSENT
        and result.id != ""
        and result.id is not None
        and result.score is not None
        and (is_scored or result.score is UNSET)
        and (result.original_width is UNSET) is (result.original_height is UNSET)
        and result.original_width is not None
        and result.original_height is not None
    )


def shared_members(region: Region, size: tuple[int, int], score: float | None) -> Texts:
    """Give the members that results of a region have, where nothing else is told, by Label Studio's names.

    Args:
        region: the region.
        size: height and width in the columns, 0 where there is none.
        score: the region's score where it is the confidence.
    """
    parts = parts_of(region)
    found: Texts = {}
    if region.main.id:
        found["id"] = string_text(region.main.id)
    if score is not None:
        found["score"] = number_text(score)
    if 0 not in size:
        found["original_width"], found["original_height"] = str(size[1]), str(size[0])
    for name in forms.SHARED:
        text = next((text for part in parts if (text := _text(getattr(part.result, name)))), None)
        if text is not None:
            found[name] = text
    return found


def parts_of(region: Region) -> tuple[Part, ...]:
    """Give a region's results."""
    return region.parts or (Part(region.place, region.main, {}),)


def head_of(shared: Texts) -> str:
    """Give attributes of members that results share, each with a comma behind."""
    return "".join([f'"{forms.SHARED[name]}":{text},' for name, text in shared.items() if name in forms.SHARED])


def entries_text(region: Region, shared: Texts, values: Mapping[int, str]) -> str:
    """Give the results of a region: what of each is not given back otherwise.

    Args:
        region: the region.
        shared: see `shared_members`.
        values: by place, whole values.
    """
    entries: list[str] = []
    first = parts_of(region)[0].place
    for part in parts_of(region):
        members = _own(part.result)
        own = _all_members(part)
        members |= {name: text for name, text in own.items() if shared.get(name) != text}
        lacking = [name for name in shared if name not in own]
        if lacking:
            members["without"] = json_text(lacking)
        if part.place != first + len(entries):
            members["at"] = str(part.place)
        if part.place in values:
            members["value"] = values[part.place]
        entries.append(object_text(members))
    return f"[{','.join(entries)}]"


def _own(result: Result) -> Texts:
    """Give the members that belong to the result alone."""
    members = {
        "from_name": string_text(result.from_name),
        "to_name": string_text(result.to_name),
        "type": string_text(result.type),
    }
    if result.image_rotation is not UNSET:
        members["image_rotation"] = "null" if result.image_rotation is None else number_text(result.image_rotation)
    if result.origin is not UNSET:
        members["origin"] = json_text(result.origin)
    return members


def _all_members(part: Part) -> Texts:
    """Give those that a region's results may share, and those that are not known."""
    result = part.result
    found: Texts = {}
    if result.id is not UNSET:
        found["id"] = "null" if result.id is None else string_text(result.id)
    for name in ("score", "original_width", "original_height"):
        value = getattr(result, name)
        if value is not UNSET:
            found[name] = "null" if value is None else number_text(value)
    found |= {name: text for name in forms.SHARED if (text := _text(getattr(result, name)))}
    return found | {name: text_of(raw) for name, raw in part.more.items()}


class Others:
    """What the results beside the one with the geometry hold.

    Args:
        region: with several results.
        has_labels: whether the result with the geometry has labels.
        answers: attributes that are taken already.
    """

    def __init__(self, region: Region, has_labels: bool, answers: Texts) -> None:
        self.labels: tuple[str, ...] | None = None
        """Of the first that has any, where the geometry's result has none"""
        self.answers = answers
        """What controls per region hold, by their attributes' names"""
        self.values: dict[int, str] = {}
        """By place, whole values that are not the geometry and the control's own member"""
        self._has_labels = has_labels
        main = any_of(region.main.value)
        own = forms.own_member(region.main.type.lower())
        geometry = {name: value for name, value in main.items() if name != own}
        for part in region.parts:
            if part.place != region.place:
                self._add(part, geometry)

    def _add(self, part: Part, geometry: dict[str, Any]) -> None:
        type_ = part.result.type.lower()
        own = forms.own_member(type_)
        value = any_of(part.result.value)
        if isinstance(value, dict) and own in value and {**geometry, own: value[own]} == value:
            is_answer = type_ in forms.CONTROLS
            if is_answer and own not in self.answers:
                self.answers[own] = json_text(value[own])
                return
            if not is_answer and own == forms.LABELS and self._take(value[own]):
                return
        self.values[part.place] = text_of(part.result.value)

    def _take(self, labels: Any) -> bool:
        """Take labels where there are none yet and they are texts."""
        if self._has_labels or not isinstance(labels, list) or not all(isinstance(each, str) for each in labels):
            return False
        self.labels, self._has_labels = tuple(labels), True
        return True
