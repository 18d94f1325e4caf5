"""Boxes against a twin in fractions, all pairs of layouts and units; what comes back, and what is wrong with them."""

from __future__ import annotations

import math
from collections.abc import Collection
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow_engine import box_kernels, boxes
from predarrow_engine.boxes import Layout, Unit
from tests import naive_boxes

PAIRS = list(product(Layout, Layout, Unit, Unit))
DTYPES = [np.float32, np.float64]
FORMS = ["rows", "rows in place", "columns", "columns in place"]

coordinates = st.floats(-2000, 2000, width=32)
image_sizes = st.tuples(st.integers(1, 9000), st.integers(1, 9000))


def converted(
    given_boxes: npt.NDArray[Any], form: str, conversion: boxes.Conversion, sizes: boxes.Sizes | None = None
) -> npt.NDArray[Any]:
    """(n, 4) through one of the doors; boxes that are only read must not change."""
    before = given_boxes.copy()
    if form == "rows":
        out = np.empty_like(given_boxes)
        boxes.convert(given_boxes, out, conversion, sizes)
    elif form == "rows in place":
        out = given_boxes.copy()
        boxes.convert(out, out, conversion, sizes)
    else:
        columns = given_boxes.T.copy()
        target = columns if form == "columns in place" else np.empty_like(columns)
        boxes.convert_columns(columns, target, conversion, sizes)
        out = np.ascontiguousarray(target.T)
    np.testing.assert_array_equal(given_boxes, before)
    assert out.dtype == given_boxes.dtype
    return out


def largest_of_axes(box: naive_boxes.Numbers) -> list[float]:
    """Largest of an axis' numbers in any layout, for each of the four numbers of a box with corners."""
    forms = [naive_boxes.convert(box, "xyxy", layout, "pixel", "pixel", (1, 1)) for layout in Layout]
    x, y = (float(max(abs(form[at]) for form in forms for at in (axis, axis + 2))) for axis in (0, 1))
    return [x, y, x, y]


def in_fractions(row: npt.NDArray[Any]) -> naive_boxes.Numbers:
    a, b, c, d = (Fraction(float(value)) for value in row)
    return a, b, c, d


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=10)
@given(data=st.data())
def test_all_81_pairs_agree_with_the_twin(dtype: type[np.floating[Any]], form: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.tuples(*[coordinates] * 4), max_size=4))
    given_boxes = np.array(rows, dtype).reshape(-1, 4)
    per_row = data.draw(st.booleans())
    sizes = [data.draw(image_sizes) for _ in (rows if per_row else [None])]
    precision = np.finfo(dtype)
    for source, target, source_unit, target_unit in PAIRS:
        conversion = boxes.conversion(source, target, source_unit, target_unit)
        got = converted(given_boxes, form, conversion, np.array(sizes).reshape(-1, 2) if per_row else sizes[0])
        for i, row in enumerate(given_boxes):
            size = sizes[i if per_row else 0]
            expected = naive_boxes.convert(in_fractions(row), source, target, source_unit, target_unit, size)
            corners = naive_boxes.convert(in_fractions(row), source, "xyxy", source_unit, target_unit, size)
            # a product and a quotient of either term, and their sum, round once each
            bound = 3 * float(precision.eps) * np.array(largest_of_axes(corners)) + 4 * float(precision.tiny)
            assert (np.abs(got[i] - np.array(expected, np.float64)) <= bound).all()


@pytest.mark.parametrize(("source", "target"), list(product(Layout, Layout)))
@pytest.mark.parametrize("dtype", DTYPES)
def test_forms_round_once(dtype: type[np.floating[Any]], source: Layout, target: Layout) -> None:
    """Without a scale, each number is the exact one, rounded once."""
    rows = np.random.default_rng(1).normal(0, 500, (200, 4)).astype(dtype)
    got = converted(rows, "rows", boxes.conversion(source, target))
    size = (1, 1)
    for row, result in zip(rows, got, strict=True):
        exact = naive_boxes.convert(in_fractions(row), source, target, "pixel", "pixel", size)
        # a fraction goes to float64 rounded once; to float32 through it, which could only differ in a tie
        assert [float(value) for value in result] == [float(dtype(float(value))) for value in exact]


