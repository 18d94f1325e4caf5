"""The project of Encord's page on importing labels: its classes, images and videos."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from predarrow.data_units import DataUnits
from predarrow.ontology import (
    Ontology,
    checklist,
    classification,
    numeric,
    object_class,
    option,
    radio,
    skeleton_template,
    text,
)
from predarrow.project import Project

CLASSES = {
    "Cherry": "bounding_box",
    "Other type of fruit": "rotatable_bounding_box",
    "Persimmon": "polygon",
    "Branch": "polyline",
    "Pedicel": "point",
    "Blueberry": "bitmask",
    "Strawberry": "skeleton",
}
"""Shape by name, those of the page"""

MORE_CLASSES = {"Egg": "ellipse", "Ring": "circle", "Crate": "cuboid_2d", "Truck": "cuboid", "Both": "bounding_box"}

_ATTRIBUTES = [
    radio("Ripe", ["Yes", option("No", [text("Why")])]),
    checklist("Marks", ["Spot", "Hole"]),
    numeric("Weight"),
    radio("Pose", ["Up", "Down"], dynamic=True),
]

ONTOLOGY = Ontology.build(
    [
        *(
            object_class(name, shape, _ATTRIBUTES if name == "Cherry" else [])
            for name, shape in (CLASSES | MORE_CLASSES).items()
        ),
        object_class("Both", "polygon"),
        object_class("Noise", "audio"),
    ],
    [
        classification(radio("Blueberry or cherry?", ["Blueberry", option("Cherry", [text("Which cherry?")])])),
        classification(checklist("Many types of fruit?", ["Apple", "Kiwi", "Cherry"])),
        classification(radio("Usable", ["For all", "For none"]), is_global=True),
    ],
    {"Strawberry": skeleton_template("Triangle", {"a": (0, 0), "b": (1, 0), "c": (0, 1)}, [("a", "b"), ("b", "c")])},
)

IMAGES = ("cherry_001.png", "apple_001.png", "persimmon_001.jpg", "blueberry_003.jpg", "strawberries_10.jpg")

_UNITS: list[tuple[str, str, int | None, int | None, int | None]] = [
    *((name, "image", 60, 40, 1) for name in IMAGES),
    ("Cherries_video.mp4", "video", 96, 54, 500),
    ("Blueberries_video.mp4", "video", 96, 54, 500),
    ("unsized.jpg", "image", None, None, 1),
    ("endless.mp4", "video", 10, 10, None),
]


def label_project(path: Path) -> Project:
    """Make the project: images of 60 x 40 pixels, videos of 500 frames of 96 x 54, a group of two images."""
    names = ("title", "kind", "width", "height", "n_frames")
    columns: dict[str, list[Any]] = {name: [unit[place] for unit in _UNITS] for place, name in enumerate(names)}
    members: dict[str, list[Any]] = {"title": ["left.png", "right.png"], "kind": ["image"] * 2, "n_frames": [1, 1]}
    members |= {"width": [10, 20], "height": [30, 40]}
    group: dict[str, list[Any]] = {"title": ["pair"], "kind": ["img_group"]}
    for name in columns:
        columns[name] += [*group.get(name, [None]), *members[name]]
    n = len(columns["title"])
    columns["id"] = [f"id-{place}" for place in range(n)]
    columns["group"] = [None] * (n - 2) + [f"id-{n - 3}"] * 2
    columns["sequence"] = [None] * (n - 2) + [0, 1]
    return Project.create(path, ontology=ONTOLOGY, data_units=DataUnits.from_table(columns))


def saved(project: Project, columns: Sequence[str] | None = None, set_name: str = "labels") -> list[dict[str, Any]]:
    """Give a set's rows, without what is null where no columns are named."""
    rows: list[dict[str, Any]] = project.scan(set_name, columns=columns).read_all().to_pylist()
    return [{key: value for key, value in row.items() if columns or value is not None} for row in rows]


def attributes(row: dict[str, Any]) -> dict[str, Any]:
    """Give a row's attributes."""
    found: dict[str, Any] = json.loads(row.get("attributes") or "{}")
    return found
