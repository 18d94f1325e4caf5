"""Traced components in Arrow's flat layout, and the buffers they grow in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from predarrow_engine import memory


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


class Columns(NamedTuple):
    """Room for outlines: the arrays of `Outlines`, with more entries than are used."""

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.float32]
    ring_offsets: npt.NDArray[np.int32]
    part_offsets: npt.NDArray[np.int32]
    component_offsets: npt.NDArray[np.int32]
    value: npt.NDArray[np.int64]
    area: npt.NDArray[np.int64]
    bbox: npt.NDArray[np.float64]
    first: npt.NDArray[np.int64]


class Options(NamedTuple):
    """What `trace.Tracer` explains, as numbers."""

    center: bool
    eight: bool
    fill: bool
    every: bool
    encord_active: bool
    min_area: int


class Sizes(NamedTuple):
    """How much of `Columns` is used."""

    vertices: int
    rings: int
    parts: int
    components: int


_NOTHING = Sizes(0, 0, 0, 0)
VERTEX_LIMIT = 2**31 - 1  # Arrow's lists count in 32 bits
_FIRST_ROOM = 1 << 16
"""Entries of each column to begin with: memory that is not touched costs nothing, growing does."""
_HANDED_OVER = 1 << 20
"""Bytes from which a copy costs more, by its page faults, than giving an array away."""


class OutlineBuilder:
    """Outlines that grow image by image in arrays that are used again."""

    def __init__(self) -> None:
        shapes = {"bbox": (4, _FIRST_ROOM)}
        dtypes = (np.float32, np.float32, np.int32, np.int32, np.int32, np.int64, np.int64, np.float64, np.int64)
        self.columns = Columns(
            *(
                np.zeros(shapes.get(name, (_FIRST_ROOM,)), dtype)  # an offset column starts with 0
                for name, dtype in zip(Columns._fields, dtypes, strict=True)
            )
        )
        self.sizes = _NOTHING
        self.image_offsets = [0]

    def reserve(self, sizes: Sizes) -> None:
        """Make room for so much in all.

        Raises:
            ValueError: more vertices than Arrow's lists can count.
        """
        if sizes.vertices > VERTEX_LIMIT:
            raise ValueError(f"outlines hold at most {VERTEX_LIMIT} vertices, got up to {sizes.vertices}")
        lengths = zip(self._arrays(), _lengths(self.sizes), _lengths(sizes), strict=True)
        self.columns = Columns(*(_grown(array, used, needed) for array, used, needed in lengths))

    def take(self) -> Outlines:
        """Give what has grown as owned arrays, and begin anew."""
        largest = max(4 * self.sizes.vertices, 32 * self.sizes.components)  # bytes of x and of bbox
        taken = self._copied() if largest < _HANDED_OVER else self._handed_over()
        taken.append(np.array(self.image_offsets, np.int64))
        self.sizes = _NOTHING
        self.image_offsets = [0]
        return Outlines(*taken)

    def _copied(self) -> list[npt.NDArray[Any]]:
        """Give copies of what is used of each column.

        Without a loop: one takes 60 us after a street, not 45, as nothing of it is in the caches by then.
        """
        vertices, rings, parts, components = self.sizes
        columns = self.columns
        return [
            columns.x[:vertices].copy(),
            columns.y[:vertices].copy(),
            columns.ring_offsets[: rings + 1].copy(),
            columns.part_offsets[: parts + 1].copy(),
            columns.component_offsets[: components + 1].copy(),
            columns.value[:components].copy(),
            columns.area[:components].copy(),
            columns.bbox[:, :components].copy(),
            columns.first[:components].copy(),
        ]

    def _handed_over(self) -> list[npt.NDArray[Any]]:
        """Give the large columns themselves, and have new ones in their place; copy the others."""
        kept = self._arrays()
        taken = [array[..., :length] for array, length in zip(kept, _lengths(self.sizes), strict=True)]
        for i, items in enumerate(taken):
            if items.nbytes < _HANDED_OVER or 2 * items.nbytes < kept[i].nbytes:
                taken[i] = items.copy()
            else:
                kept[i] = memory.empty(kept[i].shape, kept[i].dtype)
                kept[i][..., :1] = 0
        self.columns = Columns(*kept)
        return taken

    def _arrays(self) -> list[npt.NDArray[Any]]:
        arrays: list[npt.NDArray[Any]] = [*self.columns]
        return arrays


def _lengths(sizes: Sizes) -> tuple[int, ...]:
    """Give the length of each column that holds so much."""
    vertices, rings, parts, components = sizes
    return (vertices, vertices, rings + 1, parts + 1, components + 1, *[components] * 4)


def _grown(column: npt.NDArray[Any], used: int, needed: int) -> npt.NDArray[Any]:
    capacity = column.shape[-1]
    if needed <= capacity:
        return column
    room = max(needed, 2 * capacity) if used > 1 else needed + needed // 8  # the next image is much like the first
    grown = memory.empty((*column.shape[:-1], room), column.dtype)
    grown[..., :used] = column[..., :used]
    return grown
