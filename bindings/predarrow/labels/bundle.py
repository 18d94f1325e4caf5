"""Labels of many data units, saved in one atomic commit."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from predarrow.errors import InputError
from predarrow.labels.groups import image_groups
from predarrow.labels.row import LabelRow
from predarrow.labels.saving import save_sheet
from predarrow.labels.shapes import Ints
from predarrow.labels.sheet import Labels, Sheet
from predarrow.project_index import ProjectIndex
from predarrow.refusals import Refusals

if TYPE_CHECKING:
    from predarrow.imports import ImportResult
    from predarrow.project import Project

_MOST_FRAMES = 2**31


class Bundle:
    """Labels of any number of data units, saved together; made by `Project.bundle`.

    As a context it saves when its block ends, and saves nothing where the block raises. It holds columns and not
    objects, so that many labels take little memory and are saved as fast as a table.
    """

    def __init__(self, project: Project, set_name: str, *, overwrite: bool, is_shared: bool = True) -> None:
        self.result: ImportResult | None = None
        """What the last save came to; None before."""
        self.is_shared = is_shared
        """Whether it may hold several label rows, and saves them itself."""
        self.sheet = Sheet(project.ontology)
        """What was added since the last save."""
        self._project = project
        self._set_name = set_name
        self._overwrite = overwrite
        self._index = ProjectIndex(project)
        self._rows: dict[int, LabelRow] = {}
        self._is_saved: set[int] = set()
        self._groups = image_groups(project.data_units, self._index)

    def label_row(self, data_unit: str) -> LabelRow:
        """Give the label row of a data unit; always the same one.

        Args:
            data_unit: id, or title where one data unit has that.

        Raises:
            InputError: no such data unit, or several.
        """
        place = self._index.units[data_unit] if isinstance(data_unit, str) else -1
        if place < 0:
            refusals = Refusals(np.zeros(1, np.int64))
            self._index.place([str(data_unit)], refusals, "data_unit")
            raise InputError([found._replace(source="label row", row=None) for found in refusals.problems])
        if place not in self._rows:
            unit = self._project.data_units.row(place)
            n_frames = len(self._groups[place]) if self.is_group(place) else unit.n_frames or _MOST_FRAMES
            self._rows[place] = LabelRow(self, place, unit, n_frames - 1)
        return self._rows[place]

    def size(self, place: int, frame: int) -> tuple[int, int]:
        """Give height and width of a data unit's frame, 0 where they are not known."""
        sizes = self._groups[place] if self.is_group(place) else self._index.sizes(np.array([place]))
        height, width = sizes[frame if self.is_group(place) else 0].tolist()
        return height, width

    def is_group(self, place: int) -> bool:
        """Tell whether a data unit is a group of images, which may differ in size."""
        return place in self._groups

    def save(self) -> ImportResult:
        """Save what was added since the last time, in one atomic commit.

        Labels are added to the set's. Where the bundle overwrites, those that the set had of the bundle's data units
        before its first save are replaced; the whole set is then read and written once.

        Raises:
            InputError: labels that do not hold, each with its place; nothing is committed, and all are kept.
            ProjectError: the set cannot be written.
            CommitConflictError: others committed to the set first, again and again.
        """
        rows = self._rows.keys()
        replaced = rows - self._is_saved if self._overwrite else set()
        self.result = save_sheet(self._project, self._set_name, self.sheet, self._index, self._sizes_of, replaced)
        self.sheet = Sheet(self._project.ontology)
        self._is_saved |= rows
        return self.result

    def __enter__(self) -> Bundle:
        """Give the bundle."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Save the labels, or forget them where the block raised."""
        if kind is None:
            self.save()
        else:
            self.sheet = Sheet(self._project.ontology)

    def _sizes_of(self, labels: Labels) -> Ints:
        """Give (n, 2) height and width of each label's image."""
        sizes = self._index.sizes(labels.unit)
        owners = sorted(self._groups.keys() & self._rows.keys())
        if owners:
            first = np.cumsum([0, *(len(self._groups[owner]) for owner in owners)])
            at = np.minimum(np.searchsorted(owners, labels.unit), len(owners) - 1)
            where = np.array(owners)[at] == labels.unit
            sizes[where] = np.concatenate([self._groups[owner] for owner in owners])[(first[at] + labels.frame)[where]]
        return sizes
