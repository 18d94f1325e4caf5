"""Boxes from a model's arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import predarrow
from predarrow import Code, InputError, PredarrowError, Report, from_detections, from_masks
from predarrow.table import SCHEMA

BOXES = np.array([[10, 20, 30, 60], [0, 0, 5, 5], [1.5, 2.5, 1.5, 9]], np.float32)
BOX_COLUMNS = ("xmin", "ymin", "xmax", "ymax")


def corners(table: pa.Table) -> list[list[float]]:
    return [[row[name] for name in BOX_COLUMNS] for row in table["bbox"].to_pylist()]


def problems(*args: Any, **options: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        from_detections(*args, **options)
    return str(caught.value).splitlines()


def test_columns() -> None:
    table = from_detections(
        BOXES, [0.5, 97.85, -3], [1, 0, 1], ["b", "a", "b"], classes=["car", "person"], image_sizes=(100, 200)
    )
    table.validate(full=True)
    assert table.schema.equals(SCHEMA, check_metadata=True)
    assert table["data_unit"].to_pylist() == ["b", "a", "b"]
    assert table["class_name"].to_pylist() == ["person", "car", "person"]
    assert table["confidence"].to_pylist() == [0.5, 97.85, -3.0]
    assert table["kind"].to_pylist() == ["bbox"] * 3
    assert table["frame"].to_pylist() == [0] * 3
    assert table["row"].to_pylist() == [0, 1, 2]
    assert table["image_height"].to_pylist() == [100] * 3
    assert table["image_width"].to_pylist() == [200] * 3
    assert corners(table) == BOXES.tolist()
    for name in ("object_id", "feature_hash", "rotation", "polygon", "mask", "attributes", "source"):
        assert table[name].null_count == 3


def test_one_value_for_all_and_none() -> None:
    table = from_detections(BOXES, None, "car", 7, frames=3)
    assert table["confidence"].null_count == 3
    assert set(table["class_name"].to_pylist()) == {"car"}
    assert set(table["data_unit"].to_pylist()) == {"7"}
    assert set(table["frame"].to_pylist()) == {3}
    assert set(from_detections(BOXES, None, None, "x")["class_name"].to_pylist()) == {"1"}
    assert set(from_detections(BOXES, None, 2, "x", classes={2: "dog"})["class_name"].to_pylist()) == {"dog"}
    assert set(from_detections(BOXES, None, np.int64(2), "x")["class_name"].to_pylist()) == {"2"}


def test_ids_frames_objects_and_sizes_row_by_row() -> None:
    table = from_detections(
        BOXES,
        None,
        ["a", "b", "c"],
        np.array([4, 5, 4]),
        frames=[0, 1, 2],
        object_ids=[7, None, 8],
        image_sizes={4: (10, 20), 5: (30, 40)},
    )
    assert table["data_unit"].to_pylist() == ["4", "5", "4"]
    assert table["frame"].to_pylist() == [0, 1, 2]
    assert table["object_id"].to_pylist() == ["7", None, "8"]
    assert table["image_height"].to_pylist() == [10, 30, 10]
    assert table["image_width"].to_pylist() == [20, 40, 20]
    assert from_detections(BOXES, None, 1, "x", object_ids=["p", "q", None])["object_id"].to_pylist() == [
        "p",
        "q",
        None,
    ]


@pytest.mark.parametrize("unit", ["pixel", "percent", "relative"])
@pytest.mark.parametrize("layout", ["xyxy", "xywh", "cxcywh"])
def test_layouts_and_units(layout: Any, unit: Any) -> None:
    x0, y0, x1, y1 = BOXES.astype(np.float64).T
    given = {
        "xyxy": [x0, y0, x1, y1],
        "xywh": [x0, y0, x1 - x0, y1 - y0],
        "cxcywh": [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0],
    }[layout]
    height, width = 64, 128
    scale = {"pixel": 1, "percent": 100, "relative": 1}[unit]
    sides = np.array([1, 1, 1, 1] if unit == "pixel" else [width, height, width, height])
    boxes = np.stack(given, axis=1) * scale / sides
    table = from_detections(boxes, None, 1, "x", box_format=layout, box_unit=unit, image_sizes=(height, width))
    assert np.allclose(corners(table), BOXES, rtol=1e-12)


def test_rotated_boxes() -> None:
    table = from_detections([[50, 40, 20, 10]], [0.5], ["car"], "x", box_format="cxcywh", rotations=[30])
    assert table["kind"].to_pylist() == ["rotated_bbox"]
    assert table["rotation"].to_pylist() == [30.0]
    assert corners(table) == [[40, 35, 60, 45]]


def test_a_batch_is_the_images_one_after_the_other() -> None:
    boxes = [BOXES, np.empty((0, 4), np.float32), BOXES[:1], []]
    batch = from_detections(
        boxes,
        [[0.1, 0.2, 0.3], np.empty(0), np.array([0.4]), []],
        [np.array([1, 2, 3]), [], np.array([4]), []],
        ["a", "b", "c", "d"],
        frames=[0, 1, 2, 3],
        object_ids=[["p", None, "q"], [], ["r"], []],
        image_sizes=[(10, 20), (30, 40), (50, 60), (70, 80)],
        rotations=[[1, 2, 3], [], [4], []],
    )
    flat = from_detections(
        np.concatenate([BOXES, BOXES[:1]]),
        [0.1, 0.2, 0.3, 0.4],
        [1, 2, 3, 4],
        ["a", "a", "a", "c"],
        frames=[0, 0, 0, 2],
        object_ids=["p", None, "q", "r"],
        image_sizes=[(10, 20)] * 3 + [(50, 60)],
        rotations=[1, 2, 3, 4],
    )
    assert batch.equals(flat)
    by_id = {"a": (10, 20), "b": (30, 40), "c": (50, 60), "d": (70, 80)}
    sized = from_detections(boxes, None, 1, ["a", "b", "c", "d"], image_sizes=by_id)
    assert sized["image_width"].to_pylist() == [20, 20, 20, 60]
    stacked = np.stack([BOXES, BOXES + 1])  # as networks give them that find the same number in each image
    scores = np.arange(6.0).reshape(2, 3)
    of_both = from_detections(list(stacked), scores, [[1] * 3] * 2, ["a", "b"])
    flat = from_detections(stacked.reshape(6, 4), scores.reshape(6), 1, ["a"] * 3 + ["b"] * 3)
    assert of_both.equals(flat)
    names = from_detections(boxes, None, [["x", "y", "z"], [], ["x"], []], ["a", "b", "c", "d"])
    assert names["class_name"].to_pylist() == ["x", "y", "z", "x"]


@pytest.mark.parametrize(
    ("boxes", "empty", "ids", "sizes"),
    [
        ([], [], "x", (5, 5)),
        ([], [], [], []),
        (np.empty((0, 4)), np.empty(0), [], None),
        ([[], []], [[], []], ["a", "b"], [(5, 5), (6, 6)]),
        ([np.empty((0, 4))], [np.empty(0)], ["a"], None),
    ],
)
def test_nothing(boxes: Any, empty: Any, ids: Any, sizes: Any) -> None:
    table = from_detections(boxes, empty, empty, ids, classes=["car"], image_sizes=sizes)
    assert table.num_rows == 0
    assert table.schema.equals(SCHEMA)
    assert from_detections(boxes, empty, empty, ids, object_ids=empty, rotations=empty).num_rows == 0
    for label in (None, 7):  # which `classes` need not name where it is no row's
        assert from_detections(boxes, None, label, ids, classes=["car"], image_sizes=sizes).equals(table)


class OnlyDlpack:
    """An array of another library on the processor."""

    def __init__(self, values: npt.NDArray[Any]) -> None:
        self._values = values

    def __dlpack__(self, **options: Any) -> Any:
        return self._values.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._values.__dlpack_device__()


class OnlyArray:
    """An array of a library that speaks `__array__` alone."""

    def __init__(self, values: npt.NDArray[Any]) -> None:
        self._values = values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self._values if dtype is None else self._values.astype(dtype)


class OnDevice:
    """A tensor that needs a gradient and lies on a device, as torch's are asked for."""

    dtype = "fake.bfloat16"

    def __init__(self, values: npt.NDArray[Any], state: str = "gradient") -> None:
        self._values, self._state = values, state

    def detach(self) -> OnDevice:
        return OnDevice(self._values, "device" if self._state == "gradient" else self._state)

    def cpu(self) -> OnDevice:
        assert self._state != "gradient"
        return OnDevice(self._values, "bfloat16" if self._state == "device" else self._state)

    def float(self) -> npt.NDArray[Any]:
        assert self._state == "bfloat16"
        return self._values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        raise TypeError("got unsupported ScalarType BFloat16")


