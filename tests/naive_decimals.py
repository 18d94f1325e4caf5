"""Slow twin of `predarrow_engine.decimals`: the digits of `repr`, put together letter by letter."""

from __future__ import annotations


def text(value: float) -> str:
    """Give a finite number as JSON text, as Arrow writes it."""
    sign, given = ("-", repr(value)[1:]) if repr(value)[0] == "-" else ("", repr(value))
    mantissa, _, exponent = given.partition("e")
    whole, _, decimals = mantissa.partition(".")
    dot = len(whole) + int(exponent or "0")
    digits = whole + decimals
    dot -= len(digits) - len(digits.lstrip("0"))
    digits = digits.strip("0")
    if not digits:
        return f"{sign}0"
    if not -5 <= dot <= 10:
        rest = f".{digits[1:]}" if digits[1:] else ""
        return f"{sign}{digits[0]}{rest}e{dot - 1:+d}"
    if dot <= 0:
        return f"{sign}0.{'0' * -dot}{digits}"
    if len(digits) <= dot:
        return sign + digits.ljust(dot, "0")
    return f"{sign}{digits[:dot]}.{digits[dot:]}"
