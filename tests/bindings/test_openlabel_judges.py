"""What schemas see in OpenLABEL files and what they do not: Kognic's strict model, ASAM's schema, and this reader.

Whatever either of them refuses in a prediction this reader refuses, too, but for a timestamp and an object's uid, which
it keeps as they are. What they let pass though it means nothing, and what Kognic refuses on upload, is told here alone.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from predarrow.formats.openlabel.rules import Dialect
from predarrow.report import Code
from tests.openlabel_documents import TURNED, UID, Json, box, cuboid, document, geometry, objects, one, reader
from tests.openlabel_files import verdicts

BOX = ("frames", "0", "objects", UID, "object_data", "bbox", 0)
NUM = (*BOX, "attributes", "num")
TEXT = (*BOX, "attributes", "text")


def put(*place: Any, value: Any) -> Json:
    """Give the page's box with another value at a place."""
    given = copy.deepcopy(one(bbox=[box()]))
    _holder(given, place)[place[-1]] = value
    return given


def without(*place: Any) -> Json:
    """Give the page's box without what stands at a place."""
    given = copy.deepcopy(one(bbox=[box()]))
    del _holder(given, place)[place[-1]]
    return given


def _holder(given: Json, place: tuple[Any, ...]) -> Any:
    holder: Any = given["openlabel"]
    for key in place[:-1]:
        holder = holder[key]
    return holder


def turned(*numbers: float) -> Json:
    return one(cuboid=[cuboid([*TURNED[:3], *numbers])])


TAKEN = {
    "the page's box": one(bbox=[box()]),
    "the page's cuboid": one(cuboid=[cuboid()]),
    "two boxes": one(bbox=[box(), box()]),
    "an empty name": put(*BOX, "name", value=""),
    "a further member": put(*BOX, "uid", value="x"),
    "another attribute": put(*BOX, "attributes", "boolean", value=[{"name": "a", "val": True}]),
    "properties of a frame": put("frames", "0", "frame_properties", value={"timestamp": 1, "external_id": ""}),
    "more metadata": put("metadata", "annotator", value="x"),
    "frames 0 and 7": document({key: {"objects": objects(bbox=[box()])} for key in ("0", "7")}),
    "whole numbers": one(bbox=[box(1, 1, 4, 3)]),
    "confidence 0": put(*NUM, 0, "val", value=0),
    "no confidence": without(*NUM),
    "a cuboid that is null": one(cuboid=[{"name": "x", "val": None}]),
}

SEEN = {
    "a box of 3": (one(bbox=[box(1, 1, 40)]), Code.BAD_VALUE),
    "a box of 5": (one(bbox=[box(1, 1, 40, 30, 1)]), Code.BAD_VALUE),
    "a box of text": (put(*BOX, "val", 0, value="1.0"), Code.BAD_NUMBER),
    "a box of null": (put(*BOX, "val", value=None), Code.BAD_NUMBER),
    "a cuboid of text": (one(cuboid=[cuboid(["1", *TURNED[1:]])]), Code.BAD_NUMBER),
    "no name": (without(*BOX, "name"), Code.BAD_VALUE),
    "no val": (without(*BOX, "val"), Code.BAD_VALUE),
    "no metadata": (without("metadata"), Code.BAD_VALUE),
    "no schema_version": (without("metadata", "schema_version"), Code.BAD_VALUE),
    "another schema_version": (put("metadata", "schema_version", value="2.0.0"), Code.BAD_VALUE),
    "frame -1": (document({"-1": {"objects": objects(bbox=[box()])}}), Code.BAD_VALUE),
    "frame a": (document({"a": {"objects": objects(bbox=[box()])}}), Code.BAD_VALUE),
    "an object without a type": (without("objects", UID, "type"), Code.BAD_VALUE),
    "a poly2d without closed": (
        one(poly2d=[geometry([0, 0, 1, 0, 1, 1], mode="MODE_POLY2D_ABSOLUTE")]),
        Code.BAD_VALUE,
    ),
    "a boolean of text": (
        put(*BOX, "attributes", "boolean", value=[{"name": "interpolated", "val": "true"}]),
        Code.BAD_VALUE,
    ),
    "a confidence of text": (put(*NUM, 0, "val", value="0.5"), Code.BAD_CONFIDENCE),
    "attributes as a list": (put(*BOX, "attributes", value=[]), Code.BAD_VALUE),
    "another key at the root": ({**one(bbox=[box()]), "more": 1}, Code.BAD_VALUE),
}

