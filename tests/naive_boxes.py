"""Boxes one by one, in exact fractions: the slow twin of `predarrow_engine.boxes` and `rotated`."""

from __future__ import annotations

import math
from fractions import Fraction

Numbers = tuple[Fraction, Fraction, Fraction, Fraction]

WHOLE = {"relative": Fraction(1), "percent": Fraction(100)}


def convert(
    box: Numbers, source: str, target: str, source_unit: str, target_unit: str, size: tuple[int, int]
) -> Numbers:
    """One box in another layout and unit, without any rounding."""
    height, width = size
    left, top, right, bottom = _corners(box, source)
    x_scale = _whole(target_unit, width) / _whole(source_unit, width)
    y_scale = _whole(target_unit, height) / _whole(source_unit, height)
    return _in_layout((left * x_scale, top * y_scale, right * x_scale, bottom * y_scale), target)


def _whole(unit: str, side: int) -> Fraction:
    return Fraction(side) if unit == "pixel" else WHOLE[unit]


def _corners(box: Numbers, layout: str) -> Numbers:
    a, b, c, d = box
    if layout == "xyxy":
        return box
    if layout == "xywh":
        return a, b, a + c, b + d
    return a - c / 2, b - d / 2, a + c / 2, b + d / 2


def _in_layout(corners: Numbers, layout: str) -> Numbers:
    left, top, right, bottom = corners
    if layout == "xyxy":
        return corners
    if layout == "xywh":
        return left, top, right - left, bottom - top
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top


def judge(corners: tuple[float, float, float, float], size: tuple[float, float] | None) -> list[str]:
    """What is wrong with one box, the worst first."""
    left, top, right, bottom = corners
    flaws = []
    if not all(map(math.isfinite, corners)):
        flaws.append("NOT_FINITE")
    if right < left or bottom < top:
        flaws.append("NEGATIVE_SIZE")
    if size is not None:
        edges = [(left, size[1]), (right, size[1]), (top, size[0]), (bottom, size[0])]
        if any(edge < -1e-6 * side or edge - side > 1e-6 * side for edge, side in edges):
            flaws.append("OUTSIDE")
    if right == left or bottom == top:
        flaws.append("ZERO_SIZE")
    return flaws


def rotated_corners(box: tuple[float, float, float, float], degrees: float) -> list[tuple[float, float]]:
    """Corners of a box (centre, size) that is rotated about its centre, clockwise on screen, as complex numbers."""
    cx, cy, w, h = box
    turn = complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    offsets = [complex(-w, -h), complex(w, -h), complex(w, h), complex(-w, h)]
    points = [complex(cx, cy) + turn * offset / 2 for offset in offsets]
    return [(point.real, point.imag) for point in points]
