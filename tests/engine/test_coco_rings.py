"""Rings of COCO's polygons: the plain ones, which are read eight numbers at a time, and all others, like Python's."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine import coco_columns as c
from predarrow_engine.coco import CocoScanner
from tests import naive_coco
from tests.guarded import guarded

_FIELDS = ("kind", "rings", "ring_lengths", "has_far", "ring_offsets", "x", "y")


def assert_like_twin(segmentation: str, behind: int = 200) -> c.Segmentations | None:
    """Compare two records with this segmentation; None where it is not well-formed."""
    record = f'{{"segmentation":{segmentation},"id":1}}'
    text = f"[{record},{record}{' ' * behind}]".encode()
    expected = naive_coco.scan(text)
    found = CocoScanner().scan(guarded(np.frombuffer(text, np.uint8)), last=True)
    assert (found.code == c.OK) == (expected.code == c.OK)
    if found.code != c.OK:
        return None
    shapes = found.records.segmentation
    for name in _FIELDS:
        ours, theirs = getattr(shapes, name), getattr(expected.records.segmentation, name)
        assert ours.dtype == theirs.dtype, name
        assert ours.tobytes() == theirs.tobytes() or np.array_equal(ours, theirs, equal_nan=True), name
    return shapes


def numbers(n: int, seed: int = 0) -> list[str]:
    """Give numbers as files have them, most of few digits."""
    rng = random.Random(seed)
    some = [
        rng.choice(["", "", "-"]) + repr(round(rng.uniform(0, 2000), rng.choice([0, 1, 2, 2, 2]))) for _ in range(n)
    ]
    return [rng.choice([text, text, text, text.removesuffix(".0"), "0", "0.5"]) for text in some]


@pytest.mark.parametrize("comma", [",", ", "])
@pytest.mark.parametrize("n", [*range(1, 40), 255, 256, 257, 264, 263, 1000, 5001, 20_000])
def test_plain_rings(n: int, comma: str) -> None:
    ring = f"[{comma.join(numbers(n, n))}]"
    assert assert_like_twin(f"[{ring}]") is not None
    assert assert_like_twin(f"[{ring}{comma}{ring}]") is not None
    assert assert_like_twin(ring) is not None


@pytest.mark.parametrize("behind", [0, 1, 8, 60, 70, 75, 80, 130])
def test_rings_at_the_end_of_a_block(behind: int) -> None:
    for n in range(4, 30):
        assert assert_like_twin(f"[[{','.join(numbers(n, n))}]]", behind) is not None


LAST = {
    "the same": ("10.25, 20.5", 1),
    "other digits": ("10.250, 2.05e1", 1),
    "zeros": ("10.250000000000, 20.50000000000", 1),
    "more than 19 digits": ("10.250000000000000000000000, 20.5", 1),
    "a tie of more than 19 digits": ("10.2500000000000000000000000000000000001, 20.5", 1),
    "another x": ("10.26, 20.5", 0),
    "another y": ("10.25, 20.51", 0),
    "the same as 32-bit floats": ("10.25, 20.500000001", 0),
    "a number more": ("10.25, 20.5, 1", 0),
}


@pytest.mark.parametrize(("last", "n_dropped"), LAST.values(), ids=list(LAST))
@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 7, 128, 300])
def test_a_last_vertex_that_repeats_the_first_is_left_out(n: int, last: str, n_dropped: int) -> None:
    between = "".join(f"{text}, " for text in numbers(2 * n))
    shapes = assert_like_twin(f"[[10.25, 20.5, {between}{last}]]")
    assert shapes is not None
    assert shapes.ring_offsets.tolist()[1] == n + 2 - (n_dropped if n > 1 else 0)  # three vertices are kept


def test_undecided_numbers_do_not_close_a_ring() -> None:
    """Texts of more than 19 digits are alike to the kernel, but not to `float`."""
    first, other = "9007199254740993.00000000000000000000", "9007199254740993.00000000000000000001"
    for last, n in ((first, 3), (other, 4)):
        for ring in (f"[{first}, 1, 2, 3, 4, 5, {last}, 1]", f"[[1,2],[{first}, 1, 2, 3, 4, 5, {last}, 1],[3,4,5]]"):
            shapes = assert_like_twin(ring)
            assert shapes is not None
            assert max(np.diff(shapes.ring_offsets)) == n


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e39", "3.5e38", "-1e999", "9" * 39, "9" * 400])
def test_numbers_beyond_32_bits_are_told(number: str) -> None:
    for ring in (f"[1, 2, 3, {number}, 5, 6]", f"[{number},2,3,4,5,6]"):
        shapes = assert_like_twin(f"[[1,2],{ring},[3,4]]")
        assert shapes is not None
        assert shapes.has_far.tolist() == [False, True, False] * 2


_PLAIN = st.one_of(
    st.decimals(-9999, 9999, places=2, allow_nan=False, allow_infinity=False).map(str),
    st.sampled_from(["0", "-0", "0.0", "-0.5", "12345678", "1234567.8", "123456789", "-1234567", "1.0000001", "0.1"]),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
    st.integers(-(10**10), 10**10).map(str),
)
_ODD = st.sampled_from(
    [
        *("0123456789.-,] [/:", "00", "-", ".", "1.", ".5", "01", "-01", "--1", "1.2.3", "1-2", "+1", "1e5", "1E-2"),
        *(", ,", "  ", "NaN", "null", '"1"', "é", "\n", "\t1", ",]", "[1]", "{}", "1 2", "1 ,2"),
        *"0123456789.-,] [",
    ]
)


@settings(max_examples=400)
@given(
    st.lists(_PLAIN, min_size=1, max_size=60),
    st.sampled_from([",", ", ", " ,", ",\n"]),
    st.lists(st.tuples(st.integers(0, 500), _ODD, st.integers(0, 3)), max_size=3),
    st.booleans(),
)
def test_any_ring(texts: list[str], comma: str, changes: list[tuple[int, str, int]], repeats: bool) -> None:
    """Rings with some characters replaced or put in: taken where Python's `json` takes them, and the same."""
    ring = comma.join([*texts, *texts[:2]] if repeats else texts)
    for place, odd, length in changes:
        at = place % (len(ring) + 1)
        ring = ring[:at] + odd + ring[at + length :]
    assert_like_twin(f"[[{ring}]]")
    assert_like_twin(f"[[1, 2],[{ring}]]", behind=5)
