"""What is wrong with a part of a JSON document, while it is read."""

from __future__ import annotations

from typing import Any

from predarrow.refusals import shown
from predarrow.report import Code


class Flaw(Exception):
    """A part that does not hold; never leaves the reader."""

    def __init__(self, code: Code, pointer: str, rule: str, got: Any = None, *, told: str | None = None) -> None:
        self.code = code
        self.pointer = pointer
        self.message = f"{rule}, got {shown(got) if told is None else told}"
        super().__init__(self.message)
