"""Spans of text, sound and series, and ranges of a timeline -> the attribute `ranges`."""

from __future__ import annotations

import math
from operator import attrgetter
from typing import Any

from msgspec import Raw

from predarrow.formats.flaws import Flaw
from predarrow.formats.json_text import json_text
from predarrow.formats.label_studio import forms
from predarrow.formats.label_studio.given import Given, Shaped
from predarrow.formats.label_studio.wire import (
    ABSENT,
    SPAN_BESIDE,
    SPAN_PLACES,
    any_of,
    joined,
    members_text,
)
from predarrow.report import Code

_places_of = attrgetter(*SPAN_PLACES)
_beside_of = attrgetter(*SPAN_BESIDE)
_NOWHERE = (ABSENT,) * len(SPAN_PLACES)


def spans(given: Given) -> Shaped:
    """Give spans; those in HTML and dialogues with all members that tell their place."""
    pairs = any_of(joined([part for value in given.values for part in (value.start, value.end)]))
    shaped = Shaped("span")
    for row, (value, start, end) in enumerate(zip(given.values, pairs[::2], pairs[1::2], strict=True)):
        places: dict[str, Any] = {}
        if (found := _places_of(value)) != _NOWHERE:
            places = {name: any_of(raw) for name, raw in zip(SPAN_PLACES, found, strict=True) if raw}
        shaped.keep(
            row, members_text({name: raw for name, raw in zip(SPAN_BESIDE, _beside_of(value), strict=True) if raw})
        )
        try:
            shaped.attributes[row] = f'"ranges":[{_range(start, end, places)}]'
        except ValueError:
            given.refusals.add_flaw(row, Flaw(Code.BAD_NUMBER, ".value", "numbers must be finite", (start, end)))
    return shaped


def ranges(given: Given) -> Shaped:
    """Give the ranges of a timeline."""
    shaped = Shaped("span")
    for row, value in enumerate(given.values):
        try:
            texts = [_item(raw, place) for place, raw in enumerate(value.ranges)]
        except Flaw as flaw:
            given.refusals.add_flaw(row, flaw)
            continue
        if not texts:
            rule = "must be at least one"
            given.refusals.add_flaw(row, Flaw(Code.BAD_VALUE, ".value.ranges", rule, told="none"))
        if len({text[0] for text in texts}) > 1:  # all pairs, or all objects
            texts = [json_text(any_of(raw)) for raw in value.ranges]
        shaped.attributes[row] = f'"ranges":[{",".join(texts)}]'
        if forms.SHAPES.get(given.regions[row].main.type.lower()) != forms.RANGES:  # which would tell that they are
            shaped.keep(row, members_text({"ranges": Raw(joined(value.ranges))}))
    return shaped


def _item(raw: Raw, place: int) -> str:
    item = any_of(raw)
    if not isinstance(item, dict):
        raise Flaw(Code.BAD_VALUE, f".value.ranges[{place}]", 'must be {"start", "end"}', item)
    try:
        if item.keys() == {"start", "end"}:
            return _range(item["start"], item["end"], {})
        return json_text(item)
    except ValueError:
        raise Flaw(Code.BAD_NUMBER, f".value.ranges[{place}]", "numbers must be finite", item) from None


def _range(start: Any, end: Any, places: dict[str, Any]) -> str:
    """Give a range as JSON text.

    Raises:
        ValueError: a number that is not finite.
    """
    if not places and _is_number(start) and _is_number(end) and 0 <= start <= end < math.inf:
        return f"[{start!r},{end!r}]"
    return json_text({"start": start, "end": end, **places})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
