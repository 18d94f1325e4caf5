"""The column `attributes` -> what results have beside geometry: values of controls, and what was kept of them.

Attributes that are not Label Studio's go to a region's `meta`, a free object. Of most tables these are all, in each row
another text: such texts are not read one by one, but written as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET, Raw, Struct, UnsetType

from predarrow.formats.json_text import object_text
from predarrow.formats.label_studio import forms
from predarrow.refusals import Refusals, shown
from predarrow.report import Code

Ints = npt.NDArray[np.int64]
Members = dict[str, str]
"""Members of a JSON object: keys, and values as JSON text."""

_REGION_KEYS = {attribute: name for name, attribute in forms.SHARED.items() if name != "meta"}
_KNOWN = (*forms.ANSWERS, *forms.SHARED.values(), "labels", "keypoint_width", "model_version", "ranges", "label_studio")
_RULE = "must be a JSON object with Label Studio's names as `predarrow.formats.label_studio` tells them"


class Entry(Struct, gc=False):
    """What is kept of a result, beside members that are written as they are."""

    from_name: str
    to_name: Raw
    type: str
    without: frozenset[str] = frozenset()
    at: int | None = None
    value: Raw | UnsetType = UNSET


class Kept(Struct, forbid_unknown_fields=True, gc=False):
    """The attribute `label_studio`: what only Label Studio has."""

    task: dict[str, Raw] | None = None
    rowless: dict[str, list[tuple[int, Raw]]] = {}
    list_name: str = msgspec.field(name="list", default="predictions")
    prediction: dict[str, Raw] | None = None
    results: list[Raw] = []
    value: dict[str, Raw] = {}
    without: frozenset[str] = frozenset()
    score: str = ""
    at: tuple[int, int, int] | None = None
    sequence: dict[str, Raw] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A result of a region as it was read."""

    entry: Entry
    more: Members
    """Members that are not known."""


@dataclass(frozen=True, slots=True)
class Note:
    """The attributes of one row, or of several with the same text."""

    labels: tuple[str, ...] | None = None
    answers: Members = field(default_factory=dict)
    region: Members = field(default_factory=dict)
    """Members of a region by Label Studio's names"""
    meta: str | None = None
    keypoint_width: str | None = None
    model_version: str | None = None
    ranges: str | None = None
    kept: Kept | None = None
    results: tuple[Result, ...] = ()

    @property
    def is_kept(self) -> bool:
        """Whether the row was read from Label Studio; entries of a sequence after the first have no results."""
        return bool(self.results) or self.follows

    @property
    def follows(self) -> bool:
        """Whether the row is an entry of a sequence that another row tells of."""
        return self.kept is not None and self.kept.at is not None and not self.results


NOTHING = Note()


@dataclass(slots=True)
class Notes:
    """The attributes of rows."""

    items: list[Note]
    """The first stands for those that are null, and those of other formats."""
    code: Ints
    """(n,) each row's place in `items`"""
    others: pa.StringArray | None
    """(n,) attributes of other formats, JSON objects; null of rows without"""

    def of(self, row: int) -> Note:
        """Give a row's."""
        return self.items[int(self.code[row])]

    def take(self, chosen: Ints) -> Notes:
        """Give those of chosen rows."""
        others = None if self.others is None else self.others.take(pa.array(chosen))
        return Notes(self.items, self.code[chosen], others)


def notes_of(column: pa.StringArray, refusals: Refusals) -> Notes:
    """Give the attributes of rows; rows whose text does not hold are refused.

    Args:
        column: (n,) JSON texts.
        refusals: of as many rows.
    """
    items = [NOTHING]
    code = np.zeros(len(column), np.int64)
    if column.null_count == len(column):
        return Notes(items, code, None)
    is_known = pc.match_substring_regex(column, _PATTERN).fill_null(False)
    is_other = pc.and_not(column.is_valid(), is_known)
    others = _others(column, is_other)
    if others is None:  # one of them is no object
        is_known, is_other = column.is_valid(), pc.and_not(is_known, is_known)
    if pc.any(is_known).as_py():
        encoded = pc.if_else(is_known, column, pa.scalar(None, pa.string())).dictionary_encode()
        code = encoded.indices.fill_null(-1).to_numpy().astype(np.int64) + 1
        for place, text in enumerate(encoded.dictionary.to_pylist(), 1):
            try:
                items.append(_note(text))
            except (ValueError, RecursionError) as error:
                items.append(NOTHING)
                message = f"{_RULE}: {error}, got {shown(text)}"
                refusals.add(code == place, Code.BAD_VALUE, "attributes", message)
    has_others = others is not None and others.null_count < len(others)
    return Notes(items, code, others if has_others else None)


