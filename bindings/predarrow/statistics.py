"""How many predictions and images each class has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc


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

    Memory grows with the number of pairs of image and class, not with the rows.

    Args:
        batches: predictions in the table's schema.
    """
    predictions: Counter[str] = Counter()
    confidence: dict[str, list[float]] = {}
    seen: set[tuple[str, int, str]] = set()
    for batch in batches:
        table = pa.table({name: batch[name] for name in ("class_name", "data_unit", "frame", "confidence")})
        for name, rows, known, total in _by_class(table):
            predictions[name] += rows
            sums = confidence.setdefault(name, [0.0, 0.0])
            sums[0] += known
            sums[1] += total or 0.0
        pairs = table.group_by(["data_unit", "frame", "class_name"]).aggregate([])
        seen.update(zip(*(pairs[name].to_pylist() for name in ("data_unit", "frame", "class_name")), strict=True))
    images = Counter(name for _, _, name in seen)
    classes = [
        ClassCount(name, rows, images[name], confidence[name][1] / confidence[name][0] if confidence[name][0] else None)
        for name, rows in sorted(predictions.items(), key=lambda item: (-item[1], item[0]))
    ]
    return Counted(predictions.total(), len({(unit, frame) for unit, frame, _ in seen}), classes)


def _by_class(table: pa.Table) -> list[tuple[str, int, int, float | None]]:
    """Class name, rows, rows with a confidence, sum of confidences."""
    known = pa.table(
        {"class_name": table["class_name"], "confidence": table["confidence"], "row": pc.is_valid(table["confidence"])}
    )
    counted = known.group_by("class_name").aggregate([("row", "count"), ("confidence", "count"), ("confidence", "sum")])
    columns = ("class_name", "row_count", "confidence_count", "confidence_sum")
    return list(zip(*(counted[name].to_pylist() for name in columns), strict=True))
