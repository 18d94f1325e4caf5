from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from predarrow.errors import InputError
from predarrow.import_objects import import_predictions
from predarrow.objects.batches import BATCH_ROWS
from predarrow.objects.predictions import BoundingBox, FrameClassification, Polygon, Prediction
from predarrow.project import Project
from predarrow.report import Code
from predarrow.table import SCHEMA
from tests.object_project import box, object_project, rows, thing

TRIANGLE = [[0.1, 0.2], [0.5, 0.2], [0.5, 0.75]]
RAIN = FrameClassification("weather", "rain?", "yes")


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    return object_project(tmp_path / "project")


BAD: list[tuple[Any, Code, str]] = [
    ({"object": "x"}, Code.BAD_VALUE, r"must be a Prediction, got {'object': 'x'}"),
    (SCHEMA.empty_table(), Code.BAD_VALUE, r"must be a Prediction, got pyarrow.Table .*; make one stream of them"),
    (box(unit="nobody"), Code.UNKNOWN_DATA_UNIT, r"data_unit: must be the id or title .* got 'nobody'"),
    (box(unit="twin.jpg"), Code.AMBIGUOUS_DATA_UNIT, r"data_unit: .* which 2 have; give the id \(u4, u5\)"),
    (box(unit=5), Code.BAD_VALUE, "data_unit: must be text, got 5"),
    (box(unit=["u1"]), Code.BAD_VALUE, "data_unit: must be text"),
    (box(frame=1), Code.FRAME_RANGE, "frame: must be a frame of 'image.jpg', which are 0 to 0, got 1"),
    (box(frame=-1), Code.FRAME_RANGE, "frame: .* got -1"),
    (box(frame=2**40, unit="u2"), Code.FRAME_RANGE, "frame: .* got 1099511627776"),
    (box(frame=0.0), Code.BAD_VALUE, "frame: must be a whole number, got 0.0"),
    (box(frame=2**70), Code.BAD_VALUE, "frame: must be a whole number"),
    (box(confidence=math.nan), Code.BAD_VALUE, "confidence: must be a finite number, got nan"),
    (box(confidence=-math.inf), Code.BAD_VALUE, "confidence: must be a finite number, got -inf"),
    (box(confidence="0.5"), Code.BAD_VALUE, "confidence: must be a number, got '0.5'"),
    (box(feature_hash="bax"), Code.UNKNOWN_CLASS, r"object.feature_hash: .* got 'bax'; valid ones: box \(a box\)"),
    (box(feature_hash="turnd"), Code.UNKNOWN_CLASS, r"object.feature_hash: .* did you mean 'turned'\?"),
    (box(feature_hash=None), Code.BAD_VALUE, "object.feature_hash: must be text, got None"),
    (box(feature_hash="area"), Code.UNKNOWN_CLASS, "object.feature_hash: .* for a bbox, got 'a area' of shape polygon"),
    (box([0.5, 0.5, 0.1, 0.1, 5]), Code.UNKNOWN_CLASS, "shape rotatable_bounding_box for a rotated_bbox"),
    (thing("polygon", TRIANGLE, "box"), Code.UNKNOWN_CLASS, "for a polygon, got 'a box' of shape bounding_box"),
    (thing("mask", np.ones((100, 200)), "box"), Code.UNKNOWN_CLASS, "for a bitmask"),
    (box(track_id=1.5), Code.BAD_VALUE, "object.track_id: must be text or a whole number, got 1.5"),
    (box(BoundingBox(0, 0, math.nan, 1)), Code.BAD_VALUE, "object.data.w: must be a finite number, got nan"),
    (box(BoundingBox(math.inf, 0, 0, 1)), Code.BAD_VALUE, "object.data.x: must be a finite number, got inf"),
    (box(BoundingBox(0, 0, 0.1, -0.1)), Code.BAD_VALUE, "object.data.h: must be at least 0, got -0.1"),
    (box(BoundingBox(0, 0, 0, 0, 361), "turned"), Code.BAD_VALUE, "object.data.theta: must be 0 to 360"),
    (box({"x": 0, "y": 0, "w": "1", "h": 1}), Code.BAD_VALUE, "object.data.w: must be a number, got '1'"),
    (box({"x": 0, "y": None, "w": 1, "h": 1}), Code.BAD_VALUE, "object.data.y: must be a number, got None"),
    (
        box(BoundingBox(0, 0, 1, 1, unit="percent")),  # type: ignore[arg-type]
        Code.BAD_VALUE,
        'object.data.unit: must be "relative" or "pixel", got \'percent\'',
    ),
    (
        box([10, 20, 30, 40]),
        Code.BAD_VALUE,
        r"object.data: x and x \+ w must lie in 0 to 1 \(relative\), got 10.0 to 40",
    ),
    (box([0, 0.5, 0.1, 0.6]), Code.BAD_VALUE, r"y and y \+ h must .* got 0.5 to 1.1; give pixels with BoundingBox"),
    (box([0.9, 0, 0.4, 0.6, 1], "turned"), Code.BAD_VALUE, r"x \+ w / 2 must lie in 0 to 1 \(relative\), got 1.1"),
    (box(unit="u3"), Code.SIZE_UNKNOWN, r"object.data: relative values need the image's size, got none; give"),
    (box(BoundingBox(1e308, 0, 1e308, 1, unit="pixel")), Code.BAD_BOX, "object.data: corners must be finite"),
    (thing("polygon", TRIANGLE[:2]), Code.BAD_VALUE, "object.data: a ring must have at least 3"),
    (thing("polygon", [[0, 0], [1, 0], [1, 1.1]]), Code.BAD_VALUE, "points must lie in 0 to 1 .* Polygon.points, unit"),
    (thing("polygon", [[0, 0], [1, 0], [1, math.nan]]), Code.BAD_VALUE, "points must be finite"),
    (thing("polygon", Polygon([[0, 0], [1, 0], [1, 1e39]], "pixel")), Code.BAD_VALUE, "points must be finite 32-bit"),
    (thing("polygon", TRIANGLE, unit="u3"), Code.SIZE_UNKNOWN, "relative values need the image's size"),
    (thing("mask", np.ones((2, 2)), "bits"), Code.SIZE_MISMATCH, "object.data: must be 200 x 100 pixels .* got 2 x 2"),
    (thing("masks", np.ones((2, 2)), "bits"), Code.BAD_VALUE, "object.format: must be one of"),
    (Prediction("u1", object="box"), Code.BAD_VALUE, "object: must be an ObjectDetection, got 'box'"),  # type: ignore[arg-type]
    (Prediction("u1", classification="yes"), Code.BAD_VALUE, "classification: must be a Frame"),  # type: ignore[arg-type]
    (
        Prediction("u1", classification=FrameClassification("wether", "rain?", "yes")),
        Code.UNKNOWN_CLASS,
        r"classification.feature_hash: .* got 'wether'; the ontology has weather \(Does it rain\?\)",
    ),
    (
        Prediction("u1", classification=FrameClassification("weather", "rain", "yes")),
        Code.UNKNOWN_CLASS,
        r"classification.attribute_hash: must be an attribute .* of 'Does it rain\?' \(rain\?\), got 'rain'",
    ),
    (
        Prediction("u1", classification=FrameClassification("weather", "rain?", "maybe")),
        Code.UNKNOWN_CLASS,
        r"classification.option_hash: must be an option .* \(yes, no\), got 'maybe'",
    ),
]


