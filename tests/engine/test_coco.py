"""COCO's JSON: every odd form with its stated result, and the scanner against its slow twin, to the last bit."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine import coco_columns as c
from predarrow_engine.coco import CocoScanner
from tests import naive_coco
from tests.corpus import corpus_root
from tests.guarded import guarded

ALL = (c.ANNOTATIONS, c.IMAGES, c.CATEGORIES, c.VIDEOS)


def bytes_of(text: str | bytes) -> npt.NDArray[np.uint8]:
    """Give a text directly before memory that may not be read."""
    return guarded(np.frombuffer(text if isinstance(text, bytes) else text.encode(), np.uint8))


def scan(text: str | bytes, *, lines: bool = False, wanted: Collection[int] = ALL) -> c.CocoBlock:
    return CocoScanner(lines=lines, wanted=wanted).scan(bytes_of(text), last=True)


def assert_same(found: Any, expected: Any, path: str = "") -> None:
    if isinstance(expected, tuple):
        for name in expected._fields:  # type: ignore[attr-defined]  # all tuples here are named
            assert_same(getattr(found, name), getattr(expected, name), f"{path}.{name}")
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype, path
        np.testing.assert_array_equal(found, expected, err_msg=path)
    else:
        assert found == expected, path


def assert_like_twin(text: bytes, *, lines: bool = False, wanted: Collection[int] = ALL) -> c.CocoBlock:
    """Compare with the twin; of text that is not well-formed, that both say so."""
    expected = naive_coco.scan(text, lines=lines, wanted=wanted)
    found = scan(text, lines=lines, wanted=wanted)
    if expected.code == c.OK:
        assert_same(found, expected)
    else:
        assert found.code != c.OK
        assert 0 <= found.place <= len(text)
    return found


def in_blocks(text: bytes, sizes: Sequence[int], *, lines: bool = False) -> list[str]:
    """Give the text of every record, image and other object, scanned in blocks of these sizes in turn."""
    scanner, at, end, turn = CocoScanner(lines=lines), 0, 0, 0
    records: list[str] = []
    images: list[str] = []
    objects: list[str] = []
    while True:
        end = min(end + sizes[turn % len(sizes)], len(text))
        block = scanner.scan(bytes_of(text[at:end]), last=end == len(text))
        assert block.code == c.OK
        records += [describe(block, text[at:end], i) for i in range(block.records.kind.size)]
        images += [repr(text[at + a : at + b]) for a, b in block.images.span.tolist()]
        objects += [repr(text[at + a : at + b]) for _, a, b in block.objects.tolist()]
        at, turn = at + block.consumed, turn + 1
        if end == len(text):
            assert at == end
            return [*records, *images, *objects]


def describe(block: c.CocoBlock, text: bytes, i: int) -> str:
    """Give all that is known of a record without the places where it stands."""
    r, s = block.records, block.records.segmentation
    first, last = r.others.offsets[i : i + 2]
    rings = s.ring_offsets[s.rings[i] : s.rings[i + 1] + 1]
    values = [group.value[i] for group in (r.image_id, r.category_id, r.id, r.score, r.area, r.iscrowd)]
    flat = (
        s.x[rings[0] : rings[-1]] if rings.size else rings,
        s.y[rings[0] : rings[-1]] if rings.size else rings,
        np.diff(rings),
        s.ring_lengths[s.rings[i] : s.rings[i + 1]],
        s.text[s.text_offsets[i] : s.text_offsets[i + 1]],
        s.counts[s.count_offsets[i] : s.count_offsets[i + 1]],
        r.keypoints.values[r.keypoints.offsets[i] : r.keypoints.offsets[i + 1]],
        r.bbox.values[i],
        r.position[i],
    )
    others = [(text[a:b], text[p:q]) for a, b, p, q in r.others.spans[first:last].tolist()]
    whole = text[r.span[i, 0] : r.span[i, 1]]
    return repr((whole, [float(x) for x in values], [array.tolist() for array in flat], others, int(s.kind[i])))


VALUES = {
    "ints": ("image_id", "42", c.INT, 42),
    "largest": ("image_id", "9223372036854775807", c.INT, 2**63 - 1),
    "smallest": ("image_id", "-9223372036854775808", c.INT, -(2**63)),
    "too large": ("image_id", "9223372036854775808", c.NUMBER, 0),
    "beyond a double's integers": ("image_id", "9007199254740993", c.INT, 2**53 + 1),
    "whole": ("image_id", "42.0", c.WHOLE, 42),
    "whole with exponent": ("image_id", "1e3", c.WHOLE, 1000),
    "whole, many digits": ("image_id", "42.00000000000000000000000000001", c.WHOLE, 42),
    "fraction": ("category_id", "1.5", c.NUMBER, 0),
    "string": ("image_id", '"000042"', c.STRING, 0),
    "null": ("id", "null", c.NULL, 0),
    "true": ("id", "true", c.BOOL, 0),
    "list": ("id", "[1]", c.LIST, 0),
    "object": ("id", '{"a":1}', c.OBJECT, 0),
    "NaN": ("id", "NaN", c.NOT_FINITE, 0),
    "score": ("score", "0.5", c.NUMBER, 0.5),
    "score, many digits": ("score", "0.50000000000000000000000000000000001", c.NUMBER, 0.5),
    "score, a tie": ("score", "9007199254740993.00000000000000000001", c.NUMBER, 2.0**53 + 2),
    "score as text": ("score", '"0.5"', c.STRING, 0.0),
    "infinite score": ("score", "-Infinity", c.NOT_FINITE, -np.inf),
    "too large a score": ("score", "1e999", c.NUMBER, np.inf),
    "crowd": ("iscrowd", "true", c.BOOL, 1.0),
    "area": ("area", "702.1057499999998", c.NUMBER, 702.1057499999998),
}


@pytest.mark.parametrize(("key", "text", "kind", "value"), VALUES.values(), ids=list(VALUES))
def test_values(key: str, text: str, kind: int, value: float) -> None:
    block = assert_like_twin(f'[{{"{key}": {text}}}]'.encode())
    group = getattr(block.records, key)
    assert (group.kind[0], group.value[0]) == (kind, value)


BOXES = {
    "four": ("[1, 2.5, -3e1, 40]", c.LIST, 4, [1, 2.5, -30, 40, 0]),
    "three": ("[1,2,3]", c.LIST, 3, [1, 2, 3, 0, 0]),
    "seven": ("[1,2,3,4,5,6,7]", c.LIST, 7, [1, 2, 3, 4, 5]),
    "none": ("[ ]", c.LIST, 0, [0] * 5),
    "a text": ('[1,2,"3",4]', c.BAD_LIST, 2, [0] * 5),
    "null inside": ("[null]", c.BAD_LIST, 0, [0] * 5),
    "nested": ("[1,[2]]", c.BAD_LIST, 1, [0] * 5),
    "null": ("null", c.NULL, 0, [0] * 5),
    "number": ("7", c.NUMBER, 0, [0] * 5),
}


@pytest.mark.parametrize(("text", "kind", "n", "values"), BOXES.values(), ids=list(BOXES))
def test_boxes(text: str, kind: int, n: int, values: list[float]) -> None:
    bbox = assert_like_twin(f'[{{"bbox":{text}}}]'.encode()).records.bbox
    assert (bbox.kind[0], bbox.n_values[0], bbox.values[0].tolist()) == (kind, n, values)


SHAPES = {
    "polygons": ("[[1,2,3,4,5,6],[7,8.5]]", c.POLYGONS),
    "an empty ring": ("[[]]", c.POLYGONS),
    "flat": ("[1,2,3,4,5,6]", c.FLAT),
    "empty": ("[]", c.EMPTY),
    "null": ("null", c.NULL_SEGMENTATION),
    "text": ('"abc"', c.OTHER),
    "mixed": ("[[1,2],3]", c.OTHER),
    "mixed the other way": ("[3,[1,2]]", c.OTHER),
    "a text in a ring": ('[[1,2],[3,"4"]]', c.OTHER),
    "too deep": ("[[[1,2]]]", c.OTHER),
    "run lengths": (r'{"size":[3,4],"counts":"ab\\c\u0041\n\"\/\u00e9\ud83d\ude00"}', c.RLE),
    "run lengths, size last": ('{ "counts" : "62304" , "size" : [ 5 , 4 ] }', c.RLE),
    "run lengths, half a pair": (r'{"size":[3,4],"counts":"\ud83dA"}', c.RLE),
    "run lengths, escaped keys": (r'{"s\u0069ze":[3,4],"coun\u0074s":"a"}', c.RLE),
    "a list of counts": ('{"size":[3,4],"counts":[0,12]}', c.COUNTS),
    "negative counts": ('{"size":[3,4],"counts":[-9223372036854775808,12]}', c.COUNTS),
    "counts twice": ('{"size":[3,4],"counts":[1,2],"counts":"x"}', c.RLE),
    "fractions": ('{"size":[3,4],"counts":[1.5]}', c.OTHER),
    "a size of texts": ('{"size":["3",4],"counts":"a"}', c.OTHER),
    "a size of three": ('{"size":[3,4,5],"counts":"a"}', c.OTHER),
    "no size": ('{"counts":"a"}', c.OTHER),
    "no counts": ('{"size":[3,4]}', c.OTHER),
    "null counts": ('{"size":[3,4],"counts":null}', c.OTHER),
    "nothing": ("{}", c.OTHER),
}


@pytest.mark.parametrize(("text", "kind"), SHAPES.values(), ids=list(SHAPES))
def test_segmentations(text: str, kind: int) -> None:
    for record in (f'{{"segmentation":{text}}}', f'{{"segmentation":{text},"segmentation":{text},"id":1}}'):
        block = assert_like_twin(f'[{record},{{"segmentation":[[1,2]]}}]'.encode())
        assert block.records.segmentation.kind[0] == kind


pieces = st.sampled_from(["\\", "\\" * 2, "\\" * 3, '"', "/", "\n", "é", "\u2192", "o", "01N2O", "0" * 30, "P1" * 64])


@settings(max_examples=300)
@given(st.lists(pieces, max_size=60).map("".join), st.booleans(), st.integers(0, 70))
def test_escapes_anywhere_in_run_lengths(text: str, is_ascii: bool, n_behind: int) -> None:
    shape = {"size": [1, 1], "counts": text}
    data = json.dumps([{"segmentation": shape}, {"segmentation": shape}], ensure_ascii=is_ascii) + " " * n_behind
    found = scan(data).records.segmentation
    assert found.text.tobytes() == 2 * text.encode()
    assert found.text_offsets.tolist() == [0, len(text.encode()), 2 * len(text.encode())]


DOCUMENTS = {
    "empty list": b"[]",
    "empty dictionary": b" { } ",
    "byte order mark": b"\xef\xbb\xbf[{}]",
    "nested": b'[[{"id":1},{"id":2}],[],[{"id":3}],{"id":4}]',
    "lists in lists in lists": b"[[[]]]",
    "no objects": b'[null,1,"a",true,NaN,{"id":1}]',
    "escaped key": b'[{"im\\u0061ge_id":7,"im\\u0061ge":8}]',
    "keys twice": b'[{"score":0.1,"score":0.2,"bbox":[1,2,3,4,5],"bbox":[6],"keypoints":[1],'
    b'"keypoints":[2,3],"x":1,"x":2}]',
    "undecided, then replaced": b'[{"score":9007199254740993.00000000000000000001,"score":1}]',
    "others": b'[{"a":{"b":[1,{"c":null}]},"image_id":1,"track_id":"x\\"y"}]',
    "annotations": b'{"info":{"year":1},"annotations":[{"id":1}],"images":[{"id":1,"file_name":"a","width":2,"x":0}],'
    b'"categories":[{"id":1,"name":"a"}],"videos":[{}],"licenses":[[1],2]}',
    "no lists": b'{"annotations":null,"images":{"id":1}}',
    "blanks everywhere": b' \n\t\r[ \n { "id" \t:\r 1 , "bbox" : [ 1 , 2 ] } \n , { } ] \n',
    "non-ASCII text": '[{"caption":"größer 漢字 😀","image_id":"ü"}]'.encode(),
}


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=list(DOCUMENTS))
def test_documents(text: bytes) -> None:
    assert assert_like_twin(text).code == c.OK
    expected = in_blocks(text, [len(text)])
    for size in (1, 2, 7):
        assert in_blocks(text, [size]) == expected
    for wanted in ((), (c.IMAGES,), (c.ANNOTATIONS, c.VIDEOS)):
        assert_like_twin(text, wanted=wanted)


FLAWS = {
    "nothing": (b"", c.TRUNCATED, 0),
    "a number": (b"42", c.NO_LIST, 0),
    "cut in a record": (b'[{"id":1', c.TRUNCATED, 8),
    "cut in a number": (b'[{"id":1.', c.TRUNCATED, 9),
    "cut behind a comma": (b'[{"id":1},', c.TRUNCATED, 10),
    "no comma": (b'[{"id":1}{"id":2}]', c.EXPECTED_COMMA, 9),
    "no colon": (b'[{"id" 1}]', c.EXPECTED_COLON, 7),
    "comma at the end": (b"[{},]", c.EXPECTED_VALUE, 4),
    "comma at the end of an object": (b'[{"id":1,}]', c.EXPECTED_KEY, 9),
    "key without quotes": (b"[{id:1}]", c.EXPECTED_KEY, 2),
    "apostrophes": (b"[{'id':1}]", c.EXPECTED_KEY, 2),
    "Python's None": (b'[{"id":None}]', c.BAD_NUMBER, 7),
    "Python's True": (b'[{"id":True}]', c.EXPECTED_VALUE, 7),
    "zero in front": (b'[{"id":007}]', c.BAD_NUMBER, 7),
    "plus": (b'[{"id":+7}]', c.EXPECTED_VALUE, 7),
    "dot at the end": (b'[{"bbox":[1.,2]}]', c.BAD_NUMBER, 10),
    "no exponent": (b'[{"bbox":[1e,2]}]', c.BAD_NUMBER, 10),
    "control character": (b'[{"a":"x\n"}]', c.BAD_STRING, 8),
    "unknown escape": (b'[{"a":"\\x"}]', c.BAD_STRING, 7),
    "short escape": (b'[{"a":"\\u12g4"}]', c.BAD_STRING, 7),
    "control character in counts": (b'[{"segmentation":{"size":[1,1],"counts":"\x00"}}]', c.BAD_STRING, 41),
    "wrong bracket": (b'[{"a":[1}]', c.EXPECTED_COMMA, 8),
    "more behind": (b"[] []", c.EXTRA_DATA, 3),
    "JSON Lines": (b'{"id":1}\n{"id":2}', c.EXTRA_DATA, 9),
    "no UTF-8": (b'[{"a":"\xff"}]', c.BAD_UTF8, 7),
    "UTF-16": ("[]".encode("utf-16"), c.NO_LIST, 0),
}


@pytest.mark.parametrize(("text", "code", "place"), FLAWS.values(), ids=list(FLAWS))
def test_flaws(text: bytes, code: int, place: int) -> None:
    block = assert_like_twin(text)
    assert (block.code, block.place) == (code, place)


def test_what_stands_before_a_flaw_is_given() -> None:
    block = scan(b'[{"id":1},{"id":2},{"id":')
    assert block.records.id.value.tolist() == [1, 2]
    assert block.consumed == 18


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_depth_is_bounded(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    for n, code in ((512, c.OK), (513, c.TOO_DEEP), (100_000, c.TOO_DEEP)):
        value = opening * n + (b"0" if closing == b"}" else b"") + closing * n
        assert scan(b'[{"x":' + value + b"}]").code == code


LINES = {
    "lines": b'{"id":1}\n\n{"id":2}\r\n {"id":3} ',
    "other values": b'1\n[{"id":1}]\nnull',
    "byte order mark": b'\xef\xbb\xbf{"id":1}\n',
    "nothing": b"",
    "pretty": b'{\n "id":1\n}\n{"id":2}\n',
}


@pytest.mark.parametrize("text", LINES.values(), ids=list(LINES))
def test_lines(text: bytes) -> None:
    assert assert_like_twin(text, lines=True).code == c.OK
    expected = in_blocks(text, [max(len(text), 1)], lines=True)
    for size in (1, 5):
        assert in_blocks(text, [size], lines=True) == expected


def test_two_objects_on_a_line() -> None:
    block = assert_like_twin(b'{"id":1}\n{"id":2} {"id":3}', lines=True)
    assert (block.code, block.place, block.records.id.value.tolist()) == (c.EXTRA_DATA, 18, [1])


def test_arrays_of_another_form_are_refused() -> None:
    others: list[Any] = [np.zeros(4, np.int8), np.zeros((2, 2), np.uint8)]
    for data in others:
        with pytest.raises(ValueError, match="one dimension"):
            CocoScanner().scan(data, last=True)


def test_room_grows_in_every_array() -> None:
    record = (
        '{"image_id":1,"segmentation":[[1,2],[3,4]],"keypoints":[1,2,3],"x":1,"score":900719925474099.300000000001}'
    )
    run = (
        '{"segmentation":{"size":[1,2],"counts":[1,2,3]}},{"segmentation":{"size":[1,2],"counts":"'
        + "\\\\" * 99
        + '"}}'
    )
    items = ",".join([record, run] * 2500)
    assert_like_twin(f"[{items}]".encode())
    images = ",".join(['{"id":1.0,"x":2}'] * 3000)
    assert_like_twin(f'{{"images":[{images}],"videos":[{images}]}}'.encode())
    assert_like_twin(("{" + ",".join(f'"{i}":0' for i in range(3000)) + "}").encode())


def corpus_files() -> list[Any]:
    root = corpus_root()
    paths = sorted(root.glob("coco_*/*.json")) if root else []
    skip = pytest.mark.skip(reason="no folder of real files: set PREDARROW_CORPUS")
    return [pytest.param(path, id=path.name) for path in paths] or [pytest.param(None, marks=skip)]


@pytest.mark.parametrize("path", corpus_files())
def test_real_files(path: Any) -> None:
    text = path.read_bytes()
    assert assert_like_twin(text).code == c.OK
    assert in_blocks(text, [20_011, 333]) == in_blocks(text, [len(text)])


NUMBERS = st.one_of(
    st.integers(-(2**65), 2**65).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(-1000, 1000, places=2).map(str),
    st.sampled_from(["NaN", "Infinity", "-Infinity", "-0", "0.0", "1E5", "1e-7", "123456789012345678901234567890.5"]),
)
KEYS = st.sampled_from(
    [*naive_coco._RECORD_KEYS, "width", "height", "file_name", "size", "counts", "annotations", "images", "videos", "x"]
)
BLANKS = st.sampled_from(["", "", " ", "\n", "  \t\r\n" * 30])
TEXTS = st.one_of(
    st.text(max_size=90).map(json.dumps), st.text(max_size=90).map(lambda x: json.dumps(x, ensure_ascii=False))
)


def _list(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(BLANKS, st.lists(items, max_size=5)).map(lambda x: f"[{x[0]}{f'{x[0]},{x[0]}'.join(x[1])}]")


def _object(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(KEYS, values), max_size=6)
    return st.tuples(BLANKS, pairs).map(
        lambda x: "{" + f"{x[0]},{x[0]}".join(f'"{key}"{x[0]}:{x[0]}{value}' for key, value in x[1]) + x[0] + "}"
    )


SCALARS = st.one_of(NUMBERS, TEXTS, st.sampled_from(["null", "true", "false", '"abc"']))
ANY = st.recursive(SCALARS, lambda inner: st.one_of(_list(NUMBERS), _list(inner), _object(inner)), max_leaves=12)


@settings(max_examples=200)
@given(st.one_of(_list(_object(ANY)), _list(_list(_object(ANY))), _object(_list(_object(ANY))), ANY))
def test_made_up_documents(text: str) -> None:
    encoded = text.encode()
    if assert_like_twin(encoded).code == c.OK:
        assert in_blocks(encoded, [97, 41, 300]) == in_blocks(encoded, [max(len(encoded), 1)])
    assert_like_twin(encoded, lines=True)


SEEDS = [
    *(text for text, _, _ in FLAWS.values()),
    *DOCUMENTS.values(),
    *(f'[{{"image_id":1,"segmentation":{text},"score":0.5}}]'.encode() for text, _ in SHAPES.values()),
    b'[{"image_id": 42, "category_id": 18, "bbox": [258.15, 41.29, 348.26, 243.78], "score": 0.236}]',
    b'[{"image_id":136,"keypoints":[36,181,2,20.25,191,0],"score":0.897,"iscrowd":0,"area":331.29559326171875,"id":7}]',
]
PIECES = [*(bytes([byte]) for byte in b'{}[]",:\\0123456789.-+eEuNIn \n\x00\x80'), b"null", b"1e5", b'"id":', b"NaN"]


def _mutate(text: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        piece = rng.choice([*PIECES, b"", text[rng.randrange(len(text) + 1) :][:20]])
        text = text[:at] + piece + text[at + rng.choice([0, 1, len(piece), 9]) :]
    return text


def _fuzz(n: int, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(n):
        text = _mutate(rng.choice(SEEDS), rng)
        assert_like_twin(text, lines=rng.random() < 0.2)


def test_damaged_documents() -> None:
    _fuzz(5000, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_many_damaged_documents(seed: int) -> None:
    _fuzz(100_000, 100 + seed)
