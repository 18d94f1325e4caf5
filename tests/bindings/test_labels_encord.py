"""Encord's own coordinates, ontology objects and ranges, as a script for its SDK has them."""

from __future__ import annotations

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
    OntologyError,
    Point,
    Polygon,
    Polyline,
    Project,
    Skeleton,
)
from tests.label_project import ONTOLOGY, label_project, saved

pytest.importorskip("encord")

from encord.objects import Classification, Object, OntologyStructure
from encord.objects import coordinates as c
from encord.objects.bitmask import BitmaskCoordinates
from encord.objects.frames import Range

STRUCTURE = OntologyStructure.from_dict(ONTOLOGY.to_dict())
POINTS = [(0.1, 0.1), (0.9, 0.2), (0.4, 0.7)]


def _points(points: list[tuple[float, float]]) -> list[c.PointCoordinate]:
    return [c.PointCoordinate(x=x, y=y) for x, y in points]


def _joint(name: str, x: float, y: float, seen: c.Visibility | None) -> c.SkeletonCoordinate:
    return c.SkeletonCoordinate(x=x, y=y, name=name, visibility=seen, color="#00FF00", feature_hash="h", value="v")


_HOLED = [[POINTS, [(0.3, 0.2), (0.5, 0.3), (0.4, 0.4)]], [[(0.0, 0.0), (0.1, 0.0), (0.0, 0.1)]]]
_PIXELS = np.random.default_rng(5).random((54, 96)) < 0.3
_SKELETON = [
    _joint("a", 0.1, 0.2, c.Visibility.VISIBLE),
    _joint("b", 2.0, 0.3, c.Visibility.INVISIBLE),
    _joint("c", 0.4, 0.5, c.Visibility.SELF_OCCLUDED),
]

PAIRS: list[tuple[str, Any, Any]] = [
    (
        "Cherry",
        c.BoundingBoxCoordinates(height=0.1, width=0.2, top_left_x=0.3, top_left_y=0.4),
        BoundingBox(0.3, 0.4, 0.2, 0.1),
    ),
    (
        "Other type of fruit",
        c.RotatableBoundingBoxCoordinates(height=0.1, width=0.2, top_left_x=0.3, top_left_y=0.4, theta=-20.5),
        BoundingBox(0.3, 0.4, 0.2, 0.1, -20.5),
    ),
    ("Persimmon", c.PolygonCoordinates(_points(POINTS)), Polygon(POINTS)),
    (
        "Persimmon",
        c.PolygonCoordinates(polygons=[[_points(ring) for ring in part] for part in _HOLED]),
        Polygon(_HOLED),
    ),
    ("Branch", c.PolylineCoordinates(_points(POINTS)), Polyline(POINTS)),
    ("Pedicel", c.PointCoordinate(x=0.3, y=0.4), Point(0.3, 0.4)),
    ("Blueberry", BitmaskCoordinates(_PIXELS), Bitmask(_PIXELS)),
    ("Blueberry", BitmaskCoordinates(np.ones((54, 96), np.bool_)), Bitmask(np.ones((54, 96)))),
    (
        "Strawberry",
        c.SkeletonCoordinates(values=_SKELETON, name="Triangle"),
        Skeleton({"a": (0.1, 0.2), "b": (2.0, 0.3, "invisible"), "c": (0.4, 0.5, "selfOccluded")}),
    ),
    ("Ring", c.CircleCoordinates(center_x=0.5, center_y=0.4, radius=0.1), Circle(0.5, 0.4, 0.1)),
    (
        "Egg",
        c.EllipseCoordinates(center_x=0.5, center_y=0.4, rx=0.1, ry=0.2, theta=7.0),
        Ellipse(0.5, 0.4, 0.1, 0.2, 7),
    ),
    (
        "Crate",
        c.Cuboid2DPerspectiveCoordinates(
            front=_points(POINTS), vanishing_point=c.PointCoordinate(x=0.4, y=3.0), scale_ratio=0.75
        ),
        Cuboid2D(POINTS, (0.4, 3.0), 0.75),
    ),
    (
        "Crate",
        c.Cuboid2DIsometricCoordinates(front=_points(POINTS), offset=c.PointCoordinate(x=-0.1, y=0.1)),
        Cuboid2D(POINTS, offset=(-0.1, 0.1)),
    ),
    (
        "Truck",
        c.CuboidCoordinates(position=(1.0, 2.0, 3.0), orientation=(0.1, 0.2, 0.3), size=(4.0, 5.0, 6.0)),
        Cuboid((1.0, 2.0, 3.0), (0.1, 0.2, 0.3), (4.0, 5.0, 6.0)),
    ),
]


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Project:
    return label_project(tmp_path / "project")