@pytest.mark.parametrize(("bad", "code", "text"), BAD)
def test_a_bad_one_is_named_by_its_place(project: Project, bad: Any, code: Code, text: str) -> None:
    good = [box(), thing("polygon", TRIANGLE), Prediction("u1", 0, 1, classification=RAIN)]
    given_ = [*good, bad, *good]
    with pytest.raises(InputError, match=r"^predictions\[3\]: .*" + text) as caught:
        import_predictions(project, given_)
    (found,) = caught.value.problems
    assert (found.row, found.code) == (3, code)
    assert project.sets() == []

    result = import_predictions(project, given_, on_error="skip")
    assert (result.rows, result.report.rejected, result.report.sources) == (6, 1, 7)
    assert sorted(row["row"] for row in rows(project)) == [0, 1, 2, 4, 5, 6]
    assert project.report("default", result.version)["code"].to_pylist() == [code.value]


def test_all_bad_ones_are_told_in_order(project: Project) -> None:
    bad = [item for item, _, _ in BAD]
    with pytest.raises(InputError, match=f"and {len(BAD) - 10} more") as caught:
        import_predictions(project, bad)
    assert [problem.row for problem in caught.value.problems] == list(range(len(BAD)))
    result = import_predictions(project, bad, on_error="skip")
    assert (result.rows, result.report.rejected) == (0, len(BAD))


def test_reading_ends_with_the_first_refusal(project: Project) -> None:
    taken = 0

    def endless() -> Iterator[Prediction]:
        nonlocal taken
        while True:
            taken += 1
            yield box(confidence=math.nan) if taken == 5 else box()

    with pytest.raises(InputError, match=r"predictions\[4\]: confidence"):
        import_predictions(project, endless())
    assert taken <= BATCH_ROWS
