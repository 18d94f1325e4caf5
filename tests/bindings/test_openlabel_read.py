"""OpenLABEL files that hold: what becomes of each geometry, and what is kept beside it."""

from __future__ import annotations

import base64
import gzip
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from predarrow import InputError, PredarrowError, read_openlabel
from predarrow.report import Code
from predarrow.table import SCHEMA
from tests.openlabel_documents import (
    TURNED,
    UID,
    attributes,
    box,
    cuboid,
    document,
    geometry,
    objects,
    one,
    read,
    reader,
    rows,
)

CUBOID = ("x", "y", "z", "qx", "qy", "qz", "qw", "width", "length", "height")
SQUARE = [0.0, 0.0, 10.0, 0.0, 10.0, 10.0, 0.0, 10.0]
INNER = [2.0, 2.0, 2.0, 4.0, 4.0, 4.0]


def poly(val: list[float], *, closed: bool = True, hole: bool | None = None, id_: str | None = None) -> Any:
    told = attributes()
    if hole is not None:
        told["boolean"] = [{"name": "is_hole", "val": hole}]
    if id_ is not None:
        told["text"].append({"name": "polygon_id", "val": id_})
    return geometry(val, mode="MODE_POLY2D_ABSOLUTE", closed=closed, attributes=told)


def png(values: Any) -> str:
    data = io.BytesIO()
    Image.fromarray(np.asarray(values, np.uint8)).save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


def test_the_box_of_the_page(tmp_path: Path) -> None:
    table = read(tmp_path, one(bbox=[box()]))
    assert table.schema.equals(SCHEMA)
    (row,) = table.to_pylist()
    assert row["bbox"] == {"xmin": -19.0, "ymin": -14.0, "xmax": 21.0, "ymax": 16.0}
    told = ("data_unit", "frame", "object_id", "class_name", "kind", "confidence", "stream", "row")
    wanted = ["scene", 0, UID, "PassengerCar", "bbox", 0.85, "camera_id", 0]
    assert [row[name] for name in told] == wanted
    assert row["source"] == str(tmp_path / "scene.json")
    kept = json.loads(row["attributes"])
    assert kept["name"] == "any-name"
    assert kept["object"] == {"name": "any-name", "object_data": {"text": [{"name": "color", "val": "red"}]}}
    streams = {"camera_id": {"type": "camera"}, "lidar_id": {"type": "lidar"}}
    assert kept["openlabel"] == {"file": {"metadata": {"schema_version": "1.0.0"}, "streams": streams}}


def test_the_cuboid_of_the_page(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, one(cuboid=[cuboid()]))
    assert row["kind"] == "cuboid"
    assert [row["cuboid"][name] for name in CUBOID] == TURNED
    assert row["attributes"]["convention"] == "kognic"
    assert row["stream"] == "lidar_id"
    assert row["bbox"] is None
    (row,) = rows(tmp_path, one(cuboid=[cuboid()]), dialect="asam")
    assert row["attributes"]["convention"] == "openlabel"


def test_euler_angles_become_a_quaternion_and_are_kept(tmp_path: Path) -> None:
    val = [1.0, 2.0, 3.0, 0.0, 0.0, math.pi / 2, 4.0, 5.0, 6.0]
    (row,) = rows(tmp_path, one(cuboid=[cuboid(val)]))
    wanted = [1, 2, 3, 0, 0, math.sqrt(0.5), math.sqrt(0.5), 4, 5, 6]
    assert [row["cuboid"][name] for name in CUBOID] == pytest.approx(wanted)
    assert row["attributes"]["openlabel"]["val"] == val


def test_rotated_boxes_turn_clockwise(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, one(rbbox=[geometry([10, 20, 4, 2, math.pi / 6])]))
    assert row["kind"] == "rotated_bbox"
    assert row["rotation"] == pytest.approx(30)
    assert row["bbox"] == {"xmin": 8, "ymin": 19, "xmax": 12, "ymax": 21}
    assert row["attributes"]["openlabel"]["val"] == [10, 20, 4, 2, math.pi / 6]


def ring(*values: float) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in zip(values[::2], values[1::2], strict=True)]


