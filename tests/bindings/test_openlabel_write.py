"""What is written as OpenLABEL, and what is refused."""

from __future__ import annotations

import base64
import gzip
import io
import json
import math
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from predarrow import InputError, PredarrowError, write_openlabel
from predarrow.errors import OutputError
from predarrow.report import Code
from tests.openlabel_files import BOX, CAR, accepted, row, table

CUBOID = {"x": 1.0, "y": 2.0, "z": 3.0, "qx": 0.0, "qy": 0.0, "qz": 0.6, "qw": 0.8}
CUBOID |= {"width": 2.0, "length": 4.5, "height": 1.5}
TRIANGLE = [{"x": 0.1, "y": 0.0}, {"x": 9.0, "y": 0.0}, {"x": 9.0, "y": 9.0}]
HOLE = [{"x": 6.0, "y": 1.0}, {"x": 7.0, "y": 1.0}, {"x": 7.0, "y": 2.0}]


def _written(tmp_path: Path, *rows: dict[str, Any], **options: Any) -> Any:
    path = tmp_path / "scene.json"
    write_openlabel(table(*rows), path, overwrite=True, **options)
    return accepted(path.read_bytes())


def _only(openlabel: Any, kind: str, frame: str = "0") -> list[Any]:
    return [
        item for each in openlabel["frames"][frame]["objects"].values() for item in each["object_data"].get(kind, [])
    ]


def test_a_box_as_kognic_has_it(tmp_path: Path) -> None:
    attributes = {"name": "a box", "object": {"name": "x", "object_data": {"text": [{"name": "color", "val": "red"}]}}}
    openlabel = _written(tmp_path, row(object_id=CAR, confidence=0.85, attributes=attributes))
    elements = {"num": [{"name": "confidence", "val": 0.85}], "text": [{"name": "stream", "val": "camera"}]}
    assert openlabel == {
        "metadata": {"schema_version": "1.0.0"},
        "frames": {
            "0": {
                "objects": {
                    CAR: {
                        "object_data": {"bbox": [{"name": "a box", "val": [1, 1, 40, 30], "attributes": elements}]},
                    }
                }
            }
        },
        "objects": {
            CAR: {"name": "x", "type": "Car", "object_data": {"text": [{"name": "color", "val": "red"}]}},
        },
        "streams": {"camera": {"type": "camera"}},
    }


def test_every_kind(tmp_path: Path) -> None:
    rows = [
        row("rotated_bbox", bbox=BOX, rotation=30.0),
        row("polygon", polygon=[[TRIANGLE]]),
        row("polyline", polygon=[[HOLE]]),
        row("keypoints", keypoints=[{"name": None, "x": 0.1, "y": 2.0, "visibility": None}]),
        row("bitmask", mask={"height": 5, "width": 4, "counts": b"62304"}),
        row("cuboid", cuboid=CUBOID, stream="lidar", attributes={"convention": "openlabel"}),
    ]
    openlabel = _written(tmp_path, *rows, dialect="asam")
    assert _only(openlabel, "rbbox")[0]["val"] == [1, 1, 40, 30, math.radians(30)]
    closed, line = _only(openlabel, "poly2d")
    assert (closed["val"], closed["mode"], closed["closed"]) == ([0.1, 0, 9, 0, 9, 9], "MODE_POLY2D_ABSOLUTE", True)
    assert (line["val"], line["closed"]) == ([6, 1, 7, 1, 7, 2], False)
    assert _only(openlabel, "point2d")[0]["val"] == [0.1, 2]
    assert _only(openlabel, "cuboid")[0]["val"] == list(CUBOID.values())
    image = _only(openlabel, "image")[0]
    pixels = np.array(Image.open(io.BytesIO(base64.b64decode(image["val"]))))
    inside = np.zeros((5, 4), np.uint8)
    inside[1:3, 1:3] = 255
    assert pixels.tolist() == inside.tolist()
    assert openlabel["streams"] == {"camera": {"type": "camera"}, "lidar": {"type": "lidar"}}


