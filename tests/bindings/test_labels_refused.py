"""Labels that are refused, at once or when they are saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from predarrow import (
    Bitmask,
    BoundingBox,
    Circle,
    Cuboid,
    Cuboid2D,
    Ellipse,
    InputError,
    LabelRow,
    OntologyError,
    Point,
    Polygon,
    Polyline,
    PredarrowError,
    Project,
    ProjectError,
    Skeleton,
)
from predarrow.report import Code
from tests.label_project import label_project, saved

BOX = BoundingBox(0.1, 0.2, 0.25, 0.3)
VIDEO = "Cherries_video.mp4"
RING = [[0.1, 0.1], [0.9, 0.2], [0.4, 0.7]]


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    return label_project(tmp_path / "project")


@pytest.fixture(name="row")
def _row(project: Project) -> LabelRow:
    return project.label_row(VIDEO)


def _text(value: str) -> Any:
    """Give text where a number is asked for."""
    return value


FEATURES: list[tuple[str, Any, Any]] = [
    ("no object has the name 'Chery'; did you mean 'Cherry'", "Chery", BOX),
    ("feature: must be the name or featureNodeHash of a class, got 3", 3, BOX),
    ("feature: must be a class of objects that have a place .*'Noise'", "Noise", BOX),
    ("geometry: must be a Polygon for 'Persimmon'", "Persimmon", BOX),
    ("geometry: must be a BoundingBox for 'Cherry'", "Cherry", [0.1, 0.2, 0.3, 0.4]),
]

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("frames: must be 0 to 499, got 500", {"frames": 500}),
    ("frames: must be 0 to 499, got -1", {"frames": [-1, 2]}),
    ("frames: must be 0 to 499, got 999999999999", {"frames": range(10**12)}),
    ("frames: .*got none", {"frames": []}),
    ("frames: .*got 1.0", {"frames": 1.0}),
    ("frames: .*got 'all'", {"frames": "all"}),
    ("frames: .*got True", {"frames": True}),
    ("frames: .*got \\[1.5\\]", {"frames": [1.5]}),
    ("confidence: must be 0 to 1, got 97.85", {"confidence": 97.85}),
    ("confidence: must be 0 to 1, got nan", {"confidence": float("nan")}),
    ("confidence: must be 0 to 1, got '1'", {"confidence": "1"}),
    ("object_id: must be text .*got ''", {"object_id": ""}),
    ("object_id: must be text .*got b'a'", {"object_id": b"a"}),
    ("object_id: must be text .*udc80", {"object_id": "\udc80"}),
]

GEOMETRIES: list[tuple[str, str, Any]] = [
    ("x: must be a number, got '0'", "Cherry", BoundingBox(_text("0"), 0, 1, 1)),
    ('unit: must be "relative" or "pixel", got \'px\'', "Cherry", BoundingBox(0, 0, 1, 1, 0, _text("px"))),
    ("at least 3", "Persimmon", Polygon(RING[:2])),
    ("points: must be at least 2, got 1", "Branch", Polyline(RING[:1])),
    ("points: must be \\(n, 2\\) x and y, got shape \\(2,\\)", "Branch", Polyline([1, 2])),
    ("points: must be numbers", "Branch", Polyline([["a", "b"]])),
    ("must be two finite numbers x and y", "Pedicel", Point(0, float("nan"))),
    ("points: must be all of the template's, got no 'c'", "Strawberry", Skeleton({"a": (0, 0), "b": (1, 1)})),
    ("points: must be those of the template \\(a, b, c\\), got 'd'", "Strawberry", Skeleton({"d": (0, 0)})),
    ("points: must be points by their names", "Strawberry", Skeleton({})),
    ("visibility must be one of", "Strawberry", Skeleton(dict.fromkeys("abc", (0, 0, "no")))),
    ("points\\['a'\\]: must be \\(x, y\\)", "Strawberry", Skeleton(dict.fromkeys("abc", (0,)))),
    ("mask: must have its size", "Blueberry", Bitmask({"counts": "0"})),
    ("mask: counts must be compressed", "Blueberry", Bitmask({"size": [54, 96], "counts": [1, 2]})),
    ("mask: must have a height and a width", "Blueberry", Bitmask({"size": [0, 96], "counts": ""})),
    ("must be \\(height, width\\)", "Blueberry", Bitmask(np.ones(3))),
    ("size: must be greater than 0", "Truck", Cuboid((0,) * 3, (0,) * 3, (0, 1, 1))),
    ("position: must be three finite numbers", "Truck", Cuboid((0, 0), (0,) * 3, (1, 1, 1))),
    ("must have either vanishing_point and scale_ratio, or offset", "Crate", Cuboid2D(RING)),
    ("must have either vanishing_point and scale_ratio", "Crate", Cuboid2D(RING, (0, 0), 1, (0, 0))),
    ("scale_ratio: must be a finite number", "Crate", Cuboid2D(RING, (0, 0), -1)),
    ("front: must be at least 3", "Crate", Cuboid2D(RING[:2], offset=(0, 0))),
]

BOXES: list[tuple[str, Any, dict[str, Any]]] = [
    ("boxes: must be \\(n, 4\\)", np.ones((2, 3)), {}),
    ("boxes: must be numbers", [["a"] * 4], {}),
    ("frames: must be one frame or 2, as there are boxes, got 3", np.ones((2, 4)), {"frames": [1, 2, 3]}),
    ("confidences\\[1\\]: must be 0 to 1, got 2.0", np.ones((2, 4)), {"confidences": [1, 2]}),
    ("confidences: must be one number or 2", np.ones((2, 4)), {"confidences": [1, 1, 1]}),
    ("object_ids: must be 2 ids", np.ones((2, 4)), {"object_ids": ["a"]}),
    ("object_ids: must be 2 ids, got 'ab'", np.ones((2, 4)), {"object_ids": "ab"}),
    ("object_ids: must be text", np.ones((2, 4)), {"object_ids": ["a", 1.5]}),
    ("unit: must be", np.ones((2, 4)), {"unit": "px"}),
]


def _refused(row: LabelRow, error: type[PredarrowError], message: str, call: Callable[[], Any]) -> None:
    """See that a call is refused, and that nothing of it is kept."""
    with pytest.raises(error, match=message) as raised:
        call()
    if error is InputError:
        assert str(raised.value).startswith(f"label row '{VIDEO}': ")
    assert len(row) == 0
    assert row.save().rows == 0


@pytest.mark.parametrize(("message", "feature", "geometry"), FEATURES)
def test_features(row: LabelRow, message: str, feature: Any, geometry: Any) -> None:
    _refused(row, OntologyError, message, lambda: row.add_object(feature, geometry))


@pytest.mark.parametrize(("message", "options"), OPTIONS)
def test_options(row: LabelRow, message: str, options: dict[str, Any]) -> None:
    _refused(row, InputError, message, lambda: row.add_object("Cherry", BOX, **options))
    frames = {key: value for key, value in options.items() if key != "object_id"}
    if frames:
        _refused(row, InputError, message, lambda: row.add_classification("Many types of fruit?", [], **frames))


@pytest.mark.parametrize(("message", "name", "geometry"), GEOMETRIES)
def test_geometries(row: LabelRow, message: str, name: str, geometry: Any) -> None:
    _refused(row, InputError, f"{name}: .*{message}|{name}: {message}", lambda: row.add_object(name, geometry))


@pytest.mark.parametrize(("message", "boxes", "options"), BOXES)
def test_arrays_of_boxes(row: LabelRow, message: str, boxes: Any, options: dict[str, Any]) -> None:
    _refused(row, InputError, message, lambda: row.add_boxes("Cherry", boxes, **options))


def test_arrays_of_boxes_are_of_a_class_of_boxes(row: LabelRow) -> None:
    message = "geometry: must be a Polygon"
    _refused(row, OntologyError, message, lambda: row.add_boxes("Persimmon", np.ones((2, 4))))


def test_answers(row: LabelRow) -> None:
    _refused(row, OntologyError, "'Rip'", lambda: row.add_object("Cherry", BOX, answers={"Rip": "Yes"}))
    _refused(row, OntologyError, "'Maybe'", lambda: row.add_object("Cherry", BOX, answers={"Ripe": "Maybe"}))
    _refused(row, OntologyError, "no classification has", lambda: row.add_classification("Many", "Apple"))
    _refused(row, OntologyError, "must answer 'Usable'", lambda: row.add_classification("Usable", {}))


@pytest.mark.parametrize("frames", [[0, 1], 3, [0]])
def test_global_classification_has_no_frames(row: LabelRow, frames: Any) -> None:
    message = "frames: must be left out for the global classification 'Usable'"
    _refused(row, InputError, message, lambda: row.add_classification("Usable", "For all", frames=frames))


WRONG: list[tuple[str, Code, str, Any]] = [
    ("w: must be greater than 0, got 0.0", Code.BAD_BOX, "Cherry", BoundingBox(0, 0, 0, 1)),
    ("y: must be a finite number, got nan", Code.BAD_NUMBER, "Cherry", BoundingBox(0, float("nan"), 1, 1)),
    (
        "x and x \\+ w must lie in 0 to 1 \\(relative\\), got 0.5 to 1.5",
        Code.BAD_VALUE,
        "Cherry",
        BoundingBox(0.5, 0, 1, 1),
    ),
    ("theta: must be 0 in a class of boxes", Code.BAD_VALUE, "Cherry", BoundingBox(0, 0, 1, 1, 10)),
    ("the centre must lie in 0 to 1", Code.BAD_VALUE, "Egg", Ellipse(1.5, 0.5, 0.1, 0.1)),
    ("r: must be greater than 0, got -0.1", Code.BAD_BOX, "Ring", Circle(0.5, 0.5, -0.1)),
    ("points must lie in 0 to 1", Code.BAD_VALUE, "Persimmon", Polygon([[0, 0], [1, 0], [1, 5]])),
    ("points must be finite 32-bit floats", Code.BAD_NUMBER, "Branch", Polyline([[0, 0], [1e39, 0]], unit="pixel")),
    ("points must lie in 0 to 1", Code.BAD_VALUE, "Pedicel", Point(0.5, 54)),
    ("points must be finite 32-bit floats", Code.BAD_NUMBER, "Pedicel", Point(0.5, -1e300, unit="pixel")),
    ("mask: must be 96 x 54 pixels", Code.SIZE_MISMATCH, "Blueberry", Bitmask(np.ones((96, 54), np.bool_))),
    ("run lengths of 96 x 54", Code.BAD_TABLE, "Blueberry", Bitmask({"size": [54, 96], "counts": "11"})),
    ("corners", Code.BAD_BOX, "Cherry", BoundingBox(1e308, 0, 1e308, 1, unit="pixel")),
]


@pytest.mark.parametrize(("message", "code", "name", "geometry"), WRONG, ids=[case[0] for case in WRONG])
def test_when_saved(project: Project, row: LabelRow, message: str, code: Code, name: str, geometry: Any) -> None:
    """The label is told by its frame, class and id, and nothing is committed."""
    row.add_object("Cherry", BOX, frames=range(5))
    row.add_object(name, geometry, frames=[7, 8], object_id="seven")
    with pytest.raises(InputError, match=message) as raised:
        row.save()
    problem = raised.value.problems[0]
    assert problem.code == code
    assert problem.row == 5
    assert str(problem).startswith(f"label row '{VIDEO}': frame 7: {name}: 'seven': ")
    assert project.sets() == []


def test_relative_values_need_a_size(project: Project) -> None:
    row = project.label_row("unsized.jpg")
    row.add_object("Cherry", BOX)
    with pytest.raises(InputError, match="relative values need the image's size") as raised:
        row.save()
    assert raised.value.problems[0].code == Code.SIZE_UNKNOWN
    pixels = project.label_row("unsized.jpg", set_name="unsized")
    pixels.add_object("Cherry", BoundingBox(1, 2, 3, 4, unit="pixel"))
    assert pixels.save().rows == 1
    with pytest.raises(InputError, match="needs its image's size"):
        pixels.add_object("Crate", Cuboid2D([[1, 2], [3, 4], [5, 9]], offset=(1, 1), unit="pixel"))


def test_video_of_unknown_length_has_every_frame(project: Project) -> None:
    row = project.label_row("endless.mp4", set_name="endless")
    row.add_object("Cherry", BOX, frames=2**31 - 1)
    with pytest.raises(InputError, match="at most 16777216 frames at once"):
        row.add_object("Cherry", BOX, frames=range(2**30))
    row.save()
    assert saved(project, set_name="endless")[0]["frame"] == 2**31 - 1


def test_all_is_kept_where_saving_is_refused(row: LabelRow) -> None:
    """Every problem is told, in the order in which labels were added."""
    for place, width in enumerate([0.1, -1, 0.2, 0]):
        row.add_object("Cherry", BoundingBox(0, 0, width, 1), object_id=f"box {place}")
        row.add_object("Pedicel", Point(width, 0))
    for _ in range(2):
        with pytest.raises(InputError) as raised:
            row.save()
        assert [problem.row for problem in raised.value.problems] == [2, 3, 6]
    row.add_object("Cherry", BOX)


def test_no_such_data_unit(project: Project) -> None:
    with pytest.raises(InputError, match=r"label row: data_unit: must be the id or title .*got 'nothing'"):
        project.label_row("nothing")
    with pytest.raises(InputError, match="data_unit"):
        project.label_row(3)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(ProjectError, match="set name"):
        project.label_row(VIDEO, set_name="../labels")


def test_object_keeps_its_class_and_answers(row: LabelRow) -> None:
    row.add_object("Cherry", BOX, object_id="a", answers={"Ripe": "Yes"})
    with pytest.raises(InputError, match="object_id: must be of a 'Egg', got 'a', which is a 'Cherry'"):
        row.add_object("Egg", Ellipse(0.5, 0.5, 0.1, 0.1), frames=1, object_id="a")
    with pytest.raises(OntologyError, match="one answer to 'Ripe'"):
        row.add_object("Cherry", BOX, frames=1, object_id="a", answers={"Ripe": "No"})
    with pytest.raises(InputError, match="which is a 'Cherry'"):
        row.add_boxes("Other type of fruit", np.ones((1, 4)), object_ids=["a"])
    assert row.save().rows == 1


@pytest.mark.parametrize("again", [0, [1, 0], [2, 2]])
def test_object_stands_once_on_a_frame(row: LabelRow, again: Any) -> None:
    row.add_object("Cherry", BOX, object_id="a")
    row.add_object("Cherry", BOX, frames=again, object_id="a")
    with pytest.raises(InputError, match="'a': must have one geometry on a frame, got a second one") as raised:
        row.save()
    assert len(raised.value.problems) == 1


def test_classification_is_answered_once_on_a_frame(row: LabelRow) -> None:
    row.add_classification("Many types of fruit?", ["Apple"], frames=range(5))
    row.add_classification("Many types of fruit?", ["Kiwi"], frames=range(5, 8))
    row.add_classification("Blueberry or cherry?", "Cherry", frames=range(8))
    assert row.save().rows == 16
    row.add_classification("Many types of fruit?", ["Kiwi"], frames=[9, 7])
    with pytest.raises(InputError, match=r"frame 7: Many types of fruit.*: must be answered once on a frame") as raised:
        row.save()
    assert len(raised.value.problems) == 1
