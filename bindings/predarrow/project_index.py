"""A project's data units and classes, to be looked up by the thousand."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from predarrow.classes import Texts
from predarrow.errors import OntologyError
from predarrow.objects.answers import Answers
from predarrow.refusals import Refusals, shown
from predarrow.report import Code

if TYPE_CHECKING:
    from predarrow.ontology import OntologyObject
    from predarrow.project import Project

UNKNOWN = -1
AMBIGUOUS = -2

_HINTS = 100

KIND_SHAPES: Mapping[str, tuple[str, ...]] = {
    "bbox": ("bounding_box", "rotatable_bounding_box"),
    "rotated_bbox": ("rotatable_bounding_box",),
    "polygon": ("polygon", "bitmask"),
    "polyline": ("polyline",),
    "keypoints": ("skeleton", "point"),
    "skeleton": ("skeleton",),
    "bitmask": ("bitmask", "polygon"),
    "ellipse": ("ellipse",),
    "circle": ("circle",),
    "cuboid": ("cuboid",),
    "cuboid_2d": ("cuboid_2d",),
    "classification": (),
    "span": ("text", "audio", "time_range", "html"),
}
"""Shapes of classes that each kind of prediction fits; a classification fits classifications only."""

K = TypeVar("K")


def class_of_kind(things: Iterable[OntologyObject], kind: str) -> OntologyObject | None:
    """Give the class that predictions of a kind fit, of the shape that fits best; None where there is none."""
    shapes = KIND_SHAPES[kind]
    fitting = [thing for thing in things if thing.shape in shapes]
    return min(fitting, key=lambda thing: shapes.index(thing.shape), default=None)


class Positions(dict[K, int], Generic[K]):
    """Places by key, found once each by a function.

    As a dictionary it is asked for thousands of keys without a line of Python.
    """

    def __init__(self, find: Callable[[K], int]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, key: K) -> int:
        place = self[key] = self._find(key)
        return place

    def of(self, keys: Iterable[K], n: int) -> npt.NDArray[np.int64]:
        """Give the place of each of n keys."""
        return np.fromiter(map(self.__getitem__, keys), np.int64, n)


class ProjectIndex:
    """Look-ups in one project, for the time of one import."""

    def __init__(self, project: Project) -> None:
        self.data_units = units = project.data_units
        self._ids = units.table["id"].to_pylist()
        self.ids = Texts(self._ids)
        self.rank = _ranks(units.table["id"])
        """(n_units,) each data unit's place in the order of ids"""
        self._sizes: npt.NDArray[np.int64] = np.stack([_column(units.table[name]) for name in ("height", "width")], 1)
        n_frames = _column(units.table["n_frames"])
        is_image = np.append(pc.equal(units.table["kind"], "image").to_numpy(), False)
        self._n_frames = np.where((n_frames == 0) & is_image, 1, n_frames)
        self.units: Positions[str] = Positions(self._find_unit)

        self._ontology = project.ontology
        self.answers = Answers(project.ontology)
        self.classes = project.ontology.objects
        self.class_names = Texts([item.name for item in self.classes])
        self.class_hashes = Texts([item.feature_hash for item in self.classes])
        hashes = {item.feature_hash: place for place, item in enumerate(self.classes)}
        self.class_places: Positions[str] = Positions(lambda key: hashes.get(key, UNKNOWN))
        self._words: dict[str, str] = {}
        self._hints_left = _HINTS

    def sizes(self, units: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Give (n, 2) height and width of data units, 0 where they are not known."""
        sizes: npt.NDArray[np.int64] = self._sizes[np.maximum(units, UNKNOWN)]
        return sizes

    def fits(self, kind: str) -> npt.NDArray[np.bool_]:
        """Give (n_classes + 1,) whether a class's shape is one for this kind; the last is no class."""
        return np.array([item.shape in KIND_SHAPES[kind] for item in self.classes] + [False])

    def place(self, keys: list[str], refusals: Refusals, pointer: str) -> npt.NDArray[np.int64]:
        """Give each key's data unit, as its row in the project; unknown ones are refused.

        Args:
            keys: ids or titles.
            refusals: of as many rows.
            pointer: names the field in errors.
        """
        units = self.units.of(keys, len(keys))
        if (units < 0).any():
            refusals.add(units == UNKNOWN, Code.UNKNOWN_DATA_UNIT, pointer, lambda row: self._no_unit(keys[row]))
            refusals.add(units == AMBIGUOUS, Code.AMBIGUOUS_DATA_UNIT, pointer, lambda row: self._many_units(keys[row]))
        return units

    def check_frames(
        self,
        units: npt.NDArray[np.int64],
        frames: npt.NDArray[np.int64],
        is_missing: npt.NDArray[np.bool_] | None,
        refusals: Refusals,
        pointer: str,
    ) -> None:
        """Refuse frames that their data units do not have; one that is missing is 0 where there are no others."""
        n_frames = self._n_frames[np.maximum(units, UNKNOWN)]
        last = np.where(n_frames > 0, n_frames - 1, np.iinfo(np.int32).max)

        def title(row: int) -> str:
            return self.data_units.row(int(units[row])).title

        def outside(row: int) -> str:
            return f"must be a frame of {title(row)!r}, which are 0 to {last[row]}, got {frames[row]}"

        def unnamed(row: int) -> str:
            return f"must name one of the {n_frames[row]} frames of {title(row)!r}, got none"

        is_known = units >= 0
        refusals.add(is_known & ((frames < 0) | (frames > last)), Code.FRAME_RANGE, pointer, outside)
        if is_missing is not None:
            refusals.add(is_known & is_missing & (n_frames > 1), Code.FRAME_RANGE, pointer, unnamed)

    def no_class(self, feature_hash: str) -> str:
        """Word that no object class has this featureNodeHash."""
        if feature_hash not in self._words:
            hint = self.hint(feature_hash, [item.feature_hash for item in self.classes])
            if not hint:
                valid = ", ".join(f"{item.feature_hash} ({item.name})" for item in self.classes[:10])
                hint = f"; valid ones: {valid}" if valid else "; the ontology has no objects"
            rule = "must be the featureNodeHash of an object of the ontology"
            self._words[feature_hash] = f"{rule}, got {shown(feature_hash)}{hint}"
        return self._words[feature_hash]

    def no_fit(self, place: int, kind: str) -> str:
        """Word that a class's shape is not one for a kind of prediction."""
        shapes = " or ".join(KIND_SHAPES[kind])
        item = self.classes[place]
        return f"must be a class of shape {shapes} for a {kind}, got {item.name!r} of shape {item.shape}"

    def shape_of(self, feature_hash: str) -> str:
        """Give the shape of an object class; empty where no class has this featureNodeHash."""
        place = self.class_places[feature_hash]
        return self.classes[place].shape if place != UNKNOWN else ""

    def point_names(self, feature_hash: str) -> tuple[str, ...] | None:
        """Give the names of the points that a class's skeletons have; None where no template tells them."""
        try:
            template = self._ontology.template_by_hash(feature_hash)
        except OntologyError:
            return None
        return tuple(point.name for point in template.points)

    def hint(self, value: str | None, known: Iterable[str]) -> str:
        """Give `close`'s hint, not more than a hundred times: it takes a millisecond, and all rows may need one."""
        self._hints_left -= 1
        return close(value, known) if self._hints_left >= 0 else ""

    def _find_unit(self, key: str) -> int:
        row = self.data_units.by_id(key)
        if row is not None:
            return row
        rows = self.data_units.find(key)
        return rows[0] if len(rows) == 1 else AMBIGUOUS if rows else UNKNOWN

    def _no_unit(self, key: str) -> str:
        return f"must be the id or title of a data unit of the project, got {key!r}"

    def _many_units(self, key: str) -> str:
        rows = self.data_units.find(key)
        ids = ", ".join(self._ids[row] for row in rows[:3])
        more = ", …" if len(rows) > 3 else ""
        return f"must be the title of one data unit, got {key!r}, which {len(rows)} have; give the id ({ids}{more})"


def close(value: Any, known: Iterable[str]) -> str:
    """Give a hint at the known text that is much like a value, empty where none is."""
    found = difflib.get_close_matches(value, known, n=1, cutoff=0.8) if isinstance(value, str) else []
    return f"; did you mean {found[0]!r}?" if found else ""


def _ranks(texts: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    ranks = np.empty(len(texts), np.int64)
    ranks[pc.sort_indices(texts).to_numpy()] = np.arange(len(texts))
    return ranks


def _column(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Give a column of numbers, 0 for null and, at its end (where -1 leads), for no data unit."""
    return np.append(column.fill_null(0).to_numpy().astype(np.int64), 0)
