from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest

import predarrow
from predarrow.errors import PredarrowError
from predarrow.objects.predictions import BoundingBox, Format, FrameClassification, ObjectDetection, Polygon, Prediction
from predarrow.objects.shapes import Rings, ShapeError, shape_of

TRIANGLE = [[0.1, 0.2], [0.5, 0.2], [0.5, 0.75]]
SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
BOX = BoundingBox(0.1, 0.2, 0.3, 0.4)


class Tensor:
    """Stands in for another library's array, torch's for one."""

    def __init__(self, data: Any) -> None:
        self._data = np.array(data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self._data, dtype)


def _shape(format_: Any, data: Any) -> Any:
    return shape_of(ObjectDetection(format_, data, "hash"))


def test_encords_spelling() -> None:
    detection = predarrow.ObjectDetection(
        format=predarrow.Format.BOUNDING_BOX,
        data=predarrow.BoundingBox(x=0.1, y=0.2, h=0.4, w=0.3),
        feature_hash="hash",
    )
    prediction = predarrow.Prediction(data_hash="unit", frame=3, confidence=0.5, object=detection)
    assert (prediction.data_unit, prediction.frame, prediction.confidence) == ("unit", 3, 0.5)
    assert prediction.object is detection
    assert detection.data == BOX
    answer = FrameClassification(feature_hash="a", attribute_hash="b", option_hash="c")
    assert Prediction(data_hash="unit", confidence=0.5, classification=answer).classification == answer
    assert [*Format] == ["bounding-box", "polygon", "mask"]


def test_objects_do_not_change() -> None:
    prediction = Prediction("unit", object=ObjectDetection("mask", np.eye(2), "hash"))
    for thing, name in ((prediction, "frame"), (prediction.object, "data"), (BOX, "x"), (Polygon(TRIANGLE), "unit")):
        with pytest.raises(FrozenInstanceError):
            setattr(thing, name, 1)
        assert not hasattr(thing, "__dict__")


def test_objects_go_to_other_processes() -> None:
    prediction = Prediction("unit", 2, None, ObjectDetection("bounding-box", BOX, "hash", 5))
    copy = pickle.loads(pickle.dumps(prediction))
    assert (copy.data_unit, copy.frame, copy.confidence, copy.object.data) == ("unit", 2, None, BOX)
    assert (copy.object.track_id, copy.classification) == (5, None)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"data_unit": "a"}, "either an object or a classification, got neither"),
        (
            {
                "data_unit": "a",
                "object": ObjectDetection("mask", [[1]], "h"),
                "classification": FrameClassification("a", "b", "c"),
            },
            "either an object or a classification, got both",
        ),
        ({"classification": FrameClassification("a", "b", "c")}, "either data_unit or data_hash, got neither"),
        (
            {"data_unit": "a", "data_hash": "a", "classification": FrameClassification("a", "b", "c")},
            "either data_unit or data_hash, got both",
        ),
    ],
)
def test_exactly_one_of_two(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(PredarrowError, match=text):
        Prediction(**arguments)


@pytest.mark.parametrize(
    "data",
    [
        BOX,
        {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4},
        [0.1, 0.2, 0.3, 0.4],
        (0.1, 0.2, 0.3, 0.4, 0.0),
        np.array([0.1, 0.2, 0.3, 0.4]),
        Tensor([0.1, 0.2, 0.3, 0.4]),
        '{"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4, "theta": 0}',
        "[0.1, 0.2, 0.3, 0.4]",
    ],
    ids=lambda data: type(data).__name__,
)
def test_boxes_in_every_form(data: Any) -> None:
    assert _shape("bounding-box", data) == BOX


def test_a_mapping_may_tell_the_unit() -> None:
    data = {"x": 1, "y": 2, "w": 3, "h": 4, "theta": 90, "unit": "pixel"}
    assert _shape(Format.BOUNDING_BOX, data) == BoundingBox(1, 2, 3, 4, 90, "pixel")


@pytest.mark.parametrize("make", [list, tuple, np.array, Polygon, Tensor, str], ids=lambda make: make.__name__)
def test_polygons_in_every_form(make: Any) -> None:
    shape = _shape("polygon", make(TRIANGLE))
    assert isinstance(shape, Rings)
    assert (shape.rings, shape.unit) == ([1], "relative")
    assert [ring.tolist() for ring in shape.xy] == [TRIANGLE]


def test_polygons_of_parts_with_holes() -> None:
    parts = [[SQUARE, TRIANGLE], [TRIANGLE]]
    for data in (parts, Polygon(parts, "pixel"), [[np.array(ring) for ring in part] for part in parts]):
        shape = _shape("polygon", data)
        assert shape.rings == [2, 1]
        assert [ring.tolist() for ring in shape.xy] == [SQUARE, TRIANGLE, TRIANGLE]
    assert _shape("polygon", np.array([[TRIANGLE]])).rings == [1]
    assert _shape("polygon", Polygon(parts, "pixel")).unit == "pixel"


def test_a_closed_ring_is_opened() -> None:
    assert _shape("polygon", [*SQUARE, SQUARE[0]]).xy[0].tolist() == SQUARE


@pytest.mark.parametrize(
    "data",
    [
        np.array([[0, 1, 0], [1, 1, 0]], np.uint8),
        np.array([[0, 1, 0], [1, 1, 0]], np.bool_),
        np.array([[0, 1, 0], [1, 1, 0]], np.int64),
        np.array([[0, 1, 0], [1, 1, 0]], np.float32),
        [[0, 1, 0], [True, 1, 0]],
        "[[0, 1, 0], [1, 1, 0]]",
        Tensor([[0, 1, 0], [1, 1, 0]]),
    ],
)
@pytest.mark.parametrize("format_", ["mask", "polygon"])
def test_masks_in_every_form(format_: str, data: Any) -> None:
    mask = _shape(format_, data)
    assert mask.dtype in (np.uint8, np.bool_)
    assert mask.tolist() == [[0, 1, 0], [1, 1, 0]]


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int64, np.float64])
def test_two_columns_are_what_the_format_says(dtype: type[Any]) -> None:
    data = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], dtype)
    assert np.array_equal(_shape("mask", data), data)
    assert _shape("polygon", Polygon(data.astype(np.float64))).xy[0].tolist() == data.tolist()
    if dtype is np.float64:
        assert _shape("polygon", data).xy[0].tolist() == data.tolist()
    else:
        with pytest.raises(ShapeError, match="may be points or a mask 2 pixels wide"):
            _shape("polygon", data)


