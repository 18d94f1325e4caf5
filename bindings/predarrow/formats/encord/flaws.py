"""What is wrong with one label or one label row, while it is read."""

from __future__ import annotations

from typing import Any

from predarrow.formats.flaws import Flaw
from predarrow.refusals import Refusals
from predarrow.report import Code


class PartRefusals(Refusals):
    """Refusals of some of the rows of others: each goes to its own row there.

    Args:
        whole: those of all rows.
        chosen: the rows' places among all, as numbers.
    """

    def __init__(self, whole: Refusals, chosen: Any) -> None:
        super().__init__(whole.rows[chosen])
        self._whole = whole
        self._chosen = chosen

    def add_one(self, row: int, code: Code, pointer: str, message: str) -> None:
        """Refuse one row."""
        self.bad[row] = True
        self._whole.add_one(int(self._chosen[row]), code, pointer, message)

    def add_flaw(self, row: int, flaw: Flaw) -> None:
        """Refuse one row for a flaw."""
        self.add_one(row, flaw.code, flaw.pointer, flaw.message)


def check_key(entry: dict[str, Any], name: str, key: str, pointer: str = "") -> None:
    """See that the hash that an entry tells of itself, where it does, is the key that it stands under.

    Raises:
        Flaw: it is another.
    """
    if entry.get(name, key) != key:
        raise Flaw(Code.BAD_VALUE, f"{pointer}.{name}", f"must be {key!r}, the entry's key", entry[name])
