"""Predictions of a loop, batch by batch, until they are one table or a project's."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, get_args

import pyarrow as pa
import pyarrow.compute as pc

from predarrow.classes import Classes, class_names
from predarrow.errors import OutputError, PredarrowError
from predarrow.models.arrays import arrow
from predarrow.models.detections import BoxFormat, BoxUnit, DetectionOptions, from_detections
from predarrow.options import one_of
from predarrow.report import Report
from predarrow.table import SCHEMA, record_batch

if TYPE_CHECKING:
    from predarrow.imports import ImportResult
    from predarrow.project import Project
    from predarrow.reader import OnError
    from predarrow.sources import StrPath

_JOINED = 64
_OPTIONS = pa.ipc.IpcWriteOptions(use_threads=False)


class Collector:
    """Takes a batch of predictions a step, and gives one table in the end or commits to a project.

    It keeps copies, so the loop's arrays may be used again; starts no thread, and holds no lock or open file, so that
    it may be forked and, as long as nothing lies on disk, pickled. `row` goes on from batch to batch, so that the
    order in which predictions came is kept. Memory is bounded: beyond `memory_limit` what came so far goes to a
    temporary file without a name, which goes with the process at the latest.

    Args:
        classes: names by number, for `add`.
        box_format, box_unit: of the boxes of `add`; see `from_detections`.
        memory_limit: bytes that are kept in memory.

    Raises:
        PredarrowError: an option that does not hold.
        OntologyError: `classes` that do not hold.

    >>> collector = Collector(classes=["car"])
    >>> collector.add([[[0, 0, 9, 9]], [[1, 1, 2, 2], [3, 3, 4, 4]]], None, 0, ["a.png", "b.png"])
    >>> collector.table()["data_unit"].to_pylist()
    ['a.png', 'b.png', 'b.png']
    """

    def __init__(
        self,
        *,
        classes: Classes | None = None,
        box_format: BoxFormat = "xyxy",
        box_unit: BoxUnit = "pixel",
        memory_limit: int = 1 << 28,
    ) -> None:
        one_of("box_format", box_format, get_args(BoxFormat))
        one_of("box_unit", box_unit, get_args(BoxUnit))
        if classes is not None:
            class_names(classes)
        if not (isinstance(memory_limit, int | float) and memory_limit >= 0):
            raise PredarrowError(f"memory_limit: must be a number of bytes of at least 0, got {memory_limit!r}")
        self.report = Report()
        """Counts of what was taken, and left out by rule."""
        self._classes, self._box_format, self._box_unit = classes, box_format, box_unit
        self._memory_limit = memory_limit
        self.clear()

    def clear(self) -> None:
        """Forget what was collected, as for a new epoch; the report begins anew."""
        self.report = Report()
        self._spilled: list[_Spilled] = []
        self._kept: list[pa.RecordBatch] = []
        self._kept_bytes = 0
        self._next_row = 0

    def add(self, boxes: Any, scores: Any, labels: Any, image_ids: Any, **options: Unpack[DetectionOptions]) -> None:
        """Take the boxes of one step; see `from_detections` for the arguments.

        Raises:
            InputError: what `from_detections` raises; nothing of the step is taken then.
            OutputError: the temporary file cannot be written; the step is taken, and all stays in memory.
        """
        table = from_detections(
            boxes,
            scores,
            labels,
            image_ids,
            box_format=self._box_format,
            box_unit=self._box_unit,
            classes=self._classes,
            report=self.report,
            **options,
        )
        for batch in table.to_batches():
            self._take(batch)

    def add_table(self, table: pa.Table | pa.RecordBatch) -> None:
        """Take prediction rows, as `from_masks`, `from_torchvision` and the others give them.

        Raises:
            PredarrowError: not in the prediction table's schema.
            OutputError: the temporary file cannot be written; the rows are taken, and all stays in memory.
        """
        if not isinstance(table, pa.Table | pa.RecordBatch):
            raise PredarrowError(f"table: must be a pyarrow.Table or RecordBatch, got {type(table).__name__}")
        table = pa.table(table)
        if not table.schema.equals(SCHEMA):
            raise PredarrowError(f"table: must have the schema of a prediction table{_difference(table.schema)}")
        for batch in table.to_batches():
            self._take(batch)

    def __len__(self) -> int:
        """Give the number of rows."""
        return self.report.imported

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Give the rows in the order in which they came."""
        for spilled in self._spilled:
            for batch in spilled.batches():
                yield _whole(batch)
        for table in _joined(self._kept):
            for batch in table.to_batches():
                yield _whole(batch)

    def table(self) -> pa.Table:
        """Give all rows in the order in which they came; what lies on disk is mapped, not read."""
        return pa.Table.from_batches(self.batches(), SCHEMA)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        """Give the rows as an Arrow C stream, in a PyCapsule."""
        stream = pa.RecordBatchReader.from_batches(SCHEMA, self.batches())
        return stream.__arrow_c_stream__(requested_schema)

    def commit(
        self,
        project: Project | StrPath,
        *,
        set_name: str = "default",
        mode: Literal["overwrite", "append"] = "overwrite",
        on_error: OnError = "raise",
    ) -> ImportResult:
        """Import what was collected into a project, in one commit; see `import_predictions`.

        The collector keeps its rows: `clear` it for the next epoch. What it left out by rule is in the result's
        report as well. A fork may collect; it may commit only where its parent has not used a project.
        """
        from predarrow.import_objects import import_predictions

        return import_predictions(project, self, set_name=set_name, mode=mode, on_error=on_error)

    def __getstate__(self) -> dict[str, Any]:
        if self._spilled:
            raise PredarrowError(
                "a collector with rows on disk cannot be pickled; send its table, or raise memory_limit"
            )
        return self.__dict__

    def _take(self, batch: pa.RecordBatch) -> None:
        n_rows = batch.num_rows
        if not n_rows:
            return
        named = zip(batch.schema.names, batch.columns, strict=True)
        columns = {name: column for name, column in named if column.null_count < n_rows}  # a third of the bytes
        if "row" in columns:
            columns["row"], self._next_row = _shifted(columns["row"], self._next_row)
        kept = pa.RecordBatch.from_arrays(list(columns.values()), schema=_schema_of(tuple(columns)))
        self.report.imported += n_rows
        self._kept.append(kept)
        self._kept_bytes += kept.get_total_buffer_size()
        if self._kept_bytes > self._memory_limit:
            self._spilled.append(_Spilled(_joined(self._kept)))
            self._kept, self._kept_bytes = [], 0


