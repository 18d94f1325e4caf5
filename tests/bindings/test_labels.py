"""Labels added in Python: what becomes of them, and what is refused at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predarrow import (
    Bitmask,
    BoundingBox,
    Circle,
    Cuboid,
    Cuboid2D,
    Ellipse,
    InputError,
    LabelRow,
    Point,
    Polygon,
    Polyline,
    Project,
    Skeleton,
)
from tests.label_project import ONTOLOGY, attributes, label_project, saved

BOX = BoundingBox(0.1, 0.2, 0.25, 0.3)
VIDEO = "Cherries_video.mp4"
RING = [[0.1, 0.1], [0.9, 0.2], [0.4, 0.7]]


@pytest.fixture(name="project", scope="module")
def _project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return label_project(tmp_path_factory.mktemp("labels") / "project")


@pytest.fixture(name="row")
def _row(project: Project, request: pytest.FixtureRequest) -> LabelRow:
    """A row of the video, in a set of the test's own."""
    return project.label_row(VIDEO, set_name=_set_name(request))


@pytest.fixture(name="rows")
def _rows(project: Project, request: pytest.FixtureRequest) -> Callable[[], list[dict[str, Any]]]:
    return lambda: saved(project, set_name=_set_name(request))


def _set_name(request: pytest.FixtureRequest) -> str:
    return "".join(c if c.isalnum() else "-" for c in request.node.name)[:90]


Rows = Callable[[], list[dict[str, Any]]]


def test_frames_of_every_form(row: LabelRow, rows: Rows) -> None:
    forms: list[Any] = [7, range(2, 9, 3), [1, 4], (5, 2), {6}, np.array([3, 0], np.int32), np.int64(8), [np.int8(1)]]
    wanted = [[7], [2, 5, 8], [1, 4], [5, 2], [6], [3, 0], [8], [1]]
    ids = [row.add_object("Cherry", BOX, frames=form) for form in forms]
    row.save()
    found = [[item["frame"] for item in rows() if item["object_id"] == object_id] for object_id in ids]
    assert found == [sorted(frames) for frames in wanted]


def test_frame_is_0_by_default(project: Project, row: LabelRow, rows: Rows) -> None:
    row.add_object("Cherry", BOX)
    row.save()
    assert [item["frame"] for item in rows()] == [0]


def test_units_are_found_by_id_and_title(project: Project) -> None:
    for key in ("cherry_001.png", "cherry_001", "id-0"):
        assert project.label_row(key).data_unit.id == "id-0"


def test_classes_are_found_by_name_hash_and_object(row: LabelRow, rows: Rows) -> None:
    item = ONTOLOGY.object_by_name("Cherry")
    for feature in ("Cherry", item.feature_hash, item):
        row.add_object(feature, BOX)
    row.save()
    assert {found["feature_hash"] for found in rows()} == {item.feature_hash}


def test_class_of_two_shapes_is_the_one_that_the_geometry_fits(row: LabelRow, rows: Rows) -> None:
    row.add_object("Both", BOX)
    row.add_object("Both", Polygon(RING))
    row.save()
    assert [found["kind"] for found in rows()] == ["bbox", "polygon"]


def test_pixels_are_kept(row: LabelRow, rows: Rows) -> None:
    row.add_object("Cherry", BoundingBox(10.3, -2, 500, 9, unit="pixel"))
    row.add_object("Persimmon", Polygon([[[[1, 2], [30.5, 2], [1, 200]], [[2, 3], [4, 3], [2, 4]]]], unit="pixel"))
    row.add_object("Pedicel", Point(-3.5, 7, unit="pixel"))
    row.add_object("Ring", Circle(10, 20, 4, 0.5, 30, unit="pixel"))
    report = row.save().report
    box, polygon, point, ring = rows()
    assert box["bbox"] == {"xmin": 10.3, "ymin": -2.0, "xmax": 510.3, "ymax": 7.0}
    assert [len(vertices) for vertices in polygon["polygon"][0]] == [3, 3]
    assert point["keypoints"][0]["x"] == -3.5
    assert point["bbox"] == {"xmin": -3.5, "ymin": 7.0, "xmax": -3.5, "ymax": 7.0}
    assert ring["bbox"] == {"xmin": 6.0, "ymin": 18.0, "xmax": 14.0, "ymax": 22.0}
    assert ring["rotation"] == 30.0
    assert sum(report.flagged.values()) == 3


def test_round_shapes(row: LabelRow, rows: Rows) -> None:
    """A radius is relative to the width, half axes to width and height; 96 x 54 pixels."""
    row.add_object("Egg", Ellipse(0.5, 0.5, 0.25, 0.125, 30))
    row.add_object("Ring", Circle(0.5, 0.5, 0.125, 2))
    row.add_object("Other type of fruit", BoundingBox(0.5, 0.5, 0.5, 0.5, -725.5))
    row.save()
    egg, ring, box = rows()
    assert egg["bbox"] == {"xmin": 24.0, "ymin": 20.25, "xmax": 72.0, "ymax": 33.75}
    assert egg["rotation"] == 30.0
    assert ring["bbox"] == {"xmin": 36.0, "ymin": 3.0, "xmax": 60.0, "ymax": 51.0}
    assert "rotation" not in ring
    assert box["rotation"] == -725.5


