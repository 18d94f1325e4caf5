"""The images, videos and sequences that a project's predictions belong to, as a table."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from predarrow.errors import InputError
from predarrow.report import Code, Problem

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("n_frames", pa.int32()),
        pa.field("fps", pa.float64()),
        pa.field("uri", pa.string()),
        pa.field("group", pa.string()),
        pa.field("sequence", pa.int32()),
    ]
)
"""`id` and `title` as the project knows the data unit, `kind` (image, video, ...), size in pixels, number of
frames (null where unknown), frames per second, place of the data, the group it is part of and its 0-based
place in that."""

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff"})

_POSITIVE = ("width", "height", "n_frames", "fps")


class DataUnit(NamedTuple):
    """One image, video or sequence: a row of `DataUnits`."""

    id: str
    title: str
    kind: str
    width: int | None
    height: int | None
    n_frames: int | None
    fps: float | None
    uri: str | None
    group: str | None
    sequence: int | None


class DataUnits:
    """The data units of a project, found by id or by title."""

    table: pa.Table
    """One row per data unit, in this module's `SCHEMA`."""

    def __init__(self, table: pa.Table, *, where: str = "data units") -> None:
        self.table = table
        _check(table, where)

    @classmethod
    def from_table(cls, table: Any, *, where: str = "data units") -> DataUnits:
        """Give the data units of any Arrow table, or of a mapping from column names to values.

        Only `id` is needed. `title` is by default the id's last path component, `kind` is "image", and an
        image has one frame. Columns that are not of the schema are left out.

        Args:
            table: anything that speaks Arrow's C stream interface, or a mapping.
            where: what errors call the table; a file's name.

        Raises:
            InputError: a column is missing, misspelled or of another type, an id stands twice, a size,
                number of frames or frame rate is not positive.
        """
        try:
            source = pa.table(dict(table) if isinstance(table, Mapping) else table)
            return cls(_in_schema(source, where), where=where)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError) as error:
            raise _refused(where, "", f"must be a table: {error}") from error

    @classmethod
    def read(cls, path: str | Path) -> DataUnits:
        """Give the data units of a CSV file with a header, or of a Parquet file (by suffix).

        Values are read in the schema's types, so that an id such as `007` stays text; in a CSV file an
        empty value is null.

        Raises:
            InputError: the file cannot be read, or its table does not hold (see `from_table`).
        """
        path = Path(path)
        readers = {".csv": _read_csv, ".parquet": _read_parquet}
        if path.suffix.lower() not in readers:
            raise _refused(str(path), "", f"must be a .csv or .parquet file, got {path.suffix or 'no suffix'!r}")
        try:
            table = readers[path.suffix.lower()](path)
        except OSError as error:
            raise _refused(str(path), "", f"cannot be read: {error.strerror or error}", Code.UNREADABLE) from error
        except pa.ArrowInvalid as error:
            raise _refused(str(path), "", str(error)) from error
        return cls.from_table(table, where=str(path))

    @classmethod
    def scan_folder(cls, folder: str | Path) -> DataUnits:
        """Give the images in a folder and its subfolders, sorted by path; only their headers are read.

        A data unit's id is its path relative to the folder (POSIX), its title the file's name. Hidden files
        and files without an image's suffix are passed over.

        Raises:
            InputError: no such folder, no image in it, or images whose headers cannot be read (all of them).
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise _refused(str(folder), "", "must be a folder", Code.UNREADABLE)
        paths = sorted(_image_paths(folder))
        if not paths:
            suffixes = ", ".join(sorted(IMAGE_SUFFIXES))
            raise _refused(str(folder), "", f"must hold images ({suffixes}), got none", Code.NO_SOURCES)
        sizes = _sizes([folder / path for path in paths])
        columns = {
            "id": paths,
            "title": [PurePosixPath(path).name for path in paths],
            "width": [width for width, _ in sizes],
            "height": [height for _, height in sizes],
            "uri": [str(folder.absolute() / path) for path in paths],
        }
        return cls.from_table(columns, where=str(folder))

    def find(self, title: str) -> list[int]:
        """Give the rows with this title; where there is none, those with it as title without extension."""
        return list(self._by_title.get(title) or self._by_stem.get(title) or [])

    def by_id(self, id: str) -> int | None:  # noqa: A002 - the column's name
        """Give the row with this id, None where there is none."""
        return self._by_id.get(id)

    def row(self, row: int) -> DataUnit:
        """Give one data unit.

        Raises:
            IndexError: no such row.
        """
        return DataUnit(*(column[row] for column in self._columns))

    def __len__(self) -> int:
        """Number of data units."""
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        """Say how many there are."""
        return f"<DataUnits: {len(self)}>"

    @cached_property
    def _columns(self) -> list[list[Any]]:  # as Python values: a scalar of a table costs 10 us, these 0.1
        return [column.to_pylist() for column in self.table.columns]

    @cached_property
    def _by_id(self) -> dict[str, int]:
        return {id_: row for row, id_ in enumerate(self._columns[0])}

    @cached_property
    def _by_title(self) -> dict[str, list[int]]:
        return _rows_by(self._columns[1])

    @cached_property
    def _by_stem(self) -> dict[str, list[int]]:
        return _rows_by(_without_extension(title) for title in self._columns[1])


def _rows_by(keys: Iterable[str]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    return rows


def _without_extension(title: str) -> str:
    return title.removesuffix(PurePosixPath(title).suffix)


def _image_paths(folder: Path) -> Iterable[str]:
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith("."):
                yield (Path(root) / name).relative_to(folder).as_posix()


def _sizes(paths: Iterable[Path]) -> list[tuple[int, int]]:
    from predarrow.image_header import read_image_size

    sizes: list[tuple[int, int]] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            sizes.append(read_image_size(path))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return sizes


def _read_csv(path: Path) -> pa.Table:
    from pyarrow import csv

    options = csv.ConvertOptions(
        column_types=SCHEMA, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True
    )
    return csv.read_csv(path, convert_options=options)


def _read_parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(path)


def _in_schema(source: pa.Table, where: str) -> pa.Table:
    """Give the schema's columns, cast and with their defaults."""
    unknown = [name for name in source.column_names if name not in SCHEMA.names]
    missing = [name for name in SCHEMA.names if name not in source.column_names]
    for name in unknown:
        if close := difflib.get_close_matches(name.lower(), missing, n=1, cutoff=0.8):
            raise _refused(where, f"column {name}", f"no such column; did you mean {close[0]!r}?")
    if len(set(source.column_names)) < len(source.column_names):
        raise _refused(where, "", f"each column must stand once, got {', '.join(source.column_names)}")
    if "id" in missing:
        raise _refused(where, "", f"must have a column 'id', got {', '.join(source.column_names)}")
    known = [name for name in SCHEMA.names if name not in missing]
    columns = {name: _cast(source[name], SCHEMA.field(name), where) for name in known}
    ids = columns["id"]
    columns.setdefault("title", pa.array([PurePosixPath(id_ or "").name for id_ in ids.to_pylist()], pa.string()))
    kinds = pc.fill_null(columns.get("kind", pa.nulls(len(ids), pa.string())), "image")
    frames = columns.get("n_frames", pa.nulls(len(ids), pa.int32()))
    of_image = pc.if_else(pc.equal(kinds, "image"), pa.scalar(1, pa.int32()), pa.scalar(None, pa.int32()))
    columns |= {"kind": kinds, "n_frames": pc.coalesce(frames, of_image)}
    arrays = [columns.get(field.name, pa.nulls(len(ids), field.type)) for field in SCHEMA]
    return pa.table(arrays, schema=SCHEMA)


