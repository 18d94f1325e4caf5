"""OpenLABEL read and written again: the file, and the table, are the same."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from predarrow import read_openlabel, write_openlabel
from predarrow.formats.openlabel.rules import Dialect
from tests.corpus import corpus_path
from tests.openlabel_documents import UID, attributes, box, cuboid, document, geometry, objects, one
from tests.openlabel_files import BOX, accepted, row, table

Json = dict[str, Any]


def _again(folder: Path, given: Json, dialect: Dialect) -> Json:
    """Give a document that was read and written, which both judges accept."""
    source, target = folder / "scene.json", folder / "again" / "scene.json"
    source.write_text(json.dumps(given))
    target.parent.mkdir(exist_ok=True)
    write_openlabel(read_openlabel(source, dialect=dialect, workers=1), target, dialect=dialect, overwrite=True)
    return {"openlabel": accepted(target.read_bytes())}


def _bitmap(pixels: Any, named: Json) -> Json:
    """Give an image as on the page, with the classes of its values."""
    file = io.BytesIO()
    Image.fromarray(np.array(pixels, np.uint8)).save(file, "png")
    told = attributes(confidence=None)
    text = base64.b64encode(file.getvalue()).decode()
    image = geometry(text, mime_type="image/png", encoding="base64", attributes=told)
    return document({"0": {"objects": objects(image=[image])}}, ontologies={"0": {"classifications": named, "uri": ""}})


PROPERTIES = [{"timestamp": 50 * step, "external_id": "", "streams": {}} for step in range(2)]
PAGES = {
    "box": one(bbox=[box()]),
    "cuboid": one(cuboid=[cuboid()]),
    "boxes of two frames": document(
        {
            str(step): {"frame_properties": told, "objects": objects(bbox=[box(1.0 + step, 1.0, 40.0, 30.0)])}
            for step, told in enumerate(PROPERTIES)
        }
    ),
    "cuboid of the only lidar": document(
        {
            "0": {
                "objects": objects(cuboid=[cuboid(attributes=attributes("@lidar"))]),
                "frame_properties": PROPERTIES[0],
            }
        },
        streams={"@lidar": {"type": "lidar"}},
    ),
    "bitmap": _bitmap([[0, 1, 1], [2, 0, 0]], {"_background": 0, "class_1": 1, "class_2": 2}),
    "bitmap with two backgrounds": _bitmap([[0, 1, 1], [255, 0, 0]], {"class_1": 1, "_background": 255}),
    "bitmap on another background": _bitmap([[0, 1, 1], [255, 0, 0]], {"class_0": 0, "class_1": 1, "_background": 255}),
}


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_examples(tmp_path: Path, name: str) -> None:
    """Both versions of Kognic's page on predictions."""
    given = PAGES[name]
    accepted(json.dumps(given))
    assert _again(tmp_path, given, "kognic") == given


def test_an_object_with_a_bitmap_and_a_box_keeps_its_type(tmp_path: Path) -> None:
    for first in (0, 1):
        given = _bitmap([[0, 1]], {"_background": 0, "road": 1})
        data = given["openlabel"]["frames"]["0"]["objects"][UID]["object_data"]
        data = {"bbox": [box()], **data} if first else {**data, "bbox": [box()]}
        given["openlabel"]["frames"]["0"]["objects"][UID]["object_data"] = data
        assert _again(tmp_path, given, "asam") == given


def test_what_no_schema_knows_is_written_again(tmp_path: Path) -> None:
    told = attributes() | {"foo": [{"name": "a"}], "bar": {"b": 1}}
    given = one(bbox=[box(attributes=told)])
    path = tmp_path / "scene.json"
    path.write_text(json.dumps(given))
    table = read_openlabel(path).read_all()
    write_openlabel(table, path, overwrite=True)
    assert json.loads(path.read_text()) == given


TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=6)
PLAIN = st.integers(-10_000, 10_000).map(lambda number: number / 100)
NUMBERS = PLAIN | st.floats(-1e6, 1e6)
SIZES = st.integers(1, 10_000).map(lambda number: number / 100) | st.floats(0.01, 1e6)
POINTS = st.tuples(NUMBERS, NUMBERS)
UIDS = [UID, "-1", "7"]
MODES = ("MODE_POLY2D_ABSOLUTE", "MODE_POLY2D_RELATIVE")


