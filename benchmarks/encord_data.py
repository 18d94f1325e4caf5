"""Label rows of a video, Encord's masks, and tracks to be labelled, to measure on: made from a seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pycocotools import mask as coco_masks

import predarrow
from benchmarks import coco_data
from benchmarks.data import SEED
from predarrow.data_units import DataUnits
from predarrow.ontology import Ontology
from predarrow.project import Project

FRAMES_PER_SECOND = 25.0
N_OBJECTS = 20
HEIGHT, WIDTH = 1080, 1920
_CREATED = "Tue, 02 Jan 2024 03:04:05 UTC"


class LabelRows(NamedTuple):
    """A file with the label row of one video, its content parsed beforehand, and what it is written from."""

    path: Path
    members: dict[str, Any]
    ontology: Ontology
    table: pa.Table | None
    """What `read_label_rows` makes of it; None where it is not needed."""


class Strings(NamedTuple):
    """Masks of one size as the compressed strings of their run lengths."""

    columns: list[str]
    """Run lengths down the columns, as COCO has them."""
    rows: list[str]
    """Along the rows, as Encord has them."""
    height: int
    width: int


class Tracks(NamedTuple):
    """Boxes to be labelled, and a project to save them in."""

    project: Project
    video: str
    boxes: dict[str, list[list[float]]]
    """Relative x, y, w and h on each frame, by the id of the object."""


def ontology() -> Ontology:
    """Give ten classes of boxes."""
    return Ontology.from_classes([f"Class {k}" for k in range(10)], shape="bounding_box")


def _boxes(n_frames: int, digits: Literal["short", "long"]) -> npt.NDArray[np.float64]:
    """Give (N_OBJECTS, n_frames, 4) relative x, y, w, h, all in the image."""
    corner, share = np.random.default_rng(SEED).random((2, N_OBJECTS, n_frames, 2))
    boxes: npt.NDArray[np.float64] = np.concatenate([corner * 0.75, share * 0.2 + 0.01], axis=2)
    return boxes.round(4) if digits == "short" else boxes


def _frame_objects(n_frames: int, digits: Literal["short", "long"], classes: Ontology) -> dict[str, Any]:
    """Give what each frame of a video holds, as Encord's SDK writes it."""
    scores = np.random.default_rng(SEED + 1).random((N_OBJECTS, n_frames)).round(3).tolist()
    boxes = _boxes(n_frames, digits).tolist()
    kinds = [classes.objects[k % len(classes.objects)] for k in range(N_OBJECTS)]
    names = [
        {"name": kind.name, "color": kind.color, "shape": kind.shape, "value": kind.name.lower().replace(" ", "_")}
        for kind in kinds
    ]
    frames: dict[str, Any] = {}
    for frame in range(n_frames):
        edited = f"Mon, 06 May 2024 {frame // 3600 % 24:02}:{frame // 60 % 60:02}:{frame % 60:02} UTC"
        objects = []
        for k in range(N_OBJECTS):
            x, y, w, h = boxes[k][frame]
            made = {"createdAt": _CREATED, "createdBy": "someone@example.com", "confidence": scores[k][frame]}
            made |= {"objectHash": f"object-{k}", "featureHash": kinds[k].feature_hash, "manualAnnotation": False}
            made |= {"lastEditedAt": edited, "boundingBox": {"h": h, "w": w, "x": x, "y": y}}
            objects.append(names[k] | made)
        frames[str(frame)] = {"objects": objects, "classifications": []}
    return frames


def label_row(n: int, digits: Literal["short", "long"], classes: Ontology) -> dict[str, Any]:
    """Give the label row of a video of n boxes, 20 objects tracked over all frames, as Encord's SDK writes it.

    Args:
        n: boxes.
        digits: four decimals, or all digits of a 64-bit number.
        classes: of the objects.
    """
    n_frames = max(2, n // N_OBJECTS)
    unit = {"data_hash": "video", "data_title": "video.mp4", "data_link": "", "data_type": "video/mp4"}
    sizes = {"data_sequence": 0, "width": WIDTH, "height": HEIGHT, "labels": _frame_objects(n_frames, digits, classes)}
    times = {"data_duration": n_frames / FRAMES_PER_SECOND, "data_fps": FRAMES_PER_SECOND}
    answers = {f"object-{k}": {"classifications": [], "objectHash": f"object-{k}"} for k in range(N_OBJECTS)}
    head = {"label_hash": "label", "branch_name": "main", "created_at": _CREATED, "last_edited_at": _CREATED}
    head |= {"data_hash": "video", "dataset_hash": "dataset", "dataset_title": "Videos", "data_title": "video.mp4"}
    head |= {"data_type": "video", "annotation_task_status": "QUEUED"}
    rest = {"object_answers": answers, "classification_answers": {}, "object_actions": {}, "is_shadow_data": False}
    units = {"label_status": "LABEL_IN_PROGRESS", "data_units": {"video": unit | sizes | times}, "spaces": {}}
    return head | rest | units


def label_rows(n: int, folder: Path, digits: Literal["short", "long"], *, is_read: bool = False) -> list[LabelRows]:
    """Write the label row of a video of n boxes, and read it into a table where that is asked for."""
    classes = ontology()
    members = label_row(n, digits, classes)
    path = folder / "label_rows.json"
    path.write_text(json.dumps([members]))
    table = predarrow.read_label_rows(path, ontology=classes, workers=1).read_all() if is_read else None
    return [LabelRows(path, members, classes, table)]


def strings(n: int, height: int, width: int) -> list[Strings]:
    """Give masks as strings, both encoded by pycocotools."""
    masks = coco_data.masks(n, height, width)
    columns, rows = (
        [rle["counts"].decode() for rle in coco_masks.encode(np.asfortranarray(turned))]
        for turned in (masks.transpose(1, 2, 0), masks.transpose(2, 1, 0))
    )
    return [Strings(columns, rows, height, width)]


def tracks(n_frames: int, folder: Path) -> list[Tracks]:
    """Give boxes of 20 objects on each of some frames, and a project with a video of that length."""
    columns = {"id": ["video"], "title": ["video.mp4"], "kind": ["video"], "width": [WIDTH], "height": [HEIGHT]}
    units = DataUnits.from_table({**columns, "n_frames": [n_frames], "fps": [FRAMES_PER_SECOND]})
    project = Project.create(folder / "project", ontology=ontology(), data_units=units)
    boxes = {f"object-{k}": track for k, track in enumerate(_boxes(n_frames, "long").tolist())}
    return [Tracks(project, "video.mp4", boxes)]