def _cast(column: pa.ChunkedArray, field: pa.Field, where: str) -> pa.ChunkedArray:
    try:
        return column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _refused(where, f"column {field.name}", f"must be {field.type}: {error}") from error


def _check(table: pa.Table, where: str) -> None:
    for name in ("id", "title"):
        row = _first_row(pc.equal(pc.fill_null(table[name], ""), ""))
        if row is not None:
            raise _refused(where, f"row {row}: column {name}", "must not be empty", row=row)
    for name in _POSITIVE:
        row = _first_row(pc.invert(pc.greater(table[name], 0)))  # also true of NaN
        if row is not None:
            message = f"must be greater than 0, got {table[name][row]}"
            raise _refused(where, f"row {row}: column {name}", message, row=row)
    ids = table["id"].to_pylist()
    if len(set(ids)) < len(ids):
        first: dict[str, int] = {}
        for row, id_ in enumerate(ids):
            if first.setdefault(id_, row) != row:
                message = f"each id must stand once, got {id_!r} in row {first[id_]} as well"
                raise _refused(where, f"row {row}: column id", message, row=row)


def _first_row(mask: pa.ChunkedArray) -> int | None:
    row = pc.index(mask, True).as_py()
    return None if row < 0 else int(row)


def _refused(where: str, pointer: str, message: str, code: Code = Code.BAD_TABLE, row: int | None = None) -> InputError:
    return InputError([Problem(where, row, pointer, code, message)])
