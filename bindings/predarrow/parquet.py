"""Prediction tables as Parquet files, with the options that suit them, written whole or not at all.

Options, measured on 5 million traced polygons: BYTE_STREAM_SPLIT on floats and no dictionary on coordinates
(14 bits a vertex, 24 with the default), zstd level 1, the Arrow schema left out (a dictionary column in it
makes the search for one image a thousand times slower), statistics for those columns only that are searched.

What lost, on 64 street masks of 1.5 million vertices (50 ms, of which the levels of the lists, found anew for x and y,
take some 25 and zstd 15): pages of version 2 (3 %, in 3 % more bytes), pages of 8 MiB or 256 KiB (3 % more time), zstd
levels -1 to -4 (the same time, in 3 to 12 % more bytes), null columns not compressed (3 %, but others may follow in the
same file), vertices that cannot be null (8 %, in another schema), lz4 (14 %, in 45 % more bytes), memory of jemalloc
(the same) or of the system (10 % more).
"""

from __future__ import annotations

import os
import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from predarrow.errors import OutputError
from predarrow.table import SCHEMA

if TYPE_CHECKING:
    import pyarrow.parquet as pq

ROW_GROUP_ROWS = 16_384
ROW_GROUP_BYTES = 4 << 20
"""A row group is the least that can be read. 4 MiB are some 8,000 polygons: one image out of a million rows
is read in 8 ms, with groups of 16,384 in 15."""
_FILE_GROUP_ROWS = 1 << 17
_FILE_GROUP_BYTES = 16 << 20
"""A file of its own has larger ones: their descriptions stay in memory until it is closed (12 million polygons:
47 MB less)."""

_BATCH_VALUES = 1 << 16  # Arrow's 1,024 cost 3 % of the time
_FEW_CHUNKS = 8

_UNIQUE = frozenset({"row", "mask.counts"})  # as good as never repeated: a dictionary would be thrown away
_SEARCHED = ("data_unit", "frame", "object_id", "class_name", "kind", "confidence", "bbox.", "row")


def write_parquet(batches: Iterable[pa.RecordBatch], path: str | Path) -> int:
    """Write batches of predictions as one Parquet file and give the number of rows.

    The file appears under its name when it is whole: it is written under a temporary name beside it and
    renamed. Memory is bounded by three row groups and a batch.

    Args:
        batches: in the prediction table's schema.
        path: file to write; replaced where it exists.

    Raises:
        OutputError: the file cannot be written, or a null stands where the schema allows none.
        TypeError: a batch in another schema.
    """
    rows = 0
    with new_parquet_file(path) as file:
        for group in row_groups(batches, _FILE_GROUP_ROWS, _FILE_GROUP_BYTES):
            file.write(group)
            rows += group.num_rows
    return rows


