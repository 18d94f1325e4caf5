"""Rules for values that are answers, labels and spans."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio.check_members import (
    Object,
    check_texts,
    is_text,
    needed,
    number,
    optional_whole,
    text,
    texts,
    whole,
)
from predarrow.formats.label_studio.check_shapes import Flagged, check_order
from predarrow.formats.label_studio.config import Control, MediaObject
from predarrow.report import Code

_STARS = 5  # of a Rating without maxRating
_BY_NUMBER = ("text", "audio", "video")


def check_labels(value: Object, key: str, place: str, allowed: Collection[str], flagged: Flagged) -> None:
    """Refuse labels that are no list of texts, or none of the control's."""
    labels = texts(value, key, place)
    if not labels:
        flagged["region without a label"] += 1
    check_allowed(labels, f"{place}.{key}", allowed)


def check_allowed(labels: list[str], place: str, allowed: Collection[str]) -> None:
    """Refuse labels that a control lacks; one that lists none takes every label."""
    if not allowed:
        return
    for index, label in enumerate(labels):
        if label not in allowed:
            known = ", ".join(sorted(allowed)[:5]) + (", …" if len(allowed) > 5 else "")
            raise Flaw(Code.UNKNOWN_CLASS, f"{place}[{index}]", f"must be a label of the control ({known})", label)


def check_span(value: Object, place: str, media: MediaObject | None, type_: str, flagged: Flagged) -> None:
    """Refuse spans without start and end; of texts, audio and video these must be numbers."""
    start, end = needed(value, "start", place), needed(value, "end", place)
    if media is not None and media.type in _BY_NUMBER and type_ == "labels":
        check_order(number(value, "start", place, least=0), number(value, "end", place, least=0), place)
        if media.type == "text":
            whole(value, "start", place, 0)
            whole(value, "end", place, 0)
            if start == end:
                flagged["span of no characters"] += 1
        return
    for name, bound in (("start", start), ("end", end)):
        if not is_text(bound):
            number(value, name, place)
    if not isinstance(start, str) and not isinstance(end, str):
        check_order(start, end, place)
    if type_ in ("hypertextlabels", "paragraphlabels"):
        for name in ("startOffset", "endOffset"):
            optional_whole(value, name, place, 0)
    if type_ == "timeserieslabels" and not isinstance(needed(value, "instant", place), bool):
        raise Flaw(Code.BAD_VALUE, f"{place}.instant", "must be true or false", value["instant"])


def check_text_span(value: Object, shown_text: str, flagged: Flagged) -> None:
    """Flag spans that end beyond their text, or tell another text; they count whole characters."""
    if value["end"] > len(shown_text):
        flagged["span that ends beyond its text"] += 1
    elif value.get("text") not in (None, shown_text[int(value["start"]) : int(value["end"])]):
        flagged["span whose text is not what stands there"] += 1


def check_answer(value: Object, place: str, type_: str, control: Control | None, flagged: Flagged) -> None:
    """Refuse values that are not their control's.

    Args:
        value: the result's value.
        place: its pointer.
        type_: one of those that are answers in `TAGS`.
        control: None where no config is known.
        flagged: is counted in.
    """
    _ANSWERS[type_](value, place, control, flagged)


def _choices(value: Object, place: str, control: Control | None, flagged: Flagged) -> None:
    choices = texts(value, "choices", place)
    if control is None:
        return
    check_allowed(choices, f"{place}.choices", control.label_names)
    if len(choices) > 1 and not control.attributes.get("choice", "").startswith("multiple"):
        flagged["several choices where the control takes one"] += 1


def _taxonomy(value: Object, place: str, control: Control | None, flagged: Flagged) -> None:
    paths = needed(value, "taxonomy", place)
    rule = "must be a list of paths, each a list of texts from the root on"
    if not isinstance(paths, list) or not all(isinstance(path, list) for path in paths):
        raise Flaw(Code.BAD_VALUE, f"{place}.taxonomy", rule, paths)
    for index, path in enumerate(paths):
        at = f"{place}.taxonomy[{index}]"
        check_texts(path, at)
        if control is not None:
            check_allowed(path, at, control.label_names)
            if control.labels and tuple(path) not in {label.path for label in control.labels}:
                flagged["path that the taxonomy does not have"] += 1


def _text(value: Object, place: str, _: Control | None, __: Flagged) -> None:
    if isinstance(value.get("text"), str):
        raise Flaw(Code.BAD_VALUE, f"{place}.text", "must be a list of texts", value["text"])
    texts(value, "text", place)


