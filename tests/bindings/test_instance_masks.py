"""Instance masks from a model's arrays: one row a mask, as polygons or run lengths."""

from __future__ import annotations

from typing import Any

import cv2
import hypothesis.extra.numpy as hnp
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow import InputError, PredarrowError, Report, from_label_mask, from_masks, to_shapely
from predarrow.models.instance_masks import SMALL, MaskForm
from predarrow.report import EMPTY_MASK
from predarrow.table import SCHEMA
from predarrow_engine import instances
from tests import naive_rle

PIECES = np.zeros((6, 8), np.uint8)
PIECES[1:3, 1:3] = 1
PIECES[4, 5:8] = 1
RING = np.pad(np.zeros((2, 2), np.uint8), ((2, 2), (3, 3)), constant_values=1)
MASKS = np.stack([PIECES, np.zeros((6, 8), np.uint8), RING])
BOX_COLUMNS = ("xmin", "ymin", "xmax", "ymax")


def painted(table: pa.Table) -> list[npt.NDArray[np.bool_]]:
    """Give the masks of polygon rows: pixels whose centre is inside."""
    masks = []
    for polygon, row in zip(to_shapely(table), table.to_pylist(), strict=True):
        y, x = np.mgrid[: row["image_height"], : row["image_width"]] + 0.5
        masks.append(shapely.contains_xy(polygon, x, y))
    return masks


def decoded(table: pa.Table) -> list[npt.NDArray[np.bool_]]:
    return [naive_rle.decode(mask["counts"], mask["height"], mask["width"]) for mask in table["mask"].to_pylist()]


def test_columns() -> None:
    report = Report()
    table = from_masks(
        MASKS,
        scores=np.array([0.5, 0.6, 0.7], np.float32),
        labels=[2, 1, 1],
        data_unit="street",
        frame=4,
        classes={1: "car", 2: "person"},
        object_ids=["a", "b", None],
        report=report,
    )
    table.validate(full=True)
    assert table.schema.equals(SCHEMA, check_metadata=True)
    assert table["class_name"].to_pylist() == ["person", "car"]
    assert table["object_id"].to_pylist() == ["a", None]
    assert table["row"].to_pylist() == [0, 2]
    assert np.allclose(table["confidence"].to_numpy(), [0.5, 0.7])
    rows = table.to_pylist()
    for row in rows:
        assert (row["data_unit"], row["frame"], row["kind"]) == ("street", 4, "polygon")
        assert (row["image_height"], row["image_width"]) == MASKS.shape[1:]
    assert [tuple(row["bbox"][name] for name in BOX_COLUMNS) for row in rows] == [(1, 1, 8, 5), (0, 0, 8, 6)]
    assert [len(row["polygon"]) for row in rows] == [2, 1]
    assert [len(part) for part in rows[1]["polygon"]] == [2]
    assert report.skipped == {EMPTY_MASK: 1}


def test_run_lengths() -> None:
    table = from_masks(MASKS, labels="thing", form="rle")
    table.validate(full=True)
    assert table["kind"].to_pylist() == ["bitmask"] * 2
    assert table["polygon"].null_count == 2
    assert [mask.tolist() for mask in decoded(table)] == [(MASKS[i] != 0).tolist() for i in (0, 2)]
    assert table["bbox"].equals(from_masks(MASKS)["bbox"])
    peer = pytest.importorskip("pycocotools.mask")
    theirs = peer.encode(np.asfortranarray(MASKS.transpose(1, 2, 0)))
    assert [mask["counts"] for mask in table["mask"].to_pylist()] == [theirs[i]["counts"] for i in (0, 2)]


@settings(max_examples=60)
@given(
    hnp.arrays(np.bool_, st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 70)), elements=st.booleans())
)
def test_masks_come_back(masks: npt.NDArray[np.bool_]) -> None:
    filled = [mask for mask in masks if mask.any()]
    polygons, runs = from_masks(masks), from_masks(masks, form="rle")
    for found in (painted(polygons), decoded(runs)):
        assert len(found) == len(filled)
        assert all(np.array_equal(a, b) for a, b in zip(found, filled, strict=True))
    assert polygons["bbox"].equals(runs["bbox"])
    assert polygons["row"].equals(runs["row"])
    assert shapely.is_valid(to_shapely(polygons)).all()


def test_one_mask_is_a_label_masks_components_as_one_row() -> None:
    parts = from_label_mask(PIECES)["polygon"].to_pylist()
    assert from_masks(PIECES[None])["polygon"].to_pylist() == [[part for polygon in parts for part in polygon]]


def test_outlines_of_opencv() -> None:
    table = from_masks(MASKS, outline="center", holes="fill")
    for mask, polygon in zip((MASKS[0], MASKS[2]), table["polygon"].to_pylist(), strict=True):
        contours = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
        ours = sorted([[[vertex["x"], vertex["y"]] for vertex in part[0]] for part in polygon])
        assert ours == sorted(contour[:, 0].tolist() for contour in contours)


