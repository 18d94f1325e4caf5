"""Rows of several points -> rows of one point each, as Label Studio has no others.

The row's box, where it has one, becomes a region of the row's class, and the points are below it (`parent`): that is
how Label Studio's own exports find points of one object. A point's label is its name, without one the row's class.
Points that are not labelled (visibility 0) are left out.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.table import SCHEMA

Ints = npt.NDArray[np.int64]

SPLIT = "keypoints of one object written as regions of one point each"
UNSEEN = "point that is not labelled left out"
"""Points with visibility 0."""


def single_points(columns: dict[str, pa.Array], first: int, flags: Counter[str]) -> tuple[dict[str, pa.Array], Ints]:
    """Give columns whose rows of keypoints have one point each, and (n,) the number of each one's row in the table.

    Args:
        columns: of a batch.
        first: the number of its first row.
        flags: told of rows that are split, and of points that are left out.
    """
    kinds = columns["kind"]
    n = len(kinds)
    is_points = pc.is_in(kinds, pa.array(["keypoints", "skeleton"])).to_numpy(zero_copy_only=False)
    lengths = pc.list_value_length(columns["keypoints"]).fill_null(1).to_numpy(zero_copy_only=False)
    is_skeleton = pc.equal(kinds, "skeleton").to_numpy(zero_copy_only=False)
    is_split = is_points & ((lengths != 1) | is_skeleton)
    if not is_split.any():
        return columns, np.arange(first, first + n)
    flags[SPLIT] += int(is_split.sum())
    numbers: list[int] = []
    order: list[int] = []
    made: list[dict[str, Any]] = []
    chosen = iter(pa.table(columns).filter(pa.array(is_split)).to_pylist())
    for row, splits in enumerate(is_split.tolist()):
        if not splits:
            order.append(row)
            numbers.append(first + row)
            continue
        found = _split(next(chosen), first + row, flags)
        order += range(n + len(made), n + len(made) + len(found))
        numbers += [first + row] * len(found)
        made += found
    taken = pa.array(order, pa.int64())
    result = {}
    for name, column in columns.items():
        more = pa.array([row[name] for row in made], SCHEMA.field(name).type)
        result[name] = pa.concat_arrays([column, more]).take(taken)
    return result, np.array(numbers, np.int64)


def _split(row: dict[str, Any], number: int, flags: Counter[str]) -> list[dict[str, Any]]:
    """Give the box of a row and its points."""
    object_id = row["object_id"] or f"row-{number}"
    points = [point for point in row["keypoints"] or () if point["visibility"] != 0]
    flags[UNSEEN] += len(row["keypoints"] or ()) - len(points)
    found = []
    if row["bbox"] is not None:
        found.append(row | {"kind": "bbox", "object_id": object_id, "keypoints": None, "rotation": None})
    for place, point in enumerate(points):
        own = {"kind": "keypoints", "object_id": f"{object_id}-{place + 1}", "keypoints": [point]}
        attributes = _attributes(row["attributes"], object_id) if found else row["attributes"]
        name = point["name"] or row["class_name"]
        found.append(row | own | {"class_name": name, "bbox": None, "rotation": None, "attributes": attributes})
    return found


def _attributes(text: str | None, parent: str) -> str:
    """Give the attributes of a point: which set it is of, and what it is below."""
    try:
        given = {} if text is None else json.loads(text)
    except (ValueError, RecursionError):  # told of the box
        given = {}
    version = given.get("model_version") if isinstance(given, dict) else None
    own = {} if version is None else {"model_version": version}
    return json.dumps(own | {"parent": parent}, ensure_ascii=False)
