"""Rotated boxes, ellipses, circles and cuboids in images as COCO's polygons."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
import shapely.affinity
from pycocotools.coco import COCO

from predarrow.errors import InputError
from predarrow.formats.coco.annotations import write_coco_annotations
from predarrow.formats.coco.panoptic import write_coco_panoptic
from predarrow.formats.coco.write import write_coco_results
from predarrow.table import SCHEMA

_BOX = {"xmin": 10.0, "ymin": 20.0, "xmax": 30.0, "ymax": 24.0}
_CORNERS = [{"x": 1.0, "y": 2.0}, {"x": 5.0, "y": 2.0}, {"x": 5.0, "y": 7.0}]
_TURNED = {"kind": "rotated_bbox", "rotation": 30.0}
_ELLIPSE = {"kind": "ellipse", "rotation": 30.0}
_ROUND_BOX = _BOX | {"ymax": 40.0}
_CIRCLE = {"kind": "circle", "bbox": _ROUND_BOX}
_FRONT = {"kind": "cuboid_2d", "polygon": [[_CORNERS]]}
_PLAIN = {"kind": "rotated_bbox", "rotation": 0.0}

_WITH_COVER = ", with the upright box around it"
_ROUND_FLAGS = {
    f"ellipse written as a polygon within 0.25 pixels of it{_WITH_COVER}": 1,
    f"circle written as a polygon within 0.25 pixels of it{_WITH_COVER}": 1,
}
_TURNED_FLAG = {f"rotated_bbox written as its corners{_WITH_COVER}": 1}
_DEPTH_FLAG = {"cuboid_2d without its depth": 1}


def _table(*rows: dict[str, Any]) -> pa.Table:
    base: dict[str, Any] = {"data_unit": "7", "frame": 0, "class_name": "3", "kind": "bbox", "bbox": _BOX}
    base["confidence"] = 0.5
    loose = pa.schema([field if field.name == "polygon" else field.with_nullable(True) for field in SCHEMA])
    size = {"image_height": 50, "image_width": 60}
    return pa.Table.from_pylist([base | size | row for row in rows], loose)


def _shape(record: dict[str, Any]) -> Any:
    return shapely.union_all([shapely.Polygon(np.reshape(ring, (-1, 2))) for ring in record["segmentation"]])


def _true(box: dict[str, float], degrees: float, *, is_round: bool) -> Any:
    left, top, right, bottom = box.values()
    upright = shapely.box(left, top, right, bottom)
    if is_round:
        circle = shapely.Point(0, 0).buffer(1, quad_segs=200)
        scaled = shapely.affinity.scale(circle, (right - left) / 2, (bottom - top) / 2, origin=(0, 0))
        upright = shapely.affinity.translate(scaled, (left + right) / 2, (top + bottom) / 2)
    return shapely.affinity.rotate(upright, degrees, origin="center")


def _cover(record: dict[str, Any]) -> list[float]:
    x, y, width, height = record["bbox"]
    return [x, y, x + width, y + height]


def _check(record: dict[str, Any], true: Any, distance: float) -> None:
    assert shapely.hausdorff_distance(_shape(record).boundary, true.boundary) <= distance
    np.testing.assert_allclose(_cover(record), true.bounds, atol=1e-3)
    assert "attributes" not in record


def test_results_hold_outlines(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    result = write_coco_results(_table({}, _TURNED, _ELLIPSE, _CIRCLE, _FRONT, _PLAIN), path)
    assert dict(result.report.flagged) == _TURNED_FLAG | _ROUND_FLAGS | _DEPTH_FLAG
    box, turned, ellipse, circle, front, plain = json.loads(path.read_text())
    _check(turned, _true(_BOX, 30, is_round=False), 1e-3)
    _check(ellipse, _true(_BOX, 30, is_round=True), 0.251)
    _check(circle, _true(_ROUND_BOX, 0, is_round=True), 0.251)
    assert front["segmentation"] == [[1, 2, 5, 2, 5, 7]]
    assert "segmentation" not in box
    assert plain == box
    images = {"images": [{"id": 7, "height": 50, "width": 60}], "categories": [{"id": 3}], "annotations": []}
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps(images))
    with contextlib.redirect_stdout(io.StringIO()):
        loaded = COCO(str(truth)).loadRes(str(path))
    areas = [found["area"] for found in loaded.loadAnns(loaded.getAnnIds())]
    assert areas[0] == 80


def test_boxes_of_results_are_upright_covers(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    result = write_coco_results(_table(_TURNED, _ELLIPSE), path, kind="bbox")
    assert sum(result.report.flagged.values()) == 2
    for record, is_round in zip(json.loads(path.read_text()), (False, True), strict=True):
        assert "segmentation" not in record
        np.testing.assert_allclose(_cover(record), _true(_BOX, 30, is_round=is_round).bounds, atol=1e-3)


def test_masks_of_results_may_be_outlines(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    assert write_coco_results(_table(_TURNED, _CIRCLE), path, kind="segm").rows == 2
    assert [len(record["segmentation"][0]) for record in json.loads(path.read_text())] == [8, 22]


@pytest.mark.parametrize("row", [_TURNED, _PLAIN])
def test_annotations_keep_boxes_and_their_rotation(tmp_path: Path, row: dict[str, Any]) -> None:
    path = tmp_path / "a.json"
    write_coco_annotations(_table(row), path)
    (record,) = json.loads(path.read_text())["annotations"]
    assert (_cover(record), record["area"]) == ([*_BOX.values()], 80)
    assert record.get("attributes") == ({"rotation": 30.0} if row is _TURNED else None)


def test_annotations_hold_outlines(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    result = write_coco_annotations(_table(_ELLIPSE, _CIRCLE, _FRONT), path)
    assert dict(result.report.flagged) == _ROUND_FLAGS | _DEPTH_FLAG
    ellipse, circle, front = json.loads(path.read_text())["annotations"]
    _check(ellipse, _true(_BOX, 30, is_round=True), 0.251)
    _check(circle, _true(_ROUND_BOX, 0, is_round=True), 0.251)
    assert [found["area"] for found in (ellipse, circle, front)] == pytest.approx([62.8, 314.2, 10], rel=0.01)


def test_panoptic_segments_may_be_outlines(tmp_path: Path) -> None:
    apart = _CIRCLE | {"bbox": _ROUND_BOX | {"xmin": 35.0, "xmax": 55.0}}
    result = write_coco_panoptic(_table(_TURNED, apart), tmp_path / "out")
    assert len(result.report.flagged) == 2
    (image,) = json.loads((tmp_path / "out" / "panoptic.json").read_text())["annotations"]
    assert [segment["area"] for segment in image["segments_info"]] == pytest.approx([80, 314], abs=4)


def test_a_polygon_in_an_image_too_large_for_a_mask_is_refused(tmp_path: Path) -> None:
    holed = {"kind": "polygon", "polygon": [[_CORNERS, _CORNERS]], "image_height": 2**25, "image_width": 1}
    with pytest.raises(InputError, match="a side, and 4294967295 in all, got 1 x 33554432"):
        write_coco_results(_table(holed), tmp_path / "a.json")
