"""Annotations with polygons or run lengths that are written alike, among others that are not.

Their tables are those of every rule, to the byte.
"""

from __future__ import annotations

import json
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
from tests import naive_rle
from tests.coco_plain_parts import sizes_taken

_RING = [0, 0, 10.5, 0, 10.25, 10, 0.125, 10]
_TEXT = naive_rle.to_string([5, 6, 12_000 - 11]).decode()
_RUNS = {"size": [120, 100], "counts": [0, 12000]}
_ODD: list[dict[str, Any]] = [
    {"segmentation": []},
    {"segmentation": None},
    {"segmentation": _RUNS},
    {"segmentation": [[1, 2, 3, 4]]},
    {"segmentation": [_RING[:7]]},
    {"segmentation": _RING},
    {"segmentation": [_RING, [1e39, 2, 3, 4, 5, 6]]},
    {"bbox": [1, 2, -3, 4]},
    {"bbox": None},
    {"image_id": "a"},
    {"image_id": 99},
    {"category_id": 3.0},
    {"id": "ü"},
    {"iscrowd": 1},
    {"score": 0.5},
    {"keypoints": [1, 2, 2]},
    {"note": "}, {"},
]
_ODD_RUNS: list[dict[str, Any]] = [
    {"segmentation": _RUNS},
    {"segmentation": [_RING]},
    {"segmentation": {"size": [120, 100], "counts": _TEXT, "further": 1}},
    *(
        {"segmentation": {"size": size, "counts": _TEXT}}
        for size in ([100, 120], [120, 101], [-120, -100], [120.0, 100])
    ),
    *({"segmentation": {"size": [120, 100], "counts": text}} for text in ("", "5", f"e0{_TEXT[1:]}", "p", 'a"', "ü")),
    {"segmentation": {"size": [120, 100], "counts": naive_rle.to_string([12_000]).decode()}},
]
_numbers = st.floats(0, 90).map(lambda number: round(number, 2))
_rings = st.lists(st.lists(_numbers, min_size=3, max_size=12).map(lambda half: half * 2), min_size=1, max_size=3)
_annotations = st.fixed_dictionaries(
    {
        "id": st.integers(0, 10**12),
        "image_id": st.integers(1, 4),
        "category_id": st.integers(1, 6),
        "segmentation": st.one_of(_rings, st.just([_RING + _RING[:2]])),
        "area": st.floats(0, 900),
        "bbox": st.tuples(*[_numbers] * 4),
        "iscrowd": st.just(0),
    }
)
_masks = st.builds(
    lambda lengths: {"size": [120, 100], "counts": naive_rle.to_string([*lengths, 12_000 - sum(lengths)]).decode()},
    st.lists(st.integers(1, 300), min_size=1, max_size=30),
)


def _runs(annotations: st.SearchStrategy[Any], odd: list[dict[str, Any]]) -> st.SearchStrategy[Any]:
    some = st.tuples(st.lists(annotations, min_size=1, max_size=20), st.sampled_from([{}, {}, *odd]))
    return st.lists(some, min_size=1, max_size=6)


_polygons = _runs(_annotations, _ODD)
_with_masks = _runs(st.builds(lambda one, mask: {**one, "segmentation": mask}, _annotations, _masks), _ODD + _ODD_RUNS)
_LEFT_OUT: list[frozenset[str]] = [frozenset(), frozenset({"id", "area", "iscrowd"}), frozenset({"area"})]
_IMAGES = {"images": [{"id": k, "file_name": f"{k}.jpg", "width": 100, "height": 120} for k in range(1, 5)]}
_NAMES = {1: "car", 2: "tree", 3: "a class with a long name", 4: None, 5: "ü"}


def _choose(category: str, kind: str) -> Choice:
    return Choice(f"{category} {kind}", None if category == "2" else f"hash {category}", is_listed=category != "5")


