"""What rows of one class and the same attributes become: the text of their results but for geometry, id and score."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from predarrow.formats.flaws import Flaw
from predarrow.formats.json_text import json_text, members_text, object_text
from predarrow.formats.label_studio import forms
from predarrow.formats.label_studio.check_members import number
from predarrow.formats.label_studio.check_shapes import check_timeline
from predarrow.formats.label_studio.check_values import check_span
from predarrow.formats.label_studio.config import MediaObject
from predarrow.formats.label_studio.write_attributes import Kept, Members, Note, Result, texts_of
from predarrow.formats.label_studio.write_controls import Answer, Choice
from predarrow.formats.label_studio.write_geometry import DEFAULTS, MEMBERS
from predarrow.report import Code

_SPANS = frozenset({"span", "textspan", "timespan", "timeline"})
_REGION_TYPES: dict[str, type] = {"readonly": bool, "hidden": bool, "parentID": str, "item_index": int}
_POINT_WIDTH = "1"  # percent of the image's width, as the SDK's converter has it
_SPAN_RULE = 'must have one range, "ranges": [[start, end]] or [{"start": …, "end": …}]'


@dataclass(frozen=True, slots=True)
class FormResult:
    """One result of a region."""

    head: str
    """Its members from `from_name` on"""
    tail: str
    """Members of its value other than the geometry"""
    has_geometry: bool
    has_id: bool = True
    has_width: bool = False
    """Whether it tells the size of the image"""
    has_height: bool = False
    has_score: bool = True
    scores_value: bool = False
    """Whether the confidence is a member of the value"""
    has_meta: bool = True
    at: int | None = None
    """Its place in `result`, where it does not follow the one before"""


@dataclass(frozen=True, slots=True)
class Form:
    """What rows become."""

    shape: str
    """By which geometry is written; empty where there is none, or it stands in the results' text"""
    results: tuple[FormResult, ...]
    to_name: str
    """What is shown; empty where that cannot be told"""
    has_default: bool = True
    """See `write_geometry.Part`"""
    overrides: Members | None = None
    """Members of the geometry that hold whatever the columns say"""
    entry: str = ""
    """Members of an entry of a sequence that are not geometry, each behind a comma"""
    scores_entry: bool = False
    is_made: bool = True
    """Whether the rows were not read from Label Studio"""
    data_key: str = ""
    """Member of a task's data that has the address"""
    is_listed: bool = False
    """Whether that is a list of addresses"""

    @property
    def is_sequence(self) -> bool:
        """Whether rows are entries of a region's sequence."""
        return self.shape == "videorectangle"


NO_FORM = Form("", (), "")


def made_form(choice: Choice, note: Note, shown: MediaObject | None) -> Form:
    """Give what rows become that were not read from Label Studio.

    Args:
        choice: the controls that they go to.
        note: their attributes.
        shown: the object that these controls are for.

    Raises:
        Flaw: a span without a place, or with one that does not hold; a keypoint's width that does not.
    """
    shape = choice.shape
    geometry: Members = {}
    if shape in _SPANS:
        geometry = _place(note.ranges, shape)
        _check_place(geometry, choice, shown)
    elif shape == "keypoint":
        geometry = {"width": _point_width(note.keypoint_width)}
    in_image = shape in MEMBERS and shape != "videorectangle"
    odd = {name: text for name, text in note.region.items() if type(_decode(text)) is not _REGION_TYPES[name]}
    meta = _meta(note, {key: note.answers[key] for key in choice.left} | odd)
    region = {name: text for name, text in note.region.items() if name not in odd}
    results = tuple(
        FormResult(
            head=_head(each, in_image, region) + (f',"meta":{meta}' if meta else ""),
            tail=members_text(geometry | _own(each)),
            has_geometry=shape in MEMBERS,
            has_width=shape in MEMBERS,  # of videos, too: Label Studio's own regions lack it, and pixels need it
            has_height=shape in MEMBERS,
        )
        for each in choice.answers
    )
    return Form(shape if shape in MEMBERS else "", results, choice.answers[0].to_name)