@st.composite
def _attributes(draw: st.DrawFn) -> Json:
    given: Json = {}
    confidence = draw(st.none() | st.floats(0, 1))
    if confidence is not None:
        kind, name = draw(st.sampled_from([("num", "confidence"), ("num", "score"), ("vec", "confidence")]))
        given[kind] = [{"name": name, "val": [confidence] if kind == "vec" else confidence}]
        if draw(st.booleans()) and name == "confidence":
            given.setdefault("vec", []).append({"name": "score", "val": [7.5]})
            if kind == "num":
                given["num"].append({"name": "score", "val": -7.5})
    others = draw(st.lists(st.tuples(st.just("a") | st.just("b"), st.integers() | st.floats(-1e9, 1e9)), max_size=2))
    for name, number in others:
        given.setdefault("num", []).append({"name": name, "val": number})
    if draw(st.booleans()):
        given["text"] = [{"name": "stream", "val": "camera_id"}]
    if draw(st.booleans()):
        given.setdefault("boolean", []).append({"name": "interpolated", "val": draw(st.booleans())})
    return given


@st.composite
def _geometry(draw: st.DrawFn) -> tuple[str, Json]:
    kind = draw(st.sampled_from(["bbox", "rbbox", "cuboid", "poly2d", "point2d", "mat", "vec"]))
    more: Json = {}
    x, y = draw(POINTS)
    size = [draw(SIZES), draw(SIZES)]
    val: Any = [x, y]
    if kind in ("bbox", "rbbox"):
        val = [x, y, *size] + ([draw(st.floats(-7, 7))] if kind == "rbbox" else [])
    elif kind == "cuboid":
        turn = draw(st.sampled_from([[0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.6, 0.8], [0.1, -0.2, 0.3]]))
        val = [x, y, draw(NUMBERS), *turn, *size, draw(SIZES)]
    elif kind == "poly2d":
        val = [number for point in draw(st.lists(POINTS, min_size=4, max_size=6)) for number in point]
        more = {"mode": draw(st.sampled_from(MODES)), "closed": draw(st.booleans())}
    elif kind == "mat":
        more = {"data_type": "float", "width": 2, "height": 1, "channels": 1}
    if draw(st.booleans()):
        more |= {"coordinate_system": "camera_id"}
    if draw(st.booleans()):
        more |= {"uid": draw(TEXTS)}
    told = draw(_attributes())
    return kind, {"name": draw(TEXTS), "val": val, **more, **({"attributes": told} if told else {})}


@st.composite
def _documents(draw: st.DrawFn) -> Json:
    frames: Json = {}
    for number in draw(st.sets(st.integers(0, 40), max_size=4)):
        frame: Json = {}
        for uid in draw(st.sets(st.sampled_from(UIDS))):
            data: Json = {}
            for kind, item in draw(st.lists(_geometry(), max_size=3)):
                data.setdefault(kind, []).append(item)
            frame.setdefault("objects", {})[uid] = {"object_data": data}
        if draw(st.booleans()):
            frame["frame_properties"] = {"timestamp": draw(st.integers(0, 2**40)), "external_id": draw(TEXTS)}
        frames[str(number)] = frame
    frames["50"] = {"objects": objects(bbox=[box()])}
    known = {uid: {"name": draw(TEXTS), "type": draw(TEXTS)} for uid in UIDS}
    relation = {"name": "r", "type": "is", "rdf_subjects": [{"uid": "7", "type": "object"}], "rdf_objects": []}
    relations = {"0": relation} if draw(st.booleans()) else None
    return document(frames, objects=known, relations=relations)


@settings(max_examples=60)
@given(_documents())
def test_any_document(tmp_path_factory: pytest.TempPathFactory, given: Json) -> None:
    accepted(json.dumps(given))
    assert _ordered(_again(tmp_path_factory.mktemp("any"), given, "asam")) == _ordered(given)


def _ordered(value: Any) -> Any:
    """Give JSON with attributes ordered by their names, which is all that tells them apart."""
    if isinstance(value, dict):
        return {key: _ordered(each) for key, each in value.items()}
    if not isinstance(value, list):
        return value
    is_named = all(isinstance(each, dict) and each.keys() == {"name", "val"} for each in value)
    return sorted(value, key=lambda each: str(each["name"])) if is_named else [_ordered(each) for each in value]


def _ring(val: list[float], *, is_hole: bool, confidence: float, **more: Any) -> Json:
    told = attributes(confidence=confidence)
    told["text"].append({"name": "polygon_id", "val": "p"})
    told["boolean"] = [{"name": "is_hole", "val": is_hole}]
    return geometry(val, **{"attributes": told, "mode": MODES[0], "closed": True, **more})


