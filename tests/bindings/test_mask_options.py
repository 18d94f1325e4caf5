"""Options of masks that do not hold are told before anything is read; values of NumPy are as good as Python's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from predarrow.data_units import DataUnits
from predarrow.errors import PredarrowError
from predarrow.formats.masks import from_label_mask, read_masks
from predarrow.imports import import_mask_predictions
from predarrow.ontology import Ontology
from predarrow.project import Project
from tests.images import SEED_DRAWING
from tests.mask_files import write_mask


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"simplify": "1"}, "simplify: must be a number of pixels or None, got '1'"),
        ({"min_area": 2**63}, "min_area: must be a whole number from 0 to"),
        ({"max_classes": "9"}, "max_classes: must be a whole number of at least 1, got '9'"),
        ({"max_classes": 0}, "max_classes"),
        ({"void": 255}, "void: must be a list of whole numbers, got 255"),
        ({"void": iter([255])}, "void: must be a list of whole numbers"),
        ({"void": [2**32 + 1]}, "void: must be a whole number from -2147483648 to 4294967295, got 4294967297"),
        ({"background": -(2**31) - 1}, "background: must be a whole number from"),
    ],
)
def test_options_must_hold(options: dict[str, Any], text: str, tmp_path: Path) -> None:
    with pytest.raises(PredarrowError, match=text):
        from_label_mask(SEED_DRAWING, **options)
    write_mask(tmp_path / "a.png")
    with pytest.raises(PredarrowError, match=text):
        read_masks(tmp_path, **options)
    project = Project.create(
        tmp_path / "project",
        ontology=Ontology.from_classes(["car"]),
        data_units=DataUnits.from_table({"id": ["a"]}),
    )
    with pytest.raises(PredarrowError, match=text):
        import_mask_predictions(project, tmp_path / "a.png", {"car": 1}, **options)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"workers": "2"}, "workers: must be a whole number of at least 1, got '2'"),
        ({"workers": 1.5}, "workers: "),
        ({"max_pixels": None}, "max_pixels: must be a whole number of at least 1, got None"),
        ({"rgb": "panopitc"}, "rgb: must be \"panoptic\", a mapping .* or None, got 'panopitc'"),
        ({"rgb": [(1, 2, 3)]}, "rgb: "),
        ({"rgb": {7: 1}}, "colour map: a colour must be three numbers of 0 to 255, got 7"),
        ({"rgb": {(1, 2, "3"): 1}}, "colour map: a colour"),
        ({"rgb": {(1.5, 2, 3): 1}}, "colour map: a colour"),
        ({"rgb": {(1, 2, 3): "car"}}, r"colour map: \(1, 2, 3\): must be a whole number from 0 to 4294967295"),
    ],
)
def test_options_of_files_must_hold(options: dict[str, Any], text: str, tmp_path: Path) -> None:
    write_mask(tmp_path / "a.png")
    with pytest.raises(PredarrowError, match=text):
        read_masks(tmp_path, **options)


def test_values_that_are_no_class_may_be_numpys() -> None:
    expected = from_label_mask(SEED_DRAWING, background=0, void=[1])
    options: Any = {"background": np.uint8(0), "void": np.array([1], np.uint8)}
    assert from_label_mask(SEED_DRAWING, **options).equals(expected)
    assert expected.num_rows == 1


def test_long_arrays_of_void_are_told_apart() -> None:
    mask = np.full((2, 2), 2_000, np.uint16)
    void: Any = np.arange(5_000, 7_000)
    assert from_label_mask(mask, void=void).num_rows == 1
    void[1_000] = 2_000
    assert from_label_mask(mask, void=void).num_rows == 0


def test_long_arrays_of_void_are_told_apart_in_files(tmp_path: Path) -> None:
    write_mask(tmp_path / "a.png", np.full((2, 2), 2_000, np.uint16))
    void: Any = np.arange(5_000, 7_000)
    assert read_masks(tmp_path, void=void).read_all().num_rows == 1
    void[1_000] = 2_000
    assert read_masks(tmp_path, void=void).read_all().num_rows == 0


def test_options_that_change_while_files_are_read_change_nothing(tmp_path: Path) -> None:
    for number in range(130):  # more than one chunk, so that more than one tracer is made
        write_mask(tmp_path / f"{number}.png")
    void = [3]
    reader = read_masks(tmp_path, void=void, workers=2)
    void += [1, 2]
    assert reader.read_all().num_rows == 3 * 130
    assert read_masks(tmp_path, void=[3]).read_all().num_rows == 3 * 130
