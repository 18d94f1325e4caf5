"""Label masks painted from tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from predarrow import InputError, PredarrowError, from_label_mask, read_masks, read_png, to_label_mask
from tests.corpus import corpus_path, corpus_root
from tests.images import SPECIAL, Image, label_images
from tests.mask_files import write_mask


def _png_names() -> list[str]:
    root = corpus_root()
    folder = root / "masks" if root else None
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*.png")) if folder else []


@pytest.mark.parametrize("name", _png_names() or [None])
def test_real_masks_come_back_pixel_for_pixel(name: str | None) -> None:
    path = corpus_path("masks", *Path(name or "none").parts)
    try:
        mask = read_png(path, rgb="panoptic")
    except InputError:
        pytest.skip("not a mask")
    for connectivity in (8, 4):
        table = from_label_mask(mask, connectivity=connectivity, max_classes=2**32)
        assert np.array_equal(to_label_mask(table, height=mask.shape[0], width=mask.shape[1]), mask)


@given(label_images(max_side=12))
@settings(max_examples=50)
def test_random_masks_come_back(mask: Image) -> None:
    height, width = mask.shape
    assert np.array_equal(to_label_mask(from_label_mask(mask), height=height, width=width), mask)


@pytest.mark.parametrize("last", [255, 256, 65_535, 65_536, 2**32 - 1])
def test_the_dtype_is_the_smallest(last: int) -> None:
    mask = np.array([[0, last]], np.uint32)
    painted = to_label_mask(from_label_mask(mask))
    assert painted.dtype == np.min_scalar_type(last)
    assert np.array_equal(painted, mask)


def test_names_background_and_slices() -> None:
    mask = SPECIAL["seed drawing"]()
    table = from_label_mask(mask, classes={1: "car", 2: "person"})
    painted = to_label_mask(table, values={"car": 1, "person": 2}, background=9)
    assert np.array_equal(painted, np.where(mask == 0, 9, mask))
    only = to_label_mask(table.slice(1, 1), values={"person": 5})
    assert np.array_equal(only, np.where(mask == 2, 5, 0))
    assert not to_label_mask(table.slice(0, 0), height=3, width=4).any()


TWO = from_label_mask(np.eye(2, dtype=np.uint8))


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (pa.concat_tables([TWO, from_label_mask(np.eye(2, dtype=np.uint8), frame=1)]), {}, "one image, got 2"),
        (from_label_mask(np.eye(2, dtype=np.uint8), classes=["", "car"]), {}, "class 'car' must have a pixel value"),
        (TWO.slice(0, 0), {}, "image_height must be one known size"),
        (TWO, {"values": {"1": -3}}, "value of class '1': must be a whole number from 0 to 4294967295, got -3"),
        (TWO, {"values": {"1": 1.5}}, "value of class '1': must be a whole number .*, got 1.5"),
        (TWO, {"values": {"1": "2"}}, "value of class '1'"),
        (TWO, {"values": 2}, "values: must be a mapping from class names to pixel values, got 2"),
        (TWO, {"background": -1}, "background: must be a whole number from 0"),
        (TWO, {"height": 2.5}, "height: must be a whole number of at least 0, got 2.5"),
        (from_label_mask(np.eye(2, dtype=np.int32) * -3), {}, "value of class '-3'"),
        (from_label_mask(np.eye(2, dtype=np.uint8), classes=["", "--3"]), {}, "class '--3' must have a pixel value"),
        (5, {}, "must be a table of predictions, got 5"),
        (pa.table({"a": [1]}), {}, "must have the columns data_unit, frame, class_name, polygon, got no data_unit"),
        (
            TWO.set_column(TWO.schema.get_field_index("polygon"), "polygon", pa.nulls(1, TWO["polygon"].type)),
            {},
            "row 0: must have a polygon",
        ),
    ],
)
def test_what_cannot_be_painted_is_told(table: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(PredarrowError, match=message):
        to_label_mask(table, **options)


def test_a_reader_tells_its_own_errors(tmp_path: Path) -> None:
    mask = SPECIAL["seed drawing"]()
    file = write_mask(tmp_path / "a.png", mask)
    assert np.array_equal(to_label_mask(read_masks(file)), mask)
    file.write_bytes(b"no")
    with pytest.raises(InputError, match=r"a\.png: byte 0: must be a PNG file"):
        to_label_mask(read_masks(file))
