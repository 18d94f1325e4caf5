"""Rules for rows of single kinds: keypoints and skeletons, cuboids, front faces, spans."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.objects.checks import Bools, Floats, Ints
from predarrow.objects.columns import cover_of
from predarrow.project_index import ProjectIndex
from predarrow.refusals import Refusals, shown
from predarrow.report import Code

MOST_VISIBLE = 3
"""Visibility: 0 is not visible (to COCO: not labelled), 1 occluded, 2 visible, 3 occluded by the object itself."""

_UNIT = 1e-4
"""How far a quaternion's length may be from 1: some write their numbers with a few digits only."""


def check_keypoints(columns: dict[str, pa.Array], index: ProjectIndex, refusals: Refusals) -> Floats | None:
    """Refuse keypoints that are not finite or not those of their class; give covers, (4, n), NaN for no point.

    None where the column has no keypoints at all. A point that COCO calls not labelled, at 0, 0 and with visibility 0,
    is in no cover.
    """
    column = columns["keypoints"]
    n_rows = len(column)
    if column.null_count == n_rows:
        return None
    lengths = pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False)
    owner = np.repeat(np.arange(n_rows), lengths)
    names, x, y, visibility = column.flatten().flatten()
    has_points = _is_kind(columns, "keypoints", "skeleton")
    across, down = (axis.fill_null(0.0).to_numpy(zero_copy_only=False) for axis in (x, y))
    is_null = _bools(pc.or_(x.is_null(), y.is_null()))
    is_given = np.isfinite(across) & np.isfinite(down) & ~is_null
    wrong = _any(owner, ~is_given & (~is_null | ~np.isfinite(across + down) | has_points[owner]), n_rows)
    refusals.add(wrong, Code.BAD_TABLE, "column keypoints", "numbers must be finite or null, x and y of points finite")
    levels = visibility.fill_null(0).to_numpy(zero_copy_only=False)
    wrong = _any(owner, (levels < 0) | (levels > MOST_VISIBLE), n_rows)
    refusals.add(wrong, Code.BAD_VALUE, "column keypoints", f"visibility must be 0 to {MOST_VISIBLE} or null")
    _check_points(columns, lengths, names, index, refusals)
    covers = np.full((4, n_rows), np.nan)
    seen = visibility.fill_null(1).to_numpy(zero_copy_only=False) != 0
    is_placed = is_given & (seen | (across != 0) | (down != 0))
    rows, first = np.unique(owner[is_placed], return_index=True)
    if rows.size:
        covers[:, rows] = cover_of(across[is_placed], down[is_placed], first)
    return covers


def _check_points(
    columns: dict[str, pa.Array], lengths: Ints, names: pa.Array, index: ProjectIndex, refusals: Refusals
) -> None:
    """Refuse single points that are not one, and skeletons without the points of their template."""
    hashes = columns["feature_hash"].dictionary_encode()
    is_single, is_skeleton = _is_kind(columns, "keypoints"), _is_kind(columns, "skeleton")
    places = hashes.indices.to_numpy()
    starts = np.cumsum(lengths) - lengths

    def many(row: int) -> str:
        return f"must be one for a class of shape point, got {lengths[row]}"

    for place, feature_hash in enumerate(hashes.dictionary.to_pylist()):
        of_class = (places == place) & ~refusals.bad
        if index.shape_of(feature_hash) == "point":
            refusals.add(of_class & is_single & (lengths != 1), Code.BAD_VALUE, "column keypoints", many)
        of_class &= is_skeleton
        template = index.point_names(feature_hash) if of_class.any() else None
        if template is None:
            refusals.add(of_class & (lengths == 0), Code.BAD_VALUE, "column keypoints", "a skeleton must have points")
            continue
        is_whole = np.ones(len(lengths), np.bool_)
        is_whole[of_class] = _have_all(names, starts[of_class], lengths[of_class], template)
        words = _unlike(names, starts, lengths, template)
        refusals.add(of_class & ~is_whole, Code.BAD_VALUE, "column keypoints", words)


def _have_all(names: pa.Array, starts: Ints, lengths: Ints, template: tuple[str, ...]) -> Bools:
    """Tell which lists of names are those of a template, each once, in any order."""
    encoded = names.dictionary_encode()
    known = {name: place for place, name in enumerate(template)}
    codes = np.array([known.get(name, -1) for name in encoded.dictionary.to_pylist()] + [-1], np.int64)
    numbers = codes[encoded.indices.fill_null(len(codes) - 1).to_numpy()]
    result: Bools = lengths == len(template)
    found = numbers[starts[result, None] + np.arange(len(template))]
    result[result] = (np.sort(found, axis=1) == np.arange(len(template))).all(axis=1)
    return result