def test_area() -> None:
    report = Report()
    assert from_masks(MASKS, min_area=8, report=report)["row"].to_pylist() == [2]
    assert from_masks(MASKS, min_area=7, form="rle", report=report)["row"].to_pylist() == [0, 2]
    assert report.skipped == {EMPTY_MASK: 2, SMALL: 1}


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int64, np.int8, ">i2"])
def test_what_is_not_zero_is_inside(dtype: Any) -> None:
    masks = MASKS.astype(dtype)
    before = masks.copy()
    assert from_masks(masks).equals(from_masks(MASKS))
    assert from_masks(masks * np.array(3, dtype) if dtype != np.bool_ else masks).equals(from_masks(MASKS))
    assert from_masks(np.asfortranarray(masks), form="rle").equals(from_masks(MASKS, form="rle"))
    assert from_masks(list(masks)).equals(from_masks(MASKS))
    assert np.array_equal(masks, before)
    assert masks.flags.writeable


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_thresholds(dtype: Any) -> None:
    values = np.where(MASKS, 0.5, 0.25).astype(dtype)
    assert from_masks(values, threshold=0.25).equals(from_masks(MASKS))
    assert from_masks(values, threshold=0.5).num_rows == 0
    logits = np.where(MASKS, np.inf, -np.inf).astype(dtype)
    assert from_masks(logits, threshold=0, form="rle").equals(from_masks(MASKS, form="rle"))
    assert from_masks(values[:, ::2, ::2], threshold=0.25).equals(from_masks(MASKS[:, ::2, ::2]))
    value = dtype(0.1)  # compared as NumPy and torch compare it: in the array's type
    assert from_masks(np.full((1, 2, 2), value), threshold=0.1).num_rows == int(value > 0.1)


def test_nothing() -> None:
    some: tuple[Any, ...] = ([], np.zeros((0, 5, 6), np.uint8), np.zeros((2, 0, 6), np.bool_))
    for masks in some:
        n = len(masks)
        assert from_masks(masks, scores=[0.5] * n, labels=[1] * n, classes=["a", "b"]).num_rows == 0
        assert from_masks(masks, form="rle", labels=["a"] * n).schema.equals(SCHEMA)


def test_classes_left_out_on_purpose() -> None:
    report = Report()
    table = from_masks(MASKS, labels=[0, 0, 1], classes={0: None, 1: "car"}, report=report)
    assert table["row"].to_pylist() == [2]
    assert report.skipped == {EMPTY_MASK: 1, "class is mapped to None": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"masks": MASKS[0]}, "masks: must have shape (n, height, width), got (6, 8); give one mask as mask[None]"),
        ({"masks": MASKS[:, None]}, "masks: must have shape (n, height, width), got (3, 1, 6, 8)"),
        ({"masks": MASKS.astype(np.float32)}, "masks: must be booleans or whole numbers, got float32; give threshold"),
        ({"threshold": 0.5}, "threshold: must be None where masks are no floats, got 0.5 with uint8"),
        ({"masks": np.full((2, 2, 2), "a")}, "masks: must be booleans or numbers, got <U1"),
        ({"scores": [1, 2]}, "scores: must have shape (3,), one value for each prediction, got (2,)"),
        ({"scores": [1, np.nan, 2]}, "scores[1]: must be a finite number, got nan"),
        ({"labels": [1, 2]}, "labels: must have 3 values, one for each prediction, or be one for all, got 2"),
        ({"labels": [1, 2, 3], "classes": ["a", "b"]}, "labels[1]: must be a number that classes names, got 2"),
        ({"data_unit": ["a"]}, "data_unit: must have 3 values"),
        ({"frame": -1}, "frame: must be from 0 to 2147483647, got -1"),
    ],
)
def test_refusals(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        from_masks(**{"masks": MASKS, **options})
    assert str(caught.value).startswith(message)


def test_nan() -> None:
    values = MASKS.astype(np.float32)
    values[2, 1, 1] = np.nan
    forms: tuple[MaskForm, ...] = ("polygon", "rle")
    for form in forms:
        with pytest.raises(InputError, match=r"masks\[2\]: must not be NaN, got 1 NaN of 48 pixels"):
            from_masks(values, threshold=0.5, form=form)


@pytest.mark.parametrize(
    "options",
    [
        {"form": "mask"},
        {"outline": "edges"},
        {"holes": "no"},
        {"form": "rle", "outline": "center"},
        {"threshold": np.nan},
    ],
)
def test_options_that_do_not_hold(options: Any) -> None:
    masks = MASKS.astype(np.float32) if "threshold" in options else MASKS
    with pytest.raises(PredarrowError, match=f"{next(iter(options))}: "):
        from_masks(masks, **options)


def test_more_pixels_than_can_be_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "ROW_LIMIT", 10)
    with pytest.raises(InputError, match="masks: masks have at most 10 rows in all, got 3 x 6"):
        from_masks(MASKS)
