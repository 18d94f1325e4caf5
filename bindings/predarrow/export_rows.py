"""Rows of a project's sets as writers take them: those of an image together, data units told by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath

import pyarrow as pa

from predarrow.data_units import DataUnits
from predarrow.project import Project

ORDER = ("data_unit", "frame", "row")


def set_rows(project: Project, set_name: str, version: int | None, columns: Sequence[str]) -> pa.RecordBatchReader:
    """Give the rows of a set in the order of data units and frames.

    They are a stream; only a set whose images do not stand together (rows were appended to it) is sorted in memory.
    """
    if _is_sorted(project.scan(set_name, columns=ORDER[:2], version=version)):
        return project.scan(set_name, columns=columns, version=version)
    names = tuple(dict.fromkeys((*columns, "row")))
    table = project.scan(set_name, columns=names, version=version).read_all()
    return table.sort_by([(name, "ascending") for name in ORDER]).to_reader()


def titled(
    rows: pa.RecordBatchReader, data_units: DataUnits, name: Callable[[int, DataUnits], str]
) -> pa.RecordBatchReader:
    """Give rows whose data units are told by name; one that the project does not have keeps its id."""
    return pa.RecordBatchReader.from_batches(rows.schema, _titled(rows, data_units, name))


def _titled(
    rows: pa.RecordBatchReader, data_units: DataUnits, name: Callable[[int, DataUnits], str]
) -> Iterator[pa.RecordBatch]:
    names: dict[str, str] = {}
    place = rows.schema.get_field_index("data_unit")
    for batch in rows:
        ids = batch.column(place).to_pylist()
        for key in set(ids) - names.keys():
            row = data_units.by_id(key)
            names[key] = key if row is None else name(row, data_units)
        yield batch.set_column(place, rows.schema.field(place), pa.array([names[key] for key in ids], pa.string()))


def stem(row: int, data_units: DataUnits) -> str:
    """Give a data unit's title, without its extension where that names no other data unit; its id where the title does.

    No two data units have one name.
    """
    found = PurePosixPath(data_units.row(row).title).stem
    return found if _is_name_of(row, found, data_units) else unique_title(row, data_units)


def unique_title(row: int, data_units: DataUnits) -> str:
    """Give a data unit's title, its id where that is another one's title or id. No two data units have one name."""
    unit = data_units.row(row)
    return unit.title if _is_name_of(row, unit.title, data_units) else unit.id


def _is_name_of(row: int, name: str, data_units: DataUnits) -> bool:
    return data_units.find(name) == [row] and data_units.by_id(name) in (None, row)


def _is_sorted(keys: pa.RecordBatchReader) -> bool:
    """Whether rows come in ascending order of data unit and frame."""
    last: tuple[str, int] = ("", -1)
    for batch in keys:
        for key in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if key < last:
                return False
            last = key
    return True
