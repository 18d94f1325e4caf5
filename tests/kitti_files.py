"""KITTI files and a project for them, made on the spot."""

from __future__ import annotations

import json
from pathlib import Path

from predarrow.data_units import DataUnits
from predarrow.ontology import Ontology
from predarrow.project import Project
from tests.mask_files import unit

NAMES = ("pedestrian", "cyclist", "car")

SEED = """\
car 0.00 0 0.00 587.01 173.33 614.12 200.12 0.00 0.00 0.00 0.00 0.00 0.00 0.00 97.85
cyclist 0.00 0 0.00 665.45 160.00 717.93 217.99 0.00 0.00 0.00 0.00 0.00 0.00 0.00 32.65
pedestrian 0.00 0 0.00 423.17 173.67 433.17 224.03 0.00 0.00 0.00 0.00 0.00 0.00 0.00 3.183
"""
"""The three lines of Encord's page on importing predictions."""

LABEL = "Car 0.25 1 -1.57 599.41 156.4 629.75 189.25 2.85 2.63 12.34 0.47 1.49 69.44 -1.56"
RESULT = LABEL + " 0.5"
DONTCARE = "DontCare -1 -1 -10 503.89 169.71 590.61 190.13 -1 -1 -1 -1000 -1000 -1000 -10"
TRACKING_DONTCARE = "0 -1 DontCare -1 -1 -10.000000 219.31 188.49 245.5 218.56 -1000 -1000 -1000 -10 -1 -1 -1"


def write(path: Path, text: str | bytes) -> Path:
    """Write a file as it is, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def kitti_project(path: Path) -> Project:
    """Make a project with three classes of boxes, an image and a video of five frames, each 1242 x 375."""
    size = (1242, 375)
    rows = (unit("u1", "example_image.jpg", size=size), unit("u2", "example_video.mp4", "video", 5, size))
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    ontology = Ontology.from_classes(NAMES, shape="bounding_box")
    return Project.create(path, ontology=ontology, data_units=DataUnits.from_table(columns))


def write_mapping(folder: Path, project: Project) -> None:
    """Write ontology_mapping.json: KITTI's classes have the project's names."""
    mapping = {thing.feature_hash: thing.name for thing in project.ontology.objects}
    write(folder / "ontology_mapping.json", json.dumps(mapping))