OUTLINE = [0.0, 0.0, 90.0, 0.0, 90.0, 90.0]
HOLE = [60.25, 10.0, 70.1, 10.0, 70.123456789, 20.0]
FURTHER = {
    "num": [{"name": "confidence", "val": 0.5, "type": "value"}],
    "text": [{"name": "stream", "val": "camera_id"}],
}
STATIC = {UID: {"name": "s", "type": "Static", "object_data": {"bbox": [box()], "cuboid": [cuboid()]}}}
POINTERS = {"any-name": {"type": "bbox", "frame_intervals": [{"frame_start": 0, "frame_end": 0}]}}
POINTED = {UID: {"name": "s", "type": "Car", "object_data_pointers": POINTERS, "frame_intervals": []}}
ACTED = {"0": {"objects": objects(bbox=[box()]), "actions": {"0": {}}}, "3": {}}
ACTION = {"name": "a", "type": "Run", "frame_intervals": [{"frame_start": 0, "frame_end": 3}]}


@pytest.mark.parametrize(
    "given",
    [
        one(poly2d=[_ring(OUTLINE, is_hole=False, confidence=0.5), _ring(HOLE, is_hole=True, confidence=0.75, id=3)]),
        one(poly2d=[_ring(OUTLINE, is_hole=False, confidence=1.0), _ring(HOLE, is_hole=False, confidence=0.25)]),
        one(poly2d=[_ring(OUTLINE, is_hole=False, confidence=0.0)]),
        one(bbox=[box(attributes=FURTHER)]),
        one(bbox=[box()], text=[{"name": "a", "val": "b"}], cuboid=[cuboid(), {"name": "none", "val": None}]),
        document(objects=STATIC),
        document({"3": {}}, objects=STATIC),
        document(objects=POINTED),
        document(ACTED, actions={"0": ACTION}),
        document(tags={"0": {"type": "t", "ontology_uid": "0"}}, ontologies={"0": "https://example.com"}),
        document(coordinate_systems={"c": {"type": "sensor_cs", "parent": "", "children": []}}, streams=None),
    ],
)
def test_pieces(tmp_path: Path, given: Json) -> None:
    accepted(json.dumps(given))
    assert _ordered(_again(tmp_path, given, "asam")) == _ordered(given)


@pytest.mark.parametrize(
    "name",
    [
        "openlabel-3-MmXdwhyIQhtb4-8NqHQ_instances_b64.json",
        "osdar23_1_calibration_1.1.json",
        "uai_openlabel100_example_cuboids.json",
        "uai_openlabel100_test_bbox_simple_attributes.json",
        "xtreme1_000.json",
        "vcd_tests/openlabel100_test_bbox_simple_attributes.json",
        "vcd_tests/openlabel100_test_create_search_simple.json",
        "vcd_tests/openlabel100_test_cuboids.json",
        "vcd_tests/openlabel100_test_nested_object_data_attributes.json",
        "vcd_tests/openlabel100_test_ontology_list.json",
    ],
)
def test_real_files(tmp_path: Path, name: str) -> None:
    source = corpus_path("openlabel", name)
    predictions = read_openlabel(source, dialect="asam", workers=1).read_all()
    assert predictions.num_rows
    target = tmp_path / source.name
    result = write_openlabel(predictions, target, dialect="asam")
    assert (result.rows, result.report.flagged) == (predictions.num_rows, {})
    assert _without_empty(json.loads(target.read_text())) == _without_empty(json.loads(source.read_text()))
    again = read_openlabel(target, dialect="asam", workers=1).read_all()
    columns = [
        "data_unit",
        "frame",
        "object_id",
        "class_name",
        "kind",
        "confidence",
        "bbox",
        "polygon",
        "mask",
        "cuboid",
    ]
    assert again.select(columns).equals(predictions.select(columns))
    assert [json.loads(text) for text in again["attributes"].to_pylist()] == [
        json.loads(text) for text in predictions["attributes"].to_pylist()
    ]


def _without_empty(value: Any) -> Any:
    """Give JSON without lists of no geometry."""
    if isinstance(value, dict):
        return {key: _without_empty(each) for key, each in value.items() if each != []}
    return [_without_empty(each) for each in value] if isinstance(value, list) else value


