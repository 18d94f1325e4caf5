"""Masks, as run lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from predarrow.labels.shapes import Ints, Shapes
from predarrow.objects.columns import encoded
from predarrow.objects.predictions import Format, ObjectDetection
from predarrow.objects.shapes import ShapeError, shape_of
from predarrow.refusals import Refusals, shown
from predarrow.report import Code
from predarrow.table import MASK


class Masks(Shapes):
    """Masks of images."""

    kind = "bitmask"

    def __init__(self) -> None:
        self._counts: list[bytes] = []
        self._sizes: list[tuple[int, int]] = []

    def add(self, geometry: Any) -> int:
        """Keep a `Bitmask`; what is in its run lengths is looked at when the labels are saved."""
        mask = geometry.mask
        if isinstance(mask, Mapping):
            size, counts = _run_lengths(mask)
        else:
            found: Any = shape_of(ObjectDetection(Format.MASK, mask, ""))
            made = encoded(found)
            size, counts = (made.height, made.width), made.counts
        self._counts.append(counts)
        self._sizes.append(size)
        return len(self._counts) - 1

    def columns(self, sizes: Ints, refusals: Refusals) -> dict[str, Any]:
        """Give the mask column."""
        own = np.array(self._sizes, np.int64)

        def words(row: int) -> str:
            (height, width), (has_height, has_width) = sizes[row], own[row]
            return f"must be {width} x {height} pixels as its image is, got {has_width} x {has_height}"

        refusals.add(((sizes != own) & (sizes > 0)).any(1), Code.SIZE_MISMATCH, "mask", words)
        fields = [pa.array(own[:, 0], pa.int32()), pa.array(own[:, 1], pa.int32()), pa.array(self._counts, pa.binary())]
        return {"mask": pa.StructArray.from_arrays(fields, fields=list(MASK))}


def _run_lengths(mask: Mapping[str, Any]) -> tuple[tuple[int, int], bytes]:
    try:
        height, width = map(int, mask["size"])
    except (KeyError, TypeError, ValueError):
        raise ShapeError("mask", f"must have its size as [height, width], got {shown(mask)}") from None
    counts = mask.get("counts")
    if not 0 < height < 2**31 or not 0 < width < 2**31:
        raise ShapeError("mask", f"must have a height and a width of at least 1, got {height} and {width}")
    if isinstance(counts, str) and counts.isascii():
        counts = counts.encode()
    if not isinstance(counts, bytes):
        raise ShapeError("mask", f"counts must be compressed run lengths (text or bytes), got {shown(counts)}")
    return (height, width), counts
