"""`Prediction` objects -> batches in the prediction table's schema.

Objects are gathered by what they hold, since a column of boxes is made at once and not box by box: some thousands at
a time, so that memory stays bounded. Arrays are copied or encoded as they come: a generator may use its own again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.classes import Texts
from predarrow.objects import fields
from predarrow.objects.answers import Answer
from predarrow.objects.columns import box_columns, encoded, mask_columns, polygon_columns
from predarrow.objects.fields import box_fields
from predarrow.objects.predictions import BoundingBox, Format, FrameClassification, ObjectDetection, Prediction
from predarrow.objects.shapes import Rings, ShapeError, shape_of
from predarrow.ordering import Keyed, keys
from predarrow.project_index import UNKNOWN, ProjectIndex
from predarrow.refusals import Refusals, problem, shown
from predarrow.report import Code, Problem, Report
from predarrow.table import record_batch

BATCH_ROWS = 8192
BATCH_BYTES = 16 << 20

_HASH = "object.feature_hash"
_ARROW_HINT = "; make one stream of them, as with pyarrow.RecordBatchReader.from_batches(schema, batches)"

ShapeColumns = Callable[
    [list[Any], npt.NDArray[np.int64], npt.NDArray[np.int64], ProjectIndex, Refusals, Report], dict[str, Any]
]
"""Shapes, their images' sizes, their classes -> the columns that only this kind has."""


def object_parts(predictions: Iterable[Any], index: ProjectIndex) -> Iterator[tuple[list[Keyed], Report]]:
    """Give batches of the predictions, in the table's schema and by kinds, with problems for those that are refused.

    Args:
        predictions: `Prediction` objects; read as they are needed.
        index: of the project that they belong to.
    """
    window, first, n_read = _Window(), 0, 0
    for row, prediction in enumerate(predictions):
        window.add(row, prediction)
        n_read = row + 1
        if n_read - first >= BATCH_ROWS or window.n_bytes >= BATCH_BYTES:
            yield window.finish(n_read - first, index)
            window, first = _Window(), n_read
    yield window.finish(n_read - first, index)


class _Group:
    """Fields of predictions that hold the same kind of thing, a list each.

    Of plain values: what holds no objects costs the garbage collector nothing. Kept objects took 3 us more each.
    """

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.units: list[Any] = []
        self.frames: list[Any] = []
        self.confidences: list[Any] = []
        self.hashes: list[Any] = []
        self.tracks: list[Any] = []
        self.shapes: list[Any] = []

    def add(self, row: int, prediction: Prediction) -> None:
        self.rows.append(row)
        self.units.append(prediction.data_unit)
        self.frames.append(prediction.frame)
        self.confidences.append(prediction.confidence)

    def add_object(self, row: int, prediction: Prediction, detection: ObjectDetection) -> None:
        self.rows.append(row)  # not by `add`: a call is a tenth of the time that an object takes
        self.units.append(prediction.data_unit)
        self.frames.append(prediction.frame)
        self.confidences.append(prediction.confidence)
        self.hashes.append(detection.feature_hash)
        self.tracks.append(detection.track_id)


