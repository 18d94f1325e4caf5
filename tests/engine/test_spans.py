from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow_engine import spans
from predarrow_engine.spans import distinct, gather

PADDING = bytes(8)


def placed(keys: list[list[bytes | None]]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Give texts one after the other, and their spans; None has none."""
    data = bytearray(b"head")
    found = []
    for row in keys:
        for text in row:
            found.append((len(data), len(data) + len(text)) if text is not None else (-1, -1))
            data += text or b""
    width = len(keys[0]) if keys else 1
    return np.frombuffer(bytes(data) + PADDING, np.uint8), np.array(found, np.int64).reshape(-1, width, 2)


texts = st.none() | st.binary(max_size=3) | st.sampled_from([b"12345678", b"1234567", b"12345678a", b"\0", b"\0\0"])


def test_some_of_the_spans_are_keys() -> None:
    data, found = placed([[b"a", b"b", b"c"], [b"x", b"b", b"c"], [b"x", b"c", b"c"], [b"a", b"b", b"d"]])
    flags = np.zeros(4, np.int8)
    assert distinct(data, found, flags)[0].tolist() == [0, 1, 2, 3]
    codes, firsts = distinct(data, found, flags, 1, 2)
    assert (codes.tolist(), firsts.tolist()) == ([0, 0, 1, 0], [0, 2])
    assert distinct(data, found, flags, 1)[0].tolist() == [0, 0, 1, 2]


@given(st.lists(st.tuples(texts, texts, st.integers(-1, 1)), max_size=30))
def test_keys_are_numbered_as_they_are_met(keys: list[tuple[bytes | None, bytes | None, int]]) -> None:
    data, found = placed([[a, b] for a, b, _ in keys] or [[None, None]])
    flags = np.array([flag for _, _, flag in keys] or [0], np.int8)
    codes, firsts = distinct(data, found, flags)
    known: dict[object, int] = {}
    wanted = [known.setdefault(key, len(known)) for key in keys or [(None, None, 0)]]
    assert codes.tolist() == wanted
    assert firsts.tolist() == [wanted.index(code) for code in range(len(known))]


def test_many_keys_outgrow_the_first_table() -> None:
    keys: list[list[bytes | None]] = [[f"key {number % 5000}".encode()] for number in range(9000)]
    codes, firsts = distinct(*placed(keys), np.zeros(9000, np.int8))
    assert codes.tolist() == [number % 5000 for number in range(9000)]
    assert firsts.tolist() == list(range(5000))


@given(st.lists(texts, max_size=9))
def test_texts_are_gathered_in_their_order(given_texts: list[bytes | None]) -> None:
    data, found = placed([[text] for text in given_texts] or [[None]])
    offsets, out = gather(data, found[:, 0])
    pieces = [out[start:end].tobytes() for start, end in pairwise(offsets)]
    assert pieces == [text or b"" for text in given_texts or [None]]


def test_texts_beyond_a_columns_room_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "STRING_LIMIT", 3)
    with pytest.raises(ValueError, match="at most 3 bytes, got 4"):
        gather(np.zeros(9, np.uint8), np.array([[0, 2], [2, 4]]))
