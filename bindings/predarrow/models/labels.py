"""What a model says of the class of each prediction, as the table's class names."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.classes import LEFT_OUT, Classes, class_names
from predarrow.errors import InputError
from predarrow.models.arrays import Place, as_array, as_column, bad_array, indexed, scalar, texts, whole_numbers
from predarrow.report import Code, Problem, Report

WITHOUT_LABELS = 1
"""Label of predictions of a model that knows no classes: the value of a mask's pixels that are inside."""


class ClassColumn(NamedTuple):
    """Class names of n rows."""

    names: str | pa.Array
    """(n,), or one for all"""
    keep: npt.NDArray[np.bool_] | None
    """(n,) which rows' class is not left out on purpose; None where no row's is"""

    def filtered(self, rows: npt.NDArray[np.bool_]) -> ClassColumn:
        """Give the chosen rows.

        Args:
            rows: (n,) which.
        """
        names = self.names if isinstance(self.names, str) else self.names.filter(pa.array(rows))
        return ClassColumn(names, None if self.keep is None else self.keep[rows])


def class_column(labels: Any, classes: Classes | None, n_rows: int, place: Place = indexed) -> ClassColumn:
    """Give the class name of each row.

    Args:
        labels: n_rows whole numbers or names, one for all, or None (1 for all).
        classes: names by number; None for a name leaves the class out. Without them a number's name is the number
            as text.
        n_rows: number of rows.
        place: words a row's place.

    Raises:
        InputError: another number of labels, labels that are neither, or numbers that `classes` does not name.
        OntologyError: `classes` that do not hold.
    """
    labels = WITHOUT_LABELS if labels is None else labels
    one = scalar(labels)
    if classes is None:
        return ClassColumn(texts(labels if one is None else one, n_rows, "labels"), None)
    numbers = _numbers([one] if one is not None else labels)
    if numbers is None:
        raise bad_array("labels", "must be whole numbers where classes are given", "names: leave classes out")
    values = whole_numbers(numbers, 1 if one is not None else n_rows, "labels")
    names = class_names(classes)
    places = names.positions(values)
    if n_rows == 0:  # one label for all is no row's
        return ClassColumn("", None)
    if (places < 0).any():
        raise _unnamed(values, places, place)
    is_kept = None
    if names.names.array.null_count:
        is_kept = names.names.array.is_valid().to_numpy(zero_copy_only=False)[places]
    if one is not None:
        name = names.names.array[int(places[0])].as_py()
        return ClassColumn(name or "", None if is_kept is None or is_kept[0] else np.zeros(n_rows, np.bool_))
    return ClassColumn(names.names.take(places), None if is_kept is None or is_kept.all() else is_kept)


def _numbers(labels: Any) -> npt.NDArray[Any] | None:
    """Give labels as an array, None where they are names."""
    if isinstance(labels, (list, tuple)) and any(isinstance(label, str) for label in labels):
        return None
    if hasattr(labels, "__arrow_c_stream__") or str(getattr(labels, "dtype", "")) == "object":
        column = as_column(labels, "labels")
        return None if pa.types.is_string(column.type) else np.asarray(column)
    array = as_array(labels, "labels")
    return None if array.dtype.kind in "US" else array


def keep_named(batch: pa.RecordBatch, classes: ClassColumn, report: Report | None) -> pa.RecordBatch:
    """Leave out the rows whose class is left out on purpose, and count them."""
    if classes.keep is None:
        return batch
    if report is not None:
        report.skipped[LEFT_OUT] += int(np.count_nonzero(~classes.keep))
    return batch.filter(pa.array(classes.keep))


def _unnamed(values: npt.NDArray[np.int64], places: npt.NDArray[np.int64], place: Place) -> InputError:
    rule = "must be a number that classes names"
    hint = "name it, or map it to None to leave it out"
    return InputError(
        [
            Problem(place("labels", row), row, "", Code.UNKNOWN_CLASS, f"{rule}, got {values[row]}; {hint}")
            for row in np.flatnonzero(places < 0).tolist()
        ]
    )
