from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pycocotools import mask as peer

from predarrow.errors import InputError, PredarrowError
from predarrow.formats.coco.file import CocoFile
from predarrow.formats.coco.read import read_coco
from tests.corpus import corpus_path

_BOX = {"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "score": 0.5}
_L_SHAPE = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1]], np.uint8)


def _write(tmp_path: Path, document: Any, name: str = "file.json") -> Path:
    path = tmp_path / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return path


def _read(tmp_path: Path, document: Any, **options: Any) -> pa.Table:
    table = read_coco(_write(tmp_path, document), **options).read_all()
    table.validate(full=True)
    return table


def _one(tmp_path: Path, **record: Any) -> dict[str, Any]:
    """The row of one record."""
    (row,) = _read(tmp_path, [{"image_id": 1, "category_id": 2, **record}]).to_pylist()
    return dict(row)


def _rle(mask: Any) -> dict[str, Any]:
    encoded = peer.encode(np.asfortranarray(mask))
    return {"size": encoded["size"], "counts": encoded["counts"].decode()}


def test_a_box(tmp_path: Path) -> None:
    path = _write(tmp_path, [_BOX])
    (row,) = read_coco(path).read_all().to_pylist()
    given = {name: value for name, value in row.items() if value is not None}
    assert given == {
        "data_unit": "1",
        "frame": 0,
        "class_name": "2",
        "kind": "bbox",
        "confidence": 0.5,
        "bbox": {"xmin": 1.0, "ymin": 2.0, "xmax": 4.0, "ymax": 6.0},
        "source": str(path),
        "row": 0,
    }


def test_an_annotation_file(tmp_path: Path) -> None:
    record = {"id": 7, "image_id": 5, "category_id": 3, "area": 1234.56, "iscrowd": 0, "track_id": 9, "x": {"a": [1]}}
    document = {
        "annotations": [{**record, "segmentation": [[0, 0, 4, 0, 4, 4], [5, 5, 9, 5, 9, 9.5, 5, 5]]}],
        "images": [{"id": 5, "file_name": "a/b.jpg", "height": 10, "width": 20}],
        "categories": [{"id": 3, "name": "cät"}, {"id": 4, "name": "cät"}],
    }
    (row,) = _read(tmp_path, document).to_pylist()
    assert (row["data_unit"], row["class_name"], row["kind"]) == ("a/b.jpg", "cät", "polygon")
    assert (row["image_height"], row["image_width"], row["confidence"]) == (10, 20, None)
    assert row["bbox"] == {"xmin": 0.0, "ymin": 0.0, "xmax": 9.0, "ymax": 9.5}
    points = [[(point["x"], point["y"]) for point in ring] for (ring,) in row["polygon"]]
    assert points == [[(0, 0), (4, 0), (4, 4)], [(5, 5), (9, 5), (9, 9.5)]]
    assert row["attributes"] == '{"id":7,"area":1234.56,"iscrowd":0,"track_id":9,"x":{"a": [1]}}'


@pytest.mark.parametrize("is_compressed", [True, False])
def test_run_lengths(tmp_path: Path, is_compressed: bool) -> None:
    segmentation = _rle(_L_SHAPE)
    given = segmentation if is_compressed else {"size": [4, 3], "counts": [0, 2, 2, 2, 5, 1]}
    row = _one(tmp_path, segmentation=given)
    assert row["kind"] == "bitmask"
    assert row["mask"] == {"height": 4, "width": 3, "counts": segmentation["counts"].encode()}
    assert row["bbox"] == {"xmin": 0.0, "ymin": 0.0, "xmax": 3.0, "ymax": 4.0}
    assert (row["image_height"], row["image_width"], row["polygon"]) == (4, 3, None)
    table = _read(tmp_path, [{"image_id": 1, "category_id": 2, "segmentation": given}], polygons=True)
    rings = [[(point["x"], point["y"]) for point in ring] for (ring,) in table["polygon"][0].as_py()]
    assert sorted(map(sorted, rings)) == [[(0, 0), (0, 2), (2, 0), (2, 2)], [(2, 3), (2, 4), (3, 3), (3, 4)]]


