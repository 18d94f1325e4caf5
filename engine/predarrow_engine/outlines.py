"""Traced components in Arrow's flat layout, and the buffers they grow in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


_HANDED_OVER = 1 << 20
"""Bytes from which a copy costs more, by its page faults, than giving an array away."""


class Outlines(NamedTuple):
    """Components of one or more label images: image -> components -> parts -> rings -> vertices.

    In a part the first ring is the outline, the others are holes; no ring repeats its first vertex. Pixels from
    the image's top-left corner, x right, y down: pixel (row r, column c) covers [c, c + 1] x [r, r + 1].
    """

    x: npt.NDArray[np.float32]
    """(n_vertices,)"""
    y: npt.NDArray[np.float32]
    """(n_vertices,)"""
    ring_offsets: npt.NDArray[np.int32]
    """(n_rings + 1,) first vertex of each ring"""
    part_offsets: npt.NDArray[np.int32]
    """(n_parts + 1,) first ring of each part"""
    component_offsets: npt.NDArray[np.int32]
    """(n_components + 1,) first part of each component"""
    value: npt.NDArray[np.int64]
    """(n_components,) the component's pixel value"""
    area: npt.NDArray[np.int64]
    """(n_components,) its pixels, holes left out"""
    bbox: npt.NDArray[np.float64]
    """(4, n_components) xmin, ymin, xmax, ymax of its pixels' cover"""
    first: npt.NDArray[np.int64]
    """(n_components,) row * width + column of its first pixel"""
    image_offsets: npt.NDArray[np.int64]
    """(n_images + 1,) first component of each image"""


class Buffer:
    """A growing array: `reserve` room, write behind `size`, move `size` on."""

    __slots__ = ("data", "size")

    def __init__(self, dtype: npt.DTypeLike, rows: int | None = None) -> None:
        self.data = np.empty((1024,) if rows is None else (rows, 1024), dtype)
        self.size = 0

    def reserve(self, n: int) -> None:
        """Make room for n items behind `size`."""
        capacity = self.data.shape[-1]
        if self.size + n > capacity:
            shape = (*self.data.shape[:-1], max(self.size + n, 2 * capacity))
            grown = np.empty(shape, self.data.dtype)
            grown[..., : self.size] = self.data[..., : self.size]
            self.data = grown

    def extend(self, n: int) -> npt.NDArray[Any]:
        """Add n items and give them, to be written."""
        self.reserve(n)
        items: npt.NDArray[Any] = self.data[..., self.size : self.size + n]
        self.size += n
        return items

    def take(self) -> npt.NDArray[Any]:
        """Give the items and forget them: a copy, or the array itself where that is large and mostly full."""
        items: npt.NDArray[Any] = self.data[..., : self.size]
        self.size = 0
        if items.nbytes < _HANDED_OVER or 2 * items.nbytes < self.data.nbytes:
            return items.copy()
        self.data = np.empty_like(self.data)
        return items


class OutlineBuilder:
    """Outlines that grow image by image in buffers that are used again."""

    def __init__(self) -> None:
        self.x = Buffer(np.float32)
        self.y = Buffer(np.float32)
        self.ring_offsets = Buffer(np.int32)
        self.part_offsets = Buffer(np.int32)
        self.component_offsets = Buffer(np.int32)
        self.value = Buffer(np.int64)
        self.area = Buffer(np.int64)
        self.bbox = Buffer(np.float64, rows=4)
        self.first = Buffer(np.int64)
        self.image_offsets = Buffer(np.int64)
        self._begin()

    def _begin(self) -> None:
        for offsets in (self.ring_offsets, self.part_offsets, self.component_offsets, self.image_offsets):
            offsets.data[0] = 0
            offsets.size = 1

    def take(self) -> Outlines:
        """Give what has grown as owned arrays, and begin anew."""
        outlines = Outlines(*(getattr(self, name).take() for name in Outlines._fields))
        self._begin()
        return outlines