def _point_width(given: str | None) -> str:
    """Give the width that a point is drawn with.

    Raises:
        Flaw: it is no number above 0, up to 100.
    """
    if given in (None, "null"):
        return _POINT_WIDTH
    name, width = "keypoint_width", _decode(given)
    if number({name: width}, name, "attributes", least=0, most=100) == 0:
        raise Flaw(Code.BAD_SIZE, f"attributes.{name}", "must be above 0", width)
    return given


def _head(answer: Answer, in_image: bool, region: Members) -> str:
    rotation = ',"image_rotation":0' if in_image else ""
    names = f'"from_name":{json_text(answer.control.name)},"to_name":{json_text(answer.to_name)}'
    return f'{names},"type":{json_text(answer.control.type)}{rotation}{_more(region)}'


def _meta(note: Note, left: Members) -> str | None:
    """Give the region's meta with what no control takes, and members that are another format's of the same name."""
    if not left:
        return note.meta
    own = {} if note.meta is None else texts_of(_decode_members(note.meta))
    return object_text(left | own)


def _more(members: Members) -> str:
    return "," + members_text(members) if members else ""


def _own(answer: Answer) -> Members:
    return {} if answer.key is None else {answer.key: answer.value}


_decode = msgspec.json.Decoder().decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _place(ranges: str | None, shape: str) -> Members:
    """Give the members of a span's value that tell where it is.

    Raises:
        Flaw: ranges that do not hold.
    """
    parts = _ranges(ranges)
    if not parts:
        raise Flaw(Code.BAD_VALUE, "attributes", _SPAN_RULE, told="none")
    if shape == forms.RANGES:
        return {"ranges": json_text(parts)}
    if len(parts) > 1:
        raise Flaw(Code.CANNOT_HOLD, "attributes", _SPAN_RULE, told=f"{len(parts)} of them")
    members = {key: json_text(value) for key, value in parts[0].items()}
    if shape == "timespan":
        members.setdefault("instant", json_text(members.get("start") == members.get("end")))
    return members


def _check_place(place: Members, choice: Choice, shown: MediaObject | None) -> None:
    """Refuse a place that the reader takes, and the editor does not: one that ends before it starts, or is no number.

    Raises:
        Flaw: it is one.
    """
    value = {name: _decode(text) for name, text in place.items()}
    if choice.shape == forms.RANGES:
        check_timeline(value, "attributes", Counter())
    else:
        check_span(value, "attributes.ranges[0]", shown, choice.answers[0].control.type, Counter())


def _ranges(text: str | None) -> list[dict[str, Any]]:
    """Give the attribute `ranges` as objects.

    Raises:
        Flaw: ranges that do not hold.
    """
    given: Any = [] if text is None else _decode(text)
    if not isinstance(given, list):
        raise Flaw(Code.BAD_VALUE, "attributes", _SPAN_RULE, given)
    parts = []
    for each in given:
        if not isinstance(each, dict) and not (isinstance(each, list) and len(each) == 2):
            raise Flaw(Code.BAD_VALUE, "attributes", _SPAN_RULE, given)
        parts.append(each if isinstance(each, dict) else {"start": each[0], "end": each[1]})
    return parts