def test_rings_are_joined(tmp_path: Path) -> None:
    openlabel = _written(tmp_path, row("polygon", object_id="7", polygon=[[TRIANGLE, HOLE]]))
    outline, hole = _only(openlabel, "poly2d")
    told = [{each["name"]: each["val"] for each in ring["attributes"]["text"]} for ring in (outline, hole)]
    assert told[0] == told[1] == {"stream": "camera", "polygon_id": "7-0"}
    assert [ring["attributes"]["boolean"][0] for ring in (outline, hole)] == [
        {"name": "is_hole", "val": False},
        {"name": "is_hole", "val": True},
    ]


def test_ids(tmp_path: Path) -> None:
    rows = [row(), row(), row(object_id="-1"), row(object_id="abc"), row(object_id="abc", frame=2)]
    path = tmp_path / "scene.json"
    report = write_openlabel(table(*rows), path).report
    openlabel = accepted(path.read_bytes())
    assert len(openlabel["objects"]) == 4
    assert openlabel["objects"]["-1"] == {"name": "Car", "type": "Car"}
    (derived,) = openlabel["frames"]["2"]["objects"]
    assert uuid.UUID(derived)
    assert openlabel["objects"][derived] == {"name": "abc", "type": "Car"}
    assert report.flagged["object id that is no uid, written as the object's name"] == 2
    first = path.read_bytes()
    write_openlabel(table(*rows), path, overwrite=True)
    assert path.read_bytes() == first


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    file = {
        "metadata": {"schema_version": "1.0.0", "name": "a scene"},
        "streams": {"camera": {"type": "camera", "description": "front"}},
        "frames": {"1": {"frame_properties": {"timestamp": 1}}, "9": {}},
        "objects": {"5": {"name": "unseen", "type": "Tree"}},
    }
    frame = {
        "frame_properties": {"timestamp": 3, "external_id": "x"},
        "objects": {"1": {"object_data": {"text": [{"name": "a", "val": "b"}]}}, "5": {"object_data": {}}},
    }
    kept = {"geometry": {"uid": "u"}, "frame": frame, "file": file}
    openlabel = _written(tmp_path, row(object_id="1", frame=3, attributes={"openlabel": kept, "interpolated": True}))
    assert list(openlabel["frames"]) == ["1", "3", "9"]
    assert openlabel["frames"]["3"]["frame_properties"] == frame["frame_properties"]
    data = openlabel["frames"]["3"]["objects"]["1"]["object_data"]
    assert data["text"] == [{"name": "a", "val": "b"}]
    assert data["bbox"][0]["uid"] == "u"
    assert data["bbox"][0]["attributes"]["boolean"] == [{"name": "interpolated", "val": True}]
    assert openlabel["objects"]["5"] == {"name": "unseen", "type": "Tree"}
    assert openlabel["streams"] == file["streams"]
    assert openlabel["metadata"] == file["metadata"]


@pytest.mark.parametrize(
    ("attributes", "confidence", "expected"),
    [
        ({}, 1.0, {}),
        ({}, None, {}),
        ({}, 0.25, {"num": [{"name": "confidence", "val": 0.25}]}),
        ({"num": [{"name": "confidence", "val": 1.0}]}, 1.0, {"num": [{"name": "confidence", "val": 1.0}]}),
        ({"num": [{"name": "confidence", "val": 1.0}]}, 0.5, {"num": [{"name": "confidence", "val": 0.5}]}),
        ({"num": [{"name": "score", "val": 0.1}]}, 0.5, {"num": [{"name": "score", "val": 0.5}]}),
        ({"vec": [{"name": "confidence", "val": [0.1]}]}, 0.5, {"vec": [{"name": "confidence", "val": [0.5]}]}),
        ({"num": [{"name": "confidence", "val": 0.1}]}, None, {}),
    ],
)
def test_confidence(tmp_path: Path, attributes: Any, confidence: float | None, expected: Any) -> None:
    given = {"attributes": attributes, "openlabel": {"geometry": {"coordinate_system": "camera"}}}
    openlabel = _written(tmp_path, row(confidence=confidence, attributes=given))
    box = _only(openlabel, "bbox")[0]
    assert box.get("attributes", {}) == expected
    assert box["coordinate_system"] == "camera"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, [1, 2, 3, 0.1, 0.2, 0.3, 4, 5, 6]),
        ({"x": 1.5}, None),
    ],
)
def test_euler_angles_come_back_unless_columns_changed(tmp_path: Path, changed: Any, expected: Any) -> None:
    from predarrow_engine.cuboids import from_euler

    angles = [1.0, 2.0, 3.0, 0.1, 0.2, 0.3, 4.0, 5.0, 6.0]
    cuboid = dict(zip(CUBOID, from_euler([angles])[0].tolist(), strict=True)) | changed
    attributes = {"convention": "openlabel", "openlabel": {"val": angles}}
    openlabel = _written(tmp_path, row("cuboid", cuboid=cuboid, attributes=attributes), dialect="asam")
    val = _only(openlabel, "cuboid")[0]["val"]
    assert val == expected if expected else val == list(cuboid.values())


