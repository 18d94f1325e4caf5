"""Rows of a project's sets as Label Studio's tasks take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from predarrow.errors import PredarrowError
from predarrow.export_rows import set_rows, titled, unique_title
from predarrow.label_studio_merge import COLUMNS, merged_sets
from predarrow.pipeline import Progress
from predarrow.project import Project


class SetRows(NamedTuple):
    """Rows of one or several sets."""

    rows: pa.RecordBatchReader
    """Those of a data unit together, which is named by its title."""
    model_version: str | None
    """Name of the only set; None for several, whose names stand in the rows' attributes."""
    n_rows: int

    def progress(self, tell: Progress | None) -> Progress | None:
        """Give what tells the number of all rows, which a stream does not."""
        return None if tell is None else lambda done, _: tell(done, self.n_rows)


def rows_of_sets(project: Project, sets: str | Sequence[str] | None) -> SetRows:
    """Give the rows of sets, all of the project where None are named.

    Raises:
        ProjectError: no such set.
        PredarrowError: no set, or one that is named twice.
    """
    names = [sets] if isinstance(sets, str) else project.sets() if sets is None else list(sets)
    if not names and sets is None:
        raise PredarrowError(
            f"{project.path}: must have at least one prediction set, got none; import predictions first"
        )
    if not names or len(set(names)) < len(names):
        raise PredarrowError(f"sets: must name at least one set of the project, each once, got {names}")
    alone = names[0] if len(names) == 1 else None
    rows = merged_sets(project, names) if alone is None else set_rows(project, alone, None, COLUMNS)
    n_rows = sum(project.history(name)["rows"][0].as_py() or 0 for name in names)
    return SetRows(titled(rows, project.data_units, unique_title), alone, n_rows)
