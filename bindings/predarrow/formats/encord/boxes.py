"""Bounding boxes, rotatable ones, circles and ellipses: the box of the axes before they are rotated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from predarrow.formats.encord import wire
from predarrow.formats.encord.codec import any_of
from predarrow.formats.encord.columns import Bools, Floats, Shaped
from predarrow.formats.encord.flaws import PartRefusals
from predarrow.formats.encord.objects import read_part
from predarrow.formats.flaws import Flaw
from predarrow.report import Code

_BOX = ("x", "y", "w", "h")
_POSITIVE = "must be greater than 0"


def boxes(objects: Sequence[wire.BoxObject], sizes: Floats, refusals: PartRefusals) -> Shaped:
    """Give bounding boxes."""
    given, is_plain = _read(list(map(attrgetter("boundingBox"), objects)), refusals)
    shaped = boxes_of(_numbers(given, _BOX, len(objects)), sizes, refusals)
    return shaped._replace(is_exact=shaped.is_exact & is_plain)


def boxes_of(values: Floats, sizes: Floats, refusals: PartRefusals) -> Shaped:
    """Give bounding boxes; values are (4, n) x, y, w and h."""
    _check(values, _BOX, "boundingBox", refusals)
    return _boxes(values, sizes, {}, refusals)


def _read(texts: list[msgspec.Raw], refusals: PartRefusals) -> tuple[list[wire.Box], Bools | bool]:
    """Give boxes that are not read yet, and which have no other keys; those that do not hold are refused."""
    try:
        return wire.many_boxes(texts), True
    except msgspec.DecodeError:  # also where only some are JSON
        pass
    found: list[wire.Box] = []
    is_plain = np.ones(len(texts), np.bool_)
    for row, text in enumerate(texts):
        try:
            value = any_of(text)
            if value is None:
                rule = "must have boundingBox, as its shape is bounding_box"
                raise Flaw(Code.BAD_VALUE, "", rule, told="none")
            box, is_plain[row] = read_part("boundingBox", wire.Box, value)
        except Flaw as flaw:
            refusals.add_flaw(row, flaw)
            box = wire.Box(0.0, 0.0, 1.0, 1.0)
        found.append(box)
    return found, is_plain


def rotatable_boxes(objects: Sequence[wire.RotatableBoxObject], sizes: Floats, refusals: PartRefusals) -> Shaped:
    """Give boxes before they are rotated, and their rotation."""
    given = map(attrgetter("rotatableBoundingBox"), objects)
    values = _fields(given, ("x", "y", "w", "h", "theta"), "rotatableBoundingBox", refusals)
    return _boxes(values, sizes, {"rotation": values[4]}, refusals)


def _boxes(values: Floats, sizes: Floats, columns: dict[str, Any], refusals: PartRefusals) -> Shaped:
    from predarrow_engine.relative import far_side, shortest, shortest_extent, to_pixels

    lows, highs = [], []
    is_exact = np.ones(len(sizes), np.bool_)
    with np.errstate(over="ignore", invalid="ignore"):  # what comes out as no number is refused below
        for axis in (0, 1):
            scale = np.ascontiguousarray(sizes[:, 1 - axis])
            low = to_pixels(values[axis], scale)
            high = far_side(low, values[2 + axis], scale)
            back = shortest(low, scale)
            is_exact &= (back == values[axis]) & (shortest_extent(high, back, scale) == values[2 + axis])
            lows.append(low)
            highs.append(high)
    corners = np.stack([*lows, *highs])
    _refuse_far(corners, refusals)
    return Shaped(columns, corners, is_exact)


def circles(objects: Sequence[wire.CircleObject], sizes: Floats, refusals: PartRefusals) -> Shaped:
    """Give the boxes of circles' axes before they are rotated; one that is not has no rotation."""
    given = map(attrgetter("circle"), objects)
    values = _fields(given, ("x", "y", "r", "stretch", "theta"), "circle", refusals)
    width = np.ascontiguousarray(sizes[:, 1])
    shaped = _round(values, sizes, width, values[2] * width, refusals)
    theta = np.where(values[4] == 0, np.nan, values[4])
    return shaped._replace(columns={"rotation": theta})


def ellipses(objects: Sequence[wire.EllipseObject], sizes: Floats, refusals: PartRefusals) -> Shaped:
    """Give the boxes of ellipses' axes before they are rotated, and their rotation."""
    given = map(attrgetter("ellipse"), objects)
    values = _fields(given, ("x", "y", "rx", "ry", "theta"), "ellipse", refusals)
    height, width = (np.ascontiguousarray(side) for side in sizes.T)
    return _round(values, sizes, width, height, refusals)._replace(columns={"rotation": values[4]})


def _round(values: Floats, sizes: Floats, across: Floats, down: Floats, refusals: PartRefusals) -> Shaped:
    """Give the boxes around centres, the first half axis in units of `across`, the second of `down`."""
    from predarrow_engine.relative import shortest_round, sides

    height, width = (np.ascontiguousarray(side) for side in sizes.T)
    is_exact = np.ones(len(sizes), np.bool_)
    pairs = []
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # refused before or below
        for axis, scale, unit in ((0, width, across), (1, height, down)):
            low, high = sides(values[axis], values[2 + axis], scale, unit)
            centre, radius = shortest_round(low, high, scale, unit)
            is_exact &= (centre == values[axis]) & (radius == values[2 + axis])
            pairs.append((low, high))
    corners = np.stack([pairs[0][0], pairs[1][0], pairs[0][1], pairs[1][1]])
    _refuse_far(corners, refusals)
    return Shaped({}, corners, is_exact)


def _fields(given: Iterable[Any], names: tuple[str, ...], key: str, refusals: PartRefusals) -> Floats:
    """Give (k, n) fields as numbers; the third and fourth must be above 0."""
    values = _numbers(given, names, refusals.rows.size)
    _check(values, names, key, refusals)
    return values


def _numbers(given: Iterable[Any], names: tuple[str, ...], n: int) -> Floats:
    flat = np.fromiter(chain.from_iterable(map(attrgetter(*names), given)), np.float64, n * len(names))
    return np.ascontiguousarray(flat.reshape(n, len(names)).T)


def _check(values: Floats, names: tuple[str, ...], key: str, refusals: PartRefusals) -> None:
    is_finite = np.isfinite(values)
    for place, name in enumerate(names):
        column = values[place]
        if not is_finite[place].all():
            refuse_numbers(~is_finite[place], column, f".{key}.{name}", refusals)
        if place in (2, 3) and not (column > 0).all():
            words = _words(_POSITIVE, column)
            refusals.add(np.asarray(~(column > 0)), Code.BAD_BOX, f".{key}.{name}", words)


def _words(rule: str, values: Floats) -> Callable[[int], str]:
    return lambda row: f"{rule}, got {values[row]}"


def refuse_numbers(where: Any, values: Floats, pointer: str, refusals: PartRefusals) -> None:
    """Refuse objects with a number that is not finite."""
    refusals.add(where, Code.BAD_NUMBER, pointer, _words("must be a finite number", values))


def _refuse_far(corners: Floats, refusals: PartRefusals) -> None:
    is_far = np.asarray(~np.isfinite(corners).all(axis=0))
    if is_far.any():
        rule = "corners must be finite in pixels"
        refusals.add(is_far, Code.BAD_BOX, "", lambda row: f"{rule}, got {corners[:, row].tolist()}")
