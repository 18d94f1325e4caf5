"""Spans of labels -> JSON members that a row of the table keeps: `"createdAt":"Mon, ...","createdBy":"a"`.

A span's bytes have no escapes and no control characters, as `label_rows` takes none, so that they are JSON as they are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine.rle_text import STRING_LIMIT, fixed
from predarrow_engine.runs import ONE, ZERO

_Bytes = npt.NDArray[np.uint8]
_COMMA, _QUOTE = b',"'


def members(
    data: _Bytes,
    spans: npt.NDArray[np.int64],
    names: tuple[str, ...],
    flags: npt.NDArray[np.bool_],
    flag: str,
) -> tuple[npt.NDArray[np.int32], _Bytes]:
    """Give the members of each row with a comma between them, as (n + 1,) first byte of each text and (n_bytes,) bytes.

    Args:
        data: (n_bytes,) JSON.
        spans: (n, k, 2) first byte and the one after the last of a text; both -1 where a member is left out.
        names: (k,) of the members.
        flags: (n,) whether a row has one member more.
        flag: that member, its name and value.

    Raises:
        ValueError: more than 2**31 - 1 bytes.
    """
    words = [*(f'"{name}":"'.encode() for name in names), flag.encode()]
    starts = np.cumsum([0, *map(len, words)])
    lengths = np.where(spans[..., 0] < 0, 0, spans[..., 1] - spans[..., 0] + np.diff(starts)[:-1] + 2).sum(axis=1)
    lengths += np.where(flags, len(words[-1]) + 1, 0)
    ends = np.zeros(len(spans) + 1, np.int64)
    np.cumsum(np.maximum(lengths - 1, 0), out=ends[1:])
    if ends[-1] > STRING_LIMIT:
        raise ValueError(f"texts of a column hold at most {STRING_LIMIT} bytes, got {ends[-1]}; take fewer")
    out = np.empty(ends[-1], np.uint8)
    joined = np.frombuffer(b"".join(words), np.uint8)
    _members(fixed(data), fixed(spans), fixed(joined), fixed(starts), fixed(flags), out)
    return ends.astype(np.int32), out


@inline
def _copy(source: _Bytes, begin: np.uint64, end: np.uint64, target: _Bytes, at: np.uint64) -> np.uint64:
    """Write source[begin:end] to `at`; give where it ends."""
    for k in range(end - begin):
        target[at + k] = source[begin + k]
    return at + (end - begin)


@kernel
def _members(
    data: _Bytes,
    spans: npt.NDArray[np.int64],
    words: _Bytes,
    starts: npt.NDArray[np.int64],
    flags: npt.NDArray[np.bool_],
    out: _Bytes,
) -> None:
    n, k = ZERO, np.uint64(spans.shape[1])
    for row in range(np.uint64(spans.shape[0])):
        begin = n
        for member in range(k):
            if spans[row, member, 0] < 0:
                continue
            if n > begin:
                out[n] = _COMMA
                n += ONE
            n = _copy(words, np.uint64(starts[member]), np.uint64(starts[member + ONE]), out, n)
            n = _copy(data, np.uint64(spans[row, member, 0]), np.uint64(spans[row, member, 1]), out, n)
            out[n] = _QUOTE
            n += ONE
        if flags[row]:
            if n > begin:
                out[n] = _COMMA
                n += ONE
            n = _copy(words, np.uint64(starts[k]), np.uint64(starts[k + ONE]), out, n)
