"""Objects at the root of a large file, scanned without an object for each, and what scanned frames have of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Raw

from predarrow.buffers import validity

if TYPE_CHECKING:
    from predarrow_engine.openlabel_objects import Objects

LEAST_BYTES = 1 << 18
"""Of files that are scanned: those below are read as quickly as the scanner is loaded."""


class ScannedObjects:
    """Objects at the root, none of which has a geometry.

    Args:
        objects: what was found in the text.
    """

    def __init__(self, objects: Objects) -> None:
        from predarrow_engine.openlabel_objects import TYPE

        self.objects = objects
        self.seen: npt.NDArray[np.bool_] = np.zeros(len(objects.spans), np.bool_)
        """(n,) objects that rows belong to so far"""
        types, self.type_of = distinct_texts(objects.data, objects.spans[:, TYPE])
        """(n,) each object's type among `types`"""
        self.types = [type_ for type_ in types if type_ is not None]

    @cached_property
    def uids(self) -> list[str]:
        """Of all objects."""
        from predarrow_engine.openlabel_objects import UID

        uids: list[str] = texts_of(self.objects.data, self.objects.spans[:, UID]).to_pylist()
        return uids

    def seen_uids(self) -> set[str]:
        """Give the uids of objects that rows belong to so far."""
        uids = self.uids
        return {uids[row] for row in np.flatnonzero(self.seen).tolist()}

    def see(self, uids: Iterable[str]) -> None:
        """Note objects that rows belong to."""
        places = {uid: row for row, uid in enumerate(self.uids)}
        self.seen[[places[uid] for uid in uids]] = True


def texts_of(data: npt.NDArray[np.uint8], spans: npt.NDArray[np.int64]) -> pa.StringArray:
    """Give spans, (n, 2), as a column; null where they are -1."""
    from predarrow_engine.spans import gather

    offsets, texts = gather(data, spans)
    buffers = [validity(spans[:, 0] >= 0), pa.py_buffer(offsets), pa.py_buffer(texts)]
    return pa.Array.from_buffers(pa.string(), len(spans), buffers)


def distinct_texts(
    data: npt.NDArray[np.uint8], spans: npt.NDArray[np.int64]
) -> tuple[list[str | None], npt.NDArray[np.int64]]:
    """Give the distinct texts of spans, and (n,) which of them each one has."""
    coded = texts_of(data, spans).dictionary_encode(null_encoding="encode")
    return coded.dictionary.to_pylist(), np.from_dlpack(coded.indices).astype(np.int64)


def scan_objects(raw: Raw) -> ScannedObjects | None:
    """Give objects at the root; None where one has a geometry, members that are not known, or does not hold."""
    from predarrow_engine.json_plain import PADDING
    from predarrow_engine.openlabel_objects import scan

    data = np.frombuffer(b"".join([raw, bytes(PADDING)]), np.uint8)
    found = scan(data, len(raw))
    return None if found is None else ScannedObjects(found)
