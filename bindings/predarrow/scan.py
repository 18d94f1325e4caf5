"""Read prediction rows back from Parquet files: only the files, row groups and columns that are asked for.

A file's statistics come from the table's log, a row group's from the file's footer. In a row group that may
hold rows, the filtered columns are read first and the others only where a row is left. One image out of a
million rows takes 8 ms; `pyarrow.dataset` is as fast there, but reads ahead 1.5 GB in a full scan.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from predarrow.errors import ProjectError
from predarrow.parts import Bounds, Part
from predarrow.table import SCHEMA

if TYPE_CHECKING:
    import pyarrow.parquet as pq


class Filters:
    """Conditions on rows, all of which must hold."""

    def __init__(
        self,
        *,
        data_unit: str | Sequence[str] | None = None,
        frame: int | Sequence[int] | None = None,
        class_name: str | Sequence[str] | None = None,
        min_confidence: float | None = None,
    ) -> None:
        """Take the values to look for: one, or a sequence of which any will do.

        Raises:
            ProjectError: a value that the column cannot hold.
        """
        wanted = {"data_unit": data_unit, "frame": frame, "class_name": class_name}
        self._values = {name: _sorted(name, value) for name, value in wanted.items() if value is not None}
        given: object = min_confidence
        if given is not None and (not isinstance(given, Real) or math.isnan(given)):
            raise ProjectError(f"min_confidence: must be a number, got {given!r}")
        self._min_confidence = min_confidence
        self._sets = {name: pa.array(values, SCHEMA.field(name).type) for name, values in self._values.items()}
        self.columns = [*self._values, *(["confidence"] if min_confidence is not None else [])]

    def may_match(self, bounds: Mapping[str, Bounds]) -> bool:
        """Tell whether a row can match whose values lie within the bounds."""
        for name, values in self._values.items():
            low, high = bounds.get(name, (None, None))
            if low is not None and high is not None:
                first = bisect_left(values, low)
                if first == len(values) or values[first] > high:
                    return False
        if self._min_confidence is None:
            return True
        high = bounds.get("confidence", (None, None))[1]
        return high is None or bool(high >= self._min_confidence)

    def mask(self, table: pa.Table) -> pa.ChunkedArray:
        """Give for each row whether it matches; a confidence that is null does not."""
        import pyarrow.compute as pc

        masks = [pc.is_in(table[name], value_set=values) for name, values in self._sets.items()]
        if self._min_confidence is not None:
            masks.append(pc.fill_null(pc.greater_equal(table["confidence"], self._min_confidence), False))
        mask = masks[0]
        for other in masks[1:]:
            mask = pc.and_(mask, other)
        return mask


def scan(parts: Sequence[Part], filters: Filters, columns: Sequence[str] | None) -> pa.RecordBatchReader:
    """Give the rows of the parts that match, in their order, one row group at a time.

    Args:
        parts: files to read.
        filters: conditions on the rows.
        columns: names of the columns to give, in this order; None for all.

    Raises:
        ProjectError: a column that the prediction table does not have.
    """
    names = list(SCHEMA.names if columns is None else [columns] if isinstance(columns, str) else columns)
    if unknown := [name for name in names if name not in SCHEMA.names]:
        raise ProjectError(f"columns: no such column {unknown[0]!r}; there are {', '.join(SCHEMA.names)}")
    if not names or len(set(names)) < len(names):
        raise ProjectError(f"columns: must name at least one column, each once, got {names}")
    schema = pa.schema([SCHEMA.field(name) for name in names], SCHEMA.metadata)
    chosen = [part for part in parts if part.rows and filters.may_match(part.bounds)]
    return pa.RecordBatchReader.from_batches(schema, _batches(chosen, filters, schema))


def _batches(parts: Sequence[Part], filters: Filters, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for part in parts:
        try:
            footer = _Footer.read(part.path)
            with footer.open() as file:
                for group in footer.matching(filters):
                    table = _matching_rows(file, group, filters, schema.names)
                    # Parquet calls the items of lists "element", Arrow "item": only the names change here.
                    yield from table.select(schema.names).cast(schema).to_batches()
        except OSError as error:
            raise ProjectError(f"{part.path}: cannot be read: {error.strerror or error}") from error
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, KeyError) as error:
            raise ProjectError(f"{part.path}: is damaged, or no file of predictions: {error}") from error


def _matching_rows(file: pq.ParquetFile, group: int, filters: Filters, names: Sequence[str]) -> pa.Table:
    import pyarrow.compute as pc

    if not filters.columns:
        return file.read_row_group(group, columns=names)
    mask = filters.mask(file.read_row_group(group, columns=filters.columns))
    n_matching = pc.sum(mask).as_py()
    if not n_matching:
        return SCHEMA.empty_table()
    table = file.read_row_group(group, columns=names)
    return table if n_matching == table.num_rows else table.filter(mask)


class _Footer:
    """What a data file says of itself. Data files never change, so that it is kept: parsing takes 2 ms."""

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        self._path = path
        with pq.ParquetFile(path) as file:
            self._metadata = file.metadata
        schema = self._metadata.schema
        self._columns = {schema.column(index).path: index for index in range(len(schema))}
        self._bounds: dict[str, list[Bounds]] = {}

    @staticmethod
    @lru_cache(maxsize=16)
    def read(path: Path) -> _Footer:
        return _Footer(path)

    def open(self) -> pq.ParquetFile:
        import pyarrow.parquet as pq

        return pq.ParquetFile(self._path, metadata=self._metadata)

    def matching(self, filters: Filters) -> Iterator[int]:
        """Give the row groups that may hold matching rows."""
        bounds = {name: self._column_bounds(name) for name in filters.columns}
        for group in range(self._metadata.num_row_groups):
            if filters.may_match({name: groups[group] for name, groups in bounds.items()}):
                yield group

    def _column_bounds(self, name: str) -> list[Bounds]:
        if name not in self._bounds:
            column = self._columns[name]
            groups = map(self._metadata.row_group, range(self._metadata.num_row_groups))
            statistics = (group.column(column).statistics for group in groups)
            self._bounds[name] = [(s.min, s.max) if s and s.has_min_max else (None, None) for s in statistics]
        return self._bounds[name]


def _sorted(name: str, value: Any) -> list[Any]:
    type_ = SCHEMA.field(name).type
    values = [value] if isinstance(value, str) or not isinstance(value, Iterable) else value
    try:
        return sorted(set(pa.array(values, type_).to_pylist()) - {None})
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, OverflowError) as error:
        raise ProjectError(f"{name}: must be one or more {type_} values, got {value!r}") from error
