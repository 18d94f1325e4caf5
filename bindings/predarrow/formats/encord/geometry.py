"""The geometry of frame objects of many shapes as full columns, null where an object has none of the kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from predarrow.borders import FLAGS, borders_of
from predarrow.buffers import numbers_array, validity
from predarrow.classes import Texts
from predarrow.formats.encord import wire
from predarrow.formats.encord.boxes import boxes_of
from predarrow.formats.encord.columns import Bools, Floats, Ints, Shaped
from predarrow.formats.encord.flaws import PartRefusals
from predarrow.formats.encord.labels import FrameLabels
from predarrow.formats.encord.shapes import SHAPES
from predarrow.report import EMPTY_MASK, Code
from predarrow.table import BBOX, bbox_array

_SIZELESS = (wire.BitmaskObject, wire.CuboidObject)


class Geometry:
    """Columns of n objects.

    Attributes:
        columns: by the table's names; kind and bbox among them.
        is_exact: (n,) whether the columns give the very numbers of the source back.
        kept: by row, further members of the attribute "encord".
        flags: (n,) by what is odd.
    """

    def __init__(self, labels: FrameLabels) -> None:
        n = labels.n
        self.columns: dict[str, Any] = {}
        self.is_exact = np.ones(n, np.bool_)
        self.kept: dict[int, list[str]] = {}
        self.corners: Floats = np.full((4, n), np.nan)
        self.flags: dict[str, Bools] = {}
        self._labels = labels
        types = list(dict.fromkeys(labels.facts.types))
        if len(types) == 1:
            self._add(types[0], np.arange(n))
            self.columns["kind"] = SHAPES[types[0]][0]
        else:
            places = {type_: place for place, type_ in enumerate(types)}
            which = np.fromiter(map(places.__getitem__, labels.facts.types), np.int64, n)
            for type_, place in places.items():
                self._add(type_, np.flatnonzero(which == place))
            self.columns["kind"] = Texts([SHAPES[type_][0] for type_ in types]).take(which) if types else ""
        self.columns["bbox"] = bbox_column(self.corners)
        if "rotation" in self.columns:
            rotation = self.columns["rotation"]
            self.columns["rotation"] = numbers_array(rotation, is_valid=~np.isnan(rotation))
        self._judge()

    def _add(self, type_: type, chosen: Ints) -> None:
        labels = self._labels
        _, make = SHAPES[type_]
        sizes = labels.sizes[chosen]
        refusals = PartRefusals(labels.refusals, chosen)
        refusals.bad = labels.refusals.bad[chosen].copy()
        if type_ not in _SIZELESS:
            rule = "relative coordinates need the image's width and height, got none in its data unit"
            refusals.add((sizes == 0).any(axis=1), Code.SIZE_UNKNOWN, "", rule)
            sizes = np.where(sizes == 0, 1.0, sizes)
        objects: Sequence[Any] = labels.objects
        if chosen.size < labels.n:
            objects = [labels.objects[row] for row in chosen.tolist()]
        scanned = labels.scanned
        shaped: Shaped = (
            make(objects, sizes, refusals) if scanned is None else boxes_of(scanned.values, sizes, refusals)
        )
        self.corners[:, chosen] = shaped.corners
        self.is_exact[chosen] = shaped.is_exact
        self.kept |= {int(chosen[row]): texts for row, texts in shaped.kept.items()}
        if type_ is wire.BitmaskObject:
            is_empty = np.zeros(labels.n, np.bool_)
            is_empty[chosen] = np.isnan(shaped.corners[0])
            self.flags[EMPTY_MASK] = is_empty
        for name, column in shaped.columns.items():
            self._place(name, column, chosen)

    def _place(self, name: str, column: Any, chosen: Ints) -> None:
        n = self._labels.n
        if isinstance(column, np.ndarray):
            full = self.columns.setdefault(name, np.full(n, np.nan))
            full[chosen] = column
            return
        if chosen.size == n:
            self.columns[name] = column
            return
        before = self.columns.get(name)
        if before is None:
            self.columns[name] = _spread(column, chosen, n)
            return
        places = np.full(n, -1)
        has = before.is_valid().to_numpy(zero_copy_only=False)
        places[has] = np.flatnonzero(has)
        places[chosen] = n + np.arange(chosen.size)
        both = pa.concat_arrays([before, column])
        self.columns[name] = both.take(numbers_array(places, is_valid=places >= 0))

    def _judge(self) -> None:
        """Note what passes its image's border."""
        labels = self._labels
        sides = np.ascontiguousarray(labels.sizes.T[::-1])
        is_flat = ~np.isnan(self.corners[0])
        corners = np.where(is_flat, self._covers(), 0)
        with np.errstate(invalid="ignore"):
            self.flags[FLAGS["keep"]] = borders_of(sides).are_passed(corners) & is_flat

    def _covers(self) -> Floats:
        """Give the boxes around what is rotated."""
        from predarrow_engine.rotated import cover

        rotation = self.columns.get("rotation")
        if rotation is None:
            return self.corners
        degrees = rotation.fill_null(0).to_numpy(zero_copy_only=False)
        turned = np.flatnonzero((degrees != 0) & ~self._labels.refusals.bad)
        left, top, right, bottom = self.corners[:, turned]
        boxes = np.stack([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top], 1)
        corners = self.corners.copy()
        corners[:, turned] = cover(boxes, degrees[turned])
        return corners

    def count_flags(self, keep: Bools, flagged: Counter[str]) -> None:
        """Count what is odd about the objects that are left."""
        for what, where in self.flags.items():
            if count := int((where & keep).sum()):
                flagged[what] += count


def _spread(column: pa.Array, chosen: Ints, n: int) -> pa.Array:
    """Give a column with its rows at chosen places among n, null elsewhere."""
    places: npt.NDArray[np.int64] = np.full(n, -1)
    places[chosen] = np.arange(chosen.size)
    return column.take(numbers_array(places, is_valid=places >= 0))


def bbox_column(corners: Floats) -> pa.Array:
    """Give (4, n) corners as a bbox column, null where they are NaN."""
    is_given = ~np.isnan(corners[0])
    if is_given.all():
        return bbox_array(corners)
    children = [numbers_array(np.ascontiguousarray(side)) for side in np.nan_to_num(corners)]
    return pa.Array.from_buffers(BBOX, corners.shape[1], [validity(is_given)], children=children)
