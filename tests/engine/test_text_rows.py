from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from predarrow_engine.text_rows import Piece, Texts, rows
from tests import naive_decimals

LENGTHS = st.sampled_from([0, 1, 7, 8, 9, 63, 64, 65, 150])
texts = st.builds(lambda size, letter: letter * size, LENGTHS, st.sampled_from([b"a", b"b", b"\xc3\xa9"]))
numbers = st.floats(allow_nan=False, allow_infinity=False)


def column(given: list[bytes], skipped: int = 0) -> Texts:
    """Give texts as a column that begins and ends among other bytes."""
    data = b"head" + b"".join(given) + b"tail"
    offsets = 4 + np.cumsum([0, *map(len, given)])
    return Texts(np.frombuffer(data, np.uint8), offsets.astype(np.int32), skipped)


@st.composite
def pieces(draw: st.DrawFn, n: int) -> tuple[Piece, list[bytes]]:
    """Give a piece of n rows, and what it is in each."""
    kind = draw(st.sampled_from(["constant", "texts", "numbers"]))
    content: Any
    values: list[bytes]
    if kind == "constant":
        content = draw(texts)
        values = [content]
    elif kind == "texts":
        some, skipped = draw(st.lists(texts, min_size=n, max_size=n + 3)), draw(st.integers(0, 2))
        content = column(some, skipped)
        values = [each[skipped : len(each) - skipped] for each in some]
    else:
        given = draw(st.lists(numbers, min_size=n, max_size=n + 3))
        content = np.array(given, np.float64)
        values = [naive_decimals.text(each).encode() for each in given]
    if kind == "constant":
        codes, wanted = None, values * n
    elif draw(st.booleans()) and values:
        codes = np.array(draw(st.lists(st.integers(0, len(values) - 1), min_size=n, max_size=n)), np.int64)
        wanted = [values[code] for code in codes]
    else:
        codes, wanted = None, values[:n]
    chosen = None
    if draw(st.booleans()):
        chosen = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), np.bool_)
        wanted = [text if is_chosen else b"" for text, is_chosen in zip(wanted, chosen, strict=True)]
        if codes is not None:
            codes = np.where(chosen, codes, -1)
    return Piece(content, codes, chosen), wanted


@settings(max_examples=200)
@hypothesis.given(st.integers(0, 5).flatmap(lambda n: st.tuples(st.just(n), st.lists(pieces(n), max_size=6))))
def test_rows_are_their_pieces_one_after_the_other(case: tuple[int, list[tuple[Piece, list[bytes]]]]) -> None:
    n, given_pieces = case
    found = rows(n, [piece for piece, _ in given_pieces]).tobytes()
    assert found == b"".join(wanted[row] for row in range(n) for _, wanted in given_pieces)


def test_many_rows() -> None:
    n = 3000
    values = np.random.default_rng(0).random(n)
    names = [b"one", b"two" * 40]
    codes = np.arange(n) % 2
    found = rows(n, [Piece(b'{"a":'), Piece(values), Piece(b',"b":"'), Piece(column(names), codes), Piece(b'"}')])
    wanted = [
        b'{"a":%b,"b":"%b"}' % (repr(value).encode(), names[code])
        for value, code in zip(values.tolist(), codes.tolist(), strict=True)
    ]
    assert found.tobytes() == b"".join(wanted)