_PATTERN = '"(?:' + "|".join(_KNOWN) + r')"|\\'
"""A key that is known, or one that may be once its escapes are read."""


class _Object(Struct, gc=False):
    """Any JSON object."""


_decode_objects = msgspec.json.Decoder(_Object).decode_lines
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_kept = msgspec.json.Decoder(Kept).decode
_decode_entry = msgspec.json.Decoder(Entry).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_texts = msgspec.json.Decoder(list[str]).decode
_decode_placed = msgspec.json.Decoder(list[tuple[int, _Object]]).decode
_ENTRY_KEYS = frozenset(Entry.__struct_fields__)


def _others(column: pa.StringArray, is_other: pa.BooleanArray) -> pa.StringArray | None:
    """Give texts that are objects with members, null in other rows; None where one of them is no object."""
    texts = column.filter(is_other)
    lines = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts), "\n")[0].as_py()
    try:
        found = _decode_objects(lines) if lines else []
    except (msgspec.DecodeError, RecursionError):
        return None
    if len(found) != len(texts):  # a line's end in one of them
        return None
    is_member = pc.and_(is_other, pc.match_substring(column, ":"))
    return pc.if_else(is_member, column, pa.scalar(None, pa.string()))


def _note(text: str) -> Note:
    members = _decode_members(text)
    given = {name: members.pop(name) for name in _KNOWN if name in members}
    kept = _decode_kept(given["label_studio"]) if "label_studio" in given else None
    _check_objects(kept, given)
    labels = _decode_texts(given["labels"]) if "labels" in given else None
    return Note(
        labels=None if labels is None else tuple(labels),
        answers={name: _text(given[name]) for name in forms.ANSWERS if name in given},
        region={key: _text(given[name]) for name, key in _REGION_KEYS.items() if name in given},
        meta=_meta(given.get("meta"), members),
        keypoint_width=_text(given["keypoint_width"]) if "keypoint_width" in given else None,
        model_version=_decode_text(given["model_version"]) if "model_version" in given else None,
        ranges=_text(given["ranges"]) if "ranges" in given else None,
        kept=kept,
        results=() if kept is None else tuple(_result(raw) for raw in kept.results),
    )


def _check_objects(kept: Kept | None, given: dict[str, Raw]) -> None:
    """Refuse parts that are put among others as they are, and would not fit there."""
    if kept is not None and kept.prediction is not None and "results" in kept.prediction:
        _decode_placed(kept.prediction["results"])
    if "chatmessage" in given:
        _decode_members(given["chatmessage"])


def _result(raw: Raw) -> Result:
    members = {name: _text(value) for name, value in _decode_members(raw).items() if name not in _ENTRY_KEYS}
    entry = _decode_entry(raw)
    if not isinstance(entry.value, UnsetType):
        _decode_members(entry.value)
    return Result(entry, members)


def _meta(own: Raw | None, others: dict[str, Raw]) -> str | None:
    """Give a region's own meta with members of other formats added to it."""
    if not others:
        return None if own is None else _text(own)
    members = {} if own is None else _decode_members(own)
    return object_text({name: _text(raw) for name, raw in (others | members).items()})


def texts_of(raws: dict[str, Raw]) -> Members:
    """Give members as text."""
    return {name: _text(raw) for name, raw in raws.items()}


def _text(raw: Any) -> str:
    return bytes(raw).decode()
