"""What stands at one place of every object's text, for all objects at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.buffers import flat_text

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Content: TypeAlias = str | pa.StringArray | npt.NDArray[np.float64]
"""The same text for all; texts; finite numbers."""


class Placed(NamedTuple):
    """Text of objects; see `text_rows.Piece`."""

    content: Content
    codes: Ints | None = None
    """(n,) which of the texts or numbers an object has; None where they come in order"""
    chosen: Bools | None = None
    """(n,) which objects have it; None where all do"""
    skipped: int = 0
    """Bytes left out at both ends of each text"""

    def among(self, chosen: Bools) -> Placed:
        """Give what is of all objects as what is of those chosen among more."""
        if chosen.all():
            return self
        codes = None if isinstance(self.content, str) else np.cumsum(chosen) - 1
        if codes is not None and self.codes is not None:
            codes = self.codes[codes]
        if self.chosen is not None:
            chosen = chosen.copy()
            chosen[chosen] = self.chosen
        return self._replace(codes=codes, chosen=chosen)


def text_of_rows(n: int, pieces: Iterable[Placed]) -> memoryview:
    """Give the text of n objects, one after the other, without anything between them."""
    from predarrow_engine import text_rows

    plain: list[text_rows.Piece] = []
    for content, codes, chosen, skipped in pieces:
        if isinstance(content, str):
            plain.append(text_rows.Piece(content.encode(), codes, chosen))
        elif isinstance(content, pa.StringArray):
            plain.append(text_rows.Piece(text_rows.Texts(*flat_text(content), skipped), codes, chosen))
        else:
            plain.append(text_rows.Piece(content, codes, chosen))
    return memoryview(text_rows.rows(n, plain).data)
