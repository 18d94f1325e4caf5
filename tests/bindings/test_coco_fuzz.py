"""Bytes of COCO files changed at random: whatever they are, a file is read or refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from predarrow.formats.coco.file import CocoFile
from predarrow.formats.coco.read import read_coco

_SHARED = {"image_id": 1, "category_id": "c"}
_RECORDS = [
    {**_SHARED, "bbox": [1, 2.5, 3, 4], "score": 0.5, "area": 12, "iscrowd": 0, "id": 3, "x": {"y": [None, "\\"]}},
    {**_SHARED, "segmentation": [[0, 0, 4, 0, 4, 4], [5, 5, 9, 5, 9, 9.5, 5, 5]], "image_id": 2.0},
    {**_SHARED, "segmentation": {"size": [4, 3], "counts": "02203O"}, "score": None},
    {**_SHARED, "segmentation": {"size": [4, 3], "y": ["ü"], "counts": [0, 2, 2, 2, 5, 1]}},
    {**_SHARED, "keypoints": [1, 2, 2, 0, 0, 0, 5, 1, 0.25], "bbox": [], "segmentation": []},
]
_DOCUMENTS = [
    json.dumps(_RECORDS).encode(),
    json.dumps([_RECORDS[:2], [], _RECORDS[2:]], indent=1).encode(),
    json.dumps(
        {
            "images": [{"id": 1, "file_name": "a.jpg", "height": 4, "width": 3}, {"id": 2, "file_name": "b.jpg"}],
            "annotations": _RECORDS,
            "categories": [{"id": "c", "name": "ü", "keypoints": ["nose", "eye", "ear"]}],
        },
        ensure_ascii=False,
    ).encode(),
]
_SPICE = [*[bytes([code]) for code in b'0129-+.eE"\\[]{},: \nNnb~'], b"", b"null", b"\xff", b"1e999", b"NaN", b"[[]]"]


def _fuzz(path: Path, n_rounds: int, seed: int) -> int:
    """Read changed files; give how many were read without a problem."""
    generator = np.random.default_rng(seed)
    whole = 0
    for number in range(n_rounds):
        data = bytearray(_DOCUMENTS[number % len(_DOCUMENTS)])
        for _ in range(int(generator.integers(1, 4))):
            at = int(generator.integers(len(data)))
            end = at + int(generator.choice([0, 1, 1, 1, 8]))
            data[at:end] = _SPICE[int(generator.integers(len(_SPICE)))]
        path.write_bytes(data)
        reader = read_coco(path, polygons=number % 2 == 0, workers=1, on_error="skip")
        table = reader.read_all()
        table.validate(full=True)
        assert len(reader.report.problems) == len({str(problem) for problem in reader.report.problems})
        whole += not reader.report.problems
    return whole


@pytest.mark.parametrize("block_bytes", [64, 1 << 20])
def test_changed_bytes(tmp_path: Path, block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CocoFile.scan, "__defaults__", (block_bytes,))
    assert 0 < _fuzz(tmp_path / "file.json", 300, block_bytes) < 300


@pytest.mark.slow
def test_changed_bytes_for_long(tmp_path: Path) -> None:
    assert 0 < _fuzz(tmp_path / "file.json", 50_000, 1) < 50_000
