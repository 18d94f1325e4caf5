"""Which controls of a labelling config rows go to: by their kind, their labels and their answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from predarrow.formats.flaws import Flaw
from predarrow.formats.json_text import json_text
from predarrow.formats.label_studio.check_values import check_answer
from predarrow.formats.label_studio.config import Control, LabelingConfig, MediaObject
from predarrow.formats.label_studio.tags import TAGS
from predarrow.formats.label_studio.write_attributes import Note
from predarrow.report import Code

_KINDS: dict[str, tuple[str, ...]] = {
    "bbox": ("rectangle", "ocr", "videorectangle"),
    "rotated_bbox": ("rectangle", "ocr", "videorectangle"),
    "polygon": ("polygon", "vector"),
    "polyline": ("vector",),
    "ellipse": ("ellipse",),
    "circle": ("ellipse",),
    "keypoints": ("keypoint",),
    "span": ("span", "timespan", "textspan", "timeline"),
}
"""Shapes of controls that a kind may go to."""

_MOVING = frozenset({"videorectangle", "timeline"})
_NOT_TEXT = frozenset({"image", "video"})
_HELD = "Label Studio has boxes, polygons, lines, ellipses, single keypoints, masks, spans and answers"


PAINTED = "painted"
"""In place of the kind: a polygon of several rings that is written as a mask."""


def _first(shape: str) -> tuple[str, str]:
    """Give the two shapes of masks, one of them first."""
    return (shape, "brush" if shape == "bitmask" else "bitmask")


class Answer(NamedTuple):
    """One result."""

    control: Control
    to_name: str
    key: str | None
    """Member of its value that is the control's own"""
    value: str
    """That member, as JSON"""


class Choice(NamedTuple):
    """What a row goes to."""

    shape: str
    """Of its geometry; empty for an answer about the whole task"""
    answers: tuple[Answer, ...]
    left: tuple[str, ...] = ()
    """Answers that no control takes"""


class Controls:
    """The controls of a config, by what they take.

    Args:
        config: of the project.
        masks: the shape that masks go to where both are there.
        holes: likewise of polygons that are masks now.
    """

    def __init__(self, config: LabelingConfig, masks: str, holes: str) -> None:
        self.config = config
        self._kinds = {**_KINDS, "bitmask": _first(masks), PAINTED: _first(holes)}

    def region(self, kind: str, labels: Sequence[str] | None, note: Note, *, is_moving: bool) -> Choice:
        """Give where regions go.

        Args:
            kind: of the table.
            labels: of the regions; None for none.
            note: their attributes.
            is_moving: whether their data unit has several frames.

        Raises:
            Flaw: the config has no such control, or it lacks a label.
        """
        shapes = self._kinds.get(kind)
        if shapes is None:
            raise Flaw(Code.CANNOT_HOLD, "kind", _HELD, kind)
        if is_moving:
            shapes = tuple(shape for shape in shapes if shape in _MOVING)
            if not shapes:
                rule = "only boxes, spans and answers can be on frames of a video"
                raise Flaw(Code.CANNOT_HOLD, "frame", rule, told=f"a {kind}")
        controls = [control for shape in shapes for control in self._of_shape(shape)]
        for shape in shapes:
            answers = self._labelled(shape, labels) or self._bare(shape, labels)
            if answers is not None:
                more, left = self._per_region(note, answers[0].to_name)
                return Choice(shape, (*answers, *more), left)
        if not controls:
            tags = ", ".join(sorted({TAG_NAMES[shape] for shape in shapes}))
            raise Flaw(Code.CANNOT_HOLD, "kind", f"the config must have a control for it ({tags})", told=f"a {kind}")
        raise no_label(controls, self.config, labels or ())

    def task(self, class_name: str, note: Note) -> Choice:
        """Give where answers about the whole task go: the control of that name, else one that takes them.

        Raises:
            Flaw: the config has none, or the answer is none.
        """
        given = note.answers or {"choices": json_text([class_name])}
        answers = []
        for key, text in given.items():
            named = self.config.controls.get(class_name)
            controls = [named] if named is not None and _takes(named, key) else self._of_answer(key, per_region=False)
            fitting = [(control, value) for control in controls if (value := _value(control, key, text)) is not None]
            if not fitting:
                if controls:
                    raise no_label(controls, self.config, [text])
                rule = f"the config must have a control for {key!r}, of the whole task"
                raise Flaw(Code.CANNOT_HOLD, "class_name", rule, class_name)
            control, value = fitting[0]
            answers.append(Answer(control, control.to_name[0], key, value))
        return Choice("", tuple(answers))

    def shown(self, name: str) -> MediaObject | None:
        """Give what is shown under a name."""
        return self.config.objects.get(name)

    def _of_shape(self, shape: str) -> Iterator[Control]:
        for control in self.config.controls.values():
            tag = TAGS.get(control.type)
            if tag is not None and tag.shape == shape and (shape != "span" or self._is_text(control)):
                yield control

    def _is_text(self, control: Control) -> bool:
        shown = self.config.objects.get(control.to_name[0])
        return shown is not None and shown.type not in _NOT_TEXT

    def _labelled(self, shape: str, labels: Sequence[str] | None) -> tuple[Answer, ...] | None:
        """Give the first control of a shape that has the labels itself."""
        if labels is None:
            return None
        for control in self._of_shape(shape):
            key = TAGS[control.type].label_key
            if key is not None and shape != "videorectangle":
                names = named(control, labels)
                if names is not None:
                    return (Answer(control, control.to_name[0], key, json_text(names)),)
        return None

    def _bare(self, shape: str, labels: Sequence[str] | None) -> tuple[Answer, ...] | None:
        """Give a control of a shape without labels, with another one for these; or any, where there are none."""
        controls = sorted(self._of_shape(shape), key=lambda control: TAGS[control.type].label_key is not None)
        for control in controls:
            key = TAGS[control.type].label_key
            to_name = control.to_name[0]
            if labels is None:
                return (Answer(control, to_name, None if shape == "videorectangle" else key, "[]"),)
            if key is not None and shape != "videorectangle":
                continue
            for other in self.config.controls_of("labels", to_name):
                names = named(other, labels)
                if names is None:
                    continue
                if shape == "videorectangle":
                    return (Answer(control, to_name, "labels", json_text(names)),)
                own = Answer(other, to_name, "labels", json_text(names))
                return Answer(control, to_name, None, ""), own
        return None

    def _per_region(self, note: Note, to_name: str) -> tuple[list[Answer], tuple[str, ...]]:
        """Give the controls that take answers about a region, and the answers that none takes."""
        found: list[Answer] = []
        left: list[str] = []
        for key, text in note.answers.items():
            for control in self._of_answer(key, per_region=True):
                value = _region_value(control, key, text)
                if to_name in control.to_name and value is not None:
                    found.append(Answer(control, to_name, key, value))
                    break
            else:
                left.append(key)
        return found, tuple(left)

    def _of_answer(self, key: str, *, per_region: bool) -> list[Control]:
        controls = self.config.controls.values()
        return [control for control in controls if _takes(control, key) and control.is_per_region == per_region]


