from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import predarrow
from predarrow.errors import InputError, PredarrowError, ProjectError
from predarrow.import_objects import import_predictions
from predarrow.imports import ImportResult
from predarrow.objects.batches import BATCH_ROWS, object_parts
from predarrow.objects.predictions import BoundingBox, FrameClassification, ObjectDetection, Polygon, Prediction
from predarrow.ordering import sorted_parts
from predarrow.project import Project
from predarrow.project_index import ProjectIndex
from predarrow.table import SCHEMA
from tests import naive_rle
from tests.object_project import box, object_project, rows, thing

TRIANGLE = [[0.1, 0.2], [0.5, 0.2], [0.5, 0.75]]
RAIN = FrameClassification("weather", "rain?", "yes")


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    return object_project(tmp_path / "project")


def _sides(row: dict[str, Any]) -> list[float]:
    return list(row["bbox"].values())


def test_encords_objects(project: Project) -> None:
    detection = predarrow.ObjectDetection(
        format=predarrow.Format.BOUNDING_BOX,
        data=predarrow.BoundingBox(x=0.25, y=0.5, h=0.25, w=0.5),
        feature_hash="box",
        track_id=7,
    )
    result = predarrow.import_predictions(
        project.path, [predarrow.Prediction(data_hash="u2", frame=3, confidence=97.85, object=detection)]
    )
    assert result == ImportResult(0, result.report, 1)
    assert rows(project) == [
        {
            "data_unit": "u2",
            "frame": 3,
            "object_id": "7",
            "feature_hash": "box",
            "class_name": "a box",
            "kind": "bbox",
            "confidence": 97.85,
            "bbox": {"xmin": 25.0, "ymin": 25.0, "xmax": 75.0, "ymax": 37.5},
            "image_height": 50,
            "image_width": 100,
            "row": 0,
        }
    ]
    (version,) = project.history().to_pylist()
    assert (version["operation"], version["rows"]) == ("import predictions", 1)


def test_all_kinds_at_once_in_the_tables_order(project: Project) -> None:
    mask = np.zeros((100, 200), np.bool_)
    mask[3:5, 10:20] = True
    given = [
        thing("polygon", TRIANGLE, unit="u2", frame=4),
        Prediction("u2", 4, None, classification=RAIN),
        thing("mask", mask, "bits"),
        box(unit="film.mp4", frame=1),
        box({"x": 0.25, "y": 0.5, "w": 0.5, "h": 0.25, "theta": 30}, "turned"),
        box(),
        thing("mask", mask.astype(float), "area"),
    ]
    result = import_predictions(project, iter(given))
    assert (result.report.sources, result.rows, result.report.rejected) == (7, 7, 0)
    found = rows(project)
    keys = [(row["data_unit"], row["frame"], row["row"], row["kind"]) for row in found]
    assert keys == [
        ("u1", 0, 2, "bitmask"),
        ("u1", 0, 4, "rotated_bbox"),
        ("u1", 0, 5, "bbox"),
        ("u1", 0, 6, "bitmask"),
        ("u2", 1, 3, "bbox"),
        ("u2", 4, 0, "polygon"),
        ("u2", 4, 1, "classification"),
    ]
    assert found[0]["mask"] == {"height": 100, "width": 200, "counts": naive_rle.to_string(naive_rle.counts(mask))}
    assert _sides(found[0]) == _sides(found[3]) == [10, 3, 20, 5]
    assert (found[1]["rotation"], _sides(found[1])) == (30.0, [50, 50, 150, 75])
    assert "rotation" not in found[2]
    assert _sides(found[5]) == [np.float32(x) for x in (10, 10, 50, 37.5)]
    assert found[5]["polygon"] == [[[{"x": x * 100, "y": y * 50} for x, y in TRIANGLE]]]
    answer = {"name": "Does it rain?", "value": "does_it_rain?", "featureHash": "rain?", "manualAnnotation": True}
    option = {"name": "Yes", "value": "yes", "featureHash": "yes"}
    assert json.loads(found[6]["attributes"]) == {"answers": [answer | {"answers": [option]}]}
    assert (found[6]["class_name"], found[6]["feature_hash"]) == ("Does it rain?", "weather")
    assert "confidence" not in found[6]


