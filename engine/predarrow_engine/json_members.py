"""Keys and values of JSON objects, copied as they stand into new objects: texts of Arrow's layout.

data      …"track_id": 7, "area" : 1.50…      member   key's span, value's span      field   name given, value's span
out       {"area":1.50,"track_id":7}          no blanks around them; those inside values stay
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine._jit import inline, kernel
from predarrow_engine._simd_text import prefetch

_OPEN, _CLOSE, _COMMA, _COLON = b"{},:"[0], b"{},:"[1], b"{},:"[2], b"{},:"[3]

_AHEAD = 4
"""Objects whose values are fetched before they are copied: 110 ns each, else 200, as they come from far places."""


class Places(NamedTuple):
    """Where the names, values and members of objects stand, and which objects to give; see `objects`."""

    name_offsets: npt.NDArray[np.int64]
    fields: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int32]
    members: npt.NDArray[np.int32]
    chosen: npt.NDArray[np.int64]


def objects(
    data: npt.NDArray[np.uint8],
    names: npt.NDArray[np.uint8],
    name_offsets: npt.NDArray[np.int64],
    fields: npt.NDArray[np.int32],
    offsets: npt.NDArray[np.int32],
    members: npt.NDArray[np.int32],
    chosen: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Give chosen objects as (m + 1,) first byte of each and (n_bytes,) their texts, empty without members.

    Args:
        data: (n_bytes,) JSON.
        names: (n_bytes,) names of fields with their quotes, one after the other.
        name_offsets: (n_fields + 1,) first byte of each name.
        fields: (n, n_fields, 2) span of each object's value in data; an empty one leaves the field out.
        offsets: (n + 1,) first member of each object.
        members: (n_members, 4) where a key begins and ends, where its value begins and ends.
        chosen: (m,) objects to give.

    Raises:
        ValueError: texts of more than 2**31 - 1 bytes.
    """
    places = Places(*[_fixed(array) for array in (name_offsets, fields, offsets, members, chosen)])
    ends = np.zeros(len(chosen) + 1, np.int64)
    size = _measure(places, ends)
    if size > np.iinfo(np.int32).max:
        raise ValueError(f"texts of a column hold at most {np.iinfo(np.int32).max} bytes, got {size}; take fewer")
    out = np.empty(size, np.uint8)
    _write(_fixed(data), _fixed(names), places, out)
    return ends.astype(np.int32), out


def _fixed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array = np.ascontiguousarray(array).view()
    array.flags.writeable = False
    return array


@kernel
def _measure(places: Places, ends: npt.NDArray[np.int64]) -> int:
    """Write where each text ends; give how many bytes there are."""
    name_offsets, fields, offsets, members, chosen = places
    n = np.int64(0)
    for i in range(chosen.size):
        row = chosen[i]
        begin = n
        for k in range(fields.shape[1]):
            length = np.int64(fields[row, k, 1]) - fields[row, k, 0]
            if length > 0:
                n += name_offsets[k + 1] - name_offsets[k] + length + 2
        for k in range(offsets[row], offsets[row + 1]):
            n += np.int64(members[k, 1]) - members[k, 0] + members[k, 3] - members[k, 2] + 2
        if n > begin:
            n += 1
        ends[i + 1] = n
    return int(n)


@kernel
def _write(
    data: npt.NDArray[np.uint8],
    names: npt.NDArray[np.uint8],
    places: Places,
    out: npt.NDArray[np.uint8],
) -> None:
    name_offsets, fields, offsets, members, chosen = places
    n, address = np.int64(0), data.ctypes.data
    for i in range(chosen.size):
        row = chosen[i]
        ahead = chosen[min(i + _AHEAD, chosen.size - 1)]
        for k in range(fields.shape[1]):
            prefetch(address + fields[ahead, k, 0])
        begin = n
        for k in range(fields.shape[1]):
            start, end = np.int64(fields[row, k, 0]), np.int64(fields[row, k, 1])
            if end > start:
                key, key_end = np.int64(name_offsets[k]), np.int64(name_offsets[k + 1])
                n = _member(out, n, begin, names, key, key_end, data, start, end)
        for k in range(offsets[row], offsets[row + 1]):
            key, key_end = np.int64(members[k, 0]), np.int64(members[k, 1])
            n = _member(out, n, begin, data, key, key_end, data, np.int64(members[k, 2]), np.int64(members[k, 3]))
        if n > begin:
            out[n] = _CLOSE
            n += 1


@inline
def _member(
    out: npt.NDArray[np.uint8],
    n: np.int64,
    begin: np.int64,
    keys: npt.NDArray[np.uint8],
    key: np.int64,
    key_end: np.int64,
    data: npt.NDArray[np.uint8],
    start: np.int64,
    end: np.int64,
) -> np.int64:
    """Write a brace or a comma, a key and a value at out[n]; give where they end."""
    out[n] = _OPEN if n == begin else _COMMA
    n += 1
    for at in range(key, key_end):
        out[n] = keys[at]
        n += 1
    out[n] = _COLON
    n += 1
    for at in range(start, end):
        out[n] = data[at]
        n += 1
    return n
