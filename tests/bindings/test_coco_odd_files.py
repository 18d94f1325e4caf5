"""COCO files that are odd as a whole: damaged, with lists that stand twice, or given with odd names and mappings."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from predarrow.errors import InputError, PredarrowError
from predarrow.formats.coco import plain_results
from predarrow.formats.coco.annotations import write_coco_annotations
from predarrow.formats.coco.file import CocoFile
from predarrow.formats.coco.read import read_coco
from predarrow.formats.coco.write import write_coco_results

_BOX = {"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "score": 0.5}


def _write(tmp_path: Path, document: Any, name: str = "file.json") -> Path:
    path = tmp_path / name
    path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
    return path


def _read(tmp_path: Path, document: Any, **options: Any) -> pa.Table:
    return read_coco(_write(tmp_path, document), **options).read_all()


@pytest.mark.parametrize("n_before", [0, 9999])
def test_packed_files_whose_bytes_are_wrong(tmp_path: Path, n_before: int) -> None:
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(json.dumps([{**_BOX, "image_id": i * i} for i in range(n_before)]).encode())
    packed += packer.flush(zlib.Z_FULL_FLUSH) + b"\x07" * 20
    with pytest.raises(InputError, match=r"file\.json\.gz: must be a whole gzip file, got Error -3"):
        read_coco(_write(tmp_path, packed, "file.json.gz")).read_all()


def test_more_behind_an_object_of_a_line(tmp_path: Path) -> None:
    line = json.dumps(_BOX).encode()
    path = _write(tmp_path, line + b" " + line + b"\n", "file.jsonl")
    with pytest.raises(InputError, match=r"file\.jsonl: byte 70 \(line 1\): JSON must have an object on each line"):
        read_coco(path).read_all()


@pytest.mark.parametrize("again", [b"[]", json.dumps([_BOX]).encode()])
@pytest.mark.parametrize("between", [b"", b',"images":[{"id":1,"file_name":"a"}]'])
def test_annotations_that_stand_twice(tmp_path: Path, again: bytes, between: bytes) -> None:
    text = b'{"annotations":' + json.dumps([_BOX] * 3).encode() + between + b',"annotations":' + again + b"}"
    with pytest.raises(InputError, match=r"file\.json: \$\.annotations: must stand once, got it twice"):
        read_coco(_write(tmp_path, text)).read_all()


_STOPS = {
    "another format": (b'{"image_id":1,"caption":"a"}', "got caption"),
    "another format behind a record of none": (
        b'{"image_id":1},{"image_id":1,"segments_info":[]}',
        "got segments_info",
    ),
    "no UTF-8": (b'{"image_id":1,"note":"\xff"}', "must be UTF-8"),
    "no UTF-8 behind some": ('{"image_id":1,"note":"ü'.encode() + b'\xff"}', "must be UTF-8"),
    "no JSON": (b'{"image_id":1,"score":01}', "must have a number of JSON here"),
    "a second list": (json.dumps(_BOX).encode() + b'],"annotations":[{}', "must stand once"),
}


@pytest.mark.parametrize(("stop", "told"), _STOPS.values(), ids=list(_STOPS))
@pytest.mark.parametrize("workers", [1, 2])
def test_rows_in_front_of_what_no_file_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: bytes, told: str, workers: int
) -> None:
    images = json.dumps([{"id": i, "file_name": f"{i}.jpg"} for i in range(60)]).encode()
    records = [{**_BOX, "image_id": i} for i in range(60)]
    lists = b'{"images":' + images + b',"categories":[{"id":2,"name":"car"}],"annotations":'
    text = json.dumps(records).encode()[:-1] + b"," + stop + b"," + json.dumps(records).encode()[1:]
    n_rows = 60 + told.startswith("must stand once")
    found = []
    monkeypatch.setattr(plain_results, "_HEAD", 600)
    for block_bytes in (250, 900, 4000, 1 << 20):
        monkeypatch.setattr(CocoFile.scan, "__defaults__", (block_bytes,))
        reader = read_coco(_write(tmp_path, lists + text + b"}"), workers=workers, on_error="skip")
        rows = reader.read_all()["row"].to_pylist()
        assert rows == list(range(n_rows))
        assert told in reader.report.problems[-1].message
        found.append(reader.report)
    assert all(report == found[0] for report in found)


def test_lists_of_the_file_that_others_stand_for_need_not_hold(tmp_path: Path) -> None:
    lists = {"images": [{"id": 1, "coco_url": "http://a/b.jpg"}], "categories": [{"id": 2}]}
    document = {**lists, "annotations": [_BOX]}
    with pytest.raises(InputError, match=r"\$\.images\[0\]\.file_name: must be text .*; give the names with images"):
        _read(tmp_path, document, categories={2: "car"})
    with pytest.raises(InputError, match=r"\$\.categories\[0\]\.name: must be text, got nothing"):
        _read(tmp_path, document, images={1: "b.jpg"})
    table = _read(tmp_path, document, images={1: "b.jpg"}, categories={2: "car"})
    assert table.select(["data_unit", "class_name"]).to_pylist() == [{"data_unit": "b.jpg", "class_name": "car"}]


def test_ids_that_64_bits_do_not_hold(tmp_path: Path) -> None:
    hint = "; write whole numbers of more than 64 bits as text"
    with pytest.raises(InputError, match=f"must be a whole number or text, got {2**63}{hint}"):
        _read(tmp_path, [_BOX | {"image_id": 2**63}])
    assert _read(tmp_path, [_BOX | {"image_id": str(2**63)}])["data_unit"].to_pylist() == [str(2**63)]


def test_half_characters_of_attributes_come_back(tmp_path: Path) -> None:
    table = _read(tmp_path, [_BOX | {"note": "\ud800", "other": {"é": "\udfff"}}])
    for write in (write_coco_results, write_coco_annotations):
        write(table, tmp_path / "again.json", overwrite=True)
        again = read_coco(tmp_path / "again.json").read_all()["attributes"].to_pylist()
        members = json.loads(again[0])
        assert (members["note"], members["other"]) == ("\ud800", {"é": "\udfff"})


def test_ids_of_mappings_stand_once(tmp_path: Path) -> None:
    """1, 1.0 and "1" are one id: of the names of two, one would be lost, and later ones would be another's."""
    twice = {1: "a", "1": "b", 2: "c"}
    with pytest.raises(InputError, match="images: '1': an id must stand once, got '1' again"):
        _read(tmp_path, [_BOX], images=twice)
    with pytest.raises(InputError, match="categories: '1': an id must stand once, got '1' again"):
        _read(tmp_path, [_BOX], categories=twice)


@pytest.mark.parametrize("name", ["a\0b.json", "\udcff.json"])
def test_names_that_no_table_holds(name: str) -> None:
    with pytest.raises(PredarrowError, match="path: must be a name that UTF-8 can hold, without NUL, got"):
        read_coco(name)