def test_parts_and_holes(project: Project) -> None:
    parts = [[[[0, 0], [8, 0], [8, 8], [0, 8], [0, 0]], [[2, 2], [4, 2], [4, 4]]], [[[20, 5], [30, 5], [30, 9]]]]
    import_predictions(project, [thing("polygon", TRIANGLE), thing("polygon", Polygon(parts, "pixel"), unit="u3")])
    row = rows(project, "polygon", "bbox", data_unit="u3")[0]
    found = [[[[v["x"], v["y"]] for v in ring] for ring in part] for part in row["polygon"]]
    assert found == [[parts[0][0][:4], parts[0][1]], parts[1]]
    assert _sides(row) == [0, 0, 30, 9]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.booleans()),
        min_size=1,
        max_size=9,
    )
)
def test_boxes_against_the_formula(drawn: list[tuple[float, float, float, float, bool]]) -> None:
    index = ProjectIndex(_Memory())  # type: ignore[arg-type]  # stands in for a project
    boxes = [
        BoundingBox(x * 200, y * 100, w * 200, h * 100, unit="pixel")
        if is_pixel
        else BoundingBox(x, y, w * (1 - x), h * (1 - y))
        for x, y, w, h, is_pixel in drawn
    ]
    parts = list(sorted_parts(object_parts(map(box, boxes), index)))
    found = [_sides(row) for part in parts for batch in part.batches for row in batch.to_pylist()]
    for given_, corners in zip(boxes, found, strict=True):
        x_scale, y_scale = (1, 1) if given_.unit == "pixel" else (200, 100)
        x, y, w, h = given_.x, given_.y, given_.w, given_.h
        wanted = [x * x_scale, y * y_scale, (x + w) * x_scale, (y + h) * y_scale]
        assert corners == pytest.approx(wanted, rel=1e-12, abs=1e-9)


class _Memory:
    """A project's ontology and data units without a folder."""

    def __init__(self) -> None:
        from predarrow.data_units import DataUnits
        from predarrow.ontology import Ontology
        from tests.object_project import STRUCTURE, UNITS

        self.ontology = Ontology.from_dict(STRUCTURE)
        self.data_units = DataUnits.from_table(UNITS)


def test_float_noise_at_the_border_is_kept_as_it_is(project: Project) -> None:
    noisy = BoundingBox(-1e-12, 0.5, 1 + 2e-12, 0.5 + 1e-12)
    points = [[0, 0], [1 + 1e-12, 0], [1, 1 + 1e-12]]
    result = import_predictions(project, [box(noisy), thing("polygon", points)])
    assert (result.rows, result.report.flagged) == (2, {})
    assert _sides(rows(project)[0]) == pytest.approx([0, 50, 200, 100], abs=1e-9)
    assert rows(project)[0]["bbox"]["xmin"] == -1e-12 * 200


def test_what_lies_beyond_the_image_in_pixels_is_kept_and_flagged(project: Project) -> None:
    given_ = [
        box(BoundingBox(-5, 0, 10, 10, unit="pixel")),
        box(BoundingBox(-5, 0, 10, 10, 45, unit="pixel"), "turned"),
        box(BoundingBox(0, 0, 1e9, 10, unit="pixel"), unit="u3"),
        thing("polygon", Polygon([[0, 0], [201, 0], [0, 50]], "pixel")),
        box(BoundingBox(-0.5, 0.5, 1.0, 0.01, 90), "turned"),
    ]
    result = import_predictions(project, given_)
    assert result.rows == 5
    assert result.report.flagged == {"box beyond the image": 1, "polygon beyond the image": 1}


def test_masks_without_a_pixel_are_left_out_by_rule(project: Project) -> None:
    empty = np.zeros((100, 200), np.uint8)
    result = import_predictions(project, [thing("mask", empty, "bits"), box()])
    assert (result.rows, result.report.skipped, result.report.rejected) == (1, {"mask without a pixel": 1}, 0)
    assert [row["row"] for row in rows(project)] == [1]


def test_numbers_of_other_libraries(project: Project) -> None:
    data = BoundingBox(np.float32(0.25), np.float64(0.5), np.float16(0.5), 0)  # type: ignore[arg-type]
    import_predictions(project, [box(data, frame=np.int64(0), confidence=np.float32(0.5), track_id=np.int8(3))])
    (row,) = rows(project)
    assert (row["frame"], row["confidence"], row["object_id"], _sides(row)) == (0, 0.5, "3", [50, 50, 150, 50])


def test_frame_none_is_the_only_frame(project: Project) -> None:
    import_predictions(project, [box(frame=None)])
    assert rows(project)[0]["frame"] == 0
    with pytest.raises(InputError, match=r"predictions\[0\]: frame: must name one of the 10 frames of 'film.mp4', got"):
        import_predictions(project, [box(unit="u2", frame=None)])


class _StoppedError(Exception):
    """What a caller's generator raises."""


