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

from predarrow_engine._jit import Index, inline, kernel
from predarrow_engine.kitti import KittiRows

_U = np.uint64
_ONE = _U(1)
_ALPHA = np.frombuffer(b'{"alpha":', np.uint8)
_OCCLUDED = np.frombuffer(b',"convention":"kitti","occluded":', np.uint8)
_ROTATION_Y = np.frombuffer(b',"rotation_y":', np.uint8)
_TRUNCATED = np.frombuffer(b',"truncated":', np.uint8)
_SKELETON = _ALPHA.size + _OCCLUDED.size + _ROTATION_Y.size + _TRUNCATED.size + 1
_COMMA, _MINUS, _DOT, _ZERO, _NINE, _CLOSE = 44, 45, 46, 48, 57, 125


class _Odd(NamedTuple):
    """Texts that JSON does not allow, in the order in which they are met."""

    spans: npt.NDArray[np.int64]
    """(room, 2) out: where they begin and end in data"""
    offsets: npt.NDArray[np.int64]
    """(n + 1,) in: where the text to write instead begins; n is 0 in the first run"""
    text: npt.NDArray[np.uint8]
    """in"""


@inline
def _is_digit(byte: Index) -> bool:
    return bool(_ZERO <= byte <= _NINE)


@inline
def _token_end(data: npt.NDArray[np.uint8], at: np.uint64) -> np.uint64:
    while data[at] > 32 and data[at] != _COMMA:
        at += _ONE
    return at


@inline
def _next_token(data: npt.NDArray[np.uint8], at: np.uint64) -> np.uint64:
    while data[at] <= 32 or data[at] == _COMMA:
        at += _ONE
    return at


@inline
def _is_json(data: npt.NDArray[np.uint8], start: np.uint64, end: np.uint64) -> bool:
    """Tell whether JSON takes what `float` takes."""
    at = start + _U(data[start] == _MINUS)
    good = _is_digit(data[at])
    if data[at] == _ZERO and at + _ONE < end:
        good = not _is_digit(data[at + _ONE])
    while at < end and data[at] != _DOT:
        at += _ONE
    return bool(good and (at == end or (at + _ONE < end and _is_digit(data[at + _ONE]))))


@inline
def _put(
    source: npt.NDArray[np.uint8], start: np.uint64, end: np.uint64, out: npt.NDArray[np.uint8], at: np.uint64
) -> np.uint64:
    for i in range(end - start):
        out[at + i] = source[start + i]
    return at + (end - start)


@inline
def _put_number(
    data: npt.NDArray[np.uint8],
    start: np.uint64,
    end: np.uint64,
    out: npt.NDArray[np.uint8],
    at: np.uint64,
    n_odd: np.uint64,
    odd: _Odd,
) -> tuple[np.uint64, np.uint64]:
    if _is_json(data, start, end):
        return _put(data, start, end, out, at), n_odd
    if n_odd < odd.spans.shape[0]:
        odd.spans[n_odd, 0], odd.spans[n_odd, 1] = start, end
    if n_odd + _ONE < odd.offsets.size:
        at = _put(odd.text, _U(odd.offsets[n_odd]), _U(odd.offsets[n_odd + _ONE]), out, at)
    return at, n_odd + _ONE


@kernel
def _write(
    data: npt.NDArray[np.uint8],
    place: npt.NDArray[np.int64],
    tokens: npt.NDArray[np.int32],
    chosen: npt.NDArray[np.int64],
    odd: _Odd,
    offsets: npt.NDArray[np.int32],
    out: npt.NDArray[np.uint8],
) -> int:
    """Write the texts of chosen records; give how many numbers JSON does not allow."""
    at, n_odd, zero = _U(0), _U(0), _U(0)
    offsets[zero] = 0
    for i in range(_U(chosen.size)):
        row = _U(chosen[i])
        start = _U(place[row])
        truncated = start + _U(tokens[zero, row])
        truncated_end = _token_end(data, truncated)
        occluded = _next_token(data, truncated_end)
        occluded_end = _token_end(data, occluded)
        alpha = _next_token(data, occluded_end)
        at = _put(_ALPHA, zero, _U(_ALPHA.size), out, at)
        at, n_odd = _put_number(data, alpha, _token_end(data, alpha), out, at, n_odd, odd)
        at = _put(_OCCLUDED, zero, _U(_OCCLUDED.size), out, at)
        at, n_odd = _put_number(data, occluded, occluded_end, out, at, n_odd, odd)
        at = _put(_ROTATION_Y, zero, _U(_ROTATION_Y.size), out, at)
        rotation_y, rotation_y_end = start + _U(tokens[_ONE, row]), start + _U(tokens[_U(2), row])
        at, n_odd = _put_number(data, rotation_y, rotation_y_end, out, at, n_odd, odd)
        at = _put(_TRUNCATED, zero, _U(_TRUNCATED.size), out, at)
        at, n_odd = _put_number(data, truncated, truncated_end, out, at, n_odd, odd)
        out[at] = _CLOSE
        at += _ONE
        offsets[i + _ONE] = at
    return int(n_odd)


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
        ValueError: a chosen record that was refused or is not there, or texts of more than 2**31 - 1 bytes.
    """
    chosen = np.ascontiguousarray(chosen, np.int64)
    if chosen.size and (chosen.min() < 0 or chosen.max() >= rows.code.size or rows.code[chosen].any()):
        raise ValueError("chosen must be indices of records that were read")
    data = data.view()
    data.flags.writeable = False
    place, tokens = np.ascontiguousarray(rows.place), np.ascontiguousarray(rows.tokens)
    size = chosen.size * _SKELETON + int((tokens[2, chosen] - tokens[0, chosen]).sum(dtype=np.int64))
    offsets = np.empty(chosen.size + 1, np.int32)
    odd = _Odd(np.empty((0, 2), np.int64), np.zeros(1, np.int64), np.empty(0, np.uint8))
    if size > 2**31 - 1:
        raise ValueError(f"the texts must fit 2**31 - 1 bytes, got up to {size}: ask for fewer records at once")
    out = np.empty(size, np.uint8)
    n_odd = _write(data, place, tokens, chosen, odd, offsets, out)
    if n_odd:
        odd = odd._replace(spans=np.empty((n_odd, 2), np.int64))
        _write(data, place, tokens, chosen, odd, offsets, out)
        texts = [_json_number(data[start:end].tobytes()) for start, end in odd.spans.tolist()]
        ends = np.cumsum([0, *(len(text) for text in texts)])
        out = np.empty(size + int(ends[-1]), np.uint8)
        odd = _Odd(odd.spans, ends, np.frombuffer(bytearray().join(texts), np.uint8))
        _write(data, place, tokens, chosen, odd, offsets, out)
    return offsets, out[: offsets[-1]]


def _json_number(token: bytes) -> bytes:
    value = float(token)
    return json.dumps(value if math.isfinite(value) else str(value)).encode()
