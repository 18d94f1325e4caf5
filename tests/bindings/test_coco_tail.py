"""Lists of COCO files that stand in front of the annotations and behind them: these need not be gone through first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from predarrow.errors import InputError
from predarrow.formats.coco.file import CocoFile, Scanned
from predarrow.formats.coco.lists import Lists, _PlainLists, lists_of
from predarrow.formats.coco.read import read_coco

_IMAGES = [{"id": 7, "file_name": "a.png", "height": 3, "width": 4}, {"id": 8, "file_name": 'ü"b.png'}]
_CATEGORIES = [{"id": 1, "name": "cat", "keypoints": ["x"], "skeleton": [[1, 1]]}]
_NOTE = '"]}, "images": [{"id": 9}], "categories": [], \\'
_ANNOTATIONS = [
    {"id": k, "image_id": 7 + k % 2, "category_id": 1, "bbox": [0, k, 1, 2], "note": _NOTE} for k in range(60)
]
_ALL = {"images": _IMAGES, "annotations": _ANNOTATIONS, "categories": _CATEGORIES, "info": {"a": [1]}, "x": [{}]}


def _write(tmp_path: Path, document: Any, name: str = "file.json") -> str:
    path = tmp_path / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


def _shown(found: Lists) -> Any:
    images = found.images
    known = images and (dict(images.places), images.data_units.array.to_pylist(), images.sizes.tolist())
    return known, found.categories


def _assert_alike(path: str, *, is_quick: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare with what the whole file tells, and whether all of it was gone through."""
    pieces = []
    add = _PlainLists.add

    def counted(self: _PlainLists, scanned: Scanned) -> bool:
        pieces.append(len(scanned.data))
        return add(self, scanned)

    with monkeypatch.context() as patched:
        patched.setattr(CocoFile.scan, "__defaults__", (2048,))
        patched.setattr(_PlainLists, "add", counted)
        found = lists_of(CocoFile(path), is_read=True)
        n_bytes = sum(pieces)
        assert _shown(found) == _shown(lists_of(CocoFile(path)))
    assert (n_bytes < Path(path).stat().st_size // 2) == is_quick


ORDERS = {
    "as COCO has it": "info images annotations categories",
    "in the order of letters": "annotations categories images info",
    "as Label Studio has it": "images categories annotations info",
    "categories in front": "categories x annotations images",
    "lists behind": "annotations x info images categories",
    "nothing else": "images annotations categories",
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=list(ORDERS))
@pytest.mark.parametrize("indent", [None, 1])
def test_orders(tmp_path: Path, order: str, indent: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    document = {key: _ALL[key] for key in order.split()}
    path = _write(tmp_path, json.dumps(document, indent=indent))
    _assert_alike(path, is_quick=True, monkeypatch=monkeypatch)
    rows = read_coco(path).read_all()
    assert rows.num_rows == 60
    assert set(rows["data_unit"].to_pylist()) == {"a.png", 'ü"b.png'}


@pytest.mark.parametrize("order", ["annotations images categories", "annotations categories images x"])
@pytest.mark.parametrize("n_bytes", [500, 2000, 5000])
def test_a_list_that_begins_in_the_piece_of_the_annotations(
    tmp_path: Path, order: str, n_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on in the next piece, and is needed as a whole."""
    images = [{"id": k, "file_name": f"{k}.jpg"} for k in range(200)]
    categories = [{"id": k, "name": f"name {k}"} for k in range(200)]
    annotations = [{"image_id": k, "category_id": k, "bbox": [0, k, 1, 2]} for k in (1, 100, 199)]
    document = {"annotations": annotations, "images": images, "categories": categories, "x": 1}
    path = _write(tmp_path, {key: document[key] for key in order.split()})
    monkeypatch.setattr(CocoFile.scan, "__defaults__", (n_bytes,))
    rows = read_coco(path, workers=1).read_all()
    assert rows["data_unit"].to_pylist() == ["1.jpg", "100.jpg", "199.jpg"]
    assert rows["class_name"].to_pylist() == ["name 1", "name 100", "name 199"]


ODD = {
    "a key inside another object": {**_ALL, "info": {"categories": [{"id": 1, "name": "dog"}]}},
    "a key in a list of objects": {**_ALL, "x": [{"images": [], "categories": []}, 1]},
    "no categories": {"images": _IMAGES, "annotations": _ANNOTATIONS},
    "no images": {"annotations": _ANNOTATIONS, "categories": _CATEGORIES},
    "categories far from the end": {**_ALL, "y": ["x" * 2000] * 2500},
}


@pytest.mark.parametrize("document", ODD.values(), ids=list(ODD))
def test_the_whole_file_is_gone_through_otherwise(
    tmp_path: Path, document: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _assert_alike(_write(tmp_path, document), is_quick=False, monkeypatch=monkeypatch)


def test_a_text_that_looks_like_a_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last such key may stand in a text, where its quotes have backslashes."""
    path = _write(tmp_path, {**_ALL, "z": '], "categories": [{"id": 1, "name": "dog"}]}'})
    _assert_alike(path, is_quick=True, monkeypatch=monkeypatch)


def test_images_that_need_a_careful_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for images in ([{"id": "7", "file_name": "a.png"}], [_IMAGES[0], {**_IMAGES[1], "width": None}]):
        for order in ("images annotations categories", "annotations categories images"):
            document = {key: {**_ALL, "images": images}[key] for key in order.split()}
            _assert_alike(_write(tmp_path, document), is_quick=True, monkeypatch=monkeypatch)


@pytest.mark.parametrize("n", [1, 30_000])
@pytest.mark.parametrize("key", ["images", "categories"])
def test_lists_that_stand_twice_are_refused(tmp_path: Path, key: str, n: int) -> None:
    """Near to one another in a small file, and far from both ends of a large one."""
    order = ["images", "annotations", key, "other", "categories"]
    records = [{"image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 2]}] * n
    some = {**_ALL, "annotations": records, "other": records}
    path = _write(tmp_path, "{" + ",".join(f'"{name}":{json.dumps(some[name])}' for name in order) + "}")
    with pytest.raises(InputError, match=rf"\$\.{key}: must stand once, got it twice"):
        read_coco(path, workers=1).read_all()


def test_flaws_among_annotations_are_told(tmp_path: Path) -> None:
    text = json.dumps(_ALL)
    for flaw in ('"bbox" [0, 59', '"bbox": [}', '"bbox: [0, 59'):
        path = _write(tmp_path, text.replace('"bbox": [0, 59', flaw))
        with pytest.raises(InputError, match=r"byte \d+ \(line 1\): ") as caught:
            read_coco(path).read_all()
        assert len(caught.value.problems) == 1


def test_rows_before_a_flaw_are_given_where_problems_are_skipped(tmp_path: Path) -> None:
    path = _write(tmp_path, json.dumps(_ALL).replace('"bbox": [0, 59, 1, 2]', '"bbox": [0, 59, 1, }'))
    reader = read_coco(path, on_error="skip")
    assert pa.Table.from_batches(reader).num_rows == 59
    assert len(reader.report.problems) == 1
