from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predarrow_engine.json_plain import PADDING
from predarrow_engine.label_keys import BOX
from predarrow_engine.label_rows import CONFIDENCE, H, Labels, W, X, Y, scan

Json = dict[str, Any]
SPANS = ("objectHash", "featureHash", "name", "createdAt", "createdBy", "lastEditedAt", "lastEditedBy")


def scanned(*texts: str, by_frame: bool = True) -> tuple[bytes, Labels | None]:
    pieces = [text.encode() for text in texts]
    data = b"".join(pieces)
    offsets = np.cumsum([0, *map(len, pieces)])
    padded = np.frombuffer(data + bytes(PADDING), np.uint8)
    return data, scan(padded, offsets, np.full(len(texts), by_frame))


def objects_of(data: bytes, labels: Labels) -> list[Json]:
    """Give what was found, as `json` would give it."""
    found = []
    for spans, numbers, manual in zip(
        labels.spans.tolist(), labels.numbers.tolist(), labels.manual.tolist(), strict=True
    ):
        texts = [None if start < 0 else data[start:end].decode() for start, end in spans]
        box = json.loads(texts[BOX] or "null")
        assert [box[key] for key in "xywh"] == [numbers[column] for column in (X, Y, W, H)]
        confidence = None if np.isnan(numbers[CONFIDENCE]) else numbers[CONFIDENCE]
        item = dict(zip(SPANS, texts[:BOX], strict=True))
        found.append(item | {"box": box, "confidence": confidence, "manual": None if manual < 0 else bool(manual)})
    return found


def label(**members: Any) -> Json:
    item = {"objectHash": "a", "featureHash": "f", "shape": "bounding_box"}
    return item | {"boundingBox": {"x": 0.5, "y": 0, "w": 1e-3, "h": 1}} | members


plain = st.text(st.characters(blacklist_characters='"\\', blacklist_categories=["Cs", "Cc"]), max_size=70)
number = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**6), 10**6)
labels = st.fixed_dictionaries(
    {
        "objectHash": plain,
        "featureHash": plain,
        "shape": st.just("bounding_box"),
        "boundingBox": st.permutations("xywh").flatmap(lambda keys: st.fixed_dictionaries(dict.fromkeys(keys, number))),
    },
    optional={
        **{key: plain | st.none() for key in (*SPANS[2:], "color", "value")},
        "confidence": number | st.none(),
        "manualAnnotation": st.booleans() | st.none(),
        "isDeleted": st.none(),
        "reviews": st.just([]) | st.none(),
    },
).flatmap(lambda item: st.permutations(list(item.items())).map(dict))
frames = st.dictionaries(plain, st.lists(labels, max_size=3), max_size=3)


@given(st.lists(frames, min_size=1, max_size=2), st.sampled_from([None, 0, 3]))
def test_labels_are_those_of_json(given_frames: list[dict[str, list[Json]]], indent: int | None) -> None:
    documents = [{key: {"objects": each, "classifications": []} for key, each in one.items()} for one in given_frames]
    data, found = scanned(*(json.dumps(one, indent=indent, ensure_ascii=False) for one in documents))
    assert found is not None
    wanted = [
        {key: item.get(key) for key in SPANS}
        | {"box": item["boundingBox"], "confidence": item.get("confidence"), "manual": item.get("manualAnnotation")}
        for one in given_frames
        for each in one.values()
        for item in each
    ]
    assert objects_of(data, found) == wanted
    keys = [data[start:end].decode() for start, end in found.keys.tolist()]
    assert keys == [key for one in given_frames for key in one]
    assert np.diff(found.counts, prepend=0).tolist() == [len(each) for one in given_frames for each in one.values()]
    assert found.texts.tolist() == [place for place, one in enumerate(given_frames) for _ in one]


def test_images_have_no_frame() -> None:
    data, found = scanned(json.dumps({"classifications": [], "objects": [label()]}), "{}", by_frame=False)
    assert found is not None
    assert found.keys.tolist() == [[-1, -1], [-1, -1]]
    assert (len(objects_of(data, found)), found.counts.tolist()) == (1, [1, 1])


def test_numbers_that_python_must_settle_are_left_open() -> None:
    digits = "0.50000000000000011102230246251565404236316680908203125"
    text = json.dumps({"1": {"objects": [label()]}}).replace("0.5", digits)
    _, found = scanned(text)
    assert found is not None
    x = found.numbers[0, X]
    assert np.isnan(x) or x == float(digits)


ODD = [
    label(objectHash=None),
    label(objectHash=3),
    label(objectHash='a"b'),
    label(objectHash="a\n"),
    label(shape="polygon"),
    label(shape=None),
    label(later=1),
    label(confidence="1"),
    label(confidence=float("nan")),
    label(manualAnnotation=1),
    label(isDeleted=False),
    label(reviews=[1]),
    label(boundingBox=None),
    label(boundingBox=[]),
    label(boundingBox={"x": 0, "y": 0, "w": 1}),
    label(boundingBox={"x": 0, "y": 0, "w": 1, "h": 1, "z": 1}),
    label(boundingBox={"x": 0, "y": 0, "w": 1, "h": "1"}),
    label(boundingBox={"x": 0, "y": 0, "w": 1, "h": float("inf")}),
    label(name=["a"]),
    {key: value for key, value in label().items() if key != "featureHash"},
    3,
    [],
]


@pytest.mark.parametrize("item", ODD)
def test_other_forms_are_left_to_others(item: Any) -> None:
    text = json.dumps({"1": {"objects": [label(), item], "classifications": []}})
    assert scanned(text)[1] is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "null",
        "[]",
        '{"1": 3}',
        '{"1": {"objects": 3}}',
        '{"1": {"objects": [], "objects": []}}',
        '{"1": {"objects": [], "classifications": [{}]}}',
        '{"1": {"objects": [], "metadata": {}}}',
        '{"1": {"objects": [],}}',
        '{"1": {"objects": []},}',
        '{"1": {"objects": []} "2": {}}',
        '{"1": {"objects": []}} x',
        '{"1"',
        '{"\\u0031": {"objects": []}}',
    ],
)
def test_what_is_no_plain_label_text_is_left_to_others(text: str) -> None:
    assert scanned(text)[1] is None


def test_texts_that_break_off_anywhere_are_left_to_others() -> None:
    text = json.dumps({"12": {"objects": [label(name="Kirsche", confidence=0.5)], "classifications": []}})
    assert scanned(text)[1] is not None
    assert all(scanned(text[:end])[1] is None for end in range(len(text)))


def test_a_member_twice_is_left_to_others() -> None:
    text = json.dumps({"1": {"objects": [label()]}})
    for key in ('"objectHash": "a"', '"x": 0.5'):
        assert scanned(text.replace(key, f"{key}, {key}"))[1] is None


def test_the_shortest_frames_and_objects_have_room() -> None:
    text = json.dumps({str(i): {} for i in range(10)} | {"": {}}, separators=(",", ":")).replace(" ", "")
    assert scanned(text, text, text)[1] is not None
    least = '{"objectHash":"","featureHash":"","shape":"bounding_box","boundingBox":{"x":0,"y":0,"w":1,"h":1}}'
    _, found = scanned('{"":{"objects":[' + ",".join([least] * 50) + "]}}")
    assert found is not None
    assert found.counts.tolist() == [50]
    assert len(least) >= 90
