"""Polygons of several rings, which Label Studio has none of: told, and painted as masks."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.label_studio.write_controls import PAINTED
from predarrow.geometry.masks import to_masks
from predarrow.refusals import Refusals

Bools = npt.NDArray[np.bool_]

AS_MASK = "polygon of several rings written as a mask"


def paint(columns: dict[str, pa.Array], refusals: Refusals, flags: Counter[str]) -> None:
    """Make polygons of several rings masks, and their kind `PAINTED`; those that were refused stay as they are."""
    is_painted = has_rings(columns) & ~refusals.bad
    if not is_painted.any():
        return
    chosen = pa.array(is_painted)
    table = pa.table(columns).filter(chosen)
    found = to_masks(table).column.combine_chunks()
    order = np.where(is_painted, len(is_painted) + np.cumsum(is_painted) - 1, np.arange(len(is_painted)))
    columns["mask"] = pa.concat_arrays([columns["mask"], found]).take(pa.array(order))
    columns["kind"] = pc.if_else(chosen, PAINTED, columns["kind"])
    flags[AS_MASK] += int(is_painted.sum())


def has_rings(columns: dict[str, pa.Array]) -> Bools:
    """Tell which polygons have several rings."""
    column = columns["polygon"]
    is_polygon: Bools = pc.equal(columns["kind"], "polygon").to_numpy(zero_copy_only=False)
    if not is_polygon.any() or column.null_count == len(column):
        return np.zeros(len(is_polygon), np.bool_)
    n_parts = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    n_rings = pc.list_value_length(column.flatten()).fill_null(0).to_numpy(zero_copy_only=False)
    owner = np.repeat(np.arange(len(column)), n_parts)
    several: Bools = np.bincount(owner, n_rings, len(column)) > 1
    return several & is_polygon
