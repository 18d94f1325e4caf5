"""What every `read_…` function returns: prediction batches that are made while they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Literal, NamedTuple

import pyarrow as pa

from predarrow.errors import InputError, PredarrowError
from predarrow.report import Report
from predarrow.table import SCHEMA

OnError = Literal["raise", "skip"]


class Part(NamedTuple):
    """What one chunk of sources came to."""

    batches: list[pa.RecordBatch]
    report: Report


class PredictionReader:
    """Prediction batches in the table's schema and order. Iterate it once, or call `read_all`.

    It speaks Arrow's PyCapsule stream, so Polars, DuckDB, pandas and pyarrow take it as it is.

    Args:
        parts: results of chunks, made as they are asked for.
        report: counts and problems known beforehand; grows while the reader is read.
        on_error: "raise" hands out nothing after the first problem and raises one `InputError` with all
            problems at the end; "skip" leaves them in the report.

    Raises:
        PredarrowError: `on_error` is neither.
    """

    schema: pa.Schema = SCHEMA

    def __init__(self, parts: Iterable[Part], *, report: Report | None = None, on_error: OnError = "raise") -> None:
        if on_error not in ("raise", "skip"):
            raise PredarrowError(f'on_error: must be "raise" or "skip", got {on_error!r}')
        self.report = Report() if report is None else report
        """What was read, left out and refused; complete once the reader is exhausted."""
        self._on_error = on_error
        self._parts = iter(parts)
        self._is_started = False

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Iterate over the batches.

        Raises:
            InputError: at the end, where `on_error` is "raise" and anything was refused.
            PredarrowError: the reader was read before.
        """
        if self._is_started:
            raise PredarrowError("a reader is read once; call the read function again, or keep read_all()'s table")
        self._is_started = True
        return self._batches()

    def read_all(self) -> pa.Table:
        """Give all rows as one table.

        Raises:
            InputError: `on_error` is "raise" and anything was refused.
        """
        return pa.Table.from_batches(list(self), self.schema)

    def close(self) -> None:
        """Stop the work that is under way."""
        self._is_started = True
        close = getattr(self._parts, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> PredictionReader:
        """Give the reader."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the reader."""
        self.close()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        """Give the batches as an Arrow C stream, in a PyCapsule.

        The stream's consumer words errors in its own type: `read_all` raises ours.
        """
        stream = pa.RecordBatchReader.from_batches(self.schema, iter(self))
        return stream.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        report = self.report
        raises = self._on_error == "raise"
        try:
            for part in self._parts:
                report.add(part.report)
                if not (raises and report.problems):
                    for batch in part.batches:
                        report.imported += batch.num_rows
                        yield batch
            if raises and report.problems:
                raise InputError(report.problems)
        finally:
            self.close()