@pytest.mark.parametrize("wrap", [OnlyDlpack, OnlyArray, OnDevice, np.ndarray.tolist, list, pa.FixedShapeTensorArray])
def test_arrays_of_other_libraries(wrap: Any) -> None:
    if wrap is pa.FixedShapeTensorArray:  # Arrow's own arrays, for columns
        table = from_detections(
            BOXES, pa.array([0.5, 1, 2]), pa.array([1, 2, 3]), pa.chunked_array([["a"], ["b", "c"]])
        )
        assert table["confidence"].to_pylist() == [0.5, 1, 2]
        assert table["data_unit"].to_pylist() == ["a", "b", "c"]
        return
    scores = np.array([0.5, 1, 2], np.float32)
    table = from_detections(wrap(BOXES), wrap(scores), 1, "x")
    assert corners(table) == BOXES.tolist()
    assert table["confidence"].to_pylist() == scores.tolist()
    assert from_detections([wrap(BOXES), wrap(BOXES)], None, 1, ["x", "y"]).num_rows == 6


def test_torch() -> None:
    torch = pytest.importorskip("torch")
    boxes = torch.tensor(BOXES.tolist(), requires_grad=True)
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        table = from_detections(boxes.to(dtype), torch.ones(3, dtype=dtype), torch.tensor([1, 2, 3]), "x")
        assert corners(table) == boxes.to(dtype).tolist()


