"""poly2d as polygons and polylines: rings that say so are joined into one polygon."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from msgspec import Raw

from predarrow.buffers import offsets_of
from predarrow.formats.flaws import Flaw
from predarrow.formats.geometry_columns import cover, polygon_column
from predarrow.formats.json_text import object_text, string_text
from predarrow.formats.openlabel.geometries import Given
from predarrow.formats.openlabel.shapes import Floats, Ints, Shaped, is_decimal, to_float32
from predarrow.formats.openlabel.wire import Geometry
from predarrow.report import Code

ABSOLUTE = "MODE_POLY2D_ABSOLUTE"
RELATIVE = "MODE_POLY2D_RELATIVE"

_Parts = list[list[int]]
"""Rings of a polygon: outline and holes of each part, as places of geometries."""


class _Ring(NamedTuple):
    values: Sequence[float]
    is_closed: bool
    is_plain: bool
    """Whether its vertices are `val` as it stands"""


def polygons(given: Given) -> Shaped:
    """Give poly2d: closed ones are polygons, joined where outline and holes share a `polygon_id`; others polylines."""
    rings = [_ring(given, row) for row in range(given.n)]
    rows = _joined(given, [ring.is_closed for ring in rings])
    order = [ring for _, parts in rows for part in parts for ring in part]
    counts = np.array([len(rings[ring].values) for ring in order], np.int64)
    flat = np.fromiter(chain.from_iterable(rings[ring].values for ring in order), np.float64, int(counts.sum()))
    owner = np.repeat(np.array(order, np.int64), counts // 2)
    vertices = to_float32(flat.reshape(-1, 2), owner, given.refusals)
    lost = _lost(flat, owner, rings, given.n)
    x, y = (np.ascontiguousarray(axis) for axis in vertices.T)
    n_rings = np.array([len(part) for _, parts in rows for part in parts], np.int64)
    n_parts = np.array([len(parts) for _, parts in rows], np.int64)
    column = polygon_column(x, y, counts // 2, n_rings, n_parts)
    vertices_of_row = [sum(len(rings[ring].values) // 2 for part in parts for ring in part) for _, parts in rows]
    kinds = ["polygon" if rings[first].is_closed else "polyline" for first, _ in rows]
    inner = {}
    for row, (first, parts) in enumerate(rows):
        members = _members(given, first, [ring for part in parts for ring in part], lost)
        if members:
            inner[row] = members
    corners = cover(x, y, offsets_of(vertices_of_row))
    return Shaped(kinds, {"polygon": column}, corners, np.array([first for first, _ in rows], np.int64), inner)


def _ring(given: Given, row: int) -> _Ring:
    item = given.items[row]
    try:
        return _checked(given, item, given.values[row])
    except Flaw as flaw:
        if not given.refusals.bad[row]:
            given.refusals.add_flaw(row, flaw)
        return _Ring((), True, False)


def _checked(given: Given, item: Geometry, values: Sequence[float]) -> _Ring:
    mode = _member(given, item.mode, "/mode", str)
    if mode not in (ABSOLUTE, RELATIVE):
        raise Flaw(Code.BAD_VALUE, "/mode", f"must be {ABSOLUTE} or {RELATIVE}, or a chain code", mode)
    is_closed = _member(given, item.closed, "/closed", bool)
    if len(values) % 2:
        rule = "must be x and y in turn, an even count of numbers"
        raise Flaw(Code.BAD_VALUE, "/val", rule, told=str(len(values)))
    if not np.isfinite(values).all():
        place = int(np.flatnonzero(~np.isfinite(values))[0])
        raise Flaw(Code.BAD_NUMBER, f"/val/{place}", "must be a finite number", values[place])
    is_plain = mode == ABSOLUTE
    if mode == RELATIVE:
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused with the vertices
            values = np.cumsum(np.array(values).reshape(-1, 2), axis=0).ravel().tolist()
    if is_closed and len(values) > 2 and values[:2] == values[-2:]:
        values, is_plain = values[:-2], False
    least = 3 if is_closed else 2
    if len(values) < 2 * least:
        rule = f"must have at least {least} vertices, the first one counted once"
        raise Flaw(Code.BAD_VALUE, "/val", rule, told=str(len(values) // 2))
    return _Ring(values, is_closed, is_plain)


def _member(given: Given, raw: Raw, pointer: str, wanted: type) -> Any:
    value = given.codec.any(raw) if raw else None
    if not isinstance(value, wanted):
        rule = "must be there, and text" if wanted is str else "must be there, true or false"
        raise Flaw(Code.BAD_VALUE, pointer, rule, value)
    return value


def _joined(given: Given, is_closed: list[bool]) -> list[tuple[int, _Parts]]:
    """Give rows: the place of the first outline, and the rings of each part."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    for row in range(given.n):
        told = given.told(row)
        if given.refusals.bad[row]:
            continue
        is_ring = is_closed[row] and (told.polygon_id is not None)
        key = (given.group.frames[row], given.group.uids[row], given.streams[row], told.polygon_id)
        groups.setdefault(key if is_ring else (row,), []).append(row)
    rows = []
    for members in groups.values():
        try:
            rows.append(_one(given, members))
        except Flaw as flaw:
            for row in members:
                given.refusals.add_flaw(row, flaw)
    return sorted(rows)


def _one(given: Given, members: list[int]) -> tuple[int, _Parts]:
    outlines = [row for row in members if not given.told(row).is_hole]
    holes = [row for row in members if given.told(row).is_hole]
    if not outlines:
        hint = "tell both one polygon_id"
        raise Flaw(Code.BAD_VALUE, "/attributes", f"a hole must have an outline; {hint}", told="none")
    if holes and len(outlines) > 1:
        rule = "rings of one polygon_id with holes must have one outline"
        raise Flaw(Code.BAD_VALUE, "/attributes", rule, told=str(len(outlines)))
    if holes:
        return outlines[0], [[outlines[0], *holes]]
    return outlines[0], [[row] for row in outlines]


def _lost(flat: Floats, owner: Ints, rings: list[_Ring], n: int) -> list[bool]:
    """Tell which geometries' vertices do not give `val` back."""
    lost = np.array([not ring.is_plain for ring in rings], np.bool_)
    is_same = is_decimal(flat).reshape(-1, 2).all(axis=1)
    lost[owner[~is_same]] = True
    return lost.tolist() if n else []


def _members(given: Given, first: int, rings: list[int], lost: list[bool]) -> str:
    if len(rings) == 1:
        return f'"val":{given.codec.text(given.items[first].val)}' if lost[first] else ""
    texts = []
    for row in rings:
        item = given.items[row]
        members = {"name": string_text(item.name), "attributes": given.codec.text(item.attributes)}
        if lost[row]:
            members["val"] = given.codec.text(item.val)
        text = object_text(members)
        if row in given.more:
            text = f"{text[:-1]},{given.more[row][1:]}"
        texts.append(text)
    return f'"rings":[{",".join(texts)}]'
