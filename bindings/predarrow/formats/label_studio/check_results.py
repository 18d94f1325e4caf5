"""Rules for the results of one prediction: each alone, those with one id, and relations between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio.check_masks import MANY_MASKS, MOST_MASKS, check_bitmask, check_brush, size_of
from predarrow.formats.label_studio.check_members import needed
from predarrow.formats.label_studio.check_shapes import SHAPES, Flagged
from predarrow.formats.label_studio.check_values import (
    check_answer,
    check_labels,
    check_region_members,
    check_span,
    check_text_span,
)
from predarrow.formats.label_studio.config import Control, LabelingConfig, MediaObject
from predarrow.formats.label_studio.tags import TAGS, Shape, Tag
from predarrow.refusals import shown
from predarrow.report import Code, Problem, Report

_DIRECTIONS = ("left", "right", "bi")
_PARTNERS = ("rectangle", "polygon", "ellipse", "keypoint", "brush", "bitmask", "vector")
_VALUE = ".value"


class Task(NamedTuple):
    """What the results of a task are checked against, and where they come from."""

    source: str
    number: int
    """0-based place of the task in its source"""
    data: Mapping[str, Any]
    config: LabelingConfig | None
    report: Report

    def refuse(self, pointer: str, flaw: Flaw) -> None:
        """Add a problem."""
        pointer = pointer + flaw.pointer
        self.report.problems.append(Problem(self.source, self.number, pointer, flaw.code, flaw.message))


class Result(NamedTuple):
    """One result, its control, object and tag looked up."""

    given: Mapping[str, Any]
    value: Mapping[str, Any]
    type: str
    control: Control | None
    media: MediaObject | None
    tag: Tag | None
    """None where the type is not known"""
    is_merged: bool
    """Whether a Labels control named a geometry's labels as its type: `videovectorlabels`"""
    partner: str | None
    """Type of the bare geometry with the same id, where this is labels"""


def check_results(results: list[Any], place: str, task: Task) -> None:
    """Add what does not hold in the results of a prediction or annotation to the task's report, one problem a result.

    Args:
        results: the list.
        place: its pointer.
        task: what it belongs to.
    """
    partners = _bare_geometries(results)
    together = _Together()
    relations = []
    for index, given in enumerate(results):
        at = f"{place}[{index}]"
        try:
            if isinstance(given, dict) and given.get("type") == "relation":
                relations.append((given, at))
                continue
            result = _look_up(given, task.config, partners)
            together.add(result)
            check_region_members(given, task.report.flagged)
            _check_value(result, task)
            together.keep(result)
        except Flaw as flaw:
            task.refuse(at, flaw)
    for given, at in relations:
        try:
            _check_relation(given, together.ids)
        except Flaw as flaw:
            task.refuse(at, flaw)
    together.flag(task.report.flagged)
    task.report.imported += together.n_kept