def test_bfloat16_of_jax() -> None:
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    boxes, scores = BOXES.astype(bfloat16), np.array([0.5, 0.25, 1]).astype(bfloat16)
    wanted = from_detections(boxes.astype(np.float32), [0.5, 0.25, 1], [1, 2, 3], "x")
    for wrap in (np.asarray, OnlyArray):
        assert from_detections(wrap(boxes), wrap(scores), [1, 2, 3], "x").equals(wanted)
    masks = np.array([[[-1, 2], [3, -4]]], np.float32)
    assert from_masks(masks.astype(bfloat16), threshold=0).equals(from_masks(masks, threshold=0))


def test_texts_of_other_libraries() -> None:
    for ids in (np.array(["a", "b", "c"]), np.array(["a", "b", "c"], object), ("a", "b", "c")):
        assert from_detections(BOXES, None, ids, ids)["data_unit"].to_pylist() == ["a", "b", "c"]
    views = pa.array(["a", "b", "c"], pa.large_string())
    assert from_detections(BOXES, None, views, views)["class_name"].to_pylist() == ["a", "b", "c"]
    scalars = [np.int64(3), np.int64(4), np.int64(5)]
    assert from_detections(BOXES, None, 1, scalars)["data_unit"].to_pylist() == ["3", "4", "5"]


