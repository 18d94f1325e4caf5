"""JSON objects whose last member holds what their source wrote -> the object without it, and that text alone.

    {"createdBy":"a","encord":{"coordinates":{"boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}}}
    {"createdBy":"a"}                        {"boundingBox":{"x":0.1,"y":0.2,"w":0.3,"h":0.4}}
                      the head                the tail: what stands between `"encord":{"coordinates":` and `}}`

Heads are few among many rows, so that they are read once each, where the whole texts all differ. A quote inside a JSON
string is escaped, so the key's bytes stand nowhere else than where it is a key; and where the text is JSON, what closes
at its end with `}}` is a member of the outermost object.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import helper, kernel
from predarrow_engine.json_scan import DECIMAL, WHOLE_NUMBER, number
from predarrow_engine.rle_text import fixed
from predarrow_engine.runs import ONE, ZERO

Bytes = npt.NDArray[np.uint8]

_QUOTE, _COMMA, _COLON, _BACKSLASH, _OPEN, _CLOSE = 34, 44, 58, 92, 123, 125
_LIST, _LIST_END = 91, 93
_TWO = np.uint64(2)
_NOWHERE = np.uint64(2**63)
"""Behind the end of every text."""


class Parted(NamedTuple):
    """n texts without their tails, and n tails; those of texts without one are empty."""

    heads: Bytes
    head_offsets: npt.NDArray[np.int32]
    tails: Bytes
    tail_offsets: npt.NDArray[np.int32]


def part(text: Bytes, offsets: npt.NDArray[np.int32], key: bytes) -> Parted:
    """Give the texts of JSON objects in two.

    Args:
        text: (n_bytes,) UTF-8, one text after the other.
        offsets: (n + 1,) first byte of each.
        key: of the member that closes two objects, such as `"encord":{"coordinates":`, up to 255 bytes; its value is
            an object.
    """
    n_bytes = int(offsets[-1] - offsets[0]) if len(offsets) else 0
    result = Parted(
        np.empty(n_bytes + len(offsets), np.uint8),
        np.zeros(len(offsets), np.int32),
        np.empty(n_bytes, np.uint8),
        np.zeros(len(offsets), np.int32),
    )
    letters = np.frombuffer(key, np.uint8)
    steps = np.full(256, len(key), np.uint8)  # from a byte to where the key may end next
    steps[letters[:-1]] = np.arange(len(key) - 1, 0, -1)
    n_heads, n_tails = _part(fixed(text), fixed(offsets), fixed(letters), fixed(steps), result)
    return result._replace(heads=result.heads[:n_heads], tails=result.tails[:n_tails])


@kernel
def _part(
    text: Bytes, offsets: npt.NDArray[np.int32], key: Bytes, steps: npt.NDArray[np.uint8], result: Parted
) -> tuple[np.uint64, np.uint64]:
    h, t = ZERO, ZERO
    for i in range(np.uint64(offsets.size - 1)):
        begin, end = np.uint64(offsets[i]), np.uint64(offsets[i + ONE])
        at = _place(text, begin, end, key, steps)
        value = at + np.uint64(key.size)
        stop = _behind(text, value, end)
        if stop != ZERO and stop + _TWO == end and text[stop] == _CLOSE and text[stop + ONE] == _CLOSE:
            cut = at - ONE if text[at - ONE] == _COMMA else at
            h = _copy(text, begin, cut, result.heads, h)
            result.heads[h] = _CLOSE
            h += ONE
            t = _copy(text, value, stop, result.tails, t)
        else:
            h = _copy(text, begin, end, result.heads, h)
        result.head_offsets[i + ONE] = np.int32(h)
        result.tail_offsets[i + ONE] = np.int32(t)
    return h, t


@helper
def _place(text: Bytes, begin: np.uint64, end: np.uint64, key: Bytes, steps: npt.NDArray[np.uint8]) -> np.uint64:
    """Give where the key is first behind the first byte, `end` where it is not: Horspool's search."""
    size = np.uint64(key.size)
    at = begin + size + ONE  # behind where the key may end
    while at <= end:
        if text[at - ONE] == key[size - ONE]:
            k = ZERO
            while k < size and text[at - size + k] == key[k]:
                k += ONE
            if k == size:
                return at - size
        at += np.uint64(steps[text[at - ONE]])
    return end


