"""Columns -> the geometry of a result's value as JSON members, without braces.

Percentages are the shortest that the reader turns into the very same pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.label_studio.write_masks import bitmask_text, brush_text
from predarrow.formats.write_text import joined, listed, text_of, where

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Offsets = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one shape that hold."""

    columns: dict[str, pa.Array]
    sizes: Floats
    """(n, 2) height and width of each row's image"""
    has_default: Bools
    """(n,) whether members are written that hold where nothing is said: rotation of boxes, closed of polygons"""

    @property
    def width(self) -> Floats:
        """(n,) of the images."""
        return np.ascontiguousarray(self.sizes[:, 1])

    @property
    def height(self) -> Floats:
        """(n,) of the images."""
        return np.ascontiguousarray(self.sizes[:, 0])

    @property
    def rotation(self) -> Floats:
        """(n,) degrees, 0 where there is none."""
        degrees: Floats = self.columns["rotation"].fill_null(0.0).to_numpy(zero_copy_only=False)
        return degrees


def box_text(part: Part) -> pa.StringArray:
    """Give boxes, rotated about their top-left corners."""
    from predarrow_engine.percent import shortest_boxes

    sides = corners_of(part.columns["bbox"])
    degrees = part.rotation
    if degrees.any():
        degrees = np.where(_is_turned(part), degrees, 0.0)
    x, y, width, height = map(text_of, shortest_boxes(sides, degrees, part.width, part.height))
    return joined('"x":', x, ',"y":', y, ',"width":', width, ',"height":', height, _rotation(part, degrees))


def ellipse_text(part: Part) -> pa.StringArray:
    """Give ellipses by their centre and half axes."""
    from predarrow_engine.percent import shortest_round

    left, top, right, bottom = corners_of(part.columns["bbox"])
    x, rx = map(text_of, shortest_round(left, right, part.width))
    y, ry = map(text_of, shortest_round(top, bottom, part.height))
    return joined('"x":', x, ',"y":', y, ',"radiusX":', rx, ',"radiusY":', ry, _rotation(part, part.rotation))


def polygon_text(part: Part) -> pa.StringArray:
    """Give polygons of one ring."""
    offsets, x, y = _vertices(part)
    points = listed(joined("[", x, ",", y, "]"), offsets)
    return joined('"points":', points, where(part.has_default, _repeated(',"closed":true', part.has_default)))


def vector_text(part: Part) -> pa.StringArray:
    """Give rings and lines as paths of straight pieces, whose vertices are numbered and know the one before."""
    offsets, x, y = _vertices(part)
    counts = np.diff(offsets)
    number = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
    before = where(number > 0, joined(',"prevPointId":"', text_of(number[number > 0] - 1), '"'))
    head = joined('{"id":"', text_of(number), '","x":', x, ',"y":', y, before, ',"isBezier":false}')
    is_closed = pc.equal(part.columns["kind"], "polygon")
    closed = pc.if_else(is_closed, ',"closed":true', ',"closed":false')
    closed = pc.if_else(pa.array(part.has_default), closed, "")
    return joined('"vertices":', listed(head, offsets), closed)


def point_text(part: Part) -> pa.StringArray:
    """Give rows of one point; the width it is drawn with is not among the columns."""
    points = part.columns["keypoints"].flatten()
    x, y = _percents(points, part.width, part.height)
    return joined('"x":', x, ',"y":', y)


def brush_members(part: Part) -> pa.StringArray:
    """Give masks as run lengths."""
    return joined('"format":"rle","rle":', brush_text(part.columns["mask"]))


def bitmask_members(part: Part) -> pa.StringArray:
    """Give masks as PNG images."""
    return joined('"imageDataURL":"', bitmask_text(part.columns["mask"]), '"')


def entry_text(part: Part) -> pa.StringArray:
    """Give boxes of an object in a video on their frames, from 1; the time is not among the columns."""
    frame = text_of(part.columns["frame"].cast(pa.int64()).to_numpy() + 1)
    return joined('"frame":', frame, ",", box_text(part))


TEXTS: dict[str, Callable[[Part], pa.StringArray]] = {
    "rectangle": box_text,
    "ocr": box_text,
    "ellipse": ellipse_text,
    "polygon": polygon_text,
    "vector": vector_text,
    "keypoint": point_text,
    "brush": brush_members,
    "bitmask": bitmask_members,
    "videorectangle": entry_text,
}
"""By shape of a control."""

MEMBERS: dict[str, frozenset[str]] = {
    "rectangle": frozenset({"x", "y", "width", "height", "rotation"}),
    "ocr": frozenset({"x", "y", "width", "height", "rotation"}),
    "ellipse": frozenset({"x", "y", "radiusX", "radiusY", "rotation"}),
    "polygon": frozenset({"points", "closed"}),
    "vector": frozenset({"vertices", "closed"}),
    "keypoint": frozenset({"x", "y"}),
    "brush": frozenset({"format", "rle"}),
    "bitmask": frozenset({"imageDataURL"}),
    "videorectangle": frozenset({"frame", "x", "y", "width", "height", "rotation"}),
}
"""What these texts have, by shape."""

DEFAULTS = {"polygon": "closed", "vector": "closed"}
"""The member that `Part.has_default` is about, by shape; of others it is `rotation`."""


def corners_of(column: pa.StructArray) -> Floats:
    """Give boxes as (4, n) xmin, ymin, xmax, ymax; NaN for none."""
    return np.stack([side.fill_null(np.nan).to_numpy(zero_copy_only=False) for side in column.flatten()])


def _is_turned(part: Part) -> Bools:
    """Tell which boxes the rotation is of: it is of a rotated box alone."""
    is_turned: Bools = pc.equal(part.columns["kind"], "rotated_bbox").to_numpy(zero_copy_only=False)
    return is_turned


def _rotation(part: Part, degrees: Floats) -> pa.StringArray | str:
    is_told = part.has_default | (degrees != 0)
    if not degrees.any():
        if is_told.all():
            return ',"rotation":0'
        return where(is_told, _repeated(',"rotation":0', is_told))
    return where(is_told, joined(',"rotation":', text_of(degrees[is_told])))


def _repeated(text: str, chosen: Bools) -> pa.StringArray:
    return pa.repeat(pa.scalar(text, pa.string()), int(chosen.sum()))


def _vertices(part: Part) -> tuple[Offsets, pa.StringArray, pa.StringArray]:
    """Give the vertices of each row's one ring: (n + 1,) offsets, and percents as texts."""
    rings = part.columns["polygon"].flatten().flatten()
    offsets = rings.offsets.to_numpy()
    offsets = offsets - offsets[0]
    counts = np.diff(offsets)
    return offsets, *_percents(rings.flatten(), np.repeat(part.width, counts), np.repeat(part.height, counts))


def _percents(points: pa.StructArray, width: Floats, height: Floats) -> tuple[pa.StringArray, pa.StringArray]:
    from predarrow_engine.percent import shortest

    texts = []
    for name, size in (("x", width), ("y", height)):
        pixels = points.field(name).to_numpy(zero_copy_only=False)
        texts.append(text_of(shortest(np.ascontiguousarray(pixels, np.float32), size)))
    return texts[0], texts[1]
