"""Records with run lengths that are written alike: what is read of them is what the scan of every rule reads."""

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
from predarrow_engine._simd_text import BLOCK
from predarrow_engine.coco import CocoScanner
from predarrow_engine.coco_plain_shapes import PlainShapes
from predarrow_engine.coco_shapes_form import ShapesForm, shapes_form_of
from tests.guarded import guarded

_KEYS = ("image_id", "category_id", "segmentation", "score", "bbox", "id")
_ids = st.sampled_from(["0", "7", "-3", "12345678"])
_scores = st.one_of(st.floats(0, 1).map(repr), st.sampled_from(["0", "1", "1e-05", "0.5"]))
_sizes = st.integers(-2, 3000).map(str)
_texts = st.one_of(
    st.text([chr(code) for code in range(48, 112)], max_size=20),
    st.text("0\\", max_size=12),
    st.tuples(st.integers(0, 4 * BLOCK), st.integers(0, 5)).map(lambda sizes: "a" * sizes[0] + "\\" * sizes[1]),
    st.text("Zo1\\", min_size=2 * BLOCK, max_size=5 * BLOCK),
)
_records = st.fixed_dictionaries(
    {
        "image_id": _ids,
        "category_id": _ids,
        "segmentation": st.tuples(_sizes, _sizes, _texts),
        "score": _scores,
        "bbox": st.lists(_scores, min_size=4, max_size=4).map(lambda box: f"[{','.join(box)}]"),
        "id": st.one_of(_ids, st.just('"}"')),
    }
)
_SPICE = [
    "\\",
    "\\\\",
    '\\"',
    "\\n",
    "\\u0041",
    "/",
    "p",
    "ü",
    "\x7f",
    "\n",
    '"',
    "}",
    '"}',
    "1.0",
    "null",
    "[",
    "-0",
    " ",
]


def _runs(size: Sequence[str], counts: str, comma: str, colon: str, *, size_first: bool) -> str:
    members = [f'"size"{colon}[{comma.join(size)}]', f'"counts"{colon}{json.dumps(counts)}']
    return "{" + comma.join(members if size_first else members[::-1]) + "}"


def _text(record: dict[str, Any], keys: Sequence[str], comma: str, colon: str, *, size_first: bool = True) -> str:
    *size, counts = record["segmentation"]
    values = {**record, "segmentation": _runs(size, counts, comma, colon, size_first=size_first)}
    return "{" + comma.join(f'"{key}"{colon}{values[key]}' for key in keys) + "}"


def _bytes(text: str) -> npt.NDArray[np.uint8]:
    return guarded(np.frombuffer(text.encode(), np.uint8))


def _empty(n: int) -> npt.NDArray[np.float64]:
    return np.full(n, np.nan)


def _read(head: str, following: str, *, last: bool) -> tuple[PlainShapes | None, c.CocoBlock]:
    """Read what follows two records both ways."""
    scanner, data = CocoScanner(), _bytes(head)
    block = scanner.scan(data, last=False)
    gap, form = scanner.gap, shapes_form_of(data, block.records, lines=False)
    assert gap is not None
    assert form is not None
    found = scanner.at(gap).scan_plain(_bytes(following), form, _empty, last=last)
    assert found is None or isinstance(found, PlainShapes)
    return found, scanner.at(gap).scan(_bytes(following), last=last)


def _assert_same(found: PlainShapes, block: c.CocoBlock, following: str) -> None:
    records, shapes = block.records, block.records.segmentation
    assert (block.code, block.consumed) == (c.OK, len(following.encode()))
    assert not records.kind.any()
    assert (shapes.kind == c.RLE).all()
    assert not shapes.has_further.any()
    np.testing.assert_array_equal(found.image_id, records.image_id.value)
    np.testing.assert_array_equal(found.category_id, records.category_id.value)
    if found.score is not None:
        np.testing.assert_array_equal(found.score, records.score.value)
    assert found.size is not None
    np.testing.assert_array_equal(found.size, shapes.size)
    np.testing.assert_array_equal(found.run_offsets, shapes.text_offsets)
    assert found.runs.tobytes() == shapes.text.tobytes()
    if found.corners is None:
        assert not records.bbox.kind.any()
    else:
        low, size = records.bbox.values[:, :2], records.bbox.values[:, 2:4]
        assert found.corners.T.tobytes() == np.concatenate([low, low + size], 1).tobytes()


