"""How many predictions and images each class has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

COLUMNS = ("data_unit", "frame", "class_name", "confidence")
"""Columns that are counted by."""

_PAIR = ("data_unit", "frame", "class_name")
_PENDING_ROWS = 1 << 18


class ClassCount(NamedTuple):
    """One class's predictions."""

    name: str
    predictions: int
    images: int
    """Frames that have at least one."""
    mean_confidence: float | None
    """Over predictions that have a confidence."""


class Counted(NamedTuple):
    """A prediction set in numbers."""

    predictions: int
    images: int
    """Frames that have at least one prediction."""
    classes: list[ClassCount]
    """Most predictions first."""


def count_predictions(batches: Iterable[pa.RecordBatch]) -> Counted:
    """Count predictions and images by class, in one pass.

    Memory does not grow with the rows, but with the names of data units, and by some 100 bytes for each pair of image
    and class.

    Args:
        batches: predictions in the table's schema, or its `COLUMNS`, in any order.
    """
    units: dict[str, int] = {}
    names: dict[str, int] = {}
    pairs = _Pairs()
    sums: npt.NDArray[np.float64] = np.zeros((3, 0))
    for batch in batches:
        classes = _numbers(batch["class_name"], names)
        frames = batch["frame"].to_numpy()
        pairs.add([_numbers(batch["data_unit"], units), frames, classes])
        sums = np.pad(sums, ((0, 0), (0, len(names) - sums.shape[1]))) + _sums(classes, batch["confidence"], len(names))
    images = pairs.images_of_classes(len(names))
    rows, known, total = sums.tolist()
    found = [
        ClassCount(name, int(rows[place]), images[place], total[place] / known[place] if known[place] else None)
        for name, place in names.items()
    ]
    found.sort(key=lambda line: (-line.predictions, line.name))
    return Counted(sum(line.predictions for line in found), pairs.n_images(), found)


class _Pairs:
    """The distinct pairs of image and class. Names are numbers here: a set of tuples has ten times the bytes."""

    def __init__(self) -> None:
        self._pending: list[pa.Table] = []
        self._n_pending = 0
        self._limit = _PENDING_ROWS

    def add(self, numbers: list[npt.NDArray[np.int32]]) -> None:
        """Take the data units, frames and classes of rows."""
        rows = _distinct(pa.table(numbers, names=_PAIR), _PAIR)
        self._pending.append(rows)
        self._n_pending += rows.num_rows
        if self._n_pending > self._limit:
            self._limit = _PENDING_ROWS + 2 * self.rows().num_rows

    def rows(self) -> pa.Table:
        """Give the pairs so far."""
        if len(self._pending) > 1:
            self._pending = [_distinct(pa.concat_tables(self._pending), _PAIR)]
            self._n_pending = self._pending[0].num_rows
        return self._pending[0] if self._pending else pa.table([pa.array([], pa.int32())] * 3, names=_PAIR)

    def images_of_classes(self, n_classes: int) -> list[int]:
        """Give the number of images of each class."""
        images: list[int] = np.bincount(self.rows()["class_name"].to_numpy(), minlength=n_classes).tolist()
        return images

    def n_images(self) -> int:
        """Give the number of images."""
        return int(_distinct(self.rows(), _PAIR[:2]).num_rows)


def _distinct(table: pa.Table, columns: tuple[str, ...]) -> pa.Table:
    return table.group_by(list(columns), use_threads=False).aggregate([])


def _numbers(values: pa.Array, known: dict[str, int]) -> npt.NDArray[np.int32]:
    """Give a number for each text, the same one in every batch."""
    coded = values.dictionary_encode()
    numbers = np.array([known.setdefault(text, len(known)) for text in coded.dictionary.to_pylist()], np.int32)
    result: npt.NDArray[np.int32] = numbers[coded.indices.to_numpy()]
    return result


def _sums(classes: npt.NDArray[np.int32], confidence: pa.Array, n_classes: int) -> npt.NDArray[np.float64]:
    """Rows, rows with a confidence, and sum of confidences of each class."""
    is_known = pc.is_valid(confidence).to_numpy(zero_copy_only=False)
    weights = (None, is_known, confidence.fill_null(0.0).to_numpy())
    return np.stack([np.bincount(classes, weight, n_classes).astype(np.float64) for weight in weights])
