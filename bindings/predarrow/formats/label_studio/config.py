"""Labelling configs: which controls and objects a Label Studio project has, and which labels.

    <View>
      <Image name="image" value="$url"/>                     an object: shows the data's member `url`
      <RectangleLabels name="box" toName="image">            a control: its results carry from_name "box",
        <Label value="Car" alias="car" background="red"/>    to_name "image" and type "rectanglelabels"
      </RectangleLabels>
    </View>

A tag with `name` and `toName` is a control (Filter is none), one with `name` and `value` or `valueList` an object; Chat
and ReactCode are both. Label, Choice and Relation belong to the nearest control around them; in results a label is
called by its alias, else by its value. Other tags are layout and are passed over.

Source: Label Studio's tag reference; which tags are controls and objects as label_studio_sdk 2.1.2 has it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from predarrow.errors import InputError
from predarrow.formats.flaws import Flaw
from predarrow.formats.label_studio.config_xml import MAX_BYTES, Element, parse_elements
from predarrow.report import Code, Problem
from predarrow.sources import StrPath

_LABEL_TAGS = ("Label", "Choice", "Relation")
_BOTH = {"chat": "ChatMessage", "reactcode": "ReactCode"}
_BLANK = "\ufeff \t\r\n"
_ROOT = re.compile(r"[^.\[]+")
_VARIABLE = re.compile(r"\$[^, ]+")


@dataclass(frozen=True, slots=True)
class Label:
    """A label, choice or relation of a control."""

    name: str
    """What results call it: its alias, else its value"""
    value: str | None
    """What people see"""
    path: tuple[str, ...]
    """Names from the outermost choice to this one; of a taxonomy more than one"""
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Control:
    """A control tag: what makes results."""

    name: str
    """`from_name` of its results"""
    tag: str
    type: str
    """`type` of its results: the tag in lower case"""
    to_name: tuple[str, ...]
    labels: tuple[Label, ...]
    label_names: frozenset[str]
    """Names that results may carry; empty where the config lists none"""
    attributes: Mapping[str, str]

    def find_label(self, name: str) -> Label | None:
        """Give the label that results call so, else the one that people see under this name."""
        by_value = None
        for label in self.labels:
            if label.name == name:
                return label
            if by_value is None and label.value == name:
                by_value = label
        return by_value

    @property
    def is_per_region(self) -> bool:
        """Whether its values belong to regions rather than to the task."""
        return self.attributes.get("perRegion", "").lower() == "true"


@dataclass(frozen=True, slots=True)
class MediaObject:
    """An object tag: what is shown."""

    name: str
    """`to_name` of results on it"""
    tag: str
    type: str
    """The tag in lower case"""
    value: str | None
    """Its `valueList`, else its `value`: `$image`"""
    variable: str | None
    """Member of the task's data that it shows; None where `value` is a text of its own"""
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LabelingConfig:
    """The controls and objects of a labelling config, in its order."""

    text: str
    """The XML"""
    controls: Mapping[str, Control]
    objects: Mapping[str, MediaObject]

    @classmethod
    def parse(cls, text: str, source: str = "config") -> LabelingConfig:
        """Give a config from its XML.

        Args:
            text: the XML.
            source: what errors call it.

        Raises:
            InputError: no XML, over 16 MiB, over 256 tags deep, a document type, a name twice, or a `toName` that no
                tag is named.
        """
        try:
            elements = parse_elements(text)
            _check_names(elements)
            controls, objects = _sorted_out(elements)
        except Flaw as flaw:
            raise InputError([Problem(source, None, flaw.pointer, flaw.code, flaw.message)]) from None
        return cls(text, controls, objects)

    @classmethod
    def read(cls, path_or_xml: StrPath) -> LabelingConfig:
        """Give a config from a file, or from XML: a text that begins with `<`.

        Raises:
            InputError: the file cannot be read, or the config does not hold; see `parse`.
        """
        if isinstance(path_or_xml, str) and path_or_xml.lstrip(_BLANK)[:1] in ("<", ""):
            return cls.parse(path_or_xml.lstrip(_BLANK))
        path = os.fspath(path_or_xml)
        try:
            with Path(path).open("rb") as file:
                text = file.read(MAX_BYTES + 1).decode("utf-8-sig")
        except OSError as error:
            raise InputError([Problem(path, None, "", Code.UNREADABLE, error.strerror or str(error))]) from None
        except UnicodeDecodeError as error:
            rule = f"a labelling config must be UTF-8, got byte {error.start} that is not"
            raise InputError([Problem(path, None, "", Code.BAD_TEXT, rule)]) from None
        return cls.parse(text.lstrip(), path)

    @property
    def variables(self) -> tuple[str, ...]:
        """Members that a task's data must have, in the objects' order."""
        return tuple(dict.fromkeys(each.variable for each in self.objects.values() if each.variable is not None))

    def controls_of(self, type_: str, to_name: str | None = None) -> list[Control]:
        """Give the controls of a type, those for an object where it is named."""
        found = (control for control in self.controls.values() if control.type == type_)
        return [control for control in found if to_name is None or to_name in control.to_name]


