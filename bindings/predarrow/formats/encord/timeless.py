"""Labels that hold on ranges rather than on one frame: classifications, and spans of sound and text."""

from __future__ import annotations

import math
from bisect import bisect
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from predarrow.formats.encord.attributes import BASE, Key, base_text, member
from predarrow.formats.encord.columns import Ints
from predarrow.formats.encord.flaws import check_key
from predarrow.formats.encord.ranges import MOST_ROWS, OVERLAPPING, Ranges, ranges_of
from predarrow.formats.encord.rules import Rules
from predarrow.formats.flaws import Flaw
from predarrow.report import Code

NO_FRAME = "classification on no frame"
NOT_IN_RANGE = "frame entry of a classification that its answer's ranges do not have, left out"
SPAN_SHAPES = ("audio", "time_range", "text")

_OF_ANSWER = frozenset({"classificationHash", "featureHash", "classifications", "range", "confidence", *BASE})
_OF_SPAN = frozenset({"objectHash", "featureHash", "classifications", "range", "range_html", "name", "color", "shape"})
_OF_SPAN |= frozenset({"value", "confidence", *BASE})
_OF_ENTRY = frozenset({"classificationHash", "featureHash", "name", "value", "confidence", *BASE})
_DEFAULTS: dict[str, Any] = {"spaces": {}, "reviews": []}
_NONE = object()
_ZERO = np.zeros(1, np.int64)


@dataclass(slots=True)
class Timeless:
    """A label that is the same on one or more frames."""

    kind: str
    object_id: str
    feature_hash: str
    class_name: str
    confidence: float
    frames: Ints
    text: str
    """Members of the attributes, without braces."""
    once: str
    """A member of the attribute "encord" on the first row; empty without."""


class FrameEntry(NamedTuple):
    """A classification as it stands on a frame, as older rows have all of them."""

    frame: int
    members: dict[str, Any]
    pointer: str


