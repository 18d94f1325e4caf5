"""Annotations that are written alike: what is read of them is what the scan of every rule reads, or nothing."""

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
from predarrow_engine.coco_plain_shapes import PlainShapes
from predarrow_engine.coco_shapes_form import ShapesForm, shapes_form_of
from predarrow_engine.json_members import objects
from tests.guarded import guarded

_KEYS = ("segmentation", "area", "iscrowd", "image_id", "bbox", "category_id", "id", "note")
_NAMES = ('"id"', '"area"', '"iscrowd"')
_ids = st.sampled_from(["0", "7", "42", "-3", "1234567", "12345678", "581929", "9007199254740991"])
_decimals = st.one_of(
    st.decimals(0, 999, places=2).map(str),
    st.floats(0, 1000).map(repr),
    st.integers(0, 2000).map(str),
    st.sampled_from(["0", "0.0", "1e-05", "0.5E3", "12345.67", "12345678.5", "0.12345678901234567", "-0.5"]),
)
_halves = st.lists(st.tuples(_decimals, _decimals), min_size=3, max_size=20)
_rings = st.one_of(_halves, _halves.map(lambda ring: [*ring, ring[0]]))
_notes = st.sampled_from(
    ["null", "true", '"}, {"', '{"a": [1, {"b": "]"}], "c": "\\""}', "[]", "1e5", '"' + "x" * 90 + '"']
)
_annotations = st.fixed_dictionaries(
    {
        "segmentation": st.lists(_rings, min_size=1, max_size=3),
        "area": _decimals,
        "iscrowd": st.sampled_from(["0", "1", "false"]),
        "image_id": _ids,
        "bbox": st.lists(_decimals.map(lambda text: text.lstrip("-")), min_size=4, max_size=4),
        "category_id": _ids,
        "id": st.one_of(_ids, st.just('"a"')),
        "note": _notes,
    }
)
_SPICE = ["01", "1.", ".5", "-", "NaN", "1e999", "null", '"1"', *'0129-+.eE"\\[]{},: \nn', "]]", "},{", '"id":3,', "ü"]


def _text(record: dict[str, Any], keys: Sequence[str], comma: str, colon: str) -> str:
    rings = (f"[{comma.join(number for point in ring for number in point)}]" for ring in record["segmentation"])
    values = {**record, "segmentation": f"[{comma.join(rings)}]", "bbox": f"[{comma.join(record['bbox'])}]"}
    return "{" + comma.join(f'"{key}"{colon}{values[key]}' for key in keys) + "}"


def _bytes(text: str) -> npt.NDArray[np.uint8]:
    return guarded(np.frombuffer(text.encode(), np.uint8))


def _empty(n: int) -> npt.NDArray[np.float64]:
    return guarded(np.full(8 * n, 0xEE, np.uint8)).view(np.float64)


def _read(head: str, following: str, *, lines: bool, last: bool) -> tuple[PlainShapes | None, c.CocoBlock]:
    """Read what follows two annotations both ways."""
    scanner = CocoScanner(lines=lines)
    data = _bytes(head)
    block = scanner.scan(data, last=False)
    gap, form = scanner.gap, shapes_form_of(data, block.records, lines=lines)
    assert gap is not None
    assert form is not None
    assert block.consumed == len(head)
    found = scanner.at(gap).scan_plain(_bytes(following), form, _empty, last=last)
    assert found is None or isinstance(found, PlainShapes)
    return found, scanner.at(gap).scan(_bytes(following), last=last)


def _assert_same(found: PlainShapes, block: c.CocoBlock, following: str) -> None:
    records, shapes = block.records, block.records.segmentation
    assert (block.code, block.consumed) == (c.OK, len(following.encode()))
    np.testing.assert_array_equal(found.image_id, records.image_id.value)
    np.testing.assert_array_equal(found.category_id, records.category_id.value)
    assert not records.kind.any()
    assert not records.keypoints.kind.any()
    assert (records.image_id.kind == c.INT).all()
    assert (records.category_id.kind == c.INT).all()
    assert (shapes.kind == c.POLYGONS).all()
    assert (shapes.ring_lengths % 2 == 0).all()
    assert (shapes.ring_lengths >= 6).all()
    assert not shapes.has_far.any()
    for ours, theirs in zip(found[4:8], (shapes.rings, shapes.ring_offsets, shapes.x, shapes.y), strict=True):
        assert ours.tobytes() == theirs.tobytes()
    assert (records.bbox.n_values == 4).all()
    low, size = records.bbox.values[:, :2], records.bbox.values[:, 2:4]
    assert found.corners is not None
    assert found.corners.T.tobytes() == np.concatenate([low, low + size], 1).tobytes()
    assert np.isfinite(found.corners).all()
    assert (size >= 0).all()
    _assert_same_texts(found, records, following)


def _assert_same_texts(found: PlainShapes, records: c.CocoRecords, following: str) -> None:
    names = np.frombuffer("".join(_NAMES).encode(), np.uint8)
    fields = np.stack([records.id.span, records.area.span, records.iscrowd.span], 1)
    offsets, texts = objects(
        np.frombuffer(following.encode(), np.uint8),
        names,
        np.cumsum([0, *map(len, _NAMES)]),
        fields,
        records.others.offsets,
        records.others.spans,
        np.arange(records.kind.size),
    )
    assert found.text.tobytes() == texts.tobytes()
    np.testing.assert_array_equal(found.text_offsets, offsets)


