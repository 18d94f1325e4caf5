"""Export a project's predictions: scan, name data units by their titles, write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

import pyarrow as pa

from predarrow.data_units import DataUnits
from predarrow.formats.kitti_write import COLUMNS, WriteResult, write_kitti
from predarrow.project import Project, opened
from predarrow.reader import OnError
from predarrow.sources import StrPath

_ORDER = ("data_unit", "frame", "row")


def export_kitti_predictions(
    project: Project | StrPath,
    folder: StrPath,
    *,
    set_name: str = "default",
    version: int | None = None,
    overwrite: bool = False,
    on_error: OnError = "raise",
) -> WriteResult:
    """Write a prediction set as KITTI object results, `<title>[__<frame>].txt`, that can be imported again.

    The title is written without its extension where no other data unit has that for a title. See `write_kitti` for
    what a file holds. Rows are read as a stream; only a set whose images do not stand together (rows were appended to
    it) is sorted in memory first, without its polygons and masks.

    Args:
        project: a project or its folder.
        folder: new or empty, unless `overwrite`.
        set_name: the prediction set.
        version: the last one by default.
        overwrite: replace files of the same name; others in the folder stay.
        on_error: "raise" writes nothing where a row cannot be held; "skip" leaves such rows out and tells of them
            in the report.

    Raises:
        InputError: a row that KITTI cannot hold.
        OutputError: the folder is not empty, or cannot be written to.
        ProjectError: no such project, set or version.
    """
    project = opened(project)
    if _stands_together(project.scan(set_name, columns=_ORDER[:2], version=version)):
        rows = project.scan(set_name, columns=COLUMNS, version=version)
    else:
        table = project.scan(set_name, columns=(*COLUMNS, "row"), version=version).read_all()
        rows = table.sort_by([(name, "ascending") for name in _ORDER]).to_reader()
    titled = pa.RecordBatchReader.from_batches(rows.schema, _titled(rows, project.data_units))
    return write_kitti(titled, folder, overwrite=overwrite, on_error=on_error)


def _stands_together(keys: pa.RecordBatchReader) -> bool:
    """Whether rows come in ascending order of data unit and frame."""
    last: tuple[str, int] = ("", -1)
    for batch in keys:
        for key in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if key < last:
                return False
            last = key
    return True


def _titled(rows: pa.RecordBatchReader, data_units: DataUnits) -> Iterator[pa.RecordBatch]:
    """Rows whose data units are told by title; one that the project does not have keeps its id."""
    titles: dict[str, str] = {}
    place = rows.schema.get_field_index("data_unit")
    for batch in rows:
        ids = batch.column(place).to_pylist()
        titles.update({key: _title(key, data_units) for key in set(ids) - titles.keys()})
        yield batch.set_column(place, rows.schema.field(place), pa.array([titles[key] for key in ids], pa.string()))


def _title(data_unit: str, data_units: DataUnits) -> str:
    row = data_units.by_id(data_unit)
    if row is None:
        return data_unit
    title = data_units.row(row).title
    stem = PurePosixPath(title).stem
    return stem if data_units.find(stem) == [row] else title