@pytest.mark.parametrize(
    ("unit", "limit"),
    [((Unit.PIXEL, Unit.RELATIVE), 1), ((Unit.PERCENT, Unit.RELATIVE), 1), ((Unit.PIXEL, Unit.PERCENT), 2)],
)
@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_scale_comes_back(dtype: type[np.floating[Any]], unit: tuple[Unit, Unit], limit: int, back: bool) -> None:
    there, again = unit[::-1] if back else unit
    rng = np.random.default_rng(2)
    n = 100_000
    rows = (rng.uniform(-100, 100, (n, 4)) * 2.0 ** rng.integers(-9, 6, (n, 4))).astype(dtype)
    sizes = rng.integers(1, 9000, (n, 2))
    middle = converted(rows, "rows", boxes.conversion("xywh", "xywh", there, again), sizes)
    result = converted(middle, "rows", boxes.conversion("xywh", "xywh", again, there), sizes)
    assert (np.abs(result - rows) / np.spacing(np.abs(rows))).max() <= limit


@pytest.mark.parametrize(("source", "target"), list(product(Layout, Layout)))
@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=60)
@given(row=st.tuples(*[coordinates] * 4))
def test_a_form_comes_back(
    dtype: type[np.floating[Any]], source: Layout, target: Layout, row: tuple[float, float, float, float]
) -> None:
    given_boxes = np.array([row], dtype)
    middle = converted(given_boxes, "rows", boxes.conversion(source, target))
    result = converted(middle, "rows", boxes.conversion(target, source))
    corners = naive_boxes.convert(in_fractions(given_boxes[0]), source, "xyxy", "pixel", "pixel", (1, 1))
    ulp = np.spacing(np.array(largest_of_axes(corners)).astype(dtype))
    assert (np.abs(result[0] - given_boxes[0]) <= ulp).all()


@pytest.mark.parametrize(("source", "target"), list(product(Layout, Layout)))
@settings(max_examples=40)
@given(row=st.tuples(*[st.integers(-(2**22) + 1, 2**22 - 1)] * 4))
def test_half_pixels_come_back_exactly(source: Layout, target: Layout, row: tuple[int, int, int, int]) -> None:
    given_boxes = np.array([row], np.float32) / 2
    middle = converted(given_boxes, "rows", boxes.conversion(source, target))
    np.testing.assert_array_equal(converted(middle, "rows", boxes.conversion(target, source)), given_boxes)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", list(Layout))
@given(row=st.tuples(*[st.integers(0, 5000)] * 4), size=image_sizes)
@settings(max_examples=60)
def test_whole_pixels_come_back_from_any_unit(
    dtype: type[np.floating[Any]], layout: Layout, row: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    given_boxes = np.array([row], dtype)
    corners = naive_boxes.convert(in_fractions(given_boxes[0]), "xyxy", "xyxy", "pixel", "pixel", size)
    ulp = np.spacing(np.array(largest_of_axes(corners)).astype(dtype))
    for unit in Unit:
        middle = converted(given_boxes, "rows", boxes.conversion("xyxy", layout, "pixel", unit), size)
        result = converted(middle, "rows", boxes.conversion(layout, "xyxy", unit, "pixel"), size)
        assert (np.abs(result[0] - given_boxes[0]) <= 4 * ulp).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_whole_image_is_the_whole_image(dtype: type[np.floating[Any]]) -> None:
    sides = np.arange(1, 5001)
    sizes = np.stack([sides, sides[::-1]], axis=1)
    pixels = np.zeros((len(sides), 4), dtype)
    pixels[:, 2:] = sizes[:, ::-1]
    for unit, whole in ((Unit.PERCENT, 100), (Unit.RELATIVE, 1)):
        full = np.tile(np.array([0, 0, whole, whole], dtype), (len(sides), 1))
        for form in FORMS:
            there = boxes.conversion("xywh", "xyxy", unit, "pixel")
            np.testing.assert_array_equal(converted(full, form, there, sizes), pixels)
            back = boxes.conversion("xyxy", "xywh", "pixel", unit)
            np.testing.assert_array_equal(converted(pixels, form, back, sizes), full)


def test_the_form_is_taken_in_pixels() -> None:
    relative = np.array([[0.1, 0.1, 0.2, 0.2]])
    assert relative[0, 0] + relative[0, 2] != 0.3
    result = converted(relative, "rows", boxes.conversion("xywh", "xyxy", "relative"), (1000, 1000))
    assert result.tolist() == [[100.0, 100.0, 300.0, 300.0]]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 9, 31, 33, 100])
