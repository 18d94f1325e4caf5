"""Chosen rows of a column of text, in memory that ends where it says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from predarrow_engine.text import ROOM, gather, gathered_size
from tests.guarded import guarded


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6), st.data())
def test_chosen_rows(texts: list[bytes], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=12))
    expected = [texts[place] for place in chosen]
    offsets = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    source = guarded(np.frombuffer(b"".join(texts) + bytes(ROOM), np.uint8))
    size = sum(map(len, expected))
    out_offsets, out = np.empty(len(chosen) + 1, np.int32), np.full(size + ROOM + 8, 7, np.uint8)
    rows = np.array(chosen, np.int64)
    assert gathered_size(offsets, rows) == size
    assert gather(offsets, source, rows, out_offsets, out) == size
    assert out_offsets.tolist() == np.cumsum([0, *map(len, expected)]).tolist()
    assert out[:size].tobytes() == b"".join(expected)
    assert out[-8:].tolist() == [7] * 8