def test_prisms_keep_their_back_face(row: LabelRow, rows: Rows) -> None:
    row.add_object("Crate", Cuboid2D(RING, vanishing_point=(0.5, 2.0), scale_ratio=0.75), frames=[1, 2])
    row.add_object("Crate", Cuboid2D([[48, 27], [96, 27], [48, 54]], offset=(24, -13.5), unit="pixel"), frames=3)
    row.save()
    first, second, third = rows()
    assert first["attributes"] == second["attributes"]
    kept = attributes(first)["encord"]["coordinates"]["cuboid_2d"]
    assert kept == {
        "front": [0.1, 0.1, 0.9, 0.2, 0.4, 0.7],
        "vanishingPoint": {"x": 0.5, "y": 2.0},
        "scaleRatio": 0.75,
    }
    kept = attributes(third)["encord"]["coordinates"]["cuboid_2d"]
    assert kept == {"front": [0.5, 0.5, 1.0, 0.5, 0.5, 1.0], "offset": {"x": 0.25, "y": -0.25}}
    assert len(third["polygon"][0][0]) == 3


def test_cuboids_keep_their_angles(row: LabelRow, rows: Rows) -> None:
    row.add_object("Truck", Cuboid((1, 2, 3), (0, 0, np.pi / 2), (4, 5, 6)))
    row.save()
    (found,) = rows()
    cuboid = found["cuboid"]
    half = np.sqrt(0.5)
    assert [cuboid[key] for key in ("x", "y", "z", "length", "width", "height")] == [1, 2, 3, 4, 5, 6]
    assert [cuboid[key] for key in ("qx", "qy", "qz", "qw")] == pytest.approx([0, 0, half, half])
    kept = {"position": [1.0, 2.0, 3.0], "orientation": [0.0, 0.0, np.pi / 2], "size": [4.0, 5.0, 6.0]}
    assert attributes(found) == {"convention": "encord", "encord": {"coordinates": {"cuboid": kept}}}


def test_visibility(row: LabelRow, rows: Rows) -> None:
    row.add_object(
        "Strawberry", Skeleton({"c": (0.1, 0.2, None), "a": (3, -1, "invisible"), "b": (1, 1, "selfOccluded")})
    )
    row.save()
    (found,) = rows()
    points = [(point["name"], point["visibility"]) for point in found["keypoints"]]
    assert points == [("c", None), ("a", 0), ("b", 3)]


def test_masks_of_every_form(row: LabelRow, rows: Rows) -> None:
    pixels = np.zeros((54, 96), np.bool_)
    pixels[3:9, 20:40] = True
    row.add_object("Blueberry", Bitmask(pixels))
    row.add_object("Blueberry", Bitmask(pixels.astype(np.uint8)))
    row.save()
    first, second = rows()
    assert first["mask"] == second["mask"]
    counts = first["mask"]["counts"]
    for given_counts in (counts, counts.decode()):
        row.add_object("Blueberry", Bitmask({"size": [54, 96], "counts": given_counts}), frames=1)
    row.save()
    assert [item["mask"] for item in rows()[2:]] == [first["mask"]] * 2
    assert first["bbox"] == {"xmin": 20.0, "ymin": 3.0, "xmax": 40.0, "ymax": 9.0}


def test_arrays_may_be_used_again(row: LabelRow, rows: Rows) -> None:
    pixels = np.ones((54, 96), np.bool_)
    points = np.array(RING)
    row.add_object("Blueberry", Bitmask(pixels))
    row.add_object("Persimmon", Polygon(points))
    row.add_object("Branch", Polyline(points))
    pixels[:], points[:] = False, 0.5
    row.save()
    mask, polygon, line = rows()
    assert mask["bbox"]["xmax"] == 96.0
    assert polygon["bbox"]["xmin"] == line["bbox"]["xmin"] == pytest.approx(9.6)


def test_answers_of_objects(row: LabelRow, rows: Rows) -> None:
    """Static answers hold on all frames of the object, dynamic ones where they were given."""
    cherry = row.add_object("Cherry", BOX, frames=[1, 2], answers={"Pose": "Up", "Ripe": "No"})
    row.add_object("Cherry", BOX, frames=3, object_id=cherry, answers={"Why": "green", "Ripe": "No", "Weight": 2.5})
    row.add_object("Cherry", BOX, frames=4)
    row.save()
    found = [attributes(item) for item in rows()]
    names = [[entry["name"] for entry in item.get("answers", [])] for item in found]
    assert names == [["Weight", "Why", "Ripe"]] * 3 + [[]]
    assert ["dynamic" in item for item in found] == [True, True, False, False]
    assert found[0]["dynamic"][0]["answers"][0]["name"] == "Up"