class Timelesses:
    """Reads those labels of one label row after the other.

    Args:
        rules: what their ontology says.
        flagged, skipped: count what is odd, and what is left out by rule.
    """

    def __init__(self, rules: Rules, flagged: Counter[str], skipped: Counter[str]) -> None:
        self._rules = rules
        self._flagged = flagged
        self._skipped = skipped

    def begin(self, n_frames: int | None, n_objects: int) -> None:
        """Take the next label row, with the number of its frames where that is known."""
        self._n_frames = n_frames
        self._left = MOST_ROWS - n_objects
        self._taken: dict[str, list[tuple[int, int]]] = {}

    def span(self, key: str, entry: dict[str, Any]) -> list[Timeless]:
        """Give an object of `object_answers` that lies on ranges.

        Raises:
            Flaw: it does not hold.
        """
        feature_hash = _feature(entry)
        shape = entry.get("shape")
        if shape not in SPAN_SHAPES:
            raise Flaw(Code.BAD_VALUE, ".shape", f"must be one of {', '.join(SPAN_SHAPES)}", shape)
        item = self._rules.object(feature_hash)
        if item is not None and item.shape != shape:
            rule = f"must be {item.shape}, as the class {item.name!r} is in the ontology"
            raise Flaw(Code.BAD_VALUE, ".shape", rule, shape)
        check_key(entry, "objectHash", key)
        parts = [self._base(entry), member("ranges", _span_ranges(entry))]
        parts.append(self._answers(entry.get("classifications"), item))
        once = _rest(entry, _OF_SPAN)
        name = item.name if item is not None else _name(entry) or feature_hash
        self._count(1)
        return [Timeless("span", key, feature_hash, name, _confidence(entry), _ZERO, _joined(parts), once)]

    def classification(self, key: str, entry: dict[str, Any], on_frames: list[FrameEntry]) -> list[Timeless]:
        """Give a classification of `classification_answers`, or of frames alone.

        Args:
            key: its hash.
            entry: its answers, and its ranges in newer rows.
            on_frames: its entries on frames.

        Raises:
            Flaw: it does not hold.
        """
        check_key(entry, "classificationHash", key)
        first = on_frames[0].members if on_frames else {}
        feature_hash = _feature(entry if entry.get("featureHash") is not None or not on_frames else first)
        item = self._rules.classification(feature_hash)
        name = item.name if item is not None else _name(first) or feature_hash
        answers = self._answers(entry.get("classifications"), item)
        once = _rest(entry, _OF_ANSWER)
        given = entry.get("range")
        made = Timeless("classification", key, feature_hash, name, 1.0, _ZERO, answers, once)
        if given is None or (given == [] and on_frames):
            return self._older(made, on_frames)
        ranges = ranges_of(given, ".range", self._n_frames)
        if item.is_global if item is not None else not ranges.pairs:
            return [self._everywhere(made, entry, ranges)]
        if not ranges.pairs:
            self._skipped[NO_FRAME] += 1
            return []
        return [self._on_ranges(made, entry, ranges, on_frames)]

    def _everywhere(self, made: Timeless, entry: dict[str, Any], ranges: Ranges) -> Timeless:
        self._take(made.feature_hash, [(-1, -1)])
        self._count(1)
        made.confidence = _confidence(entry)
        made.text = _joined([self._base(entry), '"global":true', made.text])
        if ranges.pairs:
            made.once = _rest(entry, _OF_ANSWER - {"range"})
        return made

    def _on_ranges(
        self, made: Timeless, entry: dict[str, Any], ranges: Ranges, on_frames: list[FrameEntry]
    ) -> Timeless:
        self._count(ranges.n_frames)
        self._take(made.feature_hash, ranges.pairs)
        if not ranges.is_plain:
            self._flagged[OVERLAPPING] += 1
            made.once = _rest(entry, _OF_ANSWER - {"range"})
        made.confidence = _confidence(entry)
        made.text = _joined([self._base(entry), made.text])
        made.frames = ranges.frames()
        if on_frames:
            strays = np.setdiff1d([each.frame for each in on_frames], made.frames)
            if len(strays):
                self._flagged[NOT_IN_RANGE] += len(strays)
        return made

    def _older(self, made: Timeless, on_frames: list[FrameEntry]) -> list[Timeless]:
        """Give a classification whose frames tell where it is, each with members of its own."""
        if not on_frames:
            self._skipped[NO_FRAME] += 1
            return []
        self._count(len(on_frames))
        result = []
        for each in on_frames:
            if self._n_frames is not None and each.frame >= self._n_frames:
                rule = f"must be on a frame of the data unit, which are 0 to {self._n_frames - 1}"
                raise Flaw(Code.FRAME_RANGE, "", rule, each.frame)
            self._take(made.feature_hash, [(each.frame, each.frame)])
            others = {name: value for name, value in each.members.items() if name not in _OF_ENTRY and value != []}
            more = [member(name, value) for name, value in others.items()]
            text = _joined([self._base(each.members), made.text, *more])
            once, made.once = made.once, ""
            frames = np.array([each.frame], np.int64)
            confidence = _confidence(each.members)
            result.append(replace(made, confidence=confidence, frames=frames, text=text, once=once))
        return result

    def _answers(self, given: Any, item: Any) -> str:
        entries = self._rules.answers([] if given is None else given, item, ".classifications")
        return member("answers", entries) if entries else ""

    def _count(self, n_rows: int) -> None:
        """Keep count of a label's rows before they are made."""
        if n_rows > self._left:
            rule = f"the labels of a label row must be on {MOST_ROWS} frames at most, each counted"
            raise Flaw(Code.TOO_MANY_FRAMES, ".range", rule, told=f"{n_rows} where {self._left} are left")
        self._left -= n_rows

    def _take(self, feature_hash: str, pairs: list[tuple[int, int]]) -> None:
        """Note where a classification is, which nowhere may be twice."""
        taken = self._taken.setdefault(feature_hash, [])
        for start, end in pairs:
            place = bisect(taken, (start, end))
            for other in taken[max(place - 1, 0) : place + 1]:
                if other[0] <= end and start <= other[1]:
                    rule = "a frame must have each classification once"
                    where = "the whole data unit" if start < 0 else f"frames {start} to {end}"
                    raise Flaw(Code.BAD_VALUE, ".range", rule, told=f"{feature_hash!r} again on {where}")
        for pair in pairs:
            taken.insert(bisect(taken, pair), pair)

    def _base(self, entry: dict[str, Any]) -> str:
        values = tuple(entry.get(name) for name in BASE)
        for name, value in zip(BASE, values, strict=True):
            wanted: type = bool if name == "manualAnnotation" else str
            if value is not None and not isinstance(value, wanted):
                word = "true or false" if wanted is bool else "text"
                raise Flaw(Code.BAD_VALUE, f".{name}", f"must be {word}", value)
        key: Key = (values[0], values[1], values[2], values[3], values[4])
        return base_text(key)


def _feature(entry: dict[str, Any]) -> str:
    value = entry.get("featureHash")
    if not isinstance(value, str) or not value:
        raise Flaw(Code.BAD_VALUE, ".featureHash", "must be a text that is not empty", value)
    return value


def _name(entry: dict[str, Any]) -> str:
    value = entry.get("name")
    if value is not None and not isinstance(value, str):
        raise Flaw(Code.BAD_VALUE, ".name", "must be text", value)
    return value or ""


def _confidence(entry: dict[str, Any]) -> float:
    value = entry.get("confidence")
    if value is None:
        return 1.0
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise Flaw(Code.BAD_NUMBER, ".confidence", "must be a finite number", value)
    return float(value)


def _span_ranges(entry: dict[str, Any]) -> list[Any]:
    """Give ranges as they stand: of milliseconds or characters, or places in HTML."""
    html = entry.get("range_html")
    if html is not None:
        if not isinstance(html, list) or not html or not all(isinstance(each, dict) for each in html):
            raise Flaw(Code.BAD_VALUE, ".range_html", "must be a list of ranges", html)
        return html
    ranges = ranges_of(entry.get("range"), ".range")
    if not ranges.pairs:
        raise Flaw(Code.BAD_VALUE, ".range", "must have at least one range", told="none")
    given: list[Any] = entry["range"]
    return given


def _rest(entry: dict[str, Any], known: frozenset[str]) -> str:
    others = {
        name: value
        for name, value in entry.items()
        if name not in known and value is not None and value != _DEFAULTS.get(name, _NONE)
    }
    return member("object", others) if others else ""


def _joined(parts: list[str]) -> str:
    return ",".join(filter(None, parts))
