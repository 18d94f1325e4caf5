"""What Label Studio has none of: polygons of several rings, told and painted as masks, and rows of several lines."""

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
    is_polygon: Bools = pc.equal(columns["kind"], "polygon").to_numpy(zero_copy_only=False)
    return is_polygon & (_n_rings(columns["polygon"]) > 1) if is_polygon.any() else is_polygon


def line_flaws(columns: dict[str, pa.Array]) -> list[tuple[str, Bools]]:
    """Give rules that polylines break, and which of them do: a vector is one line of two vertices at least."""
    is_line: Bools = pc.equal(columns["kind"], "polyline").to_numpy(zero_copy_only=False)
    if not is_line.any():
        return []
    column = columns["polygon"]
    n_vertices = pc.list_value_length(column.flatten().flatten()).fill_null(0).to_numpy(zero_copy_only=False)
    n_rings = _n_rings(column)
    owner = np.repeat(np.arange(len(column)), n_rings)
    is_short = np.zeros(len(column), np.bool_)
    is_short[owner[n_vertices < 2]] = True
    return [
        ("a polyline must be one line in Label Studio, got several", is_line & (n_rings > 1)),
        ("a line must have at least 2 vertices, got 1", is_line & is_short),
    ]


def _n_rings(column: pa.ListArray) -> npt.NDArray[np.int64]:
    """Give how many rings each row has."""
    n_parts = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    n_rings = pc.list_value_length(column.flatten()).fill_null(0).to_numpy(zero_copy_only=False)
    ends = np.concatenate([[0], np.cumsum(n_rings, dtype=np.int64)])
    last = np.cumsum(n_parts)
    found: npt.NDArray[np.int64] = ends[last] - ends[last - n_parts]
    return found
