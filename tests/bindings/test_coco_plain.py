"""Results that are written alike, among others that are not: tables and reports as by every rule, to the byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from predarrow.formats.coco import plain_results
from predarrow.formats.coco.file import CocoFile
from predarrow.formats.coco.lists import given_categories, given_images
from predarrow.formats.coco.names import NO_CATEGORIES, Choice, Chooser
from predarrow.formats.coco.read import coco_parts, read_coco
from predarrow.formats.coco.rows import CocoOptions
from predarrow.reader import PredictionReader
from predarrow.report import Report
from predarrow.table import SCHEMA
from tests.coco_plain_parts import sizes_taken

_ODD: list[dict[str, Any]] = [
    {"score": None},
    {"score": "high"},
    {"bbox": [1, 2, -3, 4]},
    {"bbox": None},
    {"image_id": "a"},
    {"image_id": 99},
    {"category_id": 3.0},
    {"id": 7},
    {"segmentation": [[0, 0, 4, 0, 4, 4]]},
]
_results = st.fixed_dictionaries(
    {
        "image_id": st.integers(1, 4),
        "category_id": st.integers(1, 6),
        "bbox": st.tuples(*[st.floats(0, 90).map(lambda number: round(number, 2))] * 4),
        "score": st.floats(0, 1),
    }
)
_runs = st.lists(
    st.tuples(st.lists(_results, min_size=1, max_size=30), st.sampled_from([{}, {}, *_ODD])), min_size=1, max_size=6
)
_IMAGES = {"images": [{"id": k, "file_name": f"{k}.jpg", "width": 100, "height": 120} for k in range(1, 5)]}
_NAMES = {1: "car", 2: "tree", 3: "a class with a long name", 4: None, 5: "ü"}


def _choose(category: str, kind: str) -> Choice:
    return Choice(f"{category} {kind}", f"hash {category}", is_listed=category != "5")


_options = st.builds(
    CocoOptions,
    images=st.sampled_from([None, given_images(_IMAGES), given_images({k: f"{k}.jpg" for k in range(1, 5)})]),
    categories=st.just(NO_CATEGORIES),
    chooser=st.sampled_from([NO_CATEGORIES.choose, given_categories(_NAMES).choose, _choose]).map(Chooser),  # type: ignore[union-attr]  # names are given
    box_unit=st.sampled_from([None, "pixel", "percent"]),
    default_confidence=st.sampled_from([None, 0.25]),
    on_outside=st.sampled_from([None, "keep", "clip", "reject"]),
)


def _found(path: Path, options: CocoOptions, workers: int) -> tuple[list[pa.RecordBatch], Report]:
    parts = coco_parts(CocoFile(str(path)), lambda: options, workers=workers, progress=None)
    reader = PredictionReader(parts, on_error="skip")
    return list(reader), reader.report


def _text(records: list[Any], form: str) -> str:
    if form == "lines":
        return "\n".join(map(json.dumps, records)) + "\n"
    return json.dumps(records, indent=1 if form == "indent" else None)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    runs=_runs,
    options=_options,
    block_bytes=st.sampled_from([200, 700, 3000]),
    head=st.sampled_from([300, 1000, 1 << 16]),
    form=st.sampled_from(["list", "indent", "lines"]),
    cut=st.sampled_from([0, 0, 0, 1, 9]),
)
def test_nothing_changes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runs: list[tuple[list[dict[str, Any]], dict[str, Any]]],
    options: CocoOptions,
    block_bytes: int,
    head: int,
    form: str,
    cut: int,
) -> None:
    monkeypatch.setattr(CocoFile.scan, "__defaults__", (block_bytes,))
    monkeypatch.setattr(plain_results, "_HEAD", head)
    records = [{**result, **(odd if k == 0 else {})} for results, odd in runs for k, result in enumerate(results)]
    path = tmp_path / ("file.jsonl" if form == "lines" else "file.json")
    text = _text([*records[:1] * 2, *records], form)
    path.write_text(text[: len(text) - cut])
    plain = [_found(path, options, workers) for workers in (1, 3)]
    with monkeypatch.context() as patched:
        patched.setattr(plain_results, "_IN_VAIN", 0)
        batches, report = _found(path, options, 1)
    for others, other_report in plain:
        for other in others:
            other.validate(full=True)
            assert other.schema.equals(SCHEMA, check_metadata=True)
        assert pa.Table.from_batches(others, SCHEMA).equals(pa.Table.from_batches(batches, SCHEMA))
        assert other_report == report
    assert [one.num_rows for one in plain[0][0]] == [one.num_rows for one in plain[1][0]]


_RECORD = {"image_id": 1, "category_id": 2, "bbox": [1.5, 2, 3, 4], "score": 0.5}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", ["list.json", "dictionary.json", "lines.jsonl"])
def test_plain_results_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, workers: int) -> None:
    text = _text([{**_RECORD, "image_id": i} for i in range(3000)], "lines" if name.endswith("l") else "list")
    path = tmp_path / name
    path.write_text(f'{{"annotations":{text}}}' if name.startswith("dict") else text)
    found = sizes_taken(monkeypatch, 4096)
    table = read_coco(path, workers=workers).read_all()
    assert table["row"].to_pylist() == list(range(3000))
    assert table["data_unit"].to_pylist() == [str(i) for i in range(3000)]
    assert sum(found) > 2500


@pytest.mark.parametrize("every", [1, 40])
def test_tries_in_vain_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    records = [_RECORD if i < 100 or i % every else {**_RECORD, "score": None} for i in range(3000)]
    path = tmp_path / "file.json"
    path.write_text(json.dumps(records))
    monkeypatch.setattr(CocoFile.scan, "__defaults__", (4096,))
    changes = []
    read: Callable[..., Any] = plain_results.PlainResults.read

    def counted(self: Any, *rest: Any) -> Any:
        before = self._in_vain
        found = read(self, *rest)
        changes.append(self._in_vain != before)
        return found

    monkeypatch.setattr(plain_results.PlainResults, "read", counted)
    table = read_coco(path, workers=1).read_all()
    assert table["confidence"].null_count == sum(record["score"] is None for record in records)
    assert 0 < sum(changes) < 10 < len(changes)