def test_run_lengths_become_canonical(tmp_path: Path) -> None:
    longer, canonical = "P02203O", _rle(_L_SHAPE)["counts"]
    assert canonical == "02203O"
    row = _one(tmp_path, segmentation={"size": [4, 3], "counts": longer})
    assert row["mask"]["counts"] == canonical.encode()


def test_kinds_may_be_mixed(tmp_path: Path) -> None:
    shared = {"image_id": 1, "category_id": 2}
    records = [
        {**shared, "bbox": [0, 0, 1, 1]},
        {**shared, "segmentation": [[0, 0, 3, 0, 3, 3]]},
        {**shared, "segmentation": {"size": [4, 3], "counts": [0, 2, 2, 2, 5, 1]}},
        {**shared, "segmentation": _rle(_L_SHAPE)},
        {**shared, "keypoints": [1, 2, 2, 0, 0, 0, 5, 1, 1]},
        {**shared, "keypoints": [1, 2, 2], "segmentation": [[0, 0, 3, 0, 3, 3]], "bbox": [0, 0, 9, 9]},
    ]
    table = _read(tmp_path, records)
    kinds = ["bbox", "polygon", "bitmask", "bitmask", "keypoints", "keypoints"]
    assert table["kind"].to_pylist() == kinds
    assert table["mask"][2] == table["mask"][3]
    assert table["bbox"][4].as_py() == {"xmin": 1.0, "ymin": 1.0, "xmax": 5.0, "ymax": 2.0}
    assert table["bbox"][5].as_py()["xmax"] == 9
    assert [value is None for value in table["polygon"].to_pylist()] == [True, False, True, True, True, False]
    assert [point["visibility"] for point in table["keypoints"][4].as_py()] == [2, 0, 1]


def test_keypoints_with_names_and_confidences(tmp_path: Path) -> None:
    document = {
        "categories": [{"id": 2, "name": "person", "keypoints": ["nose", "ear"]}],
        "annotations": [
            {"image_id": 1, "category_id": 2, "keypoints": [1, 2, 2, 3, 4, 1], "num_keypoints": 2},
            {"image_id": 1, "category_id": 2, "keypoints": [1.5, 2, 0.93, 3, 4, 1]},
            {"image_id": 1, "category_id": 2, "keypoints": [1, 2, 1]},
        ],
    }
    reader = read_coco(_write(tmp_path, document))
    table = reader.read_all()
    names = [[point["name"] for point in row] for row in table["keypoints"].to_pylist()]
    assert names == [["nose", "ear"], ["nose", "ear"], [None]]
    assert [point["visibility"] for point in table["keypoints"][1].as_py()] == [None, 1]
    assert table["attributes"].to_pylist() == ['{"num_keypoints":2}', '{"keypoints":[1.5, 2, 0.93, 3, 4, 1]}', None]
    assert sum(reader.report.flagged.values()) == 1


def test_names_that_are_given(tmp_path: Path) -> None:
    other = _write(
        tmp_path,
        {"images": [{"id": "1", "file_name": "x.jpg"}], "categories": [{"id": 2.0, "name": "car"}], "annotations": []},
        "other.json",
    )
    for categories, images in ((other, str(other)), ({2: "car"}, {"1": "x.jpg"}), (json.loads(other.read_text()),) * 2):
        table = _read(tmp_path, [_BOX], categories=categories, images=images)
        assert (table["class_name"][0].as_py(), table["data_unit"][0].as_py()) == ("car", "x.jpg")
    reader = read_coco(_write(tmp_path, [_BOX, {**_BOX, "category_id": 3}]), categories={"2": None})
    assert reader.read_all()["class_name"].to_pylist() == ["3"]
    assert reader.report.skipped == {"class is mapped to None": 1}
    assert sum(reader.report.flagged.values()) == 1


