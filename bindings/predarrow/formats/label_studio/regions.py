"""A prediction's results -> regions: those of one `id` belong together, and one of them has the geometry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct

from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio import forms
from predarrow.formats.label_studio.wire import (
    BESIDE,
    KNOWN,
    Members,
    Result,
    any_of,
    members_of,
    parts_of,
    result_of,
    results_of,
    score_of,
)
from predarrow.report import Code

NO_TEXT_ID = "id that is no text"
TWICE = "geometries with an id that another geometry of the prediction has"
ODD_TYPE = "type that is not in small letters"
TEXT_SCORE = "score that is text"


class Part(NamedTuple):
    """A result of a region."""

    place: int
    """In `result`"""
    result: Result
    more: Members
    """Members that are not known, or are not as they should be: these hold"""


class Region(Struct, gc=False):
    """What becomes a row, of a sequence several."""

    prediction: int
    """Among those that are read together"""
    place: int
    """Of the result with the geometry, in `result`"""
    main: Result
    shape: str
    """`forms.BOX` …; empty where its value must tell"""
    parts: tuple[Part, ...] = ()
    """All its results, in their order, where there are several or one has further members"""


class Found(NamedTuple):
    """What a prediction's results come to."""

    regions: list[Region]
    rowless: list[tuple[int, Raw]]
    """Relations, by place"""
    flaws: list[tuple[int, Flaw]]
    """Results that do not hold, by place"""


def regions_of(raw: Raw, prediction: int, flagged: Counter[str]) -> Found:
    """Give the regions of a prediction's results.

    Args:
        raw: the list of results.
        prediction: the prediction's number.
        flagged: odd results are counted here.

    Raises:
        Flaw: it is no list.
    """
    try:
        results = results_of(raw)
    except msgspec.DecodeError:
        return _loose(raw, prediction, flagged)
    ids = [result.id for result in results if result.id]
    if len(set(ids)) == len(ids):
        known = forms.SHAPES
        regions = [
            Region(prediction, place, result, known.get(result.type, "")) for place, result in enumerate(results)
        ]
        return Found(regions, [], [])
    parts = [Part(place, result, {}) for place, result in enumerate(results)]
    return Found(_grouped(parts, prediction, flagged), [], [])


def _loose(raw: Raw, prediction: int, flagged: Counter[str]) -> Found:
    """Give regions, each result read for itself."""
    try:
        raws = parts_of(raw)
    except msgspec.ValidationError:
        rule = "must be a list of results"
        raise Flaw(Code.BAD_VALUE, ".result", rule, any_of(raw)) from None
    parts: list[Part] = []
    rowless: list[tuple[int, Raw]] = []
    flaws: list[tuple[int, Flaw]] = []
    for place, each in enumerate(raws):
        try:
            parts.append(Part(place, result_of(each), {}))
        except msgspec.DecodeError:
            try:
                part = _read(place, each, flagged)
            except Flaw as flaw:
                flaws.append((place, flaw))
                continue
            if part is None:
                rowless.append((place, each))
            else:
                parts.append(part)
    return Found(_grouped(parts, prediction, flagged), rowless, flaws)


def _read(place: int, raw: Raw, flagged: Counter[str]) -> Part | None:
    """Give a result with members that are not as they should be; None for a relation.

    Raises:
        Flaw: a member that cannot be done without is missing or does not hold.
    """
    try:
        members = members_of(raw)
    except msgspec.DecodeError:
        raise Flaw(Code.BAD_VALUE, "", "must be an object", any_of(raw)) from None
    if any_of(members.get("type", Raw(b"null"))) == "relation":
        return None
    more = {name: members.pop(name) for name in list(members) if name not in KNOWN}
    for name in ("at", "without"):
        if name in more:
            rule = "must not have a member of this name, which attributes have for themselves"
            raise Flaw(Code.CANNOT_HOLD, f".{name}", rule, any_of(more[name]))
    given: dict[str, Any] = {}
    for name in ("value", "from_name", "to_name", "type"):
        if name not in members:
            raise Flaw(Code.BAD_VALUE, f".{name}", "must be there", told="none")
        given[name] = members.pop(name)
        if name != "value":
            given[name] = any_of(given[name])
            if not isinstance(given[name], str):
                raise Flaw(Code.BAD_VALUE, f".{name}", "must be text", given[name])
    return Part(place, Result(**given, **_beside(members, more, flagged)), more)