def _difference(schema: pa.Schema) -> str:
    if schema.names != SCHEMA.names:
        return f", got the columns {', '.join(schema.names)}"
    wanted, got = next(pair for pair in zip(SCHEMA, schema, strict=True) if pair[0] != pair[1])
    return f", {wanted}, got {got}; cast it with table.cast(predarrow.SCHEMA)"


@lru_cache(maxsize=16)
def _schema_of(names: tuple[str, ...]) -> pa.Schema:
    return pa.schema([SCHEMA.field(name) for name in names])


def _shifted(rows: pa.Array, by: int) -> tuple[pa.Array, int]:
    """Give `row` moved up, null staying null, and the first one that is free then."""
    if rows.null_count:
        moved = pc.add(rows, by)
        return moved, pc.max(moved).as_py() + 1
    numbers = rows.to_numpy() + by  # a tenth of the time of Arrow's functions
    return arrow(numbers), int(numbers.max()) + 1


def _joined(batches: list[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Give tables of some thousand rows each from the batches of single steps.

    Not while they come: fresh memory for the copies would cost as much as taking a step.
    """
    for start in range(0, len(batches), _JOINED):
        tables = [pa.Table.from_batches([batch]) for batch in batches[start : start + _JOINED]]
        yield pa.concat_tables(tables, promote_options="default").combine_chunks()


def _whole(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give a batch with the columns that are null throughout."""
    names = batch.schema.names
    return record_batch(batch.num_rows, {name: batch.column(i) for i, name in enumerate(names)})


class _Spilled:
    """Tables in a temporary file, mapped into memory.

    The file has no name once it is whole: however the process ends, killed workers of a data loader among them, the
    system takes its room back. A fork has the mapping as well, whatever becomes of its parent.
    """

    def __init__(self, tables: Iterable[pa.Table]) -> None:
        try:
            handle, path = tempfile.mkstemp(prefix="predarrow-", suffix=".arrow")
            try:
                os.close(handle)
                with pa.OSFile(path, "wb") as file:
                    for table in tables:  # each a stream of its own, as it has only the columns that it needs
                        with pa.ipc.new_stream(file, table.schema, options=_OPTIONS) as writer:
                            writer.write_table(table)
                with pa.memory_map(path) as file:
                    self._data = file.read_buffer()
            finally:
                Path(path).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{tempfile.gettempdir()}: cannot be written: {error.strerror or error}") from error

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Give the batches, which share the mapped memory."""
        with pa.BufferReader(self._data) as file:
            while file.tell() < file.size():
                yield from pa.ipc.open_stream(file)