@pytest.mark.parametrize(("name", "theirs", "ours"), PAIRS, ids=[type(pair[1]).__name__ for pair in PAIRS])
def test_coordinates(project: Project, name: str, theirs: Any, ours: Any) -> None:
    row = project.label_row("Cherries_video.mp4")
    for frame, geometry in enumerate((theirs, ours)):
        row.add_object(name, geometry, frames=frame, object_id="a")
    row.save()
    first, second = ({**found, "frame": 0, "row": 0} for found in saved(project))
    assert first == second


def test_objects_classifications_and_ranges(project: Project) -> None:
    """As the page's scripts find them: by title in the structure."""
    cherry = STRUCTURE.get_child_by_title("Cherry", type_=Object)
    fruit = STRUCTURE.get_child_by_title("Many types of fruit?", type_=Classification)
    row = project.label_row("Cherries_video.mp4")
    box = c.BoundingBoxCoordinates(height=0.1, width=0.2, top_left_x=0.3, top_left_y=0.4)
    first = row.add_object(cherry, box, frames=Range(103, 105), confidence=0.5)
    second = row.add_object(cherry, box, frames=[Range(1, 2), Range(7, 7)])
    third = row.add_classification(fruit, ["Apple", "Kiwi"], frames=Range(193, 197))
    row.save()
    places = {(found["object_id"], found["frame"]) for found in saved(project)}
    assert places == {
        *((first, frame) for frame in (103, 104, 105)),
        *((second, frame) for frame in (1, 2, 7)),
        *((third, frame) for frame in range(193, 198)),
    }


REFUSED: list[tuple[str, type[Exception], str, Any]] = [
    ("must be a BoundingBox for 'Cherry'", OntologyError, "Cherry", PAIRS[1][1]),
    ("must be a BoundingBox for 'Other", OntologyError, "Other type of fruit", PAIRS[0][1]),
    ("must be a Bitmask for 'Blueberry'", OntologyError, "Blueberry", PAIRS[2][1]),
    ("geometry: must be a Polygon", OntologyError, "Persimmon", c.AudioCoordinates(range=[])),
    (
        "points of a scene",
        InputError,
        "Branch",
        c.PolylineCoordinates([c.PointCoordinate3D(x=0.0, y=0.0, z=0.0), c.PointCoordinate3D(x=1.0, y=1.0, z=1.0)]),
    ),
    (
        "rleString: must be Encord's run lengths of 96 x 54 pixels",
        InputError,
        "Blueberry",
        BitmaskCoordinates({"top": 0, "left": 0, "height": 54, "width": 96, "rleString": "11"}),
    ),
    (
        "must each have a name of its own, got 'a' twice",
        InputError,
        "Strawberry",
        c.SkeletonCoordinates(values=[_SKELETON[0], *_SKELETON], name="Triangle"),
    ),
    (
        "x: must be a number, got '0.1'",
        InputError,
        "Cherry",
        c.BoundingBoxCoordinates(height=0.1, width=0.2, top_left_x="0.1", top_left_y=0.4),  # type: ignore[arg-type]  # on purpose
    ),
]


@pytest.mark.parametrize(("message", "error", "name", "geometry"), REFUSED, ids=[case[0] for case in REFUSED])
def test_refused(project: Project, message: str, error: type[Exception], name: str, geometry: Any) -> None:
    """What the SDK takes without a look."""
    row = project.label_row("Cherries_video.mp4")
    with pytest.raises(error, match=message):
        row.add_object(name, geometry)
    assert len(row) == 0


def test_another_ontologys_object(project: Project) -> None:
    strange = Object(
        uid=1, name="Cherry", color="#FFFFFF", shape=STRUCTURE.objects[0].shape, feature_node_hash="strange"
    )
    with pytest.raises(OntologyError, match="no object has the featureNodeHash 'strange'"):
        project.label_row("Cherries_video.mp4").add_object(strange, PAIRS[0][1])
