from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from predarrow.buffers import bools_of, numbers_array, text_array, validity
from predarrow.table import record_batch
from tests.kitti_files import LABEL, RESULT, write
from tests.label_studio_samples import result_of
from tests.mask_files import write_mask

_DTYPES = st.one_of(hnp.integer_dtypes(endianness="="), hnp.unsigned_integer_dtypes(endianness="="))
_NUMBERS = st.one_of(_DTYPES, hnp.floating_dtypes(sizes=(32, 64), endianness="="), st.just(np.dtype(np.bool_)))
_VALUES = hnp.arrays(_NUMBERS, st.integers(0, 20))


def _same(found: pa.Array, wanted: pa.Array) -> bool:
    """Whether arrays are equal, NaN as NaN; what stands under a null counts nothing."""
    found.validate(full=True)
    equal: bool = found.type == wanted.type and repr(found.to_pylist()) == repr(wanted.to_pylist())
    return equal


@given(_VALUES, st.integers(1, 3), st.randoms(use_true_random=False))
def test_numbers_are_those_of_pyarrow(values: npt.NDArray[Any], step: int, random: Any) -> None:
    values = values[::step]
    is_valid = np.array([random.random() < 0.7 for _ in values], np.bool_)
    assert _same(numbers_array(values), pa.array(values))
    assert _same(numbers_array(values, is_valid=is_valid), pa.array(values, mask=~is_valid))


@pytest.mark.parametrize("type_", [pa.int32(), pa.int64(), pa.float64(), pa.float32(), pa.int8()])
@pytest.mark.parametrize("values", [[0, 5, -3], [2**31, 0], [1.0, 2.0], [1.5], [2.0**60, 1], [float("nan"), 1]])
def test_casts_are_those_of_pyarrow(values: list[float], type_: pa.DataType) -> None:
    array = np.array(values)
    try:
        wanted = pa.array(array, type_)
    except pa.ArrowInvalid:
        with pytest.raises(pa.ArrowInvalid):
            numbers_array(array, type_)
    else:
        assert _same(numbers_array(array, type_), wanted)


def test_a_number_under_a_null_need_not_fit() -> None:
    found = numbers_array(np.array([2**40, 1]), pa.int32(), is_valid=np.array([False, True]))
    assert found.to_pylist() == [None, 1]


def test_numbers_do_not_become_text() -> None:
    with pytest.raises(pa.ArrowTypeError, match="must be a type of numbers, got string"):
        numbers_array(np.arange(3), pa.string())


@pytest.mark.parametrize("wrong", [{"class_name": 5}, {"frame": "5"}, {"frame": 0.5}, {"class_name": np.arange(2)}])
def test_a_batch_takes_no_value_of_another_type(wrong: dict[str, Any]) -> None:
    columns = {"data_unit": "a", "frame": 0, "class_name": "b", "kind": "bbox"}
    with pytest.raises(pa.ArrowException):
        record_batch(2, columns | wrong)


def test_contiguous_numbers_are_not_copied() -> None:
    values = np.arange(5)
    assert numbers_array(values, pa.int64()).buffers()[1].address == values.ctypes.data


@given(st.lists(st.none() | st.text()))
def test_texts_are_those_of_pyarrow(texts: list[str | None]) -> None:
    assert _same(text_array(texts), pa.array(texts, pa.string()))
    assert _same(text_array(tuple(texts)), pa.array(texts, pa.string()))


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(UnicodeEncodeError):
        text_array(["a", "\ud800"])


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 9))
def test_booleans_come_back(values: list[bool], start: int) -> None:
    array = np.array(values, np.bool_)
    assert bools_of(numbers_array(array).slice(start)).tolist() == values[start:]
    bits = validity(array)
    assert (bits is None) == all(values)


_READ = """
import sys
import predarrow

{what}
sys.exit("pandas" in sys.modules or "sought" in sys.modules)
"""


@pytest.mark.parametrize(
    "what",
    [
        "assert predarrow.from_label_mask(__import__('numpy').eye(4, dtype='uint16')).num_rows == 1\n"
        "assert 'pyarrow.compute' not in sys.modules",  # 30 ms more
        "assert predarrow.read_masks('masks').read_all().num_rows == 4",
        "assert predarrow.read_masks('masks', classes={1: 'a', 2: None}).read_all().num_rows == 2",
        "assert predarrow.read_kitti('kitti').read_all().num_rows == 4",
        "assert predarrow.read_kitti('kitti', classes={'Car': 'car', 'Van': None}).read_all().num_rows == 2",
        "assert predarrow.read_coco('results.json').read_all().num_rows == 4",
        "assert predarrow.read_label_studio('tasks.json').read_all().num_rows == 8",
    ],
)
def test_files_are_read_without_pandas(tmp_path: Path, what: str) -> None:
    (tmp_path / "pandas.py").write_text("import sys\nsys.modules['sought'] = sys\nraise ImportError('not here')\n")
    labels = np.zeros((8, 9), np.uint8)
    labels[1:3, 1:4], labels[5:7, 2:8] = 1, 2
    for folder in ("masks", "kitti"):
        (tmp_path / folder).mkdir()
    for name in ("a", "b__3"):
        write_mask(tmp_path / "masks" / f"{name}.png", labels)
    for name, line in (("a", RESULT), ("b__3", LABEL)):  # one with scores, one without
        write(tmp_path / "kitti" / f"{name}.txt", f"{line}\n{line.replace('Car', 'Van')}")
    shapes: list[dict[str, Any]] = [
        {"bbox": [1, 2, 3, 4]},
        {"segmentation": [[1, 2, 3, 4, 5, 9]]},
        {"segmentation": {"size": [2, 2], "counts": [1, 3]}},
        {"keypoints": [1, 2, 2, 3, 4, 1]},
    ]
    records = [{"image_id": place, "category_id": 2, "score": 0.5, **shape} for place, shape in enumerate(shapes)]
    (tmp_path / "results.json").write_text(json.dumps(records))
    tags = ("RectangleLabels", "PolygonLabels", "BrushLabels", "Labels")
    regions = [result_of(tag, tag, ["Car"]) for tag in tags]
    tasks = [{"data": {"image": name}, "predictions": [{"result": regions}]} for name in ("b", "a")]  # to be sorted
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, "-c", _READ.format(what=what)]
    subprocess.run(command, check=True, cwd=tmp_path, env=environment)
