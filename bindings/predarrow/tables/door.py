"""Tables of predictions that others made, checked against a project row by row."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import numpy as np
import pyarrow as pa

from predarrow.objects.checks import Floats, Ints
from predarrow.ordering import Keyed, keys
from predarrow.project_index import ProjectIndex
from predarrow.refusals import Refusals
from predarrow.report import Code, Report
from predarrow.table import SCHEMA, record_batch
from predarrow.tables.checks import (
    Columns,
    check_attributes,
    check_masks,
    check_numbers,
    check_polygons,
    check_present,
    checked_boxes,
    flag_confidences,
)
from predarrow.tables.class_resolution import resolve_classes
from predarrow.tables.form import Batches, check_schema, columns_of, sliced
from predarrow.tables.kinds import check_cuboids, check_fronts, check_keypoints, check_spans

BATCH_ROWS = 16_384

_NEVER_NULL = ("data_unit", "frame", "kind")


def table_parts(source: Batches, index: ProjectIndex) -> Iterator[tuple[list[Keyed], Report]]:
    """Give batches in the prediction table's schema, with problems for the rows that are refused.

    Args:
        source: in any form that `check_schema` lets pass.
        index: of the project that the rows belong to.

    Raises:
        InputError: a schema that does not hold, or a value that its column's type cannot hold.
    """
    check_schema(source.schema)
    first = 0
    for batch in sliced(source.batches, BATCH_ROWS):
        report = Report(sources=batch.num_rows)
        keyed = _checked(columns_of(batch, batch.num_rows), first, index, report)
        yield [keyed], report
        first += batch.num_rows


def _checked(columns: Columns, first: int, index: ProjectIndex, report: Report) -> Keyed:
    refusals = Refusals(np.arange(first, first + len(columns["frame"])))
    for name in _NEVER_NULL:
        is_null = columns[name].is_null().to_numpy(zero_copy_only=False)
        refusals.add(is_null, Code.BAD_TABLE, f"column {name}", "must not be null")
    units = index.place(columns["data_unit"].fill_null("").to_pylist(), refusals, "column data_unit")
    frames = columns["frame"].fill_null(0).to_numpy().astype(np.int64)
    index.check_frames(units, frames, None, refusals, "column frame")
    columns["class_name"], columns["feature_hash"] = resolve_classes(columns, index, refusals)
    check_present(columns, refusals)
    check_numbers(columns, refusals)
    sizes = index.sizes(units)
    for side, name in enumerate(("image_height", "image_width")):
        columns[name] = _size_column(columns[name], sizes[:, side], name, refusals)
    check_cuboids(columns, refusals)
    check_attributes(columns, refusals)
    check_spans(columns, refusals)
    covers = [
        check_polygons(columns, refusals),
        check_masks(columns, sizes, refusals, report),
        check_keypoints(columns, index, refusals),
    ]
    check_fronts(columns, refusals)
    columns["bbox"] = checked_boxes(columns, _first(covers), sizes, refusals, report)
    flag_confidences(columns, refusals, report)
    report.problems += sorted(refusals.problems, key=lambda found: found.row or 0)
    if refusals.bad.all():
        return Keyed(record_batch(0, {}), frames[:0])
    places = np.maximum(units, 0)
    columns["data_unit"] = index.ids.take(places)
    batch = pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)
    key = keys(index.rank[places], frames)
    if refusals.bad.any():
        batch, key = batch.filter(pa.array(~refusals.bad)), key[~refusals.bad]
    return Keyed(batch, key)


def _first(covers: list[Floats | None]) -> Floats | None:
    """Give the first cover that each row has."""
    known = [cover for cover in covers if cover is not None]
    return reduce(lambda one, other: np.where(np.isnan(one), other, one), known) if known else None


def _size_column(column: pa.Array, known: Ints, name: str, refusals: Refusals) -> pa.Array:
    """Give an image's side, filled in from the data unit; a different one is refused."""
    given = column.fill_null(0).to_numpy()
    is_null = column.is_null().to_numpy(zero_copy_only=False)
    refusals.add(
        ~is_null & ((given <= 0) | ((known > 0) & (given != known))),
        Code.SIZE_MISMATCH,
        f"column {name}",
        lambda row: f"must be {known[row] or 'unknown (null) or at least 1'} as for its data unit, got {given[row]}",
    )
    filled = np.where(is_null, known, given)
    return pa.array(filled, pa.int32(), mask=filled == 0)