def _beside(members: Members, more: Members, flagged: Counter[str]) -> dict[str, Any]:
    """Give members that a result may have; those that are not as they should be go to `more`, too."""
    given: dict[str, Any] = {}
    for name, raw in members.items():
        if name in ("original_width", "original_height"):
            given[name] = _side(any_of(raw), name)
        elif name == "id":
            given[name] = _id(raw, more, flagged)
        elif name == "score":
            given[name] = _score(raw, more, flagged)
        else:
            try:
                given[name] = msgspec.json.decode(raw, type=BESIDE[name])
            except msgspec.DecodeError:
                more[name] = raw
    return given


def _side(value: Any, name: str) -> float | None:
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise Flaw(Code.BAD_VALUE, f".{name}", "must be a number of pixels", value)
    return None if value is None else float(value)


def _id(raw: Raw, more: Members, flagged: Counter[str]) -> str | None:
    value = any_of(raw)
    if value is None or isinstance(value, str):
        return value
    more["id"] = raw
    flagged[NO_TEXT_ID] += 1
    return bytes(raw).decode()


def _score(raw: Raw, more: Members, flagged: Counter[str]) -> float | None:
    value = any_of(raw)
    score = score_of(value)
    if isinstance(value, str):
        more["score"] = raw
        flagged[TEXT_SCORE] += 1
    return score


def _grouped(parts: Sequence[Part], prediction: int, flagged: Counter[str]) -> list[Region]:
    groups: dict[Any, list[Part]] = {}
    for part in parts:
        groups.setdefault(part.result.id or (part.place,), []).append(part)
    regions: list[Region] = []
    for group in groups.values():
        regions += _of_one_id(group, prediction, flagged)
    return sorted(regions, key=lambda region: region.parts[0].place if region.parts else region.place)


def _of_one_id(group: Sequence[Part], prediction: int, flagged: Counter[str]) -> list[Region]:
    """Give the regions of one id: one for each geometry; of the whole task one for each control."""
    shapes = [forms.SHAPES.get(part.result.type.lower(), "") for part in group]
    mains = [place for place, shape in enumerate(shapes) if shape]
    if not mains and len(group) > 1:
        found = [forms.shape_of("", _names(part)) for part in group]
        has = [place for place, shape in enumerate(found) if shape != forms.CONTROL]
        labelled = [place for place in has if group[place].result.type.lower().endswith(forms.LABELS)]
        mains = (labelled or has)[:1]
        if mains:
            shapes[mains[0]] = found[mains[0]]
    if not mains:
        return [_region((part,), part, "", prediction) for part in group]
    if len(mains) > 1:
        flagged[TWICE] += len(mains) - 1
    starts = [0, *mains[1:], len(group)]
    pairs = zip(mains, starts[:-1], starts[1:], strict=True)
    return [_region(tuple(group[low:high]), group[main], shapes[main], prediction) for main, low, high in pairs]


def _region(parts: tuple[Part, ...], main: Part, shape: str, prediction: int) -> Region:
    is_plain = len(parts) == 1 and not main.more
    return Region(prediction, main.place, main.result, shape, () if is_plain else parts)


def _names(part: Part) -> Members:
    try:
        return members_of(part.result.value)
    except msgspec.DecodeError:
        return {}


def scored(region: Region) -> float | None:
    """Give the score that the region itself tells."""
    if region.parts:
        scores = [part.result.score for part in region.parts]
        return next((score for score in scores if score is not None and score is not UNSET), None)
    return None if region.main.score is UNSET else region.main.score
