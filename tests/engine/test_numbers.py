"""Numbers of text against Python's own `float`: not one bit may differ."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine import numbers
from predarrow_engine._simd_text import LANES, short_numbers, short_points
from tests.guarded import guarded

_TAKEN = re.compile(rb"[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[iI][nN][fF]([iI][nN][iI][tT][yY])?|[nN][aA][nN])")


def _parse(texts: list[bytes]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    offsets = np.cumsum([0, *(len(text) for text in texts)], dtype=np.int64)
    return numbers.parse_numbers(guarded(np.frombuffer(b"".join(texts), np.uint8)), offsets)


def _expected(texts: list[bytes]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    taken = [_TAKEN.fullmatch(text) is not None for text in texts]
    values = [float(text) if good else np.nan for text, good in zip(texts, taken, strict=True)]
    return np.array(values), np.array(taken)


def _assert_same(texts: list[bytes]) -> None:
    values, taken = _parse(texts)
    expected, expected_taken = _expected(texts)
    np.testing.assert_array_equal(taken, expected_taken)
    same = (values.view(np.uint64) == expected.view(np.uint64)) | (np.isnan(values) & np.isnan(expected))
    assert [text for text, good in zip(texts, same.tolist(), strict=True) if not good] == []


def test_words_signs_and_dots() -> None:
    whole = "0 -0 +1 007 .5 5. -.5 +5.e3 1e5 1E+05 1e-05 0e999 1e400 -1e400 1e-400 0.0 00.00 12345678 123456789"
    words = "inf INF -inf +Infinity iNfInItY nan NaN -nan infinit infi na n i nane"
    wrong = ". + - -. e5 1e 1e+ 1e- 1.2.3 1_000 0x1 1,5 1a a1 --1 +-1 1e5.0 1e5e5 \u0661 1\x00 1\x0b \x0c1"
    _assert_same([b"", *(text.encode() for line in (whole, words, wrong) for text in line.split(" "))])


def test_edges_of_float64() -> None:
    small = "5e-324 2.4703282292062327e-324 2.4703282292062328e-324 2.2250738585072011e-308 2.2250738585072014e-308"
    large = "1.7976931348623157e308 1.7976931348623158e308 1.7976931348623159e308 179769313486231580793728971405301e276"
    whole = "9007199254740993 9007199254740992.99999 9007199254740993.00000000000000000000001 18446744073709551615"
    other = "18446744073709551616 99999999999999999999 9.444580769761449375e14 6.177953242970326400000000E+17"
    texts = " ".join((small, large, whole, other)).split(" ")
    long = ["0" * 50 + "1" + "0" * 20, "0." + "0" * 400 + "1e401", "1" + "0" * 400 + "e-400", "0" * 30 + "." + "0" * 30]
    huge = ["1e99999999999999999999", "1e-99999999999999999999", "0e99999999999999999999", "0." + "0" * 30 + "1e30"]
    _assert_same([text.encode() for text in (*texts, *long, *huge)])


def _tie(rng: random.Random) -> str:
    """Give a number half-way between two float64, exactly, cut off, or a little further."""
    low = struct.unpack("d", struct.pack("Q", rng.getrandbits(64) & 0x7FDFFFFFFFFFFFFF))[0]
    high = float(np.nextafter(low, np.inf))
    with localcontext(prec=800):
        middle = (Decimal(low) + Decimal(high)) / 2
        return format(middle, f".{rng.choice((15, 17, 18, 19, 25, 770))}E")


def _digits(rng: random.Random, n: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(n))


_KINDS: tuple[Callable[[random.Random], str], ...] = (
    lambda rng: f"{rng.uniform(-2000, 2000):.2f}",
    lambda rng: f"{rng.uniform(-1, 1000):.6f}",
    lambda rng: repr(rng.uniform(-1000, 1000)),
    lambda rng: str(np.float32(rng.uniform(-1000, 1000))),
    lambda rng: repr(struct.unpack("d", struct.pack("Q", rng.getrandbits(64)))[0]),
    lambda rng: str(struct.unpack("f", struct.pack("I", rng.getrandbits(32)))[0]),
    lambda rng: str(rng.getrandbits(rng.randrange(1, 66))),
    lambda rng: f"{rng.getrandbits(rng.randrange(1, 64))}e{rng.randrange(-350, 320)}",
    lambda rng: f"{_digits(rng, rng.randrange(1, 40))}.{_digits(rng, rng.randrange(40))}e{rng.randrange(-350, 320)}",
    lambda rng: f"{rng.uniform(0, 1e-307):.{rng.randrange(10, 25)}e}",
    _tie,
)


def _hard_cases(n: int, seed: int) -> list[bytes]:
    rng = random.Random(seed)
    return [_KINDS[i % len(_KINDS)](rng).encode() for i in range(n)]


def test_hard_cases() -> None:
    _assert_same(_hard_cases(30_000, 0))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_a_million_hard_cases(seed: int) -> None:
    _assert_same(_hard_cases(100_000, seed))


@settings(max_examples=300)
@given(st.lists(st.text("0123456789+-.eEinfatyINFATY_ ,\x00", max_size=26), max_size=20))
def test_any_text(texts: list[str]) -> None:
    _assert_same([text.encode() for text in texts])


def test_what_the_kernel_leaves_undecided_is_settled() -> None:
    """Just above a tie that would go down, as only the last digit tells."""
    texts = [f"{2**53 + 4 * k + 1}.{'0' * 30}1".encode() for k in range(100)]
    data, offsets = np.frombuffer(b"".join(texts), np.uint8), np.cumsum([0, *map(len, texts)])
    status = np.empty(100, np.uint8)
    assert numbers._parse_all(data, offsets, np.empty(100), status) == 100
    assert (status == numbers.UNDECIDED).all()
    _assert_same(texts)


@pytest.mark.parametrize("offsets", [[], [-1, 2], [0, 4], [2, 1]])
def test_offsets_that_leave_the_data_are_refused(offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="offsets must ascend from 0 to at most 3"):
        numbers.parse_numbers(np.zeros(3, np.uint8), np.array(offsets, np.int64))


@numba.njit
def _eight(data: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], out: npt.NDArray[np.float64]) -> Any:
    return short_numbers(data.ctypes.data, ends.ctypes.data, out.ctypes.data)


@numba.njit
def _one(data: npt.NDArray[np.uint8], start: int, end: int) -> Any:
    return numbers.short_number(data.ctypes.data, start, end)


_SHORT = st.one_of(
    st.text("0123456789.-", max_size=10),
    st.decimals(-9999, 9999, places=2, allow_nan=False, allow_infinity=False).map(str),
    st.text("0123456789.-+e\x00/:\u00e9", max_size=10),
)


@settings(max_examples=500)
@given(st.lists(_SHORT, min_size=LANES, max_size=LANES))
def test_eight_short_numbers_at_once(texts: list[str]) -> None:
    """Digits, with a dot at most, perhaps after a minus: these are taken, with `float`'s value, and nothing else is."""
    coded = [text.encode() for text in texts]
    ends = np.cumsum([0, *(len(text) + 1 for text in coded)], dtype=np.int64)
    data = guarded(np.frombuffer(b" " + b" ".join(coded) + b" " * 9, np.uint8))
    memory = np.full(LANES + 2, 0.25)
    good = int(_eight(data, ends, memory[1:-1]))
    assert (memory[[0, -1]] == 0.25).all()
    for i, text in enumerate(coded):
        plain = re.fullmatch(rb"-?(\d+\.?\d*|\.\d+)", text) is not None
        assert good >> i & 1 == (plain and len(text) <= 8)
        value, taken = _one(data, ends[i] + 1, ends[i + 1])
        assert taken == (plain and len(text.lstrip(b"-")) <= 8)
        for found, is_number in ((memory[1 + i], good >> i & 1), (value, taken)):
            if is_number:
                assert struct.pack("d", found) == struct.pack("d", float(text))