TAG_NAMES: dict[str, str] = {tag.shape: tag.name for tag in reversed(list(TAGS.values())) if tag.shape is not None}
"""A tag of each shape, as configs spell it."""

_decode = msgspec.json.Decoder().decode


def named(control: Control, labels: Sequence[str]) -> list[str] | None:
    """Give labels as results of a control call them; None where it lacks one."""
    if not control.label_names:  # they come with the task
        return list(labels)
    found = [control.find_label(label) for label in labels]
    return None if None in found else [label.name for label in found if label is not None]


def _takes(control: Control, key: str) -> bool:
    tag = TAGS.get(control.type)
    return tag is not None and tag.is_answer and tag.label_key == key


def _value(control: Control, key: str, text: str) -> str | None:
    """Give an answer as a control has it; None where it is a choice that the control lacks.

    One text alone, as other formats have it, is a list of one.

    Raises:
        Flaw: it is no answer to the control.
    """
    given: Any = _decode(text)
    if key in _LISTED and isinstance(given, str):
        given = [given]
        text = json_text(given)
    if key == "choices" and isinstance(given, list) and all(isinstance(each, str) for each in given):
        names = named(control, given)
        return None if names is None else json_text(names)
    check_answer({key: given}, "attributes", control.type, control, Counter())
    return text


def _region_value(control: Control, key: str, text: str) -> str | None:
    """Give an answer about a region, whose attributes may be another format's, as a control has it; else None."""
    try:
        return _value(control, key, text)
    except Flaw:
        return None


_LISTED = frozenset({"text", "choices"})


def no_label(controls: Sequence[Control], config: LabelingConfig, labels: Sequence[str]) -> Flaw:
    """Give the flaw of rows whose label none of some controls has."""
    objects = {control.to_name[0] for control in controls}
    siblings = [each for name in objects for each in config.controls_of("labels", name)]
    known = sorted({name for control in (*controls, *siblings) for name in control.label_names})
    listed = ", ".join(known[:5]) + (", …" if len(known) > 5 else "")
    where = ", ".join(sorted({control.name for control in controls}))
    rule = f"must be a label of the config's {where} ({listed or 'none'})"
    return Flaw(Code.UNKNOWN_CLASS, "class_name", rule, labels[0] if len(labels) == 1 else list(labels))
