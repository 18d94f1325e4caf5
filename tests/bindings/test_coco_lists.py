"""Lists of images and categories: the quick way finds what the careful one finds, and leaves to it what is odd."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from predarrow.errors import InputError
from predarrow.formats.coco import lists
from predarrow.formats.coco.file import CocoFile
from predarrow.formats.coco.lists import lists_of
from predarrow.formats.coco.names import Images
from predarrow.formats.coco.read import read_coco
from tests.corpus import corpus_path

_CATEGORIES = [{"id": 1, "name": "cat"}]
_IMAGE: dict[str, Any] = {"id": 7, "file_name": "a.png", "height": 3, "width": 4}


def _write(tmp_path: Path, images: Any, categories: Any = _CATEGORIES) -> str:
    path = tmp_path / "file.json"
    note = [{"image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 1], "note": '"]}, "images": [{'}]
    path.write_text(json.dumps({"annotations": note, "images": images, "categories": categories, "more": [{}]}))
    return str(path)


def _both(path: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Images | None, Images | None]:
    quick = lists_of(CocoFile(path))
    with monkeypatch.context() as patched:
        patched.setattr(lists, "_plain_lists", lambda *_: None)
        careful = lists_of(CocoFile(path))
    assert quick.categories == careful.categories
    return quick.images, careful.images


def _shown(images: Images | None) -> Any:
    if images is None:
        return None
    texts = images.data_units.array.to_pylist()
    return dict(images.places), texts, images.frames.tolist(), images.sizes.tolist(), images.sizes.dtype, images.rule


@pytest.mark.parametrize(
    "images",
    [
        [_IMAGE, {**_IMAGE, "id": -8, "file_name": 'ü "b" \\'}],
        [{"id": 7, "file_name": "a.png"}],
        [],
        [{**_IMAGE, "id": "7"}],
        [{**_IMAGE, "id": 7.0}],
        [_IMAGE, _IMAGE],
        [{**_IMAGE, "height": None}, {**_IMAGE, "id": 8, "width": 4.0}],
    ],
)
def test_images(tmp_path: Path, images: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quick, careful = _both(_write(tmp_path, images), monkeypatch)
    assert _shown(quick) == _shown(careful)
    assert quick is not None


def test_real_images(monkeypatch: pytest.MonkeyPatch) -> None:
    quick, careful = _both(str(corpus_path("coco_annotations", "instances_val2014_100.json")), monkeypatch)
    assert _shown(quick) == _shown(careful)


@pytest.mark.parametrize(
    ("images", "categories", "message"),
    [
        ([{**_IMAGE, "height": 0}], _CATEGORIES, r"images\[0\]: height and width: must be whole numbers"),
        ([{**_IMAGE, "width": 2**31}], _CATEGORIES, r"images\[0\]: height and width: must be whole numbers"),
        ([{**_IMAGE, "file_name": "\ud800"}], _CATEGORIES, r"images\[0\]\.file_name: must be text that UTF-8 can hold"),
        ([_IMAGE, {**_IMAGE, "file_name": ""}], _CATEGORIES, r"images\[1\]\.file_name: must be text that is not empty"),
        ([_IMAGE], [{"id": 1, "name": "\udfff"}], r"categories\[0\]\.name: must be text that UTF-8 can hold"),
        ([_IMAGE, 7], _CATEGORIES, r"images\[1\]: must be an object"),
        ({}, _CATEGORIES, r"\$\.images: must be a list"),
    ],
)
def test_lists_that_do_not_hold(tmp_path: Path, images: Any, categories: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_coco(_write(tmp_path, images, categories)).read_all()


def test_what_is_no_json_in_a_list_that_is_skimmed(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    good = Path(_write(tmp_path, [_IMAGE])).read_text()
    for flaw, place in (('"bbox" [', "colon"), ('"bbox": [}', "value"), ('"bbox: [', "JSON")):
        path.write_text(good.replace('"bbox": [', flaw))
        with pytest.raises(InputError, match=rf"byte \d+ \(line 1\): .*{place}") as caught:
            read_coco(path).read_all()
        assert len(caught.value.problems) == 1
