"""Masks and polygons of predictions as COCO's run lengths."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.formats.coco.write_rows import Rows
from predarrow.formats.write_text import Bools
from predarrow.refusals import Refusals, shown
from predarrow.report import Code
from predarrow.table import MASK, polygon_columns


class Masks(NamedTuple):
    """A mask column, and the pixels of each."""

    column: pa.StructArray
    """(n,) null where a row has none"""
    area: npt.NDArray[np.int64]
    """(n,)"""


def masks_of(rows: Rows, painted: Bools, refusals: Refusals) -> Masks:
    """Give the masks of rows: their own, and those of polygons that are to be painted.

    A pixel is inside a polygon where its centre is, so that outlines along pixel edges give their mask back.

    Args:
        rows: of a batch.
        painted: (n,) rows whose polygon is to be a mask.
        refusals: told of masks that do not decode, and polygons in images of unknown size.
    """
    column = rows.columns["mask"]
    area: npt.NDArray[np.int64] = np.zeros(len(rows), np.int64)
    if rows.has_mask.any():
        area = _areas(column, rows.has_mask, refusals)
    if painted.any():
        column = _painted(rows, painted, area, refusals)
    return Masks(column, area)


def _areas(column: pa.StructArray, has_mask: Bools, refusals: Refusals) -> npt.NDArray[np.int64]:
    from predarrow_engine.rle_cover import covers

    height, width, counts = column.flatten()
    sizes = np.stack([side.fill_null(-1).to_numpy().astype(np.int64) for side in (height, width)], 1)
    flat = pa.concat_arrays([counts.fill_null(b"")])  # begins with its first string
    _, offsets, data = flat.buffers()
    text = np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
    found = covers(text, np.frombuffer(offsets, np.int32, len(flat) + 1, 4 * flat.offset), np.maximum(sizes, 0)).area

    def why(row: int) -> str:
        got = shown(column[row].as_py())
        return f"must have height, width and COCO's compressed run lengths of so many pixels, got {got}"

    refusals.add(has_mask & ((found < 0) | (sizes < 0).any(1)), Code.BAD_TABLE, "mask", why)
    return found


def _painted(rows: Rows, painted: Bools, area: npt.NDArray[np.int64], refusals: Refusals) -> pa.StructArray:
    """Give the mask column with painted polygons in it, and write their areas."""
    from predarrow_engine.rle_fill import SIDE_LIMIT
    from predarrow_engine.rle_text import PIXEL_LIMIT

    names = ("image_height", "image_width")
    sizes = np.stack([rows.columns[name].fill_null(0).to_numpy().astype(np.int64) for name in names], 1)
    hint = "give the table image_height and image_width"
    message = f"must be known to write a polygon as a mask, got none; {hint}"
    refusals.add(painted & (sizes <= 0).any(1), Code.SIZE_UNKNOWN, "image_height", message)
    rule = f"a polygon's image must have at most {SIDE_LIMIT} pixels a side, and {PIXEL_LIMIT} in all"
    refusals.add(
        painted & ((sizes.max(1, initial=0) > SIDE_LIMIT) | (sizes.prod(1) > PIXEL_LIMIT)),
        Code.TOO_LARGE,
        "image_height",
        lambda row: f"{rule}, got {sizes[row, 1]} x {sizes[row, 0]}",
    )
    chosen = np.flatnonzero(painted & ~refusals.bad)
    masks = rows.columns["mask"].to_pylist()
    for row, (string, n_pixels) in zip(chosen.tolist(), painted_polygons(rows, chosen, sizes), strict=True):
        masks[row] = {"height": sizes[row, 0], "width": sizes[row, 1], "counts": string}
        area[row] = n_pixels
    return pa.array(masks, MASK)


def painted_polygons(
    rows: Rows, chosen: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
) -> list[tuple[bytes, int]]:
    """Give the run lengths and the pixels of the polygons of chosen rows.

    Args:
        rows: of a batch.
        chosen: (m,) places in it.
        sizes: (n, 2) height and width of each row's image.
    """
    from predarrow_engine.rle_fill import from_outlines
    from predarrow_engine.rle_text import to_strings

    polygons = polygon_columns(pa.chunked_array([rows.columns["polygon"].take(pa.array(chosen))]))
    counts, offsets = from_outlines(*polygons, sizes[chosen])
    strings, ends = to_strings(counts, offsets)
    is_inside = np.arange(counts.size) - np.repeat(offsets[:-1], np.diff(offsets)) & 1
    areas = np.add.reduceat(np.append(counts * is_inside, 0), offsets[:-1])
    return [
        (strings[begin:end].tobytes(), area)
        for begin, end, area in zip(ends[:-1].tolist(), ends[1:].tolist(), areas.tolist(), strict=True)
    ]
