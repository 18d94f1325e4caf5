"""The column `attributes` -> what label rows have beside geometry: times, people, answers, and what was kept of others.

Texts are decoded once each, nearly all of them by one typed step; those with keys of their own key by key.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET, Raw, Struct, UnsetType

from predarrow.buffers import flat_text, numbers_array, text_array
from predarrow.formats.encord.wire import ABSENT, OBJECTS
from predarrow.refusals import Refusals, shown
from predarrow.report import Code

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
_Text = str | None | UnsetType

_CLASH = "attribute left out that has the name of one of Encord's own members"
_TAKEN = {"name", "color", "shape", "value", "confidence", "objectHash", "classificationHash", "featureHash"}
_TAKEN |= {"actions", "classifications", "range", "spaces", *(key for item in OBJECTS for key in item.keys)}
_PLAIN_ROWS = 1024
_TAIL = b'"encord":{"coordinates":'


class Kept(Struct, forbid_unknown_fields=True, gc=False):
    """The attribute "encord": what only label rows have."""

    label_row: Raw = ABSENT
    portable: bool = False
    object: dict[str, Raw] = {}
    coordinates: Raw = ABSENT
    points: list[dict[str, Any]] = []
    name: str | None = None
    z: list[float] = []


class Attributes(Struct, forbid_unknown_fields=True, gc=False, rename={"is_global": "global"}):
    """Attributes that are known."""

    createdAt: _Text = UNSET
    createdBy: _Text = UNSET
    lastEditedAt: _Text = UNSET
    lastEditedBy: _Text = UNSET
    manualAnnotation: bool | UnsetType | None = UNSET
    isDeleted: bool | UnsetType | None = UNSET
    answers: list[Raw] = []
    dynamic: list[Raw] = []
    encord: Kept | None = None
    is_global: bool = False
    ranges: Raw = ABSENT
    convention: str | None = None


_KEPT: dict[str, Any] = {"label_row": ABSENT, "object": {}, "coordinates": ABSENT, "points": [], "z": []}
_BASE = ("createdAt", "createdBy", "lastEditedAt", "lastEditedBy", "manualAnnotation", "isDeleted")
_KNOWN = frozenset(field.encode_name for field in msgspec.structs.fields(Attributes))
_TAKEN |= set(_BASE)  # where they are not of their type
_OBJECT: dict[str, Any] = {"createdAt": None, "createdBy": None, "manualAnnotation": True}  # old SDKs ask for these
_ENTRY: dict[str, Any] = dict.fromkeys(_BASE[:4]) | {"manualAnnotation": True}
_decode = msgspec.json.Decoder(Attributes).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode


class Note(NamedTuple):
    """The attributes of one row, or of several with the same text."""

    item: Attributes
    more: dict[str, str]
    """Members that are not known, as JSON text."""

    def meta(self, used: str = "", *, is_entry: bool = False) -> str:
        """Give members of a label, each behind a comma: who made it when, and what is not known.

        Args:
            used: the one of global, ranges and convention that its kind has; the others are not known either.
            is_entry: whether it is an entry of answers, where null stands for a time or person that is not told.
        """
        text = _base_text(self.item, is_entry)
        item = self.item
        if not (self.more or item.is_global or item.ranges is not ABSENT or item.convention is not None):
            return text
        given = {"global": "true" if item.is_global else "", "ranges": bytes(item.ranges).decode()}
        given["convention"] = "" if item.convention is None else json.dumps(item.convention, ensure_ascii=False)
        given = self.more | {name: value for name, value in given.items() if value and name != used}
        return text + "".join(f",{_key(name)}:{value}" for name, value in given.items())

    @property
    def answers(self) -> str | None:
        """The static answers as a JSON list; None where there are none."""
        return _listed(self.item.answers) if self.item.answers else None


NOTHING = Note(Attributes(), {})


class Notes(NamedTuple):
    """The attributes of rows."""

    items: list[Note]
    """The first one stands for those that are null."""
    code: Ints
    """(n,) each row's place in `items`."""
    kept: dict[str, Bools]
    """By member of the attribute "encord", which of the items have it."""
    tails: pa.StringArray | None
    """(n,) kept coordinates of rows that keep nothing else, which are not in `items`; empty of others."""

    def has(self, name: str) -> Bools:
        """Tell which rows have a member of the attribute "encord", (n,)."""
        has = self.kept[name][self.code] if name in self.kept else np.zeros(len(self.code), np.bool_)
        if name == "coordinates" and self.tails is not None:
            has |= pc.binary_length(self.tails).to_numpy() > 0
        return has

    def coordinates(self) -> pa.StringArray:
        """Give the kept coordinates as JSON texts, (n,); empty where there are none."""
        tails = text_array([""] * len(self.code)) if self.tails is None else self.tails
        chosen = self.kept["coordinates"][self.code] if "coordinates" in self.kept else np.zeros(0, np.bool_)
        if not chosen.any():
            return tails
        every = [self.of(row).item.encord for row in np.flatnonzero(chosen).tolist()]
        texts = ["" if kept is None else bytes(kept.coordinates).decode() for kept in every]
        return pc.replace_with_mask(tails, numbers_array(chosen), text_array(texts))

    def take(self, chosen: Ints) -> Notes:
        """Give those of chosen rows."""
        tails = None if self.tails is None else self.tails.take(pa.array(chosen))
        return self._replace(code=self.code[chosen], tails=tails)

    def slice(self, begin: int, end: int) -> Notes:
        """Give those of rows that stand together, without a copy."""
        tails = None if self.tails is None else self.tails.slice(begin, end - begin)
        return self._replace(code=self.code[begin:end], tails=tails)

    def of(self, row: int) -> Note:
        """Give a row's."""
        return self.items[int(self.code[row])]


