"""What frame objects say of themselves beside their geometry, each distinct text once.

Two forms give the same: objects of `wire`, one by one, and the columns of boxes that were scanned without an object.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from predarrow.buffers import text_array
from predarrow.formats.encord.attributes import BASE, Key, Places, base_text
from predarrow.formats.encord.columns import Floats, Ints

ClassKey = tuple[str, str | None, type]
"""featureHash, name and type in `wire`."""


class Facts(Protocol):
    """Columns of n objects."""

    @property
    def n(self) -> int:
        """How many there are."""

    @property
    def types(self) -> Sequence[type]:
        """(n,) types in `wire`."""

    @property
    def ids(self) -> pa.StringArray:
        """(n,) hashes of objects."""

    @property
    def id_codes(self) -> Ints:
        """(n,) which of the distinct hashes each has."""

    @property
    def classes(self) -> tuple[list[ClassKey], Ints]:
        """Distinct classes, and (n,) which of them each has."""

    @property
    def bases(self) -> tuple[pa.StringArray, Ints]:
        """Distinct texts of `attributes.base_text`, and (n,) which of them each has."""

    @property
    def confidences(self) -> Floats:
        """(n,) 1 where none is given, which is Encord's default."""


class ObjectFacts:
    """Facts of objects of `wire`."""

    def __init__(self, objects: Sequence[Any]) -> None:
        self._objects = objects
        self.n = len(objects)

    @cached_property
    def types(self) -> Sequence[type]:
        """See `Facts`."""
        return list(map(type, self._objects))

    @cached_property
    def ids(self) -> pa.StringArray:
        """See `Facts`."""
        return text_array(list(map(attrgetter("objectHash"), self._objects)))

    @cached_property
    def id_codes(self) -> Ints:
        """See `Facts`."""
        codes: Ints = np.from_dlpack(self.ids.dictionary_encode().indices).astype(np.int64)
        return codes

    @cached_property
    def classes(self) -> tuple[list[ClassKey], Ints]:
        """See `Facts`."""
        keys: Places[ClassKey] = Places()
        codes = keys.of(map(attrgetter("featureHash", "name", "__class__"), self._objects), self.n)
        return list(keys), codes

    @cached_property
    def bases(self) -> tuple[pa.StringArray, Ints]:
        """See `Facts`."""
        keys: Places[Key] = Places()
        codes = keys.of(map(attrgetter(*BASE), self._objects), self.n)
        return text_array(list(map(base_text, keys))), codes

    @cached_property
    def confidences(self) -> Floats:
        """See `Facts`."""
        given = list(map(attrgetter("confidence"), self._objects))
        if None in given:
            given = [1.0 if value is None else value for value in given]
        return np.array(given, np.float64)