class _Window:
    """Some thousands of predictions."""

    def __init__(self) -> None:
        self.report = Report()
        self.n_bytes = 0
        self._boxes = _Group()
        self._polygons = _Group()
        self._masks = _Group()
        self._answers = _Group()
        self._problems: list[Problem] = []

    def add(self, row: int, prediction: Any) -> None:
        """Take the values of a prediction, or refuse what is none."""
        if not isinstance(prediction, Prediction):
            hint = _ARROW_HINT if isinstance(prediction, pa.Table | pa.RecordBatch) else ""
            self._refuse(row, "", f"must be a Prediction, got {shown(prediction)}{hint}")
            return
        detection: Any = prediction.object
        if detection is None:
            answer: Any = prediction.classification
            if isinstance(answer, FrameClassification):
                self._answers.add(row, prediction)
                self._answers.shapes.append(answer)
            else:
                self._refuse(row, "classification", f"must be a FrameClassification, got {shown(answer)}")
        elif not isinstance(detection, ObjectDetection):
            self._refuse(row, "object", f"must be an ObjectDetection, got {shown(detection)}")
        elif type(detection.data) is BoundingBox and detection.format == Format.BOUNDING_BOX:
            self._boxes.add_object(row, prediction, detection)
            self._boxes.shapes.extend(box_fields(detection.data))
        else:
            self._add_shape(row, prediction, detection)

    def _add_shape(self, row: int, prediction: Prediction, detection: ObjectDetection) -> None:
        try:
            shape = shape_of(detection)
        except ShapeError as error:
            self._refuse(row, error.pointer, str(error))
            return
        if isinstance(shape, BoundingBox):
            self._boxes.add_object(row, prediction, detection)
            self._boxes.shapes.extend(box_fields(shape))
        elif isinstance(shape, Rings):
            self._polygons.add_object(row, prediction, detection)
            self._polygons.shapes.append(shape)
            self.n_bytes += sum(xy.nbytes for xy in shape.xy)
        else:
            mask = encoded(shape)
            self._masks.add_object(row, prediction, detection)
            self._masks.shapes.append(mask)
            self.n_bytes += len(mask.counts)

    def _refuse(self, row: int, pointer: str, message: str) -> None:
        self._problems.append(problem(row, Code.BAD_VALUE, pointer, message))

    def finish(self, n_rows: int, index: ProjectIndex) -> tuple[list[Keyed], Report]:
        """Give the batches of what was added, and everything that is to be said of it."""
        self.report.sources = n_rows
        result = []
        makers: list[tuple[_Group, ShapeColumns]] = [
            (self._boxes, box_columns),
            (self._polygons, polygon_columns),
            (self._masks, mask_columns),
        ]
        for group, columns_of in makers:
            if group.rows:
                result.append(self._objects(group, columns_of, index))
        if self._answers.rows:
            result.append(self._classifications(self._answers, index))
        self.report.problems += sorted(self._problems, key=lambda found: found.row or 0)
        return result, self.report

    def _objects(self, group: _Group, columns_of: ShapeColumns, index: ProjectIndex) -> Keyed:
        refusals = Refusals(np.array(group.rows))
        placed = _placed(group, index, refusals)
        hashes = fields.texts(group.hashes, _HASH, refusals)
        classes = index.class_places.of(hashes, len(hashes))
        refusals.add(classes == UNKNOWN, Code.UNKNOWN_CLASS, _HASH, lambda row: index.no_class(hashes[row]))
        object_ids = fields.track_ids(group.tracks, refusals)
        columns = columns_of(group.shapes, placed.sizes, classes, index, refusals, self.report)
        columns["object_id"] = object_ids
        return self._keyed(placed, columns, classes, (index.class_names, index.class_hashes), index, refusals)

    def _classifications(self, group: _Group, index: ProjectIndex) -> Keyed:
        refusals = Refusals(np.array(group.rows))
        placed = _placed(group, index, refusals)
        answers = index.answers
        given = [
            (fields.texts([getattr(answer, name) for answer in group.shapes], f"classification.{name}", refusals))
            for name in Answer._fields
        ]
        places = np.array([answers.places.get(key, UNKNOWN) for key in map(Answer, *given)])
        for row in np.flatnonzero((places == UNKNOWN) & ~refusals.bad).tolist():
            name, message = answers.why_not(group.shapes[row])
            refusals.add_one(row, Code.UNKNOWN_CLASS, f"classification.{name}", message)
        columns: dict[str, Any] = {"kind": "classification"}
        if not refusals.bad.all():
            columns["attributes"] = answers.attributes.take(np.maximum(places, 0))
        return self._keyed(placed, columns, places, (answers.class_names, answers.class_hashes), index, refusals)

    def _keyed(
        self,
        placed: _Placed,
        columns: dict[str, Any],
        classes: npt.NDArray[np.int64],
        names: tuple[Texts, Texts],
        index: ProjectIndex,
        refusals: Refusals,
    ) -> Keyed:
        self._problems += refusals.problems
        if refusals.bad.all():
            return Keyed(record_batch(0, {}), np.empty(0, np.int64))
        heights, widths = placed.sizes.T
        chosen = np.maximum(classes, 0)
        columns = {
            "image_height": pa.array(heights, pa.int32(), mask=heights == 0),
            "image_width": pa.array(widths, pa.int32(), mask=widths == 0),
        } | columns
        columns |= {
            "data_unit": index.ids.take(np.maximum(placed.units, 0)),
            "frame": placed.frames.astype(np.int32),
            "confidence": placed.confidences,
            "class_name": names[0].take(chosen),
            "feature_hash": names[1].take(chosen),
            "row": refusals.rows,
        }
        batch = record_batch(classes.size, columns)
        key = keys(index.rank[np.maximum(placed.units, 0)], placed.frames)
        if refusals.bad.any():
            batch, key = batch.filter(pa.array(~refusals.bad)), key[~refusals.bad]
        return Keyed(batch, key)


class _Placed(NamedTuple):
    """What objects and classifications have in common, a row each."""

    units: npt.NDArray[np.int64]
    frames: npt.NDArray[np.int64]
    confidences: pa.Array
    sizes: npt.NDArray[np.int64]


def _placed(group: _Group, index: ProjectIndex, refusals: Refusals) -> _Placed:
    units = index.place(fields.texts(group.units, "data_unit", refusals), refusals, "data_unit")
    frames, is_missing = fields.numbers(group.frames, "q", "frame", refusals)
    index.check_frames(units, frames, is_missing, refusals, "frame")
    return _Placed(units, frames, fields.confidences(group.confidences, refusals), index.sizes(units))
