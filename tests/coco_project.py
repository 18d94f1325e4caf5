"""A project for COCO's files, made on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from predarrow.data_units import DataUnits
from predarrow.ontology import Ontology
from predarrow.project import Project
from tests.mask_files import unit

BOX = {"image_id": 1, "category_id": 18, "bbox": [10, 20, 30, 40], "score": 0.5}
POLYGON = {"image_id": 2, "category_id": 18, "segmentation": [[1, 1, 9, 1, 9, 9], [20, 20, 29, 20, 29, 29]], "score": 1}
MASK = {"image_id": 2, "category_id": 1, "segmentation": {"size": [80, 100], "counts": [81, 4, 7915]}, "score": 0.25}


def coco_project(path: Path) -> Project:
    """Make a project with dogs as boxes and polygons, persons as polygons, two images and a video, 100 x 80 each."""
    rows = [unit(f"u{i}", f"{i:012d}.jpg", size=(100, 80)) for i in (1, 2)]
    rows.append(unit("v", "video.mp4", "video", 5, (100, 80)))
    shapes = (("dogs", "dog", "bounding_box"), ("dogp", "dog", "polygon"), ("perp", "person", "polygon"))
    objects = [{"featureNodeHash": key, "name": name, "shape": shape} for key, name, shape in shapes]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    units = DataUnits.from_table(columns)
    return Project.create(path, ontology=Ontology.from_dict({"objects": objects}), data_units=units)


def write_json(path: Path, document: Any) -> Path:
    """Write a JSON file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def write_predictions(folder: Path) -> Path:
    """Write three results, with both mappings beside them: category ids, and image ids as JSON has them."""
    write_json(folder / "ontology_mapping.json", {"dogs": 18, "dogp": 18, "perp": 1})
    write_json(folder / "image_mapping.json", {"1": "u1", "2": "u2"})
    return write_json(folder / "predictions.json", [POLYGON, BOX, MASK])