def test_box_units(tmp_path: Path) -> None:
    record = {"image_id": 1, "category_id": 2, "bbox": [0.25, 0.5, 0.5, 0.25]}
    document = {"images": [{"id": 1, "file_name": "a.jpg", "height": 40, "width": 20}], "annotations": [record]}
    assert list(_read(tmp_path, document, box_unit="relative")["bbox"][0].as_py().values()) == [5, 20, 15, 30]
    record["bbox"] = [25, 50, 50, 25]
    assert list(_read(tmp_path, document, box_unit="percent")["bbox"][0].as_py().values()) == [5, 20, 15, 30]
    with pytest.raises(InputError, match=r"\$\[0\].bbox: relative boxes need the image's size"):
        _read(tmp_path, [_BOX], box_unit="relative")


def test_forms_of_files(tmp_path: Path) -> None:
    records = [{**_BOX, "image_id": number} for number in range(5)]
    path = _write(tmp_path, "\ufeff" + json.dumps(records))
    expected = read_coco(path).read_all().drop_columns("source")
    packed = tmp_path / "file.json.gz"
    packed.write_bytes(gzip.compress(json.dumps(records, indent=3).encode()))
    lines = _write(tmp_path, "\n".join(map(json.dumps, records)) + "\n\n", "file.jsonl")
    packed_lines = tmp_path / "lines.jsonl.gz"
    packed_lines.write_bytes(gzip.compress(lines.read_bytes()))
    for other in (packed, lines, packed_lines):
        assert read_coco(other).read_all().drop_columns("source").equals(expected), other


@pytest.mark.parametrize("block_bytes", [7, 100, 1000])
def test_blocks_may_be_cut_anywhere(tmp_path: Path, block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = {"category_id": 3, "score": 0.5, "name": 'a "b" \\ ]}'}
    records = [{"image_id": f"ü{i}", **shared, "segmentation": [[0, 0, i + 1, 0, 3, 3]]} for i in range(20)]
    path = _write(tmp_path, records)
    whole = read_coco(path).read_all()
    monkeypatch.setattr(CocoFile.scan, "__defaults__", (block_bytes,))
    assert read_coco(path, workers=2).read_all().equals(whole)


def test_results_do_not_depend_on_workers() -> None:
    path = corpus_path("coco_annotations", "instances_val2014_100.json")
    one = read_coco(path, workers=1).read_all()
    assert read_coco(path, workers=3).read_all().equals(one)
    assert one.num_rows == 839


def test_progress_and_empty_lists(tmp_path: Path) -> None:
    assert _read(tmp_path, []).num_rows == 0
    assert _read(tmp_path, {"images": [], "annotations": [], "categories": []}).num_rows == 0
    told: list[tuple[int, int]] = []
    read_coco(_write(tmp_path, [_BOX]), progress=lambda done, total: told.append((done, total))).read_all()
    assert told[-1] == (0, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"box_unit": "inch"}, "box_unit: must be one of"),
        ({"default_confidence": float("nan")}, "default_confidence: must be a finite number"),
        ({"default_confidence": True}, "default_confidence: must be a finite number"),
        ({"categories": 5}, "categories: must be an annotation file"),
        ({"categories": {1.5: "a"}}, r"categories: 1.5: must map a category's id"),
        ({"images": {1: None}}, "images: 1: must map an image's id"),
        ({"on_error": "pass"}, "on_error: must be"),
        ({"workers": 0}, "workers: must be a whole number of at least 1"),
    ],
)
def test_options_that_do_not_hold(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(PredarrowError, match=message):
        read_coco(_write(tmp_path, [_BOX]), **options)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a file that can be read, got No such file"):
        read_coco(tmp_path / "none.json")
    with pytest.raises(InputError, match="must be a file that can be read, got Is a directory"):
        read_coco(tmp_path)
    with pytest.raises(PredarrowError, match="path: must be a file, got 5"):
        read_coco(5)  # type: ignore[arg-type]  # what is under test
