"""Odd values of COCO labels given as Python's objects, which no JSON file has, or hardly any."""

from __future__ import annotations

import copy
import gzip
import json
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from predarrow.coco_label_mappings import FrameIndex, category_mapping_by_name, image_mapping_by_title
from predarrow.coco_labels import import_coco_labels
from predarrow.data_units import DataUnits
from predarrow.errors import InputError, OntologyError, PredarrowError
from predarrow.ontology import Ontology
from predarrow.project import Project
from tests import naive_rle
from tests.mask_files import unit

_SHAPES = {"box": "bounding_box", "area": "polygon", "bits": "bitmask", "man": "skeleton"}
_IMAGE = {"id": 1, "file_name": "a.jpg", "height": 48, "width": 64}
_BOX: dict[str, Any] = {"id": 7, "image_id": 1, "category_id": "box", "bbox": [1, 2, 3, 4]}
_FRAMES: dict[Any, Any] = {1: FrameIndex("u1")}
_HASHES = {key: key for key in _SHAPES}


class _Encord(NamedTuple):
    """As `encord.utilities.coco.datastructure.FrameIndex`."""

    data_hash: str
    frame: int = 0


@pytest.fixture
def project(tmp_path: Path) -> Project:
    nodes = [{"featureNodeHash": key, "name": key, "shape": shape} for key, shape in _SHAPES.items()]
    rows = [unit("u1", "a.jpg", size=(64, 48)), unit("u2", "b.jpg", size=(60_000, 60_000))]
    units = DataUnits.from_table({name: [row[name] for row in rows] for name in rows[0]})
    return Project.create(tmp_path / "project", ontology=Ontology.from_dict({"objects": nodes}), data_units=units)


def _labels(*annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"images": [_IMAGE], "annotations": list(annotations), **more}


def _row(project: Project, record: dict[str, Any], **more: Any) -> dict[str, Any]:
    labels = _labels(_BOX | record, **more)
    before = copy.deepcopy(labels)
    import_coco_labels(project, labels, _HASHES, _FRAMES)
    assert labels == before
    (row,) = project.scan("labels").read_all().to_pylist()
    return dict(row)


def _runs(height: int, width: int, *counts: int) -> dict[str, Any]:
    return {"size": [height, width], "counts": [*counts, height * width - sum(counts)]}


@pytest.mark.parametrize("value", ["\ud800", {"a\ud800": "é"}])
def test_half_a_character_is_kept_as_json_escapes_it(project: Project, value: Any) -> None:
    row = _row(project, {"note": value})
    assert "\\ud800" in row["attributes"]
    assert json.loads(row["attributes"])["note"] == value
    assert "é" in _row(project, {"note": "é"})["attributes"]


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"bbox": [1, 2, 10**400, 4]}, r"\.bbox\[2\]: must be a finite number, got 1000"),
        ({"track_id": "\ud800"}, r"\.track_id: must be text that UTF-8 can hold"),
        ({"attributes": {"encord_track_uuid": "\ud800"}}, r"\.attributes\.encord_track_uuid: must be text that UTF-8"),
        (
            {"category_id": "bits", "segmentation": {"size": [48, 64], "counts": "\ud800"}},
            r"\.segmentation\.counts: must be characters '0' to 'o'",
        ),
        (
            {"category_id": "bits", "segmentation": {"size": [48, 64], "counts": [True, 3071]}},
            r"\.segmentation\.counts\[0\]: must be a whole number, got true",
        ),
        (
            {"category_id": "area", "segmentation": {"size": [48, 64], "counts": [5.0]}},
            r"\.segmentation\.counts\[0\]: must be a whole number, got 5\.0",
        ),
        (
            {"category_id": "area", "segmentation": _runs(1 << 25, 100, 5, 5)},
            r"\.segmentation\.size: height and width must be at most 16777216 to become a polygon",
        ),
    ],
)
def test_values_that_are_refused(project: Project, record: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=r"labels: \$\.annotations\[0\]" + told):
        import_coco_labels(project, _labels(_BOX | record), _HASHES, _FRAMES)


@pytest.mark.parametrize("category", ["bits", "area"])
def test_what_run_lengths_have_beside_is_kept(project: Project, category: str) -> None:
    segmentation = _runs(48, 64, 49, 3) | {"model": "sam"}
    row = _row(project, {"category_id": category, "segmentation": segmentation})
    assert json.loads(row["attributes"]) == {"id": 7, "segmentation": {"model": "sam"}}


def test_large_masks_become_polygons_without_a_bitmap(project: Project) -> None:
    """Four thousand million pixels: 4 GB if they were painted."""
    labels = _labels(_BOX | {"category_id": "area", "segmentation": _runs(60_000, 60_000, 60_001, 2)}, images=[])
    import_coco_labels(project, labels, _HASHES, {1: FrameIndex("u2")})
    (row,) = project.scan("labels").read_all().to_pylist()
    assert [list(point.values()) for point in row["polygon"][0][0]] == [[1, 1], [1, 3], [2, 3], [2, 1]]


def test_polygons_of_run_lengths_are_those_of_their_pixels(project: Project) -> None:
    mask = np.random.default_rng(4).integers(0, 2, (48, 64)).astype(np.uint8)
    segmentation = {"size": [48, 64], "counts": naive_rle.counts(mask)}
    row = _row(project, {"category_id": "area", "segmentation": segmentation})
    areas = [
        sum(a["x"] * b["y"] - b["x"] * a["y"] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)) / 2
        for part in row["polygon"]
        for ring in part
    ]
    assert abs(sum(areas)) == mask.sum()
    assert row["mask"]["counts"] == naive_rle.to_string(naive_rle.counts(mask))