def _unlike(names: pa.Array, starts: Ints, lengths: Ints, template: tuple[str, ...]) -> Callable[[int], str]:
    def words(row: int) -> str:
        got = names.slice(int(starts[row]), int(lengths[row])).to_pylist()
        return f"must be the template's points, each once ({', '.join(template)}), got {shown(got)}"

    return words


def check_cuboids(columns: dict[str, pa.Array], refusals: Refusals) -> None:
    """Refuse cuboids with numbers that are not finite or are missing, sizes that are not positive, and odd turns."""
    column = columns["cuboid"]
    if column.null_count == len(column):
        return
    values = np.stack([leaf.fill_null(np.nan).to_numpy(zero_copy_only=False) for leaf in column.flatten()])
    is_null = np.stack([_bools(leaf.is_null()) for leaf in column.flatten()])
    wrong = (~np.isfinite(values) & ~is_null).any(axis=0)
    refusals.add(wrong, Code.BAD_TABLE, "column cuboid", "numbers must be finite or null")
    is_cuboid = _is_kind(columns, "cuboid")
    centre, quaternion, sizes = values[:3], values[3:7], values[7:]
    is_lost = is_cuboid & (np.isnan(centre).any(axis=0) | np.isnan(sizes).any(axis=0))
    refusals.add(is_lost, Code.BAD_TABLE, "column cuboid", "x, y, z, width, length and height must not be null")

    def size(row: int) -> str:
        return f"width, length and height must be above 0, got {sizes[:, row].tolist()}"

    def turn(row: int) -> str:
        rule = "qx, qy, qz and qw must all be null, or a quaternion of length 1"
        return f"{rule}, got {[None if math.isnan(part) else part for part in quaternion[:, row].tolist()]}"

    refusals.add(is_cuboid & (sizes <= 0).any(axis=0), Code.BAD_VALUE, "column cuboid", size)
    is_unit = abs(np.sqrt((quaternion**2).sum(axis=0)) - 1) <= _UNIT
    refusals.add(is_cuboid & ~is_unit & ~is_null[3:7].all(axis=0), Code.BAD_VALUE, "column cuboid", turn)


def check_fronts(columns: dict[str, pa.Array], refusals: Refusals) -> None:
    """Refuse cuboids in an image whose polygon is more than the one ring of their front face."""
    is_front = _is_kind(columns, "cuboid_2d") & ~refusals.bad
    if not is_front.any():
        return
    parts = columns["polygon"]
    n_parts = pc.list_value_length(parts).fill_null(0).to_numpy(zero_copy_only=False)
    owner = np.repeat(np.arange(len(parts)), n_parts)
    n_rings = pc.list_value_length(parts.flatten()).fill_null(0).to_numpy(zero_copy_only=False)
    rings = np.bincount(owner, n_rings, len(parts)).astype(np.int64)

    def words(row: int) -> str:
        return f"must be one ring for a cuboid_2d, its front face, got {rings[row]}"

    refusals.add(is_front & (rings != 1), Code.BAD_VALUE, "column polygon", words)


def check_spans(columns: dict[str, pa.Array], refusals: Refusals) -> None:
    """Refuse spans whose attributes have no ranges that hold: `[[start, end], …]`, or places in HTML."""
    is_span = _is_kind(columns, "span") & ~refusals.bad
    if not is_span.any():
        return
    encoded = columns["attributes"].dictionary_encode()
    places = encoded.indices.fill_null(-1).to_numpy()
    rule = 'must have "ranges" for a span, a list of [start, end] with start not after end'
    for place in np.unique(places[is_span]).tolist():
        ranges = json.loads(encoded.dictionary[place].as_py()).get("ranges")
        if not _are_ranges(ranges):
            message = f"{rule}, got {shown(ranges)}"
            refusals.add(is_span & (places == place), Code.BAD_VALUE, "column attributes", message)


def _are_ranges(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(item, dict) for item in value) or all(_is_range(item) for item in value)


def _is_range(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 2:
        return False
    is_number = all(isinstance(end, int | float) and not isinstance(end, bool) for end in value)
    return is_number and 0 <= value[0] <= value[1] < math.inf


def _is_kind(columns: dict[str, pa.Array], *kinds: str) -> Bools:
    return _bools(pc.is_in(columns["kind"], pa.array(kinds)))


def _any(owner: Ints, where: Bools, n_rows: int) -> Bools:
    result = np.zeros(n_rows, np.bool_)
    result[owner[where]] = True
    return result


def _bools(column: pa.Array) -> Bools:
    values: Bools = column.to_numpy(zero_copy_only=False)
    return values
