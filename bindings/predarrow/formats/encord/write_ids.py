"""Hashes of objects: those of the table, and for objects without one those that follow from where they stand."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]
_Words = npt.NDArray[np.uint64]

_LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", np.uint8)
_SHIFTS = np.arange(42, -1, -6).astype(np.uint64)


def object_ids(given: pa.StringArray, units: pa.StringArray, owner: Ints, frame: Ints, row: Ints) -> pa.StringArray:
    """Give each row's object, 8 characters that follow from data unit, frame and row where it has none.

    Args:
        given: (n,) object ids, null where there is none.
        units: (n,) data units.
        owner: (n,) number of the label row.
        frame: (n,)
        row: (n,) number of the row in its source.
    """
    if not given.null_count:
        return given
    missing = given.is_null().to_numpy(zero_copy_only=False)
    encoded = units.filter(pa.array(missing)).dictionary_encode()
    of_unit = np.array([_digest(name) for name in encoded.dictionary.to_pylist()], np.uint64)
    seed = of_unit[encoded.indices.to_numpy()]
    words = _distinct(seed, owner[missing], frame[missing], row[missing])
    letters = _LETTERS[(words[:, None] >> _SHIFTS) & np.uint64(63)]
    offsets = np.arange(0, letters.size + 1, 8, dtype=np.int32)
    made = pa.Array.from_buffers(pa.string(), len(words), [None, pa.py_buffer(offsets), pa.py_buffer(letters)])
    if len(made) == len(given):
        return made
    places = np.cumsum(missing) - 1 + len(given)
    places[~missing] = np.flatnonzero(~missing)
    return pa.concat_arrays([given, made]).take(pa.array(places))


def _digest(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def _distinct(seed: _Words, owner: Ints, frame: Ints, row: Ints) -> _Words:
    """Give 48 bits of each row, those of a label row distinct."""
    salt = np.zeros(len(seed), np.uint64)
    while True:
        with np.errstate(over="ignore"):
            words = _mixed(_mixed(_mixed(seed + salt) + frame.astype(np.uint64)) + row.astype(np.uint64))
        words >>= np.uint64(16)
        order = np.lexsort((words, owner))
        same = (np.diff(words[order]) == 0) & (np.diff(owner[order]) == 0)
        if not same.any():
            return words
        salt[order[1:][same]] += np.uint64(1)  # lexsort is stable: the first one in the table stays


def _mixed(words: Any) -> _Words:
    """Give words whose bits all depend on all bits: the finaliser of SplitMix64 (G. Steele, D. Lea, C. Flood)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: _Words = words ^ (words >> np.uint64(31))
    return mixed