def test_every_length_gives_the_same_rows(dtype: type[np.floating[Any]], form: str, n: int) -> None:
    """Vectors of several boxes and the rest that fills none give the same bits, one size or many."""
    rows = np.random.default_rng(n).uniform(0, 100, (n, 4)).astype(dtype)
    conversion = boxes.conversion("cxcywh", "xyxy", "percent", "pixel")
    one = converted(rows, form, conversion, (480, 640))
    np.testing.assert_array_equal(one, converted(rows, "rows", conversion, np.full((n, 2), (480, 640))))
    for i in range(n):
        np.testing.assert_array_equal(one[i : i + 1], converted(rows[i : i + 1], "rows", conversion, (480, 640)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", range(4))
def test_nothing_is_hidden(form: str, value: float, place: int) -> None:
    """A number that is not finite shows in what depends on it, and leaves everything else alone."""
    good = np.array([[10.0, 20.0, 30.0, 40.0]] * 9)
    bad = good.copy()
    bad[4, place] = value
    depends = {
        ("xywh", "xyxy"): {0: {0, 2}, 2: {2}},
        ("xyxy", "xywh"): {0: {0, 2}, 2: {2}},
        ("xyxy", "cxcywh"): {0: {0, 2}, 2: {0, 2}},
        ("xywh", "cxcywh"): {0: {0}, 2: {0, 2}},
        ("cxcywh", "xyxy"): {0: {0, 2}, 2: {0, 2}},
        ("cxcywh", "xywh"): {0: {0}, 2: {0, 2}},
        ("xyxy", "xyxy"): {0: {0}, 2: {2}},
    }
    for (source, target), on in depends.items():
        for target_unit in Unit:
            conversion = boxes.conversion(source, target, "pixel", target_unit)
            expected = converted(good, form, conversion, (480, 640))
            result = converted(bad, form, conversion, (480, 640))
            touched = {at + place % 2 for at in on[place - place % 2]}
            finite = np.isfinite(result[4])
            assert [at for at in range(4) if not finite[at]] == sorted(touched)
            result[4, ~finite] = expected[4, ~finite]
            np.testing.assert_array_equal(result, expected)


def test_negative_sizes_stay_negative() -> None:
    rows = np.array([[10.0, 20.0, -4.0, -6.0]])
    corners = converted(rows, "rows", boxes.conversion("xywh", "xyxy"))
    assert corners.tolist() == [[10.0, 20.0, 6.0, 14.0]]
    assert converted(corners, "rows", boxes.conversion("xyxy", "xywh")).tolist() == rows.tolist()


def test_names_of_layouts() -> None:
    assert Layout["KITTI"] is Layout.XYXY
    assert Layout["OPENLABEL"] is Layout.CXCYWH
    assert boxes.conversion(Layout.XYWH, "xyxy") is boxes.conversion("xywh", Layout.XYXY)
    with pytest.raises(ValueError, match="yxyx"):
        boxes.conversion("yxyx", "xyxy")
    with pytest.raises(ValueError, match="metre"):
        boxes.conversion("xyxy", "xyxy", "metre")


@pytest.mark.parametrize("sizes", [None, (480, 640), [(480, 640), (333, 77), (1, 9000)]])
@pytest.mark.parametrize("dtype", DTYPES)
def test_to_corners(dtype: type[np.floating[Any]], sizes: Any) -> None:
    rows = np.random.default_rng(5).uniform(0, 1, (3, 4)).astype(dtype)
    for layout, unit in product(Layout, Unit):
        if sizes is None and unit != Unit.PIXEL:
            with pytest.raises(ValueError, match="height and width are needed"):
                boxes.to_corners(rows, layout, unit, sizes)
            continue
        corners = boxes.to_corners(rows, layout, unit, sizes)
        assert corners.shape == (4, 3)
        assert corners.flags.c_contiguous
        expected = converted(rows.astype(np.float64), "rows", boxes.conversion(layout, "xyxy", unit, "pixel"), sizes)
        np.testing.assert_array_equal(corners.T, expected)
        np.testing.assert_array_equal(boxes.to_corners(np.asfortranarray(rows), layout, unit, sizes), corners)
        np.testing.assert_array_equal(
            boxes.to_corners(rows[::-1], layout, unit, (9, 9)), boxes.to_corners(rows, layout, unit, (9, 9))[:, ::-1]
        )


def test_shapes_that_do_not_hold() -> None:
    with pytest.raises(ValueError, match=r"shape \(n, 4\), got \(4,\)"):
        boxes.to_corners(np.zeros(4), "xyxy")
    with pytest.raises(ValueError, match="float32 or float64, got int64"):
        boxes.to_corners(np.zeros((2, 4), np.int64), "xyxy")
    with pytest.raises(ValueError, match=r"shape \(4, n\), got \(2, 4\)"):
        boxes.judge(np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"shape \(2, 2\), got shape \(3, 2\)"):
        boxes.judge(np.zeros((4, 2)), np.ones((3, 2)))


nasty = st.one_of(
    st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf, 100.0, 100.00005, 100.0002, -0.00005, -0.0002, 1e300]),
    st.floats(-150, 150),
)


