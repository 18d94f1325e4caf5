"""Boxes of any array library and of Arrow columns, and the refusal of those that are none."""

from __future__ import annotations

import doctest
import math
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

import predarrow.boxes
from predarrow import Code, InputError, PredarrowError, check_boxes, convert_boxes
from predarrow.boxes import BoxLayout, BoxUnit

LAYOUTS: list[BoxLayout] = ["xyxy", "xywh", "cxcywh"]
UNITS: list[BoxUnit] = ["pixel", "percent", "relative"]
ROWS = np.array([[10.0, 20.0, 30.0, 60.0], [1.5, 2.5, 3.5, 4.5], [0.0, 0.0, 7.0, 9.0]])
masked: Any = np.ma.masked_array  # untyped in NumPy 2.2
SIZES = np.array([[480, 640], [100, 50], [9, 7]])


def test_examples_of_the_documents() -> None:
    assert doctest.testmod(predarrow.boxes).attempted == 2
    assert doctest.testmod(predarrow.boxes).failed == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_as_one_writes_it_with_numpy(dtype: type[np.floating[Any]]) -> None:
    rows = ROWS.astype(dtype)
    cx, cy, w, h = rows.T
    expected = np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], axis=1)
    result = convert_boxes(rows, "cxcywh", "xyxy")
    np.testing.assert_array_equal(result, expected, strict=True)
    np.testing.assert_array_equal(convert_boxes(rows[0], "cxcywh", "xyxy"), expected[0], strict=True)
    np.testing.assert_array_equal(rows, ROWS.astype(dtype))


def test_kitti_and_openlabel() -> None:
    assert convert_boxes([10, 20, 30, 60], "kitti", "openlabel").tolist() == [20, 40, 20, 40]
    assert convert_boxes(
        [20, 40, 20, 40], "openlabel", "xywh", target_unit="relative", image_size=(100, 200)
    ).tolist() == [
        0.05,
        0.2,
        0.1,
        0.4,
    ]


@pytest.mark.parametrize(
    ("given_boxes", "dtype"),
    [
        (ROWS.tolist(), np.float64),
        (ROWS.astype(np.float16), np.float32),
        (ROWS.astype(np.int64), np.float64),
        (ROWS.astype(np.uint8), np.float64),
        (ROWS.astype(">f4"), np.float32),
        (np.asfortranarray(ROWS), np.float64),
        (np.repeat(ROWS, 2, axis=1)[:, ::2], np.float64),
        (masked(ROWS, False), np.float64),
    ],
)
def test_what_comes_as_numbers(given_boxes: Any, dtype: type[np.floating[Any]]) -> None:
    expected = convert_boxes(np.array(given_boxes, dtype, order="C"), "xywh", "cxcywh")
    result = convert_boxes(given_boxes, "xywh", "cxcywh")
    np.testing.assert_array_equal(result, expected, strict=True)
    assert type(result) is np.ndarray


class Exporting:
    """What torch and others show of their memory."""

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


class Converting:
    def __init__(self, array: npt.NDArray[Any]) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self.array


@pytest.mark.parametrize("library", [Exporting, Converting])
def test_arrays_of_other_libraries_are_not_copied(library: Any) -> None:
    rows = ROWS.copy()
    shared = library(rows)
    np.testing.assert_array_equal(convert_boxes(shared, "xyxy", "xywh"), convert_boxes(ROWS, "xyxy", "xywh"))
    np.testing.assert_array_equal(rows, ROWS)
    assert convert_boxes(shared, "xyxy", "xywh", out=rows) is rows  # the same memory: in place
    np.testing.assert_array_equal(rows, convert_boxes(ROWS, "xyxy", "xywh"))


def test_torch() -> None:
    torch = pytest.importorskip("torch", reason="torch is gigabytes, and no dependency")
    tensor = torch.tensor(ROWS, dtype=torch.float32, requires_grad=True)
    result = convert_boxes(tensor, "xyxy", "xywh")
    np.testing.assert_array_equal(result, convert_boxes(ROWS.astype(np.float32), "xyxy", "xywh"), strict=True)
    plain = tensor.detach()
    convert_boxes(plain, "xyxy", "xywh", out=plain.numpy())
    np.testing.assert_array_equal(plain.numpy(), result)


