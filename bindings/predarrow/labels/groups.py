"""Groups of images, which are one data unit whose frames may differ in size."""

from __future__ import annotations

import numpy as np

from predarrow.data_units import DataUnits
from predarrow.labels.shapes import Ints
from predarrow.project_index import ProjectIndex


def image_groups(units: DataUnits, index: ProjectIndex) -> dict[int, Ints]:
    """Give (n, 2) height and width, 0 where not known, of the images of each group, by the group's row.

    Images name their group and their 0-based place in it; a group whose places are not 0 to n - 1 is none.

    Args:
        units: of the project.
        index: of the same project.
    """
    names, sequences = (units.table[name] for name in ("group", "sequence"))
    if names.null_count == len(names):
        return {}
    found: dict[int, dict[int, int]] = {}
    for row, (name, sequence) in enumerate(zip(names.to_pylist(), sequences.to_pylist(), strict=True)):
        owner = -1 if name is None or sequence is None else index.units[name]
        if owner >= 0:
            found.setdefault(owner, {})[sequence] = row
    whole = {owner: rows for owner, rows in found.items() if rows.keys() == set(range(len(rows)))}
    return {owner: index.sizes(np.array([rows[i] for i in range(len(rows))])) for owner, rows in whole.items()}