def kept_form(kind: str, labels: tuple[str, ...] | None, note: Note, kept: Kept) -> Form:
    """Give what rows become that Label Studio's reader gave: the results that they were, with the columns' values.

    Args:
        kind: of the table.
        labels: of the region; None for none.
        note: attributes.
        kept: what is kept of Label Studio.
    """
    types = [each.entry.type.lower() for each in note.results]
    known = [forms.SHAPES[type_] for type_ in types if forms.SHAPES.get(type_) in forms.ON_IMAGES]
    is_entry = note.follows or kept.sequence is not None
    shape = known[0] if known else forms.SEQUENCE if is_entry else forms.OF_KIND.get(kind, "")
    value = texts_of(kept.value)
    geometry = MEMBERS.get(shape, frozenset())
    overrides = {name: text for name, text in value.items() if name in geometry}
    default = DEFAULTS.get(shape, "rotation")
    has_default = default not in kept.without and default not in overrides
    others = {name: text for name, text in value.items() if name not in geometry}
    if kind == "span":
        others = others if "ranges" in others else _kept_place(note.ranges, types) | others
    elif shape == "keypoint" and "width" not in kept.without and note.keypoint_width is not None:
        others = {"width": note.keypoint_width} | others
    entry = ""
    if shape == "videorectangle":
        entry, others = _kept_entry(others, kept), {}
    holder = _label_holder(note.results)
    results = tuple(
        _kept_result(each, labels if holder in (None, place) else None, note, kept, others, bool(geometry))
        for place, each in enumerate(note.results)
    )
    return Form(
        shape=shape,
        results=results,
        to_name=_first_name(note.results),
        has_default=has_default,
        overrides=overrides or None,
        entry=entry,
        scores_entry=kept.score == "sequence",
        is_made=False,
    )


def _label_holder(results: tuple[Result, ...]) -> int | None:
    """Give the place of a result of the type `labels` that has the labels of a region of another type; None without."""
    if len(results) > 1:
        for place, each in enumerate(results):
            if each.entry.type.lower() == forms.LABELS and each.entry.value is UNSET:
                return place
    return None


def _kept_entry(others: Members, kept: Kept) -> str:
    enabled = {} if "enabled" in kept.without or "enabled" in others else {"enabled": "true"}
    return _more(enabled | others)


def _first_name(results: tuple[Result, ...]) -> str:
    name = _decode(results[0].entry.to_name) if results else ""
    return name if isinstance(name, str) else ""


def _kept_place(ranges: str | None, types: list[str]) -> Members:
    parts = _ranges(ranges)
    if any(forms.SHAPES.get(type_) == forms.RANGES for type_ in types) or len(parts) != 1:
        return {"ranges": json_text(parts)}
    return {key: json_text(value) for key, value in parts[0].items()}


def _kept_result(
    result: Result, labels: tuple[str, ...] | None, note: Note, kept: Kept, others: Members, has_geometry: bool
) -> FormResult:
    entry = result.entry
    without = entry.without
    region = {name: text for name, text in note.region.items() if name not in without and name not in result.more}
    more = region | ({} if note.meta is None or "meta" in without else {"meta": note.meta}) | result.more
    head = f'"from_name":{json_text(entry.from_name)},"to_name":{bytes(entry.to_name).decode()}'
    head += f',"type":{json_text(entry.type)}{_more(more)}'
    is_whole = not isinstance(entry.value, UnsetType)
    own = _kept_own(entry.type.lower(), labels, note)
    if not isinstance(entry.value, UnsetType):
        tail = bytes(entry.value).strip()[1:-1].decode()
    elif entry.type.lower() == forms.CHAT:
        tail = note.answers.get(forms.CHAT, "{}").strip()[1:-1]
    else:
        tail = members_text(others | own)
    return FormResult(
        head=head,
        tail=tail,
        has_geometry=has_geometry and not is_whole,
        has_id="id" not in without and "id" not in more,
        has_width="original_width" not in without and "original_width" not in more,
        has_height="original_height" not in without and "original_height" not in more,
        has_score=kept.score == "" and "score" not in without and "score" not in more,
        scores_value=kept.score == "value" and not is_whole,
        has_meta="meta" not in without and "meta" not in more,
        at=entry.at,
    )


def _kept_own(type_: str, labels: tuple[str, ...] | None, note: Note) -> Members:
    """Give the member of a value that is the control's own."""
    key = forms.own_member(type_)
    if type_ in forms.CONTROLS:
        return {key: note.answers[key]} if key in note.answers else {}
    return {} if labels is None else {key: json_text(labels)}
