"""Batches of the table -> rows with their geometries, checked one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from predarrow.formats.given_table import given_batches, given_columns
from predarrow.formats.openlabel.write_attributes import NOTHING, Attributes, attributes_of
from predarrow.formats.openlabel.write_geometry import Shape, shapes_of
from predarrow.refusals import Refusals, shown
from predarrow.report import Code, Report
from predarrow.tables.checks import check_polygons, check_present
from predarrow.tables.kinds import check_cuboids

CHUNK_ROWS = 1024

_NEEDED = ("data_unit", "frame", "class_name", "kind")
COLUMNS = (
    *("data_unit", "frame", "object_id", "class_name", "kind", "confidence", "bbox", "rotation", "polygon"),
    *("keypoints", "mask", "cuboid", "stream", "attributes"),
)
"""Columns of the table that are looked at."""

_LEAVES = ("data_unit", "frame", "object_id", "class_name", "confidence", "stream")


class Row(NamedTuple):
    """One row of the table."""

    data_unit: str
    frame: int
    object_id: str | None
    class_name: str
    confidence: float | None
    stream: str | None
    item: Attributes
    shapes: list[Shape]
    """None of a row that is refused."""
    number: int
    """Its place in the table."""


def rows_of(table: Any, report: Report) -> Iterator[Row]:
    """Give the rows of a table.

    Args:
        table: predictions with `__arrow_c_stream__`.
        report: told of rows that are refused, and of what is left out of others.

    Raises:
        InputError: no Arrow table, or one without the columns.
    """
    n_rows = 0
    for batch in given_batches(table):
        for first in range(0, batch.num_rows, CHUNK_ROWS):
            columns = given_columns(batch.slice(first, CHUNK_ROWS), COLUMNS, _NEEDED)
            n = len(columns["kind"])
            refusals = Refusals(np.arange(n_rows, n_rows + n))
            items = _items(columns["attributes"], refusals, report.flagged)
            _check(columns, refusals, report.flagged)
            shapes = shapes_of(columns, refusals)
            report.problems += [
                problem._replace(source="table", pointer=f"row {problem.row}, {problem.pointer}")
                for problem in sorted(refusals.problems, key=lambda problem: problem.row or 0)
            ]
            leaves = [columns[name].to_pylist() for name in _LEAVES]
            for row in zip(*leaves, items, shapes, range(n_rows, n_rows + n), strict=True):
                yield Row(*row)
            n_rows += n


def _items(column: pa.StringArray, refusals: Refusals, flags: Counter[str]) -> list[Attributes]:
    items = []
    for row, text in enumerate(column.to_pylist()):
        item = NOTHING
        try:
            item = attributes_of(text, flags)
        except (msgspec.DecodeError, RecursionError) as error:
            rule = "must be a JSON object with OpenLABEL's names as `predarrow.formats.openlabel` tells them"
            refusals.add_one(row, Code.BAD_VALUE, "attributes", f"{rule}: {error}, got {shown(text)}")
        items.append(item)
    return items


def _check(columns: dict[str, pa.Array], refusals: Refusals, flags: Counter[str]) -> None:
    frames = columns["frame"].to_numpy()
    refusals.add(frames < 0, Code.FRAME_RANGE, "frame", lambda row: f"must not be negative, got {frames[row]}")
    confidence = columns["confidence"]
    values = confidence.fill_null(1.0).to_numpy(zero_copy_only=False)
    rule = "must be from 0 to 1 in OpenLABEL"
    is_odd = ~((values >= 0) & (values <= 1))
    refusals.add(is_odd, Code.CANNOT_HOLD, "confidence", lambda row: f"{rule}, got {values[row]}")
    check_present(columns, refusals)
    check_polygons(columns, refusals)
    check_cuboids(columns, refusals)
    if n_unknown := int((~refusals.bad & confidence.is_null().to_numpy(zero_copy_only=False)).sum()):
        flags["no confidence, which readers of OpenLABEL take for 1.0"] += n_unknown
