"""Which rows of a batch are refused, and why: the first reason of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from predarrow.report import Code, Problem

SOURCE = "predictions"

_SHOWN = 80

Words = str | Callable[[int], str]


class Refusals:
    """Rows of one batch that are refused.

    Args:
        rows: (n,) each row's place in the whole input, for its problem.
    """

    def __init__(self, rows: npt.NDArray[np.int64]) -> None:
        self.rows = rows
        self.bad: npt.NDArray[np.bool_] = np.zeros(rows.size, np.bool_)
        """(n,) which rows are refused so far"""
        self.problems: list[Problem] = []

    def add(self, where: npt.NDArray[np.bool_], code: Code, pointer: str, message: Words) -> None:
        """Refuse rows, those that were refused before left as they are.

        Args:
            where: (n,) rows to refuse.
            code: the reason.
            pointer: the field or column.
            message: the rule and the value that was met; a function gives it for a row of the batch.
        """
        if not where.any():
            return
        for row in np.flatnonzero(where & ~self.bad).tolist():
            self.add_one(row, code, pointer, message if isinstance(message, str) else message(row))

    def add_one(self, row: int, code: Code, pointer: str, message: str) -> None:
        """Refuse one row of the batch."""
        self.problems.append(problem(int(self.rows[row]), code, pointer, message))
        self.bad[row] = True


def problem(row: int, code: Code, pointer: str, message: str) -> Problem:
    """Give the problem of one prediction of the input."""
    return Problem(f"{SOURCE}[{row}]", row, pointer, code, message)


def shown(value: Any) -> str:
    """Give a value for a message, shortened: it may be a whole array."""
    try:
        text = " ".join(repr(value).split())
    except (ValueError, RecursionError):  # a number of thousands of digits, lists as deep
        text = f"{type(value).__name__}, too long to tell"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
