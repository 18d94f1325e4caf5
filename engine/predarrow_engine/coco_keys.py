"""Keys of COCO's objects -> numbers: one comparison of eight bytes, or two.

Near the end of a block, and where a key has escapes, its bytes are collected one by one.
"""

from __future__ import annotations

import numpy as np

from predarrow_engine._jit import helper, inline
from predarrow_engine._simd_text import load_byte, load_word
from predarrow_engine.json_scan import BACKSLASH, LETTER_U, QUOTE, after_string
from predarrow_engine.json_text import escaped_byte, escaped_point

(
    KEY_IMAGE_ID,
    KEY_CATEGORY_ID,
    KEY_ID,
    KEY_SCORE,
    KEY_AREA,
    KEY_ISCROWD,
    KEY_BBOX,
    KEY_SEGMENTATION,
    KEY_KEYPOINTS,
    KEY_WIDTH,
    KEY_HEIGHT,
    KEY_FILE_NAME,
    KEY_SIZE,
    KEY_COUNTS,
    KEY_ANNOTATIONS,
    KEY_IMAGES,
    KEY_CATEGORIES,
    KEY_VIDEOS,
    OTHER_KEY,
) = range(19)

_U = np.uint64
_LONGEST = 16


def _word(text: str, part: int = 0) -> np.uint64:
    return np.uint64(int.from_bytes(text.encode()[8 * part : 8 * part + 8], "little"))


def _mask(text: str) -> np.uint64:
    """Give the bytes of a word that a text fills."""
    return np.uint64(2 ** (8 * min(len(text), 8)) - 1)


_NAMES = (
    *("image_id", "category_id", "id", "score", "area", "iscrowd", "bbox", "segmentation", "keypoints"),
    *("width", "height", "file_name", "size", "counts", "annotations", "images", "categories", "videos"),
)
_LOW = np.array([_word(name) for name in _NAMES])
_HIGH = np.array([_word(name, 1) for name in _NAMES])
_N_KEYS = len(_NAMES)

_IMAGE_ID, _CATEGORY, _SEGMENTA, _KEYPOINT, _FILE_NAM = (
    _word(text) for text in ("image_id", "category", "segmentation", "keypoints", "file_name")
)
_ID_END, _TION_END, _S_END, _E_END = (_word(text) for text in ('_id"', 'tion"', 's"', 'e"'))
_BBOX, _SCORE, _ISCROWD, _AREA, _ID = (_word(text) for text in ('bbox"', 'score"', 'iscrowd"', 'area"', 'id"'))
_WIDTH, _HEIGHT, _SIZE, _COUNTS = (_word(text) for text in ('width"', 'height"', 'size"', 'counts"'))
_2, _3, _4, _5, _6, _7 = (_mask("x" * n) for n in range(2, 8))


@helper
def _collected(address: int, at: int, end: int) -> tuple[np.uint64, np.uint64]:
    """Give the up to 16 bytes of a key as two words, zeros where it is none of ours; `end` is its closing quote."""
    low, high, n = _U(0), _U(0), 0
    while at < end:
        byte = load_byte(address + at)
        if byte == BACKSLASH:
            letter = load_byte(address + at + 1)
            if letter == LETTER_U:
                byte, at = escaped_point(address, at, end)
            else:
                byte, at = escaped_byte(letter), at + 2
        else:
            at += 1
        if byte > 127 or byte == 0 or n == _LONGEST:
            return _U(0), _U(0)
        if n < 8:
            low |= _U(byte) << _U(8 * n)
        else:
            high |= _U(byte) << _U(8 * n - 64)
        n += 1
    return low, high


@helper
def any_key(address: int, at: int, end: int, slots: int) -> tuple[int, int]:
    """Read the key whose opening quote stands before `at`; give it, and where it stops."""
    stop = after_string(address, at, end, slots)
    if stop < 0:
        return OTHER_KEY, stop
    low, high = _collected(address, at, stop - 1)
    for key in range(_N_KEYS):
        if low == _LOW[_U(key)] and high == _HIGH[_U(key)]:
            return key, stop
    return OTHER_KEY, stop


@inline
def record_key(address: int, at: int, end: int, slots: int) -> tuple[int, int]:
    """Read the key whose opening quote stands before `at`; give it, and where it stops."""
    if at + _LONGEST <= end:
        word, following = load_word(address + at), load_word(address + at + 8)
        if word == _IMAGE_ID and following & _U(0xFF) == _U(QUOTE):
            return KEY_IMAGE_ID, at + 9
        if word == _CATEGORY and following & _4 == _ID_END:
            return KEY_CATEGORY_ID, at + 12
        if word & _5 == _BBOX:
            return KEY_BBOX, at + 5
        if word & _6 == _SCORE:
            return KEY_SCORE, at + 6
        if word == _SEGMENTA and following & _5 == _TION_END:
            return KEY_SEGMENTATION, at + 13
        if word & _3 == _ID:
            return KEY_ID, at + 3
        if word & _5 == _AREA:
            return KEY_AREA, at + 5
        if word == _ISCROWD:
            return KEY_ISCROWD, at + 8
        if word == _KEYPOINT and following & _2 == _S_END:
            return KEY_KEYPOINTS, at + 10
    return any_key(address, at, end, slots)


@inline
def image_key(address: int, at: int, end: int, slots: int) -> tuple[int, int]:
    """Read the key whose opening quote stands before `at`; give it, and where it stops."""
    if at + _LONGEST <= end:
        word, following = load_word(address + at), load_word(address + at + 8)
        if word & _3 == _ID:
            return KEY_ID, at + 3
        if word & _6 == _WIDTH:
            return KEY_WIDTH, at + 6
        if word & _7 == _HEIGHT:
            return KEY_HEIGHT, at + 7
        if word == _FILE_NAM and following & _2 == _E_END:
            return KEY_FILE_NAME, at + 10
    return any_key(address, at, end, slots)


@inline
def runs_key(address: int, at: int, end: int, slots: int) -> tuple[int, int]:
    """Read the key whose opening quote stands before `at`; give it, and where it stops."""
    if at + 8 <= end:
        word = load_word(address + at)
        if word & _5 == _SIZE:
            return KEY_SIZE, at + 5
        if word & _7 == _COUNTS:
            return KEY_COUNTS, at + 7
    return any_key(address, at, end, slots)
