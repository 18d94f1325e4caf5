"""Numbers of geometry as they were read, where the columns were not changed since.

What was kept is turned into pixels as the reader does it, and must give the very columns; else the columns are written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.formats.json_text import members_text, object_text
from predarrow.formats.label_studio.write_attributes import Members, texts_of
from predarrow.formats.label_studio.write_geometry import Part, corners_of

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_NUMBERS: dict[str, tuple[str, ...]] = {
    "rectangle": ("x", "y", "width", "height"),
    "videorectangle": ("x", "y", "width", "height"),
    "ellipse": ("x", "y", "radiusX", "radiusY"),
    "keypoint": ("x", "y"),
    "polygon": ("points",),
    "vector": ("vertices",),
}
"""Members that are numbers of columns, by shape."""

_decode = msgspec.json.Decoder().decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def kept_texts(texts: pa.StringArray, shape: str, overrides: Sequence[Members | None], part: Part) -> pa.StringArray:
    """Give members of geometry with those in their place that were kept.

    Args:
        texts: (n,) members as the columns give them.
        shape: of the geometry.
        overrides: (n,) members that were kept; None for none.
        part: the rows.
    """
    every: list[str] = texts.to_pylist()
    chosen = [row for row, members in enumerate(overrides) if members is not None]
    given = [dict(members) for members in overrides if members is not None]
    names = _NUMBERS.get(shape, ())
    told = [place for place, members in enumerate(given) if all(name in members for name in names)]
    if names and told:
        found = _same(shape, [given[place] for place in told], part, np.array([chosen[place] for place in told]))
        for place, is_same in zip(told, found.tolist(), strict=True):
            if not is_same:
                for name in names:
                    del given[place][name]
    degrees = part.rotation[chosen].tolist()
    for row, members, turned in zip(chosen, given, degrees, strict=True):
        if turned and members.get("rotation") == "null":  # it was not turned then
            del members["rotation"]
        every[row] = members_text(texts_of(_decode_members(f"{{{every[row]}}}")) | members)
    return pa.array(every, pa.string())


def _same(shape: str, given: Sequence[Members], part: Part, rows: npt.NDArray[np.int64]) -> Bools:
    """Tell which members give the columns of their rows."""
    values = [_decode(object_text({name: members[name] for name in _NUMBERS[shape]})) for members in given]
    columns = {name: column.take(pa.array(rows)) for name, column in part.columns.items()}
    taken = Part(columns, part.sizes[rows], part.has_default[rows])
    try:
        return _RULES[shape](values, taken)
    except (TypeError, ValueError, KeyError):  # no numbers: what was kept is not what was read
        return np.zeros(len(rows), np.bool_)


def _boxes(values: Sequence[dict[str, float]], part: Part) -> Bools:
    from predarrow_engine.percent import corners

    numbers = _table(values, "x", "y", "width", "height")
    same: Bools = (corners(numbers, part.rotation, part.width, part.height) == corners_of(part.columns["bbox"])).all(0)
    return same


def _ellipses(values: Sequence[dict[str, float]], part: Part) -> Bools:
    from predarrow_engine.percent import sides

    x, y, across, down = _table(values, "x", "y", "radiusX", "radiusY")
    (left, right), (top, bottom) = sides(x, across, part.width), sides(y, down, part.height)
    same: Bools = (np.stack([left, top, right, bottom]) == corners_of(part.columns["bbox"])).all(axis=0)
    return same


def _points(values: Sequence[dict[str, float]], part: Part) -> Bools:
    x, y = _table(values, "x", "y")
    vertices = part.columns["keypoints"].flatten()
    return _vertices_same(x, y, vertices, part.width, part.height)


def _rings(values: Sequence[dict[str, Any]], part: Part) -> Bools:
    """Tell where vertices, [x, y] or {"x", "y", …}, are those of the one ring of a row."""
    given = [value["points"] if "points" in value else value["vertices"] for value in values]
    flat = [(each["x"], each["y"]) if isinstance(each, dict) else each for ring in given for each in ring]
    counts = np.array([len(ring) for ring in given], np.int64)
    x, y = np.array(flat, np.float64).reshape(-1, 2).T
    rings = part.columns["polygon"].flatten().flatten()
    own = np.diff(rings.offsets.to_numpy())
    if (own != counts).any():  # few: those of other counts are told alone
        found = np.zeros(len(values), np.bool_)
        for row in np.flatnonzero(own == counts).tolist():
            columns = {name: column.slice(row, 1) for name, column in part.columns.items()}
            found[row] = _rings(
                [values[row]], Part(columns, part.sizes[row : row + 1], part.has_default[row : row + 1])
            )[0]
        return found
    width, height = np.repeat(part.width, counts), np.repeat(part.height, counts)
    same = _vertices_same(x, y, rings.flatten(), width, height)
    result = np.ones(len(values), np.bool_)
    result[np.repeat(np.arange(len(values)), counts)[~same]] = False
    return result


def _vertices_same(x: Floats, y: Floats, vertices: pa.StructArray, width: Floats, height: Floats) -> Bools:
    from predarrow_engine.percent import to_pixels

    with np.errstate(over="ignore"):
        pixels = [to_pixels(axis, side).astype(np.float32) for axis, side in ((x, width), (y, height))]
    own = [vertices.field(name).to_numpy(zero_copy_only=False) for name in ("x", "y")]
    same: Bools = (pixels[0] == own[0]) & (pixels[1] == own[1])
    return same


def _table(values: Sequence[dict[str, float]], *names: str) -> Floats:
    return np.array([[value[name] for value in values] for name in names], np.float64)


_RULES: dict[str, Callable[[Sequence[dict[str, Any]], Part], Bools]] = {
    "rectangle": _boxes,
    "videorectangle": _boxes,
    "ellipse": _ellipses,
    "keypoint": _points,
    "polygon": _rings,
    "vector": _rings,
}