class _Together:
    """What results of one prediction are to each other."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.n_kept = 0
        self._seen: set[tuple[str, str, str]] = set()
        self._regions: set[str] = set()
        self._parents: list[str] = []
        self._answers: list[str | None] = []
        self._n_masks = 0

    def add(self, result: Result) -> None:
        """Refuse a result whose id has one of its kind already."""
        id_ = result.given.get("id")
        if not isinstance(id_, str) or not id_:
            return
        key = id_, result.given["from_name"], result.type
        if key in self._seen:
            raise Flaw(Code.DUPLICATE_ID, ".id", "must be another region's: the editor keeps one of them", id_)
        self._seen.add(key)
        if _is_region(result):
            if id_ in self._regions:
                rule = "must have one geometry: the editor keeps the first"
                raise Flaw(Code.DUPLICATE_ID, ".id", rule, told=f"a second one, {result.type}, for {shown(id_)}")
            self._regions.add(id_)

    def keep(self, result: Result) -> None:
        """Remember a result that holds."""
        self.n_kept += 1
        id_, parent = result.given.get("id"), result.given.get("parentID")
        if id_ is not None:
            self.ids.add(id_)
        if parent is not None:
            self._parents.append(parent)
        if result.control is not None and result.control.is_per_region and _is_answer(result):
            self._answers.append(id_)
        self._n_masks += _is_region(result) and result.tag is not None and result.tag.shape in ("brush", "bitmask")

    def flag(self, flagged: Flagged) -> None:
        """Count what is odd about all of them."""
        odd = {
            MANY_MASKS: int(self._n_masks > MOST_MASKS),
            "parentID of a region that is not there": sum(parent not in self.ids for parent in self._parents),
            "value per region without a region": sum(id_ not in self._regions for id_ in self._answers),
        }
        for what, count in odd.items():
            if count:
                flagged[what] += count


def _is_region(result: Result) -> bool:
    return result.tag is not None and result.tag.shape is not None and result.partner is None


def _is_answer(result: Result) -> bool:
    return result.tag is not None and result.tag.is_answer


def _bare_geometries(results: list[Any]) -> dict[str, str]:
    """Give the type of the bare geometry of each id, the first where there are several."""
    found: dict[str, str] = {}
    for given in results:
        if isinstance(given, dict) and given.get("type") in _PARTNERS and isinstance(given.get("id"), str):
            found.setdefault(given["id"], given["type"])
    return found


def _look_up(given: Any, config: LabelingConfig | None, partners: Mapping[str, str]) -> Result:
    """Give a result with its control, object and tag; refuse one whose names or type do not hold."""
    if not isinstance(given, dict):
        raise Flaw(Code.BAD_VALUE, "", "must be an object", given)
    for name in ("from_name", "to_name", "type"):
        if not isinstance(needed(given, name, ""), str):
            raise Flaw(Code.BAD_VALUE, f".{name}", "must be a text", given[name])
    value, type_ = needed(given, "value", ""), given["type"]
    if not isinstance(value, dict):
        raise Flaw(Code.BAD_VALUE, _VALUE, "must be an object", value)
    if type_ not in TAGS and type_.lower() in TAGS:
        rule = f"must be in small letters, {type_.lower()!r}: the editor loses the region"
        raise Flaw(Code.WRONG_CONTROL, ".type", rule, type_)
    control = media = merged = None
    if config is not None:
        control, media = _named(given, config)
        merged = _merged(control, type_, config) if type_ != control.type else None
        if merged is None and type_ != control.type:
            rule = f"must be {control.type!r}, as {control.name} is a {control.tag}"
            raise Flaw(Code.WRONG_CONTROL, ".type", rule, type_)
        if given["to_name"] not in control.to_name:
            rule = f"must be an object of {control.name} ({', '.join(control.to_name)})"
            raise Flaw(Code.WRONG_CONTROL, ".to_name", rule, given["to_name"])
    id_ = given.get("id")
    partner = partners.get(id_) if type_ == "labels" and isinstance(id_, str) else None
    tag = TAGS.get(type_) if merged is None else merged
    return Result(given, value, type_, control, media, tag, merged is not None, partner)


def _named(given: Mapping[str, Any], config: LabelingConfig) -> tuple[Control, MediaObject]:
    control = config.controls.get(given["from_name"])
    if control is None:
        known = ", ".join(list(config.controls)[:5]) or "none"
        raise Flaw(Code.UNKNOWN_CONTROL, ".from_name", f"must be a control ({known})", given["from_name"])
    media = config.objects.get(given["to_name"])
    if media is None:
        known = ", ".join(list(config.objects)[:5]) or "none"
        raise Flaw(Code.UNKNOWN_CONTROL, ".to_name", f"must be an object ({known})", given["to_name"])
    return control, media


def _merged(control: Control, type_: str, config: LabelingConfig) -> Tag | None:
    """Give the bare geometry's tag where a Labels control and it make one result, of type `<geometry>labels`."""
    if control.type != "labels" or not type_.endswith("labels"):
        return None
    for other in config.controls_of(type_.removesuffix("labels")):
        if not set(control.to_name).isdisjoint(other.to_name):
            return TAGS.get(other.type)
    return None