def test_the_callers_arrays_are_neither_changed_nor_kept() -> None:
    boxes, scores, frames = BOXES.astype(np.float64), np.array([0.5, 0.6, 0.7]), np.array([1, 2, 3], np.int32)
    arrays: list[npt.NDArray[Any]] = [boxes, scores, frames]
    fixed = [array.copy() for array in arrays]
    table = from_detections(boxes, scores, 1, "x", frames=frames)
    assert all(np.array_equal(a, b) for a, b in zip(arrays, fixed, strict=True))
    assert all(array.flags.writeable for array in arrays)
    for array in arrays:
        array[...] = 0
    assert corners(table) == fixed[0].tolist()
    assert table["confidence"].to_pylist() == fixed[1].tolist()
    assert table["frame"].to_pylist() == fixed[2].tolist()


def test_classes_left_out_on_purpose() -> None:
    report = Report()
    table = from_detections(BOXES, None, [0, 1, 0], "x", classes={0: None, 1: "car"}, report=report)
    assert table["class_name"].to_pylist() == ["car"]
    assert table["row"].to_pylist() == [1]
    assert report.skipped == {"class is mapped to None": 2}
    assert from_detections(BOXES, None, 0, "x", classes={0: None}, report=report).num_rows == 0
    assert report.skipped.total() == 5


def test_places_of_bad_values() -> None:
    boxes = np.tile(BOXES[:1], (20, 1))
    boxes[17, 2] = 5
    boxes[19, 0] = np.nan
    rule = "must not have a negative width or height (is box_format right?), got [10.0, 20.0, 5.0, 60.0]"
    assert problems(boxes, None, 1, "x") == [
        f"boxes[17]: {rule}",
        "boxes[19]: must be finite numbers, got [nan, 20.0, 30.0, 60.0]",
    ]
    assert problems([BOXES, boxes], None, 1, ["x", "y"])[0] == f"boxes[1][17]: {rule}"
    assert problems(BOXES, [0, np.inf, 1], 1, "x") == ["scores[1]: must be a finite number, got inf"]
    assert problems([BOXES, BOXES], [[0, 1, 2], [0, 1, np.nan]], 1, ["x", "y"]) == [
        "scores[1][2]: must be a finite number, got nan"
    ]
    assert problems(BOXES, None, [0, 5, 1], "x", classes=["a", "b"]) == [
        "labels[1]: must be a number that classes names, got 5; name it, or map it to None to leave it out"
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"boxes": BOXES[:, :3]}, "boxes: must have shape (n, 4), got (3, 3)"),
        ({"boxes": BOXES[None]}, "boxes: must have shape (n, 4), got (1, 3, 4); give a batch as list(boxes)"),
        ({"boxes": "boxes"}, "boxes: must have shape (n, 4), got ()"),
        ({"boxes": np.zeros((3, 4), np.complex64)}, "boxes: must be numbers, got complex64"),
        ({"boxes": [[1, 2, 3, 4], [1, 2]]}, "boxes: must be an array of numbers, got [[1, 2, 3, 4], [1, 2]] ("),
        ({"scores": [1, 2]}, "scores: must have shape (3,), one value for each prediction, got (2,)"),
        ({"scores": ["a", "b", "c"]}, "scores: must be numbers, got <U1"),
        ({"labels": [1.5, 2, 3]}, "labels: must be texts or whole numbers, got double: 1.5, 2.0, 3.0"),
        ({"labels": [1, 2]}, "labels: must have 3 values, one for each prediction, or be one for all, got 2"),
        ({"labels": ["a", None, "b"]}, "labels[1]: must be text or a number, got none"),
        ({"labels": ["a", 1, "b"]}, "labels: must be texts, or whole numbers of 64 bits, all of one kind"),
        ({"labels": True}, "labels: must be texts or whole numbers, got bool: True"),
        ({"labels": ["a"] * 3, "classes": ["b"]}, "labels: must be whole numbers where classes are given, got names"),
        ({"labels": [0, 0], "classes": ["b"]}, "labels: must have shape (3,)"),
        ({"image_ids": ["a", "b"]}, "image_ids: must have 3 values"),
        ({"image_ids": None}, "image_ids: must be texts, or whole numbers of 64 bits, all of one kind, got None"),
        ({"frames": -1}, "frames: must be from 0 to 2147483647, got -1"),
        ({"frames": [0, 1, 2**31]}, "frames: must be from 0 to 2147483647, got 2147483648"),
        ({"frames": [0.5, 1, 2]}, "frames: must be whole numbers, got float64"),
        ({"frames": True}, "frames: must be whole numbers, got bool"),
        ({"image_sizes": (10, 0)}, "image_sizes: must be whole numbers of pixels of at least 1, got [10, 0]"),
        ({"image_sizes": (10, np.nan)}, "image_sizes: must be whole numbers of pixels of at least 1"),
        ({"image_sizes": [(1, 2)] * 2}, "image_sizes: must be (height, width), or have shape (3, 2), got (2, 2)"),
        ({"image_sizes": {"y": (1, 2)}}, "image_sizes: must have the size of every image, got none of 'x'"),
        ({"box_unit": "percent"}, "image_sizes: must be the height and width of each image, got None; give"),
        ({"rotations": [1, 2, np.nan]}, "rotations[2]: must be a finite number, got nan"),
        ({"boxes": [BOXES], "image_ids": "x"}, "image_ids: must have 1 entries, one for each image of boxes, got 'x'"),
        (
            {"boxes": [BOXES], "image_ids": ["x"], "scores": [[1]]},
            "scores[0]: must have shape (3,), one value for each box",
        ),
        ({"boxes": [BOXES], "image_ids": ["x"], "labels": ["car"]}, "labels[0]: must have shape (3,), one value for"),
        ({"boxes": [BOXES, BOXES[0]], "image_ids": ["x", "y"]}, "boxes[1]: must have shape (n, 4), got (4,)"),
    ],
)
def test_refusals(options: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"boxes": BOXES, "scores": None, "labels": 1, "image_ids": "x", **options}
    first, *others = problems(**arguments)
    assert first.startswith(message)
    assert not others