def root_of(variable: str) -> str:
    """Give the member of a task's data that a variable stands in: `pages` of `pages[0].url`."""
    found = _ROOT.match(variable)
    return variable if found is None else found.group()


def _check_names(elements: Sequence[Element]) -> None:
    """Refuse a name of two tags, and a `toName` that is none, as Label Studio does."""
    names: set[str] = set()
    for element in elements:
        name = element.attributes.get("name")
        if name is None:
            continue
        if name in names:
            raise _flaw(element, "a name must belong to one tag", f"{name!r} a second time")
        names.add(name)
    for element in elements:
        for name in element.attributes.get("toName", "").split(",") if "toName" in element.attributes else ():
            if name not in names:
                known = ", ".join(sorted(names)[:5]) or "none"
                raise _flaw(element, f"toName must be the name of a tag ({known})", repr(name))


def _flaw(element: Element, rule: str, told: str) -> Flaw:
    return Flaw(Code.BAD_CONFIG, f"line {element.line}: <{element.tag}>", rule, told=told)


def _sorted_out(elements: Sequence[Element]) -> tuple[dict[str, Control], dict[str, MediaObject]]:
    """Give controls and objects by name."""
    controls: dict[str, Element] = {}
    objects: dict[str, Element] = {}
    labels: dict[str, list[Label]] = {}
    for element in elements:
        given = element.attributes
        name = given.get("name", "")
        if name and given.get("toName") and element.tag != "Filter":
            controls[name] = element
        elif name and (given.get("value") or given.get("valueList") or element.tag.lower() in _BOTH):
            objects[name] = element
        elif element.tag in _LABEL_TAGS:
            _add_label(element, controls, labels)
    both = {name: each for name, each in {**objects, **controls}.items() if each.tag.lower() in _BOTH}
    found = {name: _control(each, labels.get(name, [])) for name, each in controls.items()}
    for name, each in both.items():
        if name not in controls:
            found[name] = _new_control(name, _BOTH[each.tag.lower()], (name,), labels.get(name, []), each.attributes)
    shown = {**objects, **{name: each for name, each in both.items() if name not in objects}}
    return found, {name: _object(each) for name, each in shown.items()}


def _add_label(element: Element, controls: Mapping[str, Element], labels: dict[str, list[Label]]) -> None:
    """Add a label to the nearest control around it, where it has a name and there is one."""
    path = [_label_name(element)]
    around = element.parent
    while around is not None and around.attributes.get("name", "") not in controls:
        if around.tag in _LABEL_TAGS:
            path.append(_label_name(around))
        around = around.parent
    if around is None or path[0] is None:
        return
    names = tuple(name for name in reversed(path) if name is not None)
    label = Label(names[-1], element.attributes.get("value"), names, element.attributes)
    labels.setdefault(around.attributes["name"], []).append(label)


def _label_name(element: Element) -> str | None:
    return element.attributes.get("alias") or element.attributes.get("value")


def _control(element: Element, labels: Sequence[Label]) -> Control:
    given = element.attributes
    return _new_control(given["name"], element.tag, tuple(given["toName"].split(",")), labels, given)


def _new_control(
    name: str, tag: str, to_name: tuple[str, ...], labels: Sequence[Label], attributes: Mapping[str, str]
) -> Control:
    names = frozenset(label.name for label in labels)
    return Control(name, tag, tag.lower(), to_name, tuple(labels), names, attributes)


def _object(element: Element) -> MediaObject:
    given = element.attributes
    value = given.get("valueList", given.get("value"))
    variable = value[1:] if value is not None and _VARIABLE.fullmatch(value) else None
    return MediaObject(given["name"], element.tag, element.tag.lower(), value, variable, given)