def _document(texts: list[str], lines: bool, between: str, last: bool) -> tuple[str, str]:
    if lines:
        return "\n".join(texts[:2]) + "\n", "".join(f"{text}\n" for text in texts[2:])
    return f"[{between.join(texts[:2])}", "".join(between + text for text in texts[2:]) + (" ]\n" if last else "")


@settings(max_examples=150)
@given(
    records=st.lists(_annotations, min_size=3, max_size=8),
    keys=st.permutations(_KEYS).map(lambda keys: [key for key in keys if key != "note"] + ["note"]),
    n_left_out=st.integers(0, 1),
    comma=st.sampled_from([",", ", ", ",\n    "]),
    colon=st.sampled_from([":", ": "]),
    between=st.sampled_from([",", ", ", "\n , \n"]),
    lines=st.booleans(),
    last=st.booleans(),
)
def test_annotations_are_read_as_by_every_rule(
    records: list[dict[str, Any]],
    keys: Sequence[str],
    n_left_out: int,
    comma: str,
    colon: str,
    between: str,
    lines: bool,
    last: bool,
) -> None:
    comma = comma.replace("\n", "") if lines else comma
    texts = [_text(record, keys[: len(keys) - n_left_out], comma, colon) for record in [*records[:1], *records]]
    head, following = _document(texts, lines, between, last)
    found, block = _read(head, following, lines=lines, last=last)
    assert found is not None
    assert block.records.kind.size == len(records) - 1
    _assert_same(found, block, following)


@settings(max_examples=300)
@given(
    records=st.lists(_annotations, min_size=3, max_size=4),
    at=st.floats(0, 1),
    spice=st.sampled_from(_SPICE),
    n_removed=st.integers(0, 3),
    lines=st.booleans(),
    last=st.booleans(),
)
def test_changed_bytes_are_read_as_by_every_rule_or_not_at_all(
    records: list[dict[str, Any]], at: float, spice: str, n_removed: int, lines: bool, last: bool
) -> None:
    head, following = _document([_text(record, _KEYS, ",", ":") for record in records], lines, ",", last)
    place = int(at * len(following))
    following = following[:place] + spice + following[place + n_removed :]
    found, block = _read(head, following, lines=lines, last=last)
    if found is not None:
        _assert_same(found, block, following)


_RECORD = '{"id":1,"image_id":1,"category_id":2,"segmentation":[[1,2,3,4,5,6.5]],"bbox":[1,2,3,4],"score":0.5}'


@pytest.mark.parametrize(
    "following",
    [
        "",
        f",{_RECORD}",
        *(f",{_RECORD[:n]}" for n in range(1, len(_RECORD))),
        f",{_RECORD.replace('[[1', '[[1,1')}",
        f",{_RECORD.replace('3,4,', '3,4],[').replace('[[1', '[[9,9,1')}",
        f",{_RECORD.replace('6.5', '6.5,1e39,0')}",
        f",{_RECORD.replace('6.5]]', '6.5],[]]')}",
        f",{_RECORD.replace('[1,2,3,4]', '[1,2,3,-4]')}",
        f",{_RECORD.replace('0.5', '1e999')}",
        f",{_RECORD.replace(':1,', f':{2**53},')}",
    ],
)
def test_what_is_no_plain_annotation(following: str) -> None:
    found, block = _read(f"[{_RECORD},{_RECORD}", following, lines=False, last=False)
    if following == f",{_RECORD}":
        assert found is not None
        assert found.score is not None
        assert found.score.tolist() == [0.5] * block.records.kind.size
    else:
        assert found is None


def test_room_grows() -> None:
    rings = [f"[{','.join(['7.5'] * 2 * n)}]" for n in (3000, 3, 40_000)] + ["[1,2,3,4,5,6.5]"] * 5000
    long = [_RECORD.replace("[1,2,3,4,5,6.5]", ring) for ring in rings]
    following = ",".join(["", *long, _RECORD.replace('"id":1', f'"id":"{"x" * 20_000}"')])
    found, block = _read(f"[{_RECORD},{_RECORD}", following, lines=False, last=False)
    assert found is not None
    _assert_same(found, block, following)


def _form(text: str) -> ShapesForm | None:
    data = _bytes(text)
    block = CocoScanner().scan(data, last=True)
    assert block.code == c.OK
    return shapes_form_of(data, block.records, lines=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda record: {**record, "segmentation": []},
        lambda record: {**record, "segmentation": record["segmentation"][0]},
        lambda record: {**record, "segmentation": {"size": [1, 1], "counts": [1]}},
        lambda record: {**record, "image_id": "a"},
        lambda record: {**record, "bbox": [1, 2, 3]},
        lambda record: {**record, "keypoints": [1, 2, 2]},
        lambda record: {**record, "note": 1},
        lambda record: {key: record[key] for key in record if key != "score"},
        lambda record: {key: record[key] for key in record if key != "id"},
        lambda record: [record],
        lambda record: 7,
    ],
)
def test_no_form_of_other_records(change: Callable[[Any], Any]) -> None:
    record = json.loads(_RECORD)
    assert _form(json.dumps([record, record])) is not None
    assert _form(json.dumps([record, record, change(record)])) is None


def test_no_form_of_one_record_or_long_texts() -> None:
    assert _form(f"[{_RECORD}]") is None
    assert _form(f"[{_RECORD}{' ' * 40},{_RECORD}]") is not None
    assert _form(f"[{_RECORD}{' ' * 60},{_RECORD}]") is None
    long = _RECORD.replace('"id"', f'"{"n" * 70}"')
    assert _form(f"[{long},{long}]") is None