@pytest.mark.parametrize(
    ("format_", "data", "pointer", "text"),
    [
        ("box", BOX, "object.format", "must be one of bounding-box, polygon, mask, got 'box'"),
        (None, BOX, "object.format", "got None"),
        ("bounding-box", "[0.1", "object.data", "text must be JSON"),
        ("bounding-box", "[" * 100_000, "object.data", "text must be JSON"),
        ("bounding-box", [1, 2, 3], "object.data", r"got shape \(3,\)"),
        ("bounding-box", ["0.1", "0.2", "0.3", "0.4"], "object.data", "must be an array of numbers"),
        ("bounding-box", {"x": 1, "y": 2, "w": 3}, "object.data", "got no h"),
        ("bounding-box", {"x": 1, "y": 2, "w": 3, "h": 4, "rotation": 5}, "object.data", "only, got 'rotation'"),
        ("bounding-box", Polygon(TRIANGLE), "object.data", "must be an array of numbers, got Polygon"),
        ("polygon", BOX, "object.data", r"must be \(n, 2\) points .* got BoundingBox"),
        ("polygon", {"0": {"x": 0, "y": 0}}, "object.data", r"must be \(n, 2\) points"),
        ("polygon", TRIANGLE[:2], "object.data", "at least 3 points, the first one counted once, got 2"),
        (
            "polygon",
            [*TRIANGLE[:2], TRIANGLE[0]],
            "object.data",
            "at least 3 points, the first one counted once, got 2",
        ),
        ("polygon", [], "object.data", "got 1 levels"),
        ("polygon", [TRIANGLE], "object.data", "got 3 levels"),
        (
            "polygon",
            [[TRIANGLE, TRIANGLE[:1]]],
            r"object.data[0][1]",
            "at least 3 points, the first one counted once, got 1",
        ),
        ("polygon", [[TRIANGLE], []], r"object.data[1]", "at least one ring"),
        ("polygon", [[TRIANGLE], 5], r"object.data[1]", "at least one ring, got 5"),
        ("polygon", [[0.1, 0.2], [0.3], [0.1, 0.1]], "object.data", "must be an array of numbers"),
        ("polygon", [["0", "0"], ["1", "0"], ["1", "1"]], "object.data", "must be an array of numbers"),
        ("polygon", [[0.1, 0.2, 0.3]] * 3, "object.data", r"or a mask of 0 and 1, got shape \(3, 3\)"),
        ("polygon", Polygon(np.ones((3, 3))), "object.data", r"\(n, 2\) points, got shape \(3, 3\)"),
        ("mask", np.array([[0, 255]], np.uint8), "object.data", "from 0 to 255; make it one with mask > 0"),
        ("mask", np.array([[0, 0.7]]), "object.data", "from 0.0 to 0.7; make it one with mask > threshold"),
        ("mask", np.array([[0, np.nan]]), "object.data", "0 and 1 only"),
        ("mask", np.array([[0, -1]]), "object.data", "from -1 to 0"),
        ("mask", np.ones((1, 2, 3)), "object.data", r"must be \(height, width\), got shape \(1, 2, 3\)"),
        ("mask", np.ones((0, 3)), "object.data", r"got shape \(0, 3\)"),
        ("mask", "[[1, 2], [1]]", "object.data", "must be an array of numbers"),
        ("mask", object(), "object.data", "must be an array of numbers, got <object"),
    ],
)
def test_what_is_refused(format_: Any, data: Any, pointer: str, text: str) -> None:
    with pytest.raises(ShapeError, match=text) as caught:
        _shape(format_, data)
    assert caught.value.pointer == pointer


def test_callers_arrays_are_copied_and_left_alone() -> None:
    points = np.array(TRIANGLE)
    before = points.copy()
    shape = _shape("polygon", points)
    assert np.array_equal(points, before)
    assert not np.shares_memory(shape.xy[0], points)
