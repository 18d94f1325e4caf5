"""Results that are written alike: what is read of them is what the scan of every rule reads, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine import coco_columns as c
from predarrow_engine.coco import CocoScanner
from predarrow_engine.coco_plain import Form, PlainRecords, form_of
from tests.guarded import guarded

_KEYS = ("image_id", "category_id", "bbox", "score")
_ids = st.sampled_from(
    ["0", "7", "42", "-3", "1234567", "12345678", "581929", "123456789012345", "1234567890123456", "9007199254740991"]
)
_decimals = st.one_of(
    st.floats(0, 1000).map(repr),
    st.floats(0, 1000, width=32).map(repr),
    st.floats(0, 1e-3).map(repr),
    st.decimals(0, 99999, places=2).map(str),
    st.integers(0, 10**9).map(str),
    st.sampled_from(["0", "0.0", "-0.0", "1e-05", "0.5E3", "12345.67", "1234567", "12345678.5", "0.12345678901234567"]),
    st.sampled_from(["1234567.5", "1234.567", "0.00000", "12345678901234567.5", "0.1234567890123456789", "1234567.0"]),
)
_negative = _decimals.map(lambda text: f"-{text.lstrip('-')}")
_results = st.fixed_dictionaries(
    {
        "image_id": _ids,
        "category_id": _ids,
        "bbox": st.lists(
            st.one_of(_decimals, _decimals.map(lambda text: f"-{text.lstrip('-')}")), min_size=2, max_size=2
        ),
        "size": st.lists(_decimals, min_size=2, max_size=2),
        "score": _decimals,
    }
)
_ODD_NUMBERS = [
    *("01", "1.", "1234567.", "123456789.", "01.2345678901", "1.234567890123456789012345678901234", ".5", "-", "1e"),
    *("NaN", "1e999", "null", '"1"', "1.5.2", "+1", "0" * 30, "9" * 25, "", "1 "),
]


def _text(result: dict[str, Any], keys: Sequence[str], comma: str, colon: str) -> str:
    box = comma.join([*result["bbox"], *result["size"]])
    values = {**result, "bbox": f"[{box}]"}
    return "{" + comma.join(f'"{key}"{colon}{values[key]}' for key in keys) + "}"


def _bytes(text: str) -> npt.NDArray[np.uint8]:
    return guarded(np.frombuffer(text.encode(), np.uint8))


def _empty(n: int) -> npt.NDArray[np.float64]:
    return np.full(n, np.nan)


def _read(head: str, following: str, *, lines: bool, last: bool) -> tuple[PlainRecords | None, c.CocoBlock]:
    """Read what follows two results both ways."""
    scanner = CocoScanner(lines=lines)
    data = _bytes(head)
    block = scanner.scan(data, last=False)
    gap, form = scanner.gap, form_of(data, block.records, lines=lines)
    assert gap is not None
    assert form is not None
    assert block.consumed == len(head)
    found = scanner.at(gap).scan_plain(_bytes(following), form, _empty, last=last)
    assert found is None or isinstance(found, PlainRecords)
    return found, scanner.at(gap).scan(_bytes(following), last=last)


def _assert_same(found: PlainRecords, block: c.CocoBlock, size: int) -> None:
    records = block.records
    assert (block.code, block.consumed) == (c.OK, size)
    assert records.others.spans.size == records.kind.sum() == records.segmentation.kind.sum() == 0
    np.testing.assert_array_equal(found.image_id, records.image_id.value)
    np.testing.assert_array_equal(found.category_id, records.category_id.value)
    assert (records.image_id.kind == c.INT).all()
    assert (records.category_id.kind == c.INT).all()
    assert (records.score.kind == c.NUMBER).all()
    assert (records.bbox.n_values == 4).all()
    low, size_ = records.bbox.values[:, :2], records.bbox.values[:, 2:4]
    assert found.corners.T.tobytes() == np.concatenate([low, low + size_], 1).tobytes()
    assert found.score.tobytes() == records.score.value.tobytes()
    assert np.isfinite(found.corners).all()
    assert (size_ >= 0).all()


@settings(max_examples=150)
@given(
    results=st.lists(_results, min_size=3, max_size=12),
    keys=st.permutations(_KEYS),
    comma=st.sampled_from([",", ", ", ",\n    "]),
    colon=st.sampled_from([":", ": "]),
    between=st.sampled_from([",", ", ", "\n , \n"]),
    lines=st.booleans(),
    last=st.booleans(),
    n_more=st.sampled_from([0, 20]),
)
def test_results_are_read_as_by_every_rule(
    results: list[dict[str, Any]],
    keys: Sequence[str],
    comma: str,
    colon: str,
    between: str,
    lines: bool,
    last: bool,
    n_more: int,
) -> None:
    results += n_more * results[:1]  # behind which the others are far from the end
    texts = [_text(result, keys, " ".join(comma.split("\n")) if lines else comma, colon) for result in results]
    if lines:
        head, following = "\n".join(texts[:2]) + "\n", "\n".join(texts[2:]) + "\n"
    else:
        head, following = f"[{between.join(texts[:2])}", between + between.join(texts[2:]) + (" ]\n" if last else "")
    found, block = _read(head, following, lines=lines, last=last)
    boxes = block.records.bbox.values
    if (block.records.bbox.values[:, 2:4] >= 0).all() and np.isfinite(boxes).all():
        assert found is not None
        _assert_same(found, block, len(following))


@settings(max_examples=300)
@given(
    results=st.lists(_results, min_size=3, max_size=6),
    at=st.floats(0, 1),
    spice=st.sampled_from([*_ODD_NUMBERS, *'0129-+.eE"\\[]{},: \nn', "]", "},{", '"id":3,', "ü", ',"score":1']),
    n_removed=st.integers(0, 3),
    lines=st.booleans(),
    last=st.booleans(),
    n_more=st.sampled_from([0, 20]),
)
def test_changed_bytes_are_read_as_by_every_rule_or_not_at_all(
    results: list[dict[str, Any]], at: float, spice: str, n_removed: int, lines: bool, last: bool, n_more: int
) -> None:
    results += n_more * results[:1]
    texts = [_text(result, _KEYS, ",", ":") for result in results]
    head, following = f"[{','.join(texts[:2])}", "".join(f",{text}" for text in texts[2:]) + ("]" if last else "")
    if lines:
        head, following = "\n".join(texts[:2]) + "\n", "\n".join(texts[2:]) + "\n"
    place = int(at * len(following)) // (5 if n_more else 1)
    following = following[:place] + spice + following[place + n_removed :]
    found, block = _read(head, following, lines=lines, last=last)
    if found is not None:
        _assert_same(found, block, len(following.encode()))


_PLAIN = '{"image_id":1,"category_id":2,"bbox":[1,2,3,4],"score":0.5}'
_LONG = "9" * 25


@pytest.mark.parametrize(
    ("following", "last"),
    [
        (_PLAIN, False),  # no comma
        (f",{_PLAIN},", False),
        (f",{_PLAIN}{_PLAIN}", False),
        (f",{_PLAIN}", True),  # no end
        (f",{_PLAIN}]]", True),
        (f",{_PLAIN},7", False),
        (f", {_PLAIN}", False),
        (f",{_PLAIN.replace(':1,', ':1.0,')}", False),
        (f",{_PLAIN.replace(':1,', f':{2**53},')}", False),
        (f",{_PLAIN.replace('3,4', '3,-4')}", False),
        (f",{_PLAIN.replace('3,4', '1e308,4').replace('[1', '[1e308')}", False),
        (f",{_PLAIN.replace('0.5', '1e999')}", False),
        (f",{_PLAIN.replace('0.5', 'Infinity')}", False),
        (f",{_PLAIN.replace('0.5', '0.5' + _LONG)}", False),
        (f",{_PLAIN[:-1]}" + ',"id":3}', False),
        ("]", True),
    ],
)
def test_what_is_no_plain_result(following: str, last: bool) -> None:
    head = f"[{_PLAIN},{_PLAIN}"
    found, _ = _read(head, following, lines=False, last=last)
    if _LONG in following:  # decided nearly always, exactly
        assert found is None or found.score.tolist() == [float(f"0.5{_LONG}")]
    else:
        assert found is None


def test_a_line_without_its_end() -> None:
    found, _ = _read(f"{_PLAIN}\n{_PLAIN}\n", f"{_PLAIN}\n{_PLAIN}", lines=True, last=True)
    assert found is None


def _form(text: str) -> Form | None:
    data = _bytes(text)
    block = CocoScanner().scan(data, last=True)
    assert block.code == c.OK
    return form_of(data, block.records, lines=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda record: {**record, "id": 1},
        lambda record: {**record, "segmentation": []},
        lambda record: {**record, "image_id": "a"},
        lambda record: {**record, "bbox": [1, 2, 3]},
        lambda record: {key: record[key] for key in record if key != "score"},
        lambda record: [record],
        lambda record: 7,
    ],
)
def test_no_form_of_other_records(change: Callable[[Any], Any]) -> None:
    record = json.loads(_PLAIN)
    assert _form(json.dumps([record, record])) is not None
    assert _form(json.dumps([record, record, change(record)])) is None


def test_no_form_of_one_result_or_far_from_the_next() -> None:
    assert _form(f"[{_PLAIN}]") is None
    assert _form(f"[{_PLAIN}{' ' * 40},{_PLAIN}]") is not None
    assert _form(f"[{_PLAIN}{' ' * 60},{_PLAIN}]") is None


def test_lists_that_are_not_annotations_hold_no_results() -> None:
    scanner = CocoScanner()
    data = _bytes(f'{{"annotations":[{_PLAIN},{_PLAIN}],"more":[{{}}')
    block = scanner.scan(data, last=False)
    form = form_of(data, block.records, lines=False)
    assert form is not None
    gap = scanner.gap
    assert gap is not None
    assert scanner.at(gap).scan_plain(_bytes(f",{_PLAIN}"), form, _empty, last=False) is None
