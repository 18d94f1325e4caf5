"""Results of detection libraries: stand-ins with the libraries' attributes, and the libraries where installed."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from predarrow import (
    InputError,
    Report,
    from_detections,
    from_masks,
    from_supervision,
    from_torchvision,
    from_ultralytics,
)
from predarrow.table import SCHEMA

BOXES = np.array([[10, 20, 30, 60], [0, 0, 5, 5]], np.float32)
SCORES = np.array([0.5, 0.25], np.float32)
MASKS = np.zeros((2, 6, 8), np.float32)
MASKS[0, 1:3, 2:5] = 0.75
MASKS[0, 5, 0] = 0.5
MASKS[1, :, 4:] = 1
NAMES = {0: "person", 1: "car"}


def refused(function: Any, *args: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        function(*args, **options)
    return str(caught.value)


def outputs() -> list[dict[str, Any]]:
    return [
        {"boxes": BOXES, "labels": np.array([1, 0]), "scores": SCORES},
        {"boxes": BOXES[:0], "labels": np.array([], np.int64), "scores": SCORES[:0]},
        {"boxes": BOXES[1:], "labels": np.array([0]), "scores": SCORES[1:]},
    ]


def test_torchvision_boxes() -> None:
    table = from_torchvision(outputs(), ["a", "b", "c"], classes=NAMES, image_sizes=[(70, 80)] * 3)
    ids = ["a", "a", "c"]
    flat = from_detections(BOXES[[0, 1, 1]], SCORES[[0, 1, 1]], [1, 0, 0], ids, classes=NAMES, image_sizes=(70, 80))
    assert table.equals(flat)
    targets = [{key: output[key] for key in ("boxes", "labels")} for output in outputs()]
    assert from_torchvision(targets, [7, 8, 9])["confidence"].null_count == 3
    assert from_torchvision(outputs()[0], "a").num_rows == 2
    assert from_torchvision([], []).num_rows == 0


def test_torchvision_masks() -> None:
    batch = [{**output, "masks": MASKS[: len(output["boxes"]), None]} for output in outputs()]
    batch[2]["masks"] = MASKS[:1] > 0.5  # a target's, or one that was thresholded before
    table = from_torchvision(batch, ["a", "b", "c"], classes=NAMES, frames=[0, 1, 2], form="rle")
    table.validate(full=True)
    assert table["data_unit"].to_pylist() == ["a", "a", "c"]
    assert table["frame"].to_pylist() == [0, 0, 2]
    assert table["class_name"].to_pylist() == ["car", "person", "person"]
    assert table["row"].to_pylist() == [0, 1, 2]
    alone = from_masks(MASKS > 0.5, form="rle")
    assert table["mask"].to_pylist() == alone["mask"].to_pylist() + alone["mask"].to_pylist()[:1]
    report = Report()
    strict = from_torchvision(batch[:1], "a", threshold=0.75, report=report)
    assert strict["row"].to_pylist() == [1]
    assert report.skipped.total() == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda batch: batch[1].pop("labels"), "outputs[1]: must have boxes and labels, got boxes, scores"),
        (lambda batch: batch[0].update(masks=MASKS), "outputs[1]: must have masks, as others of the batch do"),
        (
            lambda batch: batch[2].pop("scores"),
            "outputs[2]: must have scores, as others of the batch do, got boxes, labels",
        ),
        (lambda batch: batch.pop(), "image_ids: must have 2 entries, one for each image, got 3"),
        (lambda batch: batch[2].update(scores=SCORES), "scores[2]: must have shape (1,)"),
        (lambda batch: batch[2].update(boxes=-BOXES[1:]), "boxes[2][0]: must not have a negative width or height"),
    ],
)
def test_torchvision_refusals(change: Any, message: str) -> None:
    batch = outputs()
    change(batch)
    assert refused(from_torchvision, batch, ["a", "b", "c"]).startswith(message)


@pytest.mark.parametrize("masks", [MASKS, MASKS[:0], MASKS[:, None]])
def test_torchvision_has_a_mask_for_each_box(masks: Any) -> None:
    batch = [{**output, "masks": MASKS[: len(output["boxes"])]} for output in outputs()]
    batch[2]["masks"] = masks
    message = refused(from_torchvision, batch, ["a", "b", "c"])
    got = (len(masks), *MASKS.shape[1:])
    assert message == f"outputs[2].masks: must have shape (1, height, width), a mask for each box, got {got}"


def test_slips_in_options_of_masks_do_not_pass_where_there_are_none() -> None:
    takes: list[Any] = [
        lambda **options: from_torchvision(outputs(), ["a", "b", "c"], **options),
        lambda **options: from_ultralytics(result(boxes=boxes()), **options),
        lambda **options: from_supervision(detections_class()(BOXES, class_id=np.array([1, 0])), "a", **options),
    ]
    for take in takes:
        assert take(threshold=0.5).equals(take())
        with pytest.raises(TypeError, match=r"^no such option: treshold$"):
            take(treshold=0.5)


def test_torchvision_itself() -> None:
    torch = pytest.importorskip("torch")
    models = pytest.importorskip("torchvision.models.detection")
    model = models.maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=3).eval()
    images = [torch.rand(3, 64, 96), torch.rand(3, 80, 64)]
    found = model(images)
    table = from_torchvision(found, ["a", "b"])
    assert table.num_rows <= sum(len(output["boxes"]) for output in found)
    assert table.schema.equals(SCHEMA)


def result(**found: Any) -> SimpleNamespace:
    """Give a stand-in for `ultralytics.engine.results.Results`."""
    kinds = dict.fromkeys(("boxes", "masks", "obb", "keypoints", "probs"))
    return SimpleNamespace(**{**kinds, "orig_shape": (6, 8), "names": NAMES, "path": "/data/x/0001.jpg", **found})


def boxes(ids: Any = None) -> SimpleNamespace:
    return SimpleNamespace(xyxy=BOXES, conf=SCORES, cls=np.array([1, 0], np.float32), id=ids)


def test_ultralytics_boxes() -> None:
    empty = SimpleNamespace(xyxy=BOXES[:0], conf=SCORES[:0], cls=np.zeros(0, np.float32), id=None)
    results = [
        result(boxes=boxes(np.array([7, 9], np.float32))),
        result(boxes=empty, path="/data/0002.jpg"),
        result(boxes=boxes(), path="0003.jpg"),
    ]
    table = from_ultralytics(iter(results))
    table.validate(full=True)
    assert table["data_unit"].to_pylist() == ["0001.jpg"] * 2 + ["0003.jpg"] * 2
    assert table["class_name"].to_pylist() == ["car", "person"] * 2
    assert table["object_id"].to_pylist() == ["7", "9", None, None]
    assert table["row"].to_pylist() == [0, 1, 2, 3]
    assert table["bbox"].to_pylist()[0] == {"xmin": 10, "ymin": 20, "xmax": 30, "ymax": 60}
    assert table["image_width"].to_pylist() == [8] * 4
    assert from_ultralytics(results[0], "id", classes=["a", "b"])["class_name"].to_pylist() == ["b", "a"]


def test_ultralytics_videos() -> None:
    results = [result(boxes=boxes(), path="film.mp4")] * 3
    assert "frames: must be given where an image id stands twice" in refused(from_ultralytics, results)
    assert from_ultralytics(results, frames=[0, 1, 2])["frame"].to_pylist() == [0, 0, 1, 1, 2, 2]


def test_ultralytics_masks_of_the_images_size() -> None:
    masks = SimpleNamespace(data=(MASKS > 0.5).astype(np.float32), xy=None)
    table = from_ultralytics(result(boxes=boxes(np.array([3, 4.0])), masks=masks), form="rle")
    alone = from_masks(MASKS > 0.5, form="rle", data_unit="0001.jpg", scores=SCORES, labels=["car", "person"])
    assert table.drop_columns("object_id").equals(alone.drop_columns("object_id"))
    assert table["object_id"].to_pylist() == ["3", "4"]


def test_ultralytics_masks_of_the_networks_size() -> None:
    rings = [np.array([[0, 0], [4, 0], [4.5, 3]], np.float32), np.zeros((0, 2), np.float32)]
    masks = SimpleNamespace(data=np.zeros((2, 3, 4), np.float32), xy=rings)
    found = result(boxes=boxes(np.array([3, 4.0])), masks=masks)
    report = Report()
    table = from_ultralytics([found, result(boxes=boxes(), masks=masks, path="b.png")], report=report)
    table.validate(full=True)
    assert table["kind"].to_pylist() == ["polygon"] * 2
    assert table["polygon"][0].as_py() == [[[{"x": 0, "y": 0}, {"x": 4, "y": 0}, {"x": 4.5, "y": 3}]]]
    assert table["bbox"][0].as_py() == {"xmin": 0, "ymin": 0, "xmax": 4.5, "ymax": 3}
    assert table["object_id"].to_pylist() == ["3", None]
    assert table["row"].to_pylist() == [0, 2]
    assert report.skipped == {"polygon has fewer than 3 points": 2}
    assert from_ultralytics(found, classes={0: "person", 1: None}).num_rows == 0
    message = "results[0].masks: must be 8 x 6 as the image is, got 4 x 3 and form; predict with retina_masks=True"
    assert refused(from_ultralytics, found, form="rle") == message


def test_ultralytics_rotated_boxes() -> None:
    turned = np.array([[50, 40, 20, 10, np.pi / 6]], np.float32)
    obb = SimpleNamespace(xywhr=turned, conf=SCORES[:1], cls=np.ones(1, np.float32), id=None)
    table = from_ultralytics(result(obb=obb))
    assert table["kind"].to_pylist() == ["rotated_bbox"]
    assert table["bbox"].to_pylist() == [{"xmin": 40, "ymin": 35, "xmax": 60, "ymax": 45}]
    assert np.allclose(table["rotation"].to_numpy(), [30])


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"probs": object()}, "results[0]: must have boxes, masks or obb, got probs"),
        ({}, "results[0]: must have boxes, masks or obb, got none"),
        ({"boxes": boxes(), "keypoints": object()}, "results[0]: must have boxes, masks or obb and no keypoints"),
        ({"boxes": boxes(np.array([1.5, 2]))}, "results[0].id: must be whole numbers, got [1.5, 2.0]"),
        ({"boxes": boxes(np.array([np.nan, 2]))}, "results[0].id: must be whole numbers, got [nan, 2.0]"),
        ({"boxes": boxes(np.array([-np.inf, 2]))}, "results[0].id: must be whole numbers, got [-inf, 2.0]"),
        ({"boxes": boxes(), "path": ""}, "results[0].path: must be there where image_ids are not given"),
        (
            {"boxes": boxes(), "names": {0: "person"}},
            "results[0].labels[0]: must be a number that classes names, got 1",
        ),
    ],
)
def test_ultralytics_refusals(found: dict[str, Any], message: str) -> None:
    assert refused(from_ultralytics, [result(**found)]).startswith(message)


def test_ultralytics_itself() -> None:
    results = pytest.importorskip("ultralytics.engine.results")
    torch = pytest.importorskip("torch")
    rows = torch.tensor([[10, 20, 30, 60, 0.5, 1], [0, 0, 5, 5, 0.25, 0]])
    found = results.Results(np.zeros((70, 80, 3), np.uint8), "a/0001.jpg", NAMES, boxes=rows)
    table = from_ultralytics([found])
    assert table["class_name"].to_pylist() == ["car", "person"]
    assert table["bbox"].to_pylist()[0] == {"xmin": 10, "ymin": 20, "xmax": 30, "ymax": 60}


@dataclass
class Detections:
    """Stand-in for `supervision.Detections`."""

    xyxy: npt.NDArray[Any]
    mask: npt.NDArray[Any] | None = None
    confidence: npt.NDArray[Any] | None = None
    class_id: npt.NDArray[Any] | None = None
    tracker_id: npt.NDArray[Any] | None = None
    data: dict[str, Any] = field(default_factory=dict)


def detections_class() -> Any:
    try:
        return import_module("supervision").Detections
    except ImportError:
        return Detections


def test_supervision() -> None:
    make = detections_class()
    found = make(BOXES, None, SCORES, np.array([1, 0]), np.array([5, 6]), {"class_name": np.array(["car", "person"])})
    table = from_supervision(found, "a", frame=3, image_size=(70, 80))
    table.validate(full=True)
    wanted = from_detections(
        BOXES, SCORES, ["car", "person"], "a", object_ids=["5", "6"], frames=3, image_sizes=(70, 80)
    )
    assert table.equals(wanted)
    assert from_supervision(found, "a", classes=["x", "y"])["class_name"].to_pylist() == ["y", "x"]
    numbers = from_supervision(make(BOXES, class_id=np.array([1, 0])), "a")
    assert numbers["class_name"].to_pylist() == ["1", "0"]
    assert numbers["confidence"].null_count == numbers["object_id"].null_count == 2
    assert from_supervision(make(np.zeros((0, 4)), class_id=np.zeros(0, int)), "a").num_rows == 0


def test_supervision_masks() -> None:
    found = detections_class()(BOXES, mask=MASKS > 0.5, confidence=SCORES, class_id=np.array([1, 0]))
    table = from_supervision(found, "a", holes="fill")
    assert table.equals(from_masks(MASKS > 0.5, scores=SCORES, labels=[1, 0], data_unit="a", holes="fill"))


def corners_of(boxes: list[list[float]]) -> npt.NDArray[np.float64]:
    """Give (n, 4, 2) corners of (cx, cy, width, height, degrees clockwise on screen)."""
    corners = []
    for x, y, width, height, degrees in boxes:
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        around = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, height / 2]
        corners.append(around @ np.array([[cos, sin], [-sin, cos]]) + [x, y])
    return np.array(corners)


def test_supervision_rotated_boxes() -> None:
    corners = corners_of([[50, 40, 20, 10, 30], [10, 10, 4, 6, -100]])
    found = Detections(BOXES, class_id=np.array([1, 0]), data={"xyxyxyxy": corners})
    table = from_supervision(found, "a")
    assert table["kind"].to_pylist() == ["rotated_bbox"] * 2
    assert np.allclose(table["rotation"].to_numpy(), [30, -100])
    found_boxes = [list(box.values()) for box in table["bbox"].to_pylist()]
    assert np.allclose(found_boxes, [[40, 35, 60, 45], [8, 7, 12, 13]])
    corners[1, 2] += 1
    message = refused(from_supervision, Detections(BOXES, class_id=np.array([1, 0]), data={"xyxyxyxy": corners}), "a")
    assert message.startswith("xyxyxyxy[1]: must be the corners of a rectangle")
    found.data = {"xyxyxyxy": corners[:, :3]}
    assert refused(from_supervision, found, "a") == "xyxyxyxy: must have shape (n, 4, 2), got (2, 3, 2)"


def test_tables_join() -> None:
    table = from_supervision(Detections(BOXES, class_id=np.array([1, 0])), "a")
    assert pa.concat_tables([table, from_torchvision(outputs(), [1, 2, 3])]).num_rows == 5
