"""What KITTI records say beyond class, box and score -> a column of JSON texts, with the source's own digits.

A number's text is copied where JSON allows it, so 0.00 stays 0.00. Texts that only `float` takes (`+1`, `.5`, `5.`,
`007`) are written as the shortest text that gives the same number, `inf` and `nan` as strings: JSON has no number for
them. These are so few that Python writes them, and the kernel runs once more with what it was given.
"""

from __future__ import annotations

import json
import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine import memory
from predarrow_engine._jit import inline, kernel
from predarrow_engine._simd_text import (
    BLOCK,
    below,
    copy_block,
    equal,
    first_bit,
    load_byte,
    load_int,
    load_word,
    store,
)
from predarrow_engine.kitti import OK, KittiRows

_PARTS = (b'{"alpha":', b',"convention":"kitti","occluded":', b',"rotation_y":', b',"truncated":')
_N_ALPHA, _N_OCCLUDED, _N_ROTATION_Y, _N_TRUNCATED = map(len, _PARTS)
_SKELETON = sum(map(len, _PARTS)) + 1
_WORD = 8
_ALPHA, _OCCLUDED, _ROTATION_Y, _TRUNCATED = (np.frombuffer(text + bytes(BLOCK), np.uint8) for text in _PARTS)
_U = np.uint64
_ALL = ~_U(0)
_LETTERS = _U(0x4040404040404040)
_COMMA, _MINUS, _DOT, _ZERO, _NINE, _CLOSE = 44, 45, 46, 48, 57, 125


Tokens = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]
"""The rows of `KittiRows.tokens`."""


class _Odd(NamedTuple):
    """Texts that JSON does not allow, in the order in which they are met."""

    spans: npt.NDArray[np.int64]
    """(room, 2) out: where they begin and end in data"""
    offsets: npt.NDArray[np.int64]
    """(n + 1,) in: where the text to write instead begins; n is 0 in the first run"""
    text: npt.NDArray[np.uint8]
    """in"""


class _Place(NamedTuple):
    """`_Odd` by address, as arrays given to the functions of a loop would have their references counted in it."""

    spans: int
    room: int
    offsets: int
    n: int
    text: int


@inline
def _is_digit(byte: int) -> bool:
    return _ZERO <= byte <= _NINE


@inline
def _token_end(at: int, limit: int) -> int:
    while at < limit and load_byte(at) > 32 and load_byte(at) != _COMMA:
        at += 1
    return at


@inline
def _next_token(at: int, limit: int) -> int:
    while at < limit and (load_byte(at) <= 32 or load_byte(at) == _COMMA):
        at += 1
    return at


@inline
def _is_json(start: int, end: int) -> bool:
    """Tell whether JSON takes what `float` takes."""
    at = start + (start < end and load_byte(start) == _MINUS)
    good = at < end and _is_digit(load_byte(at))
    if at + 1 < end and load_byte(at) == _ZERO:
        good = not _is_digit(load_byte(at + 1))
    while at < end and load_byte(at) != _DOT:
        at += 1
    return good and (at == end or (at + 1 < end and _is_digit(load_byte(at + 1))))


@inline
def _put(start: int, end: int, out: int) -> int:
    """Copy bytes; give where they end."""
    while start + 8 <= end:
        store(out, load_word(start))
        start, out = start + 8, out + 8
    while start < end:
        store(out, np.uint8(load_byte(start)))
        start, out = start + 1, out + 1
    return out


@inline
def _put_number(address: int, start: int, end: int, out: int, n_odd: int, odd: _Place) -> tuple[int, int]:
    if _is_json(start, end):
        return _put(start, end, out), n_odd
    if n_odd < odd.room:
        store(odd.spans + 16 * n_odd, start - address)
        store(odd.spans + 16 * n_odd + 8, end - address)
    if n_odd < odd.n:
        offsets = odd.offsets + 8 * n_odd
        out = _put(odd.text + load_int(offsets), odd.text + load_int(offsets + 8), out)
    return out, n_odd + 1


@inline
def _put_word(start: int, n: int, out: int) -> int:
    """Copy n <= 8 bytes and what is behind them as one word; give where the n end."""
    store(out, load_word(start))
    return out + n


