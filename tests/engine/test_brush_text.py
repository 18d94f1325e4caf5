"""Lists of bytes as JSON text, against Python's json."""

from __future__ import annotations

import itertools
import json

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine import brush_text as text
from predarrow_engine.brush_text import from_texts, to_texts

_BLANKS = b" \t\n\r"


def joined(texts: list[bytes]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    return np.frombuffer(b"".join(texts), np.uint8), np.cumsum([0, *map(len, texts)])


def naive(given_text: bytes) -> tuple[list[int], int]:
    """Give the numbers of a text, and whether something is wrong with it, by Python's json."""
    try:
        value = json.loads(given_text.decode("latin-1"))
    except (ValueError, RecursionError):
        return [], 1
    is_list = isinstance(value, list) and all(type(item) is int and 0 <= item <= 255 for item in value)
    return (value, 0) if is_list else ([], 1)


def check(texts: list[bytes]) -> None:
    found = from_texts(*joined(texts))
    expected = [naive(each) for each in texts]
    assert (found.flaw != text.OK).tolist() == [bool(flaw) for _, flaw in expected]
    lists = [found.values[begin:end].tolist() for begin, end in itertools.pairwise(found.offsets.tolist())]
    assert lists == [values for values, _ in expected]
    assert ((found.place >= 0) & (found.place <= [len(each) for each in texts])).all()


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=200), max_size=4))
def test_there_and_back(lists: list[bytes]) -> None:
    texts, offsets = to_texts(*joined(lists))
    compact = [json.dumps(list(each), separators=(",", ":")).encode() for each in lists]
    assert (texts.tobytes(), offsets.tolist()) == (b"".join(compact), np.cumsum([0, *map(len, compact)]).tolist())
    for written in (compact, [json.dumps(list(each)).encode() for each in lists]):
        found = from_texts(*joined(written))
        assert found.values.tobytes() == b"".join(lists)
        assert found.offsets.tolist() == np.cumsum([0, *map(len, lists)]).tolist()
        assert not found.flaw.any()
        assert not found.place.any()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Give the text of a list with something else in one or two places."""
    values = draw(st.lists(st.integers(0, 255), max_size=60))
    written = bytearray(json.dumps(values, separators=(draw(st.sampled_from([",", ", ", ",\n  "])), ":")).encode())
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(written)))
        piece = draw(
            st.sampled_from([b"", b"0", b"9", b" ", b"  ", b",", b"-", b".", b"e1", b"]", b"[", b"\n", b"300"])
        )
        written[at : at + draw(st.integers(0, 2))] = piece
    return bytes(written)


@settings(max_examples=400)
@given(st.lists(damaged(), max_size=3))
def test_damaged_texts_as_json_has_them(texts: list[bytes]) -> None:
    check(texts)


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=90), max_size=3))
def test_any_bytes_do_no_harm(texts: list[bytes]) -> None:
    found = from_texts(*joined([b"[" + each for each in texts]))
    assert found.offsets[-1] == found.values.size


@pytest.mark.parametrize(
    ("written", "flaw", "item", "place"),
    [
        (b"", text.CUT, 0, 0),
        (b"null", text.NO_LIST, 0, 0),
        (b"[", text.CUT, 0, 1),
        (b"[1", text.CUT, 0, 2),
        (b"[1,", text.CUT, 1, 3),
        (b"[1,]", text.NO_NUMBER, 1, 3),
        (b"[1, -2]", text.NO_BYTE, 1, 4),
        (b"[1, 256]", text.NO_BYTE, 1, 4),
        (b"[1, 99999999999999999999]", text.NO_BYTE, 1, 4),
        (b"[1, 2.0]", text.NO_NUMBER, 1, 4),
        (b"[1, 007]", text.NO_NUMBER, 1, 4),
        (b"[1, null]", text.NO_NUMBER, 1, 4),
        (b"[1, 2 3]", text.NO_COMMA, 1, 6),
        (b"[1]]", text.TRAILING, 1, 3),
        (b"[]]", text.TRAILING, 0, 2),
    ],
)
@pytest.mark.parametrize("n_before", [0, 100])
def test_flaws_are_told(written: bytes, flaw: int, item: int, place: int, n_before: int) -> None:
    before = b"7," * n_before if written[1:2] == b"1" else b""
    n_items = len(before) // 2
    found = from_texts(*joined([b"[3]", written[:1] + before + written[1:], b"[4, 5]"]))
    assert found.flaw.tolist() == [text.OK, flaw, text.OK]
    assert found.item.tolist() == [0, item + n_items, 0]
    assert found.place.tolist() == [0, place + len(before), 0]
    assert found.values.tolist() == [3, 4, 5]


def test_every_length_at_every_end_of_the_bytes() -> None:
    """The quick way reads blocks of 64 bytes, and must not look beyond the last one."""
    for n in range(1, 150):
        check([json.dumps([n % 256] * n, separators=(",", ":")).encode()])
        check([b"[" + b"%d, " % (n % 256) * n + b"6]", b"[]"])


def test_blanks_of_all_kinds() -> None:
    blank = _BLANKS.decode()
    check([f"{blank}[{blank}1{blank},{blank}22{blank},{blank}255{blank}]{blank}".encode(), b"[ ]", b"[-0, 0]"])