def test_torchvision() -> None:
    torch = pytest.importorskip("torch", reason="torch is gigabytes, and no dependency")
    ops = pytest.importorskip("torchvision.ops", reason="torchvision is no dependency")
    rows = np.random.default_rng(0).uniform(0, 500, (1000, 4)).astype(np.float32)
    for source, target in product(LAYOUTS, LAYOUTS):
        theirs = ops.box_convert(torch.from_numpy(rows), source, target).numpy()
        np.testing.assert_allclose(convert_boxes(rows, source, target), theirs, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize(("source", "target"), list(product(LAYOUTS, LAYOUTS)))
@pytest.mark.parametrize(("source_unit", "target_unit"), list(product(UNITS, UNITS)))
def test_out(source: BoxLayout, target: BoxLayout, source_unit: BoxUnit, target_unit: BoxUnit) -> None:
    def convert(rows: npt.NDArray[Any], out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        units = {"source_unit": source_unit, "target_unit": target_unit}
        result: npt.NDArray[Any] = convert_boxes(rows, source, target, **units, image_size=SIZES, out=out)
        return result

    expected = convert(ROWS)
    out = np.empty_like(ROWS)
    assert convert(ROWS, out) is out
    np.testing.assert_array_equal(out, expected)
    rows = ROWS.copy()
    assert convert(rows, rows) is rows
    np.testing.assert_array_equal(rows, expected)
    memory = np.concatenate([ROWS, np.zeros((1, 4))])
    convert(memory[:3], memory[1:])  # shares memory, one row on
    np.testing.assert_array_equal(memory[1:], expected)


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (np.empty((3, 4), np.float32), r"float64 of shape \(3, 4\), got float32 of shape \(3, 4\)"),
        (np.empty((4, 4)), r"got float64 of shape \(4, 4\)"),
        (np.empty((4, 3)).T, "must be contiguous"),
        (np.frombuffer(bytes(96)).reshape(3, 4), "must be contiguous and writeable"),
        ([[0.0] * 4] * 3, "must be a NumPy array of float64.*, got list"),
    ],
)
def test_an_out_that_cannot_hold_the_result(out: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"^out: .*{message}"):
        convert_boxes(ROWS, "xyxy", "xywh", out=out)


@pytest.mark.parametrize(
    ("given_boxes", "message"),
    [
        (np.zeros((2, 3)), r"^boxes: must have shape \(n, 4\) or \(4,\), got \(2, 3\)$"),
        (np.zeros((1, 2, 4)), r"got \(1, 2, 4\)$"),
        (np.float64(3), r"got \(\)$"),
        (np.zeros((2, 4), bool), r"^boxes: must be float32, float64 or integers, got bool$"),
        (np.zeros((2, 4), complex), "got complex128$"),
        (np.zeros((2, 4), np.longdouble), "got (longdouble|float128)$"),
        ([["a"] * 4], "^boxes: must be"),
        (object(), "^boxes: must be"),
        (masked(ROWS, ROWS > 50), "^boxes: must have no masked"),
    ],
)
def test_arrays_that_are_no_boxes(given_boxes: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        convert_boxes(given_boxes, "xyxy", "xywh")
    assert refusal.value.problems[0].code == Code.BAD_ARRAY
    with pytest.raises(InputError, match=message):
        check_boxes(given_boxes, "xyxy")


@pytest.mark.parametrize(
    ("image_size", "message"),
    [
        (None, r"^image_size: must be \(height, width\) between pixels and other units, .*, got None$"),
        ((0, 640), "^image_size: height and width must be finite and positive, got 0 and 640$"),
        ((480, math.nan), "got 480.0 and nan$"),
        ([480, math.inf], "got 480.0 and inf$"),
        ((480, 640, 3), r"^image_size: must be \(height, width\) or have shape \(3, 2\), got shape \(3,\)$"),
        ([[480, 640]], r"got shape \(1, 2\)$"),
        ([[480, 640], [-1, 5], [1, 0]], r"^image_size\[1\]: .* got -1 and 5\nimage_size\[2\]: .* got 1 and 0$"),
        ((True, True), "^image_size: must be numbers, got bool$"),
        ((10**400, 640), "^image_size: must be"),
        ((0.0, 0.5), "got 0.0 and 0.5$"),
        (("480", "640"), "^image_size: must be"),
    ],
)
@pytest.mark.parametrize("column", [ROWS, pa.array(ROWS.tolist())])
def test_image_sizes_that_are_none(column: Any, image_size: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        convert_boxes(column, "xyxy", "xywh", source_unit="percent", image_size=image_size)


def test_a_size_that_does_not_matter_is_not_looked_at() -> None:
    np.testing.assert_array_equal(
        convert_boxes(ROWS, "xyxy", "xyxy", source_unit="relative", target_unit="percent", image_size="none"),
        ROWS * 100,
    )


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("yxyx", "xyxy", "pixel", "pixel"), "source: must be one of xyxy, xywh, cxcywh, kitti, openlabel, got 'yxyx'"),
        (("xyxy", "yxyx", "pixel", "pixel"), "target: must be one of"),
        (("xyxy", "xyxy", "px", "pixel"), "source_unit: must be one of pixel, percent, relative, got 'px'"),
        (("xyxy", "xyxy", "pixel", "px"), "target_unit: must be one of"),
        (
            ("xyxy", "kitti", "pixel", "percent"),
            "target_unit: must be pixel for kitti, got 'percent'; name the layout 'xyxy'",
        ),
    ],
)
def test_names_that_are_none(names: tuple[Any, Any, Any, Any], message: str) -> None:
    with pytest.raises(PredarrowError, match=f"^{message}"):
        convert_boxes(ROWS, names[0], names[1], source_unit=names[2], target_unit=names[3])