def test_polygons_and_polylines(tmp_path: Path) -> None:
    closed, line = rows(tmp_path, one(poly2d=[poly(SQUARE), poly([0.0, 0.5, 3.0, 4.0], closed=False)]))
    assert closed["kind"] == "polygon"
    assert closed["polygon"] == [[ring(*SQUARE)]]
    assert closed["bbox"] == {"xmin": 0, "ymin": 0, "xmax": 10, "ymax": 10}
    assert "val" not in closed["attributes"]["openlabel"]
    assert closed["attributes"]["openlabel"]["geometry"] == {"mode": "MODE_POLY2D_ABSOLUTE", "closed": True}
    assert line["kind"] == "polyline"
    assert line["polygon"] == [[ring(0.0, 0.5, 3.0, 4.0)]]


def test_rings_of_one_polygon_id_are_one_polygon(tmp_path: Path) -> None:
    rings = [poly(INNER, hole=True, id_="a"), poly(SQUARE, hole=False, id_="a"), poly(SQUARE, hole=False, id_="b")]
    joined, alone = rows(tmp_path, one(poly2d=rings))
    assert joined["polygon"] == [[ring(*SQUARE), ring(*INNER)]]
    assert [each["attributes"]["boolean"][0]["val"] for each in joined["attributes"]["openlabel"]["rings"]] == [
        False,
        True,
    ]
    assert joined["row"] == 1
    assert alone["polygon"] == [[ring(*SQUARE)]]


def test_vertices_beyond_32_bits_and_repeated_ones_are_kept(tmp_path: Path) -> None:
    fine = [0.12345678901, 0.0, 5.0, 0.0, 5.0, 5.0]
    for val in (fine, [*INNER, *INNER[:2]]):
        (row,) = rows(tmp_path, one(poly2d=[poly(val)]))
        assert row["attributes"]["openlabel"]["val"] == val
    assert len(row["polygon"][0][0]) == 3


def test_relative_vertices_are_steps(tmp_path: Path) -> None:
    given = geometry([1, 1, 2, 0, 0, 2], mode="MODE_POLY2D_RELATIVE", closed=True)
    (row,) = rows(tmp_path, one(poly2d=[given]))
    assert row["polygon"] == [[ring(1, 1, 3, 1, 3, 3)]]
    assert row["attributes"]["openlabel"]["val"] == [1, 1, 2, 0, 0, 2]


def test_points(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, one(point2d=[geometry([3.5, 4.1])]))
    assert row["kind"] == "keypoints"
    assert row["keypoints"][0]["x"] == 3.5
    assert row["keypoints"][0]["y"] == np.float32(4.1)
    assert row["bbox"]["xmin"] == row["bbox"]["xmax"] == 3.5


@pytest.mark.parametrize(
    "named",
    [{"_background": 0, "road": 1, "sky": 2}, {"0": "_background", "1": "road", "2": "sky"}],
    ids=["as on the page", "by value"],
)
def test_images_of_masks(tmp_path: Path, named: Any) -> None:
    image = geometry(png([[0, 1, 1], [2, 2, 0]]), mime_type="image/png", encoding="base64")
    classes = {"0": {"uri": "", "classifications": named}}
    given = one(image=[image])
    given["openlabel"]["ontologies"] = classes
    road, sky = rows(tmp_path, given)
    assert [road["class_name"], sky["class_name"]] == ["road", "sky"]
    assert road["bbox"] == {"xmin": 1, "ymin": 0, "xmax": 3, "ymax": 1}
    assert (road["mask"]["height"], road["mask"]["width"]) == (2, 3)
    assert (road["image_height"], road["image_width"]) == (2, 3)
    assert road["attributes"]["openlabel"]["value"] == 1
    assert road["attributes"]["openlabel"]["val"] == image["val"]
    assert sky["attributes"]["openlabel"] == {
        "geometry": {"mime_type": "image/png", "encoding": "base64"},
        "value": 2,
    }
    del given["openlabel"]["ontologies"]
    assert [row["class_name"] for row in rows(tmp_path, given)] == ["PassengerCar", "PassengerCar"]


@pytest.mark.parametrize(
    "named",
    [
        ["_background", "road"],
        {"road": 1, "sky": 1},
        {"1": "road", "01": "sky"},
        {"road": 1.0},
        {"road": True},
        {"road": -1},
        {"road": "1"},
        {"1": "road", "sky": 2},
        {"1": None},
    ],
)
def test_classes_of_images_have_a_value_each(tmp_path: Path, named: Any) -> None:
    given = one(image=[geometry(png([[0, 1]]), mime_type="image/png", encoding="base64")])
    given["openlabel"]["ontologies"] = {"0": {"uri": "", "classifications": named}}
    found = reader(tmp_path, given, on_error="skip")
    assert found.read_all().num_rows == 0
    [problem] = found.report.problems
    assert problem.code is Code.BAD_VALUE
    assert "/openlabel/ontologies/0/classifications must be pixel values by class name" in problem.message