def _check_value(result: Result, task: Task) -> None:
    """Refuse a value that is not its control's."""
    value, tag, flagged = result.value, result.tag, task.report.flagged
    _check_wrapping(result)
    if "score" in value:
        flagged["score in value, which annotations do not keep"] += 1
    if tag is None:
        if result.type == "relations":
            raise Flaw(Code.WRONG_CONTROL, ".type", 'must be "relation", without from_name', result.type)
        flagged["type that is not known"] += 1
    elif tag.is_answer:
        check_answer(value, _VALUE, result.type, result.control, flagged)
    elif result.partner is not None:
        _check_shape(TAGS[result.partner].shape, result, flagged)
        _check_labels(result, "labels", task)
    elif tag.shape is not None:
        _check_shape(tag.shape, result, flagged)
        key = _merged_key(result) if result.is_merged else tag.label_key
        if key is not None:
            _check_labels(result, key, task)
        if tag.shape == "span":
            _check_words(result, task)


def _check_wrapping(result: Result) -> None:
    """Refuse a member with the control's own name: Label Studio takes it for the value."""
    control = result.control
    if control is not None and control.type != "ranker" and isinstance(result.value.get(control.name), dict):
        rule = "must have no object under the control's name, which Label Studio takes for the value"
        raise Flaw(Code.BAD_VALUE, f"{_VALUE}.{control.name}", rule, result.value[control.name])


def _check_shape(shape: Shape | None, result: Result, flagged: Flagged) -> None:
    if shape == "brush":
        check_brush(result.value, _VALUE, size_of(result.given), flagged)
    elif shape == "bitmask":
        check_bitmask(result.value, _VALUE, size_of(result.given), flagged)
    elif shape in ("span", "textspan", "timespan"):
        _check_owner(result)
        check_span(result.value, _VALUE, result.media, result.type, flagged)
    elif shape is not None:
        SHAPES[shape](result.value, _VALUE, flagged)


def _check_owner(result: Result) -> None:
    """Refuse labels on an image that belong to no geometry."""
    if result.type == "labels" and "start" not in result.value and "x" in result.value:
        bare = ", ".join(_PARTNERS)
        rule = f"labels of a geometry must have its id, and it one of the types {bare}"
        raise Flaw(Code.BAD_VALUE, ".id", rule, result.given.get("id"))


def _merged_key(result: Result) -> str:
    key = result.type if result.type in result.value else "labels"
    if not result.value.get(key):
        raise Flaw(Code.BAD_VALUE, f"{_VALUE}.{key}", "must be a list of one label at least", result.value.get(key))
    return key


def _check_labels(result: Result, key: str, task: Task) -> None:
    control, config = result.control, task.config
    allowed: frozenset[str] = frozenset() if control is None else control.label_names
    if result.type == "videorectangle" and not allowed:
        if key not in result.value:
            return
        if config is not None:  # a Labels control beside it
            others = config.controls_of("labels", result.given["to_name"])
            allowed = frozenset(name for other in others for name in other.label_names)
    if result.is_merged and not allowed:
        rule = f"must be a label of {result.given['from_name']}, which lists none"
        raise Flaw(Code.UNKNOWN_CLASS, f"{_VALUE}.{key}", rule, result.value[key])
    check_labels(result.value, key, _VALUE, allowed, task.report.flagged)


def _check_words(result: Result, task: Task) -> None:
    """Flag spans that are not in their text, where the task has the text itself."""
    media = result.media
    if media is None or media.type != "text" or media.attributes.get("valueType") == "url" or media.variable is None:
        return
    words = task.data.get(media.variable)
    if isinstance(words, str):
        check_text_span(result.value, words, task.report.flagged)


def _check_relation(given: Mapping[str, Any], ids: set[str]) -> None:
    direction = needed(given, "direction", "")
    if direction not in _DIRECTIONS:
        rule = f"must be one of {', '.join(map(repr, _DIRECTIONS))}"
        raise Flaw(Code.BAD_RELATION, ".direction", rule, direction)
    for name in ("from_id", "to_id"):
        id_ = needed(given, name, "")
        if not isinstance(id_, str) or id_ not in ids:
            raise Flaw(Code.BAD_RELATION, f".{name}", "must be the id of a region that holds", id_)
