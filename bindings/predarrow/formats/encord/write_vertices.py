"""Columns -> the geometry of frame objects of one shape as JSON members: polygons, lines, points, skeletons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.formats.encord.joints import VISIBILITIES
from predarrow.formats.encord.write_geometry import (
    Part,
    cuboid_text,
    mask_text,
)
from predarrow.formats.json_text import json_text
from predarrow.formats.write_text import joined, listed, text_of

Offsets = npt.NDArray[np.int32]

_LOOKS = ("color", "featureHash", "value")
_WORDS = {number: word for word, number in VISIBILITIES.items()}


def polygon_text(part: Part) -> pa.StringArray:
    """Give polygons: `polygons`, parts of rings of flat numbers, and `polygon`, the first outline's points."""
    nested = part.columns["polygon"]
    row_offsets, parts = _opened(nested)
    part_offsets, rings = _opened(parts)
    ring_offsets, vertices = _opened(rings)
    owner = np.repeat(np.arange(len(part.sizes)), np.diff(ring_offsets[part_offsets[row_offsets]]))
    x, y = _relative(vertices, owner, part)
    flat = listed(listed(listed(joined(x, ",", y), ring_offsets), part_offsets), row_offsets)
    first = part_offsets[row_offsets[:-1]]
    begin, counts = ring_offsets[first], np.diff(ring_offsets)[first]
    chosen = np.repeat(begin - _starts(counts)[:-1], counts) + np.arange(counts.sum())
    taken = pa.array(chosen)
    points = joined('{"x":', x.take(taken), ',"y":', y.take(taken), "}")
    return joined('"polygon":', _numbered(points, _starts(counts)), ',"polygons":', flat)


def polyline_text(part: Part) -> pa.StringArray:
    """Give polylines, with z where it was kept."""
    lines = part.columns["polygon"].flatten().flatten()
    offsets, vertices = _opened(lines)
    return joined('"polyline":', _points(vertices, offsets, part))


def point_text(part: Part) -> pa.StringArray:
    """Give points, with z where it was kept."""
    offsets, points = _opened(part.columns["keypoints"])
    return joined('"point":', _points(points, offsets, part))


def _points(vertices: pa.StructArray, offsets: Offsets, part: Part) -> pa.StringArray:
    counts = np.diff(offsets)
    owner = np.repeat(np.arange(len(counts)), counts)
    x, y = _relative(vertices, owner, part)
    if not part.notes.has("z").any():
        return _numbered(joined('{"x":', x, ',"y":', y, "}"), offsets)
    texts: list[str] = []
    for place, count in enumerate(counts.tolist()):
        kept = part.notes.of(place).item.encord
        texts += [f',"z":{value!r}' for value in kept.z] if kept is not None and kept.z else [""] * count
    return _numbered(joined('{"x":', x, ',"y":', y, pa.array(texts, pa.string()), "}"), offsets)


def flat_rings(part: Part) -> list[list[float]]:
    """Give the one ring of each row as relative numbers, x and y in turn."""
    from predarrow_engine.relative import shortest

    offsets, vertices = _opened(part.columns["polygon"].flatten().flatten())
    owner = np.repeat(np.arange(len(part.sizes)), np.diff(offsets))
    axes = []
    for name, scale in (("x", part.width), ("y", part.height)):
        pixels = vertices.field(name).to_numpy(zero_copy_only=False)
        axes.append(shortest(np.ascontiguousarray(pixels, np.float32), scale[owner]))
    rings = np.split(np.stack(axes, 1), offsets[1:-1])
    return [ring.ravel().tolist() for ring in rings]


def skeleton_text(part: Part) -> pa.StringArray:
    """Give skeletons; colours, hashes and values of points as they were kept, else the template's."""
    offsets, points = _opened(part.columns["keypoints"])
    counts = np.diff(offsets)
    x, y = _relative(points, np.repeat(np.arange(len(counts)), counts), part)
    names, seen = points.field("name").to_pylist(), points.field("visibility").to_pylist()
    texts: list[str] = []
    cache: dict[Any, str] = {}
    for place, template in enumerate(part.templates):
        begin, end = offsets[place], offsets[place + 1]
        kept = part.notes.of(place).item.encord
        more: list[dict[str, Any]] = [{}] * (end - begin)
        if kept is not None and kept.points:
            more = [{name: point[name] for name in _LOOKS if name in point} for point in kept.points]
        elif template is not None:
            given = {point.name: point for point in template.points}
            more = [_looks(given.get(name)) for name in names[begin:end]]
        for name, visibility, rest in zip(names[begin:end], seen[begin:end], more, strict=True):
            key = name, visibility, json_text(rest)
            if key not in cache:
                cache[key] = _joint(name, visibility, rest)
            texts.append(cache[key])
    return joined('"skeleton":', _numbered(joined('{"x":', x, ',"y":', y, pa.array(texts, pa.string())), offsets))


def _looks(point: Any) -> dict[str, str]:
    if point is None:
        return {}
    given = {"color": point.color, "featureHash": point.feature_hash, "value": point.value}
    return {name: value for name, value in given.items() if value}


def _joint(name: str | None, visibility: int | None, rest: dict[str, Any]) -> str:
    members: dict[str, Any] = {"name": name, **rest}
    if visibility is not None:
        members["visibility"] = _WORDS[visibility]
    return f",{json_text(members)[1:]}"


def _relative(vertices: pa.StructArray, owner: Any, part: Part) -> tuple[pa.StringArray, pa.StringArray]:
    """Give relative x and y of vertices as texts."""
    from predarrow_engine.relative import shortest

    texts = []
    for name, scale in (("x", part.width), ("y", part.height)):
        pixels = vertices.field(name).to_numpy(zero_copy_only=False)
        texts.append(text_of(shortest(np.ascontiguousarray(pixels, np.float32), scale[owner])))
    return texts[0], texts[1]


def _opened(lists: pa.ListArray) -> tuple[Offsets, Any]:
    """Give (n + 1,) offsets that begin with 0, and the items."""
    offsets = lists.offsets.to_numpy()
    return offsets - offsets[0], lists.flatten()


def _starts(counts: npt.NDArray[Any]) -> Offsets:
    starts = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(counts, out=starts[1:])
    return starts


def _numbered(items: pa.StringArray, offsets: Offsets) -> pa.StringArray:
    """Give JSON objects of items by their numbers, `{"0": …, "1": …}`."""
    numbers = np.arange(len(items)) - np.repeat(offsets[:-1], np.diff(offsets))
    keyed = joined('"', text_of(numbers), '":', items)
    inside = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), keyed), ",")
    return joined("{", inside, "}")


Text = Callable[[Part], pa.StringArray]

TEXTS: dict[str, Text] = {
    "polygon": polygon_text,
    "polyline": polyline_text,
    "point": point_text,
    "skeleton": skeleton_text,
    "bitmask": mask_text,
    "cuboid": cuboid_text,
}
"""By shape, beside `NUMBERS`; `cuboid_2d` is in neither, as its back face stands in what was kept alone."""