FLAWED = np.array([[0, 0, 5, 5], [9, 0, 7, 5], [0, math.nan, 1, 1], [3, 3, 3, 4], [90, 0, 101, 5], [0, 5, 5, 2.5]])


@pytest.mark.parametrize(
    ("refuse", "bad"),
    [
        (["not_finite", "negative_size"], [1, 2, 5]),
        (["negative_size"], [1, 5]),
        (["zero_size"], [3]),
        (["outside"], [4]),
        (["not_finite", "negative_size", "zero_size", "outside"], [1, 2, 3, 4, 5]),
        ([], []),
    ],
)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", ["array", "list"])
def test_check_by_policy(refuse: Any, bad: list[int], layout: BoxLayout, form: str) -> None:
    rows = convert_boxes(FLAWED, "xyxy", layout)
    given_boxes = {"array": rows, "list": pa.array(rows.tolist())}[form]
    if not bad:
        check_boxes(given_boxes, layout, refuse=refuse)
        return
    with pytest.raises(InputError) as refusal:
        check_boxes(given_boxes, layout, image_size=(100, 100), refuse=refuse)
    assert [problem.row for problem in refusal.value.problems] == bad
    assert [problem.source for problem in refusal.value.problems] == [f"boxes[{row}]" for row in bad]
    outside = [problem.row for problem in refusal.value.problems if problem.code == Code.OUTSIDE_IMAGE]
    assert outside == ([4] if "outside" in refuse else [])


INF = math.inf


@pytest.mark.parametrize(
    ("box", "refuse", "told"),
    [
        ([200, 0, 150, 5], "outside", "must lie in the image"),
        ([200, 0, 50, 5], "outside", "must lie in the image"),
        ([-INF, 0, 5, 5], "outside", "must lie in the image"),
        ([0, 0, math.nan, 101], "outside", "must lie in the image"),
        ([5, 5, 5, 4], "zero_size", "width must be positive, got 0.0"),
        ([5, -INF, 4, 7], "negative_size", "width must not be negative, got -1.0"),
        ([5, 5, 5, 101], ("zero_size", "outside"), "must lie in the image"),
        ([5, 5, 4, 101], iter(["negative_size", "outside"]), "width must not be negative"),
    ],
)
def test_a_flaw_is_not_hidden_by_another_that_is_allowed(box: Any, refuse: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        check_boxes(box, "xyxy", image_size=(100, 100), refuse=refuse)


def test_a_float32_side_that_is_none() -> None:
    with pytest.raises(InputError, match="must be finite and positive"):
        convert_boxes(ROWS.astype(np.float32), "xyxy", "xyxy", source_unit="percent", image_size=(1e-300, 5))


def test_words_of_a_check() -> None:
    with pytest.raises(InputError) as refusal:
        check_boxes(
            FLAWED, "xyxy", image_size=(100, 100), refuse=["not_finite", "negative_size", "zero_size", "outside"]
        )
    assert str(refusal.value).splitlines() == [
        "boxes[1]: width must not be negative, got -2.0 of (9.0, 0.0, 7.0, 5.0)",
        "boxes[2]: numbers must be finite, got (0.0, nan, 1.0, 1.0)",
        "boxes[3]: width must be positive, got 0.0 of (3.0, 3.0, 3.0, 4.0)",
        "boxes[4]: must lie in the image, got corners (90.0, 0.0, 101.0, 5.0) of (90.0, 0.0, 101.0, 5.0)",
        "boxes[5]: height must not be negative, got -2.5 of (0.0, 5.0, 5.0, 2.5)",
    ]


def test_check_of_one_box_and_of_float_noise() -> None:
    with pytest.raises(InputError, match=r"^boxes: width must not be negative"):
        check_boxes([9, 0, 7, 5], "xyxy")
    check_boxes([0.0, 0.0, 1.0 + 1e-12, 1.0], "xyxy", unit="relative", image_size=(480, 640), refuse=["outside"])
    with pytest.raises(InputError, match="must lie in the image, got corners"):
        check_boxes([0.0, 0.0, 1.001, 1.0], "xyxy", unit="relative", image_size=(480, 640), refuse=["outside"])
    for ugly in ("ugly", ["ugly"]):
        with pytest.raises(PredarrowError, match=r"^refuse: must be of .*, got ugly$"):
            check_boxes(ROWS, "xyxy", refuse=ugly)  # type: ignore[arg-type]  # what is tested
    check_boxes(np.empty((0, 4)), "xyxy")
