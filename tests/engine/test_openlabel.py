"""The scanners of OpenLABEL's frames and objects against `json`, and the texts that are put together of them."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from predarrow_engine import openlabel_frames, openlabel_objects
from predarrow_engine.json_plain import PADDING
from predarrow_engine.openlabel_geometry import NAME, STREAM, UID, VAL, WHOLE
from predarrow_engine.openlabel_objects import ALL_FOUND, TWICE, UNKNOWN, find
from predarrow_engine.openlabel_texts import BEGIN, FRAME, GEOMETRY, Rows, texts

Json = dict[str, Any]
Bytes = npt.NDArray[np.uint8]
MEMBERS = (
    *("name", "type", "object_data", "object_data_pointers", "frame_intervals"),
    *("ontology_uid", "coordinate_system", "resource_uid"),
)

BOX = '{"name": "a", "val": [1, 2.5, -3e1, 4]}'
USUAL = '{"num": [{"name": "confidence", "val": 0.5}], "text": [{"val": "b", "name": "stream"}]}'


def padded(text: str) -> Bytes:
    return np.frombuffer(text.encode() + bytes(PADDING), np.uint8)


def scan(*frames: str) -> openlabel_frames.Frames | None:
    offsets = np.cumsum([0, *(len(frame.encode()) for frame in frames)])
    return openlabel_frames.scan(padded("".join(frames)), offsets)


def one(geometry: str, kind: str = "bbox") -> str:
    return f'{{"objects": {{"u": {{"object_data": {{"{kind}": [{geometry}]}}}}}}}}'


def texts_at(data: Bytes, spans: npt.NDArray[np.int64]) -> list[str | None]:
    return [data[start:end].tobytes().decode() if start >= 0 else None for start, end in spans.tolist()]


def shuffled(members: Json, numbers: random.Random) -> Json:
    keys = list(members)
    numbers.shuffle(keys)
    return {key: members[key] for key in keys}


def frames_of(kind: str, numbers: random.Random) -> list[Json]:
    """Frames of what the scanner takes."""
    frames = []
    for _ in range(numbers.randrange(1, 5)):
        objects = {}
        for uid in numbers.sample(["a", "bé", "c" * 70, ""], numbers.randrange(5)):
            items = []
            for _ in range(numbers.randrange(1, 3)):
                val = [numbers.choice([1, -7, 0.5, 1e-9, numbers.random(), 12345.678901]) for _ in range(4)]
                attributes: Json = {}
                if numbers.random() < 0.7:
                    entry = {"name": "confidence", "val": numbers.choice([0, 0.25, numbers.random()])}
                    attributes["num"] = [shuffled(entry, numbers)]
                if numbers.random() < 0.7:
                    attributes["text"] = [shuffled({"name": "stream", "val": numbers.choice(["", "é", "x"])}, numbers)]
                item: Json = {
                    "name": numbers.choice(["", "n", "é" * 40]),
                    "val": val if kind == "bbox" else val * 2 + val[:2],
                }
                if numbers.random() < 0.8:
                    item["attributes"] = shuffled(attributes, numbers)
                items.append(shuffled(item, numbers))
            objects[uid] = {"object_data": {kind: items}}
        more = {"x": [1, {"y": "}"}]} if numbers.random() < 0.5 else {}
        frames.append(shuffled({"objects": objects, **more}, numbers))
    return frames


def given(attributes: Json, type_: str, default: Any) -> Any:
    return attributes[type_][0]["val"] if type_ in attributes else default


@pytest.mark.parametrize("kind", ["bbox", "cuboid"])
def test_what_frames_have(kind: str) -> None:
    numbers = random.Random(kind)
    n_met = 0
    for _ in range(150):
        frames = frames_of(kind, numbers)
        blanks = numbers.choice([(",", ":"), (", ", ": "), (" ,\n", "\t:  ")])
        written = [json.dumps(frame, ensure_ascii=False, separators=blanks) for frame in frames]
        listed = [
            [(uid, item) for uid, each in frame["objects"].items() for item in each["object_data"][kind]]
            for frame in frames
        ]
        rows = [row for each in listed for row in each]
        found = scan(*written)
        if not rows:
            assert found is None
            continue
        assert found is not None
        data = padded("".join(written))
        assert found.is_cuboid == (kind == "cuboid")
        assert found.counts.tolist() == np.cumsum([len(each) for each in listed]).tolist()
        assert found.has_more.tolist() == ["x" in frame for frame in frames]
        assert texts_at(data, found.spans[:, UID]) == [uid for uid, _ in rows]
        assert [json.loads(text or "") for text in texts_at(data, found.spans[:, NAME])] == [r["name"] for _, r in rows]
        assert [json.loads(text or "") for text in texts_at(data, found.spans[:, VAL])] == [r["val"] for _, r in rows]
        assert [json.loads(text or "") for text in texts_at(data, found.spans[:, WHOLE])] == [item for _, item in rows]
        attributes = [item.get("attributes", {}) for _, item in rows]
        assert texts_at(data, found.spans[:, STREAM]) == [given(each, "text", None) for each in attributes]
        assert found.confidences.tolist() == [given(each, "num", 1.0) for each in attributes]
        assert found.values.tolist() == [item["val"] for _, item in rows]
        assert not found.unread.any()
        objects = [each for frame in frames for each in frame["objects"].values()]
        assert found.entries.tolist() == [
            number for number, each in enumerate(objects) for _ in each["object_data"][kind]
        ]
        n_met += len(rows)
    assert n_met > 500


@pytest.mark.parametrize(
    "geometry",
    [
        '{"name": "a\\n", "val": [1, 2, 3, 4]}',
        '{"name": 1, "val": [1, 2, 3, 4]}',
        '{"name": "a", "val": [1, 2, 3, 4], "uid": "b"}',
        '{"name": "a", "val": [1, 2, 3, -0]}',
        '{"name": "a", "val": [1, 2, 3, 1234567890123456]}',
        '{"name": "a", "val": [1, 2, 3, 1e400]}',
        '{"name": "a", "val": [1, 2, 3, 4], "attributes": null}',
        '{"name": "a", "val": [1, 2, 3, 4], "attributes": {"vec": []}}',
        '{"name": "a", "val": [1, 2, 3, 4], "attributes": {"num": []}}',
        *(
            f'{{"name": "a", "val": [1, 2, 3, 4], "attributes": {USUAL.replace(old, new)}}}'
            for old, new in (
                ("0.5", "1.0"),
                ("0.5", "-0.5"),
                ("0.5", "null"),
                ('"b"', '"\\n"'),
                ('"b"', "1"),
                ("confidence", "score"),
                ("stream", "streams"),
                ('"val": 0.5', '"val": 0.5, "x": 1'),
                ('"val": 0.5', '"val": 0.5, "val": 0.6'),
                ('"name": "confidence", ', ""),
                ("}]}", "}, {}]}"),
                ('"text"', '"num"'),
            )
        ),
    ],
)
def test_geometries_that_are_left_to_the_caller(geometry: str) -> None:
    found = scan(one(BOX), one(geometry))
    assert found is not None
    assert found.unread.tolist() == [False, True]
    assert texts_at(padded(one(BOX) + one(geometry)), found.spans[1:, WHOLE]) == [geometry]


@pytest.mark.parametrize(
    "frame",
    [
        "[]",
        "{}",
        '{"objects": {}}',
        '{"objects": []}',
        '{"objects": {"u": {}}}',
        '{"objects": {"u": {"object_data": {}}}}',
        '{"objects": {"u": {"object_data": {"bbox": []}}}}',
        one(BOX, "rbbox"),
        one(BOX, "bbo"),
        one(BOX, "cuboid"),
        one(BOX + ","),
        one(BOX) + " x",
        one(BOX).replace('"u"', '"\\u0075"'),
        one(BOX).replace('"bbox"', '"num": [], "bbox"'),
        one(BOX).replace("]}", '], "num": []}'),
        one(BOX).replace('"object_data"', '"x": 1, "object_data"'),
        one(BOX)[:-1] + ', "objects": {}}',
        one(BOX.replace("4]", "4, 5]")),
        one(BOX.replace(", 4]", "]")),
        one(BOX.replace("4]", "4,]")),
        one(BOX.replace("4]", '"4"]')),
        one(BOX.replace("4]", "04]")),
        one(BOX.replace("[1", "{1")),
        one(BOX.replace('"name": "a", ', "")),
        one(BOX.replace('"name": "a"', '"name": "a", "name": "b"')),
        one(BOX.replace('"name": "a"', '"\\u006eame": "a"')),
        one(BOX.replace('"val"', '"va"')),
    ],
)
def test_frames_of_another_form(frame: str) -> None:
    assert scan(frame) is None


def test_geometries_of_two_types() -> None:
    cuboid = one(BOX.replace("[1", "[1, 2, 3, 4, 5, 6, 7"), "cuboid")
    assert scan(cuboid) is not None
    assert scan(one(BOX), cuboid) is None


def test_every_beginning_of_a_frame() -> None:
    usual = BOX.replace('"val"', f'"attributes": {USUAL}, "val"')
    text = one(usual)[:-1] + ', "x": [1, {"y": "z"}]}'
    assert scan(text) is not None
    for n in range(len(text)):
        assert openlabel_frames.scan(padded(text), np.array([0, n])) is None


THINGS: Json = {
    "a": {"type": "Car", "name": "né", "object_data": {"text": [{"name": "x", "val": "y"}], "num": []}},
    "bé" * 40: {"name": 1, "type": "", "frame_intervals": [{"frame_start": 0}], "resource_uid": {}},
    "": {"type": "Car", "coordinate_system": "s", "ontology_uid": "0", "object_data_pointers": {"a": {}}},
}


def scan_objects(text: str) -> openlabel_objects.Objects | None:
    return openlabel_objects.scan(padded(text), len(text.encode()))


@pytest.mark.parametrize("blanks", [(",", ":"), (" ,\n", "\t:  ")])
def test_what_objects_have(blanks: tuple[str, str]) -> None:
    found = scan_objects(json.dumps(THINGS, ensure_ascii=False, separators=blanks))
    assert found is not None
    assert texts_at(found.data, found.spans[:, openlabel_objects.UID]) == list(THINGS)
    for column, name in enumerate(MEMBERS):
        values = texts_at(found.data, found.spans[:, column])
        if name == "type":
            assert values == [each["type"] for each in THINGS.values()]
        else:
            read = [None if value is None else json.loads(value) for value in values]
            assert read == [each.get(name) for each in THINGS.values()]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"a": 1}',
        '{"a": {}}',
        '{"a": {"type": 1}}',
        '{"a": {"type": "\\n"}}',
        '{"\\n": {"type": "b"}}',
        '{"a": {"type": "b", "type": "c"}}',
        '{"a": {"type": "b", "x": 1}}',
        '{"a": {"type": "b"}, "a": {"type": "b"}}',
        '{"a": {"type": "b"},}',
        '{"a": {"type": "b"}} 1',
        *(f'{{"a": {{"type": "b", "object_data": {data}}}}}' for data in ("null", "[]", '{"a": 1}', '{"image": []}')),
    ],
)
def test_objects_of_another_form(text: str) -> None:
    assert scan_objects(text) is None


def test_no_objects() -> None:
    found = scan_objects(" { } ")
    assert found is not None
    assert len(found.spans) == 0
    result = find(found, np.zeros(0, np.bool_), padded("a"), np.array([[0, 1]]), np.array([0]), np.array([0]))
    assert result.status == UNKNOWN


def test_objects_are_found() -> None:
    numbers = random.Random(3)
    uids = [f"{numbers.randrange(10**6)}{'x' * numbers.randrange(20)}" for _ in range(3000)]
    uids = list(dict.fromkeys(uids))
    objects = scan_objects(json.dumps({uid: {"type": "a"} for uid in uids}))
    assert objects is not None
    wanted = [numbers.randrange(len(uids)) for _ in range(5000)]
    ends = np.cumsum([0, *(len(uids[place]) for place in wanted)])
    spans, each = np.stack([ends[:-1], ends[1:]], 1), np.arange(len(wanted))
    seen = np.zeros(len(uids), np.bool_)
    seen[::2] = True
    first = {place: row for row, place in reversed(list(enumerate(wanted)))}
    result = find(objects, seen, padded("".join(uids[place] for place in wanted)), spans, each, each)
    assert result.status == ALL_FOUND
    assert result.objects.tolist() == wanted
    assert result.is_first.tolist() == [place % 2 == 1 and first[place] == row for row, place in enumerate(wanted)]
    assert np.flatnonzero(seen).tolist() == sorted({*range(0, len(uids), 2), *wanted})


@pytest.mark.parametrize(
    ("entries", "frames", "status"),
    [([0, 0], [0, 0], ALL_FOUND), ([0, 1], [0, 1], ALL_FOUND), ([0, 1], [0, 0], TWICE)],
)
def test_a_uid_that_stands_twice_on_a_frame(entries: list[int], frames: list[int], status: int) -> None:
    objects = scan_objects('{"u": {"type": "a"}}')
    assert objects is not None
    spans = np.array([[0, 1], [1, 2]])
    seen = np.zeros(1, np.bool_)
    assert find(objects, seen, padded("uu"), spans, np.array(entries), np.array(frames)).status == status
    assert find(objects, seen, padded("uv"), spans, np.array(entries), np.array(frames)).status == UNKNOWN


@pytest.mark.parametrize("convention", ["", ',"convention":"k"'])
def test_texts_are_put_together(convention: str) -> None:
    numbers = random.Random(5)
    objects = scan_objects(json.dumps(THINGS, ensure_ascii=False))
    assert objects is not None
    text = convention
    expected = []
    data = '"né"[1, 2]' + '"long"' * 20
    extra = np.zeros((200, 3, 2), np.int64)
    vals, chosen = np.zeros((200, 2), np.int64), np.full(200, -1)
    size = len('"né"'.encode())
    for row in range(200):
        members: Json = {}
        for column, piece in ((BEGIN, f'"begin",{row}:0'), (GEOMETRY, f'"geometry":{row}'), (FRAME, '"frame":{}')):
            if numbers.random() < 0.5:
                extra[row, column] = len(text), len(text) + len(piece)
                text += piece
                members[str(column)] = piece
        begin = members.get(str(BEGIN), '"né"')
        inner = [members[str(GEOMETRY)]] if str(GEOMETRY) in members else []
        if numbers.random() < 0.5:
            vals[row] = size, size + 6
            inner.append('"val":[1, 2]')
        inner += [members[str(FRAME)]] if str(FRAME) in members else []
        if numbers.random() < 0.5:
            chosen[row] = numbers.randrange(3)
        thing = ""
        if chosen[row] >= 0:
            each = list(THINGS.values())[chosen[row]]
            kept = [f'"{name}":{json.dumps(each[name], ensure_ascii=False)}' for name in MEMBERS if name in each]
            thing = ',"object":{' + ",".join(member for member in kept if not member.startswith('"type"')) + "}"
        openlabel = f',"openlabel":{{{",".join(inner)}}}' if inner else ""
        expected.append(f'{{"name":{begin}{thing}{convention}{openlabel}}}')
    rows = Rows(
        data=padded(data),
        names=np.tile([0, size], (200, 1)),
        vals=vals,
        objects=chosen,
        text=padded(text),
        extra=extra,
        convention=np.array([0, len(convention)]),
    )
    offsets, out = texts(rows, objects)
    assert offsets.dtype == np.int32
    assert [out[a:b].tobytes().decode() for a, b in pairwise(offsets)] == expected
