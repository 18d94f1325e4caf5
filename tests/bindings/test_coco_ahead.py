"""Threads that read a COCO file ahead find what one thread finds, piece by piece."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from predarrow.errors import InputError
from predarrow.formats.coco.file import CocoFile, Scanned
from predarrow.formats.coco.plain_results import Plain
from predarrow.formats.coco.read import read_coco
from predarrow.report import Problem
from predarrow_engine.coco import CocoBlock, CocoScanner

_RECORD = {"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "score": 0.5}

_records = st.builds(
    lambda i, extra, odd: {**_RECORD, "image_id": i, "note": extra, **odd},
    st.integers(0, 9),
    st.sampled_from(["", "},{", '"}, {"image_id": 1}', "\\", "ü" * 9, [{"a": 1}, {"b": 2}]]),
    st.sampled_from([{}, {}, {}, {"score": "0.5"}, {"bbox": [1, 2, 3]}, {"category_id": None}]),
)
_lists = st.lists(st.one_of(_records, _records, st.lists(_records, max_size=3), st.just(7)), max_size=12)
_documents = st.one_of(
    _lists,
    st.builds(
        lambda annotations, more: {"info": {"a": [{}, {}]}, "annotations": annotations, "other": more, "images": []},
        _lists,
        _lists,
    ),
)


def _found(path: Path, workers: int) -> tuple[list[pa.RecordBatch], list[Problem]]:
    reader = read_coco(path, workers=workers, on_error="skip")
    batches = list(reader)
    return batches, reader.report.problems


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    document=_documents,
    block_bytes=st.sampled_from([5, 64, 300, 1 << 20]),
    indent=st.sampled_from([None, 1]),
    cut=st.integers(0, 40),
)
def test_threads_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: Any, block_bytes: int, indent: int | None, cut: int
) -> None:
    monkeypatch.setattr(CocoFile.scan, "__defaults__", (block_bytes,))
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    path = tmp_path / "file.json"
    path.write_text(text[: len(text) - cut] if cut < 10 else text, "utf-8")
    batches, problems = _found(path, 1)
    others, other_problems = _found(path, 3)
    assert len(batches) == len(others)
    assert all(one.equals(other) for one, other in zip(batches, others, strict=True))
    assert problems == other_problems


@pytest.mark.parametrize("name", ["list.json", "dictionary.json", "lines.jsonl", "packed.json.gz"])
def test_pieces_that_are_read_ahead_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    records = [{**_RECORD, "id": i, "note": "},{" if i % 7 == 0 else ""} for i in range(2000)]
    path = tmp_path / name
    text = "\n".join(map(json.dumps, records)) if name.endswith("l") else json.dumps(records)
    text = f'{{"info": [{{}}, {{}}], "annotations": {text}}}' if name.startswith("dict") else text
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    followed = []
    follow = CocoScanner.follow

    def counted(self: CocoScanner, before: CocoScanner, block: CocoBlock) -> None:
        followed.append(block.records.kind.size)
        follow(self, before, block)

    monkeypatch.setattr(CocoScanner, "follow", counted)
    monkeypatch.setattr(CocoFile.scan, "__defaults__", (4096,))
    table = read_coco(path, workers=2).read_all()
    assert table["row"].to_pylist() == list(range(2000))
    assert sum(followed) > 1000


def _places(problems: Sequence[Problem]) -> list[str]:
    return [problem.pointer for problem in problems]


def test_only_the_first_piece_is_read_before_others_are_given(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps([_RECORD] * 500))
    found = list(CocoFile(str(path)).scan((0,), 4096, workers=3, finish=lambda records: records.image_id.size))
    assert isinstance(found[0], Scanned)
    assert len(found) > 5
    rest = [piece.result for piece in found[1:] if isinstance(piece, Plain)]
    assert len(rest) == len(found) - 1
    assert found[0].block.records.kind.size + sum(rest) == 500


def _sizes(path: Path, block_bytes: int) -> list[int]:
    """Give the number of records in each piece."""
    found = CocoFile(str(path)).scan((0,), block_bytes, workers=2, finish=lambda records: records.image_id.size)
    return [piece.n if isinstance(piece, Plain) else piece.block.records.kind.size for piece in found]


_MASK = {"image_id": 1, "category_id": 2, "segmentation": {"size": [4, 3], "counts": "0<"}, "score": 0.5}


@pytest.mark.parametrize("record", [_RECORD, _MASK])
def test_the_head_of_the_first_piece_tells_how_the_rest_is_written(tmp_path: Path, record: dict[str, Any]) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps([record] * 5000))
    sizes = _sizes(path, 200_000)
    assert 0 < 10 * sizes[0] < 6 * sizes[1]
    assert sum(sizes) == 5000


@pytest.mark.parametrize("box", [[0, 0, 1, 1], [0.5, 0, 0.5, 1], [0, 0.25, 1, 1.5]])
def test_a_head_of_boxes_that_may_be_relative_tells_nothing(tmp_path: Path, box: list[float]) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps([{**_RECORD, "bbox": box}] * 5000))
    sizes = _sizes(path, 200_000)
    assert sizes[0] > 2000
    assert sum(sizes) == 5000
    relative = [{**_RECORD, "bbox": box}] * 2000
    path.write_text(json.dumps([*relative, _RECORD]))
    assert read_coco(path).read_all().num_rows == 2001


def test_places_in_lists_of_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {**_RECORD, "score": "high"}
    document = [[_RECORD] * 3, bad, *[_RECORD] * 50, [_RECORD, bad], *[_RECORD] * 50, [bad]]
    path = tmp_path / "file.json"
    path.write_text(json.dumps(document))
    monkeypatch.setattr(CocoFile.scan, "__defaults__", (500,))
    with pytest.raises(InputError) as caught:
        read_coco(path, workers=3).read_all()
    assert _places(caught.value.problems) == ["$[1].score", "$[52][1].score", "$[103][0].score"]


def test_no_record_with_a_category(tmp_path: Path) -> None:
    people = [{"id": 1, "name": "person", "keypoints": ["nose"]}]
    record = {"image_id": 1, "category_id": None, "keypoints": [1, 2, 2]}
    path = tmp_path / "file.json"
    path.write_text(json.dumps({"annotations": [record], "categories": people}))
    with pytest.raises(InputError, match=r"annotations\[0\]\.category_id: must be a whole number or text, got null"):
        read_coco(path).read_all()


def test_a_packed_file_that_breaks_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CocoFile.scan, "__defaults__", (4096,))
    path = tmp_path / "file.json.gz"
    path.write_bytes(gzip.compress(json.dumps([{**_RECORD, "id": i * i} for i in range(5000)]).encode())[:-900])
    one, other = _found(path, 1), _found(path, 3)
    assert [batch.num_rows for batch in one[0]] == [batch.num_rows for batch in other[0]]
    assert len(one[0]) > 2
    assert one[1] == other[1]
    assert "whole gzip file" in one[1][0].message


@pytest.mark.parametrize("n", [100, 400])
def test_pieces_are_shorter_near_the_end(tmp_path: Path, n: int) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps([_RECORD] * n))
    sizes = [len(piece.data) for piece in CocoFile(str(path)).scan((0,), 4000)]
    assert max(sizes) <= 4000 + 100
    assert max(sizes[-2:]) <= 1000 + 100
    assert sum(sizes) == path.stat().st_size
    assert len(sizes) <= path.stat().st_size // 4000 + 6


def test_masks_are_read_in_longer_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mask = {"image_id": 1, "category_id": 2, "segmentation": {"size": [3, 4], "counts": "0<"}}
    boxes, masks = tmp_path / "boxes.json", tmp_path / "masks.json"
    boxes.write_text(json.dumps([_RECORD] * 300))
    masks.write_text(json.dumps([mask, mask, _RECORD] * 100))
    sizes = [{len(piece.data) // 512 for piece in CocoFile(str(path)).scan((0,), 512)} for path in (boxes, masks)]
    assert max(sizes[0]) <= 1
    assert max(sizes[1]) == 2
    monkeypatch.setattr(CocoFile.scan, "__defaults__", (512,))
    (batches, _), (others, _) = _found(masks, 1), _found(masks, 3)
    assert batches == others
    assert sum(batch.num_rows for batch in batches) == 300


@pytest.mark.parametrize("is_nested", [False, True])
def test_places_in_a_list_that_begins_in_a_piece_that_is_read_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_nested: bool
) -> None:
    images = [{"id": k, "file_name": f"{k}.jpg"} for k in range(40)]
    bad = {**_RECORD, "score": "high"}
    records: list[Any] = [*[_RECORD] * 2, [bad] if is_nested else bad, *[_RECORD] * 20, bad]
    path = tmp_path / "file.json"
    path.write_text(json.dumps({"images": images, "annotations": records, "other": images}))
    for block_bytes in range(200, 1000, 37):
        monkeypatch.setattr(CocoFile.scan, "__defaults__", (block_bytes,))
        _, problems = _found(path, 2)
        first = "$.annotations[2][0].score" if is_nested else "$.annotations[2].score"
        assert _places(problems) == [first, "$.annotations[23].score"]
