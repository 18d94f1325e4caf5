"""Slow, readable twins of what turns geometries into one another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction


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
