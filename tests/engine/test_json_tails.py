from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow_engine.json_tails import numbers_of, part
from tests.naive_tails import naive_part

KEY = b'"encord":{"coordinates":'
WANTED = ("box", ("x", "y"))


def flat(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    data = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, data)]).astype(np.int32)
    return np.frombuffer(b"".join(data), np.uint8), offsets


def parted(texts: Sequence[str]) -> list[tuple[str, str]]:
    found = part(*flat(texts), KEY)
    columns = ((found.heads, found.head_offsets), (found.tails, found.tail_offsets))
    heads, tails = (
        [data[begin:end].tobytes().decode() for begin, end in pairwise(offsets)] for data, offsets in columns
    )
    return list(zip(heads, tails, strict=True))


_WORDS = st.sampled_from(["encord", "coordinates", "a", '"', "\\", "}}", '"encord":{"coordinates":{', "é", "x,"])
_VALUES = st.recursive(
    st.none() | st.integers() | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(_WORDS, _VALUES, max_size=4), min_size=1, max_size=6), st.data())
def test_as_pythons_json_parts_them(objects: list[dict[str, Any]], data: st.DataObject) -> None:
    for item in objects:
        if data.draw(st.booleans()):
            item.pop("encord", None)
            inside = data.draw(st.dictionaries(_WORDS, _VALUES, max_size=2))
            item["encord"] = {"coordinates": inside} | data.draw(st.sampled_from([{}, {"z": [1]}]))
    texts = [json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in objects]
    wanted = [tuple(naive_part(text)) for text in texts]
    assert parted(texts) == wanted
    behind = json.dumps({"a": "}" * 64})  # so that 64 bytes may be looked at together everywhere before
    assert parted([*texts, behind]) == [*wanted, (behind, "")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "}}",
        '{"encord":{"coordinates":',
        '{"encord":{"coordinates":{',
        '{"encord":{"coordinates":{}}',
        '{"encord":{"coordinates":{}}} ',
        '{"encord":{"coordinates":{"a":"}}}',
        '{"encord":{"coordinates":"{}"}}',
        '{"encord": {"coordinates":{}}}',
        '{"encord":{"coordinates":{}},"b":1}',
    ],
)
def test_texts_without_a_tail_stay_whole(text: str) -> None:
    assert parted(['{"a":1,"encord":{"coordinates":{"b":[]}}}', text, "{}"]) == [
        ('{"a":1}', '{"b":[]}'),
        (text, ""),
        ("{}", ""),
    ]
    assert parted([text, "{}" * 64])[0] == (text, "")


@pytest.mark.parametrize("value", ["null", "{}", '"}}"'])
def test_the_key_inside_another_member_is_passed_over(value: str) -> None:
    head = f'{{"x":{{"encord":{{"coordinates":{value}}}}}'
    assert parted([head + ',"encord":{"coordinates":{"b":1}}}']) == [(head + "}", '{"b":1}')]
    assert parted([head + "}"]) == [(head + "}", "")]


@pytest.mark.parametrize("length", [0, 1, 50, 61, 62, 63, 64, 65, 127, 128, 200])
@pytest.mark.parametrize("letters", ["a", "\\", '"', "}", "é"])
def test_long_texts_inside(length: int, letters: str) -> None:
    tail = json.dumps({"b": letters * length, "c": [{}]}, ensure_ascii=False, separators=(",", ":"))
    text = f'{{"a":1,"encord":{{"coordinates":{tail}}}}}'
    assert parted([text, text]) == [('{"a":1}', tail)] * 2


def test_no_texts() -> None:
    assert parted([]) == []


@given(st.lists(st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.floats(-1, 1)), min_size=1))
def test_numbers_are_pythons(pairs: list[tuple[float, float]]) -> None:
    texts = [json.dumps({"box": {"x": x, "y": y}}, separators=(",", ":")) for x, y in pairs]
    texts += [json.dumps({"box": {"y": y, "x": x}}, indent=1) for x, y in pairs]
    values, fits = numbers_of(*flat(texts), *WANTED)
    assert fits.all()
    assert values.tolist() == [list(pair) for pair in pairs] * 2


_NO_NUMBERS = ["+1", ".5", "1.", "01", "-", "1e", "1e+", "-.5", "inf", "nan", "0x1", "1.e5", "1 1", "", '"1"', "[1]"]
_OTHERS = [
    '{"x":1,"z":2}',
    '{"x":1,"x":2}',
    '{"x":1}',
    '{"x":1,"y":2,"z":3}',
    '{"x":1 "y":2}',
    '{"x":1,"y":2',
    "[]",
    "1",
]
_WHOLE = ["", "{", "{}", '{"box":', '{"Box":{"x":1,"y":2}}', '{"box":{"x":1,"y":2}', '{"box":{"x":1,"y":2}}}', "[1]"]


def boxed(x: str, y: str) -> str:
    return f'{{"box":{{"x":{x},"y":{y}}}}}'


@pytest.mark.parametrize(
    "number", ["0", "-0", "-0.5e-3", "10", "1E5", "1e+05", "0.0", " 7", "7\n", "1234567890123456789012345"]
)
def test_numbers_are_those_of_json(number: str) -> None:
    values, fits = numbers_of(*flat([boxed(number, number)]), *WANTED)
    assert fits.all()
    assert values.tolist() == [[float(number)] * 2]


def test_digits_that_only_python_settles_are_not_taken() -> None:
    between = "1.00000000000000011102230246251565404236316680908203125"  # halfway to the next float64
    _, fits = numbers_of(*flat([boxed("1", between), boxed("1", "2")]), *WANTED)
    assert fits.tolist() == [False, True]


@pytest.mark.parametrize("number", _NO_NUMBERS)
def test_what_json_has_no_number_for_does_not_fit(number: str) -> None:
    _, fits = numbers_of(*flat([boxed("1", number), boxed(number, "1"), boxed("1", "2")]), *WANTED)
    assert fits.tolist() == [False, False, True]


@pytest.mark.parametrize("text", [*_WHOLE, *(f'{{"box":{inside}}}' for inside in _OTHERS)])
def test_other_texts_do_not_fit(text: str) -> None:
    values, fits = numbers_of(*flat([boxed("1", "2"), text, boxed("3", "4e-2")]), *WANTED)
    assert fits.tolist() == [True, False, True]
    assert values[[0, 2]].tolist() == [[1, 2], [3, 0.04]]
