"""A project with a class of every shape that objects have, and predictions for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from predarrow.data_units import DataUnits
from predarrow.objects.predictions import BoundingBox, ObjectDetection, Prediction
from predarrow.ontology import Ontology
from predarrow.project import Project

CLASSES = {
    "box": "bounding_box",
    "turned": "rotatable_bounding_box",
    "area": "polygon",
    "bits": "bitmask",
    "line": "polyline",
    "both-b": "bounding_box",
    "both-p": "polygon",
}
"""Shape by featureNodeHash"""

_NAMES = {"both-b": "both", "both-p": "both"}

_OPTIONS = [{"featureNodeHash": key, "label": key.title(), "value": key} for key in ("yes", "no")]
_CLASSIFICATION = {
    "featureNodeHash": "weather",
    "attributes": [{"featureNodeHash": "rain?", "name": "Does it rain?", "type": "radio", "options": _OPTIONS}],
}

STRUCTURE = {
    "objects": [
        {"featureNodeHash": key, "name": _NAMES.get(key, f"a {key}"), "shape": shape} for key, shape in CLASSES.items()
    ],
    "classifications": [_CLASSIFICATION],
}

UNITS: dict[str, list[Any]] = {
    "id": ["u2", "u1", "u3", "u4", "u5"],
    "title": ["film.mp4", "image.jpg", "unsized.jpg", "twin.jpg", "twin.jpg"],
    "kind": ["video", "image", "image", "image", "image"],
    "width": [100, 200, None, 10, 10],
    "height": [50, 100, None, 10, 10],
    "n_frames": [10, 1, 1, 1, 1],
}


def object_project(path: Path) -> Project:
    """Make the project; u1 is 200 x 100 pixels, u2 a film of 10 frames of 100 x 50, u3 of unknown size."""
    ontology = Ontology.from_dict(STRUCTURE)
    return Project.create(path, ontology=ontology, data_units=DataUnits.from_table(UNITS))


def box(
    data: Any = None, feature_hash: Any = "box", unit: Any = "u1", frame: Any = 0, confidence: Any = 0.5, **more: Any
) -> Prediction:
    """Give a prediction of a box."""
    data = BoundingBox(0.25, 0.5, 0.5, 0.25) if data is None else data
    return Prediction(unit, frame, confidence, ObjectDetection("bounding-box", data, feature_hash, **more))


def thing(format_: Any, data: Any, feature_hash: Any = "area", unit: Any = "u1", frame: Any = 0) -> Prediction:
    """Give a prediction of a polygon or a mask."""
    return Prediction(unit, frame, 0.5, ObjectDetection(format_, data, feature_hash))


def rows(project: Project, *names: str, **filters: Any) -> list[dict[str, Any]]:
    """Give the default set's rows, by default without what is null."""
    table = project.scan(columns=list(names) or None, **filters).read_all()
    return [{k: v for k, v in row.items() if names or v is not None} for row in table.to_pylist()]