_options = st.builds(
    CocoOptions,
    images=st.sampled_from([None, given_images(_IMAGES), given_images({k: f"{k}.jpg" for k in range(1, 5)})]),
    categories=st.just(NO_CATEGORIES),
    chooser=st.sampled_from([NO_CATEGORIES.choose, given_categories(_NAMES).choose, _choose]).map(Chooser),  # type: ignore[union-attr]  # names are given
    polygons=st.booleans(),
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
    if form == "tight":
        return json.dumps({"annotations": records}, separators=(",", ":"))
    return json.dumps(records, indent=1 if form == "indent" else None)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    runs=st.one_of(_polygons, _with_masks),
    common=st.sampled_from([{}, {"score": 0.25}, {"attributes": {"occluded": False, "tags": ["a", "ä"]}, "note": "x"}]),
    left_out=st.sampled_from([*_LEFT_OUT, frozenset({"id", "area", "iscrowd", "bbox"})]),
    options=_options,
    block_bytes=st.sampled_from([300, 1500, 6000]),
    form=st.sampled_from(["list", "tight", "indent", "lines"]),
    cut=st.sampled_from([0, 0, 0, 1, 9]),
)
def test_nothing_changes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runs: list[tuple[list[dict[str, Any]], dict[str, Any]]],
    common: dict[str, Any],
    left_out: frozenset[str],
    options: CocoOptions,
    block_bytes: int,
    form: str,
    cut: int,
) -> None:
    monkeypatch.setattr(CocoFile.scan, "__defaults__", (block_bytes,))
    records = [{**some, **common, **(odd if k == 0 else {})} for group, odd in runs for k, some in enumerate(group)]
    records = [{key: value for key, value in record.items() if key not in left_out} for record in records]
    path = tmp_path / ("file.jsonl" if form == "lines" else "file.json")
    is_mask = isinstance(runs[0][0][0]["segmentation"], dict)
    first = {"size": [120, 100], "counts": _TEXT} if is_mask else [_RING]
    text = _text([{**records[0], **common, "segmentation": first}] * 2 + records, form)
    path.write_text(text[: len(text) - cut])
    plain = [_found(path, options, workers) for workers in (1, 3)]
    with monkeypatch.context() as patched:
        patched.setattr(plain_results, "_IN_VAIN", 0)
        batches, report = _found(path, options, 1)
    for others, other_report in plain:
        assert len(others) == len(batches)
        for one, other in zip(batches, others, strict=True):
            other.validate(full=True)
            assert other.equals(one)
            assert other.schema.equals(one.schema, check_metadata=True)
        assert other_report == report


_MASK = {"image_id": 1, "segmentation": {"size": [120, 100], "counts": _TEXT}, "category_id": 2, "score": 0.5}


@pytest.mark.parametrize("polygons", [False, True])
def test_plain_run_lengths_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, polygons: bool) -> None:
    path = tmp_path / "list.json"
    path.write_text(_text([_MASK] * 3000, "list"))
    found = sizes_taken(monkeypatch, 8192)
    table = read_coco(path, workers=1, polygons=polygons).read_all()
    mask = {"height": 120, "width": 100, "counts": _TEXT.encode()}
    assert table["mask"].to_pylist() == [mask] * 3000
    assert table["bbox"][2999].as_py() == {"xmin": 0, "ymin": 5, "xmax": 1, "ymax": 11}
    assert table["polygon"].null_count == (0 if polygons else 3000)
    assert sum(found) > 2500


_RECORD = {"segmentation": [_RING], "area": 5, "image_id": 1, "bbox": [1.5, 2, 3, 4], "category_id": 2, "id": 0}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", ["list.json", "dictionary.json", "lines.jsonl"])
def test_plain_annotations_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, workers: int) -> None:
    records = [{**_RECORD, "id": i, "segmentation": [_RING] * (1 + (i > 1000) + i % 2)} for i in range(3000)]
    text = _text(records, "lines" if name.endswith("l") else "list")
    path = tmp_path / name
    path.write_text(f'{{"annotations":{text}}}' if name.startswith("dict") else text)
    found = sizes_taken(monkeypatch, 8192)
    table = read_coco(path, workers=workers).read_all()
    assert table["row"].to_pylist() == list(range(3000))
    assert table["attributes"].to_pylist() == [f'{{"id":{i},"area":5}}' for i in range(3000)]
    assert table["polygon"].combine_chunks().value_lengths().to_pylist() == [
        1 + (i > 1000) + i % 2 for i in range(3000)
    ]
    assert sum(found) > 2500
