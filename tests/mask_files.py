"""Mask files and projects for them, made on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from predarrow.data_units import DataUnits
from predarrow.ontology import Ontology
from predarrow.project import Project
from tests.images import SEED_DRAWING

NAMES = ("pedestrian", "cyclist")


def write_mask(path: Path, mask: npt.NDArray[Any] = SEED_DRAWING) -> Path:
    """Write a grey PNG, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), mask)
    return path


def noise(height: int, width: int, classes: int, seed: int) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, classes, (height, width)).astype(np.uint8)


def unit(id_: str, title: str, kind: str = "image", n_frames: int | None = 1, size: Any = (19, 8)) -> dict[str, Any]:
    width, height = size or (None, None)
    return {"id": id_, "title": title, "kind": kind, "n_frames": n_frames, "width": width, "height": height}


def mask_project(path: Path, *units: dict[str, Any]) -> Project:
    """Make a project with pedestrian and cyclist as polygon classes; an image and a video by default."""
    rows = units or (unit("u1", "image.jpg"), unit("u2", "video.mp4", "video", 5))
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return Project.create(path, ontology=Ontology.from_classes(NAMES), data_units=DataUnits.from_table(columns))


def hashes(project: Project) -> dict[str, str]:
    return {thing.name: thing.feature_hash for thing in project.ontology.objects}


def write_mapping(folder: Path, project: Project) -> None:
    """Write ontology_mapping.json: pedestrian is 1, cyclist 2."""
    mapping = {hashes(project)[name]: value for value, name in enumerate(NAMES, 1)}
    (folder / "ontology_mapping.json").write_text(json.dumps(mapping))
