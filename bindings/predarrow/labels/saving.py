"""Gathered labels into a prediction set: checked, and committed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.errors import CommitConflictError, InputError
from predarrow.imports import ImportResult
from predarrow.labels.overlaps import Overlap, overlaps
from predarrow.labels.saved import COLUMNS, Saved
from predarrow.labels.sheet import Labels, Sheet, batches, labels_of
from predarrow.ordering import Keyed, sorted_parts
from predarrow.reader import PredictionReader
from predarrow.report import Code, Problem, Report
from predarrow.table import SCHEMA
from predarrow.tables.door import table_parts
from predarrow.tables.form import Batches

if TYPE_CHECKING:
    from predarrow.labels.shapes import Ints
    from predarrow.project import Project
    from predarrow.project_index import ProjectIndex

_ATTEMPTS = 4
_POINTER = "object.data"


def save_sheet(
    project: Project,
    set_name: str,
    sheet: Sheet,
    index: ProjectIndex,
    sizes_of: Callable[[Labels], Ints],
    replaced: Set[int],
) -> ImportResult:
    """Commit the labels of a sheet to a set, or raise and leave the set as it was.

    Args:
        project: that they belong to.
        set_name: may be new.
        sheet: what was gathered.
        index: of the project.
        sizes_of: gives (n, 2) height and width of each label's image.
        replaced: rows of the data units whose earlier labels go.

    Raises:
        InputError: labels that do not hold.
        ProjectError: the set cannot be written.
        CommitConflictError: others committed to the set first, again and again.
    """
    told = _Told(sheet, index)
    told.refuse(_problems(overlaps(sheet)))
    ids = index.ids.take(np.array(sorted(replaced), np.int64))
    attempt = 0
    while True:
        base = project.last_version(set_name)
        earlier = None if base < 0 else _saved(project, set_name, base, sheet, index, replaced)
        if earlier is not None:
            told.refuse(_problems(earlier.overlaps()))
        made = batches(sheet, index, sizes_of, {} if earlier is None else earlier.answers)
        told.refuse([found for _, problems in made for found in problems])
        others = iter(()) if base < 0 or not replaced else _others(project, set_name, base, ids)
        with PredictionReader(sorted_parts(_checked([batch for batch, _ in made], index, told))) as reader:
            try:
                version = project.commit(
                    chain(others, reader),
                    set_name=set_name,
                    mode="overwrite" if replaced else "append",
                    report=reader.report,
                    operation="save labels",
                    base=base if replaced else None,
                )
            except CommitConflictError:
                attempt += 1
                if attempt == _ATTEMPTS or not replaced:
                    raise
                continue
        return ImportResult(version, reader.report, reader.report.imported)


def _checked(made: list[pa.RecordBatch], index: ProjectIndex, told: _Told) -> Iterator[tuple[list[Keyed], Report]]:
    """Check labels as any table is, and tell problems by the labels' places."""
    numbers = np.concatenate([batch.column("row").to_numpy() for batch in made] or [np.empty(0, np.int64)])
    for keyed, report in table_parts(Batches(SCHEMA, made), index):
        report.problems = [
            told.placed(found if found.row is None else found._replace(row=int(numbers[found.row])))
            for found in report.problems
        ]
        yield keyed, report


def _others(project: Project, set_name: str, version: int, ids: pa.Array) -> Iterator[pa.RecordBatch]:
    """Give a set's rows of all data units but those with these ids."""
    for batch in project.scan(set_name, version=version):
        yield batch.filter(pc.invert(pc.is_in(batch.column("data_unit"), value_set=ids)))


def _saved(
    project: Project, set_name: str, version: int, sheet: Sheet, index: ProjectIndex, replaced: Set[int]
) -> Saved:
    """Give what a set has of the data units that the sheet adds to."""
    units = np.unique(np.concatenate([labels_of(group).unit for group in sheet.every_group()]))
    ids = index.ids.take(units[~np.isin(units, sorted(replaced))]).to_pylist()
    table = project.scan(set_name, data_unit=ids, columns=COLUMNS, version=version).read_all()
    return Saved(table, sheet, index)


def _problems(found: Iterable[Overlap]) -> list[Problem]:
    return [Problem("", item.number, "", Code.BAD_VALUE, item.message) for item in found]


class _Told:
    """Problems, worded with the places of labels."""

    def __init__(self, sheet: Sheet, index: ProjectIndex) -> None:
        self._sheet = sheet
        self._index = index

    @cached_property
    def _labels(self) -> list[Labels]:
        return [labels_of(group) for group in self._sheet.every_group()]

    @cached_property
    def _names(self) -> list[str]:
        return [name for _, name in self._sheet.features]

    def refuse(self, problems: list[Problem]) -> None:
        """Raise an error with the problems, where there are any."""
        if problems:
            raise InputError([self.placed(found) for found in sorted(problems, key=lambda found: found.row or 0)])

    def placed(self, found: Problem) -> Problem:
        """Give a problem of a label, named by its row, with the label's data unit, frame, class and object."""
        for labels in self._labels:
            at = int(np.searchsorted(labels.number, found.row or 0))
            if at < len(labels.number) and labels.number[at] == found.row:
                break
        else:
            return found
        unit = self._index.data_units.row(int(labels.unit[at]))
        owner = int(labels.object[at])
        place = f"frame {labels.frame[at]}: {self._names[self._sheet.object_features[owner]]}"
        pointer = found.pointer.removeprefix(_POINTER).lstrip(".").removeprefix("column ")
        words = [place, repr(self._sheet.object_ids[owner]), *([pointer] if pointer else [])]
        return found._replace(source=f"label row {unit.title!r}", pointer=": ".join(words))