@inline
def _put_words(start: int, n: int, out: int) -> int:
    """Copy n <= 16 bytes and what is behind them as two words; give where the n end."""
    store(out, load_word(start))
    store(out + _WORD, load_word(start + _WORD))
    return out + n


@inline
def _is_plain(start: int, n: int) -> bool:
    """Tell whether a number of n bytes is one that JSON takes, of one word and without an exponent."""
    if n < 1 or n > _WORD:
        return False
    word = load_word(start) & (_ALL >> _U(8 * (_WORD - n)))
    last = int(word >> _U(8 * (n - 1)))
    body = word >> _U(8 * ((word & _U(0xFF)) == _U(_MINUS)))
    first, second = int(body & _U(0xFF)), int(body >> _U(8) & _U(0xFF))
    good = ((word & _LETTERS) == _U(0)) & (_ZERO <= first) & (first <= _NINE) & (_ZERO <= last) & (last <= _NINE)
    return bool(good & ((first != _ZERO) | (second < _ZERO)))


@inline
def _put_plain(truncated: int, rotation_y: int, rotation_y_end: int, parts: tuple[int, int, int, int], out: int) -> int:
    """Write a record whose four numbers are plain, with 64 readable bytes from truncated on; give the end, or 0.

    44 ns a record instead of 77, fresh memory included: three of the numbers follow each other, so that one comparison
    finds their ends; and what stands between them is copied by the word or block, up to 31 bytes too far.
    """
    gaps = below(truncated, 33) | equal(truncated, _COMMA)
    truncated_n = first_bit(gaps)
    occluded = first_bit(~gaps & (_ALL << _U(truncated_n & 63)))
    occluded_n = first_bit(gaps & (_ALL << _U(occluded & 63))) - occluded
    alpha = first_bit(~gaps & (_ALL << _U((occluded + occluded_n) & 63)))
    alpha_n = first_bit(gaps & (_ALL << _U(alpha & 63))) - alpha
    n = rotation_y_end - rotation_y
    good = _is_plain(truncated, truncated_n) & _is_plain(truncated + occluded, occluded_n)
    if not (good & _is_plain(truncated + alpha, alpha_n) & _is_plain(rotation_y, n)):
        return 0
    out = _put_words(parts[0], _N_ALPHA, out)
    out = _put_word(truncated + alpha, alpha_n, out)
    copy_block(out, parts[1])
    out = _put_word(truncated + occluded, occluded_n, out + _N_OCCLUDED)
    out = _put_words(parts[2], _N_ROTATION_Y, out)
    out = _put_word(rotation_y, n, out)
    out = _put_words(parts[3], _N_TRUNCATED, out)
    out = _put_word(truncated, truncated_n, out)
    store(out, np.uint8(_CLOSE))
    return out + 1


@kernel
def _write(
    data: npt.NDArray[np.uint8],
    place: npt.NDArray[np.int64],
    tokens: Tokens,
    chosen: npt.NDArray[np.int64],
    odd: _Odd,
    offsets: npt.NDArray[np.int32],
    out: npt.NDArray[np.uint8],
) -> int:
    """Write the texts of chosen records, with a block of room behind them; give how many numbers JSON refuses."""
    address, first = data.ctypes.data, out.ctypes.data
    readable = address + data.size
    places = _Place(
        odd.spans.ctypes.data, odd.spans.shape[0], odd.offsets.ctypes.data, odd.offsets.size - 1, odd.text.ctypes.data
    )
    parts = _ALPHA.ctypes.data, _OCCLUDED.ctypes.data, _ROTATION_Y.ctypes.data, _TRUNCATED.ctypes.data
    at, n_odd = first, 0
    offsets[0] = 0
    for i in range(np.uint64(chosen.size)):
        row = np.uint64(chosen[i])
        start = address + place[row]
        rotation_y, rotation_y_end = start + tokens[2][row], start + tokens[3][row]
        truncated = start + tokens[0][row]
        if max(truncated + BLOCK, rotation_y + _WORD) <= readable:
            end = _put_plain(truncated, rotation_y, rotation_y_end, parts, at)
            if end:
                at = end
                offsets[i + np.uint64(1)] = at - first
                continue
        truncated_end = _token_end(truncated, rotation_y)
        occluded = _next_token(truncated_end, rotation_y)
        occluded_end = _token_end(occluded, rotation_y)
        alpha = _next_token(occluded_end, rotation_y)
        at = _put(parts[0], parts[0] + _N_ALPHA, at)
        at, n_odd = _put_number(address, alpha, _token_end(alpha, rotation_y), at, n_odd, places)
        at = _put(parts[1], parts[1] + _N_OCCLUDED, at)
        at, n_odd = _put_number(address, occluded, occluded_end, at, n_odd, places)
        at = _put(parts[2], parts[2] + _N_ROTATION_Y, at)
        at, n_odd = _put_number(address, rotation_y, rotation_y_end, at, n_odd, places)
        at = _put(parts[3], parts[3] + _N_TRUNCATED, at)
        at, n_odd = _put_number(address, truncated, truncated_end, at, n_odd, places)
        store(at, np.uint8(_CLOSE))
        at += 1
        offsets[i + np.uint64(1)] = at - first
    return n_odd


