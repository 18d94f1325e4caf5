"""Geometry columns as the arrays that the engine takes, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.geometry.conversion import Rows
from predarrow.objects.checks import Bools, Floats, Ints
from predarrow.refusals import shown
from predarrow.report import Code
from predarrow.table import PolygonColumns, polygon_columns

if TYPE_CHECKING:
    from predarrow_engine.rle_text import RunLengths


class Turned(NamedTuple):
    """Boxes about their centres, and angles."""

    boxes: Floats
    """(n, 4) centre x and y, width and height, pixels"""
    degrees: Floats
    """(n,) clockwise on screen; 0 where the table has none"""

    @property
    def ellipses(self) -> Floats:
        """(n, 4) centre and semi-axes of the ellipses in the boxes."""
        return self.boxes * (1, 1, 0.5, 0.5)


def corners_of(rows: Rows) -> Floats:
    """Give boxes as (4, n) corners; those that are not finite or not in order are refused, and 0."""
    corners = np.stack(
        [side.fill_null(np.nan).to_numpy(zero_copy_only=False) for side in rows.columns["bbox"].flatten()]
    )
    is_good: Bools = np.isfinite(corners).all(axis=0) & (corners[0] <= corners[2]) & (corners[1] <= corners[3])
    rule = "must be finite, right and bottom not before left and top"
    rows.refusals.add(~is_good, Code.BAD_BOX, "column bbox", lambda row: f"{rule}, got {corners[:, row].tolist()}")
    return np.where(is_good, corners, 0.0)


def turned_of(rows: Rows) -> Turned:
    """Give boxes before they are rotated, and their angles; what is not finite is refused."""
    left, top, right, bottom = corners_of(rows)
    degrees = rows.columns["rotation"].fill_null(0.0).to_numpy(zero_copy_only=False)
    is_good = np.isfinite(degrees)
    rows.refusals.add(~is_good, Code.BAD_NUMBER, "column rotation", lambda row: f"must be finite, got {degrees[row]}")
    boxes = np.stack([0.5 * left + 0.5 * right, 0.5 * top + 0.5 * bottom, right - left, bottom - top], axis=1)
    return Turned(boxes, np.where(is_good, degrees, 0.0))


def polygons_of(rows: Rows) -> PolygonColumns:
    """Give polygons as flat arrays; those with a vertex that is not finite are refused."""
    polygons = polygon_columns(pa.chunked_array([rows.columns["polygon"]]))
    is_bad = ~(np.isfinite(polygons.x) & np.isfinite(polygons.y))
    if is_bad.any():
        first = polygons.ring_offsets[polygons.part_offsets[polygons.row_offsets]]
        wrong = np.zeros(rows.n, np.bool_)
        wrong[np.searchsorted(first, np.flatnonzero(is_bad), "right") - 1] = True
        rows.refusals.add(wrong, Code.BAD_NUMBER, "column polygon", "vertices must be finite")
        kept = [np.where(is_bad, np.float32(0), axis) for axis in polygons[:2]]
        polygons = polygons._replace(x=kept[0], y=kept[1])
    return polygons


def sizes_of(rows: Rows) -> Ints:
    """Give (n, 2) height and width of images, 0 where not known."""
    sides = (rows.columns[name].fill_null(0).to_numpy(zero_copy_only=False) for name in ("image_height", "image_width"))
    return np.maximum(np.stack(list(sides), axis=1).astype(np.int64), 0)


class MaskRuns(NamedTuple):
    """Masks as run lengths."""

    runs: RunLengths
    sizes: Ints
    """(n, 2) height and width"""


def runs_of(rows: Rows) -> MaskRuns:
    """Give masks as run lengths; those that do not decode or are too large are refused, and have no counts."""
    from predarrow_engine.rle_fill import SIDE_LIMIT
    from predarrow_engine.rle_text import OK, from_strings

    mask = rows.columns["mask"]
    height, width, counts = mask.flatten()
    sides = [side.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64) for side in (height, width)]
    given: Ints = np.stack(sides, axis=1)
    is_large: Bools = np.any(given > SIDE_LIMIT, axis=1)
    sizes = np.where(is_large[:, None], 0, np.maximum(given, 0))
    strings = counts.fill_null(b"")
    _, offsets, data = strings.buffers()
    text = np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
    ends: npt.NDArray[np.int32] = np.frombuffer(offsets, np.int32, len(strings) + 1, 4 * strings.offset)
    runs = from_strings(text, ends, sizes)
    rule = f"height and width must be at most {SIDE_LIMIT}"
    rows.refusals.add(is_large, Code.TOO_LARGE, "column mask", lambda row: f"{rule}, got {given[row].tolist()}")
    rule = "must have height, width and COCO's compressed run lengths of so many pixels"
    is_bad = (runs.flaw != OK) | (given <= 0).any(axis=1)
    rows.refusals.add(is_bad, Code.BAD_TABLE, "column mask", lambda row: f"{rule}, got {shown(mask[row].as_py())}")
    return MaskRuns(runs, sizes)