UNSEEN = {
    "confidence 1.5": (put(*NUM, 0, "val", value=1.5), Code.BAD_CONFIDENCE),
    "confidence -0.5": (put(*NUM, 0, "val", value=-0.5), Code.BAD_CONFIDENCE),
    "a negative width": (one(bbox=[box(1, 1, -40, 30)]), Code.BAD_SIZE),
    "a height of 0": (one(bbox=[box(1, 1, 40, 0)]), Code.BAD_SIZE),
    "NaN": (one(bbox=[box(1, 1, 40, float("nan"))]), Code.BAD_NUMBER),
    "a quaternion of zeros": (turned(0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0), Code.BAD_ROTATION),
    "a quaternion of length 2": (turned(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0), Code.BAD_ROTATION),
    "a cuboid without height": (turned(0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0), Code.BAD_SIZE),
    "an object that is not listed": (put("objects", value={}), Code.UNKNOWN_OBJECT),
}

KOGNICS = {
    "no stream": (without(*TEXT), Code.NO_STREAM),
    "an unknown stream": (put(*TEXT, 0, "val", value="nowhere"), Code.UNKNOWN_STREAM),
    "a box in a lidar": (put(*TEXT, 0, "val", value="lidar_id"), Code.WRONG_STREAM),
    "geometries of two types": (one(bbox=[box()], cuboid=[cuboid()]), Code.MIXED_GEOMETRIES),
    "two cuboids of an object": (one(cuboid=[cuboid(), cuboid()]), Code.DUPLICATE_GEOMETRY),
    "a geometry at the root": (put("objects", UID, "object_data", "bbox", value=[box()]), Code.STATIC_GEOMETRY),
}

ONE_SEES = {
    "a cuboid of 3": (one(cuboid=[cuboid(TURNED[:3])]), (True, False), Code.BAD_VALUE),
    "a cuboid of 11": (one(cuboid=[cuboid([*TURNED, 1.0])]), (True, False), Code.BAD_VALUE),
    "a timestamp of 1.5": (put("frames", "0", "frame_properties", value={"timestamp": 1.5}), (False, True), None),
}


def _codes(folder: Path, given: Json, dialect: Dialect) -> set[Code]:
    found = reader(folder, given, dialect=dialect, on_error="skip", workers=1)
    found.read_all()
    return {problem.code for problem in found.report.problems}


@pytest.mark.parametrize("name", TAKEN)
def test_all_take(tmp_path: Path, name: str) -> None:
    assert verdicts(json.dumps(TAKEN[name])) == (True, True)
    assert _codes(tmp_path, TAKEN[name], "kognic") == _codes(tmp_path, TAKEN[name], "asam") == set()


@pytest.mark.parametrize("name", SEEN)
def test_all_refuse(tmp_path: Path, name: str) -> None:
    given, code = SEEN[name]
    assert verdicts(json.dumps(given)) == (False, False)
    assert code in _codes(tmp_path, given, "kognic") & _codes(tmp_path, given, "asam")


@pytest.mark.parametrize("name", UNSEEN)
def test_schemas_do_not_see(tmp_path: Path, name: str) -> None:
    given, code = UNSEEN[name]
    assert verdicts(json.dumps(given)) == (True, True)
    assert _codes(tmp_path, given, "kognic") == _codes(tmp_path, given, "asam") == {code}


@pytest.mark.parametrize("name", KOGNICS)
def test_kognic_alone_refuses_on_upload(tmp_path: Path, name: str) -> None:
    given, code = KOGNICS[name]
    assert verdicts(json.dumps(given)) == (True, True)
    assert (_codes(tmp_path, given, "kognic"), _codes(tmp_path, given, "asam")) == ({code}, set())


@pytest.mark.parametrize("name", ONE_SEES)
def test_one_schema_sees(tmp_path: Path, name: str) -> None:
    given, seen, code = ONE_SEES[name]
    assert verdicts(json.dumps(given)) == seen
    wanted = set() if code is None else {code}
    assert _codes(tmp_path, given, "kognic") == _codes(tmp_path, given, "asam") == wanted