@kernel
def _measure(
    place: npt.NDArray[np.int64],
    tokens: Tokens,
    code: npt.NDArray[np.uint8],
    chosen: npt.NDArray[np.int64],
) -> tuple[int, int]:
    """Give where the last number of chosen records ends, -1 where one was refused or is missing; and their bytes."""
    end, n_bytes = 0, 0
    for i in range(_U(chosen.size)):
        record = chosen[i]
        row = _U(record)
        if record < 0 or record >= code.size or code[row] != OK:
            return -1, 0
        end = max(end, place[row] + tokens[3][row])
        n_bytes += tokens[1][row] - tokens[0][row] + tokens[3][row] - tokens[2][row]
    return end, n_bytes


def attributes(
    data: npt.NDArray[np.uint8], rows: KittiRows, chosen: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Give a column of `{"alpha":…,"convention":"kitti","occluded":…,"rotation_y":…,"truncated":…}` in Arrow's layout.

    Args:
        data: (n_bytes,) uint8, contiguous: what the records were parsed from.
        rows: what `kitti.parse` gave for it.
        chosen: (m,) int64, records whose code is OK.

    Returns:
        (m + 1,) offsets, and the UTF-8 bytes.

    Raises:
        ValueError: a chosen record that was refused or is not there, other data, or texts of more than 2**31 - 1 bytes.
    """
    chosen, data = np.ascontiguousarray(chosen, np.int64), np.ascontiguousarray(data, np.uint8).view()
    data.flags.writeable = False
    place, tokens = rows.place, (rows.tokens[0], rows.tokens[1], rows.tokens[2], rows.tokens[3])
    end, n_bytes = _measure(place, tokens, rows.code, chosen)
    if end < 0:
        raise ValueError("chosen must be indices of records that were read")
    if end > data.size:
        raise ValueError(f"data must be what the records were parsed from, got {data.size} bytes")
    size = chosen.size * _SKELETON + n_bytes
    offsets = np.empty(chosen.size + 1, np.int32)
    odd = _Odd(np.empty((0, 2), np.int64), np.zeros(1, np.int64), np.empty(0, np.uint8))
    if size > 2**31 - 1:
        raise ValueError(f"the texts must fit 2**31 - 1 bytes, got up to {size}: ask for fewer records at once")
    out = memory.empty(size + BLOCK, np.uint8)
    n_odd = _write(data, place, tokens, chosen, odd, offsets, out)
    if n_odd:
        odd = odd._replace(spans=np.empty((n_odd, 2), np.int64))
        _write(data, place, tokens, chosen, odd, offsets, out)
        texts = [_json_number(data[start:end].tobytes()) for start, end in odd.spans.tolist()]
        ends = np.cumsum([0, *(len(text) for text in texts)])
        out = memory.empty(size + int(ends[-1]) + BLOCK, np.uint8)
        odd = _Odd(odd.spans, ends, np.frombuffer(bytearray().join(texts), np.uint8))
        _write(data, place, tokens, chosen, odd, offsets, out)
    return offsets, out[: offsets[-1]]


def _json_number(token: bytes) -> bytes:
    value = float(token)
    return json.dumps(value if math.isfinite(value) else str(value)).encode()
