"""Objects put together from spans, against the same made with Python's slices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine.json_members import objects

_NAMES = ('"id"', '"a name"')
_DATA = b'0123456789"abc":{}[], x\xc3\xbc'
_spans = st.tuples(st.integers(0, len(_DATA)), st.integers(0, len(_DATA))).map(lambda ends: tuple(sorted(ends)))
_members = st.tuples(_spans, _spans)
_Span = tuple[int, ...]
_Row = tuple[tuple[_Span, _Span], list[tuple[_Span, _Span]]]
_rows = st.lists(st.tuples(st.tuples(_spans, _spans), st.lists(_members, max_size=3)), max_size=6)


def _naive(fields: tuple[_Span, _Span], members: list[tuple[_Span, _Span]]) -> bytes:
    pairs = [
        (name.encode(), _DATA[slice(*span)]) for name, span in zip(_NAMES, fields, strict=True) if span[0] != span[1]
    ]
    pairs += [(_DATA[slice(*key)], _DATA[slice(*value)]) for key, value in members]
    return b"{" + b",".join(key + b":" + value for key, value in pairs) + b"}" if pairs else b""


@settings(max_examples=200)  # the first call compiles
@given(_rows, st.data())
def test_objects_are_those_of_slices(rows: list[_Row], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8)) if rows else []
    fields = np.array([fields for fields, _ in rows], np.int32).reshape(-1, 2, 2)
    members = np.array([[*key, *value] for _, found in rows for key, value in found], np.int32).reshape(-1, 4)
    offsets, texts = objects(
        np.frombuffer(_DATA, np.uint8),
        np.frombuffer("".join(_NAMES).encode(), np.uint8),
        np.cumsum([0, *map(len, _NAMES)]),
        fields,
        _offsets([len(found) for _, found in rows]),
        members,
        np.array(chosen, np.int64),
    )
    assert offsets[0] == 0
    got = [texts[begin:end].tobytes() for begin, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)]
    assert got == [_naive(*rows[row]) for row in chosen]
    assert texts.size == offsets[-1]


def _offsets(lengths: list[int]) -> npt.NDArray[np.int32]:
    return np.cumsum([0, *lengths]).astype(np.int32)