@helper
def _behind(text: Bytes, at: np.uint64, end: np.uint64) -> np.uint64:
    """Give the first byte behind the object that begins at `at`, 0 where none does or none ends."""
    depth = 0
    is_text = False
    if at >= end or text[at] != _OPEN:
        return ZERO
    while at < end:
        byte = text[at]
        if is_text:
            if byte == _BACKSLASH:
                at += ONE
            elif byte == _QUOTE:
                is_text = False
        elif byte == _QUOTE:
            is_text = True
        elif byte in (_OPEN, _LIST):
            depth += 1
        elif byte in (_CLOSE, _LIST_END):
            depth -= 1
            if depth == 0:
                return at + ONE
        at += ONE
    return ZERO


@helper
def _copy(source: Bytes, begin: np.uint64, end: np.uint64, target: Bytes, at: np.uint64) -> np.uint64:
    """Write source[begin:end] to `at`; give where it ends."""
    for k in range(end - begin):
        target[at + k] = source[begin + k]
    return at + (end - begin)


def numbers_of(
    text: Bytes, offsets: npt.NDArray[np.int32], key: str, names: tuple[str, ...]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Give the numbers of texts such as `{"boundingBox": {"h": 0.1, "w": 0.2, "x": 0.3, "y": 0.4}}`.

    Args:
        text, offsets: as for `part`.
        key: of the only member.
        names: of its members, each there once, in any order.

    Returns:
        (n, k) numbers in the order of names, as Python's `float` gives them, and (n,) which texts are so; of others the
        numbers mean nothing. A number of so many digits that only Python settles it is not taken.
    """
    n, k = len(offsets) - 1, len(names)
    words = [f'"{word}"'.encode() for word in (key, *names)]
    values, fits = np.zeros((n, k)), np.zeros(n, np.bool_)
    joined, ends = np.frombuffer(b"".join(words), np.uint8), np.cumsum([0, *map(len, words)])
    _numbers(fixed(text), fixed(offsets), fixed(joined), fixed(ends), values, fits)
    return values, fits


@kernel
def _numbers(
    text: Bytes,
    offsets: npt.NDArray[np.int32],
    words: Bytes,
    ends: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    fits: npt.NDArray[np.bool_],
) -> None:
    k = np.uint64(values.shape[1])
    address = int(np.int64(text.ctypes.data))
    slots = np.zeros(4, np.int64)
    flaw = int(np.int64(slots.ctypes.data))
    for i in range(np.uint64(fits.size)):
        at, end = np.uint64(offsets[i]), np.uint64(offsets[i + ONE])
        at = _behind_byte(text, at, end, _OPEN)
        at = _behind_byte(text, _behind_word(text, at, end, words, ends, ZERO), end, _COLON)
        at = _behind_byte(text, at, end, _OPEN)
        seen = ZERO
        for j in range(k):
            if j > 0:
                at = _behind_byte(text, at, end, _COMMA)
            name, behind = ZERO, ZERO
            while at <= end and name < k:
                behind = _behind_word(text, at, end, words, ends, name + ONE)
                if behind <= end and seen >> name & ONE == ZERO:
                    break
                name += ONE
            at = _behind_byte(text, behind, end, _COLON) if name < k else _NOWHERE
            if at <= end:
                at = _behind_blanks(text, at, end)
                if at < end:
                    stop, value, form = number(address, int(np.int64(at)), int(np.int64(end)), flaw)
                    is_number = stop >= 0 and form in (DECIMAL, WHOLE_NUMBER)
                    at = np.uint64(stop) if is_number else _NOWHERE
                    values[i, name] = value
                seen |= ONE << name
        at = _behind_byte(text, _behind_byte(text, at, end, _CLOSE), end, _CLOSE)
        fits[i] = at == end


@helper
def _behind_byte(text: Bytes, at: np.uint64, end: np.uint64, byte: int) -> np.uint64:
    """Give what stands behind a byte, which may have blanks in front; _NOWHERE where another one does."""
    if at > end:
        return _NOWHERE
    at = _behind_blanks(text, at, end)
    return at + ONE if at < end and text[at] == byte else _NOWHERE


@helper
def _behind_blanks(text: Bytes, at: np.uint64, end: np.uint64) -> np.uint64:
    while at < end and (text[at] == 32 or text[at] == 10 or text[at] == 13 or text[at] == 9):
        at += ONE
    return at


@helper
def _behind_word(
    text: Bytes, at: np.uint64, end: np.uint64, words: Bytes, ends: npt.NDArray[np.int64], word: np.uint64
) -> np.uint64:
    """Give what stands behind one of words, which may have blanks in front; _NOWHERE where another one does."""
    if at > end:
        return _NOWHERE
    at = _behind_blanks(text, at, end)
    for k in range(np.uint64(ends[word]), np.uint64(ends[word + ONE])):
        if at >= end or text[at] != words[k]:
            return _NOWHERE
        at += ONE
    return at
