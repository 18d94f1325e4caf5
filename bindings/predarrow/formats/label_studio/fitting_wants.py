"""What a fitting labelling config must have: controls with their labels and answers, and what they are on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from predarrow.errors import InputError
from predarrow.formats.label_studio.tags import TAGS
from predarrow.report import Code, Problem

SOURCE = "label_config"

IMAGE, VIDEO, TEXT, AUDIO = "Image", "Video", "Text", "Audio"

_ON_VIDEO = ("videorectangle", "videovector", "timeline")
_OBJECTS = {"hypertextlabels": "HyperText", "paragraphlabels": "Paragraphs", "chatmessage": "Chat", "ranker": "List"}
_NAMED = ("pairwise", "ranker")
_UNTOLD = {
    "pairwise": "the two things of a Pairwise",
    "ranker": "the things that are ranked",
    "timeserieslabels": "the channels of a time series",
    "ocrlabels": "the document that OcrLabels are on",
    "reactcode": "the code of ReactCode",
}


@dataclass(slots=True)
class Want:
    """A control that is needed."""

    type: str
    is_per_region: bool
    to_name: tuple[str, ...]
    labels: dict[str, None] = field(default_factory=dict)
    """A set in its order"""
    paths: dict[tuple[str, ...], None] = field(default_factory=dict)
    """Of a taxonomy"""
    most: int = 0
    """The highest rating, or the most choices of one row"""

    def add_answer(self, value: Any) -> None:
        """Make room for an answer; one that does not hold is left to those who write it."""
        if self.type == "choices" and isinstance(value, list | str):
            value = [value] if isinstance(value, str) else value
            choices = [choice for choice in value if isinstance(choice, str)]
            self.labels.update(dict.fromkeys(choices))
            self.most = max(self.most, len(choices))
        elif self.type == "taxonomy" and isinstance(value, list):
            for path in value:
                if isinstance(path, list) and all(isinstance(name, str) for name in path):
                    self.paths[tuple(path)] = None
        elif self.type == "rating" and isinstance(value, int):
            self.most = max(self.most, value)
        elif self.type == "ranker" and isinstance(value, dict):
            self.labels.update(dict.fromkeys(name for name in value if isinstance(name, str)))


@dataclass(slots=True)
class Wants:
    """All controls that are needed, and the objects that they are on. A name that was given stays."""

    controls: dict[str, Want] = field(default_factory=dict)
    """By from_name"""
    objects: dict[str, str] = field(default_factory=dict)
    """Tags of objects by name"""
    guesses: dict[str, str] = field(default_factory=dict)
    """The same, where nothing but the address tells"""
    variables: dict[str, str] = field(default_factory=dict)
    """Members of the data by the name of the object that shows them"""
    _unnamed: dict[tuple[str, bool, str, str], str] = field(default_factory=dict)
    """Names of controls that no row names, by type, whether per region, object, and the name that they ask for"""

    def name(self, name: str, type_: str, to_name: str, *, is_per_region: bool) -> Want:
        """Give the control that a row names.

        Raises:
            InputError: it is of another type.
        """
        to_names = tuple(to_name.split(","))
        want = self.controls.setdefault(name, Want(type_, is_per_region, to_names))
        if want.type != type_:
            raise unfit(f"results of {name!r} must have one type", f"{want.type} and {type_}")
        want.to_name += tuple(each for each in to_names if each not in want.to_name)
        return want

    def want(
        self, type_: str, tag: str, *, is_per_region: bool = False, name: str = "", to_name: tuple[str, ...] = ()
    ) -> Want:
        """Give a control that no row names, on an object of a tag or a name; its name is its own where that is free."""
        to_name = to_name or (self._object_of(tag),)
        name = name or (f"{type_}_per_region" if is_per_region else type_)
        key = type_, is_per_region, to_name[0], name
        if key not in self._unnamed:
            self._unnamed[key] = self._free(name)
            self.controls[self._unnamed[key]] = Want(type_, is_per_region, to_name)
        return self.controls[self._unnamed[key]]

    def _object_of(self, tag: str) -> str:
        """Give the object of a tag: one that is there, else a new one.

        Raises:
            InputError: a second one would be new.
        """
        for name, other in self.objects.items():
            if other == tag:
                return name
        if others := {*self.objects.values(), *self.guesses.values()}:
            rule = "rows must be on one kind of data, as every task must have all that the config shows"
            raise unfit(rule, " and ".join([*sorted(others), tag]))
        name = self._free(tag.lower())
        self.objects[name] = tag
        return name

    def shows(self, tag: str) -> bool:
        """Tell whether there is an object of a tag."""
        return tag in self.objects.values()

    def any_object(self) -> str | None:
        """Give the tag of an object that is there."""
        return next(iter(self.objects.values()), None)

    def _free(self, name: str) -> str:
        """Give a name that is not taken."""
        names = (name if number == 1 else f"{name}_{number}" for number in count(1))
        return next(
            each for each in names if each not in self.controls and each not in {**self.objects, **self.guesses}
        )

    def place(self, names: Iterable[str], tag: str) -> None:
        """Tell what objects are.

        Raises:
            InputError: one of them is something else already.
        """
        for name in names:
            if self.objects.setdefault(name, tag) != tag:
                raise unfit(f"object {name!r} must be one thing", f"{self.objects[name]} and {tag}")

    def shown(self) -> dict[str, str]:
        """Give the tags of all objects that controls are on.

        Raises:
            InputError: a control and an object have one name, and are not one.
        """
        names = dict.fromkeys(name for want in self.controls.values() for name in want.to_name)
        for name in names:
            want = self.controls.get(name)
            if want is not None and want.type != "chatmessage":
                raise unfit("a control and an object must have names of their own", f"{name!r} for both")
        return {name: self.objects.get(name) or self.guesses.get(name, IMAGE) for name in names}


def object_of(type_: str, default: str | None, *, is_named: bool = False) -> str | None:
    """Give the tag of the objects that a type of results is on; `default` where it can be on several.

    Args:
        type_: the type.
        default: where rows tell nothing else.
        is_named: whether rows name the objects.

    Raises:
        InputError: rows do not tell what that object must have.
    """
    if type_ in _UNTOLD and not (is_named and type_ in _NAMED):
        raise unfit(f"must tell {_UNTOLD[type_]}, which rows do not", type_)
    tag = TAGS.get(type_)
    if type_ in _OBJECTS:
        return _OBJECTS[type_]
    if tag is None or tag.shape is None or tag.shape == "span":
        return default
    return VIDEO if tag.shape in _ON_VIDEO else IMAGE


def unfit(rule: str, told: str) -> InputError:
    """Give the error of rows that no config can be made for."""
    message = f"{rule}, got {told}; give the labelling config that they belong to, or write them apart"
    return InputError([Problem(SOURCE, None, "", Code.BAD_CONFIG, message)])


def variable_of(data: Mapping[str, Any], data_unit: str, to_name: str) -> str | None:
    """Give the member of a task's data that an object shows; None where that cannot be told."""
    texts = [name for name, value in data.items() if isinstance(value, str)]
    same = [name for name in texts if data[name] == data_unit]
    if len(same) == 1:
        return same[0]
    if to_name in data:
        return to_name
    return texts[0] if len(texts) == 1 else None
