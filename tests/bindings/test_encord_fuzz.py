"""Label rows that nobody thought of: those that hold are the slow twin's, others are refused or read, never more."""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from predarrow import Ontology, PredarrowError, read_label_rows
from tests import encord_rows, naive_rle
from tests.label_rows import as_twin, group_row, image_row, label, video_row
from tests.naive_label_rows import table_rows

Json = dict[str, Any]

WIDTH, HEIGHT = 64, 32

share = st.floats(0, 1) | st.sampled_from([0.0, 1.0, 0.1, 0.3, -0.25, 1.5]) | st.decimals(0, 1, places=4).map(float)
size = st.floats(1e-3, 1) | st.decimals("0.001", 1, places=3).map(float)
angle = st.floats(-400, 400) | st.sampled_from([0.0, 90.0])
word = st.text(max_size=4)
vertex = st.tuples(share, share)


def rings(least: int = 3) -> st.SearchStrategy[list[float]]:
    points = st.lists(vertex, min_size=least, max_size=6).filter(lambda ring: ring[0] != ring[-1])
    return points.map(lambda ring: [value for point in ring for value in point])


def numbered(points: list[Json]) -> Json:
    return {str(place): point for place, point in enumerate(points)}


def in_turn(ring: list[float]) -> list[Json]:
    return [{"x": x, "y": y} for x, y in zip(ring[::2], ring[1::2], strict=True)]


@st.composite
def polygons(draw: st.DrawFn) -> Json:
    parts = draw(st.lists(st.lists(rings(), min_size=1, max_size=2), min_size=1, max_size=2))
    outline = in_turn(parts[0][0])
    form = draw(st.integers(0, 3))
    if form == 0:
        return {"polygon": numbered(outline), "polygons": parts}
    if form == 1:
        return {"polygon": outline}
    if form == 2:
        return {"polygon": numbered(outline), "polygons": None}
    return {"polygons": [[[*ring, *ring[:2]] for ring in part] for part in parts]}


@st.composite
def polylines(draw: st.DrawFn) -> Json:
    points = in_turn(draw(rings(1) | st.tuples(share, share).map(list)))
    if draw(st.booleans()):
        points = [point | {"z": draw(share)} for point in points]
    return {"polyline": numbered(points) if draw(st.booleans()) else points}


@st.composite
def skeletons(draw: st.DrawFn) -> Json:
    joints = []
    for x, y in draw(st.lists(vertex, min_size=1, max_size=4)):
        joint: Json = {"x": x, "y": y, "name": draw(word)}
        joint |= draw(st.dictionaries(st.sampled_from(["color", "featureHash", "value"]), word))
        seen = draw(st.integers(0, 2))
        if seen == 1:
            joint["visibility"] = draw(st.sampled_from(["visible", "invisible", "occluded", "selfOccluded"]))
        elif seen == 2:
            joint |= {flag: draw(st.booleans()) for flag in ("occluded", "invisible", "selfOccluded")}
        joints.append(joint)
    return {"skeleton": numbered(joints)}


@st.composite
def bitmasks(draw: st.DrawFn) -> Json:
    cuts = sorted(draw(st.sets(st.integers(1, WIDTH * HEIGHT - 1), max_size=9)))
    lengths = [end - start for start, end in zip([0, *cuts], [*cuts, WIDTH * HEIGHT], strict=True)]
    lengths = lengths if draw(st.booleans()) else [0, *lengths]
    text = naive_rle.to_string(lengths).decode()
    return {
        "bitmask": {
            "top": draw(st.sampled_from([0, 0, 5])),
            "left": 0,
            "height": HEIGHT,
            "width": WIDTH,
            "rleString": text,
        }
    }


def fields(key: str, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(given).map(lambda values: {key: values})


three = st.lists(st.floats(-10, 10), min_size=3, max_size=3)
front = st.fixed_dictionaries({"x": share, "y": share})
SHAPES: dict[str, st.SearchStrategy[Json]] = {
    "bounding_box": fields("boundingBox", x=share, y=share, w=size, h=size),
    "rotatable_bounding_box": fields("rotatableBoundingBox", x=share, y=share, w=size, h=size, theta=angle),
    "polygon": polygons(),
    "polyline": polylines(),
    "point": vertex.map(lambda point: {"point": {"0": {"x": point[0], "y": point[1]}}}),
    "skeleton": skeletons(),
    "bitmask": bitmasks(),
    "circle": fields("circle", x=share, y=share, r=size, stretch=size, theta=angle)
    | fields("circle", x=share, y=share, r=size),
    "ellipse": fields("ellipse", x=share, y=share, rx=size, ry=size, theta=angle),
    "cuboid": fields("cuboid", position=three, orientation=three, size=st.just([1.0, 2.5, 0.5])),
    "cuboid_2d": fields("cuboid_2d", front=rings(), vanishingPoint=front, scaleRatio=size)
    | fields("cuboid_2d", front=rings(), offset=front),
}
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "confidence": st.floats(-1, 9) | st.none(),
        "createdBy": word | st.none(),
        "lastEditedAt": word,
        "manualAnnotation": st.booleans() | st.none(),
        "isDeleted": st.booleans(),
        "reviews": st.lists(st.just({"a": 1}), max_size=1),
        "later": st.recursive(st.none() | st.booleans() | word | st.integers(-5, 5), st.lists, max_leaves=3),
    },
)
ANSWER = st.one_of(
    st.lists(st.fixed_dictionaries({"name": word, "featureHash": st.sampled_from("abc")}), max_size=2),
    word,
    st.floats(-9, 9),
)
FRAMES = st.lists(st.integers(0, 20), min_size=1, max_size=4, unique=True)


