"""Slow, readable twins of what turns geometries into one another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt


def decimals(value: Fraction, most_digits: int) -> Iterator[float]:
    """Give the nearest decimals of 1, 2, 3 … significant digits."""
    for digits in range(1, most_digits + 1):
        context = Context(prec=digits, rounding=ROUND_HALF_EVEN)
        yield float(context.divide(Decimal(value.numerator), Decimal(value.denominator)))


def shortest(pixel: float, scale: float, most_digits: int, forward: Callable[[float], float]) -> float:
    """Give the first decimal that gives the pixel, else the number nearest to the quotient that does."""
    for number in decimals(Fraction(pixel) / Fraction(scale), most_digits):
        if forward(number) == pixel:
            return number
    quotient = pixel / scale
    below, above = math.nextafter(quotient, -math.inf), math.nextafter(quotient, math.inf)
    return next((number for number in (quotient, above, below) if forward(number) == pixel), quotient)


def ellipse_mask(
    ellipse: tuple[float, float, float, float], degrees: float, height: int, width: int
) -> npt.NDArray[np.bool_]:
    """Give the pixels whose centres lie in an ellipse: centre, semi-axes; the angle is clockwise on screen."""
    x, y, a, b = ellipse
    angle = math.radians(degrees)
    mask = np.zeros((height, width), np.bool_)
    for row in range(height):
        for column in range(width):
            dx, dy = column + 0.5 - x, row + 0.5 - y
            u = dx * math.cos(angle) + dy * math.sin(angle)
            v = dy * math.cos(angle) - dx * math.sin(angle)
            mask[row, column] = a > 0 and b > 0 and (u / a) ** 2 + (v / b) ** 2 <= 1
    return mask


def decoded(counts: list[int], height: int, width: int) -> npt.NDArray[np.bool_]:
    """Give the mask of run lengths down the columns, zeros first."""
    flat = [place % 2 == 1 for place, count in enumerate(counts) for _ in range(count)]
    return np.array(flat, np.bool_).reshape(width, height).T