def test_images_in_colour_are_no_masks(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (3, 2)).save(file, "png")
    given = one(image=[geometry(base64.b64encode(file.getvalue()).decode())])
    with pytest.raises(InputError, match=r"val: must be a PNG file of a mask: must be grey or palette, got RGB$"):
        read(tmp_path, given)


@pytest.mark.parametrize(
    ("told", "confidence", "kept"),
    [
        ({"num": [{"name": "score", "val": 0.5}]}, 0.5, {"num": [{"name": "score", "val": 0.5}]}),
        ({"vec": [{"name": "confidence", "val": [0.9]}]}, 0.9, {"vec": [{"name": "confidence", "val": [0.9]}]}),
        ({"num": [{"name": "confidence", "val": 1}]}, 1.0, {"num": [{"name": "confidence", "val": 1}]}),
        ({}, 1.0, None),
        ({"num": [{"name": "truncated", "val": 7}]}, 1.0, {"num": [{"name": "truncated", "val": 7}]}),
        (
            {"num": [{"name": "score", "val": 0.5}, {"name": "confidence", "val": 0.25}]},
            0.25,
            {"num": [{"name": "score", "val": 0.5}, {"name": "confidence", "val": 0.25}]},
        ),
    ],
)
def test_spellings_of_the_confidence(tmp_path: Path, told: Any, confidence: float, kept: Any) -> None:
    told = {**told, "text": [{"name": "stream", "val": "camera_id"}]}
    (row,) = rows(tmp_path, one(bbox=[box(attributes=told)]))
    assert row["confidence"] == confidence
    assert row["attributes"].get("attributes") == kept


@pytest.mark.parametrize("data", [{"num": 0.5}, {"vec": [0.5]}, {"vec": [0.25], "num": 0.5}])
def test_confidences_of_objects_on_a_frame(tmp_path: Path, data: Any) -> None:
    """As trackers write it who have no attributes; geometries that tell their own keep that."""
    told = {kind: [{"name": "speed", "val": val}, {"name": "confidence", "val": val}] for kind, val in data.items()}
    bare = box(attributes=attributes(confidence=None))
    found = rows(tmp_path, one(bbox=[bare, box(), box(attributes=attributes(confidence=1))], **told))
    assert [row["confidence"] for row in found] == [0.5, 0.85, 1.0]


@pytest.mark.parametrize("val", [1.5, "0.5", None, True])
def test_confidences_of_objects_that_do_not_hold(tmp_path: Path, val: Any) -> None:
    bare = box(attributes=attributes(confidence=None))
    given = one(bbox=[box(), bare], vec=[{"name": "speed", "val": [1]}, {"name": "confidence", "val": [val]}])
    found = reader(tmp_path, given, on_error="skip")
    assert found.read_all()["confidence"].to_pylist() == [0.85]
    [problem] = found.report.problems
    assert (problem.code, problem.row) == (Code.BAD_CONFIDENCE, 1)
    assert problem.pointer == f"/openlabel/frames/0/objects/{UID}/object_data/vec/1/val/0"


def test_the_stream_may_be_a_coordinate_system(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, one(bbox=[box(attributes={}, coordinate_system="camera_id", uid="u")]))
    assert row["stream"] == "camera_id"
    assert row["attributes"]["openlabel"]["geometry"] == {"coordinate_system": "camera_id", "uid": "u"}


def test_attributes_come_by_type(tmp_path: Path) -> None:
    told = attributes()
    told["boolean"] = [{"name": "interpolated", "val": True}, {"name": "occluded", "val": False}]
    told["vec"] = [{"name": "speed", "val": [1, 2.5, "fast"]}]
    (row,) = rows(tmp_path, one(bbox=[box(attributes=told, extra={"a": [None]})]))
    assert row["attributes"]["interpolated"] is True
    assert row["attributes"]["attributes"] == {
        "boolean": [{"name": "occluded", "val": False}],
        "vec": [{"name": "speed", "val": [1, 2.5, "fast"]}],
    }
    assert row["attributes"]["openlabel"]["geometry"] == {"extra": {"a": [None]}}