def test_callers_exception_comes_out_and_changes_nothing(project: Project) -> None:
    import_predictions(project, [box()])
    before = project.scan().read_all()

    def broken() -> Iterator[Prediction]:
        for _ in range(BATCH_ROWS + 5):
            yield box(confidence=1)
        raise _StoppedError("model fell over")

    for on_error in ("raise", "skip"):
        with pytest.raises(_StoppedError, match=r"^model fell over$"):
            import_predictions(project, broken(), on_error=on_error)
    assert project.scan().read_all().equals(before)
    assert project.history().num_rows == 1


def test_a_generator_may_use_its_arrays_again(project: Project) -> None:
    mask = np.zeros((100, 200), np.uint8)
    points = np.array(TRIANGLE)

    def given_() -> Iterator[Prediction]:
        for column in range(3):
            mask[:] = 0
            mask[:, column] = 1
            yield thing("mask", mask, "bits")
            points[:, 0] = [0.1 * column, 0.5, 0.5]
            yield thing("polygon", points)

    import_predictions(project, given_())
    found = rows(project)
    assert [row["bbox"]["xmin"] for row in found if row["kind"] == "bitmask"] == [0, 1, 2]
    firsts = [row["bbox"]["xmin"] for row in found if row["kind"] == "polygon"]
    assert firsts == [0, 20, 40]


def test_objects_are_not_kept(project: Project) -> None:
    alive = 0
    most = 0

    class Counted(np.ndarray[Any, Any]):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def given_() -> Iterator[Prediction]:
        nonlocal alive, most
        for _ in range(50):
            alive += 1
            most = max(most, alive)
            yield thing("mask", np.ones((100, 200), np.uint8).view(Counted), "bits")

    assert import_predictions(project, given_()).rows == 50
    assert most <= 4


def test_many_batches_come_out_sorted(project: Project) -> None:
    n = 2 * BATCH_ROWS + 100
    frames = [(7 * i) % 10 for i in range(n)]
    units = ["u1" if i % 3 == 0 else "u2" for i in range(n)]
    given_ = (box(unit=u, frame=f if u == "u2" else 0) for u, f in zip(units, frames, strict=True))
    assert import_predictions(project, given_).rows == n
    found = [tuple(row.values()) for row in rows(project, "data_unit", "frame", "row")]
    assert found == sorted(found)
    assert {row for _, _, row in found} == set(range(n))


def test_windows_are_sorted_for_themselves() -> None:
    index = ProjectIndex(_Memory())  # type: ignore[arg-type]  # stands in for a project
    given_ = (box(unit="u2", frame=9 - i % 10) for i in range(3 * BATCH_ROWS))
    parts = sorted_parts(object_parts(given_, index), window_bytes=1)
    windows = [batch for part in parts for batch in part.batches]
    assert [batch.num_rows for batch in windows] == [BATCH_ROWS] * 3
    for batch in windows:
        keys = list(zip(batch["frame"].to_pylist(), batch["row"].to_pylist(), strict=True))
        assert keys == sorted(keys)
        assert batch.schema.equals(SCHEMA)


@pytest.mark.parametrize("nothing", [list, lambda: iter(()), SCHEMA.empty_table])
def test_nothing_replaces_what_was_there(project: Project, nothing: Callable[[], Any]) -> None:
    import_predictions(project, [box()])
    assert import_predictions(project, nothing(), mode="append").rows == 0
    assert len(rows(project)) == 1
    assert import_predictions(project, nothing()).version == 2
    assert rows(project) == []
    project.restore(0)
    assert len(rows(project)) == 1


def test_sets_and_modes(project: Project) -> None:
    import_predictions(project, [box()], set_name="a")
    import_predictions(project, [box(), box()], set_name="a", mode="append")
    assert project.scan("a").read_all().num_rows == 3
    assert project.sets() == ["a"]
    with pytest.raises(ProjectError, match="mode: must be"):
        import_predictions(project, [box()], mode="add")  # type: ignore[arg-type]
    with pytest.raises(PredarrowError, match="on_error: must be"):
        import_predictions(project, [box()], on_error="ignore")  # type: ignore[arg-type]


@pytest.mark.parametrize("strange", [5, None, box()])
def test_neither_objects_nor_a_table(project: Project, strange: Any) -> None:
    with pytest.raises(
        PredarrowError, match="predictions: must be an iterable of Prediction objects or an Arrow table"
    ):
        import_predictions(project, strange)


def test_a_detections_data_may_be_of_a_subclass(project: Project) -> None:
    class Mine(BoundingBox):
        pass

    detection = ObjectDetection("bounding-box", Mine(0.25, 0.5, 0.5, 0.25), "box")
    import_predictions(project, [Prediction("u1", 0, 0.5, detection)])
    assert _sides(rows(project)[0]) == [50, 50, 150, 75]