def test_nested_answers_of_classifications(row: LabelRow, rows: Rows) -> None:
    row.add_classification("Blueberry or cherry?", {"Blueberry or cherry?": "Cherry", "Which cherry?": "that one"})
    row.save()
    (found,) = rows()
    answers = attributes(found)["answers"]
    assert [entry["name"] for entry in answers] == ["Which cherry?", "Blueberry or cherry?"]
    assert answers[0]["answers"] == "that one"


def test_global_classification(row: LabelRow, rows: Rows) -> None:
    row.add_classification("Usable", "For none")
    row.save()
    (found,) = rows()
    assert found["frame"] == 0
    assert attributes(found)["global"] is True


def test_arrays_of_boxes(row: LabelRow, rows: Rows) -> None:
    boxes = np.array([[0.1, 0.2, 0.25, 0.3], [0.5, 0.5, 0.5, 0.5], [0, 0, 1, 1]])
    ids = row.add_boxes("Cherry", boxes, frames=[5, 6, 5], object_ids=["a", "a", "b"], confidences=[0.1, 0.2, 0.3])
    assert ids == ["a", "a", "b"]
    one = row.add_object("Cherry", BOX, frames=7, object_id="a")
    turned = row.add_boxes("Other type of fruit", np.array([[1, 2, 3, 4, 5], [1, 2, 3, 4, 6]]), frames=9, unit="pixel")
    assert one == "a"
    assert len(set(turned)) == 2
    row.save()
    found = rows()
    assert [(item["frame"], item["object_id"], item["confidence"]) for item in found[:4]] == [
        (5, "a", 0.1),
        (5, "b", 0.3),
        (6, "a", 0.2),
        (7, "a", 1.0),
    ]
    single = found[3]["bbox"]
    assert single == found[0]["bbox"]
    assert [item["rotation"] for item in found[4:]] == [5.0, 6.0]
    assert row.add_boxes("Cherry", np.empty((0, 4))) == []


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(*[st.floats(0, 0.5)] * 2, *[st.floats(0.01, 0.5)] * 2, st.integers(0, 499)),
        max_size=20,
        unique_by=lambda item: item[4],
    )
)
def test_arrays_are_as_single_boxes(project: Project, boxes: list[tuple[float, float, float, float, int]]) -> None:
    with project.bundle("single", overwrite=True) as bundle:
        for x, y, w, h, frame in boxes:
            bundle.label_row(VIDEO).add_object("Cherry", BoundingBox(x, y, w, h), frames=frame, object_id="a")
    with project.bundle("array", overwrite=True) as bundle:
        values = np.array([item[:4] for item in boxes]).reshape(-1, 4)
        bundle.label_row(VIDEO).add_boxes(
            "Cherry", values, frames=[item[4] for item in boxes] or 0, object_ids=["a"] * len(boxes)
        )
    assert saved(project, set_name="single") == saved(project, set_name="array")


def test_each_image_of_a_group_has_its_size(project: Project) -> None:
    """Images of 10 x 30 and 20 x 40 pixels."""
    row = project.label_row("pair", set_name="group")
    row.add_object("Cherry", BoundingBox(0, 0, 0.5, 0.5), frames=[0, 1])
    row.add_object("Crate", Cuboid2D([[1, 3], [5, 3], [5, 9]], offset=(1, 3), unit="pixel"), frames=[1, 0])
    row.add_boxes("Cherry", np.array([[0, 0, 1, 1]] * 2), frames=[1, 0])
    row.save()
    found = saved(project, set_name="group")
    assert [(item["image_width"], item["image_height"]) for item in found] == [(10, 30)] * 3 + [(20, 40)] * 3
    assert [item["bbox"]["xmax"] for item in found] == [5.0, 5.0, 10.0, 10.0, 5.0, 20.0]
    offsets = [attributes(item)["encord"]["coordinates"]["cuboid_2d"]["offset"] for item in (found[1], found[4])]
    assert offsets == [{"x": 0.1, "y": 0.1}, {"x": 0.05, "y": 0.075}]
    with pytest.raises(InputError, match="frames: must be 0 to 1, got 2"):
        row.add_object("Cherry", BOX, frames=2)


def test_row_is_saved_in_pieces(row: LabelRow, rows: Rows) -> None:
    object_id = row.add_object("Cherry", BOX)
    assert len(row) == 1
    assert row.save().version == 0
    assert len(row) == 0
    row.add_object("Cherry", BOX, frames=1, object_id=object_id)
    assert row.save().version == 1
    assert [item["object_id"] for item in rows()] == [object_id] * 2


def test_saving_nothing(row: LabelRow, rows: Rows) -> None:
    assert row.save().rows == 0
    assert rows() == []


@pytest.mark.slow
def test_many_calls_are_linear(project: Project) -> None:
    """Ids of a hundred thousand objects are distinct, and nothing is lost."""
    row = project.label_row(VIDEO, set_name="many")
    ids = {row.add_object("Cherry", BOX, frames=place % 500) for place in range(100_000)}
    ids |= set(row.add_boxes("Cherry", np.tile([0.1, 0.1, 0.5, 0.5], (100_000, 1))))
    assert len(ids) == len(row) == 200_000
    assert row.save().rows == 200_000