def test_options_that_do_not_hold() -> None:
    with pytest.raises(PredarrowError, match="box_format: must be one of 'xyxy', 'xywh', 'cxcywh', got 'yxyx'"):
        from_detections(BOXES, None, 1, "x", box_format="yxyx")  # type: ignore[arg-type]  # that is the test
    with pytest.raises(PredarrowError, match="box_unit: must be one of"):
        from_detections(BOXES, None, 1, "x", box_unit="inch")  # type: ignore[arg-type]  # that is the test
    with pytest.raises(predarrow.OntologyError, match="classes"):
        from_detections(BOXES, None, 1, "x", classes={1: 5})  # type: ignore[dict-item]  # that is the test


def test_codes() -> None:
    with pytest.raises(InputError) as caught:
        from_detections([[3, 0, 1, 1]], None, 1, "x")
    assert [(problem.code, problem.row) for problem in caught.value.problems] == [(Code.BAD_BOX, 0)]


@settings(max_examples=50)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_any_batch(counts: list[int], random: Any) -> None:
    boxes: list[Any] = [
        np.array([[i, j, i + random.random(), j + 1] for j in range(count)]) for i, count in enumerate(counts)
    ]
    labels = [[random.randrange(3) for _ in range(count)] for count in counts]
    ids = [f"image {i} ü" for i in range(len(counts))]
    table = from_detections(boxes, None, labels, ids, classes=["a", "bb", ""])
    table.validate(full=True)
    assert table["data_unit"].to_pylist() == [ids[i] for i, count in enumerate(counts) for _ in range(count)]
    assert table["class_name"].to_pylist() == [["a", "bb", ""][label] for part in labels for label in part]
    assert corners(table) == [row for part in boxes for row in part.tolist()]