def notes_of(column: pa.StringArray, refusals: Refusals, flags: Counter[str]) -> Notes:
    """Give the attributes of rows.

    Args:
        column: (n,) JSON texts.
        refusals: told of those that are no JSON object.
        flags: told of members that are left out.
    """
    items = [NOTHING]
    if column.null_count == len(column):
        return Notes(items, np.zeros(len(column), np.int64), {}, None)
    column, tails = _parted(column)
    texts, code = _distinct(column)
    for place, text in enumerate(texts):
        try:
            items.append(_note(text, flags))
        except (ValueError, RecursionError) as error:
            items.append(NOTHING)
            rule = "must be a JSON object, with answers and kept members as label rows have them"
            refusals.add(code == place + 1, Code.BAD_TABLE, "attributes", f"{rule}, got {shown(text)} ({error})")
    return Notes(items, code, _kept(items), tails)


def _kept(items: list[Note]) -> dict[str, Bools]:
    """Tell which notes have which members of the attribute "encord"."""
    result: dict[str, Bools] = {}
    for place, note in enumerate(items):
        kept = note.item.encord
        if kept is not None:
            for name, default in _KEPT.items():
                if getattr(kept, name) != default:
                    result.setdefault(name, np.zeros(len(items), np.bool_))[place] = True
    return result


def _parted(column: pa.StringArray) -> tuple[pa.StringArray, pa.StringArray | None]:
    """Give texts without kept coordinates, where they keep nothing else, and these; None where there are none.

    Coordinates differ in each row, so that with them each text would have to be read on its own.
    """
    from predarrow_engine.json_tails import part

    found = part(*flat_text(column), _TAIL)
    if not found.tails.size:
        return column, None
    heads, tails = (
        pa.Array.from_buffers(pa.string(), len(column), [None, pa.py_buffer(places), pa.py_buffer(letters)])
        for letters, places in ((found.heads, found.head_offsets), (found.tails, found.tail_offsets))
    )
    if column.null_count:
        heads = pc.if_else(column.is_valid(), heads, pa.scalar(None, pa.string()))
    return heads, tails


def _distinct(column: pa.StringArray) -> tuple[list[str], Ints]:
    """Give texts, and each row's place among them plus 1; 0 is null."""
    beginning = column.slice(0, _PLAIN_ROWS)
    if 2 * len(beginning.unique()) > len(beginning):  # to compare long texts costs as much as to read them
        is_given = column.is_valid().to_numpy(zero_copy_only=False)
        return column.drop_null().to_pylist(), np.where(is_given, np.cumsum(is_given), 0)
    encoded = column.dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.fill_null(-1).to_numpy().astype(np.int64) + 1


def _note(text: str, flags: Counter[str]) -> Note:
    try:
        note = Note(_decode(text), {})
    except msgspec.ValidationError:
        note = _loose(text, flags)
    for entry in (*note.item.answers, *note.item.dynamic):
        _check_answer(bytes(entry))
    return note


class _Answer(Struct, gc=False):
    """What an answer must have; other members are passed over."""

    featureHash: str
    answers: Any


_decode_answer = msgspec.json.Decoder(_Answer).decode


@lru_cache(maxsize=4096)  # mostly the same on many frames
def _check_answer(raw: bytes) -> None:
    _decode_answer(raw)


def _loose(text: str, flags: Counter[str]) -> Note:
    """Read attributes key by key."""
    more = {name: bytes(raw).decode() for name, raw in _decode_members(text).items()}
    known: dict[str, str] = {}
    for name in _KNOWN & more.keys():
        try:
            _decode(f"{{{_key(name)}:{more[name]}}}")
        except msgspec.ValidationError:
            if name in ("answers", "dynamic", "encord"):
                raise
            continue
        known[name] = more.pop(name)
    for name in _TAKEN & more.keys():
        flags[_CLASH] += 1
        del more[name]
    item = _decode("{" + ",".join(f"{_key(name)}:{value}" for name, value in known.items()) + "}")
    return Note(item, more)


def _base_text(item: Attributes, is_entry: bool) -> str:
    key = (
        is_entry,
        item.createdAt,
        item.createdBy,
        item.lastEditedAt,
        item.lastEditedBy,
        item.manualAnnotation,
        item.isDeleted,
    )
    text = _BASES.get(key)
    if text is None:
        given = dict(zip(_BASE, key[1:], strict=True))
        members = dict(_ENTRY if is_entry else _OBJECT)
        members |= {name: value for name, value in given.items() if value is not UNSET}
        text = "," + json.dumps(members, ensure_ascii=False, separators=(",", ":"))[1:-1]
        if len(_BASES) < 1 << 16:
            _BASES[key] = text
    return text


_BASES: dict[tuple[Any, ...], str] = {}


def _key(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _listed(items: list[Raw]) -> str:
    return (b"[" + b",".join(items) + b"]").decode()
