"""Columns -> the geometry of frame objects of one shape as JSON members: boxes, ellipses, masks, cuboids.

Relative numbers are the shortest that the reader turns into the very same pixels. What the table kept of a source's own
geometry is put in their place afterwards (`write_kept`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.encord.write_notes import Notes
from predarrow.formats.encord.write_pieces import Content
from predarrow.formats.write_text import joined, text_of
from predarrow.ontology import SkeletonTemplate

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Part(NamedTuple):
    """Rows of one shape that hold."""

    columns: dict[str, pa.Array]
    sizes: Floats
    """(n, 2) height and width of each row's image"""
    notes: Notes
    templates: Sequence[SkeletonTemplate | None]
    """(n,) of skeletons: what tells the points' colours, hashes and values; None where label rows do"""

    def take(self, chosen: npt.NDArray[np.int64]) -> Part:
        """Give chosen rows."""
        columns = {name: column.take(pa.array(chosen)) for name, column in self.columns.items()}
        templates = [self.templates[place] for place in chosen.tolist()] if self.templates else ()
        return Part(columns, self.sizes[chosen], self.notes.take(chosen), templates)

    @property
    def width(self) -> Floats:
        """(n,) of the images."""
        return np.ascontiguousarray(self.sizes[:, 1])

    @property
    def height(self) -> Floats:
        """(n,) of the images."""
        return np.ascontiguousarray(self.sizes[:, 0])


def box_pieces(part: Part) -> list[Content]:
    """Give bounding boxes."""
    x, y, w, h = _box_numbers(part)
    return ['"boundingBox":{"h":', h, ',"w":', w, ',"x":', x, ',"y":', y, "}"]


def rotatable_pieces(part: Part) -> list[Content]:
    """Give boxes before they are rotated, and degrees."""
    x, y, w, h = _box_numbers(part)
    key = '"rotatableBoundingBox":{"h":'
    return [key, h, ',"w":', w, ',"x":', x, ',"y":', y, ',"theta":', _theta(part), "}"]


def _box_numbers(part: Part) -> tuple[Floats, Floats, Floats, Floats]:
    from predarrow_engine.relative import shortest, shortest_extent

    left, top, right, bottom = corners_of(part.columns["bbox"])
    x, y = shortest(left, part.width), shortest(top, part.height)
    return x, y, shortest_extent(right, x, part.width), shortest_extent(bottom, y, part.height)


def ellipse_pieces(part: Part) -> list[Content]:
    """Give ellipses by centre, half axes and degrees."""
    from predarrow_engine.relative import shortest_round

    left, top, right, bottom = corners_of(part.columns["bbox"])
    x, rx = shortest_round(left, right, part.width, part.width)
    y, ry = shortest_round(top, bottom, part.height, part.height)
    return ['"ellipse":{"x":', x, ',"y":', y, ',"rx":', rx, ',"ry":', ry, ',"theta":', _theta(part), "}"]


def circle_pieces(part: Part) -> list[Content]:
    """Give circles by centre, radius, the second half axis in radii, and degrees."""
    from predarrow_engine.relative import shortest_round

    left, top, right, bottom = corners_of(part.columns["bbox"])
    x, r = shortest_round(left, right, part.width, part.width)
    y, stretch = shortest_round(top, bottom, part.height, r * part.width)
    head: list[Content] = ['"circle":{"x":', x, ',"y":', y, ',"r":', r, ',"stretch":', stretch]
    return [*head, ',"theta":', _theta(part), "}"]


NUMBERS: dict[str, Callable[[Part], list[Content]]] = {
    "bounding_box": box_pieces,
    "rotatable_bounding_box": rotatable_pieces,
    "circle": circle_pieces,
    "ellipse": ellipse_pieces,
}
"""By shape, of those that are numbers alone."""
USED = ("bbox", "rotation")
"""Columns that these are made of."""


def corners_of(column: pa.StructArray) -> Floats:
    """Give boxes as (4, n) xmin, ymin, xmax, ymax; NaN for none."""
    return np.stack([side.fill_null(np.nan).to_numpy(zero_copy_only=False) for side in column.flatten()])


def _theta(part: Part) -> Floats:
    theta: Floats = part.columns["rotation"].fill_null(0.0).to_numpy()
    return theta


def mask_text(part: Part) -> pa.StringArray:
    """Give masks as run lengths along the rows."""
    from predarrow_engine.rle_rows import to_rows
    from predarrow_engine.rle_text import to_strings

    runs, sizes = runs_of(part.columns["mask"])
    strings, offsets = to_strings(*to_rows(runs.counts, runs.offsets, sizes))
    texts = pa.Array.from_buffers(pa.string(), len(sizes), [None, pa.py_buffer(offsets), pa.py_buffer(strings)])
    escaped = pc.replace_substring(texts, "\\", "\\\\")
    height, width = (text_of(np.ascontiguousarray(side)) for side in sizes.T)
    head = '"bitmask":{"top":0,"left":0,"height":'
    return joined(head, height, ',"width":', width, ',"rleString":"', escaped, '"}')


def runs_of(column: pa.StructArray) -> tuple[Any, npt.NDArray[np.int64]]:
    """Give masks as `rle_text.RunLengths` down the columns, and (n, 2) their height and width, 0 of none."""
    from predarrow_engine.rle_text import from_strings

    height, width, counts = column.flatten()
    sizes = np.stack([side.fill_null(0).to_numpy().astype(np.int64) for side in (height, width)], 1)
    flat = pa.concat_arrays([counts.fill_null(b"")])  # begins with its first string
    _, offsets, data = flat.buffers()
    text = np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
    return from_strings(text, np.frombuffer(offsets, np.int32, len(flat) + 1, 4 * flat.offset), sizes), sizes


def cuboid_text(part: Part) -> pa.StringArray:
    """Give cuboids of scenes; angles from the quaternion, see `euler`."""
    values = [field.to_numpy(zero_copy_only=False) for field in part.columns["cuboid"].flatten()]
    x, y, z, qx, qy, qz, qw, width, length, height = values
    triples = {"position": (x, y, z), "orientation": euler(qx, qy, qz, qw), "size": (length, width, height)}
    pieces: list[Any] = []
    for name, triple in triples.items():
        a, b, c = (text_of(np.ascontiguousarray(numbers)) for numbers in triple)
        pieces += [f'{"," if pieces else ""}"{name}":[', a, ",", b, ",", c, "]"]
    return joined('"cuboid":{', *pieces, "}")


def euler(x: Floats, y: Floats, z: Floats, w: Floats) -> tuple[Floats, Floats, Floats]:
    """Give the angles about x, y and z, in radians, of a quaternion: three.js's order "XYZ".

    Where y is a quarter turn x and z are one; then z is 0.
    """
    sine = np.clip(2 * (x * z + w * y), -1.0, 1.0)
    beta = np.arcsin(sine)
    is_plain = np.abs(sine) < 1 - 1e-12
    alpha = np.where(
        is_plain,
        np.arctan2(2 * (w * x - y * z), 1 - 2 * (x * x + y * y)),
        np.arctan2(2 * (y * z + w * x), 1 - 2 * (x * x + z * z)),
    )
    gamma = np.where(is_plain, np.arctan2(2 * (w * z - x * y), 1 - 2 * (y * y + z * z)), 0.0)
    return alpha, beta, gamma