@settings(max_examples=200)
@given(
    records=st.lists(_records, min_size=1, max_size=6),
    keys=st.permutations(_KEYS),
    left_out=st.sampled_from([(), ("bbox",), ("bbox", "id"), ("score",), ("bbox", "score", "id")]),
    comma=st.sampled_from([",", ", ", ",\n  "]),
    colon=st.sampled_from([":", ": "]),
    size_first=st.booleans(),
    last=st.booleans(),
)
def test_run_lengths_are_read_as_by_every_rule(
    records: list[dict[str, Any]],
    keys: Sequence[str],
    left_out: Sequence[str],
    comma: str,
    colon: str,
    size_first: bool,
    last: bool,
) -> None:
    kept = [key for key in keys if key not in left_out]
    texts = [_text(record, kept, comma, colon, size_first=size_first) for record in [*records[:1] * 2, *records]]
    following = "".join(comma + text for text in texts[2:]) + ("]" if last else "")
    found, block = _read(f"[{comma.join(texts[:2])}", following, last=last)
    assert found is not None
    assert (found.corners is None) == ("bbox" in left_out)
    assert (found.score is None) == ("score" in left_out)
    assert found.image_id.size == len(records)
    _assert_same(found, block, following)


@settings(max_examples=400)
@given(
    records=st.lists(_records, min_size=3, max_size=3),
    at=st.floats(0, 1),
    spice=st.sampled_from(_SPICE),
    n_removed=st.integers(0, 3),
    n_behind=st.integers(0, 2 * BLOCK),
)
def test_changed_bytes_are_read_as_by_every_rule_or_not_at_all(
    records: list[dict[str, Any]], at: float, spice: str, n_removed: int, n_behind: int
) -> None:
    texts = [_text(record, _KEYS[:4], ",", ":") for record in records]
    following = "," + texts[2]
    place = int(at * len(following))
    following = f"{following[:place]}{spice}{following[place + n_removed :]}{' ' * n_behind}]"
    found, block = _read(f"[{texts[0]},{texts[1]}", following, last=True)
    if found is not None:
        _assert_same(found, block, following)


_RECORD = '{"image_id":1,"category_id":2,"segmentation":{"size":[3,4],"counts":"12345"},"score":0.5}'


def test_room_grows() -> None:
    counts = ["0" * n for n in (100_000, 5, 70_000)] + ["1\\\\2"] * 5000
    following = ",".join(["", *(_RECORD.replace("12345", text) for text in counts)])
    found, block = _read(f"[{_RECORD},{_RECORD}", following, last=False)
    assert found is not None
    assert found.image_id.size == len(counts)
    _assert_same(found, block, following)


@pytest.mark.parametrize(
    "counts", ['1\\"2', "1\\n2", "1\\u00412", "12/4", "p", "ü", "1 2", "1\\", "1" * 80 + "\\/", "\x7f"]
)
def test_what_is_no_text_of_run_lengths(counts: str) -> None:
    following = "," + _RECORD.replace("12345", counts)
    found, _ = _read(f"[{_RECORD},{_RECORD}", following, last=False)
    assert found is None
    assert _read(f"[{_RECORD},{_RECORD}", following + " " * 3 * BLOCK, last=False)[0] is None


def _form(text: str) -> ShapesForm | None:
    data = _bytes(text)
    block = CocoScanner().scan(data, last=True)
    assert block.code == c.OK
    return shapes_form_of(data, block.records, lines=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda record: {**record, "segmentation": {"size": [3, 4], "counts": [1, 11]}},
        lambda record: {**record, "segmentation": {**record["segmentation"], "further": 1}},
        lambda record: {**record, "segmentation": [[1, 2, 3, 4, 5, 6]]},
        lambda record: {**record, "segmentation": None},
        lambda record: {**record, "bbox": [1, 2, 3, 4]},
        lambda record: {key: record[key] for key in record if key != "segmentation"},
    ],
)
def test_no_form_of_other_records(change: Callable[[Any], Any]) -> None:
    record = json.loads(_RECORD)
    assert _form(json.dumps([record, record])) is not None
    assert _form(json.dumps([record, record, change(record)])) is None
    assert _form(json.dumps([change(record), record])) is None


@pytest.mark.parametrize(
    "runs",
    ['{"counts":"1","counts":"12345","size":[3,4]}', '{"size":[3,4],"counts":"1\\u0032"}', '{"size":[3,4],"c":1}'],
)
def test_no_form_where_the_first_one_is_odd(runs: str) -> None:
    odd = _RECORD.replace('{"size":[3,4],"counts":"12345"}', runs)
    assert _form(f"[{odd},{_RECORD}]") is None
