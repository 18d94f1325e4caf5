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

from predarrow_engine._jit import helper, inline, kernel
from predarrow_engine._simd_text import BLOCK, equal, first_bit, load_byte, load_int, store
from predarrow_engine.json_scan import DECIMAL, WHOLE_NUMBER, number
from predarrow_engine.rle_text import fixed
from predarrow_engine.runs import ONE, ZERO
from predarrow_engine.spans import are_equal
from predarrow_engine.text_rows import copy_bytes

Bytes = npt.NDArray[np.uint8]

_QUOTE, _COMMA, _COLON, _BACKSLASH, _OPEN, _CLOSE = 34, 44, 58, 92, 123, 125
_LIST, _LIST_END = 91, 93
_TWO, _BLOCK = np.uint64(2), np.uint64(BLOCK)
_SLOTS = 4


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
        at, stop = begin, ZERO
        while at < end and stop == ZERO:  # the key may stand inside another member, too
            at = _place(text, at, end, key, steps)
            stop = _tail_end(text, at + np.uint64(key.size), end)
        if stop != ZERO:
            cut = at - ONE if text[at - ONE] == _COMMA else at
            h = _copy(text, begin, cut, result.heads, h)
            result.heads[h] = _CLOSE
            h += ONE
            t = _copy(text, at + np.uint64(key.size), stop, result.tails, t)
        else:
            h = _copy(text, begin, end, result.heads, h)
        result.head_offsets[i + ONE] = np.int32(h)
        result.tail_offsets[i + ONE] = np.int32(t)
    return h, t


@inline
def _tail_end(text: Bytes, at: np.uint64, end: np.uint64) -> np.uint64:
    """Give the end of the object that begins at `at`, 0 where there is none with `}}` and the text's end behind it."""
    stop = _behind(text, at, end)
    is_last = stop != ZERO and stop + _TWO == end and text[stop] == _CLOSE and text[stop + ONE] == _CLOSE
    return stop if is_last else ZERO


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


@inline
def _marks(here: int) -> np.uint64:
    """Give which of 64 bytes are quotes, backslashes or brackets."""
    brackets = equal(here, _OPEN) | equal(here, _CLOSE) | equal(here, _LIST) | equal(here, _LIST_END)
    return brackets | equal(here, _QUOTE) | equal(here, _BACKSLASH)


@helper
def _behind(text: Bytes, at: np.uint64, end: np.uint64) -> np.uint64:
    """Give the first byte behind the object that begins at `at`, 0 where none does or none ends.

    Nothing but quotes, backslashes and brackets is looked at: 64 bytes at a time, where as many are left.
    """
    address, depth, is_text = int(np.int64(text.ctypes.data)), 0, False
    if at >= end or text[at] != _OPEN:
        return ZERO
    while at < end:
        marks, size = ONE, ONE
        if at + _BLOCK <= np.uint64(text.size):
            marks, size = _marks(address + int(np.int64(at))), _BLOCK
        next_block = at + size
        while marks != ZERO:
            here = at + np.uint64(first_bit(marks))
            if here >= end:
                return ZERO
            marks &= marks - ONE
            byte = text[here]
            if byte == _BACKSLASH and is_text:
                marks, next_block = ZERO, here + _TWO
            elif byte == _QUOTE:
                is_text = not is_text
            elif is_text:
                continue
            elif byte in (_OPEN, _LIST):
                depth += 1
            elif byte in (_CLOSE, _LIST_END):
                depth -= 1
                if depth == 0:
                    return here + ONE
        at = next_block
    return ZERO


@inline
def _copy(source: Bytes, begin: np.uint64, end: np.uint64, target: Bytes, at: np.uint64) -> np.uint64:
    """Write source[begin:end] to `at`; give where it ends."""
    first, size = int(np.int64(source.ctypes.data + begin)), int(np.int64(end - begin))
    copy_bytes(first, size, int(np.int64(target.ctypes.data + at)))
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
    address = int(np.int64(text.ctypes.data))
    memory = np.zeros(_SLOTS + values.shape[1], np.int64)  # of `number`, and the name that stood at each place before
    slots = int(np.int64(memory.ctypes.data))
    for i in range(np.uint64(fits.size)):
        at, end = int(offsets[i]), int(offsets[i + ONE])
        at = _behind_byte(address, at, end, _OPEN)
        at = _behind_byte(address, _behind_word(address, at, end, words, ends, 0), end, _COLON)
        at = _behind_byte(address, at, end, _OPEN)
        at = _behind_numbers(address, at, end, words, ends, values[i], slots)
        at = _behind_byte(address, _behind_byte(address, at, end, _CLOSE), end, _CLOSE)
        fits[i] = at == end


@inline
def _behind_numbers(
    address: int,
    at: int,
    end: int,
    words: Bytes,
    ends: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    slots: int,
) -> int:
    """Write the numbers of names from `at` on, each once; give what stands behind them, -1 where others do."""
    seen = 0
    for place in range(values.size):
        if place > 0:
            at = _behind_byte(address, at, end, _COMMA)
        guess = slots + 8 * (_SLOTS + place)
        name = load_int(guess)
        behind = _behind_word(address, at, end, words, ends, name + 1)
        if behind < 0:
            name = 0
            while name < values.size and behind < 0:
                behind = _behind_word(address, at, end, words, ends, name + 1)
                name += 1
            name -= 1
            store(guess, np.int64(name))
        at = _behind_byte(address, behind, end, _COLON)
        if at < 0 or seen >> name & 1:
            return -1
        seen |= 1 << name
        at = _behind_blanks(address, at, end)
        if at >= end:
            return -1
        at, value, form = number(address, at, end, slots)
        if at < 0 or form not in (DECIMAL, WHOLE_NUMBER):
            return -1
        values[np.uint64(name)] = value
    return at


@inline
def _behind_byte(address: int, at: int, end: int, byte: int) -> int:
    """Give what stands behind a byte, which may have blanks in front; -1 where another one does."""
    if at < 0:
        return -1
    if at < end and load_byte(address + at) == byte:
        return at + 1
    at = _behind_blanks(address, at, end)
    return at + 1 if at < end and load_byte(address + at) == byte else -1


@inline
def _behind_blanks(address: int, at: int, end: int) -> int:
    while at < end and load_byte(address + at) in (32, 10, 13, 9):
        at += 1
    return at


@helper
def _behind_word(address: int, at: int, end: int, words: Bytes, ends: npt.NDArray[np.int64], word: int) -> int:
    """Give what stands behind one of words, which may have blanks in front; -1 where another one does."""
    if at < 0:
        return -1
    at = _behind_blanks(address, at, end)
    begin, size = int(ends[np.uint64(word)]), int(ends[np.uint64(word + 1)] - ends[np.uint64(word)])
    if at + size > end:
        return -1
    return at + size if are_equal(address, at, int(np.int64(words.ctypes.data)) - address + begin, size) else -1
