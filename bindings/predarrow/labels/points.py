"""Points and skeletons: keypoints."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.classes import Texts
from predarrow.labels.geometries import Point, Skeleton
from predarrow.labels.shapes import Bools, Floats, Ints, Shapes, is_relative, pair, taken
from predarrow.objects.checks import check_relative, check_size_known
from predarrow.objects.columns import cover_of
from predarrow.objects.shapes import ShapeError
from predarrow.project_index import close
from predarrow.refusals import Refusals, shown
from predarrow.report import Code
from predarrow.table import KEYPOINTS, bbox_array

VISIBILITIES = {"invisible": 0, "occluded": 1, "visible": 2, "selfOccluded": 3}
"""The table's numbers by Encord's words"""

_Bytes = npt.NDArray[np.int8]
_UNKNOWN = -1
_INVISIBLE = VISIBILITIES["invisible"]


class Keypoints(Shapes):
    """Points of one of two kinds.

    Args:
        kind: "keypoints" for single points without a name.
        names: of a skeleton's points in its template; None where the ontology has none, so that any will do.
    """

    def __init__(self, kind: Literal["keypoints", "skeleton"], names: Sequence[str] | None = None) -> None:
        self.kind = kind
        self._names: dict[str, int] = {name: place for place, name in enumerate(names or ())}
        self._is_open = names is None
        self._xy = array("d")
        self._name, self._visibility = array("i"), array("b")
        self._counts = array("i")
        self._relative = bytearray()

    def add(self, geometry: Any) -> int:
        """Keep a `Point` or a `Skeleton`."""
        relative = is_relative(geometry.unit)
        if isinstance(geometry, Point):
            self._xy.extend(pair((geometry.x, geometry.y), ""))
            self._name.append(0)
            self._visibility.append(VISIBILITIES["visible"])
            self._counts.append(1)
        else:
            found = self._points(geometry)
            for name, (x, y), visibility in found:
                self._xy.extend((x, y))
                self._name.append(self._names.setdefault(name, len(self._names)))
                self._visibility.append(visibility)
            self._counts.append(len(found))
        self._relative.append(relative)
        return len(self._counts) - 1

    def _points(self, skeleton: Skeleton) -> list[tuple[str, tuple[float, float], int]]:
        given = skeleton.points
        if not isinstance(given, Mapping) or not given:
            raise ShapeError("points", f"must be points by their names, got {shown(given)}")
        self._check_names(given)
        return [(name, *_place(name, point)) for name, point in given.items()]

    def _check_names(self, given: Iterable[Any]) -> None:
        for name in given:
            if not isinstance(name, str):
                raise ShapeError("points", f"names must be text, got {shown(name)}")
            if not self._is_open and name not in self._names:
                listed = ", ".join(self._names)
                hint = close(name, self._names)
                raise ShapeError("points", f"must be those of the template ({listed}), got {shown(name)}{hint}")
        if not self._is_open and (missing := [name for name in self._names if name not in set(given)]):
            hint = 'where one is not seen, give its place and "invisible"'
            raise ShapeError("points", f"must be all of the template's, got no {missing[0]!r}; {hint}")

    def columns(self, sizes: Ints, refusals: Refusals) -> dict[str, Any]:
        """Give the keypoints column."""
        from predarrow_engine.relative import to_pixels

        xy = taken(self._xy, np.float64).reshape(-1, 2)
        visibility = taken(self._visibility, np.int8)
        relative = taken(self._relative, np.bool_)
        counts = taken(self._counts, np.int32)
        check_size_known(relative, sizes, refusals)
        self._check(xy, visibility, counts, relative, refusals)
        scale = np.repeat(np.where(relative[:, None], sizes, 1), counts, axis=0)
        with np.errstate(over="ignore"):  # refused before
            x, y = (to_pixels(xy[:, axis], scale[:, 1 - axis]).astype(np.float32) for axis in (0, 1))
        fields = [
            self._texts(),
            pa.array(x),
            pa.array(y),
            pa.array(visibility, pa.int8(), mask=visibility == _UNKNOWN),
        ]
        items = pa.StructArray.from_arrays(fields, fields=list(KEYPOINTS.value_type))
        offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(counts, dtype=np.int32)])
        cover = bbox_array(cover_of(x, y, offsets[:-1]))
        return {"bbox": cover, "keypoints": pa.ListArray.from_arrays(pa.array(offsets), items).cast(KEYPOINTS)}

    def _texts(self) -> pa.Array:
        if self.kind == "keypoints":
            return pa.nulls(len(self._name), pa.string())
        return Texts(list(self._names)).take(taken(self._name, np.int32).astype(np.int64))

    def _check(
        self, xy: Floats, visibility: _Bytes, counts: npt.NDArray[np.int32], relative: Bools, refusals: Refusals
    ) -> None:
        first = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])[:-1]
        most = np.maximum.reduceat(np.abs(xy).max(1), first)
        rule = "points must be finite 32-bit floats"
        refusals.add(most > np.finfo(np.float32).max, Code.BAD_NUMBER, "", lambda row: f"{rule}, got {most[row]}")
        inside = np.where((visibility == _INVISIBLE)[:, None], 0.5, xy)  # what is not seen may be anywhere
        ends = np.hstack([reduce.reduceat(inside, first) for reduce in (np.minimum, np.maximum)])
        word = "Point" if self.kind == "keypoints" else "Skeleton"
        check_relative(relative, "points", ends, f'{word}(..., unit="pixel")', refusals)


def _place(name: str, point: Any) -> tuple[tuple[float, float], int]:
    if not isinstance(point, Sequence | np.ndarray) or isinstance(point, str) or len(point) not in (2, 3):
        raise ShapeError(f"points[{name!r}]", f"must be (x, y) or (x, y, visibility), got {shown(point)}")
    word = "visible" if len(point) == 2 else point[2]
    if word is not None and (not isinstance(word, str) or word not in VISIBILITIES):
        words = ", ".join(VISIBILITIES)
        raise ShapeError(f"points[{name!r}]", f"visibility must be one of {words} or None, got {shown(word)}")
    return pair(tuple(point[:2]), f"points[{name!r}]"), _UNKNOWN if word is None else VISIBILITIES[word]
