"""Keys of Encord's labels -> numbers: one comparison of two words, the first eight bytes and the last eight.

Keys come in the same order from object to object, so the one that stood at this place before is tried first.
"""

from __future__ import annotations

import numpy as np

from predarrow_engine._jit import helper
from predarrow_engine._simd_text import load_int, load_word, store

OBJECT, FEATURE, NAME, CREATED_AT, CREATED_BY, EDITED_AT, EDITED_BY, BOX = range(8)
"""Members that are kept as spans."""
COLOR, VALUE, SHAPE, CONFIDENCE_KEY, MANUAL, DELETED, REVIEWS = range(8, 15)
OBJECTS, CLASSIFICATIONS = 0, 1
"""Members of frames."""

_NAMES = (
    *("objectHash", "featureHash", "name", "createdAt", "createdBy", "lastEditedAt", "lastEditedBy", "boundingBox"),
    *("color", "value", "shape", "confidence", "manualAnnotation", "isDeleted", "reviews"),
)
_U = np.uint64
_WORD = 8


def _low(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(text.encode()[:8], "little"))


def _high(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(text.encode()[-8:], "little"))


_LOW, _HIGH = np.array([_low(name) for name in _NAMES]), np.array([_high(name) for name in _NAMES])
_LENGTHS = np.array([len(name) for name in _NAMES])
_N_KEYS = len(_NAMES)
_BOX_LOW, _BOX_HIGH, _BOX_LENGTH = _low("bounding_box"), _high("bounding_box"), len("bounding_box")
_OBJECTS_LOW, _OBJECTS_LENGTH = _low("objects"), len("objects")
_CLASS_LOW, _CLASS_HIGH, _CLASS_LENGTH = _low("classifications"), _high("classifications"), len("classifications")
_TRUE, _NULL, _ALSE = _low("true"), _low("null"), _low("alse")
_HALF = np.uint64(0xFFFFFFFF)
_F = np.uint64(ord("f"))


@helper
def words(address: int, start: int, end: int) -> tuple[np.uint64, np.uint64]:
    """Give the first and the last eight bytes of a text, zeros behind one that is shorter."""
    n = end - start
    low = load_word(address + start)
    if n < _WORD:
        low &= (_U(1) << _U(8 * n)) - _U(1)
        return low, low
    return low, load_word(address + end - _WORD)


@helper
def frame_key(address: int, start: int, end: int) -> int:
    """Give a key of a frame; -1 for one that is not known."""
    low, high = words(address, start, end)
    if low == _OBJECTS_LOW and end - start == _OBJECTS_LENGTH:
        return OBJECTS
    if low == _CLASS_LOW and high == _CLASS_HIGH and end - start == _CLASS_LENGTH:
        return CLASSIFICATIONS
    return -1


@helper
def object_key(address: int, start: int, end: int, guess: int) -> int:
    """Give a key of an object, the one at this place of the object before first; -1 for one that is not known."""
    low, high = words(address, start, end)
    n = end - start
    key = load_int(guess)
    if low == _LOW[key] and high == _HIGH[key] and n == _LENGTHS[key]:
        return key
    for other in range(_N_KEYS):
        if low == _LOW[other] and high == _HIGH[other] and n == _LENGTHS[other]:
            store(guess, np.int64(other))
            return other
    return -1


@helper
def is_bounding_box(address: int, start: int, end: int) -> bool:
    """Tell whether a text is the shape of a bounding box."""
    low, high = words(address, start, end)
    return bool(low == _BOX_LOW and high == _BOX_HIGH and end - start == _BOX_LENGTH)


@helper
def is_null(address: int, at: int) -> bool:
    """Tell whether null stands at a place."""
    return bool(load_word(address + at) & _HALF == _NULL)


@helper
def after_flag(address: int, at: int) -> int:
    """Give the end of true or false; -1 where neither stands there."""
    if load_word(address + at) & _HALF == _TRUE:
        return at + 4
    return at + 5 if load_word(address + at + 1) & _HALF == _ALSE and load_word(address + at) & _U(0xFF) == _F else -1
