from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow_engine import label_texts

NAMES = ("createdAt", "b", "")
texts = st.none() | st.text("aé,:}{ 7", max_size=40)
FLAG = '"manual":false'


@given(st.lists(st.tuples(texts, texts, texts, st.booleans()), max_size=20))
def test_members_are_json(rows: list[tuple[str | None, str | None, str | None, bool]]) -> None:
    data = bytearray(b"head")
    spans = []
    for *row, _ in rows:
        for text in row:
            encoded = (text or "").encode()
            spans.append((len(data), len(data) + len(encoded)) if text is not None else (-1, -1))
            data += encoded
    flags = np.array([row[-1] for row in rows], np.bool_)
    where = np.array(spans, np.int64).reshape(-1, len(NAMES), 2)
    offsets, out = label_texts.members(np.frombuffer(bytes(data), np.uint8), where, NAMES, flags, FLAG)
    found = [out[a:b].tobytes().decode() for a, b in pairwise(offsets.tolist())]
    wanted = []
    for *row, flag in rows:
        members = {name: text for name, text in zip(NAMES, row, strict=True) if text is not None}
        parts = [f"{json.dumps(name)}:{json.dumps(text, ensure_ascii=False)}" for name, text in members.items()]
        wanted.append(",".join(parts + [FLAG] * flag))
    assert found == wanted
    assert offsets[0] == 0
    assert offsets[-1] == out.size


def test_more_bytes_than_a_column_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_texts, "STRING_LIMIT", 15)
    data, spans = np.frombuffer(b"abc", np.uint8), np.array([[[0, 3]]])
    none = np.zeros(1, np.bool_)
    assert label_texts.members(data, spans, ("member",), none, FLAG)[1].tobytes() == b'"member":"abc"'
    monkeypatch.setattr(label_texts, "STRING_LIMIT", 13)
    with pytest.raises(ValueError, match="at most 13 bytes, got 14"):
        label_texts.members(data, spans, ("member",), none, FLAG)