@settings(max_examples=200)
@given(
    rows=st.lists(st.tuples(nasty, nasty, nasty, nasty), max_size=9),
    size=st.one_of(st.none(), st.sampled_from([(100, 100), (100, 50), (1, 1)])),
    per_row=st.booleans(),
    among=st.just(boxes.FLAWS) | st.sets(st.sampled_from(boxes.FLAWS)),
)
def test_judge_agrees_with_the_twin(
    rows: list[tuple[float, float, float, float]],
    size: tuple[int, int] | None,
    per_row: bool,
    among: Collection[int],
) -> None:
    corners = np.array(rows, np.float64).reshape(-1, 4).T
    codes = boxes.judge(corners, [size] * len(rows) if per_row and size is not None and rows else size, among)
    assert codes.dtype == np.uint8
    flaws = [[getattr(boxes, name) for name in naive_boxes.judge(row, size)] for row in rows]
    assert codes.tolist() == [next((flaw for flaw in found if flaw in among), boxes.OK) for found in flaws]


def test_bad_sides() -> None:
    sizes = boxes.sizes_array(np.array([[1, 2], [0, 4], [5, math.inf], [math.nan, -1]]), 4)
    assert boxes.bad_sides(sizes).tolist() == [2, 5, 6, 7]
    assert boxes.bad_sides(sizes[:2]).tolist() == []


def test_what_is_read_only_stays_readable_and_each_type_is_compiled_once() -> None:
    rows = np.ones((5, 4))
    rows.flags.writeable = False
    for given_boxes in (rows, rows.copy(), rows.astype(np.float32)):
        was = given_boxes.flags.writeable
        converted(given_boxes, "rows", boxes.conversion("xywh", "xyxy"))
        converted(given_boxes, "columns", boxes.conversion("xywh", "xyxy", "percent"), np.ones((5, 2), np.int64))
        boxes.to_corners(given_boxes, "xywh", "percent", (1, 1))
        assert given_boxes.flags.writeable == was
    for kernel in (box_kernels.rows, box_kernels.rows_in_place, box_kernels.axis, box_kernels.columns_of_rows):
        assert len(kernel.signatures) <= len(DTYPES)
    assert len(box_kernels.codes.signatures) <= 1