def test_frames_and_what_they_have(tmp_path: Path) -> None:
    properties = {"timestamp": 12, "external_id": "a", "streams": {}}
    speed = {"vec": [{"name": "speed", "val": [1]}]}
    frames = {
        "10": {"objects": objects(bbox=[box()], **speed), "frame_properties": properties},
        "2": {"objects": objects(bbox=[box(), box(5, 5, 2, 2)])},
        "3": {"frame_properties": properties, "objects": {UID: {}}},
    }
    given = document(frames, relations={"0": {"name": "", "type": "isNear", "rdf_subjects": [], "rdf_objects": []}})
    result = reader(tmp_path, given)
    found = [{**row, "attributes": json.loads(row["attributes"])} for row in result.read_all().to_pylist()]
    assert [(row["frame"], row["row"]) for row in found] == [(2, 0), (2, 1), (10, 2)]
    first, second, third = (row["attributes"] for row in found)
    assert first["openlabel"]["file"]["frames"] == {"3": frames["3"]}
    assert first["openlabel"]["file"]["relations"] == given["openlabel"]["relations"]
    assert "openlabel" not in second
    assert "object" not in second
    assert third["openlabel"]["frame"] == {
        "frame_properties": properties,
        "objects": {UID: {"object_data": speed}},
    }
    assert result.report.flagged == {"vec without a column, kept in attributes": 1}


def test_geometry_without_a_column_is_kept(tmp_path: Path) -> None:
    chain = geometry(["5", "6"], mode="MODE_POLY2D_SRF6DCC", closed=True)
    data = {"poly2d": [poly(SQUARE), chain], "poly3d": [geometry([1, 2, 3], closed=True)]}
    (row,) = rows(tmp_path, one(**data))
    kept = row["attributes"]["openlabel"]["frame"]["objects"][UID]["object_data"]
    assert kept == {"poly2d": [chain], "poly3d": data["poly3d"]}


def test_geometries_at_the_root_are_taken_by_the_standard(tmp_path: Path) -> None:
    given = document({"7": {"objects": objects(bbox=[box()])}})
    given["openlabel"]["objects"][UID]["object_data"]["bbox"] = [box(3, 3, 2, 2), box(4, 4, 2, 2)]
    found = rows(tmp_path, given, dialect="asam")
    assert [row["frame"] for row in found] == [7, 7, 7]
    assert [row["attributes"].get("openlabel", {}).get("root") for row in found] == [True, True, None]
    assert found[0]["attributes"]["object"]["object_data"] == {"text": [{"name": "color", "val": "red"}]}


def test_empty_lists_are_kept(tmp_path: Path) -> None:
    given = one(bbox=[box()], cuboid=[])
    given["openlabel"]["objects"][UID]["object_data"] |= {"bbox": [], "cuboid": [cuboid()]}
    static, box_row = rows(tmp_path, given, dialect="asam")
    assert static["attributes"]["object"]["object_data"]["bbox"] == []
    assert box_row["attributes"]["openlabel"]["frame"] == {"objects": {UID: {"object_data": {"cuboid": []}}}}


def test_image_sizes_come_from_streams(tmp_path: Path) -> None:
    properties = {"intrinsics_pinhole": {"width_px": 640, "height_px": 480}}
    given = document(streams={"camera_id": {"type": "camera", "stream_properties": properties}})
    (row,) = rows(tmp_path, given)
    assert (row["image_height"], row["image_width"]) == (480, 640)


def test_files_and_names(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    named = document(metadata={"schema_version": "1.0.0", "name": "a scene"})
    (folder / "b.json").write_text(json.dumps(document(), indent=2))
    (folder / "c.json.gz").write_bytes(gzip.compress(json.dumps(document()).encode("utf-8-sig")))
    (folder / "z.json").write_text(json.dumps(named))
    for workers in (1, 3):
        result = read_openlabel(folder, workers=workers)
        assert result.read_all()["data_unit"].to_pylist() == ["a scene", "b", "c"]
        assert result.report.sources == 3
    assert read_openlabel([folder / "b.json"]).read_all().num_rows == 1


def test_a_file_without_a_row_is_counted(tmp_path: Path) -> None:
    result = reader(tmp_path, document({}))
    assert result.read_all().num_rows == 0
    assert result.report.skipped == {"OpenLABEL file without a geometry that has a column": 1}


def test_options_that_do_not_hold(tmp_path: Path) -> None:
    with pytest.raises(PredarrowError, match="dialect"):
        reader(tmp_path, document(), dialect="vcd")
    (tmp_path / "scene.json").unlink()
    with pytest.raises(InputError, match="none"):
        read_openlabel(tmp_path)