def test_confidences_of_objects_come_back_and_may_be_changed(tmp_path: Path) -> None:
    bare = box(attributes=attributes(confidence=None))
    given = one(bbox=[bare, box()], vec=[{"name": "confidence", "val": [0.5]}])
    assert _again(tmp_path, given, "kognic") == given
    rows = read_openlabel(tmp_path / "scene.json").read_all().to_pylist()
    for confidence in (1.0, 0.25):
        rows[0]["confidence"] = confidence
        write_openlabel(table(*rows), tmp_path / "changed.json", overwrite=True)
        again = read_openlabel(tmp_path / "changed.json").read_all()
        assert again["confidence"].to_pylist() == [confidence, 0.85]


def test_a_changed_column_is_written(tmp_path: Path) -> None:
    val = [0.1, 0.2, 0.30000001, 0.4, 5.0, 6.0]
    given = one(poly2d=[geometry(val, mode="MODE_POLY2D_ABSOLUTE", closed=True)])
    (tmp_path / "scene.json").write_text(json.dumps(given))
    (found,) = read_openlabel(tmp_path / "scene.json").read_all().to_pylist()
    found["polygon"][0][0][0]["x"] = 7.0
    found["confidence"], found["stream"] = 0.5, "lidar_id"
    target = tmp_path / "changed.json"
    write_openlabel(table(found), target, dialect="asam")
    (item,) = accepted(target.read_bytes())["frames"]["0"]["objects"][UID]["object_data"]["poly2d"]
    assert item["val"] == [7.0, 0.2, 0.3, 0.4, 5.0, 6.0]
    assert item["attributes"]["num"] == [{"name": "confidence", "val": 0.5}]
    assert item["attributes"]["text"] == [{"name": "stream", "val": "lidar_id"}]


def test_tables_come_back(tmp_path: Path) -> None:
    ring = [{"x": 0.1, "y": 0.0}, {"x": 9.0, "y": 0.0}, {"x": 9.0, "y": 9.0}]
    hole = [{"x": 6.0, "y": 1.0}, {"x": 7.0, "y": 1.0}, {"x": 7.0, "y": 2.0}]
    rows = [
        row(object_id="1", confidence=0.25),
        row("rotated_bbox", object_id="2", bbox=BOX, rotation=-30.0, confidence=1.0),
        row("polygon", object_id="3", frame=4, polygon=[[ring, hole]], confidence=0.5),
        row("polygon", object_id="4", frame=4, polygon=[[ring], [hole]], confidence=0.5),
        row("polyline", object_id="5", frame=4, polygon=[[ring]], confidence=0.5),
        row("bitmask", object_id="6", frame=9, mask={"height": 5, "width": 4, "counts": b"62304"}, confidence=0.5),
    ]
    target = tmp_path / "scene.json"
    write_openlabel(table(*rows), target, dialect="asam")
    found = read_openlabel(target, dialect="asam").read_all()
    for name in ("data_unit", "frame", "object_id", "class_name", "kind", "confidence", "polygon", "mask", "stream"):
        assert found[name].to_pylist() == table(*rows)[name].to_pylist(), name
    assert found["bbox"][:2].to_pylist() == [BOX, BOX]
    assert found["rotation"].to_pylist()[:2] == [None, pytest.approx(-30.0)]


def test_frames_are_written_as_they_come(tmp_path: Path) -> None:
    one_frame = table(*[row(object_id=str(number)) for number in range(50)])
    place = one_frame.schema.get_field_index("frame")
    sizes = []

    def batches() -> Iterator[pa.RecordBatch]:
        for frame in range(400):
            sizes.append(sum(path.stat().st_size for path in tmp_path.iterdir()))
            column = pa.array([frame] * 50, pa.int32())
            yield from one_frame.set_column(place, one_frame.schema.field(place), column).to_batches()

    stream = pa.RecordBatchReader.from_batches(one_frame.schema, batches())
    assert write_openlabel(stream, tmp_path / "scene.json").rows == 20_000
    assert sizes[-1] > 0.9 * (tmp_path / "scene.json").stat().st_size
    assert read_openlabel(tmp_path / "scene.json").read_all().num_rows == 20_000


def test_an_object_that_had_no_row_gets_one(tmp_path: Path) -> None:
    kept = {"file": {"objects": {"5": {"name": "unseen", "type": "Tree"}}}}
    rows = [row(object_id="1", attributes={"openlabel": kept}), row(object_id="5", class_name="Bush")]
    write_openlabel(table(*rows), tmp_path / "scene.json")
    objects = accepted((tmp_path / "scene.json").read_bytes())["objects"]
    assert objects == {"1": {"name": "Car", "type": "Car"}, "5": {"name": "unseen", "type": "Bush"}}
