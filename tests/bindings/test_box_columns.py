"""Boxes in Arrow columns: structs, lists, chunks, nulls."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow import InputError, PredarrowError, check_boxes, convert_boxes
from predarrow.boxes import BoxLayout
from predarrow.table import BBOX

LAYOUTS: list[BoxLayout] = ["xyxy", "xywh", "cxcywh"]
NAMES = {"xyxy": ["xmin", "ymin", "xmax", "ymax"], "xywh": ["x", "y", "w", "h"], "cxcywh": ["cx", "cy", "w", "h"]}
ROWS = np.array([[10.0, 20.0, 30.0, 60.0], [1.5, 2.5, 3.5, 4.5], [0.0, 0.0, 7.0, 9.0]])
SIZES = np.array([[480, 640], [100, 50], [9, 7]])


def as_struct(rows: npt.NDArray[Any], layout: str, is_null: list[bool] | None = None) -> pa.StructArray:
    mask = None if is_null is None else pa.array(is_null)
    return pa.StructArray.from_arrays([pa.array(column) for column in rows.T], NAMES[layout], mask=mask)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("source", "target"), list(product(LAYOUTS, LAYOUTS)))
def test_structs(source: BoxLayout, target: BoxLayout, dtype: type[np.floating[Any]]) -> None:
    rows = ROWS.astype(dtype)
    options: dict[str, Any] = {"target_unit": "relative", "image_size": SIZES}
    expected = as_struct(convert_boxes(rows, source, target, **options), target)
    column = as_struct(rows, source)
    result = convert_boxes(column, source, target, **options)
    result.validate(full=True)
    assert result.equals(expected)
    if target == "xyxy" and dtype is np.float64:
        assert result.type == BBOX
    assert column.equals(as_struct(rows, source))


def test_names_of_a_structs_fields() -> None:
    long = pa.StructArray.from_arrays([pa.array(column) for column in ROWS.T], ["x", "y", "width", "height"])
    assert convert_boxes(long, "xywh", "xyxy").equals(convert_boxes(as_struct(ROWS, "xywh"), "xywh", "xyxy"))
    mixed = pa.StructArray.from_arrays([pa.array(column) for column in ROWS.T[::-1]], ["h", "w", "y", "x"])
    assert convert_boxes(mixed, "xywh", "xyxy").equals(convert_boxes(as_struct(ROWS, "xywh"), "xywh", "xyxy"))
    with pytest.raises(InputError, match=r"^boxes: must have the fields \(cx, cy, w, h\) for cxcywh, got struct<x:"):
        convert_boxes(long, "cxcywh", "xyxy")


LISTS = [pa.list_(pa.float32()), pa.list_(pa.float64()), pa.large_list(pa.float64()), pa.list_(pa.float32(), 4)]


@pytest.mark.parametrize("type_", [*LISTS, pa.list_(pa.int16()), pa.list_(pa.int32(), 4)])
def test_lists(type_: pa.DataType) -> None:
    rows = [[10, 20, 30, 60], None, [1, 2, 3, 4], [5, 6, 7, 8]]
    options: dict[str, Any] = {"target_unit": "percent", "image_size": [[480, 640], [1, 1], [100, 50], [9, 7]]}
    column = pa.array([[1, 2, 3, 4], *rows, None], type_)[1:5]  # a slice: offsets do not begin at 0
    result = convert_boxes(column, "xyxy", "xywh", **options)
    result.validate(full=True)
    number = type_.value_type if pa.types.is_floating(type_.value_type) else pa.float64()
    dtype = number.to_pandas_dtype()
    sized = zip(rows, options["image_size"], strict=True)
    expected = [
        row and convert_boxes(np.array(row, dtype), "xyxy", "xywh", target_unit="percent", image_size=size).tolist()
        for row, size in sized
    ]
    assert result.to_pylist() == expected
    assert result.type.value_type == number
    assert result.type.id == type_.id
    whole = convert_boxes(column.drop_null(), "xyxy", "xywh", target_unit="percent", image_size=(480, 640))
    whole.validate(full=True)
    assert len(whole) == 3


@pytest.mark.parametrize("form", ["struct", *LISTS])
@settings(max_examples=25)
@given(cuts=st.lists(st.integers(0, 6), max_size=4), nulls=st.lists(st.booleans(), min_size=6, max_size=6))
def test_chunks_nulls_and_slices(form: Any, cuts: list[int], nulls: list[bool]) -> None:
    """However a column is cut, each row becomes what it becomes alone."""
    rows = np.arange(24.0).reshape(6, 4)
    sizes = np.arange(1, 13).reshape(6, 2)
    if form == "struct":
        column = as_struct(rows, "xyxy", nulls)
    else:
        column = pa.array([None if null else row for row, null in zip(rows.tolist(), nulls, strict=True)], form)
    edges = sorted([0, *cuts, 6])
    chunks = pa.chunked_array([column[a:b] for a, b in pairwise(edges)], column.type)
    result = convert_boxes(chunks, "xyxy", "cxcywh", target_unit="relative", image_size=sizes)
    result.validate(full=True)
    whole = convert_boxes(column, "xyxy", "cxcywh", target_unit="relative", image_size=sizes)
    assert result.to_pylist() == whole.to_pylist()
    for i, null in enumerate(nulls):
        alone = convert_boxes(column[i : i + 1], "xyxy", "cxcywh", target_unit="relative", image_size=tuple(sizes[i]))
        assert whole[i].as_py() == alone[0].as_py()
        assert whole[i].is_valid != null
    empty = convert_boxes(
        pa.chunked_array([], column.type), "xyxy", "cxcywh", target_unit="relative", image_size=(1, 1)
    )
    assert empty.type == whole.type
    assert len(empty) == 0


def test_arrows_capsules() -> None:
    class Array:
        def __arrow_c_array__(self, requested_schema: object = None) -> Any:
            return as_struct(ROWS, "xyxy").__arrow_c_array__(requested_schema)

    class Stream:
        def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
            return pa.chunked_array([as_struct(ROWS, "xyxy")]).__arrow_c_stream__(requested_schema)

    expected = convert_boxes(as_struct(ROWS, "xyxy"), "xyxy", "xywh")
    assert convert_boxes(Array(), "xyxy", "xywh").equals(expected)
    assert convert_boxes(Stream(), "xyxy", "xywh").chunk(0).equals(expected)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array(["a"]), r"^boxes: must be a struct or a list of four numbers, got string$"),
        (pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2)), r"^boxes: must be a struct or a list of four numbers"),
        (pa.array([[1, 2, 3, 4], None, [1, 2, 3]]), r"^boxes\[2\]: must hold 4 numbers, got 3$"),
        (pa.array([None, [1, 2, 3, 4], [1, 2, 3, None]]), r"^boxes\[2\]: must hold 4 numbers, got null$"),
        (pa.array([[1, 2, 3, None]], pa.list_(pa.int8(), 4)), r"^boxes\[0\]: must hold 4 numbers, got null$"),
        (pa.array([["a", "b", "c", "d"]]), r"^boxes: must hold floats or integers, got string$"),
        (pa.array([[True] * 4]), r"^boxes: must hold floats or integers, got bool$"),
        (
            pa.array([None, {"xmin": 1.0, "ymin": 1.0, "xmax": None, "ymax": 1.0}], BBOX),
            r"^boxes\[1\]: xmax must be a number, got null$",
        ),
        (pa.chunked_array([[[1, 2, 3, 4]], [[1, 2, 3, 4], [1]]]), r"^boxes\[2\]: must hold 4 numbers, got 1$"),
    ],
)
def test_columns_that_are_no_boxes(column: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        convert_boxes(column, "xyxy", "xywh")
    with pytest.raises(InputError, match=message):
        check_boxes(column, "xyxy")


def test_arrow_columns_are_not_written_to() -> None:
    with pytest.raises(PredarrowError, match=r"^out: must be None for Arrow"):
        convert_boxes(as_struct(ROWS, "xyxy"), "xyxy", "xywh", out=ROWS.copy())


def test_check_of_columns_with_nulls() -> None:
    flawed = np.array([[0, 0, 5, 5], [9, 0, 7, 5], [0, np.nan, 1, 1]])
    check_boxes(as_struct(flawed, "xyxy", [False, True, True]), "xyxy")
    check_boxes(pa.array([None, [1, 2, 3, 4], None], pa.list_(pa.float32())), "xyxy")
    for column in (as_struct(flawed, "xyxy"), pa.chunked_array([[None], flawed[1:].tolist()], pa.list_(pa.float64()))):
        with pytest.raises(InputError) as refusal:
            check_boxes(column, "xyxy")
        assert [problem.source for problem in refusal.value.problems] == ["boxes[1]", "boxes[2]"]