@st.composite
def answers(draw: st.DrawFn) -> list[Json]:
    hashes = draw(st.lists(st.sampled_from(["p", "q", "r"]), max_size=3, unique=True))
    return [{"name": each, "featureHash": each, "answers": draw(ANSWER)} for each in hashes]


@st.composite
def ranges(draw: st.DrawFn) -> list[list[int]]:
    bounds = sorted(draw(st.sets(st.integers(0, 40), min_size=2, max_size=6)))
    return [[2 * start, 2 * end - 1] for start, end in zip(bounds[::2], bounds[1::2], strict=False)]


@st.composite
def label_rows(draw: st.DrawFn) -> Json:
    """Give a label row that holds: tracks of any shape, answers, actions and classifications."""
    placed: dict[int, list[Json]] = {}
    kind = draw(st.sampled_from(["video", "image", "group"]))
    names = draw(st.lists(word.filter(bool), max_size=4, unique=True))
    for name in names:
        shape = draw(st.sampled_from(sorted(SHAPES)))
        for frame in draw(FRAMES) if kind == "video" else [draw(st.integers(0, 2 if kind == "group" else 0))]:
            item = label(shape, draw(SHAPES[shape]), name, f"class of {shape}") | draw(MEMBERS)
            placed.setdefault(frame, []).append(item)
    if kind == "video":
        row = video_row(placed)
    elif kind == "group":
        row = group_row([placed.get(place, []) for place in range(3)])
    else:
        row = image_row(placed.get(0, []))
    for name in names:
        row["object_answers"][name]["classifications"] = draw(answers())
        if draw(st.booleans()):
            action = {
                "name": "n",
                "featureHash": "n",
                "answers": draw(ANSWER),
                "range": draw(ranges()),
                "dynamic": True,
            }
            row["object_actions"][name] = {"objectHash": name, "actions": [action]}
    for place in range(draw(st.integers(0, 2))):
        key = f"answer {place}"
        entry: Json = {
            "classificationHash": key,
            "featureHash": f"question {place}",
            "classifications": draw(answers()),
        }
        within = ranges() if kind == "video" else st.just([[0, 0]])
        row["classification_answers"][key] = (
            entry
            | {"range": draw(within | st.just([])), "spaces": {}}
            | {"confidence": draw(st.floats(0, 1) | st.none())}
        )
    return row


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(label_rows(), st.booleans())
def test_label_rows_that_hold_are_the_twins(label_row: Json, from_text: bool) -> None:
    before = copy.deepcopy(label_row)
    given_row = json.loads(json.dumps(label_row)) if from_text else label_row
    table = read_label_rows(given_row).read_all()
    table.validate(full=True)
    assert as_twin(table, label_row) == table_rows(label_row)
    assert label_row == before


ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    1e308,
    2**63,
    10**30,
    math.nan,
    math.inf,
    "",
    "x",
    "\ud800",
    [],
    {},
    [[]],
    {"x": {}},
]


def mutated(label_row: Json, rng: Random) -> Json:
    """Give a row with one to three of its values changed, taken away, or put elsewhere."""
    row = copy.deepcopy(label_row)
    for _ in range(rng.randint(1, 3)):
        at: Any = row
        while isinstance(at, dict | list) and at:
            key: Any = rng.choice(list(at)) if isinstance(at, dict) else rng.randrange(len(at))
            if not isinstance(at[key], dict | list) or not at[key] or rng.random() < 0.15:
                change = rng.randrange(4)
                if change == 0:
                    del at[key]
                elif change == 1 and isinstance(at, dict):
                    at[rng.choice(["x", "0", "labels", "polygon", "range", "é"])] = at[key]
                elif change == 2 and isinstance(at, list):
                    at.append(at[key])
                else:
                    at[key] = rng.choice(ODD)
                break
            at = at[key]
    return row


def survives(given_rows: Any, ontology: Ontology | None) -> None:
    """Read label rows, which may only be refused."""
    try:
        table = read_label_rows(given_rows, ontology=ontology, on_error="skip").read_all()
    except PredarrowError:
        return
    table.validate(full=True)
    for text in table["attributes"].to_pylist():
        assert text is None or isinstance(json.loads(text), dict)


MADE: list[Callable[[int], Json]] = [encord_rows.image_row, encord_rows.video_row, encord_rows.audio_row]


@pytest.mark.parametrize("make", MADE)
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_rows_changed_at_random_are_read_or_refused(make: Callable[[int], Json], tmp_path: Path) -> None:
    label_row = make(0)
    ontology = Ontology.from_dict(encord_rows.structure())
    rng = Random(1)
    file = tmp_path / "rows.json"
    for turn in range(60):
        row = mutated(label_row, rng)
        given_ontology = ontology if turn % 2 else None
        survives([row, label_row], given_ontology)
        file.write_text(json.dumps([row, label_row]))
        survives(file, given_ontology)


def test_bytes_changed_at_random_are_read_or_refused(tmp_path: Path) -> None:
    text = json.dumps([encord_rows.video_row(0)], ensure_ascii=False).encode()
    rng = Random(2)
    file = tmp_path / "rows.json"
    for _ in range(60):
        data = bytearray(text)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] = rng.choice(b'0-.,:{}[]"\\e\x00\xff')
        file.write_bytes(data[: rng.randrange(len(data))] if rng.random() < 0.2 else data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            survives(file, None)
