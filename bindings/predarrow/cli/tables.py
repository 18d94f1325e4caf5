"""The rows that a command looks at: those of a project's set, or of a file with a prediction table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from predarrow.cli.contents import head_of, table_kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa


def batches_of(
    source: Path, set_name: str, version: int | None = None, columns: Sequence[str] | None = None, **filters: Any
) -> Iterator[pa.RecordBatch]:
    """Give the rows of a project's set, or of a Parquet or Arrow file with a prediction table.

    Args:
        source: a project's folder, or the file.
        set_name: the project's set.
        version: the set's version; the last one by default.
        columns: names of the columns to give; all by default.
        filters: see `Project.scan`.

    Raises:
        PredarrowError: no such project, set or version; no prediction table.
        click.UsageError: filters or a version for a file.
    """
    if source.is_file():
        if version is not None or any(value is not None for value in filters.values()):
            raise click.UsageError("versions and filters are of a project, not of a file")
        return _batches_of_file(source, columns)
    from predarrow.project import Project

    return iter(Project(source).scan(set_name, version=version, columns=columns, **filters))


def _batches_of_file(path: Path, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    from predarrow.errors import InputError, PredarrowError
    from predarrow.formats.given_table import given_columns
    from predarrow.table import SCHEMA

    names = SCHEMA.names if columns is None else list(columns)
    schema = pa.schema([SCHEMA.field(name) for name in names])
    try:
        for batch in _opened(path, names):
            yield pa.record_batch(list(given_columns(batch, names, names).values()), schema)
    except InputError as error:
        raise InputError([problem._replace(source=str(path)) for problem in error.problems]) from None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise PredarrowError(f"{path}: must be a Parquet or Arrow file: {error}") from None
    except OSError as error:
        raise PredarrowError(f"{path}: must be a whole Parquet or Arrow file, got {error}") from None


def _opened(path: Path, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Open a file with all columns of the prediction table; only those that are named are read from Parquet.

    Raises:
        PredarrowError: it has not all of the prediction table's columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind = table_kind(head_of(path))
    if kind == "Arrow file":
        file = pa.ipc.open_file(pa.memory_map(str(path)))
        _check_columns(path, file.schema)
        return (file.get_batch(place) for place in range(file.num_record_batches))
    if kind == "Arrow stream":
        stream = pa.ipc.open_stream(pa.memory_map(str(path)))
        _check_columns(path, stream.schema)
        return iter(stream)
    parquet = pq.ParquetFile(path)
    _check_columns(path, parquet.schema_arrow)
    batches: Iterator[pa.RecordBatch] = parquet.iter_batches(columns=list(names))
    return batches


def _check_columns(path: Path, schema: pa.Schema) -> None:
    from predarrow.errors import PredarrowError
    from predarrow.table import SCHEMA

    if missing := [name for name in SCHEMA.names if name not in schema.names]:
        raise PredarrowError(f"{path}: must be a prediction table, got one without {', '.join(missing)}")