@numba.njit
def _points(data: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], gap: int, xy: npt.NDArray[Any]) -> Any:
    address = xy.ctypes.data
    return short_points(data.ctypes.data, ends.ctypes.data, gap, address + 4, address + 24)


_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_coordinates = st.one_of(
    st.decimals(-999, 99999, places=2).map(str),
    st.tuples(st.integers(0, 10**8 - 1), st.integers(0, 7)).map(lambda pair: str(Decimal(pair[0]).scaleb(-pair[1]))),
    st.text("0123456789.-", max_size=9),
    st.sampled_from(
        ["", "-", ".", "-.5", "5.", "-0", "00", "0.0", "-01", "010", "1.5e3", "12345678", "99999999", " 1"]
    ),
)


@settings(max_examples=500)
@given(texts=st.lists(_coordinates, min_size=8, max_size=8), gap=st.integers(1, 2), end=st.sampled_from(",]"))
def test_eight_short_numbers_as_points(texts: list[str], gap: int, end: str) -> None:
    """JSON's numbers as 32-bit floats, as NumPy rounds Python's; those with even places apart from the others."""
    line = " " * gap + "".join(text + (end + " ")[:gap] for text in texts) + " " * 9
    ends = np.cumsum([0, *(len(text) + gap for text in texts)], dtype=np.int64)
    xy = np.full(LANES + 3, 0.25, np.float32)
    good = int(_points(guarded(np.frombuffer(line.encode(), np.uint8)), ends, np.int64(gap), xy))
    assert xy[[0, 5, 10]].tolist() == [0.25] * 3
    for i, text in enumerate(texts):
        assert good >> i & 1 == (len(text) <= 8 and _NUMBER.fullmatch(text) is not None)
        if good >> i & 1:
            assert xy[1 + i // 2 + 5 * (i % 2)].tobytes() == np.float32(float(text)).tobytes()


@numba.njit
def _long_decimal(data: npt.NDArray[np.uint8], n: int, n_after: int) -> Any:
    return numbers.long_decimal(data.ctypes.data + data.size, n, n_after)


@settings(max_examples=300)
@given(
    text=st.one_of(
        st.floats(0, 1e7, width=32).map(repr),
        st.floats(0, 1e7).map(repr),
        st.from_regex(r"[0-9]{1,7}\.[0-9]{5,12}", fullmatch=True),
        st.from_regex(r"[0-9]{1,7}\.[0-9]{1,4}", fullmatch=True),
        st.from_regex(r"0\.0{0,6}[0-9]{5,12}", fullmatch=True),
        st.sampled_from(["0.00000", "0.000000000000000000", "0.000000000000000001", "9.999999999999999999"]),
    ).filter(lambda text: re.fullmatch(r"\d+\.\d+", text) is not None and len(text) <= 20)
)
def test_long_decimals(text: str) -> None:
    n_after = len(text) - text.index(".") - 1
    found = _long_decimal(guarded(np.frombuffer(b"x" * 40 + text.encode(), np.uint8)), len(text) - 1, n_after)
    assert struct.pack("d", found) == struct.pack("d", float(text))


def test_long_decimals_between_two_numbers() -> None:
    rng = random.Random(7)
    for _ in range(500):
        low = rng.uniform(0.001, 1000)
        middle = (Decimal(low) + Decimal(float(np.nextafter(low, np.inf)))) / 2
        text = format(middle, "f")[:20]
        for last in "0123456789":
            near = text[:-1] + last
            n_after = len(near) - near.index(".") - 1
            found = _long_decimal(guarded(np.frombuffer(b"," * 40 + near.encode(), np.uint8)), 19, n_after)
            assert found == float(near)
