"""The Parquet files that a prediction set is made of, and what its log says of each.

Statistics are Delta's (`numRecords`, `minValues`, `maxValues`, `nullCount` as JSON), so that DuckDB, Polars
and Spark can pass over files as well as `predarrow.scan` does.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from predarrow import parquet
from predarrow.parquet import new_parquet_file, row_groups

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from deltalake.transaction import AddAction

FILE_BYTES = 128 << 20
SEARCHED = ("data_unit", "frame", "class_name", "confidence")
"""Columns with statistics."""

Bounds = tuple[Any, Any]
"""Least and greatest value; None where unknown."""

_TEXT_LIMIT = 64


class Part(NamedTuple):
    """A Parquet file of a prediction set."""

    path: Path
    rows: int
    bounds: Mapping[str, Bounds]
    """By column of `SEARCHED`."""


def write_parts(batches: Iterable[pa.RecordBatch], folder: Path, run: str) -> list[AddAction]:
    """Write batches as files `part-<run>-<number>.parquet` and give what a commit needs to adopt them.

    Memory is bounded by three row groups and a batch; no batches make no file.

    Raises:
        OutputError: a file cannot be written.
    """
    actions: list[AddAction] = []
    groups = row_groups(batches, parquet.ROW_GROUP_ROWS, parquet.ROW_GROUP_BYTES)
    for group in groups:
        path = folder / f"part-{run}-{len(actions):05d}.parquet"
        statistics = Statistics()
        with new_parquet_file(path) as file:
            for rows in chain([group], groups):
                n_bytes = file.write(rows)
                statistics.add(rows)
                if n_bytes >= FILE_BYTES:
                    break
        from deltalake.transaction import AddAction  # not earlier: a thread loads it while the rows are made

        written = path.stat()
        modified = int(written.st_mtime * 1000)
        actions.append(AddAction(path.name, written.st_size, {}, modified, True, statistics.to_json()))
    return actions


def parts_of(table: DeltaTable, folder: Path) -> list[Part]:
    """Give the files of the version that a Delta table was opened at, in the order of their names."""
    actions = pa.table(table.get_add_actions(flatten=True))
    n_parts = actions.num_rows
    unknown = [None] * n_parts

    def column(name: str) -> list[Any]:
        return actions[name].to_pylist() if name in actions.column_names else unknown

    bounds = {name: list(zip(column(f"min.{name}"), column(f"max.{name}"), strict=True)) for name in SEARCHED}
    parts = [
        Part(folder / path, rows, {name: bounds[name][index] for name in SEARCHED})
        for index, (path, rows) in enumerate(zip(column("path"), column("num_records"), strict=True))
    ]
    return sorted(parts, key=lambda part: part.path.name)


class Statistics:
    """Rows, bounds and null counts of the columns `SEARCHED`, gathered from row groups."""

    def __init__(self) -> None:
        self.rows = 0
        self._nulls = dict.fromkeys(SEARCHED, 0)
        self._bounds: dict[str, list[Any]] = {name: [] for name in SEARCHED}

    def add(self, table: pa.Table) -> None:
        """Take in the rows of a table."""
        import pyarrow.compute as pc

        self.rows += table.num_rows
        for name in SEARCHED:
            column = table[name]
            self._nulls[name] += column.null_count
            bounds = pc.min_max(column).as_py().values()
            self._bounds[name] += [bound for bound in bounds if bound is not None]
            if pa.types.is_floating(column.type) and pc.any(pc.is_nan(column)).as_py():
                self._bounds[name].append(math.inf)  # NaN is above every number to Spark: no bounds then

    def to_json(self) -> str:
        """Give them as Delta's statistics."""
        known = {name: bounds for name, bounds in self._bounds.items() if bounds and _is_finite(bounds)}
        statistics = {
            "numRecords": self.rows,
            "minValues": {name: _lower(min(bounds)) for name, bounds in known.items()},
            "maxValues": {name: _upper(max(bounds)) for name, bounds in known.items()},
            "nullCount": self._nulls,
        }
        # Unescaped: deltalake 1.6 reads U+20000, escaped as a pair of surrogates, as U+10000.
        return json.dumps(statistics, ensure_ascii=False)


def _is_finite(bounds: list[Any]) -> bool:  # JSON has no infinity
    return all(not isinstance(bound, float) or math.isfinite(bound) for bound in bounds)


def _lower(bound: Any) -> Any:
    return bound[:_TEXT_LIMIT] if isinstance(bound, str) else bound


def _upper(bound: Any) -> Any:
    if isinstance(bound, str) and len(bound) > _TEXT_LIMIT:
        return bound[:_TEXT_LIMIT] + "\U0010ffff"  # at or above everything that begins so
    return bound
