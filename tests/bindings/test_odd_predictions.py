"""Predictions and arguments that nobody should give: each is refused in one line, and nothing is changed."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from predarrow import (
    BoundingBox,
    InputError,
    Polygon,
    PredarrowError,
    Project,
    import_kitti_predictions,
    import_predictions,
    read_masks,
)
from predarrow.classes import LEFT_OUT
from predarrow.errors import ProjectError
from tests.mask_files import write_mask
from tests.object_project import box, object_project, rows, thing

TRIANGLE = [[0.1, 0.2], [0.5, 0.2], [0.5, 0.75]]
ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)
masked: Any = np.ma.masked_array  # untyped in NumPy 2.2


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    return object_project(tmp_path / "project")


class Tensor:
    """Several numbers of another library, none of which stands for all."""

    def __float__(self) -> float:
        raise RuntimeError("a Tensor with 2 elements cannot be converted to Scalar")


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (box(track_id="\ud800"), r"object.track_id: must be text or a whole number, got '\\ud800'"),
        (box(track_id=10**5000), "object.track_id: must be text or a whole number, got int, too long to tell"),
        (box(frame=10**5000), "frame: must be a whole number, got int, too long"),
        (box(frame=False), "frame: must be a whole number, got False"),
        (box(confidence=True), "confidence: must be a number, got True"),
        (box(confidence=Decimal("sNaN")), "confidence: must be a number, got Decimal"),
        (box(confidence=Tensor()), "confidence: must be a number, got <"),
        (box(BoundingBox(Tensor(), 0, 1, 1)), "object.data.x: must be a number, got <"),  # type: ignore[arg-type]
        (box(BoundingBox(0, 0, 1, 1, unit=np.array(["pixel"] * 2))), "object.data.unit: must be"),  # type: ignore[arg-type]
        (thing("polygon", Polygon(TRIANGLE, np.array(["pixel"] * 2))), "object.data.unit: must be"),  # type: ignore[arg-type]
        (box(ENDLESS), "object.data: must be an array of numbers"),
        (thing("polygon", ENDLESS), r"object.data: must be .* got 5 levels"),
        (thing("polygon", json.dumps([[[[[[[[]]]]]]]])), r"object.data: must be .* got 5 levels"),
        (
            thing("mask", masked(np.ones((100, 200)), mask=np.eye(100, 200, dtype=np.bool_)), "bits"),
            "object.data: must have no masked numbers, got some; fill",
        ),
    ],
)
def test_values(project: Project, bad: Any, text: str) -> None:
    with pytest.raises(InputError, match=r"^predictions\[1\]: " + text) as caught:
        import_predictions(project, [box(), bad, box()])
    assert len(caught.value.problems) == 1
    assert project.sets() == []
    result = import_predictions(project, [box(), bad, box()], on_error="skip")
    assert (result.rows, result.report.rejected) == (2, 1)


def test_track_ids_of_two_types_at_once(project: Project) -> None:
    import_predictions(project, [box(track_id="é"), box(track_id=10**30), box()])
    assert [row.get("object_id") for row in rows(project)] == ["é", str(10**30), None]


class LazyFrame:
    """Rows that are not computed yet."""

    def collect(self) -> None:
        """Compute them."""


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("boxes.parquet", "got 'boxes.parquet'; read the file first, as with pyarrow.parquet.read_table$"),
        (Path("boxes.parquet"), "; read the file first"),
        (b"PAR1", "; read the file first"),
        ({"data_unit": ["u1"]}, r"got \{'data_unit'"),
        (LazyFrame(), r"; collect\(\) it first$"),
        (box(), r"got Prediction\("),
        (None, "got None$"),
    ],
)
def test_no_predictions(project: Project, given: Any, text: str) -> None:
    with pytest.raises(PredarrowError, match=r"^predictions: must be an iterable of Prediction objects .*" + text):
        import_predictions(project, given)
    assert project.sets() == []


@pytest.mark.parametrize("given", [None, 5, [box()]])
def test_no_project(given: Any, tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"^project: must be a Project or its folder, got (NoneType|int|list)$"):
        import_predictions(given, [])
    with pytest.raises(ProjectError, match=r"^project: must be a Project or its folder"):
        import_kitti_predictions(given, tmp_path)


@pytest.mark.parametrize("name", [None, 5, "", "a/b", ".."])
def test_no_set_name(project: Project, name: Any) -> None:
    with pytest.raises(ProjectError, match=r"^set name: must be up to 100 letters"):
        import_predictions(project, [], set_name=name)


def test_what_a_reader_left_out_is_told(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "masks"
    write_mask(folder / "film__3.png", np.ones((50, 100), np.uint8))
    write_mask(folder / "film__4.png", np.full((50, 100), 2, np.uint8))
    (folder / "film__5.png").write_bytes(b"no PNG")
    classes = {1: "a area", 2: None}
    for on_error, n_rejected in (("raise", 0), ("skip", 1)):
        reader = read_masks(folder, classes=classes, on_error="skip")
        result = import_predictions(project, reader, on_error=on_error)  # type: ignore[arg-type]
        assert (result.rows, result.report.skipped, result.report.rejected) == (1, {LEFT_OUT: 1}, n_rejected)
        stored = project.report("default", result.version)
        assert json.loads(stored.schema.metadata[b"predarrow.report"])["skipped"] == {LEFT_OUT: 1}


def test_arrays_that_are_no_table(project: Project) -> None:
    with pytest.raises(InputError, match=r"^predictions: must be a table or record batches"):
        import_predictions(project, pa.array([1, 2]))