def test_images_come_back_unless_a_row_is_missing(tmp_path: Path) -> None:
    from predarrow_engine.rle import encode

    pixels = np.array([[0, 0, 3, 3], [7, 7, 0, 0]], np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    text = base64.b64encode(file.getvalue()).decode()
    rows = []
    for value, name in ((3, "Road"), (7, "Car")):
        counts = encode(pixels == value).counts.tobytes()
        kept: dict[str, Any] = {"value": value} | ({"val": text} if value == 3 else {})
        mask = {"height": 2, "width": 4, "counts": counts}
        rows.append(row("bitmask", object_id="1", class_name=name, mask=mask, attributes={"openlabel": kept}))
    (image,) = _only(_written(tmp_path, *rows), "image")
    assert image["val"] == text
    (image,) = _only(_written(tmp_path, rows[0]), "image")
    assert np.array(Image.open(io.BytesIO(base64.b64decode(image["val"])))).tolist() == [[0, 0, 3, 3], [0] * 4]
    (image,) = _only(_written(tmp_path, rows[1]), "image")
    assert np.array(Image.open(io.BytesIO(base64.b64decode(image["val"])))).tolist() == [[0] * 4, [7, 7, 0, 0]]


KITTI = {"convention": "kitti"}
CUBOID_ROW = {"cuboid": CUBOID, "stream": "lidar", "attributes": {"convention": "kognic"}}


@pytest.mark.parametrize(
    ("rows", "code", "place"),
    [
        ([row(confidence=1.5)], Code.CANNOT_HOLD, "row 0, confidence"),
        ([row(confidence=math.nan)], Code.CANNOT_HOLD, "row 0, confidence"),
        ([row(frame=-1)], Code.FRAME_RANGE, "row 0, frame"),
        ([row(stream=None)], Code.NO_STREAM, "row 0, stream"),
        ([row(bbox={**BOX, "xmax": -20.0})], Code.BAD_BOX, "row 0, column bbox"),
        ([row(bbox={**BOX, "xmax": -19.0})], Code.BAD_SIZE, "row 0, column bbox"),
        ([row("rotated_bbox", bbox={**BOX, "ymax": -14.0}, rotation=3.0)], Code.BAD_SIZE, "row 0, column bbox"),
        ([row("polyline", polygon=[[HOLE[:1]]])], Code.CANNOT_HOLD, "row 0, column polygon"),
        ([row(rotation=3.0)], Code.CANNOT_HOLD, "row 0, rotation"),
        ([row("ellipse", bbox=BOX)], Code.CANNOT_HOLD, "row 0, kind"),
        ([row("span", attributes={"ranges": [[0, 1]]})], Code.CANNOT_HOLD, "row 0, kind"),
        ([row("bbox", bbox=None)], Code.BAD_TABLE, "row 0, column bbox"),
        ([row("polygon", polygon=[[TRIANGLE[:2]]])], Code.BAD_TABLE, "row 0, column polygon"),
        ([row("polyline", polygon=[[HOLE], [HOLE]])], Code.BAD_VALUE, "row 0, column polygon"),
        ([row("keypoints", keypoints=[{"name": None, "x": 1, "y": 1}] * 2)], Code.CANNOT_HOLD, "row 0, keypoints"),
        ([row("keypoints", keypoints=[{"name": None, "x": None, "y": 1}])], Code.BAD_NUMBER, "row 0, keypoints"),
        ([row("bitmask", mask={"height": 4, "width": 5, "counts": b"6"})], Code.BAD_TABLE, "row 0, column mask"),
        ([row("cuboid", **{**CUBOID_ROW, "cuboid": {**CUBOID, "qz": 2.0}})], Code.BAD_VALUE, "row 0, column cuboid"),
        ([row("cuboid", **{**CUBOID_ROW, "cuboid": {**CUBOID, "width": 0.0}})], Code.BAD_VALUE, "row 0, column cuboid"),
        (
            [row("cuboid", **{**CUBOID_ROW, "attributes": KITTI})],
            Code.CANNOT_HOLD,
            "row 0, attributes",
        ),
        ([row(), row("cuboid", **CUBOID_ROW)], Code.MIXED_GEOMETRIES, "row 1, kind"),
        ([row("cuboid", object_id="1", **CUBOID_ROW)] * 2, Code.DUPLICATE_GEOMETRY, "row 1, object_id"),
        ([row(object_id="1"), row(object_id="1", class_name="Bus")], Code.CANNOT_HOLD, "row 1, class_name"),
        ([row(), row(data_unit="other")], Code.CANNOT_HOLD, "row 1, data_unit"),
        ([row(), row(frame=1), row()], Code.DUPLICATE_SOURCE, "row 2, data_unit"),
        ([row(attributes="[1]")], Code.BAD_VALUE, "row 0, attributes"),
        ([row(attributes="{")], Code.BAD_VALUE, "row 0, attributes"),
        ([row(attributes={"attributes": {"num": [{"name": "a", "val": "b"}]}})], Code.BAD_VALUE, "row 0, attributes"),
        ([row(attributes={"openlabel": {"file": {"frames": {"x": {}}}}})], Code.BAD_VALUE, "row 0, attributes"),
        ([row(attributes={"openlabel": {"root": True}})], Code.STATIC_GEOMETRY, "row 0, attributes"),
    ],
)
def test_refused(tmp_path: Path, rows: list[Any], code: Code, place: str) -> None:
    path = tmp_path / "scene.json"
    with pytest.raises(InputError) as caught:
        write_openlabel(table(*rows), path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.pointer, problem.source) == (code, place, "table")
    assert list(tmp_path.iterdir()) == []
    result = write_openlabel(table(*rows), path, on_error="skip")
    assert (result.rows, result.report.problems) == (len(rows) - 1, [problem])
    accepted(path.read_bytes())


def test_a_cuboid_in_a_camera(tmp_path: Path) -> None:
    file = {"streams": {"lidar": {"type": "camera"}}}
    attributes = {"convention": "kognic", "openlabel": {"file": file}}
    with pytest.raises(InputError, match="of type camera") as caught:
        write_openlabel(table(row("cuboid", **{**CUBOID_ROW, "attributes": attributes})), tmp_path / "scene.json")
    assert caught.value.problems[0].code == Code.WRONG_STREAM


def test_a_folder_has_a_file_for_each_data_unit(tmp_path: Path) -> None:
    rows = [row(data_unit=name) for name in ("a", "b/c", "b:c", "é")]
    result = write_openlabel(table(*rows), tmp_path / "out")
    assert (result.files, result.rows) == (4, 4)
    found = {path.name: accepted(path.read_bytes())["metadata"] for path in (tmp_path / "out").iterdir()}
    version = {"schema_version": "1.0.0"}
    assert found == {
        "a.json": version,
        "b_c.json": {**version, "name": "b/c"},
        "b_c-2.json": {**version, "name": "b:c"},
        "é.json": version,
    }
    with pytest.raises(OutputError, match="new or empty folder"):
        write_openlabel(table(*rows), tmp_path / "out")


def test_options_and_files(tmp_path: Path) -> None:
    path = tmp_path / "x.json.gz"
    assert write_openlabel(table(row()), path).files == 1
    assert accepted(gzip.decompress(path.read_bytes()))["metadata"]["name"] == "scene"
    with pytest.raises(OutputError, match="new file"):
        write_openlabel(table(row()), path)
    with pytest.raises(PredarrowError, match="dialect: must be"):
        write_openlabel(table(row()), path, dialect="vcd")  # type: ignore[arg-type] # what is tested
    with pytest.raises(PredarrowError, match="on_error: must be"):
        write_openlabel(table(row()), path, on_error="ignore")  # type: ignore[arg-type] # what is tested
    empty = write_openlabel(table(), tmp_path / "empty.json")
    assert (empty.files, empty.rows) == (0, 0)
    assert accepted((tmp_path / "empty.json").read_bytes()) == {"metadata": {"schema_version": "1.0.0"}}


def test_tells_what_is_left_out(tmp_path: Path) -> None:
    result = write_openlabel(table(row(attributes={"truncated": 0.5}), row(confidence=1.0)), tmp_path / "a.json")
    assert result.report.flagged == {
        "attribute left out that OpenLABEL has no place for: truncated": 1,
        "no confidence, which readers of OpenLABEL take for 1.0": 1,
    }


SIZES = st.floats(0.01, 1e5)
PLACES = st.floats(-1e5, 1e5)
TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)


