"""What Encord's SDK does with label rows and masks, without a connection; on one thread."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any
from unittest.mock import Mock

import numpy as np
import numpy.typing as npt

from benchmarks.encord_data import FRAMES_PER_SECOND, HEIGHT, WIDTH, LabelRows, Strings, Tracks
from predarrow.ontology import Ontology


@cache
def _sdk(module: str) -> Any:
    """Give a module of the SDK (optional extra `test`), which warns of what pydantic will not have any more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return import_module(f"encord.{module}")


def _empty_row(classes: Ontology, n_frames: int) -> Any:
    """Give the label row of a video without labels."""
    objects = _sdk("objects")
    video = _sdk("orm.storage").CustomerProvidedVideoMetadata(
        mime_type="video/mp4",
        file_size=1,
        fps=FRAMES_PER_SECOND,
        duration=n_frames / FRAMES_PER_SECOND,
        width=WIDTH,
        height=HEIGHT,
    )
    structure = objects.OntologyStructure.from_dict(classes.to_dict())
    return objects.LabelRowV2.from_media_metadata(Mock(structure=structure), video)


def loaded(rows: LabelRows) -> Any:
    """Take a label row that is parsed already."""
    (unit,) = rows.members["data_units"].values()
    row = _empty_row(rows.ontology, len(unit["labels"]))
    row.from_labels_dict(rows.members)
    return row


def parsed(rows: LabelRows) -> Any:
    """Parse the file alone."""
    return json.loads(rows.path.read_bytes())


def written() -> Callable[[LabelRows], Any]:
    """Give a function that writes a label row, which is taken beforehand, as a file beside the one that it is from."""
    kept: dict[Any, Any] = {}

    def run(rows: LabelRows) -> Any:
        if rows.path not in kept:
            kept.clear()
            kept[rows.path] = loaded(rows)
        path = rows.path.with_name("by_the_sdk.json")
        path.write_text(json.dumps([kept[rows.path].to_encord_dict()]))
        return path

    return run


def authored(tracks: Tracks) -> Any:
    """Label frame by frame with `set_for_frames`; nothing is saved."""
    objects, box = _sdk("objects"), _sdk("objects.coordinates").BoundingBoxCoordinates
    row = _empty_row(tracks.project.ontology, len(next(iter(tracks.boxes.values()))))
    node = row.ontology_structure.get_child_by_title("Class 0", type_=objects.Object)
    for object_id, boxes in tracks.boxes.items():
        made = objects.ObjectInstance(node, object_hash=object_id)
        for frame, (x, y, w, h) in enumerate(boxes):
            made.set_for_frames(box(height=h, width=w, top_left_x=x, top_left_y=y), frame)
        row.add_object_instance(made)
    return row


def decoded(masks: Strings) -> list[npt.NDArray[np.bool_]]:
    """Decode Encord's strings, mask by mask."""
    coordinates = _sdk("objects.bitmask").BitmaskCoordinates
    given = {"top": 0, "left": 0, "height": masks.height, "width": masks.width}
    return [coordinates({**given, "rleString": string}).to_numpy_array() for string in masks.rows]


def turned(masks: Strings) -> list[str]:
    """Turn COCO's strings into Encord's, mask by mask."""
    turn = _sdk("common.bitmask_operations").coco_rle_to_encord_rle
    return [turn(string, height=masks.height, width=masks.width) for string in masks.columns]
