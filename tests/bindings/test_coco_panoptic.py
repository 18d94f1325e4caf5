from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from predarrow.errors import InputError, OutputError, PredarrowError
from predarrow.formats.coco.panoptic import write_coco_panoptic
from predarrow.formats.masks import from_label_mask
from predarrow.formats.png_write import rgb_png
from predarrow.table import SCHEMA
from tests import naive_rle

_LEFT = np.zeros((4, 6), np.uint8)
_LEFT[1:3, 0:4] = 1
_RIGHT = np.zeros((4, 6), np.uint8)
_RIGHT[0:2, 3:6] = 1


def _row(mask: Any, /, **more: Any) -> dict[str, Any]:
    string = naive_rle.to_string(naive_rle.counts(mask))
    held = {"height": mask.shape[0], "width": mask.shape[1], "counts": string}
    plain = {"data_unit": "a.jpg", "frame": 0, "class_name": "car", "kind": "bitmask", "mask": held}
    return plain | more


def _table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), SCHEMA)


def _ids(path: Path) -> Any:
    red, green, blue = np.moveaxis(np.asarray(Image.open(path)).astype(np.int64), -1, 0)
    return red + 256 * green + 65536 * blue


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3))))
def test_any_image_comes_back(pixels: Any) -> None:
    import io

    assert np.array_equal(np.asarray(Image.open(io.BytesIO(rgb_png(pixels)))), pixels)


def test_segments_are_the_mask_they_were_traced_from(tmp_path: Path) -> None:
    mask = np.random.default_rng(2).integers(0, 3, (40, 50)).astype(np.uint8)
    table = from_label_mask(mask, data_unit="a.jpg", classes={1: "car", 2: "sky"})
    result = write_coco_panoptic(table, tmp_path, stuff=["sky"])
    content = json.loads((tmp_path / "panoptic.json").read_text())
    assert content["images"] == [{"id": 1, "file_name": "a.jpg", "width": 50, "height": 40}]
    assert {item["name"]: item["isthing"] for item in content["categories"]} == {"car": 1, "sky": 0}
    ids = _ids(tmp_path / "a.png")
    (annotation,) = content["annotations"]
    assert (annotation["image_id"], annotation["file_name"]) == (1, "a.png")
    classes = {item["id"]: item["name"] for item in content["categories"]}
    values = np.zeros(ids.max() + 1, np.uint8)
    for segment in annotation["segments_info"]:
        inside = ids == segment["id"]
        values[segment["id"]] = {"car": 1, "sky": 2}[classes[segment["category_id"]]]
        rows, columns = np.nonzero(inside)
        x, y, width, height = segment["bbox"]
        assert segment["area"] == inside.sum()
        assert [x, y, x + width, y + height] == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert np.array_equal(values[ids], mask)
    assert result.rows == len(annotation["segments_info"]) == table.num_rows


def test_ids_of_many_segments_use_all_colours(tmp_path: Path) -> None:
    rows = []
    for place in range(300):
        mask = np.zeros((1, 300), np.uint8)
        mask[0, place] = 1
        rows.append(_row(mask))
    write_coco_panoptic(_table(*rows), tmp_path)
    assert _ids(tmp_path / "a.png").tolist() == [list(range(1, 301))]


def test_overlapping_rows_are_refused_or_decided(tmp_path: Path) -> None:
    table = _table(_row(_LEFT, confidence=0.5), _row(_RIGHT, confidence=0.75), _row(_LEFT & _RIGHT, confidence=0.25))
    with pytest.raises(InputError, match=r"overlap=\"confidence\" decides .* got row 0 on 1 of its pixels"):
        write_coco_panoptic(table, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    result = write_coco_panoptic(table, tmp_path / "out", overlap="confidence")
    assert np.array_equal(_ids(tmp_path / "out" / "a.png"), np.where(_RIGHT, 1, 2 * _LEFT))
    assert dict(result.report.flagged) == {
        "segment cut where others of higher confidence cover it": 1,
        "segment left out: others of higher confidence cover it": 1,
    }
    assert result.rows == 2
    skipped = write_coco_panoptic(table, tmp_path / "skip", on_error="skip")
    assert (skipped.rows, skipped.report.rejected) == (1, 2)


def test_attributes_and_frames_are_kept(tmp_path: Path) -> None:
    attributes = '{"id": 9, "iscrowd": 1, "x": "y"}'
    table = _table(_row(_LEFT, attributes=attributes, confidence=0.5), _row(_RIGHT, frame=2))
    write_coco_panoptic(table, tmp_path, image_ids={"a.jpg": 5, ("a.jpg", 2): 6}, category_ids={"car": 3})
    first, second = json.loads((tmp_path / "panoptic.json").read_text())["annotations"]
    assert first == {
        "image_id": 5,
        "file_name": "a.png",
        "segments_info": [
            {"id": 1, "category_id": 3, "area": 8, "bbox": [0, 1, 4, 2], "iscrowd": 1, "score": 0.5, "x": "y"}
        ],
    }
    assert (second["image_id"], second["file_name"]) == (6, "a__2.png")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([_row(_LEFT, mask=None, kind="bbox")], "got a bbox without one"),
        ([_row(_LEFT), _row(_RIGHT[:, :5])], "must be 6 x 4 as the image's first, got 5 x 4"),
        ([_row(_LEFT), _row(_LEFT, data_unit="b.jpg"), _row(_RIGHT)], "stand together"),
        ([_row(_LEFT), _row(_LEFT, data_unit="a.png")], "different names"),
        ([_row(_LEFT, data_unit="../a.png")], "name that a file can have"),
        ([_row(0 * _LEFT)], "a pixel inside"),
    ],
)
def test_what_cannot_be_held_is_refused(tmp_path: Path, rows: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(InputError, match=words):
        write_coco_panoptic(_table(*rows), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_folders_and_options_must_hold(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="new or empty"):
        write_coco_panoptic(_table(), tmp_path)
    write_coco_panoptic(_table(), tmp_path, overwrite=True)
    assert json.loads((tmp_path / "panoptic.json").read_text())["annotations"] == []
    with pytest.raises(PredarrowError, match="overlap"):
        write_coco_panoptic(_table(), tmp_path, overlap="x")  # type: ignore[arg-type] # which is what is tried
