"""Keys and names of OpenLABEL that the scanners know -> numbers.

One comparison of two words, the first eight bytes and the last eight.
"""

from __future__ import annotations

import numpy as np

from predarrow_engine._jit import helper
from predarrow_engine.json_plain import after_plain, colon
from predarrow_engine.json_scan import constants
from predarrow_engine.label_keys import words

_NAMES = (
    *("name", "type", "object_data", "object_data_pointers", "frame_intervals"),
    *("ontology_uid", "coordinate_system", "resource_uid"),
    *("bbox", "cuboid", "rbbox", "poly2d", "point2d", "image"),
    *("name", "val", "attributes"),
    *("num", "text"),
    *("confidence", "stream", "objects"),
)
NAME, TYPE, DATA, RESOURCE = constants(0, 3) + constants(7, 8)
"""Members of objects at the root, first to last."""
BBOX, CUBOID, IMAGE = constants(8, 10) + constants(13, 14)
"""Geometries that become rows, the first two scanned."""
LABEL, VALUE, ATTRIBUTES = constants(14, 17)
"""Members of geometries; the first two those of attributes, too."""
NUM, TEXT = constants(17, 19)
"""Lists of attributes."""
CONFIDENCE, STREAM, OBJECTS = constants(19, 22)
"""Names of attributes, and a member of frames."""


def _word(text: str, part: slice) -> np.uint64:
    return np.uint64(int.from_bytes(text.encode()[part], "little"))


_LOW = np.array([_word(name, slice(8)) for name in _NAMES])
_HIGH = np.array([_word(name, slice(-8, None)) for name in _NAMES])
_LENGTHS = np.array([len(name) for name in _NAMES])


@helper
def key_among(address: int, start: int, end: int, first: int, last: int) -> int:
    """Give which of the keys from the first to the last stands at a place; -1 for none."""
    low, high = words(address, start, end)
    for key in range(first, last + 1):
        if low == _LOW[key] and high == _HIGH[key] and end - start == _LENGTHS[key]:
            return key
    return -1


@helper
def keyed(address: int, at: int, end: int, slots: int, first: int, last: int) -> tuple[int, int]:
    """Give where the value begins whose key's quote is at `at`, -1 for a key with an escape, and `key_among`."""
    stop = after_plain(address, at + 1, end, slots)
    if stop < 0:
        return -1, -1
    return colon(address, stop, end, slots), key_among(address, at + 1, stop - 1, first, last)
