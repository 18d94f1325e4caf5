"""Names of classes by what the source has for them: a number (pixel value, category id) or a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from operator import index
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import TEXT_LIMIT, empty, numbers_array, text_array
from predarrow.errors import OntologyError
from predarrow.refusals import shown

LEFT_OUT = "class is mapped to None"
"""What a report calls records that are left out so."""

_LARGE = 1 << 16
"""Bytes from which on a column's are counted before they are written."""
_ROOM = 8
"""Bytes behind texts that `gather` reads from, and writes to."""

Classes = Mapping[int, str | None] | Sequence[str | None]
"""Class names by number; None leaves a class out on purpose."""


class Texts:
    """A short column of text that rows are often taken from."""

    def __init__(self, texts: Sequence[str | None]) -> None:
        """Take the texts; None is null."""
        self.array = text_array(texts)
        _, offsets, data = self.array.buffers()
        self._offsets = np.frombuffer(offsets, np.int32, len(texts) + 1 if texts else 0)
        self._data = np.frombuffer((b"" if data is None else data.to_pybytes()) + bytes(_ROOM), np.uint8)
        self.longest = int(np.diff(self._offsets).max(initial=0))
        """Bytes of the longest text."""

    def take(self, chosen: npt.NDArray[np.int64]) -> pa.Array:
        """Give the chosen rows as a string array; a null among them may come out as empty text.

        Args:
            chosen: (m,) places, each less than the number of texts.
        """
        gather, gathered_size = _kernels()
        size = chosen.size * self.longest
        if size > _LARGE:
            size = gathered_size(self._offsets, chosen)
            if size > TEXT_LIMIT:
                return self.array.take(numbers_array(chosen))  # which words it
        offsets, data = empty(chosen.size + 1, np.int32), empty(size + _ROOM, np.uint8)
        size = gather(self._offsets, self._data, chosen, offsets, data)
        return pa.StringArray.from_buffers(chosen.size, pa.py_buffer(offsets), pa.py_buffer(data[:size]))


@cache
def _kernels() -> tuple[Callable[..., int], Callable[..., int]]:
    from predarrow_engine.text import gather, gathered_size  # load Numba; to look them up takes as long as to run them

    return gather, gathered_size


class ClassNames(NamedTuple):
    """A mapping from numbers to class names, as columns."""

    values: npt.NDArray[np.int64]
    """(n_classes,) ascending"""
    names: Texts
    """(n_classes,) null leaves the class out"""
    feature_hashes: Texts | None
    """(n_classes,) None without an ontology"""

    def positions(self, values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Give the place of each value among the classes, -1 for a value that has none.

        Args:
            values: (n,) numbers.
        """
        if not self.values.size:
            return np.full(values.shape, -1)
        places = np.minimum(np.searchsorted(self.values, values), self.values.size - 1)
        places[self.values[places] != values] = -1
        return places


def class_names(classes: Classes) -> ClassNames:
    """Give class names as columns.

    Args:
        classes: names by number, or a sequence whose place is the number; None leaves a class out.

    Raises:
        OntologyError: a key that is no whole number, a name that is no text, or names without an order.
    """
    if isinstance(classes, str) or not hasattr(classes, "__getitem__"):  # a text, a set or a number
        rule = "must be a list of names, or a mapping of numbers to names"
        raise OntologyError(f"classes: {rule}, got {shown(classes)}")
    pairs = tuple(classes.items() if isinstance(classes, Mapping) else enumerate(classes))
    try:
        return _cached(pairs)  # made anew, they cost as much as the rest of a small mask
    except TypeError:  # unhashable, so neither numbers nor names: told below
        return _class_names(pairs)


def _class_names(pairs: tuple[tuple[Any, Any], ...]) -> ClassNames:
    names: dict[int, str | None] = {}
    for key, name in pairs:
        try:
            value = index(key)
        except TypeError:
            raise OntologyError(f"classes: a pixel value must be a whole number, got {key!r}") from None
        if not -(2**63) <= value < 2**63:
            raise OntologyError(f"classes: a pixel value must fit 64 bits, got {shown(value)}")
        names[value] = _checked_name(value, name)
    return from_columns([(value, name, None) for value, name in names.items()])


def _checked_name(key: int | str, name: Any) -> str | None:
    if name is None:
        return None
    if not isinstance(name, str):
        raise OntologyError(f"classes: the name of {key} must be text or None, got {name!r}")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise OntologyError(f"classes: the name of {key} must be text that UTF-8 can hold, got {name!r}") from None
    return name


_cached = lru_cache(maxsize=16)(_class_names)


def from_columns(rows: Sequence[tuple[int, str | None, str | None]]) -> ClassNames:
    """Give (value, name, feature hash) rows as columns; the hashes may all be None."""
    rows = sorted(rows, key=lambda row: row[0])
    hashes = [row[2] for row in rows]
    return ClassNames(
        np.array([row[0] for row in rows], np.int64),
        Texts([row[1] for row in rows]),
        Texts(hashes) if any(text is not None for text in hashes) else None,
    )


class TextClasses(NamedTuple):
    """A mapping from the source's class names to the table's, as columns."""

    places: Mapping[str, int]
    """Place in the columns by the source's name."""
    names: Texts
    """(n_classes,) null leaves the class out"""
    feature_hashes: Texts | None
    """(n_classes,) None without an ontology"""

    def positions(self, names: Sequence[str]) -> npt.NDArray[np.int64]:
        """Give the place of each name, -1 for one that the mapping does not have."""
        return np.array([self.places.get(name, -1) for name in names], np.int64)


def text_classes(classes: Mapping[str, str | None]) -> TextClasses:
    """Give the table's class names by the source's as columns; None leaves a class out.

    Raises:
        OntologyError: not a mapping of text to text or None.
    """
    if not hasattr(classes, "items"):
        rule = "must be a mapping of the source's class names to names or None"
        raise OntologyError(f"classes: {rule}, got {type(classes).__name__}")
    for key, name in classes.items():
        if not isinstance(key, str):
            raise OntologyError(f"classes: the source's name of a class must be text, got {key!r}")
        _checked_name(key, name)
    return text_columns([(key, name, None) for key, name in classes.items()])


def text_columns(rows: Sequence[tuple[str, str | None, str | None]]) -> TextClasses:
    """Give (source's name, name, feature hash) rows as columns; the hashes may all be None."""
    hashes = [row[2] for row in rows]
    return TextClasses(
        {row[0]: place for place, row in enumerate(rows)},
        Texts([row[1] for row in rows]),
        Texts(hashes) if any(text is not None for text in hashes) else None,
    )