def row_groups(batches: Iterable[pa.RecordBatch], max_rows: int, max_bytes: int) -> Iterator[pa.Table]:
    """Give the same rows in the same order, in tables of the size of a row group.

    A table has at most `max_rows` rows and, one row excepted, about `max_bytes` bytes in memory: a batch that passes
    them by less than a quarter is not cut, so that a table is there when its last batch is. Nor are others waited for
    once a table has a quarter, and a quarter of the bytes before it: the first ones are smaller, and who writes them
    begins sooner (64 street masks: 8 % less time into a project, 27 % into a file, which was one group).

    Raises:
        TypeError: a batch in another schema: a mistake of a reader, not of its input.
    """
    pending: list[pa.RecordBatch] = []
    rows_left, bytes_left = max_rows, max_bytes
    slack = enough = max_bytes // 4
    done = 0
    for batch in batches:
        if not batch.schema.equals(SCHEMA):
            raise TypeError(f"batches must have the prediction table's schema, got {batch.schema}")
        first = 0
        row_bytes = max(batch.nbytes // max(batch.num_rows, 1), 1)
        while first < batch.num_rows:
            left = batch.num_rows - first
            fitting = left if left * row_bytes <= bytes_left + slack else bytes_left // row_bytes
            piece = batch.slice(first, max(1, min(rows_left, fitting)))
            pending.append(piece)
            first += piece.num_rows
            rows_left -= piece.num_rows
            bytes_left -= piece.num_rows * row_bytes
            if rows_left <= 0 or bytes_left < max(row_bytes, max_bytes - max(enough, done // 4)):
                yield pa.Table.from_batches(pending, SCHEMA)
                done += max_bytes - bytes_left
                pending, rows_left, bytes_left = [], max_rows, max_bytes
    if pending:
        yield pa.Table.from_batches(pending, SCHEMA)


class ParquetFile:
    """A Parquet file of predictions that is being written."""

    def __init__(self, path: Path, sink: pa.NativeFile, writer: pq.ParquetWriter, thread: Executor) -> None:
        self._path = path
        self._sink = sink
        self._writer = writer
        self._thread = thread
        self._pending: deque[Future[int]] = deque()
        self._n_bytes = int(sink.tell())
        self._is_broken = False

    def write(self, group: pa.Table) -> int:
        """Write a table as one row group, in the file's thread, while the caller makes the next one.

        One more may wait beside the one that is written: where the thread had to be woken for each, it was idle
        between them.

        Returns:
            Bytes written without this group and the one before it.

        Raises:
            OutputError: a group before it could not be written.
        """
        if len(self._pending) > 1:
            self._wait_for_one()
        self._pending.append(self._thread.submit(self._write, group))
        return self._n_bytes

    def wait(self) -> None:
        """Wait for the last group.

        Raises:
            OutputError: one cannot be written.
        """
        while self._pending:
            self._wait_for_one()

    def _wait_for_one(self) -> None:
        with _explained(self._path):
            self._n_bytes = self._pending.popleft().result()

    def _write(self, group: pa.Table) -> int:
        if self._is_broken:
            return self._n_bytes  # a writer that raised is not asked again
        if group.column(0).num_chunks > _FEW_CHUNKS:  # a hundred chunks in each of 35 columns cost more than a copy
            group = group.combine_chunks()
        try:
            self._writer.write_table(group, row_group_size=group.num_rows)
        except BaseException:
            self._is_broken = True
            raise
        return int(self._sink.tell())


@contextmanager
def new_parquet_file(path: str | Path) -> Iterator[ParquetFile]:
    """Open a file to write row groups to; it takes its name, flushed to the disk, when the block ends well.

    Raises:
        OutputError: the file cannot be written.
    """
    import pyarrow.parquet as pq

    path = Path(path)
    if not path.name:
        raise OutputError(f"{path}: must be the name of a file to write")
    with _explained(path):
        if path.exists() and not path.is_file():  # renamed over, /dev/null would be a file from then on
            got = "a folder" if path.is_dir() else "a device or pipe"
            raise OutputError(f"{path}: must be a file to write, got {got}")
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with _explained(path):
            sink = pa.OSFile(str(temporary), "wb")
        with sink:
            with _explained(path):
                writer = pq.ParquetWriter(sink, SCHEMA, **_options())
            try:
                with ThreadPoolExecutor(1, thread_name_prefix="predarrow-parquet") as thread:
                    file = ParquetFile(path, sink, writer, thread)
                    yield file
                    file.wait()
                with _explained(path):
                    writer.close()
            finally:
                writer.is_open = False  # or it would go on to close a file that is given up
        with _explained(path):
            _flush(temporary)
            temporary.replace(path)
    finally:
        with suppress(OSError):  # it has its name, or there is no such folder
            temporary.unlink()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
    except pa.ArrowInvalid as error:
        raise OutputError(f"{path}: cannot be written: {error}") from error


@cache
def _options() -> dict[str, Any]:
    leaves = list(_leaves(SCHEMA))
    floats = [path for path, type_ in leaves if pa.types.is_floating(type_)]
    others = [path for path, type_ in leaves if not pa.types.is_floating(type_) and path not in _UNIQUE]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": others,
        "column_encoding": dict.fromkeys(floats, "BYTE_STREAM_SPLIT") | {"row": "DELTA_BINARY_PACKED"},
        "write_statistics": [path for path, _ in leaves if path.startswith(_SEARCHED)],
        "store_schema": False,
        "write_batch_size": _BATCH_VALUES,
    }


def _leaves(fields: Iterable[pa.Field], prefix: str = "") -> Iterator[tuple[str, pa.DataType]]:
    """Give every primitive column under the name that Parquet has for it."""
    for field in fields:
        path, type_ = prefix + field.name, field.type
        while pa.types.is_list(type_):
            path, type_ = path + ".list.element", type_.value_type
        if pa.types.is_struct(type_):
            yield from _leaves(type_, path + ".")
        else:
            yield path, type_
