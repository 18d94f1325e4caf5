"""Polygons, polylines and the front faces of cuboids in images: vertices of rings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from predarrow.buffers import offsets_of
from predarrow.formats.encord import wire
from predarrow.formats.encord.columns import Bools, Floats, Ints, Shaped
from predarrow.formats.encord.flaws import PartRefusals
from predarrow.formats.encord.points import flat_points, solid_points
from predarrow.formats.flaws import Flaw
from predarrow.formats.geometry_columns import cover, polygon_column
from predarrow.formats.json_text import json_text
from predarrow.report import Code


def polygons(objects: Sequence[wire.PolygonObject], sizes: Floats, refusals: PartRefusals) -> Shaped:
    """Give polygons: parts of rings."""
    gathered = _Rings(sizes)
    for row, item in enumerate(objects):
        try:
            gathered.add(*_rings(item))
        except Flaw as flaw:
            refusals.add_flaw(row, flaw)
            gathered.add([], False)
    return gathered.shaped(refusals, ".polygons")


def _rings(item: wire.PolygonObject) -> tuple[list[list[list[float]]], bool]:
    """Give open rings, and whether the table gives the object's members back, but for the digits of numbers."""
    outline, is_plain = flat_points(item.polygon, ".polygon")
    parts = item.polygons
    if not parts:
        if not outline:
            raise Flaw(Code.BAD_VALUE, ".polygon", "must have vertices", told="none")
        parts = [[outline]]
    elif not parts[0] or parts[0][0] != outline:
        is_plain = False  # the SDK reads `polygons`, too
    opened: list[list[list[float]]] = []
    for i, part in enumerate(parts):
        if not part:
            raise Flaw(Code.BAD_VALUE, f".polygons[{i}]", "must have at least one ring", told="none")
        opened.append([_ring(ring, f".polygons[{i}][{j}]") for j, ring in enumerate(part)])
    return opened, is_plain and opened == parts


def _ring(ring: list[float], pointer: str, least: int = 3) -> list[float]:
    if len(ring) % 2:
        raise Flaw(Code.BAD_VALUE, pointer, "must be x and y in turn, an even count", told=f"{len(ring)} numbers")
    if len(ring) > 2 and ring[:2] == ring[-2:]:
        ring = ring[:-2]
    if len(ring) < 2 * least:
        rule = f"must have at least {least} vertices, the first one counted once"
        raise Flaw(Code.BAD_VALUE, pointer, rule, told=str(len(ring) // 2))
    return ring


def polylines(objects: Sequence[wire.PolylineObject], sizes: Floats, refusals: PartRefusals) -> Shaped:
    """Give polylines as one open ring each."""
    gathered = _Rings(sizes)
    heights: dict[int, list[float]] = {}
    for row, item in enumerate(objects):
        try:
            values, height, is_plain = solid_points(item.polyline, ".polyline")
            if not values:
                raise Flaw(Code.BAD_VALUE, ".polyline", "must have vertices", told="none")
            if not np.isfinite(height).all():
                raise Flaw(Code.BAD_NUMBER, ".polyline", "z must be finite", height)
            gathered.add([[values]], is_plain)
        except Flaw as flaw:
            refusals.add_flaw(row, flaw)
            gathered.add([], False)
            continue
        if height:
            heights[row] = height
    shaped = gathered.shaped(refusals, ".polyline")
    return shaped._replace(kept={row: [f'"z":{json_text(values)}'] for row, values in heights.items()})


def flat_cuboids(objects: Sequence[wire.Cuboid2DObject], sizes: Floats, refusals: PartRefusals) -> Shaped:
    """Give the front faces of cuboids in images as polygons; the rest stays as it is written."""
    gathered = _Rings(sizes)
    for row, item in enumerate(objects):
        try:
            gathered.add([[_front(item.cuboid_2d)]], False)
        except Flaw as flaw:
            refusals.add_flaw(row, flaw)
            gathered.add([], False)
    return gathered.shaped(refusals, ".cuboid_2d.front")


def _front(cuboid: wire.Cuboid2D) -> list[float]:
    ways = (cuboid.vanishingPoint is not None, cuboid.offset is not None)
    if ways not in ((True, False), (False, True)) or ways[0] != (cuboid.scaleRatio is not None):
        rule = "must have vanishingPoint and scaleRatio, or offset"
        keys = ("vanishingPoint", "scaleRatio", "offset")
        given = [key for key in keys if getattr(cuboid, key) is not None]
        raise Flaw(Code.BAD_VALUE, ".cuboid_2d", rule, told=", ".join(given) or "none of them")
    for key in ("vanishingPoint", "offset"):
        point = getattr(cuboid, key)
        if point is not None and (point.keys() != {"x", "y"} or not np.isfinite(list(point.values())).all()):
            raise Flaw(Code.BAD_VALUE, f".cuboid_2d.{key}", "must be finite x and y and nothing else", point)
    if cuboid.scaleRatio is not None and not (np.isfinite(cuboid.scaleRatio) and cuboid.scaleRatio >= 0):
        raise Flaw(Code.BAD_NUMBER, ".cuboid_2d.scaleRatio", "must be a finite number of at least 0", cuboid.scaleRatio)
    return _ring(cuboid.front, ".cuboid_2d.front")


class _Rings:
    """Vertices of many objects, one after the other."""

    def __init__(self, sizes: Floats) -> None:
        self._sizes = sizes
        self._flat: list[list[float]] = []
        self._parts: list[int] = []
        self._rows: list[int] = []
        self._counts: list[int] = []
        self._is_plain: list[bool] = []

    def add(self, parts: list[list[list[float]]], is_plain: bool) -> None:
        rings = [ring for part in parts for ring in part]
        self._flat += rings
        self._parts += map(len, parts)
        self._rows.append(len(parts))
        self._counts.append(sum(map(len, rings)) // 2)
        self._is_plain.append(is_plain)

    def shaped(self, refusals: PartRefusals, pointer: str) -> Shaped:
        from predarrow_engine.relative import shortest, to_pixels

        counts = np.array(self._counts, np.int64)
        rings = np.array(list(map(len, self._flat)), np.int64)
        values = np.fromiter(chain.from_iterable(self._flat), np.float64, int(rings.sum()))
        owner = np.repeat(np.arange(counts.size), counts)
        is_exact = np.array(self._is_plain, np.bool_)
        axes = []
        for axis in (0, 1):
            relative = np.ascontiguousarray(values[axis::2])
            _refuse_vertices(~np.isfinite(relative), owner, relative, pointer, refusals)
            scale = np.ascontiguousarray(self._sizes[:, 1 - axis][owner])
            with np.errstate(over="ignore", invalid="ignore"):
                pixels = to_pixels(relative, scale).astype(np.float32)
            _refuse_vertices(~np.isfinite(pixels), owner, relative, pointer, refusals)
            is_exact[owner[shortest(pixels, scale) != relative]] = False
            axes.append(pixels)
        x, y = axes
        rows = np.array(self._rows, np.int64)
        column = polygon_column(x, y, rings // 2, np.array(self._parts, np.int64), rows)
        return Shaped({"polygon": column}, cover(x, y, offsets_of(counts)), is_exact)


def _refuse_vertices(where: Bools, owner: Ints, values: Floats, pointer: str, refusals: PartRefusals) -> None:
    for place in np.flatnonzero(where).tolist():
        row = int(owner[place])
        if not refusals.bad[row]:
            rule = "must be a finite number, in pixels of 32 bits, too"
            refusals.add_one(row, Code.BAD_NUMBER, pointer, f"{rule}, got {values[place]}")
