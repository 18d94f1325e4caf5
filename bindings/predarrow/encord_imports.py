"""Import Encord's label rows into a project: match its data units and classes, sort, commit once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from predarrow.imports import ImportResult, commit_reader
from predarrow.pipeline import Progress
from predarrow.project import Project, opened
from predarrow.reader import OnError, PredictionReader
from predarrow.report import Code
from predarrow.sources import StrPath

if TYPE_CHECKING:
    from predarrow.data_units import DataUnit, DataUnits
    from predarrow.formats.encord.labels import Place
    from predarrow.formats.encord.read import LabelRows
    from predarrow.formats.encord.rows import LabelRow


def import_label_rows(
    project: Project | StrPath,
    label_rows: LabelRows,
    *,
    set_name: str = "labels",
    mode: Literal["overwrite", "append"] = "overwrite",
    on_error: OnError = "raise",
    workers: int | None = None,
    progress: Progress | None = None,
) -> ImportResult:
    """Import Encord's label rows into a project; each object on a frame, and each classification, becomes one row.

    Rows are those of `read_label_rows`, with the project's data unit ids and class names. A label row belongs to the
    data unit whose id is its data_hash, else to the one whose title is its data_title. Classes, their shapes,
    attributes and options must be the project's, frames and sizes the data unit's. The set's earlier rows are replaced
    in one commit; where anything fails nothing is changed.

    Args:
        project: a project or its folder.
        label_rows: files or dictionaries, see `read_label_rows`.
        set_name: the set.
        mode: "append" adds to the set's rows.
        on_error: "raise" commits nothing where a label is refused and raises one error that tells them all; "skip"
            leaves refused labels out and tells of them in the report.
        workers, progress: see `read_label_rows`.

    Raises:
        InputError: label rows that cannot be read, or labels that do not hold.
        ProjectError: no project, or a set that cannot be written.
        CommitConflictError: others committed to the set first, again and again.
        PredarrowError: an option that does not hold.
    """
    from predarrow.formats.encord.documents import MEMORY
    from predarrow.formats.encord.read import given_documents, label_row_parts
    from predarrow.formats.encord.rules import Rules

    project = opened(project)
    units = project.data_units
    rules = Rules(project.ontology)
    given = given_documents(label_rows)
    parts = label_row_parts(given, rules, lambda row: _placed(row, units), workers=workers, progress=progress)
    reader = PredictionReader(parts, on_error=on_error)
    source = str(Path(label_rows).absolute()) if isinstance(label_rows, str | os.PathLike) else MEMORY
    return commit_reader(project, reader, source, set_name, mode, "import label rows")


def _placed(row: LabelRow, units: DataUnits) -> Place:
    """Give a label row with its data unit of the project.

    Raises:
        Flaw: there is none, or it has other sizes.
    """
    from predarrow.formats.encord.labels import Place
    from predarrow.formats.flaws import Flaw

    unit = _unit(row, units)
    size = (unit.height, unit.width) if unit.height and unit.width else None
    if size is not None and len(row.units) == 1 and row.units[0].height:
        own = row.units[0].height, row.units[0].width
        if own != size:
            rule = f"must be {size[0]} x {size[1]} (height x width) as the data unit {unit.id!r} is"
            raise Flaw(Code.SIZE_MISMATCH, f".data_units.{row.units[0].key}", rule, told=f"{own[0]} x {own[1]}")
    is_image = unit.kind == "image" and unit.n_frames is None
    return Place(row, unit.id, size, 1 if is_image else unit.n_frames or row.n_frames)


def _unit(row: LabelRow, units: DataUnits) -> DataUnit:
    from predarrow.formats.flaws import Flaw

    found = units.by_id(row.data_hash)
    if found is not None:
        return units.row(found)
    rows = units.find(row.title) if row.title else []
    if len(rows) == 1:
        return units.row(rows[0])
    named = f"data_hash {row.data_hash!r}, data_title {row.title!r}"
    if rows:
        rule = f"must be of one data unit of the project, by its id, else by its title, which {len(rows)} have"
        raise Flaw(Code.AMBIGUOUS_DATA_UNIT, "", rule, told=named)
    rule = "must be of a data unit of the project, by its id, else by its title"
    raise Flaw(Code.UNKNOWN_DATA_UNIT, "", rule, told=named)