@pytest.mark.parametrize("target", [_Encord("u1"), ["u1", 0], ("u1", 0), {"data_unit": "u1", "frame": 0}])
def test_frames_may_be_named_in_several_ways(project: Project, target: Any) -> None:
    assert import_coco_labels(project, _labels(_BOX), _HASHES, {1: target}).rows == 1


@pytest.mark.parametrize(
    "target", ["u1", ("u1", None), ("u1", 0, 0), ("u1", 0.0), {"data_unit": "u1"}, _Encord("\ud800")]
)
def test_frames_that_are_none(project: Project, target: Any) -> None:
    with pytest.raises(InputError, match=r"labels: \$\.annotations\[0\]\.image_id: must be"):
        import_coco_labels(project, _labels(_BOX), _HASHES, {1: target})


@pytest.mark.parametrize(
    ("lists", "told"),
    [
        ({"images": [_IMAGE | {"height": "48"}]}, r"\$\.images\[0\]: height and width: must be whole numbers of at"),
        ({"images": [_IMAGE | {"width": -5}]}, r"\$\.images\[0\]: height and width: must be whole numbers of at"),
        (
            {"images": [_IMAGE, _IMAGE | {"file_name": "b"}]},
            r"images\[1\]\.id: must stand for one of images, got 1, wh",
        ),
        ({"images": [{"file_name": "a"}]}, r"\$\.images\[0\]\.id: must be a whole number or a text, got None"),
        ({"categories": [{"id": 1, "name": n} for n in "ab"]}, r"\$\.categories\[1\]\.id: must stand for one of"),
        ({"categories": [{"id": 1, "keypoints": [5]}]}, r"\$\.categories\[0\]\.keypoints: must be a list of names"),
        ({"categories": [{"id": 1, "keypoints": ["\ud800"]}]}, r"categories\[0\]\.keypoints: must be a list of names"),
    ],
)
def test_lists_that_do_not_hold(project: Project, lists: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match="labels: .*" + told):
        import_coco_labels(project, _labels(_BOX, **lists), _HASHES, _FRAMES)


def test_sizes_and_ids_may_be_whole_floats_and_images_stand_twice(project: Project) -> None:
    image = _IMAGE | {"id": 1.0, "height": 48.0}
    row = _row(project, {}, images=[image, dict(image)], categories=[{"id": 1, "name": "a", "keypoints": "keypoint"}])
    assert (row["image_height"], row["image_width"]) == (48, 64)


def test_boxes_that_look_relative_are_refused(project: Project) -> None:
    boxes = [_BOX | {"bbox": [0.1, 0.2, 0.3, 0.4]}, _BOX | {"bbox": [0, 0, 1, 1]}]
    with pytest.raises(InputError, match=r"labels: \$\.annotations: boxes must be in pixels, got .* multiply them by"):
        import_coco_labels(project, _labels(*boxes), _HASHES, _FRAMES)
    assert import_coco_labels(project, _labels(*boxes, _BOX), _HASHES, _FRAMES).rows == 3
    assert import_coco_labels(project, _labels(boxes[1]), _HASHES, _FRAMES).rows == 1


def test_options_that_do_not_hold(project: Project) -> None:
    with pytest.raises(OntologyError, match=r"category_id_to_feature_hash: 1: must be a featureNodeHash or None, got"):
        import_coco_labels(project, _labels(_BOX), {1: ["box"]}, _FRAMES)  # type: ignore[dict-item]  # on purpose
    with pytest.raises(PredarrowError, match="confidence_field_name: must be the name of a member or None, got 5"):
        import_coco_labels(project, _labels(_BOX), _HASHES, _FRAMES, confidence_field_name=5)  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize("name", ["labels.json", "labels.json.gz", "labels.gz"])
def test_files_are_told_by_their_content(project: Project, tmp_path: Path, name: str) -> None:
    text = json.dumps(_labels(_BOX, categories=[{"id": "box", "name": "box"}])).encode()
    (tmp_path / name).write_bytes(text)
    assert import_coco_labels(project, tmp_path / name, _HASHES, _FRAMES).rows == 1
    (tmp_path / name).write_bytes(gzip.compress(text))
    assert import_coco_labels(project, tmp_path / name, _HASHES, _FRAMES).rows == 1
    assert category_mapping_by_name(project, tmp_path / name) == {"box": "box"}
    assert image_mapping_by_title(project, tmp_path / name) == {1: FrameIndex("u1")}
    for damaged in (gzip.compress(text)[:-9], zlib.compress(text, wbits=31)[:10] + b"\x07" * 20):
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(InputError, match=f"{name}: must be a whole gzip file, got"):
            import_coco_labels(project, tmp_path / name, _HASHES, _FRAMES)


def test_helpers_refuse_ids_that_stand_twice(project: Project) -> None:
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": "1", "file_name": "b.jpg"}]
    with pytest.raises(InputError, match=r"labels: \$\.images\[1\]\.id: must stand for one of images"):
        image_mapping_by_title(project, {"images": images})
    with pytest.raises(InputError, match=r"labels: \$\.categories\[1\]\.id: must stand for one of categories"):
        category_mapping_by_name(project, {"categories": [{"id": 1, "name": name} for name in ("box", "area")]})
    with pytest.raises(PredarrowError, match="title: must be a function of an image's record or None, got 'a'"):
        image_mapping_by_title(project, {"images": images}, "a")  # type: ignore[arg-type]  # on purpose
    with pytest.raises(PredarrowError, match="labels: must be a data set or its file, got list"):
        image_mapping_by_title(project, images)  # type: ignore[arg-type]  # on purpose