def _rating(value: Object, place: str, control: Control | None, _: Flagged) -> None:
    most = "" if control is None else control.attributes.get("maxRating", str(_STARS))
    if control is None:
        whole(value, "rating", place, 0)
    elif not most.strip().isdecimal():
        raise Flaw(Code.BAD_CONFIG, place, f"maxRating of {control.name} must be a whole number", most)
    else:
        whole(value, "rating", place, 0, int(most))


def _number(value: Object, place: str, control: Control | None, flagged: Flagged) -> None:
    given = number(value, "number", place)
    for name, sign in (("min", -1), ("max", 1)):
        bound = _bound(control, name)
        if bound is not None and (given - bound) * sign > 0:
            flagged["number beyond the control's min or max"] += 1


def _bound(control: Control | None, name: str) -> float | None:
    try:
        return None if control is None else float(control.attributes[name])
    except (KeyError, ValueError):
        return None


def _datetime(value: Object, place: str, _: Control | None, __: Flagged) -> None:
    text(value, "datetime", place)


def _selected(value: Object, place: str, control: Control | None, flagged: Flagged) -> None:
    side = text(value, "selected", place)
    named = () if control is None else (control.attributes.get(name) for name in ("leftClass", "rightClass"))
    if side not in ("left", "right", *named):
        flagged["side that is neither left nor right"] += 1


def _ranker(value: Object, place: str, _: Control | None, __: Flagged) -> None:
    buckets = needed(value, "ranker", place)
    if not isinstance(buckets, dict):
        raise Flaw(Code.BAD_VALUE, f"{place}.ranker", "must be an object of lists of texts", buckets)
    for name in buckets:
        texts(buckets, name, f"{place}.ranker")


def _chat_message(value: Object, place: str, _: Control | None, __: Flagged) -> None:
    message = needed(value, "chatmessage", place)
    at = f"{place}.chatmessage"
    if not isinstance(message, dict):
        raise Flaw(Code.BAD_VALUE, at, "must be an object", message)
    text(message, "role", at)
    text(message, "content", at)
    optional_whole(message, "createdAt", at, -(2**53))


def _react_code(value: Object, place: str, _: Control | None, __: Flagged) -> None:
    code = needed(value, "reactcode", place)
    if not isinstance(code, dict):
        raise Flaw(Code.BAD_VALUE, f"{place}.reactcode", "must be an object", code)


Answer = Callable[[Object, str, Control | None, Flagged], None]

_ANSWERS: Mapping[str, Answer] = {
    "choices": _choices,
    "taxonomy": _taxonomy,
    "textarea": _text,
    "rating": _rating,
    "number": _number,
    "datetime": _datetime,
    "pairwise": _selected,
    "ranker": _ranker,
    "chatmessage": _chat_message,
    "reactcode": _react_code,
}


def check_region_members(result: Mapping[str, Any], flagged: Flagged) -> None:
    """Refuse a region's own members where they are of another type: id, score, size, parent, item, notes."""
    for name, value in result.items():
        rule = _MEMBERS.get(name)
        if rule is not None and value is not None:
            rule(result, name)
    if not isinstance(result.get("meta", {}), dict):
        flagged["meta that is no object"] += 1


def _id(result: Object, name: str) -> None:
    if not is_text(result[name]):
        raise Flaw(Code.BAD_VALUE, f".{name}", "must be a text: the editor breaks on another", result[name])


def _parent(result: Object, name: str) -> None:
    text(result, name, "")


def _side(result: Object, name: str) -> None:
    whole(result, name, "", 1, 2**31 - 1)


def _item(result: Object, name: str) -> None:
    whole(result, name, "", 0)


def _switch(result: Object, name: str) -> None:
    if not isinstance(result[name], bool):
        raise Flaw(Code.BAD_VALUE, f".{name}", "must be true or false", result[name])


def check_score(given: Object, name: str = "score") -> None:
    """Refuse a score that is no number of 0 to 1."""
    score = given[name]
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise Flaw(Code.BAD_CONFIDENCE, f".{name}", "must be a number of 0 to 1", score)


_MEMBERS: Mapping[str, Callable[[Object, str], None]] = {
    "id": _id,
    "parentID": _parent,
    "score": check_score,
    "original_width": _side,
    "original_height": _side,
    "item_index": _item,
    "readonly": _switch,
    "hidden": _switch,
}