@st.composite
def _rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for frame in sorted(draw(st.sets(st.integers(0, 2**31 - 1), max_size=3))):
        for uid in draw(st.lists(st.none() | TEXTS | st.integers().map(str) | st.uuids().map(str), max_size=3)):
            x, y, width, height = (draw(each) for each in (PLACES, PLACES, SIZES, SIZES))
            box = {"xmin": x, "ymin": y, "xmax": x + width, "ymax": y + height}
            confidence = draw(st.none() | st.floats(0, 1))
            stream, name = draw(TEXTS), draw(st.none() | TEXTS)
            attributes = {"name": name, "interpolated": draw(st.none() | st.booleans())}
            rotation = draw(st.none() | st.floats(-360, 360))
            kind = "bbox" if rotation is None else "rotated_bbox"
            rows.append(row(kind, frame=frame, object_id=uid, bbox=box, rotation=rotation, confidence=confidence))
            rows[-1] |= {"stream": stream, "attributes": json.dumps(attributes)}
    return rows


@settings(max_examples=60)
@given(_rows())
def test_what_is_written_is_accepted(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "scene.json"
    result = write_openlabel(table(*rows), path, dialect="asam")
    assert result.rows == len(rows)
    openlabel = accepted(path.read_bytes())
    frames = openlabel.get("frames", {}).values()
    data = [each["object_data"] for frame in frames for each in frame["objects"].values()]
    assert sum(len(items) for each in data for items in each.values()) == len(rows)


JSONS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda each: st.lists(each, max_size=2) | st.dictionaries(TEXTS, each, max_size=2),
    max_leaves=4,
)
PARTS = ("geometry", "val", "value", "type", "rings", "root", "frame", "file")
FORMS = {
    "object": {"object_data": {"text": []}, "type": "x"},
    "frame": {"objects": {"1": {"object_data": {"bbox": []}}}},
    "file": {"frames": {"3": {}}, "objects": {"1": {}}, "streams": {}, "metadata": {}, "ontologies": {}},
    "geometry": {"coordinate_system": "a", "name": "b", "attributes": {}, "mode": "c", "closed": True},
    "rings": [{"name": "a", "attributes": {"num": []}, "val": [1]}] * 2,
    "attributes": {"num": [{"name": "confidence", "val": 1}], "vec": [{"name": "score", "val": [1]}]},
}


