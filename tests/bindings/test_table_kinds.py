"""Rows of every kind, and what each kind asks of them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from predarrow.data_units import DataUnits
from predarrow.errors import InputError
from predarrow.import_objects import import_predictions
from predarrow.ontology import Ontology
from predarrow.project import Project
from predarrow.project_index import KIND_SHAPES
from predarrow.report import Code
from predarrow.table import SCHEMA

_SHAPES = ("bounding_box", "point", "skeleton", "ellipse", "circle", "cuboid", "cuboid_2d", "polyline", "polygon")
_SPANS = ("audio", "time_range", "text")
_POINTS = ("nose", "left eye", "right eye")


def _structure() -> dict[str, Any]:
    objects = [{"featureNodeHash": shape, "name": f"a {shape}", "shape": shape} for shape in (*_SHAPES, *_SPANS)]
    objects.append({"featureNodeHash": "open", "name": "an open skeleton", "shape": "skeleton"})
    black = {"color": "#000000"}
    joints = {
        str(place): {"x": place, "y": place, "name": name, "value": name, "featureHash": f"p{place}"} | black
        for place, name in enumerate(_POINTS)
    }
    template = {
        "name": "a face",
        "width": 10,
        "height": 10,
        "skeleton": joints,
        "skeletonEdges": {"0": {"1": black}},
        "feature_node_hash": "skeleton",
        "shape": "skeleton",
    }
    return {"objects": objects, "classifications": [], "skeleton_templates": [{"template": template}]}


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    units = {"id": ["u"], "title": ["u.jpg"], "kind": ["image"], "width": [200], "height": [100], "n_frames": [1]}
    return Project.create(
        tmp_path / "project", ontology=Ontology.from_dict(_structure()), data_units=DataUnits.from_table(units)
    )


def _point(x: float | None, y: float | None, name: str | None = None, visibility: int | None = 2) -> dict[str, Any]:
    return {"name": name, "x": x, "y": y, "visibility": visibility}


def _row(kind: str, feature_hash: str, **columns: Any) -> dict[str, Any]:
    return {"data_unit": "u", "frame": 0, "kind": kind, "feature_hash": feature_hash, **columns}


BOX = {"xmin": 10.0, "ymin": 20.0, "xmax": 30.0, "ymax": 40.0}
FRONT = [{"x": 1.0, "y": 2.0}, {"x": 5.0, "y": 2.0}, {"x": 5.0, "y": 7.0}]
FACE = [_point(3.0, 4.0, "nose"), _point(9.0, 1.0, "right eye", 1), _point(0.0, 0.0, "left eye", 0)]
SOLID = {"x": 1.0, "y": 2.0, "z": 3.0, "qx": 0.0, "qy": 0.0, "qz": 0.6, "qw": 0.8}
SOLID |= {"width": 1.0, "length": 2.0, "height": 3.0}

POINT = _row("keypoints", "point", keypoints=[_point(3.0, 4.0)])
SKELETON = _row("skeleton", "skeleton", keypoints=FACE)
ELLIPSE = _row("ellipse", "ellipse", bbox=BOX, rotation=30.0)
CIRCLE = _row("circle", "circle", bbox=BOX)
CUBOID = _row("cuboid", "cuboid", cuboid=SOLID)
PRISM = _row("cuboid_2d", "cuboid_2d", polygon=[[FRONT]])
SPAN = _row("span", "audio", attributes='{"ranges": [[0, 10], [20, 20]]}')
GOOD = [POINT, SKELETON, ELLIPSE, CIRCLE, CUBOID, PRISM, SPAN]


def _table(*rows: dict[str, Any]) -> pa.Table:
    loose = pa.schema([field if field.name == "polygon" else field.with_nullable(True) for field in SCHEMA])
    return pa.Table.from_pylist(list(rows), loose)


def _stored(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = project.scan().read_all().to_pylist()
    return found


def test_good_rows_of_every_kind(project: Project) -> None:
    result = import_predictions(project, _table(*GOOD))
    assert (result.rows, dict(result.report.flagged)) == (len(GOOD), {})
    kinds = [row["kind"] for row in _stored(project)]
    assert kinds == [row["kind"] for row in GOOD]
    assert set(kinds) <= set(KIND_SHAPES)


def test_points_get_their_cover(project: Project) -> None:
    import_predictions(project, _table(POINT, SKELETON, CUBOID, _row("skeleton", "open", keypoints=[FACE[2]])))
    boxes = [row["bbox"] for row in _stored(project)]
    assert [box and [*box.values()] for box in boxes] == [[3, 4, 3, 4], [3, 1, 9, 4], None, None]


def test_spans_of_every_shape(project: Project) -> None:
    html = {"ranges": [{"start": {"xpath": "/p", "offset": 1}, "end": {"xpath": "/p", "offset": 2}}]}
    spans = [SPAN | {"feature_hash": shape} for shape in _SPANS]
    spans.append(SPAN | {"feature_hash": "text", "attributes": json.dumps(html)})
    assert import_predictions(project, _table(*spans)).rows == 4


def test_confidences_of_their_own_scale_are_kept_and_told(project: Project) -> None:
    rows = [POINT | {"confidence": value} for value in (7.5, -0.5, 1.0, 0.0, None)]
    result = import_predictions(
        project, _table(*rows, POINT | {"confidence": 9.0, "data_unit": "nobody"}), on_error="skip"
    )
    assert dict(result.report.flagged) == {"confidence beyond 0 to 1": 2}
    assert [row["confidence"] for row in _stored(project)] == [7.5, -0.5, 1.0, 0.0, None]


def test_points_beyond_the_image_are_told(project: Project) -> None:
    far = _row("keypoints", "point", keypoints=[_point(300.0, 4.0)])
    assert dict(import_predictions(project, _table(far, POINT)).report.flagged) == {"box beyond the image": 1}


def _solid(**fields: float | None) -> dict[str, Any]:
    return CUBOID | {"cuboid": SOLID | fields}


def _face(*points: dict[str, Any]) -> dict[str, Any]:
    return SKELETON | {"keypoints": list(points)}


BAD: list[tuple[dict[str, Any], Code, str]] = [
    (POINT | {"keypoints": None}, Code.BAD_TABLE, "column keypoints: must not be null for a keypoints"),
    (POINT | {"keypoints": []}, Code.BAD_VALUE, "must be one for a class of shape point, got 0"),
    (POINT | {"keypoints": [_point(1, 2)] * 2}, Code.BAD_VALUE, "must be one for a class of shape point, got 2"),
    (POINT | {"keypoints": [_point(None, 2)]}, Code.BAD_TABLE, "x and y of points finite"),
    (POINT | {"keypoints": [_point(math.inf, 2)]}, Code.BAD_TABLE, "x and y of points finite"),
    (POINT | {"keypoints": [_point(1, 2, None, 4)]}, Code.BAD_VALUE, "visibility must be 0 to 3 or null"),
    (POINT | {"keypoints": [_point(1, 2, None, -1)]}, Code.BAD_VALUE, "visibility must be 0 to 3 or null"),
    (POINT | {"feature_hash": "polygon"}, Code.UNKNOWN_CLASS, "shape skeleton or point for a keypoints"),
    (SKELETON | {"feature_hash": "point"}, Code.UNKNOWN_CLASS, "must be a class of shape skeleton for a skeleton"),
    (_face(), Code.BAD_VALUE, r"the template's points, each once \(nose, left eye, right eye\), got \[\]"),
    (_face(*FACE[:2]), Code.BAD_VALUE, r"the template's points, .* got \['nose', 'right eye'\]"),
    (_face(*FACE, FACE[0]), Code.BAD_VALUE, "the template's points"),
    (_face(FACE[0], FACE[0], FACE[1]), Code.BAD_VALUE, r"got \['nose', 'nose', 'right eye'\]"),
    (_face(*FACE[:2], _point(1, 1, "ear")), Code.BAD_VALUE, "got .*'ear'"),
    (_face(*FACE[:2], _point(1, 1)), Code.BAD_VALUE, "got .*None"),
    (_face() | {"feature_hash": "open"}, Code.BAD_VALUE, "a skeleton must have points"),
    (ELLIPSE | {"bbox": None}, Code.BAD_TABLE, "column bbox: must not be null for a ellipse"),
    (ELLIPSE | {"rotation": math.nan}, Code.BAD_TABLE, "column rotation: must be a finite number or null"),
    (CIRCLE | {"bbox": BOX | {"xmax": 9.0}}, Code.BAD_BOX, "right and bottom not before left and top"),
    (CUBOID | {"cuboid": None}, Code.BAD_TABLE, "column cuboid: must not be null for a cuboid"),
    (_solid(x=None), Code.BAD_TABLE, "x, y, z, width, length and height must not be null"),
    (_solid(height=None), Code.BAD_TABLE, "x, y, z, width, length and height must not be null"),
    (_solid(z=math.nan), Code.BAD_TABLE, "column cuboid: numbers must be finite or null"),
    (_solid(length=0.0), Code.BAD_VALUE, r"must be above 0, got \[1.0, 0.0, 3.0\]"),
    (_solid(qw=0.9), Code.BAD_VALUE, r"a quaternion of length 1, got \[0.0, 0.0, 0.6, 0.9\]"),
    (_solid(qw=None), Code.BAD_VALUE, r"must all be null, .* got \[0.0, 0.0, 0.6, None\]"),
    (PRISM | {"polygon": None}, Code.BAD_TABLE, "column polygon: must not be null for a cuboid_2d"),
    (PRISM | {"polygon": [[FRONT, FRONT]]}, Code.BAD_VALUE, "must be one ring for a cuboid_2d, its front face, got 2"),
    (PRISM | {"polygon": [[FRONT], [FRONT]]}, Code.BAD_VALUE, "must be one ring .* got 2"),
    (PRISM | {"polygon": [[FRONT[:2]]]}, Code.BAD_TABLE, "each ring must have at least 3 vertices"),
    (SPAN | {"attributes": None}, Code.BAD_TABLE, "column attributes: must not be null for a span"),
    (SPAN | {"attributes": "{"}, Code.BAD_TABLE, "column attributes: must be a JSON object"),
    (SPAN | {"feature_hash": "polygon"}, Code.UNKNOWN_CLASS, "shape text or audio or time_range"),
]
NO_RANGES: list[Any] = [
    None,
    [],
    {},
    [[1]],
    [[2, 1]],
    [[-1, 1]],
    [["1", "2"]],
    [[True, 2]],
    [[1, math.inf]],
    [[1, 2], {}],
]
BAD += [
    (SPAN | {"attributes": json.dumps({"ranges": ranges})}, Code.BAD_VALUE, 'must have "ranges" for a span')
    for ranges in NO_RANGES
]


@pytest.mark.parametrize(("bad", "code", "text"), BAD)
def test_a_bad_row_is_named_by_its_place(project: Project, bad: dict[str, Any], code: Code, text: str) -> None:
    table = _table(*GOOD, bad)
    with pytest.raises(InputError, match=r"^predictions\[7\]: .*" + text) as caught:
        import_predictions(project, table)
    assert [found.code for found in caught.value.problems] == [code]
    assert import_predictions(project, table, on_error="skip").rows == len(GOOD)


def test_a_cuboid_may_have_no_orientation(project: Project) -> None:
    without = _solid(qx=None, qy=None, qz=None, qw=None)
    rounded = _solid(qz=0.60001, qw=0.79999)
    assert import_predictions(project, _table(without, rounded)).rows == 2


def test_points_of_other_kinds_may_be_named_as_they_like(project: Project) -> None:
    rows = [_row("keypoints", "skeleton", keypoints=FACE[:2]), _row("skeleton", "open", keypoints=[_point(1, 2, "x")])]
    assert import_predictions(project, _table(*rows)).rows == 2