@st.composite
def _spoilt(draw: st.DrawFn, value: Any) -> Any:
    """Give a part with something else in it."""
    if not isinstance(value, dict | list) or not value or draw(st.booleans()):
        return draw(JSONS)
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = draw(st.sampled_from(keys))
    spoilt = value.copy()
    spoilt[key] = draw(_spoilt(value[key]))
    return spoilt


@settings(max_examples=150)
@given(st.data())
def test_attributes_of_any_form_are_written_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    kept = {name: data.draw(_spoilt(FORMS.get(name))) for name in data.draw(st.sets(st.sampled_from(PARTS)))}
    attributes: dict[str, Any] = {"openlabel": kept}
    for name in data.draw(st.sets(st.sampled_from(("name", "interpolated", "attributes", "object", "convention")))):
        attributes[name] = data.draw(_spoilt(FORMS.get(name)))
    kinds = [
        row(object_id="1", confidence=0.5, attributes=attributes),
        row("polygon", object_id="1", polygon=[[TRIANGLE, HOLE]], attributes=attributes),
        row("bitmask", object_id="1", mask={"height": 5, "width": 4, "counts": b"62304"}, attributes=attributes),
    ]
    path = tmp_path_factory.mktemp("spoilt") / "scene.json"
    result = write_openlabel(table(data.draw(st.sampled_from(kinds))), path, dialect="asam", on_error="skip")
    assert result.rows + len(result.report.problems) == 1
    assert json.loads(path.read_bytes())["openlabel"]["metadata"]
